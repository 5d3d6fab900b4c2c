/*
 * sim_disk.h - what the simulated disk is made of; only for the files of this folder.
 *
 *     wr_vfs_sim ── root ── sim_inode (folder) ── names as seen, names on disk, changes between them
 *                                └── sim_inode (file) ── cache, disk, changes between them
 *
 * A content is a table of 4 KiB pages that are shared until written, also between two disks, so that an
 * image of a disk costs a table and not its bytes. Everything here is called with the disk's lock held.
 */
#ifndef WR_SIM_DISK_H
#define WR_SIM_DISK_H

#include "base/rng.h"
#include "sim/vfs_sim.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SIM_PAGE_BYTES = 4096
};

struct sim_page {
    atomic_uint refs;
    uint8_t bytes[SIM_PAGE_BYTES];
};

struct sim_slot {
    struct sim_page *page; /* NULL: zeros */
    bool is_taken;         /* written or reserved: counts as room */
};

struct sim_content {
    struct sim_slot *slots; /* page by page; past the end of `slots` there are holes */
    size_t count;
    size_t cap;
    uint64_t size;
    uint64_t taken; /* slots that are taken */
};

/* Up to `len` bytes from `at` into `buf`; gives how many there are. */
size_t sim_content_read(const struct sim_content *content, void *buf, size_t len, uint64_t at);

/* Write, and extend when it lies beyond the end. */
void sim_content_write(struct sim_content *content, const void *bytes, size_t len, uint64_t at);

/* Set the size: frees the pages beyond, or extends with zeros. */
void sim_content_resize(struct sim_content *content, uint64_t size);

/* Take room for a range without changing size or bytes. */
void sim_content_reserve(struct sim_content *content, uint64_t at, uint64_t len);

/* How many pages of the range are not taken yet. */
uint64_t sim_content_missing(const struct sim_content *content, uint64_t at, uint64_t len);

/* An own table of the same pages. Owned by the caller: sim_content_fini(). */
struct sim_content sim_content_copy(const struct sim_content *content);
void sim_content_fini(struct sim_content *content);

struct sim_inode;

struct sim_names {
    struct sim_name *all;
    size_t count;
    size_t cap;
};

struct sim_name {
    char *name;
    struct sim_inode *inode; /* counted */
};

/* Look up, put (in place of one of that name), take out. Names are copied. */
struct sim_inode *sim_names_get(const struct sim_names *names, struct wr_str name);
void sim_names_put(struct sim_names *names, struct wr_str name, struct sim_inode *inode);
void sim_names_remove(struct sim_names *names, struct wr_str name);
void sim_names_fini(struct sim_names *names);

enum sim_change_kind {
    SIM_WRITTEN,  /* file: bytes at */
    SIM_RESIZED,  /* file: at = new size */
    SIM_RESERVED, /* file: at, len */
    SIM_LINKED,   /* folder: name -> inode */
    SIM_UNLINKED, /* folder: name */
    SIM_RENAMED   /* folder: name -> to, inode */
};

struct sim_change {
    enum sim_change_kind kind;
    uint64_t serial; /* over the whole disk, in the order of the calls */
    uint64_t at;
    uint64_t len;
    uint64_t size_after;
    uint8_t *bytes;
    char *name;
    char *to;
    struct sim_inode *inode; /* counted */
};

struct sim_inode {
    struct wr_vfs_sim *sim;
    struct sim_inode *before; /* all of the disk, in a ring with sim->ring */
    struct sim_inode *after;
    unsigned refs;
    bool is_dir;
    bool is_locked;
    bool has_lost; /* the cache holds what a failed sync forgot */
    bool is_seen;  /* a name that reads see leads to it */
    unsigned opens;
    struct sim_content cache;
    struct sim_content disk;
    struct sim_names cached;
    struct sim_names durable;
    struct sim_change *changes;
    size_t change_count;
    size_t change_cap;
    struct sim_inode *twin; /* its copy while an image is made */
};

struct wr_vfs_sim {
    struct wr_vfs vfs; /* first */
    pthread_mutex_t lock;
    struct sim_inode ring;
    struct sim_inode *root;
    struct sim_inode *dead; /* held by nobody, by `after`; freed by sim_sweep() */
    uint64_t serial;
    uint64_t capacity_bytes;
    uint64_t counts[16]; /* by bit of enum wr_sim_kind */
    struct wr_sim_fault fault;
    uint64_t fault_seen;
    uint64_t fault_hits;
    bool is_short;
    struct wr_rng rng; /* short reads, torn writes, what a failed sync keeps */
    unsigned hook_kinds;
    void (*hook)(void *arg, enum wr_sim_kind kind, const char *path);
    void *hook_arg;
};

/* A new file or folder with one holder; one holder less; free those without. */
struct sim_inode *sim_inode_new(struct wr_vfs_sim *sim, bool is_dir);
void sim_inode_unref(struct sim_inode *inode);
void sim_sweep(struct wr_vfs_sim *sim);

/* Add an empty change with the next serial, to be filled. Borrowed until the next. */
struct sim_change *sim_change_add(struct sim_inode *inode, enum sim_change_kind kind);

/* Do all changes to what is on disk, and forget them. */
void sim_make_durable(struct sim_inode *inode);

/* Do all changes of a file to `content`; do one change of names. */
void sim_apply_contents(struct sim_content *content, const struct sim_inode *file);
void sim_apply_name(struct sim_names *names, const struct sim_change *change);

/* Let reads see the disk again where a failed sync left bytes in the cache only. */
void sim_evict(struct sim_inode *file);

/* Drop all changes undone. */
void sim_forget_changes(struct sim_inode *inode);

/* Find a file or folder as reads see it; NULL when it is not there. */
struct sim_inode *sim_find(struct wr_vfs_sim *sim, const char *path);

/* The folder that `path` is in, and its last part (borrowed from `path`, without '/' at the end). NULL
 * when the folder is not there. */
struct sim_inode *sim_find_parent(struct wr_vfs_sim *sim, const char *path, struct wr_str *last);

/* How a power loss treats one file. */
struct sim_loss {
    enum wr_sim_loss loss;
    uint64_t last_serial; /* PREFIX: keep up to here */
    size_t sector_bytes;
    struct wr_rng *rng;
};

/* The content that the loss leaves of a file. Owned by the caller: sim_content_fini(). */
struct sim_content sim_lose(const struct sim_inode *file, const struct sim_loss *how);

/* Zeroed memory, or abort. */
void *sim_alloc(size_t count, size_t size);

#endif
