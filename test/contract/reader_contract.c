/* reader_contract.c - reading: from where, how far, in which turn, and how a reader waits. */
#include "contract/log_fixture.h"

#include "base/clock.h"
#include "base/wake.h"

#include <pthread.h>
#include <sys/resource.h>

static void assign(struct fixture *f, struct wr_log_reader *r, struct wr_log_topic *t,
                   uint32_t partition, int64_t offset)
{
    assert_int_equal(wr_log_reader_assign(r, t, partition, offset, &f->err), 0);
}

/* A topic of `partitions`, with "a", "b", "c" in each, one commit a value. */
static struct wr_log_topic *filled_topic(struct fixture *f, uint32_t partitions)
{
    static const char *const values[] = {"a", "b", "c"};
    struct wr_log_topic *t = make_topic(f, "t", partitions, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    for (size_t i = 0; i < 3; i++) {
        for (uint32_t p = 0; p < partitions; p++) {
            append(f, w, t, p, NULL, values[i]);
        }
        (void)commit_done(f, w);
    }
    close_writer(f, w);
    return t;
}

/* ---- from where ---- */

static void reads_from_the_start_the_end_or_an_offset(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *start = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_reader *end = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_reader *middle = open_reader(f, WR_READ_COMMITTED);
    assign(f, start, t, 0, WR_OFFSET_EARLIEST);
    assign(f, end, t, 0, WR_OFFSET_LATEST);
    assign(f, middle, t, 0, 1);
    put(f, w, t, 0, "d");
    assert_string_equal(read_now(f, start), "0:0=a 0:1=b 0:2=c 0:3=d");
    assert_string_equal(read_now(f, end), "0:3=d");
    assert_string_equal(read_now(f, middle), "0:1=b 0:2=c 0:3=d");
}

static void a_chunk_says_where_to_go_on(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 1);
    int64_t next = 1;
    while (next < 3) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        assert_string_equal(chunk.topic->name, "t");
        assert_memory_equal(&chunk.topic->id, &t->id, sizeof(t->id));
        assert_int_equal(chunk.partition, 0);
        assert_int_equal(chunk.records[0].offset, next);
        next = chunk.records[chunk.count - 1].offset + 1;
        assert_int_equal(chunk.next_offset, next);
        assert_int_equal(chunk.leader_epoch, info_of(f, t, 0).leader_epoch);
    }
}

/* Values of many lengths, so that whatever a reader takes at once ends anywhere within a batch. */
static void many_commits_come_back_as_they_were(void **state)
{
    enum {
        COMMITS = 2000,
        LENGTHS = 97
    };
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    const struct wr_log_reader_options options = {.chunk_bytes = 64 << 10};
    struct wr_log_reader *r = NULL;
    assert_int_equal(wr_log_reader_open(f->log, &options, &r, &f->err), 0);
    char values[LENGTHS + 1];
    for (int64_t i = 0; i < COMMITS; i++) {
        (void)snprintf(values, sizeof(values), "%0*d", (int)(i % LENGTHS) + 1, (int)(i % 10));
        append(f, w, t, 0, NULL, values);
        (void)commit_done(f, w);
    }
    assign(f, r, t, 0, 0);
    int64_t next = 0;
    while (next < COMMITS) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        for (size_t i = 0; i < chunk.count; i++, next++) {
            const struct wr_bytes value = chunk.records[i].record.value;
            (void)snprintf(values, sizeof(values), "%0*d", (int)(next % LENGTHS) + 1,
                           (int)(next % 10));
            assert_int_equal(chunk.records[i].offset, next);
            assert_int_equal(value.len, strlen(values));
            assert_memory_equal(value.ptr, values, value.len);
        }
    }
    wr_log_reader_close(r);
}

static void assigning_again_is_seeking(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 2);
    assert_string_equal(read_now(f, r), "0:2=c");
    assign(f, r, t, 0, 0);
    assert_string_equal(read_now(f, r), "0:0=a 0:1=b 0:2=c");
    assign(f, r, t, 0, WR_OFFSET_LATEST);
    assert_string_equal(read_now(f, r), "");
}

static void a_place_outside_the_log_is_refused_with_both_ends(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 4, &f->err), WEIR_E_RANGE);
    assert_non_null(strstr(f->err.text, "'t'"));
    assert_non_null(strstr(f->err.text, "4"));
    assert_non_null(strstr(f->err.text, "0 .. 3"));
    assert_int_equal(wr_log_reader_assign(r, t, 1, 0, &f->err), WEIR_E_RANGE);
    assign(f, r, t, 0, 3); /* the end itself is a place */
    assert_string_equal(read_now(f, r), "");
}

static void finds_the_first_offset_of_a_time(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    static const int64_t times[] = {1000, 3000, 2000, 5000};
    int64_t offset = -7;
    assert_int_equal(wr_log_offset_for_time(f->log, t, 0, 0, &offset, &f->err), 0);
    assert_int_equal(offset, -1);
    for (size_t i = 0; i < 4; i++) {
        struct wr_record record = {.value = {(const uint8_t *)"x", 1}, .timestamp_ms = times[i]};
        assert_int_equal(wr_log_append(w, t, 0, &record, &f->err), 0);
        (void)commit_done(f, w);
    }
    static const struct {
        int64_t time;
        int64_t offset;
    } cases[] = {{0, 0}, {1000, 0}, {1001, 1}, {2500, 1}, {3001, 3}, {5000, 3}, {5001, -1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(wr_log_offset_for_time(f->log, t, 0, cases[i].time, &offset, &f->err), 0);
        assert_int_equal(offset, cases[i].offset);
    }
}

/* ---- several partitions ---- */

static void takes_its_partitions_in_turn(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 3, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = NULL;
    struct wr_log_reader_options options = {.chunk_bytes = 1}; /* one record a poll */
    size_t seen_of[3] = {0};
    assert_int_equal(wr_log_reader_open(f->log, &options, &r, &f->err), 0);
    for (uint32_t p = 0; p < 3; p++) {
        assign(f, r, t, p, 0);
    }
    for (int i = 0; i < 5; i++) {
        for (uint32_t p = 0; p < 3; p++) {
            put(f, w, t, p, "x");
        }
    }
    for (int i = 0; i < 15; i++) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        assert_int_equal(chunk.count, 1);
        seen_of[chunk.partition]++;
        /* none is more than one behind another */
        for (size_t p = 0; p < 3; p++) {
            assert_true(seen_of[p] + 1 >= seen_of[chunk.partition]);
        }
    }
    wr_log_reader_close(r);
}

static void a_chunk_holds_about_what_was_asked_and_always_a_record(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    char value[1001];
    memset(value, 'v', 1000);
    value[1000] = 0;
    for (int i = 0; i < 40; i++) {
        append(f, w, t, 0, NULL, value);
        if (i % 4 == 3) {
            (void)commit_done(f, w);
        }
    }
    struct wr_log_reader *r = NULL;
    struct wr_log_reader_options options = {.chunk_bytes = 10000};
    assert_int_equal(wr_log_reader_open(f->log, &options, &r, &f->err), 0);
    assign(f, r, t, 0, 0);
    int64_t next = 0;
    size_t chunks = 0;
    while (next < 40) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        assert_in_range(chunk.count, 1, 20);
        assert_int_equal(chunk.records[0].offset, next);
        next = chunk.next_offset;
        chunks++;
    }
    assert_true(chunks >= 2);
    wr_log_reader_close(r);
}

static void a_paused_partition_waits_where_it_was(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 2);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 1);
    assign(f, r, t, 1, 2);
    assert_int_equal(wr_log_reader_pause(r, t, 0, true, &f->err), 0);
    assert_string_equal(read_now(f, r), "1:2=c");
    assert_false(is_readable(wr_log_reader_fd(r)));
    assert_int_equal(wr_log_reader_pause(r, t, 0, false, &f->err), 0);
    assert_true(is_readable(wr_log_reader_fd(r)));
    assert_string_equal(read_now(f, r), "0:1=b 0:2=c");
}

static void an_unassigned_partition_is_read_no_more(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 2);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 0);
    assign(f, r, t, 1, 0);
    assert_int_equal(wr_log_reader_unassign(r, t, 0, &f->err), 0);
    assert_string_equal(read_now(f, r), "1:0=a 1:1=b 1:2=c");
    assert_int_equal(wr_log_reader_unassign(r, t, 0, &f->err), 0); /* not assigned: nothing */
}

static void readers_do_not_move_each_other(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *one = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_reader *two = open_reader(f, WR_READ_COMMITTED);
    assign(f, one, t, 0, 0);
    assign(f, two, t, 0, 0);
    assert_string_equal(read_now(f, one), "0:0=a 0:1=b 0:2=c");
    assert_string_equal(read_now(f, two), "0:0=a 0:1=b 0:2=c");
}

static void reads_several_topics(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *a = make_topic(f, "a", 1, NULL);
    struct wr_log_topic *b = make_topic(f, "b", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, a, 0, 0);
    assign(f, r, b, 0, 0);
    append(f, w, a, 0, NULL, "in a");
    append(f, w, b, 0, NULL, "in b");
    (void)commit_done(f, w);
    for (int i = 0; i < 2; i++) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        assert_int_equal(chunk.count, 1);
        assert_int_equal(chunk.records[0].record.value.ptr[3], chunk.topic->name[0]);
    }
    assert_string_equal(read_now(f, r), "");
}

/* ---- what is gone ---- */

static void what_retention_took_is_out_of_range(void **state)
{
    struct fixture *f = *state;
    if (f->variant->expire == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, "retention.ms=1000");
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    put(f, w, t, 0, "a");
    put(f, w, t, 0, "b");
    assign(f, r, t, 0, 1);
    assign(f, r, t, 1, 0);
    f->variant->expire(f, t, 0);
    struct wr_partition_info info = info_of(f, t, 0);
    assert_int_equal(info.log_start, 2);
    assert_int_equal(info.high_watermark, 2);
    put(f, w, t, 1, "x");
    struct wr_log_chunk chunk = {0};
    bool is_range = false;
    bool is_read = false;
    for (int i = 0; i < 2; i++) { /* the other partition goes on, in turn */
        int rc = wr_log_reader_poll(r, 1000, &chunk, &f->err);
        assert_string_equal(chunk.topic->name, "t");
        is_read = is_read || (rc == 0 && chunk.partition == 1 && chunk.count == 1);
        if (rc == WEIR_E_RANGE) {
            assert_int_equal(chunk.partition, 0);
            assert_non_null(strstr(f->err.text, "'t'"));
            assert_non_null(strstr(f->err.text, "2 .. 2"));
            is_range = true;
        }
    }
    assert_true(is_range);
    assert_true(is_read);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 1, &f->err), WEIR_E_RANGE);
    assign(f, r, t, 0, WR_OFFSET_EARLIEST);
    put(f, w, t, 0, "c");
    assert_string_equal(read_now(f, r), "0:2=c");
}

static void a_deleted_topic_is_told_to_its_readers(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_topic *other = make_topic(f, "other", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_chunk chunk;
    assign(f, r, t, 0, 3);
    assert_string_equal(read_now(f, r), "");
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    assert_true(is_readable(wr_log_reader_fd(r)));
    assert_int_equal(wr_log_reader_poll(r, 1000, &chunk, &f->err), WEIR_E_NOTFOUND);
    assert_non_null(strstr(f->err.text, "'t'"));
    assert_string_equal(chunk.topic->name, "t");
    assert_int_equal(wr_log_reader_unassign(r, t, 0, &f->err), 0);
    assign(f, r, other, 0, 0);
    put(f, w, other, 0, "x");
    assert_string_equal(read_now(f, r), "0:0=x");
}

static void a_chunk_is_good_until_the_next_poll_whatever_happens(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 0);
    struct wr_log_chunk chunk = take_chunk(f, r);
    put(f, w, t, 0, "more");
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    assert_int_equal(wr_log_reader_unassign(r, t, 0, &f->err), 0);
    assert_string_equal(chunk.topic->name, "t");
    assert_memory_equal(chunk.records[0].record.value.ptr, "a", 1);
}

/* ---- waiting ---- */

static void a_poll_waits_as_long_as_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_chunk chunk;
    assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), 0); /* reads nothing yet */
    assert_int_equal(chunk.kind, WR_POLL_NONE);
    assign(f, r, t, 0, WR_OFFSET_LATEST);
    int64_t before = wr_mono_ms(wr_clock_os());
    assert_int_equal(wr_log_reader_poll(r, 60, &chunk, &f->err), 0);
    assert_int_equal(chunk.kind, WR_POLL_NONE);
    assert_true(wr_mono_ms(wr_clock_os()) - before >= 60);
}

struct later {
    struct fixture *f;
    struct wr_log_writer *writer;
    struct wr_log_reader *reader;
    struct wr_log_topic *topic;
    bool is_wake;
};

/* After a while: wake the reader, or write what it waits for. */
static void *act_later(void *arg)
{
    struct later *later = arg;
    struct weir_error err;
    struct wr_record record = {.value = {(const uint8_t *)"x", 1}};
    (void)wr_wait_any(NULL, 0, 100);
    if (later->is_wake) {
        wr_log_reader_wake(later->reader);
    } else if (wr_log_append(later->writer, later->topic, 0, &record, &err) == 0 &&
               wr_log_writer_commit(later->writer, 0, NULL, &err) == 0 &&
               later->f->variant->drive != NULL) {
        later->f->variant->drive(later->f);
    }
    return NULL;
}

/* A poll without end, in which act_later() happens; gives how long it took. */
static int64_t poll_meanwhile(struct later *later, struct wr_log_chunk *chunk)
{
    pthread_t thread;
    int64_t before = wr_mono_ms(wr_clock_os());
    assert_int_equal(pthread_create(&thread, NULL, act_later, later), 0);
    assert_int_equal(wr_log_reader_poll(later->reader, 20000, chunk, &later->f->err), 0);
    int64_t took = wr_mono_ms(wr_clock_os()) - before;
    assert_int_equal(pthread_join(thread, NULL), 0);
    return took;
}

static void a_waiting_poll_wakes_at_once_for_records_and_when_woken(void **state)
{
    struct fixture *f = *state;
    struct later later = {.f = f, .topic = make_topic(f, "t", 1, NULL)};
    struct wr_log_chunk chunk;
    later.writer = open_writer(f, NULL);
    later.reader = open_reader(f, WR_READ_COMMITTED);
    assign(f, later.reader, later.topic, 0, 0);
    assert_in_range(poll_meanwhile(&later, &chunk), 80, 5000);
    assert_int_equal(chunk.kind, WR_POLL_RECORDS);
    later.is_wake = true;
    assert_in_range(poll_meanwhile(&later, &chunk), 80, 5000);
    assert_int_equal(chunk.kind, WR_POLL_NONE);
    assert_int_equal(wr_log_reader_poll(later.reader, 20, &chunk, &f->err), 0); /* woken once */
    assert_int_equal(chunk.kind, WR_POLL_NONE);
}

static void waking_before_the_poll_ends_it_too(void **state)
{
    struct fixture *f = *state;
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_chunk chunk;
    wr_log_reader_wake(r);
    int64_t before = wr_mono_ms(wr_clock_os());
    assert_int_equal(wr_log_reader_poll(r, 20000, &chunk, &f->err), 0);
    assert_int_equal(chunk.kind, WR_POLL_NONE);
    assert_true(wr_mono_ms(wr_clock_os()) - before < 5000);
}

static void its_descriptor_is_readable_while_a_poll_would_give_something(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 0);
    assert_string_equal(read_now(f, r), "");
    assert_false(is_readable(wr_log_reader_fd(r)));
    put(f, w, t, 0, "a");
    assert_true(is_readable(wr_log_reader_fd(r)));
    assert_string_equal(read_now(f, r), "0:0=a");
    assert_false(is_readable(wr_log_reader_fd(r)));
    assign(f, r, t, 0, 0);
    assert_true(is_readable(wr_log_reader_fd(r)));
}

static void what_is_left_after_a_poll_keeps_it_readable(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 2);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assign(f, r, t, 0, 0);
    assign(f, r, t, 1, 0);
    size_t count = 0;
    while (count < 6) {
        assert_true(is_readable(wr_log_reader_fd(r)));
        count += take_chunk(f, r).count;
    }
}

static void waiting_costs_no_time(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_chunk chunk;
    struct rusage before;
    struct rusage after;
    assign(f, r, t, 0, WR_OFFSET_LATEST);
    assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), 0);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    assert_int_equal(wr_log_reader_poll(r, 400, &chunk, &f->err), 0);
    assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
    assert_int_equal(chunk.kind, WR_POLL_NONE);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 8); /* nobody wakes in between */
}

/* ---- watching ---- */

static void a_watcher_is_told_of_topics_made_and_deleted(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = filled_topic(f, 1);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_reader *other = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_watch(r, &f->err), 0);
    assign(f, r, t, 0, 0);
    assert_string_equal(read_now(f, r), "0:0=a 0:1=b 0:2=c"); /* nothing of what was there */
    (void)make_topic(f, "new", 1, NULL);
    (void)make_topic(f, "newer", 1, NULL);
    assert_true(is_readable(wr_log_reader_fd(r)));
    struct wr_log_chunk chunk = take_chunk(f, r);
    assert_int_equal(chunk.kind, WR_POLL_TOPICS);
    assert_int_equal(chunk.count, 0);
    assert_string_equal(read_now(f, r), "");
    assert_false(is_readable(wr_log_reader_fd(r)));
    assert_int_equal(wr_log_topic_delete(f->log, "new", &f->err), 0);
    assign(f, r, t, 0, 0);
    assert_int_equal(take_chunk(f, r).kind, WR_POLL_TOPICS); /* before records */
    assert_int_equal(take_chunk(f, r).kind, WR_POLL_RECORDS);
    assert_string_equal(read_now(f, other), ""); /* who does not watch is not told */
}

/* ---- what must not be seen, and what cannot be ---- */

static void nothing_is_seen_before_its_sync_is_done(void **state)
{
    struct fixture *f = *state;
    if (f->variant->hold_syncs == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_reader *raw = open_reader(f, WR_READ_UNCOMMITTED);
    struct wr_log_answer answer;
    uint64_t number = 0;
    assign(f, r, t, 0, WR_OFFSET_EARLIEST);
    assign(f, raw, t, 0, WR_OFFSET_EARLIEST);
    assert_string_equal(read_now(f, r), ""); /* what there was to sync is synced */
    f->variant->hold_syncs(f, true);
    append(f, w, t, 0, NULL, "a");
    assert_int_equal(wr_log_writer_commit(w, WR_COMMIT_SYNC, &number, &f->err), 0);
    f->variant->await_sync(f);
    bool has_seen = read_now(f, r)[0] != 0 || read_now(f, raw)[0] != 0;
    int64_t end = info_of(f, t, 0).high_watermark;
    int answered = wr_log_writer_poll(w, &answer, &f->err);
    f->variant->hold_syncs(f, false); /* before anything fails: the log could not be closed */
    assert_false(has_seen);
    assert_int_equal(end, 0);
    assert_int_equal(answered, 0);
    assert_int_equal(take_answer(f, w).outcome, WR_COMMIT_DONE);
    assert_string_equal(read_now(f, r), "0:0=a");
    assert_string_equal(read_now(f, raw), "0:0=a");
}

static void damage_is_told_with_its_place_and_the_rest_is_read(void **state)
{
    struct fixture *f = *state;
    if (f->variant->harm == NULL) {
        return;
    }
    struct wr_log_topic *t = filled_topic(f, 2);
    f->variant->harm(f, t, 0);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_chunk chunk;
    assign(f, r, t, 0, WR_OFFSET_EARLIEST);
    chunk = take_chunk(f, r);
    assert_int_equal(chunk.next_offset, 1);
    assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), WEIR_E_DAMAGED);
    assert_string_equal(chunk.topic->name, "t");
    assert_int_equal(chunk.partition, 0);
    assert_non_null(strstr(f->err.text, "'t'"));
    assert_non_null(strstr(f->err.text, "partition 0"));
    assert_non_null(strstr(f->err.text, "offset 1"));
    assert_string_equal(seen(f, t, 1), "0=a 1=b 2=c");
}

int reader_contract(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_from_the_start_the_end_or_an_offset),
        TEST(a_chunk_says_where_to_go_on),
        TEST(many_commits_come_back_as_they_were),
        TEST(assigning_again_is_seeking),
        TEST(a_place_outside_the_log_is_refused_with_both_ends),
        TEST(finds_the_first_offset_of_a_time),
        TEST(takes_its_partitions_in_turn),
        TEST(a_chunk_holds_about_what_was_asked_and_always_a_record),
        TEST(a_paused_partition_waits_where_it_was),
        TEST(an_unassigned_partition_is_read_no_more),
        TEST(readers_do_not_move_each_other),
        TEST(reads_several_topics),
        TEST(what_retention_took_is_out_of_range),
        TEST(a_deleted_topic_is_told_to_its_readers),
        TEST(a_chunk_is_good_until_the_next_poll_whatever_happens),
        TEST(a_poll_waits_as_long_as_it_is_told),
        TEST(a_waiting_poll_wakes_at_once_for_records_and_when_woken),
        TEST(waking_before_the_poll_ends_it_too),
        TEST(its_descriptor_is_readable_while_a_poll_would_give_something),
        TEST(what_is_left_after_a_poll_keeps_it_readable),
        TEST(waiting_costs_no_time),
        TEST(a_watcher_is_told_of_topics_made_and_deleted),
        TEST(nothing_is_seen_before_its_sync_is_done),
        TEST(damage_is_told_with_its_place_and_the_rest_is_read),
    };
    return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
