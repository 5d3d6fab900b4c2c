#include "run/cli.h"

#include "base/conf.h"

#include <unistd.h>

/* Options that every command has. */
static const struct wr_cli_option common[] = {
    {"help", 'h', false, NULL, "show this help", WR_CLI_ANY},
    {"no-color", 0, false, NULL, "no colours, also on a terminal", WR_CLI_ANY},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum wr_exit wr_cli_exit(int rc)
{
    switch (rc) {
    case 0: return WR_EXIT_DONE;
    case WEIR_E_CONFIG:
    case WEIR_E_INPUT: return WR_EXIT_USAGE;
    case WEIR_E_REFUSED: return WR_EXIT_REFUSED;
    default: return WR_EXIT_FAILED;
    }
}

bool wr_cli_shows_colour(FILE *stream)
{
    /* Asked before any thread starts. */
    const char *no_colour = getenv("NO_COLOR"); /* NOLINT(concurrency-mt-unsafe) */
    const char *term = getenv("TERM");          /* NOLINT(concurrency-mt-unsafe) */
    bool is_asked_not_to = no_colour != NULL && no_colour[0] != 0;
    bool is_dumb = term == NULL || strcmp(term, "dumb") == 0;
    return !is_asked_not_to && !is_dumb && isatty(fileno(stream)) == 1;
}

/* ---- which command ---- */

bool wr_cli_is_group(const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *name = wr_commands[i]->name;
        if (strncmp(name, word, len) == 0 && name[len] == ' ') {
            return true;
        }
    }
    return false;
}

static const struct wr_command *find_command(const char *first, const char *second)
{
    size_t len = strlen(first);
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *name = wr_commands[i]->name;
        if (strncmp(name, first, len) != 0) {
            continue;
        }
        if (name[len] == 0 ||
            (second != NULL && name[len] == ' ' && strcmp(name + len + 1, second) == 0)) {
            return wr_commands[i];
        }
    }
    return NULL;
}

/* The first words of all commands, or the second words of one group; each once. */
static size_t words_of(const char *group, const char **out, size_t max)
{
    static _Thread_local char room[64][24];
    size_t count = 0;
    for (size_t i = 0; i < wr_command_count && count < max && count < COUNT(room); i++) {
        const char *name = wr_commands[i]->name;
        size_t skip = group == NULL ? 0 : strlen(group) + 1;
        bool is_in =
            group == NULL || (strncmp(name, group, skip - 1) == 0 && name[skip - 1] == ' ');
        size_t len = is_in ? strcspn(name + skip, " ") : 0;
        if (len == 0 || len >= sizeof(room[0])) {
            continue;
        }
        memcpy(room[count], name + skip, len);
        room[count][len] = 0;
        bool is_new = count == 0 || strcmp(room[count - 1], room[count]) != 0;
        out[count] = room[count];
        count += is_new ? 1 : 0;
    }
    return count;
}

static int unknown_command(const char *group, const char *word, struct weir_error *err)
{
    const char *words[64];
    size_t count = words_of(group, words, COUNT(words));
    const char *near = wr_nearest(wr_str_of(word), words, count);
    const char *in = group == NULL ? "" : " ";
    group = group == NULL ? "" : group;
    if (near != NULL) {
        return wr_fail(err, WEIR_E_INPUT, "no command '%s%s%.60s'; did you mean 'weir %s%s%s'?",
                       group, in, word, group, in, near);
    }
    return wr_fail(err, WEIR_E_INPUT, "no command '%s%s%.60s'; weir %s%s--help lists them", group,
                   in, word, group, in);
}

/* Finds the command; `used` is how many words of argv it took. */
static int take_command(int argc, char *const *argv, struct wr_cli *cli, int *used,
                        struct weir_error *err)
{
    if (argc < 2) {
        return wr_fail(err, WEIR_E_INPUT, "no command; weir --help lists them");
    }
    const char *second = argc > 2 ? argv[2] : NULL;
    cli->command = find_command(argv[1], second);
    if (cli->command != NULL) {
        *used = strchr(cli->command->name, ' ') == NULL ? 2 : 3;
        return 0;
    }
    if (!wr_cli_is_group(argv[1])) {
        return unknown_command(NULL, argv[1], err);
    }
    if (second == NULL || second[0] == '-') {
        return wr_fail(err, WEIR_E_INPUT, "%s needs a command; weir %s --help lists them", argv[1],
                       argv[1]);
    }
    return unknown_command(argv[1], second, err);
}

/* ---- options ---- */

static const struct wr_cli_option *find_option(const struct wr_command *command, struct wr_str name,
                                               int letter)
{
    for (size_t i = 0; i < command->option_count + COUNT(common); i++) {
        const struct wr_cli_option *option =
            i < command->option_count ? &command->options[i] : &common[i - command->option_count];
        bool is_it =
            letter != 0 ? option->letter == letter : wr_str_eq(name, wr_str_of(option->name));
        if (is_it) {
            return option;
        }
    }
    return NULL;
}

static int unknown_option(const struct wr_command *command, struct wr_str name, int letter,
                          struct weir_error *err)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < command->option_count && count < COUNT(names); i++) {
        names[count++] = command->options[i].name;
    }
    for (size_t i = 0; i < COUNT(common) && count < COUNT(names); i++) {
        names[count++] = common[i].name;
    }
    if (letter != 0) {
        return wr_fail(err, WEIR_E_INPUT, "%s has no option -%c; see weir %s --help", command->name,
                       letter, command->name);
    }
    const char *near = wr_nearest(name, names, count);
    if (near != NULL) {
        return wr_fail(err, WEIR_E_INPUT, "%s has no option --%.*s; did you mean --%s?",
                       command->name, WR_FMT(name), near);
    }
    return wr_fail(err, WEIR_E_INPUT, "%s has no option --%.*s; see weir %s --help", command->name,
                   WR_FMT(name), command->name);
}

static int keep(struct wr_cli *cli, const struct wr_cli_option *option, const char *value,
                struct weir_error *err)
{
    if (!option->is_repeated && option->value != NULL && wr_cli_value(cli, option->name) != NULL) {
        return wr_fail(err, WEIR_E_INPUT, "--%s is given twice", option->name);
    }
    if (cli->given_count == WR_CLI_GIVEN_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "more than %d options", WR_CLI_GIVEN_MAX);
    }
    cli->given[cli->given_count++] = (struct wr_cli_given){option, value};
    return 0;
}

/* The words that are left to parse. */
struct words {
    int argc;
    char *const *argv;
    int at;
};

/* --name, --name=VALUE or --name VALUE. */
static int take_long(struct words *words, struct wr_cli *cli, struct weir_error *err)
{
    const char *word = words->argv[words->at++] + 2;
    const char *equals = strchr(word, '=');
    struct wr_str name = {word, equals == NULL ? strlen(word) : (size_t)(equals - word)};
    const struct wr_cli_option *option = find_option(cli->command, name, 0);
    if (option == NULL) {
        return unknown_option(cli->command, name, 0, err);
    }
    if (option->value == NULL) {
        return equals == NULL ? keep(cli, option, NULL, err)
                              : wr_fail(err, WEIR_E_INPUT, "--%s takes no value", option->name);
    }
    if (equals != NULL) {
        return keep(cli, option, equals + 1, err);
    }
    if (words->at == words->argc) {
        return wr_fail(err, WEIR_E_INPUT, "--%s needs a value: --%s %s", option->name, option->name,
                       option->value);
    }
    return keep(cli, option, words->argv[words->at++], err);
}

/* -x, -xy (flags), -xVALUE or -x VALUE. */
static int take_short(struct words *words, struct wr_cli *cli, struct weir_error *err)
{
    for (const char *letter = words->argv[words->at++] + 1; *letter != 0; letter++) {
        const struct wr_cli_option *option =
            find_option(cli->command, (struct wr_str){NULL, 0}, *letter);
        if (option == NULL) {
            return unknown_option(cli->command, (struct wr_str){NULL, 0}, *letter, err);
        }
        bool has_value = option->value != NULL;
        if (has_value && letter[1] != 0) {
            return keep(cli, option, letter + 1, err);
        }
        if (has_value && words->at == words->argc) {
            return wr_fail(err, WEIR_E_INPUT, "-%c needs a value: -%c %s", *letter, *letter,
                           option->value);
        }
        int rc = keep(cli, option, has_value ? words->argv[words->at++] : NULL, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int take_operand(struct words *words, struct wr_cli *cli, struct weir_error *err)
{
    const struct wr_command *command = cli->command;
    const char *word = words->argv[words->at++];
    if (cli->operand_count >= command->operands_max) {
        return wr_fail(err, WEIR_E_INPUT, "%s does not take '%.60s'; see weir %s --help",
                       command->name, word, command->name);
    }
    cli->operands[cli->operand_count++] = word;
    return 0;
}

static int take_words(struct words *words, struct wr_cli *cli, struct weir_error *err)
{
    bool are_options = true;
    int rc = 0;
    while (rc == 0 && words->at < words->argc) {
        const char *word = words->argv[words->at];
        bool is_option = are_options && word[0] == '-' && word[1] != 0;
        if (is_option && strcmp(word, "--") == 0) {
            are_options = false;
            words->at++;
        } else if (!is_option) {
            rc = take_operand(words, cli, err);
        } else {
            rc = word[1] == '-' ? take_long(words, cli, err) : take_short(words, cli, err);
        }
    }
    return rc;
}

static bool asks_for_help(const struct words *words)
{
    for (int i = words->at; i < words->argc && strcmp(words->argv[i], "--") != 0; i++) {
        if (strcmp(words->argv[i], "--help") == 0 || strcmp(words->argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

int wr_cli_parse(int argc, char *const *argv, struct wr_cli *out, struct weir_error *err)
{
    *out = (struct wr_cli){0};
    struct words words = {argc, argv, 0};
    int rc = take_command(argc, argv, out, &words.at, err);
    if (rc < 0) {
        return rc;
    }
    if (asks_for_help(&words)) {
        out->wants_help = true;
        return 0;
    }
    rc = take_words(&words, out, err);
    if (rc < 0) {
        return rc;
    }
    if (out->operand_count < out->command->operands_min) {
        return wr_fail(err, WEIR_E_INPUT, "usage: weir %s %s; see weir %s --help",
                       out->command->name, out->command->operands, out->command->name);
    }
    out->has_colour = !wr_cli_has(out, "no-color") && wr_cli_shows_colour(stdout);
    return 0;
}

/* ---- what was given ---- */

const char *wr_cli_value(const struct wr_cli *cli, const char *name)
{
    for (size_t i = cli->given_count; i > 0; i--) {
        if (strcmp(cli->given[i - 1].option->name, name) == 0) {
            return cli->given[i - 1].value;
        }
    }
    return NULL;
}

bool wr_cli_has(const struct wr_cli *cli, const char *name)
{
    for (size_t i = 0; i < cli->given_count; i++) {
        if (strcmp(cli->given[i].option->name, name) == 0) {
            return true;
        }
    }
    return false;
}

size_t wr_cli_values(const struct wr_cli *cli, const char *name, const char **out, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < cli->given_count && count < max; i++) {
        if (strcmp(cli->given[i].option->name, name) == 0) {
            out[count++] = cli->given[i].value;
        }
    }
    return count;
}

int wr_cli_i64(const struct wr_cli *cli, const char *name, int64_t min, int64_t max, int64_t *out,
               struct weir_error *err)
{
    const char *text = wr_cli_value(cli, name);
    if (text == NULL) {
        return 0;
    }
    char *end = NULL;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    bool is_number = *text == '-' ? text[1] >= '0' && text[1] <= '9' : *text >= '0' && *text <= '9';
    if (!is_number || *end != 0 || errno != 0 || v < min || v > max) {
        return wr_fail(err, WEIR_E_INPUT,
                       "--%s must be a whole number in %lld .. %lld, not '%.60s'", name,
                       (long long)min, (long long)max, text);
    }
    *out = v;
    return 0;
}
