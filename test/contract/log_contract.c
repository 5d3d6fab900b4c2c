/*
 * log_contract.c - one set of tests for every engine of the log: each sentence of log/log.h that promises
 * something has one. The argument names the variant: an engine in one setting.
 */
#include "contract/log_fixture.h"

static const struct variant *const engines[] = {memory_variants, embedded_variants};

static const struct variant *variant_named(const char *name)
{
    const struct variant *found = NULL;
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        for (const struct variant *v = engines[i]; v->name != NULL; v++) {
            found = strcmp(v->name, name) == 0 ? v : found;
        }
    }
    return found;
}

int main(int argc, char **argv)
{
    variant_under_test = argc == 2 ? variant_named(argv[1]) : NULL;
    if (variant_under_test == NULL) {
        (void)fprintf(stderr, "usage: log_contract VARIANT\n");
        return 2;
    }
    int failed = topic_contract();
    failed += writer_contract();
    failed += marked_contract();
    failed += reader_contract();
    failed += group_contract();
    failed += restart_contract();
    return failed == 0 ? 0 : 1;
}
