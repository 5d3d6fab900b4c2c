/* group_contract.c - readers that share partitions, and what a group has read. */
#include "contract/log_fixture.h"

static bool can(struct fixture *f, enum wr_log_capability what)
{
    return (wr_log_capabilities(f->log) & (unsigned)what) != 0;
}

static struct wr_log_reader *join(struct fixture *f, const char *group, const char *topic)
{
    const char *const topics[] = {topic};
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_join(r, group, topics, 1, &f->err), 0);
    return r;
}

/* Who has which of up to 8 partitions, as the readers were told. */
struct shares {
    struct wr_log_reader *owners[8];
};

/* Take what this reader is told. A revoked partition is given up by the next poll, as log.h says. */
static void follow(struct fixture *f, struct wr_log_reader *r, struct shares *shares)
{
    struct wr_log_chunk chunk = {.kind = WR_POLL_ASSIGNED};
    while (chunk.kind != WR_POLL_NONE) {
        assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), 0);
        if (chunk.kind == WR_POLL_ASSIGNED) {
            assert_null(shares->owners[chunk.partition]); /* never two at once */
            shares->owners[chunk.partition] = r;
        } else if (chunk.kind == WR_POLL_REVOKED || chunk.kind == WR_POLL_LOST) {
            assert_ptr_equal(shares->owners[chunk.partition], r);
            shares->owners[chunk.partition] = NULL;
        }
    }
}

static size_t count_of(const struct shares *shares, const struct wr_log_reader *r)
{
    size_t count = 0;
    for (size_t i = 0; i < 8; i++) {
        count += shares->owners[i] == r ? 1 : 0;
    }
    return count;
}

static void one_reader_gets_all_partitions(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_JOIN)) {
        return;
    }
    (void)make_topic(f, "t", 4, NULL);
    struct wr_log_reader *r = join(f, "g", "t");
    struct shares shares = {{NULL}};
    assert_true(is_readable(wr_log_reader_fd(r)));
    follow(f, r, &shares);
    assert_int_equal(count_of(&shares, r), 4);
}

static void joining_again_changes_the_topics(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_JOIN)) {
        return;
    }
    (void)make_topic(f, "t", 1, NULL);
    (void)make_topic(f, "u", 1, NULL);
    struct wr_log_reader *r = join(f, "g", "t");
    const char *const both[] = {"t", "u"};
    struct wr_log_chunk chunk = {.kind = WR_POLL_NONE};
    assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), 0);
    assert_int_equal(chunk.kind, WR_POLL_ASSIGNED);
    assert_string_equal(chunk.topic->name, "t");
    assert_int_equal(wr_log_reader_join(r, "g", both, 2, &f->err), 0);
    assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), 0);
    assert_int_equal(chunk.kind, WR_POLL_ASSIGNED);
    assert_string_equal(chunk.topic->name, "u");
    assert_int_equal(wr_log_reader_join(r, "g", both + 1, 1, &f->err), 0);
    assert_int_equal(wr_log_reader_poll(r, 0, &chunk, &f->err), 0);
    assert_int_equal(chunk.kind, WR_POLL_REVOKED);
    assert_string_equal(chunk.topic->name, "t");
    assert_int_equal(wr_log_reader_join(r, "h", both, 2, &f->err), WEIR_E_INPUT);
}

static void readers_share_what_none_has_twice(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_JOIN)) {
        return;
    }
    (void)make_topic(f, "t", 4, NULL);
    struct wr_log_reader *r[3];
    struct shares shares = {{NULL}};
    for (size_t n = 0; n < 3; n++) {
        r[n] = join(f, "g", "t");
        for (size_t i = 0; i < 3 * (n + 1); i++) { /* some rounds, for what is handed on */
            follow(f, r[i % (n + 1)], &shares);
        }
        for (size_t i = 0; i <= n; i++) {
            assert_true(count_of(&shares, r[i]) >= 4 / (n + 1));
        }
    }
    close_reader(f, r[0]);
    for (size_t p = 0; p < 4; p++) {
        shares.owners[p] = shares.owners[p] == r[0] ? NULL : shares.owners[p];
    }
    for (size_t i = 0; i < 6; i++) {
        follow(f, r[1 + i % 2], &shares);
    }
    assert_int_equal(count_of(&shares, r[1]), 2);
    assert_int_equal(count_of(&shares, r[2]), 2);
}

static void groups_do_not_share_with_each_other(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_JOIN)) {
        return;
    }
    (void)make_topic(f, "t", 2, NULL);
    struct wr_log_reader *one = join(f, "one", "t");
    struct wr_log_reader *two = join(f, "two", "t");
    struct shares of_one = {{NULL}};
    struct shares of_two = {{NULL}};
    follow(f, one, &of_one);
    follow(f, two, &of_two);
    assert_int_equal(count_of(&of_one, one), 2);
    assert_int_equal(count_of(&of_two, two), 2);
}

static void reading_starts_where_the_worker_assigns(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_JOIN)) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = join(f, "g", "t");
    struct shares shares = {{NULL}};
    put(f, w, t, 0, "a");
    put(f, w, t, 0, "b");
    follow(f, r, &shares); /* asserts nothing of records: none come */
    assert_string_equal(read_now(f, r), "");
    assert_int_equal(wr_log_reader_assign(r, t, 0, 1, &f->err), 0);
    assert_string_equal(read_now(f, r), "0:1=b");
}

static void a_topic_that_comes_later_is_shared_and_a_deleted_one_is_lost(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_JOIN)) {
        return;
    }
    struct wr_log_reader *r = join(f, "g", "t");
    struct shares shares = {{NULL}};
    follow(f, r, &shares);
    assert_int_equal(count_of(&shares, r), 0);
    (void)make_topic(f, "t", 2, NULL);
    follow(f, r, &shares);
    assert_int_equal(count_of(&shares, r), 2);
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    follow(f, r, &shares);
    assert_int_equal(count_of(&shares, r), 0);
}

/* ---- offsets ---- */

static void offsets_of_a_group_move_with_the_commit(void **state)
{
    struct fixture *f = *state;
    if (!can(f, WR_LOG_CAN_GROUP_OFFSETS) || f->variant->group_offset == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_group_offset moves[] = {{t, 0, 10, 1}, {t, 1, 20, 1}};
    append(f, w, t, 0, NULL, "x");
    assert_int_equal(wr_log_writer_offsets(w, "g", moves, 2, &f->err), 0);
    assert_int_equal(f->variant->group_offset(f, "g", t, 0), -1);
    (void)commit_done(f, w);
    assert_int_equal(f->variant->group_offset(f, "g", t, 0), 10);
    assert_int_equal(f->variant->group_offset(f, "g", t, 1), 20);
    assert_int_equal(f->variant->group_offset(f, "other", t, 0), -1);
    assert_int_equal(wr_log_writer_offsets(w, "g", moves, 1, &f->err), 0);
    wr_log_writer_drop(w);
    moves[0].offset = 30;
    assert_int_equal(wr_log_writer_offsets(w, "g", moves, 1, &f->err), 0);
    (void)commit_done(f, w); /* offsets alone */
    assert_int_equal(f->variant->group_offset(f, "g", t, 0), 30);
    assert_int_equal(f->variant->group_offset(f, "g", t, 1), 20);
    moves[0].partition = 2;
    assert_int_equal(wr_log_writer_offsets(w, "g", moves, 1, &f->err), WEIR_E_RANGE);
}

static void what_the_engine_cannot_do_is_unsupported(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    const char *const topics[] = {"t"};
    struct wr_group_offset move = {t, 0, 0, 0};
    if (!can(f, WR_LOG_CAN_JOIN)) {
        assert_int_equal(wr_log_reader_join(r, "g", topics, 1, &f->err), WEIR_E_UNSUPPORTED);
        assert_non_null(strstr(f->err.text, wr_log_engine(f->log)));
    }
    if (!can(f, WR_LOG_CAN_GROUP_OFFSETS)) {
        assert_int_equal(wr_log_writer_offsets(w, "g", &move, 1, &f->err), WEIR_E_UNSUPPORTED);
    }
    if (!can(f, WR_LOG_CAN_MARK)) {
        assert_int_equal(wr_log_writer_mark(w, &f->err), WEIR_E_UNSUPPORTED);
    }
}

int group_contract(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_reader_gets_all_partitions),
        TEST(joining_again_changes_the_topics),
        TEST(readers_share_what_none_has_twice),
        TEST(groups_do_not_share_with_each_other),
        TEST(reading_starts_where_the_worker_assigns),
        TEST(a_topic_that_comes_later_is_shared_and_a_deleted_one_is_lost),
        TEST(offsets_of_a_group_move_with_the_commit),
        TEST(what_the_engine_cannot_do_is_unsupported),
    };
    return cmocka_run_group_tests_name("groups", tests, NULL, NULL);
}
