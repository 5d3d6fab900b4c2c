#include "data/source_block.h"

#include "data/json_out.h"

static const struct wr_schema string = {.type = WR_SCHEMA_STRING};
static const struct wr_schema int64 = {.type = WR_SCHEMA_INT64};
static const struct wr_schema opt_string = {.type = WR_SCHEMA_STRING, .is_optional = true};
static const struct wr_schema opt_int64 = {.type = WR_SCHEMA_INT64, .is_optional = true};

static const struct wr_schema_param snapshot_params[] = {
    {WR_STR_INIT("allowed"),
     WR_STR_INIT("true,first,first_in_data_collection,last_in_data_collection,last,false,"
                 "incremental")}};
static const struct wr_datum snapshot_default = {.is_set = true,
                                                 .u.bytes = {(const uint8_t *)"false", 5}};
static const struct wr_schema snapshot = {.type = WR_SCHEMA_STRING,
                                          .is_optional = true,
                                          .name = WR_STR_INIT("io.debezium.data.Enum"),
                                          .version = 1,
                                          .params = snapshot_params,
                                          .param_count = 1,
                                          .default_value = &snapshot_default};

static const struct wr_schema_field fields[WR_SOURCE_FIELDS] = {
    [WR_SOURCE_VERSION] = {WR_STR_INIT("version"), &string, NULL},
    [WR_SOURCE_CONNECTOR] = {WR_STR_INIT("connector"), &string, NULL},
    [WR_SOURCE_NAME] = {WR_STR_INIT("name"), &string, NULL},
    [WR_SOURCE_TS_MS] = {WR_STR_INIT("ts_ms"), &int64, NULL},
    [WR_SOURCE_SNAPSHOT] = {WR_STR_INIT("snapshot"), &snapshot, NULL},
    [WR_SOURCE_DB] = {WR_STR_INIT("db"), &string, NULL},
    [WR_SOURCE_SEQUENCE] = {WR_STR_INIT("sequence"), &opt_string, NULL},
    [WR_SOURCE_TS_US] = {WR_STR_INIT("ts_us"), &opt_int64, NULL},
    [WR_SOURCE_TS_NS] = {WR_STR_INIT("ts_ns"), &opt_int64, NULL},
    [WR_SOURCE_SCHEMA] = {WR_STR_INIT("schema"), &string, NULL},
    [WR_SOURCE_TABLE] = {WR_STR_INIT("table"), &string, NULL},
    [WR_SOURCE_TX_ID] = {WR_STR_INIT("txId"), &opt_int64, NULL},
    [WR_SOURCE_LSN] = {WR_STR_INIT("lsn"), &opt_int64, NULL},
    [WR_SOURCE_XMIN] = {WR_STR_INIT("xmin"), &opt_int64, NULL},
    [WR_SOURCE_ORIGIN] = {WR_STR_INIT("origin"), &opt_string, NULL},
    [WR_SOURCE_ORIGIN_LSN] = {WR_STR_INIT("origin_lsn"), &opt_int64, NULL},
};

static struct wr_datum text_datum(struct wr_str text)
{
    return (struct wr_datum){.is_set = true, .u.bytes = wr_bytes_of_str(text)};
}

const struct wr_schema *wr_source_schema(const struct wr_source_names *names,
                                         struct wr_arena *arena)
{
    static const enum wr_source_field always[] = {WR_SOURCE_VERSION, WR_SOURCE_CONNECTOR,
                                                  WR_SOURCE_NAME,    WR_SOURCE_DB,
                                                  WR_SOURCE_SCHEMA,  WR_SOURCE_TABLE};
    const size_t always_count = sizeof(always) / sizeof(always[0]);
    const struct wr_str texts[] = {names->version, names->connector, names->name,
                                   names->db,      names->schema,    names->table};
    struct wr_schema *schema = wr_arena_array(arena, 1, sizeof(*schema));
    struct wr_schema_field *own = wr_arena_array(arena, WR_SOURCE_FIELDS, sizeof(*own));
    struct wr_datum *constants = wr_arena_array(arena, always_count, sizeof(*constants));
    if (schema == NULL || own == NULL || constants == NULL) {
        return NULL;
    }
    memcpy(own, fields, sizeof(fields));
    for (size_t i = 0; i < always_count; i++) {
        constants[i] = text_datum(texts[i]);
        own[always[i]].constant = &constants[i];
    }
    *schema = (struct wr_schema){.type = WR_SCHEMA_STRUCT,
                                 .name = WR_STR("io.debezium.connector.postgresql.Source"),
                                 .version = 1,
                                 .fields = own,
                                 .field_count = WR_SOURCE_FIELDS};
    return schema;
}

/* Streaming leaves it null, which shows as "false" (cdc.md B5). */
static struct wr_datum snapshot_datum(enum wr_snapshot_mark mark)
{
    switch (mark) {
    case WR_SNAPSHOT_TRUE: return text_datum(WR_STR("true"));
    case WR_SNAPSHOT_FIRST: return text_datum(WR_STR("first"));
    case WR_SNAPSHOT_FIRST_IN_TABLE: return text_datum(WR_STR("first_in_data_collection"));
    case WR_SNAPSHOT_LAST_IN_TABLE: return text_datum(WR_STR("last_in_data_collection"));
    case WR_SNAPSHOT_LAST: return text_datum(WR_STR("last"));
    case WR_SNAPSHOT_INCREMENTAL: return text_datum(WR_STR("incremental"));
    case WR_SNAPSHOT_FALSE: break;
    }
    return (struct wr_datum){0};
}

static void set_int(struct wr_datum *datum, bool is_set, int64_t v)
{
    datum->is_set = is_set;
    datum->u.i = v;
}

/* ["<end of the last commit>","<lsn>"], null for the first before there is one. */
static void put_sequence(struct wr_source_block *block, const struct wr_origin *origin)
{
    uint8_t *p = block->sequence;
    *p++ = '[';
    if (origin->has_last_commit) {
        *p++ = '"';
        p = wr_text_i64(p, (int64_t)origin->last_commit_lsn);
        *p++ = '"';
    } else {
        static const uint8_t none[] = {'n', 'u', 'l', 'l'};
        memcpy(p, none, sizeof(none));
        p += sizeof(none);
    }
    *p++ = ',';
    *p++ = '"';
    p = wr_text_i64(p, (int64_t)origin->lsn);
    *p++ = '"';
    *p++ = ']';
    struct wr_datum *datum = &block->fields[WR_SOURCE_SEQUENCE];
    datum->is_set = true;
    datum->u.bytes = (struct wr_bytes){block->sequence, (size_t)(p - block->sequence)};
}

void wr_source_fill(struct wr_source_block *block, const struct wr_origin *origin)
{
    struct wr_datum *f = block->fields;
    int64_t us = origin->ts_us;
    set_int(&f[WR_SOURCE_TS_MS], true, us / 1000);
    f[WR_SOURCE_SNAPSHOT] = snapshot_datum(origin->snapshot);
    put_sequence(block, origin);
    set_int(&f[WR_SOURCE_TS_US], true, us);
    set_int(&f[WR_SOURCE_TS_NS], true, (int64_t)((uint64_t)us * 1000)); /* in range until 2262 */
    set_int(&f[WR_SOURCE_TX_ID], origin->has_tx_id, origin->tx_id);
    set_int(&f[WR_SOURCE_LSN], true, (int64_t)origin->lsn);
    set_int(&f[WR_SOURCE_XMIN], origin->has_xmin, origin->xmin);
    bool has_origin = origin->origin_name.ptr != NULL;
    f[WR_SOURCE_ORIGIN].is_set = has_origin;
    f[WR_SOURCE_ORIGIN].u.bytes = wr_bytes_of_str(origin->origin_name);
    set_int(&f[WR_SOURCE_ORIGIN_LSN], has_origin, (int64_t)origin->origin_lsn);
}
