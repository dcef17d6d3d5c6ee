"""The origin of a shift after a stage in another service: that service, or what it was given.

Such a stage stands beside the journey: it gets the records at some point, and its topic holds
what it made of them. So its mean (its missing rate, its mix) is compared with that after our last
stage. Where both moved together, the origin is that of the journey; where only the distance
between them moved, the service is at fault.
"""

from collections.abc import Callable

import msgspec

from streamwatch.diagnosis.normal import FeatureDay, FeatureNormal, Part, spread
from streamwatch.diagnosis.origin import Origin, undetermined
from streamwatch.diagnosis.services import mean_distance, missing_distance
from streamwatch.diagnosis.stages import (
    FINAL_DEVIATION,
    LEAST_DAYS,
    LEAST_SHIFT,
    LITTLE,
    MOST,
    STAGE_DEVIATION,
)
from streamwatch.domain.cells import ALL
from streamwatch.domain.readings import STAGE_SEGMENT, KpiKey

AT = "@"
"""Stands between a KPI or a feature and the service after which it was measured."""


class Distance(msgspec.Struct, frozen=True):
    """How far a service is from our last stage.

    Attributes:
        part: now and usually.
        departs: whether it is farther than it ever is.
    """

    part: Part
    departs: bool


def distance_of(
    normal: FeatureNormal, day: FeatureDay, stage: str, *, missing: bool = False
) -> Distance | None:
    """The distance of a feature's mean, or of the share that lacks it; ``None`` if unknown."""
    known, given = normal.services.get(stage), day.beside.get(stage)
    if known is None or given is None:
        return None
    level = known.missing if missing else known.mean
    now = (missing_distance if missing else mean_distance)(day.last, given)
    if now is None or not level.weight:
        return None
    scale = 1.0 if missing else abs(sum(one.mean for one in normal.means.values()))
    shift = now - level.mean
    deviation = shift / spread(level, normal, float(given.n + given.missing), scale)
    departs = (
        normal.days >= LEAST_DAYS
        and abs(deviation) >= STAGE_DEVIATION
        and abs(shift) >= LEAST_SHIFT * scale
    )
    return Distance(Part(stage, now, level.mean, deviation), departs)


def departing_elsewhere(normal: FeatureNormal, day: FeatureDay) -> list[Part]:
    """The services whose mean is farther from our last stage's than it ever is."""
    found = (distance_of(normal, day, stage) for stage in day.beside)
    return [one.part for one in found if one is not None and one.departs]


def origin_elsewhere(
    distance: Distance | None,
    stage: str,
    ours: Origin,
    journey: Callable[[], Origin],
    *,
    departs: bool = False,
) -> Origin:
    """Where a shift after a stage in another service came in.

    Args:
        distance: of the service from our last stage.
        stage: the service.
        ours: how far the same moved after our last stage, and by which of our stages.
        journey: its origin, if it departs there.
        departs: whether a verdict says that what the service gives is unusual.
    """
    if distance is None:
        return undetermined(f"what {stage} usually gives is not known yet")
    moved = distance.part.shift
    shift = ours.shift + moved
    parts = (*ours.parts, distance.part)
    if distance.departs:
        if abs(moved) < MOST * (abs(moved) + abs(ours.shift)):
            return undetermined(f"it moved before {stage} and in it", shift, parts)
        reason = (
            f"came in at {stage}: it is {distance.part.now:+.4g} from the value after our last "
            f"stage, usually {distance.part.usual:+.4g}"
        )
        return Origin(stage, reason, shift, parts)
    departs = departs or abs(distance.part.deviation) >= FINAL_DEVIATION
    if departs and abs(moved) <= LITTLE * abs(shift):
        again = journey()
        return Origin(again.name, f"{stage} got it so; {again.reason}", shift, parts)
    return undetermined(f"neither {stage} nor what it was given departs clearly", shift, parts)


def departing_name(key: KpiKey) -> str:
    """By what name a departing KPI is known when days are learned; empty for other segments.

    >>> departing_name(KpiKey("s", "return", "mean.quantity", "stage=refunds"))
    'mean.quantity@refunds'
    """
    if key.segment.startswith(STAGE_SEGMENT):
        return f"{key.kpi}{AT}{key.segment.removeprefix(STAGE_SEGMENT)}"
    return key.kpi if key.segment == ALL else ""
