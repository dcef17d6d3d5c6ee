"""What is not worth a flush yet is flushed in the end."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from faust.types import TP
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


class StandingClock:
    """Always the same moment."""

    def now_ms(self) -> int:
        return NOW


async def _publish(messages: Sequence[Message]) -> None:
    del messages


def _topic_ids(topics: Iterable[str]) -> Mapping[str, str]:
    return dict.fromkeys(topics, "id-1")


async def with_nothing_to_tell(longest: int) -> OwnedPartitions:
    """The partition of verdicts, flushed once; another verdict came that changes no incident."""
    owned = OwnedPartitions(
        MemoryStore(),
        lambda _topic, _partition: FleetStep(JudgingSettings()),
        _publish,
        _topic_ids,
        StandingClock(),
        FlushSettings(interval=10, longest=longest),
        WorkerMetrics(CollectorRegistry(), Build("1", "3", "0")),
        watchdog=Watchdog(60),
    )
    await owned.load({LEADER})
    value = message_of(USUAL).value
    for offset in (0, 1):
        await owned.take(Slice(*LEADER, [FileRecord(offset, value, NOW)]))
        if offset == 0:
            await owned.flush()
    return owned


def unflushed(owned: OwnedPartitions) -> int:
    (runner,) = (runner for _, runner in owned.items())
    return runner.unflushed


async def test_it_ends_with_the_longest_wait() -> None:
    owned = await with_nothing_to_tell(longest=50)
    async with asyncio.timeout(10):
        while unflushed(owned):
            await owned.flush_due()
            await asyncio.sleep(0.01)
    owned.database.thread.shutdown()
    assert unflushed(owned) == 0
