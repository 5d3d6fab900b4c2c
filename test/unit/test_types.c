/*
 * PostgreSQL's text of each type to typed values. Days and microseconds were computed by PostgreSQL 15
 * itself: extract(epoch from …), and date - '1970-01-01'.
 */
#include "source/postgres/types.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wr_arena arena;

static const struct wr_pg_type *type_named(const char *name)
{
    for (uint32_t oid = 1; oid < 5000; oid++) {
        const struct wr_pg_type *t = wr_pg_type_find(oid, WR_STR(""), 'b');
        if (t != NULL && strcmp(t->name, name) == 0) {
            return t;
        }
    }
    fail_msg("no type %s", name);
    return NULL;
}

/* NULL and *out set, or why not. */
static const char *read_as(const char *type, const char *text, struct wr_value *out)
{
    struct wr_bytes bytes = wr_bytes_of_str(wr_str_of(text));
    size_t len = strlen(type);
    bool is_array = len > 2 && strcmp(type + len - 2, "[]") == 0;
    char name[32] = {0};
    memcpy(name, type, is_array ? len - 2 : len);
    return wr_pg_value_read(type_named(name), is_array, bytes, &arena, out);
}

static struct wr_value value_of(const char *type, const char *text)
{
    struct wr_value v = {.state = WR_VALUE_ABSENT};
    const char *why = read_as(type, text, &v);
    if (why != NULL || v.state != WR_VALUE_SET) {
        fail_msg("%s '%s': %s", type, text, why);
    }
    return v;
}

static void reads_whole_numbers_to_their_last_one(void **state)
{
    (void)state;
    assert_int_equal(value_of("int2", "-32768").u.i, INT16_MIN);
    assert_int_equal(value_of("int4", "2147483647").u.i, INT32_MAX);
    assert_true(value_of("int8", "-9223372036854775808").u.i == INT64_MIN);
    assert_true(value_of("int8", "9223372036854775807").u.i == INT64_MAX);
    assert_int_equal(value_of("oid", "4294967295").u.i, 4294967295);
}

static void reads_dates_in_the_proleptic_gregorian_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t days;
    } cases[] = {
        {"1970-01-01", 0},          {"2024-02-29", 19782},       {"2000-03-01", 11017},
        {"1900-03-01", -25508},     {"1582-10-04", -141438},     {"0001-01-01", -719162},
        {"0001-12-31 BC", -719163}, {"4713-11-24 BC", -2440222}, {"5874897-12-31", 2145042905},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(value_of("date", cases[i].text).u.i, cases[i].days);
    }
    assert_true(value_of("date", "infinity").u.i == WR_TIME_INFINITY);
    assert_true(value_of("date", "-infinity").u.i == WR_TIME_MINUS_INFINITY);
}

static void reads(const char *type, const char *text, int64_t expected)
{
    int64_t got = value_of(type, text).u.i;
    if (got != expected) {
        fail_msg("%s '%s' is %lld", type, text, (long long)got);
    }
}

static void reads_timestamps_to_the_microsecond(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *text;
        int64_t us;
    } cases[] = {
        {"timestamp", "1970-01-01 00:00:00", 0},
        {"timestamp", "2024-03-15 10:40:00.5", INT64_C(1710499200500000)},
        {"timestamp", "2024-03-15 10:40:00.000001", INT64_C(1710499200000001)},
        {"timestamp", "1969-12-31 23:59:59.999999", -1},
        {"timestamp", "294246-12-31 23:59:59.999999", INT64_C(9223371244799999999)},
        {"timestamp", "0044-03-15 12:00:00 BC", INT64_C(-63517780800000000)},
        {"timestamptz", "2024-03-15 10:40:00+00", INT64_C(1710499200000000)},
        {"timestamptz", "2024-03-15 12:40:00+02", INT64_C(1710499200000000)},
        {"timestamptz", "2024-03-15 05:10:00.25-05:30", INT64_C(1710499200250000)},
        {"time", "00:00:00", 0},
        {"time", "04:05:06.789", INT64_C(14706789000)},
        {"time", "24:00:00", INT64_C(86400000000)},
        {"timetz", "00:30:00+02", INT64_C(81000000000)}, /* 22:30 of the day before, in UTC */
        {"timetz", "23:30:00-02:30", INT64_C(7200000000)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        reads(cases[i].type, cases[i].text, cases[i].us);
    }
    assert_true(value_of("timestamptz", "-infinity").u.i == WR_TIME_MINUS_INFINITY);
}

static void reads_floats_rounded_once(void **state)
{
    (void)state;
    assert_true(value_of("float8", "0.1").u.f == 0.1);
    assert_true(value_of("float8", "1.7976931348623157e+308").u.f == 1.7976931348623157e+308);
    assert_true(value_of("float8", "5e-324").u.f == 5e-324);
    assert_true(isnan(value_of("float8", "NaN").u.f));
    assert_true(isinf(value_of("float8", "-Infinity").u.f));
    assert_true(value_of("float4", "0.1").u.f == (double)0.1F);
    assert_true(value_of("float4", "3.4028235e+38").u.f == (double)3.4028235e+38F);
}

static void reads_booleans_text_and_bytes(void **state)
{
    (void)state;
    assert_true(value_of("bool", "t").u.b);
    assert_false(value_of("bool", "f").u.b);
    assert_true(
        wr_bytes_eq(value_of("text", "").u.bytes, (struct wr_bytes){(const uint8_t *)"", 0}));
    assert_true(
        wr_str_eq(wr_str_of_bytes(value_of("numeric", "-0.00010").u.bytes), WR_STR("-0.00010")));
    struct wr_value v = value_of("bytea", "\\x00ff10");
    assert_int_equal(v.u.bytes.len, 3);
    assert_memory_equal(v.u.bytes.ptr, "\x00\xff\x10", 3);
    assert_int_equal(value_of("bytea", "\\x").u.bytes.len, 0);
}

static void reads_arrays_with_nulls_quotes_and_lower_bounds(void **state)
{
    (void)state;
    struct wr_value v = value_of("int4[]", "{1,NULL,-3}");
    assert_int_equal(v.u.array.count, 3);
    assert_int_equal(v.u.array.items[0].u.i, 1);
    assert_int_equal(v.u.array.items[1].state, WR_VALUE_NULL);
    assert_int_equal(v.u.array.items[2].u.i, -3);
    v = value_of("text[]", "{a,\"b, {c}\",\"\",\"NULL\",\"q\\\"\\\\\",NULL}");
    assert_int_equal(v.u.array.count, 6);
    static const char *const texts[] = {"a", "b, {c}", "", "NULL", "q\"\\"};
    for (size_t i = 0; i < 5; i++) {
        assert_true(wr_str_eq(wr_str_of_bytes(v.u.array.items[i].u.bytes), wr_str_of(texts[i])));
    }
    assert_int_equal(v.u.array.items[5].state, WR_VALUE_NULL);
    assert_int_equal(value_of("text[]", "{}").u.array.count, 0);
    assert_int_equal(value_of("int8[]", "[2:3]={7,8}").u.array.items[1].u.i, 8);
    assert_int_equal(value_of("bytea[]", "{\"\\\\x01\"}").u.array.items[0].u.bytes.len, 1);
}

static void refuses(const char *type, const char *text)
{
    struct wr_value v = {.state = WR_VALUE_UNSENT};
    if (read_as(type, text, &v) == NULL || v.state != WR_VALUE_UNSENT) {
        fail_msg("took %s '%s'", type, text);
    }
}

static void says_why_a_text_is_no_value(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"int2", "32768"},
        {"int4", "2147483648"},
        {"int4", ""},
        {"int4", "-"},
        {"int4", "1x"},
        {"int4", "+1"},
        {"int8", "9223372036854775808"},
        {"float8", ""},
        {"float8", "1.5x"},
        {"bool", "yes"},
        {"bytea", "00"},
        {"bytea", "\\x0"},
        {"bytea", "\\xzz"},
        {"date", ""},
        {"date", "2024-13-01"},
        {"date", "2024-01"},
        {"date", "2024-01-01 AD"},
        {"date", "99999999-01-01"},
        {"timestamp", "2024-01-01"},
        {"timestamp", "2024-01-01 10:00:00+00"},
        {"timestamp", "2024-01-01 1:00:00"},
        {"timestamp", "294276-12-31 23:59:59"}, /* fits since 2000, not since 1970 */
        {"timestamptz", "2024-01-01 10:00:00"},
        {"time", "25:00:00"},
        {"time", "10:00"},
        {"time", "24:00:01"},
        {"int4[]", ""},
        {"int4[]", "{"},
        {"int4[]", "{1"},
        {"int4[]", "{1,}"},
        {"int4[]", "{1}x"},
        {"int4[]", "{{1},{2}}"},
        {"int4[]", "{\"1}"},
        {"text[]", "[1:1]"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuses(wrong[i][0], wrong[i][1]);
    }
}

static void knows_types_by_oid_extensions_by_name_and_enums_by_kind(void **state)
{
    (void)state;
    assert_int_equal(wr_pg_type_find(23, WR_STR("int4"), 'b')->type, WR_TYPE_INT32);
    assert_int_equal(wr_pg_type_find(3802, WR_STR("jsonb"), 'b')->type, WR_TYPE_JSON);
    assert_int_equal(wr_pg_type_find(16999, WR_STR("citext"), 'b')->type, WR_TYPE_TEXT);
    assert_int_equal(wr_pg_type_find(17000, WR_STR("mood"), 'e')->type, WR_TYPE_ENUM);
    assert_null(wr_pg_type_find(603, WR_STR("box"), 'b'));
    assert_null(wr_pg_type_find(17001, WR_STR("pair"), 'c'));
    assert_null(wr_pg_type_find(0, WR_STR("gone"), 0));
}

static void reads_modifiers_as_the_server_packs_them(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        int32_t typmod;
        int32_t precision;
        int32_t scale;
        int32_t length;
    } cases[] = {
        {"numeric", 524295, 8, 3, -1},  /* numeric(8,3) */
        {"numeric", 655366, 10, 2, -1}, /* numeric(10,2) */
        {"numeric", 198658, 3, -2, -1}, /* numeric(3,-2), PostgreSQL 15 */
        {"numeric", -1, -1, -1, -1},     {"varchar", 24, -1, -1, 20}, {"bpchar", 7, -1, -1, 3},
        {"varchar", -1, -1, -1, -1},     {"timestamp", 3, 3, -1, -1}, {"time", 0, 0, -1, -1},
        {"timestamptz", -1, -1, -1, -1}, {"int4", -1, -1, -1, -1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wr_column c = {0};
        wr_pg_modifier_read(type_named(cases[i].type), cases[i].typmod, &c);
        assert_int_equal(c.precision, cases[i].precision);
        assert_int_equal(c.scale, cases[i].scale);
        assert_int_equal(c.length, cases[i].length);
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
        cmocka_unit_test(reads_whole_numbers_to_their_last_one),
        cmocka_unit_test(reads_dates_in_the_proleptic_gregorian_calendar),
        cmocka_unit_test(reads_timestamps_to_the_microsecond),
        cmocka_unit_test(reads_floats_rounded_once),
        cmocka_unit_test(reads_booleans_text_and_bytes),
        cmocka_unit_test(reads_arrays_with_nulls_quotes_and_lower_bounds),
        cmocka_unit_test(says_why_a_text_is_no_value),
        cmocka_unit_test(knows_types_by_oid_extensions_by_name_and_enums_by_kind),
        cmocka_unit_test(reads_modifiers_as_the_server_packs_them),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
