/* crc.h - CRC-32C (Castagnoli), as record batches and weir's own files carry it. */
#ifndef WR_CRC_H
#define WR_CRC_H

#include "base/base.h"

/* The CRC-32C of `bytes`; 0 for none. */
uint32_t wr_crc32c(struct wr_bytes bytes);

/* The CRC-32C of what `crc` is the CRC of, followed by `more`. */
uint32_t wr_crc32c_extend(uint32_t crc, struct wr_bytes more);

#endif
