#include "data/envelope_output.h"

enum {
    KEPT_BYTES = 4 << 20, /* of a buffer that one large record leaves behind */
    KEY_SHOWN_BYTES = 200 /* of a key in a message */
};

/* ---- buffers ----------------------------------------------------------------------------------------- */

/* The headers that all records share stand behind the first, which is for newkey and oldkey. */
static void fill_context(struct wr_envelope_records *records)
{
    const struct wr_envelope_options *o = records->options;
    const struct wr_header context[WR_CONTEXT_HEADERS] = {
        {WR_STR("__debezium.context.connectorLogicalName"), wr_bytes_of_str(o->topic_prefix)},
        {WR_STR("__debezium.context.taskId"), wr_bytes_of_str(o->task_id)},
        {WR_STR("__debezium.context.connectorName"), wr_bytes_of_str(o->connector)},
        {WR_STR("__debezium.context.runId"), wr_bytes_of_str(o->run_id)},
    };
    for (size_t i = 0; o->extended_headers && i < WR_RECORDS_MAX; i++) {
        memcpy(&records->headers[i][1], context, sizeof(context));
    }
}

void wr_envelope_records_init(struct wr_envelope_records *records,
                              const struct wr_envelope_options *options)
{
    *records = (struct wr_envelope_records){.options = options, .schema_epoch = 1};
    for (size_t i = 0; i < WR_SIDES; i++) {
        struct wr_side_buffers *side = &records->sides[i];
        side->key = wr_writer_growing(options->record_max_bytes);
        side->link = wr_writer_growing(options->record_max_bytes);
        side->value = wr_writer_growing(options->record_max_bytes);
        side->hidden = wr_writer_growing(options->record_max_bytes);
    }
    fill_context(records);
}

void wr_envelope_records_fini(struct wr_envelope_records *records)
{
    for (size_t i = 0; i < WR_SIDES; i++) {
        struct wr_side_buffers *side = &records->sides[i];
        wr_writer_fini(&side->key);
        wr_writer_fini(&side->link);
        wr_writer_fini(&side->value);
        wr_writer_fini(&side->hidden);
    }
}

static void clear(struct wr_writer *w)
{
    if (w->cap > KEPT_BYTES) {
        wr_writer_fini(w);
    }
    wr_writer_reset(w);
}

void wr_envelope_records_begin(struct wr_envelope_records *records)
{
    records->count = 0;
    for (size_t i = 0; i < WR_SIDES; i++) {
        struct wr_side_buffers *side = &records->sides[i];
        clear(&side->key);
        clear(&side->link);
        clear(&side->value);
        clear(&side->hidden);
    }
}

static int convert(const struct wr_converter_plan *plan, const struct wr_datum *items, size_t count,
                   struct wr_writer *w, struct weir_error *err)
{
    const struct wr_datum all = {.is_set = true, .u.list = {items, count}};
    return wr_converter_convert(plan, &all, w, err);
}

/* ---- keys -------------------------------------------------------------------------------------------- */

int wr_envelope_make_key(struct wr_envelope_records *records, const struct wr_envelope_draft *draft,
                         const struct wr_datum *key, size_t count, struct wr_bytes *out,
                         struct weir_error *err)
{
    if (draft->plan->key == NULL) {
        *out = (struct wr_bytes){NULL, 0};
        return 0;
    }
    struct wr_writer *w = &records->sides[draft->side].key;
    int rc = convert(draft->plan->key, key, count, w, err);
    if (rc != 0) {
        return wr_wrap(err, "key of topic %.*s", WR_FMT(draft->plan->topic->name));
    }
    *out = wr_writer_bytes(w);
    return 0;
}

int wr_envelope_make_link(struct wr_envelope_records *records,
                          const struct wr_envelope_draft *draft, const struct wr_datum *key,
                          size_t count, struct wr_bytes *out, struct weir_error *err)
{
    struct wr_writer *w = &records->sides[draft->side].link;
    int rc = convert(draft->plan->header, key, count, w, err);
    if (rc != 0) {
        return wr_wrap(err, "key of topic %.*s", WR_FMT(draft->plan->topic->name));
    }
    *out = wr_writer_bytes(w);
    return 0;
}

/* ---- records ----------------------------------------------------------------------------------------- */

/* Add a record with the headers that stand already at `first` .. `end` of its place. */
static void push(struct wr_envelope_records *records, const struct wr_envelope_draft *draft,
                 struct wr_bytes value, const struct wr_header *headers, size_t header_count)
{
    records->items[records->count++] = (struct wr_envelope_record){
        .topic = draft->plan->topic,
        .partition = draft->partition,
        .record = {.key = draft->key,
                   .value = value,
                   .headers = headers,
                   .header_count = header_count,
                   .timestamp_ms = -1},
    };
}

/* What weir adds to a record that has a value. */
static size_t add_weir_headers(const struct wr_envelope_draft *draft, struct wr_bytes hidden,
                               struct wr_header *out)
{
    const struct wr_envelope_plan *plan = draft->plan;
    size_t count = 0;
    if (plan->schema_text.ptr != NULL) {
        out[count++] = (struct wr_header){
            WR_STR("weir.schema"), {(const uint8_t *)plan->schema_id, sizeof(plan->schema_id)}};
    }
    if (hidden.len > 0) {
        out[count++] = (struct wr_header){WR_STR("weir.hidden"), hidden};
    }
    return count;
}

static void add_record(struct wr_envelope_records *records, const struct wr_envelope_draft *draft,
                       struct wr_bytes value, struct wr_bytes hidden)
{
    WR_ASSERT(records->count < WR_RECORDS_MAX);
    struct wr_header *headers = records->headers[records->count];
    size_t end = records->options->extended_headers ? 1 + WR_CONTEXT_HEADERS : 1;
    size_t first = draft->has_context ? 1 : end;
    if (draft->link.name.ptr != NULL) {
        WR_ASSERT(draft->has_context);
        headers[0] = draft->link;
        first = 0;
    }
    if (value.ptr != NULL) {
        end += add_weir_headers(draft, hidden, &headers[end]);
    }
    push(records, draft, value, &headers[first], end - first);
}

/* The record that says what schema the values of a topic have, before the first of them. */
static void add_schema(struct wr_envelope_records *records, struct wr_envelope_plan *plan)
{
    if (plan->schema_text.ptr == NULL || plan->schema_epoch == records->schema_epoch) {
        return;
    }
    WR_ASSERT(records->schemas != NULL);
    WR_ASSERT(records->count < WR_RECORDS_MAX);
    plan->schema_epoch = records->schema_epoch;
    records->items[records->count++] = (struct wr_envelope_record){
        .topic = records->schemas,
        .partition = 0,
        .record = {.key = {(const uint8_t *)plan->schema_id, sizeof(plan->schema_id)},
                   .value = wr_bytes_of_str(plan->schema_text),
                   .timestamp_ms = -1},
    };
}

/* The text of weir.hidden; empty when nothing is hidden. */
static int make_hidden(struct wr_writer *w, const struct wr_envelope_records *records,
                       const struct wr_envelope_draft *draft, struct weir_error *err)
{
    if (draft->row != NULL && draft->row->hidden_count > 0 && records->options->weir_headers) {
        wr_envelope_put_hidden(w, draft->plan, draft->row);
    }
    return wr_writer_end(w, err);
}

int wr_envelope_add(struct wr_envelope_records *records, const struct wr_envelope_draft *draft,
                    const struct wr_datum *fields, size_t count, struct weir_error *err)
{
    struct wr_side_buffers *side = &records->sides[draft->side];
    int rc = make_hidden(&side->hidden, records, draft, err);
    if (rc == 0) {
        rc = convert(draft->plan->value, fields, count, &side->value, err);
    }
    if (rc != 0) {
        struct wr_str key = wr_str_of_bytes(draft->key);
        key.len = key.len < KEY_SHOWN_BYTES ? key.len : KEY_SHOWN_BYTES;
        return wr_wrap(err, "value for topic %.*s, key %.*s", WR_FMT(draft->plan->topic->name),
                       WR_FMT(key));
    }
    add_schema(records, draft->plan);
    add_record(records, draft, wr_writer_bytes(&side->value), wr_writer_bytes(&side->hidden));
    return 0;
}

void wr_envelope_add_tombstone(struct wr_envelope_records *records,
                               const struct wr_envelope_draft *draft)
{
    const struct wr_bytes none = {NULL, 0};
    add_record(records, draft, none, none);
}
