/* sim_power.c - what a power loss leaves: a new disk with a chosen part of what was not synced. */
#include "sim/sim_disk.h"

const char *wr_sim_loss_name(enum wr_sim_loss loss)
{
    static const char *const names[WR_SIM_LOSSES] = {
        [WR_SIM_LOSS_NONE] = "none",       [WR_SIM_LOSS_PREFIX] = "prefix",
        [WR_SIM_LOSS_REORDER] = "reorder", [WR_SIM_LOSS_GARBAGE] = "garbage",
        [WR_SIM_LOSS_ALL] = "all",
    };
    return names[loss];
}

/* How much of a file or folder survives, in percent: all, nothing and little come as often as a half,
 * since a bug may need one sector to be missing, or one to be there. */
static uint64_t pick_percent(struct wr_rng *rng)
{
    static const uint64_t percents[] = {0, 10, 50, 90, 100};
    return percents[wr_rng_below(rng, sizeof(percents) / sizeof(percents[0]))];
}

static bool is_kept(struct wr_rng *rng, uint64_t percent)
{
    return wr_rng_below(rng, 100) < percent;
}

/* What another file of the disk has, at the same place within a page: what a freed block may still hold. */
static void stale_bytes(const struct sim_inode *file, struct wr_rng *rng, uint8_t *out, size_t len,
                        uint64_t at)
{
    const struct sim_inode *ring = &file->sim->ring;
    uint64_t steps = wr_rng_below(rng, 32);
    const struct sim_inode *other = file;
    for (uint64_t i = 0; i < steps; i++) {
        other = other->after == ring ? ring->after : other->after;
    }
    uint64_t pages = other->disk.size / SIM_PAGE_BYTES;
    uint64_t page = pages == 0 ? 0 : wr_rng_below(rng, pages);
    memset(out, 0, len);
    (void)sim_content_read(&other->disk, out, len, page * SIM_PAGE_BYTES + at % SIM_PAGE_BYTES);
}

static void put_garbage(struct sim_content *content, const struct sim_inode *file,
                        struct wr_rng *rng, size_t len, uint64_t at)
{
    uint8_t bytes[SIM_PAGE_BYTES];
    WR_ASSERT(len <= sizeof(bytes));
    switch (wr_rng_below(rng, 4)) {
    case 0: memset(bytes, 0, len); break;
    case 1: memset(bytes, 0xff, len); break;
    case 2: wr_rng_bytes(rng, bytes, len); break;
    default: stale_bytes(file, rng, bytes, len, at); break;
    }
    sim_content_write(content, bytes, len, at);
}

/* Keep some sectors of a write. A sector that lies only partly in the write is never spoiled beyond it:
 * vfs.h promises that what was synced stays. */
static void keep_sectors(struct sim_content *content, const struct sim_inode *file,
                         const struct sim_change *change, const struct sim_loss *how,
                         uint64_t percent)
{
    for (uint64_t done = 0; done < change->len;) {
        uint64_t at = change->at + done;
        uint64_t n = how->sector_bytes - at % how->sector_bytes;
        if (n > change->len - done) {
            n = change->len - done;
        }
        if (is_kept(how->rng, percent)) {
            sim_content_write(content, change->bytes + done, (size_t)n, at);
        } else if (how->loss == WR_SIM_LOSS_GARBAGE && is_kept(how->rng, 50)) {
            put_garbage(content, file, how->rng, (size_t)n, at);
        }
        done += n;
    }
}

static void lose_any(struct sim_content *content, const struct sim_inode *file,
                     const struct sim_loss *how)
{
    uint64_t percent = pick_percent(how->rng);
    uint64_t size = file->disk.size;
    bool is_size_kept = file->change_count > 0 && is_kept(how->rng, 50);
    size_t size_index = (size_t)wr_rng_below(how->rng, file->change_count + 1);
    for (size_t i = 0; i < file->change_count; i++) {
        const struct sim_change *change = &file->changes[i];
        if (change->kind == SIM_WRITTEN) {
            keep_sectors(content, file, change, how, percent);
        } else if (change->kind == SIM_RESIZED && is_kept(how->rng, percent)) {
            sim_content_resize(content, change->at);
        } else if (change->kind == SIM_RESERVED && is_kept(how->rng, percent)) {
            sim_content_reserve(content, change->at, change->len);
        }
        size = is_size_kept || i < size_index ? change->size_after : size;
    }
    sim_content_resize(content, size);
}

/* How much of the last write is there: half the time all, else up to some sector. */
static uint64_t torn_len(const struct sim_change *change, const struct sim_loss *how)
{
    if (wr_rng_below(how->rng, 2) == 0) {
        return change->len;
    }
    uint64_t end = change->at + wr_rng_below(how->rng, change->len + 1);
    end -= end % how->sector_bytes;
    return end < change->at ? 0 : end - change->at;
}

static void lose_after(struct sim_content *content, const struct sim_inode *file,
                       const struct sim_loss *how)
{
    for (size_t i = 0; i < file->change_count; i++) {
        const struct sim_change *change = &file->changes[i];
        if (change->serial > how->last_serial) {
            return;
        }
        uint64_t len = change->serial == how->last_serial ? torn_len(change, how) : change->len;
        if (change->kind == SIM_WRITTEN && len > 0) {
            sim_content_write(content, change->bytes, (size_t)len, change->at);
        } else if (change->kind == SIM_RESIZED) {
            sim_content_resize(content, change->at);
        } else if (change->kind == SIM_RESERVED) {
            sim_content_reserve(content, change->at, change->len);
        }
    }
}

struct sim_content sim_lose(const struct sim_inode *file, const struct sim_loss *how)
{
    if (how->loss == WR_SIM_LOSS_ALL) {
        return sim_content_copy(&file->cache);
    }
    struct sim_content content = sim_content_copy(&file->disk);
    if (how->loss == WR_SIM_LOSS_PREFIX) {
        lose_after(&content, file, how);
    } else if (how->loss != WR_SIM_LOSS_NONE) {
        lose_any(&content, file, how);
    }
    return content;
}

/* ---- names ---- */

static bool is_same_name(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Does it touch a name that an earlier, lost change touched? Then it cannot be there without that. */
static bool is_blocked(const struct sim_inode *folder, size_t index, const bool *is_lost)
{
    const struct sim_change *c = &folder->changes[index];
    for (size_t i = 0; i < index; i++) {
        const struct sim_change *e = &folder->changes[i];
        if (is_lost[i] && (is_same_name(e->name, c->name) || is_same_name(e->to, c->name) ||
                           is_same_name(e->name, c->to) || is_same_name(e->to, c->to))) {
            return true;
        }
    }
    return false;
}

static bool is_name_lost(const struct sim_inode *folder, size_t index, const struct sim_loss *how,
                         uint64_t percent)
{
    switch (how->loss) {
    case WR_SIM_LOSS_NONE: return true;
    case WR_SIM_LOSS_ALL: return false;
    case WR_SIM_LOSS_PREFIX: return folder->changes[index].serial > how->last_serial;
    case WR_SIM_LOSS_REORDER:
    case WR_SIM_LOSS_GARBAGE:
    case WR_SIM_LOSSES:
    default: return !is_kept(how->rng, percent);
    }
}

/* The names that survive, to inodes of the old disk. Owned by the caller: sim_names_fini(). */
static struct sim_names lose_names(const struct sim_inode *folder, const struct sim_loss *how)
{
    struct sim_names names = {0};
    for (size_t i = 0; i < folder->durable.count; i++) {
        sim_names_put(&names, wr_str_of(folder->durable.all[i].name), folder->durable.all[i].inode);
    }
    bool *is_lost = sim_alloc(folder->change_count + 1, sizeof(*is_lost));
    uint64_t percent = pick_percent(how->rng);
    for (size_t i = 0; i < folder->change_count; i++) {
        is_lost[i] = is_blocked(folder, i, is_lost) || is_name_lost(folder, i, how, percent);
        if (!is_lost[i]) {
            sim_apply_name(&names, &folder->changes[i]);
        }
    }
    wr_free(is_lost);
    return names;
}

/* ---- the image ---- */

/* The copy of an inode of the old disk, made when it is not there yet; filled when its turn comes. */
static struct sim_inode *twin_of(struct wr_vfs_sim *image, struct sim_inode *old)
{
    if (old->twin == NULL) {
        old->twin = sim_inode_new(image, old->is_dir);
        old->twin->twin = old;
        old->twin->is_seen = true;
    }
    return old->twin;
}

static void fill_twin(struct sim_inode *twin, const struct sim_loss *how)
{
    const struct sim_inode *old = twin->twin;
    if (!old->is_dir) {
        twin->disk = sim_lose(old, how);
        twin->cache = sim_content_copy(&twin->disk);
        return;
    }
    struct sim_names names = lose_names(old, how);
    for (size_t i = 0; i < names.count; i++) {
        bool is_new = names.all[i].inode->twin == NULL;
        struct sim_inode *child = twin_of(twin->sim, names.all[i].inode);
        sim_names_put(&twin->durable, wr_str_of(names.all[i].name), child);
        sim_names_put(&twin->cached, wr_str_of(names.all[i].name), child);
        if (is_new) {
            sim_inode_unref(child); /* the names hold it */
        }
    }
    sim_names_fini(&names);
}

static int compare_serials(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Some moment between the oldest change that is not durable and now. */
static uint64_t pick_moment(const struct wr_vfs_sim *sim, struct wr_rng *rng)
{
    size_t count = 0;
    for (const struct sim_inode *i = sim->ring.after; i != &sim->ring; i = i->after) {
        count += i->change_count;
    }
    uint64_t *serials = sim_alloc(count + 1, sizeof(*serials));
    size_t n = 1; /* serial 0: before all */
    for (const struct sim_inode *i = sim->ring.after; i != &sim->ring; i = i->after) {
        for (size_t j = 0; j < i->change_count; j++) {
            serials[n++] = i->changes[j].serial;
        }
    }
    qsort(serials, n, sizeof(*serials), compare_serials);
    uint64_t moment = serials[wr_rng_below(rng, n)];
    wr_free(serials);
    return moment;
}

struct wr_vfs_sim *wr_vfs_sim_power_loss(struct wr_vfs_sim *sim, enum wr_sim_loss loss,
                                         uint64_t seed)
{
    struct wr_vfs_sim *image = wr_vfs_sim_new();
    struct wr_rng rng = wr_rng_of(seed);
    pthread_mutex_lock(&sim->lock);
    struct sim_loss how = {
        .loss = loss,
        .sector_bytes = wr_rng_below(&rng, 2) == 0 ? 512 : 4096,
        .rng = &rng,
    };
    how.last_serial = pick_moment(sim, &rng);
    image->capacity_bytes = sim->capacity_bytes;
    image->root->twin = sim->root;
    sim->root->twin = image->root;
    /* Children come to the end of the ring, so this goes over the whole tree. */
    for (struct sim_inode *i = image->ring.after; i != &image->ring; i = i->after) {
        fill_twin(i, &how);
    }
    for (struct sim_inode *i = image->ring.after; i != &image->ring; i = i->after) {
        i->twin->twin = NULL;
        i->twin = NULL;
    }
    pthread_mutex_unlock(&sim->lock);
    return image;
}
