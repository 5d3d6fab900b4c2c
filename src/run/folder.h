/*
 * folder.h - who has a data folder open, and waiting until somebody has not.
 *
 * The engine's lock file says that somebody has it, the socket that a weir serves it. A weir that starts
 * holds the lock for a while before its socket is there.
 */
#ifndef WR_RUN_FOLDER_H
#define WR_RUN_FOLDER_H

#include "base/error.h"

enum wr_folder_event {
    WR_FOLDER_FREE,   /* the lock was let go; somebody else may have taken it since */
    WR_FOLDER_SERVED, /* the socket is there */
    WR_FOLDER_TIME,   /* neither within the time */
    WR_FOLDER_STOP    /* stop_fd became readable */
};

/* Wait until the folder is free or served, at most `timeout_ms`. `stop_fd`: -1 for none.
 *   out  what happened
 * WEIR_E_IO when it cannot be watched. Blocks. */
WR_MUST_USE int wr_folder_wait(const char *dir, int timeout_ms, int stop_fd,
                               enum wr_folder_event *out, struct weir_error *err);

/* Does a weir serve the folder? */
bool wr_folder_is_served(const char *dir);

/* "process 1234 (weir run)", or "another process" when it cannot be told who holds the lock.
 *   out  room for `len` bytes */
void wr_folder_holder(const char *dir, char *out, size_t len);

/* Say what to do about an error of opening the log, behind what it says, where its errno tells. Returns its
 * code. */
int wr_folder_advise(struct weir_error *err);

#endif
