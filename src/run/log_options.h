/*
 * log_options.h - the section `log:` of the configuration as options of the embedded engine. One table of
 * keys: the parser, --set and docs/config.md read the same rows.
 */
#ifndef WR_RUN_LOG_OPTIONS_H
#define WR_RUN_LOG_OPTIONS_H

#include "base/conf.h"
#include "log/embedded/embedded.h"

enum {
    WR_LOG_DEFAULTS_MAX = 64
};

struct wr_log_key {
    const char *name;
    const char *type;    /* as docs/config.md says it: "number", "text", "map" */
    const char *initial; /* the default, in words */
    const char *help;
    size_t field; /* where a number goes in struct wr_embedded_options; its width is in `width` */
    size_t width;
    int64_t min;
    int64_t max;
};

/* All of them; static. */
extern const struct wr_log_key wr_log_keys[];
extern const size_t wr_log_key_count;

struct wr_log_options {
    struct wr_embedded_options embedded;                   /* dir is not set here */
    struct wr_topic_setting defaults[WR_LOG_DEFAULTS_MAX]; /* borrowed from the tree */
};

/* Read the section (NULL: all defaults). Unknown keys are told to `warn`. `out` borrows from the tree and
 * from itself: it must not be copied. WEIR_E_CONFIG with the place. */
WR_MUST_USE int wr_log_options_read(const struct wr_conf *section, const struct wr_conf_warn *warn,
                                    struct wr_log_options *out, struct weir_error *err);

/* Is it a key of `log:`, or one under topic_defaults? */
bool wr_log_key_is_known(struct wr_str key);

#endif
