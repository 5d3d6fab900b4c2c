/*
 * debezium_changes.h - test/wire/debezium/changes.sql again, as typed changes: what a source would make of
 * it, written by hand. test_envelope.c compares the records with Debezium's.
 */
#ifndef TEST_DEBEZIUM_CHANGES_H
#define TEST_DEBEZIUM_CHANGES_H

#include "debezium_types.h"

/* clang-format off */

/* ---- required ---------------------------------------------------------------------------------------- */

static const struct wr_column required_columns[] = {
    REQ("id", WR_TYPE_INT32), REQ("b", WR_TYPE_BOOL), REQ("i2", WR_TYPE_INT16), REQ("i4", WR_TYPE_INT32),
    REQ("i8", WR_TYPE_INT64), REQ("n", WR_TYPE_DECIMAL), COLUMN("n52", WR_TYPE_DECIMAL, false, 5, 2, ABSENT),
    REQ("f4", WR_TYPE_FLOAT32), REQ("f8", WR_TYPE_FLOAT64), REQ("t", WR_TYPE_TEXT), REQ("vc", WR_TYPE_TEXT),
    REQ("by", WR_TYPE_BYTES), REQ("u", WR_TYPE_UUID), REQ("d", WR_TYPE_DATE), REQ("ts", WR_TYPE_TIMESTAMP),
    REQ_P("ts3", WR_TYPE_TIMESTAMP, 3), REQ("tz", WR_TYPE_TIMESTAMPTZ), REQ_P("tz0", WR_TYPE_TIMESTAMPTZ, 0),
    REQ("j", WR_TYPE_JSON), REQ("jb", WR_TYPE_JSON), REQ("tm", WR_TYPE_TIME), REQ_P("tm3", WR_TYPE_TIME, 3),
    REQ("ttz", WR_TYPE_TIMETZ), REQ("m", WR_TYPE_ENUM), REQ("x", WR_TYPE_XML),
    {.name = WR_STR_INIT("ai"), .type = WR_TYPE_ARRAY, .item = WR_TYPE_INT32, .precision = -1, .scale = -1,
     .default_value = ABSENT},
    COLUMN("dflt", WR_TYPE_INT32, false, -1, -1, I(7)), OPT("nullable", WR_TYPE_TEXT),
    COLUMN("ndflt", WR_TYPE_TEXT, true, -1, -1, T("shown")),
};
static const struct wr_table required = TABLE(4, "public", "required", required_columns, first_column);

ITEMS one[] = {I(1)};
#define REQUIRED_ROW(id, t)                                                                  \
    {I(id), B(true), I(1), I(1), I(1), T("1.5"), T("1.50"), F(1), F(1), T(t), T("v"), T("\x01"),             \
     T("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"), I(18262), I(1577836800000000), I(1577836800000000),          \
     I(1577836800000000), I(1577836800000000), T("1"), T("2"), I(3600000000), I(3600000000),                 \
     I(3600000000), T("sad"), T("<a/>"), A(one), I(7), {0}, T("shown")}
#define REQUIRED_KEY(id)                                                                     \
    {I(id), ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT,  \
     ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, ABSENT, \
     ABSENT, ABSENT, ABSENT}
static const struct wr_value required_rows[][COUNT(required_columns)] = {
    REQUIRED_ROW(1, "t"), REQUIRED_ROW(1, "u"), REQUIRED_KEY(1), REQUIRED_ROW(2, "u"), REQUIRED_KEY(2)};

/* ---- keys of all kinds ------------------------------------------------------------------------------- */

static const struct wr_column composite_columns[] = {
    REQ("a", WR_TYPE_TEXT), OPT("b", WR_TYPE_INT32), REQ("c", WR_TYPE_INT32)};
static const uint32_t composite_key[] = {2, 0};
static const struct wr_table composite = TABLE(5, "public", "composite", composite_columns, composite_key);
static const struct wr_value composite_rows[][3] = {
    {T("x"), I(1), I(9)}, {T("x"), I(2), I(9)}, {T("x"), ABSENT, I(9)}, {T("y \"z\""), I(3), I(9)},
    {T("y \"z\""), ABSENT, I(9)}};

static const struct wr_column uniq_columns[] = {
    OPT("a", WR_TYPE_INT32), OPT("b", WR_TYPE_TEXT), OPT("c", WR_TYPE_INT32)};
static const uint32_t uniq_key[] = {1};
static const struct wr_table uniq = TABLE(6, "public", "uniq", uniq_columns, uniq_key);
static const struct wr_value uniq_rows[][3] = {{I(1), T("k"), I(2)}, {I(2), {0}, I(3)}};

static const struct wr_column full_old_columns[] = {
    REQ("id", WR_TYPE_INT32), OPT("t", WR_TYPE_TEXT), COLUMN("n", WR_TYPE_INT32, true, -1, -1, I(3))};
static const struct wr_table full_old = TABLE(7, "public", "full_old", full_old_columns, first_column);
static const struct wr_value full_old_rows[][3] = {
    {I(1), T("one")}, {I(1), T("two"), I(4)}, {I(5), T("two"), I(4)}};

static const struct wr_column no_key_columns[] = {OPT("a", WR_TYPE_INT32), OPT("b", WR_TYPE_TEXT)};
static const struct wr_table no_key = {
    .version = 8, .db = WR_STR_INIT("app_db"), .schema = WR_STR_INIT("public"), .name = WR_STR_INIT("no_key"),
    .columns = no_key_columns, .column_count = COUNT(no_key_columns)};
static const struct wr_value no_key_rows[][2] = {{I(1), T("one")}, {I(2), T("one")}};

static const struct wr_column keys_columns[] = {
    REQ("t", WR_TYPE_TEXT), COLUMN("n", WR_TYPE_DECIMAL, false, 12, 8, ABSENT), REQ("v", WR_TYPE_DECIMAL),
    REQ("f", WR_TYPE_FLOAT64), REQ("b", WR_TYPE_BYTES), REQ("d", WR_TYPE_DATE), REQ("ts", WR_TYPE_TIMESTAMP),
    REQ("tz", WR_TYPE_TIMESTAMPTZ), REQ("o", WR_TYPE_BOOL), OPT("rest", WR_TYPE_TEXT)};
static const uint32_t keys_key[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
static const struct wr_table keys = TABLE(9, "public", "keys", keys_columns, keys_key);
#define KEYS_1 T("a \"b\" \\ \t é 😀 /"), T("1.50000000"), T("12.50"), F(1e22), T("\x00\xff"), I(18321),   \
               I(1577934245678901), I(1577934245000000), B(true)
#define KEYS_2 T(""), T("0.00000001"), T("0.000000001"), F(__builtin_nan("")), T(""), I(-735160), I(-100000), \
               I(PLUS), B(false)
#define KEYS_3 T(""), T("-1000.00000000"), T("4400"), F(0.1), T(""), I(-735160), I(PLUS), I(PLUS), B(false)
static const struct wr_value keys_rows[][10] = {
    {KEYS_1, T("r")}, {KEYS_1, ABSENT}, {KEYS_2, T("r")}, {KEYS_2, ABSENT}, {KEYS_3, T("r")}, {KEYS_3, ABSENT}};

/* ---- large values, odd names, and the rest ------------------------------------------------------------ */

#define X10(c) c c c c c c c c c c
#define X100(c) X10(c) X10(c) X10(c) X10(c) X10(c) X10(c) X10(c) X10(c) X10(c) X10(c)
#define X500(c) X100(c) X100(c) X100(c) X100(c) X100(c)
#define X2500(c) X500(c) X500(c) X500(c) X500(c) X500(c)
static const char x_2500[] = X2500("x");
static const char a_2500[] = X2500("a");
static const char j_2502[] = "\"" X2500("j") "\"";
static const char ab_2500[] = X2500("\xab");
static const char nines_4080[] = X2500("9") X500("9") X500("9") X500("9") X10("99999999");
static const char xml_2507[] = "<a>" X2500("x") "</a>";

static const struct wr_column toast_columns[] = {
    REQ("id", WR_TYPE_INT32), OPT("n", WR_TYPE_INT32), OPT("t", WR_TYPE_TEXT), OPT("by", WR_TYPE_BYTES),
    OPT("j", WR_TYPE_JSON), LIST("at", WR_TYPE_TEXT, -1, -1), LIST("ai", WR_TYPE_INT32, -1, -1),
    LIST("ai8", WR_TYPE_INT64, -1, -1), OPT("num", WR_TYPE_DECIMAL), OPT("ax", WR_TYPE_XML)};
static const struct wr_table toast = TABLE(10, "public", "toast", toast_columns, first_column);
ITEMS a_list[] = {T(a_2500)};
#define ONES_10  I(1), I(1), I(1), I(1), I(1), I(1), I(1), I(1), I(1), I(1)
#define ONES_100 ONES_10, ONES_10, ONES_10, ONES_10, ONES_10, ONES_10, ONES_10, ONES_10, ONES_10, ONES_10
ITEMS ones[] = {ONES_100, ONES_100, ONES_100, ONES_100, ONES_100, ONES_100, ONES_100};
static const struct wr_value toast_rows[][COUNT(toast_columns)] = {
    {I(1), I(1), T(x_2500), T(ab_2500), T(j_2502), A(a_list), A(ones), A(ones), T(nines_4080), T(xml_2507)},
    {I(1), I(2), U, U, U, U, U, U, U, U}};

static const struct wr_column toast_full_columns[] = {
    REQ("id", WR_TYPE_INT32), OPT("n", WR_TYPE_INT32), OPT("t", WR_TYPE_TEXT)};
static const struct wr_table toast_full = TABLE(11, "public", "toast_full", toast_full_columns, first_column);
static const struct wr_value toast_full_rows[][3] = {{I(1), I(1), T(x_2500)}, {I(1), I(2), U}};

static const struct wr_column odd_columns[] = {REQ("I d", WR_TYPE_INT32), OPT("q\"\\é😀", WR_TYPE_TEXT)};
static const struct wr_table odd = TABLE(12, "Sché ma", "T \"1\" 😀-x.y", odd_columns, first_column);
static const struct wr_value odd_rows[][2] = {{I(1), T("v")}};

static const struct wr_column cut_a_columns[] = {REQ("id", WR_TYPE_INT32)};
static const struct wr_table cut_a = TABLE(13, "public", "cut_a", cut_a_columns, first_column);
static const struct wr_column cut_b_columns[] = {REQ("id", WR_TYPE_INT32), OPT("a", WR_TYPE_INT32)};
static const struct wr_table cut_b = TABLE(14, "public", "cut_b", cut_b_columns, first_column);
static const struct wr_value cut_rows[][2] = {{I(1), I(1)}};

static const struct wr_column orders_columns[] = {
    REQ("order_id", WR_TYPE_INT32), OPT("customer_id", WR_TYPE_INT32),
    COLUMN("amount", WR_TYPE_DECIMAL, true, 10, 2, ABSENT), OPT("status", WR_TYPE_TEXT),
    OPT_P("created_at", WR_TYPE_TIMESTAMP, 3)};
static const struct wr_table orders = TABLE(15, "public", "orders", orders_columns, first_column);
static const struct wr_value orders_rows[][5] = {
    {I(1001), I(501), T("29.99"), T("pending"), I(1710499200000000)},
    {I(1001), I(501), T("29.99"), T("shipped"), I(1710499200000000)}};

static const struct wr_column snap_columns[] = {
    REQ("id", WR_TYPE_INT32), OPT("by", WR_TYPE_BYTES), COLUMN("n", WR_TYPE_DECIMAL, true, 10, 2, ABSENT),
    COLUMN("s", WR_TYPE_DECIMAL, true, 30, 20, ABSENT), LIST("a", WR_TYPE_DECIMAL, 4, 1)};
static const struct wr_table snap = TABLE(16, "public", "snap", snap_columns, first_column);
ITEMS snap_list[] = {T("1.0"), {0}};
static const struct wr_value snap_rows[][5] = {
    {I(1), T("\xfb\xff"), T("12.50"), T("0.00000000000000000000"), A(snap_list)},
    {I(2), {0}, T("-0.01"), T("0.00000000000000000001"), {0}},
    {I(3), T(""), T("0.00"), T("-1.00000000000000000000"), EMPTY}};

/* ---- the changes, in their order ---------------------------------------------------------------------- */

#define CREATE(t, row)         {.op = WR_OP_CREATE, .table = &(t), .after = (row), .origin = {.has_tx_id = true}}
#define UPDATE(t, before_, row)                                                              \
    {.op = WR_OP_UPDATE, .table = &(t), .before = (before_), .after = (row), .origin = {.has_tx_id = true}}
#define DELETE(t, before_)                                                                   \
    {.op = WR_OP_DELETE, .table = &(t), .before = (before_), .origin = {.has_tx_id = true}}
#define TRUNCATE(t)            {.op = WR_OP_TRUNCATE, .table = &(t), .origin = {.has_tx_id = true}}
#define MESSAGE(is_tx, p, ...)                                                               \
    {.op = WR_OP_MESSAGE, .origin = {.has_tx_id = (is_tx)}, .prefix = WR_STR_INIT(p),        \
     .content = {(const uint8_t *)(__VA_ARGS__), sizeof(__VA_ARGS__) - 1}}
#define READ(t, row, mark)                                                                   \
    {.op = WR_OP_READ, .table = &(t), .after = (row), .origin = {.has_tx_id = true, .snapshot = (mark)}}

#define T27(x) x(0), x(1), x(2), x(3), x(4), x(5), x(6), x(7), x(8), x(9), x(10), x(11), x(12), x(13), x(14),  \
               x(15), x(16), x(17), x(18), x(19), x(20), x(21), x(22), x(23), x(24), x(25), x(26)
#define CREATE_TYPES(i) CREATE(types, types_rows[i])

static const struct wr_change streamed[] = {
    T27(CREATE_TYPES),
    CREATE(arrays, arrays_rows[0]), CREATE(arrays, arrays_rows[1]), CREATE(arrays, arrays_rows[2]),
    CREATE(defaults, defaults_rows[0]), CREATE(defaults, defaults_rows[1]),
    CREATE(required, required_rows[0]), UPDATE(required, NULL, required_rows[1]),
    UPDATE(required, required_rows[2], required_rows[3]), DELETE(required, required_rows[4]),
    CREATE(composite, composite_rows[0]), UPDATE(composite, NULL, composite_rows[1]),
    UPDATE(composite, composite_rows[2], composite_rows[3]), DELETE(composite, composite_rows[4]),
    CREATE(uniq, uniq_rows[0]), CREATE(uniq, uniq_rows[1]),
    CREATE(full_old, full_old_rows[0]), UPDATE(full_old, full_old_rows[0], full_old_rows[1]),
    UPDATE(full_old, full_old_rows[1], full_old_rows[2]), DELETE(full_old, full_old_rows[2]),
    CREATE(no_key, no_key_rows[0]), UPDATE(no_key, no_key_rows[0], no_key_rows[1]), DELETE(no_key, no_key_rows[1]),
    CREATE(keys, keys_rows[0]), UPDATE(keys, keys_rows[1], keys_rows[2]), UPDATE(keys, keys_rows[3], keys_rows[4]),
    DELETE(keys, keys_rows[5]),
    CREATE(toast, toast_rows[0]), UPDATE(toast, NULL, toast_rows[1]),
    CREATE(toast_full, toast_full_rows[0]), UPDATE(toast_full, toast_full_rows[0], toast_full_rows[1]),
    CREATE(odd, odd_rows[0]),
    CREATE(cut_a, cut_rows[0]), CREATE(cut_b, cut_rows[0]), TRUNCATE(cut_a), TRUNCATE(cut_b),
    MESSAGE(true, "pre \"fix\"", "héllo"), MESSAGE(false, "", "\x00\xff"), MESSAGE(true, "empty", ""),
    CREATE(orders, orders_rows[0]), UPDATE(orders, NULL, orders_rows[1]),
    CREATE(snap, snap_rows[0]), CREATE(snap, snap_rows[1]), CREATE(snap, snap_rows[2]),
};

static const struct wr_change snapshotted[] = {
    READ(orders, orders_rows[1], WR_SNAPSHOT_FIRST), READ(snap, snap_rows[0], WR_SNAPSHOT_FIRST_IN_TABLE),
    READ(snap, snap_rows[1], WR_SNAPSHOT_TRUE), READ(snap, snap_rows[2], WR_SNAPSHOT_LAST_IN_TABLE),
    READ(uniq, uniq_rows[0], WR_SNAPSHOT_FIRST_IN_TABLE), READ(uniq, uniq_rows[1], WR_SNAPSHOT_LAST),
};
/* clang-format on */

#endif
