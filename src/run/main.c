/* main.c - weir: parse, run the command, say what went wrong in one line, exit. */
#include "run/commands.h"
#include "run/config_help.h"
#include "run/out.h"

#include <stdio.h>

/* Print what the writer holds, and let it go. */
static int print(struct wr_writer *out)
{
    struct weir_error err;
    int rc = wr_out_writer(out, &err);
    wr_writer_fini(out);
    return rc < 0 ? WR_EXIT_FAILED : WR_EXIT_DONE;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* weir, weir --help, weir help, weir help config, weir GROUP --help. -1 when it is none of them. */
static int help_asked(int argc, char *const *argv)
{
    struct wr_writer out = wr_writer_growing(WR_OUT_BYTES_MAX);
    if (argc < 2 || (argc == 2 && is_help(argv[1]))) {
        wr_cli_help(&out);
        return print(&out);
    }
    if (argc == 3 && strcmp(argv[1], "help") == 0 && strcmp(argv[2], "config") == 0) {
        wr_config_help(&out);
        return print(&out);
    }
    if (argc == 3 && wr_cli_is_group(argv[1]) && is_help(argv[2])) {
        wr_cli_help_group(argv[1], &out);
        return print(&out);
    }
    if (argc == 3 && strcmp(argv[1], "help") == 0 && wr_cli_is_group(argv[2])) {
        wr_cli_help_group(argv[2], &out);
        return print(&out);
    }
    return -1;
}

/* weir help COMMAND … is weir COMMAND … --help, weir --version is weir version. */
static int rewrite(int argc, char **argv, char **out, int max)
{
    static char help[] = "--help";
    static char version[] = "version";
    int count = 0;
    bool asks = argc > 2 && strcmp(argv[1], "help") == 0;
    for (int i = 0; i < argc && count < max - 2; i++) {
        if (asks && i == 1) {
            continue;
        }
        bool is_version =
            i == 1 && (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0);
        out[count++] = is_version ? version : argv[i];
    }
    if (asks) {
        out[count++] = help;
    }
    out[count] = NULL;
    return count;
}

/* One line, whatever is in it. */
static void say(const struct weir_error *err)
{
    char text[WEIR_ERROR_TEXT_MAX];
    memcpy(text, err->text, sizeof(text));
    for (char *p = text; *p != 0; p++) {
        bool is_control = (unsigned char)*p < 0x20 || *p == 0x7f;
        if (is_control) {
            *p = ' ';
        }
    }
    fprintf(stderr, "weir: %s\n", text);
}

int main(int argc, char **argv)
{
    enum {
        WORDS_MAX = 4096
    };
    static char *words[WORDS_MAX];
    static struct wr_cli cli;
    struct weir_error err;
    int status = help_asked(argc, argv);
    if (status >= 0) {
        return status;
    }
    int rc = wr_cli_parse(rewrite(argc, argv, words, WORDS_MAX), words, &cli, &err);
    if (rc == 0 && cli.wants_help) {
        struct wr_writer out = wr_writer_growing(WR_OUT_BYTES_MAX);
        wr_cli_help_command(cli.command, &out);
        return print(&out);
    }
    if (rc == 0) {
        rc = cli.command->run(&cli, &err);
    }
    if (rc == WEIR_E_STOPPED && err.sys == EPIPE) {
        return WR_EXIT_DONE; /* who reads our output has seen enough */
    }
    if (rc < 0) {
        say(&err);
    }
    return (int)wr_cli_exit(rc);
}
