"""Every command, on a folder that nobody has open and through a weir that runs: the same answers, the same exit
statuses, one line on standard error."""

import base64
import json
import os
import pty
import signal
import subprocess
import time

import pytest

from harness import process
from harness.weir import BINARY

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3


@pytest.fixture(params=["in process", "through a weir"])
def any_weir(weir, request):
    """A weir in each of the two ways that a command may take."""
    if request.param == "through a weir":
        start(weir)
    return weir


def start(weir, *files, **kwargs):
    weir.start(*files, **kwargs)
    weir.wait_for_log("runs on")
    return weir


def fails(weir, status, *args, **kwargs):
    """Run a command that must end with `status` and one line of error; the line."""
    done = weir.cli(*args, check=False, **kwargs)
    lines = done.stderr.splitlines()
    assert done.returncode == status, done.stderr
    assert len(lines) == 1 and lines[0].startswith("weir: "), done.stderr
    assert done.stdout == ""
    return lines[0]


# ---- topics ---------------------------------------------------------------------------------------------

def test_a_topic_is_made_shown_and_deleted(any_weir):
    weir = any_weir
    weir.cli("topics", "create", "orders", "--partitions", 3, "--config", "retention.ms=1000")
    (topic,) = weir.json("topics", "list")
    assert list(topic)[0] == "name"
    assert (topic["name"], topic["partitions"], topic["records"]) == ("orders", 3, 0)
    (described,) = weir.json("topics", "describe", "orders")
    assert described["id"] == topic["id"]
    assert [p["partition"] for p in described["partitions"]] == [0, 1, 2]
    assert described["config"] == {"retention.ms": "1000"}
    assert "orders" in weir.cli("topics", "list").stdout
    assert "retention.ms=1000" in weir.cli("topics", "describe", "orders").stdout
    assert weir.cli("topics", "list", "--names").stdout == "orders\n"
    weir.cli("topics", "delete", "orders")
    assert weir.json("topics", "list") == []
    assert "'orders'" in fails(weir, FAILED, "topics", "describe", "orders")


def test_wrong_topics_are_refused_with_what_is_allowed(any_weir):
    weir = any_weir
    assert "a-z A-Z 0-9" in fails(weir, USAGE, "topics", "create", "no spaces")
    assert "retention" in fails(weir, USAGE, "topics", "create", "x", "--config", "retension.ms=1")
    assert "retention.ms" in fails(weir, USAGE, "topics", "create", "x", "--config", "retention.ms=soon")
    assert "KEY=VALUE" in fails(weir, USAGE, "topics", "create", "x", "--config", "retention.ms")
    assert "--partitions" in fails(weir, USAGE, "topics", "create", "x", "--partitions", 0)
    assert "__weir_x" in fails(weir, USAGE, "topics", "create", "__weir_x")
    weir.cli("topics", "create", "x")
    assert "'x'" in fails(weir, FAILED, "topics", "create", "x")
    for words in (["topics", "delete"], ["topics", "describe"], ["tail"]):
        error = fails(weir, FAILED, *words, "none")
        assert "'none'" in error and "weir topics list" in error
    assert weir.topics() == ["x"]


def test_a_topic_may_be_there_or_be_gone_where_that_is_said(any_weir):
    weir = any_weir
    weir.cli("topics", "create", "x", "--partitions", 2)
    assert "--if-not-exists" in fails(weir, FAILED, "topics", "create", "x")
    assert weir.cli("topics", "create", "x", "--if-not-exists", "--partitions", 3).stdout == ""
    assert weir.named("x", "topics", "list")["partitions"] == 2
    assert "retention.ms" in fails(weir, USAGE, "topics", "create", "y", "--if-not-exists", "-c", "retention.ms=x")
    weir.cli("topics", "delete", "x", "--if-exists")
    weir.cli("topics", "delete", "x", "--if-exists")
    assert "'x'" in fails(weir, FAILED, "topics", "delete", "x")


def test_every_list_is_one_array_of_objects_that_begin_with_their_name(any_weir, postgres):
    weir = any_weir
    weir.write("weir.yaml", f"""sources:
  app: {{connector.class: postgres, database.hostname: {postgres.host}, database.port: 1, database.user: u, database.dbname: d}}
views:
  model: {{from: t, to: 'sqlite:m.db', on: {{E: 'SELECT 1'}}}}
""")
    if weir.is_running():
        assert weir.stop() == DONE
        start(weir)
    weir.produce("t", ["x"])
    for words in (["topics", "list"], ["topics", "list", "--internal"], ["topics", "describe", "t"], ["sources", "list"],
                  ["sources", "status"], ["views", "list"], ["views", "status"], ["sources", "status", "app"],
                  ["views", "status", "model"]):
        items = weir.json(*words)
        assert items and all(list(item)[0] == "name" for item in items), words
        assert len(weir.cli(*words, "--json").stdout.splitlines()) == 1, words
        assert "{" not in weir.cli(*words).stdout


def test_commands_find_the_folder_as_weir_run_does(weir):
    weir.write("weir.yaml", "log: {dir: '${FOLDER}'}\nsources: {s: {connector.class: postgres, database.port: '${UNSET}'}}\n")
    assert "weir.yaml:1:12: log.dir has a ${…}" in fails(weir, USAGE, "produce", "t", input="x\n")
    assert sorted(p.name for p in weir.folder.iterdir()) == ["weir.yaml"]
    weir.cli("produce", "t", "--dir", "there", input="x\n")
    weir.env["FOLDER"] = "there"
    assert weir.topics() == ["t"]  # what else is not set does not matter here
    weir.write("weir.yaml", "log: {dir: [}\n")
    assert "weir.yaml:1:" in fails(weir, USAGE, "topics", "list")
    assert weir.cli("topics", "list", "--names", "--dir", "there").stdout == "t\n"


def test_a_folder_without_a_log_has_no_topics(weir):
    done = weir.cli("topics", "list", "--json")
    assert json.loads(done.stdout) == [] and "weir-data" in done.stderr
    assert "weir-data" in fails(weir, FAILED, "tail", "orders")
    assert "weir-data" in fails(weir, FAILED, "log", "verify")
    assert not weir.dir.exists()


# ---- produce and tail -----------------------------------------------------------------------------------

def test_lines_are_kept_byte_for_byte(any_weir):
    weir = any_weir
    lines = [b'{"a":  1.10, "b" : [ ] }', b"plain text", b"\xff\xfe\x00\x01", b"", b"caf\xc3\xa9\r", b"12", b'"12"', b"null"]
    weir.cli("produce", "bytes", input=b"\n".join(lines))
    out = weir.cli("tail", "bytes", "--json").stdout.splitlines()
    values = [json.loads(line) for line in out]
    assert '"value":{"a":1.10,"b":[]}' in out[0]
    assert values[1]["value"] == "plain text"
    assert "value" not in values[2] and base64.b64decode(values[2]["value_base64"]) == lines[2]
    assert values[3]["value"] == ""
    assert values[4]["value"] == "café\r"
    assert '"value":12,' in out[5] and '"value":"12",' in out[6] and values[7]["value"] is None
    assert [v["offset"] for v in values] == list(range(8))
    assert all(v["key"] is None and v["headers"] == [] for v in values)
    # What stands in the segment is what came in, blanks and all.
    dumped = weir.cli("log", "dump", "bytes", "--records", "--json").stdout
    assert weir.cli("topics", "describe", "bytes", "--json") and '"plain text"' in dumped
    segment = next(weir.dir.glob("bytes-0/*.log"))
    weir.wait(lambda: all(line in segment.read_bytes() for line in lines))


def test_key_separator_headers_type_and_id(any_weir):
    weir = any_weir
    weir.produce("t", ["k1\tv1", "k2\tv\t2"], "--key-separator", "\\t", "-H", "a=1", "-H", "a=b=c", "--type", "T")
    first, second = weir.tail("t")
    assert (first["key"], first["value"], second["key"], second["value"]) == ("k1", "v1", "k2", "v\t2")
    assert first["headers"] == [["a", "1"], ["a", "b=c"], ["ce_type", "T"]]
    weir.produce("u", ["v"], "--key", "1001", "--id", "e-1", "--partition", 0)
    (record,) = weir.tail("u")
    assert (record["key"], record["headers"]) == (1001, [["ce_id", "e-1"]])


def test_a_wrong_line_is_named_and_what_came_before_is_stored(any_weir):
    weir = any_weir
    line = fails(weir, FAILED, "produce", "t", "--key-separator", ":", input="a:1\nb:2\nno separator\nc:3\n")
    assert "line 3" in line and "2 before it are stored" in line
    assert [r["key"] for r in weir.tail("t")] == ["a", "b"]
    assert "one event" in fails(weir, FAILED, "produce", "u", "--id", "x", input="1\n2\n")


def test_produce_makes_the_topic_even_without_a_line(any_weir):
    any_weir.cli("produce", "empty", input=b"")
    assert any_weir.topics() == ["empty"]
    assert json.loads(any_weir.cli("produce", "empty", "--json", input=b"a\nb\n").stdout) == {"topic": "empty", "records": 2}


def test_many_and_large_lines(any_weir):
    weir = any_weir
    large = "x" * 3_000_000
    weir.produce("t", [str(i) for i in range(50_000)] + [large])
    records = weir.tail("t")
    assert [r["value"] for r in records[:-1]] == list(range(50_000))
    assert records[-1]["value"] == large


def test_tail_begins_and_ends_where_it_is_told(any_weir):
    weir = any_weir
    weir.produce("t", [str(i) for i in range(10)], "--key", "k")

    def values(*args):
        return [r["value"] for r in weir.tail("t", *args)]

    assert values("--from", "7") == [7, 8, 9]
    assert values("--from", "latest") == []
    assert values("--max", 2) == [0, 1]
    assert values("-n", 2, "--from", "earliest") == [0, 1]
    assert values("--from", "-1h") == list(range(10))
    assert values("--from", "2000-01-01") == list(range(10))
    assert values("--from", "2999-01-01T00:00:00Z") == []
    assert values("--key", "k", "--max", 1) == [0]
    assert values("--key", "other") == []
    assert "--from must be" in fails(weir, USAGE, "tail", "t", "--from", "soon")
    assert "max" in fails(weir, USAGE, "tail", "t", "--max", "-1")
    assert "99" in fails(weir, FAILED, "tail", "t", "--from", "99")
    assert "'none'" in fails(weir, FAILED, "tail", "none")


def test_plain_tail_shows_place_time_key_and_value(any_weir):
    any_weir.produce("t", ['{"a": 1}', "\x1b[31mred"], "--key", "k")
    first, second = any_weir.cli("tail", "t").stdout.splitlines()
    place, when, key, value = first.split("\t")
    assert (place, key, value) == ("t-0:0", "k", '{"a":1}')
    assert time.strptime(when, "%Y-%m-%dT%H:%M:%S.%fZ")
    assert second.endswith("\\x1b[31mred")


def test_keys_and_values_of_any_bytes_are_told_apart(any_weir):
    weir = any_weir
    weir.cli("produce", "t", "--key-separator", "|", input=b'\xff\x00|\xfe\n{"b":  2}|[ 1 ]\ntext|\xc3\xa9\n|none\n')
    out = weir.cli("tail", "t", "--json").stdout.splitlines()
    first, _, third, fourth = map(json.loads, out)
    assert list(first) == ["topic", "partition", "offset", "timestamp", "key_base64", "value_base64", "headers"]
    assert (first["key_base64"], first["value_base64"], first["headers"]) == ("/wA=", "/g==", [])
    assert '"key":{"b":2},"value":[1]' in out[1]
    assert (third["key"], third["value"]) == ("text", "é")
    assert fourth["key"] == ""
    assert abs(third["timestamp"] / 1000 - time.time()) < 3600


def on_a_terminal(weir, *words, typed=b""):
    """Run a command on a terminal of its own, with something typed; its status and what is shown."""
    shown, sent = b"", False

    def read(fd):
        nonlocal shown, sent
        data = os.read(fd, 65536)
        shown += data
        if typed and not sent:
            os.write(fd, typed)
            sent = True
        return data

    pid = os.fork()
    if pid == 0:
        os.chdir(weir.folder)
        with open(weir.folder / "terminal", "wb") as out:
            os.dup2(out.fileno(), 1)
        status = pty.spawn([str(BINARY), *words], read, lambda fd: b"")
        (weir.folder / "terminal.status").write_text(str(os.waitstatus_to_exitcode(status)))
        os._exit(0)
    os.waitpid(pid, 0)
    return int((weir.folder / "terminal.status").read_text()), (weir.folder / "terminal").read_text()


def test_who_types_is_told_and_asked(weir):
    status, shown = on_a_terminal(weir, "produce", "t", typed=b"one\ntwo\n\x04")
    assert status == DONE and "Ctrl-D ends" in shown and "2 records in 't'; next: weir tail t" in shown
    status, shown = on_a_terminal(weir, "topics", "delete", "t", typed=b"u\n")
    assert status == REFUSED and "its name was not typed" in shown and weir.topics() == ["t"]
    status, shown = on_a_terminal(weir, "topics", "delete", "t", typed=b"t\n")
    assert status == DONE and "'t' deleted" in shown and weir.topics() == []


def test_internal_topics_are_shown_only_when_asked_for(any_weir):
    weir = any_weir
    weir.cli("topics", "create", "t")
    assert "--internal" in fails(weir, USAGE, "tail", "__weir_positions")
    assert "__weir_positions" in fails(weir, USAGE, "produce", "__weir_positions", input="x\n")
    assert "--internal" in fails(weir, USAGE, "topics", "describe", "__weir_positions")


def follow(weir, *args):
    words = [BINARY, "tail", "t", "--follow", "--json", *args]
    return process.spawn(words, cwd=weir.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_following_shows_what_comes(weir):
    start(weir)
    weir.produce("t", ["old"])
    tail = follow(weir, "--from", "earliest", "--max", "3")
    assert json.loads(tail.stdout.readline())["value"] == "old"
    weir.produce("t", ["new", "newer", "too late"])
    assert [json.loads(line)["value"] for line in tail.stdout] == ["new", "newer"]
    assert tail.wait(10) == DONE


def test_following_begins_at_the_end(weir):
    start(weir)
    weir.produce("t", ["old"])
    tail = follow(weir, "--max", "1")
    weir.wait(lambda: followers(weir) == 1)
    weir.produce("t", ["new"])
    assert json.loads(tail.stdout.readline())["value"] == "new"
    assert tail.wait(10) == DONE


def followers(weir):
    """Connections to the running weir that are not ours: threads beyond those at rest."""
    return len(os.listdir(f"/proc/{weir.process.pid}/task")) - idle_threads(weir)


def idle_threads(weir, known={}):
    return known.setdefault(weir.process.pid, len(os.listdir(f"/proc/{weir.process.pid}/task")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_follower_that_is_stopped_is_done(weir, number):
    start(weir)
    weir.produce("t", ["old"])
    tail = follow(weir, "--from", "earliest")
    tail.stdout.readline()
    tail.send_signal(number)
    assert tail.wait(10) == DONE


def test_a_follower_is_told_when_weir_stops(weir):
    start(weir)
    weir.produce("t", ["old"])
    tail = follow(weir, "--from", "earliest")
    tail.stdout.readline()
    assert weir.stop() == DONE
    assert tail.wait(10) == FAILED
    assert tail.stderr.read() == b"weir: weir was stopped\n"


def test_who_stops_reading_ends_the_command_without_a_word(any_weir):
    any_weir.produce("t", ["x" * 1000] * 5000)
    tail = process.spawn([BINARY, "tail", "t"], cwd=any_weir.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    tail.stdout.readline()
    tail.stdout.close()
    assert tail.wait(10) == DONE
    assert tail.stderr.read() == b""


def test_output_that_cannot_be_written_is_a_failure(any_weir):
    any_weir.produce("t", ["x"])
    with open("/dev/full", "wb") as full:
        done = subprocess.run([BINARY, "tail", "t"], cwd=any_weir.folder, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == FAILED and b"standard output" in done.stderr


def test_a_produced_line_survives_kill_9_of_weir(weir):
    start(weir)
    for i in range(20):
        weir.produce("t", [str(i)])
    weir.kill()
    assert [r["value"] for r in weir.tail("t")] == list(range(20))


# ---- sources, views, log --------------------------------------------------------------------------------

def test_sources_and_views_without_a_weir_are_those_of_the_file(weir):
    weir.write("weir.yaml", "sources: {app: {connector.class: postgres, database.password: '${NOT_SET}'}}\n"
                            "views: {model: {from: t, to: 'sqlite:m.db', on: {}}}\n")
    none = {"name": "app", "connector": None, "state": "stopped", "error": None}
    assert weir.json("sources", "list") == [{**none, "position": None}]
    assert weir.json("sources", "status") == [{**none, "stored": None, "stored_at": None, "database": None, "slot": None}]
    model = {"name": "model", "to": "sqlite:m.db", "state": "stopped", "lag": None, "error": None}
    assert weir.json("views", "list") == [model]
    assert weir.json("views", "status", "model") == [{**model, "partitions": []}]
    assert not (weir.folder / "m.db").exists()
    assert "'nil'" in fails(weir, FAILED, "views", "status", "nil")


def test_a_running_weir_tells_of_its_views(weir):
    weir.write("weir.yaml", "views:\n  model:\n    from: t\n    to: sqlite:m.db\n    schema: CREATE TABLE t (a)\n"
                            "    on: {E: 'INSERT INTO t VALUES (:a)'}\n")
    start(weir)
    weir.produce("t", ['{"type": "E", "a": 1}', '{"type": "other"}'])
    weir.wait(lambda: weir.named("model", "views", "status")["unhandled"] == 1)
    status = weir.named("model", "views", "status")
    assert (status["state"], status["applied"], status["lag"], status["error"]) == ("running", 1, 0, None)
    assert status["partitions"] == [{"topic": "t", "partition": 0, "next_offset": 2, "lag": 0}]
    assert list(weir.json("views", "list")[0])[:3] == ["name", "to", "state"]
    assert "running" in weir.cli("views", "status").stdout
    assert weir.stop() == DONE


def test_a_view_that_does_not_run_tells_its_place_from_its_file(weir):
    weir.write("weir.yaml", "views:\n  model:\n    from: t\n    to: 'sqlite:m #1?.db'\n    schema: CREATE TABLE t (a)\n"
                            "    on: {E: 'INSERT INTO t VALUES (:a)'}\n")
    start(weir)
    weir.produce("t", ['{"type": "E", "a": 1}', '{"type": "E", "a": 2}'])
    weir.wait(lambda: weir.named("model", "views", "status")["applied"] == 2)
    assert weir.stop() == DONE
    weir.produce("t", ['{"type": "E", "a": 3}'])
    files = sorted(path.name for path in weir.folder.iterdir())
    model = weir.named("model", "views", "status")
    assert (model["state"], model["lag"], model["error"]) == ("stopped", 1, None)
    assert model["partitions"] == [{"topic": "t", "partition": 0, "next_offset": 2, "lag": 1}]
    assert weir.named("model", "views", "list")["lag"] == 1
    assert sorted(path.name for path in weir.folder.iterdir()) == files  # nothing is made by looking
    weir.start()
    weir.wait_for_log("runs on")
    weir.wait(lambda: weir.named("model", "views", "status")["applied"] == 1)
    weir.kill()
    assert weir.named("model", "views", "status")["partitions"][0]["next_offset"] == 3  # from the WAL that it left
    (weir.folder / "m #1?.db").write_bytes(b"this is no database, whatever its name says" * 100)
    model = weir.named("model", "views", "status")
    assert "not a database" in model["error"] and model["lag"] is None


def test_verify_finds_nothing_in_a_good_log_and_names_what_is_wrong(weir):
    weir.produce("t", [f"record {i}" for i in range(100)])
    assert weir.json("log", "verify") == []
    assert "nothing is wrong" in weir.cli("log", "verify").stdout
    segment = next(weir.dir.glob("t-0/*.log"))
    damaged = bytearray(segment.read_bytes())
    damaged[-10] ^= 0xFF
    segment.write_bytes(damaged)
    done = weir.cli("log", "verify", "--json", check=False)
    assert done.returncode == FAILED and done.stderr.startswith("weir: 1 findings")
    (finding,) = json.loads(done.stdout)
    assert finding["file"] == f"t-0/{segment.name}" and finding["topic"] == "t" and finding["partition"] == 0
    assert finding["kind"] == "damaged batch" and finding["position"] >= 0
    assert (finding["first_offset"], finding["next_offset"]) == (0, 100)
    before = segment.read_bytes()
    weir.cli("log", "repair", "--dry-run")
    assert segment.read_bytes() == before
    weir.cli("log", "repair")
    assert weir.json("log", "verify") == []
    assert weir.tail("t") == []


def test_repair_keeps_off_a_running_weir(weir):
    start(weir)
    weir.produce("t", ["x"])
    assert weir.json("log", "verify") == []
    assert "in use" in fails(weir, FAILED, "log", "repair")


def test_dump_shows_batches_and_records(any_weir):
    any_weir.produce("t", ["a", "b"])
    assert "offsets 0 to 1, 2 records" in any_weir.cli("log", "dump", "t").stdout
    segment = next(any_weir.dir.glob("t-0/*.log"))
    out = any_weir.cli("log", "dump", segment, "--records", "--json").stdout.splitlines()
    batch, first, second = [json.loads(line) for line in out]
    assert (batch["what"], batch["base_offset"], batch["last_offset"]) == ("batch", 0, 1)
    assert (first["value"], second["value"]) == ("a", "b")
    assert "has no partition 0 of a topic 'none'" in fails(any_weir, FAILED, "log", "dump", "none")


# ---- the rest -------------------------------------------------------------------------------------------

def test_init_writes_a_file_that_runs_and_leaves_a_present_one_alone(weir):
    weir.cli("init")
    text = (weir.folder / "weir.yaml").read_text()
    assert "weir.yaml" in fails(weir, FAILED, "init")
    assert (weir.folder / "weir.yaml").read_text() == text
    start(weir)
    assert "warn" not in weir.log()
    assert weir.stop() == DONE


def test_what_init_shows_in_comments_is_right(weir):
    weir.cli("init", "full.yaml")
    lines = (weir.folder / "full.yaml").read_text().splitlines()
    body = [line[2:] if line.startswith("# ") else line for line in lines]
    keep = [line for line in body if line[:1] in (" ", "") or line.rstrip() in ("log:", "sources:", "views:")]
    weir.write("full.yaml", "\n".join(keep) + "\n")
    weir.env["PGPASSWORD"] = "x"
    weir.start("full.yaml", args=["--set", "database.port=1"])
    weir.wait_for_log("runs on")
    assert "unknown key" not in weir.log() and "view analytics" in weir.log()
    assert weir.stop() == DONE


def test_version_help_and_completion(weir):
    assert weir.cli("version").stdout.startswith("weir ")
    assert json.loads(weir.cli("version", "--json").stdout)["name"] == "weir"
    assert weir.cli("--version").stdout == weir.cli("version").stdout
    assert weir.cli().stdout == weir.cli("--help").stdout == weir.cli("help").stdout
    assert weir.cli("help", "tail").stdout == weir.cli("tail", "--help").stdout
    assert "topics create" in weir.cli("topics", "--help").stdout
    for shell in ("bash", "zsh", "fish"):
        assert "weir" in weir.cli("completion", shell).stdout
    assert "bash, zsh and fish" in fails(weir, USAGE, "completion", "tcsh")


def test_usage_errors_are_one_line_and_exit_2(weir):
    for words in (["tial"], ["topics"], ["tail"], ["tail", "t", "--nope"], ["tail", "t", "--max"], ["run", "--json"]):
        fails(weir, USAGE, *words)


def test_colours_are_for_terminals_only(weir):
    weir.produce("t", ["x"])
    assert "\x1b" not in weir.cli("tail", "t").stdout + weir.cli("topics", "list").stdout

    def on_a_terminal(**env):
        out = subprocess.run(["script", "-qec", f"{BINARY} topics list", "/dev/null"], cwd=weir.folder, check=True,
                             env={**os.environ, "TERM": "xterm", **env}, capture_output=True, text=True)
        return out.stdout

    assert "\x1b[1m" in on_a_terminal()
    assert "\x1b" not in on_a_terminal(NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(TERM="dumb")


def test_a_read_only_folder_is_named(weir):
    weir.produce("t", ["x"])
    before = sorted((p.name, p.read_bytes()) for p in weir.dir.rglob("*") if p.is_file())
    as_other = process.as_user("nobody")
    if as_other:
        for place in (weir.dir, *weir.dir.rglob("*")):
            os.chmod(place, 0o555 if place.is_dir() else 0o444)
        for place in weir.folder.parents:
            if place.stat().st_uid == 0 and str(place).startswith("/tmp/"):
                os.chmod(place, 0o755)
        os.chmod(weir.folder, 0o755)
    else:
        os.chmod(weir.dir, 0o500)
    try:
        for words in (["run"], ["produce", "t"], ["topics", "create", "u"]):
            done = subprocess.run([BINARY, *words, "--dir", weir.dir], **as_other, input=b"y\n", capture_output=True,
                                  cwd="/", timeout=20, check=False)
            lines = done.stderr.decode().splitlines()
            assert done.returncode == FAILED and len(lines) == 1 and str(weir.dir) in lines[0], lines
    finally:
        for place in (weir.dir, *weir.dir.rglob("*")):
            os.chmod(place, 0o755 if place.is_dir() else 0o644)
    assert sorted((p.name, p.read_bytes()) for p in weir.dir.rglob("*") if p.is_file()) == before
