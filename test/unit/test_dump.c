/*
 * Showing what stands in segment files. The batches are Kafka's own (test/wire/batch), put one behind the
 * other; what the callbacks get is written down as text and compared.
 */
#include "log/embedded/dump.h"

#include "../wire/wire.h"
#include "sim/vfs_sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    struct wr_vfs_sim *sim;
    struct wr_dump dump;
    char text[8192];
    size_t len;
    uint64_t size;
    uint64_t done_bytes;
};

static void say(struct fixture *f, const char *fmt, ...) WR_PRINTF(2, 3);

static void say(struct fixture *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(f->text + f->len, sizeof(f->text) - f->len, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof(f->text) - f->len);
    f->len += (size_t)n;
}

static int on_batch(void *arg, const struct wr_dump_batch *batch, struct weir_error *err)
{
    (void)err;
    struct fixture *f = arg;
    say(f, "%" PRIu64, batch->at);
    if (batch->header != NULL) {
        say(f, " %" PRId64 "..%" PRId64, batch->header->base_offset,
            wr_batch_last_offset(batch->header));
    }
    say(f, "%s\n", batch->trouble != NULL ? " trouble" : "");
    return 0;
}

static int on_record(void *arg, const struct wr_dump_record *record, struct weir_error *err)
{
    (void)err;
    struct fixture *f = arg;
    say(f, "  %" PRId64 " h%zu", record->offset, record->record->header_count);
    if (record->marker != NULL) {
        say(f, " %s", record->marker->type == WR_MARKER_COMMIT ? "commit" : "abort");
    }
    say(f, "\n");
    return 0;
}

static void on_progress(void *arg, uint64_t done_bytes, uint64_t total_bytes)
{
    struct fixture *f = arg;
    assert_true(done_bytes >= f->done_bytes);
    assert_int_equal(total_bytes, f->size);
    f->done_bytes = done_bytes;
}

static void put_file(struct fixture *f, const char *path, const char *const *names, size_t count)
{
    struct weir_error err = {0};
    struct wr_file *file = NULL;
    f->size = 0;
    assert_int_equal(wr_file_open(f->dump.vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err),
                     0);
    for (size_t i = 0; i < count; i++) {
        struct wr_bytes bytes = wire_load("batch", names[i]);
        assert_int_equal(wr_file_write(file, bytes.ptr, bytes.len, f->size, &err), 0);
        f->size += bytes.len;
        free((void *)(uintptr_t)bytes.ptr);
    }
    wr_file_close(file);
}

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->sim = wr_vfs_sim_new();
    f->dump = (struct wr_dump){.vfs = wr_vfs_sim_vfs(f->sim),
                               .batch = on_batch,
                               .record = on_record,
                               .progress = on_progress,
                               .arg = f};
    return f;
}

static void fixture_free(struct fixture *f)
{
    wr_vfs_sim_free(f->sim);
    free(f);
}

static void shows_batches_records_and_markers(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "commit", "empty", "compacted", "five-gzip"};
    struct weir_error err = {0};
    struct fixture *f = fixture_new();
    put_file(f, "s.log", names, 5);
    assert_int_equal(wr_dump_segment(&f->dump, "s.log", &err), 0);
    /* They are not of one log: offsets do not follow on, and that is said. */
    assert_string_equal(f->text, "0 1000..1004\n"
                                 "  1000 h0\n  1001 h0\n  1002 h0\n  1003 h2\n  1004 h1\n"
                                 "461 1005..1005\n"
                                 "  1005 h0 commit\n"
                                 "539 1000..1004 trouble\n"
                                 "600 1000..1004 trouble\n"
                                 "  1000 h0\n  1002 h0\n  1004 h1\n"
                                 "1039 1000..1004 trouble\n"
                                 "  1000 h0\n  1001 h0\n  1002 h0\n  1003 h2\n  1004 h1\n");
    assert_int_equal(f->done_bytes, f->size);
    fixture_free(f);
}

static void without_a_record_callback_only_batches_are_shown(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "commit"};
    struct weir_error err = {0};
    struct fixture *f = fixture_new();
    put_file(f, "s.log", names, 2);
    f->dump.record = NULL;
    assert_int_equal(wr_dump_segment(&f->dump, "s.log", &err), 0);
    assert_string_equal(f->text, "0 1000..1004\n461 1005..1005\n");
    fixture_free(f);
}

static void shows_damage_and_goes_on_behind_it(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "commit", "five-lz4"};
    struct weir_error err = {0};
    struct fixture *f = fixture_new();
    put_file(f, "s.log", names, 3);
    wr_vfs_sim_flip(f->sim, "s.log", 200, 1); /* in the first batch's records */
    wr_vfs_sim_cut(f->sim, "s.log", f->size - 1);
    f->size--;
    f->dump.record = NULL;
    assert_int_equal(wr_dump_segment(&f->dump, "s.log", &err), 0);
    assert_string_equal(f->text, "0 1000..1004 trouble\n"
                                 "461 1005..1005\n"
                                 "539 1000..1004 trouble\n");
    fixture_free(f);
}

/* The CRC fits, but the records are not what the header says: none of them is shown. */
static void a_batch_with_a_bad_record_is_shown_without_records(void **state)
{
    (void)state;
    struct weir_error err = {0};
    struct fixture *f = fixture_new();
    struct wr_bytes bytes = wire_load("batch", "five-none");
    uint8_t *bad = wire_copy(bytes.ptr, bytes.len);
    bad[400] = 'y';
    bad[120] = 0x7e; /* the length of a record in the middle */
    bad[119] = 0x7e;
    wr_batch_patch_max_timestamp(bad, bytes.len, 1710500000007);
    struct wr_file *file = NULL;
    assert_int_equal(
        wr_file_open(f->dump.vfs, "s.log", WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err), 0);
    assert_int_equal(wr_file_write(file, bad, bytes.len, 0, &err), 0);
    wr_file_close(file);
    f->size = bytes.len;
    assert_int_equal(wr_dump_segment(&f->dump, "s.log", &err), 0);
    assert_string_equal(f->text, "0 1000..1004 trouble\n");
    free(bad);
    free((void *)(uintptr_t)bytes.ptr);
    fixture_free(f);
}

static int stop(void *arg, const struct wr_dump_batch *batch, struct weir_error *err)
{
    (void)on_batch(arg, batch, err);
    return wr_fail(err, WEIR_E_STOPPED, "enough");
}

static void a_callback_ends_it(void **state)
{
    (void)state;
    static const char *const names[] = {"five-none", "commit"};
    struct weir_error err = {0};
    struct fixture *f = fixture_new();
    put_file(f, "s.log", names, 2);
    f->dump.batch = stop;
    assert_int_equal(wr_dump_segment(&f->dump, "s.log", &err), WEIR_E_STOPPED);
    assert_string_equal(f->text, "0 1000..1004\n");
    assert_int_equal(wr_dump_segment(&f->dump, "t.log", &err), WEIR_E_NOTFOUND);
    fixture_free(f);
}

static void shows_the_segments_of_a_partition_from_an_offset_on(void **state)
{
    (void)state;
    static const char *const first[] = {"five-none"};
    static const char *const second[] = {"commit"};
    struct weir_error err = {0};
    struct fixture *f = fixture_new();
    f->dump.progress = NULL;
    assert_int_equal(wr_vfs_mkdir(f->dump.vfs, "log", &err), 0);
    assert_int_equal(wr_vfs_mkdir(f->dump.vfs, "log/t-3", &err), 0);
    put_file(f, "log/t-3/00000000000000001005.log", second, 1);
    put_file(f, "log/t-3/00000000000000001000.log", first, 1);
    put_file(f, "log/t-3/00000000000000001000.index", first, 1);
    put_file(f, "log/t-3/other.log", first, 1);
    f->dump.record = NULL;
    assert_int_equal(wr_dump_partition(&f->dump, "log", "t", 3, -1, &err), 0);
    assert_string_equal(f->text, "0 1000..1004\n0 1005..1005\n");
    f->len = 0;
    assert_int_equal(wr_dump_partition(&f->dump, "log", "t", 3, 1004, &err), 0);
    assert_string_equal(f->text, "0 1000..1004\n0 1005..1005\n");
    f->len = 0;
    assert_int_equal(wr_dump_partition(&f->dump, "log", "t", 3, 1005, &err), 0);
    assert_string_equal(f->text, "0 1005..1005\n");
    assert_int_equal(wr_dump_partition(&f->dump, "log", "t", 4, -1, &err), WEIR_E_NOTFOUND);
    fixture_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_batches_records_and_markers),
        cmocka_unit_test(without_a_record_callback_only_batches_are_shown),
        cmocka_unit_test(shows_damage_and_goes_on_behind_it),
        cmocka_unit_test(a_batch_with_a_bad_record_is_shown_without_records),
        cmocka_unit_test(a_callback_ends_it),
        cmocka_unit_test(shows_the_segments_of_a_partition_from_an_offset_on),
    };
    return cmocka_run_group_tests_name("dump", tests, NULL, NULL);
}
