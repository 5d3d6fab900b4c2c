/*
 * record.h - a record: what is appended and what is read. Kafka's key, value, headers and timestamp.
 */
#ifndef WR_RECORD_H
#define WR_RECORD_H

#include "base/base.h"

/* A header: its name may repeat and order counts. */
struct wr_header {
    struct wr_str name;
    struct wr_bytes value; /* ptr NULL: null */
};

/* Everything in it is borrowed. A key or value with ptr NULL is null, which is not the same as empty
 * (ptr not NULL, len 0). */
struct wr_record {
    struct wr_bytes key;
    struct wr_bytes value;
    const struct wr_header *headers;
    size_t header_count;
    int64_t timestamp_ms; /* since 1970; -1 on append: now */
};

/* The value of the last header named `name`, or {NULL, 0}. */
struct wr_bytes wr_record_header(const struct wr_record *record, const char *name);

#endif
