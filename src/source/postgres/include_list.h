/*
 * include_list.h - entries of table.include.list that take no table: typing errors, most of the time.
 *
 * Debezium says nothing of single ones and goes on; so does weir, but it says which they are.
 *
 * Pure. Thread: any.
 */
#ifndef WR_PG_INCLUDE_LIST_H
#define WR_PG_INCLUDE_LIST_H

#include "source/filter.h"

/* Tell `warn` of each entry of `list` that matches none of `names` ("schema.table", each at most 511
 * bytes): where it stands, and what it was most likely meant to be, or what to look at.
 *   list      NULL: there is nothing to tell
 *   names     all tables of the database; borrowed until return
 *   database  its name */
void wr_pg_warn_unmatched(const struct wr_filter *list, const char *const *names, size_t count,
                          const char *database, const struct wr_conf_warn *warn);

#endif
