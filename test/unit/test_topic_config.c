/*
 * Kafka's topic keys are read as Kafka reads them: the defaults and ranges are those of LogConfig in
 * Kafka 3.9 (docs/topic configs), written down here by hand.
 */
#include "log/log.h"
#include "log/topic_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int set(struct wr_topic_config *config, const char *key, const char *value,
               struct weir_error *err)
{
    return wr_topic_config_set(config, key, value, err);
}

static void has_kafkas_defaults(void **state)
{
    (void)state;
    static const struct wr_topic_setting kafkas[] = {
        {"cleanup.policy", "delete"},
        {"compression.type", "producer"},
        {"delete.retention.ms", "86400000"},
        {"file.delete.delay.ms", "60000"},
        {"flush.messages", "9223372036854775807"},
        {"flush.ms", "9223372036854775807"},
        {"index.interval.bytes", "4096"},
        {"max.compaction.lag.ms", "9223372036854775807"},
        {"max.message.bytes", "1048588"},
        {"message.timestamp.after.max.ms", "9223372036854775807"},
        {"message.timestamp.before.max.ms", "9223372036854775807"},
        {"message.timestamp.type", "CreateTime"},
        {"min.cleanable.dirty.ratio", "0.5"},
        {"min.compaction.lag.ms", "0"},
        {"min.insync.replicas", "1"},
        {"preallocate", "false"},
        {"retention.bytes", "-1"},
        {"retention.ms", "604800000"},
        {"segment.bytes", "1073741824"},
        {"segment.index.bytes", "10485760"},
        {"segment.jitter.ms", "0"},
        {"segment.ms", "604800000"},
        {"unclean.leader.election.enable", "false"},
        {"weir.index", "none"},
    };
    for (size_t i = 0; i < sizeof(kafkas) / sizeof(kafkas[0]); i++) {
        assert_true(wr_topic_setting_is_default(kafkas[i].key, kafkas[i].value));
    }
    assert_false(wr_topic_setting_is_default("retention.ms", "1"));
    assert_false(wr_topic_setting_is_default("retention.ms", "x"));
    assert_false(wr_topic_setting_is_default("nothing", "x"));
}

static void reads_each_kind_of_value(void **state)
{
    (void)state;
    struct wr_topic_config config = wr_topic_config_default();
    struct weir_error err;
    assert_int_equal(set(&config, "retention.ms", "-1", &err), 0);
    assert_int_equal(config.retention_ms, -1);
    assert_int_equal(set(&config, "cleanup.policy", "compact", &err), 0);
    assert_int_equal(config.cleanup, WR_CLEANUP_COMPACT);
    assert_int_equal(set(&config, "cleanup.policy", "compact, delete", &err), 0);
    assert_int_equal(config.cleanup, WR_CLEANUP_COMPACT | WR_CLEANUP_DELETE);
    assert_int_equal(set(&config, "message.timestamp.type", "LogAppendTime", &err), 0);
    assert_int_equal(config.timestamp_type, WR_LOG_APPEND_TIME);
    assert_int_equal(set(&config, "compression.type", "zstd", &err), 0);
    assert_int_equal(config.compression, WR_COMPRESS_ZSTD);
    assert_int_equal(set(&config, "min.cleanable.dirty.ratio", "0.1", &err), 0);
    assert_true(config.min_cleanable_dirty_ratio == 0.1);
    assert_int_equal(set(&config, "preallocate", "true", &err), 0);
    assert_int_equal(config.preallocate, 1);
    assert_int_equal(set(&config, "weir.index", "key", &err), 0);
    assert_int_equal(config.index, WR_INDEX_KEY);
}

static void refuses_what_kafka_refuses_and_says_what_is_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *value;
        const char *text;
    } bad[] = {
        {"retention.ms", "-2",
         "retention.ms must be a whole number -1 .. 9223372036854775807, not '-2'"},
        {"retention.ms", "", NULL},
        {"retention.ms", "7d", NULL},
        {"retention.ms", " 7", NULL},
        {"retention.ms", "+7", NULL},
        {"retention.ms", "9223372036854775808", NULL},
        {"segment.bytes", "13", NULL},
        {"segment.bytes", "2147483648", NULL},
        {"segment.ms", "0", NULL},
        {"min.cleanable.dirty.ratio", "1.1",
         "min.cleanable.dirty.ratio must be a number 0 .. 1, not '1.1'"},
        {"min.cleanable.dirty.ratio", "nan", NULL},
        {"min.cleanable.dirty.ratio", "", NULL},
        {"cleanup.policy", "", NULL},
        {"cleanup.policy", "remove",
         "cleanup.policy must be delete, compact or both with a comma, not 'remove'"},
        {"cleanup.policy", "delete,,compact", NULL},
        {"compression.type", "brotli",
         "compression.type must be one of producer, uncompressed, gzip, snappy, lz4, zstd, not "
         "'brotli'"},
        {"preallocate", "yes", NULL},
        {"message.timestamp.type", "createtime", NULL},
        {"retention.mss", "1",
         "there is no topic setting 'retention.mss'; did you mean "
         "'retention.ms'?"},
        {"zzzzzzzzzzzzzzzz", "1", "there is no topic setting 'zzzzzzzzzzzzzzzz'"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct wr_topic_config config = wr_topic_config_default();
        struct wr_topic_config before = config;
        struct weir_error err;
        assert_int_equal(set(&config, bad[i].key, bad[i].value, &err), WEIR_E_INPUT);
        assert_memory_equal(&config, &before, sizeof(config));
        if (bad[i].text != NULL) {
            assert_string_equal(err.text, bad[i].text);
        }
    }
}

static void a_list_is_applied_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct wr_topic_setting settings[] = {
        {"retention.ms", "5"}, {"segment.bytes", "1000"}, {"segment.ms", "x"}};
    struct wr_topic_config config = wr_topic_config_default();
    struct weir_error err;
    assert_int_equal(wr_topic_config_apply(&config, settings, 3, &err), WEIR_E_INPUT);
    assert_int_equal(config.retention_ms, INT64_C(604800000));
    assert_int_equal(wr_topic_config_apply(&config, settings, 2, &err), 0);
    assert_int_equal(config.retention_ms, 5);
    assert_int_equal(config.segment_bytes, 1000);
    assert_int_equal(wr_topic_config_apply(&config, NULL, 0, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_kafkas_defaults),
        cmocka_unit_test(reads_each_kind_of_value),
        cmocka_unit_test(refuses_what_kafka_refuses_and_says_what_is_allowed),
        cmocka_unit_test(a_list_is_applied_whole_or_not_at_all),
    };
    return cmocka_run_group_tests_name("topic_config", tests, NULL, NULL);
}
