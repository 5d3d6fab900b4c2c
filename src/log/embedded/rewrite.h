/*
 * rewrite.h - internal topics keep the newest record of each key, not all: when their active segment is full,
 * the live records are written anew at the start of the next one, and the log starts there.
 *
 * It is one round of its own: no append comes between what is read and what is written, and one journal
 * entry holds the new records and the new start. Memory is bounded; a topic with more live records than
 * that rolls like any other, and keeps all.
 */
#ifndef WR_EMBEDDED_REWRITE_H
#define WR_EMBEDDED_REWRITE_H

#include "log/embedded/commit.h"

/* Is this partition rewritten rather than rolled when `len` more bytes would make its segment too large? S. */
bool wr_rewrite_wants(const struct wr_partition *p, uint64_t len);

/* Remember to rewrite it when this round is over. S. */
void wr_rewrite_ask(struct wr_embedded *e, struct wr_partition *p);

/* The next that is to be rewritten, with a reference on its topic; NULL: none. S. */
struct wr_partition *wr_rewrite_next(struct wr_embedded *e);

/* Make the commit that rewrites it. NULL when it cannot be now; it is asked again later. S. Blocks on disk. */
struct wr_commit *wr_rewrite_commit(struct wr_embedded *e, struct wr_partition *p);

/* The commit was done or refused. S. */
void wr_rewrite_done(struct wr_embedded *e, struct wr_partition *p, const struct wr_commit *commit);

#endif
