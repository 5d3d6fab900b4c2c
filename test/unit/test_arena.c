/* An arena gives zeroed, aligned memory up to its maximum, and all of it back at once. */
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void take_and_fill(struct wr_arena *arena, size_t len)
{
    uint8_t *p = wr_arena_array(arena, len, 1);
    assert_non_null(p);
    assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(p[i], 0);
    }
    memset(p, 0xff, len); /* so that one that overlaps is not zeroed */
}

static void gives_zeroed_memory_aligned_for_any_type(void **state)
{
    (void)state;
    struct wr_arena arena = wr_arena_of(1 << 20);
    for (size_t i = 0; i < 400; i++) {
        take_and_fill(&arena, 1 + i % 200);
        if (i == 200) {
            wr_arena_reset(&arena);
        }
    }
    wr_arena_fini(&arena);
}

static void holds_more_than_a_block_and_things_larger_than_one(void **state)
{
    (void)state;
    struct wr_arena arena = wr_arena_of(10 << 20);
    uint8_t *first = wr_arena_array(&arena, 100, 1);
    uint8_t *large = wr_arena_array(&arena, 1 << 20, 1);
    uint8_t *last = wr_arena_array(&arena, 40000, 1);
    assert_non_null(first);
    assert_non_null(large);
    assert_non_null(last);
    memset(first, 1, 100);
    memset(large, 2, 1 << 20);
    memset(last, 3, 40000);
    assert_int_equal(first[99], 1);
    assert_int_equal(large[(1 << 20) - 1], 2);
    wr_arena_fini(&arena);
}

static void is_over_at_its_maximum_and_fresh_after_a_reset(void **state)
{
    (void)state;
    struct wr_arena arena = wr_arena_of(1024);
    assert_non_null(wr_arena_array(&arena, 1000, 1));
    assert_null(wr_arena_array(&arena, 100, 1));
    assert_non_null(wr_arena_array(&arena, 16, 1));
    wr_arena_reset(&arena);
    assert_non_null(wr_arena_array(&arena, 1024, 1));
    assert_null(wr_arena_array(&arena, 1, 1));
    wr_arena_fini(&arena);
}

static void a_size_that_overflows_is_refused(void **state)
{
    (void)state;
    struct wr_arena arena = wr_arena_of(SIZE_MAX);
    assert_null(wr_arena_array(&arena, SIZE_MAX / 2, 3));
    assert_null(wr_arena_array(&arena, SIZE_MAX, 1));
    assert_null(wr_arena_str(&arena, (struct wr_str){"x", SIZE_MAX}));
    wr_arena_fini(&arena);
}

static void out_of_memory_is_null_and_harms_nothing(void **state)
{
    (void)state;
    struct wr_arena arena = wr_arena_of(1 << 20);
    char *kept = wr_arena_str(&arena, WR_STR("kept"));
    wr_test_fail_alloc_at = 1;
    assert_null(wr_arena_array(&arena, 100000, 1));
    wr_test_fail_alloc_at = 0;
    assert_non_null(wr_arena_array(&arena, 100000, 1));
    assert_string_equal(kept, "kept");
    wr_arena_fini(&arena);
    wr_arena_fini(&arena); /* a zeroed one too */
}

static void copies_text_with_a_nul(void **state)
{
    (void)state;
    struct wr_arena arena = wr_arena_of(100);
    assert_string_equal(wr_arena_str(&arena, (struct wr_str){"abcdef", 3}), "abc");
    assert_string_equal(wr_arena_str(&arena, (struct wr_str){NULL, 0}), "");
    wr_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_zeroed_memory_aligned_for_any_type),
        cmocka_unit_test(holds_more_than_a_block_and_things_larger_than_one),
        cmocka_unit_test(is_over_at_its_maximum_and_fresh_after_a_reset),
        cmocka_unit_test(a_size_that_overflows_is_refused),
        cmocka_unit_test(out_of_memory_is_null_and_harms_nothing),
        cmocka_unit_test(copies_text_with_a_nul),
    };
    return cmocka_run_group_tests_name("arena", tests, NULL, NULL);
}
