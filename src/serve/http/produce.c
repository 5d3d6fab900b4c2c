/*
 * produce.c - POST api/topics/{topic}/records: each line of the body is a record.
 *
 *     key            of every record
 *     key_separator  each line is KEY, this, VALUE; a line without it is refused
 *     header         NAME=VALUE, for every record; repeated
 *     type, id       of the event: headers ce_type and ce_id; an id is for one record
 *     partition      else the key's, or round robin
 *     create         make the topic when it is not there (default true)
 *     lines_before   how many lines the client sent in calls before, for messages
 *
 * A line is kept byte for byte, less its line feed; it need not be UTF-8. The answer comes when all is as
 * durable as log.durability says: {"topic": …, "records": N}. A failure tells in its text how many lines
 * before it are stored.
 */
#include "base/trace.h"
#include "base/wake.h"
#include "data/json_text.h"
#include "serve/http/route.h"

enum {
    HEADERS_MAX = 64,
    LINE_BYTES_MAX = 72 * 1024 * 1024, /* what the log takes may be less, and it says so */
    FLUSH_BYTES = 1024 * 1024          /* hand over what came when so much has */
};

struct produce {
    const struct wr_api_request *request;
    struct wr_log_topic *topic;
    struct wr_log_writer *writer;
    struct wr_str key;       /* ptr NULL: none */
    struct wr_str separator; /* ptr NULL: none */
    struct wr_header headers[HEADERS_MAX];
    size_t header_count;
    bool has_id;
    uint32_t partition;
    struct wr_writer line; /* the start of a line whose end has not come yet */
    int64_t lines_before;
    uint64_t lines;    /* appended */
    uint64_t stored;   /* durable */
    uint64_t commits;  /* handed over … */
    uint64_t answered; /* … and answered */
    struct wr_writer out;
    size_t given;
};

static void produce_close(void *state)
{
    struct produce *p = state;
    wr_log_writer_close(p->writer);
    wr_log_topic_unref(p->topic);
    wr_writer_fini(&p->line);
    wr_writer_fini(&p->out);
    wr_free(p);
}

/* ---- opening ---- */

static int add_header(struct produce *p, struct wr_str name, struct wr_str value,
                      struct weir_error *err)
{
    if (p->header_count == HEADERS_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "more than %d headers", HEADERS_MAX);
    }
    p->headers[p->header_count++] = (struct wr_header){name, wr_bytes_of_str(value)};
    return 0;
}

static int read_header(struct produce *p, const char *text, struct weir_error *err)
{
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        return wr_fail(err, WEIR_E_INPUT, "a header is NAME=VALUE, not '%.100s'", text);
    }
    return add_header(p, (struct wr_str){text, (size_t)(equals - text)}, wr_str_of(equals + 1),
                      err);
}

static int read_headers(struct produce *p, struct weir_error *err)
{
    const struct wr_api_request *request = p->request;
    const char *type = wr_api_param(request, "type");
    const char *id = wr_api_param(request, "id");
    int rc = 0;
    for (size_t i = 0; i < request->param_count && rc == 0; i++) {
        if (strcmp(request->params[i].name, "header") == 0) {
            rc = read_header(p, request->params[i].value, err);
        }
    }
    if (rc == 0 && type != NULL) {
        rc = add_header(p, WR_STR("ce_type"), wr_str_of(type), err);
    }
    if (rc == 0 && id != NULL) {
        p->has_id = true;
        rc = add_header(p, WR_STR("ce_id"), wr_str_of(id), err);
    }
    return rc;
}

static int read_params(struct produce *p, bool *creates, struct weir_error *err)
{
    int64_t partition = -1;
    p->key = wr_str_of(wr_api_param(p->request, "key"));
    p->separator = wr_str_of(wr_api_param(p->request, "key_separator"));
    if (p->separator.ptr != NULL && p->separator.len == 0) {
        return wr_fail(err, WEIR_E_INPUT, "key_separator is empty");
    }
    if (p->separator.ptr != NULL && p->key.ptr != NULL) {
        return wr_fail(err, WEIR_E_INPUT, "key and key_separator exclude each other");
    }
    int rc = read_headers(p, err);
    rc = rc < 0 ? rc : wr_api_flag(p->request, "create", creates, err);
    rc = rc < 0 ? rc : wr_api_i64(p->request, "partition", 0, UINT32_MAX - 1, &partition, err);
    rc = rc < 0 ? rc
                : wr_api_i64(p->request, "lines_before", 0, INT64_MAX / 2, &p->lines_before, err);
    p->partition = partition < 0 ? WR_PARTITION_BY_KEY : (uint32_t)partition;
    return rc;
}

static int open_topic(struct produce *p, bool creates, struct weir_error *err)
{
    struct wr_log *log = p->request->api->log;
    const char *name = p->request->args[0];
    const struct wr_topic_spec spec = {.name = name, .partition_count = 1};
    const struct wr_log_writer_options options = {.id = NULL};
    if (wr_topic_is_internal(name)) {
        return wr_fail(err, WEIR_E_INPUT, "topic '%.100s' is weir's own and takes no records",
                       name);
    }
    int rc = creates ? wr_log_topic_ensure(log, &spec, &p->topic, err)
                     : wr_api_topic_result(wr_log_topic_find(log, name, &p->topic, err), err);
    return rc < 0 ? rc : wr_log_writer_open(log, &options, &p->writer, err);
}

static int produce_open(const struct wr_api_request *request, void **state, struct weir_error *err)
{
    struct produce *p = wr_alloc_array(1, sizeof(*p));
    if (p == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a writer");
    }
    p->request = request;
    p->line = wr_writer_growing(LINE_BYTES_MAX);
    p->out = wr_writer_growing(4096);
    bool creates = true;
    int rc = read_params(p, &creates, err);
    rc = rc < 0 ? rc : open_topic(p, creates, err);
    if (rc < 0) {
        produce_close(p);
        return rc;
    }
    *state = p;
    return 0;
}

/* ---- appending ---- */

/* Does nobody want it any more: weir stops, or the client is gone? */
static bool is_over(const struct produce *p)
{
    const int fds[] = {p->request->api->stop_fd, p->request->hangup_fd};
    return wr_wait_any(fds, 2, 0) >= 0;
}

/* Take the answers of commits until `until` are answered. A full disk is waited for: nothing is lost, and
 * the engine answers again once there is room, or each second that there is none. */
static int wait_for(struct produce *p, uint64_t until, struct weir_error *err)
{
    if (p->answered >= until) {
        return 0;
    }
    int rc = wr_log_writer_wait(p->writer, until, -1, err);
    if (rc == WEIR_E_FULL) {
        wr_trace(WR_WARN, "produce", "waits for room: %s", err->text);
    }
    while (rc == WEIR_E_FULL && !is_over(p)) {
        rc = wr_log_writer_retry(p->writer, err);
        rc = rc < 0 ? rc : wr_log_writer_wait(p->writer, until, -1, err);
    }
    p->answered = rc == 0 ? until : p->answered;
    return rc;
}

/* Hand over what is pending; when too much is under way, wait for all of it first. */
static int commit(struct produce *p, struct weir_error *err)
{
    uint64_t number = 0;
    if (wr_log_writer_pending(p->writer, NULL) == 0) {
        return 0;
    }
    struct weir_error why;
    int rc = wr_log_writer_commit(p->writer, WR_COMMIT_PLAIN, &number, &why);
    if (rc == WEIR_E_AGAIN || rc == WEIR_E_BUSY) {
        rc = wait_for(p, p->commits, &why);
        p->stored = rc == 0 ? p->lines - wr_log_writer_pending(p->writer, NULL) : p->stored;
        rc = rc < 0 ? rc : wr_log_writer_commit(p->writer, WR_COMMIT_PLAIN, &number, &why);
    }
    if (rc < 0) {
        *err = why;
        return rc;
    }
    p->commits = number;
    return 0;
}

static int append(struct produce *p, const struct wr_record *record, struct weir_error *err)
{
    struct weir_error why;
    int rc = wr_log_append(p->writer, p->topic, p->partition, record, &why);
    if (rc == WEIR_E_LIMIT && wr_log_writer_pending(p->writer, NULL) > 0) {
        rc = commit(p, &why);
        rc = rc < 0 ? rc : wr_log_append(p->writer, p->topic, p->partition, record, &why);
    }
    if (rc < 0) {
        *err = why;
        return rc;
    }
    p->lines++;
    return 0;
}

static int take_line(struct produce *p, struct wr_str line, struct weir_error *err)
{
    struct wr_str value = {line.len == 0 ? "" : line.ptr, line.len};
    struct wr_str key = p->key;
    if (p->separator.ptr != NULL) {
        const char *at = memmem(value.ptr, value.len, p->separator.ptr, p->separator.len);
        if (at == NULL) {
            return wr_fail(err, WEIR_E_INPUT, "there is no key separator '%s'", p->separator.ptr);
        }
        key = (struct wr_str){value.ptr, (size_t)(at - value.ptr)};
        value.ptr = at + p->separator.len;
        value.len -= key.len + p->separator.len;
    }
    if (p->has_id && p->lines + (uint64_t)p->lines_before > 0) {
        return wr_fail(err, WEIR_E_INPUT, "an id names one event, and there is a second line");
    }
    const struct wr_record record = {.key = wr_bytes_of_str(key),
                                     .value = wr_bytes_of_str(value),
                                     .headers = p->headers,
                                     .header_count = p->header_count,
                                     .timestamp_ms = -1};
    return append(p, &record, err);
}

/* A line and whatever of it came before. */
static int end_line(struct produce *p, struct wr_str rest, struct weir_error *err)
{
    if (p->line.len == 0) {
        return take_line(p, rest, err);
    }
    wr_put_str(&p->line, rest);
    int rc = wr_writer_end(&p->line, err);
    rc = rc < 0 ? rc : take_line(p, wr_writer_str(&p->line), err);
    wr_writer_reset(&p->line);
    return rc;
}

static int take_lines(struct produce *p, struct wr_str body, struct weir_error *err)
{
    const char *end = body.len == 0 ? NULL : memchr(body.ptr, '\n', body.len);
    while (end != NULL) {
        size_t len = (size_t)(end - body.ptr);
        int rc = end_line(p, (struct wr_str){body.ptr, len}, err);
        if (rc < 0) {
            return rc;
        }
        body.ptr += len + 1;
        body.len -= len + 1;
        end = memchr(body.ptr, '\n', body.len);
    }
    wr_put_str(&p->line, body);
    return wr_writer_end(&p->line, err);
}

/* Say which line failed and what is safe. What came before a line that is wrong is good: make it durable,
 * so that the answer can say so. */
static int fail_at_line(struct produce *p, struct weir_error *err)
{
    struct weir_error why;
    if (commit(p, &why) == 0 && wait_for(p, p->commits, &why) == 0) {
        p->stored = p->lines;
    }
    unsigned long long before = (unsigned long long)p->lines_before;
    return wr_wrap(err, "line %llu (%llu before it are stored)", before + p->lines + 1,
                   before + p->stored);
}

/* A commit was not done. */
static int fail_commit(const struct produce *p, struct weir_error *err)
{
    unsigned long long before = (unsigned long long)p->lines_before;
    return wr_wrap(err, "only %llu of %llu records are known to be stored", before + p->stored,
                   before + p->lines);
}

static int produce_take(void *state, struct wr_bytes body, struct weir_error *err)
{
    struct produce *p = state;
    int rc = take_lines(p, wr_str_of_bytes(body), err);
    if (rc < 0) {
        return fail_at_line(p, err);
    }
    size_t pending = 0;
    (void)wr_log_writer_pending(p->writer, &pending);
    rc = pending < FLUSH_BYTES ? 0 : commit(p, err);
    return rc < 0 ? fail_commit(p, err) : 0;
}

static int produce_finish(void *state, struct weir_error *err)
{
    struct produce *p = state;
    int rc = 0;
    if (p->line.len > 0) {
        rc = end_line(p, WR_STR(""), err);
        if (rc < 0) {
            return fail_at_line(p, err);
        }
    }
    rc = commit(p, err);
    rc = rc < 0 ? rc : wait_for(p, p->commits, err);
    if (rc < 0) {
        return fail_commit(p, err);
    }
    wr_put_fmt(&p->out, "{\"topic\": \"%s\", \"records\": %llu}\n", p->topic->name,
               (unsigned long long)p->lines);
    return wr_writer_end(&p->out, err);
}

static int64_t produce_read(void *state, void *buf, size_t cap, struct weir_error *err)
{
    struct produce *p = state;
    WR_UNUSED(err);
    size_t left = p->out.len - p->given;
    size_t n = left < cap ? left : cap;
    if (n > 0) {
        memcpy(buf, p->out.base + p->given, n);
    }
    p->given += n;
    return (int64_t)n;
}

const struct wr_stream_ops wr_api_produce = {.type = "application/json",
                                             .open = produce_open,
                                             .take = produce_take,
                                             .finish = produce_finish,
                                             .read = produce_read,
                                             .close = produce_close};
