/* cursor.c - one window over a segment file, and the scan that is built on it. */
#include "log/embedded/cursor.h"

#include <inttypes.h>

struct wr_cursor wr_cursor_of(struct wr_file *file, uint64_t from, uint64_t to, size_t window_bytes)
{
    WR_ASSERT(from <= to);
    return (struct wr_cursor){
        .file = file,
        .at = from,
        .to = to,
        .window_bytes = window_bytes == 0 ? WR_CURSOR_WINDOW_BYTES : window_bytes,
    };
}

void wr_cursor_fini(struct wr_cursor *c)
{
    wr_free(c->window);
    *c = (struct wr_cursor){0};
}

void wr_cursor_reset(struct wr_cursor *c, struct wr_file *file, uint64_t from, uint64_t to)
{
    WR_ASSERT(from <= to);
    c->file = file;
    c->at = from;
    c->to = to;
    c->window_len = 0;
}

static int grow_window(struct wr_cursor *c, size_t len, struct weir_error *err)
{
    size_t want = len > c->window_bytes ? len : c->window_bytes;
    if (want <= c->cap) {
        return 0;
    }
    uint8_t *window = wr_alloc_array(want, 1);
    if (window == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu bytes to read a batch", want);
    }
    wr_free(c->window);
    c->window = window;
    c->cap = want;
    c->window_len = 0;
    return 0;
}

bool wr_cursor_has(const struct wr_cursor *c, size_t len)
{
    return c->at >= c->window_at && c->at - c->window_at <= c->window_len &&
           len <= c->window_len - (c->at - c->window_at);
}

/* `len` bytes at the cursor, which lie before `to`. */
static int look(struct wr_cursor *c, size_t len, struct wr_bytes *out, struct weir_error *err)
{
    WR_ASSERT(len <= c->to - c->at);
    if (!wr_cursor_has(c, len)) {
        int rc = grow_window(c, len, err);
        if (rc < 0) {
            return rc;
        }
        uint64_t left = c->to - c->at;
        size_t want = left < c->cap ? (size_t)left : c->cap;
        c->window_len = 0;
        int64_t n = wr_file_read(c->file, c->window, want, c->at, err);
        if (n < 0) {
            return (int)n;
        }
        c->window_at = c->at;
        c->window_len = (size_t)n;
        if ((size_t)n < len) {
            return wr_fail(err, WEIR_E_CORRUPT, "the file ends at byte %" PRIu64,
                           c->at + (uint64_t)n);
        }
    }
    *out = (struct wr_bytes){c->window + (c->at - c->window_at), len};
    return 0;
}

int wr_cursor_header(struct wr_cursor *c, struct wr_batch_header *out, struct weir_error *err)
{
    uint64_t left = c->to - c->at;
    if (left == 0) {
        return 0;
    }
    if (left < WR_BATCH_HEADER_BYTES) {
        return wr_fail(err, WEIR_E_CORRUPT, "%" PRIu64 " bytes are no batch", left);
    }
    struct wr_bytes bytes = {NULL, 0};
    int rc = look(c, WR_BATCH_HEADER_BYTES, &bytes, err);
    rc = rc < 0 ? rc : wr_batch_header_decode(bytes, out, err);
    if (rc == 0 && out->size_bytes > left) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "batch of %u bytes, of which %" PRIu64 " are there",
                     out->size_bytes, left);
    }
    return rc < 0 ? rc : 1;
}

int wr_cursor_batch(struct wr_cursor *c, struct wr_batch *out, struct weir_error *err)
{
    struct wr_batch_header header = {0};
    int rc = wr_cursor_header(c, &header, err);
    if (rc <= 0) {
        return rc;
    }
    struct wr_bytes bytes = {NULL, 0};
    rc = look(c, header.size_bytes, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    *out = (struct wr_batch){header, bytes};
    return 1;
}

void wr_cursor_pass(struct wr_cursor *c, const struct wr_batch_header *header)
{
    WR_ASSERT(header->size_bytes <= c->to - c->at);
    c->at += header->size_bytes;
}

/* ---- whole files ---- */

/* The batch at the cursor, checked as far as asked. */
static int take(struct wr_cursor *c, int64_t next_offset, bool is_deep, struct wr_batch *out,
                struct weir_error *err)
{
    *out = (struct wr_batch){.bytes = {NULL, 0}};
    int rc = is_deep ? wr_cursor_batch(c, out, err) : wr_cursor_header(c, &out->header, err);
    if (rc > 0 && out->header.base_offset != next_offset) {
        return wr_fail(err, WEIR_E_CORRUPT, "batch has base offset %" PRId64 ", not %" PRId64,
                       out->header.base_offset, next_offset);
    }
    if (rc > 0 && is_deep && wr_batch_check_crc(out, err) < 0) {
        return err->code;
    }
    return rc;
}

int wr_segment_scan(struct wr_file *file, uint64_t from, uint64_t to, int64_t next_offset,
                    const struct wr_segment_visitor *visitor, struct wr_segment_end *out,
                    struct weir_error *err)
{
    struct wr_cursor c = wr_cursor_of(file, from, to, 0);
    struct wr_segment_end end = {.next_offset = next_offset};
    struct wr_batch batch;
    int rc = take(&c, end.next_offset, visitor->is_deep, &batch, &end.why);
    while (rc > 0) {
        rc = visitor->batch(visitor->arg, &batch, c.at, err);
        if (rc != 0) {
            wr_cursor_fini(&c);
            return rc;
        }
        end.next_offset = wr_batch_next_offset(&batch.header);
        wr_cursor_pass(&c, &batch.header);
        rc = take(&c, end.next_offset, visitor->is_deep, &batch, &end.why);
    }
    end.bytes = c.at;
    end.is_whole = rc == 0;
    wr_cursor_fini(&c);
    if (rc < 0 && rc != WEIR_E_CORRUPT) {
        *err = end.why;
        return rc;
    }
    *out = end;
    return 0;
}
