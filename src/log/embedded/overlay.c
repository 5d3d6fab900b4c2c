#include "log/embedded/overlay.h"

#include "log/embedded/overlay_content.h"

#include <stdio.h>

enum {
    NODES_MAX = 1 << 24,
    PATH_BYTES = 4096
};

/* What a path is on the surface. A file keeps living while it is open, also without its name. */
struct wr_overlay_node {
    char *path; /* NULL: it has lost its name */
    bool is_dir;
    bool is_gone; /* hides what is below */
    bool is_written;
    uint32_t refs;                     /* open handles */
    struct wr_overlay_content content; /* of a file */
};

struct handle {
    struct wr_file file; /* first */
    struct wr_overlay_node *node;
};

static struct wr_overlay *overlay_of(struct wr_vfs *vfs)
{
    return (struct wr_overlay *)vfs;
}

static struct wr_overlay_node *node_of(const struct wr_file *file)
{
    return ((const struct handle *)file)->node;
}

static int no_memory(const char *path, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOMEM, "overlay over '%s'", path);
}

/* ---- nodes ------------------------------------------------------------------------------------------ */

static void node_free(struct wr_overlay_node *node)
{
    wr_overlay_content_fini(&node->content);
    wr_free(node->path);
    wr_free(node);
}

/* The place of a path in the table, or where it would be. */
static size_t place_of(const struct wr_overlay *o, const char *path)
{
    size_t low = 0;
    size_t high = o->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(o->nodes[middle]->path, path) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct wr_overlay_node *find(const struct wr_overlay *o, const char *path)
{
    size_t at = place_of(o, path);
    bool is_here = at < o->count && strcmp(o->nodes[at]->path, path) == 0;
    return is_here ? o->nodes[at] : NULL;
}

static void take_out(struct wr_overlay *o, size_t at)
{
    o->count--;
    memmove(&o->nodes[at], &o->nodes[at + 1], (o->count - at) * sizeof(struct wr_overlay_node *));
}

/* The name is no longer this node's. It goes with its last handle. */
static void unname(struct wr_overlay *o, const char *path)
{
    size_t at = place_of(o, path);
    WR_ASSERT(at < o->count);
    struct wr_overlay_node *node = o->nodes[at];
    take_out(o, at);
    wr_free(node->path);
    node->path = NULL;
    if (node->refs == 0) {
        node_free(node);
    }
}

/* Put a node under a path that has none. Taken, also on failure. */
static int put(struct wr_overlay *o, struct wr_overlay_node *node, const char *path,
               struct weir_error *err)
{
    node->path = wr_strdup(wr_str_of(path));
    if (node->path == NULL ||
        !wr_grow(&o->nodes, &o->cap, o->count + 1, sizeof(struct wr_overlay_node *), NODES_MAX)) {
        node_free(node);
        return no_memory(path, err);
    }
    size_t at = place_of(o, path);
    memmove(&o->nodes[at + 1], &o->nodes[at], (o->count - at) * sizeof(struct wr_overlay_node *));
    o->nodes[at] = node;
    o->count++;
    return 0;
}

/* A new node under `path`, in place of the one that may be there. */
static int replace(struct wr_overlay *o, const char *path, const struct wr_overlay_node *like,
                   struct wr_overlay_node **out, struct weir_error *err)
{
    struct wr_overlay_node *node = wr_alloc_array(1, sizeof(*node));
    if (node == NULL) {
        return no_memory(path, err);
    }
    *node = *like;
    if (find(o, path) != NULL) {
        unname(o, path);
    }
    int rc = put(o, node, path, err);
    if (rc == 0 && out != NULL) {
        *out = node;
    }
    return rc;
}

/* ---- what is below ------------------------------------------------------------------------------------ */

static int stop_at_once(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(entry);
    WR_UNUSED(err);
    return 1;
}

static bool is_dir_below(const struct wr_overlay *o, const char *path)
{
    struct weir_error none;
    return wr_vfs_list(o->base, path, stop_at_once, NULL, &none) >= 0;
}

static int size_below(const struct wr_overlay *o, const char *path, uint64_t *out,
                      struct weir_error *err)
{
    struct wr_file *file = NULL;
    int rc = wr_file_open(o->base, path, WR_OPEN_READ, &file, err);
    if (rc < 0) {
        return rc;
    }
    int64_t size = wr_file_size(file, err);
    wr_file_close(file);
    *out = size < 0 ? 0 : (uint64_t)size;
    return size < 0 ? (int)size : 0;
}

/* A node for a file below that has none yet. WEIR_E_NOTFOUND when there is no such file. */
static int adopt(struct wr_overlay *o, const char *path, struct wr_overlay_node **out,
                 struct weir_error *err)
{
    struct wr_overlay_node node = {0};
    if (is_dir_below(o, path)) {
        return wr_fail(err, WEIR_E_IO, "open '%s': is a directory", path);
    }
    int rc = size_below(o, path, &node.content.size, err);
    if (rc < 0) {
        return rc;
    }
    node.content.real_bytes = node.content.size;
    node.content.real_path = wr_strdup(wr_str_of(path));
    if (node.content.real_path == NULL) {
        return no_memory(path, err);
    }
    return replace(o, path, &node, out, err);
}

/* The node of a file, made when it is below only; never NULL on success. WEIR_E_NOTFOUND. */
static int file_at(struct wr_overlay *o, const char *path, struct wr_overlay_node **out,
                   struct weir_error *err)
{
    struct wr_overlay_node *node = find(o, path);
    if (node == NULL) {
        return adopt(o, path, out, err);
    }
    if (node->is_gone) {
        return wr_fail(err, WEIR_E_NOTFOUND, "'%s'", path);
    }
    if (node->is_dir) {
        return wr_fail(err, WEIR_E_IO, "'%s' is a directory", path);
    }
    *out = node;
    return 0;
}

static bool is_dir(const struct wr_overlay *o, const char *path)
{
    const struct wr_overlay_node *node = find(o, path);
    return node != NULL ? node->is_dir && !node->is_gone : is_dir_below(o, path);
}

/* ---- files ---------------------------------------------------------------------------------------------- */

static int make_file(struct wr_overlay *o, const char *path, struct wr_overlay_node **out,
                     struct weir_error *err)
{
    char parent[PATH_BYTES];
    (void)snprintf(parent, sizeof(parent), "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash != NULL && slash != parent) {
        *slash = 0;
        if (!is_dir(o, parent)) {
            return wr_fail(err, WEIR_E_NOTFOUND, "'%s'", parent);
        }
    }
    return replace(o, path, &(struct wr_overlay_node){.is_written = true}, out, err);
}

static int find_or_make(struct wr_overlay *o, const char *path, unsigned flags,
                        struct wr_overlay_node **out, struct weir_error *err)
{
    int rc = file_at(o, path, out, err);
    if (rc == 0 && (flags & WR_OPEN_EXCLUSIVE) != 0) {
        return wr_fail(err, WEIR_E_EXISTS, "'%s'", path);
    }
    if (rc == WEIR_E_NOTFOUND && (flags & WR_OPEN_CREATE) != 0) {
        return make_file(o, path, out, err);
    }
    return rc;
}

static void cut(struct wr_overlay_node *node, uint64_t len)
{
    wr_overlay_content_cut(&node->content, len);
    node->is_written = true;
}

static int overlay_open(struct wr_vfs *vfs, const char *path, unsigned flags, struct wr_file **out,
                        struct weir_error *err)
{
    struct wr_overlay_node *node = NULL;
    int rc = find_or_make(overlay_of(vfs), path, flags, &node, err);
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(node != NULL);
    struct handle *handle = wr_alloc_array(1, sizeof(*handle));
    if (handle == NULL) {
        return no_memory(path, err);
    }
    if ((flags & WR_OPEN_TRUNCATE) != 0) {
        cut(node, 0);
    }
    *handle = (struct handle){.file = {vfs}, .node = node};
    node->refs++;
    *out = &handle->file;
    return 0;
}

static void overlay_close(struct wr_file *file)
{
    struct wr_overlay_node *node = node_of(file);
    node->refs--;
    if (node->refs == 0) {
        wr_overlay_content_rest(&node->content);
    }
    if (node->refs == 0 && node->path == NULL) {
        node_free(node);
    }
    wr_free(file);
}

static int64_t overlay_pread(struct wr_file *file, void *buf, size_t len, uint64_t at,
                             struct weir_error *err)
{
    return wr_overlay_content_read(&node_of(file)->content, overlay_of(file->vfs)->base, buf, len,
                                   at, err);
}

static int64_t overlay_pwritev(struct wr_file *file, const struct iovec *iov, int count,
                               uint64_t at, struct weir_error *err)
{
    struct wr_overlay_node *node = node_of(file);
    int64_t done = 0;
    node->is_written = true;
    for (int i = 0; i < count; i++) {
        int rc =
            wr_overlay_content_write(&node->content, overlay_of(file->vfs)->base, iov[i].iov_base,
                                     iov[i].iov_len, at + (uint64_t)done, err);
        if (rc < 0) {
            return rc;
        }
        done += (int64_t)iov[i].iov_len;
    }
    return done;
}

static int overlay_nothing(struct wr_file *file, struct weir_error *err)
{
    WR_UNUSED(file);
    WR_UNUSED(err);
    return 0;
}

static int overlay_truncate(struct wr_file *file, uint64_t len, struct weir_error *err)
{
    WR_UNUSED(err);
    cut(node_of(file), len);
    return 0;
}

static int overlay_reserve(struct wr_file *file, uint64_t at, uint64_t len, struct weir_error *err)
{
    WR_UNUSED(file);
    WR_UNUSED(at);
    WR_UNUSED(len);
    WR_UNUSED(err);
    return 0;
}

static int64_t overlay_size(struct wr_file *file, struct weir_error *err)
{
    WR_UNUSED(err);
    return (int64_t)node_of(file)->content.size;
}

static int overlay_fd(const struct wr_file *file)
{
    WR_UNUSED(file);
    return -1;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static int hide(struct wr_overlay *o, const char *path, bool was_dir, struct weir_error *err)
{
    return replace(o, path, &(struct wr_overlay_node){.is_gone = true, .is_dir = was_dir}, NULL,
                   err);
}

static int rename_file(struct wr_overlay *o, const char *from, const char *to,
                       struct weir_error *err)
{
    struct wr_overlay_node *node = NULL;
    int rc = file_at(o, from, &node, err);
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(node != NULL);
    if (find(o, to) != NULL) {
        unname(o, to);
    }
    take_out(o, place_of(o, from));
    wr_free(node->path);
    rc = put(o, node, to, err);
    return rc < 0 ? rc : hide(o, from, false, err);
}

static int overlay_mkdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_overlay *o = overlay_of(vfs);
    struct weir_error none;
    struct wr_overlay_node *node = NULL;
    if (is_dir(o, path) || file_at(o, path, &node, &none) == 0) {
        return wr_fail(err, WEIR_E_EXISTS, "'%s'", path);
    }
    return replace(o, path, &(struct wr_overlay_node){.is_dir = true}, NULL, err);
}

/* The entries of a folder, gathered so that they can be changed meanwhile. */
struct names {
    char **names;
    bool *is_dir;
    size_t count;
    size_t cap;
    size_t dir_cap;
};

static int gather(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct names *names = arg;
    char *name = wr_strdup(wr_str_of(entry->name));
    if (name == NULL ||
        !wr_grow(&names->names, &names->cap, names->count + 1, sizeof(char *), NODES_MAX) ||
        !wr_grow(&names->is_dir, &names->dir_cap, names->count + 1, sizeof(bool), NODES_MAX)) {
        wr_free(name);
        return no_memory(entry->name, err);
    }
    names->names[names->count] = name;
    names->is_dir[names->count] = entry->is_dir;
    names->count++;
    return 0;
}

static void names_fini(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        wr_free(names->names[i]);
    }
    wr_free(names->names);
    wr_free(names->is_dir);
}

/* Folders of logs hold no folders that are renamed with them: one level is enough. */
static int rename_dir(struct wr_overlay *o, const char *from, const char *to,
                      struct weir_error *err)
{
    WR_CLEANUP(names_fini) struct names names = {0};
    int rc = wr_vfs_list(&o->vfs, from, gather, &names, err);
    rc = rc == 0 ? overlay_mkdir(&o->vfs, to, err) : rc;
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        char a[PATH_BYTES];
        char b[PATH_BYTES];
        (void)snprintf(a, sizeof(a), "%s/%s", from, names.names[i]);
        (void)snprintf(b, sizeof(b), "%s/%s", to, names.names[i]);
        rc = names.is_dir[i] ? wr_fail(err, WEIR_E_UNSUPPORTED, "rename '%s' with what is in it", a)
                             : rename_file(o, a, b, err);
    }
    return rc < 0 ? rc : hide(o, from, true, err);
}

static int overlay_rename(struct wr_vfs *vfs, const char *from, const char *to,
                          struct weir_error *err)
{
    struct wr_overlay *o = overlay_of(vfs);
    return is_dir(o, from) ? rename_dir(o, from, to, err) : rename_file(o, from, to, err);
}

static int overlay_unlink(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_overlay_node *node = NULL;
    int rc = file_at(overlay_of(vfs), path, &node, err);
    return rc < 0 ? rc : hide(overlay_of(vfs), path, false, err);
}

static int overlay_rmdir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    struct wr_overlay *o = overlay_of(vfs);
    if (!is_dir(o, path)) {
        return wr_fail(err, WEIR_E_NOTFOUND, "'%s'", path);
    }
    int rc = wr_vfs_list(vfs, path, stop_at_once, NULL, err);
    if (rc != 0) {
        return rc < 0 ? rc : wr_fail(err, WEIR_E_IO, "remove '%s': it is not empty", path);
    }
    return hide(o, path, true, err);
}

/* What is below and not hidden or known above. */
struct below {
    struct wr_overlay *o;
    const char *dir;
    struct names *names;
};

static int gather_below(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    const struct below *below = arg;
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof(path), "%s/%s", below->dir, entry->name);
    return find(below->o, path) == NULL ? gather(below->names, entry, err) : 0;
}

static int gather_above(struct wr_overlay *o, const char *dir, struct names *names,
                        struct weir_error *err)
{
    size_t len = strlen(dir);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < o->count; i++) {
        const struct wr_overlay_node *node = o->nodes[i];
        bool is_inside = strncmp(node->path, dir, len) == 0 && node->path[len] == '/' &&
                         strchr(node->path + len + 1, '/') == NULL;
        if (is_inside && !node->is_gone) {
            struct wr_dir_entry entry = {node->path + len + 1, node->is_dir};
            rc = gather(names, &entry, err);
        }
    }
    return rc;
}

/* Gathered first: `each` may change what is listed. */
static int overlay_list(struct wr_vfs *vfs, const char *path,
                        int (*each)(void *arg, const struct wr_dir_entry *entry,
                                    struct weir_error *err),
                        void *arg, struct weir_error *err)
{
    struct wr_overlay *o = overlay_of(vfs);
    if (!is_dir(o, path)) {
        return wr_fail(err, WEIR_E_NOTFOUND, "'%s'", path);
    }
    WR_CLEANUP(names_fini) struct names names = {0};
    struct below below = {o, path, &names};
    int rc = gather_above(o, path, &names, err);
    if (rc == 0 && is_dir_below(o, path)) {
        rc = wr_vfs_list(o->base, path, gather_below, &below, err);
    }
    for (size_t i = 0; rc == 0 && i < names.count; i++) {
        struct wr_dir_entry entry = {names.names[i], names.is_dir[i]};
        rc = each(arg, &entry, err);
    }
    return rc;
}

static void overlay_advise(struct wr_file *file, enum wr_advice advice, uint64_t at, uint64_t len)
{
    WR_UNUSED(file);
    WR_UNUSED(advice);
    WR_UNUSED(at);
    WR_UNUSED(len);
}

static int overlay_sync_dir(struct wr_vfs *vfs, const char *path, struct weir_error *err)
{
    return is_dir(overlay_of(vfs), path) ? 0 : wr_fail(err, WEIR_E_NOTFOUND, "'%s'", path);
}

static int overlay_room(struct wr_vfs *vfs, const char *path, struct wr_disk_room *out,
                        struct weir_error *err)
{
    WR_UNUSED(vfs);
    WR_UNUSED(path);
    WR_UNUSED(err);
    *out = (struct wr_disk_room){UINT64_MAX / 2, UINT64_MAX / 2};
    return 0;
}

/* ---- all ------------------------------------------------------------------------------------------------- */

struct wr_overlay wr_overlay_of(struct wr_vfs *base)
{
    static const struct wr_vfs_ops ops = {
        .open = overlay_open,
        .close = overlay_close,
        .pread = overlay_pread,
        .pwritev = overlay_pwritev,
        .sync = overlay_nothing,
        .truncate = overlay_truncate,
        .reserve = overlay_reserve,
        .advise = overlay_advise,
        .size = overlay_size,
        .lock = overlay_nothing,
        .fd = overlay_fd,
        .rename = overlay_rename,
        .unlink = overlay_unlink,
        .mkdir = overlay_mkdir,
        .rmdir = overlay_rmdir,
        .list = overlay_list,
        .sync_dir = overlay_sync_dir,
        .room = overlay_room,
    };
    return (struct wr_overlay){.vfs = {&ops}, .base = base};
}

void wr_overlay_fini(struct wr_overlay *overlay)
{
    for (size_t i = 0; i < overlay->count; i++) {
        WR_ASSERT(overlay->nodes[i]->refs == 0);
        node_free(overlay->nodes[i]);
    }
    wr_free(overlay->nodes);
    overlay->nodes = NULL;
    overlay->count = 0;
    overlay->cap = 0;
}

static int change_of(struct wr_overlay *o, const struct wr_overlay_node *node,
                     struct wr_overlay_change *out, struct weir_error *err)
{
    *out = (struct wr_overlay_change){.path = node->path,
                                      .is_dir = node->is_dir,
                                      .is_there = !node->is_gone,
                                      .is_written = node->is_written,
                                      .size_after = node->content.size,
                                      .kept_bytes = node->content.real_bytes};
    if (node->is_dir) {
        out->was_there = is_dir_below(o, node->path);
        return 0;
    }
    int rc = size_below(o, node->path, &out->size_before, err);
    out->was_there = rc == 0;
    return rc == WEIR_E_NOTFOUND ? 0 : rc;
}

static bool is_change(const struct wr_overlay_node *node, const struct wr_overlay_change *change)
{
    bool is_moved =
        node->content.real_path != NULL && strcmp(node->content.real_path, node->path) != 0;
    return (change->was_there || change->is_there) &&
           (change->is_written || is_moved || change->was_there != change->is_there);
}

int wr_overlay_each(struct wr_overlay *overlay,
                    int (*each)(void *arg, const struct wr_overlay_change *change,
                                struct weir_error *err),
                    void *arg, struct weir_error *err)
{
    for (size_t i = 0; i < overlay->count; i++) {
        struct wr_overlay_change change;
        int rc = change_of(overlay, overlay->nodes[i], &change, err);
        if (rc == 0 && is_change(overlay->nodes[i], &change)) {
            rc = each(arg, &change, err);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
