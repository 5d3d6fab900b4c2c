/*
 * Tables made of the catalog's facts. The JSON is what sql/describe.sql gave on PostgreSQL 15 for tables
 * made for this test; its shape is checked against a server in test/system.
 */
#include "source/postgres/relation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define COLUMN(name, type, type_name, typmod, not_null, initial)                                   \
    "{\"name\":\"" name "\",\"type\":" type ",\"type_name\":\"" type_name                          \
    "\",\"kind\":\"b\",\"typmod\":" typmod ",\"item\":null,\"item_name\":null,\"item_kind\":null," \
    "\"labels\":null,\"is_not_null\":" not_null ",\"default\":" initial "}"

static const char ID[] =
    COLUMN("id", "23", "int4", "-1", "true", "\"nextval('t_id_seq'::regclass)\"");
static const char PRICE[] = COLUMN("price", "1700", "numeric", "655366", "false", "null");
static const char BOX[] = COLUMN("bx", "603", "box", "-1", "false", "null");
static const char MOODS[] =
    "{\"name\":\"moods\",\"type\":16385,\"type_name\":\"_mood\",\"kind\":\"b\",\"typmod\":-1,\"item\":16386,"
    "\"item_name\":\"mood\",\"item_kind\":\"e\",\"labels\":[\"sad\",\"ok\",\"happy, very\"],\"is_not_null\":false,"
    "\"default\":\"'{}'::mood[]\"}";

static char json[8192];

/* A description with these columns, key and identity. */
static struct wr_str facts(const char *identity, const char *key, const char *index,
                           const char *columns)
{
    int n = snprintf(
        json, sizeof(json),
        "{\"oid\":16400,\"schema\":\"public\",\"table\":\"t\",\"identity\":\"%s\",\"key\":%s,"
        "\"identity_index\":%s,\"columns\":[%s]}",
        identity, key, index, columns);
    assert_true(n > 0 && (size_t)n < sizeof(json));
    return wr_str_of(json);
}

static char list[4096];

static const char *columns_of(const char *a, const char *b, const char *c)
{
    (void)snprintf(list, sizeof(list), "%s%s%s%s%s", a, b == NULL ? "" : ",", b == NULL ? "" : b,
                   c == NULL ? "" : ",", c == NULL ? "" : c);
    return list;
}

static struct wr_pg_table *table_of(struct wr_str description)
{
    struct wr_pg_table *t = NULL;
    struct weir_error err;
    if (wr_pg_table_new(description, WR_STR("app_db"), 7, &t, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return t;
}

static void makes_columns_with_types_defaults_and_nullability(void **state)
{
    (void)state;
    struct wr_pg_table *t = table_of(facts("d", "[\"id\"]", "null", columns_of(ID, PRICE, MOODS)));
    assert_int_equal(t->oid, 16400);
    assert_int_equal(t->table.version, 7);
    assert_true(wr_str_eq(t->table.db, WR_STR("app_db")));
    assert_true(wr_str_eq(t->table.name, WR_STR("t")));
    assert_int_equal(t->table.column_count, 3);
    const struct wr_column *c = t->table.columns;
    assert_false(c[0].is_nullable);
    assert_int_equal(c[0].type, WR_TYPE_INT32);
    assert_int_equal(c[0].default_value.state, WR_VALUE_SET); /* a sequence shows 0 */
    assert_int_equal(c[1].type, WR_TYPE_DECIMAL);
    assert_int_equal(c[1].precision, 10);
    assert_int_equal(c[1].scale, 2);
    assert_true(c[1].is_nullable);
    assert_int_equal(c[2].type, WR_TYPE_ARRAY);
    assert_int_equal(c[2].item, WR_TYPE_ENUM);
    assert_int_equal(c[2].label_count, 3);
    assert_true(wr_str_eq(c[2].labels[2], WR_STR("happy, very")));
    assert_int_equal(c[2].default_value.state, WR_VALUE_ABSENT); /* arrays show none */
    wr_pg_table_free(t);
}

static void leaves_out_columns_of_unknown_types(void **state)
{
    (void)state;
    struct wr_pg_table *t = table_of(facts("d", "[\"id\"]", "null", columns_of(BOX, ID, PRICE)));
    assert_int_equal(t->table.column_count, 2);
    assert_int_equal(t->field_count, 3);
    assert_int_equal(t->places[0], WR_PG_FIELD_SKIPPED);
    assert_int_equal(t->places[1], 0);
    assert_int_equal(t->skipped_count, 1);
    assert_true(wr_str_eq(t->skipped[0], WR_STR("bx (box)")));
    assert_int_equal(t->table.key[0], 0);
    wr_pg_table_free(t);
}

static void keys_are_in_the_order_of_their_constraint(void **state)
{
    (void)state;
    struct wr_pg_table *t =
        table_of(facts("d", "[\"price\",\"gone\",\"id\"]", "null", columns_of(ID, PRICE, NULL)));
    assert_int_equal(t->table.key_count, 2);
    assert_int_equal(t->table.key[0], 1);
    assert_int_equal(t->table.key[1], 0);
    wr_pg_table_free(t);
    t = table_of(facts("f", "null", "null", columns_of(ID, NULL, NULL)));
    assert_int_equal(t->table.key_count, 0);
    assert_null(t->table.key);
    wr_pg_table_free(t);
}

static void an_identity_index_without_the_primary_key_is_the_key(void **state)
{
    (void)state;
    struct wr_pg_table *t =
        table_of(facts("i", "[\"id\"]", "[\"price\"]", columns_of(ID, PRICE, NULL)));
    assert_true(t->has_index_key);
    assert_int_equal(t->table.key_count, 1);
    assert_int_equal(t->table.key[0], 1);
    wr_pg_table_free(t);
    t = table_of(facts("i", "[\"id\"]", "[\"price\",\"id\"]", columns_of(ID, PRICE, NULL)));
    assert_false(t->has_index_key);
    assert_int_equal(t->table.key[0], 0);
    wr_pg_table_free(t);
}

static void tables_that_look_the_same_are_equal(void **state)
{
    (void)state;
    struct wr_pg_table *a = table_of(facts("d", "[\"id\"]", "null", columns_of(ID, PRICE, MOODS)));
    struct wr_pg_table *b = table_of(facts("d", "[\"id\"]", "null", columns_of(ID, PRICE, MOODS)));
    assert_true(wr_pg_table_eq(a, b));
    wr_pg_table_free(b);
    b = table_of(facts("d", "[\"id\"]", "null", columns_of(ID, PRICE, NULL)));
    assert_false(wr_pg_table_eq(a, b));
    wr_pg_table_free(b);
    b = table_of(facts("d", "[\"price\"]", "null", columns_of(ID, PRICE, MOODS)));
    assert_false(wr_pg_table_eq(a, b));
    wr_pg_table_free(b);
    b = table_of(facts("f", "[\"id\"]", "null", columns_of(ID, PRICE, MOODS)));
    assert_false(wr_pg_table_eq(a, b));
    wr_pg_table_free(b);
    static const char other[] = COLUMN("price", "1700", "numeric", "655366", "false", "\"1.5\"");
    b = table_of(facts("d", "[\"id\"]", "null", columns_of(ID, other, MOODS)));
    assert_false(wr_pg_table_eq(a, b));
    wr_pg_table_free(b);
    wr_pg_table_free(a);
}

/* ---- rows ---- */

#define TEXT(s)                                 \
    {                                           \
        WR_PG_FIELD_TEXT,                       \
        {                                       \
            (const uint8_t *)(s), sizeof(s) - 1 \
        }                                       \
    }

static struct wr_arena arena;

static void reads_rows_and_old_keys(void **state)
{
    (void)state;
    struct wr_pg_table *t = table_of(facts("d", "[\"id\"]", "null", columns_of(BOX, ID, PRICE)));
    const struct wr_pg_field fields[] = {
        TEXT("(1,1),(0,0)"), TEXT("42"), {.kind = WR_PG_FIELD_NULL}};
    const struct wr_pg_tuple tuple = {fields, 3};
    const struct wr_value *row = NULL;
    struct wr_pg_bad_value bad = {0};
    struct weir_error err;
    assert_int_equal(wr_pg_table_row(t, &tuple, &arena, &row, &bad, &err), 0);
    assert_int_equal(row[0].u.i, 42);
    assert_int_equal(row[1].state, WR_VALUE_NULL);
    assert_int_equal(wr_pg_table_old_key(t, &tuple, &arena, &row, &bad, &err), 0);
    assert_int_equal(row[0].u.i, 42);
    assert_int_equal(row[1].state, WR_VALUE_ABSENT);
    const struct wr_pg_field unsent[] = {
        {.kind = WR_PG_FIELD_NULL}, TEXT("1"), {.kind = WR_PG_FIELD_UNSENT}};
    const struct wr_pg_tuple toasted = {unsent, 3};
    assert_int_equal(wr_pg_table_row(t, &toasted, &arena, &row, &bad, &err), 0);
    assert_int_equal(row[1].state, WR_VALUE_UNSENT);
    assert_null(bad.column);
    wr_pg_table_free(t);
}

static void a_bad_value_is_null_in_a_nullable_column_and_fatal_in_another(void **state)
{
    (void)state;
    static const char when[] = COLUMN("at", "1082", "date", "-1", "false", "null");
    struct wr_pg_table *t = table_of(facts("d", "[\"id\"]", "null", columns_of(ID, when, NULL)));
    const struct wr_pg_field fields[] = {TEXT("1"), TEXT("soon")};
    const struct wr_pg_tuple tuple = {fields, 2};
    const struct wr_value *row = NULL;
    struct wr_pg_bad_value bad = {0};
    struct weir_error err;
    assert_int_equal(wr_pg_table_row(t, &tuple, &arena, &row, &bad, &err), 0);
    assert_int_equal(row[1].state, WR_VALUE_NULL);
    assert_ptr_equal(bad.column, &t->table.columns[1]);
    assert_non_null(bad.why);
    const struct wr_pg_field wrong[] = {TEXT("one"), TEXT("2024-01-01")};
    const struct wr_pg_tuple fatal = {wrong, 2};
    assert_int_equal(wr_pg_table_row(t, &fatal, &arena, &row, &bad, &err), WEIR_E_INPUT);
    assert_non_null(
        strstr(err.text, "public.t: column id (int4, NOT NULL) has not a whole number: 'one'"));
    const struct wr_pg_tuple too_short = {fields, 1};
    assert_int_equal(wr_pg_table_row(t, &too_short, &arena, &row, &bad, &err), WEIR_E_CORRUPT);
    wr_pg_table_free(t);
}

static void refuses_what_is_no_description(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_str whole = facts("d", "[\"id\"]", "null", columns_of(ID, PRICE, MOODS));
    for (size_t len = 0; len < whole.len; len++) {
        struct wr_pg_table *t = NULL;
        assert_int_equal(wr_pg_table_new((struct wr_str){whole.ptr, len}, WR_STR("d"), 1, &t, &err),
                         WEIR_E_CORRUPT);
        assert_null(t);
    }
    static const char *const wrong[] = {"[]", "{}", "{\"schema\":1,\"table\":\"t\"}",
                                        "{\"schema\":\"s\",\"table\":\"t\",\"columns\":[{}]}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct wr_pg_table *t = NULL;
        assert_int_equal(wr_pg_table_new(wr_str_of(wrong[i]), WR_STR("d"), 1, &t, &err),
                         WEIR_E_CORRUPT);
    }
}

static void survives_every_allocation_failing(void **state)
{
    (void)state;
    struct weir_error err = {0};
    int rc = WEIR_E_NOMEM;
    struct wr_str description = facts("d", "[\"id\"]", "null", columns_of(ID, PRICE, MOODS));
    for (size_t n = 1; rc == WEIR_E_NOMEM; n++) {
        struct wr_pg_table *t = NULL;
        wr_test_fail_alloc_at = n;
        rc = wr_pg_table_new(description, WR_STR("d"), 1, &t, &err);
        wr_test_fail_alloc_at = 0;
        wr_pg_table_free(t);
    }
    assert_int_equal(rc, 0);
}

/* ---- the registry ---- */

static void finds_tables_by_oid_and_replaces_them(void **state)
{
    (void)state;
    struct wr_pg_tables tables = {0};
    struct weir_error err;
    assert_null(wr_pg_tables_get(&tables, 1));
    for (uint32_t oid = 1; oid <= 500; oid++) {
        struct wr_pg_table *t = table_of(facts("d", "null", "null", columns_of(ID, NULL, NULL)));
        t->oid = oid * 64; /* all in one slot at first */
        assert_int_equal(wr_pg_tables_put(&tables, t, &err), 0);
    }
    for (uint32_t oid = 1; oid <= 500; oid++) {
        assert_int_equal(wr_pg_tables_get(&tables, oid * 64)->oid, oid * 64);
        assert_null(wr_pg_tables_get(&tables, oid * 64 + 1));
    }
    struct wr_pg_table *t = table_of(facts("f", "null", "null", columns_of(ID, NULL, NULL)));
    t->oid = 64;
    assert_int_equal(wr_pg_tables_put(&tables, t, &err), 0);
    assert_int_equal(tables.count, 500);
    assert_ptr_equal(wr_pg_tables_get(&tables, 64), t);
    wr_pg_tables_fini(&tables);
}

static void writes_the_columns_of_a_message_for_the_catalog(void **state)
{
    (void)state;
    char room[512];
    struct wr_writer w = wr_writer_over(room, sizeof(room));
    const struct wr_pg_relation_column columns[] = {{WR_STR("id"), 23, -1, true},
                                                    {WR_STR("it's"), 1043, 24, false}};
    wr_pg_columns_put(&w, columns, 2);
    assert_true(
        wr_str_eq(wr_writer_str(&w), WR_STR("('id'::text, 23::oid, -1::int, 1::int, true), "
                                            "('it''s'::text, 1043::oid, 24::int, 2::int, false)")));
}

static int set_up(void **state)
{
    (void)state;
    arena = wr_arena_of(1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    wr_arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_columns_with_types_defaults_and_nullability),
        cmocka_unit_test(leaves_out_columns_of_unknown_types),
        cmocka_unit_test(keys_are_in_the_order_of_their_constraint),
        cmocka_unit_test(an_identity_index_without_the_primary_key_is_the_key),
        cmocka_unit_test(tables_that_look_the_same_are_equal),
        cmocka_unit_test(reads_rows_and_old_keys),
        cmocka_unit_test(a_bad_value_is_null_in_a_nullable_column_and_fatal_in_another),
        cmocka_unit_test(refuses_what_is_no_description),
        cmocka_unit_test(survives_every_allocation_failing),
        cmocka_unit_test(finds_tables_by_oid_and_replaces_them),
        cmocka_unit_test(writes_the_columns_of_a_message_for_the_catalog),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
