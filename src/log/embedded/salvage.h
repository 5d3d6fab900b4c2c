/*
 * salvage.h - walks over the batches of a segment file in whatever state it is; for verify and repair.
 * (Recovery and readers, which stop at the first thing wrong, use cursor.h.)
 *
 * Nothing in the file is trusted: a batch counts when its header makes sense, all of its bytes are there
 * and its CRC fits. Base offset and leader epoch lie outside the CRC, so the base offset is also held
 * against the end of the batch before: the offsets of a segment follow on without gaps.
 * Memory: a window of 256 KiB, and more only for a batch that is larger and whose CRC fits.
 *
 * Thread: one at a time. Blocks on disk.
 */
#ifndef WR_EMBEDDED_SALVAGE_H
#define WR_EMBEDDED_SALVAGE_H

#include "base/vfs.h"
#include "data/batch.h"

enum wr_salvage_found {
    WR_SALVAGE_END,   /* nothing left: the file ends where a batch ends */
    WR_SALVAGE_BATCH, /* a whole batch whose offsets follow on */
    WR_SALVAGE_BREAK, /* a whole batch, but another offset was to be expected */
    WR_SALVAGE_SHORT, /* the file ends within the batch, or its length is wrong */
    WR_SALVAGE_BAD    /* no batch: the header makes no sense, or the CRC does not fit */
};

struct wr_salvage {
    struct wr_file *file; /* borrowed */
    uint64_t size_bytes;  /* what lies behind is not looked at */
    uint64_t at;          /* where the next batch starts */
    int64_t next_offset;  /* that it must begin with; -1: any */
    uint8_t *window;
    size_t window_cap;
    size_t window_len;
    uint64_t window_at;
};

struct wr_salvage_step {
    enum wr_salvage_found found;
    uint64_t at;                   /* in the file */
    struct wr_batch batch;         /* BATCH and BREAK: borrowed until the next call on the scan */
    bool has_header;               /* BAD and SHORT: */
    struct wr_batch_header header; /* as it stands there, when it makes sense by itself */
    int64_t wanted_offset;         /* BREAK: that was to be expected */
    struct weir_error why;         /* BREAK, SHORT and BAD */
};

/* Start at byte `at` of `file`, up to `size_bytes` of it; `next_offset` as above. Cannot fail. `file` is
 * borrowed until wr_salvage_fini(). */
struct wr_salvage wr_salvage_of(struct wr_file *file, uint64_t at, uint64_t size_bytes,
                                int64_t next_offset);

/* Free what it owns. Takes a zeroed one. */
void wr_salvage_fini(struct wr_salvage *scan);

/* Look at what comes next. Behind BATCH and BREAK the scan goes on with the next; at END, SHORT and BAD
 * it stays. Returns 0 with `out` filled, or WEIR_E_IO, WEIR_E_NOMEM. */
WR_MUST_USE int wr_salvage_next(struct wr_salvage *scan, struct wr_salvage_step *out,
                                struct weir_error *err);

/* After SHORT or BAD: go behind what is no batch. When its header still makes sense and what it says of
 * the batch's length and offsets fits what follows, that is one batch on; else it is the next place, byte
 * after byte, that holds a whole batch which is followed by another one or by the end of the file.
 * `next_offset` stays: the next step there says BREAK, or BAD when that batch is damaged too.
 * Returns 1, or 0 when there is no such place (then the scan is at its end), or as
 * wr_salvage_next(). */
WR_MUST_USE int wr_salvage_resync(struct wr_salvage *scan, struct weir_error *err);

#endif
