/*
 * index_build.h - makes the three index files of a segment from its batches, one after the other; for
 * repair. Their formats are in index_check.h, which must find nothing wrong with what comes out.
 *
 * Thread: one at a time. Blocks on disk only in write.
 */
#ifndef WR_EMBEDDED_INDEX_BUILD_H
#define WR_EMBEDDED_INDEX_BUILD_H

#include "base/writer.h"
#include "log/embedded/index_check.h"

struct wr_index_build {
    int64_t base_offset;
    uint64_t interval_bytes;
    uint64_t since_bytes;
    struct wr_writer files[WR_INDEX_KINDS];
    int64_t max_timestamp_ms; /* so far, and the last offset of the batch that has it */
    int64_t max_offset;
    int64_t told_timestamp_ms; /* of the last time entry */
};

/* No batch yet. Cannot fail. To be let go with wr_index_build_fini(). */
struct wr_index_build wr_index_build_of(int64_t base_offset, uint64_t interval_bytes);

/* Free. Takes a zeroed one. */
void wr_index_build_fini(struct wr_index_build *build);

/* The next batch is this, at byte `position`; `aborted` as in wr_index_check_batch(). */
void wr_index_build_batch(struct wr_index_build *build, const struct wr_batch_header *header,
                          uint64_t position, const struct wr_index_aborted *aborted);

/* Write the files beside the segment `path` (no suffix), each whole or not at all; what has no entry is
 * removed, but the .timeindex and .index of a full segment. WEIR_E_IO, WEIR_E_FULL, WEIR_E_NOMEM. */
WR_MUST_USE int wr_index_build_write(struct wr_index_build *build, struct wr_vfs *vfs,
                                     const char *path, bool is_full, struct weir_error *err);

#endif
