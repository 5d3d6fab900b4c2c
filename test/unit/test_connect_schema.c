/*
 * Columns as Connect sees them, where test/wire/debezium does not go: times between milliseconds, values out
 * of range, arrays that cannot be shown. Expected: java.time's rounding (Instant.toEpochMilli goes down) and
 * cdc.md C1, C2, C5.
 */
#include "data/connect_schema.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct wr_arena arena;

static int setup(void **state)
{
    (void)state;
    arena = wr_arena_of(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wr_arena_fini(&arena);
    return 0;
}

static const struct wr_connect_modes precise = {.placeholder = {(const uint8_t *)"--", 2}};
static const struct wr_connect_modes connect = {.time = WR_TIME_CONNECT,
                                                .placeholder = {(const uint8_t *)"--", 2}};

static struct wr_column column_of(enum wr_type type, int32_t precision)
{
    return (struct wr_column){.name = WR_STR("c"),
                              .type = type,
                              .item = WR_TYPE_INT32,
                              .is_nullable = true,
                              .precision = precision,
                              .type_name = WR_STR("sometype"),
                              .default_value = {.state = WR_VALUE_ABSENT}};
}

static struct wr_connect_column map(const struct wr_column *column,
                                    const struct wr_connect_modes *modes)
{
    struct wr_connect_column mapped;
    struct weir_error err;
    assert_int_equal(wr_connect_map(column, modes, &arena, &mapped, &err), 0);
    return mapped;
}

static void goes_down_to_the_millisecond(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        int64_t ms;
    } cases[] = {{0, 0}, {1999, 1}, {-1, -1}, {-1000, -1}, {-1001, -2}, {86400000000, 86400000}};
    struct wr_column timestamp = column_of(WR_TYPE_TIMESTAMP, 3);
    struct wr_column any = column_of(WR_TYPE_TIMESTAMP, -1);
    struct wr_connect_column by_precision = map(&timestamp, &precise);
    struct wr_connect_column by_mode = map(&any, &connect);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wr_value value = {.state = WR_VALUE_SET, .u.i = cases[i].us};
        struct wr_datum out;
        assert_null(wr_connect_convert(&by_precision, &value, &arena, &out));
        assert_int_equal(out.u.i, cases[i].ms);
        assert_null(wr_connect_convert(&by_mode, &value, &arena, &out));
        assert_int_equal(out.u.i, cases[i].ms);
    }
}

static void says_why_a_value_has_no_place(void **state)
{
    (void)state;
    static const struct {
        enum wr_type type;
        int32_t precision;
        struct wr_value value;
        const char *why;
    } cases[] = {
        {WR_TYPE_DATE, -1, {WR_VALUE_SET, .u.i = INT64_C(2147483648)}, "a day beyond 32 bits"},
        {WR_TYPE_TIMETZ, -1, {WR_VALUE_SET, .u.i = -1}, "a time of day beyond 24:00"},
        {WR_TYPE_TIMETZ, -1, {WR_VALUE_SET, .u.i = 86400000001}, "a time of day beyond 24:00"},
        {WR_TYPE_TIMESTAMPTZ, 7, {WR_VALUE_SET, .u.i = 0}, "a fraction of more than six digits"},
        {WR_TYPE_DECIMAL,
         -1,
         {WR_VALUE_SET, .u.bytes = {(const uint8_t *)"1e5", 3}},
         "not a decimal"},
        {WR_TYPE_DECIMAL,
         5,
         {WR_VALUE_SET, .u.bytes = {(const uint8_t *)"1.5", 3}},
         "more digits after the point than its scale"},
        {WR_TYPE_INT32,
         -1,
         {WR_VALUE_UNSENT, .u.i = 0},
         "a value that was not sent, in a type that has nothing to stand for it"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wr_column column = column_of(cases[i].type, cases[i].precision);
        struct wr_connect_column mapped = map(&column, &precise);
        struct wr_datum out;
        assert_string_equal(wr_connect_convert(&mapped, &cases[i].value, &arena, &out),
                            cases[i].why);
        assert_false(out.is_set);
    }
}

static void an_array_is_shown_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct wr_value items[] = {{WR_VALUE_SET, .u.i = 1}, {WR_VALUE_NULL, .u.i = 0}};
    const struct wr_value value = {WR_VALUE_SET, .u.array = {items, 2}};
    const struct wr_value unsent = {.state = WR_VALUE_UNSENT};
    struct wr_column column = column_of(WR_TYPE_ARRAY, -1);
    struct wr_datum out;
    struct wr_connect_column mapped = map(&column, &precise);
    assert_null(wr_connect_convert(&mapped, &value, &arena, &out));
    assert_int_equal(out.u.list.count, 2);
    assert_false(out.u.list.items[1].is_set);
    column.item = WR_TYPE_ENUM;
    mapped = map(&column, &precise);
    assert_string_equal(wr_connect_convert(&mapped, &value, &arena, &out),
                        "NULL in an array of an enum");
    column.item = WR_TYPE_INT16;
    mapped = map(&column, &precise);
    assert_string_equal(wr_connect_convert(&mapped, &unsent, &arena, &out),
                        "a value that was not sent, in an array that has nothing to stand for it");
    assert_false(out.is_set);
}

static void refuses_types_that_have_no_mapping(void **state)
{
    (void)state;
    struct wr_connect_column mapped;
    struct weir_error err;
    struct wr_column column = column_of(WR_TYPE_ARRAY, -1);
    static const enum wr_type items[] = {WR_TYPE_UNKNOWN, WR_TYPE_ARRAY};
    for (size_t i = 0; i < COUNT(items); i++) {
        column.item = items[i];
        assert_int_equal(wr_connect_map(&column, &precise, &arena, &mapped, &err),
                         WEIR_E_UNSUPPORTED);
        assert_string_equal(err.text, "column c has type sometype, which has no mapping");
    }
}

static void compares_values_as_java_does(void **state)
{
    (void)state;
    const struct wr_schema number = {.type = WR_SCHEMA_FLOAT64};
    const struct wr_schema text = {.type = WR_SCHEMA_STRING};
    const struct wr_datum nan = {.is_set = true, .u.f = __builtin_nan("")};
    const struct wr_datum zero = {.is_set = true, .u.f = 0.0};
    const struct wr_datum minus = {.is_set = true, .u.f = -0.0};
    const struct wr_datum a = {.is_set = true, .u.bytes = {(const uint8_t *)"a", 1}};
    const struct wr_datum b = {.is_set = true, .u.bytes = {(const uint8_t *)"b", 1}};
    const struct wr_datum none = {.is_set = false};
    assert_true(wr_datum_eq(&number, &nan, &nan));
    assert_false(wr_datum_eq(&number, &zero, &minus));
    assert_true(wr_datum_eq(&text, &a, &a));
    assert_false(wr_datum_eq(&text, &a, &b));
    assert_false(wr_datum_eq(&text, &a, &none));
    assert_true(wr_datum_eq(&text, &none, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_down_to_the_millisecond),
        cmocka_unit_test(says_why_a_value_has_no_place),
        cmocka_unit_test(an_array_is_shown_whole_or_not_at_all),
        cmocka_unit_test(refuses_types_that_have_no_mapping),
        cmocka_unit_test(compares_values_as_java_does),
    };
    return cmocka_run_group_tests_name("connect_schema", tests, setup, teardown);
}
