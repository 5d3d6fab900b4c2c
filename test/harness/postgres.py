"""A private PostgreSQL 15: its own folder, port and Unix socket, ready for logical replication.

    server = Postgres(tmp_path / "pg")
    server.start()
    server.execute("CREATE TABLE …")                 # in database "postgres"; dbname="app_db" for another
    rows = server.query("SELECT …", dbname="app_db")
    server.stop()                                    # "fast", "smart", or "immediate" (as a crash does)

Superuser `postgres`, password `postgres`; the Unix socket trusts everybody, TCP wants the password. As root it
runs as user postgres.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import psycopg2
import psycopg2.extras

from . import process

BIN = pathlib.Path(os.environ.get("WEIR_PG_BIN", "/usr/lib/postgresql/15/bin"))
SETTINGS = {
    "wal_level": "logical",
    "max_wal_senders": 20,
    "max_replication_slots": 20,
    "fsync": "off",  # what a power cut does to PostgreSQL is not our subject; a kill keeps all
    "shared_buffers": "64MB",
    "max_wal_size": "4GB",
    "wal_sender_timeout": "60s",
    "timezone": "UTC",
    "log_min_messages": "warning",
    "lc_messages": "C",
}


class Postgres:
    """One server. `host`, `port`, `socket_dir` say how to reach it."""

    host = "127.0.0.1"
    user = password = "postgres"

    def __init__(self, folder, **settings):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.socket_dir = self.folder
        self.log = self.folder / "postgres.log"
        self.settings = {**SETTINGS, **settings}
        self.port = None
        self.process = None
        self._run_as = process.as_user("postgres")

    def start(self, **settings):
        """Make the cluster at first; start it; return when it takes connections. `settings` last from now on."""
        self.settings.update(settings)
        if not self.data.exists():
            self._init()
        self.port = self.port or process.free_port()
        (self.data / "postgresql.auto.conf").write_text(
            "".join(f"{k} = '{v}'\n" for k, v in self._all_settings().items()))
        with open(self.log, "ab") as log:
            self.process = process.spawn([BIN / "postgres", "-D", self.data], stdout=log, stderr=subprocess.STDOUT,
                                         cwd=self.folder, **self._run_as)
        process.wait_until(self._is_up, 60, f"PostgreSQL starts ({self.log})")
        return self

    def _all_settings(self):
        return {"listen_addresses": self.host, "port": self.port, "unix_socket_directories": self.socket_dir,
                **self.settings}

    def _init(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        secret = self.folder / "password"
        secret.write_text(self.password)
        if self._run_as:
            for place in (self.folder, secret):
                shutil.chown(place, "postgres")
            _let_through(self.folder)
        subprocess.run([BIN / "initdb", "-D", self.data, "-U", self.user, "-E", "UTF8", "--locale=C",
                        "--no-sync", "--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={secret}"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self._run_as)

    def _is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended with {self.process.returncode}:\n{self.log.read_text()[-2000:]}")
        try:
            self.connect().close()
            return True
        except psycopg2.OperationalError:
            return False

    def stop(self, mode="fast"):
        """Stop it, by pid; "immediate" leaves it to recover at the next start."""
        if self.process:
            process.end(self.process, {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode], 60)
            self.process = None

    def restart(self, mode="fast", down_seconds=0.0, **settings):
        """Stop and start it, on the same port."""
        self.stop(mode)
        time.sleep(down_seconds)
        self.start(**settings)

    def connect(self, dbname="postgres", autocommit=True, **more):
        """A psycopg2 connection over the Unix socket, as superuser unless `user=` says else."""
        more.setdefault("user", self.user)
        connection = psycopg2.connect(host=str(self.socket_dir), port=self.port, dbname=dbname, **more)
        connection.autocommit = autocommit
        return connection

    def execute(self, sql, args=None, dbname="postgres"):
        """Run SQL that gives no rows, each statement committed by itself."""
        connection = self.connect(dbname)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, args)
        finally:
            connection.close()

    def query(self, sql, args=None, dbname="postgres"):
        """The rows of a query, as dicts."""
        connection = self.connect(dbname)
        try:
            with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
                cursor.execute(sql, args)
                return [dict(row) for row in cursor.fetchall()]
        finally:
            connection.close()

    def value(self, sql, args=None, dbname="postgres"):
        """The one value of a query."""
        return next(iter(self.query(sql, args, dbname)[0].values()))

    def create_database(self, name):
        self.execute(f'CREATE DATABASE "{name}"')
        return name

    def drop_database(self, name):
        """With its replication slots and whoever is connected."""
        self.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
                     "WHERE database = %s AND active", (name,))
        process.wait_until(lambda: not self.query("SELECT 1 FROM pg_replication_slots WHERE database = %s AND active",
                                                  (name,)), 10, "slots are let go")
        self.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", (name,))
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _let_through(folder):
    """Let user postgres reach `folder`: pytest's own temporary folders are closed to others."""
    for parent in pathlib.Path(folder).resolve().parents:
        if str(parent).startswith("/tmp/"):
            parent.chmod(parent.stat().st_mode | 0o011)
