"""`make demo` shows log, read model and database to be the same, leaves nothing behind, and would fail if they differed."""

import importlib.util
import os
import pathlib
import subprocess
import tempfile

import pytest

SHOP = pathlib.Path(__file__).resolve().parents[2] / "examples/shop"


def processes_of(folder):
    """The command lines that name the folder."""
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended meanwhile
            continue
    return [line for line in lines if str(folder) in line]


@pytest.fixture
def folder():
    """Empty, and open to the user that the demo's PostgreSQL runs as; pytest's own folders are not."""
    with tempfile.TemporaryDirectory(prefix="weir-test-demo.") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def test_the_demo_tells_in_five_lines_what_happened_and_leaves_nothing(folder):
    for _ in range(2):
        done = subprocess.run([SHOP / "demo"], env={**os.environ, "TMPDIR": str(folder), "NO_COLOR": "1"},
                              capture_output=True, text=True, timeout=110, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        last = done.stdout.rstrip().splitlines()[-6:]
        assert last[0] == "What happened"
        assert last[1].startswith("1. 17 changes of 3 tables")
        assert last[2].startswith("2. The read model followed: 12 rows")
        assert last[3].startswith("3. Order 1005")
        assert last[5].startswith("5. Next:")
        assert list(folder.iterdir()) == []
        assert processes_of(folder) == []


def test_what_differs_is_told_with_table_and_key():
    spec = importlib.util.spec_from_file_location("compare", SHOP / "compare.py")
    compare = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(compare)
    row = {"customer_id": 1, "name": "Ada", "email": "a@b"}
    database = {1: row, 2: {**row, "customer_id": 2}}
    assert list(compare.differences_of("customers", database, database, "log")) == []
    other = {1: {**row, "name": "Eve"}, 3: {**row, "customer_id": 3}}
    assert list(compare.differences_of("customers", database, other, "log")) == [
        "customers 1: database [1, 'Ada', 'a@b'], log [1, 'Eve', 'a@b']",
        "customers 2: database [2, 'Ada', 'a@b'], log no row",
        "customers 3: database no row, log [3, 'Ada', 'a@b']"]
