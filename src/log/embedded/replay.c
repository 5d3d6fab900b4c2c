/* replay.c - the journal's entries, done again. */
#include "log/embedded/recovery.h"

#include "log/embedded/catalog.h"
#include "log/embedded/cursor.h"
#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/remove.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    DELETED_MAX = 1 << 24,
    STARTS_MAX = 1 << 24,
    ARENA_MAX = 1 << 20
};

/* ---- partitions ---- */

/* Its indexes are on disk as far as they got: nobody knows when the last entry was added. */
static void need_tail(struct wr_segment *seg)
{
    if (seg->tail != NULL) {
        return;
    }
    seg->tail =
        wr_alloc_array(1, sizeof(*seg->tail)); /* without one the index is made anew later */
    if (seg->tail != NULL) {
        seg->tail->bytes = seg->info.bytes == 0 ? 0 : UINT64_MAX / 2;
        seg->tail->timestamp_ms = -1;
    }
}

static int make_file(struct wr_embedded *e, struct wr_partition *p, int64_t base,
                     struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    wr_path_segment(e, p, base, "log", path);
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, err);
    wr_file_close(file);
    return rc;
}

int wr_replay_home(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    char text[WR_METADATA_BYTES];
    struct wr_file *file = NULL;
    wr_path_folder(e, p->topic->topic.name, p->number, path);
    int rc = wr_vfs_mkdir(e->vfs, path, err);
    rc = rc == WEIR_E_EXISTS ? 0 : rc;
    size_t len = wr_metadata_put(&p->topic->topic.id, text);
    wr_path_in(e, p, "partition.metadata", path);
    rc = rc == 0 ? wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, err) : rc;
    rc = rc == 0 ? wr_file_write(file, text, len, 0, err) : rc;
    rc = rc == 0 ? wr_file_truncate(file, len, err) : rc;
    wr_file_close(file);
    p->is_folder_new = true;
    p->is_folder_unnamed = true;
    e->is_root_new = true;
    return rc;
}

int wr_replay_folder(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    int rc = wr_replay_home(e, p, err);
    rc = rc == 0 ? make_file(e, p, p->segments[0]->info.base, err) : rc;
    p->segments[0]->is_new = true;
    wr_segment_dirty(e, p->segments[0]);
    return rc;
}

static bool has_damage(const struct wr_partition *p, int64_t segment_base)
{
    for (size_t i = 0; i < p->damage_count; i++) {
        if (p->damages[i].segment_base == segment_base) {
            return true;
        }
    }
    return false;
}

/* The folder may be gone as a whole: the journal has lost the entry that deleted the topic. */
static int make_next_file(struct wr_embedded *e, struct wr_partition *p, int64_t base,
                          struct weir_error *err)
{
    int rc = make_file(e, p, base, err);
    if (rc != WEIR_E_NOTFOUND) {
        return rc;
    }
    struct wr_segment *old = p->segments[p->segment_count - 2];
    old->is_lost = old->synced_bytes > 0;
    rc = wr_replay_home(e, p, err);
    return rc == 0 ? make_file(e, p, base, err) : rc;
}

int wr_replay_roll(struct wr_recovery *rec, struct wr_partition *p, int64_t base,
                   struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    struct wr_segment *old = wr_segment_active(p);
    struct wr_segment_info info = {
        .base = base,
        .next = base,
        .first_timestamp_ms = -1,
        .max_timestamp_ms = -1,
    };
    struct wr_segment *seg = wr_segment_new(p, &info);
    if (seg == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a segment");
    }
    int rc = wr_segment_attach(seg, err);
    if (rc < 0) {
        wr_segment_drop(e, seg);
        return rc;
    }
    rc = make_next_file(e, p, base, err);
    old->info.next = base;
    wr_index_seal(e, p, old);
    if (!has_damage(p, old->info.base)) { /* then even what cannot be read is kept */
        old->write_at = old->info.bytes;
        old->reserved_to = UINT64_MAX; /* of the run before: whatever is behind the end goes */
        wr_segment_trim(e, old);
    }
    seg->is_new = true;
    wr_segment_dirty(e, seg);
    p->list_version++;
    return rc;
}

static int publish(struct wr_recovery *rec, struct wr_partition *p, struct wr_batch_note *note,
                   struct weir_error *err)
{
    struct wr_segment *seg = wr_segment_active(p);
    int rc = wr_partition_room(p, seg, note, 0, err);
    if (rc < 0) {
        return rc;
    }
    need_tail(seg);
    wr_partition_publish(p, seg, note);
    wr_segment_dirty(rec->e, seg);
    if (seg->tail != NULL && seg->tail->place_count == WR_INDEX_TAIL_MAX) {
        wr_index_write(rec->e, p, seg);
    }
    const struct wr_batch_header *h = &note->header;
    rec->epoch_seen = h->leader_epoch > rec->epoch_seen ? h->leader_epoch : rec->epoch_seen;
    rec->producer_seen = h->producer_id > rec->producer_seen ? h->producer_id : rec->producer_seen;
    return 0;
}

struct scan {
    struct wr_recovery *rec;
    struct wr_partition *p;
    int32_t epoch; /* of all its batches, which no CRC covers; -1: not known */
};

static int scan_batch(void *arg, const struct wr_batch *batch, uint64_t position,
                      struct weir_error *err)
{
    struct scan *scan = arg;
    struct wr_batch_note note;
    int rc = wr_batch_note_of(batch->bytes, position, &note, err);
    if (rc == 0 && scan->epoch >= 0 && note.header.leader_epoch != scan->epoch) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "a batch with leader epoch %d, not %d",
                     note.header.leader_epoch, scan->epoch);
    }
    return rc == 0 ? publish(scan->rec, scan->p, &note, err) : rc;
}

static int scan_to(struct scan *scan, uint64_t from, uint64_t to, uint64_t *reached,
                   struct weir_error *err)
{
    struct wr_recovery *rec = scan->rec;
    struct wr_partition *p = scan->p;
    struct wr_segment *seg = wr_segment_active(p);
    struct wr_segment_visitor visitor = {scan_batch, scan, true};
    struct wr_segment_end end = {.bytes = from};
    struct wr_file *file = NULL;
    *reached = from;
    int rc = wr_segment_pin(rec->e, seg, &file, err);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    int64_t size = wr_file_size(file, err);
    rc = size < 0 ? (int)size : 0;
    to = rc == 0 && (uint64_t)size < to ? (uint64_t)size : to;
    if (rc == 0 && from < to) {
        rc = wr_segment_scan(file, from, to, p->end, &visitor, &end, err);
    }
    wr_segment_unpin(rec->e, seg);
    *reached = rc == WEIR_E_CORRUPT ? seg->info.bytes : end.bytes;
    return rc == WEIR_E_CORRUPT ? 0 : rc; /* a control batch that is none ends it as well */
}

int wr_replay_scan(struct wr_recovery *rec, struct wr_partition *p, uint64_t from, uint64_t to,
                   uint64_t *reached, struct weir_error *err)
{
    struct scan scan = {rec, p, -1};
    return scan_to(&scan, from, to, reached, err);
}

/* ---- gaps: only after damage ---- */

/* Does a later entry say that all before `to_offset` was removed? Then it may be gone. */
static bool is_removed(const struct wr_recovery *rec, const struct wr_partition *p,
                       int64_t to_offset)
{
    const struct wr_topic_id *id = &p->topic->topic.id;
    for (size_t i = 0; i < rec->start_count; i++) {
        const struct wr_replay_start *s = &rec->starts[i];
        if (memcmp(s->topic.bytes, id->bytes, sizeof(id->bytes)) == 0 &&
            s->partition == p->number && s->offset >= to_offset) {
            return true;
        }
    }
    return false;
}

static void damage(struct wr_recovery *rec, struct wr_partition *p, int64_t to_offset,
                   uint64_t to_position)
{
    const struct wr_segment *seg = wr_segment_active(p);
    struct wr_damage d = {p->end, to_offset, seg->info.base, seg->info.bytes, to_position};
    if (is_removed(rec, p, to_offset)) {
        return;
    }
    wr_partition_damage(p, &d);
    wr_embedded_notice(rec->e, WR_ERROR,
                       "'%s' partition %u: offsets %" PRId64 " to %" PRId64
                       " are lost: the journal that held them is damaged, and byte %" PRIu64
                       " of %020" PRId64 ".log does not have them; it takes no more records",
                       p->topic->topic.name, p->number, p->end, to_offset - 1, seg->info.bytes,
                       seg->info.base);
}

/* Is there a segment that goes on where this one ends? The entry that rolled is among those that are lost. */
static int go_on(struct wr_recovery *rec, struct wr_partition *p, int64_t before, bool *goes_on,
                 struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    *goes_on = false;
    if (p->end >= before || p->end == wr_segment_active(p)->info.base) {
        return 0;
    }
    wr_path_segment(rec->e, p, p->end, "log", path);
    int rc = wr_file_open(rec->e->vfs, path, WR_OPEN_READ, &file, err);
    wr_file_close(file);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    *goes_on = true;
    return wr_replay_roll(rec, p, p->end, err);
}

/* What the segments have between the partition's end and this part. */
static int read_gap(struct wr_recovery *rec, struct wr_partition *p,
                    const struct wr_journal_part *part, struct weir_error *err)
{
    bool goes_on = true;
    int rc = 0;
    while (rc == 0 && goes_on) {
        struct wr_segment *seg = wr_segment_active(p);
        bool is_same = part->segment_base == seg->info.base;
        uint64_t reached = 0;
        rc = wr_replay_scan(rec, p, seg->info.bytes, is_same ? part->position : UINT64_MAX,
                            &reached, err);
        rc = rc == 0 ? go_on(rec, p, part->segment_base, &goes_on, err) : rc;
    }
    return rc;
}

/* Something before this part is missing. The segments have it, if the damage is in the journal alone. */
static int close_gap(struct wr_recovery *rec, struct wr_partition *p,
                     const struct wr_journal_part *part, struct weir_error *err)
{
    int rc = read_gap(rec, p, part, err);
    struct wr_segment *seg = wr_segment_active(p);
    bool is_same = part->segment_base == seg->info.base;
    int64_t until = is_same ? part->base_offset : part->segment_base;
    if (rc < 0 || p->end >= until) {
        return rc;
    }
    damage(rec, p, until, is_same ? part->position : UINT64_MAX);
    p->end = until;
    seg->info.next = until;
    if (is_same) {
        seg->info.bytes = part->position;
    }
    return 0;
}

/* Bring the partition to where this part goes. `is_there` out: it holds the part already. */
static int align(struct wr_recovery *rec, struct wr_partition *p,
                 const struct wr_journal_part *part, bool *is_there, struct weir_error *err)
{
    *is_there = part->next_offset <= p->end;
    int rc = 0;
    if (!*is_there && part->base_offset > p->end) {
        rc = close_gap(rec, p, part, err);
    }
    struct wr_segment *seg = wr_segment_active(p);
    if (rc == 0 && !*is_there && part->segment_base > seg->info.base) {
        rc = wr_replay_roll(rec, p, part->segment_base, err);
        if (rc == 0 && part->base_offset > p->end) { /* the gap goes on in the new one */
            rc = close_gap(rec, p, part, err);
        }
        seg = wr_segment_active(p);
    }
    if (rc == 0 && !*is_there &&
        (part->segment_base != seg->info.base || part->position != seg->info.bytes ||
         part->base_offset != p->end)) {
        damage(rec, p, part->next_offset, seg->info.bytes); /* what follows does not fit together */
        *is_there = true;
    }
    return rc;
}

/* ---- parts ---- */

static int replay_batches(struct wr_recovery *rec, struct wr_partition *p,
                          const struct wr_journal_part *part, struct weir_error *err)
{
    struct wr_segment *seg = wr_segment_active(p);
    struct wr_file *file = NULL;
    int rc = wr_segment_pin(rec->e, seg, &file, err);
    if (rc == WEIR_E_NOTFOUND) {
        seg->is_lost =
            seg->synced_bytes > 0; /* else its name was not durable: the journal has all of it */
        rc = wr_replay_folder(rec->e, p, err); /* it may be gone as a whole */
        rc = rc == 0 ? make_file(rec->e, p, seg->info.base, err) : rc;
        seg->is_new = true;
        rc = rc == 0 ? wr_segment_pin(rec->e, seg, &file, err) : rc;
    }
    if (rc < 0) {
        return rc;
    }
    /* Written again even where it stands already: what a killed process left in the page cache may have
     * failed to reach the disk without anybody being told. */
    rc = wr_file_write(file, part->body.ptr, part->body.len, part->position, err);
    wr_segment_unpin(rec->e, seg);
    size_t at = 0;
    while (rc == 0 && at < part->body.len) {
        struct wr_batch_note note;
        struct wr_bytes rest = {part->body.ptr + at, part->body.len - at};
        rc = wr_batch_note_of(rest, part->position + at, &note, err);
        if (rc == 0 && note.header.base_offset != p->end) {
            rc = wr_fail(err, WEIR_E_CORRUPT, "journal: a batch is out of place");
        }
        rc = rc == 0 ? publish(rec, p, &note, err) : rc;
        at += rc == 0 ? note.header.size_bytes : 0;
    }
    return rc;
}

/* Large parts were synced before their entry: only their headers are looked at. */
static int replay_placed(struct wr_recovery *rec, struct wr_partition *p,
                         const struct wr_journal_part *part, struct weir_error *err)
{
    uint64_t reached = 0;
    uint64_t to = (uint64_t)part->position + part->len;
    struct scan scan = {rec, p, part->leader_epoch};
    int rc = scan_to(&scan, part->position, to, &reached, err);
    if (rc == 0 && (reached != to || p->end != part->next_offset)) {
        struct wr_segment *seg = wr_segment_active(p);
        damage(rec, p, part->next_offset, to);
        p->end = part->next_offset;
        seg->info.next = p->end;
        seg->info.bytes = to;
        wr_segment_dirty(rec->e, seg);
    }
    return rc;
}

static bool is_deleted(const struct wr_recovery *rec, struct wr_topic_id id)
{
    for (size_t i = 0; i < rec->deleted_count; i++) {
        if (memcmp(rec->deleted[i].bytes, id.bytes, sizeof(id.bytes)) == 0) {
            return true;
        }
    }
    return false;
}

static void replay_delete(struct wr_recovery *rec, struct wr_topic_state *topic)
{
    wr_topics_take(rec->e, topic);
    wr_remove_topic(rec->e, topic);
    wr_topic_state_unref(topic);
}

/* Topics come into being with their first replay; those that go later in the journal never do. */
static int replay_topic(struct wr_recovery *rec, const struct wr_journal_part *part,
                        struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    struct wr_arena arena = wr_arena_of(ARENA_MAX);
    struct wr_reader r = wr_reader_of(part->body);
    struct wr_topic_description d;
    struct wr_topic_state *topic = NULL;
    int rc = wr_description_read(&r, &arena, &d) ? wr_reader_end(&r, err)
                                                 : wr_fail(err, WEIR_E_NOMEM, "a topic");
    rc = rc == 0 ? wr_topic_state_new(e, &d, &topic, err) : rc;
    wr_arena_fini(&arena);
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(topic != NULL);
    struct wr_topic_state *former = wr_topics_by_name(e, wr_str_of(topic->topic.name));
    if (former != NULL) { /* damage took its deletion */
        replay_delete(rec, former);
    }
    rc = wr_topic_state_begin(e, topic, err);
    for (uint32_t i = 0; i < topic->topic.partition_count && rc == 0; i++) {
        rc = wr_replay_folder(e, &topic->partitions[i], err);
    }
    rc = rc == 0 ? wr_topics_room(e, 1, err) : rc;
    if (rc < 0) {
        wr_topic_state_unref(topic);
        return rc;
    }
    wr_topics_put(e, topic);
    return 0;
}

static int replay_known(struct wr_recovery *rec, struct wr_topic_state *topic,
                        const struct wr_journal_part *part, struct weir_error *err)
{
    struct wr_partition *p = &topic->partitions[part->partition];
    bool is_there = false;
    int rc = 0;
    switch (part->kind) {
    case WR_PART_BATCHES:
        rc = align(rec, p, part, &is_there, err);
        return rc == 0 && !is_there ? replay_batches(rec, p, part, err) : rc;
    case WR_PART_PLACED:
        rc = align(rec, p, part, &is_there, err);
        return rc == 0 && !is_there ? replay_placed(rec, p, part, err) : rc;
    case WR_PART_START:
        if (part->base_offset > p->log_start && part->base_offset <= p->end) {
            p->log_start = part->base_offset;
            p->list_version++;
        }
        break;
    case WR_PART_ROLL:
        if (part->base_offset == p->end && part->base_offset > wr_segment_active(p)->info.base) {
            rc = wr_replay_roll(rec, p, part->base_offset, err);
        }
        break;
    case WR_PART_DELETE: replay_delete(rec, topic); break;
    case WR_PART_TOPIC: break; /* the catalog has it already */
    }
    return rc;
}

static int replay_part(struct wr_recovery *rec, uint64_t sequence,
                       const struct wr_journal_part *part, struct weir_error *err)
{
    struct wr_topic_state *topic = wr_topics_by_id(rec->e, part->topic);
    bool is_of_topics = part->kind == WR_PART_TOPIC || part->kind == WR_PART_DELETE;
    if (is_of_topics && sequence > rec->e->catalog_sequence) {
        rec->e->catalog_sequence = sequence;
    }
    if (topic == NULL && part->kind == WR_PART_TOPIC && sequence > rec->catalog_sequence &&
        !is_deleted(rec, part->topic)) {
        return replay_topic(rec, part, err);
    }
    if (topic == NULL || part->partition >= topic->topic.partition_count ||
        (is_deleted(rec, part->topic) && part->kind != WR_PART_DELETE)) {
        return 0; /* of a topic that was deleted since */
    }
    int rc = replay_known(rec, topic, part, err);
    if (part->kind == WR_PART_BATCHES || part->kind == WR_PART_PLACED) { /* they follow on */
        topic->partitions[part->partition].replayed_sequence = sequence;
    }
    return rc;
}

/* ---- two passes over the journal ---- */

static int add_deleted(struct wr_recovery *rec, struct wr_topic_id id, struct weir_error *err)
{
    if (!wr_grow(&rec->deleted, &rec->deleted_cap, rec->deleted_count + 1, sizeof(rec->deleted[0]),
                 DELETED_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu deleted topics", rec->deleted_count);
    }
    rec->deleted[rec->deleted_count] = id;
    rec->deleted_count++;
    return 0;
}

static int add_start(struct wr_recovery *rec, const struct wr_journal_part *part,
                     struct weir_error *err)
{
    if (!wr_grow(&rec->starts, &rec->start_cap, rec->start_count + 1, sizeof(rec->starts[0]),
                 STARTS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu log starts", rec->start_count);
    }
    rec->starts[rec->start_count] =
        (struct wr_replay_start){part->topic, part->partition, part->base_offset};
    rec->start_count++;
    return 0;
}

static int note_part(struct wr_recovery *rec, const struct wr_journal_part *part,
                     struct weir_error *err)
{
    int rc = part->kind == WR_PART_DELETE ? add_deleted(rec, part->topic, err) : 0;
    return part->kind == WR_PART_START ? add_start(rec, part, err) : rc;
}

/* What goes later in the journal need not be there any more. */
static int note_gone(void *arg, const struct wr_journal_entry *entry, struct weir_error *err)
{
    struct wr_recovery *rec = arg;
    struct wr_journal_walk walk = {0};
    struct wr_journal_part part;
    int rc = wr_journal_part_next(entry, &walk, &part, err);
    while (rc > 0) {
        rc = note_part(rec, &part, err);
        rc = rc == 0 ? wr_journal_part_next(entry, &walk, &part, err) : rc;
    }
    return rc;
}

static int replay_entry(void *arg, const struct wr_journal_entry *entry, struct weir_error *err)
{
    struct wr_recovery *rec = arg;
    struct wr_journal_walk walk = {0};
    struct wr_journal_part part;
    int rc = wr_journal_part_next(entry, &walk, &part, err);
    while (rc > 0) {
        rc = replay_part(rec, entry->sequence, &part, err);
        rc = rc == 0 ? wr_journal_part_next(entry, &walk, &part, err) : rc;
    }
    return rc < 0 ? wr_wrap(err, "replay entry %" PRIu64, entry->sequence) : 0;
}

/* The entry is lost, but its head says what it was: the segments may have all of it. */
static int replay_lost(struct wr_recovery *rec, const struct wr_journal_entry *head,
                       struct weir_error *err)
{
    struct wr_journal_walk walk = {0};
    struct wr_journal_part part;
    int rc = wr_journal_part_next(head, &walk, &part, err);
    while (rc > 0) {
        struct wr_topic_state *topic = wr_topics_by_id(rec->e, part.topic);
        bool is_batches = part.kind == WR_PART_BATCHES || part.kind == WR_PART_PLACED;
        bool is_there = false;
        rc = 0;
        if (is_batches && is_deleted(rec, part.topic)) {
            topic = NULL; /* its folder may be gone already */
        }
        if (topic != NULL && is_batches && part.partition < topic->topic.partition_count) {
            struct wr_partition *p = &topic->partitions[part.partition];
            rc = align(rec, p, &part, &is_there, err);
            rc = rc == 0 && !is_there ? replay_placed(rec, p, &part, err) : rc;
        } else if (!is_batches &&
                   part.kind != WR_PART_TOPIC) { /* what the topic was is in the body */
            rc = replay_part(rec, head->sequence, &part, err);
        }
        rc = rc == 0 ? wr_journal_part_next(head, &walk, &part, err) : rc;
    }
    return rc;
}

static int replay_damage(void *arg, const struct wr_journal_damage *d, struct weir_error *err)
{
    struct wr_recovery *rec = arg;
    wr_embedded_notice(rec->e, WR_ERROR,
                       "the journal is damaged: entries %" PRIu64 " to %" PRIu64 " at byte %" PRIu64
                       " of file %u were durable and are not whole any more",
                       d->first_sequence, d->last_sequence, d->from.at, d->from.file);
    rec->repairs++;
    if (d->head != NULL) {
        return replay_lost(rec, d->head, err);
    }
    rec->lost_sequence = d->last_sequence;
    return 0;
}

int wr_replay(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    char dir[WR_PATH_BYTES];
    wr_path_root(e, "journal", dir);
    struct wr_journal_visitor first = {.entry = note_gone, .arg = rec};
    struct wr_journal_visitor second = {replay_entry, replay_damage, rec, 0};
    struct wr_journal_end again;
    int rc = wr_journal_scan(e->vfs, dir, &rec->head.start, &first, &rec->end, err);
    if (rc == 0 && (rec->end.entries > 0 || rec->end.damages > 0)) {
        second.until = rec->end.next.sequence;
        rc = wr_journal_scan(e->vfs, dir, &rec->head.start, &second, &again, err);
    }
    if (rc == 0 && rec->end.torn_entries > 0) {
        wr_embedded_notice(e, WR_WARN,
                           "the journal ends in the middle of a commit: %" PRIu64
                           " bytes, never answered, are cut at byte %" PRIu64 " of file %u",
                           rec->end.torn_bytes, rec->end.torn_at.at, rec->end.torn_at.file);
        rec->repairs++;
    }
    return rc;
}
