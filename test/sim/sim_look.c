/* sim_look.c - rot, and what tests want to know of a simulated disk. */
#include "sim/sim_disk.h"

#include <stdio.h>

/* The file, which must be there. */
static struct sim_inode *file_at(struct wr_vfs_sim *sim, const char *path)
{
    struct sim_inode *inode = sim_find(sim, path);
    WR_ASSERT(inode != NULL);
    WR_ASSERT(!inode->is_dir);
    return inode;
}

void wr_vfs_sim_flip(struct wr_vfs_sim *sim, const char *path, uint64_t at, uint8_t bits)
{
    pthread_mutex_lock(&sim->lock);
    struct sim_inode *file = file_at(sim, path);
    sim_make_durable(file);
    uint8_t byte = 0;
    size_t n = sim_content_read(&file->cache, &byte, 1, at);
    WR_ASSERT(n == 1);
    byte ^= bits;
    sim_content_write(&file->cache, &byte, 1, at);
    sim_content_write(&file->disk, &byte, 1, at);
    pthread_mutex_unlock(&sim->lock);
}

void wr_vfs_sim_zero(struct wr_vfs_sim *sim, const char *path, uint64_t at, uint64_t len)
{
    static const uint8_t zeros[SIM_PAGE_BYTES];
    pthread_mutex_lock(&sim->lock);
    struct sim_inode *file = file_at(sim, path);
    sim_make_durable(file);
    WR_ASSERT(len <= file->cache.size && at <= file->cache.size - len);
    for (uint64_t done = 0; done < len; done += SIM_PAGE_BYTES) {
        size_t n = len - done < SIM_PAGE_BYTES ? (size_t)(len - done) : SIM_PAGE_BYTES;
        sim_content_write(&file->cache, zeros, n, at + done);
        sim_content_write(&file->disk, zeros, n, at + done);
    }
    pthread_mutex_unlock(&sim->lock);
}

void wr_vfs_sim_cut(struct wr_vfs_sim *sim, const char *path, uint64_t len)
{
    pthread_mutex_lock(&sim->lock);
    struct sim_inode *file = file_at(sim, path);
    sim_make_durable(file);
    WR_ASSERT(len <= file->cache.size);
    sim_content_resize(&file->cache, len);
    sim_content_resize(&file->disk, len);
    pthread_mutex_unlock(&sim->lock);
}

void sim_evict(struct sim_inode *file)
{
    if (file->has_lost) {
        sim_content_fini(&file->cache);
        file->cache = sim_content_copy(&file->disk);
        sim_apply_contents(&file->cache, file);
        file->has_lost = false;
    }
}

void wr_vfs_sim_evict(struct wr_vfs_sim *sim)
{
    pthread_mutex_lock(&sim->lock);
    for (struct sim_inode *i = sim->ring.after; i != &sim->ring; i = i->after) {
        sim_evict(i);
    }
    pthread_mutex_unlock(&sim->lock);
}

/* ---- the whole tree, flat ---- */

struct entry {
    char *path;
    const struct sim_inode *inode;
    bool is_dir;
    uint64_t size;
};

struct tree {
    struct entry *entries;
    size_t count;
    size_t cap;
};

static void tree_add(struct tree *tree, const char *folder, const char *name,
                     const struct sim_inode *inode)
{
    bool is_enough =
        wr_grow(&tree->entries, &tree->cap, tree->count + 1, sizeof(*tree->entries), SIZE_MAX / 64);
    WR_ASSERT(is_enough);
    size_t len = strlen(folder) + 1 + strlen(name);
    char *path = sim_alloc(len + 1, 1);
    (void)snprintf(path, len + 1, "%s%s%s", folder, folder[0] == 0 ? "" : "/", name);
    tree->entries[tree->count++] = (struct entry){path, inode, inode->is_dir, inode->cache.size};
}

static int compare_entries(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

/* All files and folders as reads see them, by path. Owned by the caller: tree_fini(). */
static struct tree tree_of(const struct wr_vfs_sim *sim)
{
    struct tree tree = {0};
    tree_add(&tree, "", "", sim->root);
    for (size_t i = 0; i < tree.count; i++) {
        const struct sim_names *names = &tree.entries[i].inode->cached;
        for (size_t j = 0; j < names->count; j++) {
            tree_add(&tree, tree.entries[i].path, names->all[j].name, names->all[j].inode);
        }
    }
    qsort(tree.entries, tree.count, sizeof(*tree.entries), compare_entries);
    return tree;
}

static void tree_fini(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++) {
        wr_free(tree->entries[i].path);
    }
    wr_free(tree->entries);
}

bool wr_vfs_sim_has_lost(struct wr_vfs_sim *sim, const char *path)
{
    bool has_lost = false;
    pthread_mutex_lock(&sim->lock);
    struct tree tree = tree_of(sim);
    for (size_t i = 0; i < tree.count; i++) {
        has_lost = has_lost ||
                   (tree.entries[i].inode->has_lost && strstr(tree.entries[i].path, path) != NULL);
    }
    pthread_mutex_unlock(&sim->lock);
    tree_fini(&tree);
    return has_lost;
}

void wr_vfs_sim_each(struct wr_vfs_sim *sim,
                     void (*each)(void *arg, const char *path, uint64_t size), void *arg)
{
    pthread_mutex_lock(&sim->lock);
    struct tree tree = tree_of(sim);
    pthread_mutex_unlock(&sim->lock);
    for (size_t i = 0; i < tree.count; i++) {
        if (!tree.entries[i].is_dir) {
            each(arg, tree.entries[i].path, tree.entries[i].size);
        }
    }
    tree_fini(&tree);
}

static size_t first_difference_in(const uint8_t *left, const uint8_t *right, size_t len)
{
    size_t i = 0;
    while (i < len && left[i] == right[i]) {
        i++;
    }
    return i;
}

/* The first byte that differs between contents of one size, or that size. */
static uint64_t first_difference(const struct sim_content *a, const struct sim_content *b)
{
    uint8_t left[SIM_PAGE_BYTES];
    uint8_t right[SIM_PAGE_BYTES];
    for (uint64_t at = 0; at < a->size; at += SIM_PAGE_BYTES) {
        size_t n = sim_content_read(a, left, sizeof(left), at);
        (void)sim_content_read(b, right, sizeof(right), at);
        size_t same = first_difference_in(left, right, n);
        if (same < n) {
            return at + same;
        }
    }
    return a->size;
}

static bool is_same_entry(const struct entry *a, const struct entry *b, char *where, size_t cap)
{
    const struct sim_content *x = &a->inode->cache;
    const struct sim_content *y = &b->inode->cache;
    if (a->is_dir != b->is_dir || x->size != y->size) {
        (void)snprintf(where, cap, "%s has %llu and %llu bytes", a->path,
                       (unsigned long long)x->size, (unsigned long long)y->size);
        return false;
    }
    uint64_t at = first_difference(x, y);
    if (at < x->size) {
        (void)snprintf(where, cap, "%s differs at byte %llu", a->path, (unsigned long long)at);
        return false;
    }
    return true;
}

static bool is_same_tree(const struct tree *a, const struct tree *b, char *where, size_t cap)
{
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        int order = 0;
        if (i == a->count || i == b->count) {
            order = i == a->count ? 1 : -1;
        } else {
            order = strcmp(a->entries[i].path, b->entries[i].path);
        }
        if (order != 0) {
            (void)snprintf(where, cap, "%s is only on the %s",
                           order < 0 ? a->entries[i].path : b->entries[i].path,
                           order < 0 ? "first" : "second");
            return false;
        }
        if (!is_same_entry(&a->entries[i], &b->entries[i], where, cap)) {
            return false;
        }
    }
    return true;
}

bool wr_vfs_sim_same(struct wr_vfs_sim *a, struct wr_vfs_sim *b, char *where, size_t cap)
{
    WR_ASSERT(a != b);
    pthread_mutex_lock(&a->lock);
    pthread_mutex_lock(&b->lock);
    struct tree left = tree_of(a);
    struct tree right = tree_of(b);
    bool is_same = is_same_tree(&left, &right, where, cap);
    tree_fini(&left);
    tree_fini(&right);
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_unlock(&a->lock);
    return is_same;
}

bool wr_vfs_sim_is_clean(struct wr_vfs_sim *sim)
{
    pthread_mutex_lock(&sim->lock);
    bool is_clean = true;
    for (const struct sim_inode *i = sim->ring.after; i != &sim->ring; i = i->after) {
        is_clean = is_clean && i->change_count == 0;
    }
    pthread_mutex_unlock(&sim->lock);
    return is_clean;
}

static void export_file(const struct sim_content *content, const char *path)
{
    FILE *out = fopen(path, "wbe");
    WR_ASSERT(out != NULL);
    uint8_t bytes[SIM_PAGE_BYTES];
    for (uint64_t at = 0; at < content->size; at += SIM_PAGE_BYTES) {
        size_t n = sim_content_read(content, bytes, sizeof(bytes), at);
        size_t done = fwrite(bytes, 1, n, out);
        WR_ASSERT(done == n);
    }
    int rc = fclose(out);
    WR_ASSERT(rc == 0);
}

void wr_vfs_sim_export(struct wr_vfs_sim *sim, const char *folder)
{
    pthread_mutex_lock(&sim->lock);
    struct tree tree = tree_of(sim);
    for (size_t i = 0; i < tree.count; i++) { /* folders come before what is in them */
        char path[4096];
        struct weir_error err;
        (void)snprintf(path, sizeof(path), "%s/%s", folder, tree.entries[i].path);
        if (tree.entries[i].inode->is_dir) {
            int rc = wr_vfs_mkdir(wr_vfs_os(), path, &err);
            WR_ASSERT(rc == 0 || rc == WEIR_E_EXISTS);
        } else {
            export_file(&tree.entries[i].inode->cache, path);
        }
    }
    tree_fini(&tree);
    pthread_mutex_unlock(&sim->lock);
}
