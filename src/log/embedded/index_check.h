/*
 * index_check.h - holds the three index files of a segment against its batches, one after the other.
 *
 *     .index      8 bytes    u32 last offset of a batch - base · u32 position of that batch
 *     .timeindex  12 bytes   i64 greatest time so far · u32 last offset of its batch - base
 *     .txnindex   34 bytes   i16 0 · i64 producer id · i64 first offset · i64 offset of the abort marker
 *                            · i64 last stable offset behind it
 *
 * The first two are sparse: each entry must be true, but none must be there, save the last time entry of a
 * segment that is full. The third is complete. Thread: one at a time. Blocks on disk only in begin.
 */
#ifndef WR_EMBEDDED_INDEX_CHECK_H
#define WR_EMBEDDED_INDEX_CHECK_H

#include "base/vfs.h"
#include "data/batch.h"

enum wr_index_kind {
    WR_INDEX_PLACES, /* .index */
    WR_INDEX_TIMES,  /* .timeindex */
    WR_INDEX_ABORTED /* .txnindex */
};

enum {
    WR_INDEX_KINDS = 3
};

enum wr_index_verdict {
    WR_INDEX_GOOD,
    WR_INDEX_WRONG,
    WR_INDEX_MISSING
};

/* An aborted transaction, as .txnindex has it. first_offset -1: its start lies before the log's. */
struct wr_index_aborted {
    int64_t producer_id;
    int64_t first_offset;
    int64_t last_offset; /* of the marker */
    int64_t last_stable;
};

struct wr_index_file {
    uint8_t *bytes; /* owned */
    size_t len;
    size_t pos; /* of the entry that is to come */
    bool is_there;
    bool is_wrong;
    size_t wrong_at;
    char why[256];
};

struct wr_index_check {
    int64_t base_offset;
    uint64_t interval_bytes;
    uint64_t since_bytes; /* appended since an entry was due */
    uint64_t due;         /* entries that the writer would have made */
    struct wr_index_file files[WR_INDEX_KINDS];
    int64_t max_timestamp_ms; /* so far */
    bool has_aborted;
};

/* "index", "timeindex", "txnindex"; static. */
const char *wr_index_suffix(enum wr_index_kind kind);

/* Read the index files beside the segment `path` ("…/00000000000000000000", no suffix), which has an entry
 * each `interval_bytes` (Kafka's index.interval.bytes). `out` is to be let go with wr_index_check_fini(),
 * also on failure. WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_index_check_begin(struct wr_vfs *vfs, const char *path, int64_t base_offset,
                                     uint64_t interval_bytes, struct wr_index_check *out,
                                     struct weir_error *err);

/* Free. Takes a zeroed one. */
void wr_index_check_fini(struct wr_index_check *check);

/* The next batch of the segment is this, at byte `position`. `aborted`: the transaction that it aborts, or
 * NULL. */
void wr_index_check_batch(struct wr_index_check *check, const struct wr_batch_header *header,
                          uint64_t position, const struct wr_index_aborted *aborted);

/* That was the last; is the segment full (another one follows it)? Then each file's verdict, with its
 * first wrong byte and the reason, is in `out`, one for each kind. */
struct wr_index_result {
    enum wr_index_verdict verdict;
    uint64_t at;
    const char *why; /* borrowed from the check */
};
void wr_index_check_end(struct wr_index_check *check, bool is_full,
                        struct wr_index_result out[WR_INDEX_KINDS]);

#endif
