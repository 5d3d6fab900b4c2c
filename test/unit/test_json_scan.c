/* Taking members out of JSON. What is right is said by RFC 8259 (hand-written cases) and by jansson, on
 * random documents, whole and damaged: both must agree on what is JSON, and on each value of each path. */
#include "data/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/rng.h"
#include "base/writer.h"

static struct wr_bytes bytes_of(const char *text)
{
    return wr_bytes_of_str(wr_str_of(text));
}

#define S(literal) WR_STR_INIT(literal)

/* A scan of the paths a, a.b, c, "" and the whole text. */
enum {
    A,
    A_B,
    C,
    EMPTY_NAME,
    WHOLE,
    PATHS
};
static const struct wr_str name_a[] = {S("a"), S("b")};
static const struct wr_str name_c[] = {S("c")};
static const struct wr_str name_empty[] = {S("")};
static const struct wr_json_path paths[PATHS] = {
    {name_a, 1}, {name_a, 2}, {name_c, 1}, {name_empty, 1}, {NULL, 0}};

static int open_scan(void **state)
{
    struct weir_error err;
    struct wr_json_scan *scan = NULL;
    assert_int_equal(wr_json_scan_new(paths, PATHS, &scan, &err), 0);
    *state = scan;
    return 0;
}

static int close_scan(void **state)
{
    wr_json_scan_free(*state);
    return 0;
}

static void run(struct wr_json_scan *scan, const char *text)
{
    struct weir_error err;
    if (wr_json_scan_run(scan, bytes_of(text), &err) < 0) {
        fail_msg("%s: %s", text, err.text);
    }
}

static void expect_text(const struct wr_json_scan *scan, size_t path, enum wr_json_kind kind,
                        const char *text)
{
    const struct wr_json_value *value = wr_json_scan_get(scan, path);
    assert_int_equal(value->kind, kind);
    assert_int_equal(value->text.len, strlen(text));
    assert_memory_equal(value->text.ptr, text, value->text.len);
}

static void finds_each_kind_of_value(void **state)
{
    struct wr_json_scan *scan = *state;
    run(scan, " { \"x\" : [ 1 , { \"a\" : 9 } ] , \"a\" : { \"b\" : -12 } , \"c\" : true } ");
    expect_text(scan, A, WR_JSON_OBJECT, "{ \"b\" : -12 }");
    assert_int_equal(wr_json_scan_get(scan, A_B)->kind, WR_JSON_INT);
    assert_int_equal(wr_json_scan_get(scan, A_B)->u.i, -12);
    assert_int_equal(wr_json_scan_get(scan, C)->kind, WR_JSON_BOOL);
    assert_true(wr_json_scan_get(scan, C)->u.b);
    assert_int_equal(wr_json_scan_get(scan, EMPTY_NAME)->kind, WR_JSON_ABSENT);
    assert_int_equal(wr_json_scan_get(scan, WHOLE)->kind, WR_JSON_OBJECT);

    run(scan, "{\"a\":[1,[2]],\"c\":null,\"\":\"\"}");
    expect_text(scan, A, WR_JSON_ARRAY, "[1,[2]]");
    assert_int_equal(wr_json_scan_get(scan, A_B)->kind, WR_JSON_ABSENT);
    assert_int_equal(wr_json_scan_get(scan, C)->kind, WR_JSON_NULL);
    expect_text(scan, EMPTY_NAME, WR_JSON_STRING, "");

    run(scan, "[]");
    assert_int_equal(wr_json_scan_get(scan, A)->kind, WR_JSON_ABSENT);
    expect_text(scan, WHOLE, WR_JSON_ARRAY, "[]");
}

static void of_a_key_that_comes_twice_the_last_counts(void **state)
{
    struct wr_json_scan *scan = *state;
    run(scan, "{\"a\":{\"b\":1},\"c\":1,\"a\":{\"x\":2},\"c\":\"two\"}");
    expect_text(scan, A, WR_JSON_OBJECT, "{\"x\":2}");
    assert_int_equal(wr_json_scan_get(scan, A_B)->kind, WR_JSON_ABSENT);
    expect_text(scan, C, WR_JSON_STRING, "two");
    run(scan, "{\"a\":{\"b\":1},\"a\":7}");
    assert_int_equal(wr_json_scan_get(scan, A)->u.i, 7);
    assert_int_equal(wr_json_scan_get(scan, A_B)->kind, WR_JSON_ABSENT);
}

static void nothing_is_left_of_the_run_before(void **state)
{
    struct wr_json_scan *scan = *state;
    struct weir_error err;
    run(scan, "{\"a\":1,\"c\":2}");
    run(scan, "{\"c\":3}");
    assert_int_equal(wr_json_scan_get(scan, A)->kind, WR_JSON_ABSENT);
    assert_int_equal(wr_json_scan_run(scan, bytes_of("{\"c\":4"), &err), WEIR_E_INPUT);
    assert_int_equal(wr_json_scan_get(scan, C)->kind, WR_JSON_ABSENT);
}

static void strings_lose_their_escapes(void **state)
{
    struct wr_json_scan *scan = *state;
    run(scan,
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"\\u0063\":\"x\\u00e9\\u20AC\\ud83d\\ude00y\"}");
    expect_text(scan, A, WR_JSON_STRING, "\"\\/\b\f\n\r\t");
    expect_text(scan, C, WR_JSON_STRING, "x\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80y");
    run(scan, "{\"a\":\"\\u0000\"}");
    assert_int_equal(wr_json_scan_get(scan, A)->text.len, 1);
    assert_int_equal(wr_json_scan_get(scan, A)->text.ptr[0], 0);
}

static uint64_t bits_of(double f)
{
    uint64_t bits = 0;
    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

static void expect_double(struct wr_json_scan *scan, const char *number)
{
    char text[512];
    (void)snprintf(text, sizeof(text), "{\"a\":%s}", number);
    run(scan, text);
    const struct wr_json_value *value = wr_json_scan_get(scan, A);
    assert_int_equal(value->kind, WR_JSON_REAL);
    assert_int_equal(bits_of(value->u.f), bits_of(strtod(number, NULL)));
    expect_text(scan, A, WR_JSON_REAL, number);
}

static void numbers_are_exact_or_the_nearest_double(void **state)
{
    static const char *const reals[] = {"0.1",
                                        "29.99",
                                        "-0.0",
                                        "1e2",
                                        "1E+2",
                                        "5e-324",
                                        "1.7976931348623157e308",
                                        "0.30000000000000004",
                                        "9007199254740993.0",
                                        "900719925474099.25",
                                        "123456789012345678901234567890.5",
                                        "2.2250738585072011e-308",
                                        "1e-999",
                                        "0.000000000000000000000000000000012345",
                                        "1e22",
                                        "1e23",
                                        "8.5e15",
                                        "90071992547409.925"};
    struct wr_json_scan *scan = *state;
    for (size_t i = 0; i < sizeof(reals) / sizeof(reals[0]); i++) {
        expect_double(scan, reals[i]);
    }
    run(scan, "{\"a\":9223372036854775807,\"c\":-9223372036854775808}");
    assert_true(wr_json_scan_get(scan, A)->u.i == INT64_MAX);
    assert_true(wr_json_scan_get(scan, C)->u.i == INT64_MIN);
    run(scan, "{\"a\":9223372036854775808,\"c\":1e999}");
    expect_text(scan, A, WR_JSON_NUMBER, "9223372036854775808");
    expect_text(scan, C, WR_JSON_NUMBER, "1e999");
    run(scan, "{\"a\":-0,\"c\":-9223372036854775809}");
    assert_int_equal(wr_json_scan_get(scan, A)->kind, WR_JSON_INT);
    assert_int_equal(wr_json_scan_get(scan, A)->u.i, 0);
    assert_int_equal(wr_json_scan_get(scan, C)->kind, WR_JSON_NUMBER);
}

struct bad {
    const char *text;
    const char *says;
};

static const struct bad bad_texts[] = {
    {"", "byte 0: the text ends where a value"},
    {"nul", "byte 0: a value was expected"},
    {"{\"x\":01}", "byte 5: a number with a leading zero"},
    {"{\"x\":1.}", "byte 7: a digit was expected after"},
    {"{\"x\":1e}", "byte 7: a digit was expected in"},
    {"{\"x\":+1}", "byte 5: a value was expected"},
    {"{\"x\":.5}", "byte 5: a value"},
    {"{\"x\":NaN}", "byte 5: a value"},
    {"{\"x\":1,}", "byte 7: a key"},
    {"{\"x\":[1,]}", "byte 8: a value"},
    {"{\"x\":[1}", "byte 7: ',' or ']'"},
    {"{\"x\":{\"y\":1]", "byte 11: ',' or '}'"},
    {"{\"x\" 1}", "byte 5: ':'"},
    {"{\"a\" 1}", "byte 5: ':'"},
    {"{x:1}", "byte 1: a key"},
    {"{\"a\":1 \"c\":2}", "byte 7: ',' or '}'"},
    {"{} {}", "byte 3: something stands behind"},
    {"{\"x\":\"a\nb\"}", "byte 7: control character"},
    {"{\"x\":\"\\x\"}", "byte 6: unknown escape"},
    {"{\"x\":\"\\u12g4\"}", "byte 6: \\u without"},
    {"{\"x\":\"\\ud800\"}", "byte 6: half of a surrogate"},
    {"{\"x\":\"\\ud800\\u0041\"}", "byte 6: half of a surrogate"},
    {"{\"x\":\"\\udc00\"}", "byte 6: half of a surrogate"},
    {"{\"x\":\"\xff\"}", "byte 6: not UTF-8"},
    {"{\"a\":\"ab\xc0\x80\"}", "byte 8: not UTF-8"},       /* a long form of NUL */
    {"{\"a\":\"\xed\xa0\x80\"}", "byte 6: not UTF-8"},     /* a surrogate */
    {"{\"a\":\"\xf4\x90\x80\x80\"}", "byte 6: not UTF-8"}, /* above U+10FFFF */
    {"{\"a\":\"\xe2\x82\"}", "byte 6: not UTF-8"},
    {"\xef\xbb\xbf{}", "byte 0: a value"}, /* a byte order mark */
    {"{'a':1}", "byte 1: a key"},
};

static void expect_bad(struct wr_json_scan *scan, const struct bad *bad)
{
    struct weir_error err = {0};
    assert_int_equal(wr_json_scan_run(scan, bytes_of(bad->text), &err), WEIR_E_INPUT);
    if (strstr(err.text, bad->says) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", bad->text, err.text, bad->says);
    }
}

static void what_is_no_json_is_refused_with_its_place(void **state)
{
    for (size_t i = 0; i < sizeof(bad_texts) / sizeof(bad_texts[0]); i++) {
        expect_bad(*state, &bad_texts[i]);
    }
}

static void every_prefix_is_refused(void **state)
{
    const char *text =
        "{\"a\":{\"b\":\"\\u00e9\xc3\xa9\",\"x\":[1.5e3,{}]},\"c\":-12,\"y\":{\"z\":[true,null]}}";
    struct weir_error err;
    for (size_t len = 0; len < strlen(text); len++) {
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a read behind the end */
        assert_non_null(exact);
        memcpy(exact, text, len);
        uint8_t *shrunk = realloc(exact, len == 0 ? 1 : len);
        struct wr_bytes in = {shrunk, len};
        assert_int_equal(wr_json_scan_run(*state, in, &err), WEIR_E_INPUT);
        free(shrunk);
    }
    run(*state, text);
}

static void nesting_has_a_limit(void **state)
{
    char text[2 * WR_JSON_DEPTH_MAX + 64];
    struct weir_error err;
    for (int extra = 0; extra < 2; extra++) {
        size_t depth = WR_JSON_DEPTH_MAX + (size_t)extra - 2; /* in two objects */
        size_t len = (size_t)snprintf(text, sizeof(text), "{\"a\":{\"b\":");
        memset(text + len, '[', depth);
        memset(text + len + depth, ']', depth);
        (void)snprintf(text + len + 2 * depth, sizeof(text) - len - 2 * depth, "}}");
        int rc = wr_json_scan_run(*state, bytes_of(text), &err);
        assert_int_equal(rc, extra == 0 ? 0 : WEIR_E_LIMIT);
    }
}

static void many_names_are_all_found(void **state)
{
    (void)state;
    enum {
        COUNT = 500
    };
    static char names[COUNT][16];
    static struct wr_str strs[COUNT];
    static struct wr_json_path many[COUNT];
    struct wr_writer w = wr_writer_growing(1 << 20);
    wr_put_lit(&w, "{");
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "column_%zu", i);
        strs[i] = wr_str_of(names[i]);
        many[i] = (struct wr_json_path){&strs[i], 1};
        wr_put_fmt(&w, "%s\"%s\":%zu,\"other_%zu\":0", i == 0 ? "" : ",", names[i], i, i);
    }
    wr_put_lit(&w, "}");
    struct wr_json_scan *scan = NULL;
    struct weir_error err;
    assert_int_equal(wr_json_scan_new(many, COUNT, &scan, &err), 0);
    assert_int_equal(wr_json_scan_run(scan, wr_writer_bytes(&w), &err), 0);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(wr_json_scan_get(scan, i)->kind, WR_JSON_INT);
        assert_int_equal(wr_json_scan_get(scan, i)->u.i, i);
    }
    wr_json_scan_free(scan);
    wr_writer_fini(&w);
}

static void running_out_of_memory_is_said(void **state)
{
    (void)state;
    struct weir_error err;
    for (size_t n = 1; n <= 7; n++) {
        struct wr_json_scan *scan = NULL;
        wr_test_fail_alloc_at = n;
        assert_int_equal(wr_json_scan_new(paths, PATHS, &scan, &err), WEIR_E_NOMEM);
        assert_null(scan);
        wr_test_fail_alloc_at = 0;
    }
    struct wr_json_scan *scan = NULL;
    assert_int_equal(wr_json_scan_new(paths, PATHS, &scan, &err), 0);
    wr_test_fail_alloc_at = 1;
    assert_int_equal(wr_json_scan_run(scan, bytes_of("{\"a\":\"\\n\"}"), &err), WEIR_E_NOMEM);
    wr_test_fail_alloc_at = 0;
    wr_json_scan_free(scan);
}

/* ---- against jansson ---- */

static const char *const key_pool[] = {"a",  "b",        "c",         "",
                                       "aa", "abcdefgh", "abcdefghi", "\xc3\xa9"};
enum {
    KEYS = sizeof(key_pool) / sizeof(key_pool[0])
};

static void put_space(struct wr_writer *w, struct wr_rng *rng)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n", "\t \r"};
    wr_put_str(w, wr_str_of(spaces[wr_rng_below(rng, 7)]));
}

static void put_string(struct wr_writer *w, struct wr_rng *rng)
{
    static const char *const pieces[] = {"x",
                                         "plain text that is longer than a register",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\u00E9",
                                         "\\ud83d\\ude00",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         " ",
                                         "\x7f"};
    wr_put_lit(w, "\"");
    for (uint64_t i = wr_rng_below(rng, 5); i > 0; i--) {
        wr_put_str(w, wr_str_of(pieces[wr_rng_below(rng, 13)]));
    }
    wr_put_lit(w, "\"");
}

static void put_number(struct wr_writer *w, struct wr_rng *rng)
{
    switch (wr_rng_below(rng, 4)) {
    case 0: wr_put_fmt(w, "%lld", (long long)(int64_t)wr_rng_next(rng)); break;
    case 1: wr_put_fmt(w, "%llu", (unsigned long long)wr_rng_below(rng, 1000)); break;
    case 2:
        wr_put_fmt(w, "%.*g", (int)wr_rng_below(rng, 17) + 1, (double)wr_rng_next(rng) / 1e12);
        break;
    default:
        wr_put_fmt(w, "%s%llu.%llue%d", wr_rng_below(rng, 2) == 0 ? "-" : "",
                   (unsigned long long)wr_rng_below(rng, 100000),
                   (unsigned long long)wr_rng_next(rng), (int)wr_rng_below(rng, 600) - 300);
    }
}

/* What is open, and how many members it still gets. */
struct open_nest {
    bool is_object;
    bool is_first;
    uint64_t left;
};

enum {
    DEEPEST = 4
};

/* A scalar, or, while `depth` allows, the opening of a list or an object. True when it opened something. */
static bool put_begin(struct wr_writer *w, struct wr_rng *rng, size_t depth, struct open_nest *nest)
{
    static const char *const words[] = {"true", "false", "null"};
    uint64_t kind = wr_rng_below(rng, depth < DEEPEST ? 6 : 3);
    switch (kind) {
    case 0: put_string(w, rng); return false;
    case 1: put_number(w, rng); return false;
    case 2: wr_put_str(w, wr_str_of(words[wr_rng_below(rng, 3)])); return false;
    default: break;
    }
    *nest = (struct open_nest){kind > 3, true, wr_rng_below(rng, 6)};
    wr_put_str(w, nest->is_object ? WR_STR("{") : WR_STR("["));
    return true;
}

static void put_value(struct wr_writer *w, struct wr_rng *rng)
{
    struct open_nest nests[DEEPEST + 1];
    size_t depth = put_begin(w, rng, 0, &nests[0]) ? 1 : 0;
    while (depth > 0) {
        struct open_nest *nest = &nests[depth - 1];
        put_space(w, rng);
        if (nest->left == 0) {
            wr_put_str(w, nest->is_object ? WR_STR("}") : WR_STR("]"));
            depth--;
            continue;
        }
        nest->left--;
        wr_put_str(w, nest->is_first ? WR_STR("") : WR_STR(","));
        nest->is_first = false;
        put_space(w, rng);
        if (nest->is_object) {
            wr_put_fmt(w, "\"%s\" : ", key_pool[wr_rng_below(rng, KEYS)]);
        }
        depth += put_begin(w, rng, depth, &nests[depth]) ? 1 : 0;
    }
}

/* All paths of at most two keys of the pool, and the whole text. */
enum {
    PAIRS = KEYS * KEYS,
    RANDOM_PATHS = 1 + KEYS + PAIRS
};

static struct wr_json_scan *open_random_scan(struct wr_json_path *all)
{
    static struct wr_str names[PAIRS][2];
    all[0] = (struct wr_json_path){NULL, 0};
    for (size_t i = 0; i < PAIRS; i++) {
        names[i][0] = wr_str_of(key_pool[i / KEYS]);
        names[i][1] = wr_str_of(key_pool[i % KEYS]);
        all[1 + KEYS + i] = (struct wr_json_path){names[i], 2};
        all[1 + i / KEYS] = (struct wr_json_path){names[i], 1};
    }
    struct wr_json_scan *scan = NULL;
    struct weir_error err;
    assert_int_equal(wr_json_scan_new(all, RANDOM_PATHS, &scan, &err), 0);
    return scan;
}

static const json_t *follow(const json_t *root, const struct wr_json_path *path)
{
    for (size_t i = 0; i < path->count && root != NULL; i++) {
        char name[32] = {0};
        memcpy(name, path->names[i].ptr, path->names[i].len);
        root = json_object_get(root, name);
    }
    return root;
}

static bool same_nest(const struct wr_json_value *value, const json_t *expected)
{
    json_t *again =
        json_loadb(value->text.ptr, value->text.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    bool is_same = again != NULL && json_equal(again, expected) == 1;
    json_decref(again);
    return is_same;
}

static bool same_value(const struct wr_json_value *value, const json_t *expected)
{
    if (expected == NULL) {
        return value->kind == WR_JSON_ABSENT;
    }
    switch (json_typeof(expected)) {
    case JSON_NULL: return value->kind == WR_JSON_NULL;
    case JSON_TRUE: return value->kind == WR_JSON_BOOL && value->u.b;
    case JSON_FALSE: return value->kind == WR_JSON_BOOL && !value->u.b;
    case JSON_INTEGER:
        return value->kind == WR_JSON_INT && value->u.i == json_integer_value(expected);
    case JSON_REAL:
        return value->kind == WR_JSON_REAL &&
               bits_of(value->u.f) == bits_of(json_real_value(expected));
    case JSON_STRING:
        return value->kind == WR_JSON_STRING && value->text.len == json_string_length(expected) &&
               memcmp(value->text.ptr, json_string_value(expected), value->text.len) == 0;
    case JSON_OBJECT: return value->kind == WR_JSON_OBJECT && same_nest(value, expected);
    case JSON_ARRAY: return value->kind == WR_JSON_ARRAY && same_nest(value, expected);
    default: return false;
    }
}

/* What jansson refuses and we do not, by intent: numbers without a C type, NUL in keys. */
static bool is_own_limit(const json_error_t *error)
{
    return strstr(error->text, "too big") != NULL || strstr(error->text, "overflow") != NULL ||
           strstr(error->text, "NUL byte in object key") != NULL;
}

static void compare_values(const struct wr_json_scan *scan, const struct wr_json_path *all,
                           const json_t *root, struct wr_bytes in)
{
    bool is_same = true;
    for (size_t i = 0; i < RANDOM_PATHS; i++) {
        is_same = is_same && same_value(wr_json_scan_get(scan, i), follow(root, &all[i]));
    }
    if (!is_same) {
        fail_msg("a value differs: %.*s", (int)in.len, (const char *)in.ptr);
    }
}

static void compare_text(struct wr_json_scan *scan, const struct wr_json_path *all,
                         struct wr_bytes in)
{
    json_error_t error;
    struct weir_error err = {0};
    json_t *root =
        json_loadb((const char *)in.ptr, in.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    int rc = wr_json_scan_run(scan, in, &err);
    if ((root == NULL) != (rc < 0) && (root != NULL || !is_own_limit(&error))) {
        fail_msg("we say %d %s, jansson %s: %.*s", rc, err.text, root == NULL ? error.text : "yes",
                 (int)in.len, (const char *)in.ptr);
    }
    if (root != NULL) {
        compare_values(scan, all, root, in);
    }
    json_decref(root);
}

static void agrees_with_jansson(void **state)
{
    (void)state;
    struct wr_json_path all[RANDOM_PATHS];
    struct wr_json_scan *scan = open_random_scan(all);
    struct wr_rng rng = wr_rng_of(20240315);
    struct wr_writer w = wr_writer_growing(1 << 20);
    for (int i = 0; i < 20000; i++) {
        wr_writer_reset(&w);
        put_space(&w, &rng);
        put_value(&w, &rng);
        put_space(&w, &rng);
        compare_text(scan, all, wr_writer_bytes(&w));
        for (int j = 0; j < 4 && w.len > 0; j++) { /* and damaged, more and more */
            static const char marks[] = "{}[]\",:0eE.-\\u \x80\xc3\x01";
            w.base[wr_rng_below(&rng, w.len)] =
                (uint8_t)marks[wr_rng_below(&rng, sizeof(marks) - 1)];
            compare_text(scan, all, wr_writer_bytes(&w));
        }
    }
    wr_writer_fini(&w);
    wr_json_scan_free(scan);
}

/* ---- texts that look alike ---- */

/* A scalar, mostly; at times something that changes the shape. */
static void put_odd_value(struct wr_writer *w, struct wr_rng *rng)
{
    static const char *const nests[] = {"{}", "[]", "{\"a\":1}", "[1,{\"b\":2}]",
                                        "{\"b\":{\"c\":\"x\"}}"};
    static const char *const words[] = {"true", "false", "null", "0", "\"\"", "12", "123"};
    switch (wr_rng_below(rng, 40)) {
    case 0: wr_put_str(w, wr_str_of(nests[wr_rng_below(rng, 5)])); break;
    case 1:
    case 2: put_string(w, rng); break;
    case 3:
    case 4: put_number(w, rng); break;
    default: wr_put_str(w, wr_str_of(words[wr_rng_below(rng, 7)])); break;
    }
}

/* The same keys each time, in objects and lists as `structure` says; values as `values` says. */
static void put_alike(struct wr_writer *w, struct wr_rng structure, struct wr_rng *values)
{
    size_t depth = 0;
    wr_put_lit(w, "{");
    for (int i = 0; i < 12; i++) {
        wr_put_fmt(w, "%s\"%s%d\":", i == 0 ? "" : ",", key_pool[wr_rng_below(&structure, KEYS)],
                   i % 3);
        if (wr_rng_below(&structure, 4) == 0 && depth < 3) {
            wr_put_fmt(w, "{\"%s\":", key_pool[wr_rng_below(&structure, 3)]);
            put_odd_value(w, values);
            wr_put_fmt(w, ",\"%s\":", key_pool[wr_rng_below(&structure, 3)]);
            depth++;
        }
        put_odd_value(w, values);
        bool is_closing = depth > 0 && wr_rng_below(&structure, 2) == 0;
        wr_put_str(w, is_closing ? WR_STR("}") : WR_STR(""));
        depth -= is_closing ? 1 : 0;
    }
    for (; depth > 0; depth--) {
        wr_put_lit(w, "}");
    }
    wr_put_str(w, wr_rng_below(values, 50) == 0 ? WR_STR("}}") : WR_STR("} "));
}

/* Many texts of three structures, some of them damaged, by one scan. */
static void compare_alike(const struct wr_json_path *all, struct wr_json_scan *scan,
                          struct wr_rng *rng)
{
    struct wr_rng structures[3] = {wr_rng_of(wr_rng_next(rng)), wr_rng_of(wr_rng_next(rng)),
                                   wr_rng_of(wr_rng_next(rng))};
    struct wr_writer w = wr_writer_growing(1 << 20);
    for (int i = 0; i < 400; i++) {
        wr_writer_reset(&w);
        put_alike(&w, structures[wr_rng_below(rng, 3)], rng);
        if (wr_rng_below(rng, 8) == 0) {
            w.base[wr_rng_below(rng, w.len)] = (uint8_t)wr_rng_below(rng, 256);
        }
        compare_text(scan, all, wr_writer_bytes(&w));
    }
    wr_writer_fini(&w);
}

/* Texts in which a key is not what it looks like, or comes again. */
static void a_text_seen_again_gives_the_same(void **state)
{
    static const char *const texts[] = {
        "{\"\\u0061\":{\"\\u0062\":1},\"\\u0063\":2}",
        "{\"a\":{\"b\":1},\"a\":{\"x\":2},\"c\":3,\"c\":4}",
        "{\"a\":{\"b\":1,\"b\":2}}",
        "{\"a\":1,\"a\":{\"b\":2}}",
        "{\"a\":{\"b\":2},\"a\":1}",
        "{\"x\":{\"a\":1},\"c\":[{\"a\":2}]}",
        "{\"a\":{\"b\":1e2},\"c\":-0}",
        "{\"\":0,\"c\":0.5}",
    };
    struct wr_json_path all[RANDOM_PATHS];
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct wr_json_scan *scan = open_random_scan(all);
        for (int again = 0; again < 4; again++) {
            compare_text(scan, all, bytes_of(texts[i]));
        }
        wr_json_scan_free(scan);
    }
}

/* Three texts that are alike, and one that is no JSON. */
static const char *const in_place[][4] = {
    {"{\"x\":12}", "{\"x\":34}", "{\"x\":56}", "{\"x\":01}"},
    {"{\"x\":-12}", "{\"x\":-34}", "{\"x\":-56}", "{\"x\":-01}"},
    {"{\"x\":1.5}", "{\"x\":2.5}", "{\"x\":0.5}", "{\"x\":1e.}"},
    {"{\"x\":12.5}", "{\"x\":22.5}", "{\"x\":32.7}", "{\"x\":00.5}"},
    {"{\"x\":1e5}", "{\"x\":1e6}", "{\"x\":2e6}", "{\"x\":1ee}"},
    {"{\"x\":\"\\n\"}", "{\"x\":\"\\t\"}", "{\"x\":\"\\r\"}", "{\"x\":\"\\x\"}"},
    {"{\"x\":\"a\\u00e1\"}", "{\"x\":\"b\\u00e2\"}", "{\"x\":\"c\\u00a2\"}",
     "{\"x\":\"c\\u00z2\"}"},
    {"{\"x\":\"\\u0041\"}", "{\"x\":\"\\u0042\"}", "{\"x\":\"\\u0099\"}", "{\"x\":\"\\ud899\"}"},
    {"{\"x\":\"abc\"}", "{\"x\":\"xyz\"}", "{\"x\":\"aaa\"}", "{\"x\":\"a\"a\"}"},
    {"{\"x\":\"abc\"}", "{\"x\":\"xyz\"}", "{\"x\":\"aaa\"}", "{\"x\":\"a\\aa\"}"},
    {"{\"x\":\"123\"}", "{\"x\":\"456\"}", "{\"x\":\"789\"}",
     "{\"x\":\"7\x01"
     "9\"}"},
};

static void what_changes_in_its_place_is_still_checked(void **state)
{
    struct wr_json_path all[RANDOM_PATHS];
    (void)state;
    for (size_t i = 0; i < sizeof(in_place) / sizeof(in_place[0]); i++) {
        struct wr_json_scan *scan = open_random_scan(all);
        struct weir_error err;
        for (size_t again = 0; again < 6; again++) {
            assert_int_equal(wr_json_scan_run(scan, bytes_of(in_place[i][again % 3]), &err), 0);
        }
        assert_int_equal(wr_json_scan_run(scan, bytes_of(in_place[i][3]), &err), WEIR_E_INPUT);
        wr_json_scan_free(scan);
    }
}

static void what_was_seen_before_changes_nothing(void **state)
{
    (void)state;
    struct wr_json_path all[RANDOM_PATHS];
    struct wr_rng rng = wr_rng_of(42);
    for (int round = 0; round < 60; round++) {
        struct wr_json_scan *scan = open_random_scan(all);
        compare_alike(all, scan, &rng);
        wr_json_scan_free(scan);
    }
}

/* A change as Debezium writes it; of its values some vary. */
static void put_change(struct wr_writer *w, int i, const char *before)
{
    wr_writer_reset(w);
    wr_put_fmt(
        w,
        "{\"before\":%s,\"a\":{\"b\":%d,\"aa\":\"%s\"},\"source\":{\"version\":\"3.5.0.Final\",\"name\":"
        "\"app\",\"lsn\":%d,\"xmin\":null},\"c\":\"c\",\"ts_ms\":%d}",
        before, i, i % 2 == 0 ? "pending" : "caf\\u00e9", i * 17, i + 99995);
}

static void records_of_a_table_are_told_apart_by_their_values(void **state)
{
    struct wr_json_scan *scan = *state;
    struct wr_writer w = wr_writer_growing(1 << 16);
    struct weir_error err;
    for (int i = 0; i < 300; i++) {
        const char *before = i % 7 == 3 ? "{\"b\":1}" : "null";
        put_change(&w, i, before);
        assert_int_equal(wr_json_scan_run(scan, wr_writer_bytes(&w), &err), 0);
        assert_int_equal(wr_json_scan_get(scan, A_B)->u.i, i);
        expect_text(scan, C, WR_JSON_STRING, "c");
        assert_int_equal(wr_json_scan_get(scan, A)->kind, WR_JSON_OBJECT);
        assert_int_equal(wr_json_scan_get(scan, A)->text.ptr[0], '{');
        assert_int_equal(
            wr_json_scan_get(scan, A)->text.ptr[wr_json_scan_get(scan, A)->text.len - 1], '}');
        assert_int_equal(wr_json_scan_get(scan, WHOLE)->text.len, w.len);
        for (size_t cut = 0; cut < w.len; cut += 13) { /* no part of it is taken for all of it */
            struct wr_bytes part = {w.base, cut};
            assert_int_equal(wr_json_scan_run(scan, part, &err), WEIR_E_INPUT);
        }
    }
    wr_writer_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_each_kind_of_value, open_scan, close_scan),
        cmocka_unit_test_setup_teardown(of_a_key_that_comes_twice_the_last_counts, open_scan,
                                        close_scan),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_the_run_before, open_scan, close_scan),
        cmocka_unit_test_setup_teardown(strings_lose_their_escapes, open_scan, close_scan),
        cmocka_unit_test_setup_teardown(numbers_are_exact_or_the_nearest_double, open_scan,
                                        close_scan),
        cmocka_unit_test_setup_teardown(what_is_no_json_is_refused_with_its_place, open_scan,
                                        close_scan),
        cmocka_unit_test_setup_teardown(every_prefix_is_refused, open_scan, close_scan),
        cmocka_unit_test_setup_teardown(nesting_has_a_limit, open_scan, close_scan),
        cmocka_unit_test(many_names_are_all_found),
        cmocka_unit_test(running_out_of_memory_is_said),
        cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(a_text_seen_again_gives_the_same),
        cmocka_unit_test(what_changes_in_its_place_is_still_checked),
        cmocka_unit_test(what_was_seen_before_changes_nothing),
        cmocka_unit_test_setup_teardown(records_of_a_table_are_told_apart_by_their_values,
                                        open_scan, close_scan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
