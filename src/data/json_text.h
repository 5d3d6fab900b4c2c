/*
 * json_text.h - writing JSON (RFC 8259) as text, without a tree.
 */
#ifndef WR_JSON_TEXT_H
#define WR_JSON_TEXT_H

#include "base/writer.h"

/* Is it well-formed UTF-8: no surrogates, no overlong forms, nothing above U+10FFFF (RFC 3629)? */
bool wr_utf8_is_valid(struct wr_bytes text);

/* A JSON string with its quotes. `text` must be valid UTF-8; control characters, quotes and backslashes are
 * escaped, all else stands as it is. */
void wr_put_json_string(struct wr_writer *w, struct wr_str text);

/* Base64 with padding (RFC 4648, section 4), without quotes. */
void wr_put_base64(struct wr_writer *w, struct wr_bytes bytes);

/* The value that `text` is, less the blanks between its tokens; numbers, strings and the order of keys stay
 * byte for byte. False, with nothing written, when it is not one JSON value in UTF-8, or nested deeper than
 * WR_JSON_TEXT_DEPTH_MAX. */
bool wr_put_json_compact(struct wr_writer *w, struct wr_bytes text);

enum {
    WR_JSON_TEXT_DEPTH_MAX = 512
};

#endif
