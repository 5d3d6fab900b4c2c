/*
 * record_text.h - a record as a line of text.
 *
 *     JSON   {"topic":"orders","partition":0,"offset":7,"timestamp":1710500000000,"key":…,"value":…,"headers":[["ce_type","OrderPlaced"]]}
 *     plain  orders-0:7 <tab> 2024-03-15T10:53:20.000Z <tab> key <tab> value
 *
 * In JSON a key or value that is JSON stands there as its own bytes less the blanks between tokens, other
 * UTF-8 as a string, other bytes in base64 as key_base64 or value_base64, null as null. A header's value is a
 * string, {"base64": …} for other bytes, or null. In plain text a null is "-", JSON stands as above, other
 * text with its control characters escaped, so that nothing can play with a terminal.
 */
#ifndef WR_HTTP_RECORD_TEXT_H
#define WR_HTTP_RECORD_TEXT_H

#include "base/writer.h"
#include "log/log.h"

/* Write one line with its end. */
void wr_put_record_json(struct wr_writer *out, const char *topic, uint32_t partition,
                        const struct wr_log_record *record);
void wr_put_record_plain(struct wr_writer *out, const char *topic, uint32_t partition,
                         const struct wr_log_record *record);

#endif
