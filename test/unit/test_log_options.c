/* The section `log:`: defaults, ranges, and what is said of a wrong value. */
#include "config_fixture.h"

#include "run/log_options.h"

static struct wr_log_options options;
static struct wr_config config;
static struct weir_error err;

static int read_text(const char *text)
{
    const struct named_text files[] = {{"weir.yaml", text}, {NULL, NULL}};
    static struct outside outside;
    outside.files = files;
    static const char *const paths[] = {"weir.yaml", NULL};
    const struct wr_conf_warn warn = {.take = outside_warn, .arg = &outside};
    wr_config_fini(&config);
    err.text[0] = 0;
    assert_int_equal(load(&outside, paths, NULL, &config, &err), 0);
    int rc = wr_log_options_read(wr_config_section(&config, "log"), &warn, &options, &err);
    if (rc == 0) { /* warnings are told by the same text as errors here */
        (void)snprintf(err.text, sizeof(err.text), "%.400s", outside.warned);
    }
    return rc;
}

static void without_a_section_all_are_the_engines_defaults(void **state)
{
    (void)state;
    assert_int_equal(wr_log_options_read(NULL, NULL, &options, &err), 0);
    assert_int_equal(options.embedded.durability, WR_DURABILITY_FSYNC);
    assert_int_equal(options.embedded.journal_file_bytes, 0);
    assert_int_equal(options.embedded.default_count, 0);
}

static void every_key_reaches_its_option(void **state)
{
    (void)state;
    assert_int_equal(read_text("log:\n"
                               "  dir: d\n"
                               "  durability: interval\n"
                               "  interval_ms: 200\n"
                               "  journal_file_bytes: 1048576\n"
                               "  journal_file_count: 4\n"
                               "  placed_bytes_min: 65536\n"
                               "  commit_bytes_max: 1048576\n"
                               "  commits_in_flight_max: 3\n"
                               "  room_bytes_min: 2097152\n"
                               "  open_files_max: 64\n"
                               "  topic_defaults: {retention.ms: 1000, segment.bytes: 2048}\n"),
                     0);
    assert_string_equal(err.text, "");
    const struct wr_embedded_options *o = &options.embedded;
    assert_int_equal(o->durability, WR_DURABILITY_INTERVAL);
    assert_int_equal(o->interval_ms, 200);
    assert_int_equal(o->journal_file_bytes, 1048576);
    assert_int_equal(o->journal_file_count, 4);
    assert_int_equal(o->placed_bytes_min, 65536);
    assert_int_equal(o->commit_bytes_max, 1048576);
    assert_int_equal(o->commits_in_flight_max, 3);
    assert_int_equal(o->room_bytes_min, 2097152);
    assert_int_equal(o->open_files_max, 64);
    assert_int_equal(o->default_count, 2);
    assert_string_equal(o->defaults[1].key, "segment.bytes");
    assert_string_equal(o->defaults[1].value, "2048");
    assert_int_equal(read_text("log: {durability: os}\n"), 0);
    assert_int_equal(options.embedded.durability, WR_DURABILITY_OS);
}

static void a_wrong_value_is_told_with_its_place(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"log:\n  durability: sync\n",
         "weir.yaml:2:15: log.durability must be fsync, interval or os, not 'sync'"},
        {"log: {interval_ms: 1s}\n",
         "weir.yaml:1:20: log.interval_ms must be a whole number, not '1s'"},
        {"log: {journal_file_count: 1}\n",
         "weir.yaml:1:27: log.journal_file_count = 1 is outside 2 .. 64"},
        {"log: {topic_defaults: 7}\n",
         "weir.yaml:1:23: log.topic_defaults must be a map of at most 64 settings"},
        {"log: {topic_defaults: {a: [1]}}\n", "weir.yaml:1:27: a must be one value, not a list"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(read_text(cases[i][0]), WEIR_E_CONFIG);
        assert_string_equal(err.text, cases[i][1]);
    }
}

static void an_unknown_key_warns_with_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(read_text("log:\n  durabilty: fsync\n"), 0);
    assert_string_equal(
        err.text, "weir.yaml:2:3: unknown key 'durabilty' in log; did you mean 'durability'?\n");
}

static int fini(void **state)
{
    (void)state;
    wr_config_fini(&config);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_section_all_are_the_engines_defaults),
        cmocka_unit_test(every_key_reaches_its_option),
        cmocka_unit_test(a_wrong_value_is_told_with_its_place),
        cmocka_unit_test(an_unknown_key_warns_with_the_nearest),
    };
    return cmocka_run_group_tests_name("log_options", tests, NULL, fini);
}
