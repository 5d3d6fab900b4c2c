"""A Strimzi KafkaConnector manifest runs as it is, with its indentation lost, as Connect JSON and as properties; what
it asks for that is not there yet is refused with the way on."""

import json
import re

import pytest

USAGE = 2

MANIFEST = """apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaConnector
metadata:
  name: postgres-cdc-source
spec:
  class: io.debezium.connector.postgresql.PostgresConnector
  tasksMax: 1
  config:
    database.hostname: {host}
    database.port: {port}
    database.user: postgres
    database.password: ${{PG_SECRET}}
    database.dbname: {db}
    database.server.name: app
    plugin.name: pgoutput
    slot.name: debezium_slot
    # Table filtering
    table.include.list: public.orders,public.customers,public.products
    # Output format
    key.converter: io.confluent.connect.avro.AvroConverter
    value.converter: io.confluent.connect.avro.AvroConverter
    # Snapshot mode: initial snapshot then streaming
    snapshot.mode: initial
    # Heartbeat to keep replication slot active
    heartbeat.interval.ms: 10000
"""

ORDERS = """CREATE TABLE orders (order_id int PRIMARY KEY, customer_id int, amount numeric(10,2), status text,
                                created_at timestamp(3));
            CREATE TABLE customers (id int PRIMARY KEY); CREATE TABLE products (id int PRIMARY KEY);
            INSERT INTO orders VALUES (1001, 501, 29.99, 'pending', '2024-03-15 10:53:20')"""


def lost_indentation(text):
    return "".join(line.lstrip() for line in text.splitlines(keepends=True))


def config_of(text):
    keys = re.findall(r"^    ([\w.]+): (.*)$", text, re.M)
    return {"connector.class": "io.debezium.connector.postgresql.PostgresConnector", "tasks.max": "1", **dict(keys)}


def as_json(text):
    return json.dumps({"name": "postgres-cdc-source", "config": config_of(text)}, indent=2)


def as_properties(text):
    return "name=postgres-cdc-source\n" + "".join(f"{key}={value}\n" for key, value in config_of(text).items())


@pytest.mark.parametrize("form", [str, lost_indentation, as_json, as_properties])
def test_the_manifest_runs_in_every_form(postgres, db, weir, form):
    postgres.execute(ORDERS, dbname=db)
    weir.env["PG_SECRET"] = "postgres"
    weir.write("postgres-cdc.yaml", form(MANIFEST.format(host=postgres.host, port=postgres.port, db=db)))
    weir.start("postgres-cdc.yaml", set={"value.converter": "json", "key.converter": "json",
                                         "key.converter.schemas.enable": "false", "value.converter.schemas.enable": "false",
                                         "decimal.handling.mode": "double"})
    weir.wait_for_log("streaming")
    (read,) = weir.tail("app.public.orders")
    assert read["key"] == {"order_id": 1001}
    assert read["value"]["after"] == {"order_id": 1001, "customer_id": 501, "amount": 29.99, "status": "pending",
                                      "created_at": 1710500000000}
    assert (read["value"]["op"], read["value"]["source"]["name"]) == ("r", "app")
    source = weir.named("postgres-cdc-source", "sources", "list")
    assert (source["connector"], source["state"]) == ("postgresql", "streaming")
    assert "database.server.name" in weir.log() and "topic.prefix" in weir.log()
    assert weir.stop() == 0


@pytest.mark.parametrize("form", [str, lost_indentation, as_json, as_properties])
def test_avro_names_the_way_on_with_its_place(weir, form):
    text = form(MANIFEST.format(host="localhost", port=5432, db="app_db"))
    weir.write("postgres-cdc.yaml", text)
    weir.env["PG_SECRET"] = "hunter2"
    done = weir.cli("run", "postgres-cdc.yaml", check=False)
    assert done.returncode == USAGE
    line = done.stderr.splitlines()[-1]
    assert "--set value.converter=json --set key.converter=json" in line
    number = int(re.match(r"weir: postgres-cdc.yaml:(\d+):\d+: ", line).group(1))
    assert "AvroConverter" in text.splitlines()[number - 1]
    assert "hunter2" not in done.stderr


def test_a_wrong_password_is_tried_again_and_said_without_the_password(postgres, db, weir):
    weir.env["PG_SECRET"] = "hunter2"
    weir.write("postgres-cdc.yaml", MANIFEST.format(host=postgres.host, port=postgres.port, db=db))
    weir.start("postgres-cdc.yaml", set={"value.converter": "json", "key.converter": "json"})
    weir.wait_for_log("password authentication failed|authentication")
    status = weir.cli("sources", "status", check=False)
    assert "hunter2" not in weir.log() + status.stdout
    if weir.is_running():
        assert weir.stop() == 0
