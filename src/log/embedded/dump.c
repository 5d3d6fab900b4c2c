#include "log/embedded/dump.h"

#include "base/arena.h"
#include "log/embedded/salvage.h"

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
