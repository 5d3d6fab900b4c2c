/*
 * cli.h - the command line: a table of commands and their options, parsed, explained and completed from the
 * same rows.
 *
 *     weir COMMAND [SUBCOMMAND] [OPTION…] [OPERAND…]
 *
 * Options may stand anywhere behind the command: --name VALUE, --name=VALUE, -n VALUE, -nVALUE; "--" ends
 * them. What is wrong is WEIR_E_INPUT, and the text names the help to ask for.
 */
#ifndef WR_RUN_CLI_H
#define WR_RUN_CLI_H

#include "base/error.h"
#include "base/writer.h"

#include <stdio.h>

enum {
    WR_CLI_OPERANDS_MAX = 64,
    WR_CLI_GIVEN_MAX = 256
};

enum wr_exit {
    WR_EXIT_DONE = 0,
    WR_EXIT_FAILED = 1,
    WR_EXIT_USAGE = 2,  /* usage or configuration */
    WR_EXIT_REFUSED = 3 /* by a condition */
};

/* What a value may be, for completion. */
enum wr_cli_values {
    WR_CLI_ANY,
    WR_CLI_FILE,
    WR_CLI_FOLDER,
    WR_CLI_TOPIC
};

struct wr_cli_option {
    const char *name;  /* without the dashes */
    int letter;        /* 0: none */
    bool is_repeated;  /* may be given more than once */
    const char *value; /* name of its value in the help; NULL: a flag */
    const char *help;  /* one line, no full stop */
    enum wr_cli_values values;
};

#define WR_OPTION_JSON                                   \
    {                                                    \
        "json", 0, false, NULL, "print JSON", WR_CLI_ANY \
    }

struct wr_cli;

struct wr_command {
    const char *name;     /* "run", "topics create" */
    const char *operands; /* as in the help: "TOPIC", "[NAME]"; "" for none */
    unsigned operands_min;
    unsigned operands_max;
    enum wr_cli_values values; /* of operands */
    const char *summary;       /* one line, no full stop */
    const char *text;          /* more, in lines of at most 78 characters; may be "" */
    const char *examples;      /* lines "  weir …", at least one */
    const struct wr_cli_option *options;
    size_t option_count;
    int (*run)(const struct wr_cli *cli, struct weir_error *err); /* 0, or a WEIR_E_ code */
};

struct wr_cli_given {
    const struct wr_cli_option *option;
    const char *value; /* borrowed from argv; NULL for a flag */
};

struct wr_cli {
    const struct wr_command *command;
    const char *operands[WR_CLI_OPERANDS_MAX]; /* borrowed from argv */
    size_t operand_count;
    struct wr_cli_given given[WR_CLI_GIVEN_MAX]; /* in order */
    size_t given_count;
    bool wants_help;
    bool has_colour; /* standard output is a terminal that shows colours and nobody said no */
};

/* All commands, in the order of the help; static. */
extern const struct wr_command *const wr_commands[];
extern const size_t wr_command_count;

/* Parse argv (argv[0] is the program). With --help somewhere behind a known command, `wants_help` is set and
 * nothing else is checked. `out` borrows from argv.
 * Returns 0, or WEIR_E_INPUT: no command, an unknown one, an unknown option, a missing value, too few or too
 * many operands; the text has the nearest known name. */
WR_MUST_USE int wr_cli_parse(int argc, char *const *argv, struct wr_cli *out,
                             struct weir_error *err);

/* The last value given for an option, borrowed; NULL when it was not given. `name` must be one of the
 * command's options. */
const char *wr_cli_value(const struct wr_cli *cli, const char *name);

/* Was it given? */
bool wr_cli_has(const struct wr_cli *cli, const char *name);

/* All values of a repeated option, in order. Returns how many; `out` has room for `max`, borrowed. */
size_t wr_cli_values(const struct wr_cli *cli, const char *name, const char **out, size_t max);

/* A whole number in min .. max; `out` stays when the option was not given. WEIR_E_INPUT names the option. */
WR_MUST_USE int wr_cli_i64(const struct wr_cli *cli, const char *name, int64_t min, int64_t max,
                           int64_t *out, struct weir_error *err);

/* The exit status for what a command returned. */
enum wr_exit wr_cli_exit(int rc);

/* Does `stream` show colours: a terminal, NO_COLOR and TERM=dumb not set? */
bool wr_cli_shows_colour(FILE *stream);

/* ---- cli_help.c ---- */

/* The help of the program, of a group ("topics") and of one command. */
void wr_cli_help(struct wr_writer *out);
void wr_cli_help_group(const char *group, struct wr_writer *out);
void wr_cli_help_command(const struct wr_command *command, struct wr_writer *out);

/* Is it the first word of several commands? */
bool wr_cli_is_group(const char *word);

/* ---- cli_complete.c ---- */

/* The completion script of "bash", "zsh" or "fish". False for any other shell. */
bool wr_cli_completion(const char *shell, struct wr_writer *out);

#endif
