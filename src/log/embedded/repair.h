/*
 * repair.h - brings the folder of a damaged log in order, and keeps every record that can be read.
 *
 * First what the next start would do anyway: torn tails are cut, what the journal holds goes to the
 * segments. Then what a start must not do by itself: a batch that cannot be read is replaced by an empty
 * one that covers its offsets, so that those behind it keep theirs and every reader, Kafka's too, goes on
 * over the hole; a base offset is set right where both neighbours say what it must be; a lost segment is
 * replaced by an empty batch over its offsets; indexes are written anew; strays go to `lost+found`.
 * What is replaced is kept there as well.
 *
 * Each file changes by a new one that is synced and takes the old one's name, so that a repair that was
 * interrupted can be started again. Thread: any. Blocks on disk.
 */
#ifndef WR_EMBEDDED_REPAIR_H
#define WR_EMBEDDED_REPAIR_H

#include "log/embedded/verify.h"

struct wr_repair_options {
    struct wr_vfs *vfs;
    const char *dir;
    bool is_dry_run; /* change nothing, and say what would be done */
    int (*each)(void *arg, const struct wr_finding *finding, struct weir_error *err);
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
    void *arg;
};

/* Do what `remedy` of each finding says. Holds the log's lock. `each` is called for every finding, before
 * anything is changed; a non-zero result ends it and is returned, with nothing changed.
 *   out  what was found, and how many records were given up
 * After it has returned 0 without is_dry_run, verify finds nothing, and the log opens and takes writes.
 * Returns as wr_embedded_verify(), and WEIR_E_FULL: nothing is worse than before, try again with room. */
WR_MUST_USE int wr_embedded_repair(const struct wr_repair_options *options,
                                   struct wr_verify_sum *out, struct weir_error *err);

#endif
