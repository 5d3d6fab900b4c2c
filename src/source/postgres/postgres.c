/* postgres.c - the members of wr_postgres_source, in the order of a source's life; see postgres.h. */
#include "source/postgres/postgres.h"

#include "base/trace.h"
#include "source/postgres/sql.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    WARN_INTERVAL_MS = 10000,
    SQL_BYTES_MAX = 16 << 20
};

static struct wr_pg_source *of(struct wr_source_impl *impl)
{
    return (struct wr_pg_source *)impl;
}

/* ---- what the other files use ------------------------------------------------------------------------ */

int wr_pg_run(struct wr_pg_session *session, const char *sql, const struct wr_pg_arg *args,
              size_t count, int timeout_ms, struct wr_pg_result **out, struct weir_error *err)
{
    struct wr_writer w = wr_writer_growing(SQL_BYTES_MAX);
    wr_pg_sql_fill(&w, sql, args, count);
    wr_put_u8(&w, 0);
    int rc = wr_writer_end(&w, err);
    if (rc == 0) {
        rc = wr_pg_session_query(session, (const char *)w.base, timeout_ms, out, err);
    }
    wr_writer_fini(&w);
    return rc;
}

int wr_pg_describe(struct wr_pg_source *source, const struct wr_pg_message *relation,
                   struct wr_pg_result **out, struct wr_str *facts, struct weir_error *err)
{
    char oid[16];
    const char identity[2] = {relation->u.relation.identity, 0};
    struct wr_writer columns = wr_writer_growing(SQL_BYTES_MAX);
    wr_pg_columns_put(&columns, relation->u.relation.columns, relation->u.relation.column_count);
    (void)snprintf(oid, sizeof(oid), "%" PRIu32, relation->u.relation.oid);
    const struct wr_pg_arg args[] = {{"oid", wr_str_of(oid)},
                                     {"schema", relation->u.relation.schema},
                                     {"table", relation->u.relation.table},
                                     {"identity", wr_str_of(identity)},
                                     {"columns", wr_writer_str(&columns)}};
    struct wr_pg_result *rows = NULL;
    int rc = wr_writer_end(&columns, err);
    if (rc == 0) {
        rc = wr_pg_run(source->sessions.control, wr_pg_sql_describe, args, 5,
                       WR_PG_STATEMENT_TIMEOUT_MS, &rows, err);
    }
    wr_writer_fini(&columns);
    if (rc == 0 && wr_pg_result_rows(rows) != 1) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the server gave no description");
    }
    if (rc < 0) {
        wr_pg_result_free(rows);
        return rc;
    }
    *facts = wr_pg_result_text(rows, 0, "facts");
    *out = rows;
    return 0;
}

int wr_pg_wait_feed(const struct wr_pg_source *source, const struct wr_feed *feed, int timeout_ms,
                    struct weir_error *err)
{
    const int fds[] = {source->env.wake_fd, wr_feed_fd(feed)};
    return wr_wait_any(fds, 2, timeout_ms) == 0 ? wr_fail(err, WEIR_E_STOPPED, "told to stop") : 0;
}

void wr_pg_introduce(const struct wr_pg_source *source, const struct wr_pg_table *table)
{
    for (size_t i = 0; i < table->skipped_count; i++) {
        wr_trace(WR_WARN, source->env.context,
                 "%.*s.%.*s: column %.*s is of a type without mapping, it is left out",
                 WR_FMT(table->table.schema), WR_FMT(table->table.name), WR_FMT(table->skipped[i]));
    }
    if (table->has_index_key) {
        wr_trace(
            WR_WARN, source->env.context,
            "%.*s.%.*s: its replica identity is an index without the primary key's columns; the index is "
            "the key of its records",
            WR_FMT(table->table.schema), WR_FMT(table->table.name));
    }
}

void wr_pg_warn_bad(struct wr_pg_source *source, const struct wr_table *table,
                    const struct wr_pg_bad_value *bad)
{
    int64_t now_ms = wr_mono_ms(source->env.clock);
    if (table != NULL && now_ms - source->warned_ms >= WARN_INTERVAL_MS) {
        source->warned_ms = now_ms;
        wr_trace(WR_WARN, source->env.context, "%.*s.%.*s: column %.*s has %s, written as null",
                 WR_FMT(table->schema), WR_FMT(table->name), WR_FMT(bad->column->name), bad->why);
    }
}

int wr_pg_create_slot(struct wr_pg_source *source, const char *sql, const char *slot,
                      struct wr_pg_result **out, struct weir_error *err)
{
    const struct wr_pg_arg args[] = {{"slot", wr_str_of(slot)}};
    struct wr_pg_result *rows = NULL;
    source->is_making_slot = true;
    int rc = wr_pg_run(source->sessions.stream, sql, args, 1, source->config.query_timeout_ms,
                       &rows, err);
    source->is_making_slot = rc == WEIR_E_STOPPED || rc == WEIR_E_CONNECT;
    if (rc == 0 && (wr_pg_result_rows(rows) != 1 ||
                    !wr_pg_lsn_parse(wr_pg_result_text(rows, 0, "consistent_point"),
                                     &source->stream.position.lsn))) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the server does not say where the slot begins");
    }
    if (rc < 0) {
        wr_pg_result_free(rows);
        return wr_wrap(err, "make slot '%s'", slot);
    }
    *out = rows;
    return 0;
}

/* ---- open and close ------------------------------------------------------------------------------------ */

static int open_source(const struct wr_source_env *env, struct wr_source_impl **out,
                       struct weir_error *err)
{
    static atomic_uint_least64_t opened;
    struct wr_pg_source *s = wr_alloc_array(1, sizeof(*s));
    if (s == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "source '%s'", env->name);
    }
    s->impl.ops = &wr_postgres_source;
    s->env = *env;
    s->warned_ms = wr_mono_ms(env->clock) - WARN_INTERVAL_MS;
    s->next_version = (atomic_fetch_add(&opened, 1) + 1) << 32; /* unique in the process */
    int rc = wr_pg_config_read(&s->config, env->name, env->connector, err);
    if (rc < 0) {
        wr_pg_config_fini(&s->config);
        wr_free(s);
        return rc;
    }
    *out = &s->impl;
    return 0;
}

/* The server waits for other transactions before a slot is made, and does not notice meanwhile that we
 * left: the slot would stay ours for as long, and nobody's afterwards. */
static void give_up_slot(struct wr_pg_source *s)
{
    char sql[80];
    struct weir_error err;
    (void)snprintf(sql, sizeof(sql), "SELECT pg_catalog.pg_cancel_backend(%d)",
                   wr_pg_session_pid(s->sessions.stream));
    wr_pg_session_ignore_wake(s->sessions.control);
    if (wr_pg_session_query(s->sessions.control, sql, WR_PG_CANCEL_TIMEOUT_MS, NULL, &err) < 0) {
        wr_trace(WR_DEBUG, s->env.context, "%s, when the slot was given up", err.text);
    }
}

static void disconnect(struct wr_source_impl *impl)
{
    struct wr_pg_source *s = of(impl);
    if (s->is_making_slot && s->sessions.control != NULL && s->sessions.stream != NULL) {
        give_up_slot(s);
    }
    s->is_making_slot = false;
    wr_pg_session_close(s->sessions.stream);
    wr_pg_session_close(s->sessions.control);
    s->sessions = (struct wr_pg_sessions){0};
    s->changes_before += s->stream.changes;
    s->transactions_before += s->stream.transactions;
    s->commit_us_before = s->stream.commit_us != 0 ? s->stream.commit_us : s->commit_us_before;
    wr_pg_targets_fini(&s->targets);
    wr_pg_snapshot_fini(&s->snapshot);
    wr_pg_stream_fini(&s->stream);
    s->copied = NULL;
    s->has_line = false;
    s->has_message = false;
    s->is_streaming = false;
    s->is_probing = false;
}

static void close_source(struct wr_source_impl *impl)
{
    struct wr_pg_source *s = of(impl);
    disconnect(impl);
    wr_pg_config_fini(&s->config);
    wr_free(s);
}

/* ---- connect ------------------------------------------------------------------------------------------- */

/* The configuration's parameters, and those that only one session has. */
static struct wr_pg_session_options session_options(const struct wr_pg_source *s, bool is_stream,
                                                    const struct wr_pg_hosts *hosts)
{
    struct wr_pg_session_options options = {.wake_fd = s->env.wake_fd,
                                            .clock = s->env.clock,
                                            .connect_timeout_ms = WR_PG_CONNECT_TIMEOUT_MS};
    const char *const more[][2] = {{"host", hosts->hosts},
                                   {"hostaddr", hosts->addresses},
                                   {"replication", is_stream ? "database" : NULL}};
    size_t count = s->config.keyword_count;
    memcpy(options.keywords, s->config.keywords, count * sizeof(options.keywords[0]));
    memcpy(options.values, s->config.values, count * sizeof(options.values[0]));
    for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++) {
        if (more[i][1] != NULL) {
            options.keywords[count] = more[i][0];
            options.values[count++] = more[i][1];
        }
    }
    return options;
}

/* What to look at when a session cannot be had: what the text has in it, advice, and the key to look at. */
static const struct {
    const char *says;
    const char *advice;
    const char *key;
} session_advice[] = {
    {"SQLSTATE 28P01", "check database.user and database.password", "database.password"},
    {"SQLSTATE 28000", "check database.user, and what the server's pg_hba.conf says of it",
     "database.user"},
    {"SQLSTATE 3D000", "check database.dbname", "database.dbname"},
    {"look up host", "check database.hostname", "database.hostname"},
    {"Connection refused", "is PostgreSQL running there? check database.hostname and database.port",
     "database.hostname"},
    {"No such file", "is PostgreSQL running there? check database.hostname and database.port",
     "database.hostname"}};

static void advise(const struct wr_pg_source *s, struct weir_error *err)
{
    const struct weir_error said = *err;
    for (size_t i = 0; i < sizeof(session_advice) / sizeof(session_advice[0]); i++) {
        if (strstr(said.text, session_advice[i].says) == NULL) {
            continue;
        }
        struct wr_place at = wr_connector_place(s->env.connector, session_advice[i].key);
        if (at.line > 0) {
            (void)wr_fail(err, said.code, "%s; %s (%s:%d)", said.text, session_advice[i].advice,
                          at.file, at.line);
        } else {
            (void)wr_fail(err, said.code, "%s; %s", said.text, session_advice[i].advice);
        }
        return;
    }
}

static int open_session(struct wr_pg_source *s, bool is_stream, struct wr_pg_session **out,
                        struct weir_error *err)
{
    struct wr_pg_hosts hosts = {0};
    const struct wr_pg_resolve_options names = {.hosts = s->config.hosts,
                                                .wake_fd = s->env.wake_fd,
                                                .clock = s->env.clock,
                                                .deadline_ms = wr_mono_ms(s->env.clock) +
                                                               WR_PG_CONNECT_TIMEOUT_MS};
    int rc = wr_pg_resolve(&names, &hosts, err);
    if (rc == 0) {
        struct wr_pg_session_options options = session_options(s, is_stream, &hosts);
        rc = wr_pg_session_open(&options, out, err);
    }
    wr_pg_hosts_fini(&hosts);
    if (rc == 0) {
        rc = wr_pg_run(*out, wr_pg_sql_session, NULL, 0, s->config.query_timeout_ms, NULL, err);
    }
    if (rc < 0) {
        advise(s, err);
        rc = wr_wrap(err, "connect to database '%s' as '%s'", s->config.database, s->config.user);
    }
    return rc;
}

/* The control session first: what may not be is said by its answers, in our words. */
static int open_sessions(struct wr_pg_source *s, struct weir_error *err)
{
    int rc = open_session(s, false, &s->sessions.control, err);
    if (rc == 0) {
        rc = wr_pg_setup_server(s->sessions.control, &s->config, &s->server, err);
    }
    if (rc == 0) {
        rc = wr_pg_check_server(&s->server, &s->config, err);
    }
    if (rc == 0) {
        rc = open_session(s, true, &s->sessions.stream, err);
    }
    if (rc == 0) {
        rc = wr_pg_setup_identify(s->sessions.stream, &s->config, &s->server, err);
    }
    return rc;
}

/* A slot that somebody else reads from is tried again, as long as slot.max.retries says. */
static int check_slot(struct wr_pg_source *s, const struct wr_pg_slot *slot, struct weir_error *err)
{
    int64_t now_ms = wr_mono_ms(s->env.clock);
    int rc = wr_pg_check_slot(slot, &s->config, err);
    if (rc != WEIR_E_BUSY) {
        s->busy_since_ms = 0;
        return rc;
    }
    s->busy_since_ms = s->busy_since_ms == 0 ? now_ms : s->busy_since_ms;
    if (now_ms - s->busy_since_ms > s->config.slot_patience_ms) {
        err->code = WEIR_E_REFUSED;
        return WEIR_E_REFUSED;
    }
    return rc;
}

static void begin_position(struct wr_pg_source *s, const struct wr_pg_publication *publication)
{
    struct wr_pg_position p = {.timeline = s->server.timeline, .publication_oid = publication->oid};
    wr_pg_name_copy(p.system, wr_str_of(s->server.system));
    wr_pg_name_copy(p.database, wr_str_of(s->config.database));
    wr_pg_name_copy(p.slot, wr_str_of(s->config.slot));
    s->stream = wr_pg_stream_of(&p, s->config.database, &s->next_version);
}

/* Without a stored position. */
static int begin(struct wr_pg_source *s, const struct wr_pg_slot *slot, enum wr_source_start *start,
                 struct weir_error *err)
{
    if (s->config.has_snapshot) {
        int rc = wr_pg_check_select(&s->targets, &s->server, err);
        *start = WR_START_SNAPSHOT;
        return rc < 0 ? rc : wr_pg_begin_copying(s, slot->exists, err);
    }
    *start = WR_START_STREAM;
    if (slot->exists) {
        s->stream.position.lsn = slot->confirmed_lsn;
        return 0;
    }
    struct wr_pg_result *made = NULL;
    int rc = wr_pg_create_slot(s, wr_pg_sql_create_slot, s->config.slot, &made, err);
    wr_pg_result_free(made);
    return rc;
}

/* With one. */
static int resume(struct wr_pg_source *s, struct wr_str stored, const struct wr_pg_slot *slot,
                  const struct wr_pg_publication *publication, struct weir_error *err)
{
    struct wr_pg_position p;
    bool moved = false;
    int rc = wr_pg_position_parse(stored, &p, err);
    if (rc == 0) {
        rc = wr_pg_check_position(&p, &s->server, slot, publication, &s->config, &moved, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (moved) {
        char lsn[WR_PG_LSN_TEXT_MAX];
        wr_trace(WR_WARN, s->env.context,
                 "goes on at %s, where the slot stands: changes before that may be missing",
                 wr_pg_lsn_text(p.lsn, lsn));
    }
    wr_pg_name_copy(p.slot, wr_str_of(s->config.slot));
    wr_pg_name_copy(p.database, wr_str_of(s->config.database));
    s->stream = wr_pg_stream_of(&p, s->config.database, &s->next_version);
    s->durable_lsn = p.lsn;
    return 0;
}

static void warn_of(void *arg, struct wr_place at, const char *text)
{
    const struct wr_pg_source *s = arg;
    struct weir_error said;
    (void)wr_conf_fail(&said, at, "%s", text);
    wr_conf_hide(s->env.connector->map, &said);
    wr_trace(WR_WARN, s->env.context, "%s", said.text);
}

/* Odd entries of the list are told of once, not at every reconnect. */
static int find_targets(struct wr_pg_source *s, struct weir_error *err)
{
    const struct wr_conf_warn warn = {.take = warn_of, .arg = s};
    int rc = wr_pg_setup_targets(s->sessions.control, &s->config,
                                 s->has_checked_list ? NULL : &warn, &s->targets, err);
    s->has_checked_list = s->has_checked_list || rc == 0;
    if (rc == 0 && s->targets.count == 0) {
        wr_trace(WR_WARN, s->env.context,
                 "no table passes the filters: nothing is captured until one does");
    }
    return rc;
}

static int prepare(struct wr_pg_source *s, struct wr_str stored, enum wr_source_start *start,
                   struct weir_error *err)
{
    struct wr_pg_publication publication = {0};
    struct wr_pg_slot slot = {0};
    int rc = find_targets(s, err);
    if (rc == 0) {
        rc = wr_pg_setup_publication(s->sessions.control, &s->config, &s->server, &s->targets,
                                     &publication, err);
    }
    if (rc == 0) {
        rc = wr_pg_setup_slot(s->sessions.control, &s->config, &slot, err);
    }
    if (rc == 0) {
        rc = check_slot(s, &slot, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (stored.ptr == NULL) {
        begin_position(s, &publication);
        rc = begin(s, &slot, start, err);
    } else {
        *start = WR_START_STREAM;
        rc = resume(s, stored, &slot, &publication, err);
    }
    return rc == 0 && *start == WR_START_STREAM ? wr_pg_start_streaming(s, err) : rc;
}

static int connect_source(struct wr_source_impl *impl, struct wr_str stored,
                          enum wr_source_start *start, struct weir_error *err)
{
    struct wr_pg_source *s = of(impl);
    s->durable_lsn = 0;
    s->confirmed_lsn = 0;
    int rc = open_sessions(s, err);
    return rc == 0 ? prepare(s, stored, start, err) : rc;
}

/* ---- the rest ------------------------------------------------------------------------------------------ */

static int snapshot(struct wr_source_impl *impl, struct wr_feed *feed, int timeout_ms,
                    struct weir_error *err)
{
    return wr_pg_copy_some(of(impl), feed, timeout_ms, err);
}

static int stream(struct wr_source_impl *impl, struct wr_feed *feed, int timeout_ms,
                  struct weir_error *err)
{
    return wr_pg_stream_some(of(impl), feed, timeout_ms, err);
}

static void position(struct wr_source_impl *impl, struct wr_str written, struct wr_writer *w,
                     uint64_t *mark)
{
    const struct wr_pg_source *s = of(impl);
    wr_pg_position_put(w, &s->stream.position, written);
    *mark = s->stream.position.lsn;
}

static int confirm(struct wr_source_impl *impl, uint64_t mark, struct weir_error *err)
{
    struct wr_pg_source *s = of(impl);
    if (mark > s->durable_lsn) {
        s->durable_lsn = mark;
    }
    return s->is_streaming && s->durable_lsn > s->confirmed_lsn ? wr_pg_tell(s, err) : 0;
}

static void status(const struct wr_source_impl *impl, struct wr_source_status *out)
{
    const struct wr_pg_source *s = (const struct wr_pg_source *)impl;
    char lsn[WR_PG_LSN_TEXT_MAX];
    uint64_t received = s->stream.received_lsn;
    uint64_t stored = s->stream.position.lsn;
    (void)snprintf(out->received, sizeof(out->received), "%s",
                   received == 0 ? "" : wr_pg_lsn_text(received, lsn));
    (void)snprintf(out->stored, sizeof(out->stored), "%s",
                   stored == 0 ? "" : wr_pg_lsn_text(stored, lsn));
    (void)snprintf(out->confirmed, sizeof(out->confirmed), "%s",
                   s->confirmed_lsn == 0 ? "" : wr_pg_lsn_text(s->confirmed_lsn, lsn));
    out->has_lag = s->is_streaming;
    out->lag_bytes = received > stored ? received - stored : 0;
    out->has_retained = s->has_retained;
    out->retained_bytes = s->retained_bytes;
    out->heard_us = s->heard_us;
    out->changes = s->changes_before + s->stream.changes;
    out->transactions = s->transactions_before + s->stream.transactions;
    out->last_event_us = s->stream.commit_us != 0 ? s->stream.commit_us : s->commit_us_before;
    if (s->has_snapshot) {
        out->has_snapshot = true;
        out->snapshot_tables = s->targets.count;
        out->snapshot_tables_done = s->tables_done;
        out->snapshot_rows = s->snapshot.rows;
    }
    out->snapshot_table[0] = 0;
    if (s->copied != NULL) {
        (void)snprintf(out->snapshot_table, sizeof(out->snapshot_table), "%.*s.%.*s",
                       WR_FMT(s->copied->table.schema), WR_FMT(s->copied->table.name));
    }
}

int wr_source_stored(struct wr_str position, struct wr_source_place *out, struct weir_error *err)
{
    struct wr_pg_position p;
    char lsn[WR_PG_LSN_TEXT_MAX];
    int rc = wr_pg_position_parse(position, &p, err);
    if (rc < 0) {
        return rc;
    }
    *out = (struct wr_source_place){.connector = wr_postgres_source.name};
    (void)snprintf(out->stored, sizeof(out->stored), "%s", wr_pg_lsn_text(p.lsn, lsn));
    (void)snprintf(out->database, sizeof(out->database), "%s", p.database);
    (void)snprintf(out->slot, sizeof(out->slot), "%s", p.slot);
    return 0;
}

const struct wr_source_ops wr_postgres_source = {
    .name = "postgresql",
    .open = open_source,
    .close = close_source,
    .connect = connect_source,
    .disconnect = disconnect,
    .snapshot = snapshot,
    .stream = stream,
    .position = position,
    .confirm = confirm,
    .status = status,
};
