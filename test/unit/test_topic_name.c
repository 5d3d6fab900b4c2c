/* Topic names. Expected: Debezium's rules (DefaultTopicNamingStrategy), and its record of an odd name. */
#include "data/topic_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_name(const struct wr_str *parts, size_t count, const char *want)
{
    char name[WR_TOPIC_NAME_MAX + 1];
    assert_int_equal(wr_topic_name(parts, count, WR_STR("."), name), strlen(want));
    assert_string_equal(name, want);
}

static void joins_parts_and_replaces_what_no_topic_may_have(void **state)
{
    (void)state;
    const struct wr_str plain[] = {WR_STR("app"), WR_STR("public"), WR_STR("orders-2_x.y")};
    const struct wr_str odd[] = {WR_STR("app"), WR_STR("Sché ma"), WR_STR("T \"1\" 😀-x.y")};
    const struct wr_str broken[] = {WR_STR("a\xff\xc3"), WR_STR("")};
    assert_name(plain, 3, "app.public.orders-2_x.y");
    assert_name(odd, 3, "app.Sch__ma.T__1____-x.y");
    assert_name(broken, 2, "a__.");
}

static void cuts_at_what_a_topic_may_be_long(void **state)
{
    (void)state;
    char text[400];
    char name[WR_TOPIC_NAME_MAX + 1];
    memset(text, 'n', sizeof(text));
    const struct wr_str parts[] = {WR_STR("p"), {text, sizeof(text)}};
    assert_int_equal(wr_topic_name(parts, 2, WR_STR("."), name), 249);
    assert_int_equal(strlen(name), 249);
    const struct wr_str exact[] = {WR_STR("p"), {text, 247}};
    assert_int_equal(wr_topic_name(exact, 2, WR_STR("."), name), 249);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_parts_and_replaces_what_no_topic_may_have),
        cmocka_unit_test(cuts_at_what_a_topic_may_be_long),
    };
    return cmocka_run_group_tests_name("topic_name", tests, NULL, NULL);
}
