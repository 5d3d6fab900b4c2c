"""What people do wrong: each mistake is told in one line that names it and what to do, and costs no data."""

import os
import re
import sqlite3
import subprocess

import pytest

from harness.ledger import wait_streaming
from harness.manifest import manifest
from harness.models import model_of
from harness.process import wait_until

ORDERS = "CREATE TABLE orders (order_id int PRIMARY KEY, status text)"


def one_line(text, *words):
    """The line `weir: …` that has all the words."""
    lines = [line for line in text.splitlines() if line.startswith("weir: ") and all(w in line for w in words)]
    assert lines, f"no line with {words} in:\n{text}"
    return lines[-1]


def source(weir):
    return weir.json("sources", "status")[0]


IDLE_VIEW = """views:
  idle:
    from: nothing
    to: sqlite:idle.db
    on:
      Nothing: "SELECT 1"
"""


def test_a_wrong_password_stops_the_source_and_nothing_else(postgres, db, weir):
    postgres.execute(ORDERS, dbname=db)
    weir.write("cdc.yaml", manifest(postgres, db, "public.orders", password="not-this-one"))
    weir.write("view.yaml", IDLE_VIEW)
    weir.start("cdc.yaml", "view.yaml")
    weir.wait_for_log(r'source/\S+: .*password authentication failed for user "postgres"')
    assert "not-this-one" not in weir.log()
    weir.produce("t", ["still here"])
    assert source(weir)["state"] == "failed" and "password" in source(weir)["error"]
    weir.stop()


SECRET_NAMES = {"host": "host_secret", "user": "user_secret", "db": "db_secret", "slot": "slot_secret", "list": "list_secret"}


@pytest.mark.parametrize("wrong", SECRET_NAMES)
def test_what_came_from_the_environment_is_not_said_by_a_server_s_error(postgres, db, weir, wrong):
    """Servers and libraries quote names: those that were given by ${…} are hidden, the others are shown."""
    postgres.execute(ORDERS, dbname=db)
    right = {"host": postgres.host, "user": "postgres", "db": db, "slot": f"slot_{db}", "list": "public.orders"}
    if wrong == "slot":
        postgres.execute("SELECT pg_create_logical_replication_slot('slot_secret', 'test_decoding')", dbname=db)
    for name, value in {**right, wrong: SECRET_NAMES[wrong]}.items():
        weir.env[f"X_{name}".upper()] = value
    text = manifest(postgres, "${X_DB}", "${X_LIST}", slot="${X_SLOT}", user="${X_USER}", database_hostname="${X_HOST}")
    weir.write("cdc.yaml", text)
    weir.write("view.yaml", IDLE_VIEW)
    weir.start("cdc.yaml", "view.yaml")
    weir.wait_for_log("runs on")
    if wrong == "list":
        weir.wait_for_log("table.include.list")
    weir.wait(lambda: source(weir)["error"], 30, "an error")
    said = weir.log() + weir.cli("sources", "status").stdout + weir.cli("sources", "list").stdout
    assert SECRET_NAMES[wrong] not in said, said
    assert "****" in said
    assert weir.stop() == 0


def test_a_weir_whose_only_source_has_failed_ends_with_1(postgres, db, weir):
    postgres.execute(ORDERS, dbname=db)
    weir.write("cdc.yaml", manifest(postgres, db, "public.orders", password="not-this-one"))
    weir.start("cdc.yaml")
    assert weir.wait_exit() == 1
    line = one_line(weir.log(), "password authentication failed", "check database.user and database.password")
    place = next(n for n, text in enumerate((weir.folder / "cdc.yaml").read_text().splitlines(), 1) if "password" in text)
    assert f"(cdc.yaml:{place})" in line


@pytest.mark.parametrize("key, value, word", [
    ("database.port", 1, "is PostgreSQL running there?"), ("database.hostname", "no-host.invalid", "check database.hostname"),
    ("database.hostname", "/nowhere", "is PostgreSQL running there?"), ("database.dbname", "nodb", "check database.dbname"),
])
def test_a_server_that_cannot_be_reached_is_told_with_what_to_check(postgres, db, weir, key, value, word):
    weir.write("cdc.yaml", manifest(postgres, db, "public.orders", **{key.replace(".", "_"): value}))
    weir.start("cdc.yaml")
    weir.wait_for_log(re.escape(word))
    line = one_line(weir.log(), "source/", "connect to database", word)
    assert "cdc.yaml:" in line
    weir.close()


def test_a_server_without_logical_wal_is_refused_with_the_line_that_mends_it(own_postgres, weir):
    own_postgres.restart(wal_level="replica")
    own_postgres.execute(ORDERS)
    weir.write("cdc.yaml", manifest(own_postgres, "postgres", "public.orders"))
    weir.start("cdc.yaml")
    line = weir.wait_for_log(r".*wal_level.*").group()
    assert "replica" in line and "logical" in line
    weir.close()


def list_place(weir):
    """"cdc.yaml:LINE:COLUMN" of the table list's value."""
    for number, line in enumerate((weir.folder / "cdc.yaml").read_text().splitlines(), 1):
        if "table.include.list" in line:
            return f"cdc.yaml:{number}:{line.index(': ') + 3}"
    return None


def test_a_table_that_is_not_there_is_told(postgres, db, weir):
    postgres.execute(ORDERS, dbname=db)
    weir.write("cdc.yaml", manifest(postgres, db, "public.ordesr"))
    weir.start("cdc.yaml")
    assert weir.wait_exit() == 1  # there is nothing to make a filtered publication for
    line = one_line(weir.log(), "table.include.list")
    assert "public.ordesr" in line and list_place(weir) in line and "did you mean 'public.orders'?" in line
    assert "no table passes the filters" in one_line(weir.log(), "error")


def test_a_table_that_is_not_there_does_not_keep_the_others_waiting(postgres, db, weir):
    postgres.execute(ORDERS + "; INSERT INTO orders VALUES (1, 'new')", dbname=db)
    tables = "public.orders,inventory.stock,public\\.o.*,public\\.x.*"
    weir.write("cdc.yaml", manifest(postgres, db, tables, publication_autocreate_mode="all_tables"))
    weir.start("cdc.yaml")
    wait_streaming(weir)
    warnings = [line for line in weir.log().splitlines() if "table.include.list" in line]
    assert len(warnings) == 2 and list_place(weir).rsplit(":", 1)[0] in warnings[0]
    assert "has no table 'inventory.stock'" in warnings[0] and "check database, schema and spelling" in warnings[0]
    assert r"the pattern 'public\.x.*'" in warnings[1]
    assert len(weir.tail("app.public.orders")) == 1
    assert weir.stop() == 0


def test_tables_that_are_made_later_are_captured(postgres, db, weir):
    weir.write("cdc.yaml", manifest(postgres, db, "public.orders", publication_autocreate_mode="all_tables"))
    weir.start("cdc.yaml")
    wait_streaming(weir)
    assert "nothing is captured until" in weir.log()
    postgres.execute(ORDERS, dbname=db)
    postgres.execute("INSERT INTO orders VALUES (1, 'new')", dbname=db)
    weir.wait(lambda: "app.public.orders" in weir.topics() and weir.tail("app.public.orders"), 20, "its first row")
    assert weir.stop() == 0


def test_keys_without_effect_are_noted_in_one_line_and_others_keep_their_kind(postgres, db, weir):
    postgres.execute(ORDERS, dbname=db)
    weir.write("cdc.yaml", manifest(postgres, db, "public.orders", tasks_max="4", max_batch_size="2048",
                                    errors_tolerance="none").replace("tasksMax: 1", "tasksMax: 1\n  autoRestart: {enabled: true}"))
    weir.start("cdc.yaml", set={"slot.nmae": "x"})
    wait_streaming(weir)
    notes = [line for line in weir.log().splitlines() if line.startswith("weir: cdc.yaml:")]
    warnings = [line for line in weir.log().splitlines() if line.startswith("weir: warn")]
    assert len(notes) == 1 and all(word in notes[0] for word in ("without effect", "tasks.max", "max.batch.size", "errors.tolerance"))
    assert len(warnings) == 1 and "did you mean 'slot.name'?" in warnings[0], warnings
    assert weir.stop() == 0
    done = weir.cli("run", "cdc.yaml", "--set", "message.key.columns=public.orders:status", check=False)
    assert done.returncode == 2 and "message.key.columns" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("text, place, word", [
    ("log: {dir: [}\n", "weir.yaml:1:", ""),
    ("log:\n  durability: fsnyc\n", "weir.yaml:2:15", "fsync"),
    ("views:\n  v:\n    from: t\n    to: sqlite:x.db\n    on:\n      A: 'INSRT INTO t VALUES (1)'\n", "weir.yaml:6:", "INSRT"),
    ("views:\n  v:\n    from: t\n    to: sqlite:x.db\n    on:\n      A: \"SELECT ':x\"\n", "weir.yaml:6:", ""),
    ("log: 7\n", "weir.yaml:1:6", "log"),
])
def test_malformed_yaml_and_wrong_values_have_file_line_and_column(weir, text, place, word):
    weir.write("weir.yaml", text)
    done = weir.cli("run", check=False)
    assert done.returncode == 2, done.stderr
    line = one_line(done.stderr, place)
    assert word in line


def test_an_unknown_key_is_told_with_the_nearest_known_one(weir):
    weir.write("weir.yaml", "log:\n  durabilty: fsync\n")
    weir.start()
    assert "durability" in weir.wait_for_log(r".*durabilty.*").group()
    assert weir.stop() == 0


def test_a_data_folder_that_cannot_be_written_is_named(weir, tmp_path):
    place = tmp_path / "ro"
    place.mkdir()
    if os.geteuid() != 0:
        place.chmod(0o555)
    else:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", place], check=True)
    try:
        done = weir.cli("run", f"--set=log.dir={place}/data", check=False)
        assert done.returncode == 1
        one_line(done.stderr, str(place), "let this user write there")
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", place], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small disk")
def test_a_disk_that_is_full_from_the_start_is_named_and_waited_for(weir, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", place], check=True)
    try:
        weir.start(args=["--dir", str(place / "data")])
        weir.wait_for_log("runs on")
        done = weir.cli("produce", "t", "--dir", place / "data", check=False, input="x\n")
        assert done.returncode == 1
        one_line(done.stderr, str(place), "bytes left")
        subprocess.run(["mount", "-o", "remount,size=200m", place], check=True)
        wait_until(lambda: weir.cli("produce", "t", "--dir", place / "data", check=False, input="x\n").returncode == 0, 30,
                   "there is room again")
        assert weir.stop() == 0
    finally:
        weir.close()
        subprocess.run(["umount", place], check=True)


def test_a_file_in_the_place_of_the_folder_is_named(weir):
    weir.write("file", "")
    for words in (["run"], ["topics", "list"], ["tail", "t"]):
        done = weir.cli(*words, "--dir", "file", check=False)
        assert done.returncode == 1
        one_line(done.stderr, "'file", "name a folder")


def test_a_second_weir_on_the_folder_is_refused_and_the_first_goes_on(weir, tmp_path):
    weir.start()
    weir.wait_for_log("runs on")
    weir.produce("t", ["a"])
    done = weir.cli("run", f"--set=log.dir={weir.dir}", check=False, seconds=30)
    assert done.returncode in (1, 3)
    one_line(done.stderr, str(weir.dir))
    assert [r["value"] for r in weir.tail("t")] == ["a"]
    assert weir.stop() == 0


def test_a_corrupted_segment_in_the_middle_is_named_and_the_rest_serves(weir):
    weir.cli("topics", "create", "orders", "--partitions", "1", "--config", "segment.bytes=10000")
    for start in range(0, 300, 50):
        weir.produce("orders", [f"order {n} {'y' * 100}" for n in range(start, start + 50)])
    weir.produce("other", ["fine"])
    segments = sorted((weir.dir / "orders-0").glob("*.log"))
    assert len(segments) > 2
    victim = segments[1]
    with open(victim, "r+b") as f:
        f.seek(victim.stat().st_size // 2)
        byte = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte[0] ^ 0x40]))
    before = victim.read_bytes()
    done = weir.cli("log", "verify", check=False)
    assert done.returncode == 1
    finding = next(line for line in done.stdout.splitlines() if victim.name in line)
    assert re.search(r"orders", finding) and re.search(r"\d+", finding)
    assert victim.read_bytes() == before, "verify changed something"
    weir.start()
    assert [r["value"] for r in weir.tail("other")] == ["fine"]
    assert weir.stop() == 0


def test_invalid_utf8_goes_through_unchanged(weir):
    weir.cli("produce", "t", input=b"plain\n\xff\xfe\x00x\n\xc3\xa9\n")
    first, second, third = weir.tail("t")
    assert first["value"] == "plain" and third["value"] == "é"
    assert second["value_base64"] == "//4AeA==" and "value" not in second


def test_sql_in_values_is_a_value(weir):
    evil = "'); DROP TABLE t; --"
    weir.write("weir.yaml", """views:
  v:
    from: events
    to: sqlite:model.db
    schema: "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"
    on:
      Named: "INSERT INTO t VALUES (:id, :name)"
""")
    weir.start()
    weir.produce("events", ['{"type": "Named", "id": 1, "name": "%s"}' % evil,
                            '{"type": "Named", "id": 2, "name": ":id ?1 $1 \\u0000x"}'])
    wait_until(lambda: rows(model_of(weir)) == 2, 20, "both rows are there")
    with sqlite3.connect(model_of(weir)) as db:
        assert db.execute("SELECT name FROM t WHERE id = 1").fetchone() == (evil,)
        assert db.execute("SELECT name FROM t WHERE id = 2").fetchone()[0].startswith(":id ?1 $1 ")
    assert weir.stop() == 0


def rows(path):
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM t").fetchone()[0]
    except sqlite3.OperationalError:
        return -1


def test_sql_in_a_captured_row_is_a_value(postgres, db, weir):
    evil = "x'); DELETE FROM orders; --"
    postgres.execute(ORDERS, dbname=db)
    weir.write("cdc.yaml", manifest(postgres, db, "public.orders"))
    weir.start("cdc.yaml")
    wait_streaming(weir)
    connection = postgres.connect(db)
    connection.cursor().execute("INSERT INTO orders VALUES (1, %s)", (evil,))
    connection.close()
    found = weir.wait(lambda: "app.public.orders" in weir.topics() and weir.tail("app.public.orders"), 20)
    assert found[0]["value"]["after"]["status"] == evil
    assert weir.stop() == 0
