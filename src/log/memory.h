/*
 * memory.h - the model of a log: all that log.h promises and nothing that it does not, in memory. What the
 * other engines are compared with, and what workers are tested on.
 *
 * Left alone it answers every commit at once with DONE. It can be told to give every other answer that the
 * interface allows, so that a worker meets them all without a broken disk or a cluster.
 *
 * Nothing is durable. Out of memory is not reported but aborts: no production code opens this engine.
 */
#ifndef WR_LOG_MEMORY_H
#define WR_LOG_MEMORY_H

#include "log/log.h"

/* 0 or NULL in a field: the default that stands behind it. `clock` must outlive the log. */
struct wr_memory_options {
    unsigned lacks;               /* a sum of enum wr_log_capability that it shall not have: none */
    const struct wr_clock *clock; /* wr_clock_os() */
    size_t commit_bytes_max;      /* 72 MiB */
    uint32_t commits_in_flight_max; /* 16 a writer */
    uint64_t seed;                  /* of topic ids: 1 */
};

/* Open an empty log; NULL options: all defaults. Owned by the caller: wr_log_close(). */
struct wr_log *wr_memory_log_open(const struct wr_memory_options *options);

/* ---- what a commit is answered -------------------------------------------------------------------- */

enum wr_memory_outcome {
    WR_MEMORY_DONE,
    WR_MEMORY_AGAIN,
    WR_MEMORY_REWIND,
    WR_MEMORY_UNKNOWN_DONE, /* it is done, and is answered UNKNOWN */
    WR_MEMORY_UNKNOWN,      /* it is not done, and is answered UNKNOWN */
    WR_MEMORY_FENCED        /* not done; the writer is fenced as if another had been opened */
};

/* The next commit that is decided, of whatever writer, gets this outcome; each call adds one more to the
 * end of the line (at most 64 stand in it). Commits behind the line are DONE. */
void wr_memory_log_next_outcome(struct wr_log *log, enum wr_memory_outcome outcome);

enum wr_memory_hold {
    WR_MEMORY_HOLD_NOTHING, /* also lets go all that is held */
    WR_MEMORY_HOLD_COMMITS, /* what is handed over waits, undecided and unseen */
    WR_MEMORY_HOLD_ANSWERS  /* what is handed over is decided and seen, but not answered */
};

/* From now on hold commits or answers until they are released. */
void wr_memory_log_hold(struct wr_log *log, enum wr_memory_hold hold);

/* Let go of the oldest `count` commits or answers that are held. Returns how many there were. */
size_t wr_memory_log_release(struct wr_log *log, size_t count);

/* Commits handed over and not decided. */
size_t wr_memory_log_waiting(struct wr_log *log);

/* ---- calls that fail ------------------------------------------------------------------------------- */

enum wr_memory_call {
    WR_MEMORY_TOPIC_CREATE,
    WR_MEMORY_TOPIC_DELETE,
    WR_MEMORY_TOPIC_FIND,
    WR_MEMORY_TOPIC_LIST,
    WR_MEMORY_TOPIC_SETTINGS,
    WR_MEMORY_PARTITION_INFO,
    WR_MEMORY_OFFSET_FOR_TIME,
    WR_MEMORY_EPOCH_END,
    WR_MEMORY_WRITER_OPEN,
    WR_MEMORY_APPEND,
    WR_MEMORY_OFFSETS,
    WR_MEMORY_COMMIT, /* AGAIN here is "too many under way" */
    WR_MEMORY_MARK,
    WR_MEMORY_END, /* AGAIN as for a commit */
    WR_MEMORY_RETRY,
    WR_MEMORY_WRITER_POLL,
    WR_MEMORY_READER_OPEN,
    WR_MEMORY_ASSIGN,
    WR_MEMORY_UNASSIGN,
    WR_MEMORY_JOIN,
    WR_MEMORY_WATCH,
    WR_MEMORY_PAUSE,
    WR_MEMORY_READER_POLL,
    WR_MEMORY_CALLS
};

/* The at-th call of this kind from now on (1: the next) fails with `code`, once; 0: none does. */
void wr_memory_log_fail_call(struct wr_log *log, enum wr_memory_call call, uint64_t at, int code);

/* The log has failed, as by a failed sync: commits, polls and whatever else may say so give WEIR_E_IO. */
void wr_memory_log_break(struct wr_log *log);

/* ---- what else happens to a log -------------------------------------------------------------------- */

/* Retention: the records below `log_start` are gone. At most the last stable offset. */
void wr_memory_log_cut(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                       int64_t log_start);

/* A power loss in one of the weaker durabilities: all partitions begin a new leader epoch, and what this
 * one has from `end` on is gone. `end` lies between its log start and its high watermark. */
void wr_memory_log_take_back(struct wr_log *log, const struct wr_log_topic *topic,
                             uint32_t partition, int64_t end);

/* Damage on disk: the bytes from `offset` on are not valid; appends are refused. -1: mended. */
void wr_memory_log_damage(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                          int64_t offset);

/* ---- groups ---------------------------------------------------------------------------------------- */

/* What a group has committed for a partition. Returns WEIR_E_NOTFOUND when it has nothing. */
WR_MUST_USE int wr_memory_log_group_offset(struct wr_log *log, const char *group,
                                           const struct wr_log_topic *topic, uint32_t partition,
                                           int64_t *offset, int32_t *leader_epoch,
                                           struct weir_error *err);

/* Take a partition from its reader, which gets REVOKED, and has it until the poll after; or at once, and
 * it gets LOST. It then goes to the next reader of the group, with one reader back to that. Nothing when
 * nobody has it. */
void wr_memory_log_revoke(struct wr_log *log, const char *group, const char *topic,
                          uint32_t partition);
void wr_memory_log_lose(struct wr_log *log, const char *group, const char *topic,
                        uint32_t partition);

#endif
