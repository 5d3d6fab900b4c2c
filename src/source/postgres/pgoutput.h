/*
 * pgoutput.h - the messages of PostgreSQL's logical replication, decoded. Bytes in, structs out.
 *
 * Two layers. A replication connection gives CopyData messages (protocol page 55.4):
 *
 *   'w'  u64 start, u64 wal_end, i64 clock, payload      XLogData: one pgoutput message
 *   'k'  u64 wal_end, i64 clock, u8 reply                keepalive
 *   'r'  u64 written, u64 flushed, u64 applied, i64 clock, u8 reply      status, what we send
 *
 * and the payload of 'w' is one message of pgoutput, protocol version 1 (protocol page 55.9):
 *
 *   'B'  u64 final_lsn, i64 time, u32 xid                                    Begin
 *   'C'  u8 flags, u64 commit_lsn, u64 end_lsn, i64 time                     Commit
 *   'O'  u64 lsn, cstr name                                                  Origin
 *   'R'  u32 oid, cstr schema, cstr table, u8 identity, u16 n,
 *        n × {u8 flags, cstr name, u32 type, i32 typmod}                     Relation
 *   'Y'  u32 oid, cstr schema, cstr name                                     Type
 *   'I'  u32 oid, 'N' tuple                                                  Insert
 *   'U'  u32 oid, ['K' tuple | 'O' tuple], 'N' tuple                         Update
 *   'D'  u32 oid, 'K' tuple | 'O' tuple                                      Delete
 *   'T'  u32 n, u8 options, n × u32 oid                                      Truncate
 *   'M'  u8 flags, u64 lsn, cstr prefix, u32 len, bytes                      Message
 *   tuple: u16 n, n × {'n' | 'u' | 't' u32 len, bytes | 'b' u32 len, bytes}
 *
 * Times are microseconds since 2000-01-01 on the wire and since 1970-01-01 here. LSNs are uint64_t.
 * Everything that a decoded message points to is borrowed from the bytes and from the decoder, until
 * the next decode. Thread: one at a time; touches nothing shared.
 */
#ifndef WR_PGOUTPUT_H
#define WR_PGOUTPUT_H

#include "base/writer.h"

/* ---- CopyData ------------------------------------------------------------------------------------- */

enum wr_pg_copy_kind {
    WR_PG_COPY_DATA,     /* XLogData */
    WR_PG_COPY_KEEPALIVE /* primary keepalive */
};

struct wr_pg_copy {
    enum wr_pg_copy_kind kind;
    uint64_t start_lsn;      /* DATA: where the message's WAL record begins; 0 for some messages */
    uint64_t wal_end_lsn;    /* the server has decoded up to here */
    int64_t clock_us;        /* the server's, since 1970 */
    bool wants_reply;        /* KEEPALIVE: answer at once, or the server ends the session */
    struct wr_bytes payload; /* DATA: one pgoutput message */
};

/* Decode one CopyData message. `out` is untouched on failure, which is WEIR_E_CORRUPT. */
WR_MUST_USE int wr_pg_copy_decode(struct wr_bytes bytes, struct wr_pg_copy *out,
                                  struct weir_error *err);

/* What we tell the server of our progress. */
struct wr_pg_progress {
    uint64_t written_lsn; /* received */
    uint64_t flushed_lsn; /* durable: the server may forget what is before it */
    bool wants_reply;     /* ask for a keepalive at once */
};

/* Write a standby status update. */
void wr_pg_status_put(struct wr_writer *w, const struct wr_pg_progress *progress, int64_t clock_us);

/* ---- pgoutput ------------------------------------------------------------------------------------- */

enum wr_pg_message_kind {
    WR_PG_BEGIN = 'B',
    WR_PG_COMMIT = 'C',
    WR_PG_ORIGIN = 'O',
    WR_PG_RELATION = 'R',
    WR_PG_TYPE = 'Y',
    WR_PG_INSERT = 'I',
    WR_PG_UPDATE = 'U',
    WR_PG_DELETE = 'D',
    WR_PG_TRUNCATE = 'T',
    WR_PG_MESSAGE = 'M'
};

enum wr_pg_field_kind {
    WR_PG_FIELD_NULL = 'n',
    WR_PG_FIELD_UNSENT = 'u', /* a TOASTed value that did not change */
    WR_PG_FIELD_TEXT = 't'
};

struct wr_pg_field {
    enum wr_pg_field_kind kind;
    struct wr_bytes text; /* TEXT: the type's output */
};

struct wr_pg_tuple {
    const struct wr_pg_field *fields; /* one for each column of the Relation message */
    size_t count;
};

/* Which columns an old tuple has. */
enum wr_pg_old_kind {
    WR_PG_OLD_NONE,
    WR_PG_OLD_KEY = 'K', /* those of the replica identity; all others are NULL */
    WR_PG_OLD_ROW = 'O'  /* all: REPLICA IDENTITY FULL */
};

struct wr_pg_relation_column {
    struct wr_str name;
    uint32_t type_oid;
    int32_t typmod;
    bool is_identity; /* part of the replica identity */
};

struct wr_pg_message {
    enum wr_pg_message_kind kind;
    union {
        struct {
            uint64_t final_lsn; /* where the commit record begins */
            int64_t commit_us;
            uint32_t xid;
        } begin;
        struct {
            uint64_t commit_lsn; /* equal to the Begin's final_lsn */
            uint64_t end_lsn;    /* behind the commit record */
            int64_t commit_us;
        } commit;
        struct {
            uint64_t lsn; /* of the commit on the origin server */
            struct wr_str name;
        } origin;
        struct {
            uint32_t oid;
            struct wr_str schema; /* pg_catalog is sent as "" and given as "pg_catalog" */
            struct wr_str table;
            char identity; /* 'd' default, 'n' nothing, 'f' full, 'i' index */
            const struct wr_pg_relation_column *columns;
            size_t column_count;
        } relation;
        struct {
            uint32_t oid;
            struct wr_str schema; /* as above */
            struct wr_str name;
        } type;
        struct {
            uint32_t oid;
            enum wr_pg_old_kind old_kind;
            struct wr_pg_tuple before; /* empty when old_kind is NONE */
            struct wr_pg_tuple after;  /* empty for a delete */
        } row;                         /* INSERT, UPDATE, DELETE */
        struct {
            const uint32_t *oids;
            size_t count;
            bool is_cascade;
            bool restarts_identity;
        } truncate;
        struct {
            bool is_transactional;
            uint64_t lsn;
            struct wr_str prefix;
            struct wr_bytes content;
        } message;
    } u;
};

/* Room that decoded messages point into; grows to what the largest message needed. */
struct wr_pgoutput {
    struct wr_pg_field *fields[2]; /* before, after */
    size_t field_caps[2];
    struct wr_pg_relation_column *columns;
    size_t column_cap;
    uint32_t *oids;
    size_t oid_cap;
};

/* Free what it owns. A zeroed one is ready for use, and may be freed too. */
void wr_pgoutput_fini(struct wr_pgoutput *decoder);

/* Decode one message. `out` is borrowed from `bytes` and `decoder` until the next call, and untouched
 * on failure.
 * Returns 0, or
 *   WEIR_E_CORRUPT      short, long, or breaking a rule; the field is named
 *   WEIR_E_UNSUPPORTED  a message of a later protocol version
 *   WEIR_E_NOMEM */
WR_MUST_USE int wr_pgoutput_decode(struct wr_pgoutput *decoder, struct wr_bytes bytes,
                                   struct wr_pg_message *out, struct weir_error *err);

/* ---- LSN as text ---------------------------------------------------------------------------------- */

enum {
    WR_PG_LSN_TEXT_MAX = 18 /* "FFFFFFFF/FFFFFFFF" and NUL */
};

/* "0/16B3748". Returns `out`, of at least WR_PG_LSN_TEXT_MAX bytes. */
const char *wr_pg_lsn_text(uint64_t lsn, char *out);

/* Read it back. False, with `out` untouched, when it is none. */
WR_MUST_USE bool wr_pg_lsn_parse(struct wr_str text, uint64_t *out);

#endif
