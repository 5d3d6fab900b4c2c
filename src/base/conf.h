/*
 * conf.h - configuration as a tree of nodes with places, whatever file form it came from.
 *
 * run/ reads weir.yaml, Strimzi manifests, Connect JSON and properties into this; source/, view/ and
 * log/ take what is theirs out of it. A node is a scalar (text), a list or a map; maps keep the order
 * of the file and have no key twice. A map's keys may hold dots ("database.hostname"): they are one
 * key, not a path. `${…}` was replaced before.
 *
 * Life: nodes live in the arena of the tree that they belong to and are immutable once built.
 * Errors: WEIR_E_CONFIG, "file:line:column: what was expected, what stands there".
 */
#ifndef WR_CONF_H
#define WR_CONF_H

#include "base/arena.h"
#include "base/error.h"

/* Where something stands in a file; line and column from 1, 0 when not known. `file` is borrowed from
 * the tree; for --set it is "--set". */
struct wr_place {
    const char *file;
    int line;
    int column;
};

enum wr_conf_kind {
    WR_CONF_SCALAR,
    WR_CONF_LIST,
    WR_CONF_MAP
};

struct wr_conf_entry;

struct wr_conf {
    struct wr_place at;
    struct wr_str text;      /* scalar: its text, NUL-terminated; "" for an empty one */
    struct wr_place text_at; /* scalar whose text stands in the file line for line (not folded, no
                                escapes, no ${…}): where its first character is; else line 0 */
    int text_column;         /* and the column at which its further lines begin */
    enum wr_conf_kind kind;
    bool is_plain;  /* scalar: written without quotes, so null, true and 12 mean themselves */
    bool is_secret; /* scalar: holds something from ${…}; never print it */
    struct wr_conf_entry *entries; /* list or map */
    size_t count;
};

struct wr_conf_entry {
    struct wr_str key; /* map: NUL-terminated; list: {NULL, 0} */
    struct wr_place key_at;
    struct wr_conf value;
};

/* The value of `key` in a map, borrowed from the tree, or NULL (also when `map` is NULL). */
const struct wr_conf *wr_conf_get(const struct wr_conf *map, const char *key);

/* Is it absent, or a plain null, ~ or nothing? */
bool wr_conf_is_null(const struct wr_conf *node);

/* What stands there, for messages: the text of a scalar, "****" when it is secret, "a list", "a map".
 * Borrowed from the tree. */
struct wr_str wr_conf_shown(const struct wr_conf *node);

/* Read a scalar into its type. On failure `out` is untouched and the error names the place, `what` and
 * the text that stands there ("****" when it is secret).
 *   bool    true, false, case-insensitive
 *   i64     a whole number in min .. max
 *   str     any scalar; borrowed from the tree, NUL-terminated */
WR_MUST_USE int wr_conf_bool(const struct wr_conf *node, const char *what, bool *out,
                             struct weir_error *err);
WR_MUST_USE int wr_conf_i64(const struct wr_conf *node, const char *what, int64_t min, int64_t max,
                            int64_t *out, struct weir_error *err);
WR_MUST_USE int wr_conf_str(const struct wr_conf *node, const char *what, struct wr_str *out,
                            struct weir_error *err);

/* Where byte `at` of a scalar's text stands in its file; `node->at` when that is not known. For errors
 * inside longer texts (SQL). Columns count characters of UTF-8. */
struct wr_place wr_conf_place(const struct wr_conf *node, size_t at);

/* Fail with WEIR_E_CONFIG and the place in front: "weir.yaml:3:5: …". */
#define wr_conf_fail(err, at, ...) wr_conf_fail_at(err, at, __FILE__, __LINE__, __VA_ARGS__)
int wr_conf_fail_at(struct weir_error *err, struct wr_place at, const char *src_file, int src_line,
                    const char *fmt, ...) WR_PRINTF(5, 6);

/* Put "****" where the text of `err` has the value of a secret scalar of `tree`, or a part of it between
 * commas or behind a scheme and a colon, as a word of its own: for texts that others made (a server, a
 * library). Values of one or two characters are no secrets. Values of keys with "password" are left out:
 * who gets one does not repeat it, and often it is the user's name. */
void wr_conf_hide(const struct wr_conf *tree, struct weir_error *err);

/* Who is told of what is odd but no error: unknown keys, old names. Callers that get NULL tell nobody. */
struct wr_conf_warn {
    void (*take)(void *arg, struct wr_place at, const char *text); /* `text` borrowed in the call */
    void *arg;
    void (*note)(void *arg, struct wr_place at, const char *text); /* of what is right, but worth
                                                                      knowing; NULL: nobody is told */
};

/* Tell `warn` (may be NULL) one sentence about the place. */
void wr_conf_warn(const struct wr_conf_warn *warn, struct wr_place at, const char *fmt, ...)
    WR_PRINTF(3, 4);

/* The same for what is worth knowing. */
void wr_conf_note(const struct wr_conf_warn *warn, struct wr_place at, const char *fmt, ...)
    WR_PRINTF(3, 4);

/* Tell `warn` of every key of `map` that is not among `names`, with the nearest of them:
 * "unknown key 'durabilty' in log; did you mean 'durability'?". `where` names the map. */
void wr_conf_warn_unknown(const struct wr_conf_warn *warn, const struct wr_conf *map,
                          const char *where, const char *const *names, size_t count);

/* The one of `names` that `text` was most likely meant to be, or NULL when none is near. */
const char *wr_nearest(struct wr_str text, const char *const *names, size_t count);

#endif
