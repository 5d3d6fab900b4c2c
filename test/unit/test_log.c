/*
 * What stands in front of every engine: the checks that an engine may rely on, and what is built on the
 * interface alone. On the model, told to give the answers that matter here.
 */
#include "log/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct wr_log_topic *make_topic(struct wr_log *log, const char *name)
{
    struct weir_error err;
    struct wr_log_topic *topic = NULL;
    struct wr_topic_spec spec = {.name = name, .partition_count = 2};
    assert_int_equal(wr_log_topic_create(log, &spec, &topic, &err), 0);
    return topic;
}

static struct wr_log_writer *open_writer(struct wr_log *log)
{
    struct weir_error err;
    struct wr_log_writer *w = NULL;
    assert_int_equal(wr_log_writer_open(log, &(struct wr_log_writer_options){0}, &w, &err), 0);
    return w;
}

static void append(struct wr_log_writer *w, struct wr_log_topic *topic)
{
    struct weir_error err;
    struct wr_record record = {.value = {(const uint8_t *)"x", 1}};
    assert_int_equal(wr_log_append(w, topic, 0, &record, &err), 0);
}

static void internal_topics_are_known_by_name(void **state)
{
    (void)state;
    assert_true(wr_topic_is_internal("__weir_schemas"));
    assert_true(wr_topic_is_internal("__consumer_offsets"));
    assert_true(wr_topic_is_internal("__transaction_state"));
    assert_false(wr_topic_is_internal("__weird"));
    assert_false(wr_topic_is_internal("__consumer_offsets2"));
    assert_false(wr_topic_is_internal("orders"));
}

static void a_name_is_told_shortened_when_it_is_too_long(void **state)
{
    (void)state;
    struct weir_error err;
    char name[2000];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    struct wr_log *log = wr_memory_log_open(NULL);
    struct wr_topic_spec spec = {.name = name, .partition_count = 1};
    assert_int_equal(wr_log_topic_create(log, &spec, NULL, &err), WEIR_E_INPUT);
    assert_non_null(strstr(err.text, "1 to 249 of a-z A-Z 0-9 . _ -"));
    wr_log_close(log);
    wr_log_close(NULL);
}

static void waiting_gives_the_error_of_the_answer(void **state)
{
    (void)state;
    static const struct {
        enum wr_memory_outcome outcome;
        int code;
    } cases[] = {
        {WR_MEMORY_AGAIN, WEIR_E_FULL},
        {WR_MEMORY_REWIND, WEIR_E_CONNECT},
        {WR_MEMORY_UNKNOWN, WEIR_E_CONNECT},
        {WR_MEMORY_FENCED, WEIR_E_FENCED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_error err;
        uint64_t number = 0;
        struct wr_log *log = wr_memory_log_open(NULL);
        struct wr_log_topic *topic = make_topic(log, "t");
        struct wr_log_writer *w = open_writer(log);
        wr_memory_log_next_outcome(log, WR_MEMORY_DONE);
        wr_memory_log_next_outcome(log, cases[i].outcome);
        append(w, topic);
        assert_int_equal(wr_log_writer_commit(w, 0, NULL, &err), 0);
        append(w, topic);
        assert_int_equal(wr_log_writer_commit(w, 0, &number, &err), 0);
        assert_int_equal(wr_log_writer_wait(w, number, -1, &err), cases[i].code);
        wr_log_writer_close(w);
        wr_log_topic_unref(topic);
        wr_log_close(log);
    }
}

static void waiting_ends_when_the_log_breaks_or_the_time_is_over(void **state)
{
    (void)state;
    struct weir_error err;
    uint64_t number = 0;
    struct wr_log *log = wr_memory_log_open(NULL);
    struct wr_log_topic *topic = make_topic(log, "t");
    struct wr_log_writer *w = open_writer(log);
    wr_memory_log_hold(log, WR_MEMORY_HOLD_COMMITS);
    append(w, topic);
    assert_int_equal(wr_log_writer_commit(w, 0, &number, &err), 0);
    assert_int_equal(wr_log_writer_wait(w, number, 0, &err), WEIR_E_AGAIN);
    assert_int_equal(wr_log_writer_wait(w, number, 10, &err), WEIR_E_AGAIN);
    assert_string_equal(err.text, "commit 1 is not answered within 10 ms");
    wr_memory_log_break(log);
    assert_int_equal(wr_log_writer_wait(w, number, -1, &err), WEIR_E_IO);
    wr_log_writer_close(w);
    wr_log_topic_unref(topic);
    wr_log_close(log);
}

static void ensuring_survives_that_another_makes_it_first(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_log *log = wr_memory_log_open(NULL);
    struct wr_log_topic *mine = make_topic(log, "t");
    struct wr_log_topic *topic = NULL;
    struct wr_topic_spec spec = {.name = "t", .partition_count = 7};
    /* the look before says that it is not there; when it is made, it is */
    wr_memory_log_fail_call(log, WR_MEMORY_TOPIC_FIND, 1, WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_topic_ensure(log, &spec, &topic, &err), 0);
    assert_int_equal(topic->partition_count, 2);
    wr_log_topic_unref(topic);
    wr_memory_log_fail_call(log, WR_MEMORY_TOPIC_FIND, 1, WEIR_E_IO);
    assert_int_equal(wr_log_topic_ensure(log, &spec, &topic, &err), WEIR_E_IO);
    wr_log_topic_unref(mine);
    wr_log_close(log);
}

static void the_last_value_says_whose_it_is_when_reading_fails(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_bytes value = {(const uint8_t *)"untouched", 9};
    struct wr_log *log = wr_memory_log_open(NULL);
    struct wr_log_topic *topic = make_topic(log, "t");
    struct wr_log_writer *w = open_writer(log);
    append(w, topic);
    assert_int_equal(wr_log_writer_commit(w, 0, NULL, &err), 0);
    static const enum wr_memory_call calls[] = {WR_MEMORY_TOPIC_FIND, WR_MEMORY_PARTITION_INFO,
                                                WR_MEMORY_READER_OPEN, WR_MEMORY_ASSIGN,
                                                WR_MEMORY_READER_POLL};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        wr_memory_log_fail_call(log, calls[i], 1, WEIR_E_IO);
        assert_int_equal(wr_log_last_value(log, "t", value, &value, &err), WEIR_E_IO);
        assert_string_equal((const char *)value.ptr, "untouched");
    }
    assert_non_null(strstr(err.text, "last value in 't'"));
    wr_log_writer_close(w);
    wr_log_topic_unref(topic);
    wr_log_close(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(internal_topics_are_known_by_name),
        cmocka_unit_test(a_name_is_told_shortened_when_it_is_too_long),
        cmocka_unit_test(waiting_gives_the_error_of_the_answer),
        cmocka_unit_test(waiting_ends_when_the_log_breaks_or_the_time_is_over),
        cmocka_unit_test(ensuring_survives_that_another_makes_it_first),
        cmocka_unit_test(the_last_value_says_whose_it_is_when_reading_fails),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
