/*
 * How many records a second does the envelope write, on one core?
 *
 *   insert         the textbook's order: five columns, no schemas
 *   insert_schema  the same with the schema in each record, as Connect does by default
 *   update_full    two rows of twelve columns of all kinds, REPLICA IDENTITY FULL, no schemas
 *   text           an insert of 1 KB of text, a quarter of it not ASCII
 *   move           a changed key: three records
 *
 * Each is compared with copying the bytes of its keys and values, which is as fast as any writer of them
 * could be.
 */
#include "base/clock.h"
#include "data/envelope.h"
#include "data/json_converter.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    ROUNDS = 5,
    RECORDS = 400000
};

#define SET_I(v)                          \
    {                                     \
        .state = WR_VALUE_SET, .u.i = (v) \
    }
#define SET_F(v)                          \
    {                                     \
        .state = WR_VALUE_SET, .u.f = (v) \
    }
#define SET_T(v)                                                                 \
    {                                                                            \
        .state = WR_VALUE_SET, .u.bytes = {(const uint8_t *)(v), sizeof(v) - 1 } \
    }
#define NO_DEFAULT               \
    {                            \
        .state = WR_VALUE_ABSENT \
    }
#define COLUMN(n, t, p, s)                                                                        \
    {                                                                                             \
        .name = WR_STR_INIT(n), .type = (t), .is_nullable = true, .precision = (p), .scale = (s), \
        .length = -1, .default_value = NO_DEFAULT                                                 \
    }

static const uint32_t first[] = {0};

static const struct wr_column order_columns[] = {
    COLUMN("order_id", WR_TYPE_INT32, -1, -1), COLUMN("customer_id", WR_TYPE_INT32, -1, -1),
    COLUMN("amount", WR_TYPE_DECIMAL, 10, 2), COLUMN("status", WR_TYPE_TEXT, -1, -1),
    COLUMN("created_at", WR_TYPE_TIMESTAMP, 3, -1)};
static const struct wr_table orders = {
    1, WR_STR_INIT("app_db"), WR_STR_INIT("public"), WR_STR_INIT("orders"), order_columns, 5, first,
    1};
static struct wr_value order[] = {SET_I(1001), SET_I(501), SET_T("29.99"), SET_T("pending"),
                                  SET_I(1710500000000000)};
static const struct wr_value order_moved[] = {SET_I(7), SET_I(501), SET_T("29.99"),
                                              SET_T("pending"), SET_I(1710500000000000)};

static const struct wr_column mixed_columns[] = {COLUMN("id", WR_TYPE_INT64, -1, -1),
                                                 COLUMN("name", WR_TYPE_TEXT, -1, -1),
                                                 COLUMN("email", WR_TYPE_TEXT, -1, -1),
                                                 COLUMN("price", WR_TYPE_DECIMAL, 12, 4),
                                                 COLUMN("free", WR_TYPE_DECIMAL, -1, -1),
                                                 COLUMN("ratio", WR_TYPE_FLOAT64, -1, -1),
                                                 COLUMN("active", WR_TYPE_BOOL, -1, -1),
                                                 COLUMN("day", WR_TYPE_DATE, -1, -1),
                                                 COLUMN("created", WR_TYPE_TIMESTAMPTZ, -1, -1),
                                                 COLUMN("updated", WR_TYPE_TIMESTAMP, -1, -1),
                                                 COLUMN("uid", WR_TYPE_UUID, -1, -1),
                                                 COLUMN("data", WR_TYPE_JSON, -1, -1)};
static const struct wr_table mixed = {
    2, WR_STR_INIT("app_db"), WR_STR_INIT("public"), WR_STR_INIT("mixed"), mixed_columns, 12, first,
    1};
static const struct wr_value mixed_row[] = {SET_I(123456789012),
                                            SET_T("Ada Lovelace"),
                                            SET_T("ada@example.org"),
                                            SET_T("1234.5678"),
                                            SET_T("-0.000123"),
                                            SET_F(0.3333333333333333),
                                            {.state = WR_VALUE_SET, .u.b = true},
                                            SET_I(19797),
                                            SET_I(1710500000123456),
                                            SET_I(1710500000654321),
                                            SET_T("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
                                            SET_T("{\"tags\": [\"a\", \"b\"], \"n\": 1}")};

static const struct wr_column text_columns[] = {COLUMN("id", WR_TYPE_INT32, -1, -1),
                                                COLUMN("body", WR_TYPE_TEXT, -1, -1)};
static const struct wr_table text = {
    3, WR_STR_INIT("app_db"), WR_STR_INIT("public"), WR_STR_INIT("text"), text_columns, 2, first,
    1};
static const struct wr_value text_row[] = {
    SET_I(1),
    SET_T(
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. "
        "The quick brown fox jumps over the lazy dog, größer als üblich: naïve café £5 – „so\" war’s. ")};

struct question {
    const char *name;
    struct wr_change change;
    bool has_schemas;
    enum wr_decimal_mode decimals;
};

#define ORIGIN                                                                       \
    {                                                                                \
        .ts_us = 1710500000123456, .has_tx_id = true, .tx_id = 700, .lsn = 26870000, \
        .has_last_commit = true, .last_commit_lsn = 26869000                         \
    }

static const struct question questions[] = {
    {"insert", {WR_OP_CREATE, &orders, NULL, order, .origin = ORIGIN}, false, WR_DECIMAL_DOUBLE},
    {"insert_schema",
     {WR_OP_CREATE, &orders, NULL, order, .origin = ORIGIN},
     true,
     WR_DECIMAL_PRECISE},
    {"update_full",
     {WR_OP_UPDATE, &mixed, mixed_row, mixed_row, .origin = ORIGIN},
     false,
     WR_DECIMAL_PRECISE},
    {"text", {WR_OP_CREATE, &text, NULL, text_row, .origin = ORIGIN}, false, WR_DECIMAL_PRECISE},
    {"move",
     {WR_OP_UPDATE, &orders, order_moved, order, .origin = ORIGIN},
     false,
     WR_DECIMAL_PRECISE},
};

static void must(int rc, const struct weir_error *err)
{
    if (rc != 0) {
        fprintf(stderr, "envelope: %s\n", err->text);
        _exit(1);
    }
}

static struct wr_envelope *open_envelope(const struct question *q)
{
    struct wr_envelope_options options = wr_envelope_defaults();
    struct wr_json_converter_options json = wr_json_converter_defaults();
    struct wr_envelope *envelope = NULL;
    struct weir_error err;
    options.topic_prefix = WR_STR("app");
    options.database = WR_STR("app_db");
    options.run_id = WR_STR("01a20cae-a294-7df8-ac0a-87436a49f57d");
    options.modes.decimal = q->decimals;
    json.schemas_enable = q->has_schemas;
    must(wr_json_converter_new(&json, &options.key_converter, &err), &err);
    must(wr_json_converter_new(&json, &options.value_converter, &err), &err);
    must(wr_envelope_new(&options, &envelope, &err), &err);
    return envelope;
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

struct took {
    double wall; /* seconds */
    double cpu;  /* seconds */
    size_t records;
    size_t bytes; /* of keys and values */
};

/* Write the change `RECORDS` times. `sink` gets the bytes when it is not NULL, and nothing else is done. */
static struct took run(struct wr_envelope *envelope, const struct question *q)
{
    struct wr_change change = q->change;
    struct wr_envelope_output out;
    struct weir_error err;
    struct took took = {0};
    int64_t start = wr_mono_us(wr_clock_os());
    double cpu = cpu_seconds();
    for (int64_t i = 0; i < RECORDS; i++) {
        change.origin.lsn++;
        order[0].u.i = 1000000 + i;
        must(wr_envelope_change(envelope, &change, 1710500000654321 + i, &out, &err), &err);
        took.records += out.record_count;
        for (size_t k = 0; k < out.record_count; k++) {
            took.bytes += out.records[k].record.key.len + out.records[k].record.value.len;
        }
    }
    took.cpu = cpu_seconds() - cpu;
    took.wall = (double)(wr_mono_us(wr_clock_os()) - start) / 1e6;
    return took;
}

/* Copy as many bytes in as many pieces. */
static double copy_seconds(const struct took *took)
{
    static uint8_t from[1 << 16];
    static uint8_t to[1 << 16];
    size_t piece = took->bytes / took->records;
    int64_t start = wr_mono_us(wr_clock_os());
    for (size_t i = 0; i < took->records; i++) {
        memcpy(to, from, piece < sizeof(to) ? piece : sizeof(to));
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    return (double)(wr_mono_us(wr_clock_os()) - start) / 1e6;
}

static int by_wall(const void *a, const void *b)
{
    double x = ((const struct took *)a)->wall;
    double y = ((const struct took *)b)->wall;
    return (x > y) - (x < y);
}

static void answer(const struct question *q)
{
    struct wr_envelope *envelope = open_envelope(q);
    struct took rounds[ROUNDS];
    (void)run(envelope, q); /* warm */
    for (size_t i = 0; i < ROUNDS; i++) {
        rounds[i] = run(envelope, q);
    }
    qsort(rounds, ROUNDS, sizeof(rounds[0]), by_wall);
    struct took t = rounds[ROUNDS / 2];
    double rate = (double)t.records / t.wall;
    double copied = (double)t.records / copy_seconds(&t);
    printf(
        "envelope  %-14s %6.2f M records/s  (%4zu bytes each, %5.0f MB/s, %4.0f ns CPU; compared with "
        "copying: %.1f M/s, %.2f)\n",
        q->name, rate / 1e6, t.bytes / t.records, (double)t.bytes / t.wall / 1e6,
        t.cpu / (double)t.records * 1e9, copied / 1e6, rate / copied);
    wr_envelope_free(envelope);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        answer(&questions[i]);
    }
    return 0;
}
