/* admit.c - gives commits their offsets and places, or refuses them before anything could fail. */
#include "log/embedded/admit.h"

#include "data/crc.h"
#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/rewrite.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    LIST_MAX = 1 << 24,
    INLINE_BYTES_MAX = 1024 /* parts up to this stay in the journal however large the commit is */
};

static bool has_batches(const struct wr_commit_part *part)
{
    return part->kind == WR_PART_BATCHES || part->kind == WR_PART_PLACED;
}

/* Lists of pointers. */
#define ROOM_FOR(round, list, n)                                                               \
    wr_grow(&(round)->list, &(round)->list##_cap, (round)->list##_count + (n), sizeof(void *), \
            LIST_MAX)

/* ---- aborts ---- */

static int add_marker(struct wr_round *round, struct wr_commit *c, struct wr_partition *p,
                      const struct wr_open_transaction *open, struct weir_error *err)
{
    struct wr_commit_part *part = wr_commit_part(c, p->topic, p->number, WR_BATCH_MARKER_BYTES);
    struct wr_marker marker = {
        .type = WR_MARKER_ABORT,
        .leader_epoch = -1,
        .producer_id = open->producer_id,
        .producer_epoch = open->producer_epoch,
        .timestamp_ms = wr_wall_ms(round->e->clock),
    };
    if (part != NULL) {
        wr_marker_put(&part->batches, &marker);
    }
    if (part == NULL || part->batches.spoiled != 0) {
        return wr_fail(err, WEIR_E_NOMEM, "the end of a transaction");
    }
    part->data = part->batches.base;
    part->len = part->batches.len;
    return 0;
}

static int add_markers_of(struct wr_round *round, struct wr_commit *c, struct wr_partition *p,
                          struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < p->transaction_count && rc == 0; i++) {
        int64_t id = p->transactions[i].producer_id;
        bool is_meant = c->is_abort_all ? id < c->abort_producer : id == c->abort_producer;
        if (is_meant && !p->is_quarantined) {
            rc = add_marker(round, c, p, &p->transactions[i], err);
        }
    }
    return rc;
}

int wr_admit_markers(struct wr_round *round, struct wr_commit *c, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    wr_commit_drop_parts(c); /* of an attempt before, for which there was no room */
    int rc = 0;
    /* Topics come and go under S and L, so S alone keeps the list still; and wr_commit_part() takes
     * references, which needs no lock. */
    for (size_t t = 0; t < e->topic_count && rc == 0; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count && rc == 0; i++) {
            rc = add_markers_of(round, c, &e->topics[t]->partitions[i], err);
        }
    }
    return rc;
}

/* ---- how large the entry is ---- */

static size_t entry_bytes(const struct wr_commit *c, size_t placed_min)
{
    size_t bytes = WR_JOURNAL_HEAD_BYTES + c->part_count * (size_t)WR_JOURNAL_PART_BYTES + 8;
    for (size_t i = 0; i < c->part_count; i++) {
        bool is_placed = has_batches(&c->parts[i]) && c->parts[i].len >= placed_min;
        bytes += is_placed ? 0 : c->parts[i].len;
    }
    return bytes;
}

size_t wr_admit_bytes(struct wr_round *round, struct wr_commit *c)
{
    size_t placed_min = round->e->options.placed_bytes_min;
    size_t bytes = entry_bytes(c, placed_min);
    if (bytes > wr_journal_round_max(&round->e->journal)) {
        placed_min = INLINE_BYTES_MAX + 1;
        bytes = entry_bytes(c, placed_min);
    }
    for (size_t i = 0; i < c->part_count; i++) {
        struct wr_commit_part *part = &c->parts[i];
        if (has_batches(part)) {
            part->kind = part->len >= placed_min ? WR_PART_PLACED : WR_PART_BATCHES;
        }
    }
    return bytes;
}

/* ---- is it possible? ---- */

static int check_parts(const struct wr_commit *c, struct weir_error *err)
{
    for (size_t i = 0; i < c->part_count; i++) {
        const struct wr_commit_part *part = &c->parts[i];
        if (part->kind == WR_PART_TOPIC) {
            continue;
        }
        if (wr_topic_is_deleted(part->topic)) {
            return wr_topic_gone(part->topic, err);
        }
        if (has_batches(part) &&
            __atomic_load_n(&part->partition->is_quarantined, __ATOMIC_RELAXED)) {
            return wr_fail(
                err, WEIR_E_DAMAGED,
                "'%s' partition %u is damaged and takes no more records; see: weir log verify",
                part->topic->topic.name, part->partition->number);
        }
    }
    return 0;
}

/* Keep the segment's file open until the round is over. */
static int pin(struct wr_round *round, struct wr_segment *seg, struct weir_error *err)
{
    if (seg->pinned_round == round->number) {
        return 0;
    }
    if (!ROOM_FOR(round, pinned, 1)) {
        return wr_fail(err, WEIR_E_NOMEM, "a round of %zu segments", round->pinned_count);
    }
    struct wr_file *file = NULL;
    int rc = wr_segment_pin(round->e, seg, &file, err);
    if (rc == 0) {
        seg->pinned_round = round->number;
        round->pinned[round->pinned_count] = seg;
        round->pinned_count++;
    }
    return rc;
}

/* The tail of the indexes, for a segment that is written to for the first time in this run. */
static int need_tail(struct wr_embedded *e, struct wr_segment *seg, bool is_new,
                     struct weir_error *err)
{
    if (seg->tail != NULL) {
        return 0;
    }
    struct wr_index_tail *tail = wr_alloc_array(1, sizeof(*tail));
    if (tail == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "an index");
    }
    tail->is_adopted = is_new;
    tail->timestamp_ms = -1;
    tail->bytes = is_new ? 0 : UINT64_MAX / 2; /* not known: the next batch gets an entry */
    pthread_mutex_lock(&e->lock);
    seg->tail = tail;
    pthread_mutex_unlock(&e->lock);
    return 0;
}

/* A new segment at the next offset. */
static int roll(struct wr_round *round, struct wr_partition *p, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    struct wr_segment *old = p->write_segment;
    struct wr_segment_info info = {
        .base = p->next_offset,
        .next = p->next_offset,
        .first_timestamp_ms = -1,
        .max_timestamp_ms = -1,
    };
    if (!ROOM_FOR(round, rolled, 1)) {
        return wr_fail(err, WEIR_E_NOMEM, "a new segment");
    }
    struct wr_segment *seg = wr_segment_new(p, &info);
    if (seg == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a new segment");
    }
    int rc = need_tail(e, seg, true, err);
    pthread_mutex_lock(&e->lock);
    p->coming = seg; /* nobody may take its file for one that an unclean stop left */
    pthread_mutex_unlock(&e->lock);
    rc = rc == 0 ? wr_segment_create(e, seg, err) : rc;
    pthread_mutex_lock(&e->lock);
    rc = rc == 0 ? wr_segment_attach(seg, err) : rc;
    p->coming = NULL;
    if (rc < 0) {
        wr_free(seg->tail);
        wr_segment_drop(e, seg);
    } else {
        old->is_unsealed = true;
        p->list_version++;
    }
    pthread_mutex_unlock(&e->lock);
    if (rc == 0) {
        p->write_segment = seg;
        round->rolled[round->rolled_count] = old;
        round->rolled_count++;
    }
    return rc;
}

static bool must_roll(const struct wr_partition *p, const struct wr_commit_part *part,
                      int64_t records, int64_t max_timestamp_ms)
{
    const struct wr_segment *seg = p->write_segment;
    const struct wr_topic_config *config = &p->topic->config;
    if (seg->write_at == 0 || part->must_roll) {
        return seg->write_at > 0;
    }
    bool is_full = seg->write_at + part->len > (uint64_t)config->segment_bytes ||
                   p->next_offset + records - seg->info.base > INT32_MAX;
    bool is_old = seg->info.first_timestamp_ms >= 0 &&
                  max_timestamp_ms - seg->info.first_timestamp_ms > config->segment_ms;
    return is_full || is_old;
}

/* What the headers of the batches say together. */
static int read_notes(struct wr_commit_part *part, int64_t *records, int64_t *max_timestamp_ms,
                      struct weir_error *err)
{
    size_t at = 0;
    *records = 0;
    *max_timestamp_ms = -1;
    part->note_count = 0;
    while (at < part->len) {
        struct wr_batch_note note;
        int rc =
            wr_batch_note_of((struct wr_bytes){part->data + at, part->len - at}, at, &note, err);
        if (rc < 0) {
            return rc;
        }
        if (!wr_grow(&part->notes, &part->note_cap, part->note_count + 1, sizeof(note), LIST_MAX)) {
            return wr_fail(err, WEIR_E_NOMEM, "a commit of %zu batches", part->note_count);
        }
        part->notes[part->note_count] = note;
        part->note_count++;
        at += note.header.size_bytes;
        *records += (int64_t)note.header.last_offset_delta + 1;
        if (note.header.max_timestamp_ms > *max_timestamp_ms) {
            *max_timestamp_ms = note.header.max_timestamp_ms;
        }
    }
    return 0;
}

static int room_for_notes(struct wr_round *round, struct wr_commit_part *part,
                          struct weir_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&round->e->lock);
    for (size_t i = 0; i < part->note_count && rc == 0; i++) {
        bool is_plain = !part->notes[i].is_marker &&
                        (part->notes[i].header.attributes & WR_BATCH_TRANSACTIONAL) == 0;
        rc = is_plain ? 0
                      : wr_partition_room(part->partition, part->segment, &part->notes[i],
                                          round->note_count + i, err);
    }
    pthread_mutex_unlock(&round->e->lock);
    return rc;
}

/* Roll when it is time, and make sure that the bytes will fit and that nothing later can fail. */
static int prepare(struct wr_round *round, struct wr_commit_part *part, struct weir_error *err)
{
    struct wr_partition *p = part->partition;
    int64_t records = 0;
    int64_t max_timestamp_ms = -1;
    int rc = read_notes(part, &records, &max_timestamp_ms, err);
    bool is_rewritten = !part->must_roll && wr_rewrite_wants(p, part->len);
    if (rc == 0 && is_rewritten) {
        wr_rewrite_ask(round->e, p);
    } else if (rc == 0 && must_roll(p, part, records, max_timestamp_ms)) {
        rc = roll(round, p, err);
    }
    part->segment = p->write_segment;
    rc = rc == 0 ? need_tail(round->e, part->segment, false, err) : rc;
    rc = rc == 0 ? pin(round, part->segment, err) : rc;
    rc = rc == 0 ? wr_segment_reserve(round->e, part->segment, part->len, err) : rc;
    rc = rc == 0 ? room_for_notes(round, part, err) : rc;
    round->note_count += part->note_count;
    return rc < 0 ? wr_wrap(err, "'%s' partition %u", p->topic->topic.name, p->number) : 0;
}

/* Memory for what comes after, where nothing may fail. */
static int make_room(struct wr_round *round, struct wr_commit *c, struct weir_error *err)
{
    size_t n = c->part_count;
    bool is_good =
        wr_grow(&round->writes, &round->writes_cap, round->writes_count + n,
                sizeof(round->writes[0]), LIST_MAX) &&
        wr_grow(&round->placed, &round->placed_cap, round->placed_count + n,
                sizeof(round->placed[0]), LIST_MAX) &&
        ROOM_FOR(round, touched, n) && ROOM_FOR(round, gone, n) &&
        wr_grow(&round->parts, &round->parts_cap, n, sizeof(round->parts[0]), LIST_MAX) &&
        wr_grow(&c->written, &c->written_cap, n, sizeof(c->written[0]), LIST_MAX);
    if (!is_good) {
        return wr_fail(err, WEIR_E_NOMEM, "a commit of %zu parts", n);
    }
    return wr_journal_ready(&round->e->journal, n, err);
}

/* ---- giving places ---- */

static void patch(struct wr_round *round, struct wr_commit_part *part, struct wr_batch_note *note)
{
    struct wr_partition *p = part->partition;
    uint8_t *batch = part->data + note->position;
    note->header.base_offset = p->next_offset;
    note->header.leader_epoch = round->e->leader_epoch;
    wr_batch_patch_offset(batch, note->header.base_offset);
    wr_batch_patch_epoch(batch, note->header.leader_epoch);
    if (p->topic->config.timestamp_type == WR_LOG_APPEND_TIME && !note->is_marker) {
        int64_t now_ms = wr_wall_ms(round->e->clock);
        if (now_ms < p->next_max_timestamp_ms) { /* the clock was set back: times never go back */
            now_ms = p->next_max_timestamp_ms;
        }
        wr_batch_patch_append_time(batch, note->header.size_bytes, now_ms);
        note->header.max_timestamp_ms = now_ms;
    }
    if (note->header.max_timestamp_ms > p->next_max_timestamp_ms) {
        p->next_max_timestamp_ms = note->header.max_timestamp_ms;
    }
    p->next_offset = wr_batch_next_offset(&note->header);
}

static void place(struct wr_round *round, struct wr_commit_part *part)
{
    struct wr_partition *p = part->partition;
    struct wr_segment *seg = part->segment;
    part->base_offset = p->next_offset;
    part->position = (uint32_t)seg->write_at;
    for (size_t i = 0; i < part->note_count; i++) {
        patch(round, part, &part->notes[i]);
        part->notes[i].position += seg->write_at;
    }
    part->next_offset = p->next_offset;
    struct wr_round_write write = {seg, seg->write_at, part->data, part->len};
    seg->write_at += part->len;
    seg->next_offset = p->next_offset;
    if (part->kind == WR_PART_PLACED) {
        round->placed[round->placed_count] = write;
        round->placed_count++;
    } else {
        round->writes[round->writes_count] = write;
        round->writes_count++;
    }
    if (p->touched_round != round->number) {
        p->touched_round = round->number;
        round->touched[round->touched_count] = p;
        round->touched_count++;
    }
}

/* ---- one commit ---- */

static int prepare_all(struct wr_round *round, struct wr_commit *c, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < c->part_count && rc == 0; i++) {
        struct wr_commit_part *part = &c->parts[i];
        if (has_batches(part)) {
            rc = prepare(round, part, err);
        } else if (part->kind == WR_PART_ROLL && part->partition->write_segment->write_at > 0) {
            rc = roll(round, part->partition, err);
        } else if (part->kind == WR_PART_TOPIC) {
            pthread_mutex_lock(&round->e->lock);
            round->topic_count++;
            rc = wr_topics_room(round->e, round->topic_count, err);
            pthread_mutex_unlock(&round->e->lock);
        }
        if (rc == 0 && (part->kind == WR_PART_ROLL || part->is_at_next)) {
            part->base_offset = part->partition->next_offset;
        }
    }
    return rc == 0 ? make_room(round, c, err) : rc;
}

static void describe(struct wr_round *round, const struct wr_commit *c)
{
    for (size_t i = 0; i < c->part_count; i++) {
        const struct wr_commit_part *part = &c->parts[i];
        struct wr_journal_part *out = &round->parts[i];
        *out = (struct wr_journal_part){
            .kind = part->kind,
            .topic = part->topic->topic.id,
            .partition = part->partition == NULL ? 0 : part->partition->number,
            .base_offset = part->base_offset,
        };
        if (has_batches(part)) {
            out->next_offset = part->next_offset;
            out->segment_base = part->segment->info.base;
            out->position = part->position;
            out->leader_epoch = round->e->leader_epoch;
            out->len = (uint32_t)part->len;
        }
        if (part->kind == WR_PART_PLACED) {
            out->crc = wr_crc32c((struct wr_bytes){part->data, part->len});
        } else if (part->kind == WR_PART_BATCHES || part->kind == WR_PART_TOPIC) {
            out->len = (uint32_t)part->len;
            out->body = (struct wr_bytes){part->data, part->len};
        }
    }
}

/* Not done, and not harmed: for want of room the same again may be; else its writer has to think anew. */
static void refuse(struct wr_commit *c, int rc)
{
    bool is_hopeless = rc == WEIR_E_NOTFOUND || rc == WEIR_E_DAMAGED || rc == WEIR_E_CORRUPT;
    c->outcome = is_hopeless ? WR_COMMIT_REWIND : WR_COMMIT_AGAIN;
}

void wr_admit(struct wr_round *round, struct wr_commit *c)
{
    int rc = check_parts(c, &c->err);
    rc = rc == 0 ? prepare_all(round, c, &c->err) : rc;
    if (rc < 0) {
        refuse(c, rc);
        return;
    }
    c->outcome = WR_COMMIT_DONE;
    if (c->part_count == 0) {
        return;
    }
    for (size_t i = 0; i < c->part_count; i++) {
        if (has_batches(&c->parts[i])) {
            place(round, &c->parts[i]);
        }
    }
    describe(round, c);
    c->sequence = wr_journal_add(&round->e->journal, round->parts, c->part_count,
                                 wr_wall_ms(round->e->clock));
}

void wr_round_reset(struct wr_round *round)
{
    for (size_t i = 0; i < round->pinned_count; i++) {
        wr_segment_unpin(round->e, round->pinned[i]);
    }
    for (size_t i = 0; i < round->gone_count; i++) {
        wr_topic_state_unref(round->gone[i]);
    }
    round->gone_count = 0;
    round->commit_count = 0;
    round->journal_bytes = 0;
    round->must_sync = false;
    round->note_count = 0;
    round->topic_count = 0;
    round->first_batches = 0;
    round->segment_syncs = 0;
    round->placed_bytes = 0;
    round->writes_count = 0;
    round->placed_count = 0;
    round->pinned_count = 0;
    round->rolled_count = 0;
    round->touched_count = 0;
}
