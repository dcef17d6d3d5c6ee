"""Incidents: one lasting departure from normal."""

from typing import Literal

import msgspec

from streamwatch.domain.readings import KpiKey

Direction = Literal["low", "high"]
FLEET = "*"
"""Stands for the shop in an incident of many shops."""

Status = Literal["open", "closed"]


class Incident(msgspec.Struct, frozen=True):
    """A departure of one KPI of one shop in one direction.

    Attributes:
        id: ``shop/event type/kpi/segment/span/direction@first bucket``, stable over replays.
        key, direction: what departed, and where to.
        status: ``open`` or ``closed``.
        since: start of the first unusual bucket, milliseconds.
        until: start of the first usual bucket after it; ``None`` while open.
        last_bucket: the newest bucket that was judged.
        value, expected, lower, upper, score: of the worst bucket so far.
        buckets: how many buckets were unusual.
        reason: in words for a person.
        revision: counts the changes; higher replaces lower.
        updated_at: the judge's clock at the last change, milliseconds.
        origin, hypothesis, origin_reason: as in `Verdict`, of the worst bucket whose origin
            could be told.
        part_of: id of the incident that covers this one: of the fleet, or of another KPI of
            the shop; empty if it stands for itself.
        acknowledged: what a person said of it, see `domain.acknowledgements`; empty if nothing.
    """

    id: str
    key: KpiKey
    direction: Direction
    status: Status
    since: int
    until: int | None
    last_bucket: int
    value: float
    expected: float
    lower: float
    upper: float
    score: float
    buckets: int
    reason: str
    revision: int
    updated_at: int
    origin: str = ""
    hypothesis: str = ""
    origin_reason: str = ""
    part_of: str = ""
    acknowledged: str = ""

    @property
    def is_fleet(self) -> bool:
        """Whether it stands for many shops."""
        return self.key.shop == FLEET
