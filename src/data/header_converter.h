/*
 * header_converter.h - Connect's SimpleHeaderConverter: the values of __debezium.newkey and oldkey.
 *
 * A struct is {"name":value,…} with only " and \ escaped; a Decimal is a number as BigDecimal.toString has
 * it, bytes are base64 in quotes, Connect's Date, Time and Timestamp are ISO text without quotes, NaN
 * stands as it is: it is not always JSON. A null shows as its default.
 */
#ifndef WR_HEADER_CONVERTER_H
#define WR_HEADER_CONVERTER_H

#include "data/converter_ops.h"

/* The one there is; static storage, wr_converter_close() does nothing to it. */
struct wr_converter *wr_header_converter(void);

#endif
