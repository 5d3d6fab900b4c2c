#include "view/sqlite_clock.h"

#include <stdatomic.h>
#include <stdio.h>

/* 1970-01-01 in the days of the Julian calendar's astronomers, from noon on, in milliseconds. */
#define JULIAN_1970_MS INT64_C(210866760000000)

static int current_time_int64(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    struct wr_sqlite_clock *clock = (struct wr_sqlite_clock *)vfs;
    *out = clock->now_ms(clock->arg) + JULIAN_1970_MS;
    return SQLITE_OK;
}

static int current_time(sqlite3_vfs *vfs, double *out)
{
    sqlite3_int64 ms = 0;
    (void)current_time_int64(vfs, &ms); /* cannot fail */
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

int wr_sqlite_clock_register(struct wr_sqlite_clock *clock, int64_t (*now_ms)(void *arg), void *arg,
                             struct weir_error *err)
{
    static atomic_uint count;
    /* The methods of "unix" do not look at which VFS they are called for, but for pAppData. */
    const sqlite3_vfs *machine = sqlite3_vfs_find("unix");
    if (machine == NULL) {
        return wr_fail(err, WEIR_E_UNSUPPORTED, "sqlite: there is no VFS 'unix'");
    }
    WR_ASSERT(machine->iVersion >= 2); /* the clock in milliseconds came with version 2 */
    clock->vfs = *machine;
    clock->vfs.pNext = NULL;
    clock->vfs.zName = clock->name;
    clock->vfs.xCurrentTime = current_time;
    clock->vfs.xCurrentTimeInt64 = current_time_int64;
    clock->now_ms = now_ms;
    clock->arg = arg;
    (void)snprintf(clock->name, sizeof(clock->name), "weir-%u", atomic_fetch_add(&count, 1));
    if (sqlite3_vfs_register(&clock->vfs, 0) != SQLITE_OK) {
        clock->name[0] = 0;
        return wr_fail(err, WEIR_E_NOMEM, "sqlite: a VFS");
    }
    return 0;
}

void wr_sqlite_clock_unregister(struct wr_sqlite_clock *clock)
{
    if (clock->name[0] != 0) {
        (void)sqlite3_vfs_unregister(&clock->vfs); /* fails only for one that is not registered */
        clock->name[0] = 0;
    }
}
