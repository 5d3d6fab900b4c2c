/*
 * A key goes to the partition that Java's default partitioner gives it. The hashes are those that Kafka's
 * own UtilsTest.testMurmur2 expects; the partition is (hash & 0x7fffffff) % count, as toPositive says.
 */
#include "log/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *key;
    int32_t hash;
} cases[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
    {"abc", 479470107},
};

static void agrees_with_kafkas_own_test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wr_bytes key = wr_bytes_of_str(wr_str_of(cases[i].key));
        uint32_t positive = (uint32_t)cases[i].hash & 0x7fffffffU;
        /* 2^31 partitions show the whole hash */
        assert_int_equal(wr_partition_of_key(key, 0x80000000U), positive);
        for (uint32_t count = 1; count < 40; count++) {
            assert_int_equal(wr_partition_of_key(key, count), positive % count);
        }
    }
}

static void reads_no_byte_beyond_the_key(void **state)
{
    (void)state;
    for (size_t len = 0; len < 20; len++) {
        uint8_t *exact = malloc(len + (len == 0 ? 1 : 0)); /* ASan sees one too far */
        assert_non_null(exact);
        memset(exact, 0x80, len); /* bytes above 127: Java's are signed */
        assert_true(wr_partition_of_key((struct wr_bytes){exact, len}, 7) < 7);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_kafkas_own_test_values),
        cmocka_unit_test(reads_no_byte_beyond_the_key),
    };
    return cmocka_run_group_tests_name("partitioner", tests, NULL, NULL);
}
