#include "run/config_shape.h"

#include "run/config_tree.h"

#include <ctype.h>

static const char *const sections[] = {"log", "sources", "views"};
/* In the form's description, but not in this version: refused rather than left out unseen. */
static const char *const later_sections[] = {"kafka", "http", "aggregates", "sagas"};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool is_among(struct wr_str text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wr_str_eq(text, wr_str_of(names[i]))) {
            return true;
        }
    }
    return false;
}

bool wr_config_is_section(struct wr_str key)
{
    return is_among(key, sections, COUNT(sections)) ||
           is_among(key, later_sections, COUNT(later_sections));
}

bool wr_config_is_name(struct wr_str name)
{
    bool is_good = name.len > 0 && name.len <= 200 && name.ptr[0] != '.';
    for (size_t i = 0; i < name.len && is_good; i++) {
        is_good = isalnum((unsigned char)name.ptr[i]) || strchr("._-", name.ptr[i]) != NULL;
    }
    return is_good;
}

struct wr_config_shaper wr_config_shaper_of(struct wr_arena *arena, const struct wr_conf_warn *warn)
{
    return (struct wr_config_shaper){.arena = arena,
                                     .root = wr_conf_map((struct wr_place){0}),
                                     .connectors = wr_conf_map((struct wr_place){0}),
                                     .warn = warn};
}

/* ---- weir.yaml ---- */

static int check_sections(const struct wr_conf *doc, const struct wr_conf_warn *warn,
                          struct weir_error *err)
{
    for (size_t i = 0; i < doc->count; i++) {
        const struct wr_conf_entry *entry = &doc->entries[i];
        if (is_among(entry->key, later_sections, COUNT(later_sections))) {
            return wr_conf_fail(err, entry->key_at,
                                "this version of weir has no '%.*s' yet; take it out",
                                WR_FMT(entry->key));
        }
        bool is_section = is_among(entry->key, sections, COUNT(sections));
        if (is_section && entry->value.kind != WR_CONF_MAP && !wr_conf_is_null(&entry->value)) {
            return wr_conf_fail(err, entry->value.at, "%.*s must be a map of keys and values",
                                WR_FMT(entry->key));
        }
    }
    wr_conf_warn_unknown(warn, doc, "weir.yaml", sections, COUNT(sections));
    return 0;
}

static int shape_weir(struct wr_config_shaper *s, const struct wr_conf *doc, struct weir_error *err)
{
    int rc = check_sections(doc, s->warn, err);
    return rc < 0 ? rc : wr_conf_merge(s->arena, &s->root, doc, err);
}

/* ---- connectors ---- */

/* A connector as it is gathered from a document. */
struct connector {
    struct wr_place at;
    struct wr_conf keys; /* what becomes the source */
    const struct wr_conf *name;
};

static bool is_map(const struct wr_conf *node)
{
    return node != NULL && node->kind == WR_CONF_MAP;
}

/* One task is what a source is; every manifest says it. */
static bool is_one_task(struct wr_str key, const struct wr_conf *value)
{
    return wr_str_eq(key, WR_STR("tasks.max")) && value->kind == WR_CONF_SCALAR &&
           wr_str_eq(value->text, WR_STR("1"));
}

/* Copy the entries of `from` whose key is not among `but`. */
static int gather(struct wr_config_shaper *s, struct connector *c, const struct wr_conf *from,
                  const char *const *but, size_t count, struct weir_error *err)
{
    for (size_t i = 0; is_map(from) && i < from->count; i++) {
        const struct wr_conf_entry *entry = &from->entries[i];
        if (is_among(entry->key, but, count) || memchr(entry->key.ptr, '/', entry->key.len) ||
            is_one_task(entry->key, &entry->value)) {
            continue; /* a manifest's own keys; with a slash: labels and annotations */
        }
        struct wr_conf *slot = wr_conf_put(s->arena, &c->keys, entry->key, entry->key_at, err);
        if (slot == NULL) {
            return err->code;
        }
        *slot = entry->value;
    }
    return 0;
}

static int put_key(struct wr_config_shaper *s, struct connector *c, const char *key,
                   const struct wr_conf *value, struct weir_error *err)
{
    if (wr_conf_is_null(value) || is_one_task(wr_str_of(key), value)) {
        return 0;
    }
    struct wr_conf *slot = wr_conf_put(s->arena, &c->keys, wr_str_of(key), value->at, err);
    if (slot == NULL) {
        return err->code;
    }
    *slot = *value;
    return 0;
}

static const struct wr_conf *first_of(const struct wr_conf *map, const char *a, const char *b)
{
    const struct wr_conf *value = wr_conf_get(map, a);
    return wr_conf_is_null(value) ? wr_conf_get(map, b) : value;
}

static int name_of(const struct connector *c, struct wr_str *out, struct weir_error *err)
{
    const struct wr_conf *name = c->name;
    if (wr_conf_is_null(name)) {
        name = first_of(&c->keys, "topic.prefix", "database.server.name");
    }
    if (wr_conf_is_null(name)) {
        return wr_conf_fail(err, c->at, "the connector has no name; give it name or topic.prefix");
    }
    int rc = wr_conf_str(name, "the connector's name", out, err);
    if (rc == 0 && !wr_config_is_name(*out)) {
        return wr_conf_fail(err, name->at,
                            "'%.*s' is no name for a source: a-z A-Z 0-9 . _ - are possible",
                            WR_FMT(wr_conf_shown(name)));
    }
    return rc;
}

static int add_connector(struct wr_config_shaper *s, struct connector *c, struct weir_error *err)
{
    struct wr_str name = {"", 0};
    int rc = name_of(c, &name, err);
    if (rc < 0) {
        return rc;
    }
    const struct wr_conf *there = wr_conf_get(&s->connectors, name.ptr);
    if (there != NULL) {
        return wr_conf_fail(err, c->at, "a connector '%.*s' is already defined at %s:%d",
                            WR_FMT(name), there->at.file, there->at.line);
    }
    struct wr_conf *mark = wr_conf_put(s->arena, &s->connectors, name, c->at, err);
    if (mark == NULL) {
        return err->code;
    }
    mark->at = c->at;
    struct wr_conf *all = wr_conf_put_map(s->arena, &s->root, WR_STR("sources"), c->at, err);
    struct wr_conf *source = all == NULL ? NULL : wr_conf_put_map(s->arena, all, name, c->at, err);
    if (source == NULL) {
        return err->code;
    }
    source->at = c->at;
    return wr_conf_merge(s->arena, source, &c->keys, err);
}

/* spec.state and spec.pause ask for a connector that does not run. */
static int check_state(const struct wr_conf *spec, struct weir_error *err)
{
    const struct wr_conf *state = wr_conf_get(spec, "state");
    const struct wr_conf *pause = wr_conf_get(spec, "pause");
    struct wr_str text = WR_STR("running");
    bool is_paused = false;
    int rc = wr_conf_is_null(state) ? 0 : wr_conf_str(state, "state", &text, err);
    if (rc == 0 && !wr_conf_is_null(pause)) {
        rc = wr_conf_bool(pause, "pause", &is_paused, err);
    }
    if (rc < 0 || (!is_paused && wr_str_eq(text, WR_STR("running")))) {
        return rc;
    }
    const struct wr_conf *node = is_paused ? pause : state;
    return wr_conf_fail(err, node->at,
                        "weir runs a connector as long as its file is given; leave the file out "
                        "instead of %s%.*s",
                        is_paused ? "pause: " : "state: ", WR_FMT(wr_conf_shown(node)));
}

/* Whatever indentation is left: connector keys may stand in spec.config, in spec, or at the top. */
static int shape_strimzi(struct wr_config_shaper *s, const struct wr_conf *doc,
                         struct weir_error *err)
{
    static const char *const own[] = {"apiVersion",  "kind",         "metadata",    "spec",
                                      "status",      "name",         "namespace",   "labels",
                                      "annotations", "class",        "tasksMax",    "config",
                                      "state",       "pause",        "autoRestart", "version",
                                      "listOffsets", "alterOffsets", "enabled",     "maxRestarts"};
    const struct wr_conf *spec = wr_conf_get(doc, "spec");
    const struct wr_conf *config =
        is_map(spec) ? wr_conf_get(spec, "config") : wr_conf_get(doc, "config");
    const struct wr_conf *metadata = wr_conf_get(doc, "metadata");
    struct connector c = {.at = doc->at, .keys = wr_conf_map(doc->at)};
    c.name = is_map(metadata) ? wr_conf_get(metadata, "name") : wr_conf_get(doc, "name");

    const struct wr_conf *class = wr_conf_get(is_map(spec) ? spec : doc, "class");
    const struct wr_conf *tasks = wr_conf_get(is_map(spec) ? spec : doc, "tasksMax");
    int rc = check_state(is_map(spec) ? spec : doc, err);
    rc = rc < 0 ? rc : put_key(s, &c, "connector.class", class, err);
    rc = rc < 0 ? rc : put_key(s, &c, "tasks.max", tasks, err);
    rc = rc < 0 ? rc : gather(s, &c, doc, own, COUNT(own), err);
    rc = rc < 0 ? rc : gather(s, &c, spec, own, COUNT(own), err);
    rc = rc < 0 ? rc : gather(s, &c, config, NULL, 0, err);
    if (rc == 0 && wr_conf_get(&c.keys, "connector.class") == NULL) {
        rc = wr_conf_fail(err, doc->at, "the KafkaConnector has no spec.class");
    }
    return rc < 0 ? rc : add_connector(s, &c, err);
}

static int shape_connect(struct wr_config_shaper *s, const struct wr_conf *doc,
                         struct weir_error *err)
{
    static const char *const own[] = {"name", "config"};
    static const char *const beside[] = {"name", "config", "tasks", "type", "initial_state"};
    const struct wr_conf *config = wr_conf_get(doc, "config");
    struct connector c = {.at = doc->at, .keys = wr_conf_map(doc->at)};
    c.name = wr_conf_get(doc, "name");
    if (wr_conf_is_null(c.name) && is_map(config)) {
        c.name = wr_conf_get(config, "name");
    }
    int rc = is_map(config) ? gather(s, &c, config, own, COUNT(own), err)
                            : gather(s, &c, doc, own, COUNT(own), err);
    if (rc == 0 && is_map(config)) {
        wr_conf_warn_unknown(s->warn, doc, "a Connect file", beside, COUNT(beside));
    }
    return rc < 0 ? rc : add_connector(s, &c, err);
}

/* ---- which form ---- */

static bool has_section(const struct wr_conf *doc)
{
    for (size_t i = 0; i < doc->count; i++) {
        if (wr_config_is_section(doc->entries[i].key)) {
            return true;
        }
    }
    return false;
}

static bool is_connect(const struct wr_conf *doc)
{
    const struct wr_conf *config = wr_conf_get(doc, "config");
    return wr_conf_get(doc, "connector.class") != NULL ||
           (is_map(config) && wr_conf_get(config, "connector.class") != NULL);
}

static int unknown_form(const struct wr_conf *doc, struct weir_error *err)
{
    const char *near = NULL;
    for (size_t i = 0; i < doc->count && near == NULL; i++) {
        near = wr_nearest(doc->entries[i].key, sections, COUNT(sections));
    }
    return wr_conf_fail(
        err, doc->at,
        "neither a weir.yaml (log, sources, views) nor a connector (connector.class, or "
        "kind: KafkaConnector)%s%s%s",
        near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
        near == NULL ? "" : ":'?");
}

int wr_config_shape(struct wr_config_shaper *s, const struct wr_conf *doc, struct weir_error *err)
{
    if (doc->kind != WR_CONF_MAP) {
        return wr_conf_fail(err, doc->at, "a configuration must be a map of keys and values");
    }
    const struct wr_conf *kind = wr_conf_get(doc, "kind");
    if (kind != NULL && kind->kind == WR_CONF_SCALAR) {
        if (wr_str_eq(kind->text, WR_STR("KafkaConnector"))) {
            return shape_strimzi(s, doc, err);
        }
        wr_conf_warn(s->warn, kind->at, "kind %.*s is nothing that weir runs; left out",
                     WR_FMT(wr_conf_shown(kind)));
        return 0;
    }
    if (is_connect(doc)) {
        return shape_connect(s, doc, err);
    }
    return has_section(doc) ? shape_weir(s, doc, err) : unknown_form(doc, err);
}
