/*
 * client.h - calls the API of a weir that runs, through the socket in its data folder (libcurl).
 *
 * Thread: one at a time.
 */
#ifndef WR_HTTP_CLIENT_H
#define WR_HTTP_CLIENT_H

#include "serve/http/api.h"

struct wr_http_client;

/* A request: the target as in api.h (its hangup_fd means nothing here), with a body of bytes or without. */
struct wr_http_call {
    const struct wr_api_target *target;
    struct wr_bytes body; /* ptr NULL: none */
    /* Takes the answer piece by piece, as it comes; a non-zero result ends the call and is returned. */
    int (*take)(void *arg, struct wr_bytes piece, struct weir_error *err);
    void *arg;
};

/* Find the socket of `dir`. `stop_fd`: a call ends with WEIR_E_STOPPED when it becomes readable; -1: never.
 *   out  owned by the caller
 * Returns 0, or WEIR_E_CONNECT (nobody listens there), WEIR_E_NOTFOUND (no folder), WEIR_E_NOMEM. */
WR_MUST_USE int wr_http_client_open(const char *dir, int stop_fd, struct wr_http_client **out,
                                    struct weir_error *err);

/* Let go. Takes NULL. */
void wr_http_client_close(struct wr_http_client *client);

/* Do it. Blocks until the answer has ended. Returns 0, what `take` returned, what weir answered as an error,
 * WEIR_E_CONNECT (it went away meanwhile), WEIR_E_STOPPED. */
WR_MUST_USE int wr_http_client_call(struct wr_http_client *client, const struct wr_http_call *call,
                                    struct weir_error *err);

#endif
