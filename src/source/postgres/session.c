#include "source/postgres/session.h"

#include <libpq-fe.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>

enum {
    SQLSTATE_LEN = 5,
    OTHERS_MAX = 6 /* descriptors beside socket and wake */
};

struct wr_pg_session {
    PGconn *conn;
    int wake_fd;
    const struct wr_clock *clock;
    char *row;                 /* what copy_next gave, libpq's */
    struct wr_pg_result *sent; /* rows of what was sent, so far */
    bool is_sent;
};

struct wr_pg_result {
    PGresult *rows;
};

/* ---- errors --------------------------------------------------------------------------------------- */

static int code_of(const char *sqlstate)
{
    static const char *const transient[] = {"08", "40", "53", "57", "58"};
    if (strcmp(sqlstate, "55006") == 0) {
        return WEIR_E_BUSY;
    }
    for (size_t i = 0; i < sizeof(transient) / sizeof(transient[0]); i++) {
        if (strncmp(sqlstate, transient[i], 2) == 0) {
            return WEIR_E_CONNECT;
        }
    }
    return WEIR_E_REFUSED;
}

/* The first line of libpq's text, without the blanks that it begins or ends with. */
static struct wr_str first_line(const char *text)
{
    size_t from = strspn(text, " \t\r\n");
    size_t len = strcspn(text + from, "\r\n");
    return (struct wr_str){text + from, len};
}

/* What a failed result says. */
static int result_failed(const PGresult *result, struct weir_error *err)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (state == NULL || text == NULL) { /* libpq's own, such as a session that broke */
        struct wr_str line = first_line(PQresultErrorMessage(result));
        return wr_fail(err, WEIR_E_CONNECT, "%.*s", WR_FMT(line));
    }
    return wr_fail(err, code_of(state), "%s (SQLSTATE %s%s%s)", text, state,
                   detail == NULL ? "" : "; ", detail == NULL ? "" : detail);
}

static int session_failed(const struct wr_pg_session *s, struct weir_error *err)
{
    struct wr_str line = first_line(PQerrorMessage(s->conn));
    if (line.len == 0) {
        return wr_fail(err, WEIR_E_CONNECT, "the server closed the session");
    }
    return wr_fail(err, WEIR_E_CONNECT, "%.*s", WR_FMT(line));
}

/* While a connection is made there is no result to ask for the SQLSTATE. In its verbose form libpq's
 * text has it: "… FATAL:  28P01: password authentication failed …". */
static int connect_failed(const PGconn *conn, struct weir_error *err)
{
    struct wr_str line = first_line(PQerrorMessage(conn));
    for (size_t i = 0; i + SQLSTATE_LEN + 4 < line.len; i++) {
        const char *at = line.ptr + i;
        size_t state_len = strspn(at + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (memcmp(at, ":  ", 3) == 0 && state_len == SQLSTATE_LEN && at[3 + SQLSTATE_LEN] == ':') {
            char state[SQLSTATE_LEN + 1] = {0};
            memcpy(state, at + 3, SQLSTATE_LEN);
            struct wr_str rest = {at + SQLSTATE_LEN + 5, line.len - i - SQLSTATE_LEN - 5};
            return wr_fail(err, code_of(state), "%.*s (SQLSTATE %s)", WR_FMT(rest), state);
        }
    }
    return wr_fail(err, WEIR_E_CONNECT, "%.*s", WR_FMT(line));
}

/* ---- waiting -------------------------------------------------------------------------------------- */

static int left_ms(const struct wr_pg_session *s, int64_t deadline_ms)
{
    int64_t left = deadline_ms - wr_mono_ms(s->clock);
    return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

/* Bytes that OpenSSL has decrypted and libpq did not take yet: the socket does not tell of them. */
static bool has_decrypted(const struct wr_pg_session *s)
{
    const SSL *ssl = PQsslInUse(s->conn) == 1 ? PQsslStruct(s->conn, "OpenSSL") : NULL;
    return ssl != NULL && SSL_pending(ssl) > 0;
}

/* Wait for the socket (`events` of poll) or the wake descriptor; WEIR_E_CONNECT at the deadline. */
static int wait_socket(const struct wr_pg_session *s, short events, int64_t deadline_ms,
                       struct weir_error *err)
{
    struct pollfd fds[2] = {{.fd = PQsocket(s->conn), .events = events},
                            {.fd = s->wake_fd, .events = POLLIN}};
    bool is_ready = (events & POLLIN) != 0 && has_decrypted(s);
    int n = poll(fds, 2, is_ready ? 0 : left_ms(s, deadline_ms));
    if (fds[1].revents != 0) {
        return wr_fail(err, WEIR_E_STOPPED, "told to stop");
    }
    if (n == 0 && !is_ready) {
        return wr_fail(err, WEIR_E_CONNECT, "no answer in time");
    }
    if (n < 0 && errno != EINTR) {
        return wr_fail_errno(err, WEIR_E_CONNECT, "wait for the server");
    }
    return 0;
}

int wr_pg_session_wait(struct wr_pg_session *session, const int *others, size_t count,
                       int timeout_ms, struct weir_error *err)
{
    struct pollfd fds[2 + OTHERS_MAX] = {{.fd = PQsocket(session->conn), .events = POLLIN},
                                         {.fd = session->wake_fd, .events = POLLIN}};
    WR_ASSERT(count <= OTHERS_MAX);
    for (size_t i = 0; i < count; i++) {
        fds[2 + i] = (struct pollfd){.fd = others[i], .events = POLLIN};
    }
    int wait_ms = has_decrypted(session) ? 0 : timeout_ms;
    if (poll(fds, (nfds_t)(2 + count), wait_ms) < 0 && errno != EINTR) {
        return wr_fail_errno(err, WEIR_E_CONNECT, "wait for the server");
    }
    return fds[1].revents != 0 ? wr_fail(err, WEIR_E_STOPPED, "told to stop") : 0;
}

/* ---- life ----------------------------------------------------------------------------------------- */

/* Drive libpq's state machine until the session stands. */
static int connect_to_end(struct wr_pg_session *s, int64_t deadline_ms, struct weir_error *err)
{
    if (PQstatus(s->conn) == CONNECTION_BAD) {
        return connect_failed(s->conn, err);
    }
    (void)PQsetErrorVerbosity(s->conn, PQERRORS_VERBOSE);
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            return connect_failed(s->conn, err);
        }
        short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        int rc = wait_socket(s, events, deadline_ms, err);
        if (rc < 0) {
            return rc;
        }
        next = PQconnectPoll(s->conn);
    }
    (void)PQsetErrorVerbosity(s->conn, PQERRORS_DEFAULT);
    return PQsetnonblocking(s->conn, 1) == 0 ? 0 : session_failed(s, err);
}

/* The server's notices (such as "publication exists, skipping") are no news for our readers. */
static void drop_notice(void *arg, const PGresult *notice)
{
    WR_UNUSED(arg);
    WR_UNUSED(notice);
}

int wr_pg_session_open(const struct wr_pg_session_options *options, struct wr_pg_session **out,
                       struct weir_error *err)
{
    struct wr_pg_session *s = wr_alloc_array(1, sizeof(*s));
    if (s == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a session");
    }
    s->wake_fd = options->wake_fd;
    s->clock = options->clock;
    int64_t deadline_ms = wr_mono_ms(s->clock) + options->connect_timeout_ms;
    s->conn = PQconnectStartParams(options->keywords, options->values, 0);
    int rc = s->conn == NULL ? wr_fail(err, WEIR_E_NOMEM, "a session") : 0;
    if (rc == 0) {
        (void)PQsetNoticeReceiver(s->conn, drop_notice, NULL);
        rc = connect_to_end(s, deadline_ms, err);
    }
    if (rc < 0) {
        wr_pg_session_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void wr_pg_session_close(struct wr_pg_session *session)
{
    if (session == NULL) {
        return;
    }
    if (session->row != NULL) {
        PQfreemem(session->row);
    }
    wr_pg_result_free(session->sent);
    PQfinish(session->conn);
    wr_free(session);
}

void wr_pg_session_ignore_wake(struct wr_pg_session *session)
{
    session->wake_fd = -1;
}

int wr_pg_session_pid(const struct wr_pg_session *session)
{
    return PQbackendPID(session->conn);
}

int wr_pg_session_fd(const struct wr_pg_session *session)
{
    return PQsocket(session->conn);
}

/* ---- queries -------------------------------------------------------------------------------------- */

/* Push out what libpq holds back. Reads while it waits, as libpq asks for, lest both ends wait. */
static int flush(struct wr_pg_session *s, int64_t deadline_ms, struct weir_error *err)
{
    int left = PQflush(s->conn);
    while (left == 1) {
        int rc = wait_socket(s, POLLIN | POLLOUT, deadline_ms, err);
        if (rc < 0) {
            return rc;
        }
        if (PQconsumeInput(s->conn) == 0) {
            return session_failed(s, err);
        }
        left = PQflush(s->conn);
    }
    return left == 0 ? 0 : session_failed(s, err);
}

/* Wait until PQgetResult() would not block. */
static int wait_result(struct wr_pg_session *s, int64_t deadline_ms, struct weir_error *err)
{
    while (PQisBusy(s->conn) == 1) {
        int rc = wait_socket(s, POLLIN, deadline_ms, err);
        if (rc < 0) {
            return rc;
        }
        if (PQconsumeInput(s->conn) == 0) {
            return session_failed(s, err);
        }
    }
    return 0;
}

/* Keep the rows of one result in *rows, if it has any. 0, or its error. */
static int keep(PGresult *result, struct wr_pg_result **rows, struct weir_error *err)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK) {
        struct wr_pg_result *kept = wr_alloc_array(1, sizeof(*kept));
        if (kept == NULL) {
            PQclear(result);
            return wr_fail(err, WEIR_E_NOMEM, "the answer to a query");
        }
        kept->rows = result;
        wr_pg_result_free(*rows);
        *rows = kept;
        return 0;
    }
    int rc =
        status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY ? 0 : result_failed(result, err);
    PQclear(result);
    return rc;
}

/* A COPY that the server has ended on its side; libpq would give this result for ever. */
static bool is_half_ended(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* Hand out what was kept, or throw it away. */
static void give(struct wr_pg_result *rows, struct wr_pg_result **out)
{
    if (out == NULL) {
        wr_pg_result_free(rows);
    } else {
        *out = rows;
    }
}

/* Take all results up to the end of the command. The first error is returned, when the end has come. */
static int take_results(struct wr_pg_session *s, int64_t deadline_ms, struct wr_pg_result **rows,
                        struct weir_error *err)
{
    int failed = 0;
    while (true) {
        struct weir_error later;
        int rc = wait_result(s, deadline_ms, failed < 0 ? &later : err);
        if (rc < 0) {
            return failed < 0 ? failed : rc;
        }
        PGresult *result = PQgetResult(s->conn);
        if (result == NULL) {
            return failed;
        }
        if (is_half_ended(result)) {
            PQclear(result);
            return failed < 0 ? failed
                              : wr_fail(err, WEIR_E_CONNECT, "the server ended the stream");
        }
        rc = keep(result, rows, failed < 0 ? &later : err);
        failed = failed < 0 ? failed : rc;
    }
}

int wr_pg_session_query(struct wr_pg_session *session, const char *sql, int timeout_ms,
                        struct wr_pg_result **out, struct weir_error *err)
{
    int64_t deadline_ms = wr_mono_ms(session->clock) + timeout_ms;
    struct wr_pg_result *rows = NULL;
    if (PQsendQuery(session->conn, sql) == 0) {
        return session_failed(session, err);
    }
    int rc = flush(session, deadline_ms, err);
    if (rc == 0) {
        rc = take_results(session, deadline_ms, &rows, err);
    }
    if (rc < 0) {
        wr_pg_result_free(rows);
        return rc;
    }
    give(rows, out);
    return 0;
}

int wr_pg_session_send(struct wr_pg_session *session, const char *sql, struct weir_error *err)
{
    WR_ASSERT(!session->is_sent);
    if (PQsendQuery(session->conn, sql) == 0 || PQflush(session->conn) < 0) {
        return session_failed(session, err);
    }
    session->is_sent = true;
    return 0;
}

int wr_pg_session_take(struct wr_pg_session *session, struct wr_pg_result **out,
                       struct weir_error *err)
{
    WR_ASSERT(session->is_sent);
    if (PQflush(session->conn) < 0 || PQconsumeInput(session->conn) == 0) {
        return session_failed(session, err);
    }
    while (PQisBusy(session->conn) == 0) {
        PGresult *result = PQgetResult(session->conn);
        if (result == NULL) {
            session->is_sent = false;
            give(session->sent, out);
            session->sent = NULL;
            return 1;
        }
        int rc = keep(result, &session->sent, err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

void wr_pg_result_free(struct wr_pg_result *result)
{
    if (result != NULL) {
        PQclear(result->rows);
        wr_free(result);
    }
}

size_t wr_pg_result_rows(const struct wr_pg_result *result)
{
    return result == NULL ? 0 : (size_t)PQntuples(result->rows);
}

struct wr_str wr_pg_result_text(const struct wr_pg_result *result, size_t row, const char *column)
{
    int at = PQfnumber(result->rows, column);
    WR_ASSERT(at >= 0);
    WR_ASSERT(row < wr_pg_result_rows(result));
    if (PQgetisnull(result->rows, (int)row, at) == 1) {
        return (struct wr_str){NULL, 0};
    }
    return (struct wr_str){PQgetvalue(result->rows, (int)row, at),
                           (size_t)PQgetlength(result->rows, (int)row, at)};
}

bool wr_pg_result_bool(const struct wr_pg_result *result, size_t row, const char *column)
{
    return wr_str_eq(wr_pg_result_text(result, row, column), WR_STR("t"));
}

int64_t wr_pg_result_int(const struct wr_pg_result *result, size_t row, const char *column)
{
    struct wr_str text = wr_pg_result_text(result, row, column);
    return text.ptr == NULL ? 0 : strtoll(text.ptr, NULL, 10);
}

/* ---- COPY ----------------------------------------------------------------------------------------- */

int wr_pg_session_copy_start(struct wr_pg_session *session, const char *sql, int timeout_ms,
                             struct weir_error *err)
{
    int64_t deadline_ms = wr_mono_ms(session->clock) + timeout_ms;
    if (PQsendQuery(session->conn, sql) == 0) {
        return session_failed(session, err);
    }
    int rc = flush(session, deadline_ms, err);
    if (rc == 0) {
        rc = wait_result(session, deadline_ms, err);
    }
    if (rc < 0) {
        return rc;
    }
    PGresult *result = PQgetResult(session->conn);
    if (result == NULL) {
        return session_failed(session, err);
    }
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        PQclear(result);
        return 0;
    }
    rc = result_failed(result, err);
    PQclear(result);
    struct weir_error later;
    int drained = take_results(session, deadline_ms, &session->sent, &later);
    return drained == WEIR_E_STOPPED ? drained : rc;
}

/* After the last row: the COPY's own result says whether it went well. A stream's end is reported by
 * the server in the same way. */
static int copy_ended(struct wr_pg_session *s, struct weir_error *err)
{
    enum {
        END_TIMEOUT_MS = 5000
    };
    struct wr_pg_result *rows = NULL;
    int rc = take_results(s, wr_mono_ms(s->clock) + END_TIMEOUT_MS, &rows, err);
    wr_pg_result_free(rows);
    return rc < 0 ? rc : WR_PG_COPY_END;
}

int wr_pg_session_copy_next(struct wr_pg_session *session, struct wr_bytes *out,
                            struct weir_error *err)
{
    if (session->row != NULL) {
        PQfreemem(session->row);
        session->row = NULL;
    }
    int len = PQgetCopyData(session->conn, &session->row, 1);
    if (len == 0) {
        if (PQconsumeInput(session->conn) == 0) {
            return session_failed(session, err);
        }
        len = PQgetCopyData(session->conn, &session->row, 1);
    }
    if (len > 0) {
        *out = (struct wr_bytes){(const uint8_t *)session->row, (size_t)len};
        return WR_PG_COPY_ROW;
    }
    if (len == -1) {
        return copy_ended(session, err);
    }
    return len == 0 ? WR_PG_COPY_NONE : session_failed(session, err);
}

int wr_pg_session_copy_send(struct wr_pg_session *session, struct wr_bytes message, int timeout_ms,
                            struct weir_error *err)
{
    WR_ASSERT(message.len <= INT32_MAX);
    if (PQputCopyData(session->conn, (const char *)message.ptr, (int)message.len) <= 0) {
        return session_failed(session, err);
    }
    return flush(session, wr_mono_ms(session->clock) + timeout_ms, err);
}
