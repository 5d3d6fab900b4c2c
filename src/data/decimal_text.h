/*
 * decimal_text.h - decimals between a database's plain text and Connect's unscaled bytes.
 *
 *     "-12.50" = -1250 * 10^-2          unscaled -1250, scale 2; as bytes 0xfb 0x1e
 *
 * Unscaled bytes are big-endian two's complement, as short as can be, at least one (Java's
 * BigInteger.toByteArray). A scale may be negative: 123 with scale -2 is 12300.
 *
 * The text comes from outside, of any length; cost grows with the square of its digits beyond 38.
 */
#ifndef WR_DECIMAL_TEXT_H
#define WR_DECIMAL_TEXT_H

#include "base/arena.h"
#include "base/writer.h"

/* A plain decimal, taken apart: sign, and the digits before and after the point. */
struct wr_decimal {
    bool is_negative;
    struct wr_str whole;    /* borrowed from the text; may have leading zeros */
    struct wr_str fraction; /* borrowed from the text */
};

/* Read [+-] digits [. digits] with at least one digit; nothing else may stand there. `out` borrows from
 * `text`, and is untouched when the answer is false. */
WR_MUST_USE bool wr_decimal_parse(struct wr_str text, struct wr_decimal *out);

/* The scale that is left when zeros at the end of the fraction go. */
size_t wr_decimal_short_scale(const struct wr_decimal *d);

/*
 * Make its unscaled bytes at `scale`, in `arena`.
 *
 * Returns 0, WEIR_E_RANGE when digits other than zero would be lost, or WEIR_E_NOMEM; `out` is then
 * untouched.
 */
WR_MUST_USE int wr_decimal_unscaled(const struct wr_decimal *d, int32_t scale,
                                    struct wr_arena *arena, struct wr_bytes *out);

/* The nearest double, ties to even. `text` is what `d` was read from. False when out of memory, with
 * `out` untouched. */
WR_MUST_USE bool wr_decimal_double(const struct wr_decimal *d, struct wr_str text,
                                   struct wr_arena *arena, double *out);

/* Append unscaled bytes as text, as Java's BigDecimal.toString does: plain, or like 1E-8 when the scale is
 * negative or more than six zeros would follow the point. `unscaled` has at least one byte. Out of memory
 * spoils `w`. */
void wr_decimal_put_text(struct wr_writer *w, struct wr_bytes unscaled, int32_t scale);

#endif
