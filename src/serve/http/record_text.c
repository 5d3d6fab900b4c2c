#include "serve/http/record_text.h"

#include "base/iso_time.h"
#include "data/json_text.h"

/* "key": … or "key_base64": …, by what the bytes are. */
static void put_member(struct wr_writer *out, const char *name, struct wr_bytes bytes)
{
    bool is_text = bytes.ptr == NULL || wr_utf8_is_valid(bytes);
    wr_put_fmt(out, ",\"%s%s\":", name, is_text ? "" : "_base64");
    if (bytes.ptr == NULL) {
        wr_put_lit(out, "null");
    } else if (!is_text) {
        wr_put_u8(out, '"');
        wr_put_base64(out, bytes);
        wr_put_u8(out, '"');
    } else if (!wr_put_json_compact(out, bytes)) {
        wr_put_json_string(out, wr_str_of_bytes(bytes));
    }
}

static void put_header(struct wr_writer *out, const struct wr_header *header)
{
    bool is_name = wr_utf8_is_valid(wr_bytes_of_str(header->name));
    wr_put_u8(out, '[');
    if (is_name) {
        wr_put_json_string(out, header->name);
    } else {
        wr_put_lit(out, "{\"base64\":\"");
        wr_put_base64(out, wr_bytes_of_str(header->name));
        wr_put_lit(out, "\"}");
    }
    wr_put_u8(out, ',');
    if (header->value.ptr == NULL) {
        wr_put_lit(out, "null");
    } else if (wr_utf8_is_valid(header->value)) {
        wr_put_json_string(out, wr_str_of_bytes(header->value));
    } else {
        wr_put_lit(out, "{\"base64\":\"");
        wr_put_base64(out, header->value);
        wr_put_lit(out, "\"}");
    }
    wr_put_u8(out, ']');
}

void wr_put_record_json(struct wr_writer *out, const char *topic, uint32_t partition,
                        const struct wr_log_record *record)
{
    wr_put_fmt(out, "{\"topic\":\"%s\",\"partition\":%u,\"offset\":%lld,\"timestamp\":%lld", topic,
               partition, (long long)record->offset, (long long)record->record.timestamp_ms);
    put_member(out, "key", record->record.key);
    put_member(out, "value", record->record.value);
    wr_put_lit(out, ",\"headers\":[");
    for (size_t i = 0; i < record->record.header_count; i++) {
        if (i > 0) {
            wr_put_u8(out, ',');
        }
        put_header(out, &record->record.headers[i]);
    }
    wr_put_lit(out, "]}\n");
}

/* ---- plain ---- */

static void put_plain(struct wr_writer *out, struct wr_bytes bytes)
{
    if (bytes.ptr == NULL) {
        wr_put_u8(out, '-');
        return;
    }
    if (wr_put_json_compact(out, bytes)) {
        return;
    }
    bool is_utf8 = wr_utf8_is_valid(bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.ptr[i];
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8)) {
            wr_put_fmt(out, "\\x%02x", c);
        } else {
            wr_put_u8(out, c);
        }
    }
}

void wr_put_record_plain(struct wr_writer *out, const char *topic, uint32_t partition,
                         const struct wr_log_record *record)
{
    char time[WR_ISO_TIME_LEN + 1];
    wr_iso_time_format(record->record.timestamp_ms, time);
    wr_put_fmt(out, "%s-%u:%lld\t%s\t", topic, partition, (long long)record->offset, time);
    put_plain(out, record->record.key);
    wr_put_u8(out, '\t');
    put_plain(out, record->record.value);
    wr_put_u8(out, '\n');
}
