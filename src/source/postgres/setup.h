/*
 * setup.h - what must be true of a server before a source reads from it, and making it so: rights,
 * wal_level, publication, slot; and whether a stored position still fits.
 *
 * What no retry mends is WEIR_E_REFUSED, with the SQL that does. The decisions are pure functions over
 * what the queries answered, so that tests need no server.
 *
 * Thread: the source's.
 */
#ifndef WR_PG_SETUP_H
#define WR_PG_SETUP_H

#include "source/postgres/pg_config.h"
#include "source/postgres/pg_position.h"

/* What the server said of itself. */
struct wr_pg_server {
    int version; /* 150004 */
    char system[WR_PG_NAME_MAX];
    uint32_t timeline;
    uint64_t wal_lsn; /* where its WAL ended when it was asked */
    char role[WR_PG_NAME_MAX];
    bool is_standby;
    bool is_logical; /* wal_level=logical */
    char wal_level[16];
    bool may_replicate;
    bool may_create; /* CREATE on the database */
    bool is_superuser;
    int sender_timeout_ms; /* wal_sender_timeout; 0: none */
};

/* A row of pg_replication_slots; exists: false when there is none of this name. */
struct wr_pg_slot {
    bool exists;
    bool is_ours;   /* logical, pgoutput, of our database */
    bool is_lost;   /* its WAL is gone */
    int active_pid; /* 0: nobody reads from it */
    char application[WR_PG_NAME_MAX];
    char plugin[WR_PG_NAME_MAX];
    char database[WR_PG_NAME_MAX];
    uint64_t confirmed_lsn;
};

/* A row of pg_publication. */
struct wr_pg_publication {
    bool exists;
    uint32_t oid;
    bool has_all_tables;
    bool is_ours; /* we may change it */
};

/* A table that passes the filters. */
struct wr_pg_target {
    uint32_t oid;
    struct wr_str schema; /* in the arena of the list */
    struct wr_str name;
    int rank; /* place of the item of table.include.list that took it */
    bool is_partitioned;
    bool may_use_schema;
    bool may_select;
    bool is_ours;
    bool is_published;
};

struct wr_pg_targets {
    struct wr_pg_target *items; /* by rank, then by name */
    size_t count;
    size_t cap;
    struct wr_arena arena;
};

/* Free what it holds. Takes a zeroed one. */
void wr_pg_targets_fini(struct wr_pg_targets *targets);

/* ---- questions: I/O -------------------------------------------------------------------------------- */

/* Both sessions: `control` for queries, `stream` for replication. */
struct wr_pg_sessions {
    struct wr_pg_session *control;
    struct wr_pg_session *stream;
};

/* Ask the server what it is. Blocks as wr_pg_session_query(). */
WR_MUST_USE int wr_pg_setup_server(struct wr_pg_session *control, const struct wr_pg_config *config,
                                   struct wr_pg_server *out, struct weir_error *err);

/* Ask over the replication session which system it is, and where its WAL ends. */
WR_MUST_USE int wr_pg_setup_identify(struct wr_pg_session *stream,
                                     const struct wr_pg_config *config, struct wr_pg_server *out,
                                     struct weir_error *err);

/* Ask for the slot of the configuration. */
WR_MUST_USE int wr_pg_setup_slot(struct wr_pg_session *control, const struct wr_pg_config *config,
                                 struct wr_pg_slot *out, struct weir_error *err);

/* The tables that pass the filters. Entries of table.include.list that take none are told to `warn`, which
 * may be NULL. `out`: let go with wr_pg_targets_fini(), also after a failure. */
WR_MUST_USE int wr_pg_setup_targets(struct wr_pg_session *control,
                                    const struct wr_pg_config *config,
                                    const struct wr_conf_warn *warn, struct wr_pg_targets *out,
                                    struct weir_error *err);

/* Find the publication; make or change it as the configuration says. */
WR_MUST_USE int wr_pg_setup_publication(struct wr_pg_session *control,
                                        const struct wr_pg_config *config,
                                        const struct wr_pg_server *server,
                                        const struct wr_pg_targets *targets,
                                        struct wr_pg_publication *out, struct weir_error *err);

/* ---- decisions: pure ------------------------------------------------------------------------------- */

/* May a source read from this server at all? */
WR_MUST_USE int wr_pg_check_server(const struct wr_pg_server *server,
                                   const struct wr_pg_config *config, struct weir_error *err);

/* May the slot be read from? WEIR_E_BUSY when somebody does. */
WR_MUST_USE int wr_pg_check_slot(const struct wr_pg_slot *slot, const struct wr_pg_config *config,
                                 struct weir_error *err);

/* What the snapshot may not read: names every GRANT that is missing. */
WR_MUST_USE int wr_pg_check_select(const struct wr_pg_targets *targets,
                                   const struct wr_pg_server *server, struct weir_error *err);

/* Does the stored position still fit server, slot and publication? With offset.mismatch.strategy it is
 * moved to the slot's where that says so; *moved is true then. */
WR_MUST_USE int wr_pg_check_position(struct wr_pg_position *position,
                                     const struct wr_pg_server *server,
                                     const struct wr_pg_slot *slot,
                                     const struct wr_pg_publication *publication,
                                     const struct wr_pg_config *config, bool *moved,
                                     struct weir_error *err);

#endif
