/*
 * vfs.h - the disk, as weir's own files see it: the only way to files of the log.
 *
 * Two implementations: wr_vfs_os() (thin, the real one) and test/sim/vfs_sim.h (in memory, with
 * short writes, EIO, a full disk and power loss that keeps any subset of what was not synced, torn
 * and reordered). What a library writes itself (SQLite, LMDB) does not pass here.
 *
 * Promises that callers may rely on, and no others:
 * - What was written before a successful wr_file_sync() survives power loss; what was written after
 *   the last one may survive in any part and any order, sector by sector.
 * - A name (made, renamed, removed) survives power loss only after wr_vfs_sync_dir() of its folder.
 * - A rename over an existing name is atomic: one or the other, never neither.
 * - After a failed sync nothing is known about the file's unsynced bytes, and a later sync of the same
 *   file that succeeds proves nothing. Never retry one: fail the log (design.md, rule of fsync).
 *
 * Errors: WEIR_E_FULL for ENOSPC and EDQUOT, WEIR_E_NOTFOUND for ENOENT, WEIR_E_EXISTS for EEXIST,
 * WEIR_E_BUSY for a lock held elsewhere, WEIR_E_IO for all else; each names the path.
 * EINTR and short reads and writes are handled inside the wrappers.
 *
 * Thread: a wr_vfs may be used from any thread; a wr_file by several at once for reads, and by one at
 * a time for everything that changes it.
 */
#ifndef WR_VFS_H
#define WR_VFS_H

#include "base/error.h"

#include <sys/uio.h>

struct wr_vfs;
struct wr_file;

enum wr_open_flags {
    WR_OPEN_READ = 0,      /* must exist, read only */
    WR_OPEN_WRITE = 1,     /* read and write; must exist unless CREATE */
    WR_OPEN_CREATE = 2,    /* make it when it is not there */
    WR_OPEN_EXCLUSIVE = 4, /* with CREATE: fail with WEIR_E_EXISTS when it is there */
    WR_OPEN_TRUNCATE = 8   /* cut to nothing */
};

/* Of bytes in a file: what will be done with them. */
enum wr_advice {
    WR_ADVICE_FORGET, /* the next read is to ask the disk, not memory; what is not written yet stays */
    WR_ADVICE_NEED, /* will be read soon: begin to read */
    WR_ADVICE_DIRECT /* from now on only written, whole blocks of 4096 from memory aligned like them, and
                         synced at once: past the page cache. For the whole file. */
};

struct wr_dir_entry {
    const char *name; /* borrowed during the call */
    bool is_dir;
};

struct wr_disk_room {
    uint64_t free_bytes; /* that an unprivileged process may still take */
    uint64_t total_bytes;
};

/* What an implementation provides. Every member is required. `pread` and `pwritev` may do less than
 * asked (0 at the end of the file) and return the count; the wrappers below loop. */
struct wr_vfs_ops {
    int (*open)(struct wr_vfs *vfs, const char *path, unsigned flags, struct wr_file **out,
                struct weir_error *err);
    void (*close)(struct wr_file *file);
    int64_t (*pread)(struct wr_file *file, void *buf, size_t len, uint64_t at,
                     struct weir_error *err);
    int64_t (*pwritev)(struct wr_file *file, const struct iovec *iov, int count, uint64_t at,
                       struct weir_error *err);
    int (*sync)(struct wr_file *file, struct weir_error *err);
    int (*truncate)(struct wr_file *file, uint64_t len, struct weir_error *err);
    int (*reserve)(struct wr_file *file, uint64_t at, uint64_t len, struct weir_error *err);
    void (*advise)(struct wr_file *file, enum wr_advice advice, uint64_t at, uint64_t len);
    int64_t (*size)(struct wr_file *file, struct weir_error *err);
    int (*lock)(struct wr_file *file, struct weir_error *err);
    int (*fd)(const struct wr_file *file);
    int (*rename)(struct wr_vfs *vfs, const char *from, const char *to, struct weir_error *err);
    int (*unlink)(struct wr_vfs *vfs, const char *path, struct weir_error *err);
    int (*mkdir)(struct wr_vfs *vfs, const char *path, struct weir_error *err);
    int (*rmdir)(struct wr_vfs *vfs, const char *path, struct weir_error *err);
    int (*list)(struct wr_vfs *vfs, const char *path,
                int (*each)(void *arg, const struct wr_dir_entry *entry, struct weir_error *err),
                void *arg, struct weir_error *err);
    int (*sync_dir)(struct wr_vfs *vfs, const char *path, struct weir_error *err);
    int (*room)(struct wr_vfs *vfs, const char *path, struct wr_disk_room *out,
                struct weir_error *err);
};

/* An implementation puts these first in its own structs. */
struct wr_vfs {
    const struct wr_vfs_ops *ops;
};
struct wr_file {
    struct wr_vfs *vfs;
};

/* The operating system's files. Static storage. */
struct wr_vfs *wr_vfs_os(void);

/* Open `path` (enum wr_open_flags). `out`: owned by the caller, close with wr_file_close(); untouched
 * on failure. Files are made with mode 0600 and close on exec. */
WR_MUST_USE int wr_file_open(struct wr_vfs *vfs, const char *path, unsigned flags,
                             struct wr_file **out, struct weir_error *err);

/* Close; takes NULL. Syncs nothing. */
void wr_file_close(struct wr_file *file);

/* Read up to `len` bytes at `at`; loops until all are there or the file ends.
 * Returns the count, less than `len` only at the end of the file, or a WEIR_E_ code. */
WR_MUST_USE int64_t wr_file_read(struct wr_file *file, void *buf, size_t len, uint64_t at,
                                 struct weir_error *err);

/* As wr_file_read(), and WEIR_E_CORRUPT "ends at …" when fewer than `len` bytes are there. */
WR_MUST_USE int wr_file_read_all(struct wr_file *file, void *buf, size_t len, uint64_t at,
                                 struct weir_error *err);

/* Write all of `len` bytes at `at`. On failure any part of them may be there. */
WR_MUST_USE int wr_file_write(struct wr_file *file, const void *buf, size_t len, uint64_t at,
                              struct weir_error *err);

/* Write all of `count` pieces one after the other at `at`. `iov` is used up: its entries are changed. */
WR_MUST_USE int wr_file_writev(struct wr_file *file, struct iovec *iov, int count, uint64_t at,
                               struct weir_error *err);

/* fdatasync: make what was written durable, size included. A disk that is found full by it is WEIR_E_IO: what
 * was written is not there. Blocks on disk. */
WR_MUST_USE int wr_file_sync(struct wr_file *file, struct weir_error *err);

/* Cut or extend (with zeros) to `len` bytes. */
WR_MUST_USE int wr_file_truncate(struct wr_file *file, uint64_t len, struct weir_error *err);

/* Reserve room on disk for `len` bytes from `at` without changing the size (FALLOC_FL_KEEP_SIZE), so
 * that a later write there cannot meet a full disk. Where the file system cannot, 0 as well. */
WR_MUST_USE int wr_file_reserve(struct wr_file *file, uint64_t at, uint64_t len,
                                struct weir_error *err);

/* Tell the system what will be done with `len` bytes at `at` (0: all behind `at`). It may do nothing. */
void wr_file_advise(struct wr_file *file, enum wr_advice advice, uint64_t at, uint64_t len);

/* Size in bytes, or a WEIR_E_ code. */
WR_MUST_USE int64_t wr_file_size(struct wr_file *file, struct weir_error *err);

/* Take the exclusive lock of the file for as long as it is open, or WEIR_E_BUSY at once. */
WR_MUST_USE int wr_file_lock(struct wr_file *file, struct weir_error *err);

/* The descriptor for sendfile and poll, borrowed; -1 where there is none (simulation). */
int wr_file_fd(const struct wr_file *file);

/* Names. Durable only after wr_vfs_sync_dir() of the folder they are in. `wr_vfs_mkdir` of a folder
 * that is there is WEIR_E_EXISTS. */
WR_MUST_USE int wr_vfs_rename(struct wr_vfs *vfs, const char *from, const char *to,
                              struct weir_error *err);
WR_MUST_USE int wr_vfs_unlink(struct wr_vfs *vfs, const char *path, struct weir_error *err);
WR_MUST_USE int wr_vfs_mkdir(struct wr_vfs *vfs, const char *path, struct weir_error *err);
WR_MUST_USE int wr_vfs_rmdir(struct wr_vfs *vfs, const char *path, struct weir_error *err);

/* Call `each` for every entry of the folder but "." and "..", in no order; a non-zero result ends the
 * walk and is returned. */
WR_MUST_USE int wr_vfs_list(struct wr_vfs *vfs, const char *path,
                            int (*each)(void *arg, const struct wr_dir_entry *entry,
                                        struct weir_error *err),
                            void *arg, struct weir_error *err);

/* Make the names in a folder durable. Blocks on disk. */
WR_MUST_USE int wr_vfs_sync_dir(struct wr_vfs *vfs, const char *path, struct weir_error *err);

/* How much room the disk of `path` has. */
WR_MUST_USE int wr_vfs_room(struct wr_vfs *vfs, const char *path, struct wr_disk_room *out,
                            struct weir_error *err);

/* Put `bytes` at `path`, whole or not at all, also through power loss: write `path`.tmp, sync, rename,
 * sync the folder. */
WR_MUST_USE int wr_vfs_replace(struct wr_vfs *vfs, const char *path, struct wr_bytes bytes,
                               struct weir_error *err);

/* Read a whole file of at most `max` bytes. `out->ptr`: owned by the caller, free with wr_free();
 * a NUL follows the last byte. */
WR_MUST_USE int wr_vfs_read_file(struct wr_vfs *vfs, const char *path, size_t max,
                                 struct wr_bytes *out, struct weir_error *err);

#endif
