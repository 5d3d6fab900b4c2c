/* cli_help.c - help texts, from the table of commands. */
#include "run/cli.h"

enum {
    OPTION_WIDTH = 28, /* column of the explanations */
    COMMAND_WIDTH = 20
};

static void put_padded(struct wr_writer *out, const char *text, int width)
{
    wr_put_fmt(out, "  %-*s  ", width, text);
    if ((int)strlen(text) > width) {
        wr_put_fmt(out, "\n  %*s  ", width, "");
    }
}

static void put_command_line(struct wr_writer *out, const struct wr_command *command)
{
    put_padded(out, command->name, COMMAND_WIDTH);
    wr_put_fmt(out, "%s\n", command->summary);
}

void wr_cli_help(struct wr_writer *out)
{
    wr_put_lit(out, "weir: event-driven architecture in one program\n\n"
                    "Captures a database's changes, keeps every event in a durable log, and keeps "
                    "read\nmodels up to date.\n\n"
                    "Start here:\n"
                    "  weir run                                   an empty log in ./weir-data\n"
                    "  echo '{\"type\": \"Hello\"}' | weir produce greetings\n"
                    "  weir tail greetings\n"
                    "  weir run postgres-cdc.yaml                 what Kafka Connect would run\n\n"
                    "Commands:\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        put_command_line(out, wr_commands[i]);
    }
    wr_put_lit(out, "\nEvery command explains itself: weir COMMAND --help\n"
                    "Every configuration key: weir help config\n\n"
                    "Exit status: 0 done, 1 failed, 2 usage or configuration, 3 refused by a "
                    "condition.\n"
                    "Environment: NO_COLOR turns colours off.\n");
}

void wr_cli_help_group(const char *group, struct wr_writer *out)
{
    size_t len = strlen(group);
    wr_put_fmt(out, "Usage: weir %s COMMAND\n\nCommands:\n", group);
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *name = wr_commands[i]->name;
        if (strncmp(name, group, len) == 0 && name[len] == ' ') {
            put_command_line(out, wr_commands[i]);
        }
    }
    wr_put_lit(out, "\nExamples:\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *name = wr_commands[i]->name;
        if (strncmp(name, group, len) == 0 && name[len] == ' ') {
            wr_put_fmt(out, "%s\n", wr_commands[i]->examples);
        }
    }
}

static void put_option(struct wr_writer *out, const struct wr_cli_option *option)
{
    char left[64];
    char letter[8] = "    ";
    if (option->letter != 0) {
        (void)snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter, option->name,
                   option->value == NULL ? "" : " ", option->value == NULL ? "" : option->value);
    put_padded(out, left, OPTION_WIDTH);
    wr_put_fmt(out, "%s%s\n", option->help, option->is_repeated ? " (may be repeated)" : "");
}

void wr_cli_help_command(const struct wr_command *command, struct wr_writer *out)
{
    wr_put_fmt(out, "%s\n\nUsage: weir %s%s%s%s\n", command->summary, command->name,
               command->option_count > 0 ? " [OPTION…]" : "", command->operands[0] == 0 ? "" : " ",
               command->operands);
    if (command->text[0] != 0) {
        wr_put_fmt(out, "\n%s\n", command->text);
    }
    if (command->option_count > 0) {
        wr_put_lit(out, "\nOptions:\n");
    }
    for (size_t i = 0; i < command->option_count; i++) {
        put_option(out, &command->options[i]);
    }
    wr_put_fmt(out, "\nExamples:\n%s\n", command->examples);
}
