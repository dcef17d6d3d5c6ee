"""A stream that is split, flushed, restarted and redelivered anywhere comes to the same."""

import json
import math
from collections.abc import Sequence
from datetime import UTC
from typing import Literal

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from streamwatch.domain.cells import Cell, Moments, Transition
from streamwatch.domain.messages import READINGS_TOPIC, JudgeInput, Message, Partial
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import Rule
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.errors import FenceLostError
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import Partition
from streamwatch.steps.count import CountStep
from streamwatch.steps.countstate import CountState
from streamwatch.steps.sources import compile_sources

NOW = 1_788_256_800_000
HOUR = 3_600_000
SETTINGS = Settings(
    rules=(Rule("size-range", "purchase", "quantity", range=(0, 50)),), horizon=3 * HOUR
)
TAPS = (TapSettings("some", "purchase", STAGES, sample=0.5),)
SOURCES = compile_sources(SETTINGS, TAPS, lambda _shop: UTC, b"k" * 32)
PLACE = PartitionId("count", "purchase", 0)
Deed = tuple[Literal["take", "again", "flush", "crash", "crash unpublished", "zombie"], int]

GOOD = st.fixed_dictionaries(
    {
        "event_id": st.integers(0, 99).map("e-{}".format),
        "shop": st.sampled_from(["s1", "s2", "s/3"]),
        "time": st.sampled_from([0, 1, 2, 3, 4, 5, 24]).map(lambda hour: NOW - hour * HOUR),
    },
    optional={
        "shopper": st.sampled_from(["zz-jane", "zz-joe"]),
        "gender": st.sampled_from(["f", "male", ""]),
        "quantity": st.integers(0, 60),
        "price": st.floats(0, 500),
        "currency": st.sampled_from(["EUR", "usd", "JPY"]),
    },
).map(lambda fields: json.dumps(fields).encode())
BAD = st.sampled_from(
    [
        None, b"junk", b"[1]", b"{}", b'{"event_id":"e","shop":"s1","time":"soon"}',
        b'{"event_id":"e","shop":"s4","time":4102444800}', b'{"event_id":"","shop":"s1"}',
        b'{"event_id":"e","shop":"s1","shop":"s2"}', b'{"event_id":"e","shop":"s2","price":"x"}',
        b'{"event_id":"e","shop":"s1","time":1788256800,"price":1e40}',
    ]
)  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> list[FileRecord]:
    """A partition's records: some bad, some offsets compacted away, some of unknown arrival."""
    values = draw(st.lists(st.one_of(GOOD, GOOD, GOOD, BAD), min_size=1, max_size=40))
    records, offset = [], 0
    for value in values:
        offset += draw(st.sampled_from([1, 1, 1, 1, 3]))
        arrived = draw(st.sampled_from([-1, NOW - HOUR, NOW]))
        records.append(FileRecord(offset, value, arrived, b"key"))
    return records


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "again", "flush", "crash", "crash unpublished", "zombie"]),
        st.integers(1, 12),
    ),
    max_size=25,
)


class World:
    """A broker, a database and the worker that owns the partition just now."""

    def __init__(self, records: list[FileRecord]) -> None:
        self.records = records
        self.store = MemoryStore()
        self.published: list[Message] = []
        self.generation = 0
        self.assign(back=0)

    def assign(self, back: int) -> None:
        """A worker takes the partition over; the consumer is somewhere at or before the fence."""
        self.worker = self.loaded()
        self.published += self.worker.announce()
        self.next = sum(record.offset < self.worker.fence for record in self.records)
        self.next = max(0, self.next - back)

    def loaded(self) -> Partition[CountState]:
        stored = self.store.load(PLACE)
        # A database promises no order.
        states = dict(reversed(list(stored.states.items())))
        stored = msgspec.structs.replace(stored, states=states)
        return Partition(CountStep(SOURCES["purchase"], 0), PLACE, stored)

    def take(self, count: int, worker: Partition[CountState] | None = None) -> None:
        records = self.records[self.next : self.next + count]
        if not records:
            return
        runner = worker or self.worker
        slice_ = Slice("purchase", 0, records, self.generation)
        seek_to = runner.process(slice_, NOW)
        if seek_to is not None:
            # The broker has nothing between there and the same records.
            first = next(i for i, record in enumerate(self.records) if record.offset >= seek_to)
            self.generation += 1
            self.next = first
            self.take(count, worker)
        elif worker is None:
            self.next += len(records)

    def flush(self, *, publishes: bool = True) -> None:
        prepared = self.worker.prepare(NOW)
        if prepared is None:
            return
        self.store.commit(prepared)
        messages = self.worker.committed(prepared)
        if publishes:
            self.published += messages
        assert self.store.accounting["purchase", 0].adds_up

    def zombie(self, count: int) -> None:
        """An owner of before wakes up after its heir has flushed: nothing of it stands."""
        zombie = self.loaded()
        self.take(count, zombie)
        if self.worker.unflushed:
            self.flush()
            late = zombie.prepare(NOW + 1)
            assert late is None or refused(self.store, late)

    def do(self, deed: Deed) -> None:
        name, count = deed
        if name == "take":
            self.take(count)
        elif name == "again":
            self.next = max(0, self.next - count)
        elif name == "flush":
            self.flush()
        elif name == "crash":
            self.assign(back=count % 5)
        elif name == "crash unpublished":
            self.flush(publishes=False)
            self.assign(back=count % 5)
        else:
            self.zombie(count)

    def finish(self) -> None:
        while self.next < len(self.records):
            self.take(len(self.records))
        self.flush()


def refused(store: MemoryStore, late: object) -> bool:
    try:
        store.commit(late)  # type: ignore[arg-type]
    except FenceLostError:
        return True
    return False


def run(records: list[FileRecord], deeds: Sequence[Deed]) -> World:
    world = World(records)
    for deed in deeds:
        world.do(deed)
    world.finish()
    return world


def final_cells(world: World) -> dict[tuple[str, int], Partial]:
    """The newest partial of each hour, as JUDGE keeps them."""
    kept: dict[tuple[str, int], Partial] = {}
    for message in world.published:
        if message.topic != READINGS_TOPIC:
            continue
        partial = msgspec.msgpack.decode(message.value, type=JudgeInput)
        assert isinstance(partial, Partial)
        known = kept.get((partial.shop, partial.hour))
        if known is None or partial.version > known.version:
            kept[partial.shop, partial.hour] = partial
        else:
            assert partial.version < known.version or partial.cells == known.cells
    return kept


def same(left: object, right: object) -> bool:
    """Equal; floats nearly, since sums of floats depend on their order."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-6)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, Cell | Moments | Transition):
        names = left.__struct_fields__
        return all(same(getattr(left, name), getattr(right, name)) for name in names)
    return left == right


def dead_letters(world: World) -> set[tuple[object, ...]]:
    found = [message for message in world.published if message.topic.endswith(".dlq")]
    return {(m.topic, m.key, m.value, m.headers) for m in found}


@given(records=streams(), deeds=DEEDS)
@example(
    records=[FileRecord(0, b"junk"), FileRecord(1, b"{}"), FileRecord(2, b"[1]")],
    deeds=[("take", 1), ("crash unpublished", 1), ("take", 1), ("crash", 4), ("flush", 1)],
)
def test_any_split_restart_and_redelivery_equals_one_run(
    records: list[FileRecord], deeds: list[Deed]
) -> None:
    once, many = run(records, []), run(records, deeds)

    assert many.store.rows == once.store.rows
    assert dead_letters(many) == dead_letters(once)

    left, right = final_cells(many), final_cells(once)
    assert left.keys() == right.keys()
    for place, partial in left.items():
        assert same(partial.cells, right[place].cells), place

    counts, plain = (world.store.accounting["purchase", 0] for world in (many, once))
    assert counts.adds_up
    assert plain.adds_up
    assert plain.duplicates == 0
    for name in ("next_offset", "aggregated", "rejected", "dead_lettered", "gaps"):
        assert getattr(counts, name) == getattr(plain, name), name


@given(streams())
def test_every_record_ends_in_exactly_one_place(records: list[FileRecord]) -> None:
    world = run(records, [])
    counts = world.store.accounting["purchase", 0]
    rejected = {key for key in world.store.rows if key[0] == "reject"}
    aggregated = sum(p.cells["all"].count for p in final_cells(world).values())
    assert counts.records_in == len(records)
    assert counts.aggregated == aggregated
    assert counts.rejected + counts.dead_lettered == len(rejected)
    assert counts.dead_lettered == len(dead_letters(world))
