#include "run/workers.h"

#include "base/iso_time.h"
#include "base/trace.h"
#include "data/json_text.h"
#include "source/connector_key.h"
#include "source/source.h"
#include "view/definition.h"

#include <stdio.h>

enum {
    FIELDS_MAX = 32,
    VIEW_MEMORY_MAX = 64 * 1024 * 1024,
    STATUS_MEMORY_MAX = 16 * 1024 * 1024
};

struct one_source {
    struct wr_source *source;
    const struct wr_conf *conf;
    enum wr_source_state said; /* the state that was told last */
};

struct one_view {
    struct wr_view *view;
    struct wr_view_definition definition;
};

struct wr_workers {
    struct wr_arena arena;
    struct one_source *sources;
    size_t source_count;
    struct one_view *views;
    size_t view_count;
};

/* ---- checking ---- */

/* What is not there yet is a matter of the configuration too. */
static int as_config_error(int rc, struct weir_error *err)
{
    if (rc == WEIR_E_UNSUPPORTED || rc == WEIR_E_INPUT) {
        err->code = WEIR_E_CONFIG;
    }
    return rc < 0 ? err->code : rc;
}

static size_t count_of(const struct wr_conf *section)
{
    return section == NULL ? 0 : section->count;
}

int wr_workers_check(const struct wr_config *config, const struct wr_conf_warn *warn,
                     struct weir_error *err)
{
    const struct wr_conf *sources = wr_config_section(config, "sources");
    const struct wr_conf *views = wr_config_section(config, "views");
    struct wr_arena arena = wr_arena_of(VIEW_MEMORY_MAX);
    int rc = 0;
    for (size_t i = 0; i < count_of(sources) && rc == 0; i++) {
        const struct wr_conf_entry *entry = &sources->entries[i];
        struct wr_connector unused;
        rc = wr_connector_check(&entry->value, entry->key.ptr, warn, &unused, err);
    }
    for (size_t i = 0; i < count_of(views) && rc == 0; i++) {
        const struct wr_conf_entry *entry = &views->entries[i];
        struct wr_view_definition unused;
        rc = wr_view_definition_read(entry->key, &entry->value, &arena, warn, &unused, err);
    }
    wr_arena_fini(&arena);
    return as_config_error(rc, err);
}

/* ---- opening ---- */

static int open_source(struct wr_workers *workers, const struct wr_conf_entry *entry,
                       struct wr_log *log, const struct wr_wake *changed, struct weir_error *err)
{
    struct one_source *one = &workers->sources[workers->source_count];
    const struct wr_source_options options = {.name = entry->key.ptr,
                                              .conf = &entry->value,
                                              .log = log,
                                              .clock = wr_clock_os(),
                                              .changed = changed};
    int rc = wr_source_open(&options, &one->source, err);
    if (rc < 0) {
        return as_config_error(rc, err);
    }
    one->conf = &entry->value;
    one->said = WR_SOURCE_STOPPED;
    workers->source_count++;
    return 0;
}

static int open_view(struct wr_workers *workers, const struct wr_conf_entry *entry,
                     struct wr_log *log, const struct wr_wake *changed, struct weir_error *err)
{
    struct one_view *one = &workers->views[workers->view_count];
    int rc = wr_view_definition_read(entry->key, &entry->value, &workers->arena, NULL,
                                     &one->definition, err);
    const struct wr_view_options options = {
        .log = log, .definition = &one->definition, .clock = wr_clock_os(), .ended = changed};
    rc = rc < 0 ? rc : wr_view_new(&options, &one->view, err);
    if (rc < 0) {
        return as_config_error(rc, err);
    }
    workers->view_count++;
    return 0;
}

static int open_all(struct wr_workers *workers, const struct wr_config *config, struct wr_log *log,
                    const struct wr_wake *changed, struct weir_error *err)
{
    const struct wr_conf *sources = wr_config_section(config, "sources");
    const struct wr_conf *views = wr_config_section(config, "views");
    workers->sources = wr_alloc_array(count_of(sources) + 1, sizeof(*workers->sources));
    workers->views = wr_alloc_array(count_of(views) + 1, sizeof(*workers->views));
    if (workers->sources == NULL || workers->views == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "sources and views");
    }
    int rc = 0;
    for (size_t i = 0; i < count_of(sources) && rc == 0; i++) {
        rc = open_source(workers, &sources->entries[i], log, changed, err);
    }
    for (size_t i = 0; i < count_of(views) && rc == 0; i++) {
        rc = open_view(workers, &views->entries[i], log, changed, err);
    }
    return rc;
}

int wr_workers_open(const struct wr_config *config, struct wr_log *log,
                    const struct wr_wake *changed, struct wr_workers **out, struct weir_error *err)
{
    struct wr_workers *workers = wr_alloc_array(1, sizeof(*workers));
    if (workers == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "sources and views");
    }
    workers->arena = wr_arena_of(VIEW_MEMORY_MAX);
    int rc = open_all(workers, config, log, changed, err);
    if (rc < 0) {
        wr_workers_close(workers);
        return rc;
    }
    *out = workers;
    return 0;
}

int wr_workers_start(struct wr_workers *workers, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < workers->view_count && rc == 0; i++) {
        rc = wr_view_prepare(workers->views[i].view, err);
    }
    for (size_t i = 0; i < workers->view_count && rc == 0; i++) {
        rc = wr_view_start(workers->views[i].view, err);
    }
    for (size_t i = 0; i < workers->source_count && rc == 0; i++) {
        rc = wr_source_start(workers->sources[i].source, err);
    }
    return rc;
}

void wr_workers_stop(struct wr_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    for (size_t i = 0; i < workers->source_count; i++) {
        wr_source_stop(workers->sources[i].source);
    }
    for (size_t i = 0; i < workers->view_count; i++) {
        wr_view_stop(workers->views[i].view);
    }
}

void wr_workers_close(struct wr_workers *workers)
{
    if (workers == NULL) {
        return;
    }
    wr_workers_stop(workers);
    for (size_t i = 0; i < workers->source_count; i++) {
        wr_source_close(workers->sources[i].source);
    }
    for (size_t i = 0; i < workers->view_count; i++) {
        wr_view_close(workers->views[i].view);
    }
    wr_free(workers->sources);
    wr_free(workers->views);
    wr_arena_fini(&workers->arena);
    wr_free(workers);
}

/* ---- watching ---- */

size_t wr_workers_count(const struct wr_workers *workers)
{
    return workers->source_count + workers->view_count;
}

static bool is_view_alive(struct wr_view *view)
{
    struct wr_arena arena = wr_arena_of(STATUS_MEMORY_MAX);
    struct wr_view_status status = {.state = WR_VIEW_READING};
    struct weir_error err;
    /* Out of memory says nothing about the view. */
    (void)(wr_view_status(view, &arena, &status, &err) < 0);
    wr_arena_fini(&arena);
    return status.state != WR_VIEW_STOPPED && status.state != WR_VIEW_FAILED;
}

size_t wr_workers_alive(struct wr_workers *workers)
{
    size_t alive = 0;
    for (size_t i = 0; i < workers->source_count; i++) {
        struct wr_source_status status;
        wr_source_status(workers->sources[i].source, &status);
        alive += status.state != WR_SOURCE_STOPPED && status.state != WR_SOURCE_FAILED ? 1 : 0;
    }
    for (size_t i = 0; i < workers->view_count; i++) {
        alive += is_view_alive(workers->views[i].view) ? 1 : 0;
    }
    return alive;
}

void wr_workers_say(struct wr_workers *workers)
{
    for (size_t i = 0; i < workers->source_count; i++) {
        struct one_source *one = &workers->sources[i];
        struct wr_source_status status;
        char context[256];
        wr_source_status(one->source, &status);
        bool is_new = status.state == WR_SOURCE_STREAMING && one->said == WR_SOURCE_STOPPED;
        one->said = status.state == WR_SOURCE_STREAMING ? status.state : one->said;
        if (!is_new) {
            continue; /* sources tell of what goes wrong, and of their return, themselves */
        }
        (void)snprintf(context, sizeof(context), "source/%s", wr_source_name(one->source));
        if (status.has_snapshot) {
            wr_trace(WR_INFO, context, "copied %llu rows of %zu tables, now streaming",
                     (unsigned long long)status.snapshot_rows, status.snapshot_tables);
        } else {
            wr_trace(WR_INFO, context, "streaming from %s", status.stored);
        }
    }
}

/* ---- telling ---- */

static const char *source_state_text(enum wr_source_state state)
{
    static const char *const texts[WR_SOURCE_STATES] = {
        [WR_SOURCE_STOPPED] = "stopped",     [WR_SOURCE_CONNECTING] = "connecting",
        [WR_SOURCE_SNAPSHOT] = "snapshot",   [WR_SOURCE_STREAMING] = "streaming",
        [WR_SOURCE_BACKOFF] = "backing off", [WR_SOURCE_FAILED] = "failed"};
    return texts[state];
}

/* A worker's fields as they are filled in. */
struct fields {
    struct wr_api_field items[FIELDS_MAX];
    size_t count;
};

static void add(struct fields *fields, const struct wr_api_field *field)
{
    WR_ASSERT(fields->count < FIELDS_MAX);
    fields->items[fields->count++] = *field;
}

static void add_text(struct fields *fields, const char *name, const char *text)
{
    add(fields, &(struct wr_api_field){
                    .name = name, .text = text, .is_null = text == NULL || text[0] == 0});
}

static void add_number(struct fields *fields, const char *name, bool has, uint64_t number)
{
    add(fields, &(struct wr_api_field){.name = name, .number = (int64_t)number, .is_null = !has});
}

/* `room` holds the text as long as the fields are used. */
static void add_time(struct fields *fields, const char *name, int64_t time_us,
                     char room[WR_ISO_TIME_LEN + 1])
{
    if (time_us > 0) {
        wr_iso_time_format(time_us / 1000, room);
    } else {
        room[0] = 0;
    }
    add_text(fields, name, room);
}

static void add_source_numbers(struct fields *fields, const struct wr_source_status *s)
{
    add_number(fields, "lag_bytes", s->has_lag, s->lag_bytes);
    add_number(fields, "retained_bytes", s->has_retained, s->retained_bytes);
    add_number(fields, "changes", true, s->changes);
    add_number(fields, "transactions", true, s->transactions);
    add_number(fields, "records", true, s->records);
    add_number(fields, "commits", true, s->commits);
    add_number(fields, "heartbeats", true, s->heartbeats);
    add_number(fields, "warnings", true, s->warnings);
    add_number(fields, "snapshot_tables", s->has_snapshot, s->snapshot_tables);
    add_number(fields, "snapshot_tables_done", s->has_snapshot, s->snapshot_tables_done);
    add_number(fields, "snapshot_rows", s->has_snapshot, s->snapshot_rows);
    add_text(fields, "snapshot_table", s->snapshot_table);
}

typedef int (*tell_each)(void *to, const struct wr_api_worker *worker, struct weir_error *err);

static int tell_source(struct one_source *one, bool wants_all, tell_each each, void *to,
                       struct weir_error *err)
{
    struct wr_source_status s;
    struct fields fields = {.count = 0};
    char since[WR_ISO_TIME_LEN + 1];
    char last[WR_ISO_TIME_LEN + 1];
    char heard[WR_ISO_TIME_LEN + 1];
    wr_source_status(one->source, &s);
    add_text(&fields, "connector", s.connector);
    add_text(&fields, "state", source_state_text(s.state));
    if (wants_all) {
        add_time(&fields, "since", s.state_since_us, since);
        add_text(&fields, "error", s.error.code == 0 ? NULL : s.error.text);
        add_number(&fields, "retries", true, s.retries);
        add_text(&fields, "received", s.received);
        add_text(&fields, "stored", s.stored);
        add_text(&fields, "confirmed", s.confirmed);
        add_time(&fields, "last_event", s.last_event_us, last);
        add_time(&fields, "last_heard", s.heard_us, heard);
        add_source_numbers(&fields, &s);
    } else {
        add_text(&fields, "position", s.stored);
        add_number(&fields, "records", true, s.records);
        add_text(&fields, "error", s.error.code == 0 ? NULL : s.error.text);
    }
    const struct wr_api_worker worker = {wr_source_name(one->source), fields.items, fields.count};
    return each(to, &worker, err);
}

void wr_workers_put_partitions(struct wr_writer *out,
                               const struct wr_view_partition_status *partitions, size_t count)
{
    wr_put_lit(out, "[");
    for (size_t i = 0; i < count; i++) {
        const struct wr_view_partition_status *p = &partitions[i];
        wr_put_fmt(out, "%s{\"topic\": \"%s\", \"partition\": %u, \"next_offset\": %lld, \"lag\": ",
                   i == 0 ? "" : ", ", p->topic, p->partition, (long long)p->next_offset);
        if (p->lag < 0) {
            wr_put_lit(out, "null}");
        } else {
            wr_put_fmt(out, "%lld}", (long long)p->lag);
        }
    }
    wr_put_lit(out, "]");
    wr_put_u8(out, 0);
}

bool wr_workers_lag(const struct wr_view_partition_status *partitions, size_t count, uint64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (partitions[i].lag < 0) {
            return false;
        }
        *out += (uint64_t)partitions[i].lag;
    }
    return true;
}

static void add_view_counts(struct fields *fields, const struct wr_view_status *s)
{
    add_number(fields, "applied", true, s->counts.applied);
    add_number(fields, "skipped", true, s->counts.skipped);
    add_number(fields, "unhandled", true, s->counts.unhandled);
    add_number(fields, "ignored", true, s->counts.ignored);
    add_text(fields, "last_skip", s->last_skip);
    add_number(fields, "batches", true, s->batches);
    add_number(fields, "last_batch_records", true, s->last_batch_records);
    add_number(fields, "last_batch_us", true, (uint64_t)s->last_batch_us);
}

const char *wr_workers_target(const struct wr_conf *to)
{
    return to->kind != WR_CONF_SCALAR || to->is_secret ? "****" : to->text.ptr;
}

static int tell_view(struct one_view *one, bool wants_all, tell_each each, void *to,
                     struct weir_error *err)
{
    struct wr_arena arena = wr_arena_of(STATUS_MEMORY_MAX);
    struct wr_writer partitions = wr_writer_growing(STATUS_MEMORY_MAX);
    struct wr_view_status s = {.name = ""};
    struct fields fields = {.count = 0};
    char commit[WR_ISO_TIME_LEN + 1];
    char event[WR_ISO_TIME_LEN + 1];
    uint64_t lag = 0;
    int rc = wr_view_status(one->view, &arena, &s, err);
    if (rc == 0) {
        bool has_lag = wr_workers_lag(s.partitions, s.partition_count, &lag);
        wr_workers_put_partitions(&partitions, s.partitions, s.partition_count);
        add_text(&fields, "to", wr_workers_target(one->definition.to));
        add_text(&fields, "state", s.state_text);
        add_number(&fields, "lag", has_lag, lag);
        add_text(&fields, "error", s.why);
        add_text(&fields, "waits_for", s.waits_for);
    }
    if (rc == 0 && wants_all) {
        add_view_counts(&fields, &s);
        add_time(&fields, "last_commit", s.last_commit_ms * 1000, commit);
        add_time(&fields, "last_event", s.last_event_ms * 1000, event);
        add(&fields, &(struct wr_api_field){.name = "partitions",
                                            .text = (const char *)partitions.base,
                                            .is_json = true});
        rc = wr_writer_end(&partitions, err);
    }
    const struct wr_api_worker worker = {s.name, fields.items, fields.count};
    rc = rc < 0 ? rc : each(to, &worker, err);
    wr_writer_fini(&partitions);
    wr_arena_fini(&arena);
    return rc;
}

int wr_workers_tell(void *arg, enum wr_api_worker_kind kind, bool wants_all, tell_each each,
                    void *to, struct weir_error *err)
{
    struct wr_workers *workers = arg;
    int rc = 0;
    for (size_t i = 0; kind == WR_API_SOURCES && i < workers->source_count && rc == 0; i++) {
        rc = tell_source(&workers->sources[i], wants_all, each, to, err);
    }
    for (size_t i = 0; kind == WR_API_VIEWS && i < workers->view_count && rc == 0; i++) {
        rc = tell_view(&workers->views[i], wants_all, each, to, err);
    }
    return rc;
}

/* ---- the start-up text ---- */

static const char *text_of(const struct wr_conf *map, const char *key, const char *otherwise)
{
    const struct wr_conf *node = wr_conf_get(map, key);
    bool is_shown = !wr_conf_is_null(node) && node->kind == WR_CONF_SCALAR && !node->is_secret;
    return is_shown ? node->text.ptr : otherwise;
}

void wr_workers_describe(struct wr_workers *workers, struct wr_writer *out)
{
    for (size_t i = 0; i < workers->source_count; i++) {
        const struct wr_conf *conf = workers->sources[i].conf;
        const char *name = wr_source_name(workers->sources[i].source);
        const char *prefix = text_of(conf, "database.server.name", name);
        wr_put_fmt(out, "  source %s: %s:%s/%s -> %s.*\n", name,
                   text_of(conf, "database.hostname", "?"), text_of(conf, "database.port", "5432"),
                   text_of(conf, "database.dbname", "?"), text_of(conf, "topic.prefix", prefix));
    }
    for (size_t i = 0; i < workers->view_count; i++) {
        const struct wr_view_definition *view = &workers->views[i].definition;
        wr_put_fmt(out, "  view %s: ", view->name.ptr);
        for (size_t t = 0; t < view->from_count; t++) {
            bool is_shown = !view->from[t].is_secret;
            wr_put_fmt(out, "%s%s", t == 0 ? "" : ", ",
                       is_shown ? view->from[t].pattern.ptr : "****");
        }
        wr_put_fmt(out, " -> %s\n", wr_workers_target(view->to));
    }
}
