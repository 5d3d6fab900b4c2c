/*
 * Text as a decimal: whatever parses comes back from its unscaled bytes as the same number, and no scale
 * makes it read or write outside.
 */
#include "data/decimal_text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text again, as put_text writes it at the scale of its own fraction: only leading zeros, a plus, a
 * negative zero's sign and a bare point may differ, so the digits are compared. */
static void check_digits(const struct wr_decimal *d, struct wr_str back)
{
    size_t at = 0;
    bool is_zero = true;
    for (size_t i = 0; i < d->whole.len + d->fraction.len; i++) {
        const struct wr_str *part = i < d->whole.len ? &d->whole : &d->fraction;
        char digit = part->ptr[part == &d->whole ? i : i - d->whole.len];
        is_zero = is_zero && digit == '0';
        if (is_zero) {
            continue;
        }
        while (at < back.len && (back.ptr[at] < '0' || back.ptr[at] > '9' ||
                                 (back.ptr[at] == '0' && digit != '0'))) {
            at++; /* sign, point, zeros in front */
        }
        WR_ASSERT(at < back.len && back.ptr[at] == digit);
        at++;
    }
    WR_ASSERT((back.ptr[0] == '-') == (d->is_negative && !is_zero));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_arena arena = wr_arena_of(1 << 20);
    struct wr_writer w = wr_writer_growing(1 << 20);
    struct wr_decimal d;
    struct wr_bytes unscaled;
    struct wr_str text = {(const char *)data, size};
    double number;
    if (size < 4096 && wr_decimal_parse(text, &d)) {
        WR_ASSERT(wr_decimal_unscaled(&d, (int32_t)d.fraction.len, &arena, &unscaled) == 0);
        wr_decimal_put_text(&w, unscaled, (int32_t)d.fraction.len);
        check_digits(&d, wr_writer_str(&w));
        WR_ASSERT(wr_decimal_double(&d, text, &arena, &number));
        for (int32_t scale = -40; scale <= 40; scale += 7) {
            int rc = wr_decimal_unscaled(&d, scale, &arena, &unscaled);
            WR_ASSERT(rc == 0 || rc == WEIR_E_RANGE);
        }
    }
    wr_writer_fini(&w);
    wr_arena_fini(&arena);
    return 0;
}
