/*
 * Index files against their segment. The segments and their indexes are a Kafka broker's (test/wire/segment),
 * so what is right is Kafka's word; then one thing at a time is made wrong in them.
 */
#include "log/embedded/index_build.h"

#include "../wire/wire.h"
#include "sim/vfs_sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    INTERVAL_BYTES = 300,
    PRODUCERS = 8
};

struct fixture {
    struct wr_vfs_sim *sim;
    int64_t open[PRODUCERS]; /* first offset of its open transaction by producer id; -1: none */
    struct wr_index_result results[WR_INDEX_KINDS];
    char why[WR_INDEX_KINDS][WEIR_ERROR_TEXT_MAX];
};

static void put(struct fixture *f, const char *name, const char *suffix)
{
    struct weir_error err = {0};
    char from[64];
    char to[64];
    struct wr_file *file = NULL;
    (void)snprintf(from, sizeof(from), "%s-%s", name, suffix);
    (void)snprintf(to, sizeof(to), "s.%s", suffix);
    struct wr_bytes bytes = wire_load("segment", from);
    assert_int_equal(
        wr_file_open(wr_vfs_sim_vfs(f->sim), to, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
    assert_int_equal(wr_file_write(file, bytes.ptr, bytes.len, 0, &err), 0);
    wr_file_close(file);
    free((void *)(uintptr_t)bytes.ptr);
}

static void make(struct fixture *f, const char *name)
{
    f->sim = wr_vfs_sim_new();
    put(f, name, "log");
    put(f, name, "index");
    put(f, name, "timeindex");
    if (strcmp(name, "made-25") == 0) {
        put(f, name, "txnindex");
    }
}

static int64_t first_open(const struct fixture *f)
{
    int64_t first = INT64_MAX;
    for (size_t i = 0; i < PRODUCERS; i++) {
        first = f->open[i] >= 0 && f->open[i] < first ? f->open[i] : first;
    }
    return first;
}

/* Keep account of transactions; true when the batch aborts one. */
static bool follow(struct fixture *f, const struct wr_batch *batch, struct wr_index_aborted *out)
{
    struct weir_error err = {0};
    struct wr_marker marker;
    const struct wr_batch_header *h = &batch->header;
    if ((h->attributes & WR_BATCH_TRANSACTIONAL) == 0) {
        return false;
    }
    assert_true(h->producer_id >= 0 && h->producer_id < PRODUCERS);
    int64_t *open = &f->open[h->producer_id];
    if ((h->attributes & WR_BATCH_CONTROL) == 0) {
        *open = *open < 0 ? h->base_offset : *open;
        return false;
    }
    assert_int_equal(wr_marker_decode(batch, &marker, &err), 0);
    *out = (struct wr_index_aborted){h->producer_id, *open, h->base_offset, 0};
    *open = -1;
    int64_t stable = first_open(f);
    out->last_stable = stable == INT64_MAX ? h->base_offset + 1 : stable;
    return marker.type == WR_MARKER_ABORT;
}

/* Make the indexes anew, over what is there. */
static void build(struct fixture *f, int64_t base_offset, bool is_full)
{
    struct weir_error err = {0};
    struct wr_bytes log = {NULL, 0};
    struct wr_vfs *vfs = wr_vfs_sim_vfs(f->sim);
    struct wr_index_build b = wr_index_build_of(base_offset, INTERVAL_BYTES);
    assert_int_equal(wr_vfs_read_file(vfs, "s.log", 1 << 20, &log, &err), 0);
    size_t at = 0;
    while (at < log.len) {
        struct wr_batch batch;
        struct wr_index_aborted aborted = {0};
        assert_int_equal(wr_batch_of((struct wr_bytes){log.ptr + at, log.len - at}, &batch, &err),
                         0);
        bool aborts = follow(f, &batch, &aborted);
        wr_index_build_batch(&b, &batch.header, at, aborts ? &aborted : NULL);
        at += batch.bytes.len;
    }
    assert_int_equal(wr_index_build_write(&b, vfs, "s", is_full, &err), 0);
    wr_index_build_fini(&b);
    wr_free((void *)(uintptr_t)log.ptr);
}

/* Walk the segment, from what is known of transactions on. */
static void walk(struct fixture *f, int64_t base_offset, bool is_full)
{
    struct weir_error err = {0};
    struct wr_index_check c;
    struct wr_bytes log = {NULL, 0};
    struct wr_vfs *vfs = wr_vfs_sim_vfs(f->sim);
    assert_int_equal(wr_vfs_read_file(vfs, "s.log", 1 << 20, &log, &err), 0);
    assert_int_equal(wr_index_check_begin(vfs, "s", base_offset, INTERVAL_BYTES, &c, &err), 0);
    size_t at = 0;
    while (at < log.len) {
        struct wr_batch batch;
        struct wr_index_aborted aborted = {0};
        assert_int_equal(wr_batch_of((struct wr_bytes){log.ptr + at, log.len - at}, &batch, &err),
                         0);
        bool aborts = follow(f, &batch, &aborted);
        wr_index_check_batch(&c, &batch.header, at, aborts ? &aborted : NULL);
        at += batch.bytes.len;
    }
    wr_index_check_end(&c, is_full, f->results);
    for (size_t i = 0; i < WR_INDEX_KINDS; i++) {
        (void)snprintf(f->why[i], sizeof(f->why[i]), "%s", f->results[i].why);
    }
    wr_index_check_fini(&c);
    wr_free((void *)(uintptr_t)log.ptr);
}

static void check(struct fixture *f, int64_t base_offset, bool is_full)
{
    for (size_t i = 0; i < PRODUCERS; i++) {
        f->open[i] = -1;
    }
    walk(f, base_offset, is_full);
}

static void expect(struct fixture *f, enum wr_index_verdict places, enum wr_index_verdict times,
                   enum wr_index_verdict aborted)
{
    assert_int_equal(f->results[WR_INDEX_PLACES].verdict, places);
    assert_int_equal(f->results[WR_INDEX_TIMES].verdict, times);
    assert_int_equal(f->results[WR_INDEX_ABORTED].verdict, aborted);
}

static void kafkas_own_indexes_are_right(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "made-0");
    check(&f, 0, true);
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_GOOD);
    wr_vfs_sim_free(f.sim);
    make(&f, "made-25");
    check(&f, 25, false); /* of transactions that began before, only the end is compared */
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_GOOD);
    wr_vfs_sim_free(f.sim);
}

/* As above, with the transactions of the first segment known. */
static void check_second(struct fixture *f)
{
    struct fixture first = {0};
    make(&first, "made-0");
    check(&first, 0, true);
    wr_vfs_sim_free(first.sim);
    memcpy(f->open, first.open, sizeof(f->open));
    walk(f, 25, false);
}

static void kafkas_aborted_transactions_are_right_across_segments(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "made-25");
    check_second(&f);
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_GOOD);
    wr_vfs_sim_free(f.sim);
}

static void expect_file(struct fixture *f, const char *name, const char *suffix)
{
    struct weir_error err = {0};
    struct wr_bytes got = {NULL, 0};
    char from[64];
    char path[64];
    (void)snprintf(from, sizeof(from), "%s-%s", name, suffix);
    (void)snprintf(path, sizeof(path), "s.%s", suffix);
    struct wr_bytes want = wire_load("segment", from);
    assert_int_equal(wr_vfs_read_file(wr_vfs_sim_vfs(f->sim), path, 1 << 20, &got, &err), 0);
    assert_int_equal(got.len, want.len);
    assert_memory_equal(got.ptr, want.ptr, want.len);
    free((void *)(uintptr_t)want.ptr);
    wr_free((void *)(uintptr_t)got.ptr);
}

/* Byte for byte what the broker wrote: it adds entries by the same rule. */
static void made_anew_they_are_kafkas(void **state)
{
    (void)state;
    struct fixture first = {0};
    struct fixture second = {0};
    make(&first, "made-0");
    check(&first, 0, true);
    for (int64_t i = 0; i < PRODUCERS; i++) {
        second.open[i] = first.open[i];
        first.open[i] = -1;
    }
    wr_vfs_sim_zero(first.sim, "s.index", 0, 10);
    build(&first, 0, true);
    expect_file(&first, "made-0", "index");
    expect_file(&first, "made-0", "timeindex");
    wr_vfs_sim_free(first.sim);

    make(&second, "made-25");
    wr_vfs_sim_cut(second.sim, "s.txnindex", 10);
    build(&second, 25, true);
    expect_file(&second, "made-25", "index");
    expect_file(&second, "made-25", "timeindex");
    expect_file(&second, "made-25", "txnindex");
    wr_vfs_sim_free(second.sim);
}

static uint64_t size_of(struct fixture *f, const char *path)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(wr_vfs_sim_vfs(f->sim), path, WR_OPEN_READ, &file, &err), 0);
    int64_t size = wr_file_size(file, &err);
    wr_file_close(file);
    assert_true(size > 0);
    return (uint64_t)size;
}

static void try_flip(struct fixture *f, int kind, const char *path, uint64_t at)
{
    wr_vfs_sim_flip(f->sim, path, at, 1);
    check_second(f);
    for (int i = 0; i < WR_INDEX_KINDS; i++) {
        assert_int_equal(f->results[i].verdict, i == kind ? WR_INDEX_WRONG : WR_INDEX_GOOD);
    }
    assert_true(f->results[kind].at <= at);
    wr_vfs_sim_flip(f->sim, path, at, 1);
}

/* Every byte of every index counts. */
static void every_changed_byte_is_found(void **state)
{
    (void)state;
    static const char *const paths[] = {"s.index", "s.timeindex", "s.txnindex"};
    struct fixture f = {0};
    make(&f, "made-25");
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        uint64_t size = size_of(&f, paths[kind]);
        for (uint64_t at = 0; at < size; at++) {
            try_flip(&f, kind, paths[kind], at);
        }
    }
    wr_vfs_sim_free(f.sim);
}

static void append(struct fixture *f, const char *path, uint64_t len)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(wr_vfs_sim_vfs(f->sim), path, WR_OPEN_WRITE, &file, &err), 0);
    assert_int_equal(wr_file_truncate(file, size_of(f, path) + len, &err), 0);
    wr_file_close(file);
}

static void zeros_behind_the_entries_are_wrong(void **state)
{
    (void)state;
    static const uint64_t lens[] = {1, 8, 12, 34, 1000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct fixture f = {0};
        make(&f, "made-25");
        append(&f, "s.index", lens[i]);
        append(&f, "s.timeindex", lens[i]);
        append(&f, "s.txnindex", lens[i]);
        check_second(&f);
        expect(&f, WR_INDEX_WRONG, WR_INDEX_WRONG, WR_INDEX_WRONG);
        assert_int_equal(f.results[WR_INDEX_PLACES].at, 112);
        wr_vfs_sim_free(f.sim);
    }
}

static void an_index_may_lack_entries_but_not_the_last_time_of_a_full_segment(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "made-0");
    wr_vfs_sim_cut(f.sim, "s.index", 16);
    check(&f, 0, true);
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_GOOD);
    wr_vfs_sim_cut(f.sim, "s.timeindex", 0);
    check(&f, 0, false);
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_GOOD);
    check(&f, 0, true);
    expect(&f, WR_INDEX_GOOD, WR_INDEX_WRONG, WR_INDEX_GOOD);
    wr_vfs_sim_free(f.sim);

    make(&f, "made-25");
    wr_vfs_sim_cut(f.sim, "s.txnindex", 34);
    check_second(&f);
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_WRONG);
    wr_vfs_sim_free(f.sim);
}

static void missing_files_are_missed_where_there_is_something_to_index(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture f = {0};
    make(&f, "made-25");
    struct wr_vfs *vfs = wr_vfs_sim_vfs(f.sim);
    assert_int_equal(wr_vfs_unlink(vfs, "s.index", &err), 0);
    assert_int_equal(wr_vfs_unlink(vfs, "s.timeindex", &err), 0);
    assert_int_equal(wr_vfs_unlink(vfs, "s.txnindex", &err), 0);
    check(&f, 25, true);
    expect(&f, WR_INDEX_MISSING, WR_INDEX_MISSING, WR_INDEX_MISSING);
    assert_string_equal(f.why[WR_INDEX_PLACES], "it is not there");
    check(&f, 25, false); /* the active segment's may be to come; aborted transactions not */
    expect(&f, WR_INDEX_GOOD, WR_INDEX_GOOD, WR_INDEX_MISSING);
    wr_vfs_sim_free(f.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kafkas_own_indexes_are_right),
        cmocka_unit_test(kafkas_aborted_transactions_are_right_across_segments),
        cmocka_unit_test(made_anew_they_are_kafkas),
        cmocka_unit_test(every_changed_byte_is_found),
        cmocka_unit_test(zeros_behind_the_entries_are_wrong),
        cmocka_unit_test(an_index_may_lack_entries_but_not_the_last_time_of_a_full_segment),
        cmocka_unit_test(missing_files_are_missed_where_there_is_something_to_index),
    };
    return cmocka_run_group_tests_name("index_check", tests, NULL, NULL);
}
