/* partition.c - ends, transactions, epochs and damage of a partition. */
#include "log/embedded/partition.h"

#include "log/embedded/segment.h"

enum {
    TRANSACTIONS_MAX = 1 << 20
};

int wr_batch_note_of(struct wr_bytes bytes, uint64_t position, struct wr_batch_note *out,
                     struct weir_error *err)
{
    struct wr_batch batch;
    int rc = wr_batch_of(bytes, &batch, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_batch_note note = {.header = batch.header, .position = position};
    if ((batch.header.attributes & WR_BATCH_CONTROL) != 0) {
        struct wr_marker marker;
        rc = wr_marker_decode(&batch, &marker, err);
        if (rc < 0 && rc != WEIR_E_UNSUPPORTED) {
            return rc;
        }
        note.is_marker = rc == 0;
        note.marker = rc == 0 ? marker.type : WR_MARKER_COMMIT;
    }
    *out = note;
    return 0;
}

int wr_partition_room(struct wr_partition *p, struct wr_segment *seg,
                      const struct wr_batch_note *note, size_t before, struct weir_error *err)
{
    bool is_good = true;
    if (note->is_marker && note->marker == WR_MARKER_ABORT) {
        is_good = wr_txnindex_room(seg, before + 1);
    } else if ((note->header.attributes & WR_BATCH_TRANSACTIONAL) != 0) {
        is_good = wr_grow(&p->transactions, &p->transaction_cap, p->transaction_count + before + 1,
                          sizeof(p->transactions[0]), TRANSACTIONS_MAX);
    }
    return is_good ? 0 : wr_fail(err, WEIR_E_NOMEM, "transactions of a partition");
}

static size_t find_transaction(const struct wr_partition *p, int64_t producer_id)
{
    size_t i = 0;
    while (i < p->transaction_count && p->transactions[i].producer_id != producer_id) {
        i++;
    }
    return i;
}

static int64_t first_undecided(const struct wr_partition *p, int64_t otherwise)
{
    return p->transaction_count > 0 ? p->transactions[0].first_offset : otherwise;
}

/* The list stays in the order of first offsets: new ones come last. */
static void end_transaction(struct wr_partition *p, struct wr_segment *seg,
                            const struct wr_batch_note *note)
{
    const struct wr_batch_header *h = &note->header;
    size_t i = find_transaction(p, h->producer_id);
    if (i == p->transaction_count) {
        return; /* a second marker, or one for a partition without data: harmless */
    }
    struct wr_aborted aborted = {
        .producer_id = h->producer_id,
        .first_offset = p->transactions[i].first_offset,
        .last_offset = h->base_offset,
    };
    p->transaction_count--;
    memmove(p->transactions + i, p->transactions + i + 1,
            (p->transaction_count - i) * sizeof(p->transactions[0]));
    aborted.last_stable = first_undecided(p, wr_batch_next_offset(h));
    if (note->marker == WR_MARKER_ABORT) {
        wr_txnindex_note(seg, &aborted);
    }
}

static void note_transaction(struct wr_partition *p, struct wr_segment *seg,
                             const struct wr_batch_note *note)
{
    const struct wr_batch_header *h = &note->header;
    if (note->is_marker) {
        end_transaction(p, seg, note);
        return;
    }
    bool is_in =
        (h->attributes & WR_BATCH_TRANSACTIONAL) != 0 && (h->attributes & WR_BATCH_CONTROL) == 0;
    if (is_in && find_transaction(p, h->producer_id) == p->transaction_count) {
        WR_ASSERT(p->transaction_count < p->transaction_cap);
        p->transactions[p->transaction_count] =
            (struct wr_open_transaction){h->producer_id, h->producer_epoch, h->base_offset};
        p->transaction_count++;
    }
}

void wr_partition_publish(struct wr_partition *p, struct wr_segment *seg,
                          const struct wr_batch_note *note)
{
    const struct wr_batch_header *h = &note->header;
    struct wr_segment_info *info = &seg->info;
    WR_ASSERT(h->base_offset == p->end);
    WR_ASSERT(note->position == info->bytes);
    p->end = wr_batch_next_offset(h);
    info->next = p->end;
    info->bytes = note->position + h->size_bytes;
    if (info->first_timestamp_ms < 0) {
        info->first_timestamp_ms = h->max_timestamp_ms;
    }
    if (h->max_timestamp_ms > info->max_timestamp_ms) {
        info->max_timestamp_ms = h->max_timestamp_ms;
        info->max_timestamp_next = p->end;
    }
    if (h->leader_epoch > p->epoch) {
        p->epoch = h->leader_epoch;
        p->epoch_start = h->base_offset;
    }
    note_transaction(p, seg, note);
    wr_index_note(p, seg, note);
}

/* Only what is decided is removed. So a transaction that began before the log start has lost its end to damage: what
 * is left of it is undecided from there on. */
bool wr_partition_settle(struct wr_partition *p)
{
    int64_t stable = first_undecided(p, p->end);
    stable = stable < p->log_start ? p->log_start : stable;
    bool has_moved = stable != p->stable;
    p->stable = stable;
    return has_moved;
}

/* ---- damage ---- */

static bool is_same_place(const struct wr_damage *a, const struct wr_damage *b)
{
    return a->segment_base == b->segment_base && a->from_position == b->from_position;
}

void wr_partition_damage(struct wr_partition *p, const struct wr_damage *damage)
{
    __atomic_store_n(&p->is_quarantined, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < p->damage_count; i++) {
        if (is_same_place(&p->damages[i], damage)) {
            return;
        }
    }
    if (!wr_grow(&p->damages, &p->damage_cap, p->damage_count + 1, sizeof(*damage),
                 WR_DAMAGES_MAX)) {
        return; /* the list is full: readers find the place by themselves */
    }
    p->damages[p->damage_count] = *damage;
    p->damage_count++;
}

const struct wr_damage *wr_partition_damage_at(const struct wr_partition *p, int64_t segment_base,
                                               uint64_t position)
{
    for (size_t i = 0; i < p->damage_count; i++) {
        const struct wr_damage *d = &p->damages[i];
        if (d->segment_base == segment_base && position >= d->from_position &&
            position < d->to_position) {
            return d;
        }
    }
    return NULL;
}

void wr_partition_fini(struct wr_embedded *e, struct wr_partition *p)
{
    for (size_t i = 0; i < p->segment_count; i++) {
        wr_free(p->segments[i]->tail);
        p->segments[i]->tail = NULL;
        wr_segment_drop(e, p->segments[i]);
    }
    wr_free(p->segments);
    wr_free(p->transactions);
    wr_free(p->damages);
    *p = (struct wr_partition){0};
}
