/*
 * Bytes as JSON, with paths into it. What is taken must keep its promises: values lie inside the text or
 * the scan's own memory, an object or list is itself valid JSON that gives the same members again, and a
 * second run gives the same.
 */
#include "data/json_scan.h"

enum {
    A,
    A_B,
    A_B_C,
    EMPTY,
    WHOLE,
    PATHS
};

static struct wr_json_scan *open_scan(void)
{
    static const struct wr_str names[] = {WR_STR_INIT("a"), WR_STR_INIT("b"), WR_STR_INIT("c")};
    static const struct wr_str empty = WR_STR_INIT("");
    static const struct wr_json_path paths[PATHS] = {[A] = {names, 1},
                                                     [A_B] = {names, 2},
                                                     [A_B_C] = {names, 3},
                                                     [EMPTY] = {&empty, 1},
                                                     [WHOLE] = {NULL, 0}};
    struct weir_error err;
    struct wr_json_scan *scan = NULL;
    int rc = wr_json_scan_new(paths, PATHS, &scan, &err);
    WR_ASSERT(rc == 0);
    return scan;
}

static bool is_inside(struct wr_str part, struct wr_bytes whole)
{
    const uint8_t *start = (const uint8_t *)part.ptr;
    return start >= whole.ptr && part.len <= whole.len - (size_t)(start - whole.ptr);
}

static void check_value(struct wr_json_scan *again, const struct wr_json_value *value,
                        struct wr_bytes in)
{
    struct weir_error err;
    if (value->kind == WR_JSON_OBJECT || value->kind == WR_JSON_ARRAY) {
        WR_ASSERT(is_inside(value->text, in));
        WR_ASSERT(wr_json_scan_run(again, wr_bytes_of_str(value->text), &err) == 0);
    }
    volatile uint8_t sum = 0; /* touch each byte, for the sanitizers */
    for (size_t i = 0; i < value->text.len && value->kind == WR_JSON_STRING; i++) {
        sum = (uint8_t)(sum + (uint8_t)value->text.ptr[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct wr_json_scan *scan;
    static struct wr_json_scan *again;
    if (scan == NULL) {
        scan = open_scan();
        again = open_scan();
    }
    struct wr_bytes in = {data, size};
    struct weir_error err;
    int rc = wr_json_scan_run(scan, in, &err);
    WR_ASSERT(rc == wr_json_scan_run(again, in, &err));
    for (size_t i = 0; i < PATHS; i++) {
        const struct wr_json_value *value = wr_json_scan_get(scan, i);
        WR_ASSERT(rc == 0 || value->kind == WR_JSON_ABSENT);
        WR_ASSERT(rc == 0 ? value->kind == wr_json_scan_get(again, i)->kind : true);
    }
    const struct wr_json_value *inner = wr_json_scan_get(scan, A);
    const struct wr_json_value *member = wr_json_scan_get(scan, A_B);
    if (rc == 0 && inner->kind != WR_JSON_OBJECT) {
        WR_ASSERT(member->kind == WR_JSON_ABSENT);
    }
    for (size_t i = 0; i < PATHS; i++) {
        check_value(again, wr_json_scan_get(scan, i), in);
    }
    return 0;
}
