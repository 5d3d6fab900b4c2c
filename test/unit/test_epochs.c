/* leader-epoch-checkpoint: Kafka's text (LeaderEpochCheckpointFile), written out by hand. */
#include "log/embedded/epochs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int decode(const char *text, size_t len, size_t *count, int64_t *last)
{
    struct weir_error err;
    struct wr_epoch *list = NULL;
    *count = 0;
    int rc = wr_epochs_decode((struct wr_str){text, len}, &list, count, &err);
    *last = rc == 0 && *count > 0 ? list[*count - 1].start : -1;
    wr_free(list);
    return rc;
}

static void reads_kafkas_text(void **state)
{
    static const char text[] = "0\n2\n0 0\n3 1207\n";
    size_t count = 0;
    int64_t last = 0;
    WR_UNUSED(state);
    assert_int_equal(decode(text, sizeof(text) - 1, &count, &last), 0);
    assert_int_equal(count, 2);
    assert_int_equal(last, 1207);
    assert_int_equal(decode("0\n0\n", 4, &count, &last), 0);
    assert_int_equal(count, 0);
}

static void refuses_every_prefix(void **state)
{
    static const char text[] = "0\n2\n0 0\n3 1207\n";
    size_t count = 0;
    int64_t last = 0;
    WR_UNUSED(state);
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        assert_int_equal(decode(text, len, &count, &last), WEIR_E_CORRUPT);
    }
}

static void refuses_what_is_no_such_text(void **state)
{
    static const char *const texts[] = {
        "1\n0\n",                         /* another version */
        "0\n2\n3 0\n0 1207\n",            /* epochs go back */
        "0\n2\n0 1207\n3 0\n",            /* offsets go back */
        "0\n1\n0 0\n1 5\n",               /* more lines than it says */
        "0\n1\n-1 0\n",                   /* no number */
        "0\n1\n0 9223372036854775808\n",  /* over 63 bits */
        "0\n99999999999999999999\n0 0\n", /* a count that sizes memory */
    };
    size_t count = 0;
    int64_t last = 0;
    WR_UNUSED(state);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(decode(texts[i], strlen(texts[i]), &count, &last), WEIR_E_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_kafkas_text),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(refuses_what_is_no_such_text),
    };
    return cmocka_run_group_tests_name("epochs", tests, NULL, NULL);
}
