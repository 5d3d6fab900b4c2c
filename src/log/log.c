/* log.c - checks arguments and results once for all engines, and what is built on the interface alone. */
#include "log/log_ops.h"

#include "base/wake.h"

enum {
    TOPIC_NAME_MAX = 249 /* Kafka: Topic.MAX_NAME_LENGTH */
};

const char *wr_log_engine(const struct wr_log *log)
{
    return log->ops->name;
}

unsigned wr_log_capabilities(const struct wr_log *log)
{
    return log->ops->capabilities;
}

static int need(const struct wr_log *log, enum wr_log_capability what, const char *words,
                struct weir_error *err)
{
    if ((log->ops->capabilities & (unsigned)what) == 0) {
        return wr_fail(err, WEIR_E_UNSUPPORTED, "the %s log has no %s", log->ops->name, words);
    }
    return 0;
}

void wr_log_close(struct wr_log *log)
{
    if (log != NULL) {
        log->ops->close(log);
    }
}

/* ---- topics ---- */

static int check_topic_name(const char *name, struct weir_error *err)
{
    size_t len = strlen(name);
    bool is_legal =
        len > 0 && len <= TOPIC_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    for (size_t i = 0; i < len && is_legal; i++) {
        char c = name[i];
        is_legal = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '.' || c == '_' || c == '-';
    }
    if (!is_legal) {
        return wr_fail(
            err, WEIR_E_INPUT,
            "'%.100s' is no topic name: 1 to %d of a-z A-Z 0-9 . _ - are, but not . and ..", name,
            TOPIC_NAME_MAX);
    }
    return 0;
}

int wr_log_topic_create(struct wr_log *log, const struct wr_topic_spec *spec,
                        struct wr_log_topic **out, struct weir_error *err)
{
    WR_ASSERT(spec->name != NULL);
    int rc = check_topic_name(spec->name, err);
    if (rc < 0) {
        return rc;
    }
    if (spec->partition_count < 1 || spec->partition_count > 100000) {
        return wr_fail(err, WEIR_E_INPUT, "topic '%s': %u partitions, 1 to 100000 are possible",
                       spec->name, spec->partition_count);
    }
    for (size_t i = 0; i < spec->setting_count; i++) {
        WR_ASSERT(spec->settings[i].key != NULL);
        WR_ASSERT(spec->settings[i].value != NULL);
    }
    struct wr_log_topic *topic = NULL;
    rc = log->ops->topic_create(log, spec, &topic, err);
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(topic != NULL);
    if (out != NULL) {
        *out = topic;
    } else {
        wr_log_topic_unref(topic);
    }
    return 0;
}

int wr_log_topic_delete(struct wr_log *log, const char *name, struct weir_error *err)
{
    return log->ops->topic_delete(log, name, err);
}

int wr_log_topic_find(struct wr_log *log, const char *name, struct wr_log_topic **out,
                      struct weir_error *err)
{
    return log->ops->topic_find(log, name, out, err);
}

int wr_log_topic_ensure(struct wr_log *log, const struct wr_topic_spec *spec,
                        struct wr_log_topic **out, struct weir_error *err)
{
    int rc = wr_log_topic_find(log, spec->name, out, err);
    if (rc != WEIR_E_NOTFOUND) {
        return rc;
    }
    rc = wr_log_topic_create(log, spec, out, err);
    if (rc == WEIR_E_EXISTS) { /* somebody else was faster */
        rc = wr_log_topic_find(log, spec->name, out, err);
    }
    return rc;
}

bool wr_topic_is_internal(const char *name)
{
    return strncmp(name, "__weir_", 7) == 0 || strcmp(name, "__consumer_offsets") == 0 ||
           strcmp(name, "__transaction_state") == 0;
}

struct wr_log_topic *wr_log_topic_ref(struct wr_log_topic *topic)
{
    return topic->log->ops->topic_ref(topic);
}

void wr_log_topic_unref(struct wr_log_topic *topic)
{
    if (topic != NULL) {
        topic->log->ops->topic_unref(topic);
    }
}

int wr_log_topic_list(struct wr_log *log,
                      int (*each)(void *arg, struct wr_log_topic *topic, struct weir_error *err),
                      void *arg, struct weir_error *err)
{
    return log->ops->topic_list(log, each, arg, err);
}

int wr_log_topic_settings(struct wr_log *log, const struct wr_log_topic *topic,
                          int (*each)(void *arg, const struct wr_topic_setting *setting,
                                      struct weir_error *err),
                          void *arg, struct weir_error *err)
{
    return log->ops->topic_settings(log, topic, each, arg, err);
}

static int check_partition(const struct wr_log_topic *topic, uint32_t partition,
                           struct weir_error *err)
{
    if (partition >= topic->partition_count) {
        return wr_fail(err, WEIR_E_RANGE, "topic '%s' has no partition %u, it has %u", topic->name,
                       partition, topic->partition_count);
    }
    return 0;
}

int wr_log_partition_info(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                          struct wr_partition_info *out, struct weir_error *err)
{
    int rc = check_partition(topic, partition, err);
    return rc < 0 ? rc : log->ops->partition_info(log, topic, partition, out, err);
}

int wr_log_offset_for_time(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                           int64_t timestamp_ms, int64_t *out, struct weir_error *err)
{
    int rc = check_partition(topic, partition, err);
    return rc < 0 ? rc : log->ops->offset_for_time(log, topic, partition, timestamp_ms, out, err);
}

int wr_log_epoch_end(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                     int32_t leader_epoch, int64_t *out, struct weir_error *err)
{
    int rc = check_partition(topic, partition, err);
    return rc < 0 ? rc : log->ops->epoch_end(log, topic, partition, leader_epoch, out, err);
}

/* ---- writers ---- */

int wr_log_writer_open(struct wr_log *log, const struct wr_log_writer_options *options,
                       struct wr_log_writer **out, struct weir_error *err)
{
    int rc = log->ops->writer_open(log, options, out, err);
    WR_ASSERT(rc < 0 || (*out)->log == log);
    WR_ASSERT(rc < 0 || (*out)->commit_max_bytes > 0);
    return rc;
}

void wr_log_writer_close(struct wr_log_writer *writer)
{
    if (writer != NULL) {
        writer->log->ops->writer_close(writer);
    }
}

size_t wr_log_writer_commit_max(const struct wr_log_writer *writer)
{
    return writer->commit_max_bytes;
}

int wr_log_append(struct wr_log_writer *writer, struct wr_log_topic *topic, uint32_t partition,
                  const struct wr_record *record, struct weir_error *err)
{
    WR_ASSERT(topic->log == writer->log);
    WR_ASSERT(record->header_count == 0 || record->headers != NULL);
    if (partition != WR_PARTITION_BY_KEY) {
        int rc = check_partition(topic, partition, err);
        if (rc < 0) {
            return rc;
        }
    }
    return writer->log->ops->append(writer, topic, partition, record, err);
}

int wr_log_writer_offsets(struct wr_log_writer *writer, const char *group,
                          const struct wr_group_offset *offsets, size_t count,
                          struct weir_error *err)
{
    int rc = need(writer->log, WR_LOG_CAN_GROUP_OFFSETS, "group offsets", err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = check_partition(offsets[i].topic, offsets[i].partition, err);
    }
    return rc < 0 ? rc : writer->log->ops->writer_offsets(writer, group, offsets, count, err);
}

size_t wr_log_writer_pending(const struct wr_log_writer *writer, size_t *bytes)
{
    size_t unused;
    return writer->log->ops->writer_pending(writer, bytes == NULL ? &unused : bytes);
}

int wr_log_writer_commit(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                         struct weir_error *err)
{
    if (writer->is_stalled) {
        return wr_fail(err, WEIR_E_BUSY, "an earlier commit was not done; retry it first");
    }
    uint64_t unused;
    return writer->log->ops->writer_commit(writer, flags, out == NULL ? &unused : out, err);
}

void wr_log_writer_drop(struct wr_log_writer *writer)
{
    writer->log->ops->writer_drop(writer);
}

int wr_log_writer_mark(struct wr_log_writer *writer, struct weir_error *err)
{
    WR_ASSERT(!writer->is_marked);
    WR_ASSERT(wr_log_writer_pending(writer, NULL) == 0);
    int rc = need(writer->log, WR_LOG_CAN_MARK, "marked transactions", err);
    if (rc == 0) {
        rc = writer->log->ops->writer_mark(writer, err);
    }
    writer->is_marked = rc == 0;
    return rc;
}

int wr_log_writer_end(struct wr_log_writer *writer, bool keep, uint64_t *out,
                      struct weir_error *err)
{
    WR_ASSERT(writer->is_marked);
    WR_ASSERT(keep || wr_log_writer_pending(writer, NULL) == 0);
    if (writer->is_stalled) {
        return wr_fail(err, WEIR_E_BUSY, "an earlier commit was not done; retry it first");
    }
    uint64_t unused;
    int rc = writer->log->ops->writer_end(writer, keep, out == NULL ? &unused : out, err);
    if (rc == 0) {
        writer->is_marked = false;
    }
    return rc;
}

int wr_log_writer_retry(struct wr_log_writer *writer, struct weir_error *err)
{
    WR_ASSERT(writer->is_stalled);
    int rc = writer->log->ops->writer_retry(writer, err);
    if (rc == 0) {
        writer->is_stalled = false;
    }
    return rc;
}

int wr_log_writer_poll(struct wr_log_writer *writer, struct wr_log_answer *out,
                       struct weir_error *err)
{
    int rc = writer->log->ops->writer_poll(writer, out, err);
    if (rc == 1) {
        WR_ASSERT(out->commit > 0);
        WR_ASSERT(out->outcome == WR_COMMIT_DONE || out->err.code < 0);
        writer->is_stalled = out->outcome == WR_COMMIT_AGAIN;
        writer->is_marked = writer->is_marked && out->outcome != WR_COMMIT_REWIND;
    }
    return rc;
}

int wr_log_writer_fd(const struct wr_log_writer *writer)
{
    return writer->log->ops->writer_fd(writer);
}

int wr_log_writer_wait(struct wr_log_writer *writer, uint64_t commit, int timeout_ms,
                       struct weir_error *err)
{
    int64_t deadline_ms = wr_mono_ms(wr_clock_os()) + timeout_ms;
    for (;;) {
        struct wr_log_answer answer;
        int rc = wr_log_writer_poll(writer, &answer, err);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1 && answer.outcome != WR_COMMIT_DONE) {
            *err = answer.err;
            return err->code;
        }
        if (rc == 1 && answer.commit >= commit) {
            return 0;
        }
        int64_t left_ms = deadline_ms - wr_mono_ms(wr_clock_os());
        if (rc == 0 && timeout_ms >= 0 && left_ms <= 0) {
            return wr_fail(err, WEIR_E_AGAIN, "commit %llu is not answered within %d ms",
                           (unsigned long long)commit, timeout_ms);
        }
        if (rc == 0) {
            int fd = wr_log_writer_fd(writer);
            (void)wr_wait_any(&fd, 1, timeout_ms < 0 ? -1 : (int)left_ms);
        }
    }
}

/* ---- readers ---- */

int wr_log_reader_open(struct wr_log *log, const struct wr_log_reader_options *options,
                       struct wr_log_reader **out, struct weir_error *err)
{
    int rc = log->ops->reader_open(log, options, out, err);
    WR_ASSERT(rc < 0 || (*out)->log == log);
    return rc;
}

void wr_log_reader_close(struct wr_log_reader *reader)
{
    if (reader != NULL) {
        reader->log->ops->reader_close(reader);
    }
}

int wr_log_reader_assign(struct wr_log_reader *reader, struct wr_log_topic *topic,
                         uint32_t partition, int64_t offset, struct weir_error *err)
{
    WR_ASSERT(topic->log == reader->log);
    WR_ASSERT(offset >= WR_OFFSET_EARLIEST);
    int rc = check_partition(topic, partition, err);
    return rc < 0 ? rc : reader->log->ops->reader_assign(reader, topic, partition, offset, err);
}

int wr_log_reader_unassign(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                           uint32_t partition, struct weir_error *err)
{
    int rc = check_partition(topic, partition, err);
    return rc < 0 ? rc : reader->log->ops->reader_unassign(reader, topic, partition, err);
}

int wr_log_reader_join(struct wr_log_reader *reader, const char *group, const char *const *topics,
                       size_t count, struct weir_error *err)
{
    int rc = need(reader->log, WR_LOG_CAN_JOIN, "groups of readers", err);
    return rc < 0 ? rc : reader->log->ops->reader_join(reader, group, topics, count, err);
}

int wr_log_reader_watch(struct wr_log_reader *reader, struct weir_error *err)
{
    return reader->log->ops->reader_watch(reader, err);
}

int wr_log_reader_pause(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                        uint32_t partition, bool is_paused, struct weir_error *err)
{
    int rc = check_partition(topic, partition, err);
    return rc < 0 ? rc : reader->log->ops->reader_pause(reader, topic, partition, is_paused, err);
}

int wr_log_reader_poll(struct wr_log_reader *reader, int timeout_ms, struct wr_log_chunk *out,
                       struct weir_error *err)
{
    int rc = reader->log->ops->reader_poll(reader, timeout_ms, out, err);
    WR_ASSERT(rc <= 0);
    for (size_t i = 1; rc == 0 && out->kind == WR_POLL_RECORDS && i < out->count; i++) {
        WR_ASSERT(out->records[i - 1].offset < out->records[i].offset);
    }
    return rc;
}

int wr_log_reader_fd(const struct wr_log_reader *reader)
{
    return reader->log->ops->reader_fd(reader);
}

void wr_log_reader_wake(struct wr_log_reader *reader)
{
    reader->log->ops->reader_wake(reader);
}

/* ---- over the interface ---- */

/* Put a copy of `value` (a null one too) in place of *last. */
static int keep_copy(struct wr_bytes value, struct wr_bytes *last, struct weir_error *err)
{
    char *copy = value.ptr == NULL ? NULL : wr_strdup(wr_str_of_bytes(value));
    if (copy == NULL && value.ptr != NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "value of %zu bytes", value.len);
    }
    wr_free((void *)(uintptr_t)last->ptr);
    *last = (struct wr_bytes){(const uint8_t *)copy, copy == NULL ? 0 : value.len};
    return 0;
}

/* Keep a copy of the newest value of `key` among the chunk's records. */
static int keep_value(const struct wr_log_chunk *chunk, struct wr_bytes key, struct wr_bytes *last,
                      struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < chunk->count && rc == 0; i++) {
        const struct wr_record *record = &chunk->records[i].record;
        if (record->key.ptr != NULL && wr_bytes_eq(record->key, key)) {
            rc = keep_copy(record->value, last, err);
        }
    }
    return rc;
}

static int scan_last_value(struct wr_log *log, struct wr_log_topic *topic, struct wr_bytes key,
                           struct wr_bytes *last, struct weir_error *err)
{
    struct wr_partition_info info;
    int rc = wr_log_partition_info(log, topic, 0, &info, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_log_reader *reader = NULL;
    rc = wr_log_reader_open(log, &(struct wr_log_reader_options){0}, &reader, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_log_reader_assign(reader, topic, 0, WR_OFFSET_EARLIEST, err);
    int64_t next = info.log_start;
    while (rc == 0 && next < info.last_stable) {
        struct wr_log_chunk chunk;
        rc = wr_log_reader_poll(reader, -1, &chunk, err);
        if (rc == 0 && chunk.kind == WR_POLL_RECORDS) {
            rc = keep_value(&chunk, key, last, err);
            next = chunk.next_offset;
        }
    }
    wr_log_reader_close(reader);
    return rc;
}

int wr_log_last_value(struct wr_log *log, const char *topic, struct wr_bytes key,
                      struct wr_bytes *out, struct weir_error *err)
{
    struct wr_log_topic *handle = NULL;
    int rc = wr_log_topic_find(log, topic, &handle, err);
    if (rc == WEIR_E_NOTFOUND) {
        *out = (struct wr_bytes){NULL, 0};
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    struct wr_bytes last = {NULL, 0};
    rc = scan_last_value(log, handle, key, &last, err);
    wr_log_topic_unref(handle);
    if (rc < 0) {
        wr_free((void *)(uintptr_t)last.ptr);
        return wr_wrap(err, "last value in '%s'", topic);
    }
    *out = last;
    return 0;
}
