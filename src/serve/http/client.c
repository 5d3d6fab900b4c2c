#include "serve/http/client.h"

#include "serve/http/server.h"
#include "serve/http/socket.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <strings.h>

enum {
    ERROR_BYTES_MAX = 64 * 1024,
    URL_BYTES_MAX = 256 * 1024,
    CONNECT_MS = 5000
};

struct wr_http_client {
    struct wr_socket_dir dir;
    char socket[160];
    int stop_fd;
    CURLM *multi;
    CURL *easy;
};

/* What is known of the call that is under way. */
struct answer {
    const struct wr_http_call *call;
    CURL *easy;
    struct wr_writer error; /* the body of an answer that is an error */
    struct weir_error err;
    bool has_failed; /* err says why */
};

/* ---- opening ---- */

int wr_http_client_open(const char *dir, int stop_fd, struct wr_http_client **out,
                        struct weir_error *err)
{
    struct wr_http_client *client = wr_alloc_array(1, sizeof(*client));
    if (client == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "an HTTP client");
    }
    client->dir.fd = -1;
    client->stop_fd = stop_fd;
    int rc = wr_socket_dir_open(dir, &client->dir, err);
    if (rc == 0 && !wr_socket_answers(&client->dir)) {
        rc = wr_fail(err, WEIR_E_CONNECT, "no weir runs in '%.200s'", dir);
    }
    if (rc == 0) {
        (void)curl_global_init(CURL_GLOBAL_NOTHING);
        client->multi = curl_multi_init();
        client->easy = curl_easy_init();
        bool is_good = client->multi != NULL && client->easy != NULL;
        rc = is_good ? 0 : wr_fail(err, WEIR_E_NOMEM, "an HTTP client");
    }
    if (rc < 0) {
        wr_http_client_close(client);
        return rc;
    }
    (void)snprintf(client->socket, sizeof(client->socket), "%.120s/%s", client->dir.path,
                   WR_SOCKET_NAME);
    *out = client;
    return 0;
}

void wr_http_client_close(struct wr_http_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->easy != NULL) {
        curl_easy_cleanup(client->easy);
    }
    if (client->multi != NULL) {
        (void)curl_multi_cleanup(client->multi);
    }
    wr_socket_dir_close(&client->dir);
    wr_free(client);
}

/* ---- the request ---- */

static void put_escaped(CURL *easy, struct wr_writer *out, const char *text)
{
    char *escaped = curl_easy_escape(easy, text, (int)strlen(text));
    wr_put_str(out, wr_str_of(escaped));
    curl_free(escaped);
}

static int put_url(CURL *easy, const struct wr_api_target *target, struct wr_writer *out,
                   struct weir_error *err)
{
    wr_put_lit(out, "http://weir");
    for (size_t i = 0; target->path[i] != NULL; i++) {
        wr_put_lit(out, "/");
        put_escaped(easy, out, target->path[i]);
    }
    for (size_t i = 0; i < target->param_count; i++) {
        wr_put_str(out, i == 0 ? WR_STR("?") : WR_STR("&"));
        put_escaped(easy, out, target->params[i].name);
        wr_put_lit(out, "=");
        put_escaped(easy, out, target->params[i].value);
    }
    wr_put_u8(out, 0);
    return wr_writer_end(out, err);
}

/* ---- the answer ---- */

/* The error that weir sent as JSON. */
static void read_error(struct answer *answer, struct wr_str json)
{
    json_t *root = json_loadb(json.len == 0 ? "" : json.ptr, json.len, 0, NULL);
    const char *text = json_string_value(json_object_get(root, "error"));
    const char *code = json_string_value(json_object_get(root, "code"));
    answer->has_failed = true;
    if (text == NULL || code == NULL) {
        (void)wr_fail(&answer->err, WEIR_E_IO, "weir answered with an error that cannot be read");
    } else {
        (void)wr_fail(&answer->err, wr_api_code_of(code), "%s", text);
    }
    json_decref(root);
}

/* curl gives both of these `char *`. NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
    struct answer *answer = arg;
    long status = 0;
    struct wr_bytes piece = {(const uint8_t *)data, size * count};
    (void)curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 400) {
        wr_put_bytes(&answer->error, piece);
        return piece.len;
    }
    if (answer->call->take(answer->call->arg, piece, &answer->err) != 0) {
        answer->has_failed = true;
        return 0;
    }
    return piece.len;
}

/* Headers, and after the body the trailer. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t take_header(char *data, size_t size, size_t count, void *arg)
{
    static const char name[] = WR_HTTP_ERROR_TRAILER ":";
    struct answer *answer = arg;
    size_t len = size * count;
    if (len >= sizeof(name) && strncasecmp(data, name, sizeof(name) - 1) == 0) {
        read_error(answer, (struct wr_str){data + sizeof(name) - 1, len - sizeof(name) + 1});
    }
    return len;
}

static void set_up(struct wr_http_client *client, const struct wr_http_call *call, const char *url,
                   struct answer *answer)
{
    CURL *easy = client->easy;
    curl_easy_reset(easy);
    (void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, client->socket);
    (void)curl_easy_setopt(easy, CURLOPT_URL, url);
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->target->method);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer);
    if (call->body.ptr != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.ptr);
    }
}

static bool is_stopped(const struct wr_http_client *client, const struct curl_waitfd *wait)
{
    return client->stop_fd >= 0 && wait->revents != 0;
}

/* Let curl work until the transfer has ended. Returns its result, or -1 when asked to stop. */
static int perform(struct wr_http_client *client)
{
    struct curl_waitfd wait = {.fd = client->stop_fd, .events = CURL_WAIT_POLLIN};
    int running = 1;
    while (running > 0) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK) {
            return CURLE_OUT_OF_MEMORY;
        }
        wait.revents = 0;
        if (running > 0) {
            (void)curl_multi_poll(client->multi, &wait, client->stop_fd >= 0 ? 1 : 0, 60 * 1000,
                                  NULL);
        }
        if (is_stopped(client, &wait)) {
            return -1;
        }
    }
    int left = 0;
    const struct CURLMsg *message = curl_multi_info_read(client->multi, &left);
    return message == NULL ? (int)CURLE_RECV_ERROR : (int)message->data.result;
}

static int conclude(struct answer *answer, int result, struct weir_error *err)
{
    long status = 0;
    (void)curl_easy_getinfo(answer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (result == 0 && status >= 400 && !answer->has_failed) {
        read_error(answer, wr_writer_str(&answer->error));
    }
    if (answer->has_failed) {
        *err = answer->err;
        return err->code;
    }
    if (result == -1) {
        return wr_fail(err, WEIR_E_STOPPED, "stopped");
    }
    return result == 0 ? 0
                       : wr_fail(err, WEIR_E_CONNECT, "weir went away: %s",
                                 curl_easy_strerror((CURLcode)result));
}

int wr_http_client_call(struct wr_http_client *client, const struct wr_http_call *call,
                        struct weir_error *err)
{
    struct wr_writer url = wr_writer_growing(URL_BYTES_MAX);
    struct answer answer = {
        .call = call, .easy = client->easy, .error = wr_writer_growing(ERROR_BYTES_MAX)};
    int rc = put_url(client->easy, call->target, &url, err);
    if (rc == 0) {
        set_up(client, call, (const char *)url.base, &answer);
        bool is_added = curl_multi_add_handle(client->multi, client->easy) == CURLM_OK;
        int result = is_added ? perform(client) : (int)CURLE_OUT_OF_MEMORY;
        (void)curl_multi_remove_handle(client->multi, client->easy);
        rc = conclude(&answer, result, err);
    }
    wr_writer_fini(&url);
    wr_writer_fini(&answer.error);
    return rc;
}
