/* read_all.h - reads a file whose size is not known before: a pipe, /dev/stdin, /proc. */
#ifndef WR_RUN_READ_ALL_H
#define WR_RUN_READ_ALL_H

#include "base/error.h"

/* Read `path` to its end, at most `max` bytes.
 *   out  owned by the caller (wr_free); a NUL follows the last byte
 * WEIR_E_NOTFOUND, WEIR_E_LIMIT, WEIR_E_IO, WEIR_E_NOMEM; each names the path. Blocks. */
WR_MUST_USE int wr_read_all(const char *path, size_t max, struct wr_bytes *out,
                            struct weir_error *err);

#endif
