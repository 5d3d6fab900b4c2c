#!/usr/bin/python3
"""How fast do changes come out of PostgreSQL, against a program that throws them away?

    bench/cdc.py FOLDER [TRANSACTIONS=20000] [ROWS=100] [ROUNDS=5]

TRANSACTIONS of ROWS inserts each are written once. Then weir (its envelope as JSON without schemas, durability
fsync) and `pg_recvlogical -f /dev/null` read them in turn, each time from a fresh slot made before they were
written: same protocol version, same publication, both over the Unix socket. The clock runs from exec until the
last change is durable and another process has read it (weir), or until pg_recvlogical has seen its LSN. Figures are
medians; the number of records is checked in each round.
"""

import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "test"))

from harness.postgres import BIN, Postgres  # noqa: E402
from harness.process import spawn  # noqa: E402
from harness.weir import BINARY, Weir  # noqa: E402

TABLE = """CREATE TABLE orders (order_id bigint PRIMARY KEY, customer_id int NOT NULL, amount numeric(10,2) NOT NULL,
           status varchar(20) NOT NULL, created_at timestamp(3) NOT NULL, note text)"""
ROWS = """INSERT INTO orders SELECT i, i % 5000, (i % 100000) / 100.0, 'pending', '2024-03-15 10:40:00'::timestamp + i * interval '1 s',
          'a note of some length, as orders have it ' || i FROM generate_series({first}, {last}) i"""
CONFIG = """sources:
  app:
    connector.class: postgres
    database.hostname: {socket}
    database.port: {port}
    database.user: postgres
    database.dbname: postgres
    slot.name: {slot}
    publication.name: bench
    publication.autocreate.mode: disabled
    table.include.list: public.orders,public.done
    snapshot.mode: no_data
    value.converter.schemas.enable: false
    key.converter.schemas.enable: false
"""


def load(server, transactions, rows):
    """Write it all, by a procedure that commits; where the WAL ends then."""
    server.execute(f"""CREATE PROCEDURE load() LANGUAGE plpgsql AS $$
        BEGIN FOR n IN 0..{transactions - 1} LOOP
            {ROWS.format(first=f"n * {rows} + 1", last=f"(n + 1) * {rows}")};
            COMMIT;
        END LOOP; END $$""")
    server.execute("CALL load()")
    server.execute("INSERT INTO done VALUES (1)")
    return server.value("SELECT pg_current_wal_lsn()::text")


def cpu_of(pid):
    """Seconds of CPU that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def sender_cpu(server):
    """Of the walsender that runs now."""
    pid = server.value("SELECT max(pid) FROM pg_stat_replication")
    return cpu_of(pid) if pid else 0.0


def run_receiver(server, slot, end):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run([BIN / "pg_recvlogical", "-h", server.socket_dir, "-p", str(server.port), "-U", "postgres", "-d", "postgres",
                    "--slot", slot, "--start", "-f", "/dev/null", "-o", "proto_version=1", "-o", "publication_names=bench",
                    "-o", "messages=true", "--endpos", end, "--fsync-interval=0"], check=True)
    seconds = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_weir(folder, server, slot, count):
    shutil.rmtree(folder, ignore_errors=True)
    weir = Weir(folder)
    weir.write("cdc.yaml", CONFIG.format(socket=server.socket_dir, port=server.port, slot=slot))
    weir.cli("topics", "create", "app.public.done")
    try:
        weir.start("cdc.yaml")
        started = time.monotonic()
        weir.wait_for_log("streaming")
        # One reader of one record: it sleeps until the last change is there.
        done = spawn([BINARY, "tail", "app.public.done", "--follow", "--from", "earliest", "--max", "1"], cwd=weir.folder,
                     stdout=subprocess.DEVNULL)
        assert done.wait(600) == 0
        seconds = time.monotonic() - started
        cpu = cpu_of(weir.process.pid)
        sender = sender_cpu(server)
        there = weir.json("topics", "describe", "app.public.orders")[0]["partitions"][0]["last_stable"]
        assert weir.stop() == 0
        assert there == count, f"{there} records of {count}"
        return seconds, cpu, sender
    finally:
        weir.close()


def say(figure, value, unit, beside=""):
    print(f"cdc  {figure:24} {value:12.2f} {unit}   {beside}", flush=True)


def main():
    folder = pathlib.Path(sys.argv[1])
    transactions, rows, rounds = (int(a) for a in (sys.argv[2:5] + ["20000", "100", "5"][len(sys.argv) - 2:]))
    count = transactions * rows
    server = Postgres(folder / "pg", max_replication_slots=2 * rounds + 4, max_wal_size="16GB", shared_buffers="256MB").start()
    try:
        server.execute(f"{TABLE}; CREATE TABLE done (id int PRIMARY KEY)")
        server.execute("CREATE PUBLICATION bench FOR TABLE orders, done")
        for i in range(rounds):
            for who in ("w", "r"):
                server.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (f"{who}{i}",))
        end = load(server, transactions, rows)
        weir, receiver = [], []
        for i in range(rounds):
            order = [0, 1] if i % 2 == 0 else [1, 0]
            for side in order:
                if side == 0:
                    receiver.append(run_receiver(server, f"r{i}", end))
                else:
                    weir.append(run_weir(folder / "weir", server, f"w{i}", count))
                server.query("SELECT pg_drop_replication_slot(%s)", (f"{'rw'[side]}{i}",))
        ours, theirs = (statistics.median(s for s, *_ in side) for side in (weir, receiver))
        say("pg_recvlogical", count / theirs, "changes/s", f"{theirs:.2f} s")
        say("weir", count / ours, "changes/s", f"{ours:.2f} s, ratio {theirs / ours:.2f}")
        say("cpu_pg_recvlogical", statistics.median(c for _, c in receiver) / count * 1e6, "s per million")
        say("cpu_weir", statistics.median(c for _, c, _ in weir) / count * 1e6, "s per million")
        say("cpu_walsender", statistics.median(c for _, _, c in weir) / count * 1e6, "s per million")
    finally:
        server.stop()


if __name__ == "__main__":
    os.chdir(TOP)
    main()
