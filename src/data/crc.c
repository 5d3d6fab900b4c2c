#include "data/crc.h"

#include <limits.h>

#include <isa-l/crc.h>

/* isa-l takes a pointer to bytes that it does not change, and a length of type int. */
static uint32_t crc_piece(uint32_t state, const uint8_t *bytes, size_t len)
{
    WR_ASSERT(len <= INT_MAX);
    union {
        const uint8_t *in;
        unsigned char *isal;
    } p = {.in = bytes};
    return crc32_iscsi(p.isal, (int)len, state);
}

uint32_t wr_crc32c_extend(uint32_t crc, struct wr_bytes more)
{
    uint32_t state = ~crc;
    size_t done = 0;
    while (done < more.len) {
        size_t piece = more.len - done > INT_MAX ? INT_MAX : more.len - done;
        state = crc_piece(state, more.ptr + done, piece);
        done += piece;
    }
    return ~state;
}

uint32_t wr_crc32c(struct wr_bytes bytes)
{
    return wr_crc32c_extend(0, bytes);
}
