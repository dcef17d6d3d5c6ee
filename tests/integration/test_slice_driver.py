"""The slice driver on real Kafka, by itself: it fails loudly if Faust's consumer changes."""

import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import faust
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from faust.types import TP
from tests.integration.stage import wait_for

from streamwatch.adapters.kafka.driver import SliceApp
from streamwatch.adapters.kafka.sliceapp import AS_IT_IS
from streamwatch.adapters.kafka.topics import committed_offsets
from streamwatch.domain.records import Slice


class NotedFences:
    """Fences in memory, moved by the test's agent; and what was asked of them."""

    def __init__(self, fences: Mapping[TP, int | None] | None = None) -> None:
        self.fences: dict[TP, int | None] = dict(fences or {})
        self.loads: list[set[TP]] = []
        self.starts: dict[TP, int] = {}
        self.ends: dict[TP, int] = {}

    async def load(self, partitions: Iterable[TP]) -> Mapping[TP, int | None]:
        wanted = set(partitions)
        self.loads.append(wanted)
        return {tp: self.fences.get(tp) for tp in wanted}

    def started(self, partition: TP, offset: int) -> None:
        self.starts[partition] = offset

    def ends_at(self, partition: TP, offset: int) -> None:
        self.ends[partition] = offset

    def fence(self, partition: TP) -> int | None:
        return self.fences.get(partition)


class RunningApp:
    """A Faust app with one agent that notes slices, in a thread with a loop of its own."""

    def __init__(self, kafka: str, group: str, topic: str, fences: NotedFences) -> None:
        self.fences = fences
        self.slices: list[Slice] = []
        self.hold = False
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._args = (kafka, group, topic)
        self.app: SliceApp | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        kafka, group, topic = self._args
        asyncio.set_event_loop(self._loop)
        self.app = SliceApp(
            group,
            fences=self.fences,
            broker=f"kafka://{kafka}",
            broker_commit_interval=0.2,
            broker_max_poll_records=50,
            consumer_auto_offset_reset="earliest",
            stream_buffer_maxsize=4,
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            datadir=Path(tempfile.gettempdir()) / "streamwatch-faust",
            loop=self._loop,
        )
        source = self.app.topic(topic, value_serializer=AS_IT_IS, key_serializer="raw")
        self.app.agent(source, name="noting", concurrency=1)(self._agent)
        self._loop.run_until_complete(self.app.start())
        self._ready.set()
        self._loop.run_forever()

    async def _agent(self, stream: faust.types.StreamT[Slice]) -> None:
        async for event in stream.events():
            while self.hold:
                await asyncio.sleep(0.02)
            slice_: Slice = event.value
            self.slices.append(slice_)
            tp = TP(slice_.topic, slice_.partition)
            self.fences.fences[tp] = slice_.records[-1].offset + 1

    def seek_back(self, tp: TP, offset: int) -> None:
        assert self.app is not None
        call = self.app.consumer.seek_back(tp, offset)  # type: ignore[attr-defined]
        asyncio.run_coroutine_threadsafe(call, self._loop).result(10)

    def offsets(self, partition: int) -> list[int]:
        found = [one for one in self.slices if one.partition == partition]
        return [record.offset for slice_ in found for record in slice_.records]

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(60)

    def stop(self) -> None:
        assert self.app is not None
        asyncio.run_coroutine_threadsafe(self.app.stop(), self._loop).result(40)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)


@contextmanager
def running(kafka: str, group: str, topic: str, fences: NotedFences) -> Iterator[RunningApp]:
    app = RunningApp(kafka, group, topic, fences)
    app.start()
    try:
        yield app
    finally:
        app.stop()


def send(
    kafka: str, topic: str, values: Sequence[bytes], partition: int = 0, transactional: str = ""
) -> None:
    async def sending() -> None:
        options = {"transactional_id": transactional} if transactional else {}
        producer = AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5, **options)
        await producer.start()
        try:
            if transactional:
                async with producer.transaction():
                    for value in values:
                        await producer.send(topic, value, partition=partition)
            else:
                for value in values:
                    await producer.send(topic, value, partition=partition)
                await producer.flush()
        finally:
            await producer.stop()

    asyncio.run(sending())


@pytest.fixture
def group(topic_name: Callable[[str], str]) -> str:
    return topic_name("group")


def test_an_agent_gets_whole_fetches_that_continue_and_commits_follow_the_fence(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("slices", partitions=2)
    for partition in (0, 1):
        send(kafka, topic, [b"x"] * 500, partition)
    fences = NotedFences()
    with running(kafka, group, topic, fences) as app:
        wait_for(lambda: sum(len(one.records) for one in app.slices) == 1_000, "all records")
        for partition in (0, 1):
            assert app.offsets(partition) == list(range(500))
        assert len(app.slices) < 1_000 / 10, "records come in slices, not one by one"
        ends = {(topic, 0): 500, (topic, 1): 500}
        wait_for(lambda: committed_offsets(kafka, group) == ends, "commits reach the fences")
    assert fences.starts == {TP(topic, 0): 0, TP(topic, 1): 0}
    assert fences.ends == {TP(topic, 0): 500, TP(topic, 1): 500}


def test_the_fence_decides_where_to_start_and_not_the_committed_offset(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("start")
    send(kafka, topic, [b"x"] * 100)
    with running(kafka, group, topic, NotedFences()) as app:
        wait_for(lambda: len(app.offsets(0)) == 100, "all records")
        wait_for(lambda: committed_offsets(kafka, group) == {(topic, 0): 100}, "the commit")
    restored = NotedFences({TP(topic, 0): 40})
    with running(kafka, group, topic, restored) as app:
        wait_for(lambda: len(app.offsets(0)) == 60, "the records from the fence on")
        assert app.offsets(0) == list(range(40, 100))


def test_an_offset_is_committed_only_when_its_fence_moved(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("held")
    send(kafka, topic, [b"x"] * 100)
    fences = NotedFences()
    with running(kafka, group, topic, fences) as app:
        wait_for(lambda: len(app.offsets(0)) == 100, "all records")
        fences.fences[TP(topic, 0)] = 100
        wait_for(lambda: committed_offsets(kafka, group) == {(topic, 0): 100}, "the commit")
        app.hold = True
        send(kafka, topic, [b"x"] * 10)
        send(kafka, topic, [b"y"] * 10)
        assert committed_offsets(kafka, group) == {(topic, 0): 100}
        app.hold = False
        wait_for(lambda: committed_offsets(kafka, group) == {(topic, 0): 120}, "the commit")


def test_after_a_seek_back_slices_carry_a_higher_generation(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("seek")
    send(kafka, topic, [b"x"] * 30)
    with running(kafka, group, topic, NotedFences()) as app:
        wait_for(lambda: len(app.offsets(0)) == 30, "all records")
        app.seek_back(TP(topic, 0), 10)
        wait_for(lambda: app.offsets(0)[-1] == 29 and len(app.offsets(0)) == 50, "again from 10")
        assert app.offsets(0)[30:] == list(range(10, 30))
        assert {one.generation for one in app.slices if one.records[0].offset == 10} == {1}
        assert app.slices[0].generation == 0


def test_transaction_markers_are_holes_that_pass(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("transactions")
    for _ in range(3):
        # One producer id for all: its next transaction waits for the marker of the one before.
        send(kafka, topic, [b"x"] * 5, transactional=group)
    with running(kafka, group, topic, NotedFences()) as app:
        wait_for(lambda: len(app.offsets(0)) == 15, "all records")
        assert app.offsets(0) == [*range(5), *range(6, 11), *range(12, 17)]


def test_a_full_queue_pauses_a_partition_and_loses_nothing(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("pressure")
    send(kafka, topic, [b"x"] * 2_000)
    with running(kafka, group, topic, NotedFences()) as app:
        app.hold = True
        send(kafka, topic, [b"y"] * 2_000)
        app.hold = False
        wait_for(lambda: len(app.offsets(0)) >= 4_000, "all records")
        assert app.offsets(0) == list(range(4_000))


def test_a_second_member_gets_a_share_and_a_stopped_one_gives_it_back(
    kafka: str, new_topic: Callable[..., str], group: str
) -> None:
    topic = new_topic("members", partitions=4)
    first_fences, second_fences = NotedFences(), NotedFences()
    with running(kafka, group, topic, first_fences) as first:
        wait_for(lambda: first_fences.loads[-1:] == [_all(topic)], "the first has all")
        with running(kafka, group, topic, second_fences):
            wait_for(
                lambda: bool(second_fences.loads) and len(second_fences.loads[-1]) == 2, "a share"
            )
            wait_for(lambda: len(first_fences.loads[-1]) == 2, "the first gives a share away")
            assert first_fences.loads[-1] | second_fences.loads[-1] == _all(topic)
        wait_for(lambda: first_fences.loads[-1] == _all(topic), "the first has all again")
        for partition in range(4):
            send(kafka, topic, [b"x"] * 10, partition)
        wait_for(lambda: sum(len(one.records) for one in first.slices) >= 40, "all records")


def _all(topic: str) -> set[TP]:
    return {TP(topic, partition) for partition in range(4)}


def test_the_pinned_version_is_the_one_whose_methods_are_overridden() -> None:
    assert faust.__version__ == "0.15.3"
