/*
 * Opening a folder: after clean stops and kills, and when the catalog, the checkpoint or a derived file is
 * lost or wrong. What is asked each time: are the records there, is it told, and does the next start find
 * nothing to do.
 */
#include "unit/embedded_fixture.h"

#include "log/embedded/repair.h"
#include "log/embedded/topics.h"

static struct wr_embedded_recovery recovery_of(struct fix *f)
{
    struct wr_embedded_recovery r;
    wr_embedded_recovery(f->log, &r);
    return r;
}

/* Three records over two partitions, and a topic with many small segments. */
static struct fix *filled(void)
{
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 2, "retention.ms=60000");
    struct wr_log_topic *many = fix_topic(f, "many", 1, "segment.bytes=200");
    fix_put(f, t, 0, "a", "1");
    fix_put(f, t, 1, "b", "2");
    fix_put(f, t, 0, "c", "3");
    for (int i = 0; i < 6; i++) {
        fix_put(f, many, 0, "k", "0123456789012345678901234567890123456789");
    }
    wr_log_topic_unref(t);
    wr_log_topic_unref(many);
    return f;
}

static void check_all_there(struct fix *f)
{
    struct wr_log_topic *t = NULL;
    struct wr_log_topic *many = NULL;
    assert_int_equal(wr_log_topic_find(f->log, "t", &t, &f->err), 0);
    assert_int_equal(wr_log_topic_find(f->log, "many", &many, &f->err), 0);
    assert_string_equal(fix_read(f, t, 0, WR_OFFSET_EARLIEST), "0:a=1 1:c=3");
    assert_string_equal(fix_read(f, t, 1, WR_OFFSET_EARLIEST), "0:b=2");
    assert_null(strchr(fix_read(f, many, 0, WR_OFFSET_EARLIEST), '!'));
    assert_int_equal(fix_info(f, many, 0).high_watermark, 6);
    assert_int_equal(fix_info(f, many, 0).log_start, 0);
    wr_log_topic_unref(t);
    wr_log_topic_unref(many);
}

static void check_second_start_repairs_nothing(struct fix *f)
{
    assert_true(wr_embedded_step(f->log, &f->err) >=
                0); /* the first checkpoint, if it was put off */
    fix_kill(f);
    fix_open(f);
    assert_int_equal(recovery_of(f).repairs, 0);
    assert_string_equal(f->notices, "");
    check_all_there(f);
}

static void finish(struct fix *f)
{
    assert_string_equal(f->fatal, "");
    fix_close(f);
    fix_free(f);
}

static void a_clean_stop_leaves_nothing_to_do(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    int32_t epoch = recovery_of(f).leader_epoch;
    fix_close(f);
    fix_open(f);
    assert_true(recovery_of(f).was_clean);
    assert_int_equal(recovery_of(f).entries, 0);
    assert_int_equal(recovery_of(f).leader_epoch, epoch);
    check_all_there(f);
    finish(f);
}

static void a_kill_replays_and_begins_a_new_epoch(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    int32_t epoch = recovery_of(f).leader_epoch;
    fix_kill(f);
    fix_open(f);
    assert_false(recovery_of(f).was_clean);
    assert_true(recovery_of(f).entries > 0);
    assert_int_equal(recovery_of(f).leader_epoch, epoch + 1);
    check_all_there(f);
    check_second_start_repairs_nothing(f);
    finish(f);
}

/* The large commit stands in its segment alone: taken away with the folder's name it would be lost. */
static void a_topic_made_again_keeps_its_large_commits_after_a_kill(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    f->placed_bytes_min = 1;
    fix_open(f);
    struct wr_log_topic *old = fix_topic(f, "t", 1, NULL);
    fix_put(f, old, 0, "a", "old");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    wr_log_topic_unref(old);
    assert_int_equal(wr_log_topic_delete(f->log, "t", &f->err), 0);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    fix_put(f, t, 0, "a", "new");
    wr_log_topic_unref(t);
    wr_manual_clock_advance(&f->clock, INT64_C(120) * 1000 * 1000); /* the old folder goes */
    assert_true(wr_embedded_retain(f->log, &f->err) >= 0);
    fix_kill(f);
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    assert_int_equal(recovery_of(f).damaged, 0);
    assert_string_equal(fix_read(f, t, 0, WR_OFFSET_EARLIEST), "0:a=new");
    wr_log_topic_unref(t);
    finish(f);
}

/* Readers see what was replayed before the checkpoint that makes it durable a second time. */
static void what_readers_saw_before_the_first_checkpoint_survives(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    fix_kill(f);
    f->journal_file_bytes = 128 * 1024; /* the files of the other size are still what counts */
    fix_open(f);
    struct wr_embedded_stats stats;
    wr_embedded_stats(f->log, &stats);
    assert_int_equal(stats.checkpoints, 0);
    check_all_there(f);
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f->sim, WR_SIM_LOSS_GARBAGE, 3);
    wr_log_writer_close(f->writer);
    wr_embedded_abandon(f->log);
    wr_vfs_sim_free(f->sim);
    f->sim = image;
    fix_open(f);
    check_all_there(f);
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    fix_put(f, t, 1, "d", "4");
    wr_embedded_stats(f->log, &stats);
    assert_int_equal(stats.checkpoints, 2); /* a round waits for them */
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_open(f);
    t = fix_topic(f, "t", 2, NULL);
    assert_string_equal(fix_read(f, t, 1, WR_OFFSET_EARLIEST), "0:b=2 1:d=4");
    wr_log_topic_unref(t);
    finish(f);
}

static void one_of_two_checkpoints_may_be_lost(void **state)
{
    WR_UNUSED(state);
    static const char *const names[] = {"log/checkpoint.0", "log/checkpoint.1"};
    for (int i = 0; i < 4; i++) {
        struct fix *f = filled();
        bool is_clean = i >= 2;
        if (is_clean) {
            fix_close(f);
        } else {
            assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
            fix_kill(f);
        }
        wr_vfs_sim_flip(f->sim, names[i % 2], 40, 1);
        fix_open(f);
        check_all_there(f);
        assert_int_equal(recovery_of(f).damaged, 0);
        check_second_start_repairs_nothing(f);
        finish(f);
    }
}

static void without_any_checkpoint_the_segments_are_read(void **state)
{
    WR_UNUSED(state);
    for (int i = 0; i < 2; i++) {
        struct fix *f = filled();
        if (i == 0) {
            fix_kill(f);
        } else {
            fix_close(f);
        }
        wr_vfs_sim_flip(f->sim, "log/checkpoint.0", 40, 1);
        wr_vfs_sim_flip(f->sim, "log/checkpoint.1", 40, 1);
        fix_open(f);
        assert_non_null(strstr(f->notices, "every segment is read"));
        assert_true(recovery_of(f).repairs > 0);
        assert_int_equal(recovery_of(f).damaged, 0);
        check_all_there(f);
        struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
        fix_put(f, t, 1, "d", "4");
        assert_string_equal(fix_read(f, t, 1, 0), "0:b=2 1:d=4");
        wr_log_topic_unref(t);
        finish(f);
    }
}

static void without_a_catalog_the_folders_tell_the_topics(void **state)
{
    WR_UNUSED(state);
    for (int i = 0; i < 2; i++) {
        struct fix *f = filled();
        struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
        struct wr_topic_id id = t->id;
        wr_log_topic_unref(t);
        assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
        if (i == 0) {
            fix_kill(f);
        } else {
            fix_close(f);
        }
        wr_vfs_sim_flip(f->sim, "log/catalog", 30, 1);
        fix_open(f);
        assert_non_null(strstr(f->notices, "settings are lost"));
        check_all_there(f);
        t = fix_topic(f, "t", 2, NULL);
        assert_memory_equal(&t->id, &id, sizeof(id));
        wr_log_topic_unref(t);
        /* Nothing is deleted on the word of settings that nobody gave. */
        wr_manual_clock_advance(&f->clock, INT64_C(30) * 24 * 3600 * 1000000);
        assert_true(wr_embedded_retain(f->log, &f->err) >= 0);
        check_all_there(f);
        check_second_start_repairs_nothing(f);
        finish(f);
    }
}

static void without_either_all_is_found_again(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    fix_kill(f);
    wr_vfs_sim_flip(f->sim, "log/catalog", 30, 1);
    wr_vfs_sim_flip(f->sim, "log/checkpoint.0", 40, 1);
    wr_vfs_sim_flip(f->sim, "log/checkpoint.1", 40, 1);
    fix_open(f);
    check_all_there(f);
    check_second_start_repairs_nothing(f);
    finish(f);
}

static void derived_files_are_made_anew(void **state)
{
    WR_UNUSED(state);
    static const struct {
        const char *path;
        uint64_t at;
    } flips[] = {
        {"log/many-0/segments", 3},   /* the magic */
        {"log/many-0/segments", 59},  /* how many bytes the first segment has: only the CRC tells */
        {"log/many-0/segments", 200}, /* some later line */
        {"log/many-0/leader-epoch-checkpoint", 0},
    };
    for (size_t i = 0; i < sizeof(flips) / sizeof(flips[0]); i++) {
        struct fix *f = filled();
        fix_kill(f);
        fix_open(f);
        struct wr_log_topic *many = fix_topic(f, "many", 1, NULL);
        fix_put(f, many, 0, "k", "in the next epoch");
        wr_log_topic_unref(many);
        fix_close(f);
        wr_vfs_sim_flip(f->sim, flips[i].path, flips[i].at, 1);
        fix_open(f);
        many = fix_topic(f, "many", 1, NULL);
        assert_null(strchr(fix_read(f, many, 0, WR_OFFSET_EARLIEST), '!'));
        int64_t end = 0;
        assert_int_equal(wr_log_epoch_end(f->log, many, 0, 0, &end, &f->err), 0);
        assert_int_equal(end, 6);
        wr_log_topic_unref(many);
        finish(f);
    }
}

/* As a power loss at this moment leaves it, with nothing that was not synced. */
static void lose_power(struct fix *f)
{
    struct wr_vfs_sim *image = wr_vfs_sim_power_loss(f->sim, WR_SIM_LOSS_NONE, 1);
    wr_log_writer_close(f->writer);
    wr_embedded_abandon(f->log);
    wr_vfs_sim_free(f->sim);
    f->sim = image;
}

/* A file with `len` bytes of `byte`, durable. */
static void leave_file(struct fix *f, const char *path, uint8_t byte, size_t len)
{
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    memset(bytes, byte, len);
    assert_int_equal(
        wr_vfs_replace(wr_vfs_sim_vfs(f->sim), path, (struct wr_bytes){bytes, len}, &f->err), 0);
    free(bytes);
}

static void what_the_segments_lost_is_written_again(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    lose_power(f); /* the segments were never synced: all of them is in the journal only */
    fix_open(f);
    assert_int_equal(recovery_of(f).damaged, 0);
    check_all_there(f);
    check_second_start_repairs_nothing(f);
    finish(f);
}

static void what_a_leftover_held_does_not_come_back_behind_a_new_segment(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0); /* the folder's name is durable */
    leave_file(f, "log/t-0/00000000000000000002.log", 0xaa, 5000);
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    assert_int_equal(wr_embedded_roll(f->log, t, 0, &f->err), 0);
    fix_put(f, t, 0, "d", "4");
    wr_log_topic_unref(t);
    lose_power(f);
    fix_open(f);
    assert_int_equal(recovery_of(f).cut_bytes, 0);
    assert_string_equal(f->notices, "");
    t = fix_topic(f, "t", 2, NULL);
    assert_string_equal(fix_read(f, t, 0, 2), "2:d=4");
    wr_log_topic_unref(t);
    finish(f);
}

static void what_retention_left_behind_is_no_damage_when_the_list_is_lost(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t =
        fix_topic(f, "t", 1, "segment.bytes=200,retention.bytes=400,file.delete.delay.ms=0");
    for (int i = 0; i < 8; i++) {
        fix_put(f, t, 0, "k", "0123456789012345678901234567890123456789");
    }
    assert_int_equal(wr_embedded_retain(f->log, &f->err), 1);
    int64_t start = fix_info(f, t, 0).log_start;
    assert_true(start > 1);
    leave_file(f, "log/t-0/00000000000000000000.log", 0xaa, 500);
    assert_int_equal(wr_vfs_unlink(wr_vfs_sim_vfs(f->sim), "log/t-0/segments", &f->err), 0);
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    assert_null(strchr(fix_read(f, t, 0, start), '!'));
    assert_false(fix_info(f, t, 0).is_damaged);
    assert_int_equal(wr_embedded_retain(f->log, &f->err), 0);
    assert_int_equal(
        wr_vfs_unlink(wr_vfs_sim_vfs(f->sim), "log/t-0/00000000000000000000.log", &f->err),
        WEIR_E_NOTFOUND);
    wr_log_topic_unref(t);
    finish(f);
}

/* A file that begins within a segment is no segment, whatever its name says. */
static void a_leftover_between_segments_is_no_damage_when_the_list_is_lost(void **state)
{
    WR_UNUSED(state);
    for (int i = 0; i < 2; i++) {
        struct fix *f = filled();
        struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
        assert_int_equal(wr_embedded_roll(f->log, t, 0, &f->err), 0);
        wr_log_topic_unref(t);
        assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
        fix_kill(f);
        leave_file(f, "log/t-0/00000000000000000001.log", 0, 78);
        struct wr_vfs *vfs = wr_vfs_sim_vfs(f->sim);
        assert_int_equal(wr_vfs_unlink(vfs, "log/t-0/segments", &f->err), 0);
        if (i == 1) {
            assert_int_equal(wr_vfs_unlink(vfs, "log/checkpoint.0", &f->err), 0);
            assert_int_equal(wr_vfs_unlink(vfs, "log/checkpoint.1", &f->err), 0);
        }
        fix_open(f);
        check_all_there(f);
        t = fix_topic(f, "t", 2, NULL);
        assert_false(fix_info(f, t, 0).is_damaged);
        wr_log_topic_unref(t);
        finish(f);
    }
}

static void a_log_opens_without_a_segment_that_the_journal_goes_on_with(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    fix_put(f, t, 0, "d", "4");
    wr_log_topic_unref(t);
    fix_kill(f);
    assert_int_equal(
        wr_vfs_unlink(wr_vfs_sim_vfs(f->sim), "log/t-0/00000000000000000000.log", &f->err), 0);
    fix_open(f);
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    t = fix_topic(f, "t", 2, NULL);
    assert_true(fix_info(f, t, 0).is_damaged);
    assert_int_equal(fix_read(f, t, 0, 0)[0], '!');
    assert_string_equal(fix_read(f, t, 1, 0), "0:b=2");
    wr_log_topic_unref(t);
    finish(f);
}

/* Twelve records answered, then the journal's next sync fails and the process ends; the machine stays up. Gives how
 * many of them the next start finds. */
static size_t left_by_a_failed_sync(enum wr_durability durability, uint64_t seed)
{
    char expected[200] = "";
    struct fix *f = fix_new();
    f->durability = durability;
    wr_vfs_sim_seed(f->sim, seed);
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    for (int i = 0; i < 12; i++) {
        fix_put(f, t, 0, "k", "v");
        size_t at = strlen(expected);
        (void)snprintf(expected + at, sizeof(expected) - at, "%s%d:k=v", i == 0 ? "" : " ", i);
    }
    wr_vfs_sim_fault(f->sim,
                     &(struct wr_sim_fault){
                         .kinds = WR_SIM_SYNC, .at = 1, .path = "journal", .code = WEIR_E_IO});
    fix_append(f, t, 0, "k", "last");
    assert_int_equal(wr_log_writer_commit(f->writer, WR_COMMIT_SYNC, NULL, &f->err), 0);
    assert_true(wr_embedded_step(f->log, &f->err) < 0);
    wr_log_topic_unref(t);
    wr_log_writer_close(f->writer);
    wr_embedded_abandon(f->log);
    wr_vfs_sim_fault(f->sim, &(struct wr_sim_fault){0});
    f->fatal[0] = 0;
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    char *seen = strdup(fix_read(f, t, 0, 0));
    assert_non_null(seen);
    size_t left = (size_t)fix_info(f, t, 0).high_watermark;
    size_t most = left < 12 ? strlen(seen) : strlen(expected); /* the last one may be there */
    assert_memory_equal(seen, expected, most);
    wr_log_topic_unref(t);
    lose_power(f);
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    assert_string_equal(fix_read(f, t, 0, 0), seen);
    free(seen);
    wr_log_topic_unref(t);
    finish(f);
    return left;
}

/* The kernel calls clean what it could not write, and may let it go at any time: what is read after it must come
 * from the disk. So a failed sync is like a power cut for what was answered before a sync. */
static void after_a_failed_sync_a_start_shows_only_what_the_disk_has(void **state)
{
    WR_UNUSED(state);
    size_t lost = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        assert_true(left_by_a_failed_sync(WR_DURABILITY_FSYNC, seed) >= 12);
        lost += left_by_a_failed_sync(WR_DURABILITY_INTERVAL, seed) < 12 ? 1 : 0;
        lost += left_by_a_failed_sync(WR_DURABILITY_OS, seed) < 12 ? 1 : 0;
    }
    assert_true(lost > 0);
}

static void delete_topic(struct fix *f, struct wr_log_topic *t)
{
    assert_int_equal(wr_log_topic_delete(f->log, t->name, &f->err), 0);
    wr_log_topic_unref(t);
}

static void a_damaged_entry_of_a_topic_that_was_deleted_later_is_passed_over(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    struct wr_log_topic *gone = fix_topic(f, "gone", 1, NULL);
    fix_put(f, gone, 0, "a", "1");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    assert_int_equal(wr_embedded_roll(f->log, gone, 0, &f->err), 0);
    struct wr_journal_place place = fix_next_entry(f);
    fix_put(f, gone, 0, "b", "2"); /* its head stays whole */
    delete_topic(f, gone);
    fix_kill(f);
    char path[40];
    (void)snprintf(path, sizeof(path), "log/journal/%u", place.file);
    wr_vfs_sim_flip(f->sim, path, place.at + WR_JOURNAL_HEAD_BYTES + WR_JOURNAL_PART_BYTES, 1);
    fix_open(f);
    assert_non_null(strstr(f->notices, "the journal is damaged"));
    assert_int_equal(wr_log_topic_find(f->log, "gone", &gone, &f->err), WEIR_E_NOTFOUND);
    check_all_there(f);
    finish(f);
}

/* The folder of the topic has gone its way, and the entry that says so is lost. With `rolls`, its journal goes on
 * in another segment. */
static void lose_a_deletion(bool rolls)
{
    struct fix *f = filled();
    struct wr_log_topic *gone = fix_topic(f, "gone", 1, NULL);
    fix_put(f, gone, 0, "a", "1");
    assert_int_equal(wr_embedded_roll(f->log, gone, 0, &f->err), 0);
    fix_put(f, gone, 0, "b", "2");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    if (rolls) {
        assert_int_equal(wr_embedded_roll(f->log, gone, 0, &f->err), 0);
        fix_put(f, gone, 0, "c", "3");
    }
    struct wr_journal_place place = fix_next_entry(f);
    delete_topic(f, gone);
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    fix_put(f, t, 0, "d", "4");
    wr_log_topic_unref(t);
    fix_kill(f);
    fix_zero_blocks(f, place, 1);
    fix_open(f);
    gone = fix_topic(f, "gone", 1, NULL);
    assert_true(fix_info(f, gone, 0).is_damaged);
    assert_int_equal(fix_read(f, gone, 0, 0)[0], '!');
    assert_int_equal(f->err.code, WEIR_E_DAMAGED);
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    delete_topic(f, gone);
    finish(f);
}

static void a_topic_whose_deletion_is_lost_is_damaged_and_can_be_deleted(void **state)
{
    WR_UNUSED(state);
    lose_a_deletion(false);
    lose_a_deletion(true);
}

enum {
    EPOCH_AT = 15 /* the last byte of a batch's leader epoch, which its CRC does not cover */
};

/* A log with records of the epochs 0, 1, 1, 2 and one batch each, as a kill leaves it; gives the size of a batch. */
static struct fix *of_three_runs(uint64_t *batch)
{
    struct fix *f = fix_new();
    for (int epoch = 0; epoch < 3; epoch++) {
        fix_open(f);
        struct wr_log_topic *e = fix_topic(f, "e", 1, NULL);
        fix_put(f, e, 0, "k", "v");
        if (epoch == 1) {
            fix_put(f, e, 0, "k", "v");
        }
        assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
        *batch = fix_info(f, e, 0).size_bytes / (uint64_t)fix_info(f, e, 0).high_watermark;
        wr_log_topic_unref(e);
        fix_kill(f);
    }
    return f;
}

/* Flip a bit of the epoch of one batch: is it found where it stands? */
static void harm_an_epoch(int64_t offset)
{
    uint64_t batch = 0;
    struct fix *f = of_three_runs(&batch);
    fix_open(f);
    struct wr_log_topic *e = fix_topic(f, "e", 1, NULL);
    assert_string_equal(fix_read(f, e, 0, 0), "0:k=v 1:k=v 2:k=v 3:k=v");
    wr_vfs_sim_flip(f->sim, "log/e-0/00000000000000000000.log", (uint64_t)offset * batch + EPOCH_AT,
                    1);
    const char *seen = fix_read(f, e, 0, 0);
    char place[20];
    (void)snprintf(place, sizeof(place), "offset %" PRId64, offset);
    assert_int_equal(f->err.code, WEIR_E_DAMAGED);
    assert_non_null(strstr(seen, place));
    wr_log_topic_unref(e);
    finish(f);
}

static int pass_finding(void *arg, const struct wr_finding *finding, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(finding);
    WR_UNUSED(err);
    return 0;
}

static void a_hole_is_passed_whatever_epoch_its_repair_gave_it(void **state)
{
    WR_UNUSED(state);
    uint64_t batch = 0;
    struct fix *f = of_three_runs(&batch);
    struct wr_verify_sum sum;
    struct wr_repair_options options = {
        .vfs = wr_vfs_sim_vfs(f->sim), .dir = "log", .each = pass_finding};
    wr_vfs_sim_flip(f->sim, "log/e-0/00000000000000000000.log", 3 * batch - 1, 1);
    wr_vfs_sim_flip(f->sim, "log/e-0/leader-epoch-checkpoint", 0, 1);
    assert_int_equal(wr_embedded_repair(&options, &sum, &f->err), 0);
    fix_open(f);
    struct wr_log_topic *e = fix_topic(f, "e", 1, NULL);
    assert_string_equal(fix_read(f, e, 0, 0), "0:k=v 1:k=v 3:k=v");
    wr_log_topic_unref(e);
    finish(f);
}

static void a_batch_with_the_epoch_of_another_run_is_damage(void **state)
{
    WR_UNUSED(state);
    harm_an_epoch(2); /* 1 becomes 0, behind a 1 */
    harm_an_epoch(3); /* 2 becomes 3, which there is not yet */
}

/* The last epoch of the log is the one after that of the batch: it is not taken for it. */
static void a_batch_with_the_epoch_of_the_next_run_is_damage(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    fix_kill(f);
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    fix_put(f, t, 0, "d", "4");
    wr_vfs_sim_flip(f->sim, "log/t-0/00000000000000000000.log", EPOCH_AT, 1);
    assert_int_equal(fix_read(f, t, 0, 0)[0], '!');
    assert_int_equal(f->err.code, WEIR_E_DAMAGED);
    wr_log_topic_unref(t);
    finish(f);
}

/* Of a large commit the journal has no bytes, but its epoch. */
static void a_large_commit_with_another_epoch_is_damage_after_a_kill(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    f->placed_bytes_min = 1;
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 1, NULL);
    fix_put(f, t, 0, "a", "1");
    wr_log_topic_unref(t);
    fix_kill(f);
    wr_vfs_sim_flip(f->sim, "log/t-0/00000000000000000000.log", EPOCH_AT, 8);
    fix_open(f);
    t = fix_topic(f, "t", 1, NULL);
    assert_true(fix_info(f, t, 0).is_damaged);
    assert_int_equal(fix_info(f, t, 0).high_watermark, 1);
    assert_int_equal(recovery_of(f).leader_epoch, 1);
    wr_log_topic_unref(t);
    finish(f);
}

/* A checkpoint that finds no room has made durable what is in the folder of a new topic, and not its name. */
static void a_large_commit_to_a_new_topic_outlives_a_checkpoint_that_found_no_room(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    f->placed_bytes_min = 1;
    fix_open(f);
    struct wr_log_topic *first = fix_topic(f, "first", 1, NULL);
    fix_put(f, first, 0, "a", "1");
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    wr_vfs_sim_fault(f->sim, &(struct wr_sim_fault){.kinds = WR_SIM_OPEN,
                                                    .at = 1,
                                                    .path = "t-1/partition.metadata",
                                                    .code = WEIR_E_FULL});
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), WEIR_E_FULL);
    fix_put(f, t, 0, "b", "2");
    wr_log_topic_unref(first);
    wr_log_topic_unref(t);
    lose_power(f);
    fix_open(f);
    t = fix_topic(f, "t", 2, NULL);
    assert_string_equal(fix_read(f, t, 0, 0), "0:b=2");
    assert_string_equal(f->notices, "");
    wr_log_topic_unref(t);
    finish(f);
}

/* An entry is lost that does not say whose it was: of the partitions without a later entry nobody knows. */
static void partitions_that_may_have_lost_records_take_no_more(void **state)
{
    WR_UNUSED(state);
    struct fix *f = fix_new();
    fix_open(f);
    struct wr_log_topic *t = fix_topic(f, "t", 3, NULL);
    fix_put(f, t, 1, "b", "1");
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    struct wr_journal_place place = fix_next_entry(f);
    fix_put(f, t, 0, "a", "1"); /* this one is lost */
    fix_put(f, t, 1, "b", "2");
    fix_put(f, t, 1, "b", "3");
    wr_log_topic_unref(t);
    lose_power(f);
    fix_zero_blocks(f, place, 1);
    fix_open(f);
    assert_non_null(strstr(f->notices, "the journal is damaged"));
    t = fix_topic(f, "t", 3, NULL);
    assert_true(fix_info(f, t, 0).is_damaged);
    assert_false(fix_info(f, t, 1).is_damaged);
    assert_true(fix_info(f, t, 2).is_damaged);
    assert_string_equal(fix_read(f, t, 1, 0), "0:b=1 1:b=2 2:b=3");
    wr_log_topic_unref(t);
    finish(f);
}

static void segments_that_are_gone_are_damage(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    fix_close(f);
    struct wr_vfs *vfs = wr_vfs_sim_vfs(f->sim);
    assert_int_equal(wr_vfs_unlink(vfs, "log/many-0/00000000000000000000.log", &f->err), 0);
    assert_int_equal(wr_vfs_unlink(vfs, "log/many-0/segments", &f->err), 0);
    fix_open(f);
    struct wr_log_topic *many = fix_topic(f, "many", 1, NULL);
    assert_non_null(strstr(fix_read(f, many, 0, 0), "has lost its segment at offset 0"));
    assert_int_equal(f->err.code, WEIR_E_DAMAGED);
    assert_true(fix_info(f, many, 0).is_damaged);
    wr_log_topic_unref(many);
    finish(f);
}

/* Aborted transactions are listed in a file of their own, which can be made anew and for which a full disk
 * has no room. */
static void a_checkpoint_on_a_full_disk_keeps_the_names_of_new_segments(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    assert_int_equal(wr_embedded_roll(f->log, t, 0, &f->err), 0);
    assert_int_equal(wr_log_writer_mark(f->writer, &f->err), 0);
    fix_put(f, t, 0, "x", "y");
    assert_int_equal(wr_log_writer_end(f->writer, false, NULL, &f->err), 0);
    fix_drive(f);
    wr_log_topic_unref(t);
    wr_vfs_sim_capacity(f->sim, wr_vfs_sim_used(f->sim));
    assert_int_equal(wr_embedded_checkpoint(f->log, &f->err), 0);
    wr_vfs_sim_capacity(f->sim, UINT64_MAX);
    lose_power(f);
    fix_open(f);
    assert_int_equal(recovery_of(f).damaged, 0);
    t = fix_topic(f, "t", 2, NULL);
    assert_int_equal(fix_info(f, t, 0).high_watermark, 4);
    wr_log_topic_unref(t);
    check_all_there(f);
    finish(f);
}

static void on_a_disk_filled_to_the_last_block_it_opens_and_serves(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    struct wr_log_answer answer;
    fix_kill(f); /* topics were made since the last checkpoint: the catalog is to be written */
    wr_vfs_sim_capacity(f->sim, wr_vfs_sim_used(f->sim));
    fix_open(f);
    check_all_there(f);
    struct wr_log_topic *t = fix_topic(f, "t", 2, NULL);
    fix_append(f, t, 1, "d", "4");
    assert_int_equal(wr_log_writer_commit(f->writer, WR_COMMIT_PLAIN, NULL, &f->err), 0);
    fix_drive(f);
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 1);
    assert_int_equal(answer.outcome, WR_COMMIT_AGAIN);
    wr_vfs_sim_capacity(f->sim, UINT64_MAX);
    assert_int_equal(wr_log_writer_retry(f->writer, &f->err), 0);
    fix_drive(f);
    assert_int_equal(wr_log_writer_poll(f->writer, &answer, &f->err), 1);
    assert_int_equal(answer.outcome, WR_COMMIT_DONE);
    wr_log_topic_unref(t);
    lose_power(f);
    fix_open(f);
    t = fix_topic(f, "t", 2, NULL);
    assert_string_equal(fix_read(f, t, 1, 0), "0:b=2 1:d=4");
    wr_log_topic_unref(t);
    finish(f);
}

/* Stopped before anything was written, it is as it was, and a later start begins anew. */
static void a_log_that_was_only_read_on_a_full_disk_loses_nothing(void **state)
{
    WR_UNUSED(state);
    for (int i = 0; i < 2; i++) {
        struct fix *f = filled();
        fix_kill(f);
        wr_vfs_sim_capacity(f->sim, wr_vfs_sim_used(f->sim));
        fix_open(f);
        check_all_there(f);
        if (i == 0) {
            fix_close(f);
        } else {
            lose_power(f);
        }
        wr_vfs_sim_capacity(f->sim, UINT64_MAX);
        fix_open(f);
        check_all_there(f);
        finish(f);
    }
}

static void what_is_made_anew_waits_for_room_too(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    fix_kill(f);
    assert_int_equal(wr_vfs_unlink(wr_vfs_sim_vfs(f->sim), "log/catalog", &f->err), 0);
    wr_vfs_sim_capacity(f->sim, wr_vfs_sim_used(f->sim));
    fix_open(f);
    assert_non_null(strstr(f->notices, "writes wait for room"));
    check_all_there(f);
    wr_vfs_sim_capacity(f->sim, UINT64_MAX);
    assert_int_equal(wr_embedded_step(f->log, &f->err), 1);
    check_second_start_repairs_nothing(f);
    finish(f);
}

static void a_second_process_is_told_the_folder(void **state)
{
    WR_UNUSED(state);
    struct fix *f = filled();
    struct wr_log *first = f->log;
    assert_int_equal(fix_try_open(f), WEIR_E_BUSY);
    assert_non_null(strstr(f->err.text, "'log'"));
    f->log = first;
    finish(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_stop_leaves_nothing_to_do),
        cmocka_unit_test(a_kill_replays_and_begins_a_new_epoch),
        cmocka_unit_test(a_topic_made_again_keeps_its_large_commits_after_a_kill),
        cmocka_unit_test(what_readers_saw_before_the_first_checkpoint_survives),
        cmocka_unit_test(one_of_two_checkpoints_may_be_lost),
        cmocka_unit_test(without_any_checkpoint_the_segments_are_read),
        cmocka_unit_test(without_a_catalog_the_folders_tell_the_topics),
        cmocka_unit_test(without_either_all_is_found_again),
        cmocka_unit_test(derived_files_are_made_anew),
        cmocka_unit_test(what_the_segments_lost_is_written_again),
        cmocka_unit_test(what_a_leftover_held_does_not_come_back_behind_a_new_segment),
        cmocka_unit_test(what_retention_left_behind_is_no_damage_when_the_list_is_lost),
        cmocka_unit_test(a_leftover_between_segments_is_no_damage_when_the_list_is_lost),
        cmocka_unit_test(partitions_that_may_have_lost_records_take_no_more),
        cmocka_unit_test(a_log_opens_without_a_segment_that_the_journal_goes_on_with),
        cmocka_unit_test(a_damaged_entry_of_a_topic_that_was_deleted_later_is_passed_over),
        cmocka_unit_test(a_topic_whose_deletion_is_lost_is_damaged_and_can_be_deleted),
        cmocka_unit_test(a_batch_with_the_epoch_of_another_run_is_damage),
        cmocka_unit_test(a_hole_is_passed_whatever_epoch_its_repair_gave_it),
        cmocka_unit_test(a_batch_with_the_epoch_of_the_next_run_is_damage),
        cmocka_unit_test(a_large_commit_with_another_epoch_is_damage_after_a_kill),
        cmocka_unit_test(a_large_commit_to_a_new_topic_outlives_a_checkpoint_that_found_no_room),
        cmocka_unit_test(after_a_failed_sync_a_start_shows_only_what_the_disk_has),
        cmocka_unit_test(segments_that_are_gone_are_damage),
        cmocka_unit_test(a_checkpoint_on_a_full_disk_keeps_the_names_of_new_segments),
        cmocka_unit_test(on_a_disk_filled_to_the_last_block_it_opens_and_serves),
        cmocka_unit_test(a_log_that_was_only_read_on_a_full_disk_loses_nothing),
        cmocka_unit_test(what_is_made_anew_waits_for_room_too),
        cmocka_unit_test(a_second_process_is_told_the_folder),
    };
    return cmocka_run_group_tests_name("recovery", tests, NULL, NULL);
}
