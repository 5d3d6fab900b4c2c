/* catalog.c - topics as bytes. */
#include "log/embedded/catalog.h"

#include "base/reader.h"
#include "data/crc.h"

#include <stdio.h>

enum {
    VERSION = 1,
    CRC_BYTES = 4,
    DESCRIPTION_BYTES_MIN = 16 + 4 + 2 + 1 + 4,
    SETTING_BYTES_MIN = 6,
    ARENA_MAX = 1 << 20
};

static const struct wr_str MAGIC = WR_STR_INIT("WEIRCTLG");

/* ---- descriptions ---- */

static void put_text(struct wr_writer *w, const char *text, bool is_long)
{
    struct wr_str s = wr_str_of(text);
    if (is_long) {
        wr_put_u32(w, (uint32_t)s.len);
    } else {
        wr_put_u16(w, (uint16_t)s.len);
    }
    wr_put_str(w, s);
}

void wr_description_put(struct wr_writer *w, const struct wr_topic_state *topic)
{
    wr_put_bytes(w, (struct wr_bytes){topic->topic.id.bytes, sizeof(topic->topic.id.bytes)});
    wr_put_u32(w, topic->topic.partition_count);
    put_text(w, topic->topic.name, false);
    wr_put_u32(w, (uint32_t)topic->setting_count);
    for (size_t i = 0; i < topic->setting_count; i++) {
        put_text(w, topic->settings[i].key, false);
        put_text(w, topic->settings[i].value, true);
    }
}

/* A NUL-terminated copy of `len` bytes. */
static const char *read_text(struct wr_reader *r, struct wr_arena *arena, size_t len,
                             const char *what)
{
    struct wr_str s = wr_str_of_bytes(wr_read_bytes(r, len, what));
    if (memchr(s.ptr == NULL ? "" : s.ptr, '\0', s.len) != NULL) {
        wr_reader_spoil(r, what);
    }
    return wr_arena_str(arena, s);
}

bool wr_description_read(struct wr_reader *r, struct wr_arena *arena,
                         struct wr_topic_description *out)
{
    struct wr_topic_description d = {0};
    struct wr_bytes id = wr_read_bytes(r, sizeof(d.id.bytes), "topic id");
    if (id.len == sizeof(d.id.bytes)) {
        memcpy(d.id.bytes, id.ptr, id.len);
    }
    d.partition_count = wr_read_u32(r, "partition count");
    d.name = wr_str_of_bytes(wr_read_bytes(r, wr_read_u16(r, "name length"), "name"));
    size_t count = wr_read_u32(r, "setting count");
    if (!wr_reader_holds(r, count, SETTING_BYTES_MIN, "settings")) {
        count = 0;
    }
    struct wr_topic_setting *settings = wr_arena_array(arena, count + 1, sizeof(*settings));
    if (settings == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        settings[i].key = read_text(r, arena, wr_read_u16(r, "key length"), "key");
        settings[i].value = read_text(r, arena, wr_read_u32(r, "value length"), "value");
        if (settings[i].key == NULL || settings[i].value == NULL) {
            return false;
        }
    }
    if (d.partition_count < 1 || d.partition_count > 100000 || d.name.len < 1 ||
        d.name.len > 249) { /* as log.c lets through */
        wr_reader_spoil(r, "partition count or name");
    }
    d.settings = settings;
    d.setting_count = count;
    *out = d;
    return true;
}

/* ---- the file ---- */

void wr_catalog_encode(const struct wr_embedded *e, struct wr_writer *w)
{
    wr_put_str(w, MAGIC);
    wr_put_u32(w, VERSION);
    wr_put_u64(w, e->catalog_sequence);
    wr_put_u32(w, (uint32_t)e->topic_count);
    for (size_t i = 0; i < e->topic_count; i++) {
        wr_description_put(w, e->topics[i]);
    }
    wr_put_u32(w, wr_crc32c(wr_writer_bytes(w)));
}

static int check_file(struct wr_bytes file, struct wr_bytes *inside, struct weir_error *err)
{
    struct wr_reader r = wr_reader_of(file);
    size_t len = file.len < CRC_BYTES ? 0 : file.len - CRC_BYTES;
    struct wr_bytes covered = wr_read_bytes(&r, len, "catalog");
    uint32_t crc = wr_read_u32(&r, "CRC");
    int rc = wr_reader_end(&r, err);
    if (rc == 0 && wr_crc32c(covered) != crc) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the CRC does not fit");
    }
    *inside = covered;
    return rc;
}

int wr_catalog_decode(struct wr_bytes file, uint64_t *sequence,
                      int (*each)(void *arg, const struct wr_topic_description *description,
                                  struct weir_error *err),
                      void *arg, struct weir_error *err)
{
    struct wr_bytes inside;
    int rc = check_file(file, &inside, err);
    if (rc < 0) {
        return rc;
    }
    struct wr_reader r = wr_reader_of(inside);
    if (!wr_str_eq(wr_str_of_bytes(wr_read_bytes(&r, MAGIC.len, "magic")), MAGIC)) {
        wr_reader_spoil(&r, "magic");
    }
    if (wr_read_u32(&r, "version") != VERSION) {
        wr_reader_spoil(&r, "version");
    }
    *sequence = wr_read_u64(&r, "sequence");
    size_t count = wr_read_u32(&r, "topic count");
    if (!wr_reader_holds(&r, count, DESCRIPTION_BYTES_MIN, "topics")) {
        count = 0;
    }
    rc = wr_reader_ok(&r, err);
    struct wr_arena arena = wr_arena_of(ARENA_MAX);
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct wr_topic_description d;
        wr_arena_reset(&arena);
        if (!wr_description_read(&r, &arena, &d)) {
            rc = wr_fail(err, WEIR_E_NOMEM, "the settings of a topic");
        }
        rc = rc == 0 ? wr_reader_ok(&r, err) : rc;
        rc = rc == 0 ? each(arg, &d, err) : rc;
    }
    wr_arena_fini(&arena);
    return rc == 0 ? wr_reader_end(&r, err) : rc;
}

/* ---- partition.metadata ---- */

/* RFC 4648, section 5. */
static const char BASE64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

enum {
    ID_BYTES = 16,
    ID_CHARS = 22 /* 128 bits in sixes; the last two bits of the last one are 0 */
};

size_t wr_metadata_put(const struct wr_topic_id *id, char *out)
{
    char text[ID_CHARS + 1] = {0};
    uint32_t bits = 0;
    unsigned have = 0;
    size_t at = 0;
    for (size_t i = 0; i < ID_BYTES; i++) {
        bits = bits << 8 | id->bytes[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            text[at] = BASE64URL[bits >> have & 63];
            at++;
        }
    }
    text[at] = BASE64URL[bits << (6 - have) & 63];
    int n = snprintf(out, WR_METADATA_BYTES, "version: 0\ntopic_id: %s\n", text);
    WR_ASSERT(n > 0 && n < WR_METADATA_BYTES);
    return (size_t)n;
}

static bool read_id(const char *chars, struct wr_topic_id *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t at = 0;
    for (size_t i = 0; i < ID_CHARS; i++) {
        const char *found = chars[i] == '\0' ? NULL : strchr(BASE64URL, chars[i]);
        if (found == NULL) {
            return false;
        }
        bits = bits << 6 | (uint32_t)(found - BASE64URL);
        have += 6;
        if (have >= 8 && at < ID_BYTES) {
            have -= 8;
            out->bytes[at] = (uint8_t)(bits >> have);
            at++;
        }
    }
    return at == ID_BYTES;
}

bool wr_metadata_read(struct wr_str text, struct wr_topic_id *out)
{
    static const struct wr_str head = WR_STR_INIT("version: 0\ntopic_id: ");
    if (text.len < head.len + ID_CHARS || memcmp(text.ptr, head.ptr, head.len) != 0) {
        return false;
    }
    return read_id(text.ptr + head.len, out);
}
