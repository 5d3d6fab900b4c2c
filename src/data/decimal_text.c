#include "data/decimal_text.h"

__extension__ typedef unsigned __int128 u128;

enum {
    LIMB_DIGITS = 19 /* decimal digits that always fit 64 bits */
};

static const uint64_t ten_to_19 = UINT64_C(10000000000000000000);

/* ---- taking text apart ----------------------------------------------------------------------------- */

static struct wr_str take_digits(struct wr_str *text)
{
    size_t n = 0;
    while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9') {
        n++;
    }
    struct wr_str digits = {text->ptr, n};
    text->ptr += n;
    text->len -= n;
    return digits;
}

static bool take_char(struct wr_str *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c) {
        return false;
    }
    text->ptr++;
    text->len--;
    return true;
}

bool wr_decimal_parse(struct wr_str text, struct wr_decimal *out)
{
    struct wr_decimal d = {.is_negative = take_char(&text, '-')};
    if (!d.is_negative) {
        (void)take_char(&text, '+');
    }
    d.whole = take_digits(&text);
    if (take_char(&text, '.')) {
        d.fraction = take_digits(&text);
    }
    if (text.len > 0 || d.whole.len + d.fraction.len == 0) {
        return false;
    }
    *out = d;
    return true;
}

size_t wr_decimal_short_scale(const struct wr_decimal *d)
{
    size_t n = d->fraction.len;
    while (n > 0 && d->fraction.ptr[n - 1] == '0') {
        n--;
    }
    return n;
}

/* ---- digits, one after the other, with zeros behind ------------------------------------------------- */

struct digits {
    struct wr_str whole;
    struct wr_str fraction;
    size_t zeros; /* behind the fraction */
};

static size_t digits_left(const struct digits *in)
{
    return in->whole.len + in->fraction.len + in->zeros;
}

static uint64_t take_digit(struct digits *in)
{
    struct wr_str *from = in->whole.len > 0 ? &in->whole : &in->fraction;
    if (from->len == 0) {
        in->zeros--;
        return 0;
    }
    uint64_t digit = (uint64_t)(from->ptr[0] - '0');
    from->ptr++;
    from->len--;
    return digit;
}

/* The value of the next `n` digits, n <= 19. */
static uint64_t take_number(struct digits *in, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0) {
        value = value * 10 + take_digit(in);
    }
    return value;
}

static void skip_leading_zeros(struct digits *in)
{
    while (in->whole.len > 0 && in->whole.ptr[0] == '0') {
        (void)take_digit(in);
    }
    while (in->whole.len == 0 && in->fraction.len > 0 && in->fraction.ptr[0] == '0') {
        (void)take_digit(in);
    }
}

/* Drop the last digit when it is a zero. */
static bool drop_zero(struct digits *in)
{
    struct wr_str *from = in->fraction.len > 0 ? &in->fraction : &in->whole;
    if (from->len == 0) {
        return true; /* zero has as many zeros as one likes */
    }
    if (from->ptr[from->len - 1] != '0') {
        return false;
    }
    from->len--;
    return true;
}

/* The digits of the unscaled value at `scale`. False when digits other than zero would be lost. */
static bool digits_at_scale(const struct wr_decimal *d, int32_t scale, struct digits *out)
{
    *out = (struct digits){d->whole, d->fraction, 0};
    int64_t missing = (int64_t)scale - (int64_t)d->fraction.len;
    for (; missing < 0; missing++) {
        if (!drop_zero(out)) {
            return false;
        }
    }
    skip_leading_zeros(out);
    out->zeros = digits_left(out) > 0 ? (size_t)missing : 0;
    return true;
}

/* ---- unscaled bytes -------------------------------------------------------------------------------- */

/* Big-endian bytes of a magnitude, with its top bit clear, to two's complement, as short as can be. */
static struct wr_bytes finish(uint8_t *bytes, size_t n, bool is_negative)
{
    for (size_t i = n, carry = 1; is_negative && i > 0; i--) {
        carry += (uint8_t)~bytes[i - 1];
        bytes[i - 1] = (uint8_t)carry;
        carry >>= 8;
    }
    size_t skip = 0;
    while (n - skip > 1 && ((bytes[skip] == 0x00 && bytes[skip + 1] < 0x80) ||
                            (bytes[skip] == 0xff && bytes[skip + 1] >= 0x80))) {
        skip++;
    }
    return (struct wr_bytes){bytes + skip, n - skip};
}

/* Store `n` bytes of `v`, big-endian. */
static void store(uint8_t *out, uint64_t v, size_t n)
{
    while (n > 0) {
        out[--n] = (uint8_t)v;
        v >>= 8;
    }
}

/* limbs = limbs * factor + term, least limb first. The number of limbs afterwards. */
static size_t multiply_add(uint64_t *limbs, size_t count, uint64_t factor, uint64_t term)
{
    uint64_t carry = term;
    for (size_t i = 0; i < count; i++) {
        u128 x = (u128)limbs[i] * factor + carry;
        limbs[i] = (uint64_t)x;
        carry = (uint64_t)(x >> 64);
    }
    if (carry > 0) {
        limbs[count++] = carry;
    }
    return count;
}

static uint64_t power_of_ten(size_t n)
{
    uint64_t value = 1;
    while (n-- > 0) {
        value *= 10;
    }
    return value;
}

/* The value of all digits. `limbs` has room for one more than there are groups of 19. */
static size_t read_limbs(struct digits *in, uint64_t *limbs)
{
    size_t count = 0;
    size_t first = digits_left(in) % LIMB_DIGITS;
    count = multiply_add(limbs, count, power_of_ten(first), take_number(in, first));
    while (digits_left(in) > 0) {
        count = multiply_add(limbs, count, ten_to_19, take_number(in, LIMB_DIGITS));
    }
    return count;
}

int wr_decimal_unscaled(const struct wr_decimal *d, int32_t scale, struct wr_arena *arena,
                        struct wr_bytes *out)
{
    struct digits in;
    if (!digits_at_scale(d, scale, &in)) {
        return WEIR_E_RANGE;
    }
    size_t limb_max = digits_left(&in) / LIMB_DIGITS + 1;
    if (limb_max == 1) {
        uint8_t *nine = wr_arena_array(arena, 9, 1);
        if (nine == NULL) {
            return WEIR_E_NOMEM;
        }
        store(nine + 1, take_number(&in, digits_left(&in)), 8);
        *out = finish(nine, 9, d->is_negative);
        return 0;
    }
    uint64_t *limbs = wr_arena_array(arena, limb_max, sizeof(*limbs));
    uint8_t *bytes = limbs == NULL ? NULL : wr_arena_array(arena, limb_max * 8 + 1, 1);
    if (bytes == NULL) {
        return WEIR_E_NOMEM;
    }
    size_t count = read_limbs(&in, limbs);
    for (size_t i = 0; i < count; i++) {
        store(bytes + 1 + 8 * (count - 1 - i), limbs[i], 8);
    }
    *out = finish(bytes, 8 * count + 1, d->is_negative);
    return 0;
}

/* ---- doubles --------------------------------------------------------------------------------------- */

bool wr_decimal_double(const struct wr_decimal *d, struct wr_str text, struct wr_arena *arena,
                       double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct digits in = {d->whole, d->fraction, 0};
    skip_leading_zeros(&in);
    size_t scale = d->fraction.len;
    if (digits_left(&in) <= 15 && scale < sizeof(powers) / sizeof(powers[0])) {
        /* Both are exact as doubles, so the one rounding of the division is the right one. */
        double v = (double)take_number(&in, digits_left(&in)) / powers[scale];
        *out = d->is_negative && v != 0 ? -v : v; /* a decimal has no negative zero */
        return true;
    }
    char *copy = wr_arena_str(arena, text);
    if (copy == NULL) {
        return false;
    }
    *out = strtod(copy, NULL);
    return true;
}

/* ---- back to text ---------------------------------------------------------------------------------- */

/* Divide in place by 10^19; the rest. */
static uint64_t divide(uint64_t *limbs, size_t count)
{
    uint64_t rest = 0;
    for (size_t i = count; i > 0; i--) {
        u128 x = (u128)rest << 64 | limbs[i - 1];
        limbs[i - 1] = (uint64_t)(x / ten_to_19);
        rest = (uint64_t)(x % ten_to_19);
    }
    return rest;
}

/* The magnitude of two's complement bytes, least limb first; `limbs` is zeroed and has room. */
static void load_limbs(struct wr_bytes unscaled, bool is_negative, uint64_t *limbs)
{
    unsigned carry = 1;
    for (size_t i = 0; i < unscaled.len; i++) {
        uint8_t byte = unscaled.ptr[unscaled.len - 1 - i];
        if (is_negative) {
            carry += (uint8_t)~byte;
            byte = (uint8_t)carry;
            carry >>= 8;
        }
        limbs[i / 8] |= (uint64_t)byte << (8 * (i % 8));
    }
}

/* The decimal digits of a magnitude, written to the end of `out`; where they begin. Uses `limbs` up. */
static size_t limbs_to_digits(uint64_t *limbs, size_t count, char *out, size_t len)
{
    size_t at = len;
    while (count > 0) {
        uint64_t group = divide(limbs, count);
        while (count > 0 && limbs[count - 1] == 0) {
            count--;
        }
        for (size_t i = 0; i < LIMB_DIGITS && (group > 0 || count > 0); i++) {
            out[--at] = (char)('0' + group % 10);
            group /= 10;
        }
    }
    if (at == len) {
        out[--at] = '0';
    }
    return at;
}

/* BigDecimal.toString's choice of form, for the digits without sign. */
static void put_scaled(struct wr_writer *w, struct wr_str digits, int64_t scale)
{
    int64_t exponent = (int64_t)digits.len - 1 - scale;
    if (scale < 0 || exponent < -6) {
        wr_put_str(w, (struct wr_str){digits.ptr, 1});
        if (digits.len > 1) {
            wr_put_u8(w, '.');
            wr_put_str(w, (struct wr_str){digits.ptr + 1, digits.len - 1});
        }
        if (exponent != 0) {
            wr_put_fmt(w, "E%+lld", (long long)exponent);
        }
        return;
    }
    size_t after = (size_t)scale;
    if (digits.len <= after) {
        wr_put_str(w, (struct wr_str){"0.00000000", 2 + after - digits.len});
        wr_put_str(w, digits);
        return;
    }
    wr_put_str(w, (struct wr_str){digits.ptr, digits.len - after});
    if (after > 0) {
        wr_put_u8(w, '.');
        wr_put_str(w, (struct wr_str){digits.ptr + digits.len - after, after});
    }
}

void wr_decimal_put_text(struct wr_writer *w, struct wr_bytes unscaled, int32_t scale)
{
    WR_ASSERT(unscaled.len > 0);
    uint64_t few[8] = {0};
    size_t count = unscaled.len / 8 + 1;
    size_t len = count * 20; /* 64 bits are less than 20 digits */
    char few_digits[sizeof(few) / sizeof(few[0]) * 20];
    bool is_few = count <= sizeof(few) / sizeof(few[0]);
    uint64_t *limbs = is_few ? few : wr_alloc_array(count, sizeof(*limbs));
    char *digits = is_few ? few_digits : wr_alloc_array(len, 1);
    if (limbs == NULL || digits == NULL) {
        w->spoiled = w->spoiled != 0 ? w->spoiled : WEIR_E_NOMEM;
    } else {
        bool is_negative = unscaled.ptr[0] >= 0x80;
        load_limbs(unscaled, is_negative, limbs);
        while (count > 0 && limbs[count - 1] == 0) {
            count--;
        }
        size_t at = limbs_to_digits(limbs, count, digits, len);
        if (is_negative) {
            wr_put_u8(w, '-');
        }
        put_scaled(w, (struct wr_str){digits + at, len - at}, scale);
    }
    if (!is_few) {
        wr_free(limbs);
        wr_free(digits);
    }
}
