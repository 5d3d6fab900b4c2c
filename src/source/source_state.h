/*
 * source_state.h - the life of a source, as one table.
 *
 *                 .------------------ REWIND (the log asks to go back) ------------------.
 *                 v                                                                      |
 *   STOPPED --START--> CONNECTING --COPY--> SNAPSHOT --COPIED--> STREAMING --------------'
 *                        ^   \                                      ^
 *                      TIMER  `--------------- RESUMED -------------'
 *                        |
 *                     BACKOFF <--LOST-- CONNECTING, SNAPSHOT, STREAMING
 *
 *   REFUSED leads from each of these to FAILED: no retry would mend it.
 *   STOP leads from each to STOPPED, from STREAMING after what is whole was committed.
 *
 * Pure. Owner: the source's thread.
 */
#ifndef WR_SOURCE_STATE_H
#define WR_SOURCE_STATE_H

#include "base/base.h"
#include "source/source.h"

enum wr_source_event {
    WR_EV_START,
    WR_EV_COPY,    /* connected, and the tables must be copied first */
    WR_EV_RESUMED, /* connected, and the stream goes on where it was */
    WR_EV_COPIED,  /* the snapshot is in the log, with its position */
    WR_EV_REWIND,  /* the log has dropped what was handed over, or may have */
    WR_EV_LOST,    /* the session ended, or something else that a retry can mend */
    WR_EV_REFUSED, /* something that no retry mends */
    WR_EV_TIMER,   /* the wait is over */
    WR_EV_STOP,    /* told to stop */
    WR_EV_EVENTS
};

enum wr_source_action {
    WR_ACT_NONE,
    WR_ACT_CONNECT, /* let go of what there is, open the feed, connect */
    WR_ACT_READ_ROWS,
    WR_ACT_READ_CHANGES,
    WR_ACT_WAIT,   /* let go, and wait for the timer */
    WR_ACT_FINISH, /* commit what is whole, confirm it, let go */
    WR_ACT_LET_GO  /* disconnect, close the feed */
};

/* The next state in *state, and what must be done now. An event that cannot come in this state is a bug
 * and asserts; one that can come too late is a row with WR_ACT_NONE. */
enum wr_source_action wr_source_step(enum wr_source_state *state, enum wr_source_event event);

/* Can this event come in this state? For the test that walks the table. */
bool wr_source_can(enum wr_source_state state, enum wr_source_event event);

/* "streaming" and so on. Static storage. */
const char *wr_source_state_name(enum wr_source_state state);

#endif
