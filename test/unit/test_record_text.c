/* A record as a line: which bytes stand as JSON, as a string, as base64. */
#include "serve/http/record_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static char line[4096];

static const char *json_of(struct wr_bytes key, struct wr_bytes value,
                           const struct wr_header *headers, size_t header_count)
{
    const struct wr_log_record record = {.offset = 7,
                                         .record = {.key = key,
                                                    .value = value,
                                                    .headers = headers,
                                                    .header_count = header_count,
                                                    .timestamp_ms = 1710500000000}};
    struct wr_writer out = wr_writer_over(line, sizeof(line) - 1);
    wr_put_record_json(&out, "orders", 3, &record);
    line[out.len] = 0;
    return line;
}

static struct wr_bytes bytes(const char *text)
{
    return wr_bytes_of_str(wr_str_of(text));
}

#define HEAD "{\"topic\":\"orders\",\"partition\":3,\"offset\":7,\"timestamp\":1710500000000"

static void a_key_or_value_stands_as_what_it_is(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"b\": 1.10,\n \"a\" : [ 1e5 ]}", "\"value\":{\"b\":1.10,\"a\":[1e5]}"},
        {"12345678901234567890123", "\"value\":12345678901234567890123"},
        {"\"a b\"", "\"value\":\"a b\""},
        {" null ", "\"value\":null"},
        {"plain \"text\"\n", "\"value\":\"plain \\\"text\\\"\\n\""},
        {"", "\"value\":\"\""},
        {"\xc3\xa9", "\"value\":\"\xc3\xa9\""},
        {"\xff", "\"value_base64\":\"/w==\""},
        {"{\"a\":\"\xff\"}", "\"value_base64\":\"eyJhIjoi/yJ9\""},
        {NULL, "\"value\":null"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char expected[256];
        (void)snprintf(expected, sizeof(expected), HEAD ",\"key\":\"k\",%s,\"headers\":[]}\n",
                       cases[i][1]);
        assert_string_equal(json_of(bytes("k"), bytes(cases[i][0]), NULL, 0), expected);
    }
    assert_string_equal(json_of(bytes(NULL), bytes("1"), NULL, 0),
                        HEAD ",\"key\":null,\"value\":1,\"headers\":[]}\n");
    assert_string_equal(json_of(bytes("\x80"), bytes("1"), NULL, 0),
                        HEAD ",\"key_base64\":\"gA==\",\"value\":1,\"headers\":[]}\n");
}

static void headers_keep_order_and_repeat(void **state)
{
    (void)state;
    const struct wr_header headers[] = {
        {WR_STR("b"), bytes("1")},    {WR_STR("a"), bytes(NULL)},
        {WR_STR("b"), bytes("\xff")}, {WR_STR("j"), bytes("{\"x\": 1}")},
        {WR_STR(""), bytes("")},
    };
    assert_string_equal(json_of(bytes(NULL), bytes(NULL), headers, 5),
                        HEAD ",\"key\":null,\"value\":null,\"headers\":[[\"b\",\"1\"],[\"a\",null],"
                             "[\"b\",{\"base64\":\"/w==\"}],[\"j\",\"{\\\"x\\\": 1}\"],[\"\","
                             "\"\"]]}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_or_value_stands_as_what_it_is),
        cmocka_unit_test(headers_keep_order_and_repeat),
    };
    return cmocka_run_group_tests_name("record_text", tests, NULL, NULL);
}
