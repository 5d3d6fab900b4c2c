/* run.c - rounds and seeds. */
#include "crash/run.h"

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    return text == NULL || *text == 0 ? otherwise : strtoull(text, NULL, 10);
}

uint64_t run_seed(void)
{
    return number_from_env("WEIR_ROUNDS", 0) == 0 ? 1 : number_from_env("WEIR_SEED", 1);
}

uint64_t run_rounds(uint64_t usual)
{
    return number_from_env("WEIR_ROUNDS", usual);
}

bool run_is_long(void)
{
    return number_from_env("WEIR_LONG", 0) == 1;
}

int run_steps(struct workload *w, int steps, struct weir_error *err)
{
    int rc = 0;
    for (int i = 0; i < steps && rc == 0; i++) {
        rc = workload_step(w, err);
    }
    return rc;
}
