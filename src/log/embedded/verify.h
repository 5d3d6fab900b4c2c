/*
 * verify.h - looks for everything that is wrong in the folder of an embedded log, and changes nothing.
 *
 * Every byte is read: the checkpoint, the catalog, the journal's entries, each batch and record of each
 * segment, each index against its segment. What the next start brings in order by itself without a word
 * (entries of the journal that are not in the segments yet) is no finding. Where the journal proves that
 * bytes of a segment were acknowledged it is the measure; beyond what it proves, a segment's end may be
 * torn.
 *
 * Errors are for what stops the search (the folder cannot be read, a log runs); what is wrong inside is a
 * finding. Thread: any. Blocks on disk.
 */
#ifndef WR_EMBEDDED_VERIFY_H
#define WR_EMBEDDED_VERIFY_H

#include "base/vfs.h"

enum wr_finding_kind {
    WR_FINDING_TORN_TAIL,     /* bytes at the end of a file that were never acknowledged */
    WR_FINDING_DAMAGED_ENTRY, /* journal */
    WR_FINDING_DAMAGED_BATCH, /* header, CRC or a record */
    WR_FINDING_OFFSET, /* a whole batch whose base offset or leader epoch is not what follows on */
    WR_FINDING_WRONG_INDEX, /* .index, .timeindex or .txnindex says what its segment does not */
    WR_FINDING_MISSING_INDEX,
    WR_FINDING_MISSING_SEGMENT, /* or one that ends too early */
    WR_FINDING_STRAY_FILE,      /* belongs to nothing */
    WR_FINDING_CHECKPOINT, /* damaged or missing; also the other small files that can be made again */
    WR_FINDING_CATALOG     /* damaged or missing */
};

enum wr_severity {
    WR_SEVERITY_NOTE, /* no acknowledged record is concerned: something derived, torn or left over */
    WR_SEVERITY_HARM, /* every record is there, but the partition may refuse writes, or answer wrong */
    WR_SEVERITY_LOSS /* acknowledged records are lost */
};

/* All strings are borrowed during the callback. */
struct wr_finding {
    enum wr_finding_kind kind;
    enum wr_severity severity;
    const char *path;     /* within the folder: "orders-0/00000000000000000000.log", "journal/2" */
    uint64_t at;          /* byte in it */
    uint64_t bytes;       /* from there on; 0: a matter of the whole file */
    const char *topic;    /* NULL: none, or not known */
    uint32_t partition;   /* valid with `topic` */
    int64_t first_offset; /* concerned; -1: none, or not known */
    int64_t next_offset;  /* behind the last one concerned; -1 as above */
    uint64_t lost;        /* offsets that repair gives up, each at most one record */
    const char *what;     /* "batch has CRC …": what is wrong, a sentence without a full stop */
    const char *remedy;   /* "replaced by an empty batch": what repair does about it; never NULL */
};

struct wr_verify_sum {
    uint64_t findings;
    uint64_t lost;
    uint64_t partitions; /* looked at, as all below */
    uint64_t segments;
    uint64_t batches;
    uint64_t records;
    uint64_t bytes;
    enum wr_severity worst; /* valid when there are findings */
};

struct wr_verify_options {
    struct wr_vfs *vfs;
    const char *dir;
    bool
        is_live; /* look at the folder of a log that runs: only at what was synced, and not at the journal,
                     for both change meanwhile */
    int (*each)(void *arg, const struct wr_finding *finding, struct weir_error *err);
    void (*progress)(void *arg, uint64_t done_bytes, uint64_t total_bytes); /* may be NULL */
    void *arg;                                                              /* for both */
};

/* Look at all of it, `each` finding in turn; a non-zero result of it ends the search and is returned.
 * Takes no lock that a starting log would notice for longer than a moment.
 * Returns 0 with `out` filled, also when there are findings, or
 *   WEIR_E_BUSY      a log has the folder open (and not is_live), or opened it meanwhile
 *   WEIR_E_NOTFOUND  there is no such folder, or no log in it
 *   WEIR_E_UNSUPPORTED  it was written by a later version
 *   WEIR_E_IO, WEIR_E_NOMEM */
WR_MUST_USE int wr_embedded_verify(const struct wr_verify_options *options,
                                   struct wr_verify_sum *out, struct weir_error *err);

/* "torn tail", "damaged batch", … and "note", "harm", "loss"; static. */
const char *wr_finding_name(enum wr_finding_kind kind);
const char *wr_severity_name(enum wr_severity severity);

#endif
