#include "log/embedded/index_check.h"

#include "base/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    FILE_MAX_BYTES = 1 << 28,
    PATH_BYTES = 4096
};

static const size_t entry_bytes[WR_INDEX_KINDS] = {8, 12, 34};

const char *wr_index_suffix(enum wr_index_kind kind)
{
    static const char *const names[WR_INDEX_KINDS] = {"index", "timeindex", "txnindex"};
    return names[kind];
}

static void set_wrong(struct wr_index_file *file, const char *fmt, ...) WR_PRINTF(2, 3);

/* The file is wrong at its present entry. The first reason is kept. */
static void set_wrong(struct wr_index_file *file, const char *fmt, ...)
{
    if (file->is_wrong) {
        return;
    }
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(file->why, sizeof(file->why), fmt, args);
    va_end(args);
    file->is_wrong = true;
    file->wrong_at = file->pos;
}

static int load(struct wr_vfs *vfs, const char *path, struct wr_index_file *out,
                struct weir_error *err)
{
    struct wr_bytes bytes = {NULL, 0};
    int rc = wr_vfs_read_file(vfs, path, FILE_MAX_BYTES, &bytes, err);
    if (rc == WEIR_E_NOTFOUND) {
        return 0;
    }
    if (rc == 0) {
        union {
            const uint8_t *in;
            uint8_t *own;
        } p = {.in = bytes.ptr};
        *out = (struct wr_index_file){.bytes = p.own, .len = bytes.len, .is_there = true};
    }
    if (rc == WEIR_E_LIMIT) {
        out->is_there = true;
        set_wrong(out, "it is larger than any index");
        return 0;
    }
    return rc;
}

int wr_index_check_begin(struct wr_vfs *vfs, const char *path, int64_t base_offset,
                         uint64_t interval_bytes, struct wr_index_check *out,
                         struct weir_error *err)
{
    *out = (struct wr_index_check){.base_offset = base_offset,
                                   .interval_bytes = interval_bytes,
                                   .max_timestamp_ms = INT64_MIN};
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        char name[PATH_BYTES];
        (void)snprintf(name, sizeof(name), "%s.%s", path,
                       wr_index_suffix((enum wr_index_kind)kind));
        int rc = load(vfs, name, &out->files[kind], err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

void wr_index_check_fini(struct wr_index_check *check)
{
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        wr_free(check->files[kind].bytes);
        check->files[kind] = (struct wr_index_file){0};
    }
}

/* A reader at the entry that is to come, or an empty one. */
static struct wr_reader entry_of(const struct wr_index_file *file, enum wr_index_kind kind)
{
    if (file->is_wrong || file->len - file->pos < entry_bytes[kind]) {
        return wr_reader_of((struct wr_bytes){NULL, 0});
    }
    return wr_reader_of((struct wr_bytes){file->bytes + file->pos, entry_bytes[kind]});
}

static void check_place(struct wr_index_check *check, const struct wr_batch_header *header,
                        uint64_t position)
{
    struct wr_index_file *file = &check->files[WR_INDEX_PLACES];
    struct wr_reader r = entry_of(file, WR_INDEX_PLACES);
    if (wr_reader_left(&r) == 0) {
        return;
    }
    int64_t offset = check->base_offset + (int64_t)wr_read_u32(&r, "offset");
    uint32_t at = wr_read_u32(&r, "position");
    if (at > position) {
        return; /* it speaks of a later batch */
    }
    if (at < position) {
        set_wrong(file, "an entry names byte %u, where no batch starts", at);
    } else if (offset != wr_batch_last_offset(header)) {
        set_wrong(file,
                  "an entry says that the batch at byte %u ends with offset %" PRId64
                  ", which ends with %" PRId64,
                  at, offset, wr_batch_last_offset(header));
    } else {
        file->pos += entry_bytes[WR_INDEX_PLACES];
    }
}

static void check_time(struct wr_index_check *check, const struct wr_batch_header *header)
{
    struct wr_index_file *file = &check->files[WR_INDEX_TIMES];
    struct wr_reader r = entry_of(file, WR_INDEX_TIMES);
    int64_t before = check->max_timestamp_ms;
    if (header->max_timestamp_ms > before) {
        check->max_timestamp_ms = header->max_timestamp_ms;
    }
    if (wr_reader_left(&r) == 0) {
        return;
    }
    int64_t timestamp_ms = wr_read_i64(&r, "time");
    int64_t offset = check->base_offset + (int64_t)wr_read_u32(&r, "offset");
    int64_t last = wr_batch_last_offset(header);
    if (offset > last) {
        return;
    }
    if (offset < last) {
        set_wrong(file, "an entry names offset %" PRId64 ", with which no batch ends", offset);
    } else if (timestamp_ms != header->max_timestamp_ms || timestamp_ms <= before) {
        set_wrong(file,
                  "an entry says that %" PRId64 " is the greatest time up to offset %" PRId64
                  ", but %" PRId64 " is",
                  timestamp_ms, offset, check->max_timestamp_ms);
    } else {
        file->pos += entry_bytes[WR_INDEX_TIMES];
    }
}

static void check_aborted(struct wr_index_check *check, const struct wr_index_aborted *aborted)
{
    struct wr_index_file *file = &check->files[WR_INDEX_ABORTED];
    struct wr_reader r = entry_of(file, WR_INDEX_ABORTED);
    check->has_aborted = true;
    if (wr_reader_left(&r) == 0) {
        if (file->is_there) {
            set_wrong(file, "the transaction aborted at offset %" PRId64 " is not in it",
                      aborted->last_offset);
        }
        return;
    }
    int16_t version = wr_read_i16(&r, "version");
    struct wr_index_aborted got = {.producer_id = wr_read_i64(&r, "producer id"),
                                   .first_offset = wr_read_i64(&r, "first offset"),
                                   .last_offset = wr_read_i64(&r, "last offset"),
                                   .last_stable = wr_read_i64(&r, "last stable offset")};
    bool is_start_known = aborted->first_offset >= 0;
    bool is_same = version == 0 && got.producer_id == aborted->producer_id &&
                   got.last_offset == aborted->last_offset &&
                   (!is_start_known || (got.first_offset == aborted->first_offset &&
                                        got.last_stable == aborted->last_stable));
    if (!is_same) {
        set_wrong(file,
                  "an entry says that producer %" PRId64 " aborted %" PRId64 " .. %" PRId64
                  " (stable %" PRId64 "), but producer %" PRId64 " aborted %" PRId64 " .. %" PRId64
                  " (stable %" PRId64 ")",
                  got.producer_id, got.first_offset, got.last_offset, got.last_stable,
                  aborted->producer_id, aborted->first_offset, aborted->last_offset,
                  aborted->last_stable);
        return;
    }
    file->pos += entry_bytes[WR_INDEX_ABORTED];
}

void wr_index_check_batch(struct wr_index_check *check, const struct wr_batch_header *header,
                          uint64_t position, const struct wr_index_aborted *aborted)
{
    if (check->since_bytes > check->interval_bytes) {
        check->due++;
        check->since_bytes = 0;
    }
    check->since_bytes += header->size_bytes;
    check_place(check, header, position);
    check_time(check, header);
    if (aborted != NULL) {
        check_aborted(check, aborted);
    }
}

/* The greatest time of a full segment must be in its index: retention looks there. */
static void check_last_time(struct wr_index_check *check)
{
    struct wr_index_file *file = &check->files[WR_INDEX_TIMES];
    size_t entry = entry_bytes[WR_INDEX_TIMES];
    int64_t last = INT64_MIN;
    if (file->pos >= entry) {
        struct wr_reader r =
            wr_reader_of((struct wr_bytes){file->bytes + file->pos - entry, entry});
        last = wr_read_i64(&r, "time");
    }
    if (file->is_there && check->max_timestamp_ms >= 0 && last != check->max_timestamp_ms) {
        set_wrong(file, "the greatest time of the segment, %" PRId64 ", is not in it",
                  check->max_timestamp_ms);
    }
}

/* Must there be such a file? The active segment's may still be to come. */
static bool is_needed(const struct wr_index_check *check, enum wr_index_kind kind, bool is_full)
{
    switch (kind) {
    case WR_INDEX_PLACES: return is_full && check->due > 0;
    case WR_INDEX_TIMES: return is_full && check->max_timestamp_ms >= 0;
    case WR_INDEX_ABORTED: return check->has_aborted;
    }
    return false;
}

void wr_index_check_end(struct wr_index_check *check, bool is_full,
                        struct wr_index_result out[WR_INDEX_KINDS])
{
    if (is_full) {
        check_last_time(check);
    }
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        struct wr_index_file *file = &check->files[kind];
        if (file->is_there && file->pos < file->len) {
            set_wrong(file, "%zu bytes in it belong to no batch", file->len - file->pos);
        }
        enum wr_index_verdict verdict = WR_INDEX_GOOD;
        if (file->is_wrong) {
            verdict = WR_INDEX_WRONG;
        } else if (!file->is_there && is_needed(check, (enum wr_index_kind)kind, is_full)) {
            verdict = WR_INDEX_MISSING;
        }
        out[kind] = (struct wr_index_result){verdict, file->wrong_at,
                                             file->is_wrong ? file->why : "it is not there"};
    }
}
