/* memory_variants.c - the model under the contract. */
#include "contract/log_fixture.h"

#include "log/memory.h"

static void memory_open(struct fixture *f)
{
    f->log = wr_memory_log_open(NULL);
}

static void memory_fill(struct fixture *f, bool is_full)
{
    /* One commit meets the full disk; the retry finds room. */
    if (is_full) {
        wr_memory_log_next_outcome(f->log, WR_MEMORY_AGAIN);
    }
}

static void memory_expire(struct fixture *f, struct wr_log_topic *topic, uint32_t partition)
{
    wr_memory_log_cut(f->log, topic, partition, info_of(f, topic, partition).last_stable);
}

static void memory_hold_syncs(struct fixture *f, bool is_held)
{
    wr_memory_log_hold(f->log, is_held ? WR_MEMORY_HOLD_COMMITS : WR_MEMORY_HOLD_NOTHING);
}

static void memory_await_sync(struct fixture *f)
{
    assert_int_equal(wr_memory_log_waiting(f->log), 1);
}

static void memory_harm(struct fixture *f, struct wr_log_topic *topic, uint32_t partition)
{
    wr_memory_log_damage(f->log, topic, partition, 1);
}

static int64_t memory_group_offset(struct fixture *f, const char *group,
                                   const struct wr_log_topic *topic, uint32_t partition)
{
    int64_t offset = -1;
    int32_t epoch = -1;
    int rc = wr_memory_log_group_offset(f->log, group, topic, partition, &offset, &epoch, &f->err);
    return rc == 0 ? offset : -1;
}

const struct variant memory_variants[] = {
    {
        .name = "memory",
        .open = memory_open,
        .fill = memory_fill,
        .expire = memory_expire,
        .hold_syncs = memory_hold_syncs,
        .await_sync = memory_await_sync,
        .harm = memory_harm,
        .group_offset = memory_group_offset,
    },
    {.name = NULL},
};
