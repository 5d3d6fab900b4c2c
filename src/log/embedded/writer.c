/* writer.c - writers: filling commits, handing them over, taking answers. */
#include "log/embedded/writer.h"

#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    BATCH_BYTES = 1024 * 1024, /* about: a batch is closed when the next record would go beyond */
    RECORD_OVERHEAD = 64,      /* more than the lengths, deltas and counts of a record take */
    HEADER_OVERHEAD = 12,
    OVERHEAD_MAX = 16 * 1024 * 1024, /* of a commit of many small records */
    SPARE_MAX = 4,
    PARK_MS = 100,
    GIVE_UP_MS = 1000,
    MARKED_MAX = 1 << 20
};

static struct wr_embedded_writer *writer_of(struct wr_log_writer *writer)
{
    return (struct wr_embedded_writer *)(void *)writer;
}

static const struct wr_embedded_writer *writer_of_const(const struct wr_log_writer *writer)
{
    return (const struct wr_embedded_writer *)(const void *)writer;
}

/* ---- answers: L is held ---- */

static void wake(struct wr_embedded_writer *w)
{
    if (!w->is_signalled && !w->is_closed) {
        w->is_signalled = true;
        wr_wake_signal(&w->wake);
    }
}

/* A marked transaction that nobody ends: the engine aborts it when it comes to it. Without memory it
 * stays open until the log is opened anew. */
static void abort_detached(struct wr_embedded *e, int64_t producer_id)
{
    struct wr_commit *abort = wr_commit_new(NULL);
    if (abort != NULL) {
        abort->is_abort = true;
        abort->is_detached = true;
        abort->abort_producer = producer_id;
        wr_commit_push_locked(e, abort);
    }
}

/* Its owner has gone: nobody takes the answer. Freed when L is not held any more. */
static void bury(struct wr_embedded *e, struct wr_commit *c)
{
    c->next = e->graveyard;
    e->graveyard = c;
}

/* The writer's commits that wait in the queue share the fate of the one that was not done: else, once
 * its state has changed again, they would overtake it. */
static void recall(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    struct wr_commit *c = e->queue_first;
    e->queue_first = NULL;
    e->queue_last = NULL;
    while (c != NULL) {
        struct wr_commit *next = c->next;
        if (c->writer != w || !wr_writer_divert(e, c)) {
            wr_commit_push_locked(e, c);
        }
        c = next;
    }
}

/* A commit of a closed writer was not done: nor is any later one. */
static void give_up(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    w->state = WR_WRITER_REWINDING;
    recall(e, w);
}

void wr_writer_answer(struct wr_embedded *e, struct wr_commit *c)
{
    struct wr_embedded_writer *w = c->writer;
    if (w->is_closed) {
        w->in_flight--;
        if (c->outcome != WR_COMMIT_DONE) {
            give_up(e, w);
        }
        bury(e, c);
        return;
    }
    c->next = NULL;
    if (w->answered_last == NULL) {
        w->answered_first = c;
    } else {
        w->answered_last->next = c;
    }
    w->answered_last = c;
    if (c->outcome == WR_COMMIT_DONE) {
        w->give_up_ms = 0;
    } else if (c->outcome == WR_COMMIT_REWIND) {
        w->state = WR_WRITER_REWINDING;
        if (c->is_end) { /* its writer takes the transaction for ended */
            abort_detached(e, c->abort_producer);
        }
        recall(e, w);
    }
    wake(w);
}

static void hold(struct wr_embedded_writer *w, struct wr_commit *c)
{
    c->next = NULL;
    if (w->held_last == NULL) {
        w->held_first = c;
    } else {
        w->held_last->next = c;
    }
    w->held_last = c;
}

/* Nobody gets an answer for it. */
static void drop(struct wr_embedded *e, struct wr_commit *c)
{
    if (c->is_end) {
        abort_detached(e, c->abort_producer);
    }
    c->writer->in_flight--;
    bury(e, c);
}

void wr_writer_hold(struct wr_embedded *e, struct wr_commit *c, const struct weir_error *why)
{
    struct wr_embedded_writer *w = c->writer;
    if (w->is_closed) { /* nobody is there to retry */
        drop(e, c);
        give_up(e, w);
        return;
    }
    int64_t now_ms = wr_mono_ms(e->clock);
    hold(w, c);
    if (w->give_up_ms != 0 && now_ms < w->give_up_ms) {
        w->state = WR_WRITER_PARKED;
        w->try_again_ms = now_ms + PARK_MS < w->give_up_ms ? now_ms + PARK_MS : w->give_up_ms;
    } else {
        w->state = WR_WRITER_STALLED;
        w->give_up_ms = 0;
        w->has_stall = true;
        w->stall_number = c->number;
        w->stall = *why;
        wake(w);
    }
    recall(e, w);
}

bool wr_writer_divert(struct wr_embedded *e, struct wr_commit *c)
{
    struct wr_embedded_writer *w = c->writer;
    switch (w->state) {
    case WR_WRITER_OPEN: return false;
    case WR_WRITER_STALLED:
    case WR_WRITER_PARKED: hold(w, c); break;
    case WR_WRITER_REWINDING: drop(e, c); break;
    case WR_WRITER_FENCED:
        if (w->is_fence_told) {
            drop(e, c);
            break;
        }
        w->is_fence_told = true;
        c->outcome = WR_COMMIT_FENCED;
        wr_fail(&c->err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
        wr_writer_answer(e, c);
        break;
    }
    return true;
}

void wr_writer_unpark(struct wr_embedded *e, int64_t now_ms)
{
    for (struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        if (w->state != WR_WRITER_PARKED || w->try_again_ms > now_ms) {
            continue;
        }
        recall(e, w); /* what came since and was not looked at stays behind what is held */
        w->state = WR_WRITER_OPEN;
        struct wr_commit *c = w->held_first;
        w->held_first = NULL;
        w->held_last = NULL;
        while (c != NULL) {
            struct wr_commit *next = c->next;
            wr_commit_push_locked(e, c);
            c = next;
        }
    }
}

int64_t wr_writer_unpark_ms(const struct wr_embedded *e)
{
    int64_t due = INT64_MAX;
    for (const struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        if (w->state == WR_WRITER_PARKED && w->try_again_ms < due) {
            due = w->try_again_ms;
        }
    }
    return due;
}

void wr_writer_wake_all(struct wr_embedded *e)
{
    for (struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        wake(w);
    }
}

/* ---- opening and closing ---- */

static void free_list(struct wr_commit *c)
{
    while (c != NULL) {
        struct wr_commit *next = c->next;
        wr_commit_free(c);
        c = next;
    }
}

static void forget_marked(struct wr_embedded_writer *w)
{
    for (size_t i = 0; i < w->marked_count; i++) {
        wr_topic_state_unref(w->marked[i].topic);
    }
    w->marked_count = 0;
}

void wr_writer_free(struct wr_embedded_writer *w)
{
    forget_marked(w);
    free_list(w->answered_first);
    free_list(w->held_first);
    free_list(w->spare);
    wr_commit_free(w->filling);
    wr_commit_free(w->polled);
    wr_wake_close(&w->wake);
    wr_free(w->marked);
    wr_free(w->id);
    wr_free(w);
}

static struct wr_embedded_writer *writer_new(struct wr_embedded *e, const char *id,
                                             struct weir_error *err)
{
    struct wr_embedded_writer *w = wr_alloc_array(1, sizeof(*w));
    if (w == NULL) {
        wr_fail(err, WEIR_E_NOMEM, "a writer");
        return NULL;
    }
    w->e = e;
    w->wake.fd = -1;
    w->producer_id = -1;
    w->writer.log = &e->log;
    w->writer.commit_max_bytes = e->options.commit_bytes_max;
    w->filling = wr_commit_new(w);
    w->id = id == NULL ? NULL : wr_strdup(wr_str_of(id));
    if (w->filling == NULL || (id != NULL && w->id == NULL)) {
        wr_fail(err, WEIR_E_NOMEM, "a writer");
        wr_writer_free(w);
        return NULL;
    }
    if (wr_wake_open(&w->wake, err) < 0) {
        wr_writer_free(w);
        return NULL;
    }
    return w;
}

/* Fence the writer that has this id now. L. True when there is one, or one that was closed and has
 * commits under way. `producer_id`: of the transaction that it may have left open. */
static bool fence(struct wr_embedded *e, const char *id, int64_t *producer_id)
{
    bool is_found = false;
    *producer_id = -1;
    for (struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        if (w->id == NULL || strcmp(w->id, id) != 0) {
            continue;
        }
        is_found = true;
        if (w->is_closed || w->state == WR_WRITER_FENCED) {
            continue;
        }
        struct wr_commit *held = w->held_first;
        w->state = WR_WRITER_FENCED;
        w->held_first = NULL;
        w->held_last = NULL;
        w->has_stall = false;
        while (held != NULL) {
            struct wr_commit *next = held->next;
            (void)wr_writer_divert(e, held);
            held = next;
        }
        *producer_id = w->shared_producer_id;
    }
    return is_found;
}

/* Abort what a producer left open, behind all that was handed over before. */
static int abort_producer(struct wr_embedded *e, int64_t producer_id, struct weir_error *err)
{
    struct wr_commit *c = wr_commit_new(NULL);
    if (c == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "abort a transaction");
    }
    c->is_abort = true;
    c->abort_producer = producer_id;
    return wr_commit_run(e, c, err);
}

int wr_embedded_writer_open(struct wr_log *log, const struct wr_log_writer_options *options,
                            struct wr_log_writer **out, struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct wr_embedded_writer *w = writer_new(e, options->id, err);
    if (w == NULL) {
        return err->code;
    }
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    int64_t producer_id = -1;
    bool has_former = rc == 0 && options->id != NULL && fence(e, options->id, &producer_id);
    pthread_mutex_unlock(&e->lock);
    if (has_former) { /* behind all that it handed over, so that what is read back now is its last word */
        rc = abort_producer(e, producer_id, err);
    }
    if (rc < 0) {
        wr_writer_free(w);
        return wr_wrap(err, "open writer '%s'", options->id == NULL ? "" : options->id);
    }
    pthread_mutex_lock(&e->lock);
    w->next = e->writers;
    e->writers = w;
    pthread_mutex_unlock(&e->lock);
    *out = &w->writer;
    return 0;
}

static void unlink_writer(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    struct wr_embedded_writer **at = &e->writers;
    while (*at != w) {
        at = &(*at)->next;
    }
    *at = w->next;
}

void wr_embedded_writer_close(struct wr_log_writer *writer)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    pthread_mutex_lock(&e->lock);
    w->is_closed = true;
    for (struct wr_commit *c = w->answered_first; c != NULL; c = c->next) {
        w->in_flight--;
    }
    for (struct wr_commit *c = w->held_first; c != NULL; c = c->next) {
        w->in_flight--;
    }
    if (w->marked_count > 0 && !e->has_failed && w->state != WR_WRITER_FENCED) {
        abort_detached(e, w->producer_id);
    }
    bool is_last = w->in_flight == 0;
    if (is_last) {
        unlink_writer(e, w);
    }
    pthread_mutex_unlock(&e->lock);
    if (is_last) {
        wr_writer_free(w);
    }
}

void wr_writer_bury(struct wr_embedded *e)
{
    pthread_mutex_lock(&e->lock);
    struct wr_commit *c = e->graveyard;
    e->graveyard = NULL;
    struct wr_embedded_writer *gone = NULL;
    struct wr_embedded_writer **at = &e->writers;
    while (c != NULL && *at != NULL) {
        struct wr_embedded_writer *w = *at;
        if (w->is_closed && w->in_flight == 0) {
            *at = w->next;
            w->next = gone;
            gone = w;
        } else {
            at = &w->next;
        }
    }
    pthread_mutex_unlock(&e->lock);
    free_list(c);
    while (gone != NULL) {
        struct wr_embedded_writer *next = gone->next;
        wr_writer_free(gone);
        gone = next;
    }
}

/* ---- filling ---- */

static size_t payload_bytes(const struct wr_record *record)
{
    size_t bytes = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    }
    return bytes;
}

/* May the topic have such a record? */
static int check_record(const struct wr_topic_state *topic, uint32_t partition,
                        const struct wr_record *record, struct weir_error *err)
{
    const struct wr_partition *p = &topic->partitions[partition];
    bool needs_key =
        (topic->config.cleanup & WR_CLEANUP_COMPACT) != 0 || topic->config.index == WR_INDEX_KEY;
    if (wr_topic_is_deleted(topic)) {
        return wr_topic_gone(topic, err);
    }
    if (needs_key && record->key.ptr == NULL) {
        return wr_fail(err, WEIR_E_INPUT,
                       "topic '%s' is %s: a record without a key cannot be in it",
                       topic->topic.name,
                       topic->config.index == WR_INDEX_KEY ? "indexed by key" : "compacted");
    }
    if (__atomic_load_n(&p->is_quarantined, __ATOMIC_RELAXED)) {
        return wr_fail(
            err, WEIR_E_DAMAGED,
            "'%s' partition %u is damaged and takes no more records; see: weir log verify",
            topic->topic.name, partition);
    }
    return 0;
}

/* Small records take more than what is in them, so both are bounded. */
static int check_size(const struct wr_embedded_writer *w, size_t payload, size_t encoded,
                      struct weir_error *err)
{
    const struct wr_commit *c = w->filling;
    size_t max = w->writer.commit_max_bytes;
    if (payload > max) {
        return wr_fail(err, WEIR_E_LIMIT,
                       "the record has %zu bytes, and %zu are possible in one commit", payload,
                       max);
    }
    if (payload > max - c->payload_bytes || encoded > max + OVERHEAD_MAX - c->bytes ||
        c->part_count > w->e->commit_parts_max) {
        return wr_fail(
            err, WEIR_E_LIMIT,
            "the commit is full, commit first: it has %zu bytes of %zu, in %zu partitions "
            "of %zu",
            c->payload_bytes, max, c->part_count, w->e->commit_parts_max);
    }
    return 0;
}

static uint32_t choose_partition(struct wr_embedded_writer *w, const struct wr_log_topic *topic,
                                 uint32_t partition, const struct wr_record *record)
{
    if (partition != WR_PARTITION_BY_KEY) {
        return partition;
    }
    if (record->key.ptr != NULL) {
        return wr_partition_of_key(record->key, topic->partition_count);
    }
    return w->round_robin++ % topic->partition_count;
}

static struct wr_marked *find_marked(struct wr_embedded_writer *w, struct wr_topic_state *topic,
                                     uint32_t partition)
{
    for (size_t i = w->marked_count; i-- > 0;) {
        if (w->marked[i].topic == topic && w->marked[i].partition == partition) {
            return &w->marked[i];
        }
    }
    return NULL;
}

static enum wr_codec codec_of(const struct wr_topic_config *config)
{
    switch ((enum wr_topic_compression)config->compression) {
    case WR_COMPRESS_GZIP: return WR_CODEC_GZIP;
    case WR_COMPRESS_SNAPPY: return WR_CODEC_SNAPPY;
    case WR_COMPRESS_LZ4: return WR_CODEC_LZ4;
    case WR_COMPRESS_ZSTD: return WR_CODEC_ZSTD;
    case WR_COMPRESS_AS_PRODUCED:
    case WR_COMPRESS_NONE: break;
    }
    return WR_CODEC_NONE;
}

/* The offset, epoch and append time are the round's to give. */
static struct wr_batch_stamp stamp_of(struct wr_embedded_writer *w, struct wr_commit_part *part,
                                      bool is_marked)
{
    struct wr_batch_stamp stamp = wr_batch_stamp_plain();
    stamp.codec = codec_of(&part->topic->config);
    if (is_marked) {
        const struct wr_marked *m = find_marked(w, part->topic, part->partition->number);
        uint32_t before = m == NULL ? 0 : m->sequence;
        stamp.is_transactional = true;
        stamp.producer_id = w->producer_id;
        stamp.producer_epoch = 0;
        stamp.base_sequence = (int32_t)((before + part->sequence_count) & INT32_MAX);
    }
    return stamp;
}

static int close_batch(struct wr_embedded_writer *w, struct wr_commit_part *part, bool is_marked,
                       struct weir_error *err)
{
    size_t before = part->batches.len;
    size_t open = wr_batch_builder_size(&part->builder);
    struct wr_batch_stamp stamp = stamp_of(w, part, is_marked);
    int rc = wr_commit_close_batch(part, &stamp, err);
    if (rc == 0) {
        size_t closed = part->batches.len - before;
        w->filling->bytes += closed;
        w->filling->bytes -= open;
        part->bytes = part->batches.len;
    }
    return rc;
}

/* The part to append to, with the batch in it closed when the record would make it too large. */
static int open_part(struct wr_embedded_writer *w, struct wr_topic_state *topic, uint32_t partition,
                     size_t record_bytes, struct wr_commit_part **out, struct weir_error *err)
{
    size_t batch_max = w->writer.commit_max_bytes + OVERHEAD_MAX + BATCH_BYTES;
    struct wr_commit_part *part = wr_commit_part(w->filling, topic, partition, batch_max);
    if (part == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a record of %zu bytes", record_bytes);
    }
    *out = part;
    if (part->builder.record_count > 0 &&
        wr_batch_builder_size(&part->builder) + record_bytes > BATCH_BYTES) {
        return close_batch(w, part, w->writer.is_marked, err);
    }
    return 0;
}

int wr_embedded_append(struct wr_log_writer *writer, struct wr_log_topic *handle,
                       uint32_t partition, const struct wr_record *record, struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_topic_state *topic = wr_topic_state_of(handle);
    partition = choose_partition(w, handle, partition, record);
    size_t payload = payload_bytes(record);
    size_t bytes = payload + RECORD_OVERHEAD + record->header_count * HEADER_OVERHEAD;
    int rc = check_record(topic, partition, record, err);
    rc = rc == 0 ? check_size(w, payload, bytes, err) : rc;
    struct wr_commit_part *part = NULL;
    size_t count_before = w->filling->part_count;
    rc = rc == 0 ? open_part(w, topic, partition, bytes, &part, err) : rc;
    if (rc < 0) {
        return rc;
    }
    size_t before = part->builder.record_count == 0 ? 0 : wr_batch_builder_size(&part->builder);
    int64_t time_ms = record->timestamp_ms;
    if (time_ms < 0) {
        time_ms = wr_wall_ms(w->e->clock);
    }
    rc = wr_batch_append(&part->builder, record, time_ms, err);
    if (rc < 0) {
        WR_ASSERT(part->record_count > 0 || w->filling->part_count == count_before + 1);
        return rc; /* a part without records stays behind and is passed over */
    }
    size_t added = wr_batch_builder_size(&part->builder) - before;
    part->bytes += added;
    part->record_count++;
    w->filling->bytes += added;
    w->filling->payload_bytes += payload;
    w->filling->record_count++;
    return 0;
}

size_t wr_embedded_writer_pending(const struct wr_log_writer *writer, size_t *bytes)
{
    const struct wr_embedded_writer *w = writer_of_const(writer);
    *bytes = w->filling->payload_bytes;
    return w->filling->record_count;
}

void wr_embedded_writer_drop(struct wr_log_writer *writer)
{
    wr_commit_reset(writer_of(writer)->filling);
}

/* ---- handing over ---- */

/* Remember where the marked transaction has records. */
static int note_marked(struct wr_embedded_writer *w, const struct wr_commit *c,
                       struct weir_error *err)
{
    if (!wr_grow(&w->marked, &w->marked_cap, w->marked_count + c->part_count, sizeof(w->marked[0]),
                 MARKED_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a transaction over %zu partitions",
                       w->marked_count + c->part_count);
    }
    for (size_t i = 0; i < c->part_count; i++) {
        struct wr_commit_part *part = &c->parts[i];
        struct wr_marked *m = find_marked(w, part->topic, part->partition->number);
        if (m == NULL) {
            m = &w->marked[w->marked_count];
            *m = (struct wr_marked){part->topic, part->partition->number, 0};
            wr_topic_state_ref(part->topic);
            w->marked_count++;
        }
        m->sequence += part->record_count;
    }
    return 0;
}

/* Parts that got no record, because a first append failed, are no parts. */
static void drop_empty_parts(struct wr_commit *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->part_count; i++) {
        struct wr_commit_part part = c->parts[i];
        if (part.record_count > 0 || part.has_marker) {
            c->parts[i] = c->parts[kept];
            c->parts[kept] = part;
            kept++;
        }
    }
    for (size_t i = kept; i < c->part_count; i++) {
        wr_topic_state_unref(c->parts[i].topic);
        c->parts[i].topic = NULL;
    }
    c->part_count = kept;
}

/* Make the bytes of each part: one batch where it stands, several in a row. */
static int seal(struct wr_embedded_writer *w, struct wr_commit *c, bool is_marked,
                struct weir_error *err)
{
    drop_empty_parts(c);
    for (size_t i = 0; i < c->part_count; i++) {
        struct wr_commit_part *part = &c->parts[i];
        if (part->batches.len > 0 && part->builder.record_count > 0) {
            int rc = close_batch(w, part, is_marked, err);
            if (rc < 0) {
                return rc;
            }
        }
        part->data = part->batches.base;
        part->len = part->batches.len;
        if (part->len == 0) {
            struct wr_batch_stamp stamp = stamp_of(w, part, is_marked);
            struct wr_bytes batch;
            int rc = wr_batch_build(&part->builder, &stamp, &batch, err);
            if (rc < 0) {
                return rc;
            }
            part->data = wr_batch_builder_bytes(&part->builder);
            part->len = batch.len;
        }
    }
    return 0;
}

static struct wr_commit *take_spare(struct wr_embedded_writer *w)
{
    struct wr_commit *c = w->spare;
    if (c == NULL) {
        return wr_commit_new(w);
    }
    w->spare = c->next;
    c->next = NULL;
    return c;
}

static void give_spare(struct wr_embedded_writer *w, struct wr_commit *c)
{
    size_t count = 0;
    for (struct wr_commit *s = w->spare; s != NULL; s = s->next) {
        count++;
    }
    if (c == NULL || count >= SPARE_MAX) {
        wr_commit_free(c);
        return;
    }
    wr_commit_reset(c);
    c->next = w->spare;
    w->spare = c;
}

/* May another be handed over now? */
static int check_open(struct wr_embedded_writer *w, struct weir_error *err)
{
    struct wr_embedded *e = w->e;
    int rc = 0;
    pthread_mutex_lock(&e->lock);
    if (e->has_failed) {
        rc = wr_embedded_failure(e, err);
    } else if (w->state == WR_WRITER_FENCED) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    } else if (w->in_flight >= e->options.commits_in_flight_max) {
        rc = wr_fail(err, WEIR_E_AGAIN, "%u commits are under way, poll first", w->in_flight);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* Number it and put it into the queue; the next is filled in `next`. */
static void hand_over(struct wr_embedded_writer *w, struct wr_commit *next, uint64_t *out)
{
    struct wr_embedded *e = w->e;
    struct wr_commit *c = w->filling;
    w->filling = next;
    w->number++;
    c->number = w->number;
    *out = c->number;
    pthread_mutex_lock(&e->lock);
    w->in_flight++;
    w->shared_producer_id = w->producer_id;
    wr_commit_push_locked(e, c);
    pthread_mutex_unlock(&e->lock);
}

int wr_embedded_writer_commit(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                              struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    int rc = check_open(w, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_commit *next = take_spare(w);
    if (next == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a commit");
    }
    rc = seal(w, w->filling, writer->is_marked, err);
    rc = rc == 0 && writer->is_marked ? note_marked(w, w->filling, err) : rc;
    if (rc < 0) {
        give_spare(w, next);
        return rc;
    }
    w->filling->flags = flags;
    hand_over(w, next, out);
    return 0;
}

int wr_embedded_writer_retry(struct wr_log_writer *writer, struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    if (rc == 0 && w->state == WR_WRITER_FENCED) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    }
    if (rc == 0) {
        WR_ASSERT(w->state == WR_WRITER_STALLED);
        int64_t now_ms = wr_mono_ms(e->clock);
        w->state = WR_WRITER_PARKED;
        w->give_up_ms = now_ms + GIVE_UP_MS;
        w->try_again_ms = now_ms;
        wr_writer_unpark(e, now_ms);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* ---- marked transactions ---- */

int wr_embedded_writer_mark(struct wr_log_writer *writer, struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    if (rc == 0 && w->state == WR_WRITER_FENCED) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    }
    if (rc == 0) {
        /* A new id for each: what a crash leaves of one can never be taken for the next. */
        w->producer_id = e->producer_next;
        e->producer_next++;
    }
    pthread_mutex_unlock(&e->lock);
    forget_marked(w);
    return rc;
}

/* A marker in front of what is pending in each partition of the transaction. */
static int add_commit_markers(struct wr_embedded_writer *w, struct wr_commit *c,
                              struct weir_error *err)
{
    for (size_t i = 0; i < w->marked_count; i++) {
        struct wr_marked *m = &w->marked[i];
        size_t batch_max = w->writer.commit_max_bytes + OVERHEAD_MAX + BATCH_BYTES;
        struct wr_commit_part *part = wr_commit_part(c, m->topic, m->partition, batch_max);
        if (part == NULL) {
            return wr_fail(err, WEIR_E_NOMEM, "the end of a transaction");
        }
        if (part->has_marker) { /* of an end that failed for want of memory */
            continue;
        }
        struct wr_marker marker = {
            .type = WR_MARKER_COMMIT,
            .leader_epoch = -1,
            .producer_id = w->producer_id,
            .timestamp_ms = wr_wall_ms(w->e->clock),
        };
        struct wr_writer all = wr_writer_growing(INT32_MAX);
        wr_marker_put(&all, &marker);
        if (part->len > 0) {
            wr_put_bytes(&all, (struct wr_bytes){part->data, part->len});
        }
        int rc = wr_writer_end(&all, err);
        if (rc < 0) {
            wr_writer_fini(&all);
            return rc;
        }
        wr_writer_fini(&part->batches);
        part->batches = all;
        part->data = all.base;
        part->len = all.len;
        part->has_marker = true;
    }
    return 0;
}

/* Records pending go plain, behind the markers. */
static int seal_end(struct wr_embedded_writer *w, struct weir_error *err)
{
    int rc = seal(w, w->filling, false, err);
    return rc < 0 ? rc : add_commit_markers(w, w->filling, err);
}

int wr_embedded_writer_end(struct wr_log_writer *writer, bool keep, uint64_t *out,
                           struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    int rc = check_open(w, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_commit *next = take_spare(w);
    if (next == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a commit");
    }
    rc = keep ? seal_end(w, err) : 0;
    if (rc < 0) {
        give_spare(w, next);
        return rc;
    }
    w->filling->is_end = true;
    w->filling->is_abort = !keep;
    w->filling->abort_producer = w->producer_id;
    hand_over(w, next, out);
    forget_marked(w);
    return 0;
}

/* ---- answers ---- */

/* L. */
static int take_answer(struct wr_embedded_writer *w, struct wr_log_answer *out,
                       struct wr_commit **taken)
{
    struct wr_commit *c = w->answered_first;
    if (c != NULL) {
        w->answered_first = c->next;
        w->answered_last = c->next == NULL ? NULL : w->answered_last;
        w->in_flight--;
        *taken = c;
        out->commit = c->number;
        out->outcome = c->outcome;
        if (c->outcome != WR_COMMIT_DONE) {
            out->err = c->err;
        }
        if (c->outcome == WR_COMMIT_REWIND) {
            w->state = WR_WRITER_OPEN;
        }
        out->written = c->written;
        out->written_count = c->written_count;
        return 1;
    }
    if (w->has_stall) {
        w->has_stall = false;
        *out = (struct wr_log_answer){.commit = w->stall_number, .outcome = WR_COMMIT_AGAIN};
        out->err = w->stall;
        return 1;
    }
    return 0;
}

/* What is pending goes too, and the marked transaction is aborted. */
static void rewind_all(struct wr_embedded_writer *w)
{
    wr_commit_reset(w->filling);
    if (w->marked_count > 0) {
        pthread_mutex_lock(&w->e->lock);
        abort_detached(w->e, w->producer_id);
        pthread_mutex_unlock(&w->e->lock);
    }
    forget_marked(w);
}

int wr_embedded_writer_poll(struct wr_log_writer *writer, struct wr_log_answer *out,
                            struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    struct wr_commit *taken = NULL;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : take_answer(w, out, &taken);
    if (rc >= 0 && w->answered_first == NULL && !w->has_stall && w->is_signalled) {
        w->is_signalled = false;
        (void)wr_wake_clear(&w->wake);
    }
    pthread_mutex_unlock(&e->lock);
    if (taken != NULL) {
        give_spare(w, w->polled);
        w->polled = taken;
    }
    if (taken != NULL && taken->outcome == WR_COMMIT_REWIND) {
        rewind_all(w);
    }
    return rc;
}

int wr_embedded_writer_fd(const struct wr_log_writer *writer)
{
    return writer_of_const(writer)->wake.fd;
}
