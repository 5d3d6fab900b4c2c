/*
 * verify_partition.h - everything in a partition's folder, held against what it should be. A part of
 * verify.c. Thread: one at a time. Blocks on disk.
 */
#ifndef WR_EMBEDDED_VERIFY_PARTITION_H
#define WR_EMBEDDED_VERIFY_PARTITION_H

#include "log/embedded/survey.h"
#include "log/embedded/verify.h"

struct wr_verify {
    const struct wr_verify_options *options;
    struct wr_vfs *vfs; /* what is looked at: the disk, or what recovery would make of it */
    struct wr_batch_iter iter;
    struct wr_verify_sum sum;
    uint64_t done_bytes; /* of segments looked at */
    uint64_t total_bytes;
};

/* Count a finding, and tell it. */
WR_MUST_USE int wr_verify_tell(struct wr_verify *v, const struct wr_finding *finding,
                               struct weir_error *err);

/* Look at a partition: its small files, its segments and their indexes, and what else is in its folder. */
WR_MUST_USE int wr_verify_partition(struct wr_verify *v, const struct wr_survey_partition *p,
                                    struct weir_error *err);

#endif
