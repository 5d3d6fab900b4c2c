#include "base/reader.h"
#include "data/batch.h"

enum {
    RECORD_BYTES_MIN = 7,
    HEADER_BYTES_MIN = 2,
    MIB = 1024 * 1024
};

struct wr_batch_limits wr_batch_limits_default(void)
{
    return (struct wr_batch_limits){
        .output_max = (size_t)256 * MIB, .output_free = (size_t)4 * MIB, .ratio_max = 2048};
}

struct wr_batch_iter wr_batch_iter_of(const struct wr_batch_limits *limits, struct wr_arena *arena)
{
    return (struct wr_batch_iter){.limits = *limits,
                                  .arena = arena,
                                  .unpacked = wr_writer_growing(limits->output_max),
                                  .last_delta = -1};
}

void wr_batch_iter_fini(struct wr_batch_iter *iter)
{
    wr_writer_fini(&iter->unpacked);
    iter->records = (struct wr_bytes){NULL, 0};
    iter->header.record_count = 0;
}

static size_t output_limit(const struct wr_batch_limits *limits, size_t input_bytes)
{
    size_t allowed;
    if (!wr_mul(input_bytes, limits->ratio_max, &allowed)) {
        allowed = limits->output_max;
    }
    if (allowed < limits->output_free) {
        allowed = limits->output_free;
    }
    return allowed < limits->output_max ? allowed : limits->output_max;
}

static int unpack(struct wr_batch_iter *iter, struct wr_bytes packed, struct weir_error *err)
{
    enum wr_codec codec = wr_batch_codec(&iter->header);
    wr_writer_reset(&iter->unpacked);
    if (packed.len > 0) {
        int rc = wr_decompress(codec, packed, output_limit(&iter->limits, packed.len),
                               &iter->unpacked, err);
        if (rc < 0) {
            return rc;
        }
    }
    iter->records = wr_writer_bytes(&iter->unpacked);
    return 0;
}

int wr_batch_iter_begin(struct wr_batch_iter *iter, const struct wr_batch *batch,
                        struct weir_error *err)
{
    WR_ASSERT(batch->bytes.len == batch->header.size_bytes);
    iter->header = batch->header;
    iter->pos = 0;
    iter->done = 0;
    iter->last_delta = -1;
    struct wr_reader r = wr_reader_of(batch->bytes);
    (void)wr_read_bytes(&r, WR_BATCH_HEADER_BYTES, "header");
    struct wr_bytes records = wr_read_bytes(&r, wr_reader_left(&r), "records");
    if (wr_batch_codec(&iter->header) == WR_CODEC_NONE) {
        iter->records = records;
    } else {
        int rc = unpack(iter, records, err);
        if (rc < 0) {
            return rc;
        }
    }
    if (iter->header.record_count > iter->records.len / RECORD_BYTES_MIN) {
        return wr_fail(err, WEIR_E_CORRUPT, "%u records do not fit in %zu bytes",
                       iter->header.record_count, iter->records.len);
    }
    return 0;
}

/* A length, and as many bytes; -1 is null. */
static struct wr_bytes read_nullable(struct wr_reader *r, const char *what)
{
    static const uint8_t empty[1];
    int32_t len = wr_read_varint(r, what);
    if (len == -1) {
        return (struct wr_bytes){NULL, 0};
    }
    if (len < 0) {
        wr_reader_spoil(r, what);
        return (struct wr_bytes){NULL, 0};
    }
    struct wr_bytes b = wr_read_bytes(r, (size_t)len, what);
    return b.len > 0 ? b : (struct wr_bytes){empty, 0};
}

static struct wr_header read_header(struct wr_reader *r)
{
    struct wr_bytes name = read_nullable(r, "header name");
    if (name.ptr == NULL) {
        wr_reader_spoil(r, "header name");
    }
    return (struct wr_header){wr_str_of_bytes(name), read_nullable(r, "header value")};
}

static int read_headers(struct wr_batch_iter *iter, struct wr_reader *r, struct wr_record *record,
                        struct weir_error *err)
{
    int32_t count = wr_read_varint(r, "header count");
    if (count < 0) {
        wr_reader_spoil(r, "header count");
        return 0;
    }
    if (count == 0 || !wr_reader_holds(r, (size_t)count, HEADER_BYTES_MIN, "header count")) {
        return 0;
    }
    struct wr_header *headers = NULL;
    if (iter->arena != NULL) {
        headers = wr_arena_array(iter->arena, (size_t)count, sizeof(*headers));
        if (headers == NULL) {
            return wr_fail(err, WEIR_E_LIMIT, "%d record headers are more than memory is given for",
                           count);
        }
    }
    for (int32_t i = 0; i < count; i++) {
        struct wr_header header = read_header(r);
        if (headers != NULL) {
            headers[i] = header;
        }
    }
    record->headers = headers;
    record->header_count = headers != NULL ? (size_t)count : 0;
    return 0;
}

/* Wraps, as Java's addition does: the builder's subtraction does too. */
static int64_t timestamp_of(const struct wr_batch_header *header, int64_t delta)
{
    if ((header->attributes & WR_BATCH_APPEND_TIME) != 0) {
        return header->max_timestamp_ms;
    }
    return (int64_t)((uint64_t)header->base_timestamp_ms + (uint64_t)delta);
}

/* Offsets go up within a batch; compaction may leave gaps. */
static int32_t read_offset_delta(struct wr_batch_iter *iter, struct wr_reader *r)
{
    int32_t delta = wr_read_varint(r, "offset delta");
    if (delta <= iter->last_delta || delta > iter->header.last_offset_delta) {
        wr_reader_spoil(r, "offset delta");
    }
    return delta;
}

static int read_record(struct wr_batch_iter *iter, struct wr_bytes body, int64_t *offset,
                       struct wr_record *record, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(body);
    struct wr_record out = {0};
    (void)wr_read_i8(&r, "record attributes");
    int64_t timestamp_delta = wr_read_varlong(&r, "timestamp delta");
    int32_t delta = read_offset_delta(iter, &r);
    out.timestamp_ms = timestamp_of(&iter->header, timestamp_delta);
    out.key = read_nullable(&r, "key");
    out.value = read_nullable(&r, "value");
    int rc = read_headers(iter, &r, &out, err);
    if (rc == 0) {
        rc = wr_reader_end(&r, err);
    }
    if (rc < 0) {
        return rc;
    }
    iter->last_delta = delta;
    *offset = iter->header.base_offset + delta;
    *record = out;
    return 1;
}

static int at_end(const struct wr_batch_iter *iter, struct weir_error *err)
{
    if (iter->pos != iter->records.len) {
        return wr_fail(err, WEIR_E_CORRUPT, "%zu bytes too many after %u records",
                       iter->records.len - iter->pos, iter->done);
    }
    return 0;
}

int wr_batch_iter_next(struct wr_batch_iter *iter, int64_t *offset, struct wr_record *record,
                       struct weir_error *err)
{
    if (iter->done == iter->header.record_count) {
        return at_end(iter, err);
    }
    struct wr_reader r = wr_reader_of(iter->records);
    r.pos = iter->pos;
    int32_t len = wr_read_varint(&r, "record length");
    if (len < 0) {
        wr_reader_spoil(&r, "record length");
    }
    struct wr_bytes body = wr_read_bytes(&r, len < 0 ? 0 : (size_t)len, "record");
    int rc = wr_reader_ok(&r, err);
    if (rc == 0) {
        rc = read_record(iter, body, offset, record, err);
    }
    if (rc < 0) {
        return wr_wrap(err, "record %u of %u", iter->done + 1, iter->header.record_count);
    }
    iter->pos = r.pos;
    iter->done++;
    return 1;
}

static int verify_records(struct wr_batch_iter *iter, int64_t *max_timestamp_ms,
                          struct weir_error *err)
{
    struct wr_record record = {0};
    int64_t offset = 0;
    int64_t max = -1;
    for (;;) {
        int rc = wr_batch_iter_next(iter, &offset, &record, err);
        if (rc < 0) {
            return rc;
        }
        if (rc == 0) {
            break;
        }
        max = record.timestamp_ms > max ? record.timestamp_ms : max;
    }
    if (max_timestamp_ms != NULL) {
        *max_timestamp_ms = max;
    }
    return 0;
}

int wr_batch_verify(const struct wr_batch *batch, struct wr_batch_iter *iter,
                    int64_t *max_timestamp_ms, struct weir_error *err)
{
    int rc = wr_batch_check_crc(batch, err);
    if (rc == 0) {
        rc = wr_batch_iter_begin(iter, batch, err);
    }
    if (rc < 0) {
        return rc;
    }
    struct wr_arena *arena = iter->arena;
    iter->arena = NULL;
    rc = verify_records(iter, max_timestamp_ms, err);
    iter->arena = arena;
    iter->header.record_count = 0;
    iter->records = (struct wr_bytes){NULL, 0};
    return rc;
}
