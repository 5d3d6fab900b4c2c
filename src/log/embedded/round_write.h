/*
 * round_write.h - writes what a round has admitted, and makes it durable as the durability asks.
 */
#ifndef WR_EMBEDDED_ROUND_WRITE_H
#define WR_EMBEDDED_ROUND_WRITE_H

#include "log/embedded/admit.h"

/* Write placed parts, the journal and the segments, and sync. S. A failure of any kind is fatal: the caller
 * says so. Blocks on disk. */
WR_MUST_USE int wr_round_write(struct wr_round *round, struct weir_error *err);

/* The thread that writes segments while the journal syncs; `arg` is the engine. */
void *wr_round_segments_main(void *arg);

#endif
