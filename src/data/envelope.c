#include "data/envelope.h"

#include "data/envelope_plan.h"
#include "data/topic_name.h"

enum {
    RECORDS_MAX = 3,                   /* of one change: d, tombstone, c */
    CONTEXT_HEADERS = 4,               /* __debezium.context.* */
    HEADERS_MAX = 1 + CONTEXT_HEADERS, /* and newkey or oldkey */
    BUCKETS = 1024,                    /* of the plans, by name of the table */
    WARNINGS_MAX = 1 << 16,            /* of one change; more are left out */
    KEPT_BYTES = 4 << 20               /* of memory that one large record leaves behind */
};

struct topic_node {
    struct topic_node *next;
    struct wr_envelope_topic topic;
    char name[];
};

/* The bytes of one key with what else is made of it. */
struct key_bytes {
    struct wr_writer bytes;
    struct wr_writer link; /* as newkey or oldkey */
};

struct wr_envelope {
    struct wr_envelope_options options; /* its texts are in `arena` */
    struct wr_arena arena;
    struct wr_envelope_plan *plans[BUCKETS];
    struct wr_envelope_plan *last; /* the table of the last change */
    struct wr_envelope_plan *message;
    struct wr_envelope_plan *heartbeat;
    struct topic_node *topics;

    /* Of one change. */
    struct wr_arena scratch;
    struct wr_source_block source;
    struct wr_datum times[3]; /* ts_ms, ts_us, ts_ns */
    struct key_bytes old_key;
    struct key_bytes new_key;
    struct wr_writer values[2];
    struct wr_header headers[RECORDS_MAX][HEADERS_MAX];
    struct wr_envelope_record records[RECORDS_MAX];
    size_t record_count;
    struct wr_envelope_warning *warnings;
    size_t warning_count;
    size_t warning_cap;
};

/* ---- making one -------------------------------------------------------------------------------------- */

struct wr_envelope_options wr_envelope_defaults(void)
{
    return (struct wr_envelope_options){
        .topic_delimiter = WR_STR("."),
        .heartbeat_prefix = WR_STR("__debezium-heartbeat"),
        .version = WR_STR("3.5.0.Final"),
        .connector = WR_STR("postgresql"),
        .modes = {.placeholder = wr_bytes_of_str(WR_STR("__debezium_unavailable_value"))},
        .skipped_ops = WR_SKIP_TRUNCATE,
        .tombstones_on_delete = true,
        .extended_headers = true,
        .task_id = WR_STR("0"),
        .record_max_bytes = (size_t)64 << 20,
    };
}

/* Replace a text by a copy of its own. False when out of memory. */
static bool own_text(struct wr_envelope *envelope, struct wr_str *text)
{
    text->ptr = wr_arena_str(&envelope->arena, *text);
    return text->ptr != NULL;
}

static bool own_texts(struct wr_envelope *envelope)
{
    struct wr_envelope_options *o = &envelope->options;
    struct wr_str *const texts[] = {&o->topic_prefix,     &o->database, &o->topic_delimiter,
                                    &o->heartbeat_prefix, &o->version,  &o->connector,
                                    &o->task_id,          &o->run_id};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!own_text(envelope, texts[i])) {
            return false;
        }
    }
    struct wr_str placeholder = wr_str_of_bytes(o->modes.placeholder);
    if (!own_text(envelope, &placeholder)) {
        return false;
    }
    o->modes.placeholder = wr_bytes_of_str(placeholder);
    return true;
}

/* The headers that all records share stand behind the first, which is for newkey and oldkey. */
static void fill_context(struct wr_envelope *envelope)
{
    const struct wr_envelope_options *o = &envelope->options;
    const struct wr_header context[CONTEXT_HEADERS] = {
        {WR_STR("__debezium.context.connectorLogicalName"), wr_bytes_of_str(o->topic_prefix)},
        {WR_STR("__debezium.context.taskId"), wr_bytes_of_str(o->task_id)},
        {WR_STR("__debezium.context.connectorName"), wr_bytes_of_str(o->connector)},
        {WR_STR("__debezium.context.runId"), wr_bytes_of_str(o->run_id)},
    };
    for (size_t i = 0; i < RECORDS_MAX; i++) {
        memcpy(&envelope->headers[i][1], context, sizeof(context));
    }
}

static void init_buffers(struct wr_envelope *envelope)
{
    size_t max = envelope->options.record_max_bytes;
    struct wr_writer *const writers[] = {&envelope->old_key.bytes, &envelope->old_key.link,
                                         &envelope->new_key.bytes, &envelope->new_key.link,
                                         &envelope->values[0],     &envelope->values[1]};
    for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
        *writers[i] = wr_writer_growing(max);
    }
    size_t scratch_max;
    if (!wr_mul(max, 4, &scratch_max)) { /* hexadecimal text, twice: before and after */
        scratch_max = SIZE_MAX;
    }
    envelope->scratch = wr_arena_of(scratch_max);
}

int wr_envelope_new(const struct wr_envelope_options *options, struct wr_envelope **out,
                    struct weir_error *err)
{
    WR_ASSERT(options->key_converter != NULL);
    WR_ASSERT(options->value_converter != NULL);
    struct wr_envelope *envelope = wr_alloc_array(1, sizeof(*envelope));
    if (envelope == NULL) {
        wr_converter_close(options->key_converter);
        wr_converter_close(options->value_converter);
        return wr_fail(err, WEIR_E_NOMEM, "envelope");
    }
    envelope->options = *options;
    envelope->arena = wr_arena_of((size_t)1 << 20);
    init_buffers(envelope);
    int rc = 0;
    if (options->topic_prefix.len == 0) {
        rc = wr_fail(err, WEIR_E_CONFIG, "topic.prefix is empty");
    } else if (!own_texts(envelope)) {
        rc = wr_fail(err, WEIR_E_NOMEM, "envelope");
    }
    if (rc != 0) {
        wr_envelope_free(envelope);
        return rc;
    }
    fill_context(envelope);
    *out = envelope;
    return 0;
}

static void free_plans(struct wr_envelope *envelope)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        while (envelope->plans[i] != NULL) {
            struct wr_envelope_plan *plan = envelope->plans[i];
            envelope->plans[i] = plan->next;
            wr_envelope_plan_free(plan);
        }
    }
    wr_envelope_plan_free(envelope->message);
    wr_envelope_plan_free(envelope->heartbeat);
}

static void free_key(struct key_bytes *key)
{
    wr_writer_fini(&key->bytes);
    wr_writer_fini(&key->link);
}

void wr_envelope_free(struct wr_envelope *envelope)
{
    if (envelope == NULL) {
        return;
    }
    free_plans(envelope);
    wr_converter_close(envelope->options.key_converter);
    wr_converter_close(envelope->options.value_converter);
    while (envelope->topics != NULL) {
        struct topic_node *node = envelope->topics;
        envelope->topics = node->next;
        wr_free(node);
    }
    free_key(&envelope->old_key);
    free_key(&envelope->new_key);
    wr_writer_fini(&envelope->values[0]);
    wr_writer_fini(&envelope->values[1]);
    wr_free(envelope->warnings);
    wr_arena_fini(&envelope->scratch);
    wr_arena_fini(&envelope->arena);
    wr_free(envelope);
}

/* ---- topics ------------------------------------------------------------------------------------------ */

/* Find or make the topic of that name; NULL when out of memory. */
static struct wr_envelope_topic *topic_named(struct wr_envelope *envelope,
                                             const struct wr_str *parts, size_t count)
{
    char name[WR_TOPIC_NAME_MAX + 1];
    size_t len = wr_topic_name(parts, count, envelope->options.topic_delimiter, name);
    struct wr_str wanted = {name, len};
    for (struct topic_node *node = envelope->topics; node != NULL; node = node->next) {
        if (wr_str_eq(node->topic.name, wanted)) {
            return &node->topic;
        }
    }
    struct topic_node *node = wr_alloc_array(1, sizeof(*node) + len + 1);
    if (node == NULL) {
        return NULL;
    }
    memcpy(node->name, name, len + 1);
    node->topic.name = (struct wr_str){node->name, len};
    node->next = envelope->topics;
    envelope->topics = node;
    return &node->topic;
}

struct wr_envelope_topic *wr_envelope_topic_of(struct wr_envelope *envelope,
                                               const struct wr_table *table)
{
    const struct wr_str parts[] = {envelope->options.topic_prefix, table->schema, table->name};
    return topic_named(envelope, parts, 3);
}

/* ---- plans ------------------------------------------------------------------------------------------- */

static uint32_t hash_str(uint32_t hash, struct wr_str s)
{
    for (size_t i = 0; i < s.len; i++) { /* FNV-1a */
        hash = (hash ^ (uint8_t)s.ptr[i]) * 16777619;
    }
    return (hash ^ 0xff) * 16777619;
}

static bool is_of_table(const struct wr_envelope_plan *plan, const struct wr_table *table)
{
    return wr_str_eq(plan->name, table->name) && wr_str_eq(plan->schema, table->schema) &&
           wr_str_eq(plan->db, table->db);
}

static struct wr_envelope_plan_input plan_input(struct wr_envelope *envelope,
                                                struct wr_envelope_topic *topic)
{
    return (struct wr_envelope_plan_input){&envelope->options, &envelope->options.modes, topic};
}

/* Make the plan of a table and put it in place of that of another version. */
static int make_plan(struct wr_envelope *envelope, const struct wr_table *table,
                     struct wr_envelope_plan **slot, struct weir_error *err)
{
    struct wr_envelope_topic *topic = wr_envelope_topic_of(envelope, table);
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "topic of table %.*s", WR_FMT(table->name));
    }
    struct wr_envelope_plan_input in = plan_input(envelope, topic);
    struct wr_envelope_plan *made = NULL;
    int rc = wr_envelope_plan_table(&in, table, &made, err);
    if (rc != 0) {
        return rc;
    }
    WR_ASSERT(made != NULL);
    if (*slot != NULL) {
        made->next = (*slot)->next;
        wr_envelope_plan_free(*slot);
    }
    *slot = made;
    return 0;
}

static int plan_of(struct wr_envelope *envelope, const struct wr_table *table,
                   struct wr_envelope_plan **out, struct weir_error *err)
{
    if (envelope->last != NULL && envelope->last->version == table->version) {
        *out = envelope->last;
        return 0;
    }
    uint32_t hash = hash_str(hash_str(2166136261, table->schema), table->name);
    struct wr_envelope_plan **slot = &envelope->plans[hash % BUCKETS];
    while (*slot != NULL && !is_of_table(*slot, table)) {
        slot = &(*slot)->next;
    }
    if (*slot == NULL || (*slot)->version != table->version) {
        envelope->last = NULL; /* it may be the one that goes */
        int rc = make_plan(envelope, table, slot, err);
        if (rc != 0) {
            return rc;
        }
    }
    envelope->last = *slot;
    WR_ASSERT(envelope->last != NULL);
    *out = envelope->last;
    return 0;
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static const char *hint_of(const struct wr_column *column)
{
    return column->type == WR_TYPE_DECIMAL ? "; decimal.handling.mode=string has room for it" : "";
}

/* A value has no place in its column: null, or the default, and a warning; an error when neither may be. */
static int no_place(struct wr_envelope *envelope, const struct wr_envelope_plan *plan, size_t index,
                    const char *what, struct wr_datum *out, struct weir_error *err)
{
    const struct wr_connect_column *c = &plan->columns[index];
    *out = (struct wr_datum){0};
    if (!c->schema->is_optional && c->schema->default_value == NULL) {
        return wr_fail(err, WEIR_E_INPUT,
                       "table %.*s.%.*s: column %.*s is NOT NULL and holds %s, which the record "
                       "cannot show%s",
                       WR_FMT(plan->schema), WR_FMT(plan->name), WR_FMT(c->column->name), what,
                       hint_of(c->column));
    }
    if (!c->schema->is_optional) {
        *out = *c->schema->default_value;
    }
    if (wr_grow(&envelope->warnings, &envelope->warning_cap, envelope->warning_count + 1,
                sizeof(*envelope->warnings), WARNINGS_MAX)) {
        envelope->warnings[envelope->warning_count++] =
            (struct wr_envelope_warning){plan->table, c->column, what};
    }
    return 0;
}

static bool is_known(const struct wr_value *value)
{
    return value->state == WR_VALUE_SET || value->state == WR_VALUE_NULL;
}

/* Make the data of a row. `known`: another tuple of the same row, which may have what was not sent. */
static int convert_row(struct wr_envelope *envelope, const struct wr_envelope_plan *plan,
                       const struct wr_value *row, const struct wr_value *known,
                       struct wr_datum *out, struct weir_error *err)
{
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct wr_value *value = &row[i];
        if (value->state == WR_VALUE_UNSENT && known != NULL && is_known(&known[i])) {
            value = &known[i];
        }
        const char *what =
            wr_connect_convert(&plan->columns[i], value, &envelope->scratch, &out[i]);
        int rc = what == NULL ? 0 : no_place(envelope, plan, i, what, &out[i], err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static void take_key(const struct wr_envelope_plan *plan, const struct wr_datum *row,
                     struct wr_datum *key)
{
    for (size_t i = 0; i < plan->table->key_count; i++) {
        key[i] = row[plan->table->key[i]];
    }
}

/* An old tuple must have the whole key: REPLICA IDENTITY USING INDEX on another index has not. */
static int check_old_key(const struct wr_envelope_plan *plan, const struct wr_value *before,
                         struct weir_error *err)
{
    const struct wr_table *table = plan->table;
    for (size_t i = 0; i < table->key_count; i++) {
        if (before[table->key[i]].state == WR_VALUE_ABSENT) {
            return wr_fail(err, WEIR_E_REFUSED,
                           "table %.*s.%.*s: old rows come without column %.*s of the key; run "
                           "ALTER TABLE \"%.*s\".\"%.*s\" REPLICA IDENTITY DEFAULT",
                           WR_FMT(plan->schema), WR_FMT(plan->name),
                           WR_FMT(table->columns[table->key[i]].name), WR_FMT(plan->schema),
                           WR_FMT(plan->name));
        }
    }
    return 0;
}

static bool is_same_key(const struct wr_envelope_plan *plan)
{
    const struct wr_datum old_key = {.is_set = true,
                                     .u.list = {plan->old_key, plan->table->key_count}};
    const struct wr_datum new_key = {.is_set = true,
                                     .u.list = {plan->new_key, plan->table->key_count}};
    return plan->key_schema == NULL || wr_datum_eq(plan->key_schema, &old_key, &new_key);
}

/* ---- records ----------------------------------------------------------------------------------------- */

/* A writer empty again; what one large record took is given back. */
static void clear(struct wr_writer *w)
{
    if (w->cap > KEPT_BYTES) {
        wr_writer_fini(w);
    }
    wr_writer_reset(w);
}

static void begin(struct wr_envelope *envelope, int64_t now_us)
{
    envelope->record_count = 0;
    envelope->warning_count = 0;
    if (envelope->scratch.used_bytes > KEPT_BYTES) {
        wr_arena_fini(&envelope->scratch);
    }
    wr_arena_reset(&envelope->scratch);
    const int64_t times[] = {now_us / 1000, now_us, (int64_t)((uint64_t)now_us * 1000)};
    for (size_t i = 0; i < 3; i++) {
        envelope->times[i] = (struct wr_datum){.is_set = true, .u.i = times[i]};
    }
}

static void finish(const struct wr_envelope *envelope, struct wr_envelope_output *out)
{
    *out = (struct wr_envelope_output){envelope->records, envelope->record_count,
                                       envelope->warnings, envelope->warning_count};
}

/* What a record is made of. */
struct parts {
    const struct wr_envelope_plan *plan;
    struct wr_bytes key;
    struct wr_bytes value;
    struct wr_header link; /* newkey or oldkey; name.ptr NULL: none */
    uint32_t partition;
    bool has_context;
};

static void add_record(struct wr_envelope *envelope, const struct parts *parts)
{
    WR_ASSERT(envelope->record_count < RECORDS_MAX);
    struct wr_header *headers = envelope->headers[envelope->record_count];
    size_t first = parts->link.name.ptr != NULL ? 0 : 1;
    size_t end = parts->has_context ? HEADERS_MAX : 1;
    headers[0] = parts->link;
    envelope->records[envelope->record_count++] = (struct wr_envelope_record){
        .topic = parts->plan->topic,
        .partition = parts->partition,
        .record = {.key = parts->key,
                   .value = parts->value,
                   .headers = &headers[first],
                   .header_count = end - first,
                   .timestamp_ms = -1},
    };
}

static int convert(const struct wr_converter_plan *plan, const struct wr_datum *items, size_t count,
                   struct wr_writer *w, struct weir_error *err)
{
    struct wr_datum all = {.is_set = true, .u.list = {items, count}};
    clear(w);
    return wr_converter_convert(plan, &all, w, err);
}

static int convert_key(const struct wr_envelope_plan *plan, const struct wr_datum *items,
                       size_t count, struct wr_writer *w, struct weir_error *err)
{
    int rc = convert(plan->key, items, count, w, err);
    return rc == 0 ? 0 : wr_wrap(err, "key of topic %.*s", WR_FMT(plan->topic->name));
}

static int convert_value(const struct wr_envelope_plan *plan, const struct wr_datum *items,
                         size_t count, struct wr_writer *w, struct wr_bytes key,
                         struct weir_error *err)
{
    int rc = convert(plan->value, items, count, w, err);
    if (rc != 0) {
        key.len = key.len < 200 ? key.len : 200;
        return wr_wrap(err, "value for topic %.*s, key %.*s", WR_FMT(plan->topic->name),
                       WR_FMT(wr_str_of_bytes(key)));
    }
    return 0;
}

static struct wr_datum row_datum(const struct wr_envelope_plan *plan, const struct wr_datum *row)
{
    return (struct wr_datum){.is_set = row != NULL, .u.list = {row, plan->column_count}};
}

/* One record of a table: op with its rows, either may be NULL. */
static int add_row_record(struct wr_envelope *envelope, struct parts parts, enum wr_op op,
                          const struct wr_datum *before, const struct wr_datum *after,
                          struct weir_error *err)
{
    const struct wr_envelope_plan *plan = parts.plan;
    const uint8_t letter = (uint8_t)op;
    struct wr_datum fields[WR_ENVELOPE_FIELDS] = {
        [WR_ENVELOPE_BEFORE] = row_datum(plan, before),
        [WR_ENVELOPE_AFTER] = row_datum(plan, after),
        [WR_ENVELOPE_SOURCE] = {.is_set = true,
                                .u.list = {envelope->source.fields, WR_SOURCE_FIELDS}},
        [WR_ENVELOPE_OP] = {.is_set = true, .u.bytes = {&letter, 1}},
        [WR_ENVELOPE_TS_MS] = envelope->times[0],
        [WR_ENVELOPE_TS_US] = envelope->times[1],
        [WR_ENVELOPE_TS_NS] = envelope->times[2],
    };
    struct wr_writer *w = &envelope->values[envelope->record_count == 0 ? 0 : 1];
    int rc = convert_value(plan, fields, WR_ENVELOPE_FIELDS, w, parts.key, err);
    if (rc != 0) {
        return rc;
    }
    parts.value = wr_writer_bytes(w);
    parts.partition = WR_ENVELOPE_BY_KEY;
    parts.has_context = envelope->options.extended_headers;
    add_record(envelope, &parts);
    if (op == WR_OP_DELETE && envelope->options.tombstones_on_delete) {
        parts.value = (struct wr_bytes){NULL, 0};
        add_record(envelope, &parts);
    }
    return 0;
}

/* The bytes of the key that `row` has; null without a key. */
static int make_key(const struct wr_envelope_plan *plan, const struct wr_datum *key,
                    struct wr_writer *w, struct wr_bytes *out, struct weir_error *err)
{
    *out = (struct wr_bytes){NULL, 0};
    if (plan->key == NULL) {
        return 0;
    }
    int rc = convert_key(plan, key, plan->table->key_count, w, err);
    *out = wr_writer_bytes(w);
    return rc;
}

static bool is_skipped(const struct wr_envelope *envelope, unsigned skip)
{
    return (envelope->options.skipped_ops & skip) != 0;
}

/* ---- changes ----------------------------------------------------------------------------------------- */

static int add_insert(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                      const struct wr_change *change, struct weir_error *err)
{
    WR_ASSERT(change->after != NULL);
    if (change->op == WR_OP_CREATE && is_skipped(envelope, WR_SKIP_CREATE)) {
        return 0;
    }
    struct parts parts = {.plan = plan};
    int rc = convert_row(envelope, plan, change->after, NULL, plan->after, err);
    if (rc == 0) {
        take_key(plan, plan->after, plan->new_key);
        rc = make_key(plan, plan->new_key, &envelope->new_key.bytes, &parts.key, err);
    }
    return rc != 0 ? rc : add_row_record(envelope, parts, change->op, NULL, plan->after, err);
}

static int add_delete(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                      const struct wr_change *change, struct weir_error *err)
{
    if (change->before == NULL || is_skipped(envelope, WR_SKIP_DELETE)) {
        return 0;
    }
    struct parts parts = {.plan = plan};
    int rc = check_old_key(plan, change->before, err);
    if (rc == 0) {
        rc = convert_row(envelope, plan, change->before, NULL, plan->before, err);
    }
    if (rc == 0) {
        take_key(plan, plan->before, plan->old_key);
        rc = make_key(plan, plan->old_key, &envelope->old_key.bytes, &parts.key, err);
    }
    return rc != 0 ? rc : add_row_record(envelope, parts, WR_OP_DELETE, plan->before, NULL, err);
}

/* A key as it stands in the header of the other record. */
static int make_link(struct wr_str name, const struct wr_envelope_plan *plan,
                     const struct wr_datum *key, struct wr_writer *w, struct wr_header *out,
                     struct weir_error *err)
{
    int rc = convert(plan->header, key, plan->table->key_count, w, err);
    *out = (struct wr_header){name, wr_writer_bytes(w)};
    return rc;
}

/* A row moves to another key: the old one ends, the new one begins, each naming the other. */
static int add_move(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                    struct weir_error *err)
{
    struct parts gone = {.plan = plan};
    struct parts come = {.plan = plan};
    int rc = make_key(plan, plan->old_key, &envelope->old_key.bytes, &gone.key, err);
    if (rc == 0) {
        rc = make_key(plan, plan->new_key, &envelope->new_key.bytes, &come.key, err);
    }
    if (rc == 0) {
        rc = make_link(WR_STR("__debezium.newkey"), plan, plan->new_key, &envelope->new_key.link,
                       &gone.link, err);
    }
    if (rc == 0) {
        rc = make_link(WR_STR("__debezium.oldkey"), plan, plan->old_key, &envelope->old_key.link,
                       &come.link, err);
    }
    if (rc == 0 && !is_skipped(envelope, WR_SKIP_DELETE)) {
        rc = add_row_record(envelope, gone, WR_OP_DELETE, plan->before, NULL, err);
    }
    if (rc == 0 && !is_skipped(envelope, WR_SKIP_CREATE)) {
        rc = add_row_record(envelope, come, WR_OP_CREATE, NULL, plan->after, err);
    }
    return rc;
}

static int add_update(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                      const struct wr_change *change, struct weir_error *err)
{
    WR_ASSERT(change->after != NULL);
    int rc = convert_row(envelope, plan, change->after, change->before, plan->after, err);
    if (rc != 0) {
        return rc;
    }
    take_key(plan, plan->after, plan->new_key);
    if (change->before != NULL) {
        rc = check_old_key(plan, change->before, err);
        if (rc == 0) {
            rc = convert_row(envelope, plan, change->before, NULL, plan->before, err);
        }
        if (rc != 0) {
            return rc;
        }
        take_key(plan, plan->before, plan->old_key);
        if (!is_same_key(plan)) {
            return add_move(envelope, plan, err);
        }
    }
    if (is_skipped(envelope, WR_SKIP_UPDATE)) {
        return 0;
    }
    struct parts parts = {.plan = plan};
    rc = make_key(plan, plan->new_key, &envelope->new_key.bytes, &parts.key, err);
    if (rc != 0) {
        return rc;
    }
    const struct wr_datum *before = change->before != NULL ? plan->before : NULL;
    return add_row_record(envelope, parts, WR_OP_UPDATE, before, plan->after, err);
}

static int add_truncate(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                        struct weir_error *err)
{
    if (is_skipped(envelope, WR_SKIP_TRUNCATE)) {
        return 0;
    }
    struct parts parts = {.plan = plan};
    return add_row_record(envelope, parts, WR_OP_TRUNCATE, NULL, NULL, err);
}

/* ---- logical messages and heartbeats ------------------------------------------------------------------ */

static int message_plan(struct wr_envelope *envelope, struct weir_error *err)
{
    if (envelope->message != NULL) {
        return 0;
    }
    const struct wr_str parts[] = {envelope->options.topic_prefix, WR_STR("message")};
    struct wr_envelope_topic *topic = topic_named(envelope, parts, 2);
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "topic of logical messages");
    }
    struct wr_envelope_plan_input in = plan_input(envelope, topic);
    return wr_envelope_plan_message(&in, &envelope->message, err);
}

static int add_message(struct wr_envelope *envelope, const struct wr_change *change,
                       struct weir_error *err)
{
    int rc = message_plan(envelope, err);
    if (rc != 0) {
        return rc;
    }
    const struct wr_envelope_plan *plan = envelope->message;
    const struct wr_value value = {.state = WR_VALUE_SET, .u.bytes = change->content};
    struct wr_datum message[] = {{.is_set = true, .u.bytes = wr_bytes_of_str(change->prefix)},
                                 {.is_set = false}};
    const char *what = wr_connect_convert(&plan->content, &value, &envelope->scratch, &message[1]);
    if (what != NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "content of a logical message: %s", what);
    }
    const struct wr_datum fields[WR_MESSAGE_FIELDS] = {
        [WR_MESSAGE_OP] = {.is_set = true, .u.bytes = wr_bytes_of_str(WR_STR("m"))},
        [WR_MESSAGE_TS_MS] = envelope->times[0],
        [WR_MESSAGE_SOURCE] = {.is_set = true,
                               .u.list = {envelope->source.fields, WR_SOURCE_FIELDS}},
        [WR_MESSAGE_MESSAGE] = {.is_set = true, .u.list = {message, 2}},
    };
    struct parts parts = {.plan = plan, .partition = WR_ENVELOPE_BY_KEY};
    rc = convert_key(plan, message, 1, &envelope->new_key.bytes, err);
    if (rc == 0) {
        parts.key = wr_writer_bytes(&envelope->new_key.bytes);
        rc = convert_value(plan, fields, WR_MESSAGE_FIELDS, &envelope->values[0], parts.key, err);
    }
    if (rc == 0) {
        parts.value = wr_writer_bytes(&envelope->values[0]);
        add_record(envelope, &parts);
    }
    return rc;
}

static int heartbeat_plan(struct wr_envelope *envelope, struct weir_error *err)
{
    if (envelope->heartbeat != NULL) {
        return 0;
    }
    const struct wr_str parts[] = {envelope->options.heartbeat_prefix,
                                   envelope->options.topic_prefix};
    struct wr_envelope_topic *topic = topic_named(envelope, parts, 2);
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "topic of heartbeats");
    }
    struct wr_envelope_plan_input in = plan_input(envelope, topic);
    return wr_envelope_plan_heartbeat(&in, &envelope->heartbeat, err);
}

int wr_envelope_heartbeat(struct wr_envelope *envelope, int64_t now_us,
                          struct wr_envelope_output *out, struct weir_error *err)
{
    begin(envelope, now_us);
    int rc = heartbeat_plan(envelope, err);
    if (rc != 0) {
        return rc;
    }
    const struct wr_envelope_plan *plan = envelope->heartbeat;
    const struct wr_datum server = {.is_set = true,
                                    .u.bytes = wr_bytes_of_str(envelope->options.topic_prefix)};
    struct parts parts = {.plan = plan, .partition = 0};
    rc = convert_key(plan, &server, 1, &envelope->new_key.bytes, err);
    if (rc == 0) {
        parts.key = wr_writer_bytes(&envelope->new_key.bytes);
        rc = convert_value(plan, envelope->times, 1, &envelope->values[0], parts.key, err);
    }
    if (rc != 0) {
        return rc;
    }
    parts.value = wr_writer_bytes(&envelope->values[0]);
    add_record(envelope, &parts);
    finish(envelope, out);
    return 0;
}

/* ---- the way in -------------------------------------------------------------------------------------- */

static int add_change(struct wr_envelope *envelope, const struct wr_change *change,
                      struct weir_error *err)
{
    if (change->op == WR_OP_MESSAGE) {
        return add_message(envelope, change, err);
    }
    struct wr_envelope_plan *plan = NULL;
    int rc = plan_of(envelope, change->table, &plan, err);
    if (rc != 0) {
        return rc;
    }
    switch (change->op) {
    case WR_OP_READ:
    case WR_OP_CREATE: return add_insert(envelope, plan, change, err);
    case WR_OP_UPDATE: return add_update(envelope, plan, change, err);
    case WR_OP_DELETE: return add_delete(envelope, plan, change, err);
    case WR_OP_TRUNCATE:
    case WR_OP_MESSAGE: break;
    }
    return add_truncate(envelope, plan, err);
}

int wr_envelope_change(struct wr_envelope *envelope, const struct wr_change *change, int64_t now_us,
                       struct wr_envelope_output *out, struct weir_error *err)
{
    begin(envelope, now_us);
    wr_source_fill(&envelope->source, &change->origin);
    int rc = add_change(envelope, change, err);
    if (rc != 0) {
        return rc;
    }
    finish(envelope, out);
    return 0;
}
