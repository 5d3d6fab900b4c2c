/* workload.c - what happens to the log, drawn from a seed. */
#include "crash/workload.h"

#include <stdio.h>

enum {
    HAND_PLAIN,
    HAND_MARKED,
    HAND_LARGE
};

static const char *const dir = "log";

/* ---- life ---- */

static void note_fatal(void *arg, const struct weir_error *err)
{
    struct notices *notices = arg;
    notices->fatal++;
    (void)snprintf(notices->last, sizeof(notices->last), "%s", err->text);
}

static void note_notice(void *arg, enum wr_level level, const char *text)
{
    struct notices *notices = arg;
    notices->count++;
    notices->lacks_entries =
        notices->lacks_entries || strstr(text, "the journal is damaged") != NULL;
    notices->warnings += level <= WR_WARN ? 1 : 0;
    if (notices->count == 1 || level == WR_ERROR) {
        (void)snprintf(notices->last, sizeof(notices->last), "%s", text);
    }
}

int crash_open(struct wr_vfs_sim *sim, enum wr_durability durability, const struct wr_clock *clock,
               struct wr_rng *rng, struct notices *notices, struct wr_log **out,
               struct weir_error *err)
{
    struct wr_embedded_options options = {
        .dir = dir,
        .vfs = wr_vfs_sim_vfs(sim),
        .clock = clock,
        .rng = rng,
        .durability = durability,
        .journal_file_bytes = 64 << 10,
        .journal_file_count = 2,
        .placed_bytes_min = 6 << 10,
        .commit_bytes_max = 200 << 10,
        .room_bytes_min = 96 << 10,
        .open_files_max = 8,
        .on_fatal = note_fatal,
        .on_notice = note_notice,
        .arg = notices,
    };
    return wr_embedded_open(&options, out, err);
}

struct workload workload_of(uint64_t seed, enum wr_durability durability)
{
    struct workload w = {
        .rng = wr_rng_of(seed),
        .log_rng = wr_rng_of(~seed),
        .clock = wr_manual_clock_of(INT64_C(1700000000000000)),
        .sim = wr_vfs_sim_new(),
        .oracle = oracle_of(durability),
    };
    wr_vfs_sim_seed(w.sim, seed);
    w.hands[HAND_PLAIN].name = "plain";
    w.hands[HAND_MARKED].name = "marked";
    return w;
}

void workload_fini(struct workload *w)
{
    workload_close(w, false);
    wr_vfs_sim_free(w->sim);
    oracle_fini(&w->oracle);
}

/* What was under way, or filled, when its writer went away. */
static void forget_flights(struct workload *w, struct hand *hand)
{
    hand->flight_count = 0;
    hand->is_stalled = false;
    if (hand->txn > 0) {
        w->oracle.txns[hand->txn - 1].is_abandoned = true;
    }
    hand->txn = 0;
}

/* A sync of the journal that failed may have left any part of what was not synced, and calls the rest clean:
 * the next start, which reads from the disk, may not find it. So the weaker durabilities may then lose what a
 * power loss may take, though the machine stays up. Fsync answers nothing before a sync that is good. */
enum wr_sim_loss workload_loss_of_kill(const struct workload *w)
{
    return wr_vfs_sim_has_lost(w->sim, "/journal/") ? WR_SIM_LOSS_REORDER : WR_SIM_LOSS_ALL;
}

/* The disk may fail in it, which is told: then it is no clean stop. */
static void stop(struct workload *w)
{
    uint32_t before = w->notices.warnings;
    wr_log_close(w->log);
    if (w->notices.warnings == before) {
        oracle_stopped(&w->oracle);
    }
}

void workload_close(struct workload *w, bool is_clean)
{
    for (size_t i = 0; i < WRITERS; i++) {
        wr_log_writer_close(w->hands[i].writer);
        w->hands[i].writer = NULL;
        forget_flights(w, &w->hands[i]);
    }
    wr_log_reader_close(w->reader);
    w->reader = NULL;
    for (size_t i = 0; i < HANDLES_MAX; i++) {
        wr_log_topic_unref(w->topics[i]);
        w->topics[i] = NULL;
    }
    (void)workload_has_begun(w);
    if (w->log != NULL && is_clean) {
        stop(w);
    } else if (w->log != NULL) {
        wr_embedded_abandon(w->log);
    }
    w->log = NULL;
    w->loss = w->is_unsettled ? w->loss : workload_loss_of_kill(w);
    w->is_unsettled = true;
}

void workload_lose_power(struct workload *w, enum wr_sim_loss loss, uint64_t seed)
{
    WR_ASSERT(w->log == NULL);
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(w->sim, loss, seed);
    wr_vfs_sim_free(w->sim);
    w->sim = image;
    w->loss =
        loss == WR_SIM_LOSS_ALL ? w->loss : loss; /* what is lost already does not come back */
    w->is_full = false;
    wr_vfs_sim_capacity(w->sim, UINT64_MAX);
}

/* ---- topics ---- */

static int read_from_start(struct workload *w, size_t topic, struct weir_error *err)
{
    int rc = 0;
    for (uint32_t p = 0; p < w->oracle.topics[topic].partitions && rc == 0; p++) {
        rc = wr_log_reader_assign(w->reader, w->topics[topic], p, WR_OFFSET_EARLIEST, err);
    }
    return rc;
}

/* The topic of that name that is there; topic_count when none is. */
static size_t topic_there(const struct workload *w, const char *name)
{
    size_t i = 0;
    while (i < w->oracle.topic_count && (w->oracle.topics[i].state != ORACLE_THERE ||
                                         strcmp(w->oracle.topics[i].name, name) != 0)) {
        i++;
    }
    return i;
}

static int make_topic(struct workload *w, const char *name, uint32_t partitions,
                      const struct wr_topic_setting *settings, size_t count, struct weir_error *err)
{
    if (w->oracle.topic_count == ORACLE_TOPICS_MAX) {
        return 0;
    }
    struct wr_topic_spec spec = {name, partitions, settings, count};
    bool has_retention = count > 1;
    size_t index = oracle_topic_asked(&w->oracle, name, partitions, has_retention);
    int rc = wr_log_topic_create(w->log, &spec, &w->topics[index], err);
    if (rc == WEIR_E_FULL) {
        w->oracle.topics[index].state = ORACLE_GONE;
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    w->oracle.topics[index].id = w->topics[index]->id;
    w->oracle.topics[index].state = ORACLE_THERE;
    return read_from_start(w, index, err);
}

/* Those that are there always: positions, two to write to, one that retention cuts. */
enum {
    POS,
    LASTING = 4
};

static int make_lasting_topics(struct workload *w, struct weir_error *err)
{
    static const struct wr_topic_setting settings[] = {
        {"segment.bytes", "4096"}, {"retention.bytes", "6000"}, {"index.interval.bytes", "300"}};
    static const struct {
        const char *name;
        uint32_t partitions;
        size_t settings;
    } lasting[LASTING] = {{"pos", 1, 0}, {"a", 2, 1}, {"b", 3, 1}, {"r", 1, 3}};
    int rc = 0;
    for (size_t i = 0; i < LASTING && rc == 0; i++) {
        w->lasting[i] = topic_there(w, lasting[i].name);
        if (w->lasting[i] < w->oracle.topic_count) {
            continue;
        }
        rc = make_topic(w, lasting[i].name, lasting[i].partitions, settings, lasting[i].settings,
                        err);
        if (rc == 0 && w->oracle.topics[w->lasting[i]].state != ORACLE_THERE) {
            rc = wr_fail(err, WEIR_E_FULL, "no room for topic '%s'", lasting[i].name);
        }
    }
    return rc;
}

static int make_passing_topic(struct workload *w, struct weir_error *err)
{
    static const struct wr_topic_setting small[] = {{"segment.bytes", "3000"}};
    char name[20];
    /* names come again, so that what an earlier topic left must not be taken for its own */
    (void)snprintf(name, sizeof(name), "t%u", w->names++ % 2);
    if (topic_there(w, name) < w->oracle.topic_count) {
        return 0;
    }
    return make_topic(w, name, 1 + (uint32_t)wr_rng_below(&w->rng, 3), small, 1, err);
}

static int delete_passing_topic(struct workload *w, struct weir_error *err)
{
    for (size_t i = 0; i < w->oracle.topic_count; i++) {
        struct oracle_topic *t = &w->oracle.topics[i];
        if (t->state != ORACLE_THERE || t->name[0] != 't') {
            continue;
        }
        t->state = ORACLE_REMOVING;
        oracle_may_refuse_topic(&w->oracle, i);
        int rc = wr_log_topic_delete(w->log, t->name, err);
        if (rc == WEIR_E_FULL) {
            t->state = ORACLE_THERE;
            return 0;
        }
        if (rc < 0) {
            return rc;
        }
        t->state = ORACLE_GONE;
        for (uint32_t p = 0; p < t->partitions && rc == 0; p++) {
            rc = wr_log_reader_unassign(w->reader, w->topics[i], p, err);
        }
        wr_log_topic_unref(w->topics[i]);
        w->topics[i] = NULL;
        return rc;
    }
    return 0;
}

/* ---- answers ---- */

static void drop_flights(struct workload *w, struct hand *hand, size_t from,
                         enum oracle_commit_state state)
{
    for (size_t i = from; i < hand->flight_count; i++) {
        w->oracle.commits[hand->flights[i].id - 1].state = state;
    }
}

static void take_answer(struct workload *w, struct hand *hand, const struct wr_log_answer *answer)
{
    WR_ASSERT(hand->flight_count > 0);
    struct flight flight = hand->flights[0];
    WR_ASSERT(flight.number == answer->commit);
    switch (answer->outcome) {
    case WR_COMMIT_DONE:
        oracle_acked(&w->oracle, flight.id, answer, flight.asks_sync);
        hand->flight_count--;
        memmove(hand->flights, hand->flights + 1, hand->flight_count * sizeof(flight));
        break;
    case WR_COMMIT_AGAIN:
        hand->is_stalled = true;
        drop_flights(w, hand, 0, ORACLE_HELD);
        break;
    case WR_COMMIT_REWIND:
        drop_flights(w, hand, 0, ORACLE_DROPPED);
        forget_flights(w, hand);
        break;
    case WR_COMMIT_UNKNOWN:
    case WR_COMMIT_FENCED:
    default: WR_ASSERT(false); break;
    }
}

static int take_answers(struct workload *w, struct weir_error *err)
{
    for (size_t i = 0; i < WRITERS; i++) {
        struct wr_log_answer answer;
        int rc = wr_log_writer_poll(w->hands[i].writer, &answer, err);
        while (rc == 1) {
            take_answer(w, &w->hands[i], &answer);
            rc = wr_log_writer_poll(w->hands[i].writer, &answer, err);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int round_of(struct workload *w, struct weir_error *err)
{
    int rc = wr_embedded_step(w->log, err);
    return rc < 0 ? rc : take_answers(w, err);
}

/* ---- commits ---- */

static uint32_t pick_len(struct workload *w, bool is_large)
{
    uint64_t kind = wr_rng_below(&w->rng, 10);
    if (is_large) {
        return 2000 + (uint32_t)wr_rng_below(&w->rng, 5000);
    }
    if (kind < 6) {
        return 16 + (uint32_t)wr_rng_below(&w->rng, 200);
    }
    return 16 + (uint32_t)wr_rng_below(&w->rng, kind < 9 ? 1200 : 4000);
}

/* Append records to one partition. WEIR_E_NOTFOUND is no failure: the topic was deleted. */
static int append_part(struct workload *w, struct hand *hand, uint64_t id, size_t topic,
                       bool is_large, struct weir_error *err)
{
    const struct oracle_topic *t = &w->oracle.topics[topic];
    uint32_t partition = (uint32_t)wr_rng_below(&w->rng, t->partitions);
    const struct oracle_commit *c = &w->oracle.commits[id - 1];
    for (size_t i = 0; i < c->part_count; i++) {
        if (c->parts[i].topic == topic && c->parts[i].partition == partition) {
            return 0;
        }
    }
    size_t part = c->part_count;
    uint32_t count = 1 + (uint32_t)wr_rng_below(&w->rng, 4);
    uint32_t len = pick_len(w, is_large);
    (void)oracle_append(&w->oracle, id, topic, partition, count, len);
    uint8_t value[8192];
    WR_ASSERT(len <= sizeof(value));
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        oracle_value(id, part, i, value, len);
        struct wr_record record = {.value = {value, len}, .timestamp_ms = -1};
        rc = wr_log_append(hand->writer, w->topics[topic], partition, &record, err);
    }
    return rc;
}

/* Some topic to write to: positions come by themselves. */
static size_t pick_topic(struct workload *w)
{
    for (;;) {
        size_t topic = (size_t)wr_rng_below(&w->rng, w->oracle.topic_count);
        if (topic != w->lasting[POS] && w->oracle.topics[topic].state == ORACLE_THERE &&
            w->topics[topic] != NULL) {
            return topic;
        }
    }
}

static int fill(struct workload *w, struct hand *hand, uint64_t id, struct weir_error *err)
{
    enum oracle_kind kind = w->oracle.commits[id - 1].kind;
    bool is_large = hand == &w->hands[HAND_LARGE];
    size_t parts = kind == ORACLE_END_ABORT ? 0 : 1 + (size_t)wr_rng_below(&w->rng, 3);
    int rc = 0;
    for (size_t i = 0; i < parts && rc == 0 && kind != ORACLE_END_KEEP; i++) {
        rc = append_part(w, hand, id, pick_topic(w), is_large, err);
    }
    /* the position moves with the records, and with the end of a marked transaction */
    if (rc == 0 && (kind == ORACLE_PLAIN || kind == ORACLE_END_KEEP)) {
        rc = append_part(w, hand, id, w->lasting[POS], false, err);
    }
    return rc;
}

static int hand_over(struct workload *w, struct hand *hand, uint64_t id, bool asks_sync,
                     struct weir_error *err)
{
    enum oracle_kind kind = w->oracle.commits[id - 1].kind;
    uint64_t number = 0;
    oracle_handed_over(&w->oracle, id);
    if (w->is_full || w->has_fault) {
        oracle_may_refuse(&w->oracle);
    }
    int rc = kind == ORACLE_END_KEEP || kind == ORACLE_END_ABORT
                 ? wr_log_writer_end(hand->writer, kind == ORACLE_END_KEEP, &number, err)
                 : wr_log_writer_commit(hand->writer, asks_sync ? WR_COMMIT_SYNC : WR_COMMIT_PLAIN,
                                        &number, err);
    if (rc < 0) {
        w->oracle.commits[id - 1].state = ORACLE_DROPPED;
        wr_log_writer_drop(hand->writer);
        return rc;
    }
    hand->txn = kind == ORACLE_END_KEEP || kind == ORACLE_END_ABORT ? 0 : hand->txn;
    WR_ASSERT(hand->flight_count < IN_FLIGHT_MAX);
    hand->flights[hand->flight_count++] = (struct flight){number, id, asks_sync};
    return 0;
}

/* May it hand over one more now? If not, let the engine work, or retry. */
static int make_ready(struct workload *w, struct hand *hand, bool *is_ready, struct weir_error *err)
{
    *is_ready = !hand->is_stalled && hand->flight_count < 12;
    if (hand->is_stalled && !w->is_full) {
        for (size_t i = 0; i < hand->flight_count; i++) {
            oracle_handed_over(&w->oracle, hand->flights[i].id);
        }
        hand->is_stalled = false;
        return wr_log_writer_retry(hand->writer, err);
    }
    return hand->flight_count < 12 ? 0 : round_of(w, err);
}

static int commit(struct workload *w, struct hand *hand, enum oracle_kind kind,
                  struct weir_error *err)
{
    bool is_ready = false;
    int rc = make_ready(w, hand, &is_ready, err);
    if (rc < 0 || !is_ready) {
        return rc;
    }
    uint64_t id = oracle_commit_begin(&w->oracle, kind, (uint32_t)(hand - w->hands), hand->txn);
    rc = fill(w, hand, id, err);
    bool asks_sync = kind == ORACLE_PLAIN && wr_rng_below(&w->rng, 10) == 0;
    return rc < 0 ? rc : hand_over(w, hand, id, asks_sync, err);
}

static int go_on_marked(struct workload *w, struct weir_error *err)
{
    struct hand *hand = &w->hands[HAND_MARKED];
    if (hand->txn == 0 && !hand->is_stalled) {
        int rc = wr_log_writer_mark(hand->writer, err);
        hand->txn = rc < 0 ? 0 : oracle_txn_begin(&w->oracle);
        return rc;
    }
    uint64_t what = wr_rng_below(&w->rng, 6);
    enum oracle_kind kind = what == 0 ? ORACLE_END_KEEP : ORACLE_MARKED;
    return commit(w, hand, what == 1 ? ORACLE_END_ABORT : kind, err);
}

/* ---- other things that happen ---- */

static int read_some(struct workload *w, struct weir_error *err)
{
    for (int i = 0; i < 4; i++) {
        struct wr_log_chunk chunk;
        int rc = wr_log_reader_poll(w->reader, 0, &chunk, err);
        if (rc == WEIR_E_RANGE) { /* retention was faster */
            struct wr_log_topic *topic =
                wr_log_topic_ref((struct wr_log_topic *)(uintptr_t)chunk.topic);
            rc = wr_log_reader_assign(w->reader, topic, chunk.partition, WR_OFFSET_EARLIEST, err);
            wr_log_topic_unref(topic);
        } else if (rc == 0 && chunk.kind == WR_POLL_RECORDS) {
            oracle_saw(&w->oracle, &chunk);
        }
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int note_starts_of(struct workload *w, size_t index, struct weir_error *err)
{
    struct oracle_topic *topic = &w->oracle.topics[index];
    int rc = 0;
    for (uint32_t p = 0; p < topic->partitions && rc == 0; p++) {
        struct wr_partition_info info;
        rc = wr_log_partition_info(w->log, w->topics[index], p, &info, err);
        topic->log_start[p] = rc == 0 ? info.log_start : topic->log_start[p];
    }
    return rc;
}

static int note_starts(struct workload *w, struct weir_error *err)
{
    int rc = 0;
    for (size_t t = 0; t < w->oracle.topic_count && rc == 0; t++) {
        rc = w->oracle.topics[t].state == ORACLE_THERE ? note_starts_of(w, t, err) : 0;
    }
    return rc;
}

static int keep_house(struct workload *w, struct weir_error *err)
{
    switch (wr_rng_below(&w->rng, 4)) {
    case 0: return wr_embedded_checkpoint(w->log, err);
    case 1: {
        int rc = wr_embedded_retain(w->log, err);
        return rc < 0 ? rc : note_starts(w, err);
    }
    case 2: {
        size_t topic = pick_topic(w);
        uint32_t partition = (uint32_t)wr_rng_below(&w->rng, w->oracle.topics[topic].partitions);
        return wr_embedded_roll(w->log, w->topics[topic], partition, err);
    }
    default: wr_manual_clock_advance(&w->clock, (int64_t)wr_rng_below(&w->rng, 2000000)); return 0;
    }
}

/* The disk is full, or has room again. */
static void turn_tap(struct workload *w)
{
    w->is_full = !w->is_full;
    oracle_may_refuse(&w->oracle);
    wr_vfs_sim_capacity(w->sim, w->is_full
                                    ? wr_vfs_sim_used(w->sim) + (wr_rng_below(&w->rng, 40) << 12)
                                    : UINT64_MAX);
    wr_manual_clock_advance(&w->clock, 1500000); /* so that what waits for room looks again */
}

int workload_step(struct workload *w, struct weir_error *err)
{
    uint64_t what = wr_rng_below(&w->rng, 100);
    int rc = 0;
    if (what < 35) {
        rc = commit(w, &w->hands[HAND_PLAIN], ORACLE_PLAIN, err);
    } else if (what < 55) {
        rc = round_of(w, err);
    } else if (what < 70) {
        rc = go_on_marked(w, err);
    } else if (what < 75) {
        rc = commit(w, &w->hands[HAND_LARGE], ORACLE_PLAIN, err);
    } else if (what < 83) {
        rc = read_some(w, err);
    } else if (what < 92) {
        rc = keep_house(w, err);
    } else if (what < 95) {
        rc = make_passing_topic(w, err);
    } else if (what < 98) {
        rc = delete_passing_topic(w, err);
    } else {
        turn_tap(w);
    }
    /* a full disk is no failure of the log */
    return rc == WEIR_E_FULL || rc == WEIR_E_AGAIN ? 0 : rc;
}

static bool has_flights(const struct workload *w)
{
    return w->hands[0].flight_count + w->hands[1].flight_count + w->hands[2].flight_count > 0;
}

int workload_settle_down(struct workload *w, struct weir_error *err)
{
    w->is_full = false;
    wr_vfs_sim_capacity(w->sim, UINT64_MAX);
    int rc = 0;
    for (int i = 0; i < 100 && rc == 0 && has_flights(w); i++) {
        wr_manual_clock_advance(&w->clock, 1500000);
        for (size_t h = 0; h < WRITERS && rc == 0; h++) {
            bool is_ready = false;
            rc = make_ready(w, &w->hands[h], &is_ready, err);
        }
        rc = rc < 0 ? rc : round_of(w, err);
    }
    if (rc == 0 && has_flights(w)) {
        rc = wr_fail(err, WEIR_E_AGAIN, "commits are never answered");
    }
    return rc < 0 ? rc : read_some(w, err);
}

/* What a crash left open is settled by what is there. */
static int settle(struct workload *w, struct weir_error *err)
{
    struct wr_embedded_recovery recovery;
    wr_embedded_recovery(w->log, &recovery);
    if (!oracle_judge(&w->oracle, w->log, w->loss, w->why)) {
        return wr_fail(err, WEIR_E_CORRUPT, "judged at its start: %.300s", w->why);
    }
    if (!oracle_settle(&w->oracle, w->log, w->loss, w->why)) {
        return wr_fail(err, WEIR_E_CORRUPT, "read at its start: %.300s", w->why);
    }
    w->oracle.leader_epoch = recovery.leader_epoch;
    w->oracle.is_clean = false;
    w->is_unsettled = false;
    w->has_begun = false;
    return 0;
}

bool workload_has_begun(struct workload *w)
{
    if (w->log != NULL && !w->is_unsettled) {
        struct wr_embedded_stats stats;
        wr_embedded_stats(w->log, &stats);
        w->has_begun = w->has_begun || stats.checkpoints > 0;
    }
    return w->has_begun;
}

int workload_open(struct workload *w, struct weir_error *err)
{
    w->notices = (struct notices){0};
    int rc = crash_open(w->sim, w->oracle.durability, &w->clock.clock, &w->log_rng, &w->notices,
                        &w->log, err);
    rc = rc < 0 ? rc : settle(w, err);
    for (size_t i = 0; i < WRITERS && rc == 0; i++) {
        struct wr_log_writer_options options = {.id = w->hands[i].name};
        rc = wr_log_writer_open(w->log, &options, &w->hands[i].writer, err);
    }
    rc = rc < 0 ? rc
                : wr_log_reader_open(w->log, &(struct wr_log_reader_options){0}, &w->reader, err);
    for (size_t i = 0; i < w->oracle.topic_count && rc == 0; i++) {
        if (w->oracle.topics[i].state == ORACLE_THERE) {
            rc = wr_log_topic_find(w->log, w->oracle.topics[i].name, &w->topics[i], err);
            rc = rc < 0 ? rc : read_from_start(w, i, err);
        }
    }
    return rc < 0 ? rc : make_lasting_topics(w, err);
}
