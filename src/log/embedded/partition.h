/*
 * partition.h - what a batch does to a partition once it counts: the same when a round is published and
 * when recovery replays it.
 */
#ifndef WR_EMBEDDED_PARTITION_H
#define WR_EMBEDDED_PARTITION_H

#include "log/embedded/index.h"
#include "log/embedded/state.h"

/* Read what the rest needs to know of the batch at the start of `bytes`. Its header and, for a control
 * batch, its marker are checked. WEIR_E_CORRUPT. */
WR_MUST_USE int wr_batch_note_of(struct wr_bytes bytes, uint64_t position,
                                 struct wr_batch_note *out, struct weir_error *err);

/* Make room for what the note, behind `before` others, may add, so that publishing it cannot fail. L.
 * WEIR_E_NOMEM. */
WR_MUST_USE int wr_partition_room(struct wr_partition *p, struct wr_segment *seg,
                                  const struct wr_batch_note *note, size_t before,
                                  struct weir_error *err);

/* The batch counts: it is the next of its partition and stands in `seg`, the last in the list. Moves the
 * ends, times and size of the segment; opens or ends transactions; adds index entries; notes a new leader
 * epoch. Does not move the last stable offset: wr_partition_settle() does, when all batches of the round
 * are in. L. */
void wr_partition_publish(struct wr_partition *p, struct wr_segment *seg,
                          const struct wr_batch_note *note);

/* Recompute the last stable offset. L. True when it moved. */
bool wr_partition_settle(struct wr_partition *p);

/* The partition holds a damaged place: it refuses writes from now on. L. */
void wr_partition_damage(struct wr_partition *p, const struct wr_damage *damage);

/* The damage that covers a byte position of a segment, or NULL. L. */
const struct wr_damage *wr_partition_damage_at(const struct wr_partition *p, int64_t segment_base,
                                               uint64_t position);

/* Free what it owns, but not itself. L, or nobody else knows it. */
void wr_partition_fini(struct wr_embedded *e, struct wr_partition *p);

#endif
