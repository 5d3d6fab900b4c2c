/*
 * Lines of COPY split into fields, as PostgreSQL's page on COPY has the text format; and the marks of a
 * snapshot's rows (cdc.md B5), for every small shape of a snapshot.
 */
#include "source/postgres/snapshot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    FIELDS = 8
};

static int split(const char *line, size_t len, struct wr_pg_field out[FIELDS], uint8_t *room)
{
    struct weir_error err;
    memcpy(room, line, len);
    return wr_pg_copy_split(room, len, out, FIELDS, &err);
}

static bool is(const struct wr_pg_field *f, const char *text)
{
    return f->kind == WR_PG_FIELD_TEXT && wr_str_eq(wr_str_of_bytes(f->text), wr_str_of(text));
}

static void splits_lines_and_undoes_escapes(void **state)
{
    (void)state;
    struct wr_pg_field f[FIELDS];
    uint8_t room[64];
    static const char line[] = "1\t\\N\t\ta\\tb\\\\c\\n\t\\\\N";
    assert_int_equal(split(line, sizeof(line) - 1, f, room), 5);
    assert_true(is(&f[0], "1"));
    assert_int_equal(f[1].kind, WR_PG_FIELD_NULL);
    assert_true(is(&f[2], ""));
    assert_true(is(&f[3], "a\tb\\c\n"));
    assert_true(is(&f[4], "\\N")); /* the text, not NULL */
    assert_int_equal(split("", 0, f, room), 1);
    assert_true(is(&f[0], ""));
    assert_int_equal(split("\\N", 2, f, room), 1);
    assert_int_equal(f[0].kind, WR_PG_FIELD_NULL);
    assert_int_equal(split("\\b\\f\\r\\v", 8, f, room), 1);
    assert_true(is(&f[0], "\b\f\r\v"));
}

static void refuses_lines_that_copy_does_not_write(void **state)
{
    (void)state;
    struct wr_pg_field f[FIELDS];
    uint8_t room[64];
    assert_int_equal(split("a\\", 2, f, room), WEIR_E_CORRUPT);
    assert_int_equal(split("1\t2\t3\t4\t5\t6\t7\t8\t9", 17, f, room), WEIR_E_CORRUPT);
}

/* ---- marks ---- */

static struct wr_pg_table *tables[3];

static struct wr_pg_table *make_table(uint32_t oid)
{
    struct wr_pg_table *t = NULL;
    struct weir_error err;
    char json[512];
    (void)snprintf(
        json, sizeof(json),
        "{\"oid\":%u,\"schema\":\"s\",\"table\":\"t%u\",\"identity\":\"d\",\"key\":null,\"columns\":[{"
        "\"name\":\"id\",\"type\":23,\"kind\":\"b\",\"typmod\":-1}]}",
        oid, oid);
    assert_int_equal(wr_pg_table_new(wr_str_of(json), WR_STR("db"), oid, &t, &err), 0);
    return t;
}

static const char *mark_text(enum wr_snapshot_mark mark)
{
    switch (mark) {
    case WR_SNAPSHOT_TRUE: return "true";
    case WR_SNAPSHOT_FIRST: return "first";
    case WR_SNAPSHOT_FIRST_IN_TABLE: return "first_in_data_collection";
    case WR_SNAPSHOT_LAST_IN_TABLE: return "last_in_data_collection";
    case WR_SNAPSHOT_LAST: return "last";
    case WR_SNAPSHOT_INCREMENTAL:
    case WR_SNAPSHOT_FALSE: break;
    }
    return "false";
}

static char marks[1024];

static void note(const struct wr_change *c)
{
    if (c != NULL) {
        size_t len = strlen(marks);
        (void)snprintf(marks + len, sizeof(marks) - len, "%.*s.%lld:%s ", WR_FMT(c->table->name),
                       (long long)c->after[0].u.i, mark_text(c->origin.snapshot));
    }
}

/* Run a snapshot of tables with so many rows; ids count through it. Each change is asked for twice. */
static const char *marks_of(size_t a, size_t b, size_t c)
{
    const struct wr_origin origin = {.lsn = 5};
    struct wr_pg_snapshot s = wr_pg_snapshot_of(&origin);
    struct weir_error err;
    const struct wr_change *change = NULL;
    const size_t rows[] = {a, b, c};
    int id = 0;
    marks[0] = 0;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < rows[t]; i++) {
            char line[16];
            int len = snprintf(line, sizeof(line), "%d\n", ++id);
            assert_int_equal(wr_pg_snapshot_next(&s, tables[t], &change, &err), 0);
            assert_int_equal(wr_pg_snapshot_next(&s, tables[t], &change, &err), 0);
            note(change);
            struct wr_bytes bytes = {(const uint8_t *)line, (size_t)len};
            assert_int_equal(wr_pg_snapshot_hold(&s, tables[t], bytes, &err), 0);
        }
        wr_pg_snapshot_table_end(&s, tables[t]);
    }
    assert_int_equal(wr_pg_snapshot_end(&s, &change, &err), 0);
    note(change);
    assert_true(change == NULL || change->origin.lsn == 5);
    assert_true(change == NULL || change->op == WR_OP_READ);
    wr_pg_snapshot_fini(&s);
    return marks;
}

static void marks_rows_by_their_place(void **state)
{
    (void)state;
    assert_string_equal(marks_of(3, 3, 0), "t1.1:first t1.2:true t1.3:last_in_data_collection "
                                           "t2.4:first_in_data_collection t2.5:true t2.6:last ");
    assert_string_equal(marks_of(0, 0, 0), "");
    assert_string_equal(marks_of(1, 0, 0), "t1.1:last ");
    assert_string_equal(marks_of(2, 0, 0), "t1.1:first t1.2:last ");
    assert_string_equal(marks_of(1, 1, 1), "t1.1:first t2.2:last_in_data_collection t3.3:last ");
    assert_string_equal(marks_of(0, 2, 0), "t2.1:first t2.2:last ");
    assert_string_equal(marks_of(2, 0, 2), "t1.1:first t1.2:last_in_data_collection "
                                           "t3.3:first_in_data_collection t3.4:last ");
}

static int set_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        tables[i] = make_table(i + 1);
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        wr_pg_table_free(tables[i]);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_lines_and_undoes_escapes),
        cmocka_unit_test(refuses_lines_that_copy_does_not_write),
        cmocka_unit_test(marks_rows_by_their_place),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
