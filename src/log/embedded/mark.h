/*
 * mark.h - a writer's marked transaction: which partitions have records of it, and how it ends.
 *
 * Each has a producer id of its own. Its batches are transactional ones; its end puts a marker in front of
 * what is pending in each partition, all in one commit. What nobody ends, the engine aborts.
 */
#ifndef WR_EMBEDDED_MARK_H
#define WR_EMBEDDED_MARK_H

#include "log/embedded/writer.h"

/* Remember where a sealed commit of the transaction has records. WEIR_E_NOMEM. */
WR_MUST_USE int wr_mark_note(struct wr_embedded_writer *w, const struct wr_commit *commit,
                             struct weir_error *err);

/* Forget the transaction, which is ended or handed over to be. */
void wr_mark_forget(struct wr_embedded_writer *w);

/* A commit was answered REWIND: what is pending goes too, and the transaction is aborted. */
void wr_mark_rewind(struct wr_embedded_writer *w);

/* log_ops.h */
int wr_embedded_writer_mark(struct wr_log_writer *writer, struct weir_error *err);
int wr_embedded_writer_end(struct wr_log_writer *writer, bool keep, uint64_t *out,
                           struct weir_error *err);

#endif
