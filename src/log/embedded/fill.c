/* fill.c - appending to the commit that is being filled, and sealing it. */
#include "log/embedded/fill.h"

#include "log/embedded/engine.h"
#include "log/embedded/topics.h"

enum {
    BATCH_BYTES = 1024 * 1024, /* about: a batch is closed when the next record would go beyond */
    RECORD_OVERHEAD = 64,      /* more than the lengths, deltas and counts of a record take */
    HEADER_OVERHEAD = 12,
    OVERHEAD_MAX = 16 * 1024 * 1024 /* of a commit of many small records */
};

static struct wr_embedded_writer *writer_of(struct wr_log_writer *writer)
{
    return (struct wr_embedded_writer *)(void *)writer;
}

size_t wr_fill_batch_max(const struct wr_embedded_writer *w)
{
    return w->writer.commit_max_bytes + OVERHEAD_MAX + BATCH_BYTES;
}

static size_t payload_bytes(const struct wr_record *record)
{
    size_t bytes = record->key.len + record->value.len;
    for (size_t i = 0; i < record->header_count; i++) {
        bytes += record->headers[i].name.len + record->headers[i].value.len;
    }
    return bytes;
}

/* May the topic have such a record? */
static int check_record(const struct wr_topic_state *topic, uint32_t partition,
                        const struct wr_record *record, struct weir_error *err)
{
    const struct wr_partition *p = &topic->partitions[partition];
    bool needs_key =
        (topic->config.cleanup & WR_CLEANUP_COMPACT) != 0 || topic->config.index == WR_INDEX_KEY;
    if (wr_topic_is_deleted(topic)) {
        return wr_topic_gone(topic, err);
    }
    if (needs_key && record->key.ptr == NULL) {
        return wr_fail(err, WEIR_E_INPUT,
                       "topic '%s' is %s: a record without a key cannot be in it",
                       topic->topic.name,
                       topic->config.index == WR_INDEX_KEY ? "indexed by key" : "compacted");
    }
    if (__atomic_load_n(&p->is_quarantined, __ATOMIC_RELAXED)) {
        return wr_fail(
            err, WEIR_E_DAMAGED,
            "'%s' partition %u is damaged and takes no more records; see: weir log verify",
            topic->topic.name, partition);
    }
    return 0;
}

/* Small records take more than what is in them, so both are bounded. */
static int check_size(const struct wr_embedded_writer *w, size_t payload, size_t encoded,
                      struct weir_error *err)
{
    const struct wr_commit *c = w->filling;
    size_t max = w->writer.commit_max_bytes;
    if (payload > max) {
        return wr_fail(err, WEIR_E_LIMIT,
                       "the record has %zu bytes, and %zu are possible in one commit", payload,
                       max);
    }
    if (payload > max - c->payload_bytes || encoded > max + OVERHEAD_MAX - c->bytes ||
        c->part_count > w->e->commit_parts_max) {
        return wr_fail(
            err, WEIR_E_LIMIT,
            "the commit is full, commit first: it has %zu bytes of %zu, in %zu partitions "
            "of %zu",
            c->payload_bytes, max, c->part_count, w->e->commit_parts_max);
    }
    return 0;
}

static uint32_t choose_partition(struct wr_embedded_writer *w, const struct wr_log_topic *topic,
                                 uint32_t partition, const struct wr_record *record)
{
    if (partition != WR_PARTITION_BY_KEY) {
        return partition;
    }
    if (record->key.ptr != NULL) {
        return wr_partition_of_key(record->key, topic->partition_count);
    }
    return w->round_robin++ % topic->partition_count;
}

struct wr_marked *wr_fill_marked(struct wr_embedded_writer *w, struct wr_topic_state *topic,
                                 uint32_t partition)
{
    for (size_t i = w->marked_count; i-- > 0;) {
        if (w->marked[i].topic == topic && w->marked[i].partition == partition) {
            return &w->marked[i];
        }
    }
    return NULL;
}

static enum wr_codec codec_of(const struct wr_topic_config *config)
{
    switch ((enum wr_topic_compression)config->compression) {
    case WR_COMPRESS_GZIP: return WR_CODEC_GZIP;
    case WR_COMPRESS_SNAPPY: return WR_CODEC_SNAPPY;
    case WR_COMPRESS_LZ4: return WR_CODEC_LZ4;
    case WR_COMPRESS_ZSTD: return WR_CODEC_ZSTD;
    case WR_COMPRESS_AS_PRODUCED:
    case WR_COMPRESS_NONE: break;
    }
    return WR_CODEC_NONE;
}

/* The offset, epoch and append time are the round's to give. */
static struct wr_batch_stamp stamp_of(struct wr_embedded_writer *w, struct wr_commit_part *part,
                                      bool is_marked)
{
    struct wr_batch_stamp stamp = wr_batch_stamp_plain();
    stamp.codec = codec_of(&part->topic->config);
    if (is_marked) {
        const struct wr_marked *m = wr_fill_marked(w, part->topic, part->partition->number);
        uint32_t before = m == NULL ? 0 : m->sequence;
        stamp.is_transactional = true;
        stamp.producer_id = w->producer_id;
        stamp.producer_epoch = 0;
        stamp.base_sequence = (int32_t)((before + part->sequence_count) & INT32_MAX);
    }
    return stamp;
}

static int close_batch(struct wr_embedded_writer *w, struct wr_commit_part *part, bool is_marked,
                       struct weir_error *err)
{
    size_t before = part->batches.len;
    size_t open = wr_batch_builder_size(&part->builder);
    struct wr_batch_stamp stamp = stamp_of(w, part, is_marked);
    int rc = wr_commit_close_batch(part, &stamp, err);
    if (rc == 0) {
        size_t closed = part->batches.len - before;
        w->filling->bytes += closed;
        w->filling->bytes -= open;
        part->bytes = part->batches.len;
    }
    return rc;
}

/* The part to append to, with the batch in it closed when the record would make it too large. */
static int open_part(struct wr_embedded_writer *w, struct wr_topic_state *topic, uint32_t partition,
                     size_t record_bytes, struct wr_commit_part **out, struct weir_error *err)
{
    struct wr_commit_part *part =
        wr_commit_part(w->filling, topic, partition, wr_fill_batch_max(w));
    if (part == NULL) {
        return wr_fail(err, WEIR_E_NOMEM, "a record of %zu bytes", record_bytes);
    }
    *out = part;
    if (part->builder.record_count > 0 &&
        wr_batch_builder_size(&part->builder) + record_bytes > BATCH_BYTES) {
        return close_batch(w, part, w->writer.is_marked, err);
    }
    return 0;
}

int wr_embedded_append(struct wr_log_writer *writer, struct wr_log_topic *handle,
                       uint32_t partition, const struct wr_record *record, struct weir_error *err)
{
    struct wr_embedded_writer *w = writer_of(writer);
    struct wr_topic_state *topic = wr_topic_state_of(handle);
    partition = choose_partition(w, handle, partition, record);
    size_t payload = payload_bytes(record);
    size_t bytes = payload + RECORD_OVERHEAD + record->header_count * HEADER_OVERHEAD;
    int rc = check_record(topic, partition, record, err);
    rc = rc == 0 ? check_size(w, payload, bytes, err) : rc;
    struct wr_commit_part *part = NULL;
    size_t count_before = w->filling->part_count;
    rc = rc == 0 ? open_part(w, topic, partition, bytes, &part, err) : rc;
    if (rc < 0) {
        return rc;
    }
    WR_ASSERT(part != NULL);
    size_t before = part->builder.record_count == 0 ? 0 : wr_batch_builder_size(&part->builder);
    int64_t time_ms = record->timestamp_ms;
    if (time_ms < 0) {
        time_ms = wr_wall_ms(w->e->clock);
    }
    rc = wr_batch_append(&part->builder, record, time_ms, err);
    if (rc < 0) {
        WR_ASSERT(part->record_count > 0 || w->filling->part_count == count_before + 1);
        return rc; /* a part without records stays behind and is passed over */
    }
    size_t added = wr_batch_builder_size(&part->builder) - before;
    part->bytes += added;
    part->record_count++;
    w->filling->bytes += added;
    w->filling->payload_bytes += payload;
    w->filling->record_count++;
    return 0;
}

size_t wr_embedded_writer_pending(const struct wr_log_writer *writer, size_t *bytes)
{
    const struct wr_embedded_writer *w = (const struct wr_embedded_writer *)(const void *)writer;
    *bytes = w->filling->payload_bytes;
    return w->filling->record_count;
}

void wr_embedded_writer_drop(struct wr_log_writer *writer)
{
    wr_commit_reset(writer_of(writer)->filling);
}

/* Parts that got no record, because a first append failed, are no parts. */
static void drop_empty_parts(struct wr_commit *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->part_count; i++) {
        struct wr_commit_part part = c->parts[i];
        if (part.record_count > 0 || part.has_marker) {
            c->parts[i] = c->parts[kept];
            c->parts[kept] = part;
            kept++;
        }
    }
    for (size_t i = kept; i < c->part_count; i++) {
        wr_topic_state_unref(c->parts[i].topic);
        c->parts[i].topic = NULL;
    }
    c->part_count = kept;
}

/* One batch stays where it stands; several go in a row. */
static int seal_part(struct wr_embedded_writer *w, struct wr_commit_part *part, bool is_marked,
                     struct weir_error *err)
{
    int rc = 0;
    if (part->batches.len > 0 && part->builder.record_count > 0) {
        rc = close_batch(w, part, is_marked, err);
    }
    part->data = part->batches.base;
    part->len = part->batches.len;
    if (rc < 0 || part->len > 0) {
        return rc;
    }
    struct wr_batch_stamp stamp = stamp_of(w, part, is_marked);
    struct wr_bytes batch = {NULL, 0};
    rc = wr_batch_build(&part->builder, &stamp, &batch, err);
    if (rc == 0) {
        part->data = wr_batch_builder_bytes(&part->builder);
        part->len = batch.len;
    }
    return rc;
}

int wr_fill_seal(struct wr_embedded_writer *w, struct wr_commit *c, bool is_marked,
                 struct weir_error *err)
{
    drop_empty_parts(c);
    int rc = 0;
    for (size_t i = 0; i < c->part_count && rc == 0; i++) {
        rc = seal_part(w, &c->parts[i], is_marked, err);
    }
    return rc;
}
