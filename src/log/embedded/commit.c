/* commit.c - commits as containers: parts, batches, the queue. What a commit does is in round.c. */
#include "log/embedded/commit.h"

#include "log/embedded/round.h"
#include "log/embedded/topics.h"

enum {
    PARTS_MAX = 1 << 20,
    KEPT_BYTES_MAX = 1024 * 1024, /* of a buffer that is kept for the next use */
    NOTES_MAX = 1 << 24
};

struct wr_commit *wr_commit_new(struct wr_embedded_writer *writer)
{
    struct wr_commit *c = wr_alloc_array(1, sizeof(*c));
    if (c != NULL) {
        c->writer = writer;
        c->abort_producer = -1;
    }
    return c;
}

static void reset_part(struct wr_commit_part *part)
{
    if (part->topic != NULL) {
        wr_topic_state_unref(part->topic);
    }
    if (part->builder.plain.cap + part->builder.packed.cap > KEPT_BYTES_MAX) {
        wr_batch_builder_fini(&part->builder);
        part->builder = (struct wr_batch_builder){0};
    } else if (part->builder.plain.cap > 0) {
        wr_batch_builder_reset(&part->builder);
    }
    if (part->batches.cap > KEPT_BYTES_MAX) {
        wr_writer_fini(&part->batches);
    }
    wr_writer_reset(&part->batches);
    struct wr_commit_part kept = {
        .builder = part->builder,
        .batches = part->batches,
        .notes = part->notes,
        .note_cap = part->note_cap,
    };
    *part = kept;
}

void wr_commit_drop_parts(struct wr_commit *c)
{
    for (size_t i = 0; i < c->part_count; i++) {
        reset_part(&c->parts[i]);
    }
    c->part_count = 0;
    if (c->slot_count > 0) {
        memset(c->slots, 0, c->slot_count * sizeof(c->slots[0]));
    }
}

void wr_commit_reset(struct wr_commit *c)
{
    wr_commit_drop_parts(c);
    struct wr_commit kept = {
        .writer = c->writer,
        .parts = c->parts,
        .part_cap = c->part_cap,
        .abort_producer = -1,
        .slots = c->slots,
        .slot_count = c->slot_count,
        .written = c->written,
        .written_cap = c->written_cap,
    };
    *c = kept;
}

void wr_commit_free(struct wr_commit *c)
{
    if (c == NULL) {
        return;
    }
    wr_commit_reset(c);
    for (size_t i = 0; i < c->part_cap; i++) {
        wr_batch_builder_fini(&c->parts[i].builder);
        wr_writer_fini(&c->parts[i].batches);
        wr_free(c->parts[i].notes);
    }
    wr_free(c->parts);
    wr_free(c->slots);
    wr_free(c->written);
    wr_free(c);
}

void wr_commit_free_list(struct wr_commit *c)
{
    while (c != NULL) {
        struct wr_commit *next = c->next;
        wr_commit_free(c);
        c = next;
    }
}

/* ---- parts ---- */

static size_t slot_of(const struct wr_commit *c, const struct wr_partition *p)
{
    uint64_t x =
        (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15ULL; /* golden ratio: spreads pointers */
    return (size_t)(x >> 32) & (c->slot_count - 1);
}

/* Linear probing over a table at most half full; a slot holds index + 1. */
static void put_slot(struct wr_commit *c, uint32_t index)
{
    size_t i = slot_of(c, c->parts[index].partition);
    while (c->slots[i] != 0) {
        i = (i + 1) & (c->slot_count - 1);
    }
    c->slots[i] = index + 1;
}

static bool grow_slots(struct wr_commit *c)
{
    if (c->slot_count >= 2 * (c->part_count + 1)) {
        return true;
    }
    size_t count = c->slot_count == 0 ? 16 : c->slot_count * 2;
    uint32_t *slots = wr_alloc_array(count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    wr_free(c->slots);
    c->slots = slots;
    c->slot_count = count;
    for (uint32_t i = 0; i < c->part_count; i++) {
        if (c->parts[i].partition != NULL) {
            put_slot(c, i);
        }
    }
    return true;
}

static struct wr_commit_part *add_part(struct wr_commit *c, struct wr_topic_state *topic)
{
    if (!wr_grow(&c->parts, &c->part_cap, c->part_count + 1, sizeof(c->parts[0]), PARTS_MAX)) {
        return NULL;
    }
    struct wr_commit_part *part = &c->parts[c->part_count];
    part->topic = topic;
    wr_topic_state_ref(topic);
    c->part_count++;
    return part;
}

struct wr_commit_part *wr_commit_part(struct wr_commit *c, struct wr_topic_state *topic,
                                      uint32_t partition, size_t batch_bytes_max)
{
    struct wr_partition *p = &topic->partitions[partition];
    if (c->part_count > 0 && c->parts[c->part_count - 1].partition == p) {
        return &c->parts[c->part_count - 1];
    }
    for (size_t i = c->slot_count == 0 ? 0 : slot_of(c, p); c->slot_count > 0 && c->slots[i] != 0;
         i = (i + 1) & (c->slot_count - 1)) {
        if (c->parts[c->slots[i] - 1].partition == p) {
            return &c->parts[c->slots[i] - 1];
        }
    }
    if (!grow_slots(c)) {
        return NULL;
    }
    struct wr_commit_part *part = add_part(c, topic);
    if (part == NULL) {
        return NULL;
    }
    part->kind = WR_PART_BATCHES;
    part->partition = p;
    if (part->builder.plain.max < batch_bytes_max) { /* none yet, or one for markers alone */
        wr_batch_builder_fini(&part->builder);
        part->builder = wr_batch_builder_of(batch_bytes_max);
    }
    if (part->batches.max == 0) {
        part->batches = wr_writer_growing(INT32_MAX);
    }
    put_slot(c, (uint32_t)(c->part_count - 1));
    return part;
}

struct wr_commit_part *wr_commit_other(struct wr_commit *c, enum wr_journal_kind kind,
                                       struct wr_topic_state *topic, uint32_t partition)
{
    struct wr_commit_part *part = add_part(c, topic);
    if (part != NULL) {
        bool is_of_topic = kind == WR_PART_TOPIC || kind == WR_PART_DELETE;
        part->kind = kind;
        part->partition = is_of_topic ? NULL : &topic->partitions[partition];
        if (part->batches.max == 0) {
            part->batches = wr_writer_growing(INT32_MAX);
        }
    }
    return part;
}

int wr_commit_close_batch(struct wr_commit_part *part, const struct wr_batch_stamp *stamp,
                          struct weir_error *err)
{
    struct wr_bytes batch;
    uint32_t count = part->builder.record_count;
    int rc = wr_batch_build(&part->builder, stamp, &batch, err);
    if (rc < 0) {
        return rc;
    }
    wr_put_bytes(&part->batches, batch);
    rc = wr_writer_end(&part->batches, err);
    if (rc < 0) {
        part->batches.spoiled = 0;
        return rc;
    }
    part->sequence_count += count;
    wr_batch_builder_reset(&part->builder);
    return 0;
}

/* ---- the queue ---- */

void wr_commit_push(struct wr_embedded *e, struct wr_commit *c)
{
    pthread_mutex_lock(&e->lock);
    bool must_wake = wr_commit_enqueue(e, c);
    pthread_mutex_unlock(&e->lock);
    if (must_wake) {
        pthread_cond_signal(&e->work);
    }
}

void wr_commit_push_locked(struct wr_embedded *e, struct wr_commit *c)
{
    if (wr_commit_enqueue(e, c)) {
        pthread_cond_signal(&e->work);
    }
}

bool wr_commit_enqueue(struct wr_embedded *e, struct wr_commit *c)
{
    c->next = NULL;
    if (e->queue_last == NULL) {
        e->queue_first = c;
    } else {
        e->queue_last->next = c;
    }
    e->queue_last = c;
    bool must_wake = e->is_commit_idle;
    e->is_commit_idle = false;
    return must_wake;
}

int wr_commit_run(struct wr_embedded *e, struct wr_commit *c, struct weir_error *err)
{
    wr_commit_push(e, c);
    pthread_mutex_lock(&e->lock);
    while (!c->is_done && !e->has_failed) {
        if (e->has_threads) {
            pthread_cond_wait(&e->done, &e->lock);
            continue;
        }
        pthread_mutex_unlock(&e->lock);
        struct weir_error step_err;
        int rc = wr_round_step(e, &step_err);
        pthread_mutex_lock(&e->lock);
        WR_ASSERT(rc != 0 || c->is_done); /* what waits is taken, unless the log has failed */
    }
    if (!c->is_done) { /* it stands in the queue or in a round that is over; freed with the engine */
        *err = e->failure;
        pthread_mutex_unlock(&e->lock);
        return WEIR_E_IO;
    }
    pthread_mutex_unlock(&e->lock);
    int rc = c->outcome == WR_COMMIT_DONE ? 0 : c->err.code;
    if (rc < 0) {
        *err = c->err;
    }
    wr_commit_free(c);
    return rc;
}
