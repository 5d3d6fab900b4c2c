/*
 * memory_state.h - what the model is made of; only for memory*.c.
 *
 *     mem_log ── topics ── partitions ── records
 *        ├────── writers ── the commit being filled, what is stalled, answers
 *        ├────── waiting: commits handed over, in order, undecided
 *        ├────── readers ── where each reads
 *        └────── groups ── members, who has which partition, offsets
 *
 * One lock for all. Functions here are called with it held, unless they say otherwise.
 */
#ifndef WR_LOG_MEMORY_STATE_H
#define WR_LOG_MEMORY_STATE_H

#include "base/rng.h"
#include "base/wake.h"
#include "log/log_ops.h"
#include "log/memory.h"
#include "log/topic_config.h"

#include <pthread.h>

struct mem_log;
struct mem_topic;

/* A marked transaction. Kept until the log is closed: records point to it. */
struct mem_txn {
    struct mem_txn *next;
    enum {
        MEM_OPEN,
        MEM_KEPT,
        MEM_ABORTED
    } state;
};

struct mem_record {
    size_t refs; /* partition, and chunks that were given out */
    int64_t offset;
    int32_t leader_epoch;
    struct mem_txn *txn; /* NULL: a plain record */
    bool is_marker;      /* the end of `txn`; nobody is shown it, but it has an offset */
    struct wr_record record;
};

struct mem_epoch {
    int32_t leader_epoch;
    int64_t start;
};

struct mem_partition {
    struct mem_record **records; /* records[i] has the offset log_start + i */
    size_t count;
    size_t cap;
    size_t open_count; /* records of open transactions */
    int64_t log_start;
    struct mem_epoch *epochs;
    size_t epoch_count;
    size_t epoch_cap;
    int64_t damaged_at; /* -1: nowhere */
    int64_t last_append_ms;
};

struct mem_topic {
    struct wr_log_topic topic; /* first */
    size_t refs;
    bool is_deleted;
    struct wr_topic_config config;
    struct wr_topic_setting *settings; /* those that differ from the default; own copies */
    size_t setting_count;
    struct mem_partition *partitions;
};

struct mem_entry {
    struct mem_topic *topic; /* counted */
    uint32_t partition;
    struct mem_record *record;
};

struct mem_offset {
    char *group;
    struct wr_topic_id topic;
    uint32_t partition;
    int64_t offset;
    int32_t leader_epoch;
};

struct mem_commit {
    struct mem_commit *next;
    struct mem_writer *writer; /* NULL: closed meanwhile */
    uint64_t line;             /* its writer's, which outlives it here */
    uint64_t number;
    struct mem_entry *entries;
    size_t count;
    size_t cap;
    size_t bytes;
    struct mem_offset *offsets;
    size_t offset_count;
    size_t offset_cap;
    struct mem_txn *txn; /* the entries belong to it; or, for an end, it is what ends */
    bool is_end;
    bool keep;
};

struct mem_commits {
    struct mem_commit *first;
    struct mem_commit *last;
    size_t count;
};

struct mem_answer {
    struct mem_answer *next;
    uint64_t serial; /* over all writers */
    bool is_held;
    struct wr_log_answer answer;
    struct wr_log_written *written; /* its topics are counted */
};

struct mem_writer {
    struct wr_log_writer writer; /* first */
    struct mem_writer *next;
    char *id;
    uint64_t line; /* its number among all writers, from 1 */
    struct mem_commit *filling;
    struct mem_txn *txn;
    uint64_t last_number;
    size_t in_flight;           /* handed over and not answered */
    struct mem_commits stalled; /* answered AGAIN, and those behind it */
    bool is_stalled;
    bool is_dropping; /* REWIND was decided and not yet polled: what follows is dropped */
    bool is_over;     /* fenced, or UNKNOWN: it takes nothing any more */
    bool is_fenced;
    uint32_t turn; /* round robin of records without key */
    struct mem_answer *answers;
    struct mem_answer *given; /* the last one polled, whose slices are still borrowed */
    struct wr_wake wake;
};

struct mem_place {
    struct mem_topic *topic; /* counted */
    uint32_t partition;
    int64_t position;
    bool is_paused;
};

struct mem_event {
    struct mem_event *next;
    enum wr_poll_kind kind;
    struct mem_topic *topic; /* counted */
    uint32_t partition;
};

struct mem_reader {
    struct wr_log_reader reader; /* first */
    struct mem_reader *next;
    enum wr_isolation isolation;
    size_t chunk_bytes;
    struct wr_wake wake;
    bool is_woken;
    bool is_watching;
    uint64_t topics_seen;
    struct mem_place *places;
    size_t place_count;
    size_t place_cap;
    size_t turn;
    struct mem_record **held; /* of the last chunk */
    struct wr_log_record *shown;
    size_t held_count;
    size_t held_cap;
    struct mem_group *group; /* NULL: not in one */
    char **topic_names;
    size_t topic_name_count;
    struct mem_event *events;
    struct mem_event *given; /* the last one polled, whose topic is still borrowed */
};

struct mem_share {
    struct mem_topic *topic; /* counted */
    uint32_t partition;
    struct mem_reader *owner; /* NULL: nobody */
    bool is_revoking;         /* the owner was told, or will be, and has not polled since */
    struct mem_reader *avoid; /* whom it was taken from by force */
};

struct mem_group {
    struct mem_group *next;
    char *name;
    struct mem_share *shares;
    size_t share_count;
    size_t share_cap;
    struct mem_offset *offsets;
    size_t offset_count;
    size_t offset_cap;
};

struct mem_log {
    struct wr_log log; /* first */
    struct wr_log_ops ops;
    struct wr_memory_options options;
    struct wr_rng rng;
    pthread_mutex_t lock;
    struct mem_topic **topics; /* by name */
    size_t topic_count;
    size_t topic_cap;
    uint64_t topics_version; /* one more with each made or deleted */
    int32_t leader_epoch;
    struct mem_txn *txns;
    struct mem_writer *writers;
    struct mem_commits waiting;
    uint64_t answer_serial;
    uint64_t line_serial;
    struct mem_reader *readers; /* in the order in which they came */
    struct mem_group *groups;
    enum wr_memory_outcome outcomes[64];
    size_t outcome_count;
    enum wr_memory_hold hold;
    uint64_t fail_at[WR_MEMORY_CALLS];
    int fail_code[WR_MEMORY_CALLS];
    bool is_broken;
};

/* Which is which. */
struct mem_log *mem_log_of(const struct wr_log *log);
struct mem_topic *mem_topic_of(const struct wr_log_topic *topic);

/* Zeroed memory or abort; `*array` with room for one more element; a copy of a text. */
void *mem_alloc(size_t count, size_t size);
void mem_grow(void *array, size_t *cap, size_t count, size_t size);
char *mem_strdup(const char *text);

/* Take the lock, and fail as the script says. On failure the lock is not held. */
WR_MUST_USE int mem_enter(struct mem_log *log, enum wr_memory_call call, struct weir_error *err);
void mem_leave(struct mem_log *log);

/* One holder less; frees at none. */
void mem_topic_unref(struct mem_topic *topic);
void mem_record_unref(struct mem_record *record);

/* The topic of that name or id, borrowed; NULL when there is none. */
struct mem_topic *mem_topic_named(const struct mem_log *log, const char *name);

/* The next offset; where readers of committed records stop; the record at an offset that is there. */
int64_t mem_end(const struct mem_partition *part);
int64_t mem_last_stable(const struct mem_partition *part);
struct mem_record *mem_record_at(const struct mem_partition *part, int64_t offset);

/* Put it behind the last; takes over the reference. */
void mem_partition_add(struct mem_log *log, struct mem_partition *part, struct mem_record *record);

/* Something changed that readers may be waiting for. */
void mem_tell_readers(struct mem_log *log);

/* Decide what waits, unless commits are held; at most `count`. Gives how many. */
size_t mem_decide(struct mem_log *log, size_t count);

/* Keep what a group has read. `offset` is taken. */
void mem_group_keep(struct mem_log *log, struct mem_offset offset);

/* Share out anew: readers, topics or subscriptions have changed. */
void mem_group_share(struct mem_log *log, struct mem_group *group);

/* Find a group, or make it. Borrowed. */
struct mem_group *mem_group_of(struct mem_log *log, const char *name);

/* The reader has polled after a REVOKED: that partition is free. */
void mem_group_acknowledge(struct mem_log *log, struct mem_reader *reader);

/* The reader is closed: what it had is free. */
void mem_group_leave(struct mem_log *log, struct mem_reader *reader);

/* Free it; its readers are gone. */
void mem_group_free(struct mem_group *group);

/* Tell a reader of the group. */
void mem_event_add(struct mem_reader *reader, enum wr_poll_kind kind, struct mem_topic *topic,
                   uint32_t partition);
void mem_event_free(struct mem_event *event);

/* The reader reads no more of a partition. */
void mem_reader_forget(struct mem_reader *reader, const struct mem_topic *topic,
                       uint32_t partition);

/* Fill in the members of the interface that are of writers, of readers. */
void mem_writer_ops(struct wr_log_ops *ops);
void mem_reader_ops(struct wr_log_ops *ops);

#endif
