/*
 * index.h - the three indexes beside a segment, in Kafka's formats (big-endian, no header):
 *
 *     .index      8 bytes   u32 last offset of a batch - base · u32 position of that batch
 *     .timeindex  12 bytes  i64 greatest time so far · u32 last offset of its batch - base
 *     .txnindex   34 bytes  i16 0 · i64 producer id · i64 first offset · i64 offset of the abort marker
 *                           · i64 last stable offset behind it
 *
 * The first two are derived and never trusted: an entry counts only when the batch it names is there and
 * says the same, and a file that is missing or wrong is made anew from the segment. They are never
 * synced. The third decides what readers see, so its count and CRC are part of what checkpoints record,
 * and it is synced before they do.
 */
#ifndef WR_EMBEDDED_INDEX_H
#define WR_EMBEDDED_INDEX_H

#include "log/embedded/state.h"

enum {
    WR_INDEX_MAKE_MAX =
        64
        << 20 /* bytes of segments read at a time to make indexes: neither checkpoints nor a stop wait
                                    for more */
};

/* ---- written with the active segment ------------------------------------------------------------------- */

/* What an index, or a partition, has to know of a batch. */
struct wr_batch_note {
    struct wr_batch_header header; /* base offset as placed */
    uint64_t position;             /* in the segment */
    bool is_marker;
    enum wr_marker_type marker;
};

/* A batch was published in the active segment: add entries when it is time for one. L. */
void wr_index_note(struct wr_partition *p, const struct wr_segment *seg,
                   const struct wr_batch_note *note);

/* Write out what was added. A failure costs entries, not data: they are dropped. S. Blocks on disk. */
void wr_index_write(struct wr_embedded *e, struct wr_partition *p, struct wr_segment *seg);

/* The segment is full: add the last time entry, as Kafka does, and write all out. S. Blocks on disk. */
void wr_index_seal(struct wr_embedded *e, struct wr_partition *p, struct wr_segment *seg);

/* ---- lookups: any thread, the segment pinned, no lock held; block on disk -------------------------------- */

/* Where to start to look for `offset`: the position of a batch that begins at or before it. Never fails
 * for what stands in the index. `bytes`: how far the segment is published. */
WR_MUST_USE int wr_index_find(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                              int64_t offset, uint64_t *position, struct weir_error *err);

/* As above, for a time: no record before the position has `timestamp_ms` or a later one. */
WR_MUST_USE int wr_index_find_time(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                                   int64_t timestamp_ms, uint64_t *position,
                                   struct weir_error *err);

/* Make .index and .timeindex of a segment that is not written any more. WEIR_E_IO, _FULL, _NOMEM. */
WR_MUST_USE int wr_index_rebuild(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                                 struct weir_error *err);

/* Make those of sealed segments that have no .index though they should: a run that was killed had not written it, and
 * no reader has missed it yet. Reads `*left` bytes of segments at most, and takes off what it read. Returns whether
 * some are left that WR_INDEX_MAKE_MAX bytes would be enough for; larger ones wait for a reader. Any thread, no lock
 * held. Blocks on disk. */
bool wr_index_make_missing(struct wr_embedded *e, struct wr_partition *p, uint64_t *left);

/* ---- .txnindex --------------------------------------------------------------------------------------------- */

/* A transaction was aborted by a marker in this segment. L. There is room (wr_txnindex_room). */
void wr_txnindex_note(struct wr_segment *seg, const struct wr_aborted *aborted);

/* Make room for `count` more. L. False when out of memory. */
bool wr_txnindex_room(struct wr_segment *seg, size_t count);

/* Write what was added and sync it. K. Blocks on disk. */
WR_MUST_USE int wr_txnindex_write(struct wr_embedded *e, struct wr_segment *seg,
                                  struct weir_error *err);

/* All aborted transactions of a segment, owned by the caller (wr_free). The segment is pinned. Makes the
 * file anew from the log when it is missing or wrong. Blocks on disk. */
WR_MUST_USE int wr_txnindex_read(struct wr_embedded *e, struct wr_segment *seg,
                                 struct wr_aborted **out, size_t *count, struct weir_error *err);

#endif
