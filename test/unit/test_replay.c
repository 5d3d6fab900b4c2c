/*
 * The journal done again where what it speaks of is not there any more, or where some of it is lost and the
 * segments have the rest.
 */
#include "unit/embedded_fixture.h"

static void finish(struct fix *f)
{
    assert_string_equal(f->fatal, "");
    fix_close(f);
    fix_free(f);
}

static void roll(struct fix *f, struct wr_log_topic *t)
{
    assert_int_equal(wr_embedded_roll(f->log, t, 0, &f->err), 0);
}

/* Of large commits the journal has no bytes: when retention removed their segments and the checkpoint that says so
 * is lost, the older one's journal speaks of them. */
static void what_is_removed_later_in_the_journal_need_not_be_there(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    f->placed_bytes_min = 1;
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, "retention.bytes=1");
    fix_put(f, t, 0, "a", "0");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    fix_put(f, t, 0, "b", "1");
    roll(f, t);
    fix_put(f, t, 0, "c", "2");
    roll(f, t);
    fix_put(f, t, 0, "d", "3");
    assert_true(wr_embedded_retain(f->log, &f->err) >= 0);
    const char *newest =
        fix_engine(f)->checkpoint_slot == 0 ? "log/checkpoint.0" : "log/checkpoint.1";
    fix_put(f, t, 0, "e", "4");
    wr_log_topic_unref(t);
    fix_kill(f);
    assert_int_equal(wr_vfs_unlink(wr_vfs_sim_vfs(f->sim), newest, &f->err), 0);
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    assert_false(fix_info(f, t, 0).is_damaged);
    assert_int_equal(fix_info(f, t, 0).log_start, 3);
    assert_string_equal(fix_read(f, t, 0, WR_OFFSET_EARLIEST), "3:d=3 4:e=4");
    fix_put(f, t, 0, "f", "5");
    assert_true(wr_embedded_retain(f->log, &f->err) >= 0);
    assert_string_equal(fix_read(f, t, 0, WR_OFFSET_EARLIEST), "3:d=3 4:e=4 5:f=5");
    wr_log_topic_unref(t);
    finish(f);
}

static void flip_last_byte(struct fix *f, const char *path)
{
    struct wr_bytes bytes;
    assert_int_equal(wr_vfs_read_file(wr_vfs_sim_vfs(f->sim), path, 1 << 20, &bytes, &f->err), 0);
    wr_free((void *)(uintptr_t)bytes.ptr);
    wr_vfs_sim_flip(f->sim, path, bytes.len - 1, 1);
}

/* A transaction in the segments 0 and 1, of which retention leaves the last `retention` bytes. The entry that ends it
 * and the newest checkpoint are lost; `harms`: the end in segment 1 as well. Open then. */
static struct fix *lose_an_end(const char *retention, bool harms)
{
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, retention);
    assert_int_equal(wr_log_writer_mark(f->writer, &f->err), 0);
    fix_put(f, t, 0, "a", "0");
    roll(f, t);
    fix_put(f, t, 0, "b", "1");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    struct wr_journal_place place = fix_next_entry(f);
    assert_int_equal(wr_log_writer_end(f->writer, true, NULL, &f->err), 0);
    fix_drive(f);
    roll(f, t);
    fix_put(f, t, 0, "c", "3");
    assert_true(wr_embedded_retain(f->log, &f->err) >= 0);
    const char *newest =
        fix_engine(f)->checkpoint_slot == 0 ? "log/checkpoint.0" : "log/checkpoint.1";
    fix_put(f, t, 0, "d", "4");
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_zero_blocks(f, place, 1);
    assert_int_equal(wr_vfs_unlink(wr_vfs_sim_vfs(f->sim), newest, &f->err), 0);
    if (harms) {
        flip_last_byte(f, "log/t-0/00000000000000000001.log");
    }
    fix_open(f);
    return f;
}

static void a_transaction_whose_end_was_removed_holds_nobody_back(void **state)
{
    WR_UNUSED(state);
    struct fix *f = lose_an_end("retention.bytes=1", false);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    assert_int_equal(fix_info(f, t, 0).log_start, 3);
    assert_false(fix_info(f, t, 0).is_damaged);
    assert_string_equal(fix_read(f, t, 0, WR_OFFSET_EARLIEST), "3:c=3 4:d=4");
    assert_int_equal(fix_info(f, t, 0).high_watermark, 5); /* and nobody aborts it */
    wr_log_topic_unref(t);
    finish(f);
}

static void readers_wait_at_the_log_start_for_an_end_that_is_damaged(void **state)
{
    WR_UNUSED(state);
    struct fix *f = lose_an_end("retention.bytes=150", true);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    assert_int_equal(fix_info(f, t, 0).log_start, 1);
    assert_true(fix_info(f, t, 0).is_damaged);
    assert_int_equal(fix_info(f, t, 0).last_stable, 1);
    wr_log_topic_unref(t);
    finish(f);
}

/* Entries are lost, also those that rolled. The segments follow on one another up to the next entry. */
static void a_gap_is_closed_with_all_segments_that_lie_in_it(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    fix_put(f, t, 0, "a", "0");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    struct wr_journal_place place = fix_next_entry(f);
    fix_put(f, t, 0, "b", "1");
    roll(f, t);
    fix_put(f, t, 0, "c", "2");
    roll(f, t);
    size_t lost = (fix_next_entry(f).at - place.at) / WR_JOURNAL_BLOCK;
    assert_int_equal(lost, 4);
    fix_put(f, t, 0, "d", "3");
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_zero_blocks(f, place, lost);
    fix_open(f);
    assert_non_null(strstr(f->notices, "the journal is damaged"));
    t = fix_topic(f, "t", 1, NULL);
    assert_false(fix_info(f, t, 0).is_damaged);
    assert_string_equal(fix_read(f, t, 0, 0), "0:a=0 1:b=1 2:c=2 3:d=3");
    wr_log_topic_unref(t);
    finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_removed_later_in_the_journal_need_not_be_there),
        cmocka_unit_test(a_transaction_whose_end_was_removed_holds_nobody_back),
        cmocka_unit_test(readers_wait_at_the_log_start_for_an_end_that_is_damaged),
        cmocka_unit_test(a_gap_is_closed_with_all_segments_that_lie_in_it),
    };
    return cmocka_run_group_tests_name("replay", tests, NULL, NULL);
}
