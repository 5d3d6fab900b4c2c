/*
 * config_yaml.c - YAML (and so JSON) into trees, from libyaml's events.
 *
 * Only what a configuration needs: maps with scalar keys, lists, scalars, anchors and aliases. Scalars stay
 * text, so yes, no, on and off never turn into booleans by themselves. Tags but !!str, merge keys and keys
 * that stand twice are refused.
 */
#include "run/config_read.h"
#include "run/config_tree.h"

#include "base/writer.h"

#include <yaml.h>

enum {
    ANCHORS_MAX = 256
};

struct anchor {
    const char *name;
    struct wr_conf node;
    size_t nodes; /* in it, aliases counted as what they stand for */
};

/* A map or list that is being read. Its place in its parent holds still: the parent only grows again
 * when this one is finished. */
struct frame {
    struct wr_conf *node;
    struct wr_str key;  /* what it is the value of, or a list the value of */
    const char *anchor; /* NULL: none */
    size_t nodes_before;
};

struct yaml {
    struct wr_config_reader *reader;
    yaml_parser_t parser;
    yaml_event_t event; /* the one that is looked at */
    bool has_event;
    struct wr_str text;
    size_t chars; /* a place in the text, counted in characters as libyaml does, … */
    size_t bytes; /* … and in bytes */
    struct anchor anchors[ANCHORS_MAX];
    size_t anchor_count;
    struct frame frames[WR_CONFIG_DEPTH_MAX];
    size_t depth;
};

static struct wr_place place_of(const struct yaml *y, yaml_mark_t mark)
{
    return (struct wr_place){y->reader->file, (int)mark.line + 1, (int)mark.column + 1};
}

static struct wr_place here(const struct yaml *y)
{
    return place_of(y, y->event.start_mark);
}

/* The byte at which character `index` begins; text.len beyond the end. Fast when asked from front to back,
 * as events come. */
static size_t byte_of(struct yaml *y, size_t index)
{
    if (index < y->chars) {
        y->chars = 0;
        y->bytes = 0;
    }
    bool has_bom = y->bytes == 0 && y->text.len >= 3 && memcmp(y->text.ptr, "\xef\xbb\xbf", 3) == 0;
    y->bytes += has_bom ? 3 : 0; /* which libyaml does not count */
    while (y->chars < index && y->bytes < y->text.len) {
        do {
            y->bytes++;
        } while (y->bytes < y->text.len && (y->text.ptr[y->bytes] & 0xc0) == 0x80);
        y->chars++;
    }
    return y->bytes;
}

/* What most often lies behind a syntax error, where the text shows it. */
static const char *hint(struct yaml *y)
{
    size_t at = byte_of(y, y->parser.problem_mark.index);
    if (at < y->text.len && y->text.ptr[at] == '\t') {
        return "; indent with spaces, not with tabs";
    }
    size_t back = at > 2 ? at - 2 : 0;
    if (at < y->text.len && memmem(y->text.ptr + back, at - back + 1, "${", 2) != NULL) {
        return "; inside {…} and […] put ${…} in quotes";
    }
    return "";
}

static int syntax_error(struct yaml *y, struct weir_error *err)
{
    const yaml_parser_t *p = &y->parser;
    const char *problem = p->problem == NULL ? "cannot be read" : p->problem;
    if (p->error == YAML_READER_ERROR) {
        return wr_conf_fail(err, (struct wr_place){.file = y->reader->file}, "byte %zu: %s",
                            p->problem_offset, problem); /* libyaml knows no line here */
    }
    return wr_conf_fail(err, place_of(y, p->problem_mark), "%s%s%s%s", problem,
                        p->context == NULL ? "" : " ", p->context == NULL ? "" : p->context,
                        hint(y));
}

static int next(struct yaml *y, struct weir_error *err)
{
    if (y->has_event) {
        yaml_event_delete(&y->event);
        y->has_event = false;
    }
    if (yaml_parser_parse(&y->parser, &y->event) == 0) {
        return syntax_error(y, err);
    }
    y->has_event = true;
    return 0;
}

static int read_alias(struct yaml *y, struct wr_conf *out, struct weir_error *err)
{
    const char *name = (const char *)y->event.data.alias.anchor;
    for (size_t i = y->anchor_count; i > 0; i--) {
        if (strcmp(y->anchors[i - 1].name, name) == 0) {
            *out = y->anchors[i - 1].node;
            return wr_config_count(y->reader, here(y), y->anchors[i - 1].nodes, err);
        }
    }
    /* Neither here nor below is the text shown: it may be a password that somebody forgot to quote. */
    return wr_conf_fail(
        err, here(y),
        "a value that begins with * names an anchor, and there is none of that name "
        "before it; if it is a text, put it in quotes");
}

static int keep_anchor(struct yaml *y, const struct frame *frame, struct weir_error *err)
{
    if (frame->anchor == NULL) {
        return 0;
    }
    if (y->anchor_count == ANCHORS_MAX) {
        return wr_conf_fail(err, frame->node->at, "more than %d anchors", ANCHORS_MAX);
    }
    size_t nodes = y->reader->node_count - frame->nodes_before;
    y->anchors[y->anchor_count++] = (struct anchor){frame->anchor, *frame->node, nodes};
    return 0;
}

static int check_tag(const struct yaml *y, const yaml_char_t *tag, bool *is_str,
                     struct weir_error *err)
{
    static const char core[] = "tag:yaml.org,2002:";
    const char *text = (const char *)tag;
    *is_str = text != NULL && (strcmp(text, "!") == 0 || strcmp(text, YAML_STR_TAG) == 0);
    if (text == NULL || *is_str || strncmp(text, core, sizeof(core) - 1) == 0) {
        return 0;
    }
    return wr_conf_fail(
        err, here(y),
        "a value that begins with ! has a tag, and this one means nothing here; if it "
        "is a text, put it in quotes");
}

static size_t leading_spaces(struct wr_str text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.ptr[at + n] == ' ') {
        n++;
    }
    return n;
}

/* The indentation of a | block whose header stands at byte `at`: what its first line with something in it
 * has in the file more than in the value. -1 when the two do not fit together. */
static int block_indent(const struct yaml *y, size_t at, struct wr_str value)
{
    size_t in_value = 0;
    const char *end = memchr(y->text.ptr + at, '\n', y->text.len - at);
    while (end != NULL && in_value < value.len && value.ptr[in_value] == '\n') {
        in_value++;
        at = (size_t)(end - y->text.ptr) + 1;
        end = memchr(y->text.ptr + at, '\n', y->text.len - at);
    }
    if (end == NULL || in_value == value.len) {
        return -1;
    }
    size_t file_spaces = leading_spaces(y->text, (size_t)(end - y->text.ptr) + 1);
    size_t value_spaces = leading_spaces(value, in_value);
    return file_spaces < value_spaces ? -1 : (int)(file_spaces - value_spaces);
}

/* Fill in where the text of a scalar stands, when it stands there as it is. */
static void place_text(struct yaml *y, struct wr_str value, struct wr_conf *out)
{
    yaml_scalar_style_t style = y->event.data.scalar.style;
    yaml_mark_t mark = y->event.start_mark;
    if (!wr_str_eq(value, out->text) || style == YAML_FOLDED_SCALAR_STYLE) {
        return;
    }
    size_t at = byte_of(y, mark.index);
    int line = (int)mark.line + 1;
    if (style == YAML_LITERAL_SCALAR_STYLE) {
        int indent = block_indent(y, at, value);
        if (indent >= 0) {
            out->text_at = (struct wr_place){y->reader->file, line + 1, indent + 1};
            out->text_column = indent + 1;
        }
        return;
    }
    size_t quote = style == YAML_PLAIN_SCALAR_STYLE ? 0 : 1;
    bool is_there = at + quote <= y->text.len && value.len <= y->text.len - at - quote &&
                    memcmp(y->text.ptr + at + quote, value.ptr, value.len) == 0;
    if (is_there) {
        out->text_at = (struct wr_place){y->reader->file, line, (int)(mark.column + quote) + 1};
        out->text_column = out->text_at.column;
    }
}

static int read_scalar(struct yaml *y, struct wr_str key, struct wr_conf *out,
                       struct weir_error *err)
{
    bool is_str;
    int rc = check_tag(y, y->event.data.scalar.tag, &is_str, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_str text = {(const char *)y->event.data.scalar.value, y->event.data.scalar.length};
    out->is_plain = y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_str;
    rc = wr_config_scalar(y->reader, key, here(y), text, out, err);
    if (rc == 0) {
        place_text(y, text, out);
    }
    return rc;
}

/* The key that the event holds, put into the map. Its value's place is `out`. */
static int read_key(struct yaml *y, struct wr_conf *map, struct wr_str *key, struct wr_conf **out,
                    struct weir_error *err)
{
    struct wr_place at = here(y);
    if (y->event.type != YAML_SCALAR_EVENT) {
        return wr_conf_fail(err, at, "a key must be one word");
    }
    *key = (struct wr_str){(const char *)y->event.data.scalar.value, y->event.data.scalar.length};
    if (memchr(key->ptr, 0, key->len) != NULL) {
        return wr_conf_fail(err, at, "a key cannot hold the NUL character");
    }
    if (wr_str_eq(*key, WR_STR("<<"))) {
        return wr_conf_fail(err, at, "merge keys (<<) are not read; write the keys out");
    }
    size_t before = map->count;
    *out = wr_conf_put(y->reader->arena, map, *key, at, err);
    if (*out == NULL) {
        return err->code;
    }
    if (map->count == before) {
        return wr_conf_fail(err, at, "the key '%.*s' stands here twice", WR_FMT(*key));
    }
    *key = map->entries[before].key;
    return 0;
}

/* The anchor of the node that the event begins, copied to the arena; NULL when it has none. */
static const char *anchor_of(const struct yaml *y)
{
    const yaml_char_t *name = NULL;
    if (y->event.type == YAML_SCALAR_EVENT) {
        name = y->event.data.scalar.anchor;
    } else if (y->event.type == YAML_SEQUENCE_START_EVENT) {
        name = y->event.data.sequence_start.anchor;
    } else if (y->event.type == YAML_MAPPING_START_EVENT) {
        name = y->event.data.mapping_start.anchor;
    }
    return name == NULL ? NULL : wr_arena_str(y->reader->arena, wr_str_of((const char *)name));
}

/* Begin the map or list that the event starts. */
static int push(struct yaml *y, const struct frame *frame, struct weir_error *err)
{
    bool is_map = y->event.type == YAML_MAPPING_START_EVENT;
    const yaml_char_t *tag =
        is_map ? y->event.data.mapping_start.tag : y->event.data.sequence_start.tag;
    bool is_str;
    int rc = check_tag(y, tag, &is_str, err);
    if (rc < 0) {
        return rc;
    }
    if (y->depth == WR_CONFIG_DEPTH_MAX) {
        return wr_conf_fail(err, here(y), "nested deeper than %d levels", WR_CONFIG_DEPTH_MAX);
    }
    *frame->node = (struct wr_conf){.kind = is_map ? WR_CONF_MAP : WR_CONF_LIST, .at = here(y)};
    y->frames[y->depth++] = *frame;
    return 0;
}

/* The value that the event is, or begins, goes to `out`. */
static int read_value(struct yaml *y, struct wr_str key, struct wr_conf *out,
                      struct weir_error *err)
{
    if (y->event.type == YAML_ALIAS_EVENT) {
        return read_alias(y, out, err);
    }
    struct frame frame = {out, key, anchor_of(y), y->reader->node_count};
    int rc = wr_config_count(y->reader, here(y), 1, err);
    if (rc < 0) {
        return rc;
    }
    if (y->event.type != YAML_SCALAR_EVENT) {
        return push(y, &frame, err);
    }
    rc = read_scalar(y, key, out, err);
    return rc < 0 ? rc : keep_anchor(y, &frame, err);
}

/* One item, one key with the start of its value, or the end of the map or list that is open. */
static int read_next(struct yaml *y, struct weir_error *err)
{
    struct frame *top = &y->frames[y->depth - 1];
    int rc = next(y, err);
    if (rc < 0) {
        return rc;
    }
    if (y->event.type == YAML_MAPPING_END_EVENT || y->event.type == YAML_SEQUENCE_END_EVENT) {
        y->depth--;
        return keep_anchor(y, top, err);
    }
    struct wr_str key = top->key;
    struct wr_conf *slot = NULL;
    if (top->node->kind == WR_CONF_LIST) {
        slot = wr_conf_push(y->reader->arena, top->node, err);
        rc = slot == NULL ? err->code : 0;
    } else {
        rc = read_key(y, top->node, &key, &slot, err);
        rc = rc < 0 ? rc : next(y, err);
    }
    return rc < 0 ? rc : read_value(y, key, slot, err);
}

static int read_document(struct yaml *y, const struct wr_config_each *each, struct weir_error *err)
{
    struct wr_conf doc = {0};
    y->anchor_count = 0;
    y->depth = 0;
    int rc = next(y, err);
    if (rc == 0) {
        rc = read_value(y, (struct wr_str){"", 0}, &doc, err);
    }
    while (rc == 0 && y->depth > 0) {
        rc = read_next(y, err);
    }
    if (rc == 0) {
        rc = next(y, err);
    }
    if (rc == 0 && !wr_conf_is_null(&doc)) {
        rc = each->doc(each->arg, &doc, err);
    }
    return rc;
}

static int read_stream(struct yaml *y, const struct wr_config_each *each, struct weir_error *err)
{
    int rc = next(y, err);
    while (rc == 0 && y->event.type != YAML_STREAM_END_EVENT) {
        if (y->event.type == YAML_DOCUMENT_START_EVENT) {
            rc = read_document(y, each, err);
        }
        rc = rc < 0 ? rc : next(y, err);
    }
    return rc;
}

static int start(struct yaml *y, struct wr_config_reader *reader, struct wr_str text,
                 struct weir_error *err)
{
    memset(y, 0, sizeof(*y));
    y->reader = reader;
    y->text = text;
    if (yaml_parser_initialize(&y->parser) == 0) {
        return wr_fail(err, WEIR_E_NOMEM, "a YAML parser");
    }
    yaml_parser_set_input_string(&y->parser, (const unsigned char *)text.ptr, text.len);
    return 0;
}

static void stop(struct yaml *y)
{
    if (y->has_event) {
        yaml_event_delete(&y->event);
    }
    yaml_parser_delete(&y->parser);
}

static unsigned hex4(const char *p)
{
    unsigned v = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 0x10000;
        v = v << 4 | digit;
    }
    return v;
}

/* JSON writes a character over U+FFFF as two \u escapes; YAML knows no such pairs. Put the character
 * itself there. */
static int join_surrogates(struct wr_writer *out, struct wr_str text)
{
    size_t i = 0;
    while (i < text.len) {
        const char *p = text.ptr + i;
        bool may_be =
            *p == '\\' && text.len - i >= 12 && p[1] == 'u' && p[6] == '\\' && p[7] == 'u';
        unsigned high = may_be ? hex4(p + 2) : 0;
        unsigned low = may_be ? hex4(p + 8) : 0;
        if (high >= 0xd800 && high < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
            unsigned c = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
            wr_put_u8(out, (uint8_t)(0xf0 | c >> 18));
            wr_put_u8(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
            wr_put_u8(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
            wr_put_u8(out, (uint8_t)(0x80 | (c & 0x3f)));
            i += 12;
            continue;
        }
        size_t take = *p == '\\' && text.len - i >= 2 ? 2 : 1; /* an escape counts as one */
        wr_put_str(out, (struct wr_str){p, take});
        i += take;
    }
    struct weir_error err;
    return wr_writer_end(out, &err);
}

int wr_config_read_yaml(struct wr_config_reader *reader, struct wr_str text,
                        const struct wr_config_each *each, struct weir_error *err)
{
    struct wr_writer joined = wr_writer_growing(WR_CONFIG_FILE_MAX);
    size_t blank = strspn(text.len == 0 ? "" : text.ptr, " \t\r\n");
    bool is_json = blank < text.len && (text.ptr[blank] == '{' || text.ptr[blank] == '[');
    if (is_json && join_surrogates(&joined, text) == 0) {
        text = wr_writer_str(&joined);
    }
    struct yaml y;
    int rc = start(&y, reader, text, err);
    if (rc == 0) {
        rc = read_stream(&y, each, err);
        stop(&y);
    }
    wr_writer_fini(&joined);
    return rc;
}

static int not_one_scalar(const struct yaml *y, struct wr_str key, struct weir_error *err)
{
    return wr_conf_fail(err, (struct wr_place){.file = y->reader->file},
                        "the value of %.*s is not one YAML scalar; put it in quotes", WR_FMT(key));
}

/* Reads one scalar and nothing else. */
static int read_only_scalar(struct yaml *y, struct wr_str key, struct wr_conf *out,
                            struct weir_error *err)
{
    static const yaml_event_type_t wanted[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT,
                                               YAML_SCALAR_EVENT, YAML_DOCUMENT_END_EVENT,
                                               YAML_STREAM_END_EVENT};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        int rc = next(y, err);
        bool is_wanted = rc == 0 && y->event.type == wanted[i];
        if (!is_wanted) {
            return not_one_scalar(y, key, err);
        }
        if (wanted[i] != YAML_SCALAR_EVENT) {
            continue;
        }
        struct wr_str value = {(const char *)y->event.data.scalar.value,
                               y->event.data.scalar.length};
        /* YAML cuts a plain text at " #" and folds its lines: better to ask than to lose half of it. */
        if (y->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !wr_str_eq(value, y->text)) {
            return not_one_scalar(y, key, err);
        }
        rc = read_scalar(y, key, out, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

int wr_config_read_scalar(struct wr_config_reader *reader, struct wr_str key, struct wr_str text,
                          struct wr_conf *out, struct weir_error *err)
{
    struct wr_place at = {.file = reader->file};
    struct yaml y;
    int rc = start(&y, reader, text, err);
    if (rc < 0) {
        return rc;
    }
    *out = (struct wr_conf){.kind = WR_CONF_SCALAR, .at = at, .text = WR_STR(""), .is_plain = true};
    rc = text.len == 0 ? 0 : read_only_scalar(&y, key, out, err);
    stop(&y);
    out->at = at;
    out->text_at = (struct wr_place){0};
    return rc;
}
