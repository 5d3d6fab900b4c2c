/*
 * clock.h - time, passed in: nothing in weir calls time() or clock_gettime() itself.
 *
 * Wall time is for people and records (milliseconds or microseconds since 1970, UTC; it may jump).
 * Monotonic time is for durations and deadlines (it never goes back; its zero means nothing).
 */
#ifndef WR_CLOCK_H
#define WR_CLOCK_H

#include "base/base.h"

struct wr_clock {
    int64_t (*wall_us)(const struct wr_clock *clock);
    int64_t (*mono_us)(const struct wr_clock *clock);
};

/* The machine's clocks. Static storage; any thread. */
const struct wr_clock *wr_clock_os(void);

/* Microseconds or milliseconds of each kind. */
static inline int64_t wr_wall_us(const struct wr_clock *clock)
{
    return clock->wall_us(clock);
}

static inline int64_t wr_wall_ms(const struct wr_clock *clock)
{
    return clock->wall_us(clock) / 1000;
}

static inline int64_t wr_mono_us(const struct wr_clock *clock)
{
    return clock->mono_us(clock);
}

static inline int64_t wr_mono_ms(const struct wr_clock *clock)
{
    return clock->mono_us(clock) / 1000;
}

/* A clock that stands still until it is told (tests, simulation). Embed it; pass &manual.clock. */
struct wr_manual_clock {
    struct wr_clock clock; /* first */
    int64_t wall_now_us;
    int64_t mono_now_us;
};

/* A manual clock at `wall_us`, monotonic zero. */
struct wr_manual_clock wr_manual_clock_of(int64_t wall_us);

/* Let both of its clocks go on by `us`. */
void wr_manual_clock_advance(struct wr_manual_clock *clock, int64_t us);

#endif
