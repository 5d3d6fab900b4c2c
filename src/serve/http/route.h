/*
 * route.h - the table of routes and what a handler is. For those who add one: write its functions, add a row
 * to routes[] in route.c, a line to docs/api.md and a test.
 */
#ifndef WR_HTTP_ROUTE_H
#define WR_HTTP_ROUTE_H

#include "serve/http/api.h"

/* Who may call it once the API is reached from elsewhere; on the Unix socket everyone who may open it is
 * its owner. */
enum wr_permission {
    WR_MAY_READ,
    WR_MAY_WRITE,
    WR_MAY_ADMIN
};

/* A handler with state, for bodies of any length. Every member is required; `open` sets `state`, and close
 * is called exactly when it was 0. */
struct wr_stream_ops {
    const char *type; /* of the answer */
    int (*open)(const struct wr_api_request *request, void **state, struct weir_error *err);
    int (*take)(void *state, struct wr_bytes body, struct weir_error *err);
    int (*finish)(void *state, struct weir_error *err);
    int64_t (*read)(void *state, void *buf, size_t cap, struct weir_error *err);
    void (*close)(void *state);
};

struct wr_route {
    const char *method;
    const char *path; /* "api/topics/{topic}" */
    enum wr_permission permission;
    /* One of the two. `answer`: the whole body in, the whole answer (JSON) out. */
    int (*answer)(const struct wr_api_request *request, struct wr_str body, struct wr_writer *out,
                  struct weir_error *err);
    const struct wr_stream_ops *stream;
};

/* The route of a method and path; args of the request are filled in. WEIR_E_NOTFOUND, WEIR_E_UNSUPPORTED. */
WR_MUST_USE int wr_route_find(const struct wr_api_target *target, struct wr_api_request *request,
                              const struct wr_route **out, struct weir_error *err);

/* ---- handlers ---- */

/* GET api/status: what runs. */
int wr_api_status_get(const struct wr_api_request *request, struct wr_str body,
                      struct wr_writer *out, struct weir_error *err);

/* GET api/topics, POST api/topics, GET and DELETE api/topics/{topic}. */
int wr_api_topics_list(const struct wr_api_request *request, struct wr_str body,
                       struct wr_writer *out, struct weir_error *err);
int wr_api_topics_create(const struct wr_api_request *request, struct wr_str body,
                         struct wr_writer *out, struct weir_error *err);
int wr_api_topics_describe(const struct wr_api_request *request, struct wr_str body,
                           struct wr_writer *out, struct weir_error *err);
int wr_api_topics_delete(const struct wr_api_request *request, struct wr_str body,
                         struct wr_writer *out, struct weir_error *err);

/* GET api/sources[/status], api/views[/status]. */
int wr_api_sources_list(const struct wr_api_request *request, struct wr_str body,
                        struct wr_writer *out, struct weir_error *err);
int wr_api_sources_status(const struct wr_api_request *request, struct wr_str body,
                          struct wr_writer *out, struct weir_error *err);
int wr_api_views_list(const struct wr_api_request *request, struct wr_str body,
                      struct wr_writer *out, struct weir_error *err);
int wr_api_views_status(const struct wr_api_request *request, struct wr_str body,
                        struct wr_writer *out, struct weir_error *err);

/* POST and GET api/topics/{topic}/records. */
extern const struct wr_stream_ops wr_api_produce;
extern const struct wr_stream_ops wr_api_tail;

/* WEIR_E_INPUT when the topic is weir's own and the request does not say internal. */
WR_MUST_USE int wr_api_check_internal(const struct wr_api_request *request, const char *topic,
                                      struct weir_error *err);

/* What looking for a topic gave, given on; when it is not there, `err` says as well where to look. */
int wr_api_topic_result(int rc, struct weir_error *err);

#endif
