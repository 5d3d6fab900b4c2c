/*
 * admit.h - the first half of a round: which commits go, and where their bytes go.
 *
 * Nothing here harms what is there: a commit that is refused leaves at most an empty segment, or room
 * that is reserved. S is held throughout.
 */
#ifndef WR_EMBEDDED_ADMIT_H
#define WR_EMBEDDED_ADMIT_H

#include "log/embedded/commit.h"

/* Bytes that a round puts into a segment. */
struct wr_round_write {
    struct wr_segment *segment;
    uint64_t at;
    uint8_t *data; /* borrowed from the commit */
    size_t len;
};

struct wr_round {
    struct wr_embedded *e;
    uint64_t number;
    int64_t plenty_until_us; /* until then the disk has room, without a look; of e->clock */
    struct wr_commit *first; /* taken from the queue, in order */
    struct wr_commit *last;
    size_t commit_count;
    size_t journal_bytes;   /* their entries, at most */
    bool must_sync;         /* a commit asks for it in a weaker durability */
    size_t note_count;      /* batches admitted */
    size_t topic_count;     /* topics to be made */
    size_t first_batches;   /* of segments that were empty */
    uint64_t segment_syncs; /* counted */
    uint64_t placed_bytes;
    int segments_rc; /* of the segments' thread */
    struct weir_error segments_err;

    struct wr_round_write *writes; /* through the page cache */
    size_t writes_count;
    size_t writes_cap;
    struct wr_round_write *placed; /* before the journal, synced */
    size_t placed_count;
    size_t placed_cap;
    struct wr_segment **pinned; /* open while the round lasts */
    size_t pinned_count;
    size_t pinned_cap;
    struct wr_segment **rolled; /* to be sealed when all is written */
    size_t rolled_count;
    size_t rolled_cap;
    struct wr_partition **touched;
    size_t touched_count;
    size_t touched_cap;
    struct wr_topic_state **gone; /* deleted: the list's references, to be let go */
    size_t gone_count;
    size_t gone_cap;
    struct wr_journal_part *parts; /* of the entry that is being made */
    size_t parts_cap;
};

/* An abort: find out what it has to end, and make its markers. All earlier rounds are published.
 * WEIR_E_NOMEM. */
WR_MUST_USE int wr_admit_markers(struct wr_round *round, struct wr_commit *commit,
                                 struct weir_error *err);

/* The most bytes that the commit's entry takes; settles which parts are placed. */
size_t wr_admit_bytes(struct wr_round *round, struct wr_commit *commit);

/* Give the commit its offsets and places and add its entry to the journal's round, or refuse it: sets
 * `outcome` to DONE, AGAIN or REWIND, and `err`. */
void wr_admit(struct wr_round *round, struct wr_commit *commit);

/* Let go of what the round pinned and forget it all. */
void wr_round_reset(struct wr_round *round);

#endif
