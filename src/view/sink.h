/*
 * sink.h - the stores that views write to. Wrappers with the contracts of sink_ops.h; they check what may be
 * called when.
 */
#ifndef WR_SINK_H
#define WR_SINK_H

#include "view/sink_ops.h"

/* The store that a view's `to:` names; static storage. WEIR_E_CONFIG with the place, and which there are. */
WR_MUST_USE int wr_sink_find(const struct wr_view_definition *definition,
                             const struct wr_sink_ops **out, struct weir_error *err);

/* How far a view has got that does not run, as its store has it: sink_ops.h, `stored`. */
WR_MUST_USE int wr_sink_stored(const struct wr_view_definition *definition,
                               int (*each)(void *arg, const struct wr_sink_position *position,
                                           struct weir_error *err),
                               void *arg, struct weir_error *err);

/* As sink_ops.h says. wr_sink_close() takes NULL. */
WR_MUST_USE int wr_sink_create(const struct wr_sink_ops *ops, const struct wr_sink_options *options,
                               struct wr_sink **out, struct weir_error *err);
WR_MUST_USE int wr_sink_open(struct wr_sink *sink, struct weir_error *err);
void wr_sink_close(struct wr_sink *sink);
WR_MUST_USE int wr_sink_positions(struct wr_sink *sink,
                                  int (*each)(void *arg, const struct wr_sink_position *position,
                                              struct weir_error *err),
                                  void *arg, struct weir_error *err);
WR_MUST_USE int wr_sink_begin(struct wr_sink *sink, struct weir_error *err);
WR_MUST_USE int wr_sink_apply(struct wr_sink *sink, uint32_t index,
                              const struct wr_sink_event *event, struct weir_error *err);
WR_MUST_USE int wr_sink_commit(struct wr_sink *sink, const struct wr_sink_move *moves, size_t count,
                               struct weir_error *err);
void wr_sink_rollback(struct wr_sink *sink);
void wr_sink_interrupt(struct wr_sink *sink);

#endif
