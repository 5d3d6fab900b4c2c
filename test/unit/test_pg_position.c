/* A position as JSON, and back. The text was written by hand from the format in pg_position.h. */
#include "source/postgres/pg_position.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char text[] =
    "{\"version\":1,\"lsn\":\"0/16B3778\",\"tx_commit_lsn\":\"1/A\",\"tx_events\":7,\"message_lsn\":\"0/10\","
    "\"last_commit_lsn\":\"0/16B3778\",\"system\":\"7301234567890123456\",\"timeline\":2,\"database\":\"app_db\","
    "\"slot\":\"debezium\",\"plugin\":\"pgoutput\",\"publication_oid\":16412}";

static void check(const struct wr_pg_position *p)
{
    assert_int_equal(p->lsn, 0x16b3778);
    assert_int_equal(p->tx_commit_lsn, UINT64_C(0x10000000a));
    assert_int_equal(p->tx_events, 7);
    assert_int_equal(p->message_lsn, 0x10);
    assert_int_equal(p->last_commit_lsn, 0x16b3778);
    assert_string_equal(p->system, "7301234567890123456");
    assert_int_equal(p->timeline, 2);
    assert_string_equal(p->database, "app_db");
    assert_string_equal(p->slot, "debezium");
    assert_int_equal(p->publication_oid, 16412);
}

static void reads_each_member(void **state)
{
    (void)state;
    struct wr_pg_position p;
    struct weir_error err;
    assert_int_equal(wr_pg_position_parse(wr_str_of(text), &p, &err), 0);
    check(&p);
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    struct wr_pg_position p;
    struct weir_error err;
    char room[1024];
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    assert_int_equal(wr_pg_position_parse(wr_str_of(text), &p, &err), 0);
    wr_pg_position_put(&w, &p, (struct wr_str){NULL, 0});
    assert_true(wr_str_eq(wr_writer_str(&w), wr_str_of(text)));
}

static void carries_what_was_written_and_names_with_quotes(void **state)
{
    (void)state;
    struct wr_pg_position p = {.lsn = 1, .timeline = 1, .publication_oid = 5};
    struct wr_pg_position back;
    struct weir_error err;
    char room[1024];
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    wr_pg_name_copy(p.database, WR_STR("a\"b\\c\n"));
    wr_pg_name_copy(p.system, WR_STR("1"));
    wr_pg_name_copy(p.slot, WR_STR("s"));
    wr_pg_position_put(&w, &p, WR_STR("[[\"app.t\",0,5,3]]"));
    assert_non_null(strstr(room, "\"tx_commit_lsn\":null"));
    assert_int_equal(wr_pg_position_parse(wr_writer_str(&w), &back, &err), 0);
    assert_string_equal(back.database, "a\"b\\c\n");
    assert_int_equal(back.tx_commit_lsn, 0);
}

static void refuses_what_is_no_position_and_leaves_out_alone(void **state)
{
    (void)state;
    struct weir_error err;
    for (size_t len = 0; len + 1 < sizeof(text); len++) {
        struct wr_pg_position p = {.lsn = 77};
        assert_int_equal(wr_pg_position_parse((struct wr_str){text, len}, &p, &err),
                         WEIR_E_CORRUPT);
        assert_int_equal(p.lsn, 77);
    }
    static const char *const wrong[] = {"[]", "{}", "null", "{\"version\":1}",
                                        "{\"version\":\"1\"}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct wr_pg_position p;
        assert_int_equal(wr_pg_position_parse(wr_str_of(wrong[i]), &p, &err), WEIR_E_CORRUPT);
    }
}

static void says_that_it_is_of_a_later_weir(void **state)
{
    (void)state;
    struct wr_pg_position p;
    struct weir_error err;
    assert_int_equal(wr_pg_position_parse(WR_STR("{\"version\":2,\"lsn\":5}"), &p, &err),
                     WEIR_E_UNSUPPORTED);
    assert_non_null(strstr(err.text, "later weir"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_member),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(carries_what_was_written_and_names_with_quotes),
        cmocka_unit_test(refuses_what_is_no_position_and_leaves_out_alone),
        cmocka_unit_test(says_that_it_is_of_a_later_weir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
