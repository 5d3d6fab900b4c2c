/*
 * Bytes as SQL with parameters, in both dialects. What is taken must keep its promises: the text between the
 * placeholders is untouched, each placeholder is one of the slots, each slot is used, and every place leads
 * back into the text.
 */
#include "data/parameter.h"

#include <stdio.h>

/* Rebuild the rewritten text from the written one, the marks and the placeholders' own numbers. */
static void check_text(struct wr_str text, const struct wr_sql *sql, char sign)
{
    size_t text_at = 0;
    size_t sql_at = 0;
    for (size_t i = 0; i < sql->mark_count; i++) {
        const struct wr_sql_mark *mark = &sql->marks[i];
        WR_ASSERT(mark->text_at >= text_at && mark->text_at - text_at == mark->sql_at - sql_at);
        WR_ASSERT(memcmp(text.ptr + text_at, sql->sql.ptr + sql_at, mark->sql_at - sql_at) == 0);
        WR_ASSERT(text.ptr[mark->text_at] == ':' && sql->sql.ptr[mark->sql_at] == sign);
        size_t number = 0;
        for (size_t j = 1; j < mark->sql_len; j++) {
            number = number * 10 + (size_t)(sql->sql.ptr[mark->sql_at + j] - '0');
        }
        WR_ASSERT(number >= 1 && number <= sql->slot_count);
        WR_ASSERT(sql->slots[number - 1].at <= mark->text_at);
        text_at = mark->text_at + mark->text_len;
        sql_at = mark->sql_at + mark->sql_len;
    }
    WR_ASSERT(text.len - text_at == sql->sql.len - sql_at);
    WR_ASSERT(memcmp(text.ptr + text_at, sql->sql.ptr + sql_at, text.len - text_at) == 0);
    for (size_t i = 0; i <= sql->sql.len; i++) {
        WR_ASSERT(wr_sql_origin(sql, i) <= text.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_str text = {(const char *)data, size};
    for (int dialect = WR_SQL_SQLITE; dialect <= WR_SQL_POSTGRES; dialect++) {
        struct wr_arena arena = wr_arena_of(4 << 20);
        struct wr_parameters set = wr_parameters_of(&arena);
        struct wr_sql sql;
        struct weir_error err;
        size_t at = 0;
        int rc = wr_sql_scan(text, (enum wr_sql_dialect)dialect, &set, &sql, &at, &err);
        WR_ASSERT(rc == 0 || at <= size);
        if (rc == 0) {
            check_text(text, &sql, dialect == WR_SQL_SQLITE ? '?' : '$');
        }
        wr_arena_fini(&arena);
    }
    return 0;
}
