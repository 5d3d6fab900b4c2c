/*
 * vfs_sim.h - a disk in memory that can fail in every way that base/vfs.h allows.
 *
 * Each file has two contents: what a read sees (the page cache) and what a power loss would leave (the
 * disk), and between them the list of changes that were not synced. Each folder has the same for names.
 *
 *     faults       the n-th operation of a kind fails, once or for ever; a sync that fails leaves the pages
 *                  clean, so that the next one "succeeds" and proves nothing; a sync that lies
 *     short        reads and writes do less than asked
 *     capacity     a full disk, which can get room again; reserved room counts as taken
 *     power loss   a new disk that holds any subset of the unsynced changes
 *     rot          bits flipped, bytes zeroed, a file cut, below the cache and without a trace
 *
 * Paths: with or without a leading '/', they mean the same. A rename between folders is refused.
 * Out of memory aborts: this is a tool of tests.
 *
 * Thread: any, as base/vfs.h says for a wr_vfs. wr_vfs_sim_free() when nobody uses it any more.
 */
#ifndef WR_VFS_SIM_H
#define WR_VFS_SIM_H

#include "base/vfs.h"

struct wr_vfs_sim;

/* The operations that are counted and can fail; a sum of them is a `kinds`. Close and fd cannot fail. */
enum wr_sim_kind {
    WR_SIM_OPEN = 1,
    WR_SIM_READ = 2,
    WR_SIM_WRITE = 4,
    WR_SIM_SYNC = 8,
    WR_SIM_TRUNCATE = 16,
    WR_SIM_RESERVE = 32,
    WR_SIM_SIZE = 64,
    WR_SIM_LOCK = 128,
    WR_SIM_RENAME = 256,
    WR_SIM_UNLINK = 512,
    WR_SIM_MKDIR = 1024,
    WR_SIM_RMDIR = 2048,
    WR_SIM_LIST = 4096,
    WR_SIM_SYNC_DIR = 8192,
    WR_SIM_ROOM = 16384,
    WR_SIM_ALL = 32767,
    /* what changes the disk, and what makes a change durable */
    WR_SIM_CHANGES = WR_SIM_OPEN | WR_SIM_WRITE | WR_SIM_TRUNCATE | WR_SIM_RESERVE | WR_SIM_RENAME |
                     WR_SIM_UNLINK | WR_SIM_MKDIR | WR_SIM_RMDIR,
    WR_SIM_SYNCS = WR_SIM_SYNC | WR_SIM_SYNC_DIR
};

/* An empty disk of unlimited room. Owned by the caller: wr_vfs_sim_free(). */
struct wr_vfs_sim *wr_vfs_sim_new(void);

/* Let it go. All files must be closed. Takes NULL. */
void wr_vfs_sim_free(struct wr_vfs_sim *sim);

/* The interface to it, borrowed for its life. */
struct wr_vfs *wr_vfs_sim_vfs(struct wr_vfs_sim *sim);

/* ---- faults ------------------------------------------------------------------------------------- */

enum wr_sim_effect {
    WR_SIM_FAIL, /* gives `code`. A write may have written a part. A sync leaves a random part on disk,
                    calls the rest clean and forgets it; reads still see it (fsyncgate). */
    WR_SIM_LIE /* syncs only: gives 0 and does nothing; the changes stay unsynced */
};

struct wr_sim_fault {
    unsigned kinds;   /* which operations count */
    uint64_t at;      /* the at-th of them from now on: 1, 2, …; 0 sets no fault */
    bool is_sticky;   /* every later one of these kinds too */
    const char *path; /* only files and folders with this in their path; NULL: all. Borrowed. */
    enum wr_sim_effect effect;
    int code; /* FAIL: WEIR_E_IO, WEIR_E_FULL … */
};

/* Set the fault, in place of the one before. */
void wr_vfs_sim_fault(struct wr_vfs_sim *sim, const struct wr_sim_fault *fault);

/* How many operations met the fault since it was set. */
uint64_t wr_vfs_sim_fault_hits(struct wr_vfs_sim *sim);

/* How many operations of these kinds there were, failed ones too. */
uint64_t wr_vfs_sim_count(struct wr_vfs_sim *sim, unsigned kinds);

/* Seed what is random in faults: how much of a failing write is done, what a failed sync keeps, how
 * short a read is. */
void wr_vfs_sim_seed(struct wr_vfs_sim *sim, uint64_t seed);

/* While on, a read or write does a random part of what is asked, never nothing. */
void wr_vfs_sim_short(struct wr_vfs_sim *sim, bool is_short);

/* The room on the disk in bytes, taken in pages of 4096; each file and folder takes one more. */
void wr_vfs_sim_capacity(struct wr_vfs_sim *sim, uint64_t bytes);

/* How much of it is taken. */
uint64_t wr_vfs_sim_used(struct wr_vfs_sim *sim);

/* Call `hook` before each operation of these kinds, on the thread that asked for it and without a lock,
 * so that it may look at the disk, take images of it and use other disks. `path` is borrowed; a call
 * from within the hook on the same disk does not call it again. */
void wr_vfs_sim_hook(struct wr_vfs_sim *sim, unsigned kinds,
                     void (*hook)(void *arg, enum wr_sim_kind kind, const char *path), void *arg);

/* Forget what a failed sync left in the cache only, as a kernel may do with clean pages at any time. */
void wr_vfs_sim_evict(struct wr_vfs_sim *sim);

/* Is there something to forget in a file with this in its path, as reads see it? */
bool wr_vfs_sim_has_lost(struct wr_vfs_sim *sim, const char *path);

/* ---- power loss ---------------------------------------------------------------------------------- */

enum wr_sim_loss {
    WR_SIM_LOSS_NONE,    /* keeps nothing that was not synced */
    WR_SIM_LOSS_PREFIX,  /* keeps the changes up to some moment, the last of them torn */
    WR_SIM_LOSS_REORDER, /* keeps any subset of sectors, sizes and names */
    WR_SIM_LOSS_GARBAGE, /* and where an unsynced sector was not kept, there may be anything: zeros,
                            ones, noise, or what other files have */
    WR_SIM_LOSS_ALL,     /* keeps everything: the process died, not the machine */
    WR_SIM_LOSSES
};

/* "none", "prefix", … */
const char *wr_sim_loss_name(enum wr_sim_loss loss);

/* The disk as a power loss at this moment may leave it, chosen by `seed`: sectors of 512 or 4096 bytes;
 * the size of a file apart from its data; renames atomic; changes of one name in their order, of
 * different names in any. The new disk has no faults, no locks, the same capacity, and nothing unsynced.
 * `sim` is untouched. Owned by the caller. */
struct wr_vfs_sim *wr_vfs_sim_power_loss(struct wr_vfs_sim *sim, enum wr_sim_loss loss,
                                         uint64_t seed);

/* ---- rot, and looking at it ----------------------------------------------------------------------- */

/* Flip bits of a byte; zero bytes; cut a file: on the disk and in the cache, nothing left to sync. The
 * place must exist. */
void wr_vfs_sim_flip(struct wr_vfs_sim *sim, const char *path, uint64_t at, uint8_t bits);
void wr_vfs_sim_zero(struct wr_vfs_sim *sim, const char *path, uint64_t at, uint64_t len);
void wr_vfs_sim_cut(struct wr_vfs_sim *sim, const char *path, uint64_t len);

/* Call `each` for every file as reads see it, folder by folder, by name in byte order. */
void wr_vfs_sim_each(struct wr_vfs_sim *sim,
                     void (*each)(void *arg, const char *path, uint64_t size), void *arg);

/* Do reads see the same names, sizes and bytes on both? If not, `where` (of `cap` bytes) says what is
 * the first difference. */
bool wr_vfs_sim_same(struct wr_vfs_sim *a, struct wr_vfs_sim *b, char *where, size_t cap);

/* Are there changes that no sync has made durable? */
bool wr_vfs_sim_is_clean(struct wr_vfs_sim *sim);

/* Write all files as reads see them below `folder` of the real disk, which is made, to look at them with
 * other tools. */
void wr_vfs_sim_export(struct wr_vfs_sim *sim, const char *folder);

#endif
