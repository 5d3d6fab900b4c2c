/*
 * made_log.h - a log on a simulated disk to damage: for test_verify.c.
 *
 * It has a topic `orders` of two partitions, in 0 three segments of ten commits of ten records each, in 1
 * one commit; and a topic `marked` with transactions, every other one aborted. A record's value says its
 * offset.
 */
#ifndef WR_TEST_MADE_LOG_H
#define WR_TEST_MADE_LOG_H

#include "log/embedded/embedded.h"
#include "log/embedded/verify.h"
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

/* Open it, without threads. */
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

/* Find a topic or make it. */
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

/* A writer that fences nobody. */
static inline struct wr_log_writer *writer_of(struct wr_log *log)
{
    struct weir_error err = {0};
    struct wr_log_writer_options options = {0};
    struct wr_log_writer *writer = NULL;
    assert_int_equal(wr_log_writer_open(log, &options, &writer, &err), 0);
    return writer;
}

/* One record that says its offset, into the commit being filled. */
static inline void append(struct wr_log_writer *writer, struct wr_log_topic *topic,
                          uint32_t partition, int64_t offset)
{
    struct weir_error err = {0};
    char value[64];
    (void)snprintf(value, sizeof(value), "value %06" PRId64 " and some more", offset);
    struct wr_record record = {.value = wr_bytes_of_str(wr_str_of(value)), .timestamp_ms = -1};
    assert_int_equal(wr_log_append(writer, topic, partition, &record, &err), 0);
}

/* One step, which must answer DONE. */
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

/* Hand over, and drive until it is answered. */
static inline void commit(struct fixture *f, struct wr_log *log, struct wr_log_writer *writer)
{
    struct weir_error err = {0};
    uint64_t number = 0;
    wr_manual_clock_advance(&f->clock, 7000);
    assert_int_equal(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &number, &err), 0);
    drive(log, writer);
}

/* The topic `orders`. */
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

/* The topic `marked`. */
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

#endif
