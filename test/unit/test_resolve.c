/* Names of servers: what needs no look-up is handed through, what is in /etc/hosts is found, and nobody waits
 * for what does not answer. */
#include "source/postgres/resolve.h"

#include "base/wake.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct weir_error err;

static int resolve(const char *hosts, int wake_fd, int64_t timeout_ms, struct wr_pg_hosts *out)
{
    const struct wr_pg_resolve_options options = {.hosts = hosts,
                                                  .wake_fd = wake_fd,
                                                  .clock = wr_clock_os(),
                                                  .deadline_ms =
                                                      wr_mono_ms(wr_clock_os()) + timeout_ms};
    return wr_pg_resolve(&options, out, &err);
}

static void folders_and_addresses_are_handed_through(void **state)
{
    (void)state;
    static const char *const plain[] = {"/var/run/postgresql", "127.0.0.1", "::1",
                                        "10.0.0.1,10.0.0.2,/tmp"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        struct wr_pg_hosts hosts = {0};
        assert_int_equal(resolve(plain[i], -1, 0, &hosts), 0);
        assert_string_equal(hosts.hosts, plain[i]);
        assert_null(hosts.addresses);
        wr_pg_hosts_fini(&hosts);
    }
}

static size_t items(const char *list)
{
    size_t count = 1;
    for (; *list != 0; list++) {
        count += *list == ',' ? 1 : 0;
    }
    return count;
}

static void names_get_an_address_each(void **state)
{
    (void)state;
    struct wr_pg_hosts hosts = {0};
    assert_int_equal(resolve("localhost,/tmp,localhost", -1, 10000, &hosts), 0);
    assert_non_null(strstr(hosts.hosts, "/tmp"));
    assert_true(strstr(hosts.addresses, "127.0.0.1") != NULL ||
                strstr(hosts.addresses, "::1") != NULL);
    assert_int_equal(items(hosts.hosts), items(hosts.addresses));
    wr_pg_hosts_fini(&hosts);
}

static void a_name_that_is_none_is_told(void **state)
{
    (void)state;
    struct wr_pg_hosts hosts = {0};
    assert_int_equal(resolve("no such host", -1, 10000, &hosts), WEIR_E_CONNECT);
    assert_non_null(strstr(err.text, "look up host 'no such host'"));
    assert_null(hosts.hosts);
}

static void a_wake_up_or_the_deadline_ends_it(void **state)
{
    (void)state;
    struct wr_pg_hosts hosts = {0};
    struct wr_wake wake = {-1};
    assert_int_equal(wr_wake_open(&wake, &err), 0);
    wr_wake_signal(&wake);
    assert_int_equal(resolve("localhost", wake.fd, 10000, &hosts), WEIR_E_STOPPED);
    wr_wake_close(&wake);
    int rc = resolve("a.very.slow.name.invalid", -1, -1, &hosts);
    assert_int_equal(rc, WEIR_E_CONNECT);
    assert_null(hosts.hosts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_and_addresses_are_handed_through),
        cmocka_unit_test(names_get_an_address_each),
        cmocka_unit_test(a_name_that_is_none_is_told),
        cmocka_unit_test(a_wake_up_or_the_deadline_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
