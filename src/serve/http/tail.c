/*
 * tail.c - GET api/topics/{topic}/records: the records of a topic as lines (record_text.h).
 *
 *     from       earliest (default without follow), latest (default with it), an offset, a time as ISO 8601,
 *                or -15m: so long ago (s, m, h, d)
 *     follow     go on when the end is reached, until the client goes or weir stops
 *     max        end after so many
 *     partition  only this one
 *     key        only records of this key
 *     format     json (default) or plain
 *
 * Without follow it ends at the end as of its start.
 */
#include "base/iso_time.h"
#include "base/wake.h"
#include "serve/http/record_text.h"
#include "serve/http/route.h"

#include <ctype.h>

enum {
    LINE_MAX_BYTES = 512 * 1024 * 1024, /* 64 MiB of control characters are 384 MiB of JSON */
    FILL_BYTES = 64 * 1024
};

struct part {
    int64_t end;    /* without follow: records from here on are not shown */
    bool is_wanted; /* still read */
};

struct tail {
    const struct wr_api_request *request;
    struct wr_log_topic *topic;
    struct wr_log_reader *reader;
    struct part *parts; /* one a partition */
    uint32_t wanted;    /* how many are still read */
    bool follows;
    bool is_plain;
    int64_t left; /* records that may still be shown */
    struct wr_bytes key;
    struct wr_log_chunk chunk; /* what is being shown … */
    size_t next;               /* … and its next record */
    struct wr_writer out;
    size_t given;
};

static void tail_close(void *state)
{
    struct tail *tail = state;
    wr_log_reader_close(tail->reader);
    wr_log_topic_unref(tail->topic);
    wr_writer_fini(&tail->out);
    wr_free(tail->parts);
    wr_free(tail);
}

/* ---- where to begin ---- */

struct start {
    enum {
        AT_OFFSET, /* also WR_OFFSET_EARLIEST and _LATEST */
        AT_TIME
    } kind;
    int64_t value;
};

/* "-15m": as long before now. */
static bool read_age(const char *text, int64_t now_ms, int64_t *out)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end = NULL;
    errno = 0;
    bool is_age = text[0] == '-' && isdigit((unsigned char)text[1]) != 0;
    long long n = is_age ? strtoll(text + 1, &end, 10) : -1;
    if (n < 0 || errno != 0 || n > 1000000000) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (end[0] == units[i].unit && end[1] == 0) {
            *out = now_ms - n * units[i].ms;
            return true;
        }
    }
    return false;
}

static int read_start(const char *text, bool follows, struct start *out, struct weir_error *err)
{
    if (text == NULL) {
        text = follows ? "latest" : "earliest";
    }
    *out = (struct start){AT_OFFSET, 0};
    if (strcmp(text, "earliest") == 0 || strcmp(text, "latest") == 0) {
        out->value = text[0] == 'e' ? WR_OFFSET_EARLIEST : WR_OFFSET_LATEST;
        return 0;
    }
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && digits < 19 && text[digits] == 0) {
        out->value = strtoll(text, NULL, 10);
        return 0;
    }
    out->kind = AT_TIME;
    if (read_age(text, wr_wall_ms(wr_clock_os()), &out->value) ||
        wr_iso_time_parse(wr_str_of(text), &out->value)) {
        return 0;
    }
    return wr_fail(err, WEIR_E_INPUT,
                   "from must be earliest, latest, an offset, a time like 2026-07-01T10:00:00Z or "
                   "an age like -15m, not '%.60s'",
                   text);
}

/* The offset at which a partition begins. `is_beyond`: it lies behind what is there. */
static int start_offset(const struct tail *tail, uint32_t partition, const struct start *start,
                        const struct wr_partition_info *info, int64_t *out, struct weir_error *err)
{
    struct wr_log *log = tail->request->api->log;
    if (start->kind == AT_TIME) {
        int rc = wr_log_offset_for_time(log, tail->topic, partition, start->value, out, err);
        *out = rc == 0 && *out < 0 ? WR_OFFSET_LATEST : *out;
        return rc;
    }
    *out = start->value;
    if (start->value > info->high_watermark && tail->topic->partition_count > 1) {
        *out = WR_OFFSET_LATEST; /* others may reach as far */
    }
    return 0;
}

static int assign(struct tail *tail, uint32_t partition, const struct start *start,
                  struct weir_error *err)
{
    struct wr_log *log = tail->request->api->log;
    struct wr_partition_info info = {0};
    int64_t offset = WR_OFFSET_LATEST;
    int rc = wr_log_partition_info(log, tail->topic, partition, &info, err);
    rc = rc < 0 ? rc : start_offset(tail, partition, start, &info, &offset, err);
    if (rc < 0) {
        return rc;
    }
    int64_t first = offset == WR_OFFSET_EARLIEST ? info.log_start : offset;
    bool is_at_end = offset == WR_OFFSET_LATEST || first == info.last_stable;
    tail->parts[partition] = (struct part){info.last_stable, tail->follows || !is_at_end};
    if (!tail->parts[partition].is_wanted) {
        return 0;
    }
    tail->wanted++;
    return wr_log_reader_assign(tail->reader, tail->topic, partition, offset, err);
}

/* ---- opening ---- */

static int read_params(struct tail *tail, struct start *start, int64_t *partition,
                       struct weir_error *err)
{
    const struct wr_api_request *request = tail->request;
    const char *format = wr_api_param(request, "format");
    const char *key = wr_api_param(request, "key");
    tail->key = wr_bytes_of_str(wr_str_of(key));
    tail->is_plain = format != NULL && strcmp(format, "plain") == 0;
    if (format != NULL && !tail->is_plain && strcmp(format, "json") != 0) {
        return wr_fail(err, WEIR_E_INPUT, "format must be json or plain, not '%.60s'", format);
    }
    int rc = wr_api_flag(request, "follow", &tail->follows, err);
    rc = rc < 0 ? rc : wr_api_i64(request, "max", 0, INT64_MAX, &tail->left, err);
    rc = rc < 0 ? rc : wr_api_i64(request, "partition", 0, UINT32_MAX, partition, err);
    return rc < 0 ? rc : read_start(wr_api_param(request, "from"), tail->follows, start, err);
}

static int assign_all(struct tail *tail, const struct start *start, int64_t only,
                      struct weir_error *err)
{
    uint32_t count = tail->topic->partition_count;
    if (only >= (int64_t)count) {
        return wr_fail(err, WEIR_E_INPUT, "topic '%s' has %u partitions; there is no %lld",
                       tail->topic->name, count, (long long)only);
    }
    tail->parts = wr_alloc_array(count, sizeof(*tail->parts));
    if (tail->parts == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%u partitions", count);
    }
    int rc = 0;
    for (uint32_t p = 0; p < count && rc == 0; p++) {
        if (only < 0 || only == (int64_t)p) {
            rc = assign(tail, p, start, err);
        }
    }
    return rc;
}

static int tail_open(const struct wr_api_request *request, void **state, struct weir_error *err)
{
    struct tail *tail = wr_alloc_array(1, sizeof(*tail));
    struct start start = {AT_OFFSET, 0};
    int64_t partition = -1;
    if (tail == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a tail");
    }
    tail->request = request;
    tail->left = INT64_MAX;
    tail->out = wr_writer_growing(LINE_MAX_BYTES);
    int rc = read_params(tail, &start, &partition, err);
    rc = rc < 0 ? rc : wr_api_check_internal(request, request->args[0], err);
    rc = rc < 0
             ? rc
             : wr_api_topic_result(
                   wr_log_topic_find(request->api->log, request->args[0], &tail->topic, err), err);
    const struct wr_log_reader_options options = {.isolation = WR_READ_COMMITTED};
    rc = rc < 0 ? rc : wr_log_reader_open(request->api->log, &options, &tail->reader, err);
    rc = rc < 0 ? rc : assign_all(tail, &start, partition, err);
    if (rc < 0) {
        tail_close(tail);
        return rc;
    }
    *state = tail;
    return 0;
}

static int tail_take(void *state, struct wr_bytes body, struct weir_error *err)
{
    WR_UNUSED(state);
    return body.len == 0 ? 0 : wr_fail(err, WEIR_E_INPUT, "a GET has no body");
}

static int tail_finish(void *state, struct weir_error *err)
{
    WR_UNUSED(state);
    WR_UNUSED(err);
    return 0;
}

/* ---- reading ---- */

/* Show the next record of the chunk, if it is one to show. */
static void show(struct tail *tail)
{
    const struct wr_log_record *record = &tail->chunk.records[tail->next++];
    const struct part *part = &tail->parts[tail->chunk.partition];
    bool is_key = tail->key.ptr == NULL ||
                  (record->record.key.ptr != NULL && wr_bytes_eq(record->record.key, tail->key));
    if (!is_key || (!tail->follows && record->offset >= part->end)) {
        return;
    }
    if (tail->is_plain) {
        wr_put_record_plain(&tail->out, tail->topic->name, tail->chunk.partition, record);
    } else {
        wr_put_record_json(&tail->out, tail->topic->name, tail->chunk.partition, record);
    }
    tail->left--;
}

/* Is the end of the chunk's partition reached? Then no more of it is read. */
static int leave_at_end(struct tail *tail, struct weir_error *err)
{
    uint32_t partition = tail->chunk.partition;
    struct part *part = &tail->parts[partition];
    bool is_end = !tail->follows && part->is_wanted && tail->chunk.next_offset >= part->end;
    if (!is_end) {
        return 0;
    }
    part->is_wanted = false;
    tail->wanted--;
    return wr_log_reader_unassign(tail->reader, tail->topic, partition, err);
}

/* Wait for more. 1 when there may be, 0 when the client has gone. */
static int wait_for_more(const struct tail *tail, struct weir_error *err)
{
    const int fds[] = {tail->request->api->stop_fd, tail->request->hangup_fd,
                       wr_log_reader_fd(tail->reader)};
    int index = wr_wait_any(fds, 3, -1);
    if (index == 0) {
        return wr_fail(err, WEIR_E_CONNECT, "weir was stopped");
    }
    return index == 1 ? 0 : 1;
}

/* The next chunk. 1 when there is one, 0 at the end of all. */
static int next_chunk(struct tail *tail, struct weir_error *err)
{
    int rc = 1;
    while (rc == 1 && tail->wanted > 0) {
        rc = wr_log_reader_poll(tail->reader, 0, &tail->chunk, err);
        tail->next = 0;
        if (rc < 0 || tail->chunk.kind == WR_POLL_RECORDS) {
            return rc < 0 ? rc : 1;
        }
        rc = wait_for_more(tail, err);
    }
    return rc < 0 ? rc : 0;
}

static bool has_records(const struct tail *tail)
{
    return tail->chunk.kind == WR_POLL_RECORDS && tail->next < tail->chunk.count;
}

/* Make lines until there are enough, or all that is at hand is shown. 0 at the end of all. */
static int fill(struct tail *tail, struct weir_error *err)
{
    while (tail->out.len == 0 && tail->left > 0) {
        int rc = 1;
        if (!has_records(tail)) {
            rc = next_chunk(tail, err);
        }
        if (rc <= 0) {
            return rc;
        }
        while (has_records(tail) && tail->left > 0 && tail->out.len < FILL_BYTES) {
            show(tail);
        }
        rc = has_records(tail) ? 0 : leave_at_end(tail, err);
        rc = rc < 0 ? rc : wr_writer_end(&tail->out, err);
        if (rc < 0) {
            return rc;
        }
    }
    return tail->out.len > 0 ? 1 : 0;
}

static int64_t tail_read(void *state, void *buf, size_t cap, struct weir_error *err)
{
    struct tail *tail = state;
    if (tail->given == tail->out.len) {
        wr_writer_reset(&tail->out);
        tail->given = 0;
        int rc = fill(tail, err);
        if (rc <= 0) {
            return rc;
        }
    }
    size_t left = tail->out.len - tail->given;
    size_t n = left < cap ? left : cap;
    memcpy(buf, tail->out.base + tail->given, n);
    tail->given += n;
    return (int64_t)n;
}

const struct wr_stream_ops wr_api_tail = {.type = "application/x-ndjson",
                                          .open = tail_open,
                                          .take = tail_take,
                                          .finish = tail_finish,
                                          .read = tail_read,
                                          .close = tail_close};
