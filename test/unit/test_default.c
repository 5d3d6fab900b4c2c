/*
 * Default expressions as pg_get_expr() of PostgreSQL 15 prints them, and what the schema of records shows
 * of each (cdc.md C4).
 */
#include "source/postgres/default.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wr_arena arena;

static struct wr_value default_of(uint32_t oid, int32_t typmod, const char *expression)
{
    const struct wr_pg_type *type = wr_pg_type_find(oid, WR_STR(""), 'b');
    struct wr_column column = {0};
    wr_pg_modifier_read(type, typmod, &column);
    return wr_pg_default_of(wr_str_of(expression), type, &column, &arena);
}

enum {
    BOOL = 16,
    INT8 = 20,
    INT4 = 23,
    TEXT = 25,
    BYTEA = 17,
    FLOAT8 = 701,
    VARCHAR = 1043,
    DATE = 1082,
    TIMESTAMP = 1114,
    TIMESTAMPTZ = 1184,
    TIMETZ = 1266,
    NUMERIC = 1700,
    UUID = 2950,
    JSONB = 3802,
    INET = 869,
    NUMERIC_8_3 = 524295
};

static void literals_show_as_themselves(void **state)
{
    (void)state;
    assert_int_equal(default_of(INT4, -1, "5").u.i, 5);
    assert_int_equal(default_of(INT4, -1, "(-7)").u.i, -7);
    assert_int_equal(default_of(INT4, -1, "'-7'::integer").u.i, -7);
    assert_int_equal(default_of(INT8, -1, "'5000000000'::bigint").u.i, 5000000000);
    assert_true(default_of(BOOL, -1, "true").u.b);
    assert_true(default_of(FLOAT8, -1, "(-1.5)").u.f == -1.5);
    assert_int_equal(default_of(DATE, -1, "'2024-02-29'::date").u.i, 19782);
    assert_int_equal(
        default_of(TIMESTAMPTZ, -1, "'2023-12-31 22:00:00+00'::timestamp with time zone").u.i,
        INT64_C(1704060000000000));
}

static bool shows(uint32_t oid, int32_t typmod, const char *expression, const char *text)
{
    struct wr_value v = default_of(oid, typmod, expression);
    return v.state == WR_VALUE_SET && wr_str_eq(wr_str_of_bytes(v.u.bytes), wr_str_of(text));
}

static void text_is_unquoted_whole(void **state)
{
    (void)state;
    assert_true(shows(TEXT, -1, "'x'::text", "x"));
    assert_true(shows(VARCHAR, 24, "'it''s'::character varying", "it's"));
    assert_true(shows(TEXT, -1, "''::text", ""));
    assert_true(shows(TEXT, -1, "E'a\\\\b'::text", "a\\b"));
    assert_true(shows(JSONB, -1, "'{\"a\": \"b''c\"}'::jsonb", "{\"a\": \"b'c\"}"));
    assert_true(shows(UUID, -1, "'b68a35a7-17ad-35b3-af2a-ae46edb4545a'::uuid",
                      "b68a35a7-17ad-35b3-af2a-ae46edb4545a"));
}

static void decimals_have_the_digits_of_their_column(void **state)
{
    (void)state;
    assert_true(shows(NUMERIC, NUMERIC_8_3, "2.5", "2.500"));
    assert_true(shows(NUMERIC, NUMERIC_8_3, "1", "1.000"));
    assert_true(shows(NUMERIC, NUMERIC_8_3, "(-0.125)", "-0.125"));
    assert_true(shows(NUMERIC, -1, "2.50", "2.50"));
    assert_true(shows(NUMERIC, NUMERIC_8_3, "'NaN'::numeric", "NaN"));
    assert_int_equal(default_of(NUMERIC, NUMERIC_8_3, "1.23456").state, WR_VALUE_ABSENT);
}

static void functions_and_keywords_show_a_placeholder(void **state)
{
    (void)state;
    assert_int_equal(default_of(INT4, -1, "nextval('s1.t_id_seq'::regclass)").u.i, 0);
    assert_int_equal(default_of(TIMESTAMP, 3, "now()").u.i, 0);
    assert_int_equal(default_of(TIMESTAMPTZ, -1, "CURRENT_TIMESTAMP").state, WR_VALUE_SET);
    assert_int_equal(default_of(TIMESTAMP, -1, "(now() AT TIME ZONE 'utc'::text)").u.i, 0);
    assert_int_equal(default_of(DATE, -1, "CURRENT_DATE").u.i, 0);
    assert_true(shows(UUID, -1, "gen_random_uuid()", "00000000-0000-0000-0000-000000000000"));
    assert_true(shows(JSONB, -1, "jsonb_build_object()", "{}"));
    assert_true(shows(TEXT, -1, "CURRENT_USER", ""));
    assert_true(shows(NUMERIC, NUMERIC_8_3, "random()", "0.000"));
}

static void shows_none(uint32_t oid, const char *expression)
{
    if (default_of(oid, -1, expression).state != WR_VALUE_ABSENT) {
        fail_msg("shows %s", expression);
    }
}

static void all_else_shows_none(void **state)
{
    (void)state;
    static const struct {
        uint32_t oid;
        const char *expression;
    } cases[] = {
        {TEXT, NULL},
        {TEXT, "NULL::text"},
        {INT4, "(2 * 3)"},
        {BYTEA, "'\\x00'::bytea"},
        {TIMETZ, "'10:00:00+00'::time with time zone"},
        {INET, "'10.0.0.1'::inet"},
        {TEXT, "('a'::text || 'b'::text)"},
        {DATE, "'infinity'::date"},
        {TIMESTAMP, "'-infinity'::timestamp without time zone"},
        {INT4, ""},
        {INT4, "trueish"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        shows_none(cases[i].oid, cases[i].expression);
    }
}

static int set_up(void **state)
{
    (void)state;
    arena = wr_arena_of(1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wr_arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_show_as_themselves),
        cmocka_unit_test(text_is_unquoted_whole),
        cmocka_unit_test(decimals_have_the_digits_of_their_column),
        cmocka_unit_test(functions_and_keywords_show_a_placeholder),
        cmocka_unit_test(all_else_shows_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
