/* cmd_log.c - weir log verify|repair: the files of a log, as they stand on disk. */
#include "data/json_text.h"
#include "log/embedded/repair.h"
#include "run/commands.h"
#include "run/folder.h"
#include "run/out.h"
#include "run/progress.h"
#include "run/session.h"
#include "run/table.h"

/* ---- findings ---- */

struct findings {
    bool is_json;
    bool is_dry_run; /* or verify: remedies are what repair would do */
    uint64_t count;
    struct wr_progress progress;
    struct wr_writer out;
};

static void put_json_offset(struct wr_writer *out, const char *name, int64_t offset)
{
    wr_put_fmt(out, ", \"%s\": ", name);
    if (offset < 0) {
        wr_put_lit(out, "null");
    } else {
        wr_put_i64_text(out, offset);
    }
}

/* Text that may come from a damaged file. */
static void put_json_text(struct wr_writer *out, const char *name, const char *text)
{
    wr_put_fmt(out, ", \"%s\": ", name);
    if (text == NULL) {
        wr_put_lit(out, "null");
    } else if (wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(text)))) {
        wr_put_json_string(out, wr_str_of(text));
    } else {
        wr_put_lit(out, "\"(not UTF-8)\"");
    }
}

static void put_finding_json(struct wr_writer *out, const struct wr_finding *f)
{
    wr_put_fmt(out, "{\"kind\": \"%s\", \"severity\": \"%s\"", wr_finding_name(f->kind),
               wr_severity_name(f->severity));
    put_json_text(out, "file", f->path);
    wr_put_fmt(out, ", \"position\": %llu, \"bytes\": %llu", (unsigned long long)f->at,
               (unsigned long long)f->bytes);
    put_json_text(out, "topic", f->topic);
    put_json_offset(out, "partition", f->topic == NULL ? -1 : (int64_t)f->partition);
    put_json_offset(out, "first_offset", f->first_offset);
    put_json_offset(out, "next_offset", f->next_offset);
    wr_put_fmt(out, ", \"lost\": %llu", (unsigned long long)f->lost);
    put_json_text(out, "what", f->what);
    put_json_text(out, "remedy", f->remedy);
    wr_put_lit(out, "}");
}

/* orders-0/…0.log at 8192: damaged batch (loss): batch has CRC …
 *     topic orders, partition 0, offsets 100 to 119; repair: replaced by an empty batch */
static void put_finding_plain(struct wr_writer *out, const struct wr_finding *f)
{
    wr_put_fmt(out, "%s at %llu: %s (%s): %s\n    ", f->path, (unsigned long long)f->at,
               wr_finding_name(f->kind), wr_severity_name(f->severity), f->what);
    if (f->topic != NULL) {
        wr_put_fmt(out, "topic %s, partition %u", f->topic, f->partition);
        if (f->first_offset >= 0) {
            wr_put_fmt(out, ", offsets %lld to %lld", (long long)f->first_offset,
                       (long long)f->next_offset - 1);
        }
        wr_put_lit(out, "; ");
    }
    wr_put_fmt(out, "repair: %s\n", f->remedy);
}

static int take_finding(void *arg, const struct wr_finding *finding, struct weir_error *err)
{
    struct findings *findings = arg;
    wr_progress_clear(&findings->progress);
    wr_writer_reset(&findings->out);
    if (findings->is_json) {
        wr_put_str(&findings->out, findings->count == 0 ? WR_STR("[") : WR_STR(",\n "));
        put_finding_json(&findings->out, finding);
    } else {
        put_finding_plain(&findings->out, finding);
    }
    findings->count++;
    return wr_out_writer(&findings->out, err);
}

static void take_progress(void *arg, uint64_t done, uint64_t total)
{
    struct findings *findings = arg;
    wr_progress_show(&findings->progress, done, total);
}

static int end_findings(struct findings *findings, struct weir_error *err)
{
    wr_progress_clear(&findings->progress);
    if (!findings->is_json) {
        return 0;
    }
    return wr_out(wr_bytes_of_str(findings->count == 0 ? WR_STR("[]\n") : WR_STR("]\n")), err);
}

static struct findings findings_of(const struct wr_cli *cli, const char *what)
{
    return (struct findings){.is_json = wr_cli_has(cli, "json"),
                             .progress = wr_progress_of(what),
                             .out = wr_writer_growing(WR_OUT_BYTES_MAX)};
}

/* ---- verify ---- */

static int say_sum(const struct findings *findings, const struct wr_verify_options *options,
                   const struct wr_verify_sum *sum, struct weir_error *err)
{
    const char *left_out = options->is_live ? " (without what the weir that runs here has not "
                                              "checkpointed yet: stop it to see all)"
                                            : "";
    struct wr_writer out = wr_writer_growing(4096);
    if (!findings->is_json && sum->findings == 0) {
        char bytes[16];
        wr_bytes_text(sum->bytes, bytes);
        wr_put_fmt(&out,
                   "nothing is wrong: %llu partitions, %llu segments, %llu batches, %llu records, "
                   "%s%s\n",
                   (unsigned long long)sum->partitions, (unsigned long long)sum->segments,
                   (unsigned long long)sum->batches, (unsigned long long)sum->records, bytes,
                   left_out);
    }
    int rc = wr_out_writer(&out, err);
    wr_writer_fini(&out);
    if (rc == 0 && sum->findings > 0) {
        rc =
            wr_fail(err, WEIR_E_CORRUPT,
                    "%llu findings in '%.200s', %llu records lost; weir log repair --dry-run "
                    "shows what can be done",
                    (unsigned long long)sum->findings, options->dir, (unsigned long long)sum->lost);
    }
    return rc;
}

static int verify(struct wr_session *session, struct findings *findings, struct weir_error *err)
{
    struct wr_verify_sum sum = {0};
    struct wr_verify_options options = {.vfs = wr_vfs_os(),
                                        .dir = session->dir,
                                        .is_live = wr_folder_is_served(session->dir),
                                        .each = take_finding,
                                        .progress = take_progress,
                                        .arg = findings};
    int rc = wr_embedded_verify(&options, &sum, err);
    rc = rc < 0 ? rc : end_findings(findings, err);
    return rc < 0 ? rc : say_sum(findings, &options, &sum, err);
}

static int run_verify(const struct wr_cli *cli, struct weir_error *err)
{
    struct wr_session session;
    struct findings findings = findings_of(cli, "verify");
    int rc = wr_session_init(cli, &session, err);
    rc = rc < 0 ? rc : wr_session_wait(&session, err);
    rc = rc < 0 ? rc : verify(&session, &findings, err);
    wr_progress_clear(&findings.progress);
    wr_writer_fini(&findings.out);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option verify_options[] = {
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_log_verify = {
    .name = "log verify",
    .operands = "",
    .summary = "look for damage in the log's files, and change nothing",
    .text = "Reads every byte. Each finding has file, position, topic, partition, offsets and\n"
            "kind; with any, the exit status is 1. Where a weir runs, only what it has synced is\n"
            "looked at.",
    .examples = "  weir log verify\n  weir log verify --dir /var/lib/weir --json",
    .options = verify_options,
    .option_count = WR_COUNT(verify_options),
    .run = run_verify,
};

/* ---- repair ---- */

static int say_repaired(const struct wr_cli *cli, const struct wr_verify_sum *sum,
                        struct weir_error *err)
{
    struct wr_writer out = wr_writer_growing(4096);
    if (!wr_cli_has(cli, "json")) {
        wr_put_fmt(&out, "%llu findings %s, %llu records given up\n",
                   (unsigned long long)sum->findings,
                   wr_cli_has(cli, "dry-run") ? "would be repaired" : "repaired",
                   (unsigned long long)sum->lost);
    }
    int rc = wr_out_writer(&out, err);
    wr_writer_fini(&out);
    return rc;
}

static int run_repair(const struct wr_cli *cli, struct weir_error *err)
{
    struct wr_session session;
    struct findings findings = findings_of(cli, "repair");
    struct wr_verify_sum sum = {0};
    int rc = wr_session_init(cli, &session, err);
    struct wr_repair_options options = {.vfs = wr_vfs_os(),
                                        .dir = session.dir,
                                        .is_dry_run = wr_cli_has(cli, "dry-run"),
                                        .each = take_finding,
                                        .progress = take_progress,
                                        .arg = &findings};
    rc = rc < 0 ? rc : wr_session_wait(&session, err);
    rc = rc < 0 ? rc : wr_embedded_repair(&options, &sum, err);
    rc = rc < 0 ? rc : end_findings(&findings, err);
    rc = rc < 0 ? rc : say_repaired(cli, &sum, err);
    wr_progress_clear(&findings.progress);
    wr_writer_fini(&findings.out);
    wr_session_close(&session);
    return rc;
}

static const struct wr_cli_option repair_options[] = {
    {"dry-run", 0, false, NULL, "change nothing; say what would be done", WR_CLI_ANY},
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_log_repair = {
    .name = "log repair",
    .operands = "",
    .summary = "bring a damaged log in order, and keep every record that can be read",
    .text = "No weir may run on the folder. What cannot be read is replaced by an empty batch\n"
            "that covers its offsets; what is replaced is kept in lost+found.",
    .examples = "  weir log repair --dry-run\n  weir log repair",
    .options = repair_options,
    .option_count = WR_COUNT(repair_options),
    .run = run_repair,
};
