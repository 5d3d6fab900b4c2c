/*
 * cli_complete.c - completion scripts, from the table of commands.
 *
 * Topic names are asked from weir itself (weir topics list --names), which answers quickly or not at all.
 */
#include "run/cli.h"

static bool is_first_of_group(size_t index, size_t len)
{
    for (size_t i = 0; i < index; i++) {
        if (strncmp(wr_commands[i]->name, wr_commands[index]->name, len) == 0 &&
            (wr_commands[i]->name[len] == ' ' || wr_commands[i]->name[len] == 0)) {
            return false;
        }
    }
    return true;
}

/* The first words of all commands, parted by blanks. */
static void put_first_words(struct wr_writer *out)
{
    for (size_t i = 0; i < wr_command_count; i++) {
        size_t len = strcspn(wr_commands[i]->name, " ");
        if (is_first_of_group(i, len)) {
            wr_put_fmt(out, "%s%.*s", i == 0 ? "" : " ", (int)len, wr_commands[i]->name);
        }
    }
}

static void put_second_words(struct wr_writer *out, const char *group, size_t len)
{
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *name = wr_commands[i]->name;
        if (strncmp(name, group, len) == 0 && name[len] == ' ') {
            wr_put_fmt(out, " %s", name + len + 1);
        }
    }
}

static void put_options(struct wr_writer *out, const struct wr_command *command)
{
    for (size_t i = 0; i < command->option_count; i++) {
        wr_put_fmt(out, " --%s", command->options[i].name);
    }
    wr_put_lit(out, " --help");
}

/* ---- bash ---- */

static void put_bash(struct wr_writer *out)
{
    wr_put_lit(out, "# weir completion for bash: source <(weir completion bash)\n"
                    "_weir() {\n"
                    "    local cur=${COMP_WORDS[COMP_CWORD]} words='' names=''\n"
                    "    local command=\"${COMP_WORDS[1]} ${COMP_WORDS[2]}\"\n"
                    "    COMPREPLY=()\n"
                    "    if [ \"$COMP_CWORD\" = 1 ]; then\n"
                    "        words='");
    put_first_words(out);
    wr_put_lit(out, "'\n    else case $command in\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        const struct wr_command *command = wr_commands[i];
        const char *topics =
            command->values == WR_CLI_TOPIC ? " names=$(weir topics list --names 2>/dev/null)" : "";
        wr_put_fmt(out, "        '%s'*) words='", command->name);
        put_options(out, command);
        wr_put_fmt(out, "'%s ;;\n", topics);
    }
    for (size_t i = 0; i < wr_command_count; i++) {
        size_t len = strcspn(wr_commands[i]->name, " ");
        if (wr_commands[i]->name[len] == ' ' && is_first_of_group(i, len)) {
            wr_put_fmt(out, "        '%.*s '*) words='", (int)len, wr_commands[i]->name);
            put_second_words(out, wr_commands[i]->name, len);
            wr_put_lit(out, "' ;;\n");
        }
    }
    wr_put_lit(out, "    esac; fi\n"
                    "    COMPREPLY=($(compgen -W \"$words $names\" -- \"$cur\"))\n"
                    "}\n"
                    "complete -o default -F _weir weir\n");
}

/* ---- what zsh and fish show beside a word ---- */

/* A text inside single quotes: zsh and fish both take a closing quote, an escaped one and an opening one. */
static void put_quoted(struct wr_writer *out, const char *text)
{
    for (const char *p = text; *p != 0; p++) {
        if (*p == '\'') {
            wr_put_lit(out, "'\\''");
        } else {
            wr_put_u8(out, (uint8_t)*p);
        }
    }
}

/* What a command or group does, in a few words. */
static const char *summary_of(size_t index)
{
    return strchr(wr_commands[index]->name, ' ') == NULL ? wr_commands[index]->summary : "";
}

/* ---- zsh ---- */

/* 'word:what it does', each on a line of its own. */
static void put_zsh_word(struct wr_writer *out, const char *head, const char *word, size_t len,
                         const char *what)
{
    wr_put_fmt(out, " '%s%.*s", head, (int)len, word);
    wr_put_str(out, what[0] == 0 ? WR_STR("") : WR_STR(":"));
    put_quoted(out, what);
    wr_put_lit(out, "'");
}

static void put_zsh_group(struct wr_writer *out, const char *group, size_t len)
{
    wr_put_fmt(out, "            '%.*s') offers=(", (int)len, group);
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *name = wr_commands[i]->name;
        if (strncmp(name, group, len) == 0 && name[len] == ' ') {
            put_zsh_word(out, "", name + len + 1, strlen(name + len + 1), wr_commands[i]->summary);
        }
    }
    wr_put_lit(out, ") ;;\n");
}

static void put_zsh_command(struct wr_writer *out, const struct wr_command *command)
{
    wr_put_fmt(out, "        '%s'%s) offers=(", command->name,
               strchr(command->name, ' ') == NULL ? "*" : "");
    for (size_t i = 0; i < command->option_count; i++) {
        const struct wr_cli_option *option = &command->options[i];
        put_zsh_word(out, "--", option->name, strlen(option->name), option->help);
    }
    wr_put_lit(out, " '--help')");
    if (command->values == WR_CLI_TOPIC) {
        wr_put_lit(out, "; topics=(${(f)\"$(weir topics list --names 2>/dev/null)\"})");
    }
    wr_put_lit(out, " ;;\n");
}

static void put_zsh(struct wr_writer *out)
{
    wr_put_lit(out, "#compdef weir\n"
                    "# weir completion for zsh: weir completion zsh > \"${fpath[1]}/_weir\"\n"
                    "_weir() {\n"
                    "    local -a offers topics\n"
                    "    local command=\"${words[2]} ${words[3]}\"\n"
                    "    if (( CURRENT == 2 )); then\n"
                    "        offers=(");
    for (size_t i = 0; i < wr_command_count; i++) {
        size_t len = strcspn(wr_commands[i]->name, " ");
        if (is_first_of_group(i, len)) {
            put_zsh_word(out, "", wr_commands[i]->name, len, summary_of(i));
        }
    }
    wr_put_lit(out, ")\n        _describe command offers\n        return\n    fi\n"
                    "    if (( CURRENT == 3 )); then\n"
                    "        case ${words[2]} in\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        size_t len = strcspn(wr_commands[i]->name, " ");
        if (wr_commands[i]->name[len] == ' ' && is_first_of_group(i, len)) {
            put_zsh_group(out, wr_commands[i]->name, len);
        }
    }
    wr_put_lit(out, "        esac\n"
                    "        if (( $#offers )); then _describe command offers; return; fi\n"
                    "    fi\n"
                    "    case $command in\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        put_zsh_command(out, wr_commands[i]);
    }
    wr_put_lit(out,
               "    esac\n"
               "    if [[ ${words[CURRENT]} == -* ]]; then\n"
               "        _describe -o option offers\n"
               "    elif (( $#topics )); then\n"
               "        compadd -a topics\n"
               "    else\n"
               "        _files\n"
               "    fi\n"
               "}\n"
               "if [[ $funcstack[1] == _weir ]]; then _weir \"$@\"; else compdef _weir weir; fi\n");
}

/* ---- fish ---- */

static void put_fish_command(struct wr_writer *out, const struct wr_command *command)
{
    const char *second = strchr(command->name, ' ');
    size_t len = strcspn(command->name, " ");
    if (second == NULL) {
        wr_put_fmt(out, "complete -c weir -f -n __fish_use_subcommand -a %s -d '", command->name);
    } else {
        wr_put_fmt(out, "complete -c weir -f -n '__fish_seen_subcommand_from %.*s' -a %s -d '",
                   (int)len, command->name, second + 1);
    }
    put_quoted(out, command->summary);
    wr_put_lit(out, "'\n");
    for (size_t i = 0; i < command->option_count; i++) {
        const struct wr_cli_option *option = &command->options[i];
        wr_put_fmt(out, "complete -c weir -n '__fish_seen_subcommand_from %s' -l %s%s -d '",
                   second == NULL ? command->name : second + 1, option->name,
                   option->value == NULL ? "" : " -r");
        put_quoted(out, option->help);
        wr_put_lit(out, "'\n");
    }
    if (command->values == WR_CLI_TOPIC) {
        wr_put_fmt(out,
                   "complete -c weir -f -n '__fish_seen_subcommand_from %s' "
                   "-a '(weir topics list --names 2>/dev/null)'\n",
                   second == NULL ? command->name : second + 1);
    }
}

static void put_fish(struct wr_writer *out)
{
    wr_put_lit(out, "# weir completion for fish: weir completion fish | source\n");
    for (size_t i = 0; i < wr_command_count; i++) {
        size_t len = strcspn(wr_commands[i]->name, " ");
        if (wr_commands[i]->name[len] == ' ' && is_first_of_group(i, len)) {
            wr_put_fmt(out, "complete -c weir -f -n __fish_use_subcommand -a %.*s\n", (int)len,
                       wr_commands[i]->name);
        }
        put_fish_command(out, wr_commands[i]);
    }
}

bool wr_cli_completion(const char *shell, struct wr_writer *out)
{
    static const struct {
        const char *shell;
        void (*put)(struct wr_writer *out);
    } shells[] = {{"bash", put_bash}, {"zsh", put_zsh}, {"fish", put_fish}};
    for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].shell, shell) == 0) {
            shells[i].put(out);
            return true;
        }
    }
    return false;
}
