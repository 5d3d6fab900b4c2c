#include "data/connect_schema.h"

#include "base/writer.h"
#include "data/connect_form.h"

/* ---- schemas ----------------------------------------------------------------------------------------- */

static const struct wr_schema scale_schema = {.type = WR_SCHEMA_INT32};
static const struct wr_schema value_schema = {.type = WR_SCHEMA_BYTES};
static const struct wr_schema_field variable_decimal_fields[] = {
    {.name = WR_STR_INIT("scale"), .schema = &scale_schema},
    {.name = WR_STR_INIT("value"), .schema = &value_schema},
};

/* What a schema is built from. `type` and `form` are the column's, or those of its items. */
struct build {
    const struct wr_column *column;
    enum wr_type type;
    const struct wr_connect_form *form;
    struct wr_arena *arena;
};

/* A number as text in the arena; {NULL, 0} when out of memory. */
static struct wr_str number_text(struct wr_arena *arena, int32_t v)
{
    char *text = wr_arena_array(arena, 12, 1);
    if (text == NULL) {
        return (struct wr_str){NULL, 0};
    }
    struct wr_writer w = wr_writer_over(text, 12);
    wr_put_i64_text(&w, v);
    return wr_writer_str(&w);
}

/* The labels of an enum with commas between; {NULL, 0} when out of memory. */
static struct wr_str joined_labels(struct wr_arena *arena, const struct wr_column *column)
{
    size_t len = column->label_count;
    for (size_t i = 0; i < column->label_count; i++) {
        len += column->labels[i].len;
    }
    char *text = wr_arena_array(arena, len + 1, 1);
    if (text == NULL) {
        return (struct wr_str){NULL, 0};
    }
    struct wr_writer w = wr_writer_over(text, len + 1);
    for (size_t i = 0; i < column->label_count; i++) {
        if (i > 0) {
            wr_put_u8(&w, ',');
        }
        wr_put_str(&w, column->labels[i]);
    }
    return wr_writer_str(&w);
}

/* Parameters that a Decimal and an Enum have. False when out of memory. */
static bool add_params(const struct build *b, struct wr_schema *schema)
{
    bool is_decimal = schema->logical == WR_LOGICAL_DECIMAL;
    bool is_enum = b->type == WR_TYPE_ENUM;
    if (!is_decimal && !is_enum) {
        return true;
    }
    struct wr_schema_param *params = wr_arena_array(b->arena, 2, sizeof(*params));
    if (params == NULL) {
        return false;
    }
    schema->params = params;
    if (is_enum) {
        schema->param_count = 1;
        params[0] = (struct wr_schema_param){WR_STR("allowed"), joined_labels(b->arena, b->column)};
        return params[0].value.ptr != NULL;
    }
    schema->param_count = 2;
    schema->scale = b->column->scale;
    params[0] = (struct wr_schema_param){WR_STR("scale"), number_text(b->arena, b->column->scale)};
    params[1] = (struct wr_schema_param){WR_STR("connect.decimal.precision"),
                                         number_text(b->arena, b->column->precision)};
    return params[0].value.ptr != NULL && params[1].value.ptr != NULL;
}

/* The schema of one form, without default and items; NULL when out of memory. */
static struct wr_schema *schema_of_form(const struct build *b, bool is_optional)
{
    struct wr_schema *schema = wr_arena_array(b->arena, 1, sizeof(*schema));
    if (schema == NULL) {
        return NULL;
    }
    *schema = (struct wr_schema){.type = b->form->type,
                                 .logical = b->form->logical,
                                 .is_optional = is_optional,
                                 .name = b->form->name,
                                 .version = b->form->name.ptr != NULL ? 1 : 0,
                                 .doc = b->form->doc};
    if (schema->type == WR_SCHEMA_STRUCT) {
        schema->fields = variable_decimal_fields;
        schema->field_count = 2;
    }
    return add_params(b, schema) ? schema : NULL;
}

/* ---- a column ---------------------------------------------------------------------------------------- */

/* "0" or "0.00" as the column's scale wants it; null when out of memory. */
static struct wr_datum scaled_zero(const struct wr_column *column, struct wr_arena *arena)
{
    size_t scale = column->precision >= 0 && column->scale > 0 ? (size_t)column->scale : 0;
    uint8_t *text = wr_arena_array(arena, scale + 2, 1);
    if (text == NULL) {
        return (struct wr_datum){0};
    }
    memset(text, '0', scale + 2);
    text[1] = scale > 0 ? '.' : '0';
    return (struct wr_datum){.is_set = true, .u.bytes = {text, scale > 0 ? scale + 2 : 1}};
}

static struct wr_datum fallback_of(const struct wr_connect_form *form,
                                   const struct wr_column *column, struct wr_arena *arena)
{
    if (form->is_fallback_scaled) {
        return scaled_zero(column, arena);
    }
    if (form->fallback.ptr != NULL) {
        return (struct wr_datum){.is_set = true, .u.bytes = wr_bytes_of_str(form->fallback)};
    }
    if (form->zero != NULL) {
        return *form->zero;
    }
    struct wr_datum zero;
    memset(&zero, 0, sizeof(zero)); /* 0, 0.0, false, no bytes and no items look the same */
    zero.is_set = true;
    return zero;
}

/* The column's default as the schema shows it; NULL for none, and for one that has no place. False when out
 * of memory. */
static bool find_default(const struct wr_connect_column *of, struct wr_arena *arena,
                         const struct wr_datum **out)
{
    const struct wr_value *value = &of->column->default_value;
    *out = NULL;
    if (!of->form->shows_default || value->state != WR_VALUE_SET) {
        return true;
    }
    struct wr_datum *datum = wr_arena_array(arena, 1, sizeof(*datum));
    if (datum == NULL) {
        return false;
    }
    const char *why_not = of->form->convert(of, value, arena, datum);
    *out = why_not == NULL ? datum : NULL;
    return why_not != wr_connect_no_memory;
}

static struct wr_schema *build_schema(const struct build *b, const struct wr_connect_form *item)
{
    struct wr_schema *schema = schema_of_form(b, b->column->is_nullable);
    if (schema == NULL || item == NULL) {
        return schema;
    }
    /* Debezium makes the items of an enum's array required, all others optional (cdc.md C2). */
    struct build of_item = {b->column, b->column->item, item, b->arena};
    schema->item = schema_of_form(&of_item, b->column->item != WR_TYPE_ENUM);
    return schema->item != NULL ? schema : NULL;
}

int wr_connect_map(const struct wr_column *column, const struct wr_connect_modes *modes,
                   struct wr_arena *arena, struct wr_connect_column *out, struct weir_error *err)
{
    struct wr_connect_column made = {.column = column, .modes = modes};
    bool is_array = column->type == WR_TYPE_ARRAY;
    made.form = wr_connect_form_of(column, column->type, modes);
    made.item = is_array ? wr_connect_form_of(column, column->item, modes) : NULL;
    if (made.form == NULL || (is_array && (made.item == NULL || made.item == made.form))) {
        return wr_fail(err, WEIR_E_UNSUPPORTED, "column %.*s has type %.*s, which has no mapping",
                       WR_FMT(column->name), WR_FMT(column->type_name));
    }
    struct build b = {column, column->type, made.form, arena};
    struct wr_schema *schema = build_schema(&b, made.item);
    made.schema = schema;
    if (schema == NULL || !find_default(&made, arena, &schema->default_value)) {
        return wr_fail(err, WEIR_E_NOMEM, "schema of column %.*s", WR_FMT(column->name));
    }
    if (!column->is_nullable) {
        made.absent = schema->default_value != NULL ? *schema->default_value
                                                    : fallback_of(made.form, column, arena);
        if (!made.absent.is_set) {
            return wr_fail(err, WEIR_E_NOMEM, "schema of column %.*s", WR_FMT(column->name));
        }
    }
    *out = made;
    return 0;
}

/* ---- values ------------------------------------------------------------------------------------------ */

const char *wr_connect_convert(const struct wr_connect_column *column, const struct wr_value *value,
                               struct wr_arena *arena, struct wr_datum *out)
{
    switch (value->state) {
    case WR_VALUE_SET: out->is_set = false; return column->form->convert(column, value, arena, out);
    case WR_VALUE_UNSENT:
        out->is_set = false;
        if (column->form->unsent == NULL) {
            return "a value that was not sent, in a type that has nothing to stand for it";
        }
        return column->form->unsent(column, value, arena, out);
    case WR_VALUE_NULL:
    case WR_VALUE_ABSENT: break;
    }
    *out = column->absent;
    return NULL;
}

static bool is_same_double(double a, double b)
{
    uint64_t bits[2]; /* as Java's equals: NaN is NaN, the zeros differ */
    memcpy(&bits[0], &a, sizeof(a));
    memcpy(&bits[1], &b, sizeof(b));
    return bits[0] == bits[1];
}

/* NOLINTBEGIN(misc-no-recursion): schemas nest as deep as tables do, five levels */
static bool list_eq(const struct wr_schema *schema, const struct wr_datum *a,
                    const struct wr_datum *b)
{
    if (a->u.list.count != b->u.list.count) {
        return false;
    }
    for (size_t i = 0; i < a->u.list.count; i++) {
        const struct wr_schema *of_item =
            schema->type == WR_SCHEMA_STRUCT ? schema->fields[i].schema : schema->item;
        if (!wr_datum_eq(of_item, &a->u.list.items[i], &b->u.list.items[i])) {
            return false;
        }
    }
    return true;
}

bool wr_datum_eq(const struct wr_schema *schema, const struct wr_datum *a, const struct wr_datum *b)
{
    if (!a->is_set || !b->is_set) {
        return a->is_set == b->is_set;
    }
    switch (schema->type) {
    case WR_SCHEMA_BOOLEAN: return a->u.b == b->u.b;
    case WR_SCHEMA_FLOAT32:
    case WR_SCHEMA_FLOAT64: return is_same_double(a->u.f, b->u.f);
    case WR_SCHEMA_STRING:
    case WR_SCHEMA_BYTES: return wr_bytes_eq(a->u.bytes, b->u.bytes);
    case WR_SCHEMA_ARRAY:
    case WR_SCHEMA_STRUCT: return list_eq(schema, a, b);
    case WR_SCHEMA_INT8:
    case WR_SCHEMA_INT16:
    case WR_SCHEMA_INT32:
    case WR_SCHEMA_INT64: break;
    }
    return a->u.i == b->u.i;
}
/* NOLINTEND(misc-no-recursion) */
