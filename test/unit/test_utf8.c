/* Well-formed UTF-8: the bounds of table 3-7 of the Unicode standard, and every character there is. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static size_t span(const char *text)
{
    return wr_utf8_span(wr_bytes_of_str(wr_str_of(text)));
}

static void every_character_goes_out_and_in(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10FFFF; c++) {
        uint8_t bytes[4];
        size_t len = wr_utf8_put(c, bytes);
        bool is_surrogate = c >= 0xD800 && c <= 0xDFFF;
        assert_int_equal(wr_utf8_len(bytes, bytes + len), is_surrogate ? 0 : len);
    }
}

static void what_is_not_well_formed_ends_the_span(void **state)
{
    (void)state;
    assert_int_equal(span("12345678abc"), 11);
    assert_int_equal(span("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 9);
    assert_int_equal(span("12345678\xff"), 8);
    assert_int_equal(span("1234567\xc0\x80"), 7);  /* a long form */
    assert_int_equal(span("a\xc1\xbf"), 1);        /* another */
    assert_int_equal(span("\xe0\x9f\xbf"), 0);     /* another */
    assert_int_equal(span("\xf0\x8f\xbf\xbf"), 0); /* another */
    assert_int_equal(span("\xed\xa0\x80"), 0);     /* a surrogate */
    assert_int_equal(span("\xf4\x90\x80\x80"), 0); /* beyond Unicode */
    assert_int_equal(span("\xf5\x80\x80\x80"), 0);
    assert_int_equal(span("\x80"), 0);
    assert_int_equal(span("ab\xe2\x82"), 2); /* cut short */
    assert_int_equal(span("ab\xe2\x28\xa1"), 2);
    assert_int_equal(span("ab\xf0\x9f\x98z"), 2);
    assert_int_equal(wr_utf8_span((struct wr_bytes){NULL, 0}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_goes_out_and_in),
        cmocka_unit_test(what_is_not_well_formed_ends_the_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
