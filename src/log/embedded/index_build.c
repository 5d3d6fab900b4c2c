#include "log/embedded/index_build.h"

#include <stdio.h>

enum {
    FILE_MAX_BYTES = 1 << 28,
    PATH_BYTES = 4096
};

struct wr_index_build wr_index_build_of(int64_t base_offset, uint64_t interval_bytes)
{
    struct wr_index_build build = {.base_offset = base_offset,
                                   .interval_bytes = interval_bytes,
                                   .max_timestamp_ms = -1,
                                   .told_timestamp_ms = -1};
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        build.files[kind] = wr_writer_growing(FILE_MAX_BYTES);
    }
    return build;
}

void wr_index_build_fini(struct wr_index_build *build)
{
    for (int kind = 0; kind < WR_INDEX_KINDS; kind++) {
        wr_writer_fini(&build->files[kind]);
    }
}

static void put_time(struct wr_index_build *build)
{
    if (build->max_timestamp_ms > build->told_timestamp_ms) {
        struct wr_writer *w = &build->files[WR_INDEX_TIMES];
        wr_put_u64(w, (uint64_t)build->max_timestamp_ms);
        wr_put_u32(w, (uint32_t)(build->max_offset - build->base_offset));
        build->told_timestamp_ms = build->max_timestamp_ms;
    }
}

static void put_place(struct wr_index_build *build, int64_t last_offset, uint64_t position)
{
    struct wr_writer *w = &build->files[WR_INDEX_PLACES];
    wr_put_u32(w, (uint32_t)(last_offset - build->base_offset));
    wr_put_u32(w, (uint32_t)position);
}

static void put_aborted(struct wr_index_build *build, const struct wr_index_aborted *aborted)
{
    struct wr_writer *w = &build->files[WR_INDEX_ABORTED];
    wr_put_u16(w, 0);
    wr_put_u64(w, (uint64_t)aborted->producer_id);
    wr_put_u64(w, (uint64_t)aborted->first_offset);
    wr_put_u64(w, (uint64_t)aborted->last_offset);
    wr_put_u64(w, (uint64_t)aborted->last_stable);
}

void wr_index_build_batch(struct wr_index_build *build, const struct wr_batch_header *header,
                          uint64_t position, const struct wr_index_aborted *aborted)
{
    int64_t last_offset = wr_batch_last_offset(header);
    if (header->max_timestamp_ms > build->max_timestamp_ms) {
        build->max_timestamp_ms = header->max_timestamp_ms;
        build->max_offset = last_offset;
    }
    if (build->since_bytes > build->interval_bytes) {
        put_place(build, last_offset, position);
        put_time(build);
        build->since_bytes = 0;
    }
    build->since_bytes += header->size_bytes;
    if (aborted != NULL) {
        put_aborted(build, aborted);
    }
}

static int write_file(struct wr_index_build *build, enum wr_index_kind kind, struct wr_vfs *vfs,
                      const char *path, bool is_full, struct weir_error *err)
{
    char name[PATH_BYTES];
    const struct wr_writer *w = &build->files[kind];
    (void)snprintf(name, sizeof(name), "%s.%s", path, wr_index_suffix(kind));
    int rc = wr_writer_end(w, err);
    if (rc < 0) {
        return rc;
    }
    if (w->len == 0 && (!is_full || kind == WR_INDEX_ABORTED)) {
        rc = wr_vfs_unlink(vfs, name, err);
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    return wr_vfs_replace(vfs, name, wr_writer_bytes(w), err);
}

int wr_index_build_write(struct wr_index_build *build, struct wr_vfs *vfs, const char *path,
                         bool is_full, struct weir_error *err)
{
    if (is_full) {
        put_time(build);
    }
    int rc = 0;
    for (int kind = 0; kind < WR_INDEX_KINDS && rc == 0; kind++) {
        rc = write_file(build, (enum wr_index_kind)kind, vfs, path, is_full, err);
    }
    return rc;
}
