/*
 * session.h - a command's way to the log of a data folder: through the weir that runs on it, or, when none
 * does, in this process. Both answer the same calls (serve/http/api.h).
 *
 * Which folder: --dir, else log.dir of ./weir.yaml, else ./weir-data. A command that meets a starting weir,
 * or another command, waits WR_SESSION_WAIT_MS at most.
 */
#ifndef WR_RUN_SESSION_H
#define WR_RUN_SESSION_H

#include "base/wake.h"
#include "run/cli.h"
#include "run/config.h"
#include "run/log_options.h"
#include "run/stopped.h"
#include "serve/http/client.h"

enum {
    WR_SESSION_WAIT_MS = 5000
};

#define WR_CONFIG_FILE "weir.yaml"
#define WR_DEFAULT_DIR "./weir-data"

struct wr_session {
    struct wr_config config; /* of ./weir.yaml, when it was read */
    struct wr_log_options options;
    char *dir;
    struct wr_wake stop;           /* signalled by SIGINT and SIGTERM */
    struct wr_http_client *client; /* a running weir … */
    struct wr_log *log;            /* … or our own log */
    struct wr_api api;
    struct wr_stopped stopped; /* what it tells of when none runs */
};

/* The two options that every command on a folder has. */
#define WR_OPTION_DIR                                                                            \
    {                                                                                            \
        "dir", 'd', false, "DIR",                                                                \
            "the data folder (default: log.dir of ./weir.yaml, else ./weir-data)", WR_CLI_FOLDER \
    }

/* Find the folder: fills config, options and dir, and takes the signals. `session` is let go with
 * wr_session_close(), also after a failure. WEIR_E_CONFIG when ./weir.yaml is wrong. */
WR_MUST_USE int wr_session_init(const struct wr_cli *cli, struct wr_session *session,
                                struct weir_error *err);

/* Find the way, and open the log where none runs.
 *   makes_dir  make the folder when it is not there; else that is WEIR_E_NOTFOUND
 * Blocks up to WR_SESSION_WAIT_MS, and on disk. WEIR_E_BUSY names who has the folder. */
WR_MUST_USE int wr_session_open(struct wr_session *session, bool makes_dir, struct weir_error *err);

/* Wait until the folder is free or served, for commands that look at the files themselves. WEIR_E_BUSY,
 * WEIR_E_NOTFOUND as above. */
WR_MUST_USE int wr_session_wait(struct wr_session *session, struct weir_error *err);

/* Init and open. */
WR_MUST_USE int wr_session_begin(const struct wr_cli *cli, bool makes_dir,
                                 struct wr_session *session, struct weir_error *err);

/* Do a call. As wr_http_client_call(). */
WR_MUST_USE int wr_session_call(struct wr_session *session, const struct wr_http_call *call,
                                struct weir_error *err);

/* Do a call without body and take its whole answer into `out`. */
WR_MUST_USE int wr_session_get(struct wr_session *session, const struct wr_api_target *target,
                               struct wr_writer *out, struct weir_error *err);

/* Was the process asked to stop? */
bool wr_session_is_stopped(const struct wr_session *session);

/* Let go: close the log cleanly where it is ours. Takes a half-built one. */
void wr_session_close(struct wr_session *session);

/* Signal `wake` at the first SIGINT or SIGTERM; end the process at once at the second. */
void wr_signals_wake(const struct wr_wake *wake);

#endif
