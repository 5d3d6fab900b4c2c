/* engine.c - opens and closes the engine, and runs its threads. */
#include "log/embedded/engine.h"

#include "log/embedded/checkpoint.h"
#include "log/embedded/commit.h"
#include "log/embedded/epochs.h"
#include "log/embedded/fill.h"
#include "log/embedded/mark.h"
#include "log/embedded/offsets.h"
#include "log/embedded/reader.h"
#include "log/embedded/recovery.h"
#include "log/embedded/remove.h"
#include "log/embedded/retention.h"
#include "log/embedded/round.h"
#include "log/embedded/segment.h"
#include "log/embedded/threads.h"
#include "log/embedded/topics.h"
#include "log/embedded/writer.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    DIR_BYTES_MAX = WR_PATH_BYTES - 512, /* topic, partition and file come behind it */
    CLOSE_MS = 5000,
    JOURNAL_FILE_BYTES = 16 * 1024 * 1024,
    JOURNAL_FILE_BYTES_MIN = 64 * 1024,
    JOURNAL_FILE_BYTES_MAX = 1024 * 1024 * 1024,
    JOURNAL_FILES = 32,
    PLACED_BYTES = 256 * 1024,
    COMMIT_BYTES = 72 * 1024 * 1024,
    COMMIT_BYTES_MAX = 1024 * 1024 * 1024,
    IN_FLIGHT = 16,
    ROOM_BYTES = 16 * 1024 * 1024,
    OPEN_FILES = 256,
    INTERVAL_MS = 1000,
    PART_BYTES = 1100 /* that a part takes in the journal at least, and at most if it has to */
};

const char *wr_durability_name(enum wr_durability durability)
{
    switch (durability) {
    case WR_DURABILITY_FSYNC: return "fsync";
    case WR_DURABILITY_INTERVAL: return "interval";
    case WR_DURABILITY_OS: return "os";
    }
    return "unknown";
}

/* ---- failing and telling ---- */

int wr_embedded_failure(const struct wr_embedded *e, struct weir_error *err)
{
    *err = e->failure;
    err->code = WEIR_E_IO;
    return WEIR_E_IO;
}

int wr_embedded_fail(struct wr_embedded *e, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    bool is_first = !e->has_failed;
    if (is_first) {
        e->failure = *err;
        e->failure.code = WEIR_E_IO;
        e->has_failed = true;
        wr_writer_wake_all(e);
        wr_reader_wake_all(e);
        pthread_cond_broadcast(&e->done);
        pthread_cond_broadcast(&e->work);
        pthread_cond_broadcast(&e->keep_work);
    }
    int rc = wr_embedded_failure(e, err);
    pthread_mutex_unlock(&e->lock);
    if (is_first && e->options.on_fatal != NULL) {
        e->options.on_fatal(e->options.arg, err);
    }
    return rc;
}

void wr_embedded_notice(struct wr_embedded *e, enum wr_level level, const char *fmt, ...)
{
    if (e->options.on_notice == NULL) {
        return;
    }
    char text[WEIR_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    e->options.on_notice(e->options.arg, level, text);
}

/* ---- options ---- */

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static void fill_options(struct wr_embedded_options *o)
{
    o->vfs = o->vfs == NULL ? wr_vfs_os() : o->vfs;
    o->clock = o->clock == NULL ? wr_clock_os() : o->clock;
    o->interval_ms = or_default(o->interval_ms, INTERVAL_MS);
    o->journal_file_bytes = or_default(o->journal_file_bytes, JOURNAL_FILE_BYTES);
    o->journal_file_count = or_default(o->journal_file_count, JOURNAL_FILES);
    o->placed_bytes_min = or_default(o->placed_bytes_min, PLACED_BYTES);
    o->commit_bytes_max = o->commit_bytes_max == 0 ? COMMIT_BYTES : o->commit_bytes_max;
    o->commits_in_flight_max = or_default(o->commits_in_flight_max, IN_FLIGHT);
    o->room_bytes_min = o->room_bytes_min == 0 ? ROOM_BYTES : o->room_bytes_min;
    o->open_files_max = or_default(o->open_files_max, OPEN_FILES);
}

static int check_options(const struct wr_embedded_options *o, struct weir_error *err)
{
    if (o->dir == NULL || o->dir[0] == '\0' || strlen(o->dir) > DIR_BYTES_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "the log's folder: a path of 1 to %d bytes is expected",
                       DIR_BYTES_MAX);
    }
    if (o->journal_file_bytes % WR_JOURNAL_BLOCK != 0 ||
        o->journal_file_bytes < JOURNAL_FILE_BYTES_MIN ||
        o->journal_file_bytes > JOURNAL_FILE_BYTES_MAX) {
        return wr_fail(err, WEIR_E_INPUT,
                       "journal files of %u bytes: a multiple of %d from %d to %d is expected",
                       o->journal_file_bytes, WR_JOURNAL_BLOCK, JOURNAL_FILE_BYTES_MIN,
                       JOURNAL_FILE_BYTES_MAX);
    }
    if (o->journal_file_count < 2 || o->journal_file_count > WR_JOURNAL_FILES_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "%u journal files: 2 to %d are possible",
                       o->journal_file_count, WR_JOURNAL_FILES_MAX);
    }
    if (o->commit_bytes_max > COMMIT_BYTES_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "commits of %zu bytes: %d are possible",
                       o->commit_bytes_max, COMMIT_BYTES_MAX);
    }
    return 0;
}

static int fill_defaults(struct wr_embedded *e, const struct wr_embedded_options *o,
                         struct weir_error *err)
{
    e->config_default = wr_topic_config_default();
    int rc = wr_topic_config_apply(&e->config_default, o->defaults, o->default_count, err);
    return rc < 0 ? wr_wrap(err, "default settings of topics") : 0;
}

/* ---- the folder ---- */

/* Make the name of the log's own folder durable. */
static int sync_parent(struct wr_embedded *e, struct weir_error *err)
{
    char parent[WR_PATH_BYTES];
    size_t len = strlen(e->dir);
    while (len > 1 && e->dir[len - 1] == '/') {
        len--;
    }
    while (len > 0 && e->dir[len - 1] != '/') {
        len--;
    }
    (void)snprintf(parent, sizeof(parent), "%.*s", len == 0 ? 1 : (int)len,
                   len == 0 ? "." : e->dir);
    return wr_vfs_sync_dir(e->vfs, parent, err);
}

static int lock_folder(struct wr_embedded *e, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    int rc = wr_vfs_mkdir(e->vfs, e->dir, err);
    if (rc == WEIR_E_EXISTS) {
        /* Its maker may have been killed before this. Where one may not look, it was made by others. */
        (void)sync_parent(e, err);
        rc = 0;
    } else {
        rc = rc == 0 ? sync_parent(e, err) : rc;
    }
    if (rc < 0) {
        return wr_wrap(err, "make the log's folder '%s'", e->dir);
    }
    wr_path_root(e, ".lock", path);
    rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &e->lock_file, err);
    rc = rc == 0 ? wr_file_lock(e->lock_file, err) : rc;
    if (rc == WEIR_E_BUSY) {
        return wr_fail(err, WEIR_E_BUSY,
                       "'%s' is in use by another process: stop that one, or name another folder",
                       e->dir);
    }
    return rc;
}

/* Marked transactions of a process that is gone can never be ended by it. */
static int abort_dead(struct wr_embedded *e, struct weir_error *err)
{
    bool has_open = false;
    for (size_t t = 0; t < e->topic_count; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count; i++) {
            const struct wr_partition *p = &e->topics[t]->partitions[i];
            has_open = has_open || (p->transaction_count > 0 && !p->is_quarantined);
        }
    }
    if (!has_open) {
        return 0;
    }
    struct wr_commit *c = wr_commit_new(NULL);
    if (c == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "abort transactions");
    }
    c->is_abort = true;
    c->is_abort_all = true;
    c->abort_producer = e->producer_next; /* not those that begin while it waits for room */
    c->is_detached = true;                /* on a full disk it waits for room, and the log opens */
    wr_commit_push(e, c);
    int rc = wr_round_step(e, err);
    return rc < 0 ? rc : 0;
}

/* ---- opening and closing ---- */

static int init(struct wr_embedded *e, const struct wr_embedded_options *options,
                struct weir_error *err)
{
    static const struct wr_log_ops ops = {
        .name = "embedded",
        .capabilities = WR_LOG_CAN_MARK | WR_LOG_CAN_GROUP_OFFSETS,
        .close = wr_embedded_close,
        .topic_create = wr_embedded_topic_create,
        .topic_delete = wr_embedded_topic_delete,
        .topic_find = wr_embedded_topic_find,
        .topic_ref = wr_embedded_topic_ref,
        .topic_unref = wr_embedded_topic_unref,
        .topic_list = wr_embedded_topic_list,
        .topic_settings = wr_embedded_topic_settings,
        .partition_info = wr_embedded_partition_info,
        .offset_for_time = wr_embedded_offset_for_time,
        .epoch_end = wr_embedded_epoch_end,
        .writer_open = wr_embedded_writer_open,
        .writer_close = wr_embedded_writer_close,
        .append = wr_embedded_append,
        .writer_offsets = wr_embedded_writer_offsets,
        .writer_pending = wr_embedded_writer_pending,
        .writer_commit = wr_embedded_writer_commit,
        .writer_drop = wr_embedded_writer_drop,
        .writer_mark = wr_embedded_writer_mark,
        .writer_end = wr_embedded_writer_end,
        .writer_retry = wr_embedded_writer_retry,
        .writer_poll = wr_embedded_writer_poll,
        .writer_fd = wr_embedded_writer_fd,
        .reader_open = wr_embedded_reader_open,
        .reader_close = wr_embedded_reader_close,
        .reader_assign = wr_embedded_reader_assign,
        .reader_unassign = wr_embedded_reader_unassign,
        .reader_watch = wr_embedded_reader_watch,
        .reader_pause = wr_embedded_reader_pause,
        .reader_poll = wr_embedded_reader_poll,
        .reader_fd = wr_embedded_reader_fd,
        .reader_wake = wr_embedded_reader_wake,
    };
    e->log.ops = &ops;
    e->options = *options;
    e->options.dir = NULL;
    e->options.defaults = NULL;
    e->vfs = options->vfs;
    e->clock = options->clock;
    e->own_rng = options->rng == NULL ? wr_rng_os() : (struct wr_rng){{0}};
    e->rng = options->rng == NULL ? &e->own_rng : options->rng;
    e->sync_due_ms = INT64_MAX;
    e->retain_due_ms = INT64_MAX;
    size_t round_max = options->journal_file_bytes - (size_t)WR_JOURNAL_BLOCK;
    e->commit_parts_max = (round_max - WR_JOURNAL_HEAD_BYTES) / PART_BYTES;
    e->dir = wr_strdup(wr_str_of(options->dir));
    if (e->dir == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a log");
    }
    pthread_mutex_init(&e->step_lock, NULL);
    pthread_mutex_init(&e->keep_lock, NULL);
    pthread_mutexattr_t adaptive;
    pthread_mutexattr_init(&adaptive);
    pthread_mutexattr_settype(&adaptive, PTHREAD_MUTEX_ADAPTIVE_NP);
    pthread_mutex_init(&e->lock, &adaptive);
    pthread_mutexattr_destroy(&adaptive);
    wr_threads_init(e);
    return wr_round_open(e, err);
}

static void free_engine(struct wr_embedded *e)
{
    wr_round_close(e);
    while (e->writers != NULL) { /* closed by their owners, with answers that never came */
        struct wr_embedded_writer *next = e->writers->next;
        WR_ASSERT(e->writers->is_closed);
        wr_writer_free(e->writers);
        e->writers = next;
    }
    WR_ASSERT(e->readers == NULL);
    while (e->topic_count > 0) {
        e->topic_count--;
        wr_topic_state_unref(e->topics[e->topic_count]);
    }
    wr_free(e->topics);
    wr_journal_close(&e->journal);
    wr_remove_close(e);
    wr_file_close(e->lock_file);
    if (e->dir != NULL) {
        wr_threads_fini(e);
        pthread_mutex_destroy(&e->step_lock);
        pthread_mutex_destroy(&e->keep_lock);
        pthread_mutex_destroy(&e->lock);
    }
    wr_free(e->dir);
    wr_free(e);
}

static int open_engine(struct wr_embedded *e, const struct wr_embedded_options *options,
                       struct weir_error *err)
{
    int rc = init(e, options, err);
    rc = rc == 0 ? fill_defaults(e, options, err) : rc;
    rc = rc == 0 ? lock_folder(e, err) : rc;
    rc = rc == 0 ? wr_recover(e, err) : rc;
    rc = rc == 0 ? abort_dead(e, err) : rc;
    if (rc == 0) {
        wr_retain_begin(e);
        rc = options->threads ? wr_threads_start(e, err) : 0;
    }
    return rc;
}

int wr_embedded_open(const struct wr_embedded_options *given, struct wr_log **out,
                     struct weir_error *err)
{
    struct wr_embedded_options options = *given;
    fill_options(&options);
    int rc = check_options(&options, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_embedded *e = wr_alloc_array(1, sizeof(*e));
    if (e == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a log");
    }
    rc = open_engine(e, &options, err);
    if (rc < 0) {
        free_engine(e);
        return rc;
    }
    *out = &e->log;
    return 0;
}

void wr_embedded_abandon(struct wr_log *log)
{
    struct wr_embedded *e = wr_embedded_of(log);
    wr_threads_stop(e);
    free_engine(e);
}

/* Answer what was handed over, for as long as a close may take. */
static void drain(struct wr_embedded *e)
{
    int64_t deadline_ms = wr_mono_ms(e->clock) + CLOSE_MS;
    struct weir_error none;
    int rc = 1;
    while (rc > 0 && wr_mono_ms(e->clock) < deadline_ms) {
        rc = wr_round_step(e, &none);
    }
}

/* Leave the files as Kafka's tools like them: indexes written out, no room reserved. */
static void tidy_partition(struct wr_embedded *e, struct wr_partition *p)
{
    struct wr_segment *seg = p->write_segment;
    wr_index_write(e, p, seg);
    wr_segment_trim(e, seg);
    pthread_mutex_lock(&e->lock);
    if (seg->synced_bytes < seg->info.bytes) {
        wr_segment_dirty(e, seg);
    }
    pthread_mutex_unlock(&e->lock);
}

static void tidy_partitions(struct wr_embedded *e)
{
    for (size_t t = 0; t < e->topic_count; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count; i++) {
            tidy_partition(e, &e->topics[t]->partitions[i]);
        }
    }
}

void wr_embedded_close(struct wr_log *log)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct weir_error err;
    wr_threads_stop(e);
    drain(e);
    if (!e->has_failed) {
        tidy_partitions(e);
        wr_retain_close(e);
        wr_remove_due(e, true);
        int rc = wr_checkpoint_close(e, &err);
        if (rc < 0) { /* the next start replays the journal */
            wr_embedded_notice(e, WR_WARN, "%s", err.text);
        }
    }
    free_engine(e);
}

/* ---- the steps and what they did ---- */

int wr_embedded_step(struct wr_log *log, struct weir_error *err)
{
    return wr_round_step(wr_embedded_of(log), err);
}

int wr_embedded_checkpoint(struct wr_log *log, struct weir_error *err)
{
    return wr_checkpoint_run(wr_embedded_of(log), err);
}

int wr_embedded_retain(struct wr_log *log, struct weir_error *err)
{
    return wr_retain(wr_embedded_of(log), err);
}

int wr_embedded_roll(struct wr_log *log, const struct wr_log_topic *handle, uint32_t partition,
                     struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct wr_topic_state *topic = NULL;
    pthread_mutex_lock(&e->lock);
    topic = wr_topics_by_id(e, handle->id);
    if (topic != NULL) {
        wr_topic_state_ref(topic);
    }
    pthread_mutex_unlock(&e->lock);
    if (topic == NULL) {
        return wr_topic_gone(wr_topic_state_of_const(handle), err);
    }
    struct wr_commit *c = wr_commit_new(NULL);
    struct wr_commit_part *part =
        c == NULL ? NULL : wr_commit_other(c, WR_PART_ROLL, topic, partition);
    wr_topic_state_unref(topic);
    if (part == NULL) {
        wr_commit_free(c);
        return wr_fail(err, WEIR_E_NOMEM, "a new segment");
    }
    return wr_commit_run(e, c, err);
}

void wr_embedded_stats(struct wr_log *log, struct wr_embedded_stats *out)
{
    struct wr_embedded *e = wr_embedded_of(log);
    pthread_mutex_lock(&e->lock);
    *out = e->stats;
    pthread_mutex_unlock(&e->lock);
    pthread_mutex_lock(&e->journal.lock);
    out->journal_bytes = e->journal.bytes;
    out->journal_syncs = e->journal.syncs;
    pthread_mutex_unlock(&e->journal.lock);
}

void wr_embedded_recovery(struct wr_log *log, struct wr_embedded_recovery *out)
{
    *out = wr_embedded_of(log)->recovery;
}
