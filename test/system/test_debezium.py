"""The whole way from PostgreSQL to the log against Debezium: the bytes that test/wire/debezium has of it."""

import json
import re
import subprocess
import sys

import pytest

from harness.compare import members
from harness.ledger import wait_streaming
from harness.manifest import manifest
from harness.process import TOP

WIRE = TOP / "test/wire/debezium"
sys.path.insert(0, str(WIRE))

import pack  # noqa: E402

# Of each configuration, what differs from the manifest's.
CONFIGS = {
    "schemas": {"key.converter.schemas.enable": "true", "value.converter.schemas.enable": "true"},
    "string_connect": {"decimal.handling.mode": "string", "time.precision.mode": "connect",
                       "binary.handling.mode": "base64", "unavailable.value.placeholder": "hex:2d2d",
                       "extended.headers.enabled": "false"},
    "double_micros": {"decimal.handling.mode": "double", "time.precision.mode": "adaptive_time_microseconds",
                      "binary.handling.mode": "hex", "tombstones.on.delete": "false",
                      "key.converter.replace.null.with.default": "false",
                      "value.converter.replace.null.with.default": "false", "skipped.operations": "t"},
}
TABLES = ["types", "arrays", "defaults", "required", "composite", "uniq", "full_old", "no_key", "keys", "toast",
          "toast_full", "cut_a", "cut_b", "orders", "snap"]
ODD_TOPIC = "app.Sch__ma.T__1____-x.y"
TOPICS = [f"app.public.{t}" for t in TABLES] + [ODD_TOPIC, "app.message"]


def recorded(name):
    """Debezium's records by topic, each as its lines; schemas put back in."""
    schemas, topics, record = [], {}, []
    for line in (WIRE / f"{name}.records").read_text().split("\n"):
        if line.startswith("S "):
            schemas.append(line[2:])
        elif line:
            record.append(re.sub(r'\{"schema":\$(\d+)', lambda m: '{"schema":' + schemas[int(m.group(1))], line))
        elif record:
            topics.setdefault(record[0][2:].split()[0], []).append(record[1:])
            record = []
    return topics


def masked(text):
    """As pack.py masks; and what Debezium's version and its first position are."""
    for pattern, mask in pack.MASKS:
        text = re.sub(pattern, mask, text)
    text = re.sub(r'"version":"[^"]*","connector"', '"version":"3.5.0.Final","connector"', text)
    return text.replace(r'"sequence":"[null,\"26870000\"]"', r'"sequence":"[\"26869000\",\"26870000\"]"')


def written(weir, topic):
    """weir's records of a topic in the same form."""
    records = []
    for line in weir.cli("tail", topic, "--json").stdout.split("\n")[:-1]:  # U+2028 is no end of a line here
        parts = members(line)
        record = [f"{letter} {masked(parts[name])}" if parts[name] != "null" else letter
                  for letter, name in (("K", "key"), ("V", "value"))]
        for name, value in json.loads(parts["headers"]):
            value = "01a20cae-a294-7df8-ac0a-87436a49f57d" if name.endswith(".runId") else value
            record.append(f"H {name} {value}")
        records.append(record)
    return records


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", CONFIGS)
def test_a_database_s_changes_become_the_bytes_that_debezium_writes(postgres, db, weir, name):
    def run(file):
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", postgres.socket_dir, "-p", str(postgres.port),
                        "-U", "postgres", "-d", db, "-f", WIRE / file], check=True, stdout=subprocess.DEVNULL)

    run("tables.sql")
    more = {"snapshot.mode": "no_data", "skipped.operations": "none", "weir.schema.header": "false", **CONFIGS[name]}
    tables = ",".join(rf"public\.{t}" for t in TABLES) + ",Sché ma..*"
    weir.write("cdc.yaml", manifest(postgres, db, tables, slot=f"weir_{name}", **more))
    weir.start("cdc.yaml")
    wait_streaming(weir)
    run("changes.sql")
    want = {topic: [[masked(line.replace('"db":"app_db"', f'"db":"{db}"')) for line in record] for record in records]
            for topic, records in recorded(name).items() if topic in TOPICS}
    if name != "schemas":  # NaN in an array of decimals: weir shows it (docs/formats.md)
        del want["app.public.arrays"][2]
    last = "app.public.snap"
    weir.wait(lambda: last in weir.topics() and len(written(weir, last)) == len(want[last]), 60, "all changes are there")
    for topic in TOPICS:
        got = written(weir, topic)
        if topic == "app.public.arrays" and name != "schemas":
            assert "NaN" in got[2][1] or "NAN" in got[2][1]
            del got[2]
        assert got == want[topic], topic
    assert weir.stop() == 0
