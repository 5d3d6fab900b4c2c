/* topics.c - topics: list, describe, create, delete. */
#include "data/json_text.h"
#include "serve/http/route.h"

#include <jansson.h>

enum {
    SETTINGS_MAX = 64
};

int wr_api_check_internal(const struct wr_api_request *request, const char *topic,
                          struct weir_error *err)
{
    bool is_wanted = false;
    int rc = wr_api_flag(request, "internal", &is_wanted, err);
    if (rc < 0 || is_wanted || !wr_topic_is_internal(topic)) {
        return rc;
    }
    return wr_fail(err, WEIR_E_INPUT, "topic '%.100s' is weir's own; say --internal to reach it",
                   topic);
}

int wr_api_topic_result(int rc, struct weir_error *err)
{
    if (rc != WEIR_E_NOTFOUND) {
        return rc;
    }
    const struct weir_error why = *err;
    return wr_fail(err, rc, "%.400s; weir topics list shows those that are there", why.text);
}

static void put_id(struct wr_writer *out, const struct wr_topic_id *id)
{
    static const char dash_before[16] = {[4] = 1, [6] = 1, [8] = 1, [10] = 1};
    for (size_t i = 0; i < sizeof(id->bytes); i++) {
        wr_put_fmt(out, "%s%02x", dash_before[i] != 0 ? "-" : "", id->bytes[i]);
    }
}

/* {"name": …, "id": …, "partitions": N — without the closing brace. */
static void put_head(struct wr_writer *out, const struct wr_log_topic *topic)
{
    wr_put_fmt(out, "{\"name\": \"%s\", \"id\": \"", topic->name);
    put_id(out, &topic->id);
    wr_put_lit(out, "\"");
}

/* What a topic has in all its partitions together. */
struct sum {
    int64_t records;
    uint64_t bytes;
    uint32_t damaged;
};

static int sum_up(struct wr_log *log, const struct wr_log_topic *topic, struct sum *sum,
                  struct weir_error *err)
{
    for (uint32_t p = 0; p < topic->partition_count; p++) {
        struct wr_partition_info info = {0};
        int rc = wr_log_partition_info(log, topic, p, &info, err);
        if (rc < 0) {
            return rc;
        }
        sum->records += info.high_watermark - info.log_start;
        sum->bytes += info.size_bytes;
        sum->damaged += info.is_damaged ? 1 : 0;
    }
    return 0;
}

struct listing {
    const struct wr_api_request *request;
    struct wr_writer *out;
    bool wants_internal;
};

static int list_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct listing *listing = arg;
    struct wr_writer *out = listing->out;
    struct sum sum = {0};
    if (!listing->wants_internal && wr_topic_is_internal(topic->name)) {
        return 0;
    }
    int rc = sum_up(listing->request->api->log, topic, &sum, err);
    if (rc == WEIR_E_NOTFOUND) { /* deleted while we look */
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    if (out->len > 1) {
        wr_put_lit(out, ", ");
    }
    put_head(out, topic);
    wr_put_fmt(out,
               ", \"partitions\": %u, \"records\": %lld, \"bytes\": %llu, \"damaged\": %u, "
               "\"internal\": %s}",
               topic->partition_count, (long long)sum.records, (unsigned long long)sum.bytes,
               sum.damaged, wr_topic_is_internal(topic->name) ? "true" : "false");
    return wr_writer_end(out, err);
}

int wr_api_topics_list(const struct wr_api_request *request, struct wr_str body,
                       struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    struct listing listing = {.request = request, .out = out};
    int rc = wr_api_flag(request, "internal", &listing.wants_internal, err);
    if (rc < 0) {
        return rc;
    }
    wr_put_lit(out, "[");
    rc = wr_log_topic_list(request->api->log, list_topic, &listing, err);
    wr_put_lit(out, "]");
    return rc;
}

/* ---- describe ---- */

static int put_partition(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                         struct wr_writer *out, struct weir_error *err)
{
    struct wr_partition_info info = {0};
    int rc = wr_log_partition_info(log, topic, partition, &info, err);
    if (rc < 0) {
        return rc;
    }
    wr_put_fmt(out,
               "%s{\"partition\": %u, \"log_start\": %lld, \"last_stable\": %lld, "
               "\"high_watermark\": %lld, \"leader_epoch\": %d, \"bytes\": %llu, \"damaged\": %s}",
               partition == 0 ? "" : ", ", partition, (long long)info.log_start,
               (long long)info.last_stable, (long long)info.high_watermark, info.leader_epoch,
               (unsigned long long)info.size_bytes, info.is_damaged ? "true" : "false");
    return 0;
}

struct settings {
    struct wr_writer *out;
    size_t count;
};

static int put_setting(void *arg, const struct wr_topic_setting *setting, struct weir_error *err)
{
    struct settings *settings = arg;
    WR_UNUSED(err);
    wr_put_str(settings->out, settings->count++ == 0 ? WR_STR("") : WR_STR(", "));
    wr_put_json_string(settings->out, wr_str_of(setting->key));
    wr_put_lit(settings->out, ": ");
    wr_put_json_string(settings->out, wr_str_of(setting->value));
    return 0;
}

static int put_topic(struct wr_log *log, const struct wr_log_topic *topic, struct wr_writer *out,
                     struct weir_error *err)
{
    put_head(out, topic);
    wr_put_lit(out, ", \"partitions\": [");
    int rc = 0;
    for (uint32_t p = 0; p < topic->partition_count && rc == 0; p++) {
        rc = put_partition(log, topic, p, out, err);
    }
    wr_put_lit(out, "], \"config\": {");
    struct settings settings = {out, 0};
    rc = rc < 0 ? rc : wr_log_topic_settings(log, topic, put_setting, &settings, err);
    wr_put_lit(out, "}}");
    return rc;
}

int wr_api_topics_describe(const struct wr_api_request *request, struct wr_str body,
                           struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    struct wr_log *log = request->api->log;
    struct wr_log_topic *topic = NULL;
    int rc = wr_api_check_internal(request, request->args[0], err);
    rc = rc < 0 ? rc
                : wr_api_topic_result(wr_log_topic_find(log, request->args[0], &topic, err), err);
    if (rc < 0) {
        return rc;
    }
    wr_put_lit(out, "[");
    rc = put_topic(log, topic, out, err);
    wr_put_lit(out, "]");
    wr_log_topic_unref(topic);
    return rc;
}

/* ---- create ---- */

/* {"name": …, "partitions": 1, "config": {…}} into a spec that borrows from `root`. */
static int read_spec(json_t *root, struct wr_topic_spec *spec, struct wr_topic_setting *settings,
                     struct weir_error *err)
{
    json_t *name = json_object_get(root, "name");
    json_t *partitions = json_object_get(root, "partitions");
    json_t *config = json_object_get(root, "config");
    json_int_t count = partitions == NULL ? 1 : json_integer_value(partitions);
    if (!json_is_string(name)) {
        return wr_fail(err, WEIR_E_INPUT, "name must be the name of the topic");
    }
    if (count < 1 || count > UINT32_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "partitions must be a whole number from 1 on");
    }
    if (config != NULL && (!json_is_object(config) || json_object_size(config) > SETTINGS_MAX)) {
        return wr_fail(err, WEIR_E_INPUT, "config must be an object of at most %d settings",
                       SETTINGS_MAX);
    }
    const char *key = NULL;
    json_t *value = NULL;
    *spec = (struct wr_topic_spec){
        .name = json_string_value(name), .partition_count = (uint32_t)count, .settings = settings};
    json_object_foreach(config, key, value)
    {
        if (!json_is_string(value)) {
            return wr_fail(err, WEIR_E_INPUT, "config: %.100s must be a string", key);
        }
        settings[spec->setting_count++] = (struct wr_topic_setting){key, json_string_value(value)};
    }
    return 0;
}

static int create(const struct wr_api_request *request, json_t *root, struct wr_writer *out,
                  struct weir_error *err)
{
    struct wr_log *log = request->api->log;
    struct wr_topic_setting settings[SETTINGS_MAX];
    struct wr_topic_spec spec = {.name = ""};
    struct wr_log_topic *topic = NULL;
    int rc = read_spec(root, &spec, settings, err);
    rc = rc < 0 ? rc : wr_api_check_internal(request, spec.name, err);
    rc = rc < 0 ? rc : wr_log_topic_create(log, &spec, &topic, err);
    if (rc < 0) {
        return rc;
    }
    rc = put_topic(log, topic, out, err);
    wr_log_topic_unref(topic);
    return rc;
}

int wr_api_topics_create(const struct wr_api_request *request, struct wr_str body,
                         struct wr_writer *out, struct weir_error *err)
{
    json_error_t why;
    json_t *root =
        json_loadb(body.ptr == NULL ? "" : body.ptr, body.len, JSON_REJECT_DUPLICATES, &why);
    if (root == NULL) {
        return wr_fail(err, WEIR_E_INPUT, "the body is no JSON: %s at byte %d", why.text,
                       why.position);
    }
    int rc = json_is_object(root) ? create(request, root, out, err)
                                  : wr_fail(err, WEIR_E_INPUT, "the body must be an object");
    json_decref(root);
    return rc;
}

int wr_api_topics_delete(const struct wr_api_request *request, struct wr_str body,
                         struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    const char *name = request->args[0];
    int rc = wr_api_check_internal(request, name, err);
    rc = rc < 0 ? rc : wr_api_topic_result(wr_log_topic_delete(request->api->log, name, err), err);
    if (rc == 0) {
        wr_put_lit(out, "{\"name\": ");
        wr_put_json_string(out, wr_str_of(name));
        wr_put_lit(out, "}");
    }
    return rc;
}
