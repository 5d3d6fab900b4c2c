/* config_read.c - which form a text is in. */
#include "run/config_read.h"

int wr_config_count(struct wr_config_reader *reader, struct wr_place at, size_t nodes,
                    struct weir_error *err)
{
    if (nodes > WR_CONFIG_NODES_MAX - reader->node_count) {
        return wr_conf_fail(err, at, "more than %d keys and values, aliases counted",
                            WR_CONFIG_NODES_MAX);
    }
    reader->node_count += nodes;
    return 0;
}

/* The first line that says something, less its indentation. */
static struct wr_str first_line(struct wr_str text)
{
    size_t at = 0;
    while (at < text.len) {
        const char *end = memchr(text.ptr + at, '\n', text.len - at);
        size_t stop = end == NULL ? text.len : (size_t)(end - text.ptr);
        while (at < stop && (text.ptr[at] == ' ' || text.ptr[at] == '\t' || text.ptr[at] == '\r')) {
            at++;
        }
        if (at < stop && text.ptr[at] != '#' && text.ptr[at] != '!') {
            return (struct wr_str){text.ptr + at, stop - at};
        }
        at = stop + 1;
    }
    return WR_STR("");
}

/* KEY=VALUE, which would be one long word in YAML. (KEY: VALUE is the same in both forms.) */
static bool is_properties(struct wr_str text)
{
    struct wr_str line = first_line(text);
    size_t i = 0;
    while (i < line.len && strchr(" \t:={[\"'", line.ptr[i]) == NULL) {
        i++;
    }
    size_t key_len = i;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t')) {
        i++;
    }
    return key_len > 0 && i < line.len && line.ptr[i] == '=';
}

int wr_config_read(struct wr_config_reader *reader, struct wr_str text,
                   const struct wr_config_each *each, struct weir_error *err)
{
    return is_properties(text) ? wr_config_read_properties(reader, text, each, err)
                               : wr_config_read_yaml(reader, text, each, err);
}
