/*
 * survey.h - what the folder of a log should hold, as its small files say: catalog, checkpoint, and in each
 * partition's folder the list of its segments and its leader epochs.
 *
 * For verify and repair. Reads the files as they are, on any wr_vfs, and needs no engine; what describes a
 * partition and cannot be read is replaced by what the folder shows, and said. Thread: one at a time.
 * Blocks on disk.
 */
#ifndef WR_EMBEDDED_SURVEY_H
#define WR_EMBEDDED_SURVEY_H

#include "log/embedded/checkpoint.h"
#include "log/embedded/examine.h"

enum wr_survey_state {
    WR_SURVEY_GOOD,
    WR_SURVEY_MISSING,
    WR_SURVEY_WRONG
};

enum {
    WR_SURVEY_WHY_BYTES = WEIR_ERROR_TEXT_MAX
};

/* A file that describes: is it there and right? */
struct wr_survey_file {
    enum wr_survey_state state;
    char why[WR_SURVEY_WHY_BYTES]; /* WRONG */
};

struct wr_survey_segment {
    int64_t base;
    int64_t next;   /* offset behind its last record; -1: not known */
    uint64_t bytes; /* that count; UINT64_MAX: all that are there */
    bool is_active;
};

struct wr_survey_partition {
    const char *topic;
    struct wr_topic_id id;
    uint32_t number;
    int64_t log_start;
    int64_t end;
    bool is_quarantined;
    uint64_t index_interval_bytes;
    struct wr_survey_segment *segments; /* ascending; the active one last */
    size_t segment_count;
    struct wr_epoch_start *epochs;
    size_t epoch_count;
    struct wr_survey_file list;     /* `segments` */
    struct wr_survey_file lines;    /* `leader-epoch-checkpoint` */
    struct wr_survey_file metadata; /* `partition.metadata` */
};

struct wr_survey_head {
    struct wr_checkpoint_head checkpoint;
    uint64_t topics;
    uint64_t partitions;
};

/* Read one of the files of the whole log, without regard to the others: "catalog", "checkpoint.0" or
 * "checkpoint.1". Returns 0 with `out` filled, or WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_survey_file(struct wr_vfs *vfs, const char *dir, const char *name,
                               struct wr_survey_file *out, struct weir_error *err);

/* Go through all partitions, in the order of the checkpoint that counts. `partition` and all in it are borrowed during
 * the call; a non-zero result ends it and is returned. `each` may be NULL: then only `out` is filled.
 * Returns 0, WEIR_E_CORRUPT when the catalog or both checkpoints cannot be read or do not fit each other, or
 * WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_survey(struct wr_vfs *vfs, const char *dir,
                          int (*each)(void *arg, const struct wr_survey_partition *partition,
                                      struct weir_error *err),
                          void *arg, struct wr_survey_head *out, struct weir_error *err);

#endif
