/*
 * Bytes as JSON, with paths into it. What is taken must keep its promises: values lie inside the text or
 * the scan's own memory, an object or list is itself valid JSON, and what was scanned before changes nothing:
 * the same bytes give the same in a scan that has seen others, and in one that has seen none.
 *
 * The first byte says how often the rest is scanned, with one byte changed each time, by the scan that has seen
 * all before it.
 */
#include "data/json_scan.h"

enum {
    A,
    A_B,
    A_B_C,
    EMPTY,
    WHOLE,
    PATHS,
    TEXT_MAX = 4096
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

static bool is_same(const struct wr_json_value *a, const struct wr_json_value *b)
{
    bool has_text = a->kind >= WR_JSON_INT;
    return a->kind == b->kind && (!has_text || wr_str_eq(a->text, b->text)) &&
           (a->kind != WR_JSON_BOOL || a->u.b == b->u.b) &&
           (a->kind != WR_JSON_INT || a->u.i == b->u.i);
}

static void check_nest(struct wr_json_scan *fresh, const struct wr_json_value *value,
                       struct wr_bytes in)
{
    struct weir_error err;
    if (value->kind == WR_JSON_OBJECT || value->kind == WR_JSON_ARRAY) {
        WR_ASSERT(is_inside(value->text, in));
        WR_ASSERT(wr_json_scan_run(fresh, wr_bytes_of_str(value->text), &err) == 0);
    }
}

/* `seasoned` has seen other texts. */
static void check(struct wr_json_scan *seasoned, struct wr_bytes in)
{
    struct weir_error err;
    struct wr_json_scan *fresh = open_scan();
    int rc = wr_json_scan_run(seasoned, in, &err);
    WR_ASSERT(rc == wr_json_scan_run(fresh, in, &err));
    for (size_t i = 0; i < PATHS; i++) {
        WR_ASSERT(is_same(wr_json_scan_get(seasoned, i), wr_json_scan_get(fresh, i)));
        WR_ASSERT(rc == 0 || wr_json_scan_get(fresh, i)->kind == WR_JSON_ABSENT);
    }
    if (rc == 0 && wr_json_scan_get(fresh, A)->kind != WR_JSON_OBJECT) {
        WR_ASSERT(wr_json_scan_get(fresh, A_B)->kind == WR_JSON_ABSENT);
    }
    for (size_t i = 0; i < PATHS && rc == 0; i++) {
        check_nest(fresh, wr_json_scan_get(seasoned, i), in);
    }
    wr_json_scan_free(fresh);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t text[TEXT_MAX];
    if (size < 1 || size > TEXT_MAX) {
        return 0;
    }
    struct wr_json_scan *seasoned = open_scan();
    size_t len = size - 1;
    memcpy(text, data + 1, len);
    check(seasoned, (struct wr_bytes){text, len});
    for (size_t i = 0; i < data[0] % 8U && len > 0; i++) {
        size_t at = ((size_t)data[0] * 31 + i * 17) % len;
        text[at] = i % 2 == 0 ? data[1 + (at * 7U) % len] : (uint8_t)(text[at] + 1);
        check(seasoned, (struct wr_bytes){text, len});
    }
    wr_json_scan_free(seasoned);
    return 0;
}
