#include "source/postgres/relation.h"

#include "source/postgres/default.h"
#include "source/postgres/sql.h"

#include <inttypes.h>
#include <jansson.h>

enum {
    TABLE_BYTES_MAX = 64 << 20, /* of one table's description: 1600 columns and their enum labels */
    FIELDS_MAX = 1664           /* MaxTupleAttributeNumber */
};

/* ---- facts: reading the JSON of describe.sql ------------------------------------------------------- */

/* What goes wrong once is said once: the caller looks at `code` at the end. */
struct build {
    struct wr_pg_table *t;
    struct wr_column *columns;
    struct wr_str *skipped;
    struct wr_str *field_names;
    uint32_t *key;
    int *places;
    int code; /* 0, or the first WEIR_E_ */
};

static void spoil(struct build *b, int code)
{
    b->code = b->code == 0 ? code : b->code;
}

static void *room_for(struct build *b, size_t count, size_t size)
{
    void *room = wr_arena_array(&b->t->arena, count + 1, size); /* one more, so that 0 is no NULL */
    if (room == NULL) {
        spoil(b, WEIR_E_NOMEM);
    }
    return room;
}

static struct wr_str copied(struct build *b, struct wr_str s)
{
    char *copy = wr_arena_str(&b->t->arena, s);
    if (copy == NULL) {
        spoil(b, WEIR_E_NOMEM);
        return (struct wr_str){NULL, 0};
    }
    return (struct wr_str){copy, s.len};
}

/* A member that must be text; borrowed from the JSON. */
static struct wr_str text_of(struct build *b, const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    if (!json_is_string(v)) {
        spoil(b, WEIR_E_CORRUPT);
        return (struct wr_str){"", 0};
    }
    return (struct wr_str){json_string_value(v), json_string_length(v)};
}

/* The same, but it may be null or missing: ptr NULL. */
static struct wr_str maybe_text(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    return (struct wr_str){json_string_value(v), v == NULL ? 0 : json_string_length(v)};
}

static int64_t int_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name)); /* 0 for null */
}

static char letter_of(const json_t *object, const char *name)
{
    struct wr_str s = maybe_text(object, name);
    if (s.len != 1) {
        return 0;
    }
    return s.ptr[0];
}

/* ---- columns --------------------------------------------------------------------------------------- */

static void read_labels(struct build *b, const json_t *facts, struct wr_column *column)
{
    const json_t *labels = json_object_get(facts, "labels");
    size_t count = json_array_size(labels);
    struct wr_str *copies = count == 0 ? NULL : room_for(b, count, sizeof(*copies));
    for (size_t i = 0; copies != NULL && i < count; i++) {
        const json_t *label = json_array_get(labels, i);
        copies[i] = copied(b, (struct wr_str){json_string_value(label), json_string_length(label)});
    }
    column->labels = copies;
    column->label_count = copies == NULL ? 0 : count;
}

/* The type that reads the column, or NULL when it has no mapping. */
static const struct wr_pg_type *type_of(const json_t *facts, bool *is_array)
{
    *is_array = json_is_integer(json_object_get(facts, "item"));
    const struct wr_pg_type *type =
        wr_pg_type_find((uint32_t)int_of(facts, *is_array ? "item" : "type"),
                        maybe_text(facts, *is_array ? "item_name" : "type_name"),
                        letter_of(facts, *is_array ? "item_kind" : "kind"));
    return type != NULL && *is_array && !type->is_item ? NULL : type;
}

static void skip_column(struct build *b, const json_t *facts)
{
    struct wr_str name = text_of(b, facts, "name");
    struct wr_str type = maybe_text(facts, "type_name");
    struct wr_writer w = wr_writer_growing(4096);
    wr_put_str(&w, name);
    wr_put_lit(&w, " (");
    wr_put_str(&w, type.ptr == NULL ? WR_STR("a type that is gone") : type);
    wr_put_lit(&w, ")");
    b->skipped[b->t->skipped_count++] = copied(b, wr_writer_str(&w));
    wr_writer_fini(&w);
}

static void read_column(struct build *b, const json_t *facts, size_t field)
{
    bool is_array = false;
    const struct wr_pg_type *type = type_of(facts, &is_array);
    b->field_names[field] = copied(b, text_of(b, facts, "name"));
    if (type == NULL) {
        b->places[field] = WR_PG_FIELD_SKIPPED;
        skip_column(b, facts);
        return;
    }
    size_t place = b->t->table.column_count++;
    struct wr_column *column = &b->columns[place];
    b->places[field] = (int)place;
    b->t->types[place] = type;
    column->name = b->field_names[field];
    column->type_name = copied(b, maybe_text(facts, "type_name"));
    column->type = is_array ? WR_TYPE_ARRAY : type->type;
    column->item = is_array ? type->type : WR_TYPE_UNKNOWN;
    column->is_nullable = !json_is_true(json_object_get(facts, "is_not_null"));
    column->default_value.state = WR_VALUE_ABSENT;
    wr_pg_modifier_read(type, (int32_t)int_of(facts, "typmod"), column);
    read_labels(b, facts, column);
    struct wr_str expression = maybe_text(facts, "default");
    if (expression.ptr != NULL && !is_array) {
        column->default_value = wr_pg_default_of(copied(b, expression), type, column, &b->t->arena);
    }
}

static void read_columns(struct build *b, const json_t *facts)
{
    const json_t *columns = json_object_get(facts, "columns");
    size_t count = json_array_size(columns); /* 0 for a table without columns, whose list is null */
    if (count > FIELDS_MAX) {
        spoil(b, WEIR_E_CORRUPT);
        return;
    }
    b->columns = room_for(b, count, sizeof(*b->columns));
    b->skipped = room_for(b, count, sizeof(*b->skipped));
    b->field_names = room_for(b, count, sizeof(*b->field_names));
    b->places = room_for(b, count, sizeof(*b->places));
    b->t->types = room_for(b, count, sizeof(struct wr_pg_type *));
    for (size_t i = 0; b->code == 0 && i < count; i++) {
        read_column(b, json_array_get(columns, i), i);
    }
    b->t->field_count = count;
    b->t->field_names = b->field_names;
    b->t->places = b->places;
    b->t->skipped = b->skipped;
    b->t->table.columns = b->columns;
}

/* ---- keys ------------------------------------------------------------------------------------------ */

static bool list_has(const json_t *list, struct wr_str name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (wr_str_eq(wr_str_of(json_string_value(json_array_get(list, i))), name)) {
            return true;
        }
    }
    return false;
}

/* Is every name of `part` in `whole`? */
static bool list_within(const json_t *part, const json_t *whole)
{
    for (size_t i = 0; i < json_array_size(part); i++) {
        if (!list_has(whole, wr_str_of(json_string_value(json_array_get(part, i))))) {
            return false;
        }
    }
    return true;
}

static int column_named(const struct wr_table *table, struct wr_str name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (wr_str_eq(table->columns[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

/* Columns of the key that the table does not show (renamed since, or of a type without mapping) are
 * left out of it, as Debezium does. */
static void read_key(struct build *b, const json_t *facts)
{
    const json_t *key = json_object_get(facts, "key");
    const json_t *index = json_object_get(facts, "identity_index");
    if (b->t->identity == 'i' && json_array_size(index) > 0 && !list_within(key, index)) {
        key = index;
        b->t->has_index_key = true;
    }
    size_t count = json_array_size(key);
    b->key = room_for(b, count, sizeof(*b->key));
    for (size_t i = 0; b->code == 0 && i < count; i++) {
        int place =
            column_named(&b->t->table, wr_str_of(json_string_value(json_array_get(key, i))));
        if (place >= 0) {
            b->key[b->t->table.key_count++] = (uint32_t)place;
        }
    }
    b->t->table.key = b->t->table.key_count > 0 ? b->key : NULL;
}

static int read_facts(struct wr_pg_table *t, const json_t *facts, struct wr_str database)
{
    struct build b = {.t = t};
    t->oid = (uint32_t)int_of(facts, "oid");
    t->identity = letter_of(facts, "identity");
    t->table.db = copied(&b, database);
    t->table.schema = copied(&b, text_of(&b, facts, "schema"));
    t->table.name = copied(&b, text_of(&b, facts, "table"));
    read_columns(&b, facts);
    if (b.code == 0) {
        read_key(&b, facts);
    }
    return b.code;
}

int wr_pg_table_new(struct wr_str facts, struct wr_str database, uint64_t version,
                    struct wr_pg_table **out, struct weir_error *err)
{
    json_error_t why;
    json_t *root = json_loadb(facts.ptr, facts.len, JSON_REJECT_DUPLICATES, &why);
    struct wr_pg_table *t = wr_alloc_array(1, sizeof(*t));
    int code = root == NULL || !json_is_object(root) ? WEIR_E_CORRUPT : 0;
    if (t == NULL) {
        code = WEIR_E_NOMEM;
    }
    if (code == 0) {
        t->arena = wr_arena_of(TABLE_BYTES_MAX);
        t->table.version = version;
        t->is_captured = true;
        code = read_facts(t, root, database);
    }
    json_decref(root);
    if (code < 0) {
        wr_pg_table_free(t);
        return wr_fail(err, code,
                       code == WEIR_E_NOMEM ? "no memory for a table's description"
                                            : "a table's description is not as asked for");
    }
    *out = t;
    return 0;
}

void wr_pg_table_free(struct wr_pg_table *table)
{
    if (table != NULL) {
        wr_arena_fini(&table->arena);
        wr_free(table);
    }
}

/* ---- equality -------------------------------------------------------------------------------------- */

static bool value_eq(const struct wr_value *a, const struct wr_value *b, enum wr_type type)
{
    if (a->state != b->state || a->state != WR_VALUE_SET) {
        return a->state == b->state;
    }
    switch (type) {
    case WR_TYPE_BOOL: return a->u.b == b->u.b;
    case WR_TYPE_FLOAT32:
    case WR_TYPE_FLOAT64:
        return a->u.f == b->u.f || (a->u.f != a->u.f && b->u.f != b->u.f); /* NaN */
    case WR_TYPE_INT16:
    case WR_TYPE_INT32:
    case WR_TYPE_INT64:
    case WR_TYPE_DATE:
    case WR_TYPE_TIME:
    case WR_TYPE_TIMETZ:
    case WR_TYPE_TIMESTAMP:
    case WR_TYPE_TIMESTAMPTZ: return a->u.i == b->u.i;
    case WR_TYPE_DECIMAL:
    case WR_TYPE_TEXT:
    case WR_TYPE_JSON:
    case WR_TYPE_XML:
    case WR_TYPE_UUID:
    case WR_TYPE_ENUM:
    case WR_TYPE_BYTES:
    case WR_TYPE_UNKNOWN: return wr_bytes_eq(a->u.bytes, b->u.bytes);
    case WR_TYPE_ARRAY: return false; /* arrays show no default */
    }
    return false;
}

static bool column_eq(const struct wr_column *a, const struct wr_column *b)
{
    bool is_same = wr_str_eq(a->name, b->name) && a->type == b->type && a->item == b->item &&
                   a->is_nullable == b->is_nullable && a->precision == b->precision &&
                   a->scale == b->scale && a->length == b->length &&
                   wr_str_eq(a->type_name, b->type_name) && a->label_count == b->label_count &&
                   value_eq(&a->default_value, &b->default_value, a->type);
    for (size_t i = 0; is_same && i < a->label_count; i++) {
        is_same = wr_str_eq(a->labels[i], b->labels[i]);
    }
    return is_same;
}

bool wr_pg_table_eq(const struct wr_pg_table *a, const struct wr_pg_table *b)
{
    const struct wr_table *x = &a->table;
    const struct wr_table *y = &b->table;
    bool is_same = a->oid == b->oid && a->identity == b->identity &&
                   a->is_captured == b->is_captured && a->field_count == b->field_count &&
                   x->column_count == y->column_count && x->key_count == y->key_count &&
                   wr_str_eq(x->db, y->db) && wr_str_eq(x->schema, y->schema) &&
                   wr_str_eq(x->name, y->name);
    for (size_t i = 0; is_same && i < a->field_count; i++) {
        is_same = a->places[i] == b->places[i];
    }
    for (size_t i = 0; is_same && i < x->column_count; i++) {
        is_same = a->types[i] == b->types[i] && column_eq(&x->columns[i], &y->columns[i]);
    }
    for (size_t i = 0; is_same && i < x->key_count; i++) {
        is_same = x->key[i] == y->key[i];
    }
    return is_same;
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static int read_value(const struct wr_pg_table *table, size_t place, struct wr_bytes text,
                      struct wr_arena *arena, struct wr_value *out, struct wr_pg_bad_value *bad,
                      struct weir_error *err)
{
    const struct wr_column *column = &table->table.columns[place];
    const char *why =
        wr_pg_value_read(table->types[place], column->type == WR_TYPE_ARRAY, text, arena, out);
    if (why == NULL) {
        return 0;
    }
    if (!column->is_nullable) {
        return wr_fail(err, WEIR_E_INPUT, "%.*s.%.*s: column %.*s (%.*s, NOT NULL) has %s: '%.*s'",
                       WR_FMT(table->table.schema), WR_FMT(table->table.name), WR_FMT(column->name),
                       WR_FMT(column->type_name), why, (int)(text.len > 60 ? 60 : text.len),
                       (const char *)text.ptr);
    }
    *out = (struct wr_value){.state = WR_VALUE_NULL};
    if (bad->column == NULL) {
        *bad = (struct wr_pg_bad_value){column, why};
    }
    return 0;
}

/* `null` is what a field that is NULL becomes: NULL, or ABSENT in a tuple that has only the identity. */
static int read_row(const struct wr_pg_table *table, const struct wr_pg_tuple *tuple,
                    enum wr_value_state null, struct wr_arena *arena, struct wr_value *values,
                    struct wr_pg_bad_value *bad, struct weir_error *err)
{
    for (size_t i = 0; i < tuple->count; i++) {
        const struct wr_pg_field *field = &tuple->fields[i];
        if (table->places[i] == WR_PG_FIELD_SKIPPED) {
            continue;
        }
        size_t place = (size_t)table->places[i];
        if (field->kind != WR_PG_FIELD_TEXT) {
            values[place].state = field->kind == WR_PG_FIELD_UNSENT ? WR_VALUE_UNSENT : null;
            continue;
        }
        int rc = read_value(table, place, field->text, arena, &values[place], bad, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int read_tuple(const struct wr_pg_table *table, const struct wr_pg_tuple *tuple,
                      enum wr_value_state null, struct wr_arena *arena, const struct wr_value **out,
                      struct wr_pg_bad_value *bad, struct weir_error *err)
{
    const struct wr_table *t = &table->table;
    if (tuple->count != table->field_count) {
        return wr_fail(err, WEIR_E_CORRUPT, "%.*s.%.*s: a row of %zu columns, %zu were announced",
                       WR_FMT(t->schema), WR_FMT(t->name), tuple->count, table->field_count);
    }
    struct wr_value *values = wr_arena_array(arena, t->column_count + 1, sizeof(*values));
    if (values == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a row of %.*s.%.*s", WR_FMT(t->schema), WR_FMT(t->name));
    }
    int rc = read_row(table, tuple, null, arena, values, bad, err);
    if (rc == 0) {
        *out = values;
    }
    return rc;
}

int wr_pg_table_row(const struct wr_pg_table *table, const struct wr_pg_tuple *tuple,
                    struct wr_arena *arena, const struct wr_value **out,
                    struct wr_pg_bad_value *bad, struct weir_error *err)
{
    return read_tuple(table, tuple, WR_VALUE_NULL, arena, out, bad, err);
}

int wr_pg_table_old_key(const struct wr_pg_table *table, const struct wr_pg_tuple *tuple,
                        struct wr_arena *arena, const struct wr_value **out,
                        struct wr_pg_bad_value *bad, struct weir_error *err)
{
    return read_tuple(table, tuple, WR_VALUE_ABSENT, arena, out, bad, err);
}

/* ---- the registry ---------------------------------------------------------------------------------- */

/* Where `oid` is or would be put. Oids are handed out in sequence, so their low bits spread well. */
static size_t slot_of(const struct wr_pg_tables *tables, uint32_t oid)
{
    size_t i = oid & (tables->slot_count - 1);
    while (tables->slots[i] != NULL && tables->slots[i]->oid != oid) {
        i = (i + 1) & (tables->slot_count - 1);
    }
    return i;
}

struct wr_pg_table *wr_pg_tables_get(struct wr_pg_tables *tables, uint32_t oid)
{
    if (tables->last != NULL && tables->last->oid == oid) {
        return tables->last;
    }
    if (tables->slot_count == 0) {
        return NULL;
    }
    struct wr_pg_table *found = tables->slots[slot_of(tables, oid)];
    tables->last = found;
    return found;
}

/* Twice the slots, so that at most half are taken. */
static bool widen(struct wr_pg_tables *tables)
{
    struct wr_pg_tables wide = {.slot_count =
                                    tables->slot_count == 0 ? 64 : tables->slot_count * 2};
    wide.slots = wr_alloc_array(wide.slot_count, sizeof(struct wr_pg_table *));
    if (wide.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < tables->slot_count; i++) {
        if (tables->slots[i] != NULL) {
            wide.slots[slot_of(&wide, tables->slots[i]->oid)] = tables->slots[i];
        }
    }
    wr_free(tables->slots);
    tables->slots = wide.slots;
    tables->slot_count = wide.slot_count;
    return true;
}

int wr_pg_tables_put(struct wr_pg_tables *tables, struct wr_pg_table *table, struct weir_error *err)
{
    if (tables->count >= WR_PG_TABLES_MAX) {
        wr_pg_table_free(table);
        return wr_fail(err, WEIR_E_LIMIT, "more than %d tables", WR_PG_TABLES_MAX);
    }
    if (tables->count * 2 >= tables->slot_count && !widen(tables)) {
        wr_pg_table_free(table);
        return wr_fail(err, WEIR_E_NOMEM, "table %" PRIu32, table->oid);
    }
    size_t slot = slot_of(tables, table->oid);
    tables->count += tables->slots[slot] == NULL ? 1 : 0;
    wr_pg_table_free(tables->slots[slot]);
    tables->slots[slot] = table;
    tables->last = table;
    return 0;
}

void wr_pg_tables_fini(struct wr_pg_tables *tables)
{
    for (size_t i = 0; i < tables->slot_count; i++) {
        wr_pg_table_free(tables->slots[i]);
    }
    wr_free(tables->slots);
    *tables = (struct wr_pg_tables){0};
}

void wr_pg_columns_put(struct wr_writer *w, const struct wr_pg_relation_column *columns,
                       size_t count)
{
    if (count == 0) {
        wr_put_lit(w, "(NULL::text, NULL::oid, NULL::int, NULL::int, NULL::boolean)");
    }
    for (size_t i = 0; i < count; i++) {
        wr_put_str(w, i == 0 ? WR_STR("(") : WR_STR(", ("));
        wr_pg_literal_put(w, columns[i].name);
        wr_put_fmt(w, "::text, %" PRIu32 "::oid, %" PRId32 "::int, %zu::int, %s)",
                   columns[i].type_oid, columns[i].typmod, i + 1,
                   columns[i].is_identity ? "true" : "false");
    }
}
