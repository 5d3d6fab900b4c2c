/*
 * source.h - a source: a worker that captures a database's changes and writes them into the log, exactly
 * once. For those who run sources; who writes one reads source_ops.h.
 *
 *     open (configuration checked) ─▶ start (a thread of its own) ─▶ stop ─▶ close
 *
 * Thread: the owner, but for wr_source_status() and wr_source_stop(), which any thread may call.
 */
#ifndef WR_SOURCE_H
#define WR_SOURCE_H

#include "base/clock.h"
#include "base/conf.h"
#include "base/wake.h"
#include "log/log.h"

struct wr_source;
struct wr_source_ops;

enum wr_source_state {
    WR_SOURCE_STOPPED,
    WR_SOURCE_CONNECTING,
    WR_SOURCE_SNAPSHOT,
    WR_SOURCE_STREAMING,
    WR_SOURCE_BACKOFF, /* lost its database; tries again after a while */
    WR_SOURCE_FAILED,  /* for good: `error` says what to do */
    WR_SOURCE_STATES
};

struct wr_source_options {
    const char *name;             /* copied; also topic.prefix where the configuration has none */
    const struct wr_conf *conf;   /* the connector's keys; borrowed until close */
    struct wr_log *log;           /* borrowed until close */
    const struct wr_clock *clock; /* borrowed until close */
    const struct wr_conf_warn *warn; /* told of odd keys, during open only; may be NULL */
    const struct wr_wake *changed;   /* signalled when the state changes; borrowed; may be NULL */
    const struct wr_source_ops *ops; /* NULL: by connector.class; tests give their own */
    bool never_waits; /* turns return at once, for tests and the simulator, which make time pass */
};

enum {
    WR_SOURCE_PLACE_MAX = 64
};

/* How it stands. Numbers count since the source was opened. */
struct wr_source_status {
    const char *connector;   /* "postgresql"; static storage */
    int64_t state_since_us;  /* wall clock */
    int64_t retry_ms;        /* BACKOFF: how long this wait is */
    uint64_t retries;        /* in a row */
    uint64_t lag_bytes;      /* between what the database has and what is stored */
    uint64_t retained_bytes; /* that the database keeps for us */

    uint64_t changes; /* seen, those that are filtered out too */
    uint64_t transactions;
    uint64_t records; /* written */
    uint64_t commits;
    uint64_t heartbeats;
    uint64_t warnings;     /* values that could not be shown */
    int64_t heard_us;      /* when the database last said anything, wall clock; 0: never yet */
    int64_t last_event_us; /* commit time of the last transaction seen; 0: none yet */

    size_t snapshot_tables;
    size_t snapshot_tables_done;
    uint64_t snapshot_rows;

    struct weir_error error; /* code 0: none. Of BACKOFF and FAILED, or what stalls the log */
    enum wr_source_state state;
    bool is_log_stalled; /* the log takes no more at present (disk full) */
    bool has_lag;        /* lag_bytes is known */
    bool has_retained;
    bool has_snapshot; /* one was or is taken since it was opened */

    char received[WR_SOURCE_PLACE_MAX];  /* end of what the database has sent; "" where not known */
    char stored[WR_SOURCE_PLACE_MAX];    /* position handed to the log */
    char confirmed[WR_SOURCE_PLACE_MAX]; /* what the database may forget */
    char snapshot_table[2 * WR_SOURCE_PLACE_MAX]; /* the one that is copied now */
};

/* Check the configuration and make a source that does nothing yet. `out`: owned by the caller. No I/O.
 * WEIR_E_CONFIG with file, line and column; WEIR_E_UNSUPPORTED for what is not done; WEIR_E_NOMEM. */
WR_MUST_USE int wr_source_open(const struct wr_source_options *options, struct wr_source **out,
                               struct weir_error *err);

/* Run it in a thread of its own. WEIR_E_NOMEM when there is none to be had. */
WR_MUST_USE int wr_source_start(struct wr_source *source, struct weir_error *err);

/* Tell it to stop; returns at once. Also before start. */
void wr_source_stop(struct wr_source *source);

/* Stop it, wait for its thread (at most about 4 s, whatever the database does), free it. Takes NULL. */
void wr_source_close(struct wr_source *source);

/* How it stands; a copy. */
void wr_source_status(struct wr_source *source, struct wr_source_status *out);

/* What a stored position says. */
struct wr_source_place {
    const char *connector; /* "postgresql"; static storage */
    char stored[WR_SOURCE_PLACE_MAX];
    char database[WR_SOURCE_PLACE_MAX];
    char slot[WR_SOURCE_PLACE_MAX];
};

/* Read a position as it stands in the log (position.h). WEIR_E_CORRUPT, WEIR_E_UNSUPPORTED for a later
 * version's. Thread: any. */
WR_MUST_USE int wr_source_stored(struct wr_str position, struct wr_source_place *out,
                                 struct weir_error *err);

/* Its name; borrowed. */
const char *wr_source_name(const struct wr_source *source);

/* One turn of its state machine, for tests and the simulator, which run it without a thread. False when
 * it has come to rest: stopped or failed. */
WR_MUST_USE bool wr_source_turn(struct wr_source *source);

#endif
