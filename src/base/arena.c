#include "base/arena.h"

#include <stdalign.h>

enum {
    BLOCK_BYTES = 32 * 1024
};

struct wr_arena_block {
    struct wr_arena_block *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) uint8_t data[];
};

struct wr_arena wr_arena_of(size_t max_bytes)
{
    return (struct wr_arena){.max_bytes = max_bytes};
}

static struct wr_arena_block *add_block(struct wr_arena *arena, size_t bytes)
{
    size_t cap = bytes < BLOCK_BYTES ? BLOCK_BYTES : bytes;
    size_t total;
    if (!wr_add(sizeof(struct wr_arena_block), cap, &total)) {
        return NULL;
    }
    struct wr_arena_block *block = wr_alloc_array(1, total);
    if (block == NULL) {
        return NULL;
    }
    block->cap = cap;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *wr_arena_array(struct wr_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (!wr_mul(count, size, &bytes) || !wr_add(bytes, alignof(max_align_t) - 1, &bytes)) {
        return NULL;
    }
    bytes &= ~(alignof(max_align_t) - 1);
    if (bytes > arena->max_bytes - arena->used_bytes) {
        return NULL;
    }
    struct wr_arena_block *block = arena->blocks;
    if (block == NULL || bytes > block->cap - block->used) {
        block = add_block(arena, bytes);
        if (block == NULL) {
            return NULL;
        }
    }
    uint8_t *p = block->data + block->used;
    block->used += bytes;
    arena->used_bytes += bytes;
    memset(p, 0, bytes);
    return p;
}

char *wr_arena_str(struct wr_arena *arena, struct wr_str s)
{
    size_t bytes;
    char *copy = wr_add(s.len, 1, &bytes) ? wr_arena_array(arena, bytes, 1) : NULL;
    if (copy != NULL && s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return copy;
}

void wr_arena_reset(struct wr_arena *arena)
{
    struct wr_arena_block *kept = arena->blocks;
    while (kept != NULL && kept->next != NULL) {
        struct wr_arena_block *next = kept->next;
        wr_free(kept);
        kept = next;
    }
    if (kept != NULL) {
        kept->used = 0;
    }
    arena->blocks = kept;
    arena->used_bytes = 0;
}

void wr_arena_fini(struct wr_arena *arena)
{
    wr_arena_reset(arena);
    wr_free(arena->blocks);
    arena->blocks = NULL;
}
