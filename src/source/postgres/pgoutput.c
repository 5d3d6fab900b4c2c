/* pgoutput.c - see pgoutput.h for the layout of each message. */
#include "source/postgres/pgoutput.h"

#include "base/reader.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    COLUMN_MAX = 1664,         /* MaxTupleAttributeNumber: no tuple has more */
    FIELD_WIRE_MIN = 1,        /* its kind */
    COLUMN_WIRE_MIN = 10,      /* flags, empty name, type, typmod */
    OID_WIRE = 4,              /* bytes of an oid */
    COLUMN_FLAG_IDENTITY = 1,  /* LOGICALREP_IS_REPLICA_IDENTITY */
    TRUNCATE_CASCADE = 1,      /* flags of Truncate */
    TRUNCATE_RESTART_IDS = 2,  /* RESTART IDENTITY */
    MESSAGE_TRANSACTIONAL = 1, /* flag of Message */
    TRUNCATE_MAX = 1 << 20     /* tables in one statement */
};

#define EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in microseconds since 1970 */

/* Microseconds since 2000 on the wire → since 1970. */
static int64_t read_time(struct wr_reader *r, const char *what)
{
    int64_t out = 0;
    if (__builtin_add_overflow(wr_read_i64(r, what), EPOCH_US, &out)) {
        wr_reader_spoil(r, what);
    }
    return out;
}

int wr_pg_copy_decode(struct wr_bytes bytes, struct wr_pg_copy *out, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(bytes);
    struct wr_pg_copy copy = {0};
    uint8_t kind = wr_read_u8(&r, "kind of CopyData");
    if (kind == 'w') {
        copy.kind = WR_PG_COPY_DATA;
        copy.start_lsn = wr_read_u64(&r, "start of XLogData");
        copy.wal_end_lsn = wr_read_u64(&r, "end of WAL in XLogData");
        copy.clock_us = read_time(&r, "clock of XLogData");
        copy.payload = wr_read_bytes(&r, wr_reader_left(&r), "payload of XLogData");
    } else if (kind == 'k') {
        copy.kind = WR_PG_COPY_KEEPALIVE;
        copy.wal_end_lsn = wr_read_u64(&r, "end of WAL in keepalive");
        copy.clock_us = read_time(&r, "clock of keepalive");
        copy.wants_reply = wr_read_u8(&r, "reply flag of keepalive") != 0;
    } else {
        wr_reader_spoil(&r, "kind of CopyData");
    }
    if (wr_reader_end(&r, err) < 0) {
        return wr_wrap(err, "replication message");
    }
    *out = copy;
    return 0;
}

void wr_pg_status_put(struct wr_writer *w, const struct wr_pg_progress *progress, int64_t clock_us)
{
    wr_put_u8(w, 'r');
    wr_put_u64(w, progress->written_lsn);
    wr_put_u64(w, progress->flushed_lsn);
    wr_put_u64(w,
               progress->flushed_lsn); /* applied: to be in the log is all that is done with it */
    wr_put_u64(w, (uint64_t)(clock_us - EPOCH_US));
    wr_put_u8(w, progress->wants_reply ? 1 : 0);
}

void wr_pgoutput_fini(struct wr_pgoutput *decoder)
{
    wr_free(decoder->fields[0]);
    wr_free(decoder->fields[1]);
    wr_free(decoder->columns);
    wr_free(decoder->oids);
    *decoder = (struct wr_pgoutput){0};
}

/* pg_catalog is sent as nothing, to save bytes. */
static struct wr_str read_schema(struct wr_reader *r, const char *what)
{
    struct wr_str schema = wr_read_cstr(r, what);
    return schema.len == 0 ? WR_STR("pg_catalog") : schema;
}

static void read_field(struct wr_reader *r, struct wr_pg_field *field)
{
    uint8_t kind = wr_read_u8(r, "kind of field");
    field->text = (struct wr_bytes){NULL, 0};
    if (kind == WR_PG_FIELD_TEXT) {
        field->text = wr_read_bytes(r, wr_read_u32(r, "length of field"), "field");
    } else if (kind != WR_PG_FIELD_NULL && kind != WR_PG_FIELD_UNSENT) {
        wr_reader_spoil(r, "kind of field"); /* 'b' comes only when asked for */
    }
    field->kind = (enum wr_pg_field_kind)kind;
}

static int read_tuple(struct wr_pgoutput *decoder, size_t which, struct wr_reader *r,
                      struct wr_pg_tuple *out, struct weir_error *err)
{
    size_t count = wr_read_count(r, FIELD_WIRE_MIN, "field count");
    if (count > COLUMN_MAX) {
        wr_reader_spoil(r, "field count");
        return 0;
    }
    if (!wr_grow(&decoder->fields[which], &decoder->field_caps[which], count,
                 sizeof(struct wr_pg_field), COLUMN_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a tuple of %zu fields", count);
    }
    for (size_t i = 0; i < count; i++) {
        read_field(r, &decoder->fields[which][i]);
    }
    *out = (struct wr_pg_tuple){decoder->fields[which], count};
    return 0;
}

/* A tuple that must be new. */
static int read_after(struct wr_pgoutput *decoder, struct wr_reader *r, uint8_t mark,
                      struct wr_pg_message *m, struct weir_error *err)
{
    if (mark != 'N') {
        wr_reader_spoil(r, "mark of new tuple");
        return 0;
    }
    return read_tuple(decoder, 1, r, &m->u.row.after, err);
}

static int read_before(struct wr_pgoutput *decoder, struct wr_reader *r, uint8_t mark,
                       struct wr_pg_message *m, struct weir_error *err)
{
    if (mark != WR_PG_OLD_KEY && mark != WR_PG_OLD_ROW) {
        wr_reader_spoil(r, "mark of old tuple");
        return 0;
    }
    m->u.row.old_kind = (enum wr_pg_old_kind)mark;
    return read_tuple(decoder, 0, r, &m->u.row.before, err);
}

static int read_insert(struct wr_pgoutput *decoder, struct wr_reader *r, struct wr_pg_message *m,
                       struct weir_error *err)
{
    m->u.row.oid = wr_read_u32(r, "relation of insert");
    return read_after(decoder, r, wr_read_u8(r, "mark of new tuple"), m, err);
}

static int read_update(struct wr_pgoutput *decoder, struct wr_reader *r, struct wr_pg_message *m,
                       struct weir_error *err)
{
    m->u.row.oid = wr_read_u32(r, "relation of update");
    uint8_t mark = wr_read_u8(r, "mark of tuple");
    if (mark != 'N') {
        int rc = read_before(decoder, r, mark, m, err);
        if (rc < 0) {
            return rc;
        }
        mark = wr_read_u8(r, "mark of new tuple");
    }
    return read_after(decoder, r, mark, m, err);
}

static int read_delete(struct wr_pgoutput *decoder, struct wr_reader *r, struct wr_pg_message *m,
                       struct weir_error *err)
{
    m->u.row.oid = wr_read_u32(r, "relation of delete");
    return read_before(decoder, r, wr_read_u8(r, "mark of old tuple"), m, err);
}

static void read_column(struct wr_reader *r, struct wr_pg_relation_column *column)
{
    column->is_identity = (wr_read_u8(r, "flags of column") & COLUMN_FLAG_IDENTITY) != 0;
    column->name = wr_read_cstr(r, "name of column");
    column->type_oid = wr_read_u32(r, "type of column");
    column->typmod = wr_read_i32(r, "type modifier of column");
}

static int read_relation(struct wr_pgoutput *decoder, struct wr_reader *r, struct wr_pg_message *m,
                         struct weir_error *err)
{
    m->u.relation.oid = wr_read_u32(r, "oid of relation");
    m->u.relation.schema = read_schema(r, "schema of relation");
    m->u.relation.table = wr_read_cstr(r, "name of relation");
    m->u.relation.identity = (char)wr_read_u8(r, "replica identity");
    size_t count = wr_read_count(r, COLUMN_WIRE_MIN, "column count");
    if (count > COLUMN_MAX) {
        wr_reader_spoil(r, "column count");
        return 0;
    }
    if (!wr_grow(&decoder->columns, &decoder->column_cap, count,
                 sizeof(struct wr_pg_relation_column), COLUMN_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a relation of %zu columns", count);
    }
    for (size_t i = 0; i < count; i++) {
        read_column(r, &decoder->columns[i]);
    }
    m->u.relation.columns = decoder->columns;
    m->u.relation.column_count = count;
    return 0;
}

static int read_truncate(struct wr_pgoutput *decoder, struct wr_reader *r, struct wr_pg_message *m,
                         struct weir_error *err)
{
    size_t count = wr_read_u32(r, "count of truncate");
    uint8_t options = wr_read_u8(r, "options of truncate");
    if (count > TRUNCATE_MAX || !wr_reader_holds(r, count, OID_WIRE, "count of truncate")) {
        wr_reader_spoil(r, "count of truncate");
        return 0;
    }
    if (!wr_grow(&decoder->oids, &decoder->oid_cap, count, sizeof(uint32_t), TRUNCATE_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a truncate of %zu tables", count);
    }
    for (size_t i = 0; i < count; i++) {
        decoder->oids[i] = wr_read_u32(r, "relation of truncate");
    }
    m->u.truncate.oids = decoder->oids;
    m->u.truncate.count = count;
    m->u.truncate.is_cascade = (options & TRUNCATE_CASCADE) != 0;
    m->u.truncate.restarts_identity = (options & TRUNCATE_RESTART_IDS) != 0;
    return 0;
}

static void read_begin(struct wr_reader *r, struct wr_pg_message *m)
{
    m->u.begin.final_lsn = wr_read_u64(r, "final LSN of begin");
    m->u.begin.commit_us = read_time(r, "time of begin");
    m->u.begin.xid = wr_read_u32(r, "xid of begin");
}

static void read_commit(struct wr_reader *r, struct wr_pg_message *m)
{
    (void)wr_read_u8(r, "flags of commit"); /* unused by the protocol */
    m->u.commit.commit_lsn = wr_read_u64(r, "LSN of commit");
    m->u.commit.end_lsn = wr_read_u64(r, "end LSN of commit");
    m->u.commit.commit_us = read_time(r, "time of commit");
}

static void read_message(struct wr_reader *r, struct wr_pg_message *m)
{
    m->u.message.is_transactional =
        (wr_read_u8(r, "flags of message") & MESSAGE_TRANSACTIONAL) != 0;
    m->u.message.lsn = wr_read_u64(r, "LSN of message");
    m->u.message.prefix = wr_read_cstr(r, "prefix of message");
    m->u.message.content =
        wr_read_bytes(r, wr_read_u32(r, "length of message"), "content of message");
}

static int read_body(struct wr_pgoutput *decoder, uint8_t kind, struct wr_reader *r,
                     struct wr_pg_message *m, struct weir_error *err)
{
    switch (kind) {
    case WR_PG_INSERT: return read_insert(decoder, r, m, err);
    case WR_PG_UPDATE: return read_update(decoder, r, m, err);
    case WR_PG_DELETE: return read_delete(decoder, r, m, err);
    case WR_PG_BEGIN: read_begin(r, m); return 0;
    case WR_PG_COMMIT: read_commit(r, m); return 0;
    case WR_PG_RELATION: return read_relation(decoder, r, m, err);
    case WR_PG_TRUNCATE: return read_truncate(decoder, r, m, err);
    case WR_PG_MESSAGE: read_message(r, m); return 0;
    case WR_PG_ORIGIN:
        m->u.origin.lsn = wr_read_u64(r, "LSN of origin");
        m->u.origin.name = wr_read_cstr(r, "name of origin");
        return 0;
    case WR_PG_TYPE:
        m->u.type.oid = wr_read_u32(r, "oid of type");
        m->u.type.schema = read_schema(r, "schema of type");
        m->u.type.name = wr_read_cstr(r, "name of type");
        return 0;
    default:
        return wr_fail(err, WEIR_E_UNSUPPORTED,
                       "pgoutput message 0x%02x: not known in protocol version 1", kind);
    }
}

int wr_pgoutput_decode(struct wr_pgoutput *decoder, struct wr_bytes bytes,
                       struct wr_pg_message *out, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(bytes);
    struct wr_pg_message m = {0};
    uint8_t kind = wr_read_u8(&r, "kind of message");
    int rc = wr_reader_ok(&r, err);
    if (rc == 0) {
        rc = read_body(decoder, kind, &r, &m, err);
    }
    if (rc == 0) {
        rc = wr_reader_end(&r, err);
    }
    if (rc == WEIR_E_CORRUPT) {
        return wr_wrap(err, "pgoutput message '%c'", kind >= ' ' && kind < 127 ? kind : '?');
    }
    if (rc < 0) {
        return rc;
    }
    m.kind = (enum wr_pg_message_kind)kind;
    *out = m;
    return 0;
}

const char *wr_pg_lsn_text(uint64_t lsn, char *out)
{
    (void)snprintf(out, WR_PG_LSN_TEXT_MAX, "%" PRIX32 "/%" PRIX32, (uint32_t)(lsn >> 32),
                   (uint32_t)lsn);
    return out;
}

/* Up to 8 hexadecimal digits. */
static bool parse_half(struct wr_str text, uint64_t *out)
{
    uint64_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        bool is_upper = c >= 'A' && c <= 'F';
        if (!is_digit && !is_upper && (c < 'a' || c > 'f')) {
            return false;
        }
        v = v * 16 + (uint64_t)(is_digit ? c - '0' : is_upper ? c - 'A' + 10 : c - 'a' + 10);
    }
    *out = v;
    return text.len >= 1 && text.len <= 8;
}

bool wr_pg_lsn_parse(struct wr_str text, uint64_t *out)
{
    const char *slash = text.len == 0 ? NULL : memchr(text.ptr, '/', text.len);
    if (slash == NULL) {
        return false;
    }
    size_t high_len = (size_t)(slash - text.ptr);
    uint64_t high = 0;
    uint64_t low = 0;
    if (!parse_half((struct wr_str){text.ptr, high_len}, &high) ||
        !parse_half((struct wr_str){slash + 1, text.len - high_len - 1}, &low)) {
        return false;
    }
    *out = high << 32 | low;
    return true;
}
