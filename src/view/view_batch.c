/* view_batch.c - one transaction: records at hand into the store, and the positions with them. */
#include "base/trace.h"
#include "base/utf8.h"
#include "view/view_parts.h"

#include <stdio.h>

enum {
    SHOWN_MAX = 64, /* bytes of a type or a key in a message */
    SKIPS_TOLD_EACH =
        10, /* skipped events that are told one by one; then only the 100th, 1000th, … */
};

enum wr_view_event wr_view_outcome(const struct weir_error *err)
{
    /* Interrupted: the store has rolled back; the next step sees that the view is to stop. */
    bool is_later = err->code == WEIR_E_STOPPED || weir_code_class(err->code) == WEIR_RETRY;
    return is_later ? WR_VIEW_EV_LATER : WR_VIEW_EV_FAIL;
}

enum wr_view_event wr_view_begin(struct wr_view *view)
{
    view->counts = (struct wr_view_counts){0};
    view->batch_records = 0;
    view->batch_bytes = 0;
    view->batch_event_ms = 0;
    view->batch_start_us = wr_mono_us(view->clock);
    int rc = wr_sink_begin(view->sink, &view->err);
    return rc < 0 ? wr_view_outcome(&view->err) : WR_VIEW_EV_BEGUN;
}

/* ---- events that fail ---- */

/* Text for a message: cut, or only its length when it is not text. */
static void show(const struct wr_view_shown *shown, char out[WR_VIEW_SHOWN_MAX + 16])
{
    struct wr_bytes text = shown->text;
    size_t len = text.len < SHOWN_MAX ? text.len : SHOWN_MAX;
    while (len < text.len && len > 0 && (text.ptr[len] & 0xC0) == 0x80) {
        len--; /* not in the middle of a character */
    }
    if (text.ptr == NULL) {
        (void)snprintf(out, WR_VIEW_SHOWN_MAX + 16, "none");
    } else if (wr_utf8_span((struct wr_bytes){text.ptr, len}) < len) {
        (void)snprintf(out, WR_VIEW_SHOWN_MAX + 16, "(%zu bytes)", shown->len);
    } else {
        (void)snprintf(out, WR_VIEW_SHOWN_MAX + 16, "'%.*s'%s", (int)len, (const char *)text.ptr,
                       len < shown->len ? "…" : "");
    }
}

/* Put the event's coordinates in front of what went wrong. */
static void add_coordinates(const struct wr_view *view, const struct wr_view_item *item,
                            struct weir_error *err)
{
    char type[WR_VIEW_SHOWN_MAX + 16];
    char key[WR_VIEW_SHOWN_MAX + 16];
    struct wr_view_shown of_event = item->type;
    if (item->code == 0) { /* it came as far as the store: its type is its handler's */
        struct wr_bytes text = wr_bytes_of_str(view->definition->on[item->handler].type);
        of_event = (struct wr_view_shown){text, text.len};
    }
    show(&of_event, type);
    show(&item->key, key);
    (void)wr_wrap(err, "topic '%s' partition %u offset %lld, type %s, key %s", view->bundle->topic,
                  view->bundle->partition, (long long)item->offset, type, key);
}

static bool is_told(uint64_t skipped)
{
    uint64_t power = 100;
    while (power < skipped) {
        power *= 10;
    }
    return skipped <= SKIPS_TOLD_EACH || skipped == power;
}

static void skip(struct wr_view *view, const struct weir_error *err)
{
    view->counts.skipped++;
    (void)pthread_mutex_lock(&view->shared.lock);
    view->shared.last_skip = *err;
    uint64_t skipped = view->shared.counts.skipped + view->counts.skipped;
    (void)pthread_mutex_unlock(&view->shared.lock);
    if (is_told(skipped)) {
        wr_trace(WR_WARN, view->context, "skipped an event: %s skipped=%llu", err->text,
                 (unsigned long long)skipped);
    }
}

/* ---- records ---- */

/* Is it the event's fault? Then the rest can go on without it. */
static bool is_event_fault(int code)
{
    return code == WEIR_E_INPUT || code == WEIR_E_LIMIT;
}

static int apply_event(struct wr_view *view, const struct wr_view_item *item,
                       struct weir_error *err)
{
    if (item->code < 0) {
        return wr_fail(err, item->code, "%.*s", WR_FMT(item->why));
    }
    if (!item->is_event) {
        view->counts.ignored++;
        return 0;
    }
    if (item->handler == WR_EVENT_UNWANTED) {
        view->counts.unhandled++;
        return 0;
    }
    int rc = wr_sink_apply(view->sink, item->handler, &item->event, err);
    view->counts.applied += rc == 0 ? 1 : 0;
    return rc;
}

/* WR_VIEW_EV_APPLIED, or what stands in the way. */
static enum wr_view_event apply_item(struct wr_view *view, const struct wr_view_item *item)
{
    struct weir_error *err = &view->err;
    int rc = apply_event(view, item, err);
    if (rc == 0) {
        return WR_VIEW_EV_APPLIED;
    }
    if (rc != WEIR_E_STOPPED) {
        add_coordinates(view, item, err);
    }
    if (!is_event_fault(rc)) {
        return wr_view_outcome(err);
    }
    if (view->definition->on_error == WR_ON_ERROR_STOP) {
        return WR_VIEW_EV_BAD;
    }
    skip(view, err);
    return WR_VIEW_EV_APPLIED;
}

static bool is_full(const struct wr_view *view)
{
    return view->batch_records >= (uint64_t)view->definition->batch_rows ||
           view->batch_bytes >= (uint64_t)view->definition->batch_bytes;
}

/* The model stands at `next`: what is behind it is for a later transaction, or never. */
static void stand_at(struct wr_view *view, int64_t next)
{
    struct wr_view_partition *from = &view->partitions[view->bundle_from];
    from->next = next;
    from->epoch = view->bundle->leader_epoch;
}

static enum wr_view_event apply_next(struct wr_view *view)
{
    bool is_stopping = atomic_load_explicit(&view->is_stopping, memory_order_relaxed);
    if (is_stopping || is_full(view)) {
        stand_at(view, wr_view_bundle_offset(view->bundle));
        return is_stopping ? WR_VIEW_EV_STOP : WR_VIEW_EV_FULL;
    }
    struct wr_view_item item;
    bool has_one = wr_view_bundle_take(view->bundle, &item);
    WR_ASSERT(has_one);
    enum wr_view_event event = apply_item(view, &item);
    if (event != WR_VIEW_EV_APPLIED) {
        stand_at(view, item.offset); /* what is left is read again, or never */
        return event;
    }
    view->batch_records++;
    view->batch_bytes += item.bytes;
    view->batch_event_ms = item.timestamp_ms;
    return event;
}

enum wr_view_event wr_view_apply(struct wr_view *view)
{
    enum wr_view_event event = WR_VIEW_EV_APPLIED;
    while (view->has_items && event == WR_VIEW_EV_APPLIED) {
        if (wr_view_bundle_has_more(view->bundle)) {
            event = apply_next(view);
        } else {
            stand_at(view, view->bundle->next_offset);
            view->has_items = false;
        }
    }
    return event == WR_VIEW_EV_APPLIED && is_full(view) ? WR_VIEW_EV_FULL : event;
}

/* ---- the end of a transaction ---- */

static int collect_moves(struct wr_view *view, size_t *count, struct weir_error *err)
{
    *count = 0;
    if (!wr_grow(&view->moves, &view->move_cap, view->partition_count, sizeof(*view->moves),
                 WR_VIEW_PARTITIONS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "positions of %zu partitions", view->partition_count);
    }
    for (size_t i = 0; i < view->partition_count; i++) {
        const struct wr_view_partition *p = &view->partitions[i];
        if (!p->is_ready || p->next == p->stored) {
            continue;
        }
        view->moves[(*count)++] = (struct wr_sink_move){
            .to = {.topic = wr_str_of(p->topic->name),
                   .topic_id = p->topic->id,
                   .partition = p->partition,
                   .next_offset = p->next,
                   .leader_epoch = p->epoch},
            .from = p->stored,
        };
    }
    return 0;
}

/* Tell other threads what is committed. */
static void publish_batch(struct wr_view *view)
{
    struct wr_view_shared *shared = &view->shared;
    (void)pthread_mutex_lock(&shared->lock);
    shared->counts.applied += view->counts.applied;
    shared->counts.skipped += view->counts.skipped;
    shared->counts.unhandled += view->counts.unhandled;
    shared->counts.ignored += view->counts.ignored;
    if (view->batch_records > 0) {
        shared->batches++;
        shared->last_batch_records = view->batch_records;
        shared->last_batch_us = wr_mono_us(view->clock) - view->batch_start_us;
        shared->last_commit_ms = wr_wall_ms(view->clock);
        shared->last_event_ms = view->batch_event_ms;
    }
    shared->is_paused = false;
    for (size_t i = 0; i < shared->partition_count; i++) {
        shared->partitions[i].stored = view->partitions[i].stored;
    }
    (void)pthread_mutex_unlock(&shared->lock);
}

/* Nothing of the transaction is left. */
static enum wr_view_event commit_failed(struct wr_view *view, const struct weir_error *err)
{
    /* In a group another member may have a partition already, and we are not told yet. */
    bool is_taken_over = err->code == WEIR_E_FENCED && view->joined != NULL;
    if (is_taken_over) {
        return view->state == WR_VIEW_FILLING ? WR_VIEW_EV_LOST : WR_VIEW_EV_LATER;
    }
    if (view->state != WR_VIEW_FAILING) { /* there the first failure is what counts */
        view->err = *err;
    }
    return wr_view_outcome(err);
}

enum wr_view_event wr_view_commit(struct wr_view *view)
{
    if (!view->sink->is_busy) {
        return WR_VIEW_EV_COMMITTED;
    }
    struct weir_error err;
    size_t count = 0;
    int rc = collect_moves(view, &count, &err);
    rc = rc < 0 ? rc : wr_sink_commit(view->sink, view->moves, count, &err);
    if (rc < 0) {
        return commit_failed(view, &err);
    }
    for (size_t i = 0; i < view->partition_count; i++) {
        struct wr_view_partition *p = &view->partitions[i];
        p->stored = p->is_ready ? p->next : p->stored;
    }
    publish_batch(view);
    view->pause_ms = 0;
    wr_view_drop_leaving(view);
    return view->has_items ? WR_VIEW_EV_REST : WR_VIEW_EV_COMMITTED;
}

void wr_view_rollback(struct wr_view *view)
{
    wr_sink_rollback(view->sink);
    view->has_items = false;
    wr_view_feed_forget(view->feed);
    wr_view_drop_leaving(view);
}
