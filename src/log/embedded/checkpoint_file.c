/* checkpoint_file.c - a checkpoint as bytes. The format is in checkpoint.h. */
#include "log/embedded/checkpoint_file.h"

#include "base/reader.h"
#include "data/crc.h"
#include "log/embedded/checkpoint.h"
#include "log/embedded/list.h"
#include "log/embedded/segment.h"

enum {
    VERSION = 1,
    BLOCK = 4096,
    LENGTH_AT = 12,
    CRC_BYTES = 4,
    TOPIC_BYTES_MIN = 20,
    TRANSACTION_BYTES = 18,
    DAMAGE_BYTES = 40,
    PARTITION_BYTES_MIN = 8 + 8 + 4 + 8 + WR_SEGMENT_INFO_BYTES + 1 + 4 + 4
};

static const struct wr_str MAGIC = WR_STR_INIT("WEIRCKPT");

/* ---- writing ---- */

/* A round under way may have rolled: what counts is the segment that the end is in. If that is one which begins with
 * the end, it is the one before, not sealed yet: the replay of the round rolls again, and seals it. */
static const struct wr_segment *active_of(const struct wr_partition *p)
{
    size_t i = p->segment_count - 1;
    while (i > 0 && (p->segments[i]->info.base > p->end ||
                     (p->segments[i]->info.base == p->end && p->segments[i - 1]->is_unsealed))) {
        i--;
    }
    return p->segments[i];
}

static void put_partition(struct wr_writer *w, const struct wr_partition *p)
{
    const struct wr_segment *active = active_of(p);
    wr_put_u64(w, (uint64_t)p->log_start);
    wr_put_u64(w, (uint64_t)p->end);
    wr_put_u32(w, (uint32_t)p->epoch);
    wr_put_u64(w, (uint64_t)p->epoch_start);
    wr_segment_info_put(w, &active->info);
    wr_put_u8(w, p->is_quarantined ? 1 : 0);
    wr_put_u32(w, (uint32_t)p->transaction_count);
    for (size_t i = 0; i < p->transaction_count; i++) {
        wr_put_u64(w, (uint64_t)p->transactions[i].producer_id);
        wr_put_u16(w, (uint16_t)p->transactions[i].producer_epoch);
        wr_put_u64(w, (uint64_t)p->transactions[i].first_offset);
    }
    wr_put_u32(w, (uint32_t)p->damage_count);
    for (size_t i = 0; i < p->damage_count; i++) {
        wr_put_u64(w, (uint64_t)p->damages[i].from_offset);
        wr_put_u64(w, (uint64_t)p->damages[i].to_offset);
        wr_put_u64(w, (uint64_t)p->damages[i].segment_base);
        wr_put_u64(w, p->damages[i].from_position);
        wr_put_u64(w, p->damages[i].to_position);
    }
}

void wr_checkpoint_encode(const struct wr_embedded *e, bool is_clean, struct wr_writer *w)
{
    const struct wr_journal_start *start = &e->mark.start;
    wr_put_str(w, MAGIC);
    wr_put_u32(w, VERSION);
    wr_put_u32(w, 0); /* the length: below */
    wr_put_u64(w, e->checkpoint_count + 1);
    wr_put_u8(w, is_clean ? 1 : 0);
    wr_put_u64(w, start->generation);
    wr_put_u32(w, (uint32_t)e->leader_epoch);
    wr_put_u64(w, start->sequence);
    wr_put_u32(w, start->crc);
    wr_put_u32(w, start->place.file);
    wr_put_u64(w, start->place.at);
    wr_put_u64(w, (uint64_t)e->producer_next);
    wr_put_u64(w, (uint64_t)wr_wall_ms(e->clock));
    wr_put_u32(w, (uint32_t)e->topic_count);
    for (size_t t = 0; t < e->topic_count; t++) {
        const struct wr_log_topic *topic = &e->topics[t]->topic;
        wr_put_bytes(w, (struct wr_bytes){topic->id.bytes, sizeof(topic->id.bytes)});
        wr_put_u32(w, topic->partition_count);
        for (uint32_t i = 0; i < topic->partition_count; i++) {
            put_partition(w, &e->topics[t]->partitions[i]);
        }
    }
    if (w->spoiled == 0) {
        wr_patch_u32(w, LENGTH_AT, (uint32_t)w->len + CRC_BYTES);
    }
    wr_put_u32(w, wr_crc32c(wr_writer_bytes(w)));
    wr_put_zeros(w, (BLOCK - w->len % BLOCK) % BLOCK);
}

/* ---- reading ---- */

struct lists {
    struct wr_open_transaction *transactions;
    size_t transaction_cap;
    struct wr_damage *damages;
    size_t damage_cap;
};

static int read_transactions(struct wr_reader *r, struct lists *lists,
                             struct wr_checkpoint_partition *out, struct weir_error *err)
{
    size_t count = wr_read_u32(r, "open transactions");
    if (!wr_reader_holds(r, count, TRANSACTION_BYTES, "open transactions")) {
        count = 0;
    }
    if (!wr_grow(&lists->transactions, &lists->transaction_cap, count + 1,
                 sizeof(lists->transactions[0]), SIZE_MAX / 64)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu open transactions", count);
    }
    for (size_t i = 0; i < count; i++) {
        lists->transactions[i].producer_id = wr_read_i64(r, "producer id");
        lists->transactions[i].producer_epoch = wr_read_i16(r, "producer epoch");
        lists->transactions[i].first_offset = wr_read_i64(r, "first offset");
    }
    out->transactions = lists->transactions;
    out->transaction_count = count;
    return 0;
}

static int read_damages(struct wr_reader *r, struct lists *lists,
                        struct wr_checkpoint_partition *out, struct weir_error *err)
{
    size_t count = wr_read_u32(r, "damaged places");
    if (!wr_reader_holds(r, count, DAMAGE_BYTES, "damaged places")) {
        count = 0;
    }
    if (!wr_grow(&lists->damages, &lists->damage_cap, count + 1, sizeof(lists->damages[0]),
                 SIZE_MAX / 64)) {
        return wr_fail(err, WEIR_E_NOMEM, "%zu damaged places", count);
    }
    for (size_t i = 0; i < count; i++) {
        lists->damages[i].from_offset = wr_read_i64(r, "from offset");
        lists->damages[i].to_offset = wr_read_i64(r, "to offset");
        lists->damages[i].segment_base = wr_read_i64(r, "segment");
        lists->damages[i].from_position = wr_read_u64(r, "from position");
        lists->damages[i].to_position = wr_read_u64(r, "to position");
    }
    out->damages = lists->damages;
    out->damage_count = count;
    return 0;
}

static int read_partition(struct wr_reader *r, struct lists *lists,
                          struct wr_checkpoint_partition *out, struct weir_error *err)
{
    out->log_start = wr_read_i64(r, "log start");
    out->end = wr_read_i64(r, "end");
    out->epoch = wr_read_i32(r, "epoch");
    out->epoch_start = wr_read_i64(r, "epoch start");
    out->active = wr_segment_info_read(r);
    out->is_quarantined = wr_read_u8(r, "quarantine") != 0;
    if (out->log_start < 0 || out->end < out->log_start || out->active.base > out->end) {
        wr_reader_spoil(r, "partition");
    }
    int rc = read_transactions(r, lists, out, err);
    return rc == 0 ? read_damages(r, lists, out, err) : rc;
}

static int read_topic(struct wr_reader *r, struct lists *lists,
                      int (*each)(void *arg, const struct wr_checkpoint_partition *partition,
                                  struct weir_error *err),
                      void *arg, struct weir_error *err)
{
    struct wr_checkpoint_partition p = {0};
    struct wr_bytes id = wr_read_bytes(r, sizeof(p.topic.bytes), "topic id");
    if (id.len == sizeof(p.topic.bytes)) {
        memcpy(p.topic.bytes, id.ptr, id.len);
    }
    size_t count = wr_read_u32(r, "partition count");
    if (!wr_reader_holds(r, count, PARTITION_BYTES_MIN, "partitions")) {
        count = 0;
    }
    int rc = 0;
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        p.partition = i;
        rc = read_partition(r, lists, &p, err);
        rc = rc == 0 ? wr_reader_ok(r, err) : rc;
        rc = rc == 0 && each != NULL ? each(arg, &p, err) : rc;
    }
    return rc;
}

static int check_file(struct wr_bytes file, struct wr_bytes *inside, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(file);
    (void)wr_read_bytes(&r, LENGTH_AT, "magic and version");
    size_t len = wr_read_u32(&r, "length");
    struct wr_reader whole = wr_reader_of(file);
    *inside = wr_read_bytes(&whole, len < CRC_BYTES ? SIZE_MAX : len - CRC_BYTES, "checkpoint");
    uint32_t crc = wr_read_u32(&whole, "CRC");
    int rc = wr_reader_ok(&r, err);
    rc = rc == 0 ? wr_reader_ok(&whole, err) : rc;
    if (rc == 0 && wr_crc32c(*inside) != crc) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the CRC does not fit");
    }
    return rc;
}

static void read_head(struct wr_reader *r, struct wr_checkpoint_head *out)
{
    if (!wr_str_eq(wr_str_of_bytes(wr_read_bytes(r, MAGIC.len, "magic")), MAGIC)) {
        wr_reader_spoil(r, "magic");
    }
    if (wr_read_u32(r, "version") != VERSION) {
        wr_reader_spoil(r, "version");
    }
    (void)wr_read_u32(r, "length");
    out->count = wr_read_u64(r, "count");
    out->was_clean = wr_read_u8(r, "clean") != 0;
    out->start.generation = wr_read_u64(r, "generation");
    out->leader_epoch = wr_read_i32(r, "leader epoch");
    out->start.sequence = wr_read_u64(r, "sequence");
    out->start.crc = wr_read_u32(r, "CRC of the entry before");
    out->start.place.file = wr_read_u32(r, "journal file");
    out->start.place.at = wr_read_u64(r, "journal place");
    out->producer_next = wr_read_i64(r, "producer id");
    (void)wr_read_i64(r, "time");
}

int wr_checkpoint_decode(struct wr_bytes file, struct wr_checkpoint_head *out,
                         int (*each)(void *arg, const struct wr_checkpoint_partition *partition,
                                     struct weir_error *err),
                         void *arg, struct weir_error *err)
{
    struct wr_bytes inside;
    struct wr_checkpoint_head head = {0};
    struct lists lists = {0};
    int rc = check_file(file, &inside, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_reader r = wr_reader_of(inside);
    read_head(&r, &head);
    size_t count = wr_read_u32(&r, "topic count");
    if (!wr_reader_holds(&r, count, TOPIC_BYTES_MIN, "topics")) {
        count = 0;
    }
    rc = wr_reader_ok(&r, err);
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = read_topic(&r, &lists, each, arg, err);
    }
    rc = rc == 0 ? wr_reader_end(&r, err) : rc;
    wr_free(lists.transactions);
    wr_free(lists.damages);
    if (rc == 0) {
        *out = head;
    }
    return rc;
}
