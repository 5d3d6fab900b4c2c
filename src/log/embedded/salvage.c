#include "log/embedded/salvage.h"

#include "base/reader.h"
#include "data/crc.h"

#include <inttypes.h>

enum {
    WINDOW_BYTES = 256 * 1024,
    MAGIC_AT = 16,
    MAGIC = 2
};

struct wr_salvage wr_salvage_of(struct wr_file *file, uint64_t at, uint64_t size_bytes,
                                int64_t next_offset)
{
    return (struct wr_salvage){
        .file = file, .at = at, .size_bytes = size_bytes, .next_offset = next_offset};
}

void wr_salvage_fini(struct wr_salvage *scan)
{
    wr_free(scan->window);
    *scan = (struct wr_salvage){0};
}

static int make_window(struct wr_salvage *scan, size_t want, struct weir_error *err)
{
    if (want <= scan->window_cap) {
        return 0;
    }
    size_t cap = want > WINDOW_BYTES ? want : WINDOW_BYTES;
    uint8_t *window = wr_alloc_array(cap, 1);
    if (window == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "window of %zu bytes over a segment", cap);
    }
    wr_free(scan->window);
    scan->window = window;
    scan->window_cap = cap;
    scan->window_len = 0;
    return 0;
}

/* `len` bytes at `at`, or fewer where the file ends. Borrowed until the next look. */
static int look(struct wr_salvage *scan, uint64_t at, size_t len, struct wr_bytes *out,
                struct weir_error *err)
{
    uint64_t left = at < scan->size_bytes ? scan->size_bytes - at : 0;
    size_t want = left < len ? (size_t)left : len;
    bool is_inside = at >= scan->window_at && at - scan->window_at <= scan->window_len &&
                     scan->window_len - (size_t)(at - scan->window_at) >= want;
    if (!is_inside) {
        int rc = make_window(scan, want, err);
        if (rc < 0) {
            return rc;
        }
        size_t fill = left < scan->window_cap ? (size_t)left : scan->window_cap;
        scan->window_len = 0;
        int64_t got = wr_file_read(scan->file, scan->window, fill, at, err);
        if (got < 0) {
            return (int)got;
        }
        scan->window_at = at;
        scan->window_len = (size_t)got;
        want = (size_t)got < want ? (size_t)got : want;
    }
    *out = (struct wr_bytes){scan->window + (at - scan->window_at), want};
    return 0;
}

/* The CRC of a batch that may be larger than memory should be taken for on its word alone. */
static int crc_at(struct wr_salvage *scan, uint64_t at, const struct wr_batch_header *header,
                  uint32_t *out, struct weir_error *err)
{
    uint64_t from = at + WR_BATCH_CRC_FROM;
    uint64_t end = at + header->size_bytes;
    uint32_t crc = 0;
    while (from < end) {
        struct wr_bytes piece = {0};
        size_t len = end - from < WINDOW_BYTES ? (size_t)(end - from) : WINDOW_BYTES;
        int rc = look(scan, from, len, &piece, err);
        if (rc < 0) {
            return rc;
        }
        if (piece.len < len) { /* the file has become shorter meanwhile */
            crc = ~header->crc;
            break;
        }
        crc = wr_crc32c_extend(crc, piece);
        from += len;
    }
    *out = crc;
    return 0;
}

static void set_short(struct wr_salvage_step *step, const struct wr_salvage *scan, const char *what)
{
    step->found = WR_SALVAGE_SHORT;
    (void)wr_fail(&step->why, WEIR_E_CORRUPT,
                  "%s at byte %" PRIu64 " ends with the file at %" PRIu64, what, scan->at,
                  scan->size_bytes);
}

/* A whole batch is at the scan's place: give it, and go behind it. */
static int give(struct wr_salvage *scan, const struct wr_batch_header *header,
                struct wr_salvage_step *step, struct weir_error *err)
{
    struct wr_bytes bytes = {0};
    int rc = look(scan, scan->at, header->size_bytes, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    if (bytes.len < header->size_bytes) {
        set_short(step, scan, "batch");
        return 0;
    }
    step->batch = (struct wr_batch){*header, bytes};
    step->found = WR_SALVAGE_BATCH;
    if (scan->next_offset >= 0 && header->base_offset != scan->next_offset) {
        step->found = WR_SALVAGE_BREAK;
        step->wanted_offset = scan->next_offset;
        (void)wr_fail(&step->why, WEIR_E_CORRUPT,
                      "batch at byte %" PRIu64 " has offset %" PRId64 ", but %" PRId64
                      " is the next",
                      scan->at, header->base_offset, scan->next_offset);
    }
    scan->at += header->size_bytes;
    scan->next_offset = wr_batch_next_offset(header);
    return 0;
}

int wr_salvage_next(struct wr_salvage *scan, struct wr_salvage_step *out, struct weir_error *err)
{
    *out = (struct wr_salvage_step){.found = WR_SALVAGE_END, .at = scan->at};
    struct wr_bytes bytes = {0};
    struct wr_batch_header header = {0};
    uint32_t crc = 0;
    int rc = look(scan, scan->at, WR_BATCH_HEADER_BYTES, &bytes, err);
    if (rc < 0 || bytes.len == 0) {
        return rc;
    }
    if (bytes.len < WR_BATCH_HEADER_BYTES) {
        set_short(out, scan, "batch header");
        return 0;
    }
    if (wr_batch_header_decode(bytes, &header, &out->why) < 0) {
        out->found = WR_SALVAGE_BAD;
        return 0;
    }
    out->header = header;
    out->has_header = true;
    if (header.size_bytes > scan->size_bytes - scan->at) {
        set_short(out, scan, "batch");
        return 0;
    }
    rc = crc_at(scan, scan->at, &header, &crc, err);
    if (rc < 0) {
        return rc;
    }
    if (crc != header.crc) {
        out->found = WR_SALVAGE_BAD;
        (void)wr_fail(&out->why, WEIR_E_CORRUPT, "batch has CRC %08x, its bytes have %08x",
                      header.crc, crc);
        return 0;
    }
    return give(scan, &header, out, err);
}

/* Read and check the header at `at`; 1 when it makes sense and its batch would fit into the file. */
static int header_at(struct wr_salvage *scan, uint64_t at, struct wr_batch_header *out,
                     struct weir_error *err)
{
    struct wr_bytes bytes = {0};
    struct weir_error why;
    int rc = look(scan, at, WR_BATCH_HEADER_BYTES, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    /* Cheap first: most places have no 2 where the magic would be. */
    struct wr_reader r = wr_reader_of(bytes);
    (void)wr_read_bytes(&r, MAGIC_AT, "before magic");
    bool makes_sense = wr_read_u8(&r, "magic") == MAGIC &&
                       wr_batch_header_decode(bytes, out, &why) == 0 &&
                       out->size_bytes <= scan->size_bytes - at;
    return makes_sense ? 1 : 0;
}

/* Is what lies behind a batch what should: the end, a start too short to tell, or the next header? */
static int is_followed(struct wr_salvage *scan, uint64_t at, int64_t next_offset,
                       struct weir_error *err)
{
    struct wr_batch_header next = {0};
    if (scan->size_bytes - at < WR_BATCH_HEADER_BYTES) {
        return 1;
    }
    int rc = header_at(scan, at, &next, err);
    return rc > 0 && next.base_offset != next_offset ? 0 : rc;
}

/* A record may hold bytes that are a batch, CRC and all; so the batch behind counts as well. */
static int is_batch_at(struct wr_salvage *scan, uint64_t at, struct weir_error *err)
{
    struct wr_batch_header header = {0};
    uint32_t crc = 0;
    int rc = header_at(scan, at, &header, err);
    if (rc <= 0 || header.base_offset < scan->next_offset) {
        return rc < 0 ? rc : 0;
    }
    rc = crc_at(scan, at, &header, &crc, err);
    if (rc < 0 || crc != header.crc) {
        return rc;
    }
    return is_followed(scan, at + header.size_bytes, wr_batch_next_offset(&header), err);
}

int wr_salvage_resync(struct wr_salvage *scan, struct weir_error *err)
{
    struct wr_batch_header header = {0};
    int rc = header_at(scan, scan->at, &header, err);
    bool may_skip = rc > 0 && (scan->next_offset < 0 || header.base_offset == scan->next_offset);
    if (may_skip) {
        rc = is_followed(scan, scan->at + header.size_bytes, wr_batch_next_offset(&header), err);
    }
    if (may_skip && rc > 0) {
        scan->at += header.size_bytes;
        return scan->at < scan->size_bytes ? 1 : 0;
    }
    while (rc >= 0 && scan->at < scan->size_bytes) {
        scan->at++;
        rc = is_batch_at(scan, scan->at, err);
        if (rc > 0) {
            return 1;
        }
    }
    return rc;
}
