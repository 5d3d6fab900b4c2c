"""The first copy of a table while others write into it, compared row for row."""

import pytest

from harness import compare
from harness.ledger import TABLE_LIST, TABLES, Ledger, wait_streaming
from harness.manifest import manifest
from harness.models import ledger_view, model_of

ROWS = 200_000


@pytest.mark.timeout(600)
def test_200k_rows_copied_under_writes_are_in_log_and_read_model_row_for_row(postgres, db, weir, rng):
    ledger = Ledger(postgres, db, rng)
    ledger.fill(ROWS)
    weir.write("cdc.yaml", manifest(postgres, db, TABLE_LIST))
    weir.write("view.yaml", ledger_view())
    ledger.start_writing()
    weir.start("cdc.yaml", "view.yaml")
    wait_streaming(weir, 120)
    ledger.write_more_then_stop(500)
    ledger.wait_caught_up(weir, model_of(weir), 120)

    records = ledger.records(weir)
    ledger.check_log(records)
    ledger.check_model(model_of(weir), records)
    reads = [r for r in records["a"] if r["value"]["op"] == "r"]
    assert len(reads) >= ROWS
    assert weir.stop() == 0
    # What is there without weir is the same.
    assert {t: len(weir.tail(ledger.topic(t))) for t in TABLES} == {t: len(records[t]) for t in TABLES}


@pytest.mark.timeout(300)
def test_no_data_follows_changes_and_copies_nothing(postgres, db, weir, rng):
    ledger = Ledger(postgres, db, rng)
    ledger.fill(1000)
    weir.write("cdc.yaml", manifest(postgres, db, TABLE_LIST, snapshot_mode="no_data"))
    weir.start("cdc.yaml")
    wait_streaming(weir)
    ledger.write(20)
    ledger.wait_caught_up(weir)
    records = ledger.records(weir)
    assert [r["value"]["after"]["id"] for r in records["a"]] == list(range(1001, 1021))
    assert {r["value"]["op"] for t in TABLES for r in records[t] if r["value"]} <= {"c", "u", "d"}
    assert weir.stop() == 0


@pytest.mark.timeout(300)
def test_a_postgres_that_restarts_is_taken_up_where_it_was_left(own_postgres, weir, rng):
    ledger = Ledger(own_postgres, own_postgres.create_database("app_db"), rng)
    ledger.write(50)
    weir.write("cdc.yaml", manifest(own_postgres, "app_db", TABLE_LIST))
    weir.write("view.yaml", ledger_view())
    weir.start("cdc.yaml", "view.yaml")
    wait_streaming(weir)
    for mode in ("fast", "immediate", "fast"):
        ledger.write(50)
        own_postgres.restart(mode)
        ledger.write(50)
        ledger.wait_caught_up(weir, model_of(weir))
    records = ledger.records(weir)
    ledger.check_log(records)
    ledger.check_model(model_of(weir), records)
    assert weir.stop() == 0


@pytest.mark.timeout(300)
def test_rows_come_back_as_they_are_in_the_database(postgres, db, weir):
    postgres.execute("""CREATE TABLE t (id int PRIMARY KEY, big bigint, small smallint, n numeric(20,4), f real, d double precision,
                        b bool, s text, v varchar(40), raw bytea, u uuid, day date, ts timestamp(3), tz timestamptz, j jsonb)""",
                     dbname=db)
    postgres.execute("""INSERT INTO t VALUES
        (1, 9223372036854775807, -32768, 1234567.8901, 1.5, 2.25, true, E'a''b\\n\\t', 'weir', '\\x00ff',
         '6f2b1c1e-0000-4000-8000-000000000001', '2024-03-15', '2024-03-15 10:53:20.123', '2024-03-15 10:53:20+02', '{"a": [1, null]}'),
        (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)""", dbname=db)
    weir.write("cdc.yaml", manifest(postgres, db, "public.t", decimal_handling_mode="string"))
    weir.start("cdc.yaml")
    wait_streaming(weir)
    rows = compare.fold(weir.tail("app.public.t"))
    first, second = rows["[('id', 1)]"], rows["[('id', 2)]"]
    assert first == {"id": 1, "big": 9223372036854775807, "small": -32768, "n": "1234567.8901", "f": 1.5, "d": 2.25, "b": True,
                     "s": "a'b\n\t", "v": "weir", "raw": "AP8=", "u": "6f2b1c1e-0000-4000-8000-000000000001", "day": 19797,
                     "ts": 1710500000123, "tz": "2024-03-15T08:53:20.000000Z", "j": '{"a": [1, null]}'}
    assert set(second.values()) == {None, 2}
    assert weir.stop() == 0
