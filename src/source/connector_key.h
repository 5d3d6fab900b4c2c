/*
 * connector_key.h - every configuration key of a PostgreSQL connector: Debezium's, Kafka Connect's, and
 * weir's own. One table; parser, warnings and documentation read the same rows.
 *
 * A key is done, or refused as long as it is not done and would change what is written, or without
 * effect here (its text says why). A name may hold one '*', which stands for one or more characters.
 * Values of a choice are matched without case and without blanks around them, as Debezium does.
 *
 * Facts: cdc.md part A. Thread: any; the table is static, a struct wr_connector is immutable.
 */
#ifndef WR_CONNECTOR_KEY_H
#define WR_CONNECTOR_KEY_H

#include "base/conf.h"

enum wr_key_kind {
    WR_KEY_TEXT,
    WR_KEY_BOOL,
    WR_KEY_INT,
    WR_KEY_CHOICE /* one of `done`; those of `later` are refused by name until they are done */
};

enum wr_key_status {
    WR_KEY_DONE,
    WR_KEY_REFUSED, /* by name, unless the value is its default or one of `done` */
    WR_KEY_IDLE     /* accepted; has no effect here */
};

struct wr_connector_key {
    const char *name;
    enum wr_key_kind kind;
    enum wr_key_status status;
    const char *initial; /* the default; NULL: none */
    const char *done;    /* values that are taken, "a|b"; CHOICE and REFUSED */
    const char *later;   /* CHOICE: values of Debezium that are not done, "a|b"; NULL: none */
    int64_t min;         /* INT */
    int64_t max;
    const char *doc; /* one sentence */
};

/* The table, sorted as it is documented. Static storage. */
const struct wr_connector_key *wr_connector_keys(size_t *count);

/* Is it a key of the table, exactly or by a row with '*'? */
bool wr_connector_key_is_known(struct wr_str name);

/* A connector's configuration after wr_connector_check(). */
struct wr_connector {
    const struct wr_conf *map; /* borrowed */
    const char *source;        /* the name of the source; borrowed */
};

/*
 * Check every key of `map`: unknown ones and old names are told to `warn`, those without effect are noted
 * there, all in one sentence; wrong and refused values are errors with their place.
 *
 *   map     borrowed for as long as `out` is used
 *   source  name of the source; topic.prefix where the map has none
 *   warn    may be NULL
 *
 * Returns 0, WEIR_E_CONFIG, or WEIR_E_UNSUPPORTED for what is not done.
 */
WR_MUST_USE int wr_connector_check(const struct wr_conf *map, const char *source,
                                   const struct wr_conf_warn *warn, struct wr_connector *out,
                                   struct weir_error *err);

/* The value of a key, its default where it is not set, by its kind. The name must be one of the table's
 * (asserted). Text: without blanks around it, borrowed from the configuration, ptr NULL when there is
 * neither value nor default. */
struct wr_str wr_connector_text(const struct wr_connector *connector, const char *name);
bool wr_connector_bool(const struct wr_connector *connector, const char *name);
int64_t wr_connector_int(const struct wr_connector *connector, const char *name);

/* The place of a choice's value among the row's `done`, from 0. */
size_t wr_connector_choice(const struct wr_connector *connector, const char *name);

/* Is it set, and not to nothing? */
bool wr_connector_has(const struct wr_connector *connector, const char *name);

/* Its value for messages: "****" when it is secret. Borrowed from the configuration. */
struct wr_str wr_connector_shown(const struct wr_connector *connector, const char *name);

/* Its value as it stands in the configuration, borrowed from that; NULL when it is not set. */
const struct wr_conf *wr_connector_node(const struct wr_connector *connector, const char *name);

/* Where its value stands; where the map stands when it is not set. For errors about the value. */
struct wr_place wr_connector_place(const struct wr_connector *connector, const char *name);

#endif
