/*
 * fill.h - the commit that a writer fills: records go into batches, one run of them for each partition.
 */
#ifndef WR_EMBEDDED_FILL_H
#define WR_EMBEDDED_FILL_H

#include "log/embedded/writer.h"

/* The most bytes that a batch of this writer may have. */
size_t wr_fill_batch_max(const struct wr_embedded_writer *w);

/* The partition in the writer's marked transaction; borrowed; NULL when it is not in it. */
struct wr_marked *wr_fill_marked(struct wr_embedded_writer *w, struct wr_topic_state *topic,
                                 uint32_t partition);

/* Make the bytes of each part of the commit: with `is_marked`, as part of the marked transaction. May be
 * done again. WEIR_E_NOMEM, WEIR_E_LIMIT: nothing is lost. */
WR_MUST_USE int wr_fill_seal(struct wr_embedded_writer *w, struct wr_commit *commit, bool is_marked,
                             struct weir_error *err);

/* log_ops.h */
int wr_embedded_append(struct wr_log_writer *writer, struct wr_log_topic *handle,
                       uint32_t partition, const struct wr_record *record, struct weir_error *err);
size_t wr_embedded_writer_pending(const struct wr_log_writer *writer, size_t *bytes);
void wr_embedded_writer_drop(struct wr_log_writer *writer);

#endif
