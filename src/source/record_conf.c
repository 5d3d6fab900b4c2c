#include "source/record_conf.h"

#include "data/json_converter.h"

#include <strings.h>

enum {
    PLACEHOLDER_BYTES_MAX = 4096
};

/* ---- converters ------------------------------------------------------------------------------------ */

static bool is_one_of(struct wr_str value, const char *name, const char *class)
{
    return (value.len == strlen(name) && strncasecmp(value.ptr, name, value.len) == 0) ||
           wr_str_eq(value, wr_str_of(class));
}

/* The key "key.converter" + `rest`, or "value.converter" + `rest`. */
struct converter_keys {
    const char *converter;
    const char *schemas_enable;
    const char *replace_null;
    const char *decimal_format;
};

static const struct converter_keys key_keys = {"key.converter", "key.converter.schemas.enable",
                                               "key.converter.replace.null.with.default",
                                               "key.converter.decimal.format"};
static const struct converter_keys value_keys = {
    "value.converter", "value.converter.schemas.enable",
    "value.converter.replace.null.with.default", "value.converter.decimal.format"};

static int refuse_converter(const struct wr_connector *connector, const char *key,
                            struct wr_str value, struct weir_error *err)
{
    bool is_avro = value.len >= 13 && memcmp(value.ptr + value.len - 13, "AvroConverter", 13) == 0;
    (void)wr_conf_fail(err, wr_connector_place(connector, key),
                       "%s: %.*s is not done yet%s; json is: --set value.converter=json --set "
                       "key.converter=json",
                       key, WR_FMT(wr_connector_shown(connector, key)),
                       is_avro ? ", nor is a schema registry" : "");
    err->code = WEIR_E_UNSUPPORTED;
    return err->code;
}

static int make_converter(const struct wr_connector *connector, const struct converter_keys *keys,
                          struct wr_converter **out, struct weir_error *err)
{
    struct wr_str value = wr_connector_text(connector, keys->converter);
    if (!is_one_of(value, "json", "org.apache.kafka.connect.json.JsonConverter")) {
        return refuse_converter(connector, keys->converter, value, err);
    }
    struct wr_json_converter_options options = wr_json_converter_defaults();
    options.schemas_enable = wr_connector_bool(connector, keys->schemas_enable);
    options.replace_null_with_default = wr_connector_bool(connector, keys->replace_null);
    options.decimal_numeric = wr_connector_choice(connector, keys->decimal_format) == 1;
    return wr_json_converter_new(&options, out, err);
}

/* ---- options --------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* unavailable.value.placeholder: text, or "hex:" and octets. */
static int read_placeholder(const struct wr_connector *connector,
                            uint8_t room[PLACEHOLDER_BYTES_MAX], struct wr_bytes *out,
                            struct weir_error *err)
{
    static const char key[] = "unavailable.value.placeholder";
    struct wr_str text = wr_connector_text(connector, key);
    if (text.len < 4 || memcmp(text.ptr, "hex:", 4) != 0) {
        *out = wr_bytes_of_str(text);
        return 0;
    }
    struct wr_str digits = {text.ptr + 4, text.len - 4};
    bool is_hex = digits.len % 2 == 0 && digits.len / 2 <= PLACEHOLDER_BYTES_MAX;
    for (size_t i = 0; is_hex && i < digits.len / 2; i++) {
        int high = hex_digit(digits.ptr[2 * i]);
        int low = hex_digit(digits.ptr[2 * i + 1]);
        is_hex = high >= 0 && low >= 0;
        room[i] = (uint8_t)(high * 16 + low);
    }
    if (!is_hex) {
        return wr_conf_fail(err, wr_connector_place(connector, key),
                            "%s: after hex: come pairs of hexadecimal digits, not '%.*s'", key,
                            WR_FMT(wr_connector_shown(connector, key)));
    }
    *out = (struct wr_bytes){room, digits.len / 2};
    return 0;
}

/* skipped.operations: letters between commas, or none. It replaces the default. */
static int read_skipped(const struct wr_connector *connector, unsigned *out, struct weir_error *err)
{
    static const char key[] = "skipped.operations";
    static const char letters[] = "cudt"; /* in the order of the bits of enum wr_skip */
    struct wr_str list = wr_connector_text(connector, key);
    unsigned skipped = WR_SKIP_NONE;
    if (list.len == 4 && strncasecmp(list.ptr, "none", 4) == 0) {
        *out = WR_SKIP_NONE;
        return 0;
    }
    for (size_t i = 0; i < list.len; i++) {
        char c = list.ptr[i];
        const char *at = strchr(letters, c | 0x20);
        if (c == ',' || c == ' ') {
            continue;
        }
        bool is_alone = i + 1 == list.len || list.ptr[i + 1] == ',' || list.ptr[i + 1] == ' ';
        if (at == NULL || !is_alone) {
            return wr_conf_fail(err, wr_connector_place(connector, key),
                                "%s must be c, u, d, t between commas, or none, not '%.*s'", key,
                                WR_FMT(wr_connector_shown(connector, key)));
        }
        skipped |= 1U << (at - letters);
    }
    *out = skipped;
    return 0;
}

static int read_options(const struct wr_connector *c, const char *connector_name,
                        struct wr_str run_id, struct wr_envelope_options *o, struct weir_error *err)
{
    o->topic_prefix = wr_connector_text(c, "topic.prefix");
    o->database = wr_connector_text(c, "database.dbname");
    o->topic_delimiter = wr_connector_text(c, "topic.delimiter");
    o->heartbeat_prefix = wr_connector_text(c, "topic.heartbeat.prefix");
    o->version = WR_STR(WEIR_VERSION);
    o->connector = wr_str_of(connector_name);
    o->modes.decimal = (enum wr_decimal_mode)wr_connector_choice(c, "decimal.handling.mode");
    o->modes.time = (enum wr_time_mode)wr_connector_choice(c, "time.precision.mode");
    o->modes.binary = (enum wr_binary_mode)wr_connector_choice(c, "binary.handling.mode");
    o->tombstones_on_delete = wr_connector_bool(c, "tombstones.on.delete");
    o->extended_headers = wr_connector_bool(c, "extended.headers.enabled");
    o->weir_headers = wr_connector_bool(c, "weir.schema.header");
    o->run_id = run_id;
    return read_skipped(c, &o->skipped_ops, err);
}

int wr_record_conf_envelope(const struct wr_connector *connector, const char *connector_name,
                            struct wr_str run_id, struct wr_envelope **out, struct weir_error *err)
{
    uint8_t placeholder[PLACEHOLDER_BYTES_MAX];
    struct wr_envelope_options options = wr_envelope_defaults();
    int rc = read_options(connector, connector_name, run_id, &options, err);
    if (rc == 0) {
        rc = read_placeholder(connector, placeholder, &options.modes.placeholder, err);
    }
    if (rc == 0) {
        rc = make_converter(connector, &key_keys, &options.key_converter, err);
    }
    if (rc == 0) {
        rc = make_converter(connector, &value_keys, &options.value_converter, err);
    }
    if (rc < 0) {
        wr_converter_close(options.key_converter);
        return rc;
    }
    return wr_envelope_new(&options, out, err);
}

int wr_record_conf_topics(const struct wr_connector *connector, struct wr_topic_conf *out,
                          struct weir_error *err)
{
    static const char prefix[] = "topic.creation.default.";
    *out = (struct wr_topic_conf){.partition_count = (uint32_t)wr_connector_int(
                                      connector, "topic.creation.default.partitions")};
    for (size_t i = 0; i < connector->map->count; i++) {
        const struct wr_conf_entry *e = &connector->map->entries[i];
        const char *name = e->key.ptr + sizeof(prefix) - 1;
        if (e->key.len < sizeof(prefix) || memcmp(e->key.ptr, prefix, sizeof(prefix) - 1) != 0 ||
            strcmp(name, "partitions") == 0 || strcmp(name, "replication.factor") == 0) {
            continue;
        }
        if (out->setting_count == WR_TOPIC_SETTINGS_MAX) {
            return wr_conf_fail(err, e->key_at, "more than %d settings of topics",
                                WR_TOPIC_SETTINGS_MAX);
        }
        out->settings[out->setting_count++] = (struct wr_topic_setting){name, e->value.text.ptr};
    }
    return 0;
}
