/*
 * connect_form.h - the forms in which Debezium shows columns: one row each, made in connect_form.c.
 * connect_schema.c picks the row; nothing else includes this.
 *
 * To add a type: an arm in wr_connect_form_of(), and when no row fits, a row with its functions.
 */
#ifndef WR_CONNECT_FORM_H
#define WR_CONNECT_FORM_H

#include "data/connect_schema.h"

/* Make the datum of a value that is SET. Returns NULL, or why it has no place (static text). `out` is
 * zeroed. */
typedef const char *wr_connect_fn(const struct wr_connect_column *column,
                                  const struct wr_value *value, struct wr_arena *arena,
                                  struct wr_datum *out);

struct wr_connect_form {
    enum wr_schema_type type;
    enum wr_schema_logical logical;
    struct wr_str name; /* ptr NULL: none */
    struct wr_str doc;  /* ptr NULL: none */
    wr_connect_fn *convert;
    /* What stands for a value that was not sent (cdc.md C5); `value` is not looked at. NULL: nothing
     * can. In an array, `unsent_item` is the one for arrays of this form. */
    wr_connect_fn *unsent;
    wr_connect_fn *unsent_item;
    /* What a NOT NULL column without default shows when there is no value (cdc.md B2): `fallback`; with
     * ptr NULL: `zero`; when that is NULL too, the type's own: 0, "", no bytes, no items. */
    struct wr_str fallback;
    const struct wr_datum *zero;
    bool is_fallback_scaled; /* with the column's scale: "0.00" */
    bool shows_default;      /* the column's default stands in the schema (cdc.md C4) */
};

/* The row for a type of column under these modes; NULL when there is none. Static storage. ARRAY has its
 * own; its items' is that of `item`. */
const struct wr_connect_form *wr_connect_form_of(const struct wr_column *column, enum wr_type type,
                                                 const struct wr_connect_modes *modes);

#endif
