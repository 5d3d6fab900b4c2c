/*
 * The SQLite store, through views as users declare them: what is refused at start and where, what SQL may
 * not do, which value becomes what, and what happens when the file is locked, full, changed, or the process
 * is killed. What every store promises is in contract/sink_contract.c.
 */
#include "view/sink_ops.h"

#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "view/view_fixture.h"
#include "view/view_parts.h"

static int setup(void **state)
{
    static struct view_fixture f;
    view_fixture_open(&f, 0);
    view_fixture_topic(&f, "t", 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    view_fixture_close(*state);
    return 0;
}

/* A view of topic t into x.db: a schema, and what it does on type A. Both are put in single quotes. */
static int try_view(struct view_fixture *f, const char *schema, const char *on)
{
    char yaml[4096];
    (void)snprintf(yaml, sizeof(yaml),
                   "v:\n  from: t\n  to: sqlite:x.db\n  schema: '%s'\n  on:\n    A: '%s'\n"
                   "  batch: {rows: 7}\n",
                   schema, on);
    int rc = view_fixture_define(f, yaml);
    return rc < 0 ? rc : view_fixture_start(f);
}

static void start(struct view_fixture *f, const char *schema, const char *on)
{
    if (try_view(f, schema, on) < 0) {
        fail_msg("%s", f->err.text);
    }
}

static void event(struct view_fixture *f, const char *fields)
{
    char value[8192];
    (void)snprintf(value, sizeof(value), "{\"type\":\"A\"%s%s}", fields[0] == 0 ? "" : ",", fields);
    view_fixture_append(f, "t", NULL, value);
}

static const char *query(struct view_fixture *f, const char *sql)
{
    return view_fixture_query(f, "x.db", sql);
}

/* ---- wrong at start ---- */

struct wrong {
    const char *schema;
    const char *on;
    const char *says;
};

/* The schema begins at line 4, column 12; what is done on A at line 6, column 9. */
static const struct wrong wrong_table[] = {
    {"CREATE TABLE t (a)", "INSERT INTO u VALUES (:a)",
     "weir.yaml:6:9: view 'v', on 'A': no such table: u"},
    {"CREATE TABLE t (a)", "INSERT INTO t (b) VALUES (:a)", "table t has no column named b"},
    {"CREATE TABLE t (a)", "UPDATE t SET a = :first.name WHERE b = 1",
     ":6:44: view 'v', on 'A': no such column: b"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (\"a\")", "no such column: a"}, /* never a text */
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (:a", "view 'v', on 'A': incomplete input"},
    {"CREATE TABLE t (a)", "INSRT INTO t VALUES (:a)",
     ":6:9: view 'v', on 'A': near \"INSRT\": syntax error"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (:a) ; UPDATE t SET b = 1",
     ":6:37: view 'v', on 'A': no such column: b"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (:_tme)",
     ":6:31: view 'v', on 'A': there is no built-in"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (:_version)",
     ":6:31: view 'v': ':_version' cannot be had"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (?)",
     ":6:31: view 'v', on 'A': '?' is SQLite's own way"},
    {"CREATE TABLE t (a)", "-- nothing", ":6:8: view 'v', on 'A': no SQL stands here"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (nosuch(:a))", "no such function: nosuch"},
    {"CREATE TABLE t (a", "SELECT 1", "view 'v', schema: incomplete input"},
    {"CREATE TABLE t (a); CREATE TABL u (a)", "SELECT 1",
     "weir.yaml:4:39: view 'v', schema: near \"TABL\""},
    {"CREATE TABLE t (a); INSERT INTO t VALUES (:a)", "SELECT 1",
     ":4:32: view 'v', schema: there is no event"},
    {"CREATE TABLE t (a); INSERT INTO t SELECT abs(-9223372036854775808)", "SELECT 1",
     "schema: integer overflow"},
};

static void expect_wrong(struct view_fixture *f, const struct wrong *wrong)
{
    int rc = try_view(f, wrong->schema, wrong->on);
    if (rc != WEIR_E_CONFIG || strstr(f->err.text, wrong->says) == NULL) {
        fail_msg("%s / %s: %d \"%s\"", wrong->schema, wrong->on, rc, f->err.text);
    }
}

static void what_is_wrong_shows_at_start_with_its_place(void **state)
{
    for (size_t i = 0; i < sizeof(wrong_table) / sizeof(wrong_table[0]); i++) {
        expect_wrong(*state, &wrong_table[i]);
    }
    /* none of them has left anything behind */
    start(*state, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
}

static const struct wrong refused_table[] = {
    {"CREATE TABLE t (a)", "ATTACH ''x'' AS y", "ATTACH is not allowed in a handler"},
    {"CREATE TABLE t (a)", "DETACH y", "DETACH is not allowed in a handler"},
    {"CREATE TABLE t (a)", "PRAGMA journal_mode=DELETE", "PRAGMA is not allowed in a handler"},
    {"CREATE TABLE t (a)", "SELECT * FROM pragma_table_info(''t'')", "is not allowed in a handler"},
    {"CREATE TABLE t (a)", "COMMIT", "transaction control is not allowed in a handler"},
    {"CREATE TABLE t (a)", "SAVEPOINT x", "transaction control is not allowed in a handler"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (random())",
     "random() is not allowed in a handler"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (hex(RANDOMBLOB(4)))",
     "randomblob() is not allowed in a handler"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (last_insert_rowid())",
     "last_insert_rowid() is not allowed"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (changes())",
     "changes() is not allowed in a handler"},
    {"CREATE TABLE t (a)", "INSERT INTO t VALUES (sqlite_version())",
     "sqlite_version() is not allowed"},
    {"CREATE TABLE t (a)", "SELECT load_extension(''x'')",
     "load_extension() is not allowed in a handler"},
    {"CREATE TABLE t (a)", "CREATE TABLE u (a)", "CREATE TABLE is not allowed in a handler"},
    {"CREATE TABLE t (a)", "CREATE TEMP TABLE u (a)", "CREATE TABLE is not allowed in a handler"},
    {"CREATE TABLE t (a)", "DROP TABLE t", "DROP TABLE is not allowed in a handler"},
    {"CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b", "ALTER TABLE is not allowed in a handler"},
    {"CREATE TABLE t (a)", "CREATE INDEX i ON t (a)", "CREATE INDEX is not allowed in a handler"},
    {"CREATE TABLE _weir_views (a)", "SELECT 1",
     "weir's own table is not allowed in a view's schema"},
    {"BEGIN", "SELECT 1", "transaction control is not allowed in a view's schema"},
    {"PRAGMA foreign_keys=ON", "SELECT 1", "PRAGMA is not allowed in a view's schema"},
    {"CREATE TABLE t (a); INSERT INTO t VALUES (random())", "SELECT 1",
     "random() is not allowed in a view's schema"},
    {"CREATE TABLE t (a); CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET a = random(); END",
     "INSERT INTO t VALUES (:a)", "random() is not allowed in a handler"},
};

static void what_sql_may_not_do_is_refused_at_start(void **state)
{
    for (size_t i = 0; i < sizeof(refused_table) / sizeof(refused_table[0]); i++) {
        expect_wrong(*state, &refused_table[i]);
    }
}

static void the_offsets_cannot_be_written_by_a_handler(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    view_fixture_stop(f);
    assert_int_equal(view_fixture_define(f, "w:\n  from: t\n  to: sqlite:x.db\n  on: {A: "
                                            "UPDATE _weir_offsets SET next_offset = 0}\n"),
                     0);
    assert_int_equal(view_fixture_start(f), WEIR_E_CONFIG);
    assert_non_null(strstr(f->err.text, "weir's own table is not allowed in a handler"));
}

/* SQLite does not ask about a default before it is used. */
static void a_random_default_fails_when_it_is_used(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a, b DEFAULT (random()))", "INSERT INTO t (a) VALUES (:a)");
    event(f, "\"a\":1");
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_non_null(strstr(status.why, "random() is not allowed in a view"));
}

static void a_file_that_cannot_be_opened_is_said_with_its_place(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(
        view_fixture_define(f, "v:\n  from: t\n  to: sqlite:no/x.db\n  on: {A: SELECT 1}\n"), 0);
    assert_int_equal(view_fixture_start(f), WEIR_E_CONFIG);
    assert_non_null(strstr(f->err.text, "weir.yaml:3:7: view 'v': '"));
    assert_non_null(strstr(f->err.text, "unable to open database file"));
    FILE *file = fopen(view_fixture_path(f, "x.db"), "w");
    assert_non_null(file);
    (void)fputs(
        "this is no database, but it is long enough to be taken for one: ............................"
        "...................................................................................",
        file);
    (void)fclose(file);
    assert_int_equal(try_view(f, "", "SELECT 1"), WEIR_E_CONFIG);
    assert_non_null(strstr(f->err.text, "file is not a database"));
    static const char *const no_files[] = {"'sqlite:'", "'sqlite::memory:'"};
    for (size_t i = 0; i < 2; i++) {
        char yaml[128];
        (void)snprintf(yaml, sizeof(yaml), "v:\n  from: t\n  to: %s\n  on: {A: SELECT 1}\n",
                       no_files[i]);
        assert_int_equal(view_fixture_define(f, yaml), 0);
        assert_int_equal(view_fixture_start(f), WEIR_E_CONFIG);
        assert_non_null(strstr(f->err.text, "with the path of a file"));
    }
    assert_int_equal(
        view_fixture_define(f, "v:\n  from: t\n  to: postgres://x\n  on: {A: SELECT 1}\n"), 0);
    assert_int_equal(view_fixture_start(f), WEIR_E_CONFIG);
    assert_non_null(
        strstr(f->err.text, "weir.yaml:3:7: view 'v': to must be sqlite:PATH, not 'postgres://x'"));
}

/* ---- a changed definition ---- */

static void a_changed_definition_names_what_was_changed_and_what_to_do(void **state)
{
    struct view_fixture *f = *state;
    static const struct {
        const char *yaml;
        const char *says;
    } changes[] = {
        {"v:\n  from: t\n  to: sqlite:x.db\n  schema: CREATE TABLE t (b)\n  on: {A: SELECT 1, B: [SELECT 2, SELECT 3]}\n",
         "weir.yaml:4:11: view 'v': 'schema:' was changed since it filled '"},
        {"v:\n  from: t\n  to: sqlite:x.db\n  schema: CREATE TABLE t (a)\n  on: {A: SELECT 9, B: [SELECT 2, SELECT 3]}\n",
         "weir.yaml:5:11: view 'v': what it does on 'A' was changed"},
        {"v:\n  from: t\n  to: sqlite:x.db\n  schema: CREATE TABLE t (a)\n  on: {A: SELECT 1, B: [SELECT 2]}\n",
         "'on:' (something was taken out) was changed"},
        {"v:\n  from: t\n  to: sqlite:x.db\n  schema: CREATE TABLE t (a)\n  on: {A: SELECT 1, B: [SELECT 2, SELECT 3], C: SELECT 1}\n",
         "what it does on 'C' was changed"},
        {"v:\n  from: t\n  to: sqlite:x.db\n  type_field: x\n  schema: CREATE TABLE t (a)\n  on: {A: SELECT 1, B: [SELECT 2, SELECT 3]}\n",
         "'type_field:' was changed"},
    };
    const char *same =
        "v:\n  from: [t, u]\n  to: sqlite:x.db\n  on_error: skip\n  on: {B: [SELECT 2, SELECT 3], A: SELECT "
        "1}\n  schema: CREATE TABLE t (a)\n";
    assert_int_equal(view_fixture_define(f, same), 0);
    assert_int_equal(view_fixture_start(f), 0);
    view_fixture_stop(f);
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        assert_int_equal(view_fixture_define(f, changes[i].yaml), 0);
        assert_int_equal(view_fixture_start(f), WEIR_E_REFUSED);
        assert_non_null(strstr(f->err.text, changes[i].says));
        assert_non_null(
            strstr(f->err.text, "name a new file in 'to:' (it is filled from the log's start)"));
    }
    assert_int_equal(view_fixture_define(f, same), 0); /* order, from and on_error do not count */
    assert_int_equal(view_fixture_start(f), 0);
}

static void a_file_of_a_newer_weir_is_left_alone(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    view_fixture_stop(f);
    (void)query(f, "UPDATE _weir_views SET format = 2, weir = '9.1'");
    assert_int_equal(try_view(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)"),
                     WEIR_E_REFUSED);
    assert_non_null(strstr(f->err.text, "was filled by a newer weir (9.1)"));
}

/* ---- values ---- */

static void each_kind_of_value_has_its_type(void **state)
{
    struct view_fixture *f = *state;
    static const char *const values[][2] = {
        {"true", "integer|1"},
        {"false", "integer|0"},
        {"null", "null|NULL"},
        {"-7", "integer|-7"},
        {"9223372036854775807", "integer|9223372036854775807"},
        {"9223372036854775808", "text|9223372036854775808"},
        {"1.5", "real|1.5"},
        {"1e3", "real|1000.0"},
        {"1e999", "text|1e999"},
        {"\"x\"", "text|x"},
        {"\"\"", "text|"},
        {"\"caf\\u00e9\"", "text|caf\xc3\xa9"},
        {"{\"b\": [1]}", "text|{\"b\": [1]}"},
        {"[1, 2]", "text|[1, 2]"},
    };
    start(f, "CREATE TABLE t (a)", "DELETE FROM t; INSERT INTO t VALUES (:a)");
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char field[64];
        (void)snprintf(field, sizeof(field), "\"a\":%s", values[i][0]);
        event(f, field);
        view_fixture_run(f);
        assert_string_equal(query(f, "SELECT typeof(a), a FROM t"), values[i][1]);
    }
    event(f, "\"a\":\"x\\u0000y\"");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT hex(a) FROM t"), "780079");
}

static void values_never_become_sql(void **state)
{
    struct view_fixture *f = *state;
    static const char *const strings[] = {
        "'); DROP TABLE t; --",
        "' OR '1'='1",
        "\\\"; DELETE FROM t; \\\"",
        "?1",
        ":a",
        "$1",
        "@a",
        "%s%n",
        "x'||(SELECT sql FROM sqlite_master)||'",
        "/*",
        "*/",
        "--",
        "\\\\",
        "\\u0027",
        "[a]",
        "`a`",
    };
    enum {
        COUNT = sizeof(strings) / sizeof(strings[0])
    };
    start(f, "CREATE TABLE t (i INTEGER PRIMARY KEY, a)", "INSERT INTO t VALUES (:i, :a)");
    for (size_t i = 0; i < COUNT; i++) {
        char field[256];
        (void)snprintf(field, sizeof(field), "\"i\":%zu,\"a\":\"%s\"", i, strings[i]);
        event(f, field);
    }
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).state_text, "running");
    assert_string_equal(query(f, "SELECT count(*) FROM t"), "16");
    assert_string_equal(query(f, "SELECT a FROM t WHERE i = 0"), "'); DROP TABLE t; --");
    assert_string_equal(query(f, "SELECT a FROM t WHERE i = 2"), "\"; DELETE FROM t; \"");
    assert_string_equal(query(f, "SELECT a FROM t WHERE i = 13"), "'");
}

static void now_is_the_time_of_the_event(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a, b DEFAULT CURRENT_TIMESTAMP, c)",
          "INSERT INTO t (a, c) VALUES (datetime(''now''), :_time)");
    event(f, "\"timestamp\":\"2001-02-03T04:05:06Z\"");
    event(f, "\"timestamp\":\"2002-02-03T04:05:06.789Z\"");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT a, b, c FROM t"),
                        "2001-02-03 04:05:06|2001-02-03 04:05:06|2001-02-03T04:05:06.000Z / "
                        "2002-02-03 04:05:06|2002-02-03 04:05:06|2002-02-03T04:05:06.789Z");
}

static void a_handler_of_several_statements_is_all_or_nothing(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(
        view_fixture_define(f, "v:\n  from: t\n  to: sqlite:x.db\n  on_error: skip\n"
                               "  schema: CREATE TABLE t (a); CREATE TABLE u (b CHECK (b > 0))\n"
                               "  on:\n    A:\n      - INSERT INTO t VALUES (:a)\n"
                               "      - INSERT INTO u VALUES (:b?)\n"),
        0);
    assert_int_equal(view_fixture_start(f), 0);
    event(f, "\"a\":1,\"b\":1");
    event(f, "\"a\":2,\"b\":-1");
    event(f, "\"a\":3,\"b\":3");
    event(f, "\"a\":4");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT a FROM t"), "1 / 3 / 4");
    assert_string_equal(query(f, "SELECT b FROM u"), "1 / 3 / NULL");
    struct wr_view_status status = view_fixture_status(f);
    assert_int_equal(status.counts.applied, 3);
    assert_int_equal(status.counts.skipped, 1);
    assert_non_null(strstr(status.last_skip, "CHECK constraint failed: b > 0"));
    assert_non_null(strstr(status.last_skip, "topic 't' partition 0 offset 1, type 'A', key none"));
}

static void full_text_tables_work(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE VIRTUAL TABLE t USING fts5(a)", "INSERT INTO t VALUES (:a)");
    event(f, "\"a\":\"the quick brown fox\"");
    event(f, "\"a\":\"the lazy dog\"");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT a FROM t WHERE t MATCH 'lazy'"), "the lazy dog");
}

/* ---- the file, while it is being filled ---- */

static void readers_and_the_view_do_not_wait_for_each_other(void **state)
{
    struct view_fixture *f = *state;
    sqlite3 *reader = NULL;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    event(f, "\"a\":1");
    view_fixture_run(f);
    assert_int_equal(sqlite3_open(view_fixture_path(f, "x.db"), &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT * FROM t", NULL, NULL, NULL), SQLITE_OK);
    event(f, "\"a\":2");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT a FROM t"), "1 / 2");
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
}

static void a_users_lock_pauses_the_view_and_nothing_is_lost(void **state)
{
    struct view_fixture *f = *state;
    sqlite3 *user = NULL;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    view_fixture_run(f);
    assert_int_equal(sqlite3_open(view_fixture_path(f, "x.db"), &user), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(user, "BEGIN IMMEDIATE; INSERT INTO t VALUES (0)", NULL, NULL, NULL),
        SQLITE_OK);
    event(f, "\"a\":1");
    for (int i = 0; i < 5; i++) {
        view_fixture_run(f);
    }
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "paused");
    assert_non_null(strstr(status.why, "database is locked"));
    assert_int_equal(status.partitions[0].lag, 1);
    assert_int_equal(sqlite3_exec(user, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(user), SQLITE_OK);
    view_fixture_run(f);
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT a FROM t"), "0 / 1");
    status = view_fixture_status(f);
    assert_string_equal(status.state_text, "running");
    assert_string_equal(status.why, "");
    assert_int_equal(status.partitions[0].lag, 0);
}

static void a_lock_at_start_is_waited_for_too(void **state)
{
    struct view_fixture *f = *state;
    sqlite3 *user = NULL;
    assert_int_equal(sqlite3_open(view_fixture_path(f, "x.db"), &user), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(user, "PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE u (a)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    event(f, "\"a\":1");
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).state_text, "paused");
    assert_int_equal(sqlite3_close(user), SQLITE_OK);
    view_fixture_run(f);
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT a FROM t"), "1");
}

static void tables_changed_by_a_user_stop_the_view_and_skip_nothing(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(view_fixture_define(
                         f,
                         "v:\n  from: t\n  to: sqlite:x.db\n  on_error: skip\n"
                         "  schema: CREATE TABLE t (a)\n  on: {A: 'INSERT INTO t VALUES (:a)'}\n"),
                     0);
    assert_int_equal(view_fixture_start(f), 0);
    event(f, "\"a\":1");
    view_fixture_run(f);
    (void)query(f, "ALTER TABLE t RENAME TO u");
    event(f, "\"a\":2");
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_non_null(strstr(status.why, "are not those that the view began with"));
    assert_non_null(strstr(status.why, "no such table: t"));
    assert_int_equal(status.counts.skipped, 0);
    assert_string_equal(query(f, "SELECT next_offset FROM _weir_offsets"), "1");
}

static void a_column_added_by_a_user_does_no_harm(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t (a) VALUES (:a)");
    event(f, "\"a\":1");
    view_fixture_run(f);
    (void)query(f, "ALTER TABLE t ADD COLUMN note DEFAULT 'mine'");
    event(f, "\"a\":2");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT * FROM t"), "1|mine / 2|mine");
}

static void a_handler_that_rolls_back_the_transaction_stops_the_view(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(view_fixture_define(f, "v:\n  from: t\n  to: sqlite:x.db\n  on_error: skip\n"
                                            "  schema: CREATE TABLE t (a PRIMARY KEY)\n"
                                            "  on: {A: 'INSERT OR ROLLBACK INTO t VALUES (:a)'}\n"),
                     0);
    assert_int_equal(view_fixture_start(f), 0);
    event(f, "\"a\":1");
    event(f, "\"a\":1");
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_non_null(strstr(status.why, "has rolled back the view's transaction"));
    assert_string_equal(query(f, "SELECT count(*) FROM t"),
                        "0"); /* and its position is where it was */
    assert_string_equal(query(f, "SELECT count(*) FROM _weir_offsets"), "0");
}

static void a_file_that_is_removed_stops_the_view(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    event(f, "\"a\":1");
    view_fixture_run(f);
    assert_int_equal(unlink(view_fixture_path(f, "x.db")), 0);
    event(f, "\"a\":2");
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_non_null(strstr(status.why, "was removed or replaced"));
}

static void two_views_share_a_file(void **state)
{
    struct view_fixture *f = *state;
    start(f, "CREATE TABLE t (a)", "INSERT INTO t VALUES (:a)");
    struct wr_view *first = f->view;
    f->view = NULL;
    assert_int_equal(
        view_fixture_define(f, "w:\n  from: t\n  to: sqlite:x.db\n  schema: CREATE TABLE u (a)\n"
                               "  on: {A: 'INSERT INTO u VALUES (:a)'}\n"),
        0);
    assert_int_equal(view_fixture_start(f), 0);
    for (int i = 0; i < 20; i++) { /* turn about, in small steps */
        event(f, "\"a\":7");
        (void)wr_view_step(first, 0);
        (void)wr_view_step(f->view, 0);
        (void)wr_view_step(f->view, 0);
    }
    struct wr_view *other = f->view;
    for (int i = 0; i < 3; i++) {
        f->view = first;
        view_fixture_run(f);
        f->view = other;
        view_fixture_run(f);
    }
    assert_string_equal(query(f, "SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM u)"),
                        "20|20");
    assert_string_equal(
        query(f, "SELECT view, topic, partition, next_offset FROM _weir_offsets ORDER BY 1"),
        "v|t|0|20 / w|t|0|20");
    wr_view_close(first);
}

/* ---- a full disk ---- */

static int writes_left = -1; /* -1: as many as there are */
static bool is_deadly;       /* the last of them is cut in half, and kills */

static ssize_t full_pwrite(int fd, const void *buf, size_t len, off_t at)
{
    if (writes_left == 0 && is_deadly) {
        (void)!pwrite(fd, buf, len / 2, at);
        (void)kill(getpid(), SIGKILL);
    }
    if (writes_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    writes_left -= writes_left > 0 ? 1 : 0;
    return pwrite(fd, buf, len, at);
}

static void let_writes_fail(bool is_on)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find("unix");
    static const char *const names[] = {"pwrite", "pwrite64"};
    for (size_t i = 0; i < 2; i++) {
        sqlite3_syscall_ptr call =
            is_on ? (sqlite3_syscall_ptr)full_pwrite : NULL; /* NULL: its own */
        int rc = vfs->xSetSystemCall(vfs, names[i], call);
        assert_true(rc == SQLITE_OK || rc == SQLITE_NOTFOUND);
    }
}

static void a_full_disk_pauses_the_view_and_nothing_is_lost(void **state)
{
    struct view_fixture *f = *state;
    char field[2100];
    start(f, "CREATE TABLE t (a, b)", "INSERT INTO t VALUES (:a, :b)");
    event(f, "\"a\":0,\"b\":\"\"");
    view_fixture_run(f);
    let_writes_fail(true);
    for (int round = 0; round < 12; round++) {
        for (int i = 0; i < 10; i++) {
            (void)snprintf(field, sizeof(field), "\"a\":%d,\"b\":\"%02000d\"", round * 10 + i + 1,
                           i);
            event(f, field);
        }
        writes_left = round; /* the disk is full after so many writes */
        view_fixture_run(f);
        struct wr_view_status status = view_fixture_status(f);
        assert_true(round > 4 || strcmp(status.state_text, "paused") == 0);
        if (status.why[0] != 0) {
            assert_non_null(strstr(status.why, "full"));
        }
        writes_left = -1; /* room again */
        for (int i = 0; i < 4; i++) {
            view_fixture_run(f);
        }
        assert_string_equal(view_fixture_status(f).state_text, "running");
    }
    let_writes_fail(false);
    assert_string_equal(query(f, "SELECT count(*), count(DISTINCT a), max(a) FROM t"),
                        "121|121|120");
    assert_string_equal(query(f, "PRAGMA integrity_check"), "ok");
}

/* ---- a killed process ---- */

/* Fill the file from the log in a child that is killed at its at-th write. False when it needs no more. */
static bool fill_and_die(struct view_fixture *f, int at)
{
    pid_t child = fork();
    if (child == 0) {
        let_writes_fail(true);
        is_deadly = true;
        writes_left = at;
        start(f, "CREATE TABLE t (a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (:a)");
        view_fixture_run(f);
        _exit(0);
    }
    int status = 0;
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void expect_agreement(struct view_fixture *f, int at)
{
    const char *rows =
        query(f, "SELECT (SELECT count(*) FROM t) = coalesce((SELECT next_offset FROM "
                 "_weir_offsets), 0), (SELECT coalesce(max(a), -1) + 1 FROM t) = "
                 "(SELECT count(*) FROM t)");
    if (strcmp(rows, "1|1") != 0 && strstr(rows, "no such table") == NULL) {
        fail_msg("killed at write %d: %s", at, rows);
    }
}

static void killed_at_any_write_rows_and_position_agree(void **state)
{
    struct view_fixture *f = *state;
    int total = 0;
    int kills = 0;
    for (int at = 0; total < 180 && at < 400; at++) {
        if (fill_and_die(f, at)) {
            kills++;
            expect_agreement(f, at);
            continue;
        }
        for (int i = 0; i < 60; i++, total++) { /* it came through: more to do, in batches of 7 */
            char field[32];
            (void)snprintf(field, sizeof(field), "\"a\":%d", total);
            event(f, field);
        }
        at = -1;
    }
    assert_int_equal(total, 180);
    assert_true(kills > 30);
    start(f, "CREATE TABLE t (a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (:a)");
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT count(*) FROM t"), "180");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_wrong_shows_at_start_with_its_place),
        TEST(what_sql_may_not_do_is_refused_at_start),
        TEST(the_offsets_cannot_be_written_by_a_handler),
        TEST(a_random_default_fails_when_it_is_used),
        TEST(a_file_that_cannot_be_opened_is_said_with_its_place),
        TEST(a_changed_definition_names_what_was_changed_and_what_to_do),
        TEST(a_file_of_a_newer_weir_is_left_alone),
        TEST(each_kind_of_value_has_its_type),
        TEST(values_never_become_sql),
        TEST(now_is_the_time_of_the_event),
        TEST(a_handler_of_several_statements_is_all_or_nothing),
        TEST(full_text_tables_work),
        TEST(readers_and_the_view_do_not_wait_for_each_other),
        TEST(a_users_lock_pauses_the_view_and_nothing_is_lost),
        TEST(a_lock_at_start_is_waited_for_too),
        TEST(tables_changed_by_a_user_stop_the_view_and_skip_nothing),
        TEST(a_column_added_by_a_user_does_no_harm),
        TEST(a_handler_that_rolls_back_the_transaction_stops_the_view),
        TEST(a_file_that_is_removed_stops_the_view),
        TEST(two_views_share_a_file),
        TEST(a_full_disk_pauses_the_view_and_nothing_is_lost),
        TEST(killed_at_any_write_rows_and_position_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
