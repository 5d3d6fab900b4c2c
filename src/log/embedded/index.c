/* index.c - .index and .timeindex: written behind the appends, verified when used, made anew when wrong. */
#include "log/embedded/index.h"

#include "base/reader.h"
#include "log/embedded/cursor.h"
#include "log/embedded/segment.h"

#include <inttypes.h>

enum {
    PLACE_BYTES = 8,
    TIME_BYTES = 12,
    INDEX_FILE_MAX = 1 << 28,
    GAP_MAX =
        1024 * 1024 /* bytes without an entry, beyond which a sealed segment's index is made anew */
};

struct place {
    uint32_t offset;
    uint32_t position;
};

struct time_entry {
    int64_t timestamp_ms;
    uint32_t offset;
};

/* ---- written with the active segment ---- */

void wr_index_note(struct wr_partition *p, const struct wr_segment *seg,
                   const struct wr_batch_note *note)
{
    struct wr_index_tail *tail = seg->tail;
    if (tail == NULL) {
        return;
    }
    bool is_time = tail->bytes > (uint64_t)p->topic->config.index_interval_bytes;
    if (is_time && tail->place_count < WR_INDEX_TAIL_MAX) {
        int64_t last = wr_batch_last_offset(&note->header) - seg->info.base;
        tail->places[tail->place_count].offset = (uint32_t)last;
        tail->places[tail->place_count].position = (uint32_t)note->position;
        tail->place_count++;
        tail->bytes = 0;
    }
    if (is_time && tail->time_count < WR_INDEX_TAIL_MAX &&
        seg->info.max_timestamp_ms > tail->timestamp_ms) {
        tail->times[tail->time_count].timestamp_ms = seg->info.max_timestamp_ms;
        tail->times[tail->time_count].offset =
            (uint32_t)(seg->info.max_timestamp_next - 1 - seg->info.base);
        tail->time_count++;
        tail->timestamp_ms = seg->info.max_timestamp_ms;
    }
    tail->bytes += note->header.size_bytes;
}

static struct place read_place(struct wr_reader *r)
{
    struct place entry = {wr_read_u32(r, "offset"), wr_read_u32(r, "position")};
    return entry;
}

static struct time_entry read_time(struct wr_reader *r)
{
    struct time_entry entry = {wr_read_i64(r, "time"), wr_read_u32(r, "offset")};
    return entry;
}

/* How many bytes of a .index are entries that ascend and lie before `limit`. */
static size_t good_places(struct wr_bytes file, struct place limit, uint32_t *last_position)
{
    struct wr_reader r = wr_reader_of(file);
    size_t good = 0;
    struct place before = {0, 0};
    *last_position = 0;
    while (wr_reader_left(&r) >= PLACE_BYTES) {
        struct place entry = read_place(&r);
        bool is_ascending =
            good == 0 || (entry.offset > before.offset && entry.position > before.position);
        if (!is_ascending || entry.offset >= limit.offset || entry.position >= limit.position) {
            break;
        }
        before = entry;
        *last_position = entry.position;
        good += PLACE_BYTES;
    }
    return good;
}

static size_t good_times(struct wr_bytes file, struct time_entry limit)
{
    struct wr_reader r = wr_reader_of(file);
    size_t good = 0;
    struct time_entry before = {INT64_MIN, 0};
    while (wr_reader_left(&r) >= TIME_BYTES) {
        struct time_entry entry = read_time(&r);
        bool is_ascending =
            entry.timestamp_ms > before.timestamp_ms && (good == 0 || entry.offset > before.offset);
        if (!is_ascending || entry.offset >= limit.offset ||
            entry.timestamp_ms >= limit.timestamp_ms) {
            break;
        }
        before = entry;
        good += TIME_BYTES;
    }
    return good;
}

/* Open an index file; `end` is where the entries that are good so far end, or the file does. */
static int open_index(struct wr_embedded *e, struct wr_segment *seg, const char *suffix,
                      struct wr_file **out, uint64_t *end, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, suffix, path);
    struct wr_file *file = NULL;
    int rc = wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, err);
    if (rc < 0) {
        return rc;
    }
    int64_t size = wr_file_size(file, err);
    if (size < 0) {
        wr_file_close(file);
        return (int)size;
    }
    *out = file;
    *end = (uint64_t)size;
    return 0;
}

/* The bytes of a whole index file, owned by the caller. */
static int slurp(struct wr_file *file, uint64_t size, struct wr_bytes *out, struct weir_error *err)
{
    if (size > INDEX_FILE_MAX) {
        size = INDEX_FILE_MAX;
    }
    uint8_t *bytes = wr_alloc_array((size_t)size + 1, 1);
    if (bytes == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "index of %" PRIu64 " bytes", size);
    }
    int rc = wr_file_read_all(file, bytes, (size_t)size, 0, err);
    if (rc < 0) {
        wr_free(bytes);
        return rc;
    }
    *out = (struct wr_bytes){bytes, (size_t)size};
    return 0;
}

static int write_places(struct wr_embedded *e, struct wr_segment *seg,
                        const struct wr_index_tail *tail, bool *is_gappy, struct weir_error *err)
{
    struct wr_file *file = NULL;
    uint64_t end = 0;
    int rc = open_index(e, seg, "index", &file, &end, err);
    if (rc < 0) {
        return rc;
    }
    if (!tail->is_adopted) {
        struct wr_bytes old = {NULL, 0};
        uint32_t last_position = 0;
        rc = slurp(file, end, &old, err);
        if (rc == 0) {
            struct place limit = {tail->places[0].offset, tail->places[0].position};
            end = good_places(old, limit, &last_position);
            *is_gappy = tail->places[0].position - last_position > GAP_MAX;
            wr_free((void *)(uintptr_t)old.ptr);
            rc = wr_file_truncate(file, end, err);
        }
    }
    uint8_t bytes[WR_INDEX_TAIL_MAX * PLACE_BYTES];
    struct wr_writer w = wr_writer_over(bytes, sizeof(bytes));
    for (size_t i = 0; i < tail->place_count; i++) {
        wr_put_u32(&w, tail->places[i].offset);
        wr_put_u32(&w, tail->places[i].position);
    }
    rc = rc == 0 ? wr_file_write(file, bytes, w.len, end, err) : rc;
    wr_file_close(file);
    return rc;
}

static int write_times(struct wr_embedded *e, struct wr_segment *seg,
                       const struct wr_index_tail *tail, struct weir_error *err)
{
    struct wr_file *file = NULL;
    uint64_t end = 0;
    int rc = open_index(e, seg, "timeindex", &file, &end, err);
    if (rc < 0) {
        return rc;
    }
    if (!tail->is_adopted) {
        struct wr_bytes old = {NULL, 0};
        rc = slurp(file, end, &old, err);
        if (rc == 0) {
            struct time_entry limit = {tail->times[0].timestamp_ms, tail->times[0].offset};
            end = good_times(old, limit);
            wr_free((void *)(uintptr_t)old.ptr);
            rc = wr_file_truncate(file, end, err);
        }
    }
    uint8_t bytes[WR_INDEX_TAIL_MAX * TIME_BYTES];
    struct wr_writer w = wr_writer_over(bytes, sizeof(bytes));
    for (size_t i = 0; i < tail->time_count; i++) {
        wr_put_u64(&w, (uint64_t)tail->times[i].timestamp_ms);
        wr_put_u32(&w, tail->times[i].offset);
    }
    rc = rc == 0 ? wr_file_write(file, bytes, w.len, end, err) : rc;
    wr_file_close(file);
    return rc;
}

void wr_index_write(struct wr_embedded *e, struct wr_partition *p, struct wr_segment *seg)
{
    WR_UNUSED(p);
    struct wr_index_tail *tail = seg->tail;
    if (tail == NULL) {
        return;
    }
    /* Entries are added under S only, so what was copied under L is all there is until we are done. */
    pthread_mutex_lock(&e->lock);
    struct wr_index_tail copy = *tail;
    pthread_mutex_unlock(&e->lock);
    struct weir_error none;
    bool is_gappy = tail->is_gappy;
    int rc = copy.place_count == 0 ? 0 : write_places(e, seg, &copy, &is_gappy, &none);
    rc = rc == 0 && copy.time_count > 0 ? write_times(e, seg, &copy, &none) : rc;
    pthread_mutex_lock(&e->lock);
    tail->place_count = 0;
    tail->time_count = 0;
    tail->is_gappy = is_gappy || rc < 0;
    tail->is_adopted = tail->is_adopted || (copy.place_count > 0 && copy.time_count > 0);
    pthread_mutex_unlock(&e->lock);
}

/* Does the file lack what an index of the segment should have? Of one that another run began, nobody knows. */
static bool is_index_missing(struct wr_embedded *e, const struct wr_segment *seg)
{
    char path[WR_PATH_BYTES];
    struct weir_error none;
    struct wr_file *file = NULL;
    if (seg->tail->is_adopted) {
        return false;
    }
    wr_path_segment(e, seg->partition, seg->info.base, "index", path);
    int rc = wr_file_open(e->vfs, path, WR_OPEN_READ, &file, &none);
    wr_file_close(file);
    return rc == WEIR_E_NOTFOUND;
}

/* Nothing was added in this run: what the files end with is not known. */
static struct wr_index_tail *tail_to_seal(struct wr_segment *seg)
{
    if (seg->tail == NULL && seg->info.bytes > 0) {
        seg->tail =
            wr_alloc_array(1, sizeof(*seg->tail)); /* without one the index is made anew later */
        if (seg->tail != NULL) {
            seg->tail->timestamp_ms = -1;
        }
    }
    return seg->tail;
}

void wr_index_seal(struct wr_embedded *e, struct wr_partition *p, struct wr_segment *seg)
{
    pthread_mutex_lock(&e->lock);
    struct wr_index_tail *tail = tail_to_seal(seg);
    pthread_mutex_unlock(&e->lock);
    if (tail == NULL) {
        return;
    }
    pthread_mutex_lock(&e->lock);
    if (seg->info.max_timestamp_ms > tail->timestamp_ms && tail->time_count < WR_INDEX_TAIL_MAX) {
        tail->times[tail->time_count].timestamp_ms = seg->info.max_timestamp_ms;
        tail->times[tail->time_count].offset =
            (uint32_t)(seg->info.max_timestamp_next - 1 - seg->info.base);
        tail->time_count++;
    }
    pthread_mutex_unlock(&e->lock);
    wr_index_write(e, p, seg);
    if (tail->is_gappy) {
        char path[WR_PATH_BYTES];
        struct weir_error none;
        wr_path_segment(e, p, seg->info.base, "index", path);
        int gone = wr_vfs_unlink(e->vfs, path, &none);
        WR_UNUSED(gone);
    }
    bool is_missing = tail->is_gappy || is_index_missing(e, seg);
    pthread_mutex_lock(&e->lock);
    p->must_sweep =
        p->must_sweep || is_missing; /* which makes it, unless a reader misses it first */
    seg->tail = NULL;
    pthread_mutex_unlock(&e->lock);
    wr_free(tail);
}

/* ---- lookups ---- */

/* Does a batch that ends with `offset` stand at the place that the entry names? */
static int is_true_place(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                         struct place entry, bool *is_true, struct weir_error *err)
{
    *is_true = false;
    if (entry.position >= bytes) {
        return 0;
    }
    struct wr_file *file = NULL;
    int rc = wr_segment_pin(e, seg, &file, err);
    if (rc < 0) {
        return rc;
    }
    uint8_t head[WR_BATCH_HEADER_BYTES];
    struct wr_batch_header header;
    struct weir_error none;
    int64_t n = wr_file_read(file, head, sizeof(head), entry.position, err);
    wr_segment_unpin(e, seg);
    if (n < 0) {
        return (int)n;
    }
    *is_true = wr_batch_header_decode((struct wr_bytes){head, (size_t)n}, &header, &none) == 0 &&
               wr_batch_last_offset(&header) == seg->info.base + (int64_t)entry.offset;
    return 0;
}

/* The last entry at or before `offset` that waits in memory. */
static bool find_in_tail(struct wr_embedded *e, const struct wr_segment *seg, int64_t offset,
                         uint64_t *position)
{
    bool is_found = false;
    pthread_mutex_lock(&e->lock);
    const struct wr_index_tail *tail = seg->tail;
    for (size_t i = tail == NULL ? 0 : tail->place_count; i > 0 && !is_found; i--) {
        is_found = seg->info.base + (int64_t)tail->places[i - 1].offset <= offset;
        *position = tail->places[i - 1].position;
    }
    pthread_mutex_unlock(&e->lock);
    return is_found;
}

/* Binary search by reading; a file that is not sorted gives some entry, which is then verified. */
static int search_places(struct wr_file *file, uint64_t count, uint64_t relative, struct place *out,
                         bool *is_found, struct weir_error *err)
{
    uint64_t low = 0;
    uint64_t high = count;
    *is_found = false;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint8_t bytes[PLACE_BYTES];
        int rc = wr_file_read_all(file, bytes, sizeof(bytes), middle * PLACE_BYTES, err);
        if (rc < 0) {
            return rc;
        }
        struct wr_reader r = wr_reader_of((struct wr_bytes){bytes, sizeof(bytes)});
        struct place entry = read_place(&r);
        if (entry.offset <= relative) {
            *out = entry;
            *is_found = true;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

enum verdict {
    GOOD,
    WRONG,  /* missing, or an entry that names a batch which is not there */
    NOTHING /* a good file without an entry that helps */
};

static int find_in_file(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                        int64_t offset, uint64_t *position, enum verdict *out,
                        struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, "index", path);
    struct wr_file *file = NULL;
    int rc = wr_file_open(e->vfs, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        *out = WRONG;
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    struct place entry = {0, 0};
    bool is_found = false;
    bool is_true = false;
    int64_t size = wr_file_size(file, err);
    rc = size < 0 ? (int)size : 0;
    if (rc == 0) {
        rc = search_places(file, (uint64_t)size / PLACE_BYTES, (uint64_t)(offset - seg->info.base),
                           &entry, &is_found, err);
    }
    wr_file_close(file);
    if (rc == 0 && is_found) {
        rc = is_true_place(e, seg, bytes, entry, &is_true, err);
    }
    *position = entry.position;
    *out = is_true ? GOOD : (is_found || size % PLACE_BYTES != 0 ? WRONG : NOTHING);
    return rc;
}

/* Nobody writes to the segment, so its indexes may be made anew by who finds them wrong. */
static bool is_sealed(struct wr_embedded *e, const struct wr_segment *seg)
{
    pthread_mutex_lock(&e->lock);
    bool is_active = seg == wr_segment_active(seg->partition) || seg->tail != NULL;
    pthread_mutex_unlock(&e->lock);
    return !is_active;
}

int wr_index_find(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes, int64_t offset,
                  uint64_t *position, struct weir_error *err)
{
    *position = 0;
    if (bytes <= (uint64_t)seg->partition->topic->config.index_interval_bytes ||
        find_in_tail(e, seg, offset, position)) {
        return 0;
    }
    enum verdict verdict = WRONG;
    int rc = find_in_file(e, seg, bytes, offset, position, &verdict, err);
    if (rc == 0 && verdict == WRONG && is_sealed(e, seg)) {
        struct weir_error none; /* a disk that takes no index still serves, slower */
        if (wr_index_rebuild(e, seg, bytes, &none) == 0) {
            rc = find_in_file(e, seg, bytes, offset, position, &verdict, err);
        }
    }
    if (verdict != GOOD) {
        *position = 0;
    }
    return rc;
}

/* ---- by time ---- */

static int search_times(struct wr_file *file, uint64_t count, int64_t timestamp_ms,
                        struct time_entry *out, bool *is_found, struct weir_error *err)
{
    uint64_t low = 0;
    uint64_t high = count;
    *is_found = false;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        uint8_t bytes[TIME_BYTES];
        int rc = wr_file_read_all(file, bytes, sizeof(bytes), middle * TIME_BYTES, err);
        if (rc < 0) {
            return rc;
        }
        struct wr_reader r = wr_reader_of((struct wr_bytes){bytes, sizeof(bytes)});
        struct time_entry entry = read_time(&r);
        if (entry.timestamp_ms < timestamp_ms) {
            *out = entry;
            *is_found = true;
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 0;
}

static int find_time(struct wr_embedded *e, struct wr_segment *seg, int64_t timestamp_ms,
                     struct time_entry *out, bool *is_found, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, "timeindex", path);
    struct wr_file *file = NULL;
    *is_found = false;
    int rc = wr_file_open(e->vfs, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    int64_t size = wr_file_size(file, err);
    rc = size < 0
             ? (int)size
             : search_times(file, (uint64_t)size / TIME_BYTES, timestamp_ms, out, is_found, err);
    wr_file_close(file);
    return rc;
}

/* Find the batch that ends with `last`, and the position behind it, if it has the time that the entry
 * claims: then no batch up to it has a later one. */
static int verify_time(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                       struct time_entry entry, uint64_t *behind, struct weir_error *err)
{
    int64_t last = seg->info.base + (int64_t)entry.offset;
    uint64_t from = 0;
    struct wr_file *file = NULL;
    *behind = 0;
    int rc = wr_index_find(e, seg, bytes, last, &from, err);
    rc = rc == 0 ? wr_segment_pin(e, seg, &file, err) : rc;
    if (rc < 0) {
        return rc;
    }
    struct wr_cursor c = wr_cursor_of(file, from, bytes, 0);
    struct wr_batch_header header;
    rc = wr_cursor_header(&c, &header, err);
    while (rc > 0 && wr_batch_last_offset(&header) < last) {
        wr_cursor_pass(&c, &header);
        rc = wr_cursor_header(&c, &header, err);
    }
    if (rc > 0 && wr_batch_last_offset(&header) == last &&
        header.max_timestamp_ms == entry.timestamp_ms) {
        *behind = c.at + header.size_bytes;
    }
    wr_cursor_fini(&c);
    wr_segment_unpin(e, seg);
    return rc < 0 && rc != WEIR_E_CORRUPT ? rc : 0;
}

int wr_index_find_time(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                       int64_t timestamp_ms, uint64_t *position, struct weir_error *err)
{
    struct time_entry entry = {0, 0};
    bool is_found = false;
    *position = 0;
    int rc = find_time(e, seg, timestamp_ms, &entry, &is_found, err);
    if (rc < 0 || !is_found) {
        return rc;
    }
    rc = verify_time(e, seg, bytes, entry, position, err);
    if (rc < 0 || *position > 0 || !is_sealed(e, seg)) {
        return rc;
    }
    struct weir_error none;
    if (wr_index_rebuild(e, seg, bytes, &none) < 0) {
        return 0;
    }
    rc = find_time(e, seg, timestamp_ms, &entry, &is_found, err);
    return rc < 0 || !is_found ? rc : verify_time(e, seg, bytes, entry, position, err);
}

/* ---- making them anew ---- */

struct rebuild {
    struct wr_writer places;
    struct wr_writer times;
    int64_t base;
    uint64_t interval;
    uint64_t since;
    int64_t max_timestamp_ms;
    int64_t max_offset; /* last of the batch that has it */
    int64_t last_timestamp_ms;
};

static void add_time(struct rebuild *b)
{
    if (b->max_timestamp_ms > b->last_timestamp_ms) {
        wr_put_u64(&b->times, (uint64_t)b->max_timestamp_ms);
        wr_put_u32(&b->times, (uint32_t)(b->max_offset - b->base));
        b->last_timestamp_ms = b->max_timestamp_ms;
    }
}

static int rebuild_batch(void *arg, const struct wr_batch *batch, uint64_t position,
                         struct weir_error *err)
{
    WR_UNUSED(err);
    struct rebuild *b = arg;
    const struct wr_batch_header *h = &batch->header;
    if (h->max_timestamp_ms > b->max_timestamp_ms) {
        b->max_timestamp_ms = h->max_timestamp_ms;
        b->max_offset = wr_batch_last_offset(h);
    }
    if (b->since > b->interval) {
        wr_put_u32(&b->places, (uint32_t)(wr_batch_last_offset(h) - b->base));
        wr_put_u32(&b->places, (uint32_t)position);
        add_time(b);
        b->since = 0;
    }
    b->since += h->size_bytes;
    return 0;
}

static int replace(struct wr_embedded *e, struct wr_segment *seg, const char *suffix,
                   const struct wr_writer *w, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    wr_path_segment(e, seg->partition, seg->info.base, suffix, path);
    int rc = wr_writer_end(w, err);
    return rc < 0 ? rc : wr_vfs_replace(e->vfs, path, wr_writer_bytes(w), err);
}

int wr_index_rebuild(struct wr_embedded *e, struct wr_segment *seg, uint64_t bytes,
                     struct weir_error *err)
{
    struct rebuild b = {
        .places = wr_writer_growing(INDEX_FILE_MAX),
        .times = wr_writer_growing(INDEX_FILE_MAX),
        .base = seg->info.base,
        .interval = (uint64_t)seg->partition->topic->config.index_interval_bytes,
        .max_timestamp_ms = -1,
        .last_timestamp_ms = -1,
    };
    struct wr_segment_visitor visitor = {rebuild_batch, &b, false};
    struct wr_segment_end end;
    struct wr_file *file = NULL;
    int rc = wr_segment_pin(e, seg, &file, err);
    if (rc == 0) {
        rc = wr_segment_scan(file, 0, bytes, seg->info.base, &visitor, &end, err);
        wr_segment_unpin(e, seg);
    }
    add_time(&b);
    rc = rc == 0 ? replace(e, seg, "index", &b.places, err) : rc;
    rc = rc == 0 ? replace(e, seg, "timeindex", &b.times, err) : rc;
    wr_writer_fini(&b.places);
    wr_writer_fini(&b.times);
    return rc;
}

/* The bytes of a sealed segment that should have an index and has none; 0 for any other. */
static uint64_t bytes_without_index(struct wr_embedded *e, const struct wr_segment *seg)
{
    char path[WR_PATH_BYTES];
    struct weir_error none;
    struct wr_file *file = NULL;
    pthread_mutex_lock(&e->lock);
    uint64_t bytes = seg->info.bytes;
    pthread_mutex_unlock(&e->lock);
    if (!is_sealed(e, seg) ||
        bytes <= (uint64_t)seg->partition->topic->config.index_interval_bytes) {
        return 0;
    }
    wr_path_segment(e, seg->partition, seg->info.base, "index", path);
    int rc = wr_file_open(e->vfs, path, WR_OPEN_READ, &file, &none);
    wr_file_close(file);
    return rc == WEIR_E_NOTFOUND ? bytes : 0;
}

bool wr_index_make_missing(struct wr_embedded *e, struct wr_partition *p, uint64_t *left)
{
    int64_t at = -1;
    bool is_more = false;
    struct wr_segment *seg = NULL;
    while ((seg = wr_segment_hold_after(e, p, at)) != NULL) {
        at = seg->info.base;
        uint64_t bytes = bytes_without_index(e, seg);
        struct weir_error none; /* a disk that takes no index still serves, slower */
        if (bytes > 0 && bytes <= *left) {
            *left -= bytes;
            int rc = wr_index_rebuild(e, seg, bytes, &none);
            WR_UNUSED(rc);
        } else if (bytes <= WR_INDEX_MAKE_MAX) {
            is_more = is_more || bytes > 0;
        }
        wr_segment_unpin(e, seg);
    }
    return is_more;
}
