/* sqlite_stored.h - where a view stands that does not run: read from its file, which stays as it is. */
#ifndef WR_VIEW_SQLITE_STORED_H
#define WR_VIEW_SQLITE_STORED_H

#include "view/sink_ops.h"

/* Call `each` for every position that the file at `path` has of the view; none when it has not filled the file.
 * Neither the file nor one beside it is made. As `stored` of sink_ops.h. */
WR_MUST_USE int wr_sqlite_stored(const char *path, const struct wr_view_definition *definition,
                                 int (*each)(void *arg, const struct wr_sink_position *position,
                                             struct weir_error *err),
                                 void *arg, struct weir_error *err);

#endif
