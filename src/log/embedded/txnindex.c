/* txnindex.c - .txnindex: the aborted transactions of a segment, by where their markers are. */
#include "log/embedded/index.h"

#include "base/reader.h"
#include "data/crc.h"
#include "log/embedded/cursor.h"
#include "log/embedded/list.h"
#include "log/embedded/segment.h"

#include <inttypes.h>

enum {
    ENTRY_BYTES = 34,
    ENTRIES_MAX = 1 << 24
};

static void put(struct wr_writer *w, const struct wr_aborted *a)
{
    wr_put_u16(w, 0);
    wr_put_u64(w, (uint64_t)a->producer_id);
    wr_put_u64(w, (uint64_t)a->first_offset);
    wr_put_u64(w, (uint64_t)a->last_offset);
    wr_put_u64(w, (uint64_t)a->last_stable);
}

bool wr_txnindex_room(struct wr_segment *seg, size_t count)
{
    return wr_grow(&seg->aborted, &seg->aborted_cap, seg->aborted_count + count,
                   sizeof(seg->aborted[0]), ENTRIES_MAX);
}

void wr_txnindex_note(struct wr_segment *seg, const struct wr_aborted *aborted)
{
    WR_ASSERT(seg->aborted_count < seg->aborted_cap);
    WR_ASSERT(seg->info.aborted_count != WR_ABORTED_UNKNOWN); /* only of sealed ones */
    uint8_t bytes[ENTRY_BYTES];
    struct wr_writer w = wr_writer_over(bytes, sizeof(bytes));
    put(&w, aborted);
    seg->aborted[seg->aborted_count] = *aborted;
    seg->aborted_count++;
    seg->info.aborted_count++;
    seg->info.aborted_crc = wr_crc32c_extend(seg->info.aborted_crc, wr_writer_bytes(&w));
}

static int write_at(struct wr_embedded *e, struct wr_segment *seg, struct wr_bytes bytes,
                    uint64_t at, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, "txnindex", path);
    struct wr_file *file = NULL;
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_file_write(file, bytes.ptr, bytes.len, at, err);
    rc = rc == 0 ? wr_file_truncate(file, at + bytes.len, err) : rc;
    rc = rc == 0 ? wr_file_sync(file, err) : rc;
    wr_file_close(file);
    return rc;
}

int wr_txnindex_write(struct wr_embedded *e, struct wr_segment *seg, struct weir_error *err)
{
    struct wr_writer w = wr_writer_growing((size_t)ENTRIES_MAX * ENTRY_BYTES);
    pthread_mutex_lock(&e->lock);
    size_t count = seg->aborted_count;
    uint64_t at = (uint64_t)(seg->info.aborted_count - count) * ENTRY_BYTES;
    for (size_t i = 0; i < count; i++) {
        put(&w, &seg->aborted[i]);
    }
    pthread_mutex_unlock(&e->lock);
    int rc = count == 0 ? 0 : wr_writer_end(&w, err);
    rc = rc == 0 && count > 0 ? write_at(e, seg, wr_writer_bytes(&w), at, err) : rc;
    wr_writer_fini(&w);
    if (rc == 0 && count > 0) {
        pthread_mutex_lock(&e->lock);
        seg->aborted_count -= count;
        memmove(seg->aborted, seg->aborted + count, seg->aborted_count * sizeof(seg->aborted[0]));
        seg->is_new = true; /* the name of a file in the folder may be new: sync it once more */
        pthread_mutex_unlock(&e->lock);
    }
    return rc;
}

/* ---- reading ---- */

/* What the file must hold: `bytes` of it, with this CRC. Taken under L with those in memory. */
struct wanted {
    uint32_t count; /* in the file */
    uint32_t crc;   /* of all, those in memory too */
};

static int decode(struct wr_bytes bytes, struct wr_aborted *out, size_t count,
                  struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(bytes);
    for (size_t i = 0; i < count; i++) {
        if (wr_read_i16(&r, "version") != 0) {
            wr_reader_spoil(&r, "version");
        }
        out[i].producer_id = wr_read_i64(&r, "producer id");
        out[i].first_offset = wr_read_i64(&r, "first offset");
        out[i].last_offset = wr_read_i64(&r, "last offset");
        out[i].last_stable = wr_read_i64(&r, "last stable offset");
    }
    return wr_reader_ok(&r, err);
}

/* Read what is in the file and check all against the CRC. WEIR_E_CORRUPT, also when it is missing. */
static int read_file(struct wr_embedded *e, struct wr_segment *seg, const struct wanted *wanted,
                     struct wr_aborted *out, size_t total, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, "txnindex", path);
    struct wr_writer w = wr_writer_growing((size_t)ENTRIES_MAX * ENTRY_BYTES);
    uint8_t *room = wr_writer_room(&w, (size_t)wanted->count * ENTRY_BYTES);
    struct wr_file *file = NULL;
    int rc = 0;
    if (room == NULL && wanted->count > 0) {
        rc = wr_fail(err, WEIR_E_NOMEM, "%u aborted transactions", wanted->count);
    }
    rc = rc == 0 && wanted->count > 0 ? wr_file_open(e->vfs, path, WR_OPEN_READ, &file, err) : rc;
    if (rc == 0 && wanted->count > 0) {
        rc = wr_file_read_all(file, room, (size_t)wanted->count * ENTRY_BYTES, 0, err);
    }
    wr_file_close(file);
    if (rc == 0) {
        wr_writer_advance(&w, (size_t)wanted->count * ENTRY_BYTES);
        rc = decode(wr_writer_bytes(&w), out, wanted->count, err);
    }
    for (size_t i = wanted->count; i < total; i++) {
        put(&w, &out[i]);
    }
    rc = rc == 0 ? wr_writer_end(&w, err) : rc;
    if (rc == 0 && wr_crc32c(wr_writer_bytes(&w)) != wanted->crc) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "'%s' is not what was written", path);
    }
    wr_writer_fini(&w);
    return rc == WEIR_E_NOTFOUND ? WEIR_E_CORRUPT : rc;
}

/* ---- making it anew ---- */

struct replay {
    struct wr_open_transaction *open;
    size_t open_count;
    size_t open_cap;
    struct wr_aborted *aborted;
    size_t count;
    size_t cap;
    int64_t from; /* markers before this offset are of earlier segments */
};

static int64_t least_open(const struct replay *replay, int64_t otherwise)
{
    int64_t least = otherwise;
    for (size_t i = 0; i < replay->open_count; i++) {
        least = replay->open[i].first_offset < least ? replay->open[i].first_offset : least;
    }
    return least;
}

static int replay_end(struct replay *replay, const struct wr_marker *marker, int64_t offset,
                      struct weir_error *err)
{
    for (size_t i = 0; i < replay->open_count; i++) {
        if (replay->open[i].producer_id != marker->producer_id) {
            continue;
        }
        struct wr_aborted a = {marker->producer_id, replay->open[i].first_offset, offset, 0};
        replay->open_count--;
        replay->open[i] = replay->open[replay->open_count];
        if (marker->type != WR_MARKER_ABORT || offset < replay->from) {
            return 0;
        }
        a.last_stable = least_open(replay, offset + 1);
        if (!wr_grow(&replay->aborted, &replay->cap, replay->count + 1, sizeof(a), ENTRIES_MAX)) {
            return wr_fail(err, WEIR_E_NOMEM, "aborted transactions");
        }
        replay->aborted[replay->count] = a;
        replay->count++;
        return 0;
    }
    return 0;
}

static int replay_batch(void *arg, const struct wr_batch *batch, uint64_t position,
                        struct weir_error *err)
{
    WR_UNUSED(position);
    struct replay *replay = arg;
    const struct wr_batch_header *h = &batch->header;
    struct wr_marker marker;
    struct weir_error none;
    if ((h->attributes & WR_BATCH_CONTROL) != 0) {
        int rc = wr_marker_decode(batch, &marker, &none);
        return rc < 0 ? 0 : replay_end(replay, &marker, h->base_offset, err);
    }
    if ((h->attributes & WR_BATCH_TRANSACTIONAL) == 0) {
        return 0;
    }
    for (size_t i = 0; i < replay->open_count; i++) {
        if (replay->open[i].producer_id == h->producer_id) {
            return 0;
        }
    }
    if (!wr_grow(&replay->open, &replay->open_cap, replay->open_count + 1, sizeof(replay->open[0]),
                 ENTRIES_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "open transactions");
    }
    replay->open[replay->open_count] =
        (struct wr_open_transaction){h->producer_id, h->producer_epoch, h->base_offset};
    replay->open_count++;
    return 0;
}

static int replay_segment(struct wr_embedded *e, struct wr_segment *seg, struct replay *replay,
                          struct weir_error *err)
{
    struct wr_segment_visitor visitor = {replay_batch, replay, true};
    struct wr_segment_end end;
    struct wr_file *file = NULL;
    int rc = wr_segment_pin(e, seg, &file, err);
    if (rc < 0) {
        return rc;
    }
    pthread_mutex_lock(&e->lock);
    uint64_t bytes = seg->info.bytes;
    pthread_mutex_unlock(&e->lock);
    rc = wr_segment_scan(file, 0, bytes, seg->info.base, &visitor, &end, err);
    wr_segment_unpin(e, seg);
    return rc;
}

/* The log itself says what was aborted: read it from its start to the end of this segment. */
static int rebuild(struct wr_embedded *e, struct wr_segment *seg, struct replay *replay,
                   struct weir_error *err)
{
    int64_t at = -1;
    struct wr_segment *next = NULL;
    int rc = wr_list_load(e, seg->partition, err);
    while (rc == 0 && at < seg->info.base &&
           (next = wr_segment_hold_after(e, seg->partition, at)) != NULL) {
        at = next->info.base;
        rc = replay_segment(e, next, replay, err);
        wr_segment_unpin(e, next);
    }
    return rc;
}

/* Make the file anew, as far as it goes: what waits in memory is written to it later. The segment then
 * knows its count and CRC, also when they were not known. */
static void save(struct wr_embedded *e, struct wr_segment *seg, const struct replay *replay)
{
    struct wr_writer w = wr_writer_growing((size_t)ENTRIES_MAX * ENTRY_BYTES);
    for (size_t i = 0; i < replay->count; i++) {
        put(&w, &replay->aborted[i]);
    }
    pthread_mutex_lock(&e->lock);
    size_t in_memory = seg->aborted_count;
    if (seg->info.aborted_count == WR_ABORTED_UNKNOWN && w.spoiled == 0) {
        seg->info.aborted_count = (uint32_t)replay->count;
        seg->info.aborted_crc = wr_crc32c(wr_writer_bytes(&w));
        seg->partition->list_version++;
    }
    pthread_mutex_unlock(&e->lock);
    size_t in_file = replay->count < in_memory ? 0 : replay->count - in_memory;
    struct wr_bytes bytes = {w.base, in_file * ENTRY_BYTES};
    struct weir_error none; /* a disk that does not take it still serves */
    if (w.spoiled == 0 && in_file > 0) {
        int rc = write_at(e, seg, bytes, 0, &none);
        WR_UNUSED(rc);
    }
    wr_writer_fini(&w);
}

static int make_anew(struct wr_embedded *e, struct wr_segment *seg, struct wr_aborted **out,
                     size_t *count, struct weir_error *err)
{
    struct replay replay = {.from = seg->info.base};
    int rc = rebuild(e, seg, &replay, err);
    wr_free(replay.open);
    if (rc < 0) {
        wr_free(replay.aborted);
        return rc;
    }
    save(e, seg, &replay);
    *out = replay.aborted;
    *count = replay.count;
    return 0;
}

int wr_txnindex_read(struct wr_embedded *e, struct wr_segment *seg, struct wr_aborted **out,
                     size_t *count, struct weir_error *err)
{
    *out = NULL;
    *count = 0;
    pthread_mutex_lock(&e->lock);
    size_t total = seg->info.aborted_count;
    bool is_known = total != WR_ABORTED_UNKNOWN;
    struct wanted wanted = {(uint32_t)(total - seg->aborted_count), seg->info.aborted_crc};
    struct wr_aborted *list = NULL;
    if (is_known && total > 0) {
        list = wr_alloc_array(total, sizeof(*list));
    }
    if (list != NULL && seg->aborted_count > 0) {
        memcpy(list + wanted.count, seg->aborted, seg->aborted_count * sizeof(*list));
    }
    pthread_mutex_unlock(&e->lock);
    if (total == 0) {
        return 0;
    }
    if (is_known && list == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu aborted transactions", total);
    }
    int rc = is_known ? read_file(e, seg, &wanted, list, total, err) : WEIR_E_CORRUPT;
    if (rc == 0) {
        *out = list;
        *count = total;
        return 0;
    }
    wr_free(list);
    return rc == WEIR_E_CORRUPT ? make_anew(e, seg, out, count, err) : rc;
}
