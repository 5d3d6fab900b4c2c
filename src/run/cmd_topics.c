/* cmd_topics.c - weir topics list|describe|create|delete */
#include "base/trace.h"
#include "data/json_text.h"
#include "run/commands.h"
#include "run/out.h"
#include "run/session.h"

#include <jansson.h>
#include <unistd.h>

#define INTERNAL                                                                    \
    {                                                                               \
        "internal", 0, false, NULL, "also weir's own topics (__weir_*)", WR_CLI_ANY \
    }

static const struct wr_api_param is_internal[] = {{"internal", "true"}};

/* ---- list ---- */

static int put_names(struct wr_str json, struct weir_error *err)
{
    json_t *root = json_loadb(json.len == 0 ? "" : json.ptr, json.len, 0, NULL);
    struct wr_writer out = wr_writer_growing(json.len + 64);
    for (size_t i = 0; i < json_array_size(root); i++) {
        const char *name = json_string_value(json_object_get(json_array_get(root, i), "name"));
        wr_put_str(&out, wr_str_of(name == NULL ? "" : name));
        wr_put_lit(&out, "\n");
    }
    int rc = wr_out_writer(&out, err);
    wr_writer_fini(&out);
    json_decref(root);
    return rc;
}

static int show_topics(const struct wr_cli *cli, struct wr_str json, struct weir_error *err)
{
    static const char *const hidden[] = {"id", "damaged", "internal", NULL};
    if (wr_cli_has(cli, "json")) {
        return wr_out(wr_bytes_of_str(json), err);
    }
    return wr_cli_has(cli, "names") ? put_names(json, err)
                                    : wr_out_json_table(json, hidden, cli->has_colour, err);
}

static int run_list(const struct wr_cli *cli, struct weir_error *err)
{
    static const char *const path[] = {"api", "topics", NULL};
    const struct wr_api_target target = {.method = "GET",
                                         .path = path,
                                         .params = is_internal,
                                         .param_count = wr_cli_has(cli, "internal") ? 1 : 0};
    struct wr_session session;
    struct wr_writer answer = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = wr_session_begin(cli, false, &session, err);
    if (rc ==
        WEIR_E_NOTFOUND) { /* no log has no topics; but say it, the folder may be a wrong one */
        wr_trace(WR_WARN, "topics", "%s", err->text);
        wr_put_lit(&answer, "[]\n");
        rc = 0;
    } else if (rc == 0) {
        rc = wr_session_get(&session, &target, &answer, err);
    }
    rc = rc < 0 ? rc : show_topics(cli, wr_writer_str(&answer), err);
    wr_writer_fini(&answer);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option list_options[] = {
    INTERNAL,
    {"names", 0, false, NULL, "print the names alone", WR_CLI_ANY},
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_topics_list = {
    .name = "topics list",
    .operands = "",
    .summary = "list the topics",
    .text = "RECORDS counts the offsets from the log's start to its end; those of transaction\n"
            "markers are among them.",
    .examples = "  weir topics list\n  weir topics list --json | jq -r '.[].name'",
    .options = list_options,
    .option_count = WR_COUNT(list_options),
    .run = run_list,
};

/* ---- describe ---- */

static void put_description(json_t *topic, struct wr_writer *out)
{
    const char *key = NULL;
    json_t *value = NULL;
    wr_put_fmt(out, "name    %s\nid      %s\n", json_string_value(json_object_get(topic, "name")),
               json_string_value(json_object_get(topic, "id")));
    json_object_foreach(json_object_get(topic, "config"), key, value)
    {
        wr_put_fmt(out, "config  %s=%s\n", key, json_string_value(value));
    }
    wr_put_lit(out, "\n");
}

static int describe(const struct wr_cli *cli, struct wr_str json, struct weir_error *err)
{
    if (wr_cli_has(cli, "json")) {
        return wr_out(wr_bytes_of_str(json), err);
    }
    json_t *root = json_loadb(json.len == 0 ? "" : json.ptr, json.len, 0, NULL);
    json_t *topic = json_array_get(root, 0);
    char *partitions = json_dumps(json_object_get(topic, "partitions"), 0);
    struct wr_writer out = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = partitions == NULL ? wr_fail(err, WEIR_E_IO, "weir's answer cannot be read") : 0;
    if (rc == 0) {
        put_description(topic, &out);
        rc = wr_out_writer(&out, err);
    }
    rc = rc < 0 ? rc : wr_out_json_table(wr_str_of(partitions), NULL, cli->has_colour, err);
    wr_writer_fini(&out);
    free(partitions);
    json_decref(root);
    return rc;
}

static int run_describe(const struct wr_cli *cli, struct weir_error *err)
{
    const char *const path[] = {"api", "topics", cli->operands[0], NULL};
    const struct wr_api_target target = {.method = "GET",
                                         .path = path,
                                         .params = is_internal,
                                         .param_count = wr_cli_has(cli, "internal") ? 1 : 0};
    struct wr_session session;
    struct wr_writer answer = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = wr_session_begin(cli, false, &session, err);
    rc = rc < 0 ? rc : wr_session_get(&session, &target, &answer, err);
    rc = rc < 0 ? rc : describe(cli, wr_writer_str(&answer), err);
    wr_writer_fini(&answer);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option describe_options[] = {
    INTERNAL,
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_topics_describe = {
    .name = "topics describe",
    .operands = "TOPIC",
    .operands_min = 1,
    .operands_max = 1,
    .values = WR_CLI_TOPIC,
    .summary = "show a topic's partitions and settings",
    .text = "",
    .examples = "  weir topics describe orders",
    .options = describe_options,
    .option_count = WR_COUNT(describe_options),
    .run = run_describe,
};

/* ---- create ---- */

/* {"name": …, "partitions": N, "config": {…}} */
static int put_spec(const struct wr_cli *cli, struct wr_writer *out, struct weir_error *err)
{
    const char *settings[WR_CLI_GIVEN_MAX];
    size_t count = wr_cli_values(cli, "config", settings, WR_CLI_GIVEN_MAX);
    int64_t partitions = 1;
    int rc = wr_cli_i64(cli, "partitions", 1, 100000, &partitions, err);
    if (!wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(cli->operands[0])))) {
        return wr_fail(err, WEIR_E_INPUT, "the name of the topic is not UTF-8");
    }
    wr_put_lit(out, "{\"name\": ");
    wr_put_json_string(out, wr_str_of(cli->operands[0]));
    wr_put_fmt(out, ", \"partitions\": %lld, \"config\": {", (long long)partitions);
    for (size_t i = 0; i < count && rc == 0; i++) {
        const char *equals = strchr(settings[i], '=');
        struct wr_bytes all = wr_bytes_of_str(wr_str_of(settings[i]));
        if (equals == NULL || equals == settings[i] || !wr_utf8_is_valid(all)) {
            return wr_fail(err, WEIR_E_INPUT, "--config needs KEY=VALUE, not '%.100s'",
                           settings[i]);
        }
        wr_put_str(out, i == 0 ? WR_STR("") : WR_STR(", "));
        wr_put_json_string(out, (struct wr_str){settings[i], (size_t)(equals - settings[i])});
        wr_put_lit(out, ": ");
        wr_put_json_string(out, wr_str_of(equals + 1));
    }
    wr_put_lit(out, "}}");
    return rc < 0 ? rc : wr_writer_end(out, err);
}

static int take_into(void *arg, struct wr_bytes piece, struct weir_error *err)
{
    struct wr_writer *out = arg;
    wr_put_bytes(out, piece);
    return wr_writer_end(out, err);
}

/* What a person should know after a change, where a person looks on. */
static int say_done(const struct wr_cli *cli, const char *done, const char *next,
                    struct weir_error *err)
{
    struct wr_writer out = wr_writer_growing(4096);
    if (isatty(STDOUT_FILENO) == 1) {
        wr_put_fmt(&out, "topic '%s' %s%s%s\n", cli->operands[0], done, next,
                   next[0] == 0 ? "" : cli->operands[0]);
    }
    int rc = wr_out_writer(&out, err);
    wr_writer_fini(&out);
    return rc;
}

static int run_create(const struct wr_cli *cli, struct weir_error *err)
{
    static const char *const path[] = {"api", "topics", NULL};
    const struct wr_api_target target = {.method = "POST", .path = path};
    struct wr_session session = {.stop = {-1}};
    struct wr_writer body = wr_writer_growing(WR_API_BODY_MAX);
    struct wr_writer answer = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = put_spec(cli, &body, err);
    rc = rc < 0 ? rc : wr_session_begin(cli, true, &session, err);
    const struct wr_http_call call = {&target, wr_writer_bytes(&body), take_into, &answer};
    rc = rc < 0 ? rc : wr_session_call(&session, &call, err);
    if (rc == WEIR_E_EXISTS) {
        rc = wr_cli_has(cli, "if-not-exists")
                 ? say_done(cli, "is there already, and stays as it is", "", err)
                 : wr_fail(err, rc, "topic '%.249s' is there already; --if-not-exists goes on then",
                           cli->operands[0]);
    } else if (rc == 0) {
        rc = say_done(cli, "made", "; next: weir produce ", err);
    }
    wr_writer_fini(&body);
    wr_writer_fini(&answer);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option create_options[] = {
    {"partitions", 'p', false, "N", "how many partitions (default 1)", WR_CLI_ANY},
    {"config", 'c', true, "KEY=VALUE", "a setting by Kafka's name", WR_CLI_ANY},
    {"if-not-exists", 0, false, NULL, "leave one that is there as it is, and be done", WR_CLI_ANY},
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_topics_create = {
    .name = "topics create",
    .operands = "TOPIC",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "make a topic",
    .text = "Settings have Kafka's names and meanings: retention.ms, retention.bytes,\n"
            "segment.bytes, cleanup.policy and so on.",
    .examples = "  weir topics create orders\n"
                "  weir topics create clicks --partitions 16 --config retention.ms=604800000\n"
                "  weir topics create orders --if-not-exists",
    .options = create_options,
    .option_count = WR_COUNT(create_options),
    .run = run_create,
};

/* ---- delete ---- */

/* A person types the name again; a script is taken at its word. */
static int confirm(const struct wr_cli *cli, struct weir_error *err)
{
    char line[300] = "";
    const char *name = cli->operands[0];
    if (wr_cli_has(cli, "yes") || isatty(STDIN_FILENO) != 1) {
        return 0;
    }
    fprintf(stderr, "This deletes '%s' and all its records. Type its name to go on: ", name);
    if (fgets(line, sizeof(line), stdin) == NULL) {
        line[0] = 0;
    }
    line[strcspn(line, "\n")] = 0;
    return strcmp(line, name) == 0
               ? 0
               : wr_fail(err, WEIR_E_REFUSED, "'%s' is not deleted; its name was not typed", name);
}

static int run_delete(const struct wr_cli *cli, struct weir_error *err)
{
    const char *const path[] = {"api", "topics", cli->operands[0], NULL};
    const struct wr_api_target target = {.method = "DELETE", .path = path};
    struct wr_session session = {.stop = {-1}};
    struct wr_writer answer = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = confirm(cli, err);
    rc = rc < 0 ? rc : wr_session_begin(cli, false, &session, err);
    rc = rc < 0 ? rc : wr_session_get(&session, &target, &answer, err);
    if (rc == WEIR_E_NOTFOUND && wr_cli_has(cli, "if-exists")) {
        rc = say_done(cli, "is not there", "", err);
    } else if (rc == 0) {
        rc = say_done(cli, "deleted", "", err);
    }
    wr_writer_fini(&answer);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option delete_options[] = {
    {"yes", 'y', false, NULL, "do not ask on a terminal", WR_CLI_ANY},
    {"if-exists", 0, false, NULL, "be done when there is none", WR_CLI_ANY},
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_topics_delete = {
    .name = "topics delete",
    .operands = "TOPIC",
    .operands_min = 1,
    .operands_max = 1,
    .values = WR_CLI_TOPIC,
    .summary = "delete a topic with all its records",
    .text = "",
    .examples = "  weir topics delete orders",
    .options = delete_options,
    .option_count = WR_COUNT(delete_options),
    .run = run_delete,
};
