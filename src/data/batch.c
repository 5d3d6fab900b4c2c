#include "data/batch.h"

#include "base/reader.h"
#include "data/crc.h"

enum {
    MAGIC = 2,
    RECORD_BYTES_MIN =
        7, /* length, attributes, two deltas, two lengths, header count: one byte each */
    CRC_AT = 17,
    ATTRIBUTES_AT = 21,
    MAX_TIMESTAMP_AT = 35,
    LEADER_EPOCH_AT = 12,
    MARKER_KEY_BYTES = 4,
    MARKER_VALUE_BYTES = 6
};

/* ---- header ----------------------------------------------------------------------------------------- */

static uint32_t check_size(int32_t length, struct wr_reader *r)
{
    if (length < WR_BATCH_HEADER_BYTES - WR_BATCH_LENGTH_AT ||
        length > INT32_MAX - WR_BATCH_LENGTH_AT) {
        wr_reader_spoil(r, "batch length");
        return 0;
    }
    return (uint32_t)(length + WR_BATCH_LENGTH_AT);
}

/* What the fields say of each other. NULL, or the name of the first that cannot be. */
static const char *contradiction(const struct wr_batch_header *h, int32_t count)
{
    size_t records_bytes = h->size_bytes - WR_BATCH_HEADER_BYTES;
    bool is_plain = wr_batch_codec(h) == WR_CODEC_NONE;
    if ((unsigned)wr_batch_codec(h) >= WR_CODEC_COUNT) {
        return "codec";
    }
    if (h->base_offset < 0 || h->base_offset > INT64_MAX - 1 - INT32_MAX) {
        return "base offset";
    }
    if (h->leader_epoch < -1) {
        return "leader epoch";
    }
    if (h->last_offset_delta < 0) {
        return "last offset delta";
    }
    if (count < 0 || (int64_t)count > (int64_t)h->last_offset_delta + 1 ||
        (is_plain && (size_t)count > records_bytes / RECORD_BYTES_MIN) ||
        (is_plain && count == 0 && records_bytes > 0) || (count > 0 && records_bytes == 0)) {
        return "record count";
    }
    return NULL;
}

int wr_batch_header_decode(struct wr_bytes in, struct wr_batch_header *out, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(in);
    struct wr_batch_header h = {0};
    h.base_offset = wr_read_i64(&r, "base offset");
    int32_t length = wr_read_i32(&r, "batch length");
    h.leader_epoch = wr_read_i32(&r, "leader epoch");
    int8_t magic = wr_read_i8(&r, "magic");
    h.crc = wr_read_u32(&r, "CRC");
    h.attributes = wr_read_u16(&r, "attributes");
    h.last_offset_delta = wr_read_i32(&r, "last offset delta");
    h.base_timestamp_ms = wr_read_i64(&r, "base timestamp");
    h.max_timestamp_ms = wr_read_i64(&r, "max timestamp");
    h.producer_id = wr_read_i64(&r, "producer id");
    h.producer_epoch = wr_read_i16(&r, "producer epoch");
    h.base_sequence = wr_read_i32(&r, "base sequence");
    int32_t count = wr_read_i32(&r, "record count");
    int rc = wr_reader_ok(&r, err);
    if (rc < 0) {
        return wr_wrap(err, "batch header");
    }
    if (magic != MAGIC) {
        return wr_fail(err, WEIR_E_CORRUPT, "batch header: magic %d, not 2", magic);
    }
    h.size_bytes = check_size(length, &r);
    const char *bad = h.size_bytes == 0 ? "length" : contradiction(&h, count);
    if (bad != NULL) {
        return wr_fail(err, WEIR_E_CORRUPT, "batch header: %s does not fit the other fields", bad);
    }
    h.record_count = (uint32_t)count;
    *out = h;
    return 0;
}

void wr_batch_header_encode(const struct wr_batch_header *header, uint8_t *out)
{
    WR_ASSERT(header->size_bytes >= WR_BATCH_HEADER_BYTES && header->size_bytes <= INT32_MAX);
    struct wr_writer w = wr_writer_over(out, WR_BATCH_HEADER_BYTES);
    wr_put_u64(&w, (uint64_t)header->base_offset);
    wr_put_u32(&w, header->size_bytes - WR_BATCH_LENGTH_AT);
    wr_put_u32(&w, (uint32_t)header->leader_epoch);
    wr_put_u8(&w, MAGIC);
    wr_put_u32(&w, header->crc);
    wr_put_u16(&w, header->attributes);
    wr_put_u32(&w, (uint32_t)header->last_offset_delta);
    wr_put_u64(&w, (uint64_t)header->base_timestamp_ms);
    wr_put_u64(&w, (uint64_t)header->max_timestamp_ms);
    wr_put_u64(&w, (uint64_t)header->producer_id);
    wr_put_u16(&w, (uint16_t)header->producer_epoch);
    wr_put_u32(&w, (uint32_t)header->base_sequence);
    wr_put_u32(&w, header->record_count);
    WR_ASSERT(w.spoiled == 0 && w.len == WR_BATCH_HEADER_BYTES);
}

int wr_batch_of(struct wr_bytes in, struct wr_batch *out, struct weir_error *err)
{
    struct wr_batch_header header = {0};
    int rc = wr_batch_header_decode(in, &header, err);
    if (rc < 0) {
        return rc;
    }
    if (header.size_bytes > in.len) {
        return wr_fail(err, WEIR_E_CORRUPT, "batch of %u bytes ends after %zu", header.size_bytes,
                       in.len);
    }
    *out = (struct wr_batch){.header = header, .bytes = {in.ptr, header.size_bytes}};
    return 0;
}

static uint32_t crc_of(const uint8_t *batch, size_t size_bytes)
{
    WR_ASSERT(size_bytes >= WR_BATCH_HEADER_BYTES);
    return wr_crc32c((struct wr_bytes){batch + WR_BATCH_CRC_FROM, size_bytes - WR_BATCH_CRC_FROM});
}

int wr_batch_check_crc(const struct wr_batch *batch, struct weir_error *err)
{
    uint32_t crc = crc_of(batch->bytes.ptr, batch->bytes.len);
    if (crc != batch->header.crc) {
        return wr_fail(err, WEIR_E_CORRUPT, "batch has CRC %08x, its bytes have %08x",
                       batch->header.crc, crc);
    }
    return 0;
}

void wr_batch_patch_offset(uint8_t *batch, int64_t base_offset)
{
    struct wr_writer w = wr_writer_over(batch, sizeof(base_offset));
    wr_put_u64(&w, (uint64_t)base_offset);
}

void wr_batch_patch_epoch(uint8_t *batch, int32_t leader_epoch)
{
    struct wr_writer w = wr_writer_over(batch + LEADER_EPOCH_AT, sizeof(leader_epoch));
    wr_put_u32(&w, (uint32_t)leader_epoch);
}

void wr_batch_patch_max_timestamp(uint8_t *batch, size_t size_bytes, int64_t max_timestamp_ms)
{
    struct wr_writer w = wr_writer_over(batch + MAX_TIMESTAMP_AT, sizeof(max_timestamp_ms));
    wr_put_u64(&w, (uint64_t)max_timestamp_ms);
    w = wr_writer_over(batch + CRC_AT, sizeof(uint32_t));
    wr_put_u32(&w, crc_of(batch, size_bytes));
}

void wr_batch_patch_append_time(uint8_t *batch, size_t size_bytes, int64_t append_time_ms)
{
    batch[ATTRIBUTES_AT + 1] |= WR_BATCH_APPEND_TIME;
    wr_batch_patch_max_timestamp(batch, size_bytes, append_time_ms);
}

void wr_batch_put_empty(uint8_t *out, int64_t base_offset, int64_t count, int32_t leader_epoch)
{
    WR_ASSERT(count >= 1 && count <= INT32_MAX);
    struct wr_batch_header h = {
        .base_offset = base_offset,
        .leader_epoch = leader_epoch,
        .size_bytes = WR_BATCH_HEADER_BYTES,
        .last_offset_delta = (int32_t)(count - 1),
        .base_timestamp_ms = -1,
        .max_timestamp_ms = -1,
        .producer_id = -1,
        .producer_epoch = -1,
        .base_sequence = -1,
    };
    wr_batch_header_encode(&h, out);
    h.crc = crc_of(out, WR_BATCH_HEADER_BYTES);
    wr_batch_header_encode(&h, out);
}

/* ---- control batches ---------------------------------------------------------------------------------- */

static void put_marker_record(struct wr_writer *w, const struct wr_marker *m)
{
    /* attributes, two deltas, key length, key, value length, value, header count */
    wr_put_varint(w, 1 + 1 + 1 + 1 + MARKER_KEY_BYTES + 1 + MARKER_VALUE_BYTES + 1);
    wr_put_u8(w, 0);
    wr_put_varlong(w, 0);
    wr_put_varint(w, 0);
    wr_put_varint(w, MARKER_KEY_BYTES);
    wr_put_u16(w, 0);
    wr_put_u16(w, (uint16_t)m->type);
    wr_put_varint(w, MARKER_VALUE_BYTES);
    wr_put_u16(w, 0);
    wr_put_u32(w, (uint32_t)m->coordinator_epoch);
    wr_put_varint(w, 0);
}

void wr_marker_put(struct wr_writer *out, const struct wr_marker *marker)
{
    uint8_t bytes[WR_BATCH_MARKER_BYTES];
    struct wr_writer w = wr_writer_over(bytes, sizeof(bytes));
    struct wr_batch_header h = {
        .base_offset = marker->base_offset,
        .leader_epoch = marker->leader_epoch,
        .size_bytes = WR_BATCH_MARKER_BYTES,
        .attributes = WR_BATCH_TRANSACTIONAL | WR_BATCH_CONTROL,
        .base_timestamp_ms = marker->timestamp_ms,
        .max_timestamp_ms = marker->timestamp_ms,
        .producer_id = marker->producer_id,
        .producer_epoch = marker->producer_epoch,
        .base_sequence = -1,
        .record_count = 1,
    };
    wr_put_zeros(&w, WR_BATCH_HEADER_BYTES);
    put_marker_record(&w, marker);
    WR_ASSERT(w.spoiled == 0 && w.len == sizeof(bytes));
    wr_batch_header_encode(&h, bytes);
    h.crc = crc_of(bytes, sizeof(bytes));
    wr_batch_header_encode(&h, bytes);
    wr_put_bytes(out, (struct wr_bytes){bytes, sizeof(bytes)});
}

static int decode_marker_record(const struct wr_record *record, struct wr_marker *out,
                                struct weir_error *err)
{
    struct wr_reader key = wr_reader_of(record->key);
    (void)wr_read_i16(&key, "control record version");
    int16_t type = wr_read_i16(&key, "control record type");
    int rc = wr_reader_ok(&key, err);
    if (rc < 0) {
        return rc;
    }
    if (type != WR_MARKER_ABORT && type != WR_MARKER_COMMIT) {
        return wr_fail(err, WEIR_E_UNSUPPORTED, "control record of type %d", type);
    }
    struct wr_reader value = wr_reader_of(record->value);
    (void)wr_read_i16(&value, "marker version");
    out->coordinator_epoch = wr_read_i32(&value, "coordinator epoch");
    out->type = (enum wr_marker_type)type;
    return wr_reader_ok(&value, err);
}

static int decode_marker(const struct wr_batch *batch, struct wr_batch_iter *iter,
                         struct wr_marker *out, struct weir_error *err)
{
    struct wr_record record = {0};
    int64_t offset = 0;
    int rc = wr_batch_iter_begin(iter, batch, err);
    if (rc == 0) {
        rc = wr_batch_iter_next(iter, &offset, &record, err);
    }
    if (rc < 0) {
        return rc;
    }
    out->timestamp_ms = record.timestamp_ms;
    rc = decode_marker_record(&record, out, err);
    return rc < 0 ? rc : wr_batch_iter_next(iter, &offset, &record, err);
}

int wr_marker_decode(const struct wr_batch *batch, struct wr_marker *out, struct weir_error *err)
{
    const struct wr_batch_header *h = &batch->header;
    if ((h->attributes & WR_BATCH_CONTROL) == 0 || h->record_count != 1) {
        return wr_fail(err, WEIR_E_CORRUPT, "batch at offset %lld is not a control batch",
                       (long long)h->base_offset);
    }
    struct wr_marker marker = {
        .base_offset = h->base_offset,
        .leader_epoch = h->leader_epoch,
        .producer_id = h->producer_id,
        .producer_epoch = h->producer_epoch,
    };
    struct wr_batch_limits limits = wr_batch_limits_default();
    WR_CLEANUP(wr_batch_iter_fini) struct wr_batch_iter iter = wr_batch_iter_of(&limits, NULL);
    int rc = decode_marker(batch, &iter, &marker, err);
    if (rc < 0) {
        return rc;
    }
    *out = marker;
    return 0;
}
