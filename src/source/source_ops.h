/*
 * source_ops.h - what a source must provide. For those who write one; users read source.h.
 *
 * Sources: postgres/ (its write-ahead log). A source is one thread: the runner (source.c) calls all
 * members from it, in this order, and decides everything that has to do with time:
 *
 *     open ─▶ connect ─▶ (snapshot …) ─▶ stream … ─▶ disconnect ─▶ close
 *               ▲                                        │
 *               └────────── after a wait, or at once ────┘
 *
 * What goes wrong is returned, by the class of its code (weir/error.h): RETRY and the runner disconnects,
 * waits a little longer each time, and connects again; anything else and the source has failed: its
 * text must say what a person can do. WEIR_E_STOPPED: the wake descriptor was seen readable.
 *
 * Every member may block, but never longer than 2 s without looking at the wake descriptor.
 */
#ifndef WR_SOURCE_OPS_H
#define WR_SOURCE_OPS_H

#include "base/rng.h"
#include "source/connector_key.h"
#include "source/feed.h"
#include "source/source.h"

struct wr_source_impl;

/* What a source is opened with; all borrowed until close. */
struct wr_source_env {
    const char *name;
    const struct wr_connector *connector;
    const struct wr_clock *clock;
    int wake_fd;         /* readable: told to stop */
    const char *context; /* for wr_trace(): "source/NAME" */
};

/* What connect found. */
enum wr_source_start {
    WR_START_SNAPSHOT, /* copy what is there first */
    WR_START_STREAM    /* go on with changes */
};

/* Every member is required. */
struct wr_source_ops {
    const char *name; /* as in connector.class and source.connector: "postgresql" */

    /* Read the configuration. No I/O. `out`: closed by close(). WEIR_E_CONFIG with the place. */
    int (*open)(const struct wr_source_env *env, struct wr_source_impl **out,
                struct weir_error *err);

    /* Free all. Called once, after disconnect. */
    void (*close)(struct wr_source_impl *impl);

    /* Connect, check that the stored position (ptr NULL: none) and the database fit together, prepare
     * what is needed there, and find where to go on. */
    int (*connect)(struct wr_source_impl *impl, struct wr_str stored, enum wr_source_start *start,
                   struct weir_error *err);

    /* Let the session go, in whatever state; also when connect failed. Does not wait for an answer. */
    void (*disconnect)(struct wr_source_impl *impl);

    /* Hand some rows of the snapshot to the feed, between wr_feed_begin() and wr_feed_end(), which the
     * runner calls. Waits at most `timeout_ms` for the database. 1: that was the last; 0: more. */
    int (*snapshot)(struct wr_source_impl *impl, struct wr_feed *feed, int timeout_ms,
                    struct weir_error *err);

    /* Hand some changes to the feed: what is at hand, or what comes within `timeout_ms`; at most so many
     * that it takes a few milliseconds. Returns early when the feed has an answer. After a snapshot the
     * first call begins the stream. */
    int (*stream)(struct wr_source_impl *impl, struct wr_feed *feed, int timeout_ms,
                  struct weir_error *err);

    /* As struct wr_feed_owner: where it is. Called from within wr_feed_ functions. */
    void (*position)(struct wr_source_impl *impl, struct wr_str written, struct wr_writer *w,
                     uint64_t *mark);

    /* All up to `mark` is durable in the log: the database may forget it. */
    int (*confirm)(struct wr_source_impl *impl, uint64_t mark, struct weir_error *err);

    /* Fill in what only the source knows: positions, lag, the snapshot's progress. */
    void (*status)(const struct wr_source_impl *impl, struct wr_source_status *out);
};

/* An implementation puts this first in its own struct. */
struct wr_source_impl {
    const struct wr_source_ops *ops; /* static storage */
};

/* PostgreSQL's. */
extern const struct wr_source_ops wr_postgres_source;

#endif
