/*
 * What is decided from a server's answers, and that every refusal says what mends it. The facts are made
 * here; that the queries give them is tested with a real server in test/system.
 */
#include "source/postgres/setup.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct wr_pg_config config;
static struct wr_pg_server server;
static struct wr_pg_slot slot;
static struct wr_pg_publication publication;
static struct wr_pg_position position;
static struct weir_error err;

static int set_up(void **state)
{
    (void)state;
    config = (struct wr_pg_config){
        .name = "app", .database = "app_db", .user = "weir", .slot = "s1", .publication = "p1"};
    server = (struct wr_pg_server){.version = 150004,
                                   .system = "73",
                                   .timeline = 1,
                                   .wal_lsn = 0x9000,
                                   .role = "weir",
                                   .is_logical = true,
                                   .wal_level = "logical",
                                   .may_replicate = true};
    slot = (struct wr_pg_slot){.exists = true,
                               .is_ours = true,
                               .plugin = "pgoutput",
                               .database = "app_db",
                               .confirmed_lsn = 0x4000};
    publication = (struct wr_pg_publication){.exists = true, .oid = 12};
    position = (struct wr_pg_position){
        .lsn = 0x5000, .system = "73", .timeline = 1, .publication_oid = 12};
    return 0;
}

static int position_check(bool *moved)
{
    return wr_pg_check_position(&position, &server, &slot, &publication, &config, moved, &err);
}

static void refuses(const char *with)
{
    bool moved = true;
    assert_int_equal(position_check(&moved), WEIR_E_REFUSED);
    assert_false(moved);
    if (strstr(err.text, with) == NULL || strstr(err.text, "...") != NULL) {
        fail_msg("'%s' is not, or not whole, in: %s", with, err.text);
    }
}

/* The same, but with trust_slot it goes on where the slot stands. */
static void refuses_but_follows(const char *with)
{
    refuses(with);
    bool moved = false;
    config.mismatch = WR_PG_MISMATCH_TRUST_SLOT;
    assert_int_equal(position_check(&moved), 0);
    assert_true(moved);
    assert_int_equal(position.lsn, slot.confirmed_lsn);
    assert_string_equal(position.system, server.system);
    assert_int_equal(position.timeline, server.timeline);
    assert_int_equal(position.publication_oid, publication.oid);
    moved = true;
    assert_int_equal(position_check(&moved), 0); /* and fits from then on */
    assert_false(moved);
}

static void a_position_that_fits_is_left_alone(void **state)
{
    (void)state;
    bool moved = true;
    assert_int_equal(position_check(&moved), 0);
    assert_false(moved);
    assert_int_equal(position.lsn, 0x5000);
    slot.confirmed_lsn = 0x5000;
    server.wal_lsn = 0x5000;
    assert_int_equal(position_check(&moved), 0);
}

static void refuses_a_slot_that_is_ahead(void **state)
{
    (void)state;
    slot.confirmed_lsn = 0x5001;
    refuses_but_follows("pg_drop_replication_slot('s1')");
}

static void follows_a_slot_that_is_ahead_when_told_to_trust_the_greater(void **state)
{
    (void)state;
    bool moved = false;
    config.mismatch = WR_PG_MISMATCH_TRUST_GREATER;
    slot.confirmed_lsn = 0x5001;
    assert_int_equal(position_check(&moved), 0);
    assert_true(moved);
    assert_int_equal(position.lsn, 0x5001);
    (void)set_up(NULL);
    config.mismatch = WR_PG_MISMATCH_TRUST_GREATER;
    assert_int_equal(position_check(&moved), 0);
    assert_int_equal(position.lsn, 0x5000);
}

static void refuses_a_position_beyond_the_server(void **state)
{
    (void)state;
    server.wal_lsn = 0x4fff;
    refuses_but_follows("the server's WAL ends at 0/4FFF, but it was read up to 0/5000");
}

static void refuses_another_system_or_timeline(void **state)
{
    (void)state;
    (void)memcpy(server.system, "74", 3);
    refuses_but_follows("another database system (74)");
    (void)set_up(NULL);
    server.timeline = 2;
    refuses_but_follows("timeline 2");
}

static void refuses_a_publication_that_was_made_anew(void **state)
{
    (void)state;
    publication.oid = 13;
    refuses_but_follows("pg_create_logical_replication_slot('s1', 'pgoutput')");
}

static void refuses_a_slot_that_is_gone_or_lost_whatever_is_trusted(void **state)
{
    (void)state;
    slot = (struct wr_pg_slot){0};
    refuses("slot 's1' is gone, and with it the changes since 0/5000. SELECT "
            "pg_create_logical_replication_slot('s1', 'pgoutput');");
    config.mismatch = WR_PG_MISMATCH_TRUST_SLOT;
    refuses("is gone");
    (void)set_up(NULL);
    slot.is_lost = true;
    refuses("slot 's1' is lost");
}

static void names_who_holds_the_slot_and_how_to_end_it(void **state)
{
    (void)state;
    assert_int_equal(wr_pg_check_slot(&slot, &config, &err), 0);
    slot.active_pid = 4711;
    (void)memcpy(slot.application, "Debezium", 9);
    assert_int_equal(wr_pg_check_slot(&slot, &config, &err), WEIR_E_BUSY);
    assert_non_null(strstr(err.text, "Debezium"));
    assert_non_null(strstr(err.text, "pg_terminate_backend(4711)"));
    slot.is_ours = false;
    assert_int_equal(wr_pg_check_slot(&slot, &config, &err), WEIR_E_REFUSED);
    slot = (struct wr_pg_slot){0};
    assert_int_equal(wr_pg_check_slot(&slot, &config, &err), 0); /* it will be made */
}

static void says_what_the_server_needs(void **state)
{
    (void)state;
    assert_int_equal(wr_pg_check_server(&server, &config, &err), 0);
    server.may_replicate = false;
    assert_int_equal(wr_pg_check_server(&server, &config, &err), WEIR_E_REFUSED);
    assert_non_null(strstr(err.text, "ALTER ROLE \"weir\" REPLICATION;"));
    server.is_logical = false;
    (void)memcpy(server.wal_level, "replica", 8);
    assert_int_equal(wr_pg_check_server(&server, &config, &err), WEIR_E_REFUSED);
    assert_non_null(strstr(err.text, "wal_level is 'replica'"));
    assert_non_null(strstr(err.text, "ALTER SYSTEM SET wal_level = 'logical'"));
    server.version = 110000;
    assert_int_equal(wr_pg_check_server(&server, &config, &err), WEIR_E_REFUSED);
}

static void names_every_grant_that_the_snapshot_lacks(void **state)
{
    (void)state;
    struct wr_pg_target items[] = {
        {.schema = WR_STR("a"), .name = WR_STR("t"), .may_use_schema = true, .may_select = true},
        {.schema = WR_STR("a"), .name = WR_STR("U\"x"), .may_use_schema = true},
        {.schema = WR_STR("b"), .name = WR_STR("v")},
    };
    struct wr_pg_targets targets = {.items = items, .count = 1};
    assert_int_equal(wr_pg_check_select(&targets, &server, &err), 0);
    targets.count = 3;
    assert_int_equal(wr_pg_check_select(&targets, &server, &err), WEIR_E_REFUSED);
    assert_non_null(strstr(err.text, "may not read 2 of the 3 tables"));
    assert_non_null(strstr(
        err.text, "GRANT SELECT ON \"a\".\"U\"\"x\" TO \"weir\"; GRANT USAGE ON SCHEMA \"b\" TO "
                  "\"weir\"; GRANT SELECT ON \"b\".\"v\" TO \"weir\";"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_position_that_fits_is_left_alone),
        TEST(refuses_a_slot_that_is_ahead),
        TEST(follows_a_slot_that_is_ahead_when_told_to_trust_the_greater),
        TEST(refuses_a_position_beyond_the_server),
        TEST(refuses_another_system_or_timeline),
        TEST(refuses_a_publication_that_was_made_anew),
        TEST(refuses_a_slot_that_is_gone_or_lost_whatever_is_trusted),
        TEST(names_who_holds_the_slot_and_how_to_end_it),
        TEST(says_what_the_server_needs),
        TEST(names_every_grant_that_the_snapshot_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
