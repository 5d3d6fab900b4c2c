/*
 * The four codecs. What others write is in test/wire/batch and read by test_batch_iter.c; here are the
 * forms that none of those programs writes but a client may send, made with each library's own calls,
 * and the shape of what weir writes, byte by byte from the format's specification.
 */
#include "data/compress.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <lz4frame.h>
#include <snappy-c.h>
#include <zstd.h>

enum {
    BIG = 200000
};

/* Room for any form of so many bytes. */
static const size_t room = (size_t)4 * BIG;

static uint8_t mixed[BIG]; /* some of it compresses well, some not at all */

static int setup(void **state)
{
    (void)state;
    uint32_t x = 7;
    for (size_t i = 0; i < sizeof(mixed); i++) {
        x = x * 1664525U + 1013904223U;
        mixed[i] = i / 1000 % 2 == 0 ? (uint8_t)(x >> 24) : (uint8_t)(i / 5000);
    }
    return 0;
}

static void expect_out(enum wr_codec codec, struct wr_bytes packed, struct wr_bytes want)
{
    struct weir_error err = {0};
    struct wr_writer out = wr_writer_growing(SIZE_MAX / 2);
    assert_int_equal(wr_decompress(codec, packed, want.len, &out, &err), 0);
    assert_int_equal(out.len, want.len);
    if (want.len > 0) {
        assert_memory_equal(out.base, want.ptr, want.len);
        wr_writer_reset(&out);
        assert_int_equal(wr_decompress(codec, packed, want.len - 1, &out, &err), WEIR_E_LIMIT);
    }
    wr_writer_fini(&out);
}

static void every_codec_gives_back_what_went_in_and_not_a_byte_over_its_limit(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 100, 32767, 32768, 32769, 65536, 65537, BIG};
    for (unsigned codec = 0; codec < WR_CODEC_COUNT; codec++) {
        for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
            struct weir_error err = {0};
            struct wr_bytes in = {mixed, lens[i]};
            struct wr_writer out = wr_writer_growing(room);
            assert_int_equal(wr_compress((enum wr_codec)codec, in, &out, &err), 0);
            expect_out((enum wr_codec)codec, wr_writer_bytes(&out), in);
            wr_writer_fini(&out);
        }
    }
}

static void output_is_appended(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_bytes in = {mixed, 3000};
    for (unsigned codec = 0; codec < WR_CODEC_COUNT; codec++) {
        struct wr_writer packed = wr_writer_growing(room);
        struct wr_writer out = wr_writer_growing(room);
        wr_put_lit(&packed, "abc");
        wr_put_lit(&out, "defg");
        assert_int_equal(wr_compress((enum wr_codec)codec, in, &packed, &err), 0);
        assert_memory_equal(packed.base, "abc", 3);
        struct wr_bytes behind = {packed.base + 3, packed.len - 3};
        assert_int_equal(wr_decompress((enum wr_codec)codec, behind, in.len, &out, &err), 0);
        assert_int_equal(out.len, in.len + 4);
        assert_memory_equal(out.base, "defg", 4);
        assert_memory_equal(out.base + 4, in.ptr, in.len);
        wr_writer_fini(&packed);
        wr_writer_fini(&out);
    }
}

static struct wr_writer packed(enum wr_codec codec, size_t len)
{
    struct weir_error err = {0};
    struct wr_writer out = wr_writer_growing(room);
    assert_int_equal(wr_compress(codec, (struct wr_bytes){mixed, len}, &out, &err), 0);
    return out;
}

/* LZ4 frame format 1.6.1: magic, FLG 01·independent·no checksums, BD 64 KB; each block ≤ 64 KB. */
static void writes_lz4_as_java_reads_it(void **state)
{
    (void)state;
    static const uint8_t start[] = {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40};
    struct wr_writer out = packed(WR_CODEC_LZ4, BIG);
    assert_memory_equal(out.base, start, sizeof(start));
    wr_writer_fini(&out);
}

/* Xerial: magic, version 1, compatible with 1, then blocks of at most 32 KiB with their lengths. */
static void writes_snappy_in_xerial_blocks(void **state)
{
    (void)state;
    static const uint8_t start[] = {0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0,
                                    0,    0,    0,    1,    0,    0,    0,    1};
    struct wr_writer out = packed(WR_CODEC_SNAPPY, BIG);
    assert_memory_equal(out.base, start, sizeof(start));
    size_t blocks = 0;
    size_t pos = sizeof(start);
    while (pos < out.len) {
        size_t len = (size_t)out.base[pos] << 24 | (size_t)out.base[pos + 1] << 16 |
                     (size_t)out.base[pos + 2] << 8 | out.base[pos + 3];
        size_t plain = 0;
        assert_int_equal(snappy_uncompressed_length((char *)out.base + pos + 4, len, &plain),
                         SNAPPY_OK);
        assert_true(plain <= 32768);
        pos += 4 + len;
        blocks++;
    }
    assert_int_equal(pos, out.len);
    assert_int_equal(blocks, (BIG + 32767) / 32768);
    wr_writer_fini(&out);
}

static void writes_zstd_with_its_content_size(void **state)
{
    (void)state;
    struct wr_writer out = packed(WR_CODEC_ZSTD, BIG);
    assert_int_equal(ZSTD_getFrameContentSize(out.base, out.len), BIG);
    assert_int_equal(ZSTD_findFrameCompressedSize(out.base, out.len), out.len);
    wr_writer_fini(&out);
}

/* RFC 1952: magic, deflate, no flags; CRC and length at the end. */
static void writes_one_gzip_member(void **state)
{
    (void)state;
    static const uint8_t start[] = {0x1f, 0x8b, 8, 0};
    struct wr_writer out = packed(WR_CODEC_GZIP, BIG);
    assert_memory_equal(out.base, start, sizeof(start));
    uint32_t size = (uint32_t)out.base[out.len - 4] | (uint32_t)out.base[out.len - 3] << 8 |
                    (uint32_t)out.base[out.len - 2] << 16 | (uint32_t)out.base[out.len - 1] << 24;
    assert_int_equal(size, BIG);
    wr_writer_fini(&out);
}

static void frames_and_members_may_follow_one_another(void **state)
{
    (void)state;
    static const enum wr_codec codecs[] = {WR_CODEC_GZIP, WR_CODEC_LZ4, WR_CODEC_ZSTD};
    for (size_t i = 0; i < 3; i++) {
        struct weir_error err = {0};
        struct wr_writer out = wr_writer_growing(room);
        assert_int_equal(wr_compress(codecs[i], (struct wr_bytes){mixed, 70000}, &out, &err), 0);
        assert_int_equal(wr_compress(codecs[i], (struct wr_bytes){mixed, 0}, &out, &err), 0);
        assert_int_equal(
            wr_compress(codecs[i], (struct wr_bytes){mixed + 70000, BIG - 70000}, &out, &err), 0);
        expect_out(codecs[i], wr_writer_bytes(&out), (struct wr_bytes){mixed, BIG});
        wr_writer_fini(&out);
    }
}

static void reads_zstd_without_a_content_size(void **state)
{
    (void)state;
    static uint8_t frame[2 * BIG];
    ZSTD_CCtx *ctx = ZSTD_createCCtx();
    assert_non_null(ctx);
    (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_contentSizeFlag, 0);
    (void)ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, 1);
    size_t len = ZSTD_compress2(ctx, frame, sizeof(frame), mixed, BIG);
    assert_false(ZSTD_isError(len));
    assert_int_equal(ZSTD_getFrameContentSize(frame, len), ZSTD_CONTENTSIZE_UNKNOWN);
    expect_out(WR_CODEC_ZSTD, (struct wr_bytes){frame, len}, (struct wr_bytes){mixed, BIG});
    (void)ZSTD_freeCCtx(ctx);
}

static void reads_lz4_frames_of_any_kind(void **state)
{
    (void)state;
    static uint8_t frame[2 * BIG];
    static const LZ4F_blockSizeID_t sizes[] = {LZ4F_max64KB, LZ4F_max256KB, LZ4F_max4MB};
    for (unsigned i = 0; i < 3 * 8; i++) {
        LZ4F_preferences_t prefs = {0};
        prefs.frameInfo.blockSizeID = sizes[i / 8];
        prefs.frameInfo.blockMode = (i & 1) != 0 ? LZ4F_blockLinked : LZ4F_blockIndependent;
        prefs.frameInfo.contentChecksumFlag =
            (i & 2) != 0 ? LZ4F_contentChecksumEnabled : LZ4F_noContentChecksum;
        prefs.frameInfo.blockChecksumFlag =
            (i & 2) != 0 ? LZ4F_blockChecksumEnabled : LZ4F_noBlockChecksum;
        prefs.frameInfo.contentSize = (i & 4) != 0 ? BIG : 0;
        size_t len = LZ4F_compressFrame(frame, sizeof(frame), mixed, BIG, &prefs);
        assert_false(LZ4F_isError(len));
        expect_out(WR_CODEC_LZ4, (struct wr_bytes){frame, len}, (struct wr_bytes){mixed, BIG});
    }
}

static void reads_snappy_as_one_raw_block_and_with_odd_version_words(void **state)
{
    (void)state;
    static uint8_t block[2 * BIG];
    size_t len = sizeof(block);
    assert_int_equal(snappy_compress((const char *)mixed, BIG, (char *)block, &len), SNAPPY_OK);
    expect_out(WR_CODEC_SNAPPY, (struct wr_bytes){block, len}, (struct wr_bytes){mixed, BIG});

    struct wr_writer out = packed(WR_CODEC_SNAPPY, BIG);
    memset(out.base + 8, 0, 8);
    out.base[8] = 1; /* little endian */
    out.base[12] = 1;
    expect_out(WR_CODEC_SNAPPY, wr_writer_bytes(&out), (struct wr_bytes){mixed, BIG});
    wr_writer_fini(&out);
}

static void expect_refused(enum wr_codec codec, const void *bytes, size_t len, int code)
{
    struct weir_error err = {0};
    struct wr_writer out = wr_writer_growing(SIZE_MAX / 2);
    uint8_t *exact = malloc(len > 0 ? len : 1);
    assert_non_null(exact);
    memcpy(exact, bytes, len);
    int rc = wr_decompress(codec, (struct wr_bytes){exact, len}, BIG, &out, &err);
    assert_int_equal(rc, code);
    assert_true(out.cap <= (size_t)4 << 20); /* no announced length made it grow */
    free(exact);
    wr_writer_fini(&out);
}

static void refuses_every_prefix(void **state)
{
    (void)state;
    static const enum wr_codec codecs[] = {WR_CODEC_GZIP, WR_CODEC_LZ4, WR_CODEC_ZSTD};
    for (size_t i = 0; i < 3; i++) {
        struct wr_writer out = packed(codecs[i], 3000);
        for (size_t len = 0; len < out.len; len++) {
            expect_refused(codecs[i], out.base, len, WEIR_E_CORRUPT);
        }
        wr_writer_fini(&out);
    }
    struct wr_writer out = packed(WR_CODEC_SNAPPY, 3000);
    for (size_t len = 0; len < out.len; len++) {
        if (len != 16) { /* a xerial stream of no blocks is whole */
            expect_refused(WR_CODEC_SNAPPY, out.base, len, WEIR_E_CORRUPT);
        }
    }
    wr_writer_fini(&out);
}

static void refuses_bytes_behind_the_end(void **state)
{
    (void)state;
    for (unsigned codec = WR_CODEC_GZIP; codec < WR_CODEC_COUNT; codec++) {
        struct wr_writer out = packed((enum wr_codec)codec, 3000);
        wr_put_u8(&out, 0);
        expect_refused((enum wr_codec)codec, out.base, out.len, WEIR_E_CORRUPT);
        wr_writer_fini(&out);
    }
}

static void refuses_announced_lengths_before_they_size_memory(void **state)
{
    (void)state;
    static const uint8_t raw[] = {0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
    static const uint8_t xerial[] = {0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0,   0,
                                     0,    0,    1,    0,    0,    0,    1,    0,   0,
                                     0,    6,    0xff, 0xff, 0xff, 0xff, 0x0f, 0x00};
    static const uint8_t block[] = {0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0,    0,    0,
                                    0,    1,    0,    0,    0,    1,    0xff, 0xff, 0xff, 0xff};
    /* RFC 8878: magic, single segment with an 8-byte content size of 2^62, an empty last block */
    static const uint8_t zstd[] = {0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0,
                                   0,    0,    0,    0,    0x40, 1, 0, 0};
    expect_refused(WR_CODEC_SNAPPY, raw, sizeof(raw), WEIR_E_LIMIT);
    expect_refused(WR_CODEC_SNAPPY, xerial, sizeof(xerial), WEIR_E_LIMIT);
    expect_refused(WR_CODEC_SNAPPY, block, sizeof(block), WEIR_E_CORRUPT);
    expect_refused(WR_CODEC_ZSTD, zstd, sizeof(zstd), WEIR_E_CORRUPT);
}

static void knows_kafkas_names(void **state)
{
    (void)state;
    assert_string_equal(wr_codec_name(WR_CODEC_NONE), "none");
    assert_string_equal(wr_codec_name(WR_CODEC_GZIP), "gzip");
    assert_string_equal(wr_codec_name(WR_CODEC_SNAPPY), "snappy");
    assert_string_equal(wr_codec_name(WR_CODEC_LZ4), "lz4");
    assert_string_equal(wr_codec_name(WR_CODEC_ZSTD), "zstd");
    assert_string_equal(wr_codec_name((enum wr_codec)5), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_codec_gives_back_what_went_in_and_not_a_byte_over_its_limit),
        cmocka_unit_test(output_is_appended),
        cmocka_unit_test(writes_lz4_as_java_reads_it),
        cmocka_unit_test(writes_snappy_in_xerial_blocks),
        cmocka_unit_test(writes_zstd_with_its_content_size),
        cmocka_unit_test(writes_one_gzip_member),
        cmocka_unit_test(frames_and_members_may_follow_one_another),
        cmocka_unit_test(reads_zstd_without_a_content_size),
        cmocka_unit_test(reads_lz4_frames_of_any_kind),
        cmocka_unit_test(reads_snappy_as_one_raw_block_and_with_odd_version_words),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(refuses_bytes_behind_the_end),
        cmocka_unit_test(refuses_announced_lengths_before_they_size_memory),
        cmocka_unit_test(knows_kafkas_names),
    };
    return cmocka_run_group_tests_name("compress", tests, setup, NULL);
}
