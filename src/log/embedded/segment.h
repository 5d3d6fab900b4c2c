/*
 * segment.h - segments: their names, their files held open, their bytes.
 *
 * A segment's .log holds batches back to back and nothing else: no zero tail, so that Kafka's own tools
 * read it while it is written. Room ahead is reserved without changing the size, so what the journal
 * took always fits.
 */
#ifndef WR_EMBEDDED_SEGMENT_H
#define WR_EMBEDDED_SEGMENT_H

#include "log/embedded/state.h"

/* ---- names: `out` has room for WR_PATH_BYTES -------------------------------------------------------- */

/* DIR/NAME, DIR/TOPIC-PARTITION, DIR/TOPIC-PARTITION/NAME, …/BASE.SUFFIX (20 digits). */
void wr_path_root(const struct wr_embedded *e, const char *name, char *out);
void wr_path_folder(const struct wr_embedded *e, const char *topic, uint32_t partition, char *out);
void wr_path_in(const struct wr_embedded *e, const struct wr_partition *p, const char *name,
                char *out);
void wr_path_segment(const struct wr_embedded *e, const struct wr_partition *p, int64_t base,
                     const char *suffix, char *out);

/* The base offset that a file is named by; -1 when its name is not 20 digits and a suffix. `suffix` NULL:
 * any. */
int64_t wr_segment_base_of(const char *name, const char *suffix);

/* ---- life -------------------------------------------------------------------------------------------- */

/* A segment in memory, not yet in its partition's list. Owned by the caller; NULL when out of memory. */
struct wr_segment *wr_segment_new(struct wr_partition *p, const struct wr_segment_info *info);

/* Put it at the end of the list. L. WEIR_E_NOMEM. */
WR_MUST_USE int wr_segment_attach(struct wr_segment *seg, struct weir_error *err);

/* Out of use: close and free it, now or when the last pin goes. L. */
void wr_segment_drop(struct wr_embedded *e, struct wr_segment *seg);

/* Make the files of a new, empty segment; what stands under its names is a leftover and is replaced. Its
 * names are durable after the next checkpoint. Blocks on disk. WEIR_E_FULL, WEIR_E_IO. */
WR_MUST_USE int wr_segment_create(struct wr_embedded *e, struct wr_segment *seg,
                                  struct weir_error *err);

/* ---- files held open -------------------------------------------------------------------------------- */

/* Open the .log, or take the open one, and keep it open until unpinned. `out` is borrowed until then.
 * May close files that are not used. Blocks on disk. WEIR_E_NOTFOUND, WEIR_E_IO. */
WR_MUST_USE int wr_segment_pin(struct wr_embedded *e, struct wr_segment *seg, struct wr_file **out,
                               struct weir_error *err);
void wr_segment_unpin(struct wr_embedded *e, struct wr_segment *seg);
void wr_segment_unpin_locked(struct wr_embedded *e, struct wr_segment *seg); /* L is held */

/* Something in it is to be synced before a checkpoint may say so. L. */
void wr_segment_dirty(struct wr_embedded *e, struct wr_segment *seg);

/* ---- bytes -------------------------------------------------------------------------------------------- */

/* Is there room on the disk for `bytes` beside what weir keeps for itself? 0, WEIR_E_FULL or WEIR_E_IO. */
WR_MUST_USE int wr_segment_check_room(struct wr_embedded *e, uint64_t bytes,
                                      struct weir_error *err);

/* Reserve room for `len` more bytes behind what the round under way has put there. S.
 * WEIR_E_FULL when there is none, or less would be left on the disk than weir keeps for itself. */
WR_MUST_USE int wr_segment_reserve(struct wr_embedded *e, struct wr_segment *seg, uint64_t len,
                                   struct weir_error *err);

/* Give back the room reserved behind its end. A failure costs room and is not told. */
void wr_segment_trim(struct wr_embedded *e, struct wr_segment *seg);

/* Sync what is published of it, its name if that is new, and its .txnindex. K. WEIR_E_IO is fatal. */
WR_MUST_USE int wr_segment_sync(struct wr_embedded *e, struct wr_segment *seg,
                                struct weir_error *err);

/* ---- finding ------------------------------------------------------------------------------------------ */

/* The segment that holds `offset` or would: the last with base <= offset, among those in the list; NULL
 * when the first begins behind it. L. */
struct wr_segment *wr_segment_at(const struct wr_partition *p, int64_t offset);

/* The first with base > `base`, pinned without being opened; NULL when there is none. L is not held. */
struct wr_segment *wr_segment_hold_after(struct wr_embedded *e, struct wr_partition *p,
                                         int64_t base);

/* The last in the list: the one that is written to. L. */
struct wr_segment *wr_segment_active(const struct wr_partition *p);

#endif
