/* restart_contract.c - leader epochs, and what is there after a clean stop and after a kill. */
#include "contract/log_fixture.h"

static int64_t epoch_end(struct fixture *f, struct wr_log_topic *t, int32_t epoch)
{
    int64_t end = -7;
    assert_int_equal(wr_log_epoch_end(f->log, t, 0, epoch, &end, &f->err), 0);
    return end;
}

static void the_current_epoch_ends_at_the_high_watermark(void **state)
{
    struct fixture *f = *state;
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    int32_t epoch = info_of(f, t, 0).leader_epoch;
    assert_int_equal(epoch_end(f, t, epoch), 0);
    put(f, w, t, 0, "a");
    assert_int_equal(epoch_end(f, t, epoch), 1);
    assert_int_equal(epoch_end(f, t, epoch + 1), -1);
    assert_int_equal(epoch_end(f, t, -1), -1);
}

static void all_is_there_after_a_clean_stop(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, "retention.ms=-1,segment.bytes=1000000");
    struct wr_topic_id id = t->id;
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, t, 0, "a");
    put(f, w, t, 1, "b");
    int32_t epoch = info_of(f, t, 0).leader_epoch;
    restart(f, true);
    t = find_topic(f, "t");
    assert_memory_equal(&t->id, &id, sizeof(id));
    assert_int_equal(t->partition_count, 2);
    assert_string_equal(seen(f, t, 0), "0=a");
    assert_string_equal(seen(f, t, 1), "0=b");
    assert_int_equal(info_of(f, t, 0).leader_epoch, epoch); /* nothing could be taken back */
    w = open_writer(f, NULL);
    put(f, w, t, 0, "c");
    assert_string_equal(seen(f, t, 0), "0=a 1=c");
}

static void all_that_was_answered_is_there_after_a_kill(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 2, NULL);
    struct wr_topic_id id = t->id;
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, t, 0, "a");
    put(f, w, t, 1, "b");
    int32_t epoch = info_of(f, t, 0).leader_epoch;
    restart(f, false);
    t = find_topic(f, "t");
    assert_memory_equal(&t->id, &id, sizeof(id));
    assert_string_equal(seen(f, t, 0), "0=a");
    assert_string_equal(seen(f, t, 1), "0=b");
    assert_true(info_of(f, t, 0).leader_epoch > epoch);
    assert_int_equal(epoch_end(f, t, epoch), 1);
    w = open_writer(f, NULL);
    put(f, w, t, 0, "c");
    assert_int_equal(epoch_end(f, t, epoch), 1);
    assert_int_equal(epoch_end(f, t, info_of(f, t, 0).leader_epoch), 2);
    assert_string_equal(seen(f, t, 0), "0=a 1=c");
}

static void a_record_has_the_epoch_in_which_it_was_written(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, NULL);
    int32_t epochs[3];
    for (size_t i = 0; i < 3; i++) {
        put(f, w, t, 0, "x");
        epochs[i] = info_of(f, t, 0).leader_epoch;
        restart(f, false);
        t = find_topic(f, "t");
        w = open_writer(f, NULL);
    }
    struct wr_log_reader *r = open_reader(f, WR_READ_COMMITTED);
    assert_int_equal(wr_log_reader_assign(r, t, 0, 0, &f->err), 0);
    for (int64_t next = 0; next < 3;) {
        struct wr_log_chunk chunk = take_chunk(f, r);
        next = chunk.next_offset;
        assert_int_equal(chunk.leader_epoch, epochs[next - 1]);
    }
    assert_int_equal(epoch_end(f, t, epochs[0]), 1);
    assert_int_equal(epoch_end(f, t, epochs[1]), 2);
}

static void topics_made_and_deleted_stay_so(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL) {
        return;
    }
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct wr_log_topic *gone = make_topic(f, "gone", 2, NULL);
        (void)make_topic(f, is_clean == 1 ? "kept1" : "kept0", 3, NULL);
        struct wr_log_writer *w = open_writer(f, NULL);
        put(f, w, gone, 1, "x");
        assert_int_equal(wr_log_topic_delete(f->log, "gone", &f->err), 0);
        restart(f, is_clean == 1);
        struct wr_log_topic *topic = NULL;
        assert_int_equal(wr_log_topic_find(f->log, "gone", &topic, &f->err), WEIR_E_NOTFOUND);
        assert_int_equal(find_topic(f, is_clean == 1 ? "kept1" : "kept0")->partition_count, 3);
    }
}

static void a_name_used_again_does_not_bring_back_old_records(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL) {
        return;
    }
    struct wr_log_writer *w = open_writer(f, NULL);
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    put(f, w, t, 0, "old");
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    t = make_topic(f, "t", 1, NULL);
    put(f, w, t, 0, "new");
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        restart(f, is_clean == 1);
        assert_string_equal(seen(f, find_topic(f, "t"), 0), "0=new");
    }
}

static int note_setting(void *arg, const struct wr_topic_setting *setting, struct weir_error *err)
{
    (void)err;
    (void)snprintf(arg, 100, "%s=%s", setting->key, setting->value);
    return 0;
}

static void settings_stay(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL) {
        return;
    }
    (void)make_topic(f, "t", 1, "retention.ms=12345");
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        char text[100] = "";
        restart(f, is_clean == 1);
        assert_int_equal(
            wr_log_topic_settings(f->log, find_topic(f, "t"), note_setting, text, &f->err), 0);
        assert_string_equal(text, "retention.ms=12345");
    }
}

static void marked_transactions_stay_what_they_were(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL || (wr_log_capabilities(f->log) & WR_LOG_CAN_MARK) == 0) {
        return;
    }
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        struct wr_log_topic *t = make_topic(f, is_clean == 1 ? "one" : "zero", 1, NULL);
        struct wr_log_writer *w = open_writer(f, "w");
        for (int keep = 0; keep < 2; keep++) {
            assert_int_equal(wr_log_writer_mark(w, &f->err), 0);
            put(f, w, t, 0, keep == 1 ? "kept" : "aborted");
            end_done(f, w, keep == 1);
        }
        struct wr_partition_info before = info_of(f, t, 0);
        restart(f, is_clean == 1);
        t = find_topic(f, is_clean == 1 ? "one" : "zero");
        const char *text = seen(f, t, 0);
        assert_non_null(strstr(text, "=kept"));
        assert_null(strstr(text, "aborted"));
        struct wr_partition_info after = info_of(f, t, 0);
        assert_int_equal(after.last_stable, before.last_stable);
        assert_int_equal(after.high_watermark, before.high_watermark);
    }
}

static void one_that_was_open_at_a_kill_is_aborted_by_its_next_writer(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL || (wr_log_capabilities(f->log) & WR_LOG_CAN_MARK) == 0) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, NULL);
    struct wr_log_writer *w = open_writer(f, "w");
    put(f, w, t, 0, "a");
    assert_int_equal(wr_log_writer_mark(w, &f->err), 0);
    put(f, w, t, 0, "b");
    restart(f, false);
    t = find_topic(f, "t");
    assert_string_equal(seen(f, t, 0), "0=a");
    w = open_writer(f, "w");
    put(f, w, t, 0, "c");
    const char *text = seen(f, t, 0);
    assert_non_null(strstr(text, "0=a "));
    assert_non_null(strstr(text, "=c"));
    assert_null(strstr(text, "=b"));
}

static void what_retention_took_stays_gone(void **state)
{
    struct fixture *f = *state;
    if (f->variant->kill == NULL || f->variant->expire == NULL) {
        return;
    }
    struct wr_log_topic *t = make_topic(f, "t", 1, "retention.ms=1000");
    struct wr_log_writer *w = open_writer(f, NULL);
    put(f, w, t, 0, "a");
    put(f, w, t, 0, "b");
    f->variant->expire(f, t, 0);
    for (int is_clean = 0; is_clean < 2; is_clean++) {
        restart(f, is_clean == 1);
        t = find_topic(f, "t");
        assert_int_equal(info_of(f, t, 0).log_start, 2);
        assert_string_equal(seen(f, t, 0), "");
    }
    w = open_writer(f, NULL);
    put(f, w, t, 0, "c");
    assert_string_equal(seen(f, t, 0), "2=c");
}

int restart_contract(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_current_epoch_ends_at_the_high_watermark),
        TEST(all_is_there_after_a_clean_stop),
        TEST(all_that_was_answered_is_there_after_a_kill),
        TEST(a_record_has_the_epoch_in_which_it_was_written),
        TEST(topics_made_and_deleted_stay_so),
        TEST(a_name_used_again_does_not_bring_back_old_records),
        TEST(settings_stay),
        TEST(marked_transactions_stay_what_they_were),
        TEST(one_that_was_open_at_a_kill_is_aborted_by_its_next_writer),
        TEST(what_retention_took_stays_gone),
    };
    return cmocka_run_group_tests_name("restarts", tests, NULL, NULL);
}
