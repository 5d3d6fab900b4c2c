/*
 * An overlay behaves as the disk below would, and leaves it alone: the same random operations are done on
 * a disk and on an overlay over an equal one, and every answer and every byte must be the same; the disk
 * below is compared with a third that nobody touched.
 */
#include "log/embedded/overlay.h"

#include "base/rng.h"
#include "sim/vfs_sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    FILES = 6,
    SIZE_MAX_BYTES = 40000,
    STEPS = 4000
};

struct pair {
    struct wr_vfs *disk;
    struct wr_vfs *over;
    struct wr_rng *rng;
};

static const char *const dirs[] = {"d", "d/a", "d/b", "d/c"};

/* A path, of a file that may be there or not. */
static void any_path(struct wr_rng *rng, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/%llu", dirs[wr_rng_below(rng, 4)],
                   (unsigned long long)wr_rng_below(rng, FILES));
}

static void fill(struct wr_vfs *vfs)
{
    struct weir_error err = {0};
    static uint8_t bytes[SIZE_MAX_BYTES];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(wr_vfs_mkdir(vfs, dirs[i], &err), 0);
    }
    for (size_t i = 0; i < 9; i++) {
        char path[64];
        struct wr_file *file = NULL;
        (void)snprintf(path, sizeof(path), "%s/%zu", dirs[i % 3], i / 3);
        assert_int_equal(wr_file_open(vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
        assert_int_equal(wr_file_write(file, bytes, i * 4500, 0, &err), 0);
        assert_int_equal(wr_file_sync(file, &err), 0);
        wr_file_close(file);
    }
}

static void same_bytes(struct wr_file *a, struct wr_file *b)
{
    static uint8_t x[SIZE_MAX_BYTES * 2];
    static uint8_t y[SIZE_MAX_BYTES * 2];
    struct weir_error err = {0};
    int64_t size = wr_file_size(a, &err);
    assert_int_equal(size, wr_file_size(b, &err));
    assert_true(size >= 0 && size <= (int64_t)sizeof(x));
    assert_int_equal(wr_file_read(a, x, sizeof(x), 0, &err), size);
    assert_int_equal(wr_file_read(b, y, sizeof(y), 0, &err), size);
    assert_memory_equal(x, y, (size_t)size);
}

static void write_somewhere(struct pair *p, struct wr_file *a, struct wr_file *b)
{
    struct weir_error err = {0};
    uint8_t bytes[9000];
    size_t len = (size_t)wr_rng_below(p->rng, sizeof(bytes));
    uint64_t at = wr_rng_below(p->rng, SIZE_MAX_BYTES - sizeof(bytes));
    memset(bytes, (int)wr_rng_below(p->rng, 256), sizeof(bytes));
    assert_int_equal(wr_file_write(a, bytes, len, at, &err), 0);
    assert_int_equal(wr_file_write(b, bytes, len, at, &err), 0);
}

static void use_file(struct pair *p, const char *path)
{
    static const unsigned flags[] = {WR_OPEN_READ, WR_OPEN_WRITE, WR_OPEN_WRITE | WR_OPEN_CREATE,
                                     WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_EXCLUSIVE,
                                     WR_OPEN_WRITE | WR_OPEN_TRUNCATE};
    struct weir_error err = {0};
    struct wr_file *a = NULL;
    struct wr_file *b = NULL;
    unsigned how = flags[wr_rng_below(p->rng, 5)];
    int rc = wr_file_open(p->disk, path, how, &a, &err);
    assert_int_equal(wr_file_open(p->over, path, how, &b, &err), rc);
    if (rc < 0) {
        return;
    }
    for (int i = 0; how != WR_OPEN_READ && i < 3; i++) {
        if (wr_rng_below(p->rng, 3) == 0) {
            uint64_t len = wr_rng_below(p->rng, SIZE_MAX_BYTES);
            assert_int_equal(wr_file_truncate(a, len, &err), 0);
            assert_int_equal(wr_file_truncate(b, len, &err), 0);
        } else {
            write_somewhere(p, a, b);
        }
    }
    if (wr_rng_below(p->rng, 8) == 0) { /* a file lives on without its name */
        assert_int_equal(wr_vfs_unlink(p->disk, path, &err), 0);
        assert_int_equal(wr_vfs_unlink(p->over, path, &err), 0);
    }
    same_bytes(a, b);
    wr_file_close(a);
    wr_file_close(b);
}

static void change_names(struct pair *p, const char *path)
{
    struct weir_error err = {0};
    char other[64];
    const char *dir = dirs[1 + wr_rng_below(p->rng, 3)];
    switch (wr_rng_below(p->rng, 4)) {
    case 0:
        assert_int_equal(wr_vfs_unlink(p->over, path, &err), wr_vfs_unlink(p->disk, path, &err));
        break;
    case 1:
        (void)snprintf(other, sizeof(other), "%.*s%llu", (int)(strrchr(path, '/') - path + 1), path,
                       (unsigned long long)wr_rng_below(p->rng, FILES));
        if (strcmp(other, path) != 0) {
            assert_int_equal(wr_vfs_rename(p->over, path, other, &err),
                             wr_vfs_rename(p->disk, path, other, &err));
        }
        break;
    case 2:
        assert_int_equal(wr_vfs_mkdir(p->over, dir, &err), wr_vfs_mkdir(p->disk, dir, &err));
        break;
    default:
        assert_int_equal(wr_vfs_rmdir(p->over, dir, &err), wr_vfs_rmdir(p->disk, dir, &err));
        break;
    }
}

struct listing {
    char text[2048];
};

static int append_name(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    (void)err;
    struct listing *listing = arg;
    /* sorted, for a folder has no order */
    char name[64];
    (void)snprintf(name, sizeof(name), " %s%s ", entry->name, entry->is_dir ? "/" : "");
    size_t at = 0;
    while (listing->text[at] != 0 && strcmp(listing->text + at, name) < 0) {
        at += strcspn(listing->text + at + 1, " ") + 2;
    }
    size_t len = strlen(name);
    memmove(listing->text + at + len, listing->text + at, strlen(listing->text + at) + 1);
    memcpy(listing->text + at, name, len);
    return 0;
}

static void same_listing(struct pair *p, const char *dir)
{
    struct weir_error err = {0};
    struct listing a = {{0}};
    struct listing b = {{0}};
    int rc = wr_vfs_list(p->disk, dir, append_name, &a, &err);
    assert_int_equal(wr_vfs_list(p->over, dir, append_name, &b, &err), rc);
    assert_string_equal(a.text, b.text);
}

static void do_one(struct pair *p)
{
    char path[64];
    any_path(p->rng, path, sizeof(path));
    if (wr_rng_below(p->rng, 2) == 0) {
        use_file(p, path);
    } else {
        change_names(p, path);
    }
    same_listing(p, dirs[wr_rng_below(p->rng, 4)]);
}

static struct wr_vfs_sim *filled_disk(void)
{
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    fill(wr_vfs_sim_vfs(sim));
    return sim;
}

static void behaves_as_the_disk_below_and_leaves_it_alone(void **state)
{
    (void)state;
    char where[256];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct wr_vfs_sim *reference = filled_disk();
        struct wr_vfs_sim *base = filled_disk();
        struct wr_vfs_sim *before = filled_disk();
        struct wr_overlay overlay = wr_overlay_of(wr_vfs_sim_vfs(base));
        struct wr_rng rng = wr_rng_of(seed);
        struct pair p = {wr_vfs_sim_vfs(reference), &overlay.vfs, &rng};
        for (int i = 0; i < STEPS; i++) {
            do_one(&p);
        }
        assert_true(wr_vfs_sim_same(base, before, where, sizeof(where)));
        wr_overlay_fini(&overlay);
        wr_vfs_sim_free(reference);
        wr_vfs_sim_free(base);
        wr_vfs_sim_free(before);
    }
}

static int append_change(void *arg, const struct wr_overlay_change *c, struct weir_error *err)
{
    (void)err;
    struct listing *listing = arg;
    size_t at = strlen(listing->text);
    (void)snprintf(listing->text + at, sizeof(listing->text) - at, "%s%s %s%s%s %llu>%llu\n",
                   c->path, c->is_dir ? "/" : "", c->was_there ? "was " : "",
                   c->is_there ? "is " : "", c->is_written ? "written" : "",
                   (unsigned long long)c->size_before, (unsigned long long)c->size_after);
    return 0;
}

static void tells_what_differs_from_below(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    struct wr_vfs_sim *base = filled_disk();
    struct wr_overlay overlay = wr_overlay_of(wr_vfs_sim_vfs(base));
    struct wr_vfs *vfs = &overlay.vfs;
    assert_int_equal(wr_file_open(vfs, "d/2", WR_OPEN_READ, &file, &err), 0); /* only read */
    wr_file_close(file);
    assert_int_equal(wr_file_open(vfs, "d/1", WR_OPEN_WRITE, &file, &err), 0);
    assert_int_equal(wr_file_truncate(file, 100, &err), 0);
    wr_file_close(file);
    assert_int_equal(wr_file_open(vfs, "d/new", WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
    assert_int_equal(wr_file_write(file, "abc", 3, 0, &err), 0);
    wr_file_close(file);
    assert_int_equal(wr_file_open(vfs, "d/brief", WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
    wr_file_close(file);
    assert_int_equal(wr_vfs_unlink(vfs, "d/brief", &err), 0);
    assert_int_equal(wr_vfs_rename(vfs, "d/a", "d/moved", &err), 0); /* a folder of three files */
    struct listing changes = {{0}};
    assert_int_equal(wr_overlay_each(&overlay, append_change, &changes, &err), 0);
    assert_string_equal(changes.text, "d/1 was is written 13500>100\n"
                                      "d/a/ was  0>0\n"
                                      "d/a/0 was  4500>0\n"
                                      "d/a/1 was  18000>0\n"
                                      "d/a/2 was  31500>0\n"
                                      "d/moved/ is  0>0\n"
                                      "d/moved/0 is  0>4500\n"
                                      "d/moved/1 is  0>18000\n"
                                      "d/moved/2 is  0>31500\n"
                                      "d/new is written 0>3\n");
    wr_overlay_fini(&overlay);
    wr_vfs_sim_free(base);
}

static void a_disk_below_that_fails_is_told(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    uint8_t bytes[10];
    struct wr_vfs_sim *base = filled_disk();
    struct wr_overlay overlay = wr_overlay_of(wr_vfs_sim_vfs(base));
    struct wr_sim_fault fault = {
        .kinds = WR_SIM_READ, .at = 1, .is_sticky = true, .code = WEIR_E_IO};
    assert_int_equal(wr_file_open(&overlay.vfs, "d/1", WR_OPEN_WRITE, &file, &err), 0);
    wr_vfs_sim_fault(base, &fault);
    assert_int_equal(wr_file_read(file, bytes, sizeof(bytes), 0, &err), WEIR_E_IO);
    assert_int_equal(wr_file_write(file, bytes, sizeof(bytes), 5, &err), WEIR_E_IO);
    wr_file_close(file);
    wr_overlay_fini(&overlay);
    wr_vfs_sim_free(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(behaves_as_the_disk_below_and_leaves_it_alone),
        cmocka_unit_test(tells_what_differs_from_below),
        cmocka_unit_test(a_disk_below_that_fails_is_told),
    };
    return cmocka_run_group_tests_name("overlay", tests, NULL, NULL);
}
