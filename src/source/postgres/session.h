/*
 * session.h - one connection to PostgreSQL: the only file of this source that does I/O.
 *
 * Every call that waits has a deadline and ends at once, with WEIR_E_STOPPED, when the wake descriptor
 * is readable; libpq is only used in its asynchronous form. A session whose call failed with
 * WEIR_E_CONNECT or WEIR_E_STOPPED is of no more use but to be closed.
 *
 * Errors, by what a retry can do about them (SQLSTATE in brackets):
 *   WEIR_E_CONNECT  nobody answers, the session broke, the server starts, stops or is short of
 *                   something [08…, 53…, 57…, 58…, 40…]; also after the deadline
 *   WEIR_E_BUSY     somebody else holds it [55006]
 *   WEIR_E_STOPPED  the wake descriptor is readable
 *   WEIR_E_REFUSED  all else that the server answers: rights, passwords, what is not there; the text is
 *                   the server's, with its SQLSTATE
 *   WEIR_E_NOMEM
 *
 * Thread: its owner.
 */
#ifndef WR_PG_SESSION_H
#define WR_PG_SESSION_H

#include "base/clock.h"
#include "base/error.h"

struct wr_pg_session;
struct wr_pg_result;

enum {
    WR_PG_PARAMS_MAX = 32
};

struct wr_pg_session_options {
    const char *keywords[WR_PG_PARAMS_MAX + 1]; /* libpq's connection parameters, NULL at the end */
    const char *values[WR_PG_PARAMS_MAX + 1];
    int wake_fd; /* -1: none */
    const struct wr_clock *clock;
    int connect_timeout_ms;
};

/* Connect. `options` and its texts: borrowed until return. `out`: owned by the caller, close with
 * wr_pg_session_close(). Blocks on network, at most connect_timeout_ms; so a name must be looked up before
 * (resolve.h), for libpq would wait for that as long as it takes. */
WR_MUST_USE int wr_pg_session_open(const struct wr_pg_session_options *options,
                                   struct wr_pg_session **out, struct weir_error *err);

/* Say goodbye, without waiting for an answer. Takes NULL. */
void wr_pg_session_close(struct wr_pg_session *session);

/* No call looks at the wake descriptor any more: for the goodbye of a source that was told to stop. */
void wr_pg_session_ignore_wake(struct wr_pg_session *session);

/* The server process at the other end, for pg_cancel_backend(). */
int wr_pg_session_pid(const struct wr_pg_session *session);

/* The socket, for poll(2); borrowed. */
int wr_pg_session_fd(const struct wr_pg_session *session);

/* ---- queries -------------------------------------------------------------------------------------- */

/*
 * Run `sql`, one statement or several, and wait for the end of the last.
 *
 *   out  the rows of the last statement that had any, or NULL when none had; owned by the caller, free
 *        with wr_pg_result_free(). May be NULL: rows are thrown away.
 *
 * Blocks on network, at most `timeout_ms`.
 */
WR_MUST_USE int wr_pg_session_query(struct wr_pg_session *session, const char *sql, int timeout_ms,
                                    struct wr_pg_result **out, struct weir_error *err);

/* Send `sql` without waiting; its answer is taken by wr_pg_session_take(). One at a time. */
WR_MUST_USE int wr_pg_session_send(struct wr_pg_session *session, const char *sql,
                                   struct weir_error *err);

/* Take the answer if it has come: 1, with `out` as above; 0: not yet. Does not block. */
WR_MUST_USE int wr_pg_session_take(struct wr_pg_session *session, struct wr_pg_result **out,
                                   struct weir_error *err);

/* Free rows. Takes NULL. */
void wr_pg_result_free(struct wr_pg_result *result);

/* How many rows; 0 for NULL. */
size_t wr_pg_result_rows(const struct wr_pg_result *result);

/* The text of a cell, NUL-terminated, borrowed from the result; ptr NULL for NULL. Asserts that the row
 * is there, and that the query has a column of this name. */
struct wr_str wr_pg_result_text(const struct wr_pg_result *result, size_t row, const char *column);

/* A cell that is 't'. */
bool wr_pg_result_bool(const struct wr_pg_result *result, size_t row, const char *column);

/* A cell that is a whole number; 0 for NULL. */
int64_t wr_pg_result_int(const struct wr_pg_result *result, size_t row, const char *column);

/* ---- COPY ----------------------------------------------------------------------------------------- */

/* Start a COPY … TO STDOUT, or START_REPLICATION. Blocks as a query does. */
WR_MUST_USE int wr_pg_session_copy_start(struct wr_pg_session *session, const char *sql,
                                         int timeout_ms, struct weir_error *err);

enum wr_pg_copy_next {
    WR_PG_COPY_NONE, /* nothing at hand: wait for the socket */
    WR_PG_COPY_ROW,
    WR_PG_COPY_END /* the COPY has ended */
};

/* Take the next message or row of the COPY, if one is at hand. Does not block.
 *   out  borrowed until the next call
 * Returns an enum wr_pg_copy_next, or an error. */
WR_MUST_USE int wr_pg_session_copy_next(struct wr_pg_session *session, struct wr_bytes *out,
                                        struct weir_error *err);

/* Send a message in a COPY of both directions. Blocks on network, at most `timeout_ms`. */
WR_MUST_USE int wr_pg_session_copy_send(struct wr_pg_session *session, struct wr_bytes message,
                                        int timeout_ms, struct weir_error *err);

/* Wait until the socket or one of `others` (may hold -1) is readable, or the time is over. Returns 0, or
 * WEIR_E_STOPPED. */
WR_MUST_USE int wr_pg_session_wait(struct wr_pg_session *session, const int *others, size_t count,
                                   int timeout_ms, struct weir_error *err);

#endif
