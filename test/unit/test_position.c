/* Positions of sources in the log: the last one of each name counts. */
#include "source_fixture.h"

#include "source/source.h"

static struct fixture fixture;
static char told[512];

static void store(const char *name, const char *text)
{
    struct weir_error err;
    struct wr_log_topic *topic = NULL;
    struct wr_log_writer *writer = NULL;
    uint64_t number = 0;
    assert_int_equal(wr_positions_open(fixture.log, &topic, &err), 0);
    const struct wr_log_writer_options options = {.id = NULL};
    assert_int_equal(wr_log_writer_open(fixture.log, &options, &writer, &err), 0);
    struct wr_str value = {text, text == NULL ? 0 : strlen(text)};
    assert_int_equal(wr_position_append(writer, topic, name, value, &err), 0);
    assert_int_equal(wr_log_writer_commit(writer, 0, &number, &err), 0);
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

static int tell(void *arg, struct wr_str name, struct wr_str position, int64_t written_ms,
                struct weir_error *err)
{
    (void)arg;
    (void)err;
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%.*s=%.*s@%lld ", WR_FMT(name),
                   WR_FMT(position), (long long)written_ms - INT64_C(1700000000000));
    return 0;
}

static void the_last_position_of_each_source_is_told_by_name(void **state)
{
    (void)state;
    struct weir_error err;
    fixture_open(&fixture, 0);
    told[0] = 0;
    assert_int_equal(wr_positions_each(fixture.log, tell, NULL, &err), 0);
    assert_string_equal(told, "");
    store("b", "1");
    store("a", "2");
    store("gone", "3");
    store("ab", "4");
    fixture_pass(&fixture, 7);
    store("b", "5");
    store("gone", NULL);
    assert_int_equal(wr_positions_each(fixture.log, tell, NULL, &err), 0);
    assert_string_equal(told, "a=2@0 ab=4@0 b=5@7 ");
    fixture_close(&fixture);
}

static void a_stored_position_says_place_database_and_slot(void **state)
{
    (void)state;
    struct wr_source_place place;
    struct weir_error err;
    const char *text =
        "{\"version\":1,\"lsn\":\"0/16B3778\",\"tx_commit_lsn\":null,\"tx_events\":0,"
        "\"message_lsn\":\"0/0\",\"last_commit_lsn\":\"0/16B3778\",\"system\":\"73\",\"timeline\":1,"
        "\"database\":\"app_db\",\"slot\":\"s1\",\"plugin\":\"pgoutput\",\"publication_oid\":16412}";
    assert_int_equal(wr_source_stored(wr_str_of(text), &place, &err), 0);
    assert_string_equal(place.connector, "postgresql");
    assert_string_equal(place.stored, "0/16B3778");
    assert_string_equal(place.database, "app_db");
    assert_string_equal(place.slot, "s1");
    assert_int_equal(wr_source_stored(WR_STR("{}"), &place, &err), WEIR_E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_position_of_each_source_is_told_by_name),
        cmocka_unit_test(a_stored_position_says_place_database_and_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
