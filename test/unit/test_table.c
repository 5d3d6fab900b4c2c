/* Aligned text for people, and the bar of long work. */
#include "run/progress.h"
#include "run/table.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct wr_table_column columns[] = {{"NAME", false}, {"N", true}, {"LAST", false}};

static const char *printed(struct wr_table *table, bool has_colour)
{
    static char text[1024];
    struct weir_error err;
    struct wr_writer out = wr_writer_over(text, sizeof(text) - 1);
    assert_int_equal(wr_table_print(table, has_colour, &out, &err), 0);
    text[out.len] = 0;
    wr_table_fini(table);
    return text;
}

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
    (void)state;
    struct wr_table table = wr_table_of(columns, 3);
    wr_table_put(&table, WR_STR("a"));
    wr_table_fmt(&table, "%d", 1204);
    wr_table_put(&table, WR_STR("x"));
    wr_table_put(&table, WR_STR("r\xc3\xa9sum\xc3\xa9"));
    wr_table_fmt(&table, "%d", 7);
    wr_table_put(&table, WR_STR(""));
    assert_string_equal(printed(&table, false), "NAME       N  LAST\n"
                                                "a       1204  x\n"
                                                "r\xc3\xa9sum\xc3\xa9     7  \n");
}

static void titles_alone_are_coloured(void **state)
{
    (void)state;
    struct wr_table table = wr_table_of(columns, 1);
    wr_table_put(&table, WR_STR("a"));
    assert_string_equal(printed(&table, true), "\x1b[1mNAME\n\x1b[0ma\n");
}

static void nothing_in_a_cell_can_play_with_the_terminal(void **state)
{
    (void)state;
    struct wr_table table = wr_table_of(columns, 1);
    wr_table_put(&table, WR_STR("\x1b[31m\tx\x7f"));
    wr_table_put(&table, WR_STR("\xff"
                                "a"));
    assert_string_equal(printed(&table, false), "NAME\n?[31m?x?\n?a\n");
}

static void a_table_without_memory_says_so(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_table table = wr_table_of(columns, 1);
    struct wr_writer out = wr_writer_growing(100);
    wr_test_fail_alloc_at = 1;
    wr_table_put(&table, WR_STR("a"));
    wr_test_fail_alloc_at = 0;
    assert_int_equal(wr_table_print(&table, false, &out, &err), WEIR_E_NOMEM);
    wr_table_fini(&table);
    wr_writer_fini(&out);
}

static void sizes_have_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 B"},
                 {1023, "1023 B"},
                 {1024, "1.0 KiB"},
                 {1536, "1.5 KiB"},
                 {UINT64_C(10) << 30, "10.0 GiB"},
                 {UINT64_MAX, "16.0 EiB"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[16];
        wr_bytes_text(cases[i].bytes, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_bar_shows_its_part(void **state)
{
    (void)state;
    char text[160];
    wr_progress_text("verify", 1 << 20, 2 << 20, text, sizeof(text));
    assert_string_equal(text, "verify [###############               ]  50 %, 1.0 MiB of 2.0 MiB");
    wr_progress_text("verify", 3, 2, text, sizeof(text));
    assert_non_null(strstr(text, "] 100 %"));
    wr_progress_text("produce", 1 << 20, 0, text, sizeof(text)); /* nobody knows of how much */
    assert_string_equal(text, "produce: 1.0 MiB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
        cmocka_unit_test(titles_alone_are_coloured),
        cmocka_unit_test(nothing_in_a_cell_can_play_with_the_terminal),
        cmocka_unit_test(a_table_without_memory_says_so),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(a_bar_shows_its_part),
    };
    return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
