/*
 * The simulated disk keeps the promises of base/vfs.h and breaks everything that is not promised. If it
 * were too kind, the power-loss tests of the log would prove nothing; so most tests here look for an
 * image in which something unsynced is gone, torn or out of order, over some hundred seeds.
 */
#include "base/rng.h"
#include "sim/vfs_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    SEEDS = 400
};

struct fixture {
    struct wr_vfs_sim *sim;
    struct wr_vfs *vfs;
    struct weir_error err;
};

static struct fixture begin(void)
{
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    return (struct fixture){.sim = sim, .vfs = wr_vfs_sim_vfs(sim)};
}

static struct wr_file *open_file(struct wr_vfs *vfs, const char *path, unsigned flags)
{
    struct weir_error err;
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(vfs, path, flags, &file, &err), 0);
    return file;
}

/* A file of `len` bytes `fill`, synced with its name. */
static struct wr_file *durable_file(struct wr_vfs *vfs, const char *path, char fill, size_t len)
{
    struct weir_error err;
    struct wr_file *file = open_file(vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE);
    char *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, fill, len);
    assert_int_equal(wr_file_write(file, bytes, len, 0, &err), 0);
    assert_int_equal(wr_file_sync(file, &err), 0);
    assert_int_equal(wr_vfs_sync_dir(vfs, "/", &err), 0);
    free(bytes);
    return file;
}

/* The whole of a file as text of at most `cap` - 1 bytes; "-" when it is not there. */
static const char *text_of(struct wr_vfs_sim *sim, const char *path, char *buf, size_t cap)
{
    struct weir_error err;
    struct wr_file *file = NULL;
    if (wr_file_open(wr_vfs_sim_vfs(sim), path, WR_OPEN_READ, &file, &err) < 0) {
        return "-";
    }
    int64_t n = wr_file_read(file, buf, cap - 1, 0, &err);
    assert_true(n >= 0);
    buf[n] = 0;
    wr_file_close(file);
    return buf;
}

static uint8_t byte_at(struct wr_vfs_sim *sim, const char *path, uint64_t at)
{
    struct weir_error err;
    uint8_t byte = 0;
    struct wr_file *file = open_file(wr_vfs_sim_vfs(sim), path, WR_OPEN_READ);
    assert_int_equal(wr_file_read_all(file, &byte, 1, at, &err), 0);
    wr_file_close(file);
    return byte;
}

static void reads_back_what_was_written_across_pages_and_holes(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = open_file(f.vfs, "a", WR_OPEN_WRITE | WR_OPEN_CREATE);
    assert_int_equal(wr_file_write(file, "hello", 5, 4094, &f.err), 0);
    assert_int_equal(wr_file_write(file, "x", 1, 20000, &f.err), 0);
    assert_int_equal(wr_file_size(file, &f.err), 20001);
    uint8_t buf[8];
    assert_int_equal(wr_file_read(file, buf, 8, 4093, &f.err), 8);
    assert_memory_equal(buf, "\0hello\0", 7);
    assert_int_equal(wr_file_read(file, buf, 8, 20000, &f.err), 1);
    assert_int_equal(wr_file_read(file, buf, 8, 20001, &f.err), 0);
    assert_int_equal(wr_file_truncate(file, 4096, &f.err), 0);
    assert_int_equal(wr_file_truncate(file, 4100, &f.err), 0);
    assert_int_equal(wr_file_read(file, buf, 8, 4093, &f.err), 7);
    assert_memory_equal(buf, "\0he\0\0\0\0", 7);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void names_behave_as_on_a_real_disk(void **state)
{
    (void)state;
    struct fixture f = begin();
    char buf[64];
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(f.vfs, "d/a", WR_OPEN_READ, &file, &f.err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_vfs_mkdir(f.vfs, "/d", &f.err), 0);
    assert_int_equal(wr_vfs_mkdir(f.vfs, "d/", &f.err), WEIR_E_EXISTS);
    wr_file_close(durable_file(f.vfs, "d/a", 'a', 1));
    wr_file_close(durable_file(f.vfs, "d/b", 'b', 1));
    assert_int_equal(wr_file_open(f.vfs, "d/a", WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_EXCLUSIVE,
                                  &file, &f.err),
                     WEIR_E_EXISTS);
    assert_int_equal(wr_vfs_rename(f.vfs, "d/a", "./d/b", &f.err), 0);
    assert_string_equal(text_of(f.sim, "d/b", buf, sizeof(buf)), "a");
    assert_string_equal(text_of(f.sim, "d/a", buf, sizeof(buf)), "-");
    assert_int_equal(wr_vfs_rmdir(f.vfs, "d", &f.err), WEIR_E_IO);
    assert_int_equal(wr_vfs_rename(f.vfs, "d", "e", &f.err), 0);
    assert_int_equal(wr_vfs_unlink(f.vfs, "e/b", &f.err), 0);
    assert_int_equal(wr_vfs_unlink(f.vfs, "e/b", &f.err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_vfs_rmdir(f.vfs, "e", &f.err), 0);
    wr_vfs_sim_free(f.sim);
}

static void an_open_file_outlives_its_name(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 3);
    assert_int_equal(wr_vfs_unlink(f.vfs, "a", &f.err), 0);
    char buf[4] = "";
    assert_int_equal(wr_file_read(file, buf, 3, 0, &f.err), 3);
    assert_string_equal(buf, "aaa");
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void a_lock_keeps_others_out_until_its_file_is_closed(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *one = durable_file(f.vfs, "lock", 'x', 1);
    struct wr_file *two = open_file(f.vfs, "lock", WR_OPEN_WRITE);
    assert_int_equal(wr_file_lock(one, &f.err), 0);
    assert_int_equal(wr_file_lock(two, &f.err), WEIR_E_BUSY);
    wr_file_close(two);
    two = open_file(f.vfs, "lock", WR_OPEN_WRITE);
    assert_int_equal(wr_file_lock(two, &f.err), WEIR_E_BUSY);
    wr_file_close(one);
    assert_int_equal(wr_file_lock(two, &f.err), 0);
    wr_file_close(two);
    wr_vfs_sim_free(f.sim);
}

/* ---- power loss ---- */

static void synced_bytes_and_names_survive_every_loss(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 10000);
    assert_int_equal(wr_file_write(file, "zzzz", 4, 9000, &f.err), 0);
    assert_int_equal(wr_file_write(file, "zzzz", 4, 12000, &f.err), 0);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct wr_vfs_sim *image =
            wr_vfs_sim_power_loss(f.sim, (enum wr_sim_loss)(seed % WR_SIM_LOSSES), seed);
        assert_true(wr_vfs_sim_is_clean(image));
        for (uint64_t at = 0; at < 10000; at += 499) {
            assert_int_equal(byte_at(image, "a", at), 'a');
        }
        assert_int_equal(byte_at(image, "a", 8999), 'a');
        assert_int_equal(byte_at(image, "a", 9004), 'a');
        wr_vfs_sim_free(image);
    }
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void the_loss_named_none_keeps_nothing_unsynced_and_all_keeps_everything(void **state)
{
    (void)state;
    struct fixture f = begin();
    char buf[64];
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 2);
    assert_int_equal(wr_file_write(file, "bbb", 3, 0, &f.err), 0);
    wr_file_close(file);
    assert_int_equal(wr_vfs_rename(f.vfs, "a", "b", &f.err), 0);
    assert_false(wr_vfs_sim_is_clean(f.sim));
    struct wr_vfs_sim *none = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 1);
    struct wr_vfs_sim *all = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_ALL, 1);
    assert_string_equal(text_of(none, "a", buf, sizeof(buf)), "aa");
    assert_string_equal(text_of(none, "b", buf, sizeof(buf)), "-");
    assert_string_equal(text_of(all, "b", buf, sizeof(buf)), "bbb");
    assert_string_equal(text_of(all, "a", buf, sizeof(buf)), "-");
    assert_true(wr_vfs_sim_same(f.sim, all, buf, sizeof(buf)));
    assert_false(wr_vfs_sim_same(f.sim, none, buf, sizeof(buf)));
    assert_string_equal(buf, "a is only on the second");
    wr_vfs_sim_free(none);
    wr_vfs_sim_free(all);
    wr_vfs_sim_free(f.sim);
}

/* Two unsynced writes of 8 sectors each over 'a', then one that extends: which of the bytes of each kind
 * were seen in any image. */
struct seen {
    bool is_torn;          /* a write is there in part */
    bool is_out_of_order;  /* the second is there where the first is not */
    bool is_extended_only; /* the size is there, the data is not: zeros */
    bool is_garbage;       /* a byte that nobody wrote */
    bool is_old;
    bool is_new;
};

static void look(struct wr_vfs_sim *image, struct seen *seen)
{
    struct weir_error err;
    struct wr_file *file = open_file(wr_vfs_sim_vfs(image), "a", WR_OPEN_READ);
    uint8_t bytes[12288];
    int64_t n = wr_file_read(file, bytes, sizeof(bytes), 0, &err);
    assert_true(n >= 8192);
    size_t first = 0;
    size_t second = 0;
    for (size_t i = 0; i < 4096; i += 512) {
        first += bytes[i] == '1' ? 1 : 0;
        second += bytes[4096 + i] == '2' ? 1 : 0;
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        bool is_written = i >= 8192 ? bytes[i] == '3' || bytes[i] == 0
                                    : bytes[i] == 'a' || bytes[i] == (i < 4096 ? '1' : '2');
        seen->is_garbage = seen->is_garbage || !is_written;
    }
    seen->is_torn = seen->is_torn || (first > 0 && first < 8);
    seen->is_out_of_order = seen->is_out_of_order || (first == 0 && second > 0);
    seen->is_extended_only = seen->is_extended_only || (n == 12288 && bytes[8192] == 0);
    seen->is_old = seen->is_old || (n == 8192 && first == 0 && second == 0);
    seen->is_new = seen->is_new || (n == 12288 && first == 8 && second == 8 && bytes[8192] == '3');
    wr_file_close(file);
}

static struct seen look_at_losses(enum wr_sim_loss loss)
{
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 8192);
    uint8_t bytes[4096];
    for (int i = 0; i < 3; i++) {
        memset(bytes, '1' + i, sizeof(bytes));
        assert_int_equal(wr_file_write(file, bytes, 4096, (uint64_t)i * 4096, &f.err), 0);
    }
    struct seen seen = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, loss, seed);
        look(image, &seen);
        wr_vfs_sim_free(image);
    }
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
    return seen;
}

static void a_prefix_loss_tears_but_keeps_the_order(void **state)
{
    (void)state;
    struct seen seen = look_at_losses(WR_SIM_LOSS_PREFIX);
    assert_true(seen.is_torn);
    assert_true(seen.is_old);
    assert_true(seen.is_new);
    assert_false(seen.is_out_of_order);
    assert_false(seen.is_garbage);
}

static void a_reordering_loss_keeps_any_subset_and_sizes_without_data(void **state)
{
    (void)state;
    struct seen seen = look_at_losses(WR_SIM_LOSS_REORDER);
    assert_true(seen.is_torn);
    assert_true(seen.is_old);
    assert_true(seen.is_new);
    assert_true(seen.is_out_of_order);
    assert_true(seen.is_extended_only);
    assert_false(seen.is_garbage);
}

static void a_garbage_loss_leaves_bytes_that_nobody_wrote(void **state)
{
    (void)state;
    struct seen seen = look_at_losses(WR_SIM_LOSS_GARBAGE);
    assert_true(seen.is_garbage);
    assert_true(seen.is_out_of_order);
}

static void the_same_seed_gives_the_same_image(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 8192);
    uint8_t bytes[20000] = {7};
    assert_int_equal(wr_file_write(file, bytes, sizeof(bytes), 100, &f.err), 0);
    wr_file_close(file);
    for (uint64_t seed = 0; seed < 50; seed++) {
        char where[100];
        struct wr_vfs_sim *one = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_GARBAGE, seed);
        struct wr_vfs_sim *two = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_GARBAGE, seed);
        assert_true(wr_vfs_sim_same(one, two, where, sizeof(where)));
        wr_vfs_sim_free(one);
        wr_vfs_sim_free(two);
    }
    wr_vfs_sim_free(f.sim);
}

static void a_rename_over_a_name_leaves_one_or_the_other(void **state)
{
    (void)state;
    struct fixture f = begin();
    wr_file_close(durable_file(f.vfs, "a", 'o', 2));
    struct wr_file *file = open_file(f.vfs, "a.tmp", WR_OPEN_WRITE | WR_OPEN_CREATE);
    assert_int_equal(wr_file_write(file, "nn", 2, 0, &f.err), 0);
    assert_int_equal(wr_file_sync(file, &f.err), 0);
    wr_file_close(file);
    assert_int_equal(wr_vfs_rename(f.vfs, "a.tmp", "a", &f.err), 0);
    size_t old = 0;
    size_t new = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char buf[8];
        struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_REORDER, seed);
        const char *text = text_of(image, "a", buf, sizeof(buf));
        old += strcmp(text, "oo") == 0 ? 1 : 0;
        new += strcmp(text, "nn") == 0 ? 1 : 0;
        wr_vfs_sim_free(image);
    }
    assert_int_equal(old + new, SEEDS);
    assert_true(old > 0);
    assert_true(new > 0);
    wr_vfs_sim_free(f.sim);
}

static void names_that_were_not_synced_come_and_go_each_for_itself(void **state)
{
    (void)state;
    struct fixture f = begin();
    wr_file_close(durable_file(f.vfs, "gone", 'g', 1));
    struct wr_file *file = open_file(f.vfs, "one", WR_OPEN_WRITE | WR_OPEN_CREATE);
    assert_int_equal(wr_file_sync(file, &f.err), 0); /* syncs the file, not its name */
    wr_file_close(file);
    wr_file_close(open_file(f.vfs, "two", WR_OPEN_WRITE | WR_OPEN_CREATE));
    assert_int_equal(wr_vfs_unlink(f.vfs, "gone", &f.err), 0);
    bool is_seen[8] = {false};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char buf[8];
        struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_REORDER, seed);
        size_t which = (strcmp(text_of(image, "gone", buf, 8), "-") == 0 ? 1U : 0U) |
                       (strcmp(text_of(image, "one", buf, 8), "-") == 0 ? 2U : 0U) |
                       (strcmp(text_of(image, "two", buf, 8), "-") == 0 ? 4U : 0U);
        is_seen[which] = true;
        wr_vfs_sim_free(image);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_true(is_seen[i]);
    }
    assert_int_equal(wr_vfs_sync_dir(f.vfs, "/", &f.err), 0);
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 0);
    char buf[8];
    assert_string_equal(text_of(image, "gone", buf, 8), "-");
    assert_string_equal(text_of(image, "one", buf, 8), "");
    wr_vfs_sim_free(image);
    wr_vfs_sim_free(f.sim);
}

static void a_folder_that_was_not_synced_takes_its_files_with_it(void **state)
{
    (void)state;
    struct fixture f = begin();
    assert_int_equal(wr_vfs_mkdir(f.vfs, "d", &f.err), 0);
    struct wr_file *file = open_file(f.vfs, "d/a", WR_OPEN_WRITE | WR_OPEN_CREATE);
    assert_int_equal(wr_file_write(file, "x", 1, 0, &f.err), 0);
    assert_int_equal(wr_file_sync(file, &f.err), 0);
    assert_int_equal(wr_vfs_sync_dir(f.vfs, "d", &f.err), 0);
    wr_file_close(file);
    char buf[8];
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 0);
    assert_string_equal(text_of(image, "d/a", buf, 8), "-");
    wr_vfs_sim_free(image);
    assert_int_equal(wr_vfs_sync_dir(f.vfs, ".", &f.err), 0);
    image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 0);
    assert_string_equal(text_of(image, "d/a", buf, 8), "x");
    wr_vfs_sim_free(image);
    wr_vfs_sim_free(f.sim);
}

/* ---- faults ---- */

static void the_nth_operation_of_a_kind_fails_once_or_for_ever(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 1);
    for (int sticky = 0; sticky < 2; sticky++) {
        wr_vfs_sim_fault(f.sim, &(struct wr_sim_fault){.kinds = WR_SIM_WRITE,
                                                       .at = 2,
                                                       .is_sticky = sticky == 1,
                                                       .code = WEIR_E_IO});
        assert_int_equal(wr_file_write(file, "b", 1, 0, &f.err), 0);
        assert_int_equal(wr_file_sync(file, &f.err), 0);
        assert_int_equal(wr_file_write(file, "c", 1, 0, &f.err), WEIR_E_IO);
        assert_non_null(strstr(f.err.text, "'a'"));
        assert_int_equal(wr_file_write(file, "d", 1, 0, &f.err), sticky == 1 ? WEIR_E_IO : 0);
        assert_int_equal(wr_vfs_sim_fault_hits(f.sim), sticky == 1 ? 2 : 1);
    }
    wr_vfs_sim_fault(
        f.sim,
        &(struct wr_sim_fault){
            .kinds = WR_SIM_ALL, .at = 1, .path = "b", .is_sticky = true, .code = WEIR_E_IO});
    assert_int_equal(wr_file_write(file, "e", 1, 0, &f.err), 0);
    struct wr_file *other = NULL;
    assert_int_equal(wr_file_open(f.vfs, "b", WR_OPEN_WRITE | WR_OPEN_CREATE, &other, &f.err),
                     WEIR_E_IO);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void a_write_that_fails_may_have_written_a_part(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = open_file(f.vfs, "a", WR_OPEN_WRITE | WR_OPEN_CREATE);
    bool is_part = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        wr_vfs_sim_seed(f.sim, seed);
        wr_vfs_sim_fault(f.sim,
                         &(struct wr_sim_fault){.kinds = WR_SIM_WRITE, .at = 1, .code = WEIR_E_IO});
        assert_int_equal(wr_file_truncate(file, 0, &f.err), 0);
        assert_int_equal(wr_file_write(file, "0123456789", 10, 0, &f.err), WEIR_E_IO);
        int64_t size = wr_file_size(file, &f.err);
        is_part = is_part || (size > 0 && size < 10);
    }
    assert_true(is_part);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void after_a_failed_sync_the_next_one_succeeds_and_proves_nothing(void **state)
{
    (void)state;
    size_t lost = 0;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct fixture f = begin();
        wr_vfs_sim_seed(f.sim, seed);
        struct wr_file *file = durable_file(f.vfs, "a", 'a', 1);
        assert_int_equal(wr_file_write(file, "b", 1, 0, &f.err), 0);
        wr_vfs_sim_fault(f.sim,
                         &(struct wr_sim_fault){.kinds = WR_SIM_SYNC, .at = 1, .code = WEIR_E_IO});
        assert_int_equal(wr_file_sync(file, &f.err), WEIR_E_IO);
        assert_int_equal(wr_file_sync(file, &f.err), 0);
        wr_file_close(file);
        assert_int_equal(byte_at(f.sim, "a", 0), 'b'); /* the cache still shows it */
        struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, seed);
        uint8_t on_disk = byte_at(image, "a", 0);
        lost += on_disk == 'a' ? 1 : 0;
        wr_vfs_sim_evict(f.sim);
        assert_int_equal(byte_at(f.sim, "a", 0), on_disk);
        wr_vfs_sim_free(image);
        wr_vfs_sim_free(f.sim);
    }
    assert_in_range(lost, 5, 45);
}

static void a_sync_that_finds_no_room_has_failed_like_any_other(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 1);
    wr_vfs_sim_fault(f.sim,
                     &(struct wr_sim_fault){
                         .kinds = WR_SIM_SYNCS, .at = 1, .is_sticky = true, .code = WEIR_E_FULL});
    assert_int_equal(wr_file_sync(file, &f.err), WEIR_E_IO);
    assert_int_equal(f.err.code, WEIR_E_IO);
    assert_int_equal(wr_vfs_sync_dir(f.vfs, "/", &f.err), WEIR_E_IO);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void forgetting_shows_what_a_failed_sync_left_on_the_disk(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct fixture f = begin();
        wr_vfs_sim_seed(f.sim, seed);
        struct wr_file *file = durable_file(f.vfs, "a", 'a', 1);
        assert_int_equal(wr_file_write(file, "b", 1, 0, &f.err), 0);
        wr_vfs_sim_fault(f.sim,
                         &(struct wr_sim_fault){.kinds = WR_SIM_SYNC, .at = 1, .code = WEIR_E_IO});
        assert_int_equal(wr_file_sync(file, &f.err), WEIR_E_IO);
        wr_file_advise(file, WR_ADVICE_FORGET, 0, 0);
        struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, seed);
        assert_int_equal(byte_at(f.sim, "a", 0), byte_at(image, "a", 0));
        wr_file_close(file);
        wr_vfs_sim_free(image);
        wr_vfs_sim_free(f.sim);
    }
}

static void evicting_keeps_what_was_written_since(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 8192);
    assert_int_equal(wr_file_write(file, "b", 1, 0, &f.err), 0);
    wr_vfs_sim_fault(f.sim,
                     &(struct wr_sim_fault){.kinds = WR_SIM_SYNC, .at = 1, .code = WEIR_E_IO});
    assert_int_equal(wr_file_sync(file, &f.err), WEIR_E_IO);
    assert_int_equal(wr_file_write(file, "c", 1, 5000, &f.err), 0);
    wr_vfs_sim_evict(f.sim);
    assert_int_equal(byte_at(f.sim, "a", 5000), 'c');
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 1);
    assert_int_equal(byte_at(image, "a", 5000), 'a');
    wr_vfs_sim_free(image);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void a_lying_sync_leaves_the_changes_to_the_next_one(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 1);
    assert_int_equal(wr_file_write(file, "b", 1, 0, &f.err), 0);
    wr_vfs_sim_fault(f.sim,
                     &(struct wr_sim_fault){.kinds = WR_SIM_SYNCS, .at = 1, .effect = WR_SIM_LIE});
    assert_int_equal(wr_file_sync(file, &f.err), 0);
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 1);
    assert_int_equal(byte_at(image, "a", 0), 'a');
    wr_vfs_sim_free(image);
    assert_int_equal(wr_file_sync(file, &f.err), 0);
    image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 1);
    assert_int_equal(byte_at(image, "a", 0), 'b');
    wr_vfs_sim_free(image);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void short_reads_and_writes_end_up_whole_through_the_wrappers(void **state)
{
    (void)state;
    struct fixture f = begin();
    wr_vfs_sim_short(f.sim, true);
    struct wr_file *file = open_file(f.vfs, "a", WR_OPEN_WRITE | WR_OPEN_CREATE);
    uint8_t out[9000];
    uint8_t in[9000];
    struct wr_rng rng = wr_rng_of(3);
    wr_rng_bytes(&rng, out, sizeof(out));
    struct iovec iov[4] = {{out, 1}, {out + 1, 5000}, {NULL, 0}, {out + 5001, 3999}};
    assert_int_equal(wr_file_writev(file, iov, 4, 17, &f.err), 0);
    assert_int_equal(wr_file_read_all(file, in, sizeof(in), 17, &f.err), 0);
    assert_memory_equal(in, out, sizeof(out));
    assert_true(wr_vfs_sim_count(f.sim, WR_SIM_WRITE) > 1);
    assert_true(wr_vfs_sim_count(f.sim, WR_SIM_READ) > 1);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void a_full_disk_takes_what_fits_and_gets_room_again(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_disk_room room;
    uint8_t bytes[20000] = {1};
    struct wr_file *file = open_file(f.vfs, "a", WR_OPEN_WRITE | WR_OPEN_CREATE);
    wr_vfs_sim_capacity(f.sim, 6UL * 4096); /* the root, the file, four pages */
    assert_int_equal(wr_vfs_room(f.vfs, "/", &room, &f.err), 0);
    assert_int_equal(room.free_bytes, 4UL * 4096);
    assert_int_equal(room.total_bytes, 6UL * 4096);
    assert_int_equal(wr_file_write(file, bytes, sizeof(bytes), 100, &f.err), WEIR_E_FULL);
    assert_int_equal(wr_file_size(file, &f.err), 4UL * 4096);
    assert_int_equal(wr_file_write(file, bytes, 50, 16000, &f.err), 0); /* in place */
    assert_int_equal(wr_vfs_mkdir(f.vfs, "d", &f.err), WEIR_E_FULL);
    struct wr_file *other = NULL;
    assert_int_equal(wr_file_open(f.vfs, "b", WR_OPEN_WRITE | WR_OPEN_CREATE, &other, &f.err),
                     WEIR_E_FULL);
    wr_vfs_sim_capacity(f.sim, 7UL * 4096);
    assert_int_equal(wr_file_write(file, bytes, 100, 16384, &f.err), 0);
    assert_int_equal(wr_file_truncate(file, 4096, &f.err), 0);
    assert_int_equal(wr_vfs_sim_used(f.sim), 3UL * 4096);
    wr_file_close(file);
    assert_int_equal(wr_vfs_unlink(f.vfs, "a", &f.err), 0);
    assert_int_equal(wr_vfs_sim_used(f.sim), 4096);
    wr_vfs_sim_free(f.sim);
}

static void reserved_room_is_there_when_the_disk_is_full(void **state)
{
    (void)state;
    struct fixture f = begin();
    uint8_t bytes[8192] = {1};
    struct wr_file *file = open_file(f.vfs, "a", WR_OPEN_WRITE | WR_OPEN_CREATE);
    assert_int_equal(wr_file_reserve(file, 0, 8192, &f.err), 0);
    assert_int_equal(wr_file_size(file, &f.err), 0);
    wr_vfs_sim_capacity(f.sim, 4UL * 4096);
    assert_int_equal(wr_file_reserve(file, 0, 8193, &f.err), WEIR_E_FULL);
    assert_int_equal(wr_file_write(file, bytes, 8192, 0, &f.err), 0);
    assert_int_equal(wr_file_write(file, bytes, 1, 8192, &f.err), WEIR_E_FULL);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void rot_is_below_the_cache_and_leaves_no_trace(void **state)
{
    (void)state;
    struct fixture f = begin();
    wr_file_close(durable_file(f.vfs, "a", 'a', 10000));
    wr_vfs_sim_flip(f.sim, "a", 1, 0x03);
    wr_vfs_sim_zero(f.sim, "a", 4096, 4096);
    wr_vfs_sim_cut(f.sim, "a", 9000);
    assert_true(wr_vfs_sim_is_clean(f.sim));
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 1);
    for (int i = 0; i < 2; i++) {
        struct wr_vfs_sim *sim = i == 0 ? f.sim : image;
        assert_int_equal(byte_at(sim, "a", 1), 'b');
        assert_int_equal(byte_at(sim, "a", 4095), 'a');
        assert_int_equal(byte_at(sim, "a", 4096), 0);
        assert_int_equal(byte_at(sim, "a", 8191), 0);
        assert_int_equal(byte_at(sim, "a", 8192), 'a');
        struct wr_file *file = open_file(wr_vfs_sim_vfs(sim), "a", WR_OPEN_READ);
        assert_int_equal(wr_file_size(file, &f.err), 9000);
        wr_file_close(file);
    }
    wr_vfs_sim_free(image);
    wr_vfs_sim_free(f.sim);
}

struct hook {
    struct wr_vfs_sim *sim;
    size_t calls;
    size_t images_with_b;
};

static void take_image(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct hook *hook = arg;
    assert_int_equal(kind, WR_SIM_SYNC);
    assert_string_equal(path, "a");
    hook->calls++;
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(hook->sim, WR_SIM_LOSS_ALL, 1);
    hook->images_with_b += byte_at(image, "a", 0) == 'b' ? 1 : 0;
    wr_vfs_sim_free(image);
}

static void a_hook_sees_the_disk_before_each_operation(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_file *file = durable_file(f.vfs, "a", 'a', 1);
    struct hook hook = {.sim = f.sim};
    wr_vfs_sim_hook(f.sim, WR_SIM_SYNC, take_image, &hook);
    assert_int_equal(wr_file_sync(file, &f.err), 0);
    assert_int_equal(wr_file_write(file, "b", 1, 0, &f.err), 0);
    assert_int_equal(wr_file_sync(file, &f.err), 0);
    assert_int_equal(hook.calls, 2);
    assert_int_equal(hook.images_with_b, 1);
    wr_file_close(file);
    wr_vfs_sim_free(f.sim);
}

static void count_entry(void *arg, const char *path, uint64_t size)
{
    char *seen = arg;
    size_t len = strlen(seen);
    (void)snprintf(seen + len, 200 - len, "%s:%llu ", path, (unsigned long long)size);
}

static void all_files_are_walked_in_order_of_their_path(void **state)
{
    (void)state;
    struct fixture f = begin();
    char seen[200] = "";
    assert_int_equal(wr_vfs_mkdir(f.vfs, "d", &f.err), 0);
    wr_file_close(durable_file(f.vfs, "z", 'a', 3));
    wr_file_close(durable_file(f.vfs, "d/b", 'a', 2));
    wr_file_close(durable_file(f.vfs, "d/a", 'a', 1));
    wr_vfs_sim_each(f.sim, count_entry, seen);
    assert_string_equal(seen, "d/a:1 d/b:2 z:3 ");
    wr_vfs_sim_free(f.sim);
}

static void a_replaced_file_is_old_or_new_after_every_loss(void **state)
{
    (void)state;
    struct fixture f = begin();
    struct wr_bytes old = wr_bytes_of_str(WR_STR("old"));
    struct wr_bytes new = wr_bytes_of_str(WR_STR("new one"));
    assert_int_equal(wr_vfs_replace(f.vfs, "/a", old, &f.err), 0);
    for (uint64_t fault = 1; fault < 6; fault++) {
        wr_vfs_sim_fault(
            f.sim, &(struct wr_sim_fault){
                       .kinds = WR_SIM_ALL, .at = fault, .is_sticky = true, .code = WEIR_E_IO});
        assert_int_equal(wr_vfs_replace(f.vfs, "/a", new, &f.err), WEIR_E_IO);
        for (uint64_t seed = 0; seed < 100; seed++) {
            char buf[16];
            struct wr_vfs_sim *image =
                wr_vfs_sim_power_loss(f.sim, (enum wr_sim_loss)(seed % WR_SIM_LOSSES), seed);
            const char *text = text_of(image, "a", buf, sizeof(buf));
            assert_true(strcmp(text, "old") == 0 || strcmp(text, "new one") == 0);
            wr_vfs_sim_free(image);
        }
    }
    wr_vfs_sim_fault(f.sim, &(struct wr_sim_fault){0});
    assert_int_equal(wr_vfs_replace(f.vfs, "/a", new, &f.err), 0);
    char buf[16];
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f.sim, WR_SIM_LOSS_NONE, 0);
    assert_string_equal(text_of(image, "a", buf, sizeof(buf)), "new one");
    wr_vfs_sim_free(image);
    wr_vfs_sim_free(f.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written_across_pages_and_holes),
        cmocka_unit_test(names_behave_as_on_a_real_disk),
        cmocka_unit_test(an_open_file_outlives_its_name),
        cmocka_unit_test(a_lock_keeps_others_out_until_its_file_is_closed),
        cmocka_unit_test(synced_bytes_and_names_survive_every_loss),
        cmocka_unit_test(the_loss_named_none_keeps_nothing_unsynced_and_all_keeps_everything),
        cmocka_unit_test(a_prefix_loss_tears_but_keeps_the_order),
        cmocka_unit_test(a_reordering_loss_keeps_any_subset_and_sizes_without_data),
        cmocka_unit_test(a_garbage_loss_leaves_bytes_that_nobody_wrote),
        cmocka_unit_test(the_same_seed_gives_the_same_image),
        cmocka_unit_test(a_rename_over_a_name_leaves_one_or_the_other),
        cmocka_unit_test(names_that_were_not_synced_come_and_go_each_for_itself),
        cmocka_unit_test(a_folder_that_was_not_synced_takes_its_files_with_it),
        cmocka_unit_test(the_nth_operation_of_a_kind_fails_once_or_for_ever),
        cmocka_unit_test(a_write_that_fails_may_have_written_a_part),
        cmocka_unit_test(after_a_failed_sync_the_next_one_succeeds_and_proves_nothing),
        cmocka_unit_test(a_sync_that_finds_no_room_has_failed_like_any_other),
        cmocka_unit_test(forgetting_shows_what_a_failed_sync_left_on_the_disk),
        cmocka_unit_test(evicting_keeps_what_was_written_since),
        cmocka_unit_test(a_lying_sync_leaves_the_changes_to_the_next_one),
        cmocka_unit_test(short_reads_and_writes_end_up_whole_through_the_wrappers),
        cmocka_unit_test(a_full_disk_takes_what_fits_and_gets_room_again),
        cmocka_unit_test(reserved_room_is_there_when_the_disk_is_full),
        cmocka_unit_test(rot_is_below_the_cache_and_leaves_no_trace),
        cmocka_unit_test(a_hook_sees_the_disk_before_each_operation),
        cmocka_unit_test(all_files_are_walked_in_order_of_their_path),
        cmocka_unit_test(a_replaced_file_is_old_or_new_after_every_loss),
    };
    return cmocka_run_group_tests_name("vfs_sim", tests, NULL, NULL);
}
