/*
 * json_scan.c - the wanted paths as a trie, and the walk that goes down it.
 *
 * Nodes lie in the order of a walk down the trie, so a node's subtree is the run [node, node.end). A
 * value belongs to the run that its node is stamped with; so nothing is cleared between runs, and a key
 * that comes again unstamps its subtree. Children are found by hash; a walk meets every key of the text.
 */
#include "data/json_scan.h"

#include "data/json_scan_parts.h"
#include "data/json_shape.h"

#define SCRATCH_MAX     (((size_t)64 << 20) + 1)
#define NODE_TABLE_ROOM 2 /* slots for each child, so that most lookups hit or miss at once */

/* ---- compiling ---- */

static int compare_str(struct wr_str a, struct wr_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

struct sorted_path {
    const struct wr_json_path *path;
};

/* A path before those that it is the beginning of; so sorted paths are the trie's nodes in order. */
static int compare_paths(const void *left, const void *right)
{
    const struct wr_json_path *a = ((const struct sorted_path *)left)->path;
    const struct wr_json_path *b = ((const struct sorted_path *)right)->path;
    for (size_t i = 0; i < a->count && i < b->count; i++) {
        int order = compare_str(a->names[i], b->names[i]);
        if (order != 0) {
            return order;
        }
    }
    return (a->count > b->count) - (a->count < b->count);
}

static uint64_t load(const char *p, size_t len)
{
    uint64_t v = 0;
    memcpy(&v, p, len);
    return v;
}

static inline uint32_t hash_of(struct wr_str name)
{
    uint64_t a = 0;
    uint64_t b = 0;
    if (name.len >= 8) {
        a = load(name.ptr, 8);
        b = load(name.ptr + name.len - 8, 8);
    } else if (name.len >= 4) {
        a = load(name.ptr, 4);
        b = load(name.ptr + name.len - 4, 4);
    } else if (name.len > 0) {
        a = (uint64_t)(uint8_t)name.ptr[0] << 16 | (uint64_t)(uint8_t)name.ptr[name.len / 2] << 8 |
            (uint8_t)name.ptr[name.len - 1];
    }
    uint64_t h = (a ^ name.len) * UINT64_C(0x9E3779B97F4A7C15) ^ b * UINT64_C(0xC2B2AE3D27D4EB4F);
    return (uint32_t)(h >> 32 ^ h >> 15);
}

uint32_t wr_json_child(const struct wr_json_scan *scan, const struct wr_json_node *node,
                       struct wr_str name)
{
    uint32_t slot = hash_of(name);
    for (;; slot++) {
        uint32_t child = scan->slots[node->table + (slot & node->table_mask)];
        if (child == WR_JSON_NO_NODE ||
            (scan->nodes[child].name.len == name.len &&
             memcmp(scan->nodes[child].name.ptr, name.ptr, name.len) == 0)) {
            return child;
        }
    }
}

static void add_child(struct wr_json_scan *scan, const struct wr_json_node *node, uint32_t child)
{
    uint32_t slot = hash_of(scan->nodes[child].name);
    while (scan->slots[node->table + (slot & node->table_mask)] != WR_JSON_NO_NODE) {
        slot++;
    }
    scan->slots[node->table + (slot & node->table_mask)] = child;
}

/* Give each node with children its hash table. `slots` has room for all. */
static void hash_children(struct wr_json_scan *scan)
{
    uint32_t used = 0;
    for (uint32_t n = 0; n < scan->node_count; n++) {
        struct wr_json_node *node = &scan->nodes[n];
        uint32_t size = 1;
        while (size < node->child_count * NODE_TABLE_ROOM) {
            size *= 2;
        }
        node->table = used;
        node->table_mask = size - 1;
        for (uint32_t i = 0; i < size; i++) {
            scan->slots[used++] = WR_JSON_NO_NODE;
        }
        for (uint32_t c = n + 1; c < node->end; c = scan->nodes[c].end) {
            add_child(scan, node, c);
        }
    }
}

/* Make the nodes of one path that the path before it (in order) did not make. `line` has the nodes from
 * the root down to the last one made; `names` is where the next name goes. */
static void add_path(struct wr_json_scan *scan, const struct wr_json_path *path, uint32_t *line,
                     uint32_t *depth, char **names)
{
    uint32_t same = 0;
    while (same < *depth && same < path->count &&
           wr_str_eq(scan->nodes[line[same + 1]].name, path->names[same])) {
        same++;
    }
    for (uint32_t i = same; i < path->count; i++) {
        uint32_t n = scan->node_count++;
        struct wr_json_node *node = &scan->nodes[n];
        node->name = (struct wr_str){*names, path->names[i].len};
        if (node->name.len > 0) {
            memcpy(*names, path->names[i].ptr, node->name.len);
        }
        *names += node->name.len;
        scan->nodes[line[i]].child_count++;
        line[i + 1] = n;
    }
    *depth = (uint32_t)path->count;
    for (uint32_t i = 0; i <= *depth; i++) {
        scan->nodes[line[i]].end = scan->node_count;
    }
    scan->nodes[line[*depth]].is_wanted = true;
}

static void add_paths(struct wr_json_scan *scan, const struct wr_json_path *paths,
                      const struct sorted_path *sorted, size_t count)
{
    uint32_t line[WR_JSON_NAMES_MAX + 1] = {0};
    uint32_t depth = 0;
    char *names = scan->names;
    scan->node_count = 1;
    scan->nodes[0].end = 1;
    for (size_t i = 0; i < count; i++) {
        add_path(scan, sorted[i].path, line, &depth, &names);
        scan->of_path[sorted[i].path - paths] = line[depth];
    }
    hash_children(scan);
}

/* Add to the counts what one path takes. */
static int measure_path(const struct wr_json_path *path, size_t *names, size_t *bytes,
                        struct weir_error *err)
{
    if (path->count > WR_JSON_NAMES_MAX) {
        return wr_fail(err, WEIR_E_LIMIT, "a path of %zu names into JSON, %d at most", path->count,
                       WR_JSON_NAMES_MAX);
    }
    *names += path->count;
    for (size_t i = 0; i < path->count; i++) {
        if (!wr_add(*bytes, path->names[i].len, bytes)) {
            return wr_fail(err, WEIR_E_LIMIT, "names into JSON too long");
        }
    }
    return 0;
}

/* How many names and bytes of names there are at most; checks the limits. */
static int measure(const struct wr_json_path *paths, size_t count, size_t *names, size_t *bytes,
                   struct weir_error *err)
{
    if (count > WR_JSON_PATHS_MAX) {
        return wr_fail(err, WEIR_E_LIMIT, "%zu paths into JSON, %d at most", count,
                       WR_JSON_PATHS_MAX);
    }
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = measure_path(&paths[i], names, bytes, err);
    }
    return rc;
}

static bool alloc_parts(struct wr_json_scan *scan, size_t names, size_t bytes)
{
    scan->nodes = wr_alloc_array(names + 1, sizeof(*scan->nodes));
    /* A table of c children has less than 2 * NODE_TABLE_ROOM * c slots, and at least one. */
    scan->slots = wr_alloc_array((names + 1) * (2 * NODE_TABLE_ROOM + 1), sizeof(*scan->slots));
    scan->of_path = wr_alloc_array(scan->path_count + 1, sizeof(*scan->of_path));
    scan->names = wr_alloc_array(bytes + 1, 1);
    scan->shapes = wr_json_shapes_new();
    return scan->nodes != NULL && scan->slots != NULL && scan->of_path != NULL &&
           scan->names != NULL && scan->shapes != NULL;
}

int wr_json_scan_new(const struct wr_json_path *paths, size_t count, struct wr_json_scan **out,
                     struct weir_error *err)
{
    size_t names = 0;
    size_t bytes = 0;
    int rc = measure(paths, count, &names, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_json_scan *scan = wr_alloc_array(1, sizeof(*scan));
    struct sorted_path *sorted = wr_alloc_array(count + 1, sizeof(*sorted));
    if (scan != NULL) {
        scan->path_count = count;
        scan->scratch = wr_writer_growing(SCRATCH_MAX);
    }
    if (scan == NULL || sorted == NULL || !alloc_parts(scan, names, bytes)) {
        wr_json_scan_free(scan);
        wr_free(sorted);
        return wr_fail(err, WEIR_E_NOMEM, "%zu paths into JSON", count);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i].path = &paths[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_paths);
    add_paths(scan, paths, sorted, count);
    wr_free(sorted);
    *out = scan;
    return 0;
}

void wr_json_scan_free(struct wr_json_scan *scan)
{
    if (scan == NULL) {
        return;
    }
    wr_free(scan->nodes);
    wr_free(scan->slots);
    wr_free(scan->of_path);
    wr_free(scan->names);
    wr_writer_fini(&scan->scratch);
    wr_json_shapes_free(scan->shapes);
    wr_free(scan);
}

/* ---- walking ---- */

/* Room for the rest of the text's strings: without escapes none is longer than with them, and each byte
 * of the text belongs to one string at most. Asked for in full once, so that it never moves in a run. */
static uint8_t *scratch_room(struct wr_json_walk *walk)
{
    struct wr_writer *w = &walk->scan->scratch;
    uint8_t *room = wr_writer_room(w, walk->in_len + 1 - w->len);
    if (room == NULL) {
        walk->code = w->spoiled;
    }
    return room;
}

/* A string that somebody wants; `p` is behind its opening quote. Without escapes the text serves. */
static const uint8_t *take_string(struct wr_json_walk *walk, const uint8_t *p, struct wr_str *out)
{
    bool has_escape = false;
    const uint8_t *next = wr_json_string(&walk->lex, p, &has_escape);
    if (next == NULL) {
        return NULL;
    }
    *out = (struct wr_str){(const char *)p, (size_t)(next - 1 - p)};
    if (has_escape) {
        uint8_t *room = scratch_room(walk);
        if (room == NULL) {
            return NULL;
        }
        size_t len = wr_json_unescape(*out, room);
        wr_writer_advance(&walk->scan->scratch, len);
        *out = (struct wr_str){(const char *)room, len};
    }
    return next;
}

static const uint8_t *take_number(struct wr_json_walk *walk, const uint8_t *p,
                                  struct wr_json_value *value)
{
    bool is_integer = false;
    const uint8_t *next = wr_json_number(&walk->lex, p, &is_integer);
    if (next == NULL) {
        return NULL;
    }
    value->kind = WR_JSON_NUMBER;
    value->text = (struct wr_str){(const char *)p, (size_t)(next - p)};
    if (is_integer) {
        value->kind = wr_json_integer(value->text, &value->u.i) ? WR_JSON_INT : WR_JSON_NUMBER;
        return next;
    }
    uint8_t *room = scratch_room(walk);
    if (room == NULL) {
        return NULL;
    }
    if (wr_json_double(value->text, (char *)room, &value->u.f)) {
        value->kind = WR_JSON_REAL;
    }
    return next;
}

static const uint8_t *take_scalar(struct wr_json_walk *walk, const uint8_t *p,
                                  struct wr_json_value *value)
{
    switch (*p) {
    case '"': value->kind = WR_JSON_STRING; return take_string(walk, p + 1, &value->text);
    case 't':
    case 'f':
        value->kind = WR_JSON_BOOL;
        value->u.b = *p == 't';
        return wr_json_word(&walk->lex, p);
    case 'n': value->kind = WR_JSON_NULL; return wr_json_word(&walk->lex, p);
    default: return take_number(walk, p, value);
    }
}

/* An object or a list, whole; a scalar that was passed over is no value. */
static void take_nest(struct wr_json_node *node, const uint8_t *start, const uint8_t *end)
{
    node->value.kind = *start == '{'   ? WR_JSON_OBJECT
                       : *start == '[' ? WR_JSON_ARRAY
                                       : WR_JSON_ABSENT;
    node->value.text = (struct wr_str){(const char *)start, (size_t)(end - start)};
}

/* Begin the value of node `n` at `p`. Gives the place behind it; or, where it is an object to look into,
 * the place behind its brace, with `is_open` set. */
const uint8_t *wr_json_begin_value(struct wr_json_walk *walk, const uint8_t *p, uint32_t n,
                                   bool *is_open)
{
    struct wr_json_node *node = &walk->scan->nodes[n];
    if (node->stamp == walk->scan->run) { /* the key came before: the last one counts */
        for (uint32_t i = n; i < node->end; i++) {
            walk->scan->nodes[i].stamp = 0;
        }
    }
    if (p == walk->lex.end) {
        return wr_json_spoil(&walk->lex, p, "the text ends where a value was expected");
    }
    node->stamp = walk->scan->run;
    if (*p == '{' && node->child_count > 0) {
        *is_open = true;
        walk->scan->levels[walk->depth++] = (struct wr_json_level){node, p};
        return p + 1;
    }
    if (*p != '{' && *p != '[' && node->is_wanted) {
        return take_scalar(walk, p, &node->value);
    }
    const uint8_t *next = wr_json_skip(&walk->lex, p, walk->depth);
    if (next != NULL) {
        take_nest(node, p, next);
    }
    return next;
}

/* A key and its colon, in the innermost object, and which node it names. Gives the place of the value. */
static const uint8_t *walk_key(struct wr_json_walk *walk, const uint8_t *p, uint32_t *n)
{
    struct wr_json_lex *lex = &walk->lex;
    if (p == lex->end || *p != '"') {
        return wr_json_spoil(lex, p, "a key was expected");
    }
    struct wr_str key;
    p = take_string(walk, p + 1, &key);
    if (p == NULL) {
        return NULL;
    }
    *n = wr_json_child(walk->scan, walk->scan->levels[walk->depth - 1].node, key);
    p = wr_json_space(lex, p);
    if (p == lex->end || *p != ':') {
        return wr_json_spoil(lex, p, "':' was expected after a key");
    }
    return wr_json_space(lex, p + 1);
}

/* Behind a value, or behind the brace of an object just opened: close the objects that end here, and go to
 * the next value, if there is one in them. */
static const uint8_t *next_value(struct wr_json_walk *walk, const uint8_t *p, bool is_open,
                                 uint32_t *n)
{
    while (walk->depth > 0) {
        p = wr_json_space(&walk->lex, p);
        if (p == walk->lex.end) {
            return wr_json_spoil(&walk->lex, p, "the text ends inside an object");
        }
        if (*p == '}') {
            const struct wr_json_level *level = &walk->scan->levels[--walk->depth];
            take_nest(level->node, level->start, ++p);
            is_open = false;
            continue;
        }
        if (is_open) {
            return walk_key(walk, p, n);
        }
        if (*p != ',') {
            return wr_json_spoil(&walk->lex, p, "',' or '}' was expected");
        }
        return walk_key(walk, wr_json_space(&walk->lex, p + 1), n);
    }
    return p;
}

/* The whole text but for the white space around it. */
static const uint8_t *walk_text(struct wr_json_walk *walk, const uint8_t *p)
{
    uint32_t n = 0;
    do {
        bool is_open = false;
        p = n == WR_JSON_NO_NODE ? wr_json_skip(&walk->lex, p, walk->depth)
                                 : wr_json_begin_value(walk, p, n, &is_open);
        p = p == NULL ? NULL : next_value(walk, p, is_open, &n);
    } while (p != NULL && walk->depth > 0);
    return p;
}

static int say_failure(const struct wr_json_walk *walk, struct weir_error *err)
{
    const struct wr_json_lex *lex = &walk->lex;
    if (walk->code == WEIR_E_LIMIT) {
        return wr_fail(err, WEIR_E_LIMIT, "JSON of %zu bytes, %zu at most", walk->in_len,
                       SCRATCH_MAX - 1);
    }
    if (walk->code < 0) {
        return wr_fail(err, walk->code, "JSON of %zu bytes", walk->in_len);
    }
    size_t at = (size_t)(lex->at - lex->base);
    if (lex->is_too_deep) {
        return wr_fail(err, WEIR_E_LIMIT, "JSON at byte %zu: nested deeper than %d", at,
                       WR_JSON_DEPTH_MAX);
    }
    return wr_fail(err, WEIR_E_INPUT, "not valid JSON at byte %zu: %s", at, lex->what);
}

/* A number that no node is stamped with. */
void wr_json_next_run(struct wr_json_scan *scan)
{
    if (++scan->run == 0) {
        for (uint32_t n = 0; n < scan->node_count; n++) {
            scan->nodes[n].stamp = 0;
        }
        scan->run = 1;
    }
}

/* Walk the text from its first byte to its last. */
static int scan_in_full(struct wr_json_walk *walk, struct weir_error *err)
{
    struct wr_json_lex *lex = &walk->lex;
    wr_json_next_run(walk->scan);
    const uint8_t *p = walk_text(walk, wr_json_space(lex, lex->base));
    p = p == NULL ? NULL : wr_json_space(lex, p);
    if (p != NULL && p < lex->end) {
        p = wr_json_spoil(lex, p, "something stands behind the value");
    }
    if (p == NULL) {
        wr_json_next_run(walk->scan);
        return say_failure(walk, err);
    }
    return 0;
}

int wr_json_scan_run(struct wr_json_scan *scan, struct wr_bytes in, struct weir_error *err)
{
    static const uint8_t nothing[1];
    struct wr_bytes text = {in.len == 0 ? nothing : in.ptr, in.len};
    struct wr_json_walk walk;
    walk.lex = (struct wr_json_lex){.base = text.ptr, .end = text.ptr + text.len};
    walk.scan = scan;
    walk.in_len = in.len;
    walk.code = 0;
    walk.depth = 0;
    wr_json_next_run(scan);
    wr_writer_reset(&scan->scratch);
    if (wr_json_shapes_match(scan->shapes, &walk)) {
        return 0;
    }
    int rc = scan_in_full(&walk, err);
    if (rc == 0) {
        wr_json_shapes_learn(scan->shapes, scan, text);
    }
    return rc;
}

const struct wr_json_value *wr_json_scan_get(const struct wr_json_scan *scan, size_t index)
{
    WR_ASSERT(index < scan->path_count);
    return wr_json_scan_at(scan, (uint32_t)index);
}
