#include "base/writer.h"

#include <stdarg.h>
#include <stdio.h>

struct wr_writer wr_writer_over(void *base, size_t cap)
{
    return (struct wr_writer){.base = base, .cap = cap, .max = cap};
}

struct wr_writer wr_writer_growing(size_t max)
{
    return (struct wr_writer){.max = max, .is_own = true};
}

void wr_writer_fini(struct wr_writer *w)
{
    if (w->is_own) {
        wr_free(w->base);
    }
    *w = (struct wr_writer){.max = w->max, .is_own = w->is_own};
}

void wr_writer_reset(struct wr_writer *w)
{
    w->len = 0;
    w->spoiled = 0;
}

static bool grow(struct wr_writer *w, size_t need)
{
    size_t want = w->cap > w->max / 2 ? w->max : w->cap * 2;
    if (want < 256) {
        want = w->max < 256 ? w->max : 256;
    }
    if (want < need) {
        want = need;
    }
    uint8_t *bigger = wr_alloc_bytes(want);
    if (bigger == NULL) {
        w->spoiled = WEIR_E_NOMEM;
        return false;
    }
    if (w->len > 0) {
        memcpy(bigger, w->base, w->len);
    }
    wr_free(w->base);
    w->base = bigger;
    w->cap = want;
    return true;
}

uint8_t *wr_writer_room(struct wr_writer *w, size_t n)
{
    WR_ASSERT(w->len <= w->cap);
    if (w->spoiled != 0) {
        return NULL;
    }
    if (n > w->max - w->len) {
        w->spoiled = WEIR_E_LIMIT;
        return NULL;
    }
    if (n > w->cap - w->len && !grow(w, w->len + n)) {
        return NULL;
    }
    return w->base + w->len;
}

void wr_writer_advance(struct wr_writer *w, size_t n)
{
    WR_ASSERT(n <= w->cap - w->len);
    w->len += n;
}

static void put_be(struct wr_writer *w, uint64_t v, size_t n)
{
    uint8_t *p = wr_writer_room(w, n);
    if (p == NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    }
    w->len += n;
}

void wr_put_u8(struct wr_writer *w, uint8_t v)
{
    put_be(w, v, 1);
}

void wr_put_u16(struct wr_writer *w, uint16_t v)
{
    put_be(w, v, 2);
}

void wr_put_u32(struct wr_writer *w, uint32_t v)
{
    put_be(w, v, 4);
}

void wr_put_u64(struct wr_writer *w, uint64_t v)
{
    put_be(w, v, 8);
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

void wr_put_varlong(struct wr_writer *w, int64_t v)
{
    enum {
        LONGEST = 10
    };
    /* Near the maximum it must fit by its own length, which costs a count. */
    uint8_t *p = wr_writer_room(w, w->max - w->len < LONGEST ? wr_varint_len(v) : LONGEST);
    if (p == NULL) {
        return;
    }
    uint64_t z = zigzag(v);
    size_t n = 0;
    while (z >= 0x80) {
        p[n++] = (uint8_t)(z | 0x80U);
        z >>= 7;
    }
    p[n++] = (uint8_t)z;
    w->len += n;
}

void wr_put_varint(struct wr_writer *w, int32_t v)
{
    wr_put_varlong(w, v);
}

size_t wr_varint_len(int64_t v)
{
    size_t n = 1;
    for (uint64_t z = zigzag(v); z >= 0x80; z >>= 7) {
        n++;
    }
    return n;
}

void wr_put_bytes(struct wr_writer *w, struct wr_bytes b)
{
    uint8_t *p = wr_writer_room(w, b.len);
    if (p == NULL || b.len == 0) {
        return;
    }
    memcpy(p, b.ptr, b.len);
    w->len += b.len;
}

void wr_put_str(struct wr_writer *w, struct wr_str s)
{
    wr_put_bytes(w, wr_bytes_of_str(s));
}

void wr_put_fmt(struct wr_writer *w, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    WR_ASSERT(n >= 0);
    size_t len = (size_t)n;
    char *p = (char *)wr_writer_room(w, len + 1); /* vsnprintf writes a NUL, which is not counted */
    if (p == NULL) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(p, len + 1, fmt, args);
    va_end(args);
    w->len += len;
}

void wr_put_i64_text(struct wr_writer *w, int64_t v)
{
    char digits[20];
    size_t n = sizeof(digits);
    uint64_t left = v < 0 ? UINT64_C(0) - (uint64_t)v : (uint64_t)v;
    do {
        digits[--n] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (v < 0) {
        wr_put_u8(w, '-');
    }
    wr_put_str(w, (struct wr_str){digits + n, sizeof(digits) - n});
}

void wr_put_zeros(struct wr_writer *w, size_t n)
{
    uint8_t *p = wr_writer_room(w, n);
    if (p == NULL || n == 0) {
        return;
    }
    memset(p, 0, n);
    w->len += n;
}

static void patch_be(struct wr_writer *w, size_t at, uint64_t v, size_t n)
{
    if (w->spoiled != 0) {
        return;
    }
    WR_ASSERT(w->len >= n && at <= w->len - n);
    for (size_t i = 0; i < n; i++) {
        w->base[at + i] = (uint8_t)(v >> (8 * (n - 1 - i)));
    }
}

void wr_patch_u32(struct wr_writer *w, size_t at, uint32_t v)
{
    patch_be(w, at, v, 4);
}

void wr_patch_u64(struct wr_writer *w, size_t at, uint64_t v)
{
    patch_be(w, at, v, 8);
}

struct wr_bytes wr_writer_bytes(const struct wr_writer *w)
{
    return (struct wr_bytes){w->base, w->len};
}

struct wr_str wr_writer_str(const struct wr_writer *w)
{
    return (struct wr_str){(const char *)w->base, w->len};
}

int wr_writer_end(const struct wr_writer *w, struct weir_error *err)
{
    if (w->spoiled == WEIR_E_LIMIT) {
        return wr_fail(err, WEIR_E_LIMIT, "more than %zu bytes", w->max);
    }
    if (w->spoiled != 0) {
        return wr_fail(err, WEIR_E_NOMEM, "buffer of more than %zu bytes", w->len);
    }
    return 0;
}
