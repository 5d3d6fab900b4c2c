/*
 * poke.h - makes the descriptor of a writer or a reader readable, and unreadable again.
 *
 * A descriptor is readable exactly while there is something to take: so it is written before the lock is
 * let go under which that became visible. While a round is published, pokes are collected and delivered
 * last, so that who wakes does not find the lock held for long.
 */
#ifndef WR_EMBEDDED_POKE_H
#define WR_EMBEDDED_POKE_H

#include "base/wake.h"

struct wr_embedded;

/* Embedded in a writer or a reader. L guards all but `wake`, which does not change. */
struct wr_poke {
    struct wr_wake wake;
    bool is_signalled; /* readable, or collected to be */
    struct wr_poke *next;
};

/* Make it readable: now, or at the end of the round that is being published. L. */
void wr_poke(struct wr_embedded *e, struct wr_poke *poke);

/* Make it unreadable. L. */
void wr_poke_calm(struct wr_poke *poke);

/* Begin to collect; deliver what was collected. L is held from the first to the second. */
void wr_poke_collect(struct wr_embedded *e);
void wr_poke_deliver(struct wr_embedded *e);

#endif
