/* reader.c - readers: assigning, waiting, taking turns, and reading chunks from segments. */
#include "log/embedded/reader.h"

#include "log/embedded/engine.h"
#include "log/embedded/index.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    CHUNK_BYTES = 1024 * 1024,
    WINDOW_BYTES_MIN = 4096,
    LIST_MAX = 1 << 28,
    HEADERS_MAX = 1 << 30
};

static struct wr_embedded_reader *reader_of(struct wr_log_reader *reader)
{
    return (struct wr_embedded_reader *)(void *)reader;
}

/* ---- waking: L is held ---- */

void wr_reader_wake_partition(struct wr_embedded *e, const struct wr_partition *p)
{
    for (struct wr_assignment *a = p->waiting; a != NULL; a = a->waiting_next) {
        wr_poke(e, &a->reader->poke);
    }
}

void wr_reader_wake_topic(struct wr_embedded *e, const struct wr_topic_state *topic)
{
    for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
        wr_reader_wake_partition(e, &topic->partitions[i]);
    }
}

void wr_reader_wake_watching(struct wr_embedded *e)
{
    for (struct wr_embedded_reader *r = e->readers; r != NULL; r = r->next) {
        if (r->is_watching) {
            wr_poke(r->e, &r->poke);
        }
    }
}

void wr_reader_wake_all(struct wr_embedded *e)
{
    for (struct wr_embedded_reader *r = e->readers; r != NULL; r = r->next) {
        wr_poke(r->e, &r->poke);
    }
}

/* ---- opening and closing ---- */

int wr_embedded_reader_open(struct wr_log *log, const struct wr_log_reader_options *options,
                            struct wr_log_reader **out, struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_embedded_reader *r = wr_alloc_array(1, sizeof(*r));
    if (r == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a reader");
    }
    if (wr_wake_open(&r->poke.wake, err) < 0) {
        wr_free(r);
        return err->code;
    }
    r->reader.log = log;
    r->e = e;
    r->isolation = options->isolation;
    r->chunk_bytes = options->chunk_bytes == 0 ? CHUNK_BYTES : options->chunk_bytes;
    size_t window = r->chunk_bytes < WINDOW_BYTES_MIN ? WINDOW_BYTES_MIN : r->chunk_bytes;
    r->cursor = wr_cursor_of(NULL, 0, 0, window);
    r->arena = wr_arena_of(HEADERS_MAX);
    r->iter = wr_batch_iter_of(&limits, &r->arena);
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    r->next = e->readers;
    e->readers = r;
    pthread_mutex_unlock(&e->lock);
    if (rc < 0) {
        wr_embedded_reader_close(&r->reader);
        return rc;
    }
    *out = &r->reader;
    return 0;
}

/* L. */
static void stop_waiting(struct wr_assignment *a)
{
    struct wr_assignment **at = &a->partition->waiting;
    while (*at != a) {
        at = &(*at)->waiting_next;
    }
    *at = a->waiting_next;
}

static void free_assignment(struct wr_embedded *e, struct wr_assignment *a)
{
    pthread_mutex_lock(&e->lock);
    stop_waiting(a);
    pthread_mutex_unlock(&e->lock);
    wr_topic_state_unref(a->topic);
    wr_free(a);
}

void wr_embedded_reader_close(struct wr_log_reader *reader)
{
    struct wr_embedded_reader *r = reader_of(reader);
    struct wr_embedded *e = r->e;
    for (size_t i = 0; i < r->assigned_count; i++) {
        free_assignment(e, r->assigned[i]);
    }
    pthread_mutex_lock(&e->lock);
    struct wr_embedded_reader **at = &e->readers;
    while (*at != r) {
        at = &(*at)->next;
    }
    *at = r->next;
    pthread_mutex_unlock(&e->lock);
    wr_wake_close(&r->poke.wake);
    wr_cursor_fini(&r->cursor);
    wr_batch_iter_fini(&r->iter);
    wr_arena_fini(&r->arena);
    wr_free(r->assigned);
    wr_free(r->records);
    wr_free(r->aborted.list);
    wr_free(r);
}

/* ---- assigning ---- */

static size_t find_assigned(const struct wr_embedded_reader *r, const struct wr_partition *p)
{
    size_t i = 0;
    while (i < r->assigned_count && r->assigned[i]->partition != p) {
        i++;
    }
    return i;
}

static struct wr_assignment *add_assigned(struct wr_embedded_reader *r,
                                          struct wr_topic_state *topic, struct wr_partition *p)
{
    size_t i = find_assigned(r, p);
    if (i < r->assigned_count) {
        return r->assigned[i];
    }
    struct wr_assignment *a = wr_alloc_array(1, sizeof(*a));
    if (a == NULL || !wr_grow(&r->assigned, &r->assigned_cap, r->assigned_count + 1,
                              sizeof(struct wr_assignment *), LIST_MAX)) {
        wr_free(a);
        return NULL;
    }
    a->reader = r;
    a->topic = topic;
    a->partition = p;
    wr_topic_state_ref(topic);
    r->assigned[r->assigned_count] = a;
    r->assigned_count++;
    pthread_mutex_lock(&r->e->lock);
    a->waiting_next = p->waiting;
    p->waiting = a;
    wr_poke(r->e, &r->poke); /* there may be something at once */
    pthread_mutex_unlock(&r->e->lock);
    return a;
}

static int fail_range(const struct wr_partition *p, int64_t offset, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_RANGE,
                   "'%s' partition %u has no offset %" PRId64 ": it has %" PRId64 " .. %" PRId64,
                   p->topic->topic.name, p->number, offset, p->log_start, p->end);
}

/* L. */
static int settle_offset(const struct wr_embedded_reader *r, const struct wr_partition *p,
                         int64_t *offset, struct weir_error *err)
{
    if (r->e->has_failed) {
        return wr_embedded_failure(r->e, err);
    }
    if (wr_topic_is_deleted(p->topic)) {
        return wr_topic_gone(p->topic, err);
    }
    if (*offset == WR_OFFSET_EARLIEST) {
        *offset = p->log_start;
    } else if (*offset == WR_OFFSET_LATEST) {
        *offset = r->isolation == WR_READ_COMMITTED ? p->stable : p->end;
    }
    return *offset < p->log_start || *offset > p->end ? fail_range(p, *offset, err) : 0;
}

int wr_embedded_reader_assign(struct wr_log_reader *reader, struct wr_log_topic *handle,
                              uint32_t partition, int64_t offset, struct weir_error *err)
{
    struct wr_embedded_reader *r = reader_of(reader);
    struct wr_topic_state *topic = wr_topic_state_of(handle);
    struct wr_partition *p = &topic->partitions[partition];
    pthread_mutex_lock(&r->e->lock);
    int rc = settle_offset(r, p, &offset, err);
    pthread_mutex_unlock(&r->e->lock);
    if (rc < 0) {
        return rc;
    }
    struct wr_assignment *a = add_assigned(r, topic, p);
    if (a == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a reader of '%s' partition %u", handle->name, partition);
    }
    a->next_offset = offset;
    a->epoch = 0;
    a->is_placed = false;
    pthread_mutex_lock(&r->e->lock);
    wr_poke(r->e, &r->poke);
    pthread_mutex_unlock(&r->e->lock);
    return 0;
}

int wr_embedded_reader_unassign(struct wr_log_reader *reader, const struct wr_log_topic *handle,
                                uint32_t partition, struct weir_error *err)
{
    WR_UNUSED(err);
    struct wr_embedded_reader *r = reader_of(reader);
    size_t i = find_assigned(r, &wr_topic_state_of_const(handle)->partitions[partition]);
    if (i < r->assigned_count) {
        free_assignment(r->e, r->assigned[i]);
        r->assigned_count--;
        r->assigned[i] = r->assigned[r->assigned_count];
    }
    return 0;
}

int wr_embedded_reader_pause(struct wr_log_reader *reader, const struct wr_log_topic *handle,
                             uint32_t partition, bool is_paused, struct weir_error *err)
{
    struct wr_embedded_reader *r = reader_of(reader);
    size_t i = find_assigned(r, &wr_topic_state_of_const(handle)->partitions[partition]);
    if (i == r->assigned_count) {
        return wr_fail(err, WEIR_E_NOTFOUND, "'%s' partition %u is not assigned", handle->name,
                       partition);
    }
    r->assigned[i]->is_paused = is_paused;
    if (!is_paused) {
        pthread_mutex_lock(&r->e->lock);
        wr_poke(r->e, &r->poke);
        pthread_mutex_unlock(&r->e->lock);
    }
    return 0;
}

int wr_embedded_reader_watch(struct wr_log_reader *reader, struct weir_error *err)
{
    struct wr_embedded_reader *r = reader_of(reader);
    pthread_mutex_lock(&r->e->lock);
    int rc = r->e->has_failed ? wr_embedded_failure(r->e, err) : 0;
    r->is_watching = true;
    r->topics_seen = r->e->topics_version;
    pthread_mutex_unlock(&r->e->lock);
    return rc;
}

/* ---- transactions that were aborted ---- */

static int keep_aborted(struct wr_embedded_reader *r, const struct wr_aborted *list, size_t count,
                        int64_t from, int64_t limit, struct weir_error *err)
{
    struct wr_aborted_list *kept = &r->aborted;
    if (!wr_grow(&kept->list, &kept->cap, kept->count + count, sizeof(kept->list[0]), LIST_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu aborted transactions", kept->count + count);
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i].last_offset >= from && list[i].first_offset < limit) {
            kept->list[kept->count] = list[i];
            kept->count++;
        }
    }
    return 0;
}

/* Those whose records may lie in from .. limit. A marker stands behind the records that it ends, so the
 * segments behind are asked as well. */
static int load_aborted(struct wr_embedded_reader *r, struct wr_partition *p,
                        const struct wr_segment *first, int64_t from, int64_t limit,
                        struct weir_error *err)
{
    struct wr_embedded *e = r->e;
    int64_t base = first->info.base - 1;
    struct wr_segment *seg = NULL;
    int rc = 0;
    r->aborted.count = 0;
    while (rc == 0 && (seg = wr_segment_hold_after(e, p, base)) != NULL) {
        struct wr_aborted *list = NULL;
        size_t count = 0;
        base = seg->info.base;
        rc = wr_txnindex_read(e, seg, &list, &count, err);
        rc = rc == 0 ? keep_aborted(r, list, count, from, limit, err) : rc;
        wr_free(list);
        wr_segment_unpin(e, seg);
    }
    return rc;
}

static bool is_aborted(const struct wr_embedded_reader *r, const struct wr_batch_header *h)
{
    for (size_t i = 0; i < r->aborted.count; i++) {
        const struct wr_aborted *a = &r->aborted.list[i];
        if (a->producer_id == h->producer_id && a->first_offset <= h->base_offset &&
            h->base_offset <= a->last_offset) {
            return true;
        }
    }
    return false;
}

/* ---- a chunk ---- */

/* One read under way. */
struct chunk {
    struct wr_embedded_reader *r;
    struct wr_assignment *a;
    struct wr_place place;
    int64_t limit;       /* nothing from here on is shown */
    int64_t expected;    /* base offset of the next batch; -1 before the first */
    int32_t epoch_max;   /* of the partition … */
    int64_t epoch_start; /* … from this offset on */
    int32_t epoch;       /* of the last batch passed; 0 before the first */
    bool has_aborted;    /* r->aborted is loaded */
    size_t bytes;        /* of the batches taken */
    bool is_last;        /* nothing more fits */
};

static int check_batch(const struct chunk *chunk, const struct wr_batch *batch,
                       struct weir_error *err)
{
    const struct wr_batch_header *h = &batch->header;
    int64_t wanted = chunk->a->next_offset;
    bool follows = chunk->expected >= 0
                       ? h->base_offset == chunk->expected
                       : h->base_offset <= wanted && wanted < wr_batch_next_offset(h);
    if (!follows) {
        return wr_fail(err, WEIR_E_CORRUPT, "a batch with base offset %" PRId64 " is out of place",
                       h->base_offset);
    }
    /* No CRC covers the epoch. That of an empty batch, which repair puts over a hole, may be a guess. */
    int32_t most = h->base_offset < chunk->epoch_start ? chunk->epoch_max - 1 : chunk->epoch_max;
    bool is_wrong = h->leader_epoch < chunk->epoch || h->leader_epoch > most;
    if (is_wrong && h->record_count > 0) {
        return wr_fail(err, WEIR_E_CORRUPT, "a batch with leader epoch %d, not %d to %d",
                       h->leader_epoch, chunk->epoch, most);
    }
    return wr_batch_check_crc(batch, err);
}

/* Is the batch shown to this reader? 1, 0 or an error. */
static int is_shown(struct chunk *chunk, const struct wr_batch_header *h, struct weir_error *err)
{
    struct wr_embedded_reader *r = chunk->r;
    if ((h->attributes & WR_BATCH_CONTROL) != 0) {
        return 0;
    }
    if ((h->attributes & WR_BATCH_TRANSACTIONAL) == 0 || r->isolation != WR_READ_COMMITTED) {
        return 1;
    }
    if (!chunk->has_aborted) {
        int rc = load_aborted(r, chunk->a->partition, chunk->place.segment, h->base_offset,
                              chunk->limit, err);
        if (rc < 0) {
            return rc;
        }
        chunk->has_aborted = true;
    }
    return is_aborted(r, h) ? 0 : 1;
}

static int add_record(struct wr_embedded_reader *r, int64_t offset, const struct wr_record *record,
                      struct weir_error *err)
{
    if (!wr_grow(&r->records, &r->record_cap, r->record_count + 1, sizeof(r->records[0]),
                 LIST_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a chunk of %zu records", r->record_count);
    }
    r->records[r->record_count] = (struct wr_log_record){offset, *record};
    r->record_count++;
    return 0;
}

static int add_records(struct chunk *chunk, const struct wr_batch *batch, struct weir_error *err)
{
    struct wr_embedded_reader *r = chunk->r;
    int64_t offset = 0;
    struct wr_record record;
    size_t before = r->record_count;
    int rc = wr_batch_iter_begin(&r->iter, batch, err);
    rc = rc == 0 ? wr_batch_iter_next(&r->iter, &offset, &record, err) : rc;
    while (rc > 0) {
        rc = offset < chunk->a->next_offset ? 0 : add_record(r, offset, &record, err);
        rc = rc == 0 ? wr_batch_iter_next(&r->iter, &offset, &record, err) : rc;
    }
    if (rc < 0) {
        r->record_count = before;
    }
    return rc;
}

/* Take the batch at the cursor. 1: taken, go on; 0: the chunk ends before it; or an error. */
static int take_batch(struct chunk *chunk, struct weir_error *err)
{
    struct wr_embedded_reader *r = chunk->r;
    struct wr_batch_header header;
    struct wr_batch batch;
    bool is_first = chunk->expected < 0;
    /* What moves the window takes away what the records of the chunk stand on: the header too. */
    if (!is_first && !wr_cursor_has(&r->cursor, WR_BATCH_HEADER_BYTES)) {
        return 0;
    }
    int rc = wr_cursor_header(&r->cursor, &header, err);
    if (rc <= 0 || header.base_offset >= chunk->limit) {
        return rc < 0 ? rc : 0;
    }
    bool is_packed = wr_batch_codec(&header) != WR_CODEC_NONE;
    if (!is_first &&
        (!wr_cursor_has(&r->cursor, header.size_bytes) || (is_packed && r->record_count > 0))) {
        return 0;
    }
    rc = wr_cursor_batch(&r->cursor, &batch, err);
    rc = rc > 0 ? check_batch(chunk, &batch, err) : rc;
    rc = rc == 0 ? is_shown(chunk, &header, err) : rc;
    if (rc > 0) {
        rc = add_records(chunk, &batch, err);
        chunk->bytes += header.size_bytes;
        chunk->is_last = is_packed || chunk->bytes >= r->chunk_bytes;
    }
    if (rc < 0) {
        return rc;
    }
    wr_cursor_pass(&r->cursor, &header);
    chunk->expected = wr_batch_next_offset(&header);
    chunk->epoch = header.record_count > 0 ? header.leader_epoch : chunk->epoch;
    return chunk->is_last ? 0 : 1;
}

/* Nothing of the chunk could be read: say where and why. */
static int fail_chunk(struct chunk *chunk, int rc, struct weir_error *err)
{
    struct wr_partition *p = chunk->a->partition;
    struct weir_error why = *err;
    if (rc == WEIR_E_NOMEM) {
        return rc;
    }
    if (rc == WEIR_E_IO || rc == WEIR_E_NOTFOUND) { /* it may be better next time: no quarantine */
        return wr_fail(err, WEIR_E_DAMAGED,
                       "'%s' partition %u cannot be read at offset %" PRId64 ", byte %" PRIu64
                       " of %020" PRId64 ".log: %.200s",
                       p->topic->topic.name, p->number, chunk->a->next_offset,
                       chunk->place.position, chunk->place.segment->info.base, why.text);
    }
    return wr_locate_damaged(chunk->r->e, p, &chunk->place, chunk->a->next_offset, &why, err);
}

static int read_batches(struct chunk *chunk, struct weir_error *err)
{
    struct wr_embedded_reader *r = chunk->r;
    wr_cursor_reset(&r->cursor, chunk->place.file, chunk->place.position, chunk->place.bytes);
    int rc = take_batch(chunk, err);
    while (rc > 0) {
        rc = take_batch(chunk, err);
    }
    if (rc == 0 && chunk->expected < 0) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the segment ends before it");
    }
    if (rc < 0 && chunk->expected < 0) {
        return fail_chunk(chunk, rc, err);
    }
    chunk->a->next_offset = chunk->expected;
    chunk->a->epoch = chunk->epoch;
    chunk->a->segment_base = chunk->place.segment->info.base;
    chunk->a->position = r->cursor.at;
    chunk->a->is_placed = true;
    return 0;
}

/* The place where the last chunk ended, or the start of the segment behind. False when it is not known
 * any more. */
static bool take_up(struct chunk *chunk)
{
    struct wr_embedded *e = chunk->r->e;
    struct wr_assignment *a = chunk->a;
    struct wr_partition *p = a->partition;
    pthread_mutex_lock(&e->lock);
    struct wr_segment *seg = a->is_placed ? wr_segment_at(p, a->next_offset) : NULL;
    if (seg != NULL) {
        bool is_same = seg->info.base == a->segment_base;
        bool is_start = seg->info.base == a->next_offset;
        chunk->place = (struct wr_place){.segment = seg, .bytes = seg->info.bytes};
        chunk->place.position = is_same ? a->position : 0;
        seg = is_same || is_start ? seg : NULL;
    }
    if (seg != NULL) {
        seg->pins++;
    }
    pthread_mutex_unlock(&e->lock);
    return seg != NULL;
}

/* A segment file that is not there is damage; NOTFOUND would say that the topic was deleted. */
static int fail_missing(const struct wr_assignment *a, struct weir_error *err)
{
    struct weir_error why = *err;
    return wr_fail(err, WEIR_E_DAMAGED,
                   "'%s' partition %u cannot be read at offset %" PRId64 ": %.200s",
                   a->topic->topic.name, a->partition->number, a->next_offset, why.text);
}

static int find_place(struct chunk *chunk, struct weir_error *err)
{
    struct wr_embedded *e = chunk->r->e;
    struct wr_assignment *a = chunk->a;
    if (!take_up(chunk)) {
        int found = wr_locate(e, a->partition, a->next_offset, &chunk->place, err);
        return found == WEIR_E_NOTFOUND ? fail_missing(a, err) : found;
    }
    int rc = wr_segment_pin(e, chunk->place.segment, &chunk->place.file, err);
    if (rc < 0) {
        rc = fail_chunk(chunk, rc, err);
    }
    wr_segment_unpin(e, chunk->place.segment);
    return rc;
}

static int read_chunk(struct chunk *chunk, struct wr_log_chunk *out, struct weir_error *err)
{
    struct wr_embedded_reader *r = chunk->r;
    WR_ASSERT(r != NULL);
    wr_arena_reset(&r->arena);
    r->record_count = 0;
    int rc = find_place(chunk, err);
    if (rc < 0) {
        return rc;
    }
    rc = read_batches(chunk, err);
    wr_segment_unpin(r->e, chunk->place.segment);
    if (rc < 0) {
        return rc;
    }
    *out = (struct wr_log_chunk){
        .kind = WR_POLL_RECORDS,
        .topic = &chunk->a->topic->topic,
        .partition = chunk->a->partition->number,
        .records = r->records,
        .count = r->record_count,
        .next_offset = chunk->a->next_offset,
        .leader_epoch = chunk->epoch,
    };
    return 0;
}

/* ---- polling ---- */

/* Has the partition something for this reader? 1 with `chunk` filled, 0, or an error. L. */
static int has_more(struct wr_embedded_reader *r, struct wr_assignment *a, struct chunk *chunk,
                    struct weir_error *err)
{
    const struct wr_partition *p = a->partition;
    if (a->is_paused) {
        return 0;
    }
    chunk->a = a;
    if (wr_topic_is_deleted(a->topic)) {
        return wr_topic_gone(a->topic, err);
    }
    if (a->next_offset < p->log_start) {
        return fail_range(p, a->next_offset, err);
    }
    int64_t limit = r->isolation == WR_READ_COMMITTED ? p->stable : p->end;
    *chunk = (struct chunk){
        .r = r,
        .a = a,
        .limit = limit,
        .expected = -1,
        .epoch_max = p->epoch,
        .epoch_start = p->epoch_start,
        .epoch = a->epoch,
    };
    return a->next_offset < limit ? 1 : 0;
}

/* Whose turn is it? 1 with `chunk` filled, 0 when there is nothing, or an error. */
static int choose(struct wr_embedded_reader *r, struct chunk *chunk, struct wr_log_chunk *out,
                  struct weir_error *err)
{
    struct wr_embedded *e = r->e;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    if (rc == 0 && r->is_watching && r->topics_seen != e->topics_version) {
        r->topics_seen = e->topics_version;
        *out = (struct wr_log_chunk){.kind = WR_POLL_TOPICS};
    }
    for (size_t i = 0; i < r->assigned_count && rc == 0 && out->kind == WR_POLL_NONE; i++) {
        size_t index = (r->turn + i) % r->assigned_count;
        rc = has_more(r, r->assigned[index], chunk, err);
        if (rc != 0) {
            r->turn = index + 1;
        }
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int try_poll(struct wr_embedded_reader *r, struct wr_log_chunk *out, struct weir_error *err)
{
    struct chunk chunk = {0};
    *out = (struct wr_log_chunk){.kind = WR_POLL_NONE};
    int rc = choose(r, &chunk, out, err);
    rc = rc > 0 ? read_chunk(&chunk, out, err) : rc;
    if (rc < 0 && chunk.a != NULL) {
        out->topic = &chunk.a->topic->topic;
        out->partition = chunk.a->partition->number;
    }
    return rc;
}

/* Make the descriptor unreadable. True when somebody asked the reader to wake. */
static bool calm(struct wr_embedded_reader *r)
{
    pthread_mutex_lock(&r->e->lock);
    bool must_wake = r->must_wake;
    r->must_wake = false;
    wr_poke_calm(&r->poke);
    pthread_mutex_unlock(&r->e->lock);
    return must_wake;
}

/* Nothing at first sight: look once more behind a cleared descriptor, so that no wake is lost. */
static int poll_calmly(struct wr_embedded_reader *r, bool *must_wake, struct wr_log_chunk *out,
                       struct weir_error *err)
{
    *must_wake = calm(r);
    int rc = try_poll(r, out, err);
    if (rc < 0 || out->kind != WR_POLL_NONE) {
        pthread_mutex_lock(&r->e->lock);
        wr_poke(r->e, &r->poke); /* there may be more behind it */
        pthread_mutex_unlock(&r->e->lock);
    }
    return rc;
}

int wr_embedded_reader_poll(struct wr_log_reader *reader, int timeout_ms, struct wr_log_chunk *out,
                            struct weir_error *err)
{
    struct wr_embedded_reader *r = reader_of(reader);
    int64_t deadline_ms = wr_mono_ms(r->e->clock) + timeout_ms;
    for (;;) {
        bool must_wake = false;
        int rc = try_poll(r, out, err);
        if (rc == 0 && out->kind == WR_POLL_NONE) {
            rc = poll_calmly(r, &must_wake, out, err);
        }
        int64_t left_ms = timeout_ms < 0 ? -1 : deadline_ms - wr_mono_ms(r->e->clock);
        bool is_over = must_wake || (timeout_ms >= 0 && left_ms <= 0);
        if (rc < 0 || out->kind != WR_POLL_NONE || is_over) {
            return rc;
        }
        (void)wr_wait_any(&r->poke.wake.fd, 1, (int)left_ms);
    }
}

int wr_embedded_reader_fd(const struct wr_log_reader *reader)
{
    return ((const struct wr_embedded_reader *)(const void *)reader)->poke.wake.fd;
}

void wr_embedded_reader_wake(struct wr_log_reader *reader)
{
    struct wr_embedded_reader *r = reader_of(reader);
    pthread_mutex_lock(&r->e->lock);
    r->must_wake = true;
    wr_poke(r->e, &r->poke);
    pthread_mutex_unlock(&r->e->lock);
}
