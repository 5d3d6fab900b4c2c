/*
 * sink_ops.h - what a store must provide to be written to by a view. For those who write one; view.c calls
 * it through sink.h.
 *
 * A sink belongs to one view and to its thread, but for `interrupt`. Its life:
 *
 *     create     reads its part of the definition; no I/O
 *     open       connects, makes what it needs, prepares every handler; again after a failure of class
 *                RETRY
 *     positions  how far it has got
 *     begin, apply…, commit | rollback      over and over; rollback also when nothing is open
 *     close
 *
 * The promise that all rests on: what was applied and the positions that are handed to commit become
 * visible and durable together or not at all. How durable is the store's business: when it loses its last
 * transactions in a power cut, it loses rows and positions alike, and the view applies them again from the
 * log. A store that cannot promise this lacks WR_SINK_TRANSACTIONAL.
 *
 * Codes, by what the view does with them:
 *   class RETRY (BUSY, FULL, CONNECT, AGAIN, NOMEM)   from begin, apply, commit, positions, open: the view
 *       rolls back, pauses, and begins the batch again from the stored positions
 *   WEIR_E_INPUT from apply   this event cannot be applied; nothing of it has been, what came before in the
 *       transaction stays
 *   WEIR_E_STOPPED            interrupt was called
 *   WEIR_E_CONFIG from create and open   the definition is wrong, with its place
 *   any other                 the view fails
 * Each error names the store and says what it said; the view adds its own name and the event's place.
 */
#ifndef WR_SINK_OPS_H
#define WR_SINK_OPS_H

#include "data/event.h"
#include "log/log.h"
#include "view/definition.h"

struct wr_sink;

enum wr_sink_capability {
    WR_SINK_TRANSACTIONAL = 1 /* keeps positions, and commits them with the rows */
};

struct wr_sink_options {
    const struct wr_view_definition *definition; /* borrowed as long as the sink */
    struct wr_parameters
        *parameters;        /* create adds what its handlers use; borrowed as long as the sink */
    struct wr_arena *arena; /* for what create makes; borrowed as long as the sink */
};

/* What a handler wants of each event. */
struct wr_sink_needs {
    const struct wr_parameter_use *uses; /* each parameter once; optional when all its uses are */
    size_t count;
};

/* An event as a sink gets it, all it has to know. Borrowed during the call. */
struct wr_sink_event {
    const struct wr_bind *values; /* one for each need of its handler, in their order */
    int64_t time_ms;              /* when it happened, since 1970 */
};

/* How far a view has got in a partition. */
struct wr_sink_position {
    struct wr_str topic; /* NUL-terminated */
    struct wr_topic_id topic_id;
    uint32_t partition;
    int64_t next_offset;
    int32_t leader_epoch; /* of the last record passed; -1: none was */
};

/* A step of it. */
struct wr_sink_move {
    struct wr_sink_position to;
    int64_t
        from; /* next_offset as it must stand there now; -1: no position of this partition is there */
};

/* Every member is required. */
struct wr_sink_ops {
    const char *prefix;    /* what `to:` begins with: "sqlite:" */
    const char *form;      /* how `to:` is written, for errors: "sqlite:PATH" */
    unsigned capabilities; /* enum wr_sink_capability */

    /* Make a sink, scan its handlers' parameters into options->parameters, and say in sink->needs what each
     * wants. `out`: owned by the caller. WEIR_E_CONFIG, WEIR_E_NOMEM. */
    int (*create)(const struct wr_sink_options *options, struct wr_sink **out,
                  struct weir_error *err);

    /* Open the store. Everything that can be known to be wrong with the definition is said here, with its
     * place. A store that this view filled by another definition is WEIR_E_REFUSED: the text says what was
     * changed and what to do. May block up to 5 s. After a failure it may be called again. */
    int (*open)(struct wr_sink *sink, struct weir_error *err);

    /* Let go; an open transaction is rolled back. Takes one that is not open. */
    void (*close)(struct wr_sink *sink);

    /* Call `each` for every position that the store has of this view, of whatever topic. `position` is
     * borrowed during the call. A negative result ends the walk and is returned. */
    int (*positions)(struct wr_sink *sink,
                     int (*each)(void *arg, const struct wr_sink_position *position,
                                 struct weir_error *err),
                     void *arg, struct weir_error *err);

    /* The same of a view that does not run, for those who want to know: nothing is made, written or waited for.
     * WEIR_E_NOTFOUND when the store is not there, WEIR_E_CONFIG, or what it says. Any thread. */
    int (*stored)(const struct wr_view_definition *definition,
                  int (*each)(void *arg, const struct wr_sink_position *position,
                              struct weir_error *err),
                  void *arg, struct weir_error *err);

    /* Begin a transaction; none is open. Never waits for others: WEIR_E_BUSY. */
    int (*begin)(struct wr_sink *sink, struct weir_error *err);

    /* Do what handler `index` of the definition's `on` says, with the event's values. */
    int (*apply)(struct wr_sink *sink, uint32_t index, const struct wr_sink_event *event,
                 struct weir_error *err);

    /* Commit, with `count` moves, at most one a partition. WEIR_E_FENCED when a position does not stand at
     * `from`: somebody else has moved it; nothing is committed. */
    int (*commit)(struct wr_sink *sink, const struct wr_sink_move *moves, size_t count,
                  struct weir_error *err);

    /* Roll back what is open, if anything is. Cannot fail: what cannot be rolled back is lost with the
     * connection. */
    void (*rollback)(struct wr_sink *sink);

    /* Make the call that the view's thread is in, and every later one but close, return WEIR_E_STOPPED soon.
     * Any thread, at any time between create and close. */
    void (*interrupt)(struct wr_sink *sink);
};

/* An implementation puts this first in its own struct. */
struct wr_sink {
    const struct wr_sink_ops *ops;
    const struct wr_sink_needs *needs; /* one for each handler; live as long as the sink */
    bool is_open;                      /* sink.c: between open and close */
    bool is_busy;                      /* sink.c: a transaction is open */
};

extern const struct wr_sink_ops wr_sink_sqlite;

#endif
