#include "run/stopped.h"

#include "base/iso_time.h"
#include "source/position.h"
#include "source/source.h"

#include <stdio.h>

enum {
    FIELDS_MAX = 8,
    NAME_MAX_BYTES = 201 /* as long as a source's name may be, and a NUL */
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

static int tell_views(const struct telling *t, struct weir_error *err)
{
    const struct wr_api_field state = text_field("state", "stopped");
    int rc = 0;
    for (size_t i = 0; t->section != NULL && i < t->section->count && rc == 0; i++) {
        const struct wr_api_worker worker = {t->section->entries[i].key.ptr, &state, 1};
        rc = t->each(t->to, &worker, err);
    }
    return rc;
}

int wr_stopped_tell(void *arg, enum wr_api_worker_kind kind, bool wants_all, tell_each each,
                    void *to, struct weir_error *err)
{
    const struct wr_stopped *stopped = arg;
    const char *name = kind == WR_API_SOURCES ? "sources" : "views";
    struct telling t = {.section = wr_config_section(stopped->config, name),
                        .wants_all = wants_all,
                        .each = each,
                        .to = to};
    return kind == WR_API_SOURCES ? tell_sources(&t, stopped->log, err) : tell_views(&t, err);
}
