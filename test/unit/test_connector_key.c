/* What a connector's configuration may say, what it is told of, and what is refused by name. */
#include "source/connector_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct wr_conf_entry entries[8];
static struct wr_conf map;
static char told[2048];

static void take_warning(void *arg, struct wr_place at, const char *text)
{
    (void)arg;
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%d:%s|", at.line, text);
}

static char noted[2048];

static void take_note(void *arg, struct wr_place at, const char *text)
{
    (void)arg;
    size_t len = strlen(noted);
    (void)snprintf(noted + len, sizeof(noted) - len, "%d:%s|", at.line, text);
}

static const struct wr_conf_warn warn = {.take = take_warning, .note = take_note};

/* Up to four keys with their values; line numbers count from 1. */
static const struct wr_conf *conf(const char *const pairs[][2], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct wr_place at = {"c.yaml", (int)i + 1, 9};
        entries[i] = (struct wr_conf_entry){
            .key = wr_str_of(pairs[i][0]),
            .key_at = at,
            .value = {.at = at, .text = wr_str_of(pairs[i][1]), .is_plain = true}};
    }
    map = (struct wr_conf){.kind = WR_CONF_MAP, .entries = entries, .count = count};
    told[0] = 0;
    noted[0] = 0;
    return &map;
}

static struct wr_connector checked(const char *const pairs[][2], size_t count)
{
    struct wr_connector c;
    struct weir_error err;
    if (wr_connector_check(conf(pairs, count), "app", &warn, &c, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return c;
}

static const char *refusal(const char *key, const char *value, int *code)
{
    static struct weir_error err;
    struct wr_connector c;
    const char *const pairs[][2] = {{key, value}};
    *code = wr_connector_check(conf(pairs, 1), "app", &warn, &c, &err);
    if (*code == 0) {
        fail_msg("took %s=%s", key, value);
    }
    return err.text;
}

static void gives_values_and_defaults_by_kind(void **state)
{
    (void)state;
    const char *const pairs[][2] = {{"slot.name", " my_slot "},
                                    {"tombstones.on.delete", "FALSE"},
                                    {"heartbeat.interval.ms", "10000"},
                                    {"decimal.handling.mode", "Double"}};
    struct wr_connector c = checked(pairs, 4);
    assert_true(wr_str_eq(wr_connector_text(&c, "slot.name"), WR_STR("my_slot")));
    assert_false(wr_connector_bool(&c, "tombstones.on.delete"));
    assert_int_equal(wr_connector_int(&c, "heartbeat.interval.ms"), 10000);
    assert_int_equal(wr_connector_choice(&c, "decimal.handling.mode"), 2);
    assert_true(wr_str_eq(wr_connector_text(&c, "publication.name"), WR_STR("dbz_publication")));
    assert_int_equal(wr_connector_int(&c, "database.port"), 5432);
    assert_int_equal(wr_connector_choice(&c, "snapshot.mode"), 0);
    assert_null(wr_connector_text(&c, "database.password").ptr);
    assert_true(
        wr_str_eq(wr_connector_text(&c, "topic.prefix"), WR_STR("app"))); /* the source's name */
    assert_true(wr_connector_has(&c, "slot.name"));
    assert_false(wr_connector_has(&c, "publication.name"));
    assert_string_equal(told, "");
}

static void old_names_work_with_a_warning(void **state)
{
    (void)state;
    const char *const pairs[][2] = {{"database.server.name", "shop"}, {"snapshot.mode", "never"}};
    struct wr_connector c = checked(pairs, 2);
    assert_true(wr_str_eq(wr_connector_text(&c, "topic.prefix"), WR_STR("shop")));
    assert_string_equal(told, "1:database.server.name is now called topic.prefix|");
    assert_int_equal(wr_connector_choice(&c, "snapshot.mode"), 2);
    const char *const both[][2] = {{"database.server.name", "shop"}, {"topic.prefix", "app"}};
    struct weir_error err;
    assert_int_equal(wr_connector_check(conf(both, 2), "app", &warn, &c, &err), WEIR_E_CONFIG);
}

static void unknown_keys_are_told_with_the_nearest_known_one(void **state)
{
    (void)state;
    const char *const pairs[][2] = {{"table.inclde.list", "a.b"}, {"favourite.colour", "blue"}};
    (void)checked(pairs, 2);
    assert_string_equal(told,
                        "1:unknown key 'table.inclde.list'; did you mean 'table.include.list'?|"
                        "2:unknown key 'favourite.colour'|");
}

static void keys_without_effect_are_noted_in_one_sentence_by_their_reason(void **state)
{
    (void)state;
    const char *const pairs[][2] = {
        {"slot.name", "s"},  {"errors.tolerance", "all"},   {"tasks.max", "4"},
        {"driver.foo", "x"}, {"errors.log.enable", "true"}, {"poll.interval.ms", "~"}};
    (void)checked(pairs, 6);
    assert_string_equal(told, ""); /* nothing is wrong with them */
    assert_string_equal(
        noted, "2:without effect here: errors.tolerance, errors.log.enable (what a retry can "
               "mend is retried, what it cannot stops the source), tasks.max (a source is "
               "one task), driver.foo (there is no JDBC driver)|");
}

static void keys_without_effect_that_are_many_take_more_lines(void **state)
{
    (void)state;
    const char *const pairs[][2] = {
        {"snapshot.isolation.mode", "x"}, {"snapshot.fetch.size", "1"}, {"snapshot.delay.ms", "1"},
        {"errors.tolerance", "all"},      {"topic.cache.size", "1"},    {"tasks.max", "4"},
        {"include.schema.changes", "x"},  {"lsn.flush.timeout.ms", "1"}};
    (void)checked(pairs, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_non_null(strstr(noted, pairs[i][0]));
    }
    const char *second = strchr(noted, '|') + 1;
    assert_memory_equal(second + 1, ":without effect here: ", 22);
}

static void what_would_change_records_is_refused_by_name(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"column.exclude.list", "a.b.c"},
        {"column.mask.with.5.chars", "a.b.c"},
        {"column.mask.hash.SHA-256.with.salt.x", "a.b.c"},
        {"transforms", "outbox"},
        {"transforms.outbox.type", "io.debezium.transforms.outbox.EventRouter"},
        {"message.key.columns", "a:b"},
        {"provide.transaction.metadata", "true"},
        {"include.unknown.datatypes", "true"},
        {"skip.messages.without.change", "true"},
        {"topic.naming.strategy", "x.Y"},
        {"signal.data.collection", "a.b"},
        {"snapshot.mode", "when_needed"},
        {"time.precision.mode", "nanoseconds"},
        {"snapshot.select.statement.overrides.a.b", "SELECT 1"},
        {"topic.creation.groups", "g"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code = 0;
        const char *text = refusal(cases[i][0], cases[i][1], &code);
        assert_int_equal(code, WEIR_E_UNSUPPORTED);
        assert_non_null(strstr(text, "c.yaml:1:9: "));
        assert_non_null(strstr(text, cases[i][0]));
    }
}

static void refused_keys_may_be_set_to_what_they_are_anyway(void **state)
{
    (void)state;
    const char *const pairs[][2] = {{"transforms", ""},
                                    {"slot.drop.on.stop", "False"},
                                    {"schema.name.adjustment.mode", "none"},
                                    {"include.unknown.datatypes", "false"}};
    (void)checked(pairs, 4);
    assert_string_equal(told, "");
}

static void wrong_values_name_place_and_what_is_allowed(void **state)
{
    (void)state;
    int code = 0;
    assert_string_equal(
        refusal("decimal.handling.mode", "exact", &code),
        "c.yaml:1:9: decimal.handling.mode must be one of precise|string|double, not 'exact'");
    assert_int_equal(code, WEIR_E_CONFIG);
    assert_non_null(
        strstr(refusal("database.port", "54x", &code), "database.port must be a whole number"));
    assert_non_null(strstr(refusal("database.port", "0", &code), "outside 1 .. 65535"));
    assert_non_null(strstr(refusal("tombstones.on.delete", "yes", &code), "must be true or false"));
}

static void include_and_exclude_of_one_kind_do_not_go_together(void **state)
{
    (void)state;
    struct wr_connector c;
    struct weir_error err;
    const char *const pairs[][2] = {{"table.include.list", "a.b"}, {"table.exclude.list", "a.c"}};
    assert_int_equal(wr_connector_check(conf(pairs, 2), "app", &warn, &c, &err), WEIR_E_CONFIG);
    assert_non_null(strstr(err.text, "c.yaml:2:9: table.include.list and table.exclude.list"));
}

static void the_table_is_whole(void **state)
{
    (void)state;
    size_t count = 0;
    const struct wr_connector_key *keys = wr_connector_keys(&count);
    for (size_t i = 0; i < count; i++) {
        assert_true(strlen(keys[i].doc) > 10);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(keys[i].name, keys[j].name);
        }
        if (keys[i].initial == NULL || keys[i].status != WR_KEY_DONE) {
            continue;
        }
        const char *const pairs[][2] = {
            {keys[i].name, keys[i].initial}}; /* a default is a legal value */
        if (strchr(keys[i].name, '*') == NULL) {
            (void)checked(pairs, 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_values_and_defaults_by_kind),
        cmocka_unit_test(old_names_work_with_a_warning),
        cmocka_unit_test(unknown_keys_are_told_with_the_nearest_known_one),
        cmocka_unit_test(keys_without_effect_are_noted_in_one_sentence_by_their_reason),
        cmocka_unit_test(keys_without_effect_that_are_many_take_more_lines),
        cmocka_unit_test(what_would_change_records_is_refused_by_name),
        cmocka_unit_test(refused_keys_may_be_set_to_what_they_are_anyway),
        cmocka_unit_test(wrong_values_name_place_and_what_is_allowed),
        cmocka_unit_test(include_and_exclude_of_one_kind_do_not_go_together),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
