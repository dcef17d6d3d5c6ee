"""Readings: one KPI of one shop and segment in one bucket."""

from typing import Literal

import msgspec

Span = Literal["hour", "day", "week", "month"]

STAGE_SEGMENT = "stage="
"""What begins the segment of the records that a stage in another service gave."""


class KpiKey(msgspec.Struct, frozen=True, order=True, gc=False):
    """Which number of which shop.

    Attributes:
        shop: the shop.
        kpi: ``volume``, ``silence``, ``mean.height``, ``mean.price.EUR``, ``mix.size``,
            ``missing.height``, ``rejects``, ``rejects.validate/wrong-type/height``, ``marks``,
            ``marks.height-implausible``, ``ratio.returns``, ``ratio.conversion``.
        event_type: the event type that it is taken from.
        segment: ``all``, a cut such as ``gender=female``, or ``stage=recommender`` for what a
            stage in another service gave.
        span: the bucket's length.
    """

    shop: str
    event_type: str
    kpi: str
    segment: str = "all"
    span: Span = "day"


class Place(msgspec.Struct, frozen=True, gc=False):
    """A bucket of a shop's events of one type: what all its readings have in common.

    Attributes:
        bucket, slot: as in `Reading`.
    """

    shop: str
    event_type: str
    bucket: int
    slot: int
    span: Span = "day"

    def key(self, kpi: str, segment: str = "all") -> KpiKey:
        """The key of a KPI in it."""
        return KpiKey(self.shop, self.event_type, kpi, segment, self.span)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """The number itself.

    Attributes:
        bucket: start of the bucket, milliseconds since 1970 UTC (a day starts at the
            shop's own midnight).
        slot: place in the season: weekday 0-6 for a day, hour of the week 0-167 for an hour, 0
            for a week or a month.
        value: a count for a volume, the mean in its unit for a mean, hits / n for a share, 0
            for a mix.
        n: how many records it rests on.
        variance: sample variance of the single values; 0 for a volume.
        hits: of a share: how many of the n.
        counts: of a mix: how many records have each value.
        bins: of a mean: the sketch of the single values, see `domain.sketch`.
    """

    key: KpiKey
    bucket: int
    slot: int
    value: float
    n: int
    variance: float = 0.0
    hits: int = 0
    counts: dict[str, int] = {}
    bins: dict[int, int] = {}
