"""The partitions that this worker owns: loaded on assignment, flushed, dropped on revocation."""

import asyncio
import math
import time
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from typing import Any

import msgspec
from faust.types import TP
from mode.utils.logging import get_logger

from streamwatch.adapters.kafka.collecting import uncollected
from streamwatch.adapters.kafka.database import DatabaseThread
from streamwatch.adapters.kafka.ending import guarded
from streamwatch.adapters.kafka.exported import exported
from streamwatch.adapters.kafka.watchdog import Watchdog
from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.domain.messages import Message
from streamwatch.domain.records import PartitionId, Slice
from streamwatch.domain.settings import FlushSettings
from streamwatch.errors import BrokerError, DatabaseError, FenceLostError
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Clock, Flush, Store
from streamwatch.steps.step import Step
from streamwatch.taps.live import LiveTaps
from streamwatch.taps.shedding import next_share, shed

logger = get_logger(__name__)

RETRY_SECONDS = 1.0
"""Pause before the broker is asked again after it did not answer."""

FREE_VALUES = 400
"""State values that a worker may write every interval, however few records changed them."""

Reach = Callable[[str], None]
"""Told which point of a flush was reached; tests stop or kill the worker there."""


def reach_nothing(_point: str) -> None:
    """What a worker does at such a point: go on."""


StepOf = Callable[[str, int], Step[Any]]
"""The step that reads a topic's partition."""

Publish = Callable[[Sequence[Message]], Awaitable[None]]


class Owned(msgspec.Struct):
    """One partition with what the worker needs around it.

    Attributes:
        lock: held while a slice is taken in and while a flush is under way.
        flushed_at: when the last flush began, by a clock that never steps, seconds.
    """

    runner: Partition[Any]
    lock: asyncio.Lock
    flushed_at: float

    @property
    def waited(self) -> int:
        """Milliseconds since the last flush began."""
        return int((time.monotonic() - self.flushed_at) * 1000)


class OwnedPartitions:
    """All of them; it is the `Fences` of the slice driver.

    Attributes:
        database: where the store is called, and whether it answers.
        share: of the events whose tap rows are written; below 1 while the database is slow.
    """

    def __init__(
        self,
        store: Store,
        step_of: StepOf,
        publish: Publish,
        topic_ids: Callable[[Iterable[str]], Mapping[str, str]],
        clock: Clock,
        flush: FlushSettings,
        metrics: WorkerMetrics,
        taps: LiveTaps | None = None,
        watchdog: Watchdog | None = None,
        reach: Reach = reach_nothing,
    ) -> None:
        self._taps = taps or LiveTaps()
        self._reach = reach
        self._store = store
        self._step_of = step_of
        self._publish = publish
        self._topic_ids = topic_ids
        self._clock = clock
        self._flush = flush
        self._metrics = metrics
        self._owned: dict[TP, Owned] = {}
        self.share = 1.0
        self.database = DatabaseThread(metrics, watchdog or Watchdog(math.inf))

    def items(self) -> list[tuple[TP, Partition[Any]]]:
        """The owned partitions and their runners, now."""
        return [(tp, owned.runner) for tp, owned in self._owned.items()]

    async def settled(self) -> AsyncIterator[tuple[TP, Partition[Any]]]:
        """The same one by one, each when all that it has flushed is published."""
        for tp, owned in list(self._owned.items()):
            async with owned.lock:
                if self._owned.get(tp) is owned:
                    yield tp, owned.runner

    def fence(self, partition: TP) -> int | None:
        """The next offset that the database does not include; ``None`` if not owned."""
        owned = self._owned.get(partition)
        return None if owned is None else owned.runner.fence

    def started(self, partition: TP, offset: int) -> None:
        """A partition that was never read begins at this offset; it may be revoked already."""
        owned = self._owned.get(partition)
        if owned is not None:
            owned.runner.start_at(offset)

    def ends_at(self, partition: TP, offset: int) -> None:
        """A partition's log ends at this offset now; it may be revoked already."""
        owned = self._owned.get(partition)
        if owned is not None:
            owned.runner.end_offset = offset

    async def load(self, partitions: Iterable[TP]) -> Mapping[TP, int | None]:
        """Load partitions anew from the database, and publish what may be unpublished."""
        return await guarded(self._load_all, partitions)

    async def _load_all(self, partitions: Iterable[TP]) -> Mapping[TP, int | None]:
        wanted = sorted(partitions)
        ids = await self._ids_of({tp.topic for tp in wanted})
        self.drop()
        fences: dict[TP, int | None] = {}
        with uncollected():
            for number, tp in enumerate(wanted):
                self._metrics.loading(len(wanted) - number)
                fences[tp] = await self._load(tp, ids.get(tp.topic, ""))
        self._metrics.loading(0)
        for owned in list(self._owned.values()):  # some may be revoked already
            await self._publish(owned.runner.announce())
        self._metrics.ready(bool(self._owned))
        return fences

    async def reload(self, tp: TP, topic_id: str, earliest: int) -> None:
        """Load a partition whose topic is another one now; it is read from its start."""
        owned = self._owned.get(tp)
        if owned is not None:
            async with owned.lock:
                if await self._load(tp, topic_id) is None:
                    self.started(tp, earliest)

    async def take(self, slice_: Slice) -> int | None:
        """Take a slice in, and flush if it is time; returns where to seek to, or ``None``."""
        tp = TP(slice_.topic, slice_.partition)
        owned = self._owned.get(tp)
        if owned is None:
            return None
        async with owned.lock:
            now = self._clock.now_ms()
            begun = time.monotonic()
            try:
                seek_to = owned.runner.process(slice_, now)
            except DatabaseError as error:
                logger.warning("%s; it is read again from its fence: %s", tp, error)
                return await self._begin_again(tp, owned)
            self._metrics.taken(owned.runner.id.step, time.monotonic() - begun)
            if self._is_due(owned):
                return await self._flush_owned(tp, owned) or seek_to
        return seek_to

    async def _begin_again(self, tp: TP, owned: Owned) -> int | None:
        """Drop what was taken in since the last flush, once the database answers again.

        A step asks the database for the salt of a shop that is new.
        """
        begins = owned.runner.fence
        if await self._load(tp, owned.runner.topic_id) is None:
            self.started(tp, begins)
        return self.fence(tp)

    async def flush_due(self) -> dict[TP, int]:
        """Flush what has waited for long enough; returns where partitions must seek to."""
        return await self._flush_those(self._is_due)

    async def flush(self) -> None:
        """Flush all partitions."""
        await self._flush_those(lambda _: True)

    def _is_due(self, owned: Owned) -> bool:
        """Whether it has waited for long enough; its share of the free values decides."""
        free_values = max(1, FREE_VALUES // max(1, len(self._owned)))
        return owned.runner.is_due(owned.waited, free_values, self._flush)

    async def _flush_those(self, wanted: Callable[[Owned], bool]) -> dict[TP, int]:
        seeks = {}
        for tp, owned in list(self._owned.items()):
            async with owned.lock:
                if self._owned.get(tp) is owned and wanted(owned):
                    seek_to = await self._flush_owned(tp, owned)
                    if seek_to is not None:
                        seeks[tp] = seek_to
        return seeks

    def drop(self) -> None:
        """Forget all partitions; what is not flushed is read again by the next owner."""
        self._owned = {}
        self._metrics.ready(False)
        self._metrics.forget_all()

    async def _load(self, tp: TP, topic_id: str) -> int | None:
        step = self._step_of(tp.topic, tp.partition)
        place = PartitionId(step.name, tp.topic, tp.partition)
        stored = (await self.database.call(self._store.load, place)).serving(topic_id)
        runner = Partition(step, place, stored)
        self._owned[tp] = Owned(runner, asyncio.Lock(), time.monotonic())
        self._metrics.restored(*exported(runner), place)
        return stored.fence

    async def _flush_owned(self, tp: TP, owned: Owned) -> int | None:
        """One flush: commit, publish. Returns where to seek to if somebody else's fence won."""
        runner = owned.runner
        owned.flushed_at = time.monotonic()
        flush = runner.prepare(self._clock.now_ms())
        if flush is None:
            return None
        flush = self._without_shed(flush)
        self._reach("prepared")
        try:
            seconds = await self.database.call(self._commit, flush)
        except FenceLostError as error:
            logger.warning("%s; its state is dropped and loaded again", error)
            await self._load(tp, runner.topic_id)
            return self.fence(tp)
        self._reach("committed")
        messages = runner.committed(flush)
        self._metrics.committed(flush, seconds, len(messages))
        self.share = next_share(self.share, seconds, self._flush.slow / 1000)
        await self._publish(messages)
        self._reach("published")
        return None

    def _commit(self, flush: Flush) -> float:
        """Commit; returns the seconds that the database took, waits for it left aside."""
        begun = time.monotonic()
        self._store.commit(flush)
        return time.monotonic() - begun

    def _without_shed(self, flush: Flush) -> Flush:
        """The flush without the tap rows that a slow database is spared."""
        meters = getattr(self._owned_state(flush), "meters", None)
        if meters is not None:
            for tap, events in meters.withheld.items():
                self._metrics.withheld(tap, events)
            meters.withheld.clear()
        if self.share >= 1.0:
            return flush
        kept, dropped = shed(flush.rows, self.share, self._taps.current.held)
        for place, rows in dropped.items():
            self._metrics.shed(*place, rows)
        return msgspec.structs.replace(flush, rows=kept) if dropped else flush

    def _owned_state(self, flush: Flush) -> object:
        owned = self._owned.get(TP(flush.partition.topic, flush.partition.partition))
        return None if owned is None else owned.runner.state

    async def _ids_of(self, topics: set[str]) -> Mapping[str, str]:
        """Kafka's ids of the topics; while the broker is away, wait and ask again."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return await loop.run_in_executor(None, self._topic_ids, topics)
            except BrokerError as error:
                logger.error("partitions wait to be loaded: %s", error)  # noqa: TRY400  # its text says it all
                await asyncio.sleep(RETRY_SECONDS)
