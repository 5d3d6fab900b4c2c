/* writer_contract.c - commits: atomic, in order, answered with offsets; what is refused and fenced. */
#include "contract/log_fixture.h"

#include "base/clock.h"
#include "base/wake.h"

#include <pthread.h>
#include <stdatomic.h>

static void answers_give_the_offsets_in_order_of_first_append(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *a = make_topic(f, "a", 3, NULL);
    struct wr_log_topic *b = make_topic(f, "b", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, a, 2, "before");
    append(f, w, a, 2, NULL, "x");
    append(f, w, b, 0, NULL, "x");
    append(f, w, a, 0, NULL, "x");
    append(f, w, a, 2, NULL, "x");
    struct wr_log_answer answer = commit_done(f, w);
    static const struct {
        const char *topic;
        uint32_t partition;
        int64_t base_offset;
        uint32_t count;
    } expected[] = {{"a", 2, 1, 2}, {"b", 0, 0, 1}, {"a", 0, 0, 1}};
    assert_int_equal(answer.written_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(answer.written[i].topic->name, expected[i].topic);
        assert_int_equal(answer.written[i].partition, expected[i].partition);
        assert_int_equal(answer.written[i].base_offset, expected[i].base_offset);
        assert_int_equal(answer.written[i].record_count, expected[i].count);
    }
}

static void commits_are_numbered_and_answered_in_order(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    for (uint64_t i = 1; i <= 10; i++) {
        append(f, w, t, 0, NULL, "x");
        append(f, w, t, 0, NULL, "y");
        assert_int_equal(commit(f, w), i);
    }
    for (uint64_t i = 1; i <= 10; i++) {
        struct wr_log_answer answer = take_answer(f, w);
        assert_int_equal(answer.commit, i);
        assert_int_equal(answer.outcome, WR_COMMIT_DONE);
        assert_int_equal(answer.written[0].base_offset, (i - 1) * 2);
    }
    assert_int_equal(info_of(f, t, 0).high_watermark, 20);
}

static void offsets_follow_on_over_all_writers(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w[3];
    for (size_t i = 0; i < 3; i++) {
        w[i] = open_writer(f, NULL);
    }
    for (size_t i = 0; i < 9; i++) {
        append(f, w[i % 3], t, 0, NULL, (const char *[]){"a", "b", "c"}[i % 3]);
        (void)commit(f, w[i % 3]);
    }
    for (size_t i = 0; i < 9; i++) {
        assert_int_equal(take_answer(f, w[i % 3]).outcome, WR_COMMIT_DONE);
    }
    const char *text = seen(f, t, 0);
    size_t counts[3] = {0};
    for (int i = 0; i < 9; i++) {
        assert_int_equal(text[(size_t)i * 4], '0' + i);
        counts[text[(size_t)i * 4 + 2] - 'a']++;
    }
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[1], 3);
    assert_int_equal(counts[2], 3);
}

/* ---- what a record is ---- */

static void check_record(const struct wr_record *got, const struct wr_record *want)
{
    assert_int_equal(got->key.ptr == NULL, want->key.ptr == NULL);
    assert_int_equal(got->value.ptr == NULL, want->value.ptr == NULL);
    assert_true(wr_bytes_eq(got->key, want->key));
    assert_true(wr_bytes_eq(got->value, want->value));
    assert_int_equal(got->timestamp_ms, want->timestamp_ms);
    assert_int_equal(got->header_count, want->header_count);
    for (size_t i = 0; i < want->header_count; i++) {
        assert_true(wr_str_eq(got->headers[i].name, want->headers[i].name));
        assert_int_equal(got->headers[i].value.ptr == NULL, want->headers[i].value.ptr == NULL);
        assert_true(wr_bytes_eq(got->headers[i].value, want->headers[i].value));
    }
}

#define BYTES(literal)                                  \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

static void a_record_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    const struct wr_header headers[] = {
        {WR_STR_INIT("name"), BYTES("one")},
        {WR_STR_INIT("name"), BYTES("two")},
        {WR_STR_INIT(""), BYTES("")},
        {WR_STR_INIT("null"), {NULL, 0}},
    };
    const struct wr_record records[] = {
        {.key = BYTES("k"), .value = BYTES("v"), .timestamp_ms = 1700000000000},
        {.key = {NULL, 0}, .value = {NULL, 0}, .timestamp_ms = 0},
        {.key = BYTES(""), .value = BYTES(""), .timestamp_ms = 1},
        {.key = BYTES("\0\xff\0"),
         .value = BYTES("a\0b\n\xc3\x28"),
         .timestamp_ms = INT64_C(1) << 50},
        {.key = BYTES("h"), .headers = headers, .header_count = 4, .timestamp_ms = 5},
    };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(wr_log_append(w, t, 0, &records[i], &f->err), 0);
    }
    (void)commit_done(f, w);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 0, &f->err), 0);
    struct wr_log_chunk chunk = take_chunk(f, r);
    assert_int_equal(chunk.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(chunk.records[i].offset, i);
        check_record(&chunk.records[i].record, &records[i]);
    }
}

static void a_record_is_copied_when_it_is_appended(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    char value[] = "before";
    append(f, w, t, 0, NULL, value);
    memset(value, 'x', sizeof(value));
    (void)commit_done(f, w);
    assert_string_equal(seen(f, t, 0), "0=before");
}

static int64_t first_timestamp(struct fixture *f, struct wr_log_topic *t, uint32_t partition)
{
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, partition, 0, &f->err), 0);
    int64_t timestamp = take_chunk(f, r).records[0].record.timestamp_ms;
    close_reader(f, r);
    return timestamp;
}

static void a_record_without_a_time_gets_the_time_of_now(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    int64_t before = wr_wall_ms(wr_clock_os());
    put(f, w, t, 0, "x");
    int64_t after = wr_wall_ms(wr_clock_os());
    assert_in_range(first_timestamp(f, t, 0), before, after);
}

static void append_time_replaces_what_the_record_says(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, "message.timestamp.type=LogAppendTime");
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_record record = {.value = BYTES("x"), .timestamp_ms = 5};
    int64_t before = wr_wall_ms(wr_clock_os());
    assert_int_equal(wr_log_append(w, t, 0, &record, &f->err), 0);
    (void)commit_done(f, w);
    int64_t after = wr_wall_ms(wr_clock_os());
    assert_in_range(first_timestamp(f, t, 0), before, after);
}

/* ---- where it goes ---- */

static void a_key_goes_where_java_puts_it(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 5, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    /* (murmur2 & 0x7fffffff) % 5, with the hashes of Kafka's UtilsTest: 21: -973932308, foobar:
     * -790332482, abc: 479470107 */
    append(f, w, t, WR_PARTITION_BY_KEY, "21", "x");
    append(f, w, t, WR_PARTITION_BY_KEY, "foobar", "y");
    append(f, w, t, WR_PARTITION_BY_KEY, "abc", "z");
    (void)commit_done(f, w);
    assert_string_equal(seen(f, t, (uint32_t)(INT64_C(-973932308) & 0x7fffffff) % 5), "0=x");
    assert_string_equal(seen(f, t, (uint32_t)(INT64_C(-790332482) & 0x7fffffff) % 5), "0=y");
    assert_string_equal(seen(f, t, 479470107 % 5), "0=z");
}

static void records_without_key_go_to_all_partitions_in_turn(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 3, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    for (int i = 0; i < 9; i++) {
        append(f, w, t, WR_PARTITION_BY_KEY, NULL, "x");
    }
    (void)commit_done(f, w);
    for (uint32_t p = 0; p < 3; p++) {
        assert_int_equal(info_of(f, t, p).high_watermark, 3);
    }
}

static void a_partition_that_is_not_there_takes_nothing(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_record record = {.value = BYTES("x")};
    assert_int_equal(wr_log_append(w, t, 2, &record, &f->err), WEIR_E_RANGE);
    assert_int_equal(wr_log_writer_pending(w, NULL), 0);
}

/* ---- atomic ---- */

static void nothing_is_seen_before_it_is_committed(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    size_t bytes = 0;
    append(f, w, t, 0, "key", "value");
    assert_string_equal(seen_raw(f, t, 0), "");
    assert_int_equal(wr_log_writer_pending(w, &bytes), 1);
    assert_true(bytes >= 8);
    wr_log_writer_drop(w);
    assert_int_equal(wr_log_writer_pending(w, &bytes), 0);
    assert_int_equal(bytes, 0);
    put(f, w, t, 0, "kept");
    assert_string_equal(seen(f, t, 0), "0=kept");
}

static void closing_drops_what_was_not_handed_over(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    append(f, w, t, 0, NULL, "done");
    (void)commit(f, w);
    append(f, w, t, 0, NULL, "dropped");
    close_writer(f, w); /* with an answer not taken: the engine finishes that commit */
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 0, &f->err), 0);
    struct wr_log_chunk chunk = take_chunk(f, r);
    assert_int_equal(chunk.count, 1);
    assert_string_equal(read_now(f, r), "");
    wr_log_writer_close(NULL);
}

struct race {
    struct wr_log *log;
    struct wr_log_topic *topic;
    atomic_bool is_over;
    atomic_size_t looks;
    size_t torn;
};

/* The newest number in a partition, or -1; reads on from where the reader stands. */
static int64_t newest(struct wr_log_reader *r, int64_t last)
{
    struct weir_error err;
    struct wr_log_chunk chunk = {.kind = WR_POLL_RECORDS};
    while (chunk.kind != WR_POLL_NONE && wr_log_reader_poll(r, 0, &chunk, &err) == 0) {
        if (chunk.kind == WR_POLL_RECORDS && chunk.count > 0) {
            const struct wr_bytes *value = &chunk.records[chunk.count - 1].record.value;
            memcpy(&last, value->ptr, sizeof(last));
        }
    }
    return last;
}

/* What is seen in partition 0 must then be there in partition 1, and the other way round. */
static void *watch(void *arg)
{
    struct race *race = arg;
    struct weir_error err;
    struct wr_log_reader *r[2] = {NULL, NULL};
    int64_t last[2] = {-1, -1};
    for (uint32_t p = 0; p < 2; p++) {
        if (wr_log_reader_open(race->log, &(struct wr_log_reader_options){0}, &r[p], &err) < 0 ||
            wr_log_reader_assign(r[p], race->topic, p, 0, &err) < 0) {
            race->torn = 1000000;
            return NULL;
        }
    }
    for (uint32_t first = 0; !atomic_load(&race->is_over); first = 1 - first) {
        last[first] = newest(r[first], last[first]);
        last[1 - first] = newest(r[1 - first], last[1 - first]);
        race->torn += last[1 - first] < last[first] ? 1 : 0;
        (void)atomic_fetch_add(&race->looks, 1);
    }
    wr_log_reader_close(r[0]);
    wr_log_reader_close(r[1]);
    return NULL;
}

static void a_commit_is_seen_in_all_its_partitions_at_once(void **state)
{
    struct fixture *f = *state;
    struct race race = {.log = f->log, .topic = make_topic(f, "t", 2, NULL)};
    struct wr_log_writer *w = open_writer(f, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, watch, &race), 0);
    for (int64_t i = 0; i < 300 || atomic_load(&race.looks) < 20; i++) {
        struct wr_record record = {.value = {(const uint8_t *)&i, sizeof(i)}};
        assert_int_equal(wr_log_append(w, race.topic, 0, &record, &f->err), 0);
        assert_int_equal(wr_log_append(w, race.topic, 1, &record, &f->err), 0);
        (void)commit_done(f, w);
    }
    atomic_store(&race.is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(race.torn, 0);
}

static void a_commit_into_a_deleted_topic_is_not_done_anywhere(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *gone = make_topic(f, "gone", 1, NULL);
    struct wr_log_topic *there = make_topic(f, "there", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    append(f, w, there, 0, NULL, "lost");
    append(f, w, gone, 0, NULL, "lost");
    assert_int_equal(wr_log_topic_delete(f->log, "gone", &f->err), 0);
    (void)commit(f, w);
    struct wr_log_answer answer = take_answer(f, w);
    assert_int_equal(answer.outcome, WR_COMMIT_REWIND);
    assert_int_equal(answer.err.code, WEIR_E_NOTFOUND);
    assert_non_null(strstr(answer.err.text, "gone"));
    assert_string_equal(seen(f, there, 0), "");
    put(f, w, there, 0, "next"); /* and goes on */
    assert_string_equal(seen(f, there, 0), "0=next");
}

/* ---- limits ---- */

static struct wr_record large_record(size_t len, uint8_t **bytes)
{
    *bytes = malloc(len);
    assert_non_null(*bytes);
    for (size_t i = 0; i < len; i++) {
        (*bytes)[i] = (uint8_t)(i * 2654435761U >> 24);
    }
    return (struct wr_record){.value = {*bytes, len}};
}

static void a_commit_over_its_bound_says_to_commit_first(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    size_t max = wr_log_writer_commit_max(w);
    assert_true(max >= 64UL << 20);
    uint8_t *bytes = NULL;
    struct wr_record record = large_record(max + 1, &bytes);
    assert_int_equal(wr_log_append(w, t, 0, &record, &f->err), WEIR_E_LIMIT);
    assert_null(strstr(f->err.text, "commit first"));
    append(f, w, t, 0, NULL, "small");
    record.value.len = max - 4;
    assert_int_equal(wr_log_append(w, t, 0, &record, &f->err), WEIR_E_LIMIT);
    assert_non_null(strstr(f->err.text, "commit first"));
    assert_int_equal(wr_log_writer_pending(w, NULL), 1);
    (void)commit_done(f, w);
    assert_string_equal(seen(f, t, 0), "0=small");
    free(bytes);
}

static void a_record_of_64_mib_goes_through(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    uint8_t *bytes = NULL;
    struct wr_record record = large_record(64UL << 20, &bytes);
    assert_int_equal(wr_log_append(w, t, 0, &record, &f->err), 0);
    (void)commit_done(f, w);
    put(f, w, t, 0, "behind");
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 0, &f->err), 0);
    struct wr_log_chunk chunk = take_chunk(f, r);
    assert_int_equal(chunk.records[0].offset, 0);
    assert_true(wr_bytes_eq(chunk.records[0].record.value, record.value));
    chunk = chunk.count == 1 ? take_chunk(f, r) : chunk;
    assert_int_equal(chunk.records[chunk.count - 1].offset, 1);
    free(bytes);
}

/* Large ones may take another way to the disk; they stand between the small ones all the same. */
static void small_and_large_commits_keep_their_places(void **state)
{
    struct fixture *f = *state;
    enum {
        LARGE = 400000
    };
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    uint8_t *bytes = NULL;
    struct wr_record record = large_record(LARGE, &bytes);
    for (int i = 0; i < 6; i++) {
        record.value.len = i % 2 == 0 ? 100 : LARGE - (size_t)i;
        assert_int_equal(wr_log_append(w, t, 0, &record, &f->err), 0);
        (void)commit(f, w);
    }
    for (int i = 0; i < 6; i++) {
        assert_int_equal(take_answer(f, w).outcome, WR_COMMIT_DONE);
    }
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 0, &f->err), 0);
    for (int64_t next = 0; next < 6;) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        for (size_t i = 0; i < chunk.count; i++, next++) {
            record.value.len = next % 2 == 0 ? 100 : LARGE - (size_t)next;
            assert_int_equal(chunk.records[i].offset, next);
            assert_true(wr_bytes_eq(chunk.records[i].record.value, record.value));
        }
    }
    free(bytes);
}

static void too_many_commits_under_way_say_so_and_lose_nothing(void **state)
{
    struct fixture *f = *state;
    if (f->variant->drive == NULL) {
        return; /* it may finish them as fast as they come; test_memory.c holds them */
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    int rc = 0;
    size_t count = 0;
    while (rc == 0) {
        append(f, w, t, 0, NULL, "x");
        rc = wr_log_writer_commit(w, WR_COMMIT_PLAIN, NULL, &f->err);
        count += rc == 0 ? 1 : 0;
        assert_true(count < 10000);
    }
    assert_int_equal(rc, WEIR_E_AGAIN);
    assert_int_equal(wr_log_writer_pending(w, NULL), 1);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(take_answer(f, w).outcome, WR_COMMIT_DONE);
    }
    (void)commit_done(f, w);
    assert_int_equal(info_of(f, t, 0).high_watermark, count + 1);
}

/* ---- answers ---- */

static void an_empty_commit_is_answered_too(void **state)
{
    struct fixture *f = *state;
    struct wr_log_writer *w = open_writer(f, NULL);
    uint64_t number = 0;
    assert_int_equal(commit_done(f, w).written_count, 0);
    assert_int_equal(wr_log_writer_commit(w, WR_COMMIT_SYNC, &number, &f->err), 0);
    struct wr_log_answer answer = take_answer(f, w);
    assert_int_equal(answer.commit, number);
    assert_int_equal(answer.outcome, WR_COMMIT_DONE);
}

static void a_synced_commit_comes_after_those_before_it(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    append(f, w, t, 0, NULL, "a");
    (void)commit(f, w);
    append(f, w, t, 0, NULL, "b");
    assert_int_equal(wr_log_writer_commit(w, WR_COMMIT_SYNC, NULL, &f->err), 0);
    assert_int_equal(take_answer(f, w).commit, 1);
    assert_int_equal(take_answer(f, w).commit, 2);
    assert_string_equal(seen(f, t, 0), "0=a 1=b");
}

static void its_descriptor_is_readable_while_there_are_answers(void **state)
{
    struct fixture *f = *state;
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_answer answer;
    assert_false(is_readable(wr_log_writer_fd(w)));
    (void)commit(f, w);
    (void)commit(f, w);
    (void)take_answer(f, w);
    (void)take_answer(f, w);
    assert_int_equal(wr_log_writer_poll(w, &answer, &f->err), 0);
    assert_false(is_readable(wr_log_writer_fd(w)));
    (void)commit(f, w);
    (void)commit(f, w);
    (void)take_answer(f, w);
    if (f->variant->drive != NULL) { /* else the second may not be there yet */
        assert_true(is_readable(wr_log_writer_fd(w)));
    }
    (void)take_answer(f, w);
}

static void waiting_ends_with_the_answer_or_with_the_time(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    append(f, w, t, 0, NULL, "a");
    uint64_t number = commit(f, w);
    if (f->variant->drive != NULL) {
        assert_int_equal(wr_log_writer_wait(w, number, 20, &f->err), WEIR_E_AGAIN);
        f->variant->drive(f);
    }
    assert_int_equal(wr_log_writer_wait(w, number, 10000, &f->err), 0);
}

/* ---- a full disk ---- */

static void a_full_disk_is_answered_again_and_the_retry_doubles_nothing(void **state)
{
    struct fixture *f = *state;
    if (f->variant->fill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, t, 0, "before");
    f->variant->fill(f, true);
    append(f, w, t, 0, NULL, "a");
    append(f, w, t, 1, NULL, "a");
    (void)commit(f, w);
    append(f, w, t, 0, NULL, "b");
    (void)commit(f, w);
    struct wr_log_answer answer = take_answer(f, w);
    assert_int_equal(answer.commit, 2);
    assert_int_equal(answer.outcome, WR_COMMIT_AGAIN);
    assert_int_equal(answer.err.code, WEIR_E_FULL);
    assert_int_equal(wr_log_writer_commit(w, WR_COMMIT_PLAIN, NULL, &f->err), WEIR_E_BUSY);
    assert_string_equal(seen(f, t, 0), "0=before"); /* reads go on */
    f->variant->fill(f, false);
    assert_int_equal(wr_log_writer_retry(w, &f->err), 0);
    assert_int_equal(take_answer(f, w).commit, 2);
    answer = take_answer(f, w);
    assert_int_equal(answer.commit, 3);
    assert_int_equal(answer.outcome, WR_COMMIT_DONE);
    assert_string_equal(seen(f, t, 0), "0=before 1=a 2=b");
    assert_string_equal(seen(f, t, 1), "0=a");
}

static void what_is_handed_over_before_again_is_taken_stays_behind_it(void **state)
{
    struct fixture *f = *state;
    if (f->variant->fill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    int fd = wr_log_writer_fd(w);
    f->variant->fill(f, true);
    append(f, w, t, 0, NULL, "a");
    (void)commit(f, w);
    if (f->variant->drive != NULL) {
        f->variant->drive(f);
    }
    assert_int_equal(wr_wait_any(&fd, 1, 10000), 0);
    append(f, w, t, 0, NULL, "b");
    (void)commit(f, w);
    assert_int_equal(take_answer(f, w).outcome, WR_COMMIT_AGAIN);
    f->variant->fill(f, false);
    assert_int_equal(wr_log_writer_retry(w, &f->err), 0);
    assert_int_equal(take_answer(f, w).commit, 1);
    assert_int_equal(take_answer(f, w).commit, 2);
    assert_string_equal(seen(f, t, 0), "0=a 1=b");
}

static void closing_with_a_commit_to_retry_drops_it(void **state)
{
    struct fixture *f = *state;
    if (f->variant->fill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, "w");
    f->variant->fill(f, true);
    append(f, w, t, 0, NULL, "a");
    (void)commit(f, w);
    assert_int_equal(take_answer(f, w).outcome, WR_COMMIT_AGAIN);
    close_writer(f, w);
    f->variant->fill(f, false);
    w = open_writer(f, "w");
    put(f, w, t, 0, "b");
    assert_string_equal(seen(f, t, 0), "0=b");
}

/* ---- fencing ---- */

static void the_later_writer_of_an_id_fences_the_former(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *old = open_writer(f, "id");
    struct wr_log_writer *other = open_writer(f, "other");
    struct wr_log_writer *nobody = open_writer(f, NULL);
    put(f, old, t, 0, "old");
    struct wr_log_writer *new = open_writer(f, "id");
    append(f, old, t, 0, NULL, "zombie");
    int rc = wr_log_writer_commit(old, WR_COMMIT_PLAIN, NULL, &f->err);
    if (rc == 0) {
        struct wr_log_answer answer = take_answer(f, old);
        assert_int_equal(answer.outcome, WR_COMMIT_FENCED);
        rc = answer.err.code;
    }
    assert_int_equal(rc, WEIR_E_FENCED);
    put(f, new, t, 0, "new");
    put(f, other, t, 0, "other");
    put(f, nobody, t, 0, "nobody");
    assert_string_equal(seen(f, t, 0), "0=old 1=new 2=other 3=nobody");
}

static void closing_a_fenced_writer_leaves_the_new_one_alone(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *old = open_writer(f, "id");
    struct wr_log_writer *new = open_writer(f, "id");
    close_writer(f, old);
    put(f, new, t, 0, "new");
    assert_string_equal(seen(f, t, 0), "0=new");
}

/* A worker that opens its writer again reads back how far it came: nothing may be added behind that. */
static void opening_again_comes_after_all_that_was_handed_over(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    for (int64_t i = 1; i <= 50; i++) {
        struct wr_partition_info info;
        struct wr_log_writer *w = open_writer(f, "id");
        append(f, w, t, 0, NULL, "x");
        assert_int_equal(wr_log_writer_commit(w, WR_COMMIT_PLAIN, NULL, &f->err), 0);
        close_writer(f, w);
        close_writer(f, open_writer(f, "id"));
        assert_int_equal(wr_log_partition_info(f->log, t, 0, &info, &f->err), 0);
        assert_int_equal(info.last_stable, i);
    }
}

int writer_contract(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_give_the_offsets_in_order_of_first_append),
        TEST(commits_are_numbered_and_answered_in_order),
        TEST(offsets_follow_on_over_all_writers),
        TEST(a_record_comes_back_as_it_was),
        TEST(a_record_is_copied_when_it_is_appended),
        TEST(a_record_without_a_time_gets_the_time_of_now),
        TEST(append_time_replaces_what_the_record_says),
        TEST(a_key_goes_where_java_puts_it),
        TEST(records_without_key_go_to_all_partitions_in_turn),
        TEST(a_partition_that_is_not_there_takes_nothing),
        TEST(nothing_is_seen_before_it_is_committed),
        TEST(closing_drops_what_was_not_handed_over),
        TEST(a_commit_is_seen_in_all_its_partitions_at_once),
        TEST(a_commit_into_a_deleted_topic_is_not_done_anywhere),
        TEST(a_commit_over_its_bound_says_to_commit_first),
        TEST(a_record_of_64_mib_goes_through),
        TEST(small_and_large_commits_keep_their_places),
        TEST(too_many_commits_under_way_say_so_and_lose_nothing),
        TEST(an_empty_commit_is_answered_too),
        TEST(a_synced_commit_comes_after_those_before_it),
        TEST(its_descriptor_is_readable_while_there_are_answers),
        TEST(waiting_ends_with_the_answer_or_with_the_time),
        TEST(a_full_disk_is_answered_again_and_the_retry_doubles_nothing),
        TEST(what_is_handed_over_before_again_is_taken_stays_behind_it),
        TEST(closing_with_a_commit_to_retry_drops_it),
        TEST(the_later_writer_of_an_id_fences_the_former),
        TEST(closing_a_fenced_writer_leaves_the_new_one_alone),
        TEST(opening_again_comes_after_all_that_was_handed_over),
    };
    return cmocka_run_group_tests_name("writers", tests, NULL, NULL);
}
