/*
 * The random numbers are the published sequences, so that a seed means the same for ever: xoshiro256**
 * from state 1, 2, 3, 4 as its authors' C code gives them (and rand_xoshiro's tests repeat), splitmix64
 * from 1234567 (Rosetta Code).
 */
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void gives_the_published_sequence(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        11520,
        0,
        1509978240,
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
        UINT64_C(10595114339597558777),
        UINT64_C(2904607092377533576),
    };
    struct wr_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(wr_rng_next(&rng) == expected[i]);
    }
}

static void a_seed_is_spread_by_splitmix64(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(1234567);
    assert_true(rng.s[0] == UINT64_C(6457827717110365317));
    assert_true(rng.s[1] == UINT64_C(3203168211198807973));
    assert_true(rng.s[2] == UINT64_C(9817491932198370423));
    assert_true(rng.s[3] == UINT64_C(4593380528125082431));
}

static void below_stays_below_and_reaches_all(void **state)
{
    (void)state;
    struct wr_rng rng = wr_rng_of(5);
    size_t seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t v = wr_rng_below(&rng, 7);
        assert_true(v < 7);
        seen[v]++;
    }
    for (size_t i = 0; i < 7; i++) {
        assert_in_range(seen[i], 850, 1150);
    }
    assert_int_equal(wr_rng_below(&rng, 1), 0);
    for (int i = 0; i < 100; i++) {
        assert_true(wr_rng_below(&rng, UINT64_MAX) < UINT64_MAX);
    }
}

static void fills_bytes_of_any_length_and_no_more(void **state)
{
    (void)state;
    for (size_t len = 0; len < 20; len++) {
        struct wr_rng rng = wr_rng_of(9);
        uint8_t bytes[21];
        memset(bytes, 0xee, sizeof(bytes));
        wr_rng_bytes(&rng, bytes, len);
        for (size_t i = len; i < sizeof(bytes); i++) {
            assert_int_equal(bytes[i], 0xee);
        }
    }
}

static void the_kernel_seeds_each_differently(void **state)
{
    (void)state;
    struct wr_rng a = wr_rng_os();
    struct wr_rng b = wr_rng_os();
    assert_true(wr_rng_next(&a) != wr_rng_next(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_sequence),
        cmocka_unit_test(a_seed_is_spread_by_splitmix64),
        cmocka_unit_test(below_stays_below_and_reaches_all),
        cmocka_unit_test(fills_bytes_of_any_length_and_no_more),
        cmocka_unit_test(the_kernel_seeds_each_differently),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
