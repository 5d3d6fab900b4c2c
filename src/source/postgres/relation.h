/*
 * relation.h - the tables that a stream or a snapshot knows: what the server sent of them, and what the
 * catalog says beside it, made into one struct wr_table.
 *
 *     Relation message (columns, types, in their order)   ┐
 *     catalog facts (sql/describe.sql: nullable, keys,    ├──▶ struct wr_pg_table
 *                    defaults, labels, domains)           ┘
 *
 * Key columns, in this order of preference: the index of REPLICA IDENTITY USING INDEX when the primary
 * key is not among its columns (an old row holds nothing else, so no other key could be given for a
 * delete); the primary key in its own order; the first usable unique index; none.
 *
 * Columns of a type without mapping are left out; `skipped` has their names.
 *
 * Life: a struct wr_pg_table is immutable. The registry owns it until another one of the same oid is
 * put. Thread: one at a time.
 */
#ifndef WR_PG_RELATION_H
#define WR_PG_RELATION_H

#include "source/postgres/pgoutput.h"
#include "source/postgres/types.h"

enum {
    WR_PG_FIELD_SKIPPED = -1
};

struct wr_pg_table {
    struct wr_table table;            /* what records are made of */
    uint32_t oid;                     /* pg_class.oid */
    bool is_captured;                 /* false: its changes are counted and dropped */
    char identity;                    /* pg_class.relreplident */
    size_t field_count;               /* of its tuples */
    const struct wr_str *field_names; /* for each field */
    const int *places; /* for each field: index of its column, or WR_PG_FIELD_SKIPPED */
    const struct wr_pg_type **types; /* for each column: how it is read; of the item for an array */
    const struct wr_str *skipped;    /* "name (type)" of the columns left out */
    size_t skipped_count;
    bool has_index_key; /* the key is the identity index, not the primary key */
    struct wr_arena arena;
};

/*
 * Make a table of what describe.sql answered.
 *
 *   facts     its JSON text, borrowed until return
 *   database  name of the database, copied
 *   version   for struct wr_table; unique in the process
 *   out       owned by the caller, free with wr_pg_table_free(); untouched on failure
 *
 * Returns 0, or WEIR_E_CORRUPT (no such JSON), WEIR_E_NOMEM.
 */
WR_MUST_USE int wr_pg_table_new(struct wr_str facts, struct wr_str database, uint64_t version,
                                struct wr_pg_table **out, struct weir_error *err);

/* Free it. Takes NULL. */
void wr_pg_table_free(struct wr_pg_table *table);

/* Do records of both look the same? Then the older one can stay, and its version with it. */
bool wr_pg_table_eq(const struct wr_pg_table *a, const struct wr_pg_table *b);

/* A value that could not be read, and was given as NULL. */
struct wr_pg_bad_value {
    const struct wr_column *column; /* NULL: none was bad */
    const char *why;                /* static text */
};

/*
 * Read one row.
 *
 *   tuple   as many fields as the table has; else WEIR_E_CORRUPT
 *   arena   holds what is not borrowed from the tuple
 *   out     one value for each column; borrowed from tuple and arena
 *   bad     the first value that could not be read; it and others like it are NULL
 *
 * Returns 0, or WEIR_E_INPUT when a value of a NOT NULL column cannot be read, WEIR_E_CORRUPT,
 * WEIR_E_NOMEM.
 */
WR_MUST_USE int wr_pg_table_row(const struct wr_pg_table *table, const struct wr_pg_tuple *tuple,
                                struct wr_arena *arena, const struct wr_value **out,
                                struct wr_pg_bad_value *bad, struct weir_error *err);

/* The same for an old row that holds the replica identity only: other columns are ABSENT. */
WR_MUST_USE int wr_pg_table_old_key(const struct wr_pg_table *table,
                                    const struct wr_pg_tuple *tuple, struct wr_arena *arena,
                                    const struct wr_value **out, struct wr_pg_bad_value *bad,
                                    struct weir_error *err);

/* ---- the registry --------------------------------------------------------------------------------- */

enum {
    WR_PG_TABLES_MAX = 1 << 20 /* tables that one source knows */
};

struct wr_pg_tables {
    struct wr_pg_table **slots; /* open addressing on oid; NULL: free */
    size_t slot_count;          /* a power of two, or 0 */
    size_t count;
    struct wr_pg_table *last; /* found last: rows of one table come in runs */
};

/* The table, or NULL. Borrowed until another one of its oid is put. */
struct wr_pg_table *wr_pg_tables_get(struct wr_pg_tables *tables, uint32_t oid);

/* Put a table in the place of the one of the same oid, which is freed. `table`: taken, also on failure,
 * which is WEIR_E_NOMEM or, over WR_PG_TABLES_MAX, WEIR_E_LIMIT. */
WR_MUST_USE int wr_pg_tables_put(struct wr_pg_tables *tables, struct wr_pg_table *table,
                                 struct weir_error *err);

/* Forget all tables. Takes a zeroed one. */
void wr_pg_tables_fini(struct wr_pg_tables *tables);

/* Write the columns of a Relation message as describe.sql takes them. */
void wr_pg_columns_put(struct wr_writer *w, const struct wr_pg_relation_column *columns,
                       size_t count);

#endif
