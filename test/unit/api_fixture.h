/*
 * api_fixture.h - calls of the API on a log in memory, in this process.
 */
#ifndef WR_TEST_API_FIXTURE_H
#define WR_TEST_API_FIXTURE_H

#include "base/wake.h"
#include "log/memory.h"
#include "serve/http/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    ANSWER_MAX = 1 << 20,
    PATH_MAX_SEGMENTS = 6
};

struct fixture {
    struct wr_manual_clock clock;
    struct wr_wake stop;
    struct wr_api api;
    char answer[ANSWER_MAX]; /* of the last call */
    struct weir_error err;
};

/* Two sources and no view. */
static inline int tell_workers(void *arg, enum wr_api_worker_kind kind, bool wants_all,
                               int (*each)(void *to, const struct wr_api_worker *worker,
                                           struct weir_error *err),
                               void *to, struct weir_error *err)
{
    static const struct wr_api_field fields[] = {
        {.name = "state", .text = "streaming"},
        {.name = "lag", .number = 12},
        {.name = "error", .is_null = true},
        {.name = "parts", .text = "[1]", .is_json = true},
    };
    const struct wr_api_worker app = {"app", fields, wants_all ? 4 : 1};
    const struct wr_api_worker odd = {"b\"b", fields, 1};
    WR_UNUSED(arg);
    if (kind == WR_API_VIEWS) {
        return 0;
    }
    int rc = each(to, &app, err);
    return rc < 0 ? rc : each(to, &odd, err);
}

/* Open a log whose clock stands at 2024-03-15T10:30:00Z. */
static inline void fixture_open(struct fixture *f)
{
    f->clock = wr_manual_clock_of(INT64_C(1710498600000000));
    assert_int_equal(wr_wake_open(&f->stop, &f->err), 0);
    const struct wr_memory_options options = {.clock = &f->clock.clock};
    f->api = (struct wr_api){.log = wr_memory_log_open(&options),
                             .dir = "weir-data",
                             .durability = "fsync",
                             .stop_fd = f->stop.fd,
                             .workers = tell_workers};
}

/* Close it. */
static inline void fixture_close(struct fixture *f)
{
    wr_log_close(f->api.log);
    wr_wake_close(&f->stop);
}

/* The path cut into segments; `room` keeps them. */
static inline void cut_path(const char *path, char *room, size_t len, const char **segments)
{
    size_t count = 0;
    assert_true(strlen(path) < len);
    memcpy(room, path, strlen(path) + 1);
    for (char *at = room; at != NULL && count < PATH_MAX_SEGMENTS; count++) {
        char *slash = strchr(at, '/');
        segments[count] = at;
        if (slash != NULL) {
            *slash = 0;
        }
        at = slash == NULL ? NULL : slash + 1;
    }
    segments[count] = NULL;
}

/* Do a call with the body in pieces of `piece` bytes; its answer goes to f->answer. */
static inline int call_in_pieces(struct fixture *f, const char *method, const char *path,
                                 const struct wr_api_param *params, struct wr_bytes body,
                                 size_t piece)
{
    char room[512];
    const char *segments[PATH_MAX_SEGMENTS + 1];
    struct wr_api_call *call = NULL;
    cut_path(path, room, sizeof(room), segments);
    struct wr_api_target target = {
        .method = method, .path = segments, .params = params, .hangup_fd = -1};
    while (params != NULL && params[target.param_count].name != NULL) {
        target.param_count++;
    }
    f->answer[0] = 0;
    int rc = wr_api_call_open(&f->api, &target, &call, &f->err);
    for (size_t at = 0; rc == 0 && at < body.len; at += piece) {
        size_t n = body.len - at < piece ? body.len - at : piece;
        rc = wr_api_call_take(call, (struct wr_bytes){body.ptr + at, n}, &f->err);
    }
    rc = rc < 0 ? rc : wr_api_call_finish(call, &f->err);
    size_t len = 0;
    int64_t n = 1;
    while (rc == 0 && n > 0) {
        n = wr_api_call_read(call, f->answer + len, ANSWER_MAX - 1 - len, &f->err);
        len += n > 0 ? (size_t)n : 0;
        rc = n < 0 ? (int)n : 0;
    }
    f->answer[len] = 0;
    wr_api_call_close(call);
    return rc;
}

/* The same with a text as body, or NULL. Params end with a NULL name; NULL for none. */
static inline int call(struct fixture *f, const char *method, const char *path,
                       const struct wr_api_param *params, const char *body)
{
    struct wr_bytes bytes = wr_bytes_of_str(wr_str_of(body));
    return call_in_pieces(f, method, path, params, bytes, bytes.len + 1);
}

#define PARAMS(...) ((const struct wr_api_param[]){__VA_ARGS__, {NULL, NULL}})

#endif
