/* Points in time as text. Expected values come from date(1) of coreutils and from ISO 8601's own rules;
 * every day of ten thousand years is counted through by the calendar's rule of thumb. */
#include "base/iso_time.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct pair {
    const char *text;
    int64_t ms;
};

/* date -u -d TEXT +%s%3N */
static const struct pair pairs[] = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2024-03-15T10:30:00.000Z", 1710498600000},
    {"2000-02-29T12:00:00.500Z", 951825600500},
    {"2100-03-01T00:00:00.000Z", 4107542400000},
    {"1900-03-01T00:00:00.000Z", -2203891200000},
    {"0000-01-01T00:00:00.000Z", WR_ISO_TIME_MIN},
    {"9999-12-31T23:59:59.999Z", WR_ISO_TIME_MAX},
};

static void writes_and_reads_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        char text[WR_ISO_TIME_LEN + 1];
        int64_t ms = 0;
        wr_iso_time_format(pairs[i].ms, text);
        assert_string_equal(text, pairs[i].text);
        assert_true(wr_iso_time_parse(wr_str_of(pairs[i].text), &ms));
        assert_true(ms == pairs[i].ms);
    }
}

static void what_four_digits_cannot_say_is_the_nearest_that_they_can(void **state)
{
    (void)state;
    char text[WR_ISO_TIME_LEN + 1];
    wr_iso_time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    wr_iso_time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void reads_the_usual_forms(void **state)
{
    (void)state;
    static const struct pair forms[] = {
        {"2024-03-15", 1710460800000},
        {"2024-03-15T10:30", 1710498600000},
        {"2024-03-15 10:30:00", 1710498600000},
        {"2024-03-15t10:30:00z", 1710498600000},
        {"2024-03-15T10:30:00.5", 1710498600500},
        {"2024-03-15T10:30:00.123456789Z", 1710498600123},
        {"2024-03-15T10:30:00,25Z", 1710498600250},
        {"2024-03-15T11:30:00+01:00", 1710498600000},
        {"2024-03-15T11:30:00+0100", 1710498600000},
        {"2024-03-15T11:30:00+01", 1710498600000},
        {"2024-03-15T05:00:00-05:30", 1710498600000},
        {"2016-12-31T23:59:60Z", 1483228800000}, /* a leap second */
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        int64_t ms = 0;
        assert_true(wr_iso_time_parse(wr_str_of(forms[i].text), &ms));
        assert_true(ms == forms[i].ms);
    }
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "2024",
                                      "2024-03",
                                      "2024-02-30",
                                      "2023-02-29",
                                      "2024-13-01",
                                      "2024-00-01",
                                      "2024-01-00",
                                      "2024-3-15",
                                      "24-03-15T10:30",
                                      "2024-03-15T",
                                      "2024-03-15T10",
                                      "2024-03-15T24:00",
                                      "2024-03-15T10:60",
                                      "2024-03-15T10:30:61",
                                      "2024-03-15T10:30:00.",
                                      "2024-03-15T10:30:00Zx",
                                      "2024-03-15T10:30:00+",
                                      "2024-03-15T10:30:00+1",
                                      "2024-03-15T10:30:00+01:",
                                      " 2024-03-15",
                                      "2024-03-15 ",
                                      "+2024-03-15",
                                      "1710498600000",
                                      "now"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms = 7;
        assert_false(wr_iso_time_parse(wr_str_of(bad[i]), &ms));
        assert_true(ms == 7);
    }
    assert_false(wr_iso_time_parse((struct wr_str){NULL, 0}, &(int64_t){0}));
}

static void every_day_follows_on_the_one_before(void **state)
{
    (void)state;
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t ms = WR_ISO_TIME_MIN;
    char text[WR_ISO_TIME_LEN + 1];
    for (int month = 0; month < 12 * 10000; month++) {
        int year = month / 12;
        bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        wr_iso_time_format(ms, text);
        int64_t back = 0;
        assert_true(wr_iso_time_parse(wr_str_of(text), &back));
        assert_true(back == ms);
        assert_memory_equal(text + 8, "01T", 3);
        ms += (lengths[month % 12] + (month % 12 == 1 && is_leap ? 1 : 0)) * INT64_C(86400000);
    }
    assert_true(ms == WR_ISO_TIME_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_the_same),
        cmocka_unit_test(what_four_digits_cannot_say_is_the_nearest_that_they_can),
        cmocka_unit_test(reads_the_usual_forms),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(every_day_follows_on_the_one_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
