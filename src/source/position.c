#include "source/position.h"

enum {
    SOURCES_MAX = 10000
};

int wr_positions_open(struct wr_log *log, struct wr_log_topic **out, struct weir_error *err)
{
    static const struct wr_topic_setting settings[] = {{"cleanup.policy", "compact"}};
    const struct wr_topic_spec spec = {
        .name = WR_POSITIONS_TOPIC, .partition_count = 1, .settings = settings, .setting_count = 1};
    int rc = wr_log_topic_ensure(log, &spec, out, err);
    return rc < 0 ? wr_wrap(err, "topic " WR_POSITIONS_TOPIC) : 0;
}

int wr_position_load(struct wr_log *log, const char *name, struct wr_str *out,
                     struct weir_error *err)
{
    struct wr_bytes value = {NULL, 0};
    int rc =
        wr_log_last_value(log, WR_POSITIONS_TOPIC, wr_bytes_of_str(wr_str_of(name)), &value, err);
    if (rc < 0) {
        return wr_wrap(err, "the position of source '%s'", name);
    }
    *out = wr_str_of_bytes(value);
    return 0;
}

int wr_position_append(struct wr_log_writer *writer, struct wr_log_topic *positions,
                       const char *name, struct wr_str text, struct weir_error *err)
{
    const struct wr_record record = {.key = wr_bytes_of_str(wr_str_of(name)),
                                     .value = wr_bytes_of_str(text),
                                     .timestamp_ms = -1};
    return wr_log_append(writer, positions, 0, &record, err);
}

/* ---- all of them ---- */

struct stored {
    struct wr_str name; /* both owned; position.ptr NULL: deleted */
    struct wr_str position;
    int64_t written_ms;
};

struct walk {
    struct stored *items; /* by name */
    size_t count;
    size_t cap;
};

static int compare(struct wr_str a, struct wr_str b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The place of `name`, made where it is not there; NULL with `err` set. */
static struct stored *slot_of(struct walk *walk, struct wr_str name, struct weir_error *err)
{
    size_t at = 0;
    while (at < walk->count && compare(walk->items[at].name, name) < 0) {
        at++;
    }
    if (at < walk->count && wr_str_eq(walk->items[at].name, name)) {
        return &walk->items[at];
    }
    char *copy = wr_strdup(name);
    if (copy == NULL ||
        !wr_grow(&walk->items, &walk->cap, walk->count + 1, sizeof(*walk->items), SOURCES_MAX)) {
        wr_free(copy);
        (void)wr_fail(err, WEIR_E_LIMIT, "positions of more than %zu sources", walk->count);
        return NULL;
    }
    memmove(&walk->items[at + 1], &walk->items[at], (walk->count - at) * sizeof(*walk->items));
    walk->items[at] = (struct stored){.name = {copy, name.len}};
    walk->count++;
    return &walk->items[at];
}

static int keep(struct walk *walk, const struct wr_record *record, struct weir_error *err)
{
    if (record->key.ptr == NULL) {
        return 0;
    }
    struct stored *slot = slot_of(walk, wr_str_of_bytes(record->key), err);
    if (slot == NULL) {
        return err->code;
    }
    char *copy = record->value.ptr == NULL ? NULL : wr_strdup(wr_str_of_bytes(record->value));
    if (copy == NULL && record->value.ptr != NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a position of %zu bytes", record->value.len);
    }
    wr_free((void *)(uintptr_t)slot->position.ptr);
    slot->position = (struct wr_str){copy, copy == NULL ? 0 : record->value.len};
    slot->written_ms = record->timestamp_ms;
    return 0;
}

static int read_all(struct wr_log *log, struct wr_log_topic *topic, struct walk *walk,
                    struct weir_error *err)
{
    struct wr_partition_info info;
    struct wr_log_reader *reader = NULL;
    int rc = wr_log_partition_info(log, topic, 0, &info, err);
    rc = rc < 0 ? rc : wr_log_reader_open(log, &(struct wr_log_reader_options){0}, &reader, err);
    rc = rc < 0 ? rc : wr_log_reader_assign(reader, topic, 0, WR_OFFSET_EARLIEST, err);
    int64_t next = rc < 0 ? 0 : info.log_start;
    while (rc == 0 && next < info.last_stable) {
        struct wr_log_chunk chunk;
        rc = wr_log_reader_poll(reader, -1, &chunk, err);
        bool has_records = rc == 0 && chunk.kind == WR_POLL_RECORDS;
        for (size_t i = 0; rc == 0 && has_records && i < chunk.count; i++) {
            rc = keep(walk, &chunk.records[i].record, err);
        }
        next = has_records ? chunk.next_offset : next;
    }
    wr_log_reader_close(reader);
    return rc;
}

int wr_positions_each(struct wr_log *log,
                      int (*each)(void *arg, struct wr_str name, struct wr_str position,
                                  int64_t written_ms, struct weir_error *err),
                      void *arg, struct weir_error *err)
{
    struct wr_log_topic *topic = NULL;
    struct walk walk = {.count = 0};
    int rc = wr_log_topic_find(log, WR_POSITIONS_TOPIC, &topic, err);
    if (rc == WEIR_E_NOTFOUND) {
        return 0;
    }
    rc = rc < 0 ? rc : read_all(log, topic, &walk, err);
    wr_log_topic_unref(topic);
    for (size_t i = 0; i < walk.count; i++) {
        const struct stored *s = &walk.items[i];
        if (rc == 0 && s->position.ptr != NULL) {
            rc = each(arg, s->name, s->position, s->written_ms, err);
        }
    }
    for (size_t i = 0; i < walk.count; i++) {
        wr_free((void *)(uintptr_t)walk.items[i].name.ptr);
        wr_free((void *)(uintptr_t)walk.items[i].position.ptr);
    }
    wr_free(walk.items);
    return rc;
}
