"""The stage table: one feature after every stage, now and on usual days."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from streamwatch.diagnosis.normal import FeatureDay, Part
from streamwatch.domain.cells import Moments, Transition

BAND = 3.0
"""Standard deviations of the band in the stage table."""


class StageLine(msgspec.Struct, frozen=True):
    """One stage's line: the feature after it on usual days, and now.

    Attributes:
        usual, lower, upper: mean of the usual days' means, and their band.
        records, missing: after the stage now.
        now: the mean now; ``None`` without values.
        deviation: of what the stage itself contributes.
        changed, mean_change: what it changed now.
    """

    stage: str
    usual: float | None
    lower: float | None
    upper: float | None
    records: int
    missing: int
    now: float | None
    deviation: float | None
    changed: int
    mean_change: float | None

    @property
    def inside(self) -> bool:
        """Whether the mean is within the band."""
        if self.now is None or self.lower is None or self.upper is None:
            return True
        return self.lower <= self.now <= self.upper


def stage_lines(
    feature: str, days: Mapping[str, FeatureDay], usual: Sequence[FeatureDay], parts: Iterable[Part]
) -> list[StageLine]:
    """The table's lines: the journey from top to bottom, then stages in other services.

    Args:
        feature: that it is about.
        days: the features of the bucket.
        usual: the feature's usual days.
        parts: what each stage contributes, where the diagnosis told it.
    """
    day = days.get(feature)
    if day is None:
        return []
    told = {part.stage: part for part in parts}
    everywhere = {**day.stages, **day.beside}
    return [
        _line(stage, moments, _means(usual, stage), day.changes.get(stage), told.get(stage))
        for stage, moments in everywhere.items()
    ]


def _means(usual: Iterable[FeatureDay], stage: str) -> list[float]:
    found = [day.stages.get(stage) or day.beside.get(stage) for day in usual]
    return [moments.mean for moments in found if moments is not None and moments.n]


def _line(
    stage: str,
    moments: Moments,
    means: Sequence[float],
    change: Transition | None,
    part: Part | None,
) -> StageLine:
    usual = statistics.fmean(means) if means else None
    reach = BAND * statistics.stdev(means) if len(means) > 1 else None
    known = usual is not None and reach is not None
    changed = change.changed if change else 0
    return StageLine(
        stage=stage,
        usual=usual,
        lower=(usual or 0.0) - (reach or 0.0) if known else None,
        upper=(usual or 0.0) + (reach or 0.0) if known else None,
        records=moments.n + moments.missing,
        missing=moments.missing,
        now=moments.mean if moments.n else None,
        deviation=None if part is None or math.isnan(part.deviation) else part.deviation,
        changed=changed,
        mean_change=change.sum_change / changed if change and changed else None,
    )
