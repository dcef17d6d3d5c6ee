"""A worker among faults: stopped, asleep, without a database, on a topic that lost its past."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition
from tests.integration.stage import Stage, wait_for, wait_for_more_than
from tests.integration.truth import simulated, verify, verify_accounting

from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.local.postgres import start_postgres


@pytest.fixture
def stage(
    tmp_path: Path, kafka: str, postgres: str, topic_name: Callable[[str], str]
) -> Iterator[Stage]:
    with Stage(tmp_path, topic_name("fault"), kafka, postgres).closing() as made:
        yield made


def test_a_worker_that_is_stopped_in_the_middle_writes_what_it_has(stage: Stage) -> None:
    records = simulated(shops=6, days=4, largest=6_000)
    stage.send(records)
    for _ in range(3):
        worker = stage.start_worker()
        wait_for_more_than(stage, stage.passed())
        assert worker.terminate() == 0
    stage.start_worker()
    stage.wait_until_read()
    verify(stage, records)
    duplicates = stage.rows("SELECT sum(duplicates) FROM accounting")
    assert duplicates == [(0,)], "a worker that could say goodbye leaves nothing to read again"


def test_a_zombie_that_wakes_up_after_its_partitions_moved_on_writes_nothing(
    stage: Stage,
) -> None:
    records = simulated(shops=6, days=4, largest=4_000)
    half = len(records) // 2
    stage.send(records[:half])
    zombie = stage.start_worker()
    wait_for(lambda: stage.passed() > half // 4, "the first worker is at work")
    zombie.process.send_signal(signal.SIGSTOP)
    stage.start_worker()
    stage.send(records[half:])
    wait_for(lambda: stage.passed() > half + half // 4, "the second worker took over")
    zombie.process.send_signal(signal.SIGCONT)
    stage.wait_until_read()
    verify(stage, records)


def test_offsets_that_the_broker_deleted_are_gaps_and_the_rest_is_counted(stage: Stage) -> None:
    records = simulated(shops=6, days=3, largest=1_000)
    stage.send(records)
    first = stage.start_worker()
    ends = stage.ends(stage.source_topics)
    began = "SELECT count(*) FROM accounting WHERE next_offset > first_offset"
    read = [(sum(1 for end in ends.values() if end),)]
    wait_for(lambda: stage.rows(began) == read, "a first flush of every partition")
    first.kill()
    stage.send(records)
    deleted = {TopicPartition(*place): end + 7 for place, end in ends.items() if end > 20}
    client = KafkaAdminClient(bootstrap_servers=stage.settings.kafka.bootstrap)
    client.delete_records(deleted)
    client.close()
    stage.start_worker()
    stage.wait_until_read()
    verify_accounting(stage, [*records, *records])
    gaps = stage.rows("SELECT sum(gaps) FROM accounting")
    assert int(str(gaps[0][0])) > 0


def test_a_topic_made_anew_is_read_from_its_start_in_a_new_epoch(stage: Stage) -> None:
    records = simulated(shops=4, days=2, largest=500)
    stage.send(records)
    first = stage.start_worker()
    stage.wait_until_read()
    assert first.terminate() == 0
    client = KafkaAdminClient(bootstrap_servers=stage.settings.kafka.bootstrap)
    client.delete_topics([stage.topic("purchase")])
    wait_for(lambda: stage.topic("purchase") not in client.list_topics(), "the topic is gone")
    client.close()
    create_topics(stage.settings)
    again = [record for record in records if record[0] == "purchase"][:100]
    stage.send(again)
    stage.start_worker()
    wait_for(
        lambda: stage.rows("SELECT sum(records_in) FROM accounting WHERE epoch = 1") == [(100,)],
        "the new topic's records are counted",
    )
    old = stage.rows(
        f"SELECT sum(aggregated) FROM accounting WHERE epoch = 0 AND topic = '{stage.topic('purchase')}'"  # noqa: E501
    )
    assert old == [(sum(1 for record in records if record[0] == "purchase"),)]


def test_while_the_database_is_away_consumption_pauses_and_then_catches_up(
    tmp_path: Path, kafka: str, topic_name: Callable[[str], str]
) -> None:
    server = start_postgres(tmp_path / "postgres")
    try:
        records = simulated(shops=6, days=3, largest=2_000)
        with Stage(tmp_path, topic_name("away"), kafka, server.url).closing() as stage:
            worker = stage.start_worker()
            stage.send(records[: len(records) // 2])
            wait_for(lambda: stage.passed() > 0, "a first flush")
            server.stop()
            stage.send(records[len(records) // 2 :])
            wait_for(lambda: "consumption pauses" in worker.log.read_text(), "the pause is said")
            time.sleep(2)  # commits follow the fences once a second
            committed = stage.committed()
            time.sleep(2)  # nothing more is committed while nothing can be written
            assert stage.committed() == committed
            stage.engine.dispose()
            assert start_postgres(tmp_path / "postgres").url == server.url
            stage.wait_until_read()
            verify(stage, records)
            assert worker.runs
    finally:
        server.remove()
