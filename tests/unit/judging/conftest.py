"""A small company in memory: partials and heartbeats in, verdicts and incidents out."""

from datetime import UTC, tzinfo

import msgspec
import pytest

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import Heartbeat, Message, Partial
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import IncidentRow, StageRow, VerdictRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps.fleet import FleetStep
from streamwatch.steps.judge import JudgeStep

MONDAY = 1_704_067_200_000  # 2024-01-01, midnight UTC
DEFAULT = JudgingSettings()


class Company:
    """Runs JUDGE and FLEET one after the other, as the runner does with real topics."""

    def __init__(self, settings: JudgingSettings = DEFAULT, zone: tzinfo = UTC) -> None:
        self.judge = JudgeStep(settings, lambda _shop: zone)
        self.fleet = FleetStep(settings)
        self.judge_state = self.judge.restore({})
        self.fleet_state = self.fleet.restore({})
        self.verdicts: list[Verdict] = []
        self.stages: list[StageRow] = []
        self.incidents: dict[str, Incident] = {}
        self.judge_stored: dict[str, bytes] = {}
        self.fleet_stored: dict[str, bytes] = {}
        self.offset = 0
        self.now = 0

    def tell(self, value: bytes) -> None:
        self.offset += 1
        records = (FileRecord(offset=self.offset, value=value),)
        outcome = self.judge.process(self.judge_state, Slice("readings", 0, records), 0)
        self.verdicts += [row.verdict for row in outcome.rows if isinstance(row, VerdictRow)]
        self.stages += [row for row in outcome.rows if isinstance(row, StageRow)]
        self.tell_fleet(outcome.messages)

    def tell_fleet(self, messages: list[Message]) -> None:
        for message in messages:
            records = (FileRecord(offset=0, value=message.value),)
            outcome = self.fleet.process(self.fleet_state, Slice("verdicts", 0, records), 0)
            for row in outcome.rows:
                assert isinstance(row, IncidentRow)
                self.incidents[row.incident.id] = row.incident

    def send(
        self,
        shop: str,
        hour: int,
        count: int,
        *,
        event_type: str = "widget-event",
        height: Moments | None = None,
        segments: dict[str, Cell] | None = None,
        bins: dict[int, int] | None = None,
        version: int | None = None,
    ) -> bytes:
        """COUNT's partial for an hour."""
        numbers = {"height": height} if height else {}
        arrived = max(self.now, hour + HOUR_MS - 1)
        everything = Cell(count=count, numbers=numbers, first_arrival=arrived, last_arrival=arrived)
        everything.sketches = {"height": bins} if bins else {}
        cells = {ALL: everything, **(segments or {})}
        version = self.offset if version is None else version
        partial = Partial(event_type, event_type, 0, shop, hour, version, hour, cells)
        value = msgspec.msgpack.encode(partial)
        self.tell(value)
        return value

    def beat(
        self, clock: int, *, event_type: str = "widget-event", lag: int = 0, partition: int = 0
    ) -> None:
        """COUNT's heartbeat; sent at the moment of its clock."""
        self.now = max(self.now, clock)
        beat = Heartbeat(event_type, event_type, partition, self.offset, lag, clock, clock)
        self.tell(msgspec.msgpack.encode(beat))

    def day(self, number: int, shops: dict[str, int], height: float | None = None) -> None:
        """A whole day of some shops, all at noon, and the heartbeat that closes it."""
        start = MONDAY + number * DAY_MS
        for shop, count in shops.items():
            moments = Moments(count, height, 100.0 * (count - 1)) if height and count else None
            if count:
                self.send(shop, start + 12 * HOUR_MS, count, height=moments)
        self.beat(start + DAY_MS + 2 * HOUR_MS)

    def restart(self) -> None:
        """Store both states and read them again, as after a crash."""
        self.judge_stored = changed(
            self.judge_stored, self.judge.settle(self.judge_state, 0, 0, 0).changes
        )
        self.fleet_stored = changed(
            self.fleet_stored, self.fleet.settle(self.fleet_state, 0, 0, 0).changes
        )
        self.judge_state = self.judge.restore(self.judge_stored)
        self.fleet_state = self.fleet.restore(self.fleet_stored)

    def of(self, kpi: str, shop: str = "shop-001", *, segment: str = ALL) -> list[Verdict]:
        """The newest day verdict of each bucket of a KPI, by bucket."""
        newest: dict[int, Verdict] = {}
        for verdict in self.verdicts:
            key = verdict.key
            if (key.shop, key.kpi, key.segment, key.span) == (shop, kpi, segment, "day"):
                newest[verdict.bucket] = verdict
        return [newest[bucket] for bucket in sorted(newest)]


def changed(stored: dict[str, bytes], changes: dict[str, bytes | None]) -> dict[str, bytes]:
    together = stored | changes
    return {key: value for key, value in together.items() if value is not None}


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def new_company() -> type[Company]:
    return Company
