/*
 * sql_handler.h - handlers that are SQL, for every store that speaks it: a text or a list of texts for each
 * type of event, with parameters.
 */
#ifndef WR_VIEW_SQL_HANDLER_H
#define WR_VIEW_SQL_HANDLER_H

#include "data/parameter.h"
#include "view/sink_ops.h"

/* Instead of what is wrong with a text that came from ${…}: parsers quote what they stumble over. */
#define WR_SQL_NOT_SHOWN \
    "this is no SQL that can be run here (it came from ${…}, so it is not shown)"

/* One text. It may hold several statements. */
struct wr_sql_text {
    const struct wr_conf *conf; /* where it stands */
    struct wr_sql sql;
    uint32_t *values; /* for each slot of the text: which of the event's values it takes */
};

struct wr_sql_handler {
    struct wr_str type;
    struct wr_sql_text *texts;
    size_t count;
};

/* Scan the handlers of options->definition, in its order; what they use is added to options->parameters.
 *   out    definition->on_count of them, in the arena of the options
 *   needs  what each wants of an event, for struct wr_sink; the same
 * Returns 0, WEIR_E_CONFIG with the place, or WEIR_E_NOMEM. */
WR_MUST_USE int wr_sql_handlers_read(const struct wr_sink_options *options,
                                     enum wr_sql_dialect dialect, struct wr_sql_handler **out,
                                     const struct wr_sink_needs **needs, struct weir_error *err);

#endif
