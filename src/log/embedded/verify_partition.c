#include "log/embedded/verify_partition.h"

#include "log/embedded/segment.h"
#include "log/embedded/transactions.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    FOLDER_BYTES = 300,
    NAME_BYTES = 512
};

/* One partition under way. */
struct look {
    struct wr_verify *v;
    const struct wr_survey_partition *p;
    char folder[FOLDER_BYTES]; /* within the log's */
    struct wr_transactions transactions;

    /* the segment under way */
    const struct wr_survey_segment *segment;
    char path[NAME_BYTES]; /* within the log's folder */
    struct wr_index_check index;
    bool is_damaged;
};

static void look_fini(struct look *l)
{
    wr_index_check_fini(&l->index);
    wr_transactions_fini(&l->transactions);
}

static void full_path(const struct look *l, const char *path, char *out)
{
    int n = snprintf(out, WR_PATH_BYTES, "%s/%s", l->v->options->dir, path);
    WR_ASSERT(n > 0);
}

static struct wr_finding finding_of(const struct look *l, enum wr_finding_kind kind,
                                    const char *path)
{
    return (struct wr_finding){.kind = kind,
                               .path = path,
                               .topic = l->p->topic,
                               .partition = l->p->number,
                               .first_offset = -1,
                               .next_offset = -1};
}

/* ---- batches ------------------------------------------------------------------------------------------ */

static void see_batch(struct look *l, const struct wr_piece *piece,
                      const struct wr_index_aborted *aborted)
{
    wr_index_check_batch(&l->index, &piece->header, piece->at, aborted);
    l->v->sum.batches++;
    l->v->sum.records += piece->header.record_count;
}

static struct wr_finding finding_of_piece(const struct look *l, const struct wr_piece *piece)
{
    struct wr_finding f = finding_of(l, WR_FINDING_DAMAGED_BATCH, l->path);
    f.severity = WR_SEVERITY_LOSS;
    f.at = piece->at;
    f.bytes = piece->bytes;
    f.first_offset = piece->first_offset;
    f.next_offset = piece->next_offset;
    f.what = piece->why;
    return f;
}

static void describe_hole(const struct look *l, const struct wr_piece *piece, struct wr_finding *f)
{
    f->lost = (uint64_t)(piece->next_offset - piece->first_offset);
    f->remedy = "an empty batch takes the place of what cannot be read";
    bool is_at_end = l->segment->next >= 0 && piece->next_offset == l->segment->next;
    if (piece->bytes == 0) {
        f->kind = is_at_end ? WR_FINDING_MISSING_SEGMENT : WR_FINDING_OFFSET;
        f->remedy = "an empty batch over the offsets that are missing";
    }
    if (f->lost == 0) {
        f->severity = WR_SEVERITY_HARM;
        f->remedy = "the bytes go, no record is in them";
    }
}

static int see_piece(void *arg, const struct wr_piece *piece, struct weir_error *err)
{
    struct look *l = arg;
    struct wr_index_aborted aborted;
    bool aborts = false;
    int rc = wr_transactions_see(&l->transactions, piece, &aborts, &aborted, err);
    if (rc < 0) {
        return rc;
    }
    if (piece->kind == WR_PIECE_BATCH) {
        see_batch(l, piece, aborts ? &aborted : NULL);
        return 0;
    }
    struct wr_finding f = finding_of_piece(l, piece);
    l->is_damaged = true;
    switch (piece->kind) {
    case WR_PIECE_HOLE: describe_hole(l, piece, &f); break;
    case WR_PIECE_OFFSET:
        f.kind = WR_FINDING_OFFSET;
        f.severity = WR_SEVERITY_HARM;
        f.remedy = "it is set right";
        break;
    case WR_PIECE_SURPLUS:
        f.kind = WR_FINDING_OFFSET;
        f.severity = WR_SEVERITY_HARM;
        f.remedy = "the batch goes; other records have its offsets";
        break;
    case WR_PIECE_BATCH: break;
    }
    return wr_verify_tell(l->v, &f, err);
}

/* ---- a segment's indexes ---------------------------------------------------------------------------------- */

static int tell_index(struct look *l, enum wr_index_kind kind, const struct wr_index_result *result,
                      struct weir_error *err)
{
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%020" PRId64 ".%s", l->folder, l->segment->base,
                   wr_index_suffix(kind));
    struct wr_finding f = finding_of(
        l, result->verdict == WR_INDEX_MISSING ? WR_FINDING_MISSING_INDEX : WR_FINDING_WRONG_INDEX,
        path);
    /* Readers of committed records go by the last one; what it says is checked before it is used. */
    f.severity = WR_SEVERITY_NOTE;
    f.at = result->at;
    f.what = result->why;
    f.remedy = "it is made anew from the segment";
    return wr_verify_tell(l->v, &f, err);
}

static int check_indexes(struct look *l, struct weir_error *err)
{
    struct wr_index_result results[WR_INDEX_KINDS];
    wr_index_check_end(&l->index, !l->segment->is_active, results);
    int rc = 0;
    for (int kind = 0; kind < WR_INDEX_KINDS && rc == 0; kind++) {
        /* A log that runs writes the active segment's behind its batches. */
        bool is_behind = l->v->options->is_live && l->segment->is_active;
        if (results[kind].verdict != WR_INDEX_GOOD && !is_behind) {
            rc = tell_index(l, (enum wr_index_kind)kind, &results[kind], err);
        }
    }
    return rc;
}

/* ---- a segment ----------------------------------------------------------------------------------------------- */

static int tell_missing(struct look *l, struct weir_error *err)
{
    struct wr_finding f = finding_of(l, WR_FINDING_MISSING_SEGMENT, l->path);
    f.severity = WR_SEVERITY_LOSS;
    f.first_offset = l->segment->base;
    f.next_offset = l->segment->next;
    f.lost =
        l->segment->next > l->segment->base ? (uint64_t)(l->segment->next - l->segment->base) : 0;
    if (f.lost == 0) {
        f.severity = WR_SEVERITY_HARM;
    }
    f.what = "it is not there";
    f.remedy = "an empty batch over the offsets that are missing";
    l->transactions.is_start_lost = true;
    return wr_verify_tell(l->v, &f, err);
}

/* Bytes behind what the log knows of: no record of them was ever acknowledged. */
static int tell_tail(struct look *l, uint64_t size, struct weir_error *err)
{
    struct wr_finding f = finding_of(l, WR_FINDING_TORN_TAIL, l->path);
    f.severity = WR_SEVERITY_NOTE;
    f.at = l->segment->bytes;
    f.bytes = size - l->segment->bytes;
    f.what = "bytes behind the last record that the log knows of";
    f.remedy = "they are cut off";
    return wr_verify_tell(l->v, &f, err);
}

static void on_progress(void *arg, uint64_t at)
{
    const struct look *l = arg;
    const struct wr_verify *v = l->v;
    if (v->options->progress != NULL) {
        v->options->progress(v->options->arg, v->done_bytes + at, v->total_bytes);
    }
}

static int check_bytes(struct look *l, struct wr_file *file, uint64_t size, struct weir_error *err)
{
    struct wr_examination x = {
        .file = file,
        .size_bytes = size,
        .base_offset = l->segment->base,
        .end_offset = l->segment->next,
        .epochs = l->p->epochs,
        .epoch_count = l->p->epoch_count,
        .iter = &l->v->iter,
        .progress = on_progress,
        .each = see_piece,
        .arg = l,
    };
    char path[WR_PATH_BYTES];
    full_path(l, l->path, path);
    path[strlen(path) - strlen(".log")] = 0;
    wr_index_check_fini(&l->index);
    int rc = wr_index_check_begin(l->v->vfs, path, l->segment->base, l->p->index_interval_bytes,
                                  &l->index, err);
    rc = rc == 0 ? wr_examine(&x, err) : rc;
    /* The indexes of a segment that is mended are made anew with it. */
    return rc == 0 && !l->is_damaged ? check_indexes(l, err) : rc;
}

static int check_file(struct look *l, struct wr_file *file, struct weir_error *err)
{
    int64_t size = wr_file_size(file, err);
    if (size < 0) {
        return (int)size;
    }
    uint64_t counts = (uint64_t)size < l->segment->bytes ? (uint64_t)size : l->segment->bytes;
    int rc = check_bytes(l, file, counts, err);
    if (rc == 0 && (uint64_t)size > counts && !l->v->options->is_live) {
        rc = tell_tail(l, (uint64_t)size, err);
    }
    l->v->done_bytes += (uint64_t)size;
    l->v->sum.segments++;
    l->v->sum.bytes += counts;
    return rc;
}

static int check_segment(struct look *l, const struct wr_survey_segment *segment,
                         struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    l->segment = segment;
    l->is_damaged = false;
    (void)snprintf(l->path, sizeof(l->path), "%s/%020" PRId64 ".log", l->folder, segment->base);
    full_path(l, l->path, path);
    int rc = wr_file_open(l->v->vfs, path, WR_OPEN_READ, &file, err);
    if (rc == WEIR_E_NOTFOUND) {
        return tell_missing(l, err);
    }
    rc = rc == 0 ? check_file(l, file, err) : rc;
    wr_file_close(file);
    return rc;
}

/* Between the log's start and the active segment, one must follow the other. */
static int check_gap(struct look *l, int64_t from, int64_t to, struct weir_error *err)
{
    struct wr_finding f = finding_of(l, WR_FINDING_MISSING_SEGMENT, l->folder);
    f.severity = WR_SEVERITY_LOSS;
    f.first_offset = from;
    f.next_offset = to;
    f.lost = (uint64_t)(to - from);
    f.what = "no segment has these offsets";
    f.remedy = "an empty batch over the offsets that are missing";
    l->transactions.is_start_lost = true;
    return wr_verify_tell(l->v, &f, err);
}

static int check_segments(struct look *l, struct weir_error *err)
{
    int64_t expected = l->p->log_start;
    int rc = 0;
    for (size_t i = 0; i < l->p->segment_count && rc == 0; i++) {
        const struct wr_survey_segment *segment = &l->p->segments[i];
        if (i == 0 && segment->base > 0) {
            l->transactions.is_start_lost = true;
        }
        if (segment->base > expected) {
            rc = check_gap(l, expected, segment->base, err);
        }
        rc = rc == 0 ? check_segment(l, segment, err) : rc;
        expected = segment->next;
    }
    return rc;
}

/* ---- the other files ----------------------------------------------------------------------------------------- */

static int check_small(struct look *l, const char *name, const struct wr_survey_file *file,
                       const char *remedy, struct weir_error *err)
{
    if (file->state == WR_SURVEY_GOOD) {
        return 0;
    }
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", l->folder, name);
    struct wr_finding f = finding_of(l, WR_FINDING_CHECKPOINT, path);
    f.severity = WR_SEVERITY_NOTE;
    f.what = file->state == WR_SURVEY_MISSING ? "it is not there" : file->why;
    f.remedy = remedy;
    return wr_verify_tell(l->v, &f, err);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t n = strlen(suffix);
    return len > n && strcmp(name + len - n, suffix) == 0;
}

static bool has_segment(const struct wr_survey_partition *p, int64_t base)
{
    for (size_t i = 0; base >= 0 && i < p->segment_count; i++) {
        if (p->segments[i].base == base) {
            return true;
        }
    }
    return false;
}

static bool is_of_a_segment(const struct wr_survey_partition *p, const char *name)
{
    static const char *const suffixes[] = {".log", ".index", ".timeindex", ".txnindex",
                                           ".snapshot"};
    bool is_its = false;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        is_its = is_its || has_segment(p, wr_segment_base_of(name, suffixes[i]));
    }
    return is_its;
}

/* What Kafka would keep there, what was renamed to be removed, and what is being replaced just now. */
static bool belongs(const struct look *l, const struct wr_dir_entry *entry)
{
    static const char *const names[] = {"segments", "leader-epoch-checkpoint",
                                        "partition.metadata"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(entry->name, names[i]) == 0) {
            return !entry->is_dir;
        }
    }
    return !entry->is_dir &&
           (has_suffix(entry->name, ".deleted") || is_of_a_segment(l->p, entry->name) ||
            (l->v->options->is_live && has_suffix(entry->name, ".tmp")));
}

static int check_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct look *l = arg;
    if (belongs(l, entry)) {
        return 0;
    }
    /* A log that runs may have begun a segment since its last checkpoint. */
    if (l->v->options->is_live && entry->name[0] >= '0' && entry->name[0] <= '9') {
        return 0;
    }
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", l->folder, entry->name);
    struct wr_finding f = finding_of(l, WR_FINDING_STRAY_FILE, path);
    f.severity = WR_SEVERITY_NOTE;
    f.what = "no part of the partition";
    f.remedy = "it goes to lost+found";
    return wr_verify_tell(l->v, &f, err);
}

static int check_folder(struct look *l, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    full_path(l, l->folder, path);
    int rc = wr_vfs_list(l->v->vfs, path, check_entry, l, err);
    return rc == WEIR_E_NOTFOUND ? 0 : rc; /* its segments are missed one by one */
}

/* The engine knows of damage that the files do not show: what the journal lost. */
static int check_quarantine(struct look *l, uint64_t findings_before, struct weir_error *err)
{
    if (!l->p->is_quarantined || l->v->sum.findings > findings_before) {
        return 0;
    }
    struct wr_finding f = finding_of(l, WR_FINDING_CHECKPOINT, "checkpoint");
    f.severity = WR_SEVERITY_HARM;
    f.first_offset = l->p->end;
    f.next_offset = l->p->end;
    f.what = "the partition refuses writes since damage was found in it";
    f.remedy = "it takes writes again";
    return wr_verify_tell(l->v, &f, err);
}

int wr_verify_partition(struct wr_verify *v, const struct wr_survey_partition *p,
                        struct weir_error *err)
{
    WR_CLEANUP(look_fini) struct look l = {.v = v, .p = p};
    uint64_t before = v->sum.findings;
    (void)snprintf(l.folder, sizeof(l.folder), "%s-%u", p->topic, p->number);
    v->sum.partitions++;
    int rc = check_segments(&l, err);
    rc = rc == 0 ? check_quarantine(&l, before, err) : rc;
    rc = rc == 0 ? check_small(&l, "segments", &p->list, "it is made anew from the segments", err)
                 : rc;
    rc = rc == 0 ? check_small(&l, "leader-epoch-checkpoint", &p->lines,
                               "it is made anew from the segments", err)
                 : rc;
    rc = rc == 0 ? check_small(&l, "partition.metadata", &p->metadata,
                               "it is made anew from the catalog", err)
                 : rc;
    return rc == 0 ? check_folder(&l, err) : rc;
}
