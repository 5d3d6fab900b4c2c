/*
 * Walking over a segment file, whole and damaged. The file holds ten batches of three records; each test
 * damages one of them in one way and says what the scan must see, and where it goes on.
 */
#include "log/embedded/salvage.h"

#include "sim/vfs_sim.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum {
    BATCHES = 10,
    RECORDS = 3,
    FIRST_OFFSET = 500,
    BIG_VALUE_BYTES = 700 * 1024 /* over the scan's window */
};

struct fixture {
    struct wr_vfs_sim *sim;
    struct wr_file *file;
    uint64_t at[BATCHES + 1]; /* of each batch, and the end */
};

static struct wr_bytes build(struct wr_batch_builder *builder, int64_t base_offset,
                             struct wr_bytes value)
{
    struct weir_error err = {0};
    struct wr_bytes bytes = {0};
    struct wr_batch_stamp stamp = wr_batch_stamp_plain();
    stamp.base_offset = base_offset;
    wr_batch_builder_reset(builder);
    for (int i = 0; i < RECORDS; i++) {
        struct wr_record record = {.value = value};
        assert_int_equal(wr_batch_append(builder, &record, 1000, &err), 0);
    }
    assert_int_equal(wr_batch_build(builder, &stamp, &bytes, &err), 0);
    return bytes;
}

static struct wr_bytes value_of(int batch)
{
    static uint8_t values[BIG_VALUE_BYTES];
    memset(values, 'a' + batch, sizeof(values));
    return (struct wr_bytes){values, batch == 4 ? sizeof(values) : 100};
}

static void open_file(struct fixture *f)
{
    struct weir_error err = {0};
    struct wr_batch_builder builder = wr_batch_builder_of(8 << 20);
    f->sim = wr_vfs_sim_new();
    assert_int_equal(wr_file_open(wr_vfs_sim_vfs(f->sim), "s.log", WR_OPEN_WRITE | WR_OPEN_CREATE,
                                  &f->file, &err),
                     0);
    uint64_t at = 0;
    for (int i = 0; i < BATCHES; i++) {
        struct wr_bytes bytes = build(&builder, FIRST_OFFSET + (int64_t)i * RECORDS, value_of(i));
        f->at[i] = at;
        assert_int_equal(wr_file_write(f->file, bytes.ptr, bytes.len, at, &err), 0);
        at += bytes.len;
    }
    f->at[BATCHES] = at;
    wr_batch_builder_fini(&builder);
}

static void close_file(struct fixture *f)
{
    wr_file_close(f->file);
    wr_vfs_sim_free(f->sim);
}

static struct wr_salvage scan_of(struct fixture *f)
{
    struct weir_error err = {0};
    int64_t size = wr_file_size(f->file, &err);
    assert_true(size >= 0);
    return wr_salvage_of(f->file, 0, (uint64_t)size, FIRST_OFFSET);
}

static struct wr_salvage_step next(struct wr_salvage *scan)
{
    struct weir_error err = {0};
    struct wr_salvage_step step = {0};
    assert_int_equal(wr_salvage_next(scan, &step, &err), 0);
    return step;
}

static void expect_batches(struct fixture *f, struct wr_salvage *scan, int from, int to)
{
    for (int i = from; i < to; i++) {
        struct wr_salvage_step step = next(scan);
        assert_int_equal(step.found, WR_SALVAGE_BATCH);
        assert_int_equal(step.at, f->at[i]);
        assert_int_equal(step.batch.header.base_offset, FIRST_OFFSET + i * RECORDS);
        assert_int_equal(step.batch.bytes.len, f->at[i + 1] - f->at[i]);
    }
}

static void expect_rest_after_break(struct fixture *f, struct wr_salvage *scan, int from)
{
    struct wr_salvage_step step = next(scan);
    assert_int_equal(step.found, WR_SALVAGE_BREAK);
    assert_int_equal(step.at, f->at[from]);
    assert_int_equal(step.batch.header.base_offset, FIRST_OFFSET + from * RECORDS);
    expect_batches(f, scan, from + 1, BATCHES);
    assert_int_equal(next(scan).found, WR_SALVAGE_END);
}

static int resync(struct wr_salvage *scan)
{
    struct weir_error err = {0};
    return wr_salvage_resync(scan, &err);
}

static void gives_every_batch_and_then_the_end(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    struct wr_salvage scan = scan_of(&f);
    expect_batches(&f, &scan, 0, BATCHES);
    struct wr_salvage_step step = next(&scan);
    assert_int_equal(step.found, WR_SALVAGE_END);
    assert_int_equal(step.at, f.at[BATCHES]);
    assert_int_equal(scan.next_offset, FIRST_OFFSET + BATCHES * RECORDS);
    assert_int_equal(next(&scan).found, WR_SALVAGE_END);
    wr_salvage_fini(&scan);
    close_file(&f);
}

static void try_flip(struct fixture *f, uint64_t byte, uint8_t bits)
{
    bool is_outside_crc = byte >= 12 && byte < 16; /* leader epoch: not the scan's affair */
    wr_vfs_sim_flip(f->sim, "s.log", f->at[2] + byte, bits);
    struct wr_salvage scan = scan_of(f);
    expect_batches(f, &scan, 0, 2);
    struct wr_salvage_step step = next(&scan);
    assert_true(is_outside_crc || step.found != WR_SALVAGE_BATCH);
    assert_int_equal(step.at, f->at[2]);
    if (step.found == WR_SALVAGE_BAD || step.found == WR_SALVAGE_SHORT) {
        assert_int_equal(resync(&scan), 1);
        expect_rest_after_break(f, &scan, 3);
    }
    wr_salvage_fini(&scan);
    wr_vfs_sim_flip(f->sim, "s.log", f->at[2] + byte, bits);
}

/* Every bit of one batch's header and some of its records. */
static void sees_every_flipped_bit_and_goes_on_behind_it(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    for (uint64_t byte = 0; byte < 100; byte++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            try_flip(&f, byte, (uint8_t)(1U << bit));
        }
    }
    close_file(&f);
}

static void a_wrong_base_offset_is_a_break_there_and_behind(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    wr_vfs_sim_flip(f.sim, "s.log", f.at[2] + 6, 1);
    struct wr_salvage scan = scan_of(&f);
    expect_batches(&f, &scan, 0, 2);
    struct wr_salvage_step step = next(&scan);
    assert_int_equal(step.found, WR_SALVAGE_BREAK);
    assert_int_equal(step.wanted_offset, FIRST_OFFSET + 2 * RECORDS);
    assert_non_null(strstr(step.why.text, "is the next"));
    expect_rest_after_break(&f, &scan, 3);
    wr_salvage_fini(&scan);
    close_file(&f);
}

static void two_damaged_neighbours_are_told_apart(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    wr_vfs_sim_flip(f.sim, "s.log", f.at[4] + 1000, 1);
    wr_vfs_sim_flip(f.sim, "s.log", f.at[5] + 90, 1);
    struct wr_salvage scan = scan_of(&f);
    expect_batches(&f, &scan, 0, 4);
    assert_int_equal(next(&scan).found, WR_SALVAGE_BAD);
    assert_int_equal(resync(&scan), 1);
    struct wr_salvage_step step = next(&scan);
    assert_int_equal(step.found, WR_SALVAGE_BAD);
    assert_int_equal(step.at, f.at[5]);
    assert_int_equal(resync(&scan), 1);
    expect_rest_after_break(&f, &scan, 6);
    wr_salvage_fini(&scan);
    close_file(&f);
}

static void finds_the_next_batch_behind_a_hole(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    wr_vfs_sim_zero(f.sim, "s.log", f.at[3] + 5, f.at[6] + 20 - (f.at[3] + 5));
    struct wr_salvage scan = scan_of(&f);
    expect_batches(&f, &scan, 0, 3);
    assert_int_equal(next(&scan).found, WR_SALVAGE_BAD);
    assert_int_equal(resync(&scan), 1);
    expect_rest_after_break(&f, &scan, 7);
    wr_salvage_fini(&scan);
    close_file(&f);
}

/* Cut at every place of the last batch, and with a zero tail as a preallocated file would have. */
static void a_cut_file_ends_short(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    for (uint64_t size = f.at[BATCHES] - 1; size > f.at[BATCHES - 1]; size--) {
        wr_vfs_sim_cut(f.sim, "s.log", size);
        struct wr_salvage scan = scan_of(&f);
        expect_batches(&f, &scan, 0, BATCHES - 1);
        struct wr_salvage_step step = next(&scan);
        assert_int_equal(step.found, WR_SALVAGE_SHORT);
        assert_int_equal(step.at, f.at[BATCHES - 1]);
        assert_int_equal(resync(&scan), 0);
        assert_int_equal(next(&scan).found, WR_SALVAGE_END);
        wr_salvage_fini(&scan);
    }
    close_file(&f);
}

static void a_zero_tail_is_no_batch(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    wr_vfs_sim_zero(f.sim, "s.log", f.at[7], f.at[BATCHES] - f.at[7]);
    struct wr_salvage scan = scan_of(&f);
    expect_batches(&f, &scan, 0, 7);
    assert_int_equal(next(&scan).found, WR_SALVAGE_BAD);
    assert_int_equal(resync(&scan), 0);
    assert_int_equal(scan.at, f.at[BATCHES]);
    wr_salvage_fini(&scan);
    close_file(&f);
}

/* A record may hold a batch: someone keeps Kafka's bytes in weir. It is not taken for one of ours. */
static void a_batch_inside_a_record_is_not_found(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture f = {.sim = wr_vfs_sim_new()};
    struct wr_batch_builder inner_builder = wr_batch_builder_of(8 << 20);
    struct wr_batch_builder builder = wr_batch_builder_of(8 << 20);
    struct wr_bytes inner = build(&inner_builder, FIRST_OFFSET + 1, value_of(0));
    assert_int_equal(
        wr_file_open(wr_vfs_sim_vfs(f.sim), "s.log", WR_OPEN_WRITE | WR_OPEN_CREATE, &f.file, &err),
        0);
    struct wr_bytes outer = build(&builder, FIRST_OFFSET, inner);
    assert_int_equal(wr_file_write(f.file, outer.ptr, outer.len, 0, &err), 0);
    uint64_t end = outer.len;
    outer = build(&builder, FIRST_OFFSET + RECORDS, value_of(0));
    assert_int_equal(wr_file_write(f.file, outer.ptr, outer.len, end, &err), 0);

    wr_vfs_sim_flip(f.sim, "s.log", 10, 1); /* its length: no help from its header */
    struct wr_salvage scan = scan_of(&f);
    assert_int_not_equal(next(&scan).found, WR_SALVAGE_BATCH);
    assert_int_equal(resync(&scan), 1);
    assert_int_equal(scan.at, end);
    wr_salvage_fini(&scan);
    wr_batch_builder_fini(&inner_builder);
    wr_batch_builder_fini(&builder);
    close_file(&f);
}

static void a_length_that_lies_takes_no_memory(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture f;
    open_file(&f);
    assert_int_equal(wr_file_truncate(f.file, 100 << 20, &err), 0);
    wr_vfs_sim_flip(f.sim, "s.log", f.at[0] + 8, 0x05); /* 80 MiB: within the file */
    struct wr_salvage scan = scan_of(&f);
    assert_int_equal(next(&scan).found, WR_SALVAGE_BAD);
    assert_true(scan.window_cap <= 1 << 20);
    wr_salvage_fini(&scan);
    close_file(&f);
}

static void any_offset_may_come_first_when_none_is_given(void **state)
{
    (void)state;
    struct fixture f;
    open_file(&f);
    struct wr_salvage scan = wr_salvage_of(f.file, f.at[3], f.at[6], -1);
    expect_batches(&f, &scan, 3, 6);
    assert_int_equal(next(&scan).found, WR_SALVAGE_END);
    wr_salvage_fini(&scan);
    close_file(&f);
}

static void a_read_that_fails_is_told(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_salvage_step step = {0};
    struct fixture f;
    open_file(&f);
    struct wr_salvage scan = scan_of(&f);
    struct wr_sim_fault fault = {.kinds = WR_SIM_READ, .at = 1, .code = WEIR_E_IO};
    wr_vfs_sim_fault(f.sim, &fault);
    assert_int_equal(wr_salvage_next(&scan, &step, &err), WEIR_E_IO);
    wr_salvage_fini(&scan);
    close_file(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_every_batch_and_then_the_end),
        cmocka_unit_test(sees_every_flipped_bit_and_goes_on_behind_it),
        cmocka_unit_test(a_wrong_base_offset_is_a_break_there_and_behind),
        cmocka_unit_test(two_damaged_neighbours_are_told_apart),
        cmocka_unit_test(finds_the_next_batch_behind_a_hole),
        cmocka_unit_test(a_cut_file_ends_short),
        cmocka_unit_test(a_zero_tail_is_no_batch),
        cmocka_unit_test(a_batch_inside_a_record_is_not_found),
        cmocka_unit_test(a_length_that_lies_takes_no_memory),
        cmocka_unit_test(any_offset_may_come_first_when_none_is_given),
        cmocka_unit_test(a_read_that_fails_is_told),
    };
    return cmocka_run_group_tests_name("salvage", tests, NULL, NULL);
}
