#include "run/log_options.h"

#define NUMBER(member)                            \
    offsetof(struct wr_embedded_options, member), \
        sizeof(((struct wr_embedded_options *)NULL)->member)

#define MIB (INT64_C(1) << 20)
#define GIB (INT64_C(1) << 30)

/* clang-format off */
const struct wr_log_key wr_log_keys[] = {
    {"dir", "text", "./weir-data",
     "The folder that holds the log; made when it is not there. A relative one starts at the file that names it.",
     0, 0, 0, 0},
    {"durability", "text", "fsync",
     "fsync: what was answered survives a power cut. interval: a power cut may take back what came since the last sync. os: since the system last wrote.",
     0, 0, 0, 0},
    {"interval_ms", "number", "1000",
     "With durability interval: sync after so many milliseconds.",
     NUMBER(interval_ms), 1, 3600000},
    {"journal_file_bytes", "number", "16777216",
     "Size of one journal file; a multiple of 4096.",
     NUMBER(journal_file_bytes), 65536, GIB},
    {"journal_file_count", "number", "32",
     "How many journal files there are. Together with their size this bounds the time of recovery.",
     NUMBER(journal_file_count), 2, 64},
    {"placed_bytes_min", "number", "262144",
     "From so many bytes of one partition in one commit on, they go straight to their segment.",
     NUMBER(placed_bytes_min), 4096, GIB},
    {"commit_bytes_max", "number", "75497472",
     "Most bytes of one commit; a record cannot be larger.",
     NUMBER(commit_bytes_max), MIB, GIB},
    {"commits_in_flight_max", "number", "16",
     "Most commits of one writer that are not answered yet.",
     NUMBER(commits_in_flight_max), 1, 1024},
    {"room_bytes_min", "number", "16777216",
     "With less room on the disk writes are refused until there is more.",
     NUMBER(room_bytes_min), MIB, 1024 * GIB},
    {"open_files_max", "number", "256",
     "Most segment files that are held open.",
     NUMBER(open_files_max), 16, 100000},
    {"topic_defaults", "map", "{}",
     "Kafka's topic settings (retention.ms, segment.bytes …) for topics that do not say otherwise.",
     0, 0, 0, 0},
};
/* clang-format on */
const size_t wr_log_key_count = sizeof(wr_log_keys) / sizeof(wr_log_keys[0]);

bool wr_log_key_is_known(struct wr_str key)
{
    static const struct wr_str head = WR_STR_INIT("topic_defaults.");
    if (key.len > head.len && memcmp(key.ptr, head.ptr, head.len) == 0) {
        return true;
    }
    for (size_t i = 0; i < wr_log_key_count; i++) {
        if (wr_str_eq(key, wr_str_of(wr_log_keys[i].name))) {
            return true;
        }
    }
    return false;
}

static int read_number(const struct wr_conf *section, const struct wr_log_key *key,
                       struct wr_embedded_options *out, struct weir_error *err)
{
    const struct wr_conf *node = wr_conf_get(section, key->name);
    char what[64] = "log.";
    int64_t value = 0;
    if (wr_conf_is_null(node)) {
        return 0;
    }
    memcpy(what + 4, key->name, strlen(key->name) + 1);
    int rc = wr_conf_i64(node, what, key->min, key->max, &value, err);
    if (rc < 0) {
        return rc;
    }
    if (key->width == sizeof(uint32_t)) {
        uint32_t narrow = (uint32_t)value; /* max is below 2^32 in these rows */
        memcpy((char *)out + key->field, &narrow, sizeof(narrow));
    } else {
        uint64_t wide = (uint64_t)value;
        WR_ASSERT(key->width == sizeof(wide));
        memcpy((char *)out + key->field, &wide, sizeof(wide));
    }
    return 0;
}

static int read_durability(const struct wr_conf *section, enum wr_durability *out,
                           struct weir_error *err)
{
    static const enum wr_durability all[] = {WR_DURABILITY_FSYNC, WR_DURABILITY_INTERVAL,
                                             WR_DURABILITY_OS};
    const struct wr_conf *node = wr_conf_get(section, "durability");
    struct wr_str text = {"", 0};
    if (wr_conf_is_null(node)) {
        return 0;
    }
    int rc = wr_conf_str(node, "log.durability", &text, err);
    for (size_t i = 0; i < 3 && rc == 0; i++) {
        if (wr_str_eq(text, wr_str_of(wr_durability_name(all[i])))) {
            *out = all[i];
            return 0;
        }
    }
    return rc < 0 ? rc
                  : wr_conf_fail(err, node->at,
                                 "log.durability must be fsync, interval or os, not '%.*s'",
                                 WR_FMT(wr_conf_shown(node)));
}

static int read_defaults(const struct wr_conf *section, struct wr_log_options *out,
                         struct weir_error *err)
{
    const struct wr_conf *node = wr_conf_get(section, "topic_defaults");
    if (wr_conf_is_null(node)) {
        return 0;
    }
    if (node->kind != WR_CONF_MAP || node->count > WR_LOG_DEFAULTS_MAX) {
        return wr_conf_fail(err, node->at,
                            "log.topic_defaults must be a map of at most %d settings",
                            WR_LOG_DEFAULTS_MAX);
    }
    for (size_t i = 0; i < node->count; i++) {
        struct wr_str value = {"", 0};
        int rc = wr_conf_str(&node->entries[i].value, node->entries[i].key.ptr, &value, err);
        if (rc < 0) {
            return rc;
        }
        out->defaults[i] = (struct wr_topic_setting){node->entries[i].key.ptr, value.ptr};
    }
    out->embedded.defaults = out->defaults;
    out->embedded.default_count = node->count;
    return 0;
}

int wr_log_options_read(const struct wr_conf *section, const struct wr_conf_warn *warn,
                        struct wr_log_options *out, struct weir_error *err)
{
    const char *names[32];
    WR_ASSERT(wr_log_key_count <= 32);
    *out = (struct wr_log_options){.embedded = {.durability = WR_DURABILITY_FSYNC}};
    for (size_t i = 0; i < wr_log_key_count; i++) {
        names[i] = wr_log_keys[i].name;
    }
    if (section != NULL) {
        wr_conf_warn_unknown(warn, section, "log", names, wr_log_key_count);
    }
    int rc = 0;
    for (size_t i = 0; i < wr_log_key_count && rc == 0; i++) {
        if (wr_log_keys[i].width > 0) {
            rc = read_number(section, &wr_log_keys[i], &out->embedded, err);
        }
    }
    rc = rc < 0 ? rc : read_durability(section, &out->embedded.durability, err);
    return rc < 0 ? rc : read_defaults(section, out, err);
}
