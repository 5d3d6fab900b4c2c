#include "base/utf8.h"

size_t wr_utf8_len(const uint8_t *p, const uint8_t *end)
{
    size_t len = 0;
    uint8_t low = 0x80; /* bounds of the second byte */
    uint8_t high = 0xBF;
    if (*p < 0x80) {
        return 1;
    }
    if (*p >= 0xC2 && *p <= 0xDF) {
        len = 2;
    } else if (*p >= 0xE0 && *p <= 0xEF) {
        len = 3;
        low = *p == 0xE0 ? 0xA0 : low;   /* shorter forms exist */
        high = *p == 0xED ? 0x9F : high; /* surrogates */
    } else if (*p >= 0xF0 && *p <= 0xF4) {
        len = 4;
        low = *p == 0xF0 ? 0x90 : low;
        high = *p == 0xF4 ? 0x8F : high; /* above U+10FFFF */
    }
    if (len == 0 || (size_t)(end - p) < len || p[1] < low || p[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}

/* Eight bytes of ASCII at `at`? They are passed at once. */
static bool is_ascii_at(struct wr_bytes in, size_t at)
{
    uint64_t eight = 0;
    if (in.len - at < sizeof(eight)) {
        return false;
    }
    memcpy(&eight, in.ptr + at, sizeof(eight));
    return (eight & UINT64_C(0x8080808080808080)) == 0;
}

size_t wr_utf8_span(struct wr_bytes in)
{
    size_t at = 0;
    while (at < in.len) {
        size_t len = is_ascii_at(in, at) ? 8 : wr_utf8_len(in.ptr + at, in.ptr + in.len);
        if (len == 0) {
            break;
        }
        at += len;
    }
    return at;
}

size_t wr_utf8_put(uint32_t c, uint8_t *out)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (uint8_t)(0xC0 | c >> 6);
        out[1] = (uint8_t)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (uint8_t)(0xE0 | c >> 12);
        out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | c >> 18);
    out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (c & 0x3F));
    return 4;
}
