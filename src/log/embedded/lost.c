#include "log/embedded/lost.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    COPY_BYTES = 256 * 1024,
    NAME_BYTES = 1024,
    PATH_BYTES = 4096
};

static const char FOLDER[] = "lost+found";

static void full_path(const struct wr_lost *lost, const char *path, char *out)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s", lost->dir, path);
    WR_ASSERT(n > 0);
}

static int copy(struct wr_file *from, uint64_t at, uint64_t bytes, struct wr_file *to,
                struct weir_error *err)
{
    uint8_t *buffer = wr_alloc_array(COPY_BYTES, 1);
    int rc = buffer == NULL ? wr_fail(err, WEIR_E_NOMEM, "copying to %s", FOLDER) : 0;
    for (uint64_t done = 0; rc == 0 && done < bytes;) {
        size_t len = bytes - done < COPY_BYTES ? (size_t)(bytes - done) : COPY_BYTES;
        rc = wr_file_read_all(from, buffer, len, at + done, err);
        rc = rc == 0 ? wr_file_write(to, buffer, len, done, err) : rc;
        done += len;
    }
    wr_free(buffer);
    return rc;
}

static int make_folder(struct wr_lost *lost, struct weir_error *err)
{
    char path[PATH_BYTES];
    if (lost->is_made) {
        return 0;
    }
    full_path(lost, FOLDER, path);
    int rc = wr_vfs_mkdir(lost->vfs, path, err);
    rc = rc == WEIR_E_EXISTS ? 0 : rc;
    rc = rc == 0 ? wr_vfs_sync_dir(lost->vfs, lost->dir, err) : rc;
    lost->is_made = rc == 0;
    return rc;
}

static void place_of(const struct wr_lost *lost, const char *path, uint64_t at, char *out)
{
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%s", path);
    for (char *c = strchr(name, '/'); c != NULL; c = strchr(c, '/')) {
        *c = '.';
    }
    (void)snprintf(out, PATH_BYTES, "%s/%s/%s.%" PRIu64, lost->dir, FOLDER, name, at);
}

int wr_lost_keep(struct wr_lost *lost, struct wr_file *file, const char *path, uint64_t at,
                 uint64_t bytes, struct weir_error *err)
{
    char to[PATH_BYTES];
    char dir[PATH_BYTES];
    struct wr_file *out = NULL;
    int rc = make_folder(lost, err);
    if (rc < 0) {
        return rc;
    }
    place_of(lost, path, at, to);
    full_path(lost, FOLDER, dir);
    rc = wr_file_open(lost->vfs, to, WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_TRUNCATE, &out, err);
    rc = rc == 0 ? copy(file, at, bytes, out, err) : rc;
    rc = rc == 0 ? wr_file_sync(out, err) : rc;
    wr_file_close(out);
    return rc == 0 ? wr_vfs_sync_dir(lost->vfs, dir, err) : rc;
}

static int take_file(struct wr_lost *lost, const char *path, struct weir_error *err)
{
    char full[PATH_BYTES];
    struct wr_file *file = NULL;
    full_path(lost, path, full);
    int rc = wr_file_open(lost->vfs, full, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    int64_t size = wr_file_size(file, err);
    rc = size < 0 ? (int)size : wr_lost_keep(lost, file, path, 0, (uint64_t)size, err);
    wr_file_close(file);
    return rc == 0 ? wr_vfs_unlink(lost->vfs, full, err) : rc;
}

struct folder {
    struct wr_lost *lost;
    const char *path;
    bool is_there;
};

static int take_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    const struct folder *folder = arg;
    char path[NAME_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", folder->path, entry->name);
    if (entry->is_dir) {
        return wr_fail(err, WEIR_E_UNSUPPORTED,
                       "'%s/%s' is a folder, and a log has none there: move it away by hand",
                       folder->lost->dir, path);
    }
    return take_file(folder->lost, path, err);
}

/* Is `path` a folder? Told by the folder that it is in. */
static int look_for(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    WR_UNUSED(err);
    struct folder *folder = arg;
    const char *slash = strrchr(folder->path, '/');
    const char *name = slash == NULL ? folder->path : slash + 1;
    folder->is_there = folder->is_there || (entry->is_dir && strcmp(entry->name, name) == 0);
    return 0;
}

int wr_lost_take(struct wr_lost *lost, const char *path, struct weir_error *err)
{
    char full[PATH_BYTES];
    char parent[PATH_BYTES];
    struct folder folder = {lost, path, false};
    full_path(lost, path, full);
    (void)snprintf(parent, sizeof(parent), "%s", full);
    *strrchr(parent, '/') = 0;
    int rc = wr_vfs_list(lost->vfs, parent, look_for, &folder, err);
    if (rc < 0 || !folder.is_there) {
        return rc < 0 ? rc : take_file(lost, path, err);
    }
    rc = wr_vfs_list(lost->vfs, full, take_entry, &folder, err);
    return rc == 0 ? wr_vfs_rmdir(lost->vfs, full, err) : rc;
}
