#include "run/session.h"

#include "base/trace.h"
#include "run/folder.h"

#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- signals ---- */

static struct wr_wake signal_wake = {-1};
static volatile sig_atomic_t signal_count;

static void on_signal(int number)
{
    int kept = errno;
    if (signal_count > 0) {
        _exit(128 + number);
    }
    signal_count = 1;
    wr_wake_signal(&signal_wake);
    errno = kept;
}

void wr_signals_wake(const struct wr_wake *wake)
{
    const struct sigaction take = {.sa_handler = on_signal};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    signal_wake = *wake;
    (void)sigaction(SIGINT, &take, NULL);
    (void)sigaction(SIGTERM, &take, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* ---- which folder ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* A ${…} that leads nowhere is left alone where it does not matter, but here it would name a folder. */
static int find_dir(struct wr_session *session, struct weir_error *err)
{
    const struct wr_conf *dir = wr_conf_get(wr_config_section(&session->config, "log"), "dir");
    if (dir != NULL && dir->kind == WR_CONF_SCALAR && strstr(dir->text.ptr, "${") != NULL) {
        return wr_conf_fail(err, dir->at,
                            "log.dir has a ${…} that leads nowhere; set it in the environment, or "
                            "name the folder by --dir");
    }
    return wr_config_log_dir(&session->config, WR_DEFAULT_DIR, &session->dir, err);
}

int wr_session_init(const struct wr_cli *cli, struct wr_session *session, struct weir_error *err)
{
    static const char *const files[] = {WR_CONFIG_FILE};
    const char *dir = wr_cli_value(cli, "dir");
    *session = (struct wr_session){.stop = {-1}};
    int rc = wr_wake_open(&session->stop, err);
    if (rc < 0) {
        return rc;
    }
    wr_signals_wake(&session->stop);
    bool reads = dir == NULL && is_file(WR_CONFIG_FILE);
    const struct wr_config_input input = {
        .files = files, .file_count = reads ? 1 : 0, .env = wr_config_env_os(), .is_lenient = true};
    rc = wr_config_load(&input, &session->config, err);
    rc = rc < 0 ? rc
                : wr_log_options_read(wr_config_section(&session->config, "log"), NULL,
                                      &session->options, err);
    if (rc == 0 && dir == NULL) {
        rc = find_dir(session, err);
    } else if (rc == 0) {
        session->dir = wr_strdup(wr_str_of(dir));
        rc = session->dir == NULL ? wr_fail(err, WEIR_E_NOMEM, "the path of the log") : 0;
    }
    session->api =
        (struct wr_api){.dir = session->dir,
                        .durability = wr_durability_name(session->options.embedded.durability),
                        .stop_fd = session->stop.fd,
                        .workers = wr_stopped_tell,
                        .arg = &session->stopped};
    session->stopped = (struct wr_stopped){.config = &session->config};
    return rc;
}

/* ---- which way ---- */

static void on_notice(void *arg, enum wr_level level, const char *text)
{
    WR_UNUSED(arg);
    wr_trace(level, "log", "%s", text);
}

static void on_fatal(void *arg, const struct weir_error *why)
{
    WR_UNUSED(arg);
    wr_trace(WR_ERROR, "log", "%s", why->text);
    _exit(WR_EXIT_FAILED);
}

static int open_log(struct wr_session *session, struct weir_error *err)
{
    struct wr_embedded_options options = session->options.embedded;
    options.dir = session->dir;
    options.threads = true;
    options.on_notice = on_notice;
    options.on_fatal = on_fatal;
    int rc = wr_embedded_open(&options, &session->log, err);
    const struct wr_conf *defaults =
        wr_conf_get(wr_config_section(&session->config, "log"), "topic_defaults");
    if (rc < 0 && defaults != NULL) {
        wr_conf_hide(defaults, err);
    }
    session->api.log = session->log;
    session->stopped.log = session->log;
    return rc;
}

static int busy(const char *dir, struct weir_error *err)
{
    char holder[160];
    wr_folder_holder(dir, holder, sizeof(holder));
    return wr_fail(err, WEIR_E_BUSY, "'%.200s' is in use by %s; stop it, or name another --dir",
                   dir, holder);
}

/* One try: 0 when there is a way, WEIR_E_BUSY when somebody has the folder and does not serve. */
static int try_ways(struct wr_session *session, struct weir_error *err)
{
    struct weir_error why;
    int rc = wr_http_client_open(session->dir, session->stop.fd, &session->client, &why);
    if (rc == WEIR_E_CONNECT || rc == WEIR_E_NOTFOUND) {
        rc = open_log(session, &why);
    }
    if (rc < 0) {
        *err = why;
    }
    return rc;
}

static int absent(const char *dir, struct weir_error *err)
{
    return wr_fail(err, WEIR_E_NOTFOUND,
                   "there is no log in '%.200s'; 'weir run' starts one, --dir names another", dir);
}

/* Wait for whoever has the folder, until `deadline_ms`. */
static int wait_for_folder(struct wr_session *session, int64_t deadline_ms, struct weir_error *err)
{
    enum wr_folder_event event = WR_FOLDER_TIME;
    int64_t left_ms = deadline_ms - wr_mono_ms(wr_clock_os());
    int rc = 0;
    if (left_ms > 0) {
        rc = wr_folder_wait(session->dir, (int)left_ms, session->stop.fd, &event, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (event == WR_FOLDER_STOP) {
        return wr_fail(err, WEIR_E_STOPPED, "stopped");
    }
    return event == WR_FOLDER_TIME ? busy(session->dir, err) : 0;
}

static int64_t deadline(void)
{
    return wr_mono_ms(wr_clock_os()) + WR_SESSION_WAIT_MS;
}

int wr_session_wait(struct wr_session *session, struct weir_error *err)
{
    return is_file(session->dir) ? wait_for_folder(session, deadline(), err)
                                 : absent(session->dir, err);
}

int wr_session_open(struct wr_session *session, bool makes_dir, struct weir_error *err)
{
    int64_t deadline_ms = deadline();
    struct weir_error why;
    if (!makes_dir && !is_file(session->dir)) {
        return absent(session->dir, err);
    }
    int rc = try_ways(session, &why);
    while (rc == WEIR_E_BUSY) {
        rc = wait_for_folder(session, deadline_ms, &why);
        if (rc < 0) {
            break;
        }
        rc = try_ways(session, &why);
    }
    if (rc < 0) {
        *err = why;
        return wr_folder_advise(err);
    }
    return 0;
}

int wr_session_begin(const struct wr_cli *cli, bool makes_dir, struct wr_session *session,
                     struct weir_error *err)
{
    int rc = wr_session_init(cli, session, err);
    return rc < 0 ? rc : wr_session_open(session, makes_dir, err);
}

/* ---- calls ---- */

static int read_answer(struct wr_api_call *call, const struct wr_http_call *request,
                       struct weir_error *err)
{
    enum {
        PIECE_BYTES = 64 * 1024
    };
    uint8_t *piece = wr_alloc_array(1, PIECE_BYTES);
    if (piece == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "an answer");
    }
    int rc = 0;
    for (;;) {
        int64_t n = wr_api_call_read(call, piece, PIECE_BYTES, err);
        if (n <= 0) {
            rc = (int)n;
            break;
        }
        rc = request->take(request->arg, (struct wr_bytes){piece, (size_t)n}, err);
        if (rc != 0) {
            break;
        }
    }
    wr_free(piece);
    return rc;
}

/* The same as over the socket, in this process. */
static int call_here(struct wr_session *session, const struct wr_http_call *request,
                     struct weir_error *err)
{
    struct wr_api_call *call = NULL;
    struct wr_api_target target = *request->target;
    target.hangup_fd = -1;
    int rc = wr_api_call_open(&session->api, &target, &call, err);
    if (rc == 0 && request->body.ptr != NULL) {
        rc = wr_api_call_take(call, request->body, err);
    }
    rc = rc < 0 ? rc : wr_api_call_finish(call, err);
    rc = rc < 0 ? rc : read_answer(call, request, err);
    wr_api_call_close(call);
    return rc;
}

int wr_session_call(struct wr_session *session, const struct wr_http_call *call,
                    struct weir_error *err)
{
    return session->client != NULL ? wr_http_client_call(session->client, call, err)
                                   : call_here(session, call, err);
}

static int take_into(void *arg, struct wr_bytes piece, struct weir_error *err)
{
    struct wr_writer *out = arg;
    wr_put_bytes(out, piece);
    return wr_writer_end(out, err);
}

int wr_session_get(struct wr_session *session, const struct wr_api_target *target,
                   struct wr_writer *out, struct weir_error *err)
{
    const struct wr_http_call call = {.target = target, .take = take_into, .arg = out};
    return wr_session_call(session, &call, err);
}

bool wr_session_is_stopped(const struct wr_session *session)
{
    return session->stop.fd >= 0 && wr_wait_any(&session->stop.fd, 1, 0) == 0;
}

void wr_session_close(struct wr_session *session)
{
    wr_http_client_close(session->client);
    wr_log_close(session->log);
    wr_free(session->dir);
    wr_config_fini(&session->config);
    /* The wake-up stays open: a signal may still come. */
}
