#include "data/record.h"

struct wr_bytes wr_record_header(const struct wr_record *record, const char *name)
{
    struct wr_str wanted = wr_str_of(name);
    for (size_t i = record->header_count; i > 0; i--) {
        if (wr_str_eq(record->headers[i - 1].name, wanted)) {
            return record->headers[i - 1].value;
        }
    }
    return (struct wr_bytes){NULL, 0};
}
