/*
 * view_bundle.h - events of one partition, read: which handler each is for, and the values that it wants.
 *
 * A bundle owns what it has, so the records that it was made from may go. It is filled by one thread and emptied
 * by another, so it is written as few bytes as possible, in a row: what one processor has written is slow to read
 * for the other. What is wrong with an event is kept with it, for when its turn comes.
 *
 * Limits: WR_VIEW_ITEMS_MAX events; no more once it has WR_VIEW_BUNDLE_BYTES; 1 GiB of values an event.
 * Thread: one at a time.
 */
#ifndef WR_VIEW_BUNDLE_H
#define WR_VIEW_BUNDLE_H

#include "data/topic_name.h"
#include "view/sink_ops.h"

enum {
    WR_VIEW_ITEMS_MAX = 512,
    WR_VIEW_BUNDLE_BYTES = 256 << 10,
    WR_VIEW_SHOWN_MAX = 68 /* bytes of a key or a type that are kept for messages */
};

/* A text of which only the beginning is kept. */
struct wr_view_shown {
    struct wr_bytes text; /* at most WR_VIEW_SHOWN_MAX bytes; ptr NULL: there is none */
    size_t len;           /* of all of it */
};

/* A record, as far as a view needs it. */
struct wr_view_item {
    int64_t offset;
    int64_t timestamp_ms; /* the record's */
    size_t bytes;         /* of its key and value */
    bool is_event;        /* else a null value */
    uint32_t handler;     /* WR_EVENT_UNWANTED: its type has none */
    int code;             /* 0, or the WEIR_E_ code of why it cannot be applied */
    struct wr_str why;
    struct wr_sink_event event; /* for the handler; no values with a code */
    struct wr_view_shown key;
    struct wr_view_shown type; /* only with a code: else it is the handler's, or of no interest */
};

/* One answer of the log. */
struct wr_view_bundle {
    enum wr_poll_kind kind;
    char topic[WR_TOPIC_NAME_MAX + 1]; /* "" when there is none */
    uint32_t partition;
    size_t count; /* of events; of RECORDS */
    int64_t next_offset;
    int32_t leader_epoch;

    int code; /* of the poll: 0, or an error */
    struct weir_error err;

    /* view_bundle.c's */
    uint8_t *bytes; /* the events */
    size_t len;
    size_t cap;
    const struct wr_sink_needs *needs;
    size_t at;              /* of the next event */
    size_t taken;           /* events before it */
    struct wr_bind *values; /* of the event that was taken last */
};

/* What a bundle is made with. */
struct wr_view_reading {
    struct wr_event_reader *events;
    const struct wr_sink_needs *needs; /* by handler */
    size_t needs_max;                  /* the most that one has */
    struct wr_bind *values;            /* room for so many */
};

/* Take an answer of the log but for its records, and forget what was there. */
void wr_view_bundle_begin(struct wr_view_bundle *bundle, const struct wr_log_chunk *chunk);

/* Take records of the chunk from `at` on, as many as there are or fit.
 *   at  in and out: the next one
 * Returns 0, or WEIR_E_NOMEM with bundle->err; then nothing of the chunk is in it. */
WR_MUST_USE int wr_view_bundle_fill(struct wr_view_bundle *bundle,
                                    const struct wr_view_reading *reading,
                                    const struct wr_log_chunk *chunk, size_t *at);

/* Are there events that were not taken? */
static inline bool wr_view_bundle_has_more(const struct wr_view_bundle *bundle)
{
    return bundle->taken < bundle->count;
}

/* The offset at which they begin, or would. */
int64_t wr_view_bundle_offset(const struct wr_view_bundle *bundle);

/* Take the next event, if there is one. What it points to is borrowed until the next is taken. */
bool wr_view_bundle_take(struct wr_view_bundle *bundle, struct wr_view_item *out);

/* Let go of its memory. Takes a zeroed one. */
void wr_view_bundle_fini(struct wr_view_bundle *bundle);

#endif
