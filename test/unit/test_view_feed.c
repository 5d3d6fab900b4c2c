/*
 * Reading ahead: what a view has read and not applied is never lost, doubled or out of its turn, whatever the
 * store and the log do meanwhile. In a view's own steps, where it can be foreseen, and with threads.
 */
#include "view/view_feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "view/sink_fake.h"
#include "view/view_fixture.h"

#define FAKE "v:\n  from: [t, \"u*\"]\n  to: 'fake:'\n  on: {A: x}\n"

static struct sink_fake_store store;

static int setup(void **state)
{
    static struct view_fixture f;
    memset(&store, 0, sizeof(store));
    sink_fake_use(&store);
    view_fixture_open(&f, 0);
    f.sink = &sink_fake;
    f.ahead_min = 1;
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
    if (view_fixture_define(f, yaml) < 0 || view_fixture_start(f) < 0) {
        fail_msg("%s", f->err.text);
    }
}

/* ---- in the steps of a view ---- */

static void what_was_read_ahead_is_read_again_when_the_store_took_back_the_rows(void **state)
{
    struct view_fixture *f = *state;
    static const int calls[] = {SINK_FAKE_BEGIN, SINK_FAKE_APPLY, SINK_FAKE_COMMIT};
    f->is_stepped = true;
    view_fixture_topic(f, "t", 1);
    view_fixture_topic(f, "u1", 1);
    start(f, FAKE "  batch: {rows: 700}\n");
    int count = 0;
    for (size_t i = 0; i < 3; i++) {
        for (int half = 0; half < 2; half++) {
            view_fixture_append_numbers(f, half == 0 ? "t" : "u1", count, count + 4000);
            count += 4000;
        }
        store.fail[calls[i]].at = calls[i] == SINK_FAKE_APPLY ? 1500 : 3;
        store.fail[calls[i]].code = WEIR_E_BUSY;
        view_fixture_run(f);
        assert_string_equal(view_fixture_status(f).state_text, "paused");
        view_fixture_run(f);
        view_fixture_expect_rows(&store, count);
    }
}

static void an_error_of_the_log_waits_for_the_events_before_it(void **state)
{
    struct view_fixture *f = *state;
    f->is_stepped = true;
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, 2000);
    start(f, FAKE "  batch: {rows: 300}\n");
    struct wr_log_topic *topic = NULL;
    assert_int_equal(wr_log_topic_find(f->log, "t", &topic, &f->err), 0);
    wr_memory_log_damage(f->log, topic, 0, 1234);
    wr_log_topic_unref(topic);
    view_fixture_run(f);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_non_null(strstr(status.why, "1234"));
    view_fixture_expect_rows(&store, 1234);
    assert_int_equal(store.positions[0].next_offset, 1234);
}

/* ---- with threads ---- */

/* Start it, with threads, and wait until it has committed `count` rows. */
static void run_until(struct view_fixture *f, uint64_t count)
{
    int64_t until_ms = wr_mono_ms(wr_clock_os()) + 60000;
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    struct wr_view_status status = view_fixture_status(f);
    while (status.counts.applied + status.counts.skipped < count &&
           status.state < WR_VIEW_STOPPING && wr_mono_ms(wr_clock_os()) < until_ms) {
        (void)wr_wait_any(NULL, 0, 1);
        status = view_fixture_status(f);
    }
}

static void stopped_while_it_reads_ahead_it_goes_on_where_it_was(void **state)
{
    struct view_fixture *f = *state;
    uint64_t applied = 0;
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, 20000);
    for (int round = 0; round < 200 && applied < 20000; round++) {
        start(f, FAKE "  batch: {rows: 97}\n");
        run_until(f, 500);
        wr_view_stop(f->view);
        view_fixture_stop(f);
        assert_in_range(store.committed, applied + 1, 20000);
        assert_int_equal(store.positions[0].next_offset, store.committed);
        applied = store.committed;
    }
    view_fixture_expect_rows(&store, 20000);
}

static void a_bad_event_read_ahead_stops_the_view_at_its_turn(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, 1500);
    view_fixture_append(f, "t", "k", "{\"type\":\"A\",\"m\":1}");
    view_fixture_append_numbers(f, "t", 1500, 3000);
    start(f, FAKE "  batch: {rows: 400}\n");
    run_until(f, 3000);
    struct wr_view_status status = view_fixture_status(f);
    assert_string_equal(status.state_text, "failed");
    assert_string_equal(status.why,
                        "topic 't' partition 0 offset 1500, type 'A', key 'k': the event "
                        "has no 'n' (write :n? for NULL)");
    view_fixture_expect_rows(&store, 1500);
    assert_int_equal(store.positions[0].next_offset, 1500);
}

static void bad_events_read_ahead_are_skipped_at_their_turn(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    for (int i = 0; i < 20; i++) {
        view_fixture_append_numbers(f, "t", i * 100, i * 100 + 100);
        view_fixture_append(f, "t", NULL, i % 2 == 0 ? "no JSON" : "{\"type\":\"A\",\"n\":-1}");
    }
    start(f, FAKE "  on_error: skip\n  batch: {rows: 70}\n");
    run_until(f, 2020);
    struct wr_view_status status = view_fixture_status(f);
    assert_int_equal(status.counts.skipped, 20);
    assert_int_equal(status.counts.applied, 2000);
    assert_non_null(
        strstr(status.last_skip, "offset 2019, type 'A', key none: fake: a bad number"));
    view_fixture_stop(f);
    view_fixture_expect_rows(&store, 2000);
}

static void a_store_that_comes_and_goes_gets_each_event_of_several_topics_once(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    view_fixture_topic(f, "u1", 1);
    view_fixture_topic(f, "u2", 1);
    store.rng = wr_rng_of(1);
    store.odds = 2000;
    start(f, FAKE "  batch: {rows: 150}\n");
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    for (int i = 0; i < 30; i++) {
        static const char *const topics[] = {"t", "u1", "u2"};
        view_fixture_append_numbers(f, topics[i % 3], i * 500, i * 500 + 500);
    }
    int64_t until_ms = wr_mono_ms(wr_clock_os()) + 60000;
    int64_t lag = 1;
    while (lag > 0 && wr_mono_ms(wr_clock_os()) < until_ms) {
        struct wr_view_status status = view_fixture_status(f);
        lag = status.partition_count < 3 ? 1 : 0;
        for (size_t i = 0; i < status.partition_count; i++) {
            lag += status.partitions[i].lag;
        }
        (void)wr_wait_any(NULL, 0, 2);
    }
    view_fixture_stop(f);
    view_fixture_expect_rows(&store, 15000);
}

static void a_topic_made_while_it_reads_ahead_is_taken_up(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, 5000);
    start(f, FAKE "  batch: {rows: 50}\n");
    assert_int_equal(wr_view_start(f->view, &f->err), 0);
    for (int i = 0; i < 10; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "u%d", i);
        view_fixture_topic(f, name, 1);
        view_fixture_append_numbers(f, name, 5000 + i * 100, 5100 + i * 100);
    }
    int64_t until_ms = wr_mono_ms(wr_clock_os()) + 60000;
    while (view_fixture_status(f).counts.applied < 6000 && wr_mono_ms(wr_clock_os()) < until_ms) {
        (void)wr_wait_any(NULL, 0, 2);
    }
    view_fixture_stop(f);
    view_fixture_expect_rows(&store, 6000);
}

/* ---- the feed itself ---- */

static struct wr_view_feed *open_feed(struct view_fixture *f, size_t ahead_min)
{
    static struct wr_parameter_use use;
    static const struct wr_str type = WR_STR_INIT("A");
    static struct wr_sink_needs needs = {&use, 1};
    static struct wr_parameters parameters;
    struct wr_event_options events = {&parameters, {NULL, 0}, &type, 1};
    struct wr_view_feed_options options = {.log = f->log,
                                           .events = &events,
                                           .needs = &needs,
                                           .ahead_min = ahead_min,
                                           .is_stepped = f->is_stepped};
    struct wr_view_feed *feed = NULL;
    size_t at = 0;
    parameters = wr_parameters_of(&f->arena);
    assert_int_equal(wr_parameter_parse(WR_STR(":n"), &parameters, &use, &at, &f->err), 0);
    assert_int_equal(wr_view_feed_open(&options, &feed, &f->err), 0);
    return feed;
}

static void seek(struct view_fixture *f, struct wr_view_feed *feed, int64_t offset)
{
    struct wr_log_topic *topic = NULL;
    assert_int_equal(wr_log_topic_find(f->log, "t", &topic, &f->err), 0);
    assert_int_equal(wr_log_reader_assign(wr_view_feed_reader(feed), topic, 0, offset, &f->err), 0);
    wr_log_topic_unref(topic);
}

/* Take bundles until `to`, and expect every number from `from` on. */
static void expect_numbers(struct view_fixture *f, struct wr_view_feed *feed, int64_t from,
                           int64_t to)
{
    struct wr_view_bundle *bundle = NULL;
    struct wr_view_item item;
    while (from < to) {
        assert_int_equal(wr_view_feed_poll(feed, 10000, &bundle, &f->err), 0);
        assert_int_equal(bundle->kind, WR_POLL_RECORDS);
        for (; wr_view_bundle_take(bundle, &item); from++) {
            assert_int_equal(item.offset, from);
            assert_int_equal(item.event.values[0].u.i, from);
        }
        assert_int_equal(wr_view_bundle_offset(bundle), from);
    }
    assert_int_equal(from, to);
}

static void a_feed_gives_records_in_order_and_begins_anew_where_it_is_told(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, 10000);
    struct wr_view_feed *feed = open_feed(f, 1);
    assert_int_equal(wr_view_feed_start(feed, "feed-test", &f->err), 0);
    seek(f, feed, 0);
    expect_numbers(f, feed, 0, (int64_t)WR_VIEW_ITEMS_MAX * 3);
    for (int64_t at = 0; at < 5000; at += 100) {
        wr_view_feed_forget(feed);
        seek(f, feed, at);
        expect_numbers(f, feed, at, at + (int64_t)WR_VIEW_ITEMS_MAX * 2);
    }
    wr_view_feed_forget(feed);
    seek(f, feed, 9000);
    expect_numbers(f, feed, 9000, 10000);
    wr_view_feed_close(feed);
}

/* Its thread runs, over a topic of a hundred numbers. */
static struct wr_view_feed *running_feed(struct view_fixture *f)
{
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, 100);
    struct wr_view_feed *feed = open_feed(f, 1);
    assert_int_equal(wr_view_feed_start(feed, "feed-test", &f->err), 0);
    return feed;
}

static void no_wake_is_lost_to_the_thread_that_reads_ahead(void **state)
{
    struct view_fixture *f = *state;
    struct wr_view_bundle *bundle = NULL;
    struct wr_view_feed *feed = running_feed(f);
    for (int i = 0; i < 200; i++) {
        wr_view_feed_forget(feed);
        seek(f, feed, 0);
        expect_numbers(f, feed, 0, 100); /* the thread looks for more now */
        wr_view_feed_wake(feed);
        assert_int_equal(wr_view_feed_poll(feed, -1, &bundle, &f->err), 0);
        assert_int_equal(bundle->kind, WR_POLL_NONE);
    }
    wr_view_feed_close(feed);
}

static void what_is_no_record_is_acted_on_before_the_log_is_asked_again(void **state)
{
    struct view_fixture *f = *state;
    struct wr_view_bundle *bundle = NULL;
    struct wr_view_feed *feed = running_feed(f);
    assert_int_equal(wr_log_reader_watch(wr_view_feed_reader(feed), &f->err), 0);
    seek(f, feed, 0);
    view_fixture_topic(f, "u", 1);
    assert_int_equal(wr_view_feed_poll(feed, 10000, &bundle, &f->err), 0);
    assert_int_equal(bundle->kind, WR_POLL_TOPICS);
    seek(f, feed, 50); /* nobody reads, or this would assert */
    expect_numbers(f, feed, 50, 100);
    wr_view_feed_close(feed);
}

static void what_is_said_only_once_outlives_the_records_that_are_forgotten(void **state)
{
    struct view_fixture *f = *state;
    struct wr_view_bundle *bundle = NULL;
    f->is_stepped = true;
    view_fixture_topic(f, "t", 1);
    view_fixture_append_numbers(f, "t", 0, WR_VIEW_ITEMS_MAX + 100);
    struct wr_view_feed *feed = open_feed(f, 1);
    assert_int_equal(wr_log_reader_watch(wr_view_feed_reader(feed), &f->err), 0);
    seek(f, feed, 0);
    expect_numbers(f, feed, 0, WR_VIEW_ITEMS_MAX); /* the other hundred are read ahead */
    view_fixture_topic(f, "u", 1);
    expect_numbers(f, feed, WR_VIEW_ITEMS_MAX, WR_VIEW_ITEMS_MAX + 100); /* and the new topic */
    for (int i = 0; i < 2; i++) {
        wr_view_feed_forget(feed);
        seek(f, feed, 0);
    }
    assert_int_equal(wr_view_feed_poll(feed, 0, &bundle, &f->err), 0);
    assert_int_equal(bundle->kind, WR_POLL_TOPICS);
    expect_numbers(f, feed, 0, WR_VIEW_ITEMS_MAX + 100);
    wr_view_feed_close(feed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_read_ahead_is_read_again_when_the_store_took_back_the_rows),
        TEST(an_error_of_the_log_waits_for_the_events_before_it),
        TEST(stopped_while_it_reads_ahead_it_goes_on_where_it_was),
        TEST(a_bad_event_read_ahead_stops_the_view_at_its_turn),
        TEST(bad_events_read_ahead_are_skipped_at_their_turn),
        TEST(a_store_that_comes_and_goes_gets_each_event_of_several_topics_once),
        TEST(a_topic_made_while_it_reads_ahead_is_taken_up),
        TEST(a_feed_gives_records_in_order_and_begins_anew_where_it_is_told),
        TEST(no_wake_is_lost_to_the_thread_that_reads_ahead),
        TEST(what_is_no_record_is_acted_on_before_the_log_is_asked_again),
        TEST(what_is_said_only_once_outlives_the_records_that_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
