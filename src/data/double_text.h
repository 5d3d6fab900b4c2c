/*
 * double_text.h - floating point numbers as Java writes them: the shortest decimal that reads back as
 * the same number, of these the nearest, in the layout of Double.toString.
 *
 *     1.0   29.99   0.001   9999999.0   1.0E7   9.9E-4   -0.0   NaN   Infinity   -Infinity
 *
 * Java before 19 printed a digit too many at times (1e23 as 9.999999999999999E22); this is what Java
 * prints since. Method: Giulietti, "The Schubfach way to render doubles" (2020).
 */
#ifndef WR_DOUBLE_TEXT_H
#define WR_DOUBLE_TEXT_H

#include "base/base.h"

enum {
    WR_DOUBLE_TEXT_MAX = 32 /* bytes; 24 are the most that show */
};

/* Write the text of `v` to `out`, which has room for WR_DOUBLE_TEXT_MAX bytes; returns its length. No
 * NUL follows. wr_float_text: the shortest that reads back as the same float. */
size_t wr_double_text(double v, char *out);
size_t wr_float_text(float v, char *out);

#endif
