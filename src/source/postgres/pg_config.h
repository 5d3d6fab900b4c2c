/*
 * pg_config.h - the configuration of a PostgreSQL source, read once and checked.
 *
 * Thread: any, once made.
 */
#ifndef WR_PG_CONFIG_H
#define WR_PG_CONFIG_H

#include "source/filter.h"
#include "source/postgres/session.h"

enum wr_pg_autocreate { /* publication.autocreate.mode, in the order of its row */
    WR_PG_AUTOCREATE_ALL_TABLES,
    WR_PG_AUTOCREATE_DISABLED,
    WR_PG_AUTOCREATE_FILTERED,
    WR_PG_AUTOCREATE_NO_TABLES
};

enum wr_pg_mismatch { /* offset.mismatch.strategy, in the order of its row */
    WR_PG_MISMATCH_NO_VALIDATION,
    WR_PG_MISMATCH_TRUST_OFFSET,
    WR_PG_MISMATCH_TRUST_SLOT,
    WR_PG_MISMATCH_TRUST_GREATER
};

struct wr_pg_config {
    const char *name;  /* of the source; borrowed */
    const char *hosts; /* database.hostname */
    const char *database;
    const char *user;
    const char *slot;
    const char *publication;
    enum wr_pg_autocreate autocreate;
    enum wr_pg_mismatch mismatch;
    bool is_via_root;  /* publish.via.partition.root */
    bool has_snapshot; /* snapshot.mode is initial */
    int query_timeout_ms;
    int status_interval_ms;
    int64_t slot_patience_ms; /* how long a slot that somebody else holds is tried again */
    struct wr_capture capture;

    /* For both sessions, beside host and hostaddr; the one of the stream has replication=database too. */
    const char *keywords[WR_PG_PARAMS_MAX];
    const char *values[WR_PG_PARAMS_MAX];
    size_t keyword_count;
    struct wr_arena arena; /* holds the texts */
};

/* Read it. `name`, `connector`: borrowed as long as `out`. `out`: let go with wr_pg_config_fini(), also
 * after a failure, which is WEIR_E_CONFIG with the place, or WEIR_E_NOMEM. */
WR_MUST_USE int wr_pg_config_read(struct wr_pg_config *out, const char *name,
                                  const struct wr_connector *connector, struct weir_error *err);

/* Free what it holds. Takes a zeroed one. */
void wr_pg_config_fini(struct wr_pg_config *config);

#endif
