#include "view/view_state.h"

struct rule {
    enum wr_view_state next;
    enum wr_view_action action;
    bool is_possible;
};

#define GO(state, action)                       \
    {                                           \
        WR_VIEW_##state, WR_VIEW_##action, true \
    }

/* clang-format off */
static const struct rule rules[WR_VIEW_STATES][WR_VIEW_EVENTS] = {
    [WR_VIEW_STARTING] = {
        [WR_VIEW_EV_OPENED]    = GO(STARTING, RESTORE),
        [WR_VIEW_EV_RESTORED]  = GO(READING,  WAIT),
        [WR_VIEW_EV_LATER]     = GO(STARTING, PAUSE),
        [WR_VIEW_EV_TIMER]     = GO(STARTING, OPEN),
        [WR_VIEW_EV_FAIL]      = GO(FAILED,   END),
        [WR_VIEW_EV_STOP]      = GO(STOPPED,  END),
    },
    [WR_VIEW_READING] = {
        [WR_VIEW_EV_RECORDS]   = GO(FILLING,  BEGIN),
        [WR_VIEW_EV_NOTHING]   = GO(READING,  WAIT),
        [WR_VIEW_EV_ASSIGNED]  = GO(READING,  RESTORE),
        [WR_VIEW_EV_REVOKED]   = GO(READING,  WAIT),
        [WR_VIEW_EV_LOST]      = GO(READING,  WAIT),
        [WR_VIEW_EV_RESTORED]  = GO(READING,  WAIT),
        [WR_VIEW_EV_LATER]     = GO(PAUSED,   PAUSE),
        [WR_VIEW_EV_FAIL]      = GO(FAILED,   END),
        [WR_VIEW_EV_STOP]      = GO(STOPPED,  END),
    },
    [WR_VIEW_FILLING] = {
        [WR_VIEW_EV_BEGUN]     = GO(FILLING,  APPLY),
        [WR_VIEW_EV_APPLIED]   = GO(FILLING,  POLL),
        [WR_VIEW_EV_RECORDS]   = GO(FILLING,  APPLY),
        [WR_VIEW_EV_NOTHING]   = GO(FILLING,  COMMIT),
        [WR_VIEW_EV_FULL]      = GO(FILLING,  COMMIT),
        [WR_VIEW_EV_COMMITTED] = GO(READING,  WAIT),
        [WR_VIEW_EV_REST]      = GO(FILLING,  BEGIN),
        [WR_VIEW_EV_ASSIGNED]  = GO(READING,  RESTORE),
        [WR_VIEW_EV_REVOKED]   = GO(FILLING,  COMMIT),
        [WR_VIEW_EV_LOST]      = GO(READING,  RESTORE),
        [WR_VIEW_EV_LATER]     = GO(PAUSED,   PAUSE),
        [WR_VIEW_EV_BAD]       = GO(FAILING,  COMMIT),
        [WR_VIEW_EV_FAIL]      = GO(FAILED,   END),
        [WR_VIEW_EV_STOP]      = GO(STOPPING, COMMIT),
    },
    [WR_VIEW_PAUSED] = {
        [WR_VIEW_EV_TIMER]     = GO(PAUSED,   RESTORE),
        [WR_VIEW_EV_RESTORED]  = GO(PAUSED,   BEGIN),
        [WR_VIEW_EV_BEGUN]     = GO(FILLING,  APPLY),
        [WR_VIEW_EV_LATER]     = GO(PAUSED,   PAUSE),
        [WR_VIEW_EV_FAIL]      = GO(FAILED,   END),
        [WR_VIEW_EV_STOP]      = GO(STOPPED,  END),
    },
    [WR_VIEW_STOPPING] = {
        [WR_VIEW_EV_COMMITTED] = GO(STOPPED,  END),
        [WR_VIEW_EV_REST]      = GO(STOPPED,  END),
        [WR_VIEW_EV_LATER]     = GO(STOPPED,  END),
        [WR_VIEW_EV_FAIL]      = GO(FAILED,   END),
        [WR_VIEW_EV_STOP]      = GO(STOPPED,  END),
    },
    [WR_VIEW_FAILING] = {
        [WR_VIEW_EV_COMMITTED] = GO(FAILED,   END),
        [WR_VIEW_EV_REST]      = GO(FAILED,   END),
        [WR_VIEW_EV_LATER]     = GO(FAILED,   END),
        [WR_VIEW_EV_FAIL]      = GO(FAILED,   END),
        [WR_VIEW_EV_STOP]      = GO(FAILED,   END),
    },
    [WR_VIEW_STOPPED] = {
        [WR_VIEW_EV_STOP]      = GO(STOPPED,  END),
    },
    [WR_VIEW_FAILED] = {
        [WR_VIEW_EV_STOP]      = GO(FAILED,   END),
    },
};
/* clang-format on */
#undef GO

bool wr_view_can(enum wr_view_state state, enum wr_view_event event)
{
    WR_ASSERT(state < WR_VIEW_STATES && event < WR_VIEW_EVENTS);
    return rules[state][event].is_possible;
}

enum wr_view_action wr_view_next(enum wr_view_state *state, enum wr_view_event event)
{
    WR_ASSERT(wr_view_can(*state, event));
    const struct rule *rule = &rules[*state][event];
    *state = rule->next;
    return rule->action;
}
