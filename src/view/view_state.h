/*
 * view_state.h - what a view does next: one table of states and events. It knows no log and no store;
 * view.c carries the actions out and says what came of them.
 *
 *              records            nothing more, or full
 *     READING ─────────▶ FILLING ─────────────────────▶ READING
 *        ▲                 │ the store says: later
 *        └───── PAUSED ◀───┘
 */
#ifndef WR_VIEW_STATE_H
#define WR_VIEW_STATE_H

#include "base/base.h"

enum wr_view_state {
    WR_VIEW_STARTING, /* the store is not open, or positions are not known */
    WR_VIEW_READING,  /* no transaction is open */
    WR_VIEW_FILLING,  /* one is */
    WR_VIEW_PAUSED,   /* the store cannot take anything at the moment */
    WR_VIEW_STOPPING, /* asked to stop: what was applied is still committed */
    WR_VIEW_FAILING,  /* it cannot go on: what was applied before is still committed */
    WR_VIEW_STOPPED,
    WR_VIEW_FAILED,
    WR_VIEW_STATES
};

enum wr_view_event {
    WR_VIEW_EV_OPENED,    /* OPEN is done */
    WR_VIEW_EV_RESTORED,  /* RESTORE is done */
    WR_VIEW_EV_RECORDS,   /* a poll gave some */
    WR_VIEW_EV_NOTHING,   /* a poll gave none */
    WR_VIEW_EV_ASSIGNED,  /* there are partitions whose positions are not known yet */
    WR_VIEW_EV_REVOKED,   /* partitions are to be given up */
    WR_VIEW_EV_LOST,      /* partitions are somebody else's already */
    WR_VIEW_EV_BEGUN,     /* a transaction is open */
    WR_VIEW_EV_APPLIED,   /* all records at hand are in it */
    WR_VIEW_EV_FULL,      /* it has reached its limit */
    WR_VIEW_EV_COMMITTED, /* and is done */
    WR_VIEW_EV_REST,      /* and is done, and records are left at hand */
    WR_VIEW_EV_BAD,       /* the next event failed, and the view stops at such, or the log failed */
    WR_VIEW_EV_LATER,     /* the store cannot do it now: nothing of the transaction is left */
    WR_VIEW_EV_TIMER,     /* a pause is over */
    WR_VIEW_EV_FAIL,      /* something failed for good */
    WR_VIEW_EV_STOP,      /* asked to stop */
    WR_VIEW_EVENTS
};

enum wr_view_action {
    WR_VIEW_OPEN,    /* the store, the topics */
    WR_VIEW_RESTORE, /* roll back; read positions, check them against the log, seek */
    WR_VIEW_WAIT,    /* poll, for as long as it takes */
    WR_VIEW_POLL,    /* poll what is there */
    WR_VIEW_BEGIN,
    WR_VIEW_APPLY,
    WR_VIEW_COMMIT,
    WR_VIEW_PAUSE, /* roll back; wait a while */
    WR_VIEW_END    /* roll back; there is nothing more to do */
};

/* The event has happened in *state: move on, and say what to do. Every event is possible only as the outcome
 * of the action given last; STOP always. Asserts that it is. */
enum wr_view_action wr_view_next(enum wr_view_state *state, enum wr_view_event event);

/* May this event come in this state? For tests that walk all cells. */
bool wr_view_can(enum wr_view_state state, enum wr_view_event event);

#endif
