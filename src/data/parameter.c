#include "data/parameter.h"

#include "base/conf.h"
#include "base/writer.h"

#define SQL_MAX        ((size_t)16 << 20)
#define PARAMETERS_MAX 4096

struct built_in {
    const char *name;
    enum wr_parameter_kind kind;
    bool has_members;
};

static const struct built_in built_ins[] = {
    {"_type", WR_PARAMETER_TYPE, false},     {"_id", WR_PARAMETER_ID, false},
    {"_key", WR_PARAMETER_KEY, false},       {"_version", WR_PARAMETER_VERSION, false},
    {"_offset", WR_PARAMETER_OFFSET, false}, {"_partition", WR_PARAMETER_PARTITION, false},
    {"_time", WR_PARAMETER_TIME, false},     {"_op", WR_PARAMETER_OP, false},
    {"_before", WR_PARAMETER_BEFORE, true},  {"_after", WR_PARAMETER_AFTER, true},
    {"_source", WR_PARAMETER_SOURCE, true},
};
#define BUILT_IN_COUNT (sizeof(built_ins) / sizeof(built_ins[0]))

struct scan {
    struct wr_str text;
    size_t pos;
    enum wr_sql_dialect dialect;
    struct wr_parameters *set;
    struct wr_sql *out;
    struct wr_writer *w; /* the rewritten text */
    size_t copied;       /* bytes of `text` that were handled */
    size_t *at;          /* where it went wrong */
    struct weir_error *err;
};

struct wr_parameters wr_parameters_of(struct wr_arena *arena)
{
    return (struct wr_parameters){.arena = arena};
}

/* Fail at byte `pos` of the text. */
#define FAIL_AT(scan, pos, ...) \
    (*(scan)->at = (pos), wr_fail((scan)->err, WEIR_E_INPUT, __VA_ARGS__))

static int out_of_memory(struct scan *scan)
{
    *scan->at = scan->pos;
    return wr_fail(scan->err, WEIR_E_NOMEM, "parameters of a text of %zu bytes", scan->text.len);
}

/* ---- characters ---- */

/* The byte `ahead` of the position, or NUL behind the end; a NUL in the text is refused before. */
static char peek(const struct scan *scan, size_t ahead)
{
    if (scan->text.len - scan->pos <= ahead) {
        return 0;
    }
    return scan->text.ptr[scan->pos + ahead];
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name_part(char c)
{
    return is_name_start(c) || is_digit(c);
}

/* What both stores take for part of a word. */
static bool is_word_part(char c)
{
    return is_name_part(c) || c == '$';
}

static void pass_name(struct scan *scan)
{
    while (is_name_part(peek(scan, 0))) {
        scan->pos++;
    }
}

/* ---- the set ---- */

static bool same_path(const struct wr_parameter *a, const struct wr_parameter *b)
{
    return a->kind == b->kind && wr_str_eq(a->text, b->text);
}

/* The index of `wanted` in the set, which takes a copy when it is new. */
static int put_parameter(struct scan *scan, const struct wr_parameter *wanted, uint32_t *index)
{
    struct wr_parameters *set = scan->set;
    for (size_t i = 0; i < set->count; i++) {
        if (same_path(&set->items[i], wanted)) {
            *index = (uint32_t)i;
            return 0;
        }
    }
    if (set->count == PARAMETERS_MAX) {
        *scan->at = scan->pos;
        return wr_fail(scan->err, WEIR_E_LIMIT, "more than %d different parameters",
                       PARAMETERS_MAX);
    }
    if (set->count == set->cap) {
        size_t cap = set->cap == 0 ? 16 : set->cap * 2;
        struct wr_parameter *items = wr_arena_array(set->arena, cap, sizeof(*items));
        if (items == NULL) {
            return out_of_memory(scan);
        }
        if (set->count > 0) {
            memcpy(items, set->items, set->count * sizeof(*items));
        }
        set->items = items;
        set->cap = cap;
    }
    set->items[set->count] = *wanted;
    *index = (uint32_t)set->count++;
    return 0;
}

/* ---- one parameter ---- */

static int unknown_built_in(struct scan *scan, size_t start, struct wr_str name)
{
    const char *names[BUILT_IN_COUNT];
    for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
        names[i] = built_ins[i].name;
    }
    const char *near = wr_nearest(name, names, BUILT_IN_COUNT);
    return FAIL_AT(scan, start,
                   "there is no built-in parameter ':%.*s' (names that begin with '_' are built in)"
                   "%s%s%s",
                   WR_FMT(name), near == NULL ? "" : "; did you mean ':", near == NULL ? "" : near,
                   near == NULL ? "" : "'?");
}

/* Split `name.name…` into a path; the position is behind the colon. */
static int read_path(struct scan *scan, struct wr_json_path *path)
{
    struct wr_str names[WR_PARAMETER_NAMES_MAX];
    size_t count = 0;
    for (;;) {
        if (count == WR_PARAMETER_NAMES_MAX) {
            return FAIL_AT(scan, scan->pos, "a parameter of more than %d names",
                           WR_PARAMETER_NAMES_MAX);
        }
        size_t start = scan->pos;
        if (!is_name_start(peek(scan, 0))) {
            return FAIL_AT(scan, start, "a name was expected in a parameter (letter or '_' first)");
        }
        pass_name(scan);
        names[count++] = (struct wr_str){scan->text.ptr + start, scan->pos - start};
        if (peek(scan, 0) != '.') {
            break;
        }
        scan->pos++;
    }
    struct wr_str *kept = wr_arena_array(scan->set->arena, count, sizeof(*kept));
    for (size_t i = 0; kept != NULL && i < count; i++) {
        kept[i].len = names[i].len;
        kept[i].ptr = wr_arena_str(scan->set->arena, names[i]);
        kept = kept[i].ptr == NULL ? NULL : kept;
    }
    *path = (struct wr_json_path){kept, count};
    return kept == NULL ? out_of_memory(scan) : 0;
}

/* Turn a path whose first name begins with "_" into a built-in. */
static int resolve_built_in(struct scan *scan, size_t start, struct wr_parameter *parameter)
{
    WR_ASSERT(parameter->path.count > 0 && parameter->path.names != NULL);
    struct wr_str name = parameter->path.names[0];
    const struct built_in *found = NULL;
    for (size_t i = 0; i < BUILT_IN_COUNT; i++) {
        found = wr_str_eq(name, wr_str_of(built_ins[i].name)) ? &built_ins[i] : found;
    }
    if (found == NULL) {
        return unknown_built_in(scan, start, name);
    }
    if (parameter->path.count > 1 && !found->has_members) {
        return FAIL_AT(scan, start, "':%s' has no members", found->name);
    }
    parameter->kind = found->kind;
    parameter->path.names++;
    parameter->path.count--;
    return 0;
}

/* The parameter at the position, which is at its colon; leaves it behind the last byte. */
static int read_parameter(struct scan *scan, struct wr_parameter_use *use)
{
    size_t start = scan->pos++;
    struct wr_parameter parameter = {.kind = WR_PARAMETER_FIELD};
    int rc = read_path(scan, &parameter.path);
    if (rc < 0) {
        return rc;
    }
    struct wr_str text = {scan->text.ptr + start + 1, scan->pos - start - 1};
    parameter.text = (struct wr_str){wr_arena_str(scan->set->arena, text), text.len};
    if (parameter.text.ptr == NULL) {
        return out_of_memory(scan);
    }
    if (text.ptr[0] == '_') {
        rc = resolve_built_in(scan, start, &parameter);
        if (rc < 0) {
            return rc;
        }
    }
    use->at = start;
    use->is_optional = peek(scan, 0) == '?';
    scan->pos += use->is_optional ? 1 : 0;
    if (is_word_part(peek(scan, 0))) { /* "?1" and "2" must not become "?12" */
        return FAIL_AT(scan, scan->pos, "a blank is missing behind ':%.*s'", WR_FMT(text));
    }
    return put_parameter(scan, &parameter, &use->parameter);
}

int wr_parameter_parse(struct wr_str text, struct wr_parameters *set, struct wr_parameter_use *out,
                       size_t *at, struct weir_error *err)
{
    *at = 0;
    struct scan scan = {.text = text, .set = set, .at = at, .err = err};
    if (peek(&scan, 0) != ':') {
        return FAIL_AT(&scan, 0, "a parameter was expected (':name')");
    }
    int rc = read_parameter(&scan, out);
    if (rc == 0 && scan.pos < text.len) {
        return FAIL_AT(&scan, scan.pos, "something stands behind the parameter");
    }
    return rc;
}

/* ---- what is no parameter ---- */

/* From an opening quote to the closing one; the quote twice stands for itself, except that a bracket
 * ends at the first. */
static int pass_quoted(struct scan *scan, char close, bool has_backslash)
{
    size_t start = scan->pos++;
    while (scan->pos < scan->text.len) {
        char c = scan->text.ptr[scan->pos++];
        if (has_backslash && c == '\\' && scan->pos < scan->text.len) {
            scan->pos++;
        } else if (c == close && (close == ']' || peek(scan, 0) != close)) {
            return 0;
        } else if (c == close) {
            scan->pos++;
        }
    }
    return FAIL_AT(scan, start, "no closing %c for this %c", close, scan->text.ptr[start]);
}

static void pass_line_comment(struct scan *scan)
{
    while (scan->pos < scan->text.len && peek(scan, 0) != '\n') {
        scan->pos++;
    }
}

static int pass_block_comment(struct scan *scan)
{
    size_t start = scan->pos;
    size_t depth = 0;
    do {
        if (scan->pos >= scan->text.len) {
            return FAIL_AT(scan, start, "no end for this comment");
        }
        if (peek(scan, 0) == '/' && peek(scan, 1) == '*' &&
            (depth == 0 || scan->dialect == WR_SQL_POSTGRES)) {
            depth++;
            scan->pos += 2;
        } else if (peek(scan, 0) == '*' && peek(scan, 1) == '/') {
            depth--;
            scan->pos += 2;
        } else {
            scan->pos++;
        }
    } while (depth > 0);
    return 0;
}

/* PostgreSQL: $tag$ … $tag$. */
static int pass_dollar(struct scan *scan)
{
    size_t start = scan->pos++;
    if (is_digit(peek(scan, 0))) {
        return FAIL_AT(scan, start, "'$%c' is the store's own way; write a parameter as ':name'",
                       peek(scan, 0));
    }
    pass_name(scan);
    if (peek(scan, 0) != '$') {
        return 0; /* an operator, or wrong: the store will say */
    }
    scan->pos++;
    struct wr_str tag = {scan->text.ptr + start, scan->pos - start};
    const char *end =
        memmem(scan->text.ptr + scan->pos, scan->text.len - scan->pos, tag.ptr, tag.len);
    if (end == NULL) {
        return FAIL_AT(scan, start, "no closing %.*s for this one", WR_FMT(tag));
    }
    scan->pos = (size_t)(end - scan->text.ptr) + tag.len;
    return 0;
}

/* A word or a number, as a whole: what follows a letter is not looked at. */
static int pass_word(struct scan *scan)
{
    size_t start = scan->pos;
    while (is_word_part(peek(scan, 0))) {
        scan->pos++;
    }
    bool is_escape_string = scan->dialect == WR_SQL_POSTGRES && scan->pos - start == 1 &&
                            (scan->text.ptr[start] | 0x20) == 'e' && peek(scan, 0) == '\'';
    return is_escape_string ? pass_quoted(scan, '\'', true) : 0;
}

/* A mark that SQLite itself would take for a parameter. */
static int refuse_own_mark(struct scan *scan)
{
    return FAIL_AT(scan, scan->pos, "'%c' is SQLite's own way; write a parameter as ':name'",
                   peek(scan, 0));
}

/* ---- the whole text ---- */

static size_t put_slot(struct wr_sql *out, const struct wr_parameter_use *use)
{
    for (size_t i = 0; i < out->slot_count; i++) {
        if (out->slots[i].parameter == use->parameter) {
            out->slots[i].is_optional = out->slots[i].is_optional && use->is_optional;
            return i;
        }
    }
    out->slots[out->slot_count] = *use;
    return out->slot_count++;
}

/* Write what stands before the parameter at the position, and a placeholder for it. */
static int replace_parameter(struct scan *scan)
{
    struct wr_parameter_use use = {0};
    int rc = read_parameter(scan, &use);
    if (rc < 0) {
        return rc;
    }
    size_t slot = put_slot(scan->out, &use);
    wr_put_str(scan->w, (struct wr_str){scan->text.ptr + scan->copied, use.at - scan->copied});
    size_t before = scan->w->len;
    wr_put_fmt(scan->w, "%c%zu", scan->dialect == WR_SQL_SQLITE ? '?' : '$', slot + 1);
    scan->copied = scan->pos;
    scan->out->marks[scan->out->mark_count++] =
        (struct wr_sql_mark){before, scan->w->len - before, use.at, scan->pos - use.at};
    return 0;
}

static int scan_colon(struct scan *scan)
{
    char next = peek(scan, 1);
    if (is_name_start(next)) {
        return replace_parameter(scan);
    }
    if (scan->dialect == WR_SQL_SQLITE && is_word_part(next)) {
        return FAIL_AT(scan, scan->pos, "a parameter's name begins with a letter or '_'");
    }
    scan->pos += next == ':' ? 2 : 1; /* a cast, or a slice */
    return 0;
}

static int scan_token(struct scan *scan)
{
    bool is_sqlite = scan->dialect == WR_SQL_SQLITE;
    char c = peek(scan, 0);
    switch (c) {
    case '\'':
    case '"': return pass_quoted(scan, c, false);
    case ':': return scan_colon(scan);
    case '`':
        if (is_sqlite) {
            return pass_quoted(scan, c, false);
        }
        break;
    case '[':
        if (is_sqlite) {
            return pass_quoted(scan, ']', false);
        }
        break;
    case '$': return is_sqlite ? refuse_own_mark(scan) : pass_dollar(scan);
    case '?':
    case '@':
    case '#':
        if (is_sqlite) {
            return refuse_own_mark(scan);
        }
        break;
    case '-':
        if (peek(scan, 1) == '-') {
            pass_line_comment(scan);
            return 0;
        }
        break;
    case '/':
        if (peek(scan, 1) == '*') {
            return pass_block_comment(scan);
        }
        break;
    default: break;
    }
    if (is_word_part(c)) {
        return pass_word(scan);
    }
    scan->pos++;
    return 0;
}

/* Room for one slot and one mark for each colon. */
static int alloc_slots(struct scan *scan)
{
    size_t colons = 0;
    for (size_t i = 0; i < scan->text.len; i++) {
        if (scan->text.ptr[i] == 0) {
            return FAIL_AT(scan, i, "a NUL in SQL");
        }
        colons += scan->text.ptr[i] == ':' ? 1 : 0;
    }
    struct wr_arena *arena = scan->set->arena;
    scan->out->slots = wr_arena_array(arena, colons + 1, sizeof(*scan->out->slots));
    scan->out->marks = wr_arena_array(arena, colons + 1, sizeof(*scan->out->marks));
    return scan->out->slots == NULL || scan->out->marks == NULL ? out_of_memory(scan) : 0;
}

int wr_sql_scan(struct wr_str text, enum wr_sql_dialect dialect, struct wr_parameters *set,
                struct wr_sql *out, size_t *at, struct weir_error *err)
{
    WR_CLEANUP(wr_writer_fini) struct wr_writer w = wr_writer_growing(SQL_MAX);
    struct wr_sql made = {0};
    text = text.len == 0 ? WR_STR("") : text;
    *at = 0;
    struct scan scan = {
        .text = text, .dialect = dialect, .set = set, .out = &made, .w = &w, .at = at, .err = err};
    int rc = alloc_slots(&scan);
    while (rc == 0 && scan.pos < text.len) {
        rc = scan_token(&scan);
    }
    if (rc < 0) {
        return rc;
    }
    wr_put_str(&w, (struct wr_str){text.ptr + scan.copied, text.len - scan.copied});
    *at = text.len;
    rc = wr_writer_end(&w, err);
    if (rc < 0) {
        return wr_wrap(err, "SQL of %zu bytes", text.len);
    }
    struct wr_str sql = w.len == 0 ? WR_STR("") : wr_writer_str(&w);
    made.sql = (struct wr_str){wr_arena_str(set->arena, sql), sql.len};
    if (made.sql.ptr == NULL) {
        return out_of_memory(&scan);
    }
    *out = made;
    return 0;
}

size_t wr_sql_origin(const struct wr_sql *sql, size_t sql_at)
{
    size_t origin = sql_at;
    for (size_t i = 0; i < sql->mark_count && sql->marks[i].sql_at <= sql_at; i++) {
        const struct wr_sql_mark *mark = &sql->marks[i];
        size_t behind = sql_at - mark->sql_at;
        origin = behind < mark->sql_len ? mark->text_at
                                        : mark->text_at + mark->text_len + behind - mark->sql_len;
    }
    return origin;
}
