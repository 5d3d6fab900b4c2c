/* topics.c - topics in memory and their folders. */
#include "log/embedded/topics.h"

#include "log/embedded/catalog.h"
#include "log/embedded/commit.h"
#include "log/embedded/engine.h"
#include "log/embedded/list.h"
#include "log/embedded/partition.h"
#include "log/embedded/remove.h"
#include "log/embedded/segment.h"

enum {
    TOPICS_MAX = 1 << 20
};

/* ---- memory ---- */

static void free_topic(struct wr_topic_state *topic)
{
    struct wr_embedded *e = wr_embedded_of(topic->topic.log);
    if (topic->partitions != NULL) {
        pthread_mutex_lock(&e->lock);
        for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
            wr_partition_fini(e, &topic->partitions[i]);
        }
        pthread_mutex_unlock(&e->lock);
    }
    for (size_t i = 0; i < topic->setting_count; i++) {
        wr_free((void *)(uintptr_t)topic->settings[i].key);
        wr_free((void *)(uintptr_t)topic->settings[i].value);
    }
    wr_free(topic->settings);
    wr_free(topic->partitions);
    wr_free((void *)(uintptr_t)topic->topic.name);
    wr_free(topic);
}

void wr_topic_state_ref(struct wr_topic_state *topic)
{
    __atomic_add_fetch(&topic->refs, 1, __ATOMIC_RELAXED);
}

bool wr_topic_state_try_ref(struct wr_topic_state *topic)
{
    uint32_t refs = __atomic_load_n(&topic->refs, __ATOMIC_RELAXED);
    while (refs > 0 && !__atomic_compare_exchange_n(&topic->refs, &refs, refs + 1, true,
                                                    __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    }
    return refs > 0;
}

void wr_topic_state_unref(struct wr_topic_state *topic)
{
    if (__atomic_sub_fetch(&topic->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        free_topic(topic);
    }
}

static int copy_settings(struct wr_topic_state *topic, const struct wr_topic_description *d,
                         struct weir_error *err)
{
    topic->settings = wr_alloc_array(d->setting_count + 1, sizeof(topic->settings[0]));
    bool is_good = topic->settings != NULL;
    for (size_t i = 0; i < d->setting_count && is_good; i++) {
        topic->settings[i].key = wr_strdup(wr_str_of(d->settings[i].key));
        topic->settings[i].value = wr_strdup(wr_str_of(d->settings[i].value));
        topic->setting_count++;
        is_good = topic->settings[i].key != NULL && topic->settings[i].value != NULL;
    }
    return is_good ? 0 : wr_fail(err, WEIR_E_NOMEM, "topic '%.*s'", WR_FMT(d->name));
}

/* What follows from the settings together. */
static int settle_config(struct wr_topic_config *config, struct weir_error *err)
{
    if (config->index != WR_INDEX_KEY) {
        return 0;
    }
    if ((config->cleanup & WR_CLEANUP_COMPACT) != 0) {
        return wr_fail(
            err, WEIR_E_INPUT,
            "weir.index=key counts all records of a key, so cleanup.policy cannot be compact");
    }
    config->timestamp_type = WR_LOG_APPEND_TIME;
    return 0;
}

static int fill_topic(struct wr_topic_state *topic, struct wr_embedded *e,
                      const struct wr_topic_description *d, struct weir_error *err)
{
    topic->topic.log = &e->log;
    topic->topic.id = d->id;
    topic->topic.partition_count = d->partition_count;
    topic->topic.name = wr_strdup(d->name);
    topic->config = e->config_default;
    int rc = wr_topic_config_apply(&topic->config, d->settings, d->setting_count, err);
    rc = rc == 0 ? settle_config(&topic->config, err) : rc;
    if (rc < 0) {
        return wr_wrap(err, "topic '%.*s'", WR_FMT(d->name));
    }
    topic->partitions = wr_alloc_array(d->partition_count, sizeof(topic->partitions[0]));
    if (topic->topic.name == NULL || topic->partitions == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "topic '%.*s'", WR_FMT(d->name));
    }
    for (uint32_t i = 0; i < d->partition_count; i++) {
        topic->partitions[i].topic = topic;
        topic->partitions[i].number = i;
        topic->partitions[i].epoch = -1;
        topic->partitions[i].epoch_saved = -1;
        topic->partitions[i].next_max_timestamp_ms = -1;
    }
    return copy_settings(topic, d, err);
}

int wr_topic_state_new(struct wr_embedded *e, const struct wr_topic_description *description,
                       struct wr_topic_state **out, struct weir_error *err)
{
    struct wr_topic_state *topic = wr_alloc_array(1, sizeof(*topic));
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "topic '%.*s'", WR_FMT(description->name));
    }
    topic->refs = 1;
    int rc = fill_topic(topic, e, description, err);
    if (rc < 0) {
        free_topic(topic);
        return rc;
    }
    *out = topic;
    return 0;
}

static int begin_partition(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    struct wr_segment_info info = {
        .first_timestamp_ms = -1,
        .max_timestamp_ms = -1,
    };
    struct wr_segment *seg = wr_segment_new(p, &info);
    if (seg == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a segment");
    }
    pthread_mutex_lock(&e->lock);
    int rc = wr_segment_attach(seg, err);
    if (rc < 0) {
        wr_segment_drop(e, seg);
    }
    pthread_mutex_unlock(&e->lock);
    p->write_segment = seg;
    p->is_listed = true;
    p->is_folder_new = true;
    p->is_folder_unnamed = true;
    return rc;
}

int wr_topic_state_begin(struct wr_embedded *e, struct wr_topic_state *topic,
                         struct weir_error *err)
{
    WR_ASSERT(topic != NULL);
    int rc = 0;
    for (uint32_t i = 0; i < topic->topic.partition_count && rc == 0; i++) {
        rc = begin_partition(e, &topic->partitions[i], err);
    }
    return rc;
}

/* ---- the list, by name ---- */

static size_t find_place(const struct wr_embedded *e, struct wr_str name, bool *is_found)
{
    size_t low = 0;
    size_t high = e->topic_count;
    *is_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        struct wr_str other = wr_str_of(e->topics[middle]->topic.name);
        size_t least = other.len < name.len ? other.len : name.len;
        int order = memcmp(other.ptr, name.ptr, least);
        if (order == 0) {
            order = other.len < name.len ? -1 : (other.len > name.len ? 1 : 0);
        }
        if (order == 0) {
            *is_found = true;
            return middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int wr_topics_room(struct wr_embedded *e, size_t count, struct weir_error *err)
{
    if (!wr_grow(&e->topics, &e->topic_cap, e->topic_count + count, sizeof(struct wr_topic_state *),
                 TOPICS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu topics", e->topic_count + count);
    }
    return 0;
}

void wr_topics_put(struct wr_embedded *e, struct wr_topic_state *topic)
{
    bool is_found = false;
    size_t at = find_place(e, wr_str_of(topic->topic.name), &is_found);
    WR_ASSERT(!is_found);
    WR_ASSERT(e->topic_count < e->topic_cap);
    memmove(e->topics + at + 1, e->topics + at,
            (e->topic_count - at) * sizeof(struct wr_topic_state *));
    e->topics[at] = topic;
    e->topic_count++;
    e->topics_version++;
}

void wr_topics_take(struct wr_embedded *e, struct wr_topic_state *topic)
{
    bool is_found = false;
    size_t at = find_place(e, wr_str_of(topic->topic.name), &is_found);
    WR_ASSERT(is_found && e->topics[at] == topic);
    e->topic_count--;
    memmove(e->topics + at, e->topics + at + 1,
            (e->topic_count - at) * sizeof(struct wr_topic_state *));
    __atomic_store_n(&topic->is_deleted, true, __ATOMIC_RELAXED);
    e->topics_version++;
}

struct wr_topic_state *wr_topics_by_name(const struct wr_embedded *e, struct wr_str name)
{
    bool is_found = false;
    size_t at = find_place(e, name, &is_found);
    return is_found ? e->topics[at] : NULL;
}

struct wr_topic_state *wr_topics_by_id(const struct wr_embedded *e, struct wr_topic_id id)
{
    for (size_t i = 0; i < e->topic_count; i++) {
        if (memcmp(e->topics[i]->topic.id.bytes, id.bytes, sizeof(id.bytes)) == 0) {
            return e->topics[i];
        }
    }
    return NULL;
}

int wr_topic_gone(const struct wr_topic_state *topic, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOTFOUND, "topic '%s' was deleted", topic->topic.name);
}

/* ---- folders ---- */

static int write_metadata(struct wr_embedded *e, const struct wr_partition *p,
                          struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    char text[WR_METADATA_BYTES];
    size_t len = wr_metadata_put(&p->topic->topic.id, text);
    wr_path_in(e, p, "partition.metadata", path);
    struct wr_file *file = NULL;
    int rc =
        wr_file_open(e->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE | WR_OPEN_TRUNCATE, &file, err);
    rc = rc == 0 ? wr_file_write(file, text, len, 0, err) : rc;
    wr_file_close(file);
    return rc;
}

int wr_topic_make_folder(struct wr_embedded *e, struct wr_partition *p, struct weir_error *err)
{
    char folder[WR_PATH_BYTES];
    wr_path_folder(e, p->topic->topic.name, p->number, folder);
    int rc = wr_vfs_mkdir(e->vfs, folder, err);
    rc = rc == WEIR_E_EXISTS ? 0 : rc; /* a leftover: what counts is in the catalog */
    rc = rc == 0 ? write_metadata(e, p, err) : rc;
    return rc == 0 ? wr_segment_create(e, p->write_segment, err) : rc;
}

static int make_folders(struct wr_embedded *e, struct wr_topic_state *topic, struct weir_error *err)
{
    int rc = 0;
    for (uint32_t i = 0; i < topic->topic.partition_count && rc == 0; i++) {
        rc = wr_topic_make_folder(e, &topic->partitions[i], err);
    }
    pthread_mutex_lock(&e->lock);
    e->is_root_new = true;
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* The topic does not come to be. No checkpoint is busy in its folders while they go. */
static void remove_folders(struct wr_embedded *e, struct wr_topic_state *topic)
{
    pthread_mutex_lock(&e->keep_lock);
    __atomic_store_n(&topic->is_deleted, true, __ATOMIC_RELAXED);
    for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
        wr_remove_folder(e, topic->topic.name, i);
    }
    pthread_mutex_unlock(&e->keep_lock);
}

/* ---- create and delete ---- */

static void new_id(struct wr_embedded *e, struct wr_topic_id *id)
{
    pthread_mutex_lock(&e->lock);
    wr_rng_bytes(e->rng, id->bytes, sizeof(id->bytes));
    pthread_mutex_unlock(&e->lock);
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0f) | 0x40); /* RFC 9562: version 4 … */
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3f) | 0x80); /* … of the usual variant */
}

/* The name is taken from before the folder is made until the topic is in the list, or is not. */
static int claim(struct wr_embedded *e, const char *name, struct weir_error *err)
{
    int rc = 0;
    pthread_mutex_lock(&e->lock);
    while (e->creating != NULL && !e->has_failed) { /* one at a time is enough */
        pthread_cond_wait(&e->done, &e->lock);
    }
    if (e->has_failed) {
        rc = wr_embedded_failure(e, err);
    } else if (wr_topics_by_name(e, wr_str_of(name)) != NULL) {
        rc = wr_fail(err, WEIR_E_EXISTS, "topic '%s' is there already", name);
    } else {
        e->creating = name;
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static void unclaim(struct wr_embedded *e)
{
    pthread_mutex_lock(&e->lock);
    e->creating = NULL;
    pthread_cond_broadcast(&e->done);
    pthread_mutex_unlock(&e->lock);
}

static int commit_topic(struct wr_embedded *e, struct wr_topic_state *topic,
                        enum wr_journal_kind kind, struct weir_error *err)
{
    WR_ASSERT(topic != NULL);
    struct wr_commit *c = wr_commit_new(NULL);
    struct wr_commit_part *part = c == NULL ? NULL : wr_commit_other(c, kind, topic, 0);
    if (part != NULL && kind == WR_PART_TOPIC) {
        wr_description_put(&part->batches, topic);
        part->data = part->batches.base;
        part->len = part->batches.len;
    }
    if (c == NULL || part == NULL || part->batches.spoiled != 0) {
        wr_commit_free(c);
        return wr_fail(err, WEIR_E_NOMEM, "topic '%s'", topic->topic.name);
    }
    c->flags = WR_COMMIT_SYNC;
    return wr_commit_run(e, c, err);
}

static int create(struct wr_embedded *e, const struct wr_topic_spec *spec,
                  struct wr_topic_state **out, struct weir_error *err)
{
    struct wr_topic_description d = {
        .name = wr_str_of(spec->name),
        .partition_count = spec->partition_count,
        .settings = spec->settings,
        .setting_count = spec->setting_count,
    };
    struct wr_topic_state *topic = NULL;
    new_id(e, &d.id);
    int rc = wr_topic_state_new(e, &d, &topic, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_topic_state_begin(e, topic, err);
    rc = rc == 0 ? make_folders(e, topic, err) : rc;
    rc = rc == 0 ? commit_topic(e, topic, WR_PART_TOPIC, err) : rc;
    if (rc < 0) {
        if (rc != WEIR_E_IO) { /* then nothing is touched any more */
            remove_folders(e, topic);
        }
        wr_topic_state_unref(topic);
        return wr_wrap(err, "make topic '%s'", spec->name);
    }
    *out = topic;
    return 0;
}

int wr_embedded_topic_create(struct wr_log *log, const struct wr_topic_spec *spec,
                             struct wr_log_topic **out, struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    int rc = claim(e, spec->name, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_topic_state *topic = NULL;
    rc = create(e, spec, &topic, err);
    unclaim(e);
    if (rc == 0) {
        *out = &topic->topic;
    }
    return rc;
}

static int find_locked(struct wr_embedded *e, const char *name, struct wr_topic_state **out,
                       struct weir_error *err)
{
    if (e->has_failed) {
        return wr_embedded_failure(e, err);
    }
    struct wr_topic_state *topic = wr_topics_by_name(e, wr_str_of(name));
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOTFOUND, "there is no topic '%.249s'", name);
    }
    wr_topic_state_ref(topic);
    *out = topic;
    return 0;
}

int wr_embedded_topic_delete(struct wr_log *log, const char *name, struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct wr_topic_state *topic = NULL;
    pthread_mutex_lock(&e->lock);
    int rc = find_locked(e, name, &topic, err);
    pthread_mutex_unlock(&e->lock);
    if (rc < 0) {
        return rc;
    }
    rc = commit_topic(e, topic, WR_PART_DELETE, err);
    if (rc == 0) {
        wr_remove_topic(e, topic);
    }
    wr_topic_state_unref(topic);
    return rc < 0 ? wr_wrap(err, "delete topic '%s'", name) : 0;
}

/* ---- looking ---- */

int wr_embedded_topic_find(struct wr_log *log, const char *name, struct wr_log_topic **out,
                           struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct wr_topic_state *topic = NULL;
    pthread_mutex_lock(&e->lock);
    int rc = find_locked(e, name, &topic, err);
    pthread_mutex_unlock(&e->lock);
    if (rc == 0) {
        *out = &topic->topic;
    }
    return rc;
}

struct wr_log_topic *wr_embedded_topic_ref(struct wr_log_topic *topic)
{
    wr_topic_state_ref(wr_topic_state_of(topic));
    return topic;
}

void wr_embedded_topic_unref(struct wr_log_topic *topic)
{
    wr_topic_state_unref(wr_topic_state_of(topic));
}

/* The list as it is now, each with a reference. */
static int snapshot(struct wr_embedded *e, struct wr_topic_state ***out, size_t *count,
                    struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    struct wr_topic_state **list =
        wr_alloc_array(e->topic_count + 1, sizeof(struct wr_topic_state *));
    if (rc == 0 && list == NULL) {
        rc = wr_fail(err, WEIR_E_NOMEM, "%zu topics", e->topic_count);
    }
    *count = rc == 0 && list != NULL ? e->topic_count : 0;
    for (size_t i = 0; i < *count; i++) {
        list[i] = e->topics[i];
        wr_topic_state_ref(list[i]);
    }
    pthread_mutex_unlock(&e->lock);
    *out = list;
    return rc;
}

int wr_embedded_topic_list(struct wr_log *log,
                           int (*each)(void *arg, struct wr_log_topic *topic,
                                       struct weir_error *err),
                           void *arg, struct weir_error *err)
{
    struct wr_topic_state **list = NULL;
    size_t count = 0;
    int rc = snapshot(wr_embedded_of(log), &list, &count, err);
    for (size_t i = 0; i < count; i++) {
        rc = rc == 0 ? each(arg, &list[i]->topic, err) : rc;
        wr_topic_state_unref(list[i]);
    }
    wr_free(list);
    return rc;
}

int wr_embedded_topic_settings(struct wr_log *log, const struct wr_log_topic *handle,
                               int (*each)(void *arg, const struct wr_topic_setting *setting,
                                           struct weir_error *err),
                               void *arg, struct weir_error *err)
{
    WR_UNUSED(log);
    const struct wr_topic_state *topic = wr_topic_state_of_const(handle);
    if (wr_topic_is_deleted(topic)) {
        return wr_topic_gone(topic, err);
    }
    int rc = 0;
    for (size_t i = 0; i < topic->setting_count && rc == 0; i++) {
        const struct wr_topic_setting *s = &topic->settings[i];
        if (!wr_topic_setting_is_default(s->key, s->value)) {
            rc = each(arg, s, err);
        }
    }
    return rc;
}

int wr_embedded_partition_info(struct wr_log *log, const struct wr_log_topic *handle,
                               uint32_t partition, struct wr_partition_info *out,
                               struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    const struct wr_topic_state *topic = wr_topic_state_of_const(handle);
    struct wr_partition *p = &topic->partitions[partition];
    int rc = wr_list_load(e, p, err); /* for the size */
    pthread_mutex_lock(&e->lock);
    if (e->has_failed) {
        rc = wr_embedded_failure(e, err);
    } else if (topic->is_deleted) {
        rc = wr_topic_gone(topic, err);
    } else if (rc == 0) {
        *out = (struct wr_partition_info){
            .log_start = p->log_start,
            .last_stable = p->stable,
            .high_watermark = p->end,
            .leader_epoch = e->leader_epoch,
            .is_damaged = p->is_quarantined,
        };
        for (size_t i = 0; i < p->segment_count; i++) {
            out->size_bytes += p->segments[i]->info.bytes;
        }
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}
