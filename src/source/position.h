/*
 * position.h - where a source goes on after a restart, kept in the log beside what it wrote.
 *
 *     topic __weir_positions, compacted, one partition
 *         key     the source's name
 *         value   JSON text, the source's own (postgres/pg_position.h)
 *
 * A position is a record like any other and goes in the same commit as the records before it: either
 * both are in the log or neither is. That is all of exactly once.
 *
 * Thread: the source's, but for wr_positions_each(), which any thread may call.
 */
#ifndef WR_POSITION_H
#define WR_POSITION_H

#include "log/log.h"

#define WR_POSITIONS_TOPIC "__weir_positions"

/* Find the topic, or make it. `out`: owned by the caller. Blocks on disk. */
WR_MUST_USE int wr_positions_open(struct wr_log *log, struct wr_log_topic **out,
                                  struct weir_error *err);

/* The position last committed for `name`. `out`: owned by the caller (wr_free), NUL-terminated; ptr NULL
 * when there is none. Blocks on disk. */
WR_MUST_USE int wr_position_load(struct wr_log *log, const char *name, struct wr_str *out,
                                 struct weir_error *err);

/* Call `each` for every source that has a position, by name: with the position and when it was written.
 * All is borrowed during the call; a non-zero result ends the walk and is returned. Blocks on disk.
 * WEIR_E_LIMIT for more than 10000 sources. */
WR_MUST_USE int wr_positions_each(struct wr_log *log,
                                  int (*each)(void *arg, struct wr_str name, struct wr_str position,
                                              int64_t written_ms, struct weir_error *err),
                                  void *arg, struct weir_error *err);

/* Add the position of `name` to the commit that `writer` fills. As wr_log_append(). */
WR_MUST_USE int wr_position_append(struct wr_log_writer *writer, struct wr_log_topic *positions,
                                   const char *name, struct wr_str text, struct weir_error *err);

#endif
