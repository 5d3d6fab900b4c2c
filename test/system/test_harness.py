"""The harness itself: what all other tests stand on must be true first."""

import pytest

from harness import compare


def test_postgres_takes_logical_slots_over_tcp_and_socket(postgres, db):
    postgres.execute("CREATE TABLE t (id int PRIMARY KEY)", dbname=db)
    postgres.execute("SELECT pg_create_logical_replication_slot('s', 'pgoutput')", dbname=db)
    assert postgres.value("SELECT count(*) FROM pg_replication_slots WHERE database = %s", (db,)) == 1
    over_tcp = postgres.connect(db, user="postgres", password="postgres")
    over_tcp.close()


def test_postgres_keeps_its_port_and_rows_over_a_crash(own_postgres):
    own_postgres.execute("CREATE TABLE t AS SELECT 7 AS n")
    port = own_postgres.port
    own_postgres.restart("immediate")
    assert (own_postgres.port, own_postgres.value("SELECT n FROM t")) == (port, 7)


def test_compare_sees_a_missing_a_doubled_and_a_changed_row():
    rows = [{"id": 1, "v": 1}, {"id": 2, "v": 2}]
    compare.same_rows(rows, list(reversed(rows)), "id", "same")
    for wrong in (rows[:1], rows + rows[:1], [{"id": 1, "v": 1}, {"id": 2, "v": 3}]):
        with pytest.raises(AssertionError):
            compare.same_rows(rows, wrong, "id", "wrong")


def test_fold_follows_updates_deletes_and_truncates():
    def event(op, after, key=1):
        return {"key": {"id": key}, "value": {"op": op, "after": after}}

    assert list(compare.fold([event("c", {"v": 1}), event("u", {"v": 2})]).values()) == [{"v": 2}]
    assert compare.fold([event("r", {"v": 1}), event("d", None), {"key": {"id": 1}, "value": None}]) == {}
    assert len(compare.fold([event("c", {}), event("t", None), event("c", {}, key=2)])) == 1
