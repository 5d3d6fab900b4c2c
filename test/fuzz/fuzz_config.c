/* Any bytes as a configuration file, and their first line as --set: never more than an error with a place. */
#include "run/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static const char *variable(void *arg, const char *name)
{
    WR_UNUSED(arg);
    return name[0] == 'A' ? "a value: of #its own" : NULL;
}

static int file(void *arg, const char *path, size_t max, struct wr_bytes *out,
                struct weir_error *err)
{
    const struct input *input = arg;
    struct wr_str text = {(const char *)input->data, input->size};
    if (path[0] == 'n') {
        return wr_fail(err, WEIR_E_NOTFOUND, "%s: not there", path);
    }
    text.len = text.len > max ? max : text.len;
    char *copy = wr_strdup(text);
    if (copy == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a copy");
    }
    *out = (struct wr_bytes){(const uint8_t *)copy, text.len};
    return 0;
}

static void take_warning(void *arg, struct wr_place at, const char *text)
{
    WR_UNUSED(arg);
    WR_ASSERT(at.file != NULL);
    WR_ASSERT(text[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    struct wr_str line = {(const char *)data, end == NULL ? size : (size_t)(end - data)};
    char *set = wr_strdup(line);
    const char *const files[] = {"etc/fuzz"};
    const char *const sets[] = {"a=1", set};
    const struct wr_config_env env = {variable, file, &input};
    const struct wr_conf_warn warn = {.take = take_warning, .arg = NULL};
    for (size_t set_count = 0; set_count <= 2 && set != NULL; set_count++) {
        struct wr_config config;
        struct weir_error err;
        struct wr_config_input in = {.files = files,
                                     .file_count = 1,
                                     .sets = sets,
                                     .set_count = set_count,
                                     .env = &env,
                                     .warn = &warn,
                                     .is_lenient = set_count == 1};
        if (wr_config_load(&in, &config, &err) < 0) {
            WR_ASSERT(err.code < 0);
        }
        wr_config_fini(&config);
    }
    wr_free(set);
    return 0;
}
