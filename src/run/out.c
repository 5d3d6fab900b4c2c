#include "run/out.h"

#include "run/table.h"

#include <jansson.h>
#include <unistd.h>

int wr_out(struct wr_bytes bytes, struct weir_error *err)
{
    size_t done = 0;
    while (done < bytes.len) {
        ssize_t n = write(STDOUT_FILENO, bytes.ptr + done, bytes.len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EPIPE) {
            return wr_fail_errno(err, WEIR_E_STOPPED, "write to standard output");
        }
        if (n < 0) {
            return wr_fail_errno(err, errno == ENOSPC ? WEIR_E_FULL : WEIR_E_IO,
                                 "write to standard output");
        }
        done += (size_t)n;
    }
    return 0;
}

int wr_out_writer(const struct wr_writer *w, struct weir_error *err)
{
    int rc = wr_writer_end(w, err);
    return rc < 0 ? rc : wr_out(wr_writer_bytes(w), err);
}

/* ---- answers for people ---- */

static int load(struct wr_str json, json_t **out, struct weir_error *err)
{
    json_t *root = json_loadb(json.len == 0 ? "" : json.ptr, json.len, 0, NULL);
    if (!json_is_array(root)) {
        json_decref(root);
        return wr_fail(err, WEIR_E_IO, "weir's answer cannot be read; is it of another version?");
    }
    *out = root;
    return 0;
}

static bool is_among(const char *name, const char *const *names)
{
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The text of a scalar; numbers, true and false as they are, null as "-". */
static void value_text(const json_t *value, char *out, size_t len)
{
    if (json_is_string(value)) {
        (void)snprintf(out, len, "%s", json_string_value(value));
    } else if (json_is_integer(value)) {
        (void)snprintf(out, len, "%lld", (long long)json_integer_value(value));
    } else if (json_is_boolean(value)) {
        (void)snprintf(out, len, "%s", json_is_true(value) ? "yes" : "no");
    } else {
        (void)snprintf(out, len, "-");
    }
}

static void cell_text(const char *name, const json_t *value, char *out, size_t len)
{
    if (strcmp(name, "bytes") == 0 && len >= 16) {
        wr_bytes_text((uint64_t)json_integer_value(value), out);
        return;
    }
    value_text(value, out, len);
}

enum {
    TITLE_MAX = 32
};

/* "log_start" → "LOG START" */
static void make_title(const char *name, char *out)
{
    size_t i = 0;
    for (; i < TITLE_MAX - 1 && name[i] != 0; i++) {
        bool is_lower = name[i] >= 'a' && name[i] <= 'z';
        int c = name[i] == '_' ? ' ' : name[i] - (is_lower ? 'a' - 'A' : 0);
        out[i] = (char)c;
    }
    out[i] = 0;
}

/* Columns from the members of the first object. Their titles are in `titles`. */
static size_t read_columns(json_t *first, const char *const *hidden,
                           struct wr_table_column *columns, char titles[][TITLE_MAX],
                           const char **names)
{
    size_t count = 0;
    void *at = json_object_iter(first);
    for (; at != NULL && count < WR_TABLE_COLUMNS_MAX; at = json_object_iter_next(first, at)) {
        const char *name = json_object_iter_key(at);
        const json_t *value = json_object_iter_value(at);
        if (json_is_object(value) || json_is_array(value) || is_among(name, hidden)) {
            continue;
        }
        make_title(name, titles[count]);
        columns[count] = (struct wr_table_column){titles[count], json_is_integer(value)};
        names[count++] = name;
    }
    return count;
}

static void put_rows(json_t *root, const char *const *names, size_t count, struct wr_table *table)
{
    char text[512];
    for (size_t i = 0; i < json_array_size(root); i++) {
        json_t *row = json_array_get(root, i);
        for (size_t c = 0; c < count; c++) {
            cell_text(names[c], json_object_get(row, names[c]), text, sizeof(text));
            wr_table_put(table, wr_str_of(text));
        }
    }
}

static int print_table(json_t *root, const char *const *hidden, bool has_colour,
                       struct weir_error *err)
{
    struct wr_table_column columns[WR_TABLE_COLUMNS_MAX];
    char titles[WR_TABLE_COLUMNS_MAX][TITLE_MAX] = {{0}};
    const char *names[WR_TABLE_COLUMNS_MAX];
    struct wr_writer out = wr_writer_growing(WR_TABLE_MEMORY_MAX);
    size_t count = read_columns(json_array_get(root, 0), hidden, columns, titles, names);
    if (count == 0) {
        return 0;
    }
    struct wr_table table = wr_table_of(columns, count);
    put_rows(root, names, count, &table);
    int rc = wr_table_print(&table, has_colour, &out, err);
    rc = rc < 0 ? rc : wr_out_writer(&out, err);
    wr_table_fini(&table);
    wr_writer_fini(&out);
    return rc;
}

int wr_out_json_table(struct wr_str json, const char *const *hidden, bool has_colour,
                      struct weir_error *err)
{
    json_t *root = NULL;
    int rc = load(json, &root, err);
    rc = rc < 0 ? rc : print_table(root, hidden, has_colour, err);
    json_decref(root);
    return rc;
}

/* ---- one of them ---- */

/* Drop all objects but the one called `only`. */
static int keep_only(json_t *root, const char *only, const char *what, struct weir_error *err)
{
    for (size_t i = json_array_size(root); only != NULL && i > 0; i--) {
        const char *name = json_string_value(json_object_get(json_array_get(root, i - 1), "name"));
        if (name == NULL || strcmp(name, only) != 0) {
            (void)json_array_remove(root, i - 1);
        }
    }
    return only == NULL || json_array_size(root) > 0
               ? 0
               : wr_fail(err, WEIR_E_NOTFOUND, "there is no %s '%.100s'; weir %ss list shows them",
                         what, only, what);
}

static int widest_name(json_t *object)
{
    const char *name = NULL;
    json_t *value = NULL;
    size_t width = 0;
    json_object_foreach(object, name, value)
    {
        bool is_shown = !json_is_object(value) && !json_is_array(value);
        width = is_shown && strlen(name) > width ? strlen(name) : width;
    }
    return width < TITLE_MAX ? (int)width : TITLE_MAX;
}

static void put_block(json_t *object, bool has_colour, struct wr_writer *out)
{
    const char *name = NULL;
    json_t *value = NULL;
    char text[1024];
    int width = widest_name(object);
    json_object_foreach(object, name, value)
    {
        if (json_is_object(value) || json_is_array(value)) {
            continue;
        }
        cell_text(name, value, text, sizeof(text));
        if (strcmp(name, "name") == 0) {
            wr_put_fmt(out, "%s%s%s\n", has_colour ? "\x1b[1m" : "", text,
                       has_colour ? "\x1b[0m" : "");
        } else {
            wr_put_fmt(out, "  %-*s  %s\n", width, name, text);
        }
    }
}

int wr_out_json_blocks(struct wr_str json, const char *only, const char *what, bool has_colour,
                       struct weir_error *err)
{
    json_t *root = NULL;
    struct wr_writer out = wr_writer_growing(WR_TABLE_MEMORY_MAX);
    int rc = load(json, &root, err);
    rc = rc < 0 ? rc : keep_only(root, only, what, err);
    for (size_t i = 0; rc == 0 && i < json_array_size(root); i++) {
        put_block(json_array_get(root, i), has_colour, &out);
    }
    rc = rc < 0 ? rc : wr_out_writer(&out, err);
    json_decref(root);
    wr_writer_fini(&out);
    return rc;
}

int wr_out_json(struct wr_str json, const char *only, const char *what, struct weir_error *err)
{
    json_t *root = NULL;
    int rc = load(json, &root, err);
    rc = rc < 0 ? rc : keep_only(root, only, what, err);
    char *text = rc < 0 ? NULL : json_dumps(root, 0);
    if (rc == 0 && text == NULL) {
        rc = wr_fail(err, WEIR_E_NOMEM, "an answer of %zu bytes", json.len);
    }
    rc = rc < 0 ? rc : wr_out(wr_bytes_of_str(wr_str_of(text)), err);
    rc = rc < 0 ? rc : wr_out(wr_bytes_of_str(WR_STR("\n")), err);
    free(text);
    json_decref(root);
    return rc;
}
