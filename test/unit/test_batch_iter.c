#include "data/batch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void what_the_builder_makes_comes_out_again(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_arena arena = wr_arena_of(1 << 20);
    for (unsigned codec = 0; codec < WR_CODEC_COUNT; codec++) {
        struct wr_batch_builder builder = wr_batch_builder_of(1 << 20);
        struct wr_header h[2] = {{WR_STR("a"), {NULL, 0}},
                                 {WR_STR("b"), {(const uint8_t *)"x", 1}}};
        struct wr_record in = {.key = {NULL, 0},
                               .value = {(const uint8_t *)"value", 5},
                               .headers = h,
                               .header_count = 2};
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(wr_batch_append(&builder, &in, 1000 - i, &err), 0);
        }
        struct wr_batch_stamp stamp = wr_batch_stamp_plain();
        stamp.codec = (enum wr_codec)codec;
        stamp.base_offset = 77;
        struct wr_bytes bytes;
        assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
        struct wr_batch batch;
        assert_int_equal(wr_batch_of(bytes, &batch, &err), 0);
        struct wr_batch_iter iter = wr_batch_iter_of(&limits, &arena);
        int64_t max = 0;
        assert_int_equal(wr_batch_verify(&batch, &iter, &max, &err), 0);
        assert_int_equal(max, 1000);
        assert_int_equal(wr_batch_iter_begin(&iter, &batch, &err), 0);
        struct wr_record out;
        int64_t offset;
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(wr_batch_iter_next(&iter, &offset, &out, &err), 1);
            assert_int_equal(offset, 77 + i);
            assert_int_equal(out.timestamp_ms, 1000 - i);
            assert_null(out.key.ptr);
            assert_true(wr_bytes_eq(out.value, in.value));
            assert_int_equal(out.header_count, 2);
            assert_null(out.headers[0].value.ptr);
            assert_true(wr_str_eq(out.headers[1].name, WR_STR("b")));
        }
        assert_int_equal(wr_batch_iter_next(&iter, &offset, &out, &err), 0);
        wr_batch_iter_fini(&iter);
        wr_batch_builder_fini(&builder);
        wr_arena_reset(&arena);
    }
    wr_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_builder_makes_comes_out_again),
    };
    return cmocka_run_group_tests_name("batch_iter", tests, NULL, NULL);
}
