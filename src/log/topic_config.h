/*
 * topic_config.h - the settings of a topic: Kafka's own keys with their meaning, range and default
 * (org.apache.kafka.storage.internals.log.LogConfig), and weir.index. Every engine reads them here.
 *
 * What weir takes and does not use is marked "taken only": clients set these, and nothing follows.
 */
#ifndef WR_TOPIC_CONFIG_H
#define WR_TOPIC_CONFIG_H

#include "base/error.h"

struct wr_topic_setting;

enum wr_cleanup {
    WR_CLEANUP_DELETE = 1,
    WR_CLEANUP_COMPACT = 2
};

enum wr_timestamp_type {
    WR_CREATE_TIME,
    WR_LOG_APPEND_TIME
};

enum wr_topic_compression {
    WR_COMPRESS_AS_PRODUCED,
    WR_COMPRESS_NONE,
    WR_COMPRESS_GZIP,
    WR_COMPRESS_SNAPPY,
    WR_COMPRESS_LZ4,
    WR_COMPRESS_ZSTD
};

enum wr_topic_index {
    WR_INDEX_NONE,
    WR_INDEX_KEY
};

/* All numbers are int64_t, so that one table reads them; -1 where that means "no limit". */
struct wr_topic_config {
    int64_t cleanup;              /* cleanup.policy: a sum of enum wr_cleanup */
    int64_t compression;          /* compression.type: enum wr_topic_compression */
    int64_t delete_retention_ms;  /* delete.retention.ms */
    int64_t file_delete_delay_ms; /* file.delete.delay.ms; taken only */
    int64_t flush_messages;       /* flush.messages; taken only */
    int64_t flush_ms;             /* flush.ms; taken only */
    int64_t index_interval_bytes; /* index.interval.bytes */
    int64_t max_compaction_lag_ms;
    int64_t max_message_bytes; /* max.message.bytes: of a batch of a wire client */
    int64_t timestamp_after_max_ms;
    int64_t timestamp_before_max_ms;
    int64_t timestamp_type; /* message.timestamp.type: enum wr_timestamp_type */
    double min_cleanable_dirty_ratio;
    int64_t min_compaction_lag_ms;
    int64_t min_insync_replicas; /* taken only */
    int64_t preallocate;         /* taken only */
    int64_t retention_bytes;
    int64_t retention_ms;
    int64_t segment_bytes;
    int64_t segment_index_bytes;
    int64_t segment_jitter_ms;
    int64_t segment_ms;
    int64_t unclean_leader_election; /* taken only */
    int64_t index;                   /* weir.index: enum wr_topic_index */
};

/* Kafka's defaults. */
struct wr_topic_config wr_topic_config_default(void);

/* Set what one key says. WEIR_E_INPUT, with `config` untouched, when there is no such key (the text
 * offers the nearest) or the value is not allowed (the text says what is). */
WR_MUST_USE int wr_topic_config_set(struct wr_topic_config *config, const char *key,
                                    const char *value, struct weir_error *err);

/* Set what `count` settings say, in order. As above; `config` is untouched on failure. */
WR_MUST_USE int wr_topic_config_apply(struct wr_topic_config *config,
                                      const struct wr_topic_setting *settings, size_t count,
                                      struct weir_error *err);

/* Does this value of a known key mean the default? False for what cannot be read. */
bool wr_topic_setting_is_default(const char *key, const char *value);

#endif
