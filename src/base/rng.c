#include "base/rng.h"

#include <sys/random.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct wr_rng wr_rng_of(uint64_t seed)
{
    struct wr_rng rng;
    for (size_t i = 0; i < 4; i++) {
        rng.s[i] = splitmix64(&seed);
    }
    return rng;
}

struct wr_rng wr_rng_os(void)
{
    uint64_t seed = 0;
    ssize_t n = getrandom(&seed, sizeof(seed), 0);
    WR_ASSERT(n == (ssize_t)sizeof(seed)); /* up to 256 bytes never come short, getrandom(2) */
    return wr_rng_of(seed);
}

static uint64_t rotate_left(uint64_t x, unsigned k)
{
    return x << k | x >> (64 - k);
}

uint64_t wr_rng_next(struct wr_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t wr_rng_below(struct wr_rng *rng, uint64_t n)
{
    WR_ASSERT(n > 0);
    uint64_t limit = UINT64_MAX - UINT64_MAX % n; /* a multiple of n; above it would be biased */
    uint64_t v = wr_rng_next(rng);
    while (v >= limit) {
        v = wr_rng_next(rng);
    }
    return v % n;
}

void wr_rng_bytes(struct wr_rng *rng, void *out, size_t len)
{
    uint8_t *p = out;
    while (len > 0) {
        uint64_t v = wr_rng_next(rng);
        size_t n = len < sizeof(v) ? len : sizeof(v);
        memcpy(p, &v, n);
        p += n;
        len -= n;
    }
}
