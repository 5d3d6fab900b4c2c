/*
 * envelope_plan.h - what the envelope makes once for a table: its schemas, its plans for the converters,
 * and the room for the values of one change. Logical messages and heartbeats have one too.
 *
 * Only envelope.c uses it.
 */
#ifndef WR_ENVELOPE_PLAN_H
#define WR_ENVELOPE_PLAN_H

#include "data/envelope.h"
#include "data/source_block.h"

/* Fields of Debezium's envelope, in their order (cdc.md B2, layout of 2.7 and later). */
enum wr_envelope_field {
    WR_ENVELOPE_BEFORE,
    WR_ENVELOPE_AFTER,
    WR_ENVELOPE_SOURCE,
    WR_ENVELOPE_TRANSACTION,
    WR_ENVELOPE_OP,
    WR_ENVELOPE_TS_MS,
    WR_ENVELOPE_TS_US,
    WR_ENVELOPE_TS_NS,
    WR_ENVELOPE_FIELDS
};

/* And of a logical message's value (cdc.md B7). */
enum wr_message_field {
    WR_MESSAGE_OP,
    WR_MESSAGE_TS_MS,
    WR_MESSAGE_SOURCE,
    WR_MESSAGE_TRANSACTION,
    WR_MESSAGE_MESSAGE,
    WR_MESSAGE_FIELDS
};

/* What is true of a column of one row and cannot be seen in the record. */
enum wr_envelope_hidden {
    WR_HIDDEN_NOTHING,
    WR_HIDDEN_NULL,  /* it is NULL, and shows as a default or a fallback */
    WR_HIDDEN_UNSENT /* the database did not send it */
};

/* A row of one change, one of each for each column. */
struct wr_envelope_row {
    struct wr_datum *data;
    uint8_t *hidden; /* enum wr_envelope_hidden */
    size_t hidden_count;
};

enum {
    WR_SCHEMA_ID_LEN = 16 /* hexadecimal digits */
};

struct wr_envelope_plan {
    struct wr_envelope_plan *next; /* in the same bucket */
    struct wr_arena arena;
    struct wr_envelope_topic *topic;
    struct wr_converter_plan *key; /* NULL: the key is null */
    struct wr_converter_plan *value;
    struct wr_converter_plan *header; /* the key as __debezium.newkey; NULL when there is none */

    /* The value's schema, when values do not have it inside and it is to be kept; else all zero. */
    struct wr_str schema_text;
    char schema_id[WR_SCHEMA_ID_LEN];
    uint64_t schema_epoch; /* that of the envelope when it was written last */

    /* Of a table; all zero for messages and heartbeats. */
    uint64_t version;
    struct wr_str db;
    struct wr_str schema;
    struct wr_str name;
    const struct wr_table *table; /* borrowed, while its version is in use */
    struct wr_connect_column *columns;
    size_t column_count;
    const struct wr_schema *key_schema;
    struct wr_envelope_row before;
    struct wr_envelope_row after;
    struct wr_datum *old_key; /* one for each column of the key */
    struct wr_datum *new_key;

    struct wr_connect_column content; /* of a message */
};

/* What all plans have in common. Borrowed during the calls. */
struct wr_envelope_plan_input {
    const struct wr_envelope_options *options;
    const struct wr_connect_modes *modes; /* borrowed for as long as the plans */
    struct wr_envelope_topic *topic;
};

/* Make the plan of a table, of logical messages, or of heartbeats. `out`: owned by the caller, free with
 * wr_envelope_plan_free(); untouched on failure. WEIR_E_NOMEM, WEIR_E_UNSUPPORTED, or what the
 * converters say. */
WR_MUST_USE int wr_envelope_plan_table(const struct wr_envelope_plan_input *in,
                                       const struct wr_table *table, struct wr_envelope_plan **out,
                                       struct weir_error *err);
WR_MUST_USE int wr_envelope_plan_message(const struct wr_envelope_plan_input *in,
                                         struct wr_envelope_plan **out, struct weir_error *err);
WR_MUST_USE int wr_envelope_plan_heartbeat(const struct wr_envelope_plan_input *in,
                                           struct wr_envelope_plan **out, struct weir_error *err);

/* Free it. Takes NULL and half-built ones. */
void wr_envelope_plan_free(struct wr_envelope_plan *plan);

#endif
