#include "view/sqlite_state.h"

#include <stdio.h>

enum {
    FORMAT = 1 /* of the tables below */
};

static const char tables_sql[] =
    "CREATE TABLE IF NOT EXISTS _weir_views (name TEXT PRIMARY KEY, format INTEGER NOT NULL, "
    "weir TEXT NOT NULL, schema TEXT NOT NULL, type_field TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS _weir_handlers (view TEXT NOT NULL, type TEXT NOT NULL, "
    "place INTEGER NOT NULL, sql TEXT NOT NULL, PRIMARY KEY (view, type, place)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS _weir_offsets (view TEXT NOT NULL, topic TEXT NOT NULL, "
    "topic_id TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL, "
    "leader_epoch INTEGER NOT NULL, PRIMARY KEY (view, topic, partition)) WITHOUT ROWID;";

/* ---- errors ---- */

static int code_of(sqlite3 *db, int rc)
{
    switch (rc & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return WEIR_E_BUSY;
    case SQLITE_FULL: return WEIR_E_FULL;
    case SQLITE_NOMEM: return WEIR_E_NOMEM;
    case SQLITE_INTERRUPT: return WEIR_E_STOPPED;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return WEIR_E_CORRUPT;
    case SQLITE_IOERR: {
        int sys = sqlite3_system_errno(db);
        return sys == ENOSPC || sys == EDQUOT ? WEIR_E_FULL : WEIR_E_IO;
    }
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_PROTOCOL: return WEIR_E_IO;
    default: return WEIR_E_INPUT;
    }
}

int wr_sqlite_fail(sqlite3 *db, int rc, const char *what, struct weir_error *err)
{
    return wr_fail(err, code_of(db, rc), "%s%ssqlite: %s", what == NULL ? "" : what,
                   what == NULL ? "" : ": ", sqlite3_errmsg(db));
}

/* ---- small statements ---- */

static void finalize(sqlite3_stmt **stmt)
{
    (void)sqlite3_finalize(*stmt); /* repeats the error of the step */
    *stmt = NULL;
}

static int prepare(const struct wr_sqlite_state *state, const char *sql, sqlite3_stmt **out,
                   struct weir_error *err)
{
    int rc = sqlite3_prepare_v3(state->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return rc == SQLITE_OK ? 0 : wr_sqlite_fail(state->db, rc, "weir's own tables", err);
}

static void bind_str(sqlite3_stmt *stmt, int slot, struct wr_str s)
{
    (void)sqlite3_bind_text64(stmt, slot, s.ptr == NULL ? "" : s.ptr, s.len, SQLITE_STATIC,
                              SQLITE_UTF8); /* a failure shows as NULL in a NOT NULL column */
}

/* 1 with a row, 0 at the end, or an error. */
static int step(const struct wr_sqlite_state *state, sqlite3_stmt *stmt, struct weir_error *err)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        return 1;
    }
    return rc == SQLITE_DONE ? 0 : wr_sqlite_fail(state->db, rc, "weir's own tables", err);
}

static struct wr_str column_str(sqlite3_stmt *stmt, int column)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return (struct wr_str){text == NULL ? "" : text, (size_t)sqlite3_column_bytes(stmt, column)};
}

/* ---- the definition ---- */

static struct wr_str schema_of(const struct wr_view_definition *definition)
{
    return definition->schema == NULL ? WR_STR("") : definition->schema->text;
}

static int changed(const struct wr_sqlite_state *state, struct wr_place at, const char *what,
                   struct weir_error *err)
{
    (void)wr_conf_fail(err, at,
                       "view '%s': %s was changed since it filled '%s'; name a new file in 'to:' "
                       "(it is filled from the log's start), or take the change back",
                       state->definition->name.ptr, what, state->path);
    err->code = WEIR_E_REFUSED;
    return err->code;
}

static int check_text(const struct wr_sqlite_state *state, sqlite3_stmt *stmt,
                      const struct wr_sql_handler *handler, size_t index, struct weir_error *err)
{
    char what[300];
    (void)snprintf(what, sizeof(what), "what it does on '%s'", handler->type.ptr);
    const struct wr_conf *conf = handler->texts[index].conf;
    (void)sqlite3_reset(stmt);
    bind_str(stmt, 1, state->definition->name);
    bind_str(stmt, 2, handler->type);
    (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)index);
    int rc = step(state, stmt, err);
    if (rc < 0) {
        return rc;
    }
    bool is_same = rc == 1 && wr_str_eq(column_str(stmt, 0), conf->text);
    return is_same ? 0 : changed(state, conf->at, what, err);
}

/* Every text stands there, and no other does. */
static int check_handlers(const struct wr_sqlite_state *state, struct weir_error *err)
{
    sqlite3_stmt *get WR_CLEANUP(finalize) = NULL;
    sqlite3_stmt *count WR_CLEANUP(finalize) = NULL;
    int rc =
        prepare(state, "SELECT sql FROM _weir_handlers WHERE view = ? AND type = ? AND place = ?",
                &get, err);
    rc = rc < 0 ? rc
                : prepare(state, "SELECT count(*) FROM _weir_handlers WHERE view = ?", &count, err);
    sqlite3_int64 texts = 0;
    for (size_t i = 0; i < state->definition->on_count && rc == 0; i++) {
        const struct wr_sql_handler *handler = &state->handlers[i];
        for (size_t j = 0; j < handler->count && rc == 0; j++) {
            rc = check_text(state, get, handler, j, err);
        }
        texts += (sqlite3_int64)handler->count;
    }
    if (rc < 0) {
        return rc;
    }
    bind_str(count, 1, state->definition->name);
    rc = step(state, count, err);
    if (rc < 0) {
        return rc;
    }
    bool is_same = sqlite3_column_int64(count, 0) == texts;
    return is_same ? 0
                   : changed(state, state->definition->at, "'on:' (something was taken out)", err);
}

static int check_view(const struct wr_sqlite_state *state, sqlite3_stmt *stmt, bool *is_new,
                      struct weir_error *err)
{
    const struct wr_view_definition *definition = state->definition;
    bind_str(stmt, 1, definition->name);
    int rc = step(state, stmt, err);
    if (rc < 0) {
        return rc;
    }
    *is_new = rc == 0;
    if (*is_new) {
        return 0;
    }
    if (sqlite3_column_int(stmt, 0) > FORMAT) {
        return wr_fail(err, WEIR_E_REFUSED, "'%s' was filled by a newer weir (%s)", state->path,
                       column_str(stmt, 3).ptr);
    }
    if (!wr_str_eq(column_str(stmt, 1), schema_of(definition))) {
        return changed(state, definition->schema == NULL ? definition->at : definition->schema->at,
                       "'schema:'", err);
    }
    if (!wr_str_eq(column_str(stmt, 2), definition->type_field)) {
        return changed(state, definition->at, "'type_field:'", err);
    }
    return check_handlers(state, err);
}

int wr_sqlite_state_check(const struct wr_sqlite_state *state, bool *is_new, struct weir_error *err)
{
    sqlite3_stmt *exists WR_CLEANUP(finalize) = NULL;
    sqlite3_stmt *view WR_CLEANUP(finalize) = NULL;
    int rc =
        prepare(state, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '_weir_views'",
                &exists, err);
    rc = rc < 0 ? rc : step(state, exists, err);
    if (rc <= 0) {
        *is_new = rc == 0;
        return rc;
    }
    rc = prepare(state, "SELECT format, schema, type_field, weir FROM _weir_views WHERE name = ?",
                 &view, err);
    return rc < 0 ? rc : check_view(state, view, is_new, err);
}

static int insert_handlers(const struct wr_sqlite_state *state, struct weir_error *err)
{
    sqlite3_stmt *stmt WR_CLEANUP(finalize) = NULL;
    int rc = prepare(state, "INSERT INTO _weir_handlers VALUES (?, ?, ?, ?)", &stmt, err);
    for (size_t i = 0; i < state->definition->on_count && rc == 0; i++) {
        const struct wr_sql_handler *handler = &state->handlers[i];
        for (size_t j = 0; j < handler->count && rc == 0; j++) {
            (void)sqlite3_reset(stmt);
            bind_str(stmt, 1, state->definition->name);
            bind_str(stmt, 2, handler->type);
            (void)sqlite3_bind_int64(stmt, 3, (sqlite3_int64)j);
            bind_str(stmt, 4, handler->texts[j].conf->text);
            rc = step(state, stmt, err);
        }
    }
    return rc;
}

int wr_sqlite_state_create(const struct wr_sqlite_state *state, struct weir_error *err)
{
    int rc = sqlite3_exec(state->db, tables_sql, NULL, NULL, NULL);
    if (rc != SQLITE_OK) {
        return wr_sqlite_fail(state->db, rc, "weir's own tables", err);
    }
    sqlite3_stmt *stmt WR_CLEANUP(finalize) = NULL;
    rc = prepare(state, "INSERT INTO _weir_views VALUES (?, ?, ?, ?, ?)", &stmt, err);
    if (rc < 0) {
        return rc;
    }
    bind_str(stmt, 1, state->definition->name);
    (void)sqlite3_bind_int(stmt, 2, FORMAT);
    bind_str(stmt, 3, WR_STR(WEIR_VERSION));
    bind_str(stmt, 4, schema_of(state->definition));
    bind_str(stmt, 5, state->definition->type_field);
    rc = step(state, stmt, err);
    return rc < 0 ? rc : insert_handlers(state, err);
}

/* ---- positions ---- */

int wr_sqlite_state_open(struct wr_sqlite_state *state, struct weir_error *err)
{
    int rc =
        prepare(state,
                "UPDATE _weir_offsets SET next_offset = ?1, leader_epoch = ?2 WHERE view = ?3 AND "
                "topic = ?4 AND partition = ?5 AND topic_id = ?6 AND next_offset = ?7",
                &state->move, err);
    return rc < 0
               ? rc
               : prepare(
                     state,
                     "INSERT OR IGNORE INTO _weir_offsets (next_offset, leader_epoch, view, topic, "
                     "partition, topic_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                     &state->insert, err);
}

void wr_sqlite_state_close(struct wr_sqlite_state *state)
{
    finalize(&state->move);
    finalize(&state->insert);
}

enum {
    ID_TEXT_LEN = 36
};

/* As UUIDs are written. */
static void id_text(const struct wr_topic_id *id, char out[ID_TEXT_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < sizeof(id->bytes); i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            out[at++] = '-';
        }
        out[at++] = digits[id->bytes[i] >> 4];
        out[at++] = digits[id->bytes[i] & 15];
    }
    out[at] = 0;
}

int wr_sqlite_state_move(const struct wr_sqlite_state *state, const struct wr_sink_move *move,
                         struct weir_error *err)
{
    const struct wr_sink_position *to = &move->to;
    bool is_first = move->from < 0;
    sqlite3_stmt *stmt = is_first ? state->insert : state->move;
    char id[ID_TEXT_LEN + 1];
    id_text(&to->topic_id, id);
    (void)sqlite3_bind_int64(stmt, 1, to->next_offset);
    (void)sqlite3_bind_int(stmt, 2, to->leader_epoch);
    bind_str(stmt, 3, state->definition->name);
    bind_str(stmt, 4, to->topic);
    (void)sqlite3_bind_int64(stmt, 5, to->partition);
    bind_str(stmt, 6, (struct wr_str){id, ID_TEXT_LEN});
    if (!is_first) {
        (void)sqlite3_bind_int64(stmt, 7, move->from);
    }
    int rc = step(state, stmt, err);
    (void)sqlite3_reset(stmt);
    if (rc == 0 && sqlite3_changes(state->db) != 1) {
        return wr_fail(err, WEIR_E_FENCED,
                       "'%s': somebody else has moved the position of '%s' partition %u; only one "
                       "weir may fill a file",
                       state->path, to->topic.ptr, to->partition);
    }
    return rc;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_id(struct wr_str text, struct wr_topic_id *id)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_digit(text.ptr[i]);
        if (digit >= 0 && digits < 2 * sizeof(id->bytes)) {
            uint8_t *byte = &id->bytes[digits++ / 2];
            *byte = (uint8_t)(*byte << 4 | digit);
        } else if (text.ptr[i] != '-') {
            return false;
        }
    }
    return digits == 2 * sizeof(id->bytes);
}

int wr_sqlite_state_positions(const struct wr_sqlite_state *state,
                              int (*each)(void *arg, const struct wr_sink_position *position,
                                          struct weir_error *err),
                              void *arg, struct weir_error *err)
{
    sqlite3_stmt *stmt WR_CLEANUP(finalize) = NULL;
    int rc =
        prepare(state,
                "SELECT topic, topic_id, partition, next_offset, leader_epoch FROM _weir_offsets "
                "WHERE view = ?",
                &stmt, err);
    if (rc < 0) {
        return rc;
    }
    bind_str(stmt, 1, state->definition->name);
    while ((rc = step(state, stmt, err)) == 1) {
        struct wr_sink_position position = {.topic = column_str(stmt, 0),
                                            .partition = (uint32_t)sqlite3_column_int64(stmt, 2),
                                            .next_offset = sqlite3_column_int64(stmt, 3),
                                            .leader_epoch = sqlite3_column_int(stmt, 4)};
        if (!parse_id(column_str(stmt, 1), &position.topic_id) || position.next_offset < 0) {
            return wr_fail(err, WEIR_E_CORRUPT,
                           "'%s': a row of _weir_offsets for '%s' is not valid", state->path,
                           position.topic.ptr);
        }
        rc = each(arg, &position, err);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}
