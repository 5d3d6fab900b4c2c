/*
 * json_scan.h - takes the wanted members out of JSON text in one pass, without a tree.
 *
 * The wanted paths are compiled once; each run walks a text once from its first byte to its last. The
 * whole text is checked (RFC 8259, UTF-8, no unpaired surrogate), wanted or not, so that what is wrong
 * never depends on what is asked. Where a key stands twice in an object the last one counts. A path goes
 * through objects only: behind a list, a scalar or a missing key there is nothing.
 *
 * Values point into the text; only strings with escapes are written out, into memory of the scan. A run
 * allocates only when a text with escapes is longer than all before it.
 *
 * Limits: nesting 512, names 32 a path, paths 65536, memory for strings 64 MiB + 1.
 * Thread: one at a time.
 */
#ifndef WR_JSON_SCAN_H
#define WR_JSON_SCAN_H

#include "base/error.h"

enum {
    WR_JSON_DEPTH_MAX = 512,
    WR_JSON_NAMES_MAX = 32,
    WR_JSON_PATHS_MAX = 65536
};

enum wr_json_kind {
    WR_JSON_ABSENT,
    WR_JSON_NULL,
    WR_JSON_BOOL,   /* [b] */
    WR_JSON_INT,    /* [i]: no fraction, no exponent, fits 64 bits; -0 is 0 */
    WR_JSON_REAL,   /* [f], the nearest double */
    WR_JSON_NUMBER, /* only as text: an integer over 64 bits, or beyond the range of a double */
    WR_JSON_STRING, /* text without quotes and escapes; may hold NUL */
    WR_JSON_OBJECT, /* text: from brace to brace, as it stands there */
    WR_JSON_ARRAY   /* the same, from bracket to bracket */
};

struct wr_json_value {
    enum wr_json_kind kind;
    union {
        bool b;
        int64_t i;
        double f;
    } u;
    struct wr_str
        text; /* also of numbers, as written; borrowed until the next run or the text ends */
};

/* Keys from the outermost object inward; none: the whole text. */
struct wr_json_path {
    const struct wr_str *names;
    size_t count;
};

struct wr_json_scan;

/* Compile `count` paths; one may stand there twice, and one may lead through another.
 *   paths  copied
 *   out    owned by the caller, free with wr_json_scan_free(); untouched on failure
 * Returns 0, WEIR_E_LIMIT (over a limit above) or WEIR_E_NOMEM. */
WR_MUST_USE int wr_json_scan_new(const struct wr_json_path *paths, size_t count,
                                 struct wr_json_scan **out, struct weir_error *err);

/* Free. Takes NULL. */
void wr_json_scan_free(struct wr_json_scan *scan);

/* Walk `in`, which stays borrowed as long as the values are used.
 * Returns 0, or (then all values are absent)
 *   WEIR_E_INPUT  not JSON, or not UTF-8; the text says what, and at which byte (from 0)
 *   WEIR_E_LIMIT  nested too deep, or longer strings than the memory allowed
 *   WEIR_E_NOMEM */
WR_MUST_USE int wr_json_scan_run(struct wr_json_scan *scan, struct wr_bytes in,
                                 struct weir_error *err);

/* What the last run found at path `index` of those given to wr_json_scan_new(). Never NULL; borrowed
 * until the next run. */
const struct wr_json_value *wr_json_scan_get(const struct wr_json_scan *scan, size_t index);

#endif
