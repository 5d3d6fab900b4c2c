/*
 * sqlite_clock.h - SQLite's `now` is the event's time: a VFS that is the machine's but for the clock.
 *
 * date('now'), CURRENT_TIMESTAMP and the like ask the VFS of their connection. One that answers with the time
 * of the event at hand makes what is computed from it the same in every run over the same log.
 */
#ifndef WR_VIEW_SQLITE_CLOCK_H
#define WR_VIEW_SQLITE_CLOCK_H

#include <sqlite3.h>

#include "base/error.h"

struct wr_sqlite_clock {
    sqlite3_vfs vfs; /* first: SQLite hands this back */
    char name[32];   /* to open a connection with; "" while it is not registered */
    int64_t (*now_ms)(void *arg);
    void *arg;
};

/* Make it known to SQLite. `now_ms` gives milliseconds since 1970; it is called on the connection's thread.
 * Must not move until it is unregistered. */
WR_MUST_USE int wr_sqlite_clock_register(struct wr_sqlite_clock *clock,
                                         int64_t (*now_ms)(void *arg), void *arg,
                                         struct weir_error *err);

/* Forget it; its connections are closed. Takes one that is not registered. */
void wr_sqlite_clock_unregister(struct wr_sqlite_clock *clock);

#endif
