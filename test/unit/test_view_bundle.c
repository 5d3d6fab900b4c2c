/* Events as they lie in a bundle: every kind of value, what is kept for messages, and the limits. */
#include "view/view_bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const names[] = {":i", ":f", ":big", ":text", ":yes", ":none", ":list", ":x?"};
enum {
    NAMES = sizeof(names) / sizeof(names[0])
};

struct fixture {
    struct wr_arena arena;
    struct wr_parameters set;
    struct wr_parameter_use uses[NAMES];
    struct wr_sink_needs needs[2];
    struct wr_bind values[NAMES];
    struct wr_view_reading reading;
    struct wr_view_bundle bundle;
    struct wr_log_topic topic;
    struct wr_log_record *records;
    struct wr_log_chunk chunk;
    struct weir_error err;
};

static int setup(void **state)
{
    static const struct wr_str types[] = {WR_STR_INIT("All"), WR_STR_INIT("None")};
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->arena = wr_arena_of((size_t)64 << 20);
    f->set = wr_parameters_of(&f->arena);
    for (size_t i = 0; i < NAMES; i++) {
        size_t at = 0;
        assert_int_equal(
            wr_parameter_parse(wr_str_of(names[i]), &f->set, &f->uses[i], &at, &f->err), 0);
    }
    f->needs[0] = (struct wr_sink_needs){f->uses, NAMES};
    f->reading =
        (struct wr_view_reading){.needs = f->needs, .needs_max = NAMES, .values = f->values};
    struct wr_event_options options = {&f->set, {NULL, 0}, types, 2};
    assert_int_equal(wr_event_reader_new(&options, &f->reading.events, &f->err), 0);
    f->topic.name = "orders";
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    wr_view_bundle_fini(&f->bundle);
    wr_event_reader_free(f->reading.events);
    wr_arena_fini(&f->arena);
    free(f);
    return 0;
}

/* A chunk of `count` records with the same key and value. */
static void make_chunk(struct fixture *f, size_t count, const char *key, const char *value)
{
    f->records = wr_arena_array(&f->arena, count, sizeof(*f->records));
    assert_non_null(f->records);
    for (size_t i = 0; i < count; i++) {
        f->records[i] =
            (struct wr_log_record){.offset = 100 + (int64_t)i,
                                   .record = {.key = wr_bytes_of_str(wr_str_of(key)),
                                              .value = wr_bytes_of_str(wr_str_of(value)),
                                              .timestamp_ms = 1710498600000 + (int64_t)i}};
    }
    f->chunk = (struct wr_log_chunk){.kind = WR_POLL_RECORDS,
                                     .topic = &f->topic,
                                     .partition = 3,
                                     .records = f->records,
                                     .count = count,
                                     .next_offset = 100 + (int64_t)count + 7,
                                     .leader_epoch = 5};
}

static size_t fill(struct fixture *f, size_t at)
{
    wr_view_bundle_begin(&f->bundle, &f->chunk);
    assert_int_equal(wr_view_bundle_fill(&f->bundle, &f->reading, &f->chunk, &at), 0);
    return at;
}

/* Take the only event of a record. */
static struct wr_view_item take_one(struct fixture *f, const char *key, const char *value)
{
    struct wr_view_item item;
    make_chunk(f, 1, key, value);
    assert_int_equal(fill(f, 0), 1);
    assert_int_equal(f->bundle.count, 1);
    assert_int_equal(wr_view_bundle_offset(&f->bundle), 100);
    assert_true(wr_view_bundle_take(&f->bundle, &item));
    assert_false(wr_view_bundle_take(&f->bundle, &(struct wr_view_item){0}));
    assert_int_equal(wr_view_bundle_offset(&f->bundle), 108);
    return item;
}

static void expect_text(const struct wr_bind *value, enum wr_bind_kind kind, const char *text)
{
    assert_int_equal(value->kind, kind);
    assert_int_equal(value->text.len, strlen(text));
    assert_memory_equal(value->text.ptr, text, value->text.len);
}

static void values_of_every_kind_come_out_as_they_went_in(void **state)
{
    struct fixture *f = *state;
    char json[] =
        "{\"type\":\"All\",\"i\":-9223372036854775808,\"f\":0.10,\"big\":12345678901234567890,"
        "\"text\":\"caf\\u00e9\",\"yes\":true,\"none\":null,\"list\":[1, 2]}";
    struct wr_view_item item = take_one(f, "k", json);
    memset(json, 'x', sizeof(json) - 1); /* the record is gone */
    const struct wr_bind *values = item.event.values;
    assert_int_equal(item.code, 0);
    assert_int_equal(item.handler, 0);
    assert_int_equal(item.event.time_ms, 1710498600000);
    assert_int_equal(item.bytes, 1 + sizeof(json) - 1);
    assert_int_equal(values[0].kind, WR_BIND_INT);
    assert_true(values[0].u.i == INT64_MIN);
    expect_text(&values[1], WR_BIND_REAL, "0.10");
    assert_true(values[1].u.f == 0.1);
    expect_text(&values[2], WR_BIND_NUMBER, "12345678901234567890");
    expect_text(&values[3], WR_BIND_TEXT, "caf\xc3\xa9");
    assert_int_equal(values[4].kind, WR_BIND_BOOL);
    assert_true(values[4].u.b);
    assert_int_equal(values[5].kind, WR_BIND_NULL);
    expect_text(&values[6], WR_BIND_JSON, "[1, 2]");
    assert_int_equal(values[7].kind, WR_BIND_NULL);
}

static void what_is_wrong_with_an_event_is_kept_with_it(void **state)
{
    struct fixture *f = *state;
    struct wr_view_item item = take_one(f, NULL, "{\"type\":\"All\",\"i\":1}");
    assert_int_equal(item.code, WEIR_E_INPUT);
    assert_int_equal(item.type.len, 3);
    assert_memory_equal(item.type.text.ptr, "All", 3);
    assert_null(item.key.text.ptr);
    assert_true(wr_str_eq(item.why, WR_STR("the event has no 'f' (write :f? for NULL)")));
    item = take_one(f, "", "nonsense");
    assert_int_equal(item.code, WEIR_E_INPUT);
    assert_null(item.type.text.ptr);
    assert_non_null(item.key.text.ptr);
    assert_int_equal(item.key.len, 0);
    item = take_one(f, "k", "{\"type\":\"All\",\"i\":1,\"f\":\"\xff\"}");
    assert_int_equal(item.code, WEIR_E_INPUT);
}

static void events_that_nobody_wants_and_null_values_have_no_values(void **state)
{
    struct fixture *f = *state;
    struct wr_view_item item = take_one(f, "k", NULL);
    assert_int_equal(item.code, 0);
    assert_false(item.is_event);
    item = take_one(f, "k", "{\"type\":\"Other\"}");
    assert_true(item.is_event);
    assert_int_equal(item.handler, WR_EVENT_UNWANTED);
    item = take_one(f, "k", "{\"type\":\"None\"}");
    assert_int_equal(item.handler, 1);
    assert_int_equal(item.code, 0);
}

static void of_a_long_key_the_beginning_is_kept_and_the_length(void **state)
{
    struct fixture *f = *state;
    char key[1000];
    memset(key, 'k', sizeof(key));
    key[WR_VIEW_SHOWN_MAX] = 'x';
    key[sizeof(key) - 1] = 0;
    struct wr_view_item item = take_one(f, key, "{\"type\":\"None\"}");
    assert_int_equal(item.key.len, sizeof(key) - 1);
    assert_int_equal(item.key.text.len, WR_VIEW_SHOWN_MAX);
    assert_memory_equal(item.key.text.ptr, key, WR_VIEW_SHOWN_MAX);
}

/* How many events a bundle takes, from `at` on; each is looked at. */
static size_t take_all(struct fixture *f, size_t at)
{
    struct wr_view_item item;
    size_t next = fill(f, at);
    assert_int_equal(f->bundle.count, next - at);
    for (size_t i = at; i < next; i++) {
        assert_true(wr_view_bundle_take(&f->bundle, &item));
        assert_int_equal(item.offset, 100 + (int64_t)i);
        assert_int_equal(item.code, 0);
    }
    assert_int_equal(f->bundle.next_offset,
                     next == f->chunk.count ? f->chunk.next_offset : 100 + (int64_t)next);
    return next - at;
}

static void a_chunk_goes_into_as_many_bundles_as_it_needs(void **state)
{
    struct fixture *f = *state;
    make_chunk(f, WR_VIEW_ITEMS_MAX * 2 + 10, "k", "{\"type\":\"None\"}");
    assert_int_equal(take_all(f, 0), WR_VIEW_ITEMS_MAX);
    assert_int_equal(take_all(f, WR_VIEW_ITEMS_MAX), WR_VIEW_ITEMS_MAX);
    assert_int_equal(take_all(f, (size_t)WR_VIEW_ITEMS_MAX * 2), 10);
}

static void large_events_fill_a_bundle_and_their_memory_is_let_go(void **state)
{
    struct fixture *f = *state;
    static char json[(size_t)3 * WR_VIEW_BUNDLE_BYTES];
    static char text[WR_VIEW_BUNDLE_BYTES];
    memset(text, 't', sizeof(text) - 1);
    static const char form[] =
        "{\"type\":\"All\",\"i\":1,\"f\":1,\"big\":1,\"text\":\"%s\",\"yes\":1,"
        "\"none\":1,\"list\":\"%s\"}";
    (void)snprintf(json, sizeof(json), form, text, text);
    make_chunk(f, 3, "k", json);
    assert_int_equal(take_all(f, 0), 1);
    assert_int_equal(take_all(f, 1), 1);
    text[WR_VIEW_BUNDLE_BYTES / 8] = 0;
    (void)snprintf(json, sizeof(json), form, text, text);
    make_chunk(f, 8, "k", json);
    assert_int_equal(take_all(f, 0), 4);
    assert_in_range(f->bundle.cap, WR_VIEW_BUNDLE_BYTES, 2 * WR_VIEW_BUNDLE_BYTES);
}

static void out_of_memory_leaves_the_chunk_as_it_is(void **state)
{
    struct fixture *f = *state;
    size_t failures = 0;
    make_chunk(f, 2, "k", "{\"type\":\"None\"}");
    for (size_t i = 1; i <= 40; i++) {
        size_t at = 0;
        wr_view_bundle_begin(&f->bundle, &f->chunk);
        wr_test_fail_alloc_at = i;
        int rc = wr_view_bundle_fill(&f->bundle, &f->reading, &f->chunk, &at);
        wr_test_fail_alloc_at = 0;
        assert_int_equal(
            at, rc == 0 ? 2 : 0); /* what an event reader does without memory is its matter */
        assert_int_equal(f->bundle.count, at);
        failures += rc == WEIR_E_NOMEM ? 1 : 0;
        wr_view_bundle_fini(&f->bundle);
    }
    assert_in_range(failures, 2, 40);
    assert_int_equal(fill(f, 0), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_of_every_kind_come_out_as_they_went_in),
        TEST(what_is_wrong_with_an_event_is_kept_with_it),
        TEST(events_that_nobody_wants_and_null_values_have_no_values),
        TEST(of_a_long_key_the_beginning_is_kept_and_the_length),
        TEST(a_chunk_goes_into_as_many_bundles_as_it_needs),
        TEST(large_events_fill_a_bundle_and_their_memory_is_let_go),
        TEST(out_of_memory_leaves_the_chunk_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
