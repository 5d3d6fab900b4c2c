/* config_properties.c - Java's properties form (java.util.Properties.load), in UTF-8. */
#include "run/config_read.h"
#include "run/config_tree.h"

#include "base/writer.h"

struct lines {
    struct wr_str text;
    size_t pos;
    int line; /* of `pos`, from 1 */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_end(char c)
{
    return c == '\n' || c == '\r';
}

static char peek(const struct lines *l)
{
    if (l->pos >= l->text.len) {
        return '\0';
    }
    return l->text.ptr[l->pos];
}

static bool at_end(const struct lines *l)
{
    return l->pos >= l->text.len;
}

static void skip_blanks(struct lines *l)
{
    while (!at_end(l) && is_blank(peek(l))) {
        l->pos++;
    }
}

static void skip_line_end(struct lines *l)
{
    bool is_cr = !at_end(l) && peek(l) == '\r';
    l->pos += is_cr ? 1 : 0;
    bool is_lf = !at_end(l) && peek(l) == '\n';
    l->pos += is_lf ? 1 : 0;
    l->line += is_cr || is_lf ? 1 : 0;
}

/* To the first character of the next key. False at the end of the text. */
static bool skip_to_key(struct lines *l)
{
    while (!at_end(l)) {
        skip_blanks(l);
        bool is_comment = !at_end(l) && (peek(l) == '#' || peek(l) == '!');
        while (is_comment && !at_end(l) && !is_end(peek(l))) {
            l->pos++;
        }
        if (!at_end(l) && !is_end(peek(l))) {
            return true;
        }
        skip_line_end(l);
    }
    return false;
}

static bool read_hex4(struct lines *l, uint32_t *out)
{
    uint32_t v = 0;
    if (l->text.len - l->pos < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = l->text.ptr[l->pos + (size_t)i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : UINT32_MAX;
        if (digit == UINT32_MAX) {
            return false;
        }
        v = v << 4 | digit;
    }
    l->pos += 4;
    *out = v;
    return true;
}

static void put_utf8(struct wr_writer *out, uint32_t c)
{
    if (c < 0x80) {
        wr_put_u8(out, (uint8_t)c);
    } else if (c < 0x800) {
        wr_put_u8(out, (uint8_t)(0xc0 | c >> 6));
        wr_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else if (c < 0x10000) {
        wr_put_u8(out, (uint8_t)(0xe0 | c >> 12));
        wr_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        wr_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    } else {
        wr_put_u8(out, (uint8_t)(0xf0 | c >> 18));
        wr_put_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        wr_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
        wr_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
    }
}

/* \uXXXX behind the u; two of them for a character over U+FFFF. False when it is none. */
static bool read_unicode(struct lines *l, struct wr_writer *out)
{
    uint32_t c;
    if (!read_hex4(l, &c)) {
        return false;
    }
    if (c >= 0xd800 && c < 0xdc00) {
        uint32_t low;
        bool is_pair = l->text.len - l->pos >= 2 && memcmp(l->text.ptr + l->pos, "\\u", 2) == 0;
        l->pos += is_pair ? 2 : 0;
        if (!is_pair || !read_hex4(l, &low) || low < 0xdc00 || low > 0xdfff) {
            return false;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(out, c);
    return c < 0xdc00 || c > 0xdfff;
}

/* What follows a backslash. False when it is a broken \u. */
static bool read_escape(struct lines *l, struct wr_writer *out)
{
    if (at_end(l)) {
        return true;
    }
    if (is_end(peek(l))) { /* the line goes on in the next */
        skip_line_end(l);
        skip_blanks(l);
        return true;
    }
    char c = l->text.ptr[l->pos++];
    switch (c) {
    case 't': wr_put_u8(out, '\t'); return true;
    case 'n': wr_put_u8(out, '\n'); return true;
    case 'r': wr_put_u8(out, '\r'); return true;
    case 'f': wr_put_u8(out, '\f'); return true;
    case 'u': return read_unicode(l, out);
    default: wr_put_u8(out, (uint8_t)c); return true;
    }
}

/* Up to the end of the line, or, for a key, to what parts it from its value. */
static bool read_word(struct lines *l, bool is_key, struct wr_writer *out)
{
    while (!at_end(l) && !is_end(peek(l))) {
        char c = peek(l);
        if (is_key && (c == '=' || c == ':' || is_blank(c))) {
            return true;
        }
        l->pos++;
        if (c != '\\') {
            wr_put_u8(out, (uint8_t)c);
        } else if (!read_escape(l, out)) {
            return false;
        }
    }
    return true;
}

struct pair {
    struct wr_writer key;
    struct wr_writer value;
    int key_line;
    int key_column;
    int value_line;
    int value_column;
    bool is_as_written; /* the value stands in the file as it is */
};

static int column_of(const struct lines *l)
{
    size_t start = l->pos;
    while (start > 0 && !is_end(l->text.ptr[start - 1])) {
        start--;
    }
    return (int)(l->pos - start) + 1;
}

/* The next key and value. 1 with both filled, 0 at the end, or WEIR_E_CONFIG. */
static int next_pair(struct lines *l, const char *file, struct pair *pair, struct weir_error *err)
{
    wr_writer_reset(&pair->key);
    wr_writer_reset(&pair->value);
    if (!skip_to_key(l)) {
        return 0;
    }
    pair->key_line = l->line;
    pair->key_column = column_of(l);
    bool is_good = read_word(l, true, &pair->key);
    skip_blanks(l);
    if (!at_end(l) && (peek(l) == '=' || peek(l) == ':')) {
        l->pos++;
        skip_blanks(l);
    }
    pair->value_line = l->line;
    pair->value_column = column_of(l);
    struct wr_str rest = {l->text.ptr + l->pos, l->text.len - l->pos};
    is_good = is_good && read_word(l, false, &pair->value);
    pair->is_as_written = pair->value.len > 0 && pair->value.len <= rest.len &&
                          memcmp(rest.ptr, pair->value.base, pair->value.len) == 0;
    struct wr_place at = {file, l->line, column_of(l)};
    if (!is_good) {
        return wr_conf_fail(err, at, "\\u needs four hexadecimal digits");
    }
    if (wr_writer_end(&pair->key, err) < 0 || wr_writer_end(&pair->value, err) < 0) {
        return wr_conf_fail(err, at, "the line is over %d bytes", WR_CONFIG_FILE_MAX);
    }
    return 1;
}

static struct pair new_pair(void)
{
    return (struct pair){.key = wr_writer_growing(WR_CONFIG_FILE_MAX),
                         .value = wr_writer_growing(WR_CONFIG_FILE_MAX)};
}

static void pair_fini(struct pair *pair)
{
    wr_writer_fini(&pair->key);
    wr_writer_fini(&pair->value);
}

static struct wr_str text_of(const struct wr_writer *w)
{
    return w->len == 0 ? WR_STR("") : wr_writer_str(w);
}

static int put_pair(struct wr_config_reader *reader, struct wr_conf *map, const struct pair *pair,
                    struct weir_error *err)
{
    struct wr_place key_at = {reader->file, pair->key_line, pair->key_column};
    struct wr_place at = {reader->file, pair->value_line, pair->value_column};
    struct wr_str key = text_of(&pair->key);
    if (key.len == 0 || memchr(key.ptr, 0, key.len) != NULL) {
        return wr_conf_fail(err, key_at, "a line without a key");
    }
    size_t before = map->count;
    struct wr_conf *slot = wr_conf_put(reader->arena, map, key, key_at, err);
    if (slot == NULL) {
        return err->code;
    }
    if (map->count == before) {
        return wr_conf_fail(err, key_at, "the key '%.*s' stands here twice", WR_FMT(key));
    }
    slot->is_plain = true;
    int rc = wr_config_scalar(reader, key, at, text_of(&pair->value), slot, err);
    if (rc == 0 && pair->is_as_written && wr_str_eq(slot->text, text_of(&pair->value))) {
        slot->text_at = at;
        slot->text_column = at.column;
    }
    return rc < 0 ? rc : wr_config_count(reader, key_at, 1, err);
}

int wr_config_read_properties(struct wr_config_reader *reader, struct wr_str text,
                              const struct wr_config_each *each, struct weir_error *err)
{
    struct lines l = {text, 0, 1};
    struct pair pair = new_pair();
    struct wr_conf map = wr_conf_map((struct wr_place){reader->file, 1, 1});
    int rc = next_pair(&l, reader->file, &pair, err);
    while (rc == 1) {
        rc = put_pair(reader, &map, &pair, err);
        rc = rc < 0 ? rc : next_pair(&l, reader->file, &pair, err);
    }
    pair_fini(&pair);
    return rc < 0 ? rc : each->doc(each->arg, &map, err);
}

int wr_config_property(struct wr_arena *arena, struct wr_str text, struct wr_str key,
                       struct wr_str *out, struct weir_error *err)
{
    struct lines l = {text, 0, 1};
    struct pair pair = new_pair();
    *out = (struct wr_str){NULL, 0};
    int rc = next_pair(&l, "properties", &pair, err);
    while (rc == 1) {
        if (wr_str_eq(text_of(&pair.key), key)) {
            out->ptr = wr_arena_str(arena, text_of(&pair.value));
            out->len = pair.value.len;
            rc = out->ptr == NULL ? wr_fail(err, WEIR_E_NOMEM, "a property") : 1;
        }
        rc = rc < 0 ? rc : next_pair(&l, "properties", &pair, err);
    }
    pair_fini(&pair);
    return rc;
}
