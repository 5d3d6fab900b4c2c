/*
 * examine.h - what a segment file is made of: whole batches in their place, and what is not.
 *
 * One account for verify, which tells it, and for repair, which acts on it:
 *
 *     BATCH    a whole batch that follows on, its records valid too
 *     OFFSET   a whole batch whose base offset is wrong, or its leader epoch: both lie outside the CRC. What
 *              they must be is known, for the batch behind follows on from that.
 *     HOLE     offsets that no whole batch has; and bytes, if any, that should have held them
 *     SURPLUS  a whole batch that has no place: its offsets are taken, or beyond what a segment may have
 *
 * The pieces come in the order of the file and cover all of it; their offsets cover all from the first to
 * the last. Thread: one at a time. Blocks on disk.
 */
#ifndef WR_EMBEDDED_EXAMINE_H
#define WR_EMBEDDED_EXAMINE_H

#include "base/vfs.h"
#include "data/batch.h"

enum wr_piece_kind {
    WR_PIECE_BATCH,
    WR_PIECE_OFFSET,
    WR_PIECE_HOLE,
    WR_PIECE_SURPLUS
};

enum {
    WR_PIECE_WHY_BYTES = 200
};

struct wr_piece {
    enum wr_piece_kind kind;
    uint64_t at; /* in the file */
    uint64_t bytes;
    int64_t first_offset; /* as it must be; SURPLUS: as it stands there */
    int64_t next_offset;
    int32_t leader_epoch; /* as it must be */
    bool has_header;
    struct wr_batch_header header; /* as it stands there; a HOLE's only with has_header */
    bool is_marker;
    struct wr_marker marker;
    char why[WR_PIECE_WHY_BYTES]; /* all but BATCH: what is wrong */
};

/* From `start_offset` on, batches bear `epoch`: a line of leader-epoch-checkpoint. */
struct wr_epoch_start {
    int32_t epoch;
    int64_t start_offset;
};

struct wr_examination {
    struct wr_file *file; /* borrowed */
    uint64_t size_bytes;  /* what lies behind is not looked at */
    int64_t base_offset;  /* of the segment */
    int64_t end_offset;   /* behind its last record; -1: not known */
    const struct wr_epoch_start
        *epochs; /* borrowed, ascending, complete; batches before the first are
                                            taken as they are */
    size_t epoch_count;
    struct wr_batch_iter *iter; /* borrowed, to look at records with */
    int (*each)(void *arg, const struct wr_piece *piece, struct weir_error *err);
    void (*progress)(void *arg, uint64_t at); /* may be NULL */
    void *arg;
};

/* Give each piece. A non-zero result of `each` ends it and is returned.
 * Returns 0, or WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_examine(const struct wr_examination *examination, struct weir_error *err);

/* Write the segment anew to `out`, an empty file, as its pieces say: whole batches, with the offset and
 * epoch that they must have, and an empty batch over each hole. Not synced. The callback is not called.
 *   size_bytes  out
 * WEIR_E_IO, WEIR_E_FULL, WEIR_E_NOMEM. */
WR_MUST_USE int wr_examine_mend(const struct wr_examination *examination, struct wr_file *out,
                                uint64_t *size_bytes, struct weir_error *err);

#endif
