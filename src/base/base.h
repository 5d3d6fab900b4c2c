/* base.h - what every file of weir may use. Knows nothing of logs, Kafka or databases. */
#ifndef WR_BASE_H
#define WR_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "weir/error.h"

#define WR_MUST_USE     __attribute__((warn_unused_result))
#define WR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define WR_CLEANUP(fn)  __attribute__((cleanup(fn)))
#define WR_UNUSED(x)    ((void)(x))

/* Hand *from over to *to and zero *from, so that a WR_CLEANUP on it has nothing left to do. */
#define WR_MOVE(to, from) (*(to) = *(from), (void)memset((from), 0, sizeof(*(from))))

/* Programmer errors only, and kept in release builds. Never on bytes from outside. */
#define WR_ASSERT(cond) ((cond) ? (void)0 : wr_assert_failed(#cond, __FILE__, __LINE__))

/* Say which assertion failed and abort. Never returns. */
_Noreturn void wr_assert_failed(const char *cond, const char *file, int line);

/* A borrowed run of bytes / text. Not NUL-terminated. `ptr` may be NULL when `len` is 0. */
struct wr_bytes {
    const uint8_t *ptr;
    size_t len;
};
struct wr_str {
    const char *ptr;
    size_t len;
};
#define WR_STR_INIT(literal)            \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    } /* for static tables */
#define WR_STR(literal) ((struct wr_str)WR_STR_INIT(literal))
/* printf("%.*s", WR_FMT(s)); clamps, so a length above INT_MAX cannot turn negative. */
#define WR_FMT(s) (int)((s).len > 4096 ? 4096 : (s).len), (s).ptr

/* Byte for byte equal. */
bool wr_str_eq(struct wr_str a, struct wr_str b);
bool wr_bytes_eq(struct wr_bytes a, struct wr_bytes b);

/* A borrowed view of a NUL-terminated text; NULL gives {NULL, 0}. */
struct wr_str wr_str_of(const char *text);

/* The same memory seen as bytes or as text. */
static inline struct wr_bytes wr_bytes_of_str(struct wr_str s)
{
    return (struct wr_bytes){(const uint8_t *)s.ptr, s.len};
}

static inline struct wr_str wr_str_of_bytes(struct wr_bytes b)
{
    return (struct wr_str){(const char *)b.ptr, b.len};
}

/* *out = a + b or a * b. False, with *out untouched, when the result does not fit. */
WR_MUST_USE static inline bool wr_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum)) {
        return false;
    }
    *out = sum;
    return true;
}

WR_MUST_USE static inline bool wr_mul(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product)) {
        return false;
    }
    *out = product;
    return true;
}

/* Memory. Goes through these two so that tests can fail the n-th allocation.
 * wr_alloc_array returns zeroed memory, or NULL when out of memory or count * size overflows. */
WR_MUST_USE void *wr_alloc_array(size_t count, size_t size);

/* `len` bytes whose contents are not set, for buffers that are written before they are read; owned by the
 * caller (wr_free), or NULL. */
WR_MUST_USE void *wr_alloc_bytes(size_t len);

/* Free what one of them gave. Takes NULL. */
void wr_free(void *ptr);

/* Make `*array` (elements of `size` bytes, `*cap` of them) hold at least `need` elements, growing by
 * half; new room is zeroed. False when out of memory or over `max`, with both untouched. */
WR_MUST_USE bool wr_grow(void *array, size_t *cap, size_t need, size_t size, size_t max);

/* A NUL-terminated copy, owned by the caller (free with wr_free), or NULL when out of memory. */
WR_MUST_USE char *wr_strdup(struct wr_str s);
extern _Thread_local size_t
    wr_test_fail_alloc_at; /* 0 = off; n = the n-th allocation from now returns NULL */

#endif
