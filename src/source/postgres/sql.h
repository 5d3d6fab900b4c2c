/*
 * sql.h - the queries of sql/, one a file, and how their variables are filled in.
 *
 * A file is what psql takes: `psql -v slot=debezium -f sql/slot.sql`. Its variables are replaced here as
 * psql does it, so that the same text serves commands that have no parameters (CREATE PUBLICATION,
 * START_REPLICATION):
 *
 *     :'name'   a literal, quoted         :"name"   an identifier, quoted         :name   as it is
 *
 * Pure functions over text. Thread: any.
 */
#ifndef WR_PG_SQL_H
#define WR_PG_SQL_H

#include "base/writer.h"

struct wr_pg_arg {
    const char *name;
    struct wr_str value;
};

/* Write `text` with its variables replaced. One that is not among `args` is a bug and asserts; so is a
 * NUL in a value, which no query can hold. What does not fit spoils `w`. */
void wr_pg_sql_fill(struct wr_writer *w, const char *text, const struct wr_pg_arg *args,
                    size_t count);

/* Write a literal ('it''s') or an identifier ("a""b"). */
void wr_pg_literal_put(struct wr_writer *w, struct wr_str value);
void wr_pg_identifier_put(struct wr_writer *w, struct wr_str name);

/* Write "schema"."table". */
void wr_pg_table_name_put(struct wr_writer *w, struct wr_str schema, struct wr_str table);

/* The texts of sql/NAME.sql. NUL-terminated, static storage. */
extern const char wr_pg_sql_begin_snapshot[];
extern const char wr_pg_sql_copy[];
extern const char wr_pg_sql_create_publication[];
extern const char wr_pg_sql_create_slot[];
extern const char wr_pg_sql_create_temporary_slot[];
extern const char wr_pg_sql_describe[];
extern const char wr_pg_sql_drop_slot[];
extern const char wr_pg_sql_identify_system[];
extern const char wr_pg_sql_progress[];
extern const char wr_pg_sql_publication[];
extern const char wr_pg_sql_server[];
extern const char wr_pg_sql_session[];
extern const char wr_pg_sql_set_publication_tables[];
extern const char wr_pg_sql_slot[];
extern const char wr_pg_sql_start_replication[];
extern const char wr_pg_sql_tables[];

#endif
