/*
 * Writing JSON. Base64 from RFC 4648 section 10; UTF-8 from the tables of RFC 3629 and Unicode's 3-7; what
 * is JSON and what is not from RFC 8259 and its examples.
 */
#include "data/json_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xc2",
        "\xc2\x41",     "\xe0\x9f\xbf",     "\xed\xa0\x80",     "\xe1\x80",
        "\xe1\x80\x41", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "abc\xf0\x90\x80"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_true(wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(good[i]))));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(bad[i]))));
    }
    assert_true(wr_utf8_is_valid((struct wr_bytes){(const uint8_t *)"a\0b", 3}));
}

static struct wr_writer out;

static const char *written(void)
{
    static char text[4096];
    struct weir_error err;
    assert_int_equal(wr_writer_end(&out, &err), 0);
    assert_true(out.len < sizeof(text));
    if (out.len > 0) {
        memcpy(text, out.base, out.len);
    }
    text[out.len] = 0;
    wr_writer_reset(&out);
    return text;
}

static void a_string_is_escaped_where_json_wants_it(void **state)
{
    (void)state;
    out = wr_writer_growing(4096);
    wr_put_json_string(&out, WR_STR("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f \xc3\xa9"));
    assert_string_equal(written(), "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f \xc3\xa9\"");
    wr_put_json_string(&out, (struct wr_str){"a\0b", 3});
    assert_string_equal(written(), "\"a\\u0000b\"");
    wr_put_json_string(&out, (struct wr_str){NULL, 0});
    assert_string_equal(written(), "\"\"");
    wr_writer_fini(&out);
}

static void base64_is_padded(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xff\xfe\xfb", "//77"},
    };
    out = wr_writer_growing(4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        wr_put_base64(&out, wr_bytes_of_str(wr_str_of(cases[i][0])));
        assert_string_equal(written(), cases[i][1]);
    }
    wr_writer_fini(&out);
}

static void json_loses_only_the_blanks_between_its_tokens(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{}", "{}"},
        {" \t\r\n[ 1 , 2 ]\n", "[1,2]"},
        {"{\"a b\" : \"c d\\\" e\" , \"a b\":1.10e+5}", "{\"a b\":\"c d\\\" e\",\"a b\":1.10e+5}"},
        {"\"\"", "\"\""},
        {"-0.0", "-0.0"},
        {"null", "null"},
        {"12345678901234567890.10", "12345678901234567890.10"},
        {"\"\\ud83d\\ude00\\u0000\"", "\"\\ud83d\\ude00\\u0000\""},
        {"[[], {}, [ ]]", "[[],{},[]]"},
    };
    out = wr_writer_growing(4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(wr_put_json_compact(&out, wr_bytes_of_str(wr_str_of(cases[i][0]))));
        assert_string_equal(written(), cases[i][1]);
    }
    wr_writer_fini(&out);
}

static void what_is_no_json_is_not_written(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        " ",
                                        "abc",
                                        "{a:1}",
                                        "01",
                                        "1.",
                                        "[1,]",
                                        "{\"a\"}",
                                        "\"a",
                                        "\"\x01\"",
                                        "1 2",
                                        "True",
                                        "'a'",
                                        "\"\xff\"",
                                        "{} x",
                                        "NaN",
                                        "+1",
                                        ".5",
                                        "\xef\xbb\xbf{}",
                                        "\"\\x\""};
    out = wr_writer_growing(4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(wr_put_json_compact(&out, wr_bytes_of_str(wr_str_of(cases[i]))));
        assert_int_equal(out.len, 0);
    }
    assert_false(wr_put_json_compact(&out, (struct wr_bytes){(const uint8_t *)"1\0", 2}));
    assert_false(wr_put_json_compact(&out, (struct wr_bytes){NULL, 0}));
    wr_writer_fini(&out);
}

static void every_prefix_of_json_is_read_within_its_bounds(void **state)
{
    (void)state;
    static const char text[] = "{\"a\\u00e9\": [1, -2.5e3, true, null, \"x\\ny\", {}], \"b\": []}";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        char *copy =
            wr_alloc_array(len + 1, 1); /* exact, so that the sanitizer sees one byte more */
        memcpy(copy, text, len);
        out = wr_writer_growing(4096);
        assert_false(wr_put_json_compact(&out, (struct wr_bytes){(uint8_t *)copy, len}));
        wr_writer_fini(&out);
        wr_free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(a_string_is_escaped_where_json_wants_it),
        cmocka_unit_test(base64_is_padded),
        cmocka_unit_test(json_loses_only_the_blanks_between_its_tokens),
        cmocka_unit_test(what_is_no_json_is_not_written),
        cmocka_unit_test(every_prefix_of_json_is_read_within_its_bounds),
    };
    return cmocka_run_group_tests_name("json_text", tests, NULL, NULL);
}
