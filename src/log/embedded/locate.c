/* locate.c - from an offset or a time to a place in a segment. */
#include "log/embedded/reader.h"

#include "log/embedded/engine.h"
#include "log/embedded/index.h"
#include "log/embedded/list.h"
#include "log/embedded/partition.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

int wr_locate_damaged(struct wr_embedded *e, struct wr_partition *p, const struct wr_place *place,
                      int64_t offset, const struct weir_error *why, struct weir_error *err)
{
    struct wr_damage damage = {
        .from_offset = offset,
        .to_offset = offset,
        .segment_base = place->segment->info.base,
        .from_position = place->position,
        .to_position = place->position,
    };
    pthread_mutex_lock(&e->lock);
    wr_partition_damage(p, &damage);
    pthread_mutex_unlock(&e->lock);
    return wr_fail(err, WEIR_E_DAMAGED,
                   "'%s' partition %u is damaged at offset %" PRId64 ", byte %" PRIu64
                   " of %020" PRId64 ".log: %.200s",
                   p->topic->topic.name, p->number, offset, place->position,
                   place->segment->info.base, why->text);
}

/* The segment of `offset`, pinned and open. All segments are listed. */
static int open_segment(struct wr_embedded *e, struct wr_partition *p, int64_t offset,
                        struct wr_place *out, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    struct wr_segment *seg = wr_segment_at(p, offset);
    bool is_removed = offset < p->log_start; /* retention was faster */
    if (seg != NULL) {
        seg->pins++;
        *out = (struct wr_place){.segment = seg, .bytes = seg->info.bytes};
    }
    pthread_mutex_unlock(&e->lock);
    if (seg == NULL) {
        return wr_fail(err, is_removed ? WEIR_E_RANGE : WEIR_E_DAMAGED,
                       "'%s' partition %u %s offset %" PRId64, p->topic->topic.name, p->number,
                       is_removed ? "has nothing any more at" : "has lost its segment at", offset);
    }
    int rc = wr_segment_pin(e, seg, &out->file, err);
    wr_segment_unpin(e, seg); /* one pin is enough */
    return rc;
}

/* Behind a damaged place that covers the position, if one does. */
static uint64_t skip_damage(struct wr_embedded *e, const struct wr_partition *p, int64_t base,
                            uint64_t position, int64_t *offset)
{
    pthread_mutex_lock(&e->lock);
    const struct wr_damage *damage = wr_partition_damage_at(p, base, position);
    uint64_t to = damage == NULL ? 0 : damage->to_position;
    *offset = damage == NULL ? 0 : damage->to_offset;
    pthread_mutex_unlock(&e->lock);
    return to;
}

/* Walk from place->position to the batch that holds `offset`. */
static int walk(struct wr_embedded *e, struct wr_partition *p, int64_t offset,
                struct wr_place *place, struct weir_error *err)
{
    struct wr_cursor c = wr_cursor_of(place->file, place->position, place->bytes, 0);
    struct wr_batch_header header;
    struct weir_error why;
    int rc = wr_cursor_header(&c, &header, &why);
    while (rc != 0) {
        int64_t behind = 0;
        uint64_t to = rc < 0 ? skip_damage(e, p, place->segment->info.base, c.at, &behind) : 0;
        if (to > 0 && behind <= offset) {
            c.at = to;
        } else if (rc < 0 || wr_batch_next_offset(&header) > offset) {
            break;
        } else {
            wr_cursor_pass(&c, &header);
        }
        rc = wr_cursor_header(&c, &header, &why);
    }
    place->position = c.at;
    wr_cursor_fini(&c);
    if (rc < 0 && rc != WEIR_E_CORRUPT) {
        *err = why;
        return rc;
    }
    return rc < 0 ? wr_locate_damaged(e, p, place, offset, &why, err) : 0;
}

int wr_locate(struct wr_embedded *e, struct wr_partition *p, int64_t offset, struct wr_place *out,
              struct weir_error *err)
{
    struct wr_place place = {0};
    pthread_mutex_lock(&e->lock);
    bool is_known = p->segments[0]->info.base <= offset;
    pthread_mutex_unlock(&e->lock);
    int rc = is_known ? 0 : wr_list_load(e, p, err);
    rc = rc == 0 ? open_segment(e, p, offset, &place, err) : rc;
    if (rc < 0) {
        return rc;
    }
    rc = wr_index_find(e, place.segment, place.bytes, offset, &place.position, err);
    rc = rc == 0 ? walk(e, p, offset, &place, err) : rc;
    if (rc < 0) {
        wr_segment_unpin(e, place.segment);
        return rc;
    }
    *out = place;
    return 0;
}

/* ---- by time ---- */

/* The first record of the batch at the cursor with such a time; -1 when none has it. */
static int find_record(struct wr_cursor *c, int64_t timestamp_ms, int64_t *out,
                       struct weir_error *err)
{
    struct wr_batch batch;
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    struct wr_record record = {.timestamp_ms = -1};
    int64_t offset = 0;
    *out = -1;
    int rc = wr_cursor_batch(c, &batch, err);
    rc = rc > 0 ? wr_batch_check_crc(&batch, err) : rc;
    rc = rc == 0 ? wr_batch_iter_begin(&iter, &batch, err) : rc;
    rc = rc == 0 ? wr_batch_iter_next(&iter, &offset, &record, err) : rc;
    while (rc > 0 && record.timestamp_ms < timestamp_ms) {
        rc = wr_batch_iter_next(&iter, &offset, &record, err);
    }
    if (rc > 0) {
        *out = offset;
    }
    wr_batch_iter_fini(&iter);
    return rc < 0 ? rc : 0;
}

/* The first record with such a time in one segment, at or behind `from` and before `stable`. */
static int find_in_segment(struct wr_embedded *e, const struct wr_place *place,
                           int64_t timestamp_ms, int64_t stable, int64_t *out,
                           struct weir_error *err)
{
    struct wr_cursor c = wr_cursor_of(place->file, place->position, place->bytes, 0);
    struct wr_batch_header header;
    *out = -1;
    int rc = wr_cursor_header(&c, &header, err);
    while (rc > 0 && *out < 0 && header.base_offset < stable) {
        bool may_have =
            header.max_timestamp_ms >= timestamp_ms && (header.attributes & WR_BATCH_CONTROL) == 0;
        rc = may_have ? find_record(&c, timestamp_ms, out, err) : 0;
        if (rc == 0 && *out < 0) {
            wr_cursor_pass(&c, &header);
            rc = wr_cursor_header(&c, &header, err);
        }
    }
    wr_cursor_fini(&c);
    if (rc == WEIR_E_CORRUPT || rc == WEIR_E_LIMIT) {
        struct weir_error why = *err;
        struct wr_place at = *place;
        at.position = c.at;
        return wr_locate_damaged(e, place->segment->partition, &at, header.base_offset, &why, err);
    }
    return rc < 0 ? rc : 0;
}

/* The first segment at or behind `offset` that may have such a time; its base, or -1. */
static int64_t next_candidate(struct wr_embedded *e, const struct wr_partition *p, int64_t offset,
                              int64_t timestamp_ms)
{
    int64_t base = -1;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < p->segment_count && base < 0; i++) {
        const struct wr_segment_info *info = &p->segments[i]->info;
        if (info->next > offset && info->max_timestamp_ms >= timestamp_ms) {
            base = info->base;
        }
    }
    pthread_mutex_unlock(&e->lock);
    return base;
}

static int search(struct wr_embedded *e, struct wr_partition *p, int64_t from, int64_t stable,
                  int64_t timestamp_ms, int64_t *out, struct weir_error *err)
{
    *out = -1;
    while (from < stable && *out < 0) {
        int64_t base = next_candidate(e, p, from, timestamp_ms);
        if (base < 0) {
            return 0;
        }
        struct wr_place place;
        int64_t start = base > from ? base : from;
        int rc = wr_locate(e, p, start, &place, err);
        if (rc < 0) {
            return rc;
        }
        uint64_t by_time = 0;
        rc = wr_index_find_time(e, place.segment, place.bytes, timestamp_ms, &by_time, err);
        place.position = by_time > place.position ? by_time : place.position;
        rc = rc == 0 ? find_in_segment(e, &place, timestamp_ms, stable, out, err) : rc;
        pthread_mutex_lock(&e->lock);
        from = place.segment->info.next;
        wr_segment_unpin_locked(e, place.segment);
        pthread_mutex_unlock(&e->lock);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int wr_embedded_offset_for_time(struct wr_log *log, const struct wr_log_topic *handle,
                                uint32_t partition, int64_t timestamp_ms, int64_t *out,
                                struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    const struct wr_topic_state *topic = wr_topic_state_of_const(handle);
    struct wr_partition *p = &topic->partitions[partition];
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    pthread_mutex_unlock(&e->lock);
    rc = rc == 0 && wr_topic_is_deleted(topic) ? wr_topic_gone(topic, err) : rc;
    rc = rc == 0 ? wr_list_load(e, p, err) : rc;
    if (rc < 0) {
        return rc;
    }
    pthread_mutex_lock(&e->lock);
    int64_t from = p->log_start;
    int64_t stable = p->stable;
    pthread_mutex_unlock(&e->lock);
    int64_t found = -1;
    rc = search(e, p, from, stable, timestamp_ms, &found, err);
    *out = found >= stable ? -1 : found;
    return rc;
}
