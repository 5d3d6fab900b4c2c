/*
 * config_read.h - from the bytes of one file to trees of base/conf.h, in whatever form they are:
 *
 *     YAML          one tree a document (libyaml's events; aliases are followed, within limits)
 *     JSON          is read as YAML's flow form, so its nodes have places too
 *     properties    one tree: a flat map
 *
 * The forms are told apart by content, never by the file's name. What the keys mean is decided later
 * (config_shape.h). `${…}` is replaced here, so that a secret is marked where it comes in.
 *
 * Limits: WR_CONFIG_FILE_MAX bytes, WR_CONFIG_DEPTH_MAX levels, WR_CONFIG_NODES_MAX nodes in all files
 * together with aliases counted as what they stand for, so nothing small can grow large.
 */
#ifndef WR_RUN_CONFIG_READ_H
#define WR_RUN_CONFIG_READ_H

#include "base/arena.h"
#include "base/conf.h"

enum {
    WR_CONFIG_FILE_MAX = 4 * 1024 * 1024,
    WR_CONFIG_DEPTH_MAX = 64,
    WR_CONFIG_NODES_MAX = 100000,
    WR_CONFIG_SECRET_MAX = 64 * 1024 /* bytes of one ${file:…} */
};

/* The outside that a configuration may ask for; handed in, so that tests have their own. */
struct wr_config_env {
    /* The value of an environment variable, borrowed; NULL when it is not set. */
    const char *(*variable)(void *arg, const char *name);
    /* A whole file of at most `max` bytes, owned by the caller (wr_free), NUL-terminated. */
    int (*file)(void *arg, const char *path, size_t max, struct wr_bytes *out,
                struct weir_error *err);
    void *arg;
};

/* The process's environment and the disk. Static storage. */
const struct wr_config_env *wr_config_env_os(void);

struct wr_config_reader {
    struct wr_arena *arena;          /* where the trees live */
    const struct wr_config_env *env; /* borrowed */
    const char *file;                /* what places name; lives as long as the trees */
    bool is_lenient;                 /* leave a ${…} that cannot be resolved as it stands */
    size_t node_count;               /* so far */
};

/* Called for each document. `doc` is borrowed; what it points to lives in the arena. */
struct wr_config_each {
    int (*doc)(void *arg, const struct wr_conf *doc, struct weir_error *err);
    void *arg;
};

/* Read all documents of `text`. Empty documents are left out. WEIR_E_CONFIG with the place. */
WR_MUST_USE int wr_config_read(struct wr_config_reader *reader, struct wr_str text,
                               const struct wr_config_each *each, struct weir_error *err);

/* Read one scalar as YAML would, for --set: quotes and escapes mean what they mean there. `key` is for
 * messages and to know secrets by their name. WEIR_E_CONFIG when it is not one scalar. */
WR_MUST_USE int wr_config_read_scalar(struct wr_config_reader *reader, struct wr_str key,
                                      struct wr_str text, struct wr_conf *out,
                                      struct weir_error *err);

/* ---- the parts, for wr_config_read() and its tests ---- */

/* As wr_config_read(), of one form. */
WR_MUST_USE int wr_config_read_yaml(struct wr_config_reader *reader, struct wr_str text,
                                    const struct wr_config_each *each, struct weir_error *err);
WR_MUST_USE int wr_config_read_properties(struct wr_config_reader *reader, struct wr_str text,
                                          const struct wr_config_each *each,
                                          struct weir_error *err);

/* The value of `key` in a properties text, in the arena; {NULL, 0} when it is not there. */
WR_MUST_USE int wr_config_property(struct wr_arena *arena, struct wr_str text, struct wr_str key,
                                   struct wr_str *out, struct weir_error *err);

/* Count one node more. */
WR_MUST_USE int wr_config_count(struct wr_config_reader *reader, struct wr_place at, size_t nodes,
                                struct weir_error *err);

/* Make `out` the scalar `text` of `key` ({NULL, 0} in a list), with every ${…} replaced:
 *     ${NAME} ${NAME:-default} ${env:NAME}    the environment
 *     ${file:PATH}                            a file's content, less one newline at its end; a relative
 *                                             path starts at the configuration file
 *     ${file:PATH:KEY}                        the value of KEY in a properties file (Connect's form)
 *     $${                                     a plain ${
 * A text with one of them, or of a key whose name says password, secret or token, is marked secret. In
 * keys that end in "replacement" ${name} is a regular expression's group and stays. */
WR_MUST_USE int wr_config_scalar(struct wr_config_reader *reader, struct wr_str key,
                                 struct wr_place at, struct wr_str text, struct wr_conf *out,
                                 struct weir_error *err);

#endif
