"""What is normal for one feature at every stage, learned from usual days.

A day's mean after the last stage is its mean after the first one plus what each stage added:
``final = decode + (validate - decode) + … + (segment - pseudonymise)``. The parts are learned
each on its own. A stage that leaves values alone always adds nothing, however much the mean
itself varies, so a fault in it stands out long before the mean does.
"""

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise

import msgspec

from streamwatch.diagnosis.level import KEEP, SKETCH_DAYS, Level, added
from streamwatch.diagnosis.services import ServiceNormal, learn_services
from streamwatch.domain.cells import Cell, Moments, Transition
from streamwatch.domain.refusals import STAGES

_ROUNDING = 1e-7
"""Relative differences below this are rounding."""


class FeatureDay(msgspec.Struct, frozen=True):
    """One feature in one bucket.

    Attributes:
        stages: stage → moments after it, in the order of the stages.
        changes: stage → what it changed.
        sketch: of the counted values, see `domain.sketch`; empty when unknown.
        beside: stage in another service → moments of what its topic holds; it is not a part of
            the journey.
        beside_sketches: likewise the sketches of its values.
    """

    stages: dict[str, Moments]
    changes: dict[str, Transition] = {}
    sketch: dict[int, int] = {}
    beside: Mapping[str, Moments] = {}
    beside_sketches: Mapping[str, dict[int, int]] = {}

    @property
    def first(self) -> Moments:
        """After the first stage: as the client declared it."""
        return next(iter(self.stages.values()), Moments())

    @property
    def last(self) -> Moments:
        """After the last stage: what is judged."""
        return self.stages[next(reversed(self.stages))] if self.stages else Moments()


class FeatureNormal(msgspec.Struct, frozen=True):
    """The usual days of one feature.

    Attributes:
        days: effective number of them.
        records: records of such a day.
        means: stage → for the first the mean, for the others what they add to it.
        missing: likewise for the share of records that lack the value.
        kept: stage → share of the records of the stage before that passed it.
        recent, older: sketches of the counted values of the last days, and of those before.
        recent_days: days in ``recent``.
        left_out: days in a row that were not learned.
        services: stage in another service → what is usual after it.
    """

    days: float = 0.0
    records: float = 0.0
    means: dict[str, Level] = {}
    missing: dict[str, Level] = {}
    kept: dict[str, Level] = {}
    recent: dict[int, int] = {}
    older: dict[int, int] = {}
    recent_days: int = 0
    left_out: int = 0
    services: dict[str, ServiceNormal] = {}

    @property
    def sketch(self) -> dict[int, int]:
        """The distribution of the usual values."""
        return added(self.older, self.recent)


class Part(msgspec.Struct, frozen=True):
    """What one stage contributes to a departure.

    Attributes:
        stage: its name.
        now, usual: of the first stage the level itself, of the others what they add.
        deviation: ``now - usual`` in standard deviations of such a day.
    """

    stage: str
    now: float
    usual: float
    deviation: float

    @property
    def shift(self) -> float:
        """What the stage contributes to the departure of the final value."""
        return self.now - self.usual


def feature_day(cell: Cell, feature: str) -> FeatureDay:
    """A feature's part of a bucket's cell of all records."""
    present = [stage for stage in ordered(cell.stages) if feature in cell.stages[stage]]
    return FeatureDay(
        stages={stage: cell.stages[stage][feature] for stage in present},
        changes={
            stage: changes[feature]
            for stage, changes in cell.transitions.items()
            if feature in changes
        },
        sketch=cell.sketches.get(feature, {}),
        beside={
            stage: features[feature]
            for stage, features in cell.beside.items()
            if feature in features
        },
        beside_sketches={
            stage: features[feature]
            for stage, features in cell.beside_sketches.items()
            if feature in features
        },
    )


def ordered(stages: Iterable[str]) -> list[str]:
    """Stages in the order of the journey; stages of the user's own stay where they stood.

    >>> ordered({"segment": 1, "decode": 2})
    ['decode', 'segment']
    """
    given = list(stages)
    if any(stage not in STAGES for stage in given):
        return given
    return sorted(given, key=STAGES.index)


def completed(day: FeatureDay, normal: FeatureNormal) -> FeatureDay:
    """The day with every stage that the normal knows: what no record reached has no moments."""
    if not day.stages or day.stages.keys() >= normal.missing.keys():
        return day
    stages = {stage: day.stages.get(stage, Moments()) for stage in normal.missing}
    return msgspec.structs.replace(day, stages=stages)


def learn_day(normal: FeatureNormal, day: FeatureDay) -> FeatureNormal:
    """The normal after one more usual day; a day without values teaches nothing."""
    records = day.first.n + day.first.missing
    if not records or not day.last.n:
        return normal
    days = KEEP * normal.days + 1
    full = normal.recent_days >= SKETCH_DAYS
    return FeatureNormal(
        days=days,
        records=normal.records + (records - normal.records) / days,
        means=_learned(normal.means, mean_parts(day), records),
        missing=_learned(normal.missing, missing_parts(day), records),
        kept=_learned(normal.kept, kept_shares(day), records),
        recent=dict(day.sketch) if full else added(normal.recent, day.sketch),
        older=normal.recent if full else normal.older,
        recent_days=1 if full else normal.recent_days + 1,
        services=learn_services(
            normal.services, day.last, day.beside, day.beside_sketches, anew=full
        ),
    )


def normal_of(days: Iterable[FeatureDay]) -> FeatureNormal:
    """The normal of some usual days, oldest first."""
    normal = FeatureNormal()
    for day in days:
        normal = learn_day(normal, day)
    return normal


def mean_parts(day: FeatureDay) -> dict[str, float]:
    """The first stage's mean, and what each later stage adds to it."""
    return _parts({stage: found.mean for stage, found in day.stages.items() if found.n})


def missing_parts(day: FeatureDay) -> dict[str, float]:
    """The same for the share of records that lack the value."""
    return _parts(
        {
            stage: found.missing / (found.n + found.missing)
            for stage, found in day.stages.items()
            if found.n + found.missing
        }
    )


def kept_shares(day: FeatureDay) -> dict[str, float]:
    """Stage → the share of the records of the stage before that passed it."""
    counts = {stage: found.n + found.missing for stage, found in day.stages.items()}
    return {
        after: counts[after] / counts[before]
        for before, after in pairwise(counts)
        if counts[before]
    }


def compared(
    parts: Mapping[str, float], usual: Mapping[str, Level], normal: FeatureNormal, records: float
) -> list[Part]:
    """Each stage's part now against its usual one.

    Args:
        parts: from `mean_parts` or `missing_parts`.
        usual: the levels of the same.
        normal: that they belong to.
        records: of the bucket; fewer than usual vary more.
    """
    scale = max(abs(level.mean) for level in usual.values()) if usual else 0.0
    result = []
    for stage, now in parts.items():
        level = usual.get(stage, Level())
        deviation = (now - level.mean) / spread(level, normal, records, scale)
        result.append(Part(stage, now, level.mean, deviation))
    return result


def spread(level: Level, normal: FeatureNormal, records: float, scale: float) -> float:
    """Standard deviation of a day's distance from a level.

    The variance between the usual days is larger for a day of fewer records; the level is
    known from a limited number of days only, and so is their variance.
    """
    days = max(normal.days, 1.0)
    fewer = max(1.0, normal.records / max(records, 1.0))
    variance = level.variance * (fewer + 1 / days) * (1 + 3 / days) ** 2
    return math.sqrt(variance) + _ROUNDING * max(scale, _ROUNDING)


def _parts(levels: dict[str, float]) -> dict[str, float]:
    stages = list(levels)
    later = {after: levels[after] - levels[before] for before, after in pairwise(stages)}
    return {stages[0]: levels[stages[0]], **later} if stages else {}


def _learned(
    levels: Mapping[str, Level], values: Mapping[str, float], weight: float
) -> dict[str, Level]:
    return {
        stage: levels.get(stage, Level()).learn(value, weight) for stage, value in values.items()
    }
