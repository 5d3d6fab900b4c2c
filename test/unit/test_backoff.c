/* Waits that grow, keep within their bounds, and begin anew after success. */
#include "source/backoff.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void waits_double_up_to_their_cap_with_jitter_in_the_upper_half(void **state)
{
    (void)state;
    static const int64_t full[] = {100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct wr_rng rng = wr_rng_of(seed);
        struct wr_backoff b = {0};
        for (size_t i = 0; i < sizeof(full) / sizeof(full[0]); i++) {
            int64_t wait = wr_backoff_next(&b, &rng);
            assert_true(wait >= full[i] / 2);
            assert_true(wait <= full[i]);
            assert_int_equal(b.attempts, i + 1);
        }
    }
}

static void does_not_overflow_after_very_many_attempts(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(1);
    struct wr_backoff b = {.attempts = UINT64_MAX - 1};
    assert_in_range(wr_backoff_next(&b, &rng), WR_BACKOFF_MAX_MS / 2, WR_BACKOFF_MAX_MS);
}

static void begins_anew_after_success(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(1);
    struct wr_backoff b = {.attempts = 9};
    wr_backoff_reset(&b);
    assert_in_range(wr_backoff_next(&b, &rng), WR_BACKOFF_FIRST_MS / 2, WR_BACKOFF_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_their_cap_with_jitter_in_the_upper_half),
        cmocka_unit_test(does_not_overflow_after_very_many_attempts),
        cmocka_unit_test(begins_anew_after_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
