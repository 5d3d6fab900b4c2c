#include "data/topic_name.h"

#include "base/utf8.h"

struct name {
    char *out;
    size_t len;
};

static bool is_legal(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

static void put(struct name *name, char c)
{
    if (name->len < WR_TOPIC_NAME_MAX) {
        name->out[name->len++] = c;
    }
}

static void put_part(struct name *name, struct wr_str part)
{
    const uint8_t *p = (const uint8_t *)part.ptr;
    const uint8_t *end = p + part.len;
    while (p < end) {
        size_t n = wr_utf8_len(p, end);
        char c = part.ptr[p - (const uint8_t *)part.ptr];
        put(name, (char)(is_legal(c) ? c : '_'));
        if (n == 4) {
            put(name, '_');
        }
        p += n == 0 ? 1 : n;
    }
}

size_t wr_topic_name(const struct wr_str *parts, size_t count, struct wr_str delimiter, char *out)
{
    struct name name = {out, 0};
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            put_part(&name, delimiter);
        }
        put_part(&name, parts[i]);
    }
    out[name.len] = '\0';
    return name.len;
}
