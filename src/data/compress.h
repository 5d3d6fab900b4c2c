/*
 * compress.h - Kafka's four compressions, over whole buffers.
 *
 *   codec    what is read                                     what is written
 *   gzip     members one after the other                      one member
 *   snappy   xerial stream, or one raw block                  xerial, blocks of 32 KiB
 *   lz4      LZ4 frames of any kind                           one frame, independent blocks of 64 KiB
 *   zstd     frames, with or without their content size       one frame with content size
 *
 * What is read is never trusted: output is bounded by the caller, and no length that the input
 * announces sizes memory before it is checked against that bound.
 *
 * Thread: any; nothing is shared between calls.
 */
#ifndef WR_COMPRESS_H
#define WR_COMPRESS_H

#include "base/writer.h"

/* Kafka's numbers (bits 0-2 of a batch's attributes). */
enum wr_codec {
    WR_CODEC_NONE = 0,
    WR_CODEC_GZIP = 1,
    WR_CODEC_SNAPPY = 2,
    WR_CODEC_LZ4 = 3,
    WR_CODEC_ZSTD = 4
};

enum {
    WR_CODEC_COUNT = 5
};

/* Kafka's name of a codec ("none", "gzip", …), static; "unknown" for any other number. */
const char *wr_codec_name(enum wr_codec codec);

/* Append `in`, compressed, to `out` (for NONE: as it is).
 * Returns 0, or WEIR_E_LIMIT when `out` may not grow as far, or WEIR_E_NOMEM. */
WR_MUST_USE int wr_compress(enum wr_codec codec, struct wr_bytes in, struct wr_writer *out,
                            struct weir_error *err);

/* Append `in`, decompressed, to `out`, at most `output_max` bytes. On failure `out` may hold a part.
 * Returns 0, or
 *   WEIR_E_CORRUPT  not valid in this codec, or cut short, or with bytes behind its end
 *   WEIR_E_LIMIT    more than `output_max` bytes would come out, or more than `out` may hold
 *   WEIR_E_NOMEM */
WR_MUST_USE int wr_decompress(enum wr_codec codec, struct wr_bytes in, size_t output_max,
                              struct wr_writer *out, struct weir_error *err);

#endif
