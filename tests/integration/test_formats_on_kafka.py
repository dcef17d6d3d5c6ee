"""Avro, Protobuf and CloudEvents on real Kafka: counted, or dead-lettered with a reason."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro
import pytest
from google.protobuf import descriptor_pb2, message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from kafka import KafkaConsumer, KafkaProducer
from sqlalchemy import text
from tests.integration.stage import Stage, wait_for
from tests.unit.formats.registry_fake import FakeRegistry, framed, running_registry

FIELDS: list[dict[str, Any]] = [
    {"name": "event_id", "type": "string"},
    {"name": "shop", "type": "string"},
    {"name": "time", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "height", "type": ["null", "double"], "default": None},
]
AVRO_1 = {"type": "record", "name": "Widget", "fields": FIELDS}
AVRO_2 = {**AVRO_1, "fields": [*FIELDS, {"name": "weight", "type": "float"}]}
START_MS = 1_772_366_400_000


def avro(number: int, schema: dict[str, Any], **fields: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), fields)
    return framed(number, stream.getvalue())


def descriptors() -> descriptor_pb2.FileDescriptorSet:
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="back.proto", syntax="proto3")
    message = file.message_type.add(name="Back")
    for number, name in enumerate(("event_id", "shop", "time"), start=1):
        message.field.add(
            name=name, number=number, type=kinds.TYPE_STRING, label=kinds.LABEL_OPTIONAL
        )
    message.field.add(name="quantity", number=4, type=kinds.TYPE_INT32, label=kinds.LABEL_OPTIONAL)
    return descriptor_pb2.FileDescriptorSet(file=[file])


def protobuf(**fields: Any) -> bytes:
    pool = DescriptorPool()
    pool.AddSerializedFile(descriptors().file[0].SerializeToString())
    made: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("Back"))(**fields)
    serialised: bytes = made.SerializeToString()
    return serialised


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    with running_registry() as fake:
        fake.add(1, AVRO_1)
        fake.add(2, AVRO_2)
        yield fake


@pytest.fixture
def stage(
    tmp_path: Path, kafka: str, topic_name: Callable[[str], str], registry: FakeRegistry
) -> Iterator[Stage]:
    database = f"sqlite:///{tmp_path}/own.db"
    (tmp_path / "back.desc").write_bytes(descriptors().SerializeToString())
    with Stage(tmp_path, topic_name("formats"), kafka, database).closing() as made:
        file = tmp_path / "streamwatch.yaml"
        settings = file.read_text(encoding="utf-8")
        for plain, formatted in (
            ("session_timeout: 6s", f'session_timeout: 6s, schema_registry: "{registry.url}"'),
            ("event: widget-event", "event: widget-event, format: avro"),
            ("event: purchase", "event: purchase, format: cloudevents"),
            ("event: return", "event: return, format: protobuf, schema: back.desc"),
        ):
            settings = settings.replace(plain, formatted)
        file.write_text(settings, encoding="utf-8")
        yield made


def send(kafka: str, topic: str, value: bytes | None, headers: Any = ()) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka)
    producer.send(topic, value=value, key=b"k", headers=list(headers)).get(timeout=30)
    producer.close()


def send_all(kafka: str, stage: Stage) -> None:
    widget, purchase, back = (stage.topic(name) for name in ("widget-event", "purchase", "return"))
    event = {"shop": "s", "time": START_MS}
    send(kafka, widget, avro(1, AVRO_1, event_id="a", height=171.0, **event))
    send(kafka, widget, avro(2, AVRO_2, event_id="b", height=None, weight=70.0, **event))
    send(kafka, widget, avro(9, AVRO_1, event_id="c", height=1.0, **event))
    send(kafka, widget, b'{"event_id": "d"}')
    send(kafka, widget, None)
    data = {"shop": "s", "quantity": 2, "price": 9.5, "currency": "EUR"}
    attributes = {"id": "p-1", "source": "/s", "type": "bought", "time": "2026-03-01T12:00:00Z"}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    headers += [("ce_specversion", b"1.0"), ("content-type", b"application/json")]
    send(kafka, purchase, json.dumps(data).encode(), headers)
    whole = {"specversion": "1.0", **attributes, "id": "p-2", "data": data}
    send(kafka, purchase, json.dumps(whole).encode())
    send(kafka, purchase, b"{}")
    send(kafka, back, protobuf(event_id="r", shop="s", time="2026-03-01T12:00:00Z", quantity=1))
    send(kafka, back, b"\xff\xff")


def accounting(stage: Stage) -> dict[str, tuple[int, int, int]]:
    query = (
        "SELECT topic, sum(aggregated), sum(rejected), sum(dead_lettered) FROM accounting "
        "GROUP BY topic"
    )
    with stage.engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    return {row[0].rpartition(".")[2]: (int(row[1]), int(row[2]), int(row[3])) for row in rows}


def dead_letters(kafka: str, topic: str) -> list[str]:
    consumer = KafkaConsumer(
        f"{topic}.dlq", bootstrap_servers=kafka, auto_offset_reset="earliest",
        consumer_timeout_ms=5_000,
    )  # fmt: skip
    headers = [dict(record.headers) for record in consumer]
    consumer.close()
    return sorted(one["streamwatch.reason"].decode() for one in headers)


def test_each_format_is_counted_and_what_cannot_be_read_says_why(
    kafka: str, stage: Stage, registry: FakeRegistry
) -> None:
    registry.status = 503
    send_all(kafka, stage)
    worker = stage.start_worker()
    wait_for(lambda: accounting(stage).get("return") == (1, 0, 1), "the returns are counted", 30)
    assert "widget-event" not in accounting(stage) or accounting(stage)["widget-event"][0] == 0
    registry.status = 200
    expected = {"widget-event": (2, 0, 3), "purchase": (2, 0, 1), "return": (1, 0, 1)}
    wait_for(lambda: accounting(stage) == expected, "all records are somewhere")
    assert worker.terminate() == 0
    assert dead_letters(kafka, stage.topic("widget-event")) == [
        "no-schema-id", "tombstone", "unknown-schema",
    ]  # fmt: skip
    query = "SELECT event_id, height, weight FROM tap_widget_event_normalise ORDER BY event_id"
    with stage.engine.connect() as connection:
        rows = [tuple(row) for row in connection.execute(text(query))]
    assert rows == [("a", 171.0, None), ("b", None, 70.0)]


def test_init_proposes_a_configuration_for_a_topic_with_a_registry(
    kafka: str, stage: Stage, registry: FakeRegistry, tmp_path: Path
) -> None:
    send_all(kafka, stage)
    out = tmp_path / "proposed.yaml"
    topic = stage.topic("widget-event")
    done = subprocess.run(
        [sys.executable, "-m", "streamwatch", "init", "--topic", topic, "--bootstrap", kafka,
         "--registry", registry.url, "--out", str(out), "--json"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if "STREAMWATCH" not in name},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["proposal"]["sources"][0]["event"] == "widget-event"
    written = out.read_text(encoding="utf-8")
    assert "format: avro" in written
    assert f'schema_registry: "{registry.url}"' in written
