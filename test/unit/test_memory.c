/*
 * What the model can be told to do. That it keeps the contract of a log is tested with the other engines,
 * in test/contract/; here are the answers that workers must survive: each outcome of a commit, answers
 * held back, calls that fail, cut, taken back and damaged partitions, revoked and lost ones.
 */
#include "log/memory.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture {
    struct wr_log *log;
    struct wr_log_topic *topic; /* "t", two partitions */
    struct wr_log_writer *writer;
    struct wr_log_reader *reader; /* of partition 0, from the start */
    struct weir_error err;
};

static struct wr_log_writer *open_writer(struct wr_log *log, const char *id)
{
    struct weir_error err;
    struct wr_log_writer *writer = NULL;
    assert_int_equal(
        wr_log_writer_open(log, &(struct wr_log_writer_options){.id = id}, &writer, &err), 0);
    return writer;
}

static struct wr_log_reader *open_reader(struct wr_log *log)
{
    struct weir_error err;
    struct wr_log_reader *reader = NULL;
    assert_int_equal(wr_log_reader_open(log, &(struct wr_log_reader_options){0}, &reader, &err), 0);
    return reader;
}

static struct fixture begin(const struct wr_memory_options *options)
{
    struct fixture f = {.log = wr_memory_log_open(options)};
    assert_int_equal(wr_log_topic_create(f.log,
                                         &(struct wr_topic_spec){.name = "t", .partition_count = 2},
                                         &f.topic, &f.err),
                     0);
    f.writer = open_writer(f.log, "w");
    f.reader = open_reader(f.log);
    assert_int_equal(wr_log_reader_assign(f.reader, f.topic, 0, WR_OFFSET_EARLIEST, &f.err), 0);
    return f;
}

static void finish(struct fixture *f)
{
    wr_log_writer_close(f->writer);
    wr_log_reader_close(f->reader);
    wr_log_topic_unref(f->topic);
    wr_log_close(f->log);
}

/* Append `value` to partition 0. */
static void append(struct fixture *f, const char *value)
{
    struct wr_record record = {.value = wr_bytes_of_str(wr_str_of(value))};
    assert_int_equal(wr_log_append(f->writer, f->topic, 0, &record, &f->err), 0);
}

static uint64_t commit(struct fixture *f, const char *value)
{
    uint64_t number = 0;
    append(f, value);
    assert_int_equal(wr_log_writer_commit(f->writer, 0, &number, &f->err), 0);
    return number;
}

/* The next answer must be this one. */
static void expect(struct fixture *f, uint64_t commit, enum wr_outcome outcome, int code)
{
    struct wr_log_answer answer;
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 1);
    assert_int_equal(answer.commit, commit);
    assert_int_equal(answer.outcome, outcome);
    if (outcome != WR_COMMIT_DONE) {
        assert_int_equal(answer.err.code, code);
        assert_int_equal(answer.written_count, 0);
    }
}

static void expect_no_answer(struct fixture *f)
{
    struct wr_log_answer answer;
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 0);
    struct pollfd fd = {.fd = wr_log_writer_fd(f->writer), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 0), 0);
}

/* All that the reader is given now: "0:a 1:b ". */
static const char *read_all(struct wr_log_reader *reader)
{
    static char text[400];
    struct weir_error err;
    struct wr_log_chunk chunk;
    size_t len = 0;
    text[0] = 0;
    for (;;) {
        assert_int_equal(wr_log_reader_poll(reader, 0, &chunk, &err), 0);
        if (chunk.kind == WR_POLL_NONE) {
            return text;
        }
        for (size_t i = 0; i < chunk.count; i++) {
            const struct wr_bytes *value = &chunk.records[i].record.value;
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%lld:%.*s ",
                                    (long long)chunk.records[i].offset, (int)value->len,
                                    (const char *)value->ptr);
        }
    }
}

/* ---- outcomes ---- */

static void again_holds_the_commit_and_those_behind_it_until_retried(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    wr_memory_log_next_outcome(f.log, WR_MEMORY_DONE);
    wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN);
    (void)commit(&f, "a");
    (void)commit(&f, "b");
    (void)commit(&f, "c");
    expect(&f, 1, WR_COMMIT_DONE, 0);
    expect(&f, 2, WR_COMMIT_AGAIN, WEIR_E_FULL);
    expect_no_answer(&f);
    assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), WEIR_E_BUSY);
    assert_string_equal(read_all(f.reader), "0:a ");
    wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN);
    assert_int_equal(wr_log_writer_retry(f.writer, &f.err), 0);
    expect(&f, 2, WR_COMMIT_AGAIN, WEIR_E_FULL);
    assert_int_equal(wr_log_writer_retry(f.writer, &f.err), 0);
    expect(&f, 2, WR_COMMIT_DONE, 0);
    expect(&f, 3, WR_COMMIT_DONE, 0);
    assert_string_equal(read_all(f.reader), "1:b 2:c ");
    finish(&f);
}

static void rewind_drops_all_that_is_under_way_and_pending(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    wr_memory_log_next_outcome(f.log, WR_MEMORY_REWIND);
    (void)commit(&f, "a");
    (void)commit(&f, "b"); /* before the answer is taken: dropped too */
    append(&f, "c");
    expect(&f, 1, WR_COMMIT_REWIND, WEIR_E_CONNECT);
    expect_no_answer(&f);
    assert_int_equal(wr_log_writer_pending(f.writer, NULL), 0);
    assert_int_equal(commit(&f, "d"), 3);
    expect(&f, 3, WR_COMMIT_DONE, 0);
    assert_string_equal(read_all(f.reader), "0:d ");
    finish(&f);
}

static void rewind_aborts_the_marked_transaction(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    assert_int_equal(wr_log_writer_mark(f.writer, &f.err), 0);
    (void)commit(&f, "a");
    wr_memory_log_next_outcome(f.log, WR_MEMORY_REWIND);
    (void)commit(&f, "b");
    expect(&f, 1, WR_COMMIT_DONE, 0);
    expect(&f, 2, WR_COMMIT_REWIND, WEIR_E_CONNECT);
    assert_int_equal(wr_log_writer_mark(f.writer, &f.err), 0); /* not marked any more */
    (void)commit(&f, "c");
    assert_int_equal(wr_log_writer_end(f.writer, true, NULL, &f.err), 0);
    assert_string_equal(read_all(f.reader), "2:c ");
    finish(&f);
}

static void unknown_may_be_done_or_not_and_ends_the_writer(void **state)
{
    (void)state;
    for (int is_done = 0; is_done < 2; is_done++) {
        struct fixture f = begin(NULL);
        wr_memory_log_next_outcome(f.log,
                                   is_done == 1 ? WR_MEMORY_UNKNOWN_DONE : WR_MEMORY_UNKNOWN);
        (void)commit(&f, "a");
        (void)commit(&f, "b"); /* never done: it came after */
        expect(&f, 1, WR_COMMIT_UNKNOWN, WEIR_E_CONNECT);
        expect_no_answer(&f);
        assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), WEIR_E_FENCED);
        assert_string_equal(read_all(f.reader), is_done == 1 ? "0:a " : "");
        finish(&f);
    }
}

static void an_unknown_end_leaves_the_transaction_to_the_next_writer_of_the_id(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_partition_info info;
    assert_int_equal(wr_log_writer_mark(f.writer, &f.err), 0);
    (void)commit(&f, "a");
    expect(&f, 1, WR_COMMIT_DONE, 0);
    wr_memory_log_next_outcome(f.log, WR_MEMORY_UNKNOWN);
    assert_int_equal(wr_log_writer_end(f.writer, true, NULL, &f.err), 0);
    expect(&f, 2, WR_COMMIT_UNKNOWN, WEIR_E_CONNECT);
    assert_int_equal(wr_log_partition_info(f.log, f.topic, 0, &info, &f.err), 0);
    assert_int_equal(info.last_stable, 0);
    struct wr_log_writer *next = open_writer(f.log, "w");
    assert_int_equal(wr_log_partition_info(f.log, f.topic, 0, &info, &f.err), 0);
    assert_int_equal(info.last_stable, info.high_watermark);
    assert_string_equal(read_all(f.reader), "");
    wr_log_writer_close(next);
    finish(&f);
}

static void fenced_by_script_looks_as_if_another_had_taken_over(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    wr_memory_log_next_outcome(f.log, WR_MEMORY_FENCED);
    (void)commit(&f, "a");
    expect(&f, 1, WR_COMMIT_FENCED, WEIR_E_FENCED);
    assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), WEIR_E_FENCED);
    assert_string_equal(read_all(f.reader), "");
    finish(&f);
}

/* ---- holding back ---- */

static void held_commits_are_neither_done_nor_seen_until_released(void **state)
{
    (void)state;
    struct fixture f = begin(&(struct wr_memory_options){.commits_in_flight_max = 2});
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    (void)commit(&f, "a");
    (void)commit(&f, "b");
    append(&f, "c");
    assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), WEIR_E_AGAIN);
    assert_int_equal(wr_memory_log_waiting(f.log), 2);
    expect_no_answer(&f);
    assert_string_equal(read_all(f.reader), "");
    assert_int_equal(wr_memory_log_release(f.log, 1), 1);
    expect(&f, 1, WR_COMMIT_DONE, 0);
    assert_string_equal(read_all(f.reader), "0:a ");
    assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), 0); /* "c" is still there */
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    assert_string_equal(read_all(f.reader), "1:b 2:c ");
    finish(&f);
}

static void held_answers_are_for_commits_that_are_done_and_seen(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_ANSWERS);
    (void)commit(&f, "a");
    (void)commit(&f, "b");
    assert_string_equal(read_all(f.reader), "0:a 1:b ");
    expect_no_answer(&f);
    assert_int_equal(wr_memory_log_release(f.log, 1), 1);
    expect(&f, 1, WR_COMMIT_DONE, 0);
    expect_no_answer(&f);
    assert_int_equal(wr_memory_log_release(f.log, 10), 1);
    expect(&f, 2, WR_COMMIT_DONE, 0);
    finish(&f);
}

static void a_writer_closed_with_held_commits_leaves_them_to_the_log(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    (void)commit(&f, "a");
    wr_log_writer_close(f.writer);
    f.writer = NULL;
    assert_string_equal(read_all(f.reader), "");
    assert_int_equal(wr_memory_log_release(f.log, 1), 1);
    assert_string_equal(read_all(f.reader), "0:a ");
    finish(&f);
}

/* ---- failures ---- */

static void a_call_fails_once_when_told_to(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_topic *topic = NULL;
    struct wr_topic_spec spec = {.name = "u", .partition_count = 1};
    wr_memory_log_fail_call(f.log, WR_MEMORY_TOPIC_CREATE, 1, WEIR_E_FULL);
    assert_int_equal(wr_log_topic_create(f.log, &spec, NULL, &f.err), WEIR_E_FULL);
    assert_int_equal(wr_log_topic_find(f.log, "u", &topic, &f.err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_topic_create(f.log, &spec, NULL, &f.err), 0);
    struct wr_record record = {.value = {(const uint8_t *)"x", 1}};
    wr_memory_log_fail_call(f.log, WR_MEMORY_APPEND, 2, WEIR_E_LIMIT);
    assert_int_equal(wr_log_append(f.writer, f.topic, 0, &record, &f.err), 0);
    assert_int_equal(wr_log_append(f.writer, f.topic, 0, &record, &f.err), WEIR_E_LIMIT);
    assert_int_equal(wr_log_append(f.writer, f.topic, 0, &record, &f.err), 0);
    assert_int_equal(wr_log_writer_pending(f.writer, NULL), 2);
    finish(&f);
}

struct tried {
    struct fixture *f;
    struct wr_log_reader *reader;
};

static int take_setting(void *arg, const struct wr_topic_setting *setting, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(setting);
    WR_UNUSED(err);
    return 0;
}

static int take_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(topic);
    WR_UNUSED(err);
    return 0;
}

static int try_of_log(struct fixture *f, enum wr_memory_call call)
{
    struct wr_partition_info info;
    const struct wr_topic_spec spec = {.name = "another", .partition_count = 1};
    struct wr_log_topic *found = NULL;
    int64_t offset = 0;
    int rc = 0;
    switch ((int)call) { /* the rest is of the others */
    case WR_MEMORY_TOPIC_CREATE: return wr_log_topic_create(f->log, &spec, NULL, &f->err);
    case WR_MEMORY_TOPIC_DELETE: return wr_log_topic_delete(f->log, "another", &f->err);
    case WR_MEMORY_TOPIC_FIND:
        rc = wr_log_topic_find(f->log, "t", &found, &f->err);
        wr_log_topic_unref(found);
        return rc;
    case WR_MEMORY_TOPIC_LIST: return wr_log_topic_list(f->log, take_topic, NULL, &f->err);
    case WR_MEMORY_TOPIC_SETTINGS:
        return wr_log_topic_settings(f->log, f->topic, take_setting, NULL, &f->err);
    case WR_MEMORY_PARTITION_INFO:
        return wr_log_partition_info(f->log, f->topic, 0, &info, &f->err);
    case WR_MEMORY_OFFSET_FOR_TIME:
        return wr_log_offset_for_time(f->log, f->topic, 0, 0, &offset, &f->err);
    default: return wr_log_epoch_end(f->log, f->topic, 0, 0, &offset, &f->err);
    }
}

static int try_of_writer(struct fixture *f, enum wr_memory_call call)
{
    const struct wr_record record = {.value = {(const uint8_t *)"x", 1}, .timestamp_ms = -1};
    const struct wr_group_offset offset = {.topic = f->topic, .offset = 1};
    const struct wr_log_writer_options options = {.id = "other"};
    struct wr_log_writer *opened = NULL;
    struct wr_log_answer answer;
    uint64_t number = 0;
    int rc = 0;
    switch ((int)call) { /* the rest is of the others */
    case WR_MEMORY_WRITER_OPEN:
        rc = wr_log_writer_open(f->log, &options, &opened, &f->err);
        wr_log_writer_close(opened);
        return rc;
    case WR_MEMORY_APPEND: return wr_log_append(f->writer, f->topic, 0, &record, &f->err);
    case WR_MEMORY_OFFSETS: return wr_log_writer_offsets(f->writer, "g", &offset, 1, &f->err);
    case WR_MEMORY_COMMIT: return wr_log_writer_commit(f->writer, 0, &number, &f->err);
    case WR_MEMORY_MARK: return wr_log_writer_mark(f->writer, &f->err);
    case WR_MEMORY_END:
        assert_int_equal(wr_log_writer_mark(f->writer, &f->err), 0);
        return wr_log_writer_end(f->writer, true, &number, &f->err);
    case WR_MEMORY_RETRY:
        wr_memory_log_next_outcome(f->log, WR_MEMORY_AGAIN);
        expect(f, commit(f, "x"), WR_COMMIT_AGAIN, WEIR_E_FULL);
        return wr_log_writer_retry(f->writer, &f->err);
    default: return wr_log_writer_poll(f->writer, &answer, &f->err);
    }
}

static int try_of_reader(struct tried *t, enum wr_memory_call call)
{
    static const char *const topics[] = {"t"};
    const struct wr_log_reader_options options = {.chunk_bytes = 0};
    struct fixture *f = t->f;
    struct wr_log_reader *opened = NULL;
    struct wr_log_chunk chunk;
    int rc = 0;
    switch ((int)call) { /* the rest is of the others */
    case WR_MEMORY_READER_OPEN:
        rc = wr_log_reader_open(f->log, &options, &opened, &f->err);
        wr_log_reader_close(opened);
        return rc;
    case WR_MEMORY_ASSIGN: return wr_log_reader_assign(t->reader, f->topic, 0, 0, &f->err);
    case WR_MEMORY_UNASSIGN: return wr_log_reader_unassign(t->reader, f->topic, 0, &f->err);
    case WR_MEMORY_JOIN: return wr_log_reader_join(t->reader, "g", topics, 1, &f->err);
    case WR_MEMORY_WATCH: return wr_log_reader_watch(t->reader, &f->err);
    case WR_MEMORY_PAUSE: return wr_log_reader_pause(t->reader, f->topic, 0, true, &f->err);
    default: return wr_log_reader_poll(t->reader, 0, &chunk, &f->err);
    }
}

static void each_call_fails_when_told_to(void **state)
{
    (void)state;
    for (enum wr_memory_call call = 0; call < WR_MEMORY_CALLS; call++) {
        struct fixture f = begin(NULL);
        struct tried t = {.f = &f};
        const struct wr_log_reader_options options = {.chunk_bytes = 0};
        assert_int_equal(wr_log_reader_open(f.log, &options, &t.reader, &f.err), 0);
        wr_memory_log_fail_call(f.log, call, 1, WEIR_E_NOMEM);
        int rc = call < WR_MEMORY_WRITER_OPEN   ? try_of_log(&f, call)
                 : call < WR_MEMORY_READER_OPEN ? try_of_writer(&f, call)
                                                : try_of_reader(&t, call);
        assert_int_equal(rc, WEIR_E_NOMEM);
        assert_non_null(strstr(f.err.text, "told to"));
        wr_log_reader_close(t.reader);
        finish(&f);
    }
}

static void a_broken_log_says_so_everywhere(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_answer answer;
    struct wr_log_chunk chunk;
    (void)commit(&f, "a");
    wr_memory_log_break(f.log);
    assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), WEIR_E_IO);
    assert_int_equal(wr_log_writer_poll(f.writer, &answer, &f.err), WEIR_E_IO);
    assert_int_equal(wr_log_reader_poll(f.reader, -1, &chunk, &f.err), WEIR_E_IO);
    finish(&f);
}

static void what_is_cut_is_out_of_range_for_its_readers(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_chunk chunk;
    for (int i = 0; i < 3; i++) {
        (void)commit(&f, "a");
    }
    wr_memory_log_cut(f.log, f.topic, 0, 2);
    assert_int_equal(wr_log_reader_poll(f.reader, 0, &chunk, &f.err), WEIR_E_RANGE);
    assert_ptr_equal(chunk.topic, f.topic);
    assert_non_null(strstr(f.err.text, "it has 2 .. 3"));
    assert_int_equal(wr_log_reader_assign(f.reader, f.topic, 0, 1, &f.err), WEIR_E_RANGE);
    assert_int_equal(wr_log_reader_assign(f.reader, f.topic, 0, 2, &f.err), 0);
    assert_string_equal(read_all(f.reader), "2:a ");
    finish(&f);
}

static void what_is_taken_back_ends_its_epoch_earlier(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_chunk chunk;
    int64_t end = 0;
    for (int i = 0; i < 3; i++) {
        (void)commit(&f, "a");
    }
    assert_int_equal(wr_log_reader_poll(f.reader, 0, &chunk, &f.err), 0);
    assert_int_equal(chunk.next_offset, 3);
    assert_int_equal(chunk.leader_epoch, 0);
    wr_memory_log_take_back(f.log, f.topic, 0, 1);
    assert_int_equal(wr_log_reader_poll(f.reader, 0, &chunk, &f.err), WEIR_E_RANGE);
    (void)commit(&f, "b");
    assert_int_equal(wr_log_epoch_end(f.log, f.topic, 0, 0, &end, &f.err), 0);
    assert_int_equal(end, 1); /* 3 of epoch 0 lies beyond: it was taken back */
    assert_int_equal(wr_log_epoch_end(f.log, f.topic, 0, 1, &end, &f.err), 0);
    assert_int_equal(end, 2);
    finish(&f);
}

static void damage_is_told_where_it_is_and_refuses_writes(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_chunk chunk;
    (void)commit(&f, "a");
    (void)commit(&f, "b");
    wr_memory_log_damage(f.log, f.topic, 0, 1);
    assert_int_equal(wr_log_reader_poll(f.reader, 0, &chunk, &f.err), 0);
    assert_int_equal(chunk.next_offset, 1);
    assert_int_equal(wr_log_reader_poll(f.reader, 0, &chunk, &f.err), WEIR_E_DAMAGED);
    struct wr_record record = {.value = {(const uint8_t *)"x", 1}};
    assert_int_equal(wr_log_append(f.writer, f.topic, 0, &record, &f.err), WEIR_E_DAMAGED);
    assert_int_equal(wr_log_append(f.writer, f.topic, 1, &record, &f.err), 0);
    wr_memory_log_damage(f.log, f.topic, 0, -1);
    assert_string_equal(read_all(f.reader), "1:b ");
    finish(&f);
}

static void what_it_lacks_is_unsupported(void **state)
{
    (void)state;
    struct fixture f = begin(&(struct wr_memory_options){.lacks = WR_LOG_CAN_MARK});
    assert_int_equal(wr_log_capabilities(f.log) & WR_LOG_CAN_MARK, 0);
    assert_int_equal(wr_log_writer_mark(f.writer, &f.err), WEIR_E_UNSUPPORTED);
    finish(&f);
}

/* ---- groups ---- */

static void expect_event(struct wr_log_reader *reader, enum wr_poll_kind kind, uint32_t partition)
{
    struct weir_error err;
    struct wr_log_chunk chunk;
    assert_int_equal(wr_log_reader_poll(reader, 0, &chunk, &err), 0);
    assert_int_equal(chunk.kind, kind);
    if (kind != WR_POLL_NONE) {
        assert_string_equal(chunk.topic->name, "t");
        assert_int_equal(chunk.partition, partition);
    }
}

static void join(struct wr_log_reader *reader)
{
    static const char *const topics[] = {"t"};
    struct weir_error err;
    assert_int_equal(wr_log_reader_join(reader, "g", topics, 1, &err), 0);
}

static void a_revoked_partition_stays_until_the_poll_after(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_reader *one = open_reader(f.log);
    struct wr_log_reader *two = open_reader(f.log);
    join(one);
    expect_event(one, WR_POLL_ASSIGNED, 0);
    expect_event(one, WR_POLL_ASSIGNED, 1);
    join(two);
    expect_event(two, WR_POLL_NONE, 0);
    expect_event(one, WR_POLL_REVOKED, 1);
    expect_event(two, WR_POLL_NONE, 0); /* not before the other has polled again */
    expect_event(one, WR_POLL_NONE, 0);
    expect_event(two, WR_POLL_ASSIGNED, 1);
    wr_log_reader_close(one);
    expect_event(two, WR_POLL_ASSIGNED, 0);
    wr_log_reader_close(two);
    finish(&f);
}

static void a_lost_partition_is_somebody_elses_at_once(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    struct wr_log_reader *one = open_reader(f.log);
    struct wr_log_reader *two = open_reader(f.log);
    join(one);
    join(two);
    expect_event(one, WR_POLL_ASSIGNED, 0);
    expect_event(one, WR_POLL_ASSIGNED, 1);
    expect_event(one, WR_POLL_REVOKED, 1);
    expect_event(one, WR_POLL_NONE, 0);
    expect_event(two, WR_POLL_ASSIGNED, 1);
    assert_int_equal(wr_log_reader_assign(one, f.topic, 0, 0, &f.err), 0);
    (void)commit(&f, "a");
    wr_memory_log_lose(f.log, "g", "t", 0);
    expect_event(two, WR_POLL_ASSIGNED, 0); /* before the other knows */
    expect_event(one, WR_POLL_LOST, 0);
    expect_event(one, WR_POLL_NONE, 0); /* and it reads no more of it */
    wr_log_reader_close(two);
    expect_event(one, WR_POLL_ASSIGNED, 0);
    expect_event(one, WR_POLL_ASSIGNED, 1);
    wr_memory_log_revoke(f.log, "g", "t", 0); /* alone: gets it back */
    expect_event(one, WR_POLL_REVOKED, 0);
    expect_event(one, WR_POLL_ASSIGNED, 0);
    wr_log_reader_close(one);
    finish(&f);
}

static void group_offsets_move_with_the_commit_and_not_before(void **state)
{
    (void)state;
    struct fixture f = begin(NULL);
    int64_t offset = 0;
    int32_t epoch = 0;
    struct wr_group_offset move = {f.topic, 1, 42, 7};
    append(&f, "a");
    assert_int_equal(wr_log_writer_offsets(f.writer, "g", &move, 1, &f.err), 0);
    assert_int_equal(wr_memory_log_group_offset(f.log, "g", f.topic, 1, &offset, &epoch, &f.err),
                     WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_writer_commit(f.writer, 0, NULL, &f.err), 0);
    assert_int_equal(wr_memory_log_group_offset(f.log, "g", f.topic, 1, &offset, &epoch, &f.err),
                     0);
    assert_int_equal(offset, 42);
    assert_int_equal(epoch, 7);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(again_holds_the_commit_and_those_behind_it_until_retried),
        cmocka_unit_test(rewind_drops_all_that_is_under_way_and_pending),
        cmocka_unit_test(rewind_aborts_the_marked_transaction),
        cmocka_unit_test(unknown_may_be_done_or_not_and_ends_the_writer),
        cmocka_unit_test(an_unknown_end_leaves_the_transaction_to_the_next_writer_of_the_id),
        cmocka_unit_test(fenced_by_script_looks_as_if_another_had_taken_over),
        cmocka_unit_test(held_commits_are_neither_done_nor_seen_until_released),
        cmocka_unit_test(held_answers_are_for_commits_that_are_done_and_seen),
        cmocka_unit_test(a_writer_closed_with_held_commits_leaves_them_to_the_log),
        cmocka_unit_test(a_call_fails_once_when_told_to),
        cmocka_unit_test(each_call_fails_when_told_to),
        cmocka_unit_test(a_broken_log_says_so_everywhere),
        cmocka_unit_test(what_is_cut_is_out_of_range_for_its_readers),
        cmocka_unit_test(what_is_taken_back_ends_its_epoch_earlier),
        cmocka_unit_test(damage_is_told_where_it_is_and_refuses_writes),
        cmocka_unit_test(what_it_lacks_is_unsupported),
        cmocka_unit_test(a_revoked_partition_stays_until_the_poll_after),
        cmocka_unit_test(a_lost_partition_is_somebody_elses_at_once),
        cmocka_unit_test(group_offsets_move_with_the_commit_and_not_before),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
