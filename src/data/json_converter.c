/*
 * A schema is compiled into steps once, and each record walks them: the text up to the next value, then
 * the value. Names, punctuation and values that never change are in the text already, so that a record
 * costs one copy and one number or text for each field.
 *
 *     {"id":int32,"at":optional string,"src":{"v":"1" always,"n":int64}}
 *
 *     step    text before    value         when null
 *     INT     {"id":         row[0]        error
 *     TEXT    ,"at":         row[1]        null
 *     STRUCT  ,"src":        row[2] ▾      error
 *     INT     {"v":"1","n":  row[2][1]     error
 *     UP      }              ▴
 *     END     }
 */
#include "data/json_converter.h"

#include "data/json_schema.h"

enum {
    STEPS_MAX = 1 << 20,       /* of one plan */
    PLAN_TEXT_MAX = 256 << 20, /* bytes of all texts of one plan */
    DEPTH_MAX = 8              /* structs within structs */
};

enum step_kind {
    STEP_BOOL,
    STEP_INT,
    STEP_FLOAT,
    STEP_DOUBLE,
    STEP_TEXT,
    STEP_BYTES,
    STEP_OTHER,  /* Decimals as numbers: by wr_json_put_scalar() */
    STEP_STRUCT, /* down into the struct, or on at `next` when it is null */
    STEP_UP,     /* out of it */
    STEP_ARRAY,  /* the steps up to the END before `next` for each item */
    STEP_END
};

struct step {
    enum step_kind kind;
    uint32_t text_at; /* in the plan's texts */
    uint32_t text_len;
    uint32_t null_at; /* what stands for a null; length 0: it may not be */
    uint32_t null_len;
    uint32_t index; /* of the value in its struct */
    uint32_t next;
    const struct wr_schema *schema;
    struct wr_str name; /* of the field, for messages */
};

struct json_plan {
    struct wr_converter_plan base;
    const struct wr_json_converter_options *options;
    struct step *steps;
    size_t step_count;
    size_t step_cap;
    struct wr_writer texts; /* with WR_TEXT_SLACK behind */
    struct wr_writer text;  /* while compiling: what stands before the next value */
};

struct json_converter {
    struct wr_converter base;
    struct wr_json_converter_options options;
};

/* ---- compiling --------------------------------------------------------------------------------------- */

static uint32_t plan_at(struct json_plan *plan)
{
    return (uint32_t)plan->texts.len; /* at most PLAN_TEXT_MAX */
}

/* Add a step with the text that has gathered; NULL when out of memory. */
static struct step *add_step(struct json_plan *plan, enum step_kind kind,
                             const struct wr_schema *schema)
{
    if (!wr_grow(&plan->steps, &plan->step_cap, plan->step_count + 1, sizeof(*plan->steps),
                 STEPS_MAX)) {
        return NULL;
    }
    struct step *step = &plan->steps[plan->step_count++];
    uint32_t at = plan_at(plan);
    wr_put_bytes(&plan->texts, wr_writer_bytes(&plan->text));
    *step = (struct step){
        .kind = kind, .text_at = at, .text_len = plan_at(plan) - at, .schema = schema};
    wr_writer_reset(&plan->text);
    return step;
}

/* What a null of this schema shows as: its default, null, or nothing. */
static void add_null(struct json_plan *plan, struct step *step)
{
    const struct wr_schema *schema = step->schema;
    bool is_default = plan->options->replace_null_with_default && schema->default_value != NULL;
    step->null_at = plan_at(plan);
    if (is_default) {
        struct wr_json_out out = wr_json_begin(&plan->texts);
        wr_json_put_scalar(&out, schema, schema->default_value, plan->options->decimal_numeric);
        wr_json_end(&out);
    } else if (schema->is_optional) {
        wr_put_lit(&plan->texts, "null");
    }
    step->null_len = plan_at(plan) - step->null_at;
}

static enum step_kind kind_of(const struct json_plan *plan, const struct wr_schema *schema)
{
    switch (schema->type) {
    case WR_SCHEMA_BOOLEAN: return STEP_BOOL;
    case WR_SCHEMA_INT8:
    case WR_SCHEMA_INT16:
    case WR_SCHEMA_INT32:
    case WR_SCHEMA_INT64: return STEP_INT;
    case WR_SCHEMA_FLOAT32: return STEP_FLOAT;
    case WR_SCHEMA_FLOAT64: return STEP_DOUBLE;
    case WR_SCHEMA_STRING: return STEP_TEXT;
    case WR_SCHEMA_ARRAY: return STEP_ARRAY;
    case WR_SCHEMA_STRUCT: return STEP_STRUCT;
    case WR_SCHEMA_BYTES: break;
    }
    bool is_number = schema->logical == WR_LOGICAL_DECIMAL && plan->options->decimal_numeric;
    return is_number ? STEP_OTHER : STEP_BYTES;
}

static void put_text(struct json_plan *plan, struct wr_str text)
{
    struct wr_json_out out = wr_json_begin(&plan->text);
    wr_json_put_text(&out, text);
    wr_json_end(&out);
}

/* A field that every record has the same value of goes into the text. */
static void put_constant(struct json_plan *plan, const struct wr_schema_field *field)
{
    if (!field->constant->is_set) {
        wr_put_lit(&plan->text, "null");
        return;
    }
    struct wr_json_out out = wr_json_begin(&plan->text);
    wr_json_put_scalar(&out, field->schema, field->constant, plan->options->decimal_numeric);
    wr_json_end(&out);
}

/* NOLINTBEGIN(misc-no-recursion): schemas nest as deep as tables do, five levels */
static bool compile(struct json_plan *plan, const struct wr_schema *schema, uint32_t index,
                    struct wr_str name);

static bool compile_struct(struct json_plan *plan, const struct wr_schema *schema)
{
    for (size_t i = 0; i < schema->field_count; i++) {
        const struct wr_schema_field *field = &schema->fields[i];
        wr_put_u8(&plan->text, i == 0 ? '{' : ',');
        put_text(plan, field->name);
        wr_put_u8(&plan->text, ':');
        if (field->constant != NULL) {
            put_constant(plan, field);
        } else if (!compile(plan, field->schema, (uint32_t)i, field->name)) {
            return false;
        }
    }
    if (schema->field_count == 0) {
        wr_put_u8(&plan->text, '{');
    }
    wr_put_u8(&plan->text, '}');
    return add_step(plan, STEP_UP, schema) != NULL;
}

/* Add the steps for a value. */
static bool compile(struct json_plan *plan, const struct wr_schema *schema, uint32_t index,
                    struct wr_str name)
{
    struct step *step = add_step(plan, kind_of(plan, schema), schema);
    if (step == NULL) {
        return false;
    }
    step->index = index;
    step->name = name;
    add_null(plan, step);
    size_t at = plan->step_count - 1; /* adding steps moves them */
    if (schema->type == WR_SCHEMA_STRUCT) {
        if (!compile_struct(plan, schema)) {
            return false;
        }
    } else if (schema->type == WR_SCHEMA_ARRAY) {
        if (!compile(plan, schema->item, 0, name) || add_step(plan, STEP_END, NULL) == NULL) {
            return false;
        }
    }
    plan->steps[at].next = (uint32_t)plan->step_count;
    return true;
}

static int depth_of(const struct wr_schema *schema)
{
    int deepest = 0;
    for (size_t i = 0; schema->type == WR_SCHEMA_STRUCT && i < schema->field_count; i++) {
        int depth = depth_of(schema->fields[i].schema);
        deepest = depth > deepest ? depth : deepest;
    }
    return schema->type == WR_SCHEMA_STRUCT ? deepest + 1 : 0;
}

/* NOLINTEND(misc-no-recursion) */

static void put_head(struct json_plan *plan, const struct wr_schema *schema)
{
    if (plan->options->schemas_enable) {
        wr_put_lit(&plan->text, "{\"schema\":");
        struct wr_json_out out = wr_json_begin(&plan->text);
        wr_json_put_schema(&out, schema, plan->options->decimal_numeric);
        wr_json_end(&out);
        wr_put_lit(&plan->text, ",\"payload\":");
    }
}

static bool compile_all(struct json_plan *plan, const struct wr_schema *schema)
{
    put_head(plan, schema);
    if (!compile(plan, schema, 0, schema->name)) {
        return false;
    }
    if (plan->options->schemas_enable) {
        wr_put_u8(&plan->text, '}');
    }
    bool is_whole = add_step(plan, STEP_END, NULL) != NULL;
    wr_put_zeros(&plan->texts, WR_TEXT_SLACK);
    return is_whole && plan->text.spoiled == 0 && plan->texts.spoiled == 0;
}

static void plan_free(struct wr_converter_plan *base)
{
    struct json_plan *plan = (struct json_plan *)base;
    wr_free(plan->steps);
    wr_writer_fini(&plan->texts);
    wr_writer_fini(&plan->text);
    wr_free(plan);
}

static int prepare(struct wr_converter *base, struct wr_str topic, const struct wr_schema *schema,
                   struct wr_converter_plan **out, struct weir_error *err)
{
    WR_UNUSED(topic);
    if (depth_of(schema) > DEPTH_MAX) {
        return wr_fail(err, WEIR_E_UNSUPPORTED, "structs nested more than %d deep", DEPTH_MAX);
    }
    struct json_plan *plan = wr_alloc_array(1, sizeof(*plan));
    if (plan == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "schema plan");
    }
    plan->options = &((const struct json_converter *)base)->options;
    plan->texts = wr_writer_growing(PLAN_TEXT_MAX);
    plan->text = wr_writer_growing(PLAN_TEXT_MAX);
    if (!compile_all(plan, schema)) {
        plan_free(&plan->base);
        return wr_fail(err, WEIR_E_NOMEM, "schema plan");
    }
    *out = &plan->base;
    return 0;
}

/* ---- records ----------------------------------------------------------------------------------------- */

static void copy_text(struct wr_json_out *out, const struct json_plan *plan, uint32_t at,
                      uint32_t len)
{
    out->p = wr_text_copy(out->p, (const char *)plan->texts.base + at, len);
}

static void put_value(const struct json_plan *plan, const struct step *step,
                      const struct wr_datum *value, struct wr_json_out *out)
{
    switch (step->kind) {
    case STEP_BOOL:
        memcpy(out->p, value->u.b ? "true\0" : "false", 5);
        out->p += value->u.b ? 4 : 5;
        return;
    case STEP_INT: out->p = wr_text_i64(out->p, value->u.i); return;
    case STEP_FLOAT: wr_json_put_float(out, (float)value->u.f); return;
    case STEP_DOUBLE: wr_json_put_double(out, value->u.f); return;
    case STEP_TEXT: wr_json_put_text(out, wr_str_of_bytes(value->u.bytes)); return;
    case STEP_BYTES: wr_json_put_base64(out, value->u.bytes); return;
    case STEP_OTHER:
        wr_json_put_scalar(out, step->schema, value, plan->options->decimal_numeric);
        return;
    case STEP_STRUCT:
    case STEP_UP:
    case STEP_ARRAY:
    case STEP_END: break;
    }
}

/* NOLINTBEGIN(misc-no-recursion): by arrays within arrays only, as deep as tables have them */
static int run(const struct json_plan *plan, const struct step *step, const struct wr_datum *row,
               struct wr_json_out *out, struct weir_error *err);

static int put_array(const struct json_plan *plan, const struct step *step,
                     const struct wr_datum *value, struct wr_json_out *out, struct weir_error *err)
{
    for (size_t i = 0; i < value->u.list.count; i++) {
        if (!wr_json_room(out, 1)) {
            return 0;
        }
        *out->p++ = i == 0 ? '[' : ',';
        int rc = run(plan, step + 1, &value->u.list.items[i], out, err);
        if (rc != 0) {
            return rc;
        }
    }
    if (wr_json_room(out, 2)) {
        if (value->u.list.count == 0) {
            *out->p++ = '[';
        }
        *out->p++ = ']';
    }
    return 0;
}

/* Write the null of a step. */
static int put_null(const struct json_plan *plan, const struct step *step, struct wr_json_out *out,
                    struct weir_error *err)
{
    if (step->null_len == 0) {
        return wr_fail(err, WEIR_E_INPUT, "null in the required field '%.*s', which has no default",
                       WR_FMT(step->name));
    }
    copy_text(out, plan, step->null_at, step->null_len);
    return 0;
}

/* Walk from `step` to its END. `row` holds the value at step->index. */
static int run(const struct json_plan *plan, const struct step *step, const struct wr_datum *row,
               struct wr_json_out *out, struct weir_error *err)
{
    const struct wr_datum *above[DEPTH_MAX] = {NULL};
    size_t depth = 0;
    for (;; step++) {
        /* The text, and a null or a number after it. */
        if (!wr_json_room(out, (size_t)step->text_len + step->null_len + 20)) {
            return 0;
        }
        copy_text(out, plan, step->text_at, step->text_len);
        if (step->kind == STEP_END) {
            return 0;
        }
        if (step->kind == STEP_UP) {
            row = above[--depth];
            WR_ASSERT(row != NULL);
            continue;
        }
        const struct wr_datum *value = &row[step->index];
        int rc = 0;
        if (!value->is_set) {
            rc = put_null(plan, step, out, err);
            step = step->kind == STEP_STRUCT || step->kind == STEP_ARRAY
                       ? &plan->steps[step->next - 1]
                       : step;
        } else if (step->kind == STEP_STRUCT) {
            above[depth++] = row;
            row = value->u.list.items;
        } else if (step->kind == STEP_ARRAY) {
            rc = put_array(plan, step, value, out, err);
            step = &plan->steps[step->next - 1];
        } else {
            put_value(plan, step, value, out);
        }
        if (rc != 0) {
            return rc;
        }
    }
}

/* NOLINTEND(misc-no-recursion) */

static int convert(const struct wr_converter_plan *base, const struct wr_datum *value,
                   struct wr_writer *w, struct weir_error *err)
{
    const struct json_plan *plan = (const struct json_plan *)base;
    struct wr_json_out out = wr_json_begin(w);
    int rc = run(plan, plan->steps, value, &out, err);
    wr_json_end(&out);
    return rc;
}

/* ---- the converter ----------------------------------------------------------------------------------- */

static void close_converter(struct wr_converter *converter)
{
    wr_free(converter);
}

static const struct wr_converter_ops json_ops = {
    .name = "json",
    .prepare = prepare,
    .convert = convert,
    .plan_free = plan_free,
    .close = close_converter,
};

struct wr_json_converter_options wr_json_converter_defaults(void)
{
    return (struct wr_json_converter_options){.schemas_enable = true,
                                              .replace_null_with_default = true};
}

int wr_json_converter_new(const struct wr_json_converter_options *options,
                          struct wr_converter **out, struct weir_error *err)
{
    struct json_converter *converter = wr_alloc_array(1, sizeof(*converter));
    if (converter == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "json converter");
    }
    converter->base = (struct wr_converter){.ops = &json_ops,
                                            .is_schemaless = !options->schemas_enable,
                                            .shows_defaults = options->replace_null_with_default};
    converter->options = *options;
    *out = &converter->base;
    return 0;
}
