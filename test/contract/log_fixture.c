/* log_fixture.c - short ways to use a log in a test. */
#include "contract/log_fixture.h"

#include "base/wake.h"

#include <inttypes.h>
#include <poll.h>

enum {
    PATIENCE_MS = 10000
};

const struct variant *variant_under_test;

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return -1;
    }
    f->variant = variant_under_test;
    f->variant->open(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    close_all(f);
    wr_log_close(f->log);
    if (f->variant->remove != NULL) {
        f->variant->remove(f);
    }
    free(f);
    return 0;
}

void close_all(struct fixture *f)
{
    while (f->writer_count > 0) {
        wr_log_writer_close(f->writers[--f->writer_count]);
    }
    while (f->reader_count > 0) {
        wr_log_reader_close(f->readers[--f->reader_count]);
    }
    while (f->topic_count > 0) {
        wr_log_topic_unref(f->topics[--f->topic_count]);
    }
}

static void drive(struct fixture *f)
{
    if (f->variant->drive != NULL) {
        f->variant->drive(f);
    }
}

void restart(struct fixture *f, bool is_clean)
{
    if (!is_clean) {
        f->variant->kill(f);
        return;
    }
    close_all(f);
    wr_log_close(f->log);
    f->log = NULL;
    f->variant->open(f);
}

/* ---- topics ---- */

static struct wr_log_topic *hold_topic(struct fixture *f, struct wr_log_topic *topic)
{
    assert_true(f->topic_count < HELD_MAX);
    f->topics[f->topic_count++] = topic;
    return topic;
}

struct wr_log_topic *make_topic(struct fixture *f, const char *name, uint32_t partitions,
                                const char *settings)
{
    char text[400];
    struct wr_topic_setting list[8];
    size_t count = 0;
    (void)snprintf(text, sizeof(text), "%s", settings == NULL ? "" : settings);
    for (char *at = text; *at != 0; count++) {
        assert_true(count < 8);
        char *value = strchr(at, '=');
        assert_non_null(value);
        *value++ = 0;
        list[count] = (struct wr_topic_setting){at, value};
        at = value + strcspn(value, ",");
        at += *at == ',' ? (*at = 0, 1) : 0;
    }
    struct wr_topic_spec spec = {name, partitions, list, count};
    struct wr_log_topic *topic = NULL;
    assert_int_equal(wr_log_topic_create(f->log, &spec, &topic, &f->err), 0);
    return hold_topic(f, topic);
}

struct wr_log_topic *find_topic(struct fixture *f, const char *name)
{
    struct wr_log_topic *topic = NULL;
    assert_int_equal(wr_log_topic_find(f->log, name, &topic, &f->err), 0);
    return hold_topic(f, topic);
}

struct wr_partition_info info_of(struct fixture *f, const struct wr_log_topic *topic,
                                 uint32_t partition)
{
    struct wr_partition_info info;
    assert_int_equal(wr_log_partition_info(f->log, topic, partition, &info, &f->err), 0);
    return info;
}

/* ---- writers ---- */

struct wr_log_writer *open_writer(struct fixture *f, const char *id)
{
    struct wr_log_writer *writer = NULL;
    assert_int_equal(
        wr_log_writer_open(f->log, &(struct wr_log_writer_options){.id = id}, &writer, &f->err), 0);
    assert_true(f->writer_count < HELD_MAX);
    f->writers[f->writer_count++] = writer;
    return writer;
}

void close_writer(struct fixture *f, struct wr_log_writer *writer)
{
    size_t i = 0;
    while (f->writers[i] != writer) {
        i++;
        assert_true(i < f->writer_count);
    }
    f->writers[i] = f->writers[--f->writer_count];
    wr_log_writer_close(writer);
}

void append(struct fixture *f, struct wr_log_writer *writer, struct wr_log_topic *topic,
            uint32_t partition, const char *key, const char *value)
{
    struct wr_record record = {
        .key = wr_bytes_of_str(wr_str_of(key)),
        .value = wr_bytes_of_str(wr_str_of(value)),
        .timestamp_ms = -1,
    };
    assert_int_equal(wr_log_append(writer, topic, partition, &record, &f->err), 0);
}

uint64_t commit(struct fixture *f, struct wr_log_writer *writer)
{
    uint64_t number = 0;
    assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &number, &f->err), 0);
    return number;
}

struct wr_log_answer take_answer(struct fixture *f, struct wr_log_writer *writer)
{
    struct wr_log_answer answer;
    int rc = wr_log_writer_poll(writer, &answer, &f->err);
    if (rc == 0) {
        int fd = wr_log_writer_fd(writer);
        drive(f);
        assert_int_equal(wr_wait_any(&fd, 1, PATIENCE_MS), 0);
        rc = wr_log_writer_poll(writer, &answer, &f->err);
    }
    assert_int_equal(rc, 1);
    return answer;
}

/* The next answer, which must be DONE. */
static struct wr_log_answer take_done(struct fixture *f, struct wr_log_writer *writer)
{
    struct wr_log_answer answer = take_answer(f, writer);
    if (answer.outcome != WR_COMMIT_DONE) {
        fail_msg("commit %llu: %s", (unsigned long long)answer.commit, answer.err.text);
    }
    return answer;
}

struct wr_log_answer commit_done(struct fixture *f, struct wr_log_writer *writer)
{
    uint64_t number = commit(f, writer);
    struct wr_log_answer answer = take_done(f, writer);
    while (answer.commit != number) {
        answer = take_done(f, writer);
    }
    return answer;
}

void put(struct fixture *f, struct wr_log_writer *writer, struct wr_log_topic *topic,
         uint32_t partition, const char *value)
{
    append(f, writer, topic, partition, NULL, value);
    (void)commit_done(f, writer);
}

void end_done(struct fixture *f, struct wr_log_writer *writer, bool keep)
{
    uint64_t number = 0;
    assert_int_equal(wr_log_writer_end(writer, keep, &number, &f->err), 0);
    struct wr_log_answer answer = take_done(f, writer);
    while (answer.commit < number) {
        answer = take_done(f, writer);
    }
    assert_int_equal(answer.commit, number);
}

/* ---- readers ---- */

struct wr_log_reader *open_reader(struct fixture *f, enum wr_isolation isolation)
{
    struct wr_log_reader *reader = NULL;
    struct wr_log_reader_options options = {.isolation = isolation};
    assert_int_equal(wr_log_reader_open(f->log, &options, &reader, &f->err), 0);
    assert_true(f->reader_count < HELD_MAX);
    f->readers[f->reader_count++] = reader;
    return reader;
}

void close_reader(struct fixture *f, struct wr_log_reader *reader)
{
    size_t i = 0;
    while (f->readers[i] != reader) {
        i++;
        assert_true(i < f->reader_count);
    }
    f->readers[i] = f->readers[--f->reader_count];
    wr_log_reader_close(reader);
}

bool is_readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

struct wr_log_chunk take_chunk(struct fixture *f, struct wr_log_reader *reader)
{
    struct wr_log_chunk chunk;
    drive(f);
    if (wr_log_reader_poll(reader, PATIENCE_MS, &chunk, &f->err) < 0) {
        fail_msg("poll: %s", f->err.text);
    }
    assert_int_not_equal(chunk.kind, WR_POLL_NONE);
    return chunk;
}

enum {
    SEEN_MAX = 4000
};

static void note(char *text, const struct wr_log_chunk *chunk, bool with_partition)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < chunk->count; i++) {
        const struct wr_log_record *r = &chunk->records[i];
        struct wr_str value = wr_str_of_bytes(r->record.value);
        if (with_partition) {
            len += (size_t)snprintf(text + len, SEEN_MAX - len, "%s%u:", len == 0 ? "" : " ",
                                    chunk->partition);
        } else {
            len += (size_t)snprintf(text + len, SEEN_MAX - len, "%s", len == 0 ? "" : " ");
        }
        len += (size_t)snprintf(text + len, SEEN_MAX - len, "%" PRId64 "=%.*s", r->offset,
                                value.ptr == NULL ? 1 : (int)value.len,
                                value.ptr == NULL ? "-" : value.ptr);
        assert_true(len < SEEN_MAX);
    }
}

static struct wr_log_chunk poll_now(struct fixture *f, struct wr_log_reader *reader)
{
    struct wr_log_chunk chunk;
    if (wr_log_reader_poll(reader, 0, &chunk, &f->err) < 0) {
        fail_msg("poll: %s", f->err.text);
    }
    return chunk;
}

/* Poll until nothing is left. */
static void note_all(struct fixture *f, struct wr_log_reader *reader, char *text,
                     bool with_partition)
{
    text[0] = 0;
    drive(f);
    struct wr_log_chunk chunk = poll_now(f, reader);
    while (chunk.kind != WR_POLL_NONE) {
        note(text, &chunk, with_partition);
        chunk = poll_now(f, reader);
    }
}

const char *read_now(struct fixture *f, struct wr_log_reader *reader)
{
    static char text[SEEN_MAX];
    note_all(f, reader, text, true);
    return text;
}

static const char *seen_by(struct fixture *f, enum wr_isolation isolation,
                           struct wr_log_topic *topic, uint32_t partition)
{
    static char text[SEEN_MAX];
    struct wr_log_reader *reader = open_reader(f, isolation);
    assert_int_equal(wr_log_reader_assign(reader, topic, partition, WR_OFFSET_EARLIEST, &f->err),
                     0);
    note_all(f, reader, text, false);
    close_reader(f, reader);
    return text;
}

const char *seen(struct fixture *f, struct wr_log_topic *topic, uint32_t partition)
{
    return seen_by(f, WR_READ_COMMITTED, topic, partition);
}

const char *seen_raw(struct fixture *f, struct wr_log_topic *topic, uint32_t partition)
{
    return seen_by(f, WR_READ_UNCOMMITTED, topic, partition);
}
