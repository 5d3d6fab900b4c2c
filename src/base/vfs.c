/* vfs.c - the wrappers that loop and name the path, and what is built on the operations alone. */
#include "base/vfs.h"

#include "base/writer.h"

int wr_file_open(struct wr_vfs *vfs, const char *path, unsigned flags, struct wr_file **out,
                 struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = vfs->ops->open(vfs, path, flags, &file, err);
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(file != NULL);
    WR_ASSERT(file->vfs == vfs);
    *out = file;
    return 0;
}

void wr_file_close(struct wr_file *file)
{
    if (file != NULL) {
        file->vfs->ops->close(file);
    }
}

int64_t wr_file_read(struct wr_file *file, void *buf, size_t len, uint64_t at,
                     struct weir_error *err)
{
    size_t done = 0;
    while (done < len) {
        int64_t n = file->vfs->ops->pread(file, (uint8_t *)buf + done, len - done, at + done, err);
        if (n < 0) {
            return n;
        }
        if (n == 0) {
            break;
        }
        WR_ASSERT((uint64_t)n <= len - done);
        done += (size_t)n;
    }
    return (int64_t)done;
}

int wr_file_read_all(struct wr_file *file, void *buf, size_t len, uint64_t at,
                     struct weir_error *err)
{
    int64_t n = wr_file_read(file, buf, len, at, err);
    if (n < 0) {
        return (int)n;
    }
    if ((size_t)n < len) {
        return wr_fail(err, WEIR_E_CORRUPT, "file ends at byte %llu, %zu more are missing",
                       (unsigned long long)at + (unsigned long long)n, len - (size_t)n);
    }
    return 0;
}

int wr_file_write(struct wr_file *file, const void *buf, size_t len, uint64_t at,
                  struct weir_error *err)
{
    struct iovec one = {(void *)(uintptr_t)buf, len};
    return wr_file_writev(file, &one, 1, at, err);
}

/* Step over `n` written bytes. */
static void iov_advance(struct iovec **iov, int *count, size_t n)
{
    while (*count > 0 && n >= (*iov)->iov_len) {
        n -= (*iov)->iov_len;
        (*iov)++;
        (*count)--;
    }
    if (*count > 0) {
        (*iov)->iov_base = (uint8_t *)(*iov)->iov_base + n;
        (*iov)->iov_len -= n;
    }
}

int wr_file_writev(struct wr_file *file, struct iovec *iov, int count, uint64_t at,
                   struct weir_error *err)
{
    enum {
        IOV_MAX_COUNT = 1024
    }; /* IOV_MAX on Linux, limits.h */
    iov_advance(&iov, &count, 0);
    while (count > 0) {
        int some = count < IOV_MAX_COUNT ? count : IOV_MAX_COUNT;
        int64_t n = file->vfs->ops->pwritev(file, iov, some, at, err);
        if (n < 0) {
            return (int)n;
        }
        WR_ASSERT(n > 0);
        at += (uint64_t)n;
        iov_advance(&iov, &count, (size_t)n);
    }
    return 0;
}

/* A sync that finds the disk full has failed like any other: the bytes that it should have written are
 * gone, so this is not the full disk that one waits for. */
static int sync_failed(int rc, struct weir_error *err)
{
    if (rc == WEIR_E_FULL) {
        err->code = WEIR_E_IO;
    }
    return rc == WEIR_E_FULL ? WEIR_E_IO : rc;
}

int wr_file_sync(struct wr_file *file, struct weir_error *err)
{
    return sync_failed(file->vfs->ops->sync(file, err), err);
}

int wr_file_truncate(struct wr_file *file, uint64_t len, struct weir_error *err)
{
    return file->vfs->ops->truncate(file, len, err);
}

int wr_file_reserve(struct wr_file *file, uint64_t at, uint64_t len, struct weir_error *err)
{
    return file->vfs->ops->reserve(file, at, len, err);
}

void wr_file_advise(struct wr_file *file, enum wr_advice advice, uint64_t at, uint64_t len)
{
    file->vfs->ops->advise(file, advice, at, len);
}

int64_t wr_file_size(struct wr_file *file, struct weir_error *err)
{
    return file->vfs->ops->size(file, err);
}

int wr_file_lock(struct wr_file *file, struct weir_error *err)
{
    return file->vfs->ops->lock(file, err);
}

int wr_file_fd(const struct wr_file *file)
{
    return file->vfs->ops->fd(file);
}

int wr_vfs_rename(struct wr_vfs *vfs, const char *from, const char *to, struct weir_error *err)
{
    return vfs->ops->rename(vfs, from, to, err);
}

int wr_vfs_unlink(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    return vfs->ops->unlink(vfs, path, err);
}

int wr_vfs_mkdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    return vfs->ops->mkdir(vfs, path, err);
}

int wr_vfs_rmdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    return vfs->ops->rmdir(vfs, path, err);
}

int wr_vfs_list(struct wr_vfs *vfs, const char *path,
                int (*each)(void *arg, const struct wr_dir_entry *entry, struct weir_error *err),
                void *arg, struct weir_error *err)
{
    return vfs->ops->list(vfs, path, each, arg, err);
}

int wr_vfs_sync_dir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    return sync_failed(vfs->ops->sync_dir(vfs, path, err), err);
}

int wr_vfs_room(struct wr_vfs *vfs, const char *path, struct wr_disk_room *out,
                struct weir_error *err)
{
    return vfs->ops->room(vfs, path, out, err);
}

static int write_whole(struct wr_vfs *vfs, const char *path, struct wr_bytes bytes,
                       struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = wr_file_open(vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_TRUNCATE, &file, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_file_write(file, bytes.ptr, bytes.len, 0, err);
    if (rc == 0) {
        rc = wr_file_sync(file, err);
    }
    wr_file_close(file);
    return rc;
}

/* The folder part of `path`, "." when it has none. */
static struct wr_str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return WR_STR(".");
    }
    return (struct wr_str){path, slash == path ? 1 : (size_t)(slash - path)};
}

int wr_vfs_replace(struct wr_vfs *vfs, const char *path, struct wr_bytes bytes,
                   struct weir_error *err)
{
    char temporary[4096];
    char folder[4096];
    struct wr_writer w = wr_writer_over(temporary, sizeof(temporary));
    wr_put_str(&w, wr_str_of(path));
    wr_put_bytes(&w, (struct wr_bytes){(const uint8_t *)".tmp", 5});
    struct wr_writer f = wr_writer_over(folder, sizeof(folder));
    wr_put_str(&f, folder_of(path));
    wr_put_u8(&f, 0);
    int rc = wr_writer_end(&w, err);
    if (rc == 0) {
        rc = wr_writer_end(&f, err);
    }
    if (rc < 0) {
        return wr_wrap(err, "path '%.200s'", path);
    }
    rc = write_whole(vfs, temporary, bytes, err);
    if (rc == 0) {
        rc = wr_vfs_rename(vfs, temporary, path, err);
    }
    return rc < 0 ? rc : wr_vfs_sync_dir(vfs, folder, err);
}

int wr_vfs_read_file(struct wr_vfs *vfs, const char *path, size_t max, struct wr_bytes *out,
                     struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = wr_file_open(vfs, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc;
    }
    uint8_t *bytes = NULL;
    int64_t size = wr_file_size(file, err);
    if (size < 0) {
        rc = (int)size;
    } else if ((uint64_t)size > max) {
        rc = wr_fail(err, WEIR_E_LIMIT, "'%s' has %lld bytes, at most %zu", path, (long long)size,
                     max);
    } else {
        bytes = wr_alloc_array((size_t)size + 1, 1);
        rc = bytes == NULL ? wr_fail(err, WEIR_E_NOMEM, "'%s'", path)
                           : wr_file_read_all(file, bytes, (size_t)size, 0, err);
    }
    wr_file_close(file);
    if (rc < 0) {
        wr_free(bytes);
        return rc;
    }
    *out = (struct wr_bytes){bytes, (size_t)size};
    return 0;
}
