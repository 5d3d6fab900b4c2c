#include "source/postgres/types.h"

enum {
    FLOAT_TEXT_MAX = 64, /* "-2.2250738585072014e-308" has 24 */
    FRACTION_DIGITS = 6,
    HOURS_DAY = 24
};

#define SECOND_US INT64_C(1000000)
#define DAY_US    (INT64_C(86400) * SECOND_US)

/* ---- numbers -------------------------------------------------------------------------------------- */

static const char *read_int(struct wr_bytes text, int64_t min, int64_t max, struct wr_value *out)
{
    size_t i = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;
    bool is_negative = i == 1;
    int64_t v = 0;
    if (i == text.len) {
        return "not a whole number";
    }
    for (; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9) {
            return "not a whole number";
        }
        /* Counted downwards, where the smallest number has its room. */
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, digit, &v)) {
            return "a number that is too large";
        }
    }
    if (!is_negative && __builtin_sub_overflow(0, v, &v)) {
        return "a number that is too large";
    }
    if (v < min || v > max) {
        return "a number that is too large";
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.i = v};
    return NULL;
}

static const char *read_int2(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    return read_int(text, INT16_MIN, INT16_MAX, out);
}

static const char *read_int4(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    return read_int(text, INT32_MIN, INT32_MAX, out);
}

static const char *read_int8(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    return read_int(text, INT64_MIN, INT64_MAX, out);
}

/* A NUL-terminated copy; false when there is no number in so long a text. */
static bool float_text(struct wr_bytes text, char *out)
{
    if (text.len == 0 || text.len >= FLOAT_TEXT_MAX) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = 0;
    return true;
}

static const char *read_float8(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    char copy[FLOAT_TEXT_MAX];
    char *end = copy;
    double v = float_text(text, copy) ? strtod(copy, &end) : 0;
    if (end == copy || *end != 0) {
        return "not a number";
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.f = v};
    return NULL;
}

/* Rounded once, from text to float: by way of double it could be rounded twice. */
static const char *read_float4(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    char copy[FLOAT_TEXT_MAX];
    char *end = copy;
    float v = float_text(text, copy) ? strtof(copy, &end) : 0;
    if (end == copy || *end != 0) {
        return "not a number";
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.f = (double)v};
    return NULL;
}

static const char *read_bool(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    /* "t" as a value, "true" as a column's default */
    bool is_true = wr_str_eq(wr_str_of_bytes(text), WR_STR("t")) ||
                   wr_str_eq(wr_str_of_bytes(text), WR_STR("true"));
    if (!is_true && !wr_str_eq(wr_str_of_bytes(text), WR_STR("f")) &&
        !wr_str_eq(wr_str_of_bytes(text), WR_STR("false"))) {
        return "neither t nor f";
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.b = is_true};
    return NULL;
}

/* ---- text and bytes ------------------------------------------------------------------------------- */

/* Types whose text is the value: text, numeric, json, uuid, enum labels … */
static const char *read_text(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.bytes = text};
    return NULL;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *read_bytea(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    if (text.len < 2 || text.len % 2 != 0 || text.ptr[0] != '\\' || text.ptr[1] != 'x') {
        return "bytes that are not in hex";
    }
    size_t len = text.len / 2 - 1;
    uint8_t *bytes = wr_arena_array(arena, len + 1, 1);
    if (bytes == NULL) {
        return "bytes that do not fit in memory";
    }
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text.ptr[2 + 2 * i]);
        int low = hex_digit(text.ptr[3 + 2 * i]);
        if (high < 0 || low < 0) {
            return "bytes that are not in hex";
        }
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.bytes = {bytes, len}};
    return NULL;
}

/* ---- dates and times ------------------------------------------------------------------------------ */

/* A cursor over a date's text. Spoiled by what does not fit; asked once at the end. */
struct scan {
    const uint8_t *at;
    const uint8_t *end;
    bool is_bad;
};

static bool scan_takes(struct scan *s, char c)
{
    if (s->at < s->end && *s->at == (uint8_t)c) {
        s->at++;
        return true;
    }
    return false;
}

static void scan_needs(struct scan *s, char c)
{
    s->is_bad = !scan_takes(s, c) || s->is_bad;
}

/* min_digits … max_digits digits; *count: how many there were. */
static int64_t scan_digits(struct scan *s, size_t min_digits, size_t max_digits, size_t *count)
{
    int64_t v = 0;
    size_t n = 0;
    while (n < max_digits && s->at < s->end && *s->at >= '0' && *s->at <= '9') {
        v = v * 10 + (*s->at++ - '0');
        n++;
    }
    s->is_bad = s->is_bad || n < min_digits;
    *count = n;
    return v;
}

static int64_t scan_number(struct scan *s, size_t min_digits, size_t max_digits)
{
    size_t count = 0;
    return scan_digits(s, min_digits, max_digits, &count);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from a March, so that
 * the leap day is a year's last; 400 years have 146097 days. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t month_from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct date_text {
    int64_t year;
    int64_t month;
    int64_t day;
};

static struct date_text scan_date(struct scan *s)
{
    struct date_text d;
    d.year = scan_number(s, 4, 7); /* 4714 BC … 5874897 */
    scan_needs(s, '-');
    d.month = scan_number(s, 2, 2);
    scan_needs(s, '-');
    d.day = scan_number(s, 2, 2);
    s->is_bad = s->is_bad || d.month < 1 || d.month > 12 || d.day < 1 || d.day > 31;
    return d;
}

/* HH:MM:SS[.ffffff] in microseconds. */
static int64_t scan_time(struct scan *s)
{
    int64_t hours = scan_number(s, 2, 2);
    scan_needs(s, ':');
    int64_t minutes = scan_number(s, 2, 2);
    scan_needs(s, ':');
    int64_t seconds = scan_number(s, 2, 2);
    int64_t fraction = 0;
    if (scan_takes(s, '.')) {
        size_t count = 0;
        fraction = scan_digits(s, 1, FRACTION_DIGITS, &count);
        for (; count < FRACTION_DIGITS; count++) {
            fraction *= 10;
        }
    }
    s->is_bad = s->is_bad || hours > HOURS_DAY || minutes > 59 || seconds > 60;
    return ((hours * 60 + minutes) * 60 + seconds) * SECOND_US + fraction;
}

/* +HH[:MM[:SS]] in microseconds, east positive. */
static int64_t scan_zone(struct scan *s)
{
    bool is_west = scan_takes(s, '-');
    if (!is_west) {
        scan_needs(s, '+');
    }
    int64_t seconds = scan_number(s, 2, 2) * 3600;
    if (scan_takes(s, ':')) {
        seconds += scan_number(s, 2, 2) * 60;
        seconds += scan_takes(s, ':') ? scan_number(s, 2, 2) : 0;
    }
    return (is_west ? -seconds : seconds) * SECOND_US;
}

/* An optional " BC" and the end of the text. Returns the day's number: 1 BC is year 0. */
static int64_t scan_era(struct scan *s, struct date_text d)
{
    if (scan_takes(s, ' ')) {
        scan_needs(s, 'B');
        scan_needs(s, 'C');
        d.year = 1 - d.year;
    }
    s->is_bad = s->is_bad || s->at != s->end;
    return days_of(d.year, d.month, d.day);
}

/* infinity and -infinity. */
static bool is_infinite(struct wr_bytes text, int64_t *out)
{
    if (wr_str_eq(wr_str_of_bytes(text), WR_STR("infinity"))) {
        *out = WR_TIME_INFINITY;
        return true;
    }
    if (wr_str_eq(wr_str_of_bytes(text), WR_STR("-infinity"))) {
        *out = WR_TIME_MINUS_INFINITY;
        return true;
    }
    return false;
}

static struct scan scan_of(struct wr_bytes text)
{
    return (struct scan){.at = text.ptr, .end = text.ptr + text.len};
}

static const char *scanned(const struct scan *s, int64_t v, struct wr_value *out)
{
    if (s->is_bad) {
        return "not a date or time as PostgreSQL writes it";
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.i = v};
    return NULL;
}

static const char *read_date(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    struct scan s = scan_of(text);
    int64_t v = 0;
    if (!is_infinite(text, &v)) {
        struct date_text d = scan_date(&s);
        v = scan_era(&s, d);
    }
    return scanned(&s, v, out);
}

static const char *read_timestamp_in(struct wr_bytes text, bool has_zone, struct wr_value *out)
{
    struct scan s = scan_of(text);
    int64_t v = 0;
    if (!is_infinite(text, &v)) {
        struct date_text d = scan_date(&s);
        scan_needs(&s, ' ');
        int64_t time_us = scan_time(&s);
        time_us -= has_zone ? scan_zone(&s) : 0;
        int64_t days = scan_era(&s, d);
        /* The server's last timestamp is in the year 294276, so this fits; bytes are not to be trusted. */
        if (__builtin_mul_overflow(days, DAY_US, &v) || __builtin_add_overflow(v, time_us, &v)) {
            return "a timestamp that is too far away";
        }
    }
    return scanned(&s, v, out);
}

static const char *read_timestamp(struct wr_bytes text, struct wr_arena *arena,
                                  struct wr_value *out)
{
    WR_UNUSED(arena);
    return read_timestamp_in(text, false, out);
}

static const char *read_timestamptz(struct wr_bytes text, struct wr_arena *arena,
                                    struct wr_value *out)
{
    WR_UNUSED(arena);
    return read_timestamp_in(text, true, out);
}

static const char *read_time(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    struct scan s = scan_of(text);
    int64_t v = scan_time(&s);
    s.is_bad = s.is_bad || s.at != s.end || v > DAY_US;
    return scanned(&s, v, out);
}

static const char *read_timetz(struct wr_bytes text, struct wr_arena *arena, struct wr_value *out)
{
    WR_UNUSED(arena);
    struct scan s = scan_of(text);
    int64_t v = scan_time(&s);
    v = (v - scan_zone(&s)) % DAY_US;
    s.is_bad = s.is_bad || s.at != s.end;
    return scanned(&s, v < 0 ? v + DAY_US : v, out);
}

/* ---- the table ------------------------------------------------------------------------------------ */

#define EPOCH    "1970-01-01"
#define MIDNIGHT "00:00:00"
#define NO_UUID  "00000000-0000-0000-0000-000000000000"

/* Oids of built-in types are fixed (pg_type.dat). */
/* clang-format off */
static const struct wr_pg_type types[] = {
    /* oid  type                  name           modifier            kind item   generated               read */
    {   16, WR_TYPE_BOOL,         "bool",        WR_PG_MOD_NONE,     'b', true,  "f",                     read_bool},
    {   17, WR_TYPE_BYTES,        "bytea",       WR_PG_MOD_NONE,     'b', true,  NULL,                    read_bytea},
    {   18, WR_TYPE_TEXT,         "char",        WR_PG_MOD_NONE,     'b', false, "",                      read_text},
    {   19, WR_TYPE_TEXT,         "name",        WR_PG_MOD_NONE,     'b', false, "",                      read_text},
    {   20, WR_TYPE_INT64,        "int8",        WR_PG_MOD_NONE,     'b', true,  "0",                     read_int8},
    {   21, WR_TYPE_INT16,        "int2",        WR_PG_MOD_NONE,     'b', true,  "0",                     read_int2},
    {   23, WR_TYPE_INT32,        "int4",        WR_PG_MOD_NONE,     'b', true,  "0",                     read_int4},
    {   25, WR_TYPE_TEXT,         "text",        WR_PG_MOD_NONE,     'b', true,  "",                      read_text},
    {   26, WR_TYPE_INT64,        "oid",         WR_PG_MOD_NONE,     'b', true,  "0",                     read_int8},
    {  114, WR_TYPE_JSON,         "json",        WR_PG_MOD_NONE,     'b', true,  "{}",                    read_text},
    {  142, WR_TYPE_XML,          "xml",         WR_PG_MOD_NONE,     'b', false, "",                      read_text},
    {  650, WR_TYPE_TEXT,         "cidr",        WR_PG_MOD_NONE,     'b', true,  NULL,                    read_text},
    {  700, WR_TYPE_FLOAT32,      "float4",      WR_PG_MOD_NONE,     'b', true,  "0",                     read_float4},
    {  701, WR_TYPE_FLOAT64,      "float8",      WR_PG_MOD_NONE,     'b', true,  "0",                     read_float8},
    {  774, WR_TYPE_TEXT,         "macaddr8",    WR_PG_MOD_NONE,     'b', true,  NULL,                    read_text},
    {  829, WR_TYPE_TEXT,         "macaddr",     WR_PG_MOD_NONE,     'b', true,  NULL,                    read_text},
    {  869, WR_TYPE_TEXT,         "inet",        WR_PG_MOD_NONE,     'b', true,  NULL,                    read_text},
    { 1042, WR_TYPE_TEXT,         "bpchar",      WR_PG_MOD_LENGTH,   'b', true,  "",                      read_text},
    { 1043, WR_TYPE_TEXT,         "varchar",     WR_PG_MOD_LENGTH,   'b', true,  "",                      read_text},
    { 1082, WR_TYPE_DATE,         "date",        WR_PG_MOD_NONE,     'b', true,  EPOCH,                   read_date},
    { 1083, WR_TYPE_TIME,         "time",        WR_PG_MOD_FRACTION, 'b', true,  MIDNIGHT,                read_time},
    { 1114, WR_TYPE_TIMESTAMP,    "timestamp",   WR_PG_MOD_FRACTION, 'b', true,  EPOCH " " MIDNIGHT,      read_timestamp},
    { 1184, WR_TYPE_TIMESTAMPTZ,  "timestamptz", WR_PG_MOD_FRACTION, 'b', true,  EPOCH " " MIDNIGHT "+00", read_timestamptz},
    { 1266, WR_TYPE_TIMETZ,       "timetz",      WR_PG_MOD_FRACTION, 'b', true,  NULL,                    read_timetz},
    { 1700, WR_TYPE_DECIMAL,      "numeric",     WR_PG_MOD_NUMERIC,  'b', true,  "0",                     read_text},
    { 2950, WR_TYPE_UUID,         "uuid",        WR_PG_MOD_NONE,     'b', true,  NO_UUID,                 read_text},
    { 3802, WR_TYPE_JSON,         "jsonb",       WR_PG_MOD_NONE,     'b', true,  "{}",                    read_text},
    { 3904, WR_TYPE_TEXT,         "int4range",   WR_PG_MOD_NONE,     'r', true,  NULL,                    read_text},
    { 3906, WR_TYPE_TEXT,         "numrange",    WR_PG_MOD_NONE,     'r', true,  NULL,                    read_text},
    { 3908, WR_TYPE_TEXT,         "tsrange",     WR_PG_MOD_NONE,     'r', true,  NULL,                    read_text},
    { 3910, WR_TYPE_TEXT,         "tstzrange",   WR_PG_MOD_NONE,     'r', true,  NULL,                    read_text},
    { 3912, WR_TYPE_TEXT,         "daterange",   WR_PG_MOD_NONE,     'r', true,  NULL,                    read_text},
    { 3926, WR_TYPE_TEXT,         "int8range",   WR_PG_MOD_NONE,     'r', true,  NULL,                    read_text},
    {    0, WR_TYPE_TEXT,         "citext",      WR_PG_MOD_NONE,     'b', true,  "",                      read_text},
    {    0, WR_TYPE_ENUM,         NULL,          WR_PG_MOD_NONE,     'e', true,  "",                      read_text},
};
/* clang-format on */

enum {
    TYPES = sizeof(types) / sizeof(types[0])
};

const struct wr_pg_type *wr_pg_type_find(uint32_t oid, struct wr_str name, char kind)
{
    for (size_t i = 0; i < TYPES; i++) {
        bool is_named = types[i].oid == 0 && types[i].kind == kind &&
                        (types[i].name == NULL || wr_str_eq(name, wr_str_of(types[i].name)));
        if (types[i].oid == oid ? oid != 0 : is_named) {
            return &types[i];
        }
    }
    return NULL;
}

/* numeric_typmod of PostgreSQL: precision in the high half, scale in 11 bits, signed since version 15. */
static void read_numeric_modifier(int32_t packed, struct wr_column *column)
{
    column->precision = packed >> 16;
    column->scale = ((packed & 0x7ff) ^ 1024) - 1024;
}

void wr_pg_modifier_read(const struct wr_pg_type *type, int32_t typmod, struct wr_column *column)
{
    enum {
        HEADER = 4 /* VARHDRSZ, which some modifiers include */
    };
    column->precision = -1;
    column->scale = -1;
    column->length = -1;
    switch (type->modifier) {
    case WR_PG_MOD_NONE: break;
    case WR_PG_MOD_LENGTH: column->length = typmod >= HEADER ? typmod - HEADER : -1; break;
    case WR_PG_MOD_FRACTION: column->precision = typmod >= 0 ? typmod : -1; break;
    case WR_PG_MOD_NUMERIC:
        if (typmod >= HEADER) {
            read_numeric_modifier(typmod - HEADER, column);
        }
        break;
    }
}

/* ---- arrays --------------------------------------------------------------------------------------- */

struct array_scan {
    struct scan s;
    uint8_t *
        room; /* where the next item's text goes, unquoted; all together are shorter than the array's */
};

static const char not_an_array[] = "an array that is not as PostgreSQL writes it";

/* Text up to a comma or brace, unquoted; *is_null for a bare NULL. */
static const char *scan_item(struct array_scan *a, struct wr_bytes *out, bool *is_null)
{
    struct scan *s = &a->s;
    bool is_quoted = scan_takes(s, '"');
    size_t len = 0;
    while (s->at < s->end && *s->at != '"' && (is_quoted || (*s->at != ',' && *s->at != '}'))) {
        if (*s->at == '{' && !is_quoted) {
            return "an array of more than one dimension";
        }
        (void)scan_takes(s, '\\');
        if (s->at < s->end) {
            a->room[len++] = *s->at++;
        }
    }
    if (is_quoted) {
        scan_needs(s, '"');
    }
    *out = (struct wr_bytes){a->room, len};
    *is_null = !is_quoted && wr_str_eq(wr_str_of_bytes(*out), WR_STR("NULL"));
    a->room += len;
    return s->is_bad ? not_an_array : NULL;
}

/* How many items there are at most: one more than commas. */
static size_t items_at_most(struct wr_bytes text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == ',' ? 1 : 0;
    }
    return count;
}

static const char *read_items(const struct wr_pg_type *type, struct array_scan *a,
                              struct wr_arena *arena, struct wr_value *items, size_t *count)
{
    bool has_more = !scan_takes(&a->s, '}');
    while (has_more) {
        struct wr_bytes text;
        bool is_null = false;
        const char *why = scan_item(a, &text, &is_null);
        if (why == NULL && !is_null) { /* zeroed memory is NULL */
            why = type->read(text, arena, &items[*count]);
        }
        if (why != NULL) {
            return why;
        }
        (*count)++;
        has_more = scan_takes(&a->s, ',');
        if (!has_more) {
            scan_needs(&a->s, '}');
        }
    }
    return a->s.is_bad || a->s.at != a->s.end ? not_an_array : NULL;
}

/* {1,NULL,"a \"b\""}, with "[2:4]=" in front when it does not begin at 1 (array_out). */
static const char *read_array(const struct wr_pg_type *type, struct wr_bytes text,
                              struct wr_arena *arena, struct wr_value *out)
{
    struct array_scan a = {.s = scan_of(text), .room = wr_arena_array(arena, text.len + 1, 1)};
    size_t items_max = items_at_most(text);
    struct wr_value *items = wr_arena_array(arena, items_max, sizeof(*items));
    if (a.room == NULL || items == NULL) {
        return "an array that does not fit in memory";
    }
    if (text.len > 0 && text.ptr[0] == '[') {
        const uint8_t *equals = memchr(text.ptr, '=', text.len);
        a.s.at = equals == NULL ? a.s.end : equals + 1;
    }
    scan_needs(&a.s, '{');
    size_t count = 0;
    const char *why = a.s.is_bad ? not_an_array : read_items(type, &a, arena, items, &count);
    if (why != NULL) {
        return why;
    }
    *out = (struct wr_value){.state = WR_VALUE_SET, .u.array = {items, count}};
    return NULL;
}

const char *wr_pg_value_read(const struct wr_pg_type *type, bool is_array, struct wr_bytes text,
                             struct wr_arena *arena, struct wr_value *out)
{
    return is_array ? read_array(type, text, arena, out) : type->read(text, arena, out);
}
