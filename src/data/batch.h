/*
 * batch.h - Kafka's record batch v2: the one format from wire to disk (KIP-98, KIP-534).
 *
 *      0 base offset      i64   outside the CRC      27 base timestamp   i64  first record's, or the
 *      8 length           i32   bytes after it                                delete horizon (bit 6)
 *     12 leader epoch     i32   outside the CRC      35 max timestamp    i64
 *     16 magic            i8    2                    43 producer id      i64  -1: none
 *     17 CRC-32C          u32   of all from 21 on    51 producer epoch   i16
 *     21 attributes       i16                        53 base sequence    i32  -1: none
 *     23 last offset delta i32                       57 record count     i32
 *                                                    61 records, compressed together or not
 *
 * record = varint length of what follows · i8 0 · varlong timestamp delta · varint offset delta ·
 *          varint key length (-1: null) · key · varint value length (-1: null) · value ·
 *          varint header count · headers (varint name length · name · varint length, -1: null · value)
 *
 * Three things: struct wr_batch, a view of a batch whose header was checked; the builder, which makes
 * one; the iterator, which reads the records of one. Times are milliseconds since 1970, -1 for none.
 *
 * Errors on bytes from outside are WEIR_E_CORRUPT and name the field; the caller knows topic,
 * partition and place, and wraps. Thread: one at a time for each object.
 */
#ifndef WR_BATCH_H
#define WR_BATCH_H

#include "base/arena.h"
#include "base/writer.h"
#include "data/compress.h"
#include "data/record.h"

enum {
    WR_BATCH_HEADER_BYTES = 61,
    WR_BATCH_MARKER_BYTES = 78, /* a commit or abort marker, whole */
    WR_BATCH_LENGTH_AT = 12,    /* the length field counts what is behind this byte */
    WR_BATCH_CRC_FROM = 21      /* the CRC covers all from here on */
};

enum wr_batch_attributes {
    WR_BATCH_CODEC_MASK = 0x07,
    WR_BATCH_APPEND_TIME = 0x08, /* every record's time is the max timestamp */
    WR_BATCH_TRANSACTIONAL = 0x10,
    WR_BATCH_CONTROL = 0x20,
    WR_BATCH_DELETE_HORIZON = 0x40 /* the base timestamp is when markers and tombstones may go */
};

struct wr_batch_header {
    int64_t base_offset;
    int32_t leader_epoch; /* -1: none */
    uint32_t size_bytes;  /* of the whole batch, header included */
    uint32_t crc;
    uint16_t attributes; /* enum wr_batch_attributes; other bits are kept as they are */
    int32_t last_offset_delta;
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    int64_t producer_id; /* -1: none */
    int16_t producer_epoch;
    int32_t base_sequence; /* -1: none */
    uint32_t record_count; /* 0 is legal: compaction keeps such batches for their sequence */
};

/* A whole batch in memory: borrowed bytes, size_bytes of them, and its header. */
struct wr_batch {
    struct wr_batch_header header;
    struct wr_bytes bytes;
};

/* How its records are compressed. */
static inline enum wr_codec wr_batch_codec(const struct wr_batch_header *header)
{
    return (enum wr_codec)(header->attributes & WR_BATCH_CODEC_MASK);
}

/* The offset of its last record, and the offset behind it. */
static inline int64_t wr_batch_last_offset(const struct wr_batch_header *header)
{
    return header->base_offset + header->last_offset_delta;
}

static inline int64_t wr_batch_next_offset(const struct wr_batch_header *header)
{
    return wr_batch_last_offset(header) + 1;
}

/* ---- header --------------------------------------------------------------------------------------- */

/* Read a header from the first 61 bytes of `in`; more may follow, and the rest of the batch need not be
 * there. Checks all that a header alone can tell: magic, codec, lengths and counts against each other,
 * offsets in range. Not the CRC.
 * Returns 0, or WEIR_E_CORRUPT with `out` untouched. */
WR_MUST_USE int wr_batch_header_decode(struct wr_bytes in, struct wr_batch_header *out,
                                       struct weir_error *err);

/* Write a header into the 61 bytes at `out`, its `crc` as it stands. */
void wr_batch_header_encode(const struct wr_batch_header *header, uint8_t *out);

/* View the batch at the start of `in`, of which bytes behind it may be more. `out` borrows from `in`.
 * WEIR_E_CORRUPT when the header is not valid or `in` ends before the batch. Not the CRC. */
WR_MUST_USE int wr_batch_of(struct wr_bytes in, struct wr_batch *out, struct weir_error *err);

/* Does the CRC fit? 0 or WEIR_E_CORRUPT. */
WR_MUST_USE int wr_batch_check_crc(const struct wr_batch *batch, struct weir_error *err);

/* Change what lies outside the CRC, in place. `batch`: at least a header. */
void wr_batch_patch_offset(uint8_t *batch, int64_t base_offset);
void wr_batch_patch_epoch(uint8_t *batch, int32_t leader_epoch);

/* Change what lies inside the CRC of a whole batch, in place, and write the new CRC: the greatest
 * timestamp (for one that lies), or the time of append, which then is every record's time. */
void wr_batch_patch_max_timestamp(uint8_t *batch, size_t size_bytes, int64_t max_timestamp_ms);
void wr_batch_patch_append_time(uint8_t *batch, size_t size_bytes, int64_t append_time_ms);

/* Write into the 61 bytes at `out` a batch without records that covers the `count` offsets from
 * `base_offset` on (1 … INT32_MAX): what compaction leaves where all records are gone, and readers pass
 * over. */
void wr_batch_put_empty(uint8_t *out, int64_t base_offset, int64_t count, int32_t leader_epoch);

/* ---- builder -------------------------------------------------------------------------------------- */

/* Records of one partition on their way to become a batch. May be moved with WR_MOVE. */
struct wr_batch_builder {
    struct wr_writer plain;  /* room for a header, then the records */
    struct wr_writer packed; /* a compressed batch */
    int64_t base_timestamp_ms;
    int64_t max_timestamp_ms;
    uint32_t record_count;
};

/* What the header says beside the records. */
struct wr_batch_stamp {
    enum wr_codec codec;
    int64_t base_offset;
    int32_t leader_epoch;
    int64_t producer_id; /* -1: none, then the two below are -1 as well */
    int16_t producer_epoch;
    int32_t base_sequence;
    bool is_transactional;
    int64_t append_time_ms; /* -1: the records keep their own times */
};

/* No codec, offset 0, epoch -1, no producer, not transactional, the records' own times. */
struct wr_batch_stamp wr_batch_stamp_plain(void);

/* An empty builder of batches of at most `size_max` bytes (header included; 61 … INT32_MAX). Cannot
 * fail; allocates when used. */
struct wr_batch_builder wr_batch_builder_of(size_t size_max);

/* Free what it owns. Takes a zeroed one. */
void wr_batch_builder_fini(struct wr_batch_builder *builder);

/* Back to empty; keeps the memory. */
void wr_batch_builder_reset(struct wr_batch_builder *builder);

/* Add a record. Its offset is the base offset plus the number of those before it.
 *   record        copied; its own timestamp_ms is not looked at
 *   timestamp_ms  the time to write
 * Returns 0, or, with nothing added,
 *   WEIR_E_LIMIT  the batch would be over its `size_max`, or has 2^31 - 1 records
 *   WEIR_E_NOMEM */
WR_MUST_USE int wr_batch_append(struct wr_batch_builder *builder, const struct wr_record *record,
                                int64_t timestamp_ms, struct weir_error *err);

/* Bytes of the batch as it is now, uncompressed, header included. */
size_t wr_batch_builder_size(const struct wr_batch_builder *builder);

/* Make the batch. May be called again with another stamp.
 *   out  the batch; borrowed until the next call on the builder that changes it, and writable through
 *        wr_batch_patch_offset() and _epoch() by way of wr_batch_builder_bytes()
 * Returns 0, or WEIR_E_LIMIT (compressed it is over `size_max`), WEIR_E_NOMEM; the records stay. */
WR_MUST_USE int wr_batch_build(struct wr_batch_builder *builder, const struct wr_batch_stamp *stamp,
                               struct wr_bytes *out, struct weir_error *err);

/* The batch last built, to be patched. Borrowed as `out` above. */
uint8_t *wr_batch_builder_bytes(struct wr_batch_builder *builder);

/* ---- control batches -------------------------------------------------------------------------------- */

enum wr_marker_type {
    WR_MARKER_ABORT = 0,
    WR_MARKER_COMMIT = 1
};

/* The end of a transaction in a partition: one record that takes one offset and that no client sees. */
struct wr_marker {
    enum wr_marker_type type;
    int64_t base_offset;
    int32_t leader_epoch;
    int64_t producer_id;
    int16_t producer_epoch;
    int32_t coordinator_epoch;
    int64_t timestamp_ms;
};

/* Append a marker's batch, WR_BATCH_MARKER_BYTES of them, to `out`. */
void wr_marker_put(struct wr_writer *out, const struct wr_marker *marker);

/* Read the marker in a control batch.
 * Returns 0; WEIR_E_UNSUPPORTED with `out` untouched for a control record of another type (a KRaft one);
 * WEIR_E_CORRUPT when it is not a control batch or not a valid one. */
WR_MUST_USE int wr_marker_decode(const struct wr_batch *batch, struct wr_marker *out,
                                 struct weir_error *err);

/* ---- iterator --------------------------------------------------------------------------------------- */

/* How much a compressed batch may become: at most `output_max` bytes, and at most `ratio_max` times its
 * compressed size, but `output_free` bytes in any case. */
struct wr_batch_limits {
    size_t output_max;
    size_t output_free;
    size_t ratio_max;
};

/* 256 MiB, 4 MiB, 2048. */
struct wr_batch_limits wr_batch_limits_default(void);

struct wr_batch_iter {
    struct wr_batch_limits limits;
    struct wr_arena
        *arena; /* borrowed, for header arrays; NULL: headers are checked but not given */
    struct wr_writer unpacked; /* decompressed records of the current batch */
    struct wr_batch_header header;
    struct wr_bytes records; /* not compressed any more */
    size_t pos;              /* of the next record in it */
    uint32_t done;           /* records given */
    int32_t last_delta;      /* of the last record given; -1 before the first */
};

/* An iterator without a batch. `arena` is borrowed as long as the iterator; may be NULL. Cannot fail. */
struct wr_batch_iter wr_batch_iter_of(const struct wr_batch_limits *limits, struct wr_arena *arena);

/* Free what it owns (not the arena). Takes a zeroed one. */
void wr_batch_iter_fini(struct wr_batch_iter *iter);

/* Go to the start of `batch`, whose bytes stay borrowed; decompresses it. What was given from the former
 * batch is gone if that was compressed. Does not check the CRC.
 * Returns 0, or WEIR_E_CORRUPT, WEIR_E_LIMIT (over the limits), WEIR_E_NOMEM. */
WR_MUST_USE int wr_batch_iter_begin(struct wr_batch_iter *iter, const struct wr_batch *batch,
                                    struct weir_error *err);

/* Take the next record. Its slices are borrowed from the batch, or, if that is compressed, from the
 * iterator until its next begin; its header array from the arena until that is reset.
 * Returns 1; 0 at the end, when count and bytes were used up exactly; or WEIR_E_CORRUPT, WEIR_E_LIMIT
 * (more headers than the arena holds). After a failure only begin or fini may follow. */
WR_MUST_USE int wr_batch_iter_next(struct wr_batch_iter *iter, int64_t *offset,
                                   struct wr_record *record, struct weir_error *err);

/* Check everything: CRC and each record. `iter` is used and left without a batch; no headers are stored.
 *   max_timestamp_ms  out, may be NULL: the true greatest timestamp, -1 for no record; the header's may
 *                     differ, which is no damage
 * Returns 0, or as wr_batch_iter_begin(). */
WR_MUST_USE int wr_batch_verify(const struct wr_batch *batch, struct wr_batch_iter *iter,
                                int64_t *max_timestamp_ms, struct weir_error *err);

#endif
