/*
 * The JSON converter where Debezium's records do not go: nulls in required fields, empty structs, depth,
 * arrays of structs. What Connect 4.1's JsonConverter writes for them is in cdc.md B9; all else is compared
 * byte for byte in test_envelope.c.
 */
#include "data/json_converter.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct wr_schema int32 = {.type = WR_SCHEMA_INT32};
static const struct wr_schema string = {.type = WR_SCHEMA_STRING, .is_optional = true};
static const struct wr_schema_field pair_fields[] = {{WR_STR_INIT("n"), &int32, NULL},
                                                     {WR_STR_INIT("t\""), &string, NULL}};
static const struct wr_schema pair = {
    .type = WR_SCHEMA_STRUCT, .is_optional = true, .fields = pair_fields, .field_count = 2};
static const struct wr_schema pairs = {.type = WR_SCHEMA_ARRAY, .item = &pair};

static struct wr_writer w;

static int setup(void **state)
{
    (void)state;
    w = wr_writer_growing(1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    wr_writer_fini(&w);
    return 0;
}

static int convert(const struct wr_schema *schema, const struct wr_datum *value,
                   struct weir_error *err)
{
    struct wr_json_converter_options options = wr_json_converter_defaults();
    struct wr_converter *converter = NULL;
    struct wr_converter_plan *plan = NULL;
    options.schemas_enable = false;
    assert_int_equal(wr_json_converter_new(&options, &converter, err), 0);
    int rc = wr_converter_prepare(converter, WR_STR("t"), schema, &plan, err);
    wr_writer_reset(&w);
    if (rc == 0) {
        rc = wr_converter_convert(plan, value, &w, err);
    }
    wr_converter_plan_free(plan);
    wr_converter_close(converter);
    return rc;
}

static void assert_json(const struct wr_schema *schema, const struct wr_datum *value,
                        const char *want)
{
    struct weir_error err;
    assert_int_equal(convert(schema, value, &err), 0);
    struct wr_str got = wr_writer_str(&w);
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.ptr, want, got.len);
}

static struct wr_datum list(const struct wr_datum *items, size_t count)
{
    return (struct wr_datum){.is_set = true, .u.list = {items, count}};
}

static void writes_arrays_of_structs(void **state)
{
    (void)state;
    const struct wr_datum one[] = {{.is_set = true, .u.i = 1},
                                   {.is_set = true, .u.bytes = {(const uint8_t *)"x", 1}}};
    const struct wr_datum two[] = {{.is_set = true, .u.i = -2}, {.is_set = false}};
    const struct wr_datum items[] = {list(one, 2), {.is_set = false}, list(two, 2)};
    const struct wr_datum all = list(items, 3);
    const struct wr_datum none = list(NULL, 0);
    assert_json(&pairs, &all, "[{\"n\":1,\"t\\\"\":\"x\"},null,{\"n\":-2,\"t\\\"\":null}]");
    assert_json(&pairs, &none, "[]");
}

static void writes_a_struct_without_fields(void **state)
{
    (void)state;
    const struct wr_schema empty = {.type = WR_SCHEMA_STRUCT};
    const struct wr_datum value = list(NULL, 0);
    assert_json(&empty, &value, "{}");
}

static void a_null_in_a_required_field_is_an_error_that_names_it(void **state)
{
    (void)state;
    const struct wr_datum items[] = {{.is_set = false}, {.is_set = false}};
    const struct wr_datum value = list(items, 2);
    struct weir_error err;
    assert_int_equal(convert(&pair, &value, &err), WEIR_E_INPUT);
    assert_string_equal(err.text,
                        "json converter: null in the required field 'n', which has no default");
}

static void structs_nest_eight_deep_and_no_deeper(void **state)
{
    (void)state;
    struct wr_schema schemas[9];
    struct wr_schema_field fields[9];
    struct wr_datum values[9];
    struct weir_error err;
    for (size_t i = 0; i < 9; i++) {
        fields[i] = (struct wr_schema_field){WR_STR("f"), i == 0 ? &int32 : &schemas[i - 1], NULL};
        schemas[i] =
            (struct wr_schema){.type = WR_SCHEMA_STRUCT, .fields = &fields[i], .field_count = 1};
        values[i] = i == 0 ? (struct wr_datum){.is_set = true, .u.i = 5} : list(&values[i - 1], 1);
    }
    const struct wr_datum eight = list(&values[7], 1);
    const struct wr_datum nine = list(&values[8], 1);
    assert_json(&schemas[7], &eight,
                "{\"f\":{\"f\":{\"f\":{\"f\":{\"f\":{\"f\":{\"f\":{\"f\":5}}}}}}}}");
    assert_int_equal(convert(&schemas[8], &nine, &err), WEIR_E_UNSUPPORTED);
}

static void a_field_that_never_changes_is_not_looked_at(void **state)
{
    (void)state;
    const struct wr_datum always = {.is_set = true, .u.bytes = {(const uint8_t *)"a\"b", 3}};
    const struct wr_datum never = {.is_set = false};
    const struct wr_schema_field fields[] = {{WR_STR("v"), &string, &always},
                                             {WR_STR("n"), &int32, NULL},
                                             {WR_STR("x"), &string, &never}};
    const struct wr_schema schema = {.type = WR_SCHEMA_STRUCT, .fields = fields, .field_count = 3};
    const struct wr_datum items[] = {
        {.is_set = false}, {.is_set = true, .u.i = 9}, {.is_set = false}};
    const struct wr_datum value = list(items, 3);
    assert_json(&schema, &value, "{\"v\":\"a\\\"b\",\"n\":9,\"x\":null}");
}

static void says_when_its_writer_is_full(void **state)
{
    (void)state;
    const struct wr_datum items[] = {{.is_set = true, .u.i = 1}, {.is_set = false}};
    const struct wr_datum value = list(items, 2);
    struct weir_error err;
    wr_writer_fini(&w);
    w = wr_writer_growing(10);
    assert_int_equal(convert(&pair, &value, &err), WEIR_E_LIMIT);
    assert_string_equal(err.text, "more than 10 bytes");
    wr_writer_fini(&w);
    w = wr_writer_growing(1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_arrays_of_structs),
        cmocka_unit_test(writes_a_struct_without_fields),
        cmocka_unit_test(a_null_in_a_required_field_is_an_error_that_names_it),
        cmocka_unit_test(structs_nest_eight_deep_and_no_deeper),
        cmocka_unit_test(a_field_that_never_changes_is_not_looked_at),
        cmocka_unit_test(says_when_its_writer_is_full),
    };
    return cmocka_run_group_tests_name("json_converter", tests, setup, teardown);
}
