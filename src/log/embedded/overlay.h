/*
 * overlay.h - a folder in which everything can be changed and nothing is: a wr_vfs that reads from another
 * one and keeps what is written in memory.
 *
 * With it, verify lets the engine's own recovery run on the folder of a log and looks at what a start
 * would make of it. What was written is kept in pages of 4096 bytes; syncs and locks do nothing, names
 * below the surface are hidden by a mark when they are removed or renamed.
 *
 * Thread: one at a time.
 */
#ifndef WR_EMBEDDED_OVERLAY_H
#define WR_EMBEDDED_OVERLAY_H

#include "base/vfs.h"

struct wr_overlay_node;

struct wr_overlay {
    struct wr_vfs vfs;              /* first: pass &overlay.vfs */
    struct wr_vfs *base;            /* borrowed; never written to */
    struct wr_overlay_node **nodes; /* by path */
    size_t count;
    size_t cap;
};

/* How a name differs from what is below. */
struct wr_overlay_change {
    const char *path; /* borrowed */
    bool is_dir;
    bool was_there;
    bool is_there;
    bool is_written;      /* a file: bytes in it, or its size, may differ */
    uint64_t size_before; /* of a file that was there */
    uint64_t size_after;
    uint64_t
        kept_bytes; /* its first bytes that were never cut off, though they may be overwritten */
};

/* An overlay over `base`, with no change yet. Cannot fail. Not to be moved once it is in use. */
struct wr_overlay wr_overlay_of(struct wr_vfs *base);

/* Forget all changes; all files must be closed. Takes a zeroed one. */
void wr_overlay_fini(struct wr_overlay *overlay);

/* Call `each` for every name that was made, removed or renamed, and every file that was written, in byte
 * order of paths. A non-zero result ends the walk and is returned. Returns 0, or WEIR_E_IO. */
WR_MUST_USE int wr_overlay_each(struct wr_overlay *overlay,
                                int (*each)(void *arg, const struct wr_overlay_change *change,
                                            struct weir_error *err),
                                void *arg, struct weir_error *err);

#endif
