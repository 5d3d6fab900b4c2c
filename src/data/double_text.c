#include "data/double_text.h"

#include "data/pow10_table.h"

__extension__ typedef unsigned __int128 u128;

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    int exponent;
};

/* A finite binary number c * 2^q and what lies around it. */
struct binary {
    uint64_t c;
    int q;
    bool is_irregular; /* its lower neighbour is half as far away as the upper one */
    uint64_t tiny;     /* below it, c has too few bits for two digits */
};

/* floor(log10(2^q)), floor(log10(3/4 * 2^q)), floor(log2(10^e)); tools/pow10_table.py checks them over all
 * q and e that come up. Shifts of negative numbers keep the sign with every compiler that we use. */
static int log10_pow2(int q)
{
    return (int)(q * INT64_C(661971961083) >> 41);
}

static int log10_three_quarters_pow2(int q)
{
    return (int)((q * INT64_C(661971961083) - INT64_C(274743187321)) >> 41);
}

static int log2_pow10(int e)
{
    return (int)(e * INT64_C(913124641741) >> 38);
}

/* x * g / 2^127, rounded to odd: the last bit also says whether anything was cut off. */
static uint64_t scaled(struct wr_pow10 g, uint64_t x)
{
    u128 sum = (u128)x * g.high + (uint64_t)((u128)x * g.low >> 64);
    uint64_t cut = (uint64_t)sum & (UINT64_MAX >> 1);
    return (uint64_t)(sum >> 63) | (cut != 0);
}

/* The decimal of least length that rounds to `in`, or of two digits when one would do; the nearest of
 * those. All of v, lower and upper are four times the value, so that halves are whole. */
static struct decimal shortest(struct binary in)
{
    int raised = 0;
    if (in.c < in.tiny) {
        in.c *= 10;
        raised = 1;
    }
    int k = in.is_irregular ? log10_three_quarters_pow2(in.q) : log10_pow2(in.q);
    int shift = in.q + log2_pow10(-k) + 2;
    struct wr_pow10 g = wr_pow10_table[-k - WR_POW10_LOW];
    uint64_t v = scaled(g, 4 * in.c << shift);
    uint64_t lower = scaled(g, (4 * in.c - (in.is_irregular ? 1 : 2)) << shift);
    uint64_t upper = scaled(g, (4 * in.c + 2) << shift);
    uint64_t odd =
        in.c & 1; /* the bounds themselves round to even, so to `in` only when it is even */

    uint64_t s = v / 4;
    if (s >= 100) {
        uint64_t down = s / 10 * 10;
        bool is_down_in = lower + odd <= 4 * down;
        bool is_up_in = 4 * (down + 10) + odd <= upper;
        if (is_down_in != is_up_in) {
            return (struct decimal){is_down_in ? down : down + 10, k - raised};
        }
    }
    bool is_down_in = lower + odd <= 4 * s;
    bool is_up_in = 4 * (s + 1) + odd <= upper;
    bool is_down = is_down_in;
    if (is_down_in == is_up_in) {
        uint64_t middle = 4 * s + 2;
        is_down = v < middle || (v == middle && s % 2 == 0);
    }
    return (struct decimal){is_down ? s : s + 1, k - raised};
}

/* Write the `n` digits of `v`, n <= 20. */
static void put_digits(char *out, uint64_t v, size_t n)
{
    while (n > 0) {
        out[--n] = (char)('0' + v % 10);
        v /= 10;
    }
}

static size_t digit_count(uint64_t v)
{
    size_t n = 1;
    while (v >= 10) {
        v /= 10;
        n++;
    }
    return n;
}

/* 123.45, 0.00123: for 10^-3 <= value < 10^7. `point` is where the point stands, counted from the first
 * of `n` digits. */
static size_t put_plain(char *out, uint64_t digits, size_t n, int point)
{
    if (point <= 0) {
        size_t zeros = (size_t)-point;
        out[0] = '0';
        out[1] = '.';
        out[2] = '0';
        out[3] = '0';
        put_digits(out + 2 + zeros, digits, n);
        return 2 + zeros + n;
    }
    size_t whole = (size_t)point;
    if (n <= whole) {
        put_digits(out, digits, n);
        memset(out + n, '0', whole - n);
        out[whole] = '.';
        out[whole + 1] = '0';
        return whole + 2;
    }
    char all[20];
    put_digits(all, digits, n);
    memcpy(out, all, whole);
    out[whole] = '.';
    memcpy(out + whole + 1, all + whole, n - whole);
    return n + 1;
}

/* 1.2345E10 */
static size_t put_scientific(char *out, uint64_t digits, size_t n, int point)
{
    size_t at = n + 1;
    put_digits(out + 1, digits, n);
    out[0] = out[1];
    out[1] = '.';
    if (n == 1) {
        out[at++] = '0';
    }
    out[at++] = 'E';
    int exponent = point - 1;
    if (exponent < 0) {
        out[at++] = '-';
        exponent = -exponent;
    }
    size_t width = digit_count((uint64_t)exponent);
    put_digits(out + at, (uint64_t)exponent, width);
    return at + width;
}

static size_t put_decimal(char *out, struct decimal d)
{
    while (d.digits % 100000000 == 0) {
        d.digits /= 100000000;
        d.exponent += 8;
    }
    while (d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    size_t n = digit_count(d.digits);
    int point = (int)n + d.exponent;
    if (point >= -2 && point <= 7) {
        return put_plain(out, d.digits, n, point);
    }
    return put_scientific(out, d.digits, n, point);
}

/* What has no digits to look for: zero, and all that is not finite. */
static size_t put_special(char *out, bool is_zero, bool is_nan)
{
    struct wr_str text = is_nan ? WR_STR("NaN") : WR_STR("Infinity");
    if (is_zero) {
        text = WR_STR("0.0");
    }
    memcpy(out, text.ptr, text.len);
    return text.len;
}

size_t wr_double_text(double v, char *out)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    uint64_t fraction = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    size_t sign = bits >> 63 != 0 && !(exponent == 0x7ff && fraction != 0);
    out[0] = '-';
    out += sign;
    if (exponent == 0x7ff || (exponent == 0 && fraction == 0)) {
        return sign + put_special(out, exponent == 0, fraction != 0);
    }
    struct binary in = {.c = fraction, .q = -1074, .tiny = 3};
    if (exponent > 0) {
        in.c |= UINT64_C(1) << 52;
        in.q = exponent - 1075;
        in.is_irregular = fraction == 0 && exponent > 1;
    }
    return sign + put_decimal(out, shortest(in));
}

size_t wr_float_text(float v, char *out)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof(bits));
    uint32_t fraction = bits & ((UINT32_C(1) << 23) - 1);
    int exponent = (int)(bits >> 23 & 0xff);
    size_t sign = bits >> 31 != 0 && !(exponent == 0xff && fraction != 0);
    out[0] = '-';
    out += sign;
    if (exponent == 0xff || (exponent == 0 && fraction == 0)) {
        return sign + put_special(out, exponent == 0, fraction != 0);
    }
    struct binary in = {.c = fraction, .q = -149, .tiny = 8};
    if (exponent > 0) {
        in.c |= UINT32_C(1) << 23;
        in.q = exponent - 150;
        in.is_irregular = fraction == 0 && exponent > 1;
    }
    return sign + put_decimal(out, shortest(in));
}
