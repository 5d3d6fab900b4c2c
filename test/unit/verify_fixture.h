/*
 * verify_fixture.h - a log to damage on purpose, on a simulated disk, and what is looked at after: the findings
 * of verify, of a dry run and of repair as one line each, and the records that can be read then.
 *
 * The log has a topic `orders` of two partitions, in 0 three segments of ten commits of ten records each,
 * in 1 one commit; and a topic `marked` with transactions, every other one aborted. A record's value says
 * its offset.
 */
#ifndef VERIFY_FIXTURE_H
#define VERIFY_FIXTURE_H

#include "log/embedded/embedded.h"
#include "log/embedded/repair.h"
#include "sim/vfs_sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    COMMITS = 30,
    RECORDS = 10,
    END = COMMITS * RECORDS,
    BATCH_BYTES = 391,
    MARKED = 6,
    TEXT_BYTES = 8192,
    JOURNAL_FILE_BYTES = 1 << 20
};

#define SEG0 "log/orders-0/00000000000000000000"
#define SEG1 "log/orders-0/00000000000000000100"
#define SEG2 "log/orders-0/00000000000000000200"

struct fixture {
    struct wr_vfs_sim *sim;
    struct wr_vfs *vfs;
    struct wr_manual_clock clock;
    char text[TEXT_BYTES];
    size_t len;
    struct wr_verify_sum sum;
};

/* ---- the log ------------------------------------------------------------------------------------------ */

/* Open the log as a process that starts does; a failure fails the test. */
static inline struct wr_log *open_log(struct fixture *f)
{
    struct weir_error err = {0};
    struct wr_log *log = NULL;
    struct wr_embedded_options options = {.dir = "log",
                                          .vfs = f->vfs,
                                          .clock = &f->clock.clock,
                                          .journal_file_bytes = JOURNAL_FILE_BYTES,
                                          .journal_file_count = 2};
    int rc = wr_embedded_open(&options, &log, &err);
    if (rc < 0) {
        fail_msg("open: %s", err.text);
    }
    return log;
}

/* The topic of this name, made if it is missing. Taken: unref it. */
static inline struct wr_log_topic *topic_of(struct wr_log *log, const char *name,
                                            uint32_t partitions)
{
    struct weir_error err = {0};
    struct wr_log_topic *topic = NULL;
    const struct wr_topic_setting settings[] = {{"index.interval.bytes", "500"},
                                                {"retention.ms", "-1"}};
    struct wr_topic_spec spec = {
        .name = name, .partition_count = partitions, .settings = settings, .setting_count = 2};
    assert_int_equal(wr_log_topic_ensure(log, &spec, &topic, &err), 0);
    return topic;
}

/* A writer of plain commits. Taken: close it. */
static inline struct wr_log_writer *writer_of(struct wr_log *log)
{
    struct weir_error err = {0};
    struct wr_log_writer_options options = {0};
    struct wr_log_writer *writer = NULL;
    assert_int_equal(wr_log_writer_open(log, &options, &writer, &err), 0);
    return writer;
}

/* Add the record that says its own offset. */
static inline void append(struct wr_log_writer *writer, struct wr_log_topic *topic,
                          uint32_t partition, int64_t offset)
{
    struct weir_error err = {0};
    char value[64];
    (void)snprintf(value, sizeof(value), "value %06" PRId64 " and some more", offset);
    struct wr_record record = {.value = wr_bytes_of_str(wr_str_of(value)), .timestamp_ms = -1};
    assert_int_equal(wr_log_append(writer, topic, partition, &record, &err), 0);
}

/* Let the engine do one round; the commit is done then. */
static inline void drive(struct wr_log *log, struct wr_log_writer *writer)
{
    struct weir_error err = {0};
    struct wr_log_answer answer;
    assert_true(wr_embedded_step(log, &err) >= 0);
    assert_int_equal(wr_log_writer_poll(writer, &answer, &err), 1);
    if (answer.outcome != WR_COMMIT_DONE) {
        fail_msg("not done: %s", answer.err.text);
    }
}

/* Commit what was added and see it done, seven seconds after the last. */
static inline void commit(struct fixture *f, struct wr_log *log, struct wr_log_writer *writer)
{
    struct weir_error err = {0};
    uint64_t number = 0;
    wr_manual_clock_advance(&f->clock, 7000);
    assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &number, &err), 0);
    drive(log, writer);
}

/* Fill `orders`: the layout is on top of this file. */
static inline void fill_orders(struct fixture *f, struct wr_log *log)
{
    struct weir_error err = {0};
    struct wr_log_topic *topic = topic_of(log, "orders", 2);
    struct wr_log_writer *writer = writer_of(log);
    for (int64_t offset = 0; offset < END; offset++) {
        append(writer, topic, 0, offset);
        if (offset % RECORDS == RECORDS - 1) {
            commit(f, log, writer);
        }
        if (offset == 99 || offset == 199) {
            assert_int_equal(wr_embedded_roll(log, topic, 0, &err), 0);
        }
    }
    append(writer, topic, 1, 0);
    commit(f, log, writer);
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

/* Fill `marked`: every other transaction is aborted. */
static inline void fill_marked(struct fixture *f, struct wr_log *log)
{
    struct weir_error err = {0};
    struct wr_log_topic *topic = topic_of(log, "marked", 1);
    struct wr_log_writer *writer = writer_of(log);
    for (int i = 0; i < MARKED; i++) {
        uint64_t number = 0;
        assert_int_equal(wr_log_writer_mark(writer, &err), 0);
        append(writer, topic, 0, i * INT64_C(3));
        append(writer, topic, 0, i * INT64_C(3) + 1);
        commit(f, log, writer);
        assert_int_equal(wr_log_writer_end(writer, i % 2 == 0, &number, &err), 0);
        drive(log, writer);
        if (i == 3) {
            assert_int_equal(wr_embedded_roll(log, topic, 0, &err), 0);
        }
    }
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

/* A log that was stopped cleanly, or that was killed before any checkpoint. */
static inline struct fixture *fixture_new(bool is_clean)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->sim = wr_vfs_sim_new();
    f->vfs = wr_vfs_sim_vfs(f->sim);
    f->clock = wr_manual_clock_of(1710500000000000);
    struct wr_log *log = open_log(f);
    fill_orders(f, log);
    fill_marked(f, log);
    if (is_clean) {
        wr_log_close(log);
    } else {
        wr_embedded_abandon(log);
    }
    return f;
}

static inline void fixture_free(struct fixture *f)
{
    wr_vfs_sim_free(f->sim);
    free(f);
}

/* ---- looking ------------------------------------------------------------------------------------------- */

/* Add a finding to the text as one line; what a user is told is never empty. */
static inline int tell(void *arg, const struct wr_finding *x, struct weir_error *err)
{
    (void)err;
    struct fixture *f = arg;
    assert_non_null(x->what);
    assert_true(x->what[0] != 0);
    assert_non_null(x->remedy);
    int n =
        snprintf(f->text + f->len, sizeof(f->text) - f->len, "%s, %s: %s %" PRIu64 "+%" PRIu64,
                 wr_finding_name(x->kind), wr_severity_name(x->severity), x->path, x->at, x->bytes);
    f->len += (size_t)n;
    if (x->topic != NULL) {
        n = snprintf(f->text + f->len, sizeof(f->text) - f->len, " %s %u", x->topic, x->partition);
        f->len += (size_t)n;
    }
    if (x->first_offset >= 0) {
        n = snprintf(f->text + f->len, sizeof(f->text) - f->len, " %" PRId64 "..%" PRId64,
                     x->first_offset, x->next_offset);
        f->len += (size_t)n;
    }
    n = snprintf(f->text + f->len, sizeof(f->text) - f->len, "\n");
    f->len += (size_t)n;
    assert_true(f->len < sizeof(f->text));
    return 0;
}

/* Verify the folder; the findings are in text, the counts in sum. */
static inline int look(struct fixture *f, bool is_live, struct weir_error *err)
{
    struct wr_verify_options options = {
        .vfs = f->vfs, .dir = "log", .is_live = is_live, .each = tell, .arg = f};
    f->len = 0;
    f->text[0] = 0;
    f->sum = (struct wr_verify_sum){0};
    return wr_embedded_verify(&options, &f->sum, err);
}

/* Repair the folder, or only say what would be done. */
static inline int repair(struct fixture *f, bool is_dry_run, struct weir_error *err)
{
    struct wr_repair_options options = {
        .vfs = f->vfs, .dir = "log", .is_dry_run = is_dry_run, .each = tell, .arg = f};
    f->len = 0;
    f->text[0] = 0;
    f->sum = (struct wr_verify_sum){0};
    return wr_embedded_repair(&options, &f->sum, err);
}

/* Fail with the error as text. */
static inline void expect_ok(int rc, const struct weir_error *err)
{
    if (rc != 0) {
        fail_msg("%d: %s", rc, err->text);
    }
}

/* Verify and compare the findings with these lines. */
static inline void expect_findings(struct fixture *f, const char *findings)
{
    struct weir_error err = {0};
    expect_ok(look(f, false, &err), &err);
    assert_string_equal(f->text, findings);
}

/* What verify does leaves every byte and name as it was. */
static inline void expect_unchanged_findings(struct fixture *f, const char *findings)
{
    struct weir_error err = {0};
    uint64_t changes = wr_vfs_sim_count(f->sim, WR_SIM_CHANGES & ~(unsigned)WR_SIM_OPEN);
    struct wr_vfs_sim *before = wr_vfs_sim_power_loss(f->sim, WR_SIM_LOSS_ALL, 1);
    char where[256];
    expect_findings(f, findings);
    expect_ok(repair(f, true, &err), &err);
    assert_string_equal(f->text, findings);
    assert_int_equal(wr_vfs_sim_count(f->sim, WR_SIM_CHANGES & ~(unsigned)WR_SIM_OPEN), changes);
    assert_true(wr_vfs_sim_same(f->sim, before, where, sizeof(where)));
    wr_vfs_sim_free(before);
}

#endif
