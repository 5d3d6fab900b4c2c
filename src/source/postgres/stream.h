/*
 * stream.h - the order of things in a replication stream: transactions assembled, events counted, what
 * is in the log already skipped, the position moved. No I/O, no time: messages in, steps out.
 *
 *     CopyData ──▶ wr_pg_stream_take() ──▶ step ──▶ what the caller does
 *                                          NONE      take the next message
 *                                          DESCRIBE  ask the catalog, wr_pg_stream_describe(), take the next
 *                                          CHANGES   write them all, then wr_pg_stream_written()
 *                                          END       a transaction is whole: a good place for a commit
 *                                          IDLE      nothing but the position moved, or a reply is wanted
 *
 * A message whose changes could not be written (the log is busy) may be taken again; nothing moves
 * before wr_pg_stream_written().
 *
 * Thread: one at a time.
 */
#ifndef WR_PG_STREAM_H
#define WR_PG_STREAM_H

#include "source/postgres/pg_position.h"
#include "source/postgres/relation.h"

enum wr_pg_step_kind {
    WR_PG_STEP_NONE,
    WR_PG_STEP_DESCRIBE,
    WR_PG_STEP_CHANGES,
    WR_PG_STEP_END,
    WR_PG_STEP_IDLE
};

struct wr_pg_step {
    enum wr_pg_step_kind kind;
    const struct wr_pg_message
        *relation; /* DESCRIBE: the Relation message; borrowed until the next take */
    const struct wr_change *changes; /* CHANGES: borrowed until the next take */
    size_t change_count;
    struct wr_pg_bad_value bad; /* CHANGES: a value that was given as NULL */
    bool wants_reply;           /* IDLE */
};

struct wr_pg_stream {
    struct wr_pg_position position; /* of what was taken and written */
    uint64_t received_lsn;          /* end of the server's WAL as last told */
    uint64_t changes;               /* change messages taken, those of tables not captured too */
    uint64_t transactions;

    /* the transaction that is under way */
    bool is_open;
    uint64_t final_lsn;
    uint32_t xid;
    int64_t commit_us; /* of the last one too, when none is open; 0: none yet */
    uint64_t events;   /* change messages of it so far */
    uint64_t skip;     /* as many of them are in the log already; UINT64_MAX: all */
    char origin[512];  /* replication origin's name */
    bool has_origin;
    uint64_t origin_lsn;
    bool is_message; /* the change under way is a non-transactional message, of this LSN */
    uint64_t message_lsn;

    struct wr_pg_tables tables;
    struct wr_pgoutput decoder;
    struct wr_pg_message message;
    struct wr_arena arena;  /* one message */
    const char *database;   /* borrowed */
    uint64_t *next_version; /* borrowed: counts versions of tables in this process */
};

/* A stream that begins at `position`. `database`, `next_version`: borrowed while it is used. Cannot
 * fail. */
struct wr_pg_stream wr_pg_stream_of(const struct wr_pg_position *position, const char *database,
                                    uint64_t *next_version);

/* Free what it owns. Takes a zeroed one. */
void wr_pg_stream_fini(struct wr_pg_stream *stream);

/* Take one CopyData message. `out` is set on success.
 * Returns 0, or WEIR_E_CORRUPT for a message that is broken or out of order, WEIR_E_INPUT for a value of
 * a NOT NULL column that cannot be read, WEIR_E_UNSUPPORTED, WEIR_E_NOMEM. */
WR_MUST_USE int wr_pg_stream_take(struct wr_pg_stream *stream, struct wr_bytes bytes,
                                  struct wr_pg_step *out, struct weir_error *err);

/* After DESCRIBE: `facts` as describe.sql gave them, or ptr NULL for a table that is not captured.
 *   fresh  set to the table when it is new or looks different from before, else to NULL; borrowed until
 *          it is described again */
WR_MUST_USE int wr_pg_stream_describe(struct wr_pg_stream *stream, struct wr_str facts,
                                      const struct wr_pg_table **fresh, struct weir_error *err);

/* After CHANGES: all of them are handed to the log. */
void wr_pg_stream_written(struct wr_pg_stream *stream);

/* Is a transaction under way of which something was written? Then a commit would cut it. */
bool wr_pg_stream_is_torn(const struct wr_pg_stream *stream);

#endif
