/* Lines become records, byte for byte, wherever the pieces of the body are cut. */
#include "api_fixture.h"

static struct fixture f;

static int set_up(void **state)
{
    (void)state;
    fixture_open(&f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

#define RECORDS "api/topics/orders/records"

/* What a topic holds, as tail shows it. */
static const char *tail_all(void)
{
    assert_int_equal(call(&f, "GET", RECORDS, NULL, NULL), 0);
    return f.answer;
}

#define HEAD(offset) \
    "{\"topic\":\"orders\",\"partition\":0,\"offset\":" #offset ",\"timestamp\":1710498600000,"

static void lines_become_records_wherever_they_are_cut(void **state)
{
    (void)state;
    static const char body[] = "one\n\n\xff\xfe\x00x\r\n{\"a\": 1}";
    const struct wr_bytes bytes = {(const uint8_t *)body, sizeof(body) - 1};
    for (size_t piece = 1; piece <= bytes.len; piece++) {
        fixture_close(&f);
        fixture_open(&f);
        assert_int_equal(call_in_pieces(&f, "POST", RECORDS, NULL, bytes, piece), 0);
        assert_string_equal(f.answer, "{\"topic\": \"orders\", \"records\": 4}\n");
        assert_string_equal(
            tail_all(),
            HEAD(0) "\"key\":null,\"value\":\"one\",\"headers\":[]}\n" HEAD(1) "\"key\":null,\"value\":\"\",\"headers\":[]}\n" HEAD(
                2) "\"key\":null,\"value_base64\":\"//4AeA0=\",\"headers\":[]}\n" HEAD(3) "\"key\":null,\"value\":{\"a\":1},\"headers\":[]}\n");
    }
}

static void key_type_id_and_headers_are_set(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "POST", RECORDS,
                          PARAMS({"key", "1001"}, {"header", "b=1"}, {"type", "OrderPlaced"},
                                 {"id", "e-1"}, {"header", "a=x=y"}),
                          "v\n"),
                     0);
    assert_string_equal(tail_all(),
                        HEAD(0) "\"key\":1001,\"value\":\"v\",\"headers\":[[\"b\",\"1\"],[\"a\","
                                "\"x=y\"],[\"ce_type\",\"OrderPlaced\"],[\"ce_id\",\"e-1\"]]}\n");
}

static void a_separator_parts_key_and_value(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "POST", RECORDS, PARAMS({"key_separator", "::"}), "k::v::w\n::\n"),
                     0);
    assert_string_equal(tail_all(),
                        HEAD(0) "\"key\":\"k\",\"value\":\"v::w\",\"headers\":[]}\n" HEAD(
                            1) "\"key\":\"\",\"value\":\"\",\"headers\":[]}\n");
}

static void a_line_without_its_separator_is_named_and_those_before_it_stay(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "POST", RECORDS,
                          PARAMS({"key_separator", ":"}, {"lines_before", "10"}),
                          "a:1\nb:2\nno\nc:3\n"),
                     WEIR_E_INPUT);
    assert_string_equal(f.err.text,
                        "line 13 (12 before it are stored): there is no key separator ':'");
    assert_string_equal(tail_all(), HEAD(0) "\"key\":\"a\",\"value\":1,\"headers\":[]}\n" HEAD(
                                        1) "\"key\":\"b\",\"value\":2,\"headers\":[]}\n");
}

static void an_id_names_one_event(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "POST", RECORDS, PARAMS({"id", "e"}), "a\nb\n"), WEIR_E_INPUT);
    assert_int_equal(call(&f, "POST", RECORDS, PARAMS({"id", "e"}, {"lines_before", "1"}), "c\n"),
                     WEIR_E_INPUT);
    assert_string_equal(f.err.text, "line 2 (1 before it are stored): an id names one event, and "
                                    "there is a second line");
}

static void wrong_parameters_are_refused_before_anything_is_made(void **state)
{
    (void)state;
    static const struct wr_api_param wrong[][3] = {
        {{"header", "x"}, {NULL, NULL}},       {{"header", "=x"}, {NULL, NULL}},
        {{"key_separator", ""}, {NULL, NULL}}, {{"key", "a"}, {"key_separator", ":"}, {NULL, NULL}},
        {{"partition", "x"}, {NULL, NULL}},    {{"partition", "-1"}, {NULL, NULL}},
        {{"create", "maybe"}, {NULL, NULL}},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(call(&f, "POST", RECORDS, wrong[i], "x\n"), WEIR_E_INPUT);
    }
    assert_int_equal(call(&f, "POST", "api/topics/bad name/records", NULL, "x\n"), WEIR_E_INPUT);
    assert_int_equal(call(&f, "POST", RECORDS, PARAMS({"create", "false"}), "x\n"),
                     WEIR_E_NOTFOUND);
    assert_int_equal(call(&f, "GET", "api/topics", NULL, NULL), 0);
    assert_string_equal(f.answer, "[]\n");
}

static void an_empty_body_makes_the_topic(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "POST", RECORDS, NULL, NULL), 0);
    assert_string_equal(f.answer, "{\"topic\": \"orders\", \"records\": 0}\n");
    assert_int_equal(call(&f, "GET", "api/topics/orders", NULL, NULL), 0);
}

static void a_commit_that_is_not_done_is_an_error(void **state)
{
    (void)state;
    static const enum wr_memory_outcome outcomes[] = {WR_MEMORY_REWIND, WR_MEMORY_UNKNOWN};
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        wr_memory_log_next_outcome(f.api.log, outcomes[i]);
        assert_true(call(&f, "POST", RECORDS, PARAMS({"lines_before", "5"}), "a\nb\n") < 0);
        assert_non_null(strstr(f.err.text, "only 5 of 7 records are known to be stored"));
    }
}

static void a_full_disk_is_waited_for(void **state)
{
    (void)state;
    wr_memory_log_next_outcome(f.api.log, WR_MEMORY_AGAIN);
    assert_int_equal(call(&f, "POST", RECORDS, NULL, "a\nb\n"), 0);
    assert_string_equal(f.answer, "{\"topic\": \"orders\", \"records\": 2}\n");
    assert_int_equal(call(&f, "GET", RECORDS, NULL, NULL), 0);
    assert_non_null(strstr(f.answer, "\"offset\":1"));
    assert_null(strstr(f.answer, "\"offset\":2"));
}

static void a_full_disk_is_not_waited_for_when_weir_stops(void **state)
{
    (void)state;
    wr_wake_signal(&f.stop);
    wr_memory_log_next_outcome(f.api.log, WR_MEMORY_AGAIN);
    assert_int_equal(call(&f, "POST", RECORDS, PARAMS({"lines_before", "5"}), "a\nb\n"),
                     WEIR_E_FULL);
    assert_non_null(strstr(f.err.text, "only 5 of 7 records are known to be stored"));
}

static void more_than_one_commit_holds_goes_in_several(void **state)
{
    (void)state;
    fixture_close(&f);
    fixture_open(&f);
    wr_log_close(f.api.log);
    const struct wr_memory_options small = {
        .clock = &f.clock.clock, .commit_bytes_max = 64, .commits_in_flight_max = 2};
    f.api.log = wr_memory_log_open(&small);
    char body[2000] = "";
    for (int i = 0; i < 100; i++) {
        (void)snprintf(body + strlen(body), sizeof(body) - strlen(body), "line-%03d\n", i);
    }
    assert_int_equal(call(&f, "POST", RECORDS, NULL, body), 0);
    assert_string_equal(f.answer, "{\"topic\": \"orders\", \"records\": 100}\n");
    assert_int_equal(call(&f, "GET", RECORDS, PARAMS({"from", "99"}), NULL), 0);
    assert_non_null(strstr(f.answer, "\"offset\":99"));
    assert_non_null(strstr(f.answer, "\"value\":\"line-099\""));
}

static void a_line_over_what_a_commit_holds_is_named(void **state)
{
    (void)state;
    wr_log_close(f.api.log);
    const struct wr_memory_options small = {.clock = &f.clock.clock, .commit_bytes_max = 64};
    f.api.log = wr_memory_log_open(&small);
    char body[300] = "ok\n";
    memset(body + 3, 'x', 200);
    assert_int_equal(call(&f, "POST", RECORDS, NULL, body), WEIR_E_LIMIT);
    assert_ptr_equal(strstr(f.err.text, "line 2 (1 before it are stored): "), f.err.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_become_records_wherever_they_are_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(key_type_id_and_headers_are_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_separator_parts_key_and_value, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_line_without_its_separator_is_named_and_those_before_it_stay, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_id_names_one_event, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_parameters_are_refused_before_anything_is_made,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_body_makes_the_topic, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_that_is_not_done_is_an_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_waited_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_is_not_waited_for_when_weir_stops, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(more_than_one_commit_holds_goes_in_several, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_over_what_a_commit_holds_is_named, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests_name("produce", tests, NULL, NULL);
}
