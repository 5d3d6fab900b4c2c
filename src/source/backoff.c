#include "source/backoff.h"

int64_t wr_backoff_next(struct wr_backoff *backoff, struct wr_rng *rng)
{
    int64_t full = WR_BACKOFF_FIRST_MS;
    for (uint64_t i = 0; i < backoff->attempts && full < WR_BACKOFF_MAX_MS; i++) {
        full *= 2;
    }
    full = full < WR_BACKOFF_MAX_MS ? full : WR_BACKOFF_MAX_MS;
    backoff->attempts++;
    backoff->wait_ms = full / 2 + (int64_t)wr_rng_below(rng, (uint64_t)(full - full / 2) + 1);
    return backoff->wait_ms;
}

void wr_backoff_reset(struct wr_backoff *backoff)
{
    *backoff = (struct wr_backoff){0};
}
