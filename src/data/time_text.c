#include "data/time_text.h"

#include "data/json_out.h"

enum {
    DAYS_OF_400_YEARS = 146097
};

#define US_OF_DAY INT64_C(86400000000)
#define MS_OF_DAY INT64_C(86400000)

struct date {
    int64_t year;
    int month; /* 1 .. 12 */
    int day;   /* 1 .. 31 */
};

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The date of a day since 1970. Years run from March here, so that the odd day of a leap year is their
 * last, and 400 years are one round. */
static struct date date_of_day(int64_t day)
{
    int64_t since = day + 719468; /* from 0000-03-01 */
    int64_t round = floor_div(since, DAYS_OF_400_YEARS);
    int64_t in_round = since - round * DAYS_OF_400_YEARS;
    int64_t year = (in_round - in_round / 1460 + in_round / 36524 - in_round / 146096) / 365;
    int64_t in_year = in_round - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * in_year + 2) / 153; /* 0 is March */
    struct date date = {
        .year = round * 400 + year + (month >= 10),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .day = (int)(in_year - (153 * month + 2) / 5) + 1,
    };
    return date;
}

/* `width` digits of `v`, zeros in front. */
static char *put_number(char *p, int64_t v, int width)
{
    for (int i = width; i > 0; i--) {
        p[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    return p + width;
}

static char *put_year(char *p, int64_t year)
{
    if (year < 0) {
        *p++ = '-';
        year = -year;
    } else if (year > 9999) {
        *p++ = '+';
    }
    if (year > 9999) {
        return (char *)wr_text_i64((uint8_t *)p, year);
    }
    return put_number(p, year, 4);
}

static char *put_date(char *p, int64_t day)
{
    struct date date = date_of_day(day);
    p = put_year(p, date.year);
    *p++ = '-';
    p = put_number(p, date.month, 2);
    *p++ = '-';
    return put_number(p, date.day, 2);
}

static char *put_time(char *p, int64_t seconds)
{
    p = put_number(p, seconds / 3600, 2);
    *p++ = ':';
    p = put_number(p, seconds / 60 % 60, 2);
    *p++ = ':';
    return put_number(p, seconds % 60, 2);
}

/* The first `digits` of six, with the point; nothing for 0. */
static char *put_fraction(char *p, int64_t us, int digits)
{
    if (digits <= 0) {
        return p;
    }
    *p++ = '.';
    (void)put_number(p, us, 6);
    return p + digits;
}

size_t wr_text_zoned_timestamp(int64_t us, int digits, char *out)
{
    int64_t day = floor_div(us, US_OF_DAY);
    int64_t rest = us - day * US_OF_DAY;
    char *p = put_date(out, day);
    *p++ = 'T';
    p = put_time(p, rest / 1000000);
    p = put_fraction(p, rest % 1000000, digits);
    *p++ = 'Z';
    return (size_t)(p - out);
}

size_t wr_text_zoned_time(int64_t us, char *out)
{
    int64_t fraction = us % 1000000;
    int digits = 6;
    for (int64_t left = fraction; digits > 0 && left % 10 == 0; left /= 10) {
        digits--;
    }
    char *p = put_time(out, us / 1000000);
    p = put_fraction(p, fraction, digits);
    *p++ = 'Z';
    return (size_t)(p - out);
}

size_t wr_text_connect_time(int64_t ms, char *out)
{
    int64_t day = floor_div(ms, MS_OF_DAY);
    int64_t rest = ms - day * MS_OF_DAY;
    char *p = out;
    if (ms >= MS_OF_DAY) {
        struct date date = date_of_day(day);
        p = date.year > 9999 ? (char *)wr_text_i64((uint8_t *)p, date.year)
                             : put_number(p, date.year, 4);
        *p++ = '-';
        p = put_number(p, date.month, 2);
        *p++ = '-';
        p = put_number(p, date.day, 2);
        if (rest == 0) {
            return (size_t)(p - out);
        }
        *p++ = 'T';
    }
    p = put_time(p, rest / 1000);
    p = put_fraction(p, rest % 1000 * 1000, 3);
    *p++ = 'Z';
    return (size_t)(p - out);
}
