#include "run/config_help.h"

#include "run/log_options.h"
#include "source/connector_key.h"

static void put_log_keys(struct wr_writer *out)
{
    wr_put_lit(out, "### log\n\n");
    for (size_t i = 0; i < wr_log_key_count; i++) {
        const struct wr_log_key *key = &wr_log_keys[i];
        wr_put_fmt(out, "- `log.%s` (%s; default `%s`): %s\n", key->name, key->type, key->initial,
                   key->help);
    }
}

/* "a|b" → `a`, `b` */
static void put_choices(struct wr_writer *out, const char *choices)
{
    while (choices != NULL && *choices != 0) {
        size_t len = strcspn(choices, "|");
        wr_put_fmt(out, "`%.*s`", (int)len, choices);
        choices += len + (choices[len] == '|' ? 1 : 0);
        wr_put_str(out, *choices == 0 ? WR_STR("") : WR_STR(", "));
    }
}

static void put_kind(struct wr_writer *out, const struct wr_connector_key *key)
{
    static const char *const kinds[] = {[WR_KEY_TEXT] = "text",
                                        [WR_KEY_BOOL] = "true or false",
                                        [WR_KEY_INT] = "number",
                                        [WR_KEY_CHOICE] = "one of "};
    wr_put_fmt(out, "- `%s` (%s", key->name, kinds[key->kind]);
    if (key->kind == WR_KEY_CHOICE) {
        put_choices(out, key->done);
    }
    if (key->initial != NULL) {
        wr_put_fmt(out, "; default `%s`", key->initial);
    }
    wr_put_lit(out, ")");
}

static void put_done(struct wr_writer *out, const struct wr_connector_key *key)
{
    put_kind(out, key);
    wr_put_fmt(out, ": %s", key->doc);
    if (key->later != NULL) {
        wr_put_lit(out, " Refused as yet: ");
        put_choices(out, key->later);
        wr_put_lit(out, ".");
    }
    wr_put_lit(out, "\n");
}

static void put_refused(struct wr_writer *out, const struct wr_connector_key *key)
{
    wr_put_fmt(out, "- `%s`: %s", key->name, key->doc);
    if (key->done != NULL && key->done[0] != 0) {
        wr_put_lit(out, " Taken: ");
        put_choices(out, key->done);
        wr_put_lit(out, ".");
    }
    wr_put_lit(out, "\n");
}

static void put_idle(struct wr_writer *out, const struct wr_connector_key *key)
{
    wr_put_fmt(out, "- `%s`: %s.\n", key->name, key->doc);
}

static void put_keys(struct wr_writer *out, enum wr_key_status status,
                     void (*put)(struct wr_writer *out, const struct wr_connector_key *key))
{
    size_t count = 0;
    const struct wr_connector_key *keys = wr_connector_keys(&count);
    for (size_t i = 0; i < count; i++) {
        if (keys[i].status == status) {
            put(out, &keys[i]);
        }
    }
}

void wr_config_help(struct wr_writer *out)
{
    put_log_keys(out);
    wr_put_lit(out, "\n### sources.NAME\n\n");
    put_keys(out, WR_KEY_DONE, put_done);
    wr_put_lit(out,
               "\n### sources.NAME: refused until they are done, since records would differ\n\n");
    put_keys(out, WR_KEY_REFUSED, put_refused);
    wr_put_lit(out, "\n### sources.NAME: accepted, without effect\n\n");
    put_keys(out, WR_KEY_IDLE, put_idle);
}
