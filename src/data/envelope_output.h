/*
 * envelope_output.h - the records of one change while they are made: bytes of keys, values and headers.
 * Only envelope.c uses it.
 *
 * A change has two sides, the old row and the new one; each has one key and one value at most. All buffers
 * are kept from change to change.
 */
#ifndef WR_ENVELOPE_OUTPUT_H
#define WR_ENVELOPE_OUTPUT_H

#include "data/envelope_row.h"

enum {
    WR_RECORDS_MAX = 4,     /* of one change: schema, d, tombstone, c */
    WR_CONTEXT_HEADERS = 4, /* __debezium.context.* */
    WR_WEIR_HEADERS = 2,    /* weir.schema, weir.hidden */
    WR_HEADERS_MAX = 1 + WR_CONTEXT_HEADERS + WR_WEIR_HEADERS /* and newkey or oldkey */
};

enum wr_side {
    WR_SIDE_OLD,
    WR_SIDE_NEW,
    WR_SIDES
};

/* The buffers of one side. */
struct wr_side_buffers {
    struct wr_writer key;
    struct wr_writer link; /* the key as newkey or oldkey */
    struct wr_writer value;
    struct wr_writer hidden; /* weir.hidden */
};

struct wr_envelope_records {
    const struct wr_envelope_options *options; /* borrowed */
    struct wr_envelope_topic *schemas;         /* __weir_schemas; NULL: not used yet */
    uint64_t schema_epoch;                     /* goes up when schemas have to be written again */
    struct wr_side_buffers sides[WR_SIDES];
    struct wr_header headers[WR_RECORDS_MAX][WR_HEADERS_MAX];
    struct wr_envelope_record items[WR_RECORDS_MAX];
    size_t count;
};

/* A record to be made. */
struct wr_envelope_draft {
    struct wr_envelope_plan *plan;
    enum wr_side side;
    struct wr_bytes key;               /* ptr NULL: null */
    struct wr_header link;             /* newkey or oldkey; name.ptr NULL: none */
    const struct wr_envelope_row *row; /* whose hidden columns are named; NULL: none */
    uint32_t partition;
    bool has_context; /* the headers __debezium.context.*, where they are enabled */
};

/* Set up; `options` stays borrowed. Cannot fail. */
void wr_envelope_records_init(struct wr_envelope_records *records,
                              const struct wr_envelope_options *options);

/* Free what it owns. Takes a zeroed one. */
void wr_envelope_records_fini(struct wr_envelope_records *records);

/* Back to no records; what one large record took is given back. */
void wr_envelope_records_begin(struct wr_envelope_records *records);

/* Make the bytes of a key, or of the link that names it in a header of the other side's record. `out` is
 * borrowed until the next change; null for a plan without key. What the converter says, naming the
 * topic. */
WR_MUST_USE int wr_envelope_make_key(struct wr_envelope_records *records,
                                     const struct wr_envelope_draft *draft,
                                     const struct wr_datum *key, size_t count, struct wr_bytes *out,
                                     struct weir_error *err);
WR_MUST_USE int wr_envelope_make_link(struct wr_envelope_records *records,
                                      const struct wr_envelope_draft *draft,
                                      const struct wr_datum *key, size_t count,
                                      struct wr_bytes *out, struct weir_error *err);

/* Make the value of `count` fields and add the record, and before it the one of its schema when that has
 * to be written. What the converter says, naming topic and key. */
WR_MUST_USE int wr_envelope_add(struct wr_envelope_records *records,
                                const struct wr_envelope_draft *draft,
                                const struct wr_datum *fields, size_t count,
                                struct weir_error *err);

/* Add the record without value that follows a delete. */
void wr_envelope_add_tombstone(struct wr_envelope_records *records,
                               const struct wr_envelope_draft *draft);

#endif
