/*
 * A journal as the input tells to write it: the scan finds entries, a torn tail or damage in it, and what it
 * gives keeps its promises: sequences ascend by one but for damage that was told, parts lie in their entry,
 * a second scan gives the same, and no sequence of bytes is an error.
 *
 * A fuzzer cannot guess a CRC or a chain of them, so the input is a list of orders, each of which puts an
 * entry at a block; its lengths and CRCs fit unless the order says that they do not.
 *
 *     order = flags · block · sequence · synced · lie · parts · body (2) · then the table of parts, as far as
 *             the input reaches
 */
#include "data/crc.h"
#include "log/embedded/journal.h"
#include "sim/vfs_sim.h"

#include <stdlib.h>

enum {
    FILES = 3,
    BLOCKS = 8, /* a file: enough for a body over some blocks, and entries behind it */
    FILE_BYTES = BLOCKS * WR_JOURNAL_BLOCK,
    ORDERS_MAX = 64,
    SEQUENCES = 32,
    GENERATION = 7,

    /* flags */
    OTHER_GENERATION = 1,
    NEWER_GENERATION = 2,
    BROKEN_CHAIN = 4,
    BAD_HEAD_CRC = 8,
    BAD_BODY_CRC = 16,
    FLIPPED = 32,   /* a bit of what stands there, after it was written */
    PADDED = 64,    /* put right behind the entry before, in the same round */
    HAS_TABLE = 128 /* the parts' kinds and lengths stay as the input has them */
};

struct order {
    uint8_t flags;
    uint8_t block;
    uint8_t sequence;
    uint8_t synced;
    uint8_t lie;
    uint8_t parts;
    uint16_t body;
};

struct disk {
    uint8_t bytes[FILES][FILE_BYTES];
    uint32_t crcs[SEQUENCES + 1]; /* of the last entry written with this sequence */
    size_t end;                   /* behind the last entry: file * FILE_BYTES + place */
};

/* ---- what the input says ---- */

static struct order next_order(struct wr_bytes *in)
{
    struct order o = {0};
    uint8_t raw[8] = {0};
    size_t n = in->len < sizeof(raw) ? in->len : sizeof(raw);
    memcpy(raw, in->ptr, n);
    in->ptr += n;
    in->len -= n;
    o.flags = raw[0];
    o.block = raw[1] % (FILES * BLOCKS);
    o.sequence = raw[2] % SEQUENCES;
    o.synced = raw[3] % (SEQUENCES + 1);
    o.lie = raw[4];
    o.parts = raw[5] % 5;
    o.body = (uint16_t)(raw[6] << 8 | raw[7]);
    return o;
}

static void put_part(struct wr_writer *w, struct wr_bytes *in, bool is_raw, uint32_t body_len)
{
    uint8_t raw[WR_JOURNAL_PART_BYTES] = {0};
    size_t n = in->len < sizeof(raw) ? in->len : sizeof(raw);
    memcpy(raw, in->ptr, n);
    in->ptr += n;
    in->len -= n;
    if (!is_raw) {
        struct wr_writer fit = wr_writer_over(raw, sizeof(raw));
        wr_put_u8(&fit, (uint8_t)(1 + raw[0] % 6));
        fit.len = sizeof(raw) - 8;
        wr_put_u32(&fit, body_len);
    }
    wr_put_bytes(w, (struct wr_bytes){raw, sizeof(raw)});
}

/* ---- what it makes ---- */

/* The entry at `at`, of which `left` bytes have room. */
static void put_entry(struct disk *disk, const struct order *o, uint8_t *at, size_t left,
                      struct wr_bytes *in)
{
    uint32_t head_len = WR_JOURNAL_HEAD_BYTES + o->parts * (uint32_t)WR_JOURNAL_PART_BYTES;
    if (head_len > left) {
        return;
    }
    uint32_t body_len = o->body % (uint32_t)(left - head_len + 1);
    struct wr_bytes body = {at + head_len, body_len};
    bool is_raw = (o->flags & HAS_TABLE) != 0;
    uint64_t generation = GENERATION;
    generation -= (o->flags & OTHER_GENERATION) != 0 ? 1 : 0;
    generation += (o->flags & NEWER_GENERATION) != 0 ? 2 : 0;
    struct wr_writer w = wr_writer_over(at, left);
    wr_put_u32(&w, 0x57524a31);
    wr_put_u32(&w, 0);
    wr_put_u32(&w, head_len);
    wr_put_u32(&w, body_len);
    wr_put_u32(&w, wr_crc32c(body) ^ ((o->flags & BAD_BODY_CRC) != 0 ? 1 : 0));
    wr_put_u32(&w, disk->crcs[o->sequence] ^ ((o->flags & BROKEN_CHAIN) != 0 ? 1 : 0));
    wr_put_u64(&w, generation);
    wr_put_u64(&w, o->sequence + UINT64_C(1));
    wr_put_u64(&w, o->synced);
    wr_put_u64(&w, 1);
    wr_put_u32(&w, o->parts);
    wr_put_u32(&w, 0);
    for (uint32_t i = 0; i < o->parts; i++) {
        put_part(&w, in, is_raw, body_len / o->parts);
    }
    uint32_t crc = wr_crc32c((struct wr_bytes){at + 8, head_len - (size_t)8});
    crc ^= (o->flags & BAD_HEAD_CRC) != 0 ? 1 : 0;
    wr_patch_u32(&w, 4, crc);
    disk->crcs[o->sequence + 1] = crc;
    if ((o->flags & FLIPPED) != 0) {
        at[o->lie % (head_len + body_len)] ^= 0x10;
    }
}

static void obey(struct disk *disk, const struct order *o, struct wr_bytes *in)
{
    size_t at = o->block * (size_t)WR_JOURNAL_BLOCK;
    at = (o->flags & PADDED) != 0 ? disk->end : at;
    size_t place = at % FILE_BYTES;
    if (at >= sizeof(disk->bytes) || FILE_BYTES - place < WR_JOURNAL_HEAD_BYTES) {
        return;
    }
    uint8_t *bytes = disk->bytes[at / FILE_BYTES] + place;
    put_entry(disk, o, bytes, FILE_BYTES - place, in);
    struct wr_journal_entry e = {0};
    struct weir_error none;
    if (wr_journal_head_decode((struct wr_bytes){bytes, WR_JOURNAL_HEAD_BYTES}, &e, &none) == 0) {
        disk->end = (at + e.head_len + e.body_len + 7) / 8 * 8;
    }
}

static void put_files(struct wr_vfs *vfs, const struct disk *disk, size_t last_len)
{
    struct weir_error err;
    int rc = wr_vfs_mkdir(vfs, "journal", &err);
    for (int i = 0; i < FILES && rc == 0; i++) {
        char path[] = "journal/0";
        struct wr_file *file = NULL;
        path[sizeof(path) - 2] = (char)('0' + i);
        rc = wr_file_open(vfs, path, WR_OPEN_WRITE | WR_OPEN_CREATE, &file, &err);
        size_t len = i + 1 == FILES ? last_len : FILE_BYTES;
        rc = rc == 0 ? wr_file_write(file, disk->bytes[i], len, 0, &err) : rc;
        wr_file_close(file);
    }
    WR_ASSERT(rc == 0);
}

/* ---- what is seen ---- */

struct seen {
    uint64_t entries;
    uint64_t damages;
    uint64_t next; /* sequence */
    uint32_t sum;  /* of all that was given */
};

static void walk_parts(const struct wr_journal_entry *entry, struct seen *seen)
{
    struct weir_error err;
    struct wr_journal_walk walk = {0};
    struct wr_journal_part part;
    uint32_t count = 0;
    while (wr_journal_part_next(entry, &walk, &part, &err) == 1) {
        WR_ASSERT(part.body.len == 0 ||
                  (part.body.ptr >= entry->body.ptr &&
                   part.body.ptr + part.body.len <= entry->body.ptr + entry->body.len));
        seen->sum = wr_crc32c_extend(seen->sum, part.body);
        count++;
    }
    WR_ASSERT(count <= entry->part_count);
}

static int take_entry(void *arg, const struct wr_journal_entry *entry, struct weir_error *err)
{
    struct seen *seen = arg;
    WR_UNUSED(err);
    WR_ASSERT(entry->generation == GENERATION && entry->sequence == seen->next);
    seen->next = entry->sequence + 1;
    seen->entries++;
    walk_parts(entry, seen);
    return 0;
}

static int take_damage(void *arg, const struct wr_journal_damage *damage, struct weir_error *err)
{
    struct seen *seen = arg;
    WR_UNUSED(err);
    WR_ASSERT(damage->first_sequence == seen->next);
    WR_ASSERT(damage->last_sequence >= damage->first_sequence);
    seen->next = damage->last_sequence + 1;
    seen->damages++;
    if (damage->head != NULL) {
        walk_parts(damage->head, seen);
    }
    return 0;
}

static struct seen scan(struct wr_vfs *vfs, const struct wr_journal_start *start, uint64_t until)
{
    struct weir_error err;
    struct seen seen = {.next = start->sequence};
    struct wr_journal_visitor visitor = {take_entry, take_damage, &seen, until};
    struct wr_journal_end end;
    int rc = wr_journal_scan(vfs, "journal", start, &visitor, &end, &err);
    WR_ASSERT(rc == 0);
    WR_ASSERT(end.entries == seen.entries && end.damages == seen.damages);
    WR_ASSERT(end.next.sequence == seen.next);
    return seen;
}

/* What a start without a checkpoint makes of it: where it says that a journal starts, an entry is. */
static void guess(struct wr_vfs *vfs)
{
    struct weir_error err;
    struct wr_journal_start start;
    bool is_found = false;
    int rc = wr_journal_guess(vfs, "journal", &start, &is_found, &err);
    WR_ASSERT(rc == 0);
    if (is_found && start.generation == GENERATION) {
        WR_ASSERT(scan(vfs, &start, 0).entries > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disk *disk = calloc(1, sizeof(*disk));
    WR_ASSERT(disk != NULL);
    struct wr_bytes in = {data, size};
    size_t last_len = FILE_BYTES - (in.len > 0 ? data[0] * (size_t)64 : 0);
    for (int i = 0; i < ORDERS_MAX && in.len > 0; i++) {
        struct order o = next_order(&in);
        obey(disk, &o, &in);
    }
    struct wr_vfs_sim *sim = wr_vfs_sim_new();
    struct wr_vfs *vfs = wr_vfs_sim_vfs(sim);
    put_files(vfs, disk, last_len);
    struct wr_journal_start start = {GENERATION, 1, 0, {0, WR_JOURNAL_BLOCK}};
    struct seen one = scan(vfs, &start, 0);
    struct seen two = scan(vfs, &start, one.next); /* the end is known by now */
    WR_ASSERT(one.entries == two.entries && one.damages == two.damages && one.sum == two.sum);
    guess(vfs);
    wr_vfs_sim_free(sim);
    free(disk);
    return 0;
}
