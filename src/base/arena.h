/*
 * arena.h - memory for one unit of work: a batch, a request, a transaction.
 *
 * Nothing in it is freed alone; wr_arena_reset() lets all go at once and keeps the first block for
 * the next unit. The maximum is given at init; beyond it, and out of memory, an allocation is NULL.
 *
 * Thread: one at a time.
 */
#ifndef WR_ARENA_H
#define WR_ARENA_H

#include "base/base.h"

struct wr_arena_block;

struct wr_arena {
    struct wr_arena_block *blocks; /* newest first */
    size_t used_bytes;             /* asked for since the last reset */
    size_t max_bytes;
};

/* An arena that hands out at most `max_bytes` between two resets. Cannot fail. */
struct wr_arena wr_arena_of(size_t max_bytes);

/* `count` zeroed items of `size` bytes, aligned for any type; borrowed until the next reset. NULL
 * when over the maximum, out of memory, or when count * size overflows. */
WR_MUST_USE void *wr_arena_array(struct wr_arena *arena, size_t count, size_t size);

/* A NUL-terminated copy of `s`; borrowed until the next reset. NULL as above. */
WR_MUST_USE char *wr_arena_str(struct wr_arena *arena, struct wr_str s);

/* Let go of everything handed out; keeps one block. */
void wr_arena_reset(struct wr_arena *arena);

/* Free all. Takes a zeroed one. */
void wr_arena_fini(struct wr_arena *arena);

#endif
