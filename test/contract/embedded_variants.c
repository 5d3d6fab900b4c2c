/*
 * embedded_variants.c - the embedded engine under the contract: on the real disk, in a folder of its own,
 * and on the simulated one; with its threads, and driven step by step; in each durability.
 */
#include "contract/log_fixture.h"

#include "log/embedded/embedded.h"
#include "sim/vfs_sim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum {
    ON_SIM = 1,
    WITH_THREADS = 2,
    DURABILITY_SHIFT = 2
};

/* The machine's clock, and some time ahead. */
struct ahead_clock {
    struct wr_clock clock; /* first */
    atomic_llong ahead_us;
};

struct place {
    char dir[64];
    struct wr_vfs_sim *sim; /* NULL: on the real disk */
    struct ahead_clock clock;
    char fatal[WEIR_ERROR_TEXT_MAX];
    pthread_mutex_t lock; /* of the two below */
    pthread_cond_t changed;
    bool is_held;
    bool is_syncing;
};

static int64_t ahead_of(const struct wr_clock *clock)
{
    return atomic_load(&((const struct ahead_clock *)(const void *)clock)->ahead_us);
}

static int64_t wall_us(const struct wr_clock *clock)
{
    return wr_wall_us(wr_clock_os()) + ahead_of(clock);
}

static int64_t mono_us(const struct wr_clock *clock)
{
    return wr_mono_us(wr_clock_os()) + ahead_of(clock);
}

static void note_fatal(void *arg, const struct weir_error *err)
{
    struct place *place = arg;
    (void)snprintf(place->fatal, sizeof(place->fatal), "%s", err->text);
}

static void note_notice(void *arg, enum wr_level level, const char *text)
{
    (void)arg;
    (void)level;
    (void)text;
}

static struct place *make_place(const struct variant *variant)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    place->clock.clock = (struct wr_clock){wall_us, mono_us};
    pthread_mutex_init(&place->lock, NULL);
    pthread_cond_init(&place->changed, NULL);
    if ((variant->kind & ON_SIM) != 0) {
        place->sim = wr_vfs_sim_new();
        (void)snprintf(place->dir, sizeof(place->dir), "log");
    } else {
        (void)snprintf(place->dir, sizeof(place->dir), "/tmp/weir-contract-XXXXXX");
        assert_non_null(mkdtemp(place->dir));
    }
    return place;
}

static void embedded_open(struct fixture *f)
{
    f->own = f->own == NULL ? make_place(f->variant) : f->own;
    struct place *place = f->own;
    struct wr_embedded_options options = {
        .dir = place->dir,
        .vfs = place->sim == NULL ? NULL : wr_vfs_sim_vfs(place->sim),
        .clock = &place->clock.clock,
        .durability = (enum wr_durability)(f->variant->kind >> DURABILITY_SHIFT),
        .interval_ms = 20,
        .journal_file_bytes = 1 << 20,
        .journal_file_count = 3,
        .room_bytes_min = 1 << 20,
        .threads = (f->variant->kind & WITH_THREADS) != 0,
        .on_fatal = note_fatal,
        .on_notice = note_notice,
        .arg = place,
    };
    if (wr_embedded_open(&options, &f->log, &f->err) < 0) {
        fail_msg("open: %s", f->err.text);
    }
}

/* The folder with all in it. */
static int remove_entry(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", (const char *)arg, entry->name);
    if (!entry->is_dir) {
        return wr_vfs_unlink(wr_vfs_os(), path, err);
    }
    int rc = wr_vfs_list(wr_vfs_os(), path, remove_entry, path, err);
    return rc < 0 ? rc : wr_vfs_rmdir(wr_vfs_os(), path, err);
}

static void embedded_remove(struct fixture *f)
{
    struct place *place = f->own;
    if (place->fatal[0] != 0) {
        fail_msg("the log failed: %s", place->fatal);
    }
    if (place->sim == NULL) {
        assert_int_equal(wr_vfs_list(wr_vfs_os(), place->dir, remove_entry, place->dir, &f->err),
                         0);
        assert_int_equal(wr_vfs_rmdir(wr_vfs_os(), place->dir, &f->err), 0);
    }
    wr_vfs_sim_free(place->sim);
    pthread_cond_destroy(&place->changed);
    pthread_mutex_destroy(&place->lock);
    free(place);
}

/* On the simulated disk, what is there at this moment; closing writers must not come into it. */
static void embedded_kill(struct fixture *f)
{
    struct place *place = f->own;
    struct wr_vfs_sim *image =
        place->sim == NULL ? NULL : wr_vfs_sim_power_loss(place->sim, WR_SIM_LOSS_ALL, 1);
    close_all(f);
    wr_embedded_abandon(f->log);
    wr_vfs_sim_free(place->sim);
    place->sim = image;
    embedded_open(f);
}

static void embedded_drive(struct fixture *f)
{
    int rc = 1;
    while (rc == 1) {
        rc = wr_embedded_step(f->log, &f->err);
    }
    if (rc < 0) {
        fail_msg("step: %s", f->err.text);
    }
}

static void embedded_fill(struct fixture *f, bool is_full)
{
    struct place *place = f->own;
    wr_vfs_sim_capacity(place->sim, is_full ? wr_vfs_sim_used(place->sim) : UINT64_MAX);
    /* Where there is plenty of room the engine does not look at every commit. */
    atomic_fetch_add(&place->clock.ahead_us, 1000000);
}

static void embedded_expire(struct fixture *f, struct wr_log_topic *topic, uint32_t partition)
{
    struct place *place = f->own;
    assert_int_equal(wr_embedded_roll(f->log, topic, partition, &f->err), 0);
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    atomic_fetch_add(&place->clock.ahead_us, INT64_C(3600) * 1000000);
    assert_int_equal(wr_embedded_retain(f->log, &f->err), 1);
}

/* On the engine's thread that syncs. */
static void hold_sync(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct place *place = arg;
    WR_UNUSED(kind);
    if (strstr(path, "/journal/") == NULL) {
        return;
    }
    pthread_mutex_lock(&place->lock);
    place->is_syncing = true;
    pthread_cond_broadcast(&place->changed);
    while (place->is_held) {
        pthread_cond_wait(&place->changed, &place->lock);
    }
    place->is_syncing = false;
    pthread_mutex_unlock(&place->lock);
}

static void embedded_hold_syncs(struct fixture *f, bool is_held)
{
    struct place *place = f->own;
    if (is_held) { /* the hook stays: taking it away while it is called is not for any thread */
        wr_vfs_sim_hook(place->sim, WR_SIM_SYNC, hold_sync, place);
    }
    pthread_mutex_lock(&place->lock);
    place->is_held = is_held;
    pthread_cond_broadcast(&place->changed);
    pthread_mutex_unlock(&place->lock);
}

static void embedded_await_sync(struct fixture *f)
{
    struct place *place = f->own;
    pthread_mutex_lock(&place->lock);
    while (!place->is_syncing) {
        pthread_cond_wait(&place->changed, &place->lock);
    }
    pthread_mutex_unlock(&place->lock);
}

struct size_of {
    char path[100];
    uint64_t size;
};

static void note_size(void *arg, const char *path, uint64_t size)
{
    struct size_of *wanted = arg;
    wanted->size = strcmp(path, wanted->path) == 0 ? size : wanted->size;
}

/* Its last byte: a value's. */
static void embedded_harm(struct fixture *f, struct wr_log_topic *topic, uint32_t partition)
{
    struct place *place = f->own;
    struct size_of file = {.size = 0};
    (void)snprintf(file.path, sizeof(file.path), "%s/%s-%u/00000000000000000000.log", place->dir,
                   topic->name, partition);
    wr_vfs_sim_each(place->sim, note_size, &file);
    assert_true(file.size > 0 && file.size % 3 == 0);
    wr_vfs_sim_flip(place->sim, file.path, file.size / 3 * 2 - 1, 1);
}

#define COMMON  .open = embedded_open, .remove = embedded_remove, .kill = embedded_kill
#define STEPPED .drive = embedded_drive, .expire = embedded_expire
#define ON_BOTH(durability, number)                                                              \
    {.name = "embedded-os-threads-" durability,                                                  \
     .kind = WITH_THREADS | (number) << DURABILITY_SHIFT,                                        \
     COMMON},                                                                                    \
        {.name = "embedded-os-steps-" durability,                                                \
         .kind = (number) << DURABILITY_SHIFT,                                                   \
         COMMON,                                                                                 \
         STEPPED},                                                                               \
        {.name = "embedded-sim-threads-" durability,                                             \
         .kind = ON_SIM | WITH_THREADS | (number) << DURABILITY_SHIFT,                           \
         COMMON,                                                                                 \
         .fill = embedded_fill,                                                                  \
         .hold_syncs = embedded_hold_syncs,                                                      \
         .await_sync = embedded_await_sync,                                                      \
         .harm = embedded_harm},                                                                 \
    {                                                                                            \
        .name = "embedded-sim-steps-" durability, .kind = ON_SIM | (number) << DURABILITY_SHIFT, \
        COMMON, STEPPED, .fill = embedded_fill, .harm = embedded_harm                            \
    }

const struct variant embedded_variants[] = {
    ON_BOTH("fsync", WR_DURABILITY_FSYNC),
    ON_BOTH("interval", WR_DURABILITY_INTERVAL),
    ON_BOTH("os", WR_DURABILITY_OS),
    {.name = NULL},
};
