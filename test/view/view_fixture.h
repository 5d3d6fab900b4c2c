/*
 * view_fixture.h - a view in a test: a folder, a log in memory, a definition written in YAML, and what the
 * model holds, as text.
 */
#ifndef WR_VIEW_FIXTURE_H
#define WR_VIEW_FIXTURE_H

#include "log/memory.h"
#include "view/sink_fake.h"
#include "view/view.h"

struct view_fixture {
    char dir[64];
    char yaml_path[96]; /* in `dir`: where the definition says that it stands; not written */
    struct wr_arena arena;
    struct wr_manual_clock clock;
    struct wr_log *log;
    const struct wr_sink_ops *sink; /* NULL: the one that the definition names */
    bool is_stepped;                /* for struct wr_view_options, with ahead_min */
    size_t ahead_min;
    struct wr_view_definition *definition; /* the last one read; in `arena`, as are all before it */
    struct wr_view *view;
    char text[4096]; /* of the last query */
    struct weir_error err;
};

/* A fresh folder and log without groups of readers (`lacks` is added). Fails the test when it cannot. */
void view_fixture_open(struct view_fixture *f, unsigned lacks);

/* Let go of all; the folder is removed. */
void view_fixture_close(struct view_fixture *f);

/* Read a definition: "NAME:\n  from: …". The places in it are those of a file of its own. */
int view_fixture_define(struct view_fixture *f, const char *yaml);

/* Append events of type A with numbers from .. to-1 as their `n` to partition 0, in one commit. */
void view_fixture_append_numbers(struct view_fixture *f, const char *topic, int from, int to);

/* The log: make a topic; append one record to partition 0 or by key (NULL: null). */
void view_fixture_topic(struct view_fixture *f, const char *topic, uint32_t partitions);
void view_fixture_append(struct view_fixture *f, const char *topic, const char *key,
                         const char *value);
void view_fixture_append_record(struct view_fixture *f, const char *topic, uint32_t partition,
                                const struct wr_record *record);

/* Make the defined view, prepare it. */
int view_fixture_start(struct view_fixture *f);

/* Do its steps until nothing more is at hand, or it has ended, or it pauses. */
void view_fixture_run(struct view_fixture *f);

/* Let go of the view, as a stop would. */
void view_fixture_stop(struct view_fixture *f);

/* How it stands; borrowed until the fixture is closed. */
struct wr_view_status view_fixture_status(struct view_fixture *f);

/* The store has committed the numbers 0 .. count-1, in any order, each once. */
void view_fixture_expect_rows(const struct sink_fake_store *store, int count);

/* Ask the model in `file` of the folder: columns with "|", rows with " / " between them; "NULL" for it. Also
 * runs other statements. An error is given as "error: …". Borrowed until the next query. */
const char *view_fixture_query(struct view_fixture *f, const char *file, const char *sql);

/* Its path. Static storage until the next call. */
const char *view_fixture_path(const struct view_fixture *f, const char *file);

#endif
