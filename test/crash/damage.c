/*
 * damage.c - bits rot, pages turn to zeros; indexes and other derived files are also cut, swapped and lost. What was acknowledged is then
 * served as it was, or the log says which partition is damaged; it is never silently gone or wrong. What
 * is derived (indexes, checkpoint, catalog) is made anew, and nothing is damaged at all.
 *
 * Of a journal, what was harmed may be cut when nothing proves that it was durable: risk.h.
 */
#include "crash/risk.h"
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

/* Turn a range to zeros, and leave those at its ends out of it that were. */
static void zero(struct wr_vfs_sim *sim, struct risk_range *range)
{
    struct weir_error err;
    struct wr_bytes bytes;
    assert_int_equal(wr_vfs_read_file(wr_vfs_sim_vfs(sim), range->path, 64 << 20, &bytes, &err), 0);
    wr_vfs_sim_zero(sim, range->path, range->from, range->to - range->from);
    while (range->from < range->to && bytes.ptr[range->from] == 0) {
        range->from++;
    }
    while (range->from < range->to && bytes.ptr[range->to - 1] == 0) {
        range->to--;
    }
    wr_free((void *)(uintptr_t)bytes.ptr);
}

/* Tells which bytes are not what they were; of a file that is another one, all. */
static struct risk_range do_harm(struct wr_vfs_sim *sim, const struct files *files, size_t index,
                                 enum harm harm, struct wr_rng *rng)
{
    const char *path = files->paths[index];
    uint64_t size = files->sizes[index];
    uint64_t at = size == 0 ? 0 : wr_rng_below(rng, size);
    struct risk_range range = {path, at, size};
    if (harm == REMOVE) {
        remove_file(sim, path);
    } else if (harm == SWAP) {
        copy_over(sim, files->paths[other_of_kind(files, index, rng)], path);
    } else if (size == 0) {
        return range;
    } else if (harm == FLIP) {
        range.to = at + 1;
        wr_vfs_sim_flip(sim, path, at, (uint8_t)(1U << wr_rng_below(rng, 8)));
    } else if (harm == ZERO) {
        range.to = size - at < 4096 ? size : at + 4096;
        zero(sim, &range);
    } else {
        wr_vfs_sim_cut(sim, path, at);
    }
    return range;
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

/* What harm to the journal allows, and that it was told. */
static bool judge_journal(struct workload *w, const struct risk_range *range, struct wr_log *log,
                          const struct notices *notices, char *why)
{
    uint32_t damaged = 0;
    struct risk risk = risk_of(w->sim, range);
    struct oracle allowing = risk_allow(&w->oracle, w->sim, &risk);
    bool is_good = oracle_judge_damaged(&allowing, log, WR_SIM_LOSS_NONE, &damaged, why);
    risk_fini(&allowing);
    if (is_good && notices->warnings == 0 && !risk.may_be_silent) {
        (void)snprintf(why, ORACLE_WHY_MAX, "something is lost, and nobody was told");
        return false;
    }
    return is_good;
}

static bool judge_harm(struct workload *w, const struct risk_range *range, struct wr_log *log,
                       const struct notices *notices, char *why)
{
    uint32_t damaged = 0;
    enum part_of_log part = part_of(range->path);
    bool is_good = oracle_judge_damaged(&w->oracle, log, WR_SIM_LOSS_NONE, &damaged, why);
    if (!is_good && part == JOURNAL) {
        return judge_journal(w, range, log, notices, why);
    }
    /* Without the newer checkpoint the older one counts, and what it needs of the journal may be written over: the
     * log says which entries are gone. Then partitions without later ones may say that they are damaged. */
    bool is_checkpoint = strstr(range->path, "/checkpoint.") != NULL && notices->lacks_entries;
    if (is_good && part == DERIVED && damaged > 0 && !is_checkpoint) {
        (void)snprintf(why, ORACLE_WHY_MAX, "damage for what can be made anew");
        return false;
    }
    return is_good;
}

/* The `turn`-th place in the file. */
static void try_harm(struct workload *w, uint64_t seed, const struct files *files, size_t index,
                     enum harm harm, uint64_t turn)
{
    struct weir_error err;
    struct notices notices = {0};
    struct wr_log *log = NULL;
    struct wr_rng rng = wr_rng_of((seed << 20 ^ turn << 15 ^ index) * HARMS + (uint64_t)harm);
    char why[ORACLE_WHY_MAX] = "";
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(w->sim, WR_SIM_LOSS_NONE, seed);
    struct risk_range range = do_harm(image, files, index, harm, &rng);
    int rc = crash_open(image, WR_DURABILITY_FSYNC, &w->clock.clock, &rng, &notices, &log, &err);
    if (rc < 0) {
        (void)snprintf(why, sizeof(why), "it does not open: %.300s", err.text);
    }
    bool is_good = rc == 0 && judge_harm(w, &range, log, &notices, why);
    if (rc == 0) {
        wr_embedded_abandon(log);
    }
    wr_vfs_sim_free(image);
    if (!is_good) {
        fail_msg("WEIR_SEED=%" PRIu64 " WEIR_ROUNDS=1: %s %s at %" PRIu64 ": %s", seed,
                 harm_name(harm), range.path, range.from, why);
    }
}

static void each_turn(struct workload *w, uint64_t seed, const struct files *files, size_t index,
                      enum harm harm)
{
    enum part_of_log part = part_of(files->paths[index]);
    bool is_of_place = harm == FLIP || harm == ZERO;
    uint64_t turns = !is_of_place ? 1 : (part == JOURNAL ? 16 : 2);
    bool is_possible = is_of_place || part == DERIVED || (part == SEGMENT && harm != SWAP);
    for (uint64_t turn = 0; turn < turns && is_possible; turn++) {
        try_harm(w, seed, files, index, harm, turn);
    }
}

static void each_file_is_harmed(uint64_t seed, bool is_clean)
{
    struct workload w = past_life(seed, is_clean);
    struct files *files = calloc(1, sizeof(*files));
    assert_non_null(files);
    wr_vfs_sim_each(w.sim, note_file, files);
    for (size_t i = 0; i < files->count; i++) {
        for (unsigned harm = 0; harm < HARMS && !ends_with(files->paths[i], "/.lock"); harm++) {
            each_turn(&w, seed, files, i, (enum harm)harm);
        }
    }
    free(files);
    workload_fini(&w);
}

static void damage_after_a_clean_stop_is_told_or_healed(void **state)
{
    (void)state;
    for (uint64_t i = 0; run_is_more(i, 2); i++) {
        each_file_is_harmed(run_seed() + i, true);
    }
}

static void damage_after_a_power_loss_is_told_or_healed(void **state)
{
    (void)state;
    for (uint64_t i = 0; run_is_more(i, 2); i++) {
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
