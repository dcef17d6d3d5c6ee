"""The main job on real Kafka and PostgreSQL: events in; tap rows, cells and accounting out."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.integration.stage import Stage, wait_for_more_than
from tests.integration.truth import simulated, verify

BAD_EVERY = 97


@pytest.fixture
def stage(
    tmp_path: Path, kafka: str, postgres: str, topic_name: Callable[[str], str]
) -> Iterator[Stage]:
    with Stage(tmp_path, topic_name("job"), kafka, postgres).closing() as made:
        yield made


def test_two_workers_count_each_record_once_and_commit_to_the_end(stage: Stage) -> None:
    records = simulated(shops=8, days=5, largest=1_500, bad_every=BAD_EVERY)
    stage.start_worker()
    stage.start_worker()
    stage.send(records)
    stage.wait_until_read()
    verify(stage, records, BAD_EVERY)


def test_a_killed_worker_that_comes_back_loses_and_doubles_nothing(stage: Stage) -> None:
    records = simulated(shops=8, days=5, largest=2_500, bad_every=BAD_EVERY)
    stage.send(records)
    for part in (0.15, 0.5):
        worker = stage.start_worker()
        wait_for_more_than(stage, part * len(records))
        worker.kill()
    stage.start_worker()
    stage.wait_until_read()
    verify(stage, records, BAD_EVERY)


def test_a_worker_that_joins_and_leaves_ten_times_skips_no_offset(stage: Stage) -> None:
    records = simulated(shops=8, days=6, largest=4_000)
    portion = len(records) // 10
    stage.start_worker()
    for turn in range(10):
        second = stage.start_worker()
        stage.send(records[turn * portion : (turn + 1) * portion if turn < 9 else None])
        second.wait_until_ready()
        if turn % 3 == 2:
            second.kill()
        else:
            assert second.terminate() == 0
    stage.wait_until_read()
    verify(stage, records)
