/*
 * recovery.h - opening a folder: what counts is brought together from checkpoint, catalog, journal and
 * segments, and what does not count is cut.
 *
 *     catalog and checkpoint ─▶ topics and partitions as they were
 *     journal from there on  ─▶ batches written to their segments again, topics made and deleted again
 *     segments               ─▶ what they hold beyond that is cut (it was never durable)
 *     a new generation, a new leader epoch unless the stop was clean; a checkpoint of all that
 *
 * Every step may be done again from the start after a crash in the middle; after the last one the journal
 * is empty, so that a second start finds nothing to do.
 *
 * Readers do not wait for that checkpoint when the whole journal was there: it is synced before it is read,
 * and read from the disk, so what they see is durable, and a crash brings it back. The first round waits:
 * an entry may not be written before both checkpoint files bear its generation.
 *
 * When the checkpoint is lost, the segments are read whole; when the catalog is, the folders tell what
 * topics there are. Both are slow and loud.
 */
#ifndef WR_EMBEDDED_RECOVERY_H
#define WR_EMBEDDED_RECOVERY_H

#include "base/arena.h"
#include "log/embedded/checkpoint.h"
#include "log/embedded/state.h"

struct wr_recovery {
    struct wr_embedded *e;
    struct wr_checkpoint_head head;
    bool has_checkpoint;
    bool has_catalog;
    bool is_new; /* nothing is there at all */
    uint64_t catalog_sequence;
    struct wr_topic_id *deleted; /* by entries of the journal */
    size_t deleted_count;
    size_t deleted_cap;
    struct wr_replay_start {
        struct wr_topic_id topic;
        uint32_t partition;
        int64_t offset;
    } * starts; /* to which entries of the journal move the log start */
    size_t start_count;
    size_t start_cap;
    struct wr_journal_end end;
    uint64_t
        lost_sequence; /* last entry of damage in the journal that does not say what it was; 0: none */
    int32_t epoch_seen;    /* highest leader epoch in any batch */
    int64_t producer_seen; /* highest producer id */
    uint32_t repairs;
    uint64_t cut_bytes;
};

/* Bring everything into memory and the segments in order, and open the journal of a new generation; the
 * first checkpoint is done, or asked of the keeper (wr_checkpoint_first()). Single-threaded. Blocks on disk.
 * Returns 0, WEIR_E_CORRUPT (not a log that this program reads), WEIR_E_FULL (what the journal holds does not
 * fit into the segments, or a new log into the disk), WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_recover(struct wr_embedded *e, struct weir_error *err);

/* ---- replay.c ----------------------------------------------------------------------------------------- */

/* Replay the journal from the checkpoint's start on. */
WR_MUST_USE int wr_replay(struct wr_recovery *rec, struct weir_error *err);

/* Make sure that the folder of a partition is there, and says whose it is; what it holds is left alone. */
WR_MUST_USE int wr_replay_home(struct wr_embedded *e, struct wr_partition *p,
                               struct weir_error *err);

/* Make sure that folder and first segment of a partition are there; what they hold is left alone. */
WR_MUST_USE int wr_replay_folder(struct wr_embedded *e, struct wr_partition *p,
                                 struct weir_error *err);

/* The batches in the bytes from .. to of the active segment's file count: publish them, as far as they are
 * valid and follow on. `reached` out: where they end. */
WR_MUST_USE int wr_replay_scan(struct wr_recovery *rec, struct wr_partition *p, uint64_t from,
                               uint64_t to, uint64_t *reached, struct weir_error *err);

/* Go on with a new segment at `base`. */
WR_MUST_USE int wr_replay_roll(struct wr_recovery *rec, struct wr_partition *p, int64_t base,
                               struct weir_error *err);

/* ---- rebuild.c ---------------------------------------------------------------------------------------- */

/* The catalog is lost: find the topics by their folders. */
WR_MUST_USE int wr_rebuild_topics(struct wr_recovery *rec, struct weir_error *err);

/* The checkpoint is lost: read every segment of every partition. */
WR_MUST_USE int wr_rebuild_partitions(struct wr_recovery *rec, struct weir_error *err);

#endif
