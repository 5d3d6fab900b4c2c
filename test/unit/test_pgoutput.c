/*
 * Each message of pgoutput as the protocol page (55.9) lays it out, written by hand, so that a mistake
 * of ours cannot hide in both ends; and real ones, as PostgreSQL 15 sent them, from the fuzzer's
 * corpus (test/fuzz/corpus/pgoutput says how they were made). Every shorter prefix of each must be
 * refused: that walks each bounds check without naming them.
 */
#include "source/postgres/pgoutput.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__})

struct sample {
    const char *name;
    const uint8_t *bytes;
    size_t len;
};

/* clang-format off */
#define SAMPLE(id, ...) static const uint8_t id[] = {__VA_ARGS__}
SAMPLE(begin, 'B', 0,0,0,0,0x01,0x6b,0x37,0x48, 0,0,0,0,0,0x0f,0x42,0x40, 0,0,2,0xe3);
SAMPLE(commit, 'C', 0, 0,0,0,0,0x01,0x6b,0x37,0x48, 0,0,0,0,0x01,0x6b,0x37,0x78, 0,0,0,0,0,0x0f,0x42,0x40);
SAMPLE(origin, 'O', 0,0,0,0,0,0,0x10,0, 'n','o','d','e','2',0);
SAMPLE(relation, 'R', 0,0,0x40,1, 'p','u','b','l','i','c',0, 'o','r','d','e','r','s',0, 'd', 0,2,
       1, 'i','d',0, 0,0,0,20, 0xff,0xff,0xff,0xff,
       0, 'n','o','t','e',0, 0,0,4,0x13, 0,0,0,0x18);
SAMPLE(type, 'Y', 0,0,0x40,9, 0, 'm','o','o','d',0);
SAMPLE(insert, 'I', 0,0,0x40,1, 'N', 0,3, 't',0,0,0,2,'4','2', 'n', 't',0,0,0,0);
SAMPLE(update, 'U', 0,0,0x40,1, 'N', 0,2, 't',0,0,0,1,'7', 'u');
SAMPLE(update_key, 'U', 0,0,0x40,1, 'K', 0,2, 't',0,0,0,1,'6', 'n', 'N', 0,2, 't',0,0,0,1,'7', 'n');
SAMPLE(update_full, 'U', 0,0,0x40,1, 'O', 0,1, 't',0,0,0,1,'6', 'N', 0,1, 't',0,0,0,1,'7');
SAMPLE(delete, 'D', 0,0,0x40,1, 'K', 0,1, 't',0,0,0,1,'6');
SAMPLE(delete_full, 'D', 0,0,0x40,1, 'O', 0,1, 'n');
SAMPLE(truncate_two, 'T', 0,0,0,2, 3, 0,0,0x40,1, 0,0,0x40,5);
SAMPLE(message, 'M', 1, 0,0,0,0,0x01,0x6b,0x37,0x48, 'w','e','i','r',0, 0,0,0,3, 'a',0,'b');
/* clang-format on */

#define ROW(id)             \
    {                       \
#id, id, sizeof(id) \
    }
static const struct sample samples[] = {
    ROW(begin),       ROW(commit),  ROW(origin),       ROW(relation),    ROW(type),
    ROW(insert),      ROW(update),  ROW(update_key),   ROW(update_full), ROW(delete),
    ROW(delete_full), ROW(message), ROW(truncate_two),
};
enum {
    SAMPLES = sizeof(samples) / sizeof(samples[0])
};

static struct wr_pgoutput decoder;

static struct wr_pg_message decoded(const uint8_t *bytes, size_t len)
{
    struct wr_pg_message m = {0};
    struct weir_error err = {0};
    if (wr_pgoutput_decode(&decoder, (struct wr_bytes){bytes, len}, &m, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return m;
}

static bool text_is(struct wr_bytes bytes, const char *text)
{
    return wr_str_eq(wr_str_of_bytes(bytes), wr_str_of(text));
}

static void decodes_the_ends_of_a_transaction(void **state)
{
    (void)state;
    struct wr_pg_message m = decoded(begin, sizeof(begin));
    assert_int_equal(m.kind, WR_PG_BEGIN);
    assert_int_equal(m.u.begin.final_lsn, 0x16b3748);
    assert_int_equal(m.u.begin.commit_us, INT64_C(946684801000000)); /* 2000-01-01 00:00:01 */
    assert_int_equal(m.u.begin.xid, 739);
    m = decoded(commit, sizeof(commit));
    assert_int_equal(m.kind, WR_PG_COMMIT);
    assert_int_equal(m.u.commit.commit_lsn, 0x16b3748);
    assert_int_equal(m.u.commit.end_lsn, 0x16b3778);
    assert_int_equal(m.u.commit.commit_us, INT64_C(946684801000000));
    m = decoded(origin, sizeof(origin));
    assert_int_equal(m.u.origin.lsn, 0x1000);
    assert_true(wr_str_eq(m.u.origin.name, WR_STR("node2")));
}

static void decodes_what_a_table_is(void **state)
{
    (void)state;
    struct wr_pg_message m = decoded(relation, sizeof(relation));
    assert_int_equal(m.u.relation.oid, 16385);
    assert_true(wr_str_eq(m.u.relation.schema, WR_STR("public")));
    assert_true(wr_str_eq(m.u.relation.table, WR_STR("orders")));
    assert_int_equal(m.u.relation.identity, 'd');
    assert_int_equal(m.u.relation.column_count, 2);
    assert_true(wr_str_eq(m.u.relation.columns[0].name, WR_STR("id")));
    assert_true(m.u.relation.columns[0].is_identity);
    assert_int_equal(m.u.relation.columns[0].type_oid, 20);
    assert_int_equal(m.u.relation.columns[0].typmod, -1);
    assert_true(wr_str_eq(m.u.relation.columns[1].name, WR_STR("note")));
    assert_false(m.u.relation.columns[1].is_identity);
    assert_int_equal(m.u.relation.columns[1].type_oid, 1043);
    assert_int_equal(m.u.relation.columns[1].typmod, 24);
    m = decoded(type, sizeof(type));
    assert_int_equal(m.u.type.oid, 16393);
    assert_true(wr_str_eq(m.u.type.schema, WR_STR("pg_catalog"))); /* sent as "" */
    assert_true(wr_str_eq(m.u.type.name, WR_STR("mood")));
}

static void decodes_rows_with_null_empty_and_unsent_fields(void **state)
{
    (void)state;
    struct wr_pg_message m = decoded(insert, sizeof(insert));
    assert_int_equal(m.u.row.oid, 16385);
    assert_int_equal(m.u.row.old_kind, WR_PG_OLD_NONE);
    assert_int_equal(m.u.row.before.count, 0);
    assert_int_equal(m.u.row.after.count, 3);
    assert_true(text_is(m.u.row.after.fields[0].text, "42"));
    assert_int_equal(m.u.row.after.fields[1].kind, WR_PG_FIELD_NULL);
    assert_int_equal(m.u.row.after.fields[2].kind, WR_PG_FIELD_TEXT);
    assert_int_equal(m.u.row.after.fields[2].text.len, 0);
    m = decoded(update, sizeof(update));
    assert_int_equal(m.u.row.after.fields[1].kind, WR_PG_FIELD_UNSENT);
}

static void decodes_old_rows_and_says_what_they_hold(void **state)
{
    (void)state;
    struct wr_pg_message m = decoded(update_key, sizeof(update_key));
    assert_int_equal(m.u.row.old_kind, WR_PG_OLD_KEY);
    assert_true(text_is(m.u.row.before.fields[0].text, "6"));
    assert_true(text_is(m.u.row.after.fields[0].text, "7"));
    m = decoded(update_full, sizeof(update_full));
    assert_int_equal(m.u.row.old_kind, WR_PG_OLD_ROW);
    m = decoded(delete, sizeof(delete));
    assert_int_equal(m.kind, WR_PG_DELETE);
    assert_int_equal(m.u.row.old_kind, WR_PG_OLD_KEY);
    assert_int_equal(m.u.row.after.count, 0);
    m = decoded(delete_full, sizeof(delete_full));
    assert_int_equal(m.u.row.old_kind, WR_PG_OLD_ROW);
    assert_int_equal(m.u.row.before.fields[0].kind, WR_PG_FIELD_NULL);
}

static void decodes_truncates_and_messages(void **state)
{
    (void)state;
    struct wr_pg_message m = decoded(truncate_two, sizeof(truncate_two));
    assert_int_equal(m.u.truncate.count, 2);
    assert_int_equal(m.u.truncate.oids[0], 16385);
    assert_int_equal(m.u.truncate.oids[1], 16389);
    assert_true(m.u.truncate.is_cascade);
    assert_true(m.u.truncate.restarts_identity);
    m = decoded(message, sizeof(message));
    assert_true(m.u.message.is_transactional);
    assert_int_equal(m.u.message.lsn, 0x16b3748);
    assert_true(wr_str_eq(m.u.message.prefix, WR_STR("weir")));
    assert_int_equal(m.u.message.content.len, 3);
    assert_memory_equal(m.u.message.content.ptr, "a\0b", 3);
}

/* In memory of its exact size, so that the address sanitizer sees a byte too far. */
static int decode_exactly(const uint8_t *bytes, size_t len, struct wr_pg_message *out,
                          struct weir_error *err)
{
    uint8_t *exact = test_malloc(len + (len == 0));
    memcpy(exact, bytes, len);
    int rc = wr_pgoutput_decode(&decoder, (struct wr_bytes){exact, len}, out, err);
    test_free(exact);
    return rc;
}

static void refuses_prefix(const struct sample *sample, size_t len)
{
    struct wr_pg_message m = {.kind = WR_PG_TYPE};
    struct weir_error err = {0};
    int rc = decode_exactly(sample->bytes, len, &m, &err);
    if (rc != WEIR_E_CORRUPT || m.kind != WR_PG_TYPE) {
        fail_msg("%s cut to %zu bytes gave %d", sample->name, len, rc);
    }
}

static void refuses_every_prefix_and_leaves_out_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        for (size_t len = 0; len < samples[i].len; len++) {
            refuses_prefix(&samples[i], len);
        }
    }
}

static void refuses_a_byte_too_many(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        uint8_t longer[256] = {0};
        memcpy(longer, samples[i].bytes, samples[i].len);
        struct wr_pg_message m;
        struct weir_error err;
        assert_int_equal(decode_exactly(longer, samples[i].len + 1, &m, &err), WEIR_E_CORRUPT);
    }
}

static void refuses(const struct sample *sample)
{
    struct wr_pg_message m;
    struct weir_error err;
    if (decode_exactly(sample->bytes, sample->len, &m, &err) != WEIR_E_CORRUPT) {
        fail_msg("took %s", sample->name);
    }
}

static void refuses_marks_and_kinds_that_the_protocol_has_not(void **state)
{
    (void)state;
    /* clang-format off */
    const struct sample wrong[] = {
        {"old tuple in an insert", BYTES('I', 0,0,0,1, 'K', 0,0), 8},
        {"no new tuple in an update", BYTES('U', 0,0,0,1, 'K', 0,0, 'O', 0,0), 11},
        {"new tuple in a delete", BYTES('D', 0,0,0,1, 'N', 0,0), 8},
        {"a field in binary", BYTES('I', 0,0,0,1, 'N', 0,1, 'b', 0,0,0,1, 1), 14},
        {"a field longer than the message", BYTES('I', 0,0,0,1, 'N', 0,1, 't', 0xff,0xff,0xff,0xff, 1), 14},
        {"more truncated tables than bytes", BYTES('T', 0x7f,0,0,2, 0, 0,0,0,1), 10},
        {"a time that does not fit", BYTES('B', 0,0,0,0,0,0,0,1, 0x7f,0xff,0xff,0xff,0xff,0xff,0xff,0xff, 0,0,0,1), 21},
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuses(&wrong[i]);
    }
}

static void names_the_field_that_does_not_fit(void **state)
{
    (void)state;
    struct wr_pg_message m;
    struct weir_error err;
    assert_int_equal(decode_exactly(relation, 20, &m, &err), WEIR_E_CORRUPT);
    assert_non_null(strstr(err.text, "pgoutput message 'R'"));
    assert_non_null(strstr(err.text, "column count"));
}

static void says_that_a_later_protocol_is_not_known(void **state)
{
    (void)state;
    static const uint8_t stream_start[] = {'S', 0, 0, 0, 1, 1};
    struct wr_pg_message m;
    struct weir_error err;
    assert_int_equal(decode_exactly(stream_start, 6, &m, &err), WEIR_E_UNSUPPORTED);
}

static void survives_every_allocation_failing(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct weir_error err = {0};
        struct wr_pg_message m;
        int rc = WEIR_E_NOMEM;
        for (size_t n = 1; rc == WEIR_E_NOMEM; n++) {
            struct wr_pgoutput fresh = {0};
            wr_test_fail_alloc_at = n;
            rc = wr_pgoutput_decode(&fresh, (struct wr_bytes){samples[i].bytes, samples[i].len}, &m,
                                    &err);
            wr_test_fail_alloc_at = 0;
            wr_pgoutput_fini(&fresh);
        }
        assert_int_equal(rc, 0);
    }
}

/* ---- CopyData ---- */

/* clang-format off */
SAMPLE(xlog_data, 'w', 0,0,0,0,0,0,1,0, 0,0,0,0,0,0,2,0, 0,0,0,0,0,0x0f,0x42,0x40, 'B', 'x');
SAMPLE(keepalive, 'k', 0,0,0,0,0,0,2,0, 0,0,0,0,0,0x0f,0x42,0x40, 1);
/* clang-format on */

static void decodes_data_and_keepalives(void **state)
{
    (void)state;
    struct wr_pg_copy copy;
    struct weir_error err;
    struct wr_bytes data = {xlog_data, sizeof(xlog_data)};
    assert_int_equal(wr_pg_copy_decode(data, &copy, &err), 0);
    assert_int_equal(copy.kind, WR_PG_COPY_DATA);
    assert_int_equal(copy.start_lsn, 0x100);
    assert_int_equal(copy.wal_end_lsn, 0x200);
    assert_true(text_is(copy.payload, "Bx"));
    struct wr_bytes alive = {keepalive, sizeof(keepalive)};
    assert_int_equal(wr_pg_copy_decode(alive, &copy, &err), 0);
    assert_int_equal(copy.kind, WR_PG_COPY_KEEPALIVE);
    assert_int_equal(copy.wal_end_lsn, 0x200);
    assert_int_equal(copy.clock_us, INT64_C(946684801000000));
    assert_true(copy.wants_reply);
}

static void refuses_every_prefix_of_copy_data(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_pg_copy copy = {.start_lsn = 77};
    for (size_t len = 0; len < sizeof(keepalive); len++) {
        assert_int_equal(wr_pg_copy_decode((struct wr_bytes){keepalive, len}, &copy, &err),
                         WEIR_E_CORRUPT);
    }
    for (size_t len = 0; len < 25; len++) { /* the payload may have any length */
        assert_int_equal(wr_pg_copy_decode((struct wr_bytes){xlog_data, len}, &copy, &err),
                         WEIR_E_CORRUPT);
    }
    assert_int_equal(wr_pg_copy_decode((struct wr_bytes){BYTES('x', 0), 2}, &copy, &err),
                     WEIR_E_CORRUPT);
    assert_int_equal(copy.start_lsn, 77);
}

static void writes_a_status_as_the_protocol_has_it(void **state)
{
    (void)state;
    /* clang-format off */
    static const uint8_t expected[] = {'r', 0,0,0,0,0,0,2,0, 0,0,0,0,0,0,1,0, 0,0,0,0,0,0,1,0,
                                       0,0,0,0,0,0x0f,0x42,0x40, 0};
    /* clang-format on */
    uint8_t room[64];
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    const struct wr_pg_progress progress = {.written_lsn = 0x200, .flushed_lsn = 0x100};
    wr_pg_status_put(&w, &progress, INT64_C(946684801000000));
    assert_int_equal(w.len, sizeof(expected));
    assert_memory_equal(room, expected, sizeof(expected));
    struct wr_pg_progress asking = progress;
    asking.wants_reply = true;
    w = wr_writer_over(room, sizeof(room));
    wr_pg_status_put(&w, &asking, INT64_C(946684801000000));
    assert_memory_equal(room, expected, sizeof(expected) - 1);
    assert_int_equal(room[sizeof(expected) - 1], 1);
}

/* ---- LSN ---- */

static void writes_and_reads_lsns_as_postgresql_prints_them(void **state)
{
    (void)state;
    char text[WR_PG_LSN_TEXT_MAX];
    assert_string_equal(wr_pg_lsn_text(0x16b3748, text), "0/16B3748");
    assert_string_equal(wr_pg_lsn_text(UINT64_MAX, text), "FFFFFFFF/FFFFFFFF");
    uint64_t lsn = 0;
    assert_true(wr_pg_lsn_parse(WR_STR("1A/b0000010"), &lsn));
    assert_int_equal(lsn, UINT64_C(0x1ab0000010));
    static const char *const wrong[] = {"",    "/",    "0/",  "/0", "0", "0/123456789",
                                        "x/1", "0/1 ", "0/-1"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(wr_pg_lsn_parse(wr_str_of(wrong[i]), &lsn));
    }
    assert_int_equal(lsn, UINT64_C(0x1ab0000010));
}

static int free_decoder(void **state)
{
    (void)state;
    wr_pgoutput_fini(&decoder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes_the_ends_of_a_transaction),
        cmocka_unit_test(decodes_what_a_table_is),
        cmocka_unit_test(decodes_rows_with_null_empty_and_unsent_fields),
        cmocka_unit_test(decodes_old_rows_and_says_what_they_hold),
        cmocka_unit_test(decodes_truncates_and_messages),
        cmocka_unit_test(refuses_every_prefix_and_leaves_out_alone),
        cmocka_unit_test(refuses_a_byte_too_many),
        cmocka_unit_test(refuses_marks_and_kinds_that_the_protocol_has_not),
        cmocka_unit_test(names_the_field_that_does_not_fit),
        cmocka_unit_test(says_that_a_later_protocol_is_not_known),
        cmocka_unit_test(survives_every_allocation_failing),
        cmocka_unit_test(decodes_data_and_keepalives),
        cmocka_unit_test(refuses_every_prefix_of_copy_data),
        cmocka_unit_test(writes_a_status_as_the_protocol_has_it),
        cmocka_unit_test(writes_and_reads_lsns_as_postgresql_prints_them),
    };
    return cmocka_run_group_tests(tests, NULL, free_decoder);
}
