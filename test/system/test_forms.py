"""Files of every form in one run, told apart by what is in them and merged; --set; references."""

import json

import pytest

DONE, USAGE, REFUSED = 0, 2, 3

STRIMZI = """apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: {name}
spec:
  class: io.debezium.connector.postgresql.PostgresConnector
  tasksMax: 1
  config:
{keys}
"""
KEYS = {"database.hostname": "127.0.0.1", "database.port": "1", "database.user": "u", "database.password": "p",
        "key.converter": "json", "value.converter": "json"}


def keys(name, **more):
    return {**KEYS, "database.dbname": f"db_{name}", "slot.name": f"slot_{name}", "topic.prefix": f"prefix_{name}", **more}


def lines(config, colon, indent=""):
    return "\n".join(f"{indent}{key}{colon}{value}" for key, value in config.items()) + "\n"


def connector(name):
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1", **keys(name)}


def sources_of(weir, *words):
    """{name: what the start-up text says of it} of a run."""
    weir.start(*words)
    weir.wait_for_log("Ctrl-C stops it")
    found = [line.split(": ", 1) for line in weir.log().splitlines() if line.startswith("  source ")]
    return {head.removeprefix("  source "): rest for head, rest in found}


def test_all_forms_run_together_whatever_their_files_are_called(weir):
    weir.write("a.properties", STRIMZI.format(name="strimzi", keys=lines(keys("strimzi"), ": ", "    ")))
    flat = STRIMZI.format(name="flat", keys=lines(keys("flat"), ": ", "    "))
    weir.write("b.json", "".join(line.lstrip() for line in flat.splitlines(keepends=True)))
    weir.write("c.yaml", json.dumps({"name": "connect", "config": connector("connect")}))
    weir.write("d.txt", json.dumps({"name": "bare", **connector("bare")}))
    weir.write("e.yaml", "name=props\n" + lines(connector("props"), "="))
    weir.write("f", "log: {durability: os}\nviews:\n  v: {from: t, to: 'sqlite:m.db', on: {E: 'SELECT 1'}}\n"
                    "sources:\n  connect: {database.hostname: 127.0.0.2}\n")
    said = sources_of(weir, "a.properties", "-f", "b.json", "c.yaml", "--file=d.txt", "e.yaml", "f")
    assert said == {name: f"127.0.0.{2 if name == 'connect' else 1}:1/db_{name} -> prefix_{name}.*"
                    for name in ("strimzi", "flat", "connect", "bare", "props")}
    assert "view v: t -> sqlite:m.db" in weir.log() and "durability os" in weir.log()
    assert [s["name"] for s in weir.json("sources", "list")] == list(said)
    assert [v["name"] for v in weir.json("views", "list")] == ["v"]
    assert weir.stop() == DONE


def test_set_is_stronger_than_files_and_reaches_what_it_names(weir):
    weir.write("a.json", json.dumps({"name": "a", "config": connector("a")}))
    weir.write("b.json", json.dumps({"name": "b", "config": connector("b")}))
    weir.write("v.yaml", "views:\n  v: {from: t, to: 'sqlite:m.db', on: {E: 'SELECT 1'}}\n")
    said = sources_of(weir, "a.json", "b.json", "v.yaml", "--set", "database.port=2", "--set", "sources.b.database.port=3",
                      "--set=sources.a.topic.prefix=\"p: #1\"", "-s", "log.dir=elsewhere", "-s", "log.durability=os",
                      "-s", "views.v.to=sqlite:other.db", "-s", "views.w.to=x", "-s", "databse.port=4")
    assert said == {"a": "127.0.0.1:2/db_a -> p: #1.*", "b": "127.0.0.1:3/db_b -> prefix_b.*"}
    assert (weir.folder / "elsewhere").is_dir() and "durability os" in weir.log() and "sqlite:other.db" in weir.log()
    warnings = [line for line in weir.log().splitlines() if line.startswith("weir: warn --set")]
    assert any("'w'" in line and "did you mean 'v'?" in line for line in warnings)
    assert any("'databse.port'; did you mean 'database.port'?" in line for line in warnings)
    assert weir.stop() == DONE


@pytest.mark.parametrize("short, name", [("avro", "avro"), ("string", "string"), ("bytes", "bytes"),
                                         ("io.confluent.connect.avro.AvroConverter", "AvroConverter"),
                                         ("org.apache.kafka.connect.storage.StringConverter", "StringConverter")])
def test_a_converter_that_is_not_there_names_the_one_that_is(weir, short, name):
    weir.write("a.json", json.dumps({"name": "a", "config": connector("a")}))
    done = weir.cli("run", "a.json", "--set", f"value.converter={short}", check=False)
    assert done.returncode == USAGE
    (line,) = done.stderr.splitlines()
    assert name in line and "--set value.converter=json --set key.converter=json" in line


@pytest.mark.parametrize("short", ["json", "JSON", "org.apache.kafka.connect.json.JsonConverter"])
def test_json_has_its_schema_unless_told_otherwise(postgres, db, weir, short):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)", dbname=db)
    config = {**connector("a"), "database.hostname": postgres.host, "database.port": postgres.port, "database.dbname": db,
              "database.user": "postgres", "database.password": "${PG_SECRET}", "table.include.list": "public.t",
              "slot.name": f"slot_{db}"}
    weir.env["PG_SECRET"] = "postgres"
    weir.write("a.json", json.dumps({"name": "a", "config": config}))
    weir.start("a.json", set={"value.converter": short, "key.converter.schemas.enable": "false"})
    weir.wait_for_log("now streaming")
    (record,) = weir.tail("prefix_a.public.t")
    assert record["key"] == {"id": 1} and set(record["value"]) == {"schema", "payload"}
    assert weir.stop() == DONE


def test_references_are_replaced_in_every_form(weir):
    weir.env["X_DB"] = "from_the_environment"
    weir.write("secret.txt", "from_a_file\n")
    weir.write("secrets.properties", "db=from_a_key\n")
    forms = {"env": "${X_DB}", "file": "${file:secret.txt}", "key": "${file:secrets.properties:db}", "default": "${NONE:-d}"}
    files = []
    for name, value in forms.items():
        config = {**connector(name), "database.dbname": value, "slot.name": "${X_DB}", "schema.include.list": f"{value}("}
        files.append(weir.write(f"{name}.json", json.dumps({"name": name, "config": config})).name)
        files.append(weir.write(f"{name}.p", f"name={name}2\n" + lines(config, "=")).name)
    for file in files:
        done = weir.cli("run", file, check=False)  # the list is wrong, which says that all before it was read
        assert done.returncode == USAGE and "schema.include.list: '****' is, or has" in done.stderr, done.stderr


def test_a_definition_that_was_changed_is_refused_as_a_condition(weir):
    view = "views:\n  v:\n    from: t\n    to: sqlite:m.db\n    schema: CREATE TABLE t (a)\n    on: {E: 'INSERT INTO t VALUES (%s)'}\n"
    weir.write("weir.yaml", view % ":a")
    weir.start()
    weir.wait_for_log("runs on")
    assert weir.stop() == DONE
    weir.write("weir.yaml", view % ":b")
    done = weir.cli("run", check=False)
    assert done.returncode == REFUSED and "name a new file in 'to:'" in done.stderr.splitlines()[-1]
