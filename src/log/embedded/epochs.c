/* epochs.c - a partition's leader epochs: text, and made anew from the batches. */
#include "log/embedded/epochs.h"

#include "log/embedded/cursor.h"
#include "log/embedded/engine.h"
#include "log/embedded/list.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    FILE_MAX = 1 << 26,
    EPOCHS_MAX = 1 << 20
};

struct epochs {
    struct wr_epoch *list;
    size_t count;
    size_t cap;
};

static int add(struct epochs *epochs, int32_t epoch, int64_t start, struct weir_error *err)
{
    if (!wr_grow(&epochs->list, &epochs->cap, epochs->count + 1, sizeof(epochs->list[0]),
                 EPOCHS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu leader epochs", epochs->count);
    }
    epochs->list[epochs->count] = (struct wr_epoch){epoch, start};
    epochs->count++;
    return 0;
}

/* ---- text ---- */

/* A whole number up to a blank or the end of the line, which is eaten. */
static bool read_number(struct wr_str *text, char end, int64_t max, int64_t *out)
{
    size_t n = 0;
    int64_t value = 0;
    while (n < text->len && text->ptr[n] >= '0' && text->ptr[n] <= '9') {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text->ptr[n] - '0', &value)) {
            return false;
        }
        n++;
    }
    if (n == 0 || n == text->len || text->ptr[n] != end || value > max) {
        return false;
    }
    *text = (struct wr_str){text->ptr + n + 1, text->len - n - 1};
    *out = value;
    return true;
}

int wr_epochs_decode(struct wr_str text, struct wr_epoch **out, size_t *count,
                     struct weir_error *err)
{
    int64_t version = -1;
    int64_t lines = 0;
    struct epochs epochs = {0};
    bool is_good =
        read_number(&text, '\n', 0, &version) && read_number(&text, '\n', EPOCHS_MAX, &lines);
    int rc = 0;
    for (int64_t i = 0; i < lines && is_good && rc == 0; i++) {
        int64_t epoch = 0;
        int64_t start = 0;
        is_good = read_number(&text, ' ', INT32_MAX, &epoch) &&
                  read_number(&text, '\n', INT64_MAX, &start);
        const struct wr_epoch *before = i == 0 ? NULL : &epochs.list[i - 1];
        is_good = is_good && (before == NULL || (epoch > before->epoch && start >= before->start));
        rc = is_good ? add(&epochs, (int32_t)epoch, start, err) : 0;
    }
    if (rc == 0 && (!is_good || text.len > 0)) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "line %zu is not 'epoch offset', ascending",
                     epochs.count + 3);
    }
    if (rc < 0) {
        wr_free(epochs.list);
        return rc;
    }
    *out = epochs.list;
    *count = epochs.count;
    return 0;
}

static int read_file(struct wr_embedded *e, struct wr_partition *p, struct epochs *out,
                     struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_bytes file;
    wr_path_in(e, p, "leader-epoch-checkpoint", path);
    int rc = wr_vfs_read_file(e->vfs, path, FILE_MAX, &file, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_epochs_decode(wr_str_of_bytes(file), &out->list, &out->count, err);
    out->cap = out->count;
    wr_free((void *)(uintptr_t)file.ptr);
    return rc;
}

/* ---- from the batches ---- */

struct seen {
    struct epochs *epochs;
    int64_t log_start;
};

static int see_batch(void *arg, const struct wr_batch *batch, uint64_t position,
                     struct weir_error *err)
{
    WR_UNUSED(position);
    struct seen *seen = arg;
    const struct wr_batch_header *h = &batch->header;
    struct epochs *epochs = seen->epochs;
    bool is_later = epochs->count == 0 || h->leader_epoch > epochs->list[epochs->count - 1].epoch;
    if (h->leader_epoch < 0 || !is_later || wr_batch_next_offset(h) <= seen->log_start) {
        return 0;
    }
    return add(epochs, h->leader_epoch, h->base_offset, err);
}

static int see_segment(struct wr_embedded *e, struct wr_segment *seg, struct seen *seen,
                       struct weir_error *err)
{
    struct wr_segment_visitor visitor = {see_batch, seen, false};
    struct wr_segment_end end;
    struct wr_file *file = NULL;
    pthread_mutex_lock(&e->lock);
    uint64_t bytes = seg->info.bytes;
    pthread_mutex_unlock(&e->lock);
    int rc = wr_segment_pin(e, seg, &file, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_segment_scan(file, 0, bytes, seg->info.base, &visitor, &end, err);
    wr_segment_unpin(e, seg);
    return rc;
}

static int make_anew(struct wr_embedded *e, struct wr_partition *p, struct epochs *out,
                     struct weir_error *err)
{
    struct seen seen = {.epochs = out};
    int64_t at = -1;
    struct wr_segment *seg = NULL;
    int rc = wr_list_load(e, p, err);
    pthread_mutex_lock(&e->lock);
    seen.log_start = p->log_start;
    pthread_mutex_unlock(&e->lock);
    while (rc == 0 && (seg = wr_segment_hold_after(e, p, at)) != NULL) {
        at = seg->info.base;
        rc = see_segment(e, seg, &seen, err);
        wr_segment_unpin(e, seg);
    }
    return rc;
}

/* ---- */

int wr_epochs_load(struct wr_embedded *e, struct wr_partition *p, struct wr_epoch **out,
                   size_t *count, struct weir_error *err)
{
    struct epochs epochs = {0};
    pthread_mutex_lock(&e->lock);
    int32_t epoch = p->epoch;
    int64_t start = p->epoch_start;
    int32_t saved = p->epoch_saved;
    pthread_mutex_unlock(&e->lock);
    int rc = saved < 0 ? 0 : read_file(e, p, &epochs, err);
    bool is_good = rc == 0 && (saved < 0 ||
                               (epochs.count > 0 && epochs.list[epochs.count - 1].epoch >= saved));
    if (!is_good && rc != WEIR_E_IO && rc != WEIR_E_NOMEM) {
        wr_free(epochs.list);
        epochs = (struct epochs){0};
        rc = make_anew(e, p, &epochs, err);
    }
    while (epochs.count > 0 && epochs.list[epochs.count - 1].epoch >= epoch) {
        epochs.count--; /* written by a run whose appends did not survive */
    }
    rc = rc == 0 && epoch >= 0 ? add(&epochs, epoch, start, err) : rc;
    if (rc < 0) {
        wr_free(epochs.list);
        return rc;
    }
    *out = epochs.list;
    *count = epochs.count;
    return 0;
}

int wr_epochs_save(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    bool is_saved = p->epoch == p->epoch_saved;
    int64_t log_start = p->log_start;
    pthread_mutex_unlock(&e->lock);
    if (is_saved) {
        return 0;
    }
    struct wr_epoch *list = NULL;
    size_t count = 0;
    size_t first = 0;
    int rc = wr_epochs_load(e, p, &list, &count, err);
    while (rc == 0 && first + 1 < count && list[first + 1].start <= log_start) {
        first++;
    }
    struct wr_writer w = wr_writer_growing(FILE_MAX);
    wr_put_fmt(&w, "0\n%zu\n", count - first);
    for (size_t i = first; i < count; i++) {
        wr_put_fmt(&w, "%" PRId32 " %" PRId64 "\n", list[i].epoch, list[i].start);
    }
    char path[WR_PATH_BYTES];
    wr_path_in(e, p, "leader-epoch-checkpoint", path);
    rc = rc == 0 ? wr_writer_end(&w, err) : rc;
    rc = rc == 0 ? wr_vfs_replace(e->vfs, path, wr_writer_bytes(&w), err) : rc;
    if (rc == 0 && count > 0) {
        pthread_mutex_lock(&e->lock);
        p->epoch_saved = list[count - 1].epoch;
        pthread_mutex_unlock(&e->lock);
    }
    wr_writer_fini(&w);
    wr_free(list);
    return rc;
}

int wr_embedded_epoch_end(struct wr_log *log, const struct wr_log_topic *handle, uint32_t partition,
                          int32_t leader_epoch, int64_t *out, struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    const struct wr_topic_state *topic = wr_topic_state_of_const(handle);
    struct wr_partition *p = &topic->partitions[partition];
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    bool is_current = leader_epoch == e->leader_epoch || leader_epoch == p->epoch;
    bool is_unknown = leader_epoch < 0 || leader_epoch > e->leader_epoch;
    int64_t end = p->end;
    pthread_mutex_unlock(&e->lock);
    if (rc == 0 && wr_topic_is_deleted(topic)) {
        rc = wr_topic_gone(topic, err);
    }
    if (rc < 0 || is_current || is_unknown) {
        *out = rc == 0 && is_current ? end : -1;
        return rc;
    }
    struct wr_epoch *list = NULL;
    size_t count = 0;
    rc = wr_epochs_load(e, p, &list, &count, err);
    if (rc < 0) {
        return rc;
    }
    *out = count == 0 || leader_epoch < list[0].epoch ? -1 : end;
    for (size_t i = count; i > 0 && *out >= 0; i--) {
        if (list[i - 1].epoch > leader_epoch) {
            *out = list[i - 1].start;
        }
    }
    wr_free(list);
    return 0;
}
