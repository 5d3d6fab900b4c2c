/*
 * risk.h - what harm to bytes of a journal puts at risk, and how far the log may then differ from what the
 * oracle knows.
 *
 * An entry is proven when another round, unharmed, knew it to be durable. Harm to a proven one is damage: the
 * partitions concerned say so. The last round is proven by nothing: harm to it looks like a torn tail and is
 * cut from there on. In both cases a person is told; but not when the head of an entry of the last round is
 * gone, which leaves what was never written leaves as well.
 *
 * Thread: one at a time.
 */
#ifndef CRASH_RISK_H
#define CRASH_RISK_H

#include "crash/oracle.h"

/* Bytes of a file that were harmed. */
struct risk_range {
    const char *path;
    uint64_t from;
    uint64_t to;
};

/* What may be lost. */
struct risk {
    uint64_t
        damaged_from; /* entries from here on may have lost what is not in a partition: topics, log starts */
    uint64_t cut_from; /* entries from here on may be gone; UINT64_MAX: none */
    bool may_be_silent;
};

/* Find out from the log in the folder "log", as it was before the harm. */
struct risk risk_of(struct wr_vfs_sim *sim, const struct risk_range *range);

/* An oracle that allows what is at risk. Everything in it but the lists that risk_fini() frees is shared with
 * `o`. Nothing else of oracle.h but the judging may be used on it. */
struct oracle risk_allow(const struct oracle *o, struct wr_vfs_sim *sim, const struct risk *risk);
void risk_fini(struct oracle *allowing);

#endif
