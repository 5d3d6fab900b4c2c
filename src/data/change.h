/*
 * change.h - one change of a row, typed, whatever database it came from.
 *
 * A source decodes its protocol into this; data/envelope.h makes Debezium's records of it. The value
 * of each column is held once, in the form that costs least to write out, and says by its column's
 * type what it is. Nothing here knows PostgreSQL or MySQL, but for the fields that Debezium's source
 * block has.
 *
 * Life: a struct wr_table lives as long as its source says (immutable; a change of the table makes a
 * new one with another `version`). Everything that a struct wr_change points to is borrowed until the
 * call that it was handed to returns.
 */
#ifndef WR_CHANGE_H
#define WR_CHANGE_H

#include "base/base.h"

/* What a column holds, and in brackets the member of struct wr_value that has it. */
enum wr_type {
    WR_TYPE_BOOL,        /* [b] */
    WR_TYPE_INT16,       /* [i] */
    WR_TYPE_INT32,       /* [i] */
    WR_TYPE_INT64,       /* [i] */
    WR_TYPE_FLOAT32,     /* [f], the nearest float; NaN and infinities as such */
    WR_TYPE_FLOAT64,     /* [f] */
    WR_TYPE_DECIMAL,     /* [bytes] plain decimal text, "-12.50"; or NaN, Infinity, -Infinity */
    WR_TYPE_TEXT,        /* [bytes] UTF-8 */
    WR_TYPE_JSON,        /* [bytes] UTF-8, the database's own text */
    WR_TYPE_XML,         /* [bytes] UTF-8 */
    WR_TYPE_UUID,        /* [bytes] 36 characters */
    WR_TYPE_ENUM,        /* [bytes] the label; the column's `labels` has all */
    WR_TYPE_BYTES,       /* [bytes] as they are */
    WR_TYPE_DATE,        /* [i] days since 1970-01-01, proleptic Gregorian */
    WR_TYPE_TIME,        /* [i] microseconds of the day; 24:00:00 is 86400000000 */
    WR_TYPE_TIMETZ,      /* [i] microseconds of the day in UTC */
    WR_TYPE_TIMESTAMP,   /* [i] microseconds since 1970-01-01 00:00, no zone */
    WR_TYPE_TIMESTAMPTZ, /* [i] microseconds since 1970-01-01 00:00 UTC */
    WR_TYPE_ARRAY,       /* [array] items of the column's `item` type */
    WR_TYPE_UNKNOWN      /* [bytes] the database's text for a type that weir has no mapping for */
};

/* DATE, TIMESTAMP and TIMESTAMPTZ: PostgreSQL's infinity and -infinity. */
#define WR_TIME_INFINITY       INT64_MAX
#define WR_TIME_MINUS_INFINITY INT64_MIN

enum wr_value_state {
    WR_VALUE_NULL, /* SQL NULL */
    WR_VALUE_SET,
    WR_VALUE_UNSENT, /* unchanged and not sent (TOAST): the database did not say */
    WR_VALUE_ABSENT  /* not part of this tuple (old tuple with key columns only) */
};

struct wr_value {
    enum wr_value_state state;
    union {
        bool b;
        int64_t i;
        double f;
        struct wr_bytes bytes;
        struct {
            const struct wr_value *items;
            size_t count;
        } array;
    } u; /* valid when SET */
};

struct wr_column {
    struct wr_str name;
    enum wr_type type;
    enum wr_type item; /* ARRAY: what its items are */
    bool is_nullable;
    int32_t precision;           /* DECIMAL: digits; times: fraction digits; -1: not declared */
    int32_t scale;               /* DECIMAL: digits after the point, when precision >= 0 */
    int32_t length;              /* characters; -1: not declared */
    struct wr_str type_name;     /* as the database names it, for messages */
    const struct wr_str *labels; /* ENUM: in their order */
    size_t label_count;
    struct wr_value default_value; /* ABSENT when the schema shows none (cdc.md C4) */
};

struct wr_table {
    uint64_t version; /* unique in the process: another schema has another one; caches key on it */
    struct wr_str db;
    struct wr_str schema;
    struct wr_str name;
    const struct wr_column *columns;
    size_t column_count;
    const uint32_t *key; /* indices of the key columns, in key order; NULL when it has none */
    size_t key_count;
};

/* Debezium's letters. */
enum wr_op {
    WR_OP_READ = 'r',
    WR_OP_CREATE = 'c',
    WR_OP_UPDATE = 'u',
    WR_OP_DELETE = 'd',
    WR_OP_TRUNCATE = 't',
    WR_OP_MESSAGE = 'm'
};

/* Place of a row in a snapshot (cdc.md B5). */
enum wr_snapshot_mark {
    WR_SNAPSHOT_FALSE,
    WR_SNAPSHOT_TRUE,
    WR_SNAPSHOT_FIRST,
    WR_SNAPSHOT_FIRST_IN_TABLE,
    WR_SNAPSHOT_LAST_IN_TABLE,
    WR_SNAPSHOT_LAST,
    WR_SNAPSHOT_INCREMENTAL
};

/* Where the change came from: Debezium's source block. */
struct wr_origin {
    int64_t ts_us; /* commit time; of the snapshot's start for READ */
    enum wr_snapshot_mark snapshot;
    bool has_tx_id;
    int64_t tx_id;
    uint64_t lsn;
    bool has_last_commit;
    uint64_t last_commit_lsn; /* first half of `sequence` (cdc.md B4) */
    bool has_xmin;
    int64_t xmin;
    struct wr_str origin_name; /* ptr NULL: none */
    uint64_t origin_lsn;
};

struct wr_change {
    enum wr_op op;
    const struct wr_table *table;  /* NULL for MESSAGE */
    const struct wr_value *before; /* one for each column of the table, or NULL */
    const struct wr_value *after;  /* the same */
    struct wr_origin origin;
    struct wr_str prefix;    /* MESSAGE */
    struct wr_bytes content; /* MESSAGE */
};

#endif
