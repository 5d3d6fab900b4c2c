/* topic_name.h - the names that Debezium gives to topics (cdc.md B1). */
#ifndef WR_TOPIC_NAME_H
#define WR_TOPIC_NAME_H

#include "base/base.h"

enum {
    WR_TOPIC_NAME_MAX = 249
};

/* Write `count` parts with `delimiter` between, each character outside [A-Za-z0-9._-] as _ (as two beyond
 * U+FFFF, which Java has as two), cut after WR_TOPIC_NAME_MAX. `out` has room for that and a NUL. Returns
 * the length. */
size_t wr_topic_name(const struct wr_str *parts, size_t count, struct wr_str delimiter, char *out);

#endif
