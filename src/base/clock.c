#include "base/clock.h"

#include <time.h>

static int64_t read_us(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);
    WR_ASSERT(rc == 0);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t os_wall_us(const struct wr_clock *clock)
{
    WR_UNUSED(clock);
    return read_us(CLOCK_REALTIME);
}

static int64_t os_mono_us(const struct wr_clock *clock)
{
    WR_UNUSED(clock);
    return read_us(CLOCK_MONOTONIC);
}

const struct wr_clock *wr_clock_os(void)
{
    static const struct wr_clock os = {os_wall_us, os_mono_us};
    return &os;
}

static int64_t manual_wall_us(const struct wr_clock *clock)
{
    return ((const struct wr_manual_clock *)(const void *)clock)->wall_now_us;
}

static int64_t manual_mono_us(const struct wr_clock *clock)
{
    return ((const struct wr_manual_clock *)(const void *)clock)->mono_now_us;
}

struct wr_manual_clock wr_manual_clock_of(int64_t wall_us)
{
    return (struct wr_manual_clock){{manual_wall_us, manual_mono_us}, wall_us, 0};
}

void wr_manual_clock_advance(struct wr_manual_clock *clock, int64_t us)
{
    clock->wall_now_us += us;
    clock->mono_now_us += us;
}
