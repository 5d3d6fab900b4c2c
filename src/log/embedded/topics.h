/*
 * topics.h - topics in memory: made, found, counted, deleted. Their file is catalog.h's affair.
 */
#ifndef WR_EMBEDDED_TOPICS_H
#define WR_EMBEDDED_TOPICS_H

#include "log/embedded/state.h"

/* What a topic is, as the catalog and a journal entry describe it; all borrowed. */
struct wr_topic_description {
    struct wr_topic_id id;
    struct wr_str name;
    uint32_t partition_count;
    const struct wr_topic_setting *settings;
    size_t setting_count;
};

/* A topic with its partitions, empty, known to nobody. Settings are copied and checked against what
 * `e` has for defaults. `out`: one reference, owned by the caller. WEIR_E_INPUT, WEIR_E_NOMEM. */
WR_MUST_USE int wr_topic_state_new(struct wr_embedded *e,
                                   const struct wr_topic_description *description,
                                   struct wr_topic_state **out, struct weir_error *err);

/* One more, one less holder. The last one frees it; L is not held. `try`: false when it is being freed. */
void wr_topic_state_ref(struct wr_topic_state *topic);
bool wr_topic_state_try_ref(struct wr_topic_state *topic);
void wr_topic_state_unref(struct wr_topic_state *topic);

/* Give each partition its first segment, empty, at offset 0. Nothing is written. WEIR_E_NOMEM. */
WR_MUST_USE int wr_topic_state_begin(struct wr_embedded *e, struct wr_topic_state *topic,
                                     struct weir_error *err);

/* Make the folder of a partition: its metadata and its first segment, empty. Blocks on disk. */
WR_MUST_USE int wr_topic_make_folder(struct wr_embedded *e, struct wr_partition *p,
                                     struct weir_error *err);

/* Make room for `count` more topics in the list. L. */
WR_MUST_USE int wr_topics_room(struct wr_embedded *e, size_t count, struct weir_error *err);

/* Put a topic into the list, which takes the caller's reference. There is room. L. */
void wr_topics_put(struct wr_embedded *e, struct wr_topic_state *topic);

/* Take it out; the caller gets the list's reference. L. */
void wr_topics_take(struct wr_embedded *e, struct wr_topic_state *topic);

/* By name or id; borrowed; NULL when there is none. L. */
struct wr_topic_state *wr_topics_by_name(const struct wr_embedded *e, struct wr_str name);
struct wr_topic_state *wr_topics_by_id(const struct wr_embedded *e, struct wr_topic_id id);

/* Fail with WEIR_E_NOTFOUND, naming the topic. */
int wr_topic_gone(const struct wr_topic_state *topic, struct weir_error *err);
static inline bool wr_topic_is_deleted(const struct wr_topic_state *topic)
{
    return __atomic_load_n(&topic->is_deleted, __ATOMIC_RELAXED);
}

/* The operations of log_ops.h, of the same names there. */
int wr_embedded_topic_create(struct wr_log *log, const struct wr_topic_spec *spec,
                             struct wr_log_topic **out, struct weir_error *err);
int wr_embedded_topic_delete(struct wr_log *log, const char *name, struct weir_error *err);
int wr_embedded_topic_find(struct wr_log *log, const char *name, struct wr_log_topic **out,
                           struct weir_error *err);
struct wr_log_topic *wr_embedded_topic_ref(struct wr_log_topic *topic);
void wr_embedded_topic_unref(struct wr_log_topic *topic);
int wr_embedded_topic_list(struct wr_log *log,
                           int (*each)(void *arg, struct wr_log_topic *topic,
                                       struct weir_error *err),
                           void *arg, struct weir_error *err);
int wr_embedded_topic_settings(struct wr_log *log, const struct wr_log_topic *handle,
                               int (*each)(void *arg, const struct wr_topic_setting *setting,
                                           struct weir_error *err),
                               void *arg, struct weir_error *err);
int wr_embedded_partition_info(struct wr_log *log, const struct wr_log_topic *handle,
                               uint32_t partition, struct wr_partition_info *out,
                               struct weir_error *err);

#endif
