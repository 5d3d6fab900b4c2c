#include "data/envelope.h"

#include "data/envelope_output.h"
#include "data/topic_name.h"

enum {
    BUCKETS = 1024,      /* of the plans, by name of the table */
    KEPT_BYTES = 4 << 20 /* of scratch memory that one large record leaves behind */
};

struct topic_node {
    struct topic_node *next;
    struct wr_envelope_topic topic;
    char name[];
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
    struct wr_envelope_records records;
    struct wr_row_work work;
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
        .weir_headers = true,
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

/* Room for what a change is made into: hexadecimal text of two rows at most. */
static size_t scratch_max(const struct wr_envelope_options *options)
{
    size_t max;
    return wr_mul(options->record_max_bytes, 4, &max) ? max : SIZE_MAX;
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
    envelope->scratch = wr_arena_of(scratch_max(options));
    envelope->work.scratch = &envelope->scratch;
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
    wr_envelope_records_init(&envelope->records, &envelope->options);
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
    wr_envelope_records_fini(&envelope->records);
    wr_free(envelope->work.warnings);
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

/* The topic of schemas, for the first plan that has one to keep. */
static int need_schemas(struct wr_envelope *envelope, const struct wr_envelope_plan *plan,
                        struct weir_error *err)
{
    if (plan->schema_text.ptr == NULL || envelope->records.schemas != NULL) {
        return 0;
    }
    const struct wr_str name = WR_STR("__weir_schemas");
    struct wr_envelope_topic *topic = topic_named(envelope, &name, 1);
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "topic of schemas");
    }
    topic->is_internal = true;
    envelope->records.schemas = topic;
    return 0;
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
    rc = need_schemas(envelope, made, err);
    if (rc != 0) {
        wr_envelope_plan_free(made);
        return rc;
    }
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

/* ---- one change -------------------------------------------------------------------------------------- */

static void begin(struct wr_envelope *envelope, int64_t now_us)
{
    wr_envelope_records_begin(&envelope->records);
    envelope->work.warning_count = 0;
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
    *out = (struct wr_envelope_output){envelope->records.items, envelope->records.count,
                                       envelope->work.warnings, envelope->work.warning_count};
}

/* ---- rows -------------------------------------------------------------------------------------------- */

static int convert_row(struct wr_envelope *envelope, const struct wr_envelope_plan *plan,
                       const struct wr_value *row, const struct wr_value *known,
                       struct wr_envelope_row *out, struct weir_error *err)
{
    return wr_envelope_convert_row(plan, row, known, &envelope->work, out, err);
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

/* ---- records of tables ------------------------------------------------------------------------------- */

static struct wr_datum row_datum(const struct wr_envelope_plan *plan,
                                 const struct wr_envelope_row *row)
{
    if (row == NULL) {
        return (struct wr_datum){0};
    }
    return (struct wr_datum){.is_set = true, .u.list = {row->data, plan->column_count}};
}

static struct wr_envelope_draft draft_of(struct wr_envelope_plan *plan, enum wr_side side)
{
    return (struct wr_envelope_draft){
        .plan = plan, .side = side, .partition = WR_ENVELOPE_BY_KEY, .has_context = true};
}

/* Add a record: op with its rows, either may be NULL; and the tombstone of a delete. */
static int add_row_record(struct wr_envelope *envelope, struct wr_envelope_draft *draft,
                          enum wr_op op, const struct wr_envelope_row *before,
                          const struct wr_envelope_row *after, struct weir_error *err)
{
    const uint8_t letter = (uint8_t)op;
    const struct wr_datum fields[WR_ENVELOPE_FIELDS] = {
        [WR_ENVELOPE_BEFORE] = row_datum(draft->plan, before),
        [WR_ENVELOPE_AFTER] = row_datum(draft->plan, after),
        [WR_ENVELOPE_SOURCE] = {.is_set = true,
                                .u.list = {envelope->source.fields, WR_SOURCE_FIELDS}},
        [WR_ENVELOPE_OP] = {.is_set = true, .u.bytes = {&letter, 1}},
        [WR_ENVELOPE_TS_MS] = envelope->times[0],
        [WR_ENVELOPE_TS_US] = envelope->times[1],
        [WR_ENVELOPE_TS_NS] = envelope->times[2],
    };
    draft->row = after != NULL ? after : before;
    int rc = wr_envelope_add(&envelope->records, draft, fields, WR_ENVELOPE_FIELDS, err);
    if (rc == 0 && op == WR_OP_DELETE && envelope->options.tombstones_on_delete) {
        wr_envelope_add_tombstone(&envelope->records, draft);
    }
    return rc;
}

static int make_key(struct wr_envelope *envelope, struct wr_envelope_draft *draft,
                    struct weir_error *err)
{
    const struct wr_envelope_plan *plan = draft->plan;
    const struct wr_datum *key = draft->side == WR_SIDE_OLD ? plan->old_key : plan->new_key;
    return wr_envelope_make_key(&envelope->records, draft, key, plan->table->key_count, &draft->key,
                                err);
}

/* Name the key of `to` in a header of `from`. */
static int link_to(struct wr_envelope *envelope, struct wr_envelope_draft *from, struct wr_str name,
                   const struct wr_envelope_draft *to, struct weir_error *err)
{
    const struct wr_envelope_plan *plan = to->plan;
    const struct wr_datum *key = to->side == WR_SIDE_OLD ? plan->old_key : plan->new_key;
    from->link.name = name;
    return wr_envelope_make_link(&envelope->records, to, key, plan->table->key_count,
                                 &from->link.value, err);
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
    struct wr_envelope_draft draft = draft_of(plan, WR_SIDE_NEW);
    int rc = convert_row(envelope, plan, change->after, NULL, &plan->after, err);
    if (rc == 0) {
        take_key(plan, plan->after.data, plan->new_key);
        rc = make_key(envelope, &draft, err);
    }
    return rc != 0 ? rc : add_row_record(envelope, &draft, change->op, NULL, &plan->after, err);
}

/* The old row of an update or a delete, with its key. */
static int take_before(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                       const struct wr_change *change, struct weir_error *err)
{
    int rc = check_old_key(plan, change->before, err);
    if (rc == 0) {
        rc = convert_row(envelope, plan, change->before, NULL, &plan->before, err);
    }
    if (rc == 0) {
        take_key(plan, plan->before.data, plan->old_key);
    }
    return rc;
}

static int add_delete(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                      const struct wr_change *change, struct weir_error *err)
{
    if (change->before == NULL || is_skipped(envelope, WR_SKIP_DELETE)) {
        return 0;
    }
    struct wr_envelope_draft draft = draft_of(plan, WR_SIDE_OLD);
    int rc = take_before(envelope, plan, change, err);
    if (rc == 0) {
        rc = make_key(envelope, &draft, err);
    }
    return rc != 0 ? rc : add_row_record(envelope, &draft, WR_OP_DELETE, &plan->before, NULL, err);
}

/* A row moves to another key: the old one ends, the new one begins, each naming the other. */
static int add_move(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                    struct weir_error *err)
{
    struct wr_envelope_draft gone = draft_of(plan, WR_SIDE_OLD);
    struct wr_envelope_draft come = draft_of(plan, WR_SIDE_NEW);
    int rc = make_key(envelope, &gone, err);
    if (rc == 0) {
        rc = make_key(envelope, &come, err);
    }
    if (rc == 0) {
        rc = link_to(envelope, &gone, WR_STR("__debezium.newkey"), &come, err);
    }
    if (rc == 0) {
        rc = link_to(envelope, &come, WR_STR("__debezium.oldkey"), &gone, err);
    }
    if (rc == 0 && !is_skipped(envelope, WR_SKIP_DELETE)) {
        rc = add_row_record(envelope, &gone, WR_OP_DELETE, &plan->before, NULL, err);
    }
    if (rc == 0 && !is_skipped(envelope, WR_SKIP_CREATE)) {
        rc = add_row_record(envelope, &come, WR_OP_CREATE, NULL, &plan->after, err);
    }
    return rc;
}

static int add_update(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                      const struct wr_change *change, struct weir_error *err)
{
    WR_ASSERT(change->after != NULL);
    int rc = convert_row(envelope, plan, change->after, change->before, &plan->after, err);
    if (rc == 0 && change->before != NULL) {
        rc = take_before(envelope, plan, change, err);
    }
    if (rc != 0) {
        return rc;
    }
    take_key(plan, plan->after.data, plan->new_key);
    if (change->before != NULL && !is_same_key(plan)) {
        return add_move(envelope, plan, err);
    }
    if (is_skipped(envelope, WR_SKIP_UPDATE)) {
        return 0;
    }
    struct wr_envelope_draft draft = draft_of(plan, WR_SIDE_NEW);
    rc = make_key(envelope, &draft, err);
    if (rc != 0) {
        return rc;
    }
    const struct wr_envelope_row *before = change->before != NULL ? &plan->before : NULL;
    return add_row_record(envelope, &draft, WR_OP_UPDATE, before, &plan->after, err);
}

static int add_truncate(struct wr_envelope *envelope, struct wr_envelope_plan *plan,
                        struct weir_error *err)
{
    if (is_skipped(envelope, WR_SKIP_TRUNCATE)) {
        return 0;
    }
    struct wr_envelope_draft draft = draft_of(plan, WR_SIDE_NEW);
    return add_row_record(envelope, &draft, WR_OP_TRUNCATE, NULL, NULL, err);
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
    struct wr_envelope_plan *made = NULL;
    int rc = wr_envelope_plan_message(&in, &made, err);
    if (rc != 0) {
        return rc;
    }
    WR_ASSERT(made != NULL);
    rc = need_schemas(envelope, made, err);
    if (rc != 0) {
        wr_envelope_plan_free(made);
        return rc;
    }
    envelope->message = made;
    return 0;
}

static int add_message(struct wr_envelope *envelope, const struct wr_change *change,
                       struct weir_error *err)
{
    int rc = message_plan(envelope, err);
    if (rc != 0) {
        return rc;
    }
    struct wr_envelope_plan *plan = envelope->message;
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
    struct wr_envelope_draft draft = {
        .plan = plan, .side = WR_SIDE_NEW, .partition = WR_ENVELOPE_BY_KEY};
    rc = wr_envelope_make_key(&envelope->records, &draft, message, 1, &draft.key, err);
    return rc != 0 ? rc
                   : wr_envelope_add(&envelope->records, &draft, fields, WR_MESSAGE_FIELDS, err);
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
    struct wr_envelope_plan *plan = envelope->heartbeat;
    const struct wr_datum server = {.is_set = true,
                                    .u.bytes = wr_bytes_of_str(envelope->options.topic_prefix)};
    struct wr_envelope_draft draft = {.plan = plan, .side = WR_SIDE_NEW, .partition = 0};
    rc = wr_envelope_make_key(&envelope->records, &draft, &server, 1, &draft.key, err);
    if (rc == 0) {
        rc = wr_envelope_add(&envelope->records, &draft, envelope->times, 1, err);
    }
    if (rc == 0) {
        finish(envelope, out);
    }
    return rc;
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

void wr_envelope_rewind(struct wr_envelope *envelope)
{
    envelope->records.schema_epoch++;
}

int wr_envelope_change(struct wr_envelope *envelope, const struct wr_change *change, int64_t now_us,
                       struct wr_envelope_output *out, struct weir_error *err)
{
    begin(envelope, now_us);
    wr_source_fill(&envelope->source, &change->origin);
    int rc = add_change(envelope, change, err);
    if (rc != 0) {
        wr_envelope_rewind(envelope); /* a schema may have been among what is lost */
        return rc;
    }
    finish(envelope, out);
    return 0;
}
