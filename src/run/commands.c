#include "run/commands.h"

const struct wr_command *const wr_commands[] = {
    &wr_cmd_run,
    &wr_cmd_init,
    &wr_cmd_topics_list,
    &wr_cmd_topics_describe,
    &wr_cmd_topics_create,
    &wr_cmd_topics_delete,
    &wr_cmd_produce,
    &wr_cmd_tail,
    &wr_cmd_log_dump,
    &wr_cmd_log_verify,
    &wr_cmd_log_repair,
    &wr_cmd_sources_list,
    &wr_cmd_sources_status,
    &wr_cmd_views_list,
    &wr_cmd_views_status,
    &wr_cmd_completion,
    &wr_cmd_version,
};
const size_t wr_command_count = WR_COUNT(wr_commands);
