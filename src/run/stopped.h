/*
 * stopped.h - what is told of sources and views when no weir runs: their names in weir.yaml, what the log has of
 * sources, and what the stores of views have of these.
 */
#ifndef WR_RUN_STOPPED_H
#define WR_RUN_STOPPED_H

#include "run/config.h"
#include "serve/http/api.h"

struct wr_stopped {
    const struct wr_config *config;
    struct wr_log *log; /* NULL: there is none */
};

/* As struct wr_api.workers; `arg` is a struct wr_stopped. Sources: those of weir.yaml, then those that only
 * have a position in the log. Stores are only read. Blocks on disk. */
int wr_stopped_tell(void *arg, enum wr_api_worker_kind kind, bool wants_all,
                    int (*each)(void *to, const struct wr_api_worker *worker,
                                struct weir_error *err),
                    void *to, struct weir_error *err);

#endif
