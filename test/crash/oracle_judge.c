/*
 * oracle_judge.c - reading a whole log back and holding it against what the oracle knows.
 *
 * First the log is read into a `view`: for each partition, which record stands at which offset, and whether
 * a reader of committed records is shown it. Then come the rules, each a function that gives a reason.
 */
#include "crash/oracle.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A record at an offset. */
struct ref {
    uint64_t id; /* of its commit; 0: nothing is shown here (a marker, or a gap) */
    uint32_t part;
    uint32_t index;
    bool is_shown; /* to readers of committed records */
};

struct shelf {
    struct wr_partition_info info;
    struct ref *refs; /* from info.log_start on */
    size_t count;
    bool is_damaged; /* and that is allowed */
};

struct view {
    const struct oracle *o;
    bool is_there[ORACLE_TOPICS_MAX]; /* topics of the oracle that the log has */
    struct wr_topic_id ids[ORACLE_TOPICS_MAX];
    struct shelf shelves[ORACLE_TOPICS_MAX][ORACLE_PARTITIONS_MAX];
    uint32_t *counts; /* by id and part: how often its first record that is left is there */
    enum wr_sim_loss loss;
    bool may_be_damaged;
    uint32_t damaged;
    char *why;
};

static bool wrong(const struct view *v, const char *fmt, ...) WR_PRINTF(2, 3);

/* Keep the reason. Always false. */
static bool wrong(const struct view *v, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(v->why, ORACLE_WHY_MAX, fmt, args);
    va_end(args);
    return false;
}

static void view_fini(struct view *v)
{
    for (size_t t = 0; t < ORACLE_TOPICS_MAX; t++) {
        for (size_t p = 0; p < ORACLE_PARTITIONS_MAX; p++) {
            wr_free(v->shelves[t][p].refs);
        }
    }
    wr_free(v->counts);
    wr_free(v);
}

/* ---- reading ---------------------------------------------------------------------------------------- */

/* Which record it is, when its bytes are those that were written. */
static bool parse(struct view *v, const struct wr_log_record *r, struct ref *out)
{
    const struct wr_bytes value = r->record.value;
    uint64_t place = 0;
    if (value.len < 16) {
        return wrong(v, "offset %" PRId64 ": a value of %zu bytes", r->offset, value.len);
    }
    memcpy(&out->id, value.ptr, 8);
    memcpy(&place, value.ptr + 8, 8);
    out->part = (uint32_t)(place >> 32);
    out->index = (uint32_t)place;
    if (out->id == 0 || out->id > v->o->commit_count ||
        out->part >= v->o->commits[out->id - 1].part_count) {
        return wrong(v, "offset %" PRId64 ": nobody wrote commit %" PRIu64, r->offset, out->id);
    }
    const struct oracle_part *part = &v->o->commits[out->id - 1].parts[out->part];
    uint8_t *expected = wr_alloc_array(part->value_len, 1);
    WR_ASSERT(expected != NULL);
    oracle_value(out->id, out->part, out->index, expected, part->value_len);
    bool is_same = out->index < part->count &&
                   wr_bytes_eq(value, (struct wr_bytes){expected, part->value_len});
    wr_free(expected);
    return is_same || wrong(v, "offset %" PRId64 ": not the bytes of commit %" PRIu64 " part %u",
                            r->offset, out->id, out->part);
}

static bool keep_chunk(struct view *v, struct shelf *shelf, const struct wr_log_chunk *chunk,
                       bool is_committed)
{
    for (size_t i = 0; i < chunk->count; i++) {
        struct ref ref = {0};
        if (!parse(v, &chunk->records[i], &ref)) {
            return false;
        }
        int64_t at = chunk->records[i].offset - shelf->info.log_start;
        if (at < 0 || (size_t)at >= shelf->count) {
            return wrong(v, "offset %" PRId64 " lies outside the log", chunk->records[i].offset);
        }
        struct ref *kept = &shelf->refs[at];
        if (is_committed && (kept->id != ref.id || kept->index != ref.index)) {
            return wrong(v, "offset %" PRId64 " differs for readers of committed records",
                         chunk->records[i].offset);
        }
        ref.is_shown = is_committed;
        *kept = ref;
    }
    return true;
}

/* Read a partition to its end as this isolation sees it. */
static bool read_partition(struct view *v, struct wr_log *log, struct wr_log_topic *topic,
                           uint32_t partition, struct shelf *shelf, bool is_committed)
{
    struct weir_error err;
    struct wr_log_reader *r = NULL;
    struct wr_log_reader_options options = {
        .isolation = is_committed ? WR_READ_COMMITTED : WR_READ_UNCOMMITTED,
    };
    int64_t end = is_committed ? shelf->info.last_stable : shelf->info.high_watermark;
    int64_t next = shelf->info.log_start;
    int32_t epoch = -1;
    int rc = wr_log_reader_open(log, &options, &r, &err);
    rc = rc < 0 ? rc : wr_log_reader_assign(r, topic, partition, WR_OFFSET_EARLIEST, &err);
    bool is_good = rc == 0;
    while (is_good && next < end) {
        struct wr_log_chunk chunk;
        rc = wr_log_reader_poll(r, 0, &chunk, &err);
        is_good =
            rc == 0 && chunk.kind == WR_POLL_RECORDS && keep_chunk(v, shelf, &chunk, is_committed);
        if (rc == 0 && chunk.kind != WR_POLL_RECORDS) {
            (void)wrong(v, "%s/%u ends at %" PRId64 ", not at %" PRId64, topic->name, partition,
                        next, end);
        } else if (is_good && (chunk.next_offset <= next || chunk.leader_epoch < epoch)) {
            is_good = wrong(v, "%s/%u goes back at %" PRId64, topic->name, partition, next);
        }
        if (is_good) {
            next = chunk.next_offset;
            epoch = chunk.leader_epoch;
        }
    }
    wr_log_reader_close(r);
    if (rc == WEIR_E_DAMAGED && v->may_be_damaged) {
        shelf->is_damaged = true;
        return true;
    }
    return rc == 0 ? is_good
                   : wrong(v, "%s/%u at %" PRId64 ": %s", topic->name, partition, next, err.text);
}

static bool read_shelf(struct view *v, struct wr_log *log, struct wr_log_topic *topic,
                       uint32_t partition, struct shelf *shelf)
{
    struct weir_error err;
    if (wr_log_partition_info(log, topic, partition, &shelf->info, &err) < 0) {
        return wrong(v, "%s/%u: %s", topic->name, partition, err.text);
    }
    const struct wr_partition_info *i = &shelf->info;
    shelf->is_damaged = i->is_damaged;
    if (i->is_damaged && !v->may_be_damaged) {
        return wrong(v, "%s/%u is damaged", topic->name, partition);
    }
    if (i->log_start < 0 || i->last_stable < i->log_start || i->high_watermark < i->last_stable) {
        return wrong(v, "%s/%u has %" PRId64 " .. %" PRId64 " .. %" PRId64, topic->name, partition,
                     i->log_start, i->last_stable, i->high_watermark);
    }
    shelf->count = (size_t)(i->high_watermark - i->log_start);
    shelf->refs = wr_alloc_array(shelf->count + 1, sizeof(*shelf->refs));
    WR_ASSERT(shelf->refs != NULL);
    bool is_good = read_partition(v, log, topic, partition, shelf, false) &&
                   read_partition(v, log, topic, partition, shelf, true);
    v->damaged += shelf->is_damaged ? 1 : 0;
    return is_good;
}

/* The oracle's topic that this is; topic_count when it knows none. */
static size_t topic_index(const struct oracle *o, const struct wr_log_topic *topic)
{
    for (size_t i = 0; i < o->topic_count; i++) {
        if (o->topics[i].state != ORACLE_MAKING &&
            memcmp(&o->topics[i].id, &topic->id, sizeof(topic->id)) == 0) {
            return i;
        }
    }
    for (size_t i = 0; i < o->topic_count; i++) {
        if (o->topics[i].state == ORACLE_MAKING && strcmp(o->topics[i].name, topic->name) == 0) {
            return i;
        }
    }
    return o->topic_count;
}

struct listing {
    struct view *view;
    bool is_good;
};

/* How often the first record of a part that is still there stands in its partition. */
static void count_parts(struct view *v, const struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++) {
        const struct ref *ref = &shelf->refs[i];
        if (ref->id > 0 && (ref->index == 0 || i == 0)) {
            v->counts[(ref->id - 1) * ORACLE_PARTS_MAX + ref->part]++;
        }
    }
}

static int read_topic(void *arg, struct wr_log_topic *topic, struct weir_error *err)
{
    struct listing *listing = arg;
    struct view *v = listing->view;
    size_t i = topic_index(v->o, topic);
    if (i == v->o->topic_count || v->o->topics[i].state == ORACLE_GONE ||
        strcmp(v->o->topics[i].name, topic->name) != 0 ||
        v->o->topics[i].partitions != topic->partition_count) {
        listing->is_good = wrong(v, "topic '%s' should not be there", topic->name);
        return wr_fail(err, WEIR_E_STOPPED, "found a reason");
    }
    v->is_there[i] = true;
    v->ids[i] = topic->id;
    for (uint32_t p = 0; p < topic->partition_count && listing->is_good; p++) {
        listing->is_good = read_shelf(v, topic->log, topic, p, &v->shelves[i][p]);
        if (listing->is_good) {
            count_parts(v, &v->shelves[i][p]);
        }
    }
    return listing->is_good ? 0 : wr_fail(err, WEIR_E_STOPPED, "found a reason");
}

static bool read_all(struct view *v, struct wr_log *log)
{
    struct weir_error err;
    struct listing listing = {v, true};
    int rc = wr_log_topic_list(log, read_topic, &listing, &err);
    if (rc < 0 && rc != WEIR_E_STOPPED) {
        return wrong(v, "list of topics: %s", err.text);
    }
    for (size_t i = 0; i < v->o->topic_count && listing.is_good; i++) {
        if (v->o->topics[i].state == ORACLE_THERE && !v->is_there[i]) {
            return wrong(v, "topic '%s' is lost", v->o->topics[i].name);
        }
    }
    return listing.is_good;
}

/* ---- rules ------------------------------------------------------------------------------------------- */

static const struct shelf *shelf_of(const struct view *v, const struct oracle_part *part)
{
    return &v->shelves[part->topic][part->partition];
}

/* Records of one part stand side by side, in order, once; and where the answer said. */
static bool is_part_whole(const struct view *v, size_t topic, uint32_t partition, size_t at)
{
    const struct shelf *shelf = &v->shelves[topic][partition];
    const struct ref *ref = &shelf->refs[at];
    const struct oracle_commit *c = &v->o->commits[ref->id - 1];
    const struct oracle_part *part = &c->parts[ref->part];
    int64_t offset = shelf->info.log_start + (int64_t)at;
    const char *name = v->o->topics[topic].name;
    if (part->topic != topic || part->partition != partition) {
        return wrong(v, "%s/%u has offset %" PRId64 " of another partition", name, partition,
                     offset);
    }
    if (c->state == ORACLE_ACKED && part->base_offset + ref->index != offset) {
        return wrong(v, "%s/%u: commit %" PRIu64 " was at %" PRId64 ", is at %" PRId64, name,
                     partition, ref->id, part->base_offset, offset - ref->index);
    }
    if (c->state == ORACLE_DROPPED || c->state == ORACLE_HELD || c->state == ORACLE_FILLING) {
        return wrong(v, "%s/%u: commit %" PRIu64 " is there and was not done", name, partition,
                     ref->id);
    }
    bool has_before =
        ref->index == 0 || at == 0 ||
        (ref[-1].id == ref->id && ref[-1].part == ref->part && ref[-1].index == ref->index - 1);
    bool has_after = ref->index + 1 == part->count ||
                     (at + 1 < shelf->count && ref[1].id == ref->id && ref[1].part == ref->part &&
                      ref[1].index == ref->index + 1);
    return (has_before && has_after) ||
           wrong(v, "%s/%u: commit %" PRIu64 " is torn at offset %" PRId64, name, partition,
                 ref->id, offset);
}

/* Can it not be told whether the part was there? Its topic is gone, or its start was removed. */
static bool is_excused(const struct view *v, const struct oracle_part *part)
{
    if (!v->is_there[part->topic] || shelf_of(v, part)->is_damaged) {
        return true;
    }
    int64_t start = shelf_of(v, part)->info.log_start;
    return v->o->topics[part->topic].has_retention && start > 0 &&
           (part->base_offset < 0 || part->base_offset + part->count <= start);
}

static bool must_be_there(const struct view *v, const struct oracle_commit *c)
{
    return c->state == ORACLE_ACKED &&
           (v->loss == WR_SIM_LOSS_ALL || v->o->durability == WR_DURABILITY_FSYNC || c->is_synced);
}

enum presence {
    UNKNOWN, /* no part can tell */
    PRESENT,
    ABSENT
};

/* Is the commit there, whole? */
static bool find_commit(const struct view *v, uint64_t id, enum presence *out)
{
    const struct oracle_commit *c = &v->o->commits[id - 1];
    *out = UNKNOWN;
    for (uint32_t p = 0; p < c->part_count; p++) {
        if (is_excused(v, &c->parts[p])) {
            continue;
        }
        uint32_t count = v->counts[(id - 1) * ORACLE_PARTS_MAX + p];
        if (count > 1) {
            return wrong(v, "commit %" PRIu64 " is there %u times", id, count);
        }
        enum presence here = count == 1 ? PRESENT : ABSENT;
        if (*out != UNKNOWN && *out != here) {
            return wrong(v, "commit %" PRIu64 " is in some of its partitions only (part %u is %s)",
                         id, p, here == PRESENT ? "there" : "not");
        }
        *out = here;
    }
    return *out != ABSENT || !must_be_there(v, c) ||
           wrong(v, "commit %" PRIu64 " was acknowledged and is lost", id);
}

/* Which commits are there, and the first by order that is not: of each writer, and of all. */
struct presences {
    enum presence *of;                             /* by id - 1 */
    uint64_t first_absent[ORACLE_WRITERS_MAX + 1]; /* id; 0: none */
};

enum {
    OF_ALL = ORACLE_WRITERS_MAX
};

static void note_absent(const struct view *v, struct presences *all, size_t of, uint64_t id)
{
    uint64_t first = all->first_absent[of];
    if (first == 0 || v->o->commits[id - 1].order < v->o->commits[first - 1].order) {
        all->first_absent[of] = id;
    }
}

/* Of one writer, none is done behind one that is not. Of all, neither; but one that was not answered may have
 * been refused while those of others went on. */
static bool find_all(const struct view *v, struct presences *all)
{
    for (uint64_t id = 1; id <= v->o->commit_count; id++) {
        const struct oracle_commit *c = &v->o->commits[id - 1];
        if (!find_commit(v, id, &all->of[id - 1])) {
            return false;
        }
        bool counts = c->state == ORACLE_ACKED || c->state == ORACLE_HANDED;
        if (counts && all->of[id - 1] == ABSENT) {
            note_absent(v, all, c->writer, id);
        }
        counts = counts && !c->is_retried && (c->state == ORACLE_ACKED || !c->may_be_refused);
        if (counts && all->of[id - 1] == ABSENT) {
            note_absent(v, all, OF_ALL, id);
        }
    }
    return true;
}

static bool is_before(const struct view *v, uint64_t id, uint64_t absent)
{
    const struct oracle_commit *c = &v->o->commits[id - 1];
    return absent == 0 || c->order < v->o->commits[absent - 1].order ||
           wrong(v, "commit %" PRIu64 " is there, %" PRIu64 " before it is not", id, absent);
}

/* Nothing is there behind a commit that is not. */
static bool is_prefix(const struct view *v, const struct presences *all)
{
    bool is_good = true;
    for (uint64_t id = 1; id <= v->o->commit_count && is_good; id++) {
        const struct oracle_commit *c = &v->o->commits[id - 1];
        is_good = all->of[id - 1] != PRESENT ||
                  (is_before(v, id, all->first_absent[c->writer]) &&
                   (c->is_retried || is_before(v, id, all->first_absent[OF_ALL])));
    }
    return is_good;
}

/* ---- marked transactions ---- */

/* Is it known to be kept, or that it may still be open? */
static bool is_kept(const struct view *v, const struct presences *all, size_t txn)
{
    WR_UNUSED(v);
    uint64_t end = v->o->txns[txn - 1].end;
    return end > 0 && v->o->commits[end - 1].kind == ORACLE_END_KEEP && all->of[end - 1] == PRESENT;
}

static bool may_be_open(const struct view *v, const struct presences *all, size_t txn)
{
    const struct oracle_txn *t = &v->o->txns[txn - 1];
    if (is_kept(v, all, txn)) {
        return false;
    }
    bool is_ended = t->is_aborted && t->end > 0 && must_be_there(v, &v->o->commits[t->end - 1]);
    return !is_ended;
}

/* Is it not known how it ended, since its end stands where the log is damaged? */
static bool is_unclear(const struct view *v, const struct presences *all, size_t txn)
{
    uint64_t end = v->o->txns[txn - 1].end;
    return end > 0 && v->o->commits[end - 1].kind == ORACLE_END_KEEP && all->of[end - 1] == UNKNOWN;
}

static bool check_shown(const struct view *v, const struct presences *all, size_t topic,
                        uint32_t partition)
{
    const struct shelf *shelf = &v->shelves[topic][partition];
    const char *name = v->o->topics[topic].name;
    for (size_t i = 0; i < shelf->count; i++) {
        const struct ref *ref = &shelf->refs[i];
        if (ref->id == 0) {
            continue;
        }
        int64_t offset = shelf->info.log_start + (int64_t)i;
        const struct oracle_commit *c = &v->o->commits[ref->id - 1];
        bool is_marked = c->kind == ORACLE_MARKED;
        if (is_marked && is_unclear(v, all, c->txn)) {
            continue;
        }
        bool should = offset < shelf->info.last_stable && (!is_marked || is_kept(v, all, c->txn));
        if (should != ref->is_shown) {
            return wrong(v, "%s/%u: offset %" PRId64 " of commit %" PRIu64 " is %s", name,
                         partition, offset, ref->id, should ? "hidden" : "shown");
        }
        if (offset == shelf->info.last_stable && !(is_marked && may_be_open(v, all, c->txn))) {
            return wrong(v, "%s/%u: readers wait at offset %" PRId64 " of commit %" PRIu64, name,
                         partition, offset, ref->id);
        }
    }
    return true;
}

/* Offsets at which nothing stands are ends of marked transactions: at most one for each that has records
 * in the partition. Behind records that are gone with the start there may be one more for each. */
static bool check_gaps(const struct view *v, size_t topic, uint32_t partition)
{
    const struct shelf *shelf = &v->shelves[topic][partition];
    size_t bit = topic * ORACLE_PARTITIONS_MAX + partition;
    size_t gaps = 0;
    size_t txns = 0;
    for (size_t i = 0; i < shelf->count; i++) {
        gaps += shelf->refs[i].id == 0 ? 1 : 0;
    }
    for (size_t t = 0; t < v->o->txn_count; t++) {
        txns += v->o->txns[t].touched[bit / 64] >> bit % 64 & 1;
    }
    return gaps <= txns || wrong(v, "%s/%u has %zu offsets without a record, %zu transactions",
                                 v->o->topics[topic].name, partition, gaps, txns);
}

/* ---- readers ---- */

static uint64_t mark_of(const struct ref *ref)
{
    return ref->id << 24 | (uint64_t)(ref->part & 0xff) << 16 | (ref->index & 0xffff);
}

/* What a reader saw is still there, the same. Only fsync promises it through a power loss. */
static bool check_seen(const struct view *v, size_t topic, uint32_t partition)
{
    const struct shelf *shelf = &v->shelves[topic][partition];
    const struct oracle_seen *seen = &v->o->topics[topic].seen[partition];
    if (v->loss != WR_SIM_LOSS_ALL && v->o->durability != WR_DURABILITY_FSYNC) {
        return true;
    }
    for (size_t offset = (size_t)shelf->info.log_start; offset < seen->cap; offset++) {
        size_t at = offset - (size_t)shelf->info.log_start;
        if (seen->marks[offset] == 0) {
            continue;
        }
        if (at >= shelf->count || mark_of(&shelf->refs[at]) != seen->marks[offset] ||
            !shelf->refs[at].is_shown) {
            return wrong(v, "%s/%u: a reader saw offset %zu, and it is gone",
                         v->o->topics[topic].name, partition, offset);
        }
    }
    return true;
}

static bool check_partition(const struct view *v, const struct presences *all, size_t topic,
                            uint32_t partition)
{
    const struct shelf *shelf = &v->shelves[topic][partition];
    const struct oracle_topic *t = &v->o->topics[topic];
    bool is_good = true;
    if (shelf->is_damaged) {
        return true;
    }
    for (size_t i = 0; i < shelf->count && is_good; i++) {
        is_good = shelf->refs[i].id == 0 || is_part_whole(v, topic, partition, i);
    }
    if (is_good && !t->has_retention && shelf->info.log_start != 0) {
        return wrong(v, "%s/%u starts at %" PRId64, t->name, partition, shelf->info.log_start);
    }
    if (is_good && shelf->info.log_start < t->log_start[partition]) {
        return wrong(v, "%s/%u starts at %" PRId64 " again, it was at %" PRId64, t->name, partition,
                     shelf->info.log_start, t->log_start[partition]);
    }
    if (is_good && v->o->leader_epoch >= 0 && shelf->info.leader_epoch < v->o->leader_epoch) {
        return wrong(v, "%s/%u is in epoch %d, it was in %d", t->name, partition,
                     shelf->info.leader_epoch, v->o->leader_epoch);
    }
    return is_good && check_gaps(v, topic, partition) && check_seen(v, topic, partition) &&
           check_shown(v, all, topic, partition);
}

static bool check_all(const struct view *v, struct presences *all)
{
    bool is_good = find_all(v, all) && is_prefix(v, all);
    for (size_t t = 0; t < v->o->topic_count && is_good; t++) {
        for (uint32_t p = 0; p < v->o->topics[t].partitions && is_good && v->is_there[t]; p++) {
            is_good = check_partition(v, all, t, p);
        }
    }
    return is_good;
}

static struct view *view_new(const struct oracle *o, enum wr_sim_loss loss, char *why)
{
    struct view *v = wr_alloc_array(1, sizeof(*v));
    WR_ASSERT(v != NULL);
    v->o = o;
    v->loss = loss;
    v->why = why;
    v->counts = wr_alloc_array((o->commit_count + 1) * ORACLE_PARTS_MAX, sizeof(*v->counts));
    WR_ASSERT(v->counts != NULL);
    return v;
}

static bool judge(struct view *v, struct wr_log *log)
{
    struct presences all = {.of = wr_alloc_array(v->o->commit_count + 1, sizeof(*all.of))};
    WR_ASSERT(all.of != NULL);
    bool is_good = read_all(v, log) && check_all(v, &all);
    wr_free(all.of);
    return is_good;
}

bool oracle_judge(const struct oracle *o, struct wr_log *log, enum wr_sim_loss loss,
                  char why[ORACLE_WHY_MAX])
{
    struct view *v = view_new(o, loss, why);
    bool is_good = judge(v, log);
    view_fini(v);
    return is_good;
}

bool oracle_judge_damaged(const struct oracle *o, struct wr_log *log, enum wr_sim_loss loss,
                          uint32_t *damaged, char why[ORACLE_WHY_MAX])
{
    struct view *v = view_new(o, loss, why);
    v->may_be_damaged = true;
    bool is_good = judge(v, log);
    *damaged = v->damaged;
    view_fini(v);
    return is_good;
}

/* ---- after a crash ------------------------------------------------------------------------------------- */

/* Where a part stands; where it stood before when it is there no more. */
static int64_t base_of(const struct view *v, uint64_t id, uint32_t part)
{
    const struct oracle_part *p = &v->o->commits[id - 1].parts[part];
    const struct shelf *shelf = shelf_of(v, p);
    int64_t base = p->base_offset;
    for (size_t i = 0; i < shelf->count; i++) {
        const struct ref *ref = &shelf->refs[i];
        bool is_it = ref->id == id && ref->part == part;
        base = is_it ? shelf->info.log_start + (int64_t)i - ref->index : base;
    }
    return base;
}

static void settle_commit(struct oracle *o, const struct view *v, uint64_t id)
{
    struct oracle_commit *c = &o->commits[id - 1];
    enum presence presence = UNKNOWN;
    bool is_good = find_commit(v, id, &presence);
    WR_ASSERT(is_good);
    if (c->state == ORACLE_FILLING || c->state == ORACLE_HELD || presence == ABSENT) {
        c->state = ORACLE_DROPPED;
    } else if (presence == PRESENT) {
        c->state = ORACLE_ACKED;
        c->is_synced = c->is_synced || v->loss != WR_SIM_LOSS_ALL;
    } else if (c->state == ORACLE_HANDED) {
        c->state = ORACLE_MAYBE; /* it has no record by which one could tell */
    }
    for (uint32_t p = 0; p < c->part_count && presence == PRESENT; p++) {
        c->parts[p].base_offset = base_of(v, id, p);
    }
}

static void settle_topic(struct oracle *o, const struct view *v, size_t index)
{
    struct oracle_topic *topic = &o->topics[index];
    topic->state = v->is_there[index] ? ORACLE_THERE : ORACLE_GONE;
    topic->id = v->is_there[index] ? v->ids[index] : topic->id;
    for (uint32_t p = 0; p < topic->partitions && v->is_there[index]; p++) {
        topic->log_start[p] = v->shelves[index][p].info.log_start;
        o->leader_epoch = v->shelves[index][p].info.leader_epoch;
        if (o->durability != WR_DURABILITY_FSYNC && v->loss != WR_SIM_LOSS_ALL) {
            /* what was seen may be gone, and its offsets mean something else from now on */
            wr_free(topic->seen[p].marks);
            topic->seen[p] = (struct oracle_seen){0};
        }
    }
}

static void settle_all(struct oracle *o, const struct view *v)
{
    for (uint64_t id = 1; id <= o->commit_count; id++) {
        settle_commit(o, v, id);
    }
    for (size_t t = 0; t < o->txn_count; t++) {
        uint64_t end = o->txns[t].end;
        bool is_ended = end > 0 && o->commits[end - 1].state == ORACLE_ACKED;
        o->txns[t].is_abandoned = !is_ended;
    }
    for (size_t t = 0; t < o->topic_count; t++) {
        settle_topic(o, v, t);
    }
}

bool oracle_settle(struct oracle *o, struct wr_log *log, enum wr_sim_loss loss,
                   char why[ORACLE_WHY_MAX])
{
    struct view *v = view_new(o, loss, why);
    bool is_good = read_all(v, log);
    if (is_good) {
        settle_all(o, v);
    }
    view_fini(v);
    return is_good;
}
