#include "data/json_lex.h"

#include <locale.h>
#include <math.h>

#include "base/utf8.h"
#include "data/json_bytes.h"
#include "data/json_scan.h"

const uint8_t *wr_json_spoil(struct wr_json_lex *lex, const uint8_t *at, const char *what)
{
    if (lex->what == NULL) {
        lex->what = what;
        lex->at = at;
    }
    return NULL;
}

/* ---- strings ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number of a \uXXXX at `p` (its backslash), or -1 when there is none before `end`. */
static int32_t unit_at(const uint8_t *p, const uint8_t *end)
{
    if (end - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return -1;
    }
    int32_t unit = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* An escape; `p` is at its backslash. */
static const uint8_t *escape(struct wr_json_lex *lex, const uint8_t *p)
{
    if (lex->end - p < 2) {
        return wr_json_spoil(lex, lex->end, "the text ends inside a string");
    }
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return p + 2;
    case 'u': break;
    default: return wr_json_spoil(lex, p, "unknown escape in a string");
    }
    int32_t unit = unit_at(p, lex->end);
    if (unit < 0) {
        return wr_json_spoil(lex, p, "\\u without four hexadecimal digits");
    }
    if (unit < 0xD800 || unit > 0xDFFF) {
        return p + 6;
    }
    int32_t low = unit_at(p + 6, lex->end);
    if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) {
        return wr_json_spoil(lex, p, "half of a surrogate pair");
    }
    return p + 12;
}

/* What wr_json_plain_run() stopped at and that does not end the string. */
static const uint8_t *pass_odd(struct wr_json_lex *lex, const uint8_t *p, bool *has_escape)
{
    if (*p == '\\') {
        *has_escape = true;
        return escape(lex, p);
    }
    if (*p < 0x20) {
        return wr_json_spoil(lex, p, "control character in a string");
    }
    size_t len = wr_utf8_len(p, lex->end);
    return len == 0 ? wr_json_spoil(lex, p, "not UTF-8") : p + len;
}

const uint8_t *wr_json_string(struct wr_json_lex *lex, const uint8_t *p, bool *has_escape)
{
    for (;;) {
        p = wr_json_plain_run(p, lex->end);
        if (p == lex->end) {
            return wr_json_spoil(lex, p, "the text ends inside a string");
        }
        if (*p == '"') {
            return p + 1;
        }
        p = pass_odd(lex, p, has_escape);
        if (p == NULL) {
            return NULL;
        }
    }
}

/* Write what the escape at `p` stands for; `used` is its length in the text. */
static size_t put_escape(const uint8_t *p, const uint8_t *end, uint8_t *out, size_t *used)
{
    static const char from[] = "bfnrt";
    static const char to[] = "\b\f\n\r\t";
    *used = 2;
    if (p[1] != 'u') {
        const char *found = strchr(from, p[1]);
        out[0] = found == NULL ? p[1] : (uint8_t)to[found - from];
        return 1;
    }
    *used = 6;
    uint32_t c = (uint32_t)unit_at(p, end);
    if (c >= 0xD800 && c <= 0xDBFF) {
        c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t)unit_at(p + 6, end) - 0xDC00);
        *used = 12;
    }
    return wr_utf8_put(c, out);
}

size_t wr_json_unescape(struct wr_str body, uint8_t *out)
{
    const uint8_t *p = (const uint8_t *)body.ptr;
    const uint8_t *end = p + body.len;
    size_t len = 0;
    while (p < end) {
        const uint8_t *slash = memchr(p, '\\', (size_t)(end - p));
        size_t run = (size_t)((slash == NULL ? end : slash) - p);
        memcpy(out + len, p, run);
        len += run;
        p += run;
        if (slash != NULL) {
            size_t used = 0;
            len += put_escape(p, end, out + len, &used);
            p += used;
        }
    }
    return len;
}

/* ---- numbers ---- */

const uint8_t *wr_json_number(struct wr_json_lex *lex, const uint8_t *p, bool *is_integer)
{
    const uint8_t *start = p;
    p += p < lex->end && *p == '-' ? 1 : 0;
    const uint8_t *first = p;
    p = wr_json_digits(p, lex->end);
    if (p == first) {
        return wr_json_spoil(lex, start, "a value was expected");
    }
    if (*first == '0' && p - first > 1) {
        return wr_json_spoil(lex, start, "a number with a leading zero");
    }
    *is_integer = true;
    if (p < lex->end && *p == '.') {
        *is_integer = false;
        first = p + 1;
        p = wr_json_digits(first, lex->end);
        if (p == first) {
            return wr_json_spoil(lex, p, "a digit was expected after the point");
        }
    }
    if (p < lex->end && (*p | 0x20) == 'e') {
        *is_integer = false;
        p++;
        p += p < lex->end && (*p == '+' || *p == '-') ? 1 : 0;
        first = p;
        p = wr_json_digits(first, lex->end);
        if (p == first) {
            return wr_json_spoil(lex, p, "a digit was expected in the exponent");
        }
    }
    return p;
}

bool wr_json_integer(struct wr_str body, int64_t *out)
{
    enum {
        SAFE_DIGITS = 18 /* that cannot overflow 64 bits */
    };
    size_t sign = body.ptr[0] == '-' ? 1 : 0;
    uint64_t number = 0;
    size_t i = sign;
    for (; WR_JSON_HAS_WORDS && body.len - i >= 8 && i <= 8 + sign; i += 8) {
        number = number * 100000000 + wr_json_eight_digits(body.ptr + i);
    }
    for (; i < body.len && i < SAFE_DIGITS + sign; i++) {
        number = number * 10 + (uint64_t)(body.ptr[i] - '0');
    }
    for (; i < body.len; i++) {
        if (__builtin_mul_overflow(number, 10U, &number) ||
            __builtin_add_overflow(number, (uint64_t)(body.ptr[i] - '0'), &number)) {
            return false;
        }
    }
    if (number > (uint64_t)INT64_MAX + sign) {
        return false;
    }
    *out = sign != 0 ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

/* Exact when the digits make a whole number below 2^53 and the power of ten is itself a double: one
 * rounding, by IEEE 754 the right one (Clinger, "How to Read Floating Point Numbers Accurately"). */
static bool quick_double(struct wr_str body, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const int power_max = 22;
    uint64_t number = 0;
    int power = 0;
    bool is_behind_point = false;
    for (size_t i = body.ptr[0] == '-' ? 1 : 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (c == '.') {
            is_behind_point = true;
            continue;
        }
        if (c < '0' || c > '9' || number > (UINT64_C(1) << 53) / 10 - 1) {
            return false; /* an exponent, or too many digits */
        }
        number = number * 10 + (uint64_t)(c - '0');
        power += is_behind_point ? 1 : 0;
    }
    if (power > power_max) {
        return false;
    }
    double value = (double)number / powers[power];
    *out = body.ptr[0] == '-' ? -value : value;
    return true;
}

bool wr_json_double(struct wr_str body, char *room, double *out)
{
    if (quick_double(body, out)) {
        return true;
    }
    memcpy(room, body.ptr, body.len);
    room[body.len] = 0;
    /* Whatever locale the process is in. For "C" glibc hands out a static one. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double value = strtod_l(room, NULL, c_locale);
    freelocale(c_locale);
    if (isinf(value)) {
        return false;
    }
    *out = value;
    return true;
}

/* ---- whole values ---- */

const uint8_t *wr_json_word(struct wr_json_lex *lex, const uint8_t *p)
{
    static const struct wr_str words[] = {WR_STR_INIT("true"), WR_STR_INIT("false"),
                                          WR_STR_INIT("null")};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((size_t)(lex->end - p) >= words[i].len && memcmp(p, words[i].ptr, words[i].len) == 0) {
            return p + words[i].len;
        }
    }
    return wr_json_spoil(lex, p, "a value was expected");
}

/* The objects (bit set) and lists that a place is in. */
struct nest {
    uint64_t is_object[WR_JSON_DEPTH_MAX / 64];
    uint32_t count;
    uint32_t max;
};

static bool in_object(const struct nest *nest)
{
    uint32_t top = nest->count - 1;
    return (nest->is_object[top / 64] >> (top % 64) & 1) != 0;
}

static bool push(struct wr_json_lex *lex, const uint8_t *p, struct nest *nest)
{
    if (nest->count >= nest->max) {
        lex->is_too_deep = true;
        (void)wr_json_spoil(lex, p, "nested too deep");
        return false;
    }
    uint64_t bit = UINT64_C(1) << (nest->count % 64);
    uint64_t *word = &nest->is_object[nest->count / 64];
    *word = *p == '{' ? *word | bit : *word & ~bit;
    nest->count++;
    return true;
}

/* A key and its colon; `p` is where the quote should be. Gives the place of the value. */
static const uint8_t *skip_key(struct wr_json_lex *lex, const uint8_t *p)
{
    bool unused = false;
    p = wr_json_space(lex, p);
    if (p == lex->end || *p != '"') {
        return wr_json_spoil(lex, p, "a key was expected");
    }
    p = wr_json_string(lex, p + 1, &unused);
    if (p == NULL) {
        return NULL;
    }
    p = wr_json_space(lex, p);
    if (p == lex->end || *p != ':') {
        return wr_json_spoil(lex, p, "':' was expected after a key");
    }
    return wr_json_space(lex, p + 1);
}

/* Open what begins at `p`. Gives the place of its first value; or, where it is empty, the place of its end,
 * with `is_empty` set. */
static const uint8_t *open_nest(struct wr_json_lex *lex, const uint8_t *p, struct nest *nest,
                                bool *is_empty)
{
    if (!push(lex, p, nest)) {
        return NULL;
    }
    bool is_object = *p == '{';
    p = wr_json_space(lex, p + 1);
    *is_empty = p < lex->end && *p == (is_object ? '}' : ']');
    return is_object && !*is_empty ? skip_key(lex, p) : p;
}

/* Behind a value: close all that ends here, and go to the next value, if there is one in `nest`. */
static const uint8_t *next_value(struct wr_json_lex *lex, const uint8_t *p, struct nest *nest)
{
    while (nest->count > 0) {
        bool is_object = in_object(nest);
        p = wr_json_space(lex, p);
        if (p == lex->end) {
            return wr_json_spoil(lex, p, "the text ends inside an object or a list");
        }
        if (*p == ',') {
            return is_object ? skip_key(lex, p + 1) : wr_json_space(lex, p + 1);
        }
        if (*p != (is_object ? '}' : ']')) {
            return wr_json_spoil(lex, p,
                                 is_object ? "',' or '}' was expected" : "',' or ']' was expected");
        }
        p++;
        nest->count--;
    }
    return p;
}

static const uint8_t *skip_scalar(struct wr_json_lex *lex, const uint8_t *p)
{
    bool unused = false;
    switch (*p) {
    case '"': return wr_json_string(lex, p + 1, &unused);
    case 't':
    case 'f':
    case 'n': return wr_json_word(lex, p);
    default: return wr_json_number(lex, p, &unused);
    }
}

/* One step on from the value at `p`: into it, when something is in it, else behind it. */
static const uint8_t *step(struct wr_json_lex *lex, const uint8_t *p, struct nest *nest)
{
    if (p == lex->end) {
        return wr_json_spoil(lex, p, "the text ends where a value was expected");
    }
    bool is_empty = true;
    p = *p == '{' || *p == '[' ? open_nest(lex, p, nest, &is_empty) : skip_scalar(lex, p);
    return p == NULL || !is_empty ? p : next_value(lex, p, nest);
}

const uint8_t *wr_json_skip(struct wr_json_lex *lex, const uint8_t *p, uint32_t depth)
{
    struct nest nest = {.max = WR_JSON_DEPTH_MAX - depth};
    do {
        p = step(lex, p, &nest);
    } while (p != NULL && nest.count > 0);
    return p;
}
