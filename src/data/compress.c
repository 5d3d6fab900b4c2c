#include "data/compress.h"

#include <limits.h>

#include <lz4frame.h>
#include <snappy-c.h>
#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>
#include <zstd.h>

#include "base/reader.h"

enum {
    OUTPUT_STEP_MIN = 64 * 1024,
    GZIP_WINDOW_BITS = 15 + 16, /* 15: the largest window; 16: gzip's wrapper (zlib.h) */
    GZIP_MEMORY_LEVEL = 8,
    XERIAL_BLOCK_BYTES = 32 * 1024,
    XERIAL_VERSION = 1,
    ZSTD_LEVEL = 3
};

static const uint8_t xerial_magic[8] = {0x82, 'S', 'N', 'A', 'P', 'P', 'Y', 0};

const char *wr_codec_name(enum wr_codec codec)
{
    switch (codec) {
    case WR_CODEC_NONE: return "none";
    case WR_CODEC_GZIP: return "gzip";
    case WR_CODEC_SNAPPY: return "snappy";
    case WR_CODEC_LZ4: return "lz4";
    case WR_CODEC_ZSTD: return "zstd";
    }
    return "unknown";
}

/* ---- output with a ceiling ------------------------------------------------------------------------ */

/* Where decompressed bytes go. Once `left` is 0 a stream may still have to say that it has ended, so
 * it gets one spare byte to write; a byte that does come is one too many. */
struct sink {
    struct wr_writer *out;
    size_t left;
    size_t step; /* how much room to make at a time */
    uint8_t spare;
};

struct room {
    uint8_t *ptr;
    size_t len;
};

static struct sink sink_of(struct wr_bytes in, size_t output_max, struct wr_writer *out)
{
    size_t guess;
    if (!wr_mul(in.len, 4, &guess) || guess < OUTPUT_STEP_MIN) {
        guess = OUTPUT_STEP_MIN;
    }
    return (struct sink){.out = out, .left = output_max, .step = guess};
}

static int too_much(struct weir_error *err)
{
    return wr_fail(err, WEIR_E_LIMIT, "decompresses to more than is allowed");
}

static int sink_room(struct sink *sink, struct room *room, struct weir_error *err)
{
    if (sink->left == 0) {
        *room = (struct room){&sink->spare, 1};
        return 0;
    }
    size_t len = sink->left < sink->step ? sink->left : sink->step;
    uint8_t *ptr = wr_writer_room(sink->out, len);
    if (ptr == NULL) {
        return wr_writer_end(sink->out, err);
    }
    *room = (struct room){ptr, len};
    return 0;
}

static int sink_took(struct sink *sink, size_t len, struct weir_error *err)
{
    if (len > sink->left) {
        return too_much(err);
    }
    wr_writer_advance(sink->out, len);
    sink->left -= len;
    return 0;
}

static int cut_short(const char *codec, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_CORRUPT, "%s data is cut short", codec);
}

/* ---- gzip ------------------------------------------------------------------------------------------- */

/* One step of inflate. *is_ended: a member is complete. */
static int gunzip_step(z_stream *z, struct sink *sink, bool *is_ended, struct weir_error *err)
{
    struct room room = {0};
    int rc = sink_room(sink, &room, err);
    if (rc < 0) {
        return rc;
    }
    size_t len = room.len > UINT_MAX ? UINT_MAX : room.len;
    z->next_out = room.ptr;
    z->avail_out = (uInt)len;
    int zrc = inflate(z, Z_NO_FLUSH);
    if (zrc == Z_BUF_ERROR) {
        return cut_short("gzip", err);
    }
    if (zrc == Z_MEM_ERROR) {
        return wr_fail(err, WEIR_E_NOMEM, "gzip");
    }
    if (zrc != Z_OK && zrc != Z_STREAM_END) {
        return wr_fail(err, WEIR_E_CORRUPT, "gzip data is not valid: %s",
                       z->msg != NULL ? z->msg : "no reason given");
    }
    *is_ended = zrc == Z_STREAM_END;
    return sink_took(sink, len - z->avail_out, err);
}

static int gunzip_members(z_stream *z, struct sink *sink, struct weir_error *err)
{
    for (;;) {
        bool is_ended = false;
        int rc = gunzip_step(z, sink, &is_ended, err);
        if (rc < 0) {
            return rc;
        }
        if (is_ended && z->avail_in == 0) {
            return 0;
        }
        if (is_ended && inflateReset(z) != Z_OK) {
            return wr_fail(err, WEIR_E_NOMEM, "gzip");
        }
    }
}

static int gunzip(struct wr_bytes in, struct sink *sink, struct weir_error *err)
{
    z_stream z = {0};
    if (inflateInit2(&z, GZIP_WINDOW_BITS) != Z_OK) {
        return wr_fail(err, WEIR_E_NOMEM, "gzip");
    }
    z.next_in = in.ptr;
    z.avail_in = (uInt)in.len;
    int rc = gunzip_members(&z, sink, err);
    (void)inflateEnd(&z);
    return rc;
}

static int gzip_into(z_stream *z, struct wr_bytes in, struct wr_writer *out, struct weir_error *err)
{
    size_t bound = deflateBound(z, in.len);
    uint8_t *p = wr_writer_room(out, bound);
    if (p == NULL) {
        return wr_writer_end(out, err);
    }
    WR_ASSERT(bound <= UINT_MAX);
    z->next_in = in.ptr;
    z->avail_in = (uInt)in.len;
    z->next_out = p;
    z->avail_out = (uInt)bound;
    int zrc = deflate(z, Z_FINISH);
    WR_ASSERT(zrc == Z_STREAM_END); /* deflateBound's promise */
    wr_writer_advance(out, bound - z->avail_out);
    return 0;
}

static int gzip(struct wr_bytes in, struct wr_writer *out, struct weir_error *err)
{
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS, GZIP_MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        return wr_fail(err, WEIR_E_NOMEM, "gzip");
    }
    int rc = gzip_into(&z, in, out, err);
    (void)deflateEnd(&z);
    return rc;
}

/* ---- snappy ----------------------------------------------------------------------------------------- */

/* snappy-c.h speaks of char. */
static const char *chars(struct wr_bytes b)
{
    return wr_str_of_bytes(b).ptr;
}

/* The block's announced length is checked before it sizes anything (CVE-2023-34455). */
static int unsnappy_block(struct wr_bytes block, struct sink *sink, struct weir_error *err)
{
    size_t len = 0;
    if (snappy_uncompressed_length(chars(block), block.len, &len) != SNAPPY_OK) {
        return wr_fail(err, WEIR_E_CORRUPT, "snappy block has no valid length");
    }
    if (len > sink->left) {
        return too_much(err);
    }
    uint8_t *p = wr_writer_room(sink->out, len);
    if (p == NULL) {
        return wr_writer_end(sink->out, err);
    }
    if (snappy_uncompress(chars(block), block.len, (char *)p, &len) != SNAPPY_OK) {
        return wr_fail(err, WEIR_E_CORRUPT, "snappy block is not valid");
    }
    return sink_took(sink, len, err);
}

static bool is_xerial(struct wr_bytes in)
{
    return in.len >= sizeof(xerial_magic) &&
           memcmp(in.ptr, xerial_magic, sizeof(xerial_magic)) == 0;
}

/* The two version words are not looked at: some writers put them in little endian. */
static int unsnappy_xerial(struct wr_bytes in, struct sink *sink, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(in);
    (void)wr_read_bytes(&r, sizeof(xerial_magic), "snappy magic");
    (void)wr_read_u32(&r, "snappy version");
    (void)wr_read_u32(&r, "snappy compatible version");
    while (wr_reader_left(&r) > 0) {
        uint32_t len = wr_read_u32(&r, "snappy block length");
        struct wr_bytes block = wr_read_bytes(&r, len, "snappy block");
        int rc = wr_reader_ok(&r, err);
        if (rc == 0) {
            rc = unsnappy_block(block, sink, err);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return wr_reader_end(&r, err);
}

static int unsnappy(struct wr_bytes in, struct sink *sink, struct weir_error *err)
{
    return is_xerial(in) ? unsnappy_xerial(in, sink, err) : unsnappy_block(in, sink, err);
}

static int snappy_one_block(struct wr_bytes in, struct wr_writer *out, struct weir_error *err)
{
    size_t len = snappy_max_compressed_length(in.len);
    size_t length_at = out->len;
    wr_put_u32(out, 0);
    uint8_t *p = wr_writer_room(out, len);
    if (p == NULL) {
        return wr_writer_end(out, err);
    }
    snappy_status status = snappy_compress(chars(in), in.len, (char *)p, &len);
    WR_ASSERT(status == SNAPPY_OK);
    wr_writer_advance(out, len);
    wr_patch_u32(out, length_at, (uint32_t)len);
    return 0;
}

static int snappy_xerial(struct wr_bytes in, struct wr_writer *out, struct weir_error *err)
{
    wr_put_bytes(out, (struct wr_bytes){xerial_magic, sizeof(xerial_magic)});
    wr_put_u32(out, XERIAL_VERSION);
    wr_put_u32(out, XERIAL_VERSION);
    struct wr_reader r = wr_reader_of(in);
    while (wr_reader_left(&r) > 0) {
        size_t left = wr_reader_left(&r);
        size_t len = left < XERIAL_BLOCK_BYTES ? left : XERIAL_BLOCK_BYTES;
        int rc = snappy_one_block(wr_read_bytes(&r, len, "block"), out, err);
        if (rc < 0) {
            return rc;
        }
    }
    return wr_writer_end(out, err);
}

/* ---- lz4 -------------------------------------------------------------------------------------------- */

static int unlz4_frames(LZ4F_dctx *ctx, struct wr_bytes in, struct sink *sink,
                        struct weir_error *err)
{
    size_t hint = 1; /* 0 after the last byte of a frame */
    size_t pos = 0;
    for (;;) {
        struct room room = {0};
        int rc = sink_room(sink, &room, err);
        if (rc < 0) {
            return rc;
        }
        size_t took = in.len - pos;
        size_t gave = room.len;
        hint = LZ4F_decompress(ctx, room.ptr, &gave, in.ptr + pos, &took, NULL);
        if (LZ4F_isError(hint)) {
            return wr_fail(err, WEIR_E_CORRUPT, "lz4 data is not valid: %s",
                           LZ4F_getErrorName(hint));
        }
        rc = sink_took(sink, gave, err);
        if (rc < 0) {
            return rc;
        }
        pos += took;
        if (hint == 0 && pos == in.len) {
            return 0;
        }
        if (took == 0 && gave == 0) {
            return cut_short("lz4", err);
        }
    }
}

static int unlz4(struct wr_bytes in, struct sink *sink, struct weir_error *err)
{
    LZ4F_dctx *ctx = NULL;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION))) {
        return wr_fail(err, WEIR_E_NOMEM, "lz4");
    }
    int rc = unlz4_frames(ctx, in, sink, err);
    (void)LZ4F_freeDecompressionContext(ctx);
    return rc;
}

/* Java's reader refuses blocks that depend on the one before. */
static int lz4(struct wr_bytes in, struct wr_writer *out, struct weir_error *err)
{
    LZ4F_preferences_t prefs = {0};
    prefs.frameInfo.blockSizeID = LZ4F_max64KB;
    prefs.frameInfo.blockMode = LZ4F_blockIndependent;
    size_t bound = LZ4F_compressFrameBound(in.len, &prefs);
    uint8_t *p = wr_writer_room(out, bound);
    if (p == NULL) {
        return wr_writer_end(out, err);
    }
    size_t len = LZ4F_compressFrame(p, bound, in.ptr, in.len, &prefs);
    if (LZ4F_isError(len)) { /* the bound holds, so memory is all that can lack */
        return wr_fail(err, WEIR_E_NOMEM, "lz4: %s", LZ4F_getErrorName(len));
    }
    wr_writer_advance(out, len);
    return 0;
}

/* ---- zstd ------------------------------------------------------------------------------------------- */

static int unzstd_frames(ZSTD_DCtx *ctx, struct wr_bytes in, struct sink *sink,
                         struct weir_error *err)
{
    ZSTD_inBuffer src = {.src = in.ptr, .size = in.len};
    for (;;) {
        struct room room = {0};
        int rc = sink_room(sink, &room, err);
        if (rc < 0) {
            return rc;
        }
        ZSTD_outBuffer dst = {.dst = room.ptr, .size = room.len};
        size_t pos = src.pos;
        size_t hint = ZSTD_decompressStream(ctx, &dst, &src); /* 0: a frame is complete */
        if (ZSTD_isError(hint)) {
            return wr_fail(err, WEIR_E_CORRUPT, "zstd data is not valid: %s",
                           ZSTD_getErrorName(hint));
        }
        rc = sink_took(sink, dst.pos, err);
        if (rc < 0) {
            return rc;
        }
        if (hint == 0 && src.pos == src.size) {
            return 0;
        }
        if (src.pos == pos && dst.pos == 0) {
            return cut_short("zstd", err);
        }
    }
}

static int unzstd(struct wr_bytes in, struct sink *sink, struct weir_error *err)
{
    ZSTD_DCtx *ctx = ZSTD_createDCtx();
    if (ctx == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "zstd");
    }
    int rc = unzstd_frames(ctx, in, sink, err);
    (void)ZSTD_freeDCtx(ctx);
    return rc;
}

/* In one call, so that the frame carries its content size, which some readers need. */
static int zstd(struct wr_bytes in, struct wr_writer *out, struct weir_error *err)
{
    size_t bound = ZSTD_compressBound(in.len);
    uint8_t *p = wr_writer_room(out, bound);
    if (p == NULL) {
        return wr_writer_end(out, err);
    }
    size_t len = ZSTD_compress(p, bound, in.ptr, in.len, ZSTD_LEVEL);
    if (ZSTD_isError(len)) {
        return wr_fail(err, WEIR_E_NOMEM, "zstd: %s", ZSTD_getErrorName(len));
    }
    wr_writer_advance(out, len);
    return 0;
}

/* ---- all ---------------------------------------------------------------------------------------------- */

int wr_compress(enum wr_codec codec, struct wr_bytes in, struct wr_writer *out,
                struct weir_error *err)
{
    WR_ASSERT(in.len <= INT32_MAX);
    switch (codec) {
    case WR_CODEC_NONE: wr_put_bytes(out, in); return wr_writer_end(out, err);
    case WR_CODEC_GZIP: return gzip(in, out, err);
    case WR_CODEC_SNAPPY: return snappy_xerial(in, out, err);
    case WR_CODEC_LZ4: return lz4(in, out, err);
    case WR_CODEC_ZSTD: return zstd(in, out, err);
    }
    return wr_fail(err, WEIR_E_INPUT, "codec %u", (unsigned)codec);
}

static int copy(struct wr_bytes in, struct sink *sink, struct weir_error *err)
{
    if (in.len > sink->left) {
        return too_much(err);
    }
    wr_put_bytes(sink->out, in);
    return wr_writer_end(sink->out, err);
}

int wr_decompress(enum wr_codec codec, struct wr_bytes in, size_t output_max, struct wr_writer *out,
                  struct weir_error *err)
{
    WR_ASSERT(in.len <= INT32_MAX);
    struct sink sink = sink_of(in, output_max, out);
    switch (codec) {
    case WR_CODEC_NONE: return copy(in, &sink, err);
    case WR_CODEC_GZIP: return gunzip(in, &sink, err);
    case WR_CODEC_SNAPPY: return unsnappy(in, &sink, err);
    case WR_CODEC_LZ4: return unlz4(in, &sink, err);
    case WR_CODEC_ZSTD: return unzstd(in, &sink, err);
    }
    return wr_fail(err, WEIR_E_CORRUPT, "codec %u", (unsigned)codec);
}
