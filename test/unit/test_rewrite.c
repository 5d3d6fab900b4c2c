/*
 * Internal topics at a roll: the newest record of each key stays, old segments go, and a stop at any time
 * keeps one of the two states.
 */
#include "unit/embedded_fixture.h"

#define SMALL "cleanup.policy=compact,segment.bytes=2000,file.delete.delay.ms=0"

static char big[600];

static void fill(struct fix *f, struct wr_log_topic *t, int rounds)
{
    memset(big, 'x', sizeof(big) - 1);
    for (int i = 0; i < rounds; i++) {
        fix_put(f, t, 0, "a", big);
    }
}

static void the_newest_of_each_key_stays(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "__weir_test", 1, SMALL);
    fix_put(f, t, 0, "k", "old");
    fix_put(f, t, 0, "gone", "x");
    fix_put(f, t, 0, "k", "new");
    fix_put(f, t, 0, "gone", NULL);
    fill(f, t, 3);
    struct wr_partition_info info = fix_info(f, t, 0);
    assert_int_equal(info.log_start, 7);
    assert_int_equal(info.high_watermark, 9);
    const char *seen = fix_read(f, t, 0, WR_OFFSET_EARLIEST);
    assert_non_null(strstr(seen, "7:k=new"));
    assert_non_null(strstr(seen, "8:a=xxx"));
    assert_null(strstr(seen, "gone"));
    assert_null(strstr(seen, "old"));
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

/* Before the pass that would have removed it. */
static void a_clean_stop_leaves_no_segment_before_the_log_start(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "__weir_test", 1, SMALL);
    fill(f, t, 5);
    assert_true(fix_info(f, t, 0).log_start > 0);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_verify(f);
    fix_free(f);
}

static void what_was_rewritten_is_there_after_a_kill(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "__weir_test", 1, SMALL);
    fix_put(f, t, 0, "k", "v");
    fill(f, t, 30);
    char before[sizeof(f->seen)];
    memcpy(before, fix_read(f, t, 0, WR_OFFSET_EARLIEST), sizeof(before));
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_open(f);
    t = fix_topic(f, "__weir_test", 1, SMALL);
    assert_string_equal(fix_read(f, t, 0, WR_OFFSET_EARLIEST), before);
    assert_non_null(strstr(before, ":k=v"));
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

static void old_segments_are_removed(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "__weir_test", 1, SMALL);
    fill(f, t, 40);
    wr_manual_clock_advance(&f->clock, INT64_C(20) * 1000000);
    assert_int_equal(wr_embedded_retain(f->log, &f->err), 1);
    struct wr_partition_info info = fix_info(f, t, 0);
    assert_true(info.size_bytes < 6000);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

static void a_topic_of_users_is_rolled_and_keeps_all(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "users", 1, SMALL);
    fill(f, t, 10);
    assert_int_equal(fix_info(f, t, 0).log_start, 0);
    assert_int_equal(fix_info(f, t, 0).high_watermark, 10);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

static void nothing_is_rewritten_while_a_transaction_is_open(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "__weir_test", 1, SMALL);
    struct wr_log_writer *marked = NULL;
    struct wr_log_writer *plain = f->writer;
    assert_int_equal(
        wr_log_writer_open(f->log, &(struct wr_log_writer_options){.id = "m"}, &marked, &f->err),
        0);
    assert_int_equal(wr_log_writer_mark(marked, &f->err), 0);
    f->writer = marked;
    fix_put(f, t, 0, "m", "undecided");
    f->writer = plain;
    fill(f, t, 8);
    assert_int_equal(fix_info(f, t, 0).log_start, 0);
    assert_int_equal(wr_log_writer_end(marked, true, NULL, &f->err), 0);
    fix_drive(f);
    fill(f, t, 1);
    assert_true(fix_info(f, t, 0).log_start > 0);
    assert_non_null(strstr(fix_read(f, t, 0, WR_OFFSET_EARLIEST), "m=undecided"));
    wr_log_writer_close(marked);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_each_key_stays),
        cmocka_unit_test(a_clean_stop_leaves_no_segment_before_the_log_start),
        cmocka_unit_test(what_was_rewritten_is_there_after_a_kill),
        cmocka_unit_test(old_segments_are_removed),
        cmocka_unit_test(a_topic_of_users_is_rolled_and_keeps_all),
        cmocka_unit_test(nothing_is_rewritten_while_a_transaction_is_open),
    };
    return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
