/* sim_disk.c - pages, contents, names and the changes between what is seen and what is durable. */
#include "sim/sim_disk.h"

void *sim_alloc(size_t count, size_t size)
{
    void *memory = wr_alloc_array(count, size);
    WR_ASSERT(memory != NULL);
    return memory;
}

/* ---- pages and contents ---- */

static void page_unref(struct sim_page *page)
{
    if (page != NULL && atomic_fetch_sub(&page->refs, 1) == 1) {
        wr_free(page);
    }
}

/* The page of a slot, for writing: made when it is a hole, copied when others have it too. */
static uint8_t *own_page(struct sim_slot *slot)
{
    if (slot->page == NULL || atomic_load(&slot->page->refs) > 1) {
        struct sim_page *page = sim_alloc(1, sizeof(*page));
        atomic_store(&page->refs, 1);
        if (slot->page != NULL) {
            memcpy(page->bytes, slot->page->bytes, SIM_PAGE_BYTES);
            page_unref(slot->page);
        }
        slot->page = page;
    }
    return slot->page->bytes;
}

static size_t pages_of(uint64_t bytes)
{
    return (size_t)((bytes + SIM_PAGE_BYTES - 1) / SIM_PAGE_BYTES);
}

static void hold_slots(struct sim_content *content, size_t count)
{
    if (count <= content->count) {
        return;
    }
    bool is_enough =
        wr_grow(&content->slots, &content->cap, count, sizeof(*content->slots), SIZE_MAX / 64);
    WR_ASSERT(is_enough);
    content->count = count;
}

static void take_slot(struct sim_content *content, struct sim_slot *slot)
{
    content->taken += slot->is_taken ? 0 : 1;
    slot->is_taken = true;
}

size_t sim_content_read(const struct sim_content *content, void *buf, size_t len, uint64_t at)
{
    if (at >= content->size) {
        return 0;
    }
    if (len > content->size - at) {
        len = (size_t)(content->size - at);
    }
    for (size_t done = 0; done < len;) {
        size_t index = (size_t)((at + done) / SIM_PAGE_BYTES);
        size_t from = (size_t)((at + done) % SIM_PAGE_BYTES);
        size_t n = SIM_PAGE_BYTES - from < len - done ? SIM_PAGE_BYTES - from : len - done;
        const struct sim_page *page = index < content->count ? content->slots[index].page : NULL;
        if (page == NULL) {
            memset((uint8_t *)buf + done, 0, n);
        } else {
            memcpy((uint8_t *)buf + done, page->bytes + from, n);
        }
        done += n;
    }
    return len;
}

void sim_content_write(struct sim_content *content, const void *bytes, size_t len, uint64_t at)
{
    hold_slots(content, pages_of(at + len));
    for (size_t done = 0; done < len;) {
        struct sim_slot *slot = &content->slots[(at + done) / SIM_PAGE_BYTES];
        size_t from = (size_t)((at + done) % SIM_PAGE_BYTES);
        size_t n = SIM_PAGE_BYTES - from < len - done ? SIM_PAGE_BYTES - from : len - done;
        memcpy(own_page(slot) + from, (const uint8_t *)bytes + done, n);
        take_slot(content, slot);
        done += n;
    }
    if (at + len > content->size) {
        content->size = at + len;
    }
}

void sim_content_resize(struct sim_content *content, uint64_t size)
{
    size_t kept = pages_of(size);
    for (size_t i = kept; i < content->count; i++) {
        page_unref(content->slots[i].page);
        content->taken -= content->slots[i].is_taken ? 1 : 0;
        content->slots[i] = (struct sim_slot){NULL, false};
    }
    if (content->count > kept) {
        content->count = kept;
    }
    size_t tail = (size_t)(size % SIM_PAGE_BYTES);
    if (size < content->size && tail > 0 && kept <= content->count &&
        content->slots[kept - 1].page != NULL) {
        memset(own_page(&content->slots[kept - 1]) + tail, 0, SIM_PAGE_BYTES - tail);
    }
    content->size = size;
}

void sim_content_reserve(struct sim_content *content, uint64_t at, uint64_t len)
{
    hold_slots(content, pages_of(at + len));
    for (size_t i = (size_t)(at / SIM_PAGE_BYTES); i < pages_of(at + len); i++) {
        take_slot(content, &content->slots[i]);
    }
}

uint64_t sim_content_missing(const struct sim_content *content, uint64_t at, uint64_t len)
{
    uint64_t missing = 0;
    for (size_t i = (size_t)(at / SIM_PAGE_BYTES); i < pages_of(at + len); i++) {
        missing += i < content->count && content->slots[i].is_taken ? 0 : 1;
    }
    return missing;
}

struct sim_content sim_content_copy(const struct sim_content *content)
{
    struct sim_content copy = *content;
    copy.cap = content->count;
    copy.slots = content->count == 0 ? NULL : sim_alloc(content->count, sizeof(*copy.slots));
    for (size_t i = 0; i < content->count; i++) {
        copy.slots[i] = content->slots[i];
        if (copy.slots[i].page != NULL) {
            atomic_fetch_add(&copy.slots[i].page->refs, 1);
        }
    }
    return copy;
}

void sim_content_fini(struct sim_content *content)
{
    sim_content_resize(content, 0);
    wr_free(content->slots);
    *content = (struct sim_content){0};
}

/* ---- names ---- */

static size_t name_index(const struct sim_names *names, struct wr_str name)
{
    size_t i = 0;
    while (i < names->count && !wr_str_eq(wr_str_of(names->all[i].name), name)) {
        i++;
    }
    return i;
}

struct sim_inode *sim_names_get(const struct sim_names *names, struct wr_str name)
{
    size_t i = name_index(names, name);
    return i < names->count ? names->all[i].inode : NULL;
}

void sim_names_put(struct sim_names *names, struct wr_str name, struct sim_inode *inode)
{
    inode->refs++;
    size_t i = name_index(names, name);
    if (i < names->count) {
        sim_inode_unref(names->all[i].inode);
        names->all[i].inode = inode;
        return;
    }
    bool is_enough =
        wr_grow(&names->all, &names->cap, names->count + 1, sizeof(*names->all), SIZE_MAX / 64);
    WR_ASSERT(is_enough);
    char *copy = wr_strdup(name);
    WR_ASSERT(copy != NULL);
    names->all[names->count++] = (struct sim_name){copy, inode};
}

void sim_names_remove(struct sim_names *names, struct wr_str name)
{
    size_t i = name_index(names, name);
    if (i == names->count) {
        return; /* a loss may keep the removal of a name whose making it lost */
    }
    wr_free(names->all[i].name);
    sim_inode_unref(names->all[i].inode);
    names->all[i] = names->all[--names->count];
}

void sim_names_fini(struct sim_names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        wr_free(names->all[i].name);
        sim_inode_unref(names->all[i].inode);
    }
    wr_free(names->all);
    *names = (struct sim_names){0};
}

/* ---- inodes and their changes ---- */

struct sim_inode *sim_inode_new(struct wr_vfs_sim *sim, bool is_dir)
{
    struct sim_inode *inode = sim_alloc(1, sizeof(*inode));
    inode->sim = sim;
    inode->refs = 1;
    inode->is_dir = is_dir;
    inode->after = &sim->ring;
    inode->before = sim->ring.before;
    inode->before->after = inode;
    sim->ring.before = inode;
    return inode;
}

void sim_inode_unref(struct sim_inode *inode)
{
    WR_ASSERT(inode->refs > 0);
    if (--inode->refs > 0) {
        return;
    }
    inode->before->after = inode->after;
    inode->after->before = inode->before;
    inode->after = inode->sim->dead;
    inode->sim->dead = inode;
}

void sim_sweep(struct wr_vfs_sim *sim)
{
    while (sim->dead != NULL) {
        struct sim_inode *inode = sim->dead;
        sim->dead = inode->after;
        sim_forget_changes(inode);
        wr_free(inode->changes);
        sim_content_fini(&inode->cache);
        sim_content_fini(&inode->disk);
        sim_names_fini(&inode->cached);
        sim_names_fini(&inode->durable);
        wr_free(inode);
    }
}

struct sim_change *sim_change_add(struct sim_inode *inode, enum sim_change_kind kind)
{
    bool is_enough = wr_grow(&inode->changes, &inode->change_cap, inode->change_count + 1,
                             sizeof(*inode->changes), SIZE_MAX / 1024);
    WR_ASSERT(is_enough);
    struct sim_change *change = &inode->changes[inode->change_count++];
    *change = (struct sim_change){.kind = kind, .serial = ++inode->sim->serial};
    return change;
}

void sim_forget_changes(struct sim_inode *inode)
{
    for (size_t i = 0; i < inode->change_count; i++) {
        struct sim_change *change = &inode->changes[i];
        wr_free(change->bytes);
        wr_free(change->name);
        wr_free(change->to);
        if (change->inode != NULL) {
            sim_inode_unref(change->inode);
        }
    }
    inode->change_count = 0;
}

void sim_apply_name(struct sim_names *names, const struct sim_change *change)
{
    if (change->kind == SIM_LINKED) {
        sim_names_put(names, wr_str_of(change->name), change->inode);
        return;
    }
    sim_names_remove(names, wr_str_of(change->name));
    if (change->kind == SIM_RENAMED) {
        sim_names_put(names, wr_str_of(change->to), change->inode);
    }
}

static void apply_content(struct sim_content *content, const struct sim_change *change)
{
    if (change->kind == SIM_WRITTEN) {
        sim_content_write(content, change->bytes, (size_t)change->len, change->at);
    } else if (change->kind == SIM_RESIZED) {
        sim_content_resize(content, change->at);
    } else {
        sim_content_reserve(content, change->at, change->len);
    }
}

void sim_apply_contents(struct sim_content *content, const struct sim_inode *file)
{
    for (size_t i = 0; i < file->change_count; i++) {
        apply_content(content, &file->changes[i]);
    }
}

void sim_make_durable(struct sim_inode *inode)
{
    if (!inode->is_dir) {
        sim_apply_contents(&inode->disk, inode);
    }
    for (size_t i = 0; i < inode->change_count && inode->is_dir; i++) {
        sim_apply_name(&inode->durable, &inode->changes[i]);
    }
    sim_forget_changes(inode);
}

/* ---- paths ---- */

/* The next part of a path, without slashes and "."; empty at the end. */
static struct wr_str next_part(const char **path)
{
    for (;;) {
        *path += strspn(*path, "/");
        struct wr_str part = {*path, strcspn(*path, "/")};
        *path += part.len;
        if (!wr_str_eq(part, WR_STR("."))) {
            WR_ASSERT(!wr_str_eq(part, WR_STR("..")));
            return part;
        }
    }
}

struct sim_inode *sim_find_parent(struct wr_vfs_sim *sim, const char *path, struct wr_str *last)
{
    struct sim_inode *folder = sim->root;
    struct wr_str part = next_part(&path);
    for (;;) {
        struct wr_str next = next_part(&path);
        if (next.len == 0) {
            *last = part;
            return folder->is_dir ? folder : NULL;
        }
        folder = folder->is_dir ? sim_names_get(&folder->cached, part) : NULL;
        if (folder == NULL) {
            return NULL;
        }
        part = next;
    }
}

struct sim_inode *sim_find(struct wr_vfs_sim *sim, const char *path)
{
    struct wr_str last;
    struct sim_inode *folder = sim_find_parent(sim, path, &last);
    if (folder == NULL || last.len == 0) {
        return folder;
    }
    return sim_names_get(&folder->cached, last);
}
