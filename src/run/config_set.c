/* config_set.c - --set KEY=VALUE. */
#include "run/config.h"

#include "run/config_shape.h"
#include "run/config_tree.h"
#include "run/log_options.h"
#include "source/connector_key.h"

struct assignment {
    struct wr_config_reader *reader;
    const struct wr_conf_warn *warn;
    struct wr_place at;
    struct wr_str key;
    struct wr_conf value;
};

static int put(struct assignment *set, struct wr_conf *map, struct wr_str key,
               struct weir_error *err)
{
    struct wr_conf *slot = wr_conf_put(set->reader->arena, map, key, set->at, err);
    if (slot == NULL) {
        return err->code;
    }
    *slot = set->value;
    return 0;
}

/* The part before the first dot, and what follows it; false when there is no dot. */
static bool split(struct wr_str path, struct wr_str *head, struct wr_str *tail)
{
    const char *dot = memchr(path.ptr, '.', path.len);
    if (dot == NULL) {
        return false;
    }
    head->ptr = path.ptr;
    head->len = (size_t)(dot - path.ptr);
    *tail = (struct wr_str){dot + 1, path.len - head->len - 1};
    return true;
}

/* The longest name in `section` that `path` begins with, before a dot: names may hold dots. */
static struct wr_conf_entry *named(struct wr_conf *section, struct wr_str path)
{
    struct wr_conf_entry *best = NULL;
    for (size_t i = 0; section != NULL && i < section->count; i++) {
        struct wr_conf_entry *entry = &section->entries[i];
        size_t len = entry->key.len;
        if (entry->value.kind == WR_CONF_MAP && path.len > len + 1 && path.ptr[len] == '.' &&
            memcmp(path.ptr, entry->key.ptr, len) == 0 && (best == NULL || len > best->key.len)) {
            best = entry;
        }
    }
    return best;
}

static void warn_of_name(const struct assignment *set, const struct wr_conf *section,
                         struct wr_str path)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; section != NULL && i < section->count && count < 64; i++) {
        names[count++] = section->entries[i].key.ptr;
    }
    struct wr_str head = path;
    struct wr_str tail;
    (void)split(path, &head, &tail);
    const char *near = wr_nearest(head, names, count);
    wr_conf_warn(set->warn, set->at, "%.*s: there is no '%.*s'%s%s%s", WR_FMT(set->key),
                 WR_FMT(head), near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                 near == NULL ? "" : "'?");
}

/* sources.NAME.KEY takes the rest as one key, views.NAME.a.b as a path. */
static int set_in_named(struct assignment *set, struct wr_conf *section, struct wr_str path,
                        bool is_path, struct weir_error *err)
{
    struct wr_conf_entry *entry = named(section, path);
    if (entry == NULL) {
        warn_of_name(set, section, path);
        return 0;
    }
    struct wr_str key = {path.ptr + entry->key.len + 1, path.len - entry->key.len - 1};
    struct wr_conf *map = &entry->value;
    struct wr_str head;
    struct wr_str tail;
    while (is_path && split(key, &head, &tail)) {
        map = wr_conf_put_map(set->reader->arena, map, head, set->at, err);
        if (map == NULL) {
            return err->code;
        }
        key = tail;
    }
    return put(set, map, key, err);
}

/* log.KEY and log.topic_defaults.KEY. */
static int set_in_log(struct assignment *set, struct wr_conf *root, struct wr_str key,
                      struct weir_error *err)
{
    struct wr_arena *arena = set->reader->arena;
    struct wr_str head;
    struct wr_str tail;
    struct wr_conf *map = wr_conf_put_map(arena, root, WR_STR("log"), set->at, err);
    if (map != NULL && split(key, &head, &tail)) {
        map = wr_conf_put_map(arena, map, head, set->at, err);
        key = tail;
    }
    return map == NULL ? err->code : put(set, map, key, err);
}

/* Is it a mistyped key of the log? Then that is told. */
static bool warn_of_log_key(const struct assignment *set, struct wr_str key)
{
    const char *names[64];
    size_t count = 0;
    for (; count < wr_log_key_count && count < 64; count++) {
        names[count] = wr_log_keys[count].name;
    }
    const char *near = wr_nearest(key, names, count);
    if (near != NULL) {
        wr_conf_warn(set->warn, set->at, "unknown key '%.*s'; did you mean 'log.%s'?",
                     WR_FMT(set->key), near);
    }
    return near != NULL;
}

static int set_in_all(struct assignment *set, struct wr_conf *sources, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; sources != NULL && i < sources->count && rc == 0; i++) {
        if (sources->entries[i].value.kind == WR_CONF_MAP) {
            rc = put(set, &sources->entries[i].value, set->key, err);
        }
    }
    if (sources == NULL || sources->count == 0) {
        wr_conf_warn(set->warn, set->at, "%.*s: there is no source to set it for",
                     WR_FMT(set->key));
    }
    return rc;
}

static struct wr_conf *section_of(struct wr_conf *root, const char *name)
{
    for (size_t i = 0; i < root->count; i++) {
        struct wr_conf_entry *entry = &root->entries[i];
        if (wr_str_eq(entry->key, wr_str_of(name)) && entry->value.kind == WR_CONF_MAP) {
            return &entry->value;
        }
    }
    return NULL;
}

static int apply(struct assignment *set, struct wr_conf *root, struct weir_error *err)
{
    struct wr_str head = {NULL, 0};
    struct wr_str tail = {NULL, 0};
    bool has_dot = split(set->key, &head, &tail);
    if (has_dot && wr_str_eq(head, WR_STR("log")) && wr_log_key_is_known(tail)) {
        return set_in_log(set, root, tail, err);
    }
    if (has_dot && wr_str_eq(head, WR_STR("log")) && !wr_connector_key_is_known(set->key) &&
        warn_of_log_key(set, tail)) {
        return 0;
    }
    if (has_dot && wr_str_eq(head, WR_STR("sources"))) {
        return set_in_named(set, section_of(root, "sources"), tail, false, err);
    }
    if (has_dot && wr_str_eq(head, WR_STR("views"))) {
        return set_in_named(set, section_of(root, "views"), tail, true, err);
    }
    if (wr_config_is_section(set->key)) {
        return wr_conf_fail(err, set->at, "%.*s is a section of weir.yaml; set one key of it",
                            WR_FMT(set->key));
    }
    /* Also log.* that is not weir's: Debezium has such keys (log.position.check.enable). */
    return set_in_all(set, section_of(root, "sources"), err);
}

int wr_config_set(struct wr_config_reader *reader, const char *assignment, struct wr_conf *root,
                  const struct wr_conf_warn *warn, struct weir_error *err)
{
    struct assignment set = {.reader = reader, .warn = warn, .at = {.file = reader->file}};
    const char *equals = strchr(assignment, '=');
    if (equals == NULL || equals == assignment) {
        return wr_conf_fail(err, set.at, "KEY=VALUE is expected");
    }
    set.key = (struct wr_str){assignment, (size_t)(equals - assignment)};
    int rc = wr_config_read_scalar(reader, set.key, wr_str_of(equals + 1), &set.value, err);
    return rc < 0 ? rc : apply(&set, root, err);
}
