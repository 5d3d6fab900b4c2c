#include "source/filter.h"

#include <regex.h>

enum {
    ITEMS_MAX = 4096,
    ITEM_BYTES_MAX = 64 << 10,
    PATTERN_BYTES_MAX = 1 << 20, /* of one item, written for POSIX */
    NAME_BYTES_MAX = 511
};

struct item {
    struct wr_str text; /* borrowed from the list */
    regex_t regex;
    bool is_compiled;
};

struct wr_filter {
    const struct wr_conf *list; /* borrowed */
    struct item *items;
    size_t count;
    size_t cap;
};

/* ---- Java to POSIX --------------------------------------------------------------------------------- */

struct java {
    const char *at;
    const char *end;
};

static bool is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The inside of a POSIX bracket for Java's \d \w \s; NULL for any other letter. */
static const char *class_of(char c)
{
    switch (c) {
    case 'd': return "0-9";
    case 'w': return "A-Za-z0-9_";
    case 's': return "[:space:]";
    default: return NULL;
    }
}

static char lowered(char c)
{
    static const char upper[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const char *at = c == 0 ? NULL : strchr(upper, c);
    if (at == NULL) {
        return c;
    }
    return "abcdefghijklmnopqrstuvwxyz"[at - upper];
}

/* One character that means itself. */
static void put_literal(struct wr_writer *w, char c)
{
    if (strchr("\\^$.[]|()*+?{}", c) != NULL) {
        wr_put_u8(w, '\\');
    }
    wr_put_u8(w, (uint8_t)c);
}

/* \Q … \E: everything between means itself. */
static void put_quoted(struct wr_writer *w, struct java *j)
{
    while (j->at < j->end) {
        if (j->end - j->at >= 2 && j->at[0] == '\\' && j->at[1] == 'E') {
            j->at += 2;
            return;
        }
        put_literal(w, *j->at++);
    }
}

static const char *put_escape(struct wr_writer *w, struct java *j)
{
    if (j->at == j->end) {
        return "a backslash at its end";
    }
    char c = *j->at++;
    if (c == 'Q') {
        put_quoted(w, j);
        return NULL;
    }
    const char *class = class_of(lowered(c));
    if (is_alnum(c) && class == NULL) {
        return "an escape that cannot be written here";
    }
    if (class == NULL) {
        put_literal(w, c);
        return NULL;
    }
    wr_put_fmt(w, "[%s%s]", c >= 'a' ? "" : "^", class);
    return NULL;
}

/* After '['. In POSIX a bracket has no escapes: classes are written out, and what would mean something
 * is put where it does not. */
static const char *put_bracket(struct wr_writer *w, struct java *j)
{
    wr_put_u8(w, '[');
    if (j->at < j->end && *j->at == '^') {
        wr_put_u8(w, (uint8_t)*j->at++);
    }
    bool is_last_dash = false;
    while (j->at < j->end && *j->at != ']') {
        char c = *j->at++;
        if (c == '[' || (c == '&' && j->at < j->end && *j->at == '&')) {
            return "a set within a set";
        }
        if (c != '\\') {
            wr_put_u8(w, (uint8_t)c);
            continue;
        }
        if (j->at == j->end) {
            break;
        }
        c = *j->at++;
        const char *class = class_of(c);
        if ((is_alnum(c) && class == NULL) || c == ']' || c == '[' || c == '^') {
            return "an escape in a set that cannot be written here";
        }
        is_last_dash = is_last_dash || c == '-';
        if (class != NULL) {
            wr_put_str(w, wr_str_of(class));
        } else if (c != '-') {
            wr_put_u8(w, (uint8_t)c);
        }
    }
    if (j->at == j->end) {
        return "a set without an end";
    }
    j->at++;
    wr_put_str(w, is_last_dash ? WR_STR("-]") : WR_STR("]"));
    return NULL;
}

/* After '(': a group, which here always counts. */
static const char *put_group(struct wr_writer *w, struct java *j)
{
    if (j->end - j->at >= 1 && j->at[0] == '?') {
        if (j->end - j->at < 2 || j->at[1] != ':') {
            return "a group with (? that cannot be written here";
        }
        j->at += 2;
    }
    wr_put_u8(w, '(');
    return NULL;
}

/* After a quantifier: `?` makes it lazy, which changes nothing where the whole name must match. */
static const char *skip_greed(struct java *j)
{
    if (j->at < j->end && *j->at == '+') {
        return "a possessive quantifier";
    }
    if (j->at < j->end && *j->at == '?') {
        j->at++;
    }
    return NULL;
}

const char *wr_filter_translate(struct wr_writer *w, struct wr_str java)
{
    struct java j = {java.ptr, java.ptr + java.len};
    const char *why = NULL;
    while (why == NULL && j.at < j.end) {
        char c = *j.at++;
        switch (c) {
        case '\\': why = put_escape(w, &j); break;
        case '[': why = put_bracket(w, &j); break;
        case '(': why = put_group(w, &j); break;
        case '*':
        case '+':
        case '?':
        case '}':
            wr_put_u8(w, (uint8_t)c);
            why = skip_greed(&j);
            break;
        default: wr_put_u8(w, (uint8_t)c); break;
        }
    }
    return why;
}

/* ---- a list ---------------------------------------------------------------------------------------- */

static struct wr_str shown(const struct wr_filter *f, const struct item *item)
{
    return f->list->is_secret ? WR_STR("****") : item->text;
}

static struct wr_place place_of(const struct wr_filter *f, const struct item *item)
{
    return wr_conf_place(f->list, (size_t)(item->text.ptr - f->list->text.ptr));
}

static int compile(const struct wr_filter *f, struct item *item, const char *what,
                   struct weir_error *err)
{
    struct wr_writer w = wr_writer_growing(PATTERN_BYTES_MAX);
    wr_put_lit(&w, "^(");
    const char *why = wr_filter_translate(&w, item->text);
    wr_put_lit(&w, ")$");
    wr_put_u8(&w, 0);
    int rc = wr_writer_end(&w, err);
    if (rc == 0 && why == NULL) {
        int failed =
            regcomp(&item->regex, (const char *)w.base, REG_EXTENDED | REG_ICASE | REG_NOSUB);
        item->is_compiled = failed == 0;
        why = failed == 0 ? NULL : "no regular expression";
    }
    wr_writer_fini(&w);
    if (rc < 0) {
        return rc;
    }
    return why == NULL ? 0
                       : wr_conf_fail(err, place_of(f, item), "%s: '%.*s' is, or has, %s", what,
                                      WR_FMT(shown(f, item)), why);
}

/* Take one item off the list: up to a comma that has no backslash before it. */
static struct wr_str take_item(struct wr_str *list)
{
    size_t len = 0;
    while (len < list->len && list->ptr[len] != ',') {
        len += list->ptr[len] == '\\' && len + 1 < list->len ? 2 : 1;
    }
    struct wr_str item = {list->ptr, len};
    size_t used = len < list->len ? len + 1 : len;
    list->ptr += used;
    list->len -= used;
    while (item.len > 0 && strchr(" \t\r\n", item.ptr[0]) != NULL) {
        item.ptr++;
        item.len--;
    }
    while (item.len > 0 && strchr(" \t\r\n", item.ptr[item.len - 1]) != NULL) {
        item.len--;
    }
    return item;
}

static int add_item(struct wr_filter *f, struct wr_str text, const char *what,
                    struct weir_error *err)
{
    if (text.len > ITEM_BYTES_MAX ||
        !wr_grow(&f->items, &f->cap, f->count + 1, sizeof(*f->items), ITEMS_MAX)) {
        return wr_conf_fail(err, f->list->at, "%s is too long", what);
    }
    struct item *item = &f->items[f->count++];
    *item = (struct item){.text = text};
    return compile(f, item, what, err);
}

int wr_filter_new(const struct wr_conf *list, const char *what, struct wr_filter **out,
                  struct weir_error *err)
{
    struct wr_filter *f = wr_alloc_array(1, sizeof(*f));
    if (f == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%s", what);
    }
    f->list = list;
    struct wr_str rest = list->text;
    int rc = 0;
    while (rc == 0 && rest.len > 0) {
        struct wr_str text = take_item(&rest);
        rc = text.len == 0 ? 0 : add_item(f, text, what, err);
    }
    if (rc < 0) {
        wr_filter_free(f);
        return rc;
    }
    *out = f;
    return 0;
}

void wr_filter_free(struct wr_filter *filter)
{
    if (filter == NULL) {
        return;
    }
    for (size_t i = 0; i < filter->count; i++) {
        if (filter->items[i].is_compiled) {
            regfree(&filter->items[i].regex);
        }
    }
    wr_free(filter->items);
    wr_free(filter);
}

size_t wr_filter_count(const struct wr_filter *filter)
{
    return filter == NULL ? 0 : filter->count;
}

struct wr_str wr_filter_text(const struct wr_filter *filter, size_t index)
{
    WR_ASSERT(index < filter->count);
    return filter->items[index].text;
}

struct wr_str wr_filter_shown(const struct wr_filter *filter, size_t index)
{
    WR_ASSERT(index < filter->count);
    return shown(filter, &filter->items[index]);
}

struct wr_place wr_filter_place(const struct wr_filter *filter, size_t index)
{
    WR_ASSERT(index < filter->count);
    return place_of(filter, &filter->items[index]);
}

bool wr_filter_is_name(const struct wr_filter *filter, size_t index)
{
    WR_ASSERT(index < filter->count);
    struct wr_str text = filter->items[index].text;
    for (size_t i = 0; i < text.len; i++) {
        bool is_escape = text.ptr[i] == '\\' && i + 1 < text.len && !is_alnum(text.ptr[i + 1]);
        if (is_escape) {
            i++;
        } else if (strchr("\\^$[]|()*+?{}", text.ptr[i]) != NULL) {
            return false;
        }
    }
    return true;
}

static bool item_matches(const struct item *item, struct wr_str name)
{
    char copy[NAME_BYTES_MAX + 1]; /* regexec wants a NUL */
    WR_ASSERT(name.len <= NAME_BYTES_MAX);
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = 0;
    return regexec(&item->regex, copy, 0, NULL, 0) == 0;
}

bool wr_filter_item_matches(const struct wr_filter *filter, size_t index, struct wr_str name)
{
    WR_ASSERT(index < filter->count);
    return item_matches(&filter->items[index], name);
}

int wr_filter_match(const struct wr_filter *filter, struct wr_str name)
{
    for (size_t i = 0; i < filter->count; i++) {
        if (item_matches(&filter->items[i], name)) {
            return (int)i;
        }
    }
    return -1;
}

/* ---- the lists of a connector ---------------------------------------------------------------------- */

int wr_capture_init(struct wr_capture *out, const struct wr_connector *connector,
                    struct weir_error *err)
{
    *out =
        (struct wr_capture){.skips_builtin = wr_connector_bool(connector, "table.ignore.builtin")};
    const struct {
        const char *name;
        struct wr_filter **into;
    } lists[] = {{"schema.include.list", &out->schemas},
                 {"schema.exclude.list", &out->no_schemas},
                 {"table.include.list", &out->tables},
                 {"table.exclude.list", &out->no_tables}};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        if (!wr_connector_has(connector, lists[i].name)) {
            continue;
        }
        int rc = wr_filter_new(wr_connector_node(connector, lists[i].name), lists[i].name,
                               lists[i].into, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

void wr_capture_fini(struct wr_capture *capture)
{
    wr_filter_free(capture->schemas);
    wr_filter_free(capture->no_schemas);
    wr_filter_free(capture->tables);
    wr_filter_free(capture->no_tables);
    *capture = (struct wr_capture){0};
}

static bool is_builtin(struct wr_str schema, struct wr_str table)
{
    return wr_str_eq(schema, WR_STR("pg_catalog")) ||
           wr_str_eq(schema, WR_STR("information_schema")) ||
           (schema.len >= 7 && memcmp(schema.ptr, "pg_temp", 7) == 0) ||
           wr_str_eq(table, WR_STR("spatial_ref_sys"));
}

int wr_capture_rank(const struct wr_capture *capture, struct wr_str schema, struct wr_str table)
{
    if ((capture->skips_builtin && is_builtin(schema, table)) ||
        (capture->schemas != NULL && wr_filter_match(capture->schemas, schema) < 0) ||
        (capture->no_schemas != NULL && wr_filter_match(capture->no_schemas, schema) >= 0)) {
        return -1;
    }
    char name[NAME_BYTES_MAX]; /* PostgreSQL's names have at most 63 bytes */
    struct wr_writer w = wr_writer_over(name, sizeof(name));
    wr_put_str(&w, schema);
    wr_put_lit(&w, ".");
    wr_put_str(&w, table);
    if (capture->no_tables != NULL && wr_filter_match(capture->no_tables, wr_writer_str(&w)) >= 0) {
        return -1;
    }
    return capture->tables == NULL ? 0 : wr_filter_match(capture->tables, wr_writer_str(&w));
}
