/*
 * The order of a stream: what is counted, skipped, cut, confirmed. Messages are laid out here from the
 * protocol pages (55.4, 55.9), field by field.
 */
#include "source/postgres/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    OID = 16400,
    OTHER = 16500, /* a table that is not captured */
    XID = 739
};

#define START   UINT64_C(0x1000)         /* where the streams of these tests begin */
#define TIME_US INT64_C(946684801000000) /* 2000-01-01 00:00:01, which is 1000000 on the wire */

static struct wr_pg_stream stream;
static uint64_t version;
static struct wr_writer bytes;

/* ---- messages ---- */

static struct wr_writer *data(uint64_t lsn, char kind)
{
    wr_writer_reset(&bytes);
    wr_put_u8(&bytes, 'w');
    wr_put_u64(&bytes, lsn);
    wr_put_u64(&bytes, lsn);
    wr_put_u64(&bytes, 1000000);
    wr_put_u8(&bytes, (uint8_t)kind);
    return &bytes;
}

static void put_cstr(struct wr_writer *w, const char *text)
{
    wr_put_str(w, wr_str_of(text));
    wr_put_u8(w, 0);
}

static struct wr_pg_step take(void)
{
    struct wr_pg_step step;
    struct weir_error err;
    if (wr_pg_stream_take(&stream, wr_writer_bytes(&bytes), &step, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return step;
}

static int refused(void)
{
    struct wr_pg_step step;
    struct weir_error err;
    return wr_pg_stream_take(&stream, wr_writer_bytes(&bytes), &step, &err);
}

static struct wr_pg_step begin(uint64_t final_lsn)
{
    struct wr_writer *w = data(final_lsn, 'B');
    wr_put_u64(w, final_lsn);
    wr_put_u64(w, 1000000);
    wr_put_u32(w, XID);
    return take();
}

static void put_commit(uint64_t commit_lsn, uint64_t end_lsn)
{
    struct wr_writer *w = data(end_lsn, 'C');
    wr_put_u8(w, 0);
    wr_put_u64(w, commit_lsn);
    wr_put_u64(w, end_lsn);
    wr_put_u64(w, 1000000);
}

static struct wr_pg_step commit(uint64_t commit_lsn, uint64_t end_lsn)
{
    put_commit(commit_lsn, end_lsn);
    return take();
}

static void put_relation(uint32_t oid)
{
    struct wr_writer *w = data(0, 'R');
    wr_put_u32(w, oid);
    put_cstr(w, "public");
    put_cstr(w, "t");
    wr_put_u8(w, 'd');
    wr_put_u16(w, 1);
    wr_put_u8(w, 1);
    put_cstr(w, "id");
    wr_put_u32(w, 23);
    wr_put_u32(w, UINT32_MAX);
}

static const char FACTS[] =
    "{\"oid\":16400,\"schema\":\"public\",\"table\":\"t\",\"identity\":\"d\",\"key\":[\"id\"],\"identity_index\":null,"
    "\"columns\":[{\"name\":\"id\",\"type\":23,\"type_name\":\"int4\",\"kind\":\"b\",\"typmod\":-1,\"is_not_null\":true}]}";

static void announce(void)
{
    const struct wr_pg_table *fresh = NULL;
    struct weir_error err;
    put_relation(OID);
    assert_int_equal(take().kind, WR_PG_STEP_DESCRIBE);
    assert_int_equal(wr_pg_stream_describe(&stream, wr_str_of(FACTS), &fresh, &err), 0);
    put_relation(OTHER);
    assert_int_equal(take().kind, WR_PG_STEP_DESCRIBE);
    assert_int_equal(wr_pg_stream_describe(&stream, (struct wr_str){NULL, 0}, &fresh, &err), 0);
    assert_null(fresh);
}

static void put_insert(uint64_t lsn, uint32_t oid, const char *id)
{
    struct wr_writer *w = data(lsn, 'I');
    wr_put_u32(w, oid);
    wr_put_u8(w, 'N');
    wr_put_u16(w, 1);
    wr_put_u8(w, 't');
    wr_put_u32(w, (uint32_t)strlen(id));
    wr_put_str(w, wr_str_of(id));
}

static struct wr_pg_step insert(uint64_t lsn, uint32_t oid, const char *id)
{
    put_insert(lsn, oid, id);
    return take();
}

/* An insert that must be due, and is written. */
static void write_insert(uint64_t lsn, const char *id)
{
    struct wr_pg_step step = insert(lsn, OID, id);
    assert_int_equal(step.kind, WR_PG_STEP_CHANGES);
    wr_pg_stream_written(&stream);
}

static struct wr_pg_step keepalive(uint64_t wal_end, bool wants_reply)
{
    wr_writer_reset(&bytes);
    wr_put_u8(&bytes, 'k');
    wr_put_u64(&bytes, wal_end);
    wr_put_u64(&bytes, 1000000);
    wr_put_u8(&bytes, wants_reply ? 1 : 0);
    return take();
}

static void put_message(uint64_t lsn, bool is_transactional)
{
    struct wr_writer *w = data(lsn, 'M');
    wr_put_u8(w, is_transactional ? 1 : 0);
    wr_put_u64(w, lsn);
    put_cstr(w, "weir");
    wr_put_u32(w, 2);
    wr_put_str(w, WR_STR("hi"));
}

static void put_truncate(uint64_t lsn)
{
    struct wr_writer *w = data(lsn, 'T');
    wr_put_u32(w, 2);
    wr_put_u8(w, 0);
    wr_put_u32(w, OTHER);
    wr_put_u32(w, OID);
}

/* ---- tests ---- */

static void a_transaction_moves_the_position_when_it_ends(void **state)
{
    (void)state;
    assert_int_equal(begin(0x2000).kind, WR_PG_STEP_NONE);
    announce();
    struct wr_pg_step step = insert(0x1100, OID, "42");
    assert_int_equal(step.kind, WR_PG_STEP_CHANGES);
    assert_int_equal(step.change_count, 1);
    const struct wr_change *c = step.changes;
    assert_int_equal(c->op, WR_OP_CREATE);
    assert_int_equal(c->after[0].u.i, 42);
    assert_null(c->before);
    assert_int_equal(c->origin.ts_us, TIME_US);
    assert_int_equal(c->origin.lsn, 0x1100);
    assert_int_equal(c->origin.tx_id, XID);
    assert_false(c->origin.has_last_commit);
    wr_pg_stream_written(&stream);
    assert_true(wr_pg_stream_is_torn(&stream));
    assert_int_equal(stream.position.lsn, START);
    assert_int_equal(commit(0x2000, 0x2030).kind, WR_PG_STEP_END);
    assert_false(wr_pg_stream_is_torn(&stream));
    assert_int_equal(stream.position.lsn, 0x2030);
    assert_int_equal(stream.position.tx_commit_lsn, 0);

    assert_int_equal(begin(0x3000).kind, WR_PG_STEP_NONE);
    step = insert(0x2100, OID, "43");
    assert_true(step.changes->origin.has_last_commit);
    assert_int_equal(step.changes->origin.last_commit_lsn, 0x2030); /* the commit's end */
}

static void a_change_that_was_not_written_may_be_taken_again(void **state)
{
    (void)state;
    (void)begin(0x2000);
    announce();
    assert_int_equal(insert(0x1100, OID, "1").kind, WR_PG_STEP_CHANGES);
    assert_int_equal(stream.position.tx_events, 0);
    struct wr_pg_step step = take();
    assert_int_equal(step.kind, WR_PG_STEP_CHANGES);
    assert_int_equal(step.changes->after[0].u.i, 1);
    wr_pg_stream_written(&stream);
    assert_int_equal(stream.position.tx_events, 1);
}

static void a_cut_transaction_goes_on_where_it_was_cut(void **state)
{
    (void)state;
    (void)begin(0x2000);
    announce();
    write_insert(0x1100, "1");
    assert_int_equal(insert(0x1110, OTHER, "x").kind,
                     WR_PG_STEP_NONE); /* counts, though not captured */
    write_insert(0x1120, "2");
    struct wr_pg_position cut = stream.position;
    assert_int_equal(cut.lsn, START);
    assert_int_equal(cut.tx_commit_lsn, 0x2000);
    assert_int_equal(cut.tx_events, 3);

    wr_pg_stream_fini(&stream);
    stream = wr_pg_stream_of(&cut, "app_db", &version);
    (void)begin(0x2000);
    announce();
    assert_int_equal(insert(0x1100, OID, "1").kind, WR_PG_STEP_NONE);
    assert_int_equal(insert(0x1110, OTHER, "x").kind, WR_PG_STEP_NONE);
    assert_int_equal(insert(0x1120, OID, "2").kind, WR_PG_STEP_NONE);
    write_insert(0x1130, "3");
    assert_int_equal(stream.position.tx_events, 4);
    assert_int_equal(commit(0x2000, 0x2030).kind, WR_PG_STEP_END);
    assert_int_equal(stream.position.lsn, 0x2030);
    assert_int_equal(stream.position.tx_events, 0);
}

static void what_committed_before_the_position_is_skipped_whole(void **state)
{
    (void)state;
    (void)begin(START - 1);
    announce();
    assert_int_equal(insert(0x500, OID, "1").kind, WR_PG_STEP_NONE);
    assert_int_equal(commit(START - 1, START + 0x30).kind, WR_PG_STEP_NONE);
    assert_int_equal(stream.position.lsn, START);
    (void)begin(
        START); /* its commit record begins at the position: it is the first that is not in */
    write_insert(0x600, "2");
}

static void a_truncate_is_one_event_for_all_its_tables(void **state)
{
    (void)state;
    (void)begin(0x2000);
    announce();
    put_truncate(0x1100);
    struct wr_pg_step step = take();
    assert_int_equal(step.change_count, 1); /* the captured one of the two */
    assert_int_equal(step.changes->op, WR_OP_TRUNCATE);
    wr_pg_stream_written(&stream);
    assert_int_equal(stream.position.tx_events, 1);
}

static void idle_traffic_moves_the_position_and_asks_for_replies(void **state)
{
    (void)state;
    struct wr_pg_step step = keepalive(0x5000, false);
    assert_int_equal(step.kind, WR_PG_STEP_IDLE);
    assert_false(step.wants_reply);
    assert_int_equal(stream.position.lsn, 0x5000);
    assert_int_equal(keepalive(0x4000, false).kind, WR_PG_STEP_NONE); /* never back */
    assert_int_equal(stream.position.lsn, 0x5000);
    assert_true(keepalive(0x5000, true).wants_reply);
    assert_int_equal(stream.received_lsn, 0x5000);
}

static void a_keepalive_within_a_transaction_moves_nothing(void **state)
{
    (void)state;
    (void)begin(0x2000);
    announce();
    write_insert(0x1100, "1");
    assert_int_equal(keepalive(0x9000, false).kind, WR_PG_STEP_NONE);
    assert_int_equal(stream.position.lsn, START);
    assert_true(keepalive(0x9000, true).wants_reply);
    assert_int_equal(stream.position.lsn, START);
}

static void messages_outside_of_transactions_are_taken_once(void **state)
{
    (void)state;
    put_message(0x1500, false);
    struct wr_pg_step step = take();
    assert_int_equal(step.kind, WR_PG_STEP_CHANGES);
    assert_int_equal(step.changes->op, WR_OP_MESSAGE);
    assert_false(step.changes->origin.has_tx_id);
    assert_int_equal(step.changes->origin.lsn, 0x1500);
    assert_int_equal(step.changes->origin.last_commit_lsn, 0x1500); /* itself included: cdc.md B4 */
    assert_true(wr_str_eq(step.changes->prefix, WR_STR("weir")));
    assert_int_equal(step.changes->content.len, 2);
    wr_pg_stream_written(&stream);
    assert_int_equal(stream.position.message_lsn, 0x1500);
    assert_int_equal(stream.position.lsn, START);
    assert_int_equal(take().kind, WR_PG_STEP_NONE); /* sent again after a restart */
}

static void messages_within_a_transaction_are_events_of_it(void **state)
{
    (void)state;
    put_message(0x1500, true);
    assert_int_equal(refused(), WEIR_E_CORRUPT);
    (void)begin(0x2000);
    put_message(0x1500, true);
    struct wr_pg_step step = take();
    assert_int_equal(step.changes->origin.tx_id, XID);
    wr_pg_stream_written(&stream);
    assert_int_equal(stream.position.tx_events, 1);
    assert_int_equal(stream.position.message_lsn, 0);
}

static void an_origin_is_told_with_each_change_of_its_transaction(void **state)
{
    (void)state;
    (void)begin(0x2000);
    struct wr_writer *w = data(0x1100, 'O');
    wr_put_u64(w, 0x77);
    put_cstr(w, "node2");
    (void)take();
    announce();
    struct wr_pg_step step = insert(0x1100, OID, "1");
    assert_true(wr_str_eq(step.changes->origin.origin_name, WR_STR("node2")));
    assert_int_equal(step.changes->origin.origin_lsn, 0x77);
    wr_pg_stream_written(&stream);
    (void)commit(0x2000, 0x2030);
    (void)begin(0x3000);
    step = insert(0x2100, OID, "2");
    assert_null(step.changes->origin.origin_name.ptr);
}

static void a_table_that_looks_the_same_keeps_its_version(void **state)
{
    (void)state;
    const struct wr_pg_table *fresh = NULL;
    struct weir_error err;
    (void)begin(0x2000);
    announce();
    uint64_t first = insert(0x1100, OID, "1").changes->table->version;
    put_relation(OID);
    (void)take();
    assert_int_equal(wr_pg_stream_describe(&stream, wr_str_of(FACTS), &fresh, &err), 0);
    assert_null(fresh);
    assert_int_equal(insert(0x1100, OID, "1").changes->table->version, first);
    char other[1024];
    (void)snprintf(other, sizeof(other), "%s", FACTS);
    char *key = strstr(other, "[\"id\"]");
    for (size_t i = 0; i < 6; i++) {
        key[i] = "null  "[i];
    }
    put_relation(OID);
    (void)take();
    assert_int_equal(wr_pg_stream_describe(&stream, wr_str_of(other), &fresh, &err), 0);
    assert_non_null(fresh);
    assert_true(insert(0x1100, OID, "1").changes->table->version != first);
}

static void refuses_messages_that_are_out_of_order(void **state)
{
    (void)state;
    put_insert(0x1100, OID, "1");
    assert_int_equal(refused(), WEIR_E_CORRUPT); /* outside of a transaction */
    put_commit(0x2000, 0x2030);
    assert_int_equal(refused(), WEIR_E_CORRUPT);
    (void)begin(0x2000);
    put_insert(0x1100, OID, "1");
    assert_int_equal(refused(), WEIR_E_CORRUPT); /* not announced */
    struct wr_writer *w = data(0x2000, 'B');
    wr_put_u64(w, 0x3000);
    wr_put_u64(w, 0);
    wr_put_u32(w, 1);
    assert_int_equal(refused(), WEIR_E_CORRUPT); /* within another */
    put_commit(0x2001, 0x2030);
    assert_int_equal(refused(), WEIR_E_CORRUPT); /* of another transaction */
    put_commit(0x2000, 0x2000);
    assert_int_equal(refused(), WEIR_E_CORRUPT); /* ends before it begins */
}

static void refuses_a_transaction_shorter_than_what_is_in(void **state)
{
    (void)state;
    stream.position.tx_commit_lsn = 0x2000;
    stream.position.tx_events = 5;
    (void)begin(0x2000);
    announce();
    (void)insert(0x1100, OID, "1");
    put_commit(0x2000, 0x2030);
    assert_int_equal(refused(), WEIR_E_CORRUPT);
}

static int set_up(void **state)
{
    (void)state;
    const struct wr_pg_position position = {.lsn = START};
    bytes = wr_writer_growing(1 << 16);
    stream = wr_pg_stream_of(&position, "app_db", &version);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wr_pg_stream_fini(&stream);
    wr_writer_fini(&bytes);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_transaction_moves_the_position_when_it_ends),
        TEST(a_change_that_was_not_written_may_be_taken_again),
        TEST(a_cut_transaction_goes_on_where_it_was_cut),
        TEST(what_committed_before_the_position_is_skipped_whole),
        TEST(a_truncate_is_one_event_for_all_its_tables),
        TEST(idle_traffic_moves_the_position_and_asks_for_replies),
        TEST(a_keepalive_within_a_transaction_moves_nothing),
        TEST(messages_outside_of_transactions_are_taken_once),
        TEST(messages_within_a_transaction_are_events_of_it),
        TEST(an_origin_is_told_with_each_change_of_its_transaction),
        TEST(a_table_that_looks_the_same_keeps_its_version),
        TEST(refuses_messages_that_are_out_of_order),
        TEST(refuses_a_transaction_shorter_than_what_is_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
