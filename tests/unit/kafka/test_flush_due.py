"""What somebody waits for is flushed at once; what is not worth a flush yet, in the end."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from faust.types import TP
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from streamwatch.adapters.kafka.owned import OwnedPartitions
from streamwatch.adapters.kafka.watchdog import Watchdog
from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.domain.messages import VERDICTS_TOPIC, Message
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import FlushSettings, JudgingSettings
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import Partition
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.tick import message_of

NOW = 1_788_256_800_000
LEADER = TP(VERDICTS_TOPIC, 0)
USUAL = Verdict(
    key=KpiKey("shop-001", "widget-event", "missing.height"),
    bucket=NOW,
    value=0.0,
    n=90,
    state="usual",
    score=0.1,
    expected=0.0,
    lower=0.0,
    upper=0.1,
    reason="",
    judged_at=NOW,
)
LACKING = replace(USUAL, state="unusual", score=9.0, value=0.9, urgent=True, version=2)
LONG = FlushSettings(interval=3_600_000, records=1_000)
"""An interval that no test waits for."""


class StandingClock:
    """Always the same moment."""

    def now_ms(self) -> int:
        return NOW


class Leader:
    """The partition of verdicts."""

    def __init__(self, settings: FlushSettings) -> None:
        self.published: list[Message] = []
        self.owned = OwnedPartitions(
            MemoryStore(),
            lambda _topic, _partition: FleetStep(JudgingSettings()),
            self._publish,
            self._topic_ids,
            StandingClock(),
            settings,
            WorkerMetrics(CollectorRegistry(), Build("1", "3", "0")),
            watchdog=Watchdog(60),
        )

    def _topic_ids(self, topics: Iterable[str]) -> Mapping[str, str]:
        return dict.fromkeys(topics, "id-1")

    async def _publish(self, messages: Sequence[Message]) -> None:
        self.published += messages

    async def take(self, offset: int, verdict: Verdict) -> None:
        value = message_of(verdict).value
        assert await self.owned.take(Slice(*LEADER, [FileRecord(offset, value, NOW)])) is None

    @property
    def runner(self) -> Partition[Any]:
        ((_, runner),) = self.owned.items()
        return runner


@contextmanager
def leading(settings: FlushSettings) -> Iterator[Leader]:
    leader = Leader(settings)
    yield leader
    leader.owned.database.thread.shutdown()


async def test_an_incident_is_published_long_before_the_interval_is_over() -> None:
    with leading(LONG) as leader:
        await leader.owned.load({LEADER})
        await leader.take(0, LACKING)
        async with asyncio.timeout(10):
            while not leader.published:
                await leader.owned.flush_due()
                await asyncio.sleep(0.01)
        assert json.loads(leader.published[0].value or b"")["status"] == "open"


async def test_what_nobody_waits_for_keeps_to_the_interval() -> None:
    with leading(LONG) as leader:
        await leader.owned.load({LEADER})
        await leader.take(0, USUAL)
        await asyncio.sleep(0)
        await leader.owned.flush_due()
        assert leader.runner.unflushed == 1
        assert not leader.runner.is_urgent


async def test_what_changes_no_incident_is_flushed_after_the_longest_wait() -> None:
    with leading(FlushSettings(interval=10, longest=50)) as leader:
        await leader.owned.load({LEADER})
        await leader.take(0, USUAL)
        await leader.owned.flush()
        await leader.take(1, USUAL)
        async with asyncio.timeout(10):
            while leader.runner.unflushed:
                await leader.owned.flush_due()
                await asyncio.sleep(0.01)
        assert leader.runner.unflushed == 0
