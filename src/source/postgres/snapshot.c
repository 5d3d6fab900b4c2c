#include "source/postgres/snapshot.h"

enum {
    LINE_BYTES_MAX = 1 << 30, /* PostgreSQL's largest message */
    FIELDS_MAX = 1664
};

struct wr_pg_snapshot wr_pg_snapshot_of(const struct wr_origin *origin)
{
    return (struct wr_pg_snapshot){.origin = *origin,
                                   .held = wr_writer_growing(LINE_BYTES_MAX),
                                   .arena = wr_arena_of(LINE_BYTES_MAX)};
}

void wr_pg_snapshot_fini(struct wr_pg_snapshot *snapshot)
{
    wr_writer_fini(&snapshot->held);
    wr_free(snapshot->fields);
    wr_arena_fini(&snapshot->arena);
    *snapshot = (struct wr_pg_snapshot){0};
}

/* ---- lines ----------------------------------------------------------------------------------------- */

/* The byte that a backslash and `c` stand for. COPY writes no others; octal and hex are only read. */
static uint8_t unescaped(uint8_t c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return c;
    }
}

/* One field from `*at` on; leaves *at at the tab behind it, or at the end. */
static bool split_field(uint8_t **at, const uint8_t *end, struct wr_pg_field *out)
{
    uint8_t *p = *at;
    if (end - p >= 2 && p[0] == '\\' && p[1] == 'N' && (end - p == 2 || p[2] == '\t')) {
        *out = (struct wr_pg_field){.kind = WR_PG_FIELD_NULL};
        *at = p + 2;
        return true;
    }
    uint8_t *to = p;
    uint8_t *from = p;
    while (from < end && *from != '\t') {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        if (end - from < 2) {
            return false;
        }
        *to++ = unescaped(from[1]);
        from += 2;
    }
    *out = (struct wr_pg_field){WR_PG_FIELD_TEXT, {p, (size_t)(to - p)}};
    *at = from;
    return true;
}

int wr_pg_copy_split(uint8_t *line, size_t len, struct wr_pg_field *out, size_t cap,
                     struct weir_error *err)
{
    uint8_t *at = line;
    const uint8_t *end = line + len;
    size_t count = 0;
    while (true) {
        if (count == cap) {
            return wr_fail(err, WEIR_E_CORRUPT, "a row of more than %zu columns", cap);
        }
        if (!split_field(&at, end, &out[count])) {
            return wr_fail(err, WEIR_E_CORRUPT, "a row that ends in a backslash");
        }
        count++;
        if (at == end) {
            return (int)count;
        }
        at++; /* the tab */
    }
}

/* ---- marks ----------------------------------------------------------------------------------------- */

static enum wr_snapshot_mark mark_of(const struct wr_pg_snapshot *s, bool is_last)
{
    if (is_last) {
        return WR_SNAPSHOT_LAST;
    }
    if (s->rows == 0) {
        return WR_SNAPSHOT_FIRST;
    }
    if (s->held_is_last_in_table) {
        return WR_SNAPSHOT_LAST_IN_TABLE;
    }
    return s->held_is_first_in_table ? WR_SNAPSHOT_FIRST_IN_TABLE : WR_SNAPSHOT_TRUE;
}

/* Split a copy: splitting undoes escapes in place, and the row may have to be handed out again. */
static int split_held(struct wr_pg_snapshot *s, struct wr_pg_tuple *tuple, struct weir_error *err)
{
    size_t columns = s->held_table->field_count;
    uint8_t *line = wr_arena_array(&s->arena, s->held.len + 1, 1);
    if (line == NULL ||
        !wr_grow(&s->fields, &s->field_cap, columns + 1, sizeof(*s->fields), FIELDS_MAX + 1)) {
        return wr_fail(err, WEIR_E_NOMEM, "a row of %zu bytes", s->held.len);
    }
    memcpy(line, s->held.base, s->held.len);
    if (columns == 0) { /* a table without columns has empty lines */
        *tuple = (struct wr_pg_tuple){s->fields, 0};
        return 0;
    }
    int count = wr_pg_copy_split(line, s->held.len, s->fields, s->field_cap, err);
    if (count < 0) {
        return count;
    }
    *tuple = (struct wr_pg_tuple){s->fields, (size_t)count};
    return 0;
}

static int make_change(struct wr_pg_snapshot *s, bool is_last, const struct wr_change **out,
                       struct weir_error *err)
{
    struct wr_pg_tuple tuple;
    *out = NULL;
    if (s->held_table == NULL) {
        return 0;
    }
    wr_arena_reset(&s->arena);
    s->change =
        (struct wr_change){.op = WR_OP_READ, .table = &s->held_table->table, .origin = s->origin};
    s->change.origin.snapshot = mark_of(s, is_last);
    s->bad = (struct wr_pg_bad_value){0};
    int rc = split_held(s, &tuple, err);
    if (rc == 0) {
        rc = wr_pg_table_row(s->held_table, &tuple, &s->arena, &s->change.after, &s->bad, err);
    }
    if (rc == 0) {
        *out = &s->change;
    }
    return rc;
}

int wr_pg_snapshot_next(struct wr_pg_snapshot *snapshot, const struct wr_pg_table *table,
                        const struct wr_change **out, struct weir_error *err)
{
    WR_ASSERT(snapshot->held_table == NULL || snapshot->held_is_last_in_table ||
              snapshot->held_table == table);
    return make_change(snapshot, false, out, err);
}

int wr_pg_snapshot_hold(struct wr_pg_snapshot *snapshot, const struct wr_pg_table *table,
                        struct wr_bytes line, struct weir_error *err)
{
    size_t len = line.len > 0 && line.ptr[line.len - 1] == '\n' ? line.len - 1 : line.len;
    snapshot->rows += snapshot->held_table != NULL ? 1 : 0;
    snapshot->held_table = table;
    snapshot->held_is_first_in_table = snapshot->current != table;
    snapshot->held_is_last_in_table = false;
    snapshot->current = table;
    wr_writer_reset(&snapshot->held);
    wr_put_bytes(&snapshot->held, (struct wr_bytes){line.ptr, len});
    return wr_writer_end(&snapshot->held, err);
}

void wr_pg_snapshot_table_end(struct wr_pg_snapshot *snapshot, const struct wr_pg_table *table)
{
    if (snapshot->held_table == table) {
        snapshot->held_is_last_in_table = true;
    }
}

int wr_pg_snapshot_end(struct wr_pg_snapshot *snapshot, const struct wr_change **out,
                       struct weir_error *err)
{
    return make_change(snapshot, true, out, err);
}
