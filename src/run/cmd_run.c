/* cmd_run.c - weir run [FILE…] */
#include "base/trace.h"
#include "run/commands.h"
#include "run/node.h"
#include "run/session.h"

#include <stdio.h>
#include <sys/stat.h>

enum {
    PLACE_MAX = 4096
};

struct arguments {
    const char *files[WR_CLI_GIVEN_MAX + WR_CLI_OPERANDS_MAX];
    size_t file_count;
    const char *sets[WR_CLI_GIVEN_MAX + 1];
    size_t set_count;
    char dir[4096 + 16];
};

/* A value as a YAML scalar in single quotes. False when it does not fit. */
static bool put_quoted(const char *head, const char *value, char *out, size_t len)
{
    size_t n = (size_t)snprintf(out, len, "%s'", head);
    for (; *value != 0 && n + 3 < len; value++) {
        if (*value == '\'') {
            out[n++] = '\'';
        }
        out[n++] = *value;
    }
    out[n++] = '\'';
    out[n] = 0;
    return *value == 0;
}

static int read_arguments(const struct wr_cli *cli, struct arguments *out, struct weir_error *err)
{
    struct stat st;
    const char *dir = wr_cli_value(cli, "dir");
    out->file_count = wr_cli_values(cli, "file", out->files, WR_CLI_GIVEN_MAX);
    for (size_t i = 0; i < cli->operand_count; i++) {
        out->files[out->file_count++] = cli->operands[i];
    }
    if (out->file_count == 0 && stat(WR_CONFIG_FILE, &st) == 0) {
        out->files[out->file_count++] = WR_CONFIG_FILE;
    }
    out->set_count = wr_cli_values(cli, "set", out->sets, WR_CLI_GIVEN_MAX);
    if (dir != NULL) { /* --dir DIR is --set log.dir=DIR */
        if (!put_quoted("log.dir=", dir, out->dir, sizeof(out->dir))) {
            return wr_fail(err, WEIR_E_INPUT, "the path after --dir is too long");
        }
        out->sets[out->set_count++] = out->dir;
    }
    return 0;
}

static void say(enum wr_level level, struct wr_place at, const char *text)
{
    char place[PLACE_MAX];
    const char *file = at.file == NULL ? "config" : at.file;
    if (at.line > 0) {
        (void)snprintf(place, sizeof(place), "%s:%d:%d", file, at.line, at.column);
        file = place;
    }
    wr_trace(level, file, "%s", text);
}

static void warn_of(void *arg, struct wr_place at, const char *text)
{
    WR_UNUSED(arg);
    say(WR_WARN, at, text);
}

static void note(void *arg, struct wr_place at, const char *text)
{
    WR_UNUSED(arg);
    say(WR_INFO, at, text);
}

/* What a store or the log says of a value that it was given. */
static void hide_secrets(const struct wr_config *config, struct weir_error *err)
{
    const struct wr_conf *views = wr_config_section(config, "views");
    const struct wr_conf *defaults =
        wr_conf_get(wr_config_section(config, "log"), "topic_defaults");
    if (views != NULL) {
        wr_conf_hide(views, err);
    }
    if (defaults != NULL) {
        wr_conf_hide(defaults, err);
    }
}

static int run_node(const struct wr_config *config, const struct wr_conf_warn *warn,
                    struct weir_error *err)
{
    struct wr_log_options log;
    struct wr_wake stop = {-1};
    char *dir = NULL;
    int rc = wr_log_options_read(wr_config_section(config, "log"), warn, &log, err);
    rc = rc < 0 ? rc : wr_config_log_dir(config, WR_DEFAULT_DIR, &dir, err);
    rc = rc < 0 ? rc : wr_wake_open(&stop, err);
    if (rc == 0) {
        const struct wr_node_options options = {config, dir, &log, warn, &stop};
        wr_signals_wake(&stop);
        rc = wr_node_run(&options, err);
        if (rc < 0) {
            hide_secrets(config, err);
        }
        rc = rc == WEIR_E_STOPPED ? 0 : rc; /* asked to stop before it ran */
    }
    wr_free(dir);
    return rc; /* the wake-up stays open: a signal may still come */
}

static int run_run(const struct wr_cli *cli, struct weir_error *err)
{
    static struct arguments arguments;
    const struct wr_conf_warn warn = {.take = warn_of, .note = note};
    struct wr_config config = {0};
    int rc = read_arguments(cli, &arguments, err);
    if (rc == 0) {
        const struct wr_config_input input = {.files = arguments.files,
                                              .file_count = arguments.file_count,
                                              .sets = arguments.sets,
                                              .set_count = arguments.set_count,
                                              .env = wr_config_env_os(),
                                              .warn = &warn};
        rc = wr_config_load(&input, &config, err);
    }
    if (rc < 0 && rc != WEIR_E_NOMEM) {
        err->code = WEIR_E_CONFIG; /* a file that was named cannot be read */
        rc = err->code;
    }
    rc = rc < 0 ? rc : run_node(&config, &warn, err);
    wr_config_fini(&config);
    return rc;
}

static const struct wr_cli_option options[] = {
    {"file", 'f', true, "FILE", "a configuration file, as the operands are", WR_CLI_FILE},
    {"set", 's', true, "KEY=VALUE", "set a key, stronger than files (see above)", WR_CLI_ANY},
    {"dir", 'd', false, "DIR", "the data folder: short for --set log.dir=DIR", WR_CLI_FOLDER},
};

const struct wr_command wr_cmd_run = {
    .name = "run",
    .operands = "[FILE…]",
    .operands_max = WR_CLI_OPERANDS_MAX,
    .values = WR_CLI_FILE,
    .summary = "run sources and views on a log",
    .text = "FILE is a weir.yaml, a Strimzi KafkaConnector manifest, or a Kafka Connect JSON or\n"
            "properties file; which, is told by its content. Several are merged, later ones are\n"
            "stronger. Without FILE: ./weir.yaml; without that, an empty log and its API.\n"
            "\n"
            "--set KEY=VALUE takes a key of weir.yaml (log.dir, views.NAME.to), sources.NAME.KEY\n"
            "for one source, or any connector key for every source. VALUE is a YAML scalar.\n"
            "\n"
            "SIGTERM and Ctrl-C stop it cleanly within 5 seconds; a second one, at once.",
    .examples = "  weir run\n"
                "  weir run postgres-cdc.yaml views.yaml\n"
                "  weir run postgres-cdc.yaml --set value.converter=json --set key.converter=json\n"
                "  weir run --set log.dir=/var/lib/weir --set log.durability=interval",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_run,
};
