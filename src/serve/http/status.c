/* status.c - what runs: weir itself, its sources and its views. */
#include "data/json_text.h"
#include "serve/http/route.h"

#include <unistd.h>

int wr_api_status_get(const struct wr_api_request *request, struct wr_str body,
                      struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    WR_UNUSED(err);
    wr_put_fmt(out,
               "{\"name\": \"weir\", \"version\": \"%s\", \"pid\": %d, \"engine\": ", WEIR_VERSION,
               (int)getpid());
    wr_put_json_string(out, wr_str_of(wr_log_engine(request->api->log)));
    wr_put_lit(out, ", \"durability\": ");
    wr_put_json_string(out, wr_str_of(request->api->durability));
    wr_put_lit(out, "}");
    return 0;
}

static int put_worker(void *to, const struct wr_api_worker *worker, struct weir_error *err)
{
    struct wr_writer *out = to;
    wr_put_str(out, out->len > 1 ? WR_STR(", {") : WR_STR("{"));
    wr_put_lit(out, "\"name\": ");
    wr_put_json_string(out, wr_str_of(worker->name));
    for (size_t i = 0; i < worker->field_count; i++) {
        const struct wr_api_field *field = &worker->fields[i];
        wr_put_fmt(out, ", \"%s\": ", field->name);
        if (field->is_null) {
            wr_put_lit(out, "null");
        } else if (field->text == NULL) {
            wr_put_i64_text(out, field->number);
        } else if (field->is_json) {
            wr_put_str(out, wr_str_of(field->text));
        } else {
            bool is_utf8 = wr_utf8_is_valid(wr_bytes_of_str(wr_str_of(field->text)));
            wr_put_json_string(out, is_utf8 ? wr_str_of(field->text) : WR_STR("(not UTF-8)"));
        }
    }
    wr_put_lit(out, "}");
    return wr_writer_end(out, err);
}

static int put_workers(const struct wr_api_request *request, enum wr_api_worker_kind kind,
                       bool wants_all, struct wr_writer *out, struct weir_error *err)
{
    const struct wr_api *api = request->api;
    wr_put_lit(out, "[");
    int rc = api->workers(api->arg, kind, wants_all, put_worker, out, err);
    wr_put_lit(out, "]");
    return rc;
}

int wr_api_sources_list(const struct wr_api_request *request, struct wr_str body,
                        struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    return put_workers(request, WR_API_SOURCES, false, out, err);
}

int wr_api_sources_status(const struct wr_api_request *request, struct wr_str body,
                          struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    return put_workers(request, WR_API_SOURCES, true, out, err);
}

int wr_api_views_list(const struct wr_api_request *request, struct wr_str body,
                      struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    return put_workers(request, WR_API_VIEWS, false, out, err);
}

int wr_api_views_status(const struct wr_api_request *request, struct wr_str body,
                        struct wr_writer *out, struct weir_error *err)
{
    WR_UNUSED(body);
    return put_workers(request, WR_API_VIEWS, true, out, err);
}
