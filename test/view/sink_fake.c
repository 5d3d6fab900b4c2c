#include "view/sink_fake.h"

static struct sink_fake_store no_store;
static struct sink_fake_store *store = &no_store;

struct fake {
    struct wr_sink sink; /* first */
    struct wr_parameter_use n;
    bool is_interrupted;
};

void sink_fake_use(struct sink_fake_store *used)
{
    WR_ASSERT(used != NULL);
    store = used;
}

/* What this call is told to answer: 0 or a code. */
static int told(enum sink_fake_call call, struct weir_error *err)
{
    static const int codes[] = {WEIR_E_BUSY, WEIR_E_FULL, WEIR_E_CONNECT, WEIR_E_AGAIN};
    int code = 0;
    if (store->fail[call].at > 0 && --store->fail[call].at == 0) {
        code = store->fail[call].code;
    } else if (store->odds > 0 && wr_rng_below(&store->rng, store->odds) == 0) {
        code = codes[wr_rng_below(&store->rng, 4)];
    }
    return code == 0 ? 0 : wr_fail(err, code, "fake: told to");
}

static int create(const struct wr_sink_options *options, struct wr_sink **out,
                  struct weir_error *err)
{
    struct fake *fake = wr_alloc_array(1, sizeof(*fake));
    WR_ASSERT(fake != NULL);
    size_t at = 0;
    int rc = wr_parameter_parse(WR_STR(":n"), options->parameters, &fake->n, &at, err);
    WR_ASSERT(rc == 0);
    fake->sink.ops = &sink_fake;
    struct wr_sink_needs *needs =
        wr_arena_array(options->arena, options->definition->on_count, sizeof(*needs));
    WR_ASSERT(needs != NULL);
    for (size_t i = 0; i < options->definition->on_count; i++) {
        needs[i] = (struct wr_sink_needs){&fake->n, 1};
    }
    fake->sink.needs = needs;
    *out = &fake->sink;
    return 0;
}

static int create_loose(const struct wr_sink_options *options, struct wr_sink **out,
                        struct weir_error *err)
{
    int rc = create(options, out, err);
    (*out)->ops = &sink_fake_loose;
    return rc;
}

static int stopped(const struct wr_sink *sink, struct weir_error *err)
{
    return ((const struct fake *)sink)->is_interrupted
               ? wr_fail(err, WEIR_E_STOPPED, "fake: interrupted")
               : 0;
}

static int open_fake(struct wr_sink *sink, struct weir_error *err)
{
    int rc = stopped(sink, err);
    return rc < 0 ? rc : told(SINK_FAKE_OPEN, err);
}

static void rollback(struct wr_sink *sink)
{
    if (store->writer == sink) {
        store->count = store->committed;
        store->writer = NULL;
    }
}

static void close_fake(struct wr_sink *sink)
{
    rollback(sink);
    wr_free(sink);
}

static int positions(struct wr_sink *sink,
                     int (*each)(void *arg, const struct wr_sink_position *position,
                                 struct weir_error *err),
                     void *arg, struct weir_error *err)
{
    int rc = stopped(sink, err);
    rc = rc < 0 ? rc : told(SINK_FAKE_POSITIONS, err);
    const struct sink_fake_store *s = store;
    for (size_t i = 0; i < s->position_count && rc == 0; i++) {
        rc = each(arg, &s->positions[i], err);
    }
    return rc;
}

static int stored(const struct wr_view_definition *definition,
                  int (*each)(void *arg, const struct wr_sink_position *position,
                              struct weir_error *err),
                  void *arg, struct weir_error *err)
{
    WR_UNUSED(definition);
    int rc = 0;
    for (size_t i = 0; i < store->position_count && rc == 0; i++) {
        rc = each(arg, &store->positions[i], err);
    }
    return rc;
}

static int begin(struct wr_sink *sink, struct weir_error *err)
{
    int rc = stopped(sink, err);
    rc = rc < 0 ? rc : told(SINK_FAKE_BEGIN, err);
    if (rc == 0 && store->writer != NULL) {
        rc = wr_fail(err, WEIR_E_BUSY, "fake: another transaction is open");
    }
    store->writer = rc == 0 ? sink : store->writer;
    return rc;
}

static int apply(struct wr_sink *sink, uint32_t index, const struct wr_sink_event *event,
                 struct weir_error *err)
{
    const struct wr_bind *n = &event->values[0];
    WR_UNUSED(index);
    WR_ASSERT(store->writer == sink);
    int rc = stopped(sink, err);
    rc = rc < 0 ? rc : told(SINK_FAKE_APPLY, err);
    if (rc < 0) {
        return rc;
    }
    if (n->kind != WR_BIND_INT || n->u.i < 0) {
        return wr_fail(err, WEIR_E_INPUT, "fake: a bad number");
    }
    WR_ASSERT(store->count < SINK_FAKE_ROWS_MAX);
    store->rows[store->count++] = n->u.i;
    return 0;
}

static struct wr_sink_position *find(struct sink_fake_store *s,
                                     const struct wr_sink_position *wanted)
{
    for (size_t i = 0; i < s->position_count; i++) {
        if (s->positions[i].partition == wanted->partition &&
            wr_str_eq(s->positions[i].topic, wanted->topic)) {
            return &s->positions[i];
        }
    }
    return NULL;
}

static int check_move(const struct wr_sink_move *move, struct weir_error *err)
{
    const struct wr_sink_position *known = find(store, &move->to);
    bool is_there = known != NULL && memcmp(&known->topic_id, &move->to.topic_id, 16) == 0 &&
                    known->next_offset == move->from;
    bool is_new = known == NULL && move->from < 0;
    return is_there || is_new ? 0 : wr_fail(err, WEIR_E_FENCED, "fake: the position has moved");
}

static void do_move(struct sink_fake_store *s, const struct wr_sink_move *move)
{
    struct wr_sink_position *known = find(s, &move->to);
    if (known == NULL) {
        WR_ASSERT(s->position_count < SINK_FAKE_POSITIONS_MAX);
        WR_ASSERT(move->to.topic.len < sizeof(s->topics[0]));
        known = &s->positions[s->position_count];
        memcpy(s->topics[s->position_count], move->to.topic.ptr, move->to.topic.len);
        *known = move->to;
        known->topic.ptr = s->topics[s->position_count++];
        return;
    }
    known->next_offset = move->to.next_offset;
    known->leader_epoch = move->to.leader_epoch;
}

static int commit(struct wr_sink *sink, const struct wr_sink_move *moves, size_t count,
                  struct weir_error *err)
{
    WR_ASSERT(store->writer == sink);
    int rc = stopped(sink, err);
    rc = rc < 0 ? rc : told(SINK_FAKE_COMMIT, err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = check_move(&moves[i], err);
    }
    if (rc < 0) {
        return rc;
    }
    struct sink_fake_store *s = store;
    for (size_t i = 0; i < count; i++) {
        do_move(s, &moves[i]);
    }
    store->committed = store->count;
    store->writer = NULL;
    store->commits++;
    return told(SINK_FAKE_COMMIT_UNKNOWN, err);
}

static void interrupt(struct wr_sink *sink)
{
    ((struct fake *)sink)->is_interrupted = true;
}

#define FAKE_OPS(create_fn, capabilities_sum)                                                     \
    {                                                                                             \
        .prefix = "fake:", .form = "fake:", .capabilities = (capabilities_sum),                   \
        .create = (create_fn), .open = open_fake, .close = close_fake, .positions = positions,    \
        .stored = stored, .begin = begin, .apply = apply, .commit = commit, .rollback = rollback, \
        .interrupt = interrupt,                                                                   \
    }

const struct wr_sink_ops sink_fake = FAKE_OPS(create, WR_SINK_TRANSACTIONAL);
const struct wr_sink_ops sink_fake_loose = FAKE_OPS(create_loose, 0);
