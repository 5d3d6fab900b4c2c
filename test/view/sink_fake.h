/*
 * sink_fake.h - a store in memory that keeps all promises of sink_ops.h and can be told to give every answer
 * that they allow. An event's row is its field `n`, a number; a row with a number below zero is refused as
 * the event's fault.
 *
 * One store a test: sinks that are made while it is in use write to it; several at once exclude each other as
 * two connections would.
 */
#ifndef WR_SINK_FAKE_H
#define WR_SINK_FAKE_H

#include "base/rng.h"
#include "view/sink_ops.h"

enum sink_fake_call {
    SINK_FAKE_OPEN,
    SINK_FAKE_POSITIONS,
    SINK_FAKE_BEGIN,
    SINK_FAKE_APPLY,
    SINK_FAKE_COMMIT,
    SINK_FAKE_COMMIT_UNKNOWN, /* is done, and says that it is not */
    SINK_FAKE_CALLS
};

enum {
    SINK_FAKE_ROWS_MAX = 100000,
    SINK_FAKE_POSITIONS_MAX = 64
};

struct sink_fake_store {
    int64_t rows[SINK_FAKE_ROWS_MAX]; /* committed first, then those of the open transaction */
    size_t committed;
    size_t count;
    struct wr_sink_position positions[SINK_FAKE_POSITIONS_MAX];
    char topics[SINK_FAKE_POSITIONS_MAX][64];
    size_t position_count;
    const void *writer; /* whose transaction is open */
    uint64_t commits;

    /* The at-th call of a kind from now on (1: the next) fails with `code`; 0: none does. */
    struct {
        uint64_t at;
        int code;
    } fail[SINK_FAKE_CALLS];

    /* Or at random, one call in `odds`, with a code of class RETRY; 0: none. */
    struct wr_rng rng;
    uint64_t odds;
};

/* Use this store, zeroed by the caller, from now on. */
void sink_fake_use(struct sink_fake_store *used);

extern const struct wr_sink_ops sink_fake;

/* The same without WR_SINK_TRANSACTIONAL. */
extern const struct wr_sink_ops sink_fake_loose;

#endif
