"""The slice consumer between a fetch and a rebalance, on a consumer thread that is scripted."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from aiokafka.structs import ConsumerRecord  # type: ignore[import-untyped]
from faust.types import TP

from streamwatch.adapters.kafka.driver import SliceApp, SliceConsumer
from streamwatch.domain.records import Slice
from streamwatch.runner.continuity import Admission, Continuity

PLACE = TP("widget-event", 0)


class LoadedFences:
    """The database says that partition 0 goes on at offset 40."""

    async def load(self, partitions: Iterable[TP]) -> Mapping[TP, int | None]:
        return dict.fromkeys(partitions, 40)

    def started(self, partition: TP, offset: int) -> None:
        raise AssertionError(partition, offset)

    def ends_at(self, partition: TP, offset: int) -> None:
        pass

    def fence(self, partition: TP) -> int | None:
        return 40 if partition == PLACE else None


def record_at(offset: int) -> Any:
    return ConsumerRecord(
        topic=PLACE.topic,
        partition=PLACE.partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=None,
        value=b"{}",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=2,
        headers=(),
    )


class ScriptedThread:
    """A broker with a log of 100 records, as the consumer's thread would give it."""

    def __init__(self) -> None:
        self.position = 0
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()

    async def getmany(self, active: object, timeout: float) -> Mapping[TP, Sequence[Any]]:  # noqa: ASYNC109, ARG002
        self.asked.set()
        await self.may_answer.wait()
        first, self.position = self.position, self.position + 10
        return {PLACE: [record_at(offset) for offset in range(first, self.position)]}

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        self.position = partitions[PLACE]

    def seek(self, partition: TP, offset: int) -> None:
        assert partition == PLACE
        self.position = offset

    def assignment(self) -> set[TP]:
        return {PLACE}

    def highwater(self, partition: TP) -> int:
        assert partition == PLACE
        return 100

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        return dict.fromkeys(partitions, 100)


def consumer_of(thread: ScriptedThread) -> SliceConsumer:
    app = SliceApp("unit", fences=LoadedFences(), broker="kafka://127.0.0.1:1")
    consumer = cast("SliceConsumer", app.consumer)
    consumer._thread = cast("Any", thread)  # the seam to the broker
    consumer._set_active_tps({PLACE})
    consumer.resume_flow()
    return consumer


async def next_fetch(consumer: SliceConsumer) -> list[Slice]:
    return [cast("Any", message).value async for _, message in consumer.getmany(timeout=1.0)]


async def offsets_of_next_fetch(consumer: SliceConsumer) -> list[int]:
    slices = await next_fetch(consumer)
    return [record.offset for slice_ in slices for record in slice_.records]


async def test_records_of_a_fetch_that_returns_before_the_flow_goes_on_are_fetched_again() -> None:
    thread = ScriptedThread()
    consumer = consumer_of(thread)
    under_way = asyncio.create_task(offsets_of_next_fetch(consumer))
    await thread.asked.wait()

    consumer.stop_flow()
    await consumer.perform_seek()
    thread.may_answer.set()
    assert await under_way == []
    consumer.resume_flow()

    assert await offsets_of_next_fetch(consumer) == list(range(40, 50))


async def test_a_fetch_that_returns_before_the_fences_are_known_moves_nothing() -> None:
    thread = ScriptedThread()
    consumer = consumer_of(thread)
    under_way = asyncio.create_task(offsets_of_next_fetch(consumer))
    await thread.asked.wait()

    consumer.stop_flow()
    thread.may_answer.set()
    assert await under_way == []
    await consumer.perform_seek()
    consumer.resume_flow()

    assert await offsets_of_next_fetch(consumer) == list(range(40, 50))
    assert await offsets_of_next_fetch(consumer) == list(range(50, 60))


async def test_records_of_a_fetch_under_way_when_the_guard_sought_back_are_no_gap() -> None:
    thread = ScriptedThread()
    consumer = consumer_of(thread)
    await consumer.perform_seek()
    guard = Continuity(40)
    hole = guard.admit(Slice(PLACE.topic, PLACE.partition, [record_at(60)]))
    assert hole.seek_to == 40
    under_way = asyncio.create_task(next_fetch(consumer))
    await thread.asked.wait()

    # What the fetch waits for may come from before or behind the place that is sought.
    await consumer.seek_back(PLACE, hole.seek_to)
    thread.may_answer.set()
    slices = [*await under_way, *await next_fetch(consumer)]

    admitted = [guard.admit(slice_) for slice_ in slices]
    assert [record.offset for one in admitted for record in one.records] == list(range(40, 50))
    assert sum(one.gaps for one in admitted) == 0


class Fetcher:
    """What Faust's loop of fetches is ended by."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        self._stopped.set()


async def test_slices_behind_a_seek_back_reach_the_guard_though_newer_ones_were_read() -> None:
    thread = ScriptedThread()
    thread.may_answer.set()
    consumer = consumer_of(thread)
    await consumer.perform_seek()
    thread.position = 60
    guard, fetcher, admitted = Continuity(40), Fetcher(), list[Admission]()

    async def take(message: Any) -> None:
        found = guard.admit(message.value)
        if found.seek_to is not None:
            await consumer.seek_back(PLACE, found.seek_to)
        admitted.append(found)
        if len(admitted) == 3:
            fetcher.stop()

    consumer.callback = take
    await asyncio.wait_for(consumer._drain_messages(cast("Any", fetcher)), 10)

    assert [record.offset for one in admitted for record in one.records] == list(range(40, 60))
    assert sum(one.gaps for one in admitted) == 0
