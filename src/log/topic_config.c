/* topic_config.c - one table row for each key; reading a value is by the row's kind. */
#include "log/topic_config.h"

#include "base/conf.h"
#include "log/log.h"

#include <inttypes.h>
#include <stdio.h>

enum kind {
    NUMBER,
    RATIO,  /* 0 .. 1 */
    CHOICE, /* one of `choices`, by its index */
    POLICY  /* a list of delete, compact */
};

struct row {
    const char *key;
    enum kind kind;
    size_t field; /* where in struct wr_topic_config */
    int64_t min;
    int64_t max;
    const char *choices[7];
};

#define FIELD(name) offsetof(struct wr_topic_config, name)
#define NUMBERS(key, name, a, b)        \
    {                                   \
        key, NUMBER, FIELD(name), a, b, \
        {                               \
            NULL                        \
        }                               \
    }
#define BOOL(key, name)                 \
    {                                   \
        key, CHOICE, FIELD(name), 0, 1, \
        {                               \
            "false", "true"             \
        }                               \
    }

static const struct row rows[] = {
    {"cleanup.policy", POLICY, FIELD(cleanup), 0, 0, {NULL}},
    {"compression.type",
     CHOICE,
     FIELD(compression),
     0,
     5,
     {"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"}},
    NUMBERS("delete.retention.ms", delete_retention_ms, 0, INT64_MAX),
    NUMBERS("file.delete.delay.ms", file_delete_delay_ms, 0, INT64_MAX),
    NUMBERS("flush.messages", flush_messages, 1, INT64_MAX),
    NUMBERS("flush.ms", flush_ms, 0, INT64_MAX),
    NUMBERS("index.interval.bytes", index_interval_bytes, 0, INT32_MAX),
    NUMBERS("max.compaction.lag.ms", max_compaction_lag_ms, 1, INT64_MAX),
    NUMBERS("max.message.bytes", max_message_bytes, 0, INT32_MAX),
    NUMBERS("message.timestamp.after.max.ms", timestamp_after_max_ms, 0, INT64_MAX),
    NUMBERS("message.timestamp.before.max.ms", timestamp_before_max_ms, 0, INT64_MAX),
    {"message.timestamp.type",
     CHOICE,
     FIELD(timestamp_type),
     0,
     1,
     {"CreateTime", "LogAppendTime"}},
    {"min.cleanable.dirty.ratio", RATIO, FIELD(min_cleanable_dirty_ratio), 0, 1, {NULL}},
    NUMBERS("min.compaction.lag.ms", min_compaction_lag_ms, 0, INT64_MAX),
    NUMBERS("min.insync.replicas", min_insync_replicas, 1, INT32_MAX),
    BOOL("preallocate", preallocate),
    NUMBERS("retention.bytes", retention_bytes, -1, INT64_MAX),
    NUMBERS("retention.ms", retention_ms, -1, INT64_MAX),
    NUMBERS("segment.bytes", segment_bytes, 14, INT32_MAX),
    NUMBERS("segment.index.bytes", segment_index_bytes, 4, INT32_MAX),
    NUMBERS("segment.jitter.ms", segment_jitter_ms, 0, INT64_MAX),
    NUMBERS("segment.ms", segment_ms, 1, INT64_MAX),
    BOOL("unclean.leader.election.enable", unclean_leader_election),
    {"weir.index", CHOICE, FIELD(index), 0, 1, {"none", "key"}},
};

#undef FIELD
#undef NUMBERS
#undef BOOL

enum {
    ROWS = sizeof(rows) / sizeof(rows[0])
};

struct wr_topic_config wr_topic_config_default(void)
{
    const int64_t day_ms = INT64_C(24) * 3600 * 1000;
    return (struct wr_topic_config){
        .cleanup = WR_CLEANUP_DELETE,
        .compression = WR_COMPRESS_AS_PRODUCED,
        .delete_retention_ms = day_ms,
        .file_delete_delay_ms = 60000,
        .flush_messages = INT64_MAX,
        .flush_ms = INT64_MAX,
        .index_interval_bytes = 4096,
        .max_compaction_lag_ms = INT64_MAX,
        .max_message_bytes = 1048588,
        .timestamp_after_max_ms = INT64_MAX,
        .timestamp_before_max_ms = INT64_MAX,
        .timestamp_type = WR_CREATE_TIME,
        .min_cleanable_dirty_ratio = 0.5,
        .min_insync_replicas = 1,
        .retention_bytes = -1,
        .retention_ms = 7 * day_ms,
        .segment_bytes = 1 << 30,
        .segment_index_bytes = 10 << 20,
        .segment_ms = 7 * day_ms,
        .index = WR_INDEX_NONE,
    };
}

static int refuse_key(const char *key, struct weir_error *err)
{
    const char *names[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        names[i] = rows[i].key;
    }
    const char *near = wr_nearest(wr_str_of(key), names, ROWS);
    return wr_fail(err, WEIR_E_INPUT, "there is no topic setting '%.100s'%s%s%s", key,
                   near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                   near == NULL ? "" : "'?");
}

static int read_number(const struct row *row, const char *value, int64_t *out,
                       struct weir_error *err)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    bool is_whole = *value == '-' || (*value >= '0' && *value <= '9');
    if (!is_whole || *end != 0 || errno != 0 || number < row->min || number > row->max) {
        return wr_fail(err, WEIR_E_INPUT,
                       "%s must be a whole number %" PRId64 " .. %" PRId64 ", not '%.100s'",
                       row->key, row->min, row->max, value);
    }
    *out = number;
    return 0;
}

static int read_ratio(const struct row *row, const char *value, double *out, struct weir_error *err)
{
    char *end = NULL;
    double number = strtod(value, &end);
    bool is_number = *value >= '0' && *value <= '9' && *end == 0;
    if (!is_number || !(number >= 0 && number <= 1)) {
        return wr_fail(err, WEIR_E_INPUT, "%s must be a number 0 .. 1, not '%.100s'", row->key,
                       value);
    }
    *out = number;
    return 0;
}

static int read_choice(const struct row *row, const char *value, int64_t *out,
                       struct weir_error *err)
{
    char allowed[100] = "";
    size_t len = 0;
    for (int64_t i = 0; i <= row->max; i++) {
        if (strcmp(row->choices[i], value) == 0) {
            *out = i;
            return 0;
        }
        len += (size_t)snprintf(allowed + len, sizeof(allowed) - len, "%s%s", i == 0 ? "" : ", ",
                                row->choices[i]);
        WR_ASSERT(len < sizeof(allowed));
    }
    return wr_fail(err, WEIR_E_INPUT, "%s must be one of %s, not '%.100s'", row->key, allowed,
                   value);
}

/* The next item of a comma-separated list, without blanks around it. */
static struct wr_str next_item(const char **list)
{
    *list += strspn(*list, " ");
    struct wr_str item = {*list, strcspn(*list, ",")};
    *list += item.len;
    *list += **list == ',' ? 1 : 0;
    while (item.len > 0 && item.ptr[item.len - 1] == ' ') {
        item.len--;
    }
    return item;
}

static int read_policy(const struct row *row, const char *value, int64_t *out,
                       struct weir_error *err)
{
    int64_t policy = 0;
    const char *list = value;
    bool is_good = *list != 0;
    while (*list != 0 && is_good) {
        struct wr_str item = next_item(&list);
        if (wr_str_eq(item, WR_STR("delete"))) {
            policy |= WR_CLEANUP_DELETE;
        } else if (wr_str_eq(item, WR_STR("compact"))) {
            policy |= WR_CLEANUP_COMPACT;
        } else {
            is_good = false;
        }
    }
    if (!is_good) {
        return wr_fail(err, WEIR_E_INPUT,
                       "%s must be delete, compact or both with a comma, not '%.100s'", row->key,
                       value);
    }
    *out = policy;
    return 0;
}

static const struct row *row_of(const char *key)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].key, key) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

int wr_topic_config_set(struct wr_topic_config *config, const char *key, const char *value,
                        struct weir_error *err)
{
    const struct row *row = row_of(key);
    if (row == NULL) {
        return refuse_key(key, err);
    }
    void *field = (char *)config + row->field;
    switch (row->kind) {
    case NUMBER: return read_number(row, value, field, err);
    case RATIO: return read_ratio(row, value, field, err);
    case CHOICE: return read_choice(row, value, field, err);
    case POLICY:
    default: return read_policy(row, value, field, err);
    }
}

int wr_topic_config_apply(struct wr_topic_config *config, const struct wr_topic_setting *settings,
                          size_t count, struct weir_error *err)
{
    struct wr_topic_config changed = *config;
    for (size_t i = 0; i < count; i++) {
        int rc = wr_topic_config_set(&changed, settings[i].key, settings[i].value, err);
        if (rc < 0) {
            return rc;
        }
    }
    *config = changed;
    return 0;
}

bool wr_topic_setting_is_default(const char *key, const char *value)
{
    struct wr_topic_config usual = wr_topic_config_default();
    struct wr_topic_config config = usual;
    struct weir_error err;
    if (wr_topic_config_set(&config, key, value, &err) < 0) {
        return false;
    }
    const struct row *row = row_of(key);
    WR_ASSERT(row != NULL);
    size_t len = row->kind == RATIO ? sizeof(double) : sizeof(int64_t);
    return memcmp((char *)&config + row->field, (char *)&usual + row->field, len) == 0;
}
