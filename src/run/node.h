/*
 * node.h - a weir that runs: opens, wires, starts and stops everything, in one order that is written in one
 * place (node.c).
 *
 *     log ─▶ sources, views (made, not started) ─▶ HTTP API ─▶ views, sources started
 *
 * and lets go in the opposite one. Thread: the main one, but for what the API asks, which takes none of the
 * node's locks.
 */
#ifndef WR_RUN_NODE_H
#define WR_RUN_NODE_H

#include "base/wake.h"
#include "run/config.h"
#include "run/log_options.h"

struct wr_node_options {
    const struct wr_config *config; /* borrowed */
    const char *dir;                /* borrowed */
    struct wr_log_options *log;     /* borrowed */
    const struct wr_conf_warn *warn;
    const struct wr_wake *stop; /* readable: stop */
};

/* Run until told to stop, or until nothing is left to run. Blocks.
 * Returns 0 when it was told to stop, or
 *   WEIR_E_CONFIG  the configuration is wrong
 *   WEIR_E_BUSY    another process has the folder
 *   WEIR_E_IO      the log failed, or no source and no view is left */
WR_MUST_USE int wr_node_run(const struct wr_node_options *options, struct weir_error *err);

#endif
