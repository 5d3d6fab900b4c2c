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
    uint64_t done_bytes; /* in files before this one */
    uint64_t total_bytes;
};

static struct walk walk_of(const struct wr_dump *dump)
{
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct walk walk = {.dump = dump, .arena = wr_arena_of(HEADERS_MAX_BYTES)};
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
        return show_batch(walk, step, err);
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

static int show_file(struct walk *walk, const char *path, uint64_t from, struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = wr_file_open(walk->dump->vfs, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc;
    }
    int64_t size = wr_file_size(file, err);
    rc = size < 0 ? (int)size : 0;
    if (rc == 0) {
        struct wr_salvage scan = wr_salvage_of(file, from, (uint64_t)size, -1);
        walk->path = path;
        walk->total_bytes = walk->total_bytes > 0 ? walk->total_bytes : (uint64_t)size;
        rc = show_bytes(walk, &scan, err);
        wr_salvage_fini(&scan);
        walk->done_bytes += (uint64_t)size;
    }
    wr_file_close(file);
    return rc;
}

int wr_dump_segment(const struct wr_dump *dump, const char *path, struct weir_error *err)
{
    struct walk walk = walk_of(dump);
    int rc = show_file(&walk, path, 0, err);
    walk_fini(&walk);
    return rc;
}
