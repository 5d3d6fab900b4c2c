#include "base/iso_time.h"

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01. A year is taken to begin in March, so that the leap day is its last; 400 such years
 * have 146097 days. `year` is 0 or more. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    const int64_t before_1970 = 719468; /* from 0000-03-01 on */
    int64_t march_year = month <= 2 ? year - 1 : year;
    int64_t march_month = (month + 9) % 12;
    int64_t era = (march_year + 400) / 400 - 1;
    int64_t of_era = march_year - era * 400;
    int64_t day_of_year = (153 * march_month + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - before_1970;
}

/* The other way; `days` not before the year 0000. */
static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t z = days + 719468 + 146097; /* one era up, so that all is positive */
    int64_t era = z / 146097;
    int64_t of_era = z % 146097;
    int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
    int64_t march_month = (5 * of_year + 2) / 153;
    *day = of_year - (153 * march_month + 2) / 5 + 1;
    *month = march_month < 10 ? march_month + 3 : march_month - 9;
    *year = years + (era - 1) * 400 + (*month <= 2 ? 1 : 0);
}

static char *put_digits(char *out, int64_t number, size_t count)
{
    for (size_t i = count; i > 0; i--) {
        out[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    return out + count;
}

void wr_iso_time_format(int64_t ms, char out[WR_ISO_TIME_LEN + 1])
{
    ms = ms < WR_ISO_TIME_MIN ? WR_ISO_TIME_MIN : ms;
    ms = ms > WR_ISO_TIME_MAX ? WR_ISO_TIME_MAX : ms;
    int64_t days = (ms - WR_ISO_TIME_MIN) / DAY_MS + WR_ISO_TIME_MIN / DAY_MS;
    int64_t of_day = ms - days * DAY_MS;
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    date_of(days, &year, &month, &day);
    char *p = put_digits(out, year, 4);
    *p++ = '-';
    p = put_digits(p, month, 2);
    *p++ = '-';
    p = put_digits(p, day, 2);
    *p++ = 'T';
    p = put_digits(p, of_day / 3600000, 2);
    *p++ = ':';
    p = put_digits(p, of_day / 60000 % 60, 2);
    *p++ = ':';
    p = put_digits(p, of_day / 1000 % 60, 2);
    *p++ = '.';
    p = put_digits(p, of_day % 1000, 3);
    *p++ = 'Z';
    *p = 0;
}

/* ---- reading ---- */

struct cursor {
    const char *p;
    const char *end;
    bool is_good;
};

static int64_t take_digits(struct cursor *c, size_t count, int64_t min, int64_t max)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        c->is_good = c->is_good && c->p < c->end && *c->p >= '0' && *c->p <= '9';
        number = c->is_good ? number * 10 + (*c->p++ - '0') : 0;
    }
    c->is_good = c->is_good && number >= min && number <= max;
    return number;
}

static bool take_one(struct cursor *c, char a, char b)
{
    bool is_there = c->is_good && c->p < c->end && (*c->p == a || *c->p == b);
    c->p += is_there ? 1 : 0;
    return is_there;
}

static void need_one(struct cursor *c, char a, char b)
{
    c->is_good = take_one(c, a, b);
}

/* Digits behind a point, as milliseconds. */
static int64_t take_fraction(struct cursor *c)
{
    int64_t ms = take_digits(c, 1, 0, 9) * 100;
    for (int64_t unit = 10; c->p < c->end && *c->p >= '0' && *c->p <= '9'; unit /= 10) {
        ms += (*c->p++ - '0') * unit;
    }
    return ms;
}

static int64_t take_clock(struct cursor *c)
{
    int64_t ms = take_digits(c, 2, 0, 23) * 3600000;
    need_one(c, ':', ':');
    ms += take_digits(c, 2, 0, 59) * 60000;
    if (take_one(c, ':', ':')) {
        ms += take_digits(c, 2, 0, 60) * 1000;
        if (take_one(c, '.', ',')) {
            ms += take_fraction(c);
        }
    }
    return ms;
}

/* Milliseconds east of UTC. */
static int64_t take_zone(struct cursor *c)
{
    if (c->p == c->end || take_one(c, 'Z', 'z')) {
        return 0;
    }
    bool is_west = take_one(c, '-', '-');
    if (!is_west) {
        need_one(c, '+', '+');
    }
    int64_t ms = take_digits(c, 2, 0, 23) * 3600000;
    if (take_one(c, ':', ':') || c->p < c->end) {
        ms += take_digits(c, 2, 0, 59) * 60000;
    }
    return is_west ? -ms : ms;
}

static int64_t days_in(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap ? 1 : 0);
}

bool wr_iso_time_parse(struct wr_str text, int64_t *ms)
{
    if (text.len < 10) {
        return false;
    }
    struct cursor c = {text.ptr, text.ptr + text.len, true};
    int64_t year = take_digits(&c, 4, 0, 9999);
    need_one(&c, '-', '-');
    int64_t month = take_digits(&c, 2, 1, 12);
    need_one(&c, '-', '-');
    int64_t day = take_digits(&c, 2, 1, 31);
    if (!c.is_good || day > days_in(year, month)) {
        return false;
    }
    int64_t result = days_of(year, month, day) * DAY_MS;
    if (c.p < c.end) {
        if (!take_one(&c, 'T', 't')) {
            need_one(&c, ' ', ' ');
        }
        result += take_clock(&c);
        result -= take_zone(&c);
    }
    if (!c.is_good || c.p != c.end) {
        return false;
    }
    *ms = result;
    return true;
}
