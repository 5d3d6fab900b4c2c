/* Points in time as text. Expected: java.time's ISO formatters, and Debezium's own records. */
#include "data/time_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void assert_text(const char *got, size_t len, const char *want)
{
    assert_int_equal(len, strlen(want));
    assert_memory_equal(got, want, len);
}

static void writes_timestamps_of_all_years(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        int digits;
        const char *text;
    } cases[] = {
        {0, 6, "1970-01-01T00:00:00.000000Z"},
        {1, 6, "1970-01-01T00:00:00.000001Z"},
        {-1, 6, "1969-12-31T23:59:59.999999Z"},
        {-1, 3, "1969-12-31T23:59:59.999Z"},
        {-1, 0, "1969-12-31T23:59:59Z"},
        {1478267490123456, 6, "2016-11-04T13:51:30.123456Z"},
        {1478267490100000, 1, "2016-11-04T13:51:30.1Z"},
        {951782400000000, 0, "2000-02-29T00:00:00Z"},
        {4107542399999999, 6, "2100-02-28T23:59:59.999999Z"},
        {-62135596800000000, 6, "0001-01-01T00:00:00.000000Z"},
        {-62167219200000000, 6, "0000-01-01T00:00:00.000000Z"},
        {-62167219200000001, 6, "-0001-12-31T23:59:59.999999Z"},
        {-210866803200000000, 6, "-4713-11-24T00:00:00.000000Z"},
        {253402300799999999, 6, "9999-12-31T23:59:59.999999Z"},
        {253402300800000000, 6, "+10000-01-01T00:00:00.000000Z"},
        {9223371244799999999, 6, "+294246-12-31T23:59:59.999999Z"},
        {INT64_MAX - 1, 6, "+294247-01-10T04:00:54.775806Z"},
        {INT64_MIN + 1, 6, "-290308-12-21T19:59:05.224193Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[WR_TIME_TEXT_MAX];
        assert_text(text, wr_text_zoned_timestamp(cases[i].us, cases[i].digits, text),
                    cases[i].text);
    }
}

static void writes_times_with_the_digits_they_need(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "00:00:00Z"},        {35490123789, "09:51:30.123789Z"}, {62490100000, "17:21:30.1Z"},
        {1, "00:00:00.000001Z"}, {86399999999, "23:59:59.999999Z"}, {86400000000, "24:00:00Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[WR_TIME_TEXT_MAX];
        assert_text(text, wr_text_zoned_time(cases[i].us, text), cases[i].text);
    }
}

static void writes_connects_times_as_its_headers_show_them(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "00:00:00.000Z"},
        {-100, "23:59:59.900Z"},
        {86399999, "23:59:59.999Z"},
        {86400000, "1970-01-02"},
        {1582934400000, "2020-02-29"},
        {1577934245678, "2020-01-02T03:04:05.678Z"},
        {9223372036825200, "294247-01-10T04:00:25.200Z"},
        {-63517824000000, "00:00:00.000Z"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[WR_TIME_TEXT_MAX];
        assert_text(text, wr_text_connect_time(cases[i].ms, text), cases[i].text);
    }
}

/* Day by day over two rounds of 400 years: each date follows the one before. */
static void every_day_follows_the_one_before(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1600;
    int month = 1;
    int day = 1;
    for (int64_t i = -135140; i < 157054; i++) { /* 1600-01-01 .. 2399-12-31 */
        char text[WR_TIME_TEXT_MAX];
        size_t n = wr_text_zoned_timestamp(i * INT64_C(86400000000), 0, text);
        const char digits[] = {(char)('0' + year / 1000),
                               (char)('0' + year / 100 % 10),
                               (char)('0' + year / 10 % 10),
                               (char)('0' + year % 10),
                               '-',
                               (char)('0' + month / 10),
                               (char)('0' + month % 10),
                               '-',
                               (char)('0' + day / 10),
                               (char)('0' + day % 10)};
        assert_int_equal(n, 20);
        assert_memory_equal(text, digits, sizeof(digits));
        bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        int length = lengths[month - 1] + (month == 2 && is_leap ? 1 : 0);
        day = day == length ? 1 : day + 1;
        month = day > 1 ? month : month % 12 + 1;
        year += day == 1 && month == 1 ? 1 : 0;
    }
    assert_int_equal(year, 2400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_timestamps_of_all_years),
        cmocka_unit_test(writes_times_with_the_digits_they_need),
        cmocka_unit_test(writes_connects_times_as_its_headers_show_them),
        cmocka_unit_test(every_day_follows_the_one_before),
    };
    return cmocka_run_group_tests_name("time_text", tests, NULL, NULL);
}
