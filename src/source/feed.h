/*
 * feed.h - the way of changes into the log: records made, commits filled, answers taken, positions kept
 * beside them. The half of a source that knows no database.
 *
 *     change ──envelope──▶ records ──▶ commit (with the position) ──▶ log
 *                                        ▲ the next is filled while one syncs
 *
 * What is committed. A commit holds all whole source transactions that are at hand, and their position.
 * It is made when nothing more is at hand, or another transaction begins, and fewer than two are under way;
 * or when it has grown to about 1 MiB. Nothing waits on a timer, nor on the end of a later transaction. A transaction that does not fit one commit is cut between two changes, and
 * its position says so. While the log cannot take more (disk full, or as many commits under way as may
 * be), wr_feed_change() says WEIR_E_AGAIN, and the source reads no further.
 *
 * What is confirmed. The database may forget what lies before a position that is durable in every
 * durability: that of a commit with WR_COMMIT_SYNC. Every 10 s at most one commit is made so, and one
 * without records when there is nothing else; at once when the database asks (wr_feed_urge).
 *
 * A feed is opened for one session and closed with it: opening fences what an earlier one left, and
 * whatever went wrong in between is mended by reading the stored position again.
 *
 * Thread: the source's.
 */
#ifndef WR_FEED_H
#define WR_FEED_H

#include "data/envelope.h"
#include "log/log.h"

struct wr_feed;

enum {
    WR_FEED_SYNC_INTERVAL_MS = 10000, /* at most one commit with WR_COMMIT_SYNC in this time */
    WR_FEED_COMMIT_BYTES =
        1 << 20 /* a commit of whole transactions is made when it has grown so far */
};

/* Who says where the source is. `position` writes the JSON text of all that was handed over so far, with
 * `written` in it as it is, and sets *mark to the number that wr_feed_durable() gives back. */
struct wr_feed_owner {
    void (*position)(void *arg, struct wr_str written, struct wr_writer *w, uint64_t *mark);
    void *arg;
};

struct wr_feed_options {
    struct wr_log *log; /* borrowed */
    const char *source; /* its name; borrowed */
    struct wr_envelope
        *envelope;       /* borrowed; the `user` of its topics is the feed's while it is open */
    const char *context; /* for wr_trace(): "source/NAME"; borrowed */
    const struct wr_clock *clock; /* borrowed */
    struct wr_feed_owner owner;
    uint32_t partition_count;                /* of topics that are made */
    const struct wr_topic_setting *settings; /* of topics that are made; borrowed */
    size_t setting_count;
};

/* Counted since the feed was opened. */
struct wr_feed_counts {
    uint64_t records;
    uint64_t commits;
    uint64_t heartbeats;
    uint64_t warnings; /* values that had no place in their column's schema */
};

/* Open the log for a source; a commit that an earlier feed left is finished or fenced then. `out`: owned
 * by the caller. Blocks on disk, or on network as wr_log_writer_open(). */
WR_MUST_USE int wr_feed_open(const struct wr_feed_options *options, struct wr_feed **out,
                             struct weir_error *err);

/* Drop what is not handed over, abort a snapshot that was not ended, let go. Takes NULL. */
void wr_feed_close(struct wr_feed *feed);

/* ---- filling -------------------------------------------------------------------------------------- */

/* Hand over one change: its records are added to the commit that is filled, all or none.
 * Returns 0, or
 *   WEIR_E_AGAIN  the log takes no more now: nothing was added; poll, and hand over the same again before
 *                 any other (its records are kept)
 *   what wr_envelope_change() and wr_log_append() return; the feed must be closed then */
WR_MUST_USE int wr_feed_change(struct wr_feed *feed, const struct wr_change *change,
                               struct weir_error *err);

/* Make room for `bytes` in the commit that is filled, so that several changes after each other are not
 * cut. WEIR_E_AGAIN as above. */
WR_MUST_USE int wr_feed_reserve(struct wr_feed *feed, size_t bytes, struct weir_error *err);

/* From now on a commit would cut a transaction; or: what was handed over is whole, and may be committed. */
void wr_feed_torn(struct wr_feed *feed);
WR_MUST_USE int wr_feed_whole(struct wr_feed *feed, struct weir_error *err);

/* The position moved without any change. */
void wr_feed_moved(struct wr_feed *feed);

/* Nothing more is at hand, or the next transaction begins: what is whole is committed, unless two commits are
 * under way. */
WR_MUST_USE int wr_feed_rest(struct wr_feed *feed, struct weir_error *err);

/* The database wants to know: commit with WR_COMMIT_SYNC as soon as what is handed over is whole. */
void wr_feed_urge(struct wr_feed *feed);

/* Add a heartbeat. Only while nothing is torn. As wr_feed_change(). */
WR_MUST_USE int wr_feed_heartbeat(struct wr_feed *feed, struct weir_error *err);

/* Make the table's topic if it is not there. */
WR_MUST_USE int wr_feed_table(struct wr_feed *feed, const struct wr_table *table,
                              struct weir_error *err);

/* ---- answers and time ------------------------------------------------------------------------------ */

/* Take the log's answers, and do what the time asks for. Does not block.
 * Returns 0, or
 *   1              the log asks to go back: close the feed, open it, go on from the stored position;
 *                  `err` says why
 *   WEIR_E_FENCED  another process has this source
 *   WEIR_E_IO      the log has failed */
WR_MUST_USE int wr_feed_poll(struct wr_feed *feed, struct weir_error *err);

/* The mark up to which all is durable in every durability; 0: none yet. */
uint64_t wr_feed_durable(const struct wr_feed *feed);

/* Why the log takes no more, or NULL when it does; borrowed until the next poll. */
const struct weir_error *wr_feed_stalled(const struct wr_feed *feed);

/* When wr_feed_poll() has something to do without an answer: milliseconds from now. */
int wr_feed_timeout_ms(const struct wr_feed *feed);

/* Readable when there is an answer. */
int wr_feed_fd(const struct wr_feed *feed);

/* Is nothing torn? */
bool wr_feed_is_whole(const struct wr_feed *feed);

/* Is every commit answered? */
bool wr_feed_is_quiet(const struct wr_feed *feed);

/* Commit what is whole with WR_COMMIT_SYNC, and drop the rest: the source was told to stop. */
WR_MUST_USE int wr_feed_finish(struct wr_feed *feed, struct weir_error *err);

/* What it counted. */
struct wr_feed_counts wr_feed_counts(const struct wr_feed *feed);

/* ---- the snapshot ---------------------------------------------------------------------------------- */

/* Changes from now on are those of a snapshot: no reader sees any of them before wr_feed_end(). */
WR_MUST_USE int wr_feed_begin(struct wr_feed *feed, struct weir_error *err);

/* All are handed over: show them at once, together with the position. WEIR_E_AGAIN: poll, call again. */
WR_MUST_USE int wr_feed_end(struct wr_feed *feed, struct weir_error *err);

#endif
