/* config_help.h - every configuration key that is kept in a table, for weir help config and docs/config.md. */
#ifndef WR_RUN_CONFIG_HELP_H
#define WR_RUN_CONFIG_HELP_H

#include "base/writer.h"

/* Write the keys of `log:` and of sources as a Markdown list, one line each. */
void wr_config_help(struct wr_writer *out);

#endif
