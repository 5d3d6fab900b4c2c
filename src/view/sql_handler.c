#include "view/sql_handler.h"

/* Versions are counted by an index of the log's that no reader hands out. */
static int refuse_version(const struct wr_sink_options *options, const struct wr_sql_text *text,
                          struct weir_error *err)
{
    for (size_t i = 0; i < text->sql.slot_count; i++) {
        const struct wr_parameter_use *use = &text->sql.slots[i];
        if (options->parameters->items[use->parameter].kind == WR_PARAMETER_VERSION) {
            return wr_conf_fail(err, wr_conf_place(text->conf, use->at),
                                "view '%s': ':_version' cannot be had in a view of this version; "
                                "':_offset' gives the order within a partition",
                                options->definition->name.ptr);
        }
    }
    return 0;
}

static int read_text(const struct wr_sink_options *options, enum wr_sql_dialect dialect,
                     const struct wr_view_handler *handler, struct wr_sql_text *out,
                     struct weir_error *err)
{
    const char *view = options->definition->name.ptr;
    struct wr_str text;
    int rc = wr_conf_str(out->conf, "SQL", &text, err);
    if (rc < 0) {
        return wr_wrap(err, "view '%s', on '%s'", view, handler->type.ptr);
    }
    size_t at = 0;
    struct weir_error inner;
    rc = wr_sql_scan(text, dialect, options->parameters, &out->sql, &at, &inner);
    if (rc == WEIR_E_NOMEM) {
        *err = inner;
        return rc;
    }
    if (rc < 0) {
        return wr_conf_fail(err, wr_conf_place(out->conf, at), "view '%s', on '%s': %s", view,
                            handler->type.ptr,
                            out->conf->is_secret ? WR_SQL_NOT_SHOWN : inner.text);
    }
    return refuse_version(options, out, err);
}

static int read_handler(const struct wr_sink_options *options, enum wr_sql_dialect dialect,
                        const struct wr_view_handler *handler, struct wr_sql_handler *out,
                        struct weir_error *err)
{
    const struct wr_conf *conf = handler->conf;
    bool is_list = conf->kind == WR_CONF_LIST;
    out->type = handler->type;
    out->count = is_list ? conf->count : 1;
    out->texts = wr_arena_array(options->arena, out->count, sizeof(*out->texts));
    if (out->texts == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", options->definition->name.ptr);
    }
    int rc = 0;
    for (size_t i = 0; i < out->count && rc == 0; i++) {
        out->texts[i].conf = is_list ? &conf->entries[i].value : conf;
        rc = read_text(options, dialect, handler, &out->texts[i], err);
    }
    return rc;
}

/* ---- what handlers want ---- */

/* The place of a parameter among the needs; a new one's is the last. */
static uint32_t need_of(struct wr_parameter_use *uses, size_t *count,
                        const struct wr_parameter_use *use)
{
    size_t i = 0;
    while (i < *count && uses[i].parameter != use->parameter) {
        i++;
    }
    if (i == *count) {
        uses[(*count)++] = *use;
    }
    uses[i].is_optional = uses[i].is_optional && use->is_optional;
    return (uint32_t)i;
}

static bool find_needs(const struct wr_sink_options *options, struct wr_sql_handler *handler,
                       struct wr_sink_needs *needs)
{
    size_t room = 1;
    for (size_t i = 0; i < handler->count; i++) {
        room += handler->texts[i].sql.slot_count;
    }
    struct wr_parameter_use *uses = wr_arena_array(options->arena, room, sizeof(*uses));
    for (size_t i = 0; i < handler->count && uses != NULL; i++) {
        struct wr_sql_text *text = &handler->texts[i];
        text->values =
            wr_arena_array(options->arena, text->sql.slot_count + 1, sizeof(*text->values));
        if (text->values == NULL) {
            return false;
        }
        for (size_t j = 0; j < text->sql.slot_count; j++) {
            text->values[j] = need_of(uses, &needs->count, &text->sql.slots[j]);
        }
    }
    needs->uses = uses;
    return uses != NULL;
}

int wr_sql_handlers_read(const struct wr_sink_options *options, enum wr_sql_dialect dialect,
                         struct wr_sql_handler **out, const struct wr_sink_needs **needs,
                         struct weir_error *err)
{
    const struct wr_view_definition *view = options->definition;
    struct wr_sql_handler *handlers =
        wr_arena_array(options->arena, view->on_count, sizeof(*handlers));
    struct wr_sink_needs *wanted = wr_arena_array(options->arena, view->on_count, sizeof(*wanted));
    if (handlers == NULL || wanted == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", view->name.ptr);
    }
    int rc = 0;
    for (size_t i = 0; i < view->on_count && rc == 0; i++) {
        rc = read_handler(options, dialect, &view->on[i], &handlers[i], err);
        if (rc == 0 && !find_needs(options, &handlers[i], &wanted[i])) {
            rc = wr_fail(err, WEIR_E_NOMEM, "view '%s'", view->name.ptr);
        }
    }
    if (rc == 0) {
        *out = handlers;
        *needs = wanted;
    }
    return rc;
}
