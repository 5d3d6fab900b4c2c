/*
 * Lists of Java expressions: what each matches as a whole, and what is refused. The expected answers are
 * those of java.util.regex.Pattern (matches(), CASE_INSENSITIVE).
 */
#include "source/filter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A list as it stands in a file at 3:5. */
static const struct wr_conf *list_of(const char *text)
{
    static struct wr_conf node;
    node = (struct wr_conf){.at = {"f.yaml", 3, 5},
                            .text = wr_str_of(text),
                            .text_at = {"f.yaml", 3, 5},
                            .text_column = 1};
    return &node;
}

static bool takes(const char *list, const char *name)
{
    struct wr_filter *f = NULL;
    struct weir_error err;
    if (wr_filter_new(list_of(list), "table.include.list", &f, &err) != 0) {
        fail_msg("%s", err.text);
    }
    bool is_taken = wr_filter_match(f, wr_str_of(name)) >= 0;
    wr_filter_free(f);
    return is_taken;
}

static void matches_whole_names_without_case(void **state)
{
    (void)state;
    assert_true(takes("public.orders", "public.orders"));
    assert_true(takes("public.orders", "PUBLIC.Orders"));
    assert_true(takes("public.orders", "publicXorders")); /* a point is any character */
    assert_false(takes("public\\.orders", "publicXorders"));
    assert_false(takes("public.orders", "public.orders2"));
    assert_false(takes("public.orders", "xpublic.orders"));
    assert_false(takes("a|b", "ab"));
    assert_true(takes("a|b", "b"));
}

static void takes_lists_with_blanks_and_quoted_commas(void **state)
{
    (void)state;
    assert_true(takes(" a.b ,\n c.d ,", "c.d"));
    assert_true(takes("x{2\\,3},y", "xx"));
    assert_false(takes("", "a"));
    assert_true(takes("a\\,b", "a,b"));
}

static void understands_what_java_writes_otherwise(void **state)
{
    (void)state;
    assert_true(takes("public\\.t\\d+", "public.t42"));
    assert_false(takes("public\\.t\\d+", "public.tx"));
    assert_true(takes("\\w+\\.\\w+", "a_1.b"));
    assert_true(takes("\\W\\D\\S", ".xy"));
    assert_true(takes("(?:a|b)\\.c", "b.c"));
    assert_true(takes("a.*?b", "axxb"));
    assert_true(takes("\\Qa.b\\E", "a.b"));
    assert_false(takes("\\Qa.b\\E", "aXb"));
    assert_true(takes("[\\w.]+", "a.b_1"));
    assert_true(takes("[a\\-z]", "-"));
    assert_false(takes("[a\\-z]", "b"));
    assert_true(takes("[^.]+\\.t", "abc.t"));
    assert_false(takes("[^.]+\\.t", "a.b.t"));
    assert_true(takes("sch\\_1\\.t", "sch_1.t"));
}

static void refuses(const char *item)
{
    struct wr_filter *f = NULL;
    struct weir_error err;
    if (wr_filter_new(list_of(item), "table.include.list", &f, &err) != WEIR_E_CONFIG) {
        fail_msg("took %s", item);
    }
    assert_non_null(strstr(err.text, "f.yaml:3:5: table.include.list"));
    assert_null(f);
}

static void refuses_what_cannot_be_written_in_posix(void **state)
{
    (void)state;
    static const char *const wrong[] = {"a(?=b)", "(?i)a",       "a++",   "\\bword",
                                        "(a)\\1", "[a-z&&[^b]]", "[[a]]", "a\\",
                                        "[abc",   "(a",          "*a"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        refuses(wrong[i]);
    }
}

static void gives_the_place_of_the_first_item_that_takes(void **state)
{
    (void)state;
    struct wr_filter *f = NULL;
    struct weir_error err;
    assert_int_equal(wr_filter_new(list_of("s.c, s.[ab], s.*"), "t", &f, &err), 0);
    assert_int_equal(wr_filter_count(f), 3);
    assert_true(wr_str_eq(wr_filter_text(f, 1), WR_STR("s.[ab]")));
    assert_int_equal(wr_filter_match(f, WR_STR("s.c")), 0);
    assert_int_equal(wr_filter_match(f, WR_STR("s.a")), 1);
    assert_int_equal(wr_filter_match(f, WR_STR("s.z")), 2);
    assert_int_equal(wr_filter_match(f, WR_STR("t.z")), -1);
    assert_true(wr_filter_item_matches(f, 2, WR_STR("s.c"))); /* whatever an earlier one takes */
    assert_false(wr_filter_item_matches(f, 1, WR_STR("s.c")));
    wr_filter_free(f);
}

static void knows_where_each_item_stands(void **state)
{
    (void)state;
    struct wr_filter *f = NULL;
    struct weir_error err;
    assert_int_equal(wr_filter_new(list_of("s.c,\n  s.d,s.e"), "t", &f, &err), 0);
    assert_int_equal(wr_filter_place(f, 0).line, 3);
    assert_int_equal(wr_filter_place(f, 2).line, 4);
    assert_int_equal(wr_filter_place(f, 2).column, 7);
    wr_filter_free(f);
    assert_int_equal(wr_filter_new(list_of("s.c, (a"), "t", &f, &err), WEIR_E_CONFIG);
    assert_non_null(strstr(err.text, "f.yaml:3:10: t: '(a'"));
}

static void tells_names_from_patterns(void **state)
{
    (void)state;
    struct wr_filter *f = NULL;
    struct weir_error err;
    const char *list = "public.orders, public\\.or-ders, public.o*, a|b, public\\.\\w+";
    assert_int_equal(wr_filter_new(list_of(list), "t", &f, &err), 0);
    assert_true(wr_filter_is_name(f, 0));
    assert_true(wr_filter_is_name(f, 1));
    for (size_t i = 2; i < 5; i++) {
        assert_false(wr_filter_is_name(f, i));
    }
    wr_filter_free(f);
}

static void a_secret_list_is_in_no_message(void **state)
{
    (void)state;
    struct wr_filter *f = NULL;
    struct weir_error err;
    struct wr_conf secret = *list_of("hunter2(a");
    secret.is_secret = true;
    assert_int_equal(wr_filter_new(&secret, "table.include.list", &f, &err), WEIR_E_CONFIG);
    assert_null(strstr(err.text, "hunter2"));
    assert_non_null(strstr(err.text, "'****'"));
    secret = *list_of("hunter2");
    secret.is_secret = true;
    assert_int_equal(wr_filter_new(&secret, "table.include.list", &f, &err), 0);
    assert_true(wr_str_eq(wr_filter_shown(f, 0), WR_STR("****")));
    wr_filter_free(f);
}

/* ---- the lists of a connector ---- */

static struct wr_conf_entry entries[4];
static struct wr_conf map;

static int rank(const char *key, const char *value, const char *schema, const char *table)
{
    struct wr_connector c;
    struct wr_capture capture = {0};
    struct weir_error err;
    entries[0] = (struct wr_conf_entry){.key = wr_str_of(key), .value = {.text = wr_str_of(value)}};
    map = (struct wr_conf){.kind = WR_CONF_MAP, .entries = entries, .count = 1};
    assert_int_equal(wr_connector_check(&map, "app", NULL, &c, &err), 0);
    assert_int_equal(wr_capture_init(&capture, &c, &err), 0);
    int r = wr_capture_rank(&capture, wr_str_of(schema), wr_str_of(table));
    wr_capture_fini(&capture);
    return r;
}

static void schemas_and_tables_are_taken_and_left_out(void **state)
{
    (void)state;
    assert_int_equal(rank("table.include.list", "s.a,s.b", "s", "b"), 1);
    assert_int_equal(rank("table.include.list", "s.a,s.b", "s", "c"), -1);
    assert_int_equal(rank("table.exclude.list", "s.a", "s", "a"), -1);
    assert_int_equal(rank("table.exclude.list", "s.a", "s", "b"), 0);
    assert_int_equal(rank("schema.include.list", "s.*", "s1", "b"), 0);
    assert_int_equal(rank("schema.include.list", "s.*", "t1", "b"), -1);
    assert_int_equal(rank("schema.exclude.list", "s1", "s1", "b"), -1);
}

static void system_tables_are_left_out_unless_asked_for(void **state)
{
    (void)state;
    assert_int_equal(rank("topic.prefix", "app", "pg_catalog", "pg_class"), -1);
    assert_int_equal(rank("topic.prefix", "app", "public", "spatial_ref_sys"), -1);
    assert_int_equal(rank("topic.prefix", "app", "pg_temp_3", "t"), -1);
    assert_int_equal(rank("table.ignore.builtin", "false", "public", "spatial_ref_sys"), 0);
    assert_int_equal(rank("topic.prefix", "app", "public", "t"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_whole_names_without_case),
        cmocka_unit_test(takes_lists_with_blanks_and_quoted_commas),
        cmocka_unit_test(understands_what_java_writes_otherwise),
        cmocka_unit_test(refuses_what_cannot_be_written_in_posix),
        cmocka_unit_test(gives_the_place_of_the_first_item_that_takes),
        cmocka_unit_test(knows_where_each_item_stands),
        cmocka_unit_test(tells_names_from_patterns),
        cmocka_unit_test(a_secret_list_is_in_no_message),
        cmocka_unit_test(schemas_and_tables_are_taken_and_left_out),
        cmocka_unit_test(system_tables_are_left_out_unless_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
