/*
 * offsets.h - the offsets of consumer groups, as records of __consumer_offsets in Kafka's own formats:
 *
 *     key    i16 1 · group · topic · i32 partition          strings with an i16 length before them
 *     value  i16 3 · i64 offset · i32 leader epoch · metadata "" · i64 time of commit
 */
#ifndef WR_EMBEDDED_OFFSETS_H
#define WR_EMBEDDED_OFFSETS_H

#include "log/log_ops.h"

/* log_ops.h. Makes the topic when it is not there. */
int wr_embedded_writer_offsets(struct wr_log_writer *writer, const char *group,
                               const struct wr_group_offset *offsets, size_t count,
                               struct weir_error *err);

#endif
