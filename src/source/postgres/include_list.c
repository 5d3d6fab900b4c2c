#include "source/postgres/include_list.h"

enum {
    NAMES_COMPARED_MAX = 10000 /* of which the nearest is looked for */
};

static bool takes_any(const struct wr_filter *list, size_t index, const char *const *names,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (wr_filter_item_matches(list, index, wr_str_of(names[i]))) {
            return true;
        }
    }
    return false;
}

static void warn_of(const struct wr_filter *list, size_t index, const char *near,
                    const char *database, const struct wr_conf_warn *warn)
{
    static const char list_key[] = "table.include.list";
    struct wr_str shown = wr_filter_shown(list, index);
    struct wr_place at = wr_filter_place(list, index);
    if (!wr_filter_is_name(list, index)) {
        wr_conf_warn(
            warn, at,
            "%s: the pattern '%.*s' (entry %zu) takes no table of database '%s' yet; it has "
            "to match the whole of schema.table",
            list_key, WR_FMT(shown), index + 1, database);
    } else if (near != NULL) {
        wr_conf_warn(
            warn, at,
            "%s: database '%s' has no table '%.*s' (entry %zu) to capture; did you mean '%s'?",
            list_key, database, WR_FMT(shown), index + 1, near);
    } else {
        wr_conf_warn(
            warn, at,
            "%s: database '%s' has no table '%.*s' (entry %zu) to capture; check database, "
            "schema and spelling (views, foreign, temporary and unlogged tables cannot be "
            "captured)",
            list_key, database, WR_FMT(shown), index + 1);
    }
}

void wr_pg_warn_unmatched(const struct wr_filter *list, const char *const *names, size_t count,
                          const char *database, const struct wr_conf_warn *warn)
{
    size_t compared = count < NAMES_COMPARED_MAX ? count : 0;
    for (size_t i = 0; i < wr_filter_count(list); i++) {
        if (!takes_any(list, i, names, count)) {
            warn_of(list, i, wr_nearest(wr_filter_text(list, i), names, compared), database, warn);
        }
    }
}
