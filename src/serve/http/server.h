/*
 * server.h - the API over HTTP on the socket of a data folder (libmicrohttpd; one thread a connection,
 * asleep while nothing comes).
 *
 * Limits: WR_HTTP_CONNECTIONS_MAX connections at once; more wait. A failure after the answer began is told
 * in the trailer Weir-Error, as JSON.
 */
#ifndef WR_HTTP_SERVER_H
#define WR_HTTP_SERVER_H

#include "serve/http/api.h"

enum {
    WR_HTTP_CONNECTIONS_MAX = 64
};

#define WR_HTTP_ERROR_TRAILER "Weir-Error"

struct wr_http_server;

/* Listen in `dir` and serve. `api` stays borrowed until close; its stop_fd must be readable before
 * wr_http_server_close(), so that streams end.
 *   out  owned by the caller
 * WEIR_E_IO, WEIR_E_NOTFOUND (no folder), WEIR_E_NOMEM. */
WR_MUST_USE int wr_http_server_open(const struct wr_api *api, const char *dir,
                                    struct wr_http_server **out, struct weir_error *err);

/* Take the socket away and wait until all calls have ended. Takes NULL. */
void wr_http_server_close(struct wr_http_server *server);

#endif
