/* config_expand.c - ${…} in a value, and which values are secret. */
#include "run/config_read.h"

#include "base/writer.h"
#include "run/read_all.h"

#include <ctype.h>
#include <strings.h>

static const char *os_variable(void *arg, const char *name)
{
    WR_UNUSED(arg);
    /* The files are read before any thread starts. NOLINTNEXTLINE(concurrency-mt-unsafe) */
    return getenv(name);
}

static int os_file(void *arg, const char *path, size_t max, struct wr_bytes *out,
                   struct weir_error *err)
{
    WR_UNUSED(arg);
    return wr_read_all(path, max, out, err);
}

const struct wr_config_env *wr_config_env_os(void)
{
    static const struct wr_config_env os = {os_variable, os_file, NULL};
    return &os;
}

static bool starts_with(struct wr_str text, const char *head)
{
    size_t len = strlen(head);
    return text.len >= len && memcmp(text.ptr, head, len) == 0;
}

static struct wr_str from(struct wr_str text, size_t at)
{
    return (struct wr_str){text.ptr + at, text.len - at};
}

static bool is_name(struct wr_str text)
{
    bool is_good = text.len > 0 && !isdigit((unsigned char)text.ptr[0]);
    for (size_t i = 0; i < text.len && is_good; i++) {
        is_good = isalnum((unsigned char)text.ptr[i]) || text.ptr[i] == '_';
    }
    return is_good;
}

/* A value that is being put together. */
struct expansion {
    struct wr_config_reader *reader;
    struct wr_place at;
    bool is_secret; /* whatever it holds */
    struct wr_writer out;
};

static int put_variable(struct expansion *x, struct wr_str name, const struct wr_str *fallback,
                        struct weir_error *err)
{
    const struct wr_config_env *env = x->reader->env;
    char *name_z = wr_arena_str(x->reader->arena, name);
    if (name_z == NULL) {
        return wr_conf_fail(err, x->at, "the configuration is too large");
    }
    const char *value = env->variable(env->arg, name_z);
    if (value == NULL && fallback == NULL) {
        return wr_conf_fail(err, x->at,
                            "${%s} is not set in the environment; set it, or write ${%s:-default}",
                            name_z, name_z);
    }
    wr_put_str(&x->out, value == NULL ? *fallback : wr_str_of(value));
    return 0;
}

/* The path as it is opened: relative ones start at the folder of the configuration file. */
static char *resolve_path(const struct expansion *x, struct wr_str path)
{
    const char *slash = strrchr(x->reader->file, '/');
    if (path.ptr[0] == '/' || slash == NULL) {
        return wr_arena_str(x->reader->arena, path);
    }
    size_t folder = (size_t)(slash - x->reader->file) + 1;
    char *joined = wr_arena_array(x->reader->arena, folder + path.len + 1, 1);
    if (joined != NULL) {
        memcpy(joined, x->reader->file, folder);
        memcpy(joined + folder, path.ptr, path.len);
    }
    return joined;
}

static int read_secret_file(struct expansion *x, struct wr_str path, struct wr_str *out,
                            struct weir_error *err)
{
    const struct wr_config_env *env = x->reader->env;
    char *path_z = path.len == 0 ? NULL : resolve_path(x, path);
    if (path_z == NULL) {
        return wr_conf_fail(err, x->at, "${file:…} needs the path of a file");
    }
    struct wr_bytes bytes;
    int rc = env->file(env->arg, path_z, WR_CONFIG_SECRET_MAX, &bytes, err);
    if (rc < 0) {
        struct weir_error why = *err;
        (void)wr_conf_fail(err, x->at, "${file:%s}: %s", path_z, why.text);
        return rc; /* what the disk said: PATH:KEY is tried after a NOTFOUND */
    }
    char *copy = wr_arena_str(x->reader->arena, wr_str_of_bytes(bytes));
    wr_free((void *)(uintptr_t)bytes.ptr);
    if (copy == NULL) {
        return wr_conf_fail(err, x->at, "the configuration is too large");
    }
    *out = (struct wr_str){copy, bytes.len};
    return 0;
}

/* ${file:PATH:KEY}: Connect's FileConfigProvider. */
static int put_file_key(struct expansion *x, struct wr_str path, struct wr_str key,
                        struct weir_error *err)
{
    struct wr_str text = {NULL, 0};
    struct wr_str value = {NULL, 0};
    int rc = read_secret_file(x, path, &text, err);
    if (rc == 0) {
        rc = wr_config_property(x->reader->arena, text, key, &value, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (value.ptr == NULL) {
        return wr_conf_fail(err, x->at, "${file:%.*s:%.*s}: the file has no such key", WR_FMT(path),
                            WR_FMT(key));
    }
    wr_put_str(&x->out, value);
    return 0;
}

static int put_file(struct expansion *x, struct wr_str spec, struct weir_error *err)
{
    struct wr_str text = {NULL, 0};
    struct weir_error why;
    int rc = read_secret_file(x, spec, &text, &why);
    const char *colon = memchr(spec.ptr, ':', spec.len);
    if (rc == WEIR_E_NOTFOUND && colon != NULL) {
        size_t path_len = (size_t)(colon - spec.ptr);
        return put_file_key(x, (struct wr_str){spec.ptr, path_len}, from(spec, path_len + 1), err);
    }
    if (rc < 0) {
        *err = why;
        return rc;
    }
    if (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len -= text.len > 1 && text.ptr[text.len - 2] == '\r' ? 2 : 1;
    }
    wr_put_str(&x->out, text);
    return 0;
}

/* What stands between ${ and }. */
static int put_reference(struct expansion *x, struct wr_str inner, struct weir_error *err)
{
    if (starts_with(inner, "file:")) {
        return put_file(x, from(inner, 5), err);
    }
    if (starts_with(inner, "env:")) {
        inner = from(inner, 4);
    }
    const char *dash = memmem(inner.ptr, inner.len, ":-", 2);
    size_t name_len = dash == NULL ? inner.len : (size_t)(dash - inner.ptr);
    struct wr_str name = {inner.ptr, name_len};
    struct wr_str fallback = dash == NULL ? WR_STR("") : from(inner, name_len + 2);
    if (!is_name(name)) { /* in a password that holds ${ it is part of that */
        struct wr_str shown = x->is_secret ? WR_STR("…") : name;
        return wr_conf_fail(
            err, x->at, "'${%.*s}' is neither ${NAME} nor ${file:PATH}; write $${ for a plain ${",
            WR_FMT(shown));
    }
    return put_variable(x, name, dash == NULL ? NULL : &fallback, err);
}

static bool ends_in_replacement(struct wr_str key)
{
    struct wr_str end = WR_STR("replacement");
    return key.len >= end.len && wr_str_eq(from(key, key.len - end.len), end);
}

/* One ${…} at the start of `rest`; `used` is how much of it that was. */
static int expand_one(struct expansion *x, struct wr_str key, struct wr_str rest, size_t *used,
                      struct weir_error *err)
{
    const char *end = memchr(rest.ptr, '}', rest.len);
    if (end == NULL) {
        return wr_conf_fail(err, x->at, "'${' without its '}'; write $${ for a plain ${");
    }
    *used = (size_t)(end - rest.ptr) + 1;
    struct wr_str inner = {rest.ptr + 2, *used - 3};
    if (ends_in_replacement(key) && memchr(inner.ptr, ':', inner.len) == NULL) {
        wr_put_str(&x->out, (struct wr_str){rest.ptr, *used}); /* a group of the regex */
        return 0;
    }
    struct weir_error why;
    if (put_reference(x, inner, &why) == 0) {
        return 0;
    }
    if (x->reader->is_lenient) {
        wr_put_str(&x->out, (struct wr_str){rest.ptr, *used});
        return 0;
    }
    *err = why;
    err->code = WEIR_E_CONFIG;
    return err->code;
}

/* What stands at the start of `rest`: a character, $${ or a ${…}. */
static int expand_next(struct expansion *x, struct wr_str key, struct wr_str rest, size_t *used,
                       struct weir_error *err)
{
    if (starts_with(rest, "${")) {
        return expand_one(x, key, rest, used, err);
    }
    bool is_escape = starts_with(rest, "$${");
    wr_put_str(&x->out, is_escape ? WR_STR("${") : (struct wr_str){rest.ptr, 1});
    *used = is_escape ? 3 : 1;
    return 0;
}

static int expand(struct expansion *x, struct wr_str key, struct wr_str text,
                  struct weir_error *err)
{
    size_t used = 0;
    for (size_t i = 0; i < text.len; i += used) {
        int rc = expand_next(x, key, from(text, i), &used, err);
        if (rc < 0) {
            return rc;
        }
    }
    return wr_writer_end(&x->out, err) < 0
               ? wr_conf_fail(err, x->at, "the value is over %d bytes", WR_CONFIG_FILE_MAX)
               : 0;
}

static bool has_word(struct wr_str text, const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; text.len >= len && i <= text.len - len; i++) {
        if (strncasecmp(text.ptr + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool says_secret(struct wr_str key)
{
    static const char *const words[] = {"password", "passwd",     "passphrase", "secret",
                                        "token",    "credential", "user.info",  "jaas"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (has_word(key, words[i])) {
            return true;
        }
    }
    return false;
}

int wr_config_scalar(struct wr_config_reader *reader, struct wr_str key, struct wr_place at,
                     struct wr_str text, struct wr_conf *out, struct weir_error *err)
{
    bool has_reference = memmem(text.ptr, text.len, "${", 2) != NULL;
    struct expansion x = {reader, at, says_secret(key), wr_writer_growing(WR_CONFIG_FILE_MAX)};
    int rc = has_reference ? expand(&x, key, text, err) : 0;
    struct wr_str value = has_reference ? wr_writer_str(&x.out) : text;
    if (rc == 0 && value.len > 0 && memchr(value.ptr, 0, value.len) != NULL) {
        rc = wr_conf_fail(err, at, "a value cannot hold the NUL character");
    }
    if (rc == 0) {
        char *copy = wr_arena_str(reader->arena, value);
        rc = copy == NULL ? wr_conf_fail(err, at, "the configuration is too large") : 0;
        *out = (struct wr_conf){.kind = WR_CONF_SCALAR,
                                .at = at,
                                .text = {copy, value.len},
                                .is_plain = out->is_plain,
                                .is_secret = has_reference || x.is_secret};
    }
    wr_writer_fini(&x.out);
    return rc;
}
