/*
 * envelope_row.h - a row of a change, from the database's values to what a converter takes, with what is
 * lost on the way: warnings, and marks for the header weir.hidden. Only envelope.c uses it.
 */
#ifndef WR_ENVELOPE_ROW_H
#define WR_ENVELOPE_ROW_H

#include "data/envelope_plan.h"

/* What rows are made with; one for all rows of a change. Free `warnings` with wr_free(). */
struct wr_row_work {
    struct wr_arena *scratch; /* borrowed; holds what data do not borrow from their values */
    struct wr_envelope_warning *warnings;
    size_t warning_count;
    size_t warning_cap;
};

/*
 * Make the data of a row in `out`, a row of `plan`.
 *
 *   row       one value for each column
 *   known     another tuple of the same row, which may have what was not sent; or NULL
 *
 * WEIR_E_INPUT names table, column and reason when a value has no place in a NOT NULL column.
 */
WR_MUST_USE int wr_envelope_convert_row(const struct wr_envelope_plan *plan,
                                        const struct wr_value *row, const struct wr_value *known,
                                        struct wr_row_work *work, struct wr_envelope_row *out,
                                        struct weir_error *err);

/* Append the text of weir.hidden: {"null":["a"],"unsent":["b"]}, each only when there are any. */
void wr_envelope_put_hidden(struct wr_writer *w, const struct wr_envelope_plan *plan,
                            const struct wr_envelope_row *row);

#endif
