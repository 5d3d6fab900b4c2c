#include "run/stopped.h"

#include "base/iso_time.h"
#include "run/workers.h"
#include "source/position.h"
#include "source/source.h"
#include "view/sink.h"

#include <stdio.h>

enum {
    FIELDS_MAX = 8,
    NAME_MAX_BYTES = 201, /* as long as a source's name may be, and a NUL */
    PLACES_MAX = 100000,  /* partitions of a view */
    PLACES_BYTES_MAX = 32 << 20
};

typedef int (*tell_each)(void *to, const struct wr_api_worker *worker, struct weir_error *err);

struct telling {
    const struct wr_conf *section; /* of weir.yaml; NULL: none */
    const char *only;              /* the source that is told now; NULL: those that are not there */
    bool is_found;
    bool wants_all;
    tell_each each;
    void *to;
};

static struct wr_api_field text_field(const char *name, const char *text)
{
    return (struct wr_api_field){
        .name = name, .text = text, .is_null = text == NULL || text[0] == 0};
}

/* `position` NULL: it has none. */
static int tell_source(struct telling *t, const char *name, const struct wr_str *position,
                       int64_t written_ms, struct weir_error *err)
{
    struct wr_source_place place = {.connector = NULL};
    struct weir_error why = {.code = 0};
    char written[WR_ISO_TIME_LEN + 1] = "";
    size_t count = 0;
    if (position != NULL) {
        /* One that cannot be read is shown as that; the others are no worse for it. */
        (void)(wr_source_stored(*position, &place, &why) < 0);
        wr_iso_time_format(written_ms, written);
    }
    struct wr_api_field fields[FIELDS_MAX];
    fields[count++] = text_field("connector", place.connector);
    fields[count++] = text_field("state", "stopped");
    if (t->wants_all) {
        fields[count++] = text_field("error", why.code < 0 ? why.text : NULL);
        fields[count++] = text_field("stored", place.stored);
        fields[count++] = text_field("stored_at", written);
        fields[count++] = text_field("database", place.database);
        fields[count++] = text_field("slot", place.slot);
    } else {
        fields[count++] = text_field("position", place.stored);
        fields[count++] = text_field("error", why.code < 0 ? why.text : NULL);
    }
    const struct wr_api_worker worker = {name, fields, count};
    return t->each(t->to, &worker, err);
}

static int take_position(void *arg, struct wr_str name, struct wr_str position, int64_t written_ms,
                         struct weir_error *err)
{
    struct telling *t = arg;
    char copy[NAME_MAX_BYTES];
    (void)snprintf(copy, sizeof(copy), "%.*s", WR_FMT(name));
    bool is_wanted =
        t->only != NULL ? strcmp(copy, t->only) == 0 : wr_conf_get(t->section, copy) == NULL;
    if (!is_wanted) {
        return 0;
    }
    t->is_found = true;
    return tell_source(t, copy, &position, written_ms, err);
}

static int tell_sources(struct telling *t, struct wr_log *log, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; t->section != NULL && i < t->section->count && rc == 0; i++) {
        t->only = t->section->entries[i].key.ptr;
        t->is_found = false;
        rc = log == NULL ? 0 : wr_positions_each(log, take_position, t, err);
        rc = rc < 0 || t->is_found ? rc : tell_source(t, t->only, NULL, 0, err);
    }
    t->only = NULL;
    return rc < 0 || log == NULL ? rc : wr_positions_each(log, take_position, t, err);
}

/* ---- views ---- */

/* Where a view stands, as its store has it. */
struct places {
    struct wr_log *log; /* NULL: there is none */
    struct wr_arena arena;
    struct wr_view_partition_status *items;
    size_t count;
    size_t cap;
};

/* Records between a position and the end of what can be read; -1 when the log has not that topic any more. */
static int64_t lag_of(struct wr_log *log, const struct wr_sink_position *position)
{
    struct wr_log_topic *topic = NULL;
    struct wr_partition_info info;
    struct weir_error unused;
    if (log == NULL || wr_log_topic_find(log, position->topic.ptr, &topic, &unused) < 0) {
        return -1;
    }
    bool is_same = memcmp(&topic->id, &position->topic_id, sizeof(topic->id)) == 0 &&
                   position->partition < topic->partition_count &&
                   wr_log_partition_info(log, topic, position->partition, &info, &unused) == 0 &&
                   info.last_stable >= position->next_offset;
    wr_log_topic_unref(topic);
    return is_same ? info.last_stable - position->next_offset : -1;
}

static int take_place(void *arg, const struct wr_sink_position *position, struct weir_error *err)
{
    struct places *places = arg;
    const char *topic = wr_arena_str(&places->arena, position->topic);
    if (topic == NULL || !wr_grow(&places->items, &places->cap, places->count + 1,
                                  sizeof(*places->items), PLACES_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "positions of a view");
    }
    places->items[places->count++] =
        (struct wr_view_partition_status){.topic = topic,
                                          .partition = position->partition,
                                          .next_offset = position->next_offset,
                                          .lag = lag_of(places->log, position)};
    return 0;
}

static void places_fini(struct places *places)
{
    wr_free(places->items);
    wr_arena_fini(&places->arena);
}

/* Only what the store is asked for is read of the definition; the rest need not be right. */
static int find_places(const struct wr_conf_entry *entry, const struct wr_conf *to,
                       struct places *places, struct weir_error *err)
{
    const struct wr_view_definition view = {.name = entry->key, .at = entry->value.at, .to = to};
    int rc = to == NULL ? 0 : wr_sink_stored(&view, take_place, places, err);
    if (rc == WEIR_E_NOTFOUND) { /* it has never run */
        err->code = 0;
        return 0;
    }
    return rc;
}

static int tell_view(const struct telling *t, const struct wr_conf_entry *entry, struct wr_log *log,
                     struct weir_error *err)
{
    const struct wr_conf *to = wr_conf_get(&entry->value, "to");
    struct places places WR_CLEANUP(places_fini) = {.log = log,
                                                    .arena = wr_arena_of(PLACES_BYTES_MAX)};
    struct wr_writer json WR_CLEANUP(wr_writer_fini) = wr_writer_growing(PLACES_BYTES_MAX);
    struct weir_error why = {.code = 0};
    uint64_t lag = 0;
    /* A store that cannot be read is shown as that; the others are no worse for it. */
    (void)(find_places(entry, to, &places, &why) < 0);
    bool has_lag = wr_workers_lag(places.items, places.count, &lag) && places.count > 0;
    wr_workers_put_partitions(&json, places.items, places.count);
    int rc = wr_writer_end(&json, err);
    const struct wr_api_field fields[] = {
        text_field("to", to == NULL ? NULL : wr_workers_target(to)),
        text_field("state", "stopped"),
        {.name = "lag", .number = (int64_t)lag, .is_null = !has_lag},
        text_field("error", why.code < 0 ? why.text : NULL),
        {.name = "partitions", .text = (const char *)json.base, .is_json = true}};
    const struct wr_api_worker worker = {
        entry->key.ptr, fields, sizeof(fields) / sizeof(fields[0]) - (t->wants_all ? 0 : 1)};
    return rc < 0 ? rc : t->each(t->to, &worker, err);
}

static int tell_views(const struct telling *t, struct wr_log *log, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; t->section != NULL && i < t->section->count && rc == 0; i++) {
        rc = tell_view(t, &t->section->entries[i], log, err);
    }
    return rc;
}

/* ---- both ---- */

int wr_stopped_tell(void *arg, enum wr_api_worker_kind kind, bool wants_all, tell_each each,
                    void *to, struct weir_error *err)
{
    const struct wr_stopped *stopped = arg;
    const char *name = kind == WR_API_SOURCES ? "sources" : "views";
    struct telling t = {.section = wr_config_section(stopped->config, name),
                        .wants_all = wants_all,
                        .each = each,
                        .to = to};
    return kind == WR_API_SOURCES ? tell_sources(&t, stopped->log, err)
                                  : tell_views(&t, stopped->log, err);
}
