/*
 * The header of a record batch, what may be patched in it, and transaction markers.
 *
 * Expected bytes are Kafka's own (test/wire/batch). Every shorter prefix of a batch must be refused, and
 * every flipped bit found, by a check of the header or by the CRC; the only exceptions are the base
 * offset and the leader epoch, which the format keeps outside the CRC.
 */
#include "data/batch.h"

#include "../wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const all_files[] = {
    "five-none",      "five-gzip",       "five-snappy",     "five-lz4",        "five-zstd",
    "many-gzip",      "many-snappy",     "many-lz4",        "many-zstd",       "append-time",
    "transactional",  "commit",          "abort",           "leader-change",   "compacted",
    "empty",          "empty-plain",     "librdkafka-none", "librdkafka-gzip", "librdkafka-snappy",
    "librdkafka-lz4", "librdkafka-zstd",
};

enum {
    FILE_COUNT = sizeof(all_files) / sizeof(all_files[0])
};

static struct wr_batch load(const char *name)
{
    struct weir_error err = {0};
    struct wr_batch batch = {0};
    assert_int_equal(wr_batch_of(wire_load("batch", name), &batch, &err), 0);
    return batch;
}

static void unload(const struct wr_batch *batch)
{
    free((void *)(uintptr_t)batch->bytes.ptr);
}

static void names_every_field(void **state)
{
    (void)state;
    struct wr_batch batch = load("transactional");
    const struct wr_batch_header *h = &batch.header;
    assert_int_equal(h->base_offset, 1000);
    assert_int_equal(h->size_bytes, 461);
    assert_int_equal(h->leader_epoch, 5);
    assert_int_equal(h->attributes, WR_BATCH_TRANSACTIONAL);
    assert_int_equal(wr_batch_codec(h), WR_CODEC_NONE);
    assert_int_equal(h->last_offset_delta, 4);
    assert_int_equal(wr_batch_last_offset(h), 1004);
    assert_int_equal(wr_batch_next_offset(h), 1005);
    assert_int_equal(h->base_timestamp_ms, 1710500000000);
    assert_int_equal(h->max_timestamp_ms, 1710500000007);
    assert_int_equal(h->producer_id, 4711);
    assert_int_equal(h->producer_epoch, 3);
    assert_int_equal(h->base_sequence, 17);
    assert_int_equal(h->record_count, 5);
    unload(&batch);

    batch = load("compacted");
    assert_int_equal(batch.header.attributes, WR_BATCH_TRANSACTIONAL | WR_BATCH_DELETE_HORIZON);
    assert_int_equal(batch.header.base_timestamp_ms, 86400000);
    assert_int_equal(batch.header.record_count, 3);
    assert_int_equal(batch.header.last_offset_delta, 4);
    unload(&batch);
}

static void headers_come_out_as_they_went_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        struct weir_error err = {0};
        struct wr_batch batch = load(all_files[i]);
        uint8_t again[WR_BATCH_HEADER_BYTES];
        wr_batch_header_encode(&batch.header, again);
        assert_memory_equal(again, batch.bytes.ptr, sizeof(again));
        assert_int_equal(wr_batch_check_crc(&batch, &err), 0);
        unload(&batch);
    }
}

static void refuses_every_prefix_and_leaves_out_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        struct wr_batch batch = load(all_files[i]);
        for (size_t len = 0; len < batch.bytes.len; len += len < 100 ? 1 : 97) {
            struct weir_error err = {0};
            struct wr_batch out = {.bytes = {NULL, 77}};
            uint8_t *exact = wire_copy(batch.bytes.ptr, len);
            assert_int_equal(wr_batch_of((struct wr_bytes){exact, len}, &out, &err),
                             WEIR_E_CORRUPT);
            assert_int_equal(out.bytes.len, 77);
            free(exact);
        }
        unload(&batch);
    }
}

/* Flips a bit of `bytes` and back; is the batch that it makes refused? */
static bool is_flip_found(uint8_t *bytes, size_t len, size_t at, unsigned bit)
{
    struct weir_error err = {0};
    struct wr_batch batch = {0};
    bytes[at] = (uint8_t)(bytes[at] ^ 1U << bit);
    int rc = wr_batch_of((struct wr_bytes){bytes, len}, &batch, &err);
    if (rc == 0) {
        rc = wr_batch_check_crc(&batch, &err);
    }
    assert_true(rc == 0 || rc == WEIR_E_CORRUPT);
    bytes[at] = (uint8_t)(bytes[at] ^ 1U << bit);
    return rc != 0;
}

static void expect_flips_found(uint8_t *bytes, size_t len)
{
    for (size_t at = 0; at < len; at += at < 200 ? 1 : 61) {
        bool is_outside = at < 8 || (at >= 12 && at < 16);
        for (unsigned bit = 0; bit < 8; bit++) {
            assert_true(is_outside || is_flip_found(bytes, len, at, bit));
        }
    }
}

static void finds_every_flipped_bit_but_in_what_the_crc_leaves_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILE_COUNT; i++) {
        struct wr_batch batch = load(all_files[i]);
        uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
        expect_flips_found(bytes, batch.bytes.len);
        free(bytes);
        unload(&batch);
    }
}

static void put_be(uint8_t *at, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    }
}

static void expect_says(const struct weir_error *err, const char *says)
{
    if (says != NULL && strstr(err->text, says) == NULL) {
        fail_msg("'%s' is not about '%s'", err->text, says);
    }
}

/* Each of these is a header that no writer makes: it must be refused before anything is sized by it. */
static void refuses_fields_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        size_t len;
        uint64_t value;
        const char *says;
    } cases[] = {
        {0, 8, UINT64_MAX, "base offset"},
        {0, 8, INT64_MAX, "base offset"},
        {8, 4, 48, "length"},
        {8, 4, 0, "length"},
        {8, 4, UINT32_MAX, "length"},
        {8, 4, INT32_MAX, "length"},
        {12, 4, 0xfffffffe, "leader epoch"},
        {16, 1, 1, "magic 1"},
        {16, 1, 3, "magic 3"},
        {21, 2, 5, "codec"},
        {21, 2, 7, "codec"},
        {23, 4, UINT32_MAX, "last offset delta"},
        {57, 4, UINT32_MAX, "record count"},
        {57, 4, 6, "record count"}, /* more than offsets */
        {57, 4, 0, "record count"}, /* but there are bytes */
        {23, 4, INT32_MAX, NULL},   /* gaps are legal */
    };
    struct wr_batch batch = load("five-none");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_error err = {0};
        struct wr_batch_header out = {0};
        uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
        put_be(bytes + cases[i].at, cases[i].value, cases[i].len);
        int rc = wr_batch_header_decode((struct wr_bytes){bytes, batch.bytes.len}, &out, &err);
        assert_int_equal(rc, cases[i].says == NULL ? 0 : WEIR_E_CORRUPT);
        expect_says(&err, cases[i].says);
        free(bytes);
    }
    unload(&batch);
}

static void a_count_needs_bytes_for_as_many_records(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch_header out = {0};
    struct wr_batch batch = load("five-none");
    uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
    put_be(bytes + 23, INT32_MAX, 4);
    put_be(bytes + 57, 400 / 7, 4); /* 400 bytes of records, at least 7 each */
    assert_int_equal(wr_batch_header_decode((struct wr_bytes){bytes, batch.bytes.len}, &out, &err),
                     0);
    put_be(bytes + 57, 400 / 7 + 1, 4);
    assert_int_equal(wr_batch_header_decode((struct wr_bytes){bytes, batch.bytes.len}, &out, &err),
                     WEIR_E_CORRUPT);
    free(bytes);
    unload(&batch);
}

static void offset_and_epoch_are_patched_outside_the_crc(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch batch = load("five-zstd");
    uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
    wr_batch_patch_offset(bytes, 0x0102030405060708);
    wr_batch_patch_epoch(bytes, 0x11223344);
    struct wr_batch patched = {0};
    assert_int_equal(wr_batch_of((struct wr_bytes){bytes, batch.bytes.len}, &patched, &err), 0);
    assert_int_equal(patched.header.base_offset, 0x0102030405060708);
    assert_int_equal(patched.header.leader_epoch, 0x11223344);
    assert_int_equal(wr_batch_check_crc(&patched, &err), 0);
    assert_memory_equal(bytes + 16, batch.bytes.ptr + 16, batch.bytes.len - 16);
    free(bytes);
    unload(&batch);
}

static void a_patched_time_gets_a_new_crc(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch batch = load("five-none");
    uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
    struct wr_batch patched = {0};
    wr_batch_patch_max_timestamp(bytes, batch.bytes.len, 1234);
    assert_int_equal(wr_batch_of((struct wr_bytes){bytes, batch.bytes.len}, &patched, &err), 0);
    assert_int_equal(patched.header.max_timestamp_ms, 1234);
    assert_int_equal(wr_batch_check_crc(&patched, &err), 0);

    wr_batch_patch_append_time(bytes, batch.bytes.len, 5678);
    assert_int_equal(wr_batch_of((struct wr_bytes){bytes, batch.bytes.len}, &patched, &err), 0);
    assert_int_equal(patched.header.max_timestamp_ms, 5678);
    assert_int_equal(patched.header.attributes, WR_BATCH_APPEND_TIME);
    assert_int_equal(wr_batch_check_crc(&patched, &err), 0);

    wr_batch_patch_max_timestamp(bytes, batch.bytes.len, 1710500000007);
    bytes[22] = 0; /* attributes: as it was before */
    wr_batch_patch_max_timestamp(bytes, batch.bytes.len, 1710500000007);
    assert_memory_equal(bytes, batch.bytes.ptr, batch.bytes.len);
    free(bytes);
    unload(&batch);
}

static void markers_are_kafkas_byte_for_byte(void **state)
{
    (void)state;
    static const char *const names[] = {"abort", "commit"};
    for (size_t i = 0; i < 2; i++) {
        struct weir_error err = {0};
        struct wr_batch batch = load(names[i]);
        struct wr_marker m = {0};
        assert_int_equal(wr_marker_decode(&batch, &m, &err), 0);
        assert_int_equal(m.type, i == 0 ? WR_MARKER_ABORT : WR_MARKER_COMMIT);
        assert_int_equal(m.base_offset, 1005);
        assert_int_equal(m.leader_epoch, 5);
        assert_int_equal(m.producer_id, 4711);
        assert_int_equal(m.producer_epoch, 3);
        assert_int_equal(m.coordinator_epoch, 9);
        assert_int_equal(m.timestamp_ms, 1710500000100);

        uint8_t bytes[WR_BATCH_MARKER_BYTES];
        struct wr_writer w = wr_writer_over(bytes, sizeof(bytes));
        wr_marker_put(&w, &m);
        assert_int_equal(wr_writer_end(&w, &err), 0);
        assert_int_equal(batch.bytes.len, WR_BATCH_MARKER_BYTES);
        assert_memory_equal(bytes, batch.bytes.ptr, sizeof(bytes));
        unload(&batch);
    }
}

static void an_empty_batch_is_kafkas_byte_for_byte(void **state)
{
    (void)state;
    uint8_t bytes[WR_BATCH_HEADER_BYTES];
    struct wr_batch batch = load("empty-plain");
    wr_batch_put_empty(bytes, 1000, 5, 5);
    assert_int_equal(batch.bytes.len, sizeof(bytes));
    assert_memory_equal(bytes, batch.bytes.ptr, sizeof(bytes));
    unload(&batch);
}

static void other_control_records_are_told_from_damage(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_marker m = {.base_offset = 77};
    struct wr_batch batch = load("leader-change");
    assert_int_equal(wr_marker_decode(&batch, &m, &err), WEIR_E_UNSUPPORTED);
    unload(&batch);
    batch = load("transactional");
    assert_int_equal(wr_marker_decode(&batch, &m, &err), WEIR_E_CORRUPT);
    unload(&batch);
    assert_int_equal(m.base_offset, 77);
}

/* A key or value one byte short, each resealed so that only the marker's own checks can tell. */
static void a_marker_cut_short_is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {
        {65, 3 << 1}, /* key of 3 bytes */
        {65, 1},      /* no key */
        {70, 5 << 1}, /* value of 5 bytes */
        {61, 15 << 1} /* record of 15 bytes */
    };
    struct wr_batch batch = load("commit");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_error err = {0};
        struct wr_marker m = {0};
        uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
        bytes[cases[i].at] = cases[i].value;
        struct wr_batch bad = {batch.header, {bytes, batch.bytes.len}};
        assert_int_equal(wr_marker_decode(&bad, &m, &err), WEIR_E_CORRUPT);
        free(bytes);
    }
    unload(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_field),
        cmocka_unit_test(headers_come_out_as_they_went_in),
        cmocka_unit_test(refuses_every_prefix_and_leaves_out_alone),
        cmocka_unit_test(finds_every_flipped_bit_but_in_what_the_crc_leaves_out),
        cmocka_unit_test(refuses_fields_that_cannot_be),
        cmocka_unit_test(a_count_needs_bytes_for_as_many_records),
        cmocka_unit_test(offset_and_epoch_are_patched_outside_the_crc),
        cmocka_unit_test(a_patched_time_gets_a_new_crc),
        cmocka_unit_test(markers_are_kafkas_byte_for_byte),
        cmocka_unit_test(an_empty_batch_is_kafkas_byte_for_byte),
        cmocka_unit_test(other_control_records_are_told_from_damage),
        cmocka_unit_test(a_marker_cut_short_is_refused),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
