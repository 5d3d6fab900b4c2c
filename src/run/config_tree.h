/*
 * config_tree.h - builds the tree of base/conf.h: what the forms of a file are read into.
 *
 * Nodes live in an arena; a map or list that grows moves, so a pointer into `entries` holds until the
 * next put or push on the same node.
 */
#ifndef WR_RUN_CONFIG_TREE_H
#define WR_RUN_CONFIG_TREE_H

#include "base/arena.h"
#include "base/conf.h"

enum {
    WR_CONF_MAP_MAX = 4096, /* keys of one map; more is no configuration */
    WR_CONF_MERGE_MAX = 80  /* levels that are merged: files' own and those that a form adds */
};

/* An empty map at a place. */
struct wr_conf wr_conf_map(struct wr_place at);

/* The value of `key` in `map`, made as a null scalar when it is not there yet. `key` is copied. Borrowed
 * until the next put. NULL with `err` set when out of memory or over WR_CONF_MAP_MAX. */
WR_MUST_USE struct wr_conf *wr_conf_put(struct wr_arena *arena, struct wr_conf *map,
                                        struct wr_str key, struct wr_place key_at,
                                        struct weir_error *err);

/* As wr_conf_put(), for a value that must be a map: made as an empty one. Fails with the place when
 * something else stands there. */
WR_MUST_USE struct wr_conf *wr_conf_put_map(struct wr_arena *arena, struct wr_conf *map,
                                            struct wr_str key, struct wr_place key_at,
                                            struct weir_error *err);

/* One more item at the end of `list`, a null scalar. NULL as above. */
WR_MUST_USE struct wr_conf *wr_conf_push(struct wr_arena *arena, struct wr_conf *list,
                                         struct weir_error *err);

/* Put everything of the map `from` into the map `into`: maps key by key, all else replaced (a section
 * that stands there without anything replaces nothing). Maps are copied, so `into` shares none with
 * `from` and may be changed; texts and lists stay borrowed, so both must live in `arena`. */
WR_MUST_USE int wr_conf_merge(struct wr_arena *arena, struct wr_conf *into,
                              const struct wr_conf *from, struct weir_error *err);

#endif
