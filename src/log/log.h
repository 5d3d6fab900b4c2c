/*
 * log.h - the log as its users inside weir see it: topics, writers, readers. The only channel between
 * workers (design rule 1). Who writes an engine reads log_ops.h.
 *
 *     struct wr_log          one per process, shared by all workers; any thread
 *     struct wr_log_topic    a handle on a topic as it was when looked up; any thread
 *     struct wr_log_writer   appends and commits; belongs to one thread
 *     struct wr_log_reader   reads; belongs to one thread
 *
 * A commit is all or nothing over all its partitions, and is seen all at once. Readers see what is
 * durable, never what a crash could take back (rule 7). Workers read committed: records of a marked
 * transaction show when it is ended with a commit, and never when it is aborted.
 *
 * No call blocks but those that say so. Nothing here polls by time: a writer and a reader each have a
 * descriptor that becomes readable when there is something to take.
 */
#ifndef WR_LOG_H
#define WR_LOG_H

#include "base/clock.h"
#include "base/error.h"
#include "data/record.h"

struct wr_log;
struct wr_log_topic;
struct wr_log_writer;
struct wr_log_reader;

/* ---- capabilities: what an engine can do, said at start, never discovered at run time ---------- */

enum wr_log_capability {
    WR_LOG_CAN_MARK = 1, /* marked transactions (wr_log_writer_mark) */
    WR_LOG_CAN_JOIN = 2, /* readers that share partitions as a group (wr_log_reader_join) */
    WR_LOG_CAN_GROUP_OFFSETS = 4, /* wr_log_writer_offsets */
    WR_LOG_CAN_APPEND_IF = 8      /* conditional append by expected version */
};

/* The name of the engine ("embedded", "memory", "kafka"), and a sum of enum wr_log_capability. */
const char *wr_log_engine(const struct wr_log *log);
unsigned wr_log_capabilities(const struct wr_log *log);

/* Let all go: waits until what was handed over is answered, at most 5 s. Writers, readers and topic
 * handles must be closed before. Takes NULL. Blocks on disk. */
void wr_log_close(struct wr_log *log);

/* ---- topics --------------------------------------------------------------------------------------- */

/* A UUID; a topic that is deleted and made again has another one. All zero: none. */
struct wr_topic_id {
    uint8_t bytes[16];
};

struct wr_topic_setting {
    const char *key; /* Kafka's names: retention.ms, cleanup.policy, …; and weir.index */
    const char *value;
};

struct wr_topic_spec {
    const char *name; /* [a-zA-Z0-9._-]{1,249}, not "." or ".." */
    uint32_t partition_count;
    const struct wr_topic_setting *settings;
    size_t setting_count;
};

/* A topic. Immutable. From wr_log_topic_find() and _create(); counted: let go with wr_log_topic_unref(). */
struct wr_log_topic {
    struct wr_log *log;
    const char *name; /* as long as the handle */
    struct wr_topic_id id;
    uint32_t partition_count;
};

/* Make a topic, durable when it returns. `out` may be NULL; else owned by the caller. Blocks on disk.
 * Returns 0, or
 *   WEIR_E_EXISTS  a topic of that name is there
 *   WEIR_E_INPUT   bad name, partition count, setting or value; the text says which and what is allowed
 *   WEIR_E_FULL, WEIR_E_IO */
WR_MUST_USE int wr_log_topic_create(struct wr_log *log, const struct wr_topic_spec *spec,
                                    struct wr_log_topic **out, struct weir_error *err);

/* Delete a topic with all its records, durable when it returns. WEIR_E_NOTFOUND when there is none.
 * Handles on it stay valid, and every use of them gives WEIR_E_NOTFOUND. Blocks on disk. */
WR_MUST_USE int wr_log_topic_delete(struct wr_log *log, const char *name, struct weir_error *err);

/* Look one up. `out`: owned by the caller. WEIR_E_NOTFOUND names the topic. */
WR_MUST_USE int wr_log_topic_find(struct wr_log *log, const char *name, struct wr_log_topic **out,
                                  struct weir_error *err);

/* Find it, or make it as `spec` says. */
WR_MUST_USE int wr_log_topic_ensure(struct wr_log *log, const struct wr_topic_spec *spec,
                                    struct wr_log_topic **out, struct weir_error *err);

/* One more, one less holder. wr_log_topic_unref takes NULL. */
struct wr_log_topic *wr_log_topic_ref(struct wr_log_topic *topic);
void wr_log_topic_unref(struct wr_log_topic *topic);

/* Call `each` for every topic, by name in byte order, internal ones too. `topic` is borrowed during the
 * call. A non-zero result ends the walk and is returned. */
WR_MUST_USE int wr_log_topic_list(struct wr_log *log,
                                  int (*each)(void *arg, struct wr_log_topic *topic,
                                              struct weir_error *err),
                                  void *arg, struct weir_error *err);

/* Call `each` for every setting of a topic that differs from the default. Borrowed during the call. */
WR_MUST_USE int wr_log_topic_settings(struct wr_log *log, const struct wr_log_topic *topic,
                                      int (*each)(void *arg, const struct wr_topic_setting *setting,
                                                  struct weir_error *err),
                                      void *arg, struct weir_error *err);

/* __weir_*, __consumer_offsets and __transaction_state. */
bool wr_topic_is_internal(const char *name);

/* The partition of a key: murmur2 as in Java's default partitioner. Key not null. */
uint32_t wr_partition_of_key(struct wr_bytes key, uint32_t partition_count);

struct wr_partition_info {
    int64_t log_start;      /* first offset that is still there */
    int64_t last_stable;    /* readers of committed records see what is below */
    int64_t high_watermark; /* durable below; what comes next gets this offset or a later one */
    int32_t leader_epoch;
    uint64_t size_bytes; /* of its records on disk */
    bool is_damaged;     /* refuses writes; wr_log_verify says what is there */
};

/* How a partition stands now. */
WR_MUST_USE int wr_log_partition_info(struct wr_log *log, const struct wr_log_topic *topic,
                                      uint32_t partition, struct wr_partition_info *out,
                                      struct weir_error *err);

/* The first offset whose record has a timestamp of `timestamp_ms` or later, or -1 when there is none.
 * Blocks on disk. */
WR_MUST_USE int wr_log_offset_for_time(struct wr_log *log, const struct wr_log_topic *topic,
                                       uint32_t partition, int64_t timestamp_ms, int64_t *out,
                                       struct weir_error *err);

/* Where `leader_epoch` ended: the first offset of the next epoch, or the high watermark for the current
 * one; -1 for an epoch that the partition does not know. A position (offset, epoch) with offset beyond
 * this end was taken back by a crash (KIP-320). */
WR_MUST_USE int wr_log_epoch_end(struct wr_log *log, const struct wr_log_topic *topic,
                                 uint32_t partition, int32_t leader_epoch, int64_t *out,
                                 struct weir_error *err);

/* ---- writers -------------------------------------------------------------------------------------- */

struct wr_log_writer_options {
    const char
        *id; /* NULL: nobody else has to be fenced. Else opening fences the former writer of this
                       id and aborts the marked transaction that it left open. */
};

/* What the engine says of a commit. */
enum wr_outcome {
    WR_COMMIT_DONE,   /* durable as asked, and seen by readers */
    WR_COMMIT_AGAIN,  /* not done, nor was any later one of this writer; the writer holds them all:
                          wr_log_writer_retry() hands them over again in order. `err` says why. */
    WR_COMMIT_REWIND, /* not done, nor any later one; all are dropped, with what is pending, and its
                          marked transaction is aborted: read the stored position and go on from there.
                          Also when a topic that it writes to was deleted meanwhile. */
    WR_COMMIT_UNKNOWN, /* may be done or not: close the writer, open it again, read the stored position,
                          go on from there */
    WR_COMMIT_FENCED /* a later writer of this id has taken over: stop */
};

struct wr_log_written {
    const struct wr_log_topic *topic; /* borrowed until the next call on the writer */
    uint32_t partition;
    int64_t base_offset; /* of the first record of this commit there */
    uint32_t record_count;
};

struct wr_log_answer {
    uint64_t commit; /* as wr_log_writer_commit() numbered it: 1, 2, … for each writer */
    enum wr_outcome outcome;
    const struct wr_log_written *written; /* DONE: one for each partition, in order of first append;
                                             borrowed until the next call on the writer */
    size_t written_count;
    struct weir_error err; /* for all but DONE */
};

/* Open a writer. `out`: owned by the caller. What a former writer of the same id handed over is done by then
 * or never will be, so what is read back now is its last word. Blocks on disk, or on network (kafka), at
 * most 30 s. */
WR_MUST_USE int wr_log_writer_open(struct wr_log *log, const struct wr_log_writer_options *options,
                                   struct wr_log_writer **out, struct weir_error *err);

/* Drop what was not handed over, abort its marked transaction, let go. Commits handed over and not yet
 * answered are finished by the engine. Takes NULL. */
void wr_log_writer_close(struct wr_log_writer *writer);

/* Most bytes of records that one commit may hold (headers and keys counted). */
size_t wr_log_writer_commit_max(const struct wr_log_writer *writer);

/* Add a record to the commit that is being filled.
 *   partition  0 .. n-1, or WR_PARTITION_BY_KEY: murmur2 of the key, round robin without one
 *   record     copied
 * Returns 0, or
 *   WEIR_E_LIMIT     the commit would be over wr_log_writer_commit_max(): commit first, then again; or
 *                    the record alone is over it: the text says so
 *   WEIR_E_RANGE     no such partition
 *   WEIR_E_NOTFOUND  the topic was deleted
 *   WEIR_E_DAMAGED   the partition refuses writes
 *   WEIR_E_NOMEM     nothing was added */
#define WR_PARTITION_BY_KEY UINT32_MAX
WR_MUST_USE int wr_log_append(struct wr_log_writer *writer, struct wr_log_topic *topic,
                              uint32_t partition, const struct wr_record *record,
                              struct weir_error *err);

/* Add the offsets that a group has read up to, to be committed with the records. Needs
 * WR_LOG_CAN_GROUP_OFFSETS, else WEIR_E_UNSUPPORTED. All borrowed until return. */
struct wr_group_offset {
    const struct wr_log_topic *topic;
    uint32_t partition;
    int64_t offset; /* the next to read */
    int32_t leader_epoch;
};
WR_MUST_USE int wr_log_writer_offsets(struct wr_log_writer *writer, const char *group,
                                      const struct wr_group_offset *offsets, size_t count,
                                      struct weir_error *err);

/* Records and bytes in the commit that is being filled. */
size_t wr_log_writer_pending(const struct wr_log_writer *writer, size_t *bytes);

enum wr_commit_flags {
    WR_COMMIT_PLAIN = 0,
    WR_COMMIT_SYNC =
        1 /* answered DONE only when it, and all before it, would survive a power cut, in
                          every durability mode; may be empty */
};

/* Hand over what was appended since the last commit; the next can be filled at once. Answers come in
 * order by wr_log_writer_poll().
 *   out  the number of this commit
 * Returns 0, or
 *   WEIR_E_AGAIN   too many under way: poll first (nothing is lost, the commit stays as it is)
 *   WEIR_E_BUSY    an answer AGAIN stands: wr_log_writer_retry() first
 *   WEIR_E_FENCED, WEIR_E_IO (the log has failed) */
WR_MUST_USE int wr_log_writer_commit(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                                     struct weir_error *err);

/* Drop what was appended since the last commit. */
void wr_log_writer_drop(struct wr_log_writer *writer);

/* Begin a marked transaction: the commits from now on are durable, but no reader of committed records
 * sees them before wr_log_writer_end(); meanwhile such readers wait at its first record, partition by
 * partition. Needs WR_LOG_CAN_MARK. Nothing may be pending. */
WR_MUST_USE int wr_log_writer_mark(struct wr_log_writer *writer, struct weir_error *err);

/* End it. With `keep`, all its records show at once, together with what is pending now, which goes as
 * plain records of the same commit (so: commit the last rows, append the position, end). Without `keep`
 * none ever shows, and nothing may be pending. Numbered and answered as a commit. */
WR_MUST_USE int wr_log_writer_end(struct wr_log_writer *writer, bool keep, uint64_t *out,
                                  struct weir_error *err);

/* After an answer AGAIN: hand over again all that was not done, in order. The engine paces it: the next
 * answer comes when it is done or when the reason stood for another second. */
WR_MUST_USE int wr_log_writer_retry(struct wr_log_writer *writer, struct weir_error *err);

/* Take the next answer. 1 and `out` filled; 0 when there is none; or WEIR_E_IO when the log has failed
 * (a sync did: the process must end). */
WR_MUST_USE int wr_log_writer_poll(struct wr_log_writer *writer, struct wr_log_answer *out,
                                   struct weir_error *err);

/* Readable when there is an answer to poll; for poll(2). Borrowed. */
int wr_log_writer_fd(const struct wr_log_writer *writer);

/* Wait for the answer to `commit` and throw away those before it, for callers that have nothing else to
 * do. 0 when DONE; else the answer's error. WEIR_E_AGAIN when `timeout_ms` passed. Blocks. */
WR_MUST_USE int wr_log_writer_wait(struct wr_log_writer *writer, uint64_t commit, int timeout_ms,
                                   struct weir_error *err);

/* ---- readers -------------------------------------------------------------------------------------- */

enum wr_isolation {
    WR_READ_COMMITTED,
    WR_READ_UNCOMMITTED /* records of marked transactions too, open or aborted (tools only) */
};

struct wr_log_reader_options {
    enum wr_isolation isolation;
    size_t
        chunk_bytes; /* about how much one poll gives at most; 0: 1 MiB. One record always fits. */
};

/* A record as read. */
struct wr_log_record {
    int64_t offset;
    struct wr_record record; /* its slices live as long as the chunk */
};

enum wr_poll_kind {
    WR_POLL_NONE, /* nothing within the time */
    WR_POLL_RECORDS,
    WR_POLL_ASSIGNED, /* group: these partitions are ours from now on */
    WR_POLL_REVOKED,  /* group: give these up: commit or roll back first, then poll again */
    WR_POLL_LOST,     /* group: these are somebody else's already: roll back, commit nothing */
    WR_POLL_TOPICS /* watching: topics were made or deleted since the last time: list them again */
};

struct wr_log_chunk {
    enum wr_poll_kind kind;
    const struct wr_log_topic *topic; /* borrowed until the next poll, as is all below */
    uint32_t partition;
    const struct wr_log_record *records; /* offsets ascending; may be none: the position moved over
                                            records that this reader is not shown */
    size_t count;
    int64_t next_offset;  /* where the partition goes on: keep this as the position */
    int32_t leader_epoch; /* of the last record passed; keep it with next_offset */
};

enum {
    WR_OFFSET_EARLIEST = -2,
    WR_OFFSET_LATEST = -1
};

/* Open a reader that reads nothing yet. `out`: owned by the caller. */
WR_MUST_USE int wr_log_reader_open(struct wr_log *log, const struct wr_log_reader_options *options,
                                   struct wr_log_reader **out, struct weir_error *err);

/* Let go. Takes NULL. */
void wr_log_reader_close(struct wr_log_reader *reader);

/* Read a partition from `offset` on (or WR_OFFSET_EARLIEST, _LATEST: where this reader would have nothing
 * to read now). Again for the same partition: seek. The reader keeps the topic alive.
 * Returns 0, or WEIR_E_RANGE when `offset` lies outside log start .. high watermark (the text gives
 * both), WEIR_E_NOTFOUND when the topic was deleted. */
WR_MUST_USE int wr_log_reader_assign(struct wr_log_reader *reader, struct wr_log_topic *topic,
                                     uint32_t partition, int64_t offset, struct weir_error *err);

/* Read no more of a partition. */
WR_MUST_USE int wr_log_reader_unassign(struct wr_log_reader *reader,
                                       const struct wr_log_topic *topic, uint32_t partition,
                                       struct weir_error *err);

/* Share the partitions of `topics` with the other readers of `group`; polls then also give ASSIGNED,
 * REVOKED and LOST, and reading starts where the worker assigns. Again, with the same group: `topics` take
 * the place of those before. Needs WR_LOG_CAN_JOIN. WEIR_E_INPUT when the reader is in another group. */
WR_MUST_USE int wr_log_reader_join(struct wr_log_reader *reader, const char *group,
                                   const char *const *topics, size_t count, struct weir_error *err);

/* From now on a poll also gives TOPICS (nothing else in the chunk) when topics were made or deleted since
 * this call or the last TOPICS, before any records. For readers of patterns, and of topics to come. */
WR_MUST_USE int wr_log_reader_watch(struct wr_log_reader *reader, struct weir_error *err);

/* Hold back, or go on with, a partition without forgetting its position. */
WR_MUST_USE int wr_log_reader_pause(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                                    uint32_t partition, bool is_paused, struct weir_error *err);

/* Take what comes next, of the partitions in turn. Waits at most `timeout_ms` (0: not at all, -1: for
 * ever), and wakes at once when there is something. Blocks.
 * Returns 0 with `out` filled, or an error of one partition, whose turn comes again like that of the others
 * until it is unassigned or assigned anew; `out` then has its topic and partition:
 *   WEIR_E_RANGE     the log no longer has the place: its start moved past it (the text says where)
 *   WEIR_E_NOTFOUND  the topic was deleted
 *   WEIR_E_DAMAGED   the bytes there are not valid; topic, partition, offset named
 *   WEIR_E_IO        the log has failed */
WR_MUST_USE int wr_log_reader_poll(struct wr_log_reader *reader, int timeout_ms,
                                   struct wr_log_chunk *out, struct weir_error *err);

/* Readable when a poll would give something; for poll(2) beside other descriptors. Borrowed. A poll
 * with timeout 0 that gives NONE makes it unreadable until there is more. */
int wr_log_reader_fd(const struct wr_log_reader *reader);

/* Make a poll that waits return NONE at once. Any thread. */
void wr_log_reader_wake(struct wr_log_reader *reader);

/* ---- over the interface, for every engine --------------------------------------------------------- */

/* The newest committed value of `key` in partition 0 of a compacted topic: reads it from the start.
 *   out  the value, owned by the caller (wr_free), NUL-terminated; ptr NULL when the key is not there,
 *        was deleted, or the topic does not exist
 * Blocks on disk or network. */
WR_MUST_USE int wr_log_last_value(struct wr_log *log, const char *topic, struct wr_bytes key,
                                  struct wr_bytes *out, struct weir_error *err);

#endif
