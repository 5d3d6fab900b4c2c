/* recovery.c - the order of things when a folder is opened. The whole is in recovery.h. */
#include "log/embedded/recovery.h"

#include "log/embedded/catalog.h"
#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/remove.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    FILE_MAX = 1 << 30,
    LIST_MAX = 1 << 20
};

/* ---- catalog ---- */

static int add_topic(void *arg, const struct wr_topic_description *d, struct weir_error *err)
{
    struct wr_recovery *rec = arg;
    struct wr_topic_state *topic = NULL;
    int rc = wr_topic_state_new(rec->e, d, &topic, err);
    rc = rc == 0 ? wr_topics_room(rec->e, 1, err) : rc;
    if (rc < 0) {
        if (topic != NULL) {
            wr_topic_state_unref(topic);
        }
        return rc;
    }
    if (wr_topics_by_name(rec->e, d->name) != NULL) { /* a CRC that fits by chance, or a bug */
        wr_topic_state_unref(topic);
        return wr_fail(err, WEIR_E_CORRUPT, "topic '%.*s' twice", WR_FMT(d->name));
    }
    wr_topics_put(rec->e, topic);
    return 0;
}

static void drop_topics(struct wr_embedded *e)
{
    while (e->topic_count > 0) {
        struct wr_topic_state *topic = e->topics[e->topic_count - 1];
        e->topic_count--;
        wr_topic_state_unref(topic);
    }
}

static int read_catalog(struct wr_recovery *rec, bool *is_there, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    char path[WR_PATH_BYTES];
    struct wr_bytes file;
    wr_path_root(e, "catalog", path);
    int rc = wr_vfs_read_file(e->vfs, path, FILE_MAX, &file, err);
    *is_there = rc == 0;
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    rc = wr_catalog_decode(file, &rec->catalog_sequence, add_topic, rec, err);
    wr_free((void *)(uintptr_t)file.ptr);
    if (rc == WEIR_E_CORRUPT) {
        drop_topics(e);
        wr_embedded_notice(e, WR_ERROR, "'%s' is damaged: %s", path, err->text);
        return 0;
    }
    rec->has_catalog = rc == 0;
    e->catalog_sequence = rec->catalog_sequence;
    e->catalog_saved = rc == 0 ? e->topics_version : UINT64_MAX;
    return rc;
}

/* ---- checkpoint ---- */

static int copy_lists(struct wr_partition *p, const struct wr_checkpoint_partition *in,
                      struct weir_error *err)
{
    if (!wr_grow(&p->transactions, &p->transaction_cap, in->transaction_count,
                 sizeof(p->transactions[0]), LIST_MAX) ||
        !wr_grow(&p->damages, &p->damage_cap, in->damage_count, sizeof(p->damages[0]), LIST_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a partition");
    }
    for (size_t i = 0; i < in->transaction_count; i++) {
        p->transactions[i] = in->transactions[i];
    }
    for (size_t i = 0; i < in->damage_count; i++) {
        p->damages[i] = in->damages[i];
    }
    p->transaction_count = in->transaction_count;
    p->damage_count = in->damage_count;
    p->is_quarantined = in->is_quarantined;
    return 0;
}

static int restore(void *arg, const struct wr_checkpoint_partition *in, struct weir_error *err)
{
    struct wr_recovery *rec = arg;
    struct wr_topic_state *topic = wr_topics_by_id(rec->e, in->topic);
    if (topic == NULL || in->partition >= topic->topic.partition_count ||
        topic->partitions[in->partition].segment_count > 0) {
        return 0; /* deleted since */
    }
    struct wr_partition *p = &topic->partitions[in->partition];
    struct wr_segment *seg = wr_segment_new(p, &in->active);
    if (seg == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a segment");
    }
    int rc = wr_segment_attach(seg, err);
    if (rc < 0) {
        wr_segment_drop(rec->e, seg);
        return rc;
    }
    p->log_start = in->log_start;
    p->end = in->end;
    p->epoch = in->epoch;
    p->epoch_saved = in->epoch;
    p->epoch_start = in->epoch_start;
    p->is_listed = in->active.base <= in->log_start;
    seg->info.next = in->end;
    return copy_lists(p, in, err);
}

static int read_slot(struct wr_recovery *rec, const char *name, struct wr_bytes *file,
                     struct wr_checkpoint_head *head, bool *is_there, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    *file = (struct wr_bytes){NULL, 0};
    wr_path_root(rec->e, name, path);
    int rc = wr_vfs_read_file(rec->e->vfs, path, FILE_MAX, file, err);
    *is_there = *is_there || rc == 0;
    if (rc == WEIR_E_NOTFOUND) {
        return 0;
    }
    rc = rc == 0 ? wr_checkpoint_decode(*file, head, NULL, NULL, err) : rc;
    if (rc < 0) {
        wr_free((void *)(uintptr_t)file->ptr);
        *file = (struct wr_bytes){NULL, 0};
    }
    return rc == WEIR_E_CORRUPT ? 0 : rc; /* torn while it was written; the other one counts */
}

static int read_checkpoint(struct wr_recovery *rec, bool *is_there, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    struct wr_bytes files[2] = {{NULL, 0}, {NULL, 0}};
    struct wr_checkpoint_head heads[2] = {{0}, {0}};
    int rc = read_slot(rec, "checkpoint.0", &files[0], &heads[0], is_there, err);
    rc = rc == 0 ? read_slot(rec, "checkpoint.1", &files[1], &heads[1], is_there, err) : rc;
    uint32_t slot = files[1].ptr != NULL && heads[1].count >= heads[0].count ? 1 : 0;
    if (rc == 0 && files[slot].ptr != NULL) {
        rec->has_checkpoint = true;
        rec->head = heads[slot];
        e->checkpoint_slot = slot;
        e->checkpoint_count = heads[slot].count;
        rc = wr_checkpoint_decode(files[slot], &rec->head, restore, rec, err);
    }
    wr_free((void *)(uintptr_t)files[0].ptr);
    wr_free((void *)(uintptr_t)files[1].ptr);
    return rc;
}

/* Topics that the catalog has and the checkpoint does not were made between the two. */
static int begin_new_topics(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    int rc = 0;
    for (size_t t = 0; t < e->topic_count && rc == 0; t++) {
        struct wr_topic_state *topic = e->topics[t];
        if (topic->partitions[0].segment_count > 0) {
            continue;
        }
        rc = wr_topic_state_begin(e, topic, err);
        for (uint32_t i = 0; i < topic->topic.partition_count && rc == 0; i++) {
            rc = wr_replay_folder(e, &topic->partitions[i], err);
        }
    }
    return rc;
}

/* ---- what the segments hold beyond ---- */

/* Entries are lost that do not say whose they were. A partition with a later entry that follows on has lost
 * nothing; of any other nobody can say. What stands in its segment is kept, and it takes no more. */
static int keep_unproven(struct wr_recovery *rec, struct wr_partition *p, struct weir_error *err)
{
    struct wr_segment *seg = wr_segment_active(p);
    uint64_t reached = 0;
    int rc = wr_replay_scan(rec, p, seg->info.bytes, UINT64_MAX, &reached, err);
    if (rc == 0) {
        struct wr_damage d = {p->end, p->end, seg->info.base, reached, reached};
        wr_partition_damage(p, &d);
        wr_embedded_notice(
            rec->e, WR_ERROR,
            "'%s' partition %u: it may have had records behind offset %" PRId64
            ", in entries of the journal which are lost; it takes no more until it is repaired",
            p->topic->topic.name, p->number, p->end - 1);
    }
    return rc;
}

static void tell_cut(struct wr_recovery *rec, const struct wr_partition *p, uint64_t bytes)
{
    wr_embedded_notice(rec->e, WR_WARN,
                       "'%s' partition %u: %" PRIu64 " bytes behind offset %" PRId64
                       ", which no answer spoke of, are cut",
                       p->topic->topic.name, p->number, bytes, p->end - 1);
    rec->repairs++;
    rec->cut_bytes += bytes;
}

static void tell_short(struct wr_recovery *rec, struct wr_partition *p, uint64_t size)
{
    struct wr_segment *seg = wr_segment_active(p);
    struct wr_damage d = {p->end, p->end, seg->info.base, size, seg->info.bytes};
    wr_partition_damage(p, &d);
    wr_embedded_notice(rec->e, WR_ERROR,
                       "'%s' partition %u: %020" PRId64 ".log has %" PRIu64 " bytes, not %" PRIu64
                       ": records are lost, and it takes no more",
                       p->topic->topic.name, p->number, seg->info.base, size, seg->info.bytes);
}

/* Without a checkpoint nobody knows whether this is a torn tail or damage with records behind it. */
static void tell_unknown(struct wr_recovery *rec, struct wr_partition *p, uint64_t size)
{
    struct wr_segment *seg = wr_segment_active(p);
    struct wr_damage d = {p->end, p->end, seg->info.base, seg->info.bytes, size};
    wr_partition_damage(p, &d);
    wr_embedded_notice(rec->e, WR_ERROR,
                       "'%s' partition %u: %020" PRId64 ".log cannot be read from byte %" PRIu64
                       " on; it takes no more records",
                       p->topic->topic.name, p->number, seg->info.base, seg->info.bytes);
}

/* Segments whose files were gone, unless a later move of the log start explains it. */
static void tell_lost(struct wr_recovery *rec, struct wr_partition *p)
{
    for (size_t i = 0; i < p->segment_count; i++) {
        const struct wr_segment *seg = p->segments[i];
        if (!seg->is_lost || seg->info.next <= p->log_start) {
            continue;
        }
        struct wr_damage d = {seg->info.base, seg->info.next, seg->info.base, 0, seg->synced_bytes};
        wr_partition_damage(p, &d);
        wr_embedded_notice(rec->e, WR_ERROR,
                           "'%s' partition %u: %020" PRId64
                           ".log was missing: records from offset %" PRId64
                           " on are lost, and it takes no more",
                           p->topic->topic.name, p->number, seg->info.base, seg->info.base);
    }
}

static int settle_partition(struct wr_recovery *rec, struct wr_partition *p, struct weir_error *err)
{
    struct wr_segment *seg = wr_segment_active(p);
    struct wr_file *file = NULL;
    tell_lost(rec, p);
    int rc = p->replayed_sequence < rec->lost_sequence ? keep_unproven(rec, p, err) : 0;
    rc = rc == 0 ? wr_segment_pin(rec->e, seg, &file, err) : rc;
    if (rc == WEIR_E_NOTFOUND && seg->info.bytes == 0) {
        return wr_replay_folder(rec->e, p, err); /* a name that was not durable */
    }
    if (rc == WEIR_E_NOTFOUND) {
        tell_short(rec, p, 0);
        return wr_replay_home(rec->e, p, err); /* what describes the partition is to have a place */
    }
    int64_t size = rc == 0 ? wr_file_size(file, err) : rc;
    if (size >= 0 && (uint64_t)size > seg->info.bytes && !rec->has_checkpoint) {
        tell_unknown(rec, p, (uint64_t)size);
    } else if (size >= 0 && (uint64_t)size > seg->info.bytes) {
        tell_cut(rec, p, (uint64_t)size - seg->info.bytes);
        rc = wr_file_truncate(file, seg->info.bytes, err);
        rc = rc == 0 ? wr_file_sync(file, err)
                     : rc; /* also where nothing is left to be synced later */
        wr_segment_dirty(rec->e, seg);
    } else if (size >= 0 && (uint64_t)size < seg->info.bytes) {
        tell_short(rec, p, (uint64_t)size);
    }
    if (file != NULL) {
        wr_segment_unpin(rec->e, seg);
    }
    return size < 0 ? (int)size : rc;
}

static int settle_partitions(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    int rc = 0;
    for (size_t t = 0; t < e->topic_count; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count && rc == 0; i++) {
            e->topics[t]->partitions[i].must_sweep = true;
            rc = settle_partition(rec, &e->topics[t]->partitions[i], err);
        }
    }
    return rc;
}

/* ---- ready ---- */

/* Only what is decided is removed. The end of a transaction that began before the log start is lost with what was
 * removed; or with what is damaged, and then nobody knows which end it was. */
static void forget_decided(struct wr_partition *p)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->transaction_count; i++) {
        if (p->is_quarantined || p->transactions[i].first_offset >= p->log_start) {
            p->transactions[kept] = p->transactions[i];
            kept++;
        }
    }
    p->transaction_count = kept;
}

/* Where appends go on, and what readers see. */
static void make_ready(struct wr_recovery *rec)
{
    struct wr_embedded *e = rec->e;
    for (size_t t = 0; t < e->topic_count; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count; i++) {
            struct wr_partition *p = &e->topics[t]->partitions[i];
            struct wr_segment *seg = wr_segment_active(p);
            p->write_segment = seg;
            p->next_offset = p->end;
            p->next_max_timestamp_ms = seg->info.max_timestamp_ms;
            seg->write_at = seg->info.bytes;
            seg->reserved_to = seg->info.bytes;
            seg->next_offset = p->end;
            forget_decided(p);
            (void)wr_partition_settle(p);
            e->recovery.damaged += p->is_quarantined ? 1 : 0;
        }
    }
}

static int open_journal(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    char dir[WR_PATH_BYTES];
    wr_path_root(e, "journal", dir);
    struct wr_journal_start start = rec->end.next;
    start.generation = rec->head.start.generation + 1;
    int rc = wr_journal_open(&e->journal, e->vfs, dir, e->options.journal_file_bytes,
                             e->options.journal_file_count, &start, err);
    if (rc == 0) {
        wr_journal_mark(&e->journal, &e->mark);
        rc = e->options.durability == WR_DURABILITY_FSYNC ? wr_journal_direct(&e->journal, err) : 0;
    }
    return rc;
}

static void report(struct wr_recovery *rec)
{
    struct wr_embedded *e = rec->e;
    bool is_unclean = !rec->is_new && !rec->head.was_clean;
    e->leader_epoch = rec->head.leader_epoch;
    if (rec->epoch_seen > e->leader_epoch) {
        e->leader_epoch = rec->epoch_seen;
    }
    e->leader_epoch += is_unclean ? 1 : 0;
    e->producer_next = rec->head.producer_next;
    if (rec->producer_seen >= e->producer_next) {
        e->producer_next = rec->producer_seen + 1;
    }
    e->recovery.was_new = rec->is_new;
    e->recovery.was_clean = rec->head.was_clean;
    e->recovery.entries = rec->end.entries;
    e->recovery.torn_bytes = rec->end.torn_bytes;
    e->recovery.cut_bytes = rec->cut_bytes;
    e->recovery.repairs = rec->repairs;
    e->recovery.leader_epoch = e->leader_epoch;
}

/* ---- */

/* What the journal holds is on disk, and what is read of it comes from there: a process that was killed may
 * have left bytes in the page cache which failed to reach the disk, and readers would see them. */
static int settle_journal(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    int rc = 0;
    for (uint32_t i = 0; i < WR_JOURNAL_FILES_MAX && rc == 0; i++) {
        char name[sizeof("journal/0000000000")];
        char path[WR_PATH_BYTES];
        struct wr_file *file = NULL;
        (void)snprintf(name, sizeof(name), "journal/%" PRIu32, i);
        wr_path_root(e, name, path);
        rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE, &file, err);
        if (rc == WEIR_E_NOTFOUND) {
            rc = 0;
            continue;
        }
        rc = rc == 0 ? wr_file_sync(file, err) : rc;
        if (rc == 0) {
            wr_file_advise(file, WR_ADVICE_FORGET, 0, 0);
            wr_file_advise(file, WR_ADVICE_NEED, 0, 0);
        }
        wr_file_close(file);
    }
    return rc;
}

/* With the checkpoint: from there on. Without: from what the segments say. */
static int bring_together(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    rec->end.next = rec->head.start;
    if (rec->is_new) {
        rec->end.next.sequence = 1;
        return 0;
    }
    int rc = 0;
    if (!rec->has_checkpoint) {
        rc = wr_rebuild_partitions(rec, err);
    } else {
        rc = begin_new_topics(rec, err);
    }
    if (rc == 0 && !rec->head.was_clean) {
        rc = settle_journal(rec, err);
        rc = rc == 0 ? wr_replay(rec, err) : rc;
        rc = rc == 0 ? settle_partitions(rec, err) : rc;
        rc = rc == 0 ? wr_sweep_root(e, rec->deleted, rec->deleted_count, &rec->repairs, err) : rc;
    }
    return rc;
}

static int look(struct wr_recovery *rec, struct weir_error *err)
{
    bool has_catalog_file = false;
    bool has_checkpoint_file = false;
    rec->e->catalog_saved = UINT64_MAX;
    int rc = read_catalog(rec, &has_catalog_file, err);
    if (rc == 0 && !rec->has_catalog) {
        rc = wr_rebuild_topics(rec, err);
    }
    bool has_topics = rec->e->topic_count > 0;
    rc = rc == 0 ? read_checkpoint(rec, &has_checkpoint_file, err) : rc;
    rec->is_new = !has_checkpoint_file && !has_topics;
    if (rc == 0 && !rec->has_catalog && (has_catalog_file || has_topics || has_checkpoint_file)) {
        wr_embedded_notice(rec->e, WR_ERROR,
                           "'%s/catalog' is missing or damaged; the topics were found by their "
                           "folders, their settings are lost: nothing is deleted until they are "
                           "set anew",
                           rec->e->dir);
        rec->repairs++;
    }
    if (rc == 0 && !rec->has_checkpoint && !rec->is_new) {
        wr_embedded_notice(
            rec->e, WR_ERROR,
            "'%s/checkpoint.0' and '.1' are missing or damaged; every segment is read",
            rec->e->dir);
        rec->repairs++;
    }
    return rc;
}

/* May readers see the log before its first checkpoint? After a replay of a whole journal: all that it brought
 * back is durable, and until the first round a crash brings back the same. */
static bool may_put_off(const struct wr_recovery *rec)
{
    return rec->has_checkpoint && rec->has_catalog && !rec->head.was_clean &&
           rec->end.damages == 0 && rec->e->recovery.damaged == 0;
}

/* Now, or by the keeper while the log serves, or when there is room: a full disk is read all the same. */
static int first_checkpoint(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    e->checkpoints_first = 2;
    e->must_checkpoint = true;
    int rc = may_put_off(rec) ? 0 : wr_checkpoint_first(e, err);
    if (rc == WEIR_E_FULL && !rec->is_new) {
        wr_embedded_notice(e, WR_WARN, "reads go on, and writes wait for room: %s", err->text);
        return 0;
    }
    return rc < 0 ? rc : 0;
}

int wr_recover(struct wr_embedded *e, struct weir_error *err)
{
    struct wr_recovery rec = {.e = e, .epoch_seen = -1, .producer_seen = -1};
    int rc = look(&rec, err);
    rc = rc == 0 ? bring_together(&rec, err) : rc;
    if (rc == 0) {
        make_ready(&rec);
        report(&rec);
        rc = open_journal(&rec, err);
    }
    wr_free(rec.deleted);
    wr_free(rec.starts);
    rc = rc == 0 ? first_checkpoint(&rec, err) : rc;
    return rc < 0 ? wr_wrap(err, "open log '%s'", e->dir) : 0;
}
