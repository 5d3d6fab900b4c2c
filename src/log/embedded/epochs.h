/*
 * epochs.h - the leader epochs of a partition: leader-epoch-checkpoint, as Kafka writes it.
 *
 *     0                 version
 *     2                 how many lines follow
 *     0 0               epoch, first offset of it
 *     3 1207
 *
 * The log itself says the same (each batch carries its epoch), so the file is made anew from it when it
 * is missing or wrong. The last epoch is also in memory and in checkpoints; the file gets it at the next.
 */
#ifndef WR_EMBEDDED_EPOCHS_H
#define WR_EMBEDDED_EPOCHS_H

#include "log/embedded/state.h"

struct wr_epoch {
    int32_t epoch;
    int64_t start; /* first offset */
};

/* All epochs of a partition, ascending, the one in memory too. `out`: owned by the caller (wr_free); may
 * be none. Blocks on disk. WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_epochs_load(struct wr_embedded *e, struct wr_partition *p, struct wr_epoch **out,
                               size_t *count, struct weir_error *err);

/* Write the file when it lacks something; epochs that ended at or before the log start are left out. K.
 * Blocks on disk. */
WR_MUST_USE int wr_epochs_save(struct wr_embedded *e, struct wr_partition *p,
                               struct weir_error *err);

/* Read the text. `out`: owned by the caller (wr_free). WEIR_E_CORRUPT, WEIR_E_NOMEM. */
WR_MUST_USE int wr_epochs_decode(struct wr_str text, struct wr_epoch **out, size_t *count,
                                 struct weir_error *err);

/* log_ops.h */
int wr_embedded_epoch_end(struct wr_log *log, const struct wr_log_topic *handle, uint32_t partition,
                          int32_t leader_epoch, int64_t *out, struct weir_error *err);

#endif
