/*
 * source_driver.c - one source over a log in memory, for tests of a source without the rest of weir.
 *
 *     source_driver CONFIG
 *
 * CONFIG is any form that `weir run` takes; its first source is run. Every committed record is a line on
 * standard output, as `weir tail --json` gives it; every change of the source's state is a line on
 * standard error. SIGTERM and SIGINT stop it; exit 1 when the source has failed.
 */
#include "data/json_text.h"
#include "log/memory.h"
#include "run/config.h"
#include "source/source.h"
#include "source/source_state.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

enum {
    LINE_BYTES_MAX = 256 << 20
};

static struct wr_wake stop_wake = {-1};
static volatile sig_atomic_t is_stopped;

static void on_signal(int number)
{
    WR_UNUSED(number);
    is_stopped = 1;
    wr_wake_signal(&stop_wake);
}

static void say(void *arg, struct wr_place at, const char *text)
{
    WR_UNUSED(arg);
    (void)fprintf(stderr, "%s:%d: %s\n", at.file, at.line, text);
}

static int fail(const struct weir_error *err)
{
    (void)fprintf(stderr, "source_driver: %s\n", err->text);
    return 1;
}

/* ---- records --------------------------------------------------------------------------------------- */

/* Key or value: JSON as it is, other text as a string, null as null. */
static void put_bytes(struct wr_writer *w, struct wr_bytes b)
{
    if (b.ptr == NULL) {
        wr_put_lit(w, "null");
    } else if (!wr_put_json_compact(w, b)) {
        wr_put_json_string(w, wr_str_of_bytes(b));
    }
}

static void print_record(struct wr_writer *w, const struct wr_log_chunk *chunk,
                         const struct wr_log_record *r)
{
    wr_writer_reset(w);
    wr_put_fmt(w, "{\"topic\":\"%s\",\"partition\":%" PRIu32 ",\"offset\":%" PRId64 ",\"key\":",
               chunk->topic->name, chunk->partition, r->offset);
    put_bytes(w, r->record.key);
    wr_put_lit(w, ",\"value\":");
    put_bytes(w, r->record.value);
    wr_put_lit(w, ",\"headers\":[");
    for (size_t i = 0; i < r->record.header_count; i++) {
        wr_put_str(w, i == 0 ? WR_STR("[") : WR_STR(",["));
        wr_put_json_string(w, r->record.headers[i].name);
        wr_put_lit(w, ",");
        wr_put_json_string(w, wr_str_of_bytes(r->record.headers[i].value));
        wr_put_lit(w, "]");
    }
    wr_put_lit(w, "]}\n");
    (void)fwrite(w->base, 1, w->len, stdout);
}

/* Read every topic from its start. */
static int assign(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct wr_log_reader *reader = arg;
    int rc = 0;
    for (uint32_t p = 0; rc == 0 && p < topic->partition_count; p++) {
        rc = wr_log_reader_assign(reader, topic, p, WR_OFFSET_EARLIEST, err);
    }
    return rc;
}

struct tail {
    struct wr_log *log;
    struct wr_log_reader *reader;
    struct wr_writer line;
    char known[256][256]; /* topics that are read */
    size_t known_count;
};

static int assign_new(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct tail *t = arg;
    for (size_t i = 0; i < t->known_count; i++) {
        if (strcmp(t->known[i], topic->name) == 0) {
            return 0;
        }
    }
    if (t->known_count == 256) {
        return wr_fail(err, WEIR_E_LIMIT, "more than 256 topics");
    }
    (void)snprintf(t->known[t->known_count++], 256, "%s", topic->name);
    return assign(t->reader, topic, err);
}

/* Take what there is; 0 when nothing was. */
static int read_some(struct tail *t, struct weir_error *err)
{
    struct wr_log_chunk chunk;
    int rc = wr_log_reader_poll(t->reader, 0, &chunk, err);
    if (rc < 0) {
        return rc;
    }
    if (chunk.kind == WR_POLL_TOPICS) {
        rc = wr_log_topic_list(t->log, assign_new, t, err);
        return rc < 0 ? rc : 1;
    }
    if (chunk.kind != WR_POLL_RECORDS) {
        return 0;
    }
    for (size_t i = 0; i < chunk.count; i++) {
        print_record(&t->line, &chunk, &chunk.records[i]);
    }
    return 1;
}

static int read_all(struct tail *t, struct weir_error *err)
{
    int rc = 1;
    while (rc == 1) {
        rc = read_some(t, err);
    }
    (void)fflush(stdout);
    return rc;
}

/* ---- the source ------------------------------------------------------------------------------------ */

static void print_status(struct wr_source *source)
{
    struct wr_source_status s;
    wr_source_status(source, &s);
    (void)fprintf(stderr,
                  "state=%s changes=%" PRIu64 " transactions=%" PRIu64 " records=%" PRIu64
                  " commits=%" PRIu64 " received=%s stored=%s confirmed=%s retained=%" PRIu64
                  " rows=%" PRIu64 " error=%s\n",
                  wr_source_state_name(s.state), s.changes, s.transactions, s.records, s.commits,
                  s.received, s.stored, s.confirmed, s.retained_bytes, s.snapshot_rows,
                  s.error.code < 0 ? s.error.text : "");
}

/* Until a signal, or the source is at rest. */
static int follow(struct wr_source *source, struct tail *t, const struct wr_wake *changed,
                  struct weir_error *err)
{
    const int fds[] = {stop_wake.fd, changed->fd, wr_log_reader_fd(t->reader)};
    struct wr_source_status s = {.state = WR_SOURCE_CONNECTING};
    int rc = 0;
    while (rc == 0 && !is_stopped && s.state != WR_SOURCE_FAILED) {
        (void)wr_wait_any(fds, 3, 1000);
        if (wr_wake_clear(changed)) {
            print_status(source);
        }
        wr_source_status(source, &s);
        rc = read_all(t, err);
    }
    return rc < 0 ? fail(err) : s.state == WR_SOURCE_FAILED;
}

static int run(const struct wr_conf *sources, struct wr_log *log, struct weir_error *err)
{
    const struct wr_conf_warn warn = {.take = say};
    struct wr_wake changed = {-1};
    struct wr_source *source = NULL;
    static struct tail t;
    t.log = log;
    t.line = wr_writer_growing(LINE_BYTES_MAX);
    const struct wr_log_reader_options reading = {.isolation = WR_READ_COMMITTED};
    int rc = wr_wake_open(&changed, err);
    const struct wr_source_options options = {.name = sources->entries[0].key.ptr,
                                              .conf = &sources->entries[0].value,
                                              .log = log,
                                              .clock = wr_clock_os(),
                                              .warn = &warn,
                                              .changed = &changed};
    if (rc == 0) {
        rc = wr_source_open(&options, &source, err);
    }
    if (rc == 0) {
        rc = wr_log_reader_open(log, &reading, &t.reader, err);
    }
    if (rc == 0) {
        rc = wr_log_reader_watch(t.reader, err);
    }
    if (rc == 0) {
        rc = wr_source_start(source, err);
    }
    rc = rc < 0 ? fail(err) : follow(source, &t, &changed, err);
    if (source != NULL) {
        print_status(source);
    }
    wr_source_close(source);
    if (t.reader != NULL && read_all(&t, err) < 0) {
        rc = fail(err);
    }
    wr_log_reader_close(t.reader);
    wr_writer_fini(&t.line);
    wr_wake_close(&changed);
    return rc;
}

int main(int argc, char **argv)
{
    struct weir_error err;
    struct wr_config config = {0};
    const struct wr_conf_warn warn = {.take = say};
    if (argc != 2 || wr_wake_open(&stop_wake, &err) < 0) {
        (void)fprintf(stderr, "usage: source_driver CONFIG\n");
        return 2;
    }
    const struct sigaction take = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &take, NULL);
    (void)sigaction(SIGINT, &take, NULL);
    const char *const files[] = {argv[1]};
    const struct wr_config_input input = {
        .files = files, .file_count = 1, .env = wr_config_env_os(), .warn = &warn};
    int rc = wr_config_load(&input, &config, &err);
    const struct wr_conf *sources = rc < 0 ? NULL : wr_config_section(&config, "sources");
    if (rc < 0 || sources == NULL || sources->count == 0) {
        (void)fprintf(stderr, "source_driver: %s\n", rc < 0 ? err.text : "no source");
        return 2;
    }
    struct wr_log *log = wr_memory_log_open(NULL);
    rc = run(sources, log, &err);
    wr_log_close(log);
    wr_config_fini(&config);
    wr_wake_close(&stop_wake);
    return rc;
}
