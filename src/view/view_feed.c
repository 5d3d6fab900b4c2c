#include "view/view_feed.h"

#include <pthread.h>

enum {
    SLOTS = WR_VIEW_AHEAD_MAX + 1, /* and the one that the view has */
    READ_ON_BELOW = 2 /* the thread is called when so few bundles wait: one wake for several */
};

struct wr_view_feed {
    struct wr_view_bundle slots[SLOTS]; /* in a ring */
    size_t ahead_min;
    bool is_stepped;
    bool has_thread;
    pthread_t thread;

    /* of who reads: the view's thread, or the feed's while `is_reading` */
    struct wr_log_reader *reader;
    struct wr_view_reading reading;
    struct wr_log_chunk chunk;
    size_t chunk_at; /* its records before are in bundles */

    pthread_mutex_t lock;
    pthread_cond_t work; /* for the feed's thread */
    pthread_cond_t news; /* for the view's */
    /* under the lock */
    size_t taken; /* slot of the view */
    size_t ready; /* bundles in the slots behind it */
    bool is_reading;
    bool must_rest;
    bool must_end;
    bool is_woken;
};

/* ---- opening and closing ---- */

int wr_view_feed_open(const struct wr_view_feed_options *options, struct wr_view_feed **out,
                      struct weir_error *err)
{
    struct wr_view_feed *feed = wr_alloc_array(1, sizeof(*feed));
    if (feed == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a reader of events");
    }
    feed->ahead_min = options->ahead_min == 0 ? WR_VIEW_AHEAD_MIN : options->ahead_min;
    feed->is_stepped = options->is_stepped;
    feed->reading.needs = options->needs;
    for (size_t i = 0; i < options->events->type_count; i++) {
        size_t count = options->needs[i].count;
        feed->reading.needs_max = count > feed->reading.needs_max ? count : feed->reading.needs_max;
    }
    (void)pthread_mutex_init(&feed->lock, NULL);
    (void)pthread_cond_init(&feed->work, NULL);
    (void)pthread_cond_init(&feed->news, NULL);
    feed->reading.values = wr_alloc_array(feed->reading.needs_max + 1, sizeof(struct wr_bind));
    int rc = feed->reading.values == NULL
                 ? wr_fail(err, WEIR_E_NOMEM, "a reader of events")
                 : wr_event_reader_new(options->events, &feed->reading.events, err);
    rc = rc < 0 ? rc
                : wr_log_reader_open(options->log,
                                     &(struct wr_log_reader_options){.chunk_bytes = 256 << 10},
                                     &feed->reader, err);
    if (rc < 0) {
        wr_view_feed_close(feed);
        return rc;
    }
    *out = feed;
    return 0;
}

void wr_view_feed_close(struct wr_view_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    if (feed->has_thread) {
        (void)pthread_mutex_lock(&feed->lock);
        feed->must_end = true;
        (void)pthread_cond_signal(&feed->work);
        (void)pthread_mutex_unlock(&feed->lock);
        (void)pthread_join(feed->thread, NULL);
    }
    wr_log_reader_close(feed->reader);
    wr_event_reader_free(feed->reading.events);
    wr_free(feed->reading.values);
    for (size_t i = 0; i < SLOTS; i++) {
        wr_view_bundle_fini(&feed->slots[i]);
    }
    (void)pthread_cond_destroy(&feed->news);
    (void)pthread_cond_destroy(&feed->work);
    (void)pthread_mutex_destroy(&feed->lock);
    wr_free(feed);
}

/* ---- reading; by who reads ---- */

/* Fill a bundle with what is left of the chunk, or from the next one. */
static void read_bundle(struct wr_view_feed *feed, struct wr_view_bundle *bundle, int wait_ms)
{
    bool has_rest = feed->chunk.kind == WR_POLL_RECORDS && feed->chunk_at < feed->chunk.count;
    int rc = 0;
    if (!has_rest) {
        rc = wr_log_reader_poll(feed->reader, wait_ms, &feed->chunk, &bundle->err);
        feed->chunk_at = 0;
    }
    if (rc < 0) { /* what the chunk may name then is of no use here */
        feed->chunk = (struct wr_log_chunk){.kind = WR_POLL_NONE};
    }
    wr_view_bundle_begin(bundle, &feed->chunk);
    if (rc == 0 && bundle->kind == WR_POLL_RECORDS) {
        rc = wr_view_bundle_fill(bundle, &feed->reading, &feed->chunk, &feed->chunk_at);
    }
    bundle->code = rc;
}

/* Is it likely that more records come at once behind the bundle that was read last, and may they be read
 * already? */
static bool leads_on(const struct wr_view_feed *feed, const struct wr_view_bundle *bundle)
{
    bool has_rest = feed->chunk_at < feed->chunk.count;
    return bundle->code == 0 && bundle->kind == WR_POLL_RECORDS &&
           (has_rest || bundle->count >= feed->ahead_min);
}

/* Read one bundle ahead; the lock is held, and let go of meanwhile. */
static void read_ahead(struct wr_view_feed *feed)
{
    struct wr_view_bundle *bundle = &feed->slots[(feed->taken + feed->ready + 1) % SLOTS];
    (void)pthread_mutex_unlock(&feed->lock);
    read_bundle(feed, bundle, 0);
    bool is_nothing = bundle->code == 0 && bundle->kind == WR_POLL_NONE;
    bool goes_on = leads_on(feed, bundle);
    (void)pthread_mutex_lock(&feed->lock);
    feed->ready += is_nothing ? 0 : 1;
    feed->is_reading =
        goes_on && feed->ready < WR_VIEW_AHEAD_MAX && !feed->must_rest && !feed->must_end;
}

static void *run(void *arg)
{
    struct wr_view_feed *feed = arg;
    (void)pthread_mutex_lock(&feed->lock);
    while (!feed->must_end) {
        if (feed->is_reading) {
            read_ahead(feed);
            (void)pthread_cond_signal(&feed->news);
        } else {
            (void)pthread_cond_wait(&feed->work, &feed->lock);
        }
    }
    feed->is_reading = false;
    (void)pthread_mutex_unlock(&feed->lock);
    return NULL;
}

int wr_view_feed_start(struct wr_view_feed *feed, const char *name, struct weir_error *err)
{
    WR_ASSERT(!feed->has_thread && !feed->is_stepped);
    errno = pthread_create(&feed->thread, NULL, run, feed);
    if (errno != 0) {
        return wr_fail_errno(err, WEIR_E_NOMEM, "thread '%s'", name);
    }
    feed->has_thread = true;
    (void)pthread_setname_np(feed->thread, name); /* a nicety */
    return 0;
}

/* ---- taking ---- */

/* The view has taken a bundle: is the next to be read while it is busy with this one? The lock is held. */
static void call_reader(struct wr_view_feed *feed)
{
    size_t last = (feed->taken + feed->ready) % SLOTS;
    if (feed->is_reading || feed->ready >= READ_ON_BELOW || !leads_on(feed, &feed->slots[last])) {
        return;
    }
    feed->is_reading = feed->has_thread || feed->is_stepped;
    if (feed->has_thread) {
        (void)pthread_cond_signal(&feed->work);
    }
    while (feed->is_stepped && feed->is_reading) {
        read_ahead(feed);
    }
}

/* Take a bundle that was read ahead, once it is. False when nobody reads, and none is there. */
static bool take_ready(struct wr_view_feed *feed)
{
    while (feed->ready == 0 && feed->is_reading) {
        (void)pthread_cond_wait(&feed->news, &feed->lock);
    }
    if (feed->ready == 0) {
        return false;
    }
    feed->taken = (feed->taken + 1) % SLOTS;
    feed->ready--;
    return true;
}

int wr_view_feed_poll(struct wr_view_feed *feed, int wait_ms, struct wr_view_bundle **out,
                      struct weir_error *err)
{
    (void)pthread_mutex_lock(&feed->lock);
    bool has_one = take_ready(feed);
    struct wr_view_bundle *bundle = &feed->slots[feed->taken];
    if (!has_one) {
        /* The feed's thread may have used up the wake of the log's reader. */
        int may_wait_ms = feed->is_woken ? 0 : wait_ms;
        feed->is_woken = false;
        (void)pthread_mutex_unlock(&feed->lock);
        read_bundle(feed, bundle, may_wait_ms);
        (void)pthread_mutex_lock(&feed->lock);
    }
    call_reader(feed);
    (void)pthread_mutex_unlock(&feed->lock);
    *out = bundle;
    if (bundle->code < 0) {
        *err = bundle->err;
    }
    return bundle->code;
}

/* Records and errors come again when they are asked for again; the rest the log says only once. */
static bool is_told_once(const struct wr_view_bundle *bundle)
{
    return bundle->code == 0 && bundle->kind != WR_POLL_RECORDS;
}

void wr_view_feed_forget(struct wr_view_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->must_rest = true;
    while (feed->is_reading) {
        (void)pthread_cond_wait(&feed->news, &feed->lock);
    }
    feed->must_rest = false;
    if (feed->ready > 0) {
        feed->taken = (feed->taken + feed->ready - 1) % SLOTS; /* all but the last */
        feed->ready = is_told_once(&feed->slots[(feed->taken + 1) % SLOTS]) ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&feed->lock);
    feed->chunk = (struct wr_log_chunk){.kind = WR_POLL_NONE};
}

void wr_view_feed_put_back(struct wr_view_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    WR_ASSERT(!feed->is_reading && feed->ready == 0); /* nothing is read behind such */
    WR_ASSERT(is_told_once(&feed->slots[feed->taken]));
    feed->taken = (feed->taken + SLOTS - 1) % SLOTS;
    feed->ready = 1;
    (void)pthread_mutex_unlock(&feed->lock);
}

void wr_view_feed_wake(struct wr_view_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    feed->is_woken = true;
    (void)pthread_mutex_unlock(&feed->lock);
    wr_log_reader_wake(feed->reader);
}

struct wr_log_reader *wr_view_feed_reader(struct wr_view_feed *feed)
{
    (void)pthread_mutex_lock(&feed->lock);
    bool is_kept = feed->ready == 1 && is_told_once(&feed->slots[(feed->taken + 1) % SLOTS]);
    WR_ASSERT(!feed->is_reading && (feed->ready == 0 || is_kept));
    (void)pthread_mutex_unlock(&feed->lock);
    return feed->reader;
}
