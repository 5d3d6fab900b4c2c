/*
 * event.c - one scan finds everything: the members that tell what the value is, and each parameter at every
 * place where it may stand (behind no wrapper or `payload`; in the object itself, `data`, `after`, `before`
 * or `message`). What the record turns out to be says which of these places counts.
 */
#include "data/event.h"

#include "base/iso_time.h"
#include "base/utf8.h"
#include "data/json_scan_parts.h"

#define ARENA_MAX ((size_t)64 << 20)
#define NO_PATH   UINT32_MAX

/* What tells what a value is; for each root. */
enum mark {
    MARK_OP,
    MARK_SOURCE,
    MARK_BEFORE,
    MARK_AFTER,
    MARK_MESSAGE,
    MARK_TYPE,
    MARK_EVENT_TYPE,
    MARK_EVENT_ID,
    MARK_AGGREGATE_ID,
    MARK_DATA,
    MARK_TIMESTAMP,
    MARK_TYPE_FIELD,
    MARK_COUNT
};

static const char *const mark_names[MARK_COUNT] = {
    "op",         "source",   "before",       "after", "message",   "type",
    "event_type", "event_id", "aggregate_id", "data",  "timestamp", NULL};

/* The value itself, or the payload in it. */
enum root {
    ROOT_BARE,
    ROOT_PAYLOAD,
    ROOTS
};

enum wrapper {
    WRAPPER_SCHEMA,
    WRAPPER_SCHEMA_TYPE,
    WRAPPER_PAYLOAD,
    WRAPPER_COUNT
};

struct wr_event_reader {
    struct wr_arena arena;
    const struct wr_parameters *parameters;
    bool has_type_field;
    struct wr_str *types;
    size_t type_count;

    struct wr_json_scan *scan;
    uint32_t wrapper[WRAPPER_COUNT];
    uint32_t marks[ROOTS][MARK_COUNT];
    uint32_t *places; /* [root][kind][parameter]: its path, or NO_PATH */

    struct wr_json_scan *key_scan; /* for keys of the JSON converter: the wrapper's paths only */

    const struct wr_record *record;
    const struct wr_event_place *place;
    enum root root;
    const uint32_t *row; /* of `places`: for this root and kind */
    struct wr_event event;
    char op;       /* of a change or message */
    bool has_time; /* `time_ms` is known */
    int64_t time_ms;
    char time_text[WR_ISO_TIME_LEN + 1];
    char op_text[1];
};

/* ---- compiling ---- */

struct paths {
    struct wr_arena *arena;
    struct wr_json_path *items;
    size_t count;
    size_t cap;
    bool has_failed; /* out of memory */
};

/* Add the path root.section.tail…, any of which may be nothing, and give its index. */
static uint32_t add_path(struct paths *paths, enum root root, const char *section,
                         const struct wr_json_path *tail)
{
    size_t room = 2 + (tail == NULL ? 0 : tail->count);
    struct wr_str *names = wr_arena_array(paths->arena, room, sizeof(*names));
    if (names == NULL) {
        paths->has_failed = true;
        return NO_PATH;
    }
    size_t count = 0;
    if (root == ROOT_PAYLOAD) {
        names[count++] = WR_STR("payload");
    }
    if (section != NULL) {
        names[count++] = wr_str_of(section);
    }
    for (size_t i = 0; tail != NULL && i < tail->count; i++) {
        names[count++] = tail->names[i];
    }
    WR_ASSERT(paths->count < paths->cap);
    paths->items[paths->count] = (struct wr_json_path){names, count};
    return (uint32_t)paths->count++;
}

/* Split "a.b" into a path. */
static struct wr_json_path path_of(struct paths *paths, struct wr_str dotted)
{
    struct wr_str *names = wr_arena_array(paths->arena, dotted.len + 1, sizeof(*names));
    char *copy = wr_arena_str(paths->arena, dotted);
    if (names == NULL || copy == NULL) {
        paths->has_failed = true;
        return (struct wr_json_path){NULL, 0};
    }
    size_t count = 0;
    size_t start = 0;
    for (size_t i = 0; i <= dotted.len; i++) {
        if (i == dotted.len || copy[i] == '.') {
            names[count++] = (struct wr_str){copy + start, i - start};
            start = i + 1;
        }
    }
    return (struct wr_json_path){names, count};
}

/* The member of the root in which a parameter is looked for in an event of a kind; false: nowhere.
 * NULL is the root itself. */
static bool section_of(enum wr_parameter_kind parameter, enum wr_event_kind kind,
                       const char **section)
{
    static const char *const fields[WR_EVENT_KINDS] = {[WR_EVENT_TEXTBOOK] = "data",
                                                       [WR_EVENT_CHANGE] = "after",
                                                       [WR_EVENT_DELETE] = "before",
                                                       [WR_EVENT_MESSAGE] = "message"};
    *section = NULL;
    if (kind == WR_EVENT_NONE) {
        return false;
    }
    if (parameter == WR_PARAMETER_FIELD) {
        *section = fields[kind];
        return true;
    }
    *section = parameter == WR_PARAMETER_BEFORE   ? "before"
               : parameter == WR_PARAMETER_AFTER  ? "after"
               : parameter == WR_PARAMETER_SOURCE ? "source"
                                                  : NULL;
    return *section != NULL && kind != WR_EVENT_PLAIN && kind != WR_EVENT_TEXTBOOK;
}

static uint32_t *place_at(const struct wr_event_reader *reader, enum root root,
                          enum wr_event_kind kind, size_t parameter)
{
    size_t row = (size_t)root * WR_EVENT_KINDS + (size_t)kind;
    return &reader->places[row * reader->parameters->count + parameter];
}

/* Where parameter `index` may stand behind `root`, for each kind of event. */
static void add_places(struct wr_event_reader *reader, struct paths *paths, enum root root,
                       size_t index)
{
    const struct wr_parameter *parameter = &reader->parameters->items[index];
    for (int kind = WR_EVENT_NONE; kind < WR_EVENT_KINDS; kind++) {
        const char *section = NULL;
        bool is_somewhere = section_of(parameter->kind, (enum wr_event_kind)kind, &section);
        *place_at(reader, root, (enum wr_event_kind)kind, index) =
            is_somewhere ? add_path(paths, root, section, &parameter->path) : NO_PATH;
    }
}

static void add_wrapper(struct paths *paths, uint32_t *wrapper)
{
    static const struct wr_str type = WR_STR_INIT("type");
    wrapper[WRAPPER_SCHEMA] = add_path(paths, ROOT_BARE, "schema", NULL);
    wrapper[WRAPPER_SCHEMA_TYPE] =
        add_path(paths, ROOT_BARE, "schema", &(struct wr_json_path){&type, 1});
    wrapper[WRAPPER_PAYLOAD] = add_path(paths, ROOT_PAYLOAD, NULL, NULL);
}

static void add_root(struct wr_event_reader *reader, struct paths *paths, enum root root,
                     const struct wr_json_path *type_field)
{
    for (int mark = 0; mark < MARK_COUNT; mark++) {
        reader->marks[root][mark] = mark == MARK_TYPE_FIELD
                                        ? add_path(paths, root, NULL, type_field)
                                        : add_path(paths, root, mark_names[mark], NULL);
    }
    for (size_t i = 0; i < reader->parameters->count; i++) {
        add_places(reader, paths, root, i);
    }
}

static int out_of_memory(const struct wr_event_reader *reader, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOMEM, "%zu parameters of events", reader->parameters->count);
}

static int open_scans(struct wr_event_reader *reader, const struct wr_event_options *options,
                      struct weir_error *err)
{
    size_t count = reader->parameters->count;
    struct paths paths = {.arena = &reader->arena,
                          .cap = WRAPPER_COUNT + ROOTS * (MARK_COUNT + count * WR_EVENT_KINDS)};
    paths.items = wr_arena_array(&reader->arena, paths.cap, sizeof(*paths.items));
    reader->places = wr_arena_array(&reader->arena, (count + 1) * ROOTS * WR_EVENT_KINDS,
                                    sizeof(*reader->places));
    if (paths.items == NULL || reader->places == NULL) {
        return out_of_memory(reader, err);
    }
    add_wrapper(&paths, reader->wrapper);
    size_t wrapper_count = paths.count;
    struct wr_json_path type_field = path_of(&paths, options->type_field);
    add_root(reader, &paths, ROOT_BARE, &type_field);
    add_root(reader, &paths, ROOT_PAYLOAD, &type_field);
    if (paths.has_failed) {
        return out_of_memory(reader, err);
    }
    int rc = wr_json_scan_new(paths.items, wrapper_count, &reader->key_scan, err);
    return rc < 0 ? rc : wr_json_scan_new(paths.items, paths.count, &reader->scan, err);
}

static int copy_types(struct wr_event_reader *reader, const struct wr_event_options *options,
                      struct weir_error *err)
{
    reader->types = wr_arena_array(&reader->arena, options->type_count + 1, sizeof(*reader->types));
    bool has_all = reader->types != NULL;
    for (size_t i = 0; i < options->type_count && has_all; i++) {
        const char *copy = wr_arena_str(&reader->arena, options->types[i]);
        reader->types[i] = (struct wr_str){copy, options->types[i].len};
        has_all = copy != NULL;
    }
    reader->type_count = options->type_count;
    return has_all ? 0 : out_of_memory(reader, err);
}

int wr_event_reader_new(const struct wr_event_options *options, struct wr_event_reader **out,
                        struct weir_error *err)
{
    struct wr_event_reader *reader = wr_alloc_array(1, sizeof(*reader));
    if (reader == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "reader of events");
    }
    reader->arena = wr_arena_of(ARENA_MAX);
    reader->parameters = options->parameters;
    reader->has_type_field = options->type_field.ptr != NULL;
    int rc = copy_types(reader, options, err);
    rc = rc < 0 ? rc : open_scans(reader, options, err);
    if (rc < 0) {
        wr_event_reader_free(reader);
        return rc;
    }
    *out = reader;
    return 0;
}

void wr_event_reader_free(struct wr_event_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    wr_json_scan_free(reader->scan);
    wr_json_scan_free(reader->key_scan);
    wr_arena_fini(&reader->arena);
    wr_free(reader);
}

/* ---- reading ---- */

static const struct wr_json_value *mark(const struct wr_event_reader *reader, enum mark mark)
{
    return wr_json_scan_at(reader->scan, reader->marks[reader->root][mark]);
}

/* Does a scan's last text look like the output of Connect's JSON converter with schemas.enable? */
static bool is_wrapped(const struct wr_event_reader *reader, const struct wr_json_scan *scan)
{
    const uint32_t *wrapper = reader->wrapper;
    return wr_json_scan_at(scan, wrapper[WRAPPER_PAYLOAD])->kind != WR_JSON_ABSENT &&
           (wr_json_scan_at(scan, wrapper[WRAPPER_SCHEMA])->kind == WR_JSON_NULL ||
            wr_json_scan_at(scan, wrapper[WRAPPER_SCHEMA_TYPE])->kind == WR_JSON_STRING);
}

/* Is it there and not null? */
static bool has(const struct wr_event_reader *reader, enum mark which)
{
    return mark(reader, which)->kind > WR_JSON_NULL;
}

static bool is_object(const struct wr_event_reader *reader, enum mark which)
{
    return mark(reader, which)->kind == WR_JSON_OBJECT;
}

/* Debezium's envelope: its letter, or NUL. */
static char op_of(const struct wr_event_reader *reader)
{
    const struct wr_json_value *op = mark(reader, MARK_OP);
    if (op->kind != WR_JSON_STRING || op->text.len != 1 || !is_object(reader, MARK_SOURCE)) {
        return 0;
    }
    char letter = op->text.ptr[0];
    bool has_rows = mark(reader, MARK_BEFORE)->kind != WR_JSON_ABSENT ||
                    mark(reader, MARK_AFTER)->kind != WR_JSON_ABSENT;
    bool is_row = letter == 'c' || letter == 'r' || letter == 'u' || letter == 'd';
    bool is_message = letter == 'm' && is_object(reader, MARK_MESSAGE);
    if (letter != 't' && !(is_row && has_rows) && !is_message) {
        return 0;
    }
    return letter;
}

static enum wr_event_kind kind_of(const struct wr_event_reader *reader)
{
    switch (reader->op) {
    case 0: break;
    case 'd': return WR_EVENT_DELETE;
    case 'm': return WR_EVENT_MESSAGE;
    default: return WR_EVENT_CHANGE;
    }
    bool is_textbook = has(reader, MARK_EVENT_ID) && has(reader, MARK_EVENT_TYPE) &&
                       has(reader, MARK_AGGREGATE_ID) && is_object(reader, MARK_DATA);
    return is_textbook ? WR_EVENT_TEXTBOOK : WR_EVENT_PLAIN;
}

static struct wr_str text_at(const struct wr_event_reader *reader, enum mark which)
{
    const struct wr_json_value *value = mark(reader, which);
    return value->kind == WR_JSON_STRING ? value->text : (struct wr_str){NULL, 0};
}

/* The type that the value says. */
static struct wr_str type_in_value(const struct wr_event_reader *reader)
{
    switch (reader->op) {
    case 'c': return WR_STR("create");
    case 'r': return WR_STR("read");
    case 'u': return WR_STR("update");
    case 'd': return WR_STR("delete");
    case 't': return WR_STR("truncate");
    case 'm': return WR_STR("message");
    default: break;
    }
    if (reader->has_type_field) {
        return text_at(reader, MARK_TYPE_FIELD);
    }
    struct wr_str type = text_at(reader, MARK_TYPE);
    return type.ptr != NULL ? type : text_at(reader, MARK_EVENT_TYPE);
}

static uint32_t wanted_index(const struct wr_event_reader *reader, struct wr_str type)
{
    for (size_t i = 0; i < reader->type_count && type.ptr != NULL; i++) {
        if (wr_str_eq(reader->types[i], type)) {
            return (uint32_t)i;
        }
    }
    return WR_EVENT_UNWANTED;
}

static struct wr_str header_text(const struct wr_event_reader *reader, const char *name)
{
    if (reader->record->header_count == 0) {
        return (struct wr_str){NULL, 0};
    }
    return wr_str_of_bytes(wr_record_header(reader->record, name));
}

/* Look into the value; the event's type is what the header said, or nothing. */
static int read_value(struct wr_event_reader *reader, struct weir_error *err)
{
    struct wr_event *event = &reader->event;
    int rc = wr_json_scan_run(reader->scan, reader->record->value, err);
    if (rc < 0) {
        return wr_wrap(err, "value");
    }
    if (is_wrapped(reader, reader->scan)) {
        reader->root = ROOT_PAYLOAD;
        const struct wr_json_value *payload =
            wr_json_scan_at(reader->scan, reader->wrapper[WRAPPER_PAYLOAD]);
        if (payload->kind == WR_JSON_NULL) {
            event->kind = WR_EVENT_NONE;
            event->wanted = WR_EVENT_UNWANTED;
            return 0;
        }
    }
    reader->op = op_of(reader);
    event->kind = kind_of(reader);
    reader->row = place_at(reader, reader->root, event->kind, 0);
    if (event->type.ptr == NULL) {
        event->type = type_in_value(reader);
        event->wanted = wanted_index(reader, event->type);
    }
    return 0;
}

int wr_event_read(struct wr_event_reader *reader, const struct wr_event_place *place,
                  const struct wr_record *record, const struct wr_event **out,
                  struct weir_error *err)
{
    reader->record = record;
    reader->place = place;
    reader->root = ROOT_BARE;
    reader->op = 0;
    reader->has_time = false;
    reader->event = (struct wr_event){.kind = WR_EVENT_NONE, .wanted = WR_EVENT_UNWANTED};
    *out = &reader->event;
    if (record->value.ptr == NULL) {
        return 0;
    }
    struct wr_str type = header_text(reader, "ce_type");
    if (type.ptr != NULL) {
        reader->event.kind = WR_EVENT_PLAIN;
        reader->event.type = type;
        reader->event.wanted = wanted_index(reader, type);
        if (reader->event.wanted == WR_EVENT_UNWANTED) {
            return 0;
        }
    }
    return read_value(reader, err);
}

/* ---- values ---- */

static int64_t find_time(const struct wr_event_reader *reader)
{
    int64_t ms = reader->record->timestamp_ms;
    if (wr_iso_time_parse(header_text(reader, "ce_time"), &ms)) {
        return ms;
    }
    if (reader->event.kind == WR_EVENT_PLAIN || reader->event.kind == WR_EVENT_TEXTBOOK) {
        (void)wr_iso_time_parse(text_at(reader, MARK_TIMESTAMP), &ms); /* else the record's stays */
    }
    return ms;
}

int64_t wr_event_time_ms(struct wr_event_reader *reader)
{
    if (!reader->has_time) {
        reader->time_ms = find_time(reader);
        reader->has_time = true;
    }
    return reader->time_ms;
}

static int missing(const struct wr_parameter *parameter, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_INPUT, "the event has no '%.*s' (write :%.*s? for NULL)",
                   WR_FMT(parameter->text), WR_FMT(parameter->text));
}

static struct wr_bind text_bind(struct wr_str text)
{
    return (struct wr_bind){.kind = WR_BIND_TEXT, .text = text};
}

static struct wr_bind int_bind(int64_t number)
{
    return (struct wr_bind){.kind = WR_BIND_INT, .u.i = number};
}

/* False when there is no value. Only what the kind has is written. */
static bool json_bind(const struct wr_json_value *value, struct wr_bind *out)
{
    static const enum wr_bind_kind kinds[] = {
        [WR_JSON_ABSENT] = WR_BIND_NULL, [WR_JSON_NULL] = WR_BIND_NULL,
        [WR_JSON_BOOL] = WR_BIND_BOOL,   [WR_JSON_INT] = WR_BIND_INT,
        [WR_JSON_REAL] = WR_BIND_REAL,   [WR_JSON_NUMBER] = WR_BIND_NUMBER,
        [WR_JSON_STRING] = WR_BIND_TEXT, [WR_JSON_OBJECT] = WR_BIND_JSON,
        [WR_JSON_ARRAY] = WR_BIND_JSON};
    out->kind = kinds[value->kind];
    out->text = value->text;
    if (value->kind == WR_JSON_BOOL) {
        out->u.b = value->u.b;
    } else if (value->kind == WR_JSON_REAL) {
        out->u.f = value->u.f;
    } else {
        out->u.i = value->u.i;
    }
    return value->kind != WR_JSON_ABSENT;
}

static int checked_text(struct wr_str text, const char *what, struct wr_bind *out,
                        struct weir_error *err)
{
    size_t good = wr_utf8_span(wr_bytes_of_str(text));
    if (good < text.len) {
        return wr_fail(err, WEIR_E_INPUT, "%s is not UTF-8 at byte %zu", what, good);
    }
    *out = text_bind(text);
    return 0;
}

/* The key as text; one of Connect's JSON converter without its schema. */
static int key_bind(struct wr_event_reader *reader, struct wr_bind *out, struct weir_error *err)
{
    struct wr_bytes key = reader->record->key;
    struct weir_error unused;
    if (key.len > 0 && key.ptr[0] == '{' && wr_json_scan_run(reader->key_scan, key, &unused) == 0 &&
        is_wrapped(reader, reader->key_scan)) {
        (void)json_bind(wr_json_scan_at(reader->key_scan, reader->wrapper[WRAPPER_PAYLOAD]), out);
        return 0;
    }
    return checked_text(wr_str_of_bytes(key), "the record's key", out, err);
}

static int id_bind(struct wr_event_reader *reader, struct wr_bind *out, struct weir_error *err)
{
    struct wr_str id = header_text(reader, "ce_id");
    return id.ptr != NULL ? checked_text(id, "the header ce_id", out, err)
                          : (int)json_bind(mark(reader, MARK_EVENT_ID), out) - 1;
}

static void time_bind(struct wr_event_reader *reader, struct wr_bind *out)
{
    wr_iso_time_format(wr_event_time_ms(reader), reader->time_text);
    *out = text_bind((struct wr_str){reader->time_text, WR_ISO_TIME_LEN});
}

/* Does the event have the value of a built-in that is not in its JSON? */
static bool has_built_in(const struct wr_event_reader *reader, enum wr_parameter_kind kind)
{
    if (kind == WR_PARAMETER_ID) {
        return header_text(reader, "ce_id").ptr != NULL || has(reader, MARK_EVENT_ID);
    }
    return !(kind == WR_PARAMETER_KEY && reader->record->key.ptr == NULL) &&
           !(kind == WR_PARAMETER_VERSION && reader->place->version < 0) &&
           !(kind == WR_PARAMETER_OP && reader->op == 0);
}

static int built_in_bind(struct wr_event_reader *reader, enum wr_parameter_kind kind,
                         struct wr_bind *out, struct weir_error *err)
{
    switch (kind) {
    case WR_PARAMETER_TYPE: break;
    case WR_PARAMETER_ID: return id_bind(reader, out, err);
    case WR_PARAMETER_KEY: return key_bind(reader, out, err);
    case WR_PARAMETER_VERSION: *out = int_bind(reader->place->version); return 0;
    case WR_PARAMETER_OFFSET: *out = int_bind(reader->place->offset); return 0;
    case WR_PARAMETER_PARTITION: *out = int_bind(reader->place->partition); return 0;
    case WR_PARAMETER_TIME: time_bind(reader, out); return 0;
    case WR_PARAMETER_OP:
        reader->op_text[0] = reader->op;
        *out = text_bind((struct wr_str){reader->op_text, 1});
        return 0;
    case WR_PARAMETER_FIELD:
    case WR_PARAMETER_BEFORE:
    case WR_PARAMETER_AFTER:
    case WR_PARAMETER_SOURCE:
    default: break;
    }
    WR_ASSERT(kind == WR_PARAMETER_TYPE); /* the others are in the JSON */
    *out = text_bind(reader->event.type);
    return 0;
}

int wr_event_value(struct wr_event_reader *reader, const struct wr_parameter_use *use,
                   struct wr_bind *out, struct weir_error *err)
{
    WR_ASSERT(use->parameter < reader->parameters->count);
    const struct wr_parameter *parameter = &reader->parameters->items[use->parameter];
    uint32_t path = reader->row[use->parameter];
    if (path != NO_PATH && json_bind(wr_json_scan_at(reader->scan, path), out)) {
        return 0;
    }
    bool is_in_json =
        parameter->kind == WR_PARAMETER_FIELD || parameter->kind >= WR_PARAMETER_BEFORE;
    if (!is_in_json && has_built_in(reader, parameter->kind)) {
        return built_in_bind(reader, parameter->kind, out, err);
    }
    *out = (struct wr_bind){.kind = WR_BIND_NULL};
    return use->is_optional ? 0 : missing(parameter, err);
}
