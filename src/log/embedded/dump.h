/*
 * dump.h - shows what stands in a log's files, as it stands there, to callbacks.
 *
 * Nothing is trusted and nothing is changed; what cannot be read is shown as that, and the walk goes on
 * behind it. Works on the folder of a log that runs, too: its last batch may then look cut.
 *
 * All pointers that callbacks get are borrowed during the call. A non-zero result of a callback ends the
 * walk and is returned. Thread: any. Blocks on disk.
 */
#ifndef WR_EMBEDDED_DUMP_H
#define WR_EMBEDDED_DUMP_H

#include "base/vfs.h"
#include "data/batch.h"

struct wr_dump_batch {
    const char *path;                     /* of the file */
    uint64_t at;                          /* byte in it */
    const struct wr_batch_header *header; /* NULL: there is none that makes sense */
    const char *trouble; /* NULL: a whole batch whose offsets follow on; else what is wrong */
};

struct wr_dump_record {
    int64_t offset;
    const struct wr_record *record;
    const struct wr_marker *marker; /* the record ends a transaction; else NULL */
};

/* An entry of the journal: one commit. */
struct wr_dump_entry {
    const char *path;
    uint64_t at;
    uint64_t generation;
    uint64_t sequence;
    uint64_t synced; /* the last sequence known durable when it was written */
    int64_t written_ms;
    uint32_t part_count;
    uint64_t bytes;
    const char *trouble; /* NULL: it counts; else why not: damaged */
};

/* One part of it. */
struct wr_dump_part {
    const char *kind;     /* "batches", "placed", "topic", "delete", "start", "roll" */
    const uint8_t *topic; /* 16 bytes of id */
    uint32_t partition;
    int64_t base_offset;
    int64_t next_offset;
    int64_t segment_base;
    uint32_t position;
    int32_t leader_epoch;
    uint32_t len;
};

struct wr_dump {
    struct wr_vfs *vfs;
    int (*batch)(void *arg, const struct wr_dump_batch *batch, struct weir_error *err);
    int (*record)(void *arg, const struct wr_dump_record *record,
                  struct weir_error *err); /* may be NULL: records are not read then */
    int (*entry)(void *arg, const struct wr_dump_entry *entry, struct weir_error *err);
    int (*part)(void *arg, const struct wr_dump_part *part,
                struct weir_error *err);                                    /* may be NULL */
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
    void *arg;
};

/* Show a segment file, named by its path. `batch` and `record` are called.
 * Returns 0, or WEIR_E_NOTFOUND, WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_dump_segment(const struct wr_dump *dump, const char *path,
                                struct weir_error *err);

/* Show the segments of a partition of the log in `dir`, from the batch that holds `from_offset` on (-1:
 * all). WEIR_E_NOTFOUND when there is no such partition, else as above. */
WR_MUST_USE int wr_dump_partition(const struct wr_dump *dump, const char *dir, const char *topic,
                                  uint32_t partition, int64_t from_offset, struct weir_error *err);

/* Show the journal of the log in `dir`: the entries since the last checkpoint, in order, and what is
 * damaged between them; what was written before, or was never durable, is not shown. `entry` and `part`
 * are called, and for batches in an entry `batch` and `record`, where they are given; their `at` is counted
 * within the part. Returns as wr_dump_segment(). */
WR_MUST_USE int wr_dump_journal(const struct wr_dump *dump, const char *dir,
                                struct weir_error *err);

#endif
