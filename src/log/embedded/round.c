/* round.c - one round of commits: taken, written, synced, published. The steps are in round.h. */
#include "log/embedded/round.h"

#include "log/embedded/admit.h"
#include "log/embedded/checkpoint.h"
#include "log/embedded/engine.h"
#include "log/embedded/partition.h"
#include "log/embedded/reader.h"
#include "log/embedded/retention.h"
#include "log/embedded/rewrite.h"
#include "log/embedded/round_write.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"
#include "log/embedded/writer.h"

enum {
    COMMITS_MAX = 4096,
    ROOM_MS = 100,     /* how often a commit of the engine's own asks again for room */
    PLENTY = 64 << 20, /* bytes of room that nobody takes … */
    PLENTY_US = 10000  /* … in so short a time */
};

/* ---- take ---- */

/* L. */
static struct wr_commit *unqueue(struct wr_embedded *e)
{
    struct wr_commit *c = e->queue_first;
    e->queue_first = c->next;
    if (c->next == NULL) {
        e->queue_last = NULL;
    }
    c->next = NULL;
    return c;
}

static void append(struct wr_round *round, struct wr_commit *c)
{
    if (round->first == NULL) {
        round->first = c;
    } else {
        round->last->next = c;
    }
    round->last = c;
    round->commit_count++;
}

/* The engine's own commits that waited for room go behind the others again. L. */
static void requeue_waiting(struct wr_embedded *e, int64_t now_ms)
{
    struct wr_commit **at = &e->waiting_room;
    while (*at != NULL) {
        struct wr_commit *c = *at;
        if (c->try_again_ms > now_ms) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        wr_commit_push_locked(e, c);
    }
}

/* As many as fit one write. An abort goes alone: it ends what all before it have left open. L. */
static void take(struct wr_round *round)
{
    struct wr_embedded *e = round->e;
    size_t max = wr_journal_round_max(&e->journal);
    int64_t now_ms = wr_mono_ms(e->clock);
    wr_writer_unpark(e, now_ms);
    requeue_waiting(e, now_ms);
    while (e->queue_first != NULL && round->commit_count < COMMITS_MAX) {
        struct wr_commit *c = e->queue_first;
        if (c->writer != NULL && c->writer->state != WR_WRITER_OPEN) {
            (void)wr_writer_divert(e, unqueue(e));
            continue;
        }
        size_t bytes = c->is_abort ? 0 : wr_admit_bytes(round, c);
        if (round->commit_count > 0 && (c->is_abort || bytes > max - round->journal_bytes)) {
            break;
        }
        append(round, unqueue(e));
        round->journal_bytes += bytes;
        round->must_sync = round->must_sync || (c->flags & WR_COMMIT_SYNC) != 0;
        if (c->is_abort) {
            break;
        }
    }
}

/* ---- admit ---- */

/* The journal has a place for the round: else files are made or freed. Blocks on disk. */
static int need_journal(struct wr_round *round, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    int rc = wr_journal_reserve(&e->journal, round->journal_bytes, err);
    if (rc == WEIR_E_AGAIN) {
        struct weir_error none;
        int made = wr_journal_make(&e->journal, &none); /* or the keeper has, a moment ago */
        rc = made < 0 ? rc : wr_journal_reserve(&e->journal, round->journal_bytes, err);
    }
    if (rc == WEIR_E_AGAIN) {
        rc = wr_checkpoint_run(e, err);
        rc = rc == 0 ? wr_journal_reserve(&e->journal, round->journal_bytes, err) : rc;
    }
    return rc;
}

/* Is there room on the disk? To look costs a tenth of a small round, so where there is plenty not each one does. */
static int check_room(struct wr_round *round, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    int64_t now_us = wr_mono_us(e->clock);
    if (now_us < round->plenty_until_us) {
        return 0;
    }
    int rc = wr_segment_check_room(e, PLENTY, err);
    round->plenty_until_us = rc == 0 ? now_us + PLENTY_US : 0;
    return rc == WEIR_E_FULL ? wr_segment_check_room(e, 0, err) : rc;
}

static void admit_all(struct wr_round *round)
{
    struct weir_error why;
    struct wr_commit *first = round->first;
    int rc = check_room(round, &why);
    if (rc == 0 && first->is_abort) {
        rc = wr_admit_markers(round, first, &why);
        round->journal_bytes = rc == 0 ? wr_admit_bytes(round, first) : 0;
    }
    rc = rc >= 0 ? wr_checkpoint_first(round->e, &why) : rc;
    rc = rc >= 0 ? need_journal(round, &why) : rc;
    for (struct wr_commit *c = first; c != NULL; c = c->next) {
        bool is_behind = c->writer != NULL && c->writer->refused_round == round->number;
        if (rc < 0) {
            c->outcome = WR_COMMIT_AGAIN;
            c->err = why;
        } else if (is_behind) {
            c->outcome = WR_COMMIT_AGAIN; /* its writer's state then says what becomes of it */
        } else {
            wr_admit(round, c);
        }
        if (c->outcome != WR_COMMIT_DONE && c->writer != NULL) {
            c->writer->refused_round = round->number;
        }
    }
}

/* ---- publish: L is held ---- */

static void publish_batches(struct wr_round *round, struct wr_commit_part *part)
{
    round->first_batches += part->segment->info.bytes == 0 ? 1 : 0;
    for (size_t i = 0; i < part->note_count; i++) {
        wr_partition_publish(part->partition, part->segment, &part->notes[i]);
    }
    wr_segment_dirty(round->e, part->segment);
}

static void publish_part(struct wr_round *round, struct wr_commit *c, struct wr_commit_part *part)
{
    struct wr_embedded *e = round->e;
    switch (part->kind) {
    case WR_PART_BATCHES:
    case WR_PART_PLACED: publish_batches(round, part); break;
    case WR_PART_TOPIC:
        wr_topic_state_ref(part->topic);
        wr_topics_put(e, part->topic);
        e->catalog_sequence = c->sequence;
        wr_reader_wake_watching(e);
        break;
    case WR_PART_DELETE:
        wr_topics_take(e, part->topic);
        round->gone[round->gone_count] = part->topic;
        round->gone_count++;
        e->catalog_sequence = c->sequence;
        wr_reader_wake_topic(e, part->topic);
        wr_reader_wake_watching(e);
        break;
    case WR_PART_START:
        if (part->base_offset > part->partition->log_start) {
            part->partition->log_start = part->base_offset;
            part->partition->list_version++;
        }
        break;
    case WR_PART_ROLL: break;
    }
}

static void list_written(struct wr_commit *c)
{
    c->written_count = 0;
    for (size_t i = 0; i < c->part_count; i++) {
        const struct wr_commit_part *part = &c->parts[i];
        if (part->record_count == 0) {
            continue;
        }
        c->written[c->written_count] = (struct wr_log_written){
            .topic = &part->topic->topic,
            .partition = part->partition->number,
            .base_offset = part->base_offset + (part->has_marker ? 1 : 0),
            .record_count = part->record_count,
        };
        c->written_count++;
    }
}

/* The engine's own: its waiter is woken, or it waits for room, or it has had its day. */
static void answer_own(struct wr_embedded *e, struct wr_commit *c)
{
    if (!c->is_detached) {
        c->is_done = true;
    } else if (c->outcome == WR_COMMIT_AGAIN) {
        c->try_again_ms = wr_mono_ms(e->clock) + ROOM_MS;
        c->next = e->waiting_room;
        e->waiting_room = c;
    } else {
        c->next = e->graveyard;
        e->graveyard = c;
    }
}

static void answer(struct wr_embedded *e, struct wr_commit *c)
{
    c->next = NULL;
    if (c->outcome == WR_COMMIT_DONE) {
        list_written(c);
        e->stats.commits++;
    }
    if (c->writer == NULL) {
        answer_own(e, c);
    } else if (c->writer->state != WR_WRITER_OPEN && c->outcome != WR_COMMIT_DONE) {
        (void)wr_writer_divert(e, c); /* one before it in the round was refused */
    } else if (c->outcome == WR_COMMIT_AGAIN) {
        wr_writer_hold(e, c, &c->err);
    } else {
        wr_writer_answer(e, c);
    }
}

static void settle(struct wr_round *round)
{
    struct wr_embedded *e = round->e;
    for (size_t i = 0; i < round->touched_count; i++) {
        (void)wr_partition_settle(round->touched[i]);
        wr_reader_wake_partition(e, round->touched[i]);
    }
    wr_journal_mark(&e->journal, &e->mark);
    e->stats.rounds += round->writes_count + round->placed_count > 0 ? 1 : 0;
    e->stats.segment_syncs += round->segment_syncs;
    e->stats.placed_bytes += round->placed_bytes;
    e->placed_since += round->placed_bytes;
    e->is_sealing = round->rolled_count > 0;
    if (round->rolled_count > 0 || round->first_batches > 0) {
        wr_retain_consider(e);
    }
    bool is_unsynced = e->options.durability == WR_DURABILITY_INTERVAL && !round->must_sync;
    if (is_unsynced && e->sync_due_ms == INT64_MAX && round->journal_bytes > 0) {
        e->sync_due_ms = wr_mono_ms(e->clock) + (int64_t)e->options.interval_ms;
        pthread_cond_signal(&e->keep_work);
    }
}

static void publish(struct wr_round *round)
{
    struct wr_embedded *e = round->e;
    for (struct wr_commit *c = round->first; c != NULL; c = c->next) {
        for (size_t i = 0; i < c->part_count && c->outcome == WR_COMMIT_DONE; i++) {
            publish_part(round, c, &c->parts[i]);
        }
    }
    settle(round);
    bool has_own = false;
    struct wr_commit *c = round->first;
    round->first = NULL;
    while (c != NULL) {
        struct wr_commit *next = c->next;
        has_own = has_own || c->writer == NULL;
        answer(e, c);
        c = next;
    }
    if (has_own) {
        pthread_cond_broadcast(&e->done);
    }
    wr_checkpoint_consider(e);
}

/* ---- tidy ---- */

/* A checkpoint that calls them full waits for it: a start does not look at them again. */
static void seal_rolled(struct wr_round *round)
{
    struct wr_embedded *e = round->e;
    if (round->rolled_count == 0) {
        return;
    }
    for (size_t i = 0; i < round->rolled_count; i++) {
        wr_index_seal(e, round->rolled[i]->partition, round->rolled[i]);
        wr_segment_trim(e, round->rolled[i]);
    }
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < round->rolled_count; i++) {
        round->rolled[i]->is_unsealed = false;
    }
    e->is_sealing = false;
    pthread_cond_broadcast(&e->done);
    pthread_mutex_unlock(&e->lock);
}

static void tidy(struct wr_round *round)
{
    struct wr_embedded *e = round->e;
    seal_rolled(round);
    for (size_t i = 0; i < round->touched_count; i++) {
        struct wr_segment *seg = round->touched[i]->write_segment;
        if (seg->tail != NULL && (seg->tail->place_count > WR_INDEX_TAIL_MAX / 2 ||
                                  seg->tail->time_count > WR_INDEX_TAIL_MAX / 2)) {
            wr_index_write(e, round->touched[i], seg);
        }
    }
    wr_round_reset(round);
    wr_writer_bury(e);
}

/* ---- the step ---- */

static int run(struct wr_round *round, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    admit_all(round);
    int rc = wr_round_write(round, err);
    if (rc < 0) {
        return wr_embedded_fail(e, err);
    }
    pthread_mutex_lock(&e->lock);
    bool has_failed = e->has_failed; /* meanwhile, elsewhere: nobody is told anything any more */
    if (!has_failed) {
        wr_poke_collect(e);
        publish(round);
        wr_poke_deliver(e);
    }
    rc = has_failed ? wr_embedded_failure(e, err) : 0;
    pthread_mutex_unlock(&e->lock);
    if (rc < 0) {
        return rc;
    }
    tidy(round);
    return 1;
}

static int rewrite(struct wr_round *round, struct wr_partition *p, struct weir_error *err)
{
    struct wr_commit *c = wr_rewrite_commit(round->e, p);
    if (c == NULL) {
        return 1;
    }
    round->number++;
    append(round, c);
    round->journal_bytes = wr_admit_bytes(round, c);
    int rc = run(round, err);
    if (rc > 0) {
        wr_rewrite_done(round->e, p, c);
        wr_commit_free(c);
    }
    return rc;
}

/* Internal topics whose segment is full: each in a round of its own. */
static int rewrite_due(struct wr_round *round, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    struct wr_partition *p = NULL;
    int rc = 1;
    while (rc > 0 && (p = wr_rewrite_next(e)) != NULL) {
        struct wr_topic_state *topic = p->topic;
        rc = wr_topic_is_deleted(topic) ? 1 : rewrite(round, p, err);
        wr_topic_state_unref(topic);
    }
    return rc;
}

/* Without threads, the first checkpoint and the interval's sync are steps like the others. */
static int do_due(struct wr_embedded *e, bool is_sync_due, struct weir_error *err)
{
    int rc = wr_checkpoint_first(e, err);
    if (rc == 0 && is_sync_due) {
        rc = wr_checkpoint_sync_journal(e, err);
        rc = rc < 0 ? rc : 1;
    }
    return rc == WEIR_E_FULL ? 0 : rc;
}

int wr_round_step(struct wr_embedded *e, struct weir_error *err)
{
    pthread_mutex_lock(&e->step_lock);
    struct wr_round *round = e->round;
    round->number++;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    bool is_due = !e->has_threads && e->sync_due_ms <= wr_mono_ms(e->clock);
    if (rc == 0) {
        take(round);
    }
    pthread_mutex_unlock(&e->lock);
    if (rc == 0 && round->first != NULL) {
        rc = run(round, err);
        rc = rc > 0 ? rewrite_due(round, err) : rc;
    } else if (rc == 0) {
        wr_writer_bury(e);
        rc = do_due(e, is_due, err);
    }
    pthread_mutex_unlock(&e->step_lock);
    return rc;
}

int64_t wr_round_due_ms(const struct wr_embedded *e)
{
    int64_t due = wr_writer_unpark_ms(e);
    for (const struct wr_commit *c = e->waiting_room; c != NULL; c = c->next) {
        due = c->try_again_ms < due ? c->try_again_ms : due;
    }
    return due;
}

/* ---- memory ---- */

int wr_round_open(struct wr_embedded *e, struct weir_error *err)
{
    e->round = wr_alloc_array(1, sizeof(*e->round));
    if (e->round == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a round");
    }
    e->round->e = e;
    return 0;
}

void wr_round_close(struct wr_embedded *e)
{
    struct wr_round *round = e->round;
    if (round != NULL) {
        wr_round_reset(round);
        wr_commit_free_list(round->first);
        wr_free(round->writes);
        wr_free(round->placed);
        wr_free(round->pinned);
        wr_free(round->rolled);
        wr_free(round->touched);
        wr_free(round->gone);
        wr_free(round->parts);
        wr_free(round);
    }
    for (struct wr_partition *p = e->rewrite_first; p != NULL;) {
        struct wr_topic_state *topic = p->topic;
        p = p->rewrite_next;
        wr_topic_state_unref(topic);
    }
    wr_commit_free_list(e->queue_first);
    wr_commit_free_list(e->waiting_room);
    wr_commit_free_list(e->graveyard);
    e->round = NULL;
}
