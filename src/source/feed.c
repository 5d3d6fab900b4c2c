#include "source/feed.h"

#include "base/trace.h"
#include "source/position.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    FLIGHTS_MAX = 8,              /* commits that are not answered */
    FLIGHTS_AT_REST = 2,          /* so many are under way before one waits to grow */
    FLIGHT_BYTES_MAX = 32 << 20,  /* no more are handed over while they hold so much */
    POSITION_ROOM = 64 << 10,     /* what is left in a commit for its position */
    WRITTEN_BYTES_MAX = 16 << 10, /* of "written" in a position; beyond it is left out */
    RECORD_OVERHEAD = 64, /* of a record beside its key, value and headers; more than it takes */
    WARN_INTERVAL_MS = 10000, /* at most one line about bad values in this time */
    TOPICS_MAX = 1 << 20,
    SETTINGS_MAX = 64
};

/* A commit that is handed over. */
struct flight {
    uint64_t commit;
    uint64_t mark;
    bool is_sync;
    size_t bytes;
};

struct feed_topic {
    struct wr_envelope_topic *topic;
    struct wr_log_topic *handle;
};

struct wr_feed {
    struct wr_feed_options options;
    struct wr_topic_setting settings[SETTINGS_MAX];
    struct wr_log_writer *writer;
    struct wr_log_topic *positions;
    struct feed_topic *topics;
    size_t topic_count;
    size_t topic_cap;

    struct flight flights[FLIGHTS_MAX]; /* oldest first */
    size_t flight_count;
    size_t flight_bytes;
    uint64_t handed_mark;  /* of the last commit */
    uint64_t durable_mark; /* of the last one with WR_COMMIT_SYNC that is done */
    struct weir_error stalled;
    bool is_stalled;

    bool is_torn;
    bool is_dirty; /* the position moved since the last commit */
    bool is_urged;
    bool is_marked; /* between begin and end */
    bool is_ending; /* the last rows are committed, the position is appended */
    int64_t last_sync_ms;

    struct wr_envelope_output held; /* of a change that the log did not take yet */
    bool has_held;

    struct wr_writer position; /* room for its text */
    struct wr_writer
        written; /* JSON of what was answered since the last commit, without brackets */
    struct wr_feed_counts counts;
    int64_t last_warn_ms;
};

/* ---- life ------------------------------------------------------------------------------------------ */

static int64_t now_ms(const struct wr_feed *feed)
{
    return wr_mono_ms(feed->options.clock);
}

/* Records are kept for ever, unless the user says otherwise: a view over a log that was cut would be
 * wrong without a word. */
static int copy_settings(struct wr_feed *feed, const struct wr_feed_options *options,
                         struct weir_error *err)
{
    if (options->setting_count > SETTINGS_MAX - 1) {
        return wr_fail(err, WEIR_E_LIMIT, "more than %d settings for topics", SETTINGS_MAX - 1);
    }
    bool keeps_all = true;
    for (size_t i = 0; i < options->setting_count; i++) {
        feed->settings[i] = options->settings[i];
        keeps_all = keeps_all && strcmp(options->settings[i].key, "retention.ms") != 0;
    }
    feed->options.settings = feed->settings;
    if (keeps_all) {
        feed->settings[feed->options.setting_count++] =
            (struct wr_topic_setting){"retention.ms", "-1"};
    }
    return 0;
}

static int open_log(struct wr_feed *feed, struct weir_error *err)
{
    char id[300];
    (void)snprintf(id, sizeof(id), "source:%s", feed->options.source);
    const struct wr_log_writer_options options = {.id = id};
    int rc = wr_positions_open(feed->options.log, &feed->positions, err);
    if (rc == 0) {
        rc = wr_log_writer_open(feed->options.log, &options, &feed->writer, err);
    }
    if (rc == 0 && wr_log_writer_commit_max(feed->writer) / 2 <= POSITION_ROOM) {
        rc = wr_fail(err, WEIR_E_LIMIT, "commits of %zu bytes are too small for a source",
                     wr_log_writer_commit_max(feed->writer));
    }
    return rc;
}

int wr_feed_open(const struct wr_feed_options *options, struct wr_feed **out,
                 struct weir_error *err)
{
    struct wr_feed *feed = wr_alloc_array(1, sizeof(*feed));
    if (feed == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a feed");
    }
    feed->options = *options;
    wr_envelope_rewind(options->envelope); /* what a feed before this one wrote may be lost */
    feed->position = wr_writer_growing(POSITION_ROOM / 2);
    feed->written = wr_writer_growing(WRITTEN_BYTES_MAX);
    feed->last_sync_ms =
        now_ms(feed) - WR_FEED_SYNC_INTERVAL_MS; /* the first commit tells at once */
    feed->last_warn_ms = now_ms(feed) - WARN_INTERVAL_MS;
    int rc = copy_settings(feed, options, err);
    if (rc == 0) {
        rc = open_log(feed, err);
    }
    if (rc < 0) {
        wr_feed_close(feed);
        return rc;
    }
    *out = feed;
    return 0;
}

void wr_feed_close(struct wr_feed *feed)
{
    if (feed == NULL) {
        return;
    }
    wr_log_writer_close(feed->writer);
    for (size_t i = 0; i < feed->topic_count; i++) {
        feed->topics[i].topic->user = NULL;
        wr_log_topic_unref(feed->topics[i].handle);
    }
    wr_free(feed->topics);
    wr_log_topic_unref(feed->positions);
    wr_writer_fini(&feed->position);
    wr_writer_fini(&feed->written);
    wr_free(feed);
}

/* ---- topics ---------------------------------------------------------------------------------------- */

static int find_topic(struct wr_feed *feed, struct wr_envelope_topic *topic,
                      struct wr_log_topic **out, struct weir_error *err)
{
    static const struct wr_topic_setting compact = {"cleanup.policy", "compact"};
    const struct wr_topic_spec of_data = {.name = topic->name.ptr,
                                          .partition_count = feed->options.partition_count,
                                          .settings = feed->options.settings,
                                          .setting_count = feed->options.setting_count};
    const struct wr_topic_spec of_ours = {
        .name = topic->name.ptr, .partition_count = 1, .settings = &compact, .setting_count = 1};
    const struct wr_topic_spec *spec = topic->is_internal ? &of_ours : &of_data;
    int rc = wr_log_topic_ensure(feed->options.log, spec, out, err);
    return rc < 0 ? wr_wrap(err, "make topic '%s'", topic->name.ptr) : 0;
}

static int open_topic(struct wr_feed *feed, struct wr_envelope_topic *topic, struct weir_error *err)
{
    if (topic->user != NULL) {
        return 0;
    }
    if (!wr_grow(&feed->topics, &feed->topic_cap, feed->topic_count + 1, sizeof(*feed->topics),
                 TOPICS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "topic '%s'", topic->name.ptr);
    }
    struct wr_log_topic *handle = NULL;
    int rc = find_topic(feed, topic, &handle, err);
    if (rc == 0) {
        feed->topics[feed->topic_count++] = (struct feed_topic){topic, handle};
        topic->user = handle;
    }
    return rc;
}

/* The topic was deleted meanwhile: make it again. */
static int reopen_topic(struct wr_feed *feed, struct wr_envelope_topic *topic,
                        struct weir_error *err)
{
    for (size_t i = 0; i < feed->topic_count; i++) {
        if (feed->topics[i].topic == topic) {
            wr_log_topic_unref(feed->topics[i].handle);
            feed->topics[i] = feed->topics[--feed->topic_count];
            break;
        }
    }
    topic->user = NULL;
    return open_topic(feed, topic, err);
}

int wr_feed_table(struct wr_feed *feed, const struct wr_table *table, struct weir_error *err)
{
    struct wr_envelope_topic *topic = wr_envelope_topic_of(feed->options.envelope, table);
    if (topic == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "the topic of %.*s.%.*s", WR_FMT(table->schema),
                       WR_FMT(table->name));
    }
    return open_topic(feed, topic, err);
}

/* ---- commits --------------------------------------------------------------------------------------- */

static size_t pending_bytes(const struct wr_feed *feed)
{
    size_t bytes = 0;
    (void)wr_log_writer_pending(feed->writer, &bytes);
    return bytes;
}

static bool has_pending(const struct wr_feed *feed)
{
    return wr_log_writer_pending(feed->writer, NULL) > 0;
}

static bool is_sync_due(const struct wr_feed *feed)
{
    return feed->is_urged || now_ms(feed) - feed->last_sync_ms >= WR_FEED_SYNC_INTERVAL_MS;
}

/* Add the position of all that was handed over. */
static int append_position(struct wr_feed *feed, uint64_t *mark, struct weir_error *err)
{
    struct wr_str written = {NULL, 0};
    if (feed->written.len > 0) {
        wr_put_lit(&feed->written, "]");
        written = wr_writer_end(&feed->written, err) == 0 ? wr_writer_str(&feed->written) : written;
    }
    wr_writer_reset(&feed->position);
    feed->options.owner.position(feed->options.owner.arg, written, &feed->position, mark);
    wr_writer_reset(&feed->written);
    int rc = wr_writer_end(&feed->position, err);
    if (rc == 0) {
        rc = wr_position_append(feed->writer, feed->positions, feed->options.source,
                                wr_writer_str(&feed->position), err);
    }
    return rc < 0 ? wr_wrap(err, "the position of source '%s'", feed->options.source) : 0;
}

static void take_off(struct wr_feed *feed, struct flight flight)
{
    feed->flights[feed->flight_count++] = flight;
    feed->flight_bytes += flight.bytes;
    feed->counts.commits++;
    if (flight.is_sync) {
        feed->last_sync_ms = now_ms(feed);
        feed->is_urged = false;
    }
}

static bool is_full(const struct wr_feed *feed)
{
    return feed->flight_count == FLIGHTS_MAX || feed->flight_bytes >= FLIGHT_BYTES_MAX;
}

static int too_many(struct weir_error *err)
{
    return wr_fail(err, WEIR_E_AGAIN, "as many commits are under way as may be");
}

/* Rows of a snapshot: their position comes with its end. */
static int commit_rows(struct wr_feed *feed, struct weir_error *err)
{
    struct flight flight = {.bytes = pending_bytes(feed)};
    if (is_full(feed)) {
        return too_many(err);
    }
    int rc = wr_log_writer_commit(feed->writer, WR_COMMIT_PLAIN, &flight.commit, err);
    if (rc == 0) {
        take_off(feed, flight);
    }
    return rc == WEIR_E_BUSY ? WEIR_E_AGAIN
                             : rc; /* an answer AGAIN stands: the next poll retries */
}

/* WEIR_E_AGAIN, and nothing is lost, when too many are under way. */
static int commit_now(struct wr_feed *feed, struct weir_error *err)
{
    if (feed->is_marked) {
        return commit_rows(feed, err);
    }
    if (is_full(feed)) {
        return too_many(err);
    }
    struct flight flight = {.mark = feed->handed_mark, .is_sync = is_sync_due(feed)};
    int rc = has_pending(feed) || feed->is_dirty ? append_position(feed, &flight.mark, err) : 0;
    flight.bytes = pending_bytes(feed);
    if (rc == 0) {
        rc = wr_log_writer_commit(feed->writer, flight.is_sync ? WR_COMMIT_SYNC : WR_COMMIT_PLAIN,
                                  &flight.commit, err);
    }
    if (rc == 0) {
        take_off(feed, flight);
        feed->handed_mark = flight.mark;
        feed->is_dirty = false;
    }
    return rc == WEIR_E_BUSY ? WEIR_E_AGAIN : rc;
}

/* Commit if it can be done now; else later. */
static int commit_maybe(struct wr_feed *feed, struct weir_error *err)
{
    int rc = commit_now(feed, err);
    return rc == WEIR_E_AGAIN ? 0 : rc;
}

/* ---- filling --------------------------------------------------------------------------------------- */

static size_t record_bytes(const struct wr_record *record)
{
    size_t bytes = RECORD_OVERHEAD + record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += RECORD_OVERHEAD + record->headers[i].name.len + record->headers[i].value.len;
    }
    return bytes;
}

/* Room for `bytes` more: what is whole and large goes now; what does not fit beside them, too. */
static int make_room(struct wr_feed *feed, size_t bytes, struct weir_error *err)
{
    size_t max = wr_log_writer_commit_max(feed->writer) - POSITION_ROOM;
    size_t have = pending_bytes(feed);
    bool is_large = have >= WR_FEED_COMMIT_BYTES && (feed->is_marked || !feed->is_torn);
    if (have == 0 || (!is_large && bytes <= max - (have < max ? have : max))) {
        return 0;
    }
    return commit_now(feed, err);
}

static int append_record(struct wr_feed *feed, const struct wr_envelope_record *r,
                         struct weir_error *err)
{
    uint32_t partition = r->partition == WR_ENVELOPE_BY_KEY ? WR_PARTITION_BY_KEY : r->partition;
    int rc = open_topic(feed, r->topic, err);
    if (rc == 0) {
        rc = wr_log_append(feed->writer, r->topic->user, partition, &r->record, err);
    }
    if (rc == WEIR_E_NOTFOUND) {
        rc = reopen_topic(feed, r->topic, err);
        if (rc == 0) {
            rc = wr_log_append(feed->writer, r->topic->user, partition, &r->record, err);
        }
    }
    feed->counts.records += rc == 0 ? 1 : 0;
    return rc;
}

static int append_output(struct wr_feed *feed, const struct wr_envelope_output *out,
                         struct weir_error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < out->record_count; i++) {
        bytes += record_bytes(&out->records[i].record);
    }
    int rc = make_room(feed, bytes, err);
    for (size_t i = 0; rc == 0 && i < out->record_count; i++) {
        rc = append_record(feed, &out->records[i], err);
        if (rc == WEIR_E_AGAIN) { /* never promised by append; a half change must not be repeated */
            rc = wr_fail(err, WEIR_E_BUSY, "the log took a part of a change");
        }
    }
    return rc;
}

/* At most one line in a while; the count of all is in the status. */
static void say_warnings(struct wr_feed *feed, const struct wr_envelope_output *out)
{
    feed->counts.warnings += out->warning_count;
    if (now_ms(feed) - feed->last_warn_ms < WARN_INTERVAL_MS) {
        return;
    }
    const struct wr_envelope_warning *w = &out->warnings[0];
    wr_trace(WR_WARN, feed->options.context,
             "%.*s.%.*s: column %.*s has %s, written as null or its default (%" PRIu64
             " such values so far)",
             WR_FMT(w->table->schema), WR_FMT(w->table->name), WR_FMT(w->column->name), w->what,
             feed->counts.warnings);
    feed->last_warn_ms = now_ms(feed);
}

int wr_feed_change(struct wr_feed *feed, const struct wr_change *change, struct weir_error *err)
{
    int rc = feed->has_held ? 0
                            : wr_envelope_change(feed->options.envelope, change,
                                                 wr_wall_us(feed->options.clock), &feed->held, err);
    if (rc == 0) {
        rc = append_output(feed, &feed->held, err);
    }
    feed->has_held = rc == WEIR_E_AGAIN;
    if (rc == 0) {
        feed->is_dirty = true;
        if (feed->held.warning_count > 0) {
            say_warnings(feed, &feed->held);
        }
    }
    return rc;
}

int wr_feed_heartbeat(struct wr_feed *feed, struct weir_error *err)
{
    WR_ASSERT(!feed->is_torn);
    struct wr_envelope_output out;
    if (feed->has_held) {
        return too_many(err); /* its records are the envelope's, which makes one thing at a time */
    }
    int rc =
        wr_envelope_heartbeat(feed->options.envelope, wr_wall_us(feed->options.clock), &out, err);
    if (rc == 0) {
        rc = append_output(feed, &out, err);
    }
    feed->counts.heartbeats += rc == 0 ? 1 : 0;
    return rc;
}

int wr_feed_reserve(struct wr_feed *feed, size_t bytes, struct weir_error *err)
{
    return make_room(feed, bytes, err);
}

void wr_feed_torn(struct wr_feed *feed)
{
    feed->is_torn = true;
}

int wr_feed_whole(struct wr_feed *feed, struct weir_error *err)
{
    feed->is_torn = false;
    feed->is_dirty = true;
    return pending_bytes(feed) >= WR_FEED_COMMIT_BYTES ? commit_maybe(feed, err) : 0;
}

void wr_feed_moved(struct wr_feed *feed)
{
    feed->is_dirty = true;
}

int wr_feed_rest(struct wr_feed *feed, struct weir_error *err)
{
    bool is_due = !feed->is_torn && feed->flight_count < FLIGHTS_AT_REST && has_pending(feed);
    return is_due ? commit_maybe(feed, err) : 0;
}

void wr_feed_urge(struct wr_feed *feed)
{
    feed->is_urged = true;
}

/* ---- answers and time ------------------------------------------------------------------------------ */

/* Note what a commit wrote, as ["topic",partition,base offset,count]. Internal topics are left out. */
static void note_written(struct wr_feed *feed, const struct wr_log_answer *answer)
{
    for (size_t i = 0; i < answer->written_count; i++) {
        const struct wr_log_written *w = &answer->written[i];
        if (!wr_topic_is_internal(w->topic->name)) {
            wr_put_fmt(&feed->written, "%s[\"%s\",%" PRIu32 ",%" PRId64 ",%" PRIu32 "]",
                       feed->written.len == 0 ? "[" : ",", w->topic->name, w->partition,
                       w->base_offset, w->record_count);
        }
    }
}

static void land(struct wr_feed *feed, const struct wr_log_answer *answer)
{
    WR_ASSERT(feed->flight_count > 0);
    WR_ASSERT(feed->flights[0].commit == answer->commit);
    if (feed->flights[0].is_sync) {
        feed->durable_mark = feed->flights[0].mark;
    }
    feed->flight_bytes -= feed->flights[0].bytes;
    feed->flight_count--;
    memmove(feed->flights, feed->flights + 1, feed->flight_count * sizeof(feed->flights[0]));
    feed->is_stalled = false;
    note_written(feed, answer);
}

/* 0: go on; 1: go back. */
static int take_answer(struct wr_feed *feed, const struct wr_log_answer *answer,
                       struct weir_error *err)
{
    switch (answer->outcome) {
    case WR_COMMIT_DONE: land(feed, answer); return 0;
    case WR_COMMIT_AGAIN:
        feed->is_stalled = true;
        feed->stalled = answer->err;
        return wr_log_writer_retry(feed->writer, err);
    case WR_COMMIT_REWIND:
    case WR_COMMIT_UNKNOWN: *err = answer->err; return 1;
    case WR_COMMIT_FENCED: *err = answer->err; return WEIR_E_FENCED;
    }
    return 0;
}

static int take_answers(struct wr_feed *feed, struct weir_error *err)
{
    while (true) {
        struct wr_log_answer answer;
        int rc = wr_log_writer_poll(feed->writer, &answer, err);
        if (rc <= 0) {
            return rc;
        }
        rc = take_answer(feed, &answer, err);
        if (rc != 0) {
            return rc;
        }
    }
}

/* Is there something that the database does not know to be durable, and no commit under way that says? */
static bool wants_sync(const struct wr_feed *feed)
{
    bool is_under_way = false;
    for (size_t i = 0; i < feed->flight_count; i++) {
        is_under_way = is_under_way || feed->flights[i].is_sync;
    }
    return !feed->is_torn && !feed->is_marked && !is_under_way &&
           (feed->is_dirty || has_pending(feed) || feed->handed_mark > feed->durable_mark);
}

int wr_feed_poll(struct wr_feed *feed, struct weir_error *err)
{
    int rc = take_answers(feed, err);
    if (rc == 0 && wants_sync(feed) && is_sync_due(feed)) {
        rc = commit_maybe(feed, err);
    }
    return rc;
}

int wr_feed_timeout_ms(const struct wr_feed *feed)
{
    int64_t left = feed->last_sync_ms + WR_FEED_SYNC_INTERVAL_MS - now_ms(feed);
    if (!wants_sync(feed) || is_full(feed)) {
        return WR_FEED_SYNC_INTERVAL_MS;
    }
    return feed->is_urged || left < 0 ? 0 : (int)left;
}

uint64_t wr_feed_durable(const struct wr_feed *feed)
{
    return feed->durable_mark;
}

const struct weir_error *wr_feed_stalled(const struct wr_feed *feed)
{
    return feed->is_stalled ? &feed->stalled : NULL;
}

int wr_feed_fd(const struct wr_feed *feed)
{
    return wr_log_writer_fd(feed->writer);
}

bool wr_feed_is_whole(const struct wr_feed *feed)
{
    return !feed->is_torn;
}

bool wr_feed_is_quiet(const struct wr_feed *feed)
{
    return feed->flight_count == 0;
}

int wr_feed_finish(struct wr_feed *feed, struct weir_error *err)
{
    if (feed->is_torn) { /* what is whole in front of it is dropped too, and read again */
        wr_log_writer_drop(feed->writer);
        feed->is_torn = false;
        feed->is_dirty = false;
    }
    feed->is_urged = true;
    return wants_sync(feed) ? commit_maybe(feed, err) : 0;
}

struct wr_feed_counts wr_feed_counts(const struct wr_feed *feed)
{
    return feed->counts;
}

/* ---- the snapshot ---------------------------------------------------------------------------------- */

int wr_feed_begin(struct wr_feed *feed, struct weir_error *err)
{
    WR_ASSERT(!has_pending(feed));
    int rc = wr_log_writer_mark(feed->writer, err);
    feed->is_marked = rc == 0;
    return rc;
}

int wr_feed_end(struct wr_feed *feed, struct weir_error *err)
{
    WR_ASSERT(feed->is_marked);
    int rc = 0;
    if (!feed->is_ending && has_pending(feed)) {
        rc = commit_rows(feed, err);
    }
    if (rc == 0 && !feed->is_ending) {
        rc = append_position(feed, &feed->handed_mark, err);
        feed->is_ending = rc == 0;
    }
    if (rc == 0 && is_full(feed)) {
        rc = too_many(err);
    }
    struct flight flight = {.mark = feed->handed_mark};
    if (rc == 0) {
        rc = wr_log_writer_end(feed->writer, true, &flight.commit, err);
    }
    if (rc == 0) {
        take_off(feed, flight);
        feed->is_marked = false;
        feed->is_ending = false;
        feed->is_dirty = false;
        feed->is_torn = false;
    }
    return rc == WEIR_E_BUSY ? WEIR_E_AGAIN : rc;
}
