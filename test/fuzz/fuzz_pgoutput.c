/*
 * Bytes as one message of a replication connection: as CopyData, as what is in it, and as a line of COPY.
 * What is accepted must lie within the bytes.
 *
 * The corpus holds messages of PostgreSQL 15.20: pg_logical_slot_get_binary_changes(slot, NULL, NULL,
 * 'proto_version', '1', 'publication_names', 'fz', 'messages', 'true'), a file each, over inserts,
 * updates and deletes under all replica identities, a domain, an enum, a TOASTed value, a truncate,
 * messages and an added column.
 */
#include "source/postgres/pgoutput.h"
#include "source/postgres/snapshot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_within(struct wr_bytes part, struct wr_bytes whole)
{
    WR_ASSERT(part.len == 0 || (part.ptr >= whole.ptr && part.len <= whole.len &&
                                (size_t)(part.ptr - whole.ptr) <= whole.len - part.len));
}

static void walk_tuple(const struct wr_pg_tuple *tuple, struct wr_bytes whole)
{
    for (size_t i = 0; i < tuple->count; i++) {
        must_be_within(tuple->fields[i].text, whole);
    }
}

static void walk(const struct wr_pg_message *m, struct wr_bytes whole)
{
    if (m->kind == WR_PG_INSERT || m->kind == WR_PG_UPDATE || m->kind == WR_PG_DELETE) {
        walk_tuple(&m->u.row.before, whole);
        walk_tuple(&m->u.row.after, whole);
    }
    for (size_t i = 0; m->kind == WR_PG_RELATION && i < m->u.relation.column_count; i++) {
        must_be_within(wr_bytes_of_str(m->u.relation.columns[i].name), whole);
    }
    if (m->kind == WR_PG_MESSAGE) {
        must_be_within(m->u.message.content, whole);
    }
}

static void split_line(const uint8_t *data, size_t size)
{
    struct wr_pg_field fields[64];
    struct weir_error err;
    uint8_t *line = wr_alloc_array(size + 1, 1);
    if (line == NULL) {
        return;
    }
    if (size > 0) {
        memcpy(line, data, size);
    }
    int count = wr_pg_copy_split(line, size, fields, 64, &err);
    for (int i = 0; i < count; i++) {
        must_be_within(fields[i].text, (struct wr_bytes){line, size});
    }
    wr_free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_pgoutput decoder = {0};
    struct wr_pg_message message;
    struct wr_pg_copy copy;
    struct weir_error err;
    struct wr_bytes bytes = {data, size};
    if (wr_pg_copy_decode(bytes, &copy, &err) == 0) {
        must_be_within(copy.payload, bytes);
    }
    if (wr_pgoutput_decode(&decoder, bytes, &message, &err) == 0) {
        walk(&message, bytes);
    }
    wr_pgoutput_fini(&decoder);
    split_line(data, size);
    return 0;
}
