/*
 * resolve.h - looks up the server's name without being held up by it.
 *
 * libpq looks names up by getaddrinfo(), which no deadline and no wake-up ends. So it is done here, in a
 * thread of its own that nobody waits for longer than he likes, and libpq is handed addresses.
 *
 * Thread: the source's.
 */
#ifndef WR_PG_RESOLVE_H
#define WR_PG_RESOLVE_H

#include "base/clock.h"
#include "base/error.h"

/* libpq's `host` and `hostaddr`: as many items in each, between commas. A name with several addresses is
 * there once for each; a folder, and what is an address already, has an empty one. */
struct wr_pg_hosts {
    char *hosts;
    char *addresses; /* NULL: there was nothing to look up */
};

struct wr_pg_resolve_options {
    const char *hosts; /* database.hostname: one, or several between commas */
    int wake_fd;       /* readable: give up; -1: none */
    const struct wr_clock *clock;
    int64_t deadline_ms; /* of its monotonic time */
};

/* Look up all names. `options` and its texts: borrowed until return. `out`: let go with
 * wr_pg_hosts_fini(); untouched on failure.
 * Blocks until the deadline at most. WEIR_E_CONNECT when there is no such host or no answer, WEIR_E_STOPPED,
 * WEIR_E_NOMEM. */
WR_MUST_USE int wr_pg_resolve(const struct wr_pg_resolve_options *options, struct wr_pg_hosts *out,
                              struct weir_error *err);

/* Free its texts. Takes a zeroed one. */
void wr_pg_hosts_fini(struct wr_pg_hosts *hosts);

#endif
