#include "serve/http/server.h"

#include "serve/http/socket.h"

#include "base/clock.h"

#include <microhttpd.h>
#include <pthread.h>
#include <unistd.h>

enum {
    SEGMENTS_MAX = 8,
    PIECE_BYTES = 64 * 1024,
    STACK_BYTES = 256 * 1024,
    END_MS = 1000 /* how long a stop waits for exchanges to end by themselves */
};

struct wr_http_server {
    const struct wr_api *api;
    struct wr_socket_dir dir;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock; /* for `open` */
    pthread_cond_t ended;
    size_t open; /* exchanges that have begun and not ended */
};

/* One request and its answer. */
struct exchange {
    char *path;                             /* cut into … */
    const char *segments[SEGMENTS_MAX + 1]; /* … these */
    struct wr_api_param params[WR_API_PARAMS_MAX];
    char *values[WR_API_PARAMS_MAX]; /* the texts of the parameters, owned */
    size_t param_count;
    struct wr_api_call *call;
    bool has_failed;
    struct weir_error err;
    struct MHD_Response *response; /* for the trailer */
};

static void exchange_free(struct exchange *x)
{
    wr_api_call_close(x->call);
    for (size_t i = 0; i < x->param_count; i++) {
        wr_free(x->values[i]);
    }
    wr_free(x->path);
    wr_free(x);
}

/* ---- the request line ---- */

/* Cut the path at its slashes and decode each part. */
static int read_path(struct exchange *x, const char *url, struct weir_error *err)
{
    x->path = wr_strdup(wr_str_of(url));
    size_t count = 0;
    char *at = x->path;
    while (at != NULL && count <= SEGMENTS_MAX) {
        char *slash = strchr(at, '/');
        if (slash != NULL) {
            *slash = 0;
        }
        if (*at != 0) {
            x->segments[count++] = at;
            (void)MHD_http_unescape(at);
        }
        at = slash == NULL ? NULL : slash + 1;
    }
    if (x->path == NULL || count > SEGMENTS_MAX) {
        return x->path == NULL ? wr_fail(err, WEIR_E_NOMEM, "a path")
                               : wr_fail(err, WEIR_E_NOTFOUND, "there is no such path");
    }
    x->segments[count] = NULL;
    return 0;
}

/* "name" NUL "value" NUL in one piece of memory. */
static enum MHD_Result take_param(void *arg, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct exchange *x = arg;
    size_t name_len = strlen(name);
    size_t value_len = value == NULL ? 0 : strlen(value);
    WR_UNUSED(kind);
    if (x->param_count == WR_API_PARAMS_MAX) {
        x->has_failed = true;
        (void)wr_fail(&x->err, WEIR_E_LIMIT, "more than %d parameters", WR_API_PARAMS_MAX);
        return MHD_NO;
    }
    char *text = wr_alloc_array(name_len + value_len + 2, 1);
    if (text == NULL) {
        x->has_failed = true;
        (void)wr_fail(&x->err, WEIR_E_NOMEM, "a parameter");
        return MHD_NO;
    }
    memcpy(text, name, name_len + 1);
    memcpy(text + name_len + 1, value == NULL ? "" : value, value_len + 1);
    (void)MHD_http_unescape(text);
    (void)MHD_http_unescape(text + name_len + 1);
    x->values[x->param_count] = text;
    x->params[x->param_count++] = (struct wr_api_param){text, text + name_len + 1};
    return MHD_YES;
}

/* Texts come as they are in the request; each part is decoded when it is cut out. */
static size_t leave_escaped(void *arg, struct MHD_Connection *connection, char *text)
{
    WR_UNUSED(arg);
    WR_UNUSED(connection);
    return strlen(text);
}

/* ---- one exchange ---- */

static int connection_fd(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

static int begin(const struct wr_http_server *server, struct exchange *x,
                 struct MHD_Connection *connection, const char *url, const char *method)
{
    int fd = connection_fd(connection);
    if (!wr_socket_peer_is_good(fd)) {
        return wr_fail(&x->err, WEIR_E_REFUSED, "only the user that weir runs as, and root, may");
    }
    int rc = read_path(x, url, &x->err);
    if (rc < 0) {
        return rc;
    }
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_param, x);
    if (x->has_failed) {
        return x->err.code;
    }
    const struct wr_api_target target = {.method = method,
                                         .path = x->segments,
                                         .params = x->params,
                                         .param_count = x->param_count,
                                         .hangup_fd = fd};
    return wr_api_call_open(server->api, &target, &x->call, &x->err);
}

static enum MHD_Result send_error(struct MHD_Connection *connection, const struct weir_error *error)
{
    struct wr_writer text = wr_writer_growing(8192);
    wr_api_put_error(&text, error);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(text.len, text.base, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result done = MHD_NO;
    if (response != NULL) {
        (void)MHD_add_response_header(response, "Content-Type", "application/json");
        done = MHD_queue_response(connection, wr_api_status(error->code), response);
        MHD_destroy_response(response);
    }
    wr_writer_fini(&text);
    return done;
}

/* What went wrong after the answer began goes into the trailer. */
static void add_trailer(struct exchange *x)
{
    struct wr_writer text = wr_writer_growing(8192);
    wr_api_put_error(&text, &x->err);
    text.len--; /* the line end */
    wr_put_u8(&text, 0);
    (void)MHD_add_response_footer(x->response, WR_HTTP_ERROR_TRAILER, (const char *)text.base);
    wr_writer_fini(&text);
}

static ssize_t read_answer(void *arg, uint64_t pos, char *buf, size_t max)
{
    struct exchange *x = arg;
    WR_UNUSED(pos);
    int64_t n = wr_api_call_read(x->call, buf, max, &x->err);
    if (n < 0) {
        add_trailer(x);
    }
    return n > 0 ? (ssize_t)n : (ssize_t)MHD_CONTENT_READER_END_OF_STREAM;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct exchange *x)
{
    x->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, read_answer, x, NULL);
    if (x->response == NULL) {
        return MHD_NO;
    }
    (void)MHD_add_response_header(x->response, "Content-Type", wr_api_call_type(x->call));
    enum MHD_Result done = MHD_queue_response(connection, MHD_HTTP_OK, x->response);
    MHD_destroy_response(x->response); /* the connection holds it until it is sent */
    return done;
}

static void count_open(struct wr_http_server *server, int change)
{
    (void)pthread_mutex_lock(&server->lock);
    server->open = change > 0 ? server->open + 1 : server->open - 1;
    (void)pthread_cond_signal(&server->ended);
    (void)pthread_mutex_unlock(&server->lock);
}

/* The start of a request. What is wrong with it is said at its end. */
static enum MHD_Result take_start(struct wr_http_server *server, struct MHD_Connection *connection,
                                  const char *url, const char *method, void **state)
{
    struct exchange *x = wr_alloc_array(1, sizeof(*x));
    if (x == NULL) {
        return MHD_NO;
    }
    *state = x;
    count_open(server, 1);
    x->has_failed = begin(server, x, connection, url, method) < 0;
    return MHD_YES;
}

/* MHD's signature. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *body,
                              size_t *body_len, void **state)
{
    struct exchange *x = *state;
    WR_UNUSED(version);
    if (x == NULL) {
        return take_start(arg, connection, url, method, state);
    }
    if (*body_len > 0) { /* after a failure the rest is read too: then the client hears why */
        const struct wr_bytes piece = {(const uint8_t *)body, *body_len};
        x->has_failed = x->has_failed || wr_api_call_take(x->call, piece, &x->err) < 0;
        *body_len = 0;
        return MHD_YES;
    }
    x->has_failed = x->has_failed || wr_api_call_finish(x->call, &x->err) < 0;
    return x->has_failed ? send_error(connection, &x->err) : send_answer(connection, x);
}

static void ended(void *arg, struct MHD_Connection *connection, void **state,
                  enum MHD_RequestTerminationCode why)
{
    WR_UNUSED(connection);
    WR_UNUSED(why);
    if (*state != NULL) {
        exchange_free(*state);
        *state = NULL;
        count_open(arg, -1);
    }
}

/* ---- the server ---- */

static int start(struct wr_http_server *server, struct weir_error *err)
{
    int fd = wr_socket_listen(&server->dir, err);
    if (fd < 0) {
        return fd;
    }
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
            MHD_USE_ITC,
        0, NULL, NULL, answer, server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)WR_HTTP_CONNECTIONS_MAX, MHD_OPTION_NOTIFY_COMPLETED, ended, server,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL, MHD_OPTION_THREAD_STACK_SIZE,
        (size_t)STACK_BYTES, MHD_OPTION_END);
    if (server->daemon == NULL) {
        wr_socket_remove(&server->dir);
        (void)close(fd);
        return wr_fail(err, WEIR_E_IO, "the HTTP server cannot start");
    }
    return 0;
}

int wr_http_server_open(const struct wr_api *api, const char *dir, struct wr_http_server **out,
                        struct weir_error *err)
{
    struct wr_http_server *server = wr_alloc_array(1, sizeof(*server));
    if (server == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "the HTTP server");
    }
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->ended, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)pthread_mutex_init(&server->lock, NULL);
    server->api = api;
    server->dir.fd = -1;
    int rc = wr_socket_dir_open(dir, &server->dir, err);
    rc = rc < 0 ? rc : start(server, err);
    if (rc < 0) {
        wr_http_server_close(server);
        return rc;
    }
    *out = server;
    return 0;
}

/* Streams have been told to end; let them say so to their clients. */
static void wait_for_ends(struct wr_http_server *server)
{
    int64_t until_ms = wr_mono_ms(wr_clock_os()) + END_MS;
    const struct timespec until = {.tv_sec = until_ms / 1000,
                                   .tv_nsec = (until_ms % 1000) * 1000000};
    int rc = 0;
    (void)pthread_mutex_lock(&server->lock);
    while (server->open > 0 && rc == 0) {
        rc = pthread_cond_timedwait(&server->ended, &server->lock, &until);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

void wr_http_server_close(struct wr_http_server *server)
{
    if (server == NULL) {
        return;
    }
    if (server->daemon != NULL) {
        wr_socket_remove(&server->dir);
        wait_for_ends(server);
        MHD_stop_daemon(server->daemon); /* closes the socket too */
    }
    wr_socket_dir_close(&server->dir);
    (void)pthread_cond_destroy(&server->ended);
    (void)pthread_mutex_destroy(&server->lock);
    wr_free(server);
}
