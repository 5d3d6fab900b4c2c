/*
 * The cursor over outside bytes. The expected varints are from Kafka's own ByteUtilsTest values
 * (zigzag 0, -1, 1, -64, 64, INT32_MIN …), written out by hand.
 */
#include "base/reader.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wr_reader over(const void *bytes, size_t len)
{
    return wr_reader_of((struct wr_bytes){bytes, len});
}

static void reads_zigzag_varints(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[5];
        size_t len;
        int32_t value;
    } cases[] = {
        {{0x00}, 1, 0},
        {{0x01}, 1, -1},
        {{0x02}, 1, 1},
        {{0x7f}, 1, -64},
        {{0x80, 0x01}, 2, 64},
        {{0xff, 0xff, 0xff, 0xff, 0x0f}, 5, INT32_MIN},
        {{0xfe, 0xff, 0xff, 0xff, 0x0f}, 5, INT32_MAX},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wr_reader r = over(cases[i].bytes, cases[i].len);
        struct weir_error err;
        assert_int_equal(wr_read_varint(&r, "n"), cases[i].value);
        assert_int_equal(wr_reader_end(&r, &err), 0);
    }
}

static void refuses_a_varint_of_more_than_its_bits(void **state)
{
    (void)state;
    static const uint8_t wide[] = {0xff, 0xff, 0xff, 0xff, 0x1f};
    static const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x00};
    struct weir_error err;
    struct wr_reader r = over(wide, sizeof(wide));
    assert_int_equal(wr_read_varint(&r, "n"), 0);
    assert_int_equal(wr_reader_ok(&r, &err), WEIR_E_CORRUPT);
    r = over(endless, sizeof(endless));
    assert_int_equal(wr_read_varint(&r, "n"), 0);
    assert_int_equal(wr_reader_ok(&r, &err), WEIR_E_CORRUPT);
}

static void a_read_past_the_end_spoils_all_later_ones(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3};
    struct weir_error err;
    struct wr_reader r = over(bytes, sizeof(bytes));
    assert_int_equal(wr_read_u16(&r, "first"), 0x0102);
    assert_int_equal(wr_read_u32(&r, "second"), 0);
    assert_int_equal(wr_read_u8(&r, "third"), 0);
    assert_int_equal(wr_reader_end(&r, &err), WEIR_E_CORRUPT);
    assert_string_equal(err.text, "second does not fit: byte 2 of 3");
}

static void a_count_that_the_bytes_cannot_hold_is_zero(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xff, 0xff, 0, 0, 0, 0};
    struct weir_error err;
    struct wr_reader r = over(bytes, sizeof(bytes));
    assert_int_equal(wr_read_count(&r, 2, "items"), 0);
    assert_int_equal(wr_reader_end(&r, &err), WEIR_E_CORRUPT);
}

static void text_needs_its_nul(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_reader r = over("ab\0cd", 5);
    assert_true(wr_str_eq(wr_read_cstr(&r, "name"), WR_STR("ab")));
    assert_int_equal(wr_read_cstr(&r, "rest").len, 0);
    assert_int_equal(wr_reader_end(&r, &err), WEIR_E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_zigzag_varints),
        cmocka_unit_test(refuses_a_varint_of_more_than_its_bits),
        cmocka_unit_test(a_read_past_the_end_spoils_all_later_ones),
        cmocka_unit_test(a_count_that_the_bytes_cannot_hold_is_zero),
        cmocka_unit_test(text_needs_its_nul),
    };
    return cmocka_run_group_tests_name("reader", tests, NULL, NULL);
}
