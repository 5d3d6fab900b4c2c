/*
 * The feed over the log's model, told to give every answer: what is committed when, what is confirmed, and
 * that positions never stand without their records nor the other way round.
 */
#include "source_fixture.h"

#include "source/feed.h"

static struct fixture f;
static struct wr_envelope *envelope;
static struct wr_feed *feed;
static struct weir_error err;
static uint64_t place; /* the position: how many changes were handed over */
static char blob[64 << 10];

#define TOPIC "app.s.t"

/* {"n":3}, and with it the number 3. */
static void give_place(void *arg, struct wr_str written, struct wr_writer *w, uint64_t *mark)
{
    (void)arg;
    wr_put_fmt(w, "{\"n\":%llu,\"written\":%.*s}", (unsigned long long)place, WR_FMT(written));
    *mark = place;
}

static void open_feed(void)
{
    const struct wr_feed_options options = {.log = f.log,
                                            .source = "app",
                                            .envelope = envelope,
                                            .context = "source/app",
                                            .clock = &f.clock.clock,
                                            .owner = {give_place, NULL},
                                            .partition_count = 1};
    assert_int_equal(wr_feed_open(&options, &feed, &err), 0);
}

static int start(size_t commit_bytes_max)
{
    fixture_open(&f, commit_bytes_max);
    struct wr_envelope_options options = wr_envelope_defaults();
    struct wr_json_converter_options json = wr_json_converter_defaults();
    json.schemas_enable = false;
    options.topic_prefix = WR_STR("app");
    assert_int_equal(wr_json_converter_new(&json, &options.key_converter, &err), 0);
    assert_int_equal(wr_json_converter_new(&json, &options.value_converter, &err), 0);
    assert_int_equal(wr_envelope_new(&options, &envelope, &err), 0);
    place = 0;
    open_feed();
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    return start(0);
}

/* Commits of at most 400 kB. */
static int set_up_small(void **state)
{
    (void)state;
    return start(400000);
}

static int tear_down(void **state)
{
    (void)state;
    wr_feed_close(feed);
    wr_envelope_free(envelope);
    fixture_close(&f);
    return 0;
}

/* Hand over the next row. What the feed said. */
static int add_noted(const char *note)
{
    struct wr_value values[2];
    struct wr_change change = fixture_insert((int64_t)place + 1, note, values);
    int rc = wr_feed_change(feed, &change, &err);
    if (rc == 0) {
        place++;
        wr_feed_torn(feed);
    }
    return rc;
}

static void add(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(add_noted("x"), 0);
    }
}

static void end(void)
{
    assert_int_equal(wr_feed_whole(feed, &err), 0);
}

static void rest(void)
{
    assert_int_equal(wr_feed_rest(feed, &err), 0);
}

static void poll_ok(void)
{
    if (wr_feed_poll(feed, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

/* The number in the stored position, or 0. */
static unsigned long long stored(void)
{
    struct wr_str text = {NULL, 0};
    char n[256] = "0";
    assert_int_equal(wr_position_load(f.log, "app", &text, &err), 0);
    if (text.ptr != NULL) {
        member_of(wr_bytes_of_str(text), "n", n);
    }
    wr_free((void *)(uintptr_t)text.ptr);
    return strtoull(n, NULL, 10);
}

static void records_and_their_position_come_in_one_commit(void **state)
{
    (void)state;
    add(2);
    rest();
    assert_int_equal(wr_memory_log_waiting(f.log), 0);
    assert_string_equal(fixture_texts(&f, TOPIC), ""); /* torn: not yet */
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    end();
    rest();
    assert_int_equal(wr_memory_log_waiting(f.log), 1);
    assert_int_equal(stored(), 0);
    assert_int_equal(wr_memory_log_release(f.log, 1), 1);
    assert_string_equal(fixture_texts(&f, TOPIC), "1 2");
    assert_int_equal(stored(), 2);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    poll_ok();
    assert_true(wr_feed_is_quiet(feed));
    assert_int_equal(wr_feed_counts(feed).records, 3); /* with the schema of the two */
}

static void the_next_commit_is_filled_while_two_are_under_way(void **state)
{
    (void)state;
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    for (size_t i = 0; i < 4; i++) {
        add(1);
        end();
        rest();
    }
    assert_int_equal(wr_memory_log_waiting(f.log), 2); /* two transactions wait in the next */
    assert_int_equal(wr_memory_log_release(f.log, 2), 2);
    poll_ok();
    rest();
    assert_int_equal(wr_memory_log_waiting(f.log), 1);
    assert_int_equal(wr_memory_log_release(f.log, 1), 1);
    assert_string_equal(fixture_texts(&f, TOPIC), "1 2 3 4");
    assert_int_equal(wr_feed_counts(feed).commits, 3);
}

static void a_position_says_what_the_commits_before_wrote(void **state)
{
    (void)state;
    add(2);
    end();
    rest();
    poll_ok();
    add(1);
    end();
    rest();
    poll_ok();
    assert_non_null(strstr(fixture_texts(&f, WR_POSITIONS_TOPIC),
                           "{\"n\":3,\"written\":[[\"app.s.t\",0,0,2]]}"));
}

static void only_synced_commits_are_confirmed_and_at_most_every_10_s(void **state)
{
    (void)state;
    add(1);
    end();
    rest();
    poll_ok();
    assert_int_equal(wr_feed_durable(feed), 1); /* the first tells at once */
    add(1);
    end();
    rest();
    poll_ok();
    assert_int_equal(stored(), 2);
    assert_int_equal(wr_feed_durable(feed), 1);
    assert_int_equal(wr_feed_timeout_ms(feed), WR_FEED_SYNC_INTERVAL_MS);
    fixture_pass(&f, WR_FEED_SYNC_INTERVAL_MS - 1);
    poll_ok();
    assert_int_equal(wr_feed_timeout_ms(feed), 1);
    assert_int_equal(wr_feed_durable(feed), 1);
    fixture_pass(&f, 1);
    poll_ok(); /* commits without records */
    poll_ok(); /* takes its answer */
    assert_int_equal(wr_feed_durable(feed), 2);
    uint64_t commits = wr_feed_counts(feed).commits;
    fixture_pass(&f, INT64_C(10) * WR_FEED_SYNC_INTERVAL_MS);
    poll_ok();
    assert_int_equal(wr_feed_counts(feed).commits,
                     commits); /* nothing to tell: nothing is written */
}

static void an_idle_position_is_written_every_10_s_or_when_urged(void **state)
{
    (void)state;
    place = 5;
    wr_feed_moved(feed);
    poll_ok();
    poll_ok();
    assert_int_equal(wr_feed_durable(feed), 5);
    place = 6;
    wr_feed_moved(feed);
    poll_ok();
    poll_ok();
    assert_int_equal(stored(), 5);
    wr_feed_urge(feed);
    assert_int_equal(wr_feed_timeout_ms(feed), 0);
    poll_ok();
    poll_ok();
    assert_int_equal(stored(), 6);
    assert_int_equal(wr_feed_durable(feed), 6);
    place = 7;
    wr_feed_moved(feed);
    fixture_pass(&f, WR_FEED_SYNC_INTERVAL_MS);
    poll_ok();
    assert_int_equal(stored(), 7);
}

static void an_urge_waits_for_the_end_of_the_transaction(void **state)
{
    (void)state;
    add(1);
    wr_feed_urge(feed);
    poll_ok();
    assert_int_equal(wr_feed_counts(feed).commits, 0);
    end();
    poll_ok();
    poll_ok();
    assert_int_equal(wr_feed_durable(feed), 1);
}

static void a_full_disk_is_told_and_nothing_is_lost(void **state)
{
    (void)state;
    wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN);
    wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN);
    add(1);
    end();
    rest();
    poll_ok();
    add(1);
    end();
    for (size_t i = 0; i < 8; i++) {
        poll_ok();
        rest();
    }
    assert_null(wr_feed_stalled(feed));
    assert_string_equal(fixture_texts(&f, TOPIC), "1 2");
    assert_int_equal(stored(), 2);
}

static void says_why_it_is_stalled(void **state)
{
    (void)state;
    for (size_t i = 0; i < 60; i++) {
        wr_memory_log_next_outcome(f.log, WR_MEMORY_AGAIN);
    }
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    add(1);
    end();
    rest();
    assert_int_equal(wr_memory_log_release(f.log, 1), 1);
    poll_ok();
    assert_non_null(wr_feed_stalled(feed));
    assert_true(strlen(wr_feed_stalled(feed)->text) > 0);
}

static void when_the_log_goes_back_so_must_the_source(void **state)
{
    (void)state;
    static const enum wr_memory_outcome outcomes[] = {WR_MEMORY_REWIND, WR_MEMORY_UNKNOWN,
                                                      WR_MEMORY_UNKNOWN_DONE};
    for (size_t i = 0; i < 3; i++) {
        wr_memory_log_next_outcome(f.log, outcomes[i]);
        add(1);
        end();
        rest();
        assert_int_equal(wr_feed_poll(feed, &err), 1);
        wr_feed_close(feed);
        open_feed();
        place = stored(); /* go on from there */
    }
    assert_int_equal(place, 1);
    add(1);
    end();
    rest();
    poll_ok();
    assert_string_equal(fixture_texts(&f, TOPIC), "1 2");
}

static void a_later_writer_fences_and_a_broken_log_ends_it(void **state)
{
    (void)state;
    wr_memory_log_next_outcome(f.log, WR_MEMORY_FENCED);
    add(1);
    end();
    rest();
    assert_int_equal(wr_feed_poll(feed, &err), WEIR_E_FENCED);
    wr_feed_close(feed);
    open_feed();
    wr_memory_log_break(f.log);
    assert_int_equal(wr_feed_poll(feed, &err), WEIR_E_IO);
}

static void takes_no_more_than_the_log_can_hold(void **state)
{
    (void)state;
    size_t taken = 0;
    int rc = 0;
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    while (rc == 0) {
        rc = add_noted(blob);
        taken += rc == 0 ? 1 : 0;
        if (rc == 0) {
            end();
        }
        assert_true(taken < 4096);
    }
    assert_int_equal(rc, WEIR_E_AGAIN);
    assert_int_equal(add_noted(blob), WEIR_E_AGAIN); /* and nothing was added */
    assert_int_equal(wr_memory_log_waiting(f.log), 8);
    assert_true(wr_memory_log_release(f.log, 4) == 4);
    poll_ok();
    assert_int_equal(add_noted(blob), 0);
    taken++;
    end();
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    poll_ok();
    rest();
    fixture_read(&f);
    assert_int_equal(stored(), taken);
}

static size_t count_seen(const char *topic)
{
    size_t count = 0;
    fixture_read(&f);
    for (size_t i = 0; i < f.seen_count; i++) {
        count += strcmp(f.seen[i].topic, topic) == 0 ? 1 : 0;
    }
    return count;
}

/* The schema is told with the first record that uses it, though the log did not take that at first. */
static void what_was_made_of_a_change_is_kept_until_it_is_taken(void **state)
{
    (void)state;
    struct wr_table other = fixture_table;
    struct wr_value values[2];
    struct wr_change change = fixture_insert(1, "x", values);
    int rc = 0;
    other.version = 2;
    other.name = WR_STR("other");
    change.table = &other;
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    while (rc == 0) {
        rc = add_noted(blob);
        if (rc == 0) {
            end();
        }
    }
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    poll_ok();
    assert_int_equal(add_noted(blob), 0); /* the one that was kept */
    end();
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    while (wr_feed_reserve(feed, 1, &err) == 0) {
        assert_int_equal(add_noted(blob), 0);
        end();
    }
    assert_int_equal(wr_feed_change(feed, &change, &err), WEIR_E_AGAIN);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    poll_ok();
    assert_int_equal(wr_feed_change(feed, &change, &err), 0);
    end();
    poll_ok(); /* what was large has gone first */
    rest();
    assert_int_equal(count_seen("app.s.other"), 1);
    assert_int_equal(count_seen("__weir_schemas"), 2);
}

static void a_transaction_over_the_bound_is_cut_between_two_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 20; i++) { /* 20 × 64 kB, four or five to a commit */
        assert_int_equal(add_noted(blob), 0);
        poll_ok();
    }
    unsigned long long cut = stored();
    assert_in_range(cut, 4, 19);
    char expected[256] = "";
    for (unsigned i = 1; i <= cut; i++) {
        size_t len = strlen(expected);
        (void)snprintf(expected + len, sizeof(expected) - len, i == 1 ? "%u" : " %u", i);
    }
    assert_string_equal(fixture_texts(&f, TOPIC), expected); /* just what the position says */
    end();
    rest();
    poll_ok();
    assert_int_equal(stored(), 20);
}

static void a_record_that_fits_no_commit_is_an_error_of_its_own(void **state)
{
    (void)state;
    static char huge[500000];
    memset(huge, 'h', sizeof(huge) - 1);
    assert_int_equal(add_noted(huge), WEIR_E_LIMIT);
}

static void what_is_torn_is_dropped_when_the_feed_is_closed(void **state)
{
    (void)state;
    add(1);
    end();
    rest();
    poll_ok();
    add(3);
    wr_feed_close(feed);
    open_feed();
    assert_string_equal(fixture_texts(&f, TOPIC), "1");
    assert_int_equal(stored(), 1);
}

static void a_source_that_stops_commits_what_is_whole(void **state)
{
    (void)state;
    add(2);
    end();
    assert_int_equal(wr_feed_finish(feed, &err), 0);
    poll_ok();
    assert_int_equal(wr_feed_durable(feed), 2);
    add(2);
    assert_int_equal(wr_feed_finish(feed, &err), 0);
    poll_ok();
    assert_string_equal(fixture_texts(&f, TOPIC), "1 2");
    assert_int_equal(wr_feed_durable(feed), 2);
}

static void topics_keep_all_and_are_made_again_when_deleted(void **state)
{
    (void)state;
    add(1);
    end();
    rest();
    poll_ok();
    assert_int_equal(wr_log_topic_delete(f.log, TOPIC, &err), 0);
    add(1);
    end();
    rest();
    poll_ok();
    assert_string_equal(fixture_texts(&f, TOPIC), "2");
}

static int find_retention(void *arg, const struct wr_topic_setting *setting, struct weir_error *e)
{
    (void)e;
    if (strcmp(setting->key, "retention.ms") == 0) {
        *(bool *)arg = strcmp(setting->value, "-1") == 0;
    }
    return 0;
}

static void topics_are_never_cut(void **state)
{
    (void)state;
    struct wr_log_topic *topic = NULL;
    bool keeps_all = false;
    assert_int_equal(wr_feed_table(feed, &fixture_table, &err), 0);
    assert_int_equal(wr_log_topic_find(f.log, TOPIC, &topic, &err), 0);
    assert_int_equal(wr_log_topic_settings(f.log, topic, find_retention, &keeps_all, &err), 0);
    assert_true(keeps_all);
    wr_log_topic_unref(topic);
}

static void heartbeats_go_to_their_topic_with_the_position(void **state)
{
    (void)state;
    place = 9;
    wr_feed_moved(feed);
    assert_int_equal(wr_feed_heartbeat(feed, &err), 0);
    rest();
    poll_ok();
    fixture_read(&f);
    bool is_there = false;
    for (size_t i = 0; i < f.seen_count; i++) {
        is_there = is_there || strcmp(f.seen[i].topic, "__debezium-heartbeat.app") == 0;
    }
    assert_true(is_there);
    assert_int_equal(stored(), 9);
}

/* ---- the snapshot ---- */

static void a_snapshot_shows_at_once_and_with_its_position(void **state)
{
    (void)state;
    assert_int_equal(wr_feed_begin(feed, &err), 0);
    for (size_t i = 0; i < 40; i++) { /* 2.5 MB: several commits */
        assert_int_equal(add_noted(blob), 0);
        poll_ok();
    }
    assert_true(wr_feed_counts(feed).commits >= 2);
    assert_string_equal(fixture_texts(&f, TOPIC), "");
    assert_int_equal(stored(), 0);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_ANSWERS);
    assert_int_equal(wr_feed_end(feed, &err), 0);
    fixture_read(&f);
    assert_int_equal(f.seen_count, 42); /* rows, their schema, the position */
    assert_int_equal(stored(), 40);
    assert_false(wr_feed_is_quiet(feed));
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    poll_ok();
    poll_ok();
    assert_true(wr_feed_is_quiet(feed));
    assert_int_equal(wr_feed_durable(feed), 40); /* the log was synced for it */
}

static void a_snapshot_that_is_broken_off_never_shows(void **state)
{
    (void)state;
    assert_int_equal(wr_feed_begin(feed, &err), 0);
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(add_noted(blob), 0);
        poll_ok();
    }
    wr_feed_close(feed);
    place = 0;
    open_feed();
    add(1);
    end();
    rest();
    poll_ok();
    assert_string_equal(fixture_texts(&f, TOPIC), "1");
}

static void the_end_of_a_snapshot_waits_for_room(void **state)
{
    (void)state;
    int rc = 0;
    assert_int_equal(wr_feed_begin(feed, &err), 0);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_COMMITS);
    while (rc == 0) {
        rc = add_noted(blob);
    }
    assert_int_equal(rc, WEIR_E_AGAIN);
    assert_int_equal(wr_feed_end(feed, &err), WEIR_E_AGAIN);
    wr_memory_log_hold(f.log, WR_MEMORY_HOLD_NOTHING);
    poll_ok();
    assert_int_equal(wr_feed_end(feed, &err), 0);
    poll_ok();
    assert_int_equal(stored(), place);
}

#define TEST(name)       cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define SMALL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_small, tear_down)

int main(void)
{
    memset(blob, 'b', sizeof(blob) - 1);
    const struct CMUnitTest tests[] = {
        TEST(records_and_their_position_come_in_one_commit),
        TEST(the_next_commit_is_filled_while_two_are_under_way),
        TEST(a_position_says_what_the_commits_before_wrote),
        TEST(only_synced_commits_are_confirmed_and_at_most_every_10_s),
        TEST(an_idle_position_is_written_every_10_s_or_when_urged),
        TEST(an_urge_waits_for_the_end_of_the_transaction),
        TEST(a_full_disk_is_told_and_nothing_is_lost),
        TEST(says_why_it_is_stalled),
        TEST(when_the_log_goes_back_so_must_the_source),
        TEST(a_later_writer_fences_and_a_broken_log_ends_it),
        TEST(takes_no_more_than_the_log_can_hold),
        TEST(what_was_made_of_a_change_is_kept_until_it_is_taken),
        SMALL_TEST(a_transaction_over_the_bound_is_cut_between_two_changes),
        SMALL_TEST(a_record_that_fits_no_commit_is_an_error_of_its_own),
        TEST(what_is_torn_is_dropped_when_the_feed_is_closed),
        TEST(a_source_that_stops_commits_what_is_whole),
        TEST(topics_keep_all_and_are_made_again_when_deleted),
        TEST(topics_are_never_cut),
        TEST(heartbeats_go_to_their_topic_with_the_position),
        TEST(a_snapshot_shows_at_once_and_with_its_position),
        TEST(a_snapshot_that_is_broken_off_never_shows),
        TEST(the_end_of_a_snapshot_waits_for_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
