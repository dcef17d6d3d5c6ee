"""A slow database sheds tap rows, counted; neither what is held nor any record is lost."""

import json
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry

from streamwatch.adapters.kafka.owned import OwnedPartitions
from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.domain.messages import Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.rows import TapRow
from streamwatch.domain.settings import FlushSettings, Settings
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.ports import Flush
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.stagetopic import step_of

NOW = 1_788_256_800_000
SLOW_SECONDS = 0.03
TAPS = (
    TapSettings("spared", "widget-event", ("decode", "segment")),
    TapSettings("needed", "widget-event", ("normalise",), on_slow="hold"),
)


class SlowStore(MemoryStore):
    """A database that takes its time while it is told to."""

    slow = True

    def commit(self, flush: Flush) -> None:
        super().commit(flush)
        end = time.monotonic() + (SLOW_SECONDS if self.slow else 0)
        while time.monotonic() < end:
            pass


class Stopped:
    """A clock that stands still."""

    def now_ms(self) -> int:
        return NOW


class Harness:
    """One owned partition; every `feed` is a flush."""

    def __init__(self) -> None:
        self.store = SlowStore()
        self.registry = CollectorRegistry()
        sources = compile_sources(Settings(), TAPS, lambda _: UTC, b"k" * 32)
        self.owned = OwnedPartitions(
            self.store,
            lambda topic, partition: step_of(sources[topic], partition),
            self._publish,
            lambda _: {},
            Stopped(),
            FlushSettings(interval=10, records=1, slow=10),
            WorkerMetrics(self.registry, Build("1", "3", "0")),
            sources["widget-event"].taps,
        )
        self.offset = 0

    async def _publish(self, messages: Sequence[Message]) -> None:
        pass

    async def feed(self, count: int = 20) -> None:
        records = []
        for offset in range(self.offset, self.offset + count):
            event = {"event_id": f"e-{offset}", "shop": "s", "time": NOW, "height": 170}
            records.append(FileRecord(offset, json.dumps(event).encode(), NOW))
        self.offset += count
        assert await self.owned.take(Slice("widget-event", 0, records)) is None

    def rows(self, stage: str) -> list[int]:
        taps = [row for row in self.store.rows.values() if isinstance(row, TapRow)]
        return sorted(row.offset for row in taps if row.stage == stage)


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    made = Harness()
    await made.owned.load({TP("widget-event", 0)})
    yield made
    made.owned.database.thread.shutdown()


async def test_tap_rows_are_shed_and_nothing_else(harness: Harness) -> None:
    for _ in range(10):
        await harness.feed()
    assert harness.owned.share == 0.0
    assert harness.rows("normalise") == list(range(200))
    assert harness.rows("decode") == harness.rows("segment")
    assert 20 <= len(harness.rows("decode")) < 100
    shed = harness.registry.get_sample_value(
        "streamwatch_tap_rows_shed_total",
        {"event_type": "widget-event", "stage": "decode", "tap": "spared"},
    )
    assert shed == 200 - len(harness.rows("decode"))
    accounting = harness.store.load(PartitionId("count", "widget-event", 0)).accounting
    assert accounting is not None
    assert accounting.aggregated == 200


async def test_a_fast_database_gets_all_rows_again(harness: Harness) -> None:
    for _ in range(10):
        await harness.feed()
    harness.store.slow = False
    for _ in range(25):
        await harness.feed(1)
    assert harness.owned.share == 1.0
    await harness.feed()
    assert harness.rows("decode")[-20:] == list(range(harness.offset - 20, harness.offset))
