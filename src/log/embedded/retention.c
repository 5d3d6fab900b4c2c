/* retention.c - moves log starts by retention.ms and retention.bytes, rolls by segment.ms, removes. */
#include "log/embedded/retention.h"

#include "log/embedded/checkpoint.h"
#include "log/embedded/commit.h"
#include "log/embedded/engine.h"
#include "log/embedded/index.h"
#include "log/embedded/list.h"
#include "log/embedded/remove.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

enum {
    CHECK_MS = 15 * 1000, /* at most this often */
    FIRST_MS = 1000       /* after a start, which has more urgent things to read */
};

/* One pass over all partitions. */
struct pass {
    struct wr_embedded *e;
    int64_t now_ms;           /* wall */
    int64_t next_ms;          /* wall: when the next segment may be due; INT64_MAX: none */
    struct wr_commit *commit; /* log starts to move, segments to roll */
    bool must_drop;
    uint64_t index_bytes; /* that may still be read to make indexes */
};

/* ---- what is due: L is held ---- */

static void due_at(struct pass *pass, int64_t timestamp_ms, int64_t keep_ms)
{
    int64_t due = INT64_MAX;
    if (keep_ms < 0 || timestamp_ms < 0 || __builtin_add_overflow(timestamp_ms, keep_ms, &due)) {
        return;
    }
    pass->next_ms = due < pass->next_ms ? due : pass->next_ms;
}

static bool is_old(const struct pass *pass, int64_t timestamp_ms, int64_t keep_ms)
{
    return keep_ms >= 0 && timestamp_ms >= 0 && pass->now_ms - timestamp_ms > keep_ms;
}

static uint64_t total_bytes(const struct wr_partition *p)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < p->segment_count; i++) {
        bytes += p->segments[i]->info.bytes;
    }
    return bytes;
}

/* The new log start: the base of the first segment that is kept. `roll`: even the active one is due. */
static int64_t new_start(struct pass *pass, const struct wr_partition *p, bool *roll)
{
    const struct wr_topic_config *config = &p->topic->config;
    int64_t start = p->log_start;
    uint64_t bytes = total_bytes(p);
    *roll = false;
    for (size_t i = 0; i < p->segment_count; i++) {
        const struct wr_segment_info *info = &p->segments[i]->info;
        bool is_active = i + 1 == p->segment_count;
        bool is_over = config->retention_bytes >= 0 &&
                       bytes - info->bytes >= (uint64_t)config->retention_bytes;
        bool is_due =
            is_old(pass, info->max_timestamp_ms, config->retention_ms) || (is_over && !is_active);
        if (!is_due || info->bytes == 0 || info->next > p->stable) {
            due_at(pass, info->max_timestamp_ms, config->retention_ms);
            return start;
        }
        start = info->next;
        bytes -= info->bytes;
        *roll = is_active;
    }
    return start;
}

/* ---- a partition ---- */

static int add(struct pass *pass, enum wr_journal_kind kind, struct wr_partition *p, int64_t offset,
               struct weir_error *err)
{
    if (pass->commit == NULL) {
        pass->commit = wr_commit_new(NULL);
    }
    struct wr_commit_part *part =
        pass->commit == NULL ? NULL : wr_commit_other(pass->commit, kind, p->topic, p->number);
    if (part == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "retention");
    }
    part->base_offset = offset;
    return 0;
}

/* Its list is loaded. Of a damaged one nobody knows what a file is worth. */
static void sweep(struct wr_embedded *e, struct wr_partition *p, uint64_t *index_bytes)
{
    pthread_mutex_lock(&e->lock);
    bool must_sweep = p->must_sweep && p->is_listed && !p->is_quarantined;
    p->must_sweep = p->must_sweep && p->is_quarantined;
    pthread_mutex_unlock(&e->lock);
    if (!must_sweep) {
        return;
    }
    wr_sweep_partition(e, p);
    bool is_more = wr_index_make_missing(e, p, index_bytes);
    pthread_mutex_lock(&e->lock);
    p->must_sweep = p->must_sweep || is_more; /* the next pass goes on */
    pthread_mutex_unlock(&e->lock);
}

static int look_at(struct pass *pass, struct wr_partition *p, struct weir_error *err)
{
    struct wr_embedded *e = pass->e;
    const struct wr_topic_config *config = &p->topic->config;
    int rc = wr_list_load(e, p, err);
    if (rc < 0) {
        return rc;
    }
    pthread_mutex_lock(&e->lock);
    bool roll = false;
    bool may_delete = (config->cleanup & WR_CLEANUP_DELETE) != 0 && !p->is_quarantined;
    int64_t old_start = p->log_start;
    int64_t start = may_delete ? new_start(pass, p, &roll) : old_start;
    const struct wr_segment_info *active = &wr_segment_active(p)->info;
    bool is_aged = is_old(pass, active->first_timestamp_ms, config->segment_ms);
    if (!is_aged && may_delete) {
        due_at(pass, active->first_timestamp_ms, config->segment_ms);
    }
    pass->must_drop = pass->must_drop || p->segments[0]->info.next <= start;
    pthread_mutex_unlock(&e->lock);
    sweep(e, p, &pass->index_bytes);
    rc = roll || (is_aged && may_delete) ? add(pass, WR_PART_ROLL, p, 0, err) : 0;
    return rc == 0 && start > old_start ? add(pass, WR_PART_START, p, start, err) : rc;
}

/* ---- dropping segments ---- */

/* The first segment, when nothing of it counts any more and it is not the only one. L. */
static struct wr_segment *take_first(struct wr_partition *p)
{
    struct wr_segment *first = p->segments[0];
    if (p->segment_count < 2 || first->info.next > p->log_start) {
        return NULL;
    }
    p->segment_count--;
    memmove(p->segments, p->segments + 1, p->segment_count * sizeof(struct wr_segment *));
    p->list_version++;
    return first;
}

static void drop_segments(struct wr_embedded *e, struct wr_partition *p)
{
    bool is_more = true;
    while (is_more) {
        pthread_mutex_lock(&e->keep_lock);
        pthread_mutex_lock(&e->lock);
        struct wr_segment *seg = p->is_listed ? take_first(p) : NULL;
        is_more = seg != NULL;
        int64_t base = is_more ? seg->info.base : 0;
        if (is_more) {
            wr_segment_drop(e, seg);
        }
        pthread_mutex_unlock(&e->lock);
        if (is_more) {
            wr_remove_segment(e, p, base);
        }
        pthread_mutex_unlock(&e->keep_lock);
    }
}

/* ---- the pass ---- */

struct topics {
    struct wr_topic_state **list;
    size_t count;
};

static int hold_topics(struct wr_embedded *e, struct topics *topics, struct weir_error *err)
{
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    topics->list = wr_alloc_array(e->topic_count + 1, sizeof(struct wr_topic_state *));
    if (rc == 0 && topics->list == NULL) {
        rc = wr_fail(err, WEIR_E_NOMEM, "retention");
    }
    topics->count = rc == 0 && topics->list != NULL ? e->topic_count : 0;
    for (size_t i = 0; i < topics->count; i++) {
        topics->list[i] = e->topics[i];
        wr_topic_state_ref(e->topics[i]);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

static int visit(struct pass *pass, struct wr_partition *p, bool is_dropping,
                 struct weir_error *err)
{
    if (wr_topic_is_deleted(p->topic)) {
        return 0;
    }
    if (is_dropping) {
        drop_segments(pass->e, p);
        return 0;
    }
    return look_at(pass, p, err);
}

static int each_partition(struct pass *pass, const struct topics *topics, bool is_dropping,
                          struct weir_error *err)
{
    int rc = 0;
    for (size_t t = 0; t < topics->count; t++) {
        struct wr_topic_state *topic = topics->list[t];
        for (uint32_t i = 0; i < topic->topic.partition_count && rc == 0; i++) {
            rc = visit(pass, &topic->partitions[i], is_dropping, err);
        }
    }
    return rc;
}

static void set_next(struct pass *pass)
{
    struct wr_embedded *e = pass->e;
    int64_t mono_ms = wr_mono_ms(e->clock);
    int64_t wait_ms = INT64_MAX;
    if (pass->next_ms != INT64_MAX) {
        wait_ms = pass->next_ms - pass->now_ms + 1;
        wait_ms = wait_ms < CHECK_MS ? CHECK_MS : wait_ms;
    }
    pthread_mutex_lock(&e->lock);
    e->retain_due_ms = wait_ms > INT64_MAX - mono_ms ? INT64_MAX : mono_ms + wait_ms;
    pthread_mutex_unlock(&e->lock);
}

static int apply(struct pass *pass, const struct topics *topics, struct weir_error *err)
{
    int rc = 0;
    bool has_changed = pass->commit != NULL;
    if (pass->commit != NULL) {
        rc = wr_commit_run(pass->e, pass->commit, err);
        pass->commit = NULL;
    }
    if (rc == 0 && pass->must_drop) {
        rc = wr_checkpoint_run(pass->e, err);
        rc = rc == 0 ? each_partition(pass, topics, true, err) : rc;
        has_changed = true;
    }
    return rc == 0 && has_changed ? 1 : rc;
}

int wr_retain(struct wr_embedded *e, struct weir_error *err)
{
    struct pass pass = {.e = e,
                        .now_ms = wr_wall_ms(e->clock),
                        .next_ms = INT64_MAX,
                        .index_bytes = WR_INDEX_MAKE_MAX};
    struct topics topics = {0};
    int rc = wr_checkpoint_first(e, err);
    rc = rc >= 0 ? hold_topics(e, &topics, err) : rc;
    rc = rc == 0 ? each_partition(&pass, &topics, false, err) : rc;
    if (rc == 0) {
        set_next(&pass);
        rc = apply(&pass, &topics, err);
    }
    wr_commit_free(pass.commit);
    for (size_t i = 0; i < topics.count; i++) {
        wr_topic_state_unref(topics.list[i]);
    }
    wr_free(topics.list);
    wr_remove_due(e, false);
    return rc;
}

static void sweep_topic(struct wr_embedded *e, const struct wr_topic_state *topic,
                        uint64_t *index_bytes)
{
    struct weir_error none; /* then the files stay, and verify tells of them */
    for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
        struct wr_partition *p = &topic->partitions[i];
        if (p->must_sweep && wr_list_load(e, p, &none) == 0) {
            sweep(e, p, index_bytes);
        }
    }
}

static bool has_removed(const struct wr_topic_state *topic)
{
    bool has = false;
    for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
        const struct wr_partition *p = &topic->partitions[i];
        has = has ||
              (p->is_listed && p->segment_count > 1 && p->segments[0]->info.next <= p->log_start);
    }
    return has;
}

/* Segments before the log start, which is durable first. */
static void drop_all(struct wr_embedded *e)
{
    struct weir_error none; /* a disk without room: the next unclean start sweeps them */
    bool has = false;
    for (size_t t = 0; t < e->topic_count; t++) {
        has = has || has_removed(e->topics[t]);
    }
    if (!has || wr_checkpoint_run(e, &none) < 0) {
        return;
    }
    for (size_t t = 0; t < e->topic_count; t++) {
        for (uint32_t i = 0; i < e->topics[t]->topic.partition_count; i++) {
            drop_segments(e, &e->topics[t]->partitions[i]);
        }
    }
}

void wr_retain_close(struct wr_embedded *e)
{
    uint64_t index_bytes = WR_INDEX_MAKE_MAX;
    for (size_t t = 0; t < e->topic_count; t++) {
        sweep_topic(e, e->topics[t], &index_bytes);
    }
    drop_all(e);
}

static void consider(struct wr_embedded *e, int64_t in_ms)
{
    int64_t due_ms = wr_mono_ms(e->clock) + in_ms;
    if (due_ms < e->retain_due_ms) {
        e->retain_due_ms = due_ms;
        pthread_cond_signal(&e->keep_work);
    }
}

void wr_retain_consider(struct wr_embedded *e)
{
    consider(e, CHECK_MS);
}

void wr_retain_begin(struct wr_embedded *e)
{
    consider(e, FIRST_MS);
}
