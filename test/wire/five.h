/* five.h - the records in test/wire/batch/five-*.bin and many-*.bin, as MakeBatches.java has them. */
#ifndef WR_TEST_FIVE_H
#define WR_TEST_FIVE_H

#include "data/record.h"

enum {
    FIVE_COUNT = 5,
    MANY_COUNT = 300,
    MANY_VALUE_BYTES = 1000
};

/* A text as bytes; not null. */
static inline struct wr_bytes bytes_of(const char *text)
{
    return wr_bytes_of_str(wr_str_of(text));
}

/* Record `index` of the five. All in static storage. */
static inline struct wr_record five_record(size_t index)
{
    static const char x300[] =
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    static struct wr_header two[2];
    static struct wr_header unnamed[1];
    two[0] = (struct wr_header){wr_str_of("trace"), bytes_of("abc")};
    two[1] = (struct wr_header){wr_str_of("trace"), {NULL, 0}};
    unnamed[0] = (struct wr_header){wr_str_of(""), bytes_of("")};
    const struct wr_record all[FIVE_COUNT] = {
        {bytes_of("order-1"), bytes_of("{\"amount\": 29.99}"), NULL, 0, 1710500000000},
        {{NULL, 0}, bytes_of("no key"), NULL, 0, 1710500000005},
        {bytes_of("order-1"), {NULL, 0}, NULL, 0, 1710499999990},
        {bytes_of(""), bytes_of(""), two, 2, 1710500000007},
        {bytes_of("gr\xc3\xb6\xc3\x9f"
                  "e"),
         bytes_of(x300), unnamed, 1, 1710500000007},
    };
    return all[index];
}

/* Same bytes, and null only where the other is. */
static inline bool same_field(struct wr_bytes a, struct wr_bytes b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && wr_bytes_eq(a, b);
}

/* Equal in everything, order of headers included. */
static inline bool same_record(const struct wr_record *a, const struct wr_record *b)
{
    bool same = same_field(a->key, b->key) && same_field(a->value, b->value) &&
                a->timestamp_ms == b->timestamp_ms && a->header_count == b->header_count;
    for (size_t i = 0; same && i < a->header_count; i++) {
        same = wr_str_eq(a->headers[i].name, b->headers[i].name) &&
               same_field(a->headers[i].value, b->headers[i].value);
    }
    return same;
}

#endif
