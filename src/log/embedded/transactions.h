/*
 * transactions.h - follows the transactions of a partition through its pieces, to know which a marker
 * aborts: what .txnindex must say. For verify and repair. Thread: one at a time.
 */
#ifndef WR_EMBEDDED_TRANSACTIONS_H
#define WR_EMBEDDED_TRANSACTIONS_H

#include "log/embedded/examine.h"
#include "log/embedded/index_check.h"

struct wr_begun {
    int64_t producer_id;
    int64_t first_offset;
};

/* Zeroed: none is open, and all are known from their start. */
struct wr_transactions {
    struct wr_begun *open; /* by first offset */
    size_t count;
    size_t cap;
    bool is_start_lost; /* one may have begun unseen: before the log's start, or in a hole */
};

/* Free. Takes a zeroed one. */
void wr_transactions_fini(struct wr_transactions *transactions);

/* The next piece of the partition is this. When it ends a transaction by aborting it, `aborts` is true and
 * `out` says what .txnindex has of it; its first offset is -1 when the start may have been missed.
 * WEIR_E_NOMEM. */
WR_MUST_USE int wr_transactions_see(struct wr_transactions *transactions,
                                    const struct wr_piece *piece, bool *aborts,
                                    struct wr_index_aborted *out, struct weir_error *err);

#endif
