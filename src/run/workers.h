/*
 * workers.h - the sources and views of a node: made from the configuration, started, watched, told of,
 * stopped.
 *
 * Thread: the node's, but for wr_workers_tell(), which any thread may call between open and close.
 */
#ifndef WR_RUN_WORKERS_H
#define WR_RUN_WORKERS_H

#include "base/wake.h"
#include "run/config.h"
#include "serve/http/api.h"
#include "view/view.h"

struct wr_workers;

/* Check what the configuration says of sources and views, as far as that can be done without a log; odd keys
 * are told to `warn`. WEIR_E_CONFIG with the place. */
WR_MUST_USE int wr_workers_check(const struct wr_config *config, const struct wr_conf_warn *warn,
                                 struct weir_error *err);

/* Make them all; none does anything yet.
 *   config, log, changed  borrowed until close; `changed` is signalled whenever one changes its state
 *   out                   owned by the caller
 * WEIR_E_CONFIG with the place, WEIR_E_NOMEM. */
WR_MUST_USE int wr_workers_open(const struct wr_config *config, struct wr_log *log,
                                const struct wr_wake *changed, struct wr_workers **out,
                                struct weir_error *err);

/* Open the views' stores, then start all of them: views first, so that they are there for what comes.
 * WEIR_E_CONFIG, WEIR_E_REFUSED (a view's definition was changed), or what a store says. Blocks. */
WR_MUST_USE int wr_workers_start(struct wr_workers *workers, struct weir_error *err);

/* How many there are, and how many of them may still do something. */
size_t wr_workers_count(const struct wr_workers *workers);
size_t wr_workers_alive(struct wr_workers *workers);

/* Say what changed since the last time, in lines of wr_trace(). */
void wr_workers_say(struct wr_workers *workers);

/* One line for each: what it is and where it goes; for the start-up text. */
void wr_workers_describe(struct wr_workers *workers, struct wr_writer *out);

/* As struct wr_api.workers; `arg` is the struct wr_workers. */
int wr_workers_tell(void *arg, enum wr_api_worker_kind kind, bool wants_all,
                    int (*each)(void *to, const struct wr_api_worker *worker,
                                struct weir_error *err),
                    void *to, struct weir_error *err);

/* "[{"topic": …, "partition": 0, "next_offset": 7, "lag": 0}, …]", NUL-terminated, of `count` partitions. */
void wr_workers_put_partitions(struct wr_writer *out,
                               const struct wr_view_partition_status *partitions, size_t count);

/* The lags of all together. False when one of them is not known. */
bool wr_workers_lag(const struct wr_view_partition_status *partitions, size_t count, uint64_t *out);

/* What is shown of a view's `to:`. */
const char *wr_workers_target(const struct wr_conf *to);

/* Ask all to stop; does not wait. Takes NULL. */
void wr_workers_stop(struct wr_workers *workers);

/* Ask all to stop, then wait for them and let go: nobody may ask for them any more. At most about 4 s, whatever
 * servers do. Takes NULL. */
void wr_workers_close(struct wr_workers *workers);

#endif
