"""The slice driver: Faust's consumer, but whole fetches per partition, and commits by fence.

Stock Faust moves each record through several tasks and queues of its own. Here an agent gets
one `Slice` with all records that a fetch returned for one partition. Rebalancing, consumer
groups and commits are still Faust's. These methods of its consumer are overridden; nobody
promises them, so the version is pinned and `tests/integration/test_slice_driver.py` fails
loudly if an upgrade changes them:

* ``getmany``: yields slices.
* ``_add_gap`` and ``_read_offset``: nothing to note, gaps and duplicates are the continuity
  guard's.
* ``ack``: only marks the message.
* ``_filter_tps_with_pending_acks`` and ``_new_offset``: the offset to commit is the fence in
  the database. So Kafka's committed offset follows it, for lag monitors only, and what an
  agent acknowledges, or fails to, cannot lose a record.
* ``seek_to_committed``: consumption starts at the fence, not at Kafka's committed offset.
* ``_new_consumer_thread``: its client leaves out the records of aborted transactions.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Protocol, cast

import faust
from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]
from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]
from faust.transport.drivers import aiokafka as faust_aiokafka
from faust.types import TP, Message
from mode.utils.futures import notify

from streamwatch.domain.records import Slice


class Fences(Protocol):
    """Where partitions stand, by the database."""

    async def load(self, partitions: Iterable[TP]) -> Mapping[TP, int | None]:
        """Load the partitions and say where each begins; ``None`` for one never read."""
        ...

    def started(self, partition: TP, offset: int) -> None:
        """A partition that was never read begins at this offset."""
        ...

    def ends_at(self, partition: TP, offset: int) -> None:
        """A partition's log ends at this offset now."""
        ...

    def fence(self, partition: TP) -> int | None:
        """The next offset that the database does not include; ``None`` if not owned."""
        ...


class _CommittedThread(faust_aiokafka.AIOKafkaConsumerThread):
    """Reads what was committed; Faust ties that to producing in transactions."""

    def _create_worker_consumer(self, transport: faust_aiokafka.Transport) -> AIOKafkaConsumer:
        made = super()._create_worker_consumer(transport)
        made._isolation_level = "read_committed"  # noqa: SLF001  there is no other way to it
        return made


class _NothingRead(dict[TP, int | None]):
    """Stands for the newest offsets that Faust read: there are none.

    Faust drops what lies before them, and notes them when a message was handed on, which may be
    after a seek back: then it would drop just what was sought.
    """

    def __getitem__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Nothing is noted."""


class SliceConsumer(faust_aiokafka.Consumer):
    """Faust's consumer with slices; see the module."""

    @property
    def _fences(self) -> Fences:
        return cast("SliceTransport", self.transport).fences

    def on_init(self) -> None:
        """Called by Faust for a new consumer, and after a restart."""
        super().on_init()
        self._read_offset = _NothingRead()
        self.generations: dict[TP, int] = {}
        self._next: dict[TP, int] = {}
        self._fetched_to: dict[TP, int] = {}

    def _new_consumer_thread(self) -> _CommittedThread:
        return _CommittedThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(  # the name and the parameter are Faust's
        self,
        timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[tuple[TP, Message]]:
        """One message per partition and fetch, whose value is the slice."""
        generations = dict(self.generations)
        records, active = await self._wait_next_records(timeout)
        group_generation = self.app.consumer_generation_id
        for fetched_from, fetched in (records or {}).items():
            if fetched:
                place = TP(fetched_from.topic, fetched_from.partition)
                self._fetched_to[place] = fetched[-1].offset + 1
        for fetched_from, fetched in (records or {}).items():
            if self.should_stop:
                return
            if not fetched:
                continue
            tp = TP(fetched_from.topic, fetched_from.partition)
            current = self.flow_active and group_generation == self.app.consumer_generation_id
            wanted = active is None or tp in active or tp in self._buffered_partitions
            generation = self.generations.get(tp, 0)
            sought = generation != generations.get(tp, 0)
            if sought or not (current and wanted):
                await self._fetch_again(tp)
                continue
            slice_ = Slice(
                topic=tp.topic,
                partition=tp.partition,
                records=fetched,
                generation=generation,
                end_offset=self.highwater(tp),
            )
            self._next[tp] = fetched[-1].offset + 1
            yield tp, self._slice_message(tp, slice_)

    def fetched_to(self, tp: TP) -> int:
        """The offset behind the last record that came from the broker, handed on or not yet."""
        return self._fetched_to.get(tp, 0)

    async def _fetch_again(self, tp: TP) -> None:
        """What was just fetched is not handed on: seek to where the next slice has to begin.

        A fetch that was under way during a rebalance may return after Faust has sought to the
        fences and before it lets the flow go on. Without another seek its records would be
        missing until something else is sent to the partition. Of a fetch that was under way
        when the guard sought back, nobody knows whether its records come from before that: taken
        for older ones and passed over, they would be a gap in the next slice.
        """
        wanted = self._next.get(tp)
        if wanted is not None and tp in self.assignment():
            # It may be revoked at any moment, in another thread; its next owner seeks then.
            with suppress(IllegalStateError):
                await self.seek(tp, wanted)

    def _slice_message(self, tp: TP, slice_: Slice) -> Message:
        message: Message = self._to_message(tp, slice_.records[-1])
        message.key = None
        carrier: Any = message
        carrier.value = slice_
        return message

    async def seek_back(self, tp: TP, offset: int) -> None:
        """Fetch again from an offset; slices from before carry a lower generation."""
        self.generations[tp] = self.generations.get(tp, 0) + 1
        self._next[tp] = offset
        await self.seek(tp, offset)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek every assigned partition to its fence in the database."""
        assigned = self.assignment()
        fences = dict(await self._fences.load(assigned))
        new = [tp for tp, fence in fences.items() if fence is None]
        if new:
            for tp, offset in (await self.earliest_offsets(*new)).items():
                place = TP(tp.topic, tp.partition)
                self._fences.started(place, offset)
                fences[place] = offset
        for tp, offset in (await self.highwaters(*fences)).items():
            self._fences.ends_at(TP(tp.topic, tp.partition), offset)
        starts = {tp: fence for tp, fence in fences.items() if fence is not None}
        self.generations.clear()
        self._next = dict(starts)
        self._fetched_to.clear()
        if starts:
            await self.seek_wait(starts)
        return starts

    def ack(self, message: Message) -> bool:
        """Note that an agent is done with a slice; what is committed does not depend on it."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)
        return True

    def waiting(self) -> Counter[str]:
        """Topic → slices that were fetched and that no agent is done with."""
        return Counter(message.topic for message in list(self._unacked_messages))

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing to do: see `runner.continuity`."""

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        assigned = self.assignment()
        return (tp for tp in assigned if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._fences.fence(tp)


class SliceTransport(faust_aiokafka.Transport):
    """Makes slice consumers, which find the fences here."""

    Consumer = SliceConsumer
    fences: Fences


class SliceApp(faust.App):
    """A Faust app whose agents get slices.

    Args:
        fences: where partitions stand.
    """

    def __init__(self, *arguments: Any, fences: Fences, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fences = fences

    def _new_transport(self) -> SliceTransport:
        transport = SliceTransport(self.conf.broker_consumer, self)
        transport.fences = self._fences
        return transport
