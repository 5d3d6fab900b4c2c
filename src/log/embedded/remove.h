/*
 * remove.h - what goes from the disk: first under another name (Kafka's: …-delete, .deleted), then, after
 * file.delete.delay.ms, altogether. What a stop leaves under such a name goes at the next unclean start.
 *
 * Nothing here can fail for the caller: what cannot be removed is told and left.
 */
#ifndef WR_EMBEDDED_REMOVE_H
#define WR_EMBEDDED_REMOVE_H

#include "log/embedded/state.h"

/* Remove a partition's folder with all that is in it, at once: it holds nothing that counts. */
void wr_remove_folder(struct wr_embedded *e, const char *topic, uint32_t partition);

/* The topic's deletion is durable: take its folders away. Takes K. */
void wr_remove_topic(struct wr_embedded *e, const struct wr_topic_state *topic);

/* The segment is out of its partition's list, and a checkpoint says so. */
void wr_remove_segment(struct wr_embedded *e, const struct wr_partition *p, int64_t base);

/* Remove what is due, or all. */
void wr_remove_due(struct wr_embedded *e, bool is_all);

/* When the next is due: monotonic ms, INT64_MAX: none. L. */
int64_t wr_remove_due_ms(const struct wr_embedded *e);

/* After an unclean stop. The folder of the log: remove folders of topics that were deleted (`deleted`: by
 * the journal) or never came to be, but none other that holds a record. Counts what it removed. */
WR_MUST_USE int wr_sweep_root(struct wr_embedded *e, const struct wr_topic_id *deleted,
                              size_t deleted_count, uint32_t *removed, struct weir_error *err);

/* TOPIC-PARTITION, the name of a folder, as topic and partition. False for any other name. */
bool wr_folder_split(const char *name, struct wr_str *topic, uint32_t *partition);

/* The topic id in a folder's partition.metadata. WEIR_E_NOTFOUND, WEIR_E_CORRUPT. */
WR_MUST_USE int wr_folder_id(struct wr_embedded *e, const char *folder, struct wr_topic_id *out,
                             struct weir_error *err);

/* Names of folders in the log's folder, owned by the caller: each and the list by wr_free. */
WR_MUST_USE int wr_folder_names(struct wr_embedded *e, char ***out, size_t *count,
                                struct weir_error *err);

/* After an unclean stop. A partition's folder: remove segments that its list does not have. */
void wr_sweep_partition(struct wr_embedded *e, struct wr_partition *p);

/* Free the list of what is to be removed. */
void wr_remove_close(struct wr_embedded *e);

#endif
