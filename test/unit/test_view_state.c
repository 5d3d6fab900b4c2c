/* The table of a view's states. Each cell is walked: what is possible, and that every way ends. */
#include "view/view_state.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool is_end(enum wr_view_state state)
{
    return state == WR_VIEW_STOPPED || state == WR_VIEW_FAILED;
}

static void every_state_can_be_stopped_and_ends_for_good(void **state)
{
    (void)state;
    for (int s = 0; s < WR_VIEW_STATES; s++) {
        enum wr_view_state at = (enum wr_view_state)s;
        for (int steps = 0; steps < 3 && !is_end(at); steps++) {
            (void)wr_view_next(&at, WR_VIEW_EV_STOP);
        }
        assert_true(is_end(at));
        assert_int_equal(wr_view_next(&at, WR_VIEW_EV_STOP), WR_VIEW_END);
    }
}

static void every_state_that_acts_can_fail(void **state)
{
    (void)state;
    for (int s = 0; s < WR_VIEW_STATES; s++) {
        enum wr_view_state at = (enum wr_view_state)s;
        if (!is_end(at)) {
            assert_int_equal(wr_view_next(&at, WR_VIEW_EV_FAIL), WR_VIEW_END);
            assert_int_equal(at, WR_VIEW_FAILED);
        }
    }
}

/* What may come of an action. */
static bool is_outcome(enum wr_view_action action, enum wr_view_event event)
{
    switch (action) {
    case WR_VIEW_OPEN: return event == WR_VIEW_EV_OPENED || event == WR_VIEW_EV_LATER;
    case WR_VIEW_RESTORE: return event == WR_VIEW_EV_RESTORED || event == WR_VIEW_EV_LATER;
    case WR_VIEW_WAIT:
    case WR_VIEW_POLL:
        return event == WR_VIEW_EV_RECORDS || event == WR_VIEW_EV_NOTHING ||
               event == WR_VIEW_EV_ASSIGNED || event == WR_VIEW_EV_REVOKED ||
               event == WR_VIEW_EV_LOST || event == WR_VIEW_EV_LATER ||
               (action == WR_VIEW_POLL && event == WR_VIEW_EV_BAD);
    case WR_VIEW_BEGIN: return event == WR_VIEW_EV_BEGUN || event == WR_VIEW_EV_LATER;
    case WR_VIEW_APPLY:
        return event == WR_VIEW_EV_APPLIED || event == WR_VIEW_EV_FULL || event == WR_VIEW_EV_BAD ||
               event == WR_VIEW_EV_LATER;
    case WR_VIEW_COMMIT:
        return event == WR_VIEW_EV_COMMITTED || event == WR_VIEW_EV_REST ||
               event == WR_VIEW_EV_LATER;
    case WR_VIEW_PAUSE: return event == WR_VIEW_EV_TIMER;
    case WR_VIEW_END:
    default: return false;
    }
}

enum {
    ACTIONS = WR_VIEW_END + 1
};

/* From a state and what it is to do: note where every outcome leads. True when somewhere new. */
static bool follow(bool seen[WR_VIEW_STATES][ACTIONS], int from, int action)
{
    bool has_new = false;
    for (int event = 0; event < WR_VIEW_EVENTS; event++) {
        if (!is_outcome((enum wr_view_action)action, (enum wr_view_event)event)) {
            continue;
        }
        enum wr_view_state next = (enum wr_view_state)from;
        enum wr_view_action then = wr_view_next(&next, (enum wr_view_event)event); /* asserts */
        has_new = has_new || !seen[next][then];
        seen[next][then] = true;
    }
    return has_new;
}

/* Every outcome of every action that a state can ask for is possible in that state, from the start on. */
static void no_outcome_of_an_action_is_forgotten(void **state)
{
    (void)state;
    bool seen[WR_VIEW_STATES][ACTIONS] = {{false}};
    seen[WR_VIEW_STARTING][WR_VIEW_OPEN] = true;
    for (int cell = 0; cell < WR_VIEW_STATES * ACTIONS; cell++) {
        int from = cell / ACTIONS;
        int action = cell % ACTIONS;
        if (seen[from][action] && follow(seen, from, action)) {
            cell = -1; /* from the beginning, until nothing new is found */
        }
    }
    assert_true(seen[WR_VIEW_READING][WR_VIEW_WAIT]);
    assert_true(seen[WR_VIEW_FILLING][WR_VIEW_COMMIT]);
    assert_true(seen[WR_VIEW_PAUSED][WR_VIEW_BEGIN]);
    assert_true(seen[WR_VIEW_FAILED][WR_VIEW_END]);
}

static bool leads_to_commit(int from, int event)
{
    enum wr_view_state next = (enum wr_view_state)from;
    return wr_view_can(next, (enum wr_view_event)event) &&
           wr_view_next(&next, (enum wr_view_event)event) == WR_VIEW_COMMIT;
}

static void a_transaction_is_committed_only_where_one_may_be_open(void **state)
{
    (void)state;
    for (int from = 0; from < WR_VIEW_STATES; from++) {
        for (int event = 0; event < WR_VIEW_EVENTS; event++) {
            assert_true(!leads_to_commit(from, event) || from == WR_VIEW_FILLING);
        }
    }
}

static void what_was_lost_or_cannot_be_done_is_never_committed(void **state)
{
    (void)state;
    enum wr_view_state at = WR_VIEW_FILLING;
    assert_int_equal(wr_view_next(&at, WR_VIEW_EV_LOST), WR_VIEW_RESTORE);
    at = WR_VIEW_FILLING;
    assert_int_equal(wr_view_next(&at, WR_VIEW_EV_LATER), WR_VIEW_PAUSE);
    at = WR_VIEW_FILLING;
    assert_int_equal(wr_view_next(&at, WR_VIEW_EV_REVOKED), WR_VIEW_COMMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_can_be_stopped_and_ends_for_good),
        cmocka_unit_test(every_state_that_acts_can_fail),
        cmocka_unit_test(no_outcome_of_an_action_is_forgotten),
        cmocka_unit_test(a_transaction_is_committed_only_where_one_may_be_open),
        cmocka_unit_test(what_was_lost_or_cannot_be_done_is_never_committed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
