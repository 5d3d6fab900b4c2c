"""Fixtures for the tests with real processes (test/system, test/crash). See test/README.md."""

import contextlib
import itertools
import os
import random
import shutil
import tempfile

import pytest

from harness.postgres import Postgres
from harness.weir import BINARY, Weir

DEFAULT_SECONDS = 120
_number = itertools.count(1)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    # A folder of our own: pytest's default one is tidied up by every other pytest of the same user.
    if not config.option.basetemp:
        config.option.basetemp = config.weir_temp = tempfile.mkdtemp(prefix="weir-test.")
    config.addinivalue_line("markers", "timeout(seconds): limit of one test (pytest-timeout)")


def pytest_sessionfinish(session, exitstatus):
    """Keep the folder, and say where it is, when something failed."""
    place = getattr(session.config, "weir_temp", None)
    if place and exitstatus == 0:
        shutil.rmtree(place, ignore_errors=True)
    elif place:
        print(f"\nwhat the tests left is in {place}")


def pytest_report_header():
    return f"WEIR_SEED={seed_number()}"


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(DEFAULT_SECONDS))


def seed_number():
    """WEIR_SEED; drawn, and set for whoever we start, when it is not."""
    os.environ.setdefault("WEIR_SEED", str(random.randrange(1, 2**31)))
    return int(os.environ["WEIR_SEED"])


@pytest.fixture
def rng(request):
    """Random numbers from WEIR_SEED and the test's name; the seed is printed when the test fails."""
    print(f"WEIR_SEED={seed_number()}")
    return random.Random(f"{seed_number()} {request.node.name}")


@pytest.fixture(scope="session")
def is_long():
    """make test-long: do more rounds."""
    return os.environ.get("WEIR_LONG") == "1"


@contextlib.contextmanager
def private_postgres():
    """Not below pytest's own temporary folder: another pytest that starts takes that from other users."""
    with tempfile.TemporaryDirectory(prefix="weir-pg-") as folder:
        server = Postgres(folder).start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres():
    """A private PostgreSQL for all tests of this run. Each test makes a database of its own (`db`)."""
    with private_postgres() as server:
        yield server


@pytest.fixture
def own_postgres():
    """One for this test alone, which may stop it or change its settings."""
    with private_postgres() as server:
        yield server


@pytest.fixture
def db(postgres):
    """The name of a fresh database; dropped, with its slots, afterwards."""
    name = postgres.create_database(f"test_{next(_number)}")
    yield name
    postgres.drop_database(name)


@pytest.fixture
def weir(tmp_path, request):
    """A weir with a folder of its own, not started yet; gone after the test, its last lines shown on failure."""
    assert BINARY.exists(), f"{BINARY} is not built (make)"
    one = Weir(tmp_path)
    yield one
    one.close()
    if one.log_file.exists():
        print(f"--- {one.log_file}\n{one.log()[-4000:]}")
