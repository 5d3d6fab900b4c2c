/*
 * rng.h - random numbers, passed in. Seeded, a run can be repeated; wr_rng_os() seeds from the kernel.
 *
 * xoshiro256** 1.0 (Blackman, Vigna; public domain description), seeded by splitmix64. Not for keys.
 * Thread: one at a time.
 */
#ifndef WR_RNG_H
#define WR_RNG_H

#include "base/base.h"

struct wr_rng {
    uint64_t s[4];
};

/* The sequence of `seed`. */
struct wr_rng wr_rng_of(uint64_t seed);

/* A sequence that nobody knows: seeded by getrandom(). */
struct wr_rng wr_rng_os(void);

/* The next 64 bits. */
uint64_t wr_rng_next(struct wr_rng *rng);

/* A number in 0 .. n-1 without bias; n is 1 or more. */
uint64_t wr_rng_below(struct wr_rng *rng, uint64_t n);

/* Random bytes, for ids (UUID version 4 needs its version bits set by the caller). */
void wr_rng_bytes(struct wr_rng *rng, void *out, size_t len);

#endif
