#include "view/sqlite_guard.h"

#include <stdio.h>
#include <strings.h>

#include "base/base.h"

struct action {
    int code;
    const char *name;
};

/* Refused in every text of a definition. */
static const struct action never[] = {
    {SQLITE_ATTACH, "ATTACH"},
    {SQLITE_DETACH, "DETACH"},
    {SQLITE_TRANSACTION, "transaction control"},
    {SQLITE_SAVEPOINT, "transaction control"},
};

/* Refused in handlers. */
static const struct action only_schema[] = {
    {SQLITE_CREATE_INDEX, "CREATE INDEX"},
    {SQLITE_CREATE_TABLE, "CREATE TABLE"},
    {SQLITE_CREATE_TEMP_INDEX, "CREATE INDEX"},
    {SQLITE_CREATE_TEMP_TABLE, "CREATE TABLE"},
    {SQLITE_CREATE_TEMP_TRIGGER, "CREATE TRIGGER"},
    {SQLITE_CREATE_TEMP_VIEW, "CREATE VIEW"},
    {SQLITE_CREATE_TRIGGER, "CREATE TRIGGER"},
    {SQLITE_CREATE_VIEW, "CREATE VIEW"},
    {SQLITE_CREATE_VTABLE, "CREATE VIRTUAL TABLE"},
    {SQLITE_DROP_INDEX, "DROP INDEX"},
    {SQLITE_DROP_TABLE, "DROP TABLE"},
    {SQLITE_DROP_TEMP_INDEX, "DROP INDEX"},
    {SQLITE_DROP_TEMP_TABLE, "DROP TABLE"},
    {SQLITE_DROP_TEMP_TRIGGER, "DROP TRIGGER"},
    {SQLITE_DROP_TEMP_VIEW, "DROP VIEW"},
    {SQLITE_DROP_TRIGGER, "DROP TRIGGER"},
    {SQLITE_DROP_VIEW, "DROP VIEW"},
    {SQLITE_DROP_VTABLE, "DROP TABLE"},
    {SQLITE_ALTER_TABLE, "ALTER TABLE"},
    {SQLITE_REINDEX, "REINDEX"},
    {SQLITE_ANALYZE, "ANALYZE"},
};

/* Not determined by their arguments and what is in the file. The clock is: see sqlite_clock.h. */
struct function {
    const char *name;
    int arg_count;
};
static const struct function functions[] = {
    {"random", 0},
    {"randomblob", 1},
    {"changes", 0},
    {"total_changes", 0},
    {"last_insert_rowid", 0},
    {"load_extension", 1},
    {"load_extension", 2},
    {"sqlite_version", 0},
    {"sqlite_source_id", 0},
    {"sqlite_compileoption_get", 1},
    {"sqlite_compileoption_used", 1},
    {"fts3_tokenizer", 1},
    {"fts3_tokenizer", 2},
};

static const char *find_action(const struct action *actions, size_t count, int code)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i].code == code) {
            return actions[i].name;
        }
    }
    return NULL;
}

static bool is_refused_function(const char *name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        if (name != NULL && strcasecmp(name, functions[i].name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_own_table(const char *name)
{
    return name != NULL && strncasecmp(name, "_weir_", 6) == 0;
}

/* Does the action change or make the table that its first name says? */
static bool is_write(int code)
{
    return code == SQLITE_INSERT || code == SQLITE_UPDATE || code == SQLITE_DELETE ||
           code == SQLITE_CREATE_TABLE || code == SQLITE_CREATE_VIEW || code == SQLITE_DROP_TABLE ||
           code == SQLITE_DROP_VIEW || code == SQLITE_CREATE_VTABLE || code == SQLITE_DROP_VTABLE;
}

/* What is refused about an action, or NULL. `first` and `second` as sqlite3_set_authorizer() says. */
static const char *refused(const struct wr_sqlite_guard *guard, int code, const char *first,
                           const char *second)
{
    const char *name = find_action(never, sizeof(never) / sizeof(never[0]), code);
    if (name == NULL && guard->mode == WR_SQLITE_HANDLER) {
        name = find_action(only_schema, sizeof(only_schema) / sizeof(only_schema[0]), code);
    }
    if (name != NULL) {
        return name;
    }
    if (code == SQLITE_FUNCTION && is_refused_function(second)) {
        return second;
    }
    /* Full-text tables ask for data_version themselves. */
    bool is_harmless = first != NULL && strcasecmp(first, "data_version") == 0 && second == NULL;
    bool is_pragma_table =
        code == SQLITE_READ && first != NULL && strncasecmp(first, "pragma_", 7) == 0;
    if (is_pragma_table || (code == SQLITE_PRAGMA && !is_harmless)) {
        return "PRAGMA";
    }
    bool is_own = is_own_table(first) || (code == SQLITE_ALTER_TABLE && is_own_table(second));
    return is_own && (is_write(code) || code == SQLITE_ALTER_TABLE) ? "weir's own table" : NULL;
}

static int authorize(void *arg, int code, const char *first, const char *second, const char *db,
                     const char *inside)
{
    struct wr_sqlite_guard *guard = arg;
    WR_UNUSED(db);
    WR_UNUSED(inside);
    if (guard->mode == WR_SQLITE_OWN) {
        return SQLITE_OK;
    }
    const char *what = refused(guard, code, first, second);
    if (what == NULL) {
        return SQLITE_OK;
    }
    (void)snprintf(guard->why, sizeof(guard->why), "%s%s is not allowed %s", what,
                   code == SQLITE_FUNCTION ? "()" : "",
                   guard->mode == WR_SQLITE_HANDLER ? "in a handler" : "in a view's schema");
    return SQLITE_DENY;
}

static void fail_function(sqlite3_context *context, int count, sqlite3_value **values)
{
    const struct function *function = sqlite3_user_data(context);
    char text[96];
    WR_UNUSED(count);
    WR_UNUSED(values);
    (void)snprintf(text, sizeof(text), "%s() is not allowed in a view", function->name);
    sqlite3_result_error(context, text, -1);
}

int wr_sqlite_guard_install(struct wr_sqlite_guard *guard, sqlite3 *db, struct weir_error *err)
{
    int rc = sqlite3_set_authorizer(db, authorize, guard);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]) && rc == SQLITE_OK; i++) {
        rc = sqlite3_create_function_v2(db, functions[i].name, functions[i].arg_count, SQLITE_UTF8,
                                        (void *)(uintptr_t)&functions[i], fail_function, NULL, NULL,
                                        NULL);
    }
    if (rc != SQLITE_OK) {
        return wr_fail(err, WEIR_E_NOMEM, "sqlite: %s", sqlite3_errmsg(db));
    }
    return 0;
}
