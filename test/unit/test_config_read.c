/*
 * From bytes to trees: YAML's traps (booleans, aliases that grow, duplicate keys), JSON as YAML, Java's
 * properties (escapes as in the Javadoc of java.util.Properties.load), and ${…}.
 */
#include "config_fixture.h"

#include "base/arena.h"

static const struct named_text files[] = {
    {"/run/secret", "s3cret\n"},
    {"/run/crlf", "s3cret\r\n"},
    {"/run/db.properties", "user = repl\npass\\:word=p\\u00e4ss \n"},
    {"etc/rel", "relative"},
    {NULL, NULL},
};
static const struct named_text variables[] = {{"HOST", "db"}, {"EMPTY", ""}, {NULL, NULL}};
static struct outside outside = {variables, files, ""};

static struct wr_arena arena;
static struct wr_conf docs[8];
static size_t doc_count;

static int keep_doc(void *arg, const struct wr_conf *doc, struct weir_error *err)
{
    (void)arg;
    (void)err;
    assert_true(doc_count < 8);
    docs[doc_count++] = *doc;
    return 0;
}

static struct wr_config_env env = {outside_variable, outside_file, &outside};

static int parse_as(const char *text, bool is_lenient, struct weir_error *err)
{
    wr_arena_fini(&arena);
    arena = wr_arena_of(WR_CONFIG_MEMORY_MAX);
    doc_count = 0;
    struct wr_config_reader reader = {
        .arena = &arena, .env = &env, .file = "etc/f", .is_lenient = is_lenient};
    const struct wr_config_each each = {keep_doc, NULL};
    return wr_config_read(&reader, wr_str_of(text), &each, err);
}

static int parse(const char *text, struct weir_error *err)
{
    return parse_as(text, false, err);
}

/* The value of key `a` of the first document. */
static const struct wr_conf *value_of_a(const char *text)
{
    struct weir_error err = {.text = ""};
    int rc = parse(text, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(rc, 0);
    const struct wr_conf *value = wr_conf_get(&docs[0], "a");
    assert_non_null(value);
    return value;
}

static void a_scalar_stays_the_text_that_was_written(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: yes", "yes"},
        {"a: 0123", "0123"},
        {"a: 1.10", "1.10"},
        {"a: 'it''s'", "it's"},
        {"a: \"x\\ty\"", "x\ty"},
        {"a: |\n  one\n  two\n", "one\ntwo\n"},
        {"a: >-\n  one\n  two\n", "one two"},
        {"{\"a\": \"\\ud83d\\ude00\\u00e9\\/\"}", "\xf0\x9f\x98\x80\xc3\xa9/"},
        {"{\"a\": \"\\\\ud83d\\\\ude00\"}", "\\ud83d\\ude00"},
        {"{\n\t\"a\":\t-1.5e10\n}", "-1.5e10"},
        {"\xef\xbb\xbf"
         "a: b",
         "b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(value_of_a(cases[i][0])->text.ptr, cases[i][1]);
    }
}

static void only_plain_scalars_are_plain(void **state)
{
    (void)state;
    assert_true(value_of_a("a: null")->is_plain);
    assert_true(wr_conf_is_null(value_of_a("a: null")));
    assert_true(wr_conf_is_null(value_of_a("a:")));
    assert_false(wr_conf_is_null(value_of_a("a: 'null'")));
    assert_false(wr_conf_is_null(value_of_a("a: \"\"")));
    assert_false(wr_conf_is_null(value_of_a("a: !!str null")));
}

static void a_text_knows_where_its_characters_stand(void **state)
{
    (void)state;
    /* The byte asked for is the X of each. Line 0: the text does not stand in the file as it is. */
    static const struct {
        const char *text;
        int line;
        int column;
    } cases[] = {
        {"a: abX", 1, 6},
        {"b: \xc3\xa9\xc3\xa9\na: 'ab X'", 2, 8},
        {"{\"\xc3\xa9\": 1, \"a\": \"\xc3\xa9X\"}", 1, 17},
        {"a: |\n    one\n      twoX\n", 3, 10},
        {"k:\n- 1\na: |\n\n  one\n  X\n", 6, 3},
        {"a: |2\n   oX\n", 2, 5},
        {"x=1\n a = bX", 2, 7},
        {"a: >\n  one\n  twoX\n", 0, 0},
        {"a: \"\\x41X\"", 0, 0},
        {"a: one\n  twoX", 0, 0},
        {"a: ${HOST}X", 0, 0},
        {"x=1\na=b\\\nX", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct wr_conf *value = value_of_a(cases[i].text);
        struct wr_place at =
            wr_conf_place(value, (size_t)(strchr(value->text.ptr, 'X') - value->text.ptr));
        assert_int_equal(value->text_at.line == 0 ? 0 : at.line, cases[i].line);
        assert_int_equal(value->text_at.line == 0 ? 0 : at.column, cases[i].column);
    }
}

static void properties_follow_java(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a=b", "b"},
        {"a = b ", "b "},
        {"x=1\na:b", "b"},
        {"x=1\na b c", "b c"},
        {"x=1\na", ""},
        {"x=1\n  a=\\u00e9\\n\\t\\\\\\q", "\xc3\xa9\n\t\\q"},
        {"x=1\na=\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
        {"x=1\na=one,\\\r\n   two\r\nb=3", "one,two"},
        {"x=1\n#a=no\n!a=no\n\n a==b", "=b"},
        {"x=1\n\\a=b", "b"},
        {"x=1\na=b\\", "b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(value_of_a(cases[i][0])->text.ptr, cases[i][1]);
    }
}

static void an_alias_stands_for_its_anchor(void **state)
{
    (void)state;
    struct weir_error err;
    assert_int_equal(parse("x: &x {k: v, l: [1, 2]}\na: *x\nb: &s one\nc: *s\n", &err), 0);
    assert_string_equal(wr_conf_get(wr_conf_get(&docs[0], "a"), "k")->text.ptr, "v");
    assert_string_equal(wr_conf_get(&docs[0], "c")->text.ptr, "one");
    assert_int_equal(parse("a: *nosuch\n", &err), WEIR_E_CONFIG);
    assert_string_equal(
        err.text,
        "etc/f:1:4: a value that begins with * names an anchor, and there is none of that "
        "name before it; if it is a text, put it in quotes");
    assert_int_equal(parse("a: &a [*a]\n", &err), WEIR_E_CONFIG);
}

static void aliases_cannot_grow_without_end(void **state)
{
    (void)state;
    struct weir_error err;
    char text[4096] = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int i = 1; i < 12; i++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used,
                       "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i,
                       i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    assert_int_equal(parse(text, &err), WEIR_E_CONFIG);
    assert_non_null(strstr(err.text, "more than 100000 keys and values, aliases counted"));
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    struct weir_error err;
    char text[200];
    memset(text, '[', sizeof(text));
    text[64] = 0;
    char closed[200];
    (void)snprintf(closed, sizeof(closed), "a: %.63s%s", text, "");
    memset(closed + strlen(closed), ']', 63);
    closed[3 + 63 + 63] = 0;
    assert_int_equal(parse(closed, &err), 0);
    (void)snprintf(closed, sizeof(closed), "a: %.64s", text);
    memset(closed + strlen(closed), ']', 64);
    closed[3 + 64 + 64] = 0;
    assert_int_equal(parse(closed, &err), WEIR_E_CONFIG);
    assert_non_null(strstr(err.text, "nested deeper than 64 levels"));
}

static void refuses_what_it_would_misread(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: 1\na: 2\n", "etc/f:2:1: the key 'a' stands here twice"},
        {"x: &x {}\na:\n  <<: *x\n", "etc/f:3:3: merge keys (<<) are not read; write the keys out"},
        {"a: !ruby/object x\n",
         "etc/f:1:4: a value that begins with ! has a tag, and this one means nothing here; if "
         "it is a text, put it in quotes"},
        {"[1]: a\n", "etc/f:1:1: a key must be one word"},
        {"a: \"x\\0y\"\n", "etc/f:1:4: a value cannot hold the NUL character"},
        {"\"x\\0y\": a\n", "etc/f:1:1: a key cannot hold the NUL character"},
        {"a=1\na=2\n", "etc/f:2:1: the key 'a' stands here twice"},
        {"a=\\u12\n", "etc/f:1:5: \\u needs four hexadecimal digits"},
        {"a: {b: ${HOST}}\n", "etc/f:1:9: did not find expected ',' or '}' while parsing a flow "
                              "mapping; inside {…} and […] put ${…} in quotes"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_error err = {.text = ""};
        assert_int_equal(parse(cases[i][0], &err), WEIR_E_CONFIG);
        assert_string_equal(err.text, cases[i][1]);
    }
}

static void references_are_replaced(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: ${HOST}", "db"},
        {"a: x-${HOST}.${HOST}:5432", "x-db.db:5432"},
        {"a: ${env:HOST}", "db"},
        {"a: '[${EMPTY}]'", "[]"},
        {"a: ${NOSUCH:-fallback}", "fallback"},
        {"a: '${NOSUCH:-}'", ""},
        {"a: ${HOST:-fallback}", "db"},
        {"a: ${file:/run/secret}", "s3cret"},
        {"a: ${file:/run/crlf}", "s3cret"},
        {"a: ${file:rel}", "relative"},
        {"a: ${file:/run/db.properties:user}", "repl"},
        {"a: ${file:/run/db.properties:pass:word}", "p\xc3\xa4ss "},
        {"a: $${HOST} $$ $1 $", "${HOST} $$ $1 $"},
        {"{\"a\": \"${HOST}\"}", "db"},
        {"x=1\na=${HOST}", "db"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct wr_conf *value = value_of_a(cases[i][0]);
        assert_string_equal(value->text.ptr, cases[i][1]);
        assert_true(value->is_secret);
    }
    assert_false(value_of_a("a: plain")->is_secret);
}

static void a_group_of_a_regular_expression_stays(void **state)
{
    (void)state;
    struct weir_error err;
    assert_int_equal(
        parse("transforms.outbox.route.topic.replacement: outbox.event.${routedByValue}\n", &err),
        0);
    assert_string_equal(docs[0].entries[0].value.text.ptr, "outbox.event.${routedByValue}");
}

static void a_key_that_says_password_makes_a_secret(void **state)
{
    (void)state;
    struct weir_error err;
    assert_int_equal(parse("database.password: x\nssl.Passphrase: [y]\ndatabase.user: z\n", &err),
                     0);
    assert_true(docs[0].entries[0].value.is_secret);
    assert_true(docs[0].entries[1].value.entries[0].value.is_secret);
    assert_false(docs[0].entries[2].value.is_secret);
}

static void a_reference_that_leads_nowhere_is_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a: 1\nb: ${NOSUCH}", "etc/f:2:4: ${NOSUCH} is not set in the environment; set it, or "
                               "write ${NOSUCH:-default}"},
        {"a: '${file:/nosuch}'", "etc/f:1:4: ${file:/nosuch}: /nosuch: there is no such file"},
        {"a: '${file:/run/db.properties:none}'",
         "etc/f:1:4: ${file:/run/db.properties:none}: the file has no such key"},
        {"a: '${vault:x}'", "etc/f:1:4: '${vault:x}' is neither ${NAME} nor ${file:PATH}; write "
                            "$${ for a plain ${"},
        {"a: '${'", "etc/f:1:4: '${' without its '}'; write $${ for a plain ${"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_error err = {.text = ""};
        assert_int_equal(parse(cases[i][0], &err), WEIR_E_CONFIG);
        assert_string_equal(err.text, cases[i][1]);
        assert_int_equal(parse_as(cases[i][0], true, &err),
                         strcmp(cases[i][0], "a: '${'") == 0 ? WEIR_E_CONFIG : 0);
    }
}

static void a_set_value_is_one_scalar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value; /* NULL: refused */
    } cases[] = {
        {"5432", "5432"},       {"", ""},           {"'a: # b'", "a: # b"}, {"\"x\\ty\"", "x\ty"},
        {"a,b.*,c", "a,b.*,c"}, {"abc #def", NULL}, {"a: b", NULL},         {"[1]", NULL},
        {"{a: 1}", NULL},       {"'a", NULL},       {"*x", NULL},           {"a\nb", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wr_config_reader reader = {.arena = &arena, .env = &env, .file = "--set"};
        struct wr_conf out = {0};
        struct weir_error err;
        int rc = wr_config_read_scalar(&reader, WR_STR("database.password"),
                                       wr_str_of(cases[i].text), &out, &err);
        assert_int_equal(rc, cases[i].value == NULL ? WEIR_E_CONFIG : 0);
        if (cases[i].value != NULL) {
            assert_string_equal(out.text.ptr, cases[i].value);
        } else {
            assert_string_equal(err.text, "--set: the value of database.password is not one YAML "
                                          "scalar; put it in quotes");
        }
    }
}

static int free_arena(void **state)
{
    (void)state;
    wr_arena_fini(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scalar_stays_the_text_that_was_written),
        cmocka_unit_test(only_plain_scalars_are_plain),
        cmocka_unit_test(a_text_knows_where_its_characters_stand),
        cmocka_unit_test(properties_follow_java),
        cmocka_unit_test(an_alias_stands_for_its_anchor),
        cmocka_unit_test(aliases_cannot_grow_without_end),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(refuses_what_it_would_misread),
        cmocka_unit_test(references_are_replaced),
        cmocka_unit_test(a_group_of_a_regular_expression_stays),
        cmocka_unit_test(a_key_that_says_password_makes_a_secret),
        cmocka_unit_test(a_reference_that_leads_nowhere_is_named),
        cmocka_unit_test(a_set_value_is_one_scalar),
    };
    return cmocka_run_group_tests_name("config_read", tests, NULL, free_arena);
}
