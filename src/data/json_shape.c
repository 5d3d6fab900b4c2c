#include "data/json_shape.h"

#include "data/json_bytes.h"

enum {
    SHAPES_MAX = 16,
    TEXT_MAX = 32 * 1024,
    PARTS_MAX = 1024,
    BOUNDS_MAX = 128,
    DEPTH_MAX = 16, /* what is nested deeper is one value */

    /* Learning costs about as much as two scans; matching in vain a little. Texts without a common shape
     * must not pay for it again and again. */
    CREDIT_MAX = 64,
    CREDIT_LEARN = 8,   /* what a learned shape must be worth: so many matches */
    LEARN_ANYWAY = 256, /* without credit, one text in so many is learned */
    PATIENCE = 64,      /* after so many misses on end … */
    REST = 1024         /* … so many texts are not compared at all */
};

/* A value: a scalar, a list, or what is nested too deep. */
struct part {
    uint32_t at;
    uint32_t len;
    uint32_t node; /* or WR_JSON_NO_NODE */
    uint32_t depth;
};

/* Where the object of a node begins (at its brace) or ends (at its brace). */
struct bound {
    uint32_t at;
    uint32_t node;
};

struct shape {
    uint8_t *low; /* the text; where digits or letters change, the lowest that may stand there … */
    uint8_t *high; /* … and the highest; elsewhere the same byte */
    uint32_t len;
    uint32_t same;      /* so many first bytes are the same in both */
    struct part *parts; /* in the order of the text */
    uint32_t part_count;
    uint32_t *varying; /* indices of those that vary, ascending; room for all */
    uint32_t varying_count;
    struct bound *bounds; /* in the order of the text */
    uint32_t bound_count;
};

struct wr_json_shapes {
    struct shape *list[SHAPES_MAX]; /* the one that matched last comes first */
    size_t count;
    int credit;
    uint32_t misses; /* on end */
    uint32_t rest;
    uint32_t unlearned;
    uint32_t news[PARTS_MAX]; /* parts that vary since the text at hand */
    uint32_t news_count;
    struct part parts[PARTS_MAX]; /* of a shape in the making */
    struct bound bounds[BOUNDS_MAX];
    uint32_t part_count;
    uint32_t bound_count;
};

struct wr_json_shapes *wr_json_shapes_new(void)
{
    struct wr_json_shapes *shapes = wr_alloc_array(1, sizeof(*shapes));
    if (shapes != NULL) {
        shapes->credit = CREDIT_MAX;
    }
    return shapes;
}

static void shape_free(struct shape *shape)
{
    if (shape != NULL) {
        wr_free(shape->low);
        wr_free(shape->high);
        wr_free(shape->parts);
        wr_free(shape->varying);
        wr_free(shape->bounds);
        wr_free(shape);
    }
}

void wr_json_shapes_free(struct wr_json_shapes *shapes)
{
    for (size_t i = 0; shapes != NULL && i < shapes->count; i++) {
        shape_free(shapes->list[i]);
    }
    wr_free(shapes);
}

/* ---- matching ---- */

/* One text being held against one shape. */
struct match {
    struct wr_json_shapes *shapes;
    struct wr_json_walk *walk;
    struct shape *shape;
    const uint8_t *p; /* in the text … */
    uint32_t at;      /* … and where that is in the shape */
    uint32_t bound;   /* the next */
    uint32_t varying; /* the next */
};

/* The part that byte `at` of the shape stands in or right behind, or -1. */
static int64_t part_near(const struct shape *shape, uint32_t at)
{
    uint32_t low = 0;
    uint32_t high = shape->part_count;
    while (low < high) { /* the first that begins behind `at` */
        uint32_t middle = (low + high) / 2;
        if (shape->parts[middle].at <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool is_near = low > 0 && at <= shape->parts[low - 1].at + shape->parts[low - 1].len;
    return is_near ? (int64_t)low - 1 : -1;
}

/* From here on the part varies, if the rest of the text fits; it is the next to be matched. */
static void let_vary(struct match *m, uint32_t part)
{
    struct shape *shape = m->shape;
    uint32_t *next = &shape->varying[m->varying];
    memmove(next + 1, next, (shape->varying_count - m->varying) * sizeof(*next));
    *next = part;
    shape->varying_count++;
    m->shapes->news[m->shapes->news_count++] = part;
}

/* The text did not fit: what seemed to vary belongs to another shape. */
static void undo_varying(const struct wr_json_shapes *shapes, struct shape *shape)
{
    uint32_t kept = 0;
    uint32_t undone = 0;
    for (uint32_t i = 0; i < shape->varying_count; i++) {
        if (undone < shapes->news_count && shape->varying[i] == shapes->news[undone]) {
            undone++; /* both are in the order of the text */
        } else {
            shape->varying[kept++] = shape->varying[i];
        }
    }
    shape->varying_count = kept;
}

/* The nodes whose objects begin or end before byte `end` of the shape; the text is the same up to there. */
static void pass_bounds(struct match *m, uint32_t end)
{
    const struct shape *shape = m->shape;
    struct wr_json_scan *scan = m->walk->scan;
    for (; m->bound < shape->bound_count && shape->bounds[m->bound].at < end; m->bound++) {
        const struct bound *bound = &shape->bounds[m->bound];
        struct wr_json_value *value = &scan->nodes[bound->node].value;
        const char *place = (const char *)m->p + (bound->at - m->at);
        if (shape->low[bound->at] == '{') {
            scan->nodes[bound->node].stamp = scan->run;
            value->kind = WR_JSON_OBJECT;
            value->text.ptr = place;
        } else {
            value->text.len = (size_t)(place + 1 - value->text.ptr);
        }
    }
}

/* ---- values that change without changing their length ---- */

/* The class of characters that may stand for each other in a string: digits, capital letters, small ones. */
static bool class_of(uint8_t c, uint8_t *low, uint8_t *high)
{
    static const char bounds[][2] = {{'0', '9'}, {'A', 'Z'}, {'a', 'z'}};
    for (size_t i = 0; i < 3; i++) {
        if (c >= bounds[i][0] && c <= bounds[i][1]) {
            *low = (uint8_t)bounds[i][0];
            *high = (uint8_t)bounds[i][1];
            return true;
        }
    }
    return false;
}

/* What may stand at byte `i` of a part so that it stays a value of its kind; false: only what stands there. */
static bool range_at(const uint8_t *part, uint32_t len, uint32_t i, uint8_t *low, uint8_t *high)
{
    if (!class_of(part[i], low, high)) {
        return false;
    }
    if (part[0] == '"') { /* what an escape says stays as it is; \u takes four more */
        return part[i - 1] != '\\' && memmem(part, len, "\\u", 2) == NULL;
    }
    bool is_first = i == 0 || part[i - 1] == '-';
    bool is_alone = i + 1 == len || part[i + 1] == '.';
    *low = is_first && !is_alone ? '1' : *low; /* no leading zero */
    return *high == '9';
}

/* Let the part's characters be any of their class where `text` has another of it. False when the text's value
 * is of another length or kind. */
static bool widen(struct shape *shape, const struct part *part, const uint8_t *text, size_t left)
{
    uint8_t *low = shape->low + part->at;
    uint8_t *high = shape->high + part->at;
    bool is_simple = *low == '"' || *low == '-' || (*low >= '0' && *low <= '9');
    if (!is_simple || left <= part->len || text[part->len] != low[part->len]) {
        return false;
    }
    for (uint32_t i = 0; i < part->len; i++) {
        uint8_t min = 0;
        uint8_t max = 0;
        bool is_in = text[i] >= low[i] && text[i] <= high[i];
        bool may = range_at(low, part->len, i, &min, &max);
        if (!is_in && (!may || text[i] < min || text[i] > max)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < part->len; i++) {
        bool is_in = text[i] >= low[i] && text[i] <= high[i];
        if (!is_in) {
            (void)range_at(low, part->len, i, &low[i], &high[i]);
        }
    }
    shape->same = part->at < shape->same ? part->at : shape->same;
    return true;
}

/* ---- holding a text against a shape ---- */

/* How many bytes fit from the start; at most `len`. */
static size_t fitting_len(const uint8_t *a, const uint8_t *low, const uint8_t *high, size_t len)
{
    size_t fit = 0;
    while (len - fit >= 64 && wr_json_in_range(a + fit, 64, low + fit, high + fit, 64)) {
        fit += 64;
    }
    while (fit < len && a[fit] >= low[fit] && a[fit] <= high[fit]) {
        fit++;
    }
    return fit;
}

/* The run of the shape from m->at on for `len` bytes is not what the text has. Where a value differs that was
 * constant so far, its characters may change from now on, or all of it does. Gives where the run ends now, or
 * WR_JSON_NO_NODE when something else differs. */
static uint32_t find_difference(struct match *m, size_t len, size_t left)
{
    const struct shape *shape = m->shape;
    size_t fit =
        fitting_len(m->p, shape->low + m->at, shape->high + m->at, len < left ? len : left);
    int64_t index = part_near(shape, m->at + (uint32_t)fit);
    if (index < 0 || shape->parts[index].at < m->at) {
        return WR_JSON_NO_NODE;
    }
    const struct part *part = &shape->parts[index];
    size_t before = part->at - m->at;
    if (!widen(m->shape, part, m->p + before, left - before)) {
        let_vary(m, (uint32_t)index);
        return part->at;
    }
    return part->at + part->len; /* and on from there */
}

/* Does the text fit the shape for `len` bytes? */
static inline bool fits(const struct match *m, size_t len, size_t left)
{
    const struct shape *shape = m->shape;
    size_t same = shape->same > m->at ? shape->same - m->at : 0;
    size_t exact = same < 64 ? 0 : same < len ? same : len; /* memcmp is faster, from there on */
    return len <= left && (exact == 0 || memcmp(m->p, shape->low + m->at, exact) == 0) &&
           wr_json_in_range(m->p + exact, left - exact, shape->low + m->at + exact,
                            shape->high + m->at + exact, len - exact);
}

/* Hold the text against the shape's from m->at up to `end`; where find_difference() says so, `end` becomes
 * less. False when the shapes differ. */
static bool match_run(struct match *m, uint32_t *end)
{
    size_t len = *end - m->at;
    size_t left = (size_t)(m->walk->lex.end - m->p);
    if (!fits(m, len, left)) {
        *end = find_difference(m, len, left);
        if (*end == WR_JSON_NO_NODE) {
            return false;
        }
    }
    pass_bounds(m, *end);
    m->p += *end - m->at;
    m->at = *end;
    return true;
}

/* A number without fraction and exponent, or a string without escapes and beyond ASCII: the end of it. NULL for
 * all else, which is for the lexer. */
static inline const uint8_t *simple_end(const uint8_t *p, const uint8_t *end)
{
    if (*p == '"') {
        const uint8_t *q = wr_json_plain_run(p + 1, end);
        return q < end && *q == '"' ? q + 1 : NULL;
    }
    if (*p < '1' || *p > '9') {
        return NULL;
    }
    const uint8_t *q = wr_json_digits(p + 1, end);
    return q < end && *q != '.' && (*q | 0x20) != 'e' ? q : NULL;
}

/* Give a node the simple value from m->p to `end`. */
static void take_simple(struct match *m, uint32_t n, const uint8_t *end)
{
    struct wr_json_scan *scan = m->walk->scan;
    struct wr_json_node *node = &scan->nodes[n];
    struct wr_json_value *value = &node->value;
    node->stamp = scan->run;
    if (!node->is_wanted) {
        value->kind = WR_JSON_ABSENT;
    } else if (*m->p == '"') {
        value->kind = WR_JSON_STRING;
        value->text = (struct wr_str){(const char *)m->p + 1, (size_t)(end - m->p) - 2};
    } else {
        value->text = (struct wr_str){(const char *)m->p, (size_t)(end - m->p)};
        value->kind = wr_json_integer(value->text, &value->u.i) ? WR_JSON_INT : WR_JSON_NUMBER;
    }
}

/* A value that varies. One of a node that has members in other shapes must have none here. */
static bool match_value(struct match *m, const struct part *part)
{
    struct wr_json_lex *lex = &m->walk->lex;
    bool is_open = false;
    if (m->p == lex->end) {
        return false;
    }
    const uint8_t *end = simple_end(m->p, lex->end);
    if (end != NULL && part->node != WR_JSON_NO_NODE) {
        take_simple(m, part->node, end);
    } else if (end == NULL && part->node != WR_JSON_NO_NODE) {
        m->walk->depth = part->depth;
        end = wr_json_begin_value(m->walk, m->p, part->node, &is_open);
    } else if (end == NULL) {
        end = wr_json_skip(lex, m->p, part->depth);
    }
    m->p = end;
    m->at = part->at + part->len;
    return end != NULL && !is_open;
}

static bool match_shape(struct wr_json_shapes *shapes, struct wr_json_walk *walk,
                        struct shape *shape)
{
    struct match m = {.shapes = shapes, .walk = walk, .shape = shape, .p = walk->lex.base};
    shapes->news_count = 0;
    for (;;) {
        bool is_last = m.varying == shape->varying_count;
        uint32_t end = is_last ? shape->len : shape->parts[shape->varying[m.varying]].at;
        uint32_t wanted = end;
        if (!match_run(&m, &end)) {
            return false;
        }
        if (is_last && end == wanted) {
            return m.p == walk->lex.end;
        }
        const struct part *part =
            m.varying < shape->varying_count ? &shape->parts[shape->varying[m.varying]] : NULL;
        if (part == NULL || part->at != end) {
            continue; /* the run was cut short by a value that may change in place */
        }
        if (!match_value(&m, part)) {
            return false;
        }
        m.varying++;
    }
}

static void move_to_front(struct wr_json_shapes *shapes, size_t index)
{
    struct shape *shape = shapes->list[index];
    memmove(&shapes->list[1], &shapes->list[0], index * sizeof(struct shape *));
    shapes->list[0] = shape;
}

/* Back to where the walk was before a shape was tried: nothing is found yet. */
static void start_over(struct wr_json_walk *walk)
{
    wr_json_next_run(walk->scan);
    walk->lex.what = NULL;
    walk->lex.is_too_deep = false;
    walk->code = 0;
    walk->depth = 0;
    wr_writer_reset(&walk->scan->scratch);
}

bool wr_json_shapes_match(struct wr_json_shapes *shapes, struct wr_json_walk *walk)
{
    if (shapes->rest > 0) {
        shapes->rest--;
        return false;
    }
    for (size_t i = 0; i < shapes->count; i++) {
        if (match_shape(shapes, walk, shapes->list[i])) {
            move_to_front(shapes, i);
            shapes->misses = 0;
            shapes->credit += shapes->credit < CREDIT_MAX ? 1 : 0;
            return true;
        }
        undo_varying(shapes, shapes->list[i]);
        start_over(walk);
    }
    if (++shapes->misses == PATIENCE) {
        shapes->misses = 0;
        shapes->rest = REST;
    }
    return false;
}

/* ---- learning ---- */

/* A walk over a text that is known to be JSON, noting its values. */
struct lesson {
    struct wr_json_lex lex;
    struct wr_json_shapes *shapes;
    struct wr_json_scan *scan;
    uint32_t nodes[DEPTH_MAX]; /* of the objects that the walk is in, or WR_JSON_NO_NODE */
    uint32_t depth;
    bool is_over; /* it is no shape to keep */
};

static bool is_known(const struct wr_json_shapes *shapes, uint32_t node)
{
    bool is_there = false;
    for (uint32_t i = 0; i < shapes->part_count && node != WR_JSON_NO_NODE; i++) {
        is_there = is_there || shapes->parts[i].node == node;
    }
    for (uint32_t i = 0; i < shapes->bound_count && node != WR_JSON_NO_NODE; i++) {
        is_there = is_there || shapes->bounds[i].node == node;
    }
    return is_there;
}

static void note_bound(struct lesson *l, const uint8_t *p, uint32_t node)
{
    struct wr_json_shapes *shapes = l->shapes;
    if (node == WR_JSON_NO_NODE) {
        return;
    }
    l->is_over = l->is_over || shapes->bound_count == BOUNDS_MAX;
    if (!l->is_over) {
        shapes->bounds[shapes->bound_count++] = (struct bound){(uint32_t)(p - l->lex.base), node};
    }
}

static void note_part(struct lesson *l, const uint8_t *p, const uint8_t *next, uint32_t node)
{
    struct wr_json_shapes *shapes = l->shapes;
    l->is_over = l->is_over || shapes->part_count == PARTS_MAX;
    if (!l->is_over) {
        shapes->parts[shapes->part_count++] =
            (struct part){(uint32_t)(p - l->lex.base), (uint32_t)(next - p), node, l->depth};
    }
}

/* The value at `p`, of `node`. Gives the place behind it, or behind its brace with `is_open` set. */
static const uint8_t *learn_value(struct lesson *l, const uint8_t *p, uint32_t node, bool *is_open)
{
    l->is_over =
        l->is_over || is_known(l->shapes, node); /* a key twice: which one counts is for a scan */
    if (*p == '{' && l->depth < DEPTH_MAX) {
        note_bound(l, p, node);
        l->nodes[l->depth++] = node;
        *is_open = true;
        return p + 1;
    }
    /* Behind a brace that is not looked into, members may be wanted. */
    l->is_over = l->is_over || (*p == '{' && node != WR_JSON_NO_NODE);
    const uint8_t *next = wr_json_skip(&l->lex, p, l->depth);
    if (next != NULL) {
        note_part(l, p, next, node);
    }
    return next;
}

/* The key at `p`, in the innermost object. Gives the place of its value. */
static const uint8_t *learn_key(struct lesson *l, const uint8_t *p, uint32_t *node)
{
    bool has_escape = false;
    const uint8_t *next = wr_json_string(&l->lex, p + 1, &has_escape);
    if (next == NULL) {
        return NULL;
    }
    struct wr_str key = {(const char *)p + 1, (size_t)(next - 2 - p)};
    uint32_t inside = l->nodes[l->depth - 1];
    *node = inside == WR_JSON_NO_NODE ? WR_JSON_NO_NODE
                                      : wr_json_child(l->scan, &l->scan->nodes[inside], key);
    l->is_over = l->is_over || has_escape;
    return wr_json_space(&l->lex, wr_json_space(&l->lex, next) + 1);
}

/* Behind a value or an opened brace: to the next value, closing what ends before it. */
static const uint8_t *learn_next(struct lesson *l, const uint8_t *p, bool is_open, uint32_t *node)
{
    while (l->depth > 0) {
        p = wr_json_space(&l->lex, p);
        if (*p == '}') {
            note_bound(l, p, l->nodes[--l->depth]);
            p++;
            is_open = false;
            continue;
        }
        return learn_key(l, is_open ? p : wr_json_space(&l->lex, p + 1), node);
    }
    return p;
}

static bool learn_parts(struct lesson *l)
{
    uint32_t node = 0;
    const uint8_t *p = wr_json_space(&l->lex, l->lex.base);
    l->shapes->part_count = 0;
    l->shapes->bound_count = 0;
    do {
        bool is_open = false;
        p = learn_value(l, p, node, &is_open);
        p = p == NULL ? NULL : learn_next(l, p, is_open, &node);
    } while (p != NULL && l->depth > 0 && !l->is_over);
    return p != NULL && !l->is_over;
}

static void *copy_of(const void *items, size_t count, size_t size)
{
    void *copy = wr_alloc_array(count + 1, size);
    if (copy != NULL && count > 0) {
        memcpy(copy, items, count * size);
    }
    return copy;
}

/* A copy, with room behind it for comparing. */
static uint8_t *text_of(struct wr_bytes in)
{
    uint8_t *text = wr_alloc_array(in.len + WR_JSON_BYTES_PAD, 1);
    if (text != NULL) {
        memcpy(text, in.ptr, in.len);
    }
    return text;
}

/* The shape of what was noted. NULL when out of memory. */
static struct shape *shape_new(const struct wr_json_shapes *noted, struct wr_bytes in)
{
    struct shape *shape = wr_alloc_array(1, sizeof(*shape));
    if (shape == NULL) {
        return NULL;
    }
    shape->len = (uint32_t)in.len;
    shape->part_count = noted->part_count;
    shape->bound_count = noted->bound_count;
    shape->same = shape->len;
    shape->low = text_of(in);
    shape->high = text_of(in);
    shape->parts = copy_of(noted->parts, noted->part_count, sizeof(*shape->parts));
    shape->bounds = copy_of(noted->bounds, noted->bound_count, sizeof(*shape->bounds));
    shape->varying = wr_alloc_array(noted->part_count + 1U, sizeof(*shape->varying));
    if (shape->low == NULL || shape->high == NULL || shape->parts == NULL ||
        shape->bounds == NULL || shape->varying == NULL) {
        shape_free(shape);
        return NULL;
    }
    for (uint32_t i = 0; i < shape->part_count; i++) {
        if (shape->parts[i].node != WR_JSON_NO_NODE) {
            shape->varying[shape->varying_count++] = i;
        }
    }
    return shape;
}

static void keep(struct wr_json_shapes *shapes, struct shape *shape)
{
    if (shapes->count == SHAPES_MAX) {
        shape_free(shapes->list[--shapes->count]); /* the one that matched longest ago */
    }
    shapes->list[shapes->count++] = shape;
    move_to_front(shapes, shapes->count - 1);
}

/* Is a new shape likely to pay? */
static bool may_learn(struct wr_json_shapes *shapes)
{
    bool may = shapes->credit >= CREDIT_LEARN || ++shapes->unlearned >= LEARN_ANYWAY;
    if (may) {
        shapes->credit -= shapes->credit >= CREDIT_LEARN ? CREDIT_LEARN : 0;
        shapes->unlearned = 0;
    }
    return may;
}

void wr_json_shapes_learn(struct wr_json_shapes *shapes, struct wr_json_scan *scan,
                          struct wr_bytes in)
{
    if (in.len > TEXT_MAX || shapes->rest > 0 || !may_learn(shapes)) {
        return;
    }
    struct lesson lesson = {
        .lex = {.base = in.ptr, .end = in.ptr + in.len}, .shapes = shapes, .scan = scan};
    struct shape *shape = learn_parts(&lesson) ? shape_new(shapes, in) : NULL;
    if (shape != NULL) {
        keep(shapes, shape);
    }
}
