/*
 * The command line: what is parsed of it, what is suggested, and the help of the real commands: each has an
 * example, and each of its options is explained.
 */
#include "run/cli.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wr_cli cli;
static struct weir_error err;

static int parse(const char *line)
{
    static char room[1024];
    static char *words[64];
    int count = 0;
    (void)snprintf(room, sizeof(room), "weir %s", line);
    for (char *at = room; at != NULL; count++) {
        char *blank = strchr(at, ' ');
        words[count] = at;
        if (blank != NULL) {
            *blank = 0;
        }
        at = blank == NULL ? NULL : blank + 1;
    }
    words[count] = NULL;
    err.text[0] = 0;
    return wr_cli_parse(count, words, &cli, &err);
}

static void options_stand_anywhere_in_every_form(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "tail orders --max 3 --follow --key=a=b",
        "tail --max=3 -f orders --key a=b",
        "tail -n3 -fk a=b orders",
        "tail -n 3 -k a=b -f -- orders",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        assert_int_equal(parse(lines[i]), 0);
        assert_string_equal(cli.command->name, "tail");
        assert_int_equal(cli.operand_count, 1);
        assert_string_equal(cli.operands[0], "orders");
        assert_string_equal(wr_cli_value(&cli, "max"), "3");
        assert_string_equal(wr_cli_value(&cli, "key"), "a=b");
        assert_true(wr_cli_has(&cli, "follow"));
        assert_false(wr_cli_has(&cli, "json"));
    }
}

static void a_value_may_look_like_an_option(void **state)
{
    (void)state;
    assert_int_equal(parse("tail orders --from -15m"), 0);
    assert_string_equal(wr_cli_value(&cli, "from"), "-15m");
    assert_int_equal(parse("tail -- --orders"), 0);
    assert_string_equal(cli.operands[0], "--orders");
}

static void a_repeated_option_keeps_all_values_in_order(void **state)
{
    (void)state;
    const char *values[8];
    assert_int_equal(parse("run a.yaml --set x=1 -f b.yaml -s y=2"), 0);
    assert_int_equal(wr_cli_values(&cli, "set", values, 8), 2);
    assert_string_equal(values[0], "x=1");
    assert_string_equal(values[1], "y=2");
}

static void what_is_wrong_is_said_with_the_nearest(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"tial x", "no command 'tial'; did you mean 'weir tail'?"},
        {"zzzzzz", "no command 'zzzzzz'; weir --help lists them"},
        {"topics", "topics needs a command; weir topics --help lists them"},
        {"topics lst", "no command 'topics lst'; did you mean 'weir topics list'?"},
        {"topics xxxxxxxxx", "no command 'topics xxxxxxxxx'; weir topics --help lists them"},
        {"topics list --jsn", "topics list has no option --jsn; did you mean --json?"},
        {"topics list --zzzzzzzz",
         "topics list has no option --zzzzzzzz; see weir topics list --help"},
        {"topics list -z", "topics list has no option -z; see weir topics list --help"},
        {"tail x --max", "--max needs a value: --max N"},
        {"tail x -n", "-n needs a value: -n N"},
        {"tail x --json=1", "--json takes no value"},
        {"tail x --max 1 --max 2", "--max is given twice"},
        {"tail x y", "tail does not take 'y'; see weir tail --help"},
        {"tail", "usage: weir tail TOPIC; see weir tail --help"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(parse(cases[i][0]), WEIR_E_INPUT);
        assert_string_equal(err.text, cases[i][1]);
    }
}

static void help_wins_over_what_is_wrong(void **state)
{
    (void)state;
    assert_int_equal(parse("tail --nonsense --help"), 0);
    assert_true(cli.wants_help);
    assert_int_equal(parse("tail -h"), 0);
    assert_true(cli.wants_help);
    assert_int_equal(parse("tail -- --help"), 0);
    assert_false(cli.wants_help);
}

static void numbers_are_checked(void **state)
{
    (void)state;
    int64_t n = 7;
    assert_int_equal(parse("topics create x --partitions 16"), 0);
    assert_int_equal(wr_cli_i64(&cli, "partitions", 1, 100, &n, &err), 0);
    assert_int_equal(n, 16);
    assert_int_equal(wr_cli_i64(&cli, "partitions", 1, 15, &n, &err), WEIR_E_INPUT);
    assert_string_equal(err.text, "--partitions must be a whole number in 1 .. 15, not '16'");
    assert_int_equal(parse("topics create x --partitions 1x"), 0);
    assert_int_equal(wr_cli_i64(&cli, "partitions", 1, 100, &n, &err), WEIR_E_INPUT);
    assert_int_equal(parse("topics create x"), 0);
    assert_int_equal(wr_cli_i64(&cli, "partitions", 1, 100, &n, &err), 0);
    assert_int_equal(n, 16);
}

static void codes_become_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(wr_cli_exit(0), 0);
    assert_int_equal(wr_cli_exit(WEIR_E_IO), 1);
    assert_int_equal(wr_cli_exit(WEIR_E_NOTFOUND), 1);
    assert_int_equal(wr_cli_exit(WEIR_E_CONFIG), 2);
    assert_int_equal(wr_cli_exit(WEIR_E_INPUT), 2);
    assert_int_equal(wr_cli_exit(WEIR_E_REFUSED), 3);
}

/* ---- the real table ---- */

static const char *help_of(const struct wr_command *command)
{
    static char text[16384];
    struct wr_writer out = wr_writer_over(text, sizeof(text) - 1);
    wr_cli_help_command(command, &out);
    assert_int_equal(wr_writer_end(&out, &err), 0);
    text[out.len] = 0;
    return text;
}

static void every_command_has_an_example_of_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < wr_command_count; i++) {
        const struct wr_command *command = wr_commands[i];
        char call[64];
        (void)snprintf(call, sizeof(call), "weir %s", command->name);
        assert_ptr_equal(strstr(command->examples, "  "), command->examples);
        assert_non_null(strstr(command->examples, call));
        assert_non_null(strstr(help_of(command), command->examples));
    }
}

static void is_unlike_those_before(const struct wr_command *command, size_t index)
{
    const struct wr_cli_option *option = &command->options[index];
    for (size_t i = 0; i < index; i++) {
        assert_string_not_equal(option->name, command->options[i].name);
        assert_true(option->letter == 0 || option->letter != command->options[i].letter);
    }
}

static void every_option_is_explained_once_and_has_its_own_letter(void **state)
{
    (void)state;
    for (size_t i = 0; i < wr_command_count; i++) {
        const char *help = help_of(wr_commands[i]);
        for (size_t k = 0; k < wr_commands[i]->option_count; k++) {
            const struct wr_cli_option *option = &wr_commands[i]->options[k];
            assert_true(strlen(option->help) > 0);
            assert_non_null(strstr(help, option->help));
            assert_int_not_equal(option->letter, 'h');
            is_unlike_those_before(wr_commands[i], k);
        }
    }
}

static void the_help_lists_every_command(void **state)
{
    (void)state;
    static char text[16384];
    struct wr_writer out = wr_writer_over(text, sizeof(text) - 1);
    wr_cli_help(&out);
    text[out.len] = 0;
    for (size_t i = 0; i < wr_command_count; i++) {
        assert_non_null(strstr(text, wr_commands[i]->name));
        assert_non_null(strstr(text, wr_commands[i]->summary));
    }
}

static void every_shell_completes_every_command(void **state)
{
    (void)state;
    static const char *const shells[] = {"bash", "zsh", "fish"};
    static char text[65536];
    for (size_t s = 0; s < 3; s++) {
        struct wr_writer out = wr_writer_over(text, sizeof(text) - 1);
        assert_true(wr_cli_completion(shells[s], &out));
        assert_int_equal(wr_writer_end(&out, &err), 0);
        text[out.len] = 0;
        for (size_t i = 0; i < wr_command_count; i++) {
            const char *last = strrchr(wr_commands[i]->name, ' ');
            assert_non_null(strstr(text, last == NULL ? wr_commands[i]->name : last + 1));
        }
    }
    struct wr_writer none = wr_writer_over(text, sizeof(text));
    assert_false(wr_cli_completion("tcsh", &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_stand_anywhere_in_every_form),
        cmocka_unit_test(a_value_may_look_like_an_option),
        cmocka_unit_test(a_repeated_option_keeps_all_values_in_order),
        cmocka_unit_test(what_is_wrong_is_said_with_the_nearest),
        cmocka_unit_test(help_wins_over_what_is_wrong),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(codes_become_exit_statuses),
        cmocka_unit_test(every_command_has_an_example_of_itself),
        cmocka_unit_test(every_option_is_explained_once_and_has_its_own_letter),
        cmocka_unit_test(the_help_lists_every_command),
        cmocka_unit_test(every_shell_completes_every_command),
    };
    return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
