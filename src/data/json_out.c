#include "data/json_out.h"

#include "base/utf8.h"
#include "data/double_text.h"

enum {
    CHUNK = 1024,         /* bytes of text that room is made for at a time */
    BYTES_CHUNK = 3 * 256 /* the same of what becomes base64: whole groups of three */
};

/* ---- the cursor ------------------------------------------------------------------------------------ */

struct wr_json_out wr_json_begin(struct wr_writer *w)
{
    uint8_t *p = wr_writer_room(w, 0);
    return (struct wr_json_out){w, p, p == NULL ? NULL : w->base + w->cap};
}

void wr_json_end(struct wr_json_out *out)
{
    if (out->p != NULL) {
        wr_writer_advance(out->w, (size_t)(out->p - (out->w->base + out->w->len)));
    }
}

bool wr_json_grow(struct wr_json_out *out, size_t n)
{
    wr_json_end(out);
    out->p = wr_writer_room(out->w, n + WR_TEXT_SLACK);
    out->end = out->p == NULL ? NULL : out->w->base + out->w->cap;
    return out->p != NULL;
}

/* ---- numbers --------------------------------------------------------------------------------------- */

/* Eight digits of `v` < 10^8 as text, first digit in the lowest byte. Each step halves all groups at once:
 * 8 digits to 4+4 to 2+2 to 1+1, with division by multiplying: n / 100 = n * 10486 >> 20 for n < 10^4,
 * n / 10 = n * 103 >> 10 for n < 100. */
static uint64_t eight_digits(uint32_t v)
{
    uint64_t fours = v / 10000 | (uint64_t)(v % 10000) << 32;
    uint64_t high = fours * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    uint64_t twos = high | (fours - high * 100) << 16;
    uint64_t tens = twos * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    return (tens | (twos - tens * 10) << 8) + UINT64_C(0x3030303030303030);
}

/* The digits of v < 10^8 without leading zeros; a zero is one digit. */
static uint8_t *put_first(uint8_t *p, uint32_t v)
{
    uint64_t digits = eight_digits(v);
    uint64_t other = (digits ^ UINT64_C(0x3030303030303030)) | UINT64_C(1) << 56; /* or the last */
    size_t zeros = (size_t)__builtin_ctzll(other) / 8;
    digits >>= 8 * zeros;
    memcpy(p, &digits, 8);
    return p + (8 - zeros);
}

static uint8_t *put_next(uint8_t *p, uint32_t v)
{
    uint64_t digits = eight_digits(v);
    memcpy(p, &digits, 8);
    return p + 8;
}

uint8_t *wr_text_i64(uint8_t *p, int64_t v)
{
    const uint64_t group = 100000000;
    uint64_t left = v < 0 ? UINT64_C(0) - (uint64_t)v : (uint64_t)v;
    *p = '-';
    p += v < 0;
    if (left < group) {
        return put_first(p, (uint32_t)left);
    }
    uint64_t high = left / group;
    uint32_t low = (uint32_t)(left - high * group);
    if (high < group) {
        return put_next(put_first(p, (uint32_t)high), low);
    }
    uint64_t top = high / group;
    p = put_first(p, (uint32_t)top);
    return put_next(put_next(p, (uint32_t)(high - top * group)), low);
}

static void put_number(struct wr_json_out *out, const char *text, size_t n, bool is_finite)
{
    if (!wr_json_room(out, n + 2)) {
        return;
    }
    if (!is_finite) {
        *out->p++ = '"';
    }
    memcpy(out->p, text, n);
    out->p += n;
    if (!is_finite) {
        *out->p++ = '"';
    }
}

void wr_json_put_double(struct wr_json_out *out, double v)
{
    char text[WR_DOUBLE_TEXT_MAX];
    size_t n = wr_double_text(v, text);
    put_number(out, text, n, __builtin_isfinite(v));
}

void wr_json_put_float(struct wr_json_out *out, float v)
{
    char text[WR_DOUBLE_TEXT_MAX];
    size_t n = wr_float_text(v, text);
    put_number(out, text, n, __builtin_isfinite(v));
}

/* ---- bytes ----------------------------------------------------------------------------------------- */

static const char base64_plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

uint8_t *wr_text_base64(uint8_t *p, struct wr_bytes bytes, bool is_url_safe)
{
    const char *set = is_url_safe ? base64_url : base64_plain;
    size_t at = 0;
    for (; bytes.len - at >= 3; at += 3) {
        uint32_t three =
            (uint32_t)bytes.ptr[at] << 16 | (uint32_t)bytes.ptr[at + 1] << 8 | bytes.ptr[at + 2];
        *p++ = (uint8_t)set[three >> 18];
        *p++ = (uint8_t)set[three >> 12 & 63];
        *p++ = (uint8_t)set[three >> 6 & 63];
        *p++ = (uint8_t)set[three & 63];
    }
    if (at < bytes.len) {
        bool is_two = bytes.len - at == 2;
        uint32_t rest =
            (uint32_t)bytes.ptr[at] << 16 | (is_two ? (uint32_t)bytes.ptr[at + 1] << 8 : 0);
        *p++ = (uint8_t)set[rest >> 18];
        *p++ = (uint8_t)set[rest >> 12 & 63];
        *p++ = is_two ? (uint8_t)set[rest >> 6 & 63] : '=';
        *p++ = '=';
    }
    return p;
}

uint8_t *wr_text_hex(uint8_t *p, struct wr_bytes bytes)
{
    static const char set[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        *p++ = (uint8_t)set[bytes.ptr[i] >> 4];
        *p++ = (uint8_t)set[bytes.ptr[i] & 15];
    }
    return p;
}

void wr_json_put_base64(struct wr_json_out *out, struct wr_bytes bytes)
{
    if (!wr_json_room(out, 2)) {
        return;
    }
    *out->p++ = '"';
    while (bytes.len > 0) {
        size_t n = bytes.len < BYTES_CHUNK ? bytes.len : BYTES_CHUNK;
        if (!wr_json_room(out, (n + 2) / 3 * 4 + 1)) {
            return;
        }
        out->p = wr_text_base64(out->p, (struct wr_bytes){bytes.ptr, n}, false);
        bytes.ptr += n;
        bytes.len -= n;
    }
    *out->p++ = '"';
}

/* ---- text ------------------------------------------------------------------------------------------ */

static uint8_t *put_unit(uint8_t *p, uint32_t unit)
{
    static const char set[] = "0123456789ABCDEF";
    *p++ = '\\';
    *p++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) {
        *p++ = (uint8_t)set[unit >> shift & 15];
    }
    return p;
}

/* A character beyond U+FFFF, four bytes, as a surrogate pair. */
static uint8_t *put_pair(uint8_t *p, const uint8_t *s)
{
    uint32_t code = (uint32_t)(s[0] & 7) << 18 | (uint32_t)(s[1] & 63) << 12 |
                    (uint32_t)(s[2] & 63) << 6 | (s[3] & 63);
    p = put_unit(p, 0xd800 + ((code - 0x10000) >> 10));
    return put_unit(p, 0xdc00 + (code & 0x3ff));
}

/* The letter of a short escape, 'u' for \u00XX, 0 for no escape. */
static const char escapes[128] = {'u', 'u', 'u', 'u', 'u', 'u',         'u',          'u', 'b',
                                  't', 'n', 'u', 'f', 'r', 'u',         'u',          'u', 'u',
                                  'u', 'u', 'u', 'u', 'u', 'u',         'u',          'u', 'u',
                                  'u', 'u', 'u', 'u', 'u', ['"'] = '"', ['\\'] = '\\'};

/* A character of ASCII that has to be escaped. */
static uint8_t *put_escape(uint8_t *p, uint8_t c)
{
    if (escapes[c] == 'u') {
        return put_unit(p, c);
    }
    p[0] = '\\';
    p[1] = (uint8_t)escapes[c];
    return p + 2;
}

/* Copy characters outside ASCII until one inside, or the end, or `stop` is passed; takes them from `s`. */
static uint8_t *put_foreign(uint8_t *p, const uint8_t **s, const uint8_t *stop, const uint8_t *end)
{
    const uint8_t *at = *s;
    while (at < stop && *at >= 0x80) {
        size_t n = wr_utf8_len(at, end);
        if (n == 4) {
            p = put_pair(p, at);
        } else if (n > 0) { /* two or three */
            p[0] = at[0];
            p[1] = at[1];
            p[2] = at[n - 1];
            p += n;
        } else { /* U+FFFD */
            p[0] = 0xef;
            p[1] = 0xbf;
            p[2] = 0xbd;
            p += 3;
            n = 1;
        }
        at += n;
    }
    *s = at;
    return p;
}

/* Which of eight bytes need a closer look: control characters, quotes, backslashes and what is outside
 * ASCII. Their top bits are set; those above the first may be set for nothing, by a borrow. */
static uint64_t marks(uint64_t eight)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t quote = eight ^ (ones * '"');
    uint64_t backslash = eight ^ (ones * '\\');
    uint64_t hits = (eight - ones * 0x20) | (quote - ones) | (backslash - ones) | eight;
    return hits & (ones * 0x80);
}

/* Copy what stands for itself; the length. Eight bytes more than that may be written. */
static size_t copy_plain(uint8_t *p, const uint8_t *s, size_t n)
{
    size_t done = 0;
    for (; n - done >= 8; done += 8) {
        uint64_t eight;
        memcpy(&eight, s + done, 8);
        memcpy(p + done, &eight, 8);
        uint64_t hits = marks(eight);
        if (hits != 0) {
            return done + (size_t)__builtin_ctzll(hits) / 8; /* the first byte is the lowest one */
        }
    }
    for (; done < n && s[done] < 0x80 && escapes[s[done]] == 0; done++) {
        p[done] = s[done];
    }
    return done;
}

/* Escape `chunk` bytes or a little more of `text`: up to the end of a character. */
static uint8_t *put_chunk(uint8_t *p, struct wr_str *text, size_t chunk)
{
    const uint8_t *at = (const uint8_t *)text->ptr;
    const uint8_t *end = at + text->len;
    const uint8_t *stop = at + chunk;
    while (at < stop) {
        size_t n = copy_plain(p, at, (size_t)(stop - at));
        p += n;
        at += n;
        if (at < stop && *at < 0x80) {
            p = put_escape(p, *at++);
        } else {
            p = put_foreign(p, &at, stop, end);
        }
    }
    *text = (struct wr_str){(const char *)at, (size_t)(end - at)};
    return p;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "copy_plain() looks for the first byte");

void wr_json_put_text(struct wr_json_out *out, struct wr_str text)
{
    if (!wr_json_room(out, 2)) {
        return;
    }
    *out->p++ = '"';
    while (text.len > 0) {
        size_t n = text.len < CHUNK ? text.len : CHUNK;
        if (!wr_json_room(out, (n + 3) * 6 + 1)) { /* a byte becomes six at most */
            return;
        }
        out->p = put_chunk(out->p, &text, n);
    }
    *out->p++ = '"';
}
