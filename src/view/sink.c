#include "view/sink.h"

#include <stdio.h>

static const struct wr_sink_ops *const sinks[] = {&wr_sink_sqlite};
#define SINK_COUNT (sizeof(sinks) / sizeof(sinks[0]))

int wr_sink_find(const struct wr_view_definition *definition, const struct wr_sink_ops **out,
                 struct weir_error *err)
{
    struct wr_str to;
    int rc = wr_conf_str(definition->to, "to", &to, err);
    if (rc < 0) {
        return rc;
    }
    char forms[200] = "";
    size_t len = 0;
    for (size_t i = 0; i < SINK_COUNT; i++) {
        if (strncmp(to.ptr, sinks[i]->prefix, strlen(sinks[i]->prefix)) == 0) {
            *out = sinks[i];
            return 0;
        }
        len += (size_t)snprintf(forms + len, sizeof(forms) - len, "%s%s", i == 0 ? "" : " or ",
                                sinks[i]->form);
    }
    return wr_conf_fail(err, definition->to->at, "view '%s': to must be %s, not '%s'",
                        definition->name.ptr, forms, definition->to->is_secret ? "****" : to.ptr);
}

int wr_sink_stored(const struct wr_view_definition *definition,
                   int (*each)(void *arg, const struct wr_sink_position *position,
                               struct weir_error *err),
                   void *arg, struct weir_error *err)
{
    const struct wr_sink_ops *ops = NULL;
    int rc = wr_sink_find(definition, &ops, err);
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(ops != NULL);
    return ops->stored(definition, each, arg, err);
}

int wr_sink_create(const struct wr_sink_ops *ops, const struct wr_sink_options *options,
                   struct wr_sink **out, struct weir_error *err)
{
    int rc = ops->create(options, out, err);
    WR_ASSERT(rc < 0 || ((*out)->ops == ops && (*out)->needs != NULL && !(*out)->is_open &&
                         !(*out)->is_busy));
    return rc;
}

int wr_sink_open(struct wr_sink *sink, struct weir_error *err)
{
    WR_ASSERT(!sink->is_open);
    int rc = sink->ops->open(sink, err);
    sink->is_open = rc == 0;
    return rc;
}

void wr_sink_close(struct wr_sink *sink)
{
    if (sink != NULL) {
        sink->ops->close(sink);
    }
}

int wr_sink_positions(struct wr_sink *sink,
                      int (*each)(void *arg, const struct wr_sink_position *position,
                                  struct weir_error *err),
                      void *arg, struct weir_error *err)
{
    WR_ASSERT(sink->is_open);
    return sink->ops->positions(sink, each, arg, err);
}

int wr_sink_begin(struct wr_sink *sink, struct weir_error *err)
{
    WR_ASSERT(sink->is_open && !sink->is_busy);
    int rc = sink->ops->begin(sink, err);
    sink->is_busy = rc == 0;
    return rc;
}

int wr_sink_apply(struct wr_sink *sink, uint32_t index, const struct wr_sink_event *event,
                  struct weir_error *err)
{
    WR_ASSERT(sink->is_busy);
    return sink->ops->apply(sink, index, event, err);
}

int wr_sink_commit(struct wr_sink *sink, const struct wr_sink_move *moves, size_t count,
                   struct weir_error *err)
{
    WR_ASSERT(sink->is_busy);
    int rc = sink->ops->commit(sink, moves, count, err);
    if (rc < 0) {
        wr_sink_rollback(sink);
        return rc;
    }
    sink->is_busy = false;
    return 0;
}

void wr_sink_rollback(struct wr_sink *sink)
{
    sink->ops->rollback(sink);
    sink->is_busy = false;
}

void wr_sink_interrupt(struct wr_sink *sink)
{
    sink->ops->interrupt(sink);
}
