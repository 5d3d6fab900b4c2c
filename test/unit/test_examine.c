/*
 * What a damaged segment is made of, and what mending makes of it. The file holds ten batches of three
 * records, offsets 500 .. 529, leader epoch 3 and from 515 on 4; each test damages it in one way. Whatever
 * was done, the mended file has every offset once, and every record whose batch can still be read.
 */
#include "log/embedded/examine.h"

#include "sim/vfs_sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    BATCHES = 10,
    RECORDS = 3,
    FIRST = 500,
    END = FIRST + BATCHES * RECORDS
};

static const struct wr_epoch_start epochs[] = {{3, FIRST}, {4, FIRST + 5 * RECORDS}};

struct fixture {
    struct wr_vfs_sim *sim;
    uint64_t at[BATCHES + 1];
    char text[4096];
    size_t len;
};

static int say_piece(void *arg, const struct wr_piece *piece, struct weir_error *err)
{
    (void)err;
    static const char *const names[] = {"batch", "offset", "hole", "surplus"};
    struct fixture *f = arg;
    assert_true(piece->kind == WR_PIECE_BATCH || piece->why[0] != 0);
    if (piece->kind == WR_PIECE_BATCH) {
        return 0;
    }
    int n = snprintf(f->text + f->len, sizeof(f->text) - f->len,
                     "%s %" PRIu64 "+%" PRIu64 " %" PRId64 "..%" PRId64 " ", names[piece->kind],
                     piece->at, piece->bytes, piece->first_offset, piece->next_offset);
    assert_true(n > 0);
    f->len += (size_t)n;
    return 0;
}

static struct wr_file *open_file(struct fixture *f, const char *path, unsigned flags)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(wr_vfs_sim_vfs(f->sim), path, flags, &file, &err), 0);
    return file;
}

/* Write batch `index` behind the file's end. */
static void put(struct fixture *f, struct wr_file *file, int index)
{
    struct weir_error err = {0};
    struct wr_batch_builder builder = wr_batch_builder_of(1 << 20);
    struct wr_batch_stamp stamp = wr_batch_stamp_plain();
    struct wr_bytes bytes = {0};
    stamp.base_offset = FIRST + index * RECORDS;
    stamp.leader_epoch = index < 5 ? 3 : 4;
    for (int i = 0; i < RECORDS; i++) {
        uint8_t value[100];
        memset(value, 'a' + index, sizeof(value));
        struct wr_record record = {.value = {value, sizeof(value)}};
        assert_int_equal(wr_batch_append(&builder, &record, 1000 + index, &err), 0);
    }
    assert_int_equal(wr_batch_build(&builder, &stamp, &bytes, &err), 0);
    int64_t size = wr_file_size(file, &err);
    assert_int_equal(wr_file_write(file, bytes.ptr, bytes.len, (uint64_t)size, &err), 0);
    f->at[index] = (uint64_t)size;
    f->at[BATCHES] = (uint64_t)size + bytes.len;
    wr_batch_builder_fini(&builder);
}

/* The batches named, in this order. */
static void make(struct fixture *f, const char *order)
{
    f->sim = wr_vfs_sim_new();
    struct wr_file *file = open_file(f, "s.log", WR_OPEN_WRITE | WR_OPEN_CREATE);
    for (const char *c = order; *c != 0; c++) {
        put(f, file, *c - '0');
    }
    wr_file_close(file);
}

static void examine(struct fixture *f, const char *path, const char *mended)
{
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    struct wr_file *file = open_file(f, path, WR_OPEN_READ);
    int64_t size = wr_file_size(file, &err);
    struct wr_examination x = {.file = file,
                               .size_bytes = (uint64_t)size,
                               .base_offset = FIRST,
                               .end_offset = END,
                               .epochs = epochs,
                               .epoch_count = 2,
                               .iter = &iter,
                               .each = say_piece,
                               .arg = f};
    f->len = 0;
    f->text[0] = 0;
    assert_int_equal(wr_examine(&x, &err), 0);
    if (mended != NULL) {
        uint64_t bytes = 0;
        struct wr_file *out =
            open_file(f, mended, WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_TRUNCATE);
        assert_int_equal(wr_examine_mend(&x, out, &bytes, &err), 0);
        assert_int_equal(wr_file_size(out, &err), bytes);
        wr_file_close(out);
    }
    wr_file_close(file);
    wr_batch_iter_fini(&iter);
}

/* The values of the records in a file, as letters, in order of their offsets; '.' for an offset without. */
static void read_values(struct fixture *f, const char *path, char *out)
{
    struct weir_error err = {0};
    struct wr_batch_limits limits = wr_batch_limits_default();
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    struct wr_bytes file = {0};
    memset(out, '.', END - FIRST);
    out[END - FIRST] = 0;
    assert_int_equal(wr_vfs_read_file(wr_vfs_sim_vfs(f->sim), path, 1 << 20, &file, &err), 0);
    for (size_t at = 0; at < file.len;) {
        struct wr_batch batch;
        struct wr_record record;
        int64_t offset = 0;
        assert_int_equal(wr_batch_of((struct wr_bytes){file.ptr + at, file.len - at}, &batch, &err),
                         0);
        assert_int_equal(wr_batch_iter_begin(&iter, &batch, &err), 0);
        while (wr_batch_iter_next(&iter, &offset, &record, &err) == 1) {
            out[offset - FIRST] = (char)record.value.ptr[0];
        }
        at += batch.bytes.len;
    }
    wr_batch_iter_fini(&iter);
    wr_free((void *)(uintptr_t)file.ptr);
}

/* Damaged as it is, the file shows these pieces; mended, it is whole and has these records. */
static void expect(struct fixture *f, const char *pieces, const char *values)
{
    char got[END - FIRST + 1];
    examine(f, "s.log", "m.log");
    assert_string_equal(f->text, pieces);
    examine(f, "m.log", NULL);
    assert_string_equal(f->text, "");
    read_values(f, "m.log", got);
    assert_string_equal(got, values);
    wr_vfs_sim_free(f->sim);
}

static void a_whole_segment_is_left_as_it_is(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture f = {0};
    struct wr_bytes before = {0};
    struct wr_bytes after = {0};
    make(&f, "0123456789");
    examine(&f, "s.log", "m.log");
    struct wr_vfs *vfs = wr_vfs_sim_vfs(f.sim);
    assert_int_equal(wr_vfs_read_file(vfs, "s.log", 1 << 20, &before, &err), 0);
    assert_int_equal(wr_vfs_read_file(vfs, "m.log", 1 << 20, &after, &err), 0);
    assert_true(wr_bytes_eq(before, after));
    wr_free((void *)(uintptr_t)before.ptr);
    wr_free((void *)(uintptr_t)after.ptr);
    expect(&f, "", "aaabbbcccdddeeefffggghhhiiijjj");
}

static void a_batch_that_is_damaged_leaves_a_hole_of_its_offsets(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "0123456789");
    wr_vfs_sim_flip(f.sim, "s.log", f.at[2] + 100, 1);
    expect(&f, "hole 776+388 506..509 ", "aaabbb...dddeeefffggghhhiiijjj");

    make(&f, "0123456789");
    wr_vfs_sim_flip(f.sim, "s.log", f.at[9] + 100, 1); /* the last */
    expect(&f, "hole 3492+388 527..530 ", "aaabbbcccdddeeefffggghhhiii...");

    make(&f, "0123456789");
    wr_vfs_sim_zero(f.sim, "s.log", f.at[0], f.at[1]); /* the first, without a trace */
    expect(&f, "hole 0+388 500..503 ", "...bbbcccdddeeefffggghhhiiijjj");

    make(&f, "0123456789");
    wr_vfs_sim_zero(f.sim, "s.log", f.at[3] + 70, f.at[6] - f.at[3]); /* three and a bit */
    expect(&f, "hole 1164+1552 509..521 ", "aaabbbccc............hhhiiijjj");
}

static void neighbours_that_are_damaged_are_two_holes(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "0123456789");
    wr_vfs_sim_flip(f.sim, "s.log", f.at[2] + 100, 1);
    wr_vfs_sim_flip(f.sim, "s.log", f.at[4] + 100, 1);
    expect(&f, "hole 776+388 506..509 hole 1552+388 512..515 ", "aaabbb...ddd...fffggghhhiiijjj");
}

static void a_wrong_base_offset_is_put_right(void **state)
{
    (void)state;
    static const uint8_t bits[] = {1, 2, 0x80};
    for (size_t i = 0; i < 3; i++) {
        for (int k = 0; k < BATCHES; k++) {
            struct fixture f = {0};
            char pieces[64];
            make(&f, "0123456789");
            wr_vfs_sim_flip(f.sim, "s.log", f.at[k] + 7, bits[i]);
            (void)snprintf(pieces, sizeof(pieces), "offset %" PRIu64 "+388 %d..%d ", f.at[k],
                           FIRST + k * RECORDS, FIRST + (k + 1) * RECORDS);
            expect(&f, pieces, "aaabbbcccdddeeefffggghhhiiijjj");
        }
    }
}

static void a_wrong_leader_epoch_is_put_right(void **state)
{
    (void)state;
    for (int k = 0; k < BATCHES; k++) {
        struct fixture f = {0};
        char pieces[64];
        make(&f, "0123456789");
        wr_vfs_sim_flip(f.sim, "s.log", f.at[k] + 15, 1); /* 3 becomes 2, 4 becomes 5 */
        (void)snprintf(pieces, sizeof(pieces), "offset %" PRIu64 "+388 %d..%d ", f.at[k],
                       FIRST + k * RECORDS, FIRST + (k + 1) * RECORDS);
        expect(&f, pieces, "aaabbbcccdddeeefffggghhhiiijjj");
    }
}

static void missing_batches_are_a_hole_without_bytes(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "0126789");
    expect(&f, "hole 1164+0 509..518 ", "aaabbbccc.........ggghhhiiijjj");
    make(&f, "56789");
    expect(&f, "hole 0+0 500..515 ", "...............fffggghhhiiijjj");
    make(&f, "01234");
    expect(&f, "hole 1940+0 515..530 ", "aaabbbcccdddeee...............");
    make(&f, "");
    expect(&f, "hole 0+0 500..530 ", "..............................");
}

static void a_cut_file_lacks_its_end(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "0123456789");
    wr_vfs_sim_cut(f.sim, "s.log", f.at[8] + 50);
    expect(&f, "hole 3104+50 524..530 ", "aaabbbcccdddeeefffggghhh......");
}

static void a_batch_whose_offsets_are_taken_is_surplus(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "012345676789");
    expect(&f, "surplus 3104+388 518..521 surplus 3492+388 521..524 ",
           "aaabbbcccdddeeefffggghhhiiijjj");
}

/* The last one's offset is wrong in its highest bits, and nothing says where the segment ends. */
static void an_offset_out_of_all_reach_makes_no_hole(void **state)
{
    (void)state;
    struct fixture f = {0};
    make(&f, "0123456789");
    wr_vfs_sim_flip(f.sim, "s.log", f.at[9] + 1, 1);
    expect(&f, "offset 3492+388 527..530 ", "aaabbbcccdddeeefffggghhhiiijjj");
    make(&f, "0123456789");
    wr_vfs_sim_flip(f.sim, "s.log", f.at[9] + 1, 1);
    wr_vfs_sim_zero(f.sim, "s.log", f.at[8], f.at[9] - f.at[8]); /* how many came before is lost */
    expect(&f,
           "hole 3104+388 524..524 surplus 3492+388 281474976711183..281474976711186 "
           "hole 3880+0 524..530 ",
           "aaabbbcccdddeeefffggghhh......");
}

static void bytes_between_batches_go(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture f = {0};
    make(&f, "0123");
    struct wr_file *file = open_file(&f, "s.log", WR_OPEN_WRITE);
    assert_int_equal(wr_file_write(file, "garbage", 7, f.at[BATCHES], &err), 0);
    for (int i = 4; i < BATCHES; i++) {
        put(&f, file, i);
    }
    wr_file_close(file);
    expect(&f, "hole 1552+7 512..512 ", "aaabbbcccdddeeefffggghhhiiijjj");
}

/* Whatever is flipped in the whole file, no more than one batch is lost. */
static void no_flipped_bit_costs_more_than_its_batch(void **state)
{
    (void)state;
    static const char all[] = "aaabbbcccdddeeefffggghhhiiijjj";
    struct fixture f = {0};
    char got[END - FIRST + 1];
    make(&f, "0123456789");
    for (uint64_t at = 0; at < f.at[BATCHES]; at += at % 388 < 70 ? 1 : 23) {
        uint8_t bits = (uint8_t)(1U << at % 8);
        wr_vfs_sim_flip(f.sim, "s.log", at, bits);
        examine(&f, "s.log", "m.log");
        read_values(&f, "m.log", got);
        for (int i = 0; i < END - FIRST; i++) {
            bool is_hit = i / RECORDS == (int)(at / 388);
            assert_true(got[i] == all[i] || (is_hit && got[i] == '.'));
        }
        examine(&f, "m.log", NULL);
        assert_string_equal(f.text, "");
        wr_vfs_sim_flip(f.sim, "s.log", at, bits);
    }
    wr_vfs_sim_free(f.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_segment_is_left_as_it_is),
        cmocka_unit_test(a_batch_that_is_damaged_leaves_a_hole_of_its_offsets),
        cmocka_unit_test(neighbours_that_are_damaged_are_two_holes),
        cmocka_unit_test(a_wrong_base_offset_is_put_right),
        cmocka_unit_test(a_wrong_leader_epoch_is_put_right),
        cmocka_unit_test(missing_batches_are_a_hole_without_bytes),
        cmocka_unit_test(a_cut_file_lacks_its_end),
        cmocka_unit_test(a_batch_whose_offsets_are_taken_is_surplus),
        cmocka_unit_test(an_offset_out_of_all_reach_makes_no_hole),
        cmocka_unit_test(bytes_between_batches_go),
        cmocka_unit_test(no_flipped_bit_costs_more_than_its_batch),
    };
    return cmocka_run_group_tests_name("examine", tests, NULL, NULL);
}
