/* risk.c - reading the journal for what harm to it means. */
#include "crash/risk.h"

#include "log/embedded/journal.h"
#include "log/embedded/survey.h"

#include <stdio.h>

enum {
    HEAD_SAID = 40 /* bytes of a head, up to the sequence, by which what is left of it is known */
};

struct looking {
    const struct risk_range *range;
    struct risk risk;
    uint64_t proven_to;
    struct oracle *allowing;
};

/* Give the entries that count to `each`; none after a clean stop. */
static void scan(struct wr_vfs_sim *sim,
                 int (*each)(void *arg, const struct wr_journal_entry *entry,
                             struct weir_error *err),
                 struct looking *looking)
{
    struct weir_error err;
    struct wr_survey_head head;
    struct wr_journal_end end;
    struct wr_journal_visitor visitor = {.entry = each, .arg = looking};
    struct wr_vfs *vfs = wr_vfs_sim_vfs(sim);
    int rc = wr_survey(vfs, "log", NULL, NULL, &head, &err);
    WR_ASSERT(rc == 0);
    if (!head.checkpoint.was_clean) {
        rc = wr_journal_scan(vfs, "log/journal", &head.checkpoint.start, &visitor, &end, &err);
        WR_ASSERT(rc == 0);
    }
}

static bool is_harmed(const struct looking *l, const struct wr_journal_entry *e, uint64_t len)
{
    char path[40];
    (void)snprintf(path, sizeof(path), "log/journal/%u", e->place.file);
    return strcmp(path, l->range->path) == 0 && l->range->from < e->place.at + len &&
           e->place.at < l->range->to;
}

static uint64_t len_of(const struct wr_journal_entry *e)
{
    return (uint64_t)e->head_len + e->body_len;
}

static int note_proof(void *arg, const struct wr_journal_entry *e, struct weir_error *err)
{
    struct looking *l = arg;
    WR_UNUSED(err);
    bool is_seen = e->place.at % WR_JOURNAL_BLOCK == 0 && !is_harmed(l, e, len_of(e));
    l->proven_to = is_seen && e->synced > l->proven_to ? e->synced : l->proven_to;
    return 0;
}

static int note_harm(void *arg, const struct wr_journal_entry *e, struct weir_error *err)
{
    struct looking *l = arg;
    WR_UNUSED(err);
    if (!is_harmed(l, e, len_of(e))) {
        return 0;
    }
    l->risk.damaged_from = e->sequence < l->risk.damaged_from ? e->sequence : l->risk.damaged_from;
    if (e->sequence > l->proven_to && e->sequence < l->risk.cut_from) {
        l->risk.cut_from = e->sequence;
        l->risk.may_be_silent = l->range->to - l->range->from > 1 && is_harmed(l, e, HEAD_SAID);
    }
    return 0;
}

struct risk risk_of(struct wr_vfs_sim *sim, const struct risk_range *range)
{
    struct looking l = {.range = range, .risk = {UINT64_MAX, UINT64_MAX, false}};
    scan(sim, note_proof, &l);
    scan(sim, note_harm, &l);
    return l.risk;
}

/* ---- what is allowed ---- */

static struct oracle_topic *topic_of(struct oracle *o, const struct wr_topic_id *id)
{
    for (size_t i = 0; i < o->topic_count; i++) {
        struct oracle_topic *t = &o->topics[i];
        if (t->state != ORACLE_MAKING && memcmp(&t->id, id, sizeof(*id)) == 0) {
            return t;
        }
    }
    return NULL;
}

/* Does a part of the commit stand there? */
static bool stands_in(const struct oracle *o, const struct oracle_commit *c,
                      const struct oracle_topic *t, const struct wr_journal_part *part)
{
    for (size_t p = 0; p < c->part_count; p++) {
        const struct oracle_part *at = &c->parts[p];
        if (&o->topics[at->topic] == t && at->partition == part->partition &&
            at->base_offset >= part->base_offset && at->base_offset < part->next_offset) {
            return true;
        }
    }
    return false;
}

/* A commit that stands there may be gone, and whoever saw it will miss it. */
static void allow_gone(struct oracle *o, const struct oracle_topic *t,
                       const struct wr_journal_part *part)
{
    for (size_t i = 0; i < o->commit_count; i++) {
        struct oracle_commit *c = &o->commits[i];
        if (c->state == ORACLE_ACKED && stands_in(o, c, t, part)) {
            c->state = ORACLE_HANDED;
        }
    }
}

static void forget_seen(struct oracle_topic *t, uint32_t partition, int64_t from)
{
    struct oracle_seen *seen = &t->seen[partition];
    seen->cap = (size_t)from < seen->cap ? (size_t)from : seen->cap;
}

static void forget_seen_from(struct oracle *o, const struct oracle_commit *c)
{
    for (size_t p = 0; p < c->part_count; p++) {
        const struct oracle_part *part = &c->parts[p];
        int64_t from = part->base_offset < 0 ? 0 : part->base_offset; /* not answered: anywhere */
        forget_seen(&o->topics[part->topic], part->partition, from);
    }
}

/* The records of a transaction whose end may be gone: from its first on, a reader may be shown nothing. */
static void forget_seen_of(struct oracle *o, size_t txn)
{
    for (size_t i = 0; i < o->commit_count; i++) {
        const struct oracle_commit *c = &o->commits[i];
        if (c->kind == ORACLE_MARKED && c->txn == txn) {
            forget_seen_from(o, c);
        }
    }
}

/* The last commit that is surely there. */
static uint64_t last_order(const struct oracle *o)
{
    uint64_t last = 0;
    for (size_t i = 0; i < o->commit_count; i++) {
        const struct oracle_commit *c = &o->commits[i];
        bool is_there = c->state == ORACLE_ACKED && c->kind != ORACLE_END_ABORT && !c->is_retried;
        last = is_there && c->order > last ? c->order : last;
    }
    return last;
}

/* Ends that were kept and may be gone now, or were seen and never answered, and those of aborted ones: no record
 * says where one of these stands, but what follows it says that it is there. */
static void allow_undecided(struct oracle *o, const struct oracle *before)
{
    uint64_t last = last_order(o);
    for (size_t i = 0; i < o->commit_count; i++) {
        struct oracle_commit *c = &o->commits[i];
        bool is_abort = c->kind == ORACLE_END_ABORT && c->state == ORACLE_ACKED &&
                        (c->is_retried || c->order > last);
        c->state = is_abort ? ORACLE_HANDED : c->state;
        bool may_be_gone = c->state != before->commits[i].state || c->state == ORACLE_HANDED;
        if (may_be_gone && (is_abort || c->kind == ORACLE_END_KEEP)) {
            forget_seen_of(o, c->txn);
        }
    }
}

static void allow_part(struct looking *l, const struct wr_journal_part *part, bool may_be_cut)
{
    struct oracle_topic *t = topic_of(l->allowing, &part->topic);
    if (t == NULL) {
        return;
    }
    switch (part->kind) {
    case WR_PART_TOPIC:
    case WR_PART_DELETE: t->state = ORACLE_REMOVING; break;
    case WR_PART_START: t->log_start[part->partition] = 0; break;
    case WR_PART_BATCHES:
    case WR_PART_PLACED:
        if (may_be_cut) {
            allow_gone(l->allowing, t, part);
            forget_seen(t, part->partition, part->base_offset);
        }
        break;
    case WR_PART_ROLL: break;
    }
}

static int allow_entry(void *arg, const struct wr_journal_entry *e, struct weir_error *err)
{
    struct looking *l = arg;
    struct wr_journal_walk walk = {0};
    struct wr_journal_part part;
    if (e->sequence < l->risk.damaged_from) {
        return 0;
    }
    int rc = wr_journal_part_next(e, &walk, &part, err);
    while (rc > 0) {
        allow_part(l, &part, e->sequence >= l->risk.cut_from);
        rc = wr_journal_part_next(e, &walk, &part, err);
    }
    return rc;
}

struct oracle risk_allow(const struct oracle *o, struct wr_vfs_sim *sim, const struct risk *risk)
{
    struct oracle allowing = *o;
    struct looking l = {.risk = *risk, .allowing = &allowing};
    allowing.commits = wr_alloc_array(o->commit_count + 1, sizeof(*o->commits));
    WR_ASSERT(allowing.commits != NULL);
    memcpy(allowing.commits, o->commits, o->commit_count * sizeof(*o->commits));
    scan(sim, allow_entry, &l);
    if (risk->cut_from != UINT64_MAX) {
        allow_undecided(&allowing, o);
    }
    return allowing;
}

void risk_fini(struct oracle *allowing)
{
    wr_free(allowing->commits);
}
