/* rebuild.c - a log without its catalog, or without its checkpoint: from folders and segments. */
#include "log/embedded/recovery.h"

#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/remove.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    LIST_MAX = 1 << 22
};

/* ---- topics ---- */

struct found_topic {
    struct wr_str name; /* borrowed from the list of folders */
    struct wr_topic_id id;
    uint32_t partition_count;
};

struct found_topics {
    struct found_topic *list;
    size_t count;
    size_t cap;
};

static int note_folder(struct wr_recovery *rec, struct found_topics *found, const char *folder,
                       struct weir_error *err)
{
    struct wr_str name;
    uint32_t partition = 0;
    struct wr_topic_id id;
    struct weir_error none;
    if (!wr_folder_split(folder, &name, &partition) ||
        wr_folder_id(rec->e, folder, &id, &none) < 0) {
        return 0;
    }
    for (size_t i = 0; i < found->count; i++) {
        struct found_topic *t = &found->list[i];
        if (wr_str_eq(t->name, name)) {
            t->partition_count =
                t->partition_count > partition + 1 ? t->partition_count : partition + 1;
            return 0;
        }
    }
    if (!wr_grow(&found->list, &found->cap, found->count + 1, sizeof(found->list[0]), LIST_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu topics", found->count);
    }
    found->list[found->count] = (struct found_topic){name, id, partition + 1};
    found->count++;
    return 0;
}

/* Settings under which nothing is ever deleted. */
static int add_topic(struct wr_recovery *rec, const struct found_topic *found,
                     struct weir_error *err)
{
    static const struct wr_topic_setting keep[] = {
        {"retention.ms", "-1"},
        {"retention.bytes", "-1"},
    };
    struct wr_topic_description d = {
        .id = found->id,
        .name = found->name,
        .partition_count = found->partition_count,
        .settings = keep,
        .setting_count = sizeof(keep) / sizeof(keep[0]),
    };
    struct wr_topic_state *topic = NULL;
    int rc = wr_topics_room(rec->e, 1, err);
    rc = rc == 0 ? wr_topic_state_new(rec->e, &d, &topic, err) : rc;
    if (rc == 0) {
        wr_topics_put(rec->e, topic);
    }
    return rc;
}

int wr_rebuild_topics(struct wr_recovery *rec, struct weir_error *err)
{
    char **folders = NULL;
    size_t count = 0;
    struct found_topics found = {0};
    int rc = wr_folder_names(rec->e, &folders, &count, err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = note_folder(rec, &found, folders[i], err);
    }
    for (size_t i = 0; i < found.count && rc == 0; i++) {
        rc = add_topic(rec, &found.list[i], err);
    }
    for (size_t i = 0; i < count; i++) {
        wr_free(folders[i]);
    }
    wr_free(folders);
    wr_free(found.list);
    return rc;
}

/* ---- partitions ---- */

struct bases {
    int64_t *list;
    size_t count;
    size_t cap;
};

static int note_base(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct bases *bases = arg;
    int64_t base = entry->is_dir ? -1 : wr_segment_base_of(entry->name, ".log");
    if (base < 0) {
        return 0;
    }
    if (!wr_grow(&bases->list, &bases->cap, bases->count + 1, sizeof(bases->list[0]), LIST_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments", bases->count);
    }
    bases->list[bases->count] = base;
    bases->count++;
    return 0;
}

static int by_value(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;
    return *x < *y ? -1 : (*x > *y ? 1 : 0);
}

static int find_bases(struct wr_embedded *e, const struct wr_partition *p, struct bases *out,
                      struct weir_error *err)
{
    char folder[WR_PATH_BYTES];
    wr_path_folder(e, p->topic->topic.name, p->number, folder);
    int rc = wr_vfs_list(e->vfs, folder, note_base, out, err);
    if (rc == 0 && out->count > 1) {
        qsort(out->list, out->count, sizeof(out->list[0]), by_value);
    }
    return rc == WEIR_E_NOTFOUND ? 0 : rc;
}

static int first_segment(struct wr_partition *p, int64_t base, struct weir_error *err)
{
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
    p->log_start = base;
    p->end = base;
    p->is_listed = true;
    p->list_version++;
    return wr_segment_attach(seg, err);
}

/* What is not valid before a later segment is damage; at the very end it may be a torn tail. */
static void note_lost(struct wr_recovery *rec, struct wr_partition *p, int64_t next_base)
{
    struct wr_segment *seg = wr_segment_active(p);
    struct wr_damage d = {p->end, next_base, seg->info.base, seg->info.bytes, UINT64_MAX};
    wr_partition_damage(p, &d);
    wr_embedded_notice(rec->e, WR_ERROR,
                       "'%s' partition %u: offsets %" PRId64 " to %" PRId64
                       " cannot be read from byte %" PRIu64 " of %020" PRId64 ".log on",
                       p->topic->topic.name, p->number, p->end, next_base - 1, seg->info.bytes,
                       seg->info.base);
    p->end = next_base;
}

static int read_partition(struct wr_recovery *rec, struct wr_partition *p, struct weir_error *err)
{
    struct bases bases = {0};
    int rc = find_bases(rec->e, p, &bases, err);
    rc = rc == 0 ? first_segment(p, bases.count == 0 ? 0 : bases.list[0], err) : rc;
    if (rc == 0 && bases.count == 0) {
        rc = wr_replay_folder(rec->e, p, err);
    }
    for (size_t i = 0; i < bases.count && rc == 0; i++) {
        uint64_t reached = 0;
        if (i > 0 && bases.list[i] < p->end) {
            continue; /* left by an unclean stop: other records have its offsets */
        }
        if (i > 0 && p->end < bases.list[i]) {
            note_lost(rec, p, bases.list[i]);
        }
        rc = i > 0 ? wr_replay_roll(rec, p, bases.list[i], err) : 0;
        rc = rc == 0 ? wr_replay_scan(rec, p, 0, UINT64_MAX, &reached, err) : rc;
        if (rc == 0) {
            wr_segment_dirty(rec->e, wr_segment_active(p));
        }
    }
    wr_free(bases.list);
    p->epoch_saved = -1;
    return rc;
}

int wr_rebuild_partitions(struct wr_recovery *rec, struct weir_error *err)
{
    struct wr_embedded *e = rec->e;
    char dir[WR_PATH_BYTES];
    bool is_found = false;
    int rc = 0;
    for (size_t t = 0; t < e->topic_count; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count && rc == 0; i++) {
            rc = read_partition(rec, &e->topics[t]->partitions[i], err);
        }
    }
    wr_path_root(e, "journal", dir);
    rec->head.start = (struct wr_journal_start){.sequence = 1, .place = {UINT32_MAX, 0}};
    rec->head.producer_next = 0;
    rec->head.leader_epoch = rec->epoch_seen < 0 ? 0 : rec->epoch_seen;
    rc = rc == 0 ? wr_journal_guess(e->vfs, dir, &rec->head.start, &is_found, err) : rc;
    rec->end.next = rec->head.start;
    return rc;
}
