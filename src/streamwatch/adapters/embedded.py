"""The same pipeline without a broker: lines of a file in, COUNT, JUDGE and FLEET in turn."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec

from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.findings import did_you_mean
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC, Heartbeat, Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.errors import ConfigurationError
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Clock, Flush, Store
from streamwatch.steps.source import Source
from streamwatch.steps.stagetopic import step_of
from streamwatch.steps.step import Step

SLICE_RECORDS = 2_000
FLUSH_RECORDS = 20_000

_encode = msgspec.msgpack.Encoder().encode


class EmbeddedPipeline:
    """All three steps in one process; each topic has one partition, held in memory.

    A file that was read before goes on at its fence, since its records have the same offsets:
    their line's place among the lines of their topic. Another file is another epoch. Only the
    file that was read last is known.

    Args:
        sources: source topic → what COUNT runs on it.
        judge, fleet: the other two steps.
        store: the database.
        clock: the wall clock.
        file_id: names the file, as a topic's id names a topic.
        continues: whether the file of an earlier id has only grown since.
        committed: is told of every flush that is in the database.
    """

    def __init__(
        self,
        sources: Mapping[str, Source],
        judge: Step[Any],
        fleet: Step[Any],
        store: Store,
        clock: Clock,
        file_id: str,
        continues: Callable[[str], bool] = lambda _: False,
        committed: Callable[[Flush], None] = lambda _: None,
    ) -> None:
        self._sources = sources
        self._store = store
        self._clock = clock
        self._committed = committed
        same_file = cache(continues)
        self._counts = {
            topic: self._open(step_of(source, 0), topic, file_id, same_file)
            for topic, source in sources.items()
        }
        self._before = {
            topic: msgspec.structs.replace(runner.accounting)
            for topic, runner in self._counts.items()
        }
        self._judge = _Inner(self._open(judge, READINGS_TOPIC))
        self._fleet = _Inner(self._open(fleet, VERDICTS_TOPIC))
        self._offsets = dict.fromkeys(sources, 0)
        self._unflushed = 0
        for runner in self._counts.values():
            self._judge.queue(runner.announce(), READINGS_TOPIC)
        self._fleet.queue(self._judge.runner.announce(), VERDICTS_TOPIC)

    def feed(self, lines: Iterable[SourceLine], name: str = "input") -> None:
        """Take lines in, flushing now and then; call `finish` after the last.

        Args:
            lines: in the order of the file.
            name: the file's, for messages.

        Raises:
            ConfigurationError: a line's topic is no source.
        """
        waiting: dict[str, list[FileRecord]] = {topic: [] for topic in self._sources}
        for line in lines:
            records = waiting.get(line.topic)
            if records is None:
                raise ConfigurationError(
                    f"{name}:{line.line}: {no_source(line.topic, self._sources)}"
                )
            offset = self._offsets[line.topic]
            self._offsets[line.topic] = offset + 1
            records.append(FileRecord(offset, line.value, line.arrived_ms, line.key))
            if len(records) >= SLICE_RECORDS:
                self._count(line.topic, records)
                waiting[line.topic] = []
                if self._unflushed >= FLUSH_RECORDS:
                    self._count_all(waiting)
                    self.flush()
        self._count_all(waiting)

    def finish(self) -> dict[str, Accounting]:
        """Flush what is left, and say where every line of this run went, by topic."""
        self.flush()
        return {
            topic: _since(self._before[topic], runner.accounting)
            for topic, runner in self._counts.items()
        }

    def reached(self) -> int:
        """The arrival of the newest record that was read, milliseconds; 0 before the first."""
        arrivals: list[int] = [one.state.progress.arrival for one in self._counts.values()]
        return max(arrivals)

    def flush(self) -> None:
        """Flush COUNT, then let JUDGE and FLEET follow."""
        for runner in self._counts.values():
            self._judge.queue(self._flush(runner), READINGS_TOPIC)
        self._judge.queue(self._heartbeats(), READINGS_TOPIC)
        self._fleet.queue(self._advance(self._judge), VERDICTS_TOPIC)
        self._advance(self._fleet)
        self._unflushed = 0

    def _count_all(self, waiting: dict[str, list[FileRecord]]) -> None:
        for topic, records in waiting.items():
            if records:
                self._count(topic, records)
                waiting[topic] = []

    def _count(self, topic: str, records: Sequence[FileRecord]) -> None:
        slice_ = Slice(topic, 0, records)
        self._counts[topic].process(slice_, self._clock.now_ms())
        self._unflushed += len(records)

    def _heartbeats(self) -> list[Message]:
        """The file is read in one go, so every topic is as far as the newest line."""
        now = self._clock.now_ms()
        arrival = self.reached()
        beats = []
        for topic, runner in self._counts.items():
            if self._sources[topic].stage:
                continue
            name = self._sources[topic].event_type.name
            beat = Heartbeat(name, topic, 0, runner.fence, 0, arrival, now, runner.epoch)
            beats.append(Message(READINGS_TOPIC, None, _encode(beat)))
        return beats if arrival else []

    def _advance(self, inner: "_Inner") -> Sequence[Message]:
        slice_ = inner.next_slice()
        if slice_ is None:
            return ()
        inner.runner.process(slice_, self._clock.now_ms())
        return self._flush(inner.runner)

    def _flush(self, runner: Partition[Any]) -> Sequence[Message]:
        flush = runner.prepare(self._clock.now_ms())
        if flush is None:
            return ()
        self._store.commit(flush)
        self._committed(flush)
        return runner.committed(flush)

    def _open(
        self,
        step: Step[Any],
        topic: str,
        topic_id: str = "",
        same_file: Callable[[str], bool] = lambda _: False,
    ) -> Partition[Any]:
        place = PartitionId(step.name, topic, 0)
        stored = self._store.load(place)
        if stored.topic_id != topic_id and same_file(stored.topic_id):
            stored = msgspec.structs.replace(stored, topic_id=topic_id)
        return Partition(step, place, stored.serving(topic_id))


def no_source(topic: str, sources: Iterable[str]) -> str:
    """What is said of a topic that is none of the sources.

    >>> no_source("purchases", ["purchase", "return"])
    'no source has the topic `purchases`; did you mean `purchase`?'
    """
    return f"no source has the topic `{topic}`{did_you_mean(topic, sources)}"


def _since(before: Accounting, after: Accounting) -> Accounting:
    """What was counted between two moments."""
    names = Accounting.__struct_fields__
    differences = {name: getattr(after, name) - getattr(before, name) for name in names}
    offsets = {"first_offset": before.next_offset, "next_offset": after.next_offset}
    return Accounting(**{**differences, **offsets})


class _Inner:
    """An internal topic in memory, and the step that reads it."""

    def __init__(self, runner: Partition[Any]) -> None:
        self.runner = runner
        self._next_offset = runner.fence
        self._records: list[FileRecord] = []

    def queue(self, messages: Iterable[Message], topic: str) -> None:
        """Append the messages of this topic."""
        for message in messages:
            if message.topic == topic:
                self._records.append(FileRecord(self._next_offset, message.value))
                self._next_offset += 1

    def next_slice(self) -> Slice | None:
        """All that waits."""
        if not self._records:
            return None
        records, self._records = self._records, []
        return Slice(self.runner.id.topic, 0, records)
