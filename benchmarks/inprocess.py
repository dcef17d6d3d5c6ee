"""The three steps on the runner in one process, without a broker, flushed as the worker does it.

What is measured here is what the steps and the database cost; `throughput` adds Kafka and Faust.
Time is the events' own arrival, so that a run is as fast as it can be and flushes as a worker
would at that rate.
"""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import msgspec

from streamwatch.adapters.kafka.owned import FREE_VALUES
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC, Heartbeat, Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import FlushSettings, Settings
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.errors import FenceLostError
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Flush, Store, Stored
from streamwatch.steps.count import CountStep
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.sources import compile_sources
from streamwatch.taps.recorder import Recorder

TOPIC = "widget-event"
SLICE = 4_000

_encode = msgspec.msgpack.Encoder().encode


class NoStore:
    """Keeps fences and nothing else, so that only the steps' memory grows."""

    def __init__(self) -> None:
        self._fences: dict[PartitionId, int] = {}

    def load(self, partition: PartitionId) -> Stored:
        """Nothing is ever stored."""
        del partition
        return Stored(None, 0, "", {}, None)

    def commit(self, flush: Flush) -> None:
        """Move the fence."""
        if self._fences.get(flush.partition) != flush.fence_old:
            raise FenceLostError(str(flush.partition))
        self._fences[flush.partition] = flush.fence_new


class Owned(msgspec.Struct):
    """A partition, what waits for it, and when it was flushed."""

    runner: Partition[Any]
    waiting: list[FileRecord]
    offset: int = 0
    flushed_ms: int = 0


class Pipeline:
    """COUNT on some partitions, JUDGE and FLEET.

    Attributes:
        owned: partitions among which a worker's free values are shared.
        cpu: processor seconds by what was done.
        size: bytes and values written, by kind.
    """

    def __init__(
        self,
        partitions: int = 4,
        settings: Settings | None = None,
        store: Store | None = None,
        flush: FlushSettings | None = None,
        owned: int | None = None,
        taps: Sequence[TapSettings] = (),
        recorder: Recorder | None = None,
    ) -> None:
        settings = settings or Settings()
        self.flush_settings = flush or settings.flush
        self._store = store or NoStore()
        source = compile_sources(settings, taps, lambda _: UTC, b"k" * 32, recorder=recorder)[TOPIC]
        self.counts = [
            self._open(CountStep(source, number), TOPIC, number) for number in range(partitions)
        ]
        self.judge = self._open(JudgeStep(settings.judging, lambda _: UTC), READINGS_TOPIC, 0)
        self.fleet = self._open(FleetStep(settings.judging), VERDICTS_TOPIC, 0)
        self.owned = owned or partitions + 2
        self._owners: dict[str, Owned] = {}
        self.cpu: Counter[str] = Counter()
        self.size: Counter[str] = Counter()

    def _open(self, step: Any, topic: str, number: int) -> Owned:
        place = PartitionId(step.name, topic, number)
        return Owned(Partition(step, place, self._store.load(place)), [])

    def feed(self, events: Iterable[tuple[int, str, bytes]]) -> None:
        """Take events in the order of their arrival; each shop belongs to one partition."""
        looked = 0
        owners = self._owners
        for at, shop, value in events:
            owned = owners.get(shop)
            if owned is None:
                owned = owners[shop] = self.counts[len(owners) % len(self.counts)]
            owned.waiting.append(FileRecord(owned.offset, value, at, b"k"))
            owned.offset += 1
            if len(owned.waiting) >= SLICE:
                self._take(owned, at)
            if at - looked >= self.flush_settings.interval:
                looked = at
                self.look(at)

    def look(self, at: int, *, everything: bool = False) -> None:
        """Flush what is due, as a worker does every interval; JUDGE and FLEET follow."""
        for owned in self.counts:
            self._take(owned, at)
            if everything or self._due(owned, at):
                self._queue(self.judge, READINGS_TOPIC, self._flush(owned, at))
        self._queue(self.judge, READINGS_TOPIC, [self._beat(number, at) for number in self._live()])
        for inner, outer in ((self.judge, self.fleet), (self.fleet, None)):
            self._take(inner, at)
            if everything or self._due(inner, at):
                messages = self._flush(inner, at)
                if outer is not None:
                    self._queue(outer, VERDICTS_TOPIC, messages)

    def _live(self) -> list[int]:
        return [number for number, owned in enumerate(self.counts) if owned.offset]

    def _beat(self, number: int, at: int) -> Message:
        owned = self.counts[number]
        clock = owned.runner.state.settled_arrival
        beat = Heartbeat(TOPIC, TOPIC, number, owned.runner.fence, 0, clock, at)
        return Message(READINGS_TOPIC, None, _encode(beat))

    def _due(self, owned: Owned, at: int) -> bool:
        free_values = max(1, FREE_VALUES // self.owned)
        return owned.runner.is_due(at - owned.flushed_ms, free_values, self.flush_settings)

    def _take(self, owned: Owned, at: int) -> None:
        if not owned.waiting:
            return
        taken, owned.waiting = owned.waiting, []
        begun = time.process_time()
        owned.runner.process(Slice(owned.runner.id.topic, owned.runner.id.partition, taken), at)
        self.cpu[f"{owned.runner.id.step} process"] += time.process_time() - begun

    def _flush(self, owned: Owned, at: int) -> list[Message]:
        step = owned.runner.id.step
        owned.flushed_ms = at
        begun = time.process_time()
        flush = owned.runner.prepare(at)
        middle = time.process_time()
        self.cpu[f"{step} settle"] += middle - begun
        if flush is None:
            return []
        self._store.commit(flush)
        messages = list(owned.runner.committed(flush))
        self.cpu[f"{step} commit"] += time.process_time() - middle
        self.size["flushes"] += 1
        self.size["state values"] += len(flush.changes)
        self.size["state bytes"] += sum(
            len(key) + len(value or b"") for key, value in flush.changes.items()
        )
        self.size["rows"] += len(flush.rows)
        self.size["messages"] += len(messages)
        self.size["message bytes"] += sum(len(one.key or b"") + len(one.value) for one in messages)
        return messages

    def _queue(self, inner: Owned, topic: str, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.topic == topic:
                inner.waiting.append(FileRecord(inner.offset, message.value))
                inner.offset += 1
