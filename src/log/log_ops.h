/*
 * log_ops.h - what an engine must provide. For those who write one; users read log.h.
 *
 * Engines: embedded/ (journal and segments on this machine), memory.c (the model, for tests, which can
 * be told to give every answer that this interface allows), kafka/ (librdkafka, to come).
 * test/contract/log_contract.c runs against each of them.
 *
 * Each member has the contract of the wr_log_ function of the same name in log.h. log.c checks before it
 * calls in, so an engine may rely on this: pointers are not NULL, the partition is one of the topic's, the
 * topic name is legal, settings that are there have a key and a value, the capability is there, nothing is
 * pending where nothing may be, a commit that is answered AGAIN is not followed by another before retry,
 * and calls on one writer or reader never overlap. Members that log.h calls "any thread" may be called
 * from several at once.
 *
 * How the answers of a Kafka cluster fit (why the interface looks like this):
 * - Offsets are known only with the delivery report, so append gives none; they come with the answer.
 * - A commit is a transaction: begin, produce, (send offsets,) commit. While it is being committed
 *   nothing can be produced: commit says AGAIN, and the worker fills on when it has polled.
 * - abortable error           → AGAIN: the engine has aborted, and holds the records to send them again.
 * - fatal, or fenced          → FENCED.
 * - commit timed out          → UNKNOWN: a new producer of the same id finishes or aborts it; the position
 *   that the worker reads back then tells which.
 * - out of order after a crash of a broker, messages purged → REWIND.
 * - a rebalance               → reader gives REVOKED or LOST; LOST means that another worker may already
 *   have committed beyond us: roll back.
 */
#ifndef WR_LOG_OPS_H
#define WR_LOG_OPS_H

#include "log/log.h"

/* Every member is required; where the capability is missing, log.c never calls it and it may be NULL
 * (writer_offsets: CAN_GROUP_OFFSETS, writer_mark and writer_end: CAN_MARK, reader_join: CAN_JOIN). */
struct wr_log_ops {
    const char *name;
    unsigned capabilities; /* enum wr_log_capability */

    void (*close)(struct wr_log *log);

    int (*topic_create)(struct wr_log *log, const struct wr_topic_spec *spec,
                        struct wr_log_topic **out, struct weir_error *err);
    int (*topic_delete)(struct wr_log *log, const char *name, struct weir_error *err);
    int (*topic_find)(struct wr_log *log, const char *name, struct wr_log_topic **out,
                      struct weir_error *err);
    struct wr_log_topic *(*topic_ref)(struct wr_log_topic *topic);
    void (*topic_unref)(struct wr_log_topic *topic);
    int (*topic_list)(struct wr_log *log,
                      int (*each)(void *arg, struct wr_log_topic *topic, struct weir_error *err),
                      void *arg, struct weir_error *err);
    int (*topic_settings)(struct wr_log *log, const struct wr_log_topic *topic,
                          int (*each)(void *arg, const struct wr_topic_setting *setting,
                                      struct weir_error *err),
                          void *arg, struct weir_error *err);
    int (*partition_info)(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                          struct wr_partition_info *out, struct weir_error *err);
    int (*offset_for_time)(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                           int64_t timestamp_ms, int64_t *out, struct weir_error *err);
    int (*epoch_end)(struct wr_log *log, const struct wr_log_topic *topic, uint32_t partition,
                     int32_t leader_epoch, int64_t *out, struct weir_error *err);

    int (*writer_open)(struct wr_log *log, const struct wr_log_writer_options *options,
                       struct wr_log_writer **out, struct weir_error *err);
    void (*writer_close)(struct wr_log_writer *writer);
    int (*append)(struct wr_log_writer *writer, struct wr_log_topic *topic, uint32_t partition,
                  const struct wr_record *record, struct weir_error *err);
    int (*writer_offsets)(struct wr_log_writer *writer, const char *group,
                          const struct wr_group_offset *offsets, size_t count,
                          struct weir_error *err);
    size_t (*writer_pending)(const struct wr_log_writer *writer, size_t *bytes);
    int (*writer_commit)(struct wr_log_writer *writer, unsigned flags, uint64_t *out,
                         struct weir_error *err);
    void (*writer_drop)(struct wr_log_writer *writer);
    int (*writer_mark)(struct wr_log_writer *writer, struct weir_error *err);
    int (*writer_end)(struct wr_log_writer *writer, bool keep, uint64_t *out,
                      struct weir_error *err);
    int (*writer_retry)(struct wr_log_writer *writer, struct weir_error *err);
    int (*writer_poll)(struct wr_log_writer *writer, struct wr_log_answer *out,
                       struct weir_error *err);
    int (*writer_fd)(const struct wr_log_writer *writer);

    int (*reader_open)(struct wr_log *log, const struct wr_log_reader_options *options,
                       struct wr_log_reader **out, struct weir_error *err);
    void (*reader_close)(struct wr_log_reader *reader);
    int (*reader_assign)(struct wr_log_reader *reader, struct wr_log_topic *topic,
                         uint32_t partition, int64_t offset, struct weir_error *err);
    int (*reader_unassign)(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                           uint32_t partition, struct weir_error *err);
    int (*reader_join)(struct wr_log_reader *reader, const char *group, const char *const *topics,
                       size_t count, struct weir_error *err);
    int (*reader_watch)(struct wr_log_reader *reader, struct weir_error *err);
    int (*reader_pause)(struct wr_log_reader *reader, const struct wr_log_topic *topic,
                        uint32_t partition, bool is_paused, struct weir_error *err);
    int (*reader_poll)(struct wr_log_reader *reader, int timeout_ms, struct wr_log_chunk *out,
                       struct weir_error *err);
    int (*reader_fd)(const struct wr_log_reader *reader);
    void (*reader_wake)(struct wr_log_reader *reader);
};

/* An engine puts these first in its own structs and fills them in when it opens. Those marked "log.c"
 * are kept by the wrappers; an engine sets them to zero and leaves them alone. */
struct wr_log {
    const struct wr_log_ops *ops;
};

struct wr_log_writer {
    struct wr_log *log;
    size_t commit_max_bytes;
    bool is_marked;  /* log.c: between mark and end */
    bool is_stalled; /* log.c: an answer AGAIN stands */
};

struct wr_log_reader {
    struct wr_log *log;
};

#endif
