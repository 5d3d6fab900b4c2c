/*
 * table.h - rows of text in aligned columns, for people.
 *
 *     NAME                PARTITIONS  RECORDS
 *     app.public.orders            1     1204
 */
#ifndef WR_RUN_TABLE_H
#define WR_RUN_TABLE_H

#include "base/arena.h"
#include "base/writer.h"

enum {
    WR_TABLE_COLUMNS_MAX = 12,
    WR_TABLE_MEMORY_MAX = 64 * 1024 * 1024
};

struct wr_table_column {
    const char *title;
    bool is_number; /* aligned to the right */
};

struct wr_table {
    const struct wr_table_column *columns;
    size_t column_count;
    struct wr_arena arena;
    struct wr_str *cells; /* row by row */
    size_t cell_count;
    size_t cell_cap;
    bool is_spoiled; /* out of memory; wr_table_print() says so */
};

/* A table without rows. `columns` stays borrowed. */
struct wr_table wr_table_of(const struct wr_table_column *columns, size_t count);

/* Add the next cell, from left to right, row by row. The text is copied; control characters and what is not
 * UTF-8 become '?', so that nothing can play with the terminal. */
void wr_table_put(struct wr_table *table, struct wr_str text);
void wr_table_fmt(struct wr_table *table, const char *fmt, ...) WR_PRINTF(2, 3);

/* Write it with its titles. The last row must be whole. WEIR_E_NOMEM. */
WR_MUST_USE int wr_table_print(const struct wr_table *table, bool has_colour, struct wr_writer *out,
                               struct weir_error *err);

/* Free. Takes a zeroed one. */
void wr_table_fini(struct wr_table *table);

/* 1234 → "1.2 KiB"; out has room for 16 bytes. */
void wr_bytes_text(uint64_t bytes, char *out);

#endif
