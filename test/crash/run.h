/* run.h - what the crash tests share beside the workload: rounds and seeds from the environment. */
#ifndef CRASH_RUN_H
#define CRASH_RUN_H

#include "crash/workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The first seed: WEIR_SEED, else one of chance; printed, so that a failure can be run again. */
uint64_t run_seed(void);

/* How many seeds from there on: WEIR_ROUNDS, else `usual`. */
uint64_t run_rounds(uint64_t usual);

/* For a test that is one of `tests` in its program and has run `done` seeds: one more? WEIR_ROUNDS of them,
 * else one; in the long run as many as fit its share of some minutes. */
bool run_is_more(uint64_t done, uint64_t tests);

/* Is this the run that takes its time (WEIR_LONG=1)? */
bool run_is_long(void);

/* Live `steps` of the workload on w->sim, in room and out of it. Returns 0, or the code with which the log
 * failed. */
int run_steps(struct workload *w, int steps, struct weir_error *err);

#endif
