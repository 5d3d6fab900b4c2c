/*
 * What stands beside the segments of a log: the first byte says which file the rest is. The CRC that a file
 * ends with is made to fit, so that what lies behind it is reached.
 */
#include "base/writer.h"
#include "data/crc.h"
#include "log/embedded/catalog.h"
#include "log/embedded/checkpoint.h"
#include "log/embedded/epochs.h"
#include "log/embedded/list.h"

enum {
    CRC_BYTES = 4,
    LENGTH_AT = 12
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int see_topic(void *arg, const struct wr_topic_description *d, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(err);
    WR_ASSERT(d->name.len > 0 && d->partition_count > 0);
    return 0;
}

static int see_partition(void *arg, const struct wr_checkpoint_partition *p, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(err);
    WR_ASSERT(p->log_start <= p->end && p->active.base <= p->end);
    return 0;
}

static void decode(uint8_t which, struct wr_bytes file)
{
    struct weir_error err;
    struct wr_checkpoint_head head;
    struct wr_segment_info *segments = NULL;
    struct wr_epoch *epochs = NULL;
    struct wr_topic_id id = {{0}};
    uint64_t sequence = 0;
    size_t count = 0;
    int rc = 0;
    switch (which % 4) {
    case 0: rc = wr_catalog_decode(file, &sequence, see_topic, NULL, &err); break;
    case 1: rc = wr_checkpoint_decode(file, &head, see_partition, NULL, &err); break;
    case 2: rc = wr_list_decode(file, id, 0, &segments, &count, &err); break;
    default: rc = wr_epochs_decode(wr_str_of_bytes(file), &epochs, &count, &err); break;
    }
    WR_ASSERT(rc == 0 || rc == WEIR_E_CORRUPT || rc == WEIR_E_NOMEM);
    wr_free(segments);
    wr_free(epochs);
}

/* The same bytes with a length and a CRC that fit. */
static void decode_fitting(uint8_t which, struct wr_bytes file)
{
    struct wr_writer w = wr_writer_growing(1 << 20);
    wr_put_bytes(&w, file);
    if (which % 4 == 1 && file.len >= LENGTH_AT + CRC_BYTES && w.spoiled == 0) {
        wr_patch_u32(&w, LENGTH_AT, (uint32_t)file.len + CRC_BYTES);
    }
    wr_put_u32(&w, wr_crc32c(wr_writer_bytes(&w)));
    if (w.spoiled == 0) {
        decode(which, wr_writer_bytes(&w));
    }
    wr_writer_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        struct wr_bytes file = {data + 1, size - 1};
        decode(data[0], file);
        decode_fitting(data[0], file);
    }
    return 0;
}
