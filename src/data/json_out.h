/*
 * json_out.h - the pieces of JSON as Jackson writes them, for writers that are in a hurry; json_text.h has the
 * plain ones.
 *
 * struct wr_json_out is a cursor over a struct wr_writer: ask once for the room that the next pieces
 * may take, then write them with nothing checked. The functions named wr_text_* write at `p`, where the
 * caller has made room, and return where they ended.
 *
 * When the writer takes no more (its maximum, or memory), wr_json_room() is false, the writer is
 * spoiled, and what follows may be left out: wr_writer_end() tells.
 */
#ifndef WR_JSON_OUT_H
#define WR_JSON_OUT_H

#include "base/writer.h"

enum {
    WR_TEXT_SLACK = 16 /* bytes that wr_text_copy() may write beyond the end, and read beyond it */
};

struct wr_json_out {
    struct wr_writer *w;
    uint8_t *p;   /* next byte */
    uint8_t *end; /* of the room */
};

/* Begin to write after what `w` holds, and hand back what was written. In between `w` is not to be
 * touched. */
struct wr_json_out wr_json_begin(struct wr_writer *w);
void wr_json_end(struct wr_json_out *out);

/* The slow way of wr_json_room(). */
WR_MUST_USE bool wr_json_grow(struct wr_json_out *out, size_t n);

/* Make room for `n` bytes and WR_TEXT_SLACK. */
WR_MUST_USE static inline bool wr_json_room(struct wr_json_out *out, size_t n)
{
    return (size_t)(out->end - out->p) >= n + WR_TEXT_SLACK || wr_json_grow(out, n);
}

/* Text in quotes, escaped: \b \t \n \f \r \" \\, other characters below U+0020 as \u001B, those beyond
 * U+FFFF as two (\uD83D\uDE00), all else as it is. Each byte that is not UTF-8 becomes U+FFFD. */
void wr_json_put_text(struct wr_json_out *out, struct wr_str text);

/* Bytes in quotes as base64 with padding. */
void wr_json_put_base64(struct wr_json_out *out, struct wr_bytes bytes);

/* Doubles and floats as Java's toString; NaN and infinities in quotes. */
void wr_json_put_double(struct wr_json_out *out, double v);
void wr_json_put_float(struct wr_json_out *out, float v);

/* `n` bytes of `s`, after which WR_TEXT_SLACK more can be read; at most n + WR_TEXT_SLACK are written. */
static inline uint8_t *wr_text_copy(uint8_t *p, const char *s, size_t n)
{
    for (size_t at = 0; at < n; at += 16) {
        memcpy(p + at, s + at, 16);
    }
    return p + n;
}

/* Decimal digits; at most 20 bytes, and up to 8 behind them may be written. */
uint8_t *wr_text_i64(uint8_t *p, int64_t v);

/* 4 bytes for each 3 begun; `is_url_safe`: with - and _ in place of + and /. */
uint8_t *wr_text_base64(uint8_t *p, struct wr_bytes bytes, bool is_url_safe);

/* 2 bytes for each, lower case. */
uint8_t *wr_text_hex(uint8_t *p, struct wr_bytes bytes);

#endif
