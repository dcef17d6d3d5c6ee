"""Workers of two releases at once, on a database that the newer one has migrated."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.integration.stage import Stage, wait_for
from tests.integration.truth import simulated, verify

NEXT = (str(Path(__file__).with_name("next_release.py")),)
MIGRATION = (
    "ALTER TABLE incidents ADD COLUMN of_next_release TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE states ADD COLUMN of_next_release TEXT",
    "CREATE TABLE of_next_release (id INTEGER PRIMARY KEY)",
    "UPDATE alembic_version SET version_num = '9999'",
)


@pytest.fixture
def stage(
    tmp_path: Path, kafka: str, postgres: str, topic_name: Callable[[str], str]
) -> Iterator[Stage]:
    with Stage(tmp_path, topic_name("upgrade"), kafka, postgres).closing() as made:
        yield made


def test_workers_are_replaced_one_by_one_and_nothing_is_lost(stage: Stage) -> None:
    records = simulated(shops=6, days=4, largest=1_500)
    third = len(records) // 3
    old = [stage.start_worker(), stage.start_worker()]
    stage.send(records[:third])
    wait_for(lambda: stage.passed() > 0, "a first flush")
    with stage.engine.begin() as connection:
        for statement in MIGRATION:
            connection.execute(text(statement))
    stage.send(records[third : 2 * third])
    wait_for(lambda: stage.passed() == 2 * third, "the old ones go on on the newer database")
    assert old[0].terminate() == 0
    again = stage.start_worker()
    again.wait_until_ready()
    new = stage.start_worker(program=NEXT)
    new.wait_until_ready()
    stage.send(records[2 * third :])
    # One that is handed a partition which a new one has written already refuses it.
    assert {old[1].terminate(), again.terminate()} <= {0, 70}
    stage.wait_until_read()
    verify(stage, records)
    assert new.runs
    assert new.terminate() == 0
    straggler = stage.start_worker()
    assert straggler.process.wait(60) == 70
    assert "is newer than" in straggler.log.read_text()
