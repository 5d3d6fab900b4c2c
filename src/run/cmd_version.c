/* cmd_version.c - weir version, weir completion SHELL */
#include "run/commands.h"
#include "run/out.h"

static int run_version(const struct wr_cli *cli, struct weir_error *err)
{
    struct wr_writer out = wr_writer_growing(4096);
    wr_put_fmt(
        &out, wr_cli_has(cli, "json") ? "{\"name\": \"weir\", \"version\": \"%s\"}\n" : "weir %s\n",
        WEIR_VERSION);
    int rc = wr_out_writer(&out, err);
    wr_writer_fini(&out);
    return rc;
}

static const struct wr_cli_option version_options[] = {
    WR_OPTION_JSON,
};

const struct wr_command wr_cmd_version = {
    .name = "version",
    .operands = "",
    .summary = "print the version",
    .text = "",
    .examples = "  weir version",
    .options = version_options,
    .option_count = WR_COUNT(version_options),
    .run = run_version,
};

static int run_completion(const struct wr_cli *cli, struct weir_error *err)
{
    struct wr_writer out = wr_writer_growing(WR_OUT_BYTES_MAX);
    int rc = wr_cli_completion(cli->operands[0], &out)
                 ? wr_out_writer(&out, err)
                 : wr_fail(err, WEIR_E_INPUT, "completion is there for bash, zsh and fish");
    wr_writer_fini(&out);
    return rc;
}

const struct wr_command wr_cmd_completion = {
    .name = "completion",
    .operands = "bash|zsh|fish",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "print a completion script for a shell",
    .text = "",
    .examples = "  source <(weir completion bash)\n"
                "  weir completion zsh > \"${fpath[1]}/_weir\"\n"
                "  weir completion fish | source",
    .run = run_completion,
};
