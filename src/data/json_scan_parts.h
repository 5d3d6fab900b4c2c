/* json_scan_parts.h - what json_scan.c and json_shape.c share, and event.c for speed. For no one else. */
#ifndef WR_JSON_SCAN_PARTS_H
#define WR_JSON_SCAN_PARTS_H

#include "base/writer.h"
#include "data/json_lex.h"
#include "data/json_scan.h"

#define WR_JSON_NO_NODE UINT32_MAX

struct wr_json_shapes;

/* A place in the text that is wanted or that leads to one. */
struct wr_json_node {
    struct wr_str name;  /* borrowed from `names` of the scan */
    uint32_t end;        /* one behind the last node of its subtree */
    uint32_t table;      /* its children: first slot of its hash table … */
    uint32_t table_mask; /* … and how many slots less one */
    uint32_t child_count;
    uint32_t stamp; /* the run in which it was met */
    bool is_wanted;
    struct wr_json_value value;
};

/* An object that the walk is in and that has wanted members. */
struct wr_json_level {
    struct wr_json_node *node;
    const uint8_t *start;
};

struct wr_json_scan {
    struct wr_json_node *nodes; /* the first is the whole text */
    uint32_t node_count;
    uint32_t *slots;   /* hash tables of all nodes: node, or WR_JSON_NO_NODE */
    uint32_t *of_path; /* the node of each path */
    size_t path_count;
    char *names;
    uint32_t run;
    struct wr_writer scratch; /* strings without their escapes */
    struct wr_json_shapes *shapes;
    struct wr_json_level levels[WR_JSON_NAMES_MAX + 1]; /* of the walk under way */
};

struct wr_json_walk {
    struct wr_json_lex lex;
    struct wr_json_scan *scan;
    size_t in_len;
    int code; /* what stopped it, when not the text */
    uint32_t depth;
};

/* The child of `node` with this name, or WR_JSON_NO_NODE. */
uint32_t wr_json_child(const struct wr_json_scan *scan, const struct wr_json_node *node,
                       struct wr_str name);

/* Begin the value of node `n` at `p`, which stands in walk->depth objects. Gives the place behind it; or,
 * where it is an object to look into, the place behind its brace, with `is_open` set. NULL: see the lexer. */
const uint8_t *wr_json_begin_value(struct wr_json_walk *walk, const uint8_t *p, uint32_t n,
                                   bool *is_open);

/* As wr_json_scan_get(), where each call counts. */
static inline const struct wr_json_value *wr_json_scan_at(const struct wr_json_scan *scan,
                                                          uint32_t path)
{
    static const struct wr_json_value absent = {WR_JSON_ABSENT, {0}, {NULL, 0}};
    const struct wr_json_node *node = &scan->nodes[scan->of_path[path]];
    return node->stamp == scan->run ? &node->value : &absent;
}

/* Begin a run: nothing is found. */
void wr_json_next_run(struct wr_json_scan *scan);

#endif
