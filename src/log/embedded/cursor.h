/*
 * cursor.h - walks the batches of a segment file, through one window of bytes that moves along.
 *
 * It knows nothing of topics: `at` is a byte position, and what stands there is checked as bytes from
 * outside are. Thread: one at a time.
 */
#ifndef WR_EMBEDDED_CURSOR_H
#define WR_EMBEDDED_CURSOR_H

#include "base/vfs.h"
#include "data/batch.h"

enum {
    WR_CURSOR_WINDOW_BYTES = 64 * 1024
};

struct wr_cursor {
    struct wr_file *file; /* borrowed */
    uint64_t at;          /* of the batch looked at */
    uint64_t to;          /* nothing behind this is looked at */
    size_t window_bytes;  /* how much is read at a time; a batch that is larger is read whole */
    uint8_t *window;      /* owned */
    size_t cap;
    uint64_t window_at;
    size_t window_len;
};

/* A cursor over the bytes from .. to of `file`, which stays borrowed. `window_bytes` 0: 64 KiB. Cannot
 * fail; allocates when used. */
struct wr_cursor wr_cursor_of(struct wr_file *file, uint64_t from, uint64_t to,
                              size_t window_bytes);

/* Free the window. Takes a zeroed one. */
void wr_cursor_fini(struct wr_cursor *cursor);

/* Look at other bytes, of the same or another file; keeps the memory, forgets its contents. */
void wr_cursor_reset(struct wr_cursor *cursor, struct wr_file *file, uint64_t from, uint64_t to);

/* The header of the batch at `at`.
 * Returns 1; 0 at the end; WEIR_E_CORRUPT when none is there, or it says that the batch ends behind `to`;
 * WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_cursor_header(struct wr_cursor *cursor, struct wr_batch_header *out,
                                 struct weir_error *err);

/* The whole batch at `at`; its CRC is not checked. `out` is borrowed until the next call on the cursor.
 * Returns as above. */
WR_MUST_USE int wr_cursor_batch(struct wr_cursor *cursor, struct wr_batch *out,
                                struct weir_error *err);

/* Are `len` bytes at `at` in the window, so that looking at them leaves what was borrowed from it alone? */
bool wr_cursor_has(const struct wr_cursor *cursor, size_t len);

/* Go behind the batch with this header. */
void wr_cursor_pass(struct wr_cursor *cursor, const struct wr_batch_header *header);

/* ---- whole files ------------------------------------------------------------------------------------ */

struct wr_segment_visitor {
    /* Called for each batch, in order; a non-zero result ends the scan and is returned. */
    int (*batch)(void *arg, const struct wr_batch *batch, uint64_t position,
                 struct weir_error *err);
    void *arg;
    bool is_deep; /* check the CRC and give the whole batch; else its `bytes` are {NULL, 0} */
};

struct wr_segment_end {
    uint64_t bytes;        /* valid up to here */
    int64_t next_offset;   /* behind the last valid batch */
    bool is_whole;         /* valid up to `to` */
    struct weir_error why; /* else: what is wrong with the batch at `bytes` */
};

/* Walk the batches in the bytes from .. to of a segment file, until one is not valid. The first must have
 * the base offset `next_offset`, each other one that of its predecessor's end.
 * Blocks on disk. Returns 0, also when not all is valid: `out` tells; or WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_segment_scan(struct wr_file *file, uint64_t from, uint64_t to,
                                int64_t next_offset, const struct wr_segment_visitor *visitor,
                                struct wr_segment_end *out, struct weir_error *err);

#endif
