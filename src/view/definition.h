/*
 * definition.h - what a view is, as its user declares it:
 *
 *     NAME:
 *       from: orders                       a topic, a list of topics, patterns with * and ?
 *       to: sqlite:analytics.db            the store; see sink.h for which there are
 *       schema: "CREATE TABLE …"           run once, in a new file
 *       on:
 *         OrderPlaced: "INSERT …"          what to do with each type of event; SQL or a list of it
 *       type_field: kind                   where a JSON value says its type
 *       on_error: stop                     or skip: an event that fails
 *       batch: {rows: 10000, bytes: 16777216}
 *
 * Only the form is checked here; what stands under `schema` and `on` is the sink's.
 */
#ifndef WR_VIEW_DEFINITION_H
#define WR_VIEW_DEFINITION_H

#include "base/conf.h"

enum wr_on_error {
    WR_ON_ERROR_STOP, /* the view stops at the event */
    WR_ON_ERROR_SKIP  /* the event is counted and left out */
};

enum {
    WR_VIEW_BATCH_ROWS = 10000,       /* default of batch.rows */
    WR_VIEW_BATCH_BYTES = 16 << 20,   /* default of batch.bytes */
    WR_VIEW_BATCH_BYTES_MAX = 1 << 30 /* the most that may be asked for */
};

/* One of `from:`. */
struct wr_view_source {
    struct wr_str pattern; /* NUL-terminated */
    bool is_glob;          /* has * or ? */
    bool is_secret;        /* never print it */
    struct wr_place at;
};

/* One line of `on:`. */
struct wr_view_handler {
    struct wr_str type;         /* NUL-terminated */
    const struct wr_conf *conf; /* what stands behind it; at least not empty */
};

/* Everything in it lives in the configuration tree or in the arena that it was read into. */
struct wr_view_definition {
    struct wr_str name; /* NUL-terminated */
    struct wr_place at;
    struct wr_view_source *from;
    size_t from_count;
    const struct wr_conf *to;
    const struct wr_conf *schema; /* NULL: none */
    struct wr_view_handler *on;
    size_t on_count;
    struct wr_str type_field; /* ptr NULL: not given */
    enum wr_on_error on_error;
    int64_t batch_rows;
    int64_t batch_bytes;
};

/* Read the definition of the view `name` from what stands behind its name.
 *   node   borrowed as long as the definition is used
 *   arena  takes what the definition points to
 *   warn   is told of unknown keys; may be NULL
 * Returns 0, WEIR_E_CONFIG with the place, or WEIR_E_NOMEM. */
WR_MUST_USE int wr_view_definition_read(struct wr_str name, const struct wr_conf *node,
                                        struct wr_arena *arena, const struct wr_conf_warn *warn,
                                        struct wr_view_definition *out, struct weir_error *err);

/* Does the view read this topic? Internal topics only when they are named in full. */
bool wr_view_reads(const struct wr_view_definition *definition, const char *topic);

#endif
