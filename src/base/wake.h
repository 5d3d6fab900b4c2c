/*
 * wake.h - wake a thread that waits in poll(2): an eventfd. The only way one thread pokes another.
 *
 * Thread: wr_wake_signal() from any thread and from signal handlers; the rest from the owner.
 */
#ifndef WR_WAKE_H
#define WR_WAKE_H

#include "base/error.h"

struct wr_wake {
    int fd; /* readable after a signal until cleared; -1 when not open */
};

/* Open it. On failure `wake` is untouched. */
WR_MUST_USE int wr_wake_open(struct wr_wake *wake, struct weir_error *err);

/* Close it; takes one that is not open (fd -1). */
void wr_wake_close(struct wr_wake *wake);

/* Make it readable. Never blocks, never fails. */
void wr_wake_signal(const struct wr_wake *wake);

/* Make it not readable. True when it was signalled since the last clear. */
bool wr_wake_clear(const struct wr_wake *wake);

/* Wait until one of `count` descriptors is readable or `timeout_ms` have passed (-1: for ever). A -1
 * descriptor is skipped. Returns the index of a readable one, or -1 after the time. */
int wr_wait_any(const int *fds, size_t count, int timeout_ms);

#endif
