/*
 * The growing buffer never writes outside its memory and never forgets that something did not fit. The
 * expected bytes are big-endian numbers written out by hand, and Kafka's varints from ByteUtilsTest.
 */
#include "base/writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void puts_numbers_big_end_first(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                       0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f};
    uint8_t memory[sizeof(expected)];
    struct weir_error err;
    struct wr_writer w = wr_writer_over(memory, sizeof(memory));
    wr_put_u8(&w, 0x01);
    wr_put_u16(&w, 0x0203);
    wr_put_u32(&w, 0x04050607);
    wr_put_u64(&w, UINT64_C(0x08090a0b0c0d0e0f));
    assert_int_equal(wr_writer_end(&w, &err), 0);
    assert_int_equal(w.len, sizeof(expected));
    assert_memory_equal(memory, expected, sizeof(expected));
}

static void puts_zigzag_varints(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        uint8_t bytes[10];
        size_t len;
    } cases[] = {
        {0, {0x00}, 1},
        {-1, {0x01}, 1},
        {1, {0x02}, 1},
        {63, {0x7e}, 1},
        {-64, {0x7f}, 1},
        {64, {0x80, 0x01}, 2},
        {-65, {0x81, 0x01}, 2},
        {8191, {0xfe, 0x7f}, 2},
        {8192, {0x80, 0x80, 0x01}, 3},
        {INT32_MAX, {0xfe, 0xff, 0xff, 0xff, 0x0f}, 5},
        {INT32_MIN, {0xff, 0xff, 0xff, 0xff, 0x0f}, 5},
        {INT64_MAX, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 10},
        {INT64_MIN, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 10},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t memory[10];
        struct weir_error err;
        struct wr_writer w = wr_writer_over(memory, sizeof(memory));
        wr_put_varlong(&w, cases[i].value);
        assert_int_equal(wr_writer_end(&w, &err), 0);
        assert_int_equal(w.len, cases[i].len);
        assert_memory_equal(memory, cases[i].bytes, cases[i].len);
        assert_int_equal(wr_varint_len(cases[i].value), cases[i].len);
    }
}

static void a_varint_fits_where_only_its_own_bytes_do(void **state)
{
    (void)state;
    uint8_t memory[2];
    struct weir_error err;
    struct wr_writer w = wr_writer_over(memory, sizeof(memory));
    wr_put_varint(&w, 64);
    assert_int_equal(wr_writer_end(&w, &err), 0);
    assert_int_equal(w.len, 2);
    wr_put_varint(&w, 0);
    assert_int_equal(wr_writer_end(&w, &err), WEIR_E_LIMIT);
    assert_int_equal(w.len, 2);
}

static void what_does_not_fit_writes_nothing_and_spoils_the_rest(void **state)
{
    (void)state;
    uint8_t *memory = malloc(5); /* exact size: a byte too far is seen */
    assert_non_null(memory);
    struct weir_error err;
    struct wr_writer w = wr_writer_over(memory, 5);
    wr_put_lit(&w, "abc");
    wr_put_u32(&w, 1);
    wr_put_u8(&w, 'd');
    wr_put_zeros(&w, 1);
    wr_put_fmt(&w, "%d", 7);
    wr_put_varlong(&w, 1);
    wr_put_i64_text(&w, 12);
    assert_int_equal(w.len, 3);
    assert_int_equal(wr_writer_end(&w, &err), WEIR_E_LIMIT);
    assert_string_equal(err.text, "more than 5 bytes");
    wr_writer_reset(&w);
    wr_put_lit(&w, "hello");
    assert_int_equal(wr_writer_end(&w, &err), 0);
    assert_memory_equal(memory, "hello", 5);
    free(memory);
}

static void grows_up_to_its_maximum_and_keeps_what_was_there(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_writer w = wr_writer_growing(10000);
    for (uint32_t i = 0; i < 2500; i++) {
        wr_put_u32(&w, i);
    }
    assert_int_equal(wr_writer_end(&w, &err), 0);
    struct wr_bytes bytes = wr_writer_bytes(&w);
    assert_int_equal(bytes.len, 10000);
    for (uint32_t i = 0; i < 2500; i++) {
        const uint8_t *at = bytes.ptr + (size_t)i * 4;
        assert_int_equal((uint32_t)at[2] << 8 | at[3], i);
    }
    wr_put_u8(&w, 0);
    assert_int_equal(wr_writer_end(&w, &err), WEIR_E_LIMIT);
    wr_writer_fini(&w);
    wr_put_u8(&w, 1); /* usable again after fini */
    assert_int_equal(wr_writer_end(&w, &err), 0);
    wr_writer_fini(&w);
}

static void out_of_memory_spoils_it(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_writer w = wr_writer_growing(1000);
    wr_test_fail_alloc_at = 1;
    wr_put_u8(&w, 1);
    wr_test_fail_alloc_at = 0;
    assert_int_equal(wr_writer_end(&w, &err), WEIR_E_NOMEM);
    wr_put_u8(&w, 1);
    assert_int_equal(w.len, 0);
    wr_writer_fini(&w);
}

static void puts_text_and_numbers_as_text(void **state)
{
    (void)state;
    char memory[200];
    struct weir_error err;
    struct wr_writer w = wr_writer_over(memory, sizeof(memory));
    wr_put_fmt(&w, "%s=%03d ", "n", 7);
    wr_put_i64_text(&w, 0);
    wr_put_lit(&w, " ");
    wr_put_i64_text(&w, -1);
    wr_put_lit(&w, " ");
    wr_put_i64_text(&w, INT64_MIN);
    wr_put_lit(&w, " ");
    wr_put_i64_text(&w, INT64_MAX);
    wr_put_bytes(&w, (struct wr_bytes){NULL, 0});
    wr_put_str(&w, (struct wr_str){NULL, 0});
    assert_int_equal(wr_writer_end(&w, &err), 0);
    struct wr_str s = wr_writer_str(&w);
    assert_true(wr_str_eq(s, WR_STR("n=007 0 -1 -9223372036854775808 9223372036854775807")));
}

static void patches_a_number_already_written(void **state)
{
    (void)state;
    uint8_t memory[12];
    struct wr_writer w = wr_writer_over(memory, sizeof(memory));
    wr_put_zeros(&w, 12);
    wr_patch_u32(&w, 0, 0x01020304);
    wr_patch_u64(&w, 4, UINT64_C(0x05060708090a0b0c));
    for (uint8_t i = 0; i < 12; i++) {
        assert_int_equal(memory[i], i + 1);
    }
}

static void room_is_counted_only_when_told(void **state)
{
    (void)state;
    struct wr_writer w = wr_writer_growing(100);
    uint8_t *p = wr_writer_room(&w, 50);
    assert_non_null(p);
    memset(p, 'x', 50);
    assert_int_equal(w.len, 0);
    wr_writer_advance(&w, 20);
    assert_int_equal(w.len, 20);
    assert_null(wr_writer_room(&w, 81));
    wr_writer_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_numbers_big_end_first),
        cmocka_unit_test(puts_zigzag_varints),
        cmocka_unit_test(a_varint_fits_where_only_its_own_bytes_do),
        cmocka_unit_test(what_does_not_fit_writes_nothing_and_spoils_the_rest),
        cmocka_unit_test(grows_up_to_its_maximum_and_keeps_what_was_there),
        cmocka_unit_test(out_of_memory_spoils_it),
        cmocka_unit_test(puts_text_and_numbers_as_text),
        cmocka_unit_test(patches_a_number_already_written),
        cmocka_unit_test(room_is_counted_only_when_told),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
