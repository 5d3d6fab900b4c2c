#include "view/definition.h"

#include <stdio.h>

#include "log/log.h"

static const char *const keys[] = {"from", "to", "schema", "on", "type_field", "on_error", "batch"};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static int out_of_memory(const struct wr_view_definition *view, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOMEM, "view '%s'", view->name.ptr);
}

static int need(const struct wr_view_definition *view, const struct wr_conf *node, const char *key,
                const struct wr_conf **out, struct weir_error *err)
{
    *out = wr_conf_get(node, key);
    if (wr_conf_is_null(*out)) {
        return wr_conf_fail(err, *out == NULL ? view->at : (*out)->at, "view '%s' needs '%s:'",
                            view->name.ptr, key);
    }
    return 0;
}

/* ---- from ---- */

static int read_source(const struct wr_view_definition *view, const struct wr_conf *node,
                       struct wr_view_source *out, struct weir_error *err)
{
    int rc = wr_conf_str(node, "from", &out->pattern, err);
    if (rc < 0) {
        return rc;
    }
    out->at = node->at;
    out->is_secret = node->is_secret;
    bool is_good = out->pattern.len > 0 && out->pattern.len <= 249;
    for (size_t i = 0; i < out->pattern.len; i++) {
        char c = out->pattern.ptr[i];
        out->is_glob = out->is_glob || c == '*' || c == '?';
        is_good =
            is_good && (c == '*' || c == '?' || c == '.' || c == '_' || c == '-' ||
                        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
    }
    if (!is_good) {
        return wr_conf_fail(err, node->at,
                            "view '%s': from: '%.*s' is no topic (letters, digits, '.', '_', '-'; "
                            "in a pattern also * and ?)",
                            view->name.ptr, WR_FMT(wr_conf_shown(node)));
    }
    return 0;
}

static int read_from(struct wr_view_definition *view, const struct wr_conf *node,
                     struct wr_arena *arena, struct weir_error *err)
{
    const struct wr_conf *from = NULL;
    int rc = need(view, node, "from", &from, err);
    if (rc < 0) {
        return rc;
    }
    bool is_list = from->kind == WR_CONF_LIST;
    view->from_count = is_list ? from->count : 1;
    if (view->from_count == 0) {
        return wr_conf_fail(err, from->at, "view '%s': from: names no topic", view->name.ptr);
    }
    view->from = wr_arena_array(arena, view->from_count, sizeof(*view->from));
    if (view->from == NULL) {
        return out_of_memory(view, err);
    }
    for (size_t i = 0; i < view->from_count && rc == 0; i++) {
        rc = read_source(view, is_list ? &from->entries[i].value : from, &view->from[i], err);
    }
    return rc;
}

/* ---- on ---- */

static bool is_empty(const struct wr_conf *node)
{
    return wr_conf_is_null(node) || (node->kind == WR_CONF_SCALAR && node->text.len == 0) ||
           (node->kind != WR_CONF_SCALAR && node->count == 0);
}

static int read_on(struct wr_view_definition *view, const struct wr_conf *node,
                   struct wr_arena *arena, struct weir_error *err)
{
    const struct wr_conf *on = NULL;
    int rc = need(view, node, "on", &on, err);
    if (rc < 0) {
        return rc;
    }
    if (on->kind != WR_CONF_MAP || on->count == 0) {
        return wr_conf_fail(err, on->at,
                            "view '%s': on: must be a map of event types, each with what to do",
                            view->name.ptr);
    }
    view->on = wr_arena_array(arena, on->count, sizeof(*view->on));
    if (view->on == NULL) {
        return out_of_memory(view, err);
    }
    for (size_t i = 0; i < on->count; i++) {
        view->on[i] = (struct wr_view_handler){on->entries[i].key, &on->entries[i].value};
        if (is_empty(view->on[i].conf)) {
            return wr_conf_fail(err, on->entries[i].key_at, "view '%s': nothing to do on '%s'",
                                view->name.ptr, view->on[i].type.ptr);
        }
    }
    view->on_count = on->count;
    return 0;
}

/* ---- the rest ---- */

static int read_on_error(struct wr_view_definition *view, const struct wr_conf *node,
                         struct weir_error *err)
{
    const struct wr_conf *value = wr_conf_get(node, "on_error");
    if (wr_conf_is_null(value)) {
        return 0;
    }
    struct wr_str text;
    int rc = wr_conf_str(value, "on_error", &text, err);
    if (rc < 0) {
        return rc;
    }
    if (!wr_str_eq(text, WR_STR("stop")) && !wr_str_eq(text, WR_STR("skip"))) {
        return wr_conf_fail(err, value->at, "view '%s': on_error must be stop or skip, not '%.*s'",
                            view->name.ptr, WR_FMT(wr_conf_shown(value)));
    }
    view->on_error = text.ptr[1] == 'k' ? WR_ON_ERROR_SKIP : WR_ON_ERROR_STOP;
    return 0;
}

static int read_type_field(struct wr_view_definition *view, const struct wr_conf *node,
                           struct weir_error *err)
{
    const struct wr_conf *value = wr_conf_get(node, "type_field");
    if (wr_conf_is_null(value)) {
        return 0;
    }
    int rc = wr_conf_str(value, "type_field", &view->type_field, err);
    if (rc == 0 && view->type_field.len == 0) {
        return wr_conf_fail(err, value->at, "view '%s': type_field is empty", view->name.ptr);
    }
    return rc;
}

static int read_batch(struct wr_view_definition *view, const struct wr_conf *node,
                      const struct wr_conf_warn *warn, struct weir_error *err)
{
    static const char *const names[] = {"rows", "bytes"};
    const struct wr_conf *batch = wr_conf_get(node, "batch");
    if (wr_conf_is_null(batch)) {
        return 0;
    }
    if (batch->kind != WR_CONF_MAP) {
        return wr_conf_fail(err, batch->at, "view '%s': batch must be {rows: N, bytes: N}",
                            view->name.ptr);
    }
    wr_conf_warn_unknown(warn, batch, "batch", names, 2);
    const struct wr_conf *rows = wr_conf_get(batch, "rows");
    const struct wr_conf *bytes = wr_conf_get(batch, "bytes");
    int rc = 0;
    if (!wr_conf_is_null(rows)) {
        rc = wr_conf_i64(rows, "batch.rows", 1, 10000000, &view->batch_rows, err);
    }
    if (rc == 0 && !wr_conf_is_null(bytes)) {
        rc = wr_conf_i64(bytes, "batch.bytes", 1, WR_VIEW_BATCH_BYTES_MAX, &view->batch_bytes, err);
    }
    return rc;
}

int wr_view_definition_read(struct wr_str name, const struct wr_conf *node, struct wr_arena *arena,
                            const struct wr_conf_warn *warn, struct wr_view_definition *out,
                            struct weir_error *err)
{
    struct wr_view_definition view = {.name = name,
                                      .at = node->at,
                                      .batch_rows = WR_VIEW_BATCH_ROWS,
                                      .batch_bytes = WR_VIEW_BATCH_BYTES};
    if (node->kind != WR_CONF_MAP) {
        return wr_conf_fail(err, node->at, "view '%s' must be a map with from, to and on",
                            name.ptr);
    }
    if (!wr_conf_is_null(wr_conf_get(node, "tables"))) {
        return wr_conf_fail(err, wr_conf_get(node, "tables")->at,
                            "view '%s': no store of this version takes 'tables:'; say under 'on:' "
                            "what to do with each type of event",
                            name.ptr);
    }
    int rc = read_from(&view, node, arena, err);
    rc = rc < 0 ? rc : need(&view, node, "to", &view.to, err);
    rc = rc < 0 ? rc : read_on(&view, node, arena, err);
    rc = rc < 0 ? rc : read_type_field(&view, node, err);
    rc = rc < 0 ? rc : read_on_error(&view, node, err);
    rc = rc < 0 ? rc : read_batch(&view, node, warn, err);
    if (rc < 0) {
        return rc;
    }
    const struct wr_conf *schema = wr_conf_get(node, "schema");
    view.schema = schema == NULL || is_empty(schema) ? NULL : schema;
    char where[300];
    (void)snprintf(where, sizeof(where), "view '%.*s'", WR_FMT(name));
    wr_conf_warn_unknown(warn, node, where, keys, KEY_COUNT);
    *out = view;
    return 0;
}

/* ---- matching ---- */

/* `*` stands for any run of characters, `?` for one. Back to the last `*` when it does not go on. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *from = NULL;
    while (*text != 0) {
        if (*pattern == '*') {
            star = pattern++;
            from = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == 0;
}

bool wr_view_reads(const struct wr_view_definition *definition, const char *topic)
{
    bool is_internal = wr_topic_is_internal(topic);
    for (size_t i = 0; i < definition->from_count; i++) {
        const struct wr_view_source *source = &definition->from[i];
        bool is_named = wr_str_eq(source->pattern, wr_str_of(topic));
        if (is_named || (source->is_glob && !is_internal && matches(source->pattern.ptr, topic))) {
            return true;
        }
    }
    return false;
}
