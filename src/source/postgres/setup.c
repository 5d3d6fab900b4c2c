#include "source/postgres/setup.h"

#include "source/postgres/include_list.h"
#include "source/postgres/pgoutput.h"
#include "source/postgres/sql.h"

#include <inttypes.h>

enum {
    SQL_BYTES_MAX = 16 << 20,
    TARGETS_MAX = 1 << 20,
    TARGET_BYTES_MAX = 256 << 20,
    VERSION_MIN = 120000
};

/* ---- questions ------------------------------------------------------------------------------------- */

/* Run a query of sql/ with its variables filled in. `out` may be NULL. */
static int ask(struct wr_pg_session *s, const struct wr_pg_config *config, const char *sql,
               const struct wr_pg_arg *args, size_t count, struct wr_pg_result **out,
               struct weir_error *err)
{
    struct wr_writer w = wr_writer_growing(SQL_BYTES_MAX);
    wr_pg_sql_fill(&w, sql, args, count);
    wr_put_u8(&w, 0);
    int rc = wr_writer_end(&w, err);
    if (rc == 0) {
        rc = wr_pg_session_query(s, (const char *)w.base, config->query_timeout_ms, out, err);
    }
    wr_writer_fini(&w);
    return rc;
}

static int one_row(const struct wr_pg_result *rows, const char *what, struct weir_error *err)
{
    return wr_pg_result_rows(rows) == 1
               ? 0
               : wr_fail(err, WEIR_E_CORRUPT, "the server gave no answer about %s", what);
}

/* A name of the server; longer ones than it can have are cut. */
static void copy_name(char out[WR_PG_NAME_MAX], struct wr_str name)
{
    if (name.len >= WR_PG_NAME_MAX) {
        name.len = WR_PG_NAME_MAX - 1;
    }
    wr_pg_name_copy(out, name.ptr == NULL ? WR_STR("") : name);
}

int wr_pg_setup_server(struct wr_pg_session *control, const struct wr_pg_config *config,
                       struct wr_pg_server *out, struct weir_error *err)
{
    struct wr_pg_result *rows = NULL;
    int rc = ask(control, config, wr_pg_sql_server, NULL, 0, &rows, err);
    if (rc == 0) {
        rc = one_row(rows, "itself", err);
    }
    if (rc == 0) {
        out->version = (int)wr_pg_result_int(rows, 0, "version");
        struct wr_str level = wr_pg_result_text(rows, 0, "wal_level");
        out->is_logical = wr_str_eq(level, WR_STR("logical"));
        size_t len = level.len < sizeof(out->wal_level) ? level.len : sizeof(out->wal_level) - 1;
        memcpy(out->wal_level, level.ptr, len);
        out->wal_level[len] = 0;
        out->is_standby = wr_pg_result_bool(rows, 0, "is_standby");
        out->sender_timeout_ms = (int)wr_pg_result_int(rows, 0, "wal_sender_timeout_ms");
        out->may_replicate = wr_pg_result_bool(rows, 0, "may_replicate");
        out->may_create = wr_pg_result_bool(rows, 0, "may_create");
        out->is_superuser = wr_pg_result_bool(rows, 0, "is_superuser");
        copy_name(out->role, wr_pg_result_text(rows, 0, "role"));
    }
    wr_pg_result_free(rows);
    return rc;
}

static uint64_t lsn_of(const struct wr_pg_result *rows, const char *column)
{
    uint64_t lsn = 0;
    struct wr_str text = wr_pg_result_text(rows, 0, column);
    return text.ptr != NULL && wr_pg_lsn_parse(text, &lsn) ? lsn : 0;
}

int wr_pg_setup_identify(struct wr_pg_session *stream, const struct wr_pg_config *config,
                         struct wr_pg_server *out, struct weir_error *err)
{
    struct wr_pg_result *rows = NULL;
    int rc = ask(stream, config, wr_pg_sql_identify_system, NULL, 0, &rows, err);
    if (rc == 0) {
        rc = one_row(rows, "its system identifier", err);
    }
    if (rc == 0) {
        copy_name(out->system, wr_pg_result_text(rows, 0, "systemid"));
        out->timeline = (uint32_t)wr_pg_result_int(rows, 0, "timeline");
        out->wal_lsn = lsn_of(rows, "xlogpos");
    }
    wr_pg_result_free(rows);
    return rc;
}

static void read_slot(const struct wr_pg_result *rows, const struct wr_pg_config *config,
                      struct wr_pg_slot *out)
{
    out->exists = true;
    copy_name(out->plugin, wr_pg_result_text(rows, 0, "plugin"));
    copy_name(out->database, wr_pg_result_text(rows, 0, "database"));
    copy_name(out->application, wr_pg_result_text(rows, 0, "application_name"));
    out->is_ours = wr_str_eq(wr_pg_result_text(rows, 0, "slot_type"), WR_STR("logical")) &&
                   strcmp(out->plugin, "pgoutput") == 0 &&
                   strcmp(out->database, config->database) == 0;
    out->is_lost = wr_str_eq(wr_pg_result_text(rows, 0, "wal_status"), WR_STR("lost"));
    out->active_pid = (int)wr_pg_result_int(rows, 0, "active_pid");
    out->confirmed_lsn = lsn_of(rows, "confirmed_flush_lsn");
}

int wr_pg_setup_slot(struct wr_pg_session *control, const struct wr_pg_config *config,
                     struct wr_pg_slot *out, struct weir_error *err)
{
    const struct wr_pg_arg args[] = {{"slot", wr_str_of(config->slot)}};
    struct wr_pg_result *rows = NULL;
    int rc = ask(control, config, wr_pg_sql_slot, args, 1, &rows, err);
    *out = (struct wr_pg_slot){0};
    if (rc == 0 && wr_pg_result_rows(rows) > 0) {
        read_slot(rows, config, out);
    }
    wr_pg_result_free(rows);
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------------- */

void wr_pg_targets_fini(struct wr_pg_targets *targets)
{
    wr_free(targets->items);
    wr_arena_fini(&targets->arena);
    *targets = (struct wr_pg_targets){0};
}

static int name_order(struct wr_str a, struct wr_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int target_order(const void *left, const void *right)
{
    const struct wr_pg_target *a = left;
    const struct wr_pg_target *b = right;
    if (a->rank != b->rank) {
        return a->rank < b->rank ? -1 : 1;
    }
    int order = name_order(a->schema, b->schema);
    return order != 0 ? order : name_order(a->name, b->name);
}

static int add_target(struct wr_pg_targets *targets, const struct wr_pg_result *rows, size_t row,
                      int rank, struct weir_error *err)
{
    struct wr_str schema = wr_pg_result_text(rows, row, "schema");
    struct wr_str name = wr_pg_result_text(rows, row, "name");
    const char *schema_copy = wr_arena_str(&targets->arena, schema);
    const char *name_copy = wr_arena_str(&targets->arena, name);
    if (schema_copy == NULL || name_copy == NULL ||
        !wr_grow(&targets->items, &targets->cap, targets->count + 1, sizeof(*targets->items),
                 TARGETS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a list of more than %zu tables", targets->count);
    }
    targets->items[targets->count++] = (struct wr_pg_target){
        .oid = (uint32_t)wr_pg_result_int(rows, row, "oid"),
        .schema = {schema_copy, schema.len},
        .name = {name_copy, name.len},
        .rank = rank,
        .is_partitioned = wr_pg_result_bool(rows, row, "is_partitioned"),
        .may_use_schema = wr_pg_result_bool(rows, row, "may_use_schema"),
        .may_select = wr_pg_result_bool(rows, row, "may_select"),
        .is_ours = wr_pg_result_bool(rows, row, "is_ours"),
        .is_published = wr_pg_result_bool(rows, row, "is_published"),
    };
    return 0;
}

/* Look for entries of the list that take no table. */
static int check_list(const struct wr_pg_config *config, const struct wr_pg_result *rows,
                      const struct wr_conf_warn *warn, struct wr_arena *arena,
                      struct weir_error *err)
{
    size_t count = wr_pg_result_rows(rows);
    const char **names = wr_arena_array(arena, count + 1, sizeof(*names));
    bool is_whole = names != NULL;
    for (size_t i = 0; is_whole && i < count; i++) {
        char name[2 * WR_PG_NAME_MAX];
        char part[WR_PG_NAME_MAX];
        copy_name(part, wr_pg_result_text(rows, i, "schema"));
        struct wr_writer w = wr_writer_over(name, sizeof(name));
        wr_put_fmt(&w, "%s.", part);
        copy_name(part, wr_pg_result_text(rows, i, "name"));
        wr_put_str(&w, wr_str_of(part));
        names[i] = wr_arena_str(arena, wr_writer_str(&w));
        is_whole = names[i] != NULL;
    }
    if (!is_whole) {
        return wr_fail(err, WEIR_E_NOMEM, "the names of %zu tables", count);
    }
    wr_pg_warn_unmatched(config->capture.tables, names, count, config->database, warn);
    return 0;
}

int wr_pg_setup_targets(struct wr_pg_session *control, const struct wr_pg_config *config,
                        const struct wr_conf_warn *warn, struct wr_pg_targets *out,
                        struct weir_error *err)
{
    const struct wr_pg_arg args[] = {{"publication", wr_str_of(config->publication)}};
    struct wr_pg_result *rows = NULL;
    *out = (struct wr_pg_targets){.arena = wr_arena_of(TARGET_BYTES_MAX)};
    int rc = ask(control, config, wr_pg_sql_tables, args, 1, &rows, err);
    for (size_t i = 0; rc == 0 && i < wr_pg_result_rows(rows); i++) {
        int rank = wr_capture_rank(&config->capture, wr_pg_result_text(rows, i, "schema"),
                                   wr_pg_result_text(rows, i, "name"));
        rc = rank < 0 ? 0 : add_target(out, rows, i, rank, err);
    }
    if (rc == 0 && warn != NULL) {
        rc = check_list(config, rows, warn, &out->arena, err);
    }
    wr_pg_result_free(rows);
    if (rc == 0 && out->count > 0) {
        qsort(out->items, out->count, sizeof(*out->items), target_order);
    }
    return rc;
}

/* ---- publication ----------------------------------------------------------------------------------- */

static int find_publication(struct wr_pg_session *control, const struct wr_pg_config *config,
                            struct wr_pg_publication *out, struct weir_error *err)
{
    const struct wr_pg_arg args[] = {{"publication", wr_str_of(config->publication)}};
    struct wr_pg_result *rows = NULL;
    int rc = ask(control, config, wr_pg_sql_publication, args, 1, &rows, err);
    *out = (struct wr_pg_publication){0};
    if (rc == 0 && wr_pg_result_rows(rows) > 0) {
        out->exists = true;
        out->oid = (uint32_t)wr_pg_result_int(rows, 0, "oid");
        out->has_all_tables = wr_pg_result_bool(rows, 0, "puballtables");
        out->is_ours = wr_pg_result_bool(rows, 0, "is_ours");
    }
    wr_pg_result_free(rows);
    return rc;
}

/* "s"."a", "s"."b" of all targets. */
static void put_tables(struct wr_writer *w, const struct wr_pg_targets *targets)
{
    for (size_t i = 0; i < targets->count; i++) {
        wr_put_str(w, i == 0 ? WR_STR("") : WR_STR(", "));
        wr_pg_table_name_put(w, targets->items[i].schema, targets->items[i].name);
    }
}

/* What stands behind the publication's name. */
static void put_what(struct wr_writer *w, const struct wr_pg_config *config,
                     const struct wr_pg_targets *targets)
{
    if (config->autocreate == WR_PG_AUTOCREATE_ALL_TABLES) {
        wr_put_lit(w, "FOR ALL TABLES");
    } else if (config->autocreate == WR_PG_AUTOCREATE_FILTERED) {
        wr_put_lit(w, "FOR TABLE ");
        put_tables(w, targets);
    }
}

/* Rights that the statement needs, said before the server refuses it without saying how to mend it. */
static int check_create(const struct wr_pg_config *config, const struct wr_pg_server *server,
                        const struct wr_pg_targets *targets, struct weir_error *err)
{
    if (config->autocreate == WR_PG_AUTOCREATE_DISABLED) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "publication '%s' is not there, and publication.autocreate.mode is disabled: CREATE "
            "PUBLICATION \"%s\" FOR TABLE …",
            config->publication, config->publication);
    }
    if (config->autocreate == WR_PG_AUTOCREATE_FILTERED && targets->count == 0) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "no table passes the filters, so there is nothing to make publication '%s' for",
            config->publication);
    }
    if (config->autocreate == WR_PG_AUTOCREATE_ALL_TABLES && !server->is_superuser) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "publication '%s' is not there, and only a superuser may make one for all tables: let "
            "one run CREATE PUBLICATION \"%s\" FOR ALL TABLES; or set "
            "publication.autocreate.mode=filtered",
            config->publication, config->publication);
    }
    if (!server->may_create) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "role '%s' may not make publication '%s': GRANT CREATE ON DATABASE \"%s\" TO \"%s\";",
            server->role, config->publication, config->database, server->role);
    }
    for (size_t i = 0; config->autocreate == WR_PG_AUTOCREATE_FILTERED && i < targets->count; i++) {
        const struct wr_pg_target *t = &targets->items[i];
        if (!t->is_ours) {
            return wr_fail(
                err, WEIR_E_REFUSED,
                "role '%s' may not publish %.*s.%.*s: only its owner may. GRANT the owner's role "
                "to \"%s\", or let the owner make publication '%s' and set "
                "publication.autocreate.mode=disabled",
                server->role, WR_FMT(t->schema), WR_FMT(t->name), server->role,
                config->publication);
        }
    }
    return 0;
}

/* Run a statement about the publication: `tables` comes from put_what() or put_tables(). */
static int change_publication(struct wr_pg_session *control, const struct wr_pg_config *config,
                              const char *sql, const struct wr_writer *tables,
                              struct weir_error *err)
{
    const struct wr_pg_arg args[] = {
        {"publication", wr_str_of(config->publication)},
        {"tables", wr_writer_str(tables)},
        {"options",
         config->is_via_root ? WR_STR("WITH (publish_via_partition_root = true)") : WR_STR("")}};
    int rc = wr_writer_end(tables, err);
    if (rc == 0) {
        rc = ask(control, config, sql, args, 3, NULL, err);
    }
    return rc < 0 ? wr_wrap(err, "publication '%s'", config->publication) : 0;
}

static int create_publication(struct wr_pg_session *control, const struct wr_pg_config *config,
                              const struct wr_pg_server *server,
                              const struct wr_pg_targets *targets, struct weir_error *err)
{
    int rc = check_create(config, server, targets, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_writer tables = wr_writer_growing(SQL_BYTES_MAX);
    put_what(&tables, config, targets);
    rc = change_publication(control, config, wr_pg_sql_create_publication, &tables, err);
    wr_writer_fini(&tables);
    return rc;
}

/* With `filtered` an existing publication is kept to the tables that pass the filters. */
static int align_publication(struct wr_pg_session *control, const struct wr_pg_config *config,
                             const struct wr_pg_server *server, const struct wr_pg_targets *targets,
                             struct weir_error *err)
{
    bool is_aligned = true;
    for (size_t i = 0; i < targets->count; i++) {
        is_aligned = is_aligned && targets->items[i].is_published;
    }
    if (is_aligned) {
        return 0;
    }
    int rc = check_create(config, server, targets, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_writer tables = wr_writer_growing(SQL_BYTES_MAX);
    put_tables(&tables, targets);
    rc = change_publication(control, config, wr_pg_sql_set_publication_tables, &tables, err);
    wr_writer_fini(&tables);
    return rc;
}

int wr_pg_setup_publication(struct wr_pg_session *control, const struct wr_pg_config *config,
                            const struct wr_pg_server *server, const struct wr_pg_targets *targets,
                            struct wr_pg_publication *out, struct weir_error *err)
{
    int rc = find_publication(control, config, out, err);
    if (rc < 0 || server->is_standby) { /* a standby takes what its primary has */
        return rc;
    }
    if (!out->exists) {
        rc = create_publication(control, config, server, targets, err);
        return rc < 0 ? rc : find_publication(control, config, out, err);
    }
    if (config->autocreate != WR_PG_AUTOCREATE_FILTERED) {
        return 0;
    }
    if (out->has_all_tables) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "publication '%s' is for all tables, but publication.autocreate.mode is filtered: DROP "
            "PUBLICATION \"%s\"; or set publication.autocreate.mode=all_tables",
            config->publication, config->publication);
    }
    return align_publication(control, config, server, targets, err);
}

/* ---- decisions ------------------------------------------------------------------------------------- */

int wr_pg_check_server(const struct wr_pg_server *server, const struct wr_pg_config *config,
                       struct weir_error *err)
{
    if (server->version < VERSION_MIN) {
        return wr_fail(err, WEIR_E_REFUSED, "the server is PostgreSQL %d, weir reads from %d on",
                       server->version / 10000, VERSION_MIN / 10000);
    }
    if (!server->is_logical) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "wal_level is '%s', it must be 'logical': ALTER SYSTEM SET wal_level = 'logical'; then "
            "restart the server",
            server->wal_level);
    }
    if (!server->may_replicate) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "role '%s' may not replicate from database '%s': ALTER ROLE \"%s\" REPLICATION;",
            server->role, config->database, server->role);
    }
    return 0;
}

int wr_pg_check_slot(const struct wr_pg_slot *slot, const struct wr_pg_config *config,
                     struct weir_error *err)
{
    if (slot->exists && !slot->is_ours) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "slot '%s' is of another kind (plugin '%s', database '%s'; needed: 'pgoutput', '%s'): "
            "set another slot.name, or SELECT pg_drop_replication_slot('%s');",
            config->slot, slot->plugin, slot->database, config->database, config->slot);
    }
    if (slot->exists && slot->active_pid != 0) {
        return wr_fail(err, WEIR_E_BUSY,
                       "slot '%s' is in use by process %d of the server (application '%s'); SELECT "
                       "pg_terminate_backend(%d); ends it",
                       config->slot, slot->active_pid, slot->application, slot->active_pid);
    }
    return 0;
}

int wr_pg_check_select(const struct wr_pg_targets *targets, const struct wr_pg_server *server,
                       struct weir_error *err)
{
    struct wr_writer w = wr_writer_growing(SQL_BYTES_MAX);
    size_t missing = 0;
    for (size_t i = 0; i < targets->count; i++) {
        const struct wr_pg_target *t = &targets->items[i];
        if (!t->may_use_schema) {
            wr_put_lit(&w, "GRANT USAGE ON SCHEMA ");
            wr_pg_identifier_put(&w, t->schema);
            wr_put_fmt(&w, " TO \"%s\"; ", server->role);
        }
        if (!t->may_select) {
            wr_put_lit(&w, "GRANT SELECT ON ");
            wr_pg_table_name_put(&w, t->schema, t->name);
            wr_put_fmt(&w, " TO \"%s\"; ", server->role);
        }
        missing += t->may_use_schema && t->may_select ? 0 : 1;
    }
    struct wr_str grants = wr_writer_str(&w);
    int rc = missing == 0
                 ? 0
                 : wr_fail(err, WEIR_E_REFUSED,
                           "role '%s' may not read %zu of the %zu tables for the snapshot: %.*s",
                           server->role, missing, targets->count, WR_FMT(grants));
    wr_writer_fini(&w);
    return rc;
}

/* What is the same at the end of each refusal: how to go on, and at what price. */
#define GO_ON                                                              \
    "to go on from where the slot stands, without what lies between, set " \
    "offset.mismatch.strategy=trust_slot; to begin anew, give the source another name and slot"

static int refuse_slot(const struct wr_pg_position *position, const struct wr_pg_slot *slot,
                       const struct wr_pg_config *config, struct weir_error *err)
{
    char stored[WR_PG_LSN_TEXT_MAX];
    (void)wr_pg_lsn_text(position->lsn, stored);
    if (!slot->exists) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "slot '%s' is gone, and with it the changes since %s. SELECT "
            "pg_create_logical_replication_slot('%s', 'pgoutput'); makes it anew; " GO_ON,
            config->slot, stored, config->slot);
    }
    return wr_fail(
        err, WEIR_E_REFUSED,
        "slot '%s' is lost: the server has removed WAL that it needed (max_slot_wal_keep_size), and "
        "with it the changes since %s. SELECT pg_drop_replication_slot('%s'); SELECT "
        "pg_create_logical_replication_slot('%s', 'pgoutput'); makes it anew; " GO_ON,
        config->slot, stored, config->slot, config->slot);
}

static int refuse_history(const struct wr_pg_position *p, const struct wr_pg_server *server,
                          struct weir_error *err)
{
    char stored[WR_PG_LSN_TEXT_MAX];
    char here[WR_PG_LSN_TEXT_MAX];
    (void)wr_pg_lsn_text(p->lsn, stored);
    (void)wr_pg_lsn_text(server->wal_lsn, here);
    if (strcmp(p->system, server->system) != 0) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "this is another database system (%s) than the one that was read up to %s (%s); " GO_ON,
            server->system, stored, p->system);
    }
    if (p->timeline != server->timeline) {
        return wr_fail(err, WEIR_E_REFUSED,
                       "the server is on timeline %" PRIu32
                       ", it was read up to %s on timeline %" PRIu32
                       ": a standby was promoted, or an older state restored; " GO_ON,
                       server->timeline, stored, p->timeline);
    }
    return wr_fail(
        err, WEIR_E_REFUSED,
        "the server's WAL ends at %s, but it was read up to %s before: an older state was "
        "restored; " GO_ON,
        here, stored);
}

/* The slot is ahead: the server would begin there without telling. */
static int refuse_ahead(const struct wr_pg_position *p, const struct wr_pg_slot *slot,
                        const struct wr_pg_config *config, struct weir_error *err)
{
    char stored[WR_PG_LSN_TEXT_MAX];
    char ahead[WR_PG_LSN_TEXT_MAX];
    return wr_fail(
        err, WEIR_E_REFUSED,
        "slot '%s' is at %s, ahead of the stored position %s: it was made anew, or something else "
        "read from it, and the server has forgotten what lies between; " GO_ON
        " (SELECT pg_drop_replication_slot('%s'); lets go of this one)",
        config->slot, wr_pg_lsn_text(slot->confirmed_lsn, ahead), wr_pg_lsn_text(p->lsn, stored),
        config->slot);
}

static void follow_slot(struct wr_pg_position *p, const struct wr_pg_server *server,
                        const struct wr_pg_slot *slot, const struct wr_pg_publication *publication)
{
    p->lsn = slot->confirmed_lsn;
    p->tx_commit_lsn = 0;
    p->tx_events = 0;
    p->message_lsn = 0;
    p->timeline = server->timeline;
    p->publication_oid = publication->oid;
    memcpy(p->system, server->system, sizeof(p->system));
}

int wr_pg_check_position(struct wr_pg_position *position, const struct wr_pg_server *server,
                         const struct wr_pg_slot *slot, const struct wr_pg_publication *publication,
                         const struct wr_pg_config *config, bool *moved, struct weir_error *err)
{
    bool follows = config->mismatch == WR_PG_MISMATCH_TRUST_SLOT;
    bool is_ahead = slot->confirmed_lsn > position->lsn;
    bool is_same_history = strcmp(position->system, server->system) == 0 &&
                           position->timeline == server->timeline &&
                           position->lsn <= server->wal_lsn;
    *moved = false;
    if (!slot->exists || slot->is_lost) {
        return refuse_slot(position, slot, config, err);
    }
    if (!is_same_history && !follows) {
        return refuse_history(position, server, err);
    }
    if (position->publication_oid != publication->oid && !follows) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "publication '%s' was made anew since the source last read: the server cannot decode "
            "changes from before that. SELECT pg_drop_replication_slot('%s'); SELECT "
            "pg_create_logical_replication_slot('%s', 'pgoutput'); begins behind it; " GO_ON,
            config->publication, config->slot, config->slot);
    }
    if (is_ahead && !follows && config->mismatch != WR_PG_MISMATCH_TRUST_GREATER) {
        return refuse_ahead(position, slot, config, err);
    }
    if (is_ahead || !is_same_history || position->publication_oid != publication->oid) {
        follow_slot(position, server, slot, publication);
        *moved = true;
    }
    return 0;
}
