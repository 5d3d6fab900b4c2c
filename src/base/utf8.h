/* utf8.h - what is well-formed UTF-8 (Unicode 15, table 3-7): no longer forms than needed, no surrogates,
 * nothing above U+10FFFF. */
#ifndef WR_UTF8_H
#define WR_UTF8_H

#include "base/base.h"

/* The length of the well-formed character at `p`, 1 .. 4, or 0 when there is none before `end`; p < end. */
size_t wr_utf8_len(const uint8_t *p, const uint8_t *end);

/* How many bytes are well-formed from the start: `in.len` when all are. */
size_t wr_utf8_span(struct wr_bytes in);

/* Write the character `c` (at most 0x10FFFF) to `out`, which has room for 4 bytes; gives the length. */
size_t wr_utf8_put(uint32_t c, uint8_t *out);

#endif
