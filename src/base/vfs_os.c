/* vfs_os.c - the operating system's files: nothing but the calls and their errors. */
#include "base/vfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct os_file {
    struct wr_file file; /* first */
    int fd;
    char path[]; /* for errors */
};

static struct os_file *os_of(struct wr_file *file)
{
    return (struct os_file *)(void *)file;
}

static const struct os_file *os_of_const(const struct wr_file *file)
{
    return (const struct os_file *)(const void *)file;
}

/* The code that callers decide by, from errno. */
static int fail(struct weir_error *err, const char *what, const char *path)
{
    int code = WEIR_E_IO;
    switch (errno) {
    case ENOSPC:
    case EDQUOT: code = WEIR_E_FULL; break;
    case ENOENT: code = WEIR_E_NOTFOUND; break;
    case EEXIST: code = WEIR_E_EXISTS; break;
    case EWOULDBLOCK: code = WEIR_E_BUSY; break;
    default: break;
    }
    return wr_fail_errno(err, code, "%s '%s'", what, path);
}

static int os_open(struct wr_vfs *vfs, const char *path, unsigned flags, struct wr_file **out,
                   struct weir_error *err)
{
    int mode = O_CLOEXEC | ((flags & WR_OPEN_WRITE) != 0 ? O_RDWR : O_RDONLY);
    mode |= (flags & WR_OPEN_CREATE) != 0 ? O_CREAT : 0;
    mode |= (flags & WR_OPEN_EXCLUSIVE) != 0 ? O_EXCL : 0;
    mode |= (flags & WR_OPEN_TRUNCATE) != 0 ? O_TRUNC : 0;
    size_t len = strlen(path);
    struct os_file *f = wr_alloc_array(1, sizeof(*f) + len + 1);
    if (f == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "open '%s'", path);
    }
    do {
        f->fd = open(path, mode, 0600);
    } while (f->fd < 0 && errno == EINTR);
    if (f->fd < 0) {
        int rc = fail(err, "open", path);
        wr_free(f);
        return rc;
    }
    f->file.vfs = vfs;
    memcpy(f->path, path, len);
    *out = &f->file;
    return 0;
}

static void os_close(struct wr_file *file)
{
    (void)close(os_of(file)->fd); /* what matters was synced before */
    wr_free(os_of(file));
}

static int64_t os_pread(struct wr_file *file, void *buf, size_t len, uint64_t at,
                        struct weir_error *err)
{
    struct os_file *f = os_of(file);
    ssize_t n;
    do {
        n = pread(f->fd, buf, len, (off_t)at);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? fail(err, "read", f->path) : n;
}

static int64_t os_pwritev(struct wr_file *file, const struct iovec *iov, int count, uint64_t at,
                          struct weir_error *err)
{
    struct os_file *f = os_of(file);
    ssize_t n;
    do {
        n = pwritev(f->fd, iov, count, (off_t)at);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? fail(err, "write", f->path) : n;
}

static int os_sync(struct wr_file *file, struct weir_error *err)
{
    /* Not repeated on EINTR either: a sync that did not say "done" proves nothing. */
    return fdatasync(os_of(file)->fd) < 0 ? fail(err, "sync", os_of(file)->path) : 0;
}

static int os_truncate(struct wr_file *file, uint64_t len, struct weir_error *err)
{
    int rc;
    do {
        rc = ftruncate(os_of(file)->fd, (off_t)len);
    } while (rc < 0 && errno == EINTR);
    return rc < 0 ? fail(err, "truncate", os_of(file)->path) : 0;
}

static int os_reserve(struct wr_file *file, uint64_t at, uint64_t len, struct weir_error *err)
{
    int rc;
    do {
        rc = fallocate(os_of(file)->fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)len);
    } while (rc < 0 && errno == EINTR);
    if (rc < 0 && errno == EOPNOTSUPP) {
        return 0; /* the file system cannot; the log then relies on its own margin */
    }
    return rc < 0 ? fail(err, "reserve room for", os_of(file)->path) : 0;
}

static void os_advise(struct wr_file *file, enum wr_advice advice, uint64_t at, uint64_t len)
{
    int fd = os_of(file)->fd;
    switch (advice) {
    case WR_ADVICE_FORGET:
        (void)posix_fadvise(fd, (off_t)at, (off_t)len, POSIX_FADV_DONTNEED);
        break;
    case WR_ADVICE_NEED: (void)posix_fadvise(fd, (off_t)at, (off_t)len, POSIX_FADV_WILLNEED); break;
    case WR_ADVICE_DIRECT: (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_DIRECT); break;
    }
}

static int64_t os_size(struct wr_file *file, struct weir_error *err)
{
    struct stat st;
    return fstat(os_of(file)->fd, &st) < 0 ? fail(err, "stat", os_of(file)->path) : st.st_size;
}

static int os_lock(struct wr_file *file, struct weir_error *err)
{
    return flock(os_of(file)->fd, LOCK_EX | LOCK_NB) < 0 ? fail(err, "lock", os_of(file)->path) : 0;
}

static int os_fd(const struct wr_file *file)
{
    return os_of_const(file)->fd;
}

static int os_rename(struct wr_vfs *vfs, const char *from, const char *to, struct weir_error *err)
{
    WR_UNUSED(vfs);
    return rename(from, to) < 0 ? fail(err, "rename", from) : 0;
}

static int os_unlink(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    WR_UNUSED(vfs);
    return unlink(path) < 0 ? fail(err, "remove", path) : 0;
}

static int os_mkdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    WR_UNUSED(vfs);
    return mkdir(path, 0700) < 0 ? fail(err, "make folder", path) : 0;
}

static int os_rmdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    WR_UNUSED(vfs);
    return rmdir(path) < 0 ? fail(err, "remove folder", path) : 0;
}

static int os_list(struct wr_vfs *vfs, const char *path,
                   int (*each)(void *arg, const struct wr_dir_entry *entry, struct weir_error *err),
                   void *arg, struct weir_error *err)
{
    WR_UNUSED(vfs);
    DIR *dir = opendir(path);
    if (dir == NULL) {
        return fail(err, "open folder", path);
    }
    int rc = 0;
    struct dirent *entry;
    errno = 0;
    /* glibc's readdir is safe on a DIR that only one thread has. */
    while (rc == 0 && (entry = readdir(dir)) != NULL) { /* NOLINT(concurrency-mt-unsafe) */
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        bool is_dir = entry->d_type == DT_DIR;
        struct stat st;
        if (entry->d_type == DT_UNKNOWN &&
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            is_dir = S_ISDIR(st.st_mode);
        }
        rc = each(arg, &(struct wr_dir_entry){entry->d_name, is_dir}, err);
        errno = 0;
    }
    if (rc == 0 && errno != 0) {
        rc = fail(err, "read folder", path);
    }
    (void)closedir(dir);
    return rc;
}

static int os_sync_dir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    WR_UNUSED(vfs);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail(err, "open folder", path);
    }
    int rc = fsync(fd) < 0 ? fail(err, "sync folder", path) : 0;
    (void)close(fd);
    return rc;
}

static int os_room(struct wr_vfs *vfs, const char *path, struct wr_disk_room *out,
                   struct weir_error *err)
{
    WR_UNUSED(vfs);
    struct statvfs st;
    if (statvfs(path, &st) < 0) {
        return fail(err, "ask for room on the disk of", path);
    }
    *out = (struct wr_disk_room){(uint64_t)st.f_bavail * st.f_frsize,
                                 (uint64_t)st.f_blocks * st.f_frsize};
    return 0;
}

struct wr_vfs *wr_vfs_os(void)
{
    static const struct wr_vfs_ops ops = {
        .open = os_open,
        .close = os_close,
        .pread = os_pread,
        .pwritev = os_pwritev,
        .sync = os_sync,
        .truncate = os_truncate,
        .reserve = os_reserve,
        .advise = os_advise,
        .size = os_size,
        .lock = os_lock,
        .fd = os_fd,
        .rename = os_rename,
        .unlink = os_unlink,
        .mkdir = os_mkdir,
        .rmdir = os_rmdir,
        .list = os_list,
        .sync_dir = os_sync_dir,
        .room = os_room,
    };
    static struct wr_vfs os = {&ops};
    return &os;
}
