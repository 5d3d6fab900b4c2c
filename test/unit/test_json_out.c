/*
 * The pieces of JSON. Expected: Jackson's output as recorded in test/wire/debezium (control characters,
 * characters beyond U+FFFF), RFC 4648's base64 vectors, and for places in long texts the same pieces put
 * together by hand.
 */
#include "data/json_out.h"

#include "base/rng.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct wr_writer w;

static int setup(void **state)
{
    (void)state;
    w = wr_writer_growing(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wr_writer_fini(&w);
    return 0;
}

static struct wr_str text_of(struct wr_str text)
{
    wr_writer_reset(&w);
    struct wr_json_out out = wr_json_begin(&w);
    wr_json_put_text(&out, text);
    wr_json_end(&out);
    return wr_writer_str(&w);
}

static void assert_equal_text(struct wr_str got, struct wr_str want)
{
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, got.len);
}

static void escapes_as_jackson_does(void **state)
{
    (void)state;
    static const struct {
        struct wr_str text;
        const char *json;
    } cases[] = {
        {WR_STR_INIT(""), "\"\""},
        {WR_STR_INIT("plain"), "\"plain\""},
        {WR_STR_INIT("\x01\x02\x07\b\t\n\x0b\f\r\x1b\x1f \"q\" \\ / \x7f"),
         "\"\\u0001\\u0002\\u0007\\b\\t\\n\\u000B\\f\\r\\u001B\\u001F \\\"q\\\" \\\\ / \x7f\""},
        {WR_STR_INIT("a\0b"), "\"a\\u0000b\""},
        {WR_STR_INIT("é \u2028 \uFEFF 日本 😀𝄞"),
         "\"é \u2028 \uFEFF 日本 \\uD83D\\uDE00\\uD834\\uDD1E\""},
        {WR_STR_INIT("\U0010FFFF\U00010000"), "\"\\uDBFF\\uDFFF\\uD800\\uDC00\""},
        {WR_STR_INIT("\xff"), "\"\uFFFD\""},
        {WR_STR_INIT("Gr\xfc\xdf"
                     "e"),
         "\"Gr\uFFFD\uFFFDe\""},
        {WR_STR_INIT("\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\""},
        {WR_STR_INIT("cut \xf0\x9f\x98"), "\"cut \uFFFD\uFFFD\uFFFD\""},
        {WR_STR_INIT("\xc0\x80"), "\"\uFFFD\uFFFD\""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_equal_text(text_of(cases[i].text), wr_str_of(cases[i].json));
    }
}

/* Every piece at every place around the borders of eights and of chunks. */
static void escapes_at_every_place_of_a_long_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *json;
    } pieces[] = {{"\"", "\\\""}, {"\x1f", "\\u001F"},     {"é", "é"},
                  {"日", "日"},   {"😀", "\\uD83D\\uDE00"}, {"\x80", "\uFFFD"}};
    static char text[2100];
    static char json[2200];
    for (size_t at = 0; at < 1100; at += at < 40 || at > 1000 ? 1 : 37) {
        for (size_t i = 0; i < COUNT(pieces); i++) {
            size_t n = (size_t)snprintf(text, sizeof(text), "%*s%s%*s", (int)at, "", pieces[i].text,
                                        (int)(at % 19), "");
            size_t m = (size_t)snprintf(json, sizeof(json), "\"%*s%s%*s\"", (int)at, "",
                                        pieces[i].json, (int)(at % 19), "");
            assert_equal_text(text_of((struct wr_str){text, n}), (struct wr_str){json, m});
        }
    }
}

/* The most that a text can grow: six for one. */
static void has_room_for_a_text_of_control_characters(void **state)
{
    (void)state;
    static char text[6000];
    static const char one[] = "\\u0001";
    memset(text, 1, sizeof(text));
    struct wr_str got = text_of((struct wr_str){text, sizeof(text)});
    assert_int_equal(got.len, sizeof(text) * 6 + 2);
    for (size_t i = 0; i < sizeof(text); i++) {
        assert_memory_equal(got.ptr + 1 + 6 * i, one, 6);
    }
}

static void writes_base64(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint8_t out[64];
        struct wr_bytes in = wr_bytes_of_str(wr_str_of(cases[i][0]));
        uint8_t *end = wr_text_base64(out, in, false);
        assert_equal_text((struct wr_str){(const char *)out, (size_t)(end - out)},
                          wr_str_of(cases[i][1]));
    }
    static const uint8_t top[] = {0xfb, 0xff};
    uint8_t out[8];
    assert_int_equal(wr_text_base64(out, (struct wr_bytes){top, 2}, true) - out, 4);
    assert_memory_equal(out, "-_8=", 4);
    assert_int_equal(wr_text_base64(out, (struct wr_bytes){top, 2}, false) - out, 4);
    assert_memory_equal(out, "+/8=", 4);
    assert_int_equal(wr_text_hex(out, (struct wr_bytes){top, 2}) - out, 4);
    assert_memory_equal(out, "fbff", 4);
}

static void long_bytes_are_one_text_in_base64(void **state)
{
    (void)state;
    static uint8_t bytes[5000];
    static uint8_t whole[7000];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 4990; len <= sizeof(bytes); len++) {
        struct wr_bytes in = {bytes, len};
        uint8_t *end = wr_text_base64(whole, in, false);
        wr_writer_reset(&w);
        struct wr_json_out out = wr_json_begin(&w);
        wr_json_put_base64(&out, in);
        wr_json_end(&out);
        struct wr_str got = wr_writer_str(&w);
        assert_int_equal(got.ptr[0], '"');
        assert_int_equal(got.ptr[got.len - 1], '"');
        assert_equal_text((struct wr_str){got.ptr + 1, got.len - 2},
                          (struct wr_str){(const char *)whole, (size_t)(end - whole)});
    }
}

static void assert_number(int64_t v)
{
    uint8_t got[40];
    char want[32];
    int n = snprintf(want, sizeof(want), "%" PRId64, v);
    assert_int_equal(wr_text_i64(got, v) - got, n);
    assert_memory_equal(got, want, (size_t)n);
}

static void writes_integers(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(4);
    int64_t power = 1;
    for (int i = 0; i < 19; i++) {
        assert_number(power);
        assert_number(power - 1);
        assert_number(-power);
        assert_number(power + 1);
        power = i < 18 ? power * 10 : power;
    }
    assert_number(INT64_MAX);
    assert_number(INT64_MIN);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = wr_rng_next(&rng);
        assert_number((int64_t)(bits >> (bits % 64)));
        assert_number(-(int64_t)(bits >> (1 + bits % 63)));
    }
}

static void numbers_that_are_none_stand_in_quotes(void **state)
{
    (void)state;
    wr_writer_reset(&w);
    struct wr_json_out out = wr_json_begin(&w);
    wr_json_put_double(&out, __builtin_nan(""));
    wr_json_put_double(&out, -__builtin_inf());
    wr_json_put_double(&out, 1e22);
    wr_json_put_float(&out, __builtin_inff());
    wr_json_put_float(&out, 0.1F);
    wr_json_end(&out);
    assert_equal_text(wr_writer_str(&w), WR_STR("\"NaN\"\"-Infinity\"1.0E22\"Infinity\"0.1"));
}

/* A text that just fits, and one that does not: nothing is written outside, and the writer says so. */
static void stops_at_the_maximum_of_its_writer(void **state)
{
    (void)state;
    for (size_t max = 0; max < 11600; max += 111) {
        struct wr_writer small = wr_writer_growing(max);
        struct wr_json_out out = wr_json_begin(&small);
        static char text[5000];
        memset(text, 'x', sizeof(text));
        wr_json_put_text(&out, (struct wr_str){text, sizeof(text)});
        wr_json_put_base64(&out, (struct wr_bytes){(const uint8_t *)text, sizeof(text)});
        wr_json_put_double(&out, 0.1);
        wr_json_end(&out);
        struct weir_error err;
        int rc = wr_writer_end(&small, &err);
        assert_true(rc == WEIR_E_LIMIT);
        assert_true(small.len <= max);
        wr_writer_fini(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_as_jackson_does),
        cmocka_unit_test(escapes_at_every_place_of_a_long_text),
        cmocka_unit_test(has_room_for_a_text_of_control_characters),
        cmocka_unit_test(writes_base64),
        cmocka_unit_test(long_bytes_are_one_text_in_base64),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(numbers_that_are_none_stand_in_quotes),
        cmocka_unit_test(stops_at_the_maximum_of_its_writer),
    };
    return cmocka_run_group_tests_name("json_out", tests, setup, teardown);
}
