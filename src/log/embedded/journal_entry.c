/* journal_entry.c - the bytes of a journal entry: head, table of parts, bodies. */
#include "log/embedded/journal.h"

#include "data/crc.h"

static const uint32_t ENTRY_MAGIC = 0x57524a31; /* "WRJ1": format version 1 */

enum {
    CRC_FROM = 8 /* the head's CRC covers all behind itself */
};

static void put_part(struct wr_writer *w, const struct wr_journal_part *part)
{
    wr_put_u8(w, (uint8_t)part->kind);
    wr_put_bytes(w, (struct wr_bytes){part->topic.bytes, sizeof(part->topic.bytes)});
    wr_put_u32(w, part->partition);
    wr_put_u64(w, (uint64_t)part->base_offset);
    wr_put_u64(w, (uint64_t)part->next_offset);
    wr_put_u64(w, (uint64_t)part->segment_base);
    wr_put_u32(w, part->position);
    wr_put_u32(w, (uint32_t)part->leader_epoch);
    wr_put_u32(w, part->len);
    wr_put_u32(w, part->crc);
}

void wr_journal_entry_put(struct wr_writer *w, struct wr_journal_entry *entry,
                          const struct wr_journal_part *parts, size_t count)
{
    size_t start = w->len;
    entry->head_len = (uint32_t)(WR_JOURNAL_HEAD_BYTES + count * WR_JOURNAL_PART_BYTES);
    entry->part_count = (uint32_t)count;
    entry->body_len = 0;
    entry->body_crc = 0;
    for (size_t i = 0; i < count; i++) {
        entry->body_len += (uint32_t)parts[i].body.len;
        entry->body_crc = wr_crc32c_extend(entry->body_crc, parts[i].body);
    }
    wr_put_u32(w, ENTRY_MAGIC);
    wr_put_u32(w, 0);
    wr_put_u32(w, entry->head_len);
    wr_put_u32(w, entry->body_len);
    wr_put_u32(w, entry->body_crc);
    wr_put_u32(w, entry->previous_crc);
    wr_put_u64(w, entry->generation);
    wr_put_u64(w, entry->sequence);
    wr_put_u64(w, entry->synced);
    wr_put_u64(w, (uint64_t)entry->written_ms);
    wr_put_u32(w, entry->part_count);
    wr_put_u32(w, 0); /* reserved */
    for (size_t i = 0; i < count; i++) {
        put_part(w, &parts[i]);
    }
    if (w->spoiled == 0) {
        WR_ASSERT(w->len - start == entry->head_len);
        struct wr_bytes covered = {w->base + start + CRC_FROM, entry->head_len - CRC_FROM};
        entry->head_crc = wr_crc32c(covered);
        wr_patch_u32(w, start + 4, entry->head_crc);
    }
}

bool wr_journal_has_magic(struct wr_bytes in)
{
    struct wr_reader r = wr_reader_of(in);
    return in.len >= sizeof(ENTRY_MAGIC) && wr_read_u32(&r, "magic") == ENTRY_MAGIC;
}

/* The fields of a head. True when it begins as heads do. */
static bool read_fields(struct wr_reader *r, struct wr_journal_entry *out)
{
    bool is_magic = wr_read_u32(r, "magic") == ENTRY_MAGIC;
    out->head_crc = wr_read_u32(r, "head CRC");
    out->head_len = wr_read_u32(r, "head length");
    out->body_len = wr_read_u32(r, "body length");
    out->body_crc = wr_read_u32(r, "body CRC");
    out->previous_crc = wr_read_u32(r, "previous CRC");
    out->generation = wr_read_u64(r, "generation");
    out->sequence = wr_read_u64(r, "sequence");
    out->synced = wr_read_u64(r, "synced");
    out->written_ms = wr_read_i64(r, "time");
    out->part_count = wr_read_u32(r, "part count");
    (void)wr_read_u32(r, "reserved");
    return is_magic;
}

bool wr_journal_head_peek(struct wr_bytes in, struct wr_journal_entry *out)
{
    struct wr_reader r = wr_reader_of(in);
    return read_fields(&r, out);
}

int wr_journal_head_decode(struct wr_bytes in, struct wr_journal_entry *out, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(in);
    struct wr_journal_entry e = {0};
    if (!read_fields(&r, &e)) {
        wr_reader_spoil(&r, "magic");
    }
    uint64_t head_len =
        WR_JOURNAL_HEAD_BYTES + (uint64_t)e.part_count * (uint64_t)WR_JOURNAL_PART_BYTES;
    if (head_len != e.head_len) {
        wr_reader_spoil(&r, "part count");
    }
    int rc = wr_reader_ok(&r, err);
    if (rc == 0) {
        *out = e;
    }
    return rc;
}

int wr_journal_parts_check(struct wr_journal_entry *entry, struct wr_bytes in,
                           struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(in);
    (void)wr_read_bytes(&r, CRC_FROM, "magic and head CRC");
    struct wr_bytes covered = wr_read_bytes(&r, entry->head_len - (size_t)CRC_FROM, "head");
    int rc = wr_reader_ok(&r, err);
    if (rc == 0 && wr_crc32c(covered) != entry->head_crc) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "journal entry: the CRC of its head does not fit");
    }
    if (rc < 0) {
        return rc;
    }
    struct wr_reader head = wr_reader_of(covered);
    (void)wr_read_bytes(&head, WR_JOURNAL_HEAD_BYTES - CRC_FROM, "head");
    entry->parts = wr_read_bytes(&head, wr_reader_left(&head), "parts");
    entry->body = (struct wr_bytes){NULL, 0};
    return 0;
}

int wr_journal_body_check(struct wr_journal_entry *entry, struct wr_bytes in,
                          struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(in);
    (void)wr_read_bytes(&r, entry->head_len, "head");
    struct wr_bytes body = wr_read_bytes(&r, entry->body_len, "body");
    int rc = wr_reader_ok(&r, err);
    if (rc == 0 && wr_crc32c(body) != entry->body_crc) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "journal entry: the CRC of its body does not fit");
    }
    if (rc == 0) {
        entry->body = body;
    }
    return rc;
}

/* A part's own sense: what recovery relies on without looking twice. */
static const char *nonsense(const struct wr_journal_part *p)
{
    if (p->kind < WR_PART_BATCHES || p->kind > WR_PART_ROLL) {
        return "part kind";
    }
    bool has_batches = p->kind == WR_PART_BATCHES || p->kind == WR_PART_PLACED;
    if (p->base_offset < 0 || (has_batches && p->next_offset <= p->base_offset)) {
        return "part offsets";
    }
    if (has_batches && (p->segment_base < 0 || p->segment_base > p->base_offset)) {
        return "part segment";
    }
    if (has_batches &&
        (p->len == 0 || p->position > (uint32_t)INT32_MAX || p->len > (uint32_t)INT32_MAX)) {
        return "part place";
    }
    return NULL;
}

int wr_journal_part_next(const struct wr_journal_entry *entry, struct wr_journal_walk *walk,
                         struct wr_journal_part *out, struct weir_error *err)
{
    if (walk->index == entry->part_count) {
        return 0;
    }
    struct wr_reader r = wr_reader_of(entry->parts);
    (void)wr_read_bytes(&r, walk->index * (size_t)WR_JOURNAL_PART_BYTES, "parts");
    struct wr_journal_part p = {0};
    p.kind = (enum wr_journal_kind)wr_read_u8(&r, "part kind");
    struct wr_bytes id = wr_read_bytes(&r, sizeof(p.topic.bytes), "topic id");
    p.partition = wr_read_u32(&r, "partition");
    p.base_offset = wr_read_i64(&r, "base offset");
    p.next_offset = wr_read_i64(&r, "next offset");
    p.segment_base = wr_read_i64(&r, "segment");
    p.position = wr_read_u32(&r, "position");
    p.leader_epoch = wr_read_i32(&r, "leader epoch");
    p.len = wr_read_u32(&r, "length");
    p.crc = wr_read_u32(&r, "CRC");
    const char *bad = nonsense(&p);
    if (bad != NULL) {
        wr_reader_spoil(&r, bad);
    }
    struct wr_reader body = wr_reader_of(entry->body);
    (void)wr_read_bytes(&body, walk->body_at, "bodies before");
    bool has_body = p.kind == WR_PART_BATCHES || p.kind == WR_PART_TOPIC;
    if (has_body && (entry->body.ptr != NULL || entry->body_len == 0)) {
        p.body = wr_read_bytes(&body, p.len, "body");
    }
    int rc = wr_reader_ok(&r, err);
    rc = rc == 0 ? wr_reader_ok(&body, err) : rc;
    if (rc < 0) {
        return wr_wrap(err, "part %zu of journal entry %llu", walk->index,
                       (unsigned long long)entry->sequence);
    }
    WR_ASSERT(id.ptr != NULL);
    memcpy(p.topic.bytes, id.ptr, sizeof(p.topic.bytes));
    walk->index++;
    walk->body_at += p.body.len;
    *out = p;
    return 1;
}
