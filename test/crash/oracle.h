/*
 * oracle.h - knows what was written to a log and answered, and judges what is left of it after a crash.
 *
 * The workload tells it of each topic, commit and answer as they happen, and of what readers were given.
 * Every record says in its value which commit it belongs to, and which record of it it is, so the judge
 * needs no guessing: it reads the whole log and compares.
 *
 *     acknowledged    whole, in order, once, at its offsets, as its durability promises
 *     not answered    whole or absent, over all its partitions
 *     in every case   offsets follow on, the log is a prefix by commit, marked transactions are seen whole
 *                     or not at all, epochs rise, nothing that a reader saw is gone (fsync)
 *
 * Thread: one at a time.
 */
#ifndef CRASH_ORACLE_H
#define CRASH_ORACLE_H

#include "log/embedded/embedded.h"
#include "sim/vfs_sim.h"

enum {
    ORACLE_TOPICS_MAX = 64,
    ORACLE_PARTITIONS_MAX = 4,
    ORACLE_PARTS_MAX = 6,
    ORACLE_WRITERS_MAX = 4,
    ORACLE_WHY_MAX = 400
};

enum oracle_topic_state {
    ORACLE_MAKING, /* asked for, not answered */
    ORACLE_THERE,
    ORACLE_REMOVING, /* its deletion is asked for */
    ORACLE_GONE
};

struct oracle_topic {
    char name[40];
    uint32_t partitions;
    bool has_retention; /* its records may be removed from the start */
    enum oracle_topic_state state;
    struct wr_topic_id id; /* not while MAKING */
    struct oracle_seen {
        uint64_t *marks; /* by offset: which record it was; 0: none */
        size_t cap;
    } seen[ORACLE_PARTITIONS_MAX];
    int64_t log_start[ORACLE_PARTITIONS_MAX]; /* as last observed */
};

enum oracle_kind {
    ORACLE_PLAIN,
    ORACLE_MARKED,   /* records of a marked transaction */
    ORACLE_END_KEEP, /* ends one; its records are plain */
    ORACLE_END_ABORT
};

enum oracle_commit_state {
    ORACLE_FILLING,
    ORACLE_HANDED, /* handed over, not answered */
    ORACLE_HELD,   /* answered AGAIN */
    ORACLE_ACKED,
    ORACLE_DROPPED, /* it must not be there */
    ORACLE_MAYBE    /* its writer went away before the answer */
};

struct oracle_part {
    size_t topic;
    uint32_t partition;
    uint32_t count;
    uint32_t value_len;
    int64_t base_offset; /* ACKED: as answered */
};

struct oracle_commit {
    enum oracle_kind kind;
    enum oracle_commit_state state;
    uint32_t writer;
    bool is_retried;     /* waited for room: where it stands between those of others is not known */
    bool may_be_refused; /* for want of room or of a topic, while those of others go on */
    bool is_synced;      /* a later or the same commit asked for it and was answered */
    uint64_t order;      /* of handing over; anew when retried */
    size_t txn;          /* index + 1; 0: none */
    struct oracle_part parts[ORACLE_PARTS_MAX];
    size_t part_count;
};

/* A marked transaction. */
struct oracle_txn {
    size_t end; /* id of the commit that ends it, or 0 */
    uint64_t touched[ORACLE_TOPICS_MAX * ORACLE_PARTITIONS_MAX / 64]; /* partitions, a bit each */
    bool is_abandoned; /* its writer went away: to be aborted, when is not known */
    bool is_aborted;   /* its abort was acknowledged */
};

struct oracle {
    enum wr_durability durability;
    struct oracle_topic topics[ORACLE_TOPICS_MAX];
    size_t topic_count;
    struct oracle_commit *commits; /* by id, from 1 */
    size_t commit_count;
    size_t commit_cap;
    struct oracle_txn *txns;
    size_t txn_count;
    size_t txn_cap;
    uint64_t order;
    int32_t leader_epoch; /* as last observed */
    bool is_clean;        /* stopped cleanly since */
};

/* Nothing written yet. Free with oracle_fini(). */
struct oracle oracle_of(enum wr_durability durability);
void oracle_fini(struct oracle *o);

/* ---- what happens ---------------------------------------------------------------------------------- */

/* A topic is asked for; gives its index. */
size_t oracle_topic_asked(struct oracle *o, const char *name, uint32_t partitions,
                          bool has_retention);

/* A commit is begun by a writer (0, 1, …); gives its id. `txn`: index + 1 or 0. */
uint64_t oracle_commit_begin(struct oracle *o, enum oracle_kind kind, uint32_t writer, size_t txn);

/* A marked transaction is begun; gives index + 1. */
size_t oracle_txn_begin(struct oracle *o);

/* Records are appended to it: `count` of them with values of `value_len` bytes. Gives the part. */
struct oracle_part *oracle_append(struct oracle *o, uint64_t id, size_t topic, uint32_t partition,
                                  uint32_t count, uint32_t value_len);

/* The value of one of its records, into `buf` of at least the part's value_len. */
void oracle_value(uint64_t id, size_t part, uint32_t index, uint8_t *buf, size_t len);

/* It is handed over, for the first time or again. */
void oracle_handed_over(struct oracle *o, uint64_t id);

/* From now on commits that are not answered may be refused while those of others are done: all of them, or those
 * with records for a topic that is to be deleted; and what their writers have handed over behind them. */
void oracle_may_refuse(struct oracle *o);
void oracle_may_refuse_topic(struct oracle *o, size_t topic);

/* It is DONE. `asked_sync`: with WR_COMMIT_SYNC, so all before it is synced as well. */
void oracle_acked(struct oracle *o, uint64_t id, const struct wr_log_answer *answer,
                  bool asked_sync);

/* A reader of committed records was given this. */
void oracle_saw(struct oracle *o, const struct wr_log_chunk *chunk);

/* ---- judging --------------------------------------------------------------------------------------- */

/* Judge a log that was just opened after a crash, or is still up (`loss` ALL: everything acknowledged is
 * there). False with the reason in `why`. */
bool oracle_judge(const struct oracle *o, struct wr_log *log, enum wr_sim_loss loss,
                  char why[ORACLE_WHY_MAX]);

/* Judge one whose files were damaged on purpose: a partition that says it is damaged, or whose reading says
 * so, may lack anything; all others are judged as above. `damaged`: how many there are. */
bool oracle_judge_damaged(const struct oracle *o, struct wr_log *log, enum wr_sim_loss loss,
                          uint32_t *damaged, char why[ORACLE_WHY_MAX]);

/* A log was opened after a crash and judged: what was not answered is settled by what is there. `loss`: what
 * the crash was; ALL: the process died, and what it had not synced is still not. False with the reason in
 * `why` when the log cannot be read (the disk may fail at any time): nothing is settled then. */
bool oracle_settle(struct oracle *o, struct wr_log *log, enum wr_sim_loss loss,
                   char why[ORACLE_WHY_MAX]);

/* The log was stopped cleanly: all of it is durable. */
void oracle_stopped(struct oracle *o);

#endif
