/*
 * Fills the folder of an embedded log with everything that its segment files can hold: records of every
 * codec, null and empty keys and values, headers, append times, marked transactions kept and dropped,
 * several segments. test_kafka_dump_log.py lets Kafka's own tool read them.
 *
 *     make_log FOLDER
 *     make_log FOLDER repair      repairs a log that was damaged meanwhile, and prints what it found
 */
#include "log/embedded/embedded.h"
#include "log/embedded/repair.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    COMMITS = 30,
    RECORDS = 20, /* of each commit */
    WAIT_MS = 30000
};

static void check(int rc, const char *what, const struct weir_error *err)
{
    if (rc < 0) {
        (void)fprintf(stderr, "make_log: %s: %s\n", what, err->text);
        _Exit(1);
    }
}

static struct wr_bytes text(const char *s)
{
    return wr_bytes_of_str(wr_str_of(s));
}

static void append(struct wr_log_writer *writer, struct wr_log_topic *topic, int number)
{
    struct weir_error err = {0};
    char key[32];
    char value[256];
    const struct wr_header headers[] = {{wr_str_of("trace"), text("abc")},
                                        {wr_str_of("trace"), {NULL, 0}},
                                        {wr_str_of(""), text("")}};
    (void)snprintf(key, sizeof(key), "key-%d", number);
    (void)snprintf(value, sizeof(value), "value %d %0100d", number, 7);
    struct wr_record record = {.key = text(number % 5 == 1 ? "" : key),
                               .value = text(number % 7 == 2 ? "" : value),
                               .headers = headers,
                               .header_count = number % 3 == 0 ? 3 : 0,
                               .timestamp_ms = 1710500000000 + (number % 11 == 4 ? 0 : number)};
    if (number % 5 == 2) {
        record.key = (struct wr_bytes){NULL, 0};
    }
    if (number % 7 == 3) {
        record.value = (struct wr_bytes){NULL, 0};
    }
    check(wr_log_append(writer, topic, 0, &record, &err), "append", &err);
}

static void commit(struct wr_log_writer *writer)
{
    struct weir_error err = {0};
    uint64_t number = 0;
    check(wr_log_writer_commit(writer, WR_COMMIT_PLAIN, &number, &err), "commit", &err);
    check(wr_log_writer_wait(writer, number, WAIT_MS, &err), "wait", &err);
}

static struct wr_log_topic *make_topic(struct wr_log *log, const char *name,
                                       const struct wr_topic_setting *setting)
{
    struct weir_error err = {0};
    struct wr_log_topic *topic = NULL;
    const struct wr_topic_setting settings[] = {
        {"index.interval.bytes", "1000"}, {"retention.ms", "-1"}, *setting};
    struct wr_topic_spec spec = {
        .name = name, .partition_count = 1, .settings = settings, .setting_count = 3};
    check(wr_log_topic_create(log, &spec, &topic, &err), name, &err);
    return topic;
}

static struct wr_log_writer *open_writer(struct wr_log *log)
{
    struct weir_error err = {0};
    struct wr_log_writer_options options = {0};
    struct wr_log_writer *writer = NULL;
    check(wr_log_writer_open(log, &options, &writer, &err), "writer", &err);
    return writer;
}

static void roll(struct wr_log *log, struct wr_log_topic *topic)
{
    struct weir_error err = {0};
    check(wr_embedded_roll(log, topic, 0, &err), "roll", &err);
}

static void fill_plain(struct wr_log *log, const char *name, const char *key, const char *value)
{
    struct wr_topic_setting setting = {key, value};
    struct wr_log_topic *topic = make_topic(log, name, &setting);
    struct wr_log_writer *writer = open_writer(log);
    for (int c = 0; c < COMMITS; c++) {
        for (int r = 0; r < RECORDS; r++) {
            append(writer, topic, c * RECORDS + r);
        }
        commit(writer);
        if (c % 10 == 9) {
            roll(log, topic);
        }
    }
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

static void mark(struct wr_log_writer *writer)
{
    struct weir_error err = {0};
    check(wr_log_writer_mark(writer, &err), "mark", &err);
}

static void end(struct wr_log_writer *writer, bool keep)
{
    struct weir_error err = {0};
    uint64_t number = 0;
    check(wr_log_writer_end(writer, keep, &number, &err), "end", &err);
    check(wr_log_writer_wait(writer, number, WAIT_MS, &err), "wait", &err);
}

/* Two marked transactions that overlap, and plain records between; one of them spans a roll. */
static void fill_marked(struct wr_log *log)
{
    struct wr_topic_setting setting = {"compression.type", "producer"};
    struct wr_log_topic *topic = make_topic(log, "marked", &setting);
    struct wr_log_writer *a = open_writer(log);
    struct wr_log_writer *b = open_writer(log);
    struct wr_log_writer *plain = open_writer(log);
    for (int i = 0; i < COMMITS; i++) {
        mark(a);
        append(a, topic, i);
        commit(a);
        mark(b);
        append(b, topic, i);
        append(b, topic, i);
        commit(b);
        append(plain, topic, i);
        commit(plain);
        end(a, i % 2 == 0);
        if (i % 10 == 5) {
            roll(log, topic);
        }
        end(b, i % 3 == 0);
    }
    wr_log_writer_close(a);
    wr_log_writer_close(b);
    wr_log_writer_close(plain);
    wr_log_topic_unref(topic);
}

static int print_finding(void *arg, const struct wr_finding *finding, struct weir_error *err)
{
    (void)arg;
    (void)err;
    (void)printf("%s %s %" PRId64 " %" PRId64 "\n", wr_finding_name(finding->kind), finding->path,
                 finding->first_offset, finding->next_offset);
    return 0;
}

static void repair(const char *dir)
{
    struct weir_error err = {0};
    struct wr_verify_sum sum;
    struct wr_repair_options options = {.vfs = wr_vfs_os(), .dir = dir, .each = print_finding};
    check(wr_embedded_repair(&options, &sum, &err), "repair", &err);
}

static void fill(const char *dir)
{
    static const char *const codecs[] = {"uncompressed", "gzip", "snappy", "lz4", "zstd"};
    struct weir_error err = {0};
    struct wr_log *log = NULL;
    struct wr_embedded_options options = {.dir = dir, .threads = true};
    check(wr_embedded_open(&options, &log, &err), "open", &err);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        fill_plain(log, codecs[i], "compression.type", codecs[i]);
    }
    fill_plain(log, "append-time", "message.timestamp.type", "LogAppendTime");
    fill_marked(log);
    wr_log_close(log);
}

int main(int argc, char **argv)
{
    bool is_repair = argc == 3 && strcmp(argv[2], "repair") == 0;
    if (argc != 2 && !is_repair) {
        (void)fprintf(stderr, "make_log FOLDER [repair]\n");
        return 2;
    }
    if (is_repair) {
        repair(argv[1]);
    } else {
        fill(argv[1]);
    }
    return 0;
}
