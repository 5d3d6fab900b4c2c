/*
 * sqlite_stored.c - a file without a write-ahead log beside it is opened as one that nobody changes: SQLite would
 * make that log to read it. Where one is there, it may hold the last transactions of a weir that was killed, and
 * is read with the file.
 */
#include "view/sqlite_stored.h"

#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/writer.h"
#include "view/sqlite_state.h"

enum {
    NAME_BYTES_MAX = 64 << 10
};

/* "file:PATH?…", with what has a meaning in it escaped. */
static void put_uri(struct wr_writer *out, const char *path, bool is_alone)
{
    wr_put_lit(out, "file:");
    for (const char *p = path; *p != 0; p++) {
        if (*p == '?' || *p == '#' || *p == '%') {
            wr_put_fmt(out, "%%%02X", (unsigned)(unsigned char)*p);
        } else {
            wr_put_u8(out, (uint8_t)*p);
        }
    }
    wr_put_str(out, is_alone ? WR_STR("?immutable=1") : WR_STR("?mode=ro"));
    wr_put_u8(out, 0);
}

static bool has_log(const char *path, struct wr_writer *name)
{
    wr_put_fmt(name, "%s-wal", path);
    wr_put_u8(name, 0);
    bool is_there = name->spoiled == 0 && access((const char *)name->base, F_OK) == 0;
    wr_writer_reset(name);
    return is_there;
}

static int open_file(const char *path, sqlite3 **db, struct weir_error *err)
{
    struct wr_writer name WR_CLEANUP(wr_writer_fini) = wr_writer_growing(NAME_BYTES_MAX);
    put_uri(&name, path, !has_log(path, &name));
    int failure = wr_writer_end(&name, err);
    if (failure < 0) {
        return failure;
    }
    int flags =
        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2((const char *)name.base, db, flags, NULL);
    if (rc == SQLITE_OK) {
        return 0;
    }
    return *db == NULL ? wr_fail(err, WEIR_E_NOMEM, "sqlite") : wr_sqlite_fail(*db, rc, NULL, err);
}

static int has_positions(sqlite3 *db, struct weir_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(
        db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_weir_offsets'", -1,
        &stmt, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    int has = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : wr_sqlite_fail(db, rc, NULL, err);
    (void)sqlite3_finalize(stmt);
    return has;
}

int wr_sqlite_stored(const char *path, const struct wr_view_definition *definition,
                     int (*each)(void *arg, const struct wr_sink_position *position,
                                 struct weir_error *err),
                     void *arg, struct weir_error *err)
{
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        return wr_fail(err, WEIR_E_NOTFOUND, "'%s' is not there", path);
    }
    sqlite3 *db = NULL;
    int rc = open_file(path, &db, err);
    rc = rc < 0 ? rc : has_positions(db, err);
    if (rc > 0) {
        struct wr_sqlite_state state = {.db = db, .path = path, .definition = definition};
        rc = wr_sqlite_state_positions(&state, each, arg, err);
    } else if (rc < 0) {
        (void)wr_wrap(err, "'%s'", path);
    }
    (void)sqlite3_close(db);
    return rc;
}
