"""Views that the tests share."""

# What each table's handlers do; the view has one handler an event type for all three, told apart by the table.
_READ_MODEL = """
      CREATE TABLE a (id INTEGER PRIMARY KEY, note TEXT);
      CREATE TABLE b (id INTEGER PRIMARY KEY, version INTEGER, tx INTEGER);
      CREATE TABLE c (id INTEGER PRIMARY KEY, tx INTEGER);
      CREATE TABLE applied (topic TEXT PRIMARY KEY, n INTEGER);
"""
_COUNT = "INSERT INTO applied VALUES (:_source.table, 1) ON CONFLICT (topic) DO UPDATE SET n = n + 1"
_INSERT = ["INSERT INTO a SELECT :id, :note? WHERE :_source.table = 'a'",
           "INSERT INTO b SELECT :id, :version?, :tx? WHERE :_source.table = 'b'",
           "INSERT INTO c SELECT :id, :tx? WHERE :_source.table = 'c'", _COUNT]
_UPDATE = ["UPDATE a SET note = :note? WHERE id = :id AND :_source.table = 'a'",
           "UPDATE b SET version = :version?, tx = :tx? WHERE id = :id AND :_source.table = 'b'",
           "UPDATE c SET tx = :tx? WHERE id = :id AND :_source.table = 'c'", _COUNT]
_DELETE = [f"DELETE FROM {t} WHERE id = :id AND :_source.table = '{t}'" for t in "abc"] + [_COUNT]


def ledger_view(to="sqlite:model.db", prefix="app"):
    """weir.yaml's part: a read model of harness.ledger's tables that counts what it is handed."""
    def handler(name, statements):
        return f"      {name}: |\n" + ";\n".join(f"        {s}" for s in statements) + "\n"

    return (f'views:\n  model:\n    from: "{prefix}.public.*"\n    to: {to}\n    schema: |{_READ_MODEL}    on:\n'
            + handler("read", _INSERT) + handler("create", _INSERT) + handler("update", _UPDATE) + handler("delete", _DELETE))


def model_of(weir):
    """Where ledger_view() keeps it."""
    return weir.folder / "model.db"
