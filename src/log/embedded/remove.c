/* remove.c - renames away, waits, removes; and sweeps after an unclean stop. */
#include "log/embedded/remove.h"

#include "log/embedded/catalog.h"
#include "log/embedded/engine.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    NAME_MAX_BYTES = 255, /* of most file systems */
    NAMES_MAX = 1 << 22
};

/* ---- names of a folder ---- */

struct names {
    char **list;
    size_t count;
    size_t cap;
    bool wants_folders;
};

static int add_name(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct names *names = arg;
    if (entry->is_dir != names->wants_folders) {
        return 0;
    }
    char *copy = wr_strdup(wr_str_of(entry->name));
    if (copy == NULL ||
        !wr_grow(&names->list, &names->cap, names->count + 1, sizeof(char *), NAMES_MAX)) {
        wr_free(copy);
        return wr_fail(err, WEIR_E_NOMEM, "the names in a folder");
    }
    names->list[names->count] = copy;
    names->count++;
    return 0;
}

static void free_names(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) {
        wr_free(names->list[i]);
    }
    wr_free(names->list);
}

static bool has_suffix(const char *name, const char *suffix)
{
    size_t len = strlen(name);
    size_t n = strlen(suffix);
    return len > n && strcmp(name + len - n, suffix) == 0;
}

/* ---- now ---- */

static int empty_folder(struct wr_embedded *e, const char *folder, struct weir_error *err)
{
    struct names names = {0};
    int rc = wr_vfs_list(e->vfs, folder, add_name, &names, err);
    for (size_t i = 0; i < names.count && rc == 0; i++) {
        char path[WR_PATH_BYTES];
        int n = snprintf(path, sizeof(path), "%s/%s", folder, names.list[i]);
        WR_ASSERT(n > 0 && n < (int)sizeof(path));
        rc = wr_vfs_unlink(e->vfs, path, err);
    }
    free_names(&names);
    return rc == 0 ? wr_vfs_rmdir(e->vfs, folder, err) : rc;
}

static void tell_left(struct wr_embedded *e, int rc, const struct weir_error *err)
{
    if (rc < 0 && rc != WEIR_E_NOTFOUND) {
        wr_embedded_notice(e, WR_WARN, "left behind: %s", err->text);
    }
}

static void remove_path(struct wr_embedded *e, const char *path, bool is_folder)
{
    struct weir_error err;
    int rc = is_folder ? empty_folder(e, path, &err) : wr_vfs_unlink(e->vfs, path, &err);
    tell_left(e, rc, &err);
    if (is_folder) { /* it is to stay away: the next checkpoint, also that of a clean stop, syncs this */
        pthread_mutex_lock(&e->lock);
        e->is_root_new = true;
        pthread_mutex_unlock(&e->lock);
    }
}

void wr_remove_folder(struct wr_embedded *e, const char *topic, uint32_t partition)
{
    char folder[WR_PATH_BYTES];
    wr_path_folder(e, topic, partition, folder);
    remove_path(e, folder, true);
}

/* ---- later ---- */

static void enqueue(struct wr_embedded *e, const char *path, bool is_folder, int64_t delay_ms)
{
    size_t len = strlen(path);
    struct wr_removal *removal = wr_alloc_array(1, sizeof(*removal) + len + 1);
    if (removal == NULL) {
        return; /* the next unclean start sweeps it */
    }
    memcpy(removal->path, path, len);
    removal->is_folder = is_folder;
    int64_t now_ms = wr_mono_ms(e->clock);
    removal->due_ms = delay_ms > INT64_MAX - now_ms ? INT64_MAX : now_ms + delay_ms;
    pthread_mutex_lock(&e->lock);
    removal->next = e->removals;
    e->removals = removal;
    pthread_cond_signal(&e->keep_work);
    pthread_mutex_unlock(&e->lock);
}

static void rename_away(struct wr_embedded *e, const char *from, const char *to, bool is_folder,
                        int64_t delay_ms)
{
    struct weir_error err;
    int rc = wr_vfs_rename(e->vfs, from, to, &err);
    if (rc == 0) {
        enqueue(e, to, is_folder, delay_ms);
    }
    tell_left(e, rc, &err);
}

/* NAME-PARTITION.<32 hex of the id>-delete, the name cut so that all fits. */
static void deleted_name(const struct wr_topic_state *topic, uint32_t partition, char *out)
{
    char id[2 * sizeof(topic->topic.id.bytes) + 1];
    for (size_t i = 0; i < sizeof(topic->topic.id.bytes); i++) {
        (void)snprintf(id + 2 * i, 3, "%02x", topic->topic.id.bytes[i]);
    }
    char tail[64];
    int n = snprintf(tail, sizeof(tail), "-%u.%s-delete", partition, id);
    int room = NAME_MAX_BYTES - n;
    (void)snprintf(out, NAME_MAX_BYTES + 1, "%.*s%s", room, topic->topic.name, tail);
}

/* Does the folder of that name belong to this topic? A replay comes to the deletion of a topic when the next
 * one of its name may have the folder already, with large commits in it that stand nowhere else. */
static bool is_own_folder(struct wr_embedded *e, const struct wr_topic_state *topic,
                          const char *folder)
{
    struct weir_error none;
    struct wr_topic_id id;
    return wr_folder_id(e, folder, &id, &none) == 0 &&
           memcmp(id.bytes, topic->topic.id.bytes, sizeof(id.bytes)) == 0;
}

void wr_remove_topic(struct wr_embedded *e, const struct wr_topic_state *topic)
{
    pthread_mutex_lock(&e->keep_lock); /* no checkpoint is busy in these folders */
    for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
        char from[WR_PATH_BYTES];
        char to[WR_PATH_BYTES];
        char name[NAME_MAX_BYTES + 1];
        wr_path_folder(e, topic->topic.name, i, from);
        deleted_name(topic, i, name);
        wr_path_root(e, name, to);
        if (is_own_folder(e, topic, from + strlen(e->dir) + 1)) {
            rename_away(e, from, to, true, topic->config.file_delete_delay_ms);
        }
    }
    pthread_mutex_lock(&e->lock);
    e->is_root_new = true;
    pthread_mutex_unlock(&e->lock);
    pthread_mutex_unlock(&e->keep_lock);
}

void wr_remove_segment(struct wr_embedded *e, const struct wr_partition *p, int64_t base)
{
    static const char *const suffixes[] = {"log", "index", "timeindex", "txnindex"};
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        char from[WR_PATH_BYTES];
        char to[WR_PATH_BYTES];
        char suffix[32];
        wr_path_segment(e, p, base, suffixes[i], from);
        (void)snprintf(suffix, sizeof(suffix), "%s.deleted", suffixes[i]);
        wr_path_segment(e, p, base, suffix, to);
        rename_away(e, from, to, false, p->topic->config.file_delete_delay_ms);
    }
}

void wr_remove_due(struct wr_embedded *e, bool is_all)
{
    struct wr_removal *due = NULL;
    int64_t now_ms = wr_mono_ms(e->clock);
    pthread_mutex_lock(&e->lock);
    struct wr_removal **at = &e->removals;
    while (*at != NULL) {
        struct wr_removal *removal = *at;
        if (!is_all && removal->due_ms > now_ms) {
            at = &removal->next;
            continue;
        }
        *at = removal->next;
        removal->next = due;
        due = removal;
    }
    pthread_mutex_unlock(&e->lock);
    while (due != NULL) {
        struct wr_removal *next = due->next;
        remove_path(e, due->path, due->is_folder);
        wr_free(due);
        due = next;
    }
}

int64_t wr_remove_due_ms(const struct wr_embedded *e)
{
    int64_t due = INT64_MAX;
    for (const struct wr_removal *r = e->removals; r != NULL; r = r->next) {
        due = r->due_ms < due ? r->due_ms : due;
    }
    return due;
}

void wr_remove_close(struct wr_embedded *e)
{
    while (e->removals != NULL) {
        struct wr_removal *next = e->removals->next;
        wr_free(e->removals);
        e->removals = next;
    }
}

/* ---- sweeping ---- */

bool wr_folder_split(const char *name, struct wr_str *topic, uint32_t *partition)
{
    const char *dash = strrchr(name, '-');
    if (dash == NULL || dash == name || dash[1] == '\0' || strlen(dash + 1) > 6) {
        return false;
    }
    *partition = 0;
    for (const char *p = dash + 1; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return false;
        }
        *partition = *partition * 10 + (uint32_t)(*p - '0');
    }
    *topic = (struct wr_str){name, (size_t)(dash - name)};
    return true;
}

struct probe {
    struct wr_embedded *e;
    const char *folder;
    bool has_records;
};

static int probe_file(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    struct probe *probe = arg;
    if (entry->is_dir || !has_suffix(entry->name, ".log")) {
        return 0;
    }
    char path[WR_PATH_BYTES];
    int n = snprintf(path, sizeof(path), "%s/%s", probe->folder, entry->name);
    WR_ASSERT(n > 0 && n < (int)sizeof(path));
    struct wr_file *file = NULL;
    int rc = wr_file_open(probe->e->vfs, path, WR_OPEN_READ, &file, err);
    int64_t size = rc == 0 ? wr_file_size(file, err) : rc;
    wr_file_close(file);
    probe->has_records = probe->has_records || size > 0;
    return size < 0 ? (int)size : 0;
}

int wr_folder_id(struct wr_embedded *e, const char *folder, struct wr_topic_id *out,
                 struct weir_error *err)
{
    enum {
        METADATA_MAX = 4096
    };
    char path[WR_PATH_BYTES];
    struct wr_bytes text;
    int n = snprintf(path, sizeof(path), "%s/%s/partition.metadata", e->dir, folder);
    WR_ASSERT(n > 0 && n < (int)sizeof(path));
    int rc = wr_vfs_read_file(e->vfs, path, METADATA_MAX, &text, err);
    if (rc < 0) {
        return rc;
    }
    bool is_good = wr_metadata_read(wr_str_of_bytes(text), out);
    wr_free((void *)(uintptr_t)text.ptr);
    return is_good ? 0 : wr_fail(err, WEIR_E_CORRUPT, "'%s' names no topic", path);
}

int wr_folder_names(struct wr_embedded *e, char ***out, size_t *count, struct weir_error *err)
{
    struct names names = {.wants_folders = true};
    int rc = wr_vfs_list(e->vfs, e->dir, add_name, &names, err);
    if (rc < 0) {
        free_names(&names);
        return rc;
    }
    *out = names.list;
    *count = names.count;
    return 0;
}

struct sweep {
    const struct wr_topic_id *deleted;
    size_t deleted_count;
    uint32_t *removed;
};

static bool was_deleted(struct wr_embedded *e, const struct sweep *sweep, const char *folder)
{
    struct wr_topic_id id;
    struct weir_error none;
    if (wr_folder_id(e, folder, &id, &none) < 0) {
        return false;
    }
    for (size_t i = 0; i < sweep->deleted_count; i++) {
        if (memcmp(sweep->deleted[i].bytes, id.bytes, sizeof(id.bytes)) == 0) {
            return true;
        }
    }
    return false;
}

/* Is it a partition's folder that no topic has? Then its topic was deleted, or never came to be. */
static int sweep_orphan(struct wr_embedded *e, const struct sweep *sweep, const char *name,
                        struct weir_error *err)
{
    struct wr_str topic;
    uint32_t partition = 0;
    if (!wr_folder_split(name, &topic, &partition)) {
        return 0;
    }
    const struct wr_topic_state *known = wr_topics_by_name(e, topic);
    if (known != NULL && partition < known->topic.partition_count) {
        return 0;
    }
    char folder[WR_PATH_BYTES];
    wr_path_root(e, name, folder);
    struct probe probe = {e, folder, false};
    bool may_go = was_deleted(e, sweep, name);
    int rc = may_go ? 0 : wr_vfs_list(e->vfs, folder, probe_file, &probe, err);
    if (rc < 0) {
        return rc;
    }
    if (probe.has_records) {
        wr_embedded_notice(e, WR_WARN, "'%s' holds records of no topic that is known; left alone",
                           folder);
        return 0;
    }
    remove_path(e, folder, true);
    (*sweep->removed)++;
    return 0;
}

int wr_sweep_root(struct wr_embedded *e, const struct wr_topic_id *deleted, size_t deleted_count,
                  uint32_t *removed, struct weir_error *err)
{
    struct sweep sweep = {deleted, deleted_count, removed};
    struct names names = {.wants_folders = true};
    int rc = wr_vfs_list(e->vfs, e->dir, add_name, &names, err);
    for (size_t i = 0; i < names.count && rc == 0; i++) {
        char path[WR_PATH_BYTES];
        wr_path_root(e, names.list[i], path);
        if (has_suffix(names.list[i], "-delete")) {
            remove_path(e, path, true);
            (*removed)++;
        } else {
            rc = sweep_orphan(e, &sweep, names.list[i], err);
        }
    }
    free_names(&names);
    return rc;
}

/* L. */
static bool is_known(const struct wr_partition *p, int64_t base)
{
    bool is_found = p->coming != NULL && p->coming->info.base == base;
    for (size_t i = 0; i < p->segment_count && !is_found; i++) {
        is_found = p->segments[i]->info.base == base;
    }
    return is_found;
}

/* Looked at and removed under one hold of L: a round may make a file of this name at any moment. */
static void sweep_file(struct wr_embedded *e, const struct wr_partition *p, const char *name)
{
    struct weir_error err;
    char path[WR_PATH_BYTES];
    wr_path_in(e, p, name, path);
    int64_t base = wr_segment_base_of(name, NULL);
    bool is_left = has_suffix(name, ".deleted") || has_suffix(name, ".tmp");
    pthread_mutex_lock(&e->lock);
    is_left = is_left || (base >= 0 && !is_known(p, base));
    int rc = is_left ? wr_vfs_unlink(e->vfs, path, &err) : 0;
    pthread_mutex_unlock(&e->lock);
    tell_left(e, rc, &err);
}

void wr_sweep_partition(struct wr_embedded *e, struct wr_partition *p)
{
    struct names names = {0};
    struct weir_error err;
    char folder[WR_PATH_BYTES];
    wr_path_folder(e, p->topic->topic.name, p->number, folder);
    int rc = wr_vfs_list(e->vfs, folder, add_name, &names, &err);
    for (size_t i = 0; i < names.count && rc == 0; i++) {
        sweep_file(e, p, names.list[i]);
    }
    free_names(&names);
}
