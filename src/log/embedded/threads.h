/*
 * threads.h - the engine's own threads: thin loops around the steps.
 *
 *     commit   wr_round_step, while there is something to do
 *     segments writes segments while the commit thread syncs the journal, when there is enough to write
 *     keeper   checkpoints, retention, removals, the interval's sync, journal files made ahead
 *
 * Idle, none of them wakes: they wait without a time when nothing is due.
 */
#ifndef WR_EMBEDDED_THREADS_H
#define WR_EMBEDDED_THREADS_H

#include "log/embedded/state.h"

/* The conditions that threads and callers wait on. */
void wr_threads_init(struct wr_embedded *e);
void wr_threads_fini(struct wr_embedded *e);

/* Start them. WEIR_E_IO when the system has no room for a thread; none runs then. */
WR_MUST_USE int wr_threads_start(struct wr_embedded *e, struct weir_error *err);

/* End them: what is handed over is finished first by the commit thread, unless the log has failed. Harmless
 * when none runs. */
void wr_threads_stop(struct wr_embedded *e);

#endif
