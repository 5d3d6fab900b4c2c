/*
 * pg_position.h - how far a PostgreSQL source is, and in which server's history.
 *
 * Everything that committed before `lsn` is in the log: each transaction whose commit record begins
 * below it. Of one transaction that commits later, the first `tx_events` change messages may be in
 * already: it was too large for one commit. Non-transactional messages come when they are written, so
 * before the commits around them: those up to `message_lsn` are in.
 *
 * Change messages (insert, update, delete, truncate, transactional message) are counted as the server
 * sends them, before any filter of ours, without those of aborted subtransactions, so that the number
 * means the same whatever filters and protocol version the next start has.
 *
 * As JSON, in one line (an LSN is text, as PostgreSQL prints it):
 *   {"version":1,"lsn":"0/16B3778","tx_commit_lsn":null,"tx_events":0,"message_lsn":"0/0",
 *    "last_commit_lsn":"0/16B3778","system":"7301…","timeline":1,"database":"app_db","slot":"debezium",
 *    "plugin":"pgoutput","publication_oid":16412}
 *
 * Pure. Thread: any.
 */
#ifndef WR_PG_POSITION_H
#define WR_PG_POSITION_H

#include "base/writer.h"

enum {
    WR_PG_NAME_MAX = 64 /* NAMEDATALEN: a name and its NUL */
};

struct wr_pg_position {
    uint64_t lsn;
    uint64_t tx_commit_lsn; /* of the transaction that is in by part; 0: none is */
    uint64_t tx_events;
    uint64_t message_lsn;
    uint64_t last_commit_lsn;    /* first half of source.sequence; 0: no commit yet */
    char system[WR_PG_NAME_MAX]; /* system identifier, in digits */
    uint32_t timeline;
    char database[WR_PG_NAME_MAX];
    char slot[WR_PG_NAME_MAX];
    uint32_t publication_oid;
};

/* Write it as JSON. `written`: what the commits before wrote (a JSON array), or ptr NULL. */
void wr_pg_position_put(struct wr_writer *w, const struct wr_pg_position *position,
                        struct wr_str written);

/* Read it back. Members that it does not know are left alone; `out` is untouched on failure.
 * WEIR_E_CORRUPT for what is none, WEIR_E_UNSUPPORTED for a later version. */
WR_MUST_USE int wr_pg_position_parse(struct wr_str text, struct wr_pg_position *out,
                                     struct weir_error *err);

/* Copy a name that fits; the server's names always do (asserted). */
void wr_pg_name_copy(char out[WR_PG_NAME_MAX], struct wr_str name);

#endif
