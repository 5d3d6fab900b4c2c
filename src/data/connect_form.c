#include "data/connect_form.h"

#include "data/decimal_text.h"
#include "data/json_out.h"
#include "data/time_text.h"

const char wr_connect_no_memory[] = "out of memory";

/* ---- values as they are ------------------------------------------------------------------------------ */

static const char *as_bool(const struct wr_connect_column *column, const struct wr_value *value,
                           struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    *out = (struct wr_datum){.is_set = true, .u.b = value->u.b};
    return NULL;
}

static const char *as_integer(const struct wr_connect_column *column, const struct wr_value *value,
                              struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    *out = (struct wr_datum){.is_set = true, .u.i = value->u.i};
    return NULL;
}

static const char *as_double(const struct wr_connect_column *column, const struct wr_value *value,
                             struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    *out = (struct wr_datum){.is_set = true, .u.f = value->u.f};
    return NULL;
}

static const char *as_bytes(const struct wr_connect_column *column, const struct wr_value *value,
                            struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    *out = (struct wr_datum){.is_set = true, .u.bytes = value->u.bytes};
    return NULL;
}

static void set_bytes(struct wr_datum *out, const void *ptr, size_t len)
{
    *out = (struct wr_datum){.is_set = true, .u.bytes = {ptr, len}};
}

/* ---- bytes as text ----------------------------------------------------------------------------------- */

static const char *as_hex(const struct wr_connect_column *column, const struct wr_value *value,
                          struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    uint8_t *text = wr_arena_array(arena, value->u.bytes.len, 2);
    if (text == NULL) {
        return wr_connect_no_memory;
    }
    set_bytes(out, text, (size_t)(wr_text_hex(text, value->u.bytes) - text));
    return NULL;
}

static const char *put_base64(const struct wr_value *value, bool is_url_safe,
                              struct wr_arena *arena, struct wr_datum *out)
{
    uint8_t *text = wr_arena_array(arena, value->u.bytes.len / 3 + 1, 4);
    if (text == NULL) {
        return wr_connect_no_memory;
    }
    uint8_t *end = wr_text_base64(text, value->u.bytes, is_url_safe);
    set_bytes(out, text, (size_t)(end - text));
    return NULL;
}

static const char *as_base64(const struct wr_connect_column *column, const struct wr_value *value,
                             struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    return put_base64(value, false, arena, out);
}

static const char *as_base64_url(const struct wr_connect_column *column,
                                 const struct wr_value *value, struct wr_arena *arena,
                                 struct wr_datum *out)
{
    WR_UNUSED(column);
    return put_base64(value, true, arena, out);
}

/* ---- decimals ---------------------------------------------------------------------------------------- */

/* NaN and the infinities, which PostgreSQL's numeric has and Java's BigDecimal has not. */
struct special {
    struct wr_str text;
    struct wr_str shown; /* decimal.handling.mode=string (cdc.md C1) */
    double number;       /* decimal.handling.mode=double */
    const char *why_not; /* decimal.handling.mode=precise */
};

static const struct special specials[] = {
    {WR_STR_INIT("NaN"), WR_STR_INIT("NAN"), __builtin_nan(""), "NaN in a precise decimal"},
    {WR_STR_INIT("Infinity"), WR_STR_INIT("POSITIVE_INFINITY"), __builtin_inf(),
     "Infinity in a precise decimal"},
    {WR_STR_INIT("-Infinity"), WR_STR_INIT("NEGATIVE_INFINITY"), -__builtin_inf(),
     "-Infinity in a precise decimal"},
};

/* Take a decimal apart. False: `special` is one of the three, or NULL for what is no decimal at all. */
static bool read_decimal(struct wr_str text, struct wr_decimal *out, const struct special **special)
{
    *special = NULL;
    if (wr_decimal_parse(text, out)) {
        return true;
    }
    for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
        if (wr_str_eq(text, specials[i].text)) {
            *special = &specials[i];
        }
    }
    return false;
}

static const char not_decimal[] = "not a decimal";

static const char *why_not_unscaled(int rc)
{
    if (rc == WEIR_E_NOMEM) {
        return wr_connect_no_memory;
    }
    return rc == 0 ? NULL : "more digits after the point than its scale";
}

static const char *as_decimal(const struct wr_connect_column *column, const struct wr_value *value,
                              struct wr_arena *arena, struct wr_datum *out)
{
    struct wr_decimal d;
    const struct special *special;
    if (!read_decimal(wr_str_of_bytes(value->u.bytes), &d, &special)) {
        return special == NULL ? not_decimal : special->why_not;
    }
    struct wr_bytes unscaled;
    int rc = wr_decimal_unscaled(&d, column->column->scale, arena, &unscaled);
    if (rc == 0) {
        *out = (struct wr_datum){.is_set = true, .u.bytes = unscaled};
    }
    return why_not_unscaled(rc);
}

static const char *as_variable_decimal(const struct wr_connect_column *column,
                                       const struct wr_value *value, struct wr_arena *arena,
                                       struct wr_datum *out)
{
    WR_UNUSED(column);
    struct wr_decimal d;
    const struct special *special;
    if (!read_decimal(wr_str_of_bytes(value->u.bytes), &d, &special)) {
        return special == NULL ? not_decimal : special->why_not;
    }
    struct wr_datum *pair = wr_arena_array(arena, 2, sizeof(*pair));
    if (pair == NULL) {
        return wr_connect_no_memory;
    }
    size_t scale = wr_decimal_short_scale(&d);
    if (scale > INT32_MAX) {
        return "more digits than a scale can say";
    }
    pair[0] = (struct wr_datum){.is_set = true, .u.i = (int64_t)scale};
    pair[1].is_set = true;
    int rc = wr_decimal_unscaled(&d, (int32_t)scale, arena, &pair[1].u.bytes);
    if (rc == 0) {
        *out = (struct wr_datum){.is_set = true, .u.list = {pair, 2}};
    }
    return why_not_unscaled(rc);
}

static const char *as_decimal_text(const struct wr_connect_column *column,
                                   const struct wr_value *value, struct wr_arena *arena,
                                   struct wr_datum *out)
{
    struct wr_decimal d;
    const struct special *special;
    if (read_decimal(wr_str_of_bytes(value->u.bytes), &d, &special)) {
        return as_bytes(column, value, arena, out);
    }
    if (special == NULL) {
        return not_decimal;
    }
    set_bytes(out, special->shown.ptr, special->shown.len);
    return NULL;
}

static const char *as_decimal_double(const struct wr_connect_column *column,
                                     const struct wr_value *value, struct wr_arena *arena,
                                     struct wr_datum *out)
{
    WR_UNUSED(column);
    struct wr_str text = wr_str_of_bytes(value->u.bytes);
    struct wr_decimal d;
    const struct special *special;
    if (read_decimal(text, &d, &special)) {
        double number;
        if (!wr_decimal_double(&d, text, arena, &number)) {
            return wr_connect_no_memory;
        }
        *out = (struct wr_datum){.is_set = true, .u.f = number};
        return NULL;
    }
    if (special == NULL) {
        return not_decimal;
    }
    *out = (struct wr_datum){.is_set = true, .u.f = special->number};
    return NULL;
}

/* ---- times ------------------------------------------------------------------------------------------- */

/* What Debezium's overflows make of infinite dates and timestamps (cdc.md C1): its pgjdbc driver stands
 * +-infinity for the milliseconds 9223372036825200000 / 1000 and so on. Seen in test/wire/debezium. */
#define DATE_INFINITY            INT64_C(-2147472692)
#define DATE_MINUS_INFINITY      INT64_C(-2147472691)
#define TIMESTAMP_INFINITY       INT64_C(9223372036825200000)
#define TIMESTAMP_MINUS_INFINITY INT64_C(-9223372036832400000)

static const char *as_date(const struct wr_connect_column *column, const struct wr_value *value,
                           struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    int64_t day = value->u.i;
    if (day == WR_TIME_INFINITY || day == WR_TIME_MINUS_INFINITY) {
        day = day == WR_TIME_INFINITY ? DATE_INFINITY : DATE_MINUS_INFINITY;
    }
    if (day < INT32_MIN || day > INT32_MAX) {
        return "a day beyond 32 bits";
    }
    *out = (struct wr_datum){.is_set = true, .u.i = day};
    return NULL;
}

static int64_t timestamp_us(int64_t us)
{
    if (us == WR_TIME_INFINITY) {
        return TIMESTAMP_INFINITY;
    }
    return us == WR_TIME_MINUS_INFINITY ? TIMESTAMP_MINUS_INFINITY : us;
}

static const char *as_timestamp_us(const struct wr_connect_column *column,
                                   const struct wr_value *value, struct wr_arena *arena,
                                   struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    *out = (struct wr_datum){.is_set = true, .u.i = timestamp_us(value->u.i)};
    return NULL;
}

/* Microseconds to milliseconds, down to the next one. Times of a day too. */
static const char *as_ms(const struct wr_connect_column *column, const struct wr_value *value,
                         struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(column);
    WR_UNUSED(arena);
    int64_t us = timestamp_us(value->u.i);
    *out = (struct wr_datum){.is_set = true, .u.i = us / 1000 - (us % 1000 < 0)};
    return NULL;
}

static const char *as_zoned_timestamp(const struct wr_connect_column *column,
                                      const struct wr_value *value, struct wr_arena *arena,
                                      struct wr_datum *out)
{
    int64_t us = value->u.i;
    if (us == WR_TIME_INFINITY || us == WR_TIME_MINUS_INFINITY) {
        struct wr_str text = us == WR_TIME_INFINITY ? WR_STR("infinity") : WR_STR("-infinity");
        set_bytes(out, text.ptr, text.len);
        return NULL;
    }
    char *text = wr_arena_array(arena, WR_TIME_TEXT_MAX, 1);
    if (text == NULL) {
        return wr_connect_no_memory;
    }
    int digits = column->column->precision < 0 ? 6 : column->column->precision;
    if (digits > 6) {
        return "a fraction of more than six digits";
    }
    set_bytes(out, text, wr_text_zoned_timestamp(us, digits, text));
    return NULL;
}

static const char *as_zoned_time(const struct wr_connect_column *column,
                                 const struct wr_value *value, struct wr_arena *arena,
                                 struct wr_datum *out)
{
    WR_UNUSED(column);
    char *text = wr_arena_array(arena, WR_TIME_TEXT_MAX, 1);
    if (text == NULL) {
        return wr_connect_no_memory;
    }
    if (value->u.i < 0 || value->u.i > INT64_C(86400000000)) {
        return "a time of day beyond 24:00";
    }
    set_bytes(out, text, wr_text_zoned_time(value->u.i, text));
    return NULL;
}

/* ---- arrays ------------------------------------------------------------------------------------------ */

static const char *put_item(const struct wr_connect_column *column, const struct wr_value *item,
                            struct wr_arena *arena, struct wr_datum *out)
{
    if (item->state == WR_VALUE_SET) {
        return column->item->convert(column, item, arena, out);
    }
    return column->schema->item->is_optional ? NULL : "NULL in an array of an enum";
}

static const char *as_array(const struct wr_connect_column *column, const struct wr_value *value,
                            struct wr_arena *arena, struct wr_datum *out)
{
    size_t count = value->u.array.count;
    struct wr_datum *items = wr_arena_array(arena, count, sizeof(*items));
    if (items == NULL) {
        return wr_connect_no_memory;
    }
    for (size_t i = 0; i < count; i++) {
        const char *why_not = put_item(column, &value->u.array.items[i], arena, &items[i]);
        if (why_not != NULL) {
            return why_not;
        }
    }
    *out = (struct wr_datum){.is_set = true, .u.list = {items, count}};
    return NULL;
}

/* ---- what stands for values that were not sent ------------------------------------------------------- */

static const char *placeholder(const struct wr_connect_column *column, const struct wr_value *value,
                               struct wr_arena *arena, struct wr_datum *out)
{
    WR_UNUSED(value);
    WR_UNUSED(arena);
    *out = (struct wr_datum){.is_set = true, .u.bytes = column->modes->placeholder};
    return NULL;
}

static const char *placeholder_list(const struct wr_connect_column *column,
                                    const struct wr_value *value, struct wr_arena *arena,
                                    struct wr_datum *out)
{
    struct wr_datum *item = wr_arena_array(arena, 1, sizeof(*item));
    if (item == NULL) {
        return wr_connect_no_memory;
    }
    *out = (struct wr_datum){.is_set = true, .u.list = {item, 1}};
    return placeholder(column, value, arena, item);
}

/* Each byte of the placeholder as a number. */
static const char *placeholder_codes(const struct wr_connect_column *column,
                                     const struct wr_value *value, struct wr_arena *arena,
                                     struct wr_datum *out)
{
    WR_UNUSED(value);
    struct wr_bytes text = column->modes->placeholder;
    struct wr_datum *items = wr_arena_array(arena, text.len, sizeof(*items));
    if (items == NULL) {
        return wr_connect_no_memory;
    }
    for (size_t i = 0; i < text.len; i++) {
        items[i] = (struct wr_datum){.is_set = true, .u.i = text.ptr[i]};
    }
    *out = (struct wr_datum){.is_set = true, .u.list = {items, text.len}};
    return NULL;
}

static const char *unsent_array(const struct wr_connect_column *column,
                                const struct wr_value *value, struct wr_arena *arena,
                                struct wr_datum *out)
{
    if (column->item->unsent_item == NULL) {
        return "a value that was not sent, in an array that has nothing to stand for it";
    }
    return column->item->unsent_item(column, value, arena, out);
}

/* ---- the rows ---------------------------------------------------------------------------------------- */

#define NAMED(text) .name = WR_STR_INIT(text)

static const uint8_t zero_byte[] = {0};
static const struct wr_datum zero_decimal = {.is_set = true, .u.bytes = {zero_byte, 1}};
static const struct wr_datum zero_pair[] = {{.is_set = true},
                                            {.is_set = true, .u.bytes = {zero_byte, 1}}};
static const struct wr_datum zero_variable = {.is_set = true, .u.list = {zero_pair, 2}};

static const struct wr_connect_form boolean = {
    .type = WR_SCHEMA_BOOLEAN, .shows_default = true, .convert = as_bool};
static const struct wr_connect_form int16 = {
    .type = WR_SCHEMA_INT16, .shows_default = true, .convert = as_integer};
static const struct wr_connect_form int32 = {.type = WR_SCHEMA_INT32,
                                             .shows_default = true,
                                             .convert = as_integer,
                                             .unsent_item = placeholder_codes};
static const struct wr_connect_form int64 = {.type = WR_SCHEMA_INT64,
                                             .shows_default = true,
                                             .convert = as_integer,
                                             .unsent_item = placeholder_codes};
static const struct wr_connect_form float32 = {
    .type = WR_SCHEMA_FLOAT32, .shows_default = true, .convert = as_double};
static const struct wr_connect_form float64 = {
    .type = WR_SCHEMA_FLOAT64, .shows_default = true, .convert = as_double};
static const struct wr_connect_form string = {.type = WR_SCHEMA_STRING,
                                              .shows_default = true,
                                              .convert = as_bytes,
                                              .unsent = placeholder,
                                              .unsent_item = placeholder_list};
static const struct wr_connect_form json = {.type = WR_SCHEMA_STRING,
                                            NAMED("io.debezium.data.Json"),
                                            .shows_default = true,
                                            .convert = as_bytes,
                                            .unsent = placeholder,
                                            .unsent_item = placeholder_list};
static const struct wr_connect_form xml = {.type = WR_SCHEMA_STRING,
                                           NAMED("io.debezium.data.Xml"),
                                           .shows_default = true,
                                           .convert = as_bytes,
                                           .unsent = placeholder};
static const struct wr_connect_form uuid = {.type = WR_SCHEMA_STRING,
                                            NAMED("io.debezium.data.Uuid"),
                                            .shows_default = true,
                                            .convert = as_bytes,
                                            .unsent = placeholder};
static const struct wr_connect_form enumerated = {.type = WR_SCHEMA_STRING,
                                                  NAMED("io.debezium.data.Enum"),
                                                  .shows_default = true,
                                                  .convert = as_bytes,
                                                  .unsent = placeholder};

static const struct wr_connect_form decimal = {
    .type = WR_SCHEMA_BYTES,
    .logical = WR_LOGICAL_DECIMAL,
    NAMED("org.apache.kafka.connect.data.Decimal"),
    .shows_default = true,
    .convert = as_decimal,
    .zero = &zero_decimal,
};
static const struct wr_connect_form variable_decimal = {
    .type = WR_SCHEMA_STRUCT,
    NAMED("io.debezium.data.VariableScaleDecimal"),
    .doc = WR_STR_INIT("Variable scaled decimal"),
    .convert = as_variable_decimal,
    .zero = &zero_variable,
};
static const struct wr_connect_form decimal_double = {
    .type = WR_SCHEMA_FLOAT64, .shows_default = true, .convert = as_decimal_double};
static const struct wr_connect_form decimal_text = {.type = WR_SCHEMA_STRING,
                                                    .shows_default = true,
                                                    .convert = as_decimal_text,
                                                    .unsent = placeholder,
                                                    .fallback = WR_STR_INIT("0"),
                                                    .is_fallback_scaled = true};

static const struct wr_connect_form bytes[] = {
    [WR_BINARY_BYTES] = {.type = WR_SCHEMA_BYTES,
                         .convert = as_bytes,
                         .unsent = placeholder,
                         .unsent_item = placeholder_list},
    [WR_BINARY_BASE64] = {.type = WR_SCHEMA_STRING, .convert = as_base64},
    [WR_BINARY_BASE64_URL_SAFE] = {.type = WR_SCHEMA_STRING, .convert = as_base64_url},
    [WR_BINARY_HEX] = {.type = WR_SCHEMA_STRING, .convert = as_hex, .unsent = placeholder},
};

static const struct wr_connect_form date = {.type = WR_SCHEMA_INT32,
                                            NAMED("io.debezium.time.Date"),
                                            .shows_default = true,
                                            .convert = as_date,
                                            .unsent_item = placeholder_codes};
static const struct wr_connect_form connect_date = {.type = WR_SCHEMA_INT32,
                                                    .logical = WR_LOGICAL_DATE,
                                                    NAMED("org.apache.kafka.connect.data.Date"),
                                                    .shows_default = true,
                                                    .convert = as_date};
static const struct wr_connect_form time_ms = {.type = WR_SCHEMA_INT32,
                                               NAMED("io.debezium.time.Time"),
                                               .shows_default = true,
                                               .convert = as_ms};
static const struct wr_connect_form time_us = {.type = WR_SCHEMA_INT64,
                                               NAMED("io.debezium.time.MicroTime"),
                                               .shows_default = true,
                                               .convert = as_integer};
static const struct wr_connect_form connect_time = {.type = WR_SCHEMA_INT32,
                                                    .logical = WR_LOGICAL_TIME,
                                                    NAMED("org.apache.kafka.connect.data.Time"),
                                                    .shows_default = true,
                                                    .convert = as_ms};
static const struct wr_connect_form zoned_time = {.type = WR_SCHEMA_STRING,
                                                  NAMED("io.debezium.time.ZonedTime"),
                                                  .convert = as_zoned_time,
                                                  .fallback = WR_STR_INIT("00:00:00Z")};
static const struct wr_connect_form timestamp_ms = {.type = WR_SCHEMA_INT64,
                                                    NAMED("io.debezium.time.Timestamp"),
                                                    .shows_default = true,
                                                    .convert = as_ms};
static const struct wr_connect_form timestamp_micro = {.type = WR_SCHEMA_INT64,
                                                       NAMED("io.debezium.time.MicroTimestamp"),
                                                       .shows_default = true,
                                                       .convert = as_timestamp_us};
static const struct wr_connect_form connect_timestamp = {
    .type = WR_SCHEMA_INT64,
    .logical = WR_LOGICAL_TIMESTAMP,
    NAMED("org.apache.kafka.connect.data.Timestamp"),
    .shows_default = true,
    .convert = as_ms};
static const struct wr_connect_form zoned_timestamp = {.type = WR_SCHEMA_STRING,
                                                       NAMED("io.debezium.time.ZonedTimestamp"),
                                                       .shows_default = true,
                                                       .convert = as_zoned_timestamp,
                                                       .fallback =
                                                           WR_STR_INIT("1970-01-01T00:00:00Z")};

static const struct wr_connect_form array = {
    .type = WR_SCHEMA_ARRAY, .convert = as_array, .unsent = unsent_array};

/* ---- the choice -------------------------------------------------------------------------------------- */

static const struct wr_connect_form *decimal_form(const struct wr_column *column,
                                                  const struct wr_connect_modes *modes)
{
    switch (modes->decimal) {
    case WR_DECIMAL_STRING: return &decimal_text;
    case WR_DECIMAL_DOUBLE: return &decimal_double;
    case WR_DECIMAL_PRECISE: break;
    }
    return column->precision >= 0 ? &decimal : &variable_decimal;
}

static const struct wr_connect_form *time_form(const struct wr_column *column,
                                               const struct wr_connect_modes *modes)
{
    switch (modes->time) {
    case WR_TIME_CONNECT: return &connect_time;
    case WR_TIME_ADAPTIVE_MICROSECONDS: return &time_us;
    case WR_TIME_ADAPTIVE: break;
    }
    return column->precision >= 0 && column->precision <= 3 ? &time_ms : &time_us;
}

static const struct wr_connect_form *timestamp_form(const struct wr_column *column,
                                                    const struct wr_connect_modes *modes)
{
    if (modes->time == WR_TIME_CONNECT) {
        return &connect_timestamp;
    }
    return column->precision >= 0 && column->precision <= 3 ? &timestamp_ms : &timestamp_micro;
}

const struct wr_connect_form *wr_connect_form_of(const struct wr_column *column, enum wr_type type,
                                                 const struct wr_connect_modes *modes)
{
    switch (type) {
    case WR_TYPE_BOOL: return &boolean;
    case WR_TYPE_INT16: return &int16;
    case WR_TYPE_INT32: return &int32;
    case WR_TYPE_INT64: return &int64;
    case WR_TYPE_FLOAT32: return &float32;
    case WR_TYPE_FLOAT64: return &float64;
    case WR_TYPE_DECIMAL: return decimal_form(column, modes);
    case WR_TYPE_TEXT: return &string;
    case WR_TYPE_JSON: return &json;
    case WR_TYPE_XML: return &xml;
    case WR_TYPE_UUID: return &uuid;
    case WR_TYPE_ENUM: return &enumerated;
    case WR_TYPE_BYTES: return &bytes[modes->binary];
    case WR_TYPE_DATE: return modes->time == WR_TIME_CONNECT ? &connect_date : &date;
    case WR_TYPE_TIME: return time_form(column, modes);
    case WR_TYPE_TIMETZ: return &zoned_time;
    case WR_TYPE_TIMESTAMP: return timestamp_form(column, modes);
    case WR_TYPE_TIMESTAMPTZ: return &zoned_timestamp;
    case WR_TYPE_ARRAY: return &array;
    case WR_TYPE_UNKNOWN: break;
    }
    return NULL;
}
