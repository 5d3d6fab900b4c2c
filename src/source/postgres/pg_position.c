#include "source/postgres/pg_position.h"

#include "source/postgres/pgoutput.h"

#include <inttypes.h>
#include <jansson.h>

enum {
    VERSION = 1
};

static void put_lsn(struct wr_writer *w, const char *name, uint64_t lsn)
{
    char text[WR_PG_LSN_TEXT_MAX];
    wr_put_fmt(w, ",\"%s\":\"%s\"", name, wr_pg_lsn_text(lsn, text));
}

/* A name of the server in JSON. */
static void put_name(struct wr_writer *w, const char *member, const char *name)
{
    wr_put_fmt(w, ",\"%s\":\"", member);
    for (const char *p = name; *p != 0; p++) {
        if ((unsigned char)*p < 0x20) {
            wr_put_fmt(w, "\\u%04x", (unsigned char)*p);
            continue;
        }
        if (*p == '"' || *p == '\\') {
            wr_put_u8(w, '\\');
        }
        wr_put_u8(w, (uint8_t)*p);
    }
    wr_put_lit(w, "\"");
}

void wr_pg_position_put(struct wr_writer *w, const struct wr_pg_position *position,
                        struct wr_str written)
{
    wr_put_fmt(w, "{\"version\":%d", VERSION);
    put_lsn(w, "lsn", position->lsn);
    if (position->tx_commit_lsn == 0) {
        wr_put_lit(w, ",\"tx_commit_lsn\":null");
    } else {
        put_lsn(w, "tx_commit_lsn", position->tx_commit_lsn);
    }
    wr_put_fmt(w, ",\"tx_events\":%" PRIu64, position->tx_events);
    put_lsn(w, "message_lsn", position->message_lsn);
    put_lsn(w, "last_commit_lsn", position->last_commit_lsn);
    put_name(w, "system", position->system);
    wr_put_fmt(w, ",\"timeline\":%" PRIu32, position->timeline);
    put_name(w, "database", position->database);
    put_name(w, "slot", position->slot);
    wr_put_fmt(w, ",\"plugin\":\"pgoutput\",\"publication_oid\":%" PRIu32,
               position->publication_oid);
    if (written.ptr != NULL) {
        wr_put_lit(w, ",\"written\":");
        wr_put_str(w, written);
    }
    wr_put_lit(w, "}");
}

void wr_pg_name_copy(char out[WR_PG_NAME_MAX], struct wr_str name)
{
    WR_ASSERT(name.len < WR_PG_NAME_MAX);
    memcpy(out, name.ptr, name.len);
    out[name.len] = 0;
}

/* ---- reading --------------------------------------------------------------------------------------- */

static bool read_lsn(const json_t *root, const char *name, uint64_t *out)
{
    const json_t *v = json_object_get(root, name);
    return json_is_string(v) &&
           wr_pg_lsn_parse((struct wr_str){json_string_value(v), json_string_length(v)}, out);
}

static bool read_name(const json_t *root, const char *name, char out[WR_PG_NAME_MAX])
{
    const json_t *v = json_object_get(root, name);
    if (!json_is_string(v) || json_string_length(v) >= WR_PG_NAME_MAX) {
        return false;
    }
    wr_pg_name_copy(out, wr_str_of(json_string_value(v)));
    return true;
}

static bool read_number(const json_t *root, const char *name, uint64_t max, uint64_t *out)
{
    const json_t *v = json_object_get(root, name);
    if (!json_is_integer(v) || json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max) {
        return false;
    }
    *out = (uint64_t)json_integer_value(v);
    return true;
}

static bool read_members(const json_t *root, struct wr_pg_position *p)
{
    uint64_t timeline = 0;
    uint64_t oid = 0;
    bool is_whole = json_is_null(json_object_get(root, "tx_commit_lsn"));
    bool is_read = read_lsn(root, "lsn", &p->lsn) &&
                   (is_whole || read_lsn(root, "tx_commit_lsn", &p->tx_commit_lsn)) &&
                   read_number(root, "tx_events", INT64_MAX, &p->tx_events) &&
                   read_lsn(root, "message_lsn", &p->message_lsn) &&
                   read_lsn(root, "last_commit_lsn", &p->last_commit_lsn) &&
                   read_name(root, "system", p->system) &&
                   read_number(root, "timeline", UINT32_MAX, &timeline) &&
                   read_name(root, "database", p->database) && read_name(root, "slot", p->slot) &&
                   read_number(root, "publication_oid", UINT32_MAX, &oid);
    p->timeline = (uint32_t)timeline;
    p->publication_oid = (uint32_t)oid;
    return is_read;
}

int wr_pg_position_parse(struct wr_str text, struct wr_pg_position *out, struct weir_error *err)
{
    json_error_t why;
    json_t *root = json_loadb(text.ptr, text.len, 0, &why);
    struct wr_pg_position position = {0};
    uint64_t version = 0;
    int rc = 0;
    if (!read_number(root, "version", INT64_MAX, &version)) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the stored position is not as weir writes it: '%.*s'",
                     WR_FMT(text));
    } else if (version > VERSION) {
        rc = wr_fail(err, WEIR_E_UNSUPPORTED,
                     "the stored position is of a later weir (version %" PRIu64
                     ", this one knows %d)",
                     version, VERSION);
    } else if (!read_members(root, &position)) {
        rc = wr_fail(err, WEIR_E_CORRUPT, "the stored position is not as weir writes it: '%.*s'",
                     WR_FMT(text));
    }
    json_decref(root);
    if (rc == 0) {
        *out = position;
    }
    return rc;
}
