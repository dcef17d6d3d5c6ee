"""What the demo and the other tests rely on: services start, stop, and keep their data."""

from collections.abc import Callable
from pathlib import Path

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from sqlalchemy import create_engine, text

from streamwatch.adapters.local.kafka import running_kafka, start_kafka
from streamwatch.adapters.local.postgres import running_postgres, start_postgres


def send(bootstrap: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap)
    try:
        producer.send(topic, value).get(timeout=30)
    finally:
        producer.close()


def first_value(bootstrap: str, topic: str) -> bytes:
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )
    try:
        value: bytes = next(consumer).value
    finally:
        consumer.close()
    return value


def test_a_broker_that_is_stopped_and_started_again_has_its_address_and_records(
    tmp_path: Path, jars: Path
) -> None:
    broker = start_kafka(tmp_path, jars=jars, properties={"num.partitions": "3"})
    try:
        client = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
        client.create_topics([NewTopic("kept", -1, 1)])
        client.close()
        send(broker.bootstrap, "kept", b"record")
        assert start_kafka(tmp_path, jars=jars) == broker, "a running broker is used again"

        broker.stop()
        assert running_kafka(tmp_path) is None

        again = start_kafka(tmp_path, jars=jars)
        assert again.bootstrap == broker.bootstrap
        assert first_value(again.bootstrap, "kept") == b"record"
    finally:
        broker.remove()
    assert not (tmp_path / "kafka").exists()


def test_a_server_that_is_stopped_and_started_again_has_its_address_and_rows(
    tmp_path: Path,
) -> None:
    server = start_postgres(tmp_path)
    engine = create_engine(server.url)
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE kept AS SELECT 7 AS number"))
        assert start_postgres(tmp_path) == server, "a running server is used again"

        server.stop()
        assert running_postgres(tmp_path) is None

        engine.dispose()
        assert start_postgres(tmp_path).url == server.url
        with engine.connect() as connection:
            assert connection.execute(text("SELECT number FROM kept")).scalar_one() == 7
    finally:
        engine.dispose()
        server.remove()
    assert not (tmp_path / "postgres").exists()


def test_a_topic_of_ones_own_has_the_partitions_that_were_asked_for(
    kafka: str, new_topic: Callable[..., str]
) -> None:
    topic = new_topic("events", partitions=4)
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    try:
        assert consumer.partitions_for_topic(topic) == {0, 1, 2, 3}
    finally:
        consumer.close()


def test_a_database_of_ones_own_is_empty(postgres: str) -> None:
    engine = create_engine(postgres)
    tables = text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
    with engine.connect() as connection:
        assert connection.execute(tables).scalar_one() == 0
    engine.dispose()
