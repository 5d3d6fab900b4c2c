/* cmd_log_dump.c - weir log dump: what stands in segment files. */
#include "data/json_text.h"
#include "log/embedded/dump.h"
#include "run/commands.h"
#include "run/out.h"
#include "run/session.h"
#include "serve/http/record_text.h"

struct dumping {
    const char *topic; /* for the lines of records */
    uint32_t partition;
    bool is_json;
    struct wr_writer out; /* one line */
};

static int end_line(struct dumping *d, struct weir_error *err)
{
    int rc = wr_out_writer(&d->out, err);
    wr_writer_reset(&d->out);
    return rc;
}

/* ---- lines for people ---- */

static void put_batch(struct dumping *d, const struct wr_dump_batch *batch)
{
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    const struct wr_batch_header *h = batch->header;
    wr_put_fmt(&d->out, "batch %s at %llu", batch->path, (unsigned long long)batch->at);
    if (h != NULL) {
        unsigned codec = (unsigned)wr_batch_codec(h);
        wr_put_fmt(&d->out, ": offsets %lld to %lld, %u records, epoch %d, %u bytes, %s%s%s",
                   (long long)h->base_offset, (long long)wr_batch_last_offset(h), h->record_count,
                   h->leader_epoch, h->size_bytes,
                   codec < WR_COUNT(codecs) ? codecs[codec] : "unknown codec",
                   (h->attributes & WR_BATCH_TRANSACTIONAL) != 0 ? ", transactional" : "",
                   (h->attributes & WR_BATCH_CONTROL) != 0 ? ", control" : "");
    }
    if (batch->trouble != NULL) {
        wr_put_fmt(&d->out, "; %s", batch->trouble);
    }
    wr_put_lit(&d->out, "\n");
}

/* ---- lines of JSON ---- */

static void put_text(struct wr_writer *out, const char *name, const char *text)
{
    wr_put_fmt(out, ",\"%s\":", name);
    if (text == NULL) {
        wr_put_lit(out, "null");
    } else {
        wr_put_json_string(out, wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(text)))
                                    ? wr_str_of(text)
                                    : WR_STR("(not UTF-8)"));
    }
}

static void put_batch_json(struct dumping *d, const struct wr_dump_batch *batch)
{
    const struct wr_batch_header *h = batch->header;
    wr_put_lit(&d->out, "{\"what\":\"batch\"");
    put_text(&d->out, "file", batch->path);
    wr_put_fmt(&d->out, ",\"position\":%llu", (unsigned long long)batch->at);
    if (h != NULL) {
        wr_put_fmt(&d->out,
                   ",\"base_offset\":%lld,\"last_offset\":%lld,\"records\":%u,\"leader_epoch\":%d,"
                   "\"bytes\":%u,\"attributes\":%u,\"max_timestamp\":%lld,\"producer_id\":%lld",
                   (long long)h->base_offset, (long long)wr_batch_last_offset(h), h->record_count,
                   h->leader_epoch, h->size_bytes, h->attributes, (long long)h->max_timestamp_ms,
                   (long long)h->producer_id);
    }
    put_text(&d->out, "trouble", batch->trouble);
    wr_put_lit(&d->out, "}\n");
}

/* ---- what the walk gives ---- */

static int take_batch(void *arg, const struct wr_dump_batch *batch, struct weir_error *err)
{
    struct dumping *d = arg;
    if (d->is_json) {
        put_batch_json(d, batch);
    } else {
        put_batch(d, batch);
    }
    return end_line(d, err);
}

static int take_record(void *arg, const struct wr_dump_record *record, struct weir_error *err)
{
    struct dumping *d = arg;
    const struct wr_log_record line = {record->offset, *record->record};
    const char *topic = d->topic == NULL ? "" : d->topic;
    if (d->is_json) {
        wr_put_record_json(&d->out, topic, d->partition, &line);
    } else {
        wr_put_record_plain(&d->out, topic, d->partition, &line);
    }
    return end_line(d, err);
}

/* ---- the command ---- */

static int dump(const struct wr_cli *cli, const char *dir, struct dumping *d,
                struct weir_error *err)
{
    const char *what = cli->operands[0];
    int64_t partition = 0;
    int64_t from = -1;
    const struct wr_dump walk = {.vfs = wr_vfs_os(),
                                 .batch = take_batch,
                                 .record = wr_cli_has(cli, "records") ? take_record : NULL,
                                 .arg = d};
    int rc = wr_cli_i64(cli, "partition", 0, UINT32_MAX, &partition, err);
    rc = rc < 0 ? rc : wr_cli_i64(cli, "from", 0, INT64_MAX, &from, err);
    if (rc < 0) {
        return rc;
    }
    if (strchr(what, '/') != NULL) {
        return wr_dump_segment(&walk, what, err);
    }
    d->topic = what;
    d->partition = (uint32_t)partition;
    int found = wr_dump_partition(&walk, dir, what, d->partition, from, err);
    if (found < 0 && err->sys == ENOENT) {
        return wr_fail(
            err, WEIR_E_NOTFOUND,
            "'%.200s' has no partition %u of a topic '%.100s'; weir topics list shows the "
            "topics",
            dir, d->partition, what);
    }
    return found;
}

static int run_dump(const struct wr_cli *cli, struct weir_error *err)
{
    struct wr_session session;
    struct dumping d = {.is_json = wr_cli_has(cli, "json"),
                        .out = wr_writer_growing(WR_ANSWER_BYTES_MAX)};
    int rc = wr_session_init(cli, &session, err);
    rc = rc < 0 ? rc : dump(cli, session.dir, &d, err);
    wr_writer_fini(&d.out);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option options[] = {
    {"partition", 'p', false, "N", "which partition (default 0)", WR_CLI_ANY},
    {"from", 0, false, "OFFSET", "begin at the batch that holds this offset", WR_CLI_ANY},
    {"records", 'r', false, NULL, "the records too", WR_CLI_ANY},
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_log_dump = {
    .name = "log dump",
    .operands = "TOPIC|FILE",
    .operands_min = 1,
    .operands_max = 1,
    .values = WR_CLI_TOPIC,
    .summary = "show what stands in the log's files, as it stands there",
    .text = "Nothing is trusted and nothing is changed; what cannot be read is shown as that. A\n"
            "word with a slash is a segment file. Works beside a weir that runs, too.",
    .examples = "  weir log dump orders --records\n"
                "  weir log dump ./weir-data/orders-0/00000000000000000000.log",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_dump,
};
