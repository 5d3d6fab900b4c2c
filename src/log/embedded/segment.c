/* segment.c - names, open files and reserved room of segments. */
#include "log/embedded/segment.h"

#include "log/embedded/engine.h"
#include "log/embedded/index.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    RESERVE_MIN = 64 * 1024,
    RESERVE_MAX = 4 * 1024 * 1024,
    SEGMENTS_MAX = 1 << 24
};

/* ---- names ---- */

#define FORMAT_PATH(out, ...)                                                                  \
    do {                                                                                       \
        int path_len_ = snprintf((out), WR_PATH_BYTES, __VA_ARGS__);                           \
        WR_ASSERT(path_len_ > 0 && path_len_ < WR_PATH_BYTES); /* checked when opening: dir */ \
    } while (0)

void wr_path_root(const struct wr_embedded *e, const char *name, char *out)
{
    FORMAT_PATH(out, "%s/%s", e->dir, name);
}

void wr_path_folder(const struct wr_embedded *e, const char *topic, uint32_t partition, char *out)
{
    FORMAT_PATH(out, "%s/%s-%u", e->dir, topic, partition);
}

void wr_path_in(const struct wr_embedded *e, const struct wr_partition *p, const char *name,
                char *out)
{
    FORMAT_PATH(out, "%s/%s-%u/%s", e->dir, p->topic->topic.name, p->number, name);
}

void wr_path_segment(const struct wr_embedded *e, const struct wr_partition *p, int64_t base,
                     const char *suffix, char *out)
{
    FORMAT_PATH(out, "%s/%s-%u/%020" PRId64 ".%s", e->dir, p->topic->topic.name, p->number, base,
                suffix);
}

int64_t wr_segment_base_of(const char *name, const char *suffix)
{
    enum {
        DIGITS = 20
    };
    int64_t base = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9' || __builtin_mul_overflow(base, 10, &base) ||
            __builtin_add_overflow(base, name[i] - '0', &base)) {
            return -1;
        }
    }
    bool is_good = suffix == NULL ? name[DIGITS] == '.' : strcmp(name + DIGITS, suffix) == 0;
    return is_good ? base : -1;
}

/* ---- life ---- */

struct wr_segment *wr_segment_new(struct wr_partition *p, const struct wr_segment_info *info)
{
    struct wr_segment *seg = wr_alloc_array(1, sizeof(*seg));
    if (seg == NULL) {
        return NULL;
    }
    seg->partition = p;
    seg->info = *info;
    seg->synced_bytes = info->bytes;
    seg->write_at = info->bytes;
    seg->reserved_to = info->bytes;
    seg->next_offset = info->next;
    return seg;
}

int wr_segment_attach(struct wr_segment *seg, struct weir_error *err)
{
    struct wr_partition *p = seg->partition;
    if (!wr_grow(&p->segments, &p->segment_cap, p->segment_count + 1, sizeof(struct wr_segment *),
                 SEGMENTS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments of '%s' %u", p->segment_count,
                       p->topic->topic.name, p->number);
    }
    p->segments[p->segment_count] = seg;
    p->segment_count++;
    return 0;
}

static void unlink_file(struct wr_embedded *e, struct wr_segment *seg)
{
    *(seg->older == NULL ? &e->oldest_file : &seg->older->newer) = seg->newer;
    *(seg->newer == NULL ? &e->newest_file : &seg->newer->older) = seg->older;
    seg->older = NULL;
    seg->newer = NULL;
    e->open_files--;
}

static void link_newest(struct wr_embedded *e, struct wr_segment *seg)
{
    seg->older = e->newest_file;
    *(seg->older == NULL ? &e->oldest_file : &seg->older->newer) = seg;
    e->newest_file = seg;
    e->open_files++;
}

/* L. */
static void close_file(struct wr_embedded *e, struct wr_segment *seg)
{
    if (seg->file != NULL) {
        unlink_file(e, seg);
        wr_file_close(seg->file);
        seg->file = NULL;
    }
}

static void free_segment(struct wr_embedded *e, struct wr_segment *seg)
{
    close_file(e, seg);
    wr_free(seg->aborted);
    wr_free(seg);
}

void wr_segment_drop(struct wr_embedded *e, struct wr_segment *seg)
{
    struct wr_segment **at = &e->dirty;
    while (seg->is_dirty && *at != seg) {
        at = &(*at)->dirty_next;
    }
    if (seg->is_dirty) {
        *at = seg->dirty_next;
        seg->is_dirty = false;
        e->dirty_count--;
    }
    seg->is_dropped = true;
    if (seg->pins == 0) {
        free_segment(e, seg);
    }
}

/* An empty .log. What a leftover held is gone for good before an entry relies on the file: a power loss
 * that brought it back would leave bytes behind the end. */
static int make_empty(struct wr_embedded *e, const struct wr_segment *seg, struct wr_file **out,
                      struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_file *file = NULL;
    wr_path_segment(e, seg->partition, seg->info.base, "log", path);
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, err);
    int64_t size = rc == 0 ? wr_file_size(file, err) : rc;
    rc = size < 0 ? (int)size : 0;
    if (size > 0) {
        rc = wr_file_truncate(file, 0, err);
        if (rc == 0 && wr_file_sync(file, err) < 0) {
            rc = wr_embedded_fail(e, err);
        }
    }
    if (rc < 0 && file != NULL) { /* the next records may go on in the segment before */
        struct weir_error none;
        int gone = wr_vfs_unlink(e->vfs, path, &none);
        WR_UNUSED(gone);
    }
    if (rc < 0) {
        wr_file_close(file);
        return rc;
    }
    *out = file;
    return 0;
}

int wr_segment_create(struct wr_embedded *e, struct wr_segment *seg, struct weir_error *err)
{
    static const char *const derived[] = {"index", "timeindex", "txnindex"};
    char path[WR_PATH_BYTES];
    struct weir_error none;
    for (size_t i = 0; i < sizeof(derived) / sizeof(derived[0]); i++) {
        wr_path_segment(e, seg->partition, seg->info.base, derived[i], path);
        int rc = wr_vfs_unlink(e->vfs, path, &none);
        if (rc < 0 && rc != WEIR_E_NOTFOUND) {
            *err = none;
            return rc;
        }
    }
    struct wr_file *file = NULL;
    int rc = make_empty(e, seg, &file, err);
    if (rc < 0) {
        return rc;
    }
    pthread_mutex_lock(&e->lock);
    WR_ASSERT(seg->file == NULL);
    seg->file = file;
    seg->is_new = true;
    link_newest(e, seg);
    wr_segment_dirty(e, seg);
    pthread_mutex_unlock(&e->lock);
    return 0;
}

/* ---- files held open ---- */

/* Close files that nobody uses and that have nothing to sync, the longest unused first, while there are
 * too many. A file is not closed unsynced: the error of a write-back could then get lost. L. */
static void close_unused(struct wr_embedded *e)
{
    struct wr_segment *seg = e->oldest_file;
    while (seg != NULL && e->open_files > e->options.open_files_max) {
        struct wr_segment *next = seg->newer;
        if (seg->pins == 0 && !seg->is_dirty) {
            close_file(e, seg);
        }
        seg = next;
    }
}

/* Install `file`, unless another thread was faster. L. */
static void install(struct wr_embedded *e, struct wr_segment *seg, struct wr_file *file)
{
    if (seg->file == NULL) {
        seg->file = file;
        link_newest(e, seg);
        close_unused(e);
    } else {
        wr_file_close(file);
    }
}

int wr_segment_pin(struct wr_embedded *e, struct wr_segment *seg, struct wr_file **out,
                   struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    seg->pins++;
    if (seg->file != NULL) {
        unlink_file(e, seg);
        link_newest(e, seg);
        *out = seg->file;
        pthread_mutex_unlock(&e->lock);
        return 0;
    }
    pthread_mutex_unlock(&e->lock);
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, "log", path);
    struct wr_file *file = NULL;
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE, &file, err);
    pthread_mutex_lock(&e->lock);
    if (rc == 0) {
        install(e, seg, file);
        *out = seg->file;
    } else {
        wr_segment_unpin_locked(e, seg);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

void wr_segment_unpin_locked(struct wr_embedded *e, struct wr_segment *seg)
{
    WR_ASSERT(seg->pins > 0);
    seg->pins--;
    if (seg->pins == 0 && seg->is_dropped) {
        free_segment(e, seg);
    }
}

void wr_segment_unpin(struct wr_embedded *e, struct wr_segment *seg)
{
    pthread_mutex_lock(&e->lock);
    wr_segment_unpin_locked(e, seg);
    pthread_mutex_unlock(&e->lock);
}

void wr_segment_dirty(struct wr_embedded *e, struct wr_segment *seg)
{
    if (!seg->is_dirty && !seg->is_dropped) {
        seg->is_dirty = true;
        seg->dirty_next = e->dirty;
        e->dirty = seg;
        e->dirty_count++;
    }
}

/* ---- bytes ---- */

int wr_segment_check_room(struct wr_embedded *e, uint64_t bytes, struct weir_error *err)
{
    struct wr_disk_room room;
    int rc = wr_vfs_room(e->vfs, e->dir, &room, err);
    if (rc < 0) {
        return rc;
    }
    uint64_t kept = e->options.room_bytes_min;
    if (room.free_bytes < kept || room.free_bytes - kept < bytes) {
        return wr_fail(err, WEIR_E_FULL,
                       "'%s': the disk has %" PRIu64 " bytes left, of which weir keeps %" PRIu64,
                       e->dir, room.free_bytes, kept);
    }
    return 0;
}

static int reserve_to(struct wr_embedded *e, struct wr_segment *seg, uint64_t to,
                      struct weir_error *err)
{
    uint64_t len = to - seg->reserved_to;
    struct wr_file *file = NULL;
    int rc = wr_segment_check_room(e, len, err);
    rc = rc == 0 ? wr_segment_pin(e, seg, &file, err) : rc;
    if (rc < 0) {
        return rc;
    }
    rc = wr_file_reserve(file, seg->reserved_to, len, err);
    wr_segment_unpin(e, seg);
    if (rc == 0) {
        seg->reserved_to = to;
    }
    return rc;
}

int wr_segment_reserve(struct wr_embedded *e, struct wr_segment *seg, uint64_t len,
                       struct weir_error *err)
{
    uint64_t need = seg->write_at + len;
    if (need <= seg->reserved_to) {
        return 0;
    }
    /* Ahead by as much as there is already, so that small segments take little and large ones ask
     * seldom; but not beyond the size at which the segment is rolled. */
    uint64_t ahead = seg->write_at < RESERVE_MIN ? RESERVE_MIN : seg->write_at;
    ahead = ahead > RESERVE_MAX ? RESERVE_MAX : ahead;
    uint64_t most = (uint64_t)seg->partition->topic->config.segment_bytes;
    uint64_t to = need + ahead < most ? need + ahead : most;
    if (to > need) {
        int rc = reserve_to(e, seg, to, err);
        if (rc != WEIR_E_FULL) {
            return rc;
        }
    }
    return reserve_to(e, seg, need, err);
}

void wr_segment_trim(struct wr_embedded *e, struct wr_segment *seg)
{
    struct weir_error none;
    struct wr_file *file = NULL;
    if (seg->reserved_to <= seg->write_at || wr_segment_pin(e, seg, &file, &none) < 0) {
        return;
    }
    if (wr_file_truncate(file, seg->write_at, &none) == 0) {
        seg->reserved_to = seg->write_at;
    }
    wr_segment_unpin(e, seg);
}

static int sync_names(struct wr_embedded *e, struct wr_segment *seg, struct weir_error *err)
{
    char folder[WR_PATH_BYTES];
    wr_path_folder(e, seg->partition->topic->topic.name, seg->partition->number, folder);
    return wr_vfs_sync_dir(e->vfs, folder, err);
}

static int sync_bytes(struct wr_embedded *e, struct wr_segment *seg, struct wr_file *file,
                      struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    uint64_t target = seg->info.bytes;
    bool has_bytes = target > seg->synced_bytes;
    pthread_mutex_unlock(&e->lock);
    int rc = has_bytes ? wr_file_sync(file, err) : 0;
    pthread_mutex_lock(&e->lock);
    if (rc == 0 && has_bytes) {
        seg->synced_bytes = target > seg->synced_bytes ? target : seg->synced_bytes;
        e->stats.segment_syncs++;
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* Its loss is known, or it was removed before a crash that brought back a journal which speaks of it. */
static bool may_be_gone(struct wr_embedded *e, const struct wr_segment *seg)
{
    pthread_mutex_lock(&e->lock);
    const struct wr_partition *p = seg->partition;
    bool is_removed = seg->info.next <= p->log_start && seg != wr_segment_active(p);
    pthread_mutex_unlock(&e->lock);
    return is_removed || __atomic_load_n(&p->is_quarantined, __ATOMIC_RELAXED);
}

int wr_segment_sync(struct wr_embedded *e, struct wr_segment *seg, struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = wr_segment_pin(e, seg, &file, err);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND && may_be_gone(e, seg) ? 0 : rc;
    }
    rc = sync_bytes(e, seg, file, err);
    int indexed = rc == 0 ? wr_txnindex_write(e, seg, err) : rc;
    rc = indexed == WEIR_E_FULL ? 0 : indexed; /* derived, but the file's own name is not */
    pthread_mutex_lock(&e->lock);
    bool is_new = seg->is_new;
    pthread_mutex_unlock(&e->lock);
    rc = rc == 0 && is_new ? sync_names(e, seg, err) : rc;
    pthread_mutex_lock(&e->lock);
    seg->is_new = rc == 0 ? false : seg->is_new;
    wr_segment_unpin_locked(e, seg);
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* ---- finding ---- */

struct wr_segment *wr_segment_at(const struct wr_partition *p, int64_t offset)
{
    size_t low = 0;
    size_t high = p->segment_count; /* segments[low - 1].base <= offset < segments[high].base */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->segments[middle]->info.base <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? NULL : p->segments[low - 1];
}

struct wr_segment *wr_segment_hold_after(struct wr_embedded *e, struct wr_partition *p,
                                         int64_t base)
{
    struct wr_segment *found = NULL;
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < p->segment_count && found == NULL; i++) {
        found = p->segments[i]->info.base > base ? p->segments[i] : NULL;
    }
    if (found != NULL) {
        found->pins++;
    }
    pthread_mutex_unlock(&e->lock);
    return found;
}

struct wr_segment *wr_segment_active(const struct wr_partition *p)
{
    WR_ASSERT(p->segment_count > 0);
    return p->segments[p->segment_count - 1];
}
