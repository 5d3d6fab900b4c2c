#include "base/reader.h"

#include <string.h>

struct wr_reader wr_reader_of(struct wr_bytes in)
{
    return (struct wr_reader){.base = in.ptr, .len = in.len};
}

/* The only place that moves `pos`. Subtracts, because `pos + n` could wrap. */
static const uint8_t *take(struct wr_reader *r, size_t n, const char *what)
{
    WR_ASSERT(r->pos <= r->len);
    if (r->what != NULL) {
        return NULL;
    }
    if (n > r->len - r->pos) {
        r->what = what;
        return NULL;
    }
    const uint8_t *p = r->base + r->pos;
    r->pos += n;
    return p;
}

static uint64_t take_be(struct wr_reader *r, size_t n, const char *what)
{
    WR_ASSERT(n <= 8);
    const uint8_t *p = take(r, n, what);
    uint64_t value = 0;
    for (size_t i = 0; p != NULL && i < n; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

uint8_t wr_read_u8(struct wr_reader *r, const char *what)
{
    return (uint8_t)take_be(r, 1, what);
}

uint16_t wr_read_u16(struct wr_reader *r, const char *what)
{
    return (uint16_t)take_be(r, 2, what);
}

uint32_t wr_read_u32(struct wr_reader *r, const char *what)
{
    return (uint32_t)take_be(r, 4, what);
}

uint64_t wr_read_u64(struct wr_reader *r, const char *what)
{
    return take_be(r, 8, what);
}

int8_t wr_read_i8(struct wr_reader *r, const char *what)
{
    return (int8_t)wr_read_u8(r, what);
}

int16_t wr_read_i16(struct wr_reader *r, const char *what)
{
    return (int16_t)wr_read_u16(r, what);
}

int32_t wr_read_i32(struct wr_reader *r, const char *what)
{
    return (int32_t)wr_read_u32(r, what);
}

int64_t wr_read_i64(struct wr_reader *r, const char *what)
{
    return (int64_t)wr_read_u64(r, what);
}

/* Groups of 7 bits, least first; at most `bits` bits. The last byte of a full-width number may
 * carry only the bits that are left. Padded encodings are taken, as Kafka takes them. */
static uint64_t take_varint(struct wr_reader *r, unsigned bits, const char *what)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        const uint8_t *p = take(r, 1, what);
        if (p == NULL) {
            return 0;
        }
        uint64_t group = *p & 0x7fU;
        if (bits - shift < 7 && group >> (bits - shift) != 0) {
            break;
        }
        value |= group << shift;
        if ((*p & 0x80U) == 0) {
            return value;
        }
    }
    wr_reader_spoil(r, what);
    return 0;
}

int32_t wr_read_long_varint(struct wr_reader *r, const char *what)
{
    uint32_t z = (uint32_t)take_varint(r, 32, what);
    return (int32_t)(z >> 1 ^ (0U - (z & 1U)));
}

int64_t wr_read_long_varlong(struct wr_reader *r, const char *what)
{
    uint64_t z = take_varint(r, 64, what);
    return (int64_t)(z >> 1 ^ (UINT64_C(0) - (z & 1U)));
}

struct wr_str wr_read_cstr(struct wr_reader *r, const char *what)
{
    size_t left = wr_reader_left(r);
    const uint8_t *end = left > 0 ? memchr(r->base + r->pos, 0, left) : NULL;
    if (end == NULL) {
        (void)take(r, SIZE_MAX, what); /* no NUL: spoil the reader */
        return (struct wr_str){"", 0};
    }
    size_t len = (size_t)(end - (r->base + r->pos));
    const uint8_t *p = take(r, len + 1, what);
    return p == NULL ? (struct wr_str){"", 0} : (struct wr_str){(const char *)p, len};
}

size_t wr_read_count(struct wr_reader *r, size_t item_min, const char *what)
{
    size_t count = wr_read_u16(r, what);
    return wr_reader_holds(r, count, item_min, what) ? count : 0;
}

bool wr_reader_holds(struct wr_reader *r, size_t count, size_t item_min, const char *what)
{
    WR_ASSERT(item_min > 0);
    if (r->what == NULL && count > (r->len - r->pos) / item_min) {
        r->what = what;
    }
    return r->what == NULL;
}

size_t wr_reader_left(const struct wr_reader *r)
{
    return r->what == NULL ? r->len - r->pos : 0;
}

void wr_reader_spoil(struct wr_reader *r, const char *what)
{
    if (r->what == NULL) {
        r->what = what;
    }
}

int wr_reader_ok(const struct wr_reader *r, struct weir_error *err)
{
    if (r->what != NULL) {
        return wr_fail(err, WEIR_E_CORRUPT, "%s does not fit: byte %zu of %zu", r->what, r->pos,
                       r->len);
    }
    return 0;
}

int wr_reader_end(const struct wr_reader *r, struct weir_error *err)
{
    if (r->what == NULL && r->pos != r->len) {
        return wr_fail(err, WEIR_E_CORRUPT, "%zu bytes too many after byte %zu", r->len - r->pos,
                       r->pos);
    }
    return wr_reader_ok(r, err);
}
