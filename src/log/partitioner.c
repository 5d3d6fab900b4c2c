/* partitioner.c - which partition a key belongs to: murmur2 with Kafka's seed and its way of making the
 * result positive (org.apache.kafka.common.utils.Utils.murmur2, toPositive), so that Java clients,
 * librdkafka's murmur2_random and weir agree. */
#include "log/log.h"

static uint32_t murmur2(struct wr_bytes key)
{
    const uint32_t m = 0x5bd1e995;
    uint32_t h = 0x9747b28c ^ (uint32_t)key.len;
    size_t i = 0;
    for (; key.len - i >= 4; i += 4) {
        uint32_t k = (uint32_t)key.ptr[i] | (uint32_t)key.ptr[i + 1] << 8 |
                     (uint32_t)key.ptr[i + 2] << 16 | (uint32_t)key.ptr[i + 3] << 24;
        k *= m;
        k ^= k >> 24;
        h = h * m ^ k * m;
    }
    size_t left = key.len - i;
    if (left == 3) {
        h ^= (uint32_t)key.ptr[i + 2] << 16;
    }
    if (left >= 2) {
        h ^= (uint32_t)key.ptr[i + 1] << 8;
    }
    if (left >= 1) {
        h = (h ^ key.ptr[i]) * m;
    }
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

uint32_t wr_partition_of_key(struct wr_bytes key, uint32_t partition_count)
{
    return (murmur2(key) & 0x7fffffffU) % partition_count;
}
