"""A step may ask the database, as for the salt of a new shop; then it may not answer."""

from collections.abc import Iterable, Mapping, Sequence

from faust.types import TP
from prometheus_client import CollectorRegistry
from tests.unit.kafka.test_flush_due import LACKING, NOW, USUAL, StandingClock

from streamwatch.adapters.kafka.owned import OwnedPartitions
from streamwatch.adapters.kafka.watchdog import Watchdog
from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.domain.messages import VERDICTS_TOPIC, Message
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.settings import FlushSettings, JudgingSettings
from streamwatch.errors import DatabaseError
from streamwatch.runner.memory import MemoryStore
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.fleetstate import FleetState
from streamwatch.steps.step import Outcome
from streamwatch.steps.tick import message_of

PLACE = TP(VERDICTS_TOPIC, 0)


class AskingStep(FleetStep):
    """Takes the first record of a slice in, and asks the database before the second."""

    away = False

    def process(self, state: FleetState, slice_: Slice, now_ms: int) -> Outcome:
        if self.away and len(slice_.records) > 1:
            super().process(state, Slice(*PLACE, slice_.records[:1]), now_ms)
            raise DatabaseError("the database does not answer")
        return super().process(state, slice_, now_ms)


def owned_with(step: AskingStep, store: MemoryStore) -> OwnedPartitions:
    async def publish(messages: Sequence[Message]) -> None:
        pass

    def topic_ids(topics: Iterable[str]) -> Mapping[str, str]:
        return dict.fromkeys(topics, "id-1")

    return OwnedPartitions(
        store,
        lambda _topic, _partition: step,
        publish,
        topic_ids,
        StandingClock(),
        FlushSettings(interval=3_600_000, records=1_000),
        WorkerMetrics(CollectorRegistry(), Build("1", "3", "0")),
        watchdog=Watchdog(60),
    )


def slice_from(offset: int, *verdicts: bytes) -> Slice:
    records = [FileRecord(offset + at, value, NOW) for at, value in enumerate(verdicts)]
    return Slice(*PLACE, records)


async def test_a_slice_that_the_database_cut_short_is_read_again_from_the_fence() -> None:
    step, store = AskingStep(JudgingSettings()), MemoryStore()
    owned = owned_with(step, store)
    usual, lacking = message_of(USUAL).value, message_of(LACKING).value
    assert usual is not None
    assert lacking is not None
    await owned.load({PLACE})
    owned.started(PLACE, 5)
    assert await owned.take(slice_from(5, usual)) is None

    step.away = True
    assert await owned.take(slice_from(6, usual, lacking)) == 5

    step.away = False
    assert await owned.take(slice_from(5, usual, usual, lacking)) is None
    await owned.flush()
    assert owned.fence(PLACE) == 8


async def test_what_was_flushed_before_is_not_read_again() -> None:
    step, store = AskingStep(JudgingSettings()), MemoryStore()
    owned = owned_with(step, store)
    usual = message_of(USUAL).value
    assert usual is not None
    await owned.load({PLACE})
    owned.started(PLACE, 5)
    await owned.take(slice_from(5, usual, usual))
    await owned.flush()
    step.away = True
    assert await owned.take(slice_from(7, usual, usual)) == 7
