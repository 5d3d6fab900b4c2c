/* cmd_produce.c - weir produce TOPIC: lines of standard input become records. */
#include "run/commands.h"
#include "run/out.h"
#include "run/progress.h"
#include "run/session.h"

#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SEND_BYTES = 1024 * 1024,          /* how much goes in one call, if it is at hand */
    LINE_BYTES_MAX = 80 * 1024 * 1024, /* over what any log takes; it says so itself */
    PARAMS_MAX = WR_API_PARAMS_MAX
};

struct production {
    struct wr_session session;
    const char *path[5];
    struct wr_api_param params[PARAMS_MAX];
    size_t param_count; /* the last one is lines_before */
    char lines_before[24];
    uint8_t *data; /* what was read and not sent: `len` of `cap` bytes */
    size_t len;
    size_t cap;
    bool is_end;    /* of standard input */
    uint64_t lines; /* sent, and durable */
    uint64_t bytes; /* of them */
    uint64_t total; /* that standard input has, where that is a file; else 0 */
    struct wr_progress progress;
};

/* ---- parameters ---- */

/* \t and \n and \\ in a separator, as shells make them hard to type. */
static void unescape(const char *text, char *out, size_t len)
{
    size_t n = 0;
    for (; *text != 0 && n + 1 < len; text++) {
        char c = *text;
        if (c == '\\' && (text[1] == 't' || text[1] == '\\')) {
            text++;
            c = *text == 't' ? '\t' : '\\';
        }
        out[n++] = c;
    }
    out[n] = 0;
}

static int read_params(const struct wr_cli *cli, struct production *p, char *separator, size_t len,
                       struct weir_error *err)
{
    static const char *const names[] = {"key", "type", "id", "partition"};
    const char *headers[WR_CLI_GIVEN_MAX];
    size_t header_count = wr_cli_values(cli, "header", headers, WR_CLI_GIVEN_MAX);
    if (header_count > PARAMS_MAX - 8) {
        return wr_fail(err, WEIR_E_INPUT, "more than %d headers", PARAMS_MAX - 8);
    }
    for (size_t i = 0; i < WR_COUNT(names); i++) {
        const char *value = wr_cli_value(cli, names[i]);
        if (value != NULL) {
            p->params[p->param_count++] = (struct wr_api_param){names[i], value};
        }
    }
    for (size_t i = 0; i < header_count; i++) {
        p->params[p->param_count++] = (struct wr_api_param){"header", headers[i]};
    }
    if (wr_cli_has(cli, "key-separator")) {
        unescape(wr_cli_value(cli, "key-separator"), separator, len);
        p->params[p->param_count++] = (struct wr_api_param){"key_separator", separator};
    }
    p->params[p->param_count++] = (struct wr_api_param){"lines_before", p->lines_before};
    return 0;
}

/* ---- sending ---- */

static int ignore_answer(void *arg, struct wr_bytes piece, struct weir_error *err)
{
    WR_UNUSED(arg);
    WR_UNUSED(piece);
    WR_UNUSED(err);
    return 0;
}

/* Send the first `len` bytes of what was read; returns when they are durable. */
static int send(struct production *p, size_t len, struct weir_error *err)
{
    const struct wr_api_target target = {
        .method = "POST", .path = p->path, .params = p->params, .param_count = p->param_count};
    const struct wr_http_call call = {
        .target = &target,
        .body = {len == 0 ? (const uint8_t *)"" : p->data, len},
        .take = ignore_answer,
    };
    (void)snprintf(p->lines_before, sizeof(p->lines_before), "%llu", (unsigned long long)p->lines);
    int rc = wr_session_call(&p->session, &call, err);
    if (rc == WEIR_E_INPUT && len > 0) {
        err->code = WEIR_E_CORRUPT; /* a line is wrong, not how weir was called */
        rc = err->code;
    }
    if (rc < 0 || len == 0) {
        return rc;
    }
    const uint8_t *end = p->data + len;
    for (const uint8_t *at = p->data; at < end; p->lines++) {
        const uint8_t *line_end = memchr(at, '\n', (size_t)(end - at));
        at = line_end == NULL ? end : line_end + 1;
    }
    memmove(p->data, end, p->len - len);
    p->len -= len;
    p->bytes += len;
    wr_progress_show(&p->progress, p->bytes, p->total);
    return 0;
}

/* ---- reading ---- */

static bool is_at_hand(void)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
    return poll(&in, 1, 0) == 1;
}

/* Read once. Waits until there is something, the end, or the wish to stop. */
static int read_more(struct production *p, struct weir_error *err)
{
    const int fds[] = {p->session.stop.fd, STDIN_FILENO};
    if (!wr_grow(&p->data, &p->cap, p->len + SEND_BYTES, 1, LINE_BYTES_MAX + SEND_BYTES)) {
        return wr_fail(err, WEIR_E_LIMIT, "line %llu is over %d bytes",
                       (unsigned long long)p->lines + 1, LINE_BYTES_MAX);
    }
    int index = wr_wait_any(fds, 2, -1);
    if (index == 0) {
        return wr_fail(err, WEIR_E_STOPPED, "stopped; %llu records are stored",
                       (unsigned long long)p->lines);
    }
    ssize_t n = index < 0 ? -1 : read(STDIN_FILENO, p->data + p->len, p->cap - p->len);
    if (n < 0 && (index < 0 || errno == EINTR || errno == EAGAIN)) {
        return 0;
    }
    if (n < 0) {
        return wr_fail_errno(err, WEIR_E_IO, "read standard input");
    }
    p->is_end = n == 0;
    p->len += (size_t)n;
    return 0;
}

/* Read until there is a line and nothing more at hand, or enough of them. */
static int read_lines(struct production *p, size_t *whole, struct weir_error *err)
{
    *whole = 0;
    while (!p->is_end) {
        size_t from = p->len;
        int rc = read_more(p, err);
        if (rc < 0) {
            return rc;
        }
        const uint8_t *end = p->len == from ? NULL : memrchr(p->data + from, '\n', p->len - from);
        *whole = end == NULL ? *whole : (size_t)(end - p->data) + 1;
        if (*whole > 0 && (p->len >= SEND_BYTES || !is_at_hand())) {
            return 0;
        }
    }
    *whole = p->len; /* the last line may have no line end */
    return 0;
}

static int send_all(struct production *p, struct weir_error *err)
{
    int rc =
        send(p, 0, err); /* the topic is made, and a wrong name said, before a line is asked for */
    while (rc == 0 && !p->is_end) {
        size_t whole = 0;
        rc = read_lines(p, &whole, err);
        if (rc == 0 && whole > 0) {
            rc = send(p, whole, err);
        }
    }
    return rc;
}

/* Get ready to tell how far it is; a person who types is told what is waited for. */
static void begin(struct production *p)
{
    struct stat st;
    off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);
    bool is_file = fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode);
    p->progress = wr_progress_of("produce");
    p->total = is_file && at >= 0 && st.st_size > at ? (uint64_t)(st.st_size - at) : 0;
    if (isatty(STDIN_FILENO) == 1) {
        p->progress.is_terminal = false; /* it would stand in the lines that are typed */
        fprintf(stderr, "Each line becomes a record; Ctrl-D ends.\n");
    }
}

static int say_done(const struct wr_cli *cli, const struct production *p, struct weir_error *err)
{
    struct wr_writer out = wr_writer_growing(4096);
    if (wr_cli_has(cli, "json")) {
        wr_put_fmt(&out, "{\"topic\": \"%s\", \"records\": %llu}\n", cli->operands[0],
                   (unsigned long long)p->lines);
    } else if (isatty(STDOUT_FILENO) == 1) {
        wr_put_fmt(&out, "%llu %s in '%s'; next: weir tail %s\n", (unsigned long long)p->lines,
                   p->lines == 1 ? "record" : "records", cli->operands[0], cli->operands[0]);
    }
    int rc = wr_out_writer(&out, err);
    wr_writer_fini(&out);
    return rc;
}

static int run_produce(const struct wr_cli *cli, struct weir_error *err)
{
    char separator[64];
    struct production p = {.path = {"api", "topics", cli->operands[0], "records", NULL},
                           .session = {.stop = {-1}}};
    int rc = read_params(cli, &p, separator, sizeof(separator), err);
    rc = rc < 0 ? rc : wr_session_begin(cli, true, &p.session, err);
    if (rc == 0) {
        begin(&p);
        rc = send_all(&p, err);
        wr_progress_clear(&p.progress);
    }
    rc = rc < 0 ? rc : say_done(cli, &p, err);
    wr_free(p.data);
    wr_session_close(&p.session);
    return rc;
}

static const struct wr_cli_option options[] = {
    {"key", 'k', false, "KEY", "the key of every record", WR_CLI_ANY},
    {"key-separator", 's', false, "TEXT", "each line is KEY, TEXT, VALUE (\\t: a tab)", WR_CLI_ANY},
    {"header", 'H', true, "NAME=VALUE", "a header of every record", WR_CLI_ANY},
    {"type", 't', false, "TYPE", "the event's type (header ce_type)", WR_CLI_ANY},
    {"id", 'i', false, "ID", "the event's id (header ce_id); for one line", WR_CLI_ANY},
    {"partition", 'p', false, "N", "this partition, not the key's", WR_CLI_ANY},
    WR_OPTION_JSON,
    WR_OPTION_DIR,
};

const struct wr_command wr_cmd_produce = {
    .name = "produce",
    .operands = "TOPIC",
    .operands_min = 1,
    .operands_max = 1,
    .values = WR_CLI_TOPIC,
    .summary = "make records of the lines of standard input",
    .text = "Each line is a value, byte for byte; it need not be JSON, nor UTF-8. A topic that is\n"
            "not there is made. When weir produce ends with 0, all is as durable as\n"
            "log.durability says.",
    .examples =
        "  echo '{\"type\": \"OrderPlaced\", \"order_id\": 1001}' | weir produce orders --key 1001\n"
        "  weir produce orders --key-separator '\\t' < orders.tsv\n"
        "  weir produce orders --type OrderShipped --id 7f3c -H source=shop < event.json",
    .options = options,
    .option_count = WR_COUNT(options),
    .run = run_produce,
};
