#!/usr/bin/python3
"""How long until weir serves with much data, and what does it cost when nothing happens?

    bench/start.py FOLDER [GIGABYTES=10] [PARTITIONS=200]

Fills one topic through `weir produce`, then measures, medians of ROUNDS:
  start_clean   from exec of `weir run` to the first record read by `weir tail`, after a clean stop
  start_killed  the same after kill -9 while a producer writes
  rss_idle      resident memory 5 s after a clean start
  wakeups_idle  voluntary context switches of all its threads in 10 s without a source
"""

import os
import pathlib
import socket
import statistics
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "test"))

from harness import process  # noqa: E402
from harness.weir import BINARY, Weir  # noqa: E402

ROUNDS = 5
TOPIC = "bench"
LINE = b"x" * 1023 + b"\n"
CHUNK = LINE * 4096


def say(figure, value, unit, goal):
    print(f"start  {figure:14} {value:10.1f} {unit}   (goal {goal})", flush=True)


def feed(weir, size):
    """A producer that is fed `size` bytes of lines (for ever when None); its Popen and a function to feed."""
    producer = process.spawn([BINARY, "produce", TOPIC, "--dir", weir.dir], stdin=subprocess.PIPE,
                             stderr=subprocess.DEVNULL)
    sent = 0
    try:
        while size is None or sent < size:
            producer.stdin.write(CHUNK)
            sent += len(CHUNK)
            if size is None and sent >= 64 << 20:
                break
        if size is not None:
            producer.stdin.close()
            assert producer.wait() == 0
    except BrokenPipeError:
        pass
    return producer


def wait_for_socket(weir):
    """Until weir listens: a reader that came before it would open the folder itself."""
    while True:
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(str(weir.dir / "weir.sock"))
                return
            except OSError:
                time.sleep(0.002)


def first_record(weir):
    """Milliseconds from exec of weir to a record read by another process."""
    started = time.monotonic()
    weir.start()
    wait_for_socket(weir)
    out = subprocess.run([BINARY, "tail", TOPIC, "--max", "1", "--dir", weir.dir], capture_output=True, check=True,
                         timeout=60).stdout
    assert b"xxxx" in out, out[:80]
    return (time.monotonic() - started) * 1000


def switches(pid):
    total = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        for line in status.read_text().splitlines():
            if line.startswith("voluntary_ctxt_switches"):
                total += int(line.split()[1])
    return total


def fill(weir, size, partitions):
    weir.cli("topics", "create", TOPIC, "--partitions", partitions)
    started = time.monotonic()
    weir.start()
    feed(weir, size)
    weir.stop()
    took = time.monotonic() - started
    print(f"start  filled with {size / 1e9:.1f} GB in {partitions} partitions in {took:.0f} s ({size / 1e6 / took:.0f} MB/s)")


def main():
    folder = pathlib.Path(sys.argv[1])
    size = int(float(sys.argv[2]) * 1e9) if len(sys.argv) > 2 else 10_000_000_000
    partitions = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    weir = Weir(folder)
    try:
        fill(weir, size, partitions)
        clean, killed = [], []
        for _ in range(ROUNDS):
            clean.append(first_record(weir))
            weir.stop()
        say("start_clean", statistics.median(clean), "ms", "< 100")
        for _ in range(ROUNDS):
            weir.start()
            wait_for_socket(weir)
            producer = feed(weir, None)
            weir.kill()
            producer.kill()
            producer.wait()
            killed.append(first_record(weir))
            weir.stop()
        say("start_killed", statistics.median(killed), "ms", "< 2000")
        first_record(weir)
        time.sleep(5)
        say("rss_idle", process.rss_bytes(weir.process.pid) / 2**20, "MiB", "< 30")
        before = switches(weir.process.pid)
        time.sleep(10)
        say("wakeups_idle", switches(weir.process.pid) - before, "in 10 s", "0")
        weir.stop()
    finally:
        weir.close()


if __name__ == "__main__":
    os.chdir(TOP)
    main()
