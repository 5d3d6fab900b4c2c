/* Variables of a query filled in as psql does it; quoting as PostgreSQL's lexical rules have it. */
#include "source/postgres/sql.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char room[16 << 10];

static const char *filled(const char *text, const char *value)
{
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    const struct wr_pg_arg args[] = {{"other", WR_STR("?")}, {"x", wr_str_of(value)}};
    wr_pg_sql_fill(&w, text, args, 2);
    wr_put_u8(&w, 0);
    struct weir_error err;
    assert_int_equal(wr_writer_end(&w, &err), 0);
    return room;
}

static void fills_in_literals_identifiers_and_words(void **state)
{
    (void)state;
    assert_string_equal(filled("a = :'x', :\"x\", :x;", "v"), "a = 'v', \"v\", v;");
    assert_string_equal(filled(":'x'", "it's \"b\" \\n"), "'it''s \"b\" \\n'");
    assert_string_equal(filled(":\"x\"", "it's \"b\""), "\"it's \"\"b\"\"\"");
    assert_string_equal(filled(":'x'", "'); DROP TABLE t; --"), "'''); DROP TABLE t; --'");
    assert_string_equal(filled(":'x'::text", ""), "''::text");
}

static void leaves_alone_what_is_no_variable(void **state)
{
    (void)state;
    assert_string_equal(filled("a::int, b :: text, ':x', 'a:''x', 1 : 2, :", "v"),
                        "a::int, b :: text, ':x', 'a:''x', 1 : 2, :");
    assert_string_equal(filled(":'X':\"x", "v"), ":'X':\"x");
}

static void quotes_the_name_of_a_table(void **state)
{
    (void)state;
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    wr_pg_table_name_put(&w, WR_STR("s.1"), WR_STR("T\"x"));
    assert_true(wr_str_eq(wr_writer_str(&w), WR_STR("\"s.1\".\"T\"\"x\"")));
}

static void every_query_is_there_without_its_comments(void **state)
{
    (void)state;
    const char *const all[] = {wr_pg_sql_begin_snapshot,
                               wr_pg_sql_copy,
                               wr_pg_sql_create_publication,
                               wr_pg_sql_create_slot,
                               wr_pg_sql_create_temporary_slot,
                               wr_pg_sql_describe,
                               wr_pg_sql_drop_slot,
                               wr_pg_sql_identify_system,
                               wr_pg_sql_progress,
                               wr_pg_sql_publication,
                               wr_pg_sql_server,
                               wr_pg_sql_session,
                               wr_pg_sql_set_publication_tables,
                               wr_pg_sql_slot,
                               wr_pg_sql_start_replication,
                               wr_pg_sql_tables};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        assert_true(strlen(all[i]) > 10);
        assert_null(strstr(all[i], "--"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in_literals_identifiers_and_words),
        cmocka_unit_test(leaves_alone_what_is_no_variable),
        cmocka_unit_test(quotes_the_name_of_a_table),
        cmocka_unit_test(every_query_is_there_without_its_comments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
