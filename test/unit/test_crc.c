/*
 * CRC-32C. The expected values are those of RFC 3720 (iSCSI), appendix B.4, and the check value of the
 * CRC catalogue for "123456789".
 */
#include "data/crc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void gives_the_values_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t bytes[32] = {0};
    struct wr_bytes in = {bytes, sizeof(bytes)};
    assert_int_equal(wr_crc32c(in), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(wr_crc32c(in), 0x62a8ab43);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(wr_crc32c(in), 0x46dd794e);
    assert_int_equal(wr_crc32c(wr_bytes_of_str(WR_STR("123456789"))), 0xe3069283);
    assert_int_equal(wr_crc32c((struct wr_bytes){NULL, 0}), 0);
}

static void pieces_give_the_crc_of_the_whole(void **state)
{
    (void)state;
    struct wr_str all = WR_STR("123456789");
    for (size_t cut = 0; cut <= all.len; cut++) {
        uint32_t crc = wr_crc32c(wr_bytes_of_str((struct wr_str){all.ptr, cut}));
        struct wr_str rest = {all.ptr + cut, all.len - cut};
        assert_int_equal(wr_crc32c_extend(crc, wr_bytes_of_str(rest)), 0xe3069283);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_values_of_rfc_3720),
        cmocka_unit_test(pieces_give_the_crc_of_the_whole),
    };
    return cmocka_run_group_tests_name("crc", tests, NULL, NULL);
}
