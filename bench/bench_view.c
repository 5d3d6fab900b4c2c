/*
 * How fast does a view follow a table's changes into SQLite, against the same statements on the same values
 * without weir?
 *
 *     bench_view FOLDER [ROUNDS=5] [EVENTS=400000] [QUESTION]
 *
 * The events are Debezium's, of the textbook's orders: 70 % inserts, 25 % updates of one of the last 1000 rows,
 * 5 % deletes with their tombstones; as JSON, with Debezium's and weir's headers.
 *
 *     plain     into the table as the textbook has it
 *     indexed   into the same with two indexes
 *     schemas   plain, from records with their schemas inside
 *
 * weir reads the events from its log on disk and keeps the model and its position. The comparison has the values
 * in memory, prepares the same statements, binds and runs them, and commits as often; both files are in WAL mode
 * with synchronous=NORMAL. Both sides run in turn, each into a fresh file, and medians are told.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/rng.h"
#include "data/envelope.h"
#include "data/json_converter.h"
#include "log/embedded/embedded.h"
#include "view/view.h"

enum {
    ROUNDS_MAX = 99,
    LOOK_US = 200,    /* between two looks at how far the view is */
    LIVE_ROWS = 1000, /* updates and deletes choose among so many of the last */
    APPEND_MAX = 2000 /* records of a commit when the log is filled */
};

static const char put_sql[] =
    "INSERT INTO orders VALUES (:order_id, :customer_id, :amount, :status, :created_at) ON CONFLICT "
    "(order_id) DO UPDATE SET customer_id = :customer_id, amount = :amount, status = :status, created_at = "
    ":created_at";
static const char delete_sql[] = "DELETE FROM orders WHERE order_id = :order_id";
static const char schema_sql[] =
    "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER, amount REAL, status TEXT, "
    "created_at INTEGER)";

/* The same as one would have it for asking: by customer, and by status and time. */
static const char indexed_sql[] =
    "CREATE TABLE orders (order_id INTEGER PRIMARY KEY, customer_id INTEGER, amount REAL, status TEXT, "
    "created_at INTEGER); CREATE INDEX by_customer ON orders (customer_id); CREATE INDEX by_status ON orders "
    "(status, created_at)";

/* One change, as the comparison gets it. */
struct row {
    int64_t order_id;
    int64_t customer_id;
    double amount;
    int64_t created_at_ms;
    char amount_text[32];
    const char *status;
    enum wr_op op;
};

struct took {
    double wall_s;
    double cpu_s;
};

static void check(int rc, const char *what, const struct weir_error *err)
{
    if (rc < 0) {
        (void)fprintf(stderr, "bench_view: %s: %s\n", what, err->text);
        _Exit(1);
    }
}

static void check_sqlite(sqlite3 *db, int rc, const char *what)
{
    if (rc != SQLITE_OK && rc != SQLITE_DONE) {
        (void)fprintf(stderr, "bench_view: %s: %s\n", what, sqlite3_errmsg(db));
        _Exit(1);
    }
}

static double cpu_s(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 +
           (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
}

static struct took begin_clock(void)
{
    return (struct took){(double)wr_mono_us(wr_clock_os()) / 1e6, cpu_s()};
}

static struct took end_clock(struct took start)
{
    struct took now = begin_clock();
    return (struct took){now.wall_s - start.wall_s, now.cpu_s - start.cpu_s};
}

/* ---- the events ---- */

static void make_row(struct row *rows, size_t i, int64_t *next_id, struct wr_rng *rng)
{
    static const char *const statuses[] = {"pending", "paid", "shipped", "delivered"};
    uint64_t dice = wr_rng_below(rng, 100);
    struct row *row = &rows[i];
    bool is_new = dice < 70 || *next_id <= LIVE_ROWS;
    row->op = is_new ? WR_OP_CREATE : dice < 95 ? WR_OP_UPDATE : WR_OP_DELETE;
    row->order_id = is_new ? (*next_id)++ : *next_id - 1 - (int64_t)wr_rng_below(rng, LIVE_ROWS);
    row->customer_id = (int64_t)wr_rng_below(rng, 100000);
    uint64_t cents = wr_rng_below(rng, 100000);
    row->amount = (double)cents / 100;
    (void)snprintf(row->amount_text, sizeof(row->amount_text), "%llu.%02llu",
                   (unsigned long long)cents / 100, (unsigned long long)cents % 100);
    row->status = statuses[wr_rng_below(rng, 4)];
    row->created_at_ms = INT64_C(1710500000000) + (int64_t)i * 7;
}

#define NO_DEFAULT               \
    {                            \
        .state = WR_VALUE_ABSENT \
    }
#define COLUMN(n, t, p, s)                                                                        \
    {                                                                                             \
        .name = WR_STR_INIT(n), .type = (t), .is_nullable = true, .precision = (p), .scale = (s), \
        .length = -1, .default_value = NO_DEFAULT                                                 \
    }
static const struct wr_column columns[] = {
    COLUMN("order_id", WR_TYPE_INT64, -1, -1), COLUMN("customer_id", WR_TYPE_INT64, -1, -1),
    COLUMN("amount", WR_TYPE_DECIMAL, 10, 2), COLUMN("status", WR_TYPE_TEXT, -1, -1),
    COLUMN("created_at", WR_TYPE_TIMESTAMP, 3, -1)};
static const uint32_t key[] = {0};
static const struct wr_table orders = {
    1, WR_STR_INIT("app_db"), WR_STR_INIT("public"), WR_STR_INIT("orders"), columns, 5, key, 1};

static struct wr_envelope *open_envelope(bool has_schemas)
{
    struct wr_envelope_options options = wr_envelope_defaults();
    struct wr_json_converter_options json = wr_json_converter_defaults();
    struct wr_envelope *envelope = NULL;
    struct weir_error err;
    options.topic_prefix = WR_STR("app");
    options.database = WR_STR("app_db");
    options.run_id = WR_STR("01a20cae-a294-7df8-ac0a-87436a49f57d");
    options.modes.decimal = WR_DECIMAL_DOUBLE;
    json.schemas_enable = has_schemas;
    check(wr_json_converter_new(&json, &options.key_converter, &err), "converter", &err);
    check(wr_json_converter_new(&json, &options.value_converter, &err), "converter", &err);
    check(wr_envelope_new(&options, &envelope, &err), "envelope", &err);
    return envelope;
}

static void change_row(struct wr_envelope *envelope, const struct row *row, size_t i,
                       struct wr_envelope_output *out)
{
    struct wr_value values[5];
    struct weir_error err;
    memset(values, 0, sizeof(values));
    for (size_t c = 0; c < 5; c++) {
        bool is_key_only = row->op == WR_OP_DELETE && c > 0;
        values[c].state = is_key_only ? WR_VALUE_ABSENT : WR_VALUE_SET;
    }
    values[0].u.i = row->order_id;
    values[1].u.i = row->customer_id;
    values[2].u.bytes = wr_bytes_of_str(wr_str_of(row->amount_text));
    values[3].u.bytes = wr_bytes_of_str(wr_str_of(row->status));
    values[4].u.i = row->created_at_ms * 1000;
    bool is_delete = row->op == WR_OP_DELETE;
    struct wr_change change = {.op = row->op,
                               .table = &orders,
                               .before = is_delete ? values : NULL,
                               .after = is_delete ? NULL : values,
                               .origin = {.ts_us = INT64_C(1710500000123456) + (int64_t)i,
                                          .has_tx_id = true,
                                          .tx_id = 700,
                                          .lsn = 26870000 + i,
                                          .has_last_commit = true,
                                          .last_commit_lsn = 26869000}};
    check(wr_envelope_change(envelope, &change, INT64_C(1710500000654321) + (int64_t)i, out, &err),
          "change", &err);
}

/* Append the records of one change to app.public.orders. Gives the bytes of the values. */
static size_t append_row(struct wr_envelope *envelope, struct wr_log_writer *writer,
                         struct wr_log_topic *topic, const struct row *row, size_t i)
{
    struct weir_error err;
    struct wr_envelope_output out;
    size_t bytes = 0;
    change_row(envelope, row, i, &out);
    for (size_t k = 0; k < out.record_count; k++) {
        const struct wr_envelope_record *record = &out.records[k];
        int rc =
            record->topic->is_internal ? 0 : wr_log_append(writer, topic, 0, &record->record, &err);
        check(rc, "append", &err);
        bytes += record->topic->is_internal ? 0 : record->record.value.len;
    }
    return bytes;
}

static size_t fill_log(struct wr_log *log, const struct row *rows, size_t count, bool has_schemas)
{
    struct weir_error err;
    struct wr_log_writer *writer = NULL;
    struct wr_log_topic *topic = NULL;
    struct wr_envelope *envelope = open_envelope(has_schemas);
    struct wr_topic_spec spec = {.name = "app.public.orders", .partition_count = 1};
    size_t bytes = 0;
    check(wr_log_topic_create(log, &spec, &topic, &err), "topic", &err);
    check(wr_log_writer_open(log, &(struct wr_log_writer_options){0}, &writer, &err), "writer",
          &err);
    for (size_t i = 0; i < count; i++) {
        bytes += append_row(envelope, writer, topic, &rows[i], i);
        if (i % APPEND_MAX == 0 || i + 1 == count) {
            uint64_t commit = 0;
            check(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &commit, &err), "commit", &err);
            check(wr_log_writer_wait(writer, commit, 60000, &err), "commit", &err);
        }
    }
    wr_envelope_free(envelope);
    wr_log_topic_unref(topic);
    wr_log_writer_close(writer);
    return bytes;
}

/* ---- weir ---- */

static struct wr_conf scalar(const char *text)
{
    return (struct wr_conf){.kind = WR_CONF_SCALAR, .text = wr_str_of(text)};
}

struct setting {
    const char *folder;
    const struct row *rows;
    size_t count;
    size_t rounds;
    const char *name;
    const char *schema;
    bool has_schemas; /* in the records */
    size_t value_bytes;
};

static struct took run_weir(struct wr_log *log, const char *path, const struct setting *s,
                            int64_t batch)
{
    char to_text[640];
    struct weir_error err;
    (void)snprintf(to_text, sizeof(to_text), "sqlite:%s", path);
    struct wr_conf to = scalar(to_text);
    struct wr_conf schema = scalar(s->schema);
    struct wr_conf put = scalar(put_sql);
    struct wr_conf del = scalar(delete_sql);
    struct wr_view_source from = {.pattern = WR_STR("app.public.orders")};
    struct wr_view_handler on[] = {
        {WR_STR("create"), &put}, {WR_STR("update"), &put}, {WR_STR("delete"), &del}};
    struct wr_view_definition definition = {.name = WR_STR("bench"),
                                            .from = &from,
                                            .from_count = 1,
                                            .to = &to,
                                            .schema = &schema,
                                            .on = on,
                                            .on_count = 3,
                                            .batch_rows = batch,
                                            .batch_bytes = WR_VIEW_BATCH_BYTES_MAX};
    struct wr_view *view = NULL;
    struct wr_arena arena = wr_arena_of(1 << 20);
    struct wr_view_status status = {0};
    check(
        wr_view_new(&(struct wr_view_options){.log = log, .definition = &definition}, &view, &err),
        "view", &err);
    check(wr_view_prepare(view, &err), "view", &err);
    struct took start = begin_clock();
    check(wr_view_start(view, &err), "view", &err);
    while (status.counts.applied < s->count) {
        (void)usleep(LOOK_US);
        wr_arena_reset(&arena);
        check(wr_view_status(view, &arena, &status, &err), "status", &err);
        if (status.state > WR_VIEW_PAUSED) {
            (void)fprintf(stderr, "bench_view: %s: %s\n", status.state_text, status.why);
            _Exit(1);
        }
    }
    struct took took = end_clock(start);
    wr_view_close(view);
    wr_arena_fini(&arena);
    return took;
}

/* ---- without ---- */

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    check_sqlite(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL), sql);
    return stmt;
}

static void step(sqlite3 *db, sqlite3_stmt *stmt)
{
    check_sqlite(db, sqlite3_step(stmt), "step");
    (void)sqlite3_reset(stmt);
}

static void apply_row(sqlite3 *db, sqlite3_stmt *put, sqlite3_stmt *del, const struct row *row)
{
    if (row->op == WR_OP_DELETE) {
        (void)sqlite3_bind_int64(del, 1, row->order_id);
        step(db, del);
        return;
    }
    (void)sqlite3_bind_int64(put, 1, row->order_id);
    (void)sqlite3_bind_int64(put, 2, row->customer_id);
    (void)sqlite3_bind_double(put, 3, row->amount);
    (void)sqlite3_bind_text64(put, 4, row->status, strlen(row->status), SQLITE_STATIC, SQLITE_UTF8);
    (void)sqlite3_bind_int64(put, 5, row->created_at_ms);
    step(db, put);
}

static struct took run_bare(const char *path, const struct setting *s, int64_t batch)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    check_sqlite(db, sqlite3_open_v2(path, &db, flags, NULL), "open");
    check_sqlite(
        db,
        sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", NULL, NULL, NULL),
        "pragma");
    check_sqlite(db, sqlite3_exec(db, s->schema, NULL, NULL, NULL), "schema");
    sqlite3_stmt *put = prepare(db, put_sql);
    sqlite3_stmt *del = prepare(db, delete_sql);
    sqlite3_stmt *begin = prepare(db, "BEGIN IMMEDIATE");
    sqlite3_stmt *commit = prepare(db, "COMMIT");
    struct took start = begin_clock();
    for (size_t i = 0; i < s->count; i++) {
        if (i % (size_t)batch == 0) {
            step(db, begin);
        }
        apply_row(db, put, del, &s->rows[i]);
        if ((i + 1) % (size_t)batch == 0 || i + 1 == s->count) {
            step(db, commit);
        }
    }
    struct took took = end_clock(start);
    sqlite3_stmt *const all[] = {put, del, begin, commit};
    for (size_t i = 0; i < 4; i++) {
        (void)sqlite3_finalize(all[i]);
    }
    (void)sqlite3_close(db);
    return took;
}

/* ---- comparing ---- */

/* Rows, and a sum that depends on every value of theirs. */
static void fingerprint(const char *path, char *out, size_t cap)
{
    sqlite3 *db = NULL;
    check_sqlite(db, sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), path);
    sqlite3_stmt *stmt = prepare(
        db,
        "SELECT count(*), sum(order_id * 3 + customer_id * 5 + created_at % 1009), sum(amount * 100), "
        "sum(length(status) * order_id) FROM orders");
    (void)sqlite3_step(stmt);
    (void)snprintf(out, cap, "%s rows, %s, %.0f, %s", sqlite3_column_text(stmt, 0),
                   sqlite3_column_text(stmt, 1), sqlite3_column_double(stmt, 2),
                   sqlite3_column_text(stmt, 3));
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
}

static void remove_model(const char *path)
{
    char name[640];
    static const char *const ends[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(name, sizeof(name), "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

static int by_wall(const void *a, const void *b)
{
    double x = ((const struct took *)a)->wall_s;
    double y = ((const struct took *)b)->wall_s;
    return (x > y) - (x < y);
}

/* One round of both sides, in the order that `weir_first` says. */
static void run_round(struct wr_log *log, const struct setting *s, int64_t batch, bool weir_first,
                      struct took took[2])
{
    char path[600];
    char prints[2][200];
    (void)snprintf(path, sizeof(path), "%s/model.db", s->folder);
    for (size_t side = 0; side < 2; side++) {
        size_t who = weir_first ? side : 1 - side;
        remove_model(path);
        took[who] = who == 0 ? run_weir(log, path, s, batch) : run_bare(path, s, batch);
        fingerprint(path, prints[who], sizeof(prints[who]));
    }
    remove_model(path);
    if (strcmp(prints[0], prints[1]) != 0) {
        (void)fprintf(stderr, "bench_view: models differ: %s / %s\n", prints[0], prints[1]);
        _Exit(1);
    }
}

static void compare(struct wr_log *log, const struct setting *s, int64_t batch)
{
    struct took weir[ROUNDS_MAX];
    struct took bare[ROUNDS_MAX];
    for (size_t i = 0; i < s->rounds; i++) {
        struct took took[2];
        run_round(log, s, batch, i % 2 == 0, took);
        weir[i] = took[0];
        bare[i] = took[1];
    }
    qsort(weir, s->rounds, sizeof(weir[0]), by_wall);
    qsort(bare, s->rounds, sizeof(bare[0]), by_wall);
    struct took w = weir[s->rounds / 2];
    struct took b = bare[s->rounds / 2];
    double count = (double)s->count;
    (void)printf(
        "view  %-8s batch %-6lld %4.0f k events/s  (%.0f bytes each, %.2f CPU s per million; compared "
        "with: %4.0f k, %.2f CPU s; %.2f)\n",
        s->name, (long long)batch, count / w.wall_s / 1e3, (double)s->value_bytes / count,
        w.cpu_s / count * 1e6, count / b.wall_s / 1e3, b.cpu_s / count * 1e6, b.wall_s / w.wall_s);
    (void)fflush(stdout);
}

static void ask(struct setting *s)
{
    static const int64_t batches[] = {100, 1000, 10000};
    char dir[512];
    struct wr_log *log = NULL;
    struct weir_error err;
    (void)snprintf(dir, sizeof(dir), "%s/log-%s", s->folder, s->name);
    struct wr_embedded_options options = {
        .dir = dir, .durability = WR_DURABILITY_OS, .threads = true};
    check(wr_embedded_open(&options, &log, &err), "log", &err);
    s->value_bytes = fill_log(log, s->rows, s->count, s->has_schemas);
    for (size_t i = 0; i < 3; i++) {
        compare(log, s, batches[i]);
    }
    wr_log_close(log);
}

static const struct {
    const char *name;
    const char *schema;
    bool has_schemas;
} questions[] = {
    {"plain", schema_sql, false}, {"indexed", indexed_sql, false}, {"schemas", schema_sql, true}};

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench_view FOLDER [ROUNDS] [EVENTS] [QUESTION]\n");
        return 2;
    }
    struct setting s = {.folder = argv[1],
                        .rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : 5,
                        .count = argc > 3 ? strtoul(argv[3], NULL, 10) : 400000};
    s.rounds = s.rounds < 1 ? 1 : s.rounds > ROUNDS_MAX ? ROUNDS_MAX : s.rounds;
    s.count = s.count < 1 ? 1 : s.count;
    struct row *rows = wr_alloc_array(s.count, sizeof(*rows));
    if (rows == NULL) {
        return 1;
    }
    struct wr_rng rng = wr_rng_of(1);
    int64_t next_id = 1;
    for (size_t i = 0; i < s.count; i++) {
        make_row(rows, i, &next_id, &rng);
    }
    s.rows = rows;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        s.name = questions[i].name;
        s.schema = questions[i].schema;
        s.has_schemas = questions[i].has_schemas;
        if (argc <= 4 || strcmp(argv[4], s.name) == 0) {
            ask(&s);
        }
    }
    wr_free(rows);
    return 0;
}
