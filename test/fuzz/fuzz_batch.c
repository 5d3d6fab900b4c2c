/*
 * Bytes as a batch: header, CRC, every record in whatever codec, transaction marker.
 *
 * A fuzzer cannot guess a CRC, so the bytes are first taken as they are and then once more with the CRC
 * made right, to get at the records. What is accepted must keep its promises: header bytes come out as
 * they went in, offsets ascend within the batch's range, two passes give the same.
 */
#include "data/batch.h"

#include <stdlib.h>

enum {
    ARENA_BYTES = 1 << 20
};

/* Small, so that a bomb is found by its limit and not by the clock. */
static const struct wr_batch_limits limits = {4 << 20, 1 << 20, 64};

static void walk(const struct wr_batch *batch, struct wr_batch_iter *iter)
{
    struct weir_error err = {0};
    struct wr_record record = {0};
    int64_t offset = 0;
    int64_t last = batch->header.base_offset - 1;
    int rc = wr_batch_iter_begin(iter, batch, &err);
    WR_ASSERT(rc == 0); /* it was verified */
    uint32_t count = 0;
    for (;;) {
        rc = wr_batch_iter_next(iter, &offset, &record, &err);
        if (rc <= 0) {
            break;
        }
        WR_ASSERT(offset > last && offset <= wr_batch_last_offset(&batch->header));
        last = offset;
        count++;
        (void)wr_record_header(&record, "trace");
    }
    WR_ASSERT(rc == WEIR_E_LIMIT || count == batch->header.record_count);
}

static void take(struct wr_bytes in)
{
    struct weir_error err = {0};
    struct wr_batch batch = {0};
    if (wr_batch_of(in, &batch, &err) < 0) {
        return;
    }
    uint8_t again[WR_BATCH_HEADER_BYTES];
    wr_batch_header_encode(&batch.header, again);
    WR_ASSERT(memcmp(again, batch.bytes.ptr, sizeof(again)) == 0);

    struct wr_arena arena = wr_arena_of(ARENA_BYTES);
    struct wr_batch_iter iter = wr_batch_iter_of(&limits, &arena);
    struct wr_marker marker = {0};
    if (wr_batch_verify(&batch, &iter, NULL, &err) == 0) {
        walk(&batch, &iter);
    }
    if (wr_marker_decode(&batch, &marker, &err) == 0) {
        WR_ASSERT(marker.base_offset == batch.header.base_offset);
    }
    wr_batch_iter_fini(&iter);
    wr_arena_fini(&arena);
}

static void take_sealed(const uint8_t *data, size_t size)
{
    struct weir_error err = {0};
    struct wr_batch_header header = {0};
    uint8_t *copy = malloc(size);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, data, size);
    if (wr_batch_header_decode((struct wr_bytes){copy, size}, &header, &err) == 0 &&
        header.size_bytes <= size) {
        wr_batch_patch_max_timestamp(copy, header.size_bytes, header.max_timestamp_ms);
        take((struct wr_bytes){copy, size});
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    take((struct wr_bytes){data, size});
    if (size >= WR_BATCH_HEADER_BYTES) {
        take_sealed(data, size);
    }
    return 0;
}
