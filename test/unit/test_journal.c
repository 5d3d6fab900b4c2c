/*
 * The journal's rules about which bytes count. Each test writes entries through the journal itself, harms
 * the file, and asks a scan what is left: torn tail or damage, and never an entry of another time.
 */
#include "log/embedded/journal.h"
#include "sim/vfs_sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum {
    FILE_BYTES = 64 * 1024,
    FILES = 3
};

struct seen {
    char text
        [2000]; /* "sequence" of each entry, "!first-last" of each damage, "h" when its head is known */
    struct wr_journal_end end;
};

static void open_journal(struct wr_vfs_sim *sim, struct wr_journal *j, uint64_t generation,
                         uint64_t sequence, uint32_t crc)
{
    struct weir_error err;
    struct wr_journal_start start = {generation, sequence, crc, {UINT32_MAX, 0}};
    assert_int_equal(wr_journal_open(j, wr_vfs_sim_vfs(sim), "j", FILE_BYTES, FILES, &start, &err),
                     0);
    assert_int_equal(wr_journal_settle(j, &err), 0);
}

static void add(struct wr_journal *j, const char *body)
{
    struct weir_error err;
    struct wr_journal_part part = {
        .kind = WR_PART_TOPIC, /* any body will do: nobody reads it here */
        .len = (uint32_t)strlen(body),
        .body = wr_bytes_of_str(wr_str_of(body)),
    };
    assert_int_equal(wr_journal_reserve(j, j->round_bytes + wr_journal_entry_bytes(&part, 1), &err),
                     0);
    assert_int_equal(wr_journal_ready(j, 1, &err), 0);
    (void)wr_journal_add(j, &part, 1, 0);
}

static void write_round(struct wr_journal *j, bool is_synced)
{
    struct weir_error err;
    assert_int_equal(wr_journal_write(j, &err), 0);
    if (is_synced) {
        assert_int_equal(wr_journal_sync(j, &err), 0);
    }
}

static void put(struct wr_journal *j, const char *body)
{
    add(j, body);
    write_round(j, true);
}

static int see_entry(void *arg, const struct wr_journal_entry *entry, struct weir_error *err)
{
    struct seen *seen = arg;
    size_t at = strlen(seen->text);
    WR_UNUSED(err);
    (void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s%" PRIu64, at == 0 ? "" : " ",
                   entry->sequence);
    return 0;
}

static int see_damage(void *arg, const struct wr_journal_damage *damage, struct weir_error *err)
{
    struct seen *seen = arg;
    size_t at = strlen(seen->text);
    WR_UNUSED(err);
    (void)snprintf(seen->text + at, sizeof(seen->text) - at, "%s!%" PRIu64 "-%" PRIu64 "%s",
                   at == 0 ? "" : " ", damage->first_sequence, damage->last_sequence,
                   damage->head == NULL ? "" : "h");
    return 0;
}

static struct seen scan_from(struct wr_vfs_sim *sim, const struct wr_journal_start *start)
{
    struct weir_error err;
    struct seen seen = {.text = ""};
    struct wr_journal_visitor visitor = {see_entry, see_damage, &seen, 0};
    assert_int_equal(wr_journal_scan(wr_vfs_sim_vfs(sim), "j", start, &visitor, &seen.end, &err),
                     0);
    return seen;
}

/* From the start of the first file. */
static struct seen scan(struct wr_vfs_sim *sim, uint64_t generation, uint64_t sequence,
                        uint32_t crc)
{
    struct wr_journal_start start = {generation, sequence, crc, {0, WR_JOURNAL_BLOCK}};
    return scan_from(sim, &start);
}

/* The place of the n-th round in the first file, each of one block. */
static uint64_t round_at(int n)
{
    return (uint64_t)WR_JOURNAL_BLOCK * (uint64_t)n;
}

static void gives_back_what_was_written_in_order(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, "one");
    add(&j, "two");
    add(&j, "three");
    write_round(&j, true);
    put(&j, "four");
    wr_journal_close(&j);
    struct seen seen = scan(sim, 1, 1, 0);
    assert_string_equal(seen.text, "1 2 3 4");
    assert_int_equal(seen.end.torn_entries, 0);
    assert_int_equal(seen.end.next.sequence, 5);
    wr_vfs_sim_free(sim);
}

static void a_last_entry_that_is_not_whole_is_a_torn_tail(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, "one");
    put(&j, "two");
    wr_journal_close(&j);
    wr_vfs_sim_flip(sim, "j/0", round_at(2) + 126, 1); /* in the body of the second */
    struct seen seen = scan(sim, 1, 1, 0);
    assert_string_equal(seen.text, "1");
    assert_int_equal(seen.end.damages, 0);
    assert_int_equal(seen.end.torn_entries, 1);
    assert_int_equal(seen.end.torn_at.at, round_at(2));
    wr_vfs_sim_free(sim);
}

/* Whichever bit of its head is wrong: something was there, and a person is told. */
static void what_is_left_of_a_last_head_is_seen(void **state)
{
    WR_UNUSED(state);
    for (unsigned bit = 0; bit < 64 * 8; bit++) {
        struct wr_vfs_sim *sim = wr_vfs_sim_new();
        struct wr_journal j;
        open_journal(sim, &j, 6, 1, 0);
        put(&j, "one");
        add(&j, "two");
        add(&j, "three");
        write_round(&j, true);
        wr_journal_close(&j);
        uint64_t at =
            round_at(2) + (bit % 2 == 0 ? 0 : 136); /* the second, and the one behind it */
        wr_vfs_sim_flip(sim, "j/0", at + bit / 8, (uint8_t)(1U << bit % 8));
        struct seen seen = scan(sim, 6, 1, 0);
        assert_string_equal(seen.text, bit % 2 == 0 ? "1" : "1 2");
        assert_int_equal(seen.end.torn_entries, 1);
        wr_vfs_sim_free(sim);
    }
}

static void an_entry_that_a_later_one_knew_to_be_durable_is_damage(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, "one");
    put(&j, "two");
    put(&j, "three");
    wr_journal_close(&j);
    wr_vfs_sim_zero(sim, "j/0", round_at(2), 100); /* nothing of the second can be told */
    assert_string_equal(scan(sim, 1, 1, 0).text, "1 !2-2 3");
    wr_vfs_sim_free(sim);
}

static void damage_of_a_body_tells_whose_it_was(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, "one");
    add(&j, "two");
    add(&j, "three"); /* does not start on a block: only the head before it leads here */
    write_round(&j, true);
    put(&j, "four");
    wr_journal_close(&j);
    wr_vfs_sim_flip(sim, "j/0", round_at(2) + 126, 1);
    assert_string_equal(scan(sim, 1, 1, 0).text, "1 !2-2h 3 4");
    wr_vfs_sim_free(sim);
}

static void a_later_entry_that_did_not_know_it_durable_is_torn_as_well(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, "one");
    add(&j, "two");
    write_round(&j, false);
    add(&j, "three");
    write_round(&j, false);
    wr_journal_close(&j);
    wr_vfs_sim_zero(sim, "j/0", round_at(2), 100);
    struct seen seen = scan(sim, 1, 1, 0);
    assert_string_equal(seen.text, "1");
    assert_int_equal(seen.end.damages, 0);
    assert_int_equal(seen.end.torn_entries, 1);
    wr_vfs_sim_free(sim);
}

/* Entries 2 (torn) and 3 (whole, behind it) were cut; a new run writes its 2 where the old one was. Then
 * the old 3, in its place, with the sequence that is expected next, must not follow it. */
static void what_was_cut_does_not_come_back_behind_new_entries(void **state)
{
    WR_UNUSED(state);
    for (uint64_t second = 1; second <= 2; second++) { /* 1: a generation given twice, by mistake */
        struct wr_vfs_sim *sim = wr_vfs_sim_new();
        struct wr_journal j;
        open_journal(sim, &j, 1, 1, 0);
        put(&j, "one");
        add(&j, "two");
        write_round(&j, false);
        add(&j, "three");
        write_round(&j, false);
        wr_journal_close(&j);
        wr_vfs_sim_flip(sim, "j/0", round_at(2) + 126, 1);
        struct seen first = scan(sim, 1, 1, 0);
        assert_string_equal(first.text, "1");
        open_journal(sim, &j, second, 2, first.end.next.crc);
        struct weir_error err;
        assert_int_equal(wr_journal_reserve(&j, 1, &err), 0);
        j.next.at = round_at(2); /* exactly over the torn one */
        put(&j, "TWO");
        wr_journal_close(&j);
        struct wr_journal_start start = {second, 2, first.end.next.crc, {0, round_at(2)}};
        struct seen again = scan_from(sim, &start);
        assert_string_equal(again.text, "2");
        assert_int_equal(again.end.next.sequence, 3);
        wr_vfs_sim_free(sim);
    }
}

static void entries_of_another_generation_do_not_count(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, "one");
    put(&j, "two");
    wr_journal_close(&j);
    struct seen seen = scan(sim, 2, 1, 0);
    assert_string_equal(seen.text, "");
    assert_int_equal(seen.end.torn_entries, 0);
    assert_int_equal(seen.end.damages, 0);
    wr_vfs_sim_free(sim);
}

static void goes_on_in_the_next_file_and_recycles_what_is_released(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    struct weir_error err;
    char body[9000];
    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    open_journal(sim, &j, 1, 1, 0);
    struct wr_journal_mark mark = {0};
    for (int i = 0; i < 40; i++) {
        if (wr_journal_reserve(&j, sizeof(body) + 200, &err) == WEIR_E_AGAIN &&
            wr_journal_make(&j, &err) == 0) {
            wr_journal_mark(&j, &mark);
            wr_journal_release(&j, &mark);
            assert_int_equal(wr_journal_reserve(&j, sizeof(body) + 200, &err), 0);
        }
        put(&j, body);
    }
    assert_true(mark.start.sequence > 1);
    wr_journal_close(&j);
    struct seen seen = {.text = ""};
    struct wr_journal_visitor visitor = {see_entry, see_damage, &seen, 0};
    assert_int_equal(
        wr_journal_scan(wr_vfs_sim_vfs(sim), "j", &mark.start, &visitor, &seen.end, &err), 0);
    assert_int_equal(seen.end.next.sequence, 41);
    assert_int_equal(seen.end.entries, 41 - mark.start.sequence);
    assert_int_equal(seen.end.damages, 0);
    wr_vfs_sim_free(sim);
}

/* Rounds past the page cache are put together block by block, some MiB at once. */
static void a_round_past_the_page_cache_is_the_same_bytes(void **state)
{
    WR_UNUSED(state);
    enum {
        LARGE_FILE = 16 * 1024 * 1024,
        LARGE_BODY = 9 * 1024 * 1024
    };
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    struct weir_error err;
    struct wr_journal_start start = {1, 1, 0, {UINT32_MAX, 0}};
    assert_int_equal(wr_journal_open(&j, wr_vfs_sim_vfs(sim), "j", LARGE_FILE, 2, &start, &err), 0);
    assert_int_equal(wr_journal_direct(&j, &err), 0);
    assert_int_equal(wr_journal_settle(&j, &err), 0);
    char *large = malloc(LARGE_BODY + 1);
    assert_non_null(large);
    for (size_t i = 0; i < LARGE_BODY; i++) {
        large[i] = (char)('a' + i % 23);
    }
    large[LARGE_BODY] = 0;
    add(&j, "small");
    add(&j, large);
    add(&j, "last");
    write_round(&j, true);
    put(&j, "next");
    wr_journal_close(&j);
    free(large);
    struct seen seen = scan(sim, 1, 1, 0);
    assert_string_equal(seen.text, "1 2 3 4"); /* each with the CRC of its body */
    assert_int_equal(seen.end.torn_entries, 0);
    wr_vfs_sim_free(sim);
}

static void a_file_with_something_behind_the_mark_is_not_released(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    struct wr_journal_mark mark;
    struct weir_error err;
    char body[40000]; /* one fills a file */
    memset(body, 'x', sizeof(body) - 1);
    body[sizeof(body) - 1] = 0;
    open_journal(sim, &j, 1, 1, 0);
    put(&j, body);
    wr_journal_mark(&j, &mark);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(wr_journal_make(&j, &err), 1);
        put(&j, body);
    }
    wr_journal_release(&j, &mark);
    assert_int_equal(j.files[0].state, WR_JOURNAL_FREE);
    assert_int_equal(j.files[1].state, WR_JOURNAL_LIVE);
    assert_int_equal(j.files[2].state, WR_JOURNAL_LIVE);
    wr_journal_close(&j);
    wr_vfs_sim_free(sim);
}

static void without_a_start_the_last_unbroken_run_is_found(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    struct weir_error err;
    struct wr_journal_start start = {0};
    bool is_found = true;
    open_journal(sim, &j, 4, 1, 0);
    assert_int_equal(wr_journal_guess(wr_vfs_sim_vfs(sim), "j", &start, &is_found, &err), 0);
    assert_false(is_found);
    put(&j, "one");
    put(&j, "two");
    put(&j, "three");
    wr_journal_close(&j);
    wr_vfs_sim_zero(sim, "j/0", round_at(1), 100); /* overwritten since, say */
    assert_int_equal(wr_journal_guess(wr_vfs_sim_vfs(sim), "j", &start, &is_found, &err), 0);
    assert_true(is_found);
    assert_int_equal(start.generation, 4);
    assert_int_equal(start.sequence, 2);
    assert_string_equal(scan_from(sim, &start).text, "2 3");
    wr_vfs_sim_free(sim);
}

/* ---- making files ---- */

struct maker {
    struct wr_journal *journal;
    pthread_t thread;
    int made;
};

static void *make_main(void *arg)
{
    struct maker *maker = arg;
    struct weir_error err;
    maker->made = wr_journal_make(maker->journal, &err);
    return NULL;
}

/* While one thread is about to give its file the name, another wants to make one, and is let run as far as it
 * comes; then the first goes on, and its file gets entries. */
struct race {
    struct maker second;
    bool has_begun;
    struct wr_journal *journal;
};

static void begin_second(void *arg, enum wr_sim_kind kind, const char *path)
{
    struct race *race = arg;
    WR_UNUSED(kind);
    WR_UNUSED(path);
    if (race->has_begun) {
        return;
    }
    race->has_begun = true;
    race->second = (struct maker){.journal = race->journal};
    assert_int_equal(pthread_create(&race->second.thread, NULL, make_main, &race->second), 0);
    const struct timespec some = {.tv_nsec =
                                      20000000L}; /* a wrong journal has made the same by then */
    (void)nanosleep(&some, NULL);
}

static void two_threads_never_fill_the_same_file(void **state)
{
    WR_UNUSED(state);
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_journal j;
    struct weir_error err;
    open_journal(sim, &j, 1, 1, 0);
    while (j.next.file == UINT32_MAX || j.next.at < FILE_BYTES) {
        put(&j, "as many as fit the first file");
    }
    struct race race = {.journal = &j};
    wr_vfs_sim_hook(sim, WR_SIM_RENAME, begin_second, &race);
    uint64_t syncs = wr_vfs_sim_count(sim, WR_SIM_SYNC);
    assert_int_equal(wr_journal_make(&j, &err), 1);
    assert_true(race.has_begun);
    assert_int_equal(pthread_join(race.second.thread, NULL), 0);
    assert_int_equal(race.second.made, 0); /* there is one now */
    assert_int_equal(wr_vfs_sim_count(sim, WR_SIM_SYNC) - syncs, 1);
    wr_vfs_sim_hook(sim, 0, NULL, NULL);
    wr_journal_close(&j);
    wr_vfs_sim_free(sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written_in_order),
        cmocka_unit_test(a_last_entry_that_is_not_whole_is_a_torn_tail),
        cmocka_unit_test(what_is_left_of_a_last_head_is_seen),
        cmocka_unit_test(an_entry_that_a_later_one_knew_to_be_durable_is_damage),
        cmocka_unit_test(damage_of_a_body_tells_whose_it_was),
        cmocka_unit_test(a_later_entry_that_did_not_know_it_durable_is_torn_as_well),
        cmocka_unit_test(what_was_cut_does_not_come_back_behind_new_entries),
        cmocka_unit_test(entries_of_another_generation_do_not_count),
        cmocka_unit_test(goes_on_in_the_next_file_and_recycles_what_is_released),
        cmocka_unit_test(a_file_with_something_behind_the_mark_is_not_released),
        cmocka_unit_test(a_round_past_the_page_cache_is_the_same_bytes),
        cmocka_unit_test(without_a_start_the_last_unbroken_run_is_found),
        cmocka_unit_test(two_threads_never_fill_the_same_file),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
