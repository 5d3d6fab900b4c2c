#include "run/table.h"

#include "data/json_text.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    CELLS_MAX = 4 * 1024 * 1024,
    GAP = 2
};

struct wr_table wr_table_of(const struct wr_table_column *columns, size_t count)
{
    WR_ASSERT(count > 0);
    WR_ASSERT(count <= WR_TABLE_COLUMNS_MAX);
    return (struct wr_table){
        .columns = columns, .column_count = count, .arena = wr_arena_of(WR_TABLE_MEMORY_MAX)};
}

void wr_table_put(struct wr_table *table, struct wr_str text)
{
    char *copy = wr_arena_str(&table->arena, text);
    bool has_room = copy != NULL && wr_grow(&table->cells, &table->cell_cap, table->cell_count + 1,
                                            sizeof(*table->cells), CELLS_MAX);
    if (!has_room) {
        table->is_spoiled = true;
        return;
    }
    bool is_utf8 = wr_utf8_is_valid(wr_bytes_of_str(text));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)copy[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8)) {
            copy[i] = '?';
        }
    }
    table->cells[table->cell_count++] = (struct wr_str){copy, text.len};
}

void wr_table_fmt(struct wr_table *table, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    wr_table_put(table, wr_str_of(text));
}

/* In characters, each taken as one column wide. */
static size_t width_of(struct wr_str text)
{
    size_t width = 0;
    for (size_t i = 0; i < text.len; i++) {
        width += ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return width;
}

static size_t column_width(const struct wr_table *table, size_t column)
{
    size_t width = strlen(table->columns[column].title);
    for (size_t i = column; i < table->cell_count; i += table->column_count) {
        size_t w = width_of(table->cells[i]);
        width = w > width ? w : width;
    }
    return width;
}

static void put_spaces(struct wr_writer *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wr_put_u8(out, ' ');
    }
}

static void put_cell(const struct wr_table *table, size_t column, size_t width, struct wr_str text,
                     struct wr_writer *out)
{
    size_t pad = width - width_of(text);
    bool is_last = column + 1 == table->column_count;
    if (table->columns[column].is_number) {
        put_spaces(out, pad);
        pad = 0;
    }
    wr_put_str(out, text);
    put_spaces(out, is_last ? 0 : pad + GAP);
    if (is_last) {
        wr_put_u8(out, '\n');
    }
}

int wr_table_print(const struct wr_table *table, bool has_colour, struct wr_writer *out,
                   struct weir_error *err)
{
    size_t widths[WR_TABLE_COLUMNS_MAX];
    if (table->is_spoiled) {
        return wr_fail(err, WEIR_E_NOMEM, "a table of %zu cells", table->cell_count);
    }
    WR_ASSERT(table->cell_count % table->column_count == 0);
    if (has_colour) {
        wr_put_lit(out, "\x1b[1m");
    }
    for (size_t c = 0; c < table->column_count; c++) {
        widths[c] = column_width(table, c);
        put_cell(table, c, widths[c], wr_str_of(table->columns[c].title), out);
    }
    if (has_colour) {
        wr_put_lit(out, "\x1b[0m");
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t c = i % table->column_count;
        put_cell(table, c, widths[c], table->cells[i], out);
    }
    return 0;
}

void wr_table_fini(struct wr_table *table)
{
    wr_arena_fini(&table->arena);
    wr_free(table->cells);
    *table = (struct wr_table){0};
}

void wr_bytes_text(uint64_t bytes, char *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(out, 16, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
}
