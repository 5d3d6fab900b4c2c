/* writer.h - a writer's state, for the round that answers it. The rest of a writer is in writer.c. */
#ifndef WR_EMBEDDED_WRITER_H
#define WR_EMBEDDED_WRITER_H

#include "log/embedded/commit.h"
#include "log/embedded/poke.h"

enum wr_writer_state {
    WR_WRITER_OPEN,
    WR_WRITER_STALLED, /* AGAIN was answered: all that was not done is held */
    WR_WRITER_PARKED,  /* retried, and still no room: held, tried from time to time until give_up */
    WR_WRITER_REWINDING, /* REWIND was answered and not taken yet: what comes is dropped */
    WR_WRITER_FENCED
};

/* A partition of the marked transaction that is open. */
struct wr_marked {
    struct wr_topic_state *topic; /* a reference is held */
    uint32_t partition;
    uint32_t sequence; /* of the next record there */
};

struct wr_embedded_writer {
    struct wr_log_writer writer; /* first */
    struct wr_embedded *e;
    char *id; /* owned; NULL: nobody is fenced */

    /* the owner's */
    uint64_t number; /* of the last commit handed over */
    struct wr_commit *filling;
    struct wr_commit *spare;  /* a list */
    struct wr_commit *polled; /* whose `written` is lent */
    uint32_t round_robin;
    int64_t producer_id; /* -1: never marked */
    struct wr_marked *marked;
    size_t marked_count;
    size_t marked_cap;

    uint64_t refused_round; /* S: one of its commits was refused in this round */

    /* L */
    int64_t shared_producer_id; /* producer_id, as of the last commit handed over */
    struct wr_poke poke;
    enum wr_writer_state state;
    uint32_t in_flight; /* handed over, not answered to the owner */
    struct wr_commit *answered_first;
    struct wr_commit *answered_last;
    struct wr_commit *held_first;
    struct wr_commit *held_last;
    bool has_stall; /* an answer AGAIN is to be taken, behind those above */
    uint64_t stall_number;
    struct weir_error stall;
    bool is_fence_told;
    int64_t try_again_ms; /* PARKED: monotonic */
    int64_t give_up_ms;
    bool is_closed;                  /* freed when nothing is in flight */
    struct wr_embedded_writer *next; /* in the engine's list */
};

/* Give the owner an answer: `commit` with its outcome. Wakes the writer. L. */
void wr_writer_answer(struct wr_embedded *e, struct wr_commit *commit);

/* The commit was not done, for want of room: hold it and what follows, and say AGAIN, unless the writer
 * has just retried. L. */
void wr_writer_hold(struct wr_embedded *e, struct wr_commit *commit, const struct weir_error *why);

/* A commit that is not answered by itself (held, dropped, fenced) is dealt with as its writer's state
 * says. L. False when the writer is open and the commit goes its way. */
bool wr_writer_divert(struct wr_embedded *e, struct wr_commit *commit);

/* Put back into the queue what parked writers hold, when their time has come. L. */
void wr_writer_unpark(struct wr_embedded *e, int64_t now_ms);

/* The next time at which wr_writer_unpark() may do something; INT64_MAX: none. L. */
int64_t wr_writer_unpark_ms(const struct wr_embedded *e);

/* The log has failed: wake all. L. */
void wr_writer_wake_all(struct wr_embedded *e);

/* The owner has taken the answer REWIND: what was handed over before that is dropped, what comes now is a
 * new beginning. L. */
void wr_writer_rewound(struct wr_embedded *e, struct wr_embedded_writer *w);

/* Free commits that were dropped, and closed writers that had their last. L is not held. */
void wr_writer_bury(struct wr_embedded *e);

/* The owner retries: hand over again what is held. L. */
void wr_writer_resume(struct wr_embedded *e, struct wr_embedded_writer *w);

/* A marked transaction that nobody ends: the engine aborts it when it comes to it. Without memory it stays
 * open until the log is opened anew. L. */
void wr_writer_abort_detached(struct wr_embedded *e, int64_t producer_id);

/* ---- the owner's (writer.c) -------------------------------------------------------------------------- */

/* An empty commit, one that was used before if there is; NULL when out of memory. And one given back. */
struct wr_commit *wr_writer_take_spare(struct wr_embedded_writer *w);
void wr_writer_give_spare(struct wr_embedded_writer *w, struct wr_commit *commit);

/* May another be handed over now? As wr_log_writer_commit(). */
WR_MUST_USE int wr_writer_check_open(struct wr_embedded_writer *w, struct weir_error *err);

/* Number the commit that was filled and put it into the queue; the next is filled in `next`. */
void wr_writer_hand_over(struct wr_embedded_writer *w, struct wr_commit *next, uint64_t *out);

/* Free a writer that nobody else knows. */
void wr_writer_free(struct wr_embedded_writer *w);

/* The operations of log_ops.h, of the same names there. */
int wr_embedded_writer_open(struct wr_log *log, const struct wr_log_writer_options *options,
                            struct wr_log_writer **out, struct weir_error *err);
void wr_embedded_writer_close(struct wr_log_writer *writer);
int wr_embedded_writer_commit(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                              struct weir_error *err);
int wr_embedded_writer_retry(struct wr_log_writer *writer, struct weir_error *err);
int wr_embedded_writer_poll(struct wr_log_writer *writer, struct wr_log_answer *out,
                            struct weir_error *err);
int wr_embedded_writer_fd(const struct wr_log_writer *writer);

#endif
