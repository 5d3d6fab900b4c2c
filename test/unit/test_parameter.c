/* Finding parameters in SQL. The tables are written by hand from the two stores' lexical rules (SQLite's
 * tokenizer page, PostgreSQL chapter 4.1); SQLite itself, which knows :name, is asked on random texts. */
#include "data/parameter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/rng.h"
#include "base/writer.h"

struct fixture {
    struct wr_arena arena;
    struct wr_parameters set;
    struct wr_sql sql;
    size_t at;
    struct weir_error err;
};

static struct fixture open_fixture(void)
{
    return (struct fixture){.arena = wr_arena_of(1 << 20)};
}

static int scan(struct fixture *f, const char *text, enum wr_sql_dialect dialect)
{
    wr_arena_reset(&f->arena);
    f->set = wr_parameters_of(&f->arena);
    f->at = 0;
    return wr_sql_scan(wr_str_of(text), dialect, &f->set, &f->sql, &f->at, &f->err);
}

struct good {
    const char *text;
    const char *sql;
    const char *slots; /* the parameters, each with "?" when optional, in slot order */
};

static void expect_good(const struct good *good, enum wr_sql_dialect dialect)
{
    struct fixture f = open_fixture();
    if (scan(&f, good->text, dialect) < 0) {
        fail_msg("%s: %s", good->text, f.err.text);
    }
    assert_string_equal(f.sql.sql.ptr, good->sql);
    assert_int_equal(f.sql.sql.len, strlen(good->sql));
    char slots[256] = "";
    size_t len = 0;
    for (size_t i = 0; i < f.sql.slot_count; i++) {
        const struct wr_parameter_use *use = &f.sql.slots[i];
        len += (size_t)snprintf(slots + len, sizeof(slots) - len, "%s%s%s", i == 0 ? "" : " ",
                                f.set.items[use->parameter].text.ptr, use->is_optional ? "?" : "");
    }
    assert_string_equal(slots, good->slots);
    wr_arena_fini(&f.arena);
}

static const struct good sqlite[] = {
    {"", "", ""},
    {"INSERT INTO t VALUES (:a, :b, :a)", "INSERT INTO t VALUES (?1, ?2, ?1)", "a b"},
    {":a.b.c,:a.b,:a", "?1,?2,?3", "a.b.c a.b a"},
    {"coalesce(:x?, x)", "coalesce(?1, x)", "x?"},
    {":x + :x?", "?1 + ?1", "x"},
    {":x? + :x", "?1 + ?1", "x"}, /* one use that must have it is enough */
    {":x?+:y?", "?1+?2", "x? y?"},
    {"':a' 'it''s :b' :c", "':a' 'it''s :b' ?1", "c"},
    {"\":a\" \"x\"\":b\" :c", "\":a\" \"x\"\":b\" ?1", "c"},
    {"[:a] [b] :c]", "[:a] [b] ?1]", "c"}, /* a bracket has no way to hold itself */
    {"`:a` `x``:b` :c", "`:a` `x``:b` ?1", "c"},
    {"-- :a\n:b -- :c", "-- :a\n?1 -- :c", "b"},
    {"/* :a */:b/* /* :c */:d", "/* :a */?1/* /* :c */?2", "b d"}, /* no nesting */
    {"a-:b", "a-?1", "b"},
    {"a/:b*:c", "a/?1*?2", "b c"},
    {"x':a'", "x':a'", ""},
    {":_type,:_id,:_key,:_offset", "?1,?2,?3,?4", "_type _id _key _offset"},
    {":_before.x,:_after.x,:_source.ts_ms,:_after", "?1,?2,?3,?4",
     "_before.x _after.x _source.ts_ms _after"},
    {":\xc3\xa9t\xc3\xa9 :a1_B", "?1 ?2", "\xc3\xa9t\xc3\xa9 a1_B"},
    {"a::b", "a::b", ""}, /* SQLite will say that this is no SQL */
    {"json->>'$.a:b' || :x", "json->>'$.a:b' || ?1", "x"},
    {":a:b", "?1?2", "a b"},
    {"a : b", "a : b", ""},
    {"1.5e3*:a", "1.5e3*?1", "a"},
};
static const struct good postgres[] = {
    {"SELECT :a::int, :b::text[]", "SELECT $1::int, $2::text[]", "a b"},
    {"a[:x]", "a[$1]", "x"},
    {"a[1:2] [: 3]", "a[1:2] [: 3]", ""},
    {"$$ :a $$ :b", "$$ :a $$ $1", "b"},
    {"$q$ $$ :a $x$ $q$ :b", "$q$ $$ :a $x$ $q$ $1", "b"},
    {"a$b$ :c", "a$b$ $1", "c"}, /* a dollar in a word quotes nothing */
    {"E'\\':a' :b", "E'\\':a' $1", "b"},
    {"'\\' :a", "'\\' $1", "a"},
    {"re'x' :a", "re'x' $1", "a"},
    {"/* /* :a */ :b */ :c", "/* /* :a */ :b */ $1", "c"},
    {"d ? 'k' AND d @> :a AND :b? IS NULL", "d ? 'k' AND d @> $1 AND $2 IS NULL", "a b?"},
    {"f(a := :x)", "f(a := $1)", "x"},
    {"`:a`", "`$1`", "a"},
    {"$a + :b", "$a + $1", "b"},
};

static void replaces_parameters_and_nothing_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(sqlite) / sizeof(sqlite[0]); i++) {
        expect_good(&sqlite[i], WR_SQL_SQLITE);
    }
    for (size_t i = 0; i < sizeof(postgres) / sizeof(postgres[0]); i++) {
        expect_good(&postgres[i], WR_SQL_POSTGRES);
    }
}

struct bad {
    enum wr_sql_dialect dialect;
    const char *text;
    size_t at;
    const char *says;
};

static const struct bad bad_texts[] = {
    {WR_SQL_SQLITE, "x :_tme", 2, "did you mean ':_time'?"},
    {WR_SQL_SQLITE, ":_before_x", 0, "no built-in parameter ':_before_x'"},
    {WR_SQL_SQLITE, ":_time.x", 0, "':_time' has no members"},
    {WR_SQL_SQLITE, ":a.", 3, "a name was expected"},
    {WR_SQL_SQLITE, ":a.1", 3, "a name was expected"},
    {WR_SQL_SQLITE, ":a..b", 3, "a name was expected"},
    {WR_SQL_SQLITE, "a :1", 2, "begins with a letter"},
    {WR_SQL_SQLITE, ":$a", 0, "begins with a letter"},
    {WR_SQL_SQLITE, ":a$b", 2, "a blank is missing"},
    {WR_SQL_SQLITE, ":a?1", 3, "a blank is missing"},
    {WR_SQL_SQLITE, "a = ?", 4, "write a parameter as ':name'"},
    {WR_SQL_SQLITE, "a = ?2", 4, "write a parameter as ':name'"},
    {WR_SQL_SQLITE, "@a", 0, "write a parameter as ':name'"},
    {WR_SQL_SQLITE, "$a", 0, "write a parameter as ':name'"},
    {WR_SQL_SQLITE, "e'\\':a'", 6, "no closing '"}, /* no E'' here: the string ends early */
    {WR_SQL_SQLITE, "a 'b", 2, "no closing '"},
    {WR_SQL_SQLITE, "a \"b\"\"", 2, "no closing \""},
    {WR_SQL_SQLITE, "a [b", 2, "no closing ]"},
    {WR_SQL_SQLITE, "a /* b", 2, "no end for this comment"},
    {WR_SQL_SQLITE, "/*/", 0, "no end for this comment"},
    {WR_SQL_POSTGRES, "a = $1", 4, "write a parameter as ':name'"},
    {WR_SQL_POSTGRES, "a $q$ b $$", 2, "no closing $q$"},
    {WR_SQL_POSTGRES, "/* /* */", 0, "no end for this comment"},
    {WR_SQL_POSTGRES, "E'\\'", 1, "no closing '"},
};

static void expect_bad(struct fixture *f, const struct bad *bad)
{
    f->err.text[0] = 0;
    assert_int_equal(scan(f, bad->text, bad->dialect), WEIR_E_INPUT);
    if (f->at != bad->at || strstr(f->err.text, bad->says) == NULL) {
        fail_msg("%s: at %zu, \"%s\"", bad->text, f->at, f->err.text);
    }
}

static void wrong_texts_are_refused_with_their_place(void **state)
{
    (void)state;
    struct fixture f = open_fixture();
    for (size_t i = 0; i < sizeof(bad_texts) / sizeof(bad_texts[0]); i++) {
        expect_bad(&f, &bad_texts[i]);
    }
    wr_arena_fini(&f.arena);
}

static void a_nul_in_the_text_is_refused(void **state)
{
    (void)state;
    struct fixture f = open_fixture();
    f.set = wr_parameters_of(&f.arena);
    struct wr_str text = {"SELECT 1\0DROP", 13};
    assert_int_equal(wr_sql_scan(text, WR_SQL_SQLITE, &f.set, &f.sql, &f.at, &f.err), WEIR_E_INPUT);
    assert_int_equal(f.at, 8);
    wr_arena_fini(&f.arena);
}

static void every_prefix_is_taken_or_refused_within_its_bounds(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a ':b' \"c\" [d] `e` -- f\n /* g */ :h.i? :_before.j ::k $l$ m $l$"};
    struct fixture f = open_fixture();
    for (size_t len = 0; len <= strlen(texts[0]); len++) {
        char *exact = malloc(len == 0 ? 1 : len);
        assert_non_null(exact);
        memcpy(exact, texts[0], len);
        for (int dialect = WR_SQL_SQLITE; dialect <= WR_SQL_POSTGRES; dialect++) {
            wr_arena_reset(&f.arena);
            f.set = wr_parameters_of(&f.arena);
            int rc = wr_sql_scan((struct wr_str){exact, len}, (enum wr_sql_dialect)dialect, &f.set,
                                 &f.sql, &f.at, &f.err);
            assert_true(rc == 0 || f.at <= len);
        }
        free(exact);
    }
    wr_arena_fini(&f.arena);
}

static void several_texts_share_one_set(void **state)
{
    (void)state;
    struct fixture f = open_fixture();
    struct wr_sql second;
    assert_int_equal(scan(&f, ":a :b.c", WR_SQL_SQLITE), 0);
    assert_int_equal(
        wr_sql_scan(WR_STR(":b.c :a :d"), WR_SQL_SQLITE, &f.set, &second, &f.at, &f.err), 0);
    assert_int_equal(f.set.count, 3);
    assert_string_equal(second.sql.ptr, "?1 ?2 ?3");
    assert_int_equal(second.slots[0].parameter, 1);
    assert_int_equal(second.slots[1].parameter, 0);
    assert_int_equal(f.set.items[1].path.count, 2);
    assert_string_equal(f.set.items[1].path.names[1].ptr, "c");
    wr_arena_fini(&f.arena);
}

static void a_place_in_the_rewritten_text_leads_back(void **state)
{
    (void)state;
    struct fixture f = open_fixture();
    const char *text = "ab :first_name cd :x ef";
    assert_int_equal(scan(&f, text, WR_SQL_SQLITE), 0);
    assert_string_equal(f.sql.sql.ptr, "ab ?1 cd ?2 ef");
    assert_int_equal(wr_sql_origin(&f.sql, 1), 1);
    assert_int_equal(wr_sql_origin(&f.sql, 3), 3);                         /* ?1 → :first_name */
    assert_int_equal(wr_sql_origin(&f.sql, 4), 3);                         /* inside it */
    assert_int_equal(wr_sql_origin(&f.sql, 6), strstr(text, "cd") - text); /* behind it */
    assert_int_equal(wr_sql_origin(&f.sql, 12), strstr(text, "ef") - text);
    wr_arena_fini(&f.arena);
}

static void a_single_parameter_can_stand_alone(void **state)
{
    (void)state;
    struct fixture f = open_fixture();
    struct wr_parameter_use use;
    f.set = wr_parameters_of(&f.arena);
    assert_int_equal(wr_parameter_parse(WR_STR(":a.b?"), &f.set, &use, &f.at, &f.err), 0);
    assert_true(use.is_optional);
    assert_int_equal(f.set.items[use.parameter].path.count, 2);
    assert_int_equal(wr_parameter_parse(WR_STR("a"), &f.set, &use, &f.at, &f.err), WEIR_E_INPUT);
    assert_int_equal(wr_parameter_parse(WR_STR(":a b"), &f.set, &use, &f.at, &f.err), WEIR_E_INPUT);
    assert_int_equal(f.at, 2);
    wr_arena_fini(&f.arena);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    struct fixture f = {.arena = wr_arena_of(64)};
    assert_int_equal(scan(&f, "SELECT :a, :b, :c, :d", WR_SQL_SQLITE), WEIR_E_NOMEM);
    wr_arena_fini(&f.arena);
}

/* ---- against SQLite's own tokenizer ---- */

static void compare_with_sqlite(sqlite3 *db, struct fixture *f, const char *text)
{
    if (scan(f, text, WR_SQL_SQLITE) < 0) {
        fail_msg("%s: %s", text, f->err.text);
    }
    sqlite3_stmt *theirs = NULL;
    sqlite3_stmt *ours = NULL;
    if (sqlite3_prepare_v2(db, text, -1, &theirs, NULL) != SQLITE_OK) {
        fail_msg("%s: %s", text, sqlite3_errmsg(db)); /* the generator is wrong */
    }
    assert_int_equal(sqlite3_prepare_v2(db, f->sql.sql.ptr, -1, &ours, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_parameter_count(ours), f->sql.slot_count);
    if (sqlite3_bind_parameter_count(theirs) != (int)f->sql.slot_count) {
        fail_msg("%s: %d parameters, not %zu", text, sqlite3_bind_parameter_count(theirs),
                 f->sql.slot_count);
    }
    for (size_t i = 0; i < f->sql.slot_count; i++) {
        assert_string_equal(sqlite3_bind_parameter_name(theirs, (int)i + 1) + 1,
                            f->set.items[f->sql.slots[i].parameter].text.ptr);
    }
    sqlite3_finalize(theirs);
    sqlite3_finalize(ours);
}

static void finds_what_sqlite_finds(void **state)
{
    (void)state;
    static const char *const pieces[] = {":a",
                                         ":b",
                                         ":c1",
                                         ":\xc3\xa9",
                                         "':a'",
                                         "'it''s :b'",
                                         "1 AS \":a\"",
                                         "1 AS \"q\"\":b\"",
                                         "1 AS [:c]",
                                         "1 AS `:a``:b`",
                                         "x'00ff'",
                                         "1.5e3",
                                         "-:a",
                                         "- -:a",
                                         "(:b)",
                                         ":a||':c'||:b",
                                         "/* :a */ 1",
                                         "1 -- :b '\n",
                                         "/* ' \" ` [ */ :c1",
                                         "':' || :a",
                                         "'--' || :b",
                                         "'/*' || :a || '*/'",
                                         "1/:a/2",
                                         "1<:a",
                                         "CAST(:a AS TEXT)",
                                         "\"x:y\" IS 1",
                                         "'a' -- it's\n || :b",
                                         "''''||:a||''''"};
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    struct wr_rng rng = wr_rng_of(7);
    struct fixture f = open_fixture();
    for (int i = 0; i < 20000; i++) {
        struct wr_writer w = wr_writer_growing(4096);
        wr_put_lit(&w, "SELECT 0");
        for (uint64_t j = wr_rng_below(&rng, 8); j > 0; j--) {
            wr_put_fmt(&w, ",%s", pieces[wr_rng_below(&rng, sizeof(pieces) / sizeof(pieces[0]))]);
        }
        wr_put_lit(&w, " FROM (SELECT 1 AS \"x:y\")");
        wr_put_u8(&w, 0);
        compare_with_sqlite(db, &f, (const char *)w.base);
        wr_writer_fini(&w);
    }
    wr_arena_fini(&f.arena);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces_parameters_and_nothing_else),
        cmocka_unit_test(wrong_texts_are_refused_with_their_place),
        cmocka_unit_test(a_nul_in_the_text_is_refused),
        cmocka_unit_test(every_prefix_is_taken_or_refused_within_its_bounds),
        cmocka_unit_test(several_texts_share_one_set),
        cmocka_unit_test(a_place_in_the_rewritten_text_leads_back),
        cmocka_unit_test(a_single_parameter_can_stand_alone),
        cmocka_unit_test(running_out_of_memory_is_said),
        cmocka_unit_test(finds_what_sqlite_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
