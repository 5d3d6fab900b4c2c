/* marked_contract.c - marked transactions: hidden until they end, all at once, or for ever. */
#include "contract/log_fixture.h"

static bool can_mark(struct fixture *f)
{
    return (wr_log_capabilities(f->log) & WR_LOG_CAN_MARK) != 0;
}

static void mark(struct fixture *f, struct wr_log_writer *w)
{
    assert_int_equal(wr_log_writer_mark(w, &f->err), 0);
}

static void its_records_show_when_it_ends_and_not_before(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, t, 0, "before");
    mark(f, w);
    put(f, w, t, 0, "a");
    put(f, w, t, 1, "b");
    put(f, w, t, 0, "c");
    assert_string_equal(seen(f, t, 0), "0=before");
    assert_string_equal(seen(f, t, 1), "");
    end_done(f, w, true);
    assert_string_equal(seen(f, t, 0), "0=before 1=a 2=c");
    assert_string_equal(seen(f, t, 1), "0=b");
}

static void an_aborted_one_never_shows(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    mark(f, w);
    put(f, w, t, 0, "a");
    put(f, w, t, 0, "b");
    end_done(f, w, false);
    assert_string_equal(seen(f, t, 0), "");
    struct wr_partition_info info = info_of(f, t, 0);
    assert_int_equal(info.last_stable, info.high_watermark); /* readers move over it */
    assert_true(info.high_watermark >= 2);
    put(f, w, t, 0, "plain");
    mark(f, w);
    put(f, w, t, 0, "kept");
    end_done(f, w, true);
    const char *text = seen(f, t, 0);
    assert_non_null(strstr(text, "=plain "));
    assert_non_null(strstr(text, "=kept"));
    assert_null(strstr(text, "=a"));
}

static void what_is_pending_at_the_end_shows_with_it(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *rows = make_topic(f, "rows", 1, NULL);
    struct wr_log_topic *places = make_topic(f, "__weir_places", 1, NULL);
    struct wr_log_writer *w = open_writer(f, "source");
    mark(f, w);
    put(f, w, rows, 0, "row");
    append(f, w, places, 0, "source", "position");
    assert_string_equal(seen_raw(f, places, 0), "");
    uint64_t number = 0;
    assert_int_equal(wr_log_writer_end(w, true, &number, &f->err), 0);
    struct wr_log_answer answer = take_answer(f, w);
    assert_int_equal(answer.commit, number);
    assert_int_equal(answer.outcome, WR_COMMIT_DONE);
    bool has_place = false;
    for (size_t i = 0; i < answer.written_count; i++) {
        has_place = has_place || strcmp(answer.written[i].topic->name, "__weir_places") == 0;
    }
    assert_true(has_place);
    assert_string_equal(seen(f, rows, 0), "0=row");
    assert_string_equal(seen(f, places, 0), "0=position");
}

static void readers_wait_at_its_first_record_partition_by_partition(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_writer *plain = open_writer(f, NULL);
    put(f, plain, t, 0, "first");
    mark(f, w);
    put(f, w, t, 0, "marked");
    put(f, plain, t, 0, "behind");
    put(f, plain, t, 1, "elsewhere");
    assert_string_equal(seen(f, t, 0), "0=first");
    assert_string_equal(seen(f, t, 1), "0=elsewhere");
    assert_int_equal(info_of(f, t, 0).last_stable, 1);
    assert_int_equal(info_of(f, t, 0).high_watermark, 3);
    assert_int_equal(info_of(f, t, 1).last_stable, 1);
    end_done(f, w, true);
    assert_string_equal(seen(f, t, 0), "0=first 1=marked 2=behind");
}

static void tools_see_open_and_aborted_records_too(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    mark(f, w);
    put(f, w, t, 0, "a");
    assert_string_equal(seen_raw(f, t, 0), "0=a");
    end_done(f, w, false);
    assert_string_equal(seen_raw(f, t, 0), "0=a");
    put(f, w, t, 0, "b");
    assert_non_null(strstr(seen_raw(f, t, 0), "0=a "));
    assert_non_null(strstr(seen_raw(f, t, 0), "=b"));
    assert_null(strstr(seen(f, t, 0), "=a"));
    assert_non_null(strstr(seen(f, t, 0), "=b"));
}

static void a_reader_that_waits_moves_on_when_it_ends(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, WR_OFFSET_EARLIEST, &f->err), 0);
    for (int keep = 0; keep < 2; keep++) {
        mark(f, w);
        put(f, w, t, 0, keep == 1 ? "kept" : "aborted");
        assert_string_equal(read_now(f, r), "");
        assert_false(is_readable(wr_log_reader_fd(r)));
        end_done(f, w, keep == 1);
        assert_true(is_readable(wr_log_reader_fd(r)));
        struct wr_log_chunk chunk = take_chunk(f, r);
        int64_t next = chunk.next_offset;
        assert_int_equal(chunk.kind, WR_POLL_RECORDS);
        assert_int_equal(chunk.count, keep);
        /* its end may be passed in a chunk of its own */
        while (next < info_of(f, t, 0).last_stable) {
            chunk = take_chunk(f, r);
            assert_int_equal(chunk.count, 0);
            assert_true(chunk.next_offset > next);
            next = chunk.next_offset;
        }
        assert_int_equal(next, info_of(f, t, 0).high_watermark);
    }
}

static void two_at_once_hold_readers_at_the_first(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *one = open_writer(f, NULL);
    struct wr_log_writer *two = open_writer(f, NULL);
    mark(f, one);
    mark(f, two);
    put(f, one, t, 0, "one");
    put(f, two, t, 0, "two");
    put(f, one, t, 0, "three");
    end_done(f, two, true);
    assert_int_equal(info_of(f, t, 0).last_stable, 0);
    assert_string_equal(seen(f, t, 0), "");
    end_done(f, one, false);
    assert_string_equal(seen(f, t, 0), "1=two");
}

static void closing_its_writer_aborts_it(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_writer *plain = open_writer(f, NULL);
    mark(f, w);
    put(f, w, t, 0, "a");
    append(f, w, t, 0, NULL, "pending");
    close_writer(f, w);
    put(f, plain, t, 0, "b");
    const char *text = seen(f, t, 0);
    assert_non_null(strstr(text, "=b"));
    assert_null(strstr(text, "=a"));
    assert_null(strstr(text, "pending"));
}

static void the_next_writer_of_its_id_aborts_it(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *old = open_writer(f, "id");
    mark(f, old);
    put(f, old, t, 0, "a");
    struct wr_log_writer *new = open_writer(f, "id");
    put(f, new, t, 0, "b");
    const char *text = seen(f, t, 0);
    assert_non_null(strstr(text, "=b"));
    assert_null(strstr(text, "=a"));
    uint64_t number = 0;
    int rc = wr_log_writer_end(old, true, &number, &f->err);
    if (rc == 0) {
        struct wr_log_answer answer = take_answer(f, old);
        assert_int_equal(answer.outcome, WR_COMMIT_FENCED);
        rc = answer.err.code;
    }
    assert_int_equal(rc, WEIR_E_FENCED);
    text = seen(f, t, 0);
    assert_null(strstr(text, "=a"));
}

static void one_without_records_ends_too(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    mark(f, w);
    end_done(f, w, true);
    mark(f, w);
    end_done(f, w, false);
    mark(f, w);
    append(f, w, t, 0, NULL, "plain");
    end_done(f, w, true);
    assert_string_equal(seen(f, t, 0), "0=plain");
}

static void the_latest_place_is_where_committed_records_end(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, t, 0, "a");
    mark(f, w);
    put(f, w, t, 0, "b");
    struct wr_log_reader *committed = open_reader(f, WR_READ_COMMITTED);
    struct wr_log_reader *raw = open_reader(f, WR_READ_UNCOMMITTED);
    assert_int_equal(wr_log_reader_assign(committed, t, 0, WR_OFFSET_LATEST, &f->err), 0);
    assert_int_equal(wr_log_reader_assign(raw, t, 0, WR_OFFSET_LATEST, &f->err), 0);
    end_done(f, w, true);
    assert_string_equal(read_now(f, committed), "0:1=b");
    assert_string_equal(read_now(f, raw), "");
}

/* Many small ones, kept and aborted in turn over several partitions, between plain commits. */
static void a_long_mix_shows_just_what_was_kept(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 3, NULL);
    struct wr_log_writer *w = open_writer(f, "w");
    size_t expected[3] = {0};
    for (uint32_t i = 0; i < 60; i++) {
        bool is_marked = i % 4 != 0;
        bool keep = i % 3 != 0;
        if (is_marked) {
            mark(f, w);
        }
        put(f, w, t, i % 3, keep || !is_marked ? "y" : "n");
        put(f, w, t, (i + 1) % 3, keep || !is_marked ? "y" : "n");
        if (is_marked) {
            end_done(f, w, keep);
        }
        expected[i % 3] += keep || !is_marked ? 1 : 0;
        expected[(i + 1) % 3] += keep || !is_marked ? 1 : 0;
    }
    for (uint32_t p = 0; p < 3; p++) {
        const char *text = seen(f, t, p);
        size_t count = 0;
        for (const char *at = strstr(text, "=y"); at != NULL; at = strstr(at + 1, "=y")) {
            count++;
        }
        assert_int_equal(count, expected[p]);
        assert_null(strstr(text, "=n"));
    }
}

static void a_writer_goes_on_as_before_when_it_has_ended(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    char value[1001];
    memset(value, 'v', 1000);
    value[1000] = 0;
    for (int keep = 0; keep < 2; keep++) {
        mark(f, w);
        put(f, w, t, 0, value);
        end_done(f, w, keep == 1);
        for (int i = 0; i < 5; i++) { /* whatever the engine uses again */
            append(f, w, t, 0, NULL, value);
            append(f, w, t, 1, NULL, value);
            (void)commit_done(f, w);
        }
    }
    assert_int_equal(info_of(f, t, 1).high_watermark, 10);
}

static void a_full_disk_keeps_the_order_of_its_commits_and_its_end(void **state)
{
    struct fixture *f = *state;
    if (!can_mark(f) || f->variant->fill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    mark(f, w);
    put(f, w, t, 0, "a");
    f->variant->fill(f, true);
    append(f, w, t, 0, NULL, "b");
    (void)commit(f, w);
    append(f, w, t, 0, NULL, "plain");
    assert_int_equal(wr_log_writer_end(w, true, NULL, &f->err), 0);
    assert_int_equal(take_answer(f, w).outcome, WR_COMMIT_AGAIN);
    assert_string_equal(seen(f, t, 0), "");
    f->variant->fill(f, false);
    assert_int_equal(wr_log_writer_retry(w, &f->err), 0);
    assert_int_equal(take_answer(f, w).commit, 2);
    assert_int_equal(take_answer(f, w).commit, 3);
    const char *text = seen(f, t, 0);
    assert_non_null(strstr(text, "0=a 1=b "));
    assert_non_null(strstr(text, "=plain"));
}

int marked_contract(void)
{
    const struct CMUnitTest tests[] = {
        TEST(its_records_show_when_it_ends_and_not_before),
        TEST(an_aborted_one_never_shows),
        TEST(what_is_pending_at_the_end_shows_with_it),
        TEST(readers_wait_at_its_first_record_partition_by_partition),
        TEST(tools_see_open_and_aborted_records_too),
        TEST(a_reader_that_waits_moves_on_when_it_ends),
        TEST(two_at_once_hold_readers_at_the_first),
        TEST(closing_its_writer_aborts_it),
        TEST(the_next_writer_of_its_id_aborts_it),
        TEST(one_without_records_ends_too),
        TEST(the_latest_place_is_where_committed_records_end),
        TEST(a_long_mix_shows_just_what_was_kept),
        TEST(a_writer_goes_on_as_before_when_it_has_ended),
        TEST(a_full_disk_keeps_the_order_of_its_commits_and_its_end),
    };
    return cmocka_run_group_tests_name("marked transactions", tests, NULL, NULL);
}
