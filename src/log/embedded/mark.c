/* mark.c - marked transactions of a writer: begun, ended, forgotten. */
#include "log/embedded/mark.h"

#include "log/embedded/engine.h"
#include "log/embedded/fill.h"
#include "log/embedded/topics.h"

enum {
    MARKED_MAX = 1 << 20
};

static struct wr_embedded_writer *writer_of(struct wr_log_writer *writer)
{
    return (struct wr_embedded_writer *)(void *)writer;
}

void wr_mark_forget(struct wr_embedded_writer *w)
{
    for (size_t i = 0; i < w->marked_count; i++) {
        wr_topic_state_unref(w->marked[i].topic);
    }
    w->marked_count = 0;
}

/* Remember where the marked transaction has records. */
int wr_mark_note(struct wr_embedded_writer *w, const struct wr_commit *c, struct weir_error *err)
{
    if (!wr_grow(&w->marked, &w->marked_cap, w->marked_count + c->part_count, sizeof(w->marked[0]),
                 MARKED_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "a transaction over %zu partitions",
                       w->marked_count + c->part_count);
    }
    for (size_t i = 0; i < c->part_count; i++) {
        struct wr_commit_part *part = &c->parts[i];
        struct wr_marked *m = wr_fill_marked(w, part->topic, part->partition->number);
        if (m == NULL) {
            m = &w->marked[w->marked_count];
            *m = (struct wr_marked){part->topic, part->partition->number, 0};
            wr_topic_state_ref(part->topic);
            w->marked_count++;
        }
        m->sequence += part->record_count;
    }
    return 0;
}

/* A marker in front of what is pending in each partition of the transaction. */
static int add_commit_markers(struct wr_embedded_writer *w, struct wr_commit *c,
                              struct weir_error *err)
{
    for (size_t i = 0; i < w->marked_count; i++) {
        struct wr_marked *m = &w->marked[i];
        struct wr_commit_part *part =
            wr_commit_part(c, m->topic, m->partition, wr_fill_batch_max(w));
        if (part == NULL) {
            return wr_fail(err, WEIR_E_NOMEM, "the end of a transaction");
        }
        if (part->has_marker) { /* of an end that failed for want of memory */
            continue;
        }
        struct wr_marker marker = {
            .type = WR_MARKER_COMMIT,
            .leader_epoch = -1,
            .producer_id = w->producer_id,
            .timestamp_ms = wr_wall_ms(w->e->clock),
        };
        struct wr_writer all = wr_writer_growing(INT32_MAX);
        wr_marker_put(&all, &marker);
        if (part->len > 0) {
            wr_put_bytes(&all, (struct wr_bytes){part->data, part->len});
        }
        int rc = wr_writer_end(&all, err);
        if (rc < 0) {
            wr_writer_fini(&all);
            return rc;
        }
        wr_writer_fini(&part->batches);
        part->batches = all;
        part->data = all.base;
        part->len = all.len;
        part->has_marker = true;
    }
    return 0;
}

int wr_embedded_writer_mark(struct wr_log_writer *writer, struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_embedded *e = w->e;
    pthread_mutex_lock(&e->lock);
    int rc = e->has_failed ? wr_embedded_failure(e, err) : 0;
    if (rc == 0 && w->state == WR_WRITER_FENCED) {
        rc = wr_fail(err, WEIR_E_FENCED, "a later writer '%s' has taken over", w->id);
    }
    if (rc == 0) {
        /* A new id for each: what a crash leaves of one can never be taken for the next. */
        w->producer_id = e->producer_next;
        e->producer_next++;
    }
    pthread_mutex_unlock(&e->lock);
    wr_mark_forget(w);
    return rc;
}

/* Records pending go plain, behind the markers. */
static int seal_end(struct wr_embedded_writer *w, struct weir_error *err)
{
    int rc = wr_fill_seal(w, w->filling, false, err);
    return rc < 0 ? rc : add_commit_markers(w, w->filling, err);
}

int wr_embedded_writer_end(struct wr_log_writer *writer, bool keep, uint64_t *out,
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
    rc = keep ? seal_end(w, err) : 0;
    if (rc < 0) {
        wr_writer_give_spare(w, next);
        return rc;
    }
    w->filling->is_end = true;
    w->filling->is_abort = !keep;
    w->filling->abort_producer = w->producer_id;
    wr_writer_hand_over(w, next, out);
    wr_mark_forget(w);
    return 0;
}

/* What is pending goes too, and the marked transaction is aborted. */
void wr_mark_rewind(struct wr_embedded_writer *w)
{
    wr_commit_reset(w->filling);
    if (w->marked_count > 0) {
        pthread_mutex_lock(&w->e->lock);
        wr_writer_abort_detached(w->e, w->producer_id);
        pthread_mutex_unlock(&w->e->lock);
    }
    wr_mark_forget(w);
}
