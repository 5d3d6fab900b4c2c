#include "data/batch.h"
#include "data/crc.h"

enum {
    PACKED_SPARE_BYTES = 64 * 1024
};

struct wr_batch_stamp wr_batch_stamp_plain(void)
{
    return (struct wr_batch_stamp){.codec = WR_CODEC_NONE,
                                   .leader_epoch = -1,
                                   .producer_id = -1,
                                   .producer_epoch = -1,
                                   .base_sequence = -1,
                                   .append_time_ms = -1};
}

struct wr_batch_builder wr_batch_builder_of(size_t size_max)
{
    WR_ASSERT(size_max >= WR_BATCH_HEADER_BYTES && size_max <= INT32_MAX);
    /* Compressors want room for the worst case, which is a little over what goes in. */
    size_t packed_max = size_max + size_max / 4 + PACKED_SPARE_BYTES;
    return (struct wr_batch_builder){.plain = wr_writer_growing(size_max),
                                     .packed = wr_writer_growing(packed_max)};
}

void wr_batch_builder_fini(struct wr_batch_builder *builder)
{
    wr_writer_fini(&builder->plain);
    wr_writer_fini(&builder->packed);
    builder->record_count = 0;
}

void wr_batch_builder_reset(struct wr_batch_builder *builder)
{
    wr_writer_reset(&builder->plain);
    wr_writer_reset(&builder->packed);
    builder->record_count = 0;
}

/* The length of a nullable field: its length as a varint, and its bytes. */
static size_t nullable_size(struct wr_bytes b)
{
    return b.ptr == NULL ? 1 : wr_varint_len((int64_t)b.len) + b.len;
}

static size_t headers_size(const struct wr_record *record)
{
    size_t size = wr_varint_len((int64_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct wr_header *h = &record->headers[i];
        size += wr_varint_len((int64_t)h->name.len) + h->name.len + nullable_size(h->value);
    }
    return size;
}

static uint8_t *put_varlong(uint8_t *p, int64_t v)
{
    uint64_t z = (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
    while (z >= 0x80) {
        *p++ = (uint8_t)(z | 0x80U);
        z >>= 7;
    }
    *p++ = (uint8_t)z;
    return p;
}

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t len)
{
    p = put_varlong(p, (int64_t)len);
    if (len > 0) {
        memcpy(p, bytes, len);
    }
    return p + len;
}

static uint8_t *put_nullable(uint8_t *p, struct wr_bytes b)
{
    return b.ptr == NULL ? put_varlong(p, -1) : put_bytes(p, b.ptr, b.len);
}

static uint8_t *put_headers(uint8_t *p, const struct wr_record *record)
{
    p = put_varlong(p, (int64_t)record->header_count);
    for (size_t i = 0; i < record->header_count; i++) {
        const struct wr_header *h = &record->headers[i];
        p = put_bytes(p, h->name.ptr, h->name.len);
        p = put_nullable(p, h->value);
    }
    return p;
}

/* No field is so long that the sum below could wrap: each is in memory, so less than 2^63 in all. */
static size_t body_size(const struct wr_record *record, int64_t timestamp_delta, uint32_t delta)
{
    return 1 + wr_varint_len(timestamp_delta) + wr_varint_len((int64_t)delta) +
           nullable_size(record->key) + nullable_size(record->value) + headers_size(record);
}

static int refuse(struct wr_batch_builder *builder, struct weir_error *err)
{
    int rc = wr_writer_end(&builder->plain, err);
    WR_ASSERT(rc < 0);
    builder->plain.spoiled = 0; /* nothing was written: the builder stays as it was */
    return wr_wrap(err, "record batch of %u records", builder->record_count);
}

/* The first record brings the room for the header with it. */
static uint8_t *room(struct wr_batch_builder *builder, size_t size)
{
    struct wr_writer *w = &builder->plain;
    if (builder->record_count > 0) {
        return wr_writer_room(w, size);
    }
    wr_writer_reset(w);
    uint8_t *p = wr_writer_room(w, WR_BATCH_HEADER_BYTES + size);
    if (p == NULL) {
        return NULL;
    }
    wr_put_zeros(w, WR_BATCH_HEADER_BYTES);
    return p + WR_BATCH_HEADER_BYTES;
}

int wr_batch_append(struct wr_batch_builder *builder, const struct wr_record *record,
                    int64_t timestamp_ms, struct weir_error *err)
{
    bool is_first = builder->record_count == 0;
    int64_t base = is_first ? timestamp_ms : builder->base_timestamp_ms;
    int64_t timestamp_delta = (int64_t)((uint64_t)timestamp_ms - (uint64_t)base);
    size_t body = body_size(record, timestamp_delta, builder->record_count);
    if (body > INT32_MAX || builder->record_count == INT32_MAX) {
        return wr_fail(err, WEIR_E_LIMIT,
                       "record batch of %u records: no room for one of %zu bytes",
                       builder->record_count, body);
    }
    size_t size = wr_varint_len((int64_t)body) + body;
    uint8_t *p = room(builder, size);
    if (p == NULL) {
        return refuse(builder, err);
    }
    const uint8_t *start = p;
    p = put_varlong(p, (int64_t)body);
    *p++ = 0; /* attributes: none are defined */
    p = put_varlong(p, timestamp_delta);
    p = put_varlong(p, (int64_t)builder->record_count);
    p = put_nullable(p, record->key);
    p = put_nullable(p, record->value);
    p = put_headers(p, record);
    WR_ASSERT((size_t)(p - start) == size);
    wr_writer_advance(&builder->plain, size);
    builder->base_timestamp_ms = base;
    if (is_first || timestamp_ms > builder->max_timestamp_ms) {
        builder->max_timestamp_ms = timestamp_ms;
    }
    builder->record_count++;
    return 0;
}

size_t wr_batch_builder_size(const struct wr_batch_builder *builder)
{
    return builder->record_count == 0 ? WR_BATCH_HEADER_BYTES : builder->plain.len;
}

static struct wr_batch_header header_of(const struct wr_batch_builder *builder,
                                        const struct wr_batch_stamp *stamp, size_t size_bytes)
{
    bool is_append_time = stamp->append_time_ms >= 0;
    unsigned attributes = (unsigned)stamp->codec | (is_append_time ? WR_BATCH_APPEND_TIME : 0U) |
                          (stamp->is_transactional ? WR_BATCH_TRANSACTIONAL : 0U);
    return (struct wr_batch_header){
        .base_offset = stamp->base_offset,
        .leader_epoch = stamp->leader_epoch,
        .size_bytes = (uint32_t)size_bytes,
        .attributes = (uint16_t)attributes,
        .last_offset_delta = (int32_t)(builder->record_count - 1),
        .base_timestamp_ms = builder->base_timestamp_ms,
        .max_timestamp_ms = is_append_time ? stamp->append_time_ms : builder->max_timestamp_ms,
        .producer_id = stamp->producer_id,
        .producer_epoch = stamp->producer_epoch,
        .base_sequence = stamp->base_sequence,
        .record_count = builder->record_count,
    };
}

static void seal(struct wr_writer *w, struct wr_batch_header header)
{
    wr_batch_header_encode(&header, w->base);
    struct wr_bytes covered = {w->base + WR_BATCH_CRC_FROM, w->len - WR_BATCH_CRC_FROM};
    header.crc = wr_crc32c(covered);
    wr_batch_header_encode(&header, w->base);
}

static int pack(struct wr_batch_builder *builder, enum wr_codec codec, struct weir_error *err)
{
    struct wr_bytes records = {builder->plain.base + WR_BATCH_HEADER_BYTES,
                               builder->plain.len - WR_BATCH_HEADER_BYTES};
    wr_writer_reset(&builder->packed);
    wr_put_zeros(&builder->packed, WR_BATCH_HEADER_BYTES);
    int rc = wr_compress(codec, records, &builder->packed, err);
    if (rc < 0) {
        return rc;
    }
    if (builder->packed.len > builder->plain.max) {
        return wr_fail(err, WEIR_E_LIMIT, "record batch is %zu bytes by %s, more than %zu",
                       builder->packed.len, wr_codec_name(codec), builder->plain.max);
    }
    return 0;
}

int wr_batch_build(struct wr_batch_builder *builder, const struct wr_batch_stamp *stamp,
                   struct wr_bytes *out, struct weir_error *err)
{
    WR_ASSERT(builder->record_count > 0);
    struct wr_writer *w = &builder->plain;
    if (stamp->codec != WR_CODEC_NONE) {
        w = &builder->packed;
        int rc = pack(builder, stamp->codec, err);
        if (rc < 0) {
            return rc;
        }
    } else {
        wr_writer_reset(&builder->packed);
    }
    seal(w, header_of(builder, stamp, w->len));
    *out = wr_writer_bytes(w);
    return 0;
}

uint8_t *wr_batch_builder_bytes(struct wr_batch_builder *builder)
{
    WR_ASSERT(builder->record_count > 0);
    return builder->packed.len > 0 ? builder->packed.base : builder->plain.base;
}
