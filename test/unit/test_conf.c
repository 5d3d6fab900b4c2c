/* Reading values out of a configuration tree: what each reader takes, and what it says otherwise. */
#include "base/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct wr_conf scalar(const char *text)
{
    return (struct wr_conf){.kind = WR_CONF_SCALAR,
                            .at = {"weir.yaml", 3, 5},
                            .text = wr_str_of(text),
                            .is_plain = true};
}

static void only_true_and_false_are_booleans(void **state)
{
    (void)state;
    static const char *const others[] = {"yes", "no", "on", "off", "1", "0", "y", "n", ""};
    struct weir_error err;
    bool out = false;
    struct wr_conf node = scalar("True");
    assert_int_equal(wr_conf_bool(&node, "x", &out, &err), 0);
    assert_true(out);
    node = scalar("false");
    assert_int_equal(wr_conf_bool(&node, "x", &out, &err), 0);
    assert_false(out);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        node = scalar(others[i]);
        assert_int_equal(wr_conf_bool(&node, "x", &out, &err), WEIR_E_CONFIG);
    }
}

static void a_wrong_number_names_its_place_and_what_is_expected(void **state)
{
    (void)state;
    struct weir_error err;
    int64_t out = 7;
    struct wr_conf node = scalar("12x");
    assert_int_equal(wr_conf_i64(&node, "database.port", 1, 65535, &out, &err), WEIR_E_CONFIG);
    assert_string_equal(err.text, "weir.yaml:3:5: database.port must be a whole number, not '12x'");
    node = scalar("65536");
    assert_int_equal(wr_conf_i64(&node, "database.port", 1, 65535, &out, &err), WEIR_E_CONFIG);
    assert_string_equal(err.text, "weir.yaml:3:5: database.port = 65536 is outside 1 .. 65535");
    assert_int_equal(out, 7);
}

static void a_byte_of_a_text_has_a_place_in_the_file(void **state)
{
    (void)state;
    /* sql: |            line 3
     *     INSERT é x    line 4, column 11 */
    struct wr_conf node = scalar("INSERT \xc3\xa9 x\nVALUES y\n");
    assert_int_equal(wr_conf_place(&node, 9).line, 3); /* not known: the node's own */
    assert_int_equal(wr_conf_place(&node, 9).column, 5);
    node.text_at = (struct wr_place){"weir.yaml", 4, 11};
    node.text_column = 11;
    assert_int_equal(wr_conf_place(&node, 0).column, 11);
    assert_int_equal(wr_conf_place(&node, 10).column, 20); /* x: é is one character */
    assert_int_equal(wr_conf_place(&node, 19).line, 5);    /* y */
    assert_int_equal(wr_conf_place(&node, 19).column, 18);
    assert_int_equal(wr_conf_place(&node, 999).line, 6); /* past the end: the end */
}

static void a_secret_is_never_shown(void **state)
{
    (void)state;
    struct weir_error err;
    int64_t out = 0;
    struct wr_conf node = scalar("hunter2");
    node.is_secret = true;
    assert_int_equal(wr_conf_i64(&node, "port", 1, 2, &out, &err), WEIR_E_CONFIG);
    assert_null(strstr(err.text, "hunter2"));
    assert_non_null(strstr(err.text, "****"));
}

static void take_warning(void *arg, struct wr_place at, const char *text)
{
    char *out = arg;
    (void)snprintf(out + strlen(out), 500 - strlen(out), "%s:%d:%d: %s\n", at.file, at.line,
                   at.column, text);
}

static void a_text_of_somebody_else_loses_what_is_secret(void **state)
{
    (void)state;
    struct wr_conf_entry entries[] = {
        {.key = WR_STR_INIT("database.user"), .value = scalar("app")},
        {.key = WR_STR_INIT("database.hostname"), .value = scalar("db1.local, db2.local")},
        {.key = WR_STR_INIT("database.dbname"), .value = scalar("shop")},
        {.key = WR_STR_INIT("slot.name"), .value = scalar("xy")},
        {.key = WR_STR_INIT("to"), .value = scalar("sqlite:dir/m.db")},
        {.key = WR_STR_INIT("database.password"), .value = scalar("user")}};
    const struct wr_conf map = {.kind = WR_CONF_MAP, .entries = entries, .count = 6};
    struct weir_error err;
    for (size_t i = 0; i < 6; i++) {
        entries[i].value.is_secret = i != 2;
    }
    (void)wr_fail(
        &err, WEIR_E_CONNECT,
        "no route to db2.local: user \"app\" of application app_1 in shop, app; xy etc/dir/m.db");
    wr_conf_hide(&map, &err);
    assert_string_equal(
        err.text,
        "no route to ****: user \"****\" of application app_1 in shop, ****; xy etc/****");
    for (size_t len = WEIR_ERROR_TEXT_MAX - 12; len < WEIR_ERROR_TEXT_MAX - 1; len++) {
        memset(err.text, '.', len);
        (void)snprintf(err.text + len - 3, 4, "app"); /* stars need more room than the word */
        wr_conf_hide(&map, &err);
        assert_null(strstr(err.text, "app"));
        assert_true(strlen(err.text) < WEIR_ERROR_TEXT_MAX);
    }
}

static void an_unknown_key_is_told_with_the_nearest_known_one(void **state)
{
    (void)state;
    char told[500] = "";
    const struct wr_conf_warn warn = {.take = take_warning, .arg = told};
    static const char *const known[] = {"dir", "durability"};
    struct wr_conf_entry entries[] = {
        {WR_STR("durabilty"), {"weir.yaml", 2, 3}, scalar("fsync")},
        {WR_STR("dir"), {"weir.yaml", 3, 3}, scalar("d")},
        {WR_STR("zzzzzzzz"), {"weir.yaml", 4, 3}, scalar("d")},
    };
    struct wr_conf map = {.kind = WR_CONF_MAP, .entries = entries, .count = 3};
    wr_conf_warn_unknown(&warn, &map, "log", known, 2);
    assert_string_equal(
        told, "weir.yaml:2:3: unknown key 'durabilty' in log; did you mean 'durability'?\n"
              "weir.yaml:4:3: unknown key 'zzzzzzzz' in log\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_true_and_false_are_booleans),
        cmocka_unit_test(a_wrong_number_names_its_place_and_what_is_expected),
        cmocka_unit_test(a_byte_of_a_text_has_a_place_in_the_file),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(a_text_of_somebody_else_loses_what_is_secret),
        cmocka_unit_test(an_unknown_key_is_told_with_the_nearest_known_one),
    };
    return cmocka_run_group_tests_name("conf", tests, NULL, NULL);
}
