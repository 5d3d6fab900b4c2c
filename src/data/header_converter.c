#include "data/header_converter.h"

#include "data/decimal_text.h"
#include "data/double_text.h"
#include "data/json_out.h"
#include "data/time_text.h"

static void put_quoted(struct wr_writer *w, struct wr_str text)
{
    wr_put_u8(w, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\') {
            wr_put_str(w, (struct wr_str){text.ptr + from, i - from});
            wr_put_u8(w, '\\');
            from = i;
        }
    }
    wr_put_str(w, (struct wr_str){text.ptr + from, text.len - from});
    wr_put_u8(w, '"');
}

static void put_bytes(struct wr_writer *w, const struct wr_schema *schema, struct wr_bytes bytes)
{
    if (schema->logical == WR_LOGICAL_DECIMAL) {
        wr_decimal_put_text(w, bytes, schema->scale);
        return;
    }
    struct wr_json_out out = wr_json_begin(w);
    wr_json_put_base64(&out, bytes);
    wr_json_end(&out);
}

static void put_float(struct wr_writer *w, enum wr_schema_type type, double v)
{
    char text[WR_DOUBLE_TEXT_MAX];
    size_t n = type == WR_SCHEMA_FLOAT32 ? wr_float_text((float)v, text) : wr_double_text(v, text);
    wr_put_str(w, (struct wr_str){text, n});
}

static void put_integer(struct wr_writer *w, const struct wr_schema *schema, int64_t v)
{
    char text[WR_TIME_TEXT_MAX];
    switch (schema->logical) {
    case WR_LOGICAL_DATE:
        wr_put_str(w, (struct wr_str){text, wr_text_connect_time(v * 86400000, text)});
        return;
    case WR_LOGICAL_TIME:
    case WR_LOGICAL_TIMESTAMP:
        wr_put_str(w, (struct wr_str){text, wr_text_connect_time(v, text)});
        return;
    case WR_LOGICAL_NONE:
    case WR_LOGICAL_DECIMAL: break;
    }
    wr_put_i64_text(w, v);
}

/* NOLINTBEGIN(misc-no-recursion): schemas nest as deep as tables do, five levels */
static void put_value(struct wr_writer *w, const struct wr_schema *schema,
                      const struct wr_datum *value);

static void put_struct(struct wr_writer *w, const struct wr_schema *schema,
                       const struct wr_datum *value)
{
    wr_put_u8(w, '{');
    for (size_t i = 0; i < schema->field_count; i++) {
        if (i > 0) {
            wr_put_u8(w, ',');
        }
        put_quoted(w, schema->fields[i].name);
        wr_put_u8(w, ':');
        put_value(w, schema->fields[i].schema, &value->u.list.items[i]);
    }
    wr_put_u8(w, '}');
}

static void put_array(struct wr_writer *w, const struct wr_schema *schema,
                      const struct wr_datum *value)
{
    wr_put_u8(w, '[');
    for (size_t i = 0; i < value->u.list.count; i++) {
        if (i > 0) {
            wr_put_u8(w, ',');
        }
        put_value(w, schema->item, &value->u.list.items[i]);
    }
    wr_put_u8(w, ']');
}

static void put_value(struct wr_writer *w, const struct wr_schema *schema,
                      const struct wr_datum *value)
{
    if (!value->is_set && schema->default_value != NULL) {
        value = schema->default_value;
    }
    if (!value->is_set) {
        wr_put_lit(w, "null");
        return;
    }
    switch (schema->type) {
    case WR_SCHEMA_BOOLEAN: wr_put_str(w, wr_str_of(value->u.b ? "true" : "false")); return;
    case WR_SCHEMA_INT8:
    case WR_SCHEMA_INT16:
    case WR_SCHEMA_INT32:
    case WR_SCHEMA_INT64: put_integer(w, schema, value->u.i); return;
    case WR_SCHEMA_FLOAT32:
    case WR_SCHEMA_FLOAT64: put_float(w, schema->type, value->u.f); return;
    case WR_SCHEMA_STRING: put_quoted(w, wr_str_of_bytes(value->u.bytes)); return;
    case WR_SCHEMA_BYTES: put_bytes(w, schema, value->u.bytes); return;
    case WR_SCHEMA_ARRAY: put_array(w, schema, value); return;
    case WR_SCHEMA_STRUCT: put_struct(w, schema, value); return;
    }
}
/* NOLINTEND(misc-no-recursion) */

static int prepare(struct wr_converter *converter, struct wr_str topic,
                   const struct wr_schema *schema, struct wr_converter_plan **out,
                   struct weir_error *err)
{
    WR_UNUSED(converter);
    WR_UNUSED(topic);
    WR_UNUSED(schema);
    *out = wr_alloc_array(1, sizeof(**out));
    return *out != NULL ? 0 : wr_fail(err, WEIR_E_NOMEM, "schema plan");
}

static int convert(const struct wr_converter_plan *plan, const struct wr_datum *value,
                   struct wr_writer *w, struct weir_error *err)
{
    WR_UNUSED(err);
    put_value(w, plan->schema, value);
    return 0;
}

static void plan_free(struct wr_converter_plan *plan)
{
    wr_free(plan);
}

static void close_converter(struct wr_converter *converter)
{
    WR_UNUSED(converter);
}

static const struct wr_converter_ops header_ops = {
    .name = "header",
    .prepare = prepare,
    .convert = convert,
    .plan_free = plan_free,
    .close = close_converter,
};

struct wr_converter *wr_header_converter(void)
{
    static struct wr_converter converter = {
        .ops = &header_ops, .is_schemaless = true, .shows_defaults = true};
    return &converter;
}
