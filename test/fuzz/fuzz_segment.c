/*
 * Bytes as a segment file, with its indexes beside it.
 *
 * Whatever they are: the pieces cover the file in order and the offsets without a gap; what mending makes
 * of it has nothing left to mend; and indexes built from that are found right.
 */
#include "log/embedded/examine.h"
#include "log/embedded/index_build.h"
#include "log/embedded/transactions.h"

#include "sim/vfs_sim.h"

enum {
    BASE_OFFSET = 1000,
    INTERVAL_BYTES = 200
};

static const struct wr_batch_limits limits = {4 << 20, 1 << 20, 64};

struct state {
    struct wr_vfs *vfs;
    struct wr_batch_iter iter;
    uint64_t at;
    int64_t next_offset;
    bool is_mended; /* only whole batches are expected */
    bool has_index;
    struct wr_index_build build;
    struct wr_index_check check;
    struct wr_transactions transactions;
};

/* A piece follows the one before it. Records in a hole may be missing from the file, so it may have no
 * bytes; surplus batches are out of line by their nature. */
static void follow(struct state *s, const struct wr_piece *piece)
{
    WR_ASSERT(piece->at == s->at);
    s->at += piece->bytes;
    if (piece->kind == WR_PIECE_SURPLUS) {
        return;
    }
    WR_ASSERT(piece->first_offset == s->next_offset);
    WR_ASSERT(piece->next_offset >= piece->first_offset);
    s->next_offset = piece->next_offset;
}

static int see(void *arg, const struct wr_piece *piece, struct weir_error *err)
{
    struct state *s = arg;
    struct wr_index_aborted aborted;
    bool aborts = false;
    follow(s, piece);
    WR_ASSERT(!s->is_mended || piece->kind == WR_PIECE_BATCH);
    int rc = wr_transactions_see(&s->transactions, piece, &aborts, &aborted, err);
    if (rc == 0 && s->is_mended && !s->has_index) {
        wr_index_build_batch(&s->build, &piece->header, piece->at, aborts ? &aborted : NULL);
    } else if (rc == 0 && s->is_mended) {
        wr_index_check_batch(&s->check, &piece->header, piece->at, aborts ? &aborted : NULL);
    }
    return rc;
}

static struct wr_file *open_file(struct state *s, const char *path, unsigned flags)
{
    struct weir_error err;
    struct wr_file *file = NULL;
    int rc = wr_file_open(s->vfs, path, flags, &file, &err);
    WR_ASSERT(rc == 0);
    return file;
}

static struct wr_examination examination_of(struct state *s, struct wr_file *file)
{
    struct weir_error err;
    int64_t size = wr_file_size(file, &err);
    wr_transactions_fini(&s->transactions);
    s->at = 0;
    s->next_offset = BASE_OFFSET;
    return (struct wr_examination){.file = file,
                                   .size_bytes = (uint64_t)size,
                                   .base_offset = BASE_OFFSET,
                                   .end_offset = -1,
                                   .iter = &s->iter,
                                   .each = see,
                                   .arg = s};
}

static void examine(struct state *s, const char *path)
{
    struct weir_error err;
    struct wr_file *file = open_file(s, path, WR_OPEN_READ);
    struct wr_examination x = examination_of(s, file);
    int rc = wr_examine(&x, &err);
    WR_ASSERT(rc == 0);
    WR_ASSERT(s->at == x.size_bytes);
    wr_file_close(file);
}

static void mend(struct state *s)
{
    struct weir_error err;
    uint64_t size = 0;
    struct wr_file *file = open_file(s, "s.log", WR_OPEN_READ);
    struct wr_file *out = open_file(s, "m.log", WR_OPEN_WRITE | WR_OPEN_CREATE);
    struct wr_examination x = examination_of(s, file);
    int rc = wr_examine_mend(&x, out, &size, &err);
    WR_ASSERT(rc == 0);
    wr_file_close(file);
    wr_file_close(out);
}

static void index_it(struct state *s)
{
    struct weir_error err;
    struct wr_index_result results[WR_INDEX_KINDS];
    s->is_mended = true;
    s->build = wr_index_build_of(BASE_OFFSET, INTERVAL_BYTES);
    examine(s, "m.log");
    int rc = wr_index_build_write(&s->build, s->vfs, "m", true, &err);
    WR_ASSERT(rc == 0);
    rc = wr_index_check_begin(s->vfs, "m", BASE_OFFSET, INTERVAL_BYTES, &s->check, &err);
    WR_ASSERT(rc == 0);
    s->has_index = true;
    examine(s, "m.log");
    wr_index_check_end(&s->check, true, results);
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        WR_ASSERT(results[kind].verdict == WR_INDEX_GOOD);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_error err;
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct state s = {.vfs = wr_vfs_sim_vfs(sim), .iter = wr_batch_iter_of(&limits, NULL)};
    struct wr_file *file = open_file(&s, "s.log", WR_OPEN_WRITE | WR_OPEN_CREATE);
    int rc = wr_file_write(file, data, size, 0, &err);
    WR_ASSERT(rc == 0);
    wr_file_close(file);
    examine(&s, "s.log");
    mend(&s);
    index_it(&s);
    wr_index_build_fini(&s.build);
    wr_index_check_fini(&s.check);
    wr_transactions_fini(&s.transactions);
    wr_batch_iter_fini(&s.iter);
    wr_vfs_sim_free(sim);
    return 0;
}
