/* What event a record is. The rules are those at the head of event.h; the envelopes are Debezium's, with and
 * without embedded schema (the layout of its 3.x documentation), cut to what the rules look at. */
#include "data/event.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture {
    struct wr_arena arena;
    struct wr_parameters set;
    struct wr_event_reader *reader;
    struct wr_header headers[4];
    struct wr_record record;
    const struct wr_event *event;
    struct weir_error err;
};

static const struct wr_str wanted[] = {
    WR_STR_INIT("OrderPlaced"), WR_STR_INIT("create"), WR_STR_INIT("read"),
    WR_STR_INIT("update"),      WR_STR_INIT("delete"), WR_STR_INIT("truncate"),
    WR_STR_INIT("message"),
};

static void open_reader(struct fixture *f, const char *type_field)
{
    struct wr_event_options options = {&f->set, wr_str_of(type_field), wanted, 7};
    wr_event_reader_free(f->reader);
    f->reader = NULL;
    assert_int_equal(wr_event_reader_new(&options, &f->reader, &f->err), 0);
}

static int setup(void **state)
{
    static const char text[] =
        ":id :customer.name :_type :_id :_key :_offset :_partition :_time :_op :_before.id :_after.id "
        ":_source.lsn :_after :content :_version";
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->arena = wr_arena_of(1 << 20);
    f->set = wr_parameters_of(&f->arena);
    struct wr_sql sql;
    size_t at = 0;
    assert_int_equal(wr_sql_scan(wr_str_of(text), WR_SQL_SQLITE, &f->set, &sql, &at, &f->err), 0);
    open_reader(f, NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    wr_event_reader_free(f->reader);
    wr_arena_fini(&f->arena);
    free(f);
    return 0;
}

/* Read a record; `key` and `value` may be NULL; headers stay from before. */
static int read_record(struct fixture *f, const char *key, const char *value)
{
    static const struct wr_event_place place = {3, 42, -1};
    f->record.key = wr_bytes_of_str(wr_str_of(key));
    f->record.value = wr_bytes_of_str(wr_str_of(value));
    f->record.headers = f->headers;
    f->record.timestamp_ms = 1710498600000;
    return wr_event_read(f->reader, &place, &f->record, &f->event, &f->err);
}

static void read_value(struct fixture *f, const char *value)
{
    if (read_record(f, "order-1", value) < 0) {
        fail_msg("%s: %s", value, f->err.text);
    }
}

static void add_header(struct fixture *f, const char *name, const char *value)
{
    f->headers[f->record.header_count++] =
        (struct wr_header){wr_str_of(name), wr_bytes_of_str(wr_str_of(value))};
}

static uint32_t index_of(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->set.count; i++) {
        if (wr_str_eq(f->set.items[i].text, wr_str_of(name))) {
            return (uint32_t)i;
        }
    }
    fail_msg("no parameter %s", name);
    return 0;
}

/* The value of a parameter, written as a person would: 7, 1.5, 'text', {json}, true, NULL, or "missing". */
static const char *value_of(struct fixture *f, const char *name)
{
    static char text[256];
    struct wr_parameter_use use = {.parameter = index_of(f, name)};
    struct wr_bind bind;
    if (wr_event_value(f->reader, &use, &bind, &f->err) < 0) {
        assert_int_equal(f->err.code, WEIR_E_INPUT);
        use.is_optional = true;
        return wr_event_value(f->reader, &use, &bind, &f->err) == 0 ? "missing" : f->err.text;
    }
    switch (bind.kind) {
    case WR_BIND_NULL: return "NULL";
    case WR_BIND_BOOL: return bind.u.b ? "true" : "false";
    case WR_BIND_INT: (void)snprintf(text, sizeof(text), "%lld", (long long)bind.u.i); break;
    case WR_BIND_REAL: (void)snprintf(text, sizeof(text), "%g", bind.u.f); break;
    case WR_BIND_TEXT: (void)snprintf(text, sizeof(text), "'%.*s'", WR_FMT(bind.text)); break;
    case WR_BIND_NUMBER:
    case WR_BIND_JSON:
    case WR_BIND_BYTES:
    default: (void)snprintf(text, sizeof(text), "%.*s", WR_FMT(bind.text)); break;
    }
    return text;
}

static void expect_type(const struct fixture *f, const char *type)
{
    assert_int_equal(f->event->type.len, strlen(type));
    assert_memory_equal(f->event->type.ptr, type, strlen(type));
    assert_int_not_equal(f->event->wanted, WR_EVENT_UNWANTED);
    assert_true(wr_str_eq(wanted[f->event->wanted], f->event->type));
}

static void a_plain_event_has_its_members_as_fields(void **state)
{
    struct fixture *f = *state;
    read_value(f, "{\"type\":\"OrderPlaced\",\"id\":7,\"customer\":{\"name\":\"Ada\"}}");
    assert_int_equal(f->event->kind, WR_EVENT_PLAIN);
    expect_type(f, "OrderPlaced");
    assert_string_equal(value_of(f, "id"), "7");
    assert_string_equal(value_of(f, "customer.name"), "'Ada'");
    assert_string_equal(value_of(f, "_type"), "'OrderPlaced'");
    assert_string_equal(value_of(f, "_key"), "'order-1'");
    assert_string_equal(value_of(f, "_offset"), "42");
    assert_string_equal(value_of(f, "_partition"), "3");
    assert_string_equal(value_of(f, "_time"), "'2024-03-15T10:30:00.000Z'");
    assert_string_equal(value_of(f, "_id"), "missing");
    assert_string_equal(value_of(f, "_op"), "missing");
    assert_string_equal(value_of(f, "_after.id"), "missing");
    assert_string_equal(value_of(f, "_version"), "missing");
}

static void each_kind_of_value_is_kept(void **state)
{
    struct fixture *f = *state;
    static const char *const values[][2] = {
        {"true", "true"},
        {"null", "NULL"},
        {"-3", "-3"},
        {"1.5", "1.5"},
        {"\"x\"", "'x'"},
        {"{ \"a\":1}", "{ \"a\":1}"},
        {"[1, 2]", "[1, 2]"},
        {"1e999", "1e999"},
        {"123456789012345678901", "123456789012345678901"},
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "{\"type\":\"OrderPlaced\",\"id\":%s}", values[i][0]);
        read_value(f, text);
        assert_string_equal(value_of(f, "id"), values[i][1]);
    }
}

static void a_missing_value_is_an_error_unless_it_may_be_missing(void **state)
{
    struct fixture *f = *state;
    read_value(f, "{\"type\":\"OrderPlaced\",\"customer\":null}");
    assert_string_equal(value_of(f, "id"), "missing");
    assert_string_equal(value_of(f, "customer.name"), "missing");
    struct wr_parameter_use use = {.parameter = index_of(f, "customer.name")};
    struct wr_bind bind;
    assert_int_equal(wr_event_value(f->reader, &use, &bind, &f->err), WEIR_E_INPUT);
    assert_non_null(strstr(f->err.text, "no 'customer.name' (write :customer.name? for NULL)"));
}

static void the_textbook_shape_keeps_its_fields_in_data(void **state)
{
    struct fixture *f = *state;
    read_value(
        f,
        "{\"event_id\":\"e-1\",\"event_type\":\"OrderPlaced\",\"aggregate_id\":\"order-1\",\"id\":9,"
        "\"timestamp\":\"2024-03-15T11:00:00+01:00\",\"data\":{\"id\":7}}");
    assert_int_equal(f->event->kind, WR_EVENT_TEXTBOOK);
    expect_type(f, "OrderPlaced");
    assert_string_equal(value_of(f, "id"), "7");
    assert_string_equal(value_of(f, "_id"), "'e-1'");
    assert_string_equal(value_of(f, "_time"), "'2024-03-15T10:00:00.000Z'");
    assert_string_equal(value_of(f, "customer.name"), "missing");
    /* one of the four is not there: plain */
    read_value(f, "{\"event_id\":5,\"event_type\":\"OrderPlaced\",\"id\":9,\"data\":{\"id\":7}}");
    assert_int_equal(f->event->kind, WR_EVENT_PLAIN);
    assert_string_equal(value_of(f, "id"), "9");
    assert_string_equal(value_of(f, "_id"), "5");
}

static void headers_of_cloudevents_come_first(void **state)
{
    struct fixture *f = *state;
    add_header(f, "ce_type", "OrderPlaced");
    add_header(f, "ce_id", "A-1");
    add_header(f, "ce_time", "2020-01-01T00:00:00Z");
    read_value(f,
               "{\"type\":\"Other\",\"event_id\":\"e-2\",\"timestamp\":\"2021-01-01\",\"id\":1}");
    expect_type(f, "OrderPlaced");
    assert_string_equal(value_of(f, "_id"), "'A-1'");
    assert_string_equal(value_of(f, "_time"), "'2020-01-01T00:00:00.000Z'");
}

static void an_unwanted_type_in_the_header_spares_the_value(void **state)
{
    struct fixture *f = *state;
    add_header(f, "ce_type", "Unknown");
    read_value(f, "\x01 this is no JSON");
    assert_int_equal(f->event->wanted, WR_EVENT_UNWANTED);
    assert_int_not_equal(f->event->kind, WR_EVENT_NONE);
}

static void the_type_may_stand_elsewhere(void **state)
{
    struct fixture *f = *state;
    read_value(f, "{\"type\":{\"x\":1},\"event_type\":\"OrderPlaced\"}"); /* an object is no type */
    expect_type(f, "OrderPlaced");
    open_reader(f, "meta.kind");
    read_value(f, "{\"type\":\"create\",\"meta\":{\"kind\":\"OrderPlaced\"}}");
    expect_type(f, "OrderPlaced");
    read_value(f, "{\"type\":\"OrderPlaced\"}"); /* only there, then */
    assert_null(f->event->type.ptr);
    assert_int_equal(f->event->wanted, WR_EVENT_UNWANTED);
}

static void what_has_no_type_is_an_event_that_nobody_wants(void **state)
{
    struct fixture *f = *state;
    static const char *const values[] = {"{}",  "{\"ts_ms\":1710500000000}", "[1]", "7", "\"text\"",
                                         "null"};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        read_value(f, values[i]);
        assert_int_equal(f->event->kind, WR_EVENT_PLAIN);
        assert_null(f->event->type.ptr);
        assert_int_equal(f->event->wanted, WR_EVENT_UNWANTED);
    }
}

#define SOURCE "\"source\":{\"lsn\":24023128,\"table\":\"orders\"},\"transaction\":null,"

static void a_change_has_its_row_as_fields(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *value;
        const char *type;
        const char *id;
        const char *op;
    } changes[] = {
        {"{\"before\":null,\"after\":{\"id\":7}," SOURCE "\"op\":\"c\"}", "create", "7", "'c'"},
        {"{\"before\":null,\"after\":{\"id\":7}," SOURCE "\"op\":\"r\"}", "read", "7", "'r'"},
        {"{\"before\":{\"id\":6},\"after\":{\"id\":7}," SOURCE "\"op\":\"u\"}", "update", "7",
         "'u'"},
        {"{\"before\":{\"id\":6},\"after\":null," SOURCE "\"op\":\"d\"}", "delete", "6", "'d'"},
        {"{\"before\":null,\"after\":null," SOURCE "\"op\":\"t\"}", "truncate", "missing", "'t'"},
        {"{" SOURCE "\"op\":\"t\"}", "truncate", "missing", "'t'"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        read_value(f, changes[i].value);
        expect_type(f, changes[i].type);
        assert_string_equal(value_of(f, "id"), changes[i].id);
        assert_string_equal(value_of(f, "_op"), changes[i].op);
        assert_string_equal(value_of(f, "_source.lsn"), "24023128");
        assert_string_equal(value_of(f, "_time"), "'2024-03-15T10:30:00.000Z'");
    }
    read_value(f, changes[2].value);
    assert_string_equal(value_of(f, "_before.id"), "6");
    assert_string_equal(value_of(f, "_after.id"), "7");
    assert_string_equal(value_of(f, "_after"), "{\"id\":7}");
}

static void an_embedded_schema_is_taken_off(void **state)
{
    struct fixture *f = *state;
    read_value(
        f, "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"id\",\"type\":\"int32\"}],"
           "\"optional\":false,\"name\":\"app.public.orders.Envelope\",\"version\":2},"
           "\"payload\":{\"before\":null,\"after\":{\"id\":7}," SOURCE "\"op\":\"c\"}}");
    expect_type(f, "create");
    assert_string_equal(value_of(f, "id"), "7");
    assert_string_equal(value_of(f, "_source.lsn"), "24023128");
    read_value(f, "{\"schema\":null,\"payload\":{\"type\":\"OrderPlaced\",\"id\":8}}");
    expect_type(f, "OrderPlaced");
    assert_string_equal(value_of(f, "id"), "8");
    /* a payload of one's own */
    read_value(f, "{\"type\":\"OrderPlaced\",\"id\":9,\"payload\":{\"id\":8}}");
    assert_string_equal(value_of(f, "id"), "9");
    read_value(f,
               "{\"type\":\"OrderPlaced\",\"id\":9,\"schema\":{\"x\":1},\"payload\":{\"id\":8}}");
    assert_string_equal(value_of(f, "id"), "9");
}

static void a_key_loses_its_schema_too(void **state)
{
    struct fixture *f = *state;
    const char *value = "{\"type\":\"OrderPlaced\"}";
    assert_int_equal(
        read_record(f, "{\"schema\":{\"type\":\"struct\",\"fields\":[]},\"payload\":{\"id\":7}}",
                    value),
        0);
    assert_string_equal(value_of(f, "_key"), "{\"id\":7}");
    assert_int_equal(read_record(f, "{\"schema\":{\"type\":\"string\"},\"payload\":\"k\"}", value),
                     0);
    assert_string_equal(value_of(f, "_key"), "'k'");
    assert_int_equal(read_record(f, "{\"id\":7}", value), 0);
    assert_string_equal(value_of(f, "_key"), "'{\"id\":7}'");
    assert_int_equal(read_record(f, "{not json", value), 0);
    assert_string_equal(value_of(f, "_key"), "'{not json'");
    assert_int_equal(read_record(f, NULL, value), 0);
    assert_string_equal(value_of(f, "_key"), "missing");
    assert_int_equal(read_record(f, "ab\xff", value), 0);
    assert_non_null(strstr(value_of(f, "_key"), "the record's key is not UTF-8 at byte 2"));
}

static void what_only_looks_like_a_change_is_plain(void **state)
{
    struct fixture *f = *state;
    static const char *const values[] = {
        "{\"type\":\"OrderPlaced\",\"id\":7,\"op\":\"c\"}",
        "{\"type\":\"OrderPlaced\",\"id\":7,\"op\":\"c\",\"source\":{}}",
        "{\"type\":\"OrderPlaced\",\"id\":7,\"op\":\"c\",\"source\":\"web\",\"after\":{\"id\":1}}",
        "{\"type\":\"OrderPlaced\",\"id\":7,\"op\":\"create\",\"source\":{},\"after\":{\"id\":1}}",
        "{\"type\":\"OrderPlaced\",\"id\":7,\"op\":\"x\",\"source\":{},\"after\":{\"id\":1}}",
        "{\"type\":\"OrderPlaced\",\"id\":7,\"op\":\"m\",\"source\":{},\"after\":{\"id\":1}}",
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        read_value(f, values[i]);
        expect_type(f, "OrderPlaced");
        assert_string_equal(value_of(f, "id"), "7");
    }
}

static void a_logical_message_is_an_event(void **state)
{
    struct fixture *f = *state;
    read_value(f, "{\"op\":\"m\",\"ts_ms\":1," SOURCE
                  "\"message\":{\"prefix\":\"p\",\"content\":\"aGk=\"}}");
    expect_type(f, "message");
    assert_string_equal(value_of(f, "content"), "'aGk='");
    assert_string_equal(value_of(f, "_op"), "'m'");
}

static void a_null_is_no_event(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_record(f, "order-1", NULL), 0);
    assert_int_equal(f->event->kind, WR_EVENT_NONE);
    read_value(f, "{\"schema\":{\"type\":\"struct\"},\"payload\":null}");
    assert_int_equal(f->event->kind, WR_EVENT_NONE);
    assert_int_equal(f->event->wanted, WR_EVENT_UNWANTED);
}

static void what_cannot_be_read_is_an_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_record(f, "k", ""), WEIR_E_INPUT);
    assert_int_equal(read_record(f, "k", "{\"type\":\"OrderPlaced\",\"id\":\"\xff\"}"),
                     WEIR_E_INPUT);
    assert_string_equal(f->err.text, "value: not valid JSON at byte 28: not UTF-8");
    add_header(f, "ce_type", "OrderPlaced");
    add_header(f, "ce_id", "\xff");
    assert_int_equal(read_record(f, "k", "no JSON"), WEIR_E_INPUT);
    assert_int_equal(read_record(f, "k", "{}"), 0);
    assert_non_null(strstr(value_of(f, "_id"), "the header ce_id is not UTF-8"));
}

static void nothing_is_left_of_the_record_before(void **state)
{
    struct fixture *f = *state;
    read_value(f, "{\"before\":{\"id\":6},\"after\":null," SOURCE "\"op\":\"d\"}");
    assert_string_equal(value_of(f, "_time"), "'2024-03-15T10:30:00.000Z'");
    read_value(f, "{\"type\":\"OrderPlaced\",\"timestamp\":\"2021-01-01\"}");
    assert_string_equal(value_of(f, "_op"), "missing");
    assert_string_equal(value_of(f, "id"), "missing");
    assert_string_equal(value_of(f, "_time"), "'2021-01-01T00:00:00.000Z'");
    read_value(f, "{\"type\":\"OrderPlaced\",\"timestamp\":\"soon\"}");
    assert_string_equal(value_of(f, "_time"), "'2024-03-15T10:30:00.000Z'");
}

static void running_out_of_memory_is_said(void **state)
{
    struct fixture *f = *state;
    struct wr_event_options options = {&f->set, {NULL, 0}, wanted, 7};
    int rc = WEIR_E_NOMEM;
    for (size_t n = 1; rc != 0; n++) {
        struct wr_event_reader *reader = NULL;
        wr_test_fail_alloc_at = n;
        rc = wr_event_reader_new(&options, &reader, &f->err);
        wr_test_fail_alloc_at = 0;
        assert_true(rc == 0 || rc == WEIR_E_NOMEM);
        wr_event_reader_free(reader);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_event_has_its_members_as_fields),
        TEST(each_kind_of_value_is_kept),
        TEST(a_missing_value_is_an_error_unless_it_may_be_missing),
        TEST(the_textbook_shape_keeps_its_fields_in_data),
        TEST(headers_of_cloudevents_come_first),
        TEST(an_unwanted_type_in_the_header_spares_the_value),
        TEST(the_type_may_stand_elsewhere),
        TEST(what_has_no_type_is_an_event_that_nobody_wants),
        TEST(a_change_has_its_row_as_fields),
        TEST(an_embedded_schema_is_taken_off),
        TEST(a_key_loses_its_schema_too),
        TEST(what_only_looks_like_a_change_is_plain),
        TEST(a_logical_message_is_an_event),
        TEST(a_null_is_no_event),
        TEST(what_cannot_be_read_is_an_error),
        TEST(nothing_is_left_of_the_record_before),
        TEST(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
