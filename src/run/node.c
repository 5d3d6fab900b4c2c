#include "run/node.h"

#include "base/trace.h"
#include "run/folder.h"
#include "run/out.h"
#include "run/session.h"
#include "run/workers.h"
#include "serve/http/server.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum {
    STOP_MS = 4700 /* of the 5 s that are promised */
};

struct node {
    const struct wr_node_options *options;
    struct wr_wake fatal;   /* the log has failed … */
    struct weir_error why;  /* … for this reason */
    struct wr_wake changed; /* a source or view has changed its state */
    struct wr_wake streams; /* readable: streams of the API end */
    struct wr_log *log;
    struct wr_workers *workers;
    struct wr_api api;
    struct wr_http_server *server;
};

/* ---- the log ---- */

static void on_notice(void *arg, enum wr_level level, const char *text)
{
    WR_UNUSED(arg);
    wr_trace(level, "log", "%s", text);
}

/* Called once, by a thread of the log. */
static void on_fatal(void *arg, const struct weir_error *why)
{
    struct node *node = arg;
    node->why = *why;
    wr_wake_signal(&node->fatal);
}

static int try_log(struct node *node, struct weir_error *err)
{
    struct wr_embedded_options options = node->options->log->embedded;
    options.dir = node->options->dir;
    options.threads = true;
    options.on_notice = on_notice;
    options.on_fatal = on_fatal;
    options.arg = node;
    return wr_embedded_open(&options, &node->log, err);
}

static int in_use(const char *dir, struct weir_error *err)
{
    char holder[160];
    wr_folder_holder(dir, holder, sizeof(holder));
    return wr_fail(err, WEIR_E_BUSY, "'%.200s' is in use by %s; stop it, or use another log.dir",
                   dir, holder);
}

/* Open the log; wait for a command that has the folder, but not for another weir. */
static int open_log(struct node *node, struct weir_error *err)
{
    const char *dir = node->options->dir;
    int64_t deadline_ms = wr_mono_ms(wr_clock_os()) + WR_SESSION_WAIT_MS;
    struct weir_error why;
    int rc = try_log(node, &why);
    while (rc == WEIR_E_BUSY) {
        enum wr_folder_event event = WR_FOLDER_TIME;
        int64_t left_ms = deadline_ms - wr_mono_ms(wr_clock_os());
        if (left_ms > 0) {
            rc = wr_folder_wait(dir, (int)left_ms, node->options->stop->fd, &event, &why);
        }
        if (rc < 0 && rc != WEIR_E_BUSY) {
            break;
        }
        if (event == WR_FOLDER_STOP) {
            return wr_fail(err, WEIR_E_STOPPED, "stopped before the log was open");
        }
        if (event != WR_FOLDER_FREE) {
            return in_use(dir, err);
        }
        rc = try_log(node, &why);
    }
    if (rc < 0) {
        *err = why;
        return wr_folder_advise(err);
    }
    return 0;
}

/* ---- the order ---- */

static int start_api(struct node *node, struct weir_error *err)
{
    node->api =
        (struct wr_api){.log = node->log,
                        .dir = node->options->dir,
                        .durability = wr_durability_name(node->options->log->embedded.durability),
                        .stop_fd = node->streams.fd,
                        .workers = wr_workers_tell,
                        .arg = node->workers};
    return wr_http_server_open(&node->api, node->options->dir, &node->server, err);
}

/* Open and start everything, from the log outward. */
static int start(struct node *node, struct weir_error *err)
{
    const struct wr_node_options *options = node->options;
    int rc = wr_workers_check(options->config, options->warn, err);
    rc = rc < 0 ? rc : wr_wake_open(&node->fatal, err);
    rc = rc < 0 ? rc : wr_wake_open(&node->changed, err);
    rc = rc < 0 ? rc : wr_wake_open(&node->streams, err);
    rc = rc < 0 ? rc : open_log(node, err);
    rc = rc < 0 ? rc
                : wr_workers_open(options->config, node->log, &node->changed, &node->workers, err);
    rc = rc < 0 ? rc : start_api(node, err);
    return rc < 0 ? rc : wr_workers_start(node->workers, err);
}

/* The opposite way. */
static void stop(struct node *node)
{
    if (node->streams.fd >= 0) {
        wr_wake_signal(&node->streams);
    }
    wr_workers_stop(node->workers);
    wr_http_server_close(node->server); /* its threads ask for the workers until they have ended */
    wr_workers_close(node->workers);
    wr_log_close(node->log);
    wr_wake_close(&node->streams);
    wr_wake_close(&node->changed);
    wr_wake_close(&node->fatal);
}

/* ---- while it runs ---- */

static void put_durability(enum wr_durability durability, struct wr_writer *out)
{
    static const char *const words[] = {
        [WR_DURABILITY_FSYNC] = "fsync: what is acknowledged survives a power cut",
        [WR_DURABILITY_INTERVAL] =
            "interval: weaker than fsync; a power cut may take back about the last second",
        [WR_DURABILITY_OS] =
            "os: weaker than fsync; a power cut may take back what the system had not written"};
    wr_put_fmt(out, "  durability %s\n", words[durability]);
}

static void put_next(const struct node *node, struct wr_writer *out)
{
    if (wr_workers_count(node->workers) == 0) {
        wr_put_lit(out, "Next: echo '{\"type\": \"Hello\"}' | weir produce greetings\n"
                        "      weir tail greetings --follow\n");
    } else {
        wr_put_lit(out, "Next: weir sources status, weir views status, weir topics list, "
                        "weir tail TOPIC --follow\n");
    }
    wr_put_lit(out, "Ctrl-C stops it.\n");
}

static void say_start(struct node *node)
{
    struct wr_writer out = wr_writer_growing(WR_OUT_BYTES_MAX);
    struct weir_error err;
    wr_put_fmt(&out, "weir %s runs on %s\n", WEIR_VERSION, node->options->dir);
    put_durability(node->options->log->embedded.durability, &out);
    wr_workers_describe(node->workers, &out);
    put_next(node, &out);
    if (wr_out_writer(&out, &err) < 0) {
        wr_trace(WR_WARN, "run", "%s", err.text); /* weir runs all the same */
    }
    wr_writer_fini(&out);
}

/* Is there nothing left to run? A node without sources and views serves its log. */
static bool is_idle(struct node *node)
{
    return wr_workers_count(node->workers) > 0 && wr_workers_alive(node->workers) == 0;
}

static int watch(struct node *node, struct weir_error *err)
{
    const int fds[] = {node->fatal.fd, node->options->stop->fd, node->changed.fd};
    for (;;) {
        int index = wr_wait_any(fds, 3, -1);
        if (index == 0) {
            *err = node->why;
            err->code = WEIR_E_IO;
            return err->code;
        }
        if (index == 1) {
            return 0;
        }
        if (index == 2 && wr_wake_clear(&node->changed)) {
            wr_workers_say(node->workers);
        }
        if (is_idle(node)) {
            return wr_fail(err, WEIR_E_IO,
                           "no source and no view is left; what ended them is said above");
        }
    }
}

/* Whatever holds the stop up, the process ends in time: a log is built for that. */
static void *end_late_stop(void *arg)
{
    const struct wr_wake *done = arg;
    if (wr_wait_any(&done->fd, 1, STOP_MS) < 0) {
        wr_trace(WR_ERROR, "run", "could not stop within %d ms; ends as after a crash", STOP_MS);
        _exit(WR_EXIT_FAILED);
    }
    return NULL;
}

static void stop_in_time(struct node *node)
{
    struct wr_wake done = {-1};
    struct weir_error err;
    pthread_t guard;
    bool is_guarded =
        wr_wake_open(&done, &err) == 0 && pthread_create(&guard, NULL, end_late_stop, &done) == 0;
    stop(node);
    if (is_guarded) {
        wr_wake_signal(&done);
        (void)pthread_join(guard, NULL);
    }
    wr_wake_close(&done);
}

int wr_node_run(const struct wr_node_options *options, struct weir_error *err)
{
    struct node node = {.options = options, .fatal = {-1}, .changed = {-1}, .streams = {-1}};
    int rc = start(&node, err);
    if (rc == 0) {
        say_start(&node);
        rc = watch(&node, err);
    }
    if (rc == WEIR_E_IO && node.log != NULL && wr_wake_clear(&node.fatal)) {
        fprintf(stderr, "weir: %s\n", err->text);
        _exit(
            WR_EXIT_FAILED); /* the log takes nothing any more, so nothing can be brought to an end */
    }
    stop_in_time(&node);
    return rc;
}
