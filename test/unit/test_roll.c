/*
 * A new segment, and what goes on beside it: a checkpoint at each operation of the round that rolls, and the process
 * killed at any moment after; the sweep after an unclean stop. What is asked: are the records there, and after one
 * more start and a clean stop, does verify find nothing to say.
 */
#include "unit/embedded_fixture.h"

#include <time.h>

enum {
    FILL = 9,        /* records that come before the one that rolls */
    OPERATIONS = 80, /* more than there are in a round that rolls */
    BLOCKED_MS = 100
};

#define SETTINGS "segment.bytes=1200,index.interval.bytes=100"
#define LEFT     "log/t-0/00000000000000000009.log" /* of FILL */

/* What is done beside a round, and the disk as kills after it leave it. */
struct beside {
    struct fix *f;
    struct wr_log_topic *topic;
    int at; /* the operation before which it is done: 1, 2, … */
    int count;
    struct wr_vfs_sim *images[OPERATIONS + 1];
    size_t image_count;
    pthread_t thread; /* does it, and may have to wait */
    bool is_waiting;
};

static void put(struct fix *f, struct wr_log_topic *t, int i)
{
    char value[128];
    (void)snprintf(value, sizeof(value), "%03d and some more text, so that segments are full soon",
                   i);
    wr_manual_clock_advance(&f->clock, 7000);
    fix_put(f, t, 0, "k", value);
}

static void image(struct beside *b)
{
    assert_true(b->image_count < OPERATIONS);
    b->images[b->image_count] = wr_vfs_sim_power_loss(b->f->sim, WR_SIM_LOSS_ALL, 1);
    b->image_count++;
}

static void *run_checkpoint(void *arg)
{
    struct fix *f = arg;
    struct weir_error err;
    assert_int_equal(wr_embedded_checkpoint(f->log, &err), 0);
    return NULL;
}

/* On a thread of its own, for it may have to wait for what is under way here. If it has not, it is done soon. */
static void do_beside(struct beside *b, void *(*what)(void *arg), void *arg)
{
    struct timespec until;
    assert_int_equal(pthread_create(&b->thread, NULL, what, arg), 0);
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &until), 0);
    until.tv_nsec += (long)BLOCKED_MS * 1000 * 1000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    b->is_waiting = pthread_timedjoin_np(b->thread, NULL, &until) != 0;
}

static void end_beside(struct beside *b)
{
    if (b->is_waiting) {
        assert_int_equal(pthread_join(b->thread, NULL), 0);
    }
}

static void step_in(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct beside *b = arg;
    WR_UNUSED(kind);
    WR_UNUSED(path);
    if (b->is_waiting) {
        return;
    }
    b->count++;
    if (b->count == b->at) {
        do_beside(b, run_checkpoint, b->f);
    }
    if (b->count >= b->at && !b->is_waiting) {
        image(b);
    }
}

static size_t segments_of(struct fix *f, struct wr_log_topic *topic)
{
    struct wr_topic_state *state = wr_topic_state_of(topic);
    pthread_mutex_lock(&fix_engine(f)->lock);
    size_t count = state->partitions[0].segment_count;
    pthread_mutex_unlock(&fix_engine(f)->lock);
    return count;
}

/* Fills the segment. After a kill, when there is something to sweep. */
static struct wr_log_topic *begin(struct fix *f)
{
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, SETTINGS);
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_open(f);
    t = fix_topic(f, "t", 1, SETTINGS);
    for (int i = 0; i < FILL; i++) {
        put(f, t, i);
    }
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    assert_int_equal(segments_of(f, t), 1);
    return t;
}

/* Start, read, stop cleanly, verify. */
static void check(struct fix *f, int64_t records_min)
{
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, SETTINGS);
    const char *seen = fix_read(f, t, 0, WR_OFFSET_EARLIEST);
    assert_null(strchr(seen, '!'));
    assert_true(fix_info(f, t, 0).high_watermark >= records_min);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_verify(f);
}

/* Returns whether there were that many operations in the round. */
static bool roll_beside_checkpoint(int at)
{
    struct fix *f = fix_new();
    struct beside b = {.f = f, .at = at};
    struct wr_log_topic *t = begin(f);
    wr_vfs_sim_hook(f->sim, WR_SIM_ALL, step_in, &b);
    put(f, t, FILL);
    wr_vfs_sim_hook(f->sim, 0, NULL, NULL);
    assert_int_equal(segments_of(f, t), 2);
    end_beside(&b);
    image(&b);
    wr_log_topic_unref(t);
    fix_kill(f);
    check(f, FILL + 1);
    for (size_t i = 0; i < b.image_count; i++) {
        wr_vfs_sim_free(f->sim);
        f->sim = b.images[i];
        check(f, FILL);
    }
    fix_free(f);
    return b.count >= at;
}

static void a_checkpoint_beside_a_roll_leaves_no_segment_half_sealed(void **state)
{
    WR_UNUSED(state);
    int at = 1;
    while (roll_beside_checkpoint(at)) {
        at++;
        assert_true(at < OPERATIONS);
    }
    assert_true(at > 5);
}

static void *roll_once(void *arg)
{
    struct beside *b = arg;
    put(b->f, b->topic, FILL);
    return NULL;
}

static void roll_in(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct beside *b = arg;
    WR_UNUSED(kind);
    if (b->count == 0 && strstr(path, LEFT) != NULL) {
        b->count++;
        do_beside(b, roll_once, b);
    }
}

/* What is to go has the name of the segment that comes. */
static void a_sweep_beside_a_roll_leaves_the_new_segment(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    struct beside b = {.f = f, .topic = begin(f)};
    struct wr_file *left = NULL;
    assert_int_equal(
        wr_file_open(wr_vfs_sim_vfs(f->sim), LEFT, WR_OPEN_WRITE | WR_OPEN_CREATE, &left, &f->err),
        0);
    wr_file_close(left);
    wr_vfs_sim_hook(f->sim, WR_SIM_UNLINK, roll_in, &b);
    assert_true(wr_embedded_retain(f->log, &f->err) >= 0);
    wr_vfs_sim_hook(f->sim, 0, NULL, NULL);
    assert_int_equal(b.count, 1);
    end_beside(&b);
    assert_int_equal(segments_of(f, b.topic), 2);
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    wr_log_topic_unref(b.topic);
    fix_kill(f);
    check(f, FILL + 1);
    fix_free(f);
}

/* The run that wrote the segment never wrote its index, and the next one rolls at once. */
static void a_segment_of_a_killed_run_has_its_index_when_the_next_one_stops(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    struct wr_log_topic *t = begin(f);
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_open(f);
    t = fix_topic(f, "t", 1, SETTINGS);
    put(f, t, FILL);
    assert_int_equal(segments_of(f, t), 2);
    wr_log_topic_unref(t);
    fix_close(f);
    fix_verify(f);
    fix_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_checkpoint_beside_a_roll_leaves_no_segment_half_sealed),
        cmocka_unit_test(a_sweep_beside_a_roll_leaves_the_new_segment),
        cmocka_unit_test(a_segment_of_a_killed_run_has_its_index_when_the_next_one_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
