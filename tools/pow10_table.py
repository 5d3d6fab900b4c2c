#!/usr/bin/env python3
"""pow10_table.py: write src/data/pow10_table.c, the powers of ten that double_text.c multiplies by.

For e in -292 .. 324: g = floor(10^e * 2^-r) + 1 with r = floor(log2(10^e)) - 125, so 2^125 < g <= 2^126
(Giulietti, "The Schubfach way to render doubles", 2020, section 9). Also checks the fixed-point
logarithms that double_text.c uses, over the whole range of their arguments.
"""
from fractions import Fraction

LOW, HIGH = -292, 324


def power(base, e):
    return Fraction(base) ** e


def floor_log2(x):
    n = x.numerator.bit_length() - x.denominator.bit_length()
    while power(2, n) > x:
        n -= 1
    while power(2, n + 1) <= x:
        n += 1
    return n


def floor_log10(x):
    n = len(str(x.numerator)) - len(str(x.denominator))
    while power(10, n) > x:
        n -= 1
    while power(10, n + 1) <= x:
        n += 1
    return n


for q in range(-1074, 972):
    assert q * 661971961083 >> 41 == floor_log10(power(2, q)), q
    assert q * 661971961083 - 274743187321 >> 41 == floor_log10(Fraction(3, 4) * power(2, q)), q
for e in range(LOW, HIGH + 1):
    assert e * 913124641741 >> 38 == floor_log2(power(10, e)), e

rows = []
for e in range(LOW, HIGH + 1):
    r = floor_log2(power(10, e)) - 125
    g = power(10, e) * power(2, -r)
    g = g.numerator // g.denominator + 1
    assert 2 ** 125 < g <= 2 ** 126
    rows.append('{0x%016x, 0x%016x},' % (g >> 64, g & (2 ** 64 - 1)))

print('/* pow10_table.c - 10^e for e = %d .. %d; written by tools/pow10_table.py. */' % (LOW, HIGH))
print('#include "data/pow10_table.h"\n')
print('/* clang-format off */')
print('const struct wr_pow10 wr_pow10_table[WR_POW10_HIGH - WR_POW10_LOW + 1] = {')
for i in range(0, len(rows), 2):
    print('    ' + ' '.join(rows[i:i + 2]))
print('};\n/* clang-format on */')
