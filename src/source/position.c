#include "source/position.h"

int wr_positions_open(struct wr_log *log, struct wr_log_topic **out, struct weir_error *err)
{
    static const struct wr_topic_setting settings[] = {{"cleanup.policy", "compact"}};
    const struct wr_topic_spec spec = {
        .name = WR_POSITIONS_TOPIC, .partition_count = 1, .settings = settings, .setting_count = 1};
    int rc = wr_log_topic_ensure(log, &spec, out, err);
    return rc < 0 ? wr_wrap(err, "topic " WR_POSITIONS_TOPIC) : 0;
}

int wr_position_load(struct wr_log *log, const char *name, struct wr_str *out,
                     struct weir_error *err)
{
    struct wr_bytes value = {NULL, 0};
    int rc =
        wr_log_last_value(log, WR_POSITIONS_TOPIC, wr_bytes_of_str(wr_str_of(name)), &value, err);
    if (rc < 0) {
        return wr_wrap(err, "the position of source '%s'", name);
    }
    *out = wr_str_of_bytes(value);
    return 0;
}

int wr_position_append(struct wr_log_writer *writer, struct wr_log_topic *positions,
                       const char *name, struct wr_str text, struct weir_error *err)
{
    const struct wr_record record = {.key = wr_bytes_of_str(wr_str_of(name)),
                                     .value = wr_bytes_of_str(text),
                                     .timestamp_ms = -1};
    return wr_log_append(writer, positions, 0, &record, err);
}
