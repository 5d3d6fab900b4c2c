/* memory_group.c - the model's groups: who reads which partition, and how far the group has come. */
#include "log/memory_state.h"

struct mem_group *mem_group_of(struct mem_log *log, const char *name)
{
    struct mem_group *group = log->groups;
    while (group != NULL && strcmp(group->name, name) != 0) {
        group = group->next;
    }
    if (group == NULL) {
        group = mem_alloc(1, sizeof(*group));
        group->name = mem_strdup(name);
        group->next = log->groups;
        log->groups = group;
    }
    return group;
}

void mem_group_free(struct mem_group *group)
{
    for (size_t i = 0; i < group->share_count; i++) {
        mem_topic_unref(group->shares[i].topic);
    }
    for (size_t i = 0; i < group->offset_count; i++) {
        wr_free(group->offsets[i].group);
    }
    wr_free(group->shares);
    wr_free(group->offsets);
    wr_free(group->name);
    wr_free(group);
}

/* ---- events ---- */

void mem_event_add(struct mem_reader *reader, enum wr_poll_kind kind, struct mem_topic *topic,
                   uint32_t partition)
{
    struct mem_event *event = mem_alloc(1, sizeof(*event));
    *event = (struct mem_event){.kind = kind, .topic = topic, .partition = partition};
    topic->refs++;
    struct mem_event **end = &reader->events;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = event;
    wr_wake_signal(&reader->wake);
}

void mem_event_free(struct mem_event *event)
{
    if (event != NULL) {
        mem_topic_unref(event->topic);
    }
    wr_free(event);
}

/* Drop what the reader was not told yet of a partition, for it is no longer so. */
static void forget_events(struct mem_reader *reader, const struct mem_topic *topic,
                          uint32_t partition)
{
    for (struct mem_event **at = &reader->events; *at != NULL;) {
        struct mem_event *event = *at;
        if (event->topic == topic && event->partition == partition) {
            *at = event->next;
            mem_event_free(event);
        } else {
            at = &event->next;
        }
    }
}

/* ---- sharing ---- */

static bool wants(const struct mem_reader *reader, const struct mem_group *group,
                  const struct mem_topic *topic)
{
    for (size_t i = 0; i < reader->topic_name_count && reader->group == group; i++) {
        if (strcmp(reader->topic_names[i], topic->topic.name) == 0) {
            return true;
        }
    }
    return false;
}

/* The n-th member that wants the topic and is not `avoid`, by the order in which they came; NULL when
 * there are fewer. */
static struct mem_reader *nth_member(const struct mem_log *log, const struct mem_group *group,
                                     const struct mem_topic *topic, const struct mem_reader *avoid,
                                     size_t n)
{
    struct mem_reader *r = log->readers;
    while (r != NULL && (r == avoid || !wants(r, group, topic) || n-- > 0)) {
        r = r->next;
    }
    return r;
}

static size_t count_members(const struct mem_log *log, const struct mem_group *group,
                            const struct mem_topic *topic, const struct mem_reader *avoid)
{
    size_t count = 0;
    while (nth_member(log, group, topic, avoid, count) != NULL) {
        count++;
    }
    return count;
}

/* Who should have a partition: the members in turn, without the one from whom it was taken by force unless
 * there is no other. NULL when nobody wants it. */
static struct mem_reader *fair_owner(const struct mem_log *log, const struct mem_group *group,
                                     const struct mem_share *share)
{
    const struct mem_reader *avoid = share->avoid;
    size_t count = count_members(log, group, share->topic, avoid);
    if (count == 0) {
        avoid = NULL;
        count = count_members(log, group, share->topic, avoid);
    }
    return count == 0 ? NULL
                      : nth_member(log, group, share->topic, avoid, share->partition % count);
}

static void give(struct mem_log *log, struct mem_group *group, struct mem_share *share)
{
    share->owner = fair_owner(log, group, share);
    if (share->owner != NULL) {
        mem_event_add(share->owner, WR_POLL_ASSIGNED, share->topic, share->partition);
    }
}

static void begin_revoking(struct mem_share *share)
{
    share->is_revoking = true;
    mem_event_add(share->owner, WR_POLL_REVOKED, share->topic, share->partition);
}

static bool has_share(const struct mem_group *group, const struct mem_topic *topic,
                      uint32_t partition)
{
    for (size_t i = 0; i < group->share_count; i++) {
        if (group->shares[i].topic == topic && group->shares[i].partition == partition) {
            return true;
        }
    }
    return false;
}

static void add_share(struct mem_group *group, struct mem_topic *topic, uint32_t partition)
{
    if (has_share(group, topic, partition)) {
        return;
    }
    mem_grow(&group->shares, &group->share_cap, group->share_count, sizeof(*group->shares));
    group->shares[group->share_count++] =
        (struct mem_share){.topic = topic, .partition = partition};
    topic->refs++;
}

/* Bring in the partitions of topics that some member wants. */
static void add_shares(struct mem_log *log, struct mem_group *group)
{
    for (size_t i = 0; i < log->topic_count; i++) {
        struct mem_topic *topic = log->topics[i];
        bool is_wanted = nth_member(log, group, topic, NULL, 0) != NULL;
        for (uint32_t p = 0; p < topic->topic.partition_count && is_wanted; p++) {
            add_share(group, topic, p);
        }
    }
}

static void lose(struct mem_share *share)
{
    if (share->owner != NULL) {
        forget_events(share->owner, share->topic, share->partition);
        mem_reader_forget(share->owner, share->topic, share->partition);
        mem_event_add(share->owner, WR_POLL_LOST, share->topic, share->partition);
    }
    share->owner = NULL;
    share->is_revoking = false;
}

/* Whoever has a partition of a deleted topic loses it. */
static void remove_deleted(struct mem_group *group)
{
    size_t kept = 0;
    for (size_t i = 0; i < group->share_count; i++) {
        struct mem_share *share = &group->shares[i];
        if (share->topic->is_deleted) {
            lose(share);
            mem_topic_unref(share->topic);
        } else {
            group->shares[kept++] = *share;
        }
    }
    group->share_count = kept;
}

void mem_group_share(struct mem_log *log, struct mem_group *group)
{
    remove_deleted(group);
    add_shares(log, group);
    for (size_t i = 0; i < group->share_count; i++) {
        struct mem_share *share = &group->shares[i];
        if (share->owner == NULL) {
            give(log, group, share);
        } else if (share->owner != fair_owner(log, group, share) && !share->is_revoking) {
            begin_revoking(share);
        }
    }
}

void mem_group_acknowledge(struct mem_log *log, struct mem_reader *reader)
{
    const struct mem_event *told = reader->given;
    if (told == NULL || told->kind != WR_POLL_REVOKED) {
        return;
    }
    for (size_t i = 0; i < reader->group->share_count; i++) {
        struct mem_share *share = &reader->group->shares[i];
        if (share->topic == told->topic && share->partition == told->partition &&
            share->owner == reader && share->is_revoking) {
            mem_reader_forget(reader, share->topic, share->partition);
            share->is_revoking = false;
            give(log, reader->group, share);
        }
    }
}

void mem_group_leave(struct mem_log *log, struct mem_reader *reader)
{
    struct mem_group *group = reader->group;
    if (group == NULL) {
        return;
    }
    reader->group = NULL;
    for (size_t i = 0; i < group->share_count; i++) {
        struct mem_share *share = &group->shares[i];
        share->avoid = share->avoid == reader ? NULL : share->avoid;
        if (share->owner == reader) {
            share->owner = NULL;
            share->is_revoking = false;
        }
    }
    mem_group_share(log, group);
}

/* The partition, when somebody has it. */
static struct mem_share *owned_share(struct mem_log *log, const char *name, const char *topic,
                                     uint32_t partition, struct mem_group **group)
{
    *group = mem_group_of(log, name);
    for (size_t i = 0; i < (*group)->share_count; i++) {
        struct mem_share *share = &(*group)->shares[i];
        if (strcmp(share->topic->topic.name, topic) == 0 && share->partition == partition &&
            share->owner != NULL) {
            return share;
        }
    }
    return NULL;
}

void wr_memory_log_revoke(struct wr_log *log, const char *group_name, const char *topic,
                          uint32_t partition)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    struct mem_group *group = NULL;
    struct mem_share *share = owned_share(m, group_name, topic, partition, &group);
    if (share != NULL && !share->is_revoking) {
        share->avoid = share->owner;
        begin_revoking(share);
    }
    mem_leave(m);
}

void wr_memory_log_lose(struct wr_log *log, const char *group_name, const char *topic,
                        uint32_t partition)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    struct mem_group *group = NULL;
    struct mem_share *share = owned_share(m, group_name, topic, partition, &group);
    if (share != NULL) {
        share->avoid = share->owner;
        lose(share);
        give(m, group, share);
    }
    mem_leave(m);
}

/* ---- offsets ---- */

static struct mem_offset *offset_of(const struct mem_group *group, const struct wr_topic_id *topic,
                                    uint32_t partition)
{
    for (size_t i = 0; i < group->offset_count; i++) {
        if (memcmp(&group->offsets[i].topic, topic, sizeof(*topic)) == 0 &&
            group->offsets[i].partition == partition) {
            return &group->offsets[i];
        }
    }
    return NULL;
}

void mem_group_keep(struct mem_log *log, struct mem_offset offset)
{
    struct mem_group *group = mem_group_of(log, offset.group);
    struct mem_offset *old = offset_of(group, &offset.topic, offset.partition);
    if (old == NULL) {
        mem_grow(&group->offsets, &group->offset_cap, group->offset_count, sizeof(*group->offsets));
        group->offsets[group->offset_count++] = offset;
        return;
    }
    wr_free(old->group);
    *old = offset;
}

int wr_memory_log_group_offset(struct wr_log *log, const char *name,
                               const struct wr_log_topic *topic, uint32_t partition,
                               int64_t *offset, int32_t *leader_epoch, struct weir_error *err)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    const struct mem_offset *found = offset_of(mem_group_of(m, name), &topic->id, partition);
    int rc = 0;
    if (found == NULL) {
        rc = wr_fail(err, WEIR_E_NOTFOUND, "group '%s' has no offset for topic '%s' partition %u",
                     name, topic->name, partition);
    } else {
        *offset = found->offset;
        *leader_epoch = found->leader_epoch;
    }
    mem_leave(m);
    return rc;
}
