/*
 * types.h - PostgreSQL's types: which typed value each becomes, and how its text is read.
 *
 * One row a type (types.c); a new type is a new row. Text is what the type's output function gives
 * under the settings of sql/session.sql: dates in ISO form, UTC, bytea in hex. The stream and the
 * snapshot give the same text, so both come here.
 *
 * What a type becomes, its precision, and what stands for a default that a function makes: cdc.md C1,
 * C2, C4. A type without a row (or an array of one that cannot be an item) has no mapping, and its
 * columns are left out of records, as Debezium leaves out those it does not know.
 *
 * Thread: any; touches nothing shared.
 */
#ifndef WR_PG_TYPES_H
#define WR_PG_TYPES_H

#include "base/arena.h"
#include "data/change.h"

/* What a type modifier says. */
enum wr_pg_modifier {
    WR_PG_MOD_NONE,
    WR_PG_MOD_LENGTH,  /* characters, plus 4 */
    WR_PG_MOD_NUMERIC, /* precision and scale, packed, plus 4 */
    WR_PG_MOD_FRACTION /* fraction digits */
};

/* Read a value. NULL and `out` set; or why not (static text), with `out` untouched. What `out` points
 * to is borrowed from `text` and `arena`. */
typedef const char *wr_pg_read_fn(struct wr_bytes text, struct wr_arena *arena,
                                  struct wr_value *out);

struct wr_pg_type {
    uint32_t oid; /* 0: made by an extension or a user, and found by its name or kind */
    enum wr_type type;
    const char *name; /* pg_type.typname; NULL: any */
    enum wr_pg_modifier modifier;
    char kind;             /* pg_type.typtype */
    bool is_item;          /* arrays of it are mapped */
    const char *generated; /* text of what stands for a default that a function makes; NULL: none */
    wr_pg_read_fn *read;
};

/* The row of a base type or enum (`kind` is its pg_type.typtype, a domain resolved before); NULL when it
 * has no mapping. Static storage. */
const struct wr_pg_type *wr_pg_type_find(uint32_t oid, struct wr_str name, char kind);

/* Set precision, scale and length of a column as `typmod` says; -1 each where it says nothing. */
void wr_pg_modifier_read(const struct wr_pg_type *type, int32_t typmod, struct wr_column *column);

/* Read a column's text: by `type`, or as an array of it when `is_array`. As wr_pg_read_fn. */
WR_MUST_USE const char *wr_pg_value_read(const struct wr_pg_type *type, bool is_array,
                                         struct wr_bytes text, struct wr_arena *arena,
                                         struct wr_value *out);

#endif
