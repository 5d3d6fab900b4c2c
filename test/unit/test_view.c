/* A view at work, on the log in memory and a real SQLite file. */
#include "view/view.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "view/view_fixture.h"

static const char textbook[] =
    "analytics:\n"
    "  from: orders\n"
    "  to: sqlite:analytics.db\n"
    "  schema: \"CREATE TABLE fact_orders (order_id INTEGER PRIMARY KEY, customer_name TEXT, amount REAL, "
    "shipped_at TEXT)\"\n"
    "  on:\n"
    "    OrderPlaced:  \"INSERT INTO fact_orders VALUES (:order_id, :customer_name, :amount, NULL)\"\n"
    "    OrderShipped: \"UPDATE fact_orders SET shipped_at = :_time WHERE order_id = :order_id\"\n";

static int setup(void **state)
{
    static struct view_fixture f;
    view_fixture_open(&f, 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    view_fixture_close(*state);
    return 0;
}

static void start(struct view_fixture *f, const char *yaml)
{
    if (view_fixture_define(f, yaml) < 0 || view_fixture_start(f) < 0) {
        fail_msg("%s", f->err.text);
    }
}

static void the_textbook_fills_its_fact_table(void **state)
{
    struct view_fixture *f = *state;
    view_fixture_topic(f, "orders", 1);
    start(f, textbook);
    view_fixture_append(
        f, "orders", NULL,
        "{\"type\":\"OrderPlaced\",\"order_id\":1001,\"customer_name\":\"Ada\",\"amount\":29.99}");
    view_fixture_append(f, "orders", NULL, "{\"type\":\"OrderShipped\",\"order_id\":1001}");
    view_fixture_run(f);
    assert_string_equal(view_fixture_query(f, "analytics.db", "SELECT * FROM fact_orders"),
                        "1001|Ada|29.99|2024-03-15T10:30:00.000Z");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_textbook_fills_its_fact_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
