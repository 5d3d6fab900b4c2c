/* run.h - what the crash tests share beside the workload: rounds and seeds from the environment. */
#ifndef CRASH_RUN_H
#define CRASH_RUN_H

#include "crash/workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* With WEIR_ROUNDS: that many rounds, from WEIR_SEED on. Without: `usual` rounds from seed 1 on, so that
 * the short run is the same everywhere. */
uint64_t run_seed(void);
uint64_t run_rounds(uint64_t usual);

/* Is this the run that takes its time (WEIR_LONG=1)? */
bool run_is_long(void);

/* Live `steps` of the workload on w->sim, in room and out of it. Returns 0, or the code with which the log
 * failed. */
int run_steps(struct workload *w, int steps, struct weir_error *err);

#endif
