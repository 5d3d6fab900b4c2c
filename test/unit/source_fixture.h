/*
 * source_fixture.h - a log in memory with a clock that stands still, one table, and what readers of
 * committed records see; for tests of the feed and of the runner.
 */
#ifndef WR_TEST_SOURCE_FIXTURE_H
#define WR_TEST_SOURCE_FIXTURE_H

#include "data/envelope.h"
#include "data/json_converter.h"
#include "log/memory.h"
#include "source/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    SEEN_MAX = 4096
};

/* What a reader saw: the topic, and the row's id (or the position's text), in the order of the reader. */
struct seen {
    char topic[64];
    char text[256];
};

struct fixture {
    struct wr_manual_clock clock;
    struct wr_log *log;
    struct seen seen[SEEN_MAX];
    size_t seen_count;
};

/* An empty log; commits of at most `commit_bytes_max` (0: as many as the log likes). */
static inline void fixture_open(struct fixture *f, size_t commit_bytes_max)
{
    f->clock = wr_manual_clock_of(INT64_C(1700000000000000));
    const struct wr_memory_options options = {.clock = &f->clock.clock,
                                              .commit_bytes_max = commit_bytes_max};
    f->log = wr_memory_log_open(&options);
    f->seen_count = 0;
}

/* Let it go; what was opened on it is closed before. */
static inline void fixture_close(struct fixture *f)
{
    wr_log_close(f->log);
}

/* Milliseconds go by. */
static inline void fixture_pass(struct fixture *f, int64_t ms)
{
    wr_manual_clock_advance(&f->clock, ms * 1000);
}

/* The text between `"name":` and the next comma or bracket of a JSON value. */
static inline void member_of(struct wr_bytes json, const char *name, char out[256])
{
    char key[80];
    (void)snprintf(key, sizeof(key), "\"%s\":", name);
    const char *at = json.ptr == NULL ? NULL : memmem(json.ptr, json.len, key, strlen(key));
    size_t len = at == NULL ? 0 : strcspn(at + strlen(key), ",}");
    (void)snprintf(out, 256, "%.*s", (int)len, at == NULL ? "" : at + strlen(key));
}

static inline void fixture_note(struct fixture *f, const struct wr_log_chunk *chunk,
                                const struct wr_log_record *r)
{
    assert_true(f->seen_count < SEEN_MAX);
    struct seen *s = &f->seen[f->seen_count++];
    (void)snprintf(s->topic, sizeof(s->topic), "%s", chunk->topic->name);
    if (strcmp(s->topic, WR_POSITIONS_TOPIC) == 0) {
        (void)snprintf(s->text, sizeof(s->text), "%.*s", (int)r->record.value.len,
                       (const char *)r->record.value.ptr);
    } else {
        member_of(r->record.key, "id", s->text);
    }
}

/* Read all that is committed, topic by topic, from the start. */
static inline int fixture_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct fixture *f = arg;
    struct wr_log_reader *reader = NULL;
    const struct wr_log_reader_options options = {.isolation = WR_READ_COMMITTED};
    assert_int_equal(wr_log_reader_open(f->log, &options, &reader, err), 0);
    assert_int_equal(wr_log_reader_assign(reader, topic, 0, WR_OFFSET_EARLIEST, err), 0);
    struct wr_log_chunk chunk = {.kind = WR_POLL_RECORDS};
    while (chunk.kind == WR_POLL_RECORDS) {
        assert_int_equal(wr_log_reader_poll(reader, 0, &chunk, err), 0);
        for (size_t i = 0; chunk.kind == WR_POLL_RECORDS && i < chunk.count; i++) {
            fixture_note(f, &chunk, &chunk.records[i]);
        }
    }
    wr_log_reader_close(reader);
    return 0;
}

static inline void fixture_read(struct fixture *f)
{
    struct weir_error err;
    f->seen_count = 0;
    assert_int_equal(wr_log_topic_list(f->log, fixture_topic, f, &err), 0);
}

/* Texts of a topic, with blanks between them: "1 2 3". */
static inline const char *fixture_texts(struct fixture *f, const char *topic)
{
    static char out[64 << 10];
    size_t len = 0;
    out[0] = 0;
    fixture_read(f);
    for (size_t i = 0; i < f->seen_count; i++) {
        if (strcmp(f->seen[i].topic, topic) == 0) {
            len += (size_t)snprintf(out + len, sizeof(out) - len, len == 0 ? "%s" : " %s",
                                    f->seen[i].text);
        }
    }
    return out;
}

/* ---- one table -------------------------------------------------------------------------------------- */

static const struct wr_column fixture_columns[] = {
    {.name = WR_STR_INIT("id"), .type = WR_TYPE_INT64, .default_value = {.state = WR_VALUE_ABSENT}},
    {.name = WR_STR_INIT("note"),
     .type = WR_TYPE_TEXT,
     .is_nullable = true,
     .default_value = {.state = WR_VALUE_ABSENT}},
};
static const uint32_t fixture_key[] = {0};
static const struct wr_table fixture_table = {.version = 1,
                                              .db = WR_STR_INIT("db"),
                                              .schema = WR_STR_INIT("s"),
                                              .name = WR_STR_INIT("t"),
                                              .columns = fixture_columns,
                                              .column_count = 2,
                                              .key = fixture_key,
                                              .key_count = 1};

/* An insert of a row; `values` holds it. */
static inline struct wr_change fixture_insert(int64_t id, const char *note,
                                              struct wr_value values[2])
{
    values[0] = (struct wr_value){.state = WR_VALUE_SET, .u.i = id};
    values[1] =
        (struct wr_value){.state = WR_VALUE_SET, .u.bytes = wr_bytes_of_str(wr_str_of(note))};
    return (struct wr_change){.op = WR_OP_CREATE,
                              .table = &fixture_table,
                              .after = values,
                              .origin = {.ts_us = 1, .has_tx_id = true, .tx_id = 7, .lsn = 5}};
}

#endif
