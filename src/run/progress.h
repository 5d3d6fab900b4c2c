/* progress.h - a bar on standard error while something takes long; nothing where that is no terminal. */
#ifndef WR_RUN_PROGRESS_H
#define WR_RUN_PROGRESS_H

#include "base/base.h"

struct wr_progress {
    const char *what;
    bool is_terminal;
    bool is_shown;
    int64_t start_ms;
    int64_t last_ms;
};

/* A bar called `what` (borrowed), not shown yet. */
struct wr_progress wr_progress_of(const char *what);

/* Show that `done` of `total` bytes (0: nobody knows of how many) are done; at first after half a second, then ten times a second. */
void wr_progress_show(struct wr_progress *progress, uint64_t done, uint64_t total);

/* Take the bar away, so that other text can be printed. */
void wr_progress_clear(struct wr_progress *progress);

/* The bar itself: "verify [#####     ]  50 %, 1.0 MiB of 2.0 MiB", or "produce: 1.0 MiB". `out` has room for `len` bytes. */
void wr_progress_text(const char *what, uint64_t done, uint64_t total, char *out, size_t len);

#endif
