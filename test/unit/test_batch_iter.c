/*
 * Reading the records of a batch: Kafka's own batches in every codec, librdkafka's, what compaction
 * leaves, and bytes that lie about themselves. Hostile batches are Kafka's with some bytes changed and
 * the CRC made right again, so that only the checks of the records can tell.
 */
#include "data/batch.h"

#include "../wire/five.h"
#include "../wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    ARENA_BYTES = 1 << 16
};

/* A batch in memory of its own, and an iterator at its start. */
struct at {
    struct wr_arena arena;
    struct wr_batch batch;
    struct wr_batch_iter iter;
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

static void begin(struct at *at, const char *name)
{
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    at->arena = wr_arena_of(ARENA_BYTES);
    at->batch = load(name);
    at->iter = wr_batch_iter_of(&limits, &at->arena);
    assert_int_equal(wr_batch_iter_begin(&at->iter, &at->batch, &err), 0);
}

static void finish(struct at *at)
{
    wr_batch_iter_fini(&at->iter);
    wr_arena_fini(&at->arena);
    unload(&at->batch);
}

static void expect_next(struct at *at, int64_t offset, const struct wr_record *want)
{
    struct weir_error err = {0};
    struct wr_record got = {0};
    int64_t got_offset = -1;
    assert_int_equal(wr_batch_iter_next(&at->iter, &got_offset, &got, &err), 1);
    assert_int_equal(got_offset, offset);
    assert_true(same_record(&got, want));
}

static void expect_end(struct at *at)
{
    struct weir_error err = {0};
    struct wr_record got = {0};
    int64_t offset = -1;
    assert_int_equal(wr_batch_iter_next(&at->iter, &offset, &got, &err), 0);
    assert_int_equal(wr_batch_iter_next(&at->iter, &offset, &got, &err), 0);
    assert_int_equal(offset, -1);
}

static void reads_kafkas_records_in_every_codec(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "five-gzip", "five-snappy",
                                        "five-lz4",  "five-zstd", "transactional"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct at at;
        begin(&at, names[i]);
        for (size_t k = 0; k < FIVE_COUNT; k++) {
            struct wr_record want = five_record(k);
            expect_next(&at, 1000 + (int64_t)k, &want);
        }
        expect_end(&at);
        finish(&at);
    }
}

static void reads_batches_of_many_compressed_blocks(void **state)
{
    (void)state;
    static const char *const names[] = {"many-gzip", "many-snappy", "many-lz4", "many-zstd"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct at at;
        begin(&at, names[i]);
        for (int k = 0; k < MANY_COUNT; k++) {
            char key[16];
            uint8_t value[MANY_VALUE_BYTES];
            (void)snprintf(key, sizeof(key), "key-%d", k);
            memset(value, 'a' + k % 26, sizeof(value));
            struct wr_record want = {.key = bytes_of(key),
                                     .value = {value, sizeof(value)},
                                     .timestamp_ms = 1710500000000 + k};
            expect_next(&at, 1000 + k, &want);
        }
        expect_end(&at);
        finish(&at);
    }
}

static void reads_librdkafkas_records_in_every_codec(void **state)
{
    (void)state;
    static const char *const names[] = {"librdkafka-none", "librdkafka-gzip", "librdkafka-snappy",
                                        "librdkafka-lz4", "librdkafka-zstd"};
    struct wr_header header = {wr_str_of("trace"), bytes_of("abc")};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct at at;
        begin(&at, names[i]);
        int64_t t = at.batch.header.max_timestamp_ms; /* the three were sent within one ms */
        struct wr_record a = {bytes_of("alpha"), bytes_of("first value"), &header, 1, t};
        struct wr_record b = {bytes_of("beta"), bytes_of("second value second value second value"),
                              &header, 1, t};
        struct wr_record c = {bytes_of("gamma"), bytes_of("third"), &header, 1, t};
        expect_next(&at, 0, &a);
        expect_next(&at, 1, &b);
        expect_next(&at, 2, &c);
        expect_end(&at);
        finish(&at);
    }
}

static void append_time_is_every_records_time(void **state)
{
    (void)state;
    struct at at;
    begin(&at, "append-time");
    for (size_t k = 0; k < FIVE_COUNT; k++) {
        struct wr_record want = five_record(k);
        want.timestamp_ms = 1710500009999;
        expect_next(&at, 1000 + (int64_t)k, &want);
    }
    expect_end(&at);
    finish(&at);
}

static void a_delete_horizon_changes_no_record_and_gaps_stay_gaps(void **state)
{
    (void)state;
    struct at at;
    begin(&at, "compacted");
    for (size_t k = 0; k < FIVE_COUNT; k += 2) {
        struct wr_record want = five_record(k);
        expect_next(&at, 1000 + (int64_t)k, &want);
    }
    expect_end(&at);
    finish(&at);
}

static void a_batch_without_records_is_legal(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct at at;
    begin(&at, "empty");
    expect_end(&at);
    int64_t max = 0;
    assert_int_equal(wr_batch_verify(&at.batch, &at.iter, &max, &err), 0);
    assert_int_equal(max, -1);
    finish(&at);
}

static void an_iterator_is_used_for_batch_after_batch(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct at at;
    begin(&at, "many-zstd");
    struct wr_batch other = load("five-lz4");
    struct wr_record want = five_record(0);
    assert_int_equal(wr_batch_iter_begin(&at.iter, &other, &err), 0);
    expect_next(&at, 1000, &want);
    assert_int_equal(wr_batch_iter_begin(&at.iter, &other, &err), 0);
    expect_next(&at, 1000, &want);
    unload(&other);
    finish(&at);
}

static void verify_finds_the_true_greatest_timestamp(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    struct wr_batch batch = load("five-none");
    int64_t max = 0;
    assert_int_equal(wr_batch_verify(&batch, &iter, &max, &err), 0);
    assert_int_equal(max, 1710500000007);

    uint8_t *lying = wire_copy(batch.bytes.ptr, batch.bytes.len);
    wr_batch_patch_max_timestamp(lying, batch.bytes.len, 5);
    struct wr_batch lie = {0};
    assert_int_equal(wr_batch_of((struct wr_bytes){lying, batch.bytes.len}, &lie, &err), 0);
    assert_int_equal(wr_batch_verify(&lie, &iter, &max, &err), 0);
    assert_int_equal(max, 1710500000007);

    lying[100] ^= 1;
    assert_int_equal(wr_batch_verify(&lie, &iter, &max, &err), WEIR_E_CORRUPT);
    free(lying);
    unload(&batch);
    wr_batch_iter_fini(&iter);
}

static void without_an_arena_headers_are_checked_but_not_given(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    struct wr_batch batch = load("five-none");
    struct wr_record record = {0};
    int64_t offset = 0;
    assert_int_equal(wr_batch_iter_begin(&iter, &batch, &err), 0);
    for (size_t k = 0; k < FIVE_COUNT; k++) {
        assert_int_equal(wr_batch_iter_next(&iter, &offset, &record, &err), 1);
        assert_int_equal(record.header_count, 0);
    }
    wr_batch_iter_fini(&iter);
    unload(&batch);
}

static void more_headers_than_the_arena_holds_are_refused(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_arena arena = wr_arena_of(sizeof(struct wr_header));
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, &arena);
    struct wr_batch batch = load("five-none");
    struct wr_record record = {0};
    int64_t offset = 0;
    assert_int_equal(wr_batch_iter_begin(&iter, &batch, &err), 0);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(wr_batch_iter_next(&iter, &offset, &record, &err), 1);
    }
    assert_int_equal(wr_batch_iter_next(&iter, &offset, &record, &err), WEIR_E_LIMIT);
    wr_batch_iter_fini(&iter);
    wr_arena_fini(&arena);
    unload(&batch);
}

/* ---- bytes that lie ----------------------------------------------------------------------------------- */

static int verify_bytes(const uint8_t *bytes, size_t len, struct weir_error *err)
{
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    struct wr_batch batch = {0};
    int rc = wr_batch_of((struct wr_bytes){bytes, len}, &batch, err);
    if (rc == 0) {
        rc = wr_batch_verify(&batch, &iter, NULL, err);
    }
    wr_batch_iter_fini(&iter);
    return rc;
}

static void seal(uint8_t *bytes, size_t len)
{
    wr_batch_patch_max_timestamp(bytes, len, 1710500000007);
}

static void expect_says(const struct weir_error *err, const char *says)
{
    if (strstr(err->text, says) == NULL) {
        fail_msg("'%s' is not about '%s'", err->text, says);
    }
}

/* Places in five-none: record 1 is 61 … 91 (its key length at 65, value length at 73, header count at 91),
 * record 4 begins at 0x77 and the length of its first header name is at 0x7e. */
static void refuses_records_that_lie(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *says;
    } cases[] = {
        {61, 0x3c - 2, "record 1 of 5"}, /* a record one byte short: its header count is outside */
        {61, 0x3c + 2, "record 1 of 5"}, /* one byte long: bytes too many */
        {61, 1, "record length"},        /* negative */
        {64, 2, "record 2 of 5: offset delta"},  /* the first takes offset 1, so does the second */
        {64, 10, "record 1 of 5: offset delta"}, /* beyond the last offset delta */
        {64, 1, "record 1 of 5: offset delta"},  /* negative */
        {65, 3, "key"},                          /* length -2 */
        {65, 0x7e, "key"},                       /* longer than the record */
        {73, 3, "value"},
        {91, 1, "header count"},  /* negative */
        {91, 2, "header count"},  /* more headers than bytes */
        {0x7e, 1, "header name"}, /* a header without a name */
    };
    struct wr_batch batch = load("five-none");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_error err = {0};
        uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
        bytes[cases[i].at] = cases[i].value;
        seal(bytes, batch.bytes.len);
        assert_int_equal(verify_bytes(bytes, batch.bytes.len, &err), WEIR_E_CORRUPT);
        expect_says(&err, cases[i].says);
        free(bytes);
    }
    unload(&batch);
}

static void refuses_a_count_that_is_not_that_of_the_records(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "five-gzip", "five-snappy", "five-lz4",
                                        "five-zstd"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct wr_batch batch = load(names[i]);
        uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
        for (uint8_t count = 0; count < 100; count++) {
            struct weir_error err = {0};
            bytes[26] = 99; /* last offset delta */
            bytes[60] = count;
            seal(bytes, batch.bytes.len);
            assert_int_equal(verify_bytes(bytes, batch.bytes.len, &err),
                             count == FIVE_COUNT ? 0 : WEIR_E_CORRUPT);
        }
        free(bytes);
        unload(&batch);
    }
}

/* The batch ends early, and says so in its length and CRC: what is missing is noticed all the same. */
static void refuses_every_prefix_of_the_records(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "five-gzip", "five-snappy",
                                        "five-lz4",  "five-zstd", "many-snappy"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct wr_batch batch = load(names[i]);
        for (size_t len = WR_BATCH_HEADER_BYTES; len < batch.bytes.len;
             len += len < 500 ? 1 : 211) {
            struct weir_error err = {0};
            uint8_t *bytes = wire_copy(batch.bytes.ptr, len);
            struct wr_writer w = wr_writer_over(bytes + 8, 4);
            wr_put_u32(&w, (uint32_t)(len - 12));
            seal(bytes, len);
            assert_int_equal(verify_bytes(bytes, len, &err), WEIR_E_CORRUPT);
            free(bytes);
        }
        unload(&batch);
    }
}

static void try_values_at(uint8_t *bytes, size_t len, size_t at)
{
    static const uint8_t values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
    uint8_t old = bytes[at];
    for (size_t v = 0; v < sizeof(values); v++) {
        struct weir_error err = {0};
        bytes[at] = values[v];
        seal(bytes, len);
        int rc = verify_bytes(bytes, len, &err);
        assert_true(rc == 0 || rc == WEIR_E_CORRUPT || rc == WEIR_E_LIMIT);
    }
    bytes[at] = old;
}

static void survives_every_changed_byte_of_the_records(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "five-gzip", "five-snappy", "five-lz4",
                                        "five-zstd"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct wr_batch batch = load(names[i]);
        uint8_t *bytes = wire_copy(batch.bytes.ptr, batch.bytes.len);
        for (size_t at = WR_BATCH_CRC_FROM; at < batch.bytes.len; at++) {
            try_values_at(bytes, batch.bytes.len, at);
        }
        free(bytes);
        unload(&batch);
    }
}

/* 64 MiB of zeros in one record, in each codec, against limits that are passed at different places. */
static void refuses_bombs(void **state)
{
    (void)state;
    static const struct wr_batch_limits small = {1 << 20, 1 << 16, 1 << 30};
    static const struct wr_batch_limits ratio = {SIZE_MAX / 2, 1 << 16, 10};
    enum {
        BOMB_BYTES = 64 << 20
    };
    struct weir_error err = {0};
    uint8_t *zeros = calloc(BOMB_BYTES, 1);
    assert_non_null(zeros);
    struct wr_record record = {.value = {zeros, BOMB_BYTES}};
    struct wr_batch_builder builder = wr_batch_builder_of(BOMB_BYTES + 100);
    assert_int_equal(wr_batch_append(&builder, &record, 0, &err), 0);
    for (unsigned codec = WR_CODEC_GZIP; codec < WR_CODEC_COUNT; codec++) {
        struct wr_batch_stamp stamp = wr_batch_stamp_plain();
        struct wr_bytes bytes = {0};
        struct wr_batch batch = {0};
        stamp.codec = (enum wr_codec)codec;
        assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
        assert_int_equal(wr_batch_of(bytes, &batch, &err), 0);
        for (int i = 0; i < 2; i++) {
            struct wr_batch_iter iter = wr_batch_iter_of(i == 0 ? &small : &ratio, NULL);
            assert_int_equal(wr_batch_verify(&batch, &iter, NULL, &err), WEIR_E_LIMIT);
            assert_true(iter.unpacked.len <= bytes.len * 10 || iter.unpacked.len <= 1 << 20);
            wr_batch_iter_fini(&iter);
        }
    }
    wr_batch_builder_fini(&builder);
    free(zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_kafkas_records_in_every_codec),
        cmocka_unit_test(reads_batches_of_many_compressed_blocks),
        cmocka_unit_test(reads_librdkafkas_records_in_every_codec),
        cmocka_unit_test(append_time_is_every_records_time),
        cmocka_unit_test(a_delete_horizon_changes_no_record_and_gaps_stay_gaps),
        cmocka_unit_test(a_batch_without_records_is_legal),
        cmocka_unit_test(an_iterator_is_used_for_batch_after_batch),
        cmocka_unit_test(verify_finds_the_true_greatest_timestamp),
        cmocka_unit_test(without_an_arena_headers_are_checked_but_not_given),
        cmocka_unit_test(more_headers_than_the_arena_holds_are_refused),
        cmocka_unit_test(refuses_records_that_lie),
        cmocka_unit_test(refuses_a_count_that_is_not_that_of_the_records),
        cmocka_unit_test(refuses_every_prefix_of_the_records),
        cmocka_unit_test(survives_every_changed_byte_of_the_records),
        cmocka_unit_test(refuses_bombs),
    };
    return cmocka_run_group_tests_name("batch_iter", tests, NULL, NULL);
}
