#include "data/envelope_plan.h"

#include "data/header_converter.h"
#include "data/json_schema.h"

#include <xxhash.h>

enum {
    PLAN_BYTES_MAX = 64 << 20 /* of one table's schemas */
};

static const struct wr_schema string = {.type = WR_SCHEMA_STRING};
static const struct wr_schema int64 = {.type = WR_SCHEMA_INT64};
static const struct wr_schema opt_string = {.type = WR_SCHEMA_STRING, .is_optional = true};
static const struct wr_schema opt_int64 = {.type = WR_SCHEMA_INT64, .is_optional = true};
static const struct wr_datum null_datum = {0};

static const struct wr_schema_field block_fields[] = {
    {WR_STR_INIT("id"), &string, NULL},
    {WR_STR_INIT("total_order"), &int64, NULL},
    {WR_STR_INIT("data_collection_order"), &int64, NULL},
};
static const struct wr_schema transaction = {.type = WR_SCHEMA_STRUCT,
                                             .is_optional = true,
                                             .name = WR_STR_INIT("event.block"),
                                             .version = 1,
                                             .fields = block_fields,
                                             .field_count = 3};

/* ---- a plan half-built ------------------------------------------------------------------------------- */

void wr_envelope_plan_free(struct wr_envelope_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    wr_converter_plan_free(plan->key);
    wr_converter_plan_free(plan->value);
    wr_converter_plan_free(plan->header);
    wr_arena_fini(&plan->arena);
    wr_free(plan);
}

static struct wr_envelope_plan *plan_new(const struct wr_envelope_plan_input *in)
{
    struct wr_envelope_plan *plan = wr_alloc_array(1, sizeof(*plan));
    if (plan != NULL) {
        plan->arena = wr_arena_of(PLAN_BYTES_MAX);
        plan->topic = in->topic;
    }
    return plan;
}

static int no_memory(const struct wr_envelope_plan *plan, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOMEM, "schema of topic %.*s", WR_FMT(plan->topic->name));
}

static struct wr_str copy_str(struct wr_arena *arena, struct wr_str s)
{
    return (struct wr_str){wr_arena_str(arena, s), s.len};
}

/* Write out the value's schema, for __weir_schemas, and name it by its hash. */
static int keep_schema(struct wr_envelope_plan *plan, const struct wr_schema *value,
                       struct weir_error *err)
{
    WR_CLEANUP(wr_writer_fini) struct wr_writer w = wr_writer_growing(PLAN_BYTES_MAX);
    struct wr_json_out out = wr_json_begin(&w);
    wr_json_put_schema(&out, value, false);
    wr_json_end(&out);
    struct wr_str text = wr_writer_str(&w);
    plan->schema_text = copy_str(&plan->arena, text);
    if (wr_writer_end(&w, err) != 0 || plan->schema_text.ptr == NULL) {
        return no_memory(plan, err);
    }
    uint64_t hash = XXH3_64bits(text.ptr, text.len);
    uint8_t bytes[sizeof(hash)];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(hash >> (56 - 8 * i));
    }
    (void)wr_text_hex((uint8_t *)plan->schema_id, (struct wr_bytes){bytes, sizeof(bytes)});
    return 0;
}

static bool keeps_schemas(const struct wr_envelope_options *options)
{
    return options->weir_headers && options->value_converter->is_schemaless;
}

/* Prepare what the converters need for the two schemas; `key` NULL: the key is null. */
static int prepare(struct wr_envelope_plan *plan, const struct wr_envelope_plan_input *in,
                   const struct wr_schema *key, const struct wr_schema *value,
                   struct weir_error *err)
{
    struct wr_str topic = plan->topic->name;
    if (key != NULL) {
        int rc = wr_converter_prepare(in->options->key_converter, topic, key, &plan->key, err);
        if (rc == 0) {
            rc = wr_converter_prepare(wr_header_converter(), topic, key, &plan->header, err);
        }
        if (rc != 0) {
            return wr_wrap(err, "key of topic %.*s", WR_FMT(topic));
        }
    }
    int rc = wr_converter_prepare(in->options->value_converter, topic, value, &plan->value, err);
    if (rc != 0) {
        return wr_wrap(err, "value of topic %.*s", WR_FMT(topic));
    }
    return keeps_schemas(in->options) ? keep_schema(plan, value, err) : 0;
}

/* A struct schema over `fields`; NULL when they are, or out of memory. */
static const struct wr_schema *struct_schema(struct wr_arena *arena, struct wr_str name,
                                             const struct wr_schema_field *fields, size_t count)
{
    struct wr_schema *schema = wr_arena_array(arena, 1, sizeof(*schema));
    if (schema == NULL || fields == NULL || name.ptr == NULL) {
        return NULL;
    }
    *schema = (struct wr_schema){
        .type = WR_SCHEMA_STRUCT, .name = name, .fields = fields, .field_count = count};
    return schema;
}

static const struct wr_schema *with_version(const struct wr_schema *schema, struct wr_arena *arena,
                                            int32_t version, bool is_optional)
{
    struct wr_schema *copy = schema == NULL ? NULL : wr_arena_array(arena, 1, sizeof(*copy));
    if (copy != NULL) {
        *copy = *schema;
        copy->version = version;
        copy->is_optional = is_optional;
    }
    return copy;
}

/* "<topic><suffix>"; ptr NULL when out of memory. */
static struct wr_str schema_name(struct wr_envelope_plan *plan, struct wr_str suffix)
{
    struct wr_str topic = plan->topic->name;
    char *text = wr_arena_array(&plan->arena, topic.len + suffix.len, 1);
    if (text == NULL) {
        return (struct wr_str){NULL, 0};
    }
    memcpy(text, topic.ptr, topic.len);
    memcpy(text + topic.len, suffix.ptr, suffix.len);
    return (struct wr_str){text, topic.len + suffix.len};
}

/* ---- tables ------------------------------------------------------------------------------------------ */

static const struct wr_schema *source_schema(struct wr_envelope_plan *plan,
                                             const struct wr_envelope_options *options,
                                             struct wr_str db)
{
    struct wr_source_names names = {.version = options->version,
                                    .connector = options->connector,
                                    .name = options->topic_prefix,
                                    .db = db,
                                    .schema = plan->schema,
                                    .table = plan->name};
    return wr_source_schema(&names, &plan->arena);
}

/* Map every column; the fields of a row, or NULL with `err`. */
static const struct wr_schema_field *map_columns(struct wr_envelope_plan *plan,
                                                 const struct wr_envelope_plan_input *in,
                                                 struct weir_error *err)
{
    const struct wr_table *table = plan->table;
    plan->column_count = table->column_count;
    plan->columns = wr_arena_array(&plan->arena, table->column_count, sizeof(*plan->columns));
    struct wr_schema_field *fields =
        wr_arena_array(&plan->arena, table->column_count, sizeof(*fields));
    if (plan->columns == NULL || fields == NULL) {
        (void)no_memory(plan, err);
        return NULL;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        int rc =
            wr_connect_map(&table->columns[i], in->modes, &plan->arena, &plan->columns[i], err);
        if (rc != 0) {
            (void)wr_wrap(err, "table %.*s.%.*s", WR_FMT(table->schema), WR_FMT(table->name));
            return NULL;
        }
        fields[i] = (struct wr_schema_field){table->columns[i].name, plan->columns[i].schema, NULL};
    }
    return fields;
}

static const struct wr_schema *table_key_schema(struct wr_envelope_plan *plan,
                                                const struct wr_schema_field *row)
{
    const struct wr_table *table = plan->table;
    struct wr_schema_field *fields =
        wr_arena_array(&plan->arena, table->key_count, sizeof(*fields));
    for (size_t i = 0; fields != NULL && i < table->key_count; i++) {
        WR_ASSERT(table->key[i] < table->column_count);
        fields[i] = row[table->key[i]];
    }
    return struct_schema(&plan->arena, schema_name(plan, WR_STR(".Key")), fields, table->key_count);
}

static const struct wr_schema *envelope_schema(struct wr_envelope_plan *plan,
                                               const struct wr_envelope_options *options,
                                               const struct wr_schema_field *row)
{
    struct wr_arena *arena = &plan->arena;
    const struct wr_schema *value = with_version(
        struct_schema(arena, schema_name(plan, WR_STR(".Value")), row, plan->column_count), arena,
        0, true);
    const struct wr_schema *source = source_schema(plan, options, plan->db);
    struct wr_schema_field *fields = wr_arena_array(arena, WR_ENVELOPE_FIELDS, sizeof(*fields));
    if (value == NULL || source == NULL || fields == NULL) {
        return NULL;
    }
    const struct wr_schema_field made[WR_ENVELOPE_FIELDS] = {
        [WR_ENVELOPE_BEFORE] = {WR_STR("before"), value, NULL},
        [WR_ENVELOPE_AFTER] = {WR_STR("after"), value, NULL},
        [WR_ENVELOPE_SOURCE] = {WR_STR("source"), source, NULL},
        [WR_ENVELOPE_TRANSACTION] = {WR_STR("transaction"), &transaction, &null_datum},
        [WR_ENVELOPE_OP] = {WR_STR("op"), &string, NULL},
        [WR_ENVELOPE_TS_MS] = {WR_STR("ts_ms"), &opt_int64, NULL},
        [WR_ENVELOPE_TS_US] = {WR_STR("ts_us"), &opt_int64, NULL},
        [WR_ENVELOPE_TS_NS] = {WR_STR("ts_ns"), &opt_int64, NULL},
    };
    memcpy(fields, made, sizeof(made));
    return with_version(
        struct_schema(arena, schema_name(plan, WR_STR(".Envelope")), fields, WR_ENVELOPE_FIELDS),
        arena, 2, false);
}

static bool add_row(struct wr_envelope_plan *plan, struct wr_envelope_row *row)
{
    row->data = wr_arena_array(&plan->arena, plan->column_count, sizeof(*row->data));
    row->hidden = wr_arena_array(&plan->arena, plan->column_count, sizeof(*row->hidden));
    return row->data != NULL && row->hidden != NULL;
}

/* Room for the values of a change. */
static bool add_rows(struct wr_envelope_plan *plan)
{
    struct wr_arena *arena = &plan->arena;
    plan->old_key = wr_arena_array(arena, plan->table->key_count, sizeof(*plan->old_key));
    plan->new_key = wr_arena_array(arena, plan->table->key_count, sizeof(*plan->new_key));
    return plan->old_key != NULL && plan->new_key != NULL && add_row(plan, &plan->before) &&
           add_row(plan, &plan->after);
}

static int build_table(struct wr_envelope_plan *plan, const struct wr_envelope_plan_input *in,
                       struct weir_error *err)
{
    const struct wr_table *table = plan->table;
    plan->version = table->version;
    plan->db = copy_str(&plan->arena, table->db);
    plan->schema = copy_str(&plan->arena, table->schema);
    plan->name = copy_str(&plan->arena, table->name);
    if (plan->db.ptr == NULL || plan->schema.ptr == NULL || plan->name.ptr == NULL) {
        return no_memory(plan, err);
    }
    const struct wr_schema_field *row = map_columns(plan, in, err);
    if (row == NULL) {
        return err->code;
    }
    plan->key_schema = table->key_count > 0 ? table_key_schema(plan, row) : NULL;
    const struct wr_schema *value = envelope_schema(plan, in->options, row);
    bool lacks_key = table->key_count > 0 && plan->key_schema == NULL;
    if (lacks_key || value == NULL || !add_rows(plan)) {
        return no_memory(plan, err);
    }
    return prepare(plan, in, plan->key_schema, value, err);
}

int wr_envelope_plan_table(const struct wr_envelope_plan_input *in, const struct wr_table *table,
                           struct wr_envelope_plan **out, struct weir_error *err)
{
    struct wr_envelope_plan *plan = plan_new(in);
    if (plan == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "plan of a table");
    }
    plan->table = table;
    int rc = build_table(plan, in, err);
    if (rc != 0) {
        wr_envelope_plan_free(plan);
        return rc;
    }
    *out = plan;
    return 0;
}

/* ---- logical messages and heartbeats ------------------------------------------------------------------ */

static const struct wr_schema_field message_key_fields[] = {
    {WR_STR_INIT("prefix"), &opt_string, NULL}};
static const struct wr_schema message_key = {
    .type = WR_SCHEMA_STRUCT,
    .name = WR_STR_INIT("io.debezium.connector.postgresql.MessageKey"),
    .version = 1,
    .fields = message_key_fields,
    .field_count = 1};

/* The content goes the way of a bytea column, whatever binary.handling.mode says. */
static const struct wr_column content_column = {.name = WR_STR_INIT("content"),
                                                .type = WR_TYPE_BYTES,
                                                .is_nullable = true,
                                                .default_value = {.state = WR_VALUE_ABSENT}};

static const struct wr_schema *message_schema(struct wr_envelope_plan *plan,
                                              const struct wr_envelope_options *options)
{
    struct wr_arena *arena = &plan->arena;
    struct wr_schema_field *of_message = wr_arena_array(arena, 2, sizeof(*of_message));
    struct wr_schema_field *fields = wr_arena_array(arena, WR_MESSAGE_FIELDS, sizeof(*fields));
    const struct wr_schema *source = source_schema(plan, options, options->database);
    if (of_message == NULL || fields == NULL || source == NULL) {
        return NULL;
    }
    of_message[0] = message_key_fields[0];
    of_message[1] = (struct wr_schema_field){WR_STR("content"), plan->content.schema, NULL};
    const struct wr_schema *message = with_version(
        struct_schema(arena, WR_STR("io.debezium.connector.postgresql.Message"), of_message, 2),
        arena, 1, false);
    if (message == NULL) {
        return NULL;
    }
    const struct wr_schema_field made[WR_MESSAGE_FIELDS] = {
        [WR_MESSAGE_OP] = {WR_STR("op"), &string, NULL},
        [WR_MESSAGE_TS_MS] = {WR_STR("ts_ms"), &opt_int64, NULL},
        [WR_MESSAGE_SOURCE] = {WR_STR("source"), source, NULL},
        [WR_MESSAGE_TRANSACTION] = {WR_STR("transaction"), &transaction, &null_datum},
        [WR_MESSAGE_MESSAGE] = {WR_STR("message"), message, NULL},
    };
    memcpy(fields, made, sizeof(made));
    return with_version(struct_schema(arena,
                                      WR_STR("io.debezium.connector.postgresql.MessageValue"),
                                      fields, WR_MESSAGE_FIELDS),
                        arena, 1, false);
}

int wr_envelope_plan_message(const struct wr_envelope_plan_input *in, struct wr_envelope_plan **out,
                             struct weir_error *err)
{
    struct wr_envelope_plan *plan = plan_new(in);
    if (plan == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "plan of logical messages");
    }
    plan->schema = WR_STR("");
    plan->name = WR_STR("");
    int rc = wr_connect_map(&content_column, in->modes, &plan->arena, &plan->content, err);
    if (rc == 0) {
        const struct wr_schema *value = message_schema(plan, in->options);
        rc = value == NULL ? no_memory(plan, err) : prepare(plan, in, &message_key, value, err);
    }
    if (rc != 0) {
        wr_envelope_plan_free(plan);
        return rc;
    }
    *out = plan;
    return 0;
}

static const struct wr_schema_field server_fields[] = {{WR_STR_INIT("serverName"), &string, NULL}};
static const struct wr_schema server_key = {
    .type = WR_SCHEMA_STRUCT,
    .name = WR_STR_INIT("io.debezium.connector.common.ServerNameKey"),
    .version = 1,
    .fields = server_fields,
    .field_count = 1};
static const struct wr_schema_field heartbeat_fields[] = {{WR_STR_INIT("ts_ms"), &int64, NULL}};
static const struct wr_schema heartbeat_value = {
    .type = WR_SCHEMA_STRUCT,
    .name = WR_STR_INIT("io.debezium.connector.common.Heartbeat"),
    .version = 1,
    .fields = heartbeat_fields,
    .field_count = 1};

int wr_envelope_plan_heartbeat(const struct wr_envelope_plan_input *in,
                               struct wr_envelope_plan **out, struct weir_error *err)
{
    struct wr_envelope_plan *plan = plan_new(in);
    if (plan == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "plan of heartbeats");
    }
    struct wr_envelope_options options = *in->options;
    options.weir_headers = false; /* nobody binds its fields */
    const struct wr_envelope_plan_input plain = {&options, in->modes, in->topic};
    int rc = prepare(plan, &plain, &server_key, &heartbeat_value, err);
    if (rc != 0) {
        wr_envelope_plan_free(plan);
        return rc;
    }
    *out = plan;
    return 0;
}
