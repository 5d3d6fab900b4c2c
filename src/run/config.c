#include "run/config.h"

#include "run/config_shape.h"
#include "run/config_tree.h"

static int take_document(void *arg, const struct wr_conf *doc, struct weir_error *err)
{
    return wr_config_shape(arg, doc, err);
}

static int read_file(struct wr_config_reader *reader, const char *path,
                     struct wr_config_shaper *shaper, struct weir_error *err)
{
    const struct wr_config_env *env = reader->env;
    struct wr_bytes bytes;
    int rc = env->file(env->arg, path, WR_CONFIG_FILE_MAX, &bytes, err);
    if (rc < 0) {
        return rc;
    }
    reader->file = wr_arena_str(reader->arena, wr_str_of(path));
    const struct wr_config_each each = {take_document, shaper};
    rc = reader->file == NULL ? wr_fail(err, WEIR_E_NOMEM, "the name of a file")
                              : wr_config_read(reader, wr_str_of_bytes(bytes), &each, err);
    wr_free((void *)(uintptr_t)bytes.ptr);
    return rc;
}

/* Sources and views: maps with names that fit into a path, a topic and a URL. */
static int check_named(const struct wr_conf *section, const char *what, struct weir_error *err)
{
    for (size_t i = 0; section != NULL && i < section->count; i++) {
        const struct wr_conf_entry *entry = &section->entries[i];
        if (!wr_config_is_name(entry->key)) {
            return wr_conf_fail(err, entry->key_at,
                                "'%.*s' is no name for a %s: a-z A-Z 0-9 . _ - are possible",
                                WR_FMT(entry->key), what);
        }
        if (entry->value.kind != WR_CONF_MAP) {
            return wr_conf_fail(
                err, entry->value.at,
                "%s '%.*s' must be a map of keys and values, indented below its name", what,
                WR_FMT(entry->key));
        }
    }
    return 0;
}

int wr_config_load(const struct wr_config_input *input, struct wr_config *out,
                   struct weir_error *err)
{
    *out = (struct wr_config){.arena = wr_arena_of(WR_CONFIG_MEMORY_MAX)};
    struct wr_config_shaper shaper = wr_config_shaper_of(&out->arena, input->warn);
    struct wr_config_reader reader = {
        .arena = &out->arena, .env = input->env, .file = "--set", .is_lenient = input->is_lenient};
    int rc = 0;
    for (size_t i = 0; i < input->file_count && rc == 0; i++) {
        rc = read_file(&reader, input->files[i], &shaper, err);
    }
    reader.file = "--set";
    for (size_t i = 0; i < input->set_count && rc == 0; i++) {
        rc = wr_config_set(&reader, input->sets[i], &shaper.root, input->warn, err);
    }
    out->root = shaper.root;
    rc = rc < 0 ? rc : check_named(wr_config_section(out, "sources"), "source", err);
    rc = rc < 0 ? rc : check_named(wr_config_section(out, "views"), "view", err);
    return rc;
}

void wr_config_fini(struct wr_config *config)
{
    wr_arena_fini(&config->arena);
}

const struct wr_conf *wr_config_section(const struct wr_config *config, const char *name)
{
    const struct wr_conf *section = wr_conf_get(&config->root, name);
    return section != NULL && section->kind == WR_CONF_MAP ? section : NULL;
}

/* `path` as seen from the folder of `file`. NULL when out of memory. */
static char *join(const char *file, struct wr_str path)
{
    const char *slash = file == NULL ? NULL : strrchr(file, '/');
    if (path.ptr[0] == '/' || slash == NULL) {
        return wr_strdup(path);
    }
    size_t folder = (size_t)(slash - file) + 1;
    char *joined = wr_alloc_array(folder + path.len + 1, 1);
    if (joined != NULL) {
        memcpy(joined, file, folder);
        memcpy(joined + folder, path.ptr, path.len);
    }
    return joined;
}

int wr_config_log_dir(const struct wr_config *config, const char *otherwise, char **out,
                      struct weir_error *err)
{
    const struct wr_conf *dir = wr_conf_get(wr_config_section(config, "log"), "dir");
    struct wr_str path = wr_str_of(otherwise);
    const char *file = NULL;
    if (!wr_conf_is_null(dir)) {
        int rc = wr_conf_str(dir, "log.dir", &path, err);
        if (rc < 0) {
            return rc;
        }
        file = dir->at.file;
    }
    if (path.len == 0) {
        return wr_conf_fail(err, dir->at, "log.dir must be the path of a folder");
    }
    char *joined = join(file, path);
    if (joined == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "the path of the log");
    }
    *out = joined;
    return 0;
}
