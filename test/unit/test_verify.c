/*
 * Damage made on purpose in the folder of an embedded log: verify finds each by its name and place and
 * changes nothing; a dry run says the same; repair mends it, says what is lost, and keeps every record
 * that can be read. After it verify is silent, and the log opens, recovers nothing, and takes writes.
 */
#include "log/embedded/repair.h"

#include "log/embedded/dump.h"
#include "verify_fixture.h"

/* ---- reading after a repair ------------------------------------------------------------------------------- */

/* Every record says its own offset; note offsets that lack before it. Returns the next offset. */
static int64_t read_chunk(const struct wr_log_chunk *chunk, int64_t next, char *missing, size_t cap)
{
    for (size_t i = 0; i < chunk->count; i++) {
        char value[64];
        int64_t offset = chunk->records[i].offset;
        (void)snprintf(value, sizeof(value), "value %06" PRId64 " ", offset);
        assert_memory_equal(chunk->records[i].record.value.ptr, value, strlen(value));
        if (offset > next) {
            size_t len = strlen(missing);
            (void)snprintf(missing + len, cap - len, "%" PRId64 "..%" PRId64 " ", next, offset);
        }
        next = offset + 1;
    }
    return next;
}

/* The offsets that lack in partition 0 of `orders`, as "a..b c..d ". */
static void read_orders(struct wr_log *log, char *missing, size_t cap)
{
    struct weir_error err = {0};
    struct wr_log_topic *topic = NULL;
    struct wr_log_reader *reader = NULL;
    struct wr_log_reader_options options = {0};
    struct wr_log_chunk chunk = {0};
    int64_t next = 0;
    missing[0] = 0;
    assert_int_equal(wr_log_topic_find(log, "orders", &topic, &err), 0);
    assert_int_equal(wr_log_reader_open(log, &options, &reader, &err), 0);
    assert_int_equal(wr_log_reader_assign(reader, topic, 0, WR_OFFSET_EARLIEST, &err), 0);
    do {
        expect_ok(wr_log_reader_poll(reader, 0, &chunk, &err), &err);
        next = chunk.kind == WR_POLL_RECORDS ? read_chunk(&chunk, next, missing, cap) : next;
    } while (chunk.kind == WR_POLL_RECORDS);
    if (next < END) {
        size_t len = strlen(missing);
        (void)snprintf(missing + len, cap - len, "%" PRId64 "..%d ", next, END);
    }
    wr_log_reader_close(reader);
    wr_log_topic_unref(topic);
}

static void expect_writable(struct fixture *f, struct wr_log *log)
{
    struct wr_log_topic *topic = topic_of(log, "orders", 2);
    struct wr_log_writer *writer = writer_of(log);
    append(writer, topic, 0, END);
    append(writer, topic, 1, 1);
    commit(f, log, writer);
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
}

/* Damaged as it is: told, mended, and these offsets of `orders` 0 are gone. */
static void expect(struct fixture *f, const char *findings, const char *missing)
{
    struct weir_error err = {0};
    struct wr_embedded_recovery recovery;
    char got[256];
    expect_unchanged_findings(f, findings);
    expect_ok(repair(f, false, &err), &err);
    assert_string_equal(f->text, findings);
    expect_findings(f, "");
    struct wr_log *log = open_log(f);
    wr_embedded_recovery(log, &recovery);
    assert_true(recovery.was_clean || findings[0] == 0); /* a repair ends with a clean stop */
    assert_int_equal(recovery.repairs, 0);
    assert_int_equal(recovery.damaged, 0);
    read_orders(log, got, sizeof(got));
    assert_string_equal(got, missing);
    expect_writable(f, log);
    wr_log_close(log);
    expect_findings(f, "");
    fixture_free(f);
}

/* ---- whole logs --------------------------------------------------------------------------------------------- */

static void a_log_that_was_stopped_has_no_findings(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    expect_unchanged_findings(f, "");
    assert_int_equal(f->sum.partitions, 3);
    assert_int_equal(f->sum.segments, 6);
    assert_int_equal(f->sum.batches, COMMITS + 1 + 2 * MARKED);
    assert_int_equal(f->sum.records, END + 1 + 3 * MARKED);
    fixture_free(f);
}

static void a_log_that_was_killed_has_no_findings(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    expect_unchanged_findings(f, "");
    assert_int_equal(f->sum.records, END + 1 + 3 * MARKED);
    expect(f, "", "");
}

/* ---- segments ------------------------------------------------------------------------------------------------- */

static uint64_t size_of(struct fixture *f, const char *path)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(f->vfs, path, WR_OPEN_READ, &file, &err), 0);
    int64_t size = wr_file_size(file, &err);
    wr_file_close(file);
    assert_true(size >= 0);
    return (uint64_t)size;
}

/* Where batch `index` of a file of equal batches starts. */
static uint64_t batch_at(struct fixture *f, const char *path, uint64_t index)
{
    assert_int_equal(size_of(f, path), 10 * BATCH_BYTES);
    return BATCH_BYTES * index;
}

static void a_flipped_byte_in_a_full_segment_costs_its_batch(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 4) + 200, 1);
    expect(f, "damaged batch, loss: orders-0/00000000000000000100.log 1564+391 orders 0 140..150\n",
           "140..150 ");
}

static void a_flipped_byte_in_the_active_segment_costs_its_batch(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG2 ".log", batch_at(f, SEG2 ".log", 9) + 200, 1);
    expect(f, "damaged batch, loss: orders-0/00000000000000000200.log 3519+391 orders 0 290..300\n",
           "290..300 ");
}

/* The journal has them all, and writes them again. */
static void a_flipped_byte_that_the_journal_still_covers_costs_nothing(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    wr_vfs_sim_flip(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 4) + 200, 1);
    expect(f, "", "");
}

static void a_wrong_base_offset_is_put_right(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG0 ".log", batch_at(f, SEG0 ".log", 3) + 6, 1);
    expect(f,
           "offsets do not follow on, harm: orders-0/00000000000000000000.log 1173+391 orders 0 "
           "30..40\n",
           "");
}

static void a_wrong_leader_epoch_is_put_right(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG0 ".log", batch_at(f, SEG0 ".log", 3) + 12, 1);
    expect(f,
           "offsets do not follow on, harm: orders-0/00000000000000000000.log 1173+391 orders 0 "
           "30..40\n",
           "");
}

static void zeros_over_several_batches_cost_these(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_zero(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 2) + 10, 1000);
    expect(f, "damaged batch, loss: orders-0/00000000000000000100.log 782+1173 orders 0 120..150\n",
           "120..150 ");
}

static void a_full_segment_that_is_cut_lacks_its_end(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_cut(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 7) + 100);
    expect(f, "damaged batch, loss: orders-0/00000000000000000100.log 2737+100 orders 0 170..200\n",
           "170..200 ");
    f = fixture_new(true);
    wr_vfs_sim_cut(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 7));
    expect(f, "missing segment, loss: orders-0/00000000000000000100.log 2737+0 orders 0 170..200\n",
           "170..200 ");
}

static void the_active_segment_cut_lacks_its_end(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_cut(f->sim, SEG2 ".log", batch_at(f, SEG2 ".log", 7) + 100);
    expect(f, "damaged batch, loss: orders-0/00000000000000000200.log 2737+100 orders 0 270..300\n",
           "270..300 ");
}

static void unlink_file(struct fixture *f, const char *path)
{
    struct weir_error err = {0};
    assert_int_equal(wr_vfs_unlink(f->vfs, path, &err), 0);
    char dir[256];
    (void)snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(wr_vfs_sync_dir(f->vfs, dir, &err), 0);
}

static void a_removed_segment_is_missed(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *findings;
        const char *missing;
    } cases[] = {
        {SEG0 ".log",
         "missing segment, loss: orders-0/00000000000000000000.log 0+0 orders 0 0..100\n",
         "0..100 "},
        {SEG1 ".log",
         "missing segment, loss: orders-0/00000000000000000100.log 0+0 orders 0 100..200\n",
         "100..200 "},
        {SEG2 ".log",
         "missing segment, loss: orders-0/00000000000000000200.log 0+0 orders 0 200..300\n",
         "200..300 "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture *f = fixture_new(true);
        unlink_file(f, cases[i].path);
        expect(f, cases[i].findings, cases[i].missing);
    }
}

static void several_kinds_of_damage_are_told_apart(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG0 ".log", batch_at(f, SEG0 ".log", 9) + 100, 1);
    wr_vfs_sim_flip(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 0) + 5, 1);
    wr_vfs_sim_flip(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 5) + 100, 1);
    wr_vfs_sim_flip(f->sim, "log/orders-1/00000000000000000000.log", 70, 1);
    expect(f,
           "damaged batch, loss: orders-0/00000000000000000000.log 3519+391 orders 0 90..100\n"
           "offsets do not follow on, harm: orders-0/00000000000000000100.log 0+391 orders 0 "
           "100..110\n"
           "damaged batch, loss: orders-0/00000000000000000100.log 1955+391 orders 0 150..160\n"
           "damaged batch, loss: orders-1/00000000000000000000.log 0+94 orders 1 0..1\n",
           "90..100 150..160 ");
}

/* ---- indexes --------------------------------------------------------------------------------------------------- */

static void a_missing_index_is_made_anew(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    unlink_file(f, SEG0 ".index");
    unlink_file(f, SEG1 ".timeindex");
    unlink_file(f, "log/marked-0/00000000000000000000.txnindex");
    expect(f,
           "missing index, note: marked-0/00000000000000000000.txnindex 0+0 marked 0\n"
           "missing index, note: orders-0/00000000000000000000.index 0+0 orders 0\n"
           "missing index, note: orders-0/00000000000000000100.timeindex 0+0 orders 0\n",
           "");
}

static void a_wrong_index_is_made_anew(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG0 ".index", 11, 1);
    wr_vfs_sim_flip(f->sim, SEG1 ".timeindex", 19, 1);
    wr_vfs_sim_flip(f->sim, "log/marked-0/00000000000000000000.txnindex", 20, 1);
    expect(f,
           "wrong index, note: marked-0/00000000000000000000.txnindex 0+0 marked 0\n"
           "wrong index, note: orders-0/00000000000000000000.index 8+0 orders 0\n"
           "wrong index, note: orders-0/00000000000000000100.timeindex 12+0 orders 0\n",
           "");
}

static void pad(struct fixture *f, const char *path, uint64_t len)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    uint64_t size = size_of(f, path);
    assert_int_equal(wr_file_open(f->vfs, path, WR_OPEN_WRITE, &file, &err), 0);
    assert_int_equal(wr_file_truncate(file, size + len, &err), 0);
    assert_int_equal(wr_file_sync(file, &err), 0);
    wr_file_close(file);
}

static void zeros_behind_an_index_are_wrong(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    char findings[512];
    uint64_t places = size_of(f, SEG0 ".index");
    uint64_t times = size_of(f, SEG2 ".timeindex");
    pad(f, SEG0 ".index", 800);
    pad(f, SEG2 ".timeindex", 1200);
    (void)snprintf(findings, sizeof(findings),
                   "wrong index, note: orders-0/00000000000000000000.index %" PRIu64 "+0 orders 0\n"
                   "wrong index, note: orders-0/00000000000000000200.timeindex %" PRIu64
                   "+0 orders 0\n",
                   places, times);
    expect(f, findings, "");
}

/* ---- tails and strays ------------------------------------------------------------------------------------------- */

static void put_file(struct fixture *f, const char *path, const char *text)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    assert_int_equal(wr_file_open(f->vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
    int64_t size = wr_file_size(file, &err);
    assert_int_equal(wr_file_write(file, text, strlen(text), (uint64_t)size, &err), 0);
    wr_file_close(file);
}

static void bytes_behind_the_end_are_a_torn_tail(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    put_file(f, SEG2 ".log", "half a batch");
    expect(f, "torn tail, note: orders-0/00000000000000000200.log 3910+12 orders 0\n", "");
    f = fixture_new(false);
    put_file(f, SEG2 ".log", "half a batch");
    expect(f, "torn tail, note: orders-0/00000000000000000200.log 3910+12\n", "");
}

/* Killed right after a roll that a checkpoint knows nothing of, and with a file that no commit came to. */
static void kill_after_roll(struct fixture *f)
{
    struct weir_error err = {0};
    struct wr_log *log = open_log(f);
    struct wr_log_topic *topic = topic_of(log, "orders", 2);
    expect_ok(wr_embedded_checkpoint(log, &err), &err);
    expect_ok(wr_embedded_roll(log, topic, 0, &err), &err);
    wr_log_topic_unref(topic);
    wr_embedded_abandon(log);
    put_file(f, "log/orders-0/00000000000000000305.log", "of a round that never was");
}

static void a_log_that_was_killed_and_stopped_at_once_has_no_findings(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    wr_log_close(open_log(f));
    expect_unchanged_findings(f, "");
    kill_after_roll(f);
    wr_log_close(open_log(f));
    expect(f, "", "");
}

static void strays_go_to_lost_and_found(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new(true);
    struct wr_bytes kept = {NULL, 0};
    put_file(f, "log/orders-0/00000000000000000777.log", "a segment of nobody");
    put_file(f, "log/orders-0/notes.txt", "mine");
    assert_int_equal(wr_vfs_mkdir(f->vfs, "log/gone-3", &err), 0);
    put_file(f, "log/gone-3/00000000000000000000.log", "records of a topic that there is not");
    put_file(f, "log/catalog.tmp", "half");
    static const char findings[] =
        "stray file, note: orders-0/00000000000000000777.log 0+0 orders 0\n"
        "stray file, note: orders-0/notes.txt 0+0 orders 0\n"
        "stray file, note: gone-3 0+0\n"
        "stray file, note: catalog.tmp 0+0\n";
    expect_unchanged_findings(f, findings);
    expect_ok(repair(f, false, &err), &err);
    assert_int_equal(
        wr_vfs_read_file(f->vfs, "log/lost+found/orders-0.notes.txt.0", 100, &kept, &err), 0);
    assert_string_equal(kept.ptr, "mine");
    wr_free((void *)(uintptr_t)kept.ptr);
    assert_int_equal(wr_vfs_read_file(f->vfs, "log/lost+found/gone-3.00000000000000000000.log.0",
                                      100, &kept, &err),
                     0);
    wr_free((void *)(uintptr_t)kept.ptr);
    expect_findings(f, "");
    fixture_free(f);
}

static void what_is_given_up_is_kept_aside(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new(true);
    struct wr_bytes kept = {NULL, 0};
    wr_vfs_sim_flip(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 4) + 200, 1);
    expect_ok(repair(f, false, &err), &err);
    assert_int_equal(wr_vfs_read_file(f->vfs,
                                      "log/lost+found/orders-0.00000000000000000100.log.1564",
                                      10000, &kept, &err),
                     0);
    assert_int_equal(kept.len, BATCH_BYTES);
    wr_free((void *)(uintptr_t)kept.ptr);
    fixture_free(f);
}

/* ---- the log's own files ------------------------------------------------------------------------------------------- */

static void a_damaged_checkpoint_is_made_anew(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, "log/checkpoint.0", 20, 1);
    expect(f, "damaged checkpoint, harm: checkpoint.0 0+0\n", "");
    f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, "log/checkpoint.1", 20, 1);
    expect(f, "damaged checkpoint, harm: checkpoint.1 0+0\n", "");
    f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, "log/checkpoint.0", 20, 1);
    unlink_file(f, "log/checkpoint.1");
    expect(
        f,
        "damaged checkpoint, harm: checkpoint.0 0+0\ndamaged checkpoint, harm: checkpoint.1 0+0\n",
        "");
}

static void a_damaged_catalog_is_made_anew(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, "log/catalog", 30, 1);
    expect(f, "damaged catalog, harm: catalog 0+0\n", "");
    f = fixture_new(true);
    unlink_file(f, "log/catalog");
    expect(f, "damaged catalog, harm: catalog 0+0\n", "");
}

static void a_partitions_small_files_are_made_anew(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, "log/orders-0/segments", 50, 1);
    wr_vfs_sim_flip(f->sim, "log/orders-0/leader-epoch-checkpoint", 0, 1);
    unlink_file(f, "log/orders-1/partition.metadata");
    expect(f,
           "damaged checkpoint, note: orders-0/segments 0+0 orders 0\n"
           "damaged checkpoint, note: orders-0/leader-epoch-checkpoint 0+0 orders 0\n"
           "damaged checkpoint, note: orders-1/partition.metadata 0+0 orders 1\n",
           "");
}

/* ---- the journal --------------------------------------------------------------------------------------------------- */

enum {
    BLOCK = 4096,
    /* each round takes one block here: the file's header, the topic, then the commits */
    FIRST_COMMIT_AT = 2 * BLOCK
};

/* The segment has what the entry held. */
static void a_damaged_body_of_an_entry_costs_nothing_while_the_segment_has_it(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    wr_vfs_sim_flip(f->sim, "log/journal/0", FIRST_COMMIT_AT + 5 * BLOCK + 300, 1);
    expect(f, "damaged journal entry, harm: journal/0 28672+0\n", "");
}

static void a_damaged_entry_whose_records_the_segment_lost_too_costs_these(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    wr_vfs_sim_flip(f->sim, "log/journal/0", FIRST_COMMIT_AT + 5 * BLOCK + 300, 1);
    wr_vfs_sim_flip(f->sim, SEG0 ".log", batch_at(f, SEG0 ".log", 5) + 200, 1);
    expect(f,
           "damaged journal entry, harm: journal/0 28672+0\n"
           "damaged batch, loss: orders-0/00000000000000000000.log 1955+391 orders 0 50..60\n",
           "50..60 ");
}

static void a_damaged_head_of_an_entry_is_told(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(false);
    /* told where the entry before it ends: nobody knows where it began */
    wr_vfs_sim_flip(f->sim, "log/journal/0", FIRST_COMMIT_AT + 5 * BLOCK + 20, 1);
    expect(f, "damaged journal entry, harm: journal/0 25096+0\n", "");
}

/* Nothing proves that the last entry was ever durable. */
static void the_last_entry_damaged_is_a_torn_tail(void **state)
{
    (void)state;
    struct fixture *f = fixture_new(true);
    struct wr_log *log = open_log(f);
    struct wr_log_topic *topic = topic_of(log, "orders", 2);
    struct wr_log_writer *writer = writer_of(log);
    append(writer, topic, 1, 1);
    commit(f, log, writer);
    wr_log_writer_close(writer);
    wr_log_topic_unref(topic);
    wr_embedded_abandon(log);
    wr_vfs_sim_flip(f->sim, "log/journal/0", BLOCK + 150, 1);
    expect(f,
           "torn tail, note: journal/0 4096+219\n"
           "torn tail, note: orders-1/00000000000000000000.log 94+94\n",
           "");
}

/* ---- what dump shows of it ------------------------------------------------------------------------------------------- */

static int show_entry(void *arg, const struct wr_dump_entry *entry, struct weir_error *err)
{
    (void)err;
    struct fixture *f = arg;
    int n = snprintf(f->text + f->len, sizeof(f->text) - f->len, "%" PRIu64 " at %" PRIu64 "%s\n",
                     entry->sequence, entry->at, entry->trouble != NULL ? " trouble" : "");
    f->len += (size_t)n;
    return f->len < sizeof(f->text) ? 0 : wr_fail(err, WEIR_E_LIMIT, "text");
}

static int show_part(void *arg, const struct wr_dump_part *part, struct weir_error *err)
{
    (void)err;
    struct fixture *f = arg;
    int n =
        snprintf(f->text + f->len, sizeof(f->text) - f->len, " %s %u %" PRId64 "..%" PRId64 "\n",
                 part->kind, part->partition, part->base_offset, part->next_offset);
    f->len += (size_t)n;
    return 0;
}

static int count_batch(void *arg, const struct wr_dump_batch *batch, struct weir_error *err)
{
    (void)err;
    struct fixture *f = arg;
    assert_null(batch->trouble);
    f->sum.batches++;
    return 0;
}

static int count_record(void *arg, const struct wr_dump_record *record, struct weir_error *err)
{
    (void)record;
    (void)err;
    struct fixture *f = arg;
    f->sum.records++;
    return 0;
}

static void expect_start(const struct fixture *f, const char *start)
{
    assert_memory_equal(f->text, start, strlen(start));
}

static void dump_shows_the_journal_and_what_is_damaged_in_it(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new(false);
    struct wr_dump dump = {.vfs = f->vfs,
                           .batch = count_batch,
                           .record = count_record,
                           .entry = show_entry,
                           .part = show_part,
                           .arg = f};
    expect_ok(wr_dump_journal(&dump, "log", &err), &err);
    expect_start(f, "1 at 4096\n topic 0 0..0\n"
                    "2 at 8192\n batches 0 0..10\n"
                    "3 at 12288\n batches 0 10..20\n");
    assert_int_equal(f->sum.batches, COMMITS + 1 + 2 * MARKED);
    assert_int_equal(f->sum.records, END + 1 + 3 * MARKED);

    wr_vfs_sim_flip(f->sim, "log/journal/0", 8192 + 300, 1);
    wr_vfs_sim_flip(f->sim, "log/journal/0", 12288 + 20, 1);
    f->len = 0;
    expect_ok(wr_dump_journal(&dump, "log", &err), &err);
    expect_start(f, "1 at 4096\n topic 0 0..0\n"
                    "2 at 8192 trouble\n batches 0 0..10\n"
                    "3 at 8712 trouble\n"
                    "4 at 16384\n batches 0 20..30\n");
    fixture_free(f);
}

/* ---- running ---------------------------------------------------------------------------------------------------------- */

static void a_log_that_runs_is_refused_unless_asked(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new(true);
    struct wr_log *log = open_log(f);
    assert_int_equal(look(f, false, &err), WEIR_E_BUSY);
    assert_int_equal(repair(f, false, &err), WEIR_E_BUSY);
    expect_ok(look(f, true, &err), &err);
    assert_string_equal(f->text, "");
    expect_writable(f, log); /* beyond the last checkpoint: not looked at */
    expect_ok(look(f, true, &err), &err);
    assert_string_equal(f->text, "");
    wr_vfs_sim_flip(f->sim, SEG1 ".log", batch_at(f, SEG1 ".log", 4) + 200, 1);
    expect_ok(look(f, true, &err), &err);
    assert_string_equal(
        f->text,
        "damaged batch, loss: orders-0/00000000000000000100.log 1564+391 orders 0 140..150\n");
    wr_log_close(log);
    fixture_free(f);
}

static void a_folder_without_a_log_is_refused(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new(true);
    struct wr_verify_options options = {.vfs = f->vfs, .dir = "nothing", .each = tell, .arg = f};
    assert_int_equal(wr_embedded_verify(&options, &f->sum, &err), WEIR_E_NOTFOUND);
    assert_int_equal(wr_vfs_mkdir(f->vfs, "nothing", &err), 0);
    assert_int_equal(wr_embedded_verify(&options, &f->sum, &err), WEIR_E_NOTFOUND);
    fixture_free(f);
}

static int refuse(void *arg, const struct wr_finding *finding, struct weir_error *err)
{
    (void)tell(arg, finding, err);
    return wr_fail(err, WEIR_E_STOPPED, "no");
}

static void a_callback_that_refuses_ends_a_repair_before_it_begins(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new(true);
    wr_vfs_sim_flip(f->sim, SEG1 ".log", 200, 1);
    uint64_t changes = wr_vfs_sim_count(f->sim, WR_SIM_CHANGES & ~(unsigned)WR_SIM_OPEN);
    struct wr_repair_options options = {.vfs = f->vfs, .dir = "log", .each = refuse, .arg = f};
    assert_int_equal(wr_embedded_repair(&options, &f->sum, &err), WEIR_E_STOPPED);
    assert_int_equal(wr_vfs_sim_count(f->sim, WR_SIM_CHANGES & ~(unsigned)WR_SIM_OPEN), changes);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_log_that_was_stopped_has_no_findings),
        cmocka_unit_test(a_log_that_was_killed_has_no_findings),
        cmocka_unit_test(a_flipped_byte_in_a_full_segment_costs_its_batch),
        cmocka_unit_test(a_flipped_byte_in_the_active_segment_costs_its_batch),
        cmocka_unit_test(a_flipped_byte_that_the_journal_still_covers_costs_nothing),
        cmocka_unit_test(a_wrong_base_offset_is_put_right),
        cmocka_unit_test(a_wrong_leader_epoch_is_put_right),
        cmocka_unit_test(zeros_over_several_batches_cost_these),
        cmocka_unit_test(a_full_segment_that_is_cut_lacks_its_end),
        cmocka_unit_test(the_active_segment_cut_lacks_its_end),
        cmocka_unit_test(a_removed_segment_is_missed),
        cmocka_unit_test(several_kinds_of_damage_are_told_apart),
        cmocka_unit_test(a_missing_index_is_made_anew),
        cmocka_unit_test(a_wrong_index_is_made_anew),
        cmocka_unit_test(zeros_behind_an_index_are_wrong),
        cmocka_unit_test(bytes_behind_the_end_are_a_torn_tail),
        cmocka_unit_test(a_log_that_was_killed_and_stopped_at_once_has_no_findings),
        cmocka_unit_test(strays_go_to_lost_and_found),
        cmocka_unit_test(what_is_given_up_is_kept_aside),
        cmocka_unit_test(a_damaged_checkpoint_is_made_anew),
        cmocka_unit_test(a_damaged_catalog_is_made_anew),
        cmocka_unit_test(a_partitions_small_files_are_made_anew),
        cmocka_unit_test(a_damaged_body_of_an_entry_costs_nothing_while_the_segment_has_it),
        cmocka_unit_test(a_damaged_entry_whose_records_the_segment_lost_too_costs_these),
        cmocka_unit_test(a_damaged_head_of_an_entry_is_told),
        cmocka_unit_test(the_last_entry_damaged_is_a_torn_tail),
        cmocka_unit_test(dump_shows_the_journal_and_what_is_damaged_in_it),
        cmocka_unit_test(a_log_that_runs_is_refused_unless_asked),
        cmocka_unit_test(a_folder_without_a_log_is_refused),
        cmocka_unit_test(a_callback_that_refuses_ends_a_repair_before_it_begins),
    };
    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
