/*
 * default.h - what a column's default expression shows as in the schema of its records (cdc.md C4).
 *
 * A literal shows as itself, a function or a keyword such as CURRENT_DATE as a placeholder of its type,
 * anything else not at all. Where Debezium reads a literal wrongly ('it''s' cut at the quote), the true
 * value is given.
 *
 * Thread: any; touches nothing shared.
 */
#ifndef WR_PG_DEFAULT_H
#define WR_PG_DEFAULT_H

#include "source/postgres/types.h"

/*
 * Find the default that `column` shows.
 *
 *   expression   pg_get_expr() of the default; ptr NULL: the column has none
 *   type         of the column; arrays show none, so it is never asked for one
 *   column       name, type, precision, scale and length are set
 *
 * Returns the value, ABSENT when the schema shows none; what it points to is borrowed from `arena`.
 */
struct wr_value wr_pg_default_of(struct wr_str expression, const struct wr_pg_type *type,
                                 const struct wr_column *column, struct wr_arena *arena);

#endif
