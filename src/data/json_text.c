#include "data/json_text.h"

#include "base/utf8.h"
#include "data/json_lex.h"

bool wr_utf8_is_valid(struct wr_bytes text)
{
    return wr_utf8_span(text) == text.len;
}

static void put_escaped(struct wr_writer *w, uint8_t c)
{
    static const char from[] = "\"\\\b\f\n\r\t";
    static const char to[] = "\"\\bfnrt";
    const char *known = strchr(from, c);
    if (c != 0 && known != NULL) {
        wr_put_u8(w, '\\');
        wr_put_u8(w, (uint8_t)to[known - from]);
        return;
    }
    wr_put_fmt(w, "\\u%04x", c);
}

void wr_put_json_string(struct wr_writer *w, struct wr_str text)
{
    size_t start = 0;
    wr_put_u8(w, '"');
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        wr_put_str(w, (struct wr_str){text.ptr + start, i - start});
        put_escaped(w, c);
        start = i + 1;
    }
    wr_put_str(w, (struct wr_str){text.len == 0 ? "" : text.ptr + start, text.len - start});
    wr_put_u8(w, '"');
}

void wr_put_base64(struct wr_writer *w, struct wr_bytes bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = (uint32_t)bytes.ptr[i] << 16;
        bits |= have > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0;
        bits |= have > 2 ? bytes.ptr[i + 2] : 0;
        wr_put_u8(w, (uint8_t)digits[bits >> 18]);
        wr_put_u8(w, (uint8_t)digits[bits >> 12 & 63]);
        wr_put_u8(w, have > 1 ? (uint8_t)digits[bits >> 6 & 63] : '=');
        wr_put_u8(w, have > 2 ? (uint8_t)digits[bits & 63] : '=');
    }
}

/* The value without the blanks around it; false when the text is not one JSON value. */
static bool find_value(struct wr_bytes text, struct wr_bytes *value)
{
    struct wr_json_lex lex = {.base = text.ptr, .end = text.ptr + text.len};
    const uint8_t *start = wr_json_space(&lex, text.ptr);
    const uint8_t *end = wr_json_skip(&lex, start, 0);
    if (end == NULL || wr_json_space(&lex, end) != lex.end) {
        return false;
    }
    *value = (struct wr_bytes){start, (size_t)(end - start)};
    return true;
}

/* The length of the string at the front, quotes included. It is known to be good. */
static size_t string_len(const uint8_t *p)
{
    size_t len = 1;
    while (p[len] != '"') {
        len += p[len] == '\\' ? 2 : 1;
    }
    return len + 1;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool wr_put_json_compact(struct wr_writer *w, struct wr_bytes text)
{
    struct wr_bytes value;
    if (text.len == 0 || !find_value(text, &value)) {
        return false;
    }
    size_t start = 0; /* of what is not written yet */
    size_t at = 0;
    while (at < value.len) {
        if (is_blank(value.ptr[at])) {
            wr_put_bytes(w, (struct wr_bytes){value.ptr + start, at - start});
            start = at + 1;
        }
        at += value.ptr[at] == '"' ? string_len(value.ptr + at) : 1;
    }
    wr_put_bytes(w, (struct wr_bytes){value.ptr + start, value.len - start});
    return true;
}
