#include "log/embedded/examine.h"

#include "log/embedded/salvage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    COPY_BYTES = 256 * 1024
};

/* What is known of a whole batch once the scan has gone on. */
struct seen {
    bool is_there;
    uint64_t at;
    struct wr_batch_header header;
    bool are_records_good;
    bool is_marker;
    struct wr_marker marker;
    char why[WR_PIECE_WHY_BYTES];
};

struct course {
    const struct wr_examination *x;
    struct wr_salvage scan;
    int64_t expected; /* the offset that comes next */
    uint64_t hole_at; /* bytes from here to `hole_end` hold no batch */
    uint64_t hole_end;
    bool has_hole;
    bool has_hole_header;
    struct wr_batch_header hole_header;
    char hole_why[WR_PIECE_WHY_BYTES];
};

static void say(char *why, const char *fmt, ...) WR_PRINTF(2, 3);

static void say(char *why, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(why, WR_PIECE_WHY_BYTES, fmt, args);
    va_end(args);
}

/* ---- leader epochs ---------------------------------------------------------------------------------- */

/* The last line that begins at or before `offset`, or NULL. */
static const struct wr_epoch_start *epoch_at(const struct wr_examination *x, int64_t offset)
{
    const struct wr_epoch_start *found = NULL;
    for (size_t i = 0; i < x->epoch_count && x->epochs[i].start_offset <= offset; i++) {
        found = &x->epochs[i];
    }
    return found;
}

/* The epoch that a batch with `epoch` must have at `offset`. */
static int32_t right_epoch(const struct wr_examination *x, int64_t offset, int32_t epoch)
{
    const struct wr_epoch_start *line = epoch_at(x, offset);
    return line == NULL ? epoch : line->epoch;
}

/* ---- giving pieces ------------------------------------------------------------------------------------ */

static int give_hole(struct course *c, int64_t next_offset, struct weir_error *err)
{
    bool has_offsets = next_offset > c->expected;
    if (!c->has_hole && !has_offsets) {
        return 0;
    }
    struct wr_piece piece = {.kind = WR_PIECE_HOLE,
                             .at = c->hole_at,
                             .bytes = c->hole_end - c->hole_at,
                             .first_offset = c->expected,
                             .next_offset = has_offsets ? next_offset : c->expected,
                             .leader_epoch = right_epoch(c->x, c->expected, 0),
                             .has_header = c->has_hole_header,
                             .header = c->hole_header};
    if (c->has_hole) {
        say(piece.why, "%s", c->hole_why);
    } else {
        say(piece.why, "offsets %" PRId64 " .. %" PRId64 " are missing", c->expected,
            next_offset - 1);
    }
    c->expected = piece.next_offset;
    c->has_hole = false;
    c->has_hole_header = false;
    return c->x->each(c->x->arg, &piece, err);
}

static int give_batch(struct course *c, const struct seen *seen, struct weir_error *err)
{
    struct wr_piece piece = {.kind = WR_PIECE_BATCH,
                             .at = seen->at,
                             .bytes = seen->header.size_bytes,
                             .first_offset = c->expected,
                             .next_offset = c->expected + seen->header.last_offset_delta + 1,
                             .leader_epoch =
                                 right_epoch(c->x, c->expected, seen->header.leader_epoch),
                             .has_header = true,
                             .header = seen->header,
                             .is_marker = seen->is_marker,
                             .marker = seen->marker};
    if (!seen->are_records_good) {
        piece.kind = WR_PIECE_HOLE;
        say(piece.why, "%s", seen->why);
    } else if (seen->header.base_offset != c->expected) {
        piece.kind = WR_PIECE_OFFSET;
        say(piece.why, "base offset %" PRId64 " should be %" PRId64, seen->header.base_offset,
            c->expected);
    } else if (seen->header.leader_epoch != piece.leader_epoch) {
        piece.kind = WR_PIECE_OFFSET;
        say(piece.why, "leader epoch %d should be %d", seen->header.leader_epoch,
            piece.leader_epoch);
    }
    c->expected = piece.next_offset;
    return c->x->each(c->x->arg, &piece, err);
}

static int give_surplus(struct course *c, const struct seen *seen, struct weir_error *err)
{
    struct wr_piece piece = {.kind = WR_PIECE_SURPLUS,
                             .at = seen->at,
                             .bytes = seen->header.size_bytes,
                             .first_offset = seen->header.base_offset,
                             .next_offset = wr_batch_next_offset(&seen->header),
                             .leader_epoch = seen->header.leader_epoch,
                             .has_header = true,
                             .header = seen->header};
    say(piece.why, "it has offset %" PRId64 ", but %" PRId64 " is the next",
        seen->header.base_offset, c->expected);
    return c->x->each(c->x->arg, &piece, err);
}

/* ---- deciding --------------------------------------------------------------------------------------------- */

/* What the batch behind, or else the segment's end, says that this one should end with; -1: nothing. */
static int64_t end_wanted(const struct course *c, const struct seen *next)
{
    if (next->is_there) {
        return next->header.base_offset;
    }
    return c->scan.at >= c->x->size_bytes ? c->x->end_offset : -1;
}

/* A whole batch that is not where it should be. Is it its own offset that is wrong, or does something lack
 * before it? */
static bool is_offset_wrong(const struct course *c, const struct seen *seen,
                            const struct seen *next)
{
    int64_t wanted = end_wanted(c, next);
    bool fits_moved = c->expected + seen->header.last_offset_delta + 1 == wanted;
    bool fits_as_is = wr_batch_next_offset(&seen->header) == wanted;
    if (fits_moved != fits_as_is) {
        return fits_moved;
    }
    /* Nothing behind tells. A batch that lies beyond the segment cannot be right. */
    return seen->header.base_offset < c->expected ||
           (c->x->end_offset >= 0 && wr_batch_next_offset(&seen->header) > c->x->end_offset);
}

/* Offsets within a segment are at most 2^31 - 1 apart: its indexes could not hold more. */
static bool is_out_of_reach(const struct course *c, const struct seen *seen)
{
    return seen->header.base_offset - c->x->base_offset > INT32_MAX;
}

static int place(struct course *c, const struct seen *seen, const struct seen *next,
                 struct weir_error *err)
{
    if (seen->header.base_offset == c->expected) {
        int rc = give_hole(c, c->expected, err);
        return rc != 0 ? rc : give_batch(c, seen, err);
    }
    bool is_beyond = is_out_of_reach(c, seen);
    bool is_wrong = !c->has_hole && (is_beyond || is_offset_wrong(c, seen, next));
    if (!is_wrong && (is_beyond || seen->header.base_offset < c->expected)) {
        /* What lies before it holds no offsets that are known. */
        int rc = give_hole(c, c->expected, err);
        return rc != 0 ? rc : give_surplus(c, seen, err);
    }
    int rc = is_wrong ? 0 : give_hole(c, seen->header.base_offset, err);
    return rc != 0 ? rc : give_batch(c, seen, err);
}

/* ---- looking ------------------------------------------------------------------------------------------------ */

static void look_inside(struct course *c, const struct wr_batch *batch, uint64_t at,
                        struct seen *out)
{
    struct weir_error why;
    *out = (struct seen){.is_there = true, .at = at, .header = batch->header};
    out->are_records_good = wr_batch_verify(batch, c->x->iter, NULL, &why) == 0;
    if (!out->are_records_good) {
        say(out->why, "%s", why.text);
    }
    out->is_marker = out->are_records_good && (batch->header.attributes & WR_BATCH_CONTROL) != 0 &&
                     wr_marker_decode(batch, &out->marker, &why) == 0;
}

static void note_hole(struct course *c, const struct wr_salvage_step *step)
{
    if (!c->has_hole) {
        c->has_hole = true;
        c->hole_at = step->at;
        c->has_hole_header = step->has_header;
        c->hole_header = step->header;
        say(c->hole_why, "%s", step->why.text);
    }
}

/* The next whole batch; `is_there` is false at the end. `gap`: bytes before it are no batch. */
static int next_batch(struct course *c, struct seen *out, struct wr_salvage_step *gap,
                      struct weir_error *err)
{
    *out = (struct seen){0};
    *gap = (struct wr_salvage_step){.found = WR_SALVAGE_BATCH, .at = c->scan.at};
    struct wr_salvage_step step;
    int rc = wr_salvage_next(&c->scan, &step, err);
    if (rc < 0) {
        return rc;
    }
    if (step.found == WR_SALVAGE_BATCH || step.found == WR_SALVAGE_BREAK) {
        look_inside(c, &step.batch, step.at, out);
    } else if (step.found != WR_SALVAGE_END) {
        *gap = step;
        rc = wr_salvage_resync(&c->scan, err);
    }
    if (c->x->progress != NULL) {
        c->x->progress(c->x->arg, c->scan.at);
    }
    return rc < 0 ? rc : 0;
}

/* One batch behind the other, each judged when the one behind it is known. */
static int follow(struct course *c, struct weir_error *err)
{
    struct seen now = {0};
    for (;;) {
        struct seen next;
        struct wr_salvage_step gap;
        int rc = next_batch(c, &next, &gap, err);
        if (rc == 0 && now.is_there) {
            rc = place(c, &now, &next, err);
        }
        if (rc != 0) {
            return rc;
        }
        if (gap.found != WR_SALVAGE_BATCH) {
            note_hole(c, &gap);
            c->hole_end = c->scan.at;
        } else if (!next.is_there) {
            return 0;
        } else if (!c->has_hole) {
            c->hole_at = next.at;
            c->hole_end = next.at;
        }
        now = next;
    }
}

int wr_examine(const struct wr_examination *examination, struct weir_error *err)
{
    struct course c = {
        .x = examination,
        .scan =
            wr_salvage_of(examination->file, 0, examination->size_bytes, examination->base_offset),
        .expected = examination->base_offset,
    };
    int rc = follow(&c, err);
    if (rc == 0) {
        if (!c.has_hole) {
            c.hole_at = examination->size_bytes;
            c.hole_end = examination->size_bytes;
        }
        rc = give_hole(&c, examination->end_offset, err);
    }
    wr_salvage_fini(&c.scan);
    return rc;
}

/* ---- mending ------------------------------------------------------------------------------------------------- */

struct mend {
    const struct wr_examination *x;
    struct wr_file *out;
    uint64_t size;
    uint8_t *buffer; /* COPY_BYTES */
};

static int copy(struct mend *m, const struct wr_piece *piece, struct weir_error *err)
{
    uint64_t done = 0;
    while (done < piece->bytes) {
        uint64_t left = piece->bytes - done;
        size_t len = left < COPY_BYTES ? (size_t)left : COPY_BYTES;
        int rc = wr_file_read_all(m->x->file, m->buffer, len, piece->at + done, err);
        if (rc == 0 && done == 0) {
            wr_batch_patch_offset(m->buffer, piece->first_offset);
            wr_batch_patch_epoch(m->buffer, piece->leader_epoch);
        }
        rc = rc == 0 ? wr_file_write(m->out, m->buffer, len, m->size, err) : rc;
        if (rc < 0) {
            return rc;
        }
        done += len;
        m->size += len;
    }
    return 0;
}

/* Empty batches over the offsets, as compaction leaves them. */
static int fill(struct mend *m, const struct wr_piece *piece, struct weir_error *err)
{
    int64_t from = piece->first_offset;
    while (from < piece->next_offset) {
        int64_t left = piece->next_offset - from;
        int64_t count = left <= INT32_MAX ? left : INT32_MAX;
        uint8_t bytes[WR_BATCH_HEADER_BYTES];
        wr_batch_put_empty(bytes, from, count, piece->leader_epoch);
        int rc = wr_file_write(m->out, bytes, sizeof(bytes), m->size, err);
        if (rc < 0) {
            return rc;
        }
        m->size += sizeof(bytes);
        from += count;
    }
    return 0;
}

static int mend_piece(void *arg, const struct wr_piece *piece, struct weir_error *err)
{
    struct mend *m = arg;
    switch (piece->kind) {
    case WR_PIECE_BATCH:
    case WR_PIECE_OFFSET: return copy(m, piece, err);
    case WR_PIECE_HOLE: return fill(m, piece, err);
    case WR_PIECE_SURPLUS: break;
    }
    return 0;
}

int wr_examine_mend(const struct wr_examination *examination, struct wr_file *out,
                    uint64_t *size_bytes, struct weir_error *err)
{
    struct mend m = {.x = examination, .out = out, .buffer = wr_alloc_array(COPY_BYTES, 1)};
    if (m.buffer == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "copying a segment");
    }
    struct wr_examination inner = *examination;
    inner.each = mend_piece;
    inner.progress = NULL;
    inner.arg = &m;
    int rc = wr_examine(&inner, err);
    wr_free(m.buffer);
    *size_bytes = m.size;
    return rc;
}
