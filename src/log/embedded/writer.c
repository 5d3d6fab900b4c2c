/* writer.c - writers: filling commits, handing them over, taking answers. */
#include "log/embedded/writer.h"

#include "log/embedded/engine.h"
#include "log/embedded/fill.h"
#include "log/embedded/mark.h"
#include "log/embedded/topics.h"

enum {
    SPARE_MAX = 4
};

static struct wr_embedded_writer *writer_of(struct wr_log_writer *writer)
{
    return (struct wr_embedded_writer *)(void *)writer;
}

static const struct wr_embedded_writer *writer_of_const(const struct wr_log_writer *writer)
{
    return (const struct wr_embedded_writer *)(const void *)writer;
}

/* ---- opening and closing ---- */

void wr_writer_free(struct wr_embedded_writer *w)
{
    wr_mark_forget(w);
    wr_commit_free_list(w->answered_first);
    wr_commit_free_list(w->held_first);
    wr_commit_free_list(w->spare);
    wr_commit_free(w->filling);
    wr_commit_free(w->polled);
    wr_wake_close(&w->poke.wake);
    wr_free(w->marked);
    wr_free(w->id);
    wr_free(w);
}

static struct wr_embedded_writer *writer_new(struct wr_embedded *e, const char *id,
                                             struct weir_error *err)
{
    struct wr_embedded_writer *w = wr_alloc_array(1, sizeof(*w));
    if (w == NULL) {
        wr_fail(err, WEIR_E_NOMEM, "a writer");
        return NULL;
    }
    w->e = e;
    w->poke.wake.fd = -1;
    w->producer_id = -1;
    w->writer.log = &e->log;
    w->writer.commit_max_bytes = e->options.commit_bytes_max;
    w->filling = wr_commit_new(w);
    w->id = id == NULL ? NULL : wr_strdup(wr_str_of(id));
    if (w->filling == NULL || (id != NULL && w->id == NULL)) {
        wr_fail(err, WEIR_E_NOMEM, "a writer");
        wr_writer_free(w);
        return NULL;
    }
    if (wr_wake_open(&w->poke.wake, err) < 0) {
        wr_writer_free(w);
        return NULL;
    }
    return w;
}

/* Fence the writer that has this id now. L. True when there is one, or one that was closed and has
 * commits under way. `producer_id`: of the transaction that it may have left open. */
static bool fence(struct wr_embedded *e, const char *id, int64_t *producer_id)
{
    bool is_found = false;
    *producer_id = -1;
    for (struct wr_embedded_writer *w = e->writers; w != NULL; w = w->next) {
        if (w->id == NULL || strcmp(w->id, id) != 0) {
            continue;
        }
        is_found = true;
        if (w->is_closed || w->state == WR_WRITER_FENCED) {
            continue;
        }
        struct wr_commit *held = w->held_first;
        w->state = WR_WRITER_FENCED;
        w->held_first = NULL;
        w->held_last = NULL;
        w->has_stall = false;
        while (held != NULL) {
            struct wr_commit *next = held->next;
            (void)wr_writer_divert(e, held);
            held = next;
        }
        *producer_id = w->shared_producer_id;
    }
    return is_found;
}

/* Abort what a producer left open, behind all that was handed over before. */
static int abort_producer(struct wr_embedded *e, int64_t producer_id, struct weir_error *err)
{
    struct wr_commit *c = wr_commit_new(NULL);
    if (c == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "abort a transaction");
    }
    c->is_abort = true;
    c->abort_producer = producer_id;
    return wr_commit_run(e, c, err);
}

int wr_embedded_writer_open(struct wr_log *log, const struct wr_log_writer_options *options,
                            struct wr_log_writer **out, struct weir_error *err)
{
    struct wr_embedded *e = wr_embedded_of(log);
    struct wr_embedded_writer *w = writer_new(e, options->id, err);
    if (w == NULL) {
        return err->code;
    }
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    int64_t producer_id = -1;
    bool has_former = rc == 0 && options->id != NULL && fence(e, options->id, &producer_id);
    pthread_mutex_unlock(&e->lock);
    if (has_former) { /* behind all that it handed over, so that what is read back now is its last word */
        rc = abort_producer(e, producer_id, err);
    }
    if (rc < 0) {
        wr_writer_free(w);
        return wr_wrap(err, "open writer '%s'", options->id == NULL ? "" : options->id);
    }
    pthread_mutex_lock(&e->lock);
    w->next = e->writers;
    e->writers = w;
    pthread_mutex_unlock(&e->lock);
    *out = &w->writer;
    return 0;
}

void wr_embedded_writer_close(struct wr_log_writer *writer)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    pthread_mutex_lock(&e->lock);
    w->is_closed = true;
    for (struct wr_commit *c = w->answered_first; c != NULL; c = c->next) {
        w->in_flight--;
    }
    for (struct wr_commit *c = w->held_first; c != NULL; c = c->next) {
        w->in_flight--;
    }
    if (w->marked_count > 0 && !e->has_failed && w->state != WR_WRITER_FENCED) {
        wr_writer_abort_detached(e, w->producer_id);
    }
    e->has_closed_writers = true;
    pthread_mutex_unlock(&e->lock);
    wr_writer_bury(e); /* or, with commits under way, when the last of them is over */
}

/* ---- handing over ---- */

struct wr_commit *wr_writer_take_spare(struct wr_embedded_writer *w)
{
    struct wr_commit *c = w->spare;
    if (c == NULL) {
        return wr_commit_new(w);
    }
    w->spare = c->next;
    c->next = NULL;
    return c;
}

void wr_writer_give_spare(struct wr_embedded_writer *w, struct wr_commit *c)
{
    size_t count = 0;
    for (struct wr_commit *s = w->spare; s != NULL; s = s->next) {
        count++;
    }
    if (c == NULL || count >= SPARE_MAX) {
        wr_commit_free(c);
        return;
    }
    wr_commit_reset(c);
    c->next = w->spare;
    w->spare = c;
}

/* May another be handed over now? */
int wr_writer_check_open(struct wr_embedded_writer *w, struct weir_error *err)
{
    struct wr_embedded *e = w->e;
    int rc = 0;
    pthread_mutex_lock(&e->lock);
    if (e->has_failed) {
        rc = wr_embedded_failure(e, err);
    } else if (w->state == WR_WRITER_FENCED) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    } else if (w->in_flight >= e->options.commits_in_flight_max) {
        rc = wr_fail(err, WEIR_E_AGAIN, "%u commits are under way, poll first", w->in_flight);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* Number it and put it into the queue; the next is filled in `next`. */
void wr_writer_hand_over(struct wr_embedded_writer *w, struct wr_commit *next, uint64_t *out)
{
    struct wr_embedded *e = w->e;
    struct wr_commit *c = w->filling;
    w->filling = next;
    w->number++;
    c->number = w->number;
    *out = c->number;
    pthread_mutex_lock(&e->lock);
    w->in_flight++;
    w->shared_producer_id = w->producer_id;
    bool must_wake = wr_commit_enqueue(e, c);
    pthread_mutex_unlock(&e->lock);
    if (must_wake) { /* with the lock held it would wake only to wait for that */
        pthread_cond_signal(&e->work);
    }
}

int wr_embedded_writer_commit(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                              struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    int rc = wr_writer_check_open(w, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_commit *next = wr_writer_take_spare(w);
    if (next == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a commit");
    }
    rc = wr_fill_seal(w, w->filling, writer->is_marked, err);
    rc = rc == 0 && writer->is_marked ? wr_mark_note(w, w->filling, err) : rc;
    if (rc < 0) {
        wr_writer_give_spare(w, next);
        return rc;
    }
    w->filling->flags = flags;
    wr_writer_hand_over(w, next, out);
    return 0;
}

int wr_embedded_writer_retry(struct wr_log_writer *writer, struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    if (rc == 0 && w->state == WR_WRITER_FENCED) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    }
    if (rc == 0) {
        wr_writer_resume(e, w);
    }
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* ---- answers ---- */

/* L. */
static int take_answer(struct wr_embedded_writer *w, struct wr_log_answer *out,
                       struct wr_commit **taken)
{
    struct wr_commit *c = w->answered_first;
    if (c != NULL) {
        w->answered_first = c->next;
        w->answered_last = c->next == NULL ? NULL : w->answered_last;
        w->in_flight--;
        *taken = c;
        out->commit = c->number;
        out->outcome = c->outcome;
        if (c->outcome != WR_COMMIT_DONE) {
            out->err = c->err;
        }
        if (c->outcome == WR_COMMIT_REWIND) {
            wr_writer_rewound(w->e, w);
        }
        out->written = c->written;
        out->written_count = c->written_count;
        return 1;
    }
    if (w->has_stall) {
        w->has_stall = false;
        *out = (struct wr_log_answer){.commit = w->stall_number, .outcome = WR_COMMIT_AGAIN};
        out->err = w->stall;
        return 1;
    }
    return 0;
}

int wr_embedded_writer_poll(struct wr_log_writer *writer, struct wr_log_answer *out,
                            struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    struct wr_commit *taken = NULL;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : take_answer(w, out, &taken);
    if (rc >= 0 && w->answered_first == NULL && !w->has_stall) {
        wr_poke_calm(&w->poke);
    }
    pthread_mutex_unlock(&e->lock);
    if (taken != NULL) {
        wr_writer_give_spare(w, w->polled);
        w->polled = taken;
    }
    if (taken != NULL && taken->outcome == WR_COMMIT_REWIND) {
        wr_mark_rewind(w);
    }
    return rc;
}

int wr_embedded_writer_fd(const struct wr_log_writer *writer)
{
    return writer_of_const(writer)->poke.wake.fd;
}
