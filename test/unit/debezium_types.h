/*
 * debezium_types.h - the tables of test/wire/debezium that show types and defaults, with their rows.
 * debezium_changes.h has the others, and the changes.
 *
 * Rows are arrays of struct wr_value; what a row does not name is NULL.
 */
#ifndef TEST_DEBEZIUM_TYPES_H
#define TEST_DEBEZIUM_TYPES_H

#include "data/change.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* clang-format off */
#define B(v)    {.state = WR_VALUE_SET, .u.b = (v)}
#define I(v)    {.state = WR_VALUE_SET, .u.i = (v)}
#define F(v)    {.state = WR_VALUE_SET, .u.f = (v)}
#define T(text) {.state = WR_VALUE_SET, .u.bytes = {(const uint8_t *)(text), sizeof(text) - 1}}
#define A(list) {.state = WR_VALUE_SET, .u.array = {(list), COUNT(list)}}
#define EMPTY   {.state = WR_VALUE_SET, .u.array = {NULL, 0}}
#define U       {.state = WR_VALUE_UNSENT}
#define ABSENT  {.state = WR_VALUE_ABSENT}

/* A column: name, type, nullable, precision, scale, default. */
#define COLUMN(n, t, null, p, s, ...)                                                        \
    {.name = WR_STR_INIT(n), .type = (t), .is_nullable = (null), .precision = (p),           \
     .scale = (s), .length = -1, .labels = moods, .label_count = COUNT(moods),               \
     .default_value = __VA_ARGS__}
#define OPT(n, t)        COLUMN(n, t, true, -1, -1, ABSENT)
#define REQ(n, t)        COLUMN(n, t, false, -1, -1, ABSENT)
#define OPT_P(n, t, p)   COLUMN(n, t, true, p, -1, ABSENT)
#define REQ_P(n, t, p)   COLUMN(n, t, false, p, -1, ABSENT)
#define LIST(n, i, p, s)                                                                     \
    {.name = WR_STR_INIT(n), .type = WR_TYPE_ARRAY, .item = (i), .is_nullable = true,        \
     .precision = (p), .scale = (s), .length = -1, .labels = moods,                          \
     .label_count = COUNT(moods), .default_value = ABSENT}
#define TABLE(number, s, n, columns, key)                                                    \
    {.version = (number), .db = WR_STR_INIT("app_db"), .schema = WR_STR_INIT(s),             \
     .name = WR_STR_INIT(n), (columns), COUNT(columns), (key), (key) == NULL ? 0 : COUNT(key)}

static const struct wr_str moods[] = {WR_STR_INIT("sad"), WR_STR_INIT("so, so"), WR_STR_INIT("ok")};
static const uint32_t first_column[] = {0};

/* ---- types ------------------------------------------------------------------------------------------- */

enum {
    T_ID, T_B, T_I2, T_I4, T_I8, T_N, T_N52, T_N38, T_NTINY, T_NBIG, T_F4, T_F8, T_T, T_VC, T_C, T_BY, T_U,
    T_D, T_TS, T_TS0, T_TS3, T_TS4, T_TZ, T_TZ0, T_TZ3, T_J, T_JB, T_TM, T_TM3, T_TTZ, T_TTZ0, T_M, T_X,
    TYPES
};

static const struct wr_column types_columns[TYPES] = {
    REQ("id", WR_TYPE_INT32), OPT("b", WR_TYPE_BOOL), OPT("i2", WR_TYPE_INT16), OPT("i4", WR_TYPE_INT32),
    OPT("i8", WR_TYPE_INT64), OPT("n", WR_TYPE_DECIMAL), COLUMN("n52", WR_TYPE_DECIMAL, true, 5, 2, ABSENT),
    COLUMN("n38", WR_TYPE_DECIMAL, true, 38, 0, ABSENT), COLUMN("ntiny", WR_TYPE_DECIMAL, true, 3, 5, ABSENT),
    COLUMN("nbig", WR_TYPE_DECIMAL, true, 60, 20, ABSENT), OPT("f4", WR_TYPE_FLOAT32),
    OPT("f8", WR_TYPE_FLOAT64), OPT("t", WR_TYPE_TEXT), OPT("vc", WR_TYPE_TEXT), OPT("c", WR_TYPE_TEXT),
    OPT("by", WR_TYPE_BYTES), OPT("u", WR_TYPE_UUID), OPT("d", WR_TYPE_DATE), OPT("ts", WR_TYPE_TIMESTAMP),
    OPT_P("ts0", WR_TYPE_TIMESTAMP, 0), OPT_P("ts3", WR_TYPE_TIMESTAMP, 3), OPT_P("ts4", WR_TYPE_TIMESTAMP, 4),
    OPT("tz", WR_TYPE_TIMESTAMPTZ), OPT_P("tz0", WR_TYPE_TIMESTAMPTZ, 0), OPT_P("tz3", WR_TYPE_TIMESTAMPTZ, 3),
    OPT("j", WR_TYPE_JSON), OPT("jb", WR_TYPE_JSON), OPT("tm", WR_TYPE_TIME), OPT_P("tm3", WR_TYPE_TIME, 3),
    OPT("ttz", WR_TYPE_TIMETZ), OPT_P("ttz0", WR_TYPE_TIMETZ, 0), OPT("m", WR_TYPE_ENUM), OPT("x", WR_TYPE_XML),
};
static const struct wr_table types = TABLE(1, "public", "types", types_columns, first_column);

#define LANG_10 "lang 😀 lang 😀 lang 😀 lang 😀 lang 😀 lang 😀 lang 😀 lang 😀 lang 😀 lang 😀 "
#define LANG_100 LANG_10 LANG_10 LANG_10 LANG_10 LANG_10 LANG_10 LANG_10 LANG_10 LANG_10 LANG_10
static const uint8_t zeros_1500[1500];

#define PLUS  WR_TIME_INFINITY
#define MINUS WR_TIME_MINUS_INFINITY

static const struct wr_value types_rows[][TYPES] = {
    {[T_ID] = I(1), [T_B] = B(true), [T_I2] = I(-32768), [T_I4] = I(2147483647), [T_I8] = I(INT64_MIN),
     [T_N] = T("12.500"), [T_N52] = T("-1.25"), [T_N38] = T("12345678901234567890123456789012345678"),
     [T_NTINY] = T("0.00123"), [T_NBIG] = T("-1234567890123456789012345678901234567890.12345678901234567890"),
     [T_F4] = F(0.1F), [T_F8] = F(29.99), [T_T] = T("plain"), [T_VC] = T("varchar"), [T_C] = T("ab   "),
     [T_BY] = T("\x00\x01\xfe\xff"), [T_U] = T("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), [T_D] = I(17424),
     [T_TS] = I(1562639337123456), [T_TS0] = I(1562639338000000), [T_TS3] = I(1710499200123000),
     [T_TS4] = I(1562639337123500), [T_TZ] = I(1478267490123456), [T_TZ0] = I(1478267490000000),
     [T_TZ3] = I(1478267490100000), [T_J] = T("{\"a\" : 1,  \"b\":\"é\\u00e9\"}"),
     [T_JB] = T("{\"a\": 1, \"b\": [1, 2.50]}"), [T_TM] = I(14711789000), [T_TM3] = I(14711789000),
     [T_TTZ] = I(35490123789), [T_TTZ0] = I(42662000000), [T_M] = T("so, so"), [T_X] = T("<a>1 &lt; 2</a>")},
    {[T_ID] = I(2)},
    {[T_ID] = I(3), [T_N] = T("NaN"), [T_N52] = T("NaN"), [T_F4] = F(__builtin_nan("")), [T_F8] = F(__builtin_nan("")),
     [T_D] = I(PLUS), [T_TS] = I(PLUS), [T_TS3] = I(PLUS), [T_TZ] = I(PLUS), [T_TZ0] = I(PLUS)},
    {[T_ID] = I(4), [T_N] = T("Infinity"), [T_F4] = F(__builtin_inf()), [T_F8] = F(__builtin_inf()),
     [T_D] = I(MINUS), [T_TS] = I(MINUS), [T_TS3] = I(MINUS), [T_TZ] = I(MINUS), [T_TZ0] = I(MINUS)},
    {[T_ID] = I(5), [T_N] = T("-Infinity"), [T_F4] = F(-__builtin_inf()), [T_F8] = F(-__builtin_inf())},
    {[T_ID] = I(6), [T_N] = T("0"), [T_N52] = T("0.00"), [T_N38] = T("0"), [T_NTINY] = T("0.00000"),
     [T_NBIG] = T("0.00000000000000000000"), [T_F4] = F(-0.0), [T_F8] = F(-0.0), [T_T] = T(""), [T_VC] = T(""),
     [T_C] = T("     "), [T_BY] = T(""), [T_J] = T("\"\""), [T_JB] = T("null")},
    {[T_ID] = I(7), [T_N] = T("4400"), [T_N52] = T("999.99"), [T_N38] = T("-128"),
     [T_NBIG] = T("0.00000000000000000001"), [T_F4] = F(1e10F), [T_F8] = F(1e22)},
    {[T_ID] = I(8), [T_N] = T("0.000100"), [T_N52] = T("-0.01"), [T_N38] = T("128"),
     [T_NBIG] = T("1.00000000000000000000"), [T_F4] = F(1e-38F), [T_F8] = F(2.2250738585072014e-308)},
    {[T_ID] = I(9), [T_N] = T("-1.0"), [T_N52] = T("327.67"), [T_N38] = T("-129"), [T_F4] = F(3.4028235e38F),
     [T_F8] = F(1.7976931348623157e308)},
    {[T_ID] = I(10), [T_N] = T("123456789012345678901234567890.000"), [T_N38] = T("255"), [T_F4] = F(0.001F),
     [T_F8] = F(0.001)},
    {[T_ID] = I(11), [T_N38] = T("256"), [T_F4] = F(0.00099999F), [T_F8] = F(0.00099999999999)},
    {[T_ID] = I(12), [T_N38] = T("-256"), [T_F4] = F(9999999), [T_F8] = F(9999999.0)},
    {[T_ID] = I(13), [T_N38] = T("32767"), [T_F4] = F(1e7F), [T_F8] = F(1e7)},
    {[T_ID] = I(14), [T_N38] = T("-32768"), [T_F4] = F(123456.79F), [T_F8] = F(12345.678901)},
    {[T_ID] = I(15), [T_F4] = F(100), [T_F8] = F(100)},
    {[T_ID] = I(16), [T_F4] = F(1.5e-5F), [T_F8] = F(4.9e-324)},
    {[T_ID] = I(17), [T_F4] = F(33554432), [T_F8] = F(9007199254740992.0)},
    {[T_ID] = I(18), [T_F4] = F(0.3F), [T_F8] = F(0.30000000000000004)},
    {[T_ID] = I(20), [T_D] = I(-719162), [T_TS] = I(-62135596800000000), [T_TS0] = I(-1000000), [T_TS3] = I(-1000),
     [T_TZ] = I(-62135596800000000), [T_TZ0] = I(-1000000), [T_TZ3] = I(-12220243200000000),
     [T_TM] = I(86400000000), [T_TM3] = I(86399999000), [T_TTZ] = I(84600000000)},
    {[T_ID] = I(21), [T_D] = I(-2440588), [T_TS] = I(-210866803200000000), [T_TS0] = I(-63517780800000000),
     [T_TS3] = I(-62135596800001000), [T_TZ] = I(-210866803200000000), [T_TZ0] = I(-62135683200000000),
     [T_TZ3] = I(-63517780799500000), [T_TM] = I(0), [T_TM3] = I(0), [T_TTZ] = I(57540000000)},
    {[T_ID] = I(22), [T_D] = I(2145042905), [T_TS] = I(9223371244799999999), [T_TS0] = I(253402300800000000),
     [T_TS3] = I(601060312290100000), [T_TZ] = I(9223371244799999999), [T_TZ0] = I(601060312290000000),
     [T_TZ3] = I(253402300799999000), [T_TTZ] = I(62490100000)},
    {[T_ID] = I(23), [T_T] = T("\x01\x02\x07\b\t\n\x0b\f\r\x1b\x1f \"q\" \\ / \x7f é \u2028 \uFEFF 日本 😀𝄞 end"),
     [T_VC] = T("😀"), [T_J] = T("{\"k\":\"\\ud83d\\ude00\"}")},
    {[T_ID] = I(24), [T_T] = T(LANG_100 LANG_100 LANG_100),
     [T_BY] = {.state = WR_VALUE_SET, .u.bytes = {zeros_1500, sizeof(zeros_1500)}}},
    {[T_ID] = I(25), [T_BY] = T("\x01")}, {[T_ID] = I(26), [T_BY] = T("\x01\x02")},
    {[T_ID] = I(27), [T_BY] = T("\x01\x02\x03")}, {[T_ID] = I(28), [T_BY] = T("\xfb\xff")},
};

/* ---- arrays ------------------------------------------------------------------------------------------ */

enum { A_ID, A_AI, A_AI8, A_AT, A_AN, A_AN52, A_AF, A_AB, A_AD, A_ATS, A_ATZ, A_AU, A_AJ, A_ABY, A_AM, ARRAYS };

static const struct wr_column arrays_columns[ARRAYS] = {
    REQ("id", WR_TYPE_INT32), LIST("ai", WR_TYPE_INT32, -1, -1), LIST("ai8", WR_TYPE_INT64, -1, -1),
    LIST("at", WR_TYPE_TEXT, -1, -1), LIST("an", WR_TYPE_DECIMAL, -1, -1), LIST("an52", WR_TYPE_DECIMAL, 5, 2),
    LIST("af", WR_TYPE_FLOAT64, -1, -1), LIST("ab", WR_TYPE_BOOL, -1, -1), LIST("ad", WR_TYPE_DATE, -1, -1),
    LIST("ats", WR_TYPE_TIMESTAMP, -1, -1), LIST("atz", WR_TYPE_TIMESTAMPTZ, -1, -1), LIST("au", WR_TYPE_UUID, -1, -1),
    LIST("aj", WR_TYPE_JSON, -1, -1), LIST("aby", WR_TYPE_BYTES, -1, -1), LIST("am", WR_TYPE_ENUM, -1, -1),
};
static const struct wr_table arrays = TABLE(2, "public", "arrays", arrays_columns, first_column);

#define ITEMS static const struct wr_value
ITEMS list_ai[] = {I(1), {0}, I(-3)};
ITEMS list_at[] = {T("a"), {0}, T("b \"c\" é"), T("")};
ITEMS list_an[] = {T("1.50"), T("4400")};
ITEMS list_an52[] = {T("1.50"), {0}};
ITEMS list_an52_nan[] = {T("1.50"), T("NaN")};
ITEMS list_af[] = {F(0.1), F(__builtin_nan("")), F(-__builtin_inf())};
ITEMS list_ab[] = {B(true), B(false), {0}};
ITEMS list_ad[] = {I(18321)};
ITEMS list_ats[] = {I(1577934245678901)};
ITEMS list_atz[] = {I(1577934245000000)};
ITEMS list_au[] = {T("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")};
ITEMS list_aj[] = {T("{\"a\": 1}")};
ITEMS list_aby[] = {T("\x00\xff")};
ITEMS list_am[] = {T("ok"), T("so, so")};

static const struct wr_value arrays_rows[][ARRAYS] = {
    {I(1), A(list_ai), EMPTY, A(list_at), A(list_an), A(list_an52), A(list_af), A(list_ab), A(list_ad), A(list_ats), A(list_atz), A(list_au), A(list_aj), A(list_aby), A(list_am)},
    {I(2)},
    {[A_ID] = I(3), [A_AN52] = A(list_an52_nan)},
};

/* ---- defaults ---------------------------------------------------------------------------------------- */

#define DEF(n, t, ...)         COLUMN(n, t, true, -1, -1, __VA_ARGS__)
#define DEF_P(n, t, p, s, ...) COLUMN(n, t, true, p, s, __VA_ARGS__)

static const struct wr_column defaults_columns[] = {
    COLUMN("id", WR_TYPE_INT32, false, -1, -1, I(0)), DEF("b", WR_TYPE_BOOL, B(true)), DEF("i2", WR_TYPE_INT16, I(2)),
    DEF("i4", WR_TYPE_INT32, I(-4)), DEF("i8", WR_TYPE_INT64, I(8)), DEF("n", WR_TYPE_DECIMAL, T("1.5")),
    DEF_P("n83", WR_TYPE_DECIMAL, 8, 3, T("2.500")), DEF("f4", WR_TYPE_FLOAT32, F(0.1F)),
    DEF("f8", WR_TYPE_FLOAT64, F(29.99)), DEF("t", WR_TYPE_TEXT, T("a \"b\" é")), DEF("vc", WR_TYPE_TEXT, T("x")),
    DEF("by", WR_TYPE_BYTES, T("\x00\xff")), DEF("u", WR_TYPE_UUID, T("0b6f2f40-94ed-4a3b-b5b5-7b9ad1b0a3f1")),
    DEF("d", WR_TYPE_DATE, I(18321)), DEF("ts", WR_TYPE_TIMESTAMP, I(1577934245678901)),
    DEF_P("ts3", WR_TYPE_TIMESTAMP, 3, -1, I(1577934245678000)), DEF("tz", WR_TYPE_TIMESTAMPTZ, I(1577934245600000)),
    DEF_P("tz0", WR_TYPE_TIMESTAMPTZ, 0, -1, I(1577934245000000)), DEF("now", WR_TYPE_TIMESTAMPTZ, I(0)),
    DEF("j", WR_TYPE_JSON, T("{\"a\":1}")), DEF("jb", WR_TYPE_JSON, T("{}")), DEF("tm", WR_TYPE_TIME, I(3723000000)),
    DEF("ttz", WR_TYPE_TIMETZ, I(3723000000)), DEF("m", WR_TYPE_ENUM, T("ok")),
};
static const struct wr_table defaults = TABLE(3, "public", "defaults", defaults_columns, first_column);

static const struct wr_value defaults_rows[][COUNT(defaults_columns)] = {
    {I(1), B(true), I(2), I(-4), I(8), T("1.5"), T("2.500"), F(0.1F), F(29.99), T("a \"b\" é"), T("x"), T("\x00\xff"),
     T("0b6f2f40-94ed-4a3b-b5b5-7b9ad1b0a3f1"), I(18321), I(1577934245678901), I(1577934245678000),
     I(1577934245600000), I(1577934245000000), I(1577934245000001), T("{\"a\":1}"), T("{}"), I(3723000000),
     I(3723000000), T("ok")},
    {I(2)},
};
/* clang-format on */

#endif
