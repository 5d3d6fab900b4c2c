/*
 * The envelope against Debezium 3.5.0.Final: every record that Debezium wrote for test/wire/debezium's
 * changes, byte for byte, under five configurations; then what only weir does.
 */
#include "data/envelope.h"

#include "base/vfs.h"
#include "data/json_converter.h"
#include "debezium_changes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- a recorded file --------------------------------------------------------------------------------- */

enum {
    SCHEMAS_MAX = 64,
    TEXT_MAX = 1 << 20
};

struct recorded {
    struct wr_bytes file;
    struct wr_str left; /* not read yet */
    struct wr_str schemas[SCHEMAS_MAX];
    size_t schema_count;
};

static struct wr_str take_line(struct recorded *in)
{
    const char *end = memchr(in->left.ptr, '\n', in->left.len);
    assert_non_null(end);
    struct wr_str line = {in->left.ptr, (size_t)(end - in->left.ptr)};
    in->left.ptr += line.len + 1;
    in->left.len -= line.len + 1;
    return line;
}

static struct recorded recorded_open(const char *name)
{
    struct recorded in = {0};
    struct weir_error err;
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/debezium/%s.records", WEIR_WIRE, name);
    if (wr_vfs_read_file(wr_vfs_os(), path, TEXT_MAX, &in.file, &err) != 0) {
        fail_msg("%s", err.text);
    }
    in.left = wr_str_of_bytes(in.file);
    while (in.left.len > 0 && in.left.ptr[0] == 'S') {
        struct wr_str line = take_line(&in);
        assert_true(in.schema_count < SCHEMAS_MAX);
        in.schemas[in.schema_count++] = (struct wr_str){line.ptr + 2, line.len - 2};
    }
    return in;
}

static void recorded_close(struct recorded *in)
{
    wr_free((void *)(uintptr_t)in->file.ptr);
}

/* A record as the file has it, with $N for the schemas that it lists. */
static void put_with_schemas(struct wr_writer *w, const struct recorded *in, struct wr_bytes bytes)
{
    struct wr_str text = wr_str_of_bytes(bytes);
    for (size_t i = 0; i < in->schema_count; i++) {
        struct wr_str schema = in->schemas[i];
        size_t head = sizeof("{\"schema\":") - 1;
        if (text.len > head + schema.len && memcmp(text.ptr + head, schema.ptr, schema.len) == 0 &&
            text.ptr[head + schema.len] == ',') {
            wr_put_fmt(w, "{\"schema\":$%zu", i);
            text.ptr += head + schema.len;
            text.len -= head + schema.len;
            break;
        }
    }
    wr_put_str(w, text);
}

static void put_record(struct wr_writer *w, const struct recorded *in,
                       const struct wr_envelope_record *record)
{
    wr_put_fmt(w, "T %.*s", WR_FMT(record->topic->name));
    if (record->partition != WR_ENVELOPE_BY_KEY) {
        wr_put_fmt(w, " %u", record->partition);
    }
    wr_put_lit(w, "\nK");
    if (record->record.key.ptr != NULL) {
        wr_put_u8(w, ' ');
        put_with_schemas(w, in, record->record.key);
    }
    wr_put_lit(w, "\nV");
    if (record->record.value.ptr != NULL) {
        wr_put_u8(w, ' ');
        put_with_schemas(w, in, record->record.value);
    }
    wr_put_u8(w, '\n');
    for (size_t i = 0; i < record->record.header_count; i++) {
        const struct wr_header *header = &record->record.headers[i];
        wr_put_fmt(w, "H %.*s %.*s\n", WR_FMT(header->name),
                   WR_FMT(wr_str_of_bytes(header->value)));
    }
    wr_put_u8(w, '\n');
}

/* Fail with the place at which two lines differ, and what is around it. */
static void fail_at_difference(struct wr_str got, struct wr_str want)
{
    size_t at = 0;
    while (at < got.len && at < want.len && got.ptr[at] == want.ptr[at]) {
        at++;
    }
    size_t from = at < 60 ? 0 : at - 60;
    struct wr_str seen = {got.ptr + from, got.len - from < 160 ? got.len - from : 160};
    struct wr_str wanted = {want.ptr + from, want.len - from < 160 ? want.len - from : 160};
    fail_msg("byte %zu\ngot  %.*s\nwant %.*s", at, WR_FMT(seen), WR_FMT(wanted));
}

/* Compare with the next lines of the file. */
static void assert_recorded(struct recorded *in, struct wr_str ours)
{
    while (ours.len > 0) {
        const char *end = memchr(ours.ptr, '\n', ours.len);
        struct wr_str got = {ours.ptr, (size_t)(end - ours.ptr)};
        struct wr_str want = take_line(in);
        if (!wr_str_eq(got, want)) {
            fail_at_difference(got, want);
        }
        ours.ptr += got.len + 1;
        ours.len -= got.len + 1;
    }
}

/* ---- envelopes --------------------------------------------------------------------------------------- */

struct setup {
    struct wr_envelope_options options;
    struct wr_json_converter_options key;
    struct wr_json_converter_options value;
};

static struct setup setup_of(bool has_schemas)
{
    struct setup s = {wr_envelope_defaults(), wr_json_converter_defaults(),
                      wr_json_converter_defaults()};
    s.options.topic_prefix = WR_STR("app");
    s.options.database = WR_STR("app_db");
    s.options.weir_headers = false;
    s.options.run_id = WR_STR("01a20cae-a294-7df8-ac0a-87436a49f57d");
    s.key.schemas_enable = has_schemas;
    s.value.schemas_enable = has_schemas;
    return s;
}

static struct wr_envelope *open_envelope(const struct setup *s)
{
    struct wr_envelope_options options = s->options;
    struct wr_envelope *envelope = NULL;
    struct weir_error err;
    assert_int_equal(wr_json_converter_new(&s->key, &options.key_converter, &err), 0);
    assert_int_equal(wr_json_converter_new(&s->value, &options.value_converter, &err), 0);
    assert_int_equal(wr_envelope_new(&options, &envelope, &err), 0);
    return envelope;
}

static const int64_t now_us = INT64_C(1800000000456789);

/* The place that every recorded change has after masking. */
static struct wr_change placed(const struct wr_change *change, bool has_last_commit)
{
    struct wr_change c = *change;
    c.origin.ts_us = INT64_C(1700000000123456);
    c.origin.tx_id = 700;
    c.origin.lsn = 26870000;
    c.origin.has_last_commit = has_last_commit;
    c.origin.last_commit_lsn = 26869000;
    return c;
}

/* Pass over a record of the file. */
static void skip_record(struct recorded *in)
{
    while (take_line(in).len > 0) {
    }
}

/* NaN in an array of decimals: Debezium's parser gives up on the array where text or doubles have room for
 * it; weir shows it (docs/formats.md). */
static bool is_better(const struct setup *s, const struct wr_change *change)
{
    return change->after == arrays_rows[2] && s->options.modes.decimal != WR_DECIMAL_PRECISE;
}

/* Put one change through and compare; the number of warnings. */
static size_t compare_one(struct recorded *in, struct wr_envelope *envelope,
                          const struct wr_change *change)
{
    WR_CLEANUP(wr_writer_fini) struct wr_writer w = wr_writer_growing(TEXT_MAX);
    struct wr_envelope_output out;
    struct weir_error err;
    if (wr_envelope_change(envelope, change, now_us, &out, &err) != 0) {
        fail_msg("%s", err.text);
    }
    for (size_t i = 0; i < out.record_count; i++) {
        put_record(&w, in, &out.records[i]);
    }
    assert_recorded(in, wr_writer_str(&w));
    return out.warning_count;
}

/* Put `changes` through and compare with the file; the number of warnings. */
static size_t compare(const char *name, const struct setup *s, const struct wr_change *changes,
                      size_t count)
{
    struct recorded in = recorded_open(name);
    struct wr_envelope *envelope = open_envelope(s);
    size_t warnings = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_better(s, &changes[i])) {
            skip_record(&in);
            continue;
        }
        bool is_first = i == 0 || changes[i].op == WR_OP_READ;
        struct wr_change change = placed(&changes[i], !is_first);
        warnings += compare_one(&in, envelope, &change);
    }
    assert_int_equal(in.left.len, 0);
    wr_envelope_free(envelope);
    recorded_close(&in);
    return warnings;
}

static void writes_what_debezium_writes_by_default(void **state)
{
    (void)state;
    struct setup s = setup_of(true);
    s.options.skipped_ops = WR_SKIP_NONE;
    /* NaN and the infinities in `types`, NaN in an array, the numeric that TOAST left out */
    assert_int_equal(compare("schemas", &s, streamed, COUNT(streamed)), 6);
}

static void writes_decimals_as_text_and_times_as_connect_does(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    s.options.skipped_ops = WR_SKIP_NONE;
    s.options.modes = (struct wr_connect_modes){WR_DECIMAL_STRING, WR_TIME_CONNECT,
                                                WR_BINARY_BASE64, wr_bytes_of_str(WR_STR("--"))};
    s.options.extended_headers = false;
    assert_int_equal(compare("string_connect", &s, streamed, COUNT(streamed)), 1);
}

static void writes_decimals_as_doubles_and_nulls_as_nulls(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    s.options.modes.decimal = WR_DECIMAL_DOUBLE;
    s.options.modes.time = WR_TIME_ADAPTIVE_MICROSECONDS;
    s.options.modes.binary = WR_BINARY_HEX;
    s.options.tombstones_on_delete = false;
    s.key.replace_null_with_default = false;
    s.value.replace_null_with_default = false;
    assert_int_equal(compare("double_micros", &s, streamed, COUNT(streamed)), 1);
}

static void writes_snapshot_marks_and_decimals_as_numbers(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    s.options.modes.binary = WR_BINARY_BASE64_URL_SAFE;
    s.value.decimal_numeric = true;
    assert_int_equal(compare("snapshot", &s, snapshotted, COUNT(snapshotted)), 0);
}

static void writes_heartbeats(void **state)
{
    (void)state;
    struct setup s = setup_of(true);
    struct recorded in = recorded_open("heartbeat");
    struct wr_envelope *envelope = open_envelope(&s);
    struct wr_writer w = wr_writer_growing(TEXT_MAX);
    struct wr_envelope_output out;
    struct weir_error err;
    assert_int_equal(wr_envelope_heartbeat(envelope, now_us, &out, &err), 0);
    assert_int_equal(out.record_count, 1);
    put_record(&w, &in, &out.records[0]);
    assert_recorded(&in, wr_writer_str(&w));
    wr_writer_fini(&w);
    wr_envelope_free(envelope);
    recorded_close(&in);
}

/* ---- the textbook ------------------------------------------------------------------------------------ */

static struct wr_envelope_output change_of(struct wr_envelope *envelope,
                                           const struct wr_change *change)
{
    struct wr_change c = placed(change, true);
    struct wr_envelope_output out;
    struct weir_error err;
    if (wr_envelope_change(envelope, &c, now_us, &out, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return out;
}

static void assert_text(struct wr_bytes got, const char *want)
{
    if (!wr_bytes_eq(got, wr_bytes_of_str(wr_str_of(want)))) {
        fail_at_difference(wr_str_of_bytes(got), wr_str_of(want));
    }
}

static void writes_the_event_of_the_textbook(void **state)
{
    (void)state;
    static const struct wr_value row[] = {I(1001), I(501), T("29.99"), T("pending"),
                                          I(1710500000000000)};
    const struct wr_change insert = CREATE(orders, row);
    struct setup s = setup_of(false);
    s.options.modes.decimal = WR_DECIMAL_DOUBLE;
    struct wr_envelope *envelope = open_envelope(&s);
    struct wr_envelope_output out = change_of(envelope, &insert);
    assert_int_equal(out.record_count, 1);
    assert_string_equal(out.records[0].topic->name.ptr, "app.public.orders");
    assert_text(out.records[0].record.key, "{\"order_id\":1001}");
    assert_text(
        out.records[0].record.value,
        "{\"before\":null,\"after\":{\"order_id\":1001,\"customer_id\":501,\"amount\":29.99,"
        "\"status\":\"pending\",\"created_at\":1710500000000},\"source\":{\"version\":"
        "\"3.5.0.Final\",\"connector\":\"postgresql\",\"name\":\"app\",\"ts_ms\":"
        "1700000000123,\"snapshot\":\"false\",\"db\":\"app_db\",\"sequence\":"
        "\"[\\\"26869000\\\",\\\"26870000\\\"]\",\"ts_us\":1700000000123456,\"ts_ns\":"
        "1700000000123456000,\"schema\":\"public\",\"table\":\"orders\",\"txId\":700,"
        "\"lsn\":26870000,\"xmin\":null,\"origin\":null,\"origin_lsn\":null},"
        "\"transaction\":null,\"op\":\"c\",\"ts_ms\":1800000000456,\"ts_us\":"
        "1800000000456789,\"ts_ns\":1800000000456789000}");
    wr_envelope_free(envelope);
}

/* ---- what weir adds ---------------------------------------------------------------------------------- */

static const char *header_of(const struct wr_envelope_record *record, const char *name)
{
    static char text[256];
    struct wr_bytes value = wr_record_header(&record->record, name);
    if (value.ptr == NULL) {
        return NULL;
    }
    (void)snprintf(text, sizeof(text), "%.*s", WR_FMT(wr_str_of_bytes(value)));
    return text;
}

static struct wr_envelope *open_plain(void)
{
    struct setup s = setup_of(false);
    s.options.weir_headers = true;
    return open_envelope(&s);
}

static void keeps_the_schema_of_values_without_one(void **state)
{
    (void)state;
    struct wr_envelope *envelope = open_plain();
    const struct wr_change insert = CREATE(orders, orders_rows[0]);
    struct wr_envelope_output out = change_of(envelope, &insert);
    assert_int_equal(out.record_count, 2);
    assert_string_equal(out.records[0].topic->name.ptr, "__weir_schemas");
    assert_true(out.records[0].topic->is_internal);
    assert_int_equal(out.records[0].record.key.len, 16);
    char id[17];
    (void)snprintf(id, sizeof(id), "%.*s", WR_FMT(wr_str_of_bytes(out.records[0].record.key)));
    assert_string_equal(header_of(&out.records[1], "weir.schema"), id);
    struct recorded in = recorded_open("schemas");
    struct wr_str schema = wr_str_of_bytes(out.records[0].record.value);
    bool is_debezium = false;
    for (size_t i = 0; i < in.schema_count; i++) {
        is_debezium = is_debezium || wr_str_eq(schema, in.schemas[i]);
    }
    assert_true(is_debezium);
    recorded_close(&in);
    out = change_of(envelope, &insert);
    assert_int_equal(out.record_count, 1);
    assert_string_equal(header_of(&out.records[0], "weir.schema"), id);
    wr_envelope_free(envelope);
}

static void writes_a_schema_again_after_a_rewind(void **state)
{
    (void)state;
    struct wr_envelope *envelope = open_plain();
    const struct wr_change insert = CREATE(orders, orders_rows[0]);
    assert_int_equal(change_of(envelope, &insert).record_count, 2);
    assert_int_equal(change_of(envelope, &insert).record_count, 1);
    wr_envelope_rewind(envelope);
    assert_int_equal(change_of(envelope, &insert).record_count, 2);
    assert_int_equal(change_of(envelope, &insert).record_count, 1);
    wr_envelope_free(envelope);
}

static void a_changed_table_has_another_schema_and_the_same_topic(void **state)
{
    (void)state;
    struct wr_envelope *envelope = open_plain();
    struct wr_table wider = cut_b;
    wider.name = cut_a.name;
    wider.version = 1000;
    const struct wr_change before = CREATE(cut_a, cut_rows[0]);
    const struct wr_change after = CREATE(wider, cut_rows[0]);
    struct wr_envelope_output out = change_of(envelope, &before);
    struct wr_envelope_topic *topic = out.records[1].topic;
    topic->user = &wider;
    char id[17];
    (void)snprintf(id, sizeof(id), "%.*s", WR_FMT(wr_str_of_bytes(out.records[0].record.key)));
    out = change_of(envelope, &after);
    assert_int_equal(out.record_count, 2);
    assert_ptr_equal(out.records[1].topic, topic);
    assert_ptr_equal(out.records[1].topic->user, &wider);
    assert_string_not_equal(header_of(&out.records[1], "weir.schema"), id);
    wr_envelope_free(envelope);
}

static void values_with_a_schema_need_none_beside_them(void **state)
{
    (void)state;
    struct setup s = setup_of(true);
    s.options.weir_headers = true;
    struct wr_envelope *envelope = open_envelope(&s);
    const struct wr_change insert = CREATE(orders, orders_rows[0]);
    struct wr_envelope_output out = change_of(envelope, &insert);
    assert_int_equal(out.record_count, 1);
    assert_null(header_of(&out.records[0], "weir.schema"));
    wr_envelope_free(envelope);
}

static void names_the_columns_that_show_what_they_do_not_hold(void **state)
{
    (void)state;
    struct wr_envelope *envelope = open_plain();
    static const struct wr_value defaulted[] = {I(1), T("one")};
    const struct wr_change nulls = CREATE(full_old, full_old_rows[0]);
    const struct wr_change unsent = UPDATE(toast, NULL, toast_rows[1]);
    const struct wr_change key_only = DELETE(composite, composite_rows[4]);
    const struct wr_change whole = CREATE(no_key, defaulted);
    struct wr_envelope_output out = change_of(envelope, &nulls);
    assert_string_equal(header_of(&out.records[1], "weir.hidden"), "{\"null\":[\"n\"]}");
    out = change_of(envelope, &unsent);
    assert_string_equal(header_of(&out.records[1], "weir.hidden"),
                        "{\"unsent\":[\"t\",\"by\",\"j\",\"at\",\"ai\",\"ai8\",\"num\",\"ax\"]}");
    out = change_of(envelope, &key_only);
    assert_int_equal(out.record_count, 3);
    assert_string_equal(header_of(&out.records[1], "weir.hidden"), "{\"unsent\":[\"b\"]}");
    assert_null(header_of(&out.records[2], "weir.hidden")); /* the tombstone */
    assert_null(header_of(&out.records[2], "weir.schema"));
    out = change_of(envelope, &whole);
    assert_null(header_of(&out.records[1], "weir.hidden"));
    wr_envelope_free(envelope);
}

static void a_null_that_shows_as_null_is_not_hidden(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    s.options.weir_headers = true;
    s.value.replace_null_with_default = false;
    struct wr_envelope *envelope = open_envelope(&s);
    const struct wr_change nulls = CREATE(full_old, full_old_rows[0]);
    struct wr_envelope_output out = change_of(envelope, &nulls);
    assert_null(header_of(&out.records[1], "weir.hidden"));
    wr_envelope_free(envelope);
}

static void messages_have_no_context_but_a_schema(void **state)
{
    (void)state;
    struct wr_envelope *envelope = open_plain();
    const struct wr_change message = MESSAGE(true, "p", "c");
    struct wr_envelope_output out = change_of(envelope, &message);
    assert_int_equal(out.record_count, 2);
    assert_int_equal(out.records[1].record.header_count, 1);
    assert_non_null(header_of(&out.records[1], "weir.schema"));
    wr_envelope_free(envelope);
}

/* ---- refusals ---------------------------------------------------------------------------------------- */

static int failure_of(struct wr_envelope *envelope, const struct wr_change *change,
                      struct weir_error *err)
{
    struct wr_envelope_output out;
    struct wr_change c = placed(change, true);
    return wr_envelope_change(envelope, &c, now_us, &out, err);
}

static const struct wr_column strict_columns[] = {
    REQ("id", WR_TYPE_INT32), COLUMN("n", WR_TYPE_DECIMAL, false, 5, 2, ABSENT)};
static const struct wr_table strict = TABLE(100, "public", "strict", strict_columns, first_column);
static const struct wr_column lenient_columns[] = {
    REQ("id", WR_TYPE_INT32), COLUMN("n", WR_TYPE_DECIMAL, false, 5, 2, T("1.50"))};
static const struct wr_table lenient =
    TABLE(101, "public", "lenient", lenient_columns, first_column);
static const struct wr_value nan_row[] = {I(1), T("NaN")};

static void a_value_without_a_place_in_a_not_null_column_is_an_error(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    struct wr_envelope *envelope = open_envelope(&s);
    struct weir_error err;
    const struct wr_change change = CREATE(strict, nan_row);
    assert_int_equal(failure_of(envelope, &change, &err), WEIR_E_INPUT);
    assert_string_equal(err.text,
                        "table public.strict: column n is NOT NULL and holds NaN in a precise "
                        "decimal, which the record cannot show; decimal.handling.mode=string has "
                        "room for it");
    wr_envelope_free(envelope);
}

static void a_value_without_a_place_shows_as_the_default_and_warns(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    s.options.weir_headers = true;
    s.value.replace_null_with_default = false; /* the default is written as a value */
    struct wr_envelope *envelope = open_envelope(&s);
    const struct wr_change change = CREATE(lenient, nan_row);
    struct wr_envelope_output out = change_of(envelope, &change);
    assert_int_equal(out.warning_count, 1);
    assert_ptr_equal(out.warnings[0].table, &lenient);
    assert_ptr_equal(out.warnings[0].column, &lenient_columns[1]);
    assert_string_equal(out.warnings[0].what, "NaN in a precise decimal");
    static const char start[] = "{\"before\":null,\"after\":{\"id\":1,\"n\":\"AJY=\"}";
    assert_memory_equal(out.records[1].record.value.ptr, start, sizeof(start) - 1);
    assert_string_equal(header_of(&out.records[1], "weir.hidden"), "{\"null\":[\"n\"]}");
    wr_envelope_free(envelope);
}

static void an_old_row_without_its_key_is_refused(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    struct wr_envelope *envelope = open_envelope(&s);
    struct weir_error err;
    static const struct wr_value index_only[] = {ABSENT, I(7), ABSENT};
    const struct wr_change change = DELETE(composite, index_only);
    assert_int_equal(failure_of(envelope, &change, &err), WEIR_E_REFUSED);
    assert_string_equal(err.text, "table public.composite: old rows come without column c of the "
                                  "key; run ALTER TABLE \"public\".\"composite\" REPLICA IDENTITY "
                                  "DEFAULT");
    wr_envelope_free(envelope);
}

static void a_delete_without_its_old_row_is_no_record(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    struct wr_envelope *envelope = open_envelope(&s);
    const struct wr_change change = DELETE(composite, NULL);
    assert_int_equal(change_of(envelope, &change).record_count, 0);
    wr_envelope_free(envelope);
}

static void each_record_of_a_moved_row_is_skipped_by_its_own_operation(void **state)
{
    (void)state;
    const struct wr_change move = UPDATE(composite, composite_rows[2], composite_rows[3]);
    const struct wr_change stay = UPDATE(composite, NULL, composite_rows[1]);
    struct setup s = setup_of(false);
    s.options.skipped_ops = WR_SKIP_DELETE;
    struct wr_envelope *envelope = open_envelope(&s);
    struct wr_envelope_output out = change_of(envelope, &move);
    assert_int_equal(out.record_count, 1);
    assert_string_equal(header_of(&out.records[0], "__debezium.oldkey"), "{\"c\":9,\"a\":\"x\"}");
    wr_envelope_free(envelope);
    s.options.skipped_ops = WR_SKIP_UPDATE | WR_SKIP_CREATE;
    envelope = open_envelope(&s);
    assert_int_equal(change_of(envelope, &move).record_count, 2);
    assert_int_equal(change_of(envelope, &stay).record_count, 0);
    wr_envelope_free(envelope);
}

static void a_record_over_its_limit_names_topic_and_key(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    s.options.record_max_bytes = 2000;
    struct wr_envelope *envelope = open_envelope(&s);
    struct weir_error err;
    const struct wr_change change = CREATE(toast_full, toast_full_rows[0]);
    assert_int_equal(failure_of(envelope, &change, &err), WEIR_E_LIMIT);
    assert_string_equal(
        err.text, "value for topic app.public.toast_full, key {\"id\":1}: more than 2000 bytes");
    wr_envelope_free(envelope);
}

static void a_type_without_mapping_is_named(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    struct wr_envelope *envelope = open_envelope(&s);
    struct weir_error err;
    static const struct wr_column columns[] = {{.name = WR_STR_INIT("l"),
                                                .type = WR_TYPE_UNKNOWN,
                                                .type_name = WR_STR_INIT("line"),
                                                .default_value = ABSENT}};
    static const struct wr_table table = TABLE(102, "public", "shapes", columns, first_column);
    static const struct wr_value row[] = {T("{1,2,3}")};
    const struct wr_change change = CREATE(table, row);
    assert_int_equal(failure_of(envelope, &change, &err), WEIR_E_UNSUPPORTED);
    assert_string_equal(err.text,
                        "table public.shapes: column l has type line, which has no mapping");
    wr_envelope_free(envelope);
}

static void needs_a_topic_prefix(void **state)
{
    (void)state;
    struct setup s = setup_of(false);
    struct wr_envelope *envelope = NULL;
    struct weir_error err;
    s.options.topic_prefix = WR_STR("");
    assert_int_equal(wr_json_converter_new(&s.key, &s.options.key_converter, &err), 0);
    assert_int_equal(wr_json_converter_new(&s.value, &s.options.value_converter, &err), 0);
    assert_int_equal(wr_envelope_new(&s.options, &envelope, &err), WEIR_E_CONFIG);
    assert_null(envelope);
}

/* ---- where weir differs from Debezium ------------------------------------------------------------------ */

static void shows_nan_in_arrays_where_there_is_room(void **state)
{
    (void)state;
    static const char text[] =
        "{\"before\":null,\"after\":{\"id\":3,\"ai\":null,\"ai8\":null,\"at\":"
        "null,\"an\":null,\"an52\":[\"1.50\",\"NAN\"]";
    static const char number[] = "{\"before\":null,\"after\":{\"id\":3,\"ai\":null,\"ai8\":null,"
                                 "\"at\":null,\"an\":null,\"an52\":[1.5,\"NaN\"]";
    const struct wr_change change = CREATE(arrays, arrays_rows[2]);
    struct setup s = setup_of(false);
    s.options.modes.decimal = WR_DECIMAL_STRING;
    struct wr_envelope *envelope = open_envelope(&s);
    assert_memory_equal(change_of(envelope, &change).records[0].record.value.ptr, text,
                        sizeof(text) - 1);
    wr_envelope_free(envelope);
    s.options.modes.decimal = WR_DECIMAL_DOUBLE;
    envelope = open_envelope(&s);
    assert_memory_equal(change_of(envelope, &change).records[0].record.value.ptr, number,
                        sizeof(number) - 1);
    wr_envelope_free(envelope);
}

/* Debezium reads the scale of numeric(3,-2) as 2046. */
static void keeps_a_negative_scale(void **state)
{
    (void)state;
    static const struct wr_column columns[] = {COLUMN("n", WR_TYPE_DECIMAL, true, 3, -2, ABSENT)};
    static const struct wr_table table = TABLE(103, "public", "hundreds", columns, first_column);
    static const struct wr_value row[] = {T("12300")};
    struct setup s = setup_of(true);
    struct wr_envelope *envelope = open_envelope(&s);
    const struct wr_change change = CREATE(table, row);
    assert_text(
        change_of(envelope, &change).records[0].record.key,
        "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"bytes\",\"optional\":true,"
        "\"name\":\"org.apache.kafka.connect.data.Decimal\",\"version\":1,\"parameters\":"
        "{\"scale\":\"-2\",\"connect.decimal.precision\":\"3\"},\"field\":\"n\"}],"
        "\"optional\":false,\"name\":\"app.public.hundreds.Key\"},\"payload\":{\"n\":"
        "\"ew==\"}}");
    wr_envelope_free(envelope);
}

/* ---- memory ------------------------------------------------------------------------------------------ */

/* All of one envelope's life with the n-th allocation failing; true when none was left to fail. */
static bool survives_without_allocation(size_t n)
{
    static const struct wr_change changes[] = {
        CREATE(defaults, defaults_rows[1]), UPDATE(keys, keys_rows[1], keys_rows[2]),
        CREATE(arrays, arrays_rows[0]), MESSAGE(true, "p", "c")};
    struct wr_envelope_options options = wr_envelope_defaults();
    struct wr_json_converter_options json = wr_json_converter_defaults();
    struct wr_envelope *envelope = NULL;
    struct weir_error err;
    json.schemas_enable = false;
    options.topic_prefix = WR_STR("app");
    assert_int_equal(wr_json_converter_new(&json, &options.key_converter, &err), 0);
    assert_int_equal(wr_json_converter_new(&json, &options.value_converter, &err), 0);
    wr_test_fail_alloc_at = n;
    int rc = wr_envelope_new(&options, &envelope, &err);
    for (size_t i = 0; rc == 0 && i < COUNT(changes); i++) {
        rc = failure_of(envelope, &changes[i], &err);
    }
    bool is_done = wr_test_fail_alloc_at > 0;
    wr_test_fail_alloc_at = 0;
    assert_true(rc == 0 || rc == WEIR_E_NOMEM);
    for (size_t i = 0; envelope != NULL && i < COUNT(changes); i++) {
        assert_int_equal(failure_of(envelope, &changes[i], &err), 0); /* it still works */
    }
    wr_envelope_free(envelope);
    return is_done;
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    size_t n = 1;
    while (!survives_without_allocation(n)) {
        n++;
    }
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_debezium_writes_by_default),
        cmocka_unit_test(writes_decimals_as_text_and_times_as_connect_does),
        cmocka_unit_test(writes_decimals_as_doubles_and_nulls_as_nulls),
        cmocka_unit_test(writes_snapshot_marks_and_decimals_as_numbers),
        cmocka_unit_test(writes_heartbeats),
        cmocka_unit_test(writes_the_event_of_the_textbook),
        cmocka_unit_test(keeps_the_schema_of_values_without_one),
        cmocka_unit_test(writes_a_schema_again_after_a_rewind),
        cmocka_unit_test(a_changed_table_has_another_schema_and_the_same_topic),
        cmocka_unit_test(values_with_a_schema_need_none_beside_them),
        cmocka_unit_test(names_the_columns_that_show_what_they_do_not_hold),
        cmocka_unit_test(a_null_that_shows_as_null_is_not_hidden),
        cmocka_unit_test(messages_have_no_context_but_a_schema),
        cmocka_unit_test(a_value_without_a_place_in_a_not_null_column_is_an_error),
        cmocka_unit_test(a_value_without_a_place_shows_as_the_default_and_warns),
        cmocka_unit_test(an_old_row_without_its_key_is_refused),
        cmocka_unit_test(a_delete_without_its_old_row_is_no_record),
        cmocka_unit_test(each_record_of_a_moved_row_is_skipped_by_its_own_operation),
        cmocka_unit_test(a_record_over_its_limit_names_topic_and_key),
        cmocka_unit_test(a_type_without_mapping_is_named),
        cmocka_unit_test(needs_a_topic_prefix),
        cmocka_unit_test(shows_nan_in_arrays_where_there_is_room),
        cmocka_unit_test(keeps_a_negative_scale),
        cmocka_unit_test(survives_every_failed_allocation),
    };
    return cmocka_run_group_tests_name("envelope", tests, NULL, NULL);
}
