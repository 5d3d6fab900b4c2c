#include "source/postgres/default.h"

static const struct wr_value no_default = {.state = WR_VALUE_ABSENT};

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* What the literal at the start of an expression is, and what comes behind it. */
struct literal {
    struct wr_str text; /* unquoted; in the arena when quotes had to go */
    struct wr_str rest;
};

/* 'it''s', or E'a\\b' when it has a backslash. */
static bool read_quoted(struct wr_str s, struct wr_arena *arena, struct literal *out)
{
    bool is_escaped = s.len > 0 && s.ptr[0] == 'E';
    size_t i = is_escaped ? 2 : 1;
    if (s.len < i || s.ptr[i - 1] != '\'') {
        return false;
    }
    char *room = wr_arena_array(arena, s.len + 1, 1);
    size_t len = 0;
    for (; room != NULL && i < s.len; i++) {
        bool is_pair = i + 1 < s.len && s.ptr[i + 1] == s.ptr[i] &&
                       (s.ptr[i] == '\'' || (is_escaped && s.ptr[i] == '\\'));
        if (s.ptr[i] == '\'' && !is_pair) {
            *out = (struct literal){{room, len}, {s.ptr + i + 1, s.len - i - 1}};
            return true;
        }
        i += is_pair ? 1 : 0;
        room[len++] = s.ptr[i];
    }
    return false;
}

/* 12.50, or (-12.50): PostgreSQL prints a negative constant in brackets. */
static bool read_number(struct wr_str s, struct literal *out)
{
    bool is_negative = s.len > 2 && s.ptr[0] == '(' && s.ptr[1] == '-';
    size_t from = is_negative ? 2 : 0;
    size_t i = from;
    while (i < s.len && ((s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '.')) {
        i++;
    }
    if (i == from || (is_negative && (i == s.len || s.ptr[i] != ')'))) {
        return false;
    }
    from -= is_negative ? 1 : 0;
    size_t end = is_negative ? i + 1 : i;
    *out = (struct literal){{s.ptr + from, i - from}, {s.ptr + end, s.len - end}};
    return true;
}

static bool read_keyword(struct wr_str s, const char *word, struct literal *out)
{
    size_t len = strlen(word);
    if (s.len < len || memcmp(s.ptr, word, len) != 0 || (s.len > len && is_word(s.ptr[len]))) {
        return false;
    }
    *out = (struct literal){{s.ptr, len}, {s.ptr + len, s.len - len}};
    return true;
}

/* "::character varying", "::numeric(8,3)", or nothing: the casts that may follow a literal. */
static bool is_cast(struct wr_str s)
{
    bool is_quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        is_quoted = is_quoted != (c == '"');
        if (!is_quoted && !is_word(c) && c != '"' && c != ':' && c != ' ' && c != '.' && c != '(' &&
            c != ')' && c != ',') {
            return false;
        }
    }
    return s.len == 0 || (s.len > 2 && s.ptr[0] == ':' && s.ptr[1] == ':');
}

static bool read_literal(struct wr_str s, struct wr_arena *arena, struct literal *out)
{
    return (read_quoted(s, arena, out) || read_number(s, out) || read_keyword(s, "true", out) ||
            read_keyword(s, "false", out)) &&
           is_cast(out->rest);
}

/* A call, by its look: name and bracket, perhaps in one bracket more. */
static bool is_call(struct wr_str s)
{
    size_t i = s.len > 0 && s.ptr[0] == '(' ? 1 : 0;
    size_t from = i;
    while (i < s.len && (is_word(s.ptr[i]) || s.ptr[i] == '.')) {
        i++;
    }
    return i > from && i < s.len && s.ptr[i] == '(';
}

/* Functions that SQL writes without brackets. */
static bool is_keyword_call(struct wr_str s)
{
    static const char *const words[] = {
        "CURRENT_DATE",   "CURRENT_TIME",   "CURRENT_TIMESTAMP", "LOCALTIME",
        "LOCALTIMESTAMP", "CURRENT_USER",   "SESSION_USER",      "USER",
        "CURRENT_ROLE",   "CURRENT_SCHEMA", "CURRENT_CATALOG",   "SYSTEM_USER"};
    struct literal word;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (read_keyword(s, words[i], &word)) {
            return true;
        }
    }
    return false;
}

/* A decimal's literal with as many digits behind the point as its column has, for so PostgreSQL keeps
 * it: 2.5 in numeric(8,3) is 2.500. A longer one would be rounded by the server: it shows none. */
static struct wr_value rescaled(struct wr_value value, const struct wr_column *column,
                                struct wr_arena *arena)
{
    struct wr_bytes text = value.u.bytes;
    size_t scale = column->precision >= 0 && column->scale > 0 ? (size_t)column->scale : 0;
    if (column->precision < 0) {
        return value;
    }
    const uint8_t *point = text.len == 0 ? NULL : memchr(text.ptr, '.', text.len);
    size_t have = point == NULL ? 0 : text.len - (size_t)(point - text.ptr) - 1;
    if (have > scale || text.len == 0 ||
        (text.ptr[text.len - 1] | 0x20) >= 'a') { /* NaN, Infinity */
        return have > scale ? no_default : value;
    }
    uint8_t *room = wr_arena_array(arena, text.len + 1 + scale, 1);
    if (room == NULL) {
        return no_default;
    }
    memcpy(room, text.ptr, text.len);
    size_t len = text.len;
    if (have < scale && point == NULL) {
        room[len++] = '.';
    }
    for (; have < scale; have++) {
        room[len++] = '0';
    }
    value.u.bytes = (struct wr_bytes){room, len};
    return value;
}

/* Read `text` as a value of the column; ABSENT when it is none. */
static struct wr_value shown(struct wr_str text, const struct wr_pg_type *type,
                             const struct wr_column *column, struct wr_arena *arena)
{
    struct wr_value value = no_default;
    if (wr_pg_value_read(type, false, wr_bytes_of_str(text), arena, &value) != NULL) {
        return no_default;
    }
    bool is_time = type->type == WR_TYPE_DATE || type->type == WR_TYPE_TIMESTAMP ||
                   type->type == WR_TYPE_TIMESTAMPTZ;
    if (is_time && (value.u.i == WR_TIME_INFINITY || value.u.i == WR_TIME_MINUS_INFINITY)) {
        return no_default;
    }
    return type->type == WR_TYPE_DECIMAL ? rescaled(value, column, arena) : value;
}

struct wr_value wr_pg_default_of(struct wr_str expression, const struct wr_pg_type *type,
                                 const struct wr_column *column, struct wr_arena *arena)
{
    struct literal literal;
    if (expression.ptr == NULL || type->generated == NULL) {
        return no_default;
    }
    if (read_literal(expression, arena, &literal)) {
        return shown(literal.text, type, column, arena);
    }
    if (is_call(expression) || is_keyword_call(expression)) {
        return shown(wr_str_of(type->generated), type, column, arena);
    }
    return no_default;
}
