"""A worker among faults: stopped, asleep, without a database, on a topic that lost its past."""

import asyncio
import itertools
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from kafka import KafkaConsumer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.structs import TopicPartition
from tests.integration.stage import Stage, Worker, wait_for, wait_for_more_than
from tests.integration.truth import simulated, verify, verify_accounting, verify_cells

from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.local.postgres import LocalPostgres, start_postgres
from streamwatch.domain.messages import Heartbeat, JudgeInput


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


def test_offsets_that_compaction_removed_are_gaps_and_the_rest_is_counted(stage: Stage) -> None:
    records = [one for one in simulated(shops=4, days=3, largest=400) if one[0] == "purchase"]
    topic = stage.topic("purchase")
    often = {"cleanup.policy": "compact", "segment.ms": "200", "min.cleanable.dirty.ratio": "0.01"}
    client = KafkaAdminClient(bootstrap_servers=stage.settings.kafka.bootstrap)
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, often)])
    client.close()
    stage.send(records)

    newest = list({one[3]: one for one in records}.values())
    later = itertools.count(1)

    def held() -> int:
        # A newer record begins a new segment; the last one is never compacted.
        wait = 1_000 * next(later)
        stage.send([(kind, at + wait, value, key) for kind, at, value, key in newest])
        return len(held_by_broker(stage, topic))

    sent = sum(stage.ends([topic]).values())
    wait_for(lambda: held() < sent / 2, "the broker compacted the topic", 60)
    stage.start_worker()
    total = sum(stage.ends([topic]).values())
    wait_for(lambda: stage.passed() == total, f"{total} offsets")
    left = held_by_broker(stage, topic)
    [(counted, gaps)] = stage.rows(
        "SELECT sum(aggregated + rejected + dead_lettered), sum(gaps) FROM accounting"
    )
    assert int(str(counted)) + int(str(gaps)) == total
    assert 0 < len(left) <= int(str(counted)) < sent
    wrong = "SELECT * FROM accounting WHERE records_in + gaps <> next_offset - first_offset"
    assert stage.rows(wrong) == []


def held_by_broker(stage: Stage, topic: str) -> set[tuple[int, int]]:
    """Partition and offset of every record that a topic still has."""
    consumer = KafkaConsumer(bootstrap_servers=stage.settings.kafka.bootstrap)
    try:
        ends = stage.ends([topic])
        places = [TopicPartition(*place) for place, end in ends.items() if end]
        consumer.assign(places)
        consumer.seek_to_beginning()
        found: set[tuple[int, int]] = set()
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=200).values():
                found |= {(record.partition, record.offset) for record in records}
        return found
    finally:
        consumer.close()


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


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalPostgres]:
    """A database server of the test's own, which it may stop."""
    server = start_postgres(tmp_path / "postgres")
    yield server
    server.remove()


@pytest.fixture
def beside(
    tmp_path: Path, kafka: str, topic_name: Callable[[str], str], server: LocalPostgres
) -> Iterator[Stage]:
    """A stage on that server."""
    with Stage(tmp_path, topic_name("away"), kafka, server.url).closing() as stage:
        yield stage


def pauses(worker: Worker) -> None:
    """Wait until a worker says that its database is away."""
    wait_for(lambda: "consumption pauses" in worker.log.read_text(), "the pause is said")


def comes_back(stage: Stage, server: LocalPostgres) -> None:
    """The database, with its data and at its old address."""
    stage.engine.dispose()
    assert start_postgres(server.folder.parent).url == server.url


def test_while_the_database_is_away_consumption_pauses_and_then_catches_up(
    beside: Stage, server: LocalPostgres
) -> None:
    records = simulated(shops=6, days=3, largest=2_000)
    worker = beside.start_worker()
    beside.send(records[: len(records) // 2])
    wait_for_more_than(beside, 0)
    server.stop()
    beside.send(records[len(records) // 2 :])
    pauses(worker)
    time.sleep(2)  # commits follow the fences once a second
    committed = beside.committed()
    time.sleep(2)  # nothing more is committed while nothing can be written
    assert beside.committed() == committed
    comes_back(beside, server)
    beside.wait_until_read()
    verify(beside, records)
    assert worker.runs


def test_a_worker_whose_database_is_away_stops_within_ten_seconds_and_loses_nothing(
    beside: Stage, server: LocalPostgres
) -> None:
    records = simulated(shops=4, days=2, largest=500)
    worker = beside.start_worker()
    beside.send(records[: len(records) // 2])
    wait_for_more_than(beside, 0)
    server.stop()
    beside.send(records[len(records) // 2 :])
    pauses(worker)
    begun = time.monotonic()
    assert worker.terminate() == 70
    assert time.monotonic() - begun < 10
    assert "stops without having written all" in worker.log.read_text()
    comes_back(beside, server)
    beside.start_worker()
    beside.wait_until_read()
    verify(beside, records)


def test_partitions_that_are_assigned_while_the_database_is_away_wait_for_it(
    beside: Stage, server: LocalPostgres
) -> None:
    records = simulated(shops=4, days=2, largest=500)
    first = beside.start_worker()
    beside.send(records[: len(records) // 2])
    wait_for_more_than(beside, 0)
    second = beside.start_worker()
    wait_for(lambda: "metrics on" in second.log.read_text(), "the second is on its way")
    server.stop()
    first.kill()
    beside.send(records[len(records) // 2 :])
    pauses(second)
    time.sleep(5)
    assert second.runs
    comes_back(beside, server)
    beside.wait_until_read()
    verify(beside, records)
    assert second.runs


def test_records_of_an_aborted_transaction_are_not_counted_and_hold_nothing_up(
    stage: Stage,
) -> None:
    records = [one for one in simulated(shops=3, days=2, largest=200) if one[0] == "purchase"]
    stage.start_worker()
    topic = stage.topic("purchase")

    async def produce() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=stage.settings.kafka.bootstrap, transactional_id=topic
        )
        await producer.start()
        try:
            for begin in range(0, len(records), 50):
                for aborts in (True, False):
                    await producer.begin_transaction()
                    for _, arrived, value, key in records[begin : begin + 50]:
                        await producer.send(topic, value, key, timestamp_ms=arrived)
                    if aborts:
                        await producer.abort_transaction()
                    else:
                        await producer.commit_transaction()
        finally:
            await producer.stop()

    asyncio.run(produce())
    counted = "SELECT sum(aggregated), sum(rejected + dead_lettered) FROM accounting"
    wait_for(lambda: stage.rows(counted) == [(len(records), 0)], "the committed ones are counted")
    verify_cells(stage, records)
    assert stage.rows("SELECT count(*) FROM accounting WHERE gaps > 0") != [(0,)]

    def lag() -> float:
        return max(beat.lag for beat in heartbeats(stage) if beat.topic == topic)

    wait_for(lambda: lag() == 0, "a marker at the end is no record that waits", 20)


def heartbeats(stage: Stage) -> list[Heartbeat]:
    """The newest heartbeats of all source partitions."""
    consumer = KafkaConsumer(bootstrap_servers=stage.settings.kafka.bootstrap)
    try:
        places = [
            TopicPartition(f"{stage.name}.readings", number)
            for number in consumer.partitions_for_topic(f"{stage.name}.readings") or ()
        ]
        consumer.assign(places)
        newest: dict[tuple[str, int], Heartbeat] = {}
        for place, end in consumer.end_offsets(places).items():
            consumer.seek(place, max(0, end - 60))
        for records in consumer.poll(timeout_ms=3_000, max_records=5_000).values():
            for record in records:
                beat = msgspec.msgpack.decode(record.value, type=JudgeInput)
                if isinstance(beat, Heartbeat):
                    newest[beat.topic, beat.partition] = beat
        return list(newest.values())
    finally:
        consumer.close()


def test_a_topic_that_is_made_anew_while_it_is_read_is_read_from_its_start(stage: Stage) -> None:
    records = [one for one in simulated(shops=4, days=3, largest=500) if one[0] == "purchase"]
    old, new = records[: len(records) // 2], records[len(records) // 2 :]
    worker = stage.start_worker()
    stage.send(old)
    stage.wait_until_read()
    client = KafkaAdminClient(bootstrap_servers=stage.settings.kafka.bootstrap)
    client.delete_topics([stage.topic("purchase")])
    wait_for(lambda: stage.topic("purchase") not in client.list_topics(), "the topic is gone")
    client.close()
    create_topics(stage.settings)
    stage.send(new)
    counted = "SELECT sum(aggregated), sum(duplicates) FROM accounting"
    wait_for(lambda: int(str(stage.rows(counted)[0][0])) >= len(records), "all are counted", 60)
    time.sleep(1)
    assert stage.rows(counted)[0][0] == len(records)
    verify_cells(stage, records)
    assert worker.runs
