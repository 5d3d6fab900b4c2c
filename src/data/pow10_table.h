/* pow10_table.h - powers of ten to 126 bits, for double_text.c. */
#ifndef WR_POW10_TABLE_H
#define WR_POW10_TABLE_H

#include <stdint.h>

enum {
    WR_POW10_LOW = -292,
    WR_POW10_HIGH = 324
};

/* Upper and lower 64 bits of g = floor(10^e * 2^-r) + 1, r = floor(log2(10^e)) - 125. */
struct wr_pow10 {
    uint64_t high;
    uint64_t low;
};

/* 10^e at index e - WR_POW10_LOW. */
extern const struct wr_pow10 wr_pow10_table[WR_POW10_HIGH - WR_POW10_LOW + 1];

#endif
