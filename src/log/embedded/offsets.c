/* offsets.c - group offsets as records. The formats are in offsets.h. */
#include "log/embedded/offsets.h"

#include "base/writer.h"
#include "log/embedded/fill.h"

#include <inttypes.h>

enum {
    KEY_VERSION = 1,
    VALUE_VERSION = 3,
    VALUE_BYTES = 2 + 8 + 4 + 2 + 8
};

/* One partition: the broker of all groups is this one, and a roll rewrites the live offsets. */
static const struct wr_topic_setting SETTINGS[] = {
    {"cleanup.policy", "compact"},
    {"segment.bytes", "16777216"},
};
static const struct wr_topic_spec SPEC = {
    .name = "__consumer_offsets",
    .partition_count = 1,
    .settings = SETTINGS,
    .setting_count = sizeof(SETTINGS) / sizeof(SETTINGS[0]),
};

static void put_string(struct wr_writer *w, const char *text)
{
    struct wr_str s = wr_str_of(text);
    wr_put_u16(w, (uint16_t)s.len);
    wr_put_str(w, s);
}

static int append(struct wr_log_writer *writer, struct wr_log_topic *topic, const char *group,
                  const struct wr_group_offset *offset, struct weir_error *err)
{
    struct wr_writer key = wr_writer_growing(2 * (size_t)UINT16_MAX);
    uint8_t value[VALUE_BYTES];
    struct wr_writer v = wr_writer_over(value, sizeof(value));
    wr_put_u16(&key, KEY_VERSION);
    put_string(&key, group);
    put_string(&key, offset->topic->name);
    wr_put_u32(&key, offset->partition);
    wr_put_u16(&v, VALUE_VERSION);
    wr_put_u64(&v, (uint64_t)offset->offset);
    wr_put_u32(&v, (uint32_t)offset->leader_epoch);
    put_string(&v, "");
    wr_put_u64(&v, (uint64_t)wr_wall_ms(((struct wr_embedded_writer *)(void *)writer)->e->clock));
    struct wr_record record = {
        .key = wr_writer_bytes(&key),
        .value = wr_writer_bytes(&v),
        .timestamp_ms = -1,
    };
    int rc = wr_writer_end(&key, err);
    rc = rc == 0 ? wr_embedded_append(writer, topic, 0, &record, err) : rc;
    wr_writer_fini(&key);
    return rc;
}

int wr_embedded_writer_offsets(struct wr_log_writer *writer, const char *group,
                               const struct wr_group_offset *offsets, size_t count,
                               struct weir_error *err)
{
    if (strlen(group) > INT16_MAX) {
        return wr_fail(err, WEIR_E_INPUT, "a group's name has %zu bytes, at most %d", strlen(group),
                       INT16_MAX);
    }
    struct wr_log_topic *topic = NULL;
    int rc = wr_log_topic_ensure(writer->log, &SPEC, &topic, err);
    if (rc < 0) {
        return wr_wrap(err, "offsets of group '%.100s'", group);
    }
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = append(writer, topic, group, &offsets[i], err);
    }
    wr_log_topic_unref(topic);
    return rc;
}
