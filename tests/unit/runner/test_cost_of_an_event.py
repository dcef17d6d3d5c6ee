"""What an event costs, in executed bytecodes, which no other load on the machine can change.

A bound that is passed is a cost that every event pays: find what was added to its way, and raise
the bound only if it is worth that. One bytecode takes about 15 ns, so ten of them are a percent
or two of the throughput. NumPy's work and the C of msgspec are not seen; `make bench` sees them.
"""

import sys
from collections.abc import Callable
from datetime import UTC
from types import FrameType
from typing import Any

import msgspec
import pytest

from streamwatch.domain.messages import Heartbeat, Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import JudgingSettings, Settings
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import Partition
from streamwatch.steps.abreast import FEWEST
from streamwatch.steps.count import CountStep
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.sources import compile_sources

NOW = 1_788_256_800_000
SHOPS = 5


def executed(call: Callable[[], object]) -> int:
    """How many bytecodes a call executes."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        del argument
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def records(first: int, count: int, shops: int = SHOPS) -> list[FileRecord]:
    """Sound widget events, all within an hour."""
    made = []
    for number in range(first, first + count):
        event = {
            "event_id": f"event-{number:08d}", "shop": f"shop-{number % shops:03d}",
            "time": f"2026-09-01T10:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
            "shopper": f"u-{number % 97}@shop.example", "product": f"dress-{number % 90}",
            "category": ("dresses", "shoes")[number % 2], "gender": ("female", "male")[number % 2],
            "height": 150.0 + number % 40, "height_unit": "cm", "weight": 50.0 + number % 30,
            "weight_unit": "kg", "age": 20.0 + number % 50, "recommended_size": "M",
            "fit_preference": "loose", "app_version": "5.0.0",
        }  # fmt: skip
        made.append(FileRecord(number, msgspec.json.encode(event), NOW + number, b"k"))
    return made


class Counting:
    """One partition of COUNT whose shops are known already."""

    def __init__(self, taps: tuple[TapSettings, ...] = (), shops: int = SHOPS) -> None:
        source = compile_sources(Settings(), taps, lambda _: UTC, b"k" * 32)["widget-event"]
        self._store = MemoryStore()
        place = PartitionId("count", "widget-event", 0)
        self._partition = Partition(CountStep(source, 0), place, self._store.load(place))
        self._shops = shops
        self.take(10 * shops)

    def take(self, count: int) -> list[Message]:
        """Take events in and flush; returns the messages."""
        taken = records(self._partition.fence, count, self._shops)
        assert self._partition.process(Slice("widget-event", 0, taken), NOW) is None
        flush = self._partition.prepare(NOW)
        assert flush is not None
        self._store.commit(flush)
        return list(self._partition.committed(flush))


def of_an_event(counting: Callable[[], Counting]) -> float:
    """Bytecodes of each event beyond what a flush costs anyway."""
    few, many = counting(), counting()
    return (executed(lambda: many.take(600)) - executed(lambda: few.take(100))) / 500


def of_an_event_by_itself() -> float:
    """Bytecodes of each event of slices that are too small to be taken abreast."""
    few, many = Counting(), Counting()
    slices = range(4)
    more, less = FEWEST - 8, FEWEST - 38
    large = executed(lambda: [many.take(more) for _ in slices])
    small = executed(lambda: [few.take(less) for _ in slices])
    return (large - small) / len(slices) / (more - less)


def of_a_cell() -> float:
    """Bytecodes of each cell that a flush has to write, besides its events."""
    few, many = Counting(shops=20), Counting(shops=100)
    return (executed(lambda: many.take(400)) - executed(lambda: few.take(400))) / 80


class Judging:
    """JUDGE, which knows the shops already."""

    def __init__(self) -> None:
        place = PartitionId("judge", "streamwatch.readings", 0)
        step = JudgeStep(JudgingSettings(), lambda _: UTC)
        self._partition = Partition(step, place, MemoryStore().load(place))
        self._counting = Counting(shops=60)
        self.take(self.partials())

    def partials(self) -> list[Message]:
        """The partial readings of another flush of COUNT."""
        return self._counting.take(120)

    def take(self, partials: list[Message]) -> None:
        """Take partial readings and a heartbeat in, and flush."""
        beat = Heartbeat("widget-event", "widget-event", 0, 1, 0, NOW, NOW)
        values = [*(one.value for one in partials), msgspec.msgpack.encode(beat)]
        begin = self._partition.fence
        taken = [FileRecord(begin + number, value) for number, value in enumerate(values)]
        assert self._partition.process(Slice("streamwatch.readings", 0, taken), NOW) is None
        flush = self._partition.prepare(NOW)
        assert flush is not None
        self._partition.committed(flush)


def of_a_partial() -> float:
    """Bytecodes of each partial reading that JUDGE takes in, without a verdict."""
    few, many = Judging(), Judging()
    some, all_of_them = few.partials()[:10], many.partials()
    return (executed(lambda: many.take(all_of_them)) - executed(lambda: few.take(some))) / 50


def tapped() -> Counting:
    """COUNT with a tap of one event in a hundred after every stage."""
    stages = ("decode", "validate", "normalise", "pseudonymise", "segment", "aggregate")
    return Counting((TapSettings("t", "widget-event", stages, sample=0.01),))


@pytest.mark.parametrize(
    ("cost", "bound"),
    [
        (lambda: of_an_event(Counting), 215),
        (lambda: of_an_event(tapped), 235),
        (of_an_event_by_itself, 980),
        (of_a_cell, 3_150),
        (of_a_partial, 850),
    ],
    ids=[
        "event",
        "event with taps of 1 %",
        "event by itself",
        "cell at a flush",
        "partial reading",
    ],
)
def test_nothing_was_added_to_the_way_of(cost: Callable[[], float], bound: int) -> None:
    assert cost() <= bound
