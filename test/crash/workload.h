/*
 * workload.h - a seeded life of a log on a simulated disk: it rolls, checkpoints, recycles the journal,
 * keeps and aborts marked transactions, makes and deletes topics, runs retention and fills the disk. The
 * oracle is told of all that happens.
 *
 * The engine runs without threads, so that a seed is a whole run.
 */
#ifndef CRASH_WORKLOAD_H
#define CRASH_WORKLOAD_H

#include "crash/oracle.h"

enum {
    WRITERS = 3, /* one of plain commits, one of marked transactions, one of large commits */
    IN_FLIGHT_MAX = 32,
    HANDLES_MAX = ORACLE_TOPICS_MAX
};

struct flight {
    uint64_t number; /* the engine's */
    uint64_t id;     /* the oracle's */
    bool asks_sync;
};

struct hand {
    struct wr_log_writer *writer;
    const char *name;
    size_t txn; /* of the marked transaction that is open: index + 1 */
    struct flight flights[IN_FLIGHT_MAX];
    size_t flight_count;
    bool is_stalled;
};

/* What the log told a person. */
struct notices {
    uint32_t count;
    uint32_t warnings;
    uint32_t fatal;
    bool lacks_entries;             /* of the journal */
    char last[WEIR_ERROR_TEXT_MAX]; /* the first of all, or the last that was an error */
};

struct workload {
    struct wr_rng rng;
    struct wr_rng log_rng; /* the engine's: topic ids */
    struct wr_manual_clock clock;
    struct wr_vfs_sim *sim; /* owned */
    struct wr_log *log;     /* NULL while closed */
    struct notices notices;
    struct oracle oracle;
    struct hand hands[WRITERS];
    struct wr_log_topic *topics[HANDLES_MAX]; /* by the oracle's index; NULL: gone */
    struct wr_log_reader *reader;             /* of committed records of all topics */
    size_t lasting[4];                        /* the oracle's index of pos, a, b, r */
    uint32_t names;                           /* of topics that come and go, so far */
    bool is_full;
    bool has_fault;    /* an operation may fail: commits may be refused though there is room */
    bool is_unsettled; /* a crash is behind it, and the log was not opened since */
    bool has_begun;    /* the last run came to its first checkpoint: it has an epoch of its own */
    enum wr_sim_loss loss;    /* what that crash was */
    char why[ORACLE_WHY_MAX]; /* what was wrong with the log when it was opened */
};

/* A new disk, nothing on it yet. */
struct workload workload_of(uint64_t seed, enum wr_durability durability);
void workload_fini(struct workload *w);

/* Open an engine on a disk as the workload does. Returns as wr_embedded_open(). */
int crash_open(struct wr_vfs_sim *sim, enum wr_durability durability, const struct wr_clock *clock,
               struct wr_rng *rng, struct notices *notices, struct wr_log **out,
               struct weir_error *err);

/* Open the log, judge it and settle what a crash left open; open its writers and its reader, and make the
 * topics that are to be there always. Returns 0, WEIR_E_CORRUPT when the oracle finds it wrong, or the
 * code with which something failed. */
int workload_open(struct workload *w, struct weir_error *err);

/* Do the next thing. Returns 0, or the code with which the log failed. */
int workload_step(struct workload *w, struct weir_error *err);

/* Do what is under way to its end, with room on the disk. Returns 0, or the code with which it failed. */
int workload_settle_down(struct workload *w, struct weir_error *err);

/* Did the last run that opened the log come to its first checkpoint? A run that did not has written nothing, and
 * the next one takes its epoch. */
bool workload_has_begun(struct workload *w);

/* What is lost when the process is killed now: ALL (all is kept), or what a power loss may take as well, after a
 * sync that failed. */
enum wr_sim_loss workload_loss_of_kill(const struct workload *w);

/* Let go of the log: in good order, as far as the disk lets it, or as if killed. */
void workload_close(struct workload *w, bool is_clean);

/* Power is lost on the log's disk, which is closed: go on on what is left. */
void workload_lose_power(struct workload *w, enum wr_sim_loss loss, uint64_t seed);

#endif
