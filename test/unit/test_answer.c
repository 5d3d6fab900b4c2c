/* What becomes of commits that were not done: held in their order, and done in it; or dropped, all of them. */
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

/* Fill a commit of some 200 KB: two of them do not fit one round. */
static void commit_large(struct fix *f, struct wr_log_writer *writer, struct wr_log_topic *topic)
{
    static const uint8_t bytes[1000];
    struct wr_record record = {.value = {bytes, sizeof(bytes)}, .timestamp_ms = -1};
    for (int i = 0; i < 200; i++) {
        assert_int_equal(wr_log_append(writer, topic, 0, &record, &f->err), 0);
    }
    assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, NULL, &f->err), 0);
}

/* Let a commit of f->writer be answered REWIND, not taken yet: its transaction has records in a topic that
 * is deleted meanwhile. */
static void meet_rewind(struct fix *f, struct wr_log_topic *kept)
{
    struct wr_log_topic *gone = fix_topic(f, "gone", 1, NULL);
    assert_int_equal(wr_log_writer_mark(f->writer, &f->err), 0);
    fix_put(f, gone, 0, "k", "v");
    wr_log_topic_unref(gone);
    assert_int_equal(wr_log_topic_delete(f->log, "gone", &f->err), 0);
    fix_append(f, kept, 0, "k", "position");
    assert_int_equal(wr_log_writer_end(f->writer, true, NULL, &f->err), 0);
    assert_int_equal(wr_embedded_step(f->log, &f->err), 1);
}

static void what_was_handed_over_before_a_rewind_was_taken_is_dropped(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    struct wr_log_answer answer;
    struct wr_log_writer *other = NULL;
    struct wr_log_writer_options none = {0};
    fix_open(f);
    struct wr_log_topic *kept = fix_topic(f, "kept", 1, NULL);
    struct wr_log_topic *bulk = fix_topic(f, "bulk", 1, NULL);
    assert_int_equal(wr_log_writer_open(f->log, &none, &other, &f->err), 0);
    meet_rewind(f, kept);
    commit_large(f, other, bulk);
    commit_large(f, other, bulk);
    fix_append(f, kept, 0, "k", "behind it");
    assert_int_equal(wr_log_writer_commit(f->writer, WR_COMMIT_PLAIN, NULL, &f->err), 0);
    assert_int_equal(wr_embedded_step(f->log, &f->err), 1); /* it still waits */
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 1);
    assert_int_equal(answer.outcome, WR_COMMIT_REWIND);
    fix_drive(f);
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 0);
    assert_string_equal(fix_read(f, kept, 0, 0), "");
    fix_put(f, kept, 0, "k", "anew");
    assert_string_equal(fix_read(f, kept, 0, 0), "0:k=anew");
    wr_log_writer_close(other);
    wr_log_topic_unref(kept);
    wr_log_topic_unref(bulk);
    fix_close(f);
    fix_free(f);
}

/* A commit that asks for a new segment and cannot have it goes back, and the next one, which is smaller, to
 * the segment before. */
static void a_segment_that_could_not_be_made_leaves_no_file(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    struct weir_error none;
    uint64_t number = 0;
    char large[600];
    memset(large, 'x', sizeof(large));
    large[sizeof(large) - 1] = 0;
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, "segment.bytes=1000");
    fix_put(f, t, 0, "k", large);
    wr_vfs_sim_fault(f->sim, &(struct wr_sim_fault){.kinds = WR_SIM_SIZE,
                                                    .at = 1,
                                                    .code = WEIR_E_IO,
                                                    .path = "00000000000000000001.log"});
    fix_append(f, t, 0, "k", large);
    assert_int_equal(wr_log_writer_commit(f->writer, WR_COMMIT_PLAIN, &number, &f->err), 0);
    fix_drive(f);
    expect_answer(f, number, WR_COMMIT_AGAIN);
    assert_int_equal(wr_vfs_sim_fault_hits(f->sim), 1);
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(wr_vfs_sim_vfs(f->sim), "log/t-0/00000000000000000001.log",
                                  WR_OPEN_READ, &file, &none),
                     WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_writer_retry(f->writer, &f->err), 0);
    fix_drive(f);
    expect_answer(f, number, WR_COMMIT_DONE);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

static void mark_and_put(struct fix *f, struct wr_log_topic *t, const char *value)
{
    assert_int_equal(wr_log_writer_mark(f->writer, &f->err), 0);
    fix_put(f, t, 0, "k", value);
}

/* What a dead process left open is aborted when there is room, and what is open by then is not. */
static void an_abort_that_waited_for_room_leaves_later_transactions_alone(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    mark_and_put(f, t, "dead");
    wr_log_topic_unref(t);
    fix_kill(f);
    wr_vfs_sim_capacity(f->sim, wr_vfs_sim_used(f->sim));
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    wr_vfs_sim_capacity(f->sim, UINT64_MAX);
    mark_and_put(f, t, "1");
    wr_manual_clock_advance(&f->clock, 2000000);
    fix_drive(f);
    assert_string_equal(fix_read(f, t, 0, 0), "");
    fix_append(f, t, 0, "k", "2");
    assert_int_equal(wr_log_writer_end(f->writer, true, NULL, &f->err), 0);
    fix_drive(f);
    const char *seen = fix_read(f, t, 0, 0);
    assert_non_null(strstr(seen, ":k=1 "));
    assert_non_null(strstr(seen, ":k=2"));
    assert_null(strstr(seen, "dead"));
    wr_log_topic_unref(t);
    fix_close(f);
    fix_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_of_several_rounds_wait_for_room_in_their_order),
        cmocka_unit_test(what_was_handed_over_before_a_rewind_was_taken_is_dropped),
        cmocka_unit_test(a_segment_that_could_not_be_made_leaves_no_file),
        cmocka_unit_test(an_abort_that_waited_for_room_leaves_later_transactions_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
