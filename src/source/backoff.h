/*
 * backoff.h - how long to wait before the next try: longer each time, with jitter, capped. Pure.
 */
#ifndef WR_BACKOFF_H
#define WR_BACKOFF_H

#include "base/rng.h"

enum {
    WR_BACKOFF_FIRST_MS = 100,
    WR_BACKOFF_MAX_MS = 10000
};

struct wr_backoff {
    uint64_t attempts; /* waits in a row */
    int64_t wait_ms;   /* the last one */
};

/* The next wait: about 100 ms, twice as long each time, 10 s at most; of that, half is fixed and half is
 * random, so that many who lost the same server do not come back at once. */
int64_t wr_backoff_next(struct wr_backoff *backoff, struct wr_rng *rng);

/* It went well: begin anew. */
void wr_backoff_reset(struct wr_backoff *backoff);

#endif
