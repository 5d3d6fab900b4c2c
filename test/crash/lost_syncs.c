/*
 * lost_syncs.c - is every kind of sync needed, and would the oracle notice? One sync of a run does nothing,
 * and power is lost at the operations behind it: for each kind there must be a run of which an image is then
 * wrong. A kind that nobody misses is either not needed or not tested.
 *
 * A kind and not each sync, because what one leaves undone the next of its file mostly does.
 */
#include "crash/run.h"
#include "log/embedded/journal.h"

#include <fnmatch.h>
#include <inttypes.h>

enum {
    STEPS = 160
};

/* Told apart by path; the first that fits. `keeps`: why a kind stays whose loss costs no record. */
static const struct {
    const char *pattern; /* of fnmatch(3), '*' for '/' too */
    const char *name;
    const char *keeps;
} kinds[] = {
    {"log/journal/*.tmp", "a journal file that is made",
     "the first commit to it would else wait until all its zeros are written"},
    {"log/journal/*", "the journal", NULL},
    {"log/journal", "names of journal files", NULL},
    {"log/checkpoint.*", "a checkpoint", NULL},
    {"log/catalog.tmp", "the catalog", NULL},
    {"log/*/partition.metadata", "a partition's metadata",
     "read only where the catalog is lost, too, which no power cut does"},
    {"log/*/segments.tmp", "a list of segments", NULL},
    {"log/*/leader-epoch-checkpoint.tmp", "a partition's epochs",
     "Kafka's text has no checksum: old bytes in its place would be believed"},
    {"log/*/*.txnindex", "an index of aborted transactions",
     "made anew without a word, which costs a start's reading of the segment"},
    {"log/*/*.log", "a segment", NULL},
    {"log/*", "names in a partition's folder", NULL},
    {"log", "names in the log's folder", NULL},
    {"*", "the name of the log's folder", NULL},
};

enum {
    KINDS = sizeof(kinds) / sizeof(kinds[0]),
    MADE = 0, /* in `kinds` */
    JOURNAL = 1,
    OPS = WR_SIM_RENAME | WR_SIM_SYNCS /* what no sync keeps is the same between two of them */
};

static size_t file_number(const char *path)
{
    return strtoul(strrchr(path, '/') + 1, NULL, 10) % WR_JOURNAL_FILES_MAX;
}

/* A journal file keeps the path under which it was made. */
struct names {
    bool is_named[WR_JOURNAL_FILES_MAX];
};

static size_t kind_of(const struct names *names, const char *path)
{
    size_t kind = 0;
    while (fnmatch(kinds[kind].pattern, path, 0) != 0) {
        kind++;
    }
    return kind == MADE && names->is_named[file_number(path)] ? JOURNAL : kind;
}

/* ---- a run, and what is told after each of its operations ---- */

struct op {
    uint8_t sync_kind; /* + 1; 0: it is no sync */
    bool is_anew; /* a power loss before it, that keeps nothing, makes something be made anew */
};

struct truth {
    struct workload *w;
    struct names names;
    struct op *ops;
    size_t count;
    size_t cap;
};

/* What was told when the image was opened, and what is wrong with it. */
struct verdict {
    bool is_good;
    bool is_anew;
    char why[ORACLE_WHY_MAX];
};

static struct verdict judge(struct workload *w, enum wr_sim_loss loss, uint64_t seed)
{
    struct weir_error err;
    struct notices notices = {0};
    struct wr_log *log = NULL;
    struct wr_rng rng = wr_rng_of(7);
    struct verdict v = {0};
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(w->sim, loss, seed);
    int rc = crash_open(image, WR_DURABILITY_FSYNC, &w->clock.clock, &rng, &notices, &log, &err);
    if (rc < 0) {
        (void)snprintf(v.why, sizeof(v.why), "it does not open: %.300s", err.text);
    } else {
        struct wr_embedded_recovery r;
        wr_embedded_recovery(log, &r);
        v.is_good = oracle_judge(&w->oracle, log, loss, v.why) && r.damaged == 0;
        v.is_anew = strstr(notices.last, "anew") != NULL;
        wr_embedded_abandon(log);
    }
    if (v.why[0] == 0) {
        (void)snprintf(v.why, sizeof(v.why), "%.300s", notices.last);
    }
    wr_vfs_sim_free(image);
    return v;
}

static void note_op(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct truth *t = arg;
    assert_true(wr_grow(&t->ops, &t->cap, t->count + 1, sizeof(t->ops[0]), 1 << 20));
    bool is_sync = ((unsigned)kind & WR_SIM_SYNCS) != 0;
    t->ops[t->count++] = (struct op){
        .sync_kind = is_sync ? (uint8_t)(kind_of(&t->names, path) + 1) : 0,
        .is_anew = judge(t->w, WR_SIM_LOSS_NONE, 0).is_anew,
    };
    if (kind == WR_SIM_RENAME && fnmatch(kinds[MADE].pattern, path, 0) == 0) {
        t->names.is_named[file_number(path)] = true;
    }
}

static int live(struct workload *w, struct weir_error *err)
{
    int rc = workload_open(w, err);
    rc = rc < 0 ? rc : run_steps(w, STEPS, err);
    rc = rc < 0 ? rc : workload_settle_down(w, err);
    workload_close(w, rc == 0);
    return rc;
}

static struct truth truth_of(uint64_t seed)
{
    struct weir_error err;
    struct workload w = workload_of(seed, WR_DURABILITY_FSYNC);
    struct truth t = {.w = &w};
    wr_vfs_sim_hook(w.sim, OPS, note_op, &t);
    if (live(&w, &err) < 0) {
        fail_msg("seed %" PRIu64 ": %s", seed, err.text);
    }
    t.w = NULL;
    workload_fini(&w);
    return t;
}

/* ---- one of them does nothing ---- */

struct lie {
    const struct truth *truth;
    struct workload *w;
    struct wr_rng rng;
    size_t op; /* the next one */
    size_t at; /* the operation that does nothing: a sync */
    bool is_missed;
    char why[ORACLE_WHY_MAX];
};

static void look(struct lie *lie, enum wr_sim_loss loss, bool may_be_anew)
{
    if (lie->is_missed) {
        return;
    }
    struct verdict v = judge(lie->w, loss, wr_rng_next(&lie->rng));
    lie->is_missed = !v.is_good || (v.is_anew && !may_be_anew);
    (void)snprintf(lie->why, sizeof(lie->why), "%s", v.why);
}

static void lose_power(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct lie *lie = arg;
    WR_UNUSED(kind);
    WR_UNUSED(path);
    size_t op = lie->op++;
    if (op > lie->at && op < lie->truth->count) {
        look(lie, WR_SIM_LOSS_NONE, lie->truth->ops[op].is_anew);
        look(lie, WR_SIM_LOSS_REORDER, true);
        look(lie, WR_SIM_LOSS_GARBAGE, true);
    }
}

/* Live with a sync that does nothing: is it missed? `number`: of the sync, from 1 on; `at`: of the operation. */
static bool is_missed(uint64_t seed, const struct truth *truth, uint64_t number, size_t at,
                      char why[ORACLE_WHY_MAX])
{
    struct weir_error err;
    struct workload w = workload_of(seed, WR_DURABILITY_FSYNC);
    struct lie lie = {.truth = truth, .w = &w, .rng = wr_rng_of(seed), .at = at};
    wr_vfs_sim_fault(
        w.sim, &(struct wr_sim_fault){.kinds = WR_SIM_SYNCS, .at = number, .effect = WR_SIM_LIE});
    wr_vfs_sim_hook(w.sim, OPS, lose_power, &lie);
    if (live(&w, &err) < 0) {
        fail_msg("WEIR_SEED=%" PRIu64 ", sync %" PRIu64 " does nothing: %s", seed, number,
                 err.text);
    }
    wr_vfs_sim_hook(w.sim, 0, NULL, NULL);
    look(&lie, WR_SIM_LOSS_NONE, false); /* after a clean stop */
    (void)snprintf(why, ORACLE_WHY_MAX, "%s", lie.why);
    workload_fini(&w);
    return lie.is_missed;
}

struct tally {
    bool missed[KINDS];
    uint32_t tried[KINDS];
};

static bool is_asked(const struct tally *tally, size_t kind)
{
    return kinds[kind].keeps == NULL && !tally->missed[kind];
}

static void try_all(uint64_t seed, struct tally *tally)
{
    struct truth truth = truth_of(seed);
    uint64_t number = 0;
    char why[ORACLE_WHY_MAX];
    for (size_t at = 0; at < truth.count; at++) {
        if (truth.ops[at].sync_kind == 0) {
            continue;
        }
        size_t kind = truth.ops[at].sync_kind - (size_t)1;
        number++;
        if (!is_asked(tally, kind)) {
            continue;
        }
        tally->tried[kind]++;
        tally->missed[kind] = is_missed(seed, &truth, number, at, why);
        if (tally->missed[kind]) {
            print_message("%s: seed %" PRIu64 ", sync %" PRIu64 ", %u tried: %s\n",
                          kinds[kind].name, seed, number, tally->tried[kind], why);
        }
    }
    wr_free(truth.ops);
}

static uint32_t count_unmissed(const struct tally *tally)
{
    uint32_t count = 0;
    for (size_t kind = 0; kind < KINDS; kind++) {
        count += is_asked(tally, kind) ? 1 : 0;
    }
    return count;
}

static void every_kind_of_sync_is_missed_when_it_does_nothing(void **state)
{
    (void)state;
    struct tally tally = {0};
    for (uint64_t i = 0; i < run_rounds(40) && count_unmissed(&tally) > 0; i++) {
        try_all(run_seed() + i, &tally);
    }
    for (size_t kind = 0; kind < KINDS; kind++) {
        if (kinds[kind].keeps != NULL) {
            print_message("not asked: %s: %s\n", kinds[kind].name, kinds[kind].keeps);
        } else if (is_asked(&tally, kind)) {
            print_message("nobody misses: %s (%u tried)\n", kinds[kind].name, tally.tried[kind]);
        }
    }
    assert_int_equal(count_unmissed(&tally), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_sync_is_missed_when_it_does_nothing),
    };
    return cmocka_run_group_tests_name("lost syncs", tests, NULL, NULL);
}
