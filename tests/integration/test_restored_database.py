"""A database that is restored to an earlier moment catches up by itself."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text
from tests.integration.stage import Stage, wait_for_more_than
from tests.integration.truth import simulated, verify


@pytest.fixture
def stage(
    tmp_path: Path, kafka: str, postgres: str, topic_name: Callable[[str], str]
) -> Iterator[Stage]:
    with Stage(tmp_path, topic_name("backup"), kafka, postgres).closing() as made:
        yield made


def copied(server: str, source: str, target: str) -> None:
    """Replace a database by a copy of another one; nobody may be connected to either."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)'))
            connection.execute(text(f'CREATE DATABASE "{target}" TEMPLATE "{source}"'))
    finally:
        engine.dispose()


def test_what_came_after_the_backup_is_read_again_and_counted_once(
    stage: Stage, postgres: str, postgres_server: str
) -> None:
    records = simulated(shops=6, days=4, largest=2_000)
    name = str(make_url(postgres).database)
    stage.send(records[: len(records) // 2])
    worker = stage.start_worker()
    stage.wait_until_read()
    assert worker.terminate() == 0
    stage.engine.dispose()
    copied(postgres_server, name, f"{name}_kept")

    stage.send(records[len(records) // 2 :])
    worker = stage.start_worker()
    stage.wait_until_read()
    assert worker.terminate() == 0
    stage.engine.dispose()
    copied(postgres_server, f"{name}_kept", name)
    assert stage.passed() < len(records)

    stage.start_worker()
    # Kafka's committed offsets are at the end already: the fences decide.
    wait_for_more_than(stage, len(records) - 1)
    stage.wait_until_read()
    verify(stage, records)
