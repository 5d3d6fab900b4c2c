/* list.c - the list of a partition's sealed segments: loaded when it is needed, made anew when wrong. */
#include "log/embedded/list.h"

#include "base/reader.h"
#include "data/crc.h"
#include "log/embedded/cursor.h"
#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/segment.h"

#include <inttypes.h>

enum {
    VERSION = 1,
    CRC_BYTES = 4,
    FILE_MAX = 1 << 28,
    COUNT_MAX = 1 << 22
};

static const struct wr_str MAGIC = WR_STR_INIT("WEIRSEGM");

void wr_segment_info_put(struct wr_writer *w, const struct wr_segment_info *info)
{
    wr_put_u64(w, (uint64_t)info->base);
    wr_put_u64(w, (uint64_t)info->next);
    wr_put_u64(w, info->bytes);
    wr_put_u64(w, (uint64_t)info->first_timestamp_ms);
    wr_put_u64(w, (uint64_t)info->max_timestamp_ms);
    wr_put_u64(w, (uint64_t)info->max_timestamp_next);
    wr_put_u32(w, info->aborted_count);
    wr_put_u32(w, info->aborted_crc);
}

struct wr_segment_info wr_segment_info_read(struct wr_reader *r)
{
    struct wr_segment_info info = {0};
    info.base = wr_read_i64(r, "base offset");
    info.next = wr_read_i64(r, "next offset");
    info.bytes = wr_read_u64(r, "bytes");
    info.first_timestamp_ms = wr_read_i64(r, "first time");
    info.max_timestamp_ms = wr_read_i64(r, "greatest time");
    info.max_timestamp_next = wr_read_i64(r, "offset of the greatest time");
    info.aborted_count = wr_read_u32(r, "aborted transactions");
    info.aborted_crc = wr_read_u32(r, "CRC of .txnindex");
    if (info.base < 0 || info.next < info.base || info.bytes > (uint64_t)INT64_MAX) {
        wr_reader_spoil(r, "segment");
    }
    return info;
}

/* ---- the file ---- */

static int check_file(struct wr_bytes file, struct wr_bytes *inside, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(file);
    size_t len = file.len < CRC_BYTES ? 0 : file.len - CRC_BYTES;
    *inside = wr_read_bytes(&r, len, "list of segments");
    uint32_t crc = wr_read_u32(&r, "CRC");
    int rc = wr_reader_end(&r, err);
    if (rc == 0 && wr_crc32c(*inside) != crc) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the CRC does not fit");
    }
    return rc;
}

int wr_list_decode(struct wr_bytes file, struct wr_topic_id topic, uint32_t partition,
                   struct wr_segment_info **out, size_t *count, struct weir_error *err)
{
    struct wr_bytes inside;
    int rc = check_file(file, &inside, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_reader r = wr_reader_of(inside);
    bool is_ours = wr_str_eq(wr_str_of_bytes(wr_read_bytes(&r, MAGIC.len, "magic")), MAGIC);
    is_ours = wr_read_u32(&r, "version") == VERSION && is_ours;
    struct wr_bytes id = wr_read_bytes(&r, sizeof(topic.bytes), "topic id");
    is_ours = wr_bytes_eq(id, (struct wr_bytes){topic.bytes, sizeof(topic.bytes)}) && is_ours;
    if (wr_read_u32(&r, "partition") != partition || !is_ours) {
        wr_reader_spoil(&r, "magic, version, topic or partition");
    }
    size_t n = wr_read_u32(&r, "segment count");
    if (!wr_reader_holds(&r, n, WR_SEGMENT_INFO_BYTES, "segments")) {
        n = 0;
    }
    struct wr_segment_info *list = wr_alloc_array(n + 1, sizeof(*list));
    if (list == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments", n);
    }
    for (size_t i = 0; i < n; i++) {
        list[i] = wr_segment_info_read(&r);
        if (i > 0 && list[i].base != list[i - 1].next) {
            wr_reader_spoil(&r, "order of segments");
        }
    }
    rc = wr_reader_end(&r, err);
    if (rc < 0) {
        wr_free(list);
        return rc;
    }
    *out = list;
    *count = n;
    return 0;
}

static int write_file(struct wr_embedded *e, struct wr_partition *p, uint64_t *version,
                      struct wr_writer *w, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    *version = p->list_version;
    wr_put_str(w, MAGIC);
    wr_put_u32(w, VERSION);
    wr_put_bytes(w, (struct wr_bytes){p->topic->topic.id.bytes, sizeof(p->topic->topic.id.bytes)});
    wr_put_u32(w, p->number);
    size_t count = p->segment_count - 1;
    wr_put_u32(w, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        wr_segment_info_put(w, &p->segments[i]->info);
    }
    wr_put_u32(w, wr_crc32c(wr_writer_bytes(w)));
    pthread_mutex_unlock(&e->lock);
    char path[WR_PATH_BYTES];
    wr_path_in(e, p, "segments", path);
    int rc = wr_writer_end(w, err);
    return rc < 0 ? rc : wr_vfs_replace(e->vfs, path, wr_writer_bytes(w), err);
}

int wr_list_save(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    bool is_saved = p->list_saved == p->list_version;
    pthread_mutex_unlock(&e->lock);
    if (is_saved) {
        return 0;
    }
    int rc = wr_list_load(e, p, err);
    if (rc < 0) {
        return rc;
    }
    uint64_t version = 0;
    struct wr_writer w = wr_writer_growing(FILE_MAX);
    rc = write_file(e, p, &version, &w, err);
    wr_writer_fini(&w);
    if (rc == 0) {
        pthread_mutex_lock(&e->lock);
        p->list_saved = version;
        pthread_mutex_unlock(&e->lock);
    }
    return rc;
}

/* ---- made anew ---- */

struct found {
    struct wr_embedded *e;
    struct wr_partition *p;
    int64_t before; /* only segments with a lower base */
    struct wr_segment_info *list;
    size_t count;
    size_t cap;
};

static int found_file(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct found *found = arg;
    int64_t base = wr_segment_base_of(entry->name, ".log");
    if (base < 0 || base >= found->before || entry->is_dir) {
        return 0;
    }
    if (!wr_grow(&found->list, &found->cap, found->count + 1, sizeof(found->list[0]), COUNT_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments", found->count);
    }
    found->list[found->count] = (struct wr_segment_info){
        .base = base,
        .first_timestamp_ms = -1,
        .max_timestamp_ms = -1,
    };
    found->count++;
    return 0;
}

static int by_base(const void *a, const void *b)
{
    const struct wr_segment_info *x = a;
    const struct wr_segment_info *y = b;
    return x->base < y->base ? -1 : (x->base > y->base ? 1 : 0);
}

static int see_batch(void *arg, const struct wr_batch *batch, uint64_t position,
                     struct weir_error *err)
{
    WR_UNUSED(position);
    WR_UNUSED(err);
    struct wr_segment_info *info = arg;
    const struct wr_batch_header *h = &batch->header;
    info->first_timestamp_ms =
        info->first_timestamp_ms < 0 ? h->max_timestamp_ms : info->first_timestamp_ms;
    if (h->max_timestamp_ms > info->max_timestamp_ms) {
        info->max_timestamp_ms = h->max_timestamp_ms;
        info->max_timestamp_next = wr_batch_next_offset(h);
    }
    return 0;
}

static void note_unreadable(const struct found *found, const struct wr_segment_info *info,
                            const struct wr_segment_end *end, const char *path)
{
    struct wr_damage damage = {end->next_offset, info->next, info->base, end->bytes, info->bytes};
    pthread_mutex_lock(&found->e->lock);
    wr_partition_damage(found->p, &damage);
    pthread_mutex_unlock(&found->e->lock);
    wr_embedded_notice(found->e, WR_ERROR,
                       "'%s' is damaged from byte %" PRIu64 " on: offsets %" PRId64 " to %" PRId64
                       " cannot be read",
                       path, end->bytes, end->next_offset, info->next - 1);
}

/* Read a whole sealed segment, behind which one at `next` is there. It may reach further, and then that one
 * is a leftover. What is not valid in it is damage. */
static int scan_segment(struct found *found, struct wr_segment_info *info, int64_t next,
                        struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(found->e, found->p, info->base, "log", path);
    struct wr_file *file = NULL;
    struct wr_segment_visitor visitor = {see_batch, info, true};
    struct wr_segment_end end;
    int rc = wr_file_open(found->e->vfs, path, WR_OPEN_READ, &file, err);
    int64_t size = rc == 0 ? wr_file_size(file, err) : rc;
    rc = size < 0 ? (int)size
                  : wr_segment_scan(file, 0, (uint64_t)size, info->base, &visitor, &end, err);
    wr_file_close(file);
    if (rc < 0) {
        return rc;
    }
    bool is_whole = end.is_whole && end.next_offset >= next && end.next_offset <= found->before;
    info->bytes = (uint64_t)size;
    info->next = is_whole ? end.next_offset : next;
    if (!is_whole) {
        note_unreadable(found, info, &end, path);
    }
    return 0;
}

/* Scan them in turn, and leave out those that begin within the one before: an unclean stop left them, and
 * they are swept. */
static int scan_all(struct found *found, struct weir_error *err)
{
    size_t kept = 0;
    int rc = 0;
    for (size_t i = 0; i < found->count && rc == 0; i++) {
        struct wr_segment_info info = found->list[i];
        if (kept > 0 && info.base < found->list[kept - 1].next) {
            continue;
        }
        int64_t next = i + 1 < found->count ? found->list[i + 1].base : found->before;
        rc = scan_segment(found, &info, next, err);
        info.aborted_count = WR_ABORTED_UNKNOWN;
        found->list[kept] = info;
        kept++;
    }
    found->count = kept;
    return rc;
}

/* What lies below the log start was removed, or was about to be: it need not be whole, and some of it may
 * be missing. The files that are left are swept. */
static void forget_removed(struct found *found, int64_t log_start)
{
    size_t first = 0;
    while (first + 1 < found->count && found->list[first + 1].base <= log_start) {
        first++;
    }
    if (first + 1 == found->count && found->before <= log_start) {
        first++;
    }
    found->count -= first;
    memmove(found->list, found->list + first, found->count * sizeof(found->list[0]));
    if (first > 0) {
        pthread_mutex_lock(&found->e->lock);
        found->p->must_sweep = true;
        pthread_mutex_unlock(&found->e->lock);
    }
}

/* The segments from the log start on are gone. */
static void note_missing(struct found *found, int64_t log_start, int64_t base)
{
    struct wr_damage damage = {log_start, base, log_start, 0, 0};
    pthread_mutex_lock(&found->e->lock);
    wr_partition_damage(found->p, &damage);
    pthread_mutex_unlock(&found->e->lock);
    wr_embedded_notice(found->e, WR_ERROR,
                       "'%s' partition %u: offsets %" PRId64 " to %" PRId64
                       " are lost: no segment has them; it takes no more records",
                       found->p->topic->topic.name, found->p->number, log_start, base - 1);
}

static int rebuild(struct found *found, int64_t log_start, struct wr_segment_info **out,
                   size_t *count, struct weir_error *err)
{
    char folder[WR_PATH_BYTES];
    wr_path_folder(found->e, found->p->topic->topic.name, found->p->number, folder);
    int rc = wr_vfs_list(found->e->vfs, folder, found_file, found, err);
    if (rc == 0 && found->count > 1) {
        qsort(found->list, found->count, sizeof(found->list[0]), by_base);
    }
    if (rc == 0 && found->count > 0) {
        forget_removed(found, log_start);
    }
    int64_t first = found->count > 0 ? found->list[0].base : found->before;
    if (rc == 0 && first > log_start) {
        note_missing(found, log_start, first);
    }
    rc = rc == 0 ? scan_all(found, err) : rc;
    if (rc < 0) {
        wr_free(found->list);
        return rc;
    }
    *out = found->list;
    *count = found->count;
    return 0;
}

/* ---- loading ---- */

/* Those before `before`, and with something at or behind the log start; all there, one after another. */
static bool is_complete(const struct wr_segment_info *list, size_t *first, size_t *count,
                        int64_t log_start, int64_t before)
{
    while (*count > 0 && list[*count - 1].base >= before) {
        (*count)--;
    }
    while (*first < *count && list[*first].next <= log_start) {
        (*first)++;
    }
    return *first < *count && list[*first].base <= log_start && list[*count - 1].next == before;
}

static int read_file(struct wr_embedded *e, struct wr_partition *p, struct wr_segment_info **out,
                     size_t *count, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_bytes file;
    wr_path_in(e, p, "segments", path);
    int rc = wr_vfs_read_file(e->vfs, path, FILE_MAX, &file, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_list_decode(file, p->topic->topic.id, p->number, out, count, err);
    wr_free((void *)(uintptr_t)file.ptr);
    return rc < 0 ? wr_wrap(err, "'%s'", path) : 0;
}

/* Put them before those that are known. L. */
static int prepend(struct wr_partition *p, const struct wr_segment_info *list, size_t count,
                   struct weir_error *err)
{
    size_t made = 0;
    struct wr_segment **all = wr_alloc_array(p->segment_count + count, sizeof(struct wr_segment *));
    for (bool is_good = all != NULL; is_good && made < count; made += is_good ? 1 : 0) {
        all[made] = wr_segment_new(p, &list[made]);
        is_good = all[made] != NULL;
    }
    if (all == NULL || made < count) {
        for (size_t i = 0; i < made; i++) {
            wr_free(all[i]);
        }
        wr_free(all);
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments", count);
    }
    memcpy(all + count, p->segments, p->segment_count * sizeof(struct wr_segment *));
    wr_free(p->segments);
    p->segments = all;
    p->segment_count += count;
    p->segment_cap = p->segment_count;
    return 0;
}

int wr_list_load(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    bool is_listed = p->is_listed;
    int64_t before = p->segments[0]->info.base;
    int64_t log_start = p->log_start;
    pthread_mutex_unlock(&e->lock);
    if (is_listed) {
        return 0;
    }
    struct wr_segment_info *list = NULL;
    size_t count = 0;
    size_t first = 0;
    int rc = read_file(e, p, &list, &count, err);
    bool is_good = rc == 0 && is_complete(list, &first, &count, log_start, before);
    if (!is_good && rc != WEIR_E_IO && rc != WEIR_E_NOMEM) {
        wr_embedded_notice(e, WR_WARN,
                           "'%s' partition %u: the list of its segments is missing or wrong; "
                           "the segments are read to make it anew",
                           p->topic->topic.name, p->number);
        wr_free(list);
        list = NULL;
        first = 0;
        struct found found = {.e = e, .p = p, .before = before};
        rc = rebuild(&found, log_start, &list, &count, err);
    }
    if (rc < 0) {
        wr_free(list);
        return rc;
    }
    pthread_mutex_lock(&e->lock);
    if (!p->is_listed) { /* else another thread was faster */
        rc = prepend(p, list + first, count - first, err);
        p->is_listed = rc == 0;
        p->list_version += is_good ? 0 : 1;
    }
    pthread_mutex_unlock(&e->lock);
    wr_free(list);
    return rc;
}
