/* threads.c - the commit thread and the keeper. */
#include "log/embedded/threads.h"

#include "log/embedded/checkpoint.h"
#include "log/embedded/engine.h"
#include "log/embedded/remove.h"
#include "log/embedded/retention.h"
#include "log/embedded/round.h"
#include "log/embedded/round_write.h"

#include <time.h>

enum {
    WAIT_MS_MAX = 24 * 3600 * 1000, /* then the time is looked at again */
    RETRY_MS = 1000 /* after a checkpoint or a journal file for which there was no room */
};

void wr_threads_init(struct wr_embedded *e)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&e->work, &attr);
    pthread_cond_init(&e->keep_work, &attr);
    pthread_cond_init(&e->done, &attr);
    pthread_cond_init(&e->segments_work, &attr);
    pthread_cond_init(&e->segments_done, &attr);
    pthread_condattr_destroy(&attr);
}

void wr_threads_fini(struct wr_embedded *e)
{
    pthread_cond_destroy(&e->work);
    pthread_cond_destroy(&e->keep_work);
    pthread_cond_destroy(&e->done);
    pthread_cond_destroy(&e->segments_work);
    pthread_cond_destroy(&e->segments_done);
}

/* Wait for a signal, or until `due_ms` (of e->clock; INT64_MAX: for ever). L is held. */
static void wait_until(struct wr_embedded *e, pthread_cond_t *cond, int64_t due_ms)
{
    if (due_ms == INT64_MAX) {
        pthread_cond_wait(cond, &e->lock);
        return;
    }
    int64_t left_ms = due_ms - wr_mono_ms(e->clock);
    if (left_ms <= 0) {
        return;
    }
    left_ms = left_ms < WAIT_MS_MAX ? left_ms : WAIT_MS_MAX;
    int64_t at_us = wr_mono_us(wr_clock_os()) + left_ms * 1000; /* the condition's own clock */
    struct timespec at = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000};
    (void)pthread_cond_timedwait(cond, &e->lock, &at);
}

/* ---- the commit thread ---- */

static void *commit_main(void *arg)
{
    struct wr_embedded *e = arg;
    pthread_mutex_lock(&e->lock);
    for (;;) {
        while (e->queue_first == NULL && !e->is_stopping && !e->has_failed &&
               wr_round_due_ms(e) > wr_mono_ms(e->clock)) {
            e->is_commit_idle = true;
            wait_until(e, &e->work, wr_round_due_ms(e));
            e->is_commit_idle = false;
        }
        if (e->has_failed || (e->is_stopping && e->queue_first == NULL)) {
            break;
        }
        pthread_mutex_unlock(&e->lock);
        struct weir_error err;
        int rc = wr_round_step(e, &err);
        WR_UNUSED(rc); /* a failure shows in has_failed */
        pthread_mutex_lock(&e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* ---- the keeper ---- */

/* What the keeper is to do. */
struct chores {
    bool sync;
    bool checkpoint;
    bool retain;
    bool removals;
    bool journal;
};

/* What is due now; `due_ms` out: when something will be. L. */
static struct chores look(struct wr_embedded *e, int64_t retry_ms, int64_t *due_ms)
{
    int64_t now_ms = wr_mono_ms(e->clock);
    int64_t removal_ms = wr_remove_due_ms(e);
    bool may_retry = retry_ms <= now_ms;
    struct chores chores = {
        .sync = e->sync_due_ms <= now_ms,
        .checkpoint = e->must_checkpoint && may_retry,
        .retain = e->retain_due_ms <= now_ms,
        .removals = removal_ms <= now_ms,
        .journal = wr_journal_needs_file(&e->journal) && may_retry,
    };
    int64_t due = e->sync_due_ms < e->retain_due_ms ? e->sync_due_ms : e->retain_due_ms;
    due = removal_ms < due ? removal_ms : due;
    if (!may_retry && (e->must_checkpoint || wr_journal_needs_file(&e->journal))) {
        due = retry_ms < due ? retry_ms : due;
    }
    *due_ms = due;
    return chores;
}

/* When something had no room: the time to try again, else 0. */
static int64_t run_chores(struct wr_embedded *e, const struct chores *chores)
{
    struct weir_error err;
    int rc = chores->sync ? wr_checkpoint_sync_journal(e, &err) : 0;
    rc = rc == 0 && chores->journal ? wr_journal_make(&e->journal, &err) : rc;
    rc = rc >= 0 && chores->checkpoint ? wr_checkpoint_run(e, &err) : rc;
    if (rc >= 0 && chores->retain) {
        int retained = wr_retain(e, &err);
        rc = retained < 0 ? retained : rc;
    } else if (rc >= 0 && chores->removals) {
        wr_remove_due(e, false);
    }
    return rc < 0 ? wr_mono_ms(e->clock) + RETRY_MS : 0;
}

static bool is_any(const struct chores *chores)
{
    return chores->sync || chores->checkpoint || chores->retain || chores->removals ||
           chores->journal;
}

static void *keep_main(void *arg)
{
    struct wr_embedded *e = arg;
    int64_t retry_ms = 0;
    pthread_mutex_lock(&e->lock);
    while (!e->is_keeper_stopping && !e->has_failed) {
        int64_t due_ms = INT64_MAX;
        struct chores chores = look(e, retry_ms, &due_ms);
        if (!is_any(&chores)) {
            wait_until(e, &e->keep_work, due_ms);
            continue;
        }
        pthread_mutex_unlock(&e->lock);
        retry_ms = run_chores(e, &chores);
        pthread_mutex_lock(&e->lock);
        if (retry_ms > 0 && e->retain_due_ms < retry_ms) {
            e->retain_due_ms = retry_ms;
        }
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* ---- */

static int start(pthread_t *thread, void *(*body)(void *), struct wr_embedded *e, bool *is_started,
                 struct weir_error *err)
{
    errno = pthread_create(thread, NULL, body, e);
    *is_started = errno == 0;
    return errno == 0 ? 0 : wr_fail_errno(err, WEIR_E_IO, "start a thread of the log");
}

int wr_threads_start(struct wr_embedded *e, struct weir_error *err)
{
    int rc = start(&e->segment_thread, wr_round_segments_main, e, &e->has_segment_thread, err);
    rc = rc == 0 ? start(&e->commit_thread, commit_main, e, &e->has_threads, err) : rc;
    rc = rc == 0 ? start(&e->keep_thread, keep_main, e, &e->has_keeper, err) : rc;
    if (rc < 0) {
        wr_threads_stop(e);
    }
    return rc;
}

/* Set a flag and end the thread that looks at it. */
static void stop(struct wr_embedded *e, bool *flag, pthread_cond_t *cond, pthread_t thread,
                 bool *is_started)
{
    if (!*is_started) {
        return;
    }
    pthread_mutex_lock(&e->lock);
    *flag = true;
    pthread_cond_broadcast(cond);
    pthread_mutex_unlock(&e->lock);
    pthread_join(thread, NULL);
    *is_started = false;
}

void wr_threads_stop(struct wr_embedded *e)
{
    /* In this order: each may wait for what the next one does. */
    stop(e, &e->is_keeper_stopping, &e->keep_work, e->keep_thread, &e->has_keeper);
    stop(e, &e->is_stopping, &e->work, e->commit_thread, &e->has_threads);
    stop(e, &e->is_segments_stopping, &e->segments_work, e->segment_thread, &e->has_segment_thread);
}
