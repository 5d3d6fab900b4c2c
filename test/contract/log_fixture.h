/*
 * log_fixture.h - what the contract tests of the log share: a log of some engine, and short ways to use it.
 *
 * A test gets a fresh, empty log and need not tidy up: what it opens through the functions here is closed
 * after it. Engines that do nothing by themselves are driven wherever a test waits.
 */
#ifndef LOG_FIXTURE_H
#define LOG_FIXTURE_H

#include "log/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture;

/* One engine in one setting. */
struct variant {
    const char *name; /* as on the command line */
    int kind;         /* the engine's own */

    /* Open f->log, a new one or where the last one was. */
    void (*open)(struct fixture *f);

    /* Remove what the log left on the machine. May be NULL. */
    void (*remove)(struct fixture *f);

    /* As kill -9 with all open, and open again; what the test had open is closed. NULL: nothing survives
     * this engine. */
    void (*kill)(struct fixture *f);

    /* Do what there is to do. NULL: it does it by itself. */
    void (*drive)(struct fixture *f);

    /* Make the disk full, or full no more. NULL: cannot. */
    void (*fill)(struct fixture *f, bool is_full);

    /* Let retention remove all closed records of a partition. NULL: cannot. */
    void (*expire)(struct fixture *f, struct wr_log_topic *topic, uint32_t partition);

    /* From now on no sync of what is appended ends, until it is released; wait until one has begun. NULL:
     * cannot. */
    void (*hold_syncs)(struct fixture *f, bool is_held);
    void (*await_sync)(struct fixture *f);

    /* Damage the second of three equal batches of a topic's partition on disk. NULL: cannot. */
    void (*harm)(struct fixture *f, struct wr_log_topic *topic, uint32_t partition);

    /* What a group has committed, -1 for nothing. NULL: cannot say. */
    int64_t (*group_offset)(struct fixture *f, const char *group, const struct wr_log_topic *topic,
                            uint32_t partition);
};

enum {
    HELD_MAX = 64
};

struct fixture {
    const struct variant *variant;
    struct wr_log *log;
    struct weir_error err;
    void *own; /* the engine's */
    struct wr_log_topic *topics[HELD_MAX];
    size_t topic_count;
    struct wr_log_writer *writers[HELD_MAX];
    size_t writer_count;
    struct wr_log_reader *readers[HELD_MAX];
    size_t reader_count;
};

/* The variants of each engine, ended by one without a name. */
extern const struct variant memory_variants[];
extern const struct variant embedded_variants[];

/* The variant under test; what setup and teardown do around each test. */
extern const struct variant *variant_under_test;
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Close all that the test opened. */
void close_all(struct fixture *f);

/* Stop the log cleanly, or kill it, and open it again. Topics, writers and readers are closed. */
void restart(struct fixture *f, bool is_clean);

/* Make a topic with these settings ("key=value,key=value", NULL: none); look one up. Must succeed. */
struct wr_log_topic *make_topic(struct fixture *f, const char *name, uint32_t partitions,
                                const char *settings);
struct wr_log_topic *find_topic(struct fixture *f, const char *name);

/* Open a writer, a reader; close one before its time. */
struct wr_log_writer *open_writer(struct fixture *f, const char *id);
struct wr_log_reader *open_reader(struct fixture *f, enum wr_isolation isolation);
void close_writer(struct fixture *f, struct wr_log_writer *writer);
void close_reader(struct fixture *f, struct wr_log_reader *reader);

/* Append a value, with or without a key (NULL). Must succeed. */
void append(struct fixture *f, struct wr_log_writer *writer, struct wr_log_topic *topic,
            uint32_t partition, const char *key, const char *value);

/* Hand over what was appended; gives its number. */
uint64_t commit(struct fixture *f, struct wr_log_writer *writer);

/* The next answer, waited for. */
struct wr_log_answer take_answer(struct fixture *f, struct wr_log_writer *writer);

/* Commit, and wait for its answer, which must be DONE. */
struct wr_log_answer commit_done(struct fixture *f, struct wr_log_writer *writer);

/* Append one value to a partition and commit it. */
void put(struct fixture *f, struct wr_log_writer *writer, struct wr_log_topic *topic,
         uint32_t partition, const char *value);

/* End a marked transaction, DONE. */
void end_done(struct fixture *f, struct wr_log_writer *writer, bool keep);

/* Is the descriptor readable now? */
bool is_readable(int fd);

/* Take the next chunk, waited for up to 10 s. */
struct wr_log_chunk take_chunk(struct fixture *f, struct wr_log_reader *reader);

/* What a reader is given now, without waiting: "0:7=a 1:0=b" (partition:offset=value, "-" for null).
 * Static, until the next call. */
const char *read_now(struct fixture *f, struct wr_log_reader *reader);

/* All that a fresh reader sees of a partition from its start: "7=a 8=b". Static, until the next call. */
const char *seen(struct fixture *f, struct wr_log_topic *topic, uint32_t partition);
const char *seen_raw(struct fixture *f, struct wr_log_topic *topic, uint32_t partition);

/* How a partition stands. */
struct wr_partition_info info_of(struct fixture *f, const struct wr_log_topic *topic,
                                 uint32_t partition);

#define TEST(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* The tests, a file each. */
int topic_contract(void);
int writer_contract(void);
int marked_contract(void);
int reader_contract(void);
int group_contract(void);
int restart_contract(void);

#endif
