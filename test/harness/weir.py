"""weir as a test sees it: the program itself, run in a folder of its own.

    weir = Weir(tmp_path)
    weir.write("weir.yaml", "sources: …")
    weir.start("weir.yaml", set={"value.converter": "json"})     # weir run, in the background
    weir.wait_for_log("streaming")
    weir.tail("app.public.orders")                               # a list of dicts, as `tail --json` prints them
    weir.stop()                                                  # TERM; its exit status
    weir.kill()                                                  # KILL

The data folder is weir.dir (FOLDER/weir-data, as in production when nothing else is said).
"""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from . import process

BINARY = pathlib.Path(os.environ.get("WEIR_BINARY", process.TOP / "build/weir"))
HANGS_SECONDS = 60  # no stop takes so long


class Weir:
    """One data folder and the weir that may run on it."""

    def __init__(self, folder, dir=None, env=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dir = pathlib.Path(dir) if dir else self.folder / "weir-data"
        self.env = {**os.environ, **(env or {})}
        self.log_file = self.folder / "weir.log"
        self.log_start = 0
        self.process = None

    # ---- files and the process ------------------------------------------------------------------

    def write(self, name, text):
        """Write a file in the folder; its path."""
        path = self.folder / name
        path.write_text(text)
        return path

    def start(self, *files, set=None, args=(), under=()):
        """weir run FILE… in the background. `set`: keys for --set; `under`: words in front (strace, prlimit …)."""
        assert not self.is_running(), "it runs already"
        words = [f"--set={key}={value}" for key, value in (set or {}).items()]
        if self.dir != self.folder / "weir-data":
            words.append(f"--set=log.dir={self.dir}")
        self.log_start = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = process.spawn([*under, BINARY, "run", *files, *words, *args], cwd=self.folder, env=self.env,
                                         stdout=log, stderr=subprocess.STDOUT)
        return self

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM; its exit status. weir ends with 1 where it could not stop in the 5 s that it promises; here it has
        longer, for a slow machine is no error. Fails when it does not end at all."""
        started = time.monotonic()
        rc = process.end(self.process, signal.SIGTERM, HANGS_SECONDS)
        print(f"stopped in {time.monotonic() - started:.2f} s")
        self.process = None
        assert rc != -signal.SIGKILL, f"does not stop:\n{self.log()[-3000:]}"
        return rc

    def kill(self):
        """SIGKILL, as a crash of the process does."""
        process.end(self.process, signal.SIGKILL)
        self.process = None

    def close(self):
        """For fixtures: whatever state it is in, it is gone afterwards."""
        if self.process is not None:
            self.kill()

    def wait_exit(self, seconds=30):
        """Wait until it ends by itself; its exit status."""
        rc = self.process.wait(seconds)
        self.process = None
        return rc

    # ---- what it says ---------------------------------------------------------------------------

    def log(self):
        """What this run printed so far."""
        if not self.log_file.exists():
            return ""
        with open(self.log_file, "rb") as f:
            f.seek(self.log_start)
            return f.read().decode(errors="replace")

    def wait_for_log(self, pattern, seconds=30):
        """The match of `pattern` in what this run printed, once it is there."""
        def found():
            match = re.search(pattern, self.log())
            assert match or self.is_running(), f"weir ended before it said {pattern!r}:\n{self.log()[-3000:]}"
            return match
        return self._wait(found, seconds, f"weir says {pattern!r}")

    def wait(self, test, seconds=30, what=""):
        """The first true value of `test()`; on failure what weir printed is shown."""
        def alive():
            value = test()
            assert value or self.process is None or self.is_running(), f"weir ended:\n{self.log()[-3000:]}"
            return value
        return self._wait(alive, seconds, what)

    def _wait(self, test, seconds, what):
        try:
            return process.wait_until(test, seconds, what)
        except AssertionError as e:
            raise AssertionError(f"{e}\nweir printed:\n{self.log()[-3000:]}") from None

    # ---- the command line -----------------------------------------------------------------------

    def cli(self, *args, input=None, check=True, seconds=60):
        """Run a command to its end. `input`: text or bytes. Its result has text in stdout and stderr."""
        if isinstance(input, str):
            input = input.encode()
        words = [str(a) for a in args]
        if self.dir != self.folder / "weir-data" and words and words[0] not in ("run", "init", "version"):
            words += ["--dir", str(self.dir)]
        done = subprocess.run([str(BINARY), *words], cwd=self.folder, env=self.env, input=input or b"",
                              capture_output=True, timeout=seconds, check=False)
        done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"weir {' '.join(words)}: exit {done.returncode}\n{done.stderr}{done.stdout[-2000:]}")
        return done

    def json(self, *args):
        """The array that a list or status command prints with --json."""
        return json.loads(self.cli(*args, "--json").stdout)

    def named(self, name, *args):
        """The element called `name` of json(*args), or None."""
        return next((item for item in self.json(*args) if item["name"] == name), None)

    def tail(self, topic, *args, seconds=120):
        """The records of a topic from its start to its present end, as dicts."""
        out = self.cli("tail", topic, "--json", *args, seconds=seconds).stdout
        return [json.loads(line) for line in out.splitlines()]

    def topics(self):
        return [t["name"] for t in self.json("topics", "list")]

    def produce(self, topic, lines, *args):
        """Send lines; returns when they are durable."""
        return self.cli("produce", topic, *args, input="".join(line + "\n" for line in lines))
