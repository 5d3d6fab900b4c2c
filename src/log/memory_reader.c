/* memory_reader.c - the model's readers: places, and taking what comes next. */
#include "log/memory_state.h"

#include <inttypes.h>

static struct mem_reader *reader_of(const struct wr_log_reader *reader)
{
    return (struct mem_reader *)(uintptr_t)reader;
}

/* Where a reader of this isolation has to stop. */
static int64_t limit_of(const struct mem_reader *r, const struct mem_partition *part)
{
    return r->isolation == WR_READ_COMMITTED ? mem_last_stable(part) : mem_end(part);
}

/* ---- places ---- */

static size_t place_index(const struct mem_reader *r, const struct mem_topic *topic,
                          uint32_t partition)
{
    size_t i = 0;
    while (i < r->place_count &&
           (r->places[i].topic != topic || r->places[i].partition != partition)) {
        i++;
    }
    return i;
}

void mem_reader_forget(struct mem_reader *r, const struct mem_topic *topic, uint32_t partition)
{
    size_t i = place_index(r, topic, partition);
    if (i == r->place_count) {
        return;
    }
    mem_topic_unref(r->places[i].topic);
    r->place_count--;
    memmove(r->places + i, r->places + i + 1, (r->place_count - i) * sizeof(*r->places));
}

static int check_deleted(const struct mem_topic *topic, struct weir_error *err)
{
    if (topic->is_deleted) {
        return wr_fail(err, WEIR_E_NOTFOUND, "topic '%s' was deleted", topic->topic.name);
    }
    return 0;
}

static int reader_assign(struct wr_log_reader *reader, struct wr_log_topic *handle,
                         uint32_t partition, int64_t offset, struct weir_error *err)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    struct mem_topic *topic = mem_topic_of(handle);
    int rc = mem_enter(log, WR_MEMORY_ASSIGN, err);
    if (rc < 0) {
        return rc;
    }
    const struct mem_partition *part = &topic->partitions[partition];
    int64_t position = offset;
    if (offset == WR_OFFSET_EARLIEST) {
        position = part->log_start;
    } else if (offset == WR_OFFSET_LATEST) {
        position = limit_of(r, part);
    }
    rc = check_deleted(topic, err);
    if (rc == 0 && (position < part->log_start || position > mem_end(part))) {
        rc = wr_fail(err, WEIR_E_RANGE,
                     "topic '%s' partition %u has no offset %" PRId64 ": it has %" PRId64
                     " .. %" PRId64,
                     handle->name, partition, position, part->log_start, mem_end(part));
    }
    if (rc == 0) {
        size_t i = place_index(r, topic, partition);
        if (i == r->place_count) {
            mem_grow(&r->places, &r->place_cap, r->place_count, sizeof(*r->places));
            r->places[r->place_count++] =
                (struct mem_place){.topic = topic, .partition = partition};
            topic->refs++;
        }
        r->places[i].position = position;
        wr_wake_signal(&r->wake);
    }
    mem_leave(log);
    return rc;
}

static int reader_unassign(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                           uint32_t partition, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(reader->log);
    int rc = mem_enter(log, WR_MEMORY_UNASSIGN, err);
    if (rc < 0) {
        return rc;
    }
    mem_reader_forget(reader_of(reader), mem_topic_of(topic), partition);
    mem_leave(log);
    return 0;
}

static int reader_pause(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                        uint32_t partition, bool is_paused, struct weir_error *err)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    int rc = mem_enter(log, WR_MEMORY_PAUSE, err);
    if (rc < 0) {
        return rc;
    }
    size_t i = place_index(r, mem_topic_of(topic), partition);
    if (i < r->place_count) {
        r->places[i].is_paused = is_paused;
        wr_wake_signal(&r->wake);
    }
    mem_leave(log);
    return 0;
}

/* ---- life ---- */

static int reader_open(struct wr_log *base, const struct wr_log_reader_options *options,
                       struct wr_log_reader **out, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    struct wr_wake wake;
    int rc = wr_wake_open(&wake, err);
    if (rc < 0) {
        return rc;
    }
    rc = mem_enter(log, WR_MEMORY_READER_OPEN, err);
    if (rc < 0) {
        wr_wake_close(&wake);
        return rc;
    }
    struct mem_reader *r = mem_alloc(1, sizeof(*r));
    r->reader.log = base;
    r->isolation = options->isolation;
    r->chunk_bytes = options->chunk_bytes == 0 ? 1U << 20 : options->chunk_bytes;
    r->wake = wake;
    struct mem_reader **end = &log->readers;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = r;
    mem_leave(log);
    *out = &r->reader;
    return 0;
}

static void let_go_of_chunk(struct mem_reader *r)
{
    for (size_t i = 0; i < r->held_count; i++) {
        mem_record_unref(r->held[i]);
    }
    r->held_count = 0;
    mem_event_free(r->given);
    r->given = NULL;
}

static void unlink_reader(struct mem_log *log, struct mem_reader *r)
{
    struct mem_reader **at = &log->readers;
    while (*at != r) {
        at = &(*at)->next;
    }
    *at = r->next;
}

/* The topics that it asked its group for. */
static void forget_names(struct mem_reader *r)
{
    for (size_t i = 0; i < r->topic_name_count; i++) {
        wr_free(r->topic_names[i]);
    }
    wr_free(r->topic_names);
    r->topic_names = NULL;
    r->topic_name_count = 0;
}

static void reader_close(struct wr_log_reader *reader)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    pthread_mutex_lock(&log->lock);
    unlink_reader(log, r);
    let_go_of_chunk(r);
    mem_group_leave(log, r);
    while (r->place_count > 0) {
        mem_topic_unref(r->places[--r->place_count].topic);
    }
    while (r->events != NULL) {
        struct mem_event *event = r->events;
        r->events = event->next;
        mem_event_free(event);
    }
    mem_leave(log);
    forget_names(r);
    wr_wake_close(&r->wake);
    wr_free(r->places);
    wr_free(r->held);
    wr_free(r->shown);
    wr_free(r);
}

static int reader_join(struct wr_log_reader *reader, const char *group, const char *const *topics,
                       size_t count, struct weir_error *err)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    if (r->group != NULL && strcmp(r->group->name, group) != 0) {
        return wr_fail(err, WEIR_E_INPUT, "the reader is in group '%s' already", r->group->name);
    }
    int rc = mem_enter(log, WR_MEMORY_JOIN, err);
    if (rc < 0) {
        return rc;
    }
    forget_names(r);
    r->topic_names = mem_alloc(count + 1, sizeof(char *));
    for (size_t i = 0; i < count; i++) {
        r->topic_names[r->topic_name_count++] = mem_strdup(topics[i]);
    }
    r->group = mem_group_of(log, group);
    mem_group_share(log, r->group);
    mem_tell_readers(log);
    mem_leave(log);
    return 0;
}

static int reader_watch(struct wr_log_reader *reader, struct weir_error *err)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    int rc = mem_enter(log, WR_MEMORY_WATCH, err);
    if (rc < 0) {
        return rc;
    }
    r->is_watching = true;
    r->topics_seen = log->topics_version;
    mem_leave(log);
    return 0;
}

/* ---- polling ---- */

static bool is_shown(const struct mem_reader *r, const struct mem_record *record)
{
    if (record->is_marker) {
        return false;
    }
    return r->isolation == WR_READ_UNCOMMITTED || record->txn == NULL ||
           record->txn->state == MEM_KEPT;
}

static void show(struct mem_reader *r, struct mem_record *record)
{
    mem_grow(&r->held, &r->held_cap, r->held_count, sizeof(struct mem_record *));
    record->refs++;
    r->held[r->held_count++] = record;
}

/* Fill the chunk from a place that has something. */
static void take_records(struct mem_reader *r, struct mem_place *place, struct wr_log_chunk *out)
{
    const struct mem_partition *part = &place->topic->partitions[place->partition];
    int64_t limit = limit_of(r, part);
    size_t bytes = 0;
    while (place->position < limit && place->position != part->damaged_at &&
           (bytes == 0 || bytes < r->chunk_bytes)) {
        struct mem_record *record = mem_record_at(part, place->position);
        if (is_shown(r, record)) {
            show(r, record);
            bytes += record->record.key.len + record->record.value.len + 1;
        }
        out->leader_epoch = record->leader_epoch;
        place->position++;
    }
    wr_free(r->shown);
    r->shown = mem_alloc(r->held_count + 1, sizeof(*r->shown));
    for (size_t i = 0; i < r->held_count; i++) {
        r->shown[i] = (struct wr_log_record){r->held[i]->offset, r->held[i]->record};
    }
    out->kind = WR_POLL_RECORDS;
    out->topic = &place->topic->topic;
    out->partition = place->partition;
    out->records = r->shown;
    out->count = r->held_count;
    out->next_offset = place->position;
}

/* Why a place cannot be read, or 0. */
static int check_place(const struct mem_reader *r, const struct mem_place *place,
                       struct weir_error *err)
{
    const struct mem_partition *part = &place->topic->partitions[place->partition];
    const char *name = place->topic->topic.name;
    int rc = check_deleted(place->topic, err);
    if (rc < 0) {
        return rc;
    }
    if (place->position < part->log_start || place->position > mem_end(part)) {
        return wr_fail(err, WEIR_E_RANGE,
                       "topic '%s' partition %u no longer has offset %" PRId64 ": it has %" PRId64
                       " .. %" PRId64,
                       name, place->partition, place->position, part->log_start, mem_end(part));
    }
    if (place->position == part->damaged_at && place->position < limit_of(r, part)) {
        return wr_fail(err, WEIR_E_DAMAGED,
                       "topic '%s' partition %u offset %" PRId64 ": the bytes are not valid", name,
                       place->partition, place->position);
    }
    return 0;
}

/* Would a poll give something of this place: records, or an error? */
static bool is_due(const struct mem_reader *r, const struct mem_place *place)
{
    struct weir_error err;
    if (place->is_paused) {
        return false;
    }
    return check_place(r, place, &err) < 0 ||
           place->position < limit_of(r, &place->topic->partitions[place->partition]);
}

/* The next place that is due, in turn after the last one; place_count when none is. */
static size_t next_due(const struct mem_reader *r)
{
    for (size_t i = 0; i < r->place_count; i++) {
        size_t at = (r->turn + i) % r->place_count;
        if (is_due(r, &r->places[at])) {
            return at;
        }
    }
    return r->place_count;
}

static void take_event(struct mem_reader *r, struct wr_log_chunk *out)
{
    struct mem_event *event = r->events;
    r->events = event->next;
    r->given = event;
    out->kind = event->kind;
    out->topic = &event->topic->topic;
    out->partition = event->partition;
}

/* Take what there is, without waiting. */
static int take(struct mem_log *log, struct mem_reader *r, struct wr_log_chunk *out,
                struct weir_error *err)
{
    *out = (struct wr_log_chunk){.kind = WR_POLL_NONE};
    if (r->events != NULL) {
        take_event(r, out);
        return 0;
    }
    if (r->is_watching && r->topics_seen != log->topics_version) {
        r->topics_seen = log->topics_version;
        out->kind = WR_POLL_TOPICS;
        return 0;
    }
    size_t i = next_due(r);
    if (i == r->place_count) {
        return 0;
    }
    r->turn = i + 1; /* also after an error, so that it does not hide the others */
    out->topic = &r->places[i].topic->topic;
    out->partition = r->places[i].partition;
    int rc = check_place(r, &r->places[i], err);
    if (rc == 0) {
        take_records(r, &r->places[i], out);
    }
    return rc;
}

static bool has_more(const struct mem_log *log, const struct mem_reader *r)
{
    return r->events != NULL || (r->is_watching && r->topics_seen != log->topics_version) ||
           next_due(r) < r->place_count;
}

/* One look. True when the poll is over: something was taken, it failed, or it was woken. */
static bool look(struct mem_log *log, struct mem_reader *r, struct wr_log_chunk *out, int *rc,
                 struct weir_error *err)
{
    *rc = mem_enter(log, WR_MEMORY_READER_POLL, err);
    if (*rc < 0) {
        return true;
    }
    (void)wr_wake_clear(&r->wake);
    bool is_woken = r->is_woken;
    r->is_woken = false;
    *out = (struct wr_log_chunk){.kind = WR_POLL_NONE};
    *rc = is_woken ? 0 : take(log, r, out, err);
    if (has_more(log, r)) {
        wr_wake_signal(&r->wake);
    }
    mem_leave(log);
    return *rc < 0 || is_woken || out->kind != WR_POLL_NONE;
}

static int reader_poll(struct wr_log_reader *reader, int timeout_ms, struct wr_log_chunk *out,
                       struct weir_error *err)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    int64_t deadline_ms = wr_mono_ms(wr_clock_os()) + timeout_ms;
    pthread_mutex_lock(&log->lock);
    mem_group_acknowledge(log, r);
    let_go_of_chunk(r);
    mem_leave(log);
    int rc = 0;
    while (!look(log, r, out, &rc, err)) {
        int64_t left_ms = timeout_ms < 0 ? -1 : deadline_ms - wr_mono_ms(wr_clock_os());
        if (timeout_ms >= 0 && left_ms <= 0) {
            break;
        }
        (void)wr_wait_any(&r->wake.fd, 1, (int)left_ms);
    }
    return rc;
}

static int reader_fd(const struct wr_log_reader *reader)
{
    return reader_of(reader)->wake.fd;
}

static void reader_wake(struct wr_log_reader *reader)
{
    struct mem_reader *r = reader_of(reader);
    struct mem_log *log = mem_log_of(reader->log);
    pthread_mutex_lock(&log->lock);
    r->is_woken = true;
    wr_wake_signal(&r->wake);
    mem_leave(log);
}

void mem_reader_ops(struct wr_log_ops *ops)
{
    ops->reader_open = reader_open;
    ops->reader_close = reader_close;
    ops->reader_assign = reader_assign;
    ops->reader_unassign = reader_unassign;
    ops->reader_join = reader_join;
    ops->reader_watch = reader_watch;
    ops->reader_pause = reader_pause;
    ops->reader_poll = reader_poll;
    ops->reader_fd = reader_fd;
    ops->reader_wake = reader_wake;
}
