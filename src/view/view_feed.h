/*
 * view_feed.h - what a view applies next, read ahead of need.
 *
 *     log ──chunks──▶ events and their values ──bundles──▶ the view's thread ──▶ store
 *
 * Who reads. A view that has caught up reads by itself: no second thread stands between a record and its store.
 * When it takes a bundle that looks like there is more, the feed's own thread reads on while the view is busy with
 * its store, up to WR_VIEW_AHEAD_MAX bundles. It rests when they are there, when the log has no more, and behind
 * anything that is not records: what the view has to act on is acted on before the log is asked again. The log's
 * reader belongs to who reads.
 *
 * Reading ahead moves no position: the store does, with what it commits. wr_view_feed_forget() throws away the
 * records that were read; the view then seeks to where its store stands. What else the log said is kept: of a new
 * topic, or a partition that comes or goes, it speaks only once.
 *
 * Thread: poll, put_back, forget and reader from the view's; wake from any; the rest from the owner, while the view's
 * thread does not run.
 */
#ifndef WR_VIEW_FEED_H
#define WR_VIEW_FEED_H

#include "view/view_bundle.h"

enum {
    WR_VIEW_AHEAD_MAX = 4,  /* bundles that wait */
    WR_VIEW_AHEAD_MIN = 32, /* events in a bundle that make more of them likely */
};

struct wr_view_feed;

struct wr_view_feed_options {
    struct wr_log *log;                    /* borrowed as long as the feed */
    const struct wr_event_options *events; /* as wr_event_reader_new() takes it */
    const struct wr_sink_needs *needs;     /* one for each of events->types; borrowed as long */
    size_t ahead_min;                      /* 0: WR_VIEW_AHEAD_MIN */
    bool
        is_stepped; /* read ahead in poll, on its thread: for tests and simulation, without start */
};

/* Open one that reads nothing yet. `out`: owned by the caller. As wr_log_reader_open() and
 * wr_event_reader_new(). */
WR_MUST_USE int wr_view_feed_open(const struct wr_view_feed_options *options,
                                  struct wr_view_feed **out, struct weir_error *err);

/* Start its thread; without it all is read in poll. `name`: the thread's, at most 15 bytes. WEIR_E_NOMEM. */
WR_MUST_USE int wr_view_feed_start(struct wr_view_feed *feed, const char *name,
                                   struct weir_error *err);

/* End its thread, let go of all. Takes NULL. */
void wr_view_feed_close(struct wr_view_feed *feed);

/* The log's reader, to assign and seek; borrowed until the next poll. Asserts that no records were read ahead:
 * all were taken, or forgotten. */
struct wr_log_reader *wr_view_feed_reader(struct wr_view_feed *feed);

/* Take what comes next; waits as wr_log_reader_poll() does, and where the feed's thread is at it, until it has
 * read it. `out`: borrowed until the next poll or forget. Returns as wr_log_reader_poll(), or WEIR_E_NOMEM. */
WR_MUST_USE int wr_view_feed_poll(struct wr_view_feed *feed, int wait_ms,
                                  struct wr_view_bundle **out, struct weir_error *err);

/* Throw away the records that were read and not taken, and have nobody read; what else was read comes with the
 * next poll. Waits until one chunk is read at most. */
void wr_view_feed_forget(struct wr_view_feed *feed);

/* Give what was taken last once more with the next poll: something other than records, for which the view could
 * not do now what is to be done. Asserts that it is. */
void wr_view_feed_put_back(struct wr_view_feed *feed);

/* Make a poll that waits for records, or the next one that would, return NONE at once. */
void wr_view_feed_wake(struct wr_view_feed *feed);

#endif
