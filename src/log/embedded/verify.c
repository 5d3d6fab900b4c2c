#include "log/embedded/verify.h"

#include "log/embedded/embedded.h"
#include "log/embedded/journal.h"
#include "log/embedded/overlay.h"
#include "log/embedded/segment.h"
#include "log/embedded/verify_partition.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    NAME_BYTES = 512,
    JOURNAL_FILE_BYTES = 64 * 1024
};

const char *wr_finding_name(enum wr_finding_kind kind)
{
    switch (kind) {
    case WR_FINDING_TORN_TAIL: return "torn tail";
    case WR_FINDING_DAMAGED_ENTRY: return "damaged journal entry";
    case WR_FINDING_DAMAGED_BATCH: return "damaged batch";
    case WR_FINDING_OFFSET: return "offsets do not follow on";
    case WR_FINDING_WRONG_INDEX: return "wrong index";
    case WR_FINDING_MISSING_INDEX: return "missing index";
    case WR_FINDING_MISSING_SEGMENT: return "missing segment";
    case WR_FINDING_STRAY_FILE: return "stray file";
    case WR_FINDING_CHECKPOINT: return "damaged checkpoint";
    case WR_FINDING_CATALOG: return "damaged catalog";
    }
    return "unknown";
}

const char *wr_severity_name(enum wr_severity severity)
{
    switch (severity) {
    case WR_SEVERITY_NOTE: return "note";
    case WR_SEVERITY_HARM: return "harm";
    case WR_SEVERITY_LOSS: return "loss";
    }
    return "unknown";
}

int wr_verify_tell(struct wr_verify *v, const struct wr_finding *finding, struct weir_error *err)
{
    struct wr_verify_sum *sum = &v->sum;
    sum->worst =
        sum->findings == 0 || finding->severity > sum->worst ? finding->severity : sum->worst;
    sum->findings++;
    sum->lost += finding->lost;
    return v->options->each(v->options->arg, finding, err);
}

static struct wr_finding finding_of(enum wr_finding_kind kind, const char *path)
{
    return (struct wr_finding){.kind = kind, .path = path, .first_offset = -1, .next_offset = -1};
}

/* ---- is somebody at it? --------------------------------------------------------------------------------- */

/* Takes the lock for a moment only, so that a log that starts meanwhile, and waits for it, hardly notices. */
static int check_free(struct wr_vfs *vfs, const char *dir, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    (void)snprintf(path, sizeof(path), "%s/.lock", dir);
    int rc = wr_file_open(vfs, path, WR_OPEN_READ, &file, err);
    if (rc == WEIR_E_NOTFOUND) {
        return 0;
    }
    rc = rc == 0 ? wr_file_lock(file, err) : rc;
    wr_file_close(file);
    if (rc == WEIR_E_BUSY) {
        return wr_fail(err, WEIR_E_BUSY, "'%s' is in use by a weir that runs: stop it first", dir);
    }
    return rc;
}

static int seen_one(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    WR_UNUSED(err);
    bool *is_log = arg;
    *is_log = *is_log || strncmp(entry->name, "checkpoint.", strlen("checkpoint.")) == 0 ||
              strcmp(entry->name, "catalog") == 0 || strcmp(entry->name, "journal") == 0;
    return 0;
}

static int check_is_log(struct wr_vfs *vfs, const char *dir, struct weir_error *err)
{
    bool is_log = false;
    int rc = wr_vfs_list(vfs, dir, seen_one, &is_log, err);
    if (rc == 0 && !is_log) {
        rc = wr_fail(err, WEIR_E_NOTFOUND, "'%s' holds no log", dir);
    }
    return rc;
}

/* ---- the files of the whole log ------------------------------------------------------------------------- */

static int tell_root(struct wr_verify *v, const char *name, const struct wr_survey_file *file,
                     const char *remedy, struct weir_error *err)
{
    bool is_catalog = strcmp(name, "catalog") == 0;
    struct wr_finding f = finding_of(is_catalog ? WR_FINDING_CATALOG : WR_FINDING_CHECKPOINT, name);
    f.severity = WR_SEVERITY_HARM;
    f.what = file->state == WR_SURVEY_MISSING ? "it is not there" : file->why;
    f.remedy = remedy;
    return wr_verify_tell(v, &f, err);
}

static int look_at(struct wr_verify *v, const char *name, struct wr_survey_file *out,
                   struct weir_error *err)
{
    return wr_survey_file(v->options->vfs, v->options->dir, name, out, err);
}

/* One of the two checkpoints may be torn: then it was being written when the log stopped. */
static int check_root_files(struct wr_verify *v, bool *has_all, struct weir_error *err)
{
    static const char *const names[] = {"catalog", "checkpoint.0", "checkpoint.1"};
    struct wr_survey_file files[3];
    bool is_good[3];
    for (size_t i = 0; i < 3; i++) {
        int rc = look_at(v, names[i], &files[i], err);
        if (rc < 0) {
            return rc;
        }
        is_good[i] = files[i].state == WR_SURVEY_GOOD;
    }
    *has_all = is_good[0] && (is_good[1] || is_good[2]);
    int rc = is_good[0] ? 0
                        : tell_root(v, names[0], &files[0],
                                    "it is made anew from the journal and the folders", err);
    for (size_t i = 1; i < 3 && rc == 0; i++) {
        const char *remedy =
            *has_all ? "it is made anew" : "it is made anew from the journal and the segments";
        rc = is_good[i] ? 0 : tell_root(v, names[i], &files[i], remedy, err);
    }
    return rc;
}

/* ---- the journal --------------------------------------------------------------------------------------------- */

static void place_name(const struct wr_journal_place *place, char *out)
{
    (void)snprintf(out, NAME_BYTES, "journal/%u", place->file);
}

static int skip_entry(void *arg, const struct wr_journal_entry *entry, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(entry);
    WR_UNUSED(err);
    return 0;
}

/* An entry of which only the head is whole: it still says which records it held. What the segments have
 * of them is found there. */
static int tell_entry(struct wr_verify *v, const struct wr_journal_damage *damage,
                      struct weir_error *err)
{
    char path[NAME_BYTES];
    char what[WEIR_ERROR_TEXT_MAX];
    place_name(&damage->from, path);
    struct wr_finding f = finding_of(WR_FINDING_DAMAGED_ENTRY, path);
    f.severity = WR_SEVERITY_HARM;
    f.at = damage->from.at;
    f.what = what;
    f.remedy = "what it held is taken from the segments where they have it";
    if (damage->first_sequence == damage->last_sequence) {
        (void)snprintf(what, sizeof(what), "entry %" PRIu64 " is not whole, but was made durable",
                       damage->first_sequence);
    } else {
        (void)snprintf(what, sizeof(what),
                       "entries %" PRIu64 " .. %" PRIu64 " are not whole, but were made durable",
                       damage->first_sequence, damage->last_sequence);
    }
    return wr_verify_tell(v, &f, err);
}

static int see_damage(void *arg, const struct wr_journal_damage *damage, struct weir_error *err)
{
    return tell_entry(arg, damage, err);
}

static int tell_torn(struct wr_verify *v, const struct wr_journal_end *end, struct weir_error *err)
{
    char path[NAME_BYTES];
    char what[WEIR_ERROR_TEXT_MAX];
    place_name(&end->torn_at, path);
    (void)snprintf(what, sizeof(what), "%u entries behind the end were never made durable",
                   end->torn_entries);
    struct wr_finding f = finding_of(WR_FINDING_TORN_TAIL, path);
    f.severity = WR_SEVERITY_NOTE;
    f.at = end->torn_at.at;
    f.bytes = end->torn_bytes;
    f.what = what;
    f.remedy = "it is cut off";
    return wr_verify_tell(v, &f, err);
}

static int find_start(struct wr_verify *v, bool has_checkpoint, struct wr_journal_start *out,
                      bool *is_found, struct weir_error *err)
{
    char dir[WR_PATH_BYTES];
    struct wr_survey_head head;
    (void)snprintf(dir, sizeof(dir), "%s/journal", v->options->dir);
    if (!has_checkpoint) {
        return wr_journal_guess(v->options->vfs, dir, out, is_found, err);
    }
    int rc = wr_survey(v->options->vfs, v->options->dir, NULL, NULL, &head, err);
    *out = head.checkpoint.start;
    *is_found = rc == 0;
    return rc == WEIR_E_CORRUPT ? 0 : rc;
}

static int check_journal(struct wr_verify *v, bool has_checkpoint, struct weir_error *err)
{
    char dir[WR_PATH_BYTES];
    struct wr_journal_start start;
    struct wr_journal_end end;
    struct wr_journal_visitor visitor = {.entry = skip_entry, .damage = see_damage, .arg = v};
    bool is_found = false;
    int rc = find_start(v, has_checkpoint, &start, &is_found, err);
    if (rc < 0 || !is_found) {
        return rc;
    }
    (void)snprintf(dir, sizeof(dir), "%s/journal", v->options->dir);
    rc = wr_journal_scan(v->options->vfs, dir, &start, &visitor, &end, err);
    return rc == 0 && end.torn_entries > 0 ? tell_torn(v, &end, err) : rc;
}

/* ---- what the next start would do ---------------------------------------------------------------------------- */

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t n = strlen(suffix);
    return len > n && strcmp(name + len - n, suffix) == 0;
}

/* Recovery cut a segment: it held more than was made durable. */
static int tell_cut(struct wr_verify *v, const struct wr_overlay_change *change, const char *path,
                    struct weir_error *err)
{
    struct wr_finding f = finding_of(WR_FINDING_TORN_TAIL, path);
    f.severity = WR_SEVERITY_NOTE;
    f.at = change->kept_bytes;
    f.bytes = change->size_before - change->kept_bytes;
    f.what = "bytes that were never made durable";
    f.remedy = "they are cut off";
    return wr_verify_tell(v, &f, err);
}

/* Recovery removed a file. Indexes go to be made anew, and what was renamed to go does at last. */
static int tell_gone(struct wr_verify *v, const char *path, struct weir_error *err)
{
    if (has_suffix(path, "index") || has_suffix(path, ".deleted") ||
        strstr(path, "-delete") != NULL) {
        return 0;
    }
    struct wr_finding f = finding_of(WR_FINDING_STRAY_FILE, path);
    f.severity = WR_SEVERITY_NOTE;
    f.what = "left by an unclean stop, and no part of the log";
    f.remedy = "it is removed";
    return wr_verify_tell(v, &f, err);
}

static int see_change(void *arg, const struct wr_overlay_change *change, struct weir_error *err)
{
    struct wr_verify *v = arg;
    size_t dir_len = strlen(v->options->dir);
    if (strncmp(change->path, v->options->dir, dir_len) != 0 || change->is_dir ||
        !change->was_there) {
        return 0;
    }
    const char *path = change->path + dir_len + 1;
    if (strncmp(path, "journal/", strlen("journal/")) == 0) {
        return 0;
    }
    if (!change->is_there) {
        return tell_gone(v, path, err);
    }
    bool is_cut = has_suffix(path, ".log") && change->kept_bytes < change->size_before;
    return is_cut ? tell_cut(v, change, path, err) : 0;
}

static void no_notice(void *arg, enum wr_level level, const char *text)
{
    WR_UNUSED(arg);
    WR_UNUSED(level);
    WR_UNUSED(text);
}

static void no_fatal(void *arg, const struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(err);
}

/* Start and stop the log on the overlay. */
static int recover(struct wr_verify *v, struct wr_overlay *overlay, struct weir_error *err)
{
    struct wr_log *log = NULL;
    struct wr_embedded_options options = {
        .dir = v->options->dir,
        .vfs = &overlay->vfs,
        .journal_file_bytes = JOURNAL_FILE_BYTES, /* in memory, and nothing comes in */
        .on_fatal = no_fatal,
        .on_notice = no_notice,
    };
    int rc = wr_embedded_open(&options, &log, err);
    if (rc < 0) {
        return rc;
    }
    wr_log_close(log);
    v->vfs = &overlay->vfs;
    return wr_overlay_each(overlay, see_change, v, err);
}

/* ---- the folder itself ---------------------------------------------------------------------------------------- */

struct root {
    struct wr_verify *v;
    char **folders; /* of partitions that there should be, in the order of wr_survey() */
    size_t count;
    size_t cap;
};

static void root_fini(struct root *root)
{
    for (size_t i = 0; i < root->count; i++) {
        wr_free(root->folders[i]);
    }
    wr_free(root->folders);
}

static bool is_expected(const struct root *root, const char *name)
{
    for (size_t i = 0; i < root->count; i++) {
        if (strcmp(root->folders[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* A name that ends in a dash and digits, as partitions' folders do. */
static bool is_like_a_partition(const char *name)
{
    const char *dash = strrchr(name, '-');
    return dash != NULL && dash != name && dash[1] != 0 &&
           dash[1 + strspn(dash + 1, "0123456789")] == 0;
}

/* Other parts of weir keep files beside the log's; only what looks like the log's own is judged. */
static int check_root_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct root *root = arg;
    bool is_stray = entry->is_dir
                        ? is_like_a_partition(entry->name) && !is_expected(root, entry->name)
                        : has_suffix(entry->name, ".tmp") || has_suffix(entry->name, ".log");
    if (!is_stray || root->v->options->is_live) {
        return 0;
    }
    struct wr_finding f = finding_of(WR_FINDING_STRAY_FILE, entry->name);
    f.severity = WR_SEVERITY_NOTE;
    f.what = entry->is_dir ? "a folder of no topic that there is" : "no part of the log";
    f.remedy = "it goes to lost+found";
    return wr_verify_tell(root->v, &f, err);
}

static int add_partition(void *arg, const struct wr_survey_partition *p, struct weir_error *err)
{
    struct root *root = arg;
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s-%u", p->topic, p->number);
    char *copy = wr_strdup(wr_str_of(name));
    if (copy == NULL || !wr_grow(&root->folders, &root->cap, root->count + 1, sizeof(char *),
                                 SIZE_MAX / sizeof(char *))) {
        wr_free(copy);
        return wr_fail(err, WEIR_E_NOMEM, "%zu partitions", root->count);
    }
    root->folders[root->count] = copy;
    root->count++;
    for (size_t i = 0; i < p->segment_count; i++) {
        root->v->total_bytes += p->segments[i].bytes == UINT64_MAX ? 0 : p->segments[i].bytes;
    }
    return 0;
}

static int see_partition(void *arg, const struct wr_survey_partition *p, struct weir_error *err)
{
    return wr_verify_partition(arg, p, err);
}

static int check_partitions(struct wr_verify *v, struct weir_error *err)
{
    WR_CLEANUP(root_fini) struct root root = {.v = v};
    struct wr_survey_head head;
    int rc = wr_survey(v->vfs, v->options->dir, add_partition, &root, &head, err);
    rc = rc == 0 ? wr_survey(v->vfs, v->options->dir, see_partition, v, &head, err) : rc;
    return rc == 0 ? wr_vfs_list(v->vfs, v->options->dir, check_root_entry, &root, err) : rc;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static int check_all(struct wr_verify *v, struct wr_overlay *overlay, struct weir_error *err)
{
    bool has_all = false;
    int rc = check_root_files(v, &has_all, err);
    if (rc == 0 && !v->options->is_live) {
        rc = check_journal(v, has_all, err);
        rc = rc == 0 ? recover(v, overlay, err) : rc;
    }
    return rc == 0 ? check_partitions(v, err) : rc;
}

int wr_embedded_verify(const struct wr_verify_options *options, struct wr_verify_sum *out,
                       struct weir_error *err)
{
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_overlay overlay = wr_overlay_of(options->vfs);
    struct wr_verify v = {
        .options = options, .vfs = options->vfs, .iter = wr_batch_iter_of(&limits, NULL)};
    int rc = check_is_log(options->vfs, options->dir, err);
    if (rc == 0 && !options->is_live) {
        rc = check_free(options->vfs, options->dir, err);
    }
    rc = rc == 0 ? check_all(&v, &overlay, err) : rc;
    if (rc == 0 && !options->is_live) {
        rc = check_free(options->vfs, options->dir, err); /* or all this may have been its doing */
    }
    if (rc == 0) {
        *out = v.sum;
    }
    wr_batch_iter_fini(&v.iter);
    wr_overlay_fini(&overlay);
    return rc;
}
