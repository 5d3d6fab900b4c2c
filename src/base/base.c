#include "base/base.h"

#include <stdio.h>
#include <string.h>

_Thread_local size_t wr_test_fail_alloc_at;

void wr_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "weir: %s:%d: assertion failed: %s\n", file, line, cond);
    abort();
}

bool wr_str_eq(struct wr_str a, struct wr_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

void *wr_alloc_array(size_t count, size_t size)
{
    if (wr_test_fail_alloc_at > 0 && --wr_test_fail_alloc_at == 0) {
        return NULL;
    }
    return calloc(count, size);
}

void *wr_alloc_bytes(size_t len)
{
    if (wr_test_fail_alloc_at > 0 && --wr_test_fail_alloc_at == 0) {
        return NULL;
    }
    return malloc(len);
}

bool wr_bytes_eq(struct wr_bytes a, struct wr_bytes b)
{
    return wr_str_eq(wr_str_of_bytes(a), wr_str_of_bytes(b));
}

struct wr_str wr_str_of(const char *text)
{
    return (struct wr_str){text, text == NULL ? 0 : strlen(text)};
}

bool wr_grow(void *array, size_t *cap, size_t need, size_t size, size_t max)
{
    void **slot = array;
    if (need <= *cap) {
        return true;
    }
    if (need > max) {
        return false;
    }
    size_t want = *cap > max / 2 ? max : *cap + *cap / 2 + 8;
    if (want < need) {
        want = need;
    }
    if (want > max) {
        want = max;
    }
    char *grown = wr_alloc_array(want, size);
    if (grown == NULL) {
        return false;
    }
    if (*slot != NULL) {
        memcpy(grown, *slot, *cap * size);
        wr_free(*slot);
    }
    *slot = grown;
    *cap = want;
    return true;
}

char *wr_strdup(struct wr_str s)
{
    char *copy = s.len == SIZE_MAX ? NULL : wr_alloc_array(s.len + 1, 1);
    if (copy != NULL && s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return copy;
}

void wr_free(void *ptr)
{
    free(ptr);
}
