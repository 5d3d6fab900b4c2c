/*
 * sink_sqlite.c - a read model in a SQLite file.
 *
 * The file is in WAL mode, so readers never wait for the view nor it for them. synchronous=NORMAL does not
 * sync at each commit; a power cut may take back the last transactions, but never a part of one, nor one
 * before another. Positions are rows of the same transactions: what is lost is lost with its position, and
 * the view applies it again from the log. So syncing more would buy nothing.
 *
 * Everything happens on the view's thread but `interrupt`, which only raises a flag that a progress handler
 * looks at.
 */
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>

#include "view/sink_ops.h"
#include "view/sqlite_clock.h"
#include "view/sqlite_guard.h"
#include "view/sqlite_state.h"
#include "view/sqlite_stored.h"

enum {
    PROGRESS_OPS = 20000 /* of SQLite's machine between two looks at the flag; well under 10 ms */
};

/* Where a value is bound. */
struct bind_slot {
    int slot;
    uint32_t value; /* of the event */
};

struct statement {
    sqlite3_stmt *stmt;
    struct bind_slot *slots;
    size_t slot_count;
    struct statement *next; /* of the same handler */
};

struct handler {
    struct statement *statements;
};

struct sqlite_sink {
    struct wr_sink sink; /* first */
    const struct wr_view_definition *definition;
    struct wr_sql_handler *texts;
    struct wr_str path;    /* NUL-terminated */
    struct wr_arena arena; /* what open makes */
    struct wr_sqlite_clock clock;
    struct wr_sqlite_guard guard;
    struct wr_sqlite_state state;
    struct handler *handlers; /* one for each of texts */
    sqlite3 *db;
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *savepoint;
    sqlite3_stmt *release;
    const struct wr_sink_event *event; /* that is being applied; its time is SQLite's `now` */
    atomic_bool is_interrupted;
};

enum {
    OPEN_ARENA_MAX = 64 << 20
};

/* ---- making one ---- */

/* PATH of "sqlite:PATH"; a relative one starts at the folder of the file that it stands in. */
static int read_path(const struct wr_view_definition *view, struct wr_arena *arena,
                     struct wr_str *out, struct weir_error *err)
{
    const struct wr_conf *to = view->to;
    const char *path = to->text.ptr + strlen(wr_sink_sqlite.prefix);
    if (*path == 0 || strcmp(path, ":memory:") == 0) {
        return wr_conf_fail(err, to->at,
                            "view '%s': to must be sqlite:PATH, with the path of a file",
                            view->name.ptr);
    }
    const char *file = to->at.file == NULL ? "" : to->at.file;
    const char *slash = strrchr(file, '/');
    size_t folder = *path == '/' || slash == NULL ? 0 : (size_t)(slash - file) + 1;
    size_t len = folder + strlen(path);
    char *whole = wr_arena_array(arena, len + 1, 1);
    if (whole == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", view->name.ptr);
    }
    memcpy(whole, file, folder);
    memcpy(whole + folder, path, len - folder);
    *out = (struct wr_str){whole, len};
    return 0;
}

static int check_schema(const struct wr_view_definition *view, struct weir_error *err)
{
    struct wr_str unused;
    int rc = view->schema == NULL ? 0 : wr_conf_str(view->schema, "schema", &unused, err);
    return rc < 0 ? wr_wrap(err, "view '%s'", view->name.ptr) : 0;
}

static int64_t event_time(void *arg)
{
    struct sqlite_sink *s = arg;
    return s->event == NULL ? 0 : s->event->time_ms;
}

static void close_sink(struct wr_sink *sink);

static int create(const struct wr_sink_options *options, struct wr_sink **out,
                  struct weir_error *err)
{
    struct sqlite_sink *s = wr_alloc_array(1, sizeof(*s));
    if (s == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", options->definition->name.ptr);
    }
    s->sink.ops = &wr_sink_sqlite;
    s->definition = options->definition;
    s->arena = wr_arena_of(OPEN_ARENA_MAX);
    int rc = read_path(s->definition, options->arena, &s->path, err);
    rc = rc < 0 ? rc : check_schema(s->definition, err);
    rc = rc < 0 ? rc : wr_sql_handlers_read(options, WR_SQL_SQLITE, &s->texts, &s->sink.needs, err);
    rc = rc < 0 ? rc : wr_sqlite_clock_register(&s->clock, event_time, s, err);
    if (rc < 0) {
        close_sink(&s->sink);
        return rc;
    }
    *out = &s->sink;
    return 0;
}

/* ---- opening the file ---- */

static int is_stopping(void *arg)
{
    struct sqlite_sink *s = arg;
    return atomic_load_explicit(&s->is_interrupted, memory_order_relaxed) ? 1 : 0;
}

/* An error of the file as a whole, while opening it. */
static int file_failed(struct sqlite_sink *s, int rc, struct weir_error *err)
{
    (void)wr_sqlite_fail(s->db, rc, NULL, err);
    if ((rc & 0xFF) == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_NOTADB ||
        (rc & 0xFF) == SQLITE_READONLY || (rc & 0xFF) == SQLITE_PERM) {
        return wr_conf_fail(err, s->definition->to->at, "view '%s': '%s': %s",
                            s->definition->name.ptr, s->path.ptr, sqlite3_errmsg(s->db));
    }
    return wr_wrap(err, "'%s'", s->path.ptr);
}

/* Run a statement of our own that has no result that matters. */
static int run_own(struct sqlite_sink *s, const char *sql, struct weir_error *err)
{
    s->guard.mode = WR_SQLITE_OWN;
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : file_failed(s, rc, err);
}

static int set_wal(struct sqlite_sink *s, struct weir_error *err)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(s->db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    bool is_wal =
        rc == SQLITE_ROW && sqlite3_stricmp((const char *)sqlite3_column_text(stmt, 0), "wal") == 0;
    int failure = rc == SQLITE_ROW ? 0 : file_failed(s, rc, err);
    (void)sqlite3_finalize(stmt);
    if (failure == 0 && !is_wal) {
        return wr_fail(err, WEIR_E_IO, "'%s' cannot be put into WAL mode (a network file system?)",
                       s->path.ptr);
    }
    return failure;
}

static int configure(struct sqlite_sink *s, struct weir_error *err)
{
    int rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* "x" is a name, never a text: a mistyped column is an error at start. */
    rc = rc == SQLITE_OK ? sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL) : rc;
    rc = rc == SQLITE_OK ? sqlite3_db_config(s->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL) : rc;
    if (rc != SQLITE_OK) {
        return file_failed(s, rc, err);
    }
    sqlite3_progress_handler(s->db, PROGRESS_OPS, is_stopping, s);
    int failure = wr_sqlite_guard_install(&s->guard, s->db, err);
    failure = failure < 0 ? failure : set_wal(s, err);
    return failure < 0 ? failure : run_own(s, "PRAGMA synchronous=NORMAL", err);
}

/* ---- preparing what the user wrote ---- */

/* SQLite found something wrong in `sql`, the rest of `whole` that was being prepared. */
static int text_failed(struct sqlite_sink *s, const struct wr_conf *conf,
                       const struct wr_sql *whole, const char *sql, const char *what,
                       struct weir_error *err)
{
    struct weir_error file_err;
    if (wr_sqlite_fail(s->db, sqlite3_errcode(s->db), NULL, &file_err) != WEIR_E_INPUT) {
        return file_failed(s, sqlite3_errcode(s->db), err);
    }
    int offset = sqlite3_error_offset(s->db);
    size_t behind = offset < 0 ? strspn(sql, " \t\r\n") : (size_t)offset;
    size_t at = (size_t)(sql - whole->sql.ptr) + behind;
    const char *says = conf->is_secret        ? WR_SQL_NOT_SHOWN
                       : s->guard.why[0] != 0 ? s->guard.why
                                              : sqlite3_errmsg(s->db);
    return wr_conf_fail(err, wr_conf_place(conf, wr_sql_origin(whole, at)), "view '%s', %s: %s",
                        s->definition->name.ptr, what, says);
}

/* Run the first statement of `sql`; what stands behind it is `tail`. */
static int run_first(struct sqlite_sink *s, const char *sql, const char **tail)
{
    sqlite3_stmt *stmt = NULL;
    s->guard.why[0] = 0;
    int rc = sqlite3_prepare_v2(s->db, sql, -1, &stmt, tail);
    if (rc == SQLITE_OK && sqlite3_bind_parameter_count(stmt) > 0) {
        (void)snprintf(s->guard.why, sizeof(s->guard.why), "there is no event to take '%s' from",
                       sqlite3_bind_parameter_name(stmt, 1));
        rc = SQLITE_ERROR;
    }
    rc = rc == SQLITE_OK && stmt != NULL ? SQLITE_ROW : rc;
    while (rc == SQLITE_ROW) {
        rc = sqlite3_step(stmt);
    }
    int again = sqlite3_finalize(stmt); /* sets the connection's error once more */
    return rc == SQLITE_DONE ? again : rc;
}

/* The schema's statements, one after the other. */
static int run_schema(struct sqlite_sink *s, struct weir_error *err)
{
    const struct wr_conf *conf = s->definition->schema;
    if (conf == NULL) {
        return 0;
    }
    struct wr_sql whole = {.sql = conf->text};
    const char *sql = conf->text.ptr;
    s->guard.mode = WR_SQLITE_SCHEMA;
    while (*sql != 0) {
        const char *tail = sql;
        if (run_first(s, sql, &tail) != SQLITE_OK) {
            return text_failed(s, conf, &whole, sql, "schema", err);
        }
        sql = tail;
    }
    return 0;
}

/* Find out which slots a statement has, of those of its text. */
static int find_slots(struct sqlite_sink *s, struct statement *statement,
                      const struct wr_sql_text *text, struct weir_error *err)
{
    int last = sqlite3_bind_parameter_count(statement->stmt);
    WR_ASSERT(last >= 0 && (size_t)last <= text->sql.slot_count);
    statement->slots = wr_arena_array(&s->arena, (size_t)last + 1, sizeof(*statement->slots));
    if (statement->slots == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", s->definition->name.ptr);
    }
    for (int i = 1; i <= last; i++) {
        if (sqlite3_bind_parameter_name(statement->stmt, i) != NULL) {
            statement->slots[statement->slot_count++] = (struct bind_slot){i, text->values[i - 1]};
        }
    }
    return 0;
}

/* Prepare every statement of a text and append them to the handler's. */
static int prepare_text(struct sqlite_sink *s, const struct wr_sql_text *text, const char *what,
                        struct statement ***end, struct weir_error *err)
{
    const char *sql = text->sql.sql.ptr;
    while (*sql != 0) {
        sqlite3_stmt *stmt = NULL;
        const char *tail = sql;
        s->guard.why[0] = 0;
        if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail) !=
            SQLITE_OK) {
            return text_failed(s, text->conf, &text->sql, sql, what, err);
        }
        sql = tail;
        if (stmt == NULL) { /* a comment, or blanks */
            continue;
        }
        struct statement *statement = wr_arena_array(&s->arena, 1, sizeof(*statement));
        if (statement == NULL) {
            (void)sqlite3_finalize(stmt);
            return wr_fail(err, WEIR_E_NOMEM, "view '%s'", s->definition->name.ptr);
        }
        statement->stmt = stmt;
        **end = statement;
        *end = &statement->next;
        int rc = find_slots(s, statement, text, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int prepare_handlers(struct sqlite_sink *s, struct weir_error *err)
{
    size_t count = s->definition->on_count;
    s->handlers = wr_arena_array(&s->arena, count, sizeof(*s->handlers));
    if (s->handlers == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", s->definition->name.ptr);
    }
    s->guard.mode = WR_SQLITE_HANDLER;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct wr_sql_handler *texts = &s->texts[i];
        struct statement **end = &s->handlers[i].statements;
        char what[300];
        (void)snprintf(what, sizeof(what), "on '%s'", texts->type.ptr);
        for (size_t j = 0; j < texts->count && rc == 0; j++) {
            rc = prepare_text(s, &texts->texts[j], what, &end, err);
        }
        if (rc == 0 && s->handlers[i].statements == NULL) {
            rc = wr_conf_fail(err, texts->texts[0].conf->at, "view '%s', %s: no SQL stands here",
                              s->definition->name.ptr, what);
        }
    }
    return rc;
}

static int prepare_own(struct sqlite_sink *s, const char *sql, sqlite3_stmt **out,
                       struct weir_error *err)
{
    int rc = sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? 0 : file_failed(s, rc, err);
}

/* ---- open and close ---- */

/* Look at what the view left there, or make it; in one transaction, so that a definition that fails leaves
 * nothing behind. */
static int open_state(struct sqlite_sink *s, struct weir_error *err)
{
    bool is_new = false;
    s->state = (struct wr_sqlite_state){
        .db = s->db, .path = s->path.ptr, .definition = s->definition, .handlers = s->texts};
    int rc = run_own(s, "BEGIN IMMEDIATE", err);
    rc = rc < 0 ? rc : wr_sqlite_state_check(&s->state, &is_new, err);
    if (rc == 0 && is_new) {
        rc = run_schema(s, err);
        s->guard.mode = WR_SQLITE_OWN;
        rc = rc < 0 ? rc : wr_sqlite_state_create(&s->state, err);
    }
    rc = rc < 0 ? rc : wr_sqlite_state_open(&s->state, err);
    rc = rc < 0 ? rc : prepare_handlers(s, err);
    return rc < 0 ? rc : run_own(s, "COMMIT", err);
}

static void finalize_all(struct sqlite_sink *s)
{
    wr_sqlite_state_close(&s->state);
    for (size_t i = 0; s->handlers != NULL && i < s->definition->on_count; i++) {
        for (struct statement *it = s->handlers[i].statements; it != NULL; it = it->next) {
            (void)sqlite3_finalize(it->stmt);
        }
    }
    s->handlers = NULL;
    sqlite3_stmt **const own[] = {&s->begin, &s->commit, &s->savepoint, &s->release};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        (void)sqlite3_finalize(*own[i]);
        *own[i] = NULL;
    }
}

static void close_file(struct sqlite_sink *s)
{
    if (s->db != NULL) {
        finalize_all(s);
        int rc = sqlite3_close(s->db); /* rolls back what is open */
        WR_ASSERT(rc == SQLITE_OK);
        s->db = NULL;
    }
    wr_arena_reset(&s->arena);
}

static int open_file(struct sqlite_sink *s, struct weir_error *err)
{
    int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int rc = sqlite3_open_v2(s->path.ptr, &s->db, flags, s->clock.name);
    if (rc != SQLITE_OK) {
        return s->db == NULL ? wr_fail(err, WEIR_E_NOMEM, "'%s'", s->path.ptr)
                             : file_failed(s, rc, err);
    }
    s->guard.mode = WR_SQLITE_OWN;
    int failure = configure(s, err);
    failure = failure < 0 ? failure : open_state(s, err);
    failure = failure < 0 ? failure : prepare_own(s, "BEGIN IMMEDIATE", &s->begin, err);
    failure = failure < 0 ? failure : prepare_own(s, "COMMIT", &s->commit, err);
    failure = failure < 0 ? failure : prepare_own(s, "SAVEPOINT weir_event", &s->savepoint, err);
    return failure < 0 ? failure : prepare_own(s, "RELEASE weir_event", &s->release, err);
}

static int open_sink(struct wr_sink *sink, struct weir_error *err)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    int rc = open_file(s, err);
    if (rc < 0) {
        close_file(s);
    }
    return rc;
}

static void close_sink(struct wr_sink *sink)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    close_file(s);
    wr_sqlite_clock_unregister(&s->clock);
    wr_arena_fini(&s->arena);
    wr_free(s);
}

/* ---- transactions ---- */

static int step_own(struct sqlite_sink *s, sqlite3_stmt *stmt, struct weir_error *err)
{
    s->guard.mode = WR_SQLITE_OWN;
    int rc = sqlite3_step(stmt);
    int failure = rc == SQLITE_DONE ? 0 : wr_sqlite_fail(s->db, rc, s->path.ptr, err);
    (void)sqlite3_reset(stmt); /* repeats the error of the step */
    return failure;
}

static int positions(struct wr_sink *sink,
                     int (*each)(void *arg, const struct wr_sink_position *position,
                                 struct weir_error *err),
                     void *arg, struct weir_error *err)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    s->guard.mode = WR_SQLITE_OWN;
    return wr_sqlite_state_positions(&s->state, each, arg, err);
}

static int stored(const struct wr_view_definition *definition,
                  int (*each)(void *arg, const struct wr_sink_position *position,
                              struct weir_error *err),
                  void *arg, struct weir_error *err)
{
    struct wr_arena arena = wr_arena_of(OPEN_ARENA_MAX);
    struct wr_str path = {NULL, 0};
    int rc = read_path(definition, &arena, &path, err);
    rc = rc < 0 ? rc : wr_sqlite_stored(path.ptr, definition, each, arg, err);
    wr_arena_fini(&arena);
    return rc;
}

static int begin(struct wr_sink *sink, struct weir_error *err)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    int has_moved = 0;
    (void)sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    if (has_moved != 0) {
        return wr_fail(err, WEIR_E_IO,
                       "'%s' was removed or replaced while the view was filling it; start the view "
                       "again",
                       s->path.ptr);
    }
    return step_own(s, s->begin, err);
}

static int commit(struct wr_sink *sink, const struct wr_sink_move *moves, size_t count,
                  struct weir_error *err)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    s->guard.mode = WR_SQLITE_OWN;
    for (size_t i = 0; i < count; i++) {
        int rc = wr_sqlite_state_move(&s->state, &moves[i], err);
        if (rc < 0) {
            return rc;
        }
    }
    return step_own(s, s->commit, err);
}

static void rollback(struct wr_sink *sink)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    if (s->db != NULL && sqlite3_get_autocommit(s->db) == 0) {
        struct weir_error unused;
        (void)run_own(s, "ROLLBACK", &unused); /* fails only when SQLite has done it itself */
    }
}

static void interrupt(struct wr_sink *sink)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    atomic_store_explicit(&s->is_interrupted, true, memory_order_relaxed);
}

/* ---- applying an event ---- */

static int bind_value(sqlite3_stmt *stmt, int slot, const struct wr_bind *value)
{
    const char *text = value->text.ptr == NULL ? "" : value->text.ptr;
    switch (value->kind) {
    case WR_BIND_NULL: return sqlite3_bind_null(stmt, slot);
    case WR_BIND_BOOL: return sqlite3_bind_int(stmt, slot, value->u.b ? 1 : 0);
    case WR_BIND_INT: return sqlite3_bind_int64(stmt, slot, value->u.i);
    case WR_BIND_REAL: return sqlite3_bind_double(stmt, slot, value->u.f);
    case WR_BIND_NUMBER:
    case WR_BIND_TEXT:
    case WR_BIND_JSON:
        return sqlite3_bind_text64(stmt, slot, text, value->text.len, SQLITE_STATIC, SQLITE_UTF8);
    case WR_BIND_BYTES:
    default: return sqlite3_bind_blob64(stmt, slot, text, value->text.len, SQLITE_STATIC);
    }
}

static int bind_all(struct sqlite_sink *s, const struct statement *statement,
                    struct weir_error *err)
{
    for (size_t i = 0; i < statement->slot_count; i++) {
        const struct bind_slot *slot = &statement->slots[i];
        int rc = bind_value(statement->stmt, slot->slot, &s->event->values[slot->value]);
        if (rc != SQLITE_OK) {
            return wr_sqlite_fail(s->db, rc, NULL, err);
        }
    }
    return 0;
}

/* Would the statement fail for every event? Then a user has changed the file. */
static bool is_broken(struct sqlite_sink *s, const struct statement *statement)
{
    sqlite3_stmt *again = NULL;
    bool is_good =
        sqlite3_prepare_v2(s->db, sqlite3_sql(statement->stmt), -1, &again, NULL) == SQLITE_OK;
    (void)sqlite3_finalize(again);
    return !is_good;
}

static int statement_failed(struct sqlite_sink *s, const struct statement *statement, int rc,
                            struct weir_error *err)
{
    int code = wr_sqlite_fail(s->db, rc, NULL, err);
    if (code != WEIR_E_INPUT) {
        return code;
    }
    if (sqlite3_get_autocommit(s->db) != 0) {
        err->code = WEIR_E_REFUSED;
        return wr_wrap(err, "a handler has rolled back the view's transaction (OR ROLLBACK, "
                            "RAISE(ROLLBACK)); use ABORT");
    }
    if (is_broken(s, statement)) {
        err->code = WEIR_E_REFUSED;
        return wr_wrap(err, "the tables of '%s' are not those that the view began with",
                       s->path.ptr);
    }
    return code;
}

static int run_statement(struct sqlite_sink *s, const struct statement *statement,
                         struct weir_error *err)
{
    int failure = bind_all(s, statement, err);
    if (failure < 0) {
        return failure;
    }
    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW) {
        rc = sqlite3_step(statement->stmt);
    }
    failure = rc == SQLITE_DONE ? 0 : statement_failed(s, statement, rc, err);
    (void)sqlite3_reset(statement->stmt); /* repeats the error of the step */
    return failure;
}

/* Take back what the event's first statements did. */
static int undo_event(struct sqlite_sink *s, struct weir_error *err)
{
    struct weir_error worse;
    if (sqlite3_get_autocommit(s->db) != 0) {
        return err->code; /* SQLite has rolled back everything */
    }
    int rc = run_own(s, "ROLLBACK TO weir_event; RELEASE weir_event", &worse);
    if (rc < 0) {
        *err = worse;
    }
    return err->code;
}

static int run_statements(struct sqlite_sink *s, const struct statement *first,
                          struct weir_error *err)
{
    int rc = 0;
    s->guard.mode = WR_SQLITE_HANDLER;
    for (const struct statement *it = first; it != NULL && rc == 0; it = it->next) {
        rc = run_statement(s, it, err);
    }
    return rc;
}

static int apply(struct wr_sink *sink, uint32_t index, const struct wr_sink_event *event,
                 struct weir_error *err)
{
    struct sqlite_sink *s = (struct sqlite_sink *)sink;
    const struct statement *first = s->handlers[index].statements;
    s->event = event;
    int rc = 0;
    if (first->next == NULL) { /* one statement is all or nothing by itself */
        rc = run_statements(s, first, err);
    } else {
        rc = step_own(s, s->savepoint, err);
        if (rc == 0) {
            rc = run_statements(s, first, err);
            rc = rc < 0 ? undo_event(s, err) : step_own(s, s->release, err);
        }
    }
    s->event = NULL;
    return rc;
}

const struct wr_sink_ops wr_sink_sqlite = {
    .prefix = "sqlite:",
    .form = "sqlite:PATH",
    .capabilities = WR_SINK_TRANSACTIONAL,
    .create = create,
    .open = open_sink,
    .close = close_sink,
    .positions = positions,
    .stored = stored,
    .begin = begin,
    .apply = apply,
    .commit = commit,
    .rollback = rollback,
    .interrupt = interrupt,
};
