/* Entries of table.include.list that take no table: each is told with its place and what to look at. */
#include "source/postgres/include_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char told[2048];

static void take_warning(void *arg, struct wr_place at, const char *text)
{
    (void)arg;
    size_t len = strlen(told);
    (void)snprintf(told + len, sizeof(told) - len, "%s:%d:%d: %s|", at.file, at.line, at.column,
                   text);
}

/* What is told of a list in a database with two tables. */
static const char *warnings(const char *list, bool is_secret)
{
    static const char *const names[] = {"public.orders", "shop.customers"};
    const struct wr_conf_warn warn = {.take = take_warning};
    const struct wr_conf node = {.at = {"c.yaml", 7, 5},
                                 .text = wr_str_of(list),
                                 .text_at = {"c.yaml", 7, 5},
                                 .text_column = 5,
                                 .is_secret = is_secret};
    struct wr_filter *f = NULL;
    struct weir_error err;
    told[0] = 0;
    assert_int_equal(wr_filter_new(&node, "table.include.list", &f, &err), 0);
    wr_pg_warn_unmatched(f, names, 2, "app_db", &warn);
    wr_filter_free(f);
    return told;
}

static void entries_that_take_a_table_are_not_told(void **state)
{
    (void)state;
    assert_string_equal(warnings("public.orders,Shop.Customers,public\\..*,public.orders", false),
                        "");
    wr_pg_warn_unmatched(NULL, NULL, 0, "app_db", NULL);
}

static void a_name_is_told_with_its_place_and_the_nearest_table(void **state)
{
    (void)state;
    assert_string_equal(warnings("public.orders, public.ordesr", false),
                        "c.yaml:7:20: table.include.list: database 'app_db' has no table "
                        "'public.ordesr' (entry 2) to capture; did you mean 'public.orders'?|");
}

static void a_name_that_is_near_none_is_told_with_what_to_check(void **state)
{
    (void)state;
    assert_non_null(strstr(warnings("inventory.stock", false), "'inventory.stock' (entry 1)"));
    assert_non_null(strstr(told, "check database, schema and spelling"));
}

static void a_pattern_is_told_in_other_words(void **state)
{
    (void)state;
    assert_non_null(
        strstr(warnings("public\\.x.*", false), "the pattern 'public\\.x.*' (entry 1)"));
}

static void a_secret_list_is_told_by_its_entry_s_number(void **state)
{
    (void)state;
    assert_non_null(strstr(warnings("public.orders,hunter2", true), "(entry 2)"));
    assert_null(strstr(told, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_that_take_a_table_are_not_told),
        cmocka_unit_test(a_name_is_told_with_its_place_and_the_nearest_table),
        cmocka_unit_test(a_name_that_is_near_none_is_told_with_what_to_check),
        cmocka_unit_test(a_pattern_is_told_in_other_words),
        cmocka_unit_test(a_secret_list_is_told_by_its_entry_s_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
