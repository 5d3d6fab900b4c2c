"""What a shell offers after a tab, by the script of each: words, options with their help, topics."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest

from harness.weir import BINARY


@pytest.fixture
def shell_env(weir):
    """An environment in which `weir` is found, in a folder with two topics."""
    weir.cli("topics", "create", "orders")
    weir.cli("topics", "create", "clicks")
    return {"PATH": f"{BINARY.parent}:{os.environ['PATH']}", "HOME": str(weir.folder), "TERM": "dumb", "LC_ALL": "C.UTF-8"}


def test_bash_completes(weir, shell_env):
    def offers(*words):
        line = " ".join(f"'{w}'" for w in words)
        ask = (f"source <(weir completion bash); COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _weir; "
               "printf '%s\\n' \"${COMPREPLY[@]}\"")
        done = subprocess.run(["bash", "--norc", "-c", ask], cwd=weir.folder, env=shell_env, capture_output=True, text=True,
                              check=True)
        assert done.stderr == ""
        return done.stdout.split()

    assert offers("weir", "t") == ["topics", "tail"]
    assert offers("weir", "topics", "") == ["list", "describe", "create", "delete"]
    assert offers("weir", "tail", "--f") == ["--from", "--follow"]
    assert offers("weir", "tail", "o") == ["orders"]
    assert offers("weir", "topics", "delete", "c") == ["clicks"]
    assert offers("weir", "sources", "status", "--j") == ["--json"]


@pytest.mark.skipif(shutil.which("fish") is None, reason="there is no fish")
def test_fish_completes(weir, shell_env):
    def offers(line):
        ask = f"weir completion fish | source; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", ask], cwd=weir.folder, env=shell_env, capture_output=True,
                              text=True, check=True)
        return dict((row + "\t").split("\t")[:2] for row in done.stdout.splitlines())

    assert offers("weir tai") == {"tail": "show a topic's records"}
    assert list(offers("weir topics cr")) == ["create"]
    assert offers("weir tail --fo") == {"--follow": "wait for more at the end"}
    assert list(offers("weir tail ord")) == ["orders"]
    assert list(offers("weir sources status --js")) == ["--json"]


class Terminal:
    """A zsh on a terminal of its own."""

    def __init__(self, folder, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe("zsh", ["zsh", "-f", "-i"], env)

    def type(self, keys, wanted, seconds=30):
        """Type, and wait until `wanted` is shown."""
        os.write(self.fd, keys.encode())
        shown, limit = "", time.monotonic() + seconds
        while wanted not in shown:
            assert time.monotonic() < limit, f"{wanted!r} is not in {shown!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                text = os.read(self.fd, 65536).decode(errors="replace")
                shown += re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|[\r\x07\x08]", "", text)
        return shown

    def close(self):
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh")
def test_zsh_completes(weir, shell_env):
    place = weir.folder / "functions"
    place.mkdir()
    (place / "_weir").write_text(weir.cli("completion", "zsh").stdout)
    zsh = Terminal(weir.folder, shell_env)
    try:
        zsh.type(f"fpath=({place} $fpath); autoload -Uz compinit; compinit -u -D; echo re''ady\n", "ready\n")
        for typed, whole in (("weir tai", "weir tail "), ("weir topics cr", "weir topics create "),
                             ("weir tail --fo", "weir tail --follow "), ("weir tail ord", "weir tail orders "),
                             ("weir sources status --js", "weir sources status --json ")):
            assert "not found" not in zsh.type(f"\x15{typed}\t", whole)
        zsh.type("\x15weir views \t", "show how views stand")  # with what each does
    finally:
        zsh.close()
