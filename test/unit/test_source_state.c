/*
 * Each cell of the life of a source: what may come, what it leads to, and that nothing else may. The
 * table here was written from the picture in source_state.h, not from the code.
 */
#include "source/source_state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct cell {
    enum wr_source_state from;
    enum wr_source_event event;
    enum wr_source_state to;
    enum wr_source_action action;
};

#define CELL(from, event, to, action)                                    \
    {                                                                    \
        WR_SOURCE_##from, WR_EV_##event, WR_SOURCE_##to, WR_ACT_##action \
    }

/* clang-format off */
static const struct cell cells[] = {
    CELL(STOPPED,    START,   CONNECTING, CONNECT),
    CELL(STOPPED,    STOP,    STOPPED,    NONE),
    CELL(CONNECTING, COPY,    SNAPSHOT,   READ_ROWS),
    CELL(CONNECTING, RESUMED, STREAMING,  READ_CHANGES),
    CELL(CONNECTING, LOST,    BACKOFF,    WAIT),
    CELL(CONNECTING, REFUSED, FAILED,     LET_GO),
    CELL(CONNECTING, STOP,    STOPPED,    LET_GO),
    CELL(SNAPSHOT,   COPIED,  STREAMING,  READ_CHANGES),
    CELL(SNAPSHOT,   REWIND,  CONNECTING, CONNECT),
    CELL(SNAPSHOT,   LOST,    BACKOFF,    WAIT),
    CELL(SNAPSHOT,   REFUSED, FAILED,     LET_GO),
    CELL(SNAPSHOT,   STOP,    STOPPED,    LET_GO),
    CELL(STREAMING,  REWIND,  CONNECTING, CONNECT),
    CELL(STREAMING,  LOST,    BACKOFF,    WAIT),
    CELL(STREAMING,  REFUSED, FAILED,     LET_GO),
    CELL(STREAMING,  STOP,    STOPPED,    FINISH),
    CELL(BACKOFF,    TIMER,   CONNECTING, CONNECT),
    CELL(BACKOFF,    STOP,    STOPPED,    LET_GO),
    CELL(FAILED,     STOP,    FAILED,     NONE),
};
/* clang-format on */

static const struct cell *cell_of(enum wr_source_state from, enum wr_source_event event)
{
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
        if (cells[i].from == from && cells[i].event == event) {
            return &cells[i];
        }
    }
    return NULL;
}

static void check_cell(enum wr_source_state from, enum wr_source_event event)
{
    const struct cell *c = cell_of(from, event);
    assert_int_equal(wr_source_can(from, event), c == NULL ? 0 : 1);
    if (c == NULL) {
        return;
    }
    enum wr_source_state now = from;
    assert_int_equal(wr_source_step(&now, event), c->action);
    assert_int_equal(now, c->to);
}

static void every_cell_is_as_the_picture_has_it(void **state)
{
    (void)state;
    for (int from = 0; from < WR_SOURCE_STATES; from++) {
        for (int event = 0; event < WR_EV_EVENTS; event++) {
            check_cell((enum wr_source_state)from, (enum wr_source_event)event);
        }
    }
}

static void each_state_has_a_name(void **state)
{
    (void)state;
    for (int s = 0; s < WR_SOURCE_STATES; s++) {
        assert_true(strlen(wr_source_state_name((enum wr_source_state)s)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_is_as_the_picture_has_it),
        cmocka_unit_test(each_state_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
