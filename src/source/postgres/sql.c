#include "source/postgres/sql.h"

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

/* The variable that begins at text[0] == ':', or 0 when it is none ("::", ": "). */
static size_t variable_len(const char *text, struct wr_str *name, char *quote)
{
    *quote = 0;
    if (text[1] == '\'' || text[1] == '"') {
        *quote = text[1];
    }
    size_t from = *quote != 0 ? 2 : 1;
    size_t end = from;
    while (is_name(text[end])) {
        end++;
    }
    if (end == from || (*quote != 0 && text[end] != *quote)) {
        return 0;
    }
    *name = (struct wr_str){text + from, end - from};
    return *quote != 0 ? end + 1 : end;
}

static struct wr_str arg_of(const struct wr_pg_arg *args, size_t count, struct wr_str name)
{
    size_t i = 0;
    while (i < count && !wr_str_eq(wr_str_of(args[i].name), name)) {
        i++;
    }
    WR_ASSERT(i < count);
    return args[i].value;
}

/* Put `value` between quotes, with those in it doubled. */
static void put_quoted(struct wr_writer *w, struct wr_str value, char quote)
{
    wr_put_u8(w, (uint8_t)quote);
    for (size_t i = 0; i < value.len; i++) {
        WR_ASSERT(value.ptr[i] != 0);
        if (value.ptr[i] == quote) {
            wr_put_u8(w, (uint8_t)quote);
        }
        wr_put_u8(w, (uint8_t)value.ptr[i]);
    }
    wr_put_u8(w, (uint8_t)quote);
}

void wr_pg_literal_put(struct wr_writer *w, struct wr_str value)
{
    put_quoted(w, value, '\''); /* standard_conforming_strings is on: session.sql */
}

void wr_pg_identifier_put(struct wr_writer *w, struct wr_str name)
{
    put_quoted(w, name, '"');
}

void wr_pg_table_name_put(struct wr_writer *w, struct wr_str schema, struct wr_str table)
{
    wr_pg_identifier_put(w, schema);
    wr_put_u8(w, '.');
    wr_pg_identifier_put(w, table);
}

static void put_variable(struct wr_writer *w, struct wr_str value, char quote)
{
    if (quote == '\'') {
        wr_pg_literal_put(w, value);
    } else if (quote == '"') {
        wr_pg_identifier_put(w, value);
    } else {
        wr_put_str(w, value);
    }
}

/* A quoted text is copied as it is. 0: none begins here. */
static size_t quoted_len(const char *text)
{
    if (text[0] != '\'') {
        return 0;
    }
    const char *end = strchr(text + 1, '\'');
    WR_ASSERT(end != NULL);
    return (size_t)(end - text) + 1;
}

void wr_pg_sql_fill(struct wr_writer *w, const char *text, const struct wr_pg_arg *args,
                    size_t count)
{
    while (*text != 0) {
        struct wr_str name = {NULL, 0};
        char quote = 0;
        size_t len = quoted_len(text);
        size_t variable = *text == ':' && text[1] != ':' ? variable_len(text, &name, &quote) : 0;
        if (variable > 0) {
            put_variable(w, arg_of(args, count, name), quote);
            text += variable;
            continue;
        }
        if (len == 0) {
            len = *text == ':' && text[1] == ':' ? 2 : 1;
        }
        wr_put_str(w, (struct wr_str){text, len});
        text += len;
    }
}
