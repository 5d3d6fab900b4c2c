#include "data/envelope_row.h"

#include "data/json_out.h"

enum {
    WARNINGS_MAX = 1 << 16 /* of one change; more are left out */
};

static const char *hint_of(const struct wr_column *column)
{
    return column->type == WR_TYPE_DECIMAL ? "; decimal.handling.mode=string has room for it" : "";
}

static void warn(struct wr_row_work *work, struct wr_envelope_warning warning)
{
    if (wr_grow(&work->warnings, &work->warning_cap, work->warning_count + 1,
                sizeof(*work->warnings), WARNINGS_MAX)) {
        work->warnings[work->warning_count++] = warning;
    }
}

/* A value has no place in its column: null, or the default; an error when neither may be. */
static int no_place(const struct wr_envelope_plan *plan, const struct wr_connect_column *c,
                    const char *what, struct wr_datum *out, struct weir_error *err)
{
    *out = (struct wr_datum){0};
    if (what == wr_connect_no_memory) {
        return wr_fail(err, WEIR_E_NOMEM, "column %.*s of %.*s.%.*s", WR_FMT(c->column->name),
                       WR_FMT(plan->schema), WR_FMT(plan->name));
    }
    if (c->schema->is_optional) {
        return 0;
    }
    if (c->schema->default_value == NULL) {
        return wr_fail(err, WEIR_E_INPUT,
                       "table %.*s.%.*s: column %.*s is NOT NULL and holds %s, which the record "
                       "cannot show%s",
                       WR_FMT(plan->schema), WR_FMT(plan->name), WR_FMT(c->column->name), what,
                       hint_of(c->column));
    }
    *out = *c->schema->default_value;
    return 0;
}

static bool is_known(const struct wr_value *value)
{
    return value->state == WR_VALUE_SET || value->state == WR_VALUE_NULL;
}

/* Does a NULL of this column show as something else? */
static bool hides_null(const struct wr_envelope_plan *plan, const struct wr_connect_column *c)
{
    return c->absent.is_set ||
           (c->schema->default_value != NULL && plan->value->converter->shows_defaults);
}

static void mark(struct wr_envelope_row *row, size_t index, enum wr_envelope_hidden hidden)
{
    row->hidden[index] = (uint8_t)hidden;
    row->hidden_count++;
}

/* One column of a row. */
static int convert_value(const struct wr_envelope_plan *plan, size_t index,
                         const struct wr_value *value, struct wr_row_work *work,
                         struct wr_envelope_row *out, struct weir_error *err)
{
    const struct wr_connect_column *c = &plan->columns[index];
    const char *what = wr_connect_convert(c, value, work->scratch, &out->data[index]);
    if (what == NULL && value->state == WR_VALUE_SET) {
        return 0;
    }
    if (what != NULL) {
        int rc = no_place(plan, c, what, &out->data[index], err);
        if (rc != 0) {
            return rc;
        }
        warn(work, (struct wr_envelope_warning){plan->table, c->column, what});
    }
    if (!is_known(value)) {
        mark(out, index, WR_HIDDEN_UNSENT);
    } else if (hides_null(plan, c)) {
        mark(out, index, WR_HIDDEN_NULL);
    }
    return 0;
}

int wr_envelope_convert_row(const struct wr_envelope_plan *plan, const struct wr_value *row,
                            const struct wr_value *known, struct wr_row_work *work,
                            struct wr_envelope_row *out, struct weir_error *err)
{
    if (out->hidden_count > 0) {
        memset(out->hidden, WR_HIDDEN_NOTHING, plan->column_count);
        out->hidden_count = 0;
    }
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct wr_value *value = &row[i];
        if (value->state == WR_VALUE_UNSENT && known != NULL && is_known(&known[i])) {
            value = &known[i];
        }
        int rc = convert_value(plan, i, value, work, out, err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* "name":["a","b"], with `separator` in front; nothing when there are none. True when there were. */
static bool put_names(struct wr_json_out *out, const struct wr_envelope_plan *plan,
                      const struct wr_envelope_row *row, enum wr_envelope_hidden hidden,
                      struct wr_str head)
{
    bool is_first = true;
    for (size_t i = 0; i < plan->column_count; i++) {
        if (row->hidden[i] != (uint8_t)hidden || !wr_json_room(out, head.len + 1)) {
            continue;
        }
        if (is_first) {
            out->p = wr_text_copy(out->p, head.ptr, head.len);
        } else {
            *out->p++ = ',';
        }
        wr_json_put_text(out, plan->columns[i].column->name);
        is_first = false;
    }
    if (!is_first && wr_json_room(out, 1)) {
        *out->p++ = ']';
    }
    return !is_first;
}

void wr_envelope_put_hidden(struct wr_writer *w, const struct wr_envelope_plan *plan,
                            const struct wr_envelope_row *row)
{
    /* wr_text_copy() reads whole sixteens. */
    static const char null_head[32] = "{\"null\":[";
    static const char unsent_head[32] = "{\"unsent\":[";
    static const char next_head[32] = ",\"unsent\":[";
    struct wr_json_out out = wr_json_begin(w);
    bool has_null = put_names(&out, plan, row, WR_HIDDEN_NULL, wr_str_of(null_head));
    (void)put_names(&out, plan, row, WR_HIDDEN_UNSENT,
                    wr_str_of(has_null ? next_head : unsent_head));
    if (wr_json_room(&out, 1)) {
        *out.p++ = '}';
    }
    wr_json_end(&out);
}
