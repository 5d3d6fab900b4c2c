/* iso_time.h - points in time as text: ISO 8601, proleptic Gregorian calendar, milliseconds since 1970. */
#ifndef WR_ISO_TIME_H
#define WR_ISO_TIME_H

#include "base/base.h"

enum {
    WR_ISO_TIME_LEN = 24 /* "2024-03-15T10:30:00.000Z" */
};

/* What four digits can say: years 0000 to 9999. */
#define WR_ISO_TIME_MIN INT64_C(-62167219200000)
#define WR_ISO_TIME_MAX INT64_C(253402300799999)

/* Write `ms` as "2024-03-15T10:30:00.000Z" and a NUL. What lies outside MIN .. MAX becomes the nearest of
 * them. */
void wr_iso_time_format(int64_t ms, char out[WR_ISO_TIME_LEN + 1]);

/* Read "2024-03-15", "2024-03-15T10:30[:00[.123456]]" (a blank does for the T) with "Z", "+01:00", "+0100",
 * "+01" or nothing behind it; nothing means UTC. Digits below a millisecond are dropped. False, with `ms`
 * untouched, for anything else: impossible dates, other forms, text around it. Second 60 is the next
 * minute's first. */
bool wr_iso_time_parse(struct wr_str text, int64_t *ms);

#endif
