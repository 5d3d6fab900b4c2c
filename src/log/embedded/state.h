/*
 * state.h - what the engine keeps in memory, and which lock guards what. For the files of this folder.
 *
 *     engine ── topics ── partitions ── segments (the last is the active one)
 *        ├───── journal
 *        ├───── queue of commits ◀── writers          readers ──▶ partitions they wait for
 *
 * Three locks, taken in this order, each before the one below it:
 *     step_lock   one round at a time. Owns "where the next append goes": partition.next, segment.write_at,
 *                 .reserved_to, the index tails, the round under way.
 *     keep_lock   one checkpoint or retention at a time.
 *     lock        everything that others see: topics, ends, segment lists, queues, answers. Never held
 *                 while disk or callbacks are waited for.
 * What a field is guarded by is said where it stands: S, K, L; "fixed" does not change once made.
 *
 * A round assigns offsets under S, writes without `lock`, and publishes all its commits under one hold of
 * L. So what L guards is always between two rounds: a checkpoint or a reader sees every commit whole.
 */
#ifndef WR_EMBEDDED_STATE_H
#define WR_EMBEDDED_STATE_H

#include "base/wake.h"
#include "data/batch.h"
#include "log/embedded/embedded.h"
#include "log/embedded/journal.h"
#include "log/log_ops.h"
#include "log/topic_config.h"

#include <pthread.h>

#define WR_ABORTED_UNKNOWN UINT32_MAX

enum {
    WR_PATH_BYTES = 4096,
    WR_DAMAGES_MAX = 16, /* kept of one partition */
    WR_INDEX_TAIL_MAX = 64
};

struct wr_embedded;
struct wr_partition;
struct wr_commit;
struct wr_embedded_writer;
struct wr_poke;
struct wr_assignment;

/* ---- segments ---------------------------------------------------------------------------------------- */

/* A transaction that was aborted, as .txnindex has it. */
struct wr_aborted {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset; /* of the marker */
    int64_t last_stable; /* behind the marker */
};

/* What is known of a segment without reading it. */
struct wr_segment_info {
    int64_t base;
    int64_t next; /* offset behind its last record */
    uint64_t bytes;
    int64_t first_timestamp_ms; /* greatest of its first batch; -1: empty */
    int64_t max_timestamp_ms;   /* -1: none */
    int64_t max_timestamp_next; /* offset behind the batch that has it */
    uint32_t aborted_count; /* entries in .txnindex; WR_ABORTED_UNKNOWN: the log has to be asked */
    uint32_t aborted_crc;   /* CRC-32C of them */
};

/* What the indexes of a segment that is written to wait to be told, and where they stand. */
struct wr_index_tail {
    struct {
        uint32_t offset; /* relative, of the last record of a batch */
        uint32_t position;
    } places[WR_INDEX_TAIL_MAX];
    struct {
        int64_t timestamp_ms;
        uint32_t offset;
    } times[WR_INDEX_TAIL_MAX];
    size_t place_count; /* not in the files yet */
    size_t time_count;
    uint64_t bytes;       /* of batches since the last place */
    int64_t timestamp_ms; /* the last one that this run added; -1: none yet */
    bool is_adopted;      /* S: the ends of the files are known to be good */
    bool is_gappy; /* S: the files lack more than a lookup should walk: rebuild when sealed */
};

struct wr_segment {
    struct wr_partition *partition; /* fixed */
    struct wr_segment_info info;    /* L; `base` fixed */
    uint64_t synced_bytes;          /* L: durable up to here */
    bool is_new;                    /* L: its name may not be durable */
    bool is_lost;         /* of recovery: the file was missing, and the journal has not all of it */
    bool is_dropped;      /* L: out of the list, to be freed when nobody has it pinned */
    uint32_t pins;        /* L */
    struct wr_file *file; /* L; NULL: not open. Stays open while pinned. */
    struct wr_segment *older; /* L: open files, least recently used first */
    struct wr_segment *newer;
    struct wr_segment *dirty_next; /* L: list of segments with something to sync */
    bool is_dirty;                 /* L: on that list */
    bool
        is_unsealed; /* L: a round rolled it, and its indexes and its end are still to be written */

    struct wr_aborted *aborted; /* L: the last ones, not in .txnindex yet */
    size_t aborted_count;
    size_t aborted_cap;

    struct wr_index_tail *tail; /* L to add, S to write out; NULL: not written to in this run */
    uint64_t write_at;          /* S: where the next batch goes */
    uint64_t reserved_to;       /* S: there is room on disk up to here */
    int64_t next_offset;        /* S: offset of the next batch */
    uint64_t pinned_round;      /* S: the round that holds it open */
};

/* ---- partitions -------------------------------------------------------------------------------------- */

/* A transaction that has not ended. */
struct wr_open_transaction {
    int64_t producer_id;
    int16_t producer_epoch;
    int64_t first_offset;
};

/* A place that is lost or cannot be trusted. from == to: nothing is missing that is known of, but what
 * follows cannot be proved either. */
struct wr_damage {
    int64_t from_offset;
    int64_t to_offset;
    int64_t segment_base;
    uint64_t from_position;
    uint64_t to_position;
};

struct wr_partition {
    struct wr_topic_state *topic; /* fixed */
    uint32_t number;              /* fixed */

    int64_t log_start; /* L */
    int64_t end;       /* L: high watermark */
    int64_t stable;    /* L: last stable offset */
    /* L: ascending, never empty; those before the first are not known until is_listed. */
    struct wr_segment **segments;
    size_t segment_count;
    size_t segment_cap;
    const struct wr_segment *coming; /* L: its file is being made, it is not among them yet */
    bool is_listed;
    uint64_t
        list_version;    /* L: counts changes of the list of sealed segments and of the log start */
    uint64_t list_saved; /* L: the version that the file `segments` has */
    int32_t epoch;       /* L: leader epoch of the last append; -1: none */
    int64_t epoch_start; /* L: first offset of it */
    int32_t epoch_saved; /* L: the last one that leader-epoch-checkpoint has */
    bool is_folder_new;  /* L: folder and partition.metadata may not be durable */
    bool is_folder_unnamed; /* L: its name in the log's folder may not be */
    bool must_sweep; /* L: after an unclean stop: remove files that nobody knows, make indexes */
    struct wr_open_transaction *transactions; /* L: by first offset */
    size_t transaction_count;
    size_t transaction_cap;
    uint64_t replayed_sequence; /* of recovery: the last entry of the journal that was for it */
    bool is_quarantined;        /* atomic, set under L: refuses writes */
    struct wr_damage *damages;  /* L */
    size_t damage_count;
    size_t damage_cap;
    struct wr_assignment *waiting; /* L: readers */

    struct wr_segment *write_segment;  /* S: the active one, as the round under way has it */
    int64_t next_offset;               /* S */
    int64_t next_max_timestamp_ms;     /* S: for append times */
    uint64_t touched_round;            /* S: the round that has something for it */
    bool is_rewrite_asked;             /* S: on the engine's list */
    struct wr_partition *rewrite_next; /* S */
    uint64_t rewrite_bytes_min;        /* S: with less in the active segment it is not worth it */
};

/* ---- topics ------------------------------------------------------------------------------------------- */

struct wr_topic_state {
    struct wr_log_topic topic;         /* first; fixed */
    uint32_t refs;                     /* atomic */
    struct wr_topic_config config;     /* fixed */
    struct wr_topic_setting *settings; /* fixed: as given */
    size_t setting_count;
    bool is_deleted;                 /* atomic, set under L */
    struct wr_partition *partitions; /* topic.partition_count of them; fixed */
};

/* ---- the engine ----------------------------------------------------------------------------------------- */

/* A folder or file that was renamed away, and goes when its time has come. */
struct wr_removal {
    struct wr_removal *next;
    int64_t due_ms; /* monotonic */
    bool is_folder;
    char path[];
};

struct wr_embedded {
    struct wr_log log; /* first */

    /* fixed */
    char *dir;
    struct wr_vfs *vfs;
    const struct wr_clock *clock;
    struct wr_embedded_options options; /* without the caller's strings and settings */
    struct wr_topic_config config_default;
    struct wr_file *lock_file;
    size_t commit_parts_max;
    int32_t leader_epoch;
    uint32_t open_files; /* L */
    struct wr_embedded_recovery recovery;

    pthread_mutex_t step_lock;
    pthread_mutex_t keep_lock;
    pthread_mutex_t lock;
    pthread_cond_t work;      /* L: the commit thread has something to do */
    pthread_cond_t keep_work; /* L: the keeper has */
    pthread_cond_t done;      /* L: somebody's wait may be over */

    struct wr_rng own_rng;
    struct wr_rng *rng; /* L */
    struct wr_journal journal;

    struct wr_topic_state **topics; /* L: by name */
    size_t topic_count;
    size_t topic_cap;
    const char *creating;      /* L: name of the topic that is being made; NULL: none */
    uint64_t topics_version;   /* L: counts creations and deletions */
    uint64_t catalog_sequence; /* L: of the last entry that changed topics */
    uint64_t catalog_saved;    /* L: topics_version that the file `catalog` has */

    struct wr_commit *queue_first; /* L: handed over, not taken */
    struct wr_commit *queue_last;
    struct wr_commit *waiting_room; /* L: the engine's own, detached: wait for room on the disk */
    struct wr_poke *pokes;          /* L: collected while publishing */
    struct wr_commit *graveyard;    /* L: dropped, to be freed when L is not held */
    struct wr_embedded_writer *writers; /* L: all that are open */
    struct wr_embedded_reader *readers; /* L: all that are open */
    struct wr_journal_mark mark;        /* L: behind the last published round */
    int64_t producer_next;              /* L: id for the next marked transaction */
    int64_t sync_due_ms;                /* L: interval: monotonic; INT64_MAX: nothing to sync */

    struct wr_segment *oldest_file; /* L: open segment files */
    struct wr_segment *newest_file;
    struct wr_segment *dirty;    /* L */
    size_t dirty_count;          /* L: on that list */
    struct wr_removal *removals; /* L */
    uint64_t checkpoint_count;   /* K to write, L */
    uint32_t checkpoint_slot;    /* K: the file that has it */
    uint64_t placed_since;       /* L: bytes placed since then */
    int64_t retain_due_ms;       /* L: monotonic; INT64_MAX: nothing can expire */
    bool must_checkpoint;        /* L: asked of the keeper */
    bool is_sealing;             /* L: segments that the last round rolled are not sealed yet */
    uint32_t
        checkpoints_first; /* K to write, L: due before the first round: no entry may be written
                                    before both files bear this run's generation */
    bool is_root_new;      /* L: names in the folder itself may not be durable */

    bool has_failed;           /* L */
    bool is_collecting;        /* L */
    bool has_closed_writers;   /* L: some wait to be freed */
    bool is_stopping;          /* L: the commit thread ends when nothing is handed over */
    bool is_keeper_stopping;   /* L */
    bool is_commit_idle;       /* L: the commit thread waits for work */
    bool is_segments_stopping; /* L */
    bool has_threads;          /* fixed while anybody uses the log */
    bool has_keeper;
    bool has_segment_thread;
    struct weir_error failure;
    pthread_t commit_thread;
    pthread_t keep_thread;
    pthread_t segment_thread;
    pthread_cond_t segments_work;    /* L: segments_round was set, or the thread is to end */
    pthread_cond_t segments_done;    /* L: it was done */
    struct wr_round *segments_round; /* L */
    struct wr_embedded_stats stats;  /* L */

    struct wr_round *round;             /* S */
    struct wr_partition *rewrite_first; /* S: internal topics to be rewritten */
};

#endif
