/*
 * sqlite_guard.h - what SQL of a view's definition may not do.
 *
 *     in schema and handlers   ATTACH, DETACH, PRAGMA, transaction control; functions whose result is not
 *                              determined by their arguments and the file; weir's own tables
 *     in handlers as well      making, changing or dropping tables and other objects
 *
 * SQLite asks the guard while a statement is prepared. What it does not ask about (a function in a column's
 * DEFAULT) fails when it is run: the functions are replaced by some that only fail.
 */
#ifndef WR_VIEW_SQLITE_GUARD_H
#define WR_VIEW_SQLITE_GUARD_H

#include <sqlite3.h>

#include "base/error.h"

/* Whose SQL is being prepared; also while a statement is run, for SQLite prepares again when the schema has
 * changed. */
enum wr_sqlite_mode {
    WR_SQLITE_OWN,
    WR_SQLITE_SCHEMA,
    WR_SQLITE_HANDLER
};

struct wr_sqlite_guard {
    enum wr_sqlite_mode mode;
    char why[160]; /* what was refused last; "" when nothing was since it was emptied */
};

/* Put the guard on a connection; it stays borrowed as long as that is open. */
WR_MUST_USE int wr_sqlite_guard_install(struct wr_sqlite_guard *guard, sqlite3 *db,
                                        struct weir_error *err);

#endif
