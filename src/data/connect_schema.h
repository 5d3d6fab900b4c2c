/*
 * connect_schema.h - Kafka Connect's schemas and values, as far as Debezium uses them.
 *
 * A struct wr_schema says what a value is; a struct wr_datum is the value. Both are what converters
 * (converter_ops.h) turn into bytes, and what knows nothing of databases any more: a numeric is a
 * Decimal's unscaled bytes here, a timestamptz is text.
 *
 *     struct wr_value (change.h) --wr_connect_convert()--> struct wr_datum --converter--> bytes
 *     struct wr_column           --wr_connect_map()-----> struct wr_schema
 *
 * Which Connect type a column gets, under which mode, is one table in connect_schema.c; a new type is a
 * row there. Facts: cdc.md B9, C1, C2, C5 and the fixture in test/wire/debezium/.
 *
 * Life: a schema is immutable and lives in the arena that it was built in.
 */
#ifndef WR_CONNECT_SCHEMA_H
#define WR_CONNECT_SCHEMA_H

#include "base/arena.h"
#include "data/change.h"

/* Connect's types; in brackets the member of struct wr_datum that has the value. */
enum wr_schema_type {
    WR_SCHEMA_INT8,    /* [i] */
    WR_SCHEMA_INT16,   /* [i] */
    WR_SCHEMA_INT32,   /* [i] */
    WR_SCHEMA_INT64,   /* [i] */
    WR_SCHEMA_FLOAT32, /* [f] */
    WR_SCHEMA_FLOAT64, /* [f] */
    WR_SCHEMA_BOOLEAN, /* [b] */
    WR_SCHEMA_STRING,  /* [bytes] UTF-8, not checked */
    WR_SCHEMA_BYTES,   /* [bytes] */
    WR_SCHEMA_ARRAY,   /* [items], `count` of them */
    WR_SCHEMA_STRUCT   /* [items], one for each field, in their order */
};

/* Connect's own logical types, which some converters write in another way than their base type. */
enum wr_schema_logical {
    WR_LOGICAL_NONE,
    WR_LOGICAL_DECIMAL,  /* BYTES: unscaled, big-endian two's complement, as short as can be */
    WR_LOGICAL_DATE,     /* INT32: days since 1970 */
    WR_LOGICAL_TIME,     /* INT32: milliseconds of the day */
    WR_LOGICAL_TIMESTAMP /* INT64: milliseconds since 1970 */
};

struct wr_datum {
    bool is_set; /* false: null */
    union {
        bool b;
        int64_t i;
        double f;
        struct wr_bytes bytes;
        struct {
            const struct wr_datum *items;
            size_t count;
        } list; /* ARRAY and STRUCT */
    } u;        /* valid when set */
};

struct wr_schema_param {
    struct wr_str name;
    struct wr_str value;
};

struct wr_schema_field;

struct wr_schema {
    enum wr_schema_type type;
    enum wr_schema_logical logical;
    bool is_optional;
    struct wr_str name; /* ptr NULL: none */
    int32_t version;    /* 0: none */
    int32_t scale;      /* LOGICAL_DECIMAL */
    struct wr_str doc;  /* ptr NULL: none */
    const struct wr_schema_param *params;
    size_t param_count;
    const struct wr_datum *default_value; /* NULL: none */
    const struct wr_schema *item;         /* ARRAY */
    const struct wr_schema_field *fields; /* STRUCT */
    size_t field_count;
};

struct wr_schema_field {
    struct wr_str name;
    const struct wr_schema *schema;
    const struct wr_datum
        *constant; /* not NULL: every record has this value here, so a converter may
                                        prepare its bytes; the datum at its place is not looked at */
};

/* decimal.handling.mode, time.precision.mode, binary.handling.mode. */
enum wr_decimal_mode {
    WR_DECIMAL_PRECISE,
    WR_DECIMAL_STRING,
    WR_DECIMAL_DOUBLE
};

enum wr_time_mode {
    WR_TIME_ADAPTIVE,
    WR_TIME_ADAPTIVE_MICROSECONDS,
    WR_TIME_CONNECT
};

enum wr_binary_mode {
    WR_BINARY_BYTES,
    WR_BINARY_BASE64,
    WR_BINARY_BASE64_URL_SAFE,
    WR_BINARY_HEX
};

struct wr_connect_modes {
    enum wr_decimal_mode decimal;
    enum wr_time_mode time;
    enum wr_binary_mode binary;
    struct wr_bytes placeholder; /* unavailable.value.placeholder, "hex:" already decoded */
};

struct wr_connect_form; /* connect_form.h: how one type of column is shown */

/* How a column is shown: what wr_connect_map() finds once for each table. */
struct wr_connect_column {
    const struct wr_column *column;       /* borrowed */
    const struct wr_connect_form *form;   /* static storage */
    const struct wr_connect_form *item;   /* ARRAY: of its items; else NULL */
    const struct wr_connect_modes *modes; /* borrowed */
    const struct wr_schema *schema;       /* in the arena */
    struct wr_datum
        absent; /* what stands for NULL, and for a value that is not in the tuple: null, or in
                               a NOT NULL column its default, or Debezium's fallback (cdc.md B2) */
};

/*
 * Find how `column` is shown and build its schema in `arena`, with its default when it has one.
 *
 *   column, modes   borrowed for as long as `out` is used
 *   out             untouched on failure
 *
 * Returns 0, or
 *   WEIR_E_UNSUPPORTED  a type without a mapping (WR_TYPE_UNKNOWN, an array of it); Debezium omits
 *                       such columns, so a source does before it comes here
 *   WEIR_E_NOMEM
 */
WR_MUST_USE int wr_connect_map(const struct wr_column *column, const struct wr_connect_modes *modes,
                               struct wr_arena *arena, struct wr_connect_column *out,
                               struct weir_error *err);

/*
 * Make the Connect value of a column's value.
 *
 *   arena   holds what is not borrowed from `value`
 *   out     `absent` of the column for NULL and for a value that is ABSENT
 *
 * Returns NULL, or why the value has no place in the schema (static text: "NaN in a precise decimal");
 * `out` is then null, and the caller decides whether that may be (cdc.md B9). For the one reason
 * wr_connect_no_memory it may not.
 */
extern const char wr_connect_no_memory[];
WR_MUST_USE const char *wr_connect_convert(const struct wr_connect_column *column,
                                           const struct wr_value *value, struct wr_arena *arena,
                                           struct wr_datum *out);

/* The same value, byte for byte, of the same schema. */
bool wr_datum_eq(const struct wr_schema *schema, const struct wr_datum *a,
                 const struct wr_datum *b);

#endif
