#include "data/json_schema.h"

#include "data/decimal_text.h"

void wr_json_put_raw(struct wr_json_out *out, struct wr_str text)
{
    if (text.len > 0 && wr_json_room(out, text.len)) {
        memcpy(out->p, text.ptr, text.len);
        out->p += text.len;
    }
}

static void put_literal(struct wr_json_out *out, const char *text)
{
    wr_json_put_raw(out, wr_str_of(text));
}

static void put_integer(struct wr_json_out *out, int64_t v)
{
    if (wr_json_room(out, 20)) {
        out->p = wr_text_i64(out->p, v);
    }
}

static void put_decimal_number(struct wr_json_out *out, struct wr_bytes unscaled, int32_t scale)
{
    wr_json_end(out);
    wr_decimal_put_text(out->w, unscaled, scale);
    *out = wr_json_begin(out->w);
}

void wr_json_put_scalar(struct wr_json_out *out, const struct wr_schema *schema,
                        const struct wr_datum *value, bool is_numeric)
{
    WR_ASSERT(schema->type != WR_SCHEMA_ARRAY && schema->type != WR_SCHEMA_STRUCT);
    switch (schema->type) {
    case WR_SCHEMA_BOOLEAN: put_literal(out, value->u.b ? "true" : "false"); return;
    case WR_SCHEMA_INT8:
    case WR_SCHEMA_INT16:
    case WR_SCHEMA_INT32:
    case WR_SCHEMA_INT64: put_integer(out, value->u.i); return;
    case WR_SCHEMA_FLOAT32: wr_json_put_float(out, (float)value->u.f); return;
    case WR_SCHEMA_FLOAT64: wr_json_put_double(out, value->u.f); return;
    case WR_SCHEMA_STRING: wr_json_put_text(out, wr_str_of_bytes(value->u.bytes)); return;
    case WR_SCHEMA_BYTES:
        if (is_numeric && schema->logical == WR_LOGICAL_DECIMAL) {
            put_decimal_number(out, value->u.bytes, schema->scale);
        } else {
            wr_json_put_base64(out, value->u.bytes);
        }
        return;
    case WR_SCHEMA_ARRAY:
    case WR_SCHEMA_STRUCT: break;
    }
}

static const char *type_name(enum wr_schema_type type)
{
    switch (type) {
    case WR_SCHEMA_INT8: return "int8";
    case WR_SCHEMA_INT16: return "int16";
    case WR_SCHEMA_INT32: return "int32";
    case WR_SCHEMA_INT64: return "int64";
    case WR_SCHEMA_FLOAT32: return "float";
    case WR_SCHEMA_FLOAT64: return "double";
    case WR_SCHEMA_BOOLEAN: return "boolean";
    case WR_SCHEMA_STRING: return "string";
    case WR_SCHEMA_BYTES: return "bytes";
    case WR_SCHEMA_ARRAY: return "array";
    case WR_SCHEMA_STRUCT: break;
    }
    return "struct";
}

/* ,"name":"text" when there is one. */
static void put_member(struct wr_json_out *out, const char *name, struct wr_str text)
{
    if (text.ptr != NULL) {
        put_literal(out, name);
        wr_json_put_text(out, text);
    }
}

static void put_params(struct wr_json_out *out, const struct wr_schema *schema)
{
    if (schema->param_count == 0) {
        return;
    }
    put_literal(out, ",\"parameters\":{");
    for (size_t i = 0; i < schema->param_count; i++) {
        if (i > 0) {
            put_literal(out, ",");
        }
        wr_json_put_text(out, schema->params[i].name);
        put_literal(out, ":");
        wr_json_put_text(out, schema->params[i].value);
    }
    put_literal(out, "}");
}

/* NOLINTBEGIN(misc-no-recursion): schemas nest as deep as tables do, five levels */
static void put_node(struct wr_json_out *out, const struct wr_schema *schema, struct wr_str field,
                     bool is_numeric);

static void put_fields(struct wr_json_out *out, const struct wr_schema *schema, bool is_numeric)
{
    put_literal(out, ",\"fields\":[");
    for (size_t i = 0; i < schema->field_count; i++) {
        if (i > 0) {
            put_literal(out, ",");
        }
        put_node(out, schema->fields[i].schema, schema->fields[i].name, is_numeric);
    }
    put_literal(out, "]");
}

/* Members in JsonConverter's order (cdc.md B9). */
static void put_node(struct wr_json_out *out, const struct wr_schema *schema, struct wr_str field,
                     bool is_numeric)
{
    put_literal(out, "{\"type\":\"");
    put_literal(out, type_name(schema->type));
    put_literal(out, "\"");
    if (schema->type == WR_SCHEMA_ARRAY) {
        put_literal(out, ",\"items\":");
        put_node(out, schema->item, (struct wr_str){NULL, 0}, is_numeric);
    } else if (schema->type == WR_SCHEMA_STRUCT) {
        put_fields(out, schema, is_numeric);
    }
    put_literal(out, schema->is_optional ? ",\"optional\":true" : ",\"optional\":false");
    put_member(out, ",\"name\":", schema->name);
    if (schema->version > 0) {
        put_literal(out, ",\"version\":");
        put_integer(out, schema->version);
    }
    put_member(out, ",\"doc\":", schema->doc);
    put_params(out, schema);
    if (schema->default_value != NULL) {
        put_literal(out, ",\"default\":");
        wr_json_put_scalar(out, schema, schema->default_value, is_numeric);
    }
    put_member(out, ",\"field\":", field);
    put_literal(out, "}");
}

/* NOLINTEND(misc-no-recursion) */

void wr_json_put_schema(struct wr_json_out *out, const struct wr_schema *schema, bool is_numeric)
{
    put_node(out, schema, (struct wr_str){NULL, 0}, is_numeric);
}
