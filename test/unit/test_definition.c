/* Definitions of views, as YAML: what is read from them, and what is said when they are wrong. */
#include "view/definition.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "view/view_fixture.h"

static int setup(void **state)
{
    static struct view_fixture f;
    view_fixture_open(&f, 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    view_fixture_close(*state);
    return 0;
}

static void a_small_definition_has_defaults(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(
        view_fixture_define(f, "v:\n  from: orders\n  to: sqlite:x.db\n  on: {A: SELECT 1}\n"), 0);
    assert_string_equal(f->definition->name.ptr, "v");
    assert_int_equal(f->definition->from_count, 1);
    assert_int_equal(f->definition->on_count, 1);
    assert_string_equal(f->definition->on[0].type.ptr, "A");
    assert_null(f->definition->schema);
    assert_null(f->definition->type_field.ptr);
    assert_int_equal(f->definition->on_error, WR_ON_ERROR_STOP);
    assert_int_equal(f->definition->batch_rows, WR_VIEW_BATCH_ROWS);
    assert_int_equal(f->definition->batch_bytes, WR_VIEW_BATCH_BYTES);
}

static void everything_can_be_said(void **state)
{
    struct view_fixture *f = *state;
    assert_int_equal(view_fixture_define(f, "v:\n"
                                            "  from: [orders, \"app.*\"]\n"
                                            "  to: sqlite:x.db\n"
                                            "  schema: CREATE TABLE t (a)\n"
                                            "  type_field: meta.kind\n"
                                            "  on_error: skip\n"
                                            "  batch: {rows: 5, bytes: 1000}\n"
                                            "  on:\n"
                                            "    A: [SELECT 1, SELECT 2]\n"
                                            "    B: SELECT 3\n"),
                     0);
    assert_int_equal(f->definition->from_count, 2);
    assert_false(f->definition->from[0].is_glob);
    assert_true(f->definition->from[1].is_glob);
    assert_int_equal(f->definition->on_count, 2);
    assert_string_equal(f->definition->type_field.ptr, "meta.kind");
    assert_int_equal(f->definition->on_error, WR_ON_ERROR_SKIP);
    assert_int_equal(f->definition->batch_rows, 5);
    assert_int_equal(f->definition->batch_bytes, 1000);
}

struct match {
    const char *pattern;
    const char *topic;
    bool is_match;
};

static const struct match match_table[] = {
    {"orders", "orders", true},
    {"orders", "orders2", false},
    {"app.public.*", "app.public.orders", true},
    {"app.public.*", "app.public.", true},
    {"app.public.*", "app.other.orders", false},
    {"*", "anything", true},
    {"*", "__weir_streams", false},
    {"__weir_streams", "__weir_streams", true},
    {"__*", "__weir_streams", false},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"*a*b*", "xxaxxbxx", true},
    {"*a*b*", "xxbxxaxx", false},
    {"*ab", "aab", true},
    {"*aab", "aaab", true},
    {"a*", "a", true},
    {"?", "", false},
};

static void patterns_match_as_in_a_shell(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(match_table) / sizeof(match_table[0]); i++) {
        const struct match *m = &match_table[i];
        struct wr_view_source source = {.pattern = wr_str_of(m->pattern),
                                        .is_glob = strpbrk(m->pattern, "*?") != NULL};
        struct wr_view_definition definition = {.from = &source, .from_count = 1};
        assert_int_equal(wr_view_reads(&definition, m->topic), m->is_match);
    }
}

struct bad {
    const char *yaml;
    const char *says;
};

static const struct bad bad_table[] = {
    {"v: 7\n", "weir.yaml:1:4: view 'v' must be a map"},
    {"v:\n  to: sqlite:x\n  on: {A: x}\n", "2:3: view 'v' needs 'from:'"},
    {"v:\n  from: a\n  on: {A: x}\n", "2:3: view 'v' needs 'to:'"},
    {"v:\n  from: a\n  to: sqlite:x\n", "2:3: view 'v' needs 'on:'"},
    {"v:\n  from: []\n  to: sqlite:x\n  on: {A: x}\n", "2:9: view 'v': from: names no topic"},
    {"v:\n  from: \"a b\"\n  to: sqlite:x\n  on: {A: x}\n",
     "2:9: view 'v': from: 'a b' is no topic"},
    {"v:\n  from: {a: b}\n  to: sqlite:x\n  on: {A: x}\n", "from must be one value, not a map"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: [x]\n", "4:7: view 'v': on: must be a map"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: {A: }\n", "4:8: view 'v': nothing to do on 'A'"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: {A: []}\n", "4:8: view 'v': nothing to do on 'A'"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: {A: x}\n  on_error: ignore\n",
     "5:13: view 'v': on_error must be stop or skip, not 'ignore'"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: {A: x}\n  batch: 7\n", "5:10: view 'v': batch must be"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: {A: x}\n  batch: {rows: 0}\n",
     "5:17: batch.rows = 0 is outside"},
    {"v:\n  from: a\n  to: sqlite:x\n  on: {A: x}\n  tables: {name: x}\n",
     "5:11: view 'v': no store"},
};

static void expect_bad(struct view_fixture *f, const struct bad *bad)
{
    assert_int_equal(view_fixture_define(f, bad->yaml), WEIR_E_CONFIG);
    if (strstr(f->err.text, bad->says) == NULL) {
        fail_msg("%s\n\"%s\" does not say \"%s\"", bad->yaml, f->err.text, bad->says);
    }
}

static void what_is_wrong_is_said_with_its_place(void **state)
{
    for (size_t i = 0; i < sizeof(bad_table) / sizeof(bad_table[0]); i++) {
        expect_bad(*state, &bad_table[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_small_definition_has_defaults),
        TEST(everything_can_be_said),
        cmocka_unit_test(patterns_match_as_in_a_shell),
        TEST(what_is_wrong_is_said_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
