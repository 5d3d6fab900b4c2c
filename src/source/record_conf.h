/*
 * record_conf.h - the part of a connector's configuration that shapes its records: envelope options,
 * converters, settings of topics that are made.
 *
 * Thread: any.
 */
#ifndef WR_RECORD_CONF_H
#define WR_RECORD_CONF_H

#include "data/envelope.h"
#include "log/log.h"
#include "source/connector_key.h"

enum {
    WR_TOPIC_SETTINGS_MAX = 60
};

struct wr_topic_conf {
    uint32_t partition_count;
    struct wr_topic_setting settings[WR_TOPIC_SETTINGS_MAX]; /* borrowed from the configuration */
    size_t setting_count;
};

/*
 * Make the envelope that the configuration asks for.
 *
 *   connector_name  source.connector: "postgresql"
 *   run_id          a UUID of this start, borrowed until return
 *   out             owned by the caller, free with wr_envelope_free()
 *
 * Returns 0, or WEIR_E_CONFIG with the place, WEIR_E_UNSUPPORTED for a converter that is not done,
 * WEIR_E_NOMEM.
 */
WR_MUST_USE int wr_record_conf_envelope(const struct wr_connector *connector,
                                        const char *connector_name, struct wr_str run_id,
                                        struct wr_envelope **out, struct weir_error *err);

/* Read topic.creation.default.*. */
WR_MUST_USE int wr_record_conf_topics(const struct wr_connector *connector,
                                      struct wr_topic_conf *out, struct weir_error *err);

#endif
