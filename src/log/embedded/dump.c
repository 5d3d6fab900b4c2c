#include "log/embedded/dump.h"

#include "base/arena.h"
#include "log/embedded/journal.h"
#include "log/embedded/salvage.h"
#include "log/embedded/survey.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    PATH_BYTES = 4096,
    SEGMENT_NAME_DIGITS = 20,
    SEGMENTS_MAX = 1 << 24,
    HEADERS_MAX_BYTES = 64 * 1024 * 1024 /* of one batch's header arrays */
};

struct walk {
    const struct wr_dump *dump;
    const char *path;
    struct wr_arena arena;
    struct wr_batch_iter iter;
    int64_t from_offset; /* batches wholly below are not shown */
    int64_t next_offset; /* behind the last batch; -1: none yet */
    uint64_t done_bytes; /* in files before this one */
    uint64_t total_bytes;
};

static struct walk walk_of(const struct wr_dump *dump)
{
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct walk walk = {.dump = dump,
                        .arena = wr_arena_of(HEADERS_MAX_BYTES),
                        .from_offset = -1,
                        .next_offset = -1};
    walk.iter = wr_batch_iter_of(&limits, NULL);
    return walk;
}

static void walk_fini(struct walk *walk)
{
    wr_batch_iter_fini(&walk->iter);
    wr_arena_fini(&walk->arena);
}

static int show_record(struct walk *walk, const struct wr_batch *batch, int64_t offset,
                       const struct wr_record *record, struct weir_error *err)
{
    struct weir_error why;
    struct wr_marker marker;
    bool is_marker = (batch->header.attributes & WR_BATCH_CONTROL) != 0 &&
                     wr_marker_decode(batch, &marker, &why) == 0;
    struct wr_dump_record shown = {
        .offset = offset, .record = record, .marker = is_marker ? &marker : NULL};
    return walk->dump->record(walk->dump->arg, &shown, err);
}

static int show_records(struct walk *walk, const struct wr_batch *batch, struct weir_error *err)
{
    walk->iter.arena = &walk->arena;
    wr_arena_reset(&walk->arena);
    struct wr_record record = {0};
    int64_t offset = 0;
    int rc = wr_batch_iter_begin(&walk->iter, batch, err);
    while (rc >= 0) {
        rc = wr_batch_iter_next(&walk->iter, &offset, &record, err);
        if (rc <= 0) {
            break;
        }
        rc = show_record(walk, batch, offset, &record, err);
        if (rc != 0) {
            break;
        }
    }
    walk->iter.arena = NULL;
    return rc;
}

/* A whole batch, in or out of its place. Its records are tried before any of them is shown. */
static int show_batch(struct walk *walk, const struct wr_salvage_step *step, struct weir_error *err)
{
    const struct wr_dump *dump = walk->dump;
    struct weir_error why = step->why;
    bool has_trouble = step->found != WR_SALVAGE_BATCH;
    bool wants_records = dump->record != NULL;
    if (wants_records && wr_batch_verify(&step->batch, &walk->iter, NULL, &why) < 0) {
        has_trouble = true;
        wants_records = false;
    }
    struct wr_dump_batch shown = {.path = walk->path,
                                  .at = step->at,
                                  .header = &step->batch.header,
                                  .trouble = has_trouble ? why.text : NULL};
    int rc = dump->batch(dump->arg, &shown, err);
    return rc == 0 && wants_records ? show_records(walk, &step->batch, err) : rc;
}

/* What is no batch. Its header is shown where it makes sense. */
static int show_trouble(struct walk *walk, const struct wr_salvage_step *step,
                        struct weir_error *err)
{
    struct wr_dump_batch shown = {.path = walk->path,
                                  .at = step->at,
                                  .header = step->has_header ? &step->header : NULL,
                                  .trouble = step->why.text};
    return walk->dump->batch(walk->dump->arg, &shown, err);
}

static int show_step(struct walk *walk, struct wr_salvage *scan, const struct wr_salvage_step *step,
                     struct weir_error *err)
{
    if (step->found == WR_SALVAGE_BATCH || step->found == WR_SALVAGE_BREAK) {
        bool is_wanted = wr_batch_last_offset(&step->batch.header) >= walk->from_offset;
        return is_wanted ? show_batch(walk, step, err) : 0;
    }
    int rc = show_trouble(walk, step, err);
    if (rc == 0) {
        rc = wr_salvage_resync(scan, err);
        rc = rc > 0 ? 0 : rc;
    }
    return rc;
}

static int show_bytes(struct walk *walk, struct wr_salvage *scan, struct weir_error *err)
{
    for (;;) {
        struct wr_salvage_step step;
        int rc = wr_salvage_next(scan, &step, err);
        if (rc < 0 || step.found == WR_SALVAGE_END) {
            return rc;
        }
        rc = show_step(walk, scan, &step, err);
        if (rc != 0) {
            return rc;
        }
        if (walk->dump->progress != NULL) {
            walk->dump->progress(walk->dump->arg, walk->done_bytes + scan->at, walk->total_bytes);
        }
    }
}

static int show_file(struct walk *walk, const char *path, struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = wr_file_open(walk->dump->vfs, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc;
    }
    int64_t size = wr_file_size(file, err);
    rc = size < 0 ? (int)size : 0;
    if (rc == 0) {
        struct wr_salvage scan = wr_salvage_of(file, 0, (uint64_t)size, walk->next_offset);
        walk->path = path;
        walk->total_bytes = walk->total_bytes > 0 ? walk->total_bytes : (uint64_t)size;
        rc = show_bytes(walk, &scan, err);
        walk->next_offset = scan.next_offset;
        walk->path = NULL;
        wr_salvage_fini(&scan);
        walk->done_bytes += (uint64_t)size;
    }
    wr_file_close(file);
    return rc;
}

int wr_dump_segment(const struct wr_dump *dump, const char *path, struct weir_error *err)
{
    struct walk walk = walk_of(dump);
    int rc = show_file(&walk, path, err);
    walk_fini(&walk);
    return rc;
}

/* ---- a partition ------------------------------------------------------------------------------------- */

struct segments {
    struct wr_vfs *vfs;
    const char *folder;
    int64_t *bases; /* owned */
    size_t count;
    size_t cap;
};

static void segments_fini(struct segments *segments)
{
    wr_free(segments->bases);
}

/* "00000000000000000042.log": 20 digits that fit. */
static bool is_segment(const char *name, int64_t *base)
{
    int64_t value = 0;
    for (size_t i = 0; i < SEGMENT_NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9' || value > (INT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (name[i] - '0');
    }
    *base = value;
    return strcmp(name + SEGMENT_NAME_DIGITS, ".log") == 0;
}

static int add_segment(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct segments *segments = arg;
    int64_t base = 0;
    if (entry->is_dir || !is_segment(entry->name, &base)) {
        return 0;
    }
    if (!wr_grow(&segments->bases, &segments->cap, segments->count + 1, sizeof(int64_t),
                 SEGMENTS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments of '%s'", segments->count,
                       segments->folder);
    }
    segments->bases[segments->count] = base;
    segments->count++;
    return 0;
}

static int by_base(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void segment_path(const struct segments *segments, size_t index, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/%020" PRId64 ".log", segments->folder, segments->bases[index]);
}

static int size_of(const struct segments *segments, size_t index, uint64_t *total,
                   struct weir_error *err)
{
    char path[PATH_BYTES];
    struct wr_file *file = NULL;
    segment_path(segments, index, path, sizeof(path));
    int rc = wr_file_open(segments->vfs, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc;
    }
    int64_t size = wr_file_size(file, err);
    wr_file_close(file);
    *total += size < 0 ? 0 : (uint64_t)size;
    return size < 0 ? (int)size : 0;
}

static int show_segments(struct walk *walk, const struct segments *segments, struct weir_error *err)
{
    size_t first = 0;
    while (first + 1 < segments->count && segments->bases[first + 1] <= walk->from_offset) {
        first++;
    }
    int rc = 0;
    for (size_t i = first; rc == 0 && i < segments->count; i++) {
        rc = size_of(segments, i, &walk->total_bytes, err);
    }
    for (size_t i = first; rc == 0 && i < segments->count; i++) {
        char path[PATH_BYTES];
        segment_path(segments, i, path, sizeof(path));
        rc = show_file(walk, path, err);
    }
    return rc;
}

int wr_dump_partition(const struct wr_dump *dump, const char *dir, const char *topic,
                      uint32_t partition, int64_t from_offset, struct weir_error *err)
{
    char folder[PATH_BYTES];
    (void)snprintf(folder, sizeof(folder), "%s/%s-%u", dir, topic, partition);
    WR_CLEANUP(segments_fini) struct segments segments = {.vfs = dump->vfs, .folder = folder};
    int rc = wr_vfs_list(dump->vfs, folder, add_segment, &segments, err);
    if (rc < 0) {
        return rc;
    }
    if (segments.count > 1) {
        qsort(segments.bases, segments.count, sizeof(int64_t), by_base);
    }
    struct walk walk = walk_of(dump);
    walk.from_offset = from_offset;
    rc = show_segments(&walk, &segments, err);
    walk_fini(&walk);
    return rc;
}

/* ---- the journal --------------------------------------------------------------------------------------- */

struct reel {
    struct walk walk;
    const char *dir;
    char path[PATH_BYTES]; /* of the file that the entry is in */
};

static const char *part_name(enum wr_journal_kind kind)
{
    switch (kind) {
    case WR_PART_BATCHES: return "batches";
    case WR_PART_PLACED: return "placed";
    case WR_PART_TOPIC: return "topic";
    case WR_PART_DELETE: return "delete";
    case WR_PART_START: return "start";
    case WR_PART_ROLL: return "roll";
    }
    return "unknown";
}

/* The batches in a part, one after the other; their CRCs are covered by the entry's. */
static int show_part_batches(struct reel *reel, struct wr_bytes body, int64_t base_offset,
                             struct weir_error *err)
{
    uint64_t at = 0;
    int64_t next_offset = base_offset;
    int rc = 0;
    while (rc == 0 && at < body.len) {
        struct wr_bytes rest = {body.ptr + at, body.len - (size_t)at};
        struct wr_salvage_step step = {.found = WR_SALVAGE_BATCH, .at = at};
        if (wr_batch_of(rest, &step.batch, &step.why) < 0) {
            step.found = WR_SALVAGE_BAD;
            return show_trouble(&reel->walk, &step, err);
        }
        if (step.batch.header.base_offset != next_offset) {
            step.found = WR_SALVAGE_BREAK;
            (void)wr_fail(&step.why, WEIR_E_CORRUPT,
                          "batch has offset %" PRId64 ", but %" PRId64 " is the next",
                          step.batch.header.base_offset, next_offset);
        }
        rc = show_batch(&reel->walk, &step, err);
        at += step.batch.bytes.len;
        next_offset = wr_batch_next_offset(&step.batch.header);
    }
    return rc;
}

static int show_part(struct reel *reel, const struct wr_journal_part *part, struct weir_error *err)
{
    const struct wr_dump *dump = reel->walk.dump;
    struct wr_dump_part shown = {
        .kind = part_name(part->kind),
        .topic = part->topic.bytes,
        .partition = part->partition,
        .base_offset = part->base_offset,
        .next_offset = part->next_offset,
        .segment_base = part->segment_base,
        .position = part->position,
        .leader_epoch = part->leader_epoch,
        .len = part->len,
    };
    int rc = dump->part == NULL ? 0 : dump->part(dump->arg, &shown, err);
    bool has_batches = part->kind == WR_PART_BATCHES && part->body.ptr != NULL;
    return rc == 0 && has_batches && dump->batch != NULL
               ? show_part_batches(reel, part->body, part->base_offset, err)
               : rc;
}

static int show_parts(struct reel *reel, const struct wr_journal_entry *entry,
                      struct weir_error *err)
{
    struct wr_journal_walk walk = {0};
    struct wr_journal_part part;
    int rc = wr_journal_part_next(entry, &walk, &part, err);
    while (rc > 0) {
        rc = show_part(reel, &part, err);
        rc = rc == 0 ? wr_journal_part_next(entry, &walk, &part, err) : rc;
    }
    return rc;
}

static void place_path(struct reel *reel, const struct wr_journal_place *place)
{
    (void)snprintf(reel->path, sizeof(reel->path), "%s/journal/%u", reel->dir, place->file);
    reel->walk.path = reel->path;
}

static int tell_entry(struct reel *reel, const struct wr_journal_entry *entry, const char *trouble,
                      struct weir_error *err)
{
    const struct wr_dump *dump = reel->walk.dump;
    place_path(reel, &entry->place);
    struct wr_dump_entry shown = {
        .path = reel->path,
        .at = entry->place.at,
        .generation = entry->generation,
        .sequence = entry->sequence,
        .synced = entry->synced,
        .written_ms = entry->written_ms,
        .part_count = entry->part_count,
        .bytes = (uint64_t)entry->head_len + entry->body_len,
        .trouble = trouble,
    };
    return dump->entry(dump->arg, &shown, err);
}

static int show_entry(void *arg, const struct wr_journal_entry *entry, struct weir_error *err)
{
    int rc = tell_entry(arg, entry, NULL, err);
    return rc == 0 ? show_parts(arg, entry, err) : rc;
}

static int show_damage(void *arg, const struct wr_journal_damage *damage, struct weir_error *err)
{
    struct reel *reel = arg;
    if (damage->head != NULL) {
        int rc = tell_entry(reel, damage->head, "its records cannot be read", err);
        return rc == 0 ? show_parts(reel, damage->head, err) : rc;
    }
    char trouble[64];
    (void)snprintf(trouble, sizeof(trouble), "entries up to %" PRIu64 " cannot be read",
                   damage->last_sequence);
    struct wr_journal_entry unknown = {.sequence = damage->first_sequence, .place = damage->from};
    return tell_entry(reel, &unknown, trouble, err);
}

/* Where the journal begins: as the checkpoint says, else as its entries do. */
static int find_start(const struct wr_dump *dump, const char *dir, const char *journal,
                      struct wr_journal_start *out, bool *is_found, struct weir_error *err)
{
    struct wr_survey_head head;
    int rc = wr_survey(dump->vfs, dir, NULL, NULL, &head, err);
    if (rc == 0) {
        *out = head.checkpoint.start;
        *is_found = true;
    }
    return rc == WEIR_E_CORRUPT ? wr_journal_guess(dump->vfs, journal, out, is_found, err) : rc;
}

int wr_dump_journal(const struct wr_dump *dump, const char *dir, struct weir_error *err)
{
    char journal[PATH_BYTES];
    struct reel reel = {.walk = walk_of(dump), .dir = dir};
    struct wr_journal_visitor visitor = {.entry = show_entry, .damage = show_damage, .arg = &reel};
    struct wr_journal_start start = {0};
    struct wr_journal_end end;
    bool is_found = false;
    (void)snprintf(journal, sizeof(journal), "%s/journal", dir);
    int rc = find_start(dump, dir, journal, &start, &is_found, err);
    if (rc == 0 && is_found) {
        rc = wr_journal_scan(dump->vfs, journal, &start, &visitor, &end, err);
    }
    walk_fini(&reel.walk);
    return rc;
}
