"""The PostgreSQL source against a real server: what each kind of change becomes, what is refused and how it is
mended, and that neither WAL piles up nor a stop waits, whatever the server does."""

import contextlib
import datetime
import os
import shutil
import signal
import subprocess
import threading
import time

import psycopg2
import psycopg2.extras
import pytest

from harness.ledger import TABLE_LIST, Ledger, wait_streaming
from harness.manifest import manifest
from harness.process import wait_until


def source(weir):
    """Its status; empty while weir still starts."""
    sources = weir.json("sources", "status")
    return sources[0] if sources else {}


def values(weir, topic):
    """(op, before, after) of each record that is no tombstone."""
    return [(r["value"]["op"], r["value"].get("before"), r["value"].get("after")) for r in weir.tail(topic) if r["value"]]


def wait_values(weir, topic, count, seconds=30):
    """The same, once there are so many."""
    def enough():
        there = values(weir, topic) if topic in weir.topics() else []
        return there if len(there) >= count else None
    return weir.wait(enough, seconds, f"{count} records in {topic}")


def headers(record):
    return dict(map(tuple, record["headers"]))


def start(weir, server, db, tables, *, wait=True, **more):
    more.setdefault("slot", f"slot_{db}")
    weir.write("cdc.yaml", manifest(server, db, tables, **more))
    weir.start("cdc.yaml")
    if wait:
        wait_streaming(weir)


def confirmed(server, slot):
    return server.value("SELECT confirmed_flush_lsn - '0/0'::pg_lsn FROM pg_replication_slots WHERE slot_name = %s", (slot,))


# ---- changes -----------------------------------------------------------------------------------------

def test_each_kind_of_change_becomes_its_records(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE t (id int PRIMARY KEY, v text)")
    start(weir, postgres, db, "public.t", **{"skipped.operations": "none"})
    run("INSERT INTO t VALUES (1, 'a')")
    run("UPDATE t SET v = 'b'")
    run("UPDATE t SET id = 2")
    run("DELETE FROM t")
    run("TRUNCATE t")
    wait_values(weir, "app.public.t", 6)
    records = weir.tail("app.public.t")
    assert [(r["key"], r["value"] and r["value"]["op"]) for r in records] == [
        ({"id": 1}, "c"), ({"id": 1}, "u"),
        ({"id": 1}, "d"), ({"id": 1}, None), ({"id": 2}, "c"),  # the key changed
        ({"id": 2}, "d"), ({"id": 2}, None), (None, "t")]
    assert headers(records[2])["__debezium.newkey"] == '{"id":2}'
    assert headers(records[4])["__debezium.oldkey"] == '{"id":1}'
    assert records[1]["value"]["after"] == {"id": 1, "v": "b"}
    assert weir.stop() == 0


def test_replica_identities_give_what_they_know(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE f (id int, v text); ALTER TABLE f REPLICA IDENTITY FULL")
    run("CREATE TABLE i (id int PRIMARY KEY, k int NOT NULL UNIQUE, v text); ALTER TABLE i REPLICA IDENTITY USING INDEX i_k_key")
    run("CREATE TABLE n (v text)")
    start(weir, postgres, db, "public.f,public.i,public.n")
    run("INSERT INTO f VALUES (1, 'a'), (2, NULL); UPDATE f SET v = 'b' WHERE id = 1; DELETE FROM f WHERE id = 2")
    run("INSERT INTO i VALUES (1, 10, 'a'); UPDATE i SET v = 'b'; DELETE FROM i")
    run("INSERT INTO n VALUES ('x')")
    assert wait_values(weir, "app.public.f", 4)[2:] == [
        ("u", {"id": 1, "v": "a"}, {"id": 1, "v": "b"}), ("d", {"id": 2, "v": None}, None)]
    assert {r["key"] and str(r["key"]) for r in weir.tail("app.public.f")} == {None}
    wait_values(weir, "app.public.i", 3)
    # An old row has the index's columns only: they are the key of all records, so that they agree.
    assert [(r["key"], r["value"] and r["value"]["op"]) for r in weir.tail("app.public.i")] == [
        ({"k": 10}, "c"), ({"k": 10}, "u"), ({"k": 10}, "d"), ({"k": 10}, None)]
    assert wait_values(weir, "app.public.n", 1) == [("c", None, {"v": "x"})]
    assert weir.stop() == 0


def test_a_large_value_that_did_not_change_is_a_placeholder_or_the_old_row_s(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    for name in ("d", "f"):
        run(f"CREATE TABLE {name} (id int PRIMARY KEY, big text, n int); ALTER TABLE {name} ALTER big SET STORAGE EXTERNAL")
    run("ALTER TABLE f REPLICA IDENTITY FULL")
    start(weir, postgres, db, "public.d,public.f")
    for name in ("d", "f"):
        run(f"INSERT INTO {name} VALUES (1, repeat('x', 9000), 0); UPDATE {name} SET n = 1")
    assert wait_values(weir, "app.public.d", 2)[1][2] == {"id": 1, "big": "__debezium_unavailable_value", "n": 1}
    assert wait_values(weir, "app.public.f", 2)[1][2] == {"id": 1, "big": "x" * 9000, "n": 1}
    assert weir.stop() == 0


def test_a_table_that_changes_is_followed_in_a_transaction_too(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE t (id int PRIMARY KEY, a text)")
    start(weir, postgres, db, "public.t")
    run("INSERT INTO t VALUES (1, 'a')")
    run("""BEGIN; INSERT INTO t VALUES (2, 'b'); ALTER TABLE t ADD COLUMN n int DEFAULT 7; INSERT INTO t VALUES (3, 'c', 8);
           ALTER TABLE t RENAME COLUMN a TO z; INSERT INTO t VALUES (4, 'd', 9); COMMIT""")
    run("ALTER TABLE t DROP COLUMN z; INSERT INTO t VALUES (5, 10)")
    run("ALTER TABLE t ALTER n TYPE text; INSERT INTO t VALUES (6, 'text')")
    got = [after for _, _, after in wait_values(weir, "app.public.t", 6)]
    assert got == [{"id": 1, "a": "a"}, {"id": 2, "a": "b"}, {"id": 3, "a": "c", "n": 8}, {"id": 4, "z": "d", "n": 9},
                   {"id": 5, "n": 10}, {"id": 6, "n": "text"}]
    assert weir.stop() == 0


def test_a_table_that_is_dropped_before_it_is_read_is_still_written(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY)")
    start(weir, postgres, db, "public.t,public.u")
    assert weir.stop() == 0
    run("INSERT INTO t VALUES (1, 'gone'); DELETE FROM t; DROP TABLE t; INSERT INTO u VALUES (1)")
    weir.start("cdc.yaml")
    wait_values(weir, "app.public.u", 1)
    assert [(r["key"], r["value"] and r["value"]["op"]) for r in weir.tail("app.public.t")] == [
        ({"id": 1}, "c"), ({"id": 1}, "d"), ({"id": 1}, None)]
    assert weir.stop() == 0


def test_logical_messages_are_written_rolled_back_ones_too_when_they_are_outside(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE t (id int PRIMARY KEY)")
    start(weir, postgres, db, "public.t")
    run("""BEGIN; SELECT pg_logical_emit_message(true, 'p', 'gone'); SELECT pg_logical_emit_message(false, 'p', 'at once');
           ROLLBACK; BEGIN; SELECT pg_logical_emit_message(true, 'p', 'in'); COMMIT""")
    weir.wait(lambda: "app.message" in weir.topics() and len(weir.tail("app.message")) == 2, 30, "two messages")
    got = [(r["value"]["message"]["content"], r["value"]["source"]["txId"] is None) for r in weir.tail("app.message")]
    assert got == [("YXQgb25jZQ==", True), ("aW4=", False)]
    assert weir.stop() == 0


def test_a_transaction_larger_than_a_commit_is_whole_in_the_end(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY)")
    start(weir, postgres, db, "public.t,public.u")
    run("INSERT INTO t SELECT i, repeat('v', 500) FROM generate_series(1, 120000) i")  # 130 MB of records
    run("INSERT INTO u VALUES (1)")
    weir.kill()
    weir.start("cdc.yaml")
    wait_values(weir, "app.public.u", 1, 90)
    ids = [r["key"]["id"] for r in weir.tail("app.public.t")]
    assert ids == list(range(1, 120001))
    assert weir.stop() == 0


# ---- rights and slots ----------------------------------------------------------------------------------

def failed(weir):
    """What it said when it ended, because its only source has failed."""
    assert weir.wait_exit() == 1
    return weir.log()


def test_each_missing_right_is_told_with_the_grant_that_gives_it(postgres, db, weir):
    def run(sql):
        postgres.execute(sql, dbname=db)
    user = f"reader_{db}"
    run("CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY); INSERT INTO s.t VALUES (1)")
    run(f"CREATE ROLE {user} LOGIN PASSWORD 'secret'")
    more = {"user": user, "password": "secret", "slot": f"slot_{db}"}
    weir.write("cdc.yaml", manifest(postgres, db, "s.t", **more))
    try:
        weir.start("cdc.yaml")
        assert f'ALTER ROLE "{user}" REPLICATION;' in failed(weir)
        run(f'ALTER ROLE "{user}" REPLICATION')
        weir.start("cdc.yaml")
        assert f'GRANT CREATE ON DATABASE "{db}" TO "{user}";' in failed(weir)
        run(f'GRANT CREATE ON DATABASE "{db}" TO "{user}"')
        weir.start("cdc.yaml")
        assert "only its owner may" in failed(weir)
        run("CREATE PUBLICATION dbz_publication FOR TABLE s.t")
        weir.start("cdc.yaml")
        said = failed(weir)
        assert f'GRANT USAGE ON SCHEMA "s" TO "{user}"; GRANT SELECT ON "s"."t" TO "{user}";' in said
        run(f'GRANT USAGE ON SCHEMA "s" TO "{user}"; GRANT SELECT ON "s"."t" TO "{user}"')
        weir.start("cdc.yaml")
        assert wait_values(weir, "app.s.t", 1) == [("r", None, {"id": 1})]
        assert weir.stop() == 0
    finally:
        run(f'DROP OWNED BY "{user}"; DROP ROLE "{user}"')


def test_a_slot_that_somebody_else_holds_is_waited_for_and_taken_when_it_is_free(postgres, db, weir):
    slot = f"slot_{db}"
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    postgres.execute("CREATE PUBLICATION dbz_publication FOR TABLE t", dbname=db)
    other = psycopg2.connect(host=str(postgres.socket_dir), port=postgres.port, user="postgres", dbname=db,
                             application_name="somebody", connection_factory=psycopg2.extras.LogicalReplicationConnection)
    with other.cursor() as cursor:
        cursor.create_replication_slot(slot, output_plugin="pgoutput")
        cursor.start_replication(slot_name=slot, options={"proto_version": "1", "publication_names": "dbz_publication"})
        start(weir, postgres, db, "public.t", wait=False)
        error = weir.wait(lambda: source(weir).get("state") == "backing off" and source(weir)["error"], 30, "it waits for the slot")
        assert "somebody" in error and "pg_terminate_backend(" in error
        other.close()
    wait_streaming(weir)
    assert weir.stop() == 0


def test_a_slot_of_another_kind_is_refused(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    postgres.query("SELECT pg_create_logical_replication_slot(%s, 'test_decoding')", (f"slot_{db}",), dbname=db)
    start(weir, postgres, db, "public.t", wait=False)
    assert "plugin 'test_decoding'" in failed(weir)


@pytest.fixture
def stopped(postgres, db, weir):
    """A source that has streamed one row and was stopped; then one more row was written."""
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    start(weir, postgres, db, "public.t")
    postgres.execute("INSERT INTO t VALUES (1)", dbname=db)
    wait_values(weir, "app.public.t", 1)
    assert weir.stop() == 0
    postgres.execute("INSERT INTO t VALUES (2)", dbname=db)
    return f"slot_{db}"


def goes_on(weir, postgres, db, expected):
    """Told to trust the slot, it goes on; row 3 is written then, and the log has the rows `expected`."""
    weir.start("cdc.yaml", set={"offset.mismatch.strategy": "trust_slot"})
    wait_streaming(weir)
    postgres.execute("INSERT INTO t VALUES (3)", dbname=db)
    wait_values(weir, "app.public.t", len(expected))
    assert [r["key"]["id"] for r in weir.tail("app.public.t")] == expected
    assert weir.stop() == 0


def test_a_slot_that_was_advanced_is_refused_and_followed_when_told(postgres, db, weir, stopped):
    postgres.query("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", (stopped,), dbname=db)
    weir.start("cdc.yaml")
    said = failed(weir)
    assert "ahead of the stored position" in said and "offset.mismatch.strategy=trust_slot" in said
    goes_on(weir, postgres, db, [1, 3])


def test_a_slot_that_is_gone_is_refused_and_mended_by_what_it_says(postgres, db, weir, stopped):
    postgres.query("SELECT pg_drop_replication_slot(%s)", (stopped,), dbname=db)
    weir.start("cdc.yaml")
    assert f"SELECT pg_create_logical_replication_slot('{stopped}', 'pgoutput');" in failed(weir)
    postgres.query(f"SELECT pg_create_logical_replication_slot('{stopped}', 'pgoutput')", dbname=db)
    weir.start("cdc.yaml")
    assert "ahead of the stored position" in failed(weir)  # the changes between are lost: not without being told to
    goes_on(weir, postgres, db, [1, 3])


def test_a_publication_that_was_made_anew_is_refused_and_mended_by_what_it_says(postgres, db, weir, stopped):
    postgres.execute("DROP PUBLICATION dbz_publication; CREATE PUBLICATION dbz_publication FOR TABLE t", dbname=db)
    weir.start("cdc.yaml")
    assert f"SELECT pg_drop_replication_slot('{stopped}'); SELECT pg_create_logical" in failed(weir)
    postgres.query("SELECT pg_drop_replication_slot(%s)", (stopped,), dbname=db)
    postgres.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (stopped,), dbname=db)
    goes_on(weir, postgres, db, [1, 3])


def test_a_restored_older_state_is_refused(own_postgres, weir, tmp_path):
    """A copy of the data folder from before is put back: the log has read what this server never wrote."""
    server = own_postgres
    server.execute("CREATE TABLE t (id int PRIMARY KEY)")
    start(weir, server, "postgres", "public.t")
    weir.stop()
    server.stop()
    backup = server.data.with_name("backup")
    os.system(f"cp -a {server.data} {backup}")
    server.start()
    server.execute("INSERT INTO t SELECT generate_series(1, 5000)")
    weir.start("cdc.yaml")
    wait_values(weir, "app.public.t", 5000)
    assert weir.stop() == 0
    server.stop()
    os.system(f"rm -rf {server.data} && mv {backup} {server.data}")
    server.start()
    weir.start("cdc.yaml")
    assert "the server's WAL ends at" in failed(weir)


# ---- the snapshot broken off ---------------------------------------------------------------------------

@pytest.mark.timeout(180)
def test_a_broken_off_snapshot_begins_anew_beside_its_slot(postgres, db, weir, rng):
    ledger = Ledger(postgres, db, rng)
    ledger.fill(300000)
    weir.write("cdc.yaml", manifest(postgres, db, TABLE_LIST, slot=f"slot_{db}"))
    ledger.start_writing(0.002)
    for _ in range(4):
        weir.start("cdc.yaml")
        weir.wait_for_log("copies the tables")
        time.sleep(rng.uniform(0, 0.3))
        weir.kill()
    weir.start("cdc.yaml")
    wait_streaming(weir)
    ledger.write_more_then_stop(100)
    ledger.wait_caught_up(weir)
    ledger.check_log(ledger.records(weir))
    assert postgres.value("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE 'weir_snapshot_%'") == 0
    assert weir.stop() == 0


def test_a_slot_that_debezium_leaves_is_taken_over_without_loss(postgres, db, weir):
    """Without a stored position, but with a slot: the snapshot is of now, and the slot's older changes are skipped."""
    def run(sql):
        postgres.execute(sql, dbname=db)
    run("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 0); CREATE PUBLICATION dbz_publication FOR TABLE t")
    postgres.query("SELECT pg_create_logical_replication_slot(%s, 'pgoutput')", (f"slot_{db}",), dbname=db)
    run("INSERT INTO t VALUES (2, 0); UPDATE t SET v = 1")
    start(weir, postgres, db, "public.t")
    run("INSERT INTO t VALUES (3, 3)")
    assert sorted(map(str, wait_values(weir, "app.public.t", 3))) == sorted(map(str, [
        ("r", None, {"id": 1, "v": 1}), ("r", None, {"id": 2, "v": 1}), ("c", None, {"id": 3, "v": 3})]))
    assert weir.stop() == 0


# ---- WAL and time --------------------------------------------------------------------------------------

def test_wal_does_not_pile_up_while_only_others_write(postgres, db, weir):
    slot = f"slot_{db}"
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE busy (v text)", dbname=db)
    start(weir, postgres, db, "public.t")
    before = confirmed(postgres, slot)
    stop = threading.Event()

    def write():
        while not stop.wait(0.05):
            postgres.execute("INSERT INTO busy SELECT repeat('w', 1000) FROM generate_series(1, 200)", dbname=db)
            postgres.execute("CREATE TABLE IF NOT EXISTS elsewhere (v text); INSERT INTO elsewhere VALUES (repeat('e', 9000))")
    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: confirmed(postgres, slot) > before + 1_000_000, 25, "the slot moves")
        lag = "SELECT pg_current_wal_lsn() - confirmed_flush_lsn FROM pg_replication_slots WHERE slot_name = %s"
        time.sleep(12)
        behind = wait_until(lambda: postgres.value(lag, (slot,)), 1)
        assert behind < 100_000_000
    finally:
        stop.set()
        writer.join()
    assert weir.topics() in ([], ["app.public.t"])
    assert weir.stop() == 0
    weir.start("cdc.yaml")  # and the position fits when it comes back
    wait_streaming(weir)
    assert weir.stop() == 0


def test_an_idle_source_writes_at_most_every_10_seconds(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    start(weir, postgres, db, "public.t")
    time.sleep(1)
    before = source(weir)["commits"]
    time.sleep(11)
    assert source(weir)["commits"] - before <= 2
    assert weir.stop() == 0


def test_status_is_fresh_while_the_database_is_idle(own_postgres, weir):
    """Not even keepalives come by themselves then: the server is asked."""
    own_postgres.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
    start(weir, own_postgres, "postgres", "public.t", status_update_interval_ms="200")

    def heard():
        status = source(weir)
        assert (status["state"], status["lag_bytes"], status["retries"]) == ("streaming", 0, 0)
        return datetime.datetime.fromisoformat(status["last_heard"].replace("Z", "+00:00"))

    weir.wait(lambda: source(weir)["lag_bytes"] == 0, 30, "the first thing is heard")
    first = heard()
    weir.wait(lambda: heard() > first, 30, "the server is heard again")
    second = heard()
    weir.wait(lambda: heard() > second, 30, "and again")
    assert weir.stop() == 0


def test_without_weir_its_stored_position_is_shown(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)", dbname=db)
    start(weir, postgres, db, "public.t")
    name = source(weir)["name"]
    assert weir.stop() == 0
    status = source(weir)  # neither file nor option names the source
    assert (status["name"], status["connector"], status["state"], status["error"]) == (name, "postgresql", "stopped", None)
    assert (status["database"], status["slot"]) == (db, f"slot_{db}")
    assert status["stored"] == postgres.value("SELECT confirmed_flush_lsn::text FROM pg_replication_slots WHERE slot_name = %s",
                                              (f"slot_{db}",))
    assert status["stored_at"].endswith("Z")
    (listed,) = weir.json("sources", "list")
    assert (listed["name"], listed["position"]) == (name, status["stored"])
    for words in (["sources", "list"], ["sources", "status"], ["sources", "status", name, "--dir", weir.dir]):
        out = weir.cli(*words).stdout
        assert name in out and "stopped" in out and status["stored"] in out
    weir.write("weir.yaml", "sources: {another: {connector.class: postgres}}\n")
    assert [s["name"] for s in weir.json("sources", "list")] == ["another", name]
    assert source(weir)["stored"] is None


def test_heartbeats_come_on_time(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    start(weir, postgres, db, "public.t", heartbeat_interval_ms=500)
    started = time.monotonic()
    time.sleep(1.2)
    beats = weir.wait(lambda: (b := weir.tail("__debezium-heartbeat.app")) and len(b) >= 4 and b, 30, "the fourth beat")
    assert len(beats) <= (time.monotonic() - started) / 0.5 + 2
    assert beats[0]["key"] == {"serverName": "app"} and beats[0]["partition"] == 0
    assert weir.stop() == 0


def test_a_server_that_stops_does_not_wait_for_weir(own_postgres, weir):
    own_postgres.execute("CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (v text)")
    start(weir, own_postgres, "postgres", "public.t")
    own_postgres.execute("INSERT INTO other SELECT repeat('o', 100) FROM generate_series(1, 10000)")
    started = time.monotonic()
    own_postgres.stop("fast")
    assert time.monotonic() - started < 40  # for a client that does not answer it waits wal_sender_timeout, a minute
    own_postgres.start()
    wait_streaming(weir)
    assert weir.stop() == 0


def test_what_was_seen_last_is_confirmed_when_weir_stops(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    start(weir, postgres, db, "public.t")
    for i in range(5):
        postgres.execute("INSERT INTO t VALUES (%s)", (i,), dbname=db)
    after = postgres.value("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
    wait_values(weir, "app.public.t", 5)
    assert weir.stop() == 0
    assert confirmed(postgres, f"slot_{db}") >= after - 500


def test_a_large_value_comes_over_tls(own_postgres, weir, tmp_path):
    """TLS records are cut otherwise than messages: what OpenSSL still holds must not be waited for."""
    server = own_postgres
    subprocess.run(["openssl", "req", "-new", "-x509", "-days", "2", "-nodes", "-subj", "/CN=localhost", "-out",
                    server.data / "server.crt", "-keyout", server.data / "server.key"], check=True, capture_output=True)
    for name in ("server.crt", "server.key"):
        shutil.chown(server.data / name, "postgres")
        (server.data / name).chmod(0o600)
    server.restart(ssl="on")
    server.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
    start(weir, server, "postgres", "public.t", database_sslmode="require")
    assert server.value("SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'weir %'")
    for i, size in enumerate((10, 16_000, 100_000, 3_000_000)):
        server.execute("INSERT INTO t VALUES (%s, repeat('v', %s))", (i, size))
        assert len(wait_values(weir, "app.public.t", i + 1, 5)[i][2]["v"]) == size
    assert weir.stop() == 0
    weir.start("cdc.yaml", set={"database.sslmode": "verify-full"})
    error = weir.wait(lambda: source(weir).get("error"), 30, "the certificate is refused")
    assert "certificate" in error
    assert weir.stop() == 0


# ---- a stop in 5 s, whatever a server does: the exit status is 1 where weir has to break it off ----------------

@contextlib.contextmanager
def hanging(server):
    """The server's processes do nothing, and end nothing."""
    pids = [server.process.pid, *map(int, subprocess.run(["pgrep", "-P", str(server.process.pid)], capture_output=True,
                                                         text=True, check=True).stdout.split())]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_it_stops_while_the_server_hangs(own_postgres, weir):
    own_postgres.execute("CREATE TABLE t (id int PRIMARY KEY)")
    start(weir, own_postgres, "postgres", "public.t")
    with hanging(own_postgres):
        assert weir.stop() == 0
        weir.start("cdc.yaml")  # connects to a server that does not answer
        weir.wait_for_log("runs on")
        time.sleep(1)
        assert weir.stop() == 0


def copy_slowly(weir, server, db):
    """Start the copy of a table whose rows take their time; returns when some have come."""
    server.execute("CREATE TABLE t (id int PRIMARY KEY, v text); "
                   "INSERT INTO t SELECT i, repeat('v', 500) FROM generate_series(1, 600000) i", dbname=db)
    start(weir, server, db, "public.t", wait=False)
    weir.wait(lambda: (source(weir).get("snapshot_rows") or 0) > 0, 60, "rows are copied")


def test_it_stops_while_a_snapshot_is_copied_and_begins_it_anew(postgres, db, weir):
    copy_slowly(weir, postgres, db)
    assert source(weir)["state"] == "snapshot", "the copy was over too soon for this test"
    assert weir.stop() == 0
    weir.start("cdc.yaml")
    wait_streaming(weir, 110)
    assert source(weir)["snapshot_rows"] == 600000
    assert weir.stop() == 0
    assert weir.json("topics", "list")[-1]["records"] >= 600000


def test_it_stops_while_the_server_hangs_in_a_snapshot(own_postgres, weir):
    copy_slowly(weir, own_postgres, "postgres")
    with hanging(own_postgres):
        assert weir.stop() == 0


def test_it_stops_while_it_waits_to_connect_again(own_postgres, weir):
    own_postgres.execute("CREATE TABLE t (id int PRIMARY KEY)")
    start(weir, own_postgres, "postgres", "public.t")
    own_postgres.stop()
    weir.wait(lambda: source(weir)["state"] == "backing off" and source(weir)["retries"] > 3, 60, "it waits")
    assert "tries again in" in weir.log()
    assert weir.stop() == 0


def test_it_stops_while_the_slot_waits_for_a_transaction(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    connection = postgres.connect(db, autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO t VALUES (1)")
        start(weir, postgres, db, "public.t", wait=False)
        wait_until(lambda: postgres.query("SELECT 1 FROM pg_replication_slots WHERE slot_name = %s", (f"slot_{db}",)), 20,
                   "the slot is being made")
        assert weir.stop() == 0
        gone = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s"
        wait_until(lambda: not postgres.query(gone, (f"slot_{db}",)), 5, "the slot is given up")
    connection.rollback()
    connection.close()
    weir.start("cdc.yaml")
    wait_streaming(weir)
    assert weir.stop() == 0


def test_it_stops_while_a_table_of_the_snapshot_is_locked(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)", dbname=db)
    start(weir, postgres, db, "public.t", slot=f"slot_{db}", wait=False)
    wait_streaming(weir)
    assert weir.stop() == 0
    postgres.query("SELECT pg_drop_replication_slot(%s)", (f"slot_{db}",), dbname=db)
    connection = postgres.connect(db, autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # no xid, so the slot does not wait; the lock does
        cursor.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        weir.start("cdc.yaml", set={"log.dir": str(weir.folder / "other-data")})
        time.sleep(2)
        assert weir.stop() == 0
    connection.rollback()
    connection.close()


def test_it_stops_while_it_reads_as_fast_as_it_can(postgres, db, weir):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY, v text)", dbname=db)
    start(weir, postgres, db, "public.t")
    postgres.execute("INSERT INTO t SELECT i, repeat('v', 200) FROM generate_series(1, 200000) i", dbname=db)
    time.sleep(0.3)
    assert weir.stop() == 0
    postgres.execute("INSERT INTO t VALUES (0, 'last')", dbname=db)
    weir.start("cdc.yaml")
    weir.wait(lambda: weir.tail("app.public.t", "--key", '{"id":0}'), 60, "the last row")
    ids = [r["key"]["id"] for r in weir.tail("app.public.t")]
    assert ids == [*range(1, 200001), 0]
    assert weir.stop() == 0
