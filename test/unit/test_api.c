/* The API's routes on a log in memory: what each answers, and what each refuses. */
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

static void answers_equal(const char *text)
{
    assert_string_equal(f.answer, text);
}

static void an_unknown_path_and_a_wrong_method_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "GET", "api/nothing", NULL, NULL), WEIR_E_NOTFOUND);
    assert_int_equal(call(&f, "GET", "api/topics/a/b/c", NULL, NULL), WEIR_E_NOTFOUND);
    assert_int_equal(call(&f, "PUT", "api/topics", NULL, NULL), WEIR_E_UNSUPPORTED);
    assert_int_equal(call(&f, "POST", "api/sources", NULL, NULL), WEIR_E_UNSUPPORTED);
}

static void status_says_engine_and_durability(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "GET", "api/status", NULL, NULL), 0);
    assert_non_null(strstr(f.answer, "\"name\": \"weir\", \"version\": \"" WEIR_VERSION "\""));
    assert_non_null(strstr(f.answer, "\"engine\": \"memory\", \"durability\": \"fsync\"}\n"));
}

static void workers_begin_with_their_name(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "GET", "api/sources", NULL, NULL), 0);
    answers_equal("[{\"name\": \"app\", \"state\": \"streaming\"}, "
                  "{\"name\": \"b\\\"b\", \"state\": \"streaming\"}]\n");
    assert_int_equal(call(&f, "GET", "api/sources/status", NULL, NULL), 0);
    answers_equal("[{\"name\": \"app\", \"state\": \"streaming\", \"lag\": 12, \"error\": null, "
                  "\"parts\": [1]}, {\"name\": \"b\\\"b\", \"state\": \"streaming\"}]\n");
    assert_int_equal(call(&f, "GET", "api/views", NULL, NULL), 0);
    answers_equal("[]\n");
    assert_int_equal(call(&f, "GET", "api/views/status", NULL, NULL), 0);
    answers_equal("[]\n");
}

static void a_topic_is_made_listed_described_and_deleted(void **state)
{
    (void)state;
    assert_int_equal(call(&f, "POST", "api/topics", NULL,
                          "{\"name\": \"orders\", \"partitions\": 2, \"config\": "
                          "{\"retention.ms\": \"1000\"}}"),
                     0);
    assert_int_equal(call(&f, "POST", "api/topics", NULL, "{\"name\": \"orders\"}"), WEIR_E_EXISTS);
    assert_int_equal(call(&f, "GET", "api/topics", NULL, NULL), 0);
    assert_ptr_equal(strstr(f.answer, "[{\"name\": \"orders\", \"id\": \""), f.answer);
    assert_non_null(strstr(f.answer, "\"partitions\": 2, \"records\": 0, \"bytes\": 0, "
                                     "\"damaged\": 0, \"internal\": false}]\n"));
    assert_int_equal(call(&f, "GET", "api/topics/orders", NULL, NULL), 0);
    assert_non_null(strstr(f.answer, "{\"partition\": 1, \"log_start\": 0, \"last_stable\": 0, "
                                     "\"high_watermark\": 0, \"leader_epoch\": "));
    assert_non_null(strstr(f.answer, "\"config\": {\"retention.ms\": \"1000\"}}]\n"));
    assert_int_equal(call(&f, "DELETE", "api/topics/orders", NULL, NULL), 0);
    answers_equal("{\"name\": \"orders\"}\n");
    assert_int_equal(call(&f, "GET", "api/topics/orders", NULL, NULL), WEIR_E_NOTFOUND);
    assert_int_equal(call(&f, "DELETE", "api/topics/orders", NULL, NULL), WEIR_E_NOTFOUND);
}

static void a_wrong_spec_of_a_topic_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{",
                                         "{}",
                                         "{\"name\": 1}",
                                         "{\"name\": \"a\", \"partitions\": 0}",
                                         "{\"name\": \"a\", \"partitions\": -1}",
                                         "{\"name\": \"a\", \"partitions\": \"x\"}",
                                         "{\"name\": \"a\", \"config\": []}",
                                         "{\"name\": \"a\", \"config\": {\"a\": 1}}",
                                         "{\"name\": \"a\", \"config\": {\"retention.ms\": \"x\"}}",
                                         "{\"name\": \"a b\"}",
                                         "{\"name\": \"__weir_x\"}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(call(&f, "POST", "api/topics", NULL, bodies[i]), WEIR_E_INPUT);
    }
    assert_int_equal(call(&f, "GET", "api/topics", NULL, NULL), 0);
    answers_equal("[]\n");
}

static void a_body_that_is_read_whole_has_a_limit(void **state)
{
    (void)state;
    char *body = wr_alloc_array(WR_API_BODY_MAX + 2, 1);
    memset(body, ' ', WR_API_BODY_MAX + 1);
    assert_int_equal(call(&f, "POST", "api/topics", NULL, body), WEIR_E_LIMIT);
    wr_free(body);
}

static void internal_topics_show_only_when_asked_for(void **state)
{
    (void)state;
    const struct wr_topic_spec spec = {.name = "__weir_positions", .partition_count = 1};
    assert_int_equal(wr_log_topic_create(f.api.log, &spec, NULL, &f.err), 0);
    assert_int_equal(call(&f, "GET", "api/topics", NULL, NULL), 0);
    answers_equal("[]\n");
    assert_int_equal(call(&f, "GET", "api/topics", PARAMS({"internal", "true"}), NULL), 0);
    assert_non_null(strstr(f.answer, "\"internal\": true"));
    assert_int_equal(call(&f, "GET", "api/topics/__weir_positions", NULL, NULL), WEIR_E_INPUT);
    assert_int_equal(call(&f, "GET", "api/topics/__weir_positions/records", NULL, NULL),
                     WEIR_E_INPUT);
    assert_int_equal(
        call(&f, "GET", "api/topics/__weir_positions/records", PARAMS({"internal", ""}), NULL), 0);
    assert_int_equal(
        call(&f, "POST", "api/topics/__weir_positions/records", PARAMS({"internal", ""}), "x\n"),
        WEIR_E_INPUT);
    assert_int_equal(call(&f, "DELETE", "api/topics/__weir_positions", NULL, NULL), WEIR_E_INPUT);
}

static void an_error_is_json_with_its_code(void **state)
{
    (void)state;
    struct weir_error error;
    struct wr_writer out = wr_writer_growing(4096);
    (void)wr_fail(&error, WEIR_E_NOTFOUND, "there is no \"%s\"", "a\nb");
    wr_api_put_error(&out, &error);
    static const char expected[] =
        "{\"error\": \"there is no \\\"a\\nb\\\"\", \"code\": \"NOTFOUND\"}\n";
    assert_true(wr_str_eq(wr_writer_str(&out), wr_str_of(expected)));
    wr_writer_reset(&out);
    (void)wr_fail(&error, WEIR_E_INPUT, "\xff\xfe is no name");
    wr_api_put_error(&out, &error);
    assert_true(wr_str_eq(wr_writer_str(&out),
                          WR_STR("{\"error\": \"?? is no name\", \"code\": \"INPUT\"}\n")));
    wr_writer_fini(&out);
}

static void every_code_has_its_name_and_a_status(void **state)
{
    (void)state;
#define X(name, number, class, text)                   \
    assert_int_equal(wr_api_code_of(#name), (number)); \
    assert_in_range(wr_api_status(WEIR_E_##name), 400, 599);
    WEIR_CODES(X)
#undef X
    assert_int_equal(wr_api_code_of("nonsense"), WEIR_E_IO);
    assert_int_equal(wr_api_status(WEIR_E_NOTFOUND), 404);
    assert_int_equal(wr_api_status(WEIR_E_INPUT), 400);
    assert_int_equal(wr_api_status(WEIR_E_EXISTS), 409);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unknown_path_and_a_wrong_method_are_told_apart, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(status_says_engine_and_durability, set_up, tear_down),
        cmocka_unit_test_setup_teardown(workers_begin_with_their_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_topic_is_made_listed_described_and_deleted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_spec_of_a_topic_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_body_that_is_read_whole_has_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(internal_topics_show_only_when_asked_for, set_up,
                                        tear_down),
        cmocka_unit_test(an_error_is_json_with_its_code),
        cmocka_unit_test(every_code_has_its_name_and_a_status),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
