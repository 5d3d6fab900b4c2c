/*
 * overlay_content.h - the bytes of a file of an overlay: those that were written, in pages of 4096 bytes, over
 * those of the file below that still show.
 *
 * Thread: one at a time.
 */
#ifndef WR_EMBEDDED_OVERLAY_CONTENT_H
#define WR_EMBEDDED_OVERLAY_CONTENT_H

#include "base/vfs.h"

struct wr_overlay_page;

struct wr_overlay_content {
    char *real_path;      /* below, owned; NULL: nothing of it is below */
    struct wr_file *real; /* open while it is needed */
    uint64_t real_bytes;  /* as many of its first bytes still show */
    uint64_t size;
    struct wr_overlay_page *pages; /* by number */
    size_t page_count;
    size_t page_cap;
};

/* Free all. Takes a zeroed one. */
void wr_overlay_content_fini(struct wr_overlay_content *content);

/* Close the file below; it is opened again when it is needed. */
void wr_overlay_content_rest(struct wr_overlay_content *content);

/* Cut or extend, with zeros. */
void wr_overlay_content_cut(struct wr_overlay_content *content, uint64_t len);

/* Read up to `len` bytes at `at`, at least one unless the file ends there. Returns the count, or
 * WEIR_E_IO. `base` is the disk below. */
WR_MUST_USE int64_t wr_overlay_content_read(struct wr_overlay_content *content, struct wr_vfs *base,
                                            void *buf, size_t len, uint64_t at,
                                            struct weir_error *err);

/* Write all of `len` bytes at `at`. WEIR_E_NOMEM, WEIR_E_IO: a part may be written. */
WR_MUST_USE int wr_overlay_content_write(struct wr_overlay_content *content, struct wr_vfs *base,
                                         const void *buf, size_t len, uint64_t at,
                                         struct weir_error *err);

#endif
