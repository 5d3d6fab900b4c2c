"""The KafkaConnector manifest that the tests run, pointed at a test's own server."""

CONVERTERS = {"key.converter": "json", "value.converter": "json", "key.converter.schemas.enable": "false",
              "value.converter.schemas.enable": "false"}


def manifest(server, dbname="app_db", tables="public.orders,public.customers,public.products", prefix="app",
             slot="debezium_slot", user="postgres", password="postgres", **more):
    """Its text. `more`: further connector keys, with _ for each dot (snapshot_mode="no_data")."""
    config = {
        "database.hostname": server.host, "database.port": server.port, "database.user": user,
        "database.password": password, "database.dbname": dbname, "topic.prefix": prefix, "plugin.name": "pgoutput",
        "slot.name": slot, "publication.autocreate.mode": "filtered", "table.include.list": tables,
        "snapshot.mode": "initial", **CONVERTERS, **{k.replace("_", "."): v for k, v in more.items()},
    }
    lines = "\n".join(f"    {key}: {value}" for key, value in config.items())
    return f"""apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: postgres-cdc-source
spec:
  class: io.debezium.connector.postgresql.PostgresConnector
  tasksMax: 1
  config:
{lines}
"""
