"""COUNT over one partition in memory, with everything that it gave."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

import msgspec
import pytest

from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.messages import READINGS_TOPIC, JudgeInput, Message, Partial
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import RejectRow, Row, TapRow, TapRows
from streamwatch.domain.settings import Settings
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.stagetopic import step_of
from streamwatch.steps.step import Settled

NOW = 1_788_256_800_000  # 2026-09-01, 10:00 UTC


class Counting:
    """One source partition: records in; rows, messages and state values out."""

    def __init__(
        self,
        settings: Settings,
        topic: str,
        taps: Sequence[TapSettings] = (),
        zone: tzinfo = UTC,
        states: Mapping[str, bytes] | None = None,
        **more: Any,
    ) -> None:
        sources = compile_sources(settings, taps, lambda _shop: zone, b"k" * 32, **more)
        self.step = step_of(sources[topic], 3)
        self.states = dict(states or {})
        self.state = self.step.restore(self.states)
        self.rows: list[Row] = []
        self.messages: list[Message] = []
        self.partials: dict[tuple[str, int], Partial] = {}
        self.offset = 0
        self.counts = (0, 0, 0)

    def feed(self, *values: bytes | None, arrived: int = NOW) -> None:
        """Take records in as one slice."""
        records = [
            FileRecord(self.offset + place, value, arrived, b"key")
            for place, value in enumerate(values)
        ]
        self.offset += len(records)
        outcome = self.step.process(self.state, Slice(self.step.source.topic, 3, records), NOW)
        self.rows += outcome.rows
        self.messages += outcome.messages
        found = (outcome.aggregated, outcome.rejected, outcome.dead_lettered)
        assert sum(found) == len(records)
        self.counts = tuple(map(sum, zip(self.counts, found, strict=True)))  # type: ignore[assignment]

    def settle(self) -> Settled:
        """A flush: its state values and partials are kept."""
        settled = self.step.settle(self.state, self.offset, 0, NOW)
        for key, value in settled.changes.items():
            if value is None:
                del self.states[key]
            else:
                self.states[key] = value
        for partial in map(partial_of, settled.messages):
            self.partials[partial.shop, partial.hour] = partial
        return settled

    def restart(self) -> None:
        """The worker dies; another one restores what was settled."""
        self.state = self.step.restore(self.states)

    @property
    def rejects(self) -> list[RejectRow]:
        return [row for row in self.rows if isinstance(row, RejectRow)]

    @property
    def taps(self) -> list[TapRow]:
        """The rows of taps, record by record along the journey."""
        stages = ["decode", *(name for name, _ in self.step.source.stages), "aggregate"]
        order = {name: place for place, name in enumerate(stages)}
        found = [row for rows in self.rows if isinstance(rows, TapRows) for row in rows]
        return sorted(found, key=lambda row: (row.offset, order.get(row.stage, 0)))

    def cells(self, shop: str, hour: int) -> Mapping[str, Cell]:
        return self.partials[shop, hour].cells

    def total(self, shop: str) -> int:
        """Records counted for a shop."""
        return sum(p.cells[ALL].count for (of, _), p in self.partials.items() if of == shop)


def partial_of(message: Message) -> Partial:
    assert message.topic == READINGS_TOPIC
    found: JudgeInput = msgspec.msgpack.decode(message.value, type=JudgeInput)
    assert isinstance(found, Partial)
    return found


@pytest.fixture
def counting() -> Callable[..., Counting]:
    """Makes COUNT for one topic of the settings."""

    def made(
        settings: Settings | None = None, topic: str = "widget-event", **more: Any
    ) -> Counting:
        return Counting(settings or Settings(), topic, **more)

    return made


@pytest.fixture
def widget() -> Callable[..., bytes]:
    """Makes a good widget event, changed as asked."""

    def made(**fields: Any) -> bytes:
        usual = {
            "event_id": "e-1", "shop": "shop-001", "time": NOW, "shopper": "zz-jane",
            "gender": "female", "height": 170.0,
        }  # fmt: skip
        return json.dumps(usual | fields).encode()

    return made
