#include "run/config_tree.h"

struct wr_conf wr_conf_map(struct wr_place at)
{
    return (struct wr_conf){.kind = WR_CONF_MAP, .at = at};
}

static struct wr_conf *find(struct wr_conf *map, struct wr_str key)
{
    for (size_t i = 0; i < map->count; i++) {
        if (wr_str_eq(map->entries[i].key, key)) {
            return &map->entries[i].value;
        }
    }
    return NULL;
}

/* Room for one entry more. The room doubles when the count is a power of two, so nothing beside the
 * count has to be kept; the arena takes the old room back with all else. */
static struct wr_conf_entry *add_entry(struct wr_arena *arena, struct wr_conf *node,
                                       struct weir_error *err)
{
    bool is_full = (node->count & (node->count - 1)) == 0;
    if (is_full) {
        size_t room = node->count == 0 ? 1 : node->count * 2;
        struct wr_conf_entry *entries = wr_arena_array(arena, room, sizeof(*entries));
        if (entries == NULL) {
            (void)wr_conf_fail(err, node->at, "the configuration is too large");
            return NULL;
        }
        if (node->count > 0) {
            memcpy(entries, node->entries, node->count * sizeof(*entries));
        }
        node->entries = entries;
    }
    struct wr_conf_entry *entry = &node->entries[node->count++];
    *entry = (struct wr_conf_entry){0};
    entry->value = (struct wr_conf){.text = WR_STR(""), .is_plain = true, .at = node->at};
    return entry;
}

struct wr_conf *wr_conf_put(struct wr_arena *arena, struct wr_conf *map, struct wr_str key,
                            struct wr_place key_at, struct weir_error *err)
{
    WR_ASSERT(map->kind == WR_CONF_MAP);
    struct wr_conf *there = find(map, key);
    if (there != NULL) {
        return there;
    }
    if (map->count >= WR_CONF_MAP_MAX) {
        (void)wr_conf_fail(err, key_at, "more than %d keys in one map", WR_CONF_MAP_MAX);
        return NULL;
    }
    char *copy = wr_arena_str(arena, key);
    struct wr_conf_entry *entry = copy == NULL ? NULL : add_entry(arena, map, err);
    if (entry == NULL) {
        (void)wr_conf_fail(err, key_at, "the configuration is too large");
        return NULL;
    }
    entry->key = (struct wr_str){copy, key.len};
    entry->key_at = key_at;
    entry->value.at = key_at;
    return &entry->value;
}

struct wr_conf *wr_conf_put_map(struct wr_arena *arena, struct wr_conf *map, struct wr_str key,
                                struct wr_place key_at, struct weir_error *err)
{
    struct wr_conf *value = wr_conf_put(arena, map, key, key_at, err);
    if (value != NULL && wr_conf_is_null(value)) {
        *value = wr_conf_map(value->at);
    }
    if (value != NULL && value->kind != WR_CONF_MAP) {
        (void)wr_conf_fail(err, value->at, "%.*s must be a map of keys and values", WR_FMT(key));
        return NULL;
    }
    return value;
}

struct wr_conf *wr_conf_push(struct wr_arena *arena, struct wr_conf *list, struct weir_error *err)
{
    WR_ASSERT(list->kind == WR_CONF_LIST);
    struct wr_conf_entry *entry = add_entry(arena, list, err);
    return entry == NULL ? NULL : &entry->value;
}

/* A pair of maps whose entries are being merged from `index` on. */
struct merge {
    struct wr_conf *into;
    const struct wr_conf *from;
    size_t index;
};

/* Put the next entry of `top` into its map. `deeper` is set when a pair of maps is to be merged first. */
static int merge_entry(struct wr_arena *arena, struct merge *top, struct merge *deeper,
                       struct weir_error *err)
{
    const struct wr_conf_entry *entry = &top->from->entries[top->index++];
    struct wr_conf *value = wr_conf_put(arena, top->into, entry->key, entry->key_at, err);
    *deeper = (struct merge){0};
    if (value == NULL) {
        return err->code;
    }
    if (entry->value.kind != WR_CONF_MAP) {
        bool is_empty_section = value->kind == WR_CONF_MAP && wr_conf_is_null(&entry->value);
        *value = is_empty_section ? *value : entry->value;
        return 0;
    }
    if (value->kind != WR_CONF_MAP) {
        *value = wr_conf_map(entry->value.at);
    }
    *deeper = (struct merge){value, &entry->value, 0};
    return 0;
}

int wr_conf_merge(struct wr_arena *arena, struct wr_conf *into, const struct wr_conf *from,
                  struct weir_error *err)
{
    WR_ASSERT(into->kind == WR_CONF_MAP);
    WR_ASSERT(from->kind == WR_CONF_MAP);
    struct merge stack[WR_CONF_MERGE_MAX] = {{into, from, 0}};
    size_t depth = 1;
    while (depth > 0) {
        struct merge *top = &stack[depth - 1];
        struct merge deeper;
        if (top->index == top->from->count) {
            depth--;
            continue;
        }
        int rc = merge_entry(arena, top, &deeper, err);
        if (rc < 0) {
            return rc;
        }
        if (deeper.into != NULL && depth == WR_CONF_MERGE_MAX) {
            return wr_conf_fail(err, deeper.from->at, "nested deeper than %d levels",
                                WR_CONF_MERGE_MAX);
        }
        if (deeper.into != NULL) {
            stack[depth++] = deeper;
        }
    }
    return 0;
}
