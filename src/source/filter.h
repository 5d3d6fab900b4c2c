/*
 * filter.h - which tables are captured: Debezium's lists of regular expressions (cdc.md A2).
 *
 * A list's items stand between commas (`\,` is a comma in one); each must match the whole name, without
 * case. They are Java's: what of Java's syntax POSIX lacks is rewritten (\d, \w, (?:…), lazy
 * quantifiers, \Q…\E) or refused with its place (look-around, back references, possessive quantifiers).
 *
 * Thread: any, once made.
 */
#ifndef WR_FILTER_H
#define WR_FILTER_H

#include "base/writer.h"
#include "source/connector_key.h"

struct wr_filter;

/* Compile a list.
 *   list  a scalar; borrowed as long as `out`
 *   what  names its key in errors; borrowed until return
 *   out   owned by the caller, free with wr_filter_free()
 * WEIR_E_CONFIG for an item that is no expression, with its place. */
WR_MUST_USE int wr_filter_new(const struct wr_conf *list, const char *what, struct wr_filter **out,
                              struct weir_error *err);

/* Free it. Takes NULL. */
void wr_filter_free(struct wr_filter *filter);

/* How many items it has; 0 for NULL. */
size_t wr_filter_count(const struct wr_filter *filter);

/* An item as it was written; borrowed from the configuration. Not for messages. */
struct wr_str wr_filter_text(const struct wr_filter *filter, size_t index);

/* An item for messages, "****" when the list is secret; and where it stands, as well as that is known.
 * Borrowed from the configuration. */
struct wr_str wr_filter_shown(const struct wr_filter *filter, size_t index);
struct wr_place wr_filter_place(const struct wr_filter *filter, size_t index);

/* Is an item a name, rather than a pattern? A point stands for itself in most lists, and `\` before it
 * too, so these make no pattern. */
bool wr_filter_is_name(const struct wr_filter *filter, size_t index);

/* Does one item match the whole of `name`, of at most 511 bytes (asserted)? */
bool wr_filter_item_matches(const struct wr_filter *filter, size_t index, struct wr_str name);

/* The first item that matches the whole of `name`, of at most 511 bytes (asserted), or -1. */
int wr_filter_match(const struct wr_filter *filter, struct wr_str name);

/* Write a Java expression as a POSIX extended one. NULL, or what of it cannot be written so (static
 * text). What does not fit spoils `w`. */
WR_MUST_USE const char *wr_filter_translate(struct wr_writer *w, struct wr_str java);

/* ---- the lists of a connector --------------------------------------------------------------------- */

struct wr_capture {
    struct wr_filter *schemas;    /* NULL: all */
    struct wr_filter *no_schemas; /* NULL: none */
    struct wr_filter *tables;
    struct wr_filter *no_tables;
    bool skips_builtin;
};

/* Compile schema.* and table.*.list. `out`: let go with wr_capture_fini(), also after a failure. */
WR_MUST_USE int wr_capture_init(struct wr_capture *out, const struct wr_connector *connector,
                                struct weir_error *err);

/* Free what it holds. Takes a zeroed one. */
void wr_capture_fini(struct wr_capture *capture);

/* Is schema.table captured? Its rank is the place of the item that took it (0 without a list), or -1. */
int wr_capture_rank(const struct wr_capture *capture, struct wr_str schema, struct wr_str table);

#endif
