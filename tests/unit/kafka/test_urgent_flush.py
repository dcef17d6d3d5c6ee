"""What somebody waits for is flushed before the interval is over."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence

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


class StandingClock:
    """Always the same moment."""

    def now_ms(self) -> int:
        return NOW


class Leader:
    """The partition of verdicts, with an interval that no test waits for."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.owned = OwnedPartitions(
            MemoryStore(),
            lambda _topic, _partition: FleetStep(JudgingSettings()),
            self._publish,
            self._topic_ids,
            StandingClock(),
            FlushSettings(interval=3_600_000, records=1_000),
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


async def test_an_incident_is_published_long_before_the_interval_is_over() -> None:
    leader = Leader()
    await leader.owned.load({LEADER})
    await leader.take(0, LACKING)
    async with asyncio.timeout(10):
        while not leader.published:
            await leader.owned.flush_due()
            await asyncio.sleep(0.01)
    assert json.loads(leader.published[0].value or b"")["status"] == "open"
    leader.owned.database.thread.shutdown()


async def test_what_nobody_waits_for_keeps_to_the_interval() -> None:
    leader = Leader()
    await leader.owned.load({LEADER})
    await leader.take(0, USUAL)
    await asyncio.sleep(0)
    await leader.owned.flush_due()
    (runner,) = (runner for _, runner in leader.owned.items())
    assert runner.unflushed == 1
    assert not runner.is_urgent
    leader.owned.database.thread.shutdown()
