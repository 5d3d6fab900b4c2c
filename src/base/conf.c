#include "base/conf.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

const struct wr_conf *wr_conf_get(const struct wr_conf *map, const char *key)
{
    if (map == NULL || map->kind != WR_CONF_MAP) {
        return NULL;
    }
    for (size_t i = 0; i < map->count; i++) {
        if (wr_str_eq(map->entries[i].key, wr_str_of(key))) {
            return &map->entries[i].value;
        }
    }
    return NULL;
}

bool wr_conf_is_null(const struct wr_conf *node)
{
    return node == NULL || (node->kind == WR_CONF_SCALAR && node->is_plain &&
                            (node->text.len == 0 || wr_str_eq(node->text, WR_STR("~")) ||
                             (node->text.len == 4 && strncasecmp(node->text.ptr, "null", 4) == 0)));
}

struct wr_place wr_conf_place(const struct wr_conf *node, size_t at)
{
    if (node->kind != WR_CONF_SCALAR || node->text_at.line == 0) {
        return node->at;
    }
    struct wr_place place = node->text_at;
    for (size_t i = 0; i < at && i < node->text.len; i++) {
        unsigned char c = (unsigned char)node->text.ptr[i];
        if (c == '\n') {
            place.line++;
            place.column = node->text_column;
        } else if ((c & 0xC0) != 0x80) { /* not in the middle of a character */
            place.column++;
        }
    }
    return place;
}

int wr_conf_fail_at(struct weir_error *err, struct wr_place at, const char *src_file, int src_line,
                    const char *fmt, ...)
{
    char text[WEIR_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const char *file = at.file == NULL ? "configuration" : at.file;
    if (at.line == 0) {
        return wr_error_set(err, WEIR_E_CONFIG, 0, src_file, src_line, "%s: %s", file, text);
    }
    return wr_error_set(err, WEIR_E_CONFIG, 0, src_file, src_line, "%s:%d:%d: %s", file, at.line,
                        at.column, text);
}

struct wr_str wr_conf_shown(const struct wr_conf *node)
{
    if (node->kind == WR_CONF_LIST) {
        return WR_STR("a list");
    }
    if (node->kind == WR_CONF_MAP) {
        return WR_STR("a map");
    }
    return node->is_secret ? WR_STR("****") : node->text;
}

/* ---- what must not be shown ---- */

enum {
    SECRET_LEN_MIN = 3
};

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The first `word` in `text` that is no part of a longer one, or NULL. */
static char *find_word(char *text, struct wr_str word)
{
    size_t len = strlen(text);
    char *at = text;
    while ((at = memmem(at, len - (size_t)(at - text), word.ptr, word.len)) != NULL) {
        bool goes_on = is_word_byte(at[word.len]) && is_word_byte(word.ptr[word.len - 1]);
        bool went_on = at > text && is_word_byte(at[-1]) && is_word_byte(word.ptr[0]);
        if (!goes_on && !went_on) {
            return at;
        }
        at++;
    }
    return NULL;
}

static void hide_word(char text[WEIR_ERROR_TEXT_MAX], struct wr_str word)
{
    static const char stars[] = "****";
    char made[WEIR_ERROR_TEXT_MAX];
    char *rest = text;
    for (char *at = find_word(rest, word); at != NULL; at = find_word(rest, word)) {
        int before = (int)(at - text);
        (void)snprintf(made, sizeof(made), "%.*s%s%s", before, text, stars, at + word.len);
        memcpy(text, made, sizeof(made));
        if ((size_t)before + sizeof(stars) > sizeof(made)) {
            return; /* the text ends here */
        }
        rest = text + before + sizeof(stars) - 1;
    }
}

/* The value as a whole first, so that nothing of it shows where its parts are short; the path of
 * "sqlite:PATH" stands in messages without what is before it. */
static void hide_value(struct wr_str value, char text[WEIR_ERROR_TEXT_MAX])
{
    const char *colon = value.len == 0 ? NULL : memchr(value.ptr, ':', value.len);
    if (value.len >= SECRET_LEN_MIN) {
        hide_word(text, value);
    }
    if (colon != NULL && value.len - (size_t)(colon - value.ptr) > SECRET_LEN_MIN) {
        hide_word(text, (struct wr_str){colon + 1, value.len - (size_t)(colon + 1 - value.ptr)});
    }
    const char *end = value.ptr + value.len;
    for (const char *at = value.ptr; at < end;) {
        at += strspn(at, " \t\r\n");
        size_t len = strcspn(at, ",");
        size_t used = len + 1;
        while (len > 0 && strchr(" \t\r\n", at[len - 1]) != NULL) {
            len--;
        }
        if (len >= SECRET_LEN_MIN) {
            hide_word(text, (struct wr_str){at, len});
        }
        at += used;
    }
}

/* Trees are at most 64 levels deep. NOLINTNEXTLINE(misc-no-recursion) */
void wr_conf_hide(const struct wr_conf *tree, struct weir_error *err)
{
    if (tree->kind == WR_CONF_SCALAR && tree->is_secret) {
        hide_value(tree->text, err->text);
    }
    for (size_t i = 0; tree->kind != WR_CONF_SCALAR && i < tree->count; i++) {
        struct wr_str key = tree->entries[i].key;
        if (key.ptr == NULL || memmem(key.ptr, key.len, "password", 8) == NULL) {
            wr_conf_hide(&tree->entries[i].value, err);
        }
    }
}

/* ---- scalars ---- */

int wr_conf_bool(const struct wr_conf *node, const char *what, bool *out, struct weir_error *err)
{
    bool is_true = node->kind == WR_CONF_SCALAR && strcasecmp(node->text.ptr, "true") == 0;
    bool is_false = node->kind == WR_CONF_SCALAR && strcasecmp(node->text.ptr, "false") == 0;
    if (!is_true && !is_false) {
        return wr_conf_fail(err, node->at, "%s must be true or false, not '%.*s'", what,
                            WR_FMT(wr_conf_shown(node)));
    }
    *out = is_true;
    return 0;
}

int wr_conf_i64(const struct wr_conf *node, const char *what, int64_t min, int64_t max,
                int64_t *out, struct weir_error *err)
{
    const char *text = node->kind == WR_CONF_SCALAR ? node->text.ptr : "";
    char *end = NULL;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (*text == 0 || *end != 0 || (*text != '-' && (*text < '0' || *text > '9'))) {
        return wr_conf_fail(err, node->at, "%s must be a whole number, not '%.*s'", what,
                            WR_FMT(wr_conf_shown(node)));
    }
    if (errno != 0 || v < min || v > max) {
        return wr_conf_fail(err, node->at, "%s = %.*s is outside %lld .. %lld", what,
                            WR_FMT(wr_conf_shown(node)), (long long)min, (long long)max);
    }
    *out = v;
    return 0;
}

int wr_conf_str(const struct wr_conf *node, const char *what, struct wr_str *out,
                struct weir_error *err)
{
    if (node->kind != WR_CONF_SCALAR) {
        return wr_conf_fail(err, node->at, "%s must be one value, not %.*s", what,
                            WR_FMT(wr_conf_shown(node)));
    }
    *out = node->text;
    return 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Edit distance with transpositions (optimal string alignment), of texts of at most 63 bytes. */
static size_t distance(struct wr_str a, struct wr_str b)
{
    size_t row[3][65];
    for (size_t j = 0; j <= b.len; j++) {
        row[0][j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = row[i % 3];
        size_t *last = row[(i + 2) % 3];
        size_t *before = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t best = last[j - 1] + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
            best = least(best, least(last[j], now[j - 1]) + 1);
            bool swapped =
                i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1];
            now[j] = swapped ? least(best, before[j - 2] + 1) : best;
        }
    }
    return row[a.len % 3][b.len];
}

const char *wr_nearest(struct wr_str text, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = text.len / 3 + 1; /* farther is no typo */
    for (size_t i = 0; i < count && text.len < 64; i++) {
        struct wr_str name = wr_str_of(names[i]);
        size_t d = name.len < 64 ? distance(text, name) : SIZE_MAX;
        if (d <= best_distance && (best == NULL || d < best_distance)) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}

WR_PRINTF(4, 0)
static void tell(void (*take)(void *arg, struct wr_place at, const char *text), void *arg,
                 struct wr_place at, const char *fmt, va_list args)
{
    char text[WEIR_ERROR_TEXT_MAX];
    (void)vsnprintf(text, sizeof(text), fmt, args);
    take(arg, at, text);
}

void wr_conf_warn(const struct wr_conf_warn *warn, struct wr_place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (warn != NULL) {
        tell(warn->take, warn->arg, at, fmt, args);
    }
    va_end(args);
}

void wr_conf_note(const struct wr_conf_warn *warn, struct wr_place at, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (warn != NULL && warn->note != NULL) {
        tell(warn->note, warn->arg, at, fmt, args);
    }
    va_end(args);
}

static bool is_among(struct wr_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wr_str_eq(text, wr_str_of(names[i]))) {
            return true;
        }
    }
    return false;
}

void wr_conf_warn_unknown(const struct wr_conf_warn *warn, const struct wr_conf *map,
                          const char *where, const char *const *names, size_t count)
{
    for (size_t i = 0; map->kind == WR_CONF_MAP && i < map->count; i++) {
        const struct wr_conf_entry *entry = &map->entries[i];
        if (is_among(entry->key, names, count)) {
            continue;
        }
        const char *near = wr_nearest(entry->key, names, count);
        wr_conf_warn(warn, entry->key_at, "unknown key '%.*s' in %s%s%s%s", WR_FMT(entry->key),
                     where, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
    }
}
