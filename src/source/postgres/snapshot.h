/*
 * snapshot.h - rows of a COPY made into changes, one row behind: only when the next row, or the end, is
 * there, is it known which mark of the snapshot a row has (cdc.md B5). Pure: lines in, changes out.
 *
 *     wr_pg_snapshot_next(table, line)  ─▶  the row before, as a change to be written, if there is one
 *     wr_pg_snapshot_table_end()            the row that is held was its table's last
 *     wr_pg_snapshot_end()              ─▶  the very last row
 *
 * A line is what COPY … TO STDOUT gives in text format: fields between tabs, \N for NULL, backslash
 * escapes (COPY, section "Text Format").
 *
 * Thread: one at a time.
 */
#ifndef WR_PG_SNAPSHOT_H
#define WR_PG_SNAPSHOT_H

#include "source/postgres/relation.h"

struct wr_pg_snapshot {
    struct wr_origin origin; /* of each row: time, xid and LSN of the snapshot */
    uint64_t rows;           /* handed out */

    const struct wr_pg_table *held_table; /* NULL: no row is held */
    struct wr_writer held;                /* its line, as fields */
    bool held_is_first_in_table;
    bool held_is_last_in_table;
    const struct wr_pg_table *current; /* of the row that came last */

    struct wr_change change; /* what was handed out */
    struct wr_pg_bad_value bad;
    struct wr_pg_field *fields;
    size_t field_cap;
    struct wr_arena arena;
};

/* A snapshot whose rows come from `origin`. Cannot fail. */
struct wr_pg_snapshot wr_pg_snapshot_of(const struct wr_origin *origin);

/* Free what it owns. Takes a zeroed one. */
void wr_pg_snapshot_fini(struct wr_pg_snapshot *snapshot);

/*
 * The next row has come: what is held can be written.
 *
 *   table  of the next row
 *   out    the change to be written, borrowed until the next call; NULL when no row is held
 *
 * May be called again for the same row when the change could not be written.
 * Returns 0, or what wr_pg_table_row() returns, WEIR_E_CORRUPT for a broken line, WEIR_E_NOMEM.
 */
WR_MUST_USE int wr_pg_snapshot_next(struct wr_pg_snapshot *snapshot,
                                    const struct wr_pg_table *table, const struct wr_change **out,
                                    struct weir_error *err);

/* What was handed out is written, or there was nothing: hold this row. `line`: copied. */
WR_MUST_USE int wr_pg_snapshot_hold(struct wr_pg_snapshot *snapshot,
                                    const struct wr_pg_table *table, struct wr_bytes line,
                                    struct weir_error *err);

/* The table's COPY has ended. */
void wr_pg_snapshot_table_end(struct wr_pg_snapshot *snapshot, const struct wr_pg_table *table);

/* No table is left: the change of the very last row, or NULL when there was none at all. May be called
 * again. */
WR_MUST_USE int wr_pg_snapshot_end(struct wr_pg_snapshot *snapshot, const struct wr_change **out,
                                   struct weir_error *err);

/* Split one line into fields, undoing its escapes in place.
 *   line   without its newline
 *   out    one for each field, of at most `cap`
 * Returns the count of fields, or WEIR_E_CORRUPT. */
WR_MUST_USE int wr_pg_copy_split(uint8_t *line, size_t len, struct wr_pg_field *out, size_t cap,
                                 struct weir_error *err);

#endif
