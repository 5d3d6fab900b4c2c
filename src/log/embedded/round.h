/*
 * round.h - one round: the commits that wait become durable together, and are seen together.
 *
 *     take      from the queue, as many as fit one gathered write of the journal
 *     admit     is it still possible? the first checkpoint is done; roll, reserve room, give offsets and places
 *     place     large parts: straight to their segments, synced
 *     journal   one entry a commit, one write
 *     segments  the same bytes, through the page cache, while
 *     sync      the journal is synced (by the durability)
 *     publish   ends, transactions, indexes, answers: under one hold of the lock
 *     tidy      seal segments that were rolled, write out full index tails
 */
#ifndef WR_EMBEDDED_ROUND_H
#define WR_EMBEDDED_ROUND_H

#include "log/embedded/commit.h"

/* One round, or the sync that an interval asks for. Takes S. Returns as wr_embedded_step(). */
WR_MUST_USE int wr_round_step(struct wr_embedded *e, struct weir_error *err);

/* When the next step may have something to do although nothing is handed over: monotonic ms, INT64_MAX
 * for never. L. */
int64_t wr_round_due_ms(const struct wr_embedded *e);

/* Memory of the round. */
WR_MUST_USE int wr_round_open(struct wr_embedded *e, struct weir_error *err);
void wr_round_close(struct wr_embedded *e);

#endif
