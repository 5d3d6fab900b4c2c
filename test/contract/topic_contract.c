/* topic_contract.c - topics: made, found, listed, deleted, and what is refused. */
#include "contract/log_fixture.h"

static int create(struct fixture *f, const char *name, uint32_t partitions, const char *key,
                  const char *value)
{
    struct wr_topic_setting setting = {key, value};
    struct wr_topic_spec spec = {name, partitions, &setting, key == NULL ? 0 : 1};
    return wr_log_topic_create(f->log, &spec, NULL, &f->err);
}

static bool is_there(struct fixture *f, const char *name)
{
    struct wr_log_topic *topic = NULL;
    int rc = wr_log_topic_find(f->log, name, &topic, &f->err);
    assert_true(rc == 0 || rc == WEIR_E_NOTFOUND);
    wr_log_topic_unref(topic);
    return rc == 0;
}

static void a_topic_has_its_name_its_partitions_and_an_id(void **state)
{
    struct fixture *f = *state;
    static const struct wr_topic_id none;
    struct wr_log_topic *topic = make_topic(f, "orders", 3, NULL);
    assert_string_equal(topic->name, "orders");
    assert_int_equal(topic->partition_count, 3);
    assert_ptr_equal(topic->log, f->log);
    assert_memory_not_equal(&topic->id, &none, sizeof(none));
    struct wr_log_topic *again = find_topic(f, "orders");
    assert_string_equal(again->name, "orders");
    assert_int_equal(again->partition_count, 3);
    assert_memory_equal(&again->id, &topic->id, sizeof(none));
    struct wr_partition_info info = info_of(f, topic, 2);
    assert_int_equal(info.log_start, 0);
    assert_int_equal(info.last_stable, 0);
    assert_int_equal(info.high_watermark, 0);
    assert_int_equal(info.size_bytes, 0);
    assert_false(info.is_damaged);
}

static void a_name_is_taken_once(void **state)
{
    struct fixture *f = *state;
    (void)make_topic(f, "orders", 3, NULL);
    assert_int_equal(create(f, "orders", 1, NULL, NULL), WEIR_E_EXISTS);
    assert_non_null(strstr(f->err.text, "orders"));
    assert_int_equal(find_topic(f, "orders")->partition_count, 3);
}

static void a_missing_topic_is_named(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *topic = NULL;
    assert_int_equal(wr_log_topic_find(f->log, "absent", &topic, &f->err), WEIR_E_NOTFOUND);
    assert_null(topic);
    assert_non_null(strstr(f->err.text, "absent"));
    assert_int_equal(wr_log_topic_delete(f->log, "absent", &f->err), WEIR_E_NOTFOUND);
    assert_non_null(strstr(f->err.text, "absent"));
}

static void names_are_what_kafka_allows(void **state)
{
    struct fixture *f = *state;
    char long_name[251];
    memset(long_name, 'x', sizeof(long_name));
    long_name[250] = 0;
    const char *const bad[] = {"",  ".",    "..",      "a b", "a/b", "../x",
                               "ä", "a\nb", long_name, "a:b", "a,b", "a*"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(create(f, bad[i], 1, NULL, NULL), WEIR_E_INPUT);
    }
    long_name[249] = 0;
    const char *const good[] = {"a", "...", "a.b", "a-b", "a_b", "-", "A9", "a..b", long_name};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(create(f, good[i], 1, NULL, NULL), 0);
        assert_true(is_there(f, good[i]));
    }
}

/* Folders are named <topic>-<partition>: these must not meet. */
static void names_that_look_like_partitions_of_others_do_not_mix(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *one = make_topic(f, "a", 2, NULL);
    struct wr_log_topic *two = make_topic(f, "a-1", 1, NULL);
    struct wr_log_topic *three = make_topic(f, "a-1-0", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, one, 1, "one");
    put(f, w, two, 0, "two");
    put(f, w, three, 0, "three");
    assert_int_equal(wr_log_topic_delete(f->log, "a", &f->err), 0);
    assert_string_equal(seen(f, two, 0), "0=two");
    assert_string_equal(seen(f, three, 0), "0=three");
}

static void bad_counts_and_settings_are_refused_and_leave_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create(f, "t", 0, NULL, NULL), WEIR_E_INPUT);
    assert_int_equal(create(f, "t", 100001, NULL, NULL), WEIR_E_INPUT);
    assert_int_equal(create(f, "t", 1, "retention.ms", "soon"), WEIR_E_INPUT);
    assert_non_null(strstr(f->err.text, "retention.ms"));
    assert_non_null(strstr(f->err.text, "soon"));
    assert_int_equal(create(f, "t", 1, "retention.mss", "1"), WEIR_E_INPUT);
    assert_non_null(strstr(f->err.text, "retention.ms"));
    assert_int_equal(create(f, "t", 1, "cleanup.policy", "never"), WEIR_E_INPUT);
    assert_false(is_there(f, "t"));
}

static int note_setting(void *arg, const struct wr_topic_setting *setting, struct weir_error *err)
{
    (void)err;
    char *text = arg;
    size_t len = strlen(text);
    (void)snprintf(text + len, 200 - len, "%s=%s ", setting->key, setting->value);
    return 0;
}

static int stop_at_setting(void *arg, const struct wr_topic_setting *setting,
                           struct weir_error *err)
{
    (void)setting;
    ++*(int *)arg;
    return wr_fail(err, WEIR_E_STOPPED, "enough");
}

static void settings_that_differ_from_the_default_are_told(void **state)
{
    struct fixture *f = *state;
    char text[200] = "";
    int calls = 0;
    struct wr_log_topic *topic =
        make_topic(f, "t", 1, "retention.ms=5000,segment.jitter.ms=0,cleanup.policy=compact");
    assert_int_equal(wr_log_topic_settings(f->log, topic, note_setting, text, &f->err), 0);
    assert_non_null(strstr(text, "retention.ms=5000 "));
    assert_non_null(strstr(text, "cleanup.policy=compact "));
    assert_null(strstr(text, "segment.jitter.ms"));
    assert_int_equal(wr_log_topic_settings(f->log, topic, stop_at_setting, &calls, &f->err),
                     WEIR_E_STOPPED);
    assert_int_equal(calls, 1);
    text[0] = 0;
    struct wr_log_topic *plain = make_topic(f, "u", 1, NULL);
    assert_int_equal(wr_log_topic_settings(f->log, plain, note_setting, text, &f->err), 0);
    assert_string_equal(text, "");
}

static int note_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    (void)err;
    char *text = arg;
    size_t len = strlen(text);
    (void)snprintf(text + len, 200 - len, "%s:%u ", topic->name, topic->partition_count);
    return 0;
}

static int stop_at_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    (void)topic;
    ++*(int *)arg;
    return wr_fail(err, WEIR_E_STOPPED, "enough");
}

static void topics_are_listed_by_name_in_byte_order(void **state)
{
    struct fixture *f = *state;
    char text[200] = "";
    int calls = 0;
    assert_int_equal(wr_log_topic_list(f->log, note_topic, text, &f->err), 0);
    assert_string_equal(text, "");
    (void)make_topic(f, "b", 2, NULL);
    (void)make_topic(f, "a", 1, NULL);
    (void)make_topic(f, "a-b", 1, NULL);
    (void)make_topic(f, "__weir_x", 1, NULL);
    (void)make_topic(f, "B", 1, NULL);
    assert_int_equal(wr_log_topic_list(f->log, note_topic, text, &f->err), 0);
    assert_string_equal(text, "B:1 __weir_x:1 a:1 a-b:1 b:2 ");
    assert_int_equal(wr_log_topic_list(f->log, stop_at_topic, &calls, &f->err), WEIR_E_STOPPED);
    assert_int_equal(calls, 1);
}

static int delete_it(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    return wr_log_topic_delete(arg, topic->name, err);
}

static void a_walk_may_delete_what_it_walks_over(void **state)
{
    struct fixture *f = *state;
    char text[200] = "";
    (void)make_topic(f, "a", 1, NULL);
    (void)make_topic(f, "b", 1, NULL);
    assert_int_equal(wr_log_topic_list(f->log, delete_it, f->log, &f->err), 0);
    assert_int_equal(wr_log_topic_list(f->log, note_topic, text, &f->err), 0);
    assert_string_equal(text, "");
}

static void every_use_of_a_deleted_topic_says_so(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *topic = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    put(f, w, topic, 0, "a");
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    assert_false(is_there(f, "t"));
    assert_string_equal(topic->name, "t"); /* the handle is still good */
    struct wr_partition_info info;
    int64_t offset;
    char text[200] = "";
    struct wr_record record = {.value = {(const uint8_t *)"x", 1}};
    assert_int_equal(wr_log_partition_info(f->log, topic, 0, &info, &f->err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_offset_for_time(f->log, topic, 0, 0, &offset, &f->err),
                     WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_epoch_end(f->log, topic, 0, 0, &offset, &f->err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_topic_settings(f->log, topic, note_setting, text, &f->err),
                     WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_append(w, topic, 0, &record, &f->err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_reader_assign(r, topic, 0, 0, &f->err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), WEIR_E_NOTFOUND);
}

static void a_topic_made_again_is_another_and_empty(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *old = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, old, 0, "old");
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    struct wr_log_topic *new = make_topic(f, "t", 2, NULL);
    assert_memory_not_equal(&new->id, &old->id, sizeof(old->id));
    assert_int_equal(info_of(f, new, 0).high_watermark, 0);
    put(f, w, new, 0, "new");
    assert_string_equal(seen(f, new, 0), "0=new");
    struct wr_partition_info info;
    assert_int_equal(wr_log_partition_info(f->log, old, 0, &info, &f->err), WEIR_E_NOTFOUND);
}

static void ensuring_makes_it_once(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *one = NULL;
    struct wr_log_topic *two = NULL;
    struct wr_topic_spec spec = {.name = "t", .partition_count = 2};
    assert_int_equal(wr_log_topic_ensure(f->log, &spec, &one, &f->err), 0);
    spec.partition_count = 5;
    assert_int_equal(wr_log_topic_ensure(f->log, &spec, &two, &f->err), 0);
    assert_int_equal(two->partition_count, 2);
    assert_memory_equal(&one->id, &two->id, sizeof(one->id));
    wr_log_topic_unref(one);
    wr_log_topic_unref(two);
    spec.name = "bad name";
    assert_int_equal(wr_log_topic_ensure(f->log, &spec, &two, &f->err), WEIR_E_INPUT);
}

static void a_handle_is_good_until_its_last_holder_lets_go(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *topic = NULL;
    (void)make_topic(f, "t", 1, NULL);
    assert_int_equal(wr_log_topic_find(f->log, "t", &topic, &f->err), 0);
    assert_ptr_equal(wr_log_topic_ref(topic), topic);
    wr_log_topic_unref(topic);
    assert_string_equal(topic->name, "t");
    wr_log_topic_unref(topic);
    wr_log_topic_unref(NULL);
}

static void a_partition_that_is_not_there_is_out_of_range(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *topic = make_topic(f, "t", 2, NULL);
    struct wr_partition_info info;
    int64_t offset;
    assert_int_equal(wr_log_partition_info(f->log, topic, 2, &info, &f->err), WEIR_E_RANGE);
    assert_int_equal(wr_log_offset_for_time(f->log, topic, 2, 0, &offset, &f->err), WEIR_E_RANGE);
    assert_int_equal(wr_log_epoch_end(f->log, topic, 2, 0, &offset, &f->err), WEIR_E_RANGE);
}

static void many_partitions_are_one_topic(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *topic = make_topic(f, "wide", 64, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    for (uint32_t p = 0; p < 64; p++) {
        append(f, w, topic, p, NULL, "x");
    }
    struct wr_log_answer answer = commit_done(f, w);
    assert_int_equal(answer.written_count, 64);
    for (uint32_t p = 0; p < 64; p++) {
        assert_string_equal(seen(f, topic, p), "0=x");
    }
}

/* ---- the last value of a key ---- */

static void put_key(struct fixture *f, struct wr_log_writer *w, struct wr_log_topic *topic,
                    const char *key, const char *value)
{
    append(f, w, topic, 0, key, value);
    (void)commit_done(f, w);
}

static const char *last_value(struct fixture *f, const char *topic, const char *key)
{
    static char text[100];
    struct wr_bytes value;
    assert_int_equal(
        wr_log_last_value(f->log, topic, wr_bytes_of_str(wr_str_of(key)), &value, &f->err), 0);
    if (value.ptr == NULL) {
        return NULL;
    }
    assert_int_equal(value.ptr[value.len], 0);
    (void)snprintf(text, sizeof(text), "%s", (const char *)value.ptr);
    wr_free((void *)(uintptr_t)value.ptr);
    return text;
}

static void the_last_value_of_a_key_is_its_newest_committed_one(void **state)
{
    struct fixture *f = *state;
    assert_null(last_value(f, "absent", "k"));
    struct wr_log_topic *topic = make_topic(f, "t", 1, "cleanup.policy=compact");
    struct wr_log_writer *w = open_writer(f, NULL);
    assert_null(last_value(f, "t", "k"));
    put_key(f, w, topic, "k", "one");
    put_key(f, w, topic, "other", "x");
    put_key(f, w, topic, "k", "two");
    assert_string_equal(last_value(f, "t", "k"), "two");
    put_key(f, w, topic, "k", "");
    assert_string_equal(last_value(f, "t", "k"), "");
    put_key(f, w, topic, "k", NULL);
    assert_null(last_value(f, "t", "k"));
    assert_string_equal(last_value(f, "t", "other"), "x");
    assert_null(last_value(f, "t", "kk"));
}

static void the_last_value_is_not_one_of_an_aborted_transaction(void **state)
{
    struct fixture *f = *state;
    if ((wr_log_capabilities(f->log) & WR_LOG_CAN_MARK) == 0) {
        return;
    }
    struct wr_log_topic *topic = make_topic(f, "t", 1, "cleanup.policy=compact");
    struct wr_log_writer *w = open_writer(f, NULL);
    put_key(f, w, topic, "k", "kept");
    assert_int_equal(wr_log_writer_mark(w, &f->err), 0);
    put_key(f, w, topic, "k", "aborted");
    assert_string_equal(last_value(f, "t", "k"), "kept"); /* does not wait for the open one */
    end_done(f, w, false);
    assert_string_equal(last_value(f, "t", "k"), "kept");
}

int topic_contract(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_topic_has_its_name_its_partitions_and_an_id),
        TEST(a_name_is_taken_once),
        TEST(a_missing_topic_is_named),
        TEST(names_are_what_kafka_allows),
        TEST(names_that_look_like_partitions_of_others_do_not_mix),
        TEST(bad_counts_and_settings_are_refused_and_leave_nothing),
        TEST(settings_that_differ_from_the_default_are_told),
        TEST(topics_are_listed_by_name_in_byte_order),
        TEST(a_walk_may_delete_what_it_walks_over),
        TEST(every_use_of_a_deleted_topic_says_so),
        TEST(a_topic_made_again_is_another_and_empty),
        TEST(ensuring_makes_it_once),
        TEST(a_handle_is_good_until_its_last_holder_lets_go),
        TEST(a_partition_that_is_not_there_is_out_of_range),
        TEST(many_partitions_are_one_topic),
        TEST(the_last_value_of_a_key_is_its_newest_committed_one),
        TEST(the_last_value_is_not_one_of_an_aborted_transaction),
    };
    return cmocka_run_group_tests_name("topics", tests, NULL, NULL);
}
