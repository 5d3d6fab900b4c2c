/*
 * retention.h - what goes by time and size, and when the next may.
 *
 * A segment goes in this order: the log start moves past it (a journal entry), a checkpoint holds that,
 * the segment leaves the list, its files are renamed, and after file.delete.delay.ms removed.
 */
#ifndef WR_EMBEDDED_RETENTION_H
#define WR_EMBEDDED_RETENTION_H

#include "log/embedded/state.h"

/* One pass, as of the clock; sets the time of the next one. No lock held. Returns as
 * wr_embedded_retain(). */
WR_MUST_USE int wr_retain(struct wr_embedded *e, struct weir_error *err);

/* Something changed that may bring the next pass forward: a segment got its first batch, or was rolled.
 * L. */
void wr_retain_consider(struct wr_embedded *e);

/* The log stops before the pass that would have done it: remove what a crash left in folders of partitions, make
 * small indexes that are missing, and drop segments before the log start. No other thread uses the log. Blocks on
 * disk. */
void wr_retain_close(struct wr_embedded *e);

/* The log was opened: the first pass is soon, so that an idle log comes to rest. */
void wr_retain_begin(struct wr_embedded *e);

#endif
