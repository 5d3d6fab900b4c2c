#include "source/postgres/pg_config.h"

#include <stdio.h>

enum {
    TEXTS_BYTES_MAX = 1 << 20,
    SLOT_NAME_MAX = 63,
    SERVER_NAME_MAX = 63 /* NAMEDATALEN - 1 */
};

struct read {
    struct wr_pg_config *config;
    const struct wr_connector *connector;
    struct weir_error *err;
    int rc;
};

/* A key's value as a NUL-terminated copy; NULL when it is not set. */
static const char *text(struct read *r, const char *key)
{
    struct wr_str value = wr_connector_text(r->connector, key);
    if (r->rc < 0 || value.ptr == NULL) {
        return NULL;
    }
    const char *copy = wr_arena_str(&r->config->arena, value);
    if (copy == NULL) {
        r->rc = wr_fail(r->err, WEIR_E_NOMEM, "%s", key);
    }
    return copy;
}

/* One that must be set. */
static const char *needed(struct read *r, const char *key)
{
    const char *value = text(r, key);
    if (r->rc == 0 && (value == NULL || *value == 0)) {
        r->rc = wr_conf_fail(r->err, r->connector->map->at, "source '%s' needs %s", r->config->name,
                             key);
    }
    return value;
}

/* A name of the server: as long as it keeps them, lest it cuts one silently. */
static const char *server_name(struct read *r, const char *key)
{
    const char *value = needed(r, key);
    if (r->rc == 0 && value != NULL && strlen(value) > SERVER_NAME_MAX) {
        r->rc = wr_conf_fail(r->err, wr_connector_place(r->connector, key),
                             "%s has %zu bytes, PostgreSQL keeps %d", key, strlen(value),
                             SERVER_NAME_MAX);
    }
    return value;
}

static const char *slot_name(struct read *r)
{
    const char *name = server_name(r, "slot.name");
    if (name != NULL && r->rc == 0 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(name)) {
        r->rc = wr_conf_fail(r->err, wr_connector_place(r->connector, "slot.name"),
                             "slot.name must be of a-z, 0-9 and _, at most %d, not '%.*s'",
                             SLOT_NAME_MAX, WR_FMT(wr_connector_shown(r->connector, "slot.name")));
    }
    return name;
}

static void add(struct read *r, const char *keyword, const char *value)
{
    struct wr_pg_config *c = r->config;
    if (value != NULL) {
        WR_ASSERT(c->keyword_count < WR_PG_PARAMS_MAX - 3); /* room for those that a session adds */
        c->keywords[c->keyword_count] = keyword;
        c->values[c->keyword_count++] = value;
    }
}

/* libpq's own keepalives are left to the system's times but for these: a server whose machine is gone is
 * noticed within a minute. */
static void add_keepalives(struct read *r)
{
    bool is_on = wr_connector_bool(r->connector, "database.tcpKeepAlive");
    add(r, "keepalives", is_on ? "1" : "0");
    add(r, "keepalives_idle", is_on ? "30" : NULL);
    add(r, "keepalives_interval", is_on ? "10" : NULL);
    add(r, "keepalives_count", is_on ? "3" : NULL);
}

static void read_session(struct read *r)
{
    static const char *const optional[][2] = {{"password", "database.password"},
                                              {"sslmode", "database.sslmode"},
                                              {"sslcert", "database.sslcert"},
                                              {"sslkey", "database.sslkey"},
                                              {"sslpassword", "database.sslpassword"},
                                              {"sslrootcert", "database.sslrootcert"},
                                              {"port", "database.port"}};
    add(r, "dbname", r->config->database);
    add(r, "user", r->config->user);
    for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
        add(r, optional[i][0], text(r, optional[i][1]));
    }
    add(r, "client_encoding", "UTF8");
    add_keepalives(r);
    char name[SERVER_NAME_MAX + 1];
    (void)snprintf(name, sizeof(name), "weir %s", r->config->name);
    add(r, "application_name", wr_arena_str(&r->config->arena, wr_str_of(name)));
}

int wr_pg_config_read(struct wr_pg_config *out, const char *name,
                      const struct wr_connector *connector, struct weir_error *err)
{
    *out = (struct wr_pg_config){.name = name, .arena = wr_arena_of(TEXTS_BYTES_MAX)};
    struct read r = {.config = out, .connector = connector, .err = err};
    out->database = server_name(&r, "database.dbname");
    out->hosts = needed(&r, "database.hostname");
    out->user = server_name(&r, "database.user");
    out->slot = slot_name(&r);
    out->publication = server_name(&r, "publication.name");
    read_session(&r);
    out->autocreate =
        (enum wr_pg_autocreate)wr_connector_choice(connector, "publication.autocreate.mode");
    out->mismatch = (enum wr_pg_mismatch)wr_connector_choice(connector, "offset.mismatch.strategy");
    out->is_via_root = wr_connector_bool(connector, "publish.via.partition.root");
    out->has_snapshot = wr_connector_choice(connector, "snapshot.mode") == 0;
    out->query_timeout_ms = (int)wr_connector_int(connector, "database.query.timeout.ms");
    out->status_interval_ms = (int)wr_connector_int(connector, "status.update.interval.ms");
    out->slot_patience_ms = wr_connector_int(connector, "slot.max.retries") *
                            wr_connector_int(connector, "slot.retry.delay.ms");
    return r.rc < 0 ? r.rc : wr_capture_init(&out->capture, connector, err);
}

void wr_pg_config_fini(struct wr_pg_config *config)
{
    wr_capture_fini(&config->capture);
    wr_arena_fini(&config->arena);
    *config = (struct wr_pg_config){0};
}
