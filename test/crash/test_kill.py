"""kill -9 at any moment: no change is lost, none is doubled, no source transaction is seen in part.

A writer changes three tables in each transaction (harness.ledger) while weir captures them and keeps a read
model. weir is killed and started again, with the kill aimed at what weir is doing:

    snapshot    at a random moment of the first copy
    commit      right before or after the copy becomes visible
    drain       while it catches up with what was written while it was down
    idle        when there is nothing to do
    checkpoint  right when a checkpoint is being written
    roll        right when a partition gets a new segment

After each kill the log as it lies there is read back: whatever it holds must be whole transactions, in order. At
the end log, read model and database hold the same.
"""

import collections
import time

import pytest

from harness.ledger import TABLE_LIST, Ledger, wait_streaming
from harness.manifest import manifest
from harness.models import ledger_view, model_of
from harness.process import wait_until

SNAPSHOT_ROWS = 20_000
KILLS = {
    False: {"snapshot": 1, "commit": 1, "drain": 2, "idle": 1, "checkpoint": 1, "roll": 1},
    True: {"snapshot": 8, "commit": 8, "drain": 12, "idle": 6, "checkpoint": 8, "roll": 8},
}
# Small enough that checkpoints and rolls come all the time.
LOG = """log:
  durability: {durability}
  journal_file_bytes: 1048576
  journal_file_count: 2
  topic_defaults: {{segment.bytes: 300000}}
"""


class Killer:
    """Kills weir in a given phase, and looks at what is left."""

    def __init__(self, weir, ledger, rng):
        self.weir = weir
        self.ledger = ledger
        self.rng = rng
        self.snapshot_seconds = 1.0

    def start(self):
        self.weir.start("weir.yaml", "cdc.yaml", "view.yaml")

    def wait(self, low, high):
        time.sleep(self.rng.uniform(low, high))

    def kill_and_look(self):
        self.weir.kill()
        self.ledger.check_log(self.ledger.records(self.weir), whole=False)

    def snapshot(self):
        self.start()
        self.wait(0.05, self.snapshot_seconds)
        self.kill_and_look()

    def commit(self):
        self.start()
        started = time.monotonic()
        wait_until(lambda: self.is_copied() or time.monotonic() - started > 20, 60, every=0.001)
        self.snapshot_seconds = max(0.2, time.monotonic() - started)
        self.wait(0, 0.03)
        self.kill_and_look()

    def is_copied(self):
        return "now streaming" in self.weir.log()

    def drain(self):
        self.ledger.write(self.rng.randrange(200, 600))
        self.start()
        self.wait(0.02, 0.8)
        self.kill_and_look()

    def idle(self):
        self.start()
        self.ledger.wait_caught_up(self.weir, model_of(self.weir))
        self.wait(0.2, 1.0)
        self.kill_and_look()

    def checkpoint(self):
        self.when_changed(lambda: [stamp(file) for file in sorted(self.weir.dir.glob("checkpoint.*"))])

    def roll(self):
        folder = self.weir.dir / f"{self.ledger.topic('a')}-0"
        self.when_changed(lambda: len(list(folder.glob("*.log"))))

    def when_changed(self, look):
        """Kill right after what `look` sees has changed, under load."""
        self.start()
        wait_streaming(self.weir)
        self.ledger.start_writing()
        before = look()
        try:
            wait_until(lambda: look() != before, 60, "it changes", every=0.0002)
            self.wait(0, 0.002)
            self.weir.kill()
        finally:
            self.ledger.stop_writing()
        self.ledger.check_log(self.ledger.records(self.weir), whole=False)


def stamp(path):
    try:
        return path.stat().st_mtime_ns, path.stat().st_ino
    except FileNotFoundError:
        return None


def check_files(weir):
    """Whatever the kills left, after a clean stop every file is as it should be."""
    assert weir.json("log", "verify") == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("durability", ["fsync", "interval", "os"])
def test_killed_at_any_moment_it_loses_and_doubles_nothing(postgres, db, weir, rng, is_long, durability):
    ledger = Ledger(postgres, db, rng)
    ledger.fill(SNAPSHOT_ROWS)
    weir.write("weir.yaml", LOG.format(durability=durability))
    weir.write("cdc.yaml", manifest(postgres, db, TABLE_LIST))
    weir.write("view.yaml", ledger_view())
    killer = Killer(weir, ledger, rng)
    killed = collections.Counter()
    for phase, count in KILLS[is_long].items():
        for _ in range(count):
            getattr(killer, phase)()
            killed[phase] += 1
    killer.start()
    wait_streaming(weir)
    ledger.write(100)
    ledger.wait_caught_up(weir, model_of(weir), 120)
    records = ledger.records(weir)
    ledger.check_log(records)
    ledger.check_model(model_of(weir), records)
    assert weir.stop() == 0
    check_files(weir)
    print(f"{sum(killed.values())} kills with {durability}: {dict(killed)}, {ledger.count} transactions")
