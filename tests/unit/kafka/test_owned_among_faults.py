"""Owned partitions while the clock steps, the broker is away, or the database says nothing."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from streamwatch.adapters.kafka import database, ending
from streamwatch.adapters.kafka import owned as owned_module
from streamwatch.adapters.kafka.owned import OwnedPartitions
from streamwatch.adapters.kafka.watchdog import Watchdog
from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.domain.messages import Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import FlushSettings, Settings
from streamwatch.errors import BrokerError
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.ports import Flush, Stored
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.stagetopic import step_of

NOW = 1_788_256_800_000
TOPIC = TP("widget-event", 0)


class SteppingClock:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.now = NOW

    def now_ms(self) -> int:
        return self.now


class HeldStore(MemoryStore):
    """A database that answers when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.answers = threading.Event()
        self.answers.set()

    def commit(self, flush: Flush) -> None:
        assert self.answers.wait(20)
        super().commit(flush)


class Harness:
    """One partition that is owned."""

    def __init__(self) -> None:
        self.store = HeldStore()
        self.clock = SteppingClock()
        self.watchdog = Watchdog(60)
        self.broker_answers = [True]
        self.loop = asyncio.get_running_loop()
        sources = compile_sources(Settings(), (), lambda _: UTC, b"k" * 32)
        self.points: list[str] = []
        self.owned = OwnedPartitions(
            self.store,
            lambda topic, partition: step_of(sources[topic], partition),
            self._publish,
            self._topic_ids,
            self.clock,
            FlushSettings(interval=20, records=1_000),
            WorkerMetrics(CollectorRegistry(), Build("1", "3", "0")),
            watchdog=self.watchdog,
            reach=self.points.append,
        )

    def _topic_ids(self, topics: Iterable[str]) -> Mapping[str, str]:
        if len(self.broker_answers) > 1:
            self.broker_answers.pop()
            raise BrokerError("Kafka does not answer")
        return dict.fromkeys(topics, "id-1")

    async def _publish(self, messages: Sequence[Message]) -> None:
        pass

    async def take(self, offset: int) -> None:
        event = {"event_id": f"e-{offset}", "shop": "s", "time": NOW}
        record = FileRecord(offset, json.dumps(event).encode(), NOW)
        assert await self.owned.take(Slice(*TOPIC, [record])) is None

    @property
    def fence(self) -> int:
        return self.store.load(PartitionId("count", *TOPIC)).fence or 0


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    made = Harness()
    yield made
    made.store.answers.set()
    made.owned.database.thread.shutdown()


async def until_flushed(harness: Harness, fence: int) -> None:
    async with asyncio.timeout(10):
        while harness.fence < fence:
            await harness.owned.flush_due()
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("step_ms", [-3_600_000, 3_600_000])
async def test_flushes_go_on_when_the_clock_is_set(harness: Harness, step_ms: int) -> None:
    await harness.owned.load({TOPIC})
    await harness.take(0)
    await until_flushed(harness, 1)
    harness.clock.now += step_ms
    await harness.take(1)
    await until_flushed(harness, 2)
    assert harness.fence == 2


async def test_a_broker_that_is_away_while_partitions_are_loaded_is_asked_again(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owned_module, "RETRY_SECONDS", 0.01)
    harness.broker_answers = [True, False, False]
    assert await harness.owned.load({TOPIC}) == {TOPIC: None}
    assert harness.broker_answers == [True]


async def test_a_database_that_says_nothing_is_told_to_be_away_until_it_answers(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SILENT_SECONDS", 0.01)
    await harness.owned.load({TOPIC})
    await harness.take(0)
    harness.store.answers.clear()
    flushing = asyncio.create_task(harness.owned.flush())
    async with asyncio.timeout(10):
        while harness.owned.database.up:
            await asyncio.sleep(0.005)
    harness.store.answers.set()
    await flushing
    assert harness.owned.database.up
    assert harness.fence == 1


async def test_the_points_of_a_flush_are_reached_in_their_order(harness: Harness) -> None:
    await harness.owned.load({TOPIC})
    await harness.take(0)
    await harness.owned.flush()
    assert harness.points == ["prepared", "committed", "published"]


class EndedError(BaseException):
    """In place of the end of the process."""


@pytest.mark.parametrize(
    ("stored", "told"), [(b"\xfe\x80", "version 254 is newer"), (b"\x01\xc1", "is damaged")]
)
async def test_a_state_that_cannot_be_read_ends_the_worker_with_its_reason(
    harness: Harness,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    stored: bytes,
    told: str,
) -> None:
    def ended() -> None:
        raise EndedError

    monkeypatch.setattr(ending, "end", ended)
    place = PartitionId("count", *TOPIC)
    harness.store.fences[place] = (1, 0, "id-1")
    harness.store.states[place] = {"~progress": stored}
    with pytest.raises(EndedError):
        await harness.owned.load({TOPIC})
    assert "the worker stops" in caplog.text
    assert told in caplog.text


async def test_partitions_that_are_revoked_while_they_are_loaded_do_not_end_the_worker(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = harness.store.load

    def revoked_meanwhile(partition: PartitionId) -> Stored:
        stored = load(partition)
        harness.loop.call_soon_threadsafe(harness.owned.drop)
        return stored

    monkeypatch.setattr(harness.store, "load", revoked_meanwhile)
    await harness.owned.load({TOPIC, TP("widget-event", 1)})
    harness.owned.drop()
    harness.owned.started(TOPIC, 0)
    harness.owned.ends_at(TOPIC, 10)
    assert harness.owned.items() == []
