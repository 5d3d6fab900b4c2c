/*
 * The whole configuration: every form a connector may come in gives the same source, files are merged, and
 * --set is stronger. The manifest is the one of the README, with and without its indentation.
 */
#include "config_fixture.h"

#define MANIFEST                                                    \
    "apiVersion: kafka.strimzi.io/v1beta2\n"                        \
    "kind: KafkaConnector\n"                                        \
    "metadata:\n"                                                   \
    "  name: postgres-cdc-source\n"                                 \
    "  labels:\n"                                                   \
    "    strimzi.io/cluster: my-connect\n"                          \
    "spec:\n"                                                       \
    "  class: io.debezium.connector.postgresql.PostgresConnector\n" \
    "  tasksMax: 1\n"                                               \
    "  config:\n"                                                   \
    "    database.hostname: postgres\n"                             \
    "    database.port: 5432\n"                                     \
    "    database.password: secret\n"                               \
    "    database.server.name: app\n"                               \
    "    # Table filtering\n"                                       \
    "    table.include.list: public.orders,public.customers\n"      \
    "    heartbeat.interval.ms: 10000\n"

#define CLASS "io.debezium.connector.postgresql.PostgresConnector"

static const struct named_text files[] = {
    {"manifest.yaml", MANIFEST},
    {"flat.yaml",
     "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnector\nmetadata:\n"
     "name: postgres-cdc-source\nlabels:\nstrimzi.io/cluster: my-connect\nspec:\nclass: " CLASS
     "\ntasksMax: 1\nconfig:\ndatabase.hostname: postgres\ndatabase.port: 5432\n"
     "database.password: secret\ndatabase.server.name: app\n# Table filtering\n"
     "table.include.list: public.orders,public.customers\nheartbeat.interval.ms: 10000\n"},
    {"half.yaml",
     "apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaConnector\nmetadata:\n"
     "  name: postgres-cdc-source\nspec:\n  class: " CLASS "\n  tasksMax: 1\n  config:\n"
     "  database.hostname: postgres\n  database.port: 5432\n  database.password: secret\n"
     "  database.server.name: app\n  table.include.list: public.orders,public.customers\n"
     "  heartbeat.interval.ms: 10000\n"},
    {"connect.json",
     "{\n  \"name\": \"postgres-cdc-source\",\n  \"config\": {\n"
     "    \"connector.class\": \"" CLASS "\",\n    \"tasks.max\": \"1\",\n"
     "    \"database.hostname\": \"postgres\",\n    \"database.port\": 5432,\n"
     "    \"database.password\": \"secret\",\n    \"database.server.name\": \"app\",\n"
     "    \"table.include.list\": \"public.orders,public.customers\",\n"
     "\t\"heartbeat.interval.ms\": \"10000\"\n  }\n}\n"},
    {"flat.json", "{\"name\": \"postgres-cdc-source\", \"connector.class\": \"" CLASS
                  "\", \"tasks.max\": 1, \"database.hostname\": \"postgres\", \"database.port\": "
                  "\"5432\", \"database.password\": \"secret\", \"database.server.name\": \"app\", "
                  "\"table.include.list\": \"public.orders,public.customers\", "
                  "\"heartbeat.interval.ms\": 10000}"},
    {"connect.properties",
     "# a comment\n! another\nname=postgres-cdc-source\nconnector.class = " CLASS
     "\ntasks.max:1\ndatabase.hostname postgres\ndatabase.port=5432\ndatabase.password=secret\n"
     "database.server.name=app\ntable.include.list=public.orders,\\\n    public.customers\n"
     "heartbeat.interval.ms=10000"},
    {"weir.yaml", "log: {dir: ./data, durability: interval}\n"
                  "sources:\n"
                  "  app: {connector.class: postgres, database.hostname: localhost}\n"
                  "views:\n"
                  "  analytics:\n"
                  "    from: orders\n"
                  "    to: sqlite:analytics.db\n"
                  "    on:\n"
                  "      OrderPlaced: \"INSERT INTO t VALUES (:a)\"\n"},
    {"prod.yaml", "log: {durability: fsync}\n"
                  "sources:\n"
                  "  app: {database.hostname: prod, database.password: '${PGPASSWORD}'}\n"
                  "  postgres-cdc-source: {snapshot.mode: no_data}\n"
                  "views:\n"},
    {"two.yaml", MANIFEST "---\nkind: KafkaConnect\nmetadata: {name: c}\n---\n---\n"
                          "kind: KafkaConnector\nmetadata: {name: second}\n"
                          "spec: {class: x, config: {}}\n"},
    {"paused.yaml", "kind: KafkaConnector\nmetadata: {name: a}\nspec:\n  class: x\n"
                    "  state: paused\n"},
    {"prefix.properties", "connector.class=x\ntopic.prefix=inventory\n"},
    {"noname.json", "{\"connector.class\": \"x\"}"},
    {"typo.yaml", "souces:\n  app: {}\n"},
    {"typo2.yaml", "log:\n  durabilty: fsync\nview:\n"},
    {"later.yaml", "kafka: {listen: 127.0.0.1:9092}\n"},
    {"list.yaml", "- a\n- b\n"},
    {"bad.yaml", "log:\n  dir: x\n dir: y\n"},
    {"tab.yaml", "log:\n\tdir: x\n"},
    {"twice.yaml", "log:\n  dir: x\n  dir: y\n"},
    {"sub/weir.yaml", "log: {dir: data}\n"},
    {"name.yaml", "sources:\n  'a/b': {}\n"},
    {NULL, NULL},
};
static const struct named_text variables[] = {{"PGPASSWORD", "hunter2"}, {NULL, NULL}};
static struct outside outside = {variables, files, ""};

#define FILES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void every_form_gives_the_same_source(void **state)
{
    (void)state;
    static const char *const forms[] = {"manifest.yaml", "flat.yaml", "half.yaml",
                                        "connect.json",  "flat.json", "connect.properties"};
    static const char *const expected[][2] = {
        {"connector.class", CLASS},
        {"database.hostname", "postgres"},
        {"database.port", "5432"},
        {"database.password", "secret"},
        {"database.server.name", "app"},
        {"table.include.list", "public.orders,public.customers"},
        {"heartbeat.interval.ms", "10000"},
    };
    for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        struct wr_config config;
        struct weir_error err = {.text = ""};
        int rc = load(&outside, FILES(forms[f]), NULL, &config, &err);
        assert_string_equal(err.text, "");
        assert_int_equal(rc, 0);
        const struct wr_conf *sources = wr_config_section(&config, "sources");
        assert_int_equal(sources->count, 1);
        assert_int_equal(sources->entries[0].value.count, 7); /* tasks.max: 1 says nothing */
        for (size_t i = 0; i < 7; i++) {
            const char *text = AT(&config, "sources", "postgres-cdc-source", expected[i][0]);
            assert_non_null(text);
            assert_string_equal(text, expected[i][1]);
        }
        assert_string_equal(outside.warned, "");
        wr_config_fini(&config);
    }
}

static void a_key_keeps_its_place_in_every_form(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int line;
        int column;
    } places[] = {{"manifest.yaml", 12, 20},
                  {"flat.yaml", 12, 16},
                  {"connect.json", 7, 22},
                  {"connect.properties", 7, 15}};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct wr_config config;
        struct weir_error err;
        assert_int_equal(load(&outside, FILES(places[i].file), NULL, &config, &err), 0);
        const struct wr_conf *source = &wr_config_section(&config, "sources")->entries[0].value;
        const struct wr_conf *port = wr_conf_get(source, "database.port");
        assert_string_equal(port->at.file, places[i].file);
        assert_int_equal(port->at.line, places[i].line);
        assert_int_equal(port->at.column, places[i].column);
        wr_config_fini(&config);
    }
}

static void later_files_win_key_by_key_and_an_empty_section_changes_nothing(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(
        load(&outside, FILES("weir.yaml", "manifest.yaml", "prod.yaml"), NULL, &config, &err), 0);
    assert_string_equal(AT(&config, "log", "durability"), "fsync");
    assert_string_equal(AT(&config, "log", "dir"), "./data");
    assert_string_equal(AT(&config, "sources", "app", "connector.class"), "postgres");
    assert_string_equal(AT(&config, "sources", "app", "database.hostname"), "prod");
    assert_string_equal(AT(&config, "sources", "app", "database.password"), "hunter2");
    assert_string_equal(AT(&config, "sources", "postgres-cdc-source", "snapshot.mode"), "no_data");
    assert_string_equal(AT(&config, "sources", "postgres-cdc-source", "database.port"), "5432");
    assert_string_equal(AT(&config, "views", "analytics", "on", "OrderPlaced"),
                        "INSERT INTO t VALUES (:a)");
    wr_config_fini(&config);
}

static void a_file_may_hold_several_documents(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, FILES("two.yaml"), NULL, &config, &err), 0);
    assert_int_equal(wr_config_section(&config, "sources")->count, 2);
    assert_string_equal(AT(&config, "sources", "second", "connector.class"), "x");
    assert_string_equal(outside.warned,
                        "two.yaml:19:7: kind KafkaConnect is nothing that weir runs; left out\n");
    wr_config_fini(&config);
}

static void a_source_without_a_name_is_called_by_its_topic_prefix(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, FILES("prefix.properties"), NULL, &config, &err), 0);
    assert_string_equal(AT(&config, "sources", "inventory", "connector.class"), "x");
    wr_config_fini(&config);
}

static void set_is_stronger_than_files(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    const char *const sets[] = {"log.dir=/d",
                                "value.converter=json",
                                "sources.app.value.converter=string",
                                "views.analytics.to=sqlite:other.db",
                                "views.analytics.options.batch=7",
                                "log.position.check.enable=false",
                                "log.topic_defaults.retention.ms=7",
                                "database.password='a b: # c'",
                                NULL};
    assert_int_equal(load(&outside, FILES("weir.yaml", "manifest.yaml"), sets, &config, &err), 0);
    assert_string_equal(AT(&config, "log", "dir"), "/d");
    assert_string_equal(AT(&config, "log", "topic_defaults", "retention.ms"), "7");
    assert_string_equal(AT(&config, "sources", "app", "value.converter"), "string");
    assert_string_equal(AT(&config, "sources", "postgres-cdc-source", "value.converter"), "json");
    assert_string_equal(AT(&config, "views", "analytics", "to"), "sqlite:other.db");
    assert_string_equal(AT(&config, "views", "analytics", "options", "batch"), "7");
    assert_string_equal(AT(&config, "sources", "app", "log.position.check.enable"), "false");
    assert_string_equal(AT(&config, "sources", "app", "database.password"), "a b: # c");
    assert_string_equal(outside.warned, "");
    wr_config_fini(&config);
}

static void set_knows_a_mistyped_key_of_the_log(void **state)
{
    (void)state;
    static const char *const sets[] = {"log.durabilty=os", "log.dri=x", NULL};
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, NULL, sets, &config, &err), 0);
    assert_string_equal(outside.warned,
                        "--set:0:0: unknown key 'log.durabilty'; did you mean 'log.durability'?\n"
                        "--set:0:0: unknown key 'log.dri'; did you mean 'log.dir'?\n");
    wr_config_fini(&config);
}

static void set_warns_of_what_it_does_not_find(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, FILES("weir.yaml"),
                          (const char *const[]){"sources.ap.slot.name=x", "views.zzz.to=x", NULL},
                          &config, &err),
                     0);
    assert_string_equal(outside.warned,
                        "--set:0:0: sources.ap.slot.name: there is no 'ap'; did you mean 'app'?\n"
                        "--set:0:0: views.zzz.to: there is no 'zzz'\n");
    wr_config_fini(&config);
    assert_int_equal(
        load(&outside, NULL, (const char *const[]){"slot.name=x", NULL}, &config, &err), 0);
    assert_string_equal(outside.warned, "--set:0:0: slot.name: there is no source to set it for\n");
    wr_config_fini(&config);
}

static void refuses_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        const char *text;
    } cases[] = {
        {"typo.yaml", "typo.yaml:1:1: neither a weir.yaml (log, sources, views) nor a connector "
                      "(connector.class, or kind: KafkaConnector); did you mean 'sources:'?"},
        {"later.yaml", "later.yaml:1:1: this version of weir has no 'kafka' yet; take it out"},
        {"list.yaml", "list.yaml:1:1: a configuration must be a map of keys and values"},
        {"noname.json", "noname.json:1:1: the connector has no name; give it name or topic.prefix"},
        {"paused.yaml", "paused.yaml:5:10: weir runs a connector as long as its file is given; "
                        "leave the file out instead of state: paused"},
        {"bad.yaml", "bad.yaml:3:2: did not find expected key while parsing a block mapping"},
        {"tab.yaml", "tab.yaml:2:1: found character that cannot start any token while scanning "
                     "for the next token; indent with spaces, not with tabs"},
        {"twice.yaml", "twice.yaml:3:3: the key 'dir' stands here twice"},
        {"name.yaml",
         "name.yaml:2:3: 'a/b' is no name for a source: a-z A-Z 0-9 . _ - are possible"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wr_config config;
        struct weir_error err = {.text = ""};
        assert_int_equal(load(&outside, FILES(cases[i].file), NULL, &config, &err), WEIR_E_CONFIG);
        assert_string_equal(err.text, cases[i].text);
        wr_config_fini(&config);
    }
}

static void two_connectors_of_one_name_are_refused(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, FILES("manifest.yaml", "flat.json"), NULL, &config, &err),
                     WEIR_E_CONFIG);
    assert_string_equal(err.text, "flat.json:1:1: a connector 'postgres-cdc-source' is already "
                                  "defined at manifest.yaml:1");
    wr_config_fini(&config);
}

static void an_unknown_key_warns_with_the_nearest(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, FILES("typo2.yaml"), NULL, &config, &err), 0);
    assert_string_equal(outside.warned,
                        "typo2.yaml:3:1: unknown key 'view' in weir.yaml; did you mean 'views'?\n");
    wr_config_fini(&config);
}

static void a_relative_log_dir_starts_at_its_file(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    char *dir = NULL;
    assert_int_equal(load(&outside, FILES("sub/weir.yaml"), NULL, &config, &err), 0);
    assert_int_equal(wr_config_log_dir(&config, "./weir-data", &dir, &err), 0);
    assert_string_equal(dir, "sub/data");
    wr_free(dir);
    wr_config_fini(&config);
    assert_int_equal(load(&outside, FILES("sub/weir.yaml"),
                          (const char *const[]){"log.dir=here", NULL}, &config, &err),
                     0);
    assert_int_equal(wr_config_log_dir(&config, "./weir-data", &dir, &err), 0);
    assert_string_equal(dir, "here");
    wr_free(dir);
    wr_config_fini(&config);
    assert_int_equal(load(&outside, NULL, NULL, &config, &err), 0);
    assert_int_equal(wr_config_log_dir(&config, "./weir-data", &dir, &err), 0);
    assert_string_equal(dir, "./weir-data");
    wr_free(dir);
    wr_config_fini(&config);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    (void)state;
    struct wr_config config;
    struct weir_error err;
    assert_int_equal(load(&outside, FILES("nosuch.yaml"), NULL, &config, &err), WEIR_E_NOTFOUND);
    assert_non_null(strstr(err.text, "nosuch.yaml"));
    wr_config_fini(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_gives_the_same_source),
        cmocka_unit_test(a_key_keeps_its_place_in_every_form),
        cmocka_unit_test(later_files_win_key_by_key_and_an_empty_section_changes_nothing),
        cmocka_unit_test(a_file_may_hold_several_documents),
        cmocka_unit_test(a_source_without_a_name_is_called_by_its_topic_prefix),
        cmocka_unit_test(set_is_stronger_than_files),
        cmocka_unit_test(set_knows_a_mistyped_key_of_the_log),
        cmocka_unit_test(set_warns_of_what_it_does_not_find),
        cmocka_unit_test(refuses_with_the_place),
        cmocka_unit_test(two_connectors_of_one_name_are_refused),
        cmocka_unit_test(an_unknown_key_warns_with_the_nearest),
        cmocka_unit_test(a_relative_log_dir_starts_at_its_file),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
