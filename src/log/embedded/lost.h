/*
 * lost.h - the folder lost+found of a log, where repair keeps what it takes out of the log's own files. A
 * name there is the path that it had, with dots for slashes, and the byte that it began at.
 *
 * Thread: one at a time. Blocks on disk.
 */
#ifndef WR_EMBEDDED_LOST_H
#define WR_EMBEDDED_LOST_H

#include "base/vfs.h"

struct wr_lost {
    struct wr_vfs *vfs; /* borrowed, as is */
    const char *dir;    /* the log's */
    bool is_made;       /* false: the folder may not be there yet */
};

/* Keep a copy of `bytes` bytes of an open file, from `at` on, durably; `path` is its path in the log's
 * folder. WEIR_E_IO, WEIR_E_FULL, WEIR_E_NOMEM. */
WR_MUST_USE int wr_lost_keep(struct wr_lost *lost, struct wr_file *file, const char *path,
                             uint64_t at, uint64_t bytes, struct weir_error *err);

/* Take a file, or a folder of files, out of the log: keep a copy and remove it. What is not there is no
 * failure. As above, and WEIR_E_UNSUPPORTED for a folder with folders in it. */
WR_MUST_USE int wr_lost_take(struct wr_lost *lost, const char *path, struct weir_error *err);

#endif
