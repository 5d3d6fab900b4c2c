/* engine.h - the engine as a whole, for its parts: failing, telling, the object behind struct wr_log. */
#ifndef WR_EMBEDDED_ENGINE_H
#define WR_EMBEDDED_ENGINE_H

#include "log/embedded/state.h"

/* The engine behind the interface. Borrowed. */
static inline struct wr_embedded *wr_embedded_of(struct wr_log *log)
{
    return (struct wr_embedded *)(void *)log;
}

static inline struct wr_topic_state *wr_topic_state_of(struct wr_log_topic *topic)
{
    return (struct wr_topic_state *)(void *)topic;
}

static inline const struct wr_topic_state *wr_topic_state_of_const(const struct wr_log_topic *topic)
{
    return (const struct wr_topic_state *)(const void *)topic;
}

/* The log takes no more work: remember why, wake everybody, call on_fatal. The first time counts. Returns
 * WEIR_E_IO with `err` set to the reason. L is not held. */
int wr_embedded_fail(struct wr_embedded *e, struct weir_error *err);

/* Fill `err` with why it failed, for every call after. L. Returns WEIR_E_IO. */
int wr_embedded_failure(const struct wr_embedded *e, struct weir_error *err);

/* log_ops.h: the last checkpoint, and all is let go. */
void wr_embedded_close(struct wr_log *log);

/* Tell a person. L is not held. */
void wr_embedded_notice(struct wr_embedded *e, enum wr_level level, const char *fmt, ...)
    WR_PRINTF(3, 4);

#endif
