/*
 * The promises of sink_ops.h, on each store. A variant says how its definition is written and how many rows it
 * holds; an event's row is its field n; n is unique, and an n below zero cannot be applied.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "view/sink.h"
#include "view/sink_fake.h"
#include "view/view_fixture.h"

struct variant {
    const char *name;
    const char *yaml;
    const char *
        changed; /* the same view with another handler; NULL: the store does not keep definitions */
    const struct wr_sink_ops *ops;
    const char *(*rows)(struct view_fixture *f); /* committed, ascending: "1 / 2" */
};

static struct sink_fake_store fake_store;

static const char *fake_rows(struct view_fixture *f)
{
    size_t len = 0;
    f->text[0] = 0;
    for (size_t i = 0; i < fake_store.committed; i++) {
        len += (size_t)snprintf(f->text + len, sizeof(f->text) - len, "%s%lld", i == 0 ? "" : " / ",
                                (long long)fake_store.rows[i]);
    }
    return f->text;
}

static const char *sqlite_rows(struct view_fixture *f)
{
    return view_fixture_query(f, "x.db", "SELECT n FROM t ORDER BY n");
}

static const struct variant variants[] = {
    {.name = "sqlite",
     .yaml = "v:\n  from: a\n  to: sqlite:x.db\n"
             "  schema: CREATE TABLE t (n INTEGER PRIMARY KEY CHECK (n >= 0))\n"
             "  on: {A: [\"INSERT INTO t VALUES (:n)\", \"SELECT 1\"]}\n",
     .changed = "v:\n  from: a\n  to: sqlite:x.db\n"
                "  schema: CREATE TABLE t (n INTEGER PRIMARY KEY CHECK (n >= 0))\n"
                "  on: {A: [\"INSERT INTO t VALUES (:n + 1)\", \"SELECT 1\"]}\n",
     .ops = &wr_sink_sqlite,
     .rows = sqlite_rows},
    {.name = "fake",
     .yaml = "v:\n  from: a\n  to: 'fake:'\n  on: {A: x}\n",
     .ops = &sink_fake,
     .rows = fake_rows},
};

static const struct variant *variant;

/* A sink of the view, with its own parameters and event reader, as a view has them. */
struct party {
    struct wr_parameters parameters;
    struct wr_sink *sink;
    struct wr_event_reader *events;
};

struct fixture {
    struct view_fixture view;
    struct party a;
    struct party b;
};

static int create(struct fixture *f, struct party *party, const char *yaml)
{
    struct view_fixture *v = &f->view;
    static const struct wr_str type = WR_STR_INIT("A");
    assert_int_equal(view_fixture_define(v, yaml), 0);
    party->parameters = wr_parameters_of(&v->arena);
    struct wr_sink_options options = {v->definition, &party->parameters, &v->arena};
    assert_int_equal(wr_sink_create(variant->ops, &options, &party->sink, &v->err), 0);
    struct wr_event_options event_options = {&party->parameters, {NULL, 0}, &type, 1};
    assert_int_equal(wr_event_reader_new(&event_options, &party->events, &v->err), 0);
    return wr_sink_open(party->sink, &v->err);
}

static void close_party(struct party *party)
{
    wr_sink_close(party->sink);
    wr_event_reader_free(party->events);
    *party = (struct party){0};
}

static int setup(void **state)
{
    static struct fixture f;
    memset(&f, 0, sizeof(f));
    memset(&fake_store, 0, sizeof(fake_store));
    sink_fake_use(&fake_store);
    view_fixture_open(&f.view, 0);
    if (create(&f, &f.a, variant->yaml) < 0) {
        fail_msg("%s", f.view.err.text);
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_party(&f->a);
    close_party(&f->b);
    view_fixture_close(&f->view);
    return 0;
}

static int apply(struct fixture *f, struct party *party, const char *value)
{
    static const struct wr_event_place place = {0, 0, -1};
    const struct wr_event *event = NULL;
    static struct wr_record record;
    record.value = wr_bytes_of_str(wr_str_of(value));
    assert_int_equal(wr_event_read(party->events, &place, &record, &event, &f->view.err), 0);
    assert_int_equal(event->wanted, 0);
    const struct wr_sink_needs *needs = &party->sink->needs[0];
    struct wr_bind values[4];
    assert_in_range(needs->count, 1, 4);
    for (size_t i = 0; i < needs->count; i++) {
        assert_int_equal(wr_event_value(party->events, &needs->uses[i], &values[i], &f->view.err),
                         0);
    }
    const struct wr_sink_event applied = {values, wr_event_time_ms(party->events)};
    return wr_sink_apply(party->sink, 0, &applied, &f->view.err);
}

static int begin(struct fixture *f, struct party *party)
{
    return wr_sink_begin(party->sink, &f->view.err);
}

/* Commit with one move of a partition of topic "a". */
static int commit(struct fixture *f, struct party *party, uint32_t partition, int64_t from,
                  int64_t to)
{
    struct wr_sink_move move = {.to = {.topic = WR_STR("a"),
                                       .topic_id = {{1, 2, 3}},
                                       .partition = partition,
                                       .next_offset = to,
                                       .leader_epoch = 7},
                                .from = from};
    return wr_sink_commit(party->sink, &move, 1, &f->view.err);
}

static int put_position(void *arg, const struct wr_sink_position *position, struct weir_error *err)
{
    struct view_fixture *f = arg;
    size_t len = strlen(f->text);
    WR_UNUSED(err);
    (void)snprintf(f->text + len, sizeof(f->text) - len, "%s/%u@%lld e%d id%d%d ",
                   position->topic.ptr, position->partition, (long long)position->next_offset,
                   position->leader_epoch, position->topic_id.bytes[1],
                   position->topic_id.bytes[15]);
    return 0;
}

static const char *positions(struct fixture *f, struct party *party)
{
    f->view.text[0] = 0;
    assert_int_equal(wr_sink_positions(party->sink, put_position, &f->view, &f->view.err), 0);
    return f->view.text;
}

/* As it is told to those who only look. */
static const char *stored(struct fixture *f)
{
    f->view.text[0] = 0;
    int rc = variant->ops->stored(f->view.definition, put_position, &f->view, &f->view.err);
    assert_int_equal(rc, 0);
    return f->view.text;
}

static void rows_and_positions_commit_together(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(positions(f, &f->a), "");
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":2}"), 0);
    assert_string_equal(variant->rows(&f->view), "");
    assert_int_equal(commit(f, &f->a, 3, -1, 12), 0);
    assert_string_equal(variant->rows(&f->view), "1 / 2");
    assert_string_equal(positions(f, &f->a), "a/3@12 e7 id20 ");
    assert_string_equal(stored(f), "a/3@12 e7 id20 ");
}

static void where_it_stands_is_told_without_opening_it(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(stored(f), "");
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(commit(f, &f->a, 3, -1, 12), 0);
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":2}"), 0);
    assert_string_equal(stored(f), "a/3@12 e7 id20 "); /* whatever is going on there */
    assert_int_equal(commit(f, &f->a, 3, 12, 13), 0);
    close_party(&f->a);
    assert_string_equal(stored(f), "a/3@13 e7 id20 ");
    assert_int_equal(create(f, &f->a, variant->yaml), 0);
    assert_string_equal(positions(f, &f->a), "a/3@13 e7 id20 ");
}

static void what_was_committed_is_there_after_opening_again(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
    assert_int_equal(commit(f, &f->a, 0, -1, 1), 0);
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":2}"), 0);
    close_party(&f->a); /* in the middle: taken back */
    assert_int_equal(create(f, &f->a, variant->yaml), 0);
    assert_string_equal(variant->rows(&f->view), "1");
    assert_string_equal(positions(f, &f->a), "a/0@1 e7 id20 ");
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(commit(f, &f->a, 0, 1, 2), 0);
    assert_string_equal(positions(f, &f->a), "a/0@2 e7 id20 ");
}

static void a_rollback_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
    wr_sink_rollback(f->a.sink);
    wr_sink_rollback(f->a.sink); /* nothing is open */
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(commit(f, &f->a, 0, -1, 0), 0);
    assert_string_equal(variant->rows(&f->view), "");
}

static void an_event_that_fails_leaves_the_others(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":-5}"), WEIR_E_INPUT);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":2}"), 0);
    assert_int_equal(commit(f, &f->a, 0, -1, 4), 0);
    assert_string_equal(variant->rows(&f->view), "1 / 2");
}

static void a_position_that_is_not_where_it_should_be_fences(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(commit(f, &f->a, 0, -1, 5), 0);
    static const int64_t wrong[] = {-1, 4, 6};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(begin(f, &f->a), 0);
        assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
        assert_int_equal(commit(f, &f->a, 0, wrong[i], 9), WEIR_E_FENCED);
    }
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(commit(f, &f->a, 1, 0, 9), WEIR_E_FENCED); /* not there at all */
    assert_string_equal(variant->rows(&f->view), "");
    assert_string_equal(positions(f, &f->a), "a/0@5 e7 id20 ");
}

static void two_cannot_write_at_once(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create(f, &f->b, variant->yaml), 0);
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
    assert_int_equal(begin(f, &f->b), WEIR_E_BUSY);
    assert_int_equal(commit(f, &f->a, 0, -1, 1), 0);
    assert_int_equal(begin(f, &f->b), 0);
    assert_int_equal(apply(f, &f->b, "{\"type\":\"A\",\"n\":2}"), 0);
    assert_int_equal(commit(f, &f->b, 0, 1, 2), 0);
    assert_string_equal(variant->rows(&f->view), "1 / 2");
}

static void another_definition_is_refused(void **state)
{
    struct fixture *f = *state;
    if (variant->changed == NULL) {
        return;
    }
    close_party(&f->a);
    assert_int_equal(create(f, &f->a, variant->changed), WEIR_E_REFUSED);
    assert_non_null(strstr(f->view.err.text, "what it does on 'A' was changed"));
    assert_non_null(strstr(f->view.err.text, "name a new file"));
    close_party(&f->a);
    assert_int_equal(create(f, &f->a, variant->yaml), 0);
}

static void an_interrupted_sink_does_nothing_more(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, &f->a), 0);
    assert_int_equal(apply(f, &f->a, "{\"type\":\"A\",\"n\":1}"), 0);
    wr_sink_interrupt(f->a.sink);
    int rc = commit(f, &f->a, 0, -1, 1);
    assert_true(rc == 0 || rc == WEIR_E_STOPPED);
    assert_string_equal(variant->rows(&f->view), rc == 0 ? "1" : "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_and_positions_commit_together),
        TEST(where_it_stands_is_told_without_opening_it),
        TEST(what_was_committed_is_there_after_opening_again),
        TEST(a_rollback_leaves_nothing),
        TEST(an_event_that_fails_leaves_the_others),
        TEST(a_position_that_is_not_where_it_should_be_fences),
        TEST(two_cannot_write_at_once),
        TEST(another_definition_is_refused),
        TEST(an_interrupted_sink_does_nothing_more),
    };
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        if (argc > 1 && strcmp(argv[1], variants[i].name) == 0) {
            variant = &variants[i];
            return cmocka_run_group_tests(tests, NULL, NULL);
        }
    }
    (void)fprintf(stderr, "which store?\n");
    return 2;
}
