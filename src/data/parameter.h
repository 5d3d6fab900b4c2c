/*
 * parameter.h - the parameters that users write in SQL and elsewhere: `:order_id`, `:a.b`, `:x?`, `:_time`.
 *
 *     INSERT INTO t VALUES (:id, :customer.name, coalesce(:discount?, 0), :_time)
 *  →  INSERT INTO t VALUES (?1, ?2, coalesce(?3, 0), ?4)      and which parameter each slot takes
 *
 * Form: a colon, at once a name (letters, digits, "_", all beyond ASCII; no digit first), then further
 * names after dots that reach into an object, then "?" where the value may be missing (it is NULL then).
 * Names that begin with "_" are built in. Only what is neither in a string, a quoted name, a comment nor
 * part of "::" counts. Values are bound to the slots by whoever runs the statement; nothing is ever pasted
 * into its text.
 *
 * Life: all that these functions hand out lives in the arena of the struct wr_parameters, which must
 * outlive it.
 * Thread: one at a time while scanning; then immutable.
 */
#ifndef WR_PARAMETER_H
#define WR_PARAMETER_H

#include "base/arena.h"
#include "base/error.h"
#include "data/json_scan.h"

enum wr_parameter_kind {
    WR_PARAMETER_FIELD,     /* :a.b            a field of the event */
    WR_PARAMETER_TYPE,      /* :_type */
    WR_PARAMETER_ID,        /* :_id */
    WR_PARAMETER_KEY,       /* :_key */
    WR_PARAMETER_VERSION,   /* :_version       its place in its stream */
    WR_PARAMETER_OFFSET,    /* :_offset */
    WR_PARAMETER_PARTITION, /* :_partition */
    WR_PARAMETER_TIME,      /* :_time          ISO 8601, UTC, milliseconds */
    WR_PARAMETER_OP,        /* :_op            of a change event: c, r, u, d, t, m */
    WR_PARAMETER_BEFORE,    /* :_before.x      of a change event; without .x all of it, as JSON */
    WR_PARAMETER_AFTER,     /* :_after.x */
    WR_PARAMETER_SOURCE     /* :_source.x */
};

enum {
    WR_PARAMETER_NAMES_MAX = 24 /* names in one path */
};

struct wr_parameter {
    enum wr_parameter_kind kind;
    struct wr_json_path
        path;           /* FIELD: one name or more; BEFORE, AFTER, SOURCE: what follows, or none */
    struct wr_str text; /* as written, without ":" and "?" */
};

/* Every parameter once, whichever texts it stands in. Slots count into it. */
struct wr_parameters {
    struct wr_arena *arena; /* borrowed */
    struct wr_parameter *items;
    size_t count;
    size_t cap;
};

/* An empty set whose memory is `arena`. */
struct wr_parameters wr_parameters_of(struct wr_arena *arena);

/* One use of a parameter. */
struct wr_parameter_use {
    uint32_t parameter; /* index into the set */
    bool is_optional;   /* ":x?": NULL when the event lacks it; without "?" that is an error */
    size_t at;          /* byte of the colon in the text */
};

/* What SQL texts look like. The second knows dollar quotes, E'' and nested comments, and takes brackets
 * for subscripts; in the first brackets quote names. */
enum wr_sql_dialect {
    WR_SQL_SQLITE,  /* placeholders ?1, ?2, … */
    WR_SQL_POSTGRES /* placeholders $1, $2, … */
};

/* A stretch of the rewritten text that stands for a parameter of the written one. */
struct wr_sql_mark {
    size_t sql_at;
    size_t sql_len;
    size_t text_at;
    size_t text_len;
};

struct wr_sql {
    struct wr_str sql; /* with placeholders; NUL-terminated */
    /* What to bind to ?1, ?2, …: one for each distinct parameter; optional when all its uses are. */
    struct wr_parameter_use *slots;
    size_t slot_count;
    struct wr_sql_mark *marks;
    size_t mark_count;
};

/* Replace the parameters of `text` and add them to `set`.
 *   at  on failure: the byte of `text` at which it is wrong
 * Returns 0, WEIR_E_INPUT (the text of the error has no place in it), WEIR_E_LIMIT or WEIR_E_NOMEM. */
WR_MUST_USE int wr_sql_scan(struct wr_str text, enum wr_sql_dialect dialect,
                            struct wr_parameters *set, struct wr_sql *out, size_t *at,
                            struct weir_error *err);

/* The byte of the written text that byte `sql_at` of the rewritten one comes from. */
size_t wr_sql_origin(const struct wr_sql *sql, size_t sql_at);

/* Read `text` as one parameter and nothing else (":order_id", ":x?"), for stores without SQL. `at` as
 * above. Returns as wr_sql_scan(). */
WR_MUST_USE int wr_parameter_parse(struct wr_str text, struct wr_parameters *set,
                                   struct wr_parameter_use *out, size_t *at,
                                   struct weir_error *err);

#endif
