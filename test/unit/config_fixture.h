/*
 * config_fixture.h - an outside for configurations under test: a few variables and files, and all that
 * was warned of.
 */
#ifndef WR_TEST_CONFIG_FIXTURE_H
#define WR_TEST_CONFIG_FIXTURE_H

#include "run/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct named_text {
    const char *name;
    const char *text;
};

struct outside {
    const struct named_text *variables; /* each ended by a NULL name */
    const struct named_text *files;
    char warned[4096]; /* "file:line:column: text\n" each */
};

/* The text of `name` in a list, or NULL. */
static inline const char *text_named(const struct named_text *list, const char *name)
{
    for (size_t i = 0; list != NULL && list[i].name != NULL; i++) {
        if (strcmp(list[i].name, name) == 0) {
            return list[i].text;
        }
    }
    return NULL;
}

/* The members of struct wr_config_env and struct wr_conf_warn over a struct outside. */
static inline const char *outside_variable(void *arg, const char *name)
{
    const struct outside *outside = arg;
    return text_named(outside->variables, name);
}

/* As wr_config_env.file. */
static inline int outside_file(void *arg, const char *path, size_t max, struct wr_bytes *out,
                               struct weir_error *err)
{
    const struct outside *outside = arg;
    const char *text = text_named(outside->files, path);
    if (text == NULL) {
        return wr_fail(err, WEIR_E_NOTFOUND, "%s: there is no such file", path);
    }
    assert_true(strlen(text) <= max);
    char *copy = wr_strdup(wr_str_of(text));
    *out = (struct wr_bytes){(const uint8_t *)copy, strlen(text)};
    return 0;
}

/* As wr_conf_warn.take: adds a line to `warned`. */
static inline void outside_warn(void *arg, struct wr_place at, const char *text)
{
    struct outside *outside = arg;
    size_t used = strlen(outside->warned);
    (void)snprintf(outside->warned + used, sizeof(outside->warned) - used, "%s:%d:%d: %s\n",
                   at.file == NULL ? "" : at.file, at.line, at.column, text);
}

/* Load `files` (paths) and `sets`, both ended by NULL; either may be NULL. */
static inline int load(struct outside *outside, const char *const *files, const char *const *sets,
                       struct wr_config *out, struct weir_error *err)
{
    const struct wr_config_env env = {outside_variable, outside_file, outside};
    const struct wr_conf_warn warn = {.take = outside_warn, .arg = outside};
    struct wr_config_input input = {.files = files, .sets = sets, .env = &env, .warn = &warn};
    while (files != NULL && files[input.file_count] != NULL) {
        input.file_count++;
    }
    while (sets != NULL && sets[input.set_count] != NULL) {
        input.set_count++;
    }
    outside->warned[0] = 0;
    return wr_config_load(&input, out, err);
}

/* The text at a path of map keys ended by NULL, or NULL when there is none. */
static inline const char *at_path(const struct wr_config *config, const char *const *path)
{
    const struct wr_conf *node = &config->root;
    for (size_t i = 0; path[i] != NULL && node != NULL; i++) {
        node = wr_conf_get(node, path[i]);
    }
    return node == NULL || node->kind != WR_CONF_SCALAR ? NULL : node->text.ptr;
}
#define AT(config, ...) at_path((config), (const char *const[]){__VA_ARGS__, NULL})

#endif
