/* oracle.c - keeping account of what happens to a log. Judging it: oracle_judge.c. */
#include "crash/oracle.h"

#include <stdio.h>

struct oracle oracle_of(enum wr_durability durability)
{
    struct oracle o = {.durability = durability, .leader_epoch = -1};
    return o;
}

void oracle_fini(struct oracle *o)
{
    for (size_t i = 0; i < o->topic_count; i++) {
        for (size_t p = 0; p < ORACLE_PARTITIONS_MAX; p++) {
            wr_free(o->topics[i].seen[p].marks);
        }
    }
    wr_free(o->commits);
    wr_free(o->txns);
    *o = (struct oracle){0};
}

static void grow(void *array, size_t *cap, size_t count, size_t size)
{
    bool is_enough = wr_grow(array, cap, count + 1, size, SIZE_MAX / 1024);
    WR_ASSERT(is_enough);
}

size_t oracle_topic_asked(struct oracle *o, const char *name, uint32_t partitions,
                          bool has_retention)
{
    WR_ASSERT(o->topic_count < ORACLE_TOPICS_MAX);
    WR_ASSERT(partitions <= ORACLE_PARTITIONS_MAX);
    struct oracle_topic *t = &o->topics[o->topic_count];
    *t = (struct oracle_topic){.partitions = partitions, .has_retention = has_retention};
    (void)snprintf(t->name, sizeof(t->name), "%s", name);
    return o->topic_count++;
}

size_t oracle_txn_begin(struct oracle *o)
{
    grow(&o->txns, &o->txn_cap, o->txn_count, sizeof(*o->txns));
    o->txns[o->txn_count++] = (struct oracle_txn){0};
    return o->txn_count;
}

uint64_t oracle_commit_begin(struct oracle *o, enum oracle_kind kind, uint32_t writer, size_t txn)
{
    WR_ASSERT(writer < ORACLE_WRITERS_MAX);
    grow(&o->commits, &o->commit_cap, o->commit_count, sizeof(*o->commits));
    o->commits[o->commit_count++] =
        (struct oracle_commit){.kind = kind, .writer = writer, .txn = txn};
    uint64_t id = o->commit_count;
    if (kind == ORACLE_END_KEEP || kind == ORACLE_END_ABORT) {
        o->txns[txn - 1].end = id;
    }
    return id;
}

struct oracle_part *oracle_append(struct oracle *o, uint64_t id, size_t topic, uint32_t partition,
                                  uint32_t count, uint32_t value_len)
{
    struct oracle_commit *c = &o->commits[id - 1];
    WR_ASSERT(c->part_count < ORACLE_PARTS_MAX);
    struct oracle_part *part = &c->parts[c->part_count++];
    *part = (struct oracle_part){topic, partition, count, value_len, -1};
    if (c->kind == ORACLE_MARKED) {
        size_t bit = topic * ORACLE_PARTITIONS_MAX + partition;
        o->txns[c->txn - 1].touched[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    return part;
}

static void put_u64(uint8_t *at, uint64_t v)
{
    memcpy(at, &v, sizeof(v));
}

void oracle_value(uint64_t id, size_t part, uint32_t index, uint8_t *buf, size_t len)
{
    WR_ASSERT(len >= 16);
    put_u64(buf, id);
    put_u64(buf + 8, (uint64_t)part << 32 | index);
    struct wr_rng rng = wr_rng_of(id << 20 ^ part << 16 ^ index);
    wr_rng_bytes(&rng, buf + 16, len - 16);
}

/* Does it write to the topic? The end of a transaction does to each that the transaction has records in. */
static bool writes_to(const struct oracle *o, const struct oracle_commit *c, size_t topic)
{
    size_t i = 0;
    while (i < c->part_count && c->parts[i].topic != topic) {
        i++;
    }
    size_t bit = topic * ORACLE_PARTITIONS_MAX;
    uint64_t all = (UINT64_C(1) << ORACLE_PARTITIONS_MAX) - 1;
    bool is_touched = c->kind == ORACLE_END_KEEP &&
                      (o->txns[c->txn - 1].touched[bit / 64] >> bit % 64 & all) != 0;
    return i < c->part_count || is_touched;
}

static bool writes_where_topics_are(const struct oracle *o, const struct oracle_commit *c)
{
    size_t i = 0;
    while (i < o->topic_count && (o->topics[i].state == ORACLE_THERE || !writes_to(o, c, i))) {
        i++;
    }
    return i == o->topic_count;
}

void oracle_handed_over(struct oracle *o, uint64_t id)
{
    struct oracle_commit *c = &o->commits[id - 1];
    c->is_retried = c->state == ORACLE_HELD;
    c->state = ORACLE_HANDED;
    c->order = ++o->order;
    c->may_be_refused = c->may_be_refused || !writes_where_topics_are(o, c);
    for (size_t i = 0; i < o->commit_count; i++) {
        const struct oracle_commit *before = &o->commits[i];
        bool is_open = before->state == ORACLE_HANDED && before->writer == c->writer;
        c->may_be_refused = c->may_be_refused || (is_open && before->may_be_refused);
    }
}

void oracle_may_refuse(struct oracle *o)
{
    for (size_t i = 0; i < o->commit_count; i++) {
        struct oracle_commit *c = &o->commits[i];
        c->may_be_refused = c->may_be_refused || c->state == ORACLE_HANDED;
    }
}

void oracle_may_refuse_topic(struct oracle *o, size_t topic)
{
    for (size_t i = 0; i < o->commit_count; i++) {
        struct oracle_commit *first = &o->commits[i];
        bool is_meant = first->state == ORACLE_HANDED && writes_to(o, first, topic);
        for (size_t j = 0; j < o->commit_count && is_meant; j++) {
            struct oracle_commit *c = &o->commits[j];
            bool is_behind =
                c->state == ORACLE_HANDED && c->writer == first->writer && c->order >= first->order;
            c->may_be_refused = c->may_be_refused || is_behind;
        }
    }
}

static void note_offset(struct oracle *o, struct oracle_commit *c,
                        const struct wr_log_written *written)
{
    for (size_t i = 0; i < c->part_count; i++) {
        struct oracle_part *part = &c->parts[i];
        const struct oracle_topic *t = &o->topics[part->topic];
        if (part->partition == written->partition && strcmp(t->name, written->topic->name) == 0) {
            WR_ASSERT(written->record_count == part->count);
            part->base_offset = written->base_offset;
        }
    }
}

void oracle_acked(struct oracle *o, uint64_t id, const struct wr_log_answer *answer,
                  bool asked_sync)
{
    struct oracle_commit *c = &o->commits[id - 1];
    c->state = ORACLE_ACKED;
    WR_ASSERT(answer->written_count == c->part_count);
    for (size_t i = 0; i < answer->written_count; i++) {
        note_offset(o, c, &answer->written[i]);
    }
    if (c->kind == ORACLE_END_ABORT) {
        o->txns[c->txn - 1].is_aborted = true;
    }
    for (size_t i = 0; i < o->commit_count && asked_sync; i++) {
        struct oracle_commit *before = &o->commits[i];
        before->is_synced =
            before->is_synced || (before->state == ORACLE_ACKED && before->order <= c->order);
    }
}

/* A record as one number: never 0. */
static uint64_t mark_of(const struct wr_record *record)
{
    uint64_t id = 0;
    uint64_t place = 0;
    if (record->value.len >= 16) {
        memcpy(&id, record->value.ptr, sizeof(id));
        memcpy(&place, record->value.ptr + 8, sizeof(place));
    }
    return id << 24 | (place >> 32 & 0xff) << 16 | (place & 0xffff);
}

void oracle_saw(struct oracle *o, const struct wr_log_chunk *chunk)
{
    for (size_t i = 0; i < o->topic_count; i++) {
        struct oracle_topic *t = &o->topics[i];
        if (t->state == ORACLE_MAKING || memcmp(&t->id, &chunk->topic->id, sizeof(t->id)) != 0) {
            continue;
        }
        struct oracle_seen *seen = &t->seen[chunk->partition];
        for (size_t j = 0; j < chunk->count; j++) {
            size_t offset = (size_t)chunk->records[j].offset;
            grow(&seen->marks, &seen->cap, offset, sizeof(*seen->marks));
            seen->marks[offset] = mark_of(&chunk->records[j].record);
        }
    }
}

void oracle_stopped(struct oracle *o)
{
    o->is_clean = true;
    for (size_t i = 0; i < o->commit_count; i++) {
        o->commits[i].is_synced = true;
    }
}
