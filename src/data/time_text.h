/*
 * time_text.h - points in time as ISO 8601 text, in the forms that Debezium and Connect write.
 *
 * Days are proleptic Gregorian. Years are astronomical, as in Java's ISO formatters: 0000 is 1 BC, -0043
 * is 44 BC; beyond four digits a sign stands in front: +21016.
 */
#ifndef WR_TIME_TEXT_H
#define WR_TIME_TEXT_H

#include "base/base.h"

enum {
    WR_TIME_TEXT_MAX = 48 /* bytes that any of these may write; no NUL follows */
};

/* "2016-11-04T13:51:30.123456Z": microseconds since 1970 UTC with `digits` (0 .. 6) of the fraction, no
 * point when 0. Returns the length. */
size_t wr_text_zoned_timestamp(int64_t us, int digits, char *out);

/* "11:51:30.1237Z": microseconds of a day, 0 .. 86400000000, with the digits of the fraction that are
 * needed. */
size_t wr_text_zoned_time(int64_t us, char *out);

/* A Connect Date, Time or Timestamp in a header, as SimpleHeaderConverter shows it: milliseconds before
 * 1970-01-02 as a time "23:59:59.900Z", whole days as "2020-02-29", all else as
 * "2020-01-02T03:04:05.678Z". */
size_t wr_text_connect_time(int64_t ms, char *out);

#endif
