/* copying.c - the snapshot of a PostgreSQL source: COPY of one table after another, see postgres.h. */
#include "source/postgres/postgres.h"
#include "source/postgres/sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum {
    ROWS_A_TURN = 4096, /* rows of one turn: a few milliseconds */
    SQL_BYTES_MAX = 16 << 20,
    WAIT_MS_MAX = 1000
};

/* ---- the slot and its snapshot ----------------------------------------------------------------------- */

/* BEGIN in the exported snapshot, and remember from where its rows are. */
static int enter_snapshot(struct wr_pg_source *s, struct wr_str snapshot, struct weir_error *err)
{
    const struct wr_pg_arg args[] = {{"snapshot", snapshot}};
    struct wr_pg_result *rows = NULL;
    int rc = wr_pg_run(s->sessions.control, wr_pg_sql_begin_snapshot, args, 1,
                       s->config.query_timeout_ms, &rows, err);
    if (rc == 0) {
        const struct wr_origin origin = {.ts_us = wr_wall_us(s->env.clock),
                                         .has_tx_id = true,
                                         .tx_id = wr_pg_result_int(rows, 0, "xid"),
                                         .lsn = s->stream.position.lsn};
        s->snapshot = wr_pg_snapshot_of(&origin);
        s->has_snapshot = true;
        s->tables_done = 0;
    }
    wr_pg_result_free(rows);
    return rc < 0 ? wr_wrap(err, "begin the snapshot") : 0;
}

/* A slot that is there already (an earlier snapshot was broken off, or it is Debezium's) exports no
 * snapshot any more. A temporary one beside it does; the stream then begins there in the old one. */
int wr_pg_begin_copying(struct wr_pg_source *source, bool has_slot, struct weir_error *err)
{
    char temporary[WR_PG_NAME_MAX];
    (void)snprintf(temporary, sizeof(temporary), "weir_snapshot_%ld", (long)getpid());
    const char *slot = has_slot ? temporary : source->config.slot;
    struct wr_pg_result *made = NULL;
    int rc = wr_pg_create_slot(source,
                               has_slot ? wr_pg_sql_create_temporary_slot : wr_pg_sql_create_slot,
                               slot, &made, err);
    if (rc == 0) {
        rc = enter_snapshot(source, wr_pg_result_text(made, 0, "snapshot_name"), err);
    }
    wr_pg_result_free(made);
    if (rc == 0 && has_slot) { /* its snapshot lives on in our transaction; it must not keep WAL */
        const struct wr_pg_arg args[] = {{"slot", wr_str_of(temporary)}};
        rc = wr_pg_run(source->sessions.stream, wr_pg_sql_drop_slot, args, 1,
                       source->config.query_timeout_ms, NULL, err);
    }
    return rc;
}

/* ---- one table --------------------------------------------------------------------------------------- */

/* "schema"."table" ("a", "b"), or a query, since COPY takes no partitioned table. */
static void put_rows(struct wr_writer *w, const struct wr_pg_target *target,
                     const struct wr_pg_table *table)
{
    wr_put_str(w, target->is_partitioned ? WR_STR("(SELECT ") : WR_STR(""));
    if (!target->is_partitioned) {
        wr_pg_table_name_put(w, target->schema, target->name);
        wr_put_str(w, table->field_count > 0 ? WR_STR(" (") : WR_STR(""));
    }
    for (size_t i = 0; i < table->field_count; i++) {
        wr_put_str(w, i == 0 ? WR_STR("") : WR_STR(", "));
        wr_pg_identifier_put(w, table->field_names[i]);
    }
    if (target->is_partitioned) {
        wr_put_lit(w, " FROM ");
        wr_pg_table_name_put(w, target->schema, target->name);
    }
    wr_put_str(w, target->is_partitioned || table->field_count > 0 ? WR_STR(")") : WR_STR(""));
}

/* Describe the table as it is in the snapshot, and remember it: the stream goes on with it. */
static int describe_target(struct wr_pg_source *s, const struct wr_pg_target *target,
                           const struct wr_pg_table **out, struct weir_error *err)
{
    const struct wr_pg_message relation = {
        .kind = WR_PG_RELATION,
        .u.relation = {.oid = target->oid, .schema = target->schema, .table = target->name}};
    struct wr_pg_result *rows = NULL;
    struct wr_str facts;
    int rc = wr_pg_describe(s, &relation, &rows, &facts, err);
    struct wr_pg_table *table = NULL;
    if (rc == 0) {
        rc = wr_pg_table_new(facts, wr_str_of(s->config.database), s->next_version++, &table, err);
    }
    wr_pg_result_free(rows);
    if (rc == 0) {
        *out = table;
        rc = wr_pg_tables_put(&s->stream.tables, table, err);
    }
    return rc;
}

static int start_copy(struct wr_pg_source *s, const struct wr_pg_target *target,
                      const struct wr_pg_table *table, struct weir_error *err)
{
    struct wr_writer rows = wr_writer_growing(SQL_BYTES_MAX);
    struct wr_writer sql = wr_writer_growing(SQL_BYTES_MAX);
    put_rows(&rows, target, table);
    const struct wr_pg_arg args[] = {{"rows", wr_writer_str(&rows)}};
    int rc = wr_writer_end(&rows, err);
    if (rc == 0) {
        wr_pg_sql_fill(&sql, wr_pg_sql_copy, args, 1);
        wr_put_u8(&sql, 0);
        rc = wr_writer_end(&sql, err);
    }
    if (rc == 0) {
        rc = wr_pg_session_copy_start(s->sessions.control, (const char *)sql.base,
                                      s->config.query_timeout_ms, err);
    }
    wr_writer_fini(&rows);
    wr_writer_fini(&sql);
    return rc;
}

static int start_table(struct wr_pg_source *s, struct wr_feed *feed, struct weir_error *err)
{
    const struct wr_pg_target *target = &s->targets.items[s->tables_done];
    const struct wr_pg_table *table = NULL;
    int rc = describe_target(s, target, &table, err);
    if (rc == 0) {
        wr_pg_introduce(s, table);
        rc = wr_feed_table(feed, &table->table, err);
    }
    if (rc == 0) {
        rc = start_copy(s, target, table, err);
    }
    if (rc < 0) {
        return wr_wrap(err, "copy %.*s.%.*s", WR_FMT(target->schema), WR_FMT(target->name));
    }
    s->copied = table;
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static int hand_over(struct wr_pg_source *s, struct wr_feed *feed, const struct wr_change *change,
                     struct weir_error *err)
{
    if (change == NULL) {
        return 0;
    }
    int rc = wr_feed_change(feed, change, err);
    if (rc == 0 && s->snapshot.bad.column != NULL) {
        wr_pg_warn_bad(s, change->table, &s->snapshot.bad);
    }
    return rc;
}

/* The row that has come lets the one before it go. WEIR_E_AGAIN: it is kept for the next turn. */
static int pass_row(struct wr_pg_source *s, struct wr_feed *feed, struct weir_error *err)
{
    const struct wr_change *change = NULL;
    int rc = wr_pg_snapshot_next(&s->snapshot, s->copied, &change, err);
    if (rc == 0) {
        rc = hand_over(s, feed, change, err);
    }
    if (rc == 0) {
        rc = wr_pg_snapshot_hold(&s->snapshot, s->copied, s->line, err);
        s->has_line = rc < 0;
    }
    return rc;
}

/* 1: no row is at hand. */
static int copy_row(struct wr_pg_source *s, struct wr_feed *feed, struct weir_error *err)
{
    if (s->copied == NULL) {
        return start_table(s, feed, err);
    }
    if (!s->has_line) {
        int next = wr_pg_session_copy_next(s->sessions.control, &s->line, err);
        if (next < 0) {
            return wr_wrap(err, "copy %.*s.%.*s", WR_FMT(s->copied->table.schema),
                           WR_FMT(s->copied->table.name));
        }
        if (next == WR_PG_COPY_END) {
            wr_pg_snapshot_table_end(&s->snapshot, s->copied);
            s->copied = NULL;
            s->tables_done++;
            return 0;
        }
        s->has_line = next == WR_PG_COPY_ROW;
        s->heard_us = s->has_line ? wr_wall_us(s->env.clock) : s->heard_us;
    }
    return s->has_line ? pass_row(s, feed, err) : 1;
}

static int last_row(struct wr_pg_source *s, struct wr_feed *feed, struct weir_error *err)
{
    const struct wr_change *change = NULL;
    int rc = wr_pg_snapshot_end(&s->snapshot, &change, err);
    if (rc == 0) {
        rc = hand_over(s, feed, change, err);
    }
    if (rc == 0) {
        s->snapshot.rows += change != NULL ? 1 : 0;
        s->snapshot.held_table = NULL;
        rc = wr_pg_session_query(s->sessions.control, "COMMIT", s->config.query_timeout_ms, NULL,
                                 err);
    }
    return rc < 0 ? rc : 1;
}

int wr_pg_copy_some(struct wr_pg_source *source, struct wr_feed *feed, int timeout_ms,
                    struct weir_error *err)
{
    int wait_ms = timeout_ms < WAIT_MS_MAX ? timeout_ms : WAIT_MS_MAX;
    int feed_fd = wr_feed_fd(feed);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < ROWS_A_TURN; i++) {
        if (source->tables_done == source->targets.count) {
            rc = last_row(source, feed, err);
            return rc == WEIR_E_AGAIN ? wr_pg_wait_feed(source, feed, wait_ms, err) : rc;
        }
        rc = copy_row(source, feed, err);
    }
    if (rc == WEIR_E_AGAIN) {
        return wr_pg_wait_feed(source, feed, wait_ms, err);
    }
    if (rc == 1) {
        rc = wr_pg_session_wait(source->sessions.control, &feed_fd, 1, wait_ms, err);
    }
    return rc;
}
