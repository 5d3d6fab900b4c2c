/*
 * sqlite_state.h - what weir keeps in a model's own file, beside the user's tables.
 *
 *     _weir_views     one row a view: how it was defined when it filled the file
 *     _weir_handlers  its handlers' texts
 *     _weir_offsets   how far it has got, one row a partition; changes with the rows, in their transaction
 *
 * Several views may share a file. docs/formats.md has the columns.
 */
#ifndef WR_VIEW_SQLITE_STATE_H
#define WR_VIEW_SQLITE_STATE_H

#include <sqlite3.h>

#include "view/sql_handler.h"

/* The definition as it is now, and the connection. Everything is borrowed. */
struct wr_sqlite_state {
    sqlite3 *db;
    const char *path; /* for messages */
    const struct wr_view_definition *definition;
    const struct wr_sql_handler *handlers; /* definition->on_count of them */
    sqlite3_stmt *move;                    /* prepared by wr_sqlite_state_open() */
    sqlite3_stmt *insert;
};

/* Has this view filled the file before? Then its definition must be the same. Inside a transaction.
 *   is_new  out: no; wr_sqlite_state_create() comes next
 * Returns 0, WEIR_E_REFUSED (what was changed, and what to do), or an error of the file. */
WR_MUST_USE int wr_sqlite_state_check(const struct wr_sqlite_state *state, bool *is_new,
                                      struct weir_error *err);

/* Write down the definition; makes the tables where they are missing. Inside the same transaction. */
WR_MUST_USE int wr_sqlite_state_create(const struct wr_sqlite_state *state, struct weir_error *err);

/* Prepare what moves positions. */
WR_MUST_USE int wr_sqlite_state_open(struct wr_sqlite_state *state, struct weir_error *err);

/* Let go of it. Takes one that is not open. */
void wr_sqlite_state_close(struct wr_sqlite_state *state);

/* Move a position. Inside a transaction. WEIR_E_FENCED when it does not stand at move->from. */
WR_MUST_USE int wr_sqlite_state_move(const struct wr_sqlite_state *state,
                                     const struct wr_sink_move *move, struct weir_error *err);

/* As wr_sink_positions(). */
WR_MUST_USE int wr_sqlite_state_positions(const struct wr_sqlite_state *state,
                                          int (*each)(void *arg,
                                                      const struct wr_sink_position *position,
                                                      struct weir_error *err),
                                          void *arg, struct weir_error *err);

/* Fail with what SQLite said: the code that `rc` means for the view, "sqlite: …", the file's path where it
 * helps. `what` (may be NULL) stands in front. */
int wr_sqlite_fail(sqlite3 *db, int rc, const char *what, struct weir_error *err);

#endif
