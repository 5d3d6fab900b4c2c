/*
 * The real disk, in a folder of its own under the temporary folder: every operation does what vfs.h says,
 * and every failure of the system comes back as a code and names the path. What needs a failing device
 * is in test_vfs_sim.c.
 */
#include "base/vfs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[200];
    char path[300];
};

/* `name` in the folder of this run; good until the next call. */
static const char *in(struct place *place, const char *name)
{
    (void)snprintf(place->path, sizeof(place->path), "%s/%s", place->dir, name);
    return place->path;
}

static int make_place(void **state)
{
    static struct place place;
    (void)snprintf(place.dir, sizeof(place.dir), "/tmp/weir-vfs-XXXXXX");
    *state = &place;
    return mkdtemp(place.dir) == NULL ? -1 : 0;
}

struct sweep {
    struct place *place;
    int count;
};

static int remove_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct sweep *sweep = arg;
    sweep->count++;
    const char *path = in(sweep->place, entry->name);
    return entry->is_dir ? wr_vfs_rmdir(wr_vfs_os(), path, err)
                         : wr_vfs_unlink(wr_vfs_os(), path, err);
}

static int remove_place(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    struct sweep sweep = {place, 0};
    int rc = wr_vfs_list(wr_vfs_os(), place->dir, remove_entry, &sweep, &err);
    return rc < 0 ? rc : wr_vfs_rmdir(wr_vfs_os(), place->dir, &err);
}

static struct wr_file *make(struct place *place, const char *name)
{
    struct weir_error err;
    struct wr_file *file = NULL;
    assert_int_equal(
        wr_file_open(wr_vfs_os(), in(place, name), WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
    return file;
}

static void opens_as_the_flags_say(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    struct wr_file *file = NULL;
    struct wr_vfs *os = wr_vfs_os();
    assert_int_equal(wr_file_open(os, in(place, "no"), WR_OPEN_WRITE, &file, &err),
                     WEIR_E_NOTFOUND);
    assert_null(file);
    assert_non_null(strstr(err.text, place->path));
    assert_int_equal(err.sys, ENOENT);
    wr_file_close(make(place, "a"));
    struct stat st;
    assert_int_equal(stat(in(place, "a"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(wr_file_open(os, in(place, "a"),
                                  WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_EXCLUSIVE, &file, &err),
                     WEIR_E_EXISTS);
    assert_int_equal(wr_file_open(os, in(place, "a"), WR_OPEN_READ, &file, &err), 0);
    assert_true((fcntl(wr_file_fd(file), F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(wr_file_write(file, "x", 1, 0, &err), WEIR_E_IO);
    assert_int_equal(err.sys, EBADF);
    wr_file_close(file);
    wr_file_close(NULL);
}

static void reads_and_writes_where_it_is_told(void **state)
{
    struct weir_error err;
    struct wr_file *file = make(*state, "b");
    struct iovec iov[3] = {{(void *)(uintptr_t) "ab", 2}, {NULL, 0}, {(void *)(uintptr_t) "cd", 2}};
    assert_int_equal(wr_file_writev(file, iov, 3, 10, &err), 0);
    assert_int_equal(wr_file_size(file, &err), 14);
    char buf[8];
    assert_int_equal(wr_file_read(file, buf, 8, 9, &err), 5);
    assert_memory_equal(buf, "\0abcd", 5);
    assert_int_equal(wr_file_read_all(file, buf, 4, 10, &err), 0);
    assert_int_equal(wr_file_read_all(file, buf, 5, 10, &err), WEIR_E_CORRUPT);
    assert_string_equal(err.text, "file ends at byte 14, 1 more are missing");
    assert_int_equal(wr_file_truncate(file, 11, &err), 0);
    assert_int_equal(wr_file_size(file, &err), 11);
    assert_int_equal(wr_file_truncate(file, 20, &err), 0);
    assert_int_equal(wr_file_read(file, buf, 8, 10, &err), 8);
    assert_memory_equal(buf, "a\0\0\0\0\0\0\0", 8);
    assert_int_equal(wr_file_sync(file, &err), 0);
    wr_file_close(file);
}

static void writes_more_pieces_than_the_system_takes_at_once(void **state)
{
    enum {
        PIECES = 3000
    };
    struct weir_error err;
    struct wr_file *file = make(*state, "pieces");
    static struct iovec iov[PIECES];
    static uint8_t bytes[PIECES];
    static uint8_t back[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        bytes[i] = (uint8_t)(i * 7);
        iov[i] = (struct iovec){&bytes[i], 1};
    }
    assert_int_equal(wr_file_writev(file, iov, PIECES, 0, &err), 0);
    assert_int_equal(wr_file_read_all(file, back, PIECES, 0, &err), 0);
    assert_memory_equal(back, bytes, PIECES);
    wr_file_close(file);
}

static void reserving_takes_room_and_leaves_the_size(void **state)
{
    struct weir_error err;
    struct wr_file *file = make(*state, "room");
    assert_int_equal(wr_file_reserve(file, 0, 1 << 20, &err), 0);
    assert_int_equal(wr_file_size(file, &err), 0);
    wr_file_close(file);
}

static void a_lock_is_busy_elsewhere_until_closed(void **state)
{
    struct weir_error err;
    struct wr_file *one = make(*state, "lock");
    struct wr_file *two = make(*state, "lock");
    assert_int_equal(wr_file_lock(one, &err), 0);
    assert_int_equal(wr_file_lock(two, &err), WEIR_E_BUSY);
    wr_file_close(one);
    assert_int_equal(wr_file_lock(two, &err), 0);
    wr_file_close(two);
}

static void names_are_made_renamed_and_removed(void **state)
{
    struct place *place = *state;
    struct place other = *place;
    struct weir_error err;
    struct wr_vfs *os = wr_vfs_os();
    wr_file_close(make(place, "old"));
    assert_int_equal(wr_vfs_rename(os, in(place, "old"), in(&other, "new"), &err), 0);
    assert_int_equal(wr_vfs_rename(os, in(place, "old"), in(&other, "new"), &err), WEIR_E_NOTFOUND);
    assert_non_null(strstr(err.text, "/old'"));
    assert_int_equal(wr_vfs_unlink(os, in(place, "old"), &err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_vfs_unlink(os, in(place, "new"), &err), 0);
    assert_int_equal(wr_vfs_mkdir(os, in(place, "d"), &err), 0);
    assert_int_equal(wr_vfs_mkdir(os, in(place, "d"), &err), WEIR_E_EXISTS);
    struct stat st;
    assert_int_equal(stat(in(place, "d"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    wr_file_close(make(place, "d/x"));
    assert_int_equal(wr_vfs_rmdir(os, in(place, "d"), &err), WEIR_E_IO);
    assert_int_equal(err.sys, ENOTEMPTY);
    assert_int_equal(wr_vfs_unlink(os, in(place, "d/x"), &err), 0);
    assert_int_equal(wr_vfs_rmdir(os, in(place, "d"), &err), 0);
    assert_int_equal(wr_vfs_sync_dir(os, place->dir, &err), 0);
    assert_int_equal(wr_vfs_sync_dir(os, in(place, "d"), &err), WEIR_E_NOTFOUND);
}

static int note_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    (void)err;
    unsigned *seen = arg;
    *seen |= strcmp(entry->name, "f") == 0 && !entry->is_dir ? 1U : 0U;
    *seen |= strcmp(entry->name, "d") == 0 && entry->is_dir ? 2U : 0U;
    *seen |= entry->name[0] == '.' ? 4U : 0U;
    return 0;
}

static int stop_at_once(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    (void)entry;
    ++*(int *)arg;
    return wr_fail(err, WEIR_E_STOPPED, "enough");
}

static void lists_a_folder_and_stops_when_told(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    unsigned seen = 0;
    int calls = 0;
    wr_file_close(make(place, "f"));
    assert_int_equal(wr_vfs_mkdir(wr_vfs_os(), in(place, "d"), &err), 0);
    assert_int_equal(wr_vfs_list(wr_vfs_os(), place->dir, note_entry, &seen, &err), 0);
    assert_int_equal(seen, 3);
    assert_int_equal(wr_vfs_list(wr_vfs_os(), place->dir, stop_at_once, &calls, &err),
                     WEIR_E_STOPPED);
    assert_int_equal(calls, 1);
    assert_int_equal(wr_vfs_list(wr_vfs_os(), in(place, "no"), note_entry, &seen, &err),
                     WEIR_E_NOTFOUND);
    assert_int_equal(wr_vfs_list(wr_vfs_os(), in(place, "f"), note_entry, &seen, &err), WEIR_E_IO);
}

static void tells_how_much_room_there_is(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    struct wr_disk_room room;
    assert_int_equal(wr_vfs_room(wr_vfs_os(), place->dir, &room, &err), 0);
    assert_true(room.total_bytes > 0);
    assert_true(room.free_bytes <= room.total_bytes);
    assert_int_equal(wr_vfs_room(wr_vfs_os(), in(place, "no"), &room, &err), WEIR_E_NOTFOUND);
}

/* /dev/full answers every write with ENOSPC, full(4). */
static void a_full_device_is_full_and_not_just_broken(void **state)
{
    (void)state;
    struct weir_error err;
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(wr_vfs_os(), "/dev/full", WR_OPEN_WRITE, &file, &err), 0);
    assert_int_equal(wr_file_write(file, "x", 1, 0, &err), WEIR_E_FULL);
    assert_int_equal(err.sys, ENOSPC);
    assert_non_null(strstr(err.text, "/dev/full"));
    wr_file_close(file);
}

static void a_limit_of_the_process_is_an_error_that_names_the_file(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    struct rlimit old;
    struct wr_file *file = make(place, "limited");
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    struct rlimit small = {4096, old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    static const uint8_t bytes[8192];
    int rc = wr_file_write(file, bytes, sizeof(bytes), 0, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(rc, WEIR_E_IO);
    assert_int_equal(err.sys, EFBIG);
    assert_int_equal(wr_file_size(file, &err), 4096); /* the part that went */
    wr_file_close(file);
}

/* A pipe has no place for bytes: pread and fdatasync fail, and must say so. */
static void what_cannot_be_synced_or_read_at_a_place_fails(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    struct wr_file *file = NULL;
    assert_int_equal(mkfifo(in(place, "fifo"), 0600), 0);
    assert_int_equal(wr_file_open(wr_vfs_os(), in(place, "fifo"), WR_OPEN_WRITE, &file, &err), 0);
    char byte;
    assert_int_equal(wr_file_sync(file, &err), WEIR_E_IO);
    assert_int_equal(err.sys, EINVAL);
    assert_int_equal(wr_file_read(file, &byte, 1, 0, &err), WEIR_E_IO);
    assert_int_equal(err.sys, ESPIPE);
    assert_int_equal(wr_file_truncate(file, 0, &err), WEIR_E_IO);
    assert_int_equal(wr_file_reserve(file, 0, 10, &err), WEIR_E_IO);
    wr_file_close(file);
}

static void replaces_a_file_and_reads_it_whole(void **state)
{
    struct place *place = *state;
    struct weir_error err;
    struct wr_bytes back = {NULL, 0};
    struct wr_bytes text = wr_bytes_of_str(WR_STR("hello"));
    const char *path = in(place, "whole");
    assert_int_equal(wr_vfs_replace(wr_vfs_os(), path, text, &err), 0);
    assert_int_equal(wr_vfs_replace(wr_vfs_os(), path, text, &err), 0);
    assert_int_equal(wr_vfs_read_file(wr_vfs_os(), path, 4, &back, &err), WEIR_E_LIMIT);
    assert_int_equal(wr_vfs_read_file(wr_vfs_os(), path, 5, &back, &err), 0);
    assert_true(wr_bytes_eq(back, text));
    assert_int_equal(back.ptr[5], 0);
    wr_free((void *)(uintptr_t)back.ptr);
    assert_int_equal(wr_vfs_read_file(wr_vfs_os(), in(place, "whole.tmp"), 5, &back, &err),
                     WEIR_E_NOTFOUND);
    assert_int_equal(wr_vfs_replace(wr_vfs_os(), in(place, "no/whole"), text, &err),
                     WEIR_E_NOTFOUND);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
    const struct CMUnitTest tests[] = {
        CASE(opens_as_the_flags_say),
        CASE(reads_and_writes_where_it_is_told),
        CASE(writes_more_pieces_than_the_system_takes_at_once),
        CASE(reserving_takes_room_and_leaves_the_size),
        CASE(a_lock_is_busy_elsewhere_until_closed),
        CASE(names_are_made_renamed_and_removed),
        CASE(lists_a_folder_and_stops_when_told),
        CASE(tells_how_much_room_there_is),
        CASE(a_full_device_is_full_and_not_just_broken),
        CASE(a_limit_of_the_process_is_an_error_that_names_the_file),
        CASE(what_cannot_be_synced_or_read_at_a_place_fails),
        CASE(replaces_a_file_and_reads_it_whole),
    };
#undef CASE
    return cmocka_run_group_tests_name("vfs_os", tests, NULL, NULL);
}
