/* checkpoint.c - syncs segments and what describes them, and frees the journal. */
#include "log/embedded/checkpoint.h"

#include "log/embedded/catalog.h"
#include "log/embedded/checkpoint_file.h"
#include "log/embedded/engine.h"
#include "log/embedded/epochs.h"
#include "log/embedded/list.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

enum {
    FILE_MAX = 1 << 30,
    /* A checkpoint syncs each segment that was written to: with more of them it pays later. */
    LIVE_MIN = 64 << 20, /* bytes of the journal … */
    LIVE_OF_SEGMENT = 1 << 20,
    PLACED_MAX =
        1 << 30 /* bytes placed between two checkpoints: bounds what a start has to look at */
};

/* What one checkpoint has to sync: taken under one hold of L, together with the file's bytes. */
struct work {
    struct wr_segment **segments; /* pinned, and their topics referenced */
    size_t segment_count;
    size_t segment_cap;
    struct wr_topic_state **topics; /* referenced */
    size_t topic_count;
    struct wr_writer file;
    struct wr_writer catalog;
    uint64_t topics_version;
    bool is_catalog_new;
    bool is_root_new;
    struct wr_journal_mark mark;
};

/* ---- taking stock: L is held ---- */

static int take_segments(struct wr_embedded *e, struct work *work, struct weir_error *err)
{
    size_t count = 0;
    for (struct wr_segment *seg = e->dirty; seg != NULL; seg = seg->dirty_next) {
        count++;
    }
    work->segments = wr_alloc_array(count + 1, sizeof(struct wr_segment *));
    if (work->segments == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a checkpoint of %zu segments", count);
    }
    for (struct wr_segment *seg = e->dirty; seg != NULL; seg = seg->dirty_next) {
        if (wr_topic_state_try_ref(seg->partition->topic)) {
            seg->pins++;
            work->segments[work->segment_count] = seg;
            work->segment_count++;
        }
    }
    return 0;
}

static int take_topics(struct wr_embedded *e, struct work *work, struct weir_error *err)
{
    work->topics = wr_alloc_array(e->topic_count + 1, sizeof(struct wr_topic_state *));
    if (work->topics == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a checkpoint of %zu topics", e->topic_count);
    }
    for (size_t i = 0; i < e->topic_count; i++) {
        work->topics[i] = e->topics[i];
        wr_topic_state_ref(e->topics[i]);
    }
    work->topic_count = e->topic_count;
    return 0;
}

static int take_stock(struct wr_embedded *e, struct work *work, bool is_clean,
                      struct weir_error *err)
{
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    rc = rc == 0 ? take_segments(e, work, err) : rc;
    rc = rc == 0 ? take_topics(e, work, err) : rc;
    if (rc < 0) {
        return rc;
    }
    work->mark = e->mark;
    work->is_root_new = e->is_root_new;
    work->topics_version = e->topics_version;
    work->is_catalog_new = e->catalog_saved != e->topics_version;
    wr_checkpoint_encode(e, is_clean, &work->file);
    rc = wr_writer_end(&work->file, err);
    if (rc == 0 && work->is_catalog_new) {
        wr_catalog_encode(e, &work->catalog);
        rc = wr_writer_end(&work->catalog, err);
    }
    return rc;
}

/* ---- syncing ---- */

/* What is derived is made anew when it is missed: a full disk may do without it. */
static int derived(int rc)
{
    return rc == WEIR_E_FULL ? 0 : rc;
}

static int sync_segments(struct wr_embedded *e, struct work *work, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < work->segment_count && rc == 0; i++) {
        struct wr_segment *seg = work->segments[i];
        if (!wr_topic_is_deleted(seg->partition->topic)) {
            rc = wr_segment_sync(e, seg, err);
        }
    }
    return rc;
}

static int sync_file(struct wr_embedded *e, const struct wr_partition *p, const char *name,
                     struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    wr_path_in(e, p, name, path);
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE, &file, err);
    rc = rc == 0 ? wr_file_sync(file, err) : rc;
    wr_file_close(file);
    return rc;
}

static int sync_partition(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    bool is_new = p->is_folder_new;
    pthread_mutex_unlock(&e->lock);
    int rc = 0;
    if (is_new) {
        char folder[WR_PATH_BYTES];
        wr_path_folder(e, p->topic->topic.name, p->number, folder);
        rc = sync_file(e, p, "partition.metadata", err);
        rc = rc == 0 ? wr_vfs_sync_dir(e->vfs, folder, err) : rc;
        pthread_mutex_lock(&e->lock);
        p->is_folder_new = rc < 0;
        pthread_mutex_unlock(&e->lock);
    }
    rc = rc == 0 ? derived(wr_list_save(e, p, err)) : rc;
    return rc == 0 ? derived(wr_epochs_save(e, p, err)) : rc;
}

static int sync_topics(struct wr_embedded *e, struct work *work, struct weir_error *err)
{
    int rc = 0;
    for (size_t t = 0; t < work->topic_count; t++) {
        struct wr_topic_state *topic = work->topics[t];
        for (uint32_t i = 0; i < topic->topic.partition_count && rc == 0; i++) {
            rc = wr_topic_is_deleted(topic) ? 0 : sync_partition(e, &topic->partitions[i], err);
        }
    }
    return rc;
}

/* The names of the folders. A checkpoint that ends before this has made durable what is in them, and not these. */
static int sync_root(struct wr_embedded *e, struct work *work, struct weir_error *err)
{
    int rc = work->is_root_new ? wr_vfs_sync_dir(e->vfs, e->dir, err) : 0;
    pthread_mutex_lock(&e->lock);
    for (size_t t = 0; t < work->topic_count && work->is_root_new && rc == 0; t++) {
        struct wr_topic_state *topic = work->topics[t];
        for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
            topic->partitions[i].is_folder_unnamed = false;
        }
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int replace_catalog(struct wr_embedded *e, const struct wr_writer *w, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_root(e, "catalog", path);
    return wr_vfs_replace(e->vfs, path, wr_writer_bytes(w), err);
}

/* Over the older of the two files, in place. Its name is made durable when it is new. */
static int write_file(struct wr_embedded *e, const struct wr_writer *w, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    uint32_t slot = 1 - e->checkpoint_slot;
    struct wr_file *file = NULL;
    wr_path_root(e, slot == 0 ? "checkpoint.0" : "checkpoint.1", path);
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, err);
    int64_t size = rc == 0 ? wr_file_size(file, err) : rc;
    rc = size < 0 ? (int)size : wr_file_write(file, w->base, w->len, 0, err);
    rc = rc == 0 ? wr_file_sync(file, err) : rc;
    wr_file_close(file);
    rc = rc == 0 && size == 0 ? wr_vfs_sync_dir(e->vfs, e->dir, err) : rc;
    if (rc == 0) {
        e->checkpoint_slot = slot;
    }
    return rc;
}

/* In this order: what the checkpoint speaks of is durable before it is. */
static int make_durable(struct wr_embedded *e, struct work *work, struct weir_error *err)
{
    int rc = sync_segments(e, work, err);
    rc = rc == 0 ? sync_topics(e, work, err) : rc;
    rc = rc == 0 ? sync_root(e, work, err) : rc;
    rc = rc == 0 && work->is_catalog_new ? replace_catalog(e, &work->catalog, err) : rc;
    return rc == 0 ? write_file(e, &work->file, err) : rc;
}

/* ---- done: L is held ---- */

static bool is_synced(const struct wr_segment *seg)
{
    return seg->is_dropped ||
           (seg->info.bytes == seg->synced_bytes && seg->aborted_count == 0 && !seg->is_new);
}

static void clean_list(struct wr_embedded *e)
{
    struct wr_segment **at = &e->dirty;
    while (*at != NULL) {
        struct wr_segment *seg = *at;
        if (is_synced(seg)) {
            *at = seg->dirty_next;
            seg->is_dirty = false;
            e->dirty_count--;
        } else {
            at = &seg->dirty_next;
        }
    }
}

static void record(struct wr_embedded *e, struct work *work)
{
    clean_list(e);
    e->placed_since = 0; /* what was placed meanwhile is little beside the bound */
    e->must_checkpoint = false;
    e->is_root_new = work->is_root_new ? false : e->is_root_new;
    if (work->is_catalog_new) {
        e->catalog_saved = work->topics_version;
    }
    e->checkpoint_count++;
    e->checkpoints_first -= e->checkpoints_first > 0 ? 1 : 0;
    e->stats.checkpoints++;
    wr_journal_release(&e->journal, &work->mark);
    pthread_cond_broadcast(&e->done);
}

static void free_work(struct wr_embedded *e, struct work *work)
{
    for (size_t i = 0; i < work->segment_count; i++) {
        struct wr_topic_state *topic = work->segments[i]->partition->topic;
        wr_segment_unpin(e, work->segments[i]);
        wr_topic_state_unref(topic);
    }
    for (size_t i = 0; i < work->topic_count; i++) {
        wr_topic_state_unref(work->topics[i]);
    }
    wr_free(work->segments);
    wr_free(work->topics);
    wr_writer_fini(&work->file);
    wr_writer_fini(&work->catalog);
}

static int run(struct wr_embedded *e, bool is_clean, struct weir_error *err)
{
    struct work work = {
        .file = wr_writer_growing(FILE_MAX),
        .catalog = wr_writer_growing(FILE_MAX),
    };
    pthread_mutex_lock(&e->lock);
    while (e->is_sealing) {
        pthread_cond_wait(&e->done, &e->lock);
    }
    int rc = take_stock(e, &work, is_clean, err);
    bool has_failed = e->has_failed;
    pthread_mutex_unlock(&e->lock);
    rc = rc == 0 ? make_durable(e, &work, err) : rc;
    pthread_mutex_lock(&e->lock);
    if (rc == 0) {
        record(e, &work);
    }
    pthread_mutex_unlock(&e->lock);
    free_work(e, &work);
    bool is_harmless = rc == WEIR_E_FULL || rc == WEIR_E_NOMEM || has_failed;
    return rc < 0 && !is_harmless ? wr_embedded_fail(e, err) : rc;
}

static uint32_t first_due(struct wr_embedded *e)
{
    pthread_mutex_lock(&e->lock);
    uint32_t due = e->checkpoints_first;
    pthread_mutex_unlock(&e->lock);
    return due;
}

/* Those that are due before the first round. Without room for a journal file, the first round that needs one asks again. K. */
static int run_first(struct wr_embedded *e, struct weir_error *err)
{
    int rc = 0;
    while (rc == 0 && first_due(e) > 0) {
        rc = run(e, false, err);
    }
    int settled = rc == 0 ? wr_journal_settle(&e->journal, err) : 0;
    return settled < 0 && settled != WEIR_E_FULL ? wr_embedded_fail(e, err) : rc;
}

int wr_checkpoint_run(struct wr_embedded *e, struct weir_error *err)
{
    pthread_mutex_lock(&e->keep_lock);
    int rc = first_due(e) > 0 ? run_first(e, err) : run(e, false, err);
    pthread_mutex_unlock(&e->keep_lock);
    return rc < 0 ? wr_wrap(err, "checkpoint") : 0;
}

int wr_checkpoint_first(struct wr_embedded *e, struct weir_error *err)
{
    if (first_due(e) == 0) {
        return 0;
    }
    pthread_mutex_lock(&e->keep_lock);
    bool is_due = first_due(e) > 0; /* nobody else has, meanwhile */
    int rc = is_due ? run_first(e, err) : 0;
    pthread_mutex_unlock(&e->keep_lock);
    return rc < 0 ? wr_wrap(err, "checkpoint") : is_due;
}

int wr_checkpoint_close(struct wr_embedded *e, struct weir_error *err)
{
    pthread_mutex_lock(&e->keep_lock);
    int rc = run(e, true, err);
    pthread_mutex_unlock(&e->keep_lock);
    return rc < 0 ? wr_wrap(err, "last checkpoint") : 0;
}

/* How much of the journal may be live before the next one is asked for; half of it at most. L. */
static uint64_t live_max(const struct wr_embedded *e)
{
    uint64_t room = (uint64_t)e->options.journal_file_bytes * e->options.journal_file_count;
    uint64_t want = (uint64_t)e->dirty_count * LIVE_OF_SEGMENT;
    want = want < LIVE_MIN ? LIVE_MIN : want;
    return want < room / 2 ? want : room / 2;
}

void wr_checkpoint_consider(struct wr_embedded *e)
{
    bool is_time = wr_journal_live(&e->journal) > live_max(e) || e->placed_since > PLACED_MAX;
    if ((is_time && !e->must_checkpoint) || wr_journal_needs_file(&e->journal)) {
        pthread_cond_signal(&e->keep_work);
    }
    e->must_checkpoint = e->must_checkpoint || is_time;
}

int wr_checkpoint_sync_journal(struct wr_embedded *e, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    e->sync_due_ms = INT64_MAX; /* what comes from now on sets a new time */
    pthread_mutex_unlock(&e->lock);
    int rc = wr_journal_sync(&e->journal, err);
    return rc < 0 ? wr_embedded_fail(e, err) : 0;
}
