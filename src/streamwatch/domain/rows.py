"""Rows for people with SQL; written in the flush transaction, with keys that repeat safely."""

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


Row = TapRow | RejectRow | StageRow | GroupRow | DistributionRow | VerdictRow | IncidentRow
