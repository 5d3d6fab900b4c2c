/* api.c - a call: its route, its body, its answer. */
#include "serve/http/api.h"

#include "data/json_text.h"
#include "serve/http/route.h"

#include <ctype.h>

enum {
    ANSWER_MAX = 256 * 1024 * 1024
};

struct wr_api_call {
    struct wr_api_request request;
    const struct wr_route *route;
    void *state;           /* of a stream */
    struct wr_writer body; /* else: the body as it comes … */
    struct wr_writer answer;
    size_t given; /* … and how much of the answer was read */
};

const char *wr_api_param(const struct wr_api_request *request, const char *name)
{
    for (size_t i = request->param_count; i > 0; i--) {
        if (strcmp(request->params[i - 1].name, name) == 0) {
            return request->params[i - 1].value;
        }
    }
    return NULL;
}

int wr_api_flag(const struct wr_api_request *request, const char *name, bool *out,
                struct weir_error *err)
{
    const char *text = wr_api_param(request, name);
    if (text == NULL) {
        return 0;
    }
    bool is_true = *text == 0 || strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "false") != 0) {
        return wr_fail(err, WEIR_E_INPUT, "%s must be true or false, not '%.60s'", name, text);
    }
    *out = is_true;
    return 0;
}

int wr_api_i64(const struct wr_api_request *request, const char *name, int64_t min, int64_t max,
               int64_t *out, struct weir_error *err)
{
    const char *text = wr_api_param(request, name);
    if (text == NULL) {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    bool is_number = isdigit((unsigned char)text[*text == '-' ? 1 : 0]) != 0 && *end == 0;
    if (!is_number || errno != 0 || v < min || v > max) {
        return wr_fail(err, WEIR_E_INPUT, "%s must be a whole number in %lld .. %lld, not '%.60s'",
                       name, (long long)min, (long long)max, text);
    }
    *out = v;
    return 0;
}

/* ---- calls ---- */

int wr_api_call_open(const struct wr_api *api, const struct wr_api_target *target,
                     struct wr_api_call **out, struct weir_error *err)
{
    struct wr_api_call *call = wr_alloc_array(1, sizeof(*call));
    if (call == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a call");
    }
    call->request = (struct wr_api_request){.api = api,
                                            .params = target->params,
                                            .param_count = target->param_count,
                                            .hangup_fd = target->hangup_fd};
    call->body = wr_writer_growing(WR_API_BODY_MAX);
    call->answer = wr_writer_growing(ANSWER_MAX);
    int rc = wr_route_find(target, &call->request, &call->route, err);
    if (rc == 0 && call->route->stream != NULL) {
        rc = call->route->stream->open(&call->request, &call->state, err);
        call->route = rc < 0 ? NULL : call->route;
    }
    if (rc < 0) {
        wr_api_call_close(call);
        return rc;
    }
    *out = call;
    return 0;
}

int wr_api_call_take(struct wr_api_call *call, struct wr_bytes body, struct weir_error *err)
{
    if (call->route->stream != NULL) {
        return call->route->stream->take(call->state, body, err);
    }
    wr_put_bytes(&call->body, body);
    return wr_writer_end(&call->body, err) < 0
               ? wr_fail(err, WEIR_E_LIMIT, "the body is over %d bytes", WR_API_BODY_MAX)
               : 0;
}

int wr_api_call_finish(struct wr_api_call *call, struct weir_error *err)
{
    if (call->route->stream != NULL) {
        return call->route->stream->finish(call->state, err);
    }
    int rc = call->route->answer(&call->request, wr_writer_str(&call->body), &call->answer, err);
    if (rc == 0) {
        wr_put_lit(&call->answer, "\n");
        rc = wr_writer_end(&call->answer, err);
    }
    return rc;
}

int64_t wr_api_call_read(struct wr_api_call *call, void *buf, size_t cap, struct weir_error *err)
{
    WR_ASSERT(cap > 0);
    if (call->route->stream != NULL) {
        return call->route->stream->read(call->state, buf, cap, err);
    }
    size_t left = call->answer.len - call->given;
    size_t n = left < cap ? left : cap;
    if (n > 0) {
        memcpy(buf, call->answer.base + call->given, n);
    }
    call->given += n;
    return (int64_t)n;
}

const char *wr_api_call_type(const struct wr_api_call *call)
{
    return call->route->stream != NULL ? call->route->stream->type : "application/json";
}

void wr_api_call_close(struct wr_api_call *call)
{
    if (call == NULL) {
        return;
    }
    if (call->route != NULL && call->route->stream != NULL) {
        call->route->stream->close(call->state);
    }
    wr_writer_fini(&call->body);
    wr_writer_fini(&call->answer);
    wr_free(call);
}

/* ---- errors ---- */

static const struct {
    const char *name;
    int code;
    unsigned status;
} codes[] = {
    {"AGAIN", WEIR_E_AGAIN, 503},
    {"NOMEM", WEIR_E_NOMEM, 503},
    {"LIMIT", WEIR_E_LIMIT, 413},
    {"CONFIG", WEIR_E_CONFIG, 400},
    {"RANGE", WEIR_E_RANGE, 400},
    {"INPUT", WEIR_E_INPUT, 400},
    {"CORRUPT", WEIR_E_CORRUPT, 500},
    {"IO", WEIR_E_IO, 500},
    {"NOTFOUND", WEIR_E_NOTFOUND, 404},
    {"EXISTS", WEIR_E_EXISTS, 409},
    {"FULL", WEIR_E_FULL, 507},
    {"BUSY", WEIR_E_BUSY, 503},
    {"FENCED", WEIR_E_FENCED, 409},
    {"STOPPED", WEIR_E_STOPPED, 503},
    {"CONNECT", WEIR_E_CONNECT, 503},
    {"REFUSED", WEIR_E_REFUSED, 412},
    {"UNSUPPORTED", WEIR_E_UNSUPPORTED, 405},
    {"DAMAGED", WEIR_E_DAMAGED, 500},
};

void wr_api_put_error(struct wr_writer *out, const struct weir_error *error)
{
    const char *name = "IO";
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        name = codes[i].code == error->code ? codes[i].name : name;
    }
    char text[WEIR_ERROR_TEXT_MAX];
    memcpy(text, error->text, sizeof(text));
    bool is_utf8 = wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(text)));
    for (size_t i = 0; !is_utf8 && text[i] != 0; i++) { /* bytes of a user, or a cut character */
        if ((unsigned char)text[i] >= 0x80) {
            text[i] = '?';
        }
    }
    wr_put_lit(out, "{\"error\": ");
    wr_put_json_string(out, wr_str_of(text));
    wr_put_fmt(out, ", \"code\": \"%s\"}\n", name);
}

int wr_api_code_of(const char *name)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].name, name) == 0) {
            return codes[i].code;
        }
    }
    return WEIR_E_IO;
}

unsigned wr_api_status(int code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code == code) {
            return codes[i].status;
        }
    }
    return 500;
}
