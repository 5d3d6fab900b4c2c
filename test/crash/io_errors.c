/*
 * io_errors.c - the k-th operation of a kind fails, for every k, once and from then on. Whatever fails,
 * the log does not crash, says that it has failed, loses nothing that it acknowledged, and opens again
 * once the disk works. A sync that failed is never tried again.
 */
#include "crash/run.h"

#include <inttypes.h>

static const struct {
    enum wr_sim_kind kind;
    const char *name;
} kinds[] = {
    {WR_SIM_OPEN, "open"},     {WR_SIM_READ, "read"},         {WR_SIM_WRITE, "write"},
    {WR_SIM_SYNC, "sync"},     {WR_SIM_TRUNCATE, "truncate"}, {WR_SIM_RESERVE, "reserve"},
    {WR_SIM_SIZE, "size"},     {WR_SIM_LOCK, "lock"},         {WR_SIM_RENAME, "rename"},
    {WR_SIM_UNLINK, "unlink"}, {WR_SIM_MKDIR, "mkdir"},       {WR_SIM_RMDIR, "rmdir"},
    {WR_SIM_LIST, "list"},     {WR_SIM_SYNC_DIR, "sync_dir"}, {WR_SIM_ROOM, "room"},
};

struct sweep {
    uint64_t seed;
    size_t kind; /* index in kinds */
    uint64_t at;
    bool is_sticky;
    int code;
};

static uint64_t rounds(void)
{
    return run_rounds(run_is_long() ? 20 : 1);
}

static void complain(const struct sweep *s, const char *what, const char *why)
{
    fail_msg("WEIR_SEED=%" PRIu64 ": %s %" PRIu64 " fails %s with %d: %s: %s", s->seed,
             kinds[s->kind].name, s->at, s->is_sticky ? "for ever" : "once", s->code, what, why);
}

/* Open, judge, and take what is there for what the log holds from now on. */
static void reopen(const struct sweep *s, struct workload *w, enum wr_sim_loss loss,
                   const char *what)
{
    struct weir_error err;
    struct wr_log *log = NULL;
    char why[ORACLE_WHY_MAX] = "";
    w->notices = (struct notices){0};
    if (crash_open(w->sim, w->oracle.durability, &w->clock.clock, &w->log_rng, &w->notices, &log,
                   &err) < 0) {
        complain(s, what, err.text);
    }
    if (!oracle_judge(&w->oracle, log, loss, why)) {
        complain(s, what, why);
    }
    if (!oracle_settle(&w->oracle, log, loss, why)) {
        complain(s, what, why);
    }
    wr_embedded_abandon(log);
}

/* After it has failed nothing is written or synced any more, and it said so once. */
static void expect_silence(const struct sweep *s, struct workload *w)
{
    struct weir_error err;
    uint64_t before = wr_vfs_sim_count(w->sim, WR_SIM_SYNCS | WR_SIM_WRITE);
    for (int i = 0; i < 20; i++) {
        (void)workload_step(w, &err);
        if (wr_embedded_step(w->log, &err) != WEIR_E_IO) {
            complain(s, "after it has failed", "the log goes on");
        }
    }
    if (wr_vfs_sim_count(w->sim, WR_SIM_SYNCS | WR_SIM_WRITE) != before) {
        complain(s, "after it has failed", "the log writes or syncs");
    }
    if (w->notices.fatal != 1) {
        complain(s, "after it has failed", "on_fatal was not called once");
    }
}

/* Live with the fault. True when the fault was met. */
static bool live(const struct sweep *s, struct workload *w)
{
    struct weir_error err;
    int rc = workload_open(w, &err);
    bool is_open = rc == 0;
    rc = rc < 0 ? rc : run_steps(w, 70, &err);
    bool is_met = wr_vfs_sim_fault_hits(w->sim) > 0;
    if (rc < 0 && !is_met) {
        complain(s, "it failed by itself", err.text);
    }
    if (is_open && rc < 0 && w->notices.fatal > 0) {
        expect_silence(s, w);
    }
    workload_close(w, false);
    return is_met;
}

/* One fault; false when the run has fewer operations of that kind. */
static bool fail_at(const struct sweep *s)
{
    struct workload w = workload_of(s->seed, WR_DURABILITY_FSYNC);
    wr_vfs_sim_fault(w.sim, &(struct wr_sim_fault){.kinds = (unsigned)kinds[s->kind].kind,
                                                   .at = s->at,
                                                   .is_sticky = s->is_sticky,
                                                   .code = s->code});
    w.has_fault = true;
    bool is_met = live(s, &w);
    wr_vfs_sim_fault(w.sim, &(struct wr_sim_fault){0});
    if (is_met) {
        w.is_full = false;
        wr_vfs_sim_capacity(w.sim, UINT64_MAX);
        /* The process starts again on the same machine: the cache still has what never reached the
         * disk, or some of it. What is read then must survive a power loss like all that is read. */
        bool is_evicted = s->at % 2 == 0;
        if (is_evicted) {
            wr_vfs_sim_evict(w.sim);
        }
        reopen(s, &w, is_evicted ? WR_SIM_LOSS_NONE : WR_SIM_LOSS_ALL, "the next start");
        workload_lose_power(&w, WR_SIM_LOSS_NONE, s->seed);
        reopen(s, &w, WR_SIM_LOSS_NONE, "after a power loss behind that");
    }
    workload_fini(&w);
    return is_met;
}

/* Each operation of one kind; gives how many there are. */
static uint64_t sweep_kind(struct sweep s)
{
    while (fail_at(&s)) {
        s.at++;
    }
    return s.at - 1;
}

static void sweep(unsigned which, bool is_sticky, int code)
{
    uint64_t faults = 0;
    for (uint64_t i = 0; i < rounds(); i++) {
        for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
            bool is_asked = ((unsigned)kinds[kind].kind & which) != 0;
            struct sweep s = {run_seed() + i, kind, 1, is_sticky, code};
            faults += is_asked ? sweep_kind(s) : 0;
        }
    }
    print_message("%" PRIu64 " faults\n", faults);
}

static void an_operation_that_fails_once_loses_nothing(void **state)
{
    (void)state;
    sweep(WR_SIM_ALL, false, WEIR_E_IO);
}

static void a_disk_that_fails_for_ever_loses_nothing(void **state)
{
    (void)state;
    sweep(WR_SIM_ALL, true, WEIR_E_IO);
}

/* A file system may find out late that it has no room, also for what was reserved. */
static void an_operation_that_finds_no_room_loses_nothing(void **state)
{
    (void)state;
    sweep(WR_SIM_CHANGES | WR_SIM_SYNCS, false, WEIR_E_FULL);
    sweep(WR_SIM_CHANGES | WR_SIM_SYNCS, true, WEIR_E_FULL);
}

/* ---- a full disk ---- */

/* At any fill level: it stays up, reads go on, and all that was handed over is done once there is room. */
static void a_disk_that_is_full_at_any_level_goes_on_when_there_is_room(void **state)
{
    (void)state;
    for (uint64_t pages = 4; pages < 200 * rounds(); pages++) {
        struct weir_error err;
        struct sweep s = {run_seed() + pages, 2, pages, true, WEIR_E_FULL};
        struct workload w = workload_of(s.seed, WR_DURABILITY_FSYNC);
        char why[ORACLE_WHY_MAX] = "";
        wr_vfs_sim_capacity(w.sim, pages * 4096);
        int rc = workload_open(&w, &err);
        if (rc == WEIR_E_FULL) { /* not even room for a log: open it where there is */
            workload_close(&w, false);
            wr_vfs_sim_capacity(w.sim, UINT64_MAX);
            rc = workload_open(&w, &err);
            wr_vfs_sim_capacity(w.sim, pages * 4096);
        }
        w.is_full = true;
        rc = rc < 0 ? rc : run_steps(&w, 60, &err);
        rc = rc < 0 ? rc : workload_settle_down(&w, &err);
        if (rc < 0) {
            complain(&s, "a full disk", err.text);
        }
        if (!oracle_judge(&w.oracle, w.log, WR_SIM_LOSS_ALL, why)) {
            complain(&s, "a full disk", why);
        }
        workload_close(&w, true);
        reopen(&s, &w, WR_SIM_LOSS_ALL, "after a full disk");
        workload_fini(&w);
    }
}

/* ---- short reads and writes ---- */

static void reads_and_writes_that_do_less_than_asked_change_nothing(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3 * rounds(); i++) {
        struct weir_error err;
        struct sweep s = {.seed = run_seed() + i};
        struct workload w = workload_of(s.seed, WR_DURABILITY_FSYNC);
        wr_vfs_sim_short(w.sim, true);
        int rc = workload_open(&w, &err);
        rc = rc < 0 ? rc : run_steps(&w, 200, &err);
        rc = rc < 0 ? rc : workload_settle_down(&w, &err);
        if (rc < 0) {
            complain(&s, "short operations", err.text);
        }
        workload_close(&w, i % 2 == 0);
        reopen(&s, &w, WR_SIM_LOSS_ALL, "short operations");
        workload_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_operation_that_fails_once_loses_nothing),
        cmocka_unit_test(a_disk_that_fails_for_ever_loses_nothing),
        cmocka_unit_test(an_operation_that_finds_no_room_loses_nothing),
        cmocka_unit_test(a_disk_that_is_full_at_any_level_goes_on_when_there_is_room),
        cmocka_unit_test(reads_and_writes_that_do_less_than_asked_change_nothing),
    };
    return cmocka_run_group_tests_name("io errors", tests, NULL, NULL);
}
