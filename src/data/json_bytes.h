/* json_bytes.h - looking at many bytes of JSON text at once; for json_lex.c and json_shape.c. Where the machine
 * has no such instructions, byte by byte. Nothing at or behind `end` is read. */
#ifndef WR_JSON_BYTES_H
#define WR_JSON_BYTES_H

#include "base/base.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WR_JSON_HAS_WORDS 1
#else
#define WR_JSON_HAS_WORDS 0
#endif

enum {
    WR_JSON_BYTES_PAD = 16 /* room behind texts that wr_json_in_range() compares with */
};

/* The first byte from `p` on that is a quote, a backslash, a control character or not ASCII, or `end`. */
static inline const uint8_t *wr_json_plain_run(const uint8_t *p, const uint8_t *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"'));
        __m128i slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
        /* As signed bytes both control characters and those from 0x80 on are below a blank. */
        __m128i odd = _mm_cmplt_epi8(x, _mm_set1_epi8(' '));
        int mask = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, slash), odd));
        if (mask != 0) {
            return p + __builtin_ctz((unsigned)mask);
        }
        p += 16;
    }
#endif
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\') {
        p++;
    }
    return p;
}

/* The first byte from `p` on that is no digit, or `end`. */
static inline const uint8_t *wr_json_digits(const uint8_t *p, const uint8_t *end)
{
    while (WR_JSON_HAS_WORDS && end - p >= 8) {
        uint64_t word = 0;
        memcpy(&word, p, sizeof(word));
        word ^= UINT64_C(0x3030303030303030); /* digits are 0 .. 9 now */
        uint64_t no_digit =
            (((word & UINT64_C(0x7F7F7F7F7F7F7F7F)) + UINT64_C(0x7676767676767676)) | word) &
            UINT64_C(0x8080808080808080);
        if (no_digit != 0) {
            return p + __builtin_ctzll(no_digit) / 8;
        }
        p += 8;
    }
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* The number that eight digits are: neighbours are added up, then pairs, then fours. Little-endian only. */
static inline uint64_t wr_json_eight_digits(const char *p)
{
    uint64_t word = 0;
    memcpy(&word, p, sizeof(word));
    word = (word & UINT64_C(0x0F0F0F0F0F0F0F0F)) * (10 * 256 + 1) >> 8;
    word = (word & UINT64_C(0x00FF00FF00FF00FF)) * (100 * 65536 + 1) >> 16;
    return (word & UINT64_C(0x0000FFFF0000FFFF)) * (UINT64_C(10000) * (UINT64_C(1) << 32) + 1) >>
           32;
}

/* Is each of `len` bytes at `a` one from its `low` to its `high`? `left` bytes may be read at `a`, at least
 * `len`; `low` and `high` have room for WR_JSON_BYTES_PAD more than `len`. */
static inline bool wr_json_in_range(const uint8_t *a, size_t left, const uint8_t *low,
                                    const uint8_t *high, size_t len)
{
    size_t i = 0;
#ifdef __SSE2__
    for (; i < len && left - i >= 16; i += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(a + i));
        __m128i l = _mm_loadu_si128((const __m128i *)(const void *)(low + i));
        __m128i h = _mm_loadu_si128((const __m128i *)(const void *)(high + i));
        __m128i nearest = _mm_min_epu8(_mm_max_epu8(x, l), h);
        uint32_t good = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, nearest));
        uint32_t all = len - i >= 16 ? 0xFFFF : (UINT32_C(1) << (len - i)) - 1;
        if ((good & all) != all) {
            return false;
        }
    }
#endif
    for (; i < len; i++) {
        if (a[i] < low[i] || a[i] > high[i]) {
            return false;
        }
    }
    return true;
}

#endif
