/*
 * view_bundle.c - how events lie in a bundle:
 *
 *     struct head
 *     key and type, as much as is kept
 *     with a code: why. Else of each value its kind, a byte, and
 *         bool 1, int 8, real 8 bytes; text and the like (a real's too) a length of 4 bytes and the text
 *
 * Nothing outlives the process, so numbers lie as the machine has them.
 */
#include "view/view_bundle.h"

#define EVENT_BYTES_MAX ((size_t)1 << 30)
#define KEPT_NONE       UINT8_MAX

struct head {
    int64_t offset;
    int64_t timestamp_ms;
    int64_t time_ms;
    uint32_t bytes;
    uint32_t handler;
    uint32_t key_len;
    uint32_t type_len;
    uint32_t why_len;
    int16_t code;
    uint8_t is_event;
    uint8_t key_kept; /* KEPT_NONE: there is none */
    uint8_t type_kept;
};

void wr_view_bundle_begin(struct wr_view_bundle *bundle, const struct wr_log_chunk *chunk)
{
    bundle->kind = chunk->kind;
    bundle->topic[0] = 0;
    if (chunk->topic != NULL) {
        size_t len = strlen(chunk->topic->name);
        WR_ASSERT(len < sizeof(bundle->topic));
        memcpy(bundle->topic, chunk->topic->name, len + 1);
    }
    bundle->partition = chunk->partition;
    bundle->next_offset = chunk->next_offset;
    bundle->leader_epoch = chunk->leader_epoch;
    bundle->code = 0;
    bundle->count = 0;
    bundle->len = 0;
    bundle->at = 0;
    bundle->taken = 0;
    if (bundle->cap > (size_t)2 * WR_VIEW_BUNDLE_BYTES) { /* what one large event needed */
        wr_free(bundle->bytes);
        bundle->bytes = NULL;
        bundle->cap = 0;
    }
}

void wr_view_bundle_fini(struct wr_view_bundle *bundle)
{
    wr_free(bundle->bytes);
    wr_free(bundle->values);
    *bundle = (struct wr_view_bundle){0};
}

/* ---- filling ---- */

static inline struct wr_view_shown shown_of(struct wr_bytes text)
{
    size_t len = text.len < WR_VIEW_SHOWN_MAX ? text.len : WR_VIEW_SHOWN_MAX;
    return (struct wr_view_shown){{text.ptr, len}, text.len};
}

static inline bool has_text(enum wr_bind_kind kind)
{
    return kind >= WR_BIND_REAL;
}

/* Bytes of the number that a value of a kind is, or has beside its text. */
static inline size_t number_bytes(enum wr_bind_kind kind)
{
    return kind == WR_BIND_BOOL ? 1 : kind == WR_BIND_INT || kind == WR_BIND_REAL ? 8 : 0;
}

/* The values that the event's handler wants, into reading->values. */
static int find_values(const struct wr_view_reading *reading, struct wr_view_item *item,
                       struct weir_error *err)
{
    const struct wr_sink_needs *needs = &reading->needs[item->handler];
    for (size_t i = 0; i < needs->count; i++) {
        int rc = wr_event_value(reading->events, &needs->uses[i], &reading->values[i], err);
        if (rc < 0) {
            return rc;
        }
    }
    item->event.values = reading->values;
    item->event.time_ms = wr_event_time_ms(reading->events);
    return 0;
}

/* Read one record into `item`; what it points to belongs to the record and the reader. */
static int read_item(const struct wr_view_reading *reading, uint32_t partition,
                     const struct wr_log_record *record, struct wr_view_item *item,
                     struct weir_error *err)
{
    struct wr_event_place place = {partition, record->offset, -1};
    const struct wr_event *event = NULL;
    int rc = wr_event_read(reading->events, &place, &record->record, &event, err);
    item->is_event = event->kind != WR_EVENT_NONE;
    item->handler = event->wanted;
    if (rc == 0 && item->is_event && item->handler != WR_EVENT_UNWANTED) {
        rc = find_values(reading, item, err);
    }
    if (rc < 0) {
        item->event.values = NULL;
        item->type = shown_of(wr_bytes_of_str(event->type));
        item->why = wr_str_of(err->text);
    }
    item->code = rc;
    return rc;
}

/* How many bytes an item takes at most; 0: more than it may. `count`: of its values. */
static size_t measure(const struct wr_view_item *item, size_t count)
{
    size_t bytes = sizeof(struct head) + item->key.text.len + (size_t)2 * WR_VIEW_SHOWN_MAX +
                   (item->code < 0 ? item->why.len : 0);
    for (size_t i = 0; i < count; i++) {
        const struct wr_bind *value = &item->event.values[i];
        bytes += 1 + number_bytes(value->kind);
        if (has_text(value->kind) && (!wr_add(bytes, value->text.len + sizeof(uint32_t), &bytes) ||
                                      bytes > EVENT_BYTES_MAX)) {
            return 0;
        }
    }
    return bytes;
}

static inline uint8_t *put(uint8_t *to, const void *from, size_t len)
{
    if (len > 0) {
        memcpy(to, from, len);
    }
    return to + len;
}

static uint8_t *put_value(uint8_t *to, const struct wr_bind *value)
{
    *to++ = (uint8_t)value->kind;
    switch (value->kind) {
    case WR_BIND_NULL: return to;
    case WR_BIND_BOOL: *to = value->u.b ? 1 : 0; return to + 1;
    case WR_BIND_INT: return put(to, &value->u.i, sizeof(value->u.i));
    case WR_BIND_REAL: to = put(to, &value->u.f, sizeof(value->u.f)); break;
    case WR_BIND_NUMBER:
    case WR_BIND_TEXT:
    case WR_BIND_JSON:
    case WR_BIND_BYTES:
    default: break;
    }
    uint32_t len = (uint32_t)value->text.len;
    return put(put(to, &len, sizeof(len)), value->text.ptr, len);
}

static uint8_t kept(const struct wr_view_shown *shown)
{
    return shown->text.ptr == NULL ? KEPT_NONE : (uint8_t)shown->text.len;
}

static uint8_t *put_item(uint8_t *to, const struct wr_view_item *item, size_t count)
{
    struct head head = {.offset = item->offset,
                        .timestamp_ms = item->timestamp_ms,
                        .time_ms = item->event.time_ms,
                        .bytes = (uint32_t)item->bytes,
                        .handler = item->handler,
                        .key_len = (uint32_t)item->key.len,
                        .type_len = (uint32_t)item->type.len,
                        .why_len = item->code < 0 ? (uint32_t)item->why.len : 0,
                        .code = (int16_t)item->code,
                        .is_event = item->is_event ? 1 : 0,
                        .key_kept = kept(&item->key),
                        .type_kept = kept(&item->type)};
    /* The other processor has had these lines last: ask for those to come before they are needed. */
    __builtin_prefetch(to + 512, 1);
    __builtin_prefetch(to + 576, 1);
    to = put(to, &head, sizeof(head));
    to = item->key.text.ptr == NULL ? to : put(to, item->key.text.ptr, item->key.text.len);
    to = item->type.text.ptr == NULL ? to : put(to, item->type.text.ptr, item->type.text.len);
    to = put(to, item->why.ptr, head.why_len);
    for (size_t i = 0; i < count; i++) {
        to = put_value(to, &item->event.values[i]);
    }
    return to;
}

/* Take one record. 0, or WEIR_E_NOMEM. */
static int take_record(struct wr_view_bundle *bundle, const struct wr_view_reading *reading,
                       const struct wr_log_record *record)
{
    struct weir_error *err =
        &bundle->err; /* one on the stack is large, and set to zero for each record */
    struct wr_view_item item = {.offset = record->offset,
                                .timestamp_ms = record->record.timestamp_ms,
                                .bytes = record->record.key.len + record->record.value.len,
                                .key = shown_of(record->record.key)};
    int rc = read_item(reading, bundle->partition, record, &item, err);
    size_t count = item.event.values == NULL ? 0 : reading->needs[item.handler].count;
    size_t bytes = measure(&item, count);
    if (bytes == 0) {
        item.code =
            wr_fail(err, WEIR_E_LIMIT, "its values have more than %zu bytes", EVENT_BYTES_MAX);
        item.why = wr_str_of(err->text);
        count = 0;
        bytes = measure(&item, 0);
    }
    if (rc == WEIR_E_NOMEM || !wr_grow(&bundle->bytes, &bundle->cap, bundle->len + bytes, 1,
                                       WR_VIEW_BUNDLE_BYTES + 2 * EVENT_BYTES_MAX)) {
        return WEIR_E_NOMEM;
    }
    const uint8_t *end = put_item(bundle->bytes + bundle->len, &item, count);
    bundle->len = (size_t)(end - bundle->bytes);
    bundle->count++;
    return 0;
}

int wr_view_bundle_fill(struct wr_view_bundle *bundle, const struct wr_view_reading *reading,
                        const struct wr_log_chunk *chunk, size_t *at)
{
    size_t next = *at;
    bundle->needs = reading->needs;
    if (bundle->values == NULL) {
        bundle->values = wr_alloc_array(reading->needs_max + 1, sizeof(*bundle->values));
    }
    int rc = bundle->values == NULL ? WEIR_E_NOMEM : 0;
    while (rc == 0 && next < chunk->count && bundle->count < WR_VIEW_ITEMS_MAX &&
           bundle->len < WR_VIEW_BUNDLE_BYTES) {
        rc = take_record(bundle, reading, &chunk->records[next]);
        next++;
    }
    if (rc < 0) {
        bundle->count = 0;
        return wr_fail(&bundle->err, rc, "events of topic '%s'", bundle->topic);
    }
    if (next < chunk->count) {
        bundle->next_offset = chunk->records[next].offset;
    }
    *at = next;
    return 0;
}

/* ---- taking ---- */

static inline const uint8_t *get(const uint8_t *from, void *to, size_t len)
{
    memcpy(to, from, len);
    return from + len;
}

static const uint8_t *get_value(const uint8_t *from, struct wr_bind *value)
{
    uint32_t len = 0;
    value->kind = (enum wr_bind_kind) * from++;
    switch (value->kind) {
    case WR_BIND_NULL: return from;
    case WR_BIND_BOOL: value->u.b = *from != 0; return from + 1;
    case WR_BIND_INT: return get(from, &value->u.i, sizeof(value->u.i));
    case WR_BIND_REAL: from = get(from, &value->u.f, sizeof(value->u.f)); break;
    case WR_BIND_NUMBER:
    case WR_BIND_TEXT:
    case WR_BIND_JSON:
    case WR_BIND_BYTES:
    default: break;
    }
    from = get(from, &len, sizeof(len));
    value->text = (struct wr_str){(const char *)from, len};
    return from + len;
}

static const uint8_t *get_shown(const uint8_t *from, uint8_t kept_len, size_t len,
                                struct wr_view_shown *out)
{
    if (kept_len == KEPT_NONE) {
        *out = (struct wr_view_shown){{NULL, 0}, 0};
        return from;
    }
    *out = (struct wr_view_shown){{from, kept_len}, len};
    return from + kept_len;
}

int64_t wr_view_bundle_offset(const struct wr_view_bundle *bundle)
{
    if (!wr_view_bundle_has_more(bundle)) {
        return bundle->next_offset;
    }
    struct head head;
    (void)get(bundle->bytes + bundle->at, &head, sizeof(head));
    return head.offset;
}

bool wr_view_bundle_take(struct wr_view_bundle *bundle, struct wr_view_item *out)
{
    if (!wr_view_bundle_has_more(bundle)) {
        return false;
    }
    struct head head;
    const uint8_t *from = get(bundle->bytes + bundle->at, &head, sizeof(head));
    out->offset = head.offset;
    out->timestamp_ms = head.timestamp_ms;
    out->bytes = head.bytes;
    out->is_event = head.is_event != 0;
    out->handler = head.handler;
    out->code = head.code;
    from = get_shown(from, head.key_kept, head.key_len, &out->key);
    from = get_shown(from, head.type_kept, head.type_len, &out->type);
    out->why = (struct wr_str){(const char *)from, head.why_len};
    from += head.why_len;
    out->event = (struct wr_sink_event){bundle->values, head.time_ms};
    bool has_values = head.code == 0 && head.is_event != 0 && head.handler != WR_EVENT_UNWANTED;
    size_t count = has_values ? bundle->needs[head.handler].count : 0;
    for (size_t i = 0; i < count; i++) {
        from = get_value(from, &bundle->values[i]);
    }
    bundle->at = (size_t)(from - bundle->bytes);
    bundle->taken++;
    return true;
}
