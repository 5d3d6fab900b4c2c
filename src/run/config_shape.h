/*
 * config_shape.h - from the documents of files, in whichever form, to one tree in the form of weir.yaml:
 *
 *     log: {…}   sources: {NAME: {connector keys}}   views: {NAME: {…}}
 *
 *     weir.yaml             has one of its own keys at the top; merged key by key, later files win
 *     Strimzi KafkaConnector  kind: KafkaConnector; becomes a source. Also when its indentation was lost and
 *                           all of it stands in one flat map. Documents of other kinds are left out, with a
 *                           warning.
 *     Connect               {"name": …, "config": {…}}, or flat with connector.class (JSON, properties)
 *
 * A source's name is metadata.name of a manifest, name of a Connect file; without one its topic.prefix,
 * or the old database.server.name. Two connector documents of one name are an error; weir.yaml may add to
 * a source that a connector document defines.
 */
#ifndef WR_RUN_CONFIG_SHAPE_H
#define WR_RUN_CONFIG_SHAPE_H

#include "base/arena.h"
#include "base/conf.h"

struct wr_config_shaper {
    struct wr_arena *arena;
    struct wr_conf root;             /* the tree; starts as an empty map */
    struct wr_conf connectors;       /* names that connector documents defined, with their places */
    const struct wr_conf_warn *warn; /* may be NULL */
};

/* A shaper with an empty tree. `arena` and `warn` stay borrowed. */
struct wr_config_shaper wr_config_shaper_of(struct wr_arena *arena,
                                            const struct wr_conf_warn *warn);

/* Put one document into the tree. WEIR_E_CONFIG with the place. */
WR_MUST_USE int wr_config_shape(struct wr_config_shaper *shaper, const struct wr_conf *doc,
                                struct weir_error *err);

/* Is it a key at the top of weir.yaml, of this version or of one to come? */
bool wr_config_is_section(struct wr_str key);

/* Can a source or a view be called so? Names stand in paths, topics and URLs. */
bool wr_config_is_name(struct wr_str name);

#endif
