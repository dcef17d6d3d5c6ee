"""Real Kafka and PostgreSQL, which each worker of a test run starts once; a fresh topic and
database for each test.

Where a service cannot be started, the tests that need it fail with the reason; none is skipped.
``STREAMWATCH_TEST_POSTGRES`` and ``STREAMWATCH_TEST_KAFKA`` name services that run already.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient, NewTopic
from sqlalchemy import create_engine, make_url, text

from streamwatch.adapters.local.kafka import start_kafka
from streamwatch.adapters.local.postgres import start_postgres


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, jars: Path) -> Iterator[str]:
    """The address of a real broker that lives as long as the test run."""
    given = os.environ.get("STREAMWATCH_TEST_KAFKA")
    if given:
        yield given
        return
    soon = {"log.cleaner.backoff.ms": "500"}  # a compacted topic is compacted at once
    broker = start_kafka(tmp_path_factory.mktemp("kafka"), jars=jars, properties=soon)
    yield broker.bootstrap
    broker.remove()


@pytest.fixture
def topic_name() -> Callable[[str], str]:
    """Makes names that no other test uses: ``topic_name("purchase")``."""
    return lambda stem: f"{stem}-{uuid.uuid4().hex[:10]}"


@pytest.fixture
def new_topic(kafka: str, topic_name: Callable[[str], str]) -> Callable[..., str]:
    """Creates a topic of its own for a test: ``new_topic("purchase", partitions=4)``."""

    def create(stem: str, partitions: int = 1, settings: dict[str, str] | None = None) -> str:
        name = topic_name(stem)
        client = KafkaAdminClient(bootstrap_servers=kafka)
        try:
            client.create_topics([NewTopic(name, partitions, 1, topic_configs=settings or {})])
        finally:
            client.close()
        return name

    return create


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real server, as a user who may create databases."""
    given = os.environ.get("STREAMWATCH_TEST_POSTGRES")
    if given:
        yield given
        return
    server = start_postgres(tmp_path_factory.mktemp("postgres"))
    yield server.url
    server.remove()


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The address of an empty database of this test's own, dropped after it."""
    name = f"streamwatch_{uuid.uuid4().hex}"
    engine = create_engine(postgres_server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    finally:
        engine.dispose()
