#include "source/source.h"

#include "base/trace.h"
#include "source/backoff.h"
#include "source/position.h"
#include "source/record_conf.h"
#include "source/source_ops.h"
#include "source/source_state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>

enum {
    TURN_MS = 1000,   /* a turn waits no longer for the database */
    FINISH_MS = 2000, /* for the last commit, when told to stop */
    STEADY_MS = 5000, /* a stream that stood so long, or wrote something, begins its waits anew */
    REWIND_MS = 1000, /* between two times that the log may be opened anew without a wait */
    STATUS_MS = 200,  /* between two looks at what only the source knows */
    RUN_ID_LEN = 36
};

struct wr_source {
    char *name;
    char context[128];
    const struct wr_source_ops *ops;
    struct wr_log *log;
    const struct wr_clock *clock;
    const struct wr_wake *changed;
    bool never_waits;
    struct wr_connector connector;
    struct wr_topic_conf topics;
    int64_t heartbeat_ms;

    struct wr_wake stop;
    atomic_bool is_stopping;
    pthread_t thread;
    bool has_thread;

    /* the thread's */
    enum wr_source_state state;
    enum wr_source_action action;
    struct wr_source_impl *impl;
    struct wr_envelope *envelope;
    struct wr_feed *feed; /* NULL while there is no session */
    struct wr_rng rng;
    struct wr_backoff backoff;
    struct weir_error error;
    int64_t wait_until_ms;
    int64_t heartbeat_due_ms;
    int64_t stream_since_ms;
    int64_t status_due_ms;
    enum wr_source_state told_state; /* as the status has it */
    uint64_t told_mark;
    bool is_snapshot_handed;      /* its end is handed over, but not answered */
    struct wr_feed_counts counts; /* of feeds that are closed */

    pthread_mutex_t lock;
    struct wr_source_status status; /* guarded by lock */
};

/* ---- status ---------------------------------------------------------------------------------------- */

static void add_counts(struct wr_source *s, struct wr_feed_counts *sum)
{
    *sum = s->counts;
    if (s->feed != NULL) {
        struct wr_feed_counts now = wr_feed_counts(s->feed);
        sum->records += now.records;
        sum->commits += now.commits;
        sum->heartbeats += now.heartbeats;
        sum->warnings += now.warnings;
    }
}

/* Make what others see as it is now. */
static void publish(struct wr_source *s)
{
    struct wr_feed_counts counts;
    add_counts(s, &counts);
    const struct weir_error *stalled = s->feed == NULL ? NULL : wr_feed_stalled(s->feed);
    s->status_due_ms = wr_mono_ms(s->clock) + STATUS_MS;
    s->told_state = s->state;
    (void)pthread_mutex_lock(&s->lock);
    bool is_new = s->status.state != s->state;
    s->status.state = s->state;
    if (is_new) {
        s->status.state_since_us = wr_wall_us(s->clock);
    }
    bool is_down = s->state == WR_SOURCE_BACKOFF || s->state == WR_SOURCE_FAILED;
    s->status.error = is_down ? s->error : (struct weir_error){0};
    s->status.is_log_stalled = stalled != NULL;
    if (stalled != NULL) {
        s->status.error = *stalled;
        wr_conf_hide(s->connector.map, &s->status.error);
    }
    s->status.retries = s->backoff.attempts;
    s->status.retry_ms = s->state == WR_SOURCE_BACKOFF ? s->backoff.wait_ms : 0;
    s->status.records = counts.records;
    s->status.commits = counts.commits;
    s->status.heartbeats = counts.heartbeats;
    s->status.warnings = counts.warnings;
    s->ops->status(s->impl, &s->status);
    (void)pthread_mutex_unlock(&s->lock);
    if (is_new && s->changed != NULL) {
        wr_wake_signal(s->changed);
    }
}

void wr_source_status(struct wr_source *source, struct wr_source_status *out)
{
    (void)pthread_mutex_lock(&source->lock);
    *out = source->status;
    (void)pthread_mutex_unlock(&source->lock);
}

const char *wr_source_name(const struct wr_source *source)
{
    return source->name;
}

/* ---- open ------------------------------------------------------------------------------------------ */

static const struct wr_source_ops *ops_of(const struct wr_source_options *options)
{
    return options->ops != NULL ? options->ops : &wr_postgres_source;
}

/* A UUID of version 7 (RFC 9562): milliseconds since 1970, then random bits. */
static void make_run_id(struct wr_source *s, char out[RUN_ID_LEN + 1])
{
    uint8_t b[16];
    uint64_t ms = (uint64_t)wr_wall_ms(s->clock);
    wr_rng_bytes(&s->rng, b, sizeof(b));
    for (size_t i = 0; i < 6; i++) {
        b[i] = (uint8_t)(ms >> (8 * (5 - i)));
    }
    b[6] = (uint8_t)(0x70 | (b[6] & 0x0f));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3f));
    size_t len = 0;
    for (size_t i = 0; i < sizeof(b); i++) {
        bool has_dash = i == 4 || i == 6 || i == 8 || i == 10;
        len += (size_t)snprintf(out + len, RUN_ID_LEN + 1 - len, has_dash ? "-%02x" : "%02x", b[i]);
    }
}

static int configure(struct wr_source *s, const struct wr_source_options *options,
                     struct weir_error *err)
{
    char run_id[RUN_ID_LEN + 1];
    make_run_id(s, run_id);
    int rc = wr_connector_check(options->conf, s->name, options->warn, &s->connector, err);
    if (rc == 0) {
        rc = wr_record_conf_topics(&s->connector, &s->topics, err);
    }
    if (rc == 0) {
        rc = wr_record_conf_envelope(&s->connector, s->ops->name, wr_str_of(run_id), &s->envelope,
                                     err);
    }
    if (rc < 0) {
        return rc;
    }
    s->heartbeat_ms = wr_connector_int(&s->connector, "heartbeat.interval.ms");
    const struct wr_source_env env = {.name = s->name,
                                      .connector = &s->connector,
                                      .clock = s->clock,
                                      .wake_fd = s->stop.fd,
                                      .context = s->context};
    return s->ops->open(&env, &s->impl, err);
}

static void free_source(struct wr_source *s)
{
    if (s->impl != NULL) {
        s->ops->close(s->impl);
    }
    wr_envelope_free(s->envelope);
    wr_wake_close(&s->stop);
    (void)pthread_mutex_destroy(&s->lock);
    wr_free(s->name);
    wr_free(s);
}

int wr_source_open(const struct wr_source_options *options, struct wr_source **out,
                   struct weir_error *err)
{
    struct wr_source *s = wr_alloc_array(1, sizeof(*s));
    if (s == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "source '%s'", options->name);
    }
    s->stop.fd = -1;
    (void)pthread_mutex_init(&s->lock, NULL);
    s->name = wr_strdup(wr_str_of(options->name));
    (void)snprintf(s->context, sizeof(s->context), "source/%s", options->name);
    s->ops = ops_of(options);
    s->log = options->log;
    s->clock = options->clock;
    s->changed = options->changed;
    s->never_waits = options->never_waits;
    s->rng = wr_rng_os();
    s->status.connector = s->ops->name;
    int rc = s->name == NULL ? wr_fail(err, WEIR_E_NOMEM, "source '%s'", options->name)
                             : wr_wake_open(&s->stop, err);
    if (rc == 0) {
        rc = configure(s, options, err);
    }
    if (rc < 0) {
        free_source(s);
        return rc;
    }
    s->action = wr_source_step(&s->state, WR_EV_START);
    *out = s;
    return 0;
}

/* Wait for the first of `fds`, at most so long. */
static void wait_for(const struct wr_source *s, const int *fds, size_t count, int64_t timeout)
{
    if (!s->never_waits && timeout > 0) {
        (void)wr_wait_any(fds, count, timeout < TURN_MS ? (int)timeout : TURN_MS);
    }
}

/* ---- letting go ------------------------------------------------------------------------------------ */

static void let_go(struct wr_source *s)
{
    s->ops->disconnect(s->impl);
    if (s->feed != NULL) {
        add_counts(s, &s->counts);
        wr_feed_close(s->feed);
        s->feed = NULL;
    }
    s->is_snapshot_handed = false;
}

/* What an error means for the state machine. */
static enum wr_source_event event_of(struct wr_source *s, const struct weir_error *err)
{
    if (err->code == WEIR_E_STOPPED) {
        return WR_EV_STOP;
    }
    s->error = *err;
    wr_conf_hide(s->connector.map,
                 &s->error); /* servers and libraries quote what they were given */
    return weir_code_class(err->code) == WEIR_RETRY ? WR_EV_LOST : WR_EV_REFUSED;
}

/* ---- connect --------------------------------------------------------------------------------------- */

/* The feed asks for the position while it commits. */
static void give_position(void *arg, struct wr_str written, struct wr_writer *w, uint64_t *mark)
{
    struct wr_source *s = arg;
    s->ops->position(s->impl, written, w, mark);
}

static int open_feed(struct wr_source *s, struct weir_error *err)
{
    const struct wr_feed_options options = {.log = s->log,
                                            .source = s->name,
                                            .envelope = s->envelope,
                                            .context = s->context,
                                            .clock = s->clock,
                                            .owner = {give_position, s},
                                            .partition_count = s->topics.partition_count,
                                            .settings = s->topics.settings,
                                            .setting_count = s->topics.setting_count};
    return wr_feed_open(&options, &s->feed, err);
}

/* The feed first, for it fences what an earlier one left under way; only then is the position final. */
static enum wr_source_event connect(struct wr_source *s)
{
    struct weir_error err;
    struct wr_str stored = {NULL, 0};
    enum wr_source_start start = WR_START_STREAM;
    let_go(s);
    int rc = open_feed(s, &err);
    if (rc == 0) {
        rc = wr_position_load(s->log, s->name, &stored, &err);
    }
    if (rc == 0) {
        rc = s->ops->connect(s->impl, stored, &start, &err);
    }
    bool is_new = stored.ptr == NULL;
    wr_free((void *)(uintptr_t)stored.ptr);
    if (rc == 0 && start == WR_START_SNAPSHOT) {
        rc = wr_feed_begin(s->feed, &err);
    }
    if (rc < 0) {
        return event_of(s, &err);
    }
    s->told_mark = 0;
    s->stream_since_ms = wr_mono_ms(s->clock);
    s->heartbeat_due_ms = s->stream_since_ms; /* Debezium sends one when the stream begins */
    if (start == WR_START_SNAPSHOT) {
        wr_trace(WR_INFO, s->context, "copies the tables that are there");
        return WR_EV_COPY;
    }
    if (is_new) { /* kept at once, so that the next start knows of this one */
        wr_feed_moved(s->feed);
    }
    return WR_EV_RESUMED;
}

/* The log asks to go back. At once; but when it asks again right away, after a wait. */
static int go_back(struct wr_source *s, const struct weir_error *err)
{
    bool is_soon = wr_mono_ms(s->clock) - s->stream_since_ms < REWIND_MS;
    s->error = *err;
    wr_conf_hide(s->connector.map, &s->error);
    return is_soon ? WR_EV_LOST : WR_EV_REWIND;
}

/* ---- snapshot -------------------------------------------------------------------------------------- */

enum {
    STAY = -1 /* the turn changed no state */
};

static int turn_snapshot(struct wr_source *s)
{
    struct weir_error err;
    int rc = wr_feed_poll(s->feed, &err);
    if (rc == 1) {
        return go_back(s, &err);
    }
    if (rc == 0 && s->is_snapshot_handed) {
        if (wr_feed_is_quiet(s->feed)) {
            s->is_snapshot_handed = false;
            return WR_EV_COPIED;
        }
        const int fds[] = {s->stop.fd, wr_feed_fd(s->feed)};
        wait_for(s, fds, 2, TURN_MS);
        return STAY;
    }
    if (rc == 0) {
        rc = s->ops->snapshot(s->impl, s->feed, TURN_MS, &err);
    }
    if (rc == 1) {
        rc = wr_feed_end(s->feed, &err);
        s->is_snapshot_handed = rc == 0;
    }
    return rc < 0 && rc != WEIR_E_AGAIN ? (int)event_of(s, &err) : STAY;
}

/* ---- stream ---------------------------------------------------------------------------------------- */

static int beat(struct wr_source *s, struct weir_error *err)
{
    if (s->heartbeat_ms == 0 || wr_mono_ms(s->clock) < s->heartbeat_due_ms ||
        !wr_feed_is_whole(s->feed)) {
        return 0;
    }
    int rc = wr_feed_heartbeat(s->feed, err);
    if (rc == 0) {
        s->heartbeat_due_ms = wr_mono_ms(s->clock) + s->heartbeat_ms;
    }
    return rc == WEIR_E_AGAIN ? 0 : rc;
}

static int confirm(struct wr_source *s, struct weir_error *err)
{
    uint64_t mark = wr_feed_durable(s->feed);
    if (mark == s->told_mark) {
        return 0;
    }
    s->told_mark = mark;
    return s->ops->confirm(s->impl, mark, err);
}

static int timeout_ms(const struct wr_source *s)
{
    if (s->never_waits) {
        return 0;
    }
    int64_t timeout = wr_feed_timeout_ms(s->feed);
    int64_t beat_ms = s->heartbeat_due_ms - wr_mono_ms(s->clock);
    timeout = timeout < TURN_MS ? timeout : TURN_MS;
    if (s->heartbeat_ms > 0 && beat_ms < timeout) {
        timeout = beat_ms > 0 ? beat_ms : 0;
    }
    return (int)timeout;
}

/* A stream that stood for a while has earned short waits again. */
static void calm(struct wr_source *s)
{
    bool is_steady = wr_mono_ms(s->clock) - s->stream_since_ms >= STEADY_MS;
    if (s->error.code < 0 && is_steady) {
        wr_trace(WR_INFO, s->context, "streams again");
        wr_backoff_reset(&s->backoff);
        s->error = (struct weir_error){0};
    }
}

static int turn_stream(struct wr_source *s)
{
    struct weir_error err;
    int rc = wr_feed_poll(s->feed, &err);
    if (rc == 1) {
        return go_back(s, &err);
    }
    if (rc == 0) {
        rc = confirm(s, &err);
    }
    if (rc == 0) {
        rc = beat(s, &err);
    }
    if (rc == 0) {
        rc = s->ops->stream(s->impl, s->feed, timeout_ms(s), &err);
    }
    calm(s);
    return rc < 0 ? (int)event_of(s, &err) : STAY;
}

/* ---- waits and ends -------------------------------------------------------------------------------- */

static void begin_wait(struct wr_source *s)
{
    let_go(s);
    int64_t wait_ms = wr_backoff_next(&s->backoff, &s->rng);
    s->wait_until_ms = wr_mono_ms(s->clock) + wait_ms;
    /* What goes on and on is said less and less often; the status has it at any time. */
    uint64_t attempts = s->backoff.attempts;
    if ((attempts & (attempts - 1)) == 0) {
        wr_trace(WR_WARN, s->context, "%s; tries again in %lld ms", s->error.text,
                 (long long)wait_ms);
    }
}

static int turn_wait(struct wr_source *s)
{
    int64_t left = s->wait_until_ms - wr_mono_ms(s->clock);
    if (left <= 0) {
        return WR_EV_TIMER;
    }
    wait_for(s, &s->stop.fd, 1, left);
    return STAY;
}

/* Commit what is whole, wait for its answer a little, tell the database, let go. */
static void finish(struct wr_source *s)
{
    struct weir_error err;
    int64_t deadline_ms = wr_mono_ms(s->clock) + FINISH_MS;
    int rc = wr_feed_finish(s->feed, &err);
    bool is_late = false;
    while (rc == 0 && !wr_feed_is_quiet(s->feed) && !is_late) {
        int fd = wr_feed_fd(s->feed);
        wait_for(s, &fd, 1, FINISH_MS / 10);
        rc = wr_feed_poll(s->feed, &err);
        is_late = s->never_waits || wr_mono_ms(s->clock) >= deadline_ms;
    }
    if (rc == 0) {
        rc = confirm(s, &err);
    }
    if (rc < 0) {
        wr_conf_hide(s->connector.map, &err);
        wr_trace(WR_WARN, s->context,
                 "%s, while it stopped; the next start goes on from the stored position", err.text);
    }
    let_go(s);
}

static void say_failed(const struct wr_source *s)
{
    wr_trace(WR_ERROR, s->context, "%s", s->error.text);
}

/* What an action does once, when it is entered. */
static void enter(struct wr_source *s)
{
    switch (s->action) {
    case WR_ACT_WAIT: begin_wait(s); break;
    case WR_ACT_FINISH: finish(s); break;
    case WR_ACT_LET_GO:
        let_go(s);
        if (s->state == WR_SOURCE_FAILED) {
            say_failed(s);
        }
        break;
    case WR_ACT_READ_CHANGES: s->stream_since_ms = wr_mono_ms(s->clock); break;
    case WR_ACT_NONE:
    case WR_ACT_CONNECT:
    case WR_ACT_READ_ROWS: break;
    }
}

/* What it does turn by turn. */
static int go_on(struct wr_source *s)
{
    switch (s->action) {
    case WR_ACT_CONNECT: return (int)connect(s);
    case WR_ACT_READ_ROWS: return turn_snapshot(s);
    case WR_ACT_READ_CHANGES: return turn_stream(s);
    case WR_ACT_WAIT: return turn_wait(s);
    case WR_ACT_NONE:
    case WR_ACT_FINISH:
    case WR_ACT_LET_GO: return STAY;
    }
    return STAY;
}

static bool is_at_rest(const struct wr_source *s)
{
    return s->state == WR_SOURCE_STOPPED || s->state == WR_SOURCE_FAILED;
}

bool wr_source_turn(struct wr_source *source)
{
    if (is_at_rest(source)) {
        return false;
    }
    if (source->state != source->told_state) { /* before a turn that may take its time */
        publish(source);
    }
    int event = atomic_load(&source->is_stopping) ? WR_EV_STOP : go_on(source);
    if (event != STAY) {
        source->action = wr_source_step(&source->state, (enum wr_source_event)event);
        enter(source);
    }
    if (event != STAY || wr_mono_ms(source->clock) >= source->status_due_ms) {
        publish(source);
    }
    return !is_at_rest(source);
}

/* ---- the thread ------------------------------------------------------------------------------------ */

static void *run(void *arg)
{
    while (wr_source_turn(arg)) {
    }
    return NULL;
}

int wr_source_start(struct wr_source *source, struct weir_error *err)
{
    WR_ASSERT(!source->has_thread);
    int rc = pthread_create(&source->thread, NULL, run, source);
    if (rc != 0) {
        errno = rc;
        return wr_fail_errno(err, WEIR_E_NOMEM, "start source '%s'", source->name);
    }
    source->has_thread = true;
    return 0;
}

void wr_source_stop(struct wr_source *source)
{
    atomic_store(&source->is_stopping, true);
    wr_wake_signal(&source->stop);
}

void wr_source_close(struct wr_source *source)
{
    if (source == NULL) {
        return;
    }
    wr_source_stop(source);
    if (source->has_thread) {
        (void)pthread_join(source->thread, NULL);
    } else {
        let_go(source);
    }
    free_source(source);
}
