#include "log/embedded/repair.h"

#include "log/embedded/catalog.h"
#include "log/embedded/embedded.h"
#include "log/embedded/index_build.h"
#include "log/embedded/lost.h"
#include "log/embedded/segment.h"
#include "log/embedded/survey.h"
#include "log/embedded/transactions.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    NOTES_MAX = 1 << 24,
    JOURNAL_FILE_MIN = 64 * 1024, /* embedded.h */
    JOURNAL_FILE_MAX = 1 << 30,
    FOLDER_BYTES = 300,
    NAME_BYTES = 1024
};

/* A finding, kept. */
struct note {
    enum wr_finding_kind kind;
    char *path; /* owned */
    uint64_t at;
    int64_t first_offset;
    int64_t next_offset;
};

struct repair {
    const struct wr_repair_options *options;
    struct wr_vfs *vfs;
    struct wr_batch_iter iter;
    struct note *notes;
    size_t note_count;
    size_t note_cap;
    bool must_rebuild; /* segments changed: what describes them is made anew by a start */
    struct wr_lost lost;
};

static void repair_fini(struct repair *r)
{
    for (size_t i = 0; i < r->note_count; i++) {
        wr_free(r->notes[i].path);
    }
    wr_free(r->notes);
    wr_batch_iter_fini(&r->iter);
}

static void full_path(const struct repair *r, const char *path, char *out)
{
    int n = snprintf(out, WR_PATH_BYTES, "%s/%s", r->options->dir, path);
    WR_ASSERT(n > 0);
}

/* Removing what is not there is no failure. */
static int remove_file(struct repair *r, const char *path, struct weir_error *err)
{
    char full[WR_PATH_BYTES];
    full_path(r, path, full);
    int rc = wr_vfs_unlink(r->vfs, full, err);
    return rc == WEIR_E_NOTFOUND ? 0 : rc;
}

/* ---- findings ------------------------------------------------------------------------------------------- */

static int keep(void *arg, const struct wr_finding *finding, struct weir_error *err)
{
    struct repair *r = arg;
    char *path = wr_strdup(wr_str_of(finding->path));
    if (path == NULL ||
        !wr_grow(&r->notes, &r->note_cap, r->note_count + 1, sizeof(r->notes[0]), NOTES_MAX)) {
        wr_free(path);
        return wr_fail(err, WEIR_E_NOMEM, "%zu findings", r->note_count);
    }
    r->notes[r->note_count] = (struct note){finding->kind, path, finding->at, finding->first_offset,
                                            finding->next_offset};
    r->note_count++;
    return 0;
}

static int find_all(struct repair *r, struct weir_error *err)
{
    struct wr_verify_sum sum;
    struct wr_verify_options options = {
        .vfs = r->vfs, .dir = r->options->dir, .each = keep, .arg = r};
    return wr_embedded_verify(&options, &sum, err);
}

/* Is there a finding of one of these kinds (a sum of 1 << kind) with this path? */
static const struct note *noted(const struct repair *r, unsigned kinds, const char *path)
{
    for (size_t i = 0; i < r->note_count; i++) {
        if ((kinds & 1U << r->notes[i].kind) != 0 && strcmp(r->notes[i].path, path) == 0) {
            return &r->notes[i];
        }
    }
    return NULL;
}

/* ---- strays --------------------------------------------------------------------------------------------------- */

static int move_strays(struct repair *r, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < r->note_count && rc == 0; i++) {
        if (r->notes[i].kind == WR_FINDING_STRAY_FILE) {
            rc = wr_lost_take(&r->lost, r->notes[i].path, err);
        }
    }
    return rc;
}

/* ---- segments -------------------------------------------------------------------------------------------------- */

struct work {
    struct repair *r;
    const struct wr_survey_partition *p;
    char folder[FOLDER_BYTES];
    struct wr_transactions transactions;

    /* the segment under way */
    const struct wr_survey_segment *segment;
    char path[NAME_BYTES]; /* of its .log, within the log's folder */
    struct wr_file *file;
    struct wr_index_build index;
};

static void work_fini(struct work *w)
{
    wr_transactions_fini(&w->transactions);
    wr_index_build_fini(&w->index);
    wr_file_close(w->file);
}

static struct wr_examination examination_of(struct work *w, struct wr_file *file, uint64_t size)
{
    return (struct wr_examination){
        .file = file,
        .size_bytes = size,
        .base_offset = w->segment->base,
        .end_offset = w->segment->next,
        .epochs = w->p->epochs,
        .epoch_count = w->p->epoch_count,
        .iter = &w->r->iter,
        .arg = w,
    };
}

static int save_piece(void *arg, const struct wr_piece *piece, struct weir_error *err)
{
    struct work *w = arg;
    bool goes = piece->kind == WR_PIECE_HOLE || piece->kind == WR_PIECE_SURPLUS;
    return goes && piece->bytes > 0
               ? wr_lost_keep(&w->r->lost, w->file, w->path, piece->at, piece->bytes, err)
               : 0;
}

/* Put `out`, complete, into the place of the segment's file. */
static int install(struct work *w, const char *from, const char *to, struct wr_file *out,
                   struct weir_error *err)
{
    char folder[WR_PATH_BYTES];
    full_path(w->r, w->folder, folder);
    int rc = wr_file_sync(out, err);
    rc = rc == 0 ? wr_vfs_rename(w->r->vfs, from, to, err) : rc;
    return rc == 0 ? wr_vfs_sync_dir(w->r->vfs, folder, err) : rc;
}

/* The segment's file as it should be. What is given up goes to lost+found first. `w->file` NULL: there is
 * none. */
static int mend(struct work *w, uint64_t size, struct weir_error *err)
{
    char to[WR_PATH_BYTES];
    char from[WR_PATH_BYTES];
    struct wr_file *out = NULL;
    full_path(w->r, w->path, to);
    (void)snprintf(from, sizeof(from), "%.*s.tmp", WR_PATH_BYTES - 8, to);
    int rc =
        wr_file_open(w->r->vfs, from, WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_TRUNCATE, &out, err);
    if (rc < 0) {
        return rc;
    }
    /* An empty file stands in for one that is missing. */
    struct wr_examination x = examination_of(w, w->file != NULL ? w->file : out, size);
    x.each = save_piece;
    rc = wr_examine(&x, err);
    uint64_t mended = 0;
    rc = rc == 0 ? wr_examine_mend(&x, out, &mended, err) : rc;
    rc = rc == 0 ? install(w, from, to, out, err) : rc;
    wr_file_close(w->file);
    w->file = NULL;
    wr_file_close(out);
    w->r->must_rebuild = true;
    return rc;
}

static int index_piece(void *arg, const struct wr_piece *piece, struct weir_error *err)
{
    struct work *w = arg;
    struct wr_index_aborted aborted;
    bool aborts = false;
    int rc = wr_transactions_see(&w->transactions, piece, &aborts, &aborted, err);
    if (rc == 0 && piece->has_header) {
        wr_index_build_batch(&w->index, &piece->header, piece->at, aborts ? &aborted : NULL);
    }
    return rc;
}

static int open_segment(struct work *w, uint64_t *size, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    full_path(w->r, w->path, path);
    wr_file_close(w->file);
    w->file = NULL;
    *size = 0;
    int rc = wr_file_open(w->r->vfs, path, WR_OPEN_READ, &w->file, err);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    int64_t bytes = wr_file_size(w->file, err);
    *size = bytes < 0 ? 0 : (uint64_t)bytes;
    return bytes < 0 ? (int)bytes : 0;
}

/* Walk the segment as it is now, for its transactions, and write its indexes where they are to be made
 * anew. */
static int index_segment(struct work *w, bool is_wanted, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    uint64_t size = 0;
    int rc = open_segment(w, &size, err);
    if (rc < 0 || w->file == NULL) {
        return rc;
    }
    wr_index_build_fini(&w->index);
    w->index = wr_index_build_of(w->segment->base, w->p->index_interval_bytes);
    struct wr_examination x = examination_of(w, w->file, size);
    x.each = index_piece;
    rc = wr_examine(&x, err);
    full_path(w->r, w->path, path);
    path[strlen(path) - strlen(".log")] = 0;
    return rc == 0 && is_wanted
               ? wr_index_build_write(&w->index, w->r->vfs, path, !w->segment->is_active, err)
               : rc;
}

static int cut_tail(struct work *w, const struct note *note, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    full_path(w->r, w->path, path);
    int rc = wr_file_open(w->r->vfs, path, WR_OPEN_WRITE, &file, err);
    rc = rc == 0 ? wr_file_truncate(file, note->at, err) : rc;
    rc = rc == 0 ? wr_file_sync(file, err) : rc;
    wr_file_close(file);
    return rc;
}

static bool is_index_noted(const struct work *w)
{
    bool is_noted = false;
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        char path[NAME_BYTES];
        (void)snprintf(path, sizeof(path), "%s/%020" PRId64 ".%s", w->folder, w->segment->base,
                       wr_index_suffix((enum wr_index_kind)kind));
        is_noted =
            is_noted || noted(w->r, 1U << WR_FINDING_WRONG_INDEX | 1U << WR_FINDING_MISSING_INDEX,
                              path) != NULL;
    }
    return is_noted;
}

static int repair_segment(struct work *w, const struct wr_survey_segment *segment,
                          struct weir_error *err)
{
    static const unsigned broken =
        1U << WR_FINDING_DAMAGED_BATCH | 1U << WR_FINDING_OFFSET | 1U << WR_FINDING_MISSING_SEGMENT;
    w->segment = segment;
    (void)snprintf(w->path, sizeof(w->path), "%s/%020" PRId64 ".log", w->folder, segment->base);
    const struct note *tail = noted(w->r, 1U << WR_FINDING_TORN_TAIL, w->path);
    bool is_broken = noted(w->r, broken, w->path) != NULL;
    uint64_t size = 0;
    int rc = tail != NULL ? cut_tail(w, tail, err) : 0;
    rc = rc == 0 ? open_segment(w, &size, err) : rc;
    if (rc == 0 && is_broken) {
        rc = mend(w, size < segment->bytes ? size : segment->bytes, err);
    }
    return rc == 0 ? index_segment(w, is_broken || is_index_noted(w), err) : rc;
}

/* Offsets between two segments that no file has. */
static int fill_gap(struct work *w, int64_t from, int64_t to, struct weir_error *err)
{
    struct wr_survey_segment segment = {from, to, 0, false};
    w->segment = &segment;
    (void)snprintf(w->path, sizeof(w->path), "%s/%020" PRId64 ".log", w->folder, from);
    wr_file_close(w->file);
    w->file = NULL;
    int rc = mend(w, 0, err);
    rc = rc == 0 ? index_segment(w, true, err) : rc;
    w->segment = NULL;
    return rc;
}

static int repair_segments(struct work *w, struct weir_error *err)
{
    int64_t expected = w->p->log_start;
    int rc = 0;
    for (size_t i = 0; i < w->p->segment_count && rc == 0; i++) {
        const struct wr_survey_segment *segment = &w->p->segments[i];
        if (segment->base > expected) {
            rc = fill_gap(w, expected, segment->base, err);
        }
        rc = rc == 0 ? repair_segment(w, segment, err) : rc;
        expected = segment->next;
    }
    return rc;
}

/* Is anything of this partition to be changed? Most are not, and need not be read again. */
static bool is_partition_noted(const struct repair *r, const char *folder)
{
    size_t len = strlen(folder);
    for (size_t i = 0; i < r->note_count; i++) {
        const char *path = r->notes[i].path;
        if (strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == 0)) {
            return true;
        }
    }
    return false;
}

/* Files that a start makes anew when they are gone. */
static int drop_derived(struct work *w, struct weir_error *err)
{
    static const char *const names[] = {"segments", "leader-epoch-checkpoint"};
    int rc = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && rc == 0; i++) {
        char path[NAME_BYTES];
        (void)snprintf(path, sizeof(path), "%s/%s", w->folder, names[i]);
        if (noted(w->r, 1U << WR_FINDING_CHECKPOINT, path) != NULL) {
            rc = remove_file(w->r, path, err);
            w->r->must_rebuild = true;
        }
    }
    return rc;
}

static int write_metadata(struct work *w, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    char name[NAME_BYTES];
    char text[WR_METADATA_BYTES];
    size_t len = wr_metadata_put(&w->p->id, text);
    (void)snprintf(name, sizeof(name), "%s/partition.metadata", w->folder);
    full_path(w->r, name, path);
    return wr_vfs_replace(w->r->vfs, path, (struct wr_bytes){(const uint8_t *)text, len}, err);
}

static int repair_partition(void *arg, const struct wr_survey_partition *p, struct weir_error *err)
{
    WR_CLEANUP(work_fini) struct work w = {.r = arg, .p = p};
    (void)snprintf(w.folder, sizeof(w.folder), "%s-%u", p->topic, p->number);
    w.r->must_rebuild =
        w.r->must_rebuild || p->is_quarantined || p->metadata.state != WR_SURVEY_GOOD;
    if (!is_partition_noted(w.r, w.folder)) {
        return 0;
    }
    w.transactions.is_start_lost = p->segment_count > 0 && p->segments[0].base > 0;
    int rc = p->metadata.state == WR_SURVEY_GOOD ? 0 : write_metadata(&w, err);
    rc = rc == 0 ? repair_segments(&w, err) : rc;
    return rc == 0 ? drop_derived(&w, err) : rc;
}

/* ---- what describes the segments ---------------------------------------------------------------------------------- */

struct drop {
    struct repair *r;
    const char *folder;
};

static int drop_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    const struct drop *drop = arg;
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", drop->folder, entry->name);
    return entry->is_dir ? 0 : remove_file(drop->r, path, err);
}

static int drop_list(void *arg, const struct wr_survey_partition *p, struct weir_error *err)
{
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s-%u/segments", p->topic, p->number);
    return remove_file(arg, path, err);
}

/* The journal is empty and the checkpoint clean; without them a start reads every segment and takes what
 * they say. The lists go first: without a checkpoint they count no more. */
static int drop_descriptions(struct repair *r, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct drop drop = {r, "journal"};
    struct wr_survey_head head;
    full_path(r, "journal", path);
    int rc = wr_survey(r->vfs, r->options->dir, drop_list, r, &head, err);
    rc = rc == 0 ? remove_file(r, "checkpoint.0", err) : rc;
    rc = rc == 0 ? remove_file(r, "checkpoint.1", err) : rc;
    rc = rc == 0 ? wr_vfs_sync_dir(r->vfs, r->options->dir, err) : rc;
    rc = rc == 0 ? wr_vfs_list(r->vfs, path, drop_entry, &drop, err) : rc;
    return rc == 0 ? wr_vfs_sync_dir(r->vfs, path, err) : rc;
}

/* ---- all ------------------------------------------------------------------------------------------------------------ */

/* The journal's file size of the log, so that a start leaves its files alone; 0 when it has none. */
static uint32_t journal_file_bytes(const struct repair *r)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    struct weir_error none;
    full_path(r, "journal/0", path);
    if (wr_file_open(r->vfs, path, WR_OPEN_READ, &file, &none) < 0) {
        return 0;
    }
    int64_t size = wr_file_size(file, &none);
    wr_file_close(file);
    bool is_usable =
        size >= JOURNAL_FILE_MIN && size <= JOURNAL_FILE_MAX && size % WR_JOURNAL_BLOCK == 0;
    return is_usable ? (uint32_t)size : 0;
}

/* Start and stop the log: it recovers, and leaves its journal empty. */
static int start_and_stop(struct repair *r, uint32_t file_bytes, struct weir_error *err)
{
    struct wr_log *log = NULL;
    struct wr_embedded_options options = {
        .dir = r->options->dir, .vfs = r->vfs, .journal_file_bytes = file_bytes};
    int rc = wr_embedded_open(&options, &log, err);
    if (rc == 0) {
        wr_log_close(log);
    }
    return rc;
}

static int take_lock(struct repair *r, struct wr_file **out, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    full_path(r, ".lock", path);
    int rc = wr_file_open(r->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, out, err);
    rc = rc == 0 ? wr_file_lock(*out, err) : rc;
    if (rc == WEIR_E_BUSY) {
        rc = wr_fail(err, WEIR_E_BUSY, "'%s' is in use by a weir that runs: stop it first",
                     r->options->dir);
    }
    return rc;
}

static int change_files(struct repair *r, struct weir_error *err)
{
    struct wr_survey_head head;
    struct wr_file *lock = NULL;
    int rc = take_lock(r, &lock, err);
    rc = rc == 0 ? wr_survey(r->vfs, r->options->dir, repair_partition, r, &head, err) : rc;
    rc = rc == 0 ? move_strays(r, err) : rc;
    rc = rc == 0 && r->must_rebuild ? drop_descriptions(r, err) : rc;
    wr_file_close(lock);
    return rc;
}

/* Nothing may be left to say. */
static int check_result(struct repair *r, struct weir_error *err)
{
    struct repair after = {.options = r->options, .vfs = r->vfs}; /* which changes nothing */
    int rc = find_all(&after, err);
    if (rc == 0 && after.note_count > 0) {
        rc = wr_fail(err, WEIR_E_CORRUPT,
                     "'%s' at byte %" PRIu64 ": %s is still there after the repair",
                     after.notes[0].path, after.notes[0].at, wr_finding_name(after.notes[0].kind));
    }
    repair_fini(&after);
    return rc;
}

static int do_repair(struct repair *r, struct weir_error *err)
{
    uint32_t file_bytes = journal_file_bytes(r);
    int rc = start_and_stop(r, file_bytes, err);
    rc = rc == 0 ? find_all(r, err) : rc;
    rc = rc == 0 ? change_files(r, err) : rc;
    rc = rc == 0 && r->must_rebuild ? start_and_stop(r, file_bytes, err) : rc;
    return rc == 0 ? check_result(r, err) : rc;
}

int wr_embedded_repair(const struct wr_repair_options *options, struct wr_verify_sum *out,
                       struct weir_error *err)
{
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_verify_options look = {.vfs = options->vfs,
                                     .dir = options->dir,
                                     .each = options->each,
                                     .progress = options->progress,
                                     .arg = options->arg};
    int rc = wr_embedded_verify(&look, out, err);
    if (rc != 0 || out->findings == 0 || options->is_dry_run) {
        return rc;
    }
    WR_CLEANUP(repair_fini)
    struct repair r = {.options = options,
                       .vfs = options->vfs,
                       .iter = wr_batch_iter_of(&limits, NULL),
                       .lost = {options->vfs, options->dir, false}};
    return do_repair(&r, err);
}
