"""weir run: who may have the folder, how it starts and stops, what it says."""

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from harness import process
from harness.weir import BINARY, Weir

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3


def start(weir, *files, **kwargs):
    weir.start(*files, **kwargs)
    weir.wait_for_log("runs on")
    return weir


def run_fails(weir, status, *args, seconds=20):
    """weir run that must end by itself with `status`; what it said on its last line."""
    done = weir.cli("run", *args, check=False, seconds=seconds)
    assert done.returncode == status, (done.returncode, done.stderr, done.stdout)
    errors = [line for line in done.stderr.splitlines() if not line.startswith("weir: warn ")]
    assert len(errors) == 1 and errors[0].startswith("weir: "), done.stderr
    return errors[0]


def test_without_a_file_it_is_an_empty_log_and_its_api(weir):
    start(weir)
    assert "fsync" in weir.log() and "weir produce" in weir.log()
    assert weir.topics() == [] and weir.json("sources", "list") == [] and weir.json("views", "list") == []
    assert weir.stop() == DONE
    assert not (weir.dir / "weir.sock").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(weir, number):
    start(weir)
    weir.produce("t", ["x"])
    weir.process.send_signal(number)
    assert weir.wait_exit() == DONE
    assert weir.json("log", "verify") == []


def test_a_signal_while_it_starts_stops_it_too(weir):
    for _ in range(20):
        weir.start()
        weir.process.send_signal(signal.SIGTERM)
        assert weir.wait_exit() in (DONE, -signal.SIGTERM)


def test_a_weaker_durability_is_named(weir):
    start(weir, set={"log.durability": "interval"})
    assert "interval" in weir.log() and "weaker" in weir.log()
    assert weir.stop() == DONE


def test_weir_yaml_is_found_and_its_folder_used(weir):
    weir.write("weir.yaml", "log: {dir: elsewhere, durability: os}\n")
    start(weir)
    weir.produce("t", ["x"])
    assert (weir.folder / "elsewhere" / "t-0").is_dir() and not weir.dir.exists()
    assert weir.topics() == ["t"]
    assert weir.stop() == DONE
    assert weir.topics() == ["t"]


def test_a_relative_folder_starts_at_its_file(weir):
    (weir.folder / "etc").mkdir()
    weir.write("etc/weir.yaml", "log: {dir: data}\n")
    start(weir, "etc/weir.yaml")
    assert (weir.folder / "etc" / "data").is_dir()
    assert weir.stop() == DONE


# ---- the folder -----------------------------------------------------------------------------------------

def test_a_second_weir_on_the_folder_is_refused(weir):
    start(weir)
    line = run_fails(weir, FAILED)
    assert "in use" in line and str(weir.process.pid) in line and "weir run" in line
    assert weir.is_running() and weir.stop() == DONE


def hold(folder):
    """Have the folder's lock, as a weir that is starting or a command does."""
    return process.spawn(["flock", "--no-fork", folder / ".lock", "cat"], stdin=subprocess.PIPE)


def holds(weir):
    return subprocess.run(["flock", "--nonblock", weir.dir / ".lock", "true"], check=False).returncode == 1


@pytest.fixture
def held(weir):
    """A folder that somebody has open."""
    weir.produce("t", ["x"])
    holder = hold(weir.dir)
    process.wait_until(lambda: holds(weir), 10, "the lock is held")
    yield weir, holder
    process.end(holder)


def test_a_command_and_weir_wait_for_who_has_the_folder(held):
    weir, holder = held
    command = process.spawn([BINARY, "tail", "t", "--json"], cwd=weir.folder, stdout=subprocess.PIPE)
    weir.start()
    with pytest.raises(subprocess.TimeoutExpired):
        command.wait(1)
    assert weir.is_running()
    holder.stdin.close()
    assert json.loads(command.stdout.readline())["value"] == "x"
    assert command.wait(10) == DONE
    weir.wait_for_log("runs on")
    assert weir.stop() == DONE


def test_after_5_seconds_both_give_up_and_name_who_has_it(held):
    weir, holder = held
    began = time.monotonic()
    command = process.spawn([BINARY, "tail", "t"], cwd=weir.folder, stderr=subprocess.PIPE)
    weir.start()
    assert command.wait(30) == FAILED and weir.wait_exit(30) == FAILED
    assert time.monotonic() - began > 4.5
    error = command.stderr.read().decode()
    assert "in use" in error and str(holder.pid) in error
    assert "in use" in weir.log() and str(holder.pid) in weir.log()


def test_a_command_that_waits_can_be_stopped(held):
    weir, _ = held
    command = process.spawn([BINARY, "topics", "list"], cwd=weir.folder, stderr=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        command.wait(0.5)
    command.terminate()
    assert command.wait(2) == FAILED


def test_commands_never_miss_a_starting_or_stopping_weir(weir):
    """Commands run all the while weir starts and stops: each of them finds a way."""
    weir.cli("topics", "create", "t")
    failures, counts, is_done = [], [0] * 4, threading.Event()

    def produce(number):
        while not is_done.is_set():
            done = weir.cli("produce", "t", input=f"{number} {counts[number]}\n", check=False)
            if done.returncode != 0:
                failures.append(done.stderr)
                return
            counts[number] += 1

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(len(counts))]
    for thread in threads:
        thread.start()
    for _ in range(8):
        start(weir)
        assert weir.stop() == DONE
    is_done.set()
    for thread in threads:
        thread.join()
    # A connection may be cut by the stop itself; whoever was told "done" must be in the log, once.
    assert all("weir" in f for f in failures), failures
    values = [r["value"] for r in weir.tail("t")]
    for number, count in enumerate(counts):
        mine = [v for v in values if v.startswith(f"{number} ")]
        assert mine[:count] == [f"{number} {i}" for i in range(count)] and len(mine) - count in (0, 1)


def test_a_long_path_is_reached(tmp_path):
    weir = Weir(tmp_path, dir=tmp_path / ("d" * 100) / ("e" * 100))
    (tmp_path / ("d" * 100)).mkdir()
    try:
        start(weir)
        weir.produce("t", ["x"])
        assert weir.topics() == ["t"] and (weir.dir / "weir.sock").is_socket()
        assert weir.stop() == DONE
        assert [r["value"] for r in weir.tail("t")] == ["x"]
    finally:
        weir.close()


def test_the_socket_takes_its_owner_and_root_only(weir):
    start(weir)
    path = weir.dir / "weir.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    as_other = process.as_user("nobody")
    if not as_other:
        pytest.skip("needs root to be somebody else")
    for place in (path, weir.dir, *weir.folder.parents):
        if str(place).startswith("/tmp/"):
            os.chmod(place, 0o777)  # the mode no longer keeps anybody out: the peer's user does
    os.chmod(weir.folder, 0o777)
    ask = ("import socket; s = socket.socket(socket.AF_UNIX); s.connect('%s'); "
           "s.sendall(b'GET /api/topics HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'); print(s.recv(4096).decode())" % path)
    done = subprocess.run(["/usr/bin/python3", "-c", ask], **as_other, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout.startswith("HTTP/1.1 412") and '"REFUSED"' in done.stdout
    assert weir.topics() == []


def test_what_a_crash_leaves_is_no_hindrance(weir):
    start(weir)
    weir.produce("t", ["x"])
    weir.kill()
    assert (weir.dir / "weir.sock").exists()
    assert weir.topics() == ["t"]
    start(weir)
    assert weir.topics() == ["t"]
    assert weir.stop() == DONE


def test_a_client_that_says_nonsense_is_survived(weir):
    start(weir)
    for bytes_ in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"\x00" * 70000, b"GET /api/topics"):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(weir.dir / "weir.sock"))
            try:
                s.sendall(bytes_)
            except OSError:
                pass
    assert weir.topics() == []
    assert weir.stop() == DONE


def test_idle_it_does_not_wake_up(weir):
    """No thread of it runs for 3 s, with a follower connected."""
    start(weir)
    weir.produce("t", ["x"])
    tail = process.spawn([BINARY, "tail", "t", "--follow", "--from", "earliest"], cwd=weir.folder, stdout=subprocess.PIPE)
    tail.stdout.readline()

    def switches():
        """Of all threads; None when one of them ended meanwhile."""
        total = 0
        try:
            for task in os.listdir(f"/proc/{weir.process.pid}/task"):
                with open(f"/proc/{weir.process.pid}/task/{task}/status", encoding="ascii") as f:
                    total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
        except (FileNotFoundError, ProcessLookupError):
            return None
        return total

    weir.wait(lambda: rests(switches), 20, "it comes to rest")
    before = switches()
    time.sleep(3)
    assert switches() == before
    process.end(tail)


def rests(switches):
    before = switches()
    time.sleep(1.5)  # longer than until the first retention pass
    return before is not None and switches() == before


# ---- what goes wrong ------------------------------------------------------------------------------------

WRONG = {
    "tab": ("log:\n\tdir: x\n", "weir.yaml:2:1: ", "spaces"),
    "brace": ("log: {dir: x\n", "weir.yaml:2:1: ", "'}'"),
    "twice": ("log:\n  dir: x\n  dir: y\n", "weir.yaml:3:3: ", "twice"),
    "number": ("log:\n  interval_ms: soon\n", "weir.yaml:2:16: ", "whole number"),
    "choice": ("log:\n  durability: sync\n", "weir.yaml:2:15: ", "fsync, interval or os"),
    "section": ("loge: {}\n", "weir.yaml:1:1: ", "did you mean 'log:'"),
    "later": ("kafka: {listen: 127.0.0.1:9092}\n", "weir.yaml:1:1: ", "'kafka'"),
    "bytes": ("log: \xff\n", "weir.yaml", "UTF-8"),
    "variable": ("log: {dir: '${NOT_SET_ANYWHERE}'}\n", "weir.yaml:1:12: ", "NOT_SET_ANYWHERE"),
    "view": ("views: {v: {from: t}}\n", "weir.yaml:1:", "to"),
    "sql": ("views:\n  v:\n    from: t\n    to: sqlite:m.db\n    on:\n      E: INSER INTO t VALUES (1)\n",
            "weir.yaml:6:", "INSER"),
    "source": ("sources: {s: {connector.class: postgres}}\n", "weir.yaml:1:", "database."),
    "class": ("sources: {s: {connector.class: org.example.Unknown}}\n", "weir.yaml:1:", "org.example.Unknown"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_configuration_is_told_with_its_place(weir, name):
    text, place, words = WRONG[name]
    (weir.folder / "weir.yaml").write_bytes(text.encode("latin-1"))
    line = run_fails(weir, USAGE)
    assert line.startswith(f"weir: {place}") and words in line


def test_a_missing_file_is_a_matter_of_configuration(weir):
    assert "nosuch.yaml" in run_fails(weir, USAGE, "nosuch.yaml")
    assert not weir.dir.exists()


def test_unknown_keys_warn_and_it_runs(weir):
    weir.write("weir.yaml", "log:\n  durabilty: fsync\nview: {}\n")
    start(weir)
    assert "weir.yaml:2:3: unknown key 'durabilty' in log; did you mean 'durability'?" in weir.log()
    assert "weir.yaml:3:1: unknown key 'view' in weir.yaml; did you mean 'views'?" in weir.log()
    assert weir.stop() == DONE


PG = "sources: {s: {connector.class: postgres, database.hostname: h, database.user: u, database.dbname: d, "
SECRETS = {
    "number": "sources: {s: {connector.class: postgres, database.port: '${SECRET}'}}\n",
    "choice": "sources: {s: {connector.class: postgres, snapshot.mode: '${SECRET}'}}\n",
    "bool": "sources: {s: {connector.class: postgres, tombstones.on.delete: '${SECRET}'}}\n",
    "class": "sources: {s: {connector.class: '${SECRET}'}}\n",
    "expression": PG + "table.include.list: '${SECRET}(a'}}\n",
    "of a file": PG + "schema.exclude.list: '${file:secret.txt}(a'}}\n",
    "slot": PG + "slot.name: '${SECRET}!'}}\n",
    "operations": PG + "skipped.operations: '${SECRET}'}}\n",
    "placeholder": PG + "unavailable.value.placeholder: 'hex:${SECRET}'}}\n",
    "converter": PG + "value.converter: '${SECRET}'}}\n",
    "refused": PG + "column.exclude.list: '${SECRET}'}}\n",
    "log number": "log: {interval_ms: '${SECRET}'}\n",
    "durability": "log: {durability: '${SECRET}'}\n",
    "topic defaults": "log: {topic_defaults: {retention.ms: '${SECRET}'}}\n",
    "store": "views: {v: {from: t, to: '${SECRET}', on: {E: x}}}\n",
    "path": "views: {v: {from: t, to: 'sqlite:/nowhere/${SECRET}.db', on: {E: SELECT 1}}}\n",
    "topic": "views: {v: {from: '${SECRET}/', to: sqlite:m.db, on: {E: x}}}\n",
    "sql": "views: {v: {from: t, to: sqlite:m.db, on: {E: 'SELECT ${SECRET}'}}}\n",
    "parameter": "views: {v: {from: t, to: sqlite:m.db, on: {E: \"SELECT '${SECRET}\"}}}\n",
    "schema": "views: {v: {from: t, to: sqlite:m.db, schema: '${SECRET} x', on: {E: SELECT 1}}}\n",
    "on_error": "views: {v: {from: t, to: sqlite:m.db, on_error: '${SECRET}', on: {E: SELECT 1}}}\n",
    "rows": "views: {v: {from: t, to: sqlite:m.db, batch: {rows: '${SECRET}'}, on: {E: SELECT 1}}}\n",
    "name": "name: '${SECRET} x'\nconnector.class: postgres\n",
    "state": "kind: KafkaConnector\nspec: {class: postgres, state: '${SECRET}'}\n",
    "bare !": "sources:\n  s:\n    database.password: !hunter2\n",
    "bare *": "sources:\n  s:\n    database.password: *hunter2\n",
    "half a reference": "sources: {s: {database.password: 'x${hunter2-}'}}\n",
    "a list": "sources: {s: {connector.class: postgres, database.password: [hunter2]}}\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_never_said(weir, name):
    weir.env["SECRET"] = "hunter2"
    weir.write("secret.txt", "hunter2\n")
    weir.write("weir.yaml", SECRETS[name])
    done = weir.cli("run", check=False)
    assert done.returncode in (FAILED, USAGE) and "hunter2" not in done.stderr + done.stdout, done.stderr
    assert done.stderr.startswith("weir: ")
    assert "hunter2" not in weir.cli("sources", "status", check=False).stderr


def test_when_the_last_worker_fails_it_ends(weir):
    weir.write("weir.yaml", "views:\n  v:\n    from: t\n    to: sqlite:m.db\n    schema: CREATE TABLE t (a PRIMARY KEY)\n"
                            "    on: {E: 'INSERT INTO t VALUES (:a)'}\n")
    start(weir)
    weir.produce("t", ['{"type": "E", "a": 1}', '{"type": "E", "a": 1}'])
    assert weir.wait_exit(10) == FAILED
    assert "offset" in weir.log() and "UNIQUE" in weir.log() and "no source and no view is left" in weir.log()


def test_a_second_signal_ends_it_at_once(weir):
    """A follower that does not read holds the stop up for a moment; nobody has to wait for it."""
    start(weir)
    weir.process.send_signal(signal.SIGSTOP)
    weir.process.send_signal(signal.SIGTERM)
    weir.process.send_signal(signal.SIGINT)
    weir.process.send_signal(signal.SIGCONT)
    assert weir.wait_exit() in (DONE, 128 + signal.SIGINT, 128 + signal.SIGTERM)


def test_it_stops_while_its_read_model_is_locked(weir):
    """Another process has the file in a transaction: the view waits for it, a stop does not."""
    weir.write("weir.yaml", "views:\n  v:\n    from: t\n    to: sqlite:m.db\n    schema: CREATE TABLE t (a)\n"
                            "    on: {E: 'INSERT INTO t VALUES (:a)'}\n")
    start(weir)
    weir.produce("t", ['{"type": "E", "a": 1}'])
    weir.wait(lambda: weir.named("v", "views", "status")["applied"] == 1)
    lock = sqlite3.connect(weir.folder / "m.db", isolation_level=None)
    try:
        lock.execute("BEGIN IMMEDIATE")
        weir.produce("t", ['{"type": "E", "a": 2}'])
        weir.wait(lambda: "locked" in (weir.named("v", "views", "status")["error"] or ""), 60, "the view waits")
        assert weir.stop() == DONE
        lock.execute("ROLLBACK")
    finally:
        lock.close()
    start(weir)
    weir.wait(lambda: weir.named("v", "views", "status")["lag"] == 0)
    assert weir.stop() == DONE
    with contextlib.closing(sqlite3.connect(weir.folder / "m.db")) as model:
        assert model.execute("SELECT a FROM t ORDER BY a").fetchall() == [(1,), (2,)]


def test_a_failed_sync_ends_it_with_one_line(weir):
    weir.produce("t", ["before"])
    fail = ["strace", "-f", "-o", "/dev/null", "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=3+"]
    weir.start(under=fail)
    weir.wait_for_log("runs on")
    stored = ["before"]
    for number in range(20):
        if weir.cli("produce", "t", input=f"line {number}\n", check=False).returncode != DONE:
            break
        stored.append(f"line {number}")
    assert weir.wait_exit(10) == FAILED
    errors = [line for line in weir.log().splitlines() if line.startswith("weir: ")]
    assert len(errors) == 1 and "sync" in errors[0]
    assert [r["value"] for r in weir.tail("t")][:len(stored)] == stored
