/* run.c - rounds and seeds. */
#include "crash/run.h"

#include "base/clock.h"
#include "base/rng.h"

#include <inttypes.h>

enum {
    LONG_MS = 150 * 1000 /* for the long run of one program */
};

static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */
    return text == NULL || *text == 0 ? otherwise : strtoull(text, NULL, 10);
}

uint64_t run_seed(void)
{
    static uint64_t seed;
    if (seed == 0) {
        struct wr_rng rng = wr_rng_os();
        seed = number_from_env("WEIR_SEED", 1 + wr_rng_below(&rng, 1000000000));
        print_message("WEIR_SEED=%" PRIu64 "\n", seed);
    }
    return seed;
}

uint64_t run_rounds(uint64_t usual)
{
    return number_from_env("WEIR_ROUNDS", usual);
}

bool run_is_long(void)
{
    return number_from_env("WEIR_LONG", 0) == 1;
}

bool run_is_more(uint64_t done, uint64_t tests)
{
    static int64_t since_ms;
    int64_t now_ms = wr_mono_ms(wr_clock_os());
    since_ms = done == 0 ? now_ms : since_ms;
    if (run_is_long() && number_from_env("WEIR_ROUNDS", 0) == 0) {
        return done == 0 || now_ms - since_ms < LONG_MS / (int64_t)tests;
    }
    return done < run_rounds(1);
}

int run_steps(struct workload *w, int steps, struct weir_error *err)
{
    int rc = 0;
    for (int i = 0; i < steps && rc == 0; i++) {
        rc = workload_step(w, err);
    }
    return rc;
}
