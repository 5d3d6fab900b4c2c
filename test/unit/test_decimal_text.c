/*
 * Decimals between text and unscaled bytes. Expected: Java 17's BigDecimal.setScale, .toString and
 * BigInteger.toByteArray.
 */
#include "data/decimal_text.h"

#include "base/rng.h"
#include "data/json_out.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
    const char *text;
    int32_t scale;
    const char *unscaled; /* hexadecimal */
    const char *java;     /* toString */
} cases[] = {
    {"0", 0, "00", "0"},
    {"-0.00", 2, "00", "0.00"},
    {"1", 0, "01", "1"},
    {"+1", 0, "01", "1"},
    {"-1", 0, "ff", "-1"},
    {"127", 0, "7f", "127"},
    {"128", 0, "0080", "128"},
    {"-128", 0, "80", "-128"},
    {"-129", 0, "ff7f", "-129"},
    {"255", 0, "00ff", "255"},
    {"256", 0, "0100", "256"},
    {"12.50", 2, "04e2", "12.50"},
    {"12.5", 4, "01e848", "12.5000"},
    {"12.", 0, "0c", "12"},
    {".5", 1, "05", "0.5"},
    {"12300", -2, "7b", "1.23E+4"},
    {"0.00123", 5, "7b", "0.00123"},
    {"0.000001", 6, "01", "0.000001"},
    {"0.0000001", 7, "01", "1E-7"},
    {"0.0000010", 7, "0a", "0.0000010"},
    {"-0.0000000012", 10, "f4", "-1.2E-9"},
    {"0", 6, "00", "0.000000"},
    {"0", 7, "00", "0E-7"},
    {"000123.4500", 2, "3039", "123.45"},
    {"999999999999999999", 0, "0de0b6b3a763ffff", "999999999999999999"},
    {"-999999999999999999", 0, "f21f494c589c0001", "-999999999999999999"},
    {"9999999999999999999", 0, "008ac7230489e7ffff", "9999999999999999999"},
    {"18446744073709551615", 0, "00ffffffffffffffff", "18446744073709551615"},
    {"18446744073709551616", 0, "010000000000000000", "18446744073709551616"},
    {"-18446744073709551616", 0, "ff0000000000000000", "-18446744073709551616"},
    {"-9223372036854775808", 0, "8000000000000000", "-9223372036854775808"},
    {"9223372036854775808", 0, "008000000000000000", "9223372036854775808"},
    {"99999999999999999999999999999999999999", 0, "4b3b4ca85a86c47a098a223fffffffff",
     "99999999999999999999999999999999999999"},
    {"-170141183460469231731687303715884105728", 0, "80000000000000000000000000000000",
     "-170141183460469231731687303715884105728"},
    {"340282366920938463463374607431768211456", 0, "0100000000000000000000000000000000",
     "340282366920938463463374607431768211456"},
    {"1234567890123456789012345678901234567890.1234567890", 12,
     "034cb9c2d546c8f7af034f0580092e1a5ee890a03a08",
     "1234567890123456789012345678901234567890.123456789000"},
};

static struct wr_arena arena;

static int setup(void **state)
{
    (void)state;
    arena = wr_arena_of(64 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wr_arena_fini(&arena);
    return 0;
}

static struct wr_bytes unscaled_of(struct wr_str text, int32_t scale)
{
    struct wr_decimal d;
    struct wr_bytes out;
    assert_true(wr_decimal_parse(text, &d));
    assert_int_equal(wr_decimal_unscaled(&d, scale, &arena, &out), 0);
    return out;
}

static void assert_equal_text(struct wr_str got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static void makes_unscaled_bytes_as_java_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct wr_bytes bytes = unscaled_of(wr_str_of(cases[i].text), cases[i].scale);
        char hex[256];
        uint8_t *end = wr_text_hex((uint8_t *)hex, bytes);
        assert_equal_text((struct wr_str){hex, (size_t)(end - (uint8_t *)hex)}, cases[i].unscaled);
    }
}

static void writes_unscaled_bytes_as_java_does(void **state)
{
    (void)state;
    struct wr_writer w = wr_writer_growing(1 << 20);
    for (size_t i = 0; i < COUNT(cases); i++) {
        wr_writer_reset(&w);
        wr_decimal_put_text(&w, unscaled_of(wr_str_of(cases[i].text), cases[i].scale),
                            cases[i].scale);
        assert_equal_text(wr_writer_str(&w), cases[i].java);
    }
    wr_writer_fini(&w);
}

/* Longer than what the stack has room for, and than a group of digits. */
static void numbers_of_any_length_come_back(void **state)
{
    (void)state;
    static const size_t lengths[] = {18, 19, 20, 37, 38, 39, 57, 1000, 1233, 1234, 5000, 40000};
    struct wr_rng rng = wr_rng_of(3);
    struct wr_writer w = wr_writer_growing(1 << 20);
    static char text[40001];
    for (size_t i = 0; i < COUNT(lengths); i++) {
        for (size_t k = 0; k < lengths[i]; k++) {
            text[k] = (char)('0' + wr_rng_below(&rng, 10));
        }
        text[0] = '7';
        struct wr_str digits = {text, lengths[i]};
        wr_writer_reset(&w);
        wr_decimal_put_text(&w, unscaled_of(digits, 0), 0);
        assert_true(wr_str_eq(wr_writer_str(&w), digits));
        wr_arena_reset(&arena);
    }
    wr_writer_fini(&w);
}

static void refuses_what_is_no_plain_decimal(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-",        ".",   "-.",  "1.2.3",   "1e5",
                                      " 1",  "1 ",       "NaN", "--1", "+-1",     "0x1",
                                      "1,5", "Infinity", "1\n", "1.-", "\xd9\xa1"};
    struct wr_decimal d = {.is_negative = true};
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_false(wr_decimal_parse(wr_str_of(bad[i]), &d));
        assert_true(d.is_negative); /* untouched */
    }
}

static void refuses_a_scale_that_would_lose_digits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t scale;
    } lossy[] = {{"1.25", 1}, {"0.001", 2}, {"12345", -1}, {"99", -2}};
    for (size_t i = 0; i < COUNT(lossy); i++) {
        struct wr_decimal d;
        struct wr_bytes out = {NULL, 7};
        assert_true(wr_decimal_parse(wr_str_of(lossy[i].text), &d));
        assert_int_equal(wr_decimal_unscaled(&d, lossy[i].scale, &arena, &out), WEIR_E_RANGE);
        assert_int_equal(out.len, 7);
    }
}

static void knows_the_shortest_scale(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t scale;
    } shortest[] = {{"1.50", 1}, {"4400", 0}, {"1.0", 0}, {"0.000100", 4}, {"0.00", 0}};
    for (size_t i = 0; i < COUNT(shortest); i++) {
        struct wr_decimal d;
        assert_true(wr_decimal_parse(wr_str_of(shortest[i].text), &d));
        assert_int_equal(wr_decimal_short_scale(&d), shortest[i].scale);
    }
}

static void finds_the_nearest_double(void **state)
{
    (void)state;
    static const char *const texts[] = {"0",
                                        "-0.00",
                                        "29.99",
                                        "-1.25",
                                        "999999999999999",
                                        "0.1234567890123456789",
                                        "12345678901234567890123456789012345678",
                                        "0.000000000000000000000001",
                                        "9007199254740993",
                                        "123456789012345.6",
                                        "0.0000000000000000000000123456789012345",
                                        "-179769313486231570000000000000000000000000000000000000"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct wr_decimal d;
        double v = 1;
        assert_true(wr_decimal_parse(wr_str_of(texts[i]), &d));
        assert_true(wr_decimal_double(&d, wr_str_of(texts[i]), &arena, &v));
        assert_true(v == strtod(texts[i], NULL));
        assert_false(v == 0 && __builtin_signbit(v));
    }
}

/* Fourteen to nineteen digits: on both sides of what a double holds exactly. */
static void rounds_long_decimals_once(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(5);
    for (int i = 0; i < 50000; i++) {
        char text[40];
        uint64_t digits = wr_rng_below(&rng, INT64_MAX);
        (void)snprintf(text, sizeof(text), "%u.%0*" PRIu64, (unsigned)wr_rng_below(&rng, 1000),
                       11 + i % 6, digits % UINT64_C(100000000000));
        struct wr_decimal d;
        double v = 0;
        assert_true(wr_decimal_parse(wr_str_of(text), &d));
        assert_true(wr_decimal_double(&d, wr_str_of(text), &arena, &v));
        assert_true(v == strtod(text, NULL));
        wr_arena_reset(&arena);
    }
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
    struct wr_arena small = wr_arena_of(8);
    struct wr_decimal d;
    struct wr_bytes out;
    double v;
    struct wr_str text = wr_str_of("123456789012345678901234567890");
    assert_true(wr_decimal_parse(text, &d));
    assert_int_equal(wr_decimal_unscaled(&d, 0, &small, &out), WEIR_E_NOMEM);
    assert_false(wr_decimal_double(&d, text, &small, &v));
    wr_arena_fini(&small);
    static const uint8_t wide[600] = {1};
    struct wr_writer w = wr_writer_growing(1 << 20);
    for (size_t n = 1; n <= 2; n++) {
        wr_writer_reset(&w);
        wr_test_fail_alloc_at = n;
        wr_decimal_put_text(&w, (struct wr_bytes){wide, sizeof(wide)}, 0);
        wr_test_fail_alloc_at = 0;
        assert_int_equal(w.spoiled, WEIR_E_NOMEM);
    }
    wr_writer_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_unscaled_bytes_as_java_does),
        cmocka_unit_test(writes_unscaled_bytes_as_java_does),
        cmocka_unit_test(numbers_of_any_length_come_back),
        cmocka_unit_test(refuses_what_is_no_plain_decimal),
        cmocka_unit_test(refuses_a_scale_that_would_lose_digits),
        cmocka_unit_test(knows_the_shortest_scale),
        cmocka_unit_test(finds_the_nearest_double),
        cmocka_unit_test(rounds_long_decimals_once),
        cmocka_unit_test(says_when_memory_is_out),
    };
    return cmocka_run_group_tests_name("decimal_text", tests, setup, teardown);
}
