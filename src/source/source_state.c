#include "source/source_state.h"

struct rule {
    bool possible;
    enum wr_source_state next;
    enum wr_source_action action;
};

/* A table is read by column. */
/* clang-format off */
#define GO(state, action) {true, WR_SOURCE_##state, WR_ACT_##action}

static const struct rule rules[WR_SOURCE_STATES][WR_EV_EVENTS] = {
    [WR_SOURCE_STOPPED] = {
        [WR_EV_START]   = GO(CONNECTING, CONNECT),
        [WR_EV_STOP]    = GO(STOPPED,    NONE),         /* told twice, or before it began */
    },
    [WR_SOURCE_CONNECTING] = {
        [WR_EV_COPY]    = GO(SNAPSHOT,   READ_ROWS),
        [WR_EV_RESUMED] = GO(STREAMING,  READ_CHANGES),
        [WR_EV_LOST]    = GO(BACKOFF,    WAIT),
        [WR_EV_REFUSED] = GO(FAILED,     LET_GO),
        [WR_EV_STOP]    = GO(STOPPED,    LET_GO),
    },
    [WR_SOURCE_SNAPSHOT] = {
        [WR_EV_COPIED]  = GO(STREAMING,  READ_CHANGES),
        [WR_EV_REWIND]  = GO(CONNECTING, CONNECT),      /* the snapshot is aborted and begins anew */
        [WR_EV_LOST]    = GO(BACKOFF,    WAIT),         /* so it is here */
        [WR_EV_REFUSED] = GO(FAILED,     LET_GO),
        [WR_EV_STOP]    = GO(STOPPED,    LET_GO),
    },
    [WR_SOURCE_STREAMING] = {
        [WR_EV_REWIND]  = GO(CONNECTING, CONNECT),
        [WR_EV_LOST]    = GO(BACKOFF,    WAIT),
        [WR_EV_REFUSED] = GO(FAILED,     LET_GO),
        [WR_EV_STOP]    = GO(STOPPED,    FINISH),
    },
    [WR_SOURCE_BACKOFF] = {
        [WR_EV_TIMER]   = GO(CONNECTING, CONNECT),
        [WR_EV_STOP]    = GO(STOPPED,    LET_GO),
    },
    [WR_SOURCE_FAILED] = {
        [WR_EV_STOP]    = GO(FAILED,     NONE),         /* its error stays to be seen */
    },
};

#undef GO
/* clang-format on */

bool wr_source_can(enum wr_source_state state, enum wr_source_event event)
{
    WR_ASSERT(state < WR_SOURCE_STATES);
    WR_ASSERT(event < WR_EV_EVENTS);
    return rules[state][event].possible;
}

enum wr_source_action wr_source_step(enum wr_source_state *state, enum wr_source_event event)
{
    WR_ASSERT(wr_source_can(*state, event));
    const struct rule *rule = &rules[*state][event];
    *state = rule->next;
    return rule->action;
}

const char *wr_source_state_name(enum wr_source_state state)
{
    static const char *const names[WR_SOURCE_STATES] = {
        [WR_SOURCE_STOPPED] = "stopped",     [WR_SOURCE_CONNECTING] = "connecting",
        [WR_SOURCE_SNAPSHOT] = "snapshot",   [WR_SOURCE_STREAMING] = "streaming",
        [WR_SOURCE_BACKOFF] = "backing off", [WR_SOURCE_FAILED] = "failed",
    };
    WR_ASSERT(state < WR_SOURCE_STATES);
    return names[state];
}
