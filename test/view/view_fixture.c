#include "view/view_fixture.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/vfs.h"
#include "run/config_read.h"
#include "view/view_parts.h"

void view_fixture_open(struct view_fixture *f, unsigned lacks)
{
    *f = (struct view_fixture){0};
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/weir-view-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    (void)snprintf(f->yaml_path, sizeof(f->yaml_path), "%s/weir.yaml", f->dir);
    f->arena = wr_arena_of(16 << 20);
    f->clock = wr_manual_clock_of(INT64_C(1710498600000000)); /* 2024-03-15T10:30:00Z */
    struct wr_memory_options options = {.lacks = WR_LOG_CAN_JOIN | lacks, .clock = &f->clock.clock};
    f->log = wr_memory_log_open(&options);
    assert_non_null(f->log);
}

static int remove_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", (const char *)arg, entry->name);
    WR_UNUSED(err);
    (void)unlink(path);
    return 0;
}

void view_fixture_close(struct view_fixture *f)
{
    view_fixture_stop(f);
    wr_log_close(f->log);
    wr_arena_fini(&f->arena);
    struct weir_error err;
    assert_int_equal(wr_vfs_list(wr_vfs_os(), f->dir, remove_entry, f->dir, &err), 0);
    (void)rmdir(f->dir);
}

static int take_doc(void *arg, const struct wr_conf *doc, struct weir_error *err)
{
    WR_UNUSED(err);
    *(struct wr_conf *)arg = *doc;
    return 0;
}

int view_fixture_define(struct view_fixture *f, const char *yaml)
{
    struct wr_conf *doc = wr_arena_array(&f->arena, 1, sizeof(*doc));
    assert_non_null(doc);
    struct wr_config_reader reader = {
        .arena = &f->arena, .env = wr_config_env_os(), .file = f->yaml_path};
    struct wr_config_each each = {take_doc, doc};
    if (wr_config_read(&reader, wr_str_of(yaml), &each, &f->err) < 0) {
        fail_msg("%s", f->err.text);
    }
    assert_int_equal(doc->kind, WR_CONF_MAP);
    f->definition = wr_arena_array(&f->arena, 1, sizeof(*f->definition));
    assert_non_null(f->definition);
    return wr_view_definition_read(doc->entries[0].key, &doc->entries[0].value, &f->arena, NULL,
                                   f->definition, &f->err);
}

/* ---- the log ---- */

void view_fixture_topic(struct view_fixture *f, const char *topic, uint32_t partitions)
{
    struct wr_topic_spec spec = {.name = topic, .partition_count = partitions};
    assert_int_equal(wr_log_topic_create(f->log, &spec, NULL, &f->err), 0);
}

void view_fixture_append_record(struct view_fixture *f, const char *topic, uint32_t partition,
                                const struct wr_record *record)
{
    struct wr_log_writer *writer = NULL;
    struct wr_log_topic *handle = NULL;
    uint64_t commit = 0;
    assert_int_equal(
        wr_log_writer_open(f->log, &(struct wr_log_writer_options){0}, &writer, &f->err), 0);
    assert_int_equal(wr_log_topic_find(f->log, topic, &handle, &f->err), 0);
    assert_int_equal(wr_log_append(writer, handle, partition, record, &f->err), 0);
    assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &commit, &f->err), 0);
    assert_int_equal(wr_log_writer_wait(writer, commit, 1000, &f->err), 0);
    wr_log_topic_unref(handle);
    wr_log_writer_close(writer);
}

void view_fixture_append(struct view_fixture *f, const char *topic, const char *key,
                         const char *value)
{
    struct wr_record record = {.key = wr_bytes_of_str(wr_str_of(key)),
                               .value = wr_bytes_of_str(wr_str_of(value)),
                               .timestamp_ms = 1710498600000};
    view_fixture_append_record(f, topic, key == NULL ? 0 : WR_PARTITION_BY_KEY, &record);
}

static void append_number(struct view_fixture *f, struct wr_log_writer *writer,
                          struct wr_log_topic *topic, int n)
{
    char value[64];
    (void)snprintf(value, sizeof(value), "{\"type\":\"A\",\"n\":%d}", n);
    struct wr_record record = {.value = wr_bytes_of_str(wr_str_of(value)),
                               .timestamp_ms = 1710498600000};
    assert_int_equal(wr_log_append(writer, topic, 0, &record, &f->err), 0);
}

void view_fixture_append_numbers(struct view_fixture *f, const char *topic, int from, int to)
{
    struct wr_log_writer *writer = NULL;
    struct wr_log_topic *handle = NULL;
    uint64_t commit = 0;
    assert_int_equal(
        wr_log_writer_open(f->log, &(struct wr_log_writer_options){0}, &writer, &f->err), 0);
    assert_int_equal(wr_log_topic_find(f->log, topic, &handle, &f->err), 0);
    for (int n = from; n < to; n++) {
        append_number(f, writer, handle, n);
    }
    assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &commit, &f->err), 0);
    assert_int_equal(wr_log_writer_wait(writer, commit, 1000, &f->err), 0);
    wr_log_topic_unref(handle);
    wr_log_writer_close(writer);
}

/* ---- the view ---- */

int view_fixture_start(struct view_fixture *f)
{
    struct wr_view_options options = {.log = f->log,
                                      .definition = f->definition,
                                      .sink = f->sink,
                                      .clock = &f->clock.clock,
                                      .is_stepped = f->is_stepped,
                                      .ahead_min = f->ahead_min};
    assert_null(f->view);
    int rc = wr_view_new(&options, &f->view, &f->err);
    if (rc == 0) {
        rc = wr_view_prepare(f->view, &f->err);
    }
    if (rc < 0) {
        view_fixture_stop(f);
    }
    return rc;
}

void view_fixture_run(struct view_fixture *f)
{
    for (int i = 0; i < 100000; i++) {
        bool was_waiting = f->view->action == WR_VIEW_WAIT;
        if (!wr_view_step(f->view, 0) || f->view->action == WR_VIEW_PAUSE ||
            (was_waiting && f->view->action == WR_VIEW_WAIT)) {
            return;
        }
    }
    fail_msg("the view does not come to rest");
}

void view_fixture_stop(struct view_fixture *f)
{
    wr_view_close(f->view);
    f->view = NULL;
}

void view_fixture_expect_rows(const struct sink_fake_store *store, int count)
{
    static bool seen[SINK_FAKE_ROWS_MAX];
    memset(seen, 0, sizeof(seen));
    assert_int_equal(store->committed, count);
    for (size_t i = 0; i < store->committed; i++) {
        assert_in_range(store->rows[i], 0, count - 1);
        assert_false(seen[store->rows[i]]);
        seen[store->rows[i]] = true;
    }
}

struct wr_view_status view_fixture_status(struct view_fixture *f)
{
    struct wr_view_status status;
    assert_int_equal(wr_view_status(f->view, &f->arena, &status, &f->err), 0);
    return status;
}

/* ---- the model ---- */

const char *view_fixture_path(const struct view_fixture *f, const char *file)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", f->dir, file);
    return path;
}

static void put(struct view_fixture *f, const char *text)
{
    size_t len = strlen(f->text);
    (void)snprintf(f->text + len, sizeof(f->text) - len, "%s", text);
}

const char *view_fixture_query(struct view_fixture *f, const char *file, const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    f->text[0] = 0;
    int rc = sqlite3_open_v2(view_fixture_path(f, file), &db, SQLITE_OPEN_READWRITE, NULL);
    rc = rc == SQLITE_OK ? sqlite3_busy_timeout(db, 5000) : rc;
    rc = rc == SQLITE_OK ? sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) : rc;
    rc = rc == SQLITE_OK ? sqlite3_step(stmt) : rc;
    for (; rc == SQLITE_ROW; rc = sqlite3_step(stmt)) {
        put(f, f->text[0] == 0 ? "" : " / ");
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            const char *text = (const char *)sqlite3_column_text(stmt, i);
            put(f, i == 0 ? "" : "|");
            put(f, text == NULL ? "NULL" : text);
        }
    }
    if (rc != SQLITE_DONE) {
        (void)snprintf(f->text, sizeof(f->text), "error: %s", sqlite3_errmsg(db));
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return f->text;
}
