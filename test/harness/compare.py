"""Says whether a log, a read model and a database hold the same."""

import json
import sqlite3


def rows_of_model(path, sql):
    """The rows of a query on an SQLite read model, as dicts; its file is only read."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(sql)]
    finally:
        connection.close()


def fold(records):
    """Change events without embedded schema, in order, to the rows that they leave: {key as text: row}."""
    rows = {}
    for record in records:
        value = record["value"]
        if value is None:
            continue  # the tombstone behind a delete
        key = repr(sorted(record["key"].items()))
        if value["op"] == "d":
            rows.pop(key, None)
        elif value["op"] != "t":
            rows[key] = value["after"]
        else:
            rows.clear()
    return rows


def same_rows(expected, actual, key, what):
    """Fail with the first few differences between two lists of dicts, matched by column `key`."""
    left, right = {r[key]: r for r in expected}, {r[key]: r for r in actual}
    assert len(right) == len(actual), f"{what}: {len(actual) - len(right)} rows have the key of another"
    missing = sorted(left.keys() - right.keys())
    extra = sorted(right.keys() - left.keys())
    other = [(left[k], right[k]) for k in left.keys() & right.keys() if left[k] != right[k]]
    assert not (missing or extra or other), (
        f"{what}: {len(missing)} rows missing {missing[:5]}, {len(extra)} too many {extra[:5]}, "
        f"{len(other)} different {other[:3]}")


def members(line):
    """The members of an object's text by name, each as its own text."""
    decoder, at, out = json.JSONDecoder(), 1, {}
    while line[at] != "}":
        at += line[at] == ","
        name, at = decoder.raw_decode(line, at)
        _, end = decoder.raw_decode(line, at + 1)
        out[name] = line[at + 1:end]
        at = end
    return out
