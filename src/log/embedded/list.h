/*
 * list.h - the file `segments` in a partition's folder: what is known of its sealed segments, so that
 * none of them, and no folder, has to be read to find a place, to serve a time or to apply retention.
 *
 *     "WEIRSEGM" · u32 version 1 · 16 topic id · u32 partition · u32 count
 *     · i64 base, i64 next, u64 bytes, i64 first time, i64 greatest time, i64 offset behind the batch that
 *       has it, u32 aborted transactions, u32 CRC-32C of .txnindex: for each, ascending
 *     · u32 CRC-32C of all before
 *
 * Derived: made anew from the segments when it is missing or wrong. Written at checkpoints.
 */
#ifndef WR_EMBEDDED_LIST_H
#define WR_EMBEDDED_LIST_H

#include "log/embedded/state.h"

enum {
    WR_SEGMENT_INFO_BYTES = 56
};

/* One segment's line, as in the file and in checkpoints. */
void wr_segment_info_put(struct wr_writer *w, const struct wr_segment_info *info);
struct wr_segment_info wr_segment_info_read(struct wr_reader *r);

/* Bring all segments of a partition into memory, if they are not yet. Blocks on disk. WEIR_E_IO,
 * WEIR_E_NOMEM. */
WR_MUST_USE int wr_list_load(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err);

/* Write the file when it lacks something. K. Blocks on disk. */
WR_MUST_USE int wr_list_save(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err);

/* Read the bytes of the file. `out`: owned by the caller (wr_free). WEIR_E_CORRUPT, WEIR_E_NOMEM. */
WR_MUST_USE int wr_list_decode(struct wr_bytes file, struct wr_topic_id topic, uint32_t partition,
                               struct wr_segment_info **out, size_t *count, struct weir_error *err);

#endif
