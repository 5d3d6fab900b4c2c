/* commands.h - every command of weir; one cmd_*.c each. To add one: its row here and in commands.c. */
#ifndef WR_RUN_COMMANDS_H
#define WR_RUN_COMMANDS_H

#include "run/cli.h"

#define WR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    WR_ANSWER_BYTES_MAX = 256 * 1024 * 1024 /* of an answer that is taken whole */
};

extern const struct wr_command wr_cmd_run;
extern const struct wr_command wr_cmd_init;
extern const struct wr_command wr_cmd_topics_list;
extern const struct wr_command wr_cmd_topics_describe;
extern const struct wr_command wr_cmd_topics_create;
extern const struct wr_command wr_cmd_topics_delete;
extern const struct wr_command wr_cmd_produce;
extern const struct wr_command wr_cmd_tail;
extern const struct wr_command wr_cmd_log_dump;
extern const struct wr_command wr_cmd_log_verify;
extern const struct wr_command wr_cmd_log_repair;
extern const struct wr_command wr_cmd_sources_list;
extern const struct wr_command wr_cmd_sources_status;
extern const struct wr_command wr_cmd_views_list;
extern const struct wr_command wr_cmd_views_status;
extern const struct wr_command wr_cmd_completion;
extern const struct wr_command wr_cmd_version;

#endif
