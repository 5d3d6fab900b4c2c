"""A workload whose every change can be told from every other, and the checks that none was lost or doubled.

Source transaction n touches three tables, one row each:
    a   INSERT id = n                       each id once in the log
    b   UPDATE row n % B: version + 1       versions of a row follow on in the log, without gap or repeat
    c   slot n % C: DELETE, or INSERT       a slot's rows come and go in turn

So the log is right when each transaction is there once, with its three records, and the rows that it folds to
are the database's. `READ_MODEL` counts what it is handed: a change applied twice or never shows there, even when
the row itself looks right.
"""

import collections
import random
import threading

from . import compare, process

B_ROWS, C_SLOTS = 50, 20
TABLES = ("a", "b", "c")
TABLE_LIST = "public.a,public.b,public.c"

SCHEMA = f"""
CREATE TABLE a (id bigint PRIMARY KEY, note text NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, version bigint NOT NULL, tx bigint NOT NULL);
CREATE TABLE c (id int PRIMARY KEY, tx bigint NOT NULL);
INSERT INTO b SELECT i, 0, 0 FROM generate_series(0, {B_ROWS - 1}) i;
"""

TRANSACTION = f"""
BEGIN;
INSERT INTO a VALUES (%(n)s, %(note)s);
UPDATE b SET version = version + 1, tx = %(n)s WHERE id = %(n)s %% {B_ROWS};
DO $$ BEGIN
    DELETE FROM c WHERE id = %(n)s %% {C_SLOTS};
    IF NOT FOUND THEN INSERT INTO c VALUES (%(n)s %% {C_SLOTS}, %(n)s); END IF;
END $$;
COMMIT;
"""

NOTE_BYTES = (0, 10, 200, 3000)  # the last is over a page's TOAST threshold now and then


class Ledger:
    """The three tables in database `dbname` of a server, and who writes into them."""

    def __init__(self, server, dbname, rng=None, prefix="app"):
        self.server = server
        self.dbname = dbname
        self.rng = rng or random.Random(1)
        self.prefix = prefix
        self.count = 0  # transactions committed so far
        self._thread = None
        self._stop = threading.Event()
        self._error = None
        server.execute(SCHEMA, dbname=dbname)

    # ---- writing ---------------------------------------------------------------------------------

    def fill(self, rows):
        """`rows` rows into a by one statement, for a snapshot to copy; they count as its first transactions."""
        assert self.count == 0
        self.server.execute(f"INSERT INTO a SELECT i, repeat('n', i % 60) FROM generate_series(1, {rows}) i",
                            dbname=self.dbname)
        self.count = rows
        self.filled = rows

    filled = 0

    def write(self, transactions):
        """That many transactions, one after the other."""
        connection = self.server.connect(self.dbname)
        try:
            with connection.cursor() as cursor:
                for _ in range(transactions):
                    self._one(cursor)
        finally:
            connection.close()

    def _one(self, cursor):
        note = "x" * self.rng.choice(NOTE_BYTES)
        cursor.execute(TRANSACTION, {"n": self.count + 1, "note": note})
        self.count += 1

    def start_writing(self, pause_seconds=0.0):
        """Write in the background until stop_writing()."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._write_on, args=(pause_seconds,), daemon=True)
        self._thread.start()

    def _write_on(self, pause_seconds):
        try:
            connection = self.server.connect(self.dbname)
            with connection.cursor() as cursor:
                while not self._stop.wait(pause_seconds):
                    self._one(cursor)
            connection.close()
        except Exception as e:  # told by stop_writing
            self._error = e

    def write_more_then_stop(self, transactions, seconds=120):
        """Let the background writer write that many more, then stop it."""
        target = self.count + transactions
        process.wait_until(lambda: self._error or self.count >= target, seconds, f"transaction {target} is written")
        self.stop_writing()

    def stop_writing(self):
        if self._thread:
            self._stop.set()
            self._thread.join()
            self._thread = None
        if self._error:
            raise self._error

    # ---- checking --------------------------------------------------------------------------------

    def topic(self, table):
        return f"{self.prefix}.public.{table}"

    def rows(self, table):
        return self.server.query(f"SELECT * FROM {table} ORDER BY id", dbname=self.dbname)

    def records(self, weir):
        """{table: its records}, of weir's log."""
        there = set(weir.topics())
        return {t: weir.tail(self.topic(t)) if self.topic(t) in there else [] for t in TABLES}

    def wait_caught_up(self, weir, model=None, seconds=60):
        """Until the last transaction is in the log and, where a read model is given, in that."""
        last = self.count

        def in_log():
            newest = weir.cli("tail", self.topic("a"), "--json", "--key", f'{{"id":{last}}}', check=False).stdout
            return newest.strip()

        def in_model():
            done = compare.rows_of_model(model, f"SELECT count(*) AS n FROM a WHERE id = {last}")
            return done[0]["n"] == 1

        if model is None:
            weir.wait(in_log, seconds, f"transaction {last} is in the log")
        else:
            weir.wait(lambda: model.exists() and in_model(), seconds, f"transaction {last} is in the read model")

    def check_log(self, records, whole=True):
        """Each change once and in order; transactions with all their records. `whole`: up to the last one, and
        what the log folds to is what the database has."""
        self._check_a(records["a"], whole)
        self._check_b(records["b"])
        self._check_c(records["c"])
        self._check_transactions(records)
        if whole:
            for table in TABLES:
                compare.same_rows(self.rows(table), list(compare.fold(records[table]).values()), "id",
                                  f"log of {table} against the database")

    def _check_a(self, records, whole):
        ids = [r["value"]["after"]["id"] for r in records]
        doubled = [i for i, n in collections.Counter(ids).items() if n > 1]
        assert not doubled, f"a: transactions {doubled[:10]} are in the log more than once"
        last = self.count if whole else max(ids, default=0)
        missing = sorted(set(range(1, last + 1)) - set(ids))
        assert not missing, f"a: {len(missing)} transactions are lost, first {missing[:10]} of {last}"
        streamed = [r["value"]["after"]["id"] for r in records if r["value"]["op"] == "c"]
        assert streamed == sorted(streamed), "a: not in the order of commits"

    @staticmethod
    def _check_b(records):
        seen = {}
        for record in records:
            row = record["value"]["after"]
            before = seen.get(row["id"], row["version"] - 1)
            assert row["version"] == before + 1, f"b: row {row['id']} goes from version {before} to {row['version']}"
            seen[row["id"]] = row["version"]

    @staticmethod
    def _check_c(records):
        there = {}
        for record in records:
            if record["value"] is None:
                continue
            op, slot = record["value"]["op"], record["key"]["id"]
            assert op != "u" and there.get(slot, False) == (op == "d") or slot not in there, f"c: '{op}' of slot {slot} out of turn"
            there[slot] = op != "d"

    @staticmethod
    def _check_transactions(records):
        parts = collections.defaultdict(list)
        for table, those in records.items():
            for record in those:
                if record["value"] is not None and record["value"]["op"] in "cud":
                    parts[record["value"]["source"]["txId"]].append(table)
        torn = {tx: sorted(tables) for tx, tables in parts.items() if sorted(tables) != list(TABLES)}
        assert not torn, f"{len(torn)} source transactions are not whole: {dict(list(torn.items())[:5])}"

    def check_model(self, model, records):
        """The read model has the database's rows, and applied each change of the log once."""
        for table in TABLES:
            columns = {"a": "id, note", "b": "id, version, tx", "c": "id, tx"}[table]
            compare.same_rows(self.rows(table), compare.rows_of_model(model, f"SELECT {columns} FROM {table}"), "id",
                              f"read model of {table} against the database")
        applied = {r["topic"]: r["n"] for r in compare.rows_of_model(model, "SELECT topic, n FROM applied")}
        for table in TABLES:
            events = sum(1 for r in records[table] if r["value"] is not None)
            assert applied.get(table, 0) == events, f"read model applied {applied.get(table)} of {events} events of {table}"


def wait_streaming(weir, seconds=60):
    """Until the source says that it streams."""
    weir.wait(lambda: any(s.get("state") == "streaming" for s in weir.json("sources", "status")), seconds,
              "the source streams")


