#include "view/view.h"

#include <stdio.h>

#include "base/trace.h"
#include "view/view_parts.h"

enum {
    ARENA_MAX = 64 << 20,
    BUSY_PAUSE_MS_MIN = 1, /* a lock is mostly held for a moment */
    BUSY_PAUSE_MS_MAX = 100,
    PAUSE_MS_MIN = 100, /* anything else takes longer */
    PAUSE_MS_MAX = 2000,
    CLOSE_MS = 2000 /* until what runs in the store is interrupted */
};

/* ---- making one ---- */

static int open_feed(struct wr_view *view, const struct wr_view_options *options,
                     struct weir_error *err)
{
    const struct wr_view_definition *definition = view->definition;
    struct wr_str *types = wr_arena_array(&view->arena, definition->on_count, sizeof(*types));
    if (types == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", definition->name.ptr);
    }
    for (size_t i = 0; i < definition->on_count; i++) {
        types[i] = definition->on[i].type;
    }
    struct wr_event_options events = {&view->parameters, definition->type_field, types,
                                      definition->on_count};
    struct wr_view_feed_options feed = {.log = view->log,
                                        .events = &events,
                                        .needs = view->sink->needs,
                                        .ahead_min = options->ahead_min,
                                        .is_stepped = options->is_stepped};
    return wr_view_feed_open(&feed, &view->feed, err);
}

static int open_parts(struct wr_view *view, const struct wr_view_options *options,
                      struct weir_error *err)
{
    const struct wr_sink_ops *ops = options->sink;
    struct wr_sink_options sink = {view->definition, &view->parameters, &view->arena};
    int rc = ops == NULL ? wr_sink_find(view->definition, &ops, err) : 0;
    if (rc == 0 && (ops->capabilities & WR_SINK_TRANSACTIONAL) == 0) {
        rc = wr_conf_fail(err, view->definition->to->at,
                          "view '%s': %s cannot keep positions with its rows, which a view needs",
                          view->definition->name.ptr, ops->form);
    }
    rc = rc < 0 ? rc : wr_sink_create(ops, &sink, &view->sink, err);
    rc = rc < 0 ? rc : open_feed(view, options, err);
    return rc < 0 ? rc : wr_wake_open(&view->wake, err);
}

int wr_view_new(const struct wr_view_options *options, struct wr_view **out, struct weir_error *err)
{
    struct wr_view *view = wr_alloc_array(1, sizeof(*view));
    if (view == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "view '%s'", options->definition->name.ptr);
    }
    view->log = options->log;
    view->definition = options->definition;
    view->clock = options->clock == NULL ? wr_clock_os() : options->clock;
    view->ended = options->ended;
    view->arena = wr_arena_of(ARENA_MAX);
    view->parameters = wr_parameters_of(&view->arena);
    view->wake.fd = -1;
    view->state = WR_VIEW_STARTING;
    view->action = WR_VIEW_OPEN;
    (void)pthread_mutex_init(&view->shared.lock, NULL);
    (void)snprintf(view->context, sizeof(view->context), "view/%s", view->definition->name.ptr);
    int rc = open_parts(view, options, err);
    if (rc < 0) {
        wr_view_close(view);
        return rc;
    }
    *out = view;
    return 0;
}

int wr_view_prepare(struct wr_view *view, struct weir_error *err)
{
    if (view->sink->is_open) {
        return 0;
    }
    int rc = wr_sink_open(view->sink, err);
    if (rc < 0 && weir_code_class(rc) == WEIR_RETRY) {
        return 0;
    }
    return rc < 0 && rc != WEIR_E_CONFIG && rc != WEIR_E_REFUSED
               ? wr_wrap(err, "view '%s'", view->definition->name.ptr)
               : rc;
}

/* ---- actions ---- */

static enum wr_view_event open_all(struct wr_view *view)
{
    int rc = view->sink->is_open ? 0 : wr_sink_open(view->sink, &view->err);
    rc = rc < 0 ? rc : wr_view_attach(view, &view->err);
    return rc < 0 ? wr_view_outcome(&view->err) : WR_VIEW_EV_OPENED;
}

static enum wr_view_event restore(struct wr_view *view)
{
    wr_view_rollback(view);
    int rc = wr_view_restore(view, &view->err);
    return rc < 0 ? wr_view_outcome(&view->err) : WR_VIEW_EV_RESTORED;
}

static enum wr_view_event pause_view(struct wr_view *view, int wait_ms)
{
    if (view->sink->is_open) {
        wr_view_rollback(view);
    }
    bool is_busy = view->err.code == WEIR_E_BUSY;
    int64_t min_ms = is_busy ? BUSY_PAUSE_MS_MIN : PAUSE_MS_MIN;
    int64_t max_ms = is_busy ? BUSY_PAUSE_MS_MAX : PAUSE_MS_MAX;
    view->pause_ms = view->pause_ms < min_ms ? min_ms : view->pause_ms * 2;
    view->pause_ms = view->pause_ms > max_ms ? max_ms : view->pause_ms;
    (void)wr_wait_any(&view->wake.fd, 1,
                      wait_ms >= 0 && wait_ms < view->pause_ms ? wait_ms : (int)view->pause_ms);
    return WR_VIEW_EV_TIMER;
}

static enum wr_view_event act(struct wr_view *view, int wait_ms)
{
    switch (view->action) {
    case WR_VIEW_OPEN: return open_all(view);
    case WR_VIEW_RESTORE: return restore(view);
    case WR_VIEW_WAIT: return wr_view_poll(view, wait_ms);
    case WR_VIEW_POLL: return wr_view_poll(view, 0);
    case WR_VIEW_BEGIN: return wr_view_begin(view);
    case WR_VIEW_APPLY: return wr_view_apply(view);
    case WR_VIEW_COMMIT: return wr_view_commit(view);
    case WR_VIEW_PAUSE: return pause_view(view, wait_ms);
    case WR_VIEW_END:
    default: WR_ASSERT(false); return WR_VIEW_EV_FAIL;
    }
}

/* ---- what others see of it ---- */

static void publish_state(struct wr_view *view, enum wr_view_event event)
{
    struct wr_view_shared *shared = &view->shared;
    bool is_failing = view->state == WR_VIEW_FAILING || view->state == WR_VIEW_FAILED;
    (void)pthread_mutex_lock(&shared->lock);
    shared->state = view->state;
    shared->is_paused = event == WR_VIEW_EV_LATER   ? true
                        : event == WR_VIEW_EV_BEGUN ? false
                                                    : shared->is_paused;
    if (event == WR_VIEW_EV_LATER || event == WR_VIEW_EV_BAD || event == WR_VIEW_EV_FAIL) {
        shared->why = view->err;
    }
    if (!shared->is_paused && !is_failing) {
        shared->why.code = 0;
    }
    (void)pthread_mutex_unlock(&shared->lock);
}

/* Say what a person has to know, once. */
static void tell(struct wr_view *view, enum wr_view_event event, bool was_paused)
{
    bool is_pause = event == WR_VIEW_EV_LATER && view->action == WR_VIEW_PAUSE;
    if (is_pause && !was_paused && view->err.code != WEIR_E_STOPPED) {
        wr_trace(WR_INFO, view->context, "paused: %s", view->err.text);
    }
    if (view->state == WR_VIEW_FAILED) {
        wr_trace(WR_ERROR, view->context, "failed: %s", view->err.text);
    }
}

/* Let go of the store and the log: the file is closed as soon as the view has ended. */
static void end(struct wr_view *view)
{
    view->has_items = false;
    wr_view_feed_forget(view->feed);
    wr_sink_rollback(view->sink);
    (void)pthread_mutex_lock(&view->shared.lock);
    struct wr_sink *sink = view->sink;
    view->sink = NULL; /* no interrupt from here on */
    (void)pthread_mutex_unlock(&view->shared.lock);
    wr_sink_close(sink);
    if (view->ended != NULL) {
        wr_wake_signal(view->ended);
    }
}

bool wr_view_step(struct wr_view *view, int wait_ms)
{
    if (view->action == WR_VIEW_END) {
        return false;
    }
    bool may_stop = view->state < WR_VIEW_STOPPING;
    enum wr_view_event event =
        may_stop && atomic_load(&view->is_stopping) ? WR_VIEW_EV_STOP : act(view, wait_ms);
    bool was_paused = view->shared.is_paused;
    view->action = wr_view_next(&view->state, event);
    wr_conf_hide(view->definition->to, &view->err); /* a store's texts have its place in them */
    publish_state(view, event);
    tell(view, event, was_paused);
    if (view->action == WR_VIEW_END) {
        end(view);
        return false;
    }
    return true;
}

/* ---- its thread ---- */

static void *run(void *arg)
{
    while (wr_view_step(arg, -1)) {
    }
    return NULL;
}

int wr_view_start(struct wr_view *view, struct weir_error *err)
{
    char name[16];
    WR_ASSERT(!view->has_thread);
    (void)snprintf(name, sizeof(name), "feed-%.10s", view->definition->name.ptr);
    int rc = wr_view_feed_start(view->feed, name, err);
    if (rc < 0) {
        return wr_wrap(err, "view '%s'", view->definition->name.ptr);
    }
    errno = pthread_create(&view->thread, NULL, run, view);
    if (errno != 0) {
        return wr_fail_errno(err, WEIR_E_NOMEM, "thread of view '%s'", view->definition->name.ptr);
    }
    view->has_thread = true;
    (void)snprintf(name, sizeof(name), "view-%.10s", view->definition->name.ptr);
    (void)pthread_setname_np(view->thread, name); /* a nicety */
    return 0;
}

void wr_view_stop(struct wr_view *view)
{
    atomic_store(&view->is_stopping, true);
    if (view->feed != NULL) {
        wr_view_feed_wake(view->feed);
    }
    if (view->wake.fd >= 0) {
        wr_wake_signal(&view->wake);
    }
}

static void join(struct wr_view *view)
{
    struct timespec until;
    int64_t deadline_ms = wr_wall_ms(wr_clock_os()) + CLOSE_MS;
    until.tv_sec = deadline_ms / 1000;
    until.tv_nsec = deadline_ms % 1000 * 1000000;
    if (pthread_timedjoin_np(view->thread, NULL, &until) == 0) {
        return;
    }
    (void)pthread_mutex_lock(&view->shared.lock);
    if (view->sink != NULL) {
        wr_sink_interrupt(view->sink);
    }
    (void)pthread_mutex_unlock(&view->shared.lock);
    (void)pthread_join(view->thread, NULL);
}

void wr_view_close(struct wr_view *view)
{
    if (view == NULL) {
        return;
    }
    wr_view_stop(view);
    if (view->has_thread) {
        join(view);
    }
    if (view->feed != NULL) {
        wr_view_feed_forget(view->feed);
        wr_view_drop_all(view);
        wr_view_feed_close(view->feed);
    }
    wr_sink_close(view->sink); /* rolls back */
    wr_wake_close(&view->wake);
    wr_free(view->joined);
    wr_free(view->partitions);
    wr_free(view->moves);
    wr_free(view->shared.partitions);
    wr_arena_fini(&view->arena);
    (void)pthread_mutex_destroy(&view->shared.lock);
    wr_free(view);
}

/* ---- status ---- */

static const char *state_text(enum wr_view_state state, bool is_paused)
{
    switch (state) {
    case WR_VIEW_STARTING: return is_paused ? "paused" : "starting";
    case WR_VIEW_READING:
    case WR_VIEW_FILLING: return "running";
    case WR_VIEW_PAUSED: return "paused";
    case WR_VIEW_STOPPING: return "stopping";
    case WR_VIEW_FAILING:
    case WR_VIEW_FAILED: return "failed";
    case WR_VIEW_STOPPED:
    case WR_VIEW_STATES:
    default: return "stopped";
    }
}

static const char *copy_text(struct wr_arena *arena, const struct weir_error *err)
{
    return err->code == 0 ? "" : wr_arena_str(arena, wr_str_of(err->text));
}

struct topic_ref {
    struct wr_log_topic *topic;
};

/* All but the lags, in one look. `topics`: a reference to each partition's topic. */
static int copy_shared(struct wr_view *view, struct wr_arena *arena, struct wr_view_status *out,
                       struct topic_ref **topics)
{
    const struct wr_view_shared *shared = &view->shared;
    out->state = shared->state;
    out->state_text = state_text(shared->state, shared->is_paused);
    out->why = copy_text(arena, &shared->why);
    out->last_skip = copy_text(arena, &shared->last_skip);
    out->waits_for = shared->waits_for == NULL ? "" : shared->waits_for;
    out->counts = shared->counts;
    out->batches = shared->batches;
    out->last_batch_records = shared->last_batch_records;
    out->last_batch_us = shared->last_batch_us;
    out->last_commit_ms = shared->last_commit_ms;
    out->last_event_ms = shared->last_event_ms;
    size_t count = shared->partition_count;
    out->partitions = wr_arena_array(arena, count + 1, sizeof(*out->partitions));
    *topics = wr_arena_array(arena, count + 1, sizeof(**topics));
    if (out->why == NULL || out->last_skip == NULL || out->partitions == NULL || *topics == NULL) {
        return WEIR_E_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct wr_view_partition *p = &shared->partitions[i];
        (*topics)[i].topic = wr_log_topic_ref(p->topic);
        out->partitions[i] = (struct wr_view_partition_status){
            .partition = p->partition, .next_offset = p->stored < 0 ? 0 : p->stored, .lag = -1};
    }
    out->partition_count = count;
    return 0;
}

int wr_view_status(struct wr_view *view, struct wr_arena *arena, struct wr_view_status *out,
                   struct weir_error *err)
{
    struct wr_view_status made = {.name = view->definition->name.ptr};
    struct topic_ref *topics = NULL;
    (void)pthread_mutex_lock(&view->shared.lock);
    int rc = copy_shared(view, arena, &made, &topics);
    (void)pthread_mutex_unlock(&view->shared.lock);
    bool has_all = rc == 0;
    for (size_t i = 0; i < made.partition_count; i++) {
        struct wr_view_partition_status *p = &made.partitions[i];
        struct wr_partition_info info;
        struct weir_error unused;
        if (wr_log_partition_info(view->log, topics[i].topic, p->partition, &info, &unused) == 0) {
            p->lag = info.last_stable > p->next_offset ? info.last_stable - p->next_offset : 0;
        }
        p->topic = wr_arena_str(arena, wr_str_of(topics[i].topic->name));
        has_all = has_all && p->topic != NULL;
        wr_log_topic_unref(topics[i].topic);
    }
    if (!has_all) {
        return wr_fail(err, WEIR_E_NOMEM, "status of view '%s'", view->definition->name.ptr);
    }
    *out = made;
    return 0;
}
