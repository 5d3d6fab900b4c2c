/* vfs_sim.c - the operations of the simulated disk, and the faults in their way. */
#include "sim/sim_disk.h"

struct sim_file {
    struct wr_file file; /* first */
    struct sim_inode *inode;
    bool is_locked; /* this one holds the lock */
    bool is_writable;
    char path[]; /* for errors */
};

static struct wr_vfs_sim *sim_of(struct wr_vfs *vfs)
{
    return (struct wr_vfs_sim *)(void *)vfs;
}

static struct sim_file *file_of(struct wr_file *file)
{
    return (struct sim_file *)(void *)file;
}

static int fail(struct weir_error *err, int code, const char *what, const char *path)
{
    return wr_fail(err, code, "%s '%s': simulated: %s", what, path, weir_code_text(code));
}

/* ---- counting, hooks, faults ---- */

/* Which hook of which disk runs on this thread, so that it is not called from within itself. */
static _Thread_local struct wr_vfs_sim *hooked;

static void run_hook(struct wr_vfs_sim *sim, enum wr_sim_kind kind, const char *path)
{
    if (sim->hook == NULL || (sim->hook_kinds & (unsigned)kind) == 0 || hooked == sim) {
        return;
    }
    struct wr_vfs_sim *outer = hooked;
    hooked = sim;
    sim->hook(sim->hook_arg, kind, path);
    hooked = outer;
}

static unsigned bit_of(enum wr_sim_kind kind)
{
    return (unsigned)__builtin_ctz((unsigned)kind);
}

/* Does the fault meet this operation? */
static bool is_faulty(struct wr_vfs_sim *sim, enum wr_sim_kind kind, const char *path)
{
    const struct wr_sim_fault *fault = &sim->fault;
    if (fault->at == 0 || (fault->kinds & (unsigned)kind) == 0 ||
        (fault->path != NULL && strstr(path, fault->path) == NULL)) {
        return false;
    }
    sim->fault_seen++;
    bool is_met = fault->is_sticky ? sim->fault_seen >= fault->at : sim->fault_seen == fault->at;
    sim->fault_hits += is_met ? 1 : 0;
    return is_met;
}

/* Begin an operation: hook, lock, count, fault. True when it is to fail; the lock is held either way. */
static bool begin(struct wr_vfs_sim *sim, enum wr_sim_kind kind, const char *path)
{
    run_hook(sim, kind, path);
    pthread_mutex_lock(&sim->lock);
    sim->counts[bit_of(kind)]++;
    return is_faulty(sim, kind, path);
}

static void end(struct wr_vfs_sim *sim)
{
    sim_sweep(sim);
    pthread_mutex_unlock(&sim->lock);
}

static uint64_t used_bytes(const struct wr_vfs_sim *sim)
{
    uint64_t pages = 0;
    for (const struct sim_inode *i = sim->ring.after; i != &sim->ring; i = i->after) {
        pages += i->is_seen || i->opens > 0 ? i->cache.taken + 1 : 0;
    }
    return pages * SIM_PAGE_BYTES;
}

static uint64_t free_pages(const struct wr_vfs_sim *sim)
{
    if (sim->capacity_bytes == UINT64_MAX) {
        return UINT64_MAX;
    }
    uint64_t used = used_bytes(sim);
    return used >= sim->capacity_bytes ? 0 : (sim->capacity_bytes - used) / SIM_PAGE_BYTES;
}

/* ---- files ---- */

static void link_name(struct sim_inode *folder, struct wr_str name, struct sim_inode *inode)
{
    sim_names_put(&folder->cached, name, inode);
    inode->is_seen = true;
    struct sim_change *change = sim_change_add(folder, SIM_LINKED);
    change->name = wr_strdup(name);
    WR_ASSERT(change->name != NULL);
    change->inode = inode;
    inode->refs++;
}

static void resize(struct sim_inode *inode, uint64_t len)
{
    sim_content_resize(&inode->cache, len);
    struct sim_change *change = sim_change_add(inode, SIM_RESIZED);
    change->at = len;
    change->size_after = len;
}

/* Find or make the file. `out`: borrowed. */
static int open_inode(struct wr_vfs_sim *sim, const char *path, unsigned flags,
                      struct sim_inode **out, struct weir_error *err)
{
    struct wr_str last;
    struct sim_inode *folder = sim_find_parent(sim, path, &last);
    if (folder == NULL || last.len == 0) {
        return fail(err, WEIR_E_NOTFOUND, "open", path);
    }
    struct sim_inode *inode = sim_names_get(&folder->cached, last);
    if (inode == NULL && (flags & WR_OPEN_CREATE) == 0) {
        return fail(err, WEIR_E_NOTFOUND, "open", path);
    }
    if (inode == NULL && free_pages(sim) == 0) {
        return fail(err, WEIR_E_FULL, "open", path);
    }
    if (inode != NULL && (flags & WR_OPEN_EXCLUSIVE) != 0) {
        return fail(err, WEIR_E_EXISTS, "open", path);
    }
    if (inode != NULL && inode->is_dir) {
        return fail(err, WEIR_E_IO, "open", path);
    }
    if (inode == NULL) {
        inode = sim_inode_new(sim, false);
        link_name(folder, last, inode);
        sim_inode_unref(inode);
    } else if ((flags & WR_OPEN_TRUNCATE) != 0) {
        resize(inode, 0);
    }
    *out = inode;
    return 0;
}

static int sim_open(struct wr_vfs *vfs, const char *path, unsigned flags, struct wr_file **out,
                    struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    struct sim_inode *inode = NULL;
    int rc = begin(sim, WR_SIM_OPEN, path) ? fail(err, sim->fault.code, "open", path)
                                           : open_inode(sim, path, flags, &inode, err);
    if (rc == 0) {
        WR_ASSERT(inode != NULL);
        size_t len = strlen(path);
        struct sim_file *f = sim_alloc(1, sizeof(*f) + len + 1);
        f->file.vfs = vfs;
        f->inode = inode;
        f->is_writable = (flags & WR_OPEN_WRITE) != 0;
        memcpy(f->path, path, len);
        inode->refs++;
        inode->opens++;
        *out = &f->file;
    }
    end(sim);
    return rc;
}

static void sim_close(struct wr_file *file)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    pthread_mutex_lock(&sim->lock);
    f->inode->opens--;
    f->inode->is_locked = f->inode->is_locked && !f->is_locked;
    sim_inode_unref(f->inode);
    end(sim);
    wr_free(f);
}

static int64_t sim_pread(struct wr_file *file, void *buf, size_t len, uint64_t at,
                         struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    int64_t n;
    if (begin(sim, WR_SIM_READ, f->path)) {
        n = fail(err, sim->fault.code, "read", f->path);
    } else {
        size_t some = sim->is_short && len > 1 ? 1 + (size_t)wr_rng_below(&sim->rng, len) : len;
        n = (int64_t)sim_content_read(&f->inode->cache, buf, some, at);
    }
    end(sim);
    return n;
}

/* The first bytes of the pieces as one run, owned by the caller. */
static uint8_t *gather(const struct iovec *iov, int count, size_t len)
{
    uint8_t *bytes = sim_alloc(len + 1, 1);
    size_t done = 0;
    for (int i = 0; i < count && done < len; i++) {
        size_t n = iov[i].iov_len < len - done ? iov[i].iov_len : len - done;
        if (n > 0) {
            memcpy(bytes + done, iov[i].iov_base, n);
        }
        done += n;
    }
    return bytes;
}

static void write_bytes(struct sim_inode *inode, uint8_t *bytes, size_t len, uint64_t at)
{
    sim_content_write(&inode->cache, bytes, len, at);
    struct sim_change *change = sim_change_add(inode, SIM_WRITTEN);
    change->bytes = bytes;
    change->at = at;
    change->len = len;
    change->size_after = inode->cache.size;
}

/* How many of `len` bytes at `at` still find room. */
static size_t fitting(const struct wr_vfs_sim *sim, const struct sim_inode *inode, size_t len,
                      uint64_t at)
{
    uint64_t room = free_pages(sim);
    size_t fits = len;
    while (fits > 0 && sim_content_missing(&inode->cache, at, fits) > room) {
        uint64_t last_page = (at + fits - 1) / SIM_PAGE_BYTES * SIM_PAGE_BYTES;
        fits = last_page > at ? (size_t)(last_page - at) : 0;
    }
    return fits;
}

static int64_t sim_pwritev(struct wr_file *file, const struct iovec *iov, int count, uint64_t at,
                           struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    WR_ASSERT(f->is_writable);
    size_t len = 0;
    for (int i = 0; i < count; i++) {
        len += iov[i].iov_len;
    }
    bool is_failing = begin(sim, WR_SIM_WRITE, f->path);
    size_t some = len;
    if (is_failing) {
        some = (size_t)wr_rng_below(&sim->rng, len + 1);
    } else if (sim->is_short && len > 1) {
        some = 1 + (size_t)wr_rng_below(&sim->rng, len);
    }
    size_t fits = sim->capacity_bytes == UINT64_MAX ? some : fitting(sim, f->inode, some, at);
    if (fits > 0) {
        write_bytes(f->inode, gather(iov, count, fits), fits, at);
    }
    int64_t n = (int64_t)fits;
    if (is_failing) {
        n = fail(err, sim->fault.code, "write", f->path);
    } else if (fits == 0 && len > 0) {
        n = fail(err, WEIR_E_FULL, "write", f->path);
    }
    end(sim);
    return n;
}

/* A part of the pages reached the disk, the rest is called clean and never will (fsyncgate). */
static void lose_pages(struct sim_inode *inode)
{
    struct sim_loss how = {
        .loss = WR_SIM_LOSS_REORDER,
        .sector_bytes = SIM_PAGE_BYTES,
        .rng = &inode->sim->rng,
    };
    struct sim_content left = sim_lose(inode, &how);
    sim_content_fini(&inode->disk);
    inode->disk = left;
    inode->has_lost = inode->has_lost || inode->change_count > 0;
    sim_forget_changes(inode);
}

static int sync_inode(struct wr_vfs_sim *sim, struct sim_inode *inode, bool is_faulty_now,
                      const char *path, struct weir_error *err)
{
    if (is_faulty_now && sim->fault.effect == WR_SIM_LIE) {
        return 0;
    }
    if (!is_faulty_now) {
        sim_make_durable(inode);
        return 0;
    }
    if (!inode->is_dir) {
        lose_pages(inode);
    }
    return fail(err, sim->fault.code, "sync", path);
}

static int sim_sync(struct wr_file *file, struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    bool is_faulty_now = begin(sim, WR_SIM_SYNC, f->path);
    int rc = sync_inode(sim, f->inode, is_faulty_now, f->path, err);
    end(sim);
    return rc;
}

static int sim_truncate(struct wr_file *file, uint64_t len, struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    WR_ASSERT(f->is_writable);
    int rc = 0;
    if (begin(sim, WR_SIM_TRUNCATE, f->path)) {
        rc = fail(err, sim->fault.code, "truncate", f->path);
    } else {
        resize(f->inode, len);
    }
    end(sim);
    return rc;
}

static int sim_reserve(struct wr_file *file, uint64_t at, uint64_t len, struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    int rc = 0;
    if (begin(sim, WR_SIM_RESERVE, f->path)) {
        rc = fail(err, sim->fault.code, "reserve room for", f->path);
    } else if (sim_content_missing(&f->inode->cache, at, len) > free_pages(sim)) {
        rc = fail(err, WEIR_E_FULL, "reserve room for", f->path);
    } else {
        sim_content_reserve(&f->inode->cache, at, len);
        struct sim_change *change = sim_change_add(f->inode, SIM_RESERVED);
        change->at = at;
        change->len = len;
        change->size_after = f->inode->cache.size;
    }
    end(sim);
    return rc;
}

/* What was not synced is written at any time as it is: nothing to hurry. Clean pages are forgotten as asked,
 * and with them what a failed sync left in the cache only. */
static void sim_advise(struct wr_file *file, enum wr_advice advice, uint64_t at, uint64_t len)
{
    WR_UNUSED(at);
    WR_UNUSED(len);
    if (advice == WR_ADVICE_FORGET) {
        struct wr_vfs_sim *sim = sim_of(file->vfs);
        pthread_mutex_lock(&sim->lock);
        sim_evict(file_of(file)->inode);
        pthread_mutex_unlock(&sim->lock);
    }
}

static int64_t sim_size(struct wr_file *file, struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    int64_t size = begin(sim, WR_SIM_SIZE, f->path) ? fail(err, sim->fault.code, "stat", f->path)
                                                    : (int64_t)f->inode->cache.size;
    end(sim);
    return size;
}

static int sim_lock(struct wr_file *file, struct weir_error *err)
{
    struct sim_file *f = file_of(file);
    struct wr_vfs_sim *sim = sim_of(file->vfs);
    int rc = 0;
    if (begin(sim, WR_SIM_LOCK, f->path)) {
        rc = fail(err, sim->fault.code, "lock", f->path);
    } else if (f->inode->is_locked && !f->is_locked) {
        rc = fail(err, WEIR_E_BUSY, "lock", f->path);
    } else {
        f->inode->is_locked = true;
        f->is_locked = true;
    }
    end(sim);
    return rc;
}

static int sim_fd(const struct wr_file *file)
{
    WR_UNUSED(file);
    return -1;
}

/* ---- names ---- */

static int rename_locked(struct wr_vfs_sim *sim, const char *from, const char *to,
                         struct weir_error *err)
{
    struct wr_str old_name;
    struct wr_str new_name;
    struct sim_inode *folder = sim_find_parent(sim, from, &old_name);
    struct sim_inode *inode = folder == NULL ? NULL : sim_names_get(&folder->cached, old_name);
    if (inode == NULL) {
        return fail(err, WEIR_E_NOTFOUND, "rename", from);
    }
    if (sim_find_parent(sim, to, &new_name) != folder) {
        return wr_fail(err, WEIR_E_IO, "rename '%s' to '%s': simulated: not in one folder", from,
                       to);
    }
    struct sim_inode *replaced = sim_names_get(&folder->cached, new_name);
    if (replaced != NULL && (replaced->is_dir || inode->is_dir)) {
        return fail(err, WEIR_E_EXISTS, "rename", from);
    }
    if (replaced == inode) {
        return 0;
    }
    if (replaced != NULL) {
        replaced->is_seen = false;
    }
    struct sim_change *change = sim_change_add(folder, SIM_RENAMED);
    change->name = wr_strdup(old_name);
    change->to = wr_strdup(new_name);
    WR_ASSERT(change->name != NULL && change->to != NULL);
    change->inode = inode;
    inode->refs++;
    sim_apply_name(&folder->cached, change);
    return 0;
}

static int sim_rename(struct wr_vfs *vfs, const char *from, const char *to, struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    int rc = begin(sim, WR_SIM_RENAME, from) ? fail(err, sim->fault.code, "rename", from)
                                             : rename_locked(sim, from, to, err);
    end(sim);
    return rc;
}

static int remove_locked(struct wr_vfs_sim *sim, const char *path, bool is_dir,
                         struct weir_error *err)
{
    struct wr_str name;
    struct sim_inode *folder = sim_find_parent(sim, path, &name);
    struct sim_inode *inode = folder == NULL ? NULL : sim_names_get(&folder->cached, name);
    if (inode == NULL) {
        return fail(err, WEIR_E_NOTFOUND, "remove", path);
    }
    if (inode->is_dir != is_dir || inode->cached.count > 0) {
        return wr_fail(err, WEIR_E_IO, "remove '%s': simulated: %s", path,
                       inode->is_dir == is_dir ? "not empty" : "wrong kind");
    }
    inode->is_seen = false;
    struct sim_change *change = sim_change_add(folder, SIM_UNLINKED);
    change->name = wr_strdup(name);
    WR_ASSERT(change->name != NULL);
    sim_apply_name(&folder->cached, change);
    return 0;
}

static int sim_unlink(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    int rc = begin(sim, WR_SIM_UNLINK, path) ? fail(err, sim->fault.code, "remove", path)
                                             : remove_locked(sim, path, false, err);
    end(sim);
    return rc;
}

static int sim_rmdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    int rc = begin(sim, WR_SIM_RMDIR, path) ? fail(err, sim->fault.code, "remove folder", path)
                                            : remove_locked(sim, path, true, err);
    end(sim);
    return rc;
}

static int mkdir_locked(struct wr_vfs_sim *sim, const char *path, struct weir_error *err)
{
    struct wr_str name;
    struct sim_inode *folder = sim_find_parent(sim, path, &name);
    if (folder == NULL) {
        return fail(err, WEIR_E_NOTFOUND, "make folder", path);
    }
    if (name.len == 0 || sim_names_get(&folder->cached, name) != NULL) {
        return fail(err, WEIR_E_EXISTS, "make folder", path);
    }
    if (free_pages(sim) == 0) {
        return fail(err, WEIR_E_FULL, "make folder", path);
    }
    struct sim_inode *inode = sim_inode_new(sim, true);
    link_name(folder, name, inode);
    sim_inode_unref(inode);
    return 0;
}

static int sim_mkdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    int rc = begin(sim, WR_SIM_MKDIR, path) ? fail(err, sim->fault.code, "make folder", path)
                                            : mkdir_locked(sim, path, err);
    end(sim);
    return rc;
}

struct listing {
    char **names;
    bool *is_dir;
    size_t count;
};

/* A copy of the names, so that `each` may use the disk. Owned by the caller. */
static struct listing list_locked(const struct sim_inode *folder)
{
    struct listing listing = {.count = folder->cached.count};
    listing.names = sim_alloc(listing.count + 1, sizeof(*listing.names));
    listing.is_dir = sim_alloc(listing.count + 1, sizeof(*listing.is_dir));
    for (size_t i = 0; i < listing.count; i++) {
        listing.names[i] = wr_strdup(wr_str_of(folder->cached.all[i].name));
        WR_ASSERT(listing.names[i] != NULL);
        listing.is_dir[i] = folder->cached.all[i].inode->is_dir;
    }
    return listing;
}

static int sim_list(struct wr_vfs *vfs, const char *path,
                    int (*each)(void *arg, const struct wr_dir_entry *entry,
                                struct weir_error *err),
                    void *arg, struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    bool is_failing = begin(sim, WR_SIM_LIST, path);
    const struct sim_inode *folder = sim_find(sim, path);
    int rc = 0;
    struct listing listing = {0};
    if (is_failing) {
        rc = fail(err, sim->fault.code, "read folder", path);
    } else if (folder == NULL) {
        rc = fail(err, WEIR_E_NOTFOUND, "open folder", path);
    } else if (!folder->is_dir) {
        rc = fail(err, WEIR_E_IO, "open folder", path);
    } else {
        listing = list_locked(folder);
    }
    end(sim);
    for (size_t i = 0; i < listing.count; i++) {
        if (rc == 0) {
            rc = each(arg, &(struct wr_dir_entry){listing.names[i], listing.is_dir[i]}, err);
        }
        wr_free(listing.names[i]);
    }
    wr_free(listing.names);
    wr_free(listing.is_dir);
    return rc;
}

static int sim_sync_dir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    bool is_faulty_now = begin(sim, WR_SIM_SYNC_DIR, path);
    struct sim_inode *folder = sim_find(sim, path);
    int rc = folder == NULL || !folder->is_dir ? fail(err, WEIR_E_NOTFOUND, "open folder", path)
                                               : sync_inode(sim, folder, is_faulty_now, path, err);
    end(sim);
    return rc;
}

static int sim_room(struct wr_vfs *vfs, const char *path, struct wr_disk_room *out,
                    struct weir_error *err)
{
    struct wr_vfs_sim *sim = sim_of(vfs);
    int rc = 0;
    if (begin(sim, WR_SIM_ROOM, path)) {
        rc = fail(err, sim->fault.code, "ask for room on the disk of", path);
    } else if (sim_find(sim, path) == NULL) {
        rc = fail(err, WEIR_E_NOTFOUND, "ask for room on the disk of", path);
    } else {
        uint64_t used = used_bytes(sim);
        uint64_t total = sim->capacity_bytes;
        *out = (struct wr_disk_room){used < total ? total - used : 0, total};
    }
    end(sim);
    return rc;
}

/* ---- the disk as a whole ---- */

struct wr_vfs_sim *wr_vfs_sim_new(void)
{
    static const struct wr_vfs_ops ops = {
        .open = sim_open,
        .close = sim_close,
        .pread = sim_pread,
        .pwritev = sim_pwritev,
        .sync = sim_sync,
        .truncate = sim_truncate,
        .reserve = sim_reserve,
        .advise = sim_advise,
        .size = sim_size,
        .lock = sim_lock,
        .fd = sim_fd,
        .rename = sim_rename,
        .unlink = sim_unlink,
        .mkdir = sim_mkdir,
        .rmdir = sim_rmdir,
        .list = sim_list,
        .sync_dir = sim_sync_dir,
        .room = sim_room,
    };
    struct wr_vfs_sim *sim = sim_alloc(1, sizeof(*sim));
    sim->vfs.ops = &ops;
    int rc = pthread_mutex_init(&sim->lock, NULL);
    WR_ASSERT(rc == 0);
    sim->ring.before = &sim->ring;
    sim->ring.after = &sim->ring;
    sim->root = sim_inode_new(sim, true);
    sim->root->is_seen = true;
    sim->capacity_bytes = UINT64_MAX;
    sim->rng = wr_rng_of(1);
    return sim;
}

void wr_vfs_sim_free(struct wr_vfs_sim *sim)
{
    if (sim == NULL) {
        return;
    }
    sim_inode_unref(sim->root);
    sim_sweep(sim);
    WR_ASSERT(sim->ring.after == &sim->ring); /* else a file is still open */
    (void)pthread_mutex_destroy(&sim->lock);
    wr_free(sim);
}

struct wr_vfs *wr_vfs_sim_vfs(struct wr_vfs_sim *sim)
{
    return &sim->vfs;
}

void wr_vfs_sim_fault(struct wr_vfs_sim *sim, const struct wr_sim_fault *fault)
{
    WR_ASSERT(fault->effect == WR_SIM_FAIL || (fault->kinds & ~(unsigned)WR_SIM_SYNCS) == 0);
    WR_ASSERT(fault->at == 0 || fault->effect == WR_SIM_LIE || fault->code < 0);
    pthread_mutex_lock(&sim->lock);
    sim->fault = *fault;
    sim->fault_seen = 0;
    sim->fault_hits = 0;
    end(sim);
}

uint64_t wr_vfs_sim_fault_hits(struct wr_vfs_sim *sim)
{
    pthread_mutex_lock(&sim->lock);
    uint64_t hits = sim->fault_hits;
    end(sim);
    return hits;
}

uint64_t wr_vfs_sim_count(struct wr_vfs_sim *sim, unsigned kinds)
{
    uint64_t count = 0;
    pthread_mutex_lock(&sim->lock);
    for (size_t i = 0; i < sizeof(sim->counts) / sizeof(sim->counts[0]); i++) {
        count += (kinds & 1U << i) != 0 ? sim->counts[i] : 0;
    }
    end(sim);
    return count;
}

void wr_vfs_sim_seed(struct wr_vfs_sim *sim, uint64_t seed)
{
    pthread_mutex_lock(&sim->lock);
    sim->rng = wr_rng_of(seed);
    end(sim);
}

void wr_vfs_sim_short(struct wr_vfs_sim *sim, bool is_short)
{
    pthread_mutex_lock(&sim->lock);
    sim->is_short = is_short;
    end(sim);
}

void wr_vfs_sim_capacity(struct wr_vfs_sim *sim, uint64_t bytes)
{
    pthread_mutex_lock(&sim->lock);
    sim->capacity_bytes = bytes;
    end(sim);
}

uint64_t wr_vfs_sim_used(struct wr_vfs_sim *sim)
{
    pthread_mutex_lock(&sim->lock);
    uint64_t used = used_bytes(sim);
    end(sim);
    return used;
}

void wr_vfs_sim_hook(struct wr_vfs_sim *sim, unsigned kinds,
                     void (*hook)(void *arg, enum wr_sim_kind kind, const char *path), void *arg)
{
    pthread_mutex_lock(&sim->lock);
    sim->hook_kinds = kinds;
    sim->hook = hook;
    sim->hook_arg = arg;
    end(sim);
}
