/*
 * config.h - the whole configuration of a run: files in any mix of forms, then --set, as one tree.
 *
 *     root    map
 *       log      map or absent     {dir, durability, …}
 *       sources  map or absent     NAME → connector keys
 *       views    map or absent     NAME → definition
 *
 * Stronger from top to bottom: defaults, files in the order given, --set in the order given. Who takes
 * keys out of the tree says what is wrong with them; here only the form is checked, and what weir.yaml
 * allows at its top.
 */
#ifndef WR_RUN_CONFIG_H
#define WR_RUN_CONFIG_H

#include "base/arena.h"
#include "base/conf.h"
#include "run/config_read.h"

enum {
    WR_CONFIG_MEMORY_MAX = 64 * 1024 * 1024
};

struct wr_config {
    struct wr_arena arena;
    struct wr_conf root;
};

struct wr_config_input {
    const char *const *files; /* paths; borrowed */
    size_t file_count;
    const char *const *sets; /* KEY=VALUE each; borrowed */
    size_t set_count;
    const struct wr_config_env *env;
    const struct wr_conf_warn *warn; /* may be NULL */
    bool is_lenient; /* a ${…} that cannot be resolved stays: for commands that only want log.dir */
};

/* Read all files and apply all sets.
 *   out  owned by the caller, let go with wr_config_fini(), also after a failure
 * Returns 0, WEIR_E_CONFIG with the place, or what opening a file failed with. */
WR_MUST_USE int wr_config_load(const struct wr_config_input *input, struct wr_config *out,
                               struct weir_error *err);

/* Free. Takes a zeroed one. */
void wr_config_fini(struct wr_config *config);

/* A section, borrowed; NULL when it is absent or empty. */
const struct wr_conf *wr_config_section(const struct wr_config *config, const char *name);

/* log.dir, or `otherwise` when it is not set: a relative one starts at the folder of the file that it
 * stands in. Owned by the caller (wr_free). */
WR_MUST_USE int wr_config_log_dir(const struct wr_config *config, const char *otherwise, char **out,
                                  struct weir_error *err);

/* ---- config_set.c ---- */

/* Put one KEY=VALUE of --set into the tree:
 *     a path of weir.yaml    log.KEY, views.NAME.KEY, sources.NAME.KEY
 *     any other              a connector key, for every source
 * WEIR_E_CONFIG when it is no KEY=VALUE or its value no YAML scalar. */
WR_MUST_USE int wr_config_set(struct wr_config_reader *reader, const char *assignment,
                              struct wr_conf *root, const struct wr_conf_warn *warn,
                              struct weir_error *err);

#endif
