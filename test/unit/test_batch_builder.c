/*
 * Building record batches. What comes out uncompressed must be what Kafka's own builder makes of the
 * same records, byte for byte (test/wire/batch); compressed bytes differ from library to library, so
 * those are read back.
 */
#include "data/batch.h"

#include "../wire/five.h"
#include "../wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    SIZE_MAX_BYTES = 1 << 20
};

static void append_five(struct wr_batch_builder *builder)
{
    for (size_t i = 0; i < FIVE_COUNT; i++) {
        struct weir_error err = {0};
        struct wr_record record = five_record(i);
        int64_t timestamp_ms = record.timestamp_ms;
        record.timestamp_ms = -1; /* not to be looked at */
        assert_int_equal(wr_batch_append(builder, &record, timestamp_ms, &err), 0);
    }
}

static struct wr_batch_stamp stamp_of_the_files(void)
{
    struct wr_batch_stamp stamp = wr_batch_stamp_plain();
    stamp.base_offset = 1000;
    stamp.leader_epoch = 5;
    return stamp;
}

static void expect_file(struct wr_bytes got, const char *name)
{
    struct wr_bytes want = wire_load("batch", name);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, want.len);
    free((void *)(uintptr_t)want.ptr);
}

static void builds_what_kafka_builds(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_bytes bytes = {0};
    struct wr_batch_builder builder = wr_batch_builder_of(SIZE_MAX_BYTES);
    append_five(&builder);
    assert_int_equal(wr_batch_builder_size(&builder), 461);

    struct wr_batch_stamp stamp = stamp_of_the_files();
    assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
    expect_file(bytes, "five-none");

    stamp.producer_id = 4711;
    stamp.producer_epoch = 3;
    stamp.base_sequence = 17;
    stamp.is_transactional = true;
    assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
    expect_file(bytes, "transactional");

    stamp = stamp_of_the_files();
    stamp.append_time_ms = 1710500009999;
    assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
    expect_file(bytes, "append-time");
    wr_batch_builder_fini(&builder);
}

static void a_reset_builder_starts_anew(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_bytes bytes = {0};
    struct wr_batch_builder builder = wr_batch_builder_of(SIZE_MAX_BYTES);
    struct wr_batch_stamp stamp = stamp_of_the_files();
    struct wr_record late = {.value = bytes_of("late")};
    assert_int_equal(wr_batch_append(&builder, &late, INT64_MAX, &err), 0);
    stamp.codec = WR_CODEC_ZSTD;
    assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);

    wr_batch_builder_reset(&builder);
    assert_int_equal(wr_batch_builder_size(&builder), WR_BATCH_HEADER_BYTES);
    append_five(&builder);
    stamp.codec = WR_CODEC_NONE;
    assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
    expect_file(bytes, "five-none");
    assert_ptr_equal(wr_batch_builder_bytes(&builder), bytes.ptr);
    wr_batch_builder_fini(&builder);
}

/* Every size limit from nothing to enough: what does not fit is refused and leaves no trace. */
static void a_record_over_the_limit_leaves_the_batch_as_it_was(void **state)
{
    (void)state;
    for (size_t size_max = WR_BATCH_HEADER_BYTES; size_max < 461; size_max++) {
        struct weir_error err = {0};
        struct wr_batch_builder builder = wr_batch_builder_of(size_max);
        uint32_t taken = 0;
        for (size_t i = 0; i < FIVE_COUNT; i++) {
            struct wr_record record = five_record(i);
            int rc = wr_batch_append(&builder, &record, record.timestamp_ms, &err);
            assert_true(rc == 0 || rc == WEIR_E_LIMIT);
            taken += rc == 0 ? 1 : 0;
        }
        assert_true(taken < FIVE_COUNT);
        assert_true(wr_batch_builder_size(&builder) <= size_max);
        assert_int_equal(builder.record_count, taken);
        if (taken > 0) {
            struct wr_batch_limits limits = wr_batch_limits_default();
            struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
            struct wr_batch_stamp stamp = stamp_of_the_files();
            struct wr_bytes bytes = {0};
            struct wr_batch batch = {0};
            assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
            assert_int_equal(wr_batch_of(bytes, &batch, &err), 0);
            assert_int_equal(batch.header.record_count, taken);
            assert_int_equal(wr_batch_verify(&batch, &iter, NULL, &err), 0);
            wr_batch_iter_fini(&iter);
        }
        wr_batch_builder_fini(&builder);
    }
}

static void the_limit_itself_is_allowed(void **state)
{
    (void)state;
    struct wr_batch_builder builder = wr_batch_builder_of(461);
    append_five(&builder);
    assert_int_equal(wr_batch_builder_size(&builder), 461);
    wr_batch_builder_fini(&builder);
}

/* Bytes without any pattern: a compressor makes them longer. */
static void noise_that_compresses_to_more_than_the_limit_is_refused(void **state)
{
    (void)state;
    uint8_t noise[4096];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof(noise); i++) {
        x = x * 1664525U + 1013904223U;
        noise[i] = (uint8_t)(x >> 24);
    }
    struct weir_error err = {0};
    struct wr_record record = {.value = {noise, sizeof(noise)}};
    struct wr_batch_stamp stamp = stamp_of_the_files();
    for (unsigned codec = WR_CODEC_GZIP; codec < WR_CODEC_COUNT; codec++) {
        struct wr_bytes bytes = {0};
        struct wr_batch_builder builder = wr_batch_builder_of(sizeof(noise) + 61 + 9);
        assert_int_equal(wr_batch_append(&builder, &record, 0, &err), 0);
        stamp.codec = (enum wr_codec)codec;
        assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), WEIR_E_LIMIT);
        stamp.codec = WR_CODEC_NONE;
        assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
        wr_batch_builder_fini(&builder);
    }
}

static void sizes_and_deltas_of_every_width_are_read_back(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 63, 64, 8191, 8192, 70000};
    static uint8_t zeros[70000];
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    for (unsigned codec = 0; codec < WR_CODEC_COUNT; codec++) {
        struct wr_batch_builder builder = wr_batch_builder_of(SIZE_MAX_BYTES);
        for (size_t i = 0; i < 200; i++) {
            struct wr_record record = {.key = {zeros, i}, .value = {zeros, lens[i % 7] / (i + 1)}};
            int64_t t = i % 2 == 0 ? INT64_C(1) << i % 62 : -(INT64_C(1) << i % 62);
            assert_int_equal(wr_batch_append(&builder, &record, t, &err), 0);
        }
        struct wr_bytes bytes = {0};
        struct wr_batch batch = {0};
        struct wr_batch_stamp stamp = stamp_of_the_files();
        stamp.codec = (enum wr_codec)codec;
        assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
        assert_int_equal(wr_batch_of(bytes, &batch, &err), 0);
        struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
        assert_int_equal(wr_batch_iter_begin(&iter, &batch, &err), 0);
        for (size_t i = 0; i < 200; i++) {
            int64_t offset = 0;
            struct wr_record record = {0};
            assert_int_equal(wr_batch_iter_next(&iter, &offset, &record, &err), 1);
            int64_t t = i % 2 == 0 ? INT64_C(1) << i % 62 : -(INT64_C(1) << i % 62);
            assert_int_equal(record.timestamp_ms, t);
            assert_int_equal(offset, 1000 + i);
            assert_int_equal(record.key.len, i);
            assert_int_equal(record.value.len, lens[i % 7] / (i + 1));
        }
        wr_batch_iter_fini(&iter);
        wr_batch_builder_fini(&builder);
    }
}

static int build_all(struct weir_error *err)
{
    struct wr_batch_builder builder = wr_batch_builder_of(SIZE_MAX_BYTES);
    struct wr_bytes bytes = {0};
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < FIVE_COUNT; i++) {
        struct wr_record record = five_record(i);
        rc = wr_batch_append(&builder, &record, record.timestamp_ms, err);
    }
    for (unsigned codec = 0; rc == 0 && codec < WR_CODEC_COUNT; codec++) {
        struct wr_batch_stamp stamp = wr_batch_stamp_plain();
        stamp.codec = (enum wr_codec)codec;
        rc = wr_batch_build(&builder, &stamp, &bytes, err);
    }
    wr_batch_builder_fini(&builder);
    return rc;
}

static void survives_every_allocation_failing(void **state)
{
    (void)state;
    int failed = 0;
    for (size_t n = 1;; n++) {
        struct weir_error err = {0};
        wr_test_fail_alloc_at = n;
        int rc = build_all(&err);
        wr_test_fail_alloc_at = 0;
        if (rc == 0) {
            break;
        }
        assert_int_equal(rc, WEIR_E_NOMEM);
        failed++;
    }
    assert_true(failed > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_what_kafka_builds),
        cmocka_unit_test(a_reset_builder_starts_anew),
        cmocka_unit_test(a_record_over_the_limit_leaves_the_batch_as_it_was),
        cmocka_unit_test(the_limit_itself_is_allowed),
        cmocka_unit_test(noise_that_compresses_to_more_than_the_limit_is_refused),
        cmocka_unit_test(sizes_and_deltas_of_every_width_are_read_back),
        cmocka_unit_test(survives_every_allocation_failing),
    };
    return cmocka_run_group_tests_name("batch_builder", tests, NULL, NULL);
}
