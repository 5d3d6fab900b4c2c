/*
 * converter_ops.h - what a converter must provide: Connect values in, the bytes of a key or value out.
 *
 * Implementations: json_converter.c (org.apache.kafka.connect.json.JsonConverter), header_converter.c
 * (SimpleHeaderConverter). A converter belongs to one worker and one of key, value or headers of its
 * records.
 *
 * The work is in two steps. `prepare` sees a schema once (per table version) and may do all that
 * takes time: write out the schema's text, ask a registry for an id. `convert` sees every record and
 * walks the prepared plan: no tree, no allocation but the growing of `w`.
 *
 * Users call the wrappers below, which check for all implementations.
 * Thread: the worker that owns it.
 */
#ifndef WR_CONVERTER_OPS_H
#define WR_CONVERTER_OPS_H

#include "base/writer.h"
#include "data/connect_schema.h"

struct wr_converter;

/* A schema prepared by one converter. An implementation puts it first in its own struct. */
struct wr_converter_plan {
    struct wr_converter *converter; /* set by the wrapper */
    const struct wr_schema *schema; /* borrowed; set by the wrapper */
};

/* Every member is required. */
struct wr_converter_ops {
    const char *name; /* as in the configuration: "json" */

    /* Make a plan for `schema`, which outlives it, for records of `topic` (NUL-terminated; what a
     * registry makes its subject of). `out`: taken back by plan_free. May block on network.
     * WEIR_E_UNSUPPORTED for a schema that it cannot write, WEIR_E_NOMEM, WEIR_E_CONNECT. */
    int (*prepare)(struct wr_converter *converter, struct wr_str topic,
                   const struct wr_schema *schema, struct wr_converter_plan **out,
                   struct weir_error *err);

    /* Append the bytes of `value` to `w`. A null for a required field without default is
     * WEIR_E_INPUT and names the field; what was appended until then stays. Does not block. When `w`
     * spoils it may return 0 all the same: the wrapper looks. */
    int (*convert)(const struct wr_converter_plan *plan, const struct wr_datum *value,
                   struct wr_writer *w, struct weir_error *err);

    /* Free a plan. Never called with NULL. */
    void (*plan_free)(struct wr_converter_plan *plan);

    /* Free the converter; its plans were freed before. Never called with NULL. */
    void (*close)(struct wr_converter *converter);
};

/* An implementation puts this first in its own struct. */
struct wr_converter {
    const struct wr_converter_ops *ops; /* static storage */
    bool is_schemaless;                 /* what it writes does not say of what schema it is */
    bool shows_defaults; /* a null shows as its schema's default: a reader cannot tell them apart */
};

/* As in the table above. `out`: owned by the caller, free with wr_converter_plan_free(); untouched on
 * failure. */
WR_MUST_USE int wr_converter_prepare(struct wr_converter *converter, struct wr_str topic,
                                     const struct wr_schema *schema, struct wr_converter_plan **out,
                                     struct weir_error *err);

/* As in the table above; and WEIR_E_LIMIT, WEIR_E_NOMEM when `w` does not take the bytes. `value` is
 * of the schema that the plan was prepared for. */
WR_MUST_USE int wr_converter_convert(const struct wr_converter_plan *plan,
                                     const struct wr_datum *value, struct wr_writer *w,
                                     struct weir_error *err);

/* Free a plan, or a converter whose plans are freed. Take NULL. */
void wr_converter_plan_free(struct wr_converter_plan *plan);
void wr_converter_close(struct wr_converter *converter);

#endif
