/*
 * power_loss.c - power is lost at every write and sync of a workload, and the oracle judges what is left.
 *
 * Before each operation that changes the disk or makes a change durable, some images of what a power loss
 * at that moment may leave are taken, opened and judged. While an image is recovered, power is lost again.
 * The run itself ends in a clean stop, a kill or a power loss at some operation, and goes on from there.
 *
 * WEIR_ROUNDS  how many rounds of each durability, from WEIR_SEED on (run.h); both are printed
 */
#include "crash/run.h"

#include <inttypes.h>

/* Before which operations power is lost: opens are too many, and what they make a later one shows. */
enum {
    LOSABLE = (WR_SIM_CHANGES & ~WR_SIM_OPEN) | WR_SIM_SYNCS
};

/* What was done, over all rounds. */
struct tally {
    uint64_t operations;
    uint64_t images;
    uint64_t nested;
    uint64_t restarts;
};

struct watch {
    struct workload *w;
    struct wr_rng rng;
    struct tally *tally;
    char why[ORACLE_WHY_MAX +
             WEIR_ERROR_TEXT_MAX]; /* of the first image that is wrong; empty: none is */
    unsigned depth;
};

static bool wrong(struct watch *watch, const char *what, const char *why)
{
    if (watch->why[0] == 0) {
        (void)snprintf(watch->why, sizeof(watch->why), "%s: %s", what, why);
    }
    return false;
}

/* With WEIR_KEEP=FOLDER the image that is wrong is put there, as it was before it was opened. */
static struct wr_vfs_sim *keep_copy(struct wr_vfs_sim *image)
{
    const char *keep = getenv("WEIR_KEEP"); /* NOLINT(concurrency-mt-unsafe): one thread */
    return keep == NULL ? NULL : wr_vfs_sim_power_loss(image, WR_SIM_LOSS_ALL, 0);
}

static void keep_wrong(struct wr_vfs_sim *copy, bool is_good)
{
    if (copy != NULL && !is_good) {
        wr_vfs_sim_export(copy, getenv("WEIR_KEEP")); /* NOLINT(concurrency-mt-unsafe) */
    }
    wr_vfs_sim_free(copy);
}

/* ---- one image ---------------------------------------------------------------------------------------- */

static bool judge_image(struct watch *watch, struct wr_vfs_sim *image, enum wr_sim_loss loss);

/* While an image is recovered, power is lost again. */
struct nested {
    struct watch *watch;
    struct wr_vfs_sim *image;
    enum wr_sim_loss loss;
};

static void lose_power_in_recovery(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct nested *nested = arg;
    struct watch *watch = nested->watch;
    WR_UNUSED(kind);
    if (watch->why[0] != 0 || wr_rng_below(&watch->rng, 4) != 0) {
        return;
    }
    enum wr_sim_loss loss = (enum wr_sim_loss)wr_rng_below(&watch->rng, WR_SIM_LOSSES);
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(nested->image, loss, wr_rng_next(&watch->rng));
    watch->depth++;
    watch->tally->nested++;
    /* what the first loss took is gone, whatever the second one leaves */
    if (!judge_image(watch, image, nested->loss == WR_SIM_LOSS_ALL ? loss : nested->loss)) {
        (void)snprintf(watch->why + strlen(watch->why), sizeof(watch->why) - strlen(watch->why),
                       " (second loss: %s, in recovery, at %.60s)", wr_sim_loss_name(loss), path);
    }
    watch->depth--;
}

/* Open it again after one more loss: nothing is left to repair, and all is as it was. */
static bool judge_again(struct watch *watch, struct wr_vfs_sim *image, enum wr_sim_loss loss)
{
    struct weir_error err;
    struct wr_embedded_recovery r;
    struct notices notices = {0};
    struct wr_log *log = NULL;
    char why[ORACLE_WHY_MAX] = "";
    struct wr_vfs_sim *second =
        wr_vfs_sim_power_loss(image, WR_SIM_LOSS_NONE, wr_rng_next(&watch->rng));
    struct wr_rng rng = wr_rng_of(wr_rng_next(&watch->rng));
    int rc = crash_open(second, watch->w->oracle.durability, &watch->w->clock.clock, &rng, &notices,
                        &log, &err);
    if (rc < 0) {
        wr_vfs_sim_free(second);
        return wrong(watch, "second start", err.text);
    }
    wr_embedded_recovery(log, &r);
    bool is_good = r.repairs == 0 && r.torn_bytes == 0 && r.cut_bytes == 0 && r.damaged == 0;
    if (!is_good) {
        (void)snprintf(why, sizeof(why), "%u repairs, %" PRIu64 " torn, %" PRIu64 " cut: %.200s",
                       r.repairs, r.torn_bytes, r.cut_bytes, notices.last);
    }
    is_good = is_good && oracle_judge(&watch->w->oracle, log, loss, why);
    wr_embedded_abandon(log);
    wr_vfs_sim_free(second);
    watch->tally->restarts++;
    if (!is_good && notices.count > 0) {
        size_t len = strlen(why);
        (void)snprintf(why + len, sizeof(why) - len, "; it said: %.150s", notices.last);
    }
    return is_good || wrong(watch, "second start", why);
}

static bool has_checkpoint(struct wr_log *log)
{
    struct wr_embedded_stats stats;
    wr_embedded_stats(log, &stats);
    return stats.checkpoints > 0;
}

/* A full disk is read without a checkpoint, and each start does the same again until there is room for one. */
static int checkpoint_with_room(struct wr_vfs_sim *image, struct wr_log *log,
                                struct weir_error *err)
{
    wr_vfs_sim_capacity(image, UINT64_MAX);
    return wr_embedded_checkpoint(log, err);
}

/* Readers have seen all of it before its first checkpoint: power may be lost there too. After it, another start
 * has nothing to do. */
static bool settle_and_judge_again(struct watch *watch, struct wr_vfs_sim *image,
                                   struct wr_log *log, enum wr_sim_loss loss)
{
    struct weir_error err;
    struct nested nested = {watch, image, loss};
    if (watch->depth == 0 && wr_rng_below(&watch->rng, 10) == 0) {
        wr_vfs_sim_hook(image, LOSABLE, lose_power_in_recovery, &nested);
    }
    int rc = wr_embedded_step(log, &err);
    wr_vfs_sim_hook(image, 0, NULL, NULL);
    rc = rc < 0 || has_checkpoint(log) ? rc : checkpoint_with_room(image, log, &err);
    if (rc < 0) {
        return wrong(watch, "first step", err.text);
    }
    return watch->why[0] == 0 && judge_again(watch, image, loss);
}

/* Write to it, stop it cleanly, and open it once more. */
static bool goes_on(struct watch *watch, struct wr_vfs_sim *image, struct wr_log *log,
                    struct weir_error *err)
{
    struct wr_log_topic *topic = NULL;
    struct wr_log_writer *writer = NULL;
    struct wr_partition_info before = {0};
    struct wr_partition_info after = {0};
    struct wr_record record = {.value = {(const uint8_t *)"after", 5}};
    struct wr_topic_spec spec = {.name = "after", .partition_count = 1};
    uint64_t number = 0;
    int rc = wr_log_topic_ensure(log, &spec, &topic, err);
    rc = rc < 0 ? rc : wr_log_partition_info(log, topic, 0, &before, err);
    rc = rc < 0 ? rc : wr_log_writer_open(log, &(struct wr_log_writer_options){0}, &writer, err);
    rc = rc < 0 ? rc : wr_log_append(writer, topic, 0, &record, err);
    rc = rc < 0 ? rc : wr_log_writer_commit(writer, WR_COMMIT_SYNC, &number, err);
    rc = rc < 0 ? rc : wr_embedded_step(log, err);
    rc = rc < 0 ? rc : wr_log_writer_wait(writer, number, 0, err);
    rc = rc < 0 ? rc : wr_log_partition_info(log, topic, 0, &after, err);
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
    wr_log_close(log);
    if (rc < 0 || after.high_watermark != before.high_watermark + 1) {
        return wrong(watch, "goes on", rc < 0 ? err->text : "the record got no offset");
    }
    struct wr_embedded_recovery r;
    struct notices notices = {0};
    struct wr_rng rng = wr_rng_of(1);
    rc = crash_open(image, watch->w->oracle.durability, &watch->w->clock.clock, &rng, &notices,
                    &log, err);
    if (rc < 0) {
        return wrong(watch, "start after a clean stop", err->text);
    }
    wr_embedded_recovery(log, &r);
    wr_embedded_abandon(log);
    return (r.was_clean && r.entries == 0 && r.repairs == 0) ||
           wrong(watch, "start after a clean stop", "it was not clean");
}

static bool check_recovery(struct watch *watch, struct wr_log *log)
{
    struct wr_embedded_recovery r;
    const struct oracle *o = &watch->w->oracle;
    char why[ORACLE_WHY_MAX];
    wr_embedded_recovery(log, &r);
    (void)snprintf(why, sizeof(why), "%s%s%" PRIu64 " entries, %u repairs, epoch %d, it was %d",
                   r.was_new ? "new, " : "", r.was_clean ? "clean, " : "", r.entries, r.repairs,
                   r.leader_epoch, o->leader_epoch);
    if (r.damaged > 0) {
        return wrong(watch, "it sees damage where there is none", why);
    }
    if (o->leader_epoch >= 0 && r.leader_epoch < o->leader_epoch) {
        return wrong(watch, "the epoch went back", why);
    }
    /* a clean stop may be complete before its last sync is: then nothing was lost */
    if (o->leader_epoch >= 0 && !o->is_clean && !r.was_clean && r.leader_epoch == o->leader_epoch &&
        workload_has_begun(watch->w)) {
        return wrong(watch, "the epoch is the old one", why);
    }
    return true;
}

static bool was_clean(struct wr_log *log)
{
    struct wr_embedded_recovery r;
    wr_embedded_recovery(log, &r);
    return r.was_clean;
}

static bool judge_image(struct watch *watch, struct wr_vfs_sim *image, enum wr_sim_loss loss)
{
    struct weir_error err;
    struct notices notices = {0};
    struct wr_log *log = NULL;
    char why[ORACLE_WHY_MAX] = "";
    struct nested nested = {watch, image, loss};
    struct wr_vfs_sim *copy = keep_copy(image);
    struct wr_rng rng = wr_rng_of(wr_rng_next(&watch->rng));
    if (watch->depth == 0 && wr_rng_below(&watch->rng, 100) == 0) {
        wr_vfs_sim_hook(image, LOSABLE, lose_power_in_recovery, &nested);
    }
    int rc = crash_open(image, watch->w->oracle.durability, &watch->w->clock.clock, &rng, &notices,
                        &log, &err);
    wr_vfs_sim_hook(image, 0, NULL, NULL);
    if (rc ==
        WEIR_E_FULL) { /* others have filled the disk to its last block; once there is room: */
        wr_vfs_sim_capacity(image, UINT64_MAX);
        rc = crash_open(image, watch->w->oracle.durability, &watch->w->clock.clock, &rng, &notices,
                        &log, &err);
    }
    watch->tally->images++;
    bool is_good = watch->why[0] == 0;
    if (rc == 0 && was_clean(log)) {
        loss = WR_SIM_LOSS_ALL; /* it says that all is there */
    }
    if (rc < 0) {
        is_good = wrong(watch, "it does not open", err.text);
    } else if (is_good && !oracle_judge(&watch->w->oracle, log, loss, why)) {
        is_good = wrong(watch, notices.count == 0 ? "judged" : notices.last, why);
    } else {
        is_good = is_good && check_recovery(watch, log);
    }
    if (is_good && wr_rng_below(&watch->rng, 4) == 0) {
        is_good = settle_and_judge_again(watch, image, log, loss);
    }
    if (is_good && wr_rng_below(&watch->rng, 10) == 0) {
        wr_vfs_sim_capacity(image, UINT64_MAX);
        is_good = goes_on(watch, image, log, &err);
    } else if (log != NULL) {
        wr_embedded_abandon(log);
    }
    keep_wrong(copy, is_good);
    wr_vfs_sim_free(image);
    return is_good;
}

/* ---- a run ---------------------------------------------------------------------------------------------- */

static void lose_power(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct watch *watch = arg;
    struct workload *w = watch->w;
    watch->tally->operations++;
    for (int i = 0; i < 2 && watch->why[0] == 0; i++) {
        uint64_t seed = wr_rng_next(&watch->rng);
        enum wr_sim_loss loss = (enum wr_sim_loss)wr_rng_below(&watch->rng, WR_SIM_LOSSES);
        struct wr_vfs_sim *image = wr_vfs_sim_power_loss(w->sim, loss, seed);
        /* while a log is opened after a loss, that loss still counts */
        bool is_second = w->is_unsettled && w->loss != WR_SIM_LOSS_ALL;
        enum wr_sim_loss judged = loss == WR_SIM_LOSS_ALL ? workload_loss_of_kill(w) : loss;
        if (!judge_image(watch, image, is_second ? w->loss : judged)) {
            size_t len = strlen(watch->why);
            (void)snprintf(watch->why + len, sizeof(watch->why) - len,
                           " (loss: %s, before %d %.60s)", wr_sim_loss_name(loss), (int)kind, path);
        }
    }
}

/* Live until the end that the seed has chosen: a clean stop, a kill, or a disk that does no more from some
 * operation on. */
static void live(struct watch *watch, struct weir_error *err)
{
    struct workload *w = watch->w;
    uint64_t power = wr_rng_below(&watch->rng, 3) == 0 ? 1 + wr_rng_below(&watch->rng, 150) : 0;
    wr_vfs_sim_fault(w->sim, &(struct wr_sim_fault){.kinds = WR_SIM_CHANGES | WR_SIM_SYNCS,
                                                    .at = power,
                                                    .is_sticky = true,
                                                    .code = WEIR_E_IO});
    wr_vfs_sim_hook(w->sim, LOSABLE, lose_power, watch);
    int rc = workload_open(w, err);
    if (rc == WEIR_E_FULL) { /* others have filled the disk to its last block */
        workload_close(w, false);
        wr_vfs_sim_capacity(w->sim, UINT64_MAX);
        rc = workload_open(w, err);
    }
    for (int i = 0; i < 90 && rc == 0 && watch->why[0] == 0; i++) {
        rc = workload_step(w, err);
    }
    bool is_clean = rc == 0 && wr_rng_below(&watch->rng, 2) == 0;
    if (is_clean) {
        rc = workload_settle_down(w, err);
    }
    if (rc < 0 && wr_vfs_sim_fault_hits(w->sim) == 0) {
        (void)wrong(watch, "the log failed by itself", err->text);
    }
    workload_close(w, is_clean && rc == 0);
    wr_vfs_sim_hook(w->sim, 0, NULL, NULL);
    wr_vfs_sim_fault(w->sim, &(struct wr_sim_fault){0});
}

static void run(uint64_t seed, enum wr_durability durability, struct tally *tally)
{
    struct workload w = workload_of(seed, durability);
    struct watch watch = {.w = &w, .rng = wr_rng_of(seed ^ 0x5eed), .tally = tally};
    struct weir_error err;
    for (int life = 0; life < 4 && watch.why[0] == 0; life++) {
        live(&watch, &err);
        if (wr_rng_below(&watch.rng, 2) == 0) { /* else the machine stays up */
            workload_lose_power(&w, (enum wr_sim_loss)wr_rng_below(&watch.rng, WR_SIM_LOSSES),
                                wr_rng_next(&watch.rng));
        }
    }
    workload_fini(&w);
    if (watch.why[0] != 0) {
        fail_msg("WEIR_SEED=%" PRIu64 " WEIR_ROUNDS=1, %s: %s", seed,
                 wr_durability_name(durability), watch.why);
    }
}

static void runs(enum wr_durability durability)
{
    uint64_t seed = run_seed();
    uint64_t rounds = 0;
    struct tally tally = {0};
    while (run_is_more(rounds, 3)) {
        run(seed + rounds, durability, &tally);
        rounds++;
    }
    print_message("%s: seeds %" PRIu64 " .. %" PRIu64 ": %" PRIu64 " operations, %" PRIu64
                  " images judged, %" PRIu64 " of them lost in recovery, %" PRIu64
                  " second starts\n",
                  wr_durability_name(durability), seed, seed + rounds - 1, tally.operations,
                  tally.images, tally.nested, tally.restarts);
}

static void nothing_acknowledged_is_lost_with_fsync(void **state)
{
    (void)state;
    runs(WR_DURABILITY_FSYNC);
}

static void the_log_is_a_prefix_with_interval(void **state)
{
    (void)state;
    runs(WR_DURABILITY_INTERVAL);
}

static void the_log_is_a_prefix_with_os(void **state)
{
    (void)state;
    runs(WR_DURABILITY_OS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_with_fsync),
        cmocka_unit_test(the_log_is_a_prefix_with_interval),
        cmocka_unit_test(the_log_is_a_prefix_with_os),
    };
    return cmocka_run_group_tests_name("power loss", tests, NULL, NULL);
}
