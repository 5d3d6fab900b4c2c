/*
 * reader.h - reads fields out of bytes that came from outside.
 *
 * A read that does not fit takes nothing, returns zero or an empty slice, and spoils the
 * reader: every later read fails too. So a decoder reads straight down and asks once, in
 * wr_reader_end(). One thing may not wait for the end: a number that sizes memory or bounds a
 * loop. Read it with wr_read_count() or check it with wr_reader_holds(), which answer "no" unless
 * the bytes left can hold that many.
 *
 * Numbers are big-endian unless the name says `le`. Varints are Kafka's: groups of 7 bits, least
 * first, zigzag for signed ones (protobuf encoding, KIP-98).
 *
 * Never reads outside [base, base + len). Allocates nothing. Returned slices are borrowed from
 * `base` and live as long as it does. `what` is a string literal that names the field, for the
 * error text.
 */
#ifndef WR_READER_H
#define WR_READER_H

#include "base/error.h"

struct wr_reader {
    const uint8_t *base;
    size_t len;       /* bytes */
    size_t pos;       /* next byte to read; pos <= len */
    const char *what; /* the field at which it was spoiled, or NULL while good */
};

/* A reader at the first byte of `in`, which stays borrowed. */
struct wr_reader wr_reader_of(struct wr_bytes in);

/* One fixed-width number each; 0 when it does not fit. */
uint8_t wr_read_u8(struct wr_reader *r, const char *what);
uint16_t wr_read_u16(struct wr_reader *r, const char *what);
uint32_t wr_read_u32(struct wr_reader *r, const char *what);
uint64_t wr_read_u64(struct wr_reader *r, const char *what);
int8_t wr_read_i8(struct wr_reader *r, const char *what);
int16_t wr_read_i16(struct wr_reader *r, const char *what);
int32_t wr_read_i32(struct wr_reader *r, const char *what);
int64_t wr_read_i64(struct wr_reader *r, const char *what);

/* Of any length: what wr_read_varint() and wr_read_varlong() do when one byte is not enough. */
int32_t wr_read_long_varint(struct wr_reader *r, const char *what);
int64_t wr_read_long_varlong(struct wr_reader *r, const char *what);

/* Is the next varint one byte? Most are; so this much of them is inline. */
static inline bool wr_reader_at_short(const struct wr_reader *r)
{
    return r->what == NULL && r->pos < r->len && r->base[r->pos] < 0x80;
}

/* Zigzag varints of at most 32 / 64 bits; longer ones spoil the reader. */
static inline int32_t wr_read_varint(struct wr_reader *r, const char *what)
{
    if (!wr_reader_at_short(r)) {
        return wr_read_long_varint(r, what);
    }
    uint32_t z = r->base[r->pos++];
    return (int32_t)(z >> 1 ^ (0U - (z & 1U)));
}

static inline int64_t wr_read_varlong(struct wr_reader *r, const char *what)
{
    return wr_reader_at_short(r) ? wr_read_varint(r, what) : wr_read_long_varlong(r, what);
}

/* `len` bytes as they are, borrowed from the input. */
static inline struct wr_bytes wr_read_bytes(struct wr_reader *r, size_t len, const char *what)
{
    if (r->what != NULL || len > r->len - r->pos) {
        r->what = r->what == NULL ? what : r->what;
        return (struct wr_bytes){NULL, 0};
    }
    const uint8_t *p = r->base + r->pos;
    r->pos += len;
    return (struct wr_bytes){p, len};
}

/* Text up to a NUL, which is eaten but not returned; borrowed from the input. */
struct wr_str wr_read_cstr(struct wr_reader *r, const char *what);

/* A u16 count of items, each at least `item_min` bytes (1 or more) on the wire. */
size_t wr_read_count(struct wr_reader *r, size_t item_min, const char *what);

/* Can the bytes left hold `count` items of at least `item_min` bytes? If not, spoils the reader. */
WR_MUST_USE bool wr_reader_holds(struct wr_reader *r, size_t count, size_t item_min,
                                 const char *what);

/* Bytes not yet read; 0 once spoiled. */
size_t wr_reader_left(const struct wr_reader *r);

/* Spoil the reader: what was read breaks a rule that the caller knows. */
void wr_reader_spoil(struct wr_reader *r, const char *what);

/* 0 when every read fitted and no byte is left, else WEIR_E_CORRUPT naming field and position. */
WR_MUST_USE int wr_reader_end(const struct wr_reader *r, struct weir_error *err);

/* As wr_reader_end(), but bytes may be left. */
WR_MUST_USE int wr_reader_ok(const struct wr_reader *r, struct weir_error *err);

#endif
