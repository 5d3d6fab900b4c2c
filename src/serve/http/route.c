#include "serve/http/route.h"

/* clang-format off */
static const struct wr_route routes[] = {
    {"GET",    "api/status",                 WR_MAY_READ,  wr_api_status_get,      NULL},
    {"GET",    "api/topics",                 WR_MAY_READ,  wr_api_topics_list,     NULL},
    {"POST",   "api/topics",                 WR_MAY_ADMIN, wr_api_topics_create,   NULL},
    {"GET",    "api/topics/{topic}",         WR_MAY_READ,  wr_api_topics_describe, NULL},
    {"DELETE", "api/topics/{topic}",         WR_MAY_ADMIN, wr_api_topics_delete,   NULL},
    {"POST",   "api/topics/{topic}/records", WR_MAY_WRITE, NULL,                   &wr_api_produce},
    {"GET",    "api/topics/{topic}/records", WR_MAY_READ,  NULL,                   &wr_api_tail},
    {"GET",    "api/sources",                WR_MAY_READ,  wr_api_sources_list,    NULL},
    {"GET",    "api/sources/status",         WR_MAY_READ,  wr_api_sources_status,  NULL},
    {"GET",    "api/views",                  WR_MAY_READ,  wr_api_views_list,      NULL},
    {"GET",    "api/views/status",           WR_MAY_READ,  wr_api_views_status,    NULL},
};
/* clang-format on */

/* Does the path fit the pattern? Fills `args`. */
static bool fits(const char *pattern, const char *const *path, const char **args)
{
    size_t arg_count = 0;
    size_t segment = 0;
    while (*pattern != 0 && path[segment] != NULL) {
        size_t len = strcspn(pattern, "/");
        if (pattern[0] == '{') {
            WR_ASSERT(arg_count < WR_API_ARGS_MAX);
            args[arg_count++] = path[segment];
        } else if (strlen(path[segment]) != len || memcmp(pattern, path[segment], len) != 0) {
            return false;
        }
        pattern += pattern[len] == '/' ? len + 1 : len;
        segment++;
    }
    return *pattern == 0 && path[segment] == NULL;
}

int wr_route_find(const struct wr_api_target *target, struct wr_api_request *request,
                  const struct wr_route **out, struct weir_error *err)
{
    bool is_path = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const char *args[WR_API_ARGS_MAX] = {NULL};
        if (!fits(routes[i].path, target->path, args)) {
            continue;
        }
        is_path = true;
        if (strcmp(routes[i].method, target->method) == 0) {
            memcpy(request->args, args, sizeof(args));
            *out = &routes[i];
            return 0;
        }
    }
    return is_path ? wr_fail(err, WEIR_E_UNSUPPORTED, "%.20s is not possible here", target->method)
                   : wr_fail(err, WEIR_E_NOTFOUND, "there is no such path; docs/api.md lists them");
}
