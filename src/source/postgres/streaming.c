/* streaming.c - the stream of a PostgreSQL source: messages taken, changes handed over, the server told,
 * see postgres.h. */
#include "source/postgres/postgres.h"
#include "source/postgres/sql.h"

#include "base/trace.h"

enum {
    MESSAGES_A_TURN = 4096,    /* messages of one turn: a few milliseconds */
    TRUNCATE_BYTES = 64 << 10, /* more than the record of one truncated table takes */
    WAIT_MS_MAX = 1000,
    SEND_TIMEOUT_MS = 2000,
    PROBE_INTERVAL_MS = 10000,
    SILENCE_MS_MIN =
        60000 /* a server that says nothing for so long, and longer than it may, is gone */
};

/* ---- telling the server ------------------------------------------------------------------------------ */

/* A third of wal_sender_timeout at most, so that the server never takes us for dead. */
static int64_t status_interval_ms(const struct wr_pg_source *s)
{
    int64_t third = s->server.sender_timeout_ms / 3;
    return third > 0 && third < s->config.status_interval_ms ? third : s->config.status_interval_ms;
}

int wr_pg_tell(struct wr_pg_source *source, struct weir_error *err)
{
    uint8_t room[64];
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    /* A server without changes says nothing by itself: it is asked, so that one that is gone is missed. */
    int64_t silent_ms = wr_mono_ms(source->env.clock) - source->heard_ms;
    const struct wr_pg_progress progress = {.written_lsn = source->stream.received_lsn,
                                            .flushed_lsn = source->durable_lsn,
                                            .wants_reply =
                                                silent_ms >= status_interval_ms(source) / 2};
    wr_pg_status_put(&w, &progress, wr_wall_us(source->env.clock));
    int rc =
        wr_pg_session_copy_send(source->sessions.stream, wr_writer_bytes(&w), SEND_TIMEOUT_MS, err);
    if (rc == 0) {
        source->confirmed_lsn = source->durable_lsn;
        source->status_due_ms = wr_mono_ms(source->env.clock) + status_interval_ms(source);
    }
    return rc < 0 ? wr_wrap(err, "tell the server how far the log is") : 0;
}

int wr_pg_start_streaming(struct wr_pg_source *source, struct weir_error *err)
{
    char lsn[WR_PG_LSN_TEXT_MAX];
    struct wr_writer sql = wr_writer_growing(4096);
    struct wr_writer name = wr_writer_growing(256);
    wr_pg_identifier_put(&name, wr_str_of(source->config.publication));
    const struct wr_pg_arg args[] = {
        {"slot", wr_str_of(source->config.slot)},
        {"lsn", wr_str_of(wr_pg_lsn_text(source->stream.position.lsn, lsn))},
        {"publications", wr_writer_str(&name)},
        {"options",
         source->server.version >= 140000 ? WR_STR(", \"messages\" 'true'") : WR_STR("")}};
    wr_pg_sql_fill(&sql, wr_pg_sql_start_replication, args, 4);
    wr_put_u8(&sql, 0);
    int rc = wr_writer_end(&sql, err);
    if (rc == 0) {
        rc = wr_pg_session_copy_start(source->sessions.stream, (const char *)sql.base,
                                      WR_PG_STATEMENT_TIMEOUT_MS, err);
    }
    wr_writer_fini(&name);
    wr_writer_fini(&sql);
    if (rc < 0) {
        return wr_wrap(err, "start the stream of slot '%s' at %s", source->config.slot, lsn);
    }
    source->is_streaming = true;
    source->heard_ms = wr_mono_ms(source->env.clock);
    source->heard_us = wr_wall_us(source->env.clock);
    source->probe_due_ms = source->heard_ms;
    return wr_pg_tell(source, err);
}

/* ---- how much WAL the server keeps for us -------------------------------------------------------------- */

/* Ask from time to time, without waiting for the answer. */
static int probe(struct wr_pg_source *s, struct weir_error *err)
{
    struct wr_writer sql = wr_writer_growing(4096);
    const struct wr_pg_arg args[] = {{"slot", wr_str_of(s->config.slot)}};
    wr_pg_sql_fill(&sql, wr_pg_sql_progress, args, 1);
    wr_put_u8(&sql, 0);
    int rc = wr_writer_end(&sql, err);
    if (rc == 0) {
        rc = wr_pg_session_send(s->sessions.control, (const char *)sql.base, err);
    }
    wr_writer_fini(&sql);
    s->is_probing = rc == 0;
    s->probe_due_ms = wr_mono_ms(s->env.clock) + PROBE_INTERVAL_MS;
    return rc;
}

static int take_probe(struct wr_pg_source *s, struct weir_error *err)
{
    struct wr_pg_result *rows = NULL;
    int rc = wr_pg_session_take(s->sessions.control, &rows, err);
    if (rc == 1) {
        s->is_probing = false;
        s->heard_us = wr_wall_us(s->env.clock);
        s->has_retained = wr_pg_result_rows(rows) == 1;
        int64_t bytes = s->has_retained ? wr_pg_result_int(rows, 0, "retained_bytes") : 0;
        s->retained_bytes = bytes > 0 ? (uint64_t)bytes : 0;
        wr_pg_result_free(rows);
    }
    return rc < 0 ? wr_wrap(err, "ask how much WAL is kept") : 0;
}

/* The control session must be free for a question of its own. */
static int end_probe(struct wr_pg_source *s, struct weir_error *err)
{
    int64_t deadline_ms = wr_mono_ms(s->env.clock) + WR_PG_STATEMENT_TIMEOUT_MS;
    while (s->is_probing) {
        int64_t left = deadline_ms - wr_mono_ms(s->env.clock);
        int rc = left > 0 ? wr_pg_session_wait(s->sessions.control, NULL, 0, (int)left, err)
                          : wr_fail(err, WEIR_E_CONNECT, "the server answers no query");
        if (rc == 0) {
            rc = take_probe(s, err);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- what a message asks for --------------------------------------------------------------------------- */

static int describe(struct wr_pg_source *s, struct wr_feed *feed, const struct wr_pg_message *m,
                    struct weir_error *err)
{
    struct wr_pg_result *rows = NULL;
    struct wr_str facts = {NULL, 0};
    const struct wr_pg_table *fresh = NULL;
    bool is_captured =
        wr_capture_rank(&s->config.capture, m->u.relation.schema, m->u.relation.table) >= 0;
    int rc = is_captured ? end_probe(s, err) : 0;
    if (rc == 0 && is_captured) {
        rc = wr_pg_describe(s, m, &rows, &facts, err);
    }
    if (rc == 0) {
        rc = wr_pg_stream_describe(&s->stream, facts, &fresh, err);
    }
    wr_pg_result_free(rows);
    if (rc == 0 && fresh != NULL) {
        wr_pg_introduce(s, fresh);
        rc = wr_feed_table(feed, &fresh->table, err);
    }
    return rc < 0 ? wr_wrap(err, "describe %.*s.%.*s", WR_FMT(m->u.relation.schema),
                            WR_FMT(m->u.relation.table))
                  : 0;
}

static int hand_over(struct wr_pg_source *s, struct wr_feed *feed, const struct wr_pg_step *step,
                     struct weir_error *err)
{
    /* Records of one truncate have one event number, so they must not be cut. */
    int rc = step->change_count > 1
                 ? wr_feed_reserve(feed, step->change_count * TRUNCATE_BYTES, err)
                 : 0;
    for (size_t i = 0; rc == 0 && i < step->change_count; i++) {
        rc = wr_feed_change(feed, &step->changes[i], err);
        if (rc == WEIR_E_AGAIN && i > 0) {
            rc = wr_fail(err, WEIR_E_LIMIT, "a truncate of %zu tables is too large for one commit",
                         step->change_count);
        }
    }
    if (rc < 0) {
        return rc;
    }
    if (step->bad.column != NULL) {
        wr_pg_warn_bad(s, step->changes[0].table, &step->bad);
    }
    wr_pg_stream_written(&s->stream);
    if (s->stream.is_open) {
        wr_feed_torn(feed);
        return 0;
    }
    return wr_feed_whole(feed, err); /* a message outside of transactions */
}

/* What the server asks by a keepalive: that we are alive, at once; how far we are, when it is durable. */
static int answer(struct wr_pg_source *s, struct wr_feed *feed, const struct wr_pg_step *step,
                  struct weir_error *err)
{
    wr_feed_moved(feed);
    if (!step->wants_reply) {
        return 0;
    }
    wr_feed_urge(feed);
    return wr_pg_tell(s, err);
}

/* WEIR_E_AGAIN: the message must be taken again. */
static int take(struct wr_pg_source *s, struct wr_feed *feed, struct weir_error *err)
{
    struct wr_pg_step step = {.kind = WR_PG_STEP_NONE};
    int rc = wr_pg_stream_take(&s->stream, s->message, &step, err);
    if (rc < 0) {
        return rc;
    }
    switch (step.kind) {
    case WR_PG_STEP_NONE:
        return s->stream.message.kind == WR_PG_BEGIN ? wr_feed_rest(feed, err) : 0;
    case WR_PG_STEP_DESCRIBE: return describe(s, feed, step.relation, err);
    case WR_PG_STEP_CHANGES: return hand_over(s, feed, &step, err);
    case WR_PG_STEP_END: return wr_feed_whole(feed, err);
    case WR_PG_STEP_IDLE: return answer(s, feed, &step, err);
    }
    return 0;
}

/* 1: nothing is at hand. */
static int take_next(struct wr_pg_source *s, struct wr_feed *feed, struct weir_error *err)
{
    if (!s->has_message) {
        int next = wr_pg_session_copy_next(s->sessions.stream, &s->message, err);
        if (next < 0) {
            return next;
        }
        if (next == WR_PG_COPY_END) {
            return wr_fail(err, WEIR_E_CONNECT, "the server ended the stream");
        }
        if (next == WR_PG_COPY_NONE) {
            return 1;
        }
        s->has_message = true;
    }
    int rc = take(s, feed, err);
    s->has_message = rc == WEIR_E_AGAIN;
    return rc;
}

/* ---- a turn -------------------------------------------------------------------------------------------- */

static int on_time(struct wr_pg_source *s, struct weir_error *err)
{
    int64_t now_ms = wr_mono_ms(s->env.clock);
    int64_t silence_ms = 2 * (int64_t)s->server.sender_timeout_ms;
    int rc = 0;
    if (now_ms >= s->status_due_ms) {
        rc = wr_pg_tell(s, err);
    }
    if (rc == 0 && s->is_probing) {
        rc = take_probe(s, err);
    }
    if (rc == 0 && !s->is_probing && now_ms >= s->probe_due_ms) {
        rc = probe(s, err);
    }
    if (rc == 0 && silence_ms > 0 && !s->has_message &&
        now_ms - s->heard_ms > (silence_ms > SILENCE_MS_MIN ? silence_ms : SILENCE_MS_MIN)) {
        rc = wr_fail(err, WEIR_E_CONNECT, "the server has said nothing for %lld s",
                     (long long)(now_ms - s->heard_ms) / 1000);
    }
    return rc;
}

static int wait_for_more(struct wr_pg_source *s, struct wr_feed *feed, int timeout_ms,
                         struct weir_error *err)
{
    int64_t left = s->status_due_ms - wr_mono_ms(s->env.clock);
    left = left < 0 ? 0 : left;
    int wait_ms = left < timeout_ms ? (int)left : timeout_ms;
    const int others[] = {wr_feed_fd(feed), wr_pg_session_fd(s->sessions.control)};
    return wr_pg_session_wait(s->sessions.stream, others, s->is_probing ? 2 : 1, wait_ms, err);
}

int wr_pg_stream_some(struct wr_pg_source *source, struct wr_feed *feed, int timeout_ms,
                      struct weir_error *err)
{
    int rc = source->is_streaming ? on_time(source, err) : wr_pg_start_streaming(source, err);
    size_t taken = 0;
    while (rc == 0 && taken < MESSAGES_A_TURN) {
        rc = take_next(source, feed, err);
        taken += rc == 0 ? 1 : 0;
    }
    if (taken > 0) {
        source->heard_ms = wr_mono_ms(source->env.clock);
        source->heard_us = wr_wall_us(source->env.clock);
    }
    if (rc == WEIR_E_AGAIN) {
        return wr_pg_wait_feed(source, feed, timeout_ms < WAIT_MS_MAX ? timeout_ms : WAIT_MS_MAX,
                               err);
    }
    if (rc != 1) {
        return rc;
    }
    rc = wr_feed_rest(feed, err);
    return rc == 0 && taken == 0 ? wait_for_more(source, feed, timeout_ms, err) : rc;
}
