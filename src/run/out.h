/* out.h - standard output: every write is checked, and who stops reading ends the command. */
#ifndef WR_RUN_OUT_H
#define WR_RUN_OUT_H

#include "base/writer.h"

enum {
    WR_OUT_BYTES_MAX = 4 * 1024 * 1024 /* of a text that is put together before it is written */
};

/* Write all of it to standard output. WEIR_E_STOPPED with EPIPE when nobody reads any more (the
 * command then ends without a word), WEIR_E_FULL, WEIR_E_IO. */
WR_MUST_USE int wr_out(struct wr_bytes bytes, struct weir_error *err);

/* What a writer holds, after wr_writer_end(). */
WR_MUST_USE int wr_out_writer(const struct wr_writer *w, struct weir_error *err);

/* Print the JSON of a call's answer as a table for people: one row an object, one column a member, titles
 * from the members' names. Members that are lists or objects are left out. `hidden`: members that are left
 * out too, ended by NULL. */
WR_MUST_USE int wr_out_json_table(struct wr_str json, const char *const *hidden, bool has_colour,
                                  struct weir_error *err);

/* Print it as blocks, one an object: its name, then its members in lines. `only`: just the object of that
 * name (NULL: all); WEIR_E_NOTFOUND when there is none, with `what` it is. */
WR_MUST_USE int wr_out_json_blocks(struct wr_str json, const char *only, const char *what,
                                   bool has_colour, struct weir_error *err);

/* Print the array, or of it the object called `only`, as JSON in one line. */
WR_MUST_USE int wr_out_json(struct wr_str json, const char *only, const char *what,
                            struct weir_error *err);

#endif
