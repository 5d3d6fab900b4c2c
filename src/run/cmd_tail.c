/* cmd_tail.c - weir tail TOPIC */
#include "run/commands.h"
#include "run/out.h"
#include "run/session.h"

/* Passes lines on; on a terminal the place and time of each are dimmed. */
struct printer {
    bool has_colour;
    int column;           /* of plain text: tabs seen in this line */
    struct wr_writer out; /* of one piece */
};

static void put_coloured(struct printer *printer, struct wr_bytes piece)
{
    for (size_t i = 0; i < piece.len; i++) {
        uint8_t c = piece.ptr[i];
        if (printer->column == 0) {
            wr_put_lit(&printer->out, "\x1b[2m");
            printer->column = 1;
        }
        if (c == '\t' && printer->column == 2) {
            wr_put_lit(&printer->out, "\x1b[0m");
        }
        printer->column += c == '\t' ? 1 : 0;
        printer->column = c == '\n' ? 0 : printer->column;
        wr_put_u8(&printer->out, c);
    }
}

static int print_piece(void *arg, struct wr_bytes piece, struct weir_error *err)
{
    struct printer *printer = arg;
    if (!printer->has_colour) {
        return wr_out(piece, err);
    }
    wr_writer_reset(&printer->out);
    put_coloured(printer, piece);
    return wr_out_writer(&printer->out, err);
}

/* The options as parameters of the call. Returns how many. */
static size_t read_params(const struct wr_cli *cli, struct wr_api_param *params)
{
    static const char *const with_value[] = {"from", "max", "partition", "key"};
    static const char *const flags[] = {"follow", "internal"};
    size_t count = 0;
    for (size_t i = 0; i < WR_COUNT(with_value); i++) {
        const char *value = wr_cli_value(cli, with_value[i]);
        if (value != NULL) {
            params[count++] = (struct wr_api_param){with_value[i], value};
        }
    }
    for (size_t i = 0; i < WR_COUNT(flags); i++) {
        if (wr_cli_has(cli, flags[i])) {
            params[count++] = (struct wr_api_param){flags[i], "true"};
        }
    }
    params[count++] = (struct wr_api_param){"format", wr_cli_has(cli, "json") ? "json" : "plain"};
    return count;
}

/* The API speaks of parameters, a person gave options: "from must be …" is about --from. */
static void name_option(struct weir_error *err)
{
    static const char *const options[] = {"from ", "max "};
    const struct weir_error said = *err;
    for (size_t i = 0; i < WR_COUNT(options); i++) {
        if (strncmp(said.text, options[i], strlen(options[i])) == 0) {
            (void)wr_fail(err, said.code, "--%s", said.text);
        }
    }
}

static int run_tail(const struct wr_cli *cli, struct weir_error *err)
{
    const char *const path[] = {"api", "topics", cli->operands[0], "records", NULL};
    struct wr_api_param params[8];
    struct wr_api_target target = {.method = "GET", .path = path, .params = params};
    target.param_count = read_params(cli, params);
    struct printer printer = {.has_colour = cli->has_colour && !wr_cli_has(cli, "json"),
                              .out = wr_writer_growing(WR_OUT_BYTES_MAX)};
    const struct wr_http_call call = {.target = &target, .take = print_piece, .arg = &printer};
    struct wr_session session;
    int rc = wr_session_begin(cli, false, &session, err);
    rc = rc < 0 ? rc : wr_session_call(&session, &call, err);
    if (rc < 0 && wr_session_is_stopped(&session)) {
        rc = 0; /* a tail that follows has no end of its own: whoever stops it has seen enough */
    }
    if (rc == WEIR_E_INPUT) {
        name_option(err);
    }
    wr_writer_fini(&printer.out);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option options[] = {
    {"from", 0, false, "WHERE", "earliest, latest, an offset, a time or an age (see above)",
     WR_CLI_ANY},
    {"max", 'n', false, "N", "end after N records", WR_CLI_ANY},
    {"follow", 'f', false, NULL, "wait for more at the end", WR_CLI_ANY},
    {"key", 'k', false, "KEY", "only records with this key", WR_CLI_ANY},
    {"partition", 'p', false, "N", "only this partition", WR_CLI_ANY},
    {"internal", 0, false, NULL, "allow weir's own topics (__weir_*)", WR_CLI_ANY},
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_tail = {
    .name = "tail",
    .operands = "TOPIC",
    .operands_min = 1,
    .operands_max = 1,
    .values = WR_CLI_TOPIC,
    .summary = "show a topic's records",
    .text = "Shows what is committed, from the start to the end as of now; with --follow, what\n"
            "comes from now on. WHERE is earliest, latest, an offset, a time in ISO 8601\n"
            "(2026-07-01T10:00:00Z; without a zone UTC) or an age (-15m; s, m, h and d).\n"
            "\n"
            "With --json each record is an object on one line: topic, partition, offset,\n"
            "timestamp (milliseconds), key, value, headers ([[name, value], …]). A key or value\n"
            "that is JSON stands there as it is, less blanks; other UTF-8 is a string; other\n"
            "bytes are base64 in key_base64 or value_base64.",
    .examples = "  weir tail orders\n"
                "  weir tail orders --follow --json | jq .value.order_id\n"
                "  weir tail app.public.orders --from -15m --max 10\n"
                "  weir tail orders --key 1001",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_tail,
};
