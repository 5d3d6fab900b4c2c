#include "log/embedded/survey.h"

#include "log/embedded/catalog.h"
#include "log/embedded/epochs.h"
#include "log/embedded/list.h"
#include "log/embedded/segment.h"
#include "log/topic_config.h"

#include <stdio.h>

enum {
    FILE_MAX_BYTES = 1 << 30,
    SEGMENTS_MAX = 1 << 24,
    TOPICS_MAX = 1 << 20
};

struct topic {
    char *name; /* owned */
    struct wr_topic_id id;
    uint32_t partition_count;
    uint64_t index_interval_bytes;
};

struct survey {
    struct wr_vfs *vfs;
    const char *dir;
    int (*each)(void *arg, const struct wr_survey_partition *partition, struct weir_error *err);
    void *arg;
    struct topic *topics;
    size_t topic_count;
    size_t topic_cap;
    struct wr_survey_head head;
};

static void survey_fini(struct survey *s)
{
    for (size_t i = 0; i < s->topic_count; i++) {
        wr_free(s->topics[i].name);
    }
    wr_free(s->topics);
}

static void file_fini(struct wr_bytes *file)
{
    union {
        const uint8_t *in;
        uint8_t *own;
    } p = {.in = file->ptr};
    wr_free(p.own);
}

static void set_wrong(struct wr_survey_file *file, const struct weir_error *why)
{
    file->state = WR_SURVEY_WRONG;
    (void)snprintf(file->why, sizeof(file->why), "%s", why->text);
}

/* Read a file that may be missing. 1 when its bytes are in `out`; 0 with `file` saying why not. */
static int read_small(struct wr_vfs *vfs, const char *path, struct wr_survey_file *file,
                      struct wr_bytes *out, struct weir_error *err)
{
    *file = (struct wr_survey_file){.state = WR_SURVEY_GOOD};
    int rc = wr_vfs_read_file(vfs, path, FILE_MAX_BYTES, out, err);
    if (rc == WEIR_E_NOTFOUND) {
        file->state = WR_SURVEY_MISSING;
        return 0;
    }
    if (rc == WEIR_E_LIMIT) {
        set_wrong(file, err);
        return 0;
    }
    return rc == 0 ? 1 : rc;
}

/* What a decoder said of a file: damage is noted in `file`, anything else goes on as it is. */
static int judge(int rc, struct wr_survey_file *file, const struct weir_error *err)
{
    if (rc == WEIR_E_CORRUPT || rc == WEIR_E_LIMIT) {
        set_wrong(file, err);
        return 0;
    }
    return rc;
}

/* ---- catalog ------------------------------------------------------------------------------------------- */

/* Settings were checked when they were set; one that a later version knows changes nothing here. */
static uint64_t interval_of(const struct wr_topic_description *d)
{
    struct wr_topic_config config = wr_topic_config_default();
    for (size_t i = 0; i < d->setting_count; i++) {
        struct weir_error why;
        int rc = wr_topic_config_set(&config, d->settings[i].key, d->settings[i].value, &why);
        WR_UNUSED(rc);
    }
    return (uint64_t)config.index_interval_bytes;
}

static int add_topic(void *arg, const struct wr_topic_description *d, struct weir_error *err)
{
    struct survey *s = arg;
    char *name = wr_strdup(d->name);
    if (name == NULL ||
        !wr_grow(&s->topics, &s->topic_cap, s->topic_count + 1, sizeof(s->topics[0]), TOPICS_MAX)) {
        wr_free(name);
        return wr_fail(err, WEIR_E_NOMEM, "%zu topics", s->topic_count);
    }
    s->topics[s->topic_count] = (struct topic){name, d->id, d->partition_count, interval_of(d)};
    s->topic_count++;
    return 0;
}

static int read_catalog(struct survey *s, struct wr_bytes file, struct weir_error *err)
{
    uint64_t sequence = 0;
    int rc = wr_catalog_decode(file, &sequence, add_topic, s, err);
    return rc < 0 ? wr_wrap(err, "catalog") : 0;
}

static const struct topic *topic_of(const struct survey *s, const struct wr_topic_id *id)
{
    for (size_t i = 0; i < s->topic_count; i++) {
        if (memcmp(&s->topics[i].id, id, sizeof(*id)) == 0) {
            return &s->topics[i];
        }
    }
    return NULL;
}

/* ---- a partition ------------------------------------------------------------------------------------------ */

struct partition {
    struct wr_survey_partition p;
    struct survey *s;
    char folder[WR_PATH_BYTES];
    size_t segment_cap;
};

static void partition_fini(struct partition *part)
{
    wr_free(part->p.segments);
    wr_free(part->p.epochs);
}

static int add_segment(struct partition *part, const struct wr_survey_segment *segment,
                       struct weir_error *err)
{
    if (!wr_grow(&part->p.segments, &part->segment_cap, part->p.segment_count + 1,
                 sizeof(part->p.segments[0]), SEGMENTS_MAX)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu segments", part->p.segment_count);
    }
    part->p.segments[part->p.segment_count] = *segment;
    part->p.segment_count++;
    return 0;
}

static void path_in(const struct partition *part, const char *name, char *out)
{
    int n = snprintf(out, WR_PATH_BYTES, "%s/%s", part->folder, name);
    WR_ASSERT(n > 0);
}

/* The list speaks of those before the active one. Some may have gone since, with the log's start. */
static int take_list(struct partition *part, const struct wr_segment_info *list, size_t count,
                     int64_t active_base, struct weir_error *err)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct wr_survey_segment segment = {list[i].base, list[i].next, list[i].bytes, false};
        bool counts = list[i].base < active_base && list[i].next > part->p.log_start;
        rc = counts ? add_segment(part, &segment, err) : 0;
    }
    return rc;
}

static bool is_complete(const struct partition *part, int64_t active_base)
{
    const struct wr_survey_partition *p = &part->p;
    if (p->segment_count == 0) {
        return active_base <= p->log_start;
    }
    return p->segments[0].base <= p->log_start &&
           p->segments[p->segment_count - 1].next == active_base;
}

static int read_list(struct partition *part, int64_t active_base, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    WR_CLEANUP(file_fini) struct wr_bytes file = {NULL, 0};
    path_in(part, "segments", path);
    int rc = read_small(part->s->vfs, path, &part->p.list, &file, err);
    if (rc > 0) {
        struct wr_segment_info *list = NULL;
        size_t count = 0;
        rc = wr_list_decode(file, part->p.id, part->p.number, &list, &count, err);
        rc = rc == 0 ? take_list(part, list, count, active_base, err)
                     : judge(rc, &part->p.list, err);
        wr_free(list);
    }
    if (rc == 0 && part->p.list.state == WR_SURVEY_GOOD && !is_complete(part, active_base)) {
        (void)wr_fail(err, WEIR_E_CORRUPT,
                      "it does not reach from the log's start to the active segment");
        set_wrong(&part->p.list, err);
    }
    return rc;
}

struct listing {
    struct partition *part;
    int64_t active_base;
};

static int list_segment(void *arg, const struct wr_dir_entry *entry, struct weir_error *err)
{
    const struct listing *listing = arg;
    int64_t base = wr_segment_base_of(entry->name, ".log");
    struct wr_survey_segment segment = {base, -1, UINT64_MAX, false};
    bool counts = !entry->is_dir && base >= 0 && base < listing->active_base;
    return counts ? add_segment(listing->part, &segment, err) : 0;
}

static int by_base(const void *a, const void *b)
{
    const struct wr_survey_segment *x = a;
    const struct wr_survey_segment *y = b;
    return (x->base > y->base) - (x->base < y->base);
}

/* Without a list: the files that are there, each up to the next; what lies below the log's start goes. */
static int list_folder(struct partition *part, int64_t active_base, struct weir_error *err)
{
    struct listing listing = {part, active_base};
    struct wr_survey_partition *p = &part->p;
    p->segment_count = 0;
    int rc = wr_vfs_list(part->s->vfs, part->folder, list_segment, &listing, err);
    if (rc < 0) {
        return rc == WEIR_E_NOTFOUND ? 0 : rc;
    }
    if (p->segment_count > 1) {
        qsort(p->segments, p->segment_count, sizeof(p->segments[0]), by_base);
    }
    size_t first = 0;
    for (size_t i = 0; i < p->segment_count; i++) {
        p->segments[i].next = i + 1 < p->segment_count ? p->segments[i + 1].base : active_base;
        first += p->segments[i].next <= p->log_start ? 1 : 0;
    }
    p->segment_count -= first;
    memmove(p->segments, p->segments + first, p->segment_count * sizeof(p->segments[0]));
    return 0;
}

/* A partition that was never full has no list. */
static int find_segments(struct partition *part, const struct wr_segment_info *active,
                         struct weir_error *err)
{
    int rc = read_list(part, active->base, err);
    if (rc == 0 && part->p.list.state == WR_SURVEY_MISSING && active->base <= part->p.log_start) {
        part->p.list.state = WR_SURVEY_GOOD;
    }
    if (rc == 0 && part->p.list.state != WR_SURVEY_GOOD) {
        rc = list_folder(part, active->base, err);
    }
    struct wr_survey_segment last = {active->base, active->next, active->bytes, true};
    return rc == 0 ? add_segment(part, &last, err) : rc;
}

static int take_epochs(struct partition *part, const struct wr_epoch *lines, size_t count,
                       const struct wr_checkpoint_partition *from, struct weir_error *err)
{
    struct wr_epoch_start *epochs = wr_alloc_array(count + 1, sizeof(*epochs));
    if (epochs == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu leader epochs", count);
    }
    for (size_t i = 0; i < count; i++) {
        epochs[i] = (struct wr_epoch_start){lines[i].epoch, lines[i].start};
    }
    if (from->epoch >= 0 && (count == 0 || lines[count - 1].epoch < from->epoch)) {
        epochs[count] = (struct wr_epoch_start){from->epoch, from->epoch_start};
        count++;
    }
    part->p.epochs = epochs;
    part->p.epoch_count = count;
    return 0;
}

/* Lines that are wrong are not used: then no epoch is judged by them. */
static int find_epochs(struct partition *part, const struct wr_checkpoint_partition *from,
                       struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    WR_CLEANUP(file_fini) struct wr_bytes file = {NULL, 0};
    path_in(part, "leader-epoch-checkpoint", path);
    int rc = read_small(part->s->vfs, path, &part->p.lines, &file, err);
    if (part->p.lines.state == WR_SURVEY_MISSING && from->epoch < 0) {
        part->p.lines.state = WR_SURVEY_GOOD; /* nothing was ever appended */
    }
    if (rc <= 0) {
        return rc;
    }
    struct wr_epoch *lines = NULL;
    size_t count = 0;
    rc = judge(wr_epochs_decode(wr_str_of_bytes(file), &lines, &count, err), &part->p.lines, err);
    if (rc == 0 && part->p.lines.state == WR_SURVEY_GOOD) {
        rc = take_epochs(part, lines, count, from, err);
    }
    wr_free(lines);
    return rc;
}

static int find_metadata(struct partition *part, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_topic_id id = {{0}};
    WR_CLEANUP(file_fini) struct wr_bytes file = {NULL, 0};
    path_in(part, "partition.metadata", path);
    int rc = read_small(part->s->vfs, path, &part->p.metadata, &file, err);
    if (rc <= 0) {
        return rc;
    }
    if (!wr_metadata_read(wr_str_of_bytes(file), &id)) {
        (void)wr_fail(err, WEIR_E_CORRUPT, "it is not version 0 with a topic id");
        set_wrong(&part->p.metadata, err);
    } else if (memcmp(&id, &part->p.id, sizeof(id)) != 0) {
        (void)wr_fail(err, WEIR_E_CORRUPT, "it has the id of another topic");
        set_wrong(&part->p.metadata, err);
    }
    return 0;
}

static int see_partition(void *arg, const struct wr_checkpoint_partition *from,
                         struct weir_error *err)
{
    struct survey *s = arg;
    const struct topic *topic = topic_of(s, &from->topic);
    if (topic == NULL || from->partition >= topic->partition_count) {
        return wr_fail(err, WEIR_E_CORRUPT,
                       "the checkpoint has a partition that the catalog lacks");
    }
    s->head.partitions++;
    s->head.topics += from->partition == 0 ? 1 : 0;
    if (s->each == NULL) {
        return 0;
    }
    WR_CLEANUP(partition_fini) struct partition part = {.s = s};
    part.p = (struct wr_survey_partition){.topic = topic->name,
                                          .id = topic->id,
                                          .number = from->partition,
                                          .log_start = from->log_start,
                                          .end = from->end,
                                          .is_quarantined = from->is_quarantined,
                                          .index_interval_bytes = topic->index_interval_bytes};
    (void)snprintf(part.folder, sizeof(part.folder), "%s/%s-%u", s->dir, topic->name,
                   from->partition);
    int rc = find_segments(&part, &from->active, err);
    rc = rc == 0 ? find_epochs(&part, from, err) : rc;
    rc = rc == 0 ? find_metadata(&part, err) : rc;
    return rc == 0 ? s->each(s->arg, &part.p, err) : rc;
}

/* ---- all ---------------------------------------------------------------------------------------------------- */

static int read_root(const struct survey *s, const char *name, struct wr_bytes *out,
                     struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    struct wr_survey_file file;
    (void)snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    int rc = read_small(s->vfs, path, &file, out, err);
    return rc < 0 ? rc : 0;
}

/* The checkpoint of the higher count, of those that are whole. */
static int read_checkpoints(struct survey *s, struct weir_error *err)
{
    static const char *const names[] = {"checkpoint.0", "checkpoint.1"};
    WR_CLEANUP(file_fini) struct wr_bytes best = {NULL, 0};
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        WR_CLEANUP(file_fini) struct wr_bytes file = {NULL, 0};
        struct wr_checkpoint_head head;
        int rc = read_root(s, names[i], &file, err);
        rc = rc == 0 ? wr_checkpoint_decode(file, &head, NULL, NULL, err) : rc;
        if (rc < 0 && rc != WEIR_E_CORRUPT) {
            return rc;
        }
        if (rc == 0 && (best.ptr == NULL || head.count >= count)) {
            file_fini(&best);
            WR_MOVE(&best, &file);
            count = head.count;
        }
    }
    if (best.ptr == NULL) {
        return wr_fail(err, WEIR_E_CORRUPT, "'%s' has no checkpoint that is whole", s->dir);
    }
    return wr_checkpoint_decode(best, &s->head.checkpoint, see_partition, s, err);
}

int wr_survey(struct wr_vfs *vfs, const char *dir,
              int (*each)(void *arg, const struct wr_survey_partition *partition,
                          struct weir_error *err),
              void *arg, struct wr_survey_head *out, struct weir_error *err)
{
    WR_CLEANUP(survey_fini) struct survey s = {.vfs = vfs, .dir = dir, .each = each, .arg = arg};
    WR_CLEANUP(file_fini) struct wr_bytes catalog = {NULL, 0};
    int rc = read_root(&s, "catalog", &catalog, err);
    rc = rc == 0 ? read_catalog(&s, catalog, err) : rc;
    rc = rc == 0 ? read_checkpoints(&s, err) : rc;
    if (rc == 0) {
        *out = s.head;
    }
    return rc;
}

int wr_survey_file(struct wr_vfs *vfs, const char *dir, const char *name,
                   struct wr_survey_file *out, struct weir_error *err)
{
    char path[WR_PATH_BYTES];
    WR_CLEANUP(survey_fini) struct survey s = {0};
    WR_CLEANUP(file_fini) struct wr_bytes bytes = {NULL, 0};
    struct wr_checkpoint_head head;
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    int rc = read_small(vfs, path, out, &bytes, err);
    if (rc <= 0) {
        return rc;
    }
    rc = strcmp(name, "catalog") == 0 ? read_catalog(&s, bytes, err)
                                      : wr_checkpoint_decode(bytes, &head, NULL, NULL, err);
    return judge(rc, out, err);
}
