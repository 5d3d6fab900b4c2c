/* view_parts.h - what view.c, view_log.c and view_batch.c share. For no one else. */
#ifndef WR_VIEW_PARTS_H
#define WR_VIEW_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "view/view.h"
#include "view/view_feed.h"

enum {
    WR_VIEW_PARTITIONS_MAX = 100000
};

/* A partition that the view reads. */
struct wr_view_partition {
    struct wr_log_topic *topic; /* a reference */
    uint32_t partition;
    int64_t stored;  /* next offset as the store has it; -1: it has none */
    int64_t next;    /* where the model stands, the open transaction included */
    int32_t epoch;   /* that goes with `next` */
    bool is_ready;   /* its position is known, and it is read */
    bool is_leaving; /* to be given up as soon as no transaction is open */
};

/* What changes with each commit and is looked at from other threads. */
struct wr_view_shared {
    pthread_mutex_t lock;
    enum wr_view_state state;
    bool is_paused;
    struct weir_error why; /* code 0: nothing */
    struct weir_error last_skip;
    const char *waits_for; /* of the definition, or NULL */
    struct wr_view_counts counts;
    uint64_t batches;
    uint64_t last_batch_records;
    int64_t last_batch_us;
    int64_t last_commit_ms;
    int64_t last_event_ms;
    struct wr_view_partition *partitions; /* as committed; topics are borrowed from the view */
    size_t partition_count;
    size_t partition_cap;
};

struct wr_view {
    struct wr_log *log;
    const struct wr_view_definition *definition;
    const struct wr_clock *clock;
    const struct wr_wake *ended;
    char context[80]; /* "view/NAME", for log lines */

    struct wr_arena arena;
    struct wr_parameters parameters;
    struct wr_sink *sink;
    struct wr_view_feed *feed;
    bool is_watching;
    char *joined; /* the topics of the group, as names in a row; NULL: not joined */

    enum wr_view_state state;
    enum wr_view_action action; /* to do next */
    struct weir_error err;      /* why it fails or pauses */

    struct wr_view_partition *partitions;
    size_t partition_count;
    size_t partition_cap;
    struct wr_sink_move *moves;
    size_t move_cap;

    /* the last that the feed gave; with events at hand: those that are left in it, of partitions[bundle_from] */
    struct wr_view_bundle *bundle;
    size_t bundle_from;
    bool has_items;

    /* the open transaction */
    struct wr_view_counts counts;
    uint64_t batch_records;
    uint64_t batch_bytes;
    int64_t batch_start_us;
    int64_t batch_event_ms;

    int64_t pause_ms; /* the next pause */
    struct wr_wake wake;
    atomic_bool is_stopping;
    bool has_thread;
    pthread_t thread;
    struct wr_view_shared shared;
};

/* ---- view_log.c: topics, partitions, positions ---- */

/* Look up the topics that the view reads, and take over their partitions, or join the group that shares them.
 * Returns 1 when there are partitions whose position is not known, 0 when there are none, or an error. */
WR_MUST_USE int wr_view_attach(struct wr_view *view, struct weir_error *err);

/* Read all positions from the store, check each against the log, and read on from there. WEIR_E_REFUSED when
 * the log no longer has a position's place. */
WR_MUST_USE int wr_view_restore(struct wr_view *view, struct weir_error *err);

/* One poll; gives what came of it. On WR_VIEW_EV_FAIL and _LATER view->err is set. */
enum wr_view_event wr_view_poll(struct wr_view *view, int wait_ms);

/* Give up the partitions that are leaving. No transaction is open. */
void wr_view_drop_leaving(struct wr_view *view);

/* Give up all. */
void wr_view_drop_all(struct wr_view *view);

/* ---- view_batch.c: records into the store ---- */

/* Each does its action and gives what came of it; on WR_VIEW_EV_FAIL, _LATER and _BAD view->err is set. */
enum wr_view_event wr_view_begin(struct wr_view *view);
enum wr_view_event wr_view_apply(struct wr_view *view);
enum wr_view_event wr_view_commit(struct wr_view *view);

/* Take back the open transaction, if there is one, and forget the records at hand and those read ahead. */
void wr_view_rollback(struct wr_view *view);

/* What an error of the store means: _LATER or _FAIL. */
enum wr_view_event wr_view_outcome(const struct weir_error *err);

#endif
