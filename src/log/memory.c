/* memory.c - the model: its topics and partitions, and what it can be told to do. */
#include "log/memory_state.h"

struct mem_log *mem_log_of(const struct wr_log *log)
{
    return (struct mem_log *)(uintptr_t)log;
}

struct mem_topic *mem_topic_of(const struct wr_log_topic *topic)
{
    return (struct mem_topic *)(uintptr_t)topic;
}

void *mem_alloc(size_t count, size_t size)
{
    void *memory = wr_alloc_array(count, size);
    WR_ASSERT(memory != NULL);
    return memory;
}

void mem_grow(void *array, size_t *cap, size_t count, size_t size)
{
    bool is_enough = wr_grow(array, cap, count + 1, size, SIZE_MAX / 1024);
    WR_ASSERT(is_enough);
}

char *mem_strdup(const char *text)
{
    char *copy = wr_strdup(wr_str_of(text));
    WR_ASSERT(copy != NULL);
    return copy;
}

/* The calls by which a log says that it has failed. */
static bool tells_of_failure(enum wr_memory_call call)
{
    return call == WR_MEMORY_TOPIC_CREATE || call == WR_MEMORY_TOPIC_DELETE ||
           call == WR_MEMORY_WRITER_OPEN || call == WR_MEMORY_COMMIT || call == WR_MEMORY_MARK ||
           call == WR_MEMORY_END || call == WR_MEMORY_RETRY || call == WR_MEMORY_WRITER_POLL ||
           call == WR_MEMORY_READER_POLL;
}

int mem_enter(struct mem_log *log, enum wr_memory_call call, struct weir_error *err)
{
    pthread_mutex_lock(&log->lock);
    int rc = 0;
    if (log->is_broken && tells_of_failure(call)) {
        rc = wr_fail(err, WEIR_E_IO, "the log has failed");
    } else if (log->fail_at[call] > 0 && --log->fail_at[call] == 0) {
        rc =
            wr_fail(err, log->fail_code[call], "told to: %s", weir_code_text(log->fail_code[call]));
    }
    if (rc < 0) {
        pthread_mutex_unlock(&log->lock);
    }
    return rc;
}

void mem_leave(struct mem_log *log)
{
    pthread_mutex_unlock(&log->lock);
}

void mem_tell_readers(struct mem_log *log)
{
    for (struct mem_reader *r = log->readers; r != NULL; r = r->next) {
        wr_wake_signal(&r->wake);
    }
}

/* ---- partitions ---- */

void mem_record_unref(struct mem_record *record)
{
    if (--record->refs == 0) {
        wr_free(record);
    }
}

int64_t mem_end(const struct mem_partition *part)
{
    return part->log_start + (int64_t)part->count;
}

struct mem_record *mem_record_at(const struct mem_partition *part, int64_t offset)
{
    WR_ASSERT(offset >= part->log_start && offset < mem_end(part));
    return part->records[offset - part->log_start];
}

int64_t mem_last_stable(const struct mem_partition *part)
{
    size_t i = part->open_count == 0 ? part->count : 0;
    while (i < part->count &&
           (part->records[i]->txn == NULL || part->records[i]->txn->state != MEM_OPEN)) {
        i++;
    }
    return part->log_start + (int64_t)i;
}

static void note_epoch(struct mem_partition *part, int32_t leader_epoch)
{
    if (part->epoch_count > 0 && part->epochs[part->epoch_count - 1].leader_epoch == leader_epoch) {
        return;
    }
    mem_grow(&part->epochs, &part->epoch_cap, part->epoch_count, sizeof(*part->epochs));
    part->epochs[part->epoch_count++] = (struct mem_epoch){leader_epoch, mem_end(part)};
}

void mem_partition_add(struct mem_log *log, struct mem_partition *part, struct mem_record *record)
{
    note_epoch(part, log->leader_epoch);
    record->offset = mem_end(part);
    record->leader_epoch = log->leader_epoch;
    part->open_count += record->txn != NULL && record->txn->state == MEM_OPEN ? 1 : 0;
    mem_grow(&part->records, &part->cap, part->count, sizeof(struct mem_record *));
    part->records[part->count++] = record;
}

static void partition_fini(struct mem_partition *part)
{
    for (size_t i = 0; i < part->count; i++) {
        mem_record_unref(part->records[i]);
    }
    wr_free(part->records);
    wr_free(part->epochs);
}

/* ---- topics ---- */

void mem_topic_unref(struct mem_topic *topic)
{
    if (topic == NULL || --topic->refs > 0) {
        return;
    }
    for (uint32_t i = 0; i < topic->topic.partition_count; i++) {
        partition_fini(&topic->partitions[i]);
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

/* Where the name is, or would be. */
static size_t topic_index(const struct mem_log *log, const char *name)
{
    size_t i = 0;
    while (i < log->topic_count && strcmp(log->topics[i]->topic.name, name) < 0) {
        i++;
    }
    return i;
}

struct mem_topic *mem_topic_named(const struct mem_log *log, const char *name)
{
    size_t i = topic_index(log, name);
    bool is_there = i < log->topic_count && strcmp(log->topics[i]->topic.name, name) == 0;
    return is_there ? log->topics[i] : NULL;
}

/* A later setting of a key stands in the place of an earlier one; one that says the default in no place. */
static void keep_settings(struct mem_topic *topic, const struct wr_topic_spec *spec)
{
    topic->settings = mem_alloc(spec->setting_count + 1, sizeof(*topic->settings));
    for (size_t i = 0; i < spec->setting_count; i++) {
        bool is_last = !wr_topic_setting_is_default(spec->settings[i].key, spec->settings[i].value);
        for (size_t j = i + 1; j < spec->setting_count; j++) {
            is_last = is_last && strcmp(spec->settings[i].key, spec->settings[j].key) != 0;
        }
        if (is_last) {
            topic->settings[topic->setting_count++] = (struct wr_topic_setting){
                mem_strdup(spec->settings[i].key), mem_strdup(spec->settings[i].value)};
        }
    }
}

static struct mem_topic *topic_new(struct mem_log *log, const struct wr_topic_spec *spec,
                                   const struct wr_topic_config *config)
{
    struct mem_topic *topic = mem_alloc(1, sizeof(*topic));
    topic->refs = 1;
    topic->config = *config;
    topic->topic.log = &log->log;
    topic->topic.name = mem_strdup(spec->name);
    topic->topic.partition_count = spec->partition_count;
    wr_rng_bytes(&log->rng, topic->topic.id.bytes, sizeof(topic->topic.id.bytes));
    topic->partitions = mem_alloc(spec->partition_count, sizeof(*topic->partitions));
    for (uint32_t i = 0; i < spec->partition_count; i++) {
        topic->partitions[i].damaged_at = -1;
    }
    keep_settings(topic, spec);
    return topic;
}

static void topics_changed(struct mem_log *log)
{
    log->topics_version++;
    for (struct mem_group *g = log->groups; g != NULL; g = g->next) {
        mem_group_share(log, g);
    }
    mem_tell_readers(log);
}

static int topic_create(struct wr_log *base, const struct wr_topic_spec *spec,
                        struct wr_log_topic **out, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    struct wr_topic_config config = wr_topic_config_default();
    int rc = wr_topic_config_apply(&config, spec->settings, spec->setting_count, err);
    if (rc < 0) {
        return wr_wrap(err, "topic '%s'", spec->name);
    }
    rc = mem_enter(log, WR_MEMORY_TOPIC_CREATE, err);
    if (rc < 0) {
        return rc;
    }
    size_t at = topic_index(log, spec->name);
    if (mem_topic_named(log, spec->name) != NULL) {
        rc = wr_fail(err, WEIR_E_EXISTS, "topic '%s' is there already", spec->name);
    } else {
        struct mem_topic *topic = topic_new(log, spec, &config);
        mem_grow(&log->topics, &log->topic_cap, log->topic_count, sizeof(struct mem_topic *));
        memmove(log->topics + at + 1, log->topics + at,
                (log->topic_count - at) * sizeof(struct mem_topic *));
        log->topics[at] = topic;
        log->topic_count++;
        topics_changed(log);
        topic->refs++;
        *out = &topic->topic;
    }
    mem_leave(log);
    return rc;
}

static int no_topic(const char *name, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOTFOUND, "there is no topic '%.249s'", name);
}

static int topic_delete(struct wr_log *base, const char *name, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    int rc = mem_enter(log, WR_MEMORY_TOPIC_DELETE, err);
    if (rc < 0) {
        return rc;
    }
    struct mem_topic *topic = mem_topic_named(log, name);
    if (topic == NULL) {
        rc = no_topic(name, err);
    } else {
        size_t at = topic_index(log, name);
        log->topic_count--;
        memmove(log->topics + at, log->topics + at + 1,
                (log->topic_count - at) * sizeof(struct mem_topic *));
        topic->is_deleted = true;
        topics_changed(log);
        mem_topic_unref(topic);
    }
    mem_leave(log);
    return rc;
}

static int topic_find(struct wr_log *base, const char *name, struct wr_log_topic **out,
                      struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    int rc = mem_enter(log, WR_MEMORY_TOPIC_FIND, err);
    if (rc < 0) {
        return rc;
    }
    struct mem_topic *topic = mem_topic_named(log, name);
    if (topic == NULL) {
        rc = no_topic(name, err);
    } else {
        topic->refs++;
        *out = &topic->topic;
    }
    mem_leave(log);
    return rc;
}

static struct wr_log_topic *topic_ref(struct wr_log_topic *topic)
{
    struct mem_log *log = mem_log_of(topic->log);
    pthread_mutex_lock(&log->lock);
    mem_topic_of(topic)->refs++;
    mem_leave(log);
    return topic;
}

static void topic_unref(struct wr_log_topic *topic)
{
    struct mem_log *log = mem_log_of(topic->log);
    pthread_mutex_lock(&log->lock);
    mem_topic_unref(mem_topic_of(topic));
    mem_leave(log);
}

/* The walk is over the topics as they were when it began, so that `each` may make and delete some. */
static int topic_list(struct wr_log *base,
                      int (*each)(void *arg, struct wr_log_topic *topic, struct weir_error *err),
                      void *arg, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    int rc = mem_enter(log, WR_MEMORY_TOPIC_LIST, err);
    if (rc < 0) {
        return rc;
    }
    size_t count = log->topic_count;
    struct mem_topic **topics = mem_alloc(count + 1, sizeof(struct mem_topic *));
    for (size_t i = 0; i < count; i++) {
        topics[i] = log->topics[i];
        topics[i]->refs++;
    }
    mem_leave(log);
    for (size_t i = 0; i < count; i++) {
        rc = rc == 0 ? each(arg, &topics[i]->topic, err) : rc;
        topic_unref(&topics[i]->topic);
    }
    wr_free(topics);
    return rc;
}

static int check_not_deleted(const struct mem_topic *topic, struct weir_error *err)
{
    return topic->is_deleted
               ? wr_fail(err, WEIR_E_NOTFOUND, "topic '%s' was deleted", topic->topic.name)
               : 0;
}

/* Settings never change, so the walk needs no lock. */
static int topic_settings(struct wr_log *base, const struct wr_log_topic *handle,
                          int (*each)(void *arg, const struct wr_topic_setting *setting,
                                      struct weir_error *err),
                          void *arg, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    const struct mem_topic *topic = mem_topic_of(handle);
    int rc = mem_enter(log, WR_MEMORY_TOPIC_SETTINGS, err);
    if (rc < 0) {
        return rc;
    }
    rc = check_not_deleted(topic, err);
    mem_leave(log);
    for (size_t i = 0; i < topic->setting_count && rc == 0; i++) {
        rc = each(arg, &topic->settings[i], err);
    }
    return rc;
}

static uint64_t size_of(const struct mem_partition *part)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < part->count; i++) {
        bytes += part->records[i]->record.key.len + part->records[i]->record.value.len;
    }
    return bytes;
}

static int partition_info(struct wr_log *base, const struct wr_log_topic *handle,
                          uint32_t partition, struct wr_partition_info *out, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    int rc = mem_enter(log, WR_MEMORY_PARTITION_INFO, err);
    if (rc < 0) {
        return rc;
    }
    rc = check_not_deleted(mem_topic_of(handle), err);
    if (rc == 0) {
        const struct mem_partition *part = &mem_topic_of(handle)->partitions[partition];
        *out = (struct wr_partition_info){
            .log_start = part->log_start,
            .last_stable = mem_last_stable(part),
            .high_watermark = mem_end(part),
            .leader_epoch = log->leader_epoch,
            .size_bytes = size_of(part),
            .is_damaged = part->damaged_at >= 0,
        };
    }
    mem_leave(log);
    return rc;
}

static int offset_for_time(struct wr_log *base, const struct wr_log_topic *handle,
                           uint32_t partition, int64_t timestamp_ms, int64_t *out,
                           struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    int rc = mem_enter(log, WR_MEMORY_OFFSET_FOR_TIME, err);
    if (rc < 0) {
        return rc;
    }
    rc = check_not_deleted(mem_topic_of(handle), err);
    const struct mem_partition *part = &mem_topic_of(handle)->partitions[partition];
    int64_t found = -1;
    for (size_t i = 0; i < part->count && found < 0; i++) {
        const struct mem_record *record = part->records[i];
        found =
            !record->is_marker && record->record.timestamp_ms >= timestamp_ms ? record->offset : -1;
    }
    if (rc == 0) {
        *out = found;
    }
    mem_leave(log);
    return rc;
}

static int epoch_end(struct wr_log *base, const struct wr_log_topic *handle, uint32_t partition,
                     int32_t leader_epoch, int64_t *out, struct weir_error *err)
{
    struct mem_log *log = mem_log_of(base);
    int rc = mem_enter(log, WR_MEMORY_EPOCH_END, err);
    if (rc < 0) {
        return rc;
    }
    const struct mem_partition *part = &mem_topic_of(handle)->partitions[partition];
    rc = check_not_deleted(mem_topic_of(handle), err);
    int64_t end = leader_epoch == log->leader_epoch ? mem_end(part) : -1;
    for (size_t i = 0; i < part->epoch_count; i++) {
        if (part->epochs[i].leader_epoch == leader_epoch) {
            end = i + 1 < part->epoch_count ? part->epochs[i + 1].start : mem_end(part);
        }
    }
    if (rc == 0) {
        *out = end;
    }
    mem_leave(log);
    return rc;
}

/* ---- opening and closing ---- */

static void log_close(struct wr_log *base)
{
    struct mem_log *log = mem_log_of(base);
    WR_ASSERT(log->writers == NULL);
    WR_ASSERT(log->readers == NULL);
    pthread_mutex_lock(&log->lock);
    log->hold = WR_MEMORY_HOLD_NOTHING;
    (void)mem_decide(log, SIZE_MAX);
    mem_leave(log);
    while (log->groups != NULL) {
        struct mem_group *group = log->groups;
        log->groups = group->next;
        mem_group_free(group);
    }
    for (size_t i = 0; i < log->topic_count; i++) {
        WR_ASSERT(log->topics[i]->refs == 1); /* else a handle was not let go */
        mem_topic_unref(log->topics[i]);
    }
    while (log->txns != NULL) {
        struct mem_txn *txn = log->txns;
        log->txns = txn->next;
        wr_free(txn);
    }
    wr_free(log->topics);
    (void)pthread_mutex_destroy(&log->lock);
    wr_free(log);
}

static const struct wr_log_ops topic_ops = {
    .name = "memory",
    .capabilities = WR_LOG_CAN_MARK | WR_LOG_CAN_JOIN | WR_LOG_CAN_GROUP_OFFSETS,
    .close = log_close,
    .topic_create = topic_create,
    .topic_delete = topic_delete,
    .topic_find = topic_find,
    .topic_ref = topic_ref,
    .topic_unref = topic_unref,
    .topic_list = topic_list,
    .topic_settings = topic_settings,
    .partition_info = partition_info,
    .offset_for_time = offset_for_time,
    .epoch_end = epoch_end,
};

struct wr_log *wr_memory_log_open(const struct wr_memory_options *options)
{
    struct mem_log *log = mem_alloc(1, sizeof(*log));
    log->options = options == NULL ? (struct wr_memory_options){0} : *options;
    struct wr_memory_options *o = &log->options;
    o->clock = o->clock == NULL ? wr_clock_os() : o->clock;
    o->commit_bytes_max = o->commit_bytes_max == 0 ? 72UL << 20 : o->commit_bytes_max;
    o->commits_in_flight_max = o->commits_in_flight_max == 0 ? 16 : o->commits_in_flight_max;
    log->rng = wr_rng_of(o->seed == 0 ? 1 : o->seed);
    log->ops = topic_ops;
    mem_writer_ops(&log->ops);
    mem_reader_ops(&log->ops);
    log->ops.capabilities &= ~o->lacks;
    log->log.ops = &log->ops;
    int rc = pthread_mutex_init(&log->lock, NULL);
    WR_ASSERT(rc == 0);
    return &log->log;
}

/* ---- what it can be told ---- */

void wr_memory_log_next_outcome(struct wr_log *log, enum wr_memory_outcome outcome)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    WR_ASSERT(m->outcome_count < sizeof(m->outcomes) / sizeof(m->outcomes[0]));
    m->outcomes[m->outcome_count++] = outcome;
    mem_leave(m);
}

void wr_memory_log_fail_call(struct wr_log *log, enum wr_memory_call call, uint64_t at, int code)
{
    struct mem_log *m = mem_log_of(log);
    WR_ASSERT(at == 0 || code < 0);
    pthread_mutex_lock(&m->lock);
    m->fail_at[call] = at;
    m->fail_code[call] = code;
    mem_leave(m);
}

void wr_memory_log_break(struct wr_log *log)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    m->is_broken = true;
    mem_tell_readers(m);
    for (struct mem_writer *w = m->writers; w != NULL; w = w->next) {
        wr_wake_signal(&w->wake);
    }
    mem_leave(m);
}

static struct mem_partition *partition_of(const struct wr_log_topic *topic, uint32_t partition)
{
    WR_ASSERT(partition < topic->partition_count);
    return &mem_topic_of(topic)->partitions[partition];
}

void wr_memory_log_cut(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                       int64_t log_start)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    struct mem_partition *part = partition_of(topic, partition);
    WR_ASSERT(log_start >= part->log_start && log_start <= mem_last_stable(part));
    size_t gone = (size_t)(log_start - part->log_start);
    for (size_t i = 0; i < gone; i++) {
        mem_record_unref(part->records[i]);
    }
    part->count -= gone;
    if (gone > 0) {
        memmove(part->records, part->records + gone, part->count * sizeof(struct mem_record *));
    }
    part->log_start = log_start;
    mem_tell_readers(m);
    mem_leave(m);
}

void wr_memory_log_take_back(struct wr_log *log, const struct wr_log_topic *topic,
                             uint32_t partition, int64_t end)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    struct mem_partition *part = partition_of(topic, partition);
    WR_ASSERT(end >= part->log_start && end <= mem_end(part));
    while (mem_end(part) > end) {
        struct mem_record *last = part->records[--part->count];
        part->open_count -= last->txn != NULL && last->txn->state == MEM_OPEN ? 1 : 0;
        mem_record_unref(last);
    }
    while (part->epoch_count > 0 && part->epochs[part->epoch_count - 1].start > end) {
        part->epoch_count--;
    }
    m->leader_epoch++;
    mem_tell_readers(m);
    mem_leave(m);
}

void wr_memory_log_damage(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                          int64_t offset)
{
    struct mem_log *m = mem_log_of(log);
    pthread_mutex_lock(&m->lock);
    partition_of(topic, partition)->damaged_at = offset;
    mem_tell_readers(m);
    mem_leave(m);
}
