/*
 * event.h - what event a record is: its type, id, time and fields, and the values of parameters in it.
 *
 * The rules, in this order (docs/views.md says them for users):
 *   no event   a null value, or a null payload in an embedded schema
 *   unwrapping {"schema": …, "payload": P} of Connect's JSON converter counts as P
 *   change     an object with `op` (c, r, u, d, t), `source` and `before` or `after` (Debezium's envelope);
 *              its type is create, read, update, delete or truncate, its fields are the columns of `after`,
 *              of `before` for a delete
 *   message    the same with op m and `message` (a logical message); fields are the members of `message`
 *   textbook   an object with event_id, event_type, aggregate_id and an object `data`: fields are its members
 *   plain      anything else; fields are the members of the object
 *   type       header ce_type; else as above; else the string at `type_field`, by default `type`, then
 *              `event_type`
 *   id         header ce_id, else `event_id`
 *   time       header ce_time, else (not for changes and messages) `timestamp` when it is ISO 8601, else the
 *              record's
 *
 * A reader is compiled for the parameters and the types that somebody wants; it reads one record after the
 * other, allocates nothing for it (see json_scan.h), and does not look into the value of a record whose
 * header ce_type says that nobody wants it.
 *
 * Values point into the record and into the reader; they live until the next record is read.
 * Thread: one at a time.
 */
#ifndef WR_EVENT_H
#define WR_EVENT_H

#include "data/parameter.h"
#include "data/record.h"

enum wr_event_kind {
    WR_EVENT_NONE, /* the record is no event */
    WR_EVENT_PLAIN,
    WR_EVENT_TEXTBOOK,
    WR_EVENT_CHANGE,
    WR_EVENT_DELETE, /* a change whose row is in `before` */
    WR_EVENT_MESSAGE,
    WR_EVENT_KINDS
};

struct wr_event_options {
    const struct wr_parameters *parameters; /* borrowed as long as the reader lives */
    struct wr_str type_field; /* copied; dots lead into objects; ptr NULL: type, then event_type */
    const struct wr_str *types; /* that somebody wants; copied */
    size_t type_count;
};

/* Where a record stands. */
struct wr_event_place {
    uint32_t partition;
    int64_t offset;
    int64_t version; /* its place in its stream, or -1 when nobody counts them */
};

#define WR_EVENT_UNWANTED UINT32_MAX

struct wr_event {
    enum wr_event_kind kind;
    struct wr_str type; /* ptr NULL: it has none. Of an unwanted one it may be all that is known */
    uint32_t wanted;    /* index into the types of the options, or WR_EVENT_UNWANTED */
};

/* A value as a store gets it. */
enum wr_bind_kind {
    WR_BIND_NULL,
    WR_BIND_BOOL,   /* [b] */
    WR_BIND_INT,    /* [i] */
    WR_BIND_REAL,   /* [f]; `text` has the number as it was written, when it was written */
    WR_BIND_NUMBER, /* `text`: a number that fits neither */
    WR_BIND_TEXT,   /* `text`: UTF-8; may hold NUL */
    WR_BIND_JSON,   /* `text`: an object or a list */
    WR_BIND_BYTES   /* `text`: any bytes */
};

struct wr_bind {
    enum wr_bind_kind kind;
    union {
        bool b;
        int64_t i;
        double f;
    } u;
    struct wr_str text;
};

struct wr_event_reader;

/* Compile a reader. `out`: owned by the caller, free with wr_event_reader_free(). WEIR_E_LIMIT when the
 * parameters are too many, WEIR_E_NOMEM. */
WR_MUST_USE int wr_event_reader_new(const struct wr_event_options *options,
                                    struct wr_event_reader **out, struct weir_error *err);

/* Free. Takes NULL. */
void wr_event_reader_free(struct wr_event_reader *reader);

/* Read a record, which stays borrowed until the next one is read, as does `place`.
 *   out  what it is; borrowed until the next call
 * Returns 0, or
 *   WEIR_E_INPUT  the value is not JSON or not UTF-8, and no header made it needless to know
 *   WEIR_E_LIMIT, WEIR_E_NOMEM as wr_json_scan_run() */
WR_MUST_USE int wr_event_read(struct wr_event_reader *reader, const struct wr_event_place *place,
                              const struct wr_record *record, const struct wr_event **out,
                              struct weir_error *err);

/* The value of a parameter in the event last read, which has a type that is wanted.
 * Returns 0, or
 *   WEIR_E_INPUT  the event has no such value, and it is not optional; or a key or id that is not UTF-8 */
WR_MUST_USE int wr_event_value(struct wr_event_reader *reader, const struct wr_parameter_use *use,
                               struct wr_bind *out, struct weir_error *err);

/* When it happened, in milliseconds since 1970. */
int64_t wr_event_time_ms(struct wr_event_reader *reader);

#endif
