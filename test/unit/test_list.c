/* The list of sealed segments: bytes made by another program from docs/formats.md. */
#include "log/embedded/list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t FILE_BYTES[] = {
    0x57, 0x45, 0x49, 0x52, 0x53, 0x45, 0x47, 0x4d, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x02, 0x03,
    0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x00, 0x00, 0x00, 0x02,
    0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x58, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0xed, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1a, 0xbe, 0xa4, 0x1e};
static const struct wr_topic_id TOPIC = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static int decode(const uint8_t *bytes, size_t len, uint32_t partition)
{
    struct weir_error err;
    struct wr_segment_info *list = NULL;
    size_t count = 0;
    int rc = wr_list_decode((struct wr_bytes){bytes, len}, TOPIC, partition, &list, &count, &err);
    if (rc == 0) {
        assert_int_equal(count, 1);
        assert_int_equal(list[0].next, 5);
        assert_int_equal(list[0].bytes, 600);
        assert_int_equal(list[0].first_timestamp_ms, 1000);
        assert_int_equal(list[0].max_timestamp_next, 5);
    } else {
        assert_null(list);
    }
    wr_free(list);
    return rc;
}

static void reads_what_the_format_says(void **state)
{
    WR_UNUSED(state);
    assert_int_equal(decode(FILE_BYTES, sizeof(FILE_BYTES), 2), 0);
}

static void refuses_that_of_another_partition(void **state)
{
    WR_UNUSED(state);
    assert_int_equal(decode(FILE_BYTES, sizeof(FILE_BYTES), 1), WEIR_E_CORRUPT);
}

static void refuses_every_prefix_and_every_flipped_bit(void **state)
{
    uint8_t bytes[sizeof(FILE_BYTES)];
    WR_UNUSED(state);
    for (size_t len = 0; len < sizeof(bytes); len++) {
        assert_int_equal(decode(FILE_BYTES, len, 2), WEIR_E_CORRUPT);
    }
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        memcpy(bytes, FILE_BYTES, sizeof(bytes));
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(decode(bytes, sizeof(bytes), 2), WEIR_E_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_format_says),
        cmocka_unit_test(refuses_that_of_another_partition),
        cmocka_unit_test(refuses_every_prefix_and_every_flipped_bit),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
