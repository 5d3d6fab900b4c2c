/* view_log.c - which topics a view reads, where it stands in them, and whether the log still has that place. */
#include "view/view_parts.h"

#include "base/writer.h"

#define NAMES_MAX ((size_t)32 << 20) /* bytes of topic names */
#define NEW_FILE  "name a new file in 'to:' (it is filled from the log's start)"

/* ---- the list of partitions ---- */

/* Let other threads see the list. Positions are those that are committed. */
static int publish_partitions(struct wr_view *view, struct weir_error *err)
{
    struct wr_view_shared *shared = &view->shared;
    (void)pthread_mutex_lock(&shared->lock);
    bool has_room = wr_grow(&shared->partitions, &shared->partition_cap, view->partition_count,
                            sizeof(*shared->partitions), WR_VIEW_PARTITIONS_MAX);
    if (has_room && view->partition_count > 0) {
        memcpy(shared->partitions, view->partitions,
               view->partition_count * sizeof(*view->partitions));
    }
    shared->partition_count = has_room ? view->partition_count : 0;
    (void)pthread_mutex_unlock(&shared->lock);
    return has_room ? 0 : wr_fail(err, WEIR_E_NOMEM, "%zu partitions", view->partition_count);
}

static bool same_id(const struct wr_topic_id *a, const struct wr_topic_id *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static struct wr_view_partition *find_partition(struct wr_view *view, const char *topic,
                                                uint32_t partition)
{
    for (size_t i = 0; i < view->partition_count; i++) {
        struct wr_view_partition *p = &view->partitions[i];
        if (p->partition == partition && strcmp(p->topic->name, topic) == 0) {
            return p;
        }
    }
    return NULL;
}

static int recreated(const struct wr_log_topic *topic, struct weir_error *err)
{
    return wr_fail(
        err, WEIR_E_REFUSED,
        "topic '%s' was deleted and made again; the model is of the former one; " NEW_FILE,
        topic->name);
}

/* Take a partition over; its position comes with the next restore. */
static int add_partition(struct wr_view *view, struct wr_log_topic *topic, uint32_t partition,
                         struct weir_error *err)
{
    struct wr_view_partition *known = find_partition(view, topic->name, partition);
    if (known != NULL) {
        return same_id(&known->topic->id, &topic->id) ? 0 : recreated(topic, err);
    }
    if (!wr_grow(&view->partitions, &view->partition_cap, view->partition_count + 1,
                 sizeof(*view->partitions), WR_VIEW_PARTITIONS_MAX)) {
        return wr_fail(err, WEIR_E_LIMIT, "more than %d partitions", WR_VIEW_PARTITIONS_MAX);
    }
    view->partitions[view->partition_count++] = (struct wr_view_partition){
        .topic = wr_log_topic_ref(topic), .partition = partition, .stored = -1, .epoch = -1};
    return 0;
}

static void drop_at(struct wr_view *view, size_t index)
{
    struct weir_error unused;
    struct wr_view_partition *p = &view->partitions[index];
    int rc =
        wr_log_reader_unassign(wr_view_feed_reader(view->feed), p->topic, p->partition, &unused);
    WR_UNUSED(
        rc); /* it was not assigned, or its topic is gone: nothing is read from it either way */
    struct wr_log_topic *topic = p->topic;
    view->partition_count--;
    memmove(p, p + 1, (view->partition_count - index) * sizeof(*p));
    if (view->has_items && view->bundle_from >= index) {
        view->has_items = view->bundle_from > index;
        view->bundle_from -= 1;
    }
    (void)publish_partitions(view, &unused); /* shrinking needs no memory */
    wr_log_topic_unref(topic);
}

void wr_view_drop_leaving(struct wr_view *view)
{
    for (size_t i = view->partition_count; i > 0; i--) {
        if (view->partitions[i - 1].is_leaving) {
            drop_at(view, i - 1);
        }
    }
}

void wr_view_drop_all(struct wr_view *view)
{
    while (view->partition_count > 0) {
        drop_at(view, view->partition_count - 1);
    }
}

/* ---- topics ---- */

/* The names of the topics that a view reads, for a group. */
struct listing {
    struct wr_view *view;
    struct wr_arena arena;
    const char **names;
    size_t count;
    size_t cap;
    struct wr_writer joined; /* the names in a row, to see whether they have changed */
};

static int own_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct wr_view *view = arg;
    int rc = 0;
    bool is_ours = wr_view_reads(view->definition, topic->name);
    for (uint32_t i = 0; is_ours && i < topic->partition_count && rc == 0; i++) {
        rc = add_partition(view, topic, i, err);
    }
    return rc;
}

static int list_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct listing *listing = arg;
    if (!wr_view_reads(listing->view->definition, topic->name)) {
        return 0;
    }
    char *name = wr_arena_str(&listing->arena, wr_str_of(topic->name));
    if (name == NULL || !wr_grow(&listing->names, &listing->cap, listing->count + 1,
                                 sizeof(*listing->names), WR_VIEW_PARTITIONS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "names of topics");
    }
    listing->names[listing->count++] = name;
    wr_put_fmt(&listing->joined, "%s,", name);
    return 0;
}

static void listing_fini(struct listing *listing)
{
    wr_free(listing->names);
    wr_arena_fini(&listing->arena);
    wr_writer_fini(&listing->joined);
}

/* Share the topics' partitions with the other readers of the group; they come by polls. */
static int join_group(struct wr_view *view, struct weir_error *err)
{
    struct listing listing WR_CLEANUP(listing_fini) = {
        .view = view, .arena = wr_arena_of(NAMES_MAX), .joined = wr_writer_growing(NAMES_MAX)};
    int rc = wr_log_topic_list(view->log, list_topic, &listing, err);
    rc = rc < 0 ? rc : wr_writer_end(&listing.joined, err);
    struct wr_str joined = wr_writer_str(&listing.joined);
    if (rc < 0 || listing.count == 0 || wr_str_eq(joined, wr_str_of(view->joined))) {
        return rc;
    }
    char *kept = wr_strdup(joined);
    if (kept == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "names of topics");
    }
    rc = wr_log_reader_join(wr_view_feed_reader(view->feed), view->definition->name.ptr,
                            listing.names, listing.count, err);
    if (rc < 0) { /* the next attempt is to join, too */
        wr_free(kept);
        return rc;
    }
    wr_free(view->joined);
    view->joined = kept;
    return rc;
}

/* A topic of `from:`, named in full, that is not there; or NULL. */
static const char *missing_topic(const struct wr_view *view)
{
    for (size_t i = 0; i < view->definition->from_count; i++) {
        const struct wr_view_source *source = &view->definition->from[i];
        struct wr_log_topic *topic = NULL;
        struct weir_error unused;
        if (source->is_glob) {
            continue;
        }
        if (wr_log_topic_find(view->log, source->pattern.ptr, &topic, &unused) < 0) {
            return source->pattern.ptr;
        }
        wr_log_topic_unref(topic);
    }
    return NULL;
}

int wr_view_attach(struct wr_view *view, struct weir_error *err)
{
    bool is_group = (wr_log_capabilities(view->log) & WR_LOG_CAN_JOIN) != 0;
    int rc = 0;
    if (!view->is_watching) {
        rc = wr_log_reader_watch(wr_view_feed_reader(view->feed), err);
        view->is_watching = rc == 0;
    }
    if (rc == 0) {
        rc = is_group ? join_group(view, err) : wr_log_topic_list(view->log, own_topic, view, err);
    }
    rc = rc < 0 ? rc : publish_partitions(view, err);
    if (rc < 0) {
        return rc;
    }
    const char *missing = missing_topic(view);
    (void)pthread_mutex_lock(&view->shared.lock);
    view->shared.waits_for = missing;
    (void)pthread_mutex_unlock(&view->shared.lock);
    for (size_t i = 0; i < view->partition_count; i++) {
        rc = view->partitions[i].is_ready ? rc : 1;
    }
    return rc;
}

/* ---- positions ---- */

static int find_policy(void *arg, const struct wr_topic_setting *setting, struct weir_error *err)
{
    WR_UNUSED(err);
    if (strcmp(setting->key, "cleanup.policy") == 0) {
        *(bool *)arg = strstr(setting->value, "compact") != NULL;
    }
    return 0;
}

/* Begin where the log begins: only right when nothing is missing before it. */
static int begin_at_start(struct wr_view *view, struct wr_view_partition *p, int64_t log_start,
                          struct weir_error *err)
{
    bool is_compacted = false;
    int rc = wr_log_topic_settings(view->log, p->topic, find_policy, &is_compacted, err);
    if (rc < 0) {
        return rc;
    }
    if (log_start > 0 && !is_compacted) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "topic '%s' partition %u begins at offset %lld: its first records are gone, and "
            "a model made without them would be wrong; read a topic that keeps them "
            "(retention.ms=-1 and retention.bytes=-1, or cleanup.policy=compact)",
            p->topic->name, p->partition, (long long)log_start);
    }
    p->next = log_start;
    return 0;
}

/* Does the log still have the place that the store knows? */
static int check_place(struct wr_view *view, const struct wr_view_partition *p,
                       const struct wr_partition_info *info, struct weir_error *err)
{
    const char *topic = p->topic->name;
    if (p->next < info->log_start) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "the model stands at offset %lld of topic '%s' partition %u, which begins at "
            "%lld by now: records that it has not seen are gone; " NEW_FILE
            " once the topic has all records again",
            (long long)p->next, topic, p->partition, (long long)info->log_start);
    }
    int64_t end = info->high_watermark;
    if (p->next <= end && p->epoch >= 0) {
        int rc = wr_log_epoch_end(view->log, p->topic, p->partition, p->epoch, &end, err);
        if (rc < 0) {
            return rc;
        }
    }
    if (p->next > end) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "the model stands at offset %lld of topic '%s' partition %u, but the log took "
            "back what it had from %lld on (a crash in a weaker durability, or an older "
            "copy); " NEW_FILE,
            (long long)p->next, topic, p->partition, (long long)(end < 0 ? info->log_start : end));
    }
    return 0;
}

static int take_position(void *arg, const struct wr_sink_position *position, struct weir_error *err)
{
    struct wr_view *view = arg;
    struct wr_view_partition *p = find_partition(view, position->topic.ptr, position->partition);
    if (p != NULL) {
        if (!same_id(&p->topic->id, &position->topic_id)) {
            return recreated(p->topic, err);
        }
        p->stored = position->next_offset;
        p->next = position->next_offset;
        p->epoch = position->leader_epoch;
        return 0;
    }
    if (!wr_view_reads(view->definition, position->topic.ptr)) {
        return 0; /* taken out of `from:` */
    }
    struct wr_log_topic *topic = NULL;
    int rc = wr_log_topic_find(view->log, position->topic.ptr, &topic, err);
    if (rc == WEIR_E_NOTFOUND) {
        return wr_fail(
            err, WEIR_E_REFUSED,
            "topic '%s', of which the model has what is below offset %lld, is gone; " NEW_FILE,
            position->topic.ptr, (long long)position->next_offset);
    }
    if (rc < 0) {
        return rc;
    }
    bool is_same = same_id(&topic->id, &position->topic_id); /* of another member of the group */
    rc = is_same ? 0 : recreated(topic, err);
    wr_log_topic_unref(topic);
    return rc;
}

static int restore_partition(struct wr_view *view, struct wr_view_partition *p,
                             struct weir_error *err)
{
    struct wr_partition_info info;
    int rc = wr_log_partition_info(view->log, p->topic, p->partition, &info, err);
    if (rc < 0) {
        return rc;
    }
    rc = p->stored < 0 ? begin_at_start(view, p, info.log_start, err)
                       : check_place(view, p, &info, err);
    rc = rc < 0 ? rc
                : wr_log_reader_assign(wr_view_feed_reader(view->feed), p->topic, p->partition,
                                       p->next, err);
    p->is_ready = rc == 0;
    return rc;
}

int wr_view_restore(struct wr_view *view, struct weir_error *err)
{
    for (size_t i = 0; i < view->partition_count; i++) {
        view->partitions[i].stored = -1;
        view->partitions[i].epoch = -1;
    }
    int rc = wr_sink_positions(view->sink, take_position, view, err);
    for (size_t i = 0; i < view->partition_count && rc == 0; i++) {
        rc = restore_partition(view, &view->partitions[i], err);
    }
    return rc < 0 ? rc : publish_partitions(view, err);
}

/* ---- polling ---- */

static enum wr_view_event take_records(struct wr_view *view)
{
    const struct wr_view_bundle *bundle = view->bundle;
    struct wr_view_partition *p = find_partition(view, bundle->topic, bundle->partition);
    WR_ASSERT(p != NULL && p->is_ready);
    if (bundle->count == 0) { /* passed over what is not for us */
        p->next = bundle->next_offset;
        p->epoch = bundle->leader_epoch;
        return view->state == WR_VIEW_FILLING ? WR_VIEW_EV_APPLIED : WR_VIEW_EV_NOTHING;
    }
    view->bundle_from = (size_t)(p - view->partitions);
    view->has_items = true;
    return WR_VIEW_EV_RECORDS;
}

static enum wr_view_event take_assigned(struct wr_view *view)
{
    struct wr_log_topic *topic = NULL;
    int rc = wr_log_topic_find(view->log, view->bundle->topic, &topic, &view->err);
    if (rc < 0) {
        return wr_view_outcome(&view->err);
    }
    rc = add_partition(view, topic, view->bundle->partition, &view->err);
    wr_log_topic_unref(topic);
    return rc < 0 ? wr_view_outcome(&view->err) : WR_VIEW_EV_ASSIGNED;
}

static enum wr_view_event take_away(struct wr_view *view, bool is_lost)
{
    struct wr_view_partition *p =
        find_partition(view, view->bundle->topic, view->bundle->partition);
    if (p != NULL) {
        p->is_leaving = true;
    }
    if (is_lost || view->state != WR_VIEW_FILLING) {
        wr_view_drop_leaving(view);
    }
    return is_lost ? WR_VIEW_EV_LOST : WR_VIEW_EV_REVOKED;
}

static enum wr_view_event take_topics(struct wr_view *view)
{
    int rc = wr_view_attach(view, &view->err);
    if (rc < 0) {
        return wr_view_outcome(&view->err);
    }
    enum wr_view_event none =
        view->state == WR_VIEW_FILLING ? WR_VIEW_EV_APPLIED : WR_VIEW_EV_NOTHING;
    return rc == 1 ? WR_VIEW_EV_ASSIGNED : none;
}

static enum wr_view_event take(struct wr_view *view)
{
    enum wr_view_event event = WR_VIEW_EV_NOTHING;
    switch (view->bundle->kind) {
    case WR_POLL_NONE: return WR_VIEW_EV_NOTHING;
    case WR_POLL_RECORDS: return take_records(view);
    case WR_POLL_ASSIGNED: event = take_assigned(view); break;
    case WR_POLL_REVOKED: return take_away(view, false);
    case WR_POLL_LOST: return take_away(view, true);
    case WR_POLL_TOPICS: event = take_topics(view); break;
    default: WR_ASSERT(false); return WR_VIEW_EV_NOTHING;
    }
    if (event == WR_VIEW_EV_LATER) { /* the log does not say it again */
        wr_view_feed_put_back(view->feed);
    }
    return event;
}

enum wr_view_event wr_view_poll(struct wr_view *view, int wait_ms)
{
    int rc = wr_view_feed_poll(view->feed, wait_ms, &view->bundle, &view->err);
    if (rc == WEIR_E_RANGE || rc == WEIR_E_NOTFOUND) {
        (void)wr_wrap(&view->err, "the log no longer has what the model goes on from; " NEW_FILE);
    }
    if (rc < 0) {
        /* It is the log that fails: what was applied is still right, and is committed. */
        enum wr_view_event event = wr_view_outcome(&view->err);
        bool is_filling = view->state == WR_VIEW_FILLING;
        return event == WR_VIEW_EV_FAIL && is_filling ? WR_VIEW_EV_BAD : event;
    }
    return take(view);
}
