/*
 * The runner, turn by turn and without a thread, over the log's model and a database that is an array of
 * numbered rows: whatever the log answers and whenever the database goes away, each row is in the log once.
 */
#include "source_fixture.h"

#include "base/rng.h"
#include "base/trace.h"
#include "source/source.h"
#include "source/source_ops.h"
#include "source/source_state.h"

static struct fixture f;
static struct weir_error err;
static struct wr_source *source;

#define TOPIC "app.s.t"

/* ---- a database -------------------------------------------------------------------------------------- */

/* Rows 1 … `rows`; those up to `copied` are there before the source first connects. Transactions have
 * `per_transaction` rows. */
static struct {
    uint64_t rows;
    uint64_t copied;
    uint64_t per_transaction;
    int refuse;     /* what connect fails with; 0: it does not */
    uint64_t lose;  /* the session ends before this row is given; 0: never */
    uint64_t at;    /* rows handed over since the connect */
    uint64_t whole; /* rows of whole transactions */
    uint64_t confirmed;
    size_t connects;
    size_t disconnects;
    bool is_copying;
} db;

static struct wr_source_impl impl;

static int fake_open(const struct wr_source_env *env, struct wr_source_impl **out,
                     struct weir_error *e)
{
    (void)e;
    assert_string_equal(env->name, "app");
    impl.ops = NULL;
    *out = &impl;
    return 0;
}

static void fake_close(struct wr_source_impl *i)
{
    assert_ptr_equal(i, &impl);
}

static int fake_connect(struct wr_source_impl *i, struct wr_str stored, enum wr_source_start *start,
                        struct weir_error *e)
{
    (void)i;
    db.connects++;
    if (db.refuse != 0) {
        return wr_fail(e, db.refuse, "the database says no");
    }
    char n[256] = "0";
    if (stored.ptr != NULL) {
        member_of(wr_bytes_of_str(stored), "n", n);
    }
    db.whole = db.at = strtoull(n, NULL, 10);
    db.is_copying = stored.ptr == NULL && db.copied > 0;
    *start = db.is_copying ? WR_START_SNAPSHOT : WR_START_STREAM;
    return 0;
}

static void fake_disconnect(struct wr_source_impl *i)
{
    (void)i;
    db.disconnects++;
}

static int give_row(struct wr_feed *feed, struct weir_error *e)
{
    struct wr_value values[2];
    struct wr_change change = fixture_insert((int64_t)db.at + 1, "x", values);
    if (db.lose == db.at + 1) {
        db.lose = 0;
        return wr_fail(e, WEIR_E_CONNECT, "the session ended");
    }
    int rc = wr_feed_change(feed, &change, e);
    db.at += rc == 0 ? 1 : 0;
    return rc;
}

static int fake_snapshot(struct wr_source_impl *i, struct wr_feed *feed, int timeout_ms,
                         struct weir_error *e)
{
    (void)i;
    (void)timeout_ms;
    int rc = 0;
    while (rc == 0 && db.at < db.copied) {
        rc = give_row(feed, e);
    }
    db.whole = db.at;
    return rc == 0 ? 1 : rc == WEIR_E_AGAIN ? 0 : rc;
}

/* One row a call: the runner's turns are the test's steps. */
static int fake_stream(struct wr_source_impl *i, struct wr_feed *feed, int timeout_ms,
                       struct weir_error *e)
{
    (void)i;
    (void)timeout_ms;
    db.is_copying = false;
    if (db.at == db.rows) {
        return wr_feed_rest(feed, e);
    }
    int rc = give_row(feed, e);
    if (rc != 0) {
        return rc == WEIR_E_AGAIN ? 0 : rc;
    }
    wr_feed_torn(feed);
    if (db.at % db.per_transaction != 0) {
        return 0;
    }
    db.whole = db.at;
    rc = wr_feed_whole(feed, e);
    return rc == 0 ? wr_feed_rest(feed, e) : rc;
}

static void fake_position(struct wr_source_impl *i, struct wr_str written, struct wr_writer *w,
                          uint64_t *mark)
{
    (void)i;
    (void)written;
    wr_put_fmt(w, "{\"n\":%llu}", (unsigned long long)db.at);
    *mark = db.at;
}

static int fake_confirm(struct wr_source_impl *i, uint64_t mark, struct weir_error *e)
{
    (void)i;
    (void)e;
    assert_true(mark >= db.confirmed);
    db.confirmed = mark;
    return 0;
}

static void fake_status(const struct wr_source_impl *i, struct wr_source_status *out)
{
    (void)i;
    (void)snprintf(out->stored, sizeof(out->stored), "%llu", (unsigned long long)db.at);
}

static const struct wr_source_ops fake_ops = {
    .name = "fake",
    .open = fake_open,
    .close = fake_close,
    .connect = fake_connect,
    .disconnect = fake_disconnect,
    .snapshot = fake_snapshot,
    .stream = fake_stream,
    .position = fake_position,
    .confirm = fake_confirm,
    .status = fake_status,
};

/* ---- the runner -------------------------------------------------------------------------------------- */

static const struct wr_conf_entry conf_entries[] = {
    {.key = WR_STR_INIT("heartbeat.interval.ms"),
     .value = {.text = WR_STR_INIT("5000"), .is_plain = true}},
    {.key = WR_STR_INIT("value.converter.schemas.enable"),
     .value = {.text = WR_STR_INIT("false"), .is_plain = true}},
    {.key = WR_STR_INIT("key.converter.schemas.enable"),
     .value = {.text = WR_STR_INIT("false"), .is_plain = true}},
};

static void open_source(void)
{
    static struct wr_conf_entry entries[3];
    static struct wr_conf conf;
    memcpy(entries, conf_entries, sizeof(entries));
    conf = (struct wr_conf){.kind = WR_CONF_MAP, .entries = entries, .count = 3};
    const struct wr_source_options options = {.name = "app",
                                              .conf = &conf,
                                              .log = f.log,
                                              .clock = &f.clock.clock,
                                              .ops = &fake_ops,
                                              .never_waits = true};
    assert_int_equal(wr_source_open(&options, &source, &err), 0);
}

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f, 0);
    memset(&db, 0, sizeof(db));
    db.per_transaction = 1;
    open_source();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wr_source_close(source);
    fixture_close(&f);
    return 0;
}

static struct wr_source_status status(void)
{
    struct wr_source_status s;
    wr_source_status(source, &s);
    return s;
}

/* So many turns; false when it came to rest. */
static bool turn(size_t count)
{
    bool is_on = true;
    for (size_t i = 0; i < count && is_on; i++) {
        is_on = wr_source_turn(source);
    }
    return is_on;
}

/* Rows 1 … n, as fixture_texts() gives them. */
static const char *rows_to(uint64_t n)
{
    static char out[64 << 10];
    size_t len = 0;
    out[0] = 0;
    for (uint64_t i = 1; i <= n; i++) {
        len += (size_t)snprintf(out + len, sizeof(out) - len, i == 1 ? "%llu" : " %llu",
                                (unsigned long long)i);
    }
    return out;
}

static void copies_then_streams_then_confirms(void **state)
{
    (void)state;
    db.copied = 3;
    db.rows = 5;
    assert_int_equal(status().state, WR_SOURCE_STOPPED);
    assert_true(turn(1));
    assert_int_equal(status().state, WR_SOURCE_SNAPSHOT);
    assert_true(turn(3));
    assert_int_equal(status().state, WR_SOURCE_STREAMING);
    assert_string_equal(fixture_texts(&f, TOPIC), rows_to(3));
    assert_true(turn(6));
    assert_string_equal(fixture_texts(&f, TOPIC), rows_to(5));
    fixture_pass(&f, WR_FEED_SYNC_INTERVAL_MS);
    assert_true(turn(3));
    assert_int_equal(db.confirmed, 5);
    assert_string_equal(status().stored, "5");
    assert_string_equal(status().connector, "fake");
}

static void goes_on_from_the_stored_position(void **state)
{
    (void)state;
    db.rows = 2;
    assert_true(turn(6));
    wr_source_close(source);
    db.rows = 4;
    open_source();
    assert_true(turn(6));
    assert_string_equal(fixture_texts(&f, TOPIC), rows_to(4));
}

static void a_broken_off_snapshot_begins_anew(void **state)
{
    (void)state;
    db.copied = 5;
    db.rows = 5;
    db.lose = 3;
    assert_true(turn(2));
    assert_int_equal(status().state, WR_SOURCE_BACKOFF);
    assert_string_equal(fixture_texts(&f, TOPIC), "");
    fixture_pass(&f, 1000);
    assert_true(turn(6));
    assert_string_equal(fixture_texts(&f, TOPIC), rows_to(5));
}

static void waits_longer_each_time_and_says_why(void **state)
{
    (void)state;
    db.refuse = WEIR_E_CONNECT;
    int64_t sum_ms = 0;
    for (uint64_t i = 1; i <= 6; i++) {
        assert_true(turn(1));
        struct wr_source_status s = status();
        assert_int_equal(s.state, WR_SOURCE_BACKOFF);
        assert_string_equal(s.error.text, "the database says no");
        assert_int_equal(s.retries, i);
        sum_ms += s.retry_ms;
        fixture_pass(&f, s.retry_ms);
        assert_true(turn(1)); /* the timer */
        assert_int_equal(status().state, WR_SOURCE_CONNECTING);
    }
    assert_in_range(sum_ms, 3150, 6300); /* 100 + 200 + … + 3200, at least half of it */
    db.refuse = 0;
    db.rows = 1;
    assert_true(turn(4));
    assert_int_equal(status().state, WR_SOURCE_STREAMING);
    assert_int_equal(status().error.code, 0);
    assert_int_equal(status().retries, 6); /* it could break again at once */
    fixture_pass(&f, 5000);
    assert_true(turn(1));
    assert_int_equal(status().retries, 0);
}

static void what_no_retry_mends_fails_it_for_good(void **state)
{
    (void)state;
    db.refuse = WEIR_E_REFUSED;
    assert_false(turn(2));
    assert_int_equal(status().state, WR_SOURCE_FAILED);
    assert_string_equal(status().error.text, "the database says no");
    assert_int_equal(db.connects, 1);
    wr_source_stop(source);
    assert_false(turn(1));
    assert_int_equal(status().state, WR_SOURCE_FAILED);
}

static void stops_when_another_process_has_the_source(void **state)
{
    (void)state;
    db.rows = 1;
    wr_memory_log_next_outcome(f.log, WR_MEMORY_FENCED);
    assert_false(turn(5));
    assert_int_equal(status().state, WR_SOURCE_FAILED);
}

static void fails_when_the_log_has_failed(void **state)
{
    (void)state;
    db.rows = 1;
    assert_true(turn(2));
    wr_memory_log_break(f.log);
    assert_false(turn(5));
    assert_int_equal(status().state, WR_SOURCE_FAILED);
    assert_int_equal(status().error.code, WEIR_E_IO);
}

static void a_stop_commits_what_is_whole_and_confirms_it(void **state)
{
    (void)state;
    db.rows = 5;
    db.per_transaction = 2;
    assert_true(turn(8));
    wr_source_stop(source);
    assert_false(turn(1));
    assert_int_equal(status().state, WR_SOURCE_STOPPED);
    assert_int_equal(db.confirmed, 4);
    assert_string_equal(fixture_texts(&f, TOPIC),
                        rows_to(4)); /* the fifth is of a torn transaction */
    assert_int_equal(status().error.code, 0);
}

static void a_stop_before_the_start_is_taken(void **state)
{
    (void)state;
    wr_source_stop(source);
    assert_false(turn(1));
    assert_int_equal(status().state, WR_SOURCE_STOPPED);
    assert_int_equal(db.connects, 0);
}

static void a_stop_in_a_wait_or_a_snapshot_is_taken_at_once(void **state)
{
    (void)state;
    db.refuse = WEIR_E_CONNECT;
    assert_true(turn(1));
    wr_source_stop(source);
    assert_false(turn(1));
    assert_int_equal(status().state, WR_SOURCE_STOPPED);
}

static void heartbeats_come_at_the_start_and_then_by_the_clock(void **state)
{
    (void)state;
    assert_true(turn(3));
    assert_int_equal(status().heartbeats, 0); /* the status is looked at from time to time */
    fixture_pass(&f, 4000);
    assert_true(turn(2));
    assert_int_equal(status().heartbeats, 1);
    fixture_pass(&f, 1000);
    assert_true(turn(2));
    fixture_pass(&f, 300);
    assert_true(turn(1));
    assert_int_equal(status().heartbeats, 2);
}

static void says_that_the_disk_is_full_and_goes_on_when_it_is_not(void **state)
{
    (void)state;
    db.rows = 1;
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    for (size_t i = 0; i < 60; i++) {
        wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN);
    }
    assert_true(turn(3));
    (void)wr_memory_log_release(f.log, 1);
    assert_true(turn(1));
    fixture_pass(&f, 300);
    assert_true(turn(1));
    struct wr_source_status s = status();
    assert_true(s.is_log_stalled);
    assert_int_equal(s.state, WR_SOURCE_STREAMING);
    assert_true(s.error.code < 0);
    db.rows = 3;
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    assert_true(turn(80));
    fixture_pass(&f, 300);
    assert_true(turn(1));
    assert_false(status().is_log_stalled);
    assert_string_equal(fixture_texts(&f, TOPIC), rows_to(3));
}

/* ---- anything, at any time ---------------------------------------------------------------------------- */

/* What may happen between two turns. */
static void disturb(struct wr_rng *rng)
{
    switch (wr_rng_below(rng, 24)) {
    case 0: wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN); break;
    case 1: wr_memory_log_next_outcome(f.log, WR_MEMORY_REWIND); break;
    case 2: wr_memory_log_next_outcome(f.log, WR_MEMORY_UNKNOWN); break;
    case 3: wr_memory_log_next_outcome(f.log, WR_MEMORY_UNKNOWN_DONE); break;
    case 4: wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS); break;
    case 5: wr_memory_log_hold(f.log, WR_MEMORY_HOLD_ANSWERS); break;
    case 6: wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING); break;
    case 7: db.lose = db.at + 1 + wr_rng_below(rng, 3); break;
    case 8:
        wr_memory_log_fail_call(f.log,
                                (enum wr_memory_call)wr_rng_below(rng, WR_MEMORY_READER_OPEN),
                                1 + wr_rng_below(rng, 3), WEIR_E_FULL);
        break;
    case 9: /* killed */
        wr_source_close(source);
        open_source();
        break;
    case 10: /* told to stop, and started again */
        wr_source_stop(source);
        (void)turn(1);
        wr_source_close(source);
        open_source();
        break;
    default: fixture_pass(&f, (int64_t)wr_rng_below(rng, 2000)); break;
    }
}

/* Without more trouble it comes to its end. */
static void come_to_the_end(void)
{
    db.lose = 0;
    for (size_t i = 0; i < 1000; i++) {
        wr_memory_log_fail_call(f.log, (enum wr_memory_call)(i % WR_MEMORY_CALLS), 0, 0);
        wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
        fixture_pass(&f, 1000);
        assert_true(turn(1));
    }
}

static void run_seed(uint64_t seed)
{
    struct wr_rng rng = wr_rng_of(seed);
    (void)tear_down(NULL);
    (void)set_up(NULL);
    db.copied = wr_rng_below(&rng, 20);
    db.rows = 60;
    db.per_transaction = 1 + wr_rng_below(&rng, 3);
    for (size_t i = 0; i < 400; i++) {
        disturb(&rng);
        (void)turn(1);
        assert_true(status().state != WR_SOURCE_FAILED);
    }
    come_to_the_end();
    if (strcmp(fixture_texts(&f, TOPIC), rows_to(db.rows)) != 0) {
        fail_msg("WEIR_SEED=%llu: %s", (unsigned long long)seed, fixture_texts(&f, TOPIC));
    }
    assert_true(db.confirmed <= db.rows);
}

static uint64_t first_seed = 1;

static void every_row_is_there_once_whatever_happens(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 60; i++) {
        run_seed(first_seed + i);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const char *seed = getenv("WEIR_SEED"); /* NOLINT(concurrency-mt-unsafe): there is one thread */
    first_seed = seed == NULL ? 1 : strtoull(seed, NULL, 10);
    wr_trace_level(WR_ERROR);
    const struct CMUnitTest tests[] = {
        TEST(copies_then_streams_then_confirms),
        TEST(goes_on_from_the_stored_position),
        TEST(a_broken_off_snapshot_begins_anew),
        TEST(waits_longer_each_time_and_says_why),
        TEST(what_no_retry_mends_fails_it_for_good),
        TEST(stops_when_another_process_has_the_source),
        TEST(fails_when_the_log_has_failed),
        TEST(a_stop_commits_what_is_whole_and_confirms_it),
        TEST(a_stop_before_the_start_is_taken),
        TEST(a_stop_in_a_wait_or_a_snapshot_is_taken_at_once),
        TEST(heartbeats_come_at_the_start_and_then_by_the_clock),
        TEST(says_that_the_disk_is_full_and_goes_on_when_it_is_not),
        TEST(every_row_is_there_once_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
