/*
 * embedded_fixture.h - the embedded engine on a simulated disk, driven step by step, for the unit tests of
 * its files. Time stands still until a test lets it go on.
 */
#ifndef EMBEDDED_FIXTURE_H
#define EMBEDDED_FIXTURE_H

#include "log/embedded/embedded.h"
#include "log/embedded/engine.h"
#include "log/embedded/verify.h"
#include "sim/vfs_sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct fix {
    struct wr_vfs_sim *sim;
    struct wr_manual_clock clock;
    struct wr_rng rng;
    struct wr_log *log;
    struct wr_log_writer *writer;
    struct weir_error err;
    enum wr_durability durability;
    uint32_t journal_file_bytes;
    uint32_t journal_file_count;
    uint32_t placed_bytes_min;
    char notices[8192];
    char fatal[WEIR_ERROR_TEXT_MAX];
    char seen[16384];
};

/* Keeps what the engine tells. */
static inline void fix_notice(void *arg, enum wr_level level, const char *text)
{
    struct fix *f = arg;
    size_t at = strlen(f->notices);
    WR_UNUSED(level);
    (void)snprintf(f->notices + at, sizeof(f->notices) - at, "%s\n", text);
}

/* Keeps why the log failed. */
static inline void fix_fatal(void *arg, const struct weir_error *err)
{
    struct fix *f = arg;
    memcpy(f->fatal, err->text, sizeof(f->fatal));
}

/* Open the folder "log"; may fail. */
static inline int fix_try_open(struct fix *f)
{
    struct wr_embedded_options options = {
        .dir = "log",
        .vfs = wr_vfs_sim_vfs(f->sim),
        .clock = &f->clock.clock,
        .rng = &f->rng,
        .durability = f->durability,
        .journal_file_bytes = f->journal_file_bytes,
        .journal_file_count = f->journal_file_count,
        .placed_bytes_min = f->placed_bytes_min,
        .room_bytes_min = 64 * 1024,
        .on_fatal = fix_fatal,
        .on_notice = fix_notice,
        .arg = f,
    };
    f->notices[0] = 0;
    return wr_embedded_open(&options, &f->log, &f->err);
}

/* Open it, and a writer; must succeed. */
static inline void fix_open(struct fix *f)
{
    if (fix_try_open(f) < 0) {
        fail_msg("open: %s", f->err.text);
    }
    struct wr_log_writer_options none = {0};
    assert_int_equal(wr_log_writer_open(f->log, &none, &f->writer, &f->err), 0);
}

/* An empty disk; nothing is open. Owned by the caller: fix_free(). */
static inline struct fix *fix_new(void)
{
    struct fix *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->sim = wr_vfs_sim_new();
    f->clock = wr_manual_clock_of(INT64_C(1700000000000000));
    f->rng = wr_rng_of(7);
    f->journal_file_bytes = 256 * 1024;
    f->journal_file_count = 3;
    return f;
}

/* The engine behind the log. Borrowed. */
static inline struct wr_embedded *fix_engine(struct fix *f)
{
    return wr_embedded_of(f->log);
}

/* Stop cleanly. */
static inline void fix_close(struct fix *f)
{
    wr_log_writer_close(f->writer);
    wr_log_close(f->log);
    f->writer = NULL;
    f->log = NULL;
}

/* As kill -9: what the disk's cache has stays. */
static inline void fix_kill(struct fix *f)
{
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f->sim, WR_SIM_LOSS_ALL, 1);
    wr_log_writer_close(f->writer);
    wr_embedded_abandon(f->log);
    wr_vfs_sim_free(f->sim);
    f->sim = image;
}

/* Free; nothing is open. */
static inline void fix_free(struct fix *f)
{
    wr_vfs_sim_free(f->sim);
    free(f);
}

/* Do all steps that there are. */
static inline void fix_drive(struct fix *f)
{
    int rc = 1;
    while (rc == 1) {
        rc = wr_embedded_step(f->log, &f->err);
    }
    if (rc < 0) {
        fail_msg("step: %s", f->err.text);
    }
}

/* Settings: "key=value,key=value". */
static inline struct wr_log_topic *fix_topic(struct fix *f, const char *name, uint32_t partitions,
                                             const char *settings)
{
    char text[400];
    struct wr_topic_setting list[8];
    size_t count = 0;
    char *save = NULL;
    (void)snprintf(text, sizeof(text), "%s", settings == NULL ? "" : settings);
    for (char *one = strtok_r(text, ",", &save); one != NULL; one = strtok_r(NULL, ",", &save)) {
        char *value = strchr(one, '=');
        assert_non_null(value);
        *value = 0;
        list[count] = (struct wr_topic_setting){one, value + 1};
        count++;
    }
    struct wr_topic_spec spec = {name, partitions, list, count};
    struct wr_log_topic *topic = NULL;
    if (wr_log_topic_ensure(f->log, &spec, &topic, &f->err) < 0) {
        fail_msg("topic: %s", f->err.text);
    }
    return topic;
}

/* Append a record; text NULL: null. */
static inline void fix_append(struct fix *f, struct wr_log_topic *topic, uint32_t partition,
                              const char *key, const char *value)
{
    struct wr_record record = {
        .key = wr_bytes_of_str(wr_str_of(key)),
        .value = wr_bytes_of_str(wr_str_of(value)),
        .timestamp_ms = -1,
    };
    if (wr_log_append(f->writer, topic, partition, &record, &f->err) < 0) {
        fail_msg("append: %s", f->err.text);
    }
}

/* Commit, and see it done. */
static inline void fix_commit(struct fix *f)
{
    struct wr_log_answer answer;
    assert_int_equal(wr_log_writer_commit(f->writer, WR_COMMIT_PLAIN, NULL, &f->err), 0);
    fix_drive(f);
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 1);
    if (answer.outcome != WR_COMMIT_DONE) {
        fail_msg("commit: %s", answer.err.text);
    }
}

/* One record, committed. */
static inline void fix_put(struct fix *f, struct wr_log_topic *topic, uint32_t partition,
                           const char *key, const char *value)
{
    fix_append(f, topic, partition, key, value);
    fix_commit(f);
}

/* "offset:key=value" of all committed records from `from` on, or "!" and the error. */
static inline const char *fix_read(struct fix *f, struct wr_log_topic *topic, uint32_t partition,
                                   int64_t from)
{
    struct wr_log_reader *reader = NULL;
    struct wr_log_chunk chunk = {.kind = WR_POLL_RECORDS};
    struct wr_log_reader_options options = {0};
    size_t at = 0;
    f->seen[0] = 0;
    assert_int_equal(wr_log_reader_open(f->log, &options, &reader, &f->err), 0);
    int rc = wr_log_reader_assign(reader, topic, partition, from, &f->err);
    while (rc == 0 && chunk.kind == WR_POLL_RECORDS) {
        rc = wr_log_reader_poll(reader, 0, &chunk, &f->err);
        for (size_t i = 0; rc == 0 && i < chunk.count; i++) {
            const struct wr_record *r = &chunk.records[i].record;
            at += (size_t)snprintf(f->seen + at, sizeof(f->seen) - at, "%s%" PRId64 ":%.*s=%.*s",
                                   at == 0 ? "" : " ", chunk.records[i].offset, (int)r->key.len,
                                   (const char *)r->key.ptr,
                                   r->value.ptr == NULL ? 4 : (int)r->value.len,
                                   r->value.ptr == NULL ? "null" : (const char *)r->value.ptr);
        }
    }
    if (rc < 0) {
        (void)snprintf(f->seen + at, sizeof(f->seen) - at, "!%s", f->err.text);
    }
    wr_log_reader_close(reader);
    return f->seen;
}

/* Where the journal's next entry is going to stand. */
static inline struct wr_journal_place fix_next_entry(struct fix *f)
{
    struct wr_journal_mark mark;
    wr_journal_mark(&fix_engine(f)->journal, &mark);
    return mark.start.place;
}

/* Turn what begins there in the journal into zeros. */
static inline void fix_zero_blocks(struct fix *f, struct wr_journal_place place, size_t count)
{
    char path[40];
    (void)snprintf(path, sizeof(path), "log/journal/%u", place.file);
    wr_vfs_sim_zero(f->sim, path, place.at, count * WR_JOURNAL_BLOCK);
}

/* How the partition stands. */
static inline struct wr_partition_info fix_info(struct fix *f, const struct wr_log_topic *topic,
                                                uint32_t partition)
{
    struct wr_partition_info info;
    assert_int_equal(wr_log_partition_info(f->log, topic, partition, &info, &f->err), 0);
    return info;
}

/* A finding fails the test. */
static inline int fix_tell(void *arg, const struct wr_finding *finding, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(err);
    fail_msg("%s: %s: %s", finding->path, wr_finding_name(finding->kind), finding->what);
    return 0;
}

/* Verify the folder, which nobody has open: there is nothing to say. */
static inline void fix_verify(struct fix *f)
{
    struct wr_verify_sum sum;
    struct wr_verify_options options = {
        .vfs = wr_vfs_sim_vfs(f->sim), .dir = "log", .each = fix_tell};
    assert_int_equal(wr_embedded_verify(&options, &sum, &f->err), 0);
}

#endif
