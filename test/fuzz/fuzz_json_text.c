/* Any bytes: what is compacted is JSON still, has no blanks to lose, and is UTF-8. */
#include "data/json_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_bytes text = {data, size};
    struct wr_writer once = wr_writer_growing(size * 8 + 16);
    struct wr_writer twice = wr_writer_growing(size * 8 + 16);
    bool is_json = wr_put_json_compact(&once, text);
    if (is_json) {
        WR_ASSERT(wr_utf8_is_valid(text));
        WR_ASSERT(wr_put_json_compact(&twice, wr_writer_bytes(&once)));
        WR_ASSERT(wr_bytes_eq(wr_writer_bytes(&once), wr_writer_bytes(&twice)));
    } else if (wr_utf8_is_valid(text)) {
        wr_put_json_string(&twice, wr_str_of_bytes(text));
        WR_ASSERT(wr_put_json_compact(&once, wr_writer_bytes(&twice)));
        WR_ASSERT(wr_bytes_eq(wr_writer_bytes(&once), wr_writer_bytes(&twice)));
    } else {
        wr_put_base64(&twice, text);
        WR_ASSERT(twice.len == (size + 2) / 3 * 4);
    }
    wr_writer_fini(&once);
    wr_writer_fini(&twice);
    return 0;
}
