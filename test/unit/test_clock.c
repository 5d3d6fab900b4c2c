/* The machine's clocks have the units they say; a manual one moves only when told. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

static void the_wall_clock_is_since_1970_in_microseconds(void **state)
{
    (void)state;
    int64_t before = (int64_t)time(NULL);
    int64_t us = wr_wall_us(wr_clock_os());
    int64_t ms = wr_wall_ms(wr_clock_os());
    int64_t after = (int64_t)time(NULL);
    /* time() reads a coarser clock, up to a tick behind */
    assert_in_range(us / 1000000, before - 1, after + 1);
    assert_in_range(ms / 1000, before - 1, after + 1);
}

static void the_monotonic_clock_never_goes_back(void **state)
{
    (void)state;
    int64_t last = wr_mono_us(wr_clock_os());
    for (int i = 0; i < 1000; i++) {
        int64_t now = wr_mono_us(wr_clock_os());
        assert_true(now >= last);
        last = now;
    }
    assert_true(wr_mono_ms(wr_clock_os()) >= last / 1000);
}

static void a_manual_clock_stands_until_it_is_told(void **state)
{
    (void)state;
    struct wr_manual_clock manual = wr_manual_clock_of(1700000000123456);
    assert_int_equal(wr_wall_us(&manual.clock), 1700000000123456);
    assert_int_equal(wr_wall_ms(&manual.clock), 1700000000123);
    assert_int_equal(wr_mono_us(&manual.clock), 0);
    wr_manual_clock_advance(&manual, 2500);
    assert_int_equal(wr_wall_us(&manual.clock), 1700000000125956);
    assert_int_equal(wr_mono_us(&manual.clock), 2500);
    assert_int_equal(wr_mono_ms(&manual.clock), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wall_clock_is_since_1970_in_microseconds),
        cmocka_unit_test(the_monotonic_clock_never_goes_back),
        cmocka_unit_test(a_manual_clock_stands_until_it_is_told),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
