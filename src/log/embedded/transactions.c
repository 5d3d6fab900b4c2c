#include "log/embedded/transactions.h"

enum {
    OPEN_MAX = 1 << 20
};

void wr_transactions_fini(struct wr_transactions *transactions)
{
    wr_free(transactions->open);
    *transactions = (struct wr_transactions){0};
}

static size_t find(const struct wr_transactions *t, int64_t producer_id)
{
    size_t i = 0;
    while (i < t->count && t->open[i].producer_id != producer_id) {
        i++;
    }
    return i;
}

static int begin(struct wr_transactions *t, int64_t producer_id, int64_t offset,
                 struct weir_error *err)
{
    if (find(t, producer_id) < t->count) {
        return 0;
    }
    if (!wr_grow(&t->open, &t->cap, t->count + 1, sizeof(t->open[0]), OPEN_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu open transactions", t->count);
    }
    t->open[t->count] = (struct wr_begun){producer_id, offset};
    t->count++;
    return 0;
}

/* A marker for a producer of whom nothing is open ends nothing. */
static bool end(struct wr_transactions *t, const struct wr_piece *piece,
                struct wr_index_aborted *out)
{
    size_t i = find(t, piece->header.producer_id);
    bool is_known = i < t->count;
    *out = (struct wr_index_aborted){.producer_id = piece->header.producer_id,
                                     .first_offset = is_known ? t->open[i].first_offset : -1,
                                     .last_offset = piece->first_offset};
    if (is_known) {
        t->count--;
        memmove(t->open + i, t->open + i + 1, (t->count - i) * sizeof(t->open[0]));
    }
    out->last_stable = t->count > 0 ? t->open[0].first_offset : piece->next_offset;
    if (t->is_start_lost) {
        out->first_offset = -1;
    }
    return piece->marker.type == WR_MARKER_ABORT && (is_known || t->is_start_lost);
}

int wr_transactions_see(struct wr_transactions *transactions, const struct wr_piece *piece,
                        bool *aborts, struct wr_index_aborted *out, struct weir_error *err)
{
    *aborts = false;
    if (piece->kind == WR_PIECE_HOLE) {
        transactions->is_start_lost = true;
    }
    if (piece->kind != WR_PIECE_BATCH && piece->kind != WR_PIECE_OFFSET) {
        return 0;
    }
    if (piece->is_marker) {
        *aborts = end(transactions, piece, out);
        return 0;
    }
    bool is_in = (piece->header.attributes & WR_BATCH_TRANSACTIONAL) != 0 &&
                 (piece->header.attributes & WR_BATCH_CONTROL) == 0;
    return is_in ? begin(transactions, piece->header.producer_id, piece->first_offset, err) : 0;
}
