/*
 * json_converter.h - Connect's JsonConverter, byte for byte (cdc.md B9).
 */
#ifndef WR_JSON_CONVERTER_H
#define WR_JSON_CONVERTER_H

#include "data/converter_ops.h"

/* Connect's keys, without "key.converter." or "value.converter." in front. */
struct wr_json_converter_options {
    bool schemas_enable;            /* schemas.enable: {"schema":…,"payload":…} */
    bool replace_null_with_default; /* replace.null.with.default: a null shows as its default */
    bool decimal_numeric;           /* decimal.format=NUMERIC: a JSON number, not base64 */
};

/* Connect's defaults: true, true, false. */
struct wr_json_converter_options wr_json_converter_defaults(void);

/* Make one. `options`: copied. `out`: owned by the caller, free with wr_converter_close(), or taken by
 * who is handed it. WEIR_E_NOMEM. */
WR_MUST_USE int wr_json_converter_new(const struct wr_json_converter_options *options,
                                      struct wr_converter **out, struct weir_error *err);

#endif
