/* Which records a tail shows, where it begins and where it ends. */
#include "api_fixture.h"

#include <pthread.h>

static struct fixture f;

#define RECORDS "api/topics/orders/records"

/* Ten records of two keys, one a second from 10:30:00 on. */
static int set_up(void **state)
{
    (void)state;
    fixture_open(&f);
    for (int i = 0; i < 10; i++) {
        char value[16];
        (void)snprintf(value, sizeof(value), "%d\n", i);
        const struct wr_api_param params[] = {{"key", i % 2 == 0 ? "even" : "odd"}, {NULL, NULL}};
        assert_int_equal(call(&f, "POST", RECORDS, params, value), 0);
        wr_manual_clock_advance(&f.clock, 1000000);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&f);
    return 0;
}

/* The values shown, one character each. */
static const char *values(void)
{
    static char shown[64];
    size_t n = 0;
    for (const char *at = f.answer; (at = strstr(at, "\"value\":")) != NULL; at++) {
        shown[n++] = at[8];
    }
    shown[n] = 0;
    return shown;
}

static void shows(const struct wr_api_param *params, const char *expected)
{
    assert_int_equal(call(&f, "GET", RECORDS, params, NULL), 0);
    assert_string_equal(values(), expected);
}

static void begins_where_it_is_told(void **state)
{
    (void)state;
    shows(NULL, "0123456789");
    shows(PARAMS({"from", "earliest"}), "0123456789");
    shows(PARAMS({"from", "latest"}), "");
    shows(PARAMS({"from", "0"}), "0123456789");
    shows(PARAMS({"from", "7"}), "789");
    shows(PARAMS({"from", "10"}), "");
    shows(PARAMS({"from", "2024-03-15T10:30:05Z"}), "56789");
    shows(PARAMS({"from", "2024-03-15 10:30:04.001"}), "56789");
    shows(PARAMS({"from", "2024-03-15T11:30:08+01:00"}), "89");
    shows(PARAMS({"from", "2024-03-16"}), "");
    shows(PARAMS({"from", "1999-01-01"}), "0123456789");
}

static void an_age_counts_back_from_now(void **state)
{
    (void)state;
    /* The machine's clock is far past the records': none is that young, all are younger than 100 years. */
    shows(PARAMS({"from", "-15m"}), "");
    shows(PARAMS({"from", "-36500d"}), "0123456789");
}

static void ends_where_it_is_told(void **state)
{
    (void)state;
    shows(PARAMS({"max", "3"}), "012");
    shows(PARAMS({"max", "0"}), "");
    shows(PARAMS({"max", "3"}, {"from", "8"}), "89");
    shows(PARAMS({"key", "odd"}), "13579");
    shows(PARAMS({"key", "odd"}, {"max", "2"}), "13");
    shows(PARAMS({"key", "none"}), "");
    shows(PARAMS({"follow", ""}, {"from", "earliest"}, {"max", "10"}), "0123456789");
}

static void wrong_wishes_are_refused(void **state)
{
    (void)state;
    static const struct wr_api_param wrong[][2] = {
        {{"from", ""}, {NULL, NULL}},       {{"from", "yesterday"}, {NULL, NULL}},
        {{"from", "-1"}, {NULL, NULL}},     {{"from", "-x"}, {NULL, NULL}},
        {{"from", "-1w"}, {NULL, NULL}},    {{"from", "2024-02-30"}, {NULL, NULL}},
        {{"max", "-1"}, {NULL, NULL}},      {{"max", "x"}, {NULL, NULL}},
        {{"follow", "yes"}, {NULL, NULL}},  {{"format", "xml"}, {NULL, NULL}},
        {{"partition", "1"}, {NULL, NULL}}, {{"partition", "x"}, {NULL, NULL}},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_int_equal(call(&f, "GET", RECORDS, wrong[i], NULL), WEIR_E_INPUT);
    }
    assert_int_equal(call(&f, "GET", RECORDS, PARAMS({"from", "11"}), NULL), WEIR_E_RANGE);
    assert_int_equal(call(&f, "GET", "api/topics/none/records", NULL, NULL), WEIR_E_NOTFOUND);
    assert_int_equal(call(&f, "GET", RECORDS, NULL, "a body"), WEIR_E_INPUT);
}

static void an_aborted_or_open_transaction_is_not_shown(void **state)
{
    (void)state;
    struct wr_log_writer *writer = NULL;
    struct wr_log_topic *topic = NULL;
    const struct wr_log_writer_options options = {.id = NULL};
    const struct wr_record record = {.value = {(const uint8_t *)"x", 1}, .timestamp_ms = -1};
    assert_int_equal(wr_log_topic_find(f.api.log, "orders", &topic, &f.err), 0);
    assert_int_equal(wr_log_writer_open(f.api.log, &options, &writer, &f.err), 0);
    for (int round = 0; round < 2; round++) {
        uint64_t commit = 0;
        assert_int_equal(wr_log_writer_mark(writer, &f.err), 0);
        assert_int_equal(wr_log_append(writer, topic, 0, &record, &f.err), 0);
        assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &commit, &f.err), 0);
        assert_int_equal(wr_log_writer_wait(writer, commit, -1, &f.err), 0);
        shows(NULL, "0123456789");
        bool keep = round == 1;
        assert_int_equal(wr_log_writer_end(writer, keep, &commit, &f.err), 0);
        assert_int_equal(wr_log_writer_wait(writer, commit, -1, &f.err), 0);
        assert_int_equal(call(&f, "GET", RECORDS, NULL, NULL), 0);
        assert_string_equal(values(), keep ? "0123456789\"" : "0123456789");
    }
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

static void several_partitions_are_shown_to_their_own_ends(void **state)
{
    (void)state;
    assert_int_equal(
        call(&f, "POST", "api/topics", NULL, "{\"name\": \"wide\", \"partitions\": 3}"), 0);
    static const char *const partitions[] = {"0", "0", "2"};
    for (size_t i = 0; i < 3; i++) {
        const struct wr_api_param params[] = {{"partition", partitions[i]}, {NULL, NULL}};
        assert_int_equal(call(&f, "POST", "api/topics/wide/records", params, "1\n"), 0);
    }
    assert_int_equal(call(&f, "GET", "api/topics/wide/records", NULL, NULL), 0);
    assert_string_equal(values(), "111");
    assert_int_equal(call(&f, "GET", "api/topics/wide/records", PARAMS({"partition", "2"}), NULL),
                     0);
    assert_string_equal(values(), "1");
    assert_int_equal(call(&f, "GET", "api/topics/wide/records", PARAMS({"from", "1"}), NULL), 0);
    assert_string_equal(values(), "1");
    assert_int_equal(call(&f, "POST", "api/topics/wide/records", PARAMS({"partition", "3"}), "1\n"),
                     WEIR_E_RANGE);
}

static void plain_lines_cannot_play_with_a_terminal(void **state)
{
    (void)state;
    assert_int_equal(
        call(&f, "POST", RECORDS, PARAMS({"key", "k\tk"}), "\x1b[31mred\xff\n{\"a\": 1}\n"), 0);
    assert_int_equal(call(&f, "GET", RECORDS, PARAMS({"format", "plain"}, {"from", "9"}), NULL), 0);
    assert_string_equal(f.answer,
                        "orders-0:9\t2024-03-15T10:30:09.000Z\todd\t9\n"
                        "orders-0:10\t2024-03-15T10:30:10.000Z\tk\\x09k\t\\x1b[31mred\\xff\n"
                        "orders-0:11\t2024-03-15T10:30:10.000Z\tk\\x09k\t{\"a\":1}\n");
}

/* ---- following ---- */

struct follower {
    struct wr_api_call *call;
    char text[4096];
    int64_t rc;
    struct weir_error err;
};

static void *follow(void *arg)
{
    struct follower *follower = arg;
    size_t len = 0;
    do {
        follower->rc = wr_api_call_read(follower->call, follower->text + len,
                                        sizeof(follower->text) - 1 - len, &follower->err);
        len += follower->rc > 0 ? (size_t)follower->rc : 0;
    } while (follower->rc > 0);
    return NULL;
}

static void start_following(struct follower *follower, const struct wr_api_param *params,
                            size_t param_count, int hangup_fd, pthread_t *thread)
{
    static const char *const path[] = {"api", "topics", "orders", "records", NULL};
    const struct wr_api_target target = {.method = "GET",
                                         .path = path,
                                         .params = params,
                                         .param_count = param_count,
                                         .hangup_fd = hangup_fd};
    assert_int_equal(wr_api_call_open(&f.api, &target, &follower->call, &f.err), 0);
    assert_int_equal(wr_api_call_finish(follower->call, &f.err), 0);
    assert_int_equal(pthread_create(thread, NULL, follow, follower), 0);
}

static void a_follower_sees_what_comes_and_ends_after_max(void **state)
{
    (void)state;
    static struct follower follower;
    static const struct wr_api_param params[] = {{"follow", ""}, {"max", "2"}};
    pthread_t thread;
    start_following(&follower, params, 2, -1, &thread);
    assert_int_equal(call(&f, "POST", RECORDS, NULL, "A\nB\nC\n"), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(follower.rc, 0);
    assert_non_null(strstr(follower.text, "\"offset\":10,"));
    assert_non_null(strstr(follower.text, "\"offset\":11,"));
    assert_null(strstr(follower.text, "\"offset\":12,"));
    wr_api_call_close(follower.call);
}

static void a_follower_ends_when_its_client_has_gone(void **state)
{
    (void)state;
    static struct follower follower;
    static const struct wr_api_param params[] = {{"follow", ""}};
    struct wr_wake gone = {-1};
    pthread_t thread;
    assert_int_equal(wr_wake_open(&gone, &f.err), 0);
    start_following(&follower, params, 1, gone.fd, &thread);
    wr_wake_signal(&gone);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(follower.rc, 0);
    wr_api_call_close(follower.call);
    wr_wake_close(&gone);
}

static void a_follower_is_told_when_weir_stops(void **state)
{
    (void)state;
    static struct follower follower;
    static const struct wr_api_param params[] = {{"follow", ""}};
    pthread_t thread;
    start_following(&follower, params, 1, -1, &thread);
    wr_wake_signal(&f.stop);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(follower.rc, WEIR_E_CONNECT);
    assert_string_equal(follower.err.text, "weir was stopped");
    wr_api_call_close(follower.call);
}

#define ON_RECORDS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_RECORDS(begins_where_it_is_told),
        ON_RECORDS(an_age_counts_back_from_now),
        ON_RECORDS(ends_where_it_is_told),
        ON_RECORDS(wrong_wishes_are_refused),
        ON_RECORDS(an_aborted_or_open_transaction_is_not_shown),
        ON_RECORDS(several_partitions_are_shown_to_their_own_ends),
        ON_RECORDS(plain_lines_cannot_play_with_a_terminal),
        ON_RECORDS(a_follower_sees_what_comes_and_ends_after_max),
        ON_RECORDS(a_follower_ends_when_its_client_has_gone),
        ON_RECORDS(a_follower_is_told_when_weir_stops),
    };
    return cmocka_run_group_tests_name("tail", tests, NULL, NULL);
}
