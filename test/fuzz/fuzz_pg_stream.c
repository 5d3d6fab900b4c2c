/*
 * Bytes as a whole stream: messages one after the other, each behind its length (u16, big-endian). Tables
 * are described as a catalog might, with a type for each column by what the message says; rows are read.
 * Whatever comes, the position never goes back, and a change that is handed out is of a captured table.
 *
 * The corpus is the session of corpus/pgoutput, as one stream, with XLogData headers and keepalives.
 */
#include "source/postgres/stream.h"

#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A description with as many columns as the message has; `captured` tables only. */
static void describe(struct wr_pg_stream *stream, const struct wr_pg_message *m)
{
    static const uint32_t oids[] = {16,   17,   20,   21,   23,   25,   700,  701,
                                    1082, 1083, 1114, 1184, 1266, 1700, 2950, 3802};
    struct wr_writer json = wr_writer_growing(1 << 20);
    struct weir_error err;
    const struct wr_pg_table *fresh = NULL;
    wr_put_fmt(
        &json,
        "{\"oid\":%" PRIu32
        ",\"schema\":\"s\",\"table\":\"t\",\"identity\":\"d\",\"key\":[\"c0\"],\"columns\":[",
        m->u.relation.oid);
    for (size_t i = 0; i < m->u.relation.column_count; i++) {
        uint32_t oid = m->u.relation.columns[i].type_oid;
        bool is_array = oid % 7 == 3;
        wr_put_fmt(&json,
                   "%s{\"name\":\"c%zu\",\"type\":%" PRIu32 ",\"kind\":\"b\",\"typmod\":%" PRId32,
                   i == 0 ? "" : ",", i, oids[oid % 16], m->u.relation.columns[i].typmod);
        wr_put_fmt(&json, is_array ? ",\"item\":%" PRIu32 ",\"item_kind\":\"b\"}" : "}",
                   oids[oid % 16]);
    }
    wr_put_lit(&json, "]}");
    bool is_captured = m->u.relation.oid % 5 != 4;
    struct wr_str facts = is_captured ? wr_writer_str(&json) : (struct wr_str){NULL, 0};
    int rc = wr_pg_stream_describe(stream, facts, &fresh, &err);
    WR_ASSERT(rc == 0 || fresh == NULL);
    wr_writer_fini(&json);
}

static void check(const struct wr_pg_step *step)
{
    for (size_t i = 0; i < step->change_count; i++) {
        const struct wr_change *c = &step->changes[i];
        WR_ASSERT((c->op == WR_OP_MESSAGE) == (c->table == NULL));
        WR_ASSERT(c->op != WR_OP_CREATE || c->after != NULL);
        WR_ASSERT(c->op != WR_OP_DELETE || c->before != NULL);
    }
}

static bool take(struct wr_pg_stream *stream, struct wr_bytes bytes)
{
    struct wr_pg_step step = {.kind = WR_PG_STEP_NONE};
    struct weir_error err;
    uint64_t lsn = stream->position.lsn;
    if (wr_pg_stream_take(stream, bytes, &step, &err) < 0) {
        return false;
    }
    WR_ASSERT(stream->position.lsn >= lsn);
    if (step.kind == WR_PG_STEP_DESCRIBE) {
        describe(stream, step.relation);
    } else if (step.kind == WR_PG_STEP_CHANGES) {
        check(&step);
        wr_pg_stream_written(stream);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct wr_pg_position position = {.lsn = 1};
    uint64_t version = 1;
    struct wr_pg_stream stream = wr_pg_stream_of(&position, "db", &version);
    bool is_good = true;
    while (is_good && size >= 2) {
        size_t len = (size_t)(data[0] << 8 | data[1]);
        len = len < size - 2 ? len : size - 2;
        is_good = take(&stream, (struct wr_bytes){data + 2, len});
        data += len + 2;
        size -= len + 2;
    }
    wr_pg_stream_fini(&stream);
    return 0;
}
