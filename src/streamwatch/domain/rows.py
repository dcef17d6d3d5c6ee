"""Rows for people with SQL; written in the flush transaction, with keys that repeat safely."""

from collections.abc import Iterator, Sequence

import msgspec

from streamwatch.domain.cells import Group, Moments, Transition
from streamwatch.domain.incidents import Incident
from streamwatch.domain.verdicts import Verdict

Value = str | int | float | bool | None


class TapRow(msgspec.Struct, frozen=True, gc=False):
    """A copy of one record after one stage; key: event type, stage, topic, partition, offset.

    Attributes:
        occurred_at: event time, ``None`` before it is known; arrived_at: at the broker.
            Milliseconds since 1970 UTC.
        columns: the event's fields by name, identity gone.
        tap: the name of the tap that took it.
    """

    event_type: str
    stage: str
    topic: str
    partition: int
    offset: int
    event_id: str
    shop: str
    occurred_at: int | None
    arrived_at: int
    columns: dict[str, Value]
    tap: str
    epoch: int = 0

    def alone(self) -> "TapRows":
        """The same as rows of which there is one."""
        values = (self.offset, self.event_id, self.shop, self.occurred_at, self.arrived_at)
        return TapRows(
            self.event_type,
            self.stage,
            self.topic,
            self.partition,
            self.epoch,
            self.tap,
            tuple(self.columns),
            [(*values, *self.columns.values())],
        )


class TapRows(msgspec.Struct, frozen=True):
    """Copies of several records after one stage, taken by the same tap.

    A tap may copy every record, so a record is a tuple here, and what is the same for all of
    them stands once.

    Attributes:
        tap: the name of the tap that took them; of several, their names joined by commas.
        names: the names of the event's fields, identity gone.
        values: of each record its offset, event id, shop, event time and arrival, as in `TapRow`,
            and then a value for each of ``names``.
    """

    event_type: str
    stage: str
    topic: str
    partition: int
    epoch: int
    tap: str
    names: tuple[str, ...]
    values: Sequence[tuple[Value, ...]]

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[TapRow]:
        """One by one.

        >>> row = TapRow("return", "decode", "t", 0, 7, "e", "s", None, 5, {"size": "M"}, "all")
        >>> list(row.alone()) == [row]
        True
        """
        for offset, event_id, shop, occurred, arrived, *values in self.values:
            yield TapRow(
                self.event_type,
                self.stage,
                self.topic,
                self.partition,
                offset,  # type: ignore[arg-type]
                event_id,  # type: ignore[arg-type]
                shop,  # type: ignore[arg-type]
                occurred,  # type: ignore[arg-type]
                arrived,  # type: ignore[arg-type]
                dict(zip(self.names, values, strict=True)),
                self.tap,
                self.epoch,
            )


class RejectRow(msgspec.Struct, frozen=True, gc=False):
    """A refused record; key: topic, partition, offset. The payload is redacted."""

    topic: str
    partition: int
    offset: int
    event_type: str
    kind: str
    stage: str
    reason: str
    field: str
    event_id: str | None
    shop: str | None
    occurred_at: int | None
    arrived_at: int
    payload: str
    epoch: int = 0


class StageRow(msgspec.Struct, frozen=True):
    """Stage statistics of one closed bucket; key: all but the numbers."""

    shop: str
    event_type: str
    span: str
    bucket: int
    stage: str
    feature: str
    moments: Moments
    transition: Transition


class GroupRow(msgspec.Struct, frozen=True):
    """A feature among the records that share labels' values; key: all but the numbers."""

    shop: str
    event_type: str
    span: str
    bucket: int
    labels: str
    value: str
    feature: str
    group: Group
    change: Transition


class DistributionRow(msgspec.Struct, frozen=True):
    """A feature's sketch in one closed bucket, see `domain.sketch`; key: all but the bins."""

    shop: str
    event_type: str
    span: str
    bucket: int
    feature: str
    bins: dict[int, int]


class VerdictRow(msgspec.Struct, frozen=True):
    """A judged reading; key: the KPI's key and the bucket; a higher version replaces."""

    verdict: Verdict


class IncidentRow(msgspec.Struct, frozen=True):
    """An incident; key: its id; a higher revision replaces."""

    incident: Incident


OneRow = TapRow | RejectRow | StageRow | GroupRow | DistributionRow | VerdictRow | IncidentRow
Row = OneRow | TapRows
