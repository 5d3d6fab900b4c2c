#include "source/connector_key.h"

#include "base/writer.h"

#include <strings.h>

/* ---- the table ------------------------------------------------------------------------------------- */

#define TEXT(name, initial, doc)                                       \
    {                                                                  \
        name, WR_KEY_TEXT, WR_KEY_DONE, initial, NULL, NULL, 0, 0, doc \
    }
#define BOOL(name, initial, doc)                                       \
    {                                                                  \
        name, WR_KEY_BOOL, WR_KEY_DONE, initial, NULL, NULL, 0, 0, doc \
    }
#define INT(name, initial, min, max, doc)                                 \
    {                                                                     \
        name, WR_KEY_INT, WR_KEY_DONE, initial, NULL, NULL, min, max, doc \
    }
#define CHOICE(name, initial, done, later, doc)                           \
    {                                                                     \
        name, WR_KEY_CHOICE, WR_KEY_DONE, initial, done, later, 0, 0, doc \
    }
#define LATER(name, harmless, doc)                                         \
    {                                                                      \
        name, WR_KEY_TEXT, WR_KEY_REFUSED, NULL, harmless, NULL, 0, 0, doc \
    }
#define IDLE(name, doc)                                             \
    {                                                               \
        name, WR_KEY_TEXT, WR_KEY_IDLE, NULL, NULL, NULL, 0, 0, doc \
    }

/* clang-format off */
static const struct wr_connector_key keys[] = {
    /* The connector and its connection. */
    CHOICE("connector.class", "io.debezium.connector.postgresql.PostgresConnector",
           "io.debezium.connector.postgresql.PostgresConnector|PostgresConnector|postgres|postgresql", NULL,
           "Which connector this is."),
    TEXT("topic.prefix", NULL, "Name of the database in topics, schemas and source blocks; default is the source's name."),
    TEXT("database.hostname", NULL, "Host, list of hosts, or folder of the server's Unix socket."),
    INT("database.port", "5432", 1, 65535, "Port of the server."),
    TEXT("database.user", NULL, "Role that reads; it needs REPLICATION, and SELECT for the snapshot."),
    TEXT("database.password", NULL, "Its password."),
    TEXT("database.dbname", NULL, "Database whose changes are captured."),
    CHOICE("database.sslmode", "prefer", "disable|allow|prefer|require|verify-ca|verify-full", NULL,
           "Whether the session is encrypted, and what is verified, as libpq has it."),
    TEXT("database.sslcert", NULL, "File with the client's certificate."),
    TEXT("database.sslkey", NULL, "File with the client's key."),
    TEXT("database.sslpassword", NULL, "Password of the client's key."),
    TEXT("database.sslrootcert", NULL, "File with the certificates of those who may sign the server's."),
    BOOL("database.tcpKeepAlive", "true", "Whether TCP finds out by itself that the server is gone."),
    INT("database.query.timeout.ms", "600000", 1, INT32_MAX, "How long one query may take."),
    LATER("database.initial.statements", "", "SQL that is run on every connection."),
    LATER("database.sslfactory", "", "A Java class."),
    CHOICE("plugin.name", "pgoutput", "pgoutput|decoderbufs", "wal2json|wal2json_streaming|wal2json_rds|wal2json_rds_streaming",
           "Output plugin of the slot; pgoutput is used in any case."),

    /* Slot and publication. */
    TEXT("slot.name", "debezium", "Replication slot; made when it is not there."),
    LATER("slot.drop.on.stop", "false", "Whether the slot is dropped when the source is told to stop."),
    LATER("slot.failover", "false", "Whether the slot is kept on standbys, from PostgreSQL 17 on."),
    LATER("slot.stream.params", "", "More options of START_REPLICATION."),
    INT("slot.max.retries", "6", 0, INT32_MAX, "How often a slot that somebody else holds is tried again."),
    INT("slot.retry.delay.ms", "10000", 0, INT32_MAX, "How long that is waited for, each time."),
    TEXT("publication.name", "dbz_publication", "Publication; made as publication.autocreate.mode says."),
    CHOICE("publication.autocreate.mode", "all_tables", "all_tables|disabled|filtered|no_tables", NULL,
           "How a publication that is not there is made: for all tables, not, for those that pass the filters, or empty."),
    BOOL("publish.via.partition.root", "false", "Whether a publication that is made gives the rows of partitions as those of their root."),
    LATER("replica.identity.autoset.values", "", "Replica identities to set at start."),
    CHOICE("offset.mismatch.strategy", "no_validation", "no_validation|trust_offset|trust_slot|trust_greater_lsn", NULL,
           "Whether a slot that is ahead of the stored position stops the source (the first two) or is followed, with the loss of what lies between."),
    INT("status.update.interval.ms", "10000", 1, INT32_MAX, "How often the server is told how far the log is."),
    CHOICE("lsn.flush.mode", "connector", "connector|connector_and_driver", "manual",
           "Whether the server is told what the log keeps; while idle, weir's position moves as under connector_and_driver."),
    LATER("flush.lsn.source", "true", "The older form of lsn.flush.mode."),
    LATER("xmin.fetch.interval.ms", "0", "How often source.xmin is fetched."),
    LATER("read.only", "false", "Signals without a signal table."),

    /* What is captured. */
    TEXT("schema.include.list", NULL, "Schemas that are captured: regular expressions."),
    TEXT("schema.exclude.list", NULL, "Schemas that are not."),
    TEXT("table.include.list", NULL, "Tables that are captured, as schema.table: regular expressions."),
    TEXT("table.exclude.list", NULL, "Tables that are not."),
    BOOL("table.ignore.builtin", "true", "Whether system schemas and PostGIS's spatial_ref_sys are left out."),
    LATER("column.include.list", "", "Columns that records have."),
    LATER("column.exclude.list", "", "Columns that records do not have."),
    LATER("message.key.columns", "", "Columns that make the key of records."),
    LATER("column.truncate.to.*.chars", "", "Columns that are cut."),
    LATER("column.mask.with.*.chars", "", "Columns that are masked."),
    LATER("column.mask.hash.*", "", "Columns that are hashed."),
    LATER("column.propagate.source.type", "", "Columns whose type is told in their schema."),
    LATER("datatype.propagate.source.type", "", "The same, by type."),
    LATER("message.prefix.include.list", "", "Logical messages that are captured."),
    LATER("message.prefix.exclude.list", "", "Logical messages that are not."),
    TEXT("skipped.operations", "t", "Operations that are not written: c, u, d, t, or none."),
    LATER("skip.messages.without.change", "false", "Whether updates that change nothing are dropped."),
    LATER("signal.data.collection", "", "The table through which the source is told things."),
    LATER("converters", "", "Java classes that convert columns."),
    LATER("post.processors", "", "What is done to records afterwards."),

    /* Snapshot. */
    CHOICE("snapshot.mode", "initial", "initial|no_data|never",
           "always|initial_only|when_needed|configuration_based|custom|exported",
           "What is done without a stored position: copy the tables first, or not."),
    LATER("snapshot.include.collection.list", "", "Tables that the snapshot copies."),
    LATER("snapshot.select.statement.overrides", "", "Queries that the snapshot makes."),
    LATER("snapshot.select.statement.overrides.*", "", "Queries that the snapshot makes."),
    LATER("snapshot.tables.order.by.row.count", "disabled", "In which order tables are copied."),
    LATER("snapshot.query.mode", "select_all", "How the snapshot's queries are made."),
    IDLE("snapshot.isolation.mode", "the snapshot is that of the slot, repeatable read"),
    IDLE("snapshot.locking.mode", "the snapshot takes no locks but those of a reader"),
    IDLE("snapshot.lock.timeout.ms", "the snapshot takes no locks but those of a reader"),
    IDLE("snapshot.fetch.size", "the snapshot is one COPY a table"),
    IDLE("snapshot.max.threads", "the snapshot is one COPY a table"),
    IDLE("snapshot.delay.ms", "nothing is waited for"),
    IDLE("streaming.delay.ms", "nothing is waited for"),
    IDLE("incremental.snapshot.*", "it needs signal.data.collection"),
    IDLE("signal.enabled.channels", "it needs signal.data.collection"),
    IDLE("signal.poll.interval.ms", "it needs signal.data.collection"),
    LATER("notification.enabled.channels", "", "Where the progress of snapshots is told."),

    /* How it is written. */
    CHOICE("decimal.handling.mode", "precise", "precise|string|double", NULL, "How numeric is written."),
    CHOICE("time.precision.mode", "adaptive", "adaptive|adaptive_time_microseconds|connect",
           "isostring|microseconds|nanoseconds", "How dates and times are written."),
    CHOICE("binary.handling.mode", "bytes", "bytes|base64|base64-url-safe|hex", NULL, "How bytea is written."),
    IDLE("hstore.handling.mode", "columns of type hstore are left out"),
    IDLE("interval.handling.mode", "columns of type interval are left out"),
    IDLE("money.fraction.digits", "columns of type money are left out"),
    LATER("include.unknown.datatypes", "false", "Whether columns of unknown types are written as their text."),
    IDLE("schema.refresh.mode", "the catalog is read whenever the server announces a table"),
    TEXT("unavailable.value.placeholder", "__debezium_unavailable_value", "What stands for a value that the database did not send; hex: for bytes."),
    LATER("schema.name.adjustment.mode", "none", "How names of schemas are made to fit Avro."),
    LATER("field.name.adjustment.mode", "none", "How names of fields are made to fit Avro."),
    BOOL("tombstones.on.delete", "true", "Whether a delete is followed by a record without value."),
    LATER("provide.transaction.metadata", "false", "Whether transactions are told in a topic of their own."),
    BOOL("weir.schema.header", "true", "Whether JSON records have the headers weir.schema and weir.hidden."),
    BOOL("extended.headers.enabled", "true", "Whether records have the headers __debezium.context.*."),
    CHOICE("event.processing.failure.handling.mode", "fail", "fail", "warn|skip", "What is done about a change that cannot be written."),
    CHOICE("event.converting.failure.handling.mode", "warn", "warn", "fail|skip", "What is done about a value that cannot be written."),

    /* Topics and heartbeats. */
    INT("heartbeat.interval.ms", "0", 0, INT32_MAX, "How often a heartbeat is written; 0 is never."),
    TEXT("topic.heartbeat.prefix", "__debezium-heartbeat", "What the heartbeat's topic begins with."),
    LATER("topic.heartbeat.name", "", "Name of the heartbeat's topic."),
    LATER("heartbeat.action.query", "", "SQL that is run with each heartbeat."),
    LATER("topic.naming.strategy", "io.debezium.schema.SchemaTopicNamingStrategy|io.debezium.connector.postgresql.PostgresTopicNamingStrategy", "How topics are named."),
    TEXT("topic.delimiter", ".", "What stands between the parts of a topic's name."),
    IDLE("topic.transaction", "it needs provide.transaction.metadata"),
    IDLE("topic.cache.size", "all names are kept"),
    INT("topic.creation.default.partitions", "1", 1, 100000, "How many partitions a topic gets that is made."),
    IDLE("topic.creation.default.replication.factor", "the log is on one machine"),
    TEXT("topic.creation.default.*", NULL, "Any of Kafka's settings of a topic, for those that are made."),
    BOOL("topic.creation.enable", "true", "Whether topics are made when they are first written to."),
    LATER("topic.creation.groups", "", "Rules for topics of some names."),
    LATER("topic.creation.*", "", "Rules for topics of some names."),

    /* Converters and transforms. */
    TEXT("key.converter", "json", "How keys are written: json, or Connect's class."),
    TEXT("value.converter", "json", "How values are written: json, or Connect's class."),
    BOOL("key.converter.schemas.enable", "true", "Whether a key carries its schema."),
    BOOL("value.converter.schemas.enable", "true", "Whether a value carries its schema."),
    BOOL("key.converter.replace.null.with.default", "true", "Whether a null shows as its column's default."),
    BOOL("value.converter.replace.null.with.default", "true", "Whether a null shows as its column's default."),
    CHOICE("key.converter.decimal.format", "BASE64", "BASE64|NUMERIC", NULL, "How a precise decimal is written."),
    CHOICE("value.converter.decimal.format", "BASE64", "BASE64|NUMERIC", NULL, "How a precise decimal is written."),
    IDLE("key.converter.*", "the converter does not know it"),
    IDLE("value.converter.*", "the converter does not know it"),
    LATER("header.converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter|simple", "How headers are written."),
    IDLE("header.converter.*", "the converter does not know it"),
    LATER("transforms", "", "What is done to each record before it is written."),
    LATER("transforms.*", "", "What is done to each record before it is written."),
    IDLE("predicates", "it needs transforms"),
    IDLE("predicates.*", "it needs transforms"),

    /* What Connect and Debezium need and weir does not. */
    IDLE("name", "the source's name is used"),
    IDLE("tasks.max", "a source is one task"),
    IDLE("max.batch.size", "a commit holds all that is at hand"),
    IDLE("max.queue.size", "there is no queue"),
    IDLE("max.queue.size.in.bytes", "there is no queue"),
    IDLE("poll.interval.ms", "changes are written when they come"),
    IDLE("lsn.flush.timeout.ms", "telling the server waits for nothing"),
    IDLE("lsn.flush.timeout.action", "telling the server waits for nothing"),
    IDLE("errors.max.retries", "what a retry can mend is retried, what it cannot stops the source"),
    IDLE("errors.*", "what a retry can mend is retried, what it cannot stops the source"),
    IDLE("retriable.restart.connector.wait.ms", "retries back off by themselves"),
    IDLE("custom.retriable.exception", "retries are decided by SQLSTATE"),
    IDLE("custom.metric.tags", "there are no such metrics"),
    IDLE("advanced.metrics.enable", "there are no such metrics"),
    IDLE("log.position.check.enable", "the position is always checked"),
    IDLE("guardrail.*", "there is no such limit"),
    IDLE("openlineage.*", "no lineage is told"),
    IDLE("sourceinfo.struct.maker", "the source block is Debezium's"),
    IDLE("include.schema.changes", "PostgreSQL has no schema change topic"),
    IDLE("include.schema.comments", "PostgreSQL's comments are not read"),
    IDLE("offset.storage", "the position is kept with the records"),
    IDLE("offset.storage.*", "the position is kept with the records"),
    IDLE("offset.flush.*", "the position is kept with the records"),
    IDLE("schema.history.*", "PostgreSQL needs none"),
    IDLE("exactly.once.support", "it is always exactly once"),
    IDLE("transaction.boundary", "a source transaction is never torn but for its size"),
    IDLE("transaction.boundary.*", "a source transaction is never torn but for its size"),
    IDLE("offsets.storage.topic", "the position is kept with the records"),
    IDLE("config.action.reload", "weir reads its configuration at start"),
    IDLE("producer.override.*", "there is no producer"),
    IDLE("consumer.override.*", "there is no consumer"),
    IDLE("admin.override.*", "there is no admin client"),
    IDLE("driver.*", "there is no JDBC driver"),
};
/* clang-format on */

enum {
    KEYS = sizeof(keys) / sizeof(keys[0]),
    LINE_BYTES_MAX = 400 /* of keys without effect; a sentence has 480 */
};

const struct wr_connector_key *wr_connector_keys(size_t *count)
{
    *count = KEYS;
    return keys;
}

/* ---- names ----------------------------------------------------------------------------------------- */

/* Names that Debezium or Connect used before. */
static const struct {
    const char *old;
    const char *now;
} aliases[] = {
    {"database.server.name", "topic.prefix"},
    {"heartbeat.topics.prefix", "topic.heartbeat.prefix"},
};

enum {
    ALIASES = sizeof(aliases) / sizeof(aliases[0])
};

static bool matches(const char *pattern, struct wr_str name)
{
    const char *star = strchr(pattern, '*');
    if (star == NULL) {
        return wr_str_eq(name, wr_str_of(pattern));
    }
    size_t before = (size_t)(star - pattern);
    size_t after = strlen(star + 1);
    return name.len > before + after && memcmp(name.ptr, pattern, before) == 0 &&
           memcmp(name.ptr + name.len - after, star + 1, after) == 0;
}

/* The first row that the name fits, so exact names stand before patterns; NULL when none does. */
static const struct wr_connector_key *row_of(struct wr_str name)
{
    for (size_t i = 0; i < KEYS; i++) {
        if (matches(keys[i].name, name)) {
            return &keys[i];
        }
    }
    return NULL;
}

bool wr_connector_key_is_known(struct wr_str name)
{
    return row_of(name) != NULL;
}

static const char *new_name(struct wr_str name)
{
    for (size_t i = 0; i < ALIASES; i++) {
        if (wr_str_eq(name, wr_str_of(aliases[i].old))) {
            return aliases[i].now;
        }
    }
    return NULL;
}

/* ---- values ---------------------------------------------------------------------------------------- */

static struct wr_str trimmed(struct wr_str s)
{
    static const char blanks[] = " \t\r\n";
    while (s.len > 0 && strchr(blanks, s.ptr[0]) != NULL) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && strchr(blanks, s.ptr[s.len - 1]) != NULL) {
        s.len--;
    }
    return s;
}

/* Place of `value` in "a|b|c", without case; -1 when it is not there. */
static int place_in(const char *list, struct wr_str value)
{
    for (int place = 0; list != NULL; place++) {
        size_t len = strcspn(list, "|");
        if (len == value.len && strncasecmp(list, value.ptr, len) == 0) {
            return place;
        }
        list = list[len] == '|' ? list + len + 1 : NULL;
    }
    return -1;
}

const struct wr_conf *wr_connector_node(const struct wr_connector *connector, const char *name)
{
    const struct wr_conf *node = wr_conf_get(connector->map, name);
    for (size_t i = 0; node == NULL && i < ALIASES; i++) {
        if (strcmp(aliases[i].now, name) == 0) {
            node = wr_conf_get(connector->map, aliases[i].old);
        }
    }
    return wr_conf_is_null(node) ? NULL : node;
}

struct wr_str wr_connector_text(const struct wr_connector *connector, const char *name)
{
    const struct wr_connector_key *row = row_of(wr_str_of(name));
    const struct wr_conf *node = wr_connector_node(connector, name);
    WR_ASSERT(row != NULL);
    if (node != NULL) {
        return trimmed(node->text);
    }
    if (strcmp(name, "topic.prefix") == 0) {
        return wr_str_of(connector->source);
    }
    return wr_str_of(row->initial);
}

bool wr_connector_bool(const struct wr_connector *connector, const char *name)
{
    struct wr_str text = wr_connector_text(connector, name);
    return text.len == 4 && strncasecmp(text.ptr, "true", 4) == 0;
}

int64_t wr_connector_int(const struct wr_connector *connector, const char *name)
{
    struct wr_str text = wr_connector_text(connector, name);
    return text.ptr == NULL ? 0 : strtoll(text.ptr, NULL, 10); /* checked before */
}

size_t wr_connector_choice(const struct wr_connector *connector, const char *name)
{
    int place = place_in(row_of(wr_str_of(name))->done, wr_connector_text(connector, name));
    WR_ASSERT(place >= 0);
    return (size_t)place;
}

bool wr_connector_has(const struct wr_connector *connector, const char *name)
{
    const struct wr_conf *node = wr_connector_node(connector, name);
    return node != NULL && trimmed(node->text).len > 0;
}

struct wr_place wr_connector_place(const struct wr_connector *connector, const char *name)
{
    const struct wr_conf *node = wr_connector_node(connector, name);
    return node == NULL ? connector->map->at : node->at;
}

struct wr_str wr_connector_shown(const struct wr_connector *connector, const char *name)
{
    const struct wr_conf *node = wr_connector_node(connector, name);
    return node == NULL ? wr_connector_text(connector, name) : wr_conf_shown(node);
}

/* ---- checks ---------------------------------------------------------------------------------------- */

static int check_choice(const struct wr_connector_key *row, const char *name,
                        const struct wr_conf *node, struct weir_error *err)
{
    struct wr_str value = trimmed(node->text);
    if (place_in(row->done, value) >= 0) {
        return 0;
    }
    if (place_in(row->later, value) < 0) {
        return wr_conf_fail(err, node->at, "%s must be one of %s, not '%.*s'", name, row->done,
                            WR_FMT(wr_conf_shown(node)));
    }
    (void)wr_conf_fail(err, node->at, "%s: %.*s is not done yet; %s is", name,
                       WR_FMT(wr_conf_shown(node)), row->done);
    err->code = WEIR_E_UNSUPPORTED;
    return err->code;
}

static int check_refused(const struct wr_connector_key *row, const char *name,
                         const struct wr_conf *node, struct weir_error *err)
{
    if (place_in(row->done, trimmed(node->text)) >= 0) {
        return 0;
    }
    (void)wr_conf_fail(err, node->at,
                       "%s is not done yet, and without it records would differ: take it out",
                       name);
    err->code = WEIR_E_UNSUPPORTED;
    return err->code;
}

static int check_value(const struct wr_connector_key *row, const char *name,
                       const struct wr_conf *node, struct weir_error *err)
{
    struct wr_str text;
    bool as_bool = false;
    int64_t as_int = 0;
    int rc = wr_conf_str(node, name, &text, err);
    if (rc < 0) {
        return rc;
    }
    if (row->status == WR_KEY_REFUSED) {
        return check_refused(row, name, node, err);
    }
    switch (row->kind) {
    case WR_KEY_TEXT: return 0;
    case WR_KEY_BOOL: return wr_conf_bool(node, name, &as_bool, err);
    case WR_KEY_INT: return wr_conf_i64(node, name, row->min, row->max, &as_int, err);
    case WR_KEY_CHOICE: return check_choice(row, name, node, err);
    }
    return 0;
}

static void warn_unknown(const struct wr_conf_warn *warn, const struct wr_conf_entry *entry)
{
    const char *names[KEYS];
    size_t count = 0;
    for (size_t i = 0; i < KEYS; i++) {
        if (strchr(keys[i].name, '*') == NULL) {
            names[count++] = keys[i].name;
        }
    }
    const char *nearest = wr_nearest(entry->key, names, count);
    wr_conf_warn(warn, entry->key_at, "unknown key '%.*s'%s%s%s", WR_FMT(entry->key),
                 nearest == NULL ? "" : "; did you mean '", nearest == NULL ? "" : nearest,
                 nearest == NULL ? "" : "'?");
}

static int check_entry(const struct wr_conf_entry *entry, const struct wr_conf_warn *warn,
                       struct weir_error *err)
{
    const char *renamed = new_name(entry->key);
    const char *name = renamed == NULL ? entry->key.ptr : renamed;
    const struct wr_connector_key *row = row_of(wr_str_of(name));
    if (row == NULL) {
        warn_unknown(warn, entry);
        return 0;
    }
    if (renamed != NULL) {
        wr_conf_warn(warn, entry->key_at, "%.*s is now called %s", WR_FMT(entry->key), renamed);
    }
    if (wr_conf_is_null(&entry->value)) {
        return 0;
    }
    return row->status == WR_KEY_IDLE ? 0 : check_value(row, name, &entry->value, err);
}

/* The row of a key that is set and has no effect, or NULL. */
static const struct wr_connector_key *idle_row(const struct wr_conf_entry *entry)
{
    const struct wr_connector_key *row = row_of(entry->key);
    bool is_idle = row != NULL && row->status == WR_KEY_IDLE && !wr_conf_is_null(&entry->value);
    return is_idle ? row : NULL;
}

/* "a, b (why)": keys with the same reason stand together, as many as a line has room for. */
static void put_idle(struct wr_writer *w, const struct wr_conf *map, size_t first, const char *why)
{
    size_t left_out = 0;
    for (size_t i = first; i < map->count; i++) {
        const struct wr_connector_key *row = idle_row(&map->entries[i]);
        struct wr_str key = map->entries[i].key;
        if (row == NULL || strcmp(row->doc, why) != 0) {
            continue;
        }
        if (w->len + key.len > LINE_BYTES_MAX / 2) {
            left_out++;
            continue;
        }
        wr_put_fmt(w, "%s%.*s", w->len == 0 ? "" : ", ", WR_FMT(key));
    }
    if (left_out > 0) {
        wr_put_fmt(w, "%s%zu more", w->len == 0 ? "" : ", and ", left_out);
    }
    wr_put_fmt(w, " (%s)", why);
}

/* Is there one with the same reason before it? */
static bool is_told(const struct wr_conf *map, size_t at, const char *why)
{
    for (size_t i = 0; i < at; i++) {
        const struct wr_connector_key *row = idle_row(&map->entries[i]);
        if (row != NULL && strcmp(row->doc, why) == 0) {
            return true;
        }
    }
    return false;
}

/* Say which keys have no effect, as many in one line as it has room for. Nothing is wrong with them: they
 * stand in every configuration that ran in Kafka Connect. */
static void note_idle(const struct wr_conf *map, const struct wr_conf_warn *warn)
{
    char line[LINE_BYTES_MAX];
    char part[LINE_BYTES_MAX];
    struct wr_writer all = wr_writer_over(line, sizeof(line));
    struct wr_place at = map->at;
    for (size_t i = 0; i < map->count; i++) {
        const struct wr_connector_key *row = idle_row(&map->entries[i]);
        if (row == NULL || is_told(map, i, row->doc)) {
            continue;
        }
        struct wr_writer one = wr_writer_over(part, sizeof(part));
        put_idle(&one, map, i, row->doc);
        if (all.len > 0 && all.len + one.len + 2 > sizeof(line)) {
            wr_conf_note(warn, at, "without effect here: %.*s", WR_FMT(wr_writer_str(&all)));
            all = wr_writer_over(line, sizeof(line));
        }
        at = all.len == 0 ? map->entries[i].key_at : at;
        wr_put_str(&all, all.len == 0 ? WR_STR("") : WR_STR(", "));
        wr_put_str(&all, wr_writer_str(&one));
    }
    if (all.len > 0) {
        wr_conf_note(warn, at, "without effect here: %.*s", WR_FMT(wr_writer_str(&all)));
    }
}

/* Both the old and the new name of one key. */
static int check_twice(const struct wr_conf *map, struct weir_error *err)
{
    for (size_t i = 0; i < ALIASES; i++) {
        const struct wr_conf *old = wr_conf_get(map, aliases[i].old);
        const struct wr_conf *now = wr_conf_get(map, aliases[i].now);
        if (old != NULL && now != NULL && !wr_str_eq(old->text, now->text)) {
            return wr_conf_fail(err, old->at, "%s is the old name of %s, which has another value",
                                aliases[i].old, aliases[i].now);
        }
    }
    return 0;
}

static int check_pairs(const struct wr_connector *c, struct weir_error *err)
{
    static const char *const pairs[][2] = {{"schema.include.list", "schema.exclude.list"},
                                           {"table.include.list", "table.exclude.list"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (wr_connector_has(c, pairs[i][0]) && wr_connector_has(c, pairs[i][1])) {
            return wr_conf_fail(err, wr_connector_place(c, pairs[i][1]),
                                "%s and %s exclude each other", pairs[i][0], pairs[i][1]);
        }
    }
    return 0;
}

int wr_connector_check(const struct wr_conf *map, const char *source,
                       const struct wr_conf_warn *warn, struct wr_connector *out,
                       struct weir_error *err)
{
    struct wr_connector c = {.map = map, .source = source};
    if (map->kind != WR_CONF_MAP) {
        return wr_conf_fail(err, map->at, "source '%s' must be a map of connector keys", source);
    }
    int rc = check_twice(map, err);
    for (size_t i = 0; rc == 0 && i < map->count; i++) {
        rc = check_entry(&map->entries[i], warn, err);
    }
    if (rc == 0) {
        rc = check_pairs(&c, err);
    }
    if (rc < 0) {
        return rc;
    }
    note_idle(map, warn);
    *out = c;
    return 0;
}
