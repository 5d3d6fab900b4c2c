/*
 * writer.h - writes fields into bytes: the counterpart of reader.h, and the only growing buffer.
 *
 * A writer has a maximum from the start and is sticky: a write that does not fit (over the maximum,
 * or out of memory) writes nothing and spoils it, and so do all later ones. Write straight down and
 * ask once, in wr_writer_end().
 *
 * Two kinds. wr_writer_over() writes into the caller's memory and never grows. wr_writer_growing()
 * owns its memory and grows up to `max`; let go with wr_writer_fini(). wr_writer_reset() keeps the
 * memory for the next use.
 *
 * Numbers are big-endian; varints as in reader.h.
 */
#ifndef WR_WRITER_H
#define WR_WRITER_H

#include "base/error.h"

struct wr_writer {
    uint8_t *base;
    size_t len;  /* bytes written */
    size_t cap;  /* bytes allocated or given */
    size_t max;  /* never more than this */
    bool is_own; /* `base` is ours to grow and free */
    int spoiled; /* 0, or the WEIR_E_ code of the first write that failed */
};

/* A writer over `cap` bytes of the caller's, borrowed while it is used. */
struct wr_writer wr_writer_over(void *base, size_t cap);

/* A writer that owns its memory and grows up to `max` bytes. Cannot fail; allocates when used. */
struct wr_writer wr_writer_growing(size_t max);

/* Free what it owns. Takes a zeroed one. */
void wr_writer_fini(struct wr_writer *w);

/* Back to empty and good; keeps the memory. */
void wr_writer_reset(struct wr_writer *w);

/* Make room for `n` more bytes and return where they start, without counting them as written; for
 * code that fills memory itself. NULL when spoiled. Valid until the next write; then call
 * wr_writer_advance() with at most `n`. */
WR_MUST_USE uint8_t *wr_writer_room(struct wr_writer *w, size_t n);
void wr_writer_advance(struct wr_writer *w, size_t n);

/* One fixed-width number each. */
void wr_put_u8(struct wr_writer *w, uint8_t v);
void wr_put_u16(struct wr_writer *w, uint16_t v);
void wr_put_u32(struct wr_writer *w, uint32_t v);
void wr_put_u64(struct wr_writer *w, uint64_t v);

/* Zigzag varints, and how many bytes one takes. */
void wr_put_varint(struct wr_writer *w, int32_t v);
void wr_put_varlong(struct wr_writer *w, int64_t v);
size_t wr_varint_len(int64_t v);

/* Bytes or text as they are. `wr_put_lit` takes a string literal. */
void wr_put_bytes(struct wr_writer *w, struct wr_bytes b);
void wr_put_str(struct wr_writer *w, struct wr_str s);
#define wr_put_lit(w, literal) wr_put_str((w), WR_STR(literal))

/* Text by printf. */
void wr_put_fmt(struct wr_writer *w, const char *fmt, ...) WR_PRINTF(2, 3);

/* Decimal digits of `v`; faster than wr_put_fmt(). */
void wr_put_i64_text(struct wr_writer *w, int64_t v);

/* `n` zero bytes. */
void wr_put_zeros(struct wr_writer *w, size_t n);

/* Overwrite an already written number at byte `at`; asserts that it lies within what was written. */
void wr_patch_u32(struct wr_writer *w, size_t at, uint32_t v);
void wr_patch_u64(struct wr_writer *w, size_t at, uint64_t v);

/* What was written so far; borrowed until the next write. */
struct wr_bytes wr_writer_bytes(const struct wr_writer *w);
struct wr_str wr_writer_str(const struct wr_writer *w);

/* 0 when all fitted, else WEIR_E_LIMIT or WEIR_E_NOMEM naming the maximum. */
WR_MUST_USE int wr_writer_end(const struct wr_writer *w, struct weir_error *err);

#endif
