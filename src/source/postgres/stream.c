#include "source/postgres/stream.h"

#include <inttypes.h>

enum {
    MESSAGE_BYTES_MAX =
        1 << 30 /* of what one message needs beside its own bytes; PostgreSQL's largest */
};

struct wr_pg_stream wr_pg_stream_of(const struct wr_pg_position *position, const char *database,
                                    uint64_t *next_version)
{
    return (struct wr_pg_stream){.position = *position,
                                 .received_lsn = position->lsn,
                                 .arena = wr_arena_of(MESSAGE_BYTES_MAX),
                                 .database = database,
                                 .next_version = next_version};
}

void wr_pg_stream_fini(struct wr_pg_stream *stream)
{
    wr_pg_tables_fini(&stream->tables);
    wr_pgoutput_fini(&stream->decoder);
    wr_arena_fini(&stream->arena);
    *stream = (struct wr_pg_stream){0};
}

bool wr_pg_stream_is_torn(const struct wr_pg_stream *stream)
{
    return stream->position.tx_commit_lsn != 0 &&
           stream->position.tx_commit_lsn == stream->final_lsn && stream->is_open;
}

static int out_of_order(const struct wr_pg_stream *s, const char *what, struct weir_error *err)
{
    char lsn[WR_PG_LSN_TEXT_MAX];
    return wr_fail(err, WEIR_E_CORRUPT, "pgoutput: %s at %s", what,
                   wr_pg_lsn_text(s->position.lsn, lsn));
}

/* All that commits before `lsn` is taken; with it the transaction that was in by part, if it is one. */
static void move_to(struct wr_pg_stream *s, uint64_t lsn)
{
    s->position.lsn = lsn;
    if (lsn > s->position.tx_commit_lsn) {
        s->position.tx_commit_lsn = 0;
        s->position.tx_events = 0;
    }
}

/* ---- transactions ---------------------------------------------------------------------------------- */

static int take_begin(struct wr_pg_stream *s, struct weir_error *err)
{
    const struct wr_pg_message *m = &s->message;
    if (s->is_open) {
        return out_of_order(s, "a transaction begins within another", err);
    }
    s->is_open = true;
    s->final_lsn = m->u.begin.final_lsn;
    s->xid = m->u.begin.xid;
    s->commit_us = m->u.begin.commit_us;
    s->events = 0;
    s->has_origin = false;
    s->skip = 0;
    if (s->final_lsn < s->position.lsn) {
        s->skip = UINT64_MAX;
    } else if (s->final_lsn == s->position.tx_commit_lsn) {
        s->skip = s->position.tx_events;
    }
    return 0;
}

static int take_commit(struct wr_pg_stream *s, struct wr_pg_step *out, struct weir_error *err)
{
    const struct wr_pg_message *m = &s->message;
    if (!s->is_open || m->u.commit.commit_lsn != s->final_lsn ||
        m->u.commit.end_lsn <= m->u.commit.commit_lsn) {
        return out_of_order(s, "a commit that ends no transaction", err);
    }
    s->is_open = false;
    if (s->skip == UINT64_MAX) {
        return 0;
    }
    if (s->skip > s->events) {
        return out_of_order(s, "a transaction is shorter than the part of it that is in the log",
                            err);
    }
    s->transactions++;
    move_to(s, m->u.commit.end_lsn);
    s->position.last_commit_lsn = m->u.commit.end_lsn;
    out->kind = WR_PG_STEP_END;
    return 0;
}

static int take_origin(struct wr_pg_stream *s, struct weir_error *err)
{
    struct wr_str name = s->message.u.origin.name;
    if (!s->is_open || name.len >= sizeof(s->origin)) {
        return out_of_order(s, "an origin outside of a transaction, or with too long a name", err);
    }
    memcpy(s->origin, name.ptr, name.len);
    s->origin[name.len] = 0;
    s->has_origin = true;
    s->origin_lsn = s->message.u.origin.lsn;
    return 0;
}

/* ---- changes --------------------------------------------------------------------------------------- */

static struct wr_origin origin_of(const struct wr_pg_stream *s, uint64_t lsn)
{
    struct wr_origin o = {.ts_us = s->commit_us,
                          .has_tx_id = s->is_open,
                          .tx_id = s->xid,
                          .lsn = lsn,
                          .has_last_commit = s->position.last_commit_lsn != 0,
                          .last_commit_lsn = s->position.last_commit_lsn};
    if (s->is_open && s->has_origin) {
        o.origin_name = wr_str_of(s->origin);
        o.origin_lsn = s->origin_lsn;
    }
    return o;
}

/* Count the change message under way. True when it must be written. */
static bool is_due(struct wr_pg_stream *s)
{
    s->changes++;
    if (s->events < s->skip) {
        s->events++;
        return false;
    }
    return true;
}

/* It is not written, yet it counts. */
static void pass(struct wr_pg_stream *s)
{
    s->events++;
}

static int find_table(struct wr_pg_stream *s, uint32_t oid, const struct wr_pg_table **out,
                      struct weir_error *err)
{
    if (!s->is_open) {
        return out_of_order(s, "a change outside of a transaction", err);
    }
    *out = wr_pg_tables_get(&s->tables, oid);
    if (*out == NULL) {
        return wr_fail(err, WEIR_E_CORRUPT,
                       "pgoutput: a change of relation %" PRIu32 ", which was not announced", oid);
    }
    return 0;
}

static int read_rows(struct wr_pg_stream *s, const struct wr_pg_table *table,
                     struct wr_change *change, struct wr_pg_bad_value *bad, struct weir_error *err)
{
    const struct wr_pg_message *m = &s->message;
    int rc = 0;
    if (m->u.row.old_kind == WR_PG_OLD_ROW) {
        rc = wr_pg_table_row(table, &m->u.row.before, &s->arena, &change->before, bad, err);
    } else if (m->u.row.old_kind == WR_PG_OLD_KEY) {
        rc = wr_pg_table_old_key(table, &m->u.row.before, &s->arena, &change->before, bad, err);
    }
    if (rc == 0 && m->kind != WR_PG_DELETE) {
        rc = wr_pg_table_row(table, &m->u.row.after, &s->arena, &change->after, bad, err);
    }
    return rc;
}

static int take_row(struct wr_pg_stream *s, uint64_t lsn, struct wr_pg_step *out,
                    struct weir_error *err)
{
    const struct wr_pg_table *table = NULL;
    int rc = find_table(s, s->message.u.row.oid, &table, err);
    if (rc < 0 || !is_due(s)) {
        return rc;
    }
    WR_ASSERT(table != NULL);
    if (!table->is_captured) {
        pass(s);
        return 0;
    }
    struct wr_change *change = wr_arena_array(&s->arena, 1, sizeof(*change));
    if (change == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a change");
    }
    change->op = s->message.kind == WR_PG_INSERT   ? WR_OP_CREATE
                 : s->message.kind == WR_PG_UPDATE ? WR_OP_UPDATE
                                                   : WR_OP_DELETE;
    change->table = &table->table;
    change->origin = origin_of(s, lsn);
    rc = read_rows(s, table, change, &out->bad, err);
    if (rc == 0) {
        out->kind = WR_PG_STEP_CHANGES;
        out->changes = change;
        out->change_count = 1;
    }
    return rc;
}

static int take_truncate(struct wr_pg_stream *s, uint64_t lsn, struct wr_pg_step *out,
                         struct weir_error *err)
{
    size_t count = s->message.u.truncate.count;
    struct wr_change *changes = wr_arena_array(&s->arena, count + 1, sizeof(*changes));
    size_t captured = 0;
    if (changes == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a truncate of %zu tables", count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct wr_pg_table *table = NULL;
        int rc = find_table(s, s->message.u.truncate.oids[i], &table, err);
        if (rc < 0) {
            return rc;
        }
        WR_ASSERT(table != NULL);
        if (table->is_captured) {
            changes[captured++] = (struct wr_change){
                .op = WR_OP_TRUNCATE, .table = &table->table, .origin = origin_of(s, lsn)};
        }
    }
    if (!is_due(s)) {
        return 0;
    }
    if (captured == 0) {
        pass(s);
        return 0;
    }
    out->kind = WR_PG_STEP_CHANGES;
    out->changes = changes;
    out->change_count = captured;
    return 0;
}

static int take_message(struct wr_pg_stream *s, struct wr_pg_step *out, struct weir_error *err)
{
    const struct wr_pg_message *m = &s->message;
    if (m->u.message.is_transactional) {
        if (!s->is_open) {
            return out_of_order(s, "a transactional message outside of a transaction", err);
        }
        if (!is_due(s)) {
            return 0;
        }
    } else if (m->u.message.lsn <= s->position.message_lsn) {
        return 0; /* it is in the log already */
    }
    struct wr_change *change = wr_arena_array(&s->arena, 1, sizeof(*change));
    if (change == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a message");
    }
    change->op = WR_OP_MESSAGE;
    change->prefix = m->u.message.prefix;
    change->content = m->u.message.content;
    change->origin = origin_of(s, m->u.message.lsn);
    if (!m->u.message.is_transactional) {
        s->is_message = true;
        s->message_lsn = m->u.message.lsn;
        change->origin.has_tx_id = false;
        change->origin.origin_name = (struct wr_str){NULL, 0};
        change->origin.has_last_commit = true; /* a message counts as a commit, itself included */
        change->origin.last_commit_lsn = m->u.message.lsn;
    }
    out->kind = WR_PG_STEP_CHANGES;
    out->changes = change;
    out->change_count = 1;
    return 0;
}

/* ---- the stream ------------------------------------------------------------------------------------ */

static int take_data(struct wr_pg_stream *s, const struct wr_pg_copy *copy, struct wr_pg_step *out,
                     struct weir_error *err)
{
    int rc = wr_pgoutput_decode(&s->decoder, copy->payload, &s->message, err);
    if (rc < 0) {
        return rc;
    }
    switch (s->message.kind) {
    case WR_PG_INSERT:
    case WR_PG_UPDATE:
    case WR_PG_DELETE: return take_row(s, copy->start_lsn, out, err);
    case WR_PG_BEGIN: return take_begin(s, err);
    case WR_PG_COMMIT: return take_commit(s, out, err);
    case WR_PG_TRUNCATE: return take_truncate(s, copy->start_lsn, out, err);
    case WR_PG_MESSAGE: return take_message(s, out, err);
    case WR_PG_ORIGIN: return take_origin(s, err);
    case WR_PG_TYPE: return 0; /* the catalog says more of types than this message does */
    case WR_PG_RELATION:
        out->kind = WR_PG_STEP_DESCRIBE;
        out->relation = &s->message;
        return 0;
    }
    return 0;
}

/* All that commits before the WAL's end was sent, when no transaction is under way. */
static void take_keepalive(struct wr_pg_stream *s, const struct wr_pg_copy *copy,
                           struct wr_pg_step *out)
{
    if (!s->is_open && copy->wal_end_lsn > s->position.lsn) {
        move_to(s, copy->wal_end_lsn);
        out->kind = WR_PG_STEP_IDLE;
    }
    if (copy->wants_reply) {
        out->kind = WR_PG_STEP_IDLE;
        out->wants_reply = true;
    }
}

int wr_pg_stream_take(struct wr_pg_stream *stream, struct wr_bytes bytes, struct wr_pg_step *out,
                      struct weir_error *err)
{
    struct wr_pg_copy copy;
    struct wr_pg_step step = {.kind = WR_PG_STEP_NONE};
    wr_arena_reset(&stream->arena);
    stream->is_message = false;
    int rc = wr_pg_copy_decode(bytes, &copy, err);
    if (rc < 0) {
        return rc;
    }
    if (copy.wal_end_lsn > stream->received_lsn) {
        stream->received_lsn = copy.wal_end_lsn;
    }
    if (copy.kind == WR_PG_COPY_KEEPALIVE) {
        take_keepalive(stream, &copy, &step);
    } else {
        rc = take_data(stream, &copy, &step, err);
    }
    if (rc == 0) {
        *out = step;
    }
    return rc;
}

void wr_pg_stream_written(struct wr_pg_stream *stream)
{
    if (stream->is_message) {
        stream->position.message_lsn = stream->message_lsn;
        stream->position.last_commit_lsn = stream->message_lsn;
        return;
    }
    stream->events++;
    stream->position.tx_commit_lsn = stream->final_lsn;
    stream->position.tx_events = stream->events;
}

/* ---- tables ---------------------------------------------------------------------------------------- */

/* A table whose changes are only counted. */
static struct wr_pg_table *ignored_table(uint32_t oid, size_t field_count)
{
    struct wr_pg_table *t = wr_alloc_array(1, sizeof(*t));
    if (t != NULL) {
        t->arena = wr_arena_of(0);
        t->oid = oid;
        t->field_count = field_count;
    }
    return t;
}

int wr_pg_stream_describe(struct wr_pg_stream *stream, struct wr_str facts,
                          const struct wr_pg_table **fresh, struct weir_error *err)
{
    const struct wr_pg_message *m = &stream->message;
    WR_ASSERT(m->kind == WR_PG_RELATION);
    struct wr_pg_table *table = NULL;
    *fresh = NULL;
    if (facts.ptr == NULL) {
        table = ignored_table(m->u.relation.oid, m->u.relation.column_count);
        return table == NULL ? wr_fail(err, WEIR_E_NOMEM, "a table")
                             : wr_pg_tables_put(&stream->tables, table, err);
    }
    int rc =
        wr_pg_table_new(facts, wr_str_of(stream->database), *stream->next_version, &table, err);
    if (rc < 0) {
        return rc;
    }
    if (table->oid != m->u.relation.oid || table->field_count != m->u.relation.column_count) {
        wr_pg_table_free(table);
        return wr_fail(err, WEIR_E_CORRUPT,
                       "the description of a table is not of the one asked for");
    }
    const struct wr_pg_table *known = wr_pg_tables_get(&stream->tables, table->oid);
    if (known != NULL && wr_pg_table_eq(known, table)) {
        wr_pg_table_free(table);
        return 0;
    }
    (*stream->next_version)++;
    rc = wr_pg_tables_put(&stream->tables, table, err);
    if (rc == 0) {
        *fresh = table;
    }
    return rc;
}
