/*
 * reader.h - readers: what they are assigned, and how rounds wake them. Reading is in reader.c, finding
 * places in locate.c.
 */
#ifndef WR_EMBEDDED_READER_H
#define WR_EMBEDDED_READER_H

#include "base/arena.h"
#include "log/embedded/cursor.h"
#include "log/embedded/poke.h"
#include "log/embedded/state.h"

struct wr_embedded_reader;

/* A partition that a reader reads. */
struct wr_assignment {
    struct wr_embedded_reader *reader;  /* fixed */
    struct wr_topic_state *topic;       /* fixed; a reference is held */
    struct wr_partition *partition;     /* fixed */
    struct wr_assignment *waiting_next; /* L: in the partition's list */

    /* the owner's */
    int64_t next_offset;
    int32_t epoch; /* of the last batch read; 0 before the first */
    bool is_paused;
    bool is_placed; /* the two below are known: a batch that holds next_offset, or begins with it */
    int64_t segment_base;
    uint64_t position;
};

/* Transactions that were aborted, as far as the last read needed them. */
struct wr_aborted_list {
    struct wr_aborted *list;
    size_t count;
    size_t cap;
};

struct wr_embedded_reader {
    struct wr_log_reader reader; /* first */
    struct wr_embedded *e;
    enum wr_isolation isolation;
    size_t chunk_bytes;

    /* the owner's */
    struct wr_assignment **assigned;
    size_t assigned_count;
    size_t assigned_cap;
    size_t turn; /* whose turn it is */
    bool is_watching;
    uint64_t topics_seen; /* topics_version at the last TOPICS */
    struct wr_cursor cursor;
    struct wr_batch_iter iter;
    struct wr_arena arena; /* headers of the chunk's records */
    struct wr_log_record *records;
    size_t record_count;
    size_t record_cap;
    struct wr_aborted_list aborted;

    /* L */
    struct wr_poke poke;
    bool must_wake;                  /* wr_log_reader_wake() */
    struct wr_embedded_reader *next; /* in the engine's list */
};

/* The partition's end, stable end or start moved, or its topic went: wake who waits for it. L. */
void wr_reader_wake_partition(struct wr_embedded *e, const struct wr_partition *p);
void wr_reader_wake_topic(struct wr_embedded *e, const struct wr_topic_state *topic);

/* Topics came or went: wake who watches. The log has failed: wake all. L. */
void wr_reader_wake_watching(struct wr_embedded *e);
void wr_reader_wake_all(struct wr_embedded *e);

/* ---- finding places (locate.c); no lock held; block on disk ------------------------------------------- */

/* Where a read goes on: a segment with its file open, and how far it may be read. */
struct wr_place {
    struct wr_segment *segment; /* pinned */
    struct wr_file *file;
    uint64_t position;
    uint64_t bytes; /* published */
};

/* Find the batch that holds `offset`, which lies in log start .. end. The result is unpinned by the
 * caller. WEIR_E_DAMAGED when a place before it cannot be read, WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_locate(struct wr_embedded *e, struct wr_partition *p, int64_t offset,
                          struct wr_place *out, struct weir_error *err);

/* Fail with WEIR_E_DAMAGED, naming everything, and quarantine the partition. `why`: what is wrong. */
int wr_locate_damaged(struct wr_embedded *e, struct wr_partition *p, const struct wr_place *place,
                      int64_t offset, const struct weir_error *why, struct weir_error *err);

/* log_ops.h */
int wr_embedded_offset_for_time(struct wr_log *log, const struct wr_log_topic *handle,
                                uint32_t partition, int64_t timestamp_ms, int64_t *out,
                                struct weir_error *err);
int wr_embedded_reader_open(struct wr_log *log, const struct wr_log_reader_options *options,
                            struct wr_log_reader **out, struct weir_error *err);
void wr_embedded_reader_close(struct wr_log_reader *reader);
int wr_embedded_reader_assign(struct wr_log_reader *reader, struct wr_log_topic *handle,
                              uint32_t partition, int64_t offset, struct weir_error *err);
int wr_embedded_reader_unassign(struct wr_log_reader *reader, const struct wr_log_topic *handle,
                                uint32_t partition, struct weir_error *err);
int wr_embedded_reader_watch(struct wr_log_reader *reader, struct weir_error *err);
int wr_embedded_reader_pause(struct wr_log_reader *reader, const struct wr_log_topic *handle,
                             uint32_t partition, bool is_paused, struct weir_error *err);
int wr_embedded_reader_poll(struct wr_log_reader *reader, int timeout_ms, struct wr_log_chunk *out,
                            struct weir_error *err);
int wr_embedded_reader_fd(const struct wr_log_reader *reader);
void wr_embedded_reader_wake(struct wr_log_reader *reader);

#endif
