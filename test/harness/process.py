"""Processes that a test starts: each ends with the test, whatever happens, and by its own pid."""

import contextlib
import ctypes
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def spawn(cmd, **kwargs):
    """Popen with no standard input, killed by the kernel if the test's process dies first."""
    kwargs.setdefault("stdin", subprocess.DEVNULL)
    # After a change of user (Popen's `user`), for that would take the wish back.
    return subprocess.Popen([str(c) for c in cmd], preexec_fn=_die_with_parent, **kwargs)


def end(process, first=signal.SIGTERM, seconds=10):
    """Ask a process to end, kill it when it does not within `seconds`. Its return code."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(first)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def wait_until(test, seconds=30, what="", every=0.02):
    """The first true value that `test()` gives; AssertionError after `seconds`."""
    limit = time.monotonic() + seconds
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > limit:
            raise AssertionError(f"not within {seconds} s: {what or test}")
        time.sleep(every)


def free_port():
    """A TCP port of loopback that the kernel says is free now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def as_user(name):
    """Arguments for Popen and run that make a command run as `name`; none where we are not root."""
    if os.geteuid() != 0:
        return {}
    return {"user": name, "group": pwd.getpwnam(name).pw_gid, "extra_groups": []}


def rss_bytes(pid):
    """Resident memory of a process now."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
