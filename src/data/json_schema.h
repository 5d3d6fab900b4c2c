/* json_schema.h - a schema as the text that Connect's JsonConverter puts beside each payload. */
#ifndef WR_JSON_SCHEMA_H
#define WR_JSON_SCHEMA_H

#include "data/connect_schema.h"
#include "data/json_out.h"

/* Append {"type":…} to `out`. `is_numeric`: a Decimal's default is a number (decimal.format). */
void wr_json_put_schema(struct wr_json_out *out, const struct wr_schema *schema, bool is_numeric);

/* Append a value that is neither null, nor a struct, nor an array. */
void wr_json_put_scalar(struct wr_json_out *out, const struct wr_schema *schema,
                        const struct wr_datum *value, bool is_numeric);

/* Append text as it is, of any length. */
void wr_json_put_raw(struct wr_json_out *out, struct wr_str text);

#endif
