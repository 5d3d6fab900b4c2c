/* cmd_workers.c - weir sources list|status, weir views list|status */
#include "base/trace.h"
#include "run/commands.h"
#include "run/out.h"
#include "run/session.h"

static int get(const struct wr_cli *cli, const char *const *path, struct wr_writer *answer,
               struct weir_error *err)
{
    const struct wr_api_target target = {.method = "GET", .path = path};
    struct wr_session session;
    int rc = wr_session_begin(cli, false, &session, err);
    if (rc == 0 || rc == WEIR_E_NOTFOUND) { /* the names are known without a log */
        rc = wr_session_get(&session, &target, answer, err);
    }
    wr_session_close(&session);
    return rc;
}

/* An empty answer is right, but leaves a person alone. */
static void say_none(const struct wr_cli *cli, const char *kind, const struct wr_writer *answer)
{
    struct wr_str text = wr_writer_str(answer);
    bool is_empty = text.len < 3 || memcmp(text.ptr, "[]", 2) == 0;
    if (is_empty && !wr_cli_has(cli, "json")) {
        wr_trace(WR_INFO, kind, "there are none; weir.yaml names them under %s:", kind);
    }
}

static int run_list(const struct wr_cli *cli, const char *kind, struct weir_error *err)
{
    const char *const path[] = {"api", kind, NULL};
    struct wr_writer answer = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = get(cli, path, &answer, err);
    if (rc == 0) {
        say_none(cli, kind, &answer);
        rc = wr_cli_has(cli, "json")
                 ? wr_out(wr_writer_bytes(&answer), err)
                 : wr_out_json_table(wr_writer_str(&answer), NULL, cli->has_colour, err);
    }
    wr_writer_fini(&answer);
    return rc;
}

static int run_status(const struct wr_cli *cli, const char *kind, const char *one,
                      struct weir_error *err)
{
    const char *const path[] = {"api", kind, "status", NULL};
    const char *only = cli->operand_count > 0 ? cli->operands[0] : NULL;
    struct wr_writer answer = wr_writer_growing(WR_ANSWER_BYTES_MAX);
    int rc = get(cli, path, &answer, err);
    if (rc == 0) {
        struct wr_str json = wr_writer_str(&answer);
        say_none(cli, kind, &answer);
        rc = wr_cli_has(cli, "json") ? wr_out_json(json, only, one, err)
                                     : wr_out_json_blocks(json, only, one, cli->has_colour, err);
    }
    wr_writer_fini(&answer);
    return rc;
}

static int run_sources_list(const struct wr_cli *cli, struct weir_error *err)
{
    return run_list(cli, "sources", err);
}

static int run_sources_status(const struct wr_cli *cli, struct weir_error *err)
{
    return run_status(cli, "sources", "source", err);
}

static int run_views_list(const struct wr_cli *cli, struct weir_error *err)
{
    return run_list(cli, "views", err);
}

static int run_views_status(const struct wr_cli *cli, struct weir_error *err)
{
    return run_status(cli, "views", "view", err);
}

static const struct wr_cli_option options[] = {
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_sources_list = {
    .name = "sources list",
    .operands = "",
    .summary = "list the sources",
    .text = "",
    .examples = "  weir sources list",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_sources_list,
};

const struct wr_command wr_cmd_sources_status = {
    .name = "sources status",
    .operands = "[NAME]",
    .operands_max = 1,
    .summary = "show how sources stand: state, position, what went wrong",
    .text = "",
    .examples = "  weir sources status\n  weir sources status app --json",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_sources_status,
};

const struct wr_command wr_cmd_views_list = {
    .name = "views list",
    .operands = "",
    .summary = "list the views",
    .text = "",
    .examples = "  weir views list",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_views_list,
};

const struct wr_command wr_cmd_views_status = {
    .name = "views status",
    .operands = "[NAME]",
    .operands_max = 1,
    .summary = "show how views stand: state, position, lag, what went wrong",
    .text = "",
    .examples = "  weir views status\n  weir views status analytics --json",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_views_status,
};
