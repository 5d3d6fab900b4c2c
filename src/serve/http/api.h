/*
 * api.h - weir's own API, whatever carries it: requests as method, path and parameters, bodies in pieces.
 *
 *     HTTP on a Unix socket (server.h)  ─┐
 *     a command, in its own process     ─┴▶ wr_api_call_ ▶ route ▶ handler ▶ log
 *
 * A call goes open → take… → finish → read… → close. Nothing of the answer is there before finish; a
 * failure of any step is the answer then. Handlers may block (on disk; a tail that follows, until there is
 * something), so a call belongs to one thread, and each call may have another one.
 *
 * Limits: WR_API_BODY_MAX for bodies that are read whole; streams have none of their own.
 */
#ifndef WR_HTTP_API_H
#define WR_HTTP_API_H

#include "base/writer.h"
#include "log/log.h"

enum {
    WR_API_BODY_MAX = 1024 * 1024,
    WR_API_PARAMS_MAX = 128,
    WR_API_ARGS_MAX = 2
};

/* One thing that is told of a worker, in the order that it shows. */
struct wr_api_field {
    const char *name;
    const char *text; /* a text; NULL: the number */
    int64_t number;
    bool is_null;
    bool is_json; /* the text is a JSON value */
};

struct wr_api_worker {
    const char *name;
    const struct wr_api_field *fields;
    size_t field_count;
};

enum wr_api_worker_kind {
    WR_API_SOURCES,
    WR_API_VIEWS
};

/* What the routes stand on. Filled in by run/, and borrowed as long as calls are open. */
struct wr_api {
    struct wr_log *log;
    const char *dir;
    const char *durability; /* as in log.durability */
    int stop_fd;            /* readable once the process stops: streams end then; -1: never */

    /* Tell `each` of every worker; `wants_all` also of what changes (status). Any thread. Everything that
     * `each` gets is borrowed during the call. */
    int (*workers)(void *arg, enum wr_api_worker_kind kind, bool wants_all,
                   int (*each)(void *to, const struct wr_api_worker *worker,
                               struct weir_error *err),
                   void *to, struct weir_error *err);
    void *arg;
};

struct wr_api_param {
    const char *name;
    const char *value; /* NUL-terminated, not encoded; "" for none */
};

struct wr_api_request {
    const struct wr_api *api;
    const char *args[WR_API_ARGS_MAX]; /* the {…} of the route's path, not encoded */
    const struct wr_api_param *params;
    size_t param_count;
    int hangup_fd; /* readable once the client is gone; -1: it cannot go */
};

/* The last value of a parameter, or NULL. Borrowed from the request. */
const char *wr_api_param(const struct wr_api_request *request, const char *name);

/* Read a parameter; `out` stays when it is not there. WEIR_E_INPUT names it.
 *   flag  true, false, or nothing, which is true */
WR_MUST_USE int wr_api_flag(const struct wr_api_request *request, const char *name, bool *out,
                            struct weir_error *err);
WR_MUST_USE int wr_api_i64(const struct wr_api_request *request, const char *name, int64_t min,
                           int64_t max, int64_t *out, struct weir_error *err);

/* ---- calls ---------------------------------------------------------------------------------------- */

struct wr_api_call;

struct wr_api_target {
    const char *method; /* "GET" */
    const char *const
        *path; /* its segments, not encoded, ended by NULL: "api", "topics", "orders" */
    const struct wr_api_param *params;
    size_t param_count;
    int hangup_fd;
};

/* Find the route and begin. `target` and `api` stay borrowed until close.
 *   out  owned by the caller, wr_api_call_close()
 * Returns 0, or WEIR_E_NOTFOUND (no such path), WEIR_E_UNSUPPORTED (not with this method), or what the
 * handler says. */
WR_MUST_USE int wr_api_call_open(const struct wr_api *api, const struct wr_api_target *target,
                                 struct wr_api_call **out, struct weir_error *err);

/* The next piece of the request's body. */
WR_MUST_USE int wr_api_call_take(struct wr_api_call *call, struct wr_bytes body,
                                 struct weir_error *err);

/* The body is complete: do it. */
WR_MUST_USE int wr_api_call_finish(struct wr_api_call *call, struct weir_error *err);

/* The next piece of the answer: at least one byte, at most `cap`; 0 at its end. Blocks. */
WR_MUST_USE int64_t wr_api_call_read(struct wr_api_call *call, void *buf, size_t cap,
                                     struct weir_error *err);

/* The answer's content type; static. */
const char *wr_api_call_type(const struct wr_api_call *call);

/* Let go, at whatever step. Takes NULL. */
void wr_api_call_close(struct wr_api_call *call);

/* ---- errors over the wire -------------------------------------------------------------------------- */

/* {"error": text, "code": "NOTFOUND"} and a line end. */
void wr_api_put_error(struct wr_writer *out, const struct weir_error *error);

/* The code of a name as it stands there, WEIR_E_IO when it is none. */
int wr_api_code_of(const char *name);

/* The HTTP status for a code. */
unsigned wr_api_status(int code);

#endif
