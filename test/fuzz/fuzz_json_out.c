/*
 * Any bytes as a JSON string: what comes out is JSON in UTF-8, and its string has the characters that went
 * in, U+FFFD for each byte that is none.
 */
#include "base/utf8.h"
#include "data/json_out.h"
#include "data/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Characters that the bytes stand for, counted; each bad byte is one. */
static size_t characters(const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len;
    size_t count = 0;
    while (p < end) {
        size_t n = wr_utf8_len(p, end);
        p += n == 0 ? 1 : n;
        count++;
    }
    return count;
}

/* The same of a JSON string: an escape is one, a pair of surrogates too. */
static size_t characters_of_json(const uint8_t *p, size_t len)
{
    const uint8_t *end = p + len - 1;
    size_t count = 0;
    for (p++; p < end; count++) {
        if (*p != '\\') {
            p += wr_utf8_len(p, end);
        } else if (p[1] != 'u') {
            p += 2;
        } else {
            p += p[2] == 'D' ? 12 : 6;
        }
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_writer w = wr_writer_growing(1 << 24);
    struct wr_writer compact = wr_writer_growing(1 << 24);
    struct wr_json_out out = wr_json_begin(&w);
    wr_json_put_text(&out, (struct wr_str){(const char *)data, size});
    wr_json_end(&out);
    struct wr_bytes json = wr_writer_bytes(&w);
    WR_ASSERT(wr_utf8_is_valid(json));
    WR_ASSERT(wr_put_json_compact(&compact, json));
    WR_ASSERT(wr_bytes_eq(wr_writer_bytes(&compact), json));
    WR_ASSERT(characters_of_json(json.ptr, json.len) == characters(data, size));
    wr_writer_fini(&w);
    wr_writer_fini(&compact);
    return 0;
}
