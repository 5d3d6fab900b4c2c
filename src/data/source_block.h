/*
 * source_block.h - the "source" of Debezium's records: where a change came from (cdc.md B4).
 *
 * What is the same in all records of a table stands in the schema as constants; the rest is filled in for
 * each change. To add a database: its fields here, and which of them it has in wr_source_schema().
 */
#ifndef WR_SOURCE_BLOCK_H
#define WR_SOURCE_BLOCK_H

#include "data/connect_schema.h"

/* PostgreSQL's fields, in their order. */
enum wr_source_field {
    WR_SOURCE_VERSION,
    WR_SOURCE_CONNECTOR,
    WR_SOURCE_NAME,
    WR_SOURCE_TS_MS,
    WR_SOURCE_SNAPSHOT,
    WR_SOURCE_DB,
    WR_SOURCE_SEQUENCE,
    WR_SOURCE_TS_US,
    WR_SOURCE_TS_NS,
    WR_SOURCE_SCHEMA,
    WR_SOURCE_TABLE,
    WR_SOURCE_TX_ID,
    WR_SOURCE_LSN,
    WR_SOURCE_XMIN,
    WR_SOURCE_ORIGIN,
    WR_SOURCE_ORIGIN_LSN,
    WR_SOURCE_FIELDS
};

/* What never changes for a table. */
struct wr_source_names {
    struct wr_str version;
    struct wr_str connector;
    struct wr_str name;
    struct wr_str db;
    struct wr_str schema;
    struct wr_str table;
};

/* A block that is filled in: the datum for the schema's struct, and the memory of its texts. */
struct wr_source_block {
    struct wr_datum fields[WR_SOURCE_FIELDS];
    uint8_t sequence[64];
};

/* The schema of the block for a table, in `arena`, which copies nothing: `names` stay borrowed. NULL when
 * out of memory. Borrowed until the arena is reset. */
WR_MUST_USE const struct wr_schema *wr_source_schema(const struct wr_source_names *names,
                                                     struct wr_arena *arena);

/* Fill in what `origin` says; texts of it stay borrowed. */
void wr_source_fill(struct wr_source_block *block, const struct wr_origin *origin);

#endif
