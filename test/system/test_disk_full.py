"""A full disk is a normal state: what was answered stays, the rest waits, and goes on by itself when there is room."""

import os
import subprocess
import time

import pytest

from harness.ledger import TABLE_LIST, Ledger, wait_streaming
from harness.manifest import manifest
from harness.process import spawn, wait_until
from harness.weir import BINARY, Weir

DISK_MIB = 320  # the journal takes 128 of them
BALLAST_MIB = 120
RESUME_SECONDS = 5.0  # what weir promises
SLOW_SECONDS = 15  # what a busy machine may add to it


@pytest.fixture
def disk(tmp_path):
    """A file system of its own, with a file on it that can be removed to make room."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", place], check=True)
    (place / "ballast").write_bytes(bytes(BALLAST_MIB << 20))
    yield place
    wait_until(lambda: subprocess.run(["umount", place], check=False, capture_output=True).returncode == 0, 10, "umount")


@pytest.fixture
def weir(tmp_path, disk):
    one = Weir(tmp_path, dir=disk / "weir-data")
    yield one
    one.close()
    print(one.log()[-3000:])


def end_offset(weir, topic):
    """High watermarks of all partitions of a topic, added up."""
    found = weir.named(topic, "topics", "describe", topic)
    return sum(p["high_watermark"] for p in found["partitions"]) if found else 0


def wait_stalled(weir, topic, seconds=60):
    """Until nothing has been added for a second and a half; the offset there."""
    last, since, limit = -1, time.monotonic(), time.monotonic() + seconds
    while time.monotonic() < limit:
        now = end_offset(weir, topic)
        if now != last:
            last, since = now, time.monotonic()
        elif now > 0 and time.monotonic() - since > 1.5:
            return now
        time.sleep(0.1)
    raise AssertionError(f"{topic} did not come to a stop")


@pytest.mark.timeout(300)
def test_a_producer_waits_for_room_and_ends_well(weir, disk):
    lines = 200_000
    weir.start()
    weir.wait_for_log("runs on")
    weir.cli("topics", "create", "t", "--partitions", "1")
    producer = spawn([BINARY, "produce", "t", "--dir", weir.dir], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    feeder = subprocess.Popen(["/usr/bin/python3", "-c",
                               f"for n in range({lines}): print('%07d' % n + 'z' * 1000)"], stdout=producer.stdin)
    producer.stdin.close()
    try:
        stalled = wait_stalled(weir, "t")
        assert producer.poll() is None, producer.stderr.read().decode()
        assert stalled < lines
        # Reading goes on, and what was told to be there is.
        assert weir.tail("t", "--from", stalled - 1, "--max", 1)[0]["offset"] == stalled - 1
        (disk / "ballast").unlink()
        weir.wait(lambda: end_offset(weir, "t") > stalled, RESUME_SECONDS + SLOW_SECONDS, "writes go on")
        assert producer.wait(120) == 0, producer.stderr.read()
    finally:
        producer.kill()
        feeder.kill()
        producer.wait()
        feeder.wait()
    values = [r["value"][:7] for r in weir.tail("t")]
    assert values == [f"{n:07d}" for n in range(lines)]
    assert weir.stop() == 0
    weir.cli("log", "verify")


@pytest.mark.timeout(300)
def test_a_source_waits_for_room_and_loses_nothing(postgres, db, weir, disk, rng):
    ledger = Ledger(postgres, db, rng)
    weir.write("cdc.yaml", manifest(postgres, db, TABLE_LIST))
    weir.start("cdc.yaml")
    weir.wait_for_log("runs on")
    wait_streaming(weir)
    filler = disk / "filler"
    with open(filler, "wb") as f:
        try:
            while True:
                f.write(bytes(1 << 20))
                f.flush()
        except OSError:
            pass
    ledger.write(300)
    time.sleep(1)
    filler.unlink()
    (disk / "ballast").unlink()
    ledger.wait_caught_up(weir, seconds=30)
    ledger.check_log(ledger.records(weir))
    assert weir.stop() == 0
