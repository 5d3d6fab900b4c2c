/*
 * postgres.h - what the files of this source share: one connector, its sessions, and where it is.
 *
 *     postgres.c   the members of wr_postgres_source, in the order of a source's life
 *     copying.c    the snapshot: COPY of one table after another
 *     streaming.c  the stream: messages taken, changes handed over, the server told
 *
 * Thread: the source's.
 */
#ifndef WR_PG_POSTGRES_H
#define WR_PG_POSTGRES_H

#include "source/postgres/resolve.h"
#include "source/postgres/setup.h"
#include "source/postgres/snapshot.h"
#include "source/postgres/sql.h"
#include "source/postgres/stream.h"
#include "source/source_ops.h"

enum {
    WR_PG_CONNECT_TIMEOUT_MS = 10000,
    WR_PG_CANCEL_TIMEOUT_MS = 1000,
    WR_PG_STATEMENT_TIMEOUT_MS = 20000 /* of small statements while the stream waits */
};

struct wr_pg_source {
    struct wr_source_impl impl; /* first */
    struct wr_source_env env;
    struct wr_pg_config config;
    uint64_t next_version; /* of tables */
    int64_t busy_since_ms; /* since when the slot is somebody else's; 0: it is not */

    struct wr_pg_sessions sessions;
    struct wr_pg_server server;
    struct wr_pg_targets targets;
    struct wr_pg_stream stream; /* its position is the source's, in a snapshot too */
    bool has_checked_list;      /* entries of table.include.list that take nothing were told of */
    bool is_making_slot;        /* the statement that makes one is under way, or was broken off */

    /* the snapshot */
    struct wr_pg_snapshot snapshot;
    size_t tables_done;
    const struct wr_pg_table *copied; /* the table whose COPY is under way, or NULL */
    bool has_line;                    /* a row that the held one must be written before */
    struct wr_bytes line;             /* it, borrowed from the session */
    bool has_snapshot;                /* one was begun since open */

    /* the stream */
    bool is_streaming;
    bool has_message;        /* one that the log did not take yet */
    struct wr_bytes message; /* it, borrowed from the session */
    uint64_t confirmed_lsn;  /* told to the server */
    uint64_t durable_lsn;    /* that may be told */
    int64_t status_due_ms;
    int64_t heard_ms; /* when the stream last said something */
    int64_t heard_us; /* when the server did, wall clock; also in sessions before this one */
    int64_t probe_due_ms;
    bool is_probing;
    bool has_retained;
    uint64_t retained_bytes;
    int64_t warned_ms;       /* when a bad value was last told of */
    uint64_t changes_before; /* in sessions before this one */
    uint64_t transactions_before;
    int64_t commit_us_before;
};

/* Fill `sql` in and run it. `out` may be NULL. */
WR_MUST_USE int wr_pg_run(struct wr_pg_session *session, const char *sql,
                          const struct wr_pg_arg *args, size_t count, int timeout_ms,
                          struct wr_pg_result **out, struct weir_error *err);

/* Ask for the description of the table that a Relation message is about; one without columns stands for
 * the table as it is now. `out`: owned by the caller (wr_pg_result_free); *facts is borrowed from it. */
WR_MUST_USE int wr_pg_describe(struct wr_pg_source *source, const struct wr_pg_message *relation,
                               struct wr_pg_result **out, struct wr_str *facts,
                               struct weir_error *err);

/* Wait until the log has an answer, at most `timeout_ms`. 0, or WEIR_E_STOPPED. */
WR_MUST_USE int wr_pg_wait_feed(const struct wr_pg_source *source, const struct wr_feed *feed,
                                int timeout_ms, struct weir_error *err);

/* Say which columns of a table are left out, and with which key it is written. */
void wr_pg_introduce(const struct wr_pg_source *source, const struct wr_pg_table *table);

/* Say that a value could not be read; at most one line in a while. */
void wr_pg_warn_bad(struct wr_pg_source *source, const struct wr_table *table,
                    const struct wr_pg_bad_value *bad);

/* Make the slot, or a temporary one beside it, and read in its snapshot from now on. */
WR_MUST_USE int wr_pg_begin_copying(struct wr_pg_source *source, bool has_slot,
                                    struct weir_error *err);

/* Make a slot by one of the two statements; the position is where it begins. `out`: owned by the caller. */
WR_MUST_USE int wr_pg_create_slot(struct wr_pg_source *source, const char *sql, const char *slot,
                                  struct wr_pg_result **out, struct weir_error *err);

/* struct wr_source_ops. */
WR_MUST_USE int wr_pg_copy_some(struct wr_pg_source *source, struct wr_feed *feed, int timeout_ms,
                                struct weir_error *err);
WR_MUST_USE int wr_pg_stream_some(struct wr_pg_source *source, struct wr_feed *feed, int timeout_ms,
                                  struct weir_error *err);

/* START_REPLICATION at the position. */
WR_MUST_USE int wr_pg_start_streaming(struct wr_pg_source *source, struct weir_error *err);

/* Tell the server what is durable. */
WR_MUST_USE int wr_pg_tell(struct wr_pg_source *source, struct weir_error *err);

#endif
