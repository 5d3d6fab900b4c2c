/*
 * How fast can records be made durable, against a program that only writes and syncs?
 *
 *     bench_durable_append FOLDER [ROUNDS=5] [SECONDS=1] [POINT]     a point is named as it is printed: p16_w1_b100
 *
 * weir: W writers are polled by one thread, each with one commit under way, or with two, the next being
 * handed over while one syncs (…_d2); a commit is B records of 300 bytes to one partition, the partitions
 * in turn. The comparison writes as many bytes per fdatasync
 * as weir's commits had per fdatasync in the same round (batches only: none of weir's own overhead), one
 * after the other, into one file filled with zeros; and once more into a file that grows, for so do weir's
 * segments, and there are disks that are much slower to take a block for the first time. The sides run in
 * turn, and medians are told.
 */
#include "base/wake.h"
#include "data/batch.h"
#include "log/embedded/embedded.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITERS_MAX = 16,
    ROUNDS_MAX = 99,
    POINTS = 3 * 2 * 2 * 2,
    KEY_BYTES = 16,
    VALUE_BYTES = 284,
    RAW_FILE_BYTES = 128 << 20,
    WAIT_MS = 10000
};

struct point {
    uint32_t partitions;
    uint32_t writers;
    int batch; /* records of a commit */
    int depth; /* commits that a writer has under way */
};

/* What one side did in one round. */
struct result {
    double commits_per_s;
    double cpu_s; /* of each million commits */
    double syncs_per_commit;
    double bytes_per_sync;
};

static void die(const char *what, const struct weir_error *err)
{
    (void)fprintf(stderr, "bench_durable_append: %s: %s\n", what, err->text);
    _Exit(1);
}

static void check(int rc, const char *what, const struct weir_error *err)
{
    if (rc < 0) {
        die(what, err);
    }
}

static void check_sys(int64_t rc, const char *what)
{
    if (rc < 0) {
        perror(what);
        _Exit(1);
    }
}

static double now_s(void)
{
    return (double)wr_mono_us(wr_clock_os()) / 1e6;
}

static double cpu_s(void)
{
    struct rusage use;
    check_sys(getrusage(RUSAGE_SELF, &use), "getrusage");
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* ---- weir ----------------------------------------------------------------------------------------- */

struct weir_side {
    struct wr_log *log;
    struct wr_log_topic *topic;
    struct wr_log_writer *writers[WRITERS_MAX];
    struct pollfd fds[WRITERS_MAX];
    const struct point *point;
    uint32_t partition; /* of the next commit */
    uint64_t commits;
};

/* Keys differ in their digits; made without printf, which would cost more than the append. */
static struct wr_record record_of(uint64_t number)
{
    static char key[KEY_BYTES] = "key-000000000000";
    static uint8_t value[VALUE_BYTES];
    for (size_t i = KEY_BYTES - 1; i > 3; i--) {
        key[i] = (char)('0' + number % 10);
        number /= 10;
    }
    if (value[0] == 0) {
        memset(value, 'v', sizeof(value));
    }
    return (struct wr_record){.key = {(const uint8_t *)key, KEY_BYTES},
                              .value = {value, sizeof(value)},
                              .timestamp_ms = -1};
}

static void open_weir(struct weir_side *side, const char *dir, const struct point *point)
{
    struct weir_error err = {0};
    struct wr_embedded_options options = {.dir = dir, .threads = true};
    struct wr_topic_spec spec = {.name = "bench", .partition_count = point->partitions};
    *side = (struct weir_side){.point = point};
    check(wr_embedded_open(&options, &side->log, &err), "open", &err);
    check(wr_log_topic_ensure(side->log, &spec, &side->topic, &err), "topic", &err);
    for (size_t i = 0; i < point->writers; i++) {
        struct wr_log_writer_options none = {0};
        check(wr_log_writer_open(side->log, &none, &side->writers[i], &err), "writer", &err);
        side->fds[i] = (struct pollfd){.fd = wr_log_writer_fd(side->writers[i]), .events = POLLIN};
    }
}

static void close_weir(struct weir_side *side)
{
    for (size_t i = 0; i < side->point->writers; i++) {
        wr_log_writer_close(side->writers[i]);
    }
    wr_log_topic_unref(side->topic);
    wr_log_close(side->log);
}

static void commit(struct weir_side *side, size_t writer)
{
    struct weir_error err = {0};
    uint64_t number = 0;
    for (int i = 0; i < side->point->batch; i++) {
        struct wr_record record = record_of(side->commits + (uint64_t)i);
        check(wr_log_append(side->writers[writer], side->topic, side->partition, &record, &err),
              "append", &err);
    }
    side->partition = (side->partition + 1) % side->point->partitions;
    check(wr_log_writer_commit(side->writers[writer], WR_COMMIT_PLAIN, &number, &err), "commit",
          &err);
}

/* Take the answer of a writer, if there is one. */
static bool take(struct weir_side *side, size_t writer)
{
    struct weir_error err = {0};
    struct wr_log_answer answer;
    int rc = wr_log_writer_poll(side->writers[writer], &answer, &err);
    check(rc, "poll", &err);
    if (rc == 0) {
        return false;
    }
    if (answer.outcome != WR_COMMIT_DONE) {
        die("commit was not done", &answer.err);
    }
    side->commits++;
    return true;
}

/* Take a writer's answers, and hand over as many commits again while it goes on. Returns how many were
 * taken and not handed over again. */
static uint32_t serve(struct weir_side *side, size_t writer, bool goes_on)
{
    uint32_t ended = 0;
    while (take(side, writer)) {
        if (goes_on) {
            commit(side, writer);
        } else {
            ended++;
        }
    }
    return ended;
}

/* Keep the commits of each writer under way until `end_s`, then wait for those that are. */
static void drive(struct weir_side *side, double end_s)
{
    const struct point *point = side->point;
    uint32_t under_way = 0;
    for (int d = 0; d < point->depth; d++) {
        for (size_t i = 0; i < point->writers; i++) {
            commit(side, i);
            under_way++;
        }
    }
    while (under_way > 0) {
        check_sys(poll(side->fds, point->writers, WAIT_MS), "poll");
        bool goes_on = now_s() < end_s;
        for (size_t i = 0; i < point->writers; i++) {
            bool is_readable = (side->fds[i].revents & POLLIN) != 0;
            under_way -= is_readable ? serve(side, i, goes_on) : 0;
        }
    }
}

static size_t commit_bytes(const struct point *point)
{
    struct weir_error err = {0};
    struct wr_batch_builder builder = wr_batch_builder_of(1 << 20);
    for (int i = 0; i < point->batch; i++) {
        struct wr_record record = record_of((uint64_t)i);
        check(wr_batch_append(&builder, &record, 0, &err), "batch", &err);
    }
    size_t size = wr_batch_builder_size(&builder);
    wr_batch_builder_fini(&builder);
    return size;
}

static struct result run_weir(struct weir_side *side, double seconds)
{
    struct wr_embedded_stats before;
    struct wr_embedded_stats after;
    uint64_t commits = side->commits;
    wr_embedded_stats(side->log, &before);
    double cpu = cpu_s();
    double start = now_s();
    drive(side, start + seconds);
    double took = now_s() - start;
    cpu = cpu_s() - cpu;
    wr_embedded_stats(side->log, &after);
    double done = (double)(side->commits - commits);
    double syncs = (double)(after.journal_syncs - before.journal_syncs);
    return (struct result){.commits_per_s = done / took,
                           .cpu_s = cpu / done * 1e6,
                           .syncs_per_commit = syncs / done,
                           .bytes_per_sync = done * (double)commit_bytes(side->point) / syncs};
}

/* ---- the comparison --------------------------------------------------------------------------------- */

static int open_raw(const char *path)
{
    static uint8_t zeros[1 << 20];
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check_sys(fd, path);
    for (int64_t at = 0; at < RAW_FILE_BYTES; at += (int64_t)sizeof(zeros)) {
        check_sys(pwrite(fd, zeros, sizeof(zeros), at), "pwrite");
    }
    check_sys(fdatasync(fd), "fdatasync");
    return fd;
}

/* One file that grows, emptied before. */
static int open_grown(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check_sys(fd, path);
    check_sys(fdatasync(fd), "fdatasync");
    return fd;
}

/* `max_bytes`: of the file; beyond it begins again at its start. */
static struct result run_raw(int fd, int64_t max_bytes, const struct result *weir, double seconds)
{
    static uint8_t bytes[8 << 20];
    size_t len = (size_t)(weir->bytes_per_sync + 0.5);
    len = len < sizeof(bytes) ? len : sizeof(bytes);
    int64_t at = 0;
    double syncs = 0;
    double cpu = cpu_s();
    double start = now_s();
    double end = start + seconds;
    while (now_s() < end) {
        if (at + (int64_t)len > max_bytes) {
            at = 0;
        }
        check_sys(pwrite(fd, bytes, len, at), "pwrite");
        check_sys(fdatasync(fd), "fdatasync");
        at += (int64_t)len;
        syncs++;
    }
    double took = now_s() - start;
    double commits = syncs / weir->syncs_per_commit;
    return (struct result){.commits_per_s = commits / took,
                           .cpu_s = (cpu_s() - cpu) / commits * 1e6,
                           .syncs_per_commit = weir->syncs_per_commit,
                           .bytes_per_sync = (double)len};
}

/* ---- all points --------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int count)
{
    double sorted[ROUNDS_MAX];
    memcpy(sorted, values, (size_t)count * sizeof(*values));
    qsort(sorted, (size_t)count, sizeof(*sorted), by_size);
    return sorted[count / 2];
}

static void name_of(const struct point *point, char *out, size_t cap)
{
    (void)snprintf(out, cap, "p%u_w%u_b%d%s", point->partitions, point->writers, point->batch,
                   point->depth == 2 ? "_d2" : "");
}

static void tell(const struct point *point, const struct result *weir, const struct result *raw,
                 const struct result *grown, int rounds)
{
    double values[8][ROUNDS_MAX];
    for (int i = 0; i < rounds; i++) {
        values[0][i] = weir[i].commits_per_s;
        values[1][i] = raw[i].commits_per_s;
        values[2][i] = weir[i].commits_per_s / raw[i].commits_per_s;
        values[3][i] = weir[i].syncs_per_commit;
        values[4][i] = weir[i].cpu_s;
        values[5][i] = raw[i].cpu_s;
        values[6][i] = grown[i].commits_per_s;
        values[7][i] = weir[i].commits_per_s / grown[i].commits_per_s;
    }
    char name[64];
    name_of(point, name, sizeof(name));
    (void)printf(
        "durable_append  %-16s %.0f commits/s  (compared with: %.0f commits/s, ratio %.2f; "
        "in a file that grows: %.0f, ratio %.2f; %.3f fdatasyncs/commit; CPU %.0f and %.0f us/commit)\n",
        name, median(values[0], rounds), median(values[1], rounds), median(values[2], rounds),
        median(values[6], rounds), median(values[7], rounds), median(values[3], rounds),
        median(values[4], rounds), median(values[5], rounds));
    (void)fflush(stdout);
}

static void measure(const char *folder, const struct point *point, int rounds, double seconds)
{
    struct result weir[ROUNDS_MAX];
    struct result raw[ROUNDS_MAX];
    struct result grown[ROUNDS_MAX];
    struct weir_side side;
    char dir[4096];
    char path[4096];
    char grown_path[4096];
    char name[64];
    name_of(point, name, sizeof(name));
    (void)snprintf(dir, sizeof(dir), "%s/%s", folder, name);
    (void)snprintf(path, sizeof(path), "%s/raw", folder);
    (void)snprintf(grown_path, sizeof(grown_path), "%s/grown", folder);
    open_weir(&side, dir, point);
    int fd = open_raw(path);
    (void)run_weir(&side, seconds / 4); /* warm */
    for (int i = 0; i < rounds; i++) {
        weir[i] = run_weir(&side, seconds);
        raw[i] = run_raw(fd, RAW_FILE_BYTES, &weir[i], seconds);
        int grown_fd = open_grown(grown_path);
        grown[i] = run_raw(grown_fd, INT64_MAX, &weir[i], seconds);
        check_sys(close(grown_fd), "close");
    }
    check_sys(unlink(grown_path), "unlink");
    check_sys(close(fd), "close");
    close_weir(&side);
    tell(point, weir, raw, grown, rounds);
}

static struct point point_of(int index)
{
    static const uint32_t partitions[] = {1, 16, 256};
    return (struct point){.partitions = partitions[index / 8],
                          .writers = index / 4 % 2 == 0 ? 1 : 16,
                          .batch = index / 2 % 2 == 0 ? 1 : 100,
                          .depth = 1 + index % 2};
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "bench_durable_append FOLDER [ROUNDS=5] [SECONDS=1] [POINT]\n");
        return 2;
    }
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 5;
    double seconds = argc > 3 ? strtod(argv[3], NULL) : 1;
    if (rounds < 1 || rounds > ROUNDS_MAX || seconds <= 0) {
        (void)fprintf(stderr, "bench_durable_append: ROUNDS is 1 … 99, SECONDS more than 0\n");
        return 2;
    }
    for (int i = 0; i < POINTS; i++) {
        struct point point = point_of(i);
        char name[64];
        name_of(&point, name, sizeof(name));
        if (argc <= 4 || strcmp(argv[4], name) == 0) {
            measure(argv[1], &point, (int)rounds, seconds);
        }
    }
    return 0;
}
