"""The scripts of test/peers, from pytest."""

import json
import subprocess

from . import process

FOLDER = process.TOP / "test/peers"


def kafka_tool(*args, seconds=300):
    """Run one of Kafka's command-line tools to its end; what it printed. The first call fetches Kafka."""
    done = subprocess.run([FOLDER / "kafka-tool", *map(str, args)], capture_output=True, text=True, timeout=seconds,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, f"kafka-tool {' '.join(map(str, args))}:\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def debezium_events(folder, config, seconds=300, **ends):
    """What Debezium itself writes for a connector configuration (a dict of text): the lines of its events.jsonl as
    dicts (see test/peers/debezium-engine). `ends`: count=N and idle=SECONDS say when it has seen enough."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "connector.json"
    file.write_text(json.dumps(config))
    done = subprocess.run([FOLDER / "debezium-engine", "run", folder, file, *(f"{k}={v}" for k, v in ends.items())],
                          capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in (folder / "events.jsonl").read_text().split("\n") if line]
