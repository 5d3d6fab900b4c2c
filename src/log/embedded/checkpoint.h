/*
 * checkpoint.h - what is durable without the journal, and where the journal goes on.
 *
 * Two files, `checkpoint.0` and `checkpoint.1`, are overwritten in turn, so that one of them is whole
 * whatever happens, and none needs room on a full disk. Of those that are whole the one with the higher
 * count counts.
 *
 *     "WEIRCKPT" · u32 version 1 · u32 length, from the magic to the CRC · u64 count · u8 clean
 *     · u64 generation · i32 leader epoch
 *     · u64 sequence, u32 CRC, u32 file, u64 place      of the next journal entry
 *     · i64 next producer id · i64 time · u32 topics
 *       16 topic id · u32 partitions, for each
 *         i64 log start · i64 end · i32 epoch, i64 its first offset
 *         · the active segment's line (list.h) · u8 quarantined
 *         · u32 open transactions: i64 producer id, i16 epoch, i64 first offset
 *         · u32 damaged places: i64 from, i64 to offset, i64 segment, u64 from, u64 to position
 *     · u32 CRC-32C of all before · zeros to a multiple of 4096, and what an earlier, longer one left
 *
 * A checkpoint syncs the segments as far as they are published at one moment between two rounds, then
 * what describes them, then writes this file. After that the journal's entries before that moment are not
 * needed. A failed sync is as fatal here as in the journal. A full disk is not: what is derived is left
 * out, and what is not, the catalog, keeps the checkpoint from being done, with nothing changed.
 */
#ifndef WR_EMBEDDED_CHECKPOINT_H
#define WR_EMBEDDED_CHECKPOINT_H

#include "log/embedded/state.h"

/* One checkpoint. Takes K. Blocks on disk. Returns 0, WEIR_E_FULL, or WEIR_E_IO when the log has failed. */
WR_MUST_USE int wr_checkpoint_run(struct wr_embedded *e, struct weir_error *err);

/* The first one of a run, written twice, so that both files bear its generation, unless that was done.
 * Takes K. Returns as wr_checkpoint_run(), 1 when it did something. Blocks on disk. */
WR_MUST_USE int wr_checkpoint_first(struct wr_embedded *e, struct weir_error *err);

/* The last one of a run: says that nothing is to be recovered. Nobody else is at work. */
WR_MUST_USE int wr_checkpoint_close(struct wr_embedded *e, struct weir_error *err);

/* Ask for a checkpoint when much of the journal is live for the segments that it has to sync, or half of it, or
 * much was placed since the last one. L. */
void wr_checkpoint_consider(struct wr_embedded *e);

/* Sync the journal, as an interval asks for. A failure is fatal. */
WR_MUST_USE int wr_checkpoint_sync_journal(struct wr_embedded *e, struct weir_error *err);

/* ---- reading -------------------------------------------------------------------------------------------- */

struct wr_checkpoint_head {
    uint64_t count;
    bool was_clean;
    int32_t leader_epoch;
    struct wr_journal_start start;
    int64_t producer_next;
};

struct wr_checkpoint_partition {
    struct wr_topic_id topic;
    uint32_t partition;
    int64_t log_start;
    int64_t end;
    int32_t epoch;
    int64_t epoch_start;
    struct wr_segment_info active;
    bool is_quarantined;
    const struct wr_open_transaction *transactions; /* borrowed during the call */
    size_t transaction_count;
    const struct wr_damage *damages;
    size_t damage_count;
};

/* Read the bytes of a file, which are checked whole first. `each` may be NULL.
 * Returns 0, WEIR_E_CORRUPT (nothing was given), WEIR_E_NOMEM, or what `each` returned. */
WR_MUST_USE int wr_checkpoint_decode(struct wr_bytes file, struct wr_checkpoint_head *out,
                                     int (*each)(void *arg,
                                                 const struct wr_checkpoint_partition *partition,
                                                 struct weir_error *err),
                                     void *arg, struct weir_error *err);

#endif
