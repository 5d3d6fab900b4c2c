/* cmd_init.c - weir init: a commented weir.yaml to start from. */
#include "run/commands.h"
#include "run/out.h"

#include <fcntl.h>
#include <unistd.h>

static const char text[] =
    "# weir.yaml: what `weir run` runs. Every key is explained in docs/config.md.\n"
    "# ${NAME} is an environment variable, ${file:PATH} the content of a file.\n"
    "\n"
    "log:\n"
    "  dir: ./weir-data          # made when it is not there; relative to this file\n"
    "  durability: fsync         # fsync | interval | os: what a power cut may take back\n"
    "\n"
    "# Where changes come from. The keys are Debezium's; topic.prefix is the source's name.\n"
    "# PostgreSQL needs wal_level=logical, and a user with REPLICATION and SELECT.\n"
    "#\n"
    "# sources:\n"
    "#   app:\n"
    "#     connector.class: postgres\n"
    "#     database.hostname: localhost\n"
    "#     database.port: 5432\n"
    "#     database.user: replication_user\n"
    "#     database.password: ${PGPASSWORD}\n"
    "#     database.dbname: app_db\n"
    "#     plugin.name: pgoutput\n"
    "#     publication.autocreate.mode: filtered\n"
    "#     table.include.list: public.orders,public.customers\n"
    "#     snapshot.mode: initial  # what is there first, then every change\n"
    "#     key.converter: json\n"
    "#     value.converter: json\n"
    "#     key.converter.schemas.enable: false\n"
    "#     value.converter.schemas.enable: false\n"
    "\n"
    "# Read models, kept up to date from the log. Handlers are SQL, by event type; an event's\n"
    "# fields are parameters. For a change event the types are create, read, update, delete\n"
    "# and truncate, the fields the row's columns.\n"
    "#\n"
    "# views:\n"
    "#   analytics:\n"
    "#     from: orders\n"
    "#     to: sqlite:analytics.db\n"
    "#     schema: |\n"
    "#       CREATE TABLE fact_orders (order_id INTEGER PRIMARY KEY, customer_name TEXT,\n"
    "#                                 amount REAL, shipped_at TEXT)\n"
    "#     on:\n"
    "#       OrderPlaced: INSERT INTO fact_orders VALUES (:order_id, :customer_name, :amount, NULL)\n"
    "#       OrderShipped: UPDATE fact_orders SET shipped_at = :_time WHERE order_id = :order_id\n";

static int write_text(const char *path, struct weir_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST) {
        return wr_fail(err, WEIR_E_EXISTS, "'%.200s' is there already; name another file", path);
    }
    if (fd < 0) {
        return wr_fail_errno(err, WEIR_E_IO, "make '%.200s'", path);
    }
    ssize_t n = write(fd, text, sizeof(text) - 1);
    int rc =
        n == (ssize_t)sizeof(text) - 1 ? 0 : wr_fail_errno(err, WEIR_E_IO, "write '%.200s'", path);
    (void)close(fd);
    if (rc < 0) {
        (void)unlink(path);
    }
    return rc;
}

static int run_init(const struct wr_cli *cli, struct weir_error *err)
{
    const char *path = cli->operand_count > 0 ? cli->operands[0] : "weir.yaml";
    struct wr_writer out = wr_writer_growing(8192);
    int rc = write_text(path, err);
    if (rc == 0) {
        wr_put_fmt(&out, "%s is written. Next: edit it, then weir run%s%s\n", path,
                   cli->operand_count > 0 ? " " : "", cli->operand_count > 0 ? path : "");
        rc = wr_out_writer(&out, err);
    }
    wr_writer_fini(&out);
    return rc;
}

const struct wr_command wr_cmd_init = {
    .name = "init",
    .operands = "[FILE]",
    .operands_max = 1,
    .values = WR_CLI_FILE,
    .summary = "write a commented weir.yaml to start from",
    .text = "A file that is there already is left alone.",
    .examples = "  weir init\n  weir init shop.yaml",
    .run = run_init,
};
