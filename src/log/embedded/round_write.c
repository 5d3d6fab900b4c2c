/* round_write.c - the bytes of a round: placed parts, the journal, and the segments while it syncs. */
#include "log/embedded/round_write.h"

#include "log/embedded/engine.h"
#include "log/embedded/segment.h"

enum {
    PIECES_MAX = 64,
    /* From here on the segments are written by a thread of their own while the journal syncs; less is done
     * sooner than told. */
    SHARED_WRITES_MIN = 3,
    SHARED_BYTES_MIN = 128 * 1024
};

/* Topic, partition and offset, and not addresses: a run of the same commits is then the same writes. */
static int by_segment(const struct wr_segment *x, const struct wr_segment *y)
{
    const struct wr_partition *p = x->partition;
    const struct wr_partition *q = y->partition;
    if (p->topic != q->topic) {
        return memcmp(&p->topic->topic.id, &q->topic->topic.id, sizeof(p->topic->topic.id));
    }
    if (p != q) {
        return p->number < q->number ? -1 : 1;
    }
    return x->info.base < y->info.base ? -1 : 1; /* fixed */
}

static int by_place(const void *a, const void *b)
{
    const struct wr_round_write *x = a;
    const struct wr_round_write *y = b;
    if (x->segment != y->segment) {
        return by_segment(x->segment, y->segment);
    }
    return x->at < y->at ? -1 : (x->at > y->at ? 1 : 0);
}

/* Does it begin where the one before it ends? Large parts between the two are on another list. */
static bool follows(const struct wr_round_write *write)
{
    const struct wr_round_write *before = write - 1;
    return write->segment == before->segment && write->at == before->at + before->len;
}

/* Write what goes to one segment back to back in one go. */
static int write_run(struct wr_round_write *writes, size_t count, struct weir_error *err)
{
    struct iovec pieces[PIECES_MAX];
    for (size_t i = 0; i < count; i++) {
        pieces[i] = (struct iovec){writes[i].data, writes[i].len};
    }
    return wr_file_writev(writes[0].segment->file, pieces, (int)count, writes[0].at, err);
}

/* The files are pinned, so `file` stands still without the lock. */
static int write_segments(struct wr_round_write *writes, size_t count, struct weir_error *err)
{
    if (count > 1) {
        qsort(writes, count, sizeof(writes[0]), by_place);
    }
    size_t at = 0;
    while (at < count) {
        size_t n = 1;
        while (at + n < count && n < PIECES_MAX && follows(&writes[at + n])) {
            n++;
        }
        int rc = write_run(writes + at, n, err);
        if (rc < 0) {
            return rc;
        }
        at += n;
    }
    return 0;
}

/* A name that is not durable yet must be, before an entry relies on the file. */
static int sync_names(struct wr_embedded *e, struct wr_segment *seg, struct weir_error *err)
{
    struct wr_partition *p = seg->partition;
    pthread_mutex_lock(&e->lock);
    bool is_new = seg->is_new;
    bool is_folder_unnamed = p->is_folder_unnamed;
    pthread_mutex_unlock(&e->lock);
    int rc = is_folder_unnamed ? wr_vfs_sync_dir(e->vfs, e->dir, err) : 0;
    if (rc == 0 && is_new) {
        char folder[WR_PATH_BYTES];
        wr_path_folder(e, p->topic->topic.name, p->number, folder);
        rc = wr_vfs_sync_dir(e->vfs, folder, err);
    }
    pthread_mutex_lock(&e->lock);
    seg->is_new = rc == 0 ? false : seg->is_new;
    p->is_folder_unnamed = rc == 0 ? false : p->is_folder_unnamed;
    pthread_mutex_unlock(&e->lock);
    return rc;
}

/* Large parts are written once: to their segment, durable before the entry that names them. */
static int write_placed(struct wr_round *round, struct weir_error *err)
{
    int rc = write_segments(round->placed, round->placed_count, err);
    for (size_t i = 0; i < round->placed_count && rc == 0; i++) {
        struct wr_segment *seg = round->placed[i].segment;
        bool is_last = i + 1 == round->placed_count || round->placed[i + 1].segment != seg;
        if (is_last) {
            rc = wr_file_sync(seg->file, err);
            rc = rc == 0 ? sync_names(round->e, seg, err) : rc;
            round->segment_syncs++;
        }
        round->placed_bytes += round->placed[i].len;
    }
    return rc;
}

/* ---- the segments' thread ---- */

static bool is_worth_sharing(const struct wr_round *round)
{
    size_t bytes = 0;
    for (size_t i = 0; i < round->writes_count; i++) {
        bytes += round->writes[i].len;
    }
    return round->e->has_segment_thread &&
           (round->writes_count >= SHARED_WRITES_MIN || bytes >= SHARED_BYTES_MIN);
}

void *wr_round_segments_main(void *arg)
{
    struct wr_embedded *e = arg;
    pthread_mutex_lock(&e->lock);
    for (;;) {
        while (e->segments_round == NULL && !e->is_segments_stopping) {
            pthread_cond_wait(&e->segments_work, &e->lock);
        }
        struct wr_round *round = e->segments_round;
        if (round == NULL) {
            break;
        }
        pthread_mutex_unlock(&e->lock);
        struct weir_error err;
        int rc = write_segments(round->writes, round->writes_count, &err);
        pthread_mutex_lock(&e->lock);
        round->segments_rc = rc;
        if (rc < 0) {
            round->segments_err = err;
        }
        e->segments_round = NULL;
        pthread_cond_signal(&e->segments_done);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

/* Sync the journal here and write the segments there. */
static int share(struct wr_round *round, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    pthread_mutex_lock(&e->lock);
    e->segments_round = round;
    pthread_cond_signal(&e->segments_work);
    pthread_mutex_unlock(&e->lock);
    int rc = wr_journal_sync(&e->journal, err);
    pthread_mutex_lock(&e->lock);
    while (e->segments_round != NULL) {
        pthread_cond_wait(&e->segments_done, &e->lock);
    }
    pthread_mutex_unlock(&e->lock);
    if (rc == 0 && round->segments_rc < 0) {
        *err = round->segments_err;
        rc = err->code;
    }
    return rc;
}

int wr_round_write(struct wr_round *round, struct weir_error *err)
{
    struct wr_embedded *e = round->e;
    bool must_sync = e->options.durability == WR_DURABILITY_FSYNC || round->must_sync;
    int rc = write_placed(round, err);
    rc = rc == 0 ? wr_journal_write(&e->journal, err) : rc;
    if (rc == 0 && must_sync && is_worth_sharing(round)) {
        return share(round, err);
    }
    rc = rc == 0 ? write_segments(round->writes, round->writes_count, err) : rc;
    return rc == 0 && must_sync ? wr_journal_sync(&e->journal, err) : rc;
}
