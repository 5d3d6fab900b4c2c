/* answer.c - what becomes of a commit when its round is over: answered, held, dropped. */
#include "log/embedded/writer.h"

enum {
    PARK_MS = 100,
    GIVE_UP_MS = 1000
};

static void wake(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    if (!w->is_closed) {
        wr_poke(e, &w->poke);
    }
}

/* A marked transaction that nobody ends: the engine aborts it when it comes to it. Without memory it
 * stays open until the log is opened anew. */
void wr_writer_abort_detached(struct wr_embedded *e, int64_t producer_id)
{
    struct wr_commit *abort = wr_commit_new(NULL);
    if (abort != NULL) {
        abort->is_abort = true;
        abort->is_detached = true;
        abort->abort_producer = producer_id;
        wr_commit_push_locked(e, abort);
    }
}

/* Its owner has gone: nobody takes the answer. Freed when L is not held any more. */
static void bury(struct wr_embedded *e, struct wr_commit *c)
{
    c->next = e->graveyard;
    e->graveyard = c;
}

/* Give it to its owner. */
static void deliver(struct wr_embedded *e, struct wr_commit *c)
{
    struct wr_embedded_writer *w = c->writer;
    if (w->is_closed) {
        w->in_flight--;
        bury(e, c);
        return;
    }
    c->next = NULL;
    if (w->answered_last == NULL) {
        w->answered_first = c;
    } else {
        w->answered_last->next = c;
    }
    w->answered_last = c;
    wake(e, w);
}

/* In the order of handing over: those that wait in the queue are recalled while earlier ones are still on
 * their way back from the round. */
static void hold(struct wr_embedded_writer *w, struct wr_commit *c)
{
    struct wr_commit **at = &w->held_first;
    if (w->held_last != NULL && w->held_last->number < c->number) {
        at = &w->held_last->next;
    }
    while (*at != NULL && (*at)->number < c->number) {
        at = &(*at)->next;
    }
    c->next = *at;
    *at = c;
    w->held_last = c->next == NULL ? c : w->held_last;
}

/* Nobody gets an answer for it. */
static void drop(struct wr_embedded *e, struct wr_commit *c)
{
    if (c->is_end) {
        wr_writer_abort_detached(e, c->abort_producer);
    }
    c->writer->in_flight--;
    bury(e, c);
}

bool wr_writer_divert(struct wr_embedded *e, struct wr_commit *c)
{
    struct wr_embedded_writer *w = c->writer;
    switch (w->state) {
    case WR_WRITER_OPEN: return false;
    case WR_WRITER_STALLED:
    case WR_WRITER_PARKED: hold(w, c); break;
    case WR_WRITER_REWINDING: drop(e, c); break;
    case WR_WRITER_FENCED:
        if (w->is_fence_told) {
            drop(e, c);
            break;
        }
        w->is_fence_told = true;
        c->outcome = WR_COMMIT_FENCED;
        wr_fail(&c->err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
        deliver(e, c);
        break;
    }
    return true;
}

/* The writer's commits that wait in the queue share the fate of the one that was not done: else, once
 * its state has changed again, they would overtake it. */
static void recall(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    struct wr_commit *c = e->queue_first;
    e->queue_first = NULL;
    e->queue_last = NULL;
    while (c != NULL) {
        struct wr_commit *next = c->next;
        if (c->writer != w || !wr_writer_divert(e, c)) {
            wr_commit_push_locked(e, c);
        }
        c = next;
    }
}

/* A commit was not done and is dropped: so is any later one. */
static void give_up(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    w->state = WR_WRITER_REWINDING;
    recall(e, w);
}

void wr_writer_rewound(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    recall(e, w); /* what came since and was not looked at is dropped like the rest */
    w->state = WR_WRITER_OPEN;
}

void wr_writer_answer(struct wr_embedded *e, struct wr_commit *c)
{
    struct wr_embedded_writer *w = c->writer;
    bool is_done = c->outcome == WR_COMMIT_DONE;
    bool is_dropped = c->outcome == WR_COMMIT_REWIND || (w->is_closed && !is_done);
    if (is_done) {
        w->give_up_ms = 0;
    } else if (c->is_end && is_dropped) { /* its writer takes the transaction for ended */
        wr_writer_abort_detached(e, c->abort_producer);
    }
    deliver(e, c);
    if (is_dropped) {
        give_up(e, w);
    }
}

void wr_writer_hold(struct wr_embedded *e, struct wr_commit *c, const struct weir_error *why)
{
    struct wr_embedded_writer *w = c->writer;
    if (w->is_closed) { /* nobody is there to retry */
        drop(e, c);
        give_up(e, w);
        return;
    }
    int64_t now_ms = wr_mono_ms(e->clock);
    hold(w, c);
    if (w->give_up_ms != 0 && now_ms < w->give_up_ms) {
        w->state = WR_WRITER_PARKED;
        w->try_again_ms = now_ms + PARK_MS < w->give_up_ms ? now_ms + PARK_MS : w->give_up_ms;
    } else {
        w->state = WR_WRITER_STALLED;
        w->give_up_ms = 0;
        w->has_stall = true;
        w->stall_number = c->number;
        w->stall = *why;
        wake(e, w);
    }
    recall(e, w);
}

void wr_writer_unpark(struct wr_embedded *e, int64_t now_ms)
{
    for (struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        if (w->state != WR_WRITER_PARKED || w->try_again_ms > now_ms) {
            continue;
        }
        recall(e, w); /* what came since and was not looked at stays behind what is held */
        w->state = WR_WRITER_OPEN;
        struct wr_commit *c = w->held_first;
        w->held_first = NULL;
        w->held_last = NULL;
        while (c != NULL) {
            struct wr_commit *next = c->next;
            wr_commit_push_locked(e, c);
            c = next;
        }
    }
}

int64_t wr_writer_unpark_ms(const struct wr_embedded *e)
{
    int64_t due = INT64_MAX;
    for (const struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        if (w->state == WR_WRITER_PARKED && w->try_again_ms < due) {
            due = w->try_again_ms;
        }
    }
    return due;
}

void wr_writer_wake_all(struct wr_embedded *e)
{
    for (struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        wake(e, w);
    }
}

void wr_writer_resume(struct wr_embedded *e, struct wr_embedded_writer *w)
{
    WR_ASSERT(w->state == WR_WRITER_STALLED);
    int64_t now_ms = wr_mono_ms(e->clock);
    w->state = WR_WRITER_PARKED;
    w->give_up_ms = now_ms + GIVE_UP_MS;
    w->try_again_ms = now_ms;
    wr_writer_unpark(e, now_ms);
}

/* Take out of the engine's list the writers that are closed and have nothing under way. L. */
static struct wr_embedded_writer *take_closed(struct wr_embedded *e)
{
    struct wr_embedded_writer *gone = NULL;
    struct wr_embedded_writer **at = &e->writers;
    e->has_closed_writers = false;
    while (*at != NULL) {
        struct wr_embedded_writer *w = *at;
        if (w->is_closed && w->in_flight == 0) {
            *at = w->next;
            w->next = gone;
            gone = w;
        } else {
            e->has_closed_writers = e->has_closed_writers || w->is_closed;
            at = &w->next;
        }
    }
    return gone;
}

void wr_writer_bury(struct wr_embedded *e)
{
    pthread_mutex_lock(&e->lock);
    struct wr_commit *c = e->graveyard;
    struct wr_embedded_writer *gone = e->has_closed_writers ? take_closed(e) : NULL;
    e->graveyard = NULL;
    pthread_mutex_unlock(&e->lock);
    wr_commit_free_list(c);
    while (gone != NULL) {
        struct wr_embedded_writer *next = gone->next;
        wr_writer_free(gone);
        gone = next;
    }
}
