/*
 * damage.c - bits rot, pages turn to zeros; indexes and other derived files are also cut, swapped and lost. What was acknowledged is then
 * served as it was, or the log says which partition is damaged; it is never silently gone or wrong. What
 * is derived (indexes, checkpoint, catalog) is made anew, and nothing is damaged at all.
 *
 * A journal's last entries are the exception that cannot be told from a torn tail: nothing behind them
 * knows that they were durable. They may be cut, and then a person is told.
 */
#include "crash/run.h"

#include <inttypes.h>

struct files {
    char paths[256][120];
    uint64_t sizes[256];
    size_t count;
};

static void note_file(void *arg, const char *path, uint64_t size)
{
    struct files *files = arg;
    if (files->count < 256) {
        (void)snprintf(files->paths[files->count], sizeof(files->paths[0]), "%s", path);
        files->sizes[files->count++] = size;
    }
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text);
    size_t b = strlen(end);
    return a >= b && strcmp(text + a - b, end) == 0;
}

enum part_of_log {
    SEGMENT,
    JOURNAL,
    DERIVED
};

static enum part_of_log part_of(const char *path)
{
    if (ends_with(path, ".log")) {
        return SEGMENT;
    }
    return strstr(path, "/journal/") != NULL ? JOURNAL : DERIVED;
}

enum harm {
    FLIP,
    ZERO,
    CUT,
    SWAP, /* with the bytes of another file of its kind */
    REMOVE,
    HARMS
};

static const char *harm_name(enum harm harm)
{
    static const char *const names[HARMS] = {"flip", "zero", "cut", "swap", "remove"};
    return names[harm];
}

static void remove_file(struct wr_vfs_sim *sim, const char *path)
{
    struct weir_error err;
    char folder[120];
    (void)snprintf(folder, sizeof(folder), "%s", path);
    *strrchr(folder, '/') = 0;
    assert_int_equal(wr_vfs_unlink(wr_vfs_sim_vfs(sim), path, &err), 0);
    assert_int_equal(wr_vfs_sync_dir(wr_vfs_sim_vfs(sim), folder, &err), 0);
}

/* Put the bytes of `from` in place of those of `to`. */
static void copy_over(struct wr_vfs_sim *sim, const char *from, const char *to)
{
    struct weir_error err;
    struct wr_bytes bytes;
    struct wr_vfs *vfs = wr_vfs_sim_vfs(sim);
    assert_int_equal(wr_vfs_read_file(vfs, from, 64 << 20, &bytes, &err), 0);
    assert_int_equal(wr_vfs_replace(vfs, to, bytes, &err), 0);
    wr_free((void *)(uintptr_t)bytes.ptr);
}

/* Another file with the same ending; itself when there is none. */
static size_t other_of_kind(const struct files *files, size_t index, struct wr_rng *rng)
{
    const char *dot = strrchr(files->paths[index], '.');
    for (size_t tries = 0; tries < 20 && dot != NULL; tries++) {
        size_t other = (size_t)wr_rng_below(rng, files->count);
        if (ends_with(files->paths[other], dot)) {
            return other;
        }
    }
    return index;
}

static void do_harm(struct wr_vfs_sim *sim, const struct files *files, size_t index, enum harm harm,
                    struct wr_rng *rng)
{
    const char *path = files->paths[index];
    uint64_t size = files->sizes[index];
    uint64_t at = size == 0 ? 0 : wr_rng_below(rng, size);
    if (harm == REMOVE) {
        remove_file(sim, path);
    } else if (harm == SWAP) {
        copy_over(sim, files->paths[other_of_kind(files, index, rng)], path);
    } else if (size == 0) {
        return;
    } else if (harm == FLIP) {
        wr_vfs_sim_flip(sim, path, at, (uint8_t)(1U << wr_rng_below(rng, 8)));
    } else if (harm == ZERO) {
        wr_vfs_sim_zero(sim, path, at, size - at < 4096 ? size - at : 4096);
    } else {
        wr_vfs_sim_cut(sim, path, at);
    }
}

/* A log with a life behind it, as it lies on disk after a clean stop or a kill. */
static struct workload past_life(uint64_t seed, bool is_clean)
{
    struct weir_error err;
    struct workload w = workload_of(seed, WR_DURABILITY_FSYNC);
    int rc = workload_open(&w, &err);
    rc = rc < 0 ? rc : run_steps(&w, 120, &err);
    rc = rc < 0 || !is_clean ? rc : workload_settle_down(&w, &err);
    if (rc < 0) {
        fail_msg("seed %" PRIu64 ": %s", seed, err.text);
    }
    workload_close(&w, is_clean);
    workload_lose_power(&w, WR_SIM_LOSS_NONE, seed);
    return w;
}

/* Entries at the end of the journal, also those that made topics, may be cut, with a word about it. */
static bool is_told_tail(struct workload *w, struct wr_log *log, const struct notices *notices,
                         char *why)
{
    if (notices->warnings == 0) {
        return false;
    }
    struct oracle weaker = w->oracle;
    weaker.durability = WR_DURABILITY_OS;
    for (size_t i = 0; i < weaker.topic_count; i++) {
        bool is_there = weaker.topics[i].state == ORACLE_THERE;
        weaker.topics[i].state = is_there ? ORACLE_REMOVING : weaker.topics[i].state;
    }
    uint32_t damaged = 0;
    return oracle_judge_damaged(&weaker, log, WR_SIM_LOSS_REORDER, &damaged, why);
}

static void judge_harm(struct workload *w, uint64_t seed, const struct files *files, size_t index,
                       enum harm harm)
{
    struct weir_error err;
    struct notices notices = {0};
    struct wr_log *log = NULL;
    struct wr_rng rng = wr_rng_of(seed * 1000003 + index * HARMS + (uint64_t)harm);
    char why[ORACLE_WHY_MAX] = "";
    uint32_t damaged = 0;
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(w->sim, WR_SIM_LOSS_NONE, seed);
    do_harm(image, files, index, harm, &rng);
    enum part_of_log part = part_of(files->paths[index]);
    int rc = crash_open(image, WR_DURABILITY_FSYNC, &w->clock.clock, &rng, &notices, &log, &err);
    bool is_good = rc == 0;
    if (rc < 0) {
        (void)snprintf(why, sizeof(why), "it does not open: %.300s", err.text);
    } else {
        is_good = oracle_judge_damaged(&w->oracle, log, WR_SIM_LOSS_NONE, &damaged, why);
        is_good = is_good || (part == JOURNAL && is_told_tail(w, log, &notices, why));
        if (is_good && part == DERIVED && damaged > 0) {
            (void)snprintf(why, sizeof(why), "damage for what can be made anew");
            is_good = false;
        }
        wr_embedded_abandon(log);
    }
    wr_vfs_sim_free(image);
    if (!is_good) {
        fail_msg("WEIR_SEED=%" PRIu64 " WEIR_ROUNDS=1: %s %s: %s", seed, harm_name(harm),
                 files->paths[index], why);
    }
}

static void each_file_is_harmed(uint64_t seed, bool is_clean)
{
    struct workload w = past_life(seed, is_clean);
    struct files *files = calloc(1, sizeof(*files));
    assert_non_null(files);
    wr_vfs_sim_each(w.sim, note_file, files);
    for (size_t i = 0; i < files->count * HARMS; i++) {
        const char *path = files->paths[i / HARMS];
        enum harm harm = (enum harm)(i % HARMS);
        if (!ends_with(path, "/.lock") && (harm < CUT || part_of(path) == DERIVED)) {
            judge_harm(&w, seed + i % HARMS, files, i / HARMS, harm);
        }
    }
    free(files);
    workload_fini(&w);
}

static void damage_after_a_clean_stop_is_told_or_healed(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < run_rounds(1); i++) {
        each_file_is_harmed(run_seed() + i, true);
    }
}

static void damage_after_a_power_loss_is_told_or_healed(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < run_rounds(1); i++) {
        each_file_is_harmed(run_seed() + i, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damage_after_a_clean_stop_is_told_or_healed),
        cmocka_unit_test(damage_after_a_power_loss_is_told_or_healed),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
