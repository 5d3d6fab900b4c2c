/*
 * The catalog and partition.metadata. The catalog's bytes were made by another program from docs/formats.md,
 * the id's text by Python's base64.urlsafe_b64encode.
 */
#include "log/embedded/catalog.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t FILE_BYTES[] = {
    0x57, 0x45, 0x49, 0x52, 0x43, 0x54, 0x4c, 0x47, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x07, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05,
    0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x00, 0x00, 0x00, 0x03, 0x00,
    0x01, 0x74, 0x00, 0x00, 0x00, 0x01, 0x00, 0x0c, 0x72, 0x65, 0x74, 0x65, 0x6e, 0x74, 0x69,
    0x6f, 0x6e, 0x2e, 0x6d, 0x73, 0x00, 0x00, 0x00, 0x02, 0x2d, 0x31, 0x56, 0x76, 0x89, 0xff};

static int count_topic(void *arg, const struct wr_topic_description *d, struct weir_error *err)
{
    int *count = arg;
    WR_UNUSED(err);
    (*count)++;
    assert_true(wr_str_eq(d->name, WR_STR("t")));
    assert_int_equal(d->id.bytes[15], 15);
    assert_int_equal(d->partition_count, 3);
    assert_int_equal(d->setting_count, 1);
    assert_string_equal(d->settings[0].key, "retention.ms");
    assert_string_equal(d->settings[0].value, "-1");
    return 0;
}

static int decode(const uint8_t *bytes, size_t len, int *count)
{
    struct weir_error err;
    uint64_t sequence = 0;
    *count = 0;
    int rc = wr_catalog_decode((struct wr_bytes){bytes, len}, &sequence, count_topic, count, &err);
    if (rc == 0) {
        assert_int_equal(sequence, 7);
    }
    return rc;
}

static void reads_what_the_format_says(void **state)
{
    int count = 0;
    WR_UNUSED(state);
    assert_int_equal(decode(FILE_BYTES, sizeof(FILE_BYTES), &count), 0);
    assert_int_equal(count, 1);
}

static void refuses_every_prefix_and_gives_nothing(void **state)
{
    int count = 0;
    WR_UNUSED(state);
    for (size_t len = 0; len < sizeof(FILE_BYTES); len++) {
        assert_int_equal(decode(FILE_BYTES, len, &count), WEIR_E_CORRUPT);
        assert_int_equal(count, 0);
    }
}

static void refuses_every_flipped_bit(void **state)
{
    uint8_t bytes[sizeof(FILE_BYTES)];
    int count = 0;
    WR_UNUSED(state);
    for (size_t bit = 0; bit < 8 * sizeof(bytes); bit++) {
        memcpy(bytes, FILE_BYTES, sizeof(bytes));
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(decode(bytes, sizeof(bytes), &count), WEIR_E_CORRUPT);
        assert_int_equal(count, 0);
    }
}

static void an_id_is_written_as_kafka_writes_it(void **state)
{
    struct wr_topic_id id = {{0xff, 0xee, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14}};
    struct wr_topic_id back;
    char text[WR_METADATA_BYTES];
    WR_UNUSED(state);
    size_t len = wr_metadata_put(&id, text);
    assert_string_equal(text, "version: 0\ntopic_id: _-4BAgMEBQYHCAkKCwwNDg\n");
    assert_true(wr_metadata_read((struct wr_str){text, len}, &back));
    assert_memory_equal(&back, &id, sizeof(id));
    for (size_t cut = 0; cut < len - 1; cut++) {
        assert_false(wr_metadata_read((struct wr_str){text, cut}, &back));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_the_format_says),
        cmocka_unit_test(refuses_every_prefix_and_gives_nothing),
        cmocka_unit_test(refuses_every_flipped_bit),
        cmocka_unit_test(an_id_is_written_as_kafka_writes_it),
    };
    return cmocka_run_group_tests_name("catalog", tests, NULL, NULL);
}
