/*
 * catalog.h - the file `catalog`: which topics there are. And a topic's description, which a journal
 * entry carries in the same form.
 *
 *     catalog      "WEIRCTLG" · u32 version 1 · u64 sequence of the last entry in it · u32 count
 *                  · descriptions · u32 CRC-32C of all before
 *     description  16 topic id · u32 partitions · u16 length, name · u32 count
 *                  · settings: u16 length, key · u32 length, value
 *
 * It is replaced whole, at checkpoints, when topics have changed. When it is lost, the folders'
 * partition.metadata still tell ids, names and partitions; the settings are then such that nothing is
 * deleted until somebody sets them anew.
 */
#ifndef WR_EMBEDDED_CATALOG_H
#define WR_EMBEDDED_CATALOG_H

#include "base/arena.h"
#include "log/embedded/topics.h"

/* Append a description. */
void wr_description_put(struct wr_writer *w, const struct wr_topic_state *topic);

/* Read one. Its settings array is made in `arena`, its texts in both: all borrowed as long as `r`'s bytes
 * and the arena are. Spoils the reader when it is not valid. False when out of memory. */
WR_MUST_USE bool wr_description_read(struct wr_reader *r, struct wr_arena *arena,
                                     struct wr_topic_description *out);

/* The bytes of the file, as things stand. L. */
void wr_catalog_encode(const struct wr_embedded *e, struct wr_writer *w);

/* Call `each` for every topic in the bytes of the file, which are checked whole first.
 *   sequence  out
 * Returns 0, WEIR_E_CORRUPT (nothing was given), WEIR_E_NOMEM, or what `each` returned. */
WR_MUST_USE int wr_catalog_decode(struct wr_bytes file, uint64_t *sequence,
                                  int (*each)(void *arg,
                                              const struct wr_topic_description *description,
                                              struct weir_error *err),
                                  void *arg, struct weir_error *err);

/* partition.metadata, as Kafka writes it: its text for a topic (of WR_METADATA_BYTES), and the id in it.
 * False when it is not such a text. */
enum {
    WR_METADATA_BYTES = 64
};
size_t wr_metadata_put(const struct wr_topic_id *id, char *out);
WR_MUST_USE bool wr_metadata_read(struct wr_str text, struct wr_topic_id *out);

#endif
