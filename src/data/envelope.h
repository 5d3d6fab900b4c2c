/*
 * envelope.h - Debezium's records of a change (layout 3.5; cdc.md A5, A6, B).
 *
 *     struct wr_change ──▶ wr_envelope_change() ──▶ 0 .. 3 records, each with its topic
 *
 *     op        records
 *     c r u     one; key of the row
 *     d         one, then a tombstone (tombstones.on.delete)
 *     u with another key
 *               d of the old key, its tombstone, c of the new key; with the headers
 *               __debezium.newkey (d, tombstone) and __debezium.oldkey (c)
 *     t         one without key
 *     m         one, to <prefix>.message
 *
 * weir adds, unless weir_headers is false (what Debezium's JSON loses; docs/formats.md):
 *     header weir.schema   names the schema of a JSON value that does not have it inside; before its
 *                          first use a record in __weir_schemas has its text
 *     header weir.hidden   names the columns whose NULL shows as something else, and those that the
 *                          database did not send
 *
 * What a source leaves to the envelope: topic names, key, fill rule for old tuples that hold the key
 * only, values that TOAST left out (taken from `before` where it has them, else the placeholder),
 * headers, skipped.operations. What the source does itself: which tables and columns there are.
 *
 * All memory is reused: what an output points to is borrowed until the next call on the envelope.
 * Thread: the worker that owns it.
 */
#ifndef WR_ENVELOPE_H
#define WR_ENVELOPE_H

#include "data/converter_ops.h"
#include "data/record.h"

struct wr_envelope;

/* Which operations are not written (skipped.operations): a sum of these. */
enum wr_skip {
    WR_SKIP_NONE = 0,
    WR_SKIP_CREATE = 1,
    WR_SKIP_UPDATE = 2,
    WR_SKIP_DELETE = 4, /* its tombstone neither */
    WR_SKIP_TRUNCATE = 8
};

/* The default in brackets is what wr_envelope_defaults() fills in. */
struct wr_envelope_options {
    struct wr_str topic_prefix;     /* topic.prefix; also source.name */
    struct wr_str database;         /* source.db of logical messages */
    struct wr_str topic_delimiter;  /* topic.delimiter ["."] */
    struct wr_str heartbeat_prefix; /* topic.heartbeat.prefix ["__debezium-heartbeat"] */
    struct wr_str version;          /* source.version ["3.5.0.Final"] */
    struct wr_str connector;        /* source.connector, .connectorName ["postgresql"] */

    struct wr_connect_modes modes; /* [precise, adaptive, bytes, "__debezium_unavailable_value"] */
    unsigned skipped_ops;          /* skipped.operations [WR_SKIP_TRUNCATE] */
    bool tombstones_on_delete;     /* [true] */

    bool extended_headers; /* extended.headers.enabled [true] */
    struct wr_str task_id; /* header __debezium.context.taskId ["0"] */
    struct wr_str run_id;  /* header __debezium.context.runId: a UUID v7 of this start [""] */

    bool weir_headers; /* weir.schema.header [true] */

    size_t record_max_bytes; /* largest key and value [64 MiB]; beyond it WEIR_E_LIMIT */

    struct wr_converter *key_converter;   /* required; taken, also on failure */
    struct wr_converter *value_converter; /* required; taken, also on failure */
};

/* A topic that records go to. Lives as long as the envelope, at one address. */
struct wr_envelope_topic {
    struct wr_str name; /* NUL-terminated, Debezium's characters and length (cdc.md B1) */
    bool is_internal;   /* weir's own (__weir_schemas): one partition, cleanup.policy=compact */
    void *user;         /* the source's own, NULL at first: its handle on the topic in the log */
};

/* The partition is that of the key, as wr_log_append() takes it (WR_PARTITION_BY_KEY). */
#define WR_ENVELOPE_BY_KEY UINT32_MAX

struct wr_envelope_record {
    struct wr_envelope_topic *topic;
    uint32_t partition;      /* WR_ENVELOPE_BY_KEY, or 0 for heartbeats */
    struct wr_record record; /* timestamp -1: that of the append */
};

/* A value that has no place in its column's schema; null or the default was written instead. */
struct wr_envelope_warning {
    const struct wr_table *table;
    const struct wr_column *column;
    const char *what; /* static text: "NaN in a precise decimal" */
};

struct wr_envelope_output {
    const struct wr_envelope_record *records; /* in the order in which they must be written */
    size_t record_count;
    const struct wr_envelope_warning *warnings; /* the source says them, at a rate of its choice */
    size_t warning_count;
};

/* The defaults in brackets above; all else zeroed. Texts are in static storage. */
struct wr_envelope_options wr_envelope_defaults(void);

/* Make one. `options` and its texts: copied, but for the converters. `out`: owned by the caller, free
 * with wr_envelope_free(); untouched on failure. WEIR_E_CONFIG for an empty topic prefix,
 * WEIR_E_NOMEM. */
WR_MUST_USE int wr_envelope_new(const struct wr_envelope_options *options, struct wr_envelope **out,
                                struct weir_error *err);

/* Free it with its topics and converters. Takes NULL. */
void wr_envelope_free(struct wr_envelope *envelope);

/* The topic of a table's records, made when it is not known yet; NULL when out of memory. Owned by the
 * envelope. Two tables whose names differ only in characters that no topic can have share one. */
WR_MUST_USE struct wr_envelope_topic *wr_envelope_topic_of(struct wr_envelope *envelope,
                                                           const struct wr_table *table);

/*
 * Make the records of a change.
 *
 *   change   borrowed until return. `table` must stay until the last change that has its `version`.
 *   now_us   wall clock, for ts_ms, ts_us and ts_ns
 *   out      borrowed until the next call; no records when all are skipped, or for a delete whose old
 *            row the database did not send
 *
 * Returns 0, or (and then no record of the change may be written)
 *   WEIR_E_INPUT        a value that has no place in a NOT NULL column; names table, column and reason
 *   WEIR_E_REFUSED      the old row lacks columns of the key; the text has the SQL that mends it
 *   WEIR_E_LIMIT        a record is over record_max_bytes; names table and key
 *   WEIR_E_UNSUPPORTED  a column type without mapping, or one that a converter cannot write
 *   WEIR_E_NOMEM
 */
WR_MUST_USE int wr_envelope_change(struct wr_envelope *envelope, const struct wr_change *change,
                                   int64_t now_us, struct wr_envelope_output *out,
                                   struct weir_error *err);

/* Records that were handed out were not committed and will be made again: so will be the schemas that they
 * use. */
void wr_envelope_rewind(struct wr_envelope *envelope);

/* Make a heartbeat: one record to <topic.heartbeat.prefix>.<topic.prefix>. `out` as above. */
WR_MUST_USE int wr_envelope_heartbeat(struct wr_envelope *envelope, int64_t now_us,
                                      struct wr_envelope_output *out, struct weir_error *err);

#endif
