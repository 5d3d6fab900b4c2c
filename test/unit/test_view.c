/*
 * A view at work, on the log in memory: into a real SQLite file for what users see, into the fake store for
 * every answer that a store may give, and with groups for every answer that a log may give.
 */
#include "view/view.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "view/sink_fake.h"
#include "view/view_fixture.h"
#include "view/view_parts.h"

static const char textbook[] =
    "analytics:\n"
    "  from: orders\n"
    "  to: sqlite:analytics.db\n"
    "  schema: \"CREATE TABLE fact_orders (order_id INTEGER PRIMARY KEY, customer_name TEXT, amount REAL, "
    "shipped_at TEXT)\"\n"
    "  on:\n"
    "    OrderPlaced:  \"INSERT INTO fact_orders VALUES (:order_id, :customer_name, :amount, NULL)\"\n"
    "    OrderShipped: \"UPDATE fact_orders SET shipped_at = :_time WHERE order_id = :order_id\"\n";

/* Numbers into a table; a number may come once. */
#define NUMBERS(more)                                                                                \
    "v:\n  from: [t, \"u*\"]\n  to: sqlite:v.db\n  schema: CREATE TABLE t (n INTEGER PRIMARY KEY)\n" \
    "  on: {A: 'INSERT INTO t VALUES (:n)'}\n" more

#define FAKE "v:\n  from: [t, \"u*\"]\n  to: 'fake:'\n  on: {A: x}\n"

static struct sink_fake_store store;

/* How the views of a test read ahead: not at all, or whenever they can, in their steps. */
static bool reads_ahead;

static int setup(void **state)
{
    static struct view_fixture f;
    memset(&store, 0, sizeof(store));
    sink_fake_use(&store);
    view_fixture_open(&f, 0);
    f.is_stepped = reads_ahead;
    f.ahead_min = reads_ahead ? 1 : 0;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    view_fixture_close(*state);
    return 0;
}

static void start(struct view_fixture *f, const char *yaml)
{
    f->sink = strstr(yaml, "fake:") != NULL ? &sink_fake : NULL;
    if (view_fixture_define(f, yaml) < 0 || view_fixture_start(f) < 0) {
        fail_msg("%s", f->err.text);
    }
}

/* Append numbers from .. to-1 to a topic, by key. */
static void numbers(struct view_fixture *f, const char *topic, int from, int to)
{
    for (int n = from; n < to; n++) {
        char key[16];
        char value[64];
        (void)snprintf(key, sizeof(key), "k%d", n % 7);
        (void)snprintf(value, sizeof(value), "{\"type\":\"A\",\"n\":%d}", n);
        view_fixture_append(f, topic, key, value);
    }
}

static const char *query(struct view_fixture *f, const char *sql)
{
    return view_fixture_query(f, "v.db", sql);
}

static struct wr_log_topic *topic_of(struct view_fixture *f, const char *name)
{
    struct wr_log_topic *topic = NULL;
    assert_int_equal(wr_log_topic_find(f->log, name, &topic, &f->err), 0);
    return topic;
}

/* Run until it fails, and say what it said. */
static const char *failure(struct view_fixture *f)
{
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_false(wr_view_step(f->view, 0));
    return status.why;
}

/* ---- what users see ---- */

static void the_textbook_fills_its_fact_table(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "orders", 1);
    start(f, textbook);
    view_fixture_append(
        f, "orders", NULL,
        "{\"type\":\"OrderPlaced\",\"order_id\":1001,\"customer_name\":\"Ada\",\"amount\":29.99}");
    view_fixture_append(f, "orders", NULL, "{\"type\":\"OrderShipped\",\"order_id\":1001}");
    view_fixture_run(f);
    assert_string_equal(view_fixture_query(f, "analytics.db", "SELECT * FROM fact_orders"),
                        "1001|Ada|29.99|2024-03-15T10:30:00.000Z");
}

static void changes_of_a_table_are_followed(void **state)
{
    struct view_fixture *f = *state;
#define SOURCE "\"source\":{\"table\":\"orders\"},"
    view_fixture_topic(f, "app.public.orders", 1);
    start(
        f,
        "m:\n  from: app.public.orders\n  to: sqlite:m.db\n"
        "  schema: CREATE TABLE orders (id INTEGER PRIMARY KEY, status TEXT)\n"
        "  on:\n"
        "    create: &put INSERT INTO orders VALUES (:id, :status) ON CONFLICT (id) DO UPDATE SET status = :status\n"
        "    read: *put\n"
        "    update: *put\n"
        "    delete: DELETE FROM orders WHERE id = :id\n"
        "    truncate: DELETE FROM orders\n");
    static const char *const changes[] = {
        "{\"before\":null,\"after\":{\"id\":1,\"status\":\"a\"}," SOURCE "\"op\":\"r\"}",
        "{\"before\":null,\"after\":{\"id\":2,\"status\":\"b\"}," SOURCE "\"op\":\"c\"}",
        "{\"before\":null,\"after\":{\"id\":1,\"status\":\"c\"}," SOURCE "\"op\":\"u\"}",
        "{\"before\":{\"id\":2,\"status\":null},\"after\":null," SOURCE "\"op\":\"d\"}",
        NULL, /* the tombstone */
    };
    for (size_t i = 0; i < 5; i++) {
        view_fixture_append(f, "app.public.orders", "k", changes[i]);
    }
    view_fixture_run(f);
    assert_string_equal(view_fixture_query(f, "m.db", "SELECT * FROM orders"), "1|c");
    struct wr_view_status status = view_fixture_status(f);
    assert_int_equal(status.counts.applied, 4);
    assert_int_equal(status.counts.ignored, 1);
    view_fixture_append(f, "app.public.orders", NULL,
                        "{\"before\":null,\"after\":null," SOURCE "\"op\":\"t\"}");
    view_fixture_run(f);
    assert_string_equal(view_fixture_query(f, "m.db", "SELECT count(*) FROM orders"), "0");
}

static void started_again_it_goes_on_where_it_was(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 3);
    for (int round = 0; round < 4; round++) {
        numbers(f, "t", round * 25, round * 25 + 25);
        start(f, NUMBERS("  batch: {rows: 4}\n"));
        view_fixture_run(f);
        assert_int_equal(view_fixture_status(f).counts.applied, 25); /* and none twice */
        view_fixture_stop(f);
    }
    assert_string_equal(query(f, "SELECT count(*), max(n) FROM t"), "100|99");
    assert_string_equal(query(f, "SELECT sum(next_offset) FROM _weir_offsets"), "100");
}

static void a_batch_holds_what_is_at_hand_up_to_its_limits(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 10);
    start(f, NUMBERS("  batch: {rows: 4}\n"));
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_int_equal(status.batches, 3); /* 4, 4, 2 */
    assert_int_equal(status.last_batch_records, 2);
    numbers(f, "t", 10, 11);
    view_fixture_run(f);
    status = view_fixture_status(f);
    assert_int_equal(status.batches, 4); /* one alone does not wait for more */
    assert_int_equal(status.last_batch_records, 1);
    view_fixture_stop(f);
    numbers(f, "t", 11, 21);
    start(f, NUMBERS("  batch: {bytes: 1}\n"));
    view_fixture_run(f);
    assert_int_equal(view_fixture_status(f).batches, 10);
}

static void topics_may_come_later(void **state)
{
    struct view_fixture *f = *state;
    start(f, NUMBERS(""));
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).waits_for, "t");
    view_fixture_topic(f, "t", 1);
    view_fixture_topic(f, "other", 1);
    numbers(f, "other", 900, 910);
    numbers(f, "t", 0, 3);
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).waits_for, "");
    assert_string_equal(query(f, "SELECT group_concat(n) FROM t"), "0,1,2");
    view_fixture_topic(f, "u1", 2); /* by the pattern */
    numbers(f, "u1", 3, 6);
    numbers(f, "t", 6, 7);
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT group_concat(n) FROM t"), "0,1,2,3,4,5,6");
    assert_int_equal(view_fixture_status(f).partition_count, 3);
}

static void unknown_types_are_counted_and_passed(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    view_fixture_append(f, "t", NULL, "{\"type\":\"B\",\"n\":1}");
    view_fixture_append(f, "t", NULL, "{\"n\":1}");
    view_fixture_append(f, "t", "k", NULL);
    numbers(f, "t", 0, 2);
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_int_equal(status.counts.unhandled, 2);
    assert_int_equal(status.counts.ignored, 1);
    assert_int_equal(status.counts.applied, 2);
    assert_int_equal(status.partitions[0].next_offset, 5);
    assert_int_equal(status.partitions[0].lag, 0);
}

static void an_event_that_fails_stops_the_view_with_its_coordinates(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    numbers(f, "t", 0, 3);
    numbers(f, "t", 1, 2); /* once more */
    numbers(f, "t", 3, 5);
    assert_string_equal(
        failure(f), "topic 't' partition 0 offset 3, type 'A', key 'k1': sqlite: UNIQUE constraint "
                    "failed: t.n");
    assert_string_equal(query(f, "SELECT group_concat(n) FROM t"),
                        "0,1,2"); /* what came before it is in */
    assert_string_equal(query(f, "SELECT next_offset FROM _weir_offsets"), "3");
    view_fixture_stop(f);
    start(f, NUMBERS("")); /* and it stands in the way again */
    assert_non_null(strstr(failure(f), "offset 3"));
}

static void events_that_fail_may_be_skipped(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS("  on_error: skip\n"));
    numbers(f, "t", 0, 3);
    numbers(f, "t", 1, 2);
    view_fixture_append(f, "t", NULL, "{\"type\":\"A\"}");
    view_fixture_append(f, "t", NULL, "{\"type\":\"A\",\"n\":\"\xff\"}");
    view_fixture_append(f, "t", NULL, "not JSON");
    numbers(f, "t", 3, 5);
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT group_concat(n) FROM t"), "0,1,2,3,4");
    struct wr_view_status status = view_fixture_status(f);
    assert_int_equal(status.counts.skipped, 4);
    assert_int_equal(status.counts.applied, 5);
    assert_non_null(
        strstr(status.last_skip, "offset 6, type none, key none: value: not valid JSON at byte 0"));
}

static void what_cannot_be_read_is_said_with_its_place(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    numbers(f, "t", 0, 1);
    view_fixture_append(f, "t", "\xfe\xff", "{\"type\":\"A\",\"n\":\"caf\xe9\"}");
    assert_string_equal(
        failure(f), "topic 't' partition 0 offset 1, type none, key (2 bytes): value: not valid "
                    "JSON at byte 20: not UTF-8");
}

static void a_missing_field_is_an_error(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    view_fixture_append(f, "t", "key", "{\"type\":\"A\",\"m\":1}");
    assert_string_equal(
        failure(f),
        "topic 't' partition 0 offset 0, type 'A', key 'key': the event has no 'n' (write "
        ":n? for NULL)");
}

/* ---- the log no longer has the place ---- */

static void run_and_stop(struct view_fixture *f)
{
    start(f, NUMBERS(""));
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).state_text, "running");
    view_fixture_stop(f);
}

static void a_topic_made_again_stops_the_view(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 5);
    run_and_stop(f);
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 9);
    start(f, NUMBERS(""));
    assert_non_null(strstr(failure(f), "topic 't' was deleted and made again"));
    assert_string_equal(query(f, "SELECT count(*) FROM t"), "5");
}

static void a_topic_made_again_while_the_view_runs_stops_it(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 5);
    start(f, NUMBERS(""));
    view_fixture_run(f);
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    view_fixture_topic(f, "t", 1);
    const char *why = failure(f);
    assert_true(strstr(why, "was deleted and made again") != NULL ||
                strstr(why, "no longer has what the model goes on from") != NULL);
}

static void a_topic_that_is_gone_stops_the_view(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 5);
    run_and_stop(f);
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    start(f, NUMBERS(""));
    assert_non_null(
        strstr(failure(f), "topic 't', of which the model has what is below offset 5, is gone"));
}

static void a_topic_taken_out_of_the_definition_is_forgotten(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    view_fixture_topic(f, "u1", 1);
    numbers(f, "t", 0, 5);
    numbers(f, "u1", 5, 9);
    run_and_stop(f);
    assert_int_equal(wr_log_topic_delete(f->log, "u1", &f->err), 0);
    numbers(f, "t", 20, 21);
    start(f, "v:\n  from: t\n  to: sqlite:v.db\n  schema: CREATE TABLE t (n INTEGER PRIMARY KEY)\n"
             "  on: {A: 'INSERT INTO t VALUES (:n)'}\n");
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).state_text, "running");
    assert_string_equal(query(f, "SELECT count(*) FROM t"), "10");
}

static void a_log_that_took_back_what_was_read_stops_the_view(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 5);
    run_and_stop(f);
    struct wr_log_topic *topic = topic_of(f, "t");
    wr_memory_log_take_back(f->log, topic, 0, 3);
    start(f, NUMBERS("")); /* the log is shorter */
    assert_non_null(
        strstr(failure(f),
               "stands at offset 5 of topic 't' partition 0, but the log took back what it had "
               "from 3 on"));
    view_fixture_stop(f);
    numbers(f, "t", 100, 104); /* longer again, but in another epoch */
    start(f, NUMBERS(""));
    assert_non_null(strstr(failure(f), "took back what it had from 3 on"));
    wr_log_topic_unref(topic);
}

static void a_log_whose_start_has_passed_the_model_stops_it(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 5);
    run_and_stop(f);
    numbers(f, "t", 5, 20);
    struct wr_log_topic *topic = topic_of(f, "t");
    wr_memory_log_cut(f->log, topic, 0, 5);
    start(f, NUMBERS("")); /* just at its place */
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).state_text, "running");
    view_fixture_stop(f);
    numbers(f, "t", 20, 30);
    wr_memory_log_cut(f->log, topic, 0, 25);
    start(f, NUMBERS(""));
    assert_non_null(strstr(
        failure(f), "stands at offset 20 of topic 't' partition 0, which begins at 25 by now"));
    wr_log_topic_unref(topic);
}

static void retention_that_passes_a_running_view_stops_it(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    view_fixture_run(f);
    numbers(f, "t", 0, 20);
    struct wr_log_topic *topic = topic_of(f, "t");
    wr_memory_log_cut(f->log, topic, 0, 10);
    assert_non_null(
        strstr(failure(f), "the log no longer has what the model goes on from; name a new file"));
    wr_log_topic_unref(topic);
}

static void a_model_is_not_made_from_a_log_whose_start_is_gone(void **state)
{
    struct view_fixture *f = *state;
    static const struct wr_topic_setting compact = {"cleanup.policy", "compact"};
    struct wr_topic_spec spec = {
        .name = "u1", .partition_count = 1, .settings = &compact, .setting_count = 1};
    assert_int_equal(wr_log_topic_create(f->log, &spec, NULL, &f->err), 0);
    numbers(f, "u1", 0, 5);
    struct wr_log_topic *topic = topic_of(f, "u1");
    wr_memory_log_cut(f->log, topic, 0, 2);
    wr_log_topic_unref(topic);
    start(f, NUMBERS("")); /* compacted: what is there is all that counts */
    view_fixture_run(f);
    assert_string_equal(query(f, "SELECT group_concat(n) FROM t"), "2,3,4");
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 10, 15);
    topic = topic_of(f, "t");
    wr_memory_log_cut(f->log, topic, 0, 2);
    wr_log_topic_unref(topic);
    const char *why = failure(f);
    assert_non_null(
        strstr(why, "topic 't' partition 0 begins at offset 2: its first records are gone"));
    assert_non_null(strstr(why, "retention.ms=-1"));
}

static void damage_in_the_log_stops_the_view_at_it(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 5);
    start(f, NUMBERS(""));
    view_fixture_run(f);
    numbers(f, "t", 5, 9);
    struct wr_log_topic *topic = topic_of(f, "t");
    wr_memory_log_damage(f->log, topic, 0, 6);
    (void)failure(f);
    wr_log_topic_unref(topic);
    assert_string_equal(query(f, "SELECT count(*) FROM t WHERE n < 6"), "6");
}

/* ---- marked transactions ---- */

static void records_of_an_aborted_transaction_never_show(void **state)
{
    struct view_fixture *f = *state;
    struct wr_log_writer *writer = NULL;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    struct wr_log_topic *topic = topic_of(f, "t");
    assert_int_equal(
        wr_log_writer_open(f->log, &(struct wr_log_writer_options){.id = "w"}, &writer, &f->err),
        0);
    for (int round = 0; round < 2; round++) {
        struct wr_record record = {
            .value = wr_bytes_of_str(round == 0 ? WR_STR("{\"type\":\"A\",\"n\":1}")
                                                : WR_STR("{\"type\":\"A\",\"n\":2}")),
            .timestamp_ms = -1};
        uint64_t commit = 0;
        assert_int_equal(wr_log_writer_mark(writer, &f->err), 0);
        assert_int_equal(wr_log_append(writer, topic, 0, &record, &f->err), 0);
        assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &commit, &f->err), 0);
        assert_int_equal(wr_log_writer_wait(writer, commit, 1000, &f->err), 0);
        view_fixture_run(f);
        assert_string_equal(query(f, "SELECT count(*) FROM t"), "0");
        assert_int_equal(wr_log_writer_end(writer, round == 1, &commit, &f->err), 0);
        assert_int_equal(wr_log_writer_wait(writer, commit, 1000, &f->err), 0);
        view_fixture_run(f);
    }
    assert_string_equal(query(f, "SELECT group_concat(n) FROM t"), "2");
    assert_int_equal(view_fixture_status(f).partitions[0].lag, 0);
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

/* ---- whatever a store answers ---- */

/* The next call of a kind fails; ten more numbers come through all the same. */
static void fail_once(struct view_fixture *f, int call, int code, int *count)
{
    store.fail[call].at = call == SINK_FAKE_APPLY ? 3 : 1;
    store.fail[call].code = code;
    if (call == SINK_FAKE_POSITIONS) { /* asked only after a pause */
        store.fail[SINK_FAKE_BEGIN].at = 1;
        store.fail[SINK_FAKE_BEGIN].code = code;
    }
    numbers(f, "t", *count, *count + 10);
    *count += 10;
    for (int i = 0; i < 6; i++) {
        view_fixture_run(f);
    }
    assert_string_equal(view_fixture_status(f).state_text, "running");
    view_fixture_expect_rows(&store, *count);
}

static void what_the_store_cannot_do_now_is_done_later(void **state)
{
    struct view_fixture *f = *state;
    static const int codes[] = {WEIR_E_BUSY, WEIR_E_FULL, WEIR_E_CONNECT, WEIR_E_AGAIN,
                                WEIR_E_NOMEM};
    int count = 0;
    view_fixture_topic(f, "t", 2);
    start(f, FAKE);
    for (int call = SINK_FAKE_POSITIONS; call < SINK_FAKE_CALLS; call++) {
        for (size_t i = 0; i < 5; i++) {
            fail_once(f, call, codes[i], &count);
        }
    }
    /* five commits were done and said that they were not: nobody counted their events */
    assert_int_equal(view_fixture_status(f).counts.applied, store.committed - 50);
}

static void a_store_that_is_away_at_start_is_waited_for(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    numbers(f, "t", 0, 3);
    store.fail[SINK_FAKE_OPEN].at = 1;
    store.fail[SINK_FAKE_OPEN].code = WEIR_E_CONNECT;
    start(f, FAKE);
    assert_false(f->view->sink->is_open);
    store.fail[SINK_FAKE_OPEN].at = 1;
    view_fixture_run(f);
    assert_string_equal(view_fixture_status(f).state_text, "paused");
    view_fixture_run(f);
    view_fixture_expect_rows(&store, 3);
}

static void what_the_store_cannot_do_at_all_fails_the_view(void **state)
{
    struct view_fixture *f = *state;
    static const int codes[] = {WEIR_E_IO, WEIR_E_CORRUPT, WEIR_E_FENCED, WEIR_E_REFUSED};
    view_fixture_topic(f, "t", 1);
    for (int call = SINK_FAKE_BEGIN; call < SINK_FAKE_COMMIT_UNKNOWN; call++) {
        for (size_t i = 0; i < 4; i++) {
            size_t before = store.committed;
            start(f, FAKE);
            view_fixture_run(f);
            store.fail[call].at = 1;
            store.fail[call].code = codes[i];
            numbers(f, "t", (int)before, (int)before + 1);
            assert_non_null(strstr(failure(f), "fake: told to"));
            assert_int_equal(store.committed, before);
            view_fixture_stop(f);
            start(f, FAKE);
            view_fixture_run(f);
            view_fixture_stop(f);
            view_fixture_expect_rows(&store, (int)before + 1);
        }
    }
}

static void a_bad_event_is_not_let_by_when_the_commit_before_it_fails(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, FAKE);
    view_fixture_run(f);
    numbers(f, "t", 0, 2);
    view_fixture_append(f, "t", NULL, "{\"type\":\"A\",\"n\":-1}");
    store.fail[SINK_FAKE_COMMIT].at = 1;
    store.fail[SINK_FAKE_COMMIT].code = WEIR_E_BUSY;
    assert_non_null(strstr(failure(f), "offset 2, type 'A', key none: fake: a bad number"));
    view_fixture_expect_rows(&store, 0);
    view_fixture_stop(f);
    start(f, FAKE);
    assert_non_null(strstr(failure(f), "offset 2"));
    view_fixture_expect_rows(&store, 2);
}

static void a_store_that_keeps_no_positions_is_refused(void **state)
{
    struct view_fixture *f = *state;
    f->sink = &sink_fake_loose;
    assert_int_equal(view_fixture_define(f, FAKE), 0);
    assert_int_equal(view_fixture_start(f), WEIR_E_CONFIG);
    assert_non_null(strstr(f->err.text, "cannot keep positions with its rows"));
}

static void calls_of_the_log_that_fail_fail_the_view(void **state)
{
    struct view_fixture *f = *state;
    static const enum wr_memory_call calls[] = {WR_MEMORY_TOPIC_LIST, WR_MEMORY_PARTITION_INFO,
                                                WR_MEMORY_ASSIGN, WR_MEMORY_READER_POLL};
    view_fixture_topic(f, "t", 1);
    for (size_t i = 0; i < 4; i++) {
        start(f, FAKE);
        wr_memory_log_fail_call(f->log, calls[i], 1, WEIR_E_IO);
        (void)failure(f);
        view_fixture_stop(f);
    }
    start(f, FAKE);
    view_fixture_run(f);
    wr_memory_log_break(f->log);
    numbers(f, "t", 0, 0);
    (void)failure(f);
}

/* ---- groups ---- */

static int setup_group(void **state)
{
    static struct view_fixture f;
    memset(&store, 0, sizeof(store));
    sink_fake_use(&store);
    view_fixture_open(&f, 0);
    f.is_stepped = reads_ahead;
    f.ahead_min = reads_ahead ? 1 : 0;
    wr_log_close(f.log);
    f.log = wr_memory_log_open(&(struct wr_memory_options){.clock = &f.clock.clock});
    *state = &f;
    return 0;
}

static void a_partition_that_is_revoked_is_committed_first(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, FAKE);
    view_fixture_run(f);
    numbers(f, "t", 0, 3);
    while (f->view->action != WR_VIEW_POLL) { /* applied, and the transaction is open */
        assert_true(wr_view_step(f->view, 0));
    }
    assert_int_equal(store.committed, 0);
    wr_memory_log_revoke(f->log, "v", "t", 0);
    view_fixture_run(f); /* given up and got back, for it is the only one */
    view_fixture_expect_rows(&store, 3);
    numbers(f, "t", 3, 5);
    for (int i = 0; i < 4; i++) {
        view_fixture_run(f);
    }
    view_fixture_expect_rows(&store, 5);
}

static void a_partition_that_is_lost_is_never_committed(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(f, FAKE);
    view_fixture_run(f);
    numbers(f, "t", 0, 3);
    while (f->view->action != WR_VIEW_POLL) {
        assert_true(wr_view_step(f->view, 0));
    }
    uint64_t commits = store.commits;
    wr_memory_log_lose(f->log, "v", "t", 0);
    assert_true(wr_view_step(f->view, 0)); /* is told */
    assert_true(wr_view_step(f->view, 0)); /* and rolls back */
    assert_int_equal(store.commits, commits);
    assert_int_equal(store.count, 0);
    for (int i = 0; i < 4; i++) {
        view_fixture_run(f);
    }
    view_fixture_expect_rows(&store, 3); /* once it has the partition again */
}

/* Of a topic or a partition that comes the log speaks once; what the view cannot do about it now it does later. */
static void what_the_log_says_once_outlives_a_call_that_fails(void **state)
{
    struct view_fixture *f = *state;
    static const struct {
        enum wr_memory_call call;
        uint64_t at; /* the first look-up is that of the topic which is waited for */
    } calls[] = {{WR_MEMORY_TOPIC_LIST, 1}, {WR_MEMORY_JOIN, 1}, {WR_MEMORY_TOPIC_FIND, 2}};
    start(f, FAKE);
    view_fixture_run(f);
    for (int i = 0; i < 3; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "u%d", i);
        view_fixture_topic(f, name, 1);
        numbers(f, name, i * 3, i * 3 + 3);
        wr_memory_log_fail_call(f->log, calls[i].call, calls[i].at, WEIR_E_NOMEM);
        for (uint64_t run = 0; run < calls[i].at; run++) {
            view_fixture_run(f);
        }
        assert_string_equal(view_fixture_status(f).state_text, "paused");
        for (int run = 0; run < 6; run++) {
            view_fixture_run(f);
        }
        view_fixture_expect_rows(&store, i * 3 + 3);
    }
}

/* Two members of one group, a store and a log that answer at random; in the end all is there once. */
static void in_any_order_of_things_each_event_is_applied_once(void **state)
{
    struct view_fixture *f = *state;
    const char *seed_text = getenv("WEIR_SEED"); /* NOLINT(concurrency-mt-unsafe) */
    uint64_t seed = seed_text == NULL ? 1 : (uint64_t)strtoull(seed_text, NULL, 10);
    struct wr_rng rng = wr_rng_of(seed);
    struct wr_view *members[2];
    int count = 0;
    store.rng = wr_rng_of(seed + 1);
    store.odds = 40;
    view_fixture_topic(f, "t", 3);
    for (size_t i = 0; i < 2; i++) {
        start(f, "v:\n  from: [t, \"u*\"]\n  to: 'fake:'\n  on: {A: x}\n  batch: {rows: 5}\n");
        members[i] = f->view;
        f->view = NULL;
    }
    for (int i = 0; i < 6000; i++) {
        uint64_t dice = wr_rng_below(&rng, 100);
        if (dice < 5) {
            numbers(f, "t", count, count + 4);
            count += 4;
        } else if (dice == 5) {
            wr_memory_log_revoke(f->log, "v", "t", (uint32_t)wr_rng_below(&rng, 3));
        } else if (dice == 6) {
            wr_memory_log_lose(f->log, "v", "t", (uint32_t)wr_rng_below(&rng, 3));
        } else if (dice == 7 && i % 20 == 0) {
            char name[16];
            (void)snprintf(name, sizeof(name), "u%d", i);
            view_fixture_topic(f, name, 1);
            numbers(f, name, count, count + 3);
            count += 3;
        } else {
            assert_true(wr_view_step(members[dice % 2], 0));
        }
    }
    store.odds = 0;
    for (int i = 0; i < 3000; i++) {
        assert_true(wr_view_step(members[i % 2], 0));
    }
    if (store.committed != (size_t)count) {
        fail_msg("seed %llu: %zu of %d", (unsigned long long)seed, store.committed, count);
    }
    view_fixture_expect_rows(&store, count);
    wr_view_close(members[0]);
    wr_view_close(members[1]);
}

/* ---- threads ---- */

static void wait_for(struct view_fixture *f, const char *sql, const char *expected)
{
    int64_t until_ms = wr_mono_ms(wr_clock_os()) + 10000;
    while (strcmp(query(f, sql), expected) != 0 && wr_mono_ms(wr_clock_os()) < until_ms) {
        (void)wr_wait_any(NULL, 0, 2);
    }
    assert_string_equal(f->text, expected);
}

static void a_thread_follows_the_log_and_stops_at_once(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 2);
    start(f, NUMBERS(""));
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    for (int i = 0; i < 20; i++) {
        char expected[16];
        numbers(f, "t", i, i + 1);
        (void)snprintf(expected, sizeof(expected), "%d", i + 1);
        wait_for(f, "SELECT count(*) FROM t", expected);
        (void)view_fixture_status(f);
    }
    int64_t start_ms = wr_mono_ms(wr_clock_os());
    view_fixture_stop(f);
    assert_in_range(wr_mono_ms(wr_clock_os()) - start_ms, 0, 1000);
    assert_string_equal(query(f, "SELECT count(*) FROM t"), "20");
}

static void a_statement_that_never_ends_does_not_hold_up_the_end(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    start(
        f,
        "v:\n  from: t\n  to: sqlite:v.db\n  schema: CREATE TABLE t (n)\n  on:\n    A: INSERT INTO t WITH "
        "RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c\n");
    numbers(f, "t", 0, 1);
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    (void)wr_wait_any(NULL, 0, 100);
    int64_t start_ms = wr_mono_ms(wr_clock_os());
    view_fixture_stop(f);
    assert_in_range(wr_mono_ms(wr_clock_os()) - start_ms, 0, 4000);
    assert_string_equal(query(f, "SELECT count(*) FROM t"), "0");
}

static void a_view_that_ends_says_so(void **state)
{
    struct view_fixture *f = *state;
    struct wr_wake ended = {-1};
    assert_int_equal(wr_wake_open(&ended, &f->err), 0);
    view_fixture_topic(f, "t", 1);
    view_fixture_append(f, "t", NULL, "bad");
    assert_int_equal(view_fixture_define(f, FAKE), 0);
    struct wr_view_options options = {
        .log = f->log, .definition = f->definition, .sink = &sink_fake, .ended = &ended};
    assert_int_equal(wr_view_new(&options, &f->view, &f->err), 0);
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    assert_int_equal(wr_wait_any(&ended.fd, 1, 10000), 0);
    assert_string_equal(view_fixture_status(f).state_text, "failed");
    view_fixture_stop(f);
    wr_wake_close(&ended);
}

static void a_lock_does_not_hold_up_the_end(void **state)
{
    struct view_fixture *f = *state;
    sqlite3 *user = NULL;
    view_fixture_topic(f, "t", 1);
    start(f, NUMBERS(""));
    assert_int_equal(sqlite3_open(view_fixture_path(f, "v.db"), &user), SQLITE_OK);
    assert_int_equal(sqlite3_exec(user, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    numbers(f, "t", 0, 1);
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    (void)wr_wait_any(NULL, 0, 300);
    assert_string_equal(view_fixture_status(f).state_text, "paused");
    int64_t start_ms = wr_mono_ms(wr_clock_os());
    view_fixture_stop(f);
    assert_in_range(wr_mono_ms(wr_clock_os()) - start_ms, 0, 1000);
    assert_int_equal(sqlite3_close(user), SQLITE_OK);
}

static void running_out_of_memory_is_said(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(view_fixture_define(f, FAKE), 0);
    struct wr_view_options options = {
        .log = f->log, .definition = f->definition, .sink = &sink_fake};
    wr_test_fail_alloc_at = 1;
    assert_int_equal(wr_view_new(&options, &f->view, &f->err), WEIR_E_NOMEM);
    wr_test_fail_alloc_at = 0;
    assert_null(f->view);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define GROUP(name) cmocka_unit_test_setup_teardown(name, setup_group, teardown)

int main(void)
{
    const struct CMUnitTest steps[] = {
        TEST(the_textbook_fills_its_fact_table),
        TEST(changes_of_a_table_are_followed),
        TEST(started_again_it_goes_on_where_it_was),
        TEST(a_batch_holds_what_is_at_hand_up_to_its_limits),
        TEST(topics_may_come_later),
        TEST(unknown_types_are_counted_and_passed),
        TEST(an_event_that_fails_stops_the_view_with_its_coordinates),
        TEST(events_that_fail_may_be_skipped),
        TEST(what_cannot_be_read_is_said_with_its_place),
        TEST(a_missing_field_is_an_error),
        TEST(a_topic_made_again_stops_the_view),
        TEST(a_topic_made_again_while_the_view_runs_stops_it),
        TEST(a_topic_that_is_gone_stops_the_view),
        TEST(a_topic_taken_out_of_the_definition_is_forgotten),
        TEST(a_log_that_took_back_what_was_read_stops_the_view),
        TEST(a_log_whose_start_has_passed_the_model_stops_it),
        TEST(retention_that_passes_a_running_view_stops_it),
        TEST(a_model_is_not_made_from_a_log_whose_start_is_gone),
        TEST(damage_in_the_log_stops_the_view_at_it),
        TEST(records_of_an_aborted_transaction_never_show),
        TEST(what_the_store_cannot_do_now_is_done_later),
        TEST(a_store_that_is_away_at_start_is_waited_for),
        TEST(what_the_store_cannot_do_at_all_fails_the_view),
        TEST(a_bad_event_is_not_let_by_when_the_commit_before_it_fails),
        TEST(a_store_that_keeps_no_positions_is_refused),
        TEST(calls_of_the_log_that_fail_fail_the_view),
        GROUP(a_partition_that_is_revoked_is_committed_first),
        GROUP(a_partition_that_is_lost_is_never_committed),
        GROUP(what_the_log_says_once_outlives_a_call_that_fails),
        GROUP(in_any_order_of_things_each_event_is_applied_once),
    };
    const struct CMUnitTest threads[] = {
        TEST(a_thread_follows_the_log_and_stops_at_once),
        TEST(a_statement_that_never_ends_does_not_hold_up_the_end),
        TEST(a_view_that_ends_says_so),
        TEST(a_lock_does_not_hold_up_the_end),
        TEST(running_out_of_memory_is_said),
    };
    int failed = cmocka_run_group_tests_name("without reading ahead", steps, NULL, NULL);
    reads_ahead = true;
    failed += cmocka_run_group_tests_name("reading ahead", steps, NULL, NULL);
    reads_ahead = false;
    failed += cmocka_run_group_tests_name("with threads", threads, NULL, NULL);
    return failed;
}
