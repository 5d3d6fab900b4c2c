/*
 * commit.h - a commit on its way: filled by a writer, queued, given its place by a round, answered.
 *
 *     writer fills ─▶ queue ─▶ round: admitted, journaled, written, published ─▶ answered ─▶ spare
 *                       ▲                │ no room on the disk
 *                       └── retry ◀── held by its writer
 *
 * A commit belongs to one place at a time: to its writer's thread while it is filled and after its answer
 * was taken, to the round in between.
 */
#ifndef WR_EMBEDDED_COMMIT_H
#define WR_EMBEDDED_COMMIT_H

#include "log/embedded/index.h"
#include "log/embedded/state.h"

/* What a commit does to one partition, or one topic. */
struct wr_commit_part {
    enum wr_journal_kind kind;       /* BATCHES becomes PLACED when it is large */
    struct wr_topic_state *topic;    /* a reference is held */
    struct wr_partition *partition;  /* NULL: TOPIC, DELETE */
    struct wr_batch_builder builder; /* the batch that is being filled */
    struct wr_writer batches;        /* those before it, and the description of a topic */
    size_t bytes;                    /* of both */
    uint32_t record_count;           /* that readers may see */
    uint32_t sequence_count;         /* records in `batches`, for the sequence of the next */
    bool has_marker;                 /* `batches` begins with the end of a transaction */
    bool must_roll;                  /* begins a new segment */
    bool is_at_next;                 /* START: to where the commit itself begins */

    uint8_t *data; /* when sealed: all batches, to be patched */
    size_t len;
    int64_t base_offset; /* START, ROLL: given; else by the round */
    int64_t next_offset;
    struct wr_segment *segment;
    uint32_t position;
    struct wr_batch_note *notes; /* one a batch */
    size_t note_count;
    size_t note_cap;
};

struct wr_commit {
    struct wr_commit *next;
    struct wr_embedded_writer *writer; /* NULL: the engine's own */
    uint64_t number;
    unsigned flags;    /* enum wr_commit_flags */
    bool is_end;       /* ends the writer's marked transaction */
    bool is_abort;     /* taken alone; the round fills in abort markers for what is open of … */
    bool is_abort_all; /* … every producer below `abort_producer`, or that one (-1: none) */
    bool is_detached;  /* nobody waits: freed when done, tried again while the disk is full */
    int64_t abort_producer;
    struct wr_commit_part *parts; /* part_cap of them are initialised or zero */
    size_t part_count;
    size_t part_cap;
    size_t bytes;         /* of batches, as encoded so far */
    size_t payload_bytes; /* of keys, values and headers */
    size_t record_count;
    uint32_t *slots; /* hash of partition → index + 1, for finding a part */
    size_t slot_count;
    uint64_t sequence; /* of its journal entry */

    bool is_done; /* L: of the engine's own */
    enum wr_outcome outcome;
    struct weir_error err;
    struct wr_log_written *written;
    size_t written_count;
    size_t written_cap;
    int64_t try_again_ms; /* L: detached, waiting for room: monotonic */
};

/* An empty commit. Owned by the caller: wr_commit_free(). NULL when out of memory. */
struct wr_commit *wr_commit_new(struct wr_embedded_writer *writer);

/* Drop what it holds, for the next use; large buffers are given back. */
void wr_commit_reset(struct wr_commit *commit);

/* Drop the parts only. */
void wr_commit_drop_parts(struct wr_commit *commit);

/* Free one, or a list by `next`. Takes NULL. */
void wr_commit_free(struct wr_commit *commit);
void wr_commit_free_list(struct wr_commit *commit);

/* The part for this partition, made when it is not there. Takes a reference on the topic. Borrowed until
 * the commit is reset. NULL when out of memory. `batch_bytes_max` bounds a batch. */
struct wr_commit_part *wr_commit_part(struct wr_commit *commit, struct wr_topic_state *topic,
                                      uint32_t partition, size_t batch_bytes_max);

/* A part of the engine's own kinds, behind all others. Takes a reference. NULL when out of memory. */
struct wr_commit_part *wr_commit_other(struct wr_commit *commit, enum wr_journal_kind kind,
                                       struct wr_topic_state *topic, uint32_t partition);

/* Close the batch being filled in a part and put it behind those before it. `stamp` but for the base
 * sequence. WEIR_E_NOMEM, WEIR_E_LIMIT: nothing is lost. */
WR_MUST_USE int wr_commit_close_batch(struct wr_commit_part *part,
                                      const struct wr_batch_stamp *stamp, struct weir_error *err);

/* Hand over to the engine; wakes it. The second with L held. */
void wr_commit_push(struct wr_embedded *e, struct wr_commit *commit);
void wr_commit_push_locked(struct wr_embedded *e, struct wr_commit *commit);

/* The same without the wake. Returns whether the caller is to signal e->work, best after letting go of L: whoever
 * is woken first takes it. L. */
WR_MUST_USE bool wr_commit_enqueue(struct wr_embedded *e, struct wr_commit *commit);

/* Hand over one of the engine's own, which is taken, and wait until it is done; drives the steps when
 * there are no threads. Returns 0 or what kept it from being done. Blocks on disk. */
WR_MUST_USE int wr_commit_run(struct wr_embedded *e, struct wr_commit *commit,
                              struct weir_error *err);

#endif
