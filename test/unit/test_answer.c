/* What becomes of commits that were not done: held in their order, and done in it. */
#include "unit/embedded_fixture.h"

/* Hand over one record. */
static void hand_over(struct fix *f, struct wr_log_topic *t, const char *value)
{
    fix_append(f, t, 0, "k", value);
    assert_int_equal(wr_log_writer_commit(f->writer, WR_COMMIT_PLAIN, NULL, &f->err), 0);
}

/* The abort of a marked transaction has a round of its own: what stands behind it in the queue is not
 * looked at while the round before it comes back. */
static void hand_over_an_abort(struct fix *f, struct wr_log_writer *other, struct wr_log_topic *t)
{
    struct wr_record record = {.value = {(const uint8_t *)"x", 1}, .timestamp_ms = -1};
    assert_int_equal(wr_log_writer_mark(other, &f->err), 0);
    assert_int_equal(wr_log_append(other, t, 0, &record, &f->err), 0);
    assert_int_equal(wr_log_writer_commit(other, WR_COMMIT_PLAIN, NULL, &f->err), 0);
    assert_int_equal(wr_log_writer_end(other, false, NULL, &f->err), 0);
}

static void expect_answer(struct fix *f, uint64_t number, enum wr_outcome outcome)
{
    struct wr_log_answer answer;
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 1);
    assert_int_equal(answer.commit, number);
    assert_int_equal(answer.outcome, outcome);
}

static void those_of_several_rounds_wait_for_room_in_their_order(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    struct wr_log_writer *other = NULL;
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    assert_int_equal(
        wr_log_writer_open(f->log, &(struct wr_log_writer_options){0}, &other, &f->err), 0);
    hand_over(f, t, "1");
    hand_over(f, t, "2");
    hand_over_an_abort(f, other, t);
    hand_over(f, t, "3");
    wr_vfs_sim_capacity(f->sim, wr_vfs_sim_used(f->sim));
    fix_drive(f);
    expect_answer(f, 1, WR_COMMIT_AGAIN);
    wr_vfs_sim_capacity(f->sim, UINT64_MAX);
    assert_int_equal(wr_log_writer_retry(f->writer, &f->err), 0);
    fix_drive(f);
    expect_answer(f, 1, WR_COMMIT_DONE);
    expect_answer(f, 2, WR_COMMIT_DONE);
    expect_answer(f, 3, WR_COMMIT_DONE);
    assert_string_equal(fix_read(f, t, 0, 0), "0:k=1 1:k=2 2:k=3");
    wr_log_topic_unref(t);
    wr_log_writer_close(other);
    fix_close(f);
    fix_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_several_rounds_wait_for_room_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
