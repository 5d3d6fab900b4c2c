/* rewrite.c - the live records of an internal topic, found by two walks over it. */
#include "log/embedded/rewrite.h"

#include "base/arena.h"
#include "log/embedded/engine.h"
#include "log/embedded/reader.h"
#include "log/embedded/segment.h"
#include "log/embedded/topics.h"

#include <inttypes.h>

enum {
    KEYS_BYTES_MAX = 64 * 1024 * 1024,
    KEYS_MAX = 1 << 21,
    LIVE_BYTES_MAX = 128 * 1024 * 1024,
    BATCH_BYTES = 1024 * 1024,
    SEGMENT_BYTES_MAX = 1 << 30 /* positions are 31 bits: then it rolls whatever it is */
};

/* ---- when ---- */

static bool is_rewritable(const struct wr_partition *p)
{
    return wr_topic_is_internal(p->topic->topic.name) &&
           (p->topic->config.cleanup & WR_CLEANUP_COMPACT) != 0;
}

bool wr_rewrite_wants(const struct wr_partition *p, uint64_t len)
{
    uint64_t size = p->write_segment->write_at + len;
    return is_rewritable(p) && size > (uint64_t)p->topic->config.segment_bytes &&
           size < SEGMENT_BYTES_MAX;
}

void wr_rewrite_ask(struct wr_embedded *e, struct wr_partition *p)
{
    bool is_early = p->write_segment->write_at < p->rewrite_bytes_min;
    if (!p->is_rewrite_asked && !is_early && p->transaction_count == 0) {
        p->is_rewrite_asked = true;
        p->rewrite_next = e->rewrite_first;
        e->rewrite_first = p;
        wr_topic_state_ref(p->topic);
    }
}

struct wr_partition *wr_rewrite_next(struct wr_embedded *e)
{
    struct wr_partition *p = e->rewrite_first;
    if (p != NULL) {
        e->rewrite_first = p->rewrite_next;
        p->is_rewrite_asked = false;
    }
    return p;
}

/* ---- the newest offset of each key ---- */

struct live_key {
    struct wr_bytes key;
    int64_t offset;
};

/* Open addressing, at most half full. */
struct live_keys {
    struct wr_arena arena; /* of the keys' bytes */
    struct live_key *slots;
    size_t slot_count;
    size_t count;
};

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash(struct wr_bytes key)
{
    uint64_t h = 0xcbf29ce484222325ULL;
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ key.ptr[i]) * 0x100000001b3ULL;
    }
    return h;
}

static struct live_key *find(const struct live_keys *keys, struct wr_bytes key)
{
    size_t i = (size_t)hash(key) & (keys->slot_count - 1);
    while (keys->slots[i].key.ptr != NULL && !wr_bytes_eq(keys->slots[i].key, key)) {
        i = (i + 1) & (keys->slot_count - 1);
    }
    return &keys->slots[i];
}

static bool grow(struct live_keys *keys)
{
    if (keys->slot_count > 2 * keys->count) {
        return true;
    }
    struct live_keys bigger = *keys;
    bigger.slot_count = keys->slot_count == 0 ? 1024 : keys->slot_count * 2;
    bigger.slots =
        keys->count > KEYS_MAX ? NULL : wr_alloc_array(bigger.slot_count, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < keys->slot_count; i++) {
        if (keys->slots[i].key.ptr != NULL) {
            *find(&bigger, keys->slots[i].key) = keys->slots[i];
        }
    }
    wr_free(keys->slots);
    *keys = bigger;
    return true;
}

static bool put(struct live_keys *keys, struct wr_bytes key, int64_t offset)
{
    if (!grow(keys)) {
        return false;
    }
    struct live_key *slot = find(keys, key);
    if (slot->key.ptr == NULL) {
        const char *copy = wr_arena_str(&keys->arena, wr_str_of_bytes(key));
        if (copy == NULL) {
            return false;
        }
        slot->key = (struct wr_bytes){(const uint8_t *)copy, key.len};
        keys->count++;
    }
    slot->offset = offset;
    return true;
}

/* ---- two walks ---- */

/* What a walk does with each record that a reader of committed records is shown. */
struct walk {
    struct wr_embedded *e;
    struct wr_partition *p;
    struct live_keys *keys;
    struct wr_commit_part *part; /* NULL: the first walk, which finds the keys */
};

static int close_batch(struct wr_commit_part *part, struct weir_error *err)
{
    struct wr_batch_stamp stamp = wr_batch_stamp_plain();
    return part->builder.record_count == 0 ? 0 : wr_commit_close_batch(part, &stamp, err);
}

static int keep(struct walk *walk, const struct wr_record *record, struct weir_error *err)
{
    struct wr_commit_part *part = walk->part;
    int rc = 0;
    if (wr_batch_builder_size(&part->builder) > BATCH_BYTES) {
        rc = close_batch(part, err);
    }
    if (rc == 0 && part->batches.len > LIVE_BYTES_MAX) {
        rc = wr_fail(err, WEIR_E_LIMIT, "more than %d bytes are live", LIVE_BYTES_MAX);
    }
    return rc == 0 ? wr_batch_append(&part->builder, record, record->timestamp_ms, err) : rc;
}

static int see(struct walk *walk, const struct wr_log_record *r, struct weir_error *err)
{
    if (r->record.key.ptr == NULL) {
        return 0; /* a record without a key has no place in such a topic */
    }
    if (walk->part == NULL) {
        return put(walk->keys, r->record.key, r->offset)
                   ? 0
                   : wr_fail(err, WEIR_E_LIMIT, "more than %d keys", KEYS_MAX);
    }
    bool is_live =
        find(walk->keys, r->record.key)->offset == r->offset && r->record.value.ptr != NULL;
    return is_live ? keep(walk, &r->record, err) : 0;
}

static int run(struct walk *walk, struct weir_error *err)
{
    struct wr_log_reader *reader = NULL;
    struct wr_log_reader_options options = {.isolation = WR_READ_COMMITTED};
    int rc = wr_embedded_reader_open(&walk->e->log, &options, &reader, err);
    if (rc < 0) {
        return rc;
    }
    rc = wr_embedded_reader_assign(reader, &walk->p->topic->topic, walk->p->number,
                                   WR_OFFSET_EARLIEST, err);
    struct wr_log_chunk chunk = {.kind = WR_POLL_RECORDS};
    while (rc == 0 && chunk.kind == WR_POLL_RECORDS) {
        rc = wr_embedded_reader_poll(reader, 0, &chunk, err);
        for (size_t i = 0; rc == 0 && i < chunk.count; i++) {
            rc = see(walk, &chunk.records[i], err);
        }
    }
    wr_embedded_reader_close(reader);
    return rc;
}

/* ---- the commit ---- */

static int fill(struct wr_embedded *e, struct wr_partition *p, struct wr_commit *c,
                struct live_keys *keys, struct weir_error *err)
{
    struct walk walk = {e, p, keys, NULL};
    int rc = run(&walk, err);
    if (rc < 0 || !grow(keys)) { /* find() needs a slot, also when there is no key */
        return rc < 0 ? rc : wr_fail(err, WEIR_E_NOMEM, "the keys of a topic");
    }
    walk.part = wr_commit_part(c, p->topic, p->number, INT32_MAX);
    if (walk.part == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a commit");
    }
    rc = run(&walk, err);
    rc = rc == 0 ? close_batch(walk.part, err) : rc;
    walk.part->data = walk.part->batches.base;
    walk.part->len = walk.part->batches.len;
    walk.part->must_roll = true;
    if (rc == 0 && walk.part->len == 0) { /* nothing is live: an empty segment */
        walk.part->kind = WR_PART_ROLL;
    }
    struct wr_commit_part *start = wr_commit_other(c, WR_PART_START, p->topic, p->number);
    if (start == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a commit");
    }
    start->is_at_next = true;
    return rc;
}

struct wr_commit *wr_rewrite_commit(struct wr_embedded *e, struct wr_partition *p)
{
    struct wr_commit *c = wr_commit_new(NULL);
    struct live_keys keys = {.arena = wr_arena_of(KEYS_BYTES_MAX)};
    struct weir_error err;
    int rc = c == NULL ? wr_fail(&err, WEIR_E_NOMEM, "a commit") : fill(e, p, c, &keys, &err);
    wr_arena_fini(&keys.arena);
    wr_free(keys.slots);
    if (rc < 0) {
        wr_embedded_notice(e, WR_WARN, "'%s' keeps old records: %s", p->topic->topic.name,
                           err.text);
        p->rewrite_bytes_min = 2 * p->write_segment->write_at;
        wr_commit_free(c);
        return NULL;
    }
    return c;
}

void wr_rewrite_done(struct wr_embedded *e, struct wr_partition *p, const struct wr_commit *c)
{
    WR_UNUSED(e);
    uint64_t segment_bytes = (uint64_t)p->topic->config.segment_bytes;
    /* What is live now is no reason to do it again. */
    p->rewrite_bytes_min = c->outcome == WR_COMMIT_DONE
                               ? 2 * p->write_segment->write_at
                               : p->write_segment->write_at + segment_bytes / 4;
}
