/*
 * view.h - a view at work: reads topics, applies each event to its store, keeps its place there.
 *
 *     new ─▶ prepare ─▶ start ─▶ … ─▶ stop ─▶ close
 *
 * A thread around the table of view_state.h, and one that reads ahead for it (view_feed.h). A batch holds all
 * records at hand, up to its limits, and is committed as soon as nothing more is there: nothing waits for time.
 * Rows and positions commit together (sink_ops.h); so a crash at any moment loses nothing and doubles nothing.
 *
 * A view that cannot go on says why and stops by itself; it never skips, resets or begins anew unless its
 * definition says so.
 *
 * Thread: new, prepare, start and close from one thread, the owner; stop and status from any.
 */
#ifndef WR_VIEW_H
#define WR_VIEW_H

#include "base/clock.h"
#include "base/wake.h"
#include "log/log.h"
#include "view/sink.h"
#include "view/view_state.h"

struct wr_view;

struct wr_view_options {
    struct wr_log *log;                          /* borrowed as long as the view */
    const struct wr_view_definition *definition; /* the same */
    const struct wr_sink_ops *sink;              /* the store; NULL: the one that `to:` names */
    const struct wr_clock *clock;                /* NULL: the machine's */
    const struct wr_wake *ended; /* signalled when the view has stopped or failed; may be NULL */
    /* For tests and simulation: */
    bool is_stepped;  /* never started: what the feed's thread does is done in wr_view_step() */
    size_t ahead_min; /* how many events make it read ahead (view_feed.h); 0: as usual */
};

/* Make a view and read its handlers. No I/O but the log's. `out`: owned by the caller, let go with
 * wr_view_close(). WEIR_E_CONFIG with the place, or WEIR_E_NOMEM. */
WR_MUST_USE int wr_view_new(const struct wr_view_options *options, struct wr_view **out,
                            struct weir_error *err);

/* Open its store and prepare every handler, so that what is wrong with the definition shows before anything
 * runs. May be left out: start does it. Blocks, at most 5 s.
 * Returns 0 (also when the store is busy: start tries on), WEIR_E_CONFIG, WEIR_E_REFUSED when the definition
 * was changed since it filled the store, or what else the store says. */
WR_MUST_USE int wr_view_prepare(struct wr_view *view, struct weir_error *err);

/* Start its threads. WEIR_E_NOMEM, WEIR_E_IO. */
WR_MUST_USE int wr_view_start(struct wr_view *view, struct weir_error *err);

/* Ask it to stop: it commits what it has applied, and ends. Does not wait. */
void wr_view_stop(struct wr_view *view);

/* Stop it, wait for its threads, let go. What still runs in the store after 2 s is interrupted and rolled
 * back. Takes NULL. */
void wr_view_close(struct wr_view *view);

/* Do one step of its work on the calling thread, for tests and simulation; never together with start.
 *   wait_ms  how long a poll or a pause may wait; -1: as long as it takes
 * Returns false once it has stopped or failed. */
bool wr_view_step(struct wr_view *view, int wait_ms);

/* ---- status ---------------------------------------------------------------------------------------- */

struct wr_view_partition_status {
    const char *topic;
    uint32_t partition;
    int64_t next_offset; /* committed: what is below is in the model */
    int64_t lag; /* records up to the end of what can be read, or -1 when that is not known */
};

struct wr_view_counts {
    uint64_t applied;   /* events whose handler ran */
    uint64_t skipped;   /* failed and left out (on_error: skip) */
    uint64_t unhandled; /* of types without a handler, or without a type */
    uint64_t ignored;   /* no events: null values */
};

struct wr_view_status {
    const char *name;
    enum wr_view_state state;
    const char *state_text; /* "starting", "running", "paused", "stopped", "failed"; static */
    const char *why;        /* of a pause or failure; "" else */
    const char *last_skip;  /* what was wrong with the event skipped last; "" when none was */
    const char *waits_for;  /* a topic of `from:` that is not there; "" when all are */
    struct wr_view_counts counts;
    uint64_t batches; /* committed */
    uint64_t last_batch_records;
    int64_t last_batch_us;  /* from begin to the end of the commit */
    int64_t last_commit_ms; /* wall clock; 0: none since the start */
    int64_t last_event_ms;  /* time of the newest record in the model; 0: none since the start */
    struct wr_view_partition_status *partitions;
    size_t partition_count;
};

/* How it stands. `out` and what it points to: in `arena`, borrowed until that is reset. WEIR_E_NOMEM. */
WR_MUST_USE int wr_view_status(struct wr_view *view, struct wr_arena *arena,
                               struct wr_view_status *out, struct weir_error *err);

#endif
